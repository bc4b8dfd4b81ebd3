/* What is asked for: one order, all orders of some markets, balances. Against the venue, and against words that it
 * would not say. */
#include "tests/unit/exchanges/binance/trading.h"

#define ID OUR_ID "0"
#define MORE OUR_ID "1"
#define SYMBOL_LONG "A12345678901234567890123456789012345678901234567"

static void quiet_order(int32_t side, int32_t tif, const char *id, const char *price, const char *qty)
{
	order_at(side, tif, id, price, qty, 1);
	deliver();
	heard();
}

/* Make the queued answer to the last request say something else. */
static void answer_alter(const char *from, const char *to)
{
	struct text altered = {0};
	char *at = told.text.used ? strstr(pushed(), from) : NULL;
	if (!at)
		abort();
	text_add(&altered, told.text.ptr, (size_t)(at - told.text.ptr));
	text_put(&altered, to);
	text_add(&altered, at + strlen(from), told.text.used - (size_t)(at - told.text.ptr) - strlen(from));
	text_finish(&told.text);
	told.text = altered;
}

/* ------------------------------------------------------------------- queries */

struct query_row {
	const char *what;
	int32_t side, tif;
	const char *price, *qty;
	const char *told;
};

static const struct query_row queries[] = {
	{"filled", TG_SIDE_BUY, TG_TIF_IOC, "50010", "0.5",
	 "FILL " ID " cum=0.5 id=1 qty=0.5 price=50010 fee=0.0005BTC\nFILLED " ID " cum=0.5\ndone 8 OK\n"},
	{"filled in part", TG_SIDE_SELL, TG_TIF_IOC, "50000", "3",
	 "FILL " ID " cum=2 id=1 qty=2 price=50000 fee=100USDT\n"
	 "EXPIRED " ID " cum=2 why=UNFILLED_IOC_QUANTITY_EXPIRED\ndone 8 OK\n"},
	{"not filled", TG_SIDE_BUY, TG_TIF_IOC, "40000", "0.5",
	 "EXPIRED " ID " cum=0 why=UNFILLED_IOC_QUANTITY_EXPIRED\ndone 8 OK\n"},
	{"at rest", TG_SIDE_BUY, TG_TIF_GTC, "40000", "0.5", "OPEN " ID " cum=0\ndone 8 OK\n"},
	{"filled in part, at rest", TG_SIDE_SELL, TG_TIF_GTC, "50000", "3",
	 "FILL " ID " cum=2 id=1 qty=2 price=50000 fee=100USDT\nOPEN " ID " cum=2\ndone 8 OK\n"},
	{"refused, and so never there", TG_SIDE_BUY, TG_TIF_IOC, "50010", "9", "ABSENT " ID " cum=0\ndone 8 OK\n"},
};

static void test_queries(const char *key)
{
	for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
		const struct query_row *row = &queries[i];
		struct tg_error error = tg_error_init();
		desk_up(key);
		quiet_order(row->side, row->tif, ID, row->price, row->qty);
		is_int(query_at(ID, 8), TG_PENDING, "%s: asked for", row->what);
		is_str(heard(), "", "%s: nothing is told from inside", row->what);
		deliver();
		is_str(heard(), row->told, "%s: its fills, then its state", row->what);
		struct tg_order_ref ref = ref_of("", "1", 8);
		is_int(trader_query(desk.trader, &ref, desk_now(), &error), TG_PENDING, "%s: by the other id",
		       row->what);
		deliver();
		if (i != 5)
			is_str(heard(), row->told, "%s: the same", row->what);
		else
			is_str(heard(), "ABSENT  cum=0\ndone 8 OK\n", "%s: the same", row->what);
		desk_end();
	}
}

static struct tg_order_ref unlisted_ref(const char *client_id, const char *exchange_id, const char *symbol)
{
	struct tg_order_ref ref = ref_of(client_id, exchange_id, 8);
	ref.market = TG_MARKET_UNLISTED;
	ref.symbol = str_of(symbol);
	return ref;
}

