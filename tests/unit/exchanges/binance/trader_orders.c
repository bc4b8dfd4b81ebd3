/* Orders against the venue: what the host is told by answers and by the user stream, with either kind of key; what is
 * refused before it leaves; what every fault makes of an order. */
#include "tests/unit/exchanges/binance/trading.h"

#define ID OUR_ID "0"

static const char *const keys[] = {"hmac", "ed25519"};

/* What one order is told as: once by its answer and once by the stream. */
struct order_row {
	const char *what;
	int32_t side, tif;
	const char *price, *qty;
	const char *answer;
	const char *stream;
};

static const struct order_row orders[] = {
	{"IOC, filled", TG_SIDE_BUY, TG_TIF_IOC, "50010.00", "0.5",
	 "done 7 OK\nACCEPTED " ID " cum=0\n"
	 "FILL " ID " cum=0.5 id=1 qty=0.5 price=50010 fee=0.0005BTC\nFILLED " ID " cum=0.5\n",
	 "ACCEPTED " ID " cum=0\n"
	 "FILL " ID " cum=0.5 id=1 qty=0.5 price=50010 fee=0.0005BTC\nFILLED " ID " cum=0.5\n"},
	{"IOC, filled in part", TG_SIDE_SELL, TG_TIF_IOC, "50000.00", "3",
	 "done 7 OK\nACCEPTED " ID " cum=0\nFILL " ID " cum=2 id=1 qty=2 price=50000 fee=100USDT\n"
	 "EXPIRED " ID " cum=2 why=UNFILLED_IOC_QUANTITY_EXPIRED\n",
	 "ACCEPTED " ID " cum=0\nFILL " ID " cum=2 id=1 qty=2 price=50000 fee=100USDT\n"
	 "EXPIRED " ID " cum=2\n"},
	{"IOC, not filled", TG_SIDE_BUY, TG_TIF_IOC, "50009.99", "0.5",
	 "done 7 OK\nACCEPTED " ID " cum=0\nEXPIRED " ID " cum=0 why=UNFILLED_IOC_QUANTITY_EXPIRED\n",
	 "ACCEPTED " ID " cum=0\nEXPIRED " ID " cum=0\n"},
	{"FOK, not filled", TG_SIDE_SELL, TG_TIF_FOK, "50000.00", "3",
	 "done 7 OK\nACCEPTED " ID " cum=0\nEXPIRED " ID " cum=0 why=UNFILLED_FOK_ORDER_EXPIRED\n",
	 "ACCEPTED " ID " cum=0\nEXPIRED " ID " cum=0\n"},
	{"GTC, at rest", TG_SIDE_BUY, TG_TIF_GTC, "49000.00", "0.5", "done 7 OK\nACCEPTED " ID " cum=0\n",
	 "ACCEPTED " ID " cum=0\n"},
	{"post-only, at rest", TG_SIDE_BUY, TG_TIF_POST_ONLY, "49000.00", "0.5", "done 7 OK\nACCEPTED " ID " cum=0\n",
	 "ACCEPTED " ID " cum=0\n"},
	{"post-only, at once", TG_SIDE_BUY, TG_TIF_POST_ONLY, "50010.00", "0.5", "done 7 ERR_REJECTED -2010\n", ""},
	{"no such funds", TG_SIDE_BUY, TG_TIF_IOC, "50010.00", "9", "done 7 ERR_REJECTED -2010\n", ""},
	{"too small", TG_SIDE_BUY, TG_TIF_IOC, "50010.00", "0.00001", "done 7 ERR_REJECTED -1013\n", ""},
};

static void test_orders(const char *key)
{
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		const struct order_row *row = &orders[i];
		char want[1024];
		desk_up(key);
		is_int(order_at(row->side, row->tif, ID, row->price, row->qty, 7), TG_PENDING, "%s: sent", row->what);
		is_str(heard(), "", "%s: nothing is told from inside", row->what);
		ok(strstr(desk.sent.ptr, "\"signature\"") ? strcmp(key, "hmac") == 0 : strcmp(key, "ed25519") == 0,
		   "%s: signed, unless the session is", row->what);
		deliver();
		snprintf(want, sizeof want, "%s%s", row->answer, row->stream);
		is_str(heard(), want, "%s: told by the answer, and by the stream", row->what);
		desk_end();
	}
}

