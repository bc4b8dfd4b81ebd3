/* The book of one market as far as it is known: the best levels of either side, without a hole. Owner: depth.
 *
 * A snapshot tells so many levels and no more, and only LADDER_HELD are kept. What lies behind the last one is then not
 * known (`cut`), so a change back there is passed over, and the side gets shorter with each level that goes. Whatever
 * is held is exactly the best of the true book; once less than LADDER_VIEW is left of a cut side it is thin, and a new
 * snapshot is due. "Due to depth snapshots having a limit on the number of price levels, a price level outside of the
 * initial snapshot that doesn't have a quantity change won't have an update in the Diff. Depth Stream." (Web Socket
 * Streams for Binance, 2023-12-04.) */
#ifndef TRIGATE_EXCHANGES_BINANCE_LADDER_H
#define TRIGATE_EXCHANGES_BINANCE_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/exchange.h>

#include "exchanges/binance/bounds.h"

struct ladder_side {
	uint32_t count;
	uint32_t cut;                       /* there may be more behind the last level */
	struct tg_level level[LADDER_HELD]; /* best first */
};

struct ladder {
	struct ladder_side bids;
	struct ladder_side asks;
};

struct ladder_levels {
	const struct tg_level *bids;
	const struct tg_level *asks;
	uint32_t bid_count;
	uint32_t ask_count;
};

/* What events have told of a side: its LADDER_VIEW best. */
struct ladder_view {
	uint32_t bid_count;
	uint32_t ask_count;
	struct tg_level bids[LADDER_VIEW];
	struct tg_level asks[LADDER_VIEW];
};

/* Replace it by a snapshot that was asked for with this limit of levels. False if the snapshot is not sorted or holds
 * an empty level: the ladder then means nothing. */
bool ladder_load(struct ladder *ladder, const struct ladder_levels *snapshot, uint32_t limit);

/* Absolute quantities by price; 0 removes. [hot] */
void ladder_apply(struct ladder *ladder, const struct ladder_levels *changes);

bool ladder_is_crossed(const struct ladder *ladder);
bool ladder_is_thin(const struct ladder *ladder);

void ladder_view_take(const struct ladder *ladder, struct ladder_view *ret_view);

/* What turns the view into that of the ladder now: first what has to go, then what has to be set, so that a book of
 * LADDER_VIEW levels never overflows on the way. Both arrays hold 2 * LADDER_VIEW. [hot] */
void ladder_changes(const struct ladder_view *before, const struct ladder *ladder, struct tg_level *ret_bids,
		    uint32_t *ret_bid_count, struct tg_level *ret_asks, uint32_t *ret_ask_count);

#endif
