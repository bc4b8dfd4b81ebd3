#include "core/state/cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/state/owned_row.h"

#define MS INT64_C(1000000)
#define BATCH_FIRST 64

/* One row. It is dirty from a put until a batch was applied that had it as it is now. */
struct item {
	struct cached *cycle; /* NULL: an event */
	struct item *next;    /* of the cycle, as they came */
	struct item *dirty_next, *dirty_prev;
	struct owned_row *row;
	uint64_t changed;      /* the cache's generation then */
	uint64_t full_changed; /* when its full row was put */
	bool dirty;
	bool full_dirty; /* the store may not have its full row yet: progress is not enough */
};

struct cached {
	struct cached *next_in_bucket;
	struct cached *newer, *older; /* by use, of the clean ones */
	struct item *items, *last_item;
	struct item *found; /* the one that was asked for last: it or the next will be again */
	uint32_t hash;
	uint32_t dirty;   /* items */
	uint64_t changed; /* the generation when a row of it was put or became clean */
	int64_t fresh_ns; /* when all of it was known to be as the store has it, if nothing of it is dirty */
	bool complete;    /* all its rows are here, but perhaps for the full shape of one of which progress is known */
	uint32_t id_len;
	char id[];
};

struct batch {
	struct item **items;
	struct owned_row **rows; /* references: what the records show */
	struct tg_record *records;
	union progress_row *progress;
	uint32_t count, capacity;
	uint64_t generation;
};

struct cache {
	struct cache_options options;
	struct monitor *monitor; /* of all that follows */
	struct cached **buckets;
	uint32_t mask;
	struct cached *newest, *oldest; /* clean cycles: those that may go */
	struct item *dirty_first, *dirty_last;
	struct batch batch;
	uint64_t generation;      /* rows that were put or became clean, ever */
	uint64_t evicted_changed; /* the newest change of what was evicted */
	struct cache_status status;
};

/* ------------------------------------------------------- create, destroy */

int cache_create(const struct cache_options *options, struct cache **ret_cache)
{
	assert(options->cycles > 0);
	struct cache *cache = calloc(1, sizeof *cache);
	uint32_t buckets = 16;
	while (buckets < options->cycles)
		buckets *= 2;
	if (cache)
		cache->buckets = calloc(buckets, sizeof(struct cached *));
	if (!cache || !cache->buckets || workers_monitor(options->workers, &cache->monitor)) {
		cache_destroy(cache);
		return TG_ERR_NO_MEMORY;
	}
	cache->mask = buckets - 1;
	cache->options = *options;
	*ret_cache = cache;
	return TG_OK;
}

static void item_free(struct item *item)
{
	owned_row_give(item->row);
	free(item);
}

static void cached_free(struct cached *cycle)
{
	for (struct item *item = cycle->items, *next; item; item = next) {
		next = item->next;
		item_free(item);
	}
	free(cycle);
}

static void events_free(struct cache *cache)
{
	for (struct item *item = cache->dirty_first, *next; item; item = next) {
		next = item->dirty_next;
		if (!item->cycle)
			item_free(item);
	}
}

static void cycles_free(struct cache *cache)
{
	for (uint32_t i = 0; cache->buckets && i <= cache->mask; i++)
		for (struct cached *cycle = cache->buckets[i], *next; cycle; cycle = next) {
			next = cycle->next_in_bucket;
			cached_free(cycle);
		}
}

void cache_destroy(struct cache *cache)
{
	if (!cache)
		return;
	events_free(cache);
	cycles_free(cache);
	free(cache->batch.items);
	free(cache->batch.rows);
	free(cache->batch.records);
	free(cache->batch.progress);
	free(cache->buckets);
	monitor_destroy(cache->monitor);
	free(cache);
}

/* --------------------------------------------------------------- cycles */

/* FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), folded. */
static uint32_t text_hash(struct tg_str text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (uint64_t i = 0; i < text.len; i++)
		hash = (hash ^ (uint8_t)text.ptr[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ (hash >> 32));
}

static struct cached *cycle_find(const struct cache *cache, struct tg_str id)
{
	uint32_t hash = text_hash(id);
	struct cached *cycle = cache->buckets[hash & cache->mask];
	while (cycle && (cycle->hash != hash || cycle->id_len != id.len || memcmp(cycle->id, id.ptr, id.len) != 0))
		cycle = cycle->next_in_bucket;
	return cycle;
}

static void use_unlink(struct cache *cache, struct cached *cycle)
{
	*(cycle->newer ? &cycle->newer->older : &cache->newest) = cycle->older;
	*(cycle->older ? &cycle->older->newer : &cache->oldest) = cycle->newer;
}

static void use_link(struct cache *cache, struct cached *cycle)
{
	cycle->newer = NULL;
	cycle->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = cycle;
	cache->newest = cycle;
}

static void cycle_use(struct cache *cache, struct cached *cycle)
{
	if (cycle->dirty > 0 || cache->newest == cycle)
		return;
	use_unlink(cache, cycle);
	use_link(cache, cycle);
}

static void cycle_evict(struct cache *cache, struct cached *cycle)
{
	struct cached **link = &cache->buckets[cycle->hash & cache->mask];
	while (*link != cycle)
		link = &(*link)->next_in_bucket;
	*link = cycle->next_in_bucket;
	use_unlink(cache, cycle);
	if (cycle->changed > cache->evicted_changed)
		cache->evicted_changed = cycle->changed;
	cached_free(cycle);
	cache->status.cycles--;
	cache->status.evictions++;
}

/* Down to the bound, as far as clean ones go. `keep` has just come and may still be without a dirty row. */
static void cycles_bound(struct cache *cache, const struct cached *keep)
{
	struct cached *cycle = cache->oldest;
	while (cycle && cycle != keep && cache->status.cycles > cache->options.cycles) {
		struct cached *newer = cycle->newer;
		cycle_evict(cache, cycle);
		cycle = newer;
	}
}

static struct cached *cycle_add(struct cache *cache, struct tg_str id)
{
	struct cached *cycle = calloc(1, sizeof *cycle + id.len);
	if (!cycle)
		return NULL;
	cycle->hash = text_hash(id);
	cycle->id_len = (uint32_t)id.len;
	memcpy(cycle->id, id.ptr, id.len);
	cycle->next_in_bucket = cache->buckets[cycle->hash & cache->mask];
	cache->buckets[cycle->hash & cache->mask] = cycle;
	use_link(cache, cycle);
	cache->status.cycles++;
	cycles_bound(cache, cycle);
	return cycle;
}

/* ---------------------------------------------------------------- items */

/* From `from` to before `to`. */
static struct item *item_find_between(struct item *from, const struct item *to, const struct tg_record *record)
{
	while (from != to && !row_same_key(from->row, record))
		from = from->next;
	return from != to ? from : NULL;
}

static struct item *item_find(struct cached *cycle, const struct tg_record *record)
{
	struct item *item = item_find_between(cycle->found, NULL, record);
	if (!item)
		item = item_find_between(cycle->items, cycle->found, record);
	if (item)
		cycle->found = item;
	return item;
}

/* The row is taken. NULL: no memory. */
static struct item *item_add(struct cached *cycle, struct owned_row *row)
{
	struct item *item = calloc(1, sizeof *item);
	if (!item)
		return NULL;
	item->row = row;
	item->cycle = cycle;
	if (cycle) {
		*(cycle->last_item ? &cycle->last_item->next : &cycle->items) = item;
		cycle->last_item = item;
	}
	return item;
}

static void dirty_unlink(struct cache *cache, struct item *item)
{
	*(item->dirty_prev ? &item->dirty_prev->dirty_next : &cache->dirty_first) = item->dirty_next;
	*(item->dirty_next ? &item->dirty_next->dirty_prev : &cache->dirty_last) = item->dirty_prev;
}

static void dirty_link(struct cache *cache, struct item *item)
{
	item->dirty_next = NULL;
	item->dirty_prev = cache->dirty_last;
	*(cache->dirty_last ? &cache->dirty_last->dirty_next : &cache->dirty_first) = item;
	cache->dirty_last = item;
}

static void item_soil(struct cache *cache, struct item *item)
{
	struct cached *cycle = item->cycle;
	item->dirty = true;
	cache->status.dirty_rows++;
	dirty_link(cache, item);
	if (cycle && cycle->dirty++ == 0) {
		use_unlink(cache, cycle);
		cache->status.dirty_cycles++;
	}
}

static void item_clean(struct cache *cache, struct item *item)
{
	struct cached *cycle = item->cycle;
	dirty_unlink(cache, item);
	item->dirty = item->full_dirty = false;
	cache->status.dirty_rows--;
	if (!cycle) {
		item_free(item);
	} else if (--cycle->dirty == 0) {
		use_link(cache, cycle);
		cache->status.dirty_cycles--;
	}
}

/* It has got another row. A full one goes behind all that waits, as its cycle's full row may just have. */
static void item_changed(struct cache *cache, struct item *item, bool full)
{
	item->changed = ++cache->generation;
	if (item->cycle)
		item->cycle->changed = item->changed;
	if (!item->dirty) {
		item_soil(cache, item);
	} else if (full && !item->full_dirty) {
		dirty_unlink(cache, item);
		dirty_link(cache, item);
	}
	if (full) {
		item->full_dirty = true;
		item->full_changed = item->changed;
	}
}

/* What a row is after the record; a new reference. NULL: no memory. */
static struct owned_row *row_after(const struct item *item, const struct tg_record *record)
{
	bool folds = item && row_kind_is_progress(record->kind) && !row_kind_is_progress(item->row->kind);
	return folds ? owned_row_advance(item->row, record) : owned_row_copy(record);
}

static int put(struct cache *cache, struct tg_str cycle_id, const struct tg_record *record)
{
	struct cached *cycle = cycle_id.len > 0 ? cycle_find(cache, cycle_id) : NULL;
	struct item *item = cycle ? item_find(cycle, record) : NULL;
	struct owned_row *row = row_after(item, record);
	if (!row)
		return TG_ERR_NO_MEMORY;
	if (!cycle && cycle_id.len > 0) {
		cycle = cycle_add(cache, cycle_id);
		if (cycle)
			cycle->complete = record->kind == TG_ROW_CYCLE;
	}
	if (item) {
		owned_row_give(item->row);
		item->row = row;
	} else {
		item = cycle || cycle_id.len == 0 ? item_add(cycle, row) : NULL;
	}
	if (!item) {
		owned_row_give(row);
		return TG_ERR_NO_MEMORY;
	}
	item_changed(cache, item, !row_kind_is_progress(record->kind));
	return TG_OK;
}

int cache_put(struct cache *cache, struct tg_str cycle_id, const struct tg_record *record)
{
	monitor_lock(cache->monitor);
	int status = put(cache, cycle_id, record);
	monitor_unlock(cache->monitor);
	return status;
}

uint32_t cache_waiting(const struct cache *cache)
{
	return cache->status.dirty_rows;
}

bool cache_is_full(const struct cache *cache)
{
	return cache->status.dirty_cycles >= cache->options.cycles || cache->status.dirty_rows >= CACHE_DIRTY_MAX;
}

/* -------------------------------------------------------------- batches */

/* Each array that could be had is kept, for the old one is gone; `capacity` moves only when all were. */
static int batch_reserve(struct batch *batch, uint32_t rows)
{
	uint32_t capacity = batch->capacity ? batch->capacity : BATCH_FIRST;
	while (capacity < rows)
		capacity *= 2;
	if (capacity == batch->capacity)
		return TG_OK;
	struct item **items = reallocarray(batch->items, capacity, sizeof(struct item *));
	batch->items = items ? items : batch->items;
	struct owned_row **owned = reallocarray(batch->rows, capacity, sizeof(struct owned_row *));
	batch->rows = owned ? owned : batch->rows;
	struct tg_record *records = reallocarray(batch->records, capacity, sizeof *records);
	batch->records = records ? records : batch->records;
	union progress_row *progress = reallocarray(batch->progress, capacity, sizeof *progress);
	batch->progress = progress ? progress : batch->progress;
	if (!items || !owned || !records || !progress)
		return TG_ERR_NO_MEMORY;
	batch->capacity = capacity;
	return TG_OK;
}

static void batch_add(struct batch *batch, struct item *item)
{
	uint32_t i = batch->count++;
	struct owned_row *row = owned_row_take(item->row);
	batch->items[i] = item;
	batch->rows[i] = row;
	batch->records[i] = (struct tg_record){.kind = row->kind, .row = &row->cycle};
	if (!row_kind_is_progress(row->kind) && !item->full_dirty)
		batch->records[i] = (struct tg_record){.kind = owned_row_progress(row, &batch->progress[i]),
						       .row = &batch->progress[i]};
}

int cache_batch_begin(struct cache *cache, const struct tg_record **ret_records, uint32_t *ret_count)
{
	struct batch *batch = &cache->batch;
	assert(batch->count == 0);
	monitor_lock(cache->monitor);
	int status = batch_reserve(batch, cache->status.dirty_rows);
	batch->generation = cache->generation;
	for (struct item *item = cache->dirty_first; item && status == TG_OK; item = item->dirty_next)
		batch_add(batch, item);
	monitor_unlock(cache->monitor);
	*ret_records = batch->records;
	*ret_count = batch->count;
	return status;
}

static void item_applied(struct cache *cache, struct item *item, int64_t now_ns)
{
	uint64_t generation = cache->batch.generation;
	if (item->full_changed <= generation)
		item->full_dirty = false;
	if (item->changed > generation)
		return;
	if (item->cycle) {
		item->cycle->fresh_ns = now_ns;
		item->cycle->changed = ++cache->generation; /* what was loaded before may not have it */
	}
	item_clean(cache, item);
}

void cache_batch_end(struct cache *cache, bool applied)
{
	struct batch *batch = &cache->batch;
	monitor_lock(cache->monitor);
	int64_t now_ns = workers_now_ns(cache->options.workers);
	for (uint32_t i = 0; i < batch->count; i++) {
		owned_row_give(batch->rows[i]);
		if (applied)
			item_applied(cache, batch->items[i], now_ns);
	}
	batch->count = 0;
	cycles_bound(cache, NULL);
	monitor_unlock(cache->monitor);
}

/* -------------------------------------------------------------- reading */

static bool cycle_is_readable(const struct cache *cache, const struct cached *cycle)
{
	if (!cycle || !cycle->complete || !cycle->items)
		return false;
	if (cycle->dirty == 0 && workers_now_ns(cache->options.workers) - cycle->fresh_ns > cache->options.ttl_ms * MS)
		return false;
	for (const struct item *item = cycle->items; item; item = item->next)
		if (row_kind_is_progress(item->row->kind))
			return false;
	return true;
}

/* An order that was known before its cycle's row stands before it. */
static void cycle_tell(const struct cached *cycle, tg_row_fn fn, void *ctx)
{
	for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_FILL; kind++)
		for (const struct item *item = cycle->items; item; item = item->next)
			if (item->row->kind == kind)
				fn(ctx, kind, &item->row->cycle);
}

