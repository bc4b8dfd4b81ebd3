#include "core/base/ring.h"

#include <pthread.h>
#include <sched.h>

#include "tap.h"

static void order_and_bounds(void)
{
	struct ring *ring = NULL;
	uint32_t value;

	is_int(ring_create(5, sizeof value, &ring), 0, "created");
	is_int(ring_capacity(ring), 8, "room is rounded up to a power of two");
	ok(!ring_take(ring, &value) && !ring_peek(ring), "empty at first");
	for (uint32_t round = 0; round < 3; round++) {
		bool all = true;
		for (uint32_t i = 0; i < 8; i++)
			all &= ring_put(ring, &(uint32_t){round * 100 + i});
		ok(all, "round %u: eight fit", round);
		ok(!ring_put(ring, &(uint32_t){99}), "round %u: the ninth does not", round);
		is_int(ring_count(ring), 8, "round %u: eight are inside", round);
		for (uint32_t i = 0; i < 8; i++) {
			const uint32_t *peeked = ring_peek(ring);
			all &= peeked && *peeked == round * 100 + i;
			all &= ring_take(ring, &value) && value == round * 100 + i;
		}
		ok(all && !ring_take(ring, &value), "round %u: out in order, then empty", round);
	}
	ring_destroy(ring);
	ring_destroy(NULL);
}

#define ITEMS 100000

struct item {
	uint64_t number;
	uint64_t check[7];
};

static void *produce(void *ctx)
{
	for (uint64_t n = 0; n < ITEMS; n++) {
		struct item item = {.number = n};
		for (int i = 0; i < 7; i++)
			item.check[i] = n * 31 + (uint64_t)i;
		while (!ring_put(ctx, &item))
			sched_yield();
	}
	return NULL;
}

static void two_threads(void)
{
	struct ring *ring = NULL;
	pthread_t thread;
	struct item item;
	uint64_t wrong = 0;

	ring_create(64, sizeof(struct item), &ring);
	pthread_create(&thread, NULL, produce, ring);
	for (uint64_t n = 0; n < ITEMS; n++) {
		while (!ring_take(ring, &item))
			sched_yield();
		wrong += item.number != n;
		for (int i = 0; i < 7; i++)
			wrong += item.check[i] != n * 31 + (uint64_t)i;
	}
	pthread_join(thread, NULL);
	is_int(wrong, 0, "items cross whole and in order");
	ring_destroy(ring);
}

int main(void)
{
	order_and_bounds();
	two_threads();
	return tap_done();
}
