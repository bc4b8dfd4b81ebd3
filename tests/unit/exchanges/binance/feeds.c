/* Subscriptions over connections: batches, pace, answers, loss, and succession before the 24 hours are over. */
#include "exchanges/binance/feeds.h"

#include "tests/tap.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)

static struct routes routes;

/* The other side: connections that answer what they are sent. */
struct side {
	bool open[FEED_LINKS_MAX];
	uint32_t opens, closes, sends;
	uint32_t streams[FEED_LINKS_MAX]; /* subscribed on this connection */
	int64_t sent_ns[FEED_LINKS_MAX];
	int64_t id[FEED_LINKS_MAX]; /* of the request that is not answered */
	uint32_t asked[FEED_LINKS_MAX];
	uint32_t too_fast, too_many;
	uint32_t up; /* markets that are told to be coming */
	uint32_t lost;
	bool is_up[BINANCE_MARKETS_MAX];
	uint32_t mistold;
	char text[32768];
};

static struct side side;

static uint32_t names_count(const char *text)
{
	uint32_t count = 0;
	while ((text = strstr(text, "@depth@100ms"))) {
		text++;
		count++;
	}
	return count;
}

static void send_take(const struct feed_action *action, int64_t now_ns)
{
	uint32_t link = action->link;
	if (side.sends++ && now_ns - side.sent_ns[link] < 200 * MS && side.sent_ns[link])
		side.too_fast++;
	side.sent_ns[link] = now_ns;
	memcpy(side.text, action->bytes, action->count);
	side.text[action->count] = '\0';
	side.asked[link] = names_count(side.text);
	side.id[link] = strtoll(strrchr(side.text, ':') + 1, NULL, 10);
	side.too_many += side.streams[link] + side.asked[link] > FEED_STREAMS_MAX || !side.open[link];
}

static void markets_take(const struct feed_action *action)
{
	bool up = action->kind == FEED_UP;
	for (uint32_t i = 0; i < action->market_count; i++) {
		side.mistold += side.is_up[action->markets[i]] == up;
		side.is_up[action->markets[i]] = up;
	}
	side.up += up ? action->market_count : -action->market_count;
	side.lost += up ? 0 : action->market_count;
}

/* All that is to be done at this time; connections open at once if `opens`. */
static void actions_take(struct feeds *feeds, int64_t now_ns, bool opens)
{
	struct feed_action action;
	while (feeds_next(feeds, now_ns, &action)) {
		switch (action.kind) {
		case FEED_OPEN:
			side.opens++;
			side.open[action.link] = opens;
			if (opens)
				feeds_opened(feeds, action.link, now_ns);
			break;
		case FEED_SEND: send_take(&action, now_ns); break;
		case FEED_CLOSE:
			side.closes++;
			side.open[action.link] = false;
			side.streams[action.link] = 0;
			break;
		default: markets_take(&action);
		}
	}
}

static void answer(struct feeds *feeds, uint32_t link, bool good, int64_t now_ns)
{
	struct reply reply = {.ok = good, .id = side.id[link]};
	if (side.id[link] == 0)
		return;
	side.streams[link] += good ? side.asked[link] : 0;
	side.id[link] = 0;
	feeds_reply(feeds, link, &reply, now_ns);
}

static bool answer_all(struct feeds *feeds, int64_t now_ns)
{
	bool any = false;
	for (uint32_t link = 0; link < FEED_LINKS_MAX; link++) {
		any |= side.id[link] != 0;
		answer(feeds, link, true, now_ns);
	}
	return any;
}

/* Runs until this time, answering everything. */
static int64_t run_until(struct feeds *feeds, int64_t now_ns, int64_t until_ns)
{
	while (now_ns < until_ns) {
		do
			actions_take(feeds, now_ns, true);
		while (answer_all(feeds, now_ns));
		int64_t wake_ns = feeds_wake(feeds);
		now_ns = wake_ns > now_ns && wake_ns < until_ns ? wake_ns : until_ns;
	}
	return now_ns;
}

static struct feeds *feeds_new(uint32_t count)
{
	struct feeds *feeds;
	memset(&side, 0, sizeof side);
	if (feeds_create(&routes, "depth@100ms", &feeds) != TG_OK)
		abort();
	for (uint32_t i = 0; i < count; i++)
		if (feeds_add(feeds, i) != TG_OK)
			abort();
	return feeds;
}

