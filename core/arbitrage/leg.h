/* One leg over the depth of its book, both ways: what a leg makes of an amount (leg_plan_make, in sizing.h), and what a
 * leg must be given. For sizing.c. Pure, integers only. [hot] */
#ifndef TRIGATE_CORE_ARBITRAGE_LEG_H
#define TRIGATE_CORE_ARBITRAGE_LEG_H

#include "core/arbitrage/sizing.h"

/* The levels that an order of this side meets, best first. */
static inline const struct level *leg_levels(const struct market *market, int32_t side, uint32_t *ret_count)
{
	*ret_count = side == TG_SIDE_SELL ? market->book.bid_count : market->book.ask_count;
	return side == TG_SIDE_SELL ? market->book.bids : market->book.asks;
}

/* True if the fee comes off what the leg receives; else it is paid in a third currency. */
static inline bool leg_fee_deducted(const struct market *market, int32_t side)
{
	uint32_t to = side == TG_SIDE_SELL ? market->quote : market->base;
	return market->fee_currency == CURRENCY_NONE || market->fee_currency == to;
}

/* The least amount of edge_from that trades so many lots. False if the book is not that deep or the number too large.
 */
bool leg_cost(const struct market *market, int32_t side, int64_t lots, tg_amount *ret_have);

/* The fewest lots that bring in at least `want` of edge_to after fees. False as above. */
bool leg_lots_for(const struct market *market, int32_t side, tg_amount want, int64_t *ret_lots);

/* The fewest lots that meet the market's minimum quantity and notional. False as above. */
bool leg_lots_least(const struct market *market, int32_t side, int64_t *ret_lots);

#endif
