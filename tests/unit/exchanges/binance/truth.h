/* A market as the exchange knows it, for tests: it moves at random, keeps what its best levels were after each update,
 * and gives updates and snapshots as frames. */
#ifndef TRIGATE_TESTS_BINANCE_TRUTH_H
#define TRIGATE_TESTS_BINANCE_TRUTH_H

#include "exchanges/binance/depth.h"
#include "exchanges/binance/ladder.h"

#define TRUTH_PRICES 512
#define TRUTH_KEPT 4096 /* updates of which the best levels are remembered */

struct truth_top {
	uint64_t id;
	struct ladder_view view;
};

struct truth {
	uint64_t id;
	uint64_t random;
	int64_t middle;
	int64_t bid[TRUTH_PRICES]; /* quantity by price */
	int64_t ask[TRUTH_PRICES];
	struct truth_top top[TRUTH_KEPT];
};

static inline uint64_t truth_random(struct truth *truth, uint64_t below)
{
	truth->random ^= truth->random << 13;
	truth->random ^= truth->random >> 7;
	truth->random ^= truth->random << 17;
	return (truth->random >> 11) % below;
}

static inline uint32_t truth_levels(const int64_t *qty, bool bids, uint32_t limit, struct tg_level *ret_level)
{
	uint32_t count = 0;
	for (int64_t i = 0; i < TRUTH_PRICES && count < limit; i++) {
		int64_t price = bids ? TRUTH_PRICES - 1 - i : i;
		if (qty[price])
			ret_level[count++] = (struct tg_level){price, qty[price]};
	}
	return count;
}

static inline void truth_remember(struct truth *truth)
{
	struct truth_top *top = &truth->top[truth->id % TRUTH_KEPT];
	top->id = truth->id;
	top->view.bid_count = truth_levels(truth->bid, true, LADDER_VIEW, top->view.bids);
	top->view.ask_count = truth_levels(truth->ask, false, LADDER_VIEW, top->view.asks);
}

static inline void truth_init(struct truth *truth, uint64_t seed)
{
	memset(truth, 0, sizeof *truth);
	truth->random = seed * 2654435761u + 88172645463325252u;
	truth->middle = TRUTH_PRICES / 2;
	truth->id = 1000;
	for (int64_t i = 1; i < 200; i++) {
		truth->bid[truth->middle - i] = (int64_t)truth_random(truth, 3) * 10;
		truth->ask[truth->middle + i] = (int64_t)truth_random(truth, 3) * 10;
	}
	truth_remember(truth);
}

static inline void truth_set(int64_t *qty, int64_t price, int64_t to, struct tg_level *level, uint32_t *count)
{
	if (qty[price] == to)
		return;
	qty[price] = to;
	level[(*count)++] = (struct tg_level){price, to};
}

/* The next update: a few levels, and now and then the middle moves. */
static inline void truth_move(struct truth *truth, struct frame *frame)
{
	frame->kind = FRAME_UPDATE;
	frame->bid_count = frame->ask_count = 0;
	frame->first_id = truth->id + 1;
	truth->id += 1 + truth_random(truth, 3);
	frame->last_id = truth->id;
	int64_t step = (int64_t)truth_random(truth, 13) - 6, to = truth->middle + step;
	if (truth_random(truth, 4) == 0 && to > 150 && to < TRUTH_PRICES - 150) {
		for (int64_t price = truth->middle; price <= to; price++)
			truth_set(truth->ask, price, 0, frame->asks, &frame->ask_count);
		for (int64_t price = truth->middle; price >= to; price--)
			truth_set(truth->bid, price, 0, frame->bids, &frame->bid_count);
		truth->middle = to;
	}
	for (uint64_t i = truth_random(truth, 5); i > 0; i--) {
		int64_t away = 1 + (int64_t)truth_random(truth, truth_random(truth, 4) ? 12 : 140);
		int64_t qty = (int64_t)truth_random(truth, 3) * (1 + (int64_t)truth_random(truth, 50));
		if (truth_random(truth, 2))
			truth_set(truth->bid, truth->middle - away, qty, frame->bids, &frame->bid_count);
		else
			truth_set(truth->ask, truth->middle + away, qty, frame->asks, &frame->ask_count);
	}
	truth_remember(truth);
}

static inline void truth_snapshot(const struct truth *truth, uint32_t limit, struct frame *frame)
{
	frame->kind = FRAME_SNAPSHOT;
	frame->left_out = 0;
	frame->first_id = frame->last_id = truth->id;
	frame->bid_count = truth_levels(truth->bid, true, limit, frame->bids);
	frame->ask_count = truth_levels(truth->ask, false, limit, frame->asks);
}

/* What the best levels were after an update; NULL: it is forgotten, or never was. */
static inline const struct ladder_view *truth_at(const struct truth *truth, uint64_t id)
{
	const struct truth_top *top = &truth->top[id % TRUTH_KEPT];
	return top->id == id ? &top->view : NULL;
}

static inline bool truth_levels_equal(const struct tg_level *a, uint32_t a_count, const struct tg_level *b,
				      uint32_t b_count)
{
	if (a_count != b_count)
		return false;
	for (uint32_t i = 0; i < a_count; i++)
		if (a[i].price != b[i].price || a[i].qty != b[i].qty)
			return false;
	return true;
}

#endif
