/* Currencies, markets and their books. Owner: the loop thread. Memory: all taken at start (bounds in
 * core/base/limits.h); nothing here allocates afterwards.
 *
 * Units: a price is int64 ticks, a quantity int64 lots of its market; money is tg_amount (1e-18 of a currency).
 *   base amount  = lots * lot_unit
 *   quote amount = ticks * lots * quote_unit        (quote_unit = tick * lot, exact)
 */
#ifndef TRIGATE_CORE_MARKET_MARKET_H
#define TRIGATE_CORE_MARKET_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/amount.h>
#include <trigate/exchange.h>

#include "core/base/limits.h"

#define CURRENCY_NONE UINT32_MAX
#define MARKET_NONE UINT32_MAX

struct level {
	int64_t ticks;
	int64_t lots;
};

/* Only book_apply and book_clear write it. */
struct book {
	int64_t best_bid; /* ticks of bids[0] and asks[0], 0 where there is none: what a tick needs, in one cache line
			   */
	int64_t best_ask;
	uint32_t bid_count;
	uint32_t ask_count;
	uint64_t sequence;
	int64_t received_ns; /* mono; 0: never */
	uint32_t synced;     /* 1 once a snapshot has come; changes without one mean nothing and are ignored */
	uint32_t reserved;
	struct level bids[BOOK_LEVELS_MAX]; /* best first */
	struct level asks[BOOK_LEVELS_MAX];
};

/* A unit as part * 10^zeros, part without zeros at its end; part 0: it does not fit. */
struct unit_form {
	int64_t part;
	int32_t zeros; /* 0..18 */
};

struct market {
	/* What a tick turns the best prices into rates with, after the taker fee; 0 while not trading. Screening only.
	 */
	double sell_unit; /* quote per base of one tick */
	double buy_unit;  /* base per quote at a price of one tick */
	struct book book;
	char symbol[SYMBOL_MAX];
	uint32_t id; /* index in markets */
	uint32_t version;
	/* What sizing looks at, two cache lines: amounts come as forms, too, for its lanes. */
	int32_t status; /* TG_MARKET_; anything but TRADING takes no order */
	uint32_t base;  /* currency ids */
	uint32_t quote;
	uint32_t fee_currency; /* CURRENCY_NONE: the received currency */
	struct unit_form lot_form;
	struct unit_form quote_form;
	int64_t notional_steps;      /* min_notional in 10^quote_form.zeros, rounded up; -1: it does not fit */
	int64_t fee_part, fee_whole; /* taker_e9 / 1e9 in lowest terms */
	int64_t min_lots;            /* >= 1 */
	int64_t max_lots;            /* INT64_MAX: none */
	int64_t taker_e9;            /* fee rate in billionths */
	int64_t maker_e9;
	int32_t fee_scale;
	double tick_size;       /* for screening only */
	struct tg_decimal tick; /* as the connector gave it: prices are mantissas at its scale */
	struct tg_decimal lot;
	tg_amount lot_unit;
	tg_amount quote_unit;
	tg_amount min_notional;
} __attribute__((aligned(64)));

struct markets {
	uint32_t market_count;
	uint32_t currency_count;
	struct market *market;
	char (*currency)[CURRENCY_MAX];
	uint32_t generation; /* rises when a market is added or its status, filters or fees change */
	uint32_t topology;   /* rises only when a market is added: cycles must be enumerated again */
	void *index;         /* symbol and currency look-up, private */
};

int markets_create(struct markets **ret_markets);
void markets_destroy(struct markets *markets);

/* Id of a currency by name; adds it if `add`. CURRENCY_NONE if absent or full. */
uint32_t markets_currency(struct markets *markets, struct tg_str name, bool add);
uint32_t markets_find(const struct markets *markets, struct tg_str symbol);
/* The first market that was added with this base and quote, MARKET_NONE if there is none. [hot] */
uint32_t markets_pair(const struct markets *markets, uint32_t base, uint32_t quote);

/* Add or change a market from the connector's event; ids equal the connector's. Its book is emptied when tick or lot
 * changed. On an error nothing changes and the message says what is wrong: TG_ERR_INVALID (tick or lot not positive,
 * same base and quote, empty, over-long or unprintable names, out of order id, id given to another symbol, negative
 * fee, min_qty above max_qty), TG_ERR_OVERFLOW (tick * lot finer than 1e-18, or numbers out of range), TG_ERR_LIMIT. */
int markets_update(struct markets *markets, const struct tg_instrument *instrument, struct tg_error *ret_error);

/* What book_apply found. */
enum { BOOK_UNCHANGED = 0, BOOK_CHANGED = 1 };
/* Apply an event of this market. Returns BOOK_ or TG_ERR_INVALID (price or quantity not a positive multiple of tick or
 * lot, unsorted snapshot), TG_ERR_VERSION (event of another filter version): the book is then emptied, for it can no
 * longer be trusted, and stays so until the next snapshot. Changes no newer than the book are ignored. [hot] */
int book_apply(struct market *market, const struct tg_book_event *event);

/* Empty the book, for example when the link is lost. [hot] */
void book_clear(struct book *book);

/* An edge is one side of one market: 2 * market + (side == SELL). */
static inline uint32_t edge_of(uint32_t market, int32_t side)
{
	return 2 * market + (side == TG_SIDE_SELL);
}
static inline uint32_t edge_market(uint32_t edge)
{
	return edge / 2;
}
static inline int32_t edge_side(uint32_t edge)
{
	return edge & 1 ? TG_SIDE_SELL : TG_SIDE_BUY;
}
static inline uint32_t edge_from(const struct markets *m, uint32_t edge)
{
	return edge & 1 ? m->market[edge / 2].base : m->market[edge / 2].quote;
}
static inline uint32_t edge_to(const struct markets *m, uint32_t edge)
{
	return edge & 1 ? m->market[edge / 2].quote : m->market[edge / 2].base;
}

#endif
