/* Connections: from opened to ready, the successor without a hole, losses, the exchange's clock, nonsense. */
#include "tests/unit/exchanges/binance/trading.h"

#define ID OUR_ID "0"
#define HOUR (3600 * SECOND)

static unsigned lines_open_count(void)
{
	unsigned count = 0;
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++)
		count += desk.line[i].connection != 0;
	return count;
}

static void push(uint32_t link, const char *json)
{
	text_format(&told.text, "%llu %s\n", (unsigned long long)desk.line[link].connection, json);
	deliver();
}

static void order_works(const char *what)
{
	static unsigned number;
	char id[40], want[64];
	snprintf(id, sizeof id, "works%u", ++number);
	is_int(order_at(TG_SIDE_BUY, TG_TIF_GTC, id, "40000", "0.001", 3), TG_PENDING, "%s: an order leaves", what);
	deliver();
	snprintf(want, sizeof want, "ACCEPTED %s cum=0\n", id);
	const char *all = heard();
	ok(has(all, "done 3 OK\n") && has(all, want), "%s: and is accepted", what);
	cancel_at(id, 4);
	deliver();
	heard();
}

/* --------------------------------------------------------------------- start */

static void test_start(const char *key)
{
	struct tg_error error = tg_error_init();
	desk_begin(binance_options_default(), key);
	is_int(order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "1", 7), TG_ERR_CLOSED, "%s: not before it is up", key);
	is_int(query_at(ID, 7), TG_ERR_CLOSED, "%s: nor a look-up", key);
	is_int(trader_balances(desk.trader, 7, desk_now(), &error), TG_ERR_CLOSED, "%s: nor balances", key);
	is_int(trader_list(desk.trader, NULL, 0, 0, 7, desk_now(), &error), TG_ERR_CLOSED, "%s: nor a list", key);
	trader_start(desk.trader, desk_now());
	deliver();
	ok(has(heard(), "balance LTC 10/0\nup\n"), "%s: up, once balances are known", key);
	ok(desk.time.known, "%s: the exchange's clock is known", key);
	order_works(key);
	desk_end();
}

/* Each step of a start refused: waited for, asked again, and it comes up; a person hears of the key once. */
static void test_start_refused(void)
{
	static const struct {
		const char *key, *method, *kind;
	} rows[] = {
		{"hmac", "time", "error-1000"},
		{"hmac", "userDataStream.subscribe.signature", "error-1008"},
		{"hmac", "account.status", "error-1007"},
		{"ed25519", "session.logon", "error-1001"},
		{"ed25519", "userDataStream.subscribe", "error-1000"},
		{"ed25519", "account.status", "limit"},
		{"hmac", "account.status", "lost-after"},
		{"ed25519", "session.logon", "lost-before"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char target[128];
		desk_begin(binance_options_default(), rows[i].key);
		desk.quiet = true;
		snprintf(target, sizeof target, "/control/fault?method=%s&kind=%s&count=2", rows[i].method,
			 rows[i].kind);
		ask("POST", target, "", NULL);
		trader_start(desk.trader, desk_now());
		deliver();
		pass(130 * SECOND);
		is_str(heard(), "up\n", "%s %s: up in the end", rows[i].method, rows[i].kind);
		order_works(rows[i].method);
		desk_end();
	}
}

static void test_key_refused(void)
{
	desk_begin(binance_options_default(), "hmac");
	desk.credential.id = str_of("unknown");
	trader_start(desk.trader, desk_now());
	pass(60 * SECOND);
	is_str(heard(), "warn Binance does not take this key\n", "a key that is not taken: a person hears of it, once");
	desk.credential.id = str_of(KEY);
	desk.quiet = true;
	pass(120 * SECOND);
	ok(has(heard(), "up\n"), "it tries again all the same");
	desk_end();
}

/* ---------------------------------------------------------------- succession */

static void test_succession(const char *key)
{
	desk_up(key);
	pass(22 * HOUR + HOUR / 2);
	is_str(heard(), "", "%s: nothing is told for most of a day", key);
	is_int(lines_open_count(), 1, "%s: one link", key);
	pass(HOUR / 2);
	is_int(lines_open_count(), 2, "%s: after 23 hours there are two", key);
	order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "0.5", 7);
	ok(desk.line[1].connection != 0, "%s: orders go on", key);
	deliver();
	const char *all = heard();
	unsigned fills = 0;
	for (const char *at = all; (at = strstr(at, "FILL " ID)); at++)
		fills++;
	is_int(fills, 3, "%s: a fill is told by the answer and by both streams, under one id", key);
	pass(10 * SECOND);
	is_int(lines_open_count(), 1, "%s: the older one is closed", key);
	order_works(key);
	pass(23 * HOUR + 10 * SECOND);
	is_int(lines_open_count(), 1, "%s: and so on", key);
	is_str(heard(), "", "%s: no hole", key);
	order_works(key);
	desk_end();
}

