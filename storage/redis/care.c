/* What is done to a store now and then: making it, checking it, removing what is old, telling what it holds. */
#include <stdio.h>
#include <string.h>

#include "storage/redis/store.h"

#define CHECK_STEP 500
#define CLEANUP_STEP 100 /* cycles a script: others wait for it */
#define LOOSE_STEP 1000

#define COUNT(array) (sizeof(array) / sizeof *(array))

const struct store_key store_keys[STORE_KEYS] = {
	{"meta", "hash"},         {"positions", "hash"},   {"cycles", "hash"},          {"orders", "hash"},
	{"fills", "hash"},        {"events", "hash"},      {"cycles:progress", "hash"}, {"orders:progress", "hash"},
	{"cycles:ids", "zset"},   {"cycles:open", "zset"}, {"cycles:closed", "zset"},   {"orders:ids", "zset"},
	{"orders:of", "zset"},    {"fills:ids", "zset"},   {"events:ids", "zset"},      {"events:of", "zset"},
	{"events:loose", "zset"},
};

static void name_add(struct store *store, const char *name)
{
	char buffer[NAME_MAX_LEN];

	request_text(&store->request, store_name(store, name, buffer));
}

/* ---------------------------------------------------------------- migrate */

int32_t store_schema_refuse(const struct store *store, const redisReply *schema, struct tg_error *ret_error)
{
	struct tg_str version = reply_text(schema);
	int prefix_len = (int)strlen(store->prefix) - 1;

	if (version.len == 0)
		return tg_error_set(ret_error, TG_ERR_CORRUPT,
				    "%s: nothing below %s says that it is ours: emptied (FLUSHDB?), or of another "
				    "program; restore it, or set another prefix",
				    store->link.location, store->prefix);
	return tg_error_set(
		ret_error, TG_ERR_VERSION,
		"%s: %.*s has schema version %.*s, this program knows %d; use the release that wrote it or newer",
		store->link.location, prefix_len, store->prefix, (int)(version.len < 20 ? version.len : 20),
		version.ptr, SCHEMA_VERSION);
}

static int32_t migrated_take(struct store *store, const redisReply *reply, tg_note_fn note, void *ctx,
			     struct tg_error *ret_error)
{
	char line[NAME_MAX_LEN + 64];

	if (!reply_is_array(reply, 1) || !reply_is_number(reply->element[0]))
		return link_strange(&store->link, "prepare the store", ret_error);
	if (reply->element[0]->integer < 0)
		return store_schema_refuse(store, reply->elements > 1 ? reply->element[1] : NULL, ret_error);
	int32_t steps = (int32_t)reply->element[0]->integer;
	int len = snprintf(line, sizeof line, "schema version %d below %s", SCHEMA_VERSION, store->prefix);
	if (steps > 0 && note)
		note(ctx, (struct tg_str){line, (uint64_t)len});
	return steps;
}

int32_t store_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	struct store *store = self;
	redisReply *reply = NULL;

	script_begin(&store->link, &store->request, SCRIPT_MIGRATE, 1 + STORE_KEYS - 1 + 2, 1);
	request_text(&store->request, store_prefix(store));
	for (int i = 1; i < STORE_KEYS; i++) /* all but meta, which it looks at by itself */
		name_add(store, store_keys[i].name);
	name_add(store, "slots-last");
	name_add(store, "slots-groups");
	request_text(&store->request, TG_STR(SCHEMA_TEXT));
	int32_t status = script_call(&store->link, &store->request, SCRIPT_MIGRATE, CHANGES, "prepare the store",
				     &reply, ret_error);
	if (status == TG_OK)
		status = migrated_take(store, reply, note, ctx, ret_error);
	freeReplyObject(reply);
	return status;
}

/* ------------------------------------------------------------------ check */

struct findings {
	tg_note_fn fn;
	void *ctx;
	int32_t count;
};

static void finding_add(struct findings *findings, struct tg_str text)
{
	findings->count++;
	findings->fn(findings->ctx, text);
}

/* A part of a key; cursor is where it goes on. */
static int32_t part_check(struct store *store, const char *key, char cursor[24], struct findings *findings,
			  struct tg_error *ret_error)
{
	redisReply *reply = NULL;

	script_begin(&store->link, &store->request, SCRIPT_CHECK, 1, 3);
	request_text(&store->request, store_prefix(store));
	request_text(&store->request, (struct tg_str){key, strlen(key)});
	request_text(&store->request, (struct tg_str){cursor, strlen(cursor)});
	request_number(&store->request, CHECK_STEP);
	int32_t status = script_call(&store->link, &store->request, SCRIPT_CHECK, READS, "check", &reply, ret_error);
	if (status != TG_OK)
		return status;
	struct tg_str next = reply_is_array(reply, 3) ? reply_text(reply->element[0]) : (struct tg_str){"", 0};
	if (next.len == 0 || next.len > 20 || !reply_is_array(reply->element[2], 0)) {
		status = link_strange(&store->link, "check", ret_error);
	} else {
		memcpy(cursor, next.ptr, next.len);
		cursor[next.len] = '\0';
		for (size_t i = 0; i < reply->element[2]->elements; i++)
			finding_add(findings, reply_text(reply->element[2]->element[i]));
	}
	freeReplyObject(reply);
	return status;
}