static void lose(struct feeds *feeds, uint32_t link)
{
	side.open[link] = false;
	side.streams[link] = side.asked[link] = 0;
	side.id[link] = side.sent_ns[link] = 0;
	feeds_closed(feeds, link);
}

static void test_text(void)
{
	struct feeds *feeds = feeds_new(2);
	is_int(feeds_add(feeds, 1), TG_ERR_EXISTS, "a market is subscribed once");
	actions_take(feeds, SECOND, true);
	is_str(side.text,
	       "{\"method\":\"SUBSCRIBE\",\"params\":[\"m0usdt@depth@100ms\",\"\xe5\xb8\x81usdt@depth@100ms\"],\"id\":1}",
	       "the words of a subscription");
	ok(side.up == 0, "nothing comes before the answer");
	answer(feeds, 0, true, SECOND);
	actions_take(feeds, SECOND, true);
	ok(side.up == 2 && feeds_wake(feeds) == SECOND + FEED_LIFE_NS, "then both do");
	feeds_add(feeds, 2);
	actions_take(feeds, 2 * SECOND, true);
	is_int(side.asked[0], 1, "one more is asked for alone");
	feeds_destroy(feeds);
}

static void test_many(void)
{
	struct feeds *feeds = feeds_new(3000);
	int64_t now = run_until(feeds, SECOND, 3 * SECOND);
	ok(side.opens == 3 && side.up == 3000 && side.sends == 6 + 6 + 5,
	   "3,000 markets over 3 connections in %u messages", side.sends);
	ok(side.streams[0] == 1024 && side.streams[2] == 1024 && side.streams[4] == 952, "within the limit of each");
	ok(side.too_fast == 0 && side.too_many == 0, "and not faster than allowed");
	lose(feeds, 2);
	actions_take(feeds, now, true);
	ok(side.up == 3000 - 1024 && side.is_up[0] && !side.is_up[1024] && side.is_up[2048],
	   "a lost connection loses its own");
	now = run_until(feeds, now, now + 5 * SECOND);
	ok(side.up == 3000 - 1024 && side.opens == 3, "until the host has opened it again");
	side.open[2] = true;
	feeds_opened(feeds, 2, now);
	run_until(feeds, now, now + 5 * SECOND);
	ok(side.up == 3000 && side.streams[2] == 1024 && side.mistold == 0, "then all is subscribed anew");
	feeds_destroy(feeds);
}

static void test_answers(void)
{
	struct feeds *feeds = feeds_new(300);
	actions_take(feeds, SECOND, true);
	answer(feeds, 0, false, SECOND);
	actions_take(feeds, 2 * SECOND, true);
	ok(side.id[0] == 0 && feeds_refused(feeds) == 1, "what is refused waits");
	actions_take(feeds, SECOND + FEED_REFUSED_NS, true);
	is_int(side.id[0], 2, "and is asked for again");
	struct reply late = {.ok = true, .id = 1};
	feeds_reply(feeds, 0, &late, 7 * SECOND);
	actions_take(feeds, 7 * SECOND, true);
	is_int(side.up, 0, "an answer to what was given up is none");
	actions_take(feeds, 6 * SECOND + FEED_REPLY_NS, true);
	ok(side.id[0] == 3 && feeds_refused(feeds) == 2, "without an answer it is sent again");
	run_until(feeds, 20 * SECOND, 30 * SECOND);
	is_int(side.up, 300, "and comes in the end");
	feeds_destroy(feeds);
}

