#include "simulation/schedule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/base/nearest.h"
#include "core/config/report.h"
#include "core/config/text.h"
#include "simulation/ground.h"
#include "simulation/json_reader.h"

#define VERSION 1
#define MS_SCALE 6 /* nanoseconds are millionths of at_ms */
#define DURATION_MS_MAX INT64_C(2592000000)
#define MARKETS_MOST 100000
#define FILE_BYTES_MAX (64 * 1024 * 1024) /* some hundred thousand events */

/* ------------------------------------------------------------------ values */

/* A decimal number as an integer at that scale, within least..most (which are at that scale too). */
static int read_scaled(const struct json_reader *reader, const char *key, const struct json_scalar *value,
		       int32_t scale, int64_t least, int64_t most, int64_t *ret_value)
{
	struct tg_decimal decimal;
	int64_t number = 0;
	int err = TG_ERR_INVALID;
	if (!value->quoted && tg_decimal_parse((struct tg_str){value->text, strlen(value->text)}, &decimal) == TG_OK)
		err = tg_decimal_rescale(tg_decimal_normalise(decimal), scale, &number);
	if (err == TG_OK && number >= least && number <= most) {
		*ret_value = number;
		return TG_OK;
	}
	char low[TG_DECIMAL_TEXT_MAX], high[TG_DECIMAL_TEXT_MAX];
	tg_decimal_format((struct tg_decimal){least, scale, 0}, low, sizeof low);
	tg_decimal_format((struct tg_decimal){most, scale, 0}, high, sizeof high);
	return json_refuse(reader, value->line, key, "%s is not a%s number from %s to %s",
			   report_show(value->text).text, scale ? "" : " whole", low, high);
}

static int read_whole(const struct json_reader *reader, const char *key, const struct json_scalar *value, int64_t least,
		      int64_t most, int64_t *ret_value)
{
	return read_scaled(reader, key, value, 0, least, most, ret_value);
}

static int read_count(const struct json_reader *reader, const char *key, const struct json_scalar *value, uint32_t most,
		      uint32_t *ret_count)
{
	int64_t count = 0;
	int err = read_whole(reader, key, value, 0, most, &count);
	*ret_count = (uint32_t)count;
	return err;
}

/* A seed is any 64-bit number, so more than a decimal's mantissa holds. */
static int read_seed(const struct json_reader *reader, const struct json_scalar *value, uint64_t *ret_seed)
{
	uint64_t seed = 0;
	bool fits = !value->quoted && value->text[0] != '\0';
	for (const char *at = value->text; *at && fits; at++)
		fits = *at >= '0' && *at <= '9' && !__builtin_mul_overflow(seed, 10, &seed) &&
		       !__builtin_add_overflow(seed, (uint64_t)(*at - '0'), &seed);
	if (!fits)
		return json_refuse(reader, value->line, "seed", "%s is not a whole number from 0 to %llu",
				   report_show(value->text).text, (unsigned long long)UINT64_MAX);
	*ret_seed = seed;
	return TG_OK;
}

static int read_text(const struct json_reader *reader, const char *key, const struct json_scalar *value, size_t size,
		     char *ret_text)
{
	if (!value->quoted || strlen(value->text) >= size)
		return json_refuse(reader, value->line, key, "%s is not a text in quotes of at most %zu bytes",
				   report_show(value->text).text, size - 1);
	strcpy(ret_text, value->text);
	return TG_OK;
}

/* ------------------------------------------------------------------ keys */

/* The keys of an object and which of them it had so far. */
struct keys {
	const char *const *name;
	size_t count;
	uint32_t seen;
	int line; /* of the object */
};

