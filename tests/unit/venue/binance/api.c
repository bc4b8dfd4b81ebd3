/* Orders over REST and over the WebSocket API: what is answered, that both leave the same ledger, and every refusal. */
#include "tests/unit/venue/binance/fixture.h"

#define BUY "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=%s&quantity=%s&price=%s&newClientOrderId=%s"

static const char *place_rest(const char *tif, const char *qty, const char *price, const char *id)
{
	char parameters[512];
	snprintf(parameters, sizeof parameters, BUY, tif, qty, price, id);
	return ask_signed("POST", "/api/v3/order", parameters);
}

static const char *place_api(const char *tif, const char *qty, const char *price, const char *id)
{
	char members[512], payload[512];
	snprintf(
		members, sizeof members,
		"\"symbol\":\"BTCUSDT\",\"side\":\"BUY\",\"type\":\"LIMIT\",\"timeInForce\":\"%s\",\"quantity\":\"%s\","
		"\"price\":\"%s\",\"newClientOrderId\":\"%s\"",
		tif, qty, price, id);
	snprintf(payload, sizeof payload,
		 "newClientOrderId=%s&price=%s&quantity=%s&side=BUY&symbol=BTCUSDT&timeInForce=%s", id, price, qty,
		 tif);
	return say_signed(7, "order.place", members, payload, "type=LIMIT");
}

/* A life: fills, partly and wholly; rests; is asked for and cancelled; is refused. */
static void life_over_rest(void)
{
	const char *answer = place_rest("IOC", "0.50000", "50010.00", "one");
	ok(has(answer, "HTTP/1.1 200 OK") && has(answer, "\"status\":\"FILLED\"") &&
		   has(answer, "\"executedQty\":\"0.50000000\"") &&
		   has(answer, "\"cummulativeQuoteQty\":\"25005.00000000\"") &&
		   has(answer,
		       "\"fills\":[{\"price\":\"50010.00000000\",\"qty\":\"0.50000000\",\"commission\":\"0.00050000\","
		       "\"commissionAsset\":\"BTC\",\"tradeId\":1}]"),
	   "an IOC order is filled, and told in full");
	answer = place_rest("IOC", "0.5", "40000", "two");
	ok(has(answer, "\"status\":\"EXPIRED\"") && has(answer, "\"expiryReason\":\"UNFILLED_IOC_QUANTITY_EXPIRED\""),
	   "one that meets nothing expires, and says why");
	answer = place_rest("GTC", "0.1", "49000.00", "three");
	ok(has(answer, "\"status\":\"NEW\"") && has(answer, "\"orderId\":3,"), "a GTC order rests");
	answer = ask_signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=three");
	ok(has(answer, "\"status\":\"NEW\"") && has(answer, "\"isWorking\":true"), "it is known by its client id");
	answer = ask_signed("GET", "/api/v3/openOrders", "symbol=BTCUSDT");
	ok(has(answer, "[{\"symbol\":\"BTCUSDT\",\"orderId\":3,"), "and listed as open");
	answer = place_rest("GTC", "0.1", "48000.00", "three");
	ok(has(answer, "HTTP/1.1 400 ") && has(answer, "{\"code\":-2010,\"msg\":\"Duplicate order sent.\"}"),
	   "its client id is taken");
	answer = ask_signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&orderId=3&newClientOrderId=stop");
	ok(has(answer, "\"status\":\"CANCELED\"") && has(answer, "\"origClientOrderId\":\"three\"") &&
		   has(answer, "\"clientOrderId\":\"stop\""),
	   "it is cancelled");
	answer = ask_signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&orderId=3");
	ok(has(answer, "{\"code\":-2011,\"msg\":\"Unknown order sent.\"}"), "once");
	answer = ask_signed("GET", "/api/v3/myTrades", "symbol=BTCUSDT");
	ok(has(answer, "[{\"symbol\":\"BTCUSDT\",\"id\":1,\"orderId\":1,") &&
		   has(answer, "\"quoteQty\":\"25005.00000000\""),
	   "its trades can be asked for");
}

