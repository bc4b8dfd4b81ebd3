#include "simulation/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/store_slots.h"
#include "storage/memory/table.h"

#define MS INT64_C(1000000)
#define LOAD_LIMIT_MAX 10000
/* A kill while a request is under way: from here on it had left. */
#define DONE_E3 500

const char sim_store_manifest[] =
	"{\"id\": \"simulated\", \"kind\": \"storage\", \"version\": \"0.1.0\", \"abi\": \"0.1\", "
	"\"description\": \"The storage server of a simulated world\", \"licence\": \"MIT\", "
	"\"capabilities\": {\"durable\": true, \"shared\": true, \"online_backup\": false}, "
	"\"config\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {}}}";

struct journal {
	char *name;
	uint64_t position;
};

struct sim_store {
	struct ground *ground;
	struct table tables[TG_ROW_EVENT + 1];
	struct journal *journals;
	uint32_t journal_count;
	struct store_slots slots;
	struct way {
		int64_t slow_ns, gone_until_ns;
	} way[GATEWAYS_MAX]; /* from each gateway to the server */
};

/* An instance: one connection of one life. */
struct connection {
	struct sim_store *store;
	struct life *life;
	char who[8]; /* in the trace */
};

static int32_t no_memory(struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
}

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static bool is_text(const char *text, struct tg_str other)
{
	return text_compare(str(text), other) == 0;
}

/* ------------------------------------------------------- what goes wrong */

#define tell(connection, ...) trace_add((connection)->store->ground->trace, (connection)->who, __VA_ARGS__)

/* What becomes of a call. */
enum outcome {
	GOES_WELL,
	NOTHING_DONE, /* its status says why */
	ANSWER_LOST,  /* it is done, and nobody hears of it */
};

static bool strikes(const struct connection *connection, enum fault_kind kind, int64_t *ret_arg)
{
	return fault_strikes(connection->store->ground->faults, kind, connection->life->gateway, ret_arg);
}

static int64_t now_ns(const struct connection *connection)
{
	return ground_ns(connection->store->ground);
}

static struct way *way_of(const struct connection *connection)
{
	return &connection->store->way[connection->life->gateway];
}

static bool is_gone(const struct connection *connection)
{
	return now_ns(connection) < way_of(connection)->gone_until_ns &&
	       !faults_are_calm(connection->store->ground->faults);
}

static void way_worsen(const struct connection *connection)
{
	struct way *way = way_of(connection);
	int64_t ms = 0;

	if (strikes(connection, FAULT_STORE_SLOW, &ms)) {
		tell(connection, "store: the next batch is %lld ms late", (long long)ms);
		way->slow_ns = ms * MS > way->slow_ns ? ms * MS : way->slow_ns;
	}
	if (strikes(connection, FAULT_STORE_GONE, &ms)) {
		int64_t end = now_ns(connection) + ms * MS;
		tell(connection, "store: gone for %lld ms", (long long)ms);
		way->gone_until_ns = end > way->gone_until_ns ? end : way->gone_until_ns;
	}
}

/* An opportunity for every fault of a store, always in this order. */
static enum outcome faults_meet(const struct connection *connection, const char *what, bool changes,
				int32_t *ret_status)
{
	int64_t done = 0;

	way_worsen(connection);
	bool fails = strikes(connection, FAULT_STORE_FAILS, NULL);
	bool unknown = strikes(connection, FAULT_STORE_UNKNOWN, &done);
	if (is_gone(connection) || fails) {
		tell(connection, "store: %s fails", what);
		*ret_status = TG_ERR_IO;
		return NOTHING_DONE;
	}
	if (!unknown)
		return GOES_WELL;
	tell(connection, "store: the answer to %s is lost, it was %sdone", what, done ? "" : "not ");
	*ret_status = changes ? TG_ERR_UNKNOWN_OUTCOME : TG_ERR_IO;
	return done ? ANSWER_LOST : NOTHING_DONE;
}

/* A call of the gateway. One that changes something is seen from outside, so a kill can strike. */
static enum outcome call_begins(const struct connection *connection, const char *what, bool changes,
				int32_t *ret_status, struct tg_error *ret_error)
{
	int64_t done_e3 = 0;
	enum outcome outcome;

	if (changes ? life_ends(connection->life, what, &done_e3) : connection->life->dead) {
		*ret_status = TG_ERR_CLOSED;
		outcome = done_e3 >= DONE_E3 && !is_gone(connection) ? ANSWER_LOST : NOTHING_DONE;
	} else {
		outcome = faults_meet(connection, what, changes, ret_status);
	}
	if (outcome != GOES_WELL)
		tg_error_set(ret_error, *ret_status, "the simulated store: %s: %s", what, tg_status_text(*ret_status));
	return outcome;
}