/* The stream first: the same words in the other order. */
static void test_order_of_arrival(void)
{
	desk_up("hmac");
	order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010.00", "0.5", 7);
	struct text first = {0};
	char *stream = strchr(told.text.ptr, '\n') + 1;
	size_t answer = (size_t)(stream - told.text.ptr);
	text_add(&first, stream, told.text.used - answer);
	text_add(&first, told.text.ptr, answer);
	text_clear(&told.text);
	text_add(&told.text, first.ptr, first.used);
	text_finish(&first);
	deliver();
	const char *all = heard();
	ok(strncmp(all, orders[0].stream, strlen(orders[0].stream)) == 0, "the stream's words come first");
	is_str(all + strlen(orders[0].stream), orders[0].answer, "then the answer's");
	desk_end();
}

/* -------------------------------------------------------------- refused here */

struct refused_row {
	const char *what;
	int32_t status;
	uint32_t market, version_more;
	int32_t side, tif;
	const char *id, *price, *qty;
	int64_t valid_ms;
};

static const struct refused_row refused[] = {
	{"another version", TG_ERR_VERSION, 0, 1, TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "1", 0},
	{"no such market", TG_ERR_INVALID, 99, 0, TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "1", 0},
	{"off the tick", TG_ERR_INVALID, 0, 0, TG_SIDE_BUY, TG_TIF_IOC, ID, "50010.001", "1", 0},
	{"off the lot", TG_ERR_INVALID, 0, 0, TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "0.000001", 0},
	{"no price", TG_ERR_INVALID, 0, 0, TG_SIDE_BUY, TG_TIF_IOC, ID, "0", "1", 0},
	{"no quantity", TG_ERR_INVALID, 0, 0, TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "0", 0},
	{"no such side", TG_ERR_INVALID, 0, 0, 3, TG_TIF_IOC, ID, "50010", "1", 0},
	{"no such time in force", TG_ERR_INVALID, 0, 0, TG_SIDE_BUY, 5, ID, "50010", "1", 0},
	{"no client id", TG_ERR_INVALID, 0, 0, TG_SIDE_BUY, TG_TIF_IOC, "", "50010", "1", 0},
	{"a client id that would end the text", TG_ERR_INVALID, 0, 0, TG_SIDE_BUY, TG_TIF_IOC, "a\",\"", "50010", "1",
	 0},
	{"valid for less than nothing", TG_ERR_INVALID, 0, 0, TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "1", -1},
	{"valid for less than the clock is known", TG_ERR_RETRYABLE, 0, 0, TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "1",
	 1},
};

static void test_refused(void)
{
	desk_up("hmac");
	text_clear(&desk.sent);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		const struct refused_row *row = &refused[i];
		struct tg_error error = tg_error_init();
		const struct tg_order_request request = {.size = sizeof request,
							 .market = row->market,
							 .version = catalogue_instrument(desk.catalogue, 0).version +
								    row->version_more,
							 .side = row->side,
							 .time_in_force = row->tif,
							 .client_id = str_of(row->id),
							 .price = decimal(row->price),
							 .qty = decimal(row->qty),
							 .valid_ms = row->valid_ms};
		is_int(trader_place(desk.trader, &request, desk_now(), &error), row->status, "%s: refused", row->what);
		ok(error.message_len > 0, "%s: with a word: %s", row->what, error.message);
	}
	deliver();
	is_int(desk.sent.used, 0, "nothing left");
	is_str(heard(), "", "nothing is told");
	desk.line[0].full = true;
	is_int(order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "1", 7), TG_ERR_CLOSED, "what cannot be sent is not");
	desk.line[0].full = false;
	trader_stop(desk.trader);
	is_int(order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010", "1", 7), TG_ERR_CLOSED, "nor what comes after the stop");
	desk_end();
}