/* The younger is lost while the older still carries the stream: that one goes on. */
static void test_heir(void)
{
	desk_up("hmac");
	pass(23 * HOUR);
	is_int(lines_open_count(), 2, "two links");
	order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "40000", "0.5", 7);
	text_clear(&told.text);
	wire_restart(NULL, 1);
	trader_closed(desk.trader, 1, NULL, desk_now());
	is_str(heard(), "done 7 ERR_UNKNOWN_OUTCOME\n", "what was under way on the lost one is unknown; no hole");
	order_works("the older");
	deliver();
	pass(10 * SECOND);
	is_int(lines_open_count(), 1, "the younger is back, and the older gone");
	is_str(heard(), "", "without a word");
	ok(desk.line[1].connection != 0, "it is the younger that is left");
	order_works("the younger");
	desk_end();
}

/* The server says that it will close the link: the successor comes at once. */
static void test_shutdown(void)
{
	struct binance_options options = binance_options_default();
	options.connection_life_ms = 3600 * 1000;
	desk_begin(options, "ed25519");
	desk.quiet = true;
	trader_start(desk.trader, desk_now());
	deliver();
	pass(3 * HOUR);
	is_str(heard(), "up\n", "links of an hour, for three hours: up all the time");
	order_works("then");
	desk_end();
}

/* -------------------------------------------------------------------- losses */

static void test_cut(void)
{
	desk_up("ed25519");
	order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "40000", "0.5", 7);
	text_clear(&told.text);
	query_at(ID, 8);
	text_clear(&told.text);
	cancel_at(ID, 9);
	text_clear(&told.text);
	ask("POST", "/control/cut?kind=api", "", NULL);
	deliver();
	is_str(heard(), "done 7 ERR_UNKNOWN_OUTCOME\ndone 8 ERR_RETRYABLE\ndone 9 ERR_UNKNOWN_OUTCOME\ndown\nup\n",
	       "a cut: all that is under way is told of, then that it is down, then that it is up");
	order_works("after it");
	for (int i = 0; i < 20; i++) {
		ask("POST", "/control/cut", "", NULL);
		deliver();
		is_str(heard(), "down\nup\n", "cut %d", i);
		pass(SECOND);
	}
	order_works("after twenty");
	desk_end();
}

/* The stream ends on a link that lives: a hole, as of a lost one. */
static void test_terminated(const char *key)
{
	desk_up(key);
	push(0, "{\"subscriptionId\":0,\"event\":{\"e\":\"eventStreamTerminated\",\"E\":1}}");
	is_str(heard(), "down\nup\n", "%s: subscribed anew", key);
	is_int(desk.restarts, 0, "%s: on the same link", key);
	order_works(key);
	pass(23 * HOUR);
	is_int(lines_open_count(), 2, "%s: two links", key);
	push(1, "{\"subscriptionId\":0,\"event\":{\"e\":\"eventStreamTerminated\",\"E\":1}}");
	pass(10 * SECOND);
	is_str(heard(), "", "%s: the other one carries the stream: no hole", key);
	is_int(lines_open_count(), 1, "%s: one link again", key);
	order_works(key);
	desk_end();
}

/* The session ends, and its stream with it; once when it trades, once before its stream is subscribed. */
static void test_logged_out(void)
{
	static const char logout[] = "{\"id\":\"out\",\"method\":\"session.logout\"}";
	desk_up("ed25519");
	binance_message(api, now, desk.line[0].connection, logout, sizeof logout - 1);
	deliver();
	is_str(heard(), "down\nup\n", "logged on anew");
	order_works("then");
	ask("POST", "/control/fault?method=userDataStream.subscribe&kind=error-1008", "", NULL);
	push(0, "{\"subscriptionId\":0,\"event\":{\"e\":\"eventStreamTerminated\",\"E\":1}}");
	binance_message(api, now, desk.line[0].connection, logout, sizeof logout - 1);
	pass(10 * SECOND);
	is_str(heard(), "down\nwarn Binance does not take this key\nup\n", "and from wherever it was");
	is_int(desk.restarts, 0, "on the same link");
	order_works("at last");
	desk_end();
}

/* No answer and not a word: the link is deaf, found by the readings of the clock at the latest. */
static void test_deaf(void)
{
	desk_up("hmac");
	desk.line[0].deaf = true;
	pass(45 * SECOND);
	is_str(heard(), "down\nup\n", "a deaf link is opened anew");
	is_int(desk.restarts, 1, "once");
	order_works("then");
	desk_end();
}

