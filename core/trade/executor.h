/* The executor: runs each open cycle, one order at a time, from its first leg to its end. Owner: the loop thread.
 *
 * It keeps no truth of its own: what a cycle holds and what was tried stands in the model, so that after a restart the
 * same functions go on from where they were. After each change work_advance looks at the cycle and takes the next step:
 *
 * - An order's end is open: wait; when in doubt, ask the exchange for it by its client id. While the link is up and
 *   nothing is frozen, such a cycle always has a timer running: it cannot be forgotten.
 * - Something is held on the way: the leg on, or back the way it came, whichever brings more now (step.c).
 * - Nothing that can be traded: the cycle is final, its slot is free again.
 *
 * Files: executor.c cycles, step.c the choice, desk.c orders and their doubts, query.c asking for those in doubt,
 * parked.c those that wait for the disk, missed.c what passed us by. */
#ifndef TRIGATE_CORE_TRADE_EXECUTOR_H
#define TRIGATE_CORE_TRADE_EXECUTOR_H

#include "core/arbitrage/sizing.h"
#include "core/state/keeper.h"
#include "core/trade/portfolio.h"
#include "core/trade/slots.h"

struct executor;
struct work;

struct executor_settings {
	uint16_t gateway;
	uint32_t epoch;
	int64_t order_timeout_ns; /* no end of an IOC order after so long: its outcome is unknown */
	int64_t valid_ms;         /* validity bound given to each order; 0 if the exchange knows none */
	int64_t lag_ms;           /* how long after its bound a look-up may still miss an order */
	int64_t retry_delay_ns;
	int64_t min_partial_fill_e9; /* share of the last leg that makes a cycle completed */
	bool all_or_nothing;         /* orders on are fill-or-kill */
	bool lists;                  /* the exchange can be asked for all recent orders */
	bool asks_unlisted;          /* and for an order whose market it lists no more */
	bool parks;                  /* an order leaves when its intent would outlive a loss of power: parked.c */
	bool parks_waiting;          /* on a virtual clock, which does not wait for a disk */
	uint32_t max_retries;        /* forward orders on one leg after the first */
	struct {                     /* asking for an order whose outcome is unknown */
		int64_t initial_delay_ns;
		int64_t max_delay_ns;
		int64_t multiplier_e3;
		int64_t jitter_e9; /* share of the delay that is random */
	} query;
};

/* What the executor tells. All borrowed for the call; must not call back into it. */
struct executor_events {
	void *ctx;
	/* its state changed, but for sent or live to partial, which the fill tells; ns 0 except once */
	void (*order)(void *ctx, const struct order *order, int64_t tick_to_order_ns);
	void (*fill)(void *ctx, const struct order *order, const struct fill *fill);
	void (*cycle)(void *ctx, const struct cycle *cycle); /* state changed */
	void (*round_trip)(void *ctx, int64_t virtual_ns);   /* an order's way from sending to its end */
	void (*parked)(void *ctx, int64_t wall_ns);          /* how long one was parked */
	/* A cycle's first order is durable and may leave. Why it is not to, as things stand now; NULL: it is. amount:
	 * what it spends at most. */
	const char *(*again)(void *ctx, const struct work *work, tg_amount amount);
};

#define CYCLE_NONE UINT32_MAX

enum work_timer { WORK_TIMER_NONE, WORK_TIMER_TIMEOUT, WORK_TIMER_RETRY, WORK_TIMER_QUERY, WORK_TIMER_PARKED };

