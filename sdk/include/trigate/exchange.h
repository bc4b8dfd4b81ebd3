/* trigate plugin ABI 0.1: exchange connectors (TG_KIND_EXCHANGE).
 *
 * A connector turns requests into bytes and bytes into events. The host owns sockets, timers, clocks, threads, retries,
 * rate limits and secrets, and lends them as extensions (abi.h). All calls on one instance, and all events it raises,
 * happen on the host's loop thread.
 *
 * Manifest capabilities that the host reads:
 *   "client_id":  {"alphabet": "hex" | "alnum" | "alnum-_", "max_length": n, "unique": "open" | "for-ever"}
 *   "lookup":     list of "client_id", "exchange_id", "listing", "symbol" (order_query also takes TG_MARKET_UNLISTED);
 *                 "lookup_days": how far back
 *   "validity_bound": true if an order can carry valid_ms after which the exchange no longer accepts it
 *   "lag_ms":     how long after an answer a look-up may still not see an order
 *   "fills":      "each" (every trade with its id) or "cumulative"
 *   "simulated":  true if orders move no real money (no --live needed)
 *
 * Life of an instance: create, start, (link UP, instruments, balances, books), order_place ..., stop, destroy.
 */
#ifndef TRIGATE_EXCHANGE_H
#define TRIGATE_EXCHANGE_H

#include <trigate/abi.h>
#include <trigate/amount.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TG_SIDE_BUY = 1, TG_SIDE_SELL = 2 }; /* of the base currency */
enum { TG_TIF_GTC = 1, TG_TIF_IOC = 2, TG_TIF_FOK = 3, TG_TIF_POST_ONLY = 4 };
enum { TG_MARKET_TRADING = 1, TG_MARKET_HALTED = 2, TG_MARKET_CANCEL_ONLY = 3, TG_MARKET_DELISTED = 4 };
enum { TG_LINK_DOWN = 1, TG_LINK_UP = 2, TG_LINK_END_OF_DATA = 3 };

#define TG_CLIENT_ID_LEN 32 /* hex digits that the host puts into an order's client id */

/* A market and its filters. `market` is the connector's index: dense from 0, never given to another symbol. When
 * anything changes the connector raises `version` and sends the struct again. */
struct tg_instrument {
	uint32_t size;
	uint32_t market;
	uint32_t version;
	int32_t status; /* TG_MARKET_ */
	struct tg_str symbol;
	struct tg_str base;
	struct tg_str quote;
	struct tg_decimal tick;         /* price increment, > 0, in quote per base */
	struct tg_decimal lot;          /* quantity increment, > 0, in base */
	struct tg_decimal min_qty;      /* base; 0: none */
	struct tg_decimal max_qty;      /* base; 0: none */
	struct tg_decimal min_notional; /* quote; 0: none */
	struct tg_decimal taker_bps;    /* this account's fee, >= 0 */
	struct tg_decimal maker_bps;
	struct tg_str fee_currency; /* empty: the received currency; else fees are taken in this one */
	int32_t fee_scale;          /* a fee is rounded up to this many decimals of its currency */
	uint32_t reserved;
};

/* Price as a mantissa at the scale of the instrument's tick, quantity at the scale of its lot. */
struct tg_level {
	int64_t price;
	int64_t qty; /* 0 deletes the level */
};

enum { TG_BOOK_SNAPSHOT = 1 }; /* flag: replaces the book; without it the levels are changes */

struct tg_book_event {
	uint32_t size;
	uint32_t market;
	uint32_t version; /* of the instrument that the mantissas refer to */
	uint32_t flags;
	uint64_t sequence;           /* of this market, rising */
	int64_t exchange_ns;         /* unix time at the exchange, 0 if it does not tell */
	int64_t received_ns;         /* mono_ns when the frame came in */
	const struct tg_level *bids; /* best first in a snapshot */
	const struct tg_level *asks;
	uint32_t bid_count;
	uint32_t ask_count;
};

/* A limit order in base units. */
struct tg_order_request {
	uint32_t size;
	uint32_t market;
	uint32_t version; /* of the instrument that it was sized for */
	int32_t side;
	int32_t time_in_force;
	uint32_t reserved;
	struct tg_str client_id;
	struct tg_decimal price;
	struct tg_decimal qty;
	int64_t valid_ms; /* the exchange must not accept it later than so long after sending; 0: no bound */
	uint64_t token;   /* comes back in done() */
};

/* The market of an order whose symbol is none of the instruments that this start has told: it was listed when the order
 * was placed, by an earlier start. A connector is given it if its manifest's look-up has "symbol", and in order_query
 * alone; the events that answer carry it, too. */
#define TG_MARKET_UNLISTED UINT32_MAX

/* Names an order. Either id may be empty where the manifest's look-up allows. */
struct tg_order_ref {
	uint32_t size;
	uint32_t market;
	struct tg_str client_id;
	struct tg_str exchange_id;
	uint64_t token;
	struct tg_str symbol; /* as the instrument had it; read with TG_MARKET_UNLISTED alone, else it may be empty */
};