static int32_t key_check(struct store *store, const char *key, struct findings *findings, struct tg_error *ret_error)
{
	char cursor[24] = "0";
	int32_t status;

	do
		status = part_check(store, key, cursor, findings, ret_error);
	while (status == TG_OK && strcmp(cursor, "0") != 0);
	return status;
}

/* The key of the last row that could be read, to go on behind it. */
struct last_key {
	char text[512];
	size_t len;
};

static void key_join(struct last_key *last, struct tg_str first, struct tg_str second)
{
	last->len = (size_t)snprintf(last->text, sizeof last->text, "%.*s%s%.*s", (int)first.len, first.ptr,
				     second.len ? "/" : "", (int)second.len, second.ptr);
}

static int32_t key_keep(void *ctx, int32_t kind, const void *row)
{
	const struct tg_fill_row *fill = row;
	const struct tg_event_row *event = row;
	struct tg_str none = {"", 0};
	char digits[24];
	size_t digits_len;

	switch (kind) {
	case TG_ROW_CYCLE: key_join(ctx, ((const struct tg_cycle_row *)row)->id, none); break;
	case TG_ROW_ORDER: key_join(ctx, ((const struct tg_order_row *)row)->client_id, none); break;
	case TG_ROW_FILL: key_join(ctx, fill->client_id, fill->fill_id); break;
	default:
		digits_len = number_format((int64_t)event->position, digits);
		key_join(ctx, event->journal, (struct tg_str){digits, digits_len});
	}
	return 0;
}

/* Can every row of that kind be read? The first that cannot is a finding. */
static int32_t rows_check(struct store *store, int32_t kind, struct findings *findings, struct tg_error *ret_error)
{
	struct tg_load what = {.size = sizeof what, .kind = kind, .limit = CHECK_STEP};
	struct last_key last = {.len = 0};
	struct tg_error error = tg_error_init();
	int32_t count;

	do {
		what.after = (struct tg_str){last.text, last.len};
		count = store_load(store, &what, key_keep, &last, &error);
	} while (count == CHECK_STEP && last.len < sizeof last.text);
	if (count == TG_ERR_CORRUPT)
		finding_add(findings, (struct tg_str){error.message, error.message_len});
	else if (count < 0)
		return tg_error_set(ret_error, count, "%s", error.message);
	return TG_OK;
}

int32_t store_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	struct findings findings = {.fn = finding, .ctx = ctx};
	int32_t status = TG_OK;

	for (int i = STORE_HASHES; i < STORE_KEYS && status == TG_OK; i++)
		status = key_check(self, store_keys[i].name, &findings, ret_error);
	for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_EVENT && status == TG_OK; kind++)
		status = rows_check(self, kind, &findings, ret_error);
	return status == TG_OK ? findings.count : status;
}

/* ---------------------------------------------------------------- cleanup */

struct removed {
	uint32_t cycles, loose;
};

static int32_t cleanup_step(struct store *store, int64_t before_ns, uint32_t cycles, struct removed *ret_removed,
			    struct tg_error *ret_error)
{
	static const char what[] = "remove old cycles";
	struct bytes *request = &store->request;
	const int64_t numbers[] = {before_ns, cycles, LOOSE_STEP};
	redisReply *reply = NULL;

	script_begin(&store->link, request, SCRIPT_CLEANUP, 1, COUNT(numbers));
	request_text(request, store_prefix(store));
	for (size_t i = 0; i < COUNT(numbers); i++)
		request_number(request, numbers[i]);
	int32_t status = script_call(&store->link, request, SCRIPT_CLEANUP, CHANGES, what, &reply, ret_error);
	if (status != TG_OK)
		return status;
	if (!reply_is_array(reply, 2) || !reply_is_number(reply->element[0]) || !reply_is_number(reply->element[1]))
		status = link_strange(&store->link, what, ret_error);
	else
		*ret_removed =
			(struct removed){(uint32_t)reply->element[0]->integer, (uint32_t)reply->element[1]->integer};
	freeReplyObject(reply);
	return status;
}

/* Orders of no cycle. There are as many as an import left, in no order of their age. */
static int32_t orders_cleanup(struct store *store, int64_t before_ns, struct tg_error *ret_error)
{
	static const char what[] = "remove old orders";
	struct bytes *request = &store->request;
	redisReply *last = NULL;
	int32_t status;
	bool more;

	do {
		redisReply *reply = NULL;
		script_begin(&store->link, request, SCRIPT_CLEANUP_ORDERS, 1, 3);
		request_text(request, store_prefix(store));
		request_number(request, before_ns);
		request_text(request, reply_text(last));
		request_number(request, LOOSE_STEP);
		status = script_call(&store->link, request, SCRIPT_CLEANUP_ORDERS, CHANGES, what, &reply, ret_error);
		more = status == TG_OK && reply_text(reply).len > 0;
		freeReplyObject(last);
		last = reply;
	} while (more);
	freeReplyObject(last);
	return status;
}