/* -------------------------------------------------------- open and close */

static int32_t sim_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			void **ret_self, struct tg_error *ret_error)
{
	const struct store_extension *lent = host->extension(host, TG_STR(STORE_EXTENSION));
	int32_t status;

	(void)config;
	(void)state_dir;
	if (!lent)
		return tg_error_set(ret_error, TG_ERR_UNSUPPORTED,
				    "the simulated store is found in a simulated world only");
	struct connection *connection = malloc(sizeof *connection);
	if (!connection)
		return no_memory(ret_error);
	*connection = (struct connection){.store = lent->store(host), .life = lent->life(host)};
	snprintf(connection->who, sizeof connection->who, "g%u", connection->life->gateway);
	if (call_begins(connection, "open", false, &status, ret_error) != GOES_WELL) {
		free(connection);
		return status;
	}
	*ret_self = connection;
	return TG_OK;
}

static void sim_close(void *self)
{
	free(self);
}

static int32_t sim_migrate(void *self, struct tg_error *ret_error)
{
	int32_t status;

	return call_begins(self, "migrate", false, &status, ret_error) == GOES_WELL ? TG_OK : status;
}

/* ------------------------------------------------------------------ rows */

static struct journal *journal_find(const struct sim_store *store, struct tg_str name)
{
	for (uint32_t i = 0; i < store->journal_count; i++)
		if (is_text(store->journals[i].name, name))
			return &store->journals[i];
	return NULL;
}

/* One that is new is at position 0. NULL: no memory. */
static struct journal *journal_make(struct sim_store *store, struct tg_str name)
{
	struct journal *journal = journal_find(store, name);

	if (journal)
		return journal;
	journal = reallocarray(store->journals, store->journal_count + 1, sizeof *journal);
	if (!journal)
		return NULL;
	store->journals = journal;
	journal += store->journal_count;
	*journal = (struct journal){strndup(name.ptr, name.len), 0};
	if (!journal->name)
		return NULL;
	store->journal_count++;
	return journal;
}

static bool row_is_there(const struct sim_store *store, const struct tg_batch *batch, int32_t kind, struct tg_str id)
{
	struct key key = {.first = id};
	bool there = table_get(&store->tables[kind], kind, key) != NULL;

	for (uint32_t i = 0; !there && i < batch->count; i++)
		there = batch->records[i].kind == kind && key_compare(key_of(kind, batch->records[i].row), key) == 0;
	return there;
}

static int32_t record_check(const struct sim_store *store, const struct tg_batch *batch, const struct tg_record *record,
			    struct tg_error *ret_error)
{
	struct tg_str owner = {"", 0};
	int32_t owner_kind = TG_ROW_CYCLE;
	int32_t status = row_check(record->kind, record->row, ret_error);

	if (status != TG_OK)
		return status;
	if (record->kind == TG_ROW_ORDER) {
		owner = ((const struct tg_order_row *)record->row)->cycle_id;
	} else if (record->kind == TG_ROW_FILL) {
		owner = ((const struct tg_fill_row *)record->row)->client_id;
		owner_kind = TG_ROW_ORDER;
	}
	bool needed = record->kind == TG_ROW_FILL || owner.len > 0;
	if (needed && !row_is_there(store, batch, owner_kind, owner))
		return tg_error_set(ret_error, TG_ERR_INVALID, "a row of what is not there: %.*s", (int)owner.len,
				    owner.ptr);
	return TG_OK;
}

static int32_t batch_check(const struct sim_store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	int32_t status = TG_OK;

	if (batch->journal.len == 0 || batch->position > INT64_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a batch needs a journal and a position below 2^63");
	for (uint32_t i = 0; i < batch->count && status == TG_OK; i++)
		status = record_check(store, batch, &batch->records[i], ret_error);
	return status;
}

/* Room for the batch and copies of its rows: all that can fail. */
static int32_t batch_prepare(struct sim_store *store, const struct tg_batch *batch, void **copies)
{
	for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_EVENT; kind++)
		if (table_reserve(&store->tables[kind], batch->count) != TG_OK)
			return TG_ERR_NO_MEMORY;
	for (uint32_t i = 0; i < batch->count; i++) {
		copies[i] = row_copy(batch->records[i].kind, batch->records[i].row);
		if (!copies[i])
			return TG_ERR_NO_MEMORY;
	}
	return TG_OK;
}

