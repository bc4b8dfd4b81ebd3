#include "exchanges/binance/pending.h"

#include <string.h>

void pending_clear(struct pending *pending)
{
	pending->count = pending->level_count = 0;
}

static void levels_add(struct pending *pending, const struct tg_level *level, uint32_t count)
{
	memcpy(&pending->level[pending->level_count], level, count * sizeof *level);
	pending->level_count += count;
}

_Static_assert(DEPTH_PENDING_LEVELS >= 2 * FRAME_LEVELS_MAX, "one update always has room");

void pending_add(struct pending *pending, const struct frame *frame)
{
	if (pending->count > 0) {
		uint64_t last_id = pending->update[pending->count - 1].last_id;
		if (frame->last_id <= last_id)
			return;
		if (frame->first_id > last_id + 1 || pending->count == DEPTH_PENDING_UPDATES ||
		    pending->level_count + frame->bid_count + frame->ask_count > DEPTH_PENDING_LEVELS)
			pending_clear(pending);
	}
	pending->update[pending->count++] = (struct pending_update){
		.first_id = frame->first_id,
		.last_id = frame->last_id,
		.begin = pending->level_count,
		.bid_count = frame->bid_count,
		.ask_count = frame->ask_count,
	};
	levels_add(pending, frame->bids, frame->bid_count);
	levels_add(pending, frame->asks, frame->ask_count);
}

/* The first update that is younger than the snapshot; count if none is. */
static uint32_t first_after(const struct pending *pending, uint64_t snapshot_id)
{
	uint32_t at = 0;
	while (at < pending->count && pending->update[at].last_id <= snapshot_id)
		at++;
	return at;
}

bool pending_follows(const struct pending *pending, uint64_t snapshot_id, uint64_t *ret_last_id)
{
	uint32_t at = first_after(pending, snapshot_id);
	if (at < pending->count && pending->update[at].first_id > snapshot_id + 1)
		return false;
	*ret_last_id = at < pending->count ? pending->update[pending->count - 1].last_id : snapshot_id;
	return true;
}

void pending_apply(const struct pending *pending, uint64_t snapshot_id, struct ladder *ladder)
{
	for (uint32_t i = first_after(pending, snapshot_id); i < pending->count; i++) {
		const struct pending_update *update = &pending->update[i];
		const struct tg_level *level = &pending->level[update->begin];
		struct ladder_levels changes = {level, level + update->bid_count, update->bid_count, update->ask_count};
		ladder_apply(ladder, &changes);
	}
}
