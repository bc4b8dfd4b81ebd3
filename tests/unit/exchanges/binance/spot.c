/* The connector as a plugin, on a host and a venue in memory. */
#include "tests/unit/exchanges/binance/rig.h"

static bool up_and_subscribed(uint32_t count)
{
	rig_start();
	return rig_run_until_link(TG_LINK_UP, 20 * SECOND) && rig_subscribe(count) == TG_OK;
}

/* ------------------------------------------------------------------ start-up */

static void test_plain(void)
{
	rig_begin(1200);
	rig.still = true; /* no market says anything by itself */
	rig_start();
	is_int(rig.link, 0, "nothing is told from inside start");
	ok(rig_run_until_link(TG_LINK_UP, 20 * SECOND), "the link comes up");
	is_int(rig.instruments, 1200, "and all markets were told before");
	ok(rig.balances > 0, "and the balances");
	is_int(rig_subscribe(1200), TG_OK, "1,200 markets are subscribed");
	rig_run(5 * SECOND);
	is_int(rig_books_equal(1200), 1200, "and have the venue's best prices, though none of them moves");
	ok(rig_asked("bookTicker") <= 7, "asked for once a batch of subscriptions, not once a market");
	rig.still = false;
	rig_run(5 * SECOND);
	rig.still = true;
	rig_run(SECOND);
	is_int(rig_books_equal(1200), 1200, "the books follow the markets");
	is_int(rig.books_refused, 0, "and the gateway takes all of it");
	is_int(rig.events_inside, 0, "no event came from inside a call");
	rig_stop();
	rig.still = false;
	rig_run(30 * SECOND);
	is_int(rig.after_stop, 0, "and none after stop");
	is_int(rig_subscribe(1), TG_ERR_CLOSED, "what is stopped takes no subscription");
	rig_end();
}

static void test_steps_fail_once(void)
{
	static const struct {
		const char *target;
		int32_t status;
		const char *body;
	} failures[] = {
		{"/api/v3/time", 0, ""},
		{"/api/v3/time", 503, "<html>"},
		{"/api/v3/time", 200, "{\"serverTime\":\"late\"}"},
		{"/api/v3/time", 200, "<html>a captive portal</html>"},
		{"/api/v3/exchangeInfo", 0, ""},
		{"/api/v3/exchangeInfo", 500, "{\"code\":-1000,\"msg\":\"An unknown error occurred.\"}"},
		{"/api/v3/exchangeInfo", 200, "{\"symbols\":[]}"},
		{"/sapi/v1/account/apiRestrictions", 0, ""},
		{"/sapi/v1/account/apiRestrictions", 400,
		 "{\"code\":-1021,\"msg\":\"Timestamp for this request is outside of the recvWindow.\"}"},
		{"/sapi/v1/account/apiRestrictions", 200, "{\"ipRestrict\":false}"},
	};
	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
		rig_begin(50);
		rig_rule((struct rig_rule){.target = failures[i].target,
					   .times = 1,
					   .status = failures[i].status,
					   .body = failures[i].body});
		rig_start();
		ok(rig_run_until_link(TG_LINK_UP, 20 * SECOND), "up although %s said %d %s", failures[i].target,
		   failures[i].status, failures[i].body);
		ok(rig_logged("tried again"), "and somebody was told");
		rig_end();
	}
}

static void test_network_down(void)
{
	rig_begin(50);
	rig.no_network = true;
	rig_start();
	rig_run(120 * SECOND);
	is_int(rig.link, 0, "without a network the link stays down");
	ok(rig_asked("/api/v3/time") >= 4 && rig_asked("/api/v3/time") <= 10, "it is tried again, ever more seldom");
	ok(rig_logged("the network is down"), "and told why");
	rig.no_network = false;
	ok(rig_run_until_link(TG_LINK_UP, 70 * SECOND), "once there is a network, it comes up");
	rig_end();
}

static void test_rate_limited(void)
{
	rig_begin(50);
	rig_rule((struct rig_rule){.target = "/api/v3/exchangeInfo",
				   .times = 1,
				   .status = 429,
				   .headers = "Retry-After: 30",
				   .body = "{\"code\":-1003,\"msg\":\"Too many requests.\"}"});
	rig_start();
	rig_run(29 * SECOND);
	is_int(rig_asked("/api"), 2, "after a 429 nothing is asked for as long as was told");
	ok(rig_run_until_link(TG_LINK_UP, 40 * SECOND), "and then it goes on");
	rig_end();
}

/* ---------------------------------------------------------------------- keys */

