/* What the WebSocket API says, decoded: the envelope of a message, orders as answers and lists tell them, trades,
 * executionReport, balances, rate limits. Text points into the message, in which escapes are undone in place. Numbers
 * are exact decimals. Everything returns SCAN_OK or a SCAN_ code. Pure, no allocation. [hot] */
#ifndef TRIGATE_EXCHANGES_BINANCE_REPORT_H
#define TRIGATE_EXCHANGES_BINANCE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/amount.h>

#include "exchanges/binance/scan.h"

#define REPORT_MS_MAX INT64_C(7258118400000) /* the year 2200: times beyond are nonsense, and would not fit in ns */

/* Walking through an object or a list: *begun is false before the first. 1: a key (or an element) is next and, for an
 * object, its colon is behind; 0: it is over; or a SCAN_ code. */
int object_next(struct scan *scan, bool *begun, struct scan_string *ret_key);
int list_next(struct scan *scan, bool *begun);
bool key_is(const struct scan_string *key, const char *name);

/* One message: an answer ("id", "status", and "result" or "error") or an event. Parts that it lacks have at == NULL. */
struct envelope {
	bool has_id;
	uint64_t id;
	int64_t status;
	struct scan result;
	struct scan error;
	struct scan limits;
	struct scan event;
};
int envelope_read(uint8_t *bytes, uint64_t count, struct envelope *ret_envelope);

/* {"code":..,"msg":..,"data":{"serverTime":..,"retryAfter":..}} */
struct refusal {
	int64_t code;
	struct tg_str text;
	int64_t retry_ms; /* 0: it does not say */
};
int refusal_read(struct scan scan, struct refusal *ret_refusal);

/* An element of rateLimits: RATE_ kind (0: another), its interval and what of it is used. */
struct limit_told {
	int32_t kind;
	int64_t interval_ns;
	int64_t used;
};
int limit_read(struct scan *scan, struct limit_told *ret_limit);

/* A time that is a member of an object; SCAN_MISSING. */
int time_member(struct scan scan, const char *name, int64_t *ret_ms);

enum report_status { REPORT_OPEN, REPORT_FILLED, REPORT_CANCELED, REPORT_EXPIRED, REPORT_REJECTED };

/* An order, from the answers to order.place and order.cancel, from order.status and from lists. */
struct report {
	struct tg_str symbol;
	uint64_t order_id;
	struct tg_str client_id; /* its own, not that of what cancelled it */
	bool has_state;          /* price and so on are there: not so in an ACK */
	int32_t side;
	enum report_status status;
	struct tg_decimal price, qty, executed;
	struct tg_str why; /* expiryReason, or "" */
	int64_t time_ms;   /* of its last change */
	struct scan fills; /* at NULL: none are told */
};
int report_read(struct scan *scan, struct report *ret_report);

/* A trade, from `fills` (without order and time) or myTrades. */
struct trade {
	uint64_t id;
	uint64_t order_id;
	struct tg_decimal price, qty, fee;
	struct tg_str fee_currency;
	int64_t time_ms;
};
int trade_read(struct scan *scan, struct trade *ret_trade);

enum execution_kind {
	EXECUTION_OTHER,
	EXECUTION_NEW,
	EXECUTION_TRADE,
	EXECUTION_CANCELED,
	EXECUTION_EXPIRED,
	EXECUTION_REJECTED
};

/* executionReport ("User Data Streams", order update). */
struct execution {
	enum execution_kind kind;
	struct report report;
	struct trade trade; /* EXECUTION_TRADE */
};
int execution_read(struct scan scan, struct execution *ret_execution);

enum event_kind { EVENT_OTHER, EVENT_EXECUTION, EVENT_BALANCES, EVENT_LOCK, EVENT_TERMINATED, EVENT_SHUTDOWN };
/* Which event it is, by its "e". */
int event_read(struct scan scan, enum event_kind *ret_kind);

/* Balances: of account.status (long) or outboundAccountPosition (short). */
struct holding {
	struct tg_str asset;
	tg_amount free, locked;
};
struct holdings {
	int64_t time_ms; /* updateTime, u */
	struct scan list;
};
int holdings_read(struct scan scan, bool is_event, struct holdings *ret_holdings);
int holding_read(struct scan *scan, bool is_event, struct holding *ret_holding);

#endif
