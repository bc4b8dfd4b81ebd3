#include "core/base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/abi.h>

/* A free item, and a chunk's head, hold the next one. Chunks keep the strictest alignment for what follows. */
struct link {
	_Alignas(max_align_t) struct link *next;
};

static void list_add(struct pool *pool, void *item)
{
	struct link *link = item;
	link->next = pool->free;
	pool->free = link;
}

/* What is fresh is not touched before it is taken: a large pool costs nothing until it is used. */
static int chunk_add(struct pool *pool)
{
	struct link *chunk = malloc(sizeof *chunk + pool->item_size * pool->chunk_items);
	if (!chunk)
		return TG_ERR_NO_MEMORY;
	for (; pool->fresh_count > 0; pool->fresh_count--, pool->fresh += pool->item_size)
		list_add(pool, pool->fresh);
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	pool->fresh = (char *)(chunk + 1);
	pool->fresh_count = pool->chunk_items;
	pool->free_count += pool->chunk_items;
	return TG_OK;
}

static void *fresh_take(struct pool *pool)
{
	void *item = pool->fresh;
	pool->fresh += pool->item_size;
	pool->fresh_count--;
	return item;
}

static void *list_take(struct pool *pool)
{
	struct link *item = pool->free;
	pool->free = item->next;
	return item;
}

int pool_init(struct pool *pool, size_t size, size_t count, bool grow)
{
	assert(size > 0 && count > 0);
	size_t align = _Alignof(max_align_t);
	*pool = (struct pool){.item_size = (size + align - 1) / align * align, .chunk_items = count, .grow = grow};
	return chunk_add(pool);
}

void pool_clear(struct pool *pool)
{
	struct link *chunk = pool->chunks;
	while (chunk) {
		struct link *next = chunk->next;
		free(chunk);
		chunk = next;
	}
	*pool = (struct pool){0};
}

#define PAGE_SIZE 4096 /* or a multiple of it: then some are touched twice */

void pool_touch(struct pool *pool)
{
	for (size_t at = 0; at < pool->fresh_count * pool->item_size; at += PAGE_SIZE)
		*(volatile char *)(pool->fresh + at) = 0;
}

static void *zeroed_take(struct pool *pool)
{
	void *item = pool->free ? list_take(pool) : fresh_take(pool);
	return memset(item, 0, pool->item_size);
}

void pool_ready(struct pool *pool)
{
	if (!pool->ready && pool->free_count > 0)
		pool->ready = zeroed_take(pool);
}

void *pool_take(struct pool *pool)
{
	if (pool->free_count == 0 && (!pool->grow || chunk_add(pool) != TG_OK))
		return NULL;
	void *item = pool->ready ? pool->ready : zeroed_take(pool);
	pool->ready = NULL;
	pool->free_count--;
	return item;
}

void pool_give(struct pool *pool, void *item)
{
	list_add(pool, item);
	pool->free_count++;
}

int pool_reserve(struct pool *pool, size_t count)
{
	while (pool->free_count < count)
		if (chunk_add(pool) != TG_OK)
			return TG_ERR_NO_MEMORY;
	return TG_OK;
}
