/* The matching engine: markets, order books with price-time priority, trades. Owner: one venue; one thread. It moves
 * money between the parties' balances as it trades; fees, client ids, history and the ledger are the venue's business.
 *
 * Units: a price is a mantissa at the market's price_scale, a quantity one at its qty_scale. Both scales are fixed for
 * the life of a market: filters may grow coarser and finer again, never finer than they began. */
#ifndef TRIGATE_VENUE_ENGINE_H
#define TRIGATE_VENUE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/exchange.h>

#include "venue/account.h"
#include "venue/limits.h"

#define ORDER_NONE UINT32_MAX
#define CURRENCY_NONE_AT_VENUE UINT32_MAX

/* The orders of one price, oldest first. */
struct price_level {
	int64_t price;
	int64_t qty; /* sum of what is left of its orders */
	uint32_t head;
	uint32_t tail;
};

struct book_side {
	struct price_level *level; /* worst first, so that the best is the last and cheap to remove */
	uint32_t count;
	uint32_t capacity;
};

struct venue_market {
	char symbol[VENUE_SYMBOL_MAX];
	uint32_t base; /* currency indices */
	uint32_t quote;
	int32_t price_scale;
	int32_t qty_scale;
	int32_t status;   /* TG_MARKET_ */
	uint32_t version; /* from 1, rises with every change of status or filters */
	int64_t tick;     /* mantissas */
	int64_t lot;
	int64_t min_qty;
	int64_t max_qty; /* 0: none */
	tg_amount min_notional;
	tg_amount base_unit;  /* amount of one unit of quantity */
	tg_amount quote_unit; /* amount of one unit of price times one of quantity */
	int64_t taker_e9;     /* the account's fees in billionths */
	int64_t maker_e9;
	int64_t last_price;   /* of the last trade, 0: none */
	uint64_t trade_count; /* the last trade's id */
	bool book_changed;    /* since the reader of engine->changed cleared it */
	bool traded;          /* since the makers last looked */
	struct book_side bids;
	struct book_side asks;
};

struct resting_order {
	uint32_t market;
	uint32_t owner;
	int32_t side;
	uint32_t tag; /* the owner's, comes back in trades */
	int64_t price;
	int64_t left; /* quantity */
	uint32_t previous;
	uint32_t next; /* also links free slots */
};

struct trade {
	uint32_t market;
	uint32_t maker_owner;
	uint32_t taker_owner;
	uint32_t maker_tag;
	uint32_t taker_tag;
	int32_t taker_side;
	bool maker_done; /* the resting order is used up */
	int64_t price;
	int64_t qty;
	uint64_t id; /* of the market */
};

struct engine {
	struct venue_market *market;
	uint32_t market_count;
	uint32_t currency_count;
	char (*currency)[VENUE_CURRENCY_MAX];
	struct accounts accounts;
	struct resting_order *order;
	uint32_t order_capacity;
	uint32_t order_free; /* first free slot */
	struct trade *trade; /* since the reader set trade_count to 0 */
	uint32_t trade_count;
	uint32_t trade_capacity;
	uint32_t *changed; /* markets whose book_changed is set */
	uint32_t changed_count;
	bool out_of_memory; /* an allocation failed: the venue stops */
};

struct new_order {
	uint32_t market;
	uint32_t owner;
	uint32_t tag;
	int32_t side;
	int32_t time_in_force;
	int64_t price;
	int64_t qty;
	int64_t withheld; /* of qty: does not trade at once; such an IOC expires with it, such a FOK as a whole */
};

/* How a submitted order ended its first moment. */
enum submit_verdict {
	SUBMIT_RESTS,    /* some or all of it is in the book */
	SUBMIT_FILLED,   /* all of it traded */
	SUBMIT_EXPIRED,  /* IOC, FOK: the rest is gone */
	SUBMIT_SELF,     /* the rest is gone, for it would have met an order of its own owner */
	SUBMIT_CROSSES,  /* post-only: refused, nothing done */
	SUBMIT_NO_FUNDS, /* refused, nothing done */
};

struct submit_result {
	enum submit_verdict verdict;
	uint32_t order; /* slot if it rests, else ORDER_NONE */
	int64_t filled;
};

/* Takes markets and currencies over (malloc'ed), also on failure. TG_OK or TG_ERR_NO_MEMORY. */
int32_t engine_init(struct engine *engine, struct venue_market *market, uint32_t market_count,
		    char (*currency)[VENUE_CURRENCY_MAX], uint32_t currency_count);
void engine_finish(struct engine *engine);

uint32_t engine_currency(const struct engine *engine, struct tg_str name); /* CURRENCY_NONE_AT_VENUE if there is none */

/* What an order locks: quote for a buy, base for a sell. */
tg_amount engine_cost(const struct venue_market *market, int32_t side, int64_t price, int64_t qty);
/* False if price * qty is more than an amount holds. */
bool engine_cost_fits(const struct venue_market *market, int64_t price, int64_t qty);

/* Set base_unit and quote_unit from the scales; price_scale + qty_scale <= 18. */
void market_units_set(struct venue_market *market);

/* Would it be refused? SUBMIT_CROSSES, SUBMIT_NO_FUNDS, or SUBMIT_RESTS: it would not. */
enum submit_verdict engine_check(const struct engine *engine, const struct new_order *order);

/* Lock, match, rest. Price and quantity are positive and fit; filters are the caller's business. The trades made are
 * appended to engine->trade. */
struct submit_result engine_submit(struct engine *engine, const struct new_order *order);

/* Put an order in the book as it is, matching nothing (a recorded quote, an order from the ledger). Locks; ORDER_NONE
 * if the owner has not the funds. */
uint32_t engine_rest(struct engine *engine, const struct new_order *order);

/* Count a market's book as changed. */
void engine_touch(struct engine *engine, uint32_t market);

/* Take an order out of the book and unlock what is left of it. */
void engine_cancel(struct engine *engine, uint32_t order);
/* The same with all of one owner's orders in a market. */
void engine_cancel_owner(struct engine *engine, uint32_t market, uint32_t owner);

static inline const struct price_level *side_best(const struct book_side *side)
{
	return side->count ? &side->level[side->count - 1] : (const struct price_level *)0;
}

/* The best `room` levels, best first; returns how many. */
uint32_t engine_top(const struct book_side *side, uint32_t room, struct tg_level *ret_levels);

#endif
