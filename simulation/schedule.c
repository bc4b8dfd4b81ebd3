#include "simulation/schedule.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/base/nearest.h"
#include "core/config/report.h"
#include "core/config/text.h"
#include "core/config/yaml.h"
#include "simulation/ground.h"

/* JSON is YAML, and the configuration's YAML reader knows the line of each value. */

#define VERSION 1
#define MS_SCALE 6 /* nanoseconds are millionths of at_ms */
#define DURATION_MS_MAX INT64_C(2592000000)
#define MARKETS_MOST 100000

struct reader {
	const char *name;
	struct tg_error *error;
};

__attribute__((format(printf, 4, 5))) static int refuse(const struct reader *reader, int line, const char *key,
							const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return tg_error_set(reader->error, TG_ERR_INVALID, "%s:%d: %s%s%s", reader->name, line, key ? key : "",
			    key ? ": " : "", text);
}

/* ------------------------------------------------------------------ values */

static const char *shown(const struct yaml_node *node, struct report_shown *buffer)
{
	if (node->type != YAML_SCALAR)
		return node->type == YAML_LIST ? "a list" : "an object";
	*buffer = report_show(node->text);
	return buffer->text;
}

/* A decimal number as an integer at that scale, within least..most (which are at that scale too). */
static int read_scaled(const struct reader *reader, const struct yaml_entry *entry, int32_t scale, int64_t least,
		       int64_t most, int64_t *ret_value)
{
	const struct yaml_node *node = entry->value;
	struct report_shown buffer;
	struct tg_decimal value;
	int64_t number = 0;
	int err = TG_ERR_INVALID;
	if (node->type == YAML_SCALAR && node->plain &&
	    tg_decimal_parse((struct tg_str){node->text, strlen(node->text)}, &value) == TG_OK)
		err = tg_decimal_rescale(tg_decimal_normalise(value), scale, &number);
	if (err == TG_OK && number >= least && number <= most) {
		*ret_value = number;
		return TG_OK;
	}
	char low[TG_DECIMAL_TEXT_MAX], high[TG_DECIMAL_TEXT_MAX];
	tg_decimal_format((struct tg_decimal){least, scale, 0}, low, sizeof low);
	tg_decimal_format((struct tg_decimal){most, scale, 0}, high, sizeof high);
	return refuse(reader, node->line, entry->key, "%s is not a%s number from %s to %s", shown(node, &buffer),
		      scale ? "" : " whole", low, high);
}

static int read_whole(const struct reader *reader, const struct yaml_entry *entry, int64_t least, int64_t most,
		      int64_t *ret_value)
{
	return read_scaled(reader, entry, 0, least, most, ret_value);
}

/* A seed is any 64-bit number, so more than a decimal's mantissa holds. */
static int read_seed(const struct reader *reader, const struct yaml_entry *entry, uint64_t *ret_seed)
{
	const struct yaml_node *node = entry->value;
	struct report_shown buffer;
	uint64_t seed = 0;
	bool fits = node->type == YAML_SCALAR && node->plain && node->text[0] != '\0';
	for (const char *at = fits ? node->text : ""; *at && fits; at++)
		fits = *at >= '0' && *at <= '9' && !__builtin_mul_overflow(seed, 10, &seed) &&
		       !__builtin_add_overflow(seed, (uint64_t)(*at - '0'), &seed);
	if (!fits)
		return refuse(reader, node->line, entry->key, "%s is not a whole number from 0 to %llu",
			      shown(node, &buffer), (unsigned long long)UINT64_MAX);
	*ret_seed = seed;
	return TG_OK;
}

static int read_text(const struct reader *reader, const struct yaml_entry *entry, size_t size, char *ret_text)
{
	const struct yaml_node *node = entry->value;
	struct report_shown buffer;
	if (node->type != YAML_SCALAR || node->plain || strlen(node->text) >= size)
		return refuse(reader, node->line, entry->key, "%s is not a text in quotes of at most %zu bytes",
			      shown(node, &buffer), size - 1);
	strcpy(ret_text, node->text);
	return TG_OK;
}

static int unknown_key(const struct reader *reader, const struct yaml_entry *entry, const char *const *known,
		       size_t count)
{
	const char *near = nearest_word(entry->key, known, count);
	struct report_shown key = report_show(entry->key);
	if (near)
		return refuse(reader, entry->line, NULL, "there is no key \"%s\"; did you mean \"%s\"?", key.text,
			      near);
	return refuse(reader, entry->line, NULL, "there is no key \"%s\"", key.text);
}

/* ------------------------------------------------------------------ events */

