/* Books from snapshots and updates: by hand, over a link that loses, doubles and turns frames round, and from a
 * recording beside a simple decoder of its own. Whatever happens, the host's book is the true one of its sequence, or
 * empty. */
#include "exchanges/binance/depth.h"

#include "exchanges/binance/ladder.h"
#include "exchanges/binance/quotes.h"
#include "tests/tap.h"
#include "tests/unit/exchanges/binance/truth.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

static struct routes routes;
static struct frame frame, answer;

/* ---- the host's book: what events make of it, LADDER_VIEW levels a side ---- */

struct host {
	struct ladder_view view;
	uint64_t sequence;
	uint32_t events;
	uint32_t broken; /* events that the host would have refused */
};

static struct host host[64];

static void side_change(struct tg_level *level, uint32_t *count, int64_t sign, struct tg_level change)
{
	uint32_t at = 0;
	while (at < *count && sign * level[at].price > sign * change.price)
		at++;
	bool held = at < *count && level[at].price == change.price;
	if (change.qty == 0 && held) {
		memmove(&level[at], &level[at + 1], (--*count - at) * sizeof *level);
	} else if (held) {
		level[at] = change;
	} else if (change.qty && at < LADDER_VIEW) {
		*count += *count < LADDER_VIEW;
		memmove(&level[at + 1], &level[at], (*count - at - 1) * sizeof *level);
		level[at] = change;
	}
}

static void book_take(void *ctx, const struct tg_book_event *event)
{
	struct host *to = &((struct host *)ctx)[event->market];
	to->events++;
	to->broken += event->version != routes.route[event->market].version;
	if (event->flags & TG_BOOK_SNAPSHOT)
		to->view.bid_count = to->view.ask_count = 0;
	else
		to->broken += event->sequence <= to->sequence;
	to->sequence = event->sequence;
	for (uint32_t i = 0; i < event->bid_count; i++)
		side_change(to->view.bids, &to->view.bid_count, 1, event->bids[i]);
	for (uint32_t i = 0; i < event->ask_count; i++)
		side_change(to->view.asks, &to->view.ask_count, -1, event->asks[i]);
}

static struct depth *depth_new(uint32_t fetches, uint32_t limit)
{
	struct depth_options options = {&routes, host, book_take, fetches, limit};
	struct depth *depth;
	memset(host, 0, sizeof host);
	if (depth_create(&options, &depth) != TG_OK)
		abort();
	return depth;
}

static bool host_is_empty(uint32_t market)
{
	return host[market].view.bid_count == 0 && host[market].view.ask_count == 0;
}

/* ---- by hand: a book whose bids are 100 and down, asks 101 and up ---- */

static void snapshot_send(struct depth *depth, const struct depth_fetch *fetch, uint64_t id, int64_t now_ns)
{
	answer.kind = FRAME_SNAPSHOT;
	answer.market = fetch->market;
	answer.last_id = id;
	answer.left_out = 0;
	answer.bid_count = answer.ask_count = 2;
	for (int i = 0; i < 2; i++) {
		answer.bids[i] = (struct tg_level){100 - i, 10};
		answer.asks[i] = (struct tg_level){101 + i, 10};
	}
	depth_snapshot(depth, fetch->id, &answer, now_ns);
}

static void update_send(struct depth *depth, uint32_t market, uint64_t first, uint64_t last, int64_t bid_qty,
			int64_t now_ns, bool doubled)
{
	frame.kind = FRAME_UPDATE;
	frame.market = market;
	frame.first_id = first;
	frame.last_id = last;
	frame.bid_count = 1;
	frame.ask_count = 0;
	frame.bids[0] = (struct tg_level){100, bid_qty};
	depth_update(depth, &frame, now_ns, doubled);
}

