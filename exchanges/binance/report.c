#include "exchanges/binance/report.h"

#include <string.h>

#include "exchanges/binance/catalogue.h"

/* ---------------------------------------------------------------- walking */

int object_next(struct scan *scan, bool *begun, struct scan_string *ret_key)
{
	uint8_t before = *begun ? ',' : '{';
	if (!scan_take(scan, before))
		return *begun && scan_take(scan, '}') ? 0 : scan_expected(scan);
	if (!*begun && scan_take(scan, '}'))
		return 0;
	*begun = true;
	int status = scan_string(scan, ret_key);
	if (status)
		return status;
	return scan_take(scan, ':') ? 1 : scan_expected(scan);
}

int list_next(struct scan *scan, bool *begun)
{
	uint8_t before = *begun ? ',' : '[';
	if (!scan_take(scan, before))
		return *begun && scan_take(scan, ']') ? 0 : scan_expected(scan);
	if (!*begun && scan_take(scan, ']'))
		return 0;
	*begun = true;
	return 1;
}

bool key_is(const struct scan_string *key, const char *name)
{
	return key->count == strlen(name) && memcmp(key->bytes, name, key->count) == 0;
}

/* ----------------------------------------------------------------- values */

static int text_read(struct scan *scan, struct tg_str *ret_text)
{
	struct scan_string string;
	int status = scan_string(scan, &string);
	if (status)
		return status;
	/* In place: what an escape stands for is never longer than it. The message may be scribbled in. */
	int length = string.escaped ? scan_unescape(&string, (uint8_t *)(uintptr_t)string.bytes, string.count)
				    : (int)string.count;
	if (length < 0)
		return length;
	*ret_text = (struct tg_str){(const char *)string.bytes, (uint64_t)length};
	return SCAN_OK;
}

static int text_or_null_read(struct scan *scan, struct tg_str *ret_text)
{
	*ret_text = (struct tg_str){"", 0};
	return scan_peek(scan) == '"' ? text_read(scan, ret_text) : scan_skip(scan);
}

static int decimal_read(struct scan *scan, struct tg_decimal *ret_value)
{
	struct tg_str text;
	struct tg_decimal value;
	int status = text_read(scan, &text);
	if (status)
		return status;
	switch (tg_decimal_parse(text, &value)) {
	case TG_OK: break;
	case TG_ERR_OVERFLOW: return SCAN_OVERFLOW;
	default: return SCAN_NUMBER;
	}
	if (value.mantissa < 0)
		return SCAN_NUMBER;
	*ret_value = tg_decimal_normalise(value);
	return SCAN_OK;
}

static int amount_read(struct scan *scan, tg_amount *ret_value)
{
	struct tg_str text;
	tg_amount value;
	int status = text_read(scan, &text);
	if (status)
		return status;
	if (tg_amount_parse(text, &value) != TG_OK || value < 0)
		return SCAN_NUMBER;
	*ret_value = value;
	return SCAN_OK;
}

/* Unix time in milliseconds. */
static int time_read(struct scan *scan, int64_t *ret_ms)
{
	int64_t ms;
	int status = scan_i64(scan, &ms);
	if (status)
		return status;
	if (ms < 0 || ms > REPORT_MS_MAX)
		return SCAN_NUMBER;
	*ret_ms = ms;
	return SCAN_OK;
}

static bool text_is(struct tg_str text, const char *name)
{
	return text.len == strlen(name) && memcmp(text.ptr, name, text.len) == 0;
}

/* Remembers where a value stands, and skips it. */
static int span_read(struct scan *scan, struct scan *ret_span)
{
	scan_blank(scan);
	const uint8_t *begin = scan->at;
	int status = scan_skip(scan);
	*ret_span = (struct scan){begin, scan->at};
	return status;
}

/* --------------------------------------------------------------- envelope */

/* Ours are numbers: another has not been asked by us. */
static int id_read(struct scan *scan, struct envelope *envelope)
{
	uint8_t c = scan_peek(scan);
	if (c < '0' || c > '9')
		return scan_skip(scan);
	envelope->has_id = true;
	return scan_u64(scan, &envelope->id);
}

static int envelope_member(struct scan *scan, const struct scan_string *key, struct envelope *envelope)
{
	if (key_is(key, "id"))
		return id_read(scan, envelope);
	if (key_is(key, "status"))
		return scan_i64(scan, &envelope->status);
	if (key_is(key, "result"))
		return span_read(scan, &envelope->result);
	if (key_is(key, "error"))
		return span_read(scan, &envelope->error);
	if (key_is(key, "rateLimits"))
		return span_read(scan, &envelope->limits);
	if (key_is(key, "event"))
		return span_read(scan, &envelope->event);
	return scan_skip(scan);
}

