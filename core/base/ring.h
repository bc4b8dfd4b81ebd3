/* A ring of fixed-size items between two threads: one puts, one takes. No locks; all memory is taken at creation.
 * Owner: whoever created it; producer and consumer are one thread each. */
#ifndef TRIGATE_CORE_BASE_RING_H
#define TRIGATE_CORE_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

/* Room for at least `items` (rounded up to a power of two) of item_size bytes. 0 or TG_ERR_NO_MEMORY. */
int ring_create(uint32_t items, size_t item_size, struct ring **ret_ring);
void ring_destroy(struct ring *ring); /* NULL is allowed */
void ring_touch(struct ring *ring);   /* before it is used: no page fault while it is */

bool ring_put(struct ring *ring, const void *item); /* producer: copies the item; false: full. [hot] */
/* Producer: the next item's place, to be filled there and then committed; NULL: full. Until then nothing is in the
 * ring, and what lies in the place is of an item long taken. [hot] */
void *ring_reserve(struct ring *ring);
void ring_commit(struct ring *ring);
bool ring_take(struct ring *ring, void *ret_item); /* consumer: false: empty. [hot] */
const void *ring_peek(struct ring *ring);          /* consumer: the oldest item where it lies, or NULL. [hot] */
void ring_drop(struct ring *ring);                 /* consumer: done with the peeked item. [hot] */

uint32_t ring_count(const struct ring *ring);    /* items inside; a snapshot, from either side. [any] */
uint32_t ring_capacity(const struct ring *ring); /* [any] */

#endif
