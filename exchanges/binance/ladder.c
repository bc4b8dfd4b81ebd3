#include "exchanges/binance/ladder.h"

#include <string.h>

/* `sign` makes better prices greater: +1 bids, -1 asks. */

static bool side_load(struct ladder_side *side, int64_t sign, const struct tg_level *level, uint32_t count,
		      uint32_t limit)
{
	for (uint32_t i = 0; i < count; i++)
		if (level[i].qty <= 0 || (i > 0 && sign * level[i - 1].price <= sign * level[i].price))
			return false;
	side->count = count < LADDER_HELD ? count : LADDER_HELD;
	side->cut = count >= limit || count > LADDER_HELD;
	memcpy(side->level, level, side->count * sizeof *level);
	return true;
}

bool ladder_load(struct ladder *ladder, const struct ladder_levels *snapshot, uint32_t limit)
{
	return side_load(&ladder->bids, 1, snapshot->bids, snapshot->bid_count, limit) &&
	       side_load(&ladder->asks, -1, snapshot->asks, snapshot->ask_count, limit);
}

/* Where the level of this price is or belongs. Most changes are near the top. */
static uint32_t side_find(const struct ladder_side *side, int64_t sign, int64_t price)
{
	uint32_t low = 0, high = side->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 4;
		if (sign * side->level[middle].price > sign * price)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void level_remove(struct ladder_side *side, uint32_t at)
{
	side->count--;
	memmove(&side->level[at], &side->level[at + 1], (side->count - at) * sizeof *side->level);
}

static void level_insert(struct ladder_side *side, uint32_t at, struct tg_level level)
{
	if (at == side->count && (side->cut || at == LADDER_HELD)) {
		side->cut = 1;
		return;
	}
	if (side->count == LADDER_HELD)
		side->cut = 1;
	else
		side->count++;
	memmove(&side->level[at + 1], &side->level[at], (side->count - at - 1) * sizeof *side->level);
	side->level[at] = level;
}

static void side_apply(struct ladder_side *side, int64_t sign, const struct tg_level *level, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = side_find(side, sign, level[i].price);
		bool held = at < side->count && side->level[at].price == level[i].price;
		if (held && level[i].qty == 0)
			level_remove(side, at);
		else if (held)
			side->level[at].qty = level[i].qty;
		else if (level[i].qty > 0)
			level_insert(side, at, level[i]);
	}
}

void ladder_apply(struct ladder *ladder, const struct ladder_levels *changes)
{
	side_apply(&ladder->bids, 1, changes->bids, changes->bid_count);
	side_apply(&ladder->asks, -1, changes->asks, changes->ask_count);
}

bool ladder_is_crossed(const struct ladder *ladder)
{
	return ladder->bids.count && ladder->asks.count && ladder->bids.level[0].price >= ladder->asks.level[0].price;
}

static bool side_is_thin(const struct ladder_side *side)
{
	return side->cut && side->count < LADDER_VIEW;
}

bool ladder_is_thin(const struct ladder *ladder)
{
	return side_is_thin(&ladder->bids) || side_is_thin(&ladder->asks);
}

static uint32_t side_view(const struct ladder_side *side, struct tg_level *ret_level)
{
	uint32_t count = side->count < LADDER_VIEW ? side->count : LADDER_VIEW;
	memcpy(ret_level, side->level, count * sizeof *ret_level);
	return count;
}

void ladder_view_take(const struct ladder *ladder, struct ladder_view *ret_view)
{
	ret_view->bid_count = side_view(&ladder->bids, ret_view->bids);
	ret_view->ask_count = side_view(&ladder->asks, ret_view->asks);
}

/* Both are sorted: one walk over the two. */
static uint32_t side_changes(const struct tg_level *before, uint32_t before_count, const struct ladder_side *side,
			     int64_t sign, struct tg_level *ret_level)
{
	uint32_t now_count = side->count < LADDER_VIEW ? side->count : LADDER_VIEW;
	const struct tg_level *now = side->level;
	struct tg_level set[LADDER_VIEW] = {0};
	uint32_t gone_count = 0, set_count = 0, i = 0, j = 0;

	while (i < before_count || j < now_count) {
		if (j == now_count || (i < before_count && sign * before[i].price > sign * now[j].price)) {
			ret_level[gone_count++] = (struct tg_level){before[i++].price, 0};
		} else if (i == before_count || before[i].price != now[j].price) {
			set[set_count++] = now[j++];
		} else {
			if (before[i].qty != now[j].qty)
				set[set_count++] = now[j];
			i++, j++;
		}
	}
	memcpy(ret_level + gone_count, set, set_count * sizeof *set);
	return gone_count + set_count;
}

void ladder_changes(const struct ladder_view *before, const struct ladder *ladder, struct tg_level *ret_bids,
		    uint32_t *ret_bid_count, struct tg_level *ret_asks, uint32_t *ret_ask_count)
{
	*ret_bid_count = side_changes(before->bids, before->bid_count, &ladder->bids, 1, ret_bids);
	*ret_ask_count = side_changes(before->asks, before->ask_count, &ladder->asks, -1, ret_asks);
}
