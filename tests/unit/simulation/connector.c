/* The connector against a scripted venue: what is asked is answered once, what is missing is asked for again, what is
 * broken is left and made anew. */
#include "plugins/host.h"

#include "connector_host.h"

static void test_begin(void)
{
	setup(NULL, 0);
	is_int(place(1, NULL), TG_ERR_CLOSED, "no order before the start");
	is_int(host.api->start(host.self, NULL), TG_OK, "started");
	is_int(host.api->start(host.self, NULL), TG_ERR_CLOSED, "once");
	world_run(3000 * MS);
	is_int(times(TOLD_INSTRUMENT, ANY), MARKETS, "all markets are told");
	is_int(times(TOLD_BALANCE, ANY), 2, "and all balances");
	ok(first(TOLD_LINK, TG_LINK_UP) > first(TOLD_BALANCE, 'Q') &&
		   first(TOLD_BALANCE, 'B') > first(TOLD_INSTRUMENT, ANY),
	   "markets, balances, link up");
	is_int(times(TOLD_LINK, ANY), 1, "nothing else is said of the link");
	is_int(times(TOLD_BOOK, TG_BOOK_SNAPSHOT), 2, "the books of what is subscribed begin");
	ok(first(TOLD_BOOK, ANY)->number == 10 && first(TOLD_BOOK, ANY)->levels == 2, "as the venue has them");
	say_book(0);
	world_pass_ms(30);
	ok(host.log[host.count - 1].what == TOLD_BOOK && host.log[host.count - 1].number == 11 &&
		   host.log[host.count - 1].code == 0,
	   "and go on with changes");
	ok(venue.count[WIRE_HELLO] == 1 && venue.count[WIRE_PING] == 4, "a greeting, and the time is taken well");
	host.count = 0;
	world_run(60000 * MS);
	ok(times(TOLD_BALANCE, 'B') >= 4, "balances are asked for from time to time");
	is_int(venue.connections, 1, "all on one connection");
	teardown();
}

static void test_order(void)
{
	setup_up(NULL, 0);
	int64_t sent_ns = venue_unix_ns();
	is_int(place(42, NULL), TG_PENDING, "an order leaves");
	is_int(host.count, 0, "nothing is told inside the call");
	world_pass_ms(60);
	ok(times(TOLD_DONE, TG_OK) == 1 && first(TOLD_DONE, ANY)->number == 42, "it is answered");
	ok(times(TOLD_ORDER, TG_ORDER_ACCEPTED) == 1 && times(TOLD_ORDER, TG_ORDER_FILL) == 1 &&
		   times(TOLD_ORDER, TG_ORDER_FILLED) == 1,
	   "and what became of it is told");
	int64_t late_ns = sent_ns - venue.place.timestamp_unix_ns;
	ok(late_ns >= 0 && late_ns <= 25 * MS, "it carries the venue's time, never a later one (%lld us)",
	   (long long)late_ns / 1000);
	is_int(venue.place.valid_ms, 2000, "and its bound");
	host.count = 0;
	is_int(query(43, NULL), TG_PENDING, "a question leaves");
	is_int(host.api->orders_list(host.self, (const uint32_t[]){0}, 1, 5, 44, NULL), TG_PENDING,
	       "a list is asked for");
	is_int(host.api->balances(host.self, 45, NULL), TG_PENDING, "balances are");
	world_pass_ms(60);
	is_int(times(TOLD_DONE, TG_OK), 3, "each has its answer");
	teardown();
}

static void test_refused_calls(void)
{
	struct tg_error error = tg_error_init();
	struct tg_order_request request = {.size = sizeof request, .market = 1, .version = 1};
	const struct tg_order_ref ref = {.size = sizeof ref, .market = MARKETS};
	const uint32_t beyond = MARKETS;
	setup_up(NULL, 0);
	request.market = MARKETS;
	is_int(host.api->order_place(host.self, &request, &error), TG_ERR_INVALID, "no such market");
	request.market = 1;
	request.version = 2;
	is_int(host.api->order_place(host.self, &request, &error), TG_ERR_VERSION, "sized for other filters");
	request.version = 1;
	request.client_id = TG_STR("0123456789012345678901234567890123456");
	is_int(host.api->order_place(host.self, &request, &error), TG_ERR_INVALID, "an id of 37 characters");
	request.client_id.len = 36;
	request.valid_ms = -1;
	is_int(host.api->order_place(host.self, &request, &error), TG_ERR_INVALID, "a bound in the past");
	is_int(host.api->order_query(host.self, &ref, &error), TG_ERR_INVALID, "a question about no market");
	is_int(host.api->subscribe(host.self, &beyond, 1, &error), TG_ERR_INVALID, "nor is it subscribed");
	static const uint32_t many[WIRE_MARKETS_MAX + 1];
	is_int(host.api->orders_list(host.self, many, WIRE_MARKETS_MAX + 1, 0, 46, &error), TG_ERR_LIMIT,
	       "nor are orders listed of more markets than a request holds");
	is_int(venue.count[WIRE_PLACE] + venue.count[WIRE_QUERY], 0, "nothing left");
	teardown();
}