static int find_key(const struct json_reader *reader, struct keys *keys, const struct json_scalar *key,
		    size_t *ret_index)
{
	size_t i = 0;
	while (i < keys->count && strcmp(keys->name[i], key->text) != 0)
		i++;
	if (i < keys->count) {
		bool twice = keys->seen >> i & 1;
		keys->seen |= UINT32_C(1) << i;
		*ret_index = i;
		return twice ? json_refuse(reader, key->line, key->text, "stands there twice") : TG_OK;
	}
	const char *near = nearest_word(key->text, keys->name, keys->count);
	return json_refuse(reader, key->line, NULL, "there is no key \"%s\"%s%s%s", report_show(key->text).text,
			   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int check_present(const struct json_reader *reader, const struct keys *keys, uint32_t needed)
{
	for (size_t i = 0; i < keys->count; i++)
		if (needed >> i & 1 && !(keys->seen >> i & 1))
			return json_refuse(reader, keys->line, NULL, "\"%s\" is missing", keys->name[i]);
	return TG_OK;
}

/* ------------------------------------------------------------------ events */

enum event_key { KEY_AT_MS, KEY_FAULT, KEY_TARGET, KEY_SKIP, KEY_ARG, EVENT_KEYS };
static const char *const event_keys[EVENT_KEYS] = {"at_ms", "fault", "target", "skip", "arg"};

static int read_fault(const struct json_reader *reader, const struct json_scalar *value, enum fault_kind *ret_kind)
{
	const char *names[FAULT_KINDS];
	enum fault_kind kind = fault_find(value->text);
	if (kind < FAULT_KINDS) {
		*ret_kind = kind;
		return TG_OK;
	}
	for (kind = 0; kind < FAULT_KINDS; kind++)
		names[kind] = fault_info[kind].name;
	const char *near = nearest_word(value->text, names, FAULT_KINDS);
	if (near)
		return json_refuse(reader, value->line, "fault", "there is no fault \"%s\"; did you mean \"%s\"?",
				   report_show(value->text).text, near);
	return json_refuse(reader, value->line, "fault",
			   "there is no fault \"%s\"; 'trigate simulate world --help' lists them",
			   report_show(value->text).text);
}

/* "g0" or "v1", as the fault is for a gateway or a venue. */
static int read_target(const struct json_reader *reader, const struct json_scalar *value, enum fault_kind kind,
		       uint32_t *ret_target)
{
	bool venue = fault_info[kind].target == FAULT_TARGET_VENUE;
	char letter = venue ? 'v' : 'g';
	unsigned most = venue ? VENUES_MAX - 1 : GATEWAYS_MAX - 1;
	const char *text = value->text;
	if (strlen(text) == 2 && text[0] == letter && text[1] >= '0' && (unsigned)(text[1] - '0') <= most) {
		*ret_target = (uint32_t)(text[1] - '0');
		return TG_OK;
	}
	return json_refuse(reader, value->line, "target", "%s is not a target of %s, which strikes a %s: %c0 to %c%u",
			   report_show(text).text, fault_info[kind].name, venue ? "venue" : "gateway", letter, letter,
			   most);
}

static int read_event_values(const struct json_reader *reader, const struct json_scalar value[EVENT_KEYS],
			     struct fault_event *event)
{
	int err = read_fault(reader, &value[KEY_FAULT], &event->kind);
	if (err != TG_OK)
		return err;
	const struct fault_info *info = &fault_info[event->kind];
	if ((err = read_target(reader, &value[KEY_TARGET], event->kind, &event->target)) != TG_OK ||
	    (err = read_scaled(reader, "at_ms", &value[KEY_AT_MS], MS_SCALE, 0, DURATION_MS_MAX * 1000000,
			       &event->at_ns)) != TG_OK ||
	    (err = read_count(reader, "skip", &value[KEY_SKIP], UINT32_MAX, &event->skip)) != TG_OK)
		return err;
	return read_whole(reader, "arg", &value[KEY_ARG], info->least, info->most, &event->arg);
}

static int read_event(struct json_reader *reader, struct fault_event *event)
{
	struct json_scalar key, value[EVENT_KEYS] = {0};
	struct keys keys = {.name = event_keys, .count = EVENT_KEYS};
	bool more;
	size_t i;
	int err = json_open(reader, "events", '{', "an event, {\"at_ms\": ..., \"fault\": ...},");
	keys.line = reader->line;
	for (bool first = true; err == TG_OK; first = false) {
		if ((err = json_more(reader, '}', first, &more)) != TG_OK)
			return err;
		if (!more)
			break;
		if ((err = json_key(reader, &key)) == TG_OK && (err = find_key(reader, &keys, &key, &i)) == TG_OK)
			err = json_scalar(reader, event_keys[i], &value[i]);
	}
	if (err == TG_OK)
		err = check_present(reader, &keys, (1u << EVENT_KEYS) - 1);
	return err == TG_OK ? read_event_values(reader, value, event) : err;
}

/* Room for one more: it is doubled at each power of two. */
static int grow(const struct json_reader *reader, struct schedule *schedule)
{
	uint32_t count = schedule->event_count;
	if (count > 0 && (count & (count - 1)) != 0)
		return TG_OK;
	struct fault_event *more = realloc(schedule->event, (count ? 2 * (size_t)count : 1) * sizeof *more);
	if (!more)
		return tg_error_set(reader->error, TG_ERR_NO_MEMORY, "out of memory");
	schedule->event = more;
	return TG_OK;
}

static int read_events(struct json_reader *reader, struct schedule *schedule)
{
	bool more;
	int err = json_open(reader, "events", '[', "a list of events");
	for (bool first = true; err == TG_OK; first = false) {
		if ((err = json_more(reader, ']', first, &more)) != TG_OK || !more)
			break;
		struct fault_event event = {0};
		if ((err = read_event(reader, &event)) == TG_OK && (err = grow(reader, schedule)) == TG_OK)
			schedule->event[schedule->event_count++] = event;
	}
	return err;
}

/* ------------------------------------------------------------------ schedule */

enum top_key {
	TOP_VERSION,
	TOP_SEED,
	TOP_EVENTS,
	TOP_DURATION,
	TOP_GATEWAYS,
	TOP_MARKETS,
	TOP_CHECK,
	TOP_TEXT,
	TOP_PROTOCOL,
	TOP_KEYS
};
static const char *const top_keys[TOP_KEYS] = {"trigate_schedule", "seed",  "events", "duration_ms",   "gateways",
					       "markets",          "check", "text",   "venue_protocol"};
#define TOP_NEEDED (1u << TOP_VERSION | 1u << TOP_SEED | 1u << TOP_EVENTS)

static int read_protocol(const struct json_reader *reader, const struct json_scalar *value,
			 enum run_protocol *ret_protocol)
{
	*ret_protocol = value->quoted ? run_protocol_find(value->text) : RUN_PROTOCOLS;
	if (*ret_protocol < RUN_PROTOCOLS)
		return TG_OK;
	return json_refuse(reader, value->line, top_keys[TOP_PROTOCOL], "%s is not \"own\", \"binance\" or \"mixed\"",
			   report_show(value->text).text);
}

static int read_member(struct json_reader *reader, enum top_key key, struct schedule *schedule)
{
	struct json_scalar value = {0};
	int64_t version;
	if (key == TOP_EVENTS)
		return read_events(reader, schedule);
	int err = json_scalar(reader, top_keys[key], &value);
	if (err != TG_OK)
		return err;
	switch (key) {
	case TOP_VERSION: return read_whole(reader, top_keys[key], &value, VERSION, VERSION, &version);
	case TOP_SEED: return read_seed(reader, &value, &schedule->seed);
	case TOP_DURATION: return read_whole(reader, top_keys[key], &value, 0, DURATION_MS_MAX, &schedule->duration_ms);
	case TOP_GATEWAYS: return read_count(reader, top_keys[key], &value, GATEWAYS_MAX, &schedule->gateways);
	case TOP_MARKETS: return read_count(reader, top_keys[key], &value, MARKETS_MOST, &schedule->markets);
	case TOP_CHECK: return read_text(reader, top_keys[key], &value, sizeof schedule->check, schedule->check);
	case TOP_PROTOCOL: return read_protocol(reader, &value, &schedule->protocol);
	default: return read_text(reader, top_keys[key], &value, sizeof schedule->text, schedule->text);
	}
}

static int read_root(struct json_reader *reader, struct schedule *schedule)
{
	struct json_scalar key = {0};
	struct keys keys = {.name = top_keys, .count = TOP_KEYS, .line = 1};
	bool more;
	size_t i = 0;
	int err = json_open(reader, NULL, '{', "a schedule, {\"trigate_schedule\": 1, \"seed\": ...},");
	for (bool first = true; err == TG_OK; first = false) {
		if ((err = json_more(reader, '}', first, &more)) != TG_OK)
			return err;
		if (!more)
			break;
		if ((err = json_key(reader, &key)) == TG_OK && (err = find_key(reader, &keys, &key, &i)) == TG_OK)
			err = read_member(reader, (enum top_key)i, schedule);
	}
	if (err == TG_OK)
		err = json_end(reader);
	return err == TG_OK ? check_present(reader, &keys, TOP_NEEDED) : err;
}

int schedule_parse(const char *name, const char *text, size_t length, struct schedule *ret_schedule,
		   struct tg_error *ret_error)
{
	struct json_reader reader;
	struct schedule schedule = {0};
	int err = json_reader_init(&reader, name, text, length, ret_error);
	if (err == TG_OK)
		err = read_root(&reader, &schedule);
	if (err != TG_OK) {
		schedule_clear(&schedule);
		return err;
	}
	*ret_schedule = schedule;
	return TG_OK;
}

int schedule_read(const char *path, struct schedule *ret_schedule, struct tg_error *ret_error)
{
	struct config_report report = {0};
	char *text;
	size_t length;
	if (file_read(path, FILE_BYTES_MAX, &report, &text, &length) != TG_OK) {
		int err = tg_error_set(ret_error, TG_ERR_INVALID, "%s", report.problem[0].text);
		config_report_clear(&report);
		return err;
	}
	int err = schedule_parse(path, text, length, ret_schedule, ret_error);
	free(text);
	return err;
}

/* ------------------------------------------------------------------ output */

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* What a crashed process said last may be no text at all: then its bytes above ASCII are not printed. */
static bool is_utf8(const char *text)
{
	char copy[sizeof((struct schedule *)NULL)->text];
	struct text_fault fault;
	size_t length = strlen(text);
	assert(length < sizeof copy);
	for (size_t i = 0; i < length; i++)
		copy[i] = is_control(text[i]) ? ' ' : text[i];
	return text_check(copy, length, &fault);
}

static void print_quoted(const char *text, FILE *out)
{
	bool whole = is_utf8(text);
	fputc('"', out);
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (is_control(*text))
			fprintf(out, "\\u%04x", (unsigned char)*text);
		else
			fputc(!whole && (unsigned char)*text >= 0x80 ? '?' : *text, out);
	fputc('"', out);
}

static void print_event(const struct fault_event *event, FILE *out)
{
	char at[TG_DECIMAL_TEXT_MAX];
	const struct fault_info *info = &fault_info[event->kind];
	tg_decimal_format((struct tg_decimal){event->at_ns, MS_SCALE, 0}, at, sizeof at);
	fprintf(out, " {\"at_ms\": %s, \"fault\": \"%s\", \"target\": \"%c%u\", \"skip\": %u, \"arg\": %lld}", at,
		info->name, info->target == FAULT_TARGET_VENUE ? 'v' : 'g', event->target, event->skip,
		(long long)event->arg);
}

void schedule_print(const struct schedule *schedule, FILE *out)
{
	fprintf(out, "{\"trigate_schedule\": %d, \"seed\": %llu, \"duration_ms\": %lld, \"gateways\": %u, ", VERSION,
		(unsigned long long)schedule->seed, (long long)schedule->duration_ms, schedule->gateways);
	fprintf(out, "\"markets\": %u,\n ", schedule->markets);
	if (schedule->protocol != RUN_OWN)
		fprintf(out, "\"venue_protocol\": \"%s\", ", run_protocol_name(schedule->protocol));
	fprintf(out, "\"check\": ");
	print_quoted(schedule->check, out);
	fprintf(out, ",\n \"text\": ");
	print_quoted(schedule->text, out);
	fprintf(out, ",\n \"events\": [");
	for (uint32_t i = 0; i < schedule->event_count; i++) {
		fprintf(out, "%s\n ", i ? "," : "");
		print_event(&schedule->event[i], out);
	}
	fprintf(out, "%s]}\n", schedule->event_count ? "\n " : "");
}

void schedule_clear(struct schedule *schedule)
{
	free(schedule->event);
	*schedule = (struct schedule){0};
}

void schedule_options(const struct schedule *schedule, struct run_options *ret_options)
{
	static const struct fault_event none; /* an empty list is a schedule too: nothing strikes */
	*ret_options = (struct run_options){
		.seed = schedule->seed,
		.events = schedule->event ? schedule->event : &none,
		.event_count = schedule->event_count,
		.duration_ms = schedule->duration_ms,
		.gateways = schedule->gateways,
		.markets = schedule->markets,
		.protocol = schedule->protocol,
	};
}