/* The symbol alone: its market was listed when the order was placed, by an earlier start. */
static void test_unlisted(const char *key)
{
	struct tg_error error = tg_error_init();
	for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
		const struct query_row *row = &queries[i];
		desk_up(key);
		quiet_order(row->side, row->tif, ID, row->price, row->qty);
		struct tg_order_ref ref = unlisted_ref(ID, "", "BTCUSDT");
		is_int(trader_query(desk.trader, &ref, desk_now(), &error), TG_PENDING, "%s: asked for by its symbol",
		       row->what);
		deliver();
		is_str(heard(), row->told, "%s: the same is told", row->what);
		is_int(desk.market, TG_MARKET_UNLISTED, "%s: of a market that has no index", row->what);
		desk_end();
	}
	desk_up(key);
	struct tg_order_ref ref = unlisted_ref(ID, "", "GONEUSDT");
	is_int(trader_query(desk.trader, &ref, desk_now(), &error), TG_PENDING, "one that Binance does not know");
	deliver();
	is_str(heard(), "done 8 ERR_REJECTED -1121\n", "which says nothing of the order: absence is something else");
	desk_end();
}

/* Slots of requests are used again: what one leaves behind is not taken for the symbol of the next. */
static void test_unlisted_beside(void)
{
	struct tg_error error = tg_error_init();
	desk_up("hmac");
	quiet_order(TG_SIDE_SELL, TG_TIF_IOC, ID, "50000", "3");
	struct tg_order_ref ref = unlisted_ref("", "1", "BTCUSDT");
	is_int(trader_query(desk.trader, &ref, desk_now(), &error), TG_PENDING, "by the exchange's id");
	is_int(query_at(ID, 9), TG_PENDING, "one of a listed market beside it");
	deliver();
	const char *all = heard();
	ok(has(all, "EXPIRED " ID " cum=2 why=UNFILLED_IOC_QUANTITY_EXPIRED\ndone 8 OK\n") &&
		   has(all, "EXPIRED " ID " cum=2 why=UNFILLED_IOC_QUANTITY_EXPIRED\ndone 9 OK\n"),
	   "both are answered");
	desk_end();
}

static void test_refs(void)
{
	static const struct {
		const char *what, *client_id, *exchange_id;
		uint32_t market;
		const char *symbol;
	} rows[] = {
		{"no id", "", "", 0},
		{"a client id with a quote", "\"", "", 0},
		{"an exchange's id with a letter", "", "1a", 0},
		{"an exchange's id without end", "", "1234567890123456789", 0},
		{"no such market", ID, "", 99},
		{"a symbol beside a market that is none", ID, "", 99, "BTCUSDT"},
		{"neither market nor symbol", ID, "", TG_MARKET_UNLISTED},
		{"a symbol with a quote", ID, "", TG_MARKET_UNLISTED, "BTC\"USDT"},
		{"a symbol that is too long", ID, "", TG_MARKET_UNLISTED, SYMBOL_LONG},
	};
	desk_up("hmac");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct tg_error error = tg_error_init();
		struct tg_order_ref ref = ref_of(rows[i].client_id, rows[i].exchange_id, 8);
		ref.market = rows[i].market;
		ref.symbol = str_of(rows[i].symbol ? rows[i].symbol : "");
		is_int(trader_query(desk.trader, &ref, desk_now(), &error), TG_ERR_INVALID, "%s", rows[i].what);
		is_int(trader_cancel(desk.trader, &ref, desk_now(), &error), TG_ERR_INVALID, "%s, cancelled",
		       rows[i].what);
	}
	desk_end();
}

