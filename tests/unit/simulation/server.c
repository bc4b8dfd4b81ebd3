/* The venue's front as gateways meet it: two clients, one fault at a time; long because each fault has its test here.
 */
#include "tests/unit/simulation/server_fixture.h"

static void a_day_without_mishap(void)
{
	world_begin(NULL, 0);
	struct client *ours = &world.client[0], *other = &world.client[1];
	is_int(heard_count(ours, WIRE_INSTRUMENT), MARKETS, "every market is told");
	is_int(heard_count(ours, WIRE_CATALOGUE_END), 1, "and that these are all");
	ok(heard_count(ours, WIRE_BALANCE) >= 2, "balances");
	ok(heard_count(ours, WIRE_BOOK) > MARKETS, "a book of each, and changes");
	is_int((long long)ours->book[0].sequence, (long long)other->book[0].sequence, "all are told the same book");
	client_forget(ours);
	client_forget(other);
	struct wire_place rest = a_buy("rests", 1000, true);
	uint64_t resting = client_ask(ours, WIRE_PLACE, &rest), token = buy("bought", 200);
	run_for(500);
	is_int(status_of(ours, token), TG_OK, "an order is accepted");
	is_int(status_of(ours, resting), TG_OK, "and one that rests");
	is_str(story(ours, "bought"), "AFf", "it is told as it goes");
	is_str(story(other, "bought"), "AFf", "to the other gateway of the account too");
	is_str(story(ours, "rests"), "A", "the one that rests is open");
	ok(heard_count(other, WIRE_BALANCE) >= 2, "balances are told to both");
	is_int(heard_count(other, WIRE_REPLY), 0, "the answer is for the one who asked");
	is_int(server_open_orders(world.server), 1, "one order rests");
	is_str(truth("rests"), "O", "asked for, it is open");
	is_str(truth("bought"), "Ff", "the other has its fills and its end");
	is_str(truth("never"), "0", "one that never was is absent");
	struct wire_ref ref = {.client_id = wire_name_of(TG_STR("rests"))};
	token = client_ask(other, WIRE_CANCEL, &ref);
	run_for(300);
	is_int(status_of(other, token), TG_OK, "the account's other gateway may cancel it");
	is_str(story(ours, "rests"), "C", "and its owner hears of it");
	is_int(server_open_orders(world.server), 0, "nothing rests");
	token = client_ask(ours, WIRE_CANCEL, &ref);
	run_for(300);
	is_int(status_of(ours, token), TG_ERR_REJECTED, "a second cancel finds nothing");
	client_forget(ours);
	struct wire_list list = {.since_unix_ns = WORLD_START_UNIX_NS, .count = 1, .market = {1}};
	token = client_ask(ours, WIRE_LIST, &list);
	run_for(300);
	ok(status_of(ours, token) == TG_OK && heard_count(ours, WIRE_ORDER) == 0, "there is none in another market");
	list.market[0] = 99;
	token = client_ask(ours, WIRE_LIST, &list);
	run_for(300);
	is_int(status_of(ours, token), TG_ERR_INVALID, "none can be listed of a market that is not");
	list.market[0] = 0;
	token = client_ask(ours, WIRE_LIST, &list);
	run_for(300);
	ok(status_of(ours, token) == TG_OK && heard_count(ours, WIRE_ORDER) == 3, "a listing tells of both orders");
	ok(is_traced("order bought of g0: buy ") && is_traced("order bought filled"), "the trace tells it too");
	is_int(ours->gaps + ours->bad_books + other->gaps + other->bad_books, 0, "books had no gap");
	check_explained();
	world_end();
}