static int32_t batch_apply(struct sim_store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct journal *journal = journal_make(store, batch->journal);
	if (!journal)
		return no_memory(ret_error);
	if (batch->position <= journal->position)
		return TG_OK;
	int32_t status = batch_check(store, batch, ret_error);
	if (status != TG_OK)
		return status;
	void **copies = calloc(batch->count + 1, sizeof *copies);
	if (!copies || batch_prepare(store, batch, copies) != TG_OK) {
		for (uint32_t i = 0; copies && i < batch->count; i++)
			free(copies[i]);
		free(copies);
		return no_memory(ret_error);
	}
	for (uint32_t i = 0; i < batch->count; i++)
		table_put(&store->tables[batch->records[i].kind], batch->records[i].kind, copies[i]);
	free(copies);
	journal->position = batch->position;
	return TG_OK;
}

static int32_t sim_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct connection *connection = self;
	int32_t status = TG_OK;
	enum outcome outcome = call_begins(connection, "apply", true, &status, ret_error);

	if (outcome == ANSWER_LOST)
		batch_apply(connection->store, batch, NULL);
	return outcome == GOES_WELL ? batch_apply(connection->store, batch, ret_error) : status;
}

/* --------------------------------------------------------------- reading */

static bool position_parse(struct tg_str text, uint64_t *ret_position)
{
	int64_t position = 0;

	for (uint64_t i = 0; i < text.len; i++) {
		int digit = text.ptr[i] - '0';
		if (digit < 0 || digit > 9 || __builtin_mul_overflow(position, 10, &position) ||
		    __builtin_add_overflow(position, digit, &position))
			return false;
	}
	*ret_position = (uint64_t)position;
	return true;
}

/* The key that a page begins behind. */
static bool after_parse(int32_t kind, struct tg_str after, struct key *ret_key)
{
	const char *slash = after.len > 0 ? memchr(after.ptr, '/', after.len) : NULL;

	*ret_key = (struct key){.first = after};
	if (kind == TG_ROW_EVENT) {
		ret_key->first.len = 0;
		return position_parse(after, &ret_key->number);
	}
	if (kind != TG_ROW_FILL || after.len == 0)
		return true;
	if (!slash)
		return false;
	ret_key->first.len = (uint64_t)(slash - after.ptr);
	ret_key->second = (struct tg_str){slash + 1, after.len - ret_key->first.len - 1};
	return true;
}

static bool is_of_cycle(const struct sim_store *store, int32_t kind, const void *row, struct tg_str cycle_id)
{
	const struct tg_order_row *order = row;

	if (kind == TG_ROW_EVENT || cycle_id.len == 0)
		return true;
	if (kind == TG_ROW_CYCLE)
		return text_compare(key_of(kind, row).first, cycle_id) == 0;
	if (kind == TG_ROW_FILL)
		order = table_get(&store->tables[TG_ROW_ORDER], TG_ROW_ORDER,
				  (struct key){.first = key_of(kind, row).first});
	return order && text_compare(order->cycle_id, cycle_id) == 0;
}

static int32_t rows_tell(const struct sim_store *store, const struct tg_load *what, struct key after, tg_row_fn fn,
			 void *ctx)
{
	const struct table *table = &store->tables[what->kind];
	size_t at = what->after.len > 0 ? table_find(table, what->kind, after, true) : 0;
	uint32_t count = 0;

	for (; at < table->count && count < what->limit; at++) {
		if (!is_of_cycle(store, what->kind, table->rows[at], what->cycle_id))
			continue;
		count++;
		if (fn(ctx, what->kind, table->rows[at]) != 0)
			break;
	}
	return (int32_t)count;
}

static int32_t sim_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	struct key after;
	int32_t status;

	if (what->kind < TG_ROW_CYCLE || what->kind > TG_ROW_EVENT || what->limit < 1 || what->limit > LOAD_LIMIT_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "load of kind %d, limit %u; kinds 1 to 4, at most %d",
				    what->kind, what->limit, LOAD_LIMIT_MAX);
	if (!after_parse(what->kind, what->after, &after))
		return tg_error_set(ret_error, TG_ERR_INVALID, "after: '%.*s' is no key of such a row",
				    (int)what->after.len, what->after.ptr);
	if (call_begins(connection, "load", false, &status, ret_error) != GOES_WELL)
		return status;
	return rows_tell(connection->store, what, after, fn, ctx);
}

static int32_t sim_durable_position(void *self, struct tg_str name, uint64_t *ret_position, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status;

	if (call_begins(connection, "durable_position", false, &status, ret_error) != GOES_WELL)
		return status;
	const struct journal *journal = journal_find(connection->store, name);
	*ret_position = journal ? journal->position : 0;
	return TG_OK;
}

/* ----------------------------------------------------------------- slots */

