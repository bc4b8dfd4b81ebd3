/* Market streams and the user stream: numbered without gap, equal to the engine's book, and in time. */
#include <json-c/json.h>

#include "tests/unit/venue/binance/fixture.h"

enum { LEVELS_MAX = 256 };

/* A client's book, kept as Binance says it should be: prices as text, for text is what was sent. */
struct client_level {
	char price[40];
	char qty[40];
};

struct client_side {
	struct client_level level[LEVELS_MAX];
	int count;
};

struct client_book {
	struct client_side bids, asks;
	int64_t id; /* 0: no snapshot */
	int gaps;
};

static void level_set(struct client_side *side, const char *price, const char *qty)
{
	int at = 0;
	while (at < side->count && strcmp(side->level[at].price, price) != 0)
		at++;
	if (strtod(qty, NULL) == 0.0) {
		if (at < side->count)
			side->level[at] = side->level[--side->count];
		return;
	}
	if (at == side->count && side->count++ == LEVELS_MAX)
		abort();
	snprintf(side->level[at].price, sizeof side->level[at].price, "%s", price);
	snprintf(side->level[at].qty, sizeof side->level[at].qty, "%s", qty);
}

static void side_apply(struct client_side *side, struct json_object *message, const char *key)
{
	struct json_object *list = json_object_object_get(message, key);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *level = json_object_array_get_idx(list, i);
		level_set(side, json_object_get_string(json_object_array_get_idx(level, 0)),
			  json_object_get_string(json_object_array_get_idx(level, 1)));
	}
}

static int64_t number(struct json_object *message, const char *key)
{
	return json_object_get_int64(json_object_object_get(message, key));
}

static void snapshot_take(struct client_book *book, const char *symbol)
{
	char target[100];
	snprintf(target, sizeof target, "/api/v3/depth?symbol=%s&limit=5000", symbol);
	const char *answer = ask("GET", target, "", NULL);
	struct json_object *json = json_tokener_parse(strstr(answer, "\r\n\r\n") + 4);
	*book = (struct client_book){.id = number(json, "lastUpdateId"), .gaps = book->gaps};
	side_apply(&book->bids, json, "bids");
	side_apply(&book->asks, json, "asks");
	json_object_put(json);
}

static void update_apply(struct client_book *book, struct json_object *update)
{
	if (number(update, "u") <= book->id)
		return;
	book->gaps += number(update, "U") > book->id + 1;
	book->id = number(update, "u");
	side_apply(&book->bids, update, "b");
	side_apply(&book->asks, update, "a");
}

static bool side_agrees(const struct client_side *side, const struct book_side *engine,
			const struct venue_market *market)
{
	struct text price = {0}, qty = {0};
	bool agrees = side->count == (int)engine->count;
	for (uint32_t i = 0; i < engine->count && agrees; i++) {
		bool found = false;
		text_clear(&price);
		text_clear(&qty);
		text_fixed(&price, engine->level[i].price, market->price_scale);
		text_fixed(&qty, engine->level[i].qty, market->qty_scale);
		for (int c = 0; c < side->count; c++)
			found |= str_is(text_str(&price), side->level[c].price) &&
				 str_is(text_str(&qty), side->level[c].qty);
		agrees = found;
	}
	text_finish(&price);
	text_finish(&qty);
	return agrees;
}

static bool book_agrees(const struct client_book *book, uint32_t market)
{
	const struct venue_market *engine = &venue_engine(venue)->market[market];
	return side_agrees(&book->bids, &engine->bids, engine) && side_agrees(&book->asks, &engine->asks, engine);
}

/* Made-up markets instead of the fixture's. */
static void made_up_begin(struct binance_options options)
{
	struct venue_options venue_options = venue_options_default();
	const struct venue_deposit deposit[] = {{TG_STR("USDT"), amount("100000")}};
	venue_options.markets = 30;
	venue_options.deposit = deposit;
	venue_options.deposit_count = 1;
	keys_make(&options.keys);
	options.control = true;
	options.sink = (struct binance_sink){&told, sink_text, sink_ping, sink_close};
	now = NOW;
	if (venue_open(&venue_options, now, &venue, NULL) != TG_OK ||
	    binance_open(&options, venue, now, &api, NULL) != TG_OK)
		abort();
}

/* Apply every depth message of a market that was pushed; those that the book knows already change nothing. */
static int pushes_apply(struct client_book *book, const char *symbol)
{
	int applied = 0;
	for (const char *line = pushed(); line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *brace = strchr(line, '{');
		if (!brace || brace > strchr(line, '\n'))
			continue;
		struct json_object *json = json_tokener_parse(brace), *data = NULL;
		if (!json_object_object_get_ex(json, "data", &data))
			data = json;
		struct json_object *s = json_object_object_get(data, "s");
		if (json_object_object_get(data, "U") && s && strcmp(json_object_get_string(s), symbol) == 0) {
			update_apply(book, data);
			applied++;
		}
		json_object_put(json);
	}
	return applied;
}

