/* Orders, trades and events decoded: the forms of Binance's documentation, and what must be refused. */
#include "exchanges/binance/report.h"

#include <string.h>

#include <trigate/exchange.h>

#include "tests/tap.h"

/* A copy of its own, so that a byte beyond is seen. */
static uint8_t *exact_of(const char *text)
{
	size_t count = strlen(text);
	uint8_t *copy = malloc(count + 1);
	memcpy(copy, text, count);
	return realloc(copy, count ? count : 1);
}

static const char *decimal_text(struct tg_decimal value)
{
	static char text[8][TG_DECIMAL_TEXT_MAX];
	static int turn;
	turn = (turn + 1) % 8;
	tg_decimal_format(value, text[turn], sizeof text[turn]);
	return text[turn];
}

static const char *text_of(struct tg_str text)
{
	static char copy[4][128];
	static int turn;
	turn = (turn + 1) % 4;
	snprintf(copy[turn], sizeof copy[turn], "%.*s", (int)text.len, text.ptr);
	return copy[turn];
}

/* -------------------------------------------------------------------- orders */

#define STATE \
	"\"price\":\"0.10000000\",\"origQty\":\"10.00000000\",\"executedQty\":\"2.50000000\",\"origQuoteOrderQty\":" \
	"\"0.000000\",\"cummulativeQuoteQty\":\"0.25\",\"timeInForce\":\"GTC\",\"type\":\"LIMIT\",\"side\":\"BUY\"," \
	"\"selfTradePreventionMode\":\"NONE\""
#define NAMES "\"symbol\":\"BTCUSDT\",\"orderId\":12510053279,\"orderListId\":-1,"

static const struct report_row {
	const char *text;
	int code;
	enum report_status status;
	bool has_state;
	const char *client_id, *why;
} reports[] = {
	{"{" NAMES "\"clientOrderId\":\"mine\",\"transactTime\":1655716096505}", SCAN_OK, REPORT_OPEN, false, "mine",
	 ""},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"transactTime\":1655716096505," STATE
	 ",\"status\":\"PARTIALLY_FILLED\"}",
	 SCAN_OK, REPORT_OPEN, true, "mine", ""},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"time\":1,\"updateTime\":1655716096505," STATE ",\"status\":\"NEW\"}",
	 SCAN_OK, REPORT_OPEN, true, "mine", ""},
	{"{" NAMES "\"origClientOrderId\":\"mine\",\"clientOrderId\":\"cancel\",\"transactTime\":1655716096505," STATE
	 ",\"status\":\"CANCELED\"}",
	 SCAN_OK, REPORT_CANCELED, true, "mine", ""},
	{"{\"status\":\"EXPIRED\",\"expiryReason\":\"UNFILLED\"," STATE
	 ",\"transactTime\":1655716096505,\"clientOrderId\":\"m\\u0069ne\"," NAMES "\"x\":[{}]}",
	 SCAN_OK, REPORT_EXPIRED, true, "mine", "UNFILLED"},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"transactTime\":1655716096505," STATE
	 ",\"status\":\"EXPIRED_IN_MATCH\"}",
	 SCAN_OK, REPORT_EXPIRED, true, "mine", ""},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"transactTime\":1655716096505," STATE ",\"status\":\"FILLED\"}",
	 SCAN_OK, REPORT_FILLED, true, "mine", ""},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"transactTime\":1655716096505," STATE ",\"status\":\"REJECTED\"}",
	 SCAN_OK, REPORT_REJECTED, true, "mine", ""},
	{"{" NAMES "\"clientOrderId\":\"mine\"," STATE ",\"status\":\"OF_TOMORROW\"}", SCAN_TYPE, 0, false, NULL, NULL},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"side\":\"HOLD\"}", SCAN_TYPE, 0, false, NULL, NULL},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"price\":\"-1\"}", SCAN_NUMBER, 0, false, NULL, NULL},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"price\":\"one\"}", SCAN_NUMBER, 0, false, NULL, NULL},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"price\":\"99999999999999999999\"}", SCAN_OVERFLOW, 0, false, NULL,
	 NULL},
	{"{" NAMES "\"clientOrderId\":\"mine\",\"price\":1}", SCAN_TYPE, 0, false, NULL, NULL},
	{"{\"symbol\":\"BTCUSDT\",\"orderId\":1}", SCAN_MISSING, 0, false, NULL, NULL},
	{"{\"symbol\":\"BTCUSDT\",\"clientOrderId\":\"mine\"}", SCAN_MISSING, 0, false, NULL, NULL},
	{"{\"symbol\":\"BTCUSDT\",\"orderId\":-1}", SCAN_NUMBER, 0, false, NULL, NULL},
	{"{\"symbol\":\"BTCUSDT\",\"orderId\":9223372036854775807}", SCAN_OVERFLOW, 0, false, NULL, NULL},
	{"[]", SCAN_SYNTAX, 0, false, NULL, NULL},
	{"{\"symbol\":\"BTC", SCAN_END, 0, false, NULL, NULL},
};