static void wrong_requests_are_refused(void)
{
	struct client *client = &world.client[0];
	world_begin(NULL, 0);
	client_forget(client);
	struct wire_place late = a_buy("late", 200, false), early = late, lots = late, nowhere = late, wild = late;
	late.timestamp_unix_ns -= 2000 * MS;
	early.timestamp_unix_ns += 5000 * MS;
	early.client_id = wire_name_of(TG_STR("early"));
	lots.qty.mantissa = 0;
	lots.client_id = wire_name_of(TG_STR("lots"));
	nowhere.market = 4711;
	nowhere.client_id = wire_name_of(TG_STR("nowhere"));
	wild.timestamp_unix_ns = INT64_MIN;
	wild.valid_ms = INT64_MAX;
	wild.price = (struct tg_decimal){INT64_MIN, INT32_MIN, -1};
	wild.client_id = wire_name_of(TG_STR("wild\n\""));
	const struct {
		struct wire_place *place;
		int64_t code;
	} wrong[] = {{&late, -1021}, {&early, -1021}, {&lots, -1013}, {&nowhere, -1121}, {&wild, -1100}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		uint64_t token = client_ask(client, WIRE_PLACE, wrong[i].place);
		run_for(300);
		const struct heard *reply = reply_of(client, token);
		ok(reply && reply->payload.REPLY.status == TG_ERR_REJECTED &&
			   reply->payload.REPLY.exchange_code == wrong[i].code,
		   "refused: %lld", (long long)wrong[i].code);
	}
	is_str(truth("late"), "R", "a refused order is known as such");
	struct wire_list list = {.since_unix_ns = WORLD_START_UNIX_NS, .count = 1};
	client_forget(client);
	client_ask(client, WIRE_LIST, &list);
	run_for(300);
	is_int(heard_count(client, WIRE_ORDER), 0, "but in no listing: it never was in the book");
	struct wire_snapshot snapshot = {.market = 99};
	uint64_t token = client_ask(client, WIRE_SNAPSHOT, &snapshot);
	run_for(300);
	is_int(status_of(client, token), TG_ERR_INVALID, "no book of a market that is not");
	check_explained();
	world_end();
}

/* What one fault does to an order that would be filled at once. */
static const struct {
	enum fault_kind kind;
	int64_t arg;
	int32_t status;    /* of the reply; 99: none within a second */
	const char *story; /* told within a second */
	const char *truth; /* then asked for */
} mishaps[] = {
	{FAULT_REQUEST_LOST, 0, 99, "", "0"},
	{FAULT_REQUEST_LATE, 700, TG_OK, "AFf", "Ff"},
	{FAULT_REQUEST_LATE, 5000, 99, "", "0"},
	{FAULT_REPLY_LOST, 0, 99, "AFf", "Ff"},
	{FAULT_REPLY_LATE, 5000, 99, "AFf", "Ff"},
	{FAULT_REPLY_TWICE, 100, TG_OK, "AFf", "Ff"},
	{FAULT_ANSWER_429, 200, TG_ERR_RATE_LIMITED, "", "0"},
	{FAULT_ANSWER_418, 200, TG_ERR_RATE_LIMITED, "", "0"},
	{FAULT_ANSWER_500, 0, TG_ERR_UNKNOWN_OUTCOME, "", "0"},
	{FAULT_ANSWER_500, 1, TG_ERR_UNKNOWN_OUTCOME, "AFf", "Ff"},
	{FAULT_EVENT_LOST, 0, TG_OK, "Ff", "Ff"},
	{FAULT_EVENT_LATE, 500, TG_OK, "FfA", "Ff"},
	{FAULT_EVENT_TWICE, 500, TG_OK, "AFfA", "Ff"},
	{FAULT_FILL_AFTER_END, 498, TG_OK, "AfF", "Ff"},
	{FAULT_ORDER_REFUSED, 2, TG_ERR_REJECTED, "R", "R"},
	{FAULT_ORDER_PARTIAL, 500, TG_OK, "AFX", "FX"},
	{FAULT_ORDER_PARTIAL, 0, TG_OK, "AX", "X"},
};