/* An order of this id is there, so ours was not refused: what sent it twice is not known, its state is. */
static void test_duplicate(void)
{
	desk_up("hmac");
	order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "49000", "0.5", 7);
	deliver();
	heard();
	order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "49000", "0.5", 8);
	deliver();
	is_str(heard(), "done 8 ERR_UNKNOWN_OUTCOME -2010\n", "\"Duplicate order sent.\" is no refusal of the order");
	query_at(ID, 9);
	deliver();
	is_str(heard(), "OPEN " ID " cum=0\ndone 9 OK\n", "a look-up finds it");
	desk_end();
}

/* -------------------------------------------------------------------- faults */

struct fault_row {
	const char *fault;
	const char *order; /* what the host hears of the order's outcome */
	const char *query; /* and, having asked */
};

#define CUT "done 7 ERR_UNKNOWN_OUTCOME\ndown\nup\n"
#define FILLS "FILL " ID " cum=0.5 id=1 qty=0.5 price=50010 fee=0.0005BTC\nFILLED " ID " cum=0.5\ndone 8 OK\n"
#define ABSENT "ABSENT " ID " cum=0\ndone 8 OK\n"
#define STREAM \
	"ACCEPTED " ID " cum=0\nFILL " ID " cum=0.5 id=1 qty=0.5 price=50010 fee=0.0005BTC\nFILLED " ID " cum=0.5\n"

static const struct fault_row faults[] = {
	{"kind=lost-before", CUT, ABSENT},
	{"kind=lost-after", STREAM CUT, FILLS},
	{"kind=error-1000&done=false", "done 7 ERR_UNKNOWN_OUTCOME -1000\n", ABSENT},
	{"kind=error-1000&done=true", "done 7 ERR_UNKNOWN_OUTCOME -1000\n" STREAM, FILLS},
	{"kind=error-1001&done=true", "done 7 ERR_UNKNOWN_OUTCOME -1001\n" STREAM, FILLS},
	{"kind=error-1006&done=true", "done 7 ERR_UNKNOWN_OUTCOME -1006\n" STREAM, FILLS},
	{"kind=error-1007&done=false", "done 7 ERR_UNKNOWN_OUTCOME -1007\n", ABSENT},
	{"kind=error-1007&done=true", "done 7 ERR_UNKNOWN_OUTCOME -1007\n" STREAM, FILLS},
	{"kind=error-1008&done=false", "done 7 ERR_RETRYABLE -1008\n", ABSENT},
};

static void test_faults(const char *key)
{
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		const struct fault_row *row = &faults[i];
		char target[128];
		desk_up(key);
		snprintf(target, sizeof target, "/control/fault?method=order.place&%s", row->fault);
		ok(has(ask("POST", target, "", NULL), "200"), "%s: armed", row->fault);
		order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010.00", "0.5", 7);
		deliver();
		is_str(heard(), row->order, "%s: what is told of it", row->fault);
		is_int(query_at(ID, 8), TG_PENDING, "%s: it can be asked for", row->fault);
		deliver();
		is_str(heard(), row->query, "%s: what became of it", row->fault);
		desk_end();
	}
}

/* 429 and 418: not accepted, and nothing more leaves for as long as the venue says. */
static void test_limits(const char *kind, const char *want)
{
	char target[128];
	struct tg_error error = tg_error_init();
	struct tg_order_ref ref = ref_of(ID, "", 8);
	desk_up("hmac");
	snprintf(target, sizeof target, "/control/fault?method=order.place&kind=%s", kind);
	ask("POST", target, "", NULL);
	order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010.00", "0.5", 7);
	deliver();
	is_str(heard(), want, "%s: not accepted", kind);
	is_int(order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010.00", "0.5", 7), TG_ERR_RATE_LIMITED, "%s: no more", kind);
	is_int(trader_query(desk.trader, &ref, desk_now(), &error), TG_ERR_RATE_LIMITED, "%s: nor a look-up", kind);
	ok(error.retry_after_ns > 0, "%s: and how long", kind);
	pass(error.retry_after_ns);
	heard();
	is_int(query_at(ID, 8), TG_PENDING, "%s: then again", kind);
	desk_end();
}

/* The account's own limit of orders: refused here before the venue has to. */
static void test_order_count(void)
{
	struct binance_options options = binance_options_default();
	options.limits.orders_10s = 3;
	desk_begin(options, "ed25519");
	desk.quiet = true;
	trader_start(desk.trader, desk_now());
	deliver();
	for (int i = 0; i < 3; i++) {
		char id[40];
		snprintf(id, sizeof id, "%s%d", OUR_ID, i);
		is_int(order_at(TG_SIDE_BUY, TG_TIF_IOC, id, "40000", "0.5", 7), TG_PENDING, "order %d", i);
	}
	deliver();
	is_int(order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "40000", "0.5", 7), TG_ERR_RATE_LIMITED, "the fourth waits");
	is_int(cancel_at(ID, 8), TG_PENDING, "a cancel does not");
	is_int(query_at(ID, 9), TG_PENDING, "nor a look-up");
	pass(10 * SECOND);
	is_int(order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "40000", "0.5", 7), TG_PENDING, "ten seconds later it goes");
	deliver();
	ok(!strstr(heard(), "-1015"), "the venue never had to say so");
	desk_end();
}