static void test_answers(void)
{
	setup_up(NULL, 0);
	venue.replies = 3;
	place(1, NULL);
	world_pass_ms(60);
	is_int(times(TOLD_DONE, ANY), 1, "an answer that comes three times is told once");

	host.count = 0;
	venue.replies = 0;
	place(2, NULL);
	int64_t asked_ns = world_ns();
	world_pass_ms(20000);
	is_int(times(TOLD_DONE, ANY), 1, "an answer that never comes is told once");
	const struct told_event *done = first(TOLD_DONE, ANY);
	is_int(done->code, TG_ERR_UNKNOWN_OUTCOME, "as unknown");
	is_int((done->at_ns - asked_ns) / MS, 5000, "after five seconds");
	venue.replies = 1;
	place(3, NULL);
	say(WIRE_REPLY, 0, &venue.kept);
	world_pass_ms(60);
	ok(times(TOLD_DONE, ANY) == 2 && times(TOLD_DONE, TG_OK) == 1, "coming later, it answers nothing else");

	host.count = 0;
	venue.mute[WIRE_QUERY] = true;
	query(4, NULL);
	world_pass_ms(6000);
	ok(times(TOLD_DONE, TG_ERR_TIMEOUT) == 1, "a question without an answer timed out");

	host.count = 0;
	venue.turn_away = (struct wire_reply){.status = 12345};
	place(5, NULL);
	world_pass_ms(60);
	is_int(first(TOLD_DONE, ANY)->code, TG_ERR_UNKNOWN_OUTCOME, "an answer that makes no sense says nothing");
	teardown();
}

static void test_books(void)
{
	setup_up(NULL, 0);
	say_book(0);
	say_book(0);
	world_pass_ms(30);
	host.count = 0;
	venue.mute[WIRE_SNAPSHOT] = true;
	venue.sequence[0]++; /* one is missing */
	say_book(0);
	say_book(1);
	world_pass_ms(50);
	const struct told_event *gap = first(TOLD_BOOK, TG_BOOK_SNAPSHOT);
	ok(gap->market == 0 && gap->levels == 0, "a gap: the gateway hears of an empty book");
	is_int(times(TOLD_BOOK, 0), 1, "the other market goes on");
	ok(venue.count[WIRE_SNAPSHOT] == 1 && venue.count[WIRE_SUBSCRIBE] == 1, "one snapshot is asked for");
	host.count = 0;
	say_book(0);
	world_pass_ms(1000);
	is_int(times(TOLD_BOOK, ANY), 0, "changes without it mean nothing");
	venue.mute[WIRE_SNAPSHOT] = false;
	world_pass_ms(1500);
	is_int(venue.count[WIRE_SNAPSHOT], 2, "it is asked for again");
	ok(venue.snapshot_market == 0 && first(TOLD_BOOK, TG_BOOK_SNAPSHOT)->levels == 2, "and the book is back");
	host.count = 0;
	say_book(0);
	venue.sequence[0]--;
	say_book(0);
	world_pass_ms(30);
	is_int(times(TOLD_BOOK, ANY), 1, "what comes again is told once");

	host.count = 0;
	venue.sequence[1]++;
	struct wire_book wrong = book_now(1);
	wrong.checksum++;
	say(WIRE_BOOK, 0, &wrong);
	world_pass_ms(100);
	ok(times(TOLD_BOOK, TG_BOOK_SNAPSHOT) == 2 && first(TOLD_BOOK, ANY)->levels == 0 && venue.snapshot_market == 1,
	   "a checksum that is wrong: the same");
	host.count = 0;
	venue.sequence[2]++;
	say_book(2);
	world_pass_ms(30);
	is_int(times(TOLD_BOOK, ANY), 0, "a market that nobody subscribed is not told of");
	is_int(venue.connections, 1, "all that on one connection");
	teardown();
}