int envelope_read(uint8_t *bytes, uint64_t count, struct envelope *ret_envelope)
{
	struct scan scan = {bytes, bytes + count};
	struct envelope envelope = {0};
	struct scan_string key;
	bool begun = false;
	int status;
	while ((status = object_next(&scan, &begun, &key)) > 0) {
		status = envelope_member(&scan, &key, &envelope);
		if (status)
			return status;
	}
	if (status)
		return status;
	if (scan_peek(&scan) != 0 || scan.at != scan.end)
		return SCAN_TRAILING;
	*ret_envelope = envelope;
	return SCAN_OK;
}

static int retry_read(struct scan *scan, int64_t *ret_retry_ms)
{
	struct scan span;
	int64_t server, until;
	int status = span_read(scan, &span);
	if (status || *span.at != '{')
		return status;
	if (time_member(span, "serverTime", &server) || time_member(span, "retryAfter", &until))
		return SCAN_OK;
	if (until > server && until - server < INT64_C(31) * 86400 * 1000)
		*ret_retry_ms = until - server;
	return SCAN_OK;
}

int refusal_read(struct scan scan, struct refusal *ret_refusal)
{
	struct refusal refusal = {.text = {"", 0}};
	struct scan_string key;
	bool begun = false;
	int status;
	while ((status = object_next(&scan, &begun, &key)) > 0) {
		if (key_is(&key, "code"))
			status = scan_i64(&scan, &refusal.code);
		else if (key_is(&key, "msg"))
			status = text_read(&scan, &refusal.text);
		else if (key_is(&key, "data"))
			status = retry_read(&scan, &refusal.retry_ms);
		else
			status = scan_skip(&scan);
		if (status)
			return status;
	}
	if (!status)
		*ret_refusal = refusal;
	return status;
}

/* ------------------------------------------------------------ rate limits */

static int64_t interval_of(struct tg_str text)
{
	if (text_is(text, "SECOND"))
		return TG_E9;
	if (text_is(text, "MINUTE"))
		return 60 * TG_E9;
	if (text_is(text, "HOUR"))
		return 3600 * TG_E9;
	return text_is(text, "DAY") ? 86400 * TG_E9 : 0;
}

int limit_read(struct scan *scan, struct limit_told *ret_limit)
{
	struct tg_str kind = {"", 0}, interval = {"", 0};
	uint64_t number = 0, used = 0;
	struct scan_string key;
	bool begun = false;
	int status;
	while ((status = object_next(scan, &begun, &key)) > 0) {
		if (key_is(&key, "rateLimitType"))
			status = text_read(scan, &kind);
		else if (key_is(&key, "interval"))
			status = text_read(scan, &interval);
		else if (key_is(&key, "intervalNum"))
			status = scan_u64(scan, &number);
		else if (key_is(&key, "count"))
			status = scan_u64(scan, &used);
		else
			status = scan_skip(scan);
		if (status)
			return status;
	}
	if (status)
		return status;
	bool sane = number >= 1 && number <= 365 && used <= INT32_MAX;
	int32_t known = text_is(kind, "REQUEST_WEIGHT") ? RATE_REQUEST_WEIGHT
			: text_is(kind, "ORDERS")       ? RATE_ORDERS
							: 0;
	*ret_limit = (struct limit_told){sane ? known : 0, sane ? interval_of(interval) * (int64_t)number : 0,
					 (int64_t)used};
	return SCAN_OK;
}

int time_member(struct scan scan, const char *name, int64_t *ret_ms)
{
	struct scan_string key;
	bool begun = false;
	int status;
	while ((status = object_next(&scan, &begun, &key)) > 0) {
		if (key_is(&key, name))
			return time_read(&scan, ret_ms);
		status = scan_skip(&scan);
		if (status)
			return status;
	}
	return status ? status : SCAN_MISSING;
}

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
	case SEEN_ID: return scan_u64(scan, &report->order_id);
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
		return scan_u64(scan, &trade->id);
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
		return scan_u64(scan, &trade->order_id);
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
	case 'i': *seen |= SEEN_ID; return scan_u64(scan, &report->order_id);
	case 'c': *seen |= SEEN_CLIENT; return text_read(scan, &names->client);
	case 'C': return text_or_null_read(scan, &names->original);
	case 'x': *seen |= SEEN_KIND; return kind_read(scan, &execution->kind);
	case 'X': *seen |= SEEN_STATUS; return status_read(scan, &report->status);
	case 'S': *seen |= SEEN_SIDE; return side_read(scan, &report->side);
	case 'p': *seen |= SEEN_PRICE; return decimal_read(scan, &report->price);
	case 'q': *seen |= SEEN_QTY; return decimal_read(scan, &report->qty);
	case 'z': *seen |= SEEN_EXECUTED; return decimal_read(scan, &report->executed);
	case 'r': return text_or_null_read(scan, &report->why);
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
