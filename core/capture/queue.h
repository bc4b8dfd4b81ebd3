/* A queue of bytes between two threads: one puts whole items made of pieces, the other looks at the oldest bytes and
 * drops them. No locks; all memory is taken at creation, and touched as it is first used. Owner: whoever created it. */
#ifndef TRIGATE_CORE_CAPTURE_QUEUE_H
#define TRIGATE_CORE_CAPTURE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/abi.h>

struct queue;

/* Room for at least `room` bytes (rounded up to a power of two). TG_OK or TG_ERR_NO_MEMORY. */
int queue_create(size_t room, struct queue **ret_queue);
void queue_destroy(struct queue *queue); /* NULL is allowed */

size_t queue_count(const struct queue *queue); /* bytes inside; a snapshot, from either side */
size_t queue_room(const struct queue *queue);  /* when it is empty */

/* Producer: all pieces joined, or nothing; false: no room. [hot] */
bool queue_put(struct queue *queue, const struct tg_str *pieces, size_t count);

/* Consumer: the bytes from `offset` on behind the oldest one, at most `count`, as far as they lie in one piece; *ret_at
 * is where. Only what queue_count said is there. */
size_t queue_peek(const struct queue *queue, size_t offset, size_t count, const uint8_t **ret_at);
void queue_copy(const struct queue *queue, size_t offset, size_t count, uint8_t *ret_bytes); /* the same, joined */
void queue_drop(struct queue *queue, size_t count);

#endif