static void life_over_the_api(void)
{
	is_int(connect_to(7, "/ws-api/v3"), 101, "a connection to the WebSocket API");
	const char *answer = place_api("IOC", "0.50000", "50010.00", "one");
	ok(has(answer, "{\"id\":\"x\",\"status\":200,\"result\":{") && has(answer, "\"status\":\"FILLED\"") &&
		   has(answer,
		       "\"rateLimits\":[{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\",\"intervalNum\":10,"
		       "\"limit\":100,\"count\":1}"),
	   "an order is filled over the WebSocket API");
	ok(has(place_api("IOC", "0.5", "40000", "two"), "\"status\":\"EXPIRED\""), "another expires");
	ok(has(place_api("GTC", "0.1", "49000.00", "three"), "\"status\":\"NEW\""), "a third rests");
	answer = say_signed(7, "order.status", "\"symbol\":\"BTCUSDT\",\"origClientOrderId\":\"three\"",
			    "origClientOrderId=three&symbol=BTCUSDT", "");
	ok(has(answer, "\"status\":\"NEW\""), "and is asked for");
	answer = place_api("GTC", "0.1", "48000.00", "three");
	ok(has(answer, "\"status\":400,\"error\":{\"code\":-2010,\"msg\":\"Duplicate order sent.\"}"),
	   "its id is taken");
	answer = say_signed(7, "order.cancel", "\"symbol\":\"BTCUSDT\",\"orderId\":3,\"newClientOrderId\":\"stop\"",
			    "newClientOrderId=stop&orderId=3&symbol=BTCUSDT", "");
	ok(has(answer, "\"status\":\"CANCELED\""), "it is cancelled");
	answer = say_signed(7, "account.status", "\"omitZeroBalances\":true", "omitZeroBalances=true", "");
	ok(has(answer, "{\"asset\":\"USDT\",\"free\":\"74995.00000000\",\"locked\":\"0.00000000\"}"),
	   "balances followed");
}

static void both_ways_are_the_same(void)
{
	api_begin(binance_options_default());
	life_over_rest();
	char *by_rest = strndup(ledger.ptr, ledger.used);
	api_end();
	api_begin(binance_options_default());
	life_over_the_api();
	char *by_api = strndup(ledger.ptr, ledger.used);
	is_str(by_api, by_rest, "REST and the WebSocket API leave the same ledger, to the byte");
	free(by_rest);
	free(by_api);
	api_end();
}

/* ---------------------------------------------------------------- refusals */

#define ORDER "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&price=50000"

