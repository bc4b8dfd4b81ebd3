#include "tests/unit/core/arbitrage/fixture.h"

static struct markets *markets;
static struct market *market;

struct change {
	const char *what;
	uint32_t flags;
	uint64_t sequence;
	struct tg_level bids[3]; /* price 0 ends */
	struct tg_level asks[3];
	int result;
	const char *after; /* the book as text */
};

/* Tick 0.05 and lot 0.2 at scales 2 and 1: prices are multiples of 5, quantities of 2. */
static const struct change changes[] = {
	{"a change before any snapshot", 0, 1, {{100, 2}}, {{0}}, BOOK_UNCHANGED, "|"},
	{"a snapshot", 1, 10, {{100, 2}, {95, 4}}, {{110, 6}}, BOOK_CHANGED, "20x1 19x2 | 22x3"},
	{"the same snapshot", 1, 11, {{100, 2}, {95, 4}}, {{110, 6}}, BOOK_UNCHANGED, "20x1 19x2 | 22x3"},
	{"an old change", 0, 11, {{100, 4}}, {{0}}, BOOK_UNCHANGED, "20x1 19x2 | 22x3"},
	{"another quantity", 0, 12, {{100, 4}}, {{0}}, BOOK_CHANGED, "20x2 19x2 | 22x3"},
	{"the same quantity", 0, 13, {{100, 4}}, {{0}}, BOOK_UNCHANGED, "20x2 19x2 | 22x3"},
	{"a better bid", 0, 14, {{105, 2}}, {{0}}, BOOK_CHANGED, "21x1 20x2 19x2 | 22x3"},
	{"a level between", 0, 15, {{0}}, {{120, 2}, {115, 8}}, BOOK_CHANGED, "21x1 20x2 19x2 | 22x3 23x4 24x1"},
	{"levels gone", 0, 16, {{105, 0}, {95, 0}}, {{110, 0}}, BOOK_CHANGED, "20x2 | 23x4 24x1"},
	{"an absent level gone", 0, 17, {{105, 0}}, {{0}}, BOOK_UNCHANGED, "20x2 | 23x4 24x1"},
	{"a change without sequence", 0, 0, {{90, 2}}, {{0}}, BOOK_CHANGED, "20x2 18x1 | 23x4 24x1"},
	{"a side emptied", 1, 18, {{0}}, {{115, 8}}, BOOK_CHANGED, "| 23x4"},
	{"a price off the grid", 0, 19, {{101, 2}}, {{0}}, TG_ERR_INVALID, "|"},
	{"a change after the book was lost", 0, 20, {{100, 2}}, {{0}}, BOOK_UNCHANGED, "|"},
	{"a snapshot restores it, whatever its sequence", 1, 3, {{100, 2}}, {{0}}, BOOK_CHANGED, "20x1 |"},
	{"a quantity off the grid", 0, 21, {{100, 3}}, {{0}}, TG_ERR_INVALID, "|"},
	{"a snapshot out of order", 1, 22, {{95, 2}, {100, 2}}, {{0}}, TG_ERR_INVALID, "|"},
	{"asks out of order", 1, 23, {{0}}, {{100, 2}, {95, 2}}, TG_ERR_INVALID, "|"},
	{"a price twice", 1, 24, {{100, 2}, {100, 2}}, {{0}}, TG_ERR_INVALID, "|"},
	{"a snapshot with an empty level", 1, 25, {{100, 0}}, {{0}}, TG_ERR_INVALID, "|"},
	{"a negative price", 1, 26, {{-100, 2}}, {{0}}, TG_ERR_INVALID, "|"},
	{"a negative quantity", 1, 27, {{100, -2}}, {{0}}, TG_ERR_INVALID, "|"},
};

static const char *book_text(void)
{
	static char text[2000];
	int length = 0;
	for (uint32_t i = 0; i < market->book.bid_count; i++)
		length += sprintf(text + length, "%lldx%lld ", (long long)market->book.bids[i].ticks,
				  (long long)market->book.bids[i].lots);
	length += sprintf(text + length, "|");
	for (uint32_t i = 0; i < market->book.ask_count; i++)
		length += sprintf(text + length, " %lldx%lld", (long long)market->book.asks[i].ticks,
				  (long long)market->book.asks[i].lots);
	return text;
}

static uint32_t levels_count(const struct tg_level *level)
{
	uint32_t count = 0;
	while (count < 3 && level[count].price)
		count++;
	return count;
}

