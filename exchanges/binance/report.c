#include "exchanges/binance/report.h"

#include <string.h>

#include <trigate/exchange.h>

/* ----------------------------------------------------------------- orders */

/* "Order status (status)" of the enums page. PENDING_CANCEL is unused there; PENDING_NEW is of order lists. */
static int status_of(struct tg_str text, enum report_status *ret_status)
{
	static const struct {
		const char *text;
		enum report_status status;
	} STATUSES[] = {
		{"NEW", REPORT_OPEN},
		{"PARTIALLY_FILLED", REPORT_OPEN},
		{"FILLED", REPORT_FILLED},
		{"EXPIRED", REPORT_EXPIRED},
		{"CANCELED", REPORT_CANCELED},
		{"REJECTED", REPORT_REJECTED},
		{"EXPIRED_IN_MATCH", REPORT_EXPIRED},
		{"PENDING_NEW", REPORT_OPEN},
		{"PENDING_CANCEL", REPORT_OPEN},
	};
	for (size_t i = 0; i < sizeof STATUSES / sizeof STATUSES[0]; i++) {
		if (!text_is(text, STATUSES[i].text))
			continue;
		*ret_status = STATUSES[i].status;
		return SCAN_OK;
	}
	return SCAN_TYPE;
}

static int status_read(struct scan *scan, enum report_status *ret_status)
{
	struct tg_str text;
	int status = text_read(scan, &text);
	return status ? status : status_of(text, ret_status);
}

static int side_read(struct scan *scan, int32_t *ret_side)
{
	struct tg_str text;
	int status = text_read(scan, &text);
	if (status)
		return status;
	*ret_side = text_is(text, "BUY") ? TG_SIDE_BUY : text_is(text, "SELL") ? TG_SIDE_SELL : 0;
	return *ret_side ? SCAN_OK : SCAN_TYPE;
}

/* "Order reject reason (r)" of the enums page: NONE is that there is none. */
static int reason_read(struct scan *scan, struct tg_str *ret_text)
{
	int status = text_or_null_read(scan, ret_text);
	if (!status && text_is(*ret_text, "NONE"))
		ret_text->len = 0;
	return status;
}

/* Ids of orders and trades. They go back into requests as whole numbers, a trade's with one added. */
static int identity_read(struct scan *scan, uint64_t *ret_id)
{
	uint64_t id;
	int status = scan_u64(scan, &id);
	if (!status && id >= INT64_MAX)
		status = SCAN_OVERFLOW;
	if (!status)
		*ret_id = id;
	return status;
}

enum { SEEN_SYMBOL = 1, SEEN_ID = 2, SEEN_CLIENT = 4, SEEN_NAMES = 7 };
enum { SEEN_STATUS = 8, SEEN_SIDE = 16, SEEN_PRICE = 32, SEEN_QTY = 64, SEEN_EXECUTED = 128, SEEN_STATE = 248 };
enum { SEEN_KIND = 256, SEEN_LAST_QTY = 512, SEEN_LAST_PRICE = 1024, SEEN_FEE = 2048, SEEN_TRADE = 4096 };
#define SEEN_FILL (SEEN_LAST_QTY | SEEN_LAST_PRICE | SEEN_FEE | SEEN_TRADE)

/* The answer to a cancel has the order's client id under "origClientOrderId". */
struct names {
	struct tg_str client;
	struct tg_str original;
};

static int report_member(struct scan *scan, const struct scan_string *key, struct report *report, struct names *names,
			 uint32_t *seen)
{
	static const struct {
		const char *key;
		uint32_t bit;
	} KEYS[] = {{"symbol", SEEN_SYMBOL}, {"orderId", SEEN_ID},          {"clientOrderId", SEEN_CLIENT},
		    {"status", SEEN_STATUS}, {"side", SEEN_SIDE},           {"price", SEEN_PRICE},
		    {"origQty", SEEN_QTY},   {"executedQty", SEEN_EXECUTED}};
	uint32_t bit = 0;
	for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0] && !bit; i++)
		bit = key_is(key, KEYS[i].key) ? KEYS[i].bit : 0;
	*seen |= bit;
	switch (bit) {
	case SEEN_SYMBOL: return text_read(scan, &report->symbol);
	case SEEN_ID: return identity_read(scan, &report->order_id);
	case SEEN_CLIENT: return text_read(scan, &names->client);
	case SEEN_STATUS: return status_read(scan, &report->status);
	case SEEN_SIDE: return side_read(scan, &report->side);
	case SEEN_PRICE: return decimal_read(scan, &report->price);
	case SEEN_QTY: return decimal_read(scan, &report->qty);
	case SEEN_EXECUTED: return decimal_read(scan, &report->executed);
	default: break;
	}
	if (key_is(key, "origClientOrderId"))
		return text_read(scan, &names->original);
	if (key_is(key, "transactTime") || key_is(key, "updateTime"))
		return time_read(scan, &report->time_ms);
	if (key_is(key, "expiryReason"))
		return text_or_null_read(scan, &report->why);
	return key_is(key, "fills") ? span_read(scan, &report->fills) : scan_skip(scan);
}

