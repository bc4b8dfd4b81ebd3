/* The cache in front of a storage backend: cycles with their orders and fills, by when they were last used. It is
 * written through: what changes is put here, waits as dirty until a batch with it was applied, and is then kept clean
 * for readers, who so need not ask the backend. Several changes of one row that wait are one row; progress folds into
 * the full row that waits. It is never the only place of a fact: the journal has what is dirty, the store what is
 * clean.
 *
 * Bounded by cycles. Clean ones go when there are too many, least recently used first, and are asked for again when
 * they are older than the time to live; dirty ones stay whatever their number: who puts looks at cache_is_full and
 * stops.
 *
 * Owner: the gateway. Any thread, but batches are one thread's, the writer's. No call takes long. */
#ifndef TRIGATE_CORE_STATE_CACHE_H
#define TRIGATE_CORE_STATE_CACHE_H

#include <stdbool.h>

#include <trigate/storage.h>

#include "core/io/worker.h"

struct cache;

struct cache_options {
	const struct workers *workers; /* their clock, their lock */
	uint32_t cycles;               /* at most, but for dirty ones */
	int64_t ttl_ms;
};

int cache_create(const struct cache_options *options, struct cache **ret_cache); /* TG_OK, TG_ERR_NO_MEMORY */
void cache_destroy(struct cache *cache);                                         /* NULL is allowed */

/* A row that changed, and the cycle that it belongs to (empty for an event); it is copied. A full row of a cycle that
 * is not here begins it: all its orders and fills are put after it. TG_OK, or TG_ERR_NO_MEMORY: all is as before. */
int cache_put(struct cache *cache, struct tg_str cycle_id, const struct tg_record *record);

uint32_t cache_waiting(const struct cache *cache); /* rows to be written; the writer's thread */
/* As many dirty cycles as there may be cycles, or as many rows as each store takes in one batch, with those of a ring
 * on top? The writer's thread. */
#define CACHE_DIRTY_MAX 100000
bool cache_is_full(const struct cache *cache);

/* All that waits, cycles before their orders, orders before their fills: the records of a batch, valid until its end.
 * Rows may be put in between. TG_OK, TG_ERR_NO_MEMORY. */
int cache_batch_begin(struct cache *cache, const struct tg_record **ret_records, uint32_t *ret_count);
/* applied: what did not change since the batch began is clean. Else all of it waits on. */
void cache_batch_end(struct cache *cache, bool applied);

/* All rows of a cycle to fn, the cycle first, under the lock: fn must be quick. TG_OK; TG_ERR_NOT_FOUND: the store has
 * to be asked, and *ret_seen then belongs into cache_fill. */
int cache_read(struct cache *cache, struct tg_str cycle_id, tg_row_fn fn, void *ctx, uint64_t *ret_seen);

/* What the store said of a cycle, full rows; then as cache_read. What waits here is newer and stays. TG_OK;
 * TG_ERR_RETRYABLE: the cycle changed or was stored since `seen`, ask again; TG_ERR_NO_MEMORY. */
int cache_fill(struct cache *cache, struct tg_str cycle_id, const struct tg_record *records, uint32_t count,
	       uint64_t seen, tg_row_fn fn, void *ctx);

struct cache_status {
	uint32_t cycles;
	uint32_t dirty_cycles;
	uint32_t dirty_rows;
	uint64_t hits;
	uint64_t misses;
	uint64_t evictions;
};
void cache_status(struct cache *cache, struct cache_status *ret_status); /* [any] */

#endif