static const char *const nonsense[] = {
	"",
	"hello",
	"[]",
	"{\"id\":1",
	"{\"id\":1,\"status\":200,\"result\":{}} {}",
	"{\"event\":{}}",
	"{\"event\":{\"e\":\"executionReport\"}}",
	"{\"event\":{\"e\":\"executionReport\",\"s\":\"BTCUSDT\",\"i\":-1}}",
	"{\"event\":{\"e\":\"outboundAccountPosition\",\"u\":1}}",
	"{\"event\":{\"e\":\"outboundAccountPosition\",\"u\":1,\"B\":[{\"a\":\"BTC\",\"f\":\"-1\",\"l\":\"0\"}]}}",
	"{\"id\":null,\"status\":400,\"error\":{\"code\":-1135,\"msg\":\"Invalid JSON Request\"}}",
};

static void test_nonsense(void)
{
	for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
		desk_up("hmac");
		order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "40000", "0.5", 7);
		text_clear(&told.text);
		push(0, nonsense[i]);
		is_str(heard(), "done 7 ERR_UNKNOWN_OUTCOME\ndown\nup\n", "'%s': opened anew", nonsense[i]);
		desk_end();
	}
	desk_up("hmac");
	push(0, "{\"id\":123456789,\"status\":200,\"result\":{}}");
	push(0, "{\"id\":\"x\",\"status\":200,\"result\":{}}");
	push(0, "{\"subscriptionId\":0,\"event\":{\"e\":\"listStatus\",\"E\":1}}");
	push(0, "{\"subscriptionId\":0,\"event\":{\"E\":1,\"e\":\"of tomorrow\"}}");
	is_str(heard(), "", "what is merely not ours, or new, is let be");
	desk_end();
}

/* An answer to an order that says nothing that can be understood. */
static void test_answers_unread(void)
{
	static const char *const answers[] = {
		"\"status\":200",
		"\"status\":200,\"result\":null",
		"\"status\":200,\"result\":{}",
		"\"status\":200,\"result\":{\"symbol\":\"BTCUSDT\",\"orderId\":1}",
		"\"status\":400",
		"\"status\":400,\"error\":7",
		"\"status\":500,\"error\":{\"code\":-9999,\"msg\":\"?\"}",
		"\"status\":409,\"error\":{\"code\":-2021,\"msg\":\"?\"}",
		"\"result\":{\"symbol\":\"BTCUSDT\",\"orderId\":1,\"clientOrderId\":\"x\"}",
	};
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		char json[512];
		desk_up("hmac");
		order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "40000", "0.5", 7);
		text_clear(&told.text);
		snprintf(json, sizeof json, "{\"id\":%llu,%s}", strtoull(strchr(desk.sent.ptr, ':') + 1, NULL, 10),
			 answers[i]);
		push(0, json);
		ok(strncmp(heard(), "done 7 ERR_UNKNOWN_OUTCOME", 26) == 0, "%s: unknown", answers[i]);
		is_int(desk.restarts, 0, "%s: it is the answer, not the link", answers[i]);
		desk_end();
	}
}

/* --------------------------------------------------------------------- clock */

static void test_clock(const char *move)
{
	char target[64];
	desk_up("hmac");
	snprintf(target, sizeof target, "/control/clock?%s", move);
	ask("POST", target, "", NULL);
	order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "40000", "0.5", 7);
	deliver();
	is_str(heard(), "done 7 ERR_RETRYABLE -1021\n", "%s: an order is refused for its time, and was not accepted",
	       move);
	ok(desk.time.known, "%s: the clock has been read again", move);
	order_works(move);
	ask("POST", "/control/clock?ahead_ms=0", "", NULL);
	pass(31 * SECOND);
	heard();
	order_works("put right");
	desk.quiet = false;
	order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "40000", "0.5", 7);
	deliver();
	ok(has(heard(), "balance USDT 80000/20000"), "%s: balances of now are told, though they look old", move);
	desk_end();
}

/* Our clock runs fast by 300 ppm: in a day that would be 26 s. */
static void test_drift(void)
{
	desk_up("hmac");
	for (int i = 0; i < 600; i++) {
		desk.mono_ahead_ns += 30 * SECOND * 300 / 1000000;
		pass(30 * SECOND);
	}
	int64_t off = server_time_unix_ns(&desk.time, desk_now().mono_ns) - now;
	ok(llabs(off) < 15000000, "the exchange's clock is followed: off by %lld us", (long long)off / 1000);
	order_works("after five hours");
	is_str(heard(), "", "nothing was told");
	desk_end();
}

int main(void)
{
	static const char *const keys[] = {"hmac", "ed25519"};
	fixture_begin();
	for (size_t i = 0; i < 2; i++) {
		test_start(keys[i]);
		test_succession(keys[i]);
		test_terminated(keys[i]);
	}
	test_start_refused();
	test_key_refused();
	test_heir();
	test_shutdown();
	test_cut();
	test_logged_out();
	test_deaf();
	test_nonsense();
	test_answers_unread();
	test_clock("ahead_ms=3000");
	test_clock("behind_ms=3000");
	test_drift();
	fixture_end();
	return tap_done();
}
