/* The queue between loop and writer: whole items in order, round the corner, and none where there is no room. */
#include "core/capture/queue.h"

#include <pthread.h>

#include "tests/tap.h"

#define ITEMS 200000

static void test_order(void)
{
	struct queue *queue;
	uint8_t bytes[5000] = {0}, back[5000];
	is_int(queue_create(1, &queue), TG_OK, "a queue");
	is_int(queue_room(queue), 4096, "has a page at least");
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	const struct tg_str pieces[] = {{(char *)bytes, 1000}, {NULL, 0}, {(char *)bytes + 1000, 2000}};
	ok(queue_put(queue, pieces, 3), "three pieces go in");
	is_int(queue_count(queue), 3000, "as one");
	ok(!queue_put(queue, pieces, 3), "what does not fit does not");
	is_int(queue_count(queue), 3000, "not even a part of it");
	queue_drop(queue, 3000);
	ok(queue_put(queue, pieces, 3), "round the corner");
	const uint8_t *at;
	is_int(queue_peek(queue, 0, 3000, &at), 1096, "it lies in two pieces");
	queue_copy(queue, 0, 3000, back);
	ok(memcmp(back, bytes, 3000) == 0, "and comes out as it went in");
	queue_copy(queue, 1500, 10, back);
	ok(memcmp(back, bytes + 1500, 10) == 0, "from anywhere");
	queue_destroy(queue);
	queue_destroy(NULL);
}

static void *produce(void *ctx)
{
	struct queue *queue = ctx;
	for (uint32_t i = 0; i < ITEMS;) {
		const struct tg_str pieces[] = {{(char *)&i, sizeof i}, {"0123456789abcdef", i % 17}};
		i += queue_put(queue, pieces, 2);
	}
	return NULL;
}

static void test_threads(void)
{
	struct queue *queue;
	pthread_t thread;
	uint32_t wrong = 0;
	queue_create(4096, &queue);
	pthread_create(&thread, NULL, produce, queue);
	for (uint32_t i = 0, got; i < ITEMS; i++) {
		char text[17];
		while (queue_count(queue) == 0)
			;
		queue_copy(queue, 0, sizeof got, (uint8_t *)&got);
		queue_copy(queue, sizeof got, i % 17, (uint8_t *)text);
		wrong += got != i || memcmp(text, "0123456789abcdef", i % 17) != 0;
		queue_drop(queue, sizeof got + i % 17);
	}
	pthread_join(thread, NULL);
	is_int(wrong, 0, "between two threads nothing is lost, doubled or torn");
	queue_destroy(queue);
}

int main(void)
{
	test_order();
	test_threads();
	return tap_done();
}
