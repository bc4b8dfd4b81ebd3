#include <assert.h>
#include <string.h>

#include "core/market/market.h"

/* One side of a book; `sign` makes better prices greater: +1 bids, -1 asks. */
struct side {
	struct level *level;
	uint32_t *count;
	int64_t sign;
};

/* Whole steps of it; most steps are 1 at their scale, and cost no division. */
static bool steps_take(int64_t value, int64_t step, int64_t *ret_steps)
{
	if (step == 1) {
		*ret_steps = value;
		return true;
	}
	*ret_steps = value / step;
	return value % step == 0;
}

/* A level in ticks and lots. False if price or quantity is no positive multiple (`deletes`: quantity 0 is one). */
static bool level_read(const struct market *market, const struct tg_level *from, bool deletes, struct level *ret_level)
{
	if (from->price <= 0 || from->qty < 0 || (from->qty == 0 && !deletes))
		return false;
	return steps_take(from->price, market->tick.mantissa, &ret_level->ticks) &&
	       steps_take(from->qty, market->lot.mantissa, &ret_level->lots);
}

static int side_replace(const struct market *market, struct side side, const struct tg_level *from, uint32_t count)
{
	uint32_t kept = count < BOOK_LEVELS_MAX ? count : BOOK_LEVELS_MAX;
	int changed = *side.count != kept;

	for (uint32_t i = 0; i < count; i++) {
		struct level level;
		if (i > 0 && side.sign * (from[i - 1].price - from[i].price) <= 0)
			return TG_ERR_INVALID;
		if (!level_read(market, &from[i], false, &level))
			return TG_ERR_INVALID;
		if (i >= kept)
			continue;
		changed |= side.level[i].ticks != level.ticks || side.level[i].lots != level.lots;
		side.level[i] = level;
	}
	*side.count = kept;
	return changed ? BOOK_CHANGED : BOOK_UNCHANGED;
}

/* Where the level of this price is or belongs. */
static uint32_t side_find(struct side side, int64_t ticks)
{
	uint32_t at = 0;

	while (at < *side.count && side.sign * side.level[at].ticks > side.sign * ticks)
		at++;
	return at;
}

static int level_set(struct side side, uint32_t at, struct level level)
{
	side.level[at] = level;
	return BOOK_CHANGED;
}

static int level_remove(struct side side, uint32_t at)
{
	memmove(&side.level[at], &side.level[at + 1], (*side.count - at - 1) * sizeof *side.level);
	--*side.count;
	return BOOK_CHANGED;
}

/* Deeper levels than BOOK_LEVELS_MAX fall out at the end. One that fell out is missing when levels before it go: the
 * book then shows less depth than there is, never more. */
static int level_insert(struct side side, uint32_t at, struct level level)
{
	if (at == BOOK_LEVELS_MAX)
		return BOOK_UNCHANGED;
	if (*side.count < BOOK_LEVELS_MAX)
		++*side.count;
	memmove(&side.level[at + 1], &side.level[at], (*side.count - at - 1) * sizeof *side.level);
	side.level[at] = level;
	return BOOK_CHANGED;
}

static int side_change(const struct market *market, struct side side, const struct tg_level *from, uint32_t count)
{
	int changed = BOOK_UNCHANGED;

	for (uint32_t i = 0; i < count; i++) {
		struct level level;
		if (!level_read(market, &from[i], true, &level))
			return TG_ERR_INVALID;
		uint32_t at = side_find(side, level.ticks);
		bool held = at < *side.count && side.level[at].ticks == level.ticks;
		if (held && level.lots == side.level[at].lots)
			continue;
		if (level.lots == 0)
			changed |= held ? level_remove(side, at) : BOOK_UNCHANGED;
		else if (held)
			changed |= level_set(side, at, level);
		else
			changed |= level_insert(side, at, level);
	}
	return changed;
}

void book_clear(struct book *book)
{
	memset(book, 0, sizeof *book);
}

static int book_distrust(struct book *book, int status)
{
	book_clear(book);
	return status;
}

int book_apply(struct market *market, const struct tg_book_event *event)
{
	assert(event->market == market->id);
	struct book *book = &market->book;
	struct side bids = {book->bids, &book->bid_count, 1};
	struct side asks = {book->asks, &book->ask_count, -1};
	bool snapshot = event->flags & TG_BOOK_SNAPSHOT;

	if (event->version != market->version)
		return book_distrust(book, TG_ERR_VERSION);
	if (!snapshot && (!book->synced || (event->sequence && event->sequence <= book->sequence)))
		return BOOK_UNCHANGED;
	int (*apply)(const struct market *, struct side, const struct tg_level *, uint32_t) =
		snapshot ? side_replace : side_change;
	int bid_change = apply(market, bids, event->bids, event->bid_count);
	int ask_change = apply(market, asks, event->asks, event->ask_count);
	if (bid_change < 0 || ask_change < 0)
		return book_distrust(book, TG_ERR_INVALID);
	book->best_bid = book->bid_count ? book->bids[0].ticks : 0;
	book->best_ask = book->ask_count ? book->asks[0].ticks : 0;
	book->sequence = event->sequence;
	book->received_ns = event->received_ns;
	book->synced = 1;
	return bid_change | ask_change;
}