int report_read(struct scan *scan, struct report *ret_report)
{
	struct report report = {.why = {"", 0}};
	struct names names = {{"", 0}, {"", 0}};
	struct scan_string key;
	uint32_t seen = 0;
	bool begun = false;
	int status;
	while ((status = object_next(scan, &begun, &key)) > 0) {
		status = report_member(scan, &key, &report, &names, &seen);
		if (status)
			return status;
	}
	if (status)
		return status;
	if ((seen & SEEN_NAMES) != SEEN_NAMES)
		return SCAN_MISSING;
	report.client_id = names.original.len ? names.original : names.client;
	report.has_state = (seen & SEEN_STATE) == SEEN_STATE;
	*ret_report = report;
	return SCAN_OK;
}

static int trade_member(struct scan *scan, const struct scan_string *key, struct trade *trade, uint32_t *seen)
{
	if (key_is(key, "id") || key_is(key, "tradeId")) {
		*seen |= SEEN_TRADE;
		return identity_read(scan, &trade->id);
	}
	if (key_is(key, "price")) {
		*seen |= SEEN_LAST_PRICE;
		return decimal_read(scan, &trade->price);
	}
	if (key_is(key, "qty")) {
		*seen |= SEEN_LAST_QTY;
		return decimal_read(scan, &trade->qty);
	}
	if (key_is(key, "commission")) {
		*seen |= SEEN_FEE;
		return decimal_read(scan, &trade->fee);
	}
	if (key_is(key, "commissionAsset"))
		return text_or_null_read(scan, &trade->fee_currency);
	if (key_is(key, "orderId"))
		return identity_read(scan, &trade->order_id);
	return key_is(key, "time") ? time_read(scan, &trade->time_ms) : scan_skip(scan);
}

int trade_read(struct scan *scan, struct trade *ret_trade)
{
	struct trade trade = {.fee_currency = {"", 0}};
	struct scan_string key;
	uint32_t seen = 0;
	bool begun = false;
	int status;
	while ((status = object_next(scan, &begun, &key)) > 0) {
		status = trade_member(scan, &key, &trade, &seen);
		if (status)
			return status;
	}
	if (status)
		return status;
	if ((seen & SEEN_FILL) != SEEN_FILL)
		return SCAN_MISSING;
	*ret_trade = trade;
	return SCAN_OK;
}

/* ----------------------------------------------------------------- events */

static int kind_read(struct scan *scan, enum execution_kind *ret_kind)
{
	struct tg_str text;
	int status = text_read(scan, &text);
	if (status)
		return status;
	*ret_kind = text_is(text, "NEW")        ? EXECUTION_NEW
		    : text_is(text, "TRADE")    ? EXECUTION_TRADE
		    : text_is(text, "CANCELED") ? EXECUTION_CANCELED
		    : text_is(text, "EXPIRED")  ? EXECUTION_EXPIRED
		    : text_is(text, "REJECTED") ? EXECUTION_REJECTED
						: EXECUTION_OTHER;
	return SCAN_OK;
}

/* -1 where there was no trade. */
static int trade_id_read(struct scan *scan, uint64_t *ret_id)
{
	int64_t id;
	int status = scan_i64(scan, &id);
	*ret_id = !status && id > 0 ? (uint64_t)id : 0;
	return status;
}

static int execution_member(struct scan *scan, uint8_t key, struct execution *execution, struct names *names,
			    uint32_t *seen)
{
	struct report *report = &execution->report;
	struct trade *trade = &execution->trade;
	switch (key) {
	case 's': *seen |= SEEN_SYMBOL; return text_read(scan, &report->symbol);
	case 'i': *seen |= SEEN_ID; return identity_read(scan, &report->order_id);
	case 'c': *seen |= SEEN_CLIENT; return text_read(scan, &names->client);
	case 'C': return text_or_null_read(scan, &names->original);
	case 'x': *seen |= SEEN_KIND; return kind_read(scan, &execution->kind);
	case 'X': *seen |= SEEN_STATUS; return status_read(scan, &report->status);
	case 'S': *seen |= SEEN_SIDE; return side_read(scan, &report->side);
	case 'p': *seen |= SEEN_PRICE; return decimal_read(scan, &report->price);
	case 'q': *seen |= SEEN_QTY; return decimal_read(scan, &report->qty);
	case 'z': *seen |= SEEN_EXECUTED; return decimal_read(scan, &report->executed);
	case 'r': return reason_read(scan, &report->why);
	case 'T': return time_read(scan, &report->time_ms);
	case 'l': *seen |= SEEN_LAST_QTY; return decimal_read(scan, &trade->qty);
	case 'L': *seen |= SEEN_LAST_PRICE; return decimal_read(scan, &trade->price);
	case 'n': *seen |= SEEN_FEE; return decimal_read(scan, &trade->fee);
	case 'N': return text_or_null_read(scan, &trade->fee_currency);
	case 't': *seen |= SEEN_TRADE; return trade_id_read(scan, &trade->id);
	default: return scan_skip(scan);
	}
}

