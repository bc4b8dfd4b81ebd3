/* Memory: a store that lives as long as someone in this process has it open. For tests, simulation and trying things
 * out: nothing outlives the process.
 *
 * Instances of one process with the same state directory and `name` share one store; a lock lets them take turns. The
 * callback of load and slot_list runs under that lock and must not call the store. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "storage/memory/table.h"

#define LOAD_LIMIT_MAX 10000

TG_MANIFEST({
	"id" : "memory",
	"kind" : "storage",
	"version" : "0.1.0",
	"abi" : "0.1",
	"description" : "Nothing is kept beyond the process; for tests and simulation",
	"licence" : "MIT",
	"capabilities" : {"durable" : false, "shared" : false, "online_backup" : false},
	"config" : {
		"type" : "object",
		"additionalProperties" : false,
		"properties" : {
			"name" : {
				"type" : "string",
				"default" : "",
				"description" : "Instances of one name and state directory share one store"
			}
		}
	}
});

struct slot {
	uint64_t id;
	struct tg_str group; /* this and owner: one allocation, at owner.ptr - group.len */
	struct tg_str owner;
	int64_t expires_ns;
};

struct position {
	struct tg_str journal;
	uint64_t position;
};

struct store {
	struct store *next;
	struct tg_str name; /* of the state directory and the setting */
	uint32_t users;     /* under stores_lock */
	pthread_mutex_t lock;
	struct table tables[TG_ROW_EVENT + 1];
	struct position *positions;
	size_t position_count;
	struct slot *slots;
	size_t slot_count;
	uint64_t slot_last;
};

static pthread_mutex_t stores_lock = PTHREAD_MUTEX_INITIALIZER;
static struct store *stores;

static int64_t boot_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * TG_E9 + now.tv_nsec;
}

static int32_t out_of_memory(struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
}

/* a, separator, b as one text of its own; ptr is NULL if there is no memory. */
static struct tg_str text_join(struct tg_str a, const char *separator, struct tg_str b)
{
	size_t middle = strlen(separator);
	char *text = malloc(a.len + middle + b.len + 1);

	if (!text)
		return (struct tg_str){0};
	if (a.len > 0)
		memcpy(text, a.ptr, a.len);
	memcpy(text + a.len, separator, middle);
	if (b.len > 0)
		memcpy(text + a.len + middle, b.ptr, b.len);
	return (struct tg_str){text, a.len + middle + b.len};
}

/* -------------------------------------------------------- open and close */

static void store_free(struct store *store)
{
	for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_EVENT; kind++)
		table_clear(&store->tables[kind]);
	for (size_t i = 0; i < store->position_count; i++)
		free((char *)(uintptr_t)store->positions[i].journal.ptr);
	for (size_t i = 0; i < store->slot_count; i++)
		free((char *)(uintptr_t)store->slots[i].group.ptr);
	free(store->positions);
	free(store->slots);
	free((char *)(uintptr_t)store->name.ptr);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

/* Takes the name. Under stores_lock. */
static struct store *store_find(struct tg_str name)
{
	struct store *store = stores;

	while (store && text_compare(store->name, name) != 0)
		store = store->next;
	if (store) {
		free((char *)(uintptr_t)name.ptr);
		return store;
	}
	store = calloc(1, sizeof *store);
	if (!store) {
		free((char *)(uintptr_t)name.ptr);
		return NULL;
	}
	pthread_mutex_init(&store->lock, NULL);
	store->name = name;
	store->next = stores;
	stores = store;
	return store;
}

static int32_t memory_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			   void **ret_self, struct tg_error *ret_error)
{
	struct tg_str given = {"", 0};

	(void)host;
	if (config && config->get_text(config, TG_STR("name"), &given) == TG_ERR_INVALID)
		return tg_error_set(ret_error, TG_ERR_INVALID, "name: a text is needed");
	struct tg_str name = text_join(state_dir, "\n", given);
	if (!name.ptr)
		return out_of_memory(ret_error);
	pthread_mutex_lock(&stores_lock);
	struct store *store = store_find(name);
	if (store)
		store->users++;
	pthread_mutex_unlock(&stores_lock);
	if (!store)
		return out_of_memory(ret_error);
	*ret_self = store;
	return TG_OK;
}

static void memory_close(void *self)
{
	struct store *store = self, **link = &stores;

	if (!store)
		return;
	pthread_mutex_lock(&stores_lock);
	if (--store->users == 0) {
		while (*link != store)
			link = &(*link)->next;
		*link = store->next;
		store_free(store);
	}
	pthread_mutex_unlock(&stores_lock);
}