int cache_read(struct cache *cache, struct tg_str cycle_id, tg_row_fn fn, void *ctx, uint64_t *ret_seen)
{
	monitor_lock(cache->monitor);
	struct cached *cycle = cycle_find(cache, cycle_id);
	bool hit = cycle_is_readable(cache, cycle);
	*(hit ? &cache->status.hits : &cache->status.misses) += 1;
	if (hit) {
		cycle_use(cache, cycle);
		cycle_tell(cycle, fn, ctx);
	}
	*ret_seen = cache->generation;
	monitor_unlock(cache->monitor);
	return hit ? TG_OK : TG_ERR_NOT_FOUND;
}

static struct tg_record progress_record(const struct owned_row *row)
{
	return (struct tg_record){.kind = row->kind, .row = &row->cycle};
}

/* What the store has of a row, below what waits of it. */
static int item_fill(struct cached *cycle, const struct tg_record *record)
{
	struct item *item = item_find(cycle, record);
	if (item && item->dirty && !row_kind_is_progress(item->row->kind))
		return TG_OK;
	struct owned_row *row = owned_row_copy(record);
	if (row && item && item->dirty) {
		const struct tg_record progress = progress_record(item->row);
		struct owned_row *stored = row;
		row = owned_row_advance(stored, &progress);
		owned_row_give(stored);
	}
	if (!row)
		return TG_ERR_NO_MEMORY;
	if (item) {
		owned_row_give(item->row);
		item->row = row;
	} else if (!item_add(cycle, row)) {
		owned_row_give(row);
		return TG_ERR_NO_MEMORY;
	}
	return TG_OK;
}

