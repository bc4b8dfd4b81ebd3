/* The other side: an exchange of its own, with one customer (the account), makers, rivals and a house. Owner: whoever
 * opened it, one thread. No I/O but its ledger; no clock: every call is told the time. A pure function of its options,
 * of the ledger found at open and of the order of calls.
 *
 *   venue_open -> venue_place / venue_cancel / venue_step / ... -> read and clear events and changed books -> ...
 *
 * Every call that changes something writes its records to the ledger before it returns; its events are then readable. A
 * ledger that cannot be written breaks the venue: the call and all later ones return TG_ERR_IO and raise no event. */
#ifndef TRIGATE_VENUE_VENUE_H
#define TRIGATE_VENUE_VENUE_H

#include "venue/engine.h"
#include "venue/orders.h"

struct venue_deposit {
	struct tg_str currency;
	tg_amount amount;
};

/* Takes the lines of one whole operation; borrowed for the call. */
typedef void (*venue_ledger_fn)(void *ctx, const char *lines, size_t size);

struct world;

struct venue_options {
	struct tg_str ledger;         /* path; empty: nothing is kept */
	venue_ledger_fn ledger_write; /* if not NULL: the lines go here, and to no file */
	void *ledger_ctx;
	struct tg_str csv;          /* path of a markets CSV; empty: made-up markets */
	struct world *world;        /* if not NULL, and no CSV: these markets, made up or not; taken over and zeroed */
	struct tg_str fee_currency; /* empty: the received currency */
	uint64_t seed;
	int64_t markets; /* made-up ones */
	int64_t step_ms;
	int64_t opportunities_per_minute;
	int64_t lifetime_ms; /* shortest of a mispricing; the mean is four times as long */
	int64_t levels;      /* that the makers quote a side */
	int64_t halts_per_hour;
	int64_t filter_changes_per_hour;
	struct tg_decimal taker_bps; /* of made-up markets; a CSV brings its own */
	struct tg_decimal maker_bps;
	int32_t fee_scale;
	const struct venue_deposit *deposit; /* what the account begins with; an existing ledger overrides it */
	uint32_t deposit_count;
};

/* The defaults, as the connector's manifest states them. */
struct venue_options venue_options_default(void);

struct venue;

/* Options and what they point to are borrowed for the call. unix_ns is the host's time; where it lies before the last
 * record of the ledger, the venue's time goes on from there. Errors carry a message. */
int32_t venue_open(const struct venue_options *options, int64_t unix_ns, struct venue **ret_venue,
		   struct tg_error *ret_error);
void venue_close(struct venue *venue); /* NULL is allowed */

/* ---------------------------------------------------------------- trading */

struct venue_request {
	uint32_t market;
	int32_t side;
	int32_t time_in_force;
	struct tg_str client_id; /* up to 36 of A-Z a-z 0-9 - _; empty: none */
	struct tg_decimal price;
	struct tg_decimal qty;
	bool late; /* it came after its validity bound */
	/* What a venue may do to any order without a word of why: refuse it (REASON_NONE: it does not), or, of IOC and
	 * FOK, leave so much of it unmatched (mantissa at the market's qty_scale, rounded up to lots), and call what is
	 * left cancelled, as OKX does, where others say expired. */
	enum reason refuse;
	int64_t withhold;
	bool cancels;
};

/* Receive an order. TG_OK (accepted) or TG_ERR_REJECTED: *ret_order is its index, its state and reason tell the rest.
 * TG_ERR_IO, TG_ERR_NO_MEMORY: the venue is broken. */
int32_t venue_place(struct venue *venue, int64_t unix_ns, const struct venue_request *request, uint32_t *ret_order);

/* Why venue_place would refuse it now; REASON_NONE: it would not. */
enum reason venue_check(const struct venue *venue, const struct venue_request *request);

/* Cancel an open order by index (INDEX_NONE is allowed). TG_OK, TG_ERR_REJECTED (not open), or broken. */
int32_t venue_cancel(struct venue *venue, int64_t unix_ns, uint32_t order);

/* By exchange id ("1", "2", ...) if that is not empty, else the newest of the client id; INDEX_NONE if unknown. */
uint32_t venue_find(const struct venue *venue, struct tg_str client_id, struct tg_str exchange_id);
#define VENUE_ORDER_ID_MAX 12 /* with NUL */
size_t venue_order_id(uint32_t order, char ret_id[VENUE_ORDER_ID_MAX]);

const struct orders *venue_orders(const struct venue *venue);
const struct engine *venue_engine(const struct venue *venue);
uint64_t venue_run(const struct venue *venue);                     /* how many times this ledger was opened, from 1 */
int64_t venue_time_ns(const struct venue *venue, int64_t unix_ns); /* the venue's, for the host's */

/* ---------------------------------------------------------------- market */

/* One step of a made-up market. TG_OK or broken. */
int32_t venue_step(struct venue *venue, int64_t unix_ns);
bool venue_is_recorded(const struct venue *venue);   /* markets from a CSV: nothing moves by itself */
uint64_t venue_lag_count(const struct venue *venue); /* mispricings begun in this run */

/* Change a market's status (TG_MARKET_) or filters; its version rises. A tick or lot finer than the market's first is
 * refused (TG_ERR_INVALID). Orders that no longer fit the grid are cancelled. A halted market keeps what rests in it; a
 * delisted one is empty and stays as it is: whatever more is asked of it is refused. */
int32_t venue_set_status(struct venue *venue, int64_t unix_ns, uint32_t market, int32_t status);
int32_t venue_set_filters(struct venue *venue, int64_t unix_ns, uint32_t market, int64_t tick, int64_t lot,
			  tg_amount min_notional);

/* ----------------------------------------------------------------- events */

enum { VENUE_EVENT_ORDER = 1, VENUE_EVENT_BALANCE, VENUE_EVENT_MARKET };

struct venue_event {
	int32_t kind;
	int32_t order_kind; /* TG_ORDER_ */
	uint32_t order;
	uint32_t fill; /* for TG_ORDER_FILL */
	int64_t cum_qty;
	enum reason reason;
	uint32_t currency;
	struct balance balance;
	uint32_t market; /* whose status or filters changed */
	int64_t ns;      /* the venue's time */
};

/* What happened since the last clear, in order. Borrowed until the next call. */
const struct venue_event *venue_events(const struct venue *venue, uint32_t *ret_count);
void venue_events_clear(struct venue *venue);

/* Raise the fills and the state of an order as events, as an answer to a question. */
int32_t venue_report(struct venue *venue, int64_t unix_ns, uint32_t order);

/* Markets whose book changed since they were last taken here; 0 when there are no more. */
uint32_t venue_take_changed(struct venue *venue, uint32_t *ret_markets, uint32_t room);

#endif