static int32_t memory_migrate(void *self, struct tg_error *ret_error)
{
	(void)self;
	(void)ret_error;
	return TG_OK; /* no store is older than the program */
}

/* ------------------------------------------------------------------ rows */

static struct position *position_find(struct store *store, struct tg_str journal)
{
	for (size_t i = 0; i < store->position_count; i++)
		if (text_compare(store->positions[i].journal, journal) == 0)
			return &store->positions[i];
	return NULL;
}

/* The journal's position, added as 0 if it is new; NULL: out of memory. */
static struct position *position_make(struct store *store, struct tg_str journal)
{
	struct position *position = position_find(store, journal);
	if (position)
		return position;
	struct tg_str name = text_join(journal, "", (struct tg_str){"", 0});
	struct position *positions = reallocarray(store->positions, store->position_count + 1, sizeof *positions);
	if (positions)
		store->positions = positions;
	if (!positions || !name.ptr) {
		free((char *)(uintptr_t)name.ptr);
		return NULL;
	}
	position = &positions[store->position_count++];
	*position = (struct position){name, 0};
	return position;
}

/* Is a row of that kind and key in the store or in the batch? */
static bool row_exists(const struct store *store, const struct tg_batch *batch, int32_t kind, struct tg_str key)
{
	if (table_get(&store->tables[kind], kind, (struct key){.first = key}))
		return true;
	for (uint32_t i = 0; i < batch->count; i++)
		if (batch->records[i].kind == kind && text_compare(key_of(kind, batch->records[i].row).first, key) == 0)
			return true;
	return false;
}

static int32_t batch_check(const struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct tg_record *record = &batch->records[i];
		const struct tg_order_row *order = record->row;
		const struct tg_fill_row *fill = record->row;
		int32_t status = row_check(record->kind, record->row, ret_error);
		if (status != TG_OK)
			return status;
		if (record->kind == TG_ROW_ORDER && order->cycle_id.len > 0 &&
		    !row_exists(store, batch, TG_ROW_CYCLE, order->cycle_id))
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "order %.*s is of a cycle that is not there: %.*s",
					    (int)order->client_id.len, order->client_id.ptr, (int)order->cycle_id.len,
					    order->cycle_id.ptr);
		if (record->kind == TG_ROW_FILL && !row_exists(store, batch, TG_ROW_ORDER, fill->client_id))
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "fill %.*s is of an order that is not there: %.*s", (int)fill->fill_id.len,
					    fill->fill_id.ptr, (int)fill->client_id.len, fill->client_id.ptr);
	}
	return TG_OK;
}

/* Copies of all rows; NULL: out of memory. */
static void **batch_copy(const struct tg_batch *batch)
{
	void **copies = calloc(batch->count + 1, sizeof *copies);

	for (uint32_t i = 0; copies && i < batch->count; i++) {
		copies[i] = row_copy(batch->records[i].kind, batch->records[i].row);
		if (copies[i])
			continue;
		while (i-- > 0)
			free(copies[i]);
		free(copies);
		return NULL;
	}
	return copies;
}

/* All that can fail comes before the first change. */
static int32_t apply_locked(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct position *position = position_make(store, batch->journal);
	if (!position)
		return out_of_memory(ret_error);
	if (batch->position <= position->position)
		return TG_OK;
	int32_t status = batch_check(store, batch, ret_error);
	for (int32_t kind = TG_ROW_CYCLE; status == TG_OK && kind <= TG_ROW_EVENT; kind++)
		if (table_reserve(&store->tables[kind], batch->count) != TG_OK)
			status = out_of_memory(ret_error);
	if (status != TG_OK)
		return status;
	void **copies = batch_copy(batch);
	if (!copies)
		return out_of_memory(ret_error);
	for (uint32_t i = 0; i < batch->count; i++)
		table_put(&store->tables[batch->records[i].kind], batch->records[i].kind, copies[i]);
	free(copies);
	position->position = batch->position;
	return TG_OK;
}

static int32_t memory_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct store *store = self;

	if (batch->journal.len == 0 || batch->position > INT64_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a batch needs a journal and a position below 2^63");
	pthread_mutex_lock(&store->lock);
	int32_t status = apply_locked(store, batch, ret_error);
	pthread_mutex_unlock(&store->lock);
	return status;
}

static bool number_parse(struct tg_str text, uint64_t *ret_number)
{
	int64_t number = 0;

	for (uint64_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text.ptr[i] - '0', &number))
			return false;
	*ret_number = (uint64_t)number;
	return true;
}

