#include "core/base/ring.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/abi.h>

#define CACHE_LINE 64
#define RING_ITEMS_MAX (UINT32_C(1) << 24)

/* put and taken count for ever; their difference is what is inside, their low bits are the index. Each side keeps its
 * last sight of the other's counter on its own cache line and looks again only when that says full or empty. */
struct ring {
	alignas(CACHE_LINE) _Atomic uint64_t put;
	uint64_t taken_seen;
	alignas(CACHE_LINE) _Atomic uint64_t taken;
	uint64_t put_seen;
	alignas(CACHE_LINE) uint64_t mask;
	size_t item_size;
	uint8_t *items;
};

int ring_create(uint32_t items, size_t item_size, struct ring **ret_ring)
{
	assert(items > 0 && items <= RING_ITEMS_MAX && item_size > 0);
	uint64_t capacity = 1;
	while (capacity < items)
		capacity *= 2;

	struct ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
	if (!ring)
		return TG_ERR_NO_MEMORY;
	memset(ring, 0, sizeof *ring);
	ring->mask = capacity - 1;
	ring->item_size = item_size;
	ring->items = malloc(capacity * item_size);
	if (!ring->items) {
		free(ring);
		return TG_ERR_NO_MEMORY;
	}
	*ret_ring = ring;
	return 0;
}

void ring_destroy(struct ring *ring)
{
	if (!ring)
		return;
	free(ring->items);
	free(ring);
}

void ring_touch(struct ring *ring)
{
	memset(ring->items, 0, (ring->mask + 1) * ring->item_size);
}

static void *ring_item(const struct ring *ring, uint64_t number)
{
	return ring->items + (number & ring->mask) * ring->item_size;
}

void *ring_reserve(struct ring *ring)
{
	uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);

	if (put - ring->taken_seen > ring->mask) {
		ring->taken_seen = atomic_load_explicit(&ring->taken, memory_order_acquire);
		if (put - ring->taken_seen > ring->mask)
			return NULL;
	}
	return ring_item(ring, put);
}

void ring_commit(struct ring *ring)
{
	uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);

	assert(put - ring->taken_seen <= ring->mask);
	atomic_store_explicit(&ring->put, put + 1, memory_order_release);
}

bool ring_put(struct ring *ring, const void *item)
{
	void *place = ring_reserve(ring);

	if (!place)
		return false;
	memcpy(place, item, ring->item_size);
	ring_commit(ring);
	return true;
}

const void *ring_peek(struct ring *ring)
{
	uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);

	if (taken == ring->put_seen) {
		ring->put_seen = atomic_load_explicit(&ring->put, memory_order_acquire);
		if (taken == ring->put_seen)
			return NULL;
	}
	return ring_item(ring, taken);
}

void ring_drop(struct ring *ring)
{
	uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);

	assert(taken != ring->put_seen);
	atomic_store_explicit(&ring->taken, taken + 1, memory_order_release);
}

bool ring_take(struct ring *ring, void *ret_item)
{
	const void *item = ring_peek(ring);

	if (!item)
		return false;
	memcpy(ret_item, item, ring->item_size);
	ring_drop(ring);
	return true;
}

uint32_t ring_count(const struct ring *ring)
{
	/* taken first: put never falls behind a taken that was read before it */
	uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
	uint64_t put = atomic_load_explicit(&ring->put, memory_order_acquire);
	uint64_t count = put - taken;

	return (uint32_t)(count > ring->mask + 1 ? ring->mask + 1 : count);
}

uint32_t ring_capacity(const struct ring *ring)
{
	return (uint32_t)(ring->mask + 1);
}
