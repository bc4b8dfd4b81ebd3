/* Memory: a store that lives as long as someone in this process has it open. For tests, simulation and trying things
 * out: nothing outlives the process.
 *
 * Instances of one process with the same state directory and `name` share one store; a lock lets them take turns. The
 * callback of load and slot_list runs under that lock and must not call the store. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "storage/memory/slots.h"
#include "storage/memory/tables.h"

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

struct store {
	struct store *next;
	struct tg_str name; /* of the state directory and the setting */
	uint32_t users;     /* under stores_lock */
	pthread_mutex_t lock;
	struct tables tables;
	struct slots slots;
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

/* The state directory and the setting as one text of its own; ptr is NULL if there is no memory. */
static struct tg_str name_join(struct tg_str state_dir, struct tg_str given)
{
	char *text = malloc(state_dir.len + 1 + given.len);

	if (!text)
		return (struct tg_str){0};
	if (state_dir.len > 0)
		memcpy(text, state_dir.ptr, state_dir.len);
	text[state_dir.len] = '\n';
	if (given.len > 0)
		memcpy(text + state_dir.len + 1, given.ptr, given.len);
	return (struct tg_str){text, state_dir.len + 1 + given.len};
}

/* -------------------------------------------------------- open and close */

static void store_free(struct store *store)
{
	tables_finish(&store->tables);
	slots_finish(&store->slots);
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
	struct tg_str name = name_join(state_dir, given);
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

static int32_t memory_ping(void *self, struct tg_error *ret_error)
{
	(void)self;
	(void)ret_error;
	return TG_OK;
}

static int32_t memory_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	(void)self;
	(void)note;
	(void)ctx;
	(void)ret_error;
	return 0; /* no store is older than the program */
}

/* ------------------------------------------------------------------ rows */

/* `expression` under the store's lock. */
#define LOCKED(expression) \
	struct store *store = self; \
	pthread_mutex_lock(&store->lock); \
	int32_t status = (expression); \
	pthread_mutex_unlock(&store->lock); \
	return status

static int32_t memory_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	LOCKED(tables_apply(&store->tables, batch, ret_error));
}

static int32_t memory_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	LOCKED(tables_load(&store->tables, what, fn, ctx, ret_error));
}

static int32_t memory_stored_position(void *self, struct tg_str journal, uint64_t *ret_position,
				      struct tg_error *ret_error)
{
	(void)ret_error;
	LOCKED((*ret_position = tables_position(&store->tables, journal), TG_OK));
}

static int32_t memory_durable_position(void *self, struct tg_str journal, uint64_t *ret_position,
				       struct tg_error *ret_error)
{
	(void)self;
	(void)journal;
	(void)ret_error;
	*ret_position = 0; /* nothing here outlives the power */
	return TG_OK;
}

static int32_t memory_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error)
{
	LOCKED(tables_cleanup(&store->tables, before_ns, limit, ret_error));
}

/* ----------------------------------------------------------------- slots */

static int32_t memory_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
				   int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error)
{
	int32_t valid = slot_check(group, owner, ttl_ms, ret_error);

	if (valid != TG_OK)
		return valid;
	LOCKED(slots_reserve(&store->slots, boot_ns(), group, owner, limit, want, ttl_ms, ret_ids));
}

static int32_t memory_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
				 struct tg_error *ret_error)
{
	int32_t valid = slot_check(group, owner, ttl_ms, ret_error);

	if (valid != TG_OK)
		return valid;
	LOCKED(slots_renew(&store->slots, boot_ns(), group, owner, ttl_ms));
}

static int32_t memory_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
				   struct tg_error *ret_error)
{
	LOCKED(slots_release(&store->slots, group, owner, id, ret_error));
}

static int32_t memory_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	(void)ret_error;
	LOCKED(slots_list(&store->slots, boot_ns(), group, fn, ctx));
}

/* ----------------------------------------------------------------- entry */

static int32_t memory_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error)
{
	(void)self;
	(void)finding;
	(void)ctx;
	(void)ret_error;
	return 0; /* apply lets no orphan in, and there is no file to be damaged */
}

static int32_t memory_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error)
{
	struct store *store = self;
	struct tg_storage_status all = {
		.schema = 1,
		.current = 1,
		.server = "memory",
		.location = "this process",
		.durability = "nothing: it is gone when the process ends",
	};

	(void)ret_error;
	pthread_mutex_lock(&store->lock);
	tables_status(&store->tables, &all);
	all.slots = store->slots.count;
	pthread_mutex_unlock(&store->lock);
	status_pass(&all, ret_status);
	return TG_OK;
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
	.ping = memory_ping,
	.migrate = memory_migrate,
	.apply = memory_apply,
	.load = memory_load,
	.stored_position = memory_stored_position,
	.durable_position = memory_durable_position,
	.slot_reserve = memory_slot_reserve,
	.slot_renew = memory_slot_renew,
	.slot_release = memory_slot_release,
	.slot_list = memory_slot_list,
	.check = memory_check,
	.cleanup = memory_cleanup,
	.status = memory_status,
	.extension = memory_extension,
};

TG_PLUGIN(TG_KIND_STORAGE, "memory", "0.1.0", &api);