enum {
	TG_ORDER_ACCEPTED = 1,  /* the exchange has it */
	TG_ORDER_FILL = 2,      /* one trade: fill_*, fee*; cum_qty after it */
	TG_ORDER_CANCELLED = 3, /* final; cum_qty tells what was filled before */
	TG_ORDER_REJECTED = 4,  /* final; it never was in the book */
	TG_ORDER_EXPIRED = 5,   /* final; the rest of an IOC or FOK order */
	TG_ORDER_FILLED = 6,    /* final; all of it */
	TG_ORDER_OPEN = 7,      /* answer to a look-up: it rests in the book */
	TG_ORDER_ABSENT = 8     /* answer to a look-up: the exchange does not know it (now) */
};

/* Something about one order. May come again (a look-up repeats fills): fill_id tells repetitions apart. */
struct tg_order_event {
	uint32_t size;
	int32_t kind; /* TG_ORDER_ */
	uint32_t market;
	int32_t side;
	struct tg_str client_id; /* may be foreign: not every order of an account is ours */
	struct tg_str exchange_id;
	struct tg_decimal price;   /* limit */
	struct tg_decimal qty;     /* ordered, base */
	struct tg_decimal cum_qty; /* filled so far, base */
	struct tg_str fill_id;     /* unique within the market */
	struct tg_decimal fill_price;
	struct tg_decimal fill_qty;
	struct tg_decimal fee; /* >= 0, charged */
	struct tg_str fee_currency;
	int64_t exchange_ns;
	const struct tg_error *reason; /* for REJECTED, CANCELLED, EXPIRED; may be NULL */
};

struct tg_balance_event {
	uint32_t size;
	uint32_t reserved;
	struct tg_str currency;
	struct tg_money free;
	struct tg_money locked; /* in open orders */
};

/* What the host takes from a connector. All [io], on the loop thread; never from inside create, and book, order and
 * done never from inside a call of the host on the same instance. */
struct tg_exchange_events {
	uint32_t size;
	uint32_t reserved;
	void *ctx;
	void (*instruments)(void *ctx, const struct tg_instrument *list, uint32_t count);
	void (*book)(void *ctx, const struct tg_book_event *event);
	void (*order)(void *ctx, const struct tg_order_event *event);
	void (*balance)(void *ctx, const struct tg_balance_event *event);
	/* UP: orders and market data flow. DOWN: assume nothing; with TG_ERR_AUTH before the first UP, the host gives
	 * up. END_OF_DATA: nothing will change by itself any more. */
	void (*link)(void *ctx, int32_t state, const struct tg_error *reason);
	/* The one answer to a call that returned TG_PENDING. For order_place: TG_OK (accepted), TG_ERR_REJECTED,
	 * TG_ERR_RETRYABLE or TG_ERR_RATE_LIMITED (not accepted), TG_ERR_UNKNOWN_OUTCOME and all else (unknown). */
	void (*done)(void *ctx, uint64_t token, int32_t status, const struct tg_error *error);
};

struct tg_exchange_api {
	uint32_t size;
	uint32_t reserved;
	/* [control] Check the configuration, take memory. events lives until destroy. */
	int32_t (*create)(const struct tg_host *host, const struct tg_config *config,
			  const struct tg_exchange_events *events, void **ret_self, struct tg_error *ret_error);
	void (*destroy)(void *self); /* [control] NULL is allowed */
	/* [control] Begin. instruments and balances come before link UP. */
	int32_t (*start)(void *self, struct tg_error *ret_error);
	/* [control] End: no event and no answer after it returns. What is open stays open at the exchange. */
	int32_t (*stop)(void *self);
	/* [control] Stream the books of these markets. More calls add to it. */
	int32_t (*subscribe)(void *self, const uint32_t *markets, uint32_t count, struct tg_error *ret_error);
	/* [hot] Send a new order. TG_PENDING, or an error: then nothing was sent. */
	int32_t (*order_place)(void *self, const struct tg_order_request *request, struct tg_error *ret_error);
	/* [io] Cancel. TG_PENDING; done() tells whether the cancel was taken, an order event what became of the order.
	 */
	int32_t (*order_cancel)(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error);
	/* [io] Ask for one order. TG_PENDING; all its fills, then one of CANCELLED, REJECTED, EXPIRED, FILLED, OPEN,
	 * ABSENT come as order events, then done(). ABSENT is evidence: an exchange that does not know the symbol, and
	 * so does not say anything of the order, is an error. */
	int32_t (*order_query)(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error);
	/* [io] Ask for every order of the account in these markets (at least one, none twice) that was created since
	 * (unix) or is open; as order_query for each. The list is borrowed for the call. */
	int32_t (*orders_list)(void *self, const uint32_t *markets, uint32_t market_count, int64_t since_unix_ns,
			       uint64_t token, struct tg_error *ret_error);
	/* [io] Ask for all balances. TG_PENDING; balance events, then done(). */
	int32_t (*balances)(void *self, uint64_t token, struct tg_error *ret_error);
	/* [any] A further vtable of this connector by id, or NULL. */
	const void *(*extension)(void *self, struct tg_str id);
};

#ifdef __cplusplus
}
#endif
#endif