static void one_mishap_each(void)
{
	struct client *client = &world.client[0];
	for (size_t i = 0; i < sizeof mishaps / sizeof mishaps[0]; i++) {
		const char *name = fault_info[mishaps[i].kind].name;
		world_begin_with(mishaps[i].kind, mishaps[i].arg);
		client_forget(client);
		uint64_t token = buy("x", 200);
		run_for(1000);
		is_int(status_of(client, token), mishaps[i].status, "%s %lld: the reply", name,
		       (long long)mishaps[i].arg);
		is_str(story(client, "x"), mishaps[i].story, "%s: what is told", name);
		is_str(truth("x"), mishaps[i].truth, "%s: what is true", name);
		is_int(struck(), 1, "%s: struck once", name);
		char line[64];
		snprintf(line, sizeof line, "fault %s: ", name);
		ok(is_traced(line), "%s: the trace says so", name);
		check_explained();
		world_end();
	}
}

static void late_orders_come_late(void)
{
	struct client *client = &world.client[0];
	world_begin_with(FAULT_REQUEST_LATE, 3000);
	struct wire_place place = a_buy("x", 200, false);
	place.valid_ms = 10000;
	client_forget(client);
	client_ask(client, WIRE_PLACE, &place);
	run_for(1000);
	is_str(truth("x"), "0", "an order under way is absent");
	stream_close(client->stream);
	run_for(3000);
	client_connect(client);
	run_for(500);
	is_str(truth("x"), "Ff", "and placed all the same when it arrives, though its sender was gone");
	world_end();

	world_begin_with(FAULT_REQUEST_LATE, 3000);
	client_forget(client);
	uint64_t token = buy("x", 200);
	run_for(4000);
	is_int(status_of(client, token), TG_ERR_REJECTED, "later than its bound it is refused");
	is_str(truth("x"), "R", "as late");
	world_end();
}

/* n ms by which the fill is late say what a filled order is called until then: n % 3. */
static void ends_lie_about_late_fills(void)
{
	static const int32_t called[] = {TG_ORDER_FILLED, TG_ORDER_CANCELLED, TG_ORDER_EXPIRED};
	for (int64_t ms = 1998; ms <= 2000; ms++) {
		struct client *client = &world.client[0];
		world_begin_with(FAULT_FILL_AFTER_END, ms);
		client_forget(client);
		buy("x", 200);
		run_for(1000);
		const struct heard *end = order_heard(client, called[ms % 3]);
		ok(end && end->payload.ORDER.cum_qty.mantissa == 0, "%lld ms: the end knows of no fill", (long long)ms);
		uint32_t fills = order_heard(client, TG_ORDER_FILL) != NULL;
		is_int(fills, 0, "%lld ms: which is still to come", (long long)ms);
		run_for(1500);
		const struct heard *fill = order_heard(client, TG_ORDER_FILL);
		ok(fill && fill->at_ms >= READY_MS + ms && fill->payload.ORDER.cum_qty.mantissa > 0,
		   "%lld ms: and comes later", (long long)ms);
		world_end();
	}
}

static void every_reason_is_met(void)
{
	static const char *const reasons[] = {"MARKET_CLOSED",  "PRICE_FILTER", "LOT_SIZE", "NOTIONAL",
					      "MAX_NUM_ORDERS", "LATE",         "BAD_ID",   "BAD_TYPE",
					      "BAD_SYMBOL",     "NO_FUNDS"};
	is_int(fault_info[FAULT_ORDER_REFUSED].most, 9, "there are ten reasons");
	for (int64_t i = 0; i < 10; i++) {
		char text[64];
		world_begin_with(FAULT_ORDER_REFUSED, i);
		uint64_t token = buy("x", 200);
		run_for(500);
		snprintf(text, sizeof text, "\"status\":\"rejected\",\"reason\":\"%s\"", reasons[i]);
		ok(status_of(&world.client[0], token) == TG_ERR_REJECTED && strstr(world.ledger, text),
		   "refused, and so in the ledger: %s", reasons[i]);
		world_end();
	}
}

