/* What it takes to turn a batch into the script's arguments. Memory is kept from one batch to the next. Owned by one
 * store. */
#ifndef TRIGATE_STORAGE_REDIS_BATCH_H
#define TRIGATE_STORAGE_REDIS_BATCH_H

#include <trigate/storage.h>

#include "storage/redis/request.h"

/* The sections of apply.lua's arguments, in its order. */
enum section {
	CYCLES_NEEDED,
	ORDERS_NEEDED,
	CYCLES,
	CYCLES_PROGRESS,
	OPEN,
	CLOSED,
	ORDERS,
	ORDER_MEMBERS,
	ORDERS_PROGRESS,
	FILLS,
	EVENTS,
	EVENT_MEMBERS,
	LOOSE,
	SECTIONS
};

struct seen;

struct batch_work {
	struct part sections[SECTIONS];
	struct bytes row;
	struct seen *seen; /* cycles, orders and events that the batch names */
	uint32_t *buckets; /* 1 + index into seen, by hash; 0: free */
	uint32_t seen_count, seen_room, bucket_count;
};

void batch_work_finish(struct batch_work *work);

#endif