static int32_t after_parse(const struct tg_load *what, struct key *ret_key, struct tg_error *ret_error)
{
	struct key key = {.first = what->after};

	if (what->kind == TG_ROW_EVENT) {
		key.first.len = 0;
		if (!number_parse(what->after, &key.number))
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "after: events are behind a decimal position, not '%.*s'",
					    (int)what->after.len, what->after.ptr);
	} else if (what->kind == TG_ROW_FILL && what->after.len > 0) {
		const char *slash = memchr(what->after.ptr, '/', what->after.len);
		if (!slash)
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "after: fills are behind CLIENT_ID/FILL_ID, not '%.*s'",
					    (int)what->after.len, what->after.ptr);
		key.first.len = (uint64_t)(slash - what->after.ptr);
		key.second = (struct tg_str){slash + 1, what->after.len - key.first.len - 1};
	}
	*ret_key = key;
	return TG_OK;
}

static bool row_is_of_cycle(const struct store *store, int32_t kind, const void *row, struct tg_str cycle_id)
{
	const struct tg_order_row *order = row;

	if (kind == TG_ROW_EVENT || cycle_id.len == 0)
		return true;
	if (kind == TG_ROW_CYCLE)
		return text_compare(((const struct tg_cycle_row *)row)->id, cycle_id) == 0;
	if (kind == TG_ROW_FILL)
		order = table_get(&store->tables[TG_ROW_ORDER], TG_ROW_ORDER,
				  (struct key){.first = ((const struct tg_fill_row *)row)->client_id});
	return order && text_compare(order->cycle_id, cycle_id) == 0;
}

static int32_t memory_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	struct store *store = self;
	struct key after = {0};
	int32_t count = 0;

	if (what->kind < TG_ROW_CYCLE || what->kind > TG_ROW_EVENT)
		return tg_error_set(ret_error, TG_ERR_INVALID, "rows of kind %d, which this store does not know",
				    what->kind);
	if (what->limit < 1 || what->limit > LOAD_LIMIT_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "limit %u; 1 to %d are allowed", what->limit,
				    LOAD_LIMIT_MAX);
	int32_t status = after_parse(what, &after, ret_error);
	if (status != TG_OK)
		return status;
	pthread_mutex_lock(&store->lock);
	const struct table *table = &store->tables[what->kind];
	size_t at = what->after.len > 0 ? table_find(table, what->kind, after, true) : 0;
	for (; at < table->count && (uint32_t)count < what->limit; at++) {
		if (!row_is_of_cycle(store, what->kind, table->rows[at], what->cycle_id))
			continue;
		count++;
		if (fn(ctx, what->kind, table->rows[at]) != 0)
			break;
	}
	pthread_mutex_unlock(&store->lock);
	return count;
}

static int32_t memory_durable_position(void *self, struct tg_str journal, uint64_t *ret_position,
				       struct tg_error *ret_error)
{
	struct store *store = self;

	(void)ret_error;
	pthread_mutex_lock(&store->lock);
	const struct position *position = position_find(store, journal);
	*ret_position = position ? position->position : 0;
	pthread_mutex_unlock(&store->lock);
	return TG_OK;
}

/* ----------------------------------------------------------------- slots */

static int64_t deadline(int64_t now, int64_t ttl_ms)
{
	int64_t ns;
	if (__builtin_mul_overflow(ttl_ms, INT64_C(1000000), &ns) || __builtin_add_overflow(now, ns, &ns))
		return INT64_MAX;
	return ns;
}