static void run(int steps)
{
	for (int i = 0; i < steps; i++) {
		now += 10 * INT64_C(1000000);
		binance_step(api, now);
		binance_tick(api, now);
	}
}

static void depth_follows_the_book(void)
{
	struct client_book fast = {0}, slow = {0};
	made_up_begin(binance_options_default());
	is_int(connect_to(1, "/stream?streams=btcusdt@depth@100ms/ethusdt@depth"), 101, "a combined connection");
	run(35);
	snapshot_take(&fast, "BTCUSDT");
	int applied = pushes_apply(&fast, "BTCUSDT");
	snapshot_take(&slow, "ETHUSDT");
	for (int i = 0; i < 20; i++) {
		run(50);
		applied += pushes_apply(&fast, "BTCUSDT");
		pushes_apply(&slow, "ETHUSDT");
		text_clear(&told.text);
	}
	ok(applied > 20, "10 s of it: %d messages", applied);
	is_int(fast.gaps, 0, "none is missing");
	now += 100 * INT64_C(1000000);
	binance_tick(api, now);
	pushes_apply(&fast, "BTCUSDT");
	ok(book_agrees(&fast, 0), "the client's book is the engine's");
	is_int(slow.gaps, 0, "none is missing of the slow stream either");
	api_end();
}

static void a_gap_is_made_on_request(void)
{
	struct client_book book = {0};
	made_up_begin(binance_options_default());
	connect_to(1, "/ws/btcusdt@depth@100ms");
	snapshot_take(&book, "BTCUSDT");
	run(100);
	ask("POST", "/control/gap?symbol=BTCUSDT&count=2", "", NULL);
	run(200);
	pushes_apply(&book, "BTCUSDT");
	text_clear(&told.text);
	is_int(book.gaps, 1, "the client sees one gap, two messages wide");
	snapshot_take(&book, "BTCUSDT");
	run(100);
	pushes_apply(&book, "BTCUSDT");
	is_int(book.gaps, 1, "and none after a new snapshot");
	api_end();
}

static void tickers_tell_each_change(void)
{
	api_begin(binance_options_default());
	connect_to(1, "/ws/btcusdt@bookTicker");
	text_clear(&told.text);
	ask_signed("POST", "/api/v3/order",
		   "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=50001");
	ok(has(pushed(),
	       "1 {\"u\":2,\"s\":\"BTCUSDT\",\"b\":\"50001.00000000\",\"B\":\"1.00000000\",\"a\":\"50010.00000000\",\"A\":"
	       "\"2.00000000\"}\n"),
	   "a better bid is told at once");
	text_clear(&told.text);
	ask_signed("POST", "/api/v3/order",
		   "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=49999");
	is_str(pushed(), "", "a worse one is not");
	connect_to(2, "/stream?streams=btcusdt@depth5@100ms/btcusdt@depth20");
	ask_signed("POST", "/api/v3/order",
		   "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.2&price=49998");
	now += 1000 * INT64_C(1000000);
	binance_tick(api, now);
	ok(has(pushed(),
	       "2 {\"stream\":\"btcusdt@depth5@100ms\",\"data\":{\"lastUpdateId\":4,\"bids\":[[\"50001.00000000\",") &&
		   has(pushed(), "\"stream\":\"btcusdt@depth20\""),
	   "partial books, wrapped with the stream's name");
	api_end();
}

static const struct {
	const char *name, *message, *want;
} commands[] = {
	{"SUBSCRIBE", "{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@bookTicker\",\"none@depth\"],\"id\":1}",
	 "1 {\"result\":null,\"id\":1}\n"},
	{"LIST_SUBSCRIPTIONS", "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":\"l\"}",
	 "1 {\"result\":[\"btcusdt@bookTicker\",\"none@depth\"],\"id\":\"l\"}\n"},
	{"UNSUBSCRIBE", "{\"method\":\"UNSUBSCRIBE\",\"params\":[\"none@depth\"],\"id\":3}",
	 "1 {\"result\":null,\"id\":3}\n"},
	{"no such method", "{\"method\":\"SHOUT\",\"id\":4}",
	 "1 {\"error\":{\"code\":2,\"msg\":\"Invalid request: unknown variant"},
	{"no list", "{\"method\":\"SUBSCRIBE\",\"params\":\"x\",\"id\":5}", "missing field `params`"},
};

