#include "core/store.h"

#include <string.h>

#include "core/base/log.h"

static const struct tg_storage_api *api_of(const struct store *store)
{
	return store->instance.api;
}

/* The settings are copied for each, since reading them may change how json-c keeps them, and connections are opened at
 * the same time. */
static int connection_open(void *ctx, void **ret_backend, struct tg_error *ret_error)
{
	const struct store *store = ctx;
	struct json_object *settings = NULL;
	struct tg_str folder = {store->state_dir, strlen(store->state_dir)};
	if (json_object_deep_copy(store->settings, &settings, NULL))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	struct tg_config view = plugin_config_view(settings);
	int status = api_of(store)->open(&store->instance.host.host, &view, folder, ret_backend, ret_error);
	json_object_put(settings);
	return status;
}

static void connection_close(void *ctx, void *backend)
{
	const struct store *store = ctx;
	api_of(store)->close(backend);
}

static int memory_create(struct store *store, const struct gateway_config *config, const struct workers *workers)
{
	const struct store_pool_options pool = {
		.workers = workers,
		.opener = {api_of(store), connection_open, connection_close, store},
		.connections = (uint32_t)config->storage_pool.connections,
		.timeout_ms = config->storage_pool.timeout_ms,
		.recycle_ms = config->storage_pool.recycle_s * 1000,
		.idle_check_ms = config->storage_pool.idle_check_s * 1000,
	};
	const struct cache_options cache = {
		.workers = workers,
		.cycles = (uint32_t)config->storage_cache.entries,
		.ttl_ms = config->storage_cache.ttl_ms,
	};
	if (store_pool_create(&pool, &store->pool) || cache_create(&cache, &store->cache) ||
	    reader_create(workers, store->pool, store->cache, &store->reader))
		return TG_ERR_NO_MEMORY;
	return TG_OK;
}

static void migration_note(void *ctx, struct tg_str line)
{
	(void)ctx;
	log_info("store.migrated", LOG_T("note", line));
}

static int store_migrate(struct store *store, struct tg_error *ret_error)
{
	void *backend;
	int status = store_pool_take(store->pool, "the start", &backend, ret_error);
	if (status)
		return status;
	status = api_of(store)->migrate(backend, migration_note, NULL, ret_error);
	store_pool_give(store->pool, backend, status);
	return status > 0 ? TG_OK : status; /* so many steps */
}

int store_init(struct store *store, const struct instance_source *source, const struct gateway_config *config,
	       const struct workers *workers, struct tg_error *ret_error)
{
	store->state_dir = source->state_dir;
	int status =
		instance_load(&store->instance, source, TG_KIND_STORAGE, &config->storage, &store->settings, ret_error);
	if (status)
		return status;
	if (memory_create(store, config, workers))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	return store_migrate(store, ret_error);
}

int store_stands_at(const struct store *store, const char *journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	void *backend;
	int status = store_pool_take(store->pool, "the start", &backend, ret_error);
	if (status)
		return status;
	status = api_of(store)->stored_position(backend, (struct tg_str){journal, strlen(journal)}, ret_position,
						ret_error);
	store_pool_give(store->pool, backend, status);
	return status;
}

void store_finish(struct store *store)
{
	reader_destroy(store->reader);
	store_pool_destroy(store->pool);
	cache_destroy(store->cache);
	json_object_put(store->settings);
	*store = (struct store){0};
}
