/* Updates that wait for a snapshot, in order and without a gap among them. Memory is its own, bounded, and kept.
 * Owner: depth. */
#ifndef TRIGATE_EXCHANGES_BINANCE_PENDING_H
#define TRIGATE_EXCHANGES_BINANCE_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "exchanges/binance/frame.h"
#include "exchanges/binance/ladder.h"

struct pending_update {
	uint64_t first_id;
	uint64_t last_id;
	uint32_t begin; /* in level: bids, then asks */
	uint32_t bid_count;
	uint32_t ask_count;
	uint32_t reserved;
};

struct pending {
	uint32_t count;
	uint32_t level_count;
	struct pending_update update[DEPTH_PENDING_UPDATES];
	struct tg_level level[DEPTH_PENDING_LEVELS];
};

void pending_clear(struct pending *pending);

/* Keep a copy of an update. What is no younger than the last is passed over. After a gap, or when there is no more
 * room, what was kept before is of no use: it goes, and this one is the first. [hot] */
void pending_add(struct pending *pending, const struct frame *frame);

/* Whether the updates go on where a snapshot ends; *ret_last_id is where they then end. */
bool pending_follows(const struct pending *pending, uint64_t snapshot_id, uint64_t *ret_last_id);

/* Apply those that are younger than the snapshot. */
void pending_apply(const struct pending *pending, uint64_t snapshot_id, struct ladder *ladder);

#endif