/* What is told of an order falsely, and when the truth is known. */
static const struct {
	enum fault_kind kind;
	int64_t arg;
	int64_t filled_e3; /* thousandths of the order; -1: it is refused */
	const char *story; /* told within half a second; the rest within five */
	const char *whole;
	const char *truth;
} lies[] = {
	{FAULT_FALSE_END, 0 + 2000, 1000, "AFR", "AFRf", "Ff"},
	{FAULT_FALSE_END, 3000 + 2000, 1000, "AFC", "AFCf", "Ff"},
	{FAULT_FALSE_END, 6000 + 2000, 1000, "AFX", "AFXf", "Ff"},
	{FAULT_FALSE_END, 0 + 2000, 500, "AFR", "AFRX", "FX"},
	{FAULT_FALSE_END, 3000 + 2000, 0, "Af", "AfX", "X"},
	{FAULT_FALSE_END, 6000 + 2000, 0, "AR", "ARX", "X"},
	{FAULT_END_DENIED, 0 + 2000, 1000, "AFf", "AFfR", "Ff"},
	{FAULT_END_DENIED, 3000 + 2000, 1000, "AFf", "AFfC", "Ff"},
	{FAULT_END_DENIED, 6000 + 2000, 1000, "AFf", "AFfX", "Ff"},
	{FAULT_END_DENIED, 0 + 2000, 500, "AFX", "AFXR", "FX"},
	{FAULT_END_DENIED, 3000 + 2000, 500, "AFX", "AFXf", "FX"},
	{FAULT_END_DENIED, 6000 + 2000, 0, "AX", "AXC", "X"},
	{FAULT_REFUSAL_DENIED, 0, -1, "AR", "AR", "R"},
	{FAULT_REFUSAL_DENIED, 1, -1, "Rf", "Rf", "R"},
	{FAULT_REFUSAL_DENIED, 2, -1, "RC", "RC", "R"},
	{FAULT_REFUSAL_DENIED, 3, -1, "RX", "RX", "R"},
	{FAULT_END_AGAIN, 2000, 1000, "AFf", "AFff", "Ff"},
	{FAULT_END_AGAIN, 2000, 500, "AFX", "AFXX", "FX"},
	{FAULT_END_AGAIN, 2000, -1, "R", "RR", "R"},
};

static void the_venue_contradicts_itself(void)
{
	struct client *client = &world.client[0];
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		const char *name = fault_info[lies[i].kind].name;
		bool refused = lies[i].filled_e3 < 0, whole = lies[i].filled_e3 == 1000;
		const struct fault_event events[] = {
			{lies[i].kind, 0, READY_MS * MS, 0, lies[i].arg},
			{refused ? FAULT_ORDER_REFUSED : FAULT_ORDER_PARTIAL, 0, READY_MS * MS, 0,
			 refused ? 2 : lies[i].filled_e3},
		};
		world_begin(events, whole ? 1 : 2);
		client_forget(client);
		buy("x", 200);
		run_for(500);
		is_str(story(client, "x"), lies[i].story, "%s %lld: what is told first", name, (long long)lies[i].arg);
		is_str(story(&world.client[1], "x"),
		       refused             ? "R"
		       : whole             ? "AFf"
		       : lies[i].filled_e3 ? "AFX"
					   : "AX",
		       "others are told the truth");
		run_for(4500);
		is_str(story(client, "x"), lies[i].whole, "and then");
		is_str(truth("x"), lies[i].truth, "who asks is told the truth");
		char line[64];
		snprintf(line, sizeof line, "fault %s: order x, to g0", name);
		ok(is_traced(line), "the trace says so");
		check_explained();
		world_end();
	}
}

