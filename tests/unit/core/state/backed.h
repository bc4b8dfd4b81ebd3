/* A pool and a cache for the tests of what stands on them: connections to a made-up backend that cost nothing. */
#ifndef TRIGATE_TESTS_BACKED_H
#define TRIGATE_TESTS_BACKED_H

#include <stdlib.h>

#include "core/state/cache.h"
#include "core/state/pool.h"

static int backed_open(void *ctx, void **ret_backend, struct tg_error *ret_error)
{
	(void)ctx, (void)ret_error;
	*ret_backend = malloc(1);
	return 0;
}

static void backed_close(void *ctx, void *backend)
{
	(void)ctx;
	free(backend);
}

__attribute__((unused)) static int32_t backed_ping(void *self, struct tg_error *ret_error)
{
	(void)self, (void)ret_error;
	return 0;
}

__attribute__((unused)) static struct store_pool *backed_pool(const struct workers *workers,
							      const struct tg_storage_api *api)
{
	const struct store_pool_options options = {.workers = workers,
						   .opener = {api, backed_open, backed_close, NULL},
						   .connections = 2,
						   .timeout_ms = 1000,
						   .recycle_ms = 3600000,
						   .idle_check_ms = 30000};
	struct store_pool *pool = NULL;
	if (store_pool_create(&options, &pool))
		abort();
	return pool;
}

__attribute__((unused)) static struct cache *backed_cache(const struct workers *workers, uint32_t cycles)
{
	const struct cache_options options = {.workers = workers, .cycles = cycles, .ttl_ms = 60000};
	struct cache *cache = NULL;
	if (cache_create(&options, &cache))
		abort();
	return cache;
}

#endif
