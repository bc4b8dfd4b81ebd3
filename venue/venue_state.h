/* What the venue's own files share; nobody else includes it. */
#ifndef TRIGATE_VENUE_VENUE_STATE_H
#define TRIGATE_VENUE_VENUE_STATE_H

#include "venue/fees.h"
#include "venue/ledger.h"
#include "venue/maker.h"
#include "venue/random.h"
#include "venue/venue.h"

struct market_filters {
	int64_t tick;
	int64_t lot;
	tg_amount min_notional;
};

struct venue {
	struct engine engine;
	struct orders orders;
	struct ledger ledger;
	struct fee_terms fees;
	struct maker *maker; /* NULL: recorded markets */
	char *ledger_path;
	uint64_t seed;
	uint64_t run;
	int64_t time_ns; /* of the last call, venue's */
	int64_t skew_ns; /* venue's minus host's */
	int32_t broken;  /* 0, or what every call returns from now on */

	struct venue_event *event;
	uint32_t event_count;
	uint32_t event_capacity;
	uint32_t event_mark;        /* where this call's begin */
	struct venue_event scratch; /* where events go when memory ran out */
	struct balance *reported;   /* by currency: the account's, as last told */
	bool *touched;              /* by currency: the account's balance changed in this call */
	uint32_t *touched_list;
	uint32_t touched_count;

	struct random chaos; /* halts and changed filters */
	int64_t halts_e9;    /* chance of a halt in a step, in billionths */
	int64_t filter_changes_e9;
	int64_t *halted_until; /* by market, venue's time, 0: not halted by chance */
	uint32_t halted_count;
	struct market_filters *initial; /* by market */
};

/* The skeleton of every call: move the time, do things, then flush, or drop the events of a venue that broke. */
void call_begin(struct venue *venue, int64_t unix_ns);
int32_t call_end(struct venue *venue);

struct venue_event *event_add(struct venue *venue, int32_t kind); /* never NULL; a broken venue gets a scratch one */
void currency_touch(struct venue *venue, uint32_t currency);
/* Take the engine's new trades: fees, history, ledger, events of the account's part in them. */
void trades_take(struct venue *venue);
/* End an open order of the account: history, ledger, event. It is out of the engine already. */
void order_end(struct venue *venue, uint32_t order, int32_t state, enum reason reason);
struct tg_decimal qty_decimal(const struct venue *venue, uint32_t market, int64_t qty);
struct tg_decimal price_decimal(const struct venue *venue, uint32_t market, int64_t price);

/* Records (records.c): what the ledger keeps, and how it is written. */
void record_run(struct venue *venue);
void record_deposit(struct venue *venue, uint32_t currency, tg_amount amount);
void record_order(struct venue *venue, uint32_t order);
void record_fill(struct venue *venue, uint32_t fill);
void record_end(struct venue *venue, uint32_t order);
void record_balance(struct venue *venue, uint32_t currency);
void record_market(struct venue *venue, uint32_t market);

/* What a fill moved: the account gave `spent` and got `received`, before the fee. */
struct exchange_of {
	uint32_t spent_currency;
	uint32_t received_currency;
	tg_amount spent;
	tg_amount received;
};
struct exchange_of fill_exchange(const struct venue *venue, const struct venue_fill *fill);

/* Names of sides and times in force in the ledger; "?" and 0 for what is none. */
const char *side_name(int32_t side);
const char *tif_name(int32_t time_in_force);
const char *state_name(int32_t state);
int32_t side_find(struct tg_str name);
int32_t tif_find(struct tg_str name);
int32_t state_find(struct tg_str name);

/* Markets from a CSV (recorded.c). What of each quote is already consumed is taken off before it is put up. */
struct recorded;
int32_t recorded_read(const char *path, uint32_t more_currencies, struct recorded **ret_recorded,
		      struct world *ret_world, struct tg_error *ret_error);
/* Give the makers what their quotes offer, once and for all. */
void recorded_fund(const struct recorded *recorded, struct engine *engine);
void recorded_consume(struct recorded *recorded, uint32_t market, int32_t taker_side, int64_t qty);
void recorded_quote(struct recorded *recorded, struct engine *engine);
void recorded_destroy(struct recorded *recorded);

/* Read the ledger and become what it says (replay.c). recorded may be NULL. */
int32_t venue_replay(struct venue *venue, struct recorded *recorded, struct tg_error *ret_error);
/* Put the open orders back in the books, end those that cannot live on. */
void venue_reopen_orders(struct venue *venue);

/* Chance events of one step (chaos.c). */
void chaos_step(struct venue *venue);
/* status or filters as decided; version, book, ledger and event follow */
void market_changed(struct venue *venue, uint32_t market);
void market_refilter(struct venue *venue, uint32_t market, const struct market_filters *filters);

#endif