/* Of what was filled the end says as much as is true, whatever it is called. */
static void lies_know_the_fills(void)
{
	struct client *client = &world.client[0];
	world_begin_with(FAULT_FALSE_END, 2000);
	client_forget(client);
	buy("x", 200);
	run_for(500);
	const struct heard *lie = order_heard(client, TG_ORDER_REJECTED), *fill = order_heard(client, TG_ORDER_FILL);
	ok(lie && fill && lie->payload.ORDER.cum_qty.mantissa >= fill->payload.ORDER.fill_qty.mantissa,
	   "a rejection that knows of fills");
	world_end();

	const struct fault_event both[] = {{FAULT_FILL_AFTER_END, 0, READY_MS * MS, 0, 3000},
					   {FAULT_END_AGAIN, 0, READY_MS * MS, 0, 1000}};
	world_begin(both, 2);
	client_forget(client);
	buy("x", 200);
	run_for(2000);
	is_str(story(client, "x"), "Aff", "an end that knows of no fill comes again before the fill does");
	int64_t most = 0;
	for (uint32_t i = 0; i < client->count; i++)
		if (client->heard[i].type == WIRE_ORDER && client->heard[i].payload.ORDER.cum_qty.mantissa > most)
			most = client->heard[i].payload.ORDER.cum_qty.mantissa;
	ok(most > 0, "and then knows of it");
	run_for(2000);
	is_str(story(client, "x"), "AffF", "which comes at last");
	world_end();
}

static void a_taken_order_is_answered_as_rejected(void)
{
	struct client *client = &world.client[0];
	const struct fault_event events[] = {{FAULT_FALSE_REJECT, 0, READY_MS * MS, 0, 1500},
					     {FAULT_EVENT_LOST, 0, READY_MS * MS, 0, 0},
					     {FAULT_FILL_AFTER_END, 0, READY_MS * MS, 0, 100},
					     {FAULT_REPLY_LOST, 0, READY_MS * MS, 0, 0}};
	world_begin(events, 1);
	client_forget(client);
	uint64_t token = buy("x", 200);
	run_for(1000);
	is_int(status_of(client, token), 99, "it is answered late");
	run_for(1000);
	is_int(status_of(client, token), TG_ERR_REJECTED, "as rejected");
	is_str(story(&world.client[1], "x"), "AFf", "others know better");
	run_for(3000);
	const char *told = story(client, "x");
	ok(strlen(told) == 3 && strchr(told, 'A') && strchr(told, 'F') && strchr(told, 'f'),
	   "so does it in the end, whatever comes first: %s", told);
	is_str(truth("x"), "Ff", "who asks is told the truth");
	ok(strstr(world.ledger, "\"status\":\"filled\""), "the ledger has it");
	ok(is_traced("fault false_reject: order x, to g0 after 1500 ms"), "the trace says so");
	check_explained();
	world_end();

	world_begin(events, 4);
	client_forget(client);
	token = buy("x", 200);
	run_for(5000);
	is_int(status_of(client, token), TG_ERR_REJECTED, "neither is the answer lost");
	is_int((long long)strlen(story(client, "x")), 3, "nor what is told of it");
	world_end();
}

static void what_is_left_is_cancelled(void)
{
	struct client *client = &world.client[0];
	const struct fault_event events[] = {{FAULT_ORDER_CANCELLED, 0, READY_MS * MS, 0, 0},
					     {FAULT_ORDER_PARTIAL, 0, READY_MS * MS, 0, 500},
					     {FAULT_FILL_AFTER_END, 0, READY_MS * MS, 0, 1000}};
	world_begin(events, 2);
	client_forget(client);
	uint64_t token = buy("x", 200);
	run_for(500);
	is_int(status_of(client, token), TG_OK, "it was accepted");
	is_str(story(client, "x"), "AFC", "cancelled with a fill");
	is_str(truth("x"), "FC", "and so when it is asked for");
	ok(strstr(world.ledger, "\"status\":\"cancelled\""), "the ledger says the same");
	ok(is_traced("fault order_cancelled: order x: "), "the trace says so");
	world_end();

	world_begin(events, 3);
	client_forget(client);
	buy("x", 200);
	run_for(500);
	is_str(story(client, "x"), "AC", "cancelled, it seems, with nothing");
	run_for(1000);
	is_str(story(client, "x"), "ACF", "filled after the cancel");
	world_end();

	world_begin(events, 1);
	struct wire_place rests = a_buy("y", 1000, true);
	client_ask(client, WIRE_PLACE, &rests);
	buy("x", 200);
	run_for(500);
	is_int(struck(), 0, "not one that rests, nor one of which nothing may be left");
	world_end();
}