static void test_changes(void)
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		const struct change *change = &changes[i];
		struct tg_book_event event = {
			.size = sizeof event,
			.version = 1,
			.flags = change->flags,
			.sequence = change->sequence,
			.received_ns = 1000 + (int64_t)i,
			.bids = change->bids,
			.asks = change->asks,
			.bid_count = levels_count(change->bids),
			.ask_count = levels_count(change->asks),
		};
		is_int(book_apply(market, &event), change->result, "%s", change->what);
		is_str(book_text(), change->after, "the book then");
		const struct book *book = &market->book;
		ok(book->best_bid == (book->bid_count ? book->bids[0].ticks : 0) &&
			   book->best_ask == (book->ask_count ? book->asks[0].ticks : 0),
		   "the best prices follow");
	}
}

static void test_version(void)
{
	quote_set(market, 100, 2, 110, 2);
	struct tg_book_event event = {.size = sizeof event, .version = 2, .sequence = 1000};
	is_int(book_apply(market, &event), TG_ERR_VERSION, "an event of another version");
	is_str(book_text(), "|", "empties the book");
	ok(market->book.received_ns == 0, "which then has never been received");
}

/* A slow book of any depth, to compare with. */
struct model {
	int64_t lots[101]; /* by ticks */
};

static void model_check(const struct model *bids, const struct model *asks, bool *same)
{
	uint32_t at = 0;
	for (int ticks = 100; ticks > 0 && at < market->book.bid_count; ticks--)
		if (bids->lots[ticks]) {
			*same &=
				market->book.bids[at].ticks == ticks && market->book.bids[at].lots == bids->lots[ticks];
			at++;
		}
	*same &= at == market->book.bid_count;
	at = 0;
	for (int ticks = 1; ticks <= 100 && at < market->book.ask_count; ticks++)
		if (asks->lots[ticks]) {
			*same &=
				market->book.asks[at].ticks == ticks && market->book.asks[at].lots == asks->lots[ticks];
			at++;
		}
	*same &= at == market->book.ask_count;
}

/* Random changes of books that never hold more levels than are kept. */
static void test_random(void)
{
	struct model bids = {0}, asks = {0};
	struct tg_book_event event = {.size = sizeof event, .version = 1, .flags = TG_BOOK_SNAPSHOT, .sequence = 1};
	bool same = true;

	book_apply(market, &event);
	for (int i = 0; i < 20000; i++) {
		int64_t ticks = random_between(1, BOOK_LEVELS_MAX) * 5, lots = random_between(0, 3);
		struct tg_level level = {ticks * 5, lots * 2};
		bool bid = random_next() & 1;
		(bid ? &bids : &asks)->lots[ticks] = lots;
		event = (struct tg_book_event){
			.size = sizeof event,
			.version = 1,
			.sequence = (uint64_t)i + 2,
			.bids = &level,
			.asks = &level,
			.bid_count = bid,
			.ask_count = !bid,
		};
		same &= book_apply(market, &event) >= 0;
		model_check(&bids, &asks, &same);
	}
	ok(same, "20,000 random changes leave what a plain array holds");
}

static void test_depth(void)
{
	struct tg_level deep[BOOK_LEVELS_MAX + 5];
	for (int i = 0; i < BOOK_LEVELS_MAX + 5; i++)
		deep[i] = (struct tg_level){5000 - 5 * i, 2};
	struct tg_book_event event = {
		.size = sizeof event,
		.version = 1,
		.flags = TG_BOOK_SNAPSHOT,
		.bids = deep,
		.bid_count = BOOK_LEVELS_MAX + 5,
	};
	is_int(book_apply(market, &event), BOOK_CHANGED, "a snapshot deeper than is kept");
	is_int(market->book.bid_count, BOOK_LEVELS_MAX, "the best levels are kept");
	struct tg_level more[] = {{5005, 2}, {4000, 2}};
	event.flags = 0;
	event.bids = more;
	event.bid_count = 2;
	is_int(book_apply(market, &event), BOOK_CHANGED, "a better and a worse level");
	ok(market->book.bid_count == BOOK_LEVELS_MAX && market->book.best_bid == 1001 &&
		   market->book.bids[BOOK_LEVELS_MAX - 1].ticks == 1000 - (BOOK_LEVELS_MAX - 2),
	   "the worst falls out at the end");
}

int main(void)
{
	char symbol[48];
	markets_create(&markets);
	struct tg_instrument instrument = instrument_of(0, "A", "B", symbol);
	instrument.tick = decimal("0.05");
	instrument.lot = decimal("0.2");
	markets_update(markets, &instrument, NULL);
	market = &markets->market[0];
	test_changes();
	test_version();
	test_random();
	test_depth();
	markets_destroy(markets);
	return tap_done();
}