static int read_fault(const struct reader *reader, const struct yaml_entry *entry, enum fault_kind *ret_kind)
{
	const char *names[FAULT_KINDS];
	struct report_shown buffer;
	const char *text = shown(entry->value, &buffer);
	enum fault_kind kind = entry->value->type == YAML_SCALAR ? fault_find(entry->value->text) : FAULT_KINDS;
	if (kind < FAULT_KINDS) {
		*ret_kind = kind;
		return TG_OK;
	}
	for (kind = 0; kind < FAULT_KINDS; kind++)
		names[kind] = fault_info[kind].name;
	const char *near = nearest_word(text, names, FAULT_KINDS);
	if (near)
		return refuse(reader, entry->value->line, "fault", "there is no fault \"%s\"; did you mean \"%s\"?",
			      text, near);
	return refuse(reader, entry->value->line, "fault",
		      "there is no fault \"%s\"; 'trigate simulate world --help' lists them", text);
}

/* "g0" or "v1"; which of the two a fault is for is checked when it is known. */
static int read_target(const struct reader *reader, const struct yaml_entry *entry, enum fault_kind kind,
		       uint32_t *ret_target)
{
	bool venue = fault_info[kind].target == FAULT_TARGET_VENUE;
	unsigned most = venue ? VENUES_MAX - 1 : GATEWAYS_MAX - 1;
	const struct yaml_node *node = entry->value;
	struct report_shown buffer;
	const char *text = node->type == YAML_SCALAR ? node->text : "";
	if (strlen(text) == 2 && text[0] == (venue ? 'v' : 'g') && text[1] >= '0' &&
	    (unsigned)(text[1] - '0') <= most) {
		*ret_target = (uint32_t)(text[1] - '0');
		return TG_OK;
	}
	return refuse(reader, node->line, "target", "%s is not a target of %s, which strikes a %s: %s0 to %s%u",
		      shown(node, &buffer), fault_info[kind].name, venue ? "venue" : "gateway", venue ? "v" : "g",
		      venue ? "v" : "g", most);
}

enum event_key { KEY_AT_MS, KEY_FAULT, KEY_TARGET, KEY_SKIP, KEY_ARG, EVENT_KEYS };
static const char *const event_keys[EVENT_KEYS] = {"at_ms", "fault", "target", "skip", "arg"};

static int check_keys(const struct reader *reader, const struct yaml_node *map, const char *const *known, size_t count)
{
	for (size_t i = 0; i < map->count; i++) {
		size_t k = 0;
		while (k < count && strcmp(map->entry[i].key, known[k]) != 0)
			k++;
		if (k == count)
			return unknown_key(reader, &map->entry[i], known, count);
	}
	return TG_OK;
}

static int find_entry(const struct reader *reader, const struct yaml_node *map, const char *key,
		      const struct yaml_entry **ret_entry)
{
	*ret_entry = yaml_entry_of(map, key);
	return *ret_entry ? TG_OK : refuse(reader, map->line, NULL, "\"%s\" is missing", key);
}

static int read_event(const struct reader *reader, const struct yaml_node *node, struct fault_event *ret_event)
{
	const struct yaml_entry *entry[EVENT_KEYS];
	struct fault_event event = {0};
	int64_t skip;
	int err;
	if (node->type != YAML_MAP)
		return refuse(reader, node->line, "events", "an event is an object {\"at_ms\": ..., \"fault\": ...}");
	if ((err = check_keys(reader, node, event_keys, EVENT_KEYS)) != TG_OK)
		return err;
	for (enum event_key key = 0; key < EVENT_KEYS; key++)
		if ((err = find_entry(reader, node, event_keys[key], &entry[key])) != TG_OK)
			return err;
	if ((err = read_fault(reader, entry[KEY_FAULT], &event.kind)) != TG_OK ||
	    (err = read_target(reader, entry[KEY_TARGET], event.kind, &event.target)) != TG_OK ||
	    (err = read_scaled(reader, entry[KEY_AT_MS], MS_SCALE, 0, DURATION_MS_MAX * 1000000, &event.at_ns)) !=
		    TG_OK ||
	    (err = read_whole(reader, entry[KEY_SKIP], 0, UINT32_MAX, &skip)) != TG_OK ||
	    (err = read_whole(reader, entry[KEY_ARG], fault_info[event.kind].least, fault_info[event.kind].most,
			      &event.arg)) != TG_OK)
		return err;
	event.skip = (uint32_t)skip;
	*ret_event = event;
	return TG_OK;
}

static int read_events(const struct reader *reader, const struct yaml_node *list, struct schedule *schedule)
{
	if (list->type != YAML_LIST)
		return refuse(reader, list->line, "events", "must be a list");
	schedule->event = calloc(list->count + 1, sizeof *schedule->event);
	if (!schedule->event)
		return tg_error_set(reader->error, TG_ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < list->count; i++) {
		int err = read_event(reader, list->entry[i].value, &schedule->event[i]);
		if (err != TG_OK)
			return err;
		schedule->event_count++;
	}
	return TG_OK;
}

