/* The account's orders and fills, all that ever were, as the venue answers for them. Owner: one venue. Indices stay
 * valid for ever; pointers until the next addition. */
#ifndef TRIGATE_VENUE_ORDERS_H
#define TRIGATE_VENUE_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/exchange.h>

#include "venue/limits.h"

#define INDEX_NONE UINT32_MAX

/* Why an order was refused or ended: X(NAME, code, text). Codes and texts of refusals are Binance's (Spot REST API,
 * "Error codes for Binance"), so that a gateway meets what it would meet there. */
#define REASON_TABLE(X) \
	X(NONE, 0, "") \
	X(MARKET_CLOSED, -1013, "Market is closed.") \
	X(PRICE_FILTER, -1013, "Filter failure: PRICE_FILTER") \
	X(LOT_SIZE, -1013, "Filter failure: LOT_SIZE") \
	X(NOTIONAL, -1013, "Filter failure: NOTIONAL") \
	X(MAX_NUM_ORDERS, -1013, "Filter failure: MAX_NUM_ORDERS") \
	X(LATE, -1021, "Timestamp for this request is outside of the recvWindow.") \
	X(BAD_ID, -1100, "Illegal characters found in parameter 'newClientOrderId'.") \
	X(BAD_TYPE, -1115, "Invalid timeInForce or side.") \
	X(BAD_SYMBOL, -1121, "Invalid symbol.") \
	X(DUPLICATE, -2010, "Duplicate order sent.") \
	X(NO_FUNDS, -2010, "Account has insufficient balance for requested action.") \
	X(WOULD_TAKE, -2010, "Order would immediately match and take.") \
	X(UNKNOWN_ORDER, -2011, "Unknown order sent.") \
	X(ON_REQUEST, 0, "Cancelled on request.") \
	X(NOT_MATCHED, 0, "Nothing more to match at this price.") \
	X(SELF_TRADE, 0, "Expired by self-trade prevention.") \
	X(FILTERS_CHANGED, 0, "Cancelled by the exchange: it no longer fits the market's filters.") \
	X(DELISTED, 0, "Cancelled by the exchange: the market was delisted.") \
	X(RESTARTED, 0, "Expired by the exchange: it was restarted.")

#define REASON_CONST(name, code, text) REASON_##name,
enum reason { REASON_TABLE(REASON_CONST) REASON_COUNT };
#undef REASON_CONST

const char *reason_text(enum reason reason);
int64_t reason_code(enum reason reason);
const char *reason_name(enum reason reason); /* "MARKET_CLOSED": what the ledger keeps */
enum reason reason_find(struct tg_str name); /* REASON_COUNT if there is none */

struct venue_order {
	char client_id[VENUE_CLIENT_ID_MAX]; /* may be empty */
	int32_t state;                       /* TG_ORDER_OPEN, FILLED, CANCELLED, EXPIRED, REJECTED */
	uint32_t market;
	int32_t side;
	int32_t time_in_force;
	enum reason reason;
	struct tg_decimal price; /* as ordered */
	struct tg_decimal qty;
	int64_t filled; /* mantissa at the market's qty_scale */
	int64_t created_ns;
	int64_t ended_ns; /* 0: open */
	uint32_t slot;    /* in the engine while it rests */
	uint32_t first_fill;
	uint32_t last_fill;
	uint32_t next_open; /* list of open orders, by age */
	uint32_t previous_open;
};

struct venue_fill {
	uint32_t order;
	uint32_t next; /* of the same order */
	uint64_t trade_id;
	int64_t price; /* mantissas of the market */
	int64_t qty;
	int64_t cum_qty; /* of the order, with this one */
	int64_t ns;
	tg_amount fee;
	uint32_t fee_currency;
	bool maker;
};

struct orders {
	struct venue_order *order;
	uint32_t count;
	uint32_t capacity;
	struct venue_fill *fill;
	uint32_t fill_count;
	uint32_t fill_capacity;
	uint32_t *index; /* client id to newest order: order + 1, 0 free; open addressing */
	uint32_t index_size;
	uint32_t first_open;
	uint32_t last_open;
	uint32_t open_count;
};

void orders_init(struct orders *orders);
void orders_finish(struct orders *orders);

/* Append; returns its index, INDEX_NONE when memory ran out. A client id leads to its newest accepted order; to a
 * rejected one only while none was accepted. An order in state OPEN joins the list of open orders. */
uint32_t orders_add(struct orders *orders, const struct venue_order *order);
/* The newest order of a client id, INDEX_NONE if there is none. */
uint32_t orders_find(const struct orders *orders, struct tg_str client_id);
/* Out of the list of open orders, into a final state. */
void orders_close(struct orders *orders, uint32_t index, int32_t state, enum reason reason, int64_t ns);
/* Append a fill to its order, which it raises; returns its index, INDEX_NONE when memory ran out. */
uint32_t orders_fill(struct orders *orders, const struct venue_fill *fill);

#endif