static void test_rule(void)
{
	struct depth *depth = depth_new(4, 100);
	struct depth_fetch fetch, none;
	ok(!depth_fetch(depth, 0, &fetch) && depth_wake(depth) == INT64_MAX, "nothing is wanted at first");
	update_send(depth, 0, 5, 6, 1, 0, false);
	depth_open(depth, 0, 0);
	is_int(depth_wake(depth), 0, "an opened market wants a snapshot");
	ok(depth_fetch(depth, 0, &fetch) && fetch.market == 0 && fetch.limit == 100, "that is asked for");
	ok(!depth_fetch(depth, 0, &none), "once");
	update_send(depth, 0, 11, 12, 1, MS, false);
	update_send(depth, 0, 13, 15, 2, MS, false);
	ok(!depth_is_live(depth, 0) && host[0].events == 0, "updates wait");
	snapshot_send(depth, &fetch, 9, MS);
	is_int(depth_counts(depth).old, 1, "a snapshot from before the first update is too old");
	is_int(depth_wake(depth), MS + DEPTH_BACKOFF_NS, "another is due later");
	ok(!depth_fetch(depth, MS, &none) && depth_fetch(depth, SECOND, &fetch), "and comes then");
	snapshot_send(depth, &fetch, 12, SECOND);
	ok(depth_is_live(depth, 0) && host[0].sequence == 15 && host[0].view.bids[0].qty == 2,
	   "what waited is applied");
	update_send(depth, 0, 14, 15, 7, SECOND, false);
	is_int(host[0].view.bids[0].qty, 2, "a repetition is passed over");
	update_send(depth, 0, 15, 16, 3, SECOND, false);
	ok(host[0].view.bids[0].qty == 3 && host[0].sequence == 16, "one that overlaps is not");
	update_send(depth, 0, 18, 18, 4, SECOND, true);
	ok(depth_is_live(depth, 0) && host[0].sequence == 16, "a second connection that is ahead makes no gap");
	update_send(depth, 0, 17, 17, 5, SECOND, false);
	update_send(depth, 0, 18, 18, 4, SECOND, true);
	is_int(host[0].sequence, 18, "what it was ahead with comes again");
	update_send(depth, 0, 20, 21, 6, SECOND, false);
	ok(!depth_is_live(depth, 0) && host_is_empty(0) && depth_counts(depth).gaps == 1, "a gap empties the book");
	ok(!depth_fetch(depth, SECOND, &fetch) && depth_fetch(depth, 2 * SECOND, &fetch), "another snapshot, later");
	snapshot_send(depth, &fetch, 19, 2 * SECOND);
	ok(!depth_is_live(depth, 0), "one older than what was seen before it is too old");
	ok(depth_fetch(depth, 4 * SECOND, &fetch), "once more");
	snapshot_send(depth, &fetch, 21, 4 * SECOND);
	ok(depth_is_live(depth, 0), "a younger one is not");
	depth_lost(depth, 0);
	ok(!depth_is_live(depth, 0) && host_is_empty(0) && depth_wake(depth) == INT64_MAX,
	   "a lost one is empty, and left");
	is_int(host[0].broken, 0, "the host refused nothing");
	depth_destroy(depth);
}