static void test_succession(void)
{
	struct feeds *feeds = feeds_new(1500);
	int64_t now = run_until(feeds, SECOND, 22 * HOUR);
	ok(side.opens == 2 && side.closes == 0, "nothing happens for 22 hours");
	run_until(feeds, now, 23 * HOUR - 4 * 60 * SECOND);
	ok(side.opens == 3 && side.closes == 1 && side.open[3] && side.streams[3] == 476,
	   "then the second is succeeded");
	actions_take(feeds, SECOND + FEED_LIFE_NS, false);
	ok(side.opens == 4 && side.up == 1500, "the successor of the first does not open yet: no hole");
	now = SECOND + FEED_LIFE_NS + 60 * SECOND;
	ok(!feeds_is_doubled(feeds, 0) && feeds_is_doubled(feeds, 1), "the older one counts");
	side.open[1] = true;
	feeds_opened(feeds, 1, now);
	for (; side.streams[1] < 1024; now += 250 * MS) {
		actions_take(feeds, now, true);
		answer(feeds, 1, true, now);
	}
	actions_take(feeds, now, true);
	ok(side.open[0], "it has subscribed: the older one goes on");
	feeds_delivered(feeds, 1);
	actions_take(feeds, now, true);
	actions_take(feeds, now + FEED_OVERLAP_NS - MS, true);
	ok(side.open[0], "it delivers: for a moment both do");
	actions_take(feeds, now + FEED_OVERLAP_NS, true);
	ok(!side.open[0] && side.closes == 2 && !feeds_is_doubled(feeds, 1), "then the older one goes");
	ok(side.lost == 0 && side.up == 1500 && side.mistold == 0, "no market was lost for a moment");
	run_until(feeds, now + 3 * SECOND, now + 47 * HOUR);
	ok(side.closes == 6 && side.lost == 0 && side.up == 1500, "and so on, day by day (%u)", side.closes);
	uint32_t leaving = side.open[0] ? 0 : 1;
	feeds_leave(feeds, leaving);
	run_until(feeds, now + 47 * HOUR, now + 47 * HOUR + 60 * SECOND);
	ok(side.closes == 7 && side.open[!leaving] && !side.open[leaving] && side.lost == 0,
	   "a server that is about to close it is left at once");
	feeds_destroy(feeds);
}

/* The older one is lost while its successor is on the way. */
static void test_lost_in_succession(void)
{
	struct feeds *feeds = feeds_new(500);
	run_until(feeds, SECOND, 2 * SECOND);
	int64_t now = SECOND + FEED_LIFE_NS;
	actions_take(feeds, now, true);
	answer(feeds, 1, true, now);
	lose(feeds, 0);
	actions_take(feeds, now, true);
	ok(side.up == 200 && side.is_up[0] && !side.is_up[200], "what the successor has subscribed goes on");
	ok(!feeds_is_doubled(feeds, 1), "and now it counts");
	run_until(feeds, now, now + 60 * SECOND);
	ok(side.up == 500 && side.closes == 1 && side.open[1] && side.mistold == 0, "it takes over");
	feeds_destroy(feeds);
}

static void test_replies(void)
{
	static const struct {
		const char *text;
		int status;
		bool ok;
		int64_t id, code;
		const char *message;
	} CASES[] = {
		{"{\"result\":null,\"id\":7}", TG_OK, true, 7, 0, ""},
		{"{\"id\":7,\"result\":[\"a@depth\"]}", TG_OK, true, 7, 0, ""},
		{"{\"error\":{\"code\":2,\"msg\":\"Invalid request\"},\"id\":7}", TG_OK, false, 7, 2,
		 "Invalid request"},
		{"{\"code\":3,\"msg\":\"Invalid JSON\"}", TG_OK, false, 0, 3, "Invalid JSON"},
		{"{\"code\":3,\"id\":\"x\"}", TG_OK, false, 0, 3, "no message"},
		{"{\"result\":null,\"id\":99999999999999999999999}", TG_OK, true, 0, 0, ""},
		{"{\"result\":null,\"id\":1} 2", TG_ERR_INVALID, false, 0, 0, ""},
		{"{\"id\":1,\"id\":2,\"result\":null}", TG_ERR_INVALID, false, 0, 0, ""},
		{"[]", TG_ERR_INVALID, false, 0, 0, ""},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct reply reply = {0};
		struct tg_error error = {.size = sizeof error};
		int status = reply_read((const uint8_t *)CASES[i].text, strlen(CASES[i].text), &reply, &error);
		ok(status == CASES[i].status && reply.ok == CASES[i].ok && reply.id == CASES[i].id &&
			   reply.code == CASES[i].code && strcmp(reply.message, CASES[i].message) == 0,
		   "%s", CASES[i].text);
	}
}

int main(void)
{
	for (int i = 0; i < 3000; i++) {
		char symbol[32];
		snprintf(symbol, sizeof symbol, i == 1 ? "\xe5\xb8\x81USDT" : "M%dUSDT", i);
		routes_add(&routes, (struct tg_str){symbol, strlen(symbol)});
	}
	test_text();
	test_many();
	test_answers();
	test_succession();
	test_lost_in_succession();
	test_replies();
	return tap_done();
}
