/* What the files of venue/binance share; nobody else includes it.
 *
 *   binance.c   the front: HTTP and WebSocket in, endpoint found, security, weight, answer out
 *   endpoints.c the table of endpoints        orders.c account.c market.c session.c  what they do
 *   feed.c      books told to subscribers     stream.c  subscriptions         user.c  the account's events
 *   connection.c                              fault.c   faults on request     symbols.c  names */
#ifndef TRIGATE_VENUE_BINANCE_STATE_H
#define TRIGATE_VENUE_BINANCE_STATE_H

#include "venue/binance/binance.h"
#include "venue/binance/parameters.h"

#define SYMBOL_MAX (VENUE_SYMBOL_MAX)
#define STREAMS_MAX 1024 /* of a connection, Binance's limit */
#define STREAM_NAME_MAX 96
#define SUBSCRIPTIONS_MAX 8 /* user streams of a connection */
#define FAULTS_MAX 32
#define DEPTH_MAX 5000 /* levels of a snapshot */

struct json_object;

/* -------------------------------------------------------------- symbols */

struct symbol {
	char name[SYMBOL_MAX];   /* BTCUSDT */
	char stream[SYMBOL_MAX]; /* btcusdt */
	uint32_t market;
};

struct symbols {
	struct symbol *sorted; /* by name */
	struct symbol **of;    /* by market */
	uint32_t count;
};

int32_t symbols_init(struct symbols *symbols, const struct engine *engine);
void symbols_finish(struct symbols *symbols);
const struct symbol *symbols_find(const struct symbols *symbols, struct tg_str name);
const struct symbol *symbols_find_stream(const struct symbols *symbols, struct tg_str name);

/* ---------------------------------------------------------------- feeds */

enum stream_kind {
	STREAM_TICKER,
	STREAM_DEPTH_FAST, /* every 100 ms */
	STREAM_DEPTH,      /* every second */
	STREAM_TOP5_FAST,
	STREAM_TOP10_FAST,
	STREAM_TOP20_FAST,
	STREAM_TOP5,
	STREAM_TOP10,
	STREAM_TOP20,
	STREAM_KINDS
};

struct seen_side { /* a side as it was when changes were last looked for, best last */
	struct tg_level *level;
	uint32_t count;
	uint32_t capacity;
};

struct touched_side { /* prices whose quantity changed since subscribers were last told, rising */
	int64_t *price;
	uint32_t count;
	uint32_t capacity;
};

struct touched {
	struct touched_side bids;
	struct touched_side asks;
	uint64_t id; /* of the book that was last told */
};

enum { PACE_FAST, PACE_SLOW, PACES };

struct subscriber {
	struct connection *connection;
	enum stream_kind kind;
};

struct feed {
	uint64_t id;           /* of the book's last update */
	struct seen_side bids; /* while somebody follows the changes */
	struct seen_side asks;
	struct touched touched[PACES];
	struct tg_level bid; /* bookTicker: last told */
	struct tg_level ask;
	struct subscriber *subscriber;
	uint32_t subscriber_count;
	uint32_t subscriber_capacity;
	bool dirty[PACES]; /* in the list of those to be told */
};

/* ----------------------------------------------------------- connections */

enum connection_kind { CONNECTION_RAW, CONNECTION_COMBINED, CONNECTION_API };

struct stream {
	char name[STREAM_NAME_MAX];
	uint32_t market; /* UINT32_MAX: nothing ever comes on it */
	enum stream_kind kind;
};

struct connection {
	uint64_t id;
	uint64_t address;
	enum connection_kind kind;
	int64_t opened_ms;      /* as told: the venue's clock */
	int64_t opened_unix_ms; /* this and the next two: the host's */
	int64_t pinged_ms;
	int64_t unanswered_ms; /* the oldest ping without an answer; 0: none */
	int64_t second;        /* that messages are of */
	int64_t messages;
	bool end_told; /* serverShutdown was said */
	struct stream *stream;
	uint32_t stream_count;
	uint32_t stream_capacity;
	const struct api_key *session; /* session.logon */
	int64_t session_ms;
	int32_t subscription[SUBSCRIPTIONS_MAX]; /* user streams, by id */
	uint32_t subscription_count;
	int32_t next_subscription;
	struct connection *next;
};

/* ---------------------------------------------------------------- faults */

enum fault_kind {
	FAULT_LOST_BEFORE, /* the connection is cut; the request did nothing */
	FAULT_LOST_AFTER,  /* it is cut after the request was done */
	FAULT_ERROR,       /* an error in place of the answer; the request is done or not */
	FAULT_LIMIT,       /* 429 */
	FAULT_BAN,         /* 418 */
};

struct fault {
	enum fault_kind kind;
	const char *method; /* an endpoint's, by the WebSocket API's names; NULL: any */
	int64_t skip;       /* so many matching requests pass first */
	int64_t count;      /* then so many are hit */
	enum failure_kind failure;
	bool done; /* FAULT_ERROR: the request is carried out */
};

/* ---------------------------------------------------------------- all */

struct binance {
	struct binance_options options;
	char fee_currency[VENUE_CURRENCY_MAX];
	struct venue *venue;
	struct symbols symbols;
	struct quota quota;
	struct feed *feed; /* by market */
	uint32_t *dirty[PACES];
	uint32_t dirty_count[PACES];
	int64_t paced_ms[PACES];        /* last told */
	struct connection *connections; /* oldest first */
	struct fault fault[FAULTS_MAX];
	uint32_t fault_count;
	uint64_t gaps_due;   /* depth messages to be left out */
	uint32_t gap_market; /* UINT32_MAX: any */
	int64_t unix_ns;     /* of the call */
	int64_t skew_ms;     /* by which the clock is put wrong */
	uint64_t made_ids;
	struct tg_str cancel_id; /* the client's, of the cancel that is being done */
	struct text push;        /* scratch */
	struct tg_level *level;  /* scratch: DEPTH_MAX a side */
	int32_t broken;
};