static void test_reports(void)
{
	for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
		const struct report_row *row = &reports[i];
		struct report got = {0};
		uint8_t *bytes = exact_of(row->text);
		struct scan scan = {bytes, bytes + strlen(row->text)};
		is_int(report_read(&scan, &got), row->code, "'%s'", row->text);
		if (row->code == SCAN_OK) {
			is_str(text_of(got.client_id), row->client_id, "its own client id");
			is_int(got.has_state, row->has_state, "whether its state is told");
			is_int(got.time_ms, 1655716096505, "the time of its last change");
			is_int(got.order_id, 12510053279, "the exchange's id");
			is_str(text_of(got.why), row->why, "why");
		}
		if (row->has_state) {
			is_int(got.status, row->status, "its state");
			is_int(got.side, TG_SIDE_BUY, "its side");
			ok(strcmp(decimal_text(got.price), "0.1") == 0 && strcmp(decimal_text(got.qty), "10") == 0 &&
				   strcmp(decimal_text(got.executed), "2.5") == 0,
			   "its numbers");
		}
		free(bytes);
	}
}

static void test_trades(void)
{
	static const struct {
		const char *text;
		int code;
		uint64_t id, order_id;
		const char *price, *qty, *fee, *currency;
	} rows[] = {
		{"{\"price\":\"4000.00000000\",\"qty\":\"1.00000000\",\"commission\":\"4.00000000\",\"commissionAsset\":"
		 "\"USDT\",\"tradeId\":56}",
		 SCAN_OK, 56, 0, "4000", "1", "4", "USDT"},
		{"{\"symbol\":\"BTCUSDT\",\"id\":1650422481,\"orderId\":12569099453,\"orderListId\":-1,\"price\":"
		 "\"23416.10000000\",\"qty\":\"0.00635000\",\"quoteQty\":\"148.69223500\",\"commission\":\"0.00000000\","
		 "\"commissionAsset\":\"BNB\",\"time\":1660801715793,\"isBuyer\":false,\"isMaker\":true,\"isBestMatch\":true}",
		 SCAN_OK, 1650422481, 12569099453, "23416.1", "0.00635", "0", "BNB"},
		{"{\"price\":\"1\",\"qty\":\"1\",\"commission\":\"0\",\"commissionAsset\":null,\"tradeId\":1}", SCAN_OK,
		 1, 0, "1", "1", "0", ""},
		{"{\"price\":\"1\",\"qty\":\"1\",\"commission\":\"0\",\"tradeId\":-1}", SCAN_NUMBER, 0, 0, NULL, NULL,
		 NULL, NULL},
		{"{\"price\":\"1\",\"qty\":\"1\",\"commission\":\"0\",\"id\":9223372036854775807}", SCAN_OVERFLOW, 0, 0,
		 NULL, NULL, NULL, NULL},
		{"{\"price\":\"1\",\"qty\":\"1\",\"tradeId\":1}", SCAN_MISSING, 0, 0, NULL, NULL, NULL, NULL},
		{"{\"price\":\"1\",\"qty\":\"1\",\"commission\":\"-1\",\"tradeId\":1}", SCAN_NUMBER, 0, 0, NULL, NULL,
		 NULL, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct trade got = {0};
		uint8_t *bytes = exact_of(rows[i].text);
		struct scan scan = {bytes, bytes + strlen(rows[i].text)};
		is_int(trade_read(&scan, &got), rows[i].code, "'%s'", rows[i].text);
		if (rows[i].code == SCAN_OK)
			ok(got.id == rows[i].id && got.order_id == rows[i].order_id &&
				   strcmp(decimal_text(got.price), rows[i].price) == 0 &&
				   strcmp(decimal_text(got.qty), rows[i].qty) == 0 &&
				   strcmp(decimal_text(got.fee), rows[i].fee) == 0 &&
				   strcmp(text_of(got.fee_currency), rows[i].currency) == 0,
			   "what it says");
		free(bytes);
	}
}

/* -------------------------------------------------------------------- events */

#define ORDER \
	"\"e\":\"executionReport\",\"E\":1499405658658,\"s\":\"ETHBTC\",\"S\":\"SELL\",\"o\":\"LIMIT\",\"f\":\"GTC\"," \
	"\"q\":\"1.00000000\",\"p\":\"0.10264410\",\"P\":\"0.00000000\",\"F\":\"0.00000000\",\"g\":-1,"
#define REST \
	"\"i\":4293153,\"T\":1499405658657,\"I\":8641984,\"w\":true,\"m\":false,\"M\":false,\"O\":1499405658657,\"Z\":" \
	"\"0.00000000\",\"Y\":\"0.00000000\",\"Q\":\"0.00000000\",\"W\":1499405658657,\"V\":\"NONE\""
#define NO_FILL "\"l\":\"0.00000000\",\"z\":\"0.00000000\",\"L\":\"0.00000000\",\"n\":\"0\",\"N\":null,\"t\":-1,"

static const struct execution_row {
	const char *text;
	int code;
	enum execution_kind kind;
	enum report_status status;
	const char *client_id;
	uint64_t trade;
} executions[] = {
	{"{" ORDER "\"c\":\"mine\",\"C\":\"\",\"x\":\"NEW\",\"X\":\"NEW\",\"r\":\"NONE\"," NO_FILL REST "}", SCAN_OK,
	 EXECUTION_NEW, REPORT_OPEN, "mine", 0},
	{"{" ORDER "\"c\":\"cancel\",\"C\":\"mine\",\"x\":\"CANCELED\",\"X\":\"CANCELED\",\"r\":\"NONE\"," NO_FILL REST
	 "}",
	 SCAN_OK, EXECUTION_CANCELED, REPORT_CANCELED, "mine", 0},
	{"{" ORDER
	 "\"c\":\"mine\",\"C\":\"\",\"x\":\"TRADE\",\"X\":\"PARTIALLY_FILLED\",\"r\":\"NONE\",\"l\":\"0.5\",\"z\":"
	 "\"0.5\",\"L\":\"0.1027\",\"n\":\"0.00005135\",\"N\":\"BNB\",\"t\":77," REST "}",
	 SCAN_OK, EXECUTION_TRADE, REPORT_OPEN, "mine", 77},
	{"{" ORDER
	 "\"c\":\"mine\",\"C\":null,\"x\":\"TRADE_PREVENTION\",\"X\":\"EXPIRED_IN_MATCH\",\"r\":\"NONE\"," NO_FILL REST
	 "}",
	 SCAN_OK, EXECUTION_OTHER, REPORT_EXPIRED, "mine", 0},
	{"{" ORDER "\"c\":\"mine\",\"x\":\"REJECTED\",\"X\":\"REJECTED\",\"r\":\"INSUFFICIENT_BALANCES\"," NO_FILL REST
	 "}",
	 SCAN_OK, EXECUTION_REJECTED, REPORT_REJECTED, "mine", 0},
	{"{" ORDER "\"c\":\"mine\",\"x\":\"TRADE\",\"X\":\"FILLED\"," NO_FILL REST "}", SCAN_NUMBER, 0, 0, NULL, 0},
	{"{" ORDER "\"c\":\"mine\",\"x\":\"TRADE\",\"X\":\"FILLED\",\"z\":\"1\"," REST "}", SCAN_MISSING, 0, 0, NULL,
	 0},
	{"{" ORDER "\"c\":\"mine\",\"X\":\"NEW\"," NO_FILL REST "}", SCAN_MISSING, 0, 0, NULL, 0},
	{"{" ORDER "\"c\":\"mine\",\"x\":\"NEW\",\"X\":\"SOLD\"," NO_FILL REST "}", SCAN_TYPE, 0, 0, NULL, 0},
	{"{" ORDER "\"c\":7,\"x\":\"NEW\"}", SCAN_TYPE, 0, 0, NULL, 0},
	{"{}", SCAN_MISSING, 0, 0, NULL, 0},
};

static void test_executions(void)
{
	for (size_t i = 0; i < sizeof executions / sizeof executions[0]; i++) {
		const struct execution_row *row = &executions[i];
		struct execution got = {0};
		enum event_kind kind;
		uint8_t *bytes = exact_of(row->text);
		struct scan scan = {bytes, bytes + strlen(row->text)};
		is_int(execution_read(scan, &got), row->code, "'%s'", row->text);
		if (row->code == SCAN_OK) {
			ok(event_read(scan, &kind) == SCAN_OK && kind == EVENT_EXECUTION, "it is an executionReport");
			ok(got.kind == row->kind && got.report.status == row->status && got.trade.id == row->trade,
			   "what happened");
			is_str(text_of(got.report.client_id), row->client_id, "the order's own client id");
			is_str(text_of(got.report.symbol), "ETHBTC", "its symbol");
			is_int(got.report.order_id, 4293153, "the exchange's id");
		}
		if (row->trade)
			ok(strcmp(decimal_text(got.trade.fee), "0.00005135") == 0 &&
				   strcmp(text_of(got.trade.fee_currency), "BNB") == 0 &&
				   strcmp(decimal_text(got.trade.price), "0.1027") == 0 &&
				   strcmp(decimal_text(got.trade.qty), "0.5") == 0,
			   "the trade");
		free(bytes);
	}
}

static void test_events(void)
{
	static const struct {
		const char *text;
		int code;
		enum event_kind kind;
	} rows[] = {
		{"{\"e\":\"outboundAccountPosition\"}", SCAN_OK, EVENT_BALANCES},
		{"{\"E\":1,\"e\":\"eventStreamTerminated\"}", SCAN_OK, EVENT_TERMINATED},
		{"{\"e\":\"serverShutdown\",\"E\":1}", SCAN_OK, EVENT_SHUTDOWN},
		{"{\"e\":\"externalLockUpdate\"}", SCAN_OK, EVENT_LOCK},
		{"{\"e\":\"balanceUpdate\"}", SCAN_OK, EVENT_OTHER},
		{"{\"E\":1}", SCAN_MISSING, EVENT_OTHER},
		{"{\"e\":1}", SCAN_TYPE, EVENT_OTHER},
		{"null", SCAN_SYNTAX, EVENT_OTHER},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum event_kind kind = EVENT_OTHER;
		uint8_t *bytes = exact_of(rows[i].text);
		is_int(event_read((struct scan){bytes, bytes + strlen(rows[i].text)}, &kind), rows[i].code, "'%s'",
		       rows[i].text);
		is_int(kind, rows[i].kind, "'%s': its kind", rows[i].text);
		free(bytes);
	}
}

static void test_holdings(void)
{
	static const struct {
		const char *text;
		bool is_event;
		int code;
		int64_t time_ms;
		unsigned count;
	} rows[] = {
		{"{\"e\":\"outboundAccountPosition\",\"E\":1564034571105,\"u\":1564034571073,\"B\":[{\"a\":\"ETH\",\"f\":"
		 "\"10000.000000\",\"l\":\"0.000000\"}]}",
		 true, SCAN_OK, 1564034571073, 1},
		{"{\"updateTime\":5,\"accountType\":\"SPOT\",\"balances\":[{\"asset\":\"BNB\",\"free\":\"0\",\"locked\":\"0\"},"
		 "{\"asset\":\"BTC\",\"free\":\"1.3447112\",\"locked\":\"0.08600000\"}],\"permissions\":[\"SPOT\"]}",
		 false, SCAN_OK, 5, 2},
		{"{\"u\":1,\"B\":[]}", true, SCAN_OK, 1, 0},
		{"{\"u\":1}", true, SCAN_MISSING, 0, 0},
		{"{\"u\":1,\"B\":[{\"a\":\"ETH\",\"f\":\"1\"}]}", true, SCAN_MISSING, 1, 0},
		{"{\"u\":1,\"B\":[{\"a\":\"ETH\",\"f\":\"1\",\"l\":\"-1\"}]}", true, SCAN_NUMBER, 1, 0},
		{"{\"u\":1,\"B\":[{\"a\":\"ETH\",\"f\":\"1\",\"l\":\"1\"},]}", true, SCAN_SYNTAX, 0, 0},
		{"{\"u\":1,\"B\":7}", true, SCAN_SYNTAX, 1, 0},
		{"{\"u\":\"1\",\"B\":[]}", true, SCAN_TYPE, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct holdings got = {0};
		struct holding holding;
		uint8_t *bytes = exact_of(rows[i].text);
		unsigned count = 0;
		bool begun = false;
		int status = holdings_read((struct scan){bytes, bytes + strlen(rows[i].text)}, rows[i].is_event, &got);
		while (!status && (status = list_next(&got.list, &begun)) > 0) {
			status = holding_read(&got.list, rows[i].is_event, &holding);
			count += !status;
		}
		is_int(status, rows[i].code, "'%s'", rows[i].text);
		ok(got.time_ms == rows[i].time_ms && count == rows[i].count, "'%s': its time and number", rows[i].text);
		free(bytes);
	}
}

int main(void)
{
	test_reports();
	test_trades();
	test_executions();
	test_events();
	test_holdings();
	return tap_done();
}
