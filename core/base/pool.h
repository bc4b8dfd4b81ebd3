/* Fixed-size items from chunks, taken and given back in constant time. Owner: one thread. */
#ifndef TRIGATE_CORE_BASE_POOL_H
#define TRIGATE_CORE_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool {
	size_t item_size;
	size_t chunk_items;
	size_t free_count; /* in the list and fresh */
	bool grow;
	void *chunks;       /* list, for pool_clear */
	void *free;         /* list of what was given back */
	char *fresh;        /* of the newest chunk: never taken yet */
	size_t fresh_count; /* so many in a row */
	void *ready;        /* of free_count: zeroed for the next take; NULL: none is */
};

/* Room for `count` items of `size` bytes; with `grow` more chunks of as many are taken when they are used up. Returns 0
 * or TG_ERR_NO_MEMORY. */
int pool_init(struct pool *pool, size_t size, size_t count, bool grow);
void pool_clear(struct pool *pool);

/* A zeroed item; NULL when there is none. Allocates only if the pool may grow. */
void *pool_take(struct pool *pool);
void pool_give(struct pool *pool, void *item);

/* Have the next item zeroed now, and not when it is taken. */
void pool_ready(struct pool *pool);

/* Have the machine give its memory now, and not with a page fault when an item is first taken. */
void pool_touch(struct pool *pool);

/* Make sure that `count` items can be taken without allocating. Returns 0 or TG_ERR_NO_MEMORY. */
int pool_reserve(struct pool *pool, size_t count);

#endif