/* ------------------------------------------------------------------ schedule */

enum top_key {
	TOP_VERSION,
	TOP_SEED,
	TOP_DURATION,
	TOP_GATEWAYS,
	TOP_MARKETS,
	TOP_CHECK,
	TOP_TEXT,
	TOP_EVENTS,
	TOP_KEYS
};
static const char *const top_keys[TOP_KEYS] = {"trigate_schedule", "seed",  "duration_ms", "gateways",
					       "markets",          "check", "text",        "events"};

static int read_version(const struct reader *reader, const struct yaml_entry *entry)
{
	int64_t version;
	return read_whole(reader, entry, VERSION, VERSION, &version);
}

/* Everything but the events; what is left out is as the seed says. */
static int read_head(const struct reader *reader, const struct yaml_node *root, struct schedule *schedule)
{
	const struct yaml_entry *entry[TOP_KEYS];
	int64_t gateways = 0, markets = 0;
	int err = check_keys(reader, root, top_keys, TOP_KEYS);
	for (enum top_key key = 0; key < TOP_KEYS; key++)
		entry[key] = yaml_entry_of(root, top_keys[key]);
	if (err != TG_OK || (err = find_entry(reader, root, "trigate_schedule", &entry[TOP_VERSION])) != TG_OK ||
	    (err = find_entry(reader, root, "seed", &entry[TOP_SEED])) != TG_OK ||
	    (err = find_entry(reader, root, "events", &entry[TOP_EVENTS])) != TG_OK ||
	    (err = read_version(reader, entry[TOP_VERSION])) != TG_OK ||
	    (err = read_seed(reader, entry[TOP_SEED], &schedule->seed)) != TG_OK)
		return err;
	if (entry[TOP_DURATION])
		err = read_whole(reader, entry[TOP_DURATION], 0, DURATION_MS_MAX, &schedule->duration_ms);
	if (err == TG_OK && entry[TOP_GATEWAYS])
		err = read_whole(reader, entry[TOP_GATEWAYS], 0, GATEWAYS_MAX, &gateways);
	if (err == TG_OK && entry[TOP_MARKETS])
		err = read_whole(reader, entry[TOP_MARKETS], 0, MARKETS_MOST, &markets);
	if (err == TG_OK && entry[TOP_CHECK])
		err = read_text(reader, entry[TOP_CHECK], sizeof schedule->check, schedule->check);
	if (err == TG_OK && entry[TOP_TEXT])
		err = read_text(reader, entry[TOP_TEXT], sizeof schedule->text, schedule->text);
	schedule->gateways = (uint32_t)gateways;
	schedule->markets = (uint32_t)markets;
	return err;
}

static int read_root(const struct reader *reader, const struct yaml_node *root, struct schedule *ret_schedule)
{
	struct schedule schedule = {0};
	if (root->type != YAML_MAP || !yaml_entry_of(root, "trigate_schedule"))
		return refuse(reader, root->line, NULL,
			      "is not a schedule; one begins with {\"trigate_schedule\": %d, \"seed\": ...", VERSION);
	int err = read_head(reader, root, &schedule);
	if (err == TG_OK)
		err = read_events(reader, yaml_entry_of(root, "events")->value, &schedule);
	if (err != TG_OK) {
		schedule_clear(&schedule);
		return err;
	}
	*ret_schedule = schedule;
	return TG_OK;
}

/* The first thing that the YAML reader or the file system found wrong. */
static int refuse_report(struct config_report *report, struct tg_error *ret_error)
{
	int err = tg_error_set(ret_error, TG_ERR_INVALID, "%s", report->problem[0].text);
	config_report_clear(report);
	return err;
}

int schedule_parse(const char *name, const char *text, size_t length, struct schedule *ret_schedule,
		   struct tg_error *ret_error)
{
	struct reader reader = {.name = name, .error = ret_error};
	struct config_report report = {0};
	struct yaml_node *root = NULL;
	if (yaml_parse(name, text, length, &report, &root) != TG_OK)
		return refuse_report(&report, ret_error);
	int err = read_root(&reader, root, ret_schedule);
	yaml_free(root);
	config_report_clear(&report);
	return err;
}

int schedule_read(const char *path, struct schedule *ret_schedule, struct tg_error *ret_error)
{
	struct config_report report = {0};
	char *text;
	size_t length;
	if (file_read(path, YAML_BYTES_MAX, &report, &text, &length) != TG_OK)
		return refuse_report(&report, ret_error);
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
	fprintf(out, "\"markets\": %u,\n \"check\": ", schedule->markets);
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
	};
}