/* Memory and database: the state is there, its trades are not yet. */
static void test_trades_lag(void)
{
	desk_up("hmac");
	quiet_order(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "0.5");
	query_at(ID, 8);
	answer_alter("\"executedQty\":\"0.50000000\"", "\"executedQty\":\"0.40000000\"");
	deliver();
	const char *all = heard();
	ok(has(all, "FILL " ID " cum=0.5"), "the trades that are there are told");
	ok(has(all, "done 8 ERR_RETRYABLE") && !strstr(all, "FILLED"), "its state is not, as they do not fit");
	query_at(ID, 8);
	answer_alter("\"status\":\"FILLED\"", "\"status\":\"GONE\"");
	deliver();
	is_str(heard(), "done 8 ERR_RETRYABLE\n", "a state that is none is no answer");
	query_at(ID, 8);
	answer_alter("\"executedQty\"", "\"executed\"");
	deliver();
	is_str(heard(), "done 8 ERR_RETRYABLE\n", "nor is one that lacks what it has to say");
	query_at(ID, 8);
	answer_alter("\"status\":200,\"result\"",
		     "\"status\":400,\"error\":{\"code\":-2026,\"msg\":\"archived\"},\"x\"");
	deliver();
	is_str(heard(), "CANCELLED " ID " cum=0 why=cancelled or expired without a fill, and archived\ndone 8 OK\n",
	       "what is archived has had no fill");
	desk_end();
}

/* Ids go back to the exchange in the next request. */
static void test_ids(void)
{
	static const char *const rows[][2] = {
		{"\"orderId\":1", "\"orderId\":18446744073709551615"},
		{"\"orderId\":1", "\"orderId\":9223372036854775808"},
		{"\"orderId\":1", "\"orderId\":99999999999999999999"},
	};
	desk_up("hmac");
	quiet_order(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "0.5");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		query_at(ID, 8);
		answer_alter(rows[i][0], rows[i][1]);
		deliver();
		is_str(heard(), "done 8 ERR_RETRYABLE\n", "%s is no id", rows[i][1]);
	}
	desk_end();
}