int32_t store_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	struct removed step = {0};
	uint32_t cycles = 0, asked;

	limit = limit < INT32_MAX ? limit : INT32_MAX;
	do {
		asked = limit - cycles < CLEANUP_STEP ? limit - cycles : CLEANUP_STEP;
		int32_t status = cleanup_step(self, before_ns, asked, &step, ret_error);
		if (status != TG_OK)
			return status;
		cycles += step.cycles;
	} while ((asked > 0 && step.cycles == asked && cycles < limit) || step.loose == LOOSE_STEP);
	int32_t status = cycles < limit ? orders_cleanup(self, before_ns, ret_error) : TG_OK;
	return status == TG_OK ? (int32_t)cycles : status;
}

/* ----------------------------------------------------------------- status */

static int32_t count_get(struct store *store, const char *command, const char *key, uint64_t *ret_count,
			 struct tg_error *ret_error)
{
	char name[NAME_MAX_LEN];
	redisReply *reply = NULL;

	request_begin(&store->request, 2);
	request_text(&store->request, (struct tg_str){command, strlen(command)});
	request_text(&store->request, store_name(store, key, name));
	int32_t status = link_call(&store->link, &store->request, READS, "count rows", &reply, ret_error);
	if (status == TG_OK && reply_is_number(reply))
		*ret_count = (uint64_t)reply->integer;
	freeReplyObject(reply);
	return status;
}

static int32_t slot_count(void *ctx, const struct tg_slot *slot)
{
	(void)slot;
	++*(uint64_t *)ctx;
	return 0;
}

static int32_t schema_get(struct store *store, struct tg_storage_status *to, struct tg_error *ret_error)
{
	char name[NAME_MAX_LEN];
	redisReply *reply = NULL;

	request_begin(&store->request, 3);
	request_text(&store->request, TG_STR("HGET"));
	request_text(&store->request, store_name(store, "meta", name));
	request_text(&store->request, TG_STR("schema"));
	int32_t status = link_call(&store->link, &store->request, READS, "read the schema", &reply, ret_error);
	struct tg_str text = reply_text(reply);
	for (uint64_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
		to->schema = to->schema * 10 + (uint32_t)(text.ptr[i] - '0');
	freeReplyObject(reply);
	return status;
}

static int32_t counts_get(struct store *store, struct tg_storage_status *to, struct tg_error *ret_error)
{
	const struct {
		const char *command, *key;
		uint64_t *to;
	} counts[] = {
		{"HLEN", "cycles", &to->cycles}, {"ZCARD", "cycles:open", &to->open_cycles},
		{"HLEN", "orders", &to->orders}, {"HLEN", "fills", &to->fills},
		{"HLEN", "events", &to->events},
	};
	int32_t status = schema_get(store, to, ret_error);

	for (size_t i = 0; i < COUNT(counts) && status == TG_OK; i++)
		status = count_get(store, counts[i].command, counts[i].key, counts[i].to, ret_error);
	if (status != TG_OK)
		return status;
	int32_t slots = store_slot_list(store, (struct tg_str){"", 0}, slot_count, &to->slots, ret_error);
	return slots < 0 ? slots : TG_OK;
}

static int32_t server_tell(struct store *store, struct tg_storage_status *to, struct tg_error *ret_error)
{
	static const char *const words[] = {
		[SYNC_ALWAYS] = "all: on the server's disk before it is acknowledged (appendfsync always)",
		[SYNC_EVERYSEC] = "the server's end; with the power the last two seconds may go (appendfsync everysec)",
	};
	redisReply *info = NULL;
	int32_t status = link_words(&store->link, "INFO", "look at the server", &info, ret_error);

	if (status != TG_OK)
		return status;
	struct tg_str version = info_get(info, "redis_version");
	snprintf(to->server, sizeof to->server, "Redis %.*s", (int)(version.len < 40 ? version.len : 40), version.ptr);
	snprintf(to->location, sizeof to->location, "%.180s, below %s", store->link.location, store->prefix);
	snprintf(to->durability, sizeof to->durability, "%s", words[store->sync]);
	to->bytes = (uint64_t)info_number(info, "used_memory");
	freeReplyObject(info);
	return TG_OK;
}

int32_t store_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	struct tg_storage_status told = {.current = SCHEMA_VERSION};
	int32_t status = server_tell(self, &told, ret_error);

	if (status == TG_OK)
		status = counts_get(self, &told, ret_error);
	if (status != TG_OK)
		return status;
	uint32_t size = ret_status->size;
	told.size = size;
	memcpy(ret_status, &told, size < sizeof told ? size : sizeof told);
	return TG_OK;
}