static void test_trouble(void)
{
	struct depth *depth = depth_new(1, 100);
	struct depth_fetch fetch, second;
	depth_open(depth, 0, 0);
	depth_open(depth, 1, 0);
	ok(depth_fetch(depth, 0, &fetch) && !depth_fetch(depth, 0, &second),
	   "one fetch at a time where one is allowed");
	depth_failed(depth, fetch.id, 3 * SECOND, 0);
	ok(!depth_fetch(depth, SECOND, &second) && depth_wake(depth) == 3 * SECOND, "a 429 holds all of them");
	ok(depth_fetch(depth, 3 * SECOND, &second) && second.market == 1, "who waited is next");
	snapshot_send(depth, &fetch, 5, 3 * SECOND);
	ok(!depth_is_live(depth, 0), "an answer to what is over is ignored");
	snapshot_send(depth, &second, 5, 3 * SECOND);
	ok(depth_is_live(depth, 1), "the other is live");
	depth_refuse(depth, 1, 4 * SECOND);
	ok(!depth_is_live(depth, 1) && host_is_empty(1), "a broken frame empties the book");
	ok(depth_fetch(depth, 4 * SECOND, &fetch) && fetch.market == 0, "the failed one again");
	answer.bids[0] = (struct tg_level){100, 1};
	answer.bids[1] = (struct tg_level){100, 1};
	answer.kind = FRAME_SNAPSHOT;
	answer.market = 0;
	depth_snapshot(depth, fetch.id, &answer, 4 * SECOND);
	ok(!depth_is_live(depth, 0) && depth_counts(depth).failed == 2, "an unsorted snapshot is none");
	ok(depth_fetch(depth, 60 * SECOND, &fetch), "again");
	if (fetch.market == 1) {
		snapshot_send(depth, &fetch, 50, 60 * SECOND);
		ok(depth_fetch(depth, 60 * SECOND, &fetch), "and the other");
	}
	snapshot_send(depth, &fetch, 10, 60 * SECOND);
	update_send(depth, 0, 11, 11, 9, 60 * SECOND, false);
	frame.asks[0] = (struct tg_level){100, 5};
	frame.ask_count = 1;
	frame.bid_count = 0;
	frame.first_id = frame.last_id = 12;
	depth_update(depth, &frame, 60 * SECOND, false);
	ok(!depth_is_live(depth, 0) && depth_counts(depth).crossed == 1, "a crossed book is not believed");
	depth_rescale(depth, 0, true, 60 * SECOND);
	routes.route[0].version++;
	ok(depth_fetch(depth, 100 * SECOND, &fetch), "fetched again after new filters");
	snapshot_send(depth, &fetch, 12, 100 * SECOND);
	uint32_t events = host[0].events;
	routes.route[0].version++;
	depth_rescale(depth, 0, false, 100 * SECOND);
	ok(depth_is_live(depth, 0) && host[0].events == events + 1 && host[0].broken == 0,
	   "other terms: the same book under the new version");
	update_send(depth, 0, 3, 4, 9, 101 * SECOND, false);
	ok(depth_is_live(depth, 0), "late ids are repetitions");
	update_send(depth, 0, UINT64_MAX, UINT64_MAX, 9, 101 * SECOND, false);
	ok(!depth_is_live(depth, 0), "absurd ones are a gap");
	for (int64_t now = 200 * SECOND; now < 400 * SECOND && !depth_is_live(depth, 0); now += SECOND)
		if (depth_fetch(depth, now, &fetch))
			snapshot_send(depth, &fetch, 20, now);
	ok(depth_is_live(depth, 0), "that are forgotten");
	depth_destroy(depth);
}

/* ---- over a link that is as bad as can be ---- */

#define TRAIN 64

struct letter {
	int64_t due_ns;
	uint64_t first_id, last_id;
	uint32_t bid_count, ask_count;
	bool used;
	struct tg_level bids[64], asks[64];
};

struct post {
	struct letter letter[TRAIN];
	struct depth_fetch fetch[8];
	int64_t answer_ns[8];
	uint32_t fetch_count;
};

static void letter_post(struct post *post, int64_t due_ns)
{
	for (uint32_t i = 0; i < TRAIN; i++) {
		struct letter *letter = &post->letter[i];
		if (letter->used)
			continue;
		*letter = (struct letter){due_ns,          frame.first_id, frame.last_id, frame.bid_count,
					  frame.ask_count, true,           {{0}},         {{0}}};
		memcpy(letter->bids, frame.bids, frame.bid_count * sizeof *frame.bids);
		memcpy(letter->asks, frame.asks, frame.ask_count * sizeof *frame.asks);
		return;
	}
}

static void letter_deliver(struct depth *depth, struct letter *letter, int64_t now_ns)
{
	letter->used = false;
	frame.kind = FRAME_UPDATE;
	frame.market = 0;
	frame.first_id = letter->first_id;
	frame.last_id = letter->last_id;
	frame.bid_count = letter->bid_count;
	frame.ask_count = letter->ask_count;
	memcpy(frame.bids, letter->bids, sizeof letter->bids);
	memcpy(frame.asks, letter->asks, sizeof letter->asks);
	depth_update(depth, &frame, now_ns, false);
}

/* The letters that are due, the earliest first. */
static void letters_deliver(struct depth *depth, struct post *post, int64_t now_ns)
{
	for (;;) {
		struct letter *next = NULL;
		for (uint32_t i = 0; i < TRAIN; i++) {
			struct letter *letter = &post->letter[i];
			if (letter->used && letter->due_ns <= now_ns && (!next || letter->due_ns < next->due_ns))
				next = letter;
		}
		if (!next)
			return;
		letter_deliver(depth, next, now_ns);
	}
}