int execution_read(struct scan scan, struct execution *ret_execution)
{
	struct execution execution = {.report.why = {"", 0}, .trade.fee_currency = {"", 0}};
	struct names names = {{"", 0}, {"", 0}};
	struct scan_string key;
	uint32_t seen = 0;
	bool begun = false;
	int status;
	while ((status = object_next(&scan, &begun, &key)) > 0) {
		status = execution_member(&scan, key.count == 1 ? key.bytes[0] : 0, &execution, &names, &seen);
		if (status)
			return status;
	}
	if (status)
		return status;
	uint32_t wanted = SEEN_NAMES | SEEN_STATE | SEEN_KIND | (execution.kind == EXECUTION_TRADE ? SEEN_FILL : 0);
	if ((seen & wanted) != wanted)
		return SCAN_MISSING;
	if (execution.kind == EXECUTION_TRADE && execution.trade.qty.mantissa == 0)
		return SCAN_NUMBER;
	execution.report.has_state = true;
	execution.report.client_id = names.original.len ? names.original : names.client;
	execution.trade.order_id = execution.report.order_id;
	execution.trade.time_ms = execution.report.time_ms;
	*ret_execution = execution;
	return SCAN_OK;
}

static enum event_kind event_of(const struct scan_string *name)
{
	return key_is(name, "executionReport")           ? EVENT_EXECUTION
	       : key_is(name, "outboundAccountPosition") ? EVENT_BALANCES
	       : key_is(name, "externalLockUpdate")      ? EVENT_LOCK
	       : key_is(name, "eventStreamTerminated")   ? EVENT_TERMINATED
	       : key_is(name, "serverShutdown")          ? EVENT_SHUTDOWN
							 : EVENT_OTHER;
}

int event_read(struct scan scan, enum event_kind *ret_kind)
{
	struct scan_string key, name;
	bool begun = false;
	int status;
	while ((status = object_next(&scan, &begun, &key)) > 0) {
		bool found = key_is(&key, "e");
		status = found ? scan_string(&scan, &name) : scan_skip(&scan);
		if (status)
			return status;
		if (!found)
			continue;
		*ret_kind = event_of(&name);
		return SCAN_OK;
	}
	return status ? status : SCAN_MISSING;
}

/* --------------------------------------------------------------- balances */

int holdings_read(struct scan scan, bool is_event, struct holdings *ret_holdings)
{
	struct holdings holdings = {0};
	struct scan_string key;
	bool begun = false;
	int status;
	while ((status = object_next(&scan, &begun, &key)) > 0) {
		if (key_is(&key, is_event ? "u" : "updateTime"))
			status = time_read(&scan, &holdings.time_ms);
		else if (key_is(&key, is_event ? "B" : "balances"))
			status = span_read(&scan, &holdings.list);
		else
			status = scan_skip(&scan);
		if (status)
			return status;
	}
	if (status)
		return status;
	if (!holdings.list.at)
		return SCAN_MISSING;
	*ret_holdings = holdings;
	return SCAN_OK;
}

int holding_read(struct scan *scan, bool is_event, struct holding *ret_holding)
{
	struct holding holding = {.asset = {"", 0}};
	struct scan_string key;
	uint32_t seen = 0;
	bool begun = false;
	int status;
	while ((status = object_next(scan, &begun, &key)) > 0) {
		if (key_is(&key, is_event ? "a" : "asset")) {
			seen |= 1;
			status = text_read(scan, &holding.asset);
		} else if (key_is(&key, is_event ? "f" : "free")) {
			seen |= 2;
			status = amount_read(scan, &holding.free);
		} else if (key_is(&key, is_event ? "l" : "locked")) {
			seen |= 4;
			status = amount_read(scan, &holding.locked);
		} else {
			status = scan_skip(scan);
		}
		if (status)
			return status;
	}
	if (status)
		return status;
	if (seen != 7)
		return SCAN_MISSING;
	*ret_holding = holding;
	return SCAN_OK;
}
