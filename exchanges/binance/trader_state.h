/* What the files of the trader share; nobody else includes it.
 *
 *   trader.c         life, messages sorted out, time        trader_link.c    connections, from opened to ready
 *   trader_orders.c  placed, cancelled, told of              trader_lookup.c  one order, and its cancel
 *   trader_list.c    all orders of some markets             trader_balances.c
 *   trader_asks.c    requests under way
 *
 *   link: free --open--> opening --opened--> clock --> logon (Ed25519) --> subscribe --> account --> ready
 *                           ^                                                                         |
 *                           '------ lost ------ a younger one is ready: leaving --overlap--> free <---' */
#ifndef TRIGATE_EXCHANGES_BINANCE_TRADER_STATE_H
#define TRIGATE_EXCHANGES_BINANCE_TRADER_STATE_H

#include "exchanges/binance/report.h"
#include "exchanges/binance/request.h"
#include "exchanges/binance/trader.h"

#define LINK_NONE UINT32_MAX
#define ORDER_ID_MAX 40 /* of a client id, with NUL; Binance's have 36 characters */

/* ---------------------------------------------------------------- requests */

enum ask_kind {
	ASK_CLOCK,
	ASK_LOGON,
	ASK_SUBSCRIBE,
	ASK_ACCOUNT, /* balances that nobody waits for: a link's start, a change that is not told */
	ASK_PLACE,
	ASK_CANCEL,
	ASK_STATUS,
	ASK_TRADES, /* of the order that was looked up or listed */
	ASK_BALANCES,
	ASK_ORDERS, /* the list's next two */
	ASK_OPEN,
};

/* An order that was told of, until its trades have been, too. */
struct told {
	uint64_t order_id;
	char client_id[ORDER_ID_MAX];
	int32_t side;
	enum report_status status;
	struct tg_decimal price, qty, executed;
	int64_t time_ms;
	char why[48];
	tg_amount filled;  /* by the trades that have come */
	uint64_t trade_id; /* of the last of them */
};

struct ask {
	bool live;
	bool listed; /* ASK_TRADES: of a list */
	enum ask_kind kind;
	uint32_t link;
	uint32_t market;
	uint64_t turn; /* of this slot: an answer to an earlier one does not fit */
	uint64_t token;
	int64_t sent_ns;
	int64_t deadline_ns;
	char client_id[ORDER_ID_MAX];    /* ASK_STATUS: as it was asked, or "" */
	char symbol[BINANCE_SYMBOL_MAX]; /* of the market, where that is TG_MARKET_UNLISTED: of which nothing else is
					    known */
	struct told told;                /* ASK_TRADES */
};

/* ------------------------------------------------------------------- links */

enum link_phase {
	LINK_FREE,
	LINK_OPENING,
	LINK_CLOCK,
	LINK_LOGON,
	LINK_SUBSCRIBE,
	LINK_ACCOUNT,
	LINK_READY,
	LINK_LEAVING,
};

struct link {
	enum link_phase phase;
	uint32_t readings;   /* of the clock, since it was opened */
	bool asked;          /* the request of its phase is under way */
	bool ends;           /* the server said that it will close it */
	int64_t opened_ns;   /* mono */
	int64_t heard_ns;    /* the last message */
	int64_t retry_ns;    /* its phase's request is not sent before */
	int64_t patience_ns; /* the wait before that, to be doubled */
	int64_t leave_ns;    /* LINK_LEAVING: closed then */
};

/* ------------------------------------------------------------------- lists */

/* orders_list: market by market, day by day, then what is open; the trades of each page's orders one by one. */
struct list {
	bool active;
	bool asked; /* its request is under way */
	bool open;  /* of this market the open orders are next, not a day's */
	uint64_t token;
	uint32_t market_count;
	uint32_t at;      /* in market[] */
	int64_t since_ms; /* of all markets */
	int64_t begin_ms; /* of the span that is next */
	int64_t span_ms;
	int64_t until_ms; /* when it was asked for */
	int64_t retry_ns; /* mono */
	uint32_t retries;
	bool paged;          /* a page was told: its span is over when its orders' trades have been, too */
	uint32_t told_count; /* orders of the page whose trades are awaited */
	uint32_t told_at;
	uint32_t market[BINANCE_MARKETS_MAX];
	struct told told[TRADER_PAGE];
};

/* ---------------------------------------------------------------- balances */

struct asset_age {
	char name[BINANCE_ASSET_MAX]; /* "": free */
	int64_t time_ms;
};

/* ---------------------------------------------------------------- the whole */

struct trader {
	struct trader_options options;
	struct trader_wire wire;
	struct tg_exchange_events events;
	bool started, up;
	bool due;    /* something of the links, the clock or the list may be sent */
	bool warned; /* of the key or a ban, since it was up last */
	bool clock_asked;
	bool refresh; /* balances changed in a way that was not told */
	bool logs_on; /* the session signs */
	uint32_t current;
	int64_t clock_ns; /* mono: the next reading */
	int64_t wake_ns;
	struct link link[TRADER_LINKS_MAX];
	uint32_t ask_free[TRADER_ASKS_MAX];
	uint32_t ask_free_count;
	struct ask ask[TRADER_ASKS_MAX];
	struct asset_age age[TRADER_ASSETS_MAX];
	struct list list;
	struct request request;
};

