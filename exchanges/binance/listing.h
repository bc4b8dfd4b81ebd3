/* One symbol of GET /api/v3/exchangeInfo: its terms of trade, checked. [any] */
#ifndef TRIGATE_EXCHANGES_BINANCE_LISTING_H
#define TRIGATE_EXCHANGES_BINANCE_LISTING_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include <trigate/exchange.h>

#include "exchanges/binance/bounds.h"

/* Everything that may change while the symbol lives. Compared as bytes: no padding, cleared before it is filled.
 * Numbers are without trailing zeros; 0 means that there is no such limit. */
struct listing_terms {
	int32_t status;         /* TG_MARKET_ */
	int32_t fee_scale;      /* decimals of a commission; the coarser of base and quote */
	struct tg_decimal tick; /* > 0 */
	struct tg_decimal min_price;
	struct tg_decimal max_price;
	struct tg_decimal lot; /* > 0 */
	struct tg_decimal min_qty;
	struct tg_decimal max_qty;
	struct tg_decimal market_lot; /* of market orders */
	struct tg_decimal market_min_qty;
	struct tg_decimal market_max_qty;
	struct tg_decimal min_notional;
	struct tg_decimal max_notional;
	struct tg_decimal bid_up; /* a buy's price is at most so many times the average of avg_price_mins */
	struct tg_decimal bid_down;
	struct tg_decimal ask_up;
	struct tg_decimal ask_down;
	struct tg_decimal max_position; /* base: free, locked and open buys together */
	int64_t avg_price_mins;         /* 0: the last price */
	int64_t max_orders;             /* open at a time */
	int64_t max_algo_orders;
	int64_t max_iceberg_orders;
	int64_t iceberg_parts;
	int64_t max_order_amends;
	int64_t max_order_lists;
};

struct listing {
	char symbol[BINANCE_SYMBOL_MAX];
	char base[BINANCE_ASSET_MAX];
	char quote[BINANCE_ASSET_MAX];
	struct listing_terms terms;
};

/* The symbol's name, if it can be one: text without blanks, control characters, ASCII's lower-case letters (stream
 * names have them for the capitals) and what means something in a URL or in JSON. False: there is none. */
bool listing_symbol(struct json_object *object, struct tg_str *ret_symbol);

/* Can this be a symbol's name? */
bool listing_symbol_fits(struct tg_str symbol);

/* Read a symbol. NULL, or why it is not understood; then *ret_listing means nothing. */
const char *listing_read(struct json_object *object, struct listing *ret_listing);

#endif