static void test_query_faults(void)
{
	static const struct {
		const char *fault, *told;
	} rows[] = {
		{"kind=lost-before", "done 8 ERR_RETRYABLE\ndown\nup\n"},
		{"kind=error-1000", "done 8 ERR_RETRYABLE -1000\n"},
		{"kind=error-1008", "done 8 ERR_RETRYABLE -1008\n"},
		{"kind=limit", "done 8 ERR_RATE_LIMITED -1003\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char target[128];
		desk_up("ed25519");
		snprintf(target, sizeof target, "/control/fault?method=order.status&%s", rows[i].fault);
		ask("POST", target, "", NULL);
		query_at(ID, 8);
		deliver();
		is_str(heard(), rows[i].told, "%s: can be asked again", rows[i].fault);
		desk_end();
	}
}

/* --------------------------------------------------------------------- lists */

static int32_t list_at(const uint32_t *markets, uint32_t count, int64_t since, uint64_t token)
{
	struct tg_error error = tg_error_init();
	return trader_list(desk.trader, markets, count, since, token, desk_now(), &error);
}

static void test_list(const char *key)
{
	const uint32_t all[] = {0, 1}, wrong[] = {99};
	desk_up(key);
	quiet_order(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "0.5");
	quiet_order(TG_SIDE_BUY, TG_TIF_IOC, MORE, "40000", "0.5");
	quiet_order(TG_SIDE_BUY, TG_TIF_GTC, "foreign", "40000", "0.25");
	is_int(list_at(wrong, 1, now - SECOND, 9), TG_ERR_INVALID, "a market that is none");
	is_int(list_at(all, 2, now - SECOND, 9), TG_PENDING, "a list is asked for");
	is_int(list_at(all, 2, now - SECOND, 9), TG_ERR_LIMIT, "one at a time");
	is_str(heard(), "", "nothing is told from inside");
	deliver();
	is_str(heard(),
	       "EXPIRED " MORE " cum=0 why=UNFILLED_IOC_QUANTITY_EXPIRED\n"
	       "OPEN foreign cum=0\n"
	       "FILL " ID " cum=0.5 id=1 qty=0.5 price=50010 fee=0.0005BTC\nFILLED " ID " cum=0.5\n"
	       "OPEN foreign cum=0\ndone 9 OK\n",
	       "all orders, those that are open again, then that it is done");
	is_int(list_at(all, 0, 0, 10), TG_PENDING, "a list of no markets");
	is_str(heard(), "", "is not done from inside either");
	deliver();
	is_str(heard(), "done 10 OK\n", "but is done");
	desk_end();
}

/* Filled in part and at rest since long ago: told with the open ones alone, and still with its trades. */
static void test_list_open(void)
{
	const uint32_t one[] = {0}, all[] = {0, 1};
	const char *want = "FILL " ID " cum=2 id=1 qty=2 price=50000 fee=100USDT\nOPEN " ID " cum=2\ndone 9 OK\n";
	desk_up("hmac");
	quiet_order(TG_SIDE_SELL, TG_TIF_GTC, ID, "50000", "3");
	pass(100 * SECOND);
	heard();
	list_at(one, 1, now - SECOND, 9);
	deliver();
	is_str(heard(), want, "of the last market of a list");
	list_at(all, 2, now - SECOND, 9);
	deliver();
	is_str(heard(), want, "of one before it");
	desk_end();
}

/* The host's clock is hours ahead of the exchange's: its "since" would be in the exchange's future. */
static void test_list_clock(void)
{
	const uint32_t one[] = {0};
	struct tg_error error = tg_error_init();
	struct trader_now wrong;
	desk_up("hmac");
	quiet_order(TG_SIDE_BUY, TG_TIF_IOC, ID, "40000", "0.5");
	wrong = desk_now();
	wrong.unix_ns += 5 * 3600 * SECOND;
	trader_list(desk.trader, one, 1, wrong.unix_ns - SECOND, 9, wrong, &error);
	deliver();
	is_str(heard(), "EXPIRED " ID " cum=0 why=UNFILLED_IOC_QUANTITY_EXPIRED\ndone 9 OK\n",
	       "a clock that is ahead hides no order");
	desk_end();
}

/* Days back, refused on the way: it waits and goes on. */
static void test_list_long(void)
{
	const uint32_t one[] = {0};
	desk_up("hmac");
	quiet_order(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "0.5");
	ask("POST", "/control/fault?method=myTrades&kind=error-1008", "", NULL);
	ask("POST", "/control/fault?method=allOrders&kind=error-1000", "", NULL);
	list_at(one, 1, now - 3 * 86400 * SECOND, 9);
	deliver();
	is_str(heard(), "", "a refusal is not the end of it");
	pass(5 * SECOND);
	is_str(heard(),
	       "FILL " ID " cum=0.5 id=1 qty=0.5 price=50010 fee=0.0005BTC\nFILLED " ID " cum=0.5\ndone 9 OK\n",
	       "the fourth day is reached");
	list_at(one, 1, now - SECOND, 10);
	ask("POST", "/control/fault?method=allOrders&kind=lost-before", "", NULL);
	deliver();
	is_str(heard(), "done 10 ERR_RETRYABLE\ndown\nup\n", "a lost link is");
	list_at(one, 1, 0, 11);
	ask("POST", "/control/fault?method=allOrders&kind=error-1006&count=100", "", NULL);
	pass(120 * SECOND);
	is_str(heard(), "done 11 ERR_RETRYABLE -1006\n", "and so are refusals without end");
	desk_end();
}

/* More orders in a span than a page has: the span is halved until they fit. */
static void test_list_full(void)
{
	const uint32_t one[] = {0};
	struct binance_options options = binance_options_default();
	options.limits.orders_10s = options.limits.orders_day = 1000000;
	options.limits.weight_minute = 1000000;
	desk_begin(options, "ed25519");
	desk.quiet = true;
	trader_start(desk.trader, desk_now());
	deliver();
	for (int i = 0; i < 1500; i++) {
		char id[40];
		snprintf(id, sizeof id, "many%d", i);
		order_at(TG_SIDE_BUY, TG_TIF_IOC, id, "40000", "0.5", 1);
		if (i % 100 == 99)
			deliver();
		now += SECOND / 100;
	}
	deliver();
	heard();
	list_at(one, 1, begin_ns - SECOND, 9);
	deliver();
	unsigned count = 0;
	static char copy[1 << 18];
	size_t used = desk.heard.used < sizeof copy - 1 ? desk.heard.used : sizeof copy - 1;
	memcpy(copy, desk.heard.ptr, used);
	for (const char *at = copy; (at = strstr(at, "EXPIRED many")); at++)
		count++;
	is_int(count, 1500, "each of 1,500 orders is told, once");
	ok(has(copy, "done 9 OK"), "and then that it is done");
	desk_end();
}

/* ------------------------------------------------------------------ balances */

static int32_t balances_at(uint64_t token)
{
	struct tg_error error = tg_error_init();
	return trader_balances(desk.trader, token, desk_now(), &error);
}

static void test_balances(void)
{
	desk_begin(binance_options_default(), "hmac");
	trader_start(desk.trader, desk_now());
	deliver();
	is_str(heard(), "balance BTC 10/0\nbalance USDT 100000/0\nbalance LTC 10/0\nup\n",
	       "balances come before it is up; not those that one never had");
	order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "40000", "0.5", 7);
	deliver();
	ok(has(heard(), "balance USDT 80000/20000\n"), "an order locks some");
	is_int(balances_at(8), TG_PENDING, "they can be asked for");
	is_str(heard(), "", "nothing is told from inside");
	deliver();
	is_str(heard(), "balance BTC 10/0\nbalance USDT 80000/20000\nbalance LTC 10/0\ndone 8 OK\n", "and are told");
	ask("POST", "/control/fault?method=account.status&kind=error-1000", "", NULL);
	balances_at(9);
	deliver();
	is_str(heard(), "done 9 ERR_RETRYABLE -1000\n", "or not");
	balances_at(10);
	answer_alter("\"balances\"", "\"other\"");
	deliver();
	is_str(heard(), "done 10 ERR_RETRYABLE\n", "an answer without them is none");
	desk_end();
}