static void streams_come_and_go(void)
{
	api_begin(binance_options_default());
	is_int(connect_to(1, "/ws"), 101, "a raw connection");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		ok(has(say(1, commands[i].message), commands[i].want), "%s", commands[i].name);
	ok(has(say(1, "{}"), "1 close 1008 Too many requests"), "the sixth message of a second ends it");
	is_int(connect_to(2, "/nothing"), 404, "there are no streams elsewhere");
	connect_to(3, "/ws/btcusdt@depth/btcusdt@depth");
	ok(has(say(3, "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":1}"), "[\"btcusdt@depth\"]"),
	   "a stream is subscribed once");
	ok(has(say(3, "nonsense"), "{\"error\":{\"code\":3,\"msg\":\"Invalid JSON\"},\"id\":null}"),
	   "what is no JSON is told so");
	ask("POST", "/control/cut?kind=market", "", NULL);
	ok(has(pushed(), "3 close 0"), "cut on request");
	api_end();
}

/* ------------------------------------------------------------- user stream */

static void the_account_hears_of_itself(void)
{
	api_begin(binance_options_default());
	connect_to(1, "/ws-api/v3");
	ok(has(say_signed(1, "userDataStream.subscribe.signature", "", "", ""), "\"result\":{\"subscriptionId\":0}"),
	   "a user stream by signature");
	text_clear(&told.text);
	ask_signed("POST", "/api/v3/order",
		   "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=3&price=50010&newClientOrderId=mine");
	is_str(pushed(), "", "of a refused order nothing is heard");
	ask_signed("POST", "/api/v3/order",
		   "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&price=50010&newClientOrderId=mine");
	const char *report = strstr(pushed(), "\"x\":\"NEW\"");
	const char *trade = strstr(pushed(), "\"x\":\"TRADE\",\"X\":\"FILLED\"");
	const char *position = strstr(pushed(), "\"e\":\"outboundAccountPosition\"");
	ok(report && trade && position && report < trade && trade < position, "NEW, then TRADE, then the balances");
	ok(has(trade,
	       "\"l\":\"1.00000000\",\"z\":\"1.00000000\",\"L\":\"50010.00000000\",\"n\":\"0.00100000\",\"N\":\"BTC\"") &&
		   has(trade, "\"t\":1,") && has(trade, "\"Z\":\"50010.00000000\",\"Y\":\"50010.00000000\""),
	   "the trade in full");
	ok(has(position, "{\"a\":\"USDT\",\"f\":\"49990.00000000\",\"l\":\"0.00000000\"}"), "the balances after it");
	ask_signed(
		"POST", "/api/v3/order",
		"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=49000&newClientOrderId=rests");
	text_clear(&told.text);
	ask_signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=rests&newClientOrderId=gone");
	ok(has(pushed(), "\"c\":\"gone\",") && has(pushed(), "\"C\":\"rests\",\"x\":\"CANCELED\",\"X\":\"CANCELED\""),
	   "a cancel carries both ids");
	ok(has(say(1, "{\"id\":9,\"method\":\"userDataStream.unsubscribe\",\"params\":{\"subscriptionId\":0}}"),
	       "\"e\":\"eventStreamTerminated\""),
	   "it ends on request");
	api_end();
}

/* -------------------------------------------------------------------- time */

static void connections_grow_old(void)
{
	struct binance_options options = binance_options_default();
	options.connection_life_ms = 300000;
	api_begin(options);
	told.pings = 0;
	connect_to(1, "/ws");
	connect_to(2, "/ws");
	for (int s = 0; s < 298; s++) {
		now += INT64_C(1000000000);
		binance_tick(api, now);
		binance_pong(api, now, 1, "x", 1);
		binance_pong(api, now, 2, "", 0);
	}
	ok(has(pushed(), "2 close 1008 Pong timeout"), "who answers no ping is cut off; an empty pong is no answer");
	ok(told.pings >= 14 && told.pings <= 19, "a ping every 20 s: %u", told.pings);
	ok(has(pushed(), "1 {\"e\":\"serverShutdown\""), "an end is announced");
	now += INT64_C(2000000000);
	binance_tick(api, now);
	ok(has(pushed(), "1 close 1001"), "and comes when the time is over");
	binance_message(api, now, 1, "{}", 2);
	ok(true, "what comes on it afterwards is ignored");
	api_end();
}

int main(void)
{
	fixture_begin();
	depth_follows_the_book();
	a_gap_is_made_on_request();
	tickers_tell_each_change();
	streams_come_and_go();
	the_account_hears_of_itself();
	connections_grow_old();
	fixture_end();
	return tap_done();
}