/* An open cycle's place in the executor. */
struct work {
	struct executor *executor;
	struct cycle *cycle;             /* NULL: free */
	uint32_t market[CYCLE_LEGS_MAX]; /* MARKET_NONE until the exchange tells of it */
	uint32_t def;                    /* id of its definition in struct cycles; CYCLE_NONE: of an earlier start */
	tg_amount reserved;              /* of the start currency, until the first leg's order has its end */
	uint64_t timer; /* TIMEOUT: an order's end or an answer is due; QUERY: asked again then; RETRY: advanced then;
			   PARKED: durable or not, an order was parked long enough */
	enum work_timer timer_kind;
	uint32_t delayed_orders; /* the cycle's order count when its next order was last put off */
	uint32_t waits;          /* for a market that takes no order */
	uint32_t queries;        /* for the order in doubt */
	bool asked;              /* an answer to a look-up is due */
	bool refusal_told;       /* that the exchange does not answer for the order in doubt */
	int64_t not_before_ns;   /* mono: the exchange asked for no order earlier */
	int64_t sent_ns;         /* mono */
	int64_t absent_after_ns; /* mono: from then on absence is proof */
	int64_t asked_ns;        /* mono: the last look-up left */
	int64_t tick_wall_ns;    /* when the frame that opened it came in; 0 once used */
	bool opening;            /* its first order is on its way: what its cycle comes to is told once that has left */
	uint8_t untold;          /* so many states, */
	uint8_t told_later[3];   /* which are these */
	struct {
		uint64_t position; /* of the journal, where it has to be durable; 0: no order is parked */
		struct leg_plan plan;
		uint32_t version; /* of the market when it was planned */
		int64_t wall_ns;
		struct work *earlier, *later; /* neighbours in the order in which orders were parked */
	} parked;
	uint32_t replans; /* parked orders in a row that were given up for others */
};

struct executor {
	struct executor_settings settings;
	struct executor_events events;
	struct loop *loop;
	struct keeper *keeper;
	struct markets *markets;
	const struct portfolio *portfolio;
	const struct tg_exchange_api *exchange;
	void *exchange_self;
	struct slots *slots;
	bool link_up;
	bool frozen;      /* nothing leaves: the operator's word */
	bool halted;      /* nothing leaves: what was seen makes no sense; only a restart lifts it */
	bool return_only; /* no new risk: what is held goes back */
	bool lease_over;  /* no order leaves: our slots are not confirmed; what comes in is taken, doubts are asked for
			   */
	uint64_t random;
	uint32_t next_number; /* of the next cycle in this epoch */
	uint32_t foreign_orders;
	uint64_t list_timer;   /* asked for them again then */
	uint64_t closed_timer; /* orders in doubt of closed cycles are asked for again then */
	uint32_t open_count;
	struct {
		struct work *oldest, *newest;
		uint32_t count;
	} parked; /* orders leave as they were parked */
	struct work work[OPEN_CYCLES_MAX];
};

/* Fill the fields above first; zero is right where nothing is said. */

/* May an order leave, is there a slot, and room to remember a cycle? Makes the room. [hot] */
bool executor_can_open(struct executor *executor);
/* Take the slots of the cycle that executor_open opens next, which has to follow. False: another gateway was quicker,
 * or the lease has just ended. [hot] */
bool executor_claim(struct executor *executor);
/* The key of the cycle that is opened next. */
struct cycle_key executor_next_key(const struct executor *executor);
/* Open the cycle plan->cycle, whose slots were claimed, with its first order; executor_can_open must have said so. When
 * the journal fails nothing is sent and keeper->stalled or keeper->failed is set. tick_wall_ns: when the frame came in,
 * for the latency. [hot] */
void executor_open(struct executor *executor, const struct cycle_def *def, const struct cycle_plan *plan,
		   int64_t tick_wall_ns);

/* Take over the open cycles of the model at start: each has its slot again, before leases are opened, and every order
 * without a proven end becomes unknown. Returns how many. */
uint32_t executor_restore(struct executor *executor);

/* At the end of a pass: parked orders that are durable now are looked at again, and leave or are given up, one after
 * the other as they were parked. */
void executor_unpark(struct executor *executor);

/* Events of the exchange. */
void executor_on_order(struct executor *executor, const struct tg_order_event *event);
void executor_on_done(struct executor *executor, uint64_t token, int32_t status, const struct tg_error *error);
void executor_on_link(struct executor *executor, bool up);

/* What open cycles have set aside or hold of a currency: not to be spent by a new one. */
tg_amount executor_committed(const struct executor *executor, const char *currency);
/* Does an open cycle trade this market? */
bool executor_trades(const struct executor *executor, uint32_t market);