static void event_push(const char *json)
{
	text_format(&told.text, "%llu {\"subscriptionId\":0,\"event\":%s}\n",
		    (unsigned long long)desk.line[0].connection, json);
	deliver();
}

/* What is older must not overwrite what is newer, whichever way it comes. */
static void test_balances_old(void)
{
	char json[256];
	long long ms = NOW / 1000000;
	desk_begin(binance_options_default(), "hmac");
	trader_start(desk.trader, desk_now());
	deliver();
	heard();
	static const struct {
		int64_t later_ms;
		const char *free, *want;
	} rows[] = {
		{5, "7", "balance USDT 7/0\n"}, {4, "6", ""},  {5, "8", "balance USDT 8/0\n"},
		{9, "9", "balance USDT 9/0\n"}, {-1, "1", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(json, sizeof json,
			 "{\"e\":\"outboundAccountPosition\",\"E\":%lld,\"u\":%lld,\"B\":[{\"a\":\"USDT\",\"f\":\"%s\","
			 "\"l\":\"0\"}]}",
			 ms + rows[i].later_ms, ms + rows[i].later_ms, rows[i].free);
		event_push(json);
		is_str(heard(), rows[i].want, "of %lld ms later", (long long)rows[i].later_ms);
	}
	balances_at(8);
	deliver();
	is_str(heard(), "balance BTC 10/0\nbalance LTC 10/0\ndone 8 OK\n", "an answer from before is older, too");
	now += SECOND;
	event_push("{\"e\":\"externalLockUpdate\",\"E\":1,\"a\":\"USDT\",\"d\":\"10\",\"T\":1}");
	is_str(heard(), "balance BTC 10/0\nbalance USDT 100000/0\nbalance LTC 10/0\n",
	       "a lock that is told without balances makes it ask");
	desk_end();
}

int main(void)
{
	static const char *const keys[] = {"hmac", "ed25519"};
	fixture_begin();
	for (size_t i = 0; i < 2; i++) {
		test_queries(keys[i]);
		test_unlisted(keys[i]);
		test_list(keys[i]);
	}
	test_unlisted_beside();
	test_refs();
	test_trades_lag();
	test_ids();
	test_query_faults();
	test_list_open();
	test_list_clock();
	test_list_long();
	test_list_full();
	test_balances();
	test_balances_old();
	fixture_end();
	return tap_done();
}