/* A snapshot is taken when it is asked for or later, from a copy that may lag behind, and may be lost. */
static void answers_deliver(struct depth *depth, struct post *post, struct truth *truth, const struct truth *lagging,
			    uint32_t faults, int64_t now_ns)
{
	struct depth_fetch fetch;
	while (post->fetch_count < 8 && depth_fetch(depth, now_ns, &fetch)) {
		post->answer_ns[post->fetch_count] = now_ns + (int64_t)truth_random(truth, 300) * MS;
		post->fetch[post->fetch_count++] = fetch;
	}
	for (uint32_t i = 0; i < post->fetch_count;) {
		if (post->answer_ns[i] > now_ns) {
			i++;
			continue;
		}
		truth_snapshot(faults && truth_random(truth, 4) == 0 ? lagging : truth, post->fetch[i].limit, &answer);
		answer.market = 0;
		if (faults && truth_random(truth, 8) == 0)
			depth_failed(depth, post->fetch[i].id, 0, now_ns);
		else
			depth_snapshot(depth, post->fetch[i].id, &answer, now_ns);
		post->fetch[i] = post->fetch[--post->fetch_count];
		post->answer_ns[i] = post->answer_ns[post->fetch_count];
	}
}

static bool host_is_true(const struct depth *depth, const struct truth *truth)
{
	const struct ladder_view *view = &host[0].view;
	if (!depth_is_live(depth, 0))
		return host_is_empty(0);
	const struct ladder_view *want = truth_at(truth, host[0].sequence);
	if (!want)
		return false;
	/* of a cut side fewer levels may be known */
	const struct ladder *ladder = depth_ladder(depth, 0);
	uint32_t bids = ladder->bids.cut && view->bid_count < want->bid_count ? view->bid_count : want->bid_count;
	uint32_t asks = ladder->asks.cut && view->ask_count < want->ask_count ? view->ask_count : want->ask_count;
	return truth_levels_equal(view->bids, view->bid_count, want->bids, bids) &&
	       truth_levels_equal(view->asks, view->ask_count, want->asks, asks);
}

/* Returns the steps in which the host's book was neither true nor empty. faults: 0 none, else about one in so many. */
static uint32_t link_run(uint64_t seed, uint32_t faults, uint32_t steps, uint32_t *ret_live,
			 struct depth_counts *ret_counts)
{
	static struct truth truth, lagging;
	static struct post post;
	struct depth *depth = depth_new(2, 30);
	uint32_t wrong = 0, live = 0;
	int64_t now_ns = SECOND;
	memset(&post, 0, sizeof post);
	truth_init(&truth, seed);
	lagging = truth;
	depth_open(depth, 0, now_ns);
	for (uint32_t step = 0; step < steps; step++, now_ns += 100 * MS) {
		uint32_t bad = step < steps - 1000 ? faults : 0; /* it calms down in the end */
		if (truth_random(&truth, 8) == 0)
			lagging = truth;
		truth_move(&truth, &frame);
		frame.market = 0;
		int64_t late = bad && truth_random(&truth, bad) == 0 ? (int64_t)truth_random(&truth, 900) * MS : 0;
		if (!bad || truth_random(&truth, bad))
			letter_post(&post, now_ns + late);
		if (bad && truth_random(&truth, bad) == 0)
			letter_post(&post, now_ns + (int64_t)truth_random(&truth, 2000) * MS);
		letters_deliver(depth, &post, now_ns);
		answers_deliver(depth, &post, &truth, &lagging, bad, now_ns);
		wrong += !host_is_true(depth, &truth);
		live += depth_is_live(depth, 0);
	}
	wrong += host[0].broken + (!depth_is_live(depth, 0) || host[0].sequence != truth.id);
	*ret_live = live;
	*ret_counts = depth_counts(depth);
	depth_destroy(depth);
	return wrong;
}

