/* What the WebSocket API says of the account, decoded: orders as answers and lists tell them, trades, executionReport,
 * balances. Text points into the message, in which escapes are undone in place. Numbers are exact decimals. Everything
 * returns SCAN_OK or a SCAN_ code. Pure, no allocation. [hot] */
#ifndef TRIGATE_EXCHANGES_BINANCE_REPORT_H
#define TRIGATE_EXCHANGES_BINANCE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "exchanges/binance/envelope.h"

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