static int fill(struct cache *cache, struct tg_str cycle_id, const struct tg_record *records, uint32_t count,
		uint64_t seen, tg_row_fn fn, void *ctx)
{
	struct cached *cycle = cycle_find(cache, cycle_id);
	int status = TG_OK;
	if (cycle ? cycle->changed > seen : cache->evicted_changed > seen)
		return TG_ERR_RETRYABLE;
	if (!cycle)
		cycle = cycle_add(cache, cycle_id);
	if (!cycle)
		return TG_ERR_NO_MEMORY;
	for (uint32_t i = 0; i < count && status == TG_OK; i++)
		status = item_fill(cycle, &records[i]);
	cycle->complete = status == TG_OK;
	cycle->fresh_ns = workers_now_ns(cache->options.workers);
	cycle_use(cache, cycle);
	if (status == TG_OK)
		cycle_tell(cycle, fn, ctx);
	return status;
}

int cache_fill(struct cache *cache, struct tg_str cycle_id, const struct tg_record *records, uint32_t count,
	       uint64_t seen, tg_row_fn fn, void *ctx)
{
	monitor_lock(cache->monitor);
	int status = fill(cache, cycle_id, records, count, seen, fn, ctx);
	monitor_unlock(cache->monitor);
	return status;
}

void cache_status(struct cache *cache, struct cache_status *ret_status)
{
	monitor_lock(cache->monitor);
	*ret_status = cache->status;
	monitor_unlock(cache->monitor);
}