static int32_t slot_fields_check(struct tg_str group, struct tg_str owner, int64_t ttl_ms, struct tg_error *ret_error)
{
	if (group.len == 0 || owner.len == 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a slot needs a group and an owner");
	if (ttl_ms <= 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a slot's time to live must be positive");
	return TG_OK;
}

static bool slot_is_of(const struct slot *slot, struct tg_str group, struct tg_str owner)
{
	return text_compare(slot->group, group) == 0 && text_compare(slot->owner, owner) == 0;
}

static int32_t slot_add(struct store *store, struct tg_str group, struct tg_str owner, int64_t expires_ns)
{
	struct slot *slots = reallocarray(store->slots, store->slot_count + 1, sizeof *slots);
	if (!slots)
		return TG_ERR_NO_MEMORY;
	store->slots = slots;
	struct tg_str both = text_join(group, "", owner);
	if (!both.ptr)
		return TG_ERR_NO_MEMORY;
	slots[store->slot_count++] = (struct slot){
		.id = ++store->slot_last,
		.group = {both.ptr, group.len},
		.owner = {both.ptr + group.len, owner.len},
		.expires_ns = expires_ns,
	};
	return TG_OK;
}

static int32_t reserve_locked(struct store *store, struct tg_str group, struct tg_str owner, uint32_t limit,
			      uint32_t want, int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	int64_t now = boot_ns();
	uint32_t count = 0, held = 0, first_new;

	for (size_t i = 0; i < store->slot_count; i++) {
		struct slot *slot = &store->slots[i];
		held += text_compare(slot->group, group) == 0;
		if (count < want && slot_is_of(slot, group, owner) && slot->expires_ns <= now) {
			slot->expires_ns = deadline(now, ttl_ms);
			ret_ids[count++] = slot->id;
		}
	}
	for (first_new = count; count < want && held < limit; held++) {
		if (slot_add(store, group, owner, deadline(now, ttl_ms)) != TG_OK)
			return count > first_new ? (int32_t)count : out_of_memory(ret_error);
		ret_ids[count++] = store->slot_last;
	}
	return (int32_t)count;
}

static int32_t memory_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				   int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	struct store *store = self;
	int32_t status = slot_fields_check(group, owner, ttl_ms, ret_error);

	if (status != TG_OK)
		return status;
	pthread_mutex_lock(&store->lock);
	status = reserve_locked(store, group, owner, limit, want, ttl_ms, ret_ids, ret_error);
	pthread_mutex_unlock(&store->lock);
	return status;
}

static int32_t memory_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
				 struct tg_error *ret_error)
{
	struct store *store = self;
	int32_t count = slot_fields_check(group, owner, ttl_ms, ret_error);

	if (count != TG_OK)
		return count;
	pthread_mutex_lock(&store->lock);
	int64_t now = boot_ns();
	for (size_t i = 0; i < store->slot_count; i++) {
		if (!slot_is_of(&store->slots[i], group, owner) || store->slots[i].expires_ns <= now)
			continue;
		store->slots[i].expires_ns = deadline(now, ttl_ms);
		count++;
	}
	pthread_mutex_unlock(&store->lock);
	return count;
}

static int32_t memory_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				   struct tg_error *ret_error)
{
	struct store *store = self;
	int32_t status = TG_ERR_NOT_FOUND;

	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < store->slot_count && status != TG_OK; i++) {
		if (store->slots[i].id != id || !slot_is_of(&store->slots[i], group, owner))
			continue;
		free((char *)(uintptr_t)store->slots[i].group.ptr);
		memmove(&store->slots[i], &store->slots[i + 1], (store->slot_count - i - 1) * sizeof *store->slots);
		store->slot_count--;
		status = TG_OK;
	}
	pthread_mutex_unlock(&store->lock);
	if (status != TG_OK)
		tg_error_set(ret_error, status, "slot %llu of group %.*s is not held by %.*s", (unsigned long long)id,
			     (int)group.len, group.ptr, (int)owner.len, owner.ptr);
	return status;
}

static int32_t memory_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	struct store *store = self;
	int32_t count = 0;
	bool more = true;

	(void)ret_error;
	pthread_mutex_lock(&store->lock);
	int64_t now = boot_ns();
	for (size_t i = 0; more && i < store->slot_count; i++) {
		const struct slot *mine = &store->slots[i];
		struct tg_slot slot = {
			.size = sizeof slot,
			.state = mine->expires_ns > now ? TG_SLOT_HELD : TG_SLOT_EXPIRED,
			.id = mine->id,
			.group = mine->group,
			.owner = mine->owner,
			.expires_in_ms = (mine->expires_ns - now) / 1000000,
		};
		if (text_compare(mine->group, group) != 0)
			continue;
		count++;
		more = fn(ctx, &slot) == 0;
	}
	pthread_mutex_unlock(&store->lock);
	return count;
}

/* ----------------------------------------------------------------- entry */

static int32_t memory_check(void *self, void (*fn)(void *ctx, struct tg_str finding), void *ctx,
			    struct tg_error *ret_error)
{
	(void)self;
	(void)fn;
	(void)ctx;
	(void)ret_error;
	return 0; /* apply lets no orphan in, and there is no file to be damaged */
}

static const void *memory_extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.open = memory_open,
	.close = memory_close,
	.migrate = memory_migrate,
	.apply = memory_apply,
	.load = memory_load,
	.durable_position = memory_durable_position,
	.slot_reserve = memory_slot_reserve,
	.slot_renew = memory_slot_renew,
	.slot_release = memory_slot_release,
	.slot_list = memory_slot_list,
	.check = memory_check,
	.extension = memory_extension,
};

TG_PLUGIN(TG_KIND_STORAGE, "memory", "0.1.0", &api);