static int32_t slot_check(struct tg_str group, struct tg_str owner, int64_t ttl_ms, struct tg_error *ret_error)
{
	if (group.len > 0 && owner.len > 0 && ttl_ms > 0)
		return TG_OK;
	return tg_error_set(ret_error, TG_ERR_INVALID, "a slot needs a group, an owner and a time to live above 0");
}

static int32_t sim_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status = slot_check(group, owner, ttl_ms, ret_error);

	if (status != TG_OK)
		return status;
	enum outcome outcome = call_begins(connection, "slot_reserve", true, &status, ret_error);
	if (outcome == NOTHING_DONE)
		return status;
	int32_t count = store_slots_reserve(&connection->store->slots, now_ns(connection), group, owner, limit, want,
					    ttl_ms, outcome == GOES_WELL ? ret_ids : NULL);
	return outcome == GOES_WELL ? count : status;
}

static int32_t sim_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			      struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status = slot_check(group, owner, ttl_ms, ret_error);

	if (status != TG_OK)
		return status;
	enum outcome outcome = call_begins(connection, "slot_renew", true, &status, ret_error);
	if (outcome == NOTHING_DONE)
		return status;
	int32_t count = store_slots_renew(&connection->store->slots, now_ns(connection), group, owner, ttl_ms);
	return outcome == GOES_WELL ? count : status;
}

static int32_t sim_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status = TG_OK;
	enum outcome outcome = call_begins(connection, "slot_release", true, &status, ret_error);

	if (outcome == ANSWER_LOST)
		store_slots_release(&connection->store->slots, group, owner, id, NULL);
	return outcome == GOES_WELL ? store_slots_release(&connection->store->slots, group, owner, id, ret_error)
				    : status;
}

static int32_t sim_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	int32_t status;

	if (call_begins(connection, "slot_list", false, &status, ret_error) != GOES_WELL)
		return status;
	return store_slots_list(&connection->store->slots, now_ns(connection), &group, fn, ctx);
}

/* ----------------------------------------------------------------- entry */

/* apply lets no orphan in, and nothing damages the server's own disk. */
static int32_t sim_check(void *self, void (*fn)(void *ctx, struct tg_str finding), void *ctx,
			 struct tg_error *ret_error)
{
	int32_t status;

	(void)fn;
	(void)ctx;
	return call_begins(self, "check", false, &status, ret_error) == GOES_WELL ? 0 : status;
}

static const void *sim_extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.open = sim_open,
	.close = sim_close,
	.migrate = sim_migrate,
	.apply = sim_apply,
	.load = sim_load,
	.durable_position = sim_durable_position,
	.slot_reserve = sim_slot_reserve,
	.slot_renew = sim_slot_renew,
	.slot_release = sim_slot_release,
	.slot_list = sim_slot_list,
	.check = sim_check,
	.extension = sim_extension,
};

const struct tg_entry sim_store_entry = {
	.magic = TG_MAGIC,
	.size = sizeof(struct tg_entry),
	.abi_major = TG_ABI_MAJOR,
	.abi_minor_built = TG_ABI_MINOR,
	.abi_minor_needed = TG_ABI_MINOR,
	.kind = TG_KIND_STORAGE,
	.id = {"simulated", sizeof "simulated" - 1},
	.version = {"0.1.0", sizeof "0.1.0" - 1},
	.api = &api,
};

/* ------------------------------------------------------------ the server */

int sim_store_create(struct ground *ground, struct sim_store **ret_store)
{
	struct sim_store *store = calloc(1, sizeof *store);

	if (!store)
		return TG_ERR_NO_MEMORY;
	store->ground = ground;
	*ret_store = store;
	return TG_OK;
}

void sim_store_destroy(struct sim_store *store)
{
	if (!store)
		return;
	for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_EVENT; kind++)
		table_clear(&store->tables[kind]);
	for (uint32_t i = 0; i < store->journal_count; i++)
		free(store->journals[i].name);
	store_slots_finish(&store->slots);
	free(store->journals);
	free(store);
}

void sim_store_each(struct sim_store *store, int32_t kind, tg_row_fn fn, void *ctx)
{
	const struct table *table = &store->tables[kind];

	for (size_t i = 0; i < table->count; i++)
		if (fn(ctx, kind, table->rows[i]) != 0)
			return;
}

void sim_store_slots(struct sim_store *store, tg_slot_fn fn, void *ctx)
{
	store_slots_list(&store->slots, ground_ns(store->ground), NULL, fn, ctx);
}

int64_t sim_store_take_delay_ns(struct sim_store *store, uint32_t gateway)
{
	int64_t delay_ns = store->way[gateway].slow_ns;

	store->way[gateway].slow_ns = 0;
	return delay_ns;
}