static void test_withdrawals(void)
{
	const struct rig_rule may_withdraw = {.target = "/sapi",
					      .times = 99,
					      .change = "\"enableWithdrawals\":false",
					      .into = "\"enableWithdrawals\":true"};
	rig_begin(50);
	rig_rule(may_withdraw);
	rig_start();
	rig_run(300 * SECOND);
	is_int(rig.link, TG_LINK_DOWN, "a key that may withdraw is refused");
	ok(has(rig.reason, "allow_withdrawals") && has(rig.reason, "main"), "with what to do");
	is_int(rig_asked("/sapi"), 1, "once and for all");
	rig_end();

	rig_begin(50);
	rig_rule(may_withdraw);
	rig_set("allow_withdrawals", "true");
	rig_start();
	ok(rig_run_until_link(TG_LINK_UP, 20 * SECOND), "unless told otherwise");
	rig_end();
}

static void test_rights_unknown(void)
{
	rig_begin(50);
	rig_rule((struct rig_rule){.target = "/sapi", .times = 1, .status = 404, .body = "<html>"});
	rig_start();
	ok(rig_run_until_link(TG_LINK_UP, 20 * SECOND), "where nobody tells what the key may, it goes on");
	ok(rig_logged("not checked"), "and says so");
	rig_end();

	rig_begin(50);
	rig_set("network", "test");
	rig_start();
	ok(rig_run_until_link(TG_LINK_UP, 20 * SECOND), "so it does on the test network");
	is_int(rig_asked("/sapi"), 0, "which is not even asked");
	rig_end();
}

static void test_wrong_key(void)
{
	struct tg_error error = tg_error_init();
	rig_begin(50);
	rig_set("key", "other");
	rig_start();
	rig_run(100 * SECOND);
	is_int(rig.link, TG_LINK_DOWN, "a key that Binance does not know brings no link");
	ok(rig.reason[0], "and the gateway is told why: %s", rig.reason);
	ok(rig_asked("/sapi") <= 2, "and is not tried often: addresses are banned for that");
	rig_end();

	rig_begin(50);
	rig_set("key", "mine");
	is_int(rig_create(&error), TG_ERR_NOT_FOUND, "a key that the host does not know is refused at once");
	ok(has(error.message, "main"), "with the names that there are");
	rig.self = NULL;
	rig_set("key", "main");
	rig_start();
	rig_end();
}

static void test_no_key(void)
{
	struct tg_error error = tg_error_init();
	struct tg_order_request order = {
		.size = sizeof order, .client_id = TG_STR("00000000000000000000000000000001"), .valid_ms = 1000};
	rig_begin(50);
	rig_set("key", "");
	rig_start();
	ok(rig_run_until_link(TG_LINK_UP, 20 * SECOND), "without a key there is market data");
	rig_subscribe(50);
	rig_run(3 * SECOND);
	is_int(rig_books_filled(50), 50, "of all markets");
	is_int(binance_api.order_place(rig.self, &order, &error), TG_ERR_AUTH, "and no order");
	ok(has(error.message, "key"), "but a word on what to do");
	is_int(binance_api.balances(rig.self, 1, &error), TG_ERR_AUTH, "nor balances");
	rig_end();
}

static void test_settings(void)
{
	static const struct {
		const char *key;
		const char *value;
	} wrong[] = {
		{"rest_url", "api.binance.com"},
		{"rest_url", "wss://api.binance.com"},
		{"stream_url", "https://x"},
		{"api_url", "wss://x/?a=b"},
		{"network", "main"},
		{"stream", "trade"},
		{"speed", "250ms"},
		{"recv_window_ms", "60001"},
		{"taker_bps", "-1"},
		{"maker_bps", "0.0000001"},
	};
	rig_begin(50);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct tg_error error = tg_error_init();
		const char *before = rig_setting(str_of(wrong[i].key));
		rig_set(wrong[i].key, wrong[i].value);
		is_int(rig_create(&error), TG_ERR_INVALID, "%s: %s is refused", wrong[i].key, wrong[i].value);
		ok(has(error.message, wrong[i].key), "and the message names it");
		if (before)
			rig_set(wrong[i].key, before);
		else
			memset(&rig.setting[4], 0, sizeof rig.setting[4]);
	}
	rig_start();
	rig_end();
}

/* --------------------------------------------------------------- connections */

static struct rig_socket *stream_socket(uint32_t which)
{
	for (uint32_t i = 0; i < RIG_SOCKETS; i++)
		if (rig.socket[i].id && strcmp(rig.socket[i].target, "/stream") == 0 && which-- == 0)
			return &rig.socket[i];
	return NULL;
}