static void test_filters(void)
{
	setup_up(NULL, 0);
	venue.version[1]++;
	say_instrument(1);
	world_pass_ms(30);
	ok(times(TOLD_INSTRUMENT, ANY) == 1 && first(TOLD_INSTRUMENT, ANY)->number == 2, "a market's change is told");
	is_int(times(TOLD_BOOK, ANY), 0, "its book means what it meant");
	say_book(1);
	world_pass_ms(30);
	is_int(times(TOLD_BOOK, 0), 1, "and goes on");
	is_int(place(1, NULL), TG_PENDING, "orders are sized for the new one");
	host.count = 0;
	venue.version[1]++;
	venue.tick[1] = 5;
	say_instrument(1);
	say_instrument(1);
	world_pass_ms(100);
	is_int(times(TOLD_INSTRUMENT, ANY), 1, "told once");
	ok(times(TOLD_BOOK, TG_BOOK_SNAPSHOT) == 2 && venue.count[WIRE_SNAPSHOT] == 1,
	   "another tick: the book begins anew");
	teardown();
}

static void test_balances(void)
{
	setup_up(NULL, 0);
	say_balance("Q", 7, 0);
	say_balance("Q", 6, 1);
	world_pass_ms(30);
	ok(times(TOLD_BALANCE, 'Q') == 1 && first(TOLD_BALANCE, 'Q')->number == 7, "an older balance is not told");
	teardown();
	setup(NULL, 0);
	venue.balances_refused = 2;
	host.api->start(host.self, NULL);
	world_run(6000 * MS);
	ok(times(TOLD_LINK, TG_LINK_UP) == 1 && venue.count[WIRE_BALANCES] == 3, "what is refused is asked again");
	teardown();
}

/* The link was lost after `from` and is back: in what order, how soon? */
static void check_back(const char *what, int64_t from_ns, int64_t down_least_ms, int64_t down_most_ms)
{
	const struct told_event *down = first(TOLD_LINK, TG_LINK_DOWN), *up = first(TOLD_LINK, TG_LINK_UP);
	int64_t ms = (down->at_ns - from_ns) / MS;
	ok(down->at_ns > 0 && ms >= down_least_ms && ms <= down_most_ms, "%s: the link is down after %lld ms", what,
	   (long long)ms);
	ok(up > down && times(TOLD_LINK, ANY) == 2, "and up again");
	is_int(venue.connections, 2, "on a new connection");
	is_int(venue.count[WIRE_SUBSCRIBE], 2, "with all that was subscribed");
	ok(times(TOLD_DONE, TG_ERR_UNKNOWN_OUTCOME) == 1 && times(TOLD_DONE, ANY) == 2,
	   "the order's outcome is unknown, the question has an answer");
}

static void ask_two(void)
{
	venue.replies = 0;
	venue.mute[WIRE_QUERY] = true;
	place(1, NULL);
	query(2, NULL);
}

static void test_nonsense(void)
{
	setup_up(NULL, 0);
	ask_two();
	int64_t from_ns = world_ns();
	stream_send_venue(venue.stream, (const uint8_t *)"this is no frame at all", 23);
	world_pass_ms(5000);
	check_back("nonsense", from_ns, 0, 30);
	is_int(times(TOLD_DONE, TG_ERR_IO), 1, "that it was lost");
	host.count = 0;
	say_book(0);
	world_pass_ms(30);
	is_int(times(TOLD_BOOK, 0), 1, "books go on");
	teardown();
}