static void test_links(void)
{
	static const uint32_t FAULTS[] = {0, 100, 20, 5, 2};
	for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++) {
		uint32_t wrong = 0, live = 0, ran;
		struct depth_counts sum = {0}, counts;
		for (uint64_t seed = 1; seed <= 8; seed++) {
			wrong += link_run(seed, FAULTS[i], 3000, &ran, &counts);
			live += ran;
			sum.gaps += counts.gaps;
			sum.thin += counts.thin;
			sum.old += counts.old;
			sum.crossed += counts.crossed;
		}
		ok(wrong == 0, "a fault in %u frames: true or empty, and true in the end", FAULTS[i]);
		printf("# live %u of %u, %llu gaps, %llu thin, %llu old, %llu crossed, %u wrong\n", live, 8u * 3000u,
		       (unsigned long long)sum.gaps, (unsigned long long)sum.thin, (unsigned long long)sum.old,
		       (unsigned long long)sum.crossed, wrong);
		if (FAULTS[i] == 0)
			ok(sum.gaps == 0 && sum.crossed == 0 && sum.thin > 0,
			   "without faults no gap, but levels run out");
		else
			ok(sum.gaps > 0, "there were gaps");
	}
}

/* ---- many markets, a gap in one ---- */

static void test_many(void)
{
	enum { MANY = 60 };
	struct depth *depth = depth_new(16, 100);
	struct depth_fetch fetch;
	uint32_t most = 0, events = 0;
	for (uint32_t i = 0; i < MANY; i++)
		depth_open(depth, i, 0);
	for (int64_t now = 0; now < 10 * MS; now += MS) {
		struct depth_fetch under_way[DEPTH_FETCHES_MAX + 1];
		uint32_t count = 0;
		while (count <= DEPTH_FETCHES_MAX && depth_fetch(depth, now, &fetch))
			under_way[count++] = fetch;
		most = count > most ? count : most;
		for (uint32_t i = 0; i < count; i++)
			snapshot_send(depth, &under_way[i], 10, now);
	}
	is_int(most, 16, "so many fetches at a time as are allowed");
	is_int(depth_counts(depth).synced, MANY, "all come to be live");
	for (uint32_t i = 0; i < MANY; i++)
		events += host[i].events;
	update_send(depth, 7, 12, 12, 1, SECOND, false);
	for (uint32_t i = 0; i < MANY; i++)
		events -= host[i].events;
	ok(!depth_is_live(depth, 7) && events == UINT32_MAX, "a gap in one of them touches no other");
	depth_destroy(depth);
}

/* ---- quotes ---- */

static void quote_send(struct quotes *quotes, uint64_t id, int64_t bid, int64_t ask)
{
	frame.kind = FRAME_TICKER;
	frame.market = 0;
	frame.last_id = id;
	frame.bid_count = frame.ask_count = 1;
	frame.bids[0] = (struct tg_level){bid, 5};
	frame.asks[0] = (struct tg_level){ask, 6};
	quotes_frame(quotes, &frame, SECOND);
}

static void test_quotes(void)
{
	static struct quotes quotes;
	memset(host, 0, sizeof host);
	quotes_init(&quotes, &routes, book_take, host);
	quote_send(&quotes, 10, 100, 101);
	ok(host[0].view.bids[0].price == 100 && host[0].view.asks[0].qty == 6 && host[0].sequence == 10,
	   "a quote is a book");
	quote_send(&quotes, 10, 99, 101);
	quote_send(&quotes, 9, 98, 101);
	ok(host[0].view.bids[0].price == 100 && quotes.repeated == 2, "over a second connection it is none");
	quote_send(&quotes, 11, 101, 101);
	ok(host_is_empty(0) && quotes.refused == 1, "a crossed one empties it");
	quote_send(&quotes, 12, 100, 102);
	quotes_lost(&quotes, 0);
	ok(host_is_empty(0), "a lost one too");
	quote_send(&quotes, 12, 100, 102);
	ok(!host_is_empty(0), "and the first that comes again is taken");
	is_int(host[0].broken, 0, "the host refused nothing");
}

int main(void)
{
	for (int i = 0; i < 64; i++) {
		char symbol[16];
		snprintf(symbol, sizeof symbol, "M%d", i);
		routes_add(&routes, (struct tg_str){symbol, strlen(symbol)});
		routes.route[i].version = 1;
	}
	test_rule();
	test_trouble();
	test_links();
	test_many();
	test_quotes();
	return tap_done();
}