/* One request on its way through. */
struct call {
	struct binance *binance;
	const struct endpoint *endpoint;
	struct connection *connection; /* NULL: REST */
	uint64_t address;
	struct parameters parameters;
	struct tg_str api_key;
	struct text payload; /* what has to be signed */
	bool payload_is_clean;
	struct tg_str signature;
	const struct api_key *key; /* whose it is, once it is known */
	struct failure failure;
	int64_t retry_ms; /* 429, 418 */
	struct text *result;
};

enum security { PUBLIC, KEYED, SIGNED, TRADE };

struct endpoint {
	const char *verb; /* NULL: WebSocket API only */
	const char *path;
	const char *method; /* NULL: REST only */
	enum security security;
	int64_t weight;
	int64_t (*weigh)(const struct call *call); /* where the weight depends on the parameters */
	bool (*run)(struct call *call);            /* writes the result, or sets the failure */
	const char *allowed;                       /* parameters, but those of security */
};

extern const struct endpoint endpoints[];
extern const uint32_t endpoint_count;

int64_t clock_ms(const struct binance *binance);                  /* what the venue's clock shows */
int64_t wire_ms(const struct binance *binance, int64_t venue_ns); /* a time of the venue, as it is told */
bool fail(struct call *call, enum failure_kind kind, const char *a, const char *b); /* returns false */

/* Find the endpoint, check, weigh, run (call.c). */
void call_run(struct call *call);
const struct endpoint *endpoint_of_method(struct tg_str method);

/* `symbol`, checked; NULL and the failure set if there is none. */
const struct symbol *call_symbol(struct call *call, const char *name, enum need need);

/* orders.c */
bool order_place_run(struct call *call);
bool order_test_run(struct call *call);
bool order_cancel_run(struct call *call);
bool order_status_run(struct call *call);
bool orders_open_run(struct call *call);
bool orders_all_run(struct call *call);
bool orders_cancel_all_run(struct call *call);
bool trades_run(struct call *call);
int64_t orders_open_weigh(const struct call *call);
int64_t trades_weigh(const struct call *call);
const char *order_status(const struct venue_order *order);
const char *order_type(const struct venue_order *order);
const char *order_tif(const struct venue_order *order);
/* What an order was paid in all, up to and with a fill (INDEX_NONE: all of them). */
tg_amount order_paid(const struct binance *binance, uint32_t order, uint32_t up_to);

/* market.c */
bool ping_run(struct call *call);
bool time_run(struct call *call);
bool exchange_info_run(struct call *call);
bool depth_run(struct call *call);
bool ticker_run(struct call *call);
int64_t depth_weigh(const struct call *call);
int64_t ticker_weigh(const struct call *call);
#define NOTIONAL_MOST (TG_AMOUNT_ONE * INT64_C(9000000000))
int64_t price_most(const struct venue_market *market); /* as exchangeInfo says */
int64_t qty_most(const struct venue_market *market);

/* account.c */
bool account_run(struct call *call);
bool commission_run(struct call *call);
bool order_limits_run(struct call *call);
bool restrictions_run(struct call *call);
void rate_limits_write(struct binance *binance, struct text *out, const struct quota_peer *peer, bool orders);

/* session.c */
bool logon_run(struct call *call);
bool logout_run(struct call *call);
bool session_status_run(struct call *call);
bool user_subscribe_run(struct call *call);
bool user_subscribe_signed_run(struct call *call);
bool user_unsubscribe_run(struct call *call);
bool user_subscriptions_run(struct call *call);

/* feed.c */
int32_t feeds_init(struct binance *binance);
void feeds_finish(struct binance *binance);
void feeds_notice(struct binance *binance); /* books changed: number them, tell tickers */
void feeds_pace(struct binance *binance);   /* depth, when its time has come */
bool feed_subscribe(struct binance *binance, uint32_t market, struct connection *connection, enum stream_kind kind);
void feed_unsubscribe(struct binance *binance, uint32_t market, const struct connection *connection,
		      enum stream_kind kind);
void levels_write(struct text *out, const char *key, const struct venue_market *market, const struct tg_level *levels,
		  uint32_t count);

/* stream.c */
bool stream_parse(const struct binance *binance, struct tg_str name, struct stream *ret_stream);
bool stream_add(struct binance *binance, struct connection *connection, struct tg_str name);
void stream_message(struct binance *binance, struct connection *connection, struct json_object *json);
void streams_drop(struct binance *binance, struct connection *connection);
void stream_error(struct binance *binance, struct connection *connection, int32_t code, const char *text,
		  struct json_object *id);

/* user.c */
void user_events(struct binance *binance); /* tell what happened to the account since last time */
void user_terminated(struct binance *binance, struct connection *connection, int32_t subscription);

/* connection.c */
struct connection *connection_find(const struct binance *binance, uint64_t id);
void connection_end(struct binance *binance, struct connection *connection, int32_t code, const char *reason);
void connection_forget(struct binance *binance, struct connection *connection);
void connections_pace(struct binance *binance); /* pings, missing pongs, age */
void push_to(struct binance *binance, const struct connection *connection, const struct text *text);
bool json_read(const char *bytes, size_t size, struct json_object **ret_json);

/* fault.c */
bool control_run(struct binance *binance, const struct http_request *request, struct text *ret_body,
		 struct failure *failure);
/* The fault that hits this request; NULL: none. Counts. */
const struct fault *fault_take(struct binance *binance, const struct endpoint *endpoint);

#endif