static const struct {
	const char *name, *method, *path, *parameters, *want;
} refusals[] = {
	{"no such symbol", "POST", "/api/v3/order",
	 "symbol=NONE&side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&price=1",
	 "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}"},
	{"symbol in small letters", "POST", "/api/v3/order", "symbol=btcusdt&side=BUY&type=LIMIT&quantity=1&price=1",
	 "{\"code\":-1100,\"msg\":\"Illegal characters found in parameter 'symbol'; legal range is '"},
	{"no symbol", "GET", "/api/v3/order", "orderId=1",
	 "{\"code\":-1102,\"msg\":\"Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.\"}"},
	{"no quantity", "POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=1",
	 "-1102,\"msg\":\"Mandatory parameter 'quantity' was not sent"},
	{"letters in the price", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&price=1e5",
	 "{\"code\":-1100,\"msg\":\"Illegal characters found in parameter 'price'; legal range is '"},
	{"negative quantity", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=-1&price=1", "{\"code\":-1100,"},
	{"a parameter twice", "POST", "/api/v3/order", ORDER "&side=SELL",
	 "{\"code\":-1101,\"msg\":\"Duplicate values for a parameter detected.\"}"},
	{"an unknown parameter", "POST", "/api/v3/order", ORDER "&colour=red",
	 "{\"code\":-1104,\"msg\":\"Not all sent parameters were read; read '8' parameter(s) but was sent '9'.\"}"},
	{"an empty optional parameter", "POST", "/api/v3/order",
	 ORDER "&newClientOrderId=", "{\"code\":-1105,\"msg\":\"Parameter 'newClientOrderId' was empty.\"}"},
	{"a time in force that a maker order has not", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&timeInForce=GTC&quantity=1&price=50000",
	 "{\"code\":-1106,\"msg\":\"Parameter 'timeInForce' sent when not required.\"}"},
	{"too much precision", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=1.000000001&price=50000",
	 "{\"code\":-1111,\"msg\":\"Parameter 'quantity' has too much precision.\"}"},
	{"no such time in force", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=1&price=1", "{\"code\":-1115,"},
	{"no such type", "POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=STOP&quantity=1&price=1",
	 "{\"code\":-1116,"},
	{"no such side", "POST", "/api/v3/order", "symbol=BTCUSDT&side=HOLD&type=LIMIT&quantity=1&price=1",
	 "{\"code\":-1117,\"msg\":\"Invalid side.\"}"},
	{"no such kind of answer", "POST", "/api/v3/order", ORDER "&newOrderRespType=LOUD",
	 "{\"code\":-1130,\"msg\":\"Data sent for parameter 'newOrderRespType' is not valid.\"}"},
	{"a client id with a dot", "POST", "/api/v3/order", ORDER "&newClientOrderId=a.b",
	 "parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'"},
	{"price off the tick", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&price=50000.001",
	 "{\"code\":-1013,\"msg\":\"Filter failure: PRICE_FILTER\"}"},
	{"quantity off the lot", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.000001&price=50000",
	 "{\"code\":-1013,\"msg\":\"Filter failure: LOT_SIZE\"}"},
	{"too small", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.0001&price=50000",
	 "{\"code\":-1013,\"msg\":\"Filter failure: NOTIONAL\"}"},
	{"beyond the greatest price", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.01&price=90000000000.01",
	 "{\"code\":-1013,\"msg\":\"Filter failure: PRICE_FILTER\"}"},
	{"beyond the greatest notional", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=9000000000.01",
	 "{\"code\":-1013,\"msg\":\"Filter failure: NOTIONAL\"}"},
	{"no funds", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=3&price=50000",
	 "{\"code\":-2010,\"msg\":\"Account has insufficient balance for requested action.\"}"},
	{"a maker order that would take", "POST", "/api/v3/order",
	 "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=1&price=50010",
	 "{\"code\":-2010,\"msg\":\"Order would immediately match and take.\"}"},
	{"status of no order", "GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=never",
	 "{\"code\":-2013,\"msg\":\"Order does not exist.\"}"},
	{"status of a refused order", "GET", "/api/v3/order", "symbol=BTCUSDT&orderId=1", "{\"code\":-2013,"},
	{"status without an id", "GET", "/api/v3/order", "symbol=BTCUSDT",
	 "{\"code\":-1102,\"msg\":\"Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!\"}"},
	{"cancel of no order", "DELETE", "/api/v3/order", "symbol=BTCUSDT&orderId=77",
	 "{\"code\":-2011,\"msg\":\"Unknown order sent.\"}"},
	{"cancel all where nothing is open", "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT", "{\"code\":-2011,"},
	{"a window that is too long", "GET", "/api/v3/account", "recvWindow=60001",
	 "{\"code\":-1102,\"msg\":\"'recvWindow' contains unexpected value. Cannot be greater than '60000'.\"}"},
	{"no such path", "GET", "/api/v3/nothing", "", "HTTP/1.1 404 "},
	{"a listenKey", "POST", "/api/v3/userDataStream", "", "HTTP/1.1 404 "}, /* gone since 2026-02-20 */
};

static void wrong_requests_are_refused(void)
{
	api_begin(binance_options_default());
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		ok(has(ask_signed(refusals[i].method, refusals[i].path, refusals[i].parameters), refusals[i].want),
		   "refused: %s", refusals[i].name);
	is_str(funds(venue, "USDT"), "100000/0", "nothing came of all that");
	api_end();
}

static const struct {
	const char *name, *target, *want;
} questions[] = {
	{"ping", "/api/v3/ping", "\r\n\r\n{}"},
	{"a ping with parameters", "/api/v3/ping?a=1",
	 "{\"code\":-1101,\"msg\":\"Too many parameters; expected '0' and received '1'.\"}"},
	{"time", "/api/v3/time", "{\"serverTime\":1700000000000}"},
	{"one symbol's information", "/api/v3/exchangeInfo?symbol=BTCUSDT",
	 "{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"0.01000000\",\"maxPrice\":\"90000000000.00000000\",\"tickSize\":"
	 "\"0.01000000\"},{\"filterType\":\"LOT_SIZE\",\"minQty\":\"0.00001000\",\"maxQty\":\"10000000000.00000000\",\"stepSize\":"
	 "\"0.00001000\"},{\"filterType\":\"NOTIONAL\",\"minNotional\":\"10.00000000\","},
	{"several symbols'", "/api/v3/exchangeInfo?symbols=%5B%22ETHBTC%22,%22LTCBTC%22%5D",
	 "\"symbols\":[{\"symbol\":\"ETHBTC\",\"status\":\"TRADING\",\"baseAsset\":\"ETH\""},
	{"the limits", "/api/v3/exchangeInfo",
	 "{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,\"limit\":6000}"},
	{"a symbol and symbols", "/api/v3/exchangeInfo?symbol=BTCUSDT&symbols=%5B%22ETHBTC%22%5D",
	 "{\"code\":-1128,\"msg\":\"Combination of optional parameters invalid.\"}"},
	{"a symbol twice", "/api/v3/exchangeInfo?symbols=%5B%22ETHBTC%22,%22ETHBTC%22%5D",
	 "{\"code\":-1151,\"msg\":\"Symbol is present multiple times in the list.\"}"},
	{"a list that is none", "/api/v3/ticker/bookTicker?symbols=%5B", "{\"code\":-1135,"},
	{"an escape cut off", "/api/v3/depth?symbol=BTC%5", "{\"code\":-1100,"},
	{"a depth of nothing", "/api/v3/depth?symbol=BTCUSDT&limit=0", "{\"code\":-1130,"},
	{"depth", "/api/v3/depth?symbol=BTCUSDT&limit=5",
	 "\"bids\":[[\"50000.00000000\",\"2.00000000\"]],\"asks\":[[\"50010.00000000\",\"2.00000000\"]]}"},
	{"a ticker", "/api/v3/ticker/bookTicker?symbol=ETHBTC",
	 "{\"symbol\":\"ETHBTC\",\"bidPrice\":\"0.03990000\",\"bidQty\":\"20.00000000\",\"askPrice\":\"0.04010000\",\"askQty\":"
	 "\"20.00000000\"}"},
	{"all tickers", "/api/v3/ticker/bookTicker", "[{\"symbol\":\"BTCUSDT\","},
};

static void anybody_may_ask(void)
{
	api_begin(binance_options_default());
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
		ok(has(ask("GET", questions[i].target, "", NULL), questions[i].want), "asked: %s", questions[i].name);
	ok(has(ask_signed("GET", "/api/v3/account/commission", "symbol=BTCUSDT"),
	       "\"standardCommission\":{\"maker\":\"0.001000000\",\"taker\":\"0.001000000\","),
	   "the account's fees");
	ok(has(ask_signed("GET", "/sapi/v1/account/apiRestrictions", ""), "\"enableWithdrawals\":false"),
	   "what its key may do");
	api_end();
}

/* ------------------------------------------------------------------ faults */

static void faults_strike_on_request(void)
{
	api_begin(binance_options_default());
	ask("POST", "/control/fault?kind=lost-before&method=order.place", "", NULL);
	ok(!place_rest("IOC", "0.1", "50010", "a"), "lost before acceptance: cut");
	ok(has(ask_signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=a"), "-2013"),
	   "the order never was");
	ask("POST", "/control/fault?kind=lost-after&method=order.place", "", NULL);
	ok(!place_rest("IOC", "0.1", "50010", "b"), "lost after acceptance: cut");
	ok(has(ask_signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=b"), "FILLED"),
	   "the order was filled");
	ask("POST", "/control/fault?kind=error-1007&done=true&skip=1", "", NULL);
	ok(has(place_rest("IOC", "0.1", "50010", "c"), "\"FILLED\""), "one request passes");
	const char *answer = place_rest("IOC", "0.1", "50010", "d");
	ok(has(answer, "HTTP/1.1 504 ") && has(answer, "{\"code\":-1007,"), "the next one times out");
	ok(has(ask_signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=d"), "FILLED"),
	   "though it was done");
	ask("POST", "/control/fault?kind=error-1006", "", NULL);
	ok(has(place_rest("IOC", "0.1", "50010", "e"), "{\"code\":-1006,"), "an unexpected response");
	ok(has(ask_signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=e"), "-2013"),
	   "of what was not done");
	ask("POST", "/control/fault?kind=limit", "", NULL);
	answer = ask("GET", "/api/v3/ping", "", NULL);
	ok(has(answer, "HTTP/1.1 429 ") && has(answer, "Retry-After: 1\r\n") && has(answer, "\"code\":-1003"),
	   "a limit");
	ask("POST", "/control/clock?behind_ms=3000", "", NULL);
	ok(has(ask("GET", "/api/v3/time", "", NULL), "{\"serverTime\":1699999997000}"), "its clock is 3 s slow");
	ok(has(ask_signed("GET", "/api/v3/account", ""), "1000ms ahead of the server's time"), "and it finds us early");
	ok(has(ask("POST", "/control/fault?kind=rain", "", NULL), "\"code\":-1130"), "there are no other faults");
	api_end();
}

static const struct {
	const char *kind, *want;
} errors[] = {
	{"error-1000", "HTTP/1.1 500 Internal Server Error\r\n"},
	{"error-1001", "HTTP/1.1 503 Service Unavailable\r\n"},
	{"error-1006", "HTTP/1.1 502 Bad Gateway\r\n"},
	{"error-1007", "HTTP/1.1 504 Gateway Timeout\r\n"},
	{"error-1008", "{\"code\":-1008,\"msg\":\"Server is currently overloaded with other requests."},
	{"ban", "HTTP/1.1 418 I'm a teapot\r\n"},
};

static void every_error_can_be_had(void)
{
	char target[100];
	api_begin(binance_options_default());
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		snprintf(target, sizeof target, "/control/fault?kind=%s&method=ping", errors[i].kind);
		ask("POST", target, "", NULL);
		ok(has(ask("GET", "/api/v3/ping", "", NULL), errors[i].want), "asked for: %s", errors[i].kind);
	}
	api_end();
}

static void markets_close_on_request(void)
{
	api_begin(binance_options_default());
	place_rest("GTC", "0.1", "49000.00", "stays");
	ask("POST", "/control/market?symbol=BTCUSDT&status=BREAK", "", NULL);
	ok(has(ask("GET", "/api/v3/exchangeInfo?symbol=BTCUSDT", "", NULL), "\"status\":\"BREAK\""),
	   "a market is stopped");
	ok(has(place_rest("GTC", "0.1", "49000.00", "late"), "{\"code\":-1013,\"msg\":\"Market is closed.\"}"),
	   "it takes no orders");
	ok(has(ask_signed("GET", "/api/v3/openOrders", ""), "\"clientOrderId\":\"stays\""), "and keeps those it has");
	api_end();
}

static void control_is_off_unless_asked_for(void)
{
	struct binance_options options = binance_options_default();
	struct binance *closed = NULL;
	struct http_request request;
	struct text answer = {0};
	static const char bytes[] = "POST /control/cut HTTP/1.1\r\n\r\n";
	api_begin(options);
	options.sink = (struct binance_sink){&told, sink_text, sink_ping, sink_close};
	is_int(binance_open(&options, venue, now, &closed, NULL), TG_OK, "a venue without control");
	http_parse(bytes, sizeof bytes - 1, &request);
	binance_http(closed, now, 1, &request, &answer);
	text_add(&answer, "", 1);
	ok(has(answer.ptr, "HTTP/1.1 404 "), "does not know of it");
	binance_close(closed);
	text_finish(&answer);
	api_end();
}

int main(void)
{
	fixture_begin();
	both_ways_are_the_same();
	wrong_requests_are_refused();
	anybody_may_ask();
	faults_strike_on_request();
	every_error_can_be_had();
	markets_close_on_request();
	control_is_off_unless_asked_for();
	fixture_end();
	return tap_done();
}