/* An answer, as the files that asked get it: result, or a refusal already classified. */
struct answer {
	int32_t status; /* TG_OK or a TG_ERR_ */
	struct scan result;
	const struct tg_error *error;
	int64_t received_ns;
	struct trader_now now;
};

/* trader.c */
void trader_wake_at(struct trader *trader, int64_t mono_ns);
void trader_done(struct trader *trader, uint64_t token, int32_t status, const struct tg_error *error);
/* The credential that a request is signed with; NULL where the session answers for it. */
const struct credential *trader_signer(const struct trader *trader);
/* timestamp and recvWindow of a request that is bounded by window_ms. TG_OK, or TG_ERR_RETRYABLE: the clock is not
 * known well enough. */
int32_t trader_stamp(const struct trader *trader, int64_t window_ms, int64_t mono_ns, int64_t *ret_timestamp_us,
		     struct tg_error *ret_error);
int32_t trader_not_connected(const struct trader *trader, struct tg_error *ret_error);
struct tg_str trader_symbol(const struct trader *trader, uint32_t market); /* empty: there is none */

/* trader_asks.c */
void asks_init(struct trader *trader);
/* A slot for a request on this link; NULL: all are taken. */
struct ask *ask_take(struct trader *trader, enum ask_kind kind, uint32_t link, struct trader_now now);
uint64_t ask_id(const struct trader *trader, const struct ask *ask);
struct ask *ask_find(struct trader *trader, uint64_t id);
void ask_release(struct trader *trader, struct ask *ask);
/* What is written in trader->request leaves for this slot. An error: nothing left, the slot is free again. */
int32_t ask_send(struct trader *trader, struct ask *ask, struct tg_error *ret_error);
/* The answer never came, or not in time: its owner is told. */
void ask_fail(struct trader *trader, struct ask *ask, const char *why, struct trader_now now);
void ask_answer(struct trader *trader, struct ask *ask, const struct answer *answer);
/* Those of a link (LINK_NONE: of all). */
void asks_fail(struct trader *trader, uint32_t link, const char *why, struct trader_now now);
void asks_expire(struct trader *trader, struct trader_now now);
bool asks_any(const struct trader *trader, uint32_t link);
bool budget_ok(struct trader *trader, enum budget_use use, int64_t weight, struct trader_now now,
	       struct tg_error *ret_error);

/* trader_link.c */
void link_open(struct trader *trader, uint32_t link);
/* It is broken: its requests fail; the user stream has a hole unless the other link carries it. */
void link_lost(struct trader *trader, uint32_t link, const struct tg_error *reason, struct trader_now now);
/* The same, and it is to be opened anew. */
void link_restart(struct trader *trader, uint32_t link, const char *why, struct trader_now now);
void links_step(struct trader *trader, struct trader_now now);
void link_answer(struct trader *trader, const struct ask *ask, const struct answer *answer);
void link_event(struct trader *trader, uint32_t link, enum event_kind kind, struct trader_now now);

/* trader_orders.c */
void order_answer(struct trader *trader, const struct ask *ask, const struct answer *answer);
int order_execution(struct trader *trader, struct scan event); /* SCAN_ */
void order_tell(struct trader *trader, uint32_t market, const struct report *report, int32_t kind);
/* Its end, or that it is open. */
void order_tell_state(struct trader *trader, uint32_t market, const struct report *report);
/* One trade of it, after which cum_qty is filled. */
void order_tell_fill(struct trader *trader, uint32_t market, const struct report *report, const struct trade *trade,
		     struct tg_decimal cum_qty);
/* All trades of a list, on top of *filled. SCAN_ */
int order_tell_fills(struct trader *trader, uint32_t market, const struct report *report, struct scan list,
		     tg_amount *filled, uint64_t *ret_last_id, uint32_t *ret_count);

/* trader_lookup.c */
void lookup_answer(struct trader *trader, struct ask *ask, const struct answer *answer);
void told_keep(const struct report *report, struct told *told);
struct report report_of(const struct told *told);
/* Ask for the trades of an order, of->told, behind the last that is known, for whom and where `of` says. TG_OK, or why
 * not. */
int32_t trades_ask(struct trader *trader, const struct ask *of, struct trader_now now, struct tg_error *error);

/* trader_list.c */
void list_step(struct trader *trader, struct trader_now now);
void list_end(struct trader *trader, int32_t status, const struct tg_error *error);
void list_page(struct trader *trader, const struct ask *ask, const struct answer *answer);
/* A page of one order's trades came; unfinished: there are more. */
void list_trades(struct trader *trader, const struct ask *ask, const struct told *unfinished);
void list_refused(struct trader *trader, const struct answer *answer);

/* trader_balances.c */
void balances_answer(struct trader *trader, const struct ask *ask, const struct answer *answer);
/* Tell the balances of an answer or event; what is older than what was told is left out. SCAN_ */
int balances_tell(struct trader *trader, struct scan scan, bool is_event);
void balances_forget(struct trader *trader); /* the age of what was told: the next word holds */

#endif