static struct rig_socket *api_socket(void)
{
	for (uint32_t i = 0; i < RIG_SOCKETS; i++)
		if (rig.socket[i].id && strcmp(rig.socket[i].target, "/ws-api/v3") == 0)
			return &rig.socket[i];
	return NULL;
}

static void test_streams_lost(void)
{
	rig_begin(1200);
	ok(up_and_subscribed(1200), "1,200 markets need two connections");
	rig_run(6 * SECOND);
	is_int(rig_books_filled(1200), 1200, "all have books");
	rig.still = true;
	rig_socket_lose(stream_socket(1), "cut");
	is_int(rig_books_filled(1200), 1024, "when one is lost, its markets' books are emptied, and no others");
	is_int(rig.link, TG_LINK_UP, "and the link stays up");
	rig_run(3 * SECOND);
	is_int(rig_books_equal(1200), 1200, "they are back soon, quiet ones too");
	rig_socket_lose(stream_socket(0), "cut");
	rig_socket_lose(stream_socket(1), "cut");
	is_int(rig.link, TG_LINK_DOWN, "when both are lost, the link is down");
	ok(rig_run_until_link(TG_LINK_UP, 3 * SECOND), "and up again when one is back");
	rig_run(5 * SECOND);
	is_int(rig_books_equal(1200), 1200, "with all books");
	is_int(rig.books_refused, 0, "which the gateway takes");
	rig_end();
}

static void test_trader_lost(void)
{
	static const char *const streams[] = {"bookTicker", "depth"};
	for (size_t i = 0; i < 2; i++) {
		rig_begin(60);
		rig_set("stream", streams[i]);
		ok(up_and_subscribed(60), "up with %s", streams[i]);
		rig_run(5 * SECOND);
		rig.still = true;
		rig_run(SECOND);
		rig_socket_lose(api_socket(), "cut");
		is_int(rig.link, TG_LINK_DOWN, "without the WebSocket API the link is down");
		ok(rig_run_until_link(TG_LINK_UP, 10 * SECOND), "and up again with it");
		rig_run(SECOND);
		is_int(rig_books_equal(60), 60, "the gateway forgot all books, and has them again");
		rig_end();
	}
}

static void test_quiet_for_long(void)
{
	rig_begin(50);
	rig.still = true;
	ok(up_and_subscribed(50), "markets that stand still for long");
	rig_run(300 * SECOND);
	is_int(stream_socket(0)->losses, 0, "do not look like a dead connection");
	is_int(api_socket()->losses, 0, "nor does an account without orders");
	is_int(rig.links, 1, "and the link is up all the time");
	rig_end();
}

/* --------------------------------------------------------------------- books */

static void test_streams(void)
{
	static const char *const streams[] = {"depth", "depth5", "depth10", "depth20"};
	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
		rig_begin(100);
		rig_set("stream", streams[i]);
		ok(up_and_subscribed(100), "up with %s", streams[i]);
		rig_run(10 * SECOND);
		rig.still = true;
		rig_run(SECOND);
		is_int(rig_books_equal(100), 100, "all books are the venue's");
		is_int(rig.books_refused, 0, "and were taken");
		rig_end();
	}
}

static void test_snapshot_refused(void)
{
	rig_begin(100);
	rig_set("stream", "depth");
	rig_rule((struct rig_rule){.target = "/api/v3/depth", .times = 5, .status = 200, .body = "{\"bids\":7}"});
	rig_rule((struct rig_rule){.target = "/api/v3/depth",
				   .times = 1,
				   .status = 418,
				   .headers = "Retry-After: 20",
				   .body = "{\"code\":-1003,\"msg\":\"Way too many requests.\"}"});
	ok(up_and_subscribed(100), "up");
	rig_run(SECOND);
	uint32_t asked = rig_asked("/api/v3/");
	rig_run(18 * SECOND);
	is_int(rig_asked("/api/v3/"), asked, "while an address is banned it asks nothing");
	rig_run(10 * SECOND);
	rig.still = true;
	rig_run(SECOND);
	is_int(rig_books_equal(100), 100, "and all books come in the end");
	rig_end();
}

static void test_frame_refused(void)
{
	static const char frame[] = "{\"stream\":\"%s@bookTicker\",\"data\":{\"u\":9,\"s\":\"%s\",\"b\":\"x\"}}";
	char text[200];
	rig_begin(50);
	ok(up_and_subscribed(50), "up");
	rig_run(5 * SECOND);
	rig.still = true;
	rig_run(SECOND);
	const char *symbol = rig.markets->market[3].symbol;
	snprintf(text, sizeof text, frame, "any", symbol);
	struct rig_socket *socket = stream_socket(0);
	socket->events.message(socket->events.ctx, socket->id, TG_WS_TEXT, (uint8_t *)text, strlen(text), rig.mono_ns);
	is_int(rig_books_filled(50), 49, "a frame that is not understood empties its market's book");
	rig_run(SECOND);
	is_int(rig_books_equal(50), 50, "which is asked for, for the market may say nothing more");
	rig_end();
}

