/* Markets for the tests of core/market and core/arbitrage, from short texts. */
#ifndef TRIGATE_TESTS_ARBITRAGE_FIXTURE_H
#define TRIGATE_TESTS_ARBITRAGE_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/arbitrage/cycles.h"
#include "tests/tap.h"

static inline struct tg_str str_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static inline struct tg_decimal decimal(const char *text)
{
	struct tg_decimal value = {0};
	if (tg_decimal_parse(str_of(text), &value))
		abort();
	return value;
}

static inline tg_amount amount(const char *text)
{
	tg_amount value = 0;
	if (tg_amount_parse(str_of(text), &value))
		abort();
	return value;
}

static inline const char *amount_text(tg_amount value)
{
	static char text[4][TG_AMOUNT_TEXT_MAX];
	static unsigned turn;
	turn = (turn + 1) % 4;
	tg_amount_format(value, text[turn], sizeof text[turn]);
	return text[turn];
}

/* A market "BASE-QUOTE" with a fee in bps; tick, lot 0.01, fee scale 8. */
static inline struct tg_instrument instrument_of(uint32_t id, const char *base, const char *quote, char symbol[48])
{
	snprintf(symbol, 48, "%s-%s", base, quote);
	return (struct tg_instrument){
		.size = sizeof(struct tg_instrument),
		.market = id,
		.version = 1,
		.status = TG_MARKET_TRADING,
		.symbol = str_of(symbol),
		.base = str_of(base),
		.quote = str_of(quote),
		.tick = decimal("0.01"),
		.lot = decimal("0.01"),
		.fee_scale = 8,
	};
}

static inline uint32_t market_add(struct markets *markets, const char *base, const char *quote)
{
	char symbol[48];
	struct tg_instrument instrument = instrument_of(markets->market_count, base, quote, symbol);
	if (markets_update(markets, &instrument, NULL))
		abort();
	return instrument.market;
}

/* A snapshot of one level a side, in mantissas; 0: none. */
static inline void quote_set(struct market *market, int64_t bid, int64_t bid_qty, int64_t ask, int64_t ask_qty)
{
	struct tg_level bids = {bid, bid_qty}, asks = {ask, ask_qty};
	struct tg_book_event event = {
		.size = sizeof event,
		.market = market->id,
		.version = market->version,
		.flags = TG_BOOK_SNAPSHOT,
		.sequence = market->book.sequence + 1,
		.received_ns = 1,
		.bids = &bids,
		.asks = &asks,
		.bid_count = bid > 0,
		.ask_count = ask > 0,
	};
	if (book_apply(market, &event) < 0)
		abort();
}

static uint64_t random_state = 88172645463325252u;

static inline uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static inline int64_t random_between(int64_t least, int64_t most)
{
	return least + (int64_t)(random_next() % (uint64_t)(most - least + 1));
}

#endif