static void a_look_up_misses_what_is_new(void)
{
	struct client *client = &world.client[0];
	const struct fault_event miss[] = {{FAULT_LOOKUP_MISSES, 0, READY_MS * MS, 0, 0}};
	world_begin(miss, 1);
	client_forget(client);
	buy("x", 200);
	run_for(500);
	client_forget(client);
	query(client, "x");
	run_for(300);
	is_str(story(client, "x"), "0", "an order that is there is said to be absent");
	ok(is_traced("fault lookup_misses: order x, asked for by g0"), "the trace says so");
	is_str(truth("x"), "Ff", "once");
	check_explained();
	world_end();

	world_begin(miss, 1);
	buy("x", 200);
	run_for(2500);
	is_str(truth("x"), "Ff", "after two seconds it is found");
	is_int(struck(), 0, "always");
	world_end();
}

/* A fault waits for something that it can act on. */
static void nothing_strikes_in_vain(void)
{
	struct client *client = &world.client[0];
	world_begin_with(FAULT_ORDER_REFUSED, 0);
	struct wire_place place = a_buy("late", 200, false);
	place.timestamp_unix_ns -= 5000 * MS;
	client_ask(client, WIRE_PLACE, &place);
	run_for(300);
	is_int(struck(), 0, "an order that is refused anyway is not refused by fault");
	world_end();

	world_begin_with(FAULT_ORDER_PARTIAL, 0);
	place = a_buy("low", 1000, true);
	place.time_in_force = TG_TIF_IOC;
	client_ask(client, WIRE_PLACE, &place);
	run_for(300);
	is_int(struck(), 0, "an order that meets nothing is not held back");
	world_end();

	const struct fault_event foreign = {FAULT_FILL_AFTER_END, 1, READY_MS * MS, 0, 100};
	world_begin(&foreign, 1);
	buy("x", 200);
	run_for(300);
	is_int(struck(), 0, "nothing happens to what a gateway hears of another's order");
	world_end();

	const struct fault_event delist[] = {{FAULT_MARKET_DELISTED, 0, READY_MS * MS, 0, 0},
					     {FAULT_MARKET_DELISTED, 0, READY_MS * MS, 0, 0},
					     {FAULT_MARKET_DELISTED, 0, READY_MS * MS, 1, 0},
					     {FAULT_MARKET_DELISTED, 0, READY_MS * MS, 2, 0}};
	world_begin(delist, 4);
	for (int i = 0; i < 8; i++)
		server_second(world.server);
	is_int(struck(), MARKETS / 5, "no more than a fifth of the markets is ever delisted");
	world_end();
}

static void books_are_lost_and_corrupt(void)
{
	struct client *client = &world.client[0];
	world_begin_with(FAULT_BOOK_LOST, 0);
	run_for(1000);
	is_int(client->gaps, 1, "a lost book leaves a gap");
	is_int(world.client[1].gaps, 0, "to one gateway only");
	struct wire_snapshot snapshot = {.market = 3};
	client_forget(client);
	uint64_t token = client_ask(client, WIRE_SNAPSHOT, &snapshot);
	run_for(300);
	is_int(status_of(client, token), TG_OK, "a snapshot is given");
	uint32_t begins = 0;
	for (uint32_t i = 0; i < client->count; i++)
		begins += client->heard[i].type == WIRE_BOOK && client->heard[i].flags & WIRE_BOOK_BEGIN &&
			  client->heard[i].payload.BOOK.market == 3;
	is_int(begins, 1, "it begins the sequence anew");
	is_int(client->gaps, 1, "and fits what follows");
	is_int((long long)client->book[3].sequence, (long long)world.client[1].book[3].sequence,
	       "the sequence is the market's");
	world_end();

	world_begin_with(FAULT_BOOK_CORRUPT, 0);
	run_for(1000);
	is_int(client->bad_books, 1, "a corrupt book does not match its checksum");
	is_int(client->gaps, 0, "but has its place in the sequence");
	world_end();
}

