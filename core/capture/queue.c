#include "core/capture/queue.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Counters that only rise; their difference is what is inside. Each side writes its own, on a cache line of its own. */
struct queue {
	uint8_t *at;
	size_t room;
	_Alignas(64) atomic_size_t put;
	_Alignas(64) atomic_size_t taken;
};

int queue_create(size_t room, struct queue **ret_queue)
{
	size_t rounded = 4096;
	while (rounded < room)
		rounded *= 2;
	struct queue *queue = aligned_alloc(64, sizeof *queue);
	if (!queue)
		return TG_ERR_NO_MEMORY;
	memset(queue, 0, sizeof *queue);
	queue->room = rounded;
	queue->at = malloc(rounded);
	if (!queue->at) {
		free(queue);
		return TG_ERR_NO_MEMORY;
	}
	*ret_queue = queue;
	return TG_OK;
}

void queue_destroy(struct queue *queue)
{
	if (!queue)
		return;
	free(queue->at);
	free(queue);
}

size_t queue_count(const struct queue *queue)
{
	size_t taken = atomic_load_explicit(&queue->taken, memory_order_acquire);
	return atomic_load_explicit(&queue->put, memory_order_acquire) - taken;
}

size_t queue_room(const struct queue *queue)
{
	return queue->room;
}

bool queue_put(struct queue *queue, const struct tg_str *pieces, size_t count)
{
	size_t total = 0, put = atomic_load_explicit(&queue->put, memory_order_relaxed);
	for (size_t i = 0; i < count; i++)
		total += pieces[i].len;
	if (total > queue->room - queue_count(queue))
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t from = put & (queue->room - 1), first = queue->room - from;
		first = first < pieces[i].len ? first : pieces[i].len;
		if (pieces[i].len > 0)
			memcpy(queue->at + from, pieces[i].ptr, first);
		if (pieces[i].len > first)
			memcpy(queue->at, pieces[i].ptr + first, pieces[i].len - first);
		put += pieces[i].len;
	}
	/* seen by a sleeper that looks once more before it sleeps (worker.c): in one order with its own flag */
	atomic_store(&queue->put, put);
	return true;
}

size_t queue_peek(const struct queue *queue, size_t offset, size_t count, const uint8_t **ret_at)
{
	size_t from = (atomic_load_explicit(&queue->taken, memory_order_relaxed) + offset) & (queue->room - 1);
	*ret_at = queue->at + from;
	return count < queue->room - from ? count : queue->room - from;
}

void queue_copy(const struct queue *queue, size_t offset, size_t count, uint8_t *ret_bytes)
{
	for (size_t done = 0; done < count;) {
		const uint8_t *at;
		size_t some = queue_peek(queue, offset + done, count - done, &at);
		memcpy(ret_bytes + done, at, some);
		done += some;
	}
}

void queue_drop(struct queue *queue, size_t count)
{
	assert(count <= queue_count(queue));
	atomic_fetch_add_explicit(&queue->taken, count, memory_order_release);
}
