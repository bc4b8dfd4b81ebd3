/* Weights, order counts, bans, connections: how much may be asked, and what is said of it. */
#include "tests/unit/venue/binance/fixture.h"

#define SECOND INT64_C(1000000000)
#define ORDER "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.001&price=50010"

static struct binance_options tight(void)
{
	struct binance_options options = binance_options_default();
	options.limits.weight_minute = 100;
	options.limits.orders_10s = 3;
	options.limits.orders_day = 5;
	options.limits.connections_5m = 4;
	options.limits.patience = 2;
	return options;
}

static const struct {
	const char *target;
	int weight;
} weights[] = {
	{"/api/v3/ping", 1},
	{"/api/v3/exchangeInfo", 20},
	{"/api/v3/depth?symbol=BTCUSDT", 5},
	{"/api/v3/depth?symbol=BTCUSDT&limit=500", 25},
	{"/api/v3/depth?symbol=BTCUSDT&limit=1000", 50},
	{"/api/v3/depth?symbol=BTCUSDT&limit=5000", 250},
	{"/api/v3/ticker/bookTicker?symbol=BTCUSDT", 2},
	{"/api/v3/ticker/bookTicker", 4},
};

static void requests_weigh(void)
{
	char want[64];
	int used = 0;
	api_begin(binance_options_default());
	for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
		used += weights[i].weight;
		snprintf(want, sizeof want, "X-MBX-USED-WEIGHT-1M: %d\r\n", used);
		ok(has(ask("GET", weights[i].target, "", NULL), want), "%s weighs %d", weights[i].target,
		   weights[i].weight);
	}
	used += 80;
	snprintf(want, sizeof want, "X-MBX-USED-WEIGHT-1M: %d\r\n", used);
	ok(has(ask_signed("GET", "/api/v3/openOrders", ""), want), "all open orders weigh 80");
	ok(has(ask_signed("POST", "/api/v3/order", ORDER), want), "an order weighs nothing");
	connect_to(1, "/ws-api/v3");
	used += 2;
	snprintf(want, sizeof want, "X-MBX-USED-WEIGHT-1M: %d\r\n", used);
	ok(has(ask_signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&orderId=1"), want),
	   "a connection to the API weighs 2");
	now += 60 * SECOND;
	ok(has(ask("GET", "/api/v3/ping", "", NULL), "X-MBX-USED-WEIGHT-1M: 1\r\n"), "each minute begins anew");
	api_end();
}

static void who_asks_too_much_waits_and_then_is_banned(void)
{
	api_begin(tight()); /* 20 s into a minute */
	for (int i = 0; i < 5; i++)
		ask("GET", "/api/v3/exchangeInfo", "", NULL);
	const char *answer = ask("GET", "/api/v3/ping", "", NULL);
	ok(has(answer, "HTTP/1.1 429 Too Many Requests\r\n") && has(answer, "Retry-After: 40\r\n") &&
		   has(answer,
		       "{\"code\":-1003,\"msg\":\"Too much request weight used; current limit is 100 request weight per 1 "
		       "MINUTE. Please use WebSocket Streams"),
	   "more than the limit: wait for the minute to end");
	ask("GET", "/api/v3/ping", "", NULL);
	answer = ask("GET", "/api/v3/ping", "", NULL);
	ok(has(answer, "HTTP/1.1 418 ") && has(answer, "Retry-After: 120\r\n") &&
		   has(answer, "Way too much request weight used; IP banned until 1700000120000."),
	   "who goes on is banned");
	now += 60 * SECOND;
	ok(has(ask("GET", "/api/v3/ping", "", NULL), "HTTP/1.1 418 "), "a new minute does not help");
	is_int(connect_to(1, "/ws"), 418, "nor does a connection");
	now += 60 * SECOND;
	ok(has(ask("GET", "/api/v3/ping", "", NULL), "HTTP/1.1 200 "), "until the ban is over");
	for (int i = 0; i < 8; i++)
		answer = ask("GET", "/api/v3/exchangeInfo", "", NULL);
	ok(has(answer, "HTTP/1.1 418 ") && has(answer, "Retry-After: 240\r\n"), "the second ban is twice as long");
	api_end();
}

static void orders_are_counted(void)
{
	const char *answer = NULL;
	struct binance_options options = tight();
	options.limits.weight_minute = 1000;
	api_begin(options);
	for (int i = 0; i < 3; i++)
		answer = ask_signed("POST", "/api/v3/order", ORDER);
	ok(has(answer, "X-MBX-ORDER-COUNT-10S: 3\r\nX-MBX-ORDER-COUNT-1D: 3\r\n"), "three orders");
	answer = ask_signed("POST", "/api/v3/order", ORDER);
	ok(has(answer, "HTTP/1.1 429 ") && has(answer, "Retry-After: 10\r\n") &&
		   has(answer,
		       "{\"code\":-1015,\"msg\":\"Too many new orders; current limit is 3 orders per 10 SECOND.\"}"),
	   "a fourth is one too many");
	is_int(venue_orders(venue)->count, 3, "it never got there");
	now += 10 * SECOND;
	ask_signed("POST", "/api/v3/order", ORDER);
	ok(has(ask_signed("POST", "/api/v3/order", ORDER), "HTTP/1.1 200 "), "ten seconds later there is room again");
	now += 10 * SECOND;
	ok(has(ask_signed("POST", "/api/v3/order", ORDER), "current limit is 5 orders per 1 DAY."), "but not for ever");
	ok(has(ask_signed("GET", "/api/v3/rateLimit/order", ""),
	       "[{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\",\"intervalNum\":10,\"limit\":3,\"count\":0},{\"rateLimitType\":"
	       "\"ORDERS\",\"interval\":\"DAY\",\"intervalNum\":1,\"limit\":5,\"count\":5}]"),
	   "the counts can be asked for");
	api_end();
}

static void connections_are_counted(void)
{
	api_begin(tight());
	for (uint64_t id = 1; id <= 4; id++)
		is_int(connect_to(id, "/ws"), 101, "connection %d", (int)id);
	is_int(connect_to(5, "/ws"), 429, "one too many in five minutes");
	now += 300 * SECOND;
	is_int(connect_to(6, "/ws"), 101, "later there is room again");
	api_end();
}

static void open_orders_of_a_symbol_are_bounded(void)
{
	struct binance_options options = binance_options_default();
	options.limits.orders_10s = 1000;
	api_begin(options);
	for (int i = 0; i < 200; i++)
		ask_signed("POST", "/api/v3/order",
			   "symbol=LTCBTC&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.01&price=0.2");
	ok(has(ask_signed("POST", "/api/v3/order",
			  "symbol=LTCBTC&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.01&price=0.2"),
	       "{\"code\":-1013,\"msg\":\"Filter failure: MAX_NUM_ORDERS\"}"),
	   "the 201st is refused");
	ok(has(ask_signed("POST", "/api/v3/order", ORDER), "HTTP/1.1 200 "), "elsewhere there is room");
	ask_signed("DELETE", "/api/v3/openOrders", "symbol=LTCBTC");
	is_int(venue_orders(venue)->open_count, 0, "all are cancelled at once");
	api_end();
}

int main(void)
{
	fixture_begin();
	requests_weigh();
	who_asks_too_much_waits_and_then_is_banned();
	orders_are_counted();
	connections_are_counted();
	open_orders_of_a_symbol_are_bounded();
	fixture_end();
	return tap_done();
}