/* ------------------------------------------------------------------- cancels */

static void test_cancel(const char *key)
{
	desk_up(key);
	order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "49000.00", "0.5", 7);
	deliver();
	heard();
	is_int(cancel_at(ID, 8), TG_PENDING, "a cancel is sent");
	deliver();
	const char *all = heard();
	ok(has(all, "done 8 OK\n"), "it was taken");
	ok(has(all, "CANCELLED " ID " cum=0"), "the order is told of by its own id");
	cancel_at(ID, 9);
	deliver();
	is_str(heard(), "done 9 ERR_REJECTED -2011\n", "a second finds nothing to cancel");
	desk_end();
}

/* Everything that is under way is told of when the link goes, once. */
static void test_many(void)
{
	unsigned unknown = 0;
	desk_up("hmac");
	desk.line[0].deaf = true;
	int32_t status = TG_PENDING;
	unsigned sent = 0;
	memset(&desk.budget, 0, sizeof desk.budget);
	for (; status == TG_PENDING; sent += status == TG_PENDING)
		status = order_at(TG_SIDE_BUY, TG_TIF_IOC, ID, "50010.00", "0.5", sent);
	is_int(status, TG_ERR_LIMIT, "a bounded number of requests is under way");
	is_int(sent, TRADER_ASKS_MAX, "as many as there is room for");
	pass(10 * SECOND);
	const char *all = heard();
	for (const char *at = all; (at = strstr(at, "ERR_UNKNOWN_OUTCOME")); at++)
		unknown++;
	is_int(unknown, sent, "silence makes each of them unknown, once");
	is_int(desk.restarts, 1, "and the link is opened anew");
	ok(has(all, "down\nup\n"), "the host is told");
	desk_end();
}

/* An answer that comes after all is known to be too late. */
static void test_late(void)
{
	desk_up("hmac");
	order_at(TG_SIDE_BUY, TG_TIF_GTC, ID, "49000.00", "0.5", 7);
	struct text late = told.text;
	told.text = (struct text){0};
	pass(5 * SECOND);
	query_at("nobody", 8);
	deliver();
	is_str(heard(), "ABSENT nobody cum=0\ndone 8 OK\n", "others are answered meanwhile");
	pass(5 * SECOND);
	is_str(heard(), "done 7 ERR_UNKNOWN_OUTCOME\n", "one answer is missing: the link is not to blame");
	told.text = late;
	deliver();
	is_str(heard(), "ACCEPTED " ID " cum=0\n", "what comes late is told by the stream, and not as an answer");
	is_int(desk.restarts, 0, "the link was never opened anew");
	desk_end();
}

int main(void)
{
	fixture_begin();
	for (size_t i = 0; i < 2; i++) {
		test_orders(keys[i]);
		test_faults(keys[i]);
		test_cancel(keys[i]);
	}
	test_order_of_arrival();
	test_refused();
	test_duplicate();
	test_limits("limit", "done 7 ERR_RATE_LIMITED -1003\n");
	test_limits("ban", "warn Binance has banned this address\ndone 7 ERR_RATE_LIMITED -1003\n");
	test_order_count();
	test_many();
	test_late();
	fixture_end();
	return tap_done();
}