/* ---------------------------------------------------------------- what changes */

static void test_fees(void)
{
	rig_begin(50);
	ok(up_and_subscribed(3), "up with three markets");
	is_int(rig.markets->market[0].taker_e9, 1000000, "until the account's fees are known it is 10 bps");
	rig_run(5 * SECOND);
	is_int(rig_asked("/api/v3/account/commission"), 3, "they are asked for of what is subscribed");
	is_int(rig.markets->market[2].taker_e9, 750000, "and told");
	is_int(rig.markets->market[3].taker_e9, 1000000, "others keep what they had");
	is_int(rig.books_refused, 0, "no book was lost by it");
	rig.still = true;
	rig_run(SECOND);
	is_int(rig_books_equal(3), 3, "nor is one wrong");
	rig_end();
}

static void test_refresh(void)
{
	rig_begin(50);
	ok(up_and_subscribed(50), "up");
	rig_run(10 * SECOND);
	uint32_t version = rig.markets->market[0].version;
	char symbol[64], change[128], into[128];
	snprintf(symbol, sizeof symbol, "%s", rig.markets->market[0].symbol);
	snprintf(change, sizeof change, "\"symbol\":\"%s\",\"status\":\"TRADING\"", symbol);
	snprintf(into, sizeof into, "\"symbol\":\"%s\",\"status\":\"BREAK\"", symbol);
	rig_rule((struct rig_rule){.target = "/api/v3/exchangeInfo", .times = 1, .change = change, .into = into});
	rig_run(580 * SECOND);
	is_int(rig_asked("exchangeInfo"), 1, "for ten minutes exchangeInfo holds");
	rig_run(20 * SECOND);
	is_int(rig_asked("exchangeInfo"), 2, "then it is asked for again");
	is_int(rig.markets->market[0].status, TG_MARKET_HALTED, "a market that stopped is told");
	ok(rig.markets->market[0].version > version, "as a new version");
	is_int(rig.books_refused, 0, "and its book is not confused by that");
	rig_end();
}

static void test_refused_order(void)
{
	struct tg_error error = tg_error_init();
	rig_begin(50);
	ok(up_and_subscribed(50), "up");
	rig_run(15 * SECOND);
	const struct market *market = &rig.markets->market[0];
	const struct tg_order_request order = {
		.size = sizeof order,
		.market = 0,
		.version = market->version,
		.side = TG_SIDE_BUY,
		.time_in_force = TG_TIF_IOC,
		.client_id = TG_STR("00000000000000000000000000000001"),
		.price = {market->book.asks[0].ticks * market->tick.mantissa, market->tick.scale, 0},
		.qty = market->lot, /* far below the least notional */
		.valid_ms = 2000,
		.token = 7,
	};
	rig.calling = true;
	int32_t status = binance_api.order_place(rig.self, &order, &error);
	rig.calling = false;
	is_int(status, TG_PENDING, "an order that breaks a filter leaves");
	rig_run(SECOND);
	is_int(rig.dones, 1, "and is answered once");
	is_int(rig.done_status, TG_ERR_REJECTED, "as refused");
	is_int(rig_asked("exchangeInfo"), 2, "and the filters are looked at again");
	is_int(rig.events_inside, 0, "no event came from inside a call");
	rig_end();
}

/* What the host cannot do at all is no matter of waiting. */
static void test_no_wire(void)
{
	struct tg_error error = tg_error_init();
	rig_begin(50);
	rig.no_wire = true;
	is_int(rig_create(&error), TG_OK, "an instance is made");
	is_int(binance_api.start(rig.self, &error), TG_ERR_UNSUPPORTED, "and does not start where there is no network");
	ok(has(error.message, "virtual"), "with the host's words");
	rig_run(SECOND);
	is_int(rig_asked("/"), 0, "nothing goes on");
	rig_end();
}

int main(void)
{
	fixture_begin();
	test_no_wire();
	test_plain();
	test_steps_fail_once();
	test_network_down();
	test_rate_limited();
	test_withdrawals();
	test_rights_unknown();
	test_wrong_key();
	test_no_key();
	test_settings();
	test_streams_lost();
	test_trader_lost();
	test_quiet_for_long();
	test_streams();
	test_snapshot_refused();
	test_frame_refused();
	test_fees();
	test_refresh();
	test_refused_order();
	fixture_end();
	return tap_done();
}