static uint32_t market_in(int32_t status)
{
	uint32_t m = 0;
	while (m < MARKETS && world.client[1].instrument[m].status != status)
		m++;
	return m;
}

static void markets_change(void)
{
	world_begin_with(FAULT_MARKET_HALTED, 3000);
	server_second(world.server);
	run_for(500);
	uint32_t halted = market_in(TG_MARKET_HALTED);
	ok(halted < MARKETS, "a halted market is told");
	struct wire_place place = a_buy("x", 200, false);
	place.market = halted;
	uint64_t token = client_ask(&world.client[0], WIRE_PLACE, &place);
	run_for(300);
	is_int(status_of(&world.client[0], token), TG_ERR_REJECTED, "it takes no orders");
	ok(strstr(world.ledger, "\"status\":\"halted\""), "the ledger has it");
	run_for(3000);
	is_int(market_in(TG_MARKET_HALTED), MARKETS, "until it trades again");
	is_int(world.client[1].instrument[halted].version, 3, "in a new version");
	world_end();

	for (int64_t which = 0; which < 3; which++) {
		world_begin_with(FAULT_FILTERS_CHANGED, which);
		struct wire_instrument before[MARKETS];
		memcpy(before, world.client[1].instrument, sizeof before);
		server_second(world.server);
		run_for(500);
		uint32_t m = 0;
		while (m < MARKETS && world.client[1].instrument[m].version == 1)
			m++;
		const struct wire_instrument *now = &world.client[1].instrument[m % MARKETS],
					     *was = &before[m % MARKETS];
		ok(m < MARKETS && (which == 0   ? now->tick.mantissa == 10 * was->tick.mantissa
				   : which == 1 ? now->lot.mantissa == 10 * was->lot.mantissa
						: tg_decimal_compare(now->min_notional, was->min_notional) > 0),
		   "filter %lld changes", (long long)which);
		world_end();
	}
}

static void a_rate_limit_is_kept(void)
{
	struct client *client = &world.client[0];
	struct wire_ask ask = {0};
	world_begin(NULL, 0);
	client_forget(client);
	uint64_t first = client->token + 1;
	for (int i = 0; i < LIMIT + 5; i++)
		client_ask(client, WIRE_BALANCES, &ask);
	run_for(400);
	is_int(status_of(client, first + LIMIT - 1), TG_OK, "so many are answered");
	const struct heard *reply = reply_of(client, first + LIMIT);
	ok(reply && reply->payload.REPLY.status == TG_ERR_RATE_LIMITED && reply->payload.REPLY.exchange_code == 429,
	   "one more is not");
	ok(reply && reply->payload.REPLY.retry_after_ms > 0 && reply->payload.REPLY.retry_after_ms <= 1000,
	   "and is told when to come back");
	ok(is_traced("g0 makes more than 20 requests in a second"), "the connector broke the limit");
	run_for(1000);
	uint64_t token = client_ask(client, WIRE_BALANCES, &ask);
	run_for(300);
	is_int(status_of(client, token), TG_OK, "after that it is answered again");
	for (int i = 0; i < LIMIT + 60; i++)
		token = client_ask(client, WIRE_BALANCES, &ask);
	run_for(300);
	reply = reply_of(client, token);
	is_int(reply ? reply->payload.REPLY.exchange_code : 0, 418, "who does not stop is banned");
	uint64_t other = client_ask(&world.client[1], WIRE_BALANCES, &ask);
	run_for(300);
	is_int(status_of(&world.client[1], other), TG_OK, "alone");
	run_for(10000);
	token = client_ask(client, WIRE_BALANCES, &ask);
	run_for(300);
	is_int(status_of(client, token), TG_OK, "for some seconds");
	world_end();
}