/* Does nothing at all leave: at the operator's word, or because the journal cannot be written? */
static inline bool executor_is_frozen(const struct executor *executor)
{
	return executor->frozen || executor->keeper->stalled || executor->keeper->failed;
}
/* Is the way to the exchange open, and may cycles be looked after? */
static inline bool executor_may_act(const struct executor *executor)
{
	return executor->link_up && !executor->halted && !executor_is_frozen(executor);
}
/* May orders leave, too? */
static inline bool executor_may_send(const struct executor *executor)
{
	return executor_may_act(executor) && !executor->lease_over;
}

/* Look at the clock whether the lease has ended, or is there again: on record in lease_over and the log. Returns
 * whether orders may leave as far as it goes. At the end of each pass, and by itself before an order. [hot] */
bool executor_lease_look(struct executor *executor);

/* ---- inside the executor */

enum step_kind { STEP_ORDER, STEP_WAIT, STEP_END };
struct step {
	enum step_kind kind;
	uint32_t leg;
	bool unwind;
	bool rest; /* what goes back is a small rest of a cycle that came through */
	struct leg_plan plan;
	const char *reason; /* of an end that is a failure */
};
/* What a cycle without open orders does next. Pure. */
void step_choose(const struct executor *executor, const struct work *work, struct step *ret_step);

/* An opened cycle's states, now that its first order has left or cannot. */
void work_tell_opened(struct work *work);
/* Market of a leg; MARKET_NONE: the exchange has not told of it yet. */
uint32_t work_market(struct work *work, uint32_t leg);
void work_advance(struct work *work);
void work_timer_set(struct work *work, enum work_timer kind, int64_t delay_ns);
void work_timer_clear(struct work *work);
int work_cycle_event(struct work *work, enum cycle_event event, const char *reason);
/* Intent, flush, send. False: nothing left and nothing will; the order is abandoned, or the keeper has failed. */
bool desk_place(struct work *work, uint32_t leg, bool unwind, const struct leg_plan *plan);
/* Can this event be taken at its word? */
bool order_event_ok(const struct tg_order_event *event);
/* Its intent is on record; send it. False: nothing left and nothing will. */
bool desk_send(struct work *work, struct order *order, uint32_t market);
/* It never leaves. */
void desk_abandon(struct work *work, struct order *order, const char *why);
void desk_timer(struct work *work, enum work_timer kind);
/* What done() answers: which order of which cycle, placed or asked for. */
enum token_kind { TOKEN_PLACE = 0, TOKEN_QUERY = 1 };
uint64_t desk_token(const struct order *order, enum token_kind kind);
/* How long an exchange wants to be left alone, says this error. NULL: not at all. */
int64_t desk_patience_ns(const struct tg_error *error);
/* ---- query.c */
/* Ask for the first order of the cycle that has no end. */
void query_first(struct work *work);
/* The answer to that, if it is one: it has not settled it. */
void query_done(struct work *work, const struct order *order, int32_t status, const struct tg_error *error);
/* Ask for an order whose cycle is closed. Until it has its end it is asked for again, after as long as an answer may
 * take; when the link is down or all is frozen, by the next start of the link. */
void query_closed(struct executor *executor, struct order *order);
/* For all whose end came to be doubted after their cycle was closed. */
void query_all_closed(struct executor *executor);
/* ---- parked.c */
void work_park(struct work *work, const struct leg_plan *plan);
void work_park_end(struct work *work, const char *why); /* give the parked order up */
void work_park_late(struct work *work);
/* Mono time from which on an order that was sent just now, or by an earlier start, and is not known at the exchange
 * never will be. */
int64_t desk_absent_after_ns(const struct executor *executor, const struct order *order);
/* Ask for all recent orders, if anything may have passed us by: nobody doubts an order whose end came too early, so it
 * would not be asked for by itself. Asked again until it is answered. */
void missed_ask(struct executor *executor);
void missed_begin(struct executor *executor); /* from now on, unless it began before */
void missed_done(struct executor *executor, int32_t status, const struct tg_error *error);
#define MISSED_TOKEN UINT64_MAX /* of that question; no order has it */
/* An order has no end yet: see to it that it is asked for, unless a timer or an answer is due anyway. */
void desk_watch(struct work *work);

#endif