static void test_impossible(void)
{
	static struct {
		const char *what;
		enum wire_type type;
		uint16_t flags;
		union wire_payload payload;
	} cases[] = {
		{"a book of no market", WIRE_BOOK, WIRE_BOOK_FULL, {.BOOK = {.market = MARKETS}}},
		{"a beginning without levels", WIRE_BOOK, WIRE_BOOK_BEGIN, {.BOOK = {.market = 0}}},
		{"an order of no kind", WIRE_ORDER, 0, {.ORDER = {.kind = 9}}},
		{"an order of no market", WIRE_ORDER, 0, {.ORDER = {.kind = 1, .market = MARKETS}}},
		{"a market too far", WIRE_INSTRUMENT, 0, {.INSTRUMENT = {.market = MARKETS + 1}}},
		{"a pong before its ping", WIRE_PONG, 0, {.PONG = {INT64_MAX, 1}}},
		{"a request", WIRE_PING, 0, {.PING = {1}}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		setup_up(NULL, 0);
		say(cases[i].type, cases[i].flags, &cases[i].payload);
		world_pass_ms(5000);
		ok(times(TOLD_LINK, TG_LINK_DOWN) == 1 && venue.connections == 2, "%s ends the connection",
		   cases[i].what);
		teardown();
	}
}

static void test_dead_ways(void)
{
	const struct fault_event silent = {.kind = FAULT_LINK_SILENT, .arg = 1000};
	const struct fault_event half = {.kind = FAULT_LINK_HALF_OPEN, .arg = 1000};
	const struct fault_event cut = {.kind = FAULT_LINK_CUT};
	setup_up(&silent, 1);
	ask_two();
	int64_t from_ns = world_ns();
	network_second(world.network);
	world_pass_ms(20000);
	check_back("a silent link", from_ns, 5000, 10000);
	teardown();

	setup_up(&half, 1);
	ask_two();
	from_ns = world_ns();
	network_second(world.network);
	for (int i = 0; i < 200; i++) {
		say_book(0); /* books keep coming all the time */
		world_pass_ms(100);
	}
	check_back("a half-open link", from_ns, 5000, 10000);
	teardown();

	setup_up(&cut, 1);
	ask_two();
	from_ns = world_ns();
	network_second(world.network);
	world_pass_ms(5000);
	check_back("a link that was cut", from_ns, 0, 30);
	teardown();
}

static void test_backoff(void)
{
	setup(NULL, 0);
	network_listen(world.network, 0, NULL, NULL);
	host.api->start(host.self, NULL);
	world_run(60000 * MS);
	is_int(times(TOLD_LINK, ANY), 0, "a link that never was up is not told down");
	uint64_t tries = trace_lines(world.ground.trace);
	ok(tries >= 9 && tries <= 18, "it is tried again, ever more seldom: %d times in a minute", (int)tries);
	network_listen(world.network, 0, venue_accept, NULL);
	world_run(75000 * MS);
	is_int(times(TOLD_LINK, TG_LINK_UP), 1, "until it works");
	teardown();
}

static void test_limit(void)
{
	struct tg_error error = tg_error_init();
	uint32_t orders = 0, questions = 0;
	setup_up(NULL, 0);
	world_pass_ms(2000);
	while (orders < 100 && place(orders, &error) == TG_PENDING)
		orders++;
	is_int(orders, CONNECTOR_REQUESTS_PER_SECOND - 5, "orders leave look-ups some of the limit");
	is_int(error.code, TG_ERR_RATE_LIMITED, "then they are refused");
	is_int(error.retry_after_ns / MS, 1100, "with the time to wait");
	while (questions < 100 && query(100 + questions, &error) == TG_PENDING)
		questions++;
	is_int(questions, 5, "which look-ups use");
	is_int(error.code, TG_ERR_RATE_LIMITED, "and no more");
	world_pass_ms(1099);
	is_int(place(200, &error), TG_ERR_RATE_LIMITED, "a moment too soon");
	world_pass_ms(1);
	is_int(place(200, &error), TG_PENDING, "in time");
	world_pass_ms(60);
	is_int(times(TOLD_DONE, TG_OK), orders + questions + 1, "all have their answers");
	teardown();
}

static void test_turned_away(void)
{
	struct tg_error error = tg_error_init();
	setup_up(NULL, 0);
	venue.turn_away =
		(struct wire_reply){.status = TG_ERR_RATE_LIMITED, .exchange_code = 429, .retry_after_ms = 30000};
	place(1, NULL);
	world_pass_ms(60);
	const struct told_event *done = first(TOLD_DONE, ANY);
	ok(done->code == TG_ERR_RATE_LIMITED && done->retry_after_ns == 30000 * MS, "the venue's wish is passed on");
	memset(&venue.turn_away, 0, sizeof venue.turn_away);
	uint32_t heard = venue.count[WIRE_PLACE] + venue.count[WIRE_QUERY] + venue.count[WIRE_BALANCES];
	for (int i = 0; i < 29; i++) {
		world_pass_ms(1000);
		place(2, &error);
		query(3, &error);
	}
	ok(error.code == TG_ERR_RATE_LIMITED && error.retry_after_ns < 2000 * MS, "and kept");
	is_int(venue.count[WIRE_PLACE] + venue.count[WIRE_QUERY] + venue.count[WIRE_BALANCES], heard,
	       "nothing is asked in that time, not even by the connector itself");
	is_int(times(TOLD_LINK, ANY), 0, "the link is as it was");
	world_pass_ms(1000);
	is_int(place(2, NULL), TG_PENDING, "then it goes on");
	world_pass_ms(60);
	teardown();
}

/* No second within which the venue hears more than the limit, whatever happens. */
static void test_limit_across_connections(void)
{
	setup_up(NULL, 0);
	for (uint64_t i = 0; i < 15; i++)
		place(i, NULL);
	uint32_t before = venue.count[WIRE_INSTRUMENTS];
	stream_close_venue(venue.stream);
	venue.stream = NULL;
	for (uint64_t i = 0; i < 5; i++)
		query(i, NULL);
	world_pass_ms(900);
	is_int(venue.count[WIRE_INSTRUMENTS], before, "a new connection has no limit of its own");
	world_pass_ms(1000);
	is_int(venue.count[WIRE_INSTRUMENTS], before + 1, "it waits its time");
	teardown();
}

static void test_stop(void)
{
	setup_up(NULL, 0);
	place(1, NULL);
	query(2, NULL);
	host_stop();
	int count = host.count;
	world_pass_ms(20000);
	is_int(host.count, count, "after a stop nothing is told");
	is_int(place(3, NULL), TG_ERR_CLOSED, "nor asked");
	teardown();

	setup_up(NULL, 0);
	host.stop_on_fill = true;
	place(1, NULL);
	world_pass_ms(20000);
	is_int(times(TOLD_ORDER, TG_ORDER_FILLED), 0, "even if it comes inside of an event");
	teardown();
}

static void test_no_timers(void)
{
	setup(NULL, 0);
	host.timers_left = 0;
	is_int(host.api->start(host.self, NULL), TG_ERR_LIMIT, "no timer, no start");
	teardown();

	setup_up(NULL, 0);
	ask_two();
	host.timers_left = 0;
	world_pass_ms(20000);
	is_int(times(TOLD_LINK, TG_LINK_DOWN), 1, "none left later: the link is down");
	ok(times(TOLD_DONE, ANY) == 2, "all is answered");
	is_int(place(3, NULL), TG_ERR_CLOSED, "and that was all");
	teardown();
}

static const void *no_extension(const struct tg_host *unused, struct tg_str id)
{
	(void)unused, (void)id;
	return NULL;
}

static void test_plugin(void)
{
	const struct tg_host poor = {sizeof poor, TG_ABI_MAJOR, TG_ABI_MINOR, NULL, no_extension};
	const struct tg_exchange_api *api = connector_entry.api;
	struct tg_error error = tg_error_init();
	struct registry *registry;
	void *self = NULL;
	is_int(api->create(&poor, NULL, &events, &self, &error), TG_ERR_UNSUPPORTED, "a host that lends nothing: %s",
	       error.message);
	api->destroy(NULL);
	if (registry_create(NULL, 0, &registry))
		abort();
	is_int(registry_add(registry, &connector_entry, connector_manifest, &error), TG_OK,
	       "the manifest and the entry are sound %s", error.code == TG_ERR_UNSUPPORTED ? "" : error.message);
	registry_destroy(registry);
}

/* Two lives that are the same in all but nothing: the same news at the same nanoseconds. */
static uint64_t digest_of_a_life(void)
{
	const struct fault_event faults[] = {{.kind = FAULT_FRAME_CUT, .skip = 3, .arg = 300},
					     {.kind = FAULT_LINK_CUT},
					     {.kind = FAULT_GARBAGE, .at_ns = 6000 * MS, .arg = 9}};
	uint64_t digest = 0;
	setup_up(faults, 3);
	ask_two();
	network_second(world.network);
	world_pass_ms(20000);
	for (int i = 0; i < host.count; i++)
		digest = digest * 1099511628211U ^ (uint64_t)host.log[i].at_ns ^ (uint64_t)host.log[i].what << 60;
	host_stop();
	host.api->destroy(host.self);
	world_end();
	return digest;
}

int main(void)
{
	test_plugin();
	test_begin();
	test_order();
	test_refused_calls();
	test_answers();
	test_books();
	test_filters();
	test_balances();
	test_nonsense();
	test_impossible();
	test_dead_ways();
	test_backoff();
	test_limit();
	test_turned_away();
	test_limit_across_connections();
	test_stop();
	test_no_timers();
	ok(digest_of_a_life() == digest_of_a_life(), "the same again, to the nanosecond");
	return tap_done();
}