static void strangers_are_dropped(void)
{
	struct client *client = &world.client[0];
	uint8_t bytes[WIRE_FRAME_MAX];
	world_begin(NULL, 0);
	stream_send(client->stream, (const uint8_t *)"this is not a frame at all, is it?", 34);
	run_for(500);
	ok(client->closed, "nonsense ends a connection");
	ok(!world.client[1].closed, "that one alone");
	client_connect(client);
	run_for(500);
	is_str(truth("x"), "0", "the next one works");
	const struct wire_pong pong = {0};
	stream_send(client->stream, bytes, wire_encode(WIRE_PONG, 0, &pong, bytes));
	run_for(500);
	ok(client->closed, "so does a frame that only a venue sends");
	run_for(70000);
	ok(world.client[1].closed, "and silence");
	world_end();
}

/* A busy minute by chance; returns the trace's digest. */
static uint64_t busy_minute(uint32_t *ret_struck)
{
	struct fault_rates rates;
	struct tg_error error = tg_error_init();
	fault_rates_default(&rates);
	if (fault_rates_parse("all=x5", &rates, &error) != TG_OK)
		abort();
	rates.rate_e6[FAULT_KILL] = rates.rate_e6[FAULT_POWER_LOSS] = rates.rate_e6[FAULT_GARBAGE] = 0;
	rates.rate_e6[FAULT_LINK_CUT] = rates.rate_e6[FAULT_LINK_HALF_OPEN] = rates.rate_e6[FAULT_LINK_SILENT] = 0;
	world_begin(NULL, 0);
	faults_destroy(world.ground.faults);
	if (faults_create(world.ground.time, 9, &rates, NULL, 0, &world.ground.faults))
		abort();
	for (int i = 0; i < 600; i++) {
		char id[16];
		snprintf(id, sizeof id, "o%d", i);
		struct wire_place place = a_buy(id, 50 + 10 * (i % 40), i % 7 == 0);
		if (i % 2) {
			place.side = TG_SIDE_SELL;
			place.price.mantissa -= place.price.mantissa / 400 / 100 * 100;
		}
		client_forget(&world.client[0]);
		client_ask(&world.client[0], WIRE_PLACE, &place);
		if (i % 10 == 0)
			server_second(world.server);
		run_for(100);
	}
	faults_calm(world.ground.faults);
	run_for(30000);
	*ret_struck = struck();
	return trace_digest(world.ground.trace);
}

static void the_same_seed_is_the_same_minute(void)
{
	uint32_t first_struck, second_struck;
	uint64_t first = busy_minute(&first_struck);
	check_explained();
	ok(strstr(world.ledger, "\"kind\":\"fill\""), "there were fills");
	world_end();
	uint64_t second = busy_minute(&second_struck);
	world_end();
	ok(first == second && first_struck == second_struck, "the same seed gives the same trace");
	ok(first_struck > 100, "%u faults struck", first_struck);
}

int main(void)
{
	a_day_without_mishap();
	wrong_requests_are_refused();
	one_mishap_each();
	late_orders_come_late();
	ends_lie_about_late_fills();
	every_reason_is_met();
	the_venue_contradicts_itself();
	lies_know_the_fills();
	a_taken_order_is_answered_as_rejected();
	what_is_left_is_cancelled();
	a_look_up_misses_what_is_new();
	nothing_strikes_in_vain();
	books_are_lost_and_corrupt();
	markets_change();
	a_rate_limit_is_kept();
	strangers_are_dropped();
	the_same_seed_is_the_same_minute();
	return tap_done();
}
