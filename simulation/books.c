#include "simulation/books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 256      /* books of a market: half a minute of the fastest venue */
#define RAW_LEVELS 32 /* a side of each: more than BOOKS_VIEW, as some may stand off a new tick */
/* The best prices of a market whose stream is silent are asked for; they tell no id, and are told under this one. The
 * answer comes within so long. */
#define ASKED_ID 1
#define ASKED_LEVELS 1
#define ASKED_NS (12 * INT64_C(1000000000))

struct raw_side {
	uint32_t count;
	struct tg_level level[RAW_LEVELS];
};

struct raw_book {
	uint64_t id;
	int64_t from_ns; /* true until the next one's */
	struct raw_side bids, asks;
};

struct history { /* of a market */
	char symbol[VENUE_SYMBOL_MAX];
	uint64_t count; /* that were ever kept: the last KEPT of them are there */
	struct raw_book *book;
};

struct books {
	struct ground *ground;
	const struct binance_server *server;
	uint32_t count;
	struct history *history;
};

/* ------------------------------------------------------------ what was true */

static const struct raw_book *book_at(const struct history *history, uint64_t nth)
{
	return &history->book[nth % KEPT];
}

static uint64_t oldest(const struct history *history)
{
	return history->count > KEPT ? history->count - KEPT : 0;
}

static void side_keep(const struct book_side *side, struct raw_side *ret_side)
{
	ret_side->count = side->count < RAW_LEVELS ? side->count : RAW_LEVELS;
	for (uint32_t i = 0; i < ret_side->count; i++) { /* the venue has the best last */
		const struct price_level *level = &side->level[side->count - 1 - i];
		ret_side->level[i] = (struct tg_level){level->price, level->qty};
	}
}

void books_note(struct books *books)
{
	const struct engine *engine = binance_server_engine(books->server);
	for (uint32_t market = 0; market < books->count; market++) {
		struct history *history = &books->history[market];
		uint64_t id = binance_server_update_id(books->server, market);
		if (history->count > 0 && book_at(history, history->count - 1)->id == id)
			continue;
		struct raw_book *book = &history->book[history->count++ % KEPT];
		book->id = id;
		book->from_ns = ground_ns(books->ground);
		side_keep(&engine->market[market].bids, &book->bids);
		side_keep(&engine->market[market].asks, &book->asks);
	}
}

static void symbol_make(const char *from, char *ret_symbol)
{
	for (; *from; from++)
		if (*from != '-')
			*ret_symbol++ = *from;
	*ret_symbol = '\0';
}

int books_create(struct ground *ground, const struct binance_server *server, struct books **ret_books)
{
	const struct engine *engine = binance_server_engine(server);
	struct books *books = calloc(1, sizeof *books);
	if (!books)
		return TG_ERR_NO_MEMORY;
	*books = (struct books){.ground = ground, .server = server, .count = engine->market_count};
	books->history = calloc(books->count, sizeof *books->history);
	bool fits = books->history != NULL;
	for (uint32_t i = 0; i < books->count && fits; i++) {
		symbol_make(engine->market[i].symbol, books->history[i].symbol);
		books->history[i].book = calloc(KEPT, sizeof *books->history[i].book);
		fits = books->history[i].book != NULL;
	}
	if (!fits) {
		books_destroy(books);
		return TG_ERR_NO_MEMORY;
	}
	books_note(books);
	*ret_books = books;
	return TG_OK;
}

void books_destroy(struct books *books)
{
	if (!books)
		return;
	for (uint32_t i = 0; books->history && i < books->count; i++)
		free(books->history[i].book);
	free(books->history);
	free(books);
}

struct ground *books_ground(const struct books *books)
{
	return books->ground;
}

uint32_t books_market(const struct books *books, struct tg_str symbol)
{
	for (uint32_t i = 0; i < books->count; i++)
		if (strlen(books->history[i].symbol) == symbol.len &&
		    memcmp(books->history[i].symbol, symbol.ptr, symbol.len) == 0)
			return i;
	return UINT32_MAX;
}

bool books_is_trading(const struct books *books, uint32_t market)
{
	return binance_server_engine(books->server)->market[market].status == TG_MARKET_TRADING;
}

/* ------------------------------------------------------------ what is to be told */

static __int128 power(int32_t exponent)
{
	__int128 value = 1;
	while (exponent-- > 0)
		value *= 10;
	return value;
}

/* A whole number of steps as a mantissa at the step's scale; rest: what is left over. */
static int64_t steps_cut(int64_t mantissa, int32_t scale, struct tg_decimal step, bool *ret_rest)
{
	__int128 value = mantissa * power(step.scale), size = step.mantissa * power(scale);
	*ret_rest = value % size != 0;
	return (int64_t)(value / size * step.mantissa);
}

static void side_expect(const struct raw_side *raw, const struct venue_market *market, const struct books_told *told,
			uint32_t streamed, struct books_side *ret_side)
{
	uint32_t count = streamed > 0 && streamed < raw->count ? streamed : raw->count;
	ret_side->count = 0;
	for (uint32_t i = 0; i < count && ret_side->count < BOOKS_VIEW; i++) {
		bool off_tick, odd;
		struct tg_level level;
		level.price = steps_cut(raw->level[i].price, market->price_scale, told->tick, &off_tick);
		level.qty = steps_cut(raw->level[i].qty, market->qty_scale, told->lot, &odd);
		if (!off_tick && level.qty > 0)
			ret_side->level[ret_side->count++] = level;
	}
}

static bool side_same(const struct books_side *a, const struct books_side *b)
{
	for (uint32_t i = 0; i < a->count && i < b->count; i++)
		if (a->level[i].price != b->level[i].price || a->level[i].qty != b->level[i].qty)
			return false;
	return a->count == b->count;
}

static bool is_told(const struct books *books, const struct raw_book *book, const struct books_told *told,
		    uint32_t streamed)
{
	const struct venue_market *market = &binance_server_engine(books->server)->market[told->market];
	struct books_side bids, asks;
	side_expect(&book->bids, market, told, streamed, &bids);
	side_expect(&book->asks, market, told, streamed, &asks);
	return side_same(&told->bids, &bids) && side_same(&told->asks, &asks);
}

bool books_is_recent(const struct books *books, const struct books_told *told, uint32_t streamed, int64_t within_ns)
{
	const struct history *history = &books->history[told->market];
	int64_t until_ns = INT64_MAX, least_ns = ground_ns(books->ground) - within_ns;
	if (told->sequence == ASKED_ID)
		streamed = ASKED_LEVELS;
	for (uint64_t nth = history->count; nth > oldest(history) && until_ns > least_ns; nth--) {
		if (is_told(books, book_at(history, nth - 1), told, streamed))
			return true;
		until_ns = book_at(history, nth - 1)->from_ns;
	}
	return false;
}

/* ------------------------------------------------------------ what was told */

void books_rescale(struct books_told *told, const struct tg_instrument *instrument)
{
	bool same = told->version > 0 && tg_decimal_compare(told->tick, instrument->tick) == 0 &&
		    tg_decimal_compare(told->lot, instrument->lot) == 0;
	told->version = instrument->version;
	told->tick = instrument->tick;
	told->lot = instrument->lot;
	if (!same)
		told->bids.count = told->asks.count = 0;
}

/* Where a price stands or would stand. sign: 1 where a higher price is better. */
static uint32_t place_of(const struct books_side *side, int64_t price, int sign)
{
	uint32_t at = 0;
	while (at < side->count && (sign > 0 ? side->level[at].price > price : side->level[at].price < price))
		at++;
	return at;
}

/* False: it overflows. */
static bool level_apply(struct books_side *side, struct tg_level level, int sign)
{
	uint32_t at = place_of(side, level.price, sign);
	bool known = at < side->count && side->level[at].price == level.price;
	struct tg_level *here = &side->level[at];
	if (known && level.qty > 0) {
		here->qty = level.qty;
	} else if (known) {
		memmove(here, here + 1, (--side->count - at) * sizeof *here);
	} else if (level.qty > 0) {
		if (side->count == BOOKS_VIEW)
			return false;
		memmove(here + 1, here, (side->count++ - at) * sizeof *here);
		*here = level;
	}
	return true;
}

static bool event_apply(struct books_told *told, const struct tg_book_event *event)
{
	bool fits = true;
	if (event->flags & TG_BOOK_SNAPSHOT)
		told->bids.count = told->asks.count = 0;
	told->sequence = event->sequence;
	for (uint32_t i = 0; i < event->bid_count; i++)
		fits = level_apply(&told->bids, event->bids[i], 1) && fits;
	for (uint32_t i = 0; i < event->ask_count; i++)
		fits = level_apply(&told->asks, event->asks[i], -1) && fits;
	return fits;
}

/* ------------------------------------------------------------ judging */

static const struct raw_book *book_find(const struct history *history, uint64_t id)
{
	for (uint64_t nth = history->count; nth > oldest(history); nth--)
		if (book_at(history, nth - 1)->id == id)
			return book_at(history, nth - 1);
	return NULL;
}

static int side_text(const struct books_side *side, char *text, size_t room)
{
	int used = snprintf(text, room, "%u:", side->count);
	for (uint32_t i = 0; i < side->count && i < 3 && used < (int)room; i++)
		used += snprintf(text + used, room - (size_t)used, " %lld x %lld", (long long)side->level[i].price,
				 (long long)side->level[i].qty);
	return used < (int)room ? used : (int)room - 1;
}

static enum books_verdict false_tell(const struct books *books, const struct books_told *told,
				     const struct raw_book *book, uint32_t streamed, char why[BOOKS_WHY_MAX])
{
	const struct venue_market *market = &binance_server_engine(books->server)->market[told->market];
	struct books_side bids, asks;
	side_expect(&book->bids, market, told, streamed, &bids);
	side_expect(&book->asks, market, told, streamed, &asks);
	bool of_bids = !side_same(&told->bids, &bids);
	char there[80], here[80];
	side_text(of_bids ? &bids : &asks, there, sizeof there);
	side_text(of_bids ? &told->bids : &told->asks, here, sizeof here);
	snprintf(why, BOOKS_WHY_MAX, "%s of update %llu are %s, told were %s", of_bids ? "bids" : "asks",
		 (unsigned long long)book->id, there, here);
	return BOOKS_FALSE;
}

enum books_verdict books_judge(const struct books *books, struct books_told *told, const struct tg_book_event *event,
			       uint32_t streamed, char ret_why[BOOKS_WHY_MAX])
{
	const struct history *history = &books->history[told->market];
	if (!event_apply(told, event)) {
		snprintf(ret_why, BOOKS_WHY_MAX, "more than %d levels of a side are told", BOOKS_VIEW);
		return BOOKS_FALSE;
	}
	if (told->bids.count == 0 && told->asks.count == 0)
		return BOOKS_EMPTY;
	const struct raw_book *book = book_find(history, event->sequence);
	if (event->sequence == ASKED_ID && books_is_recent(books, told, streamed, ASKED_NS))
		return BOOKS_TRUE;
	if (book && is_told(books, book, told, streamed))
		return BOOKS_TRUE;
	if (book)
		return false_tell(books, told, book, streamed, ret_why);
	if (event->sequence < book_at(history, oldest(history))->id && event->sequence != ASKED_ID)
		return BOOKS_UNKNOWN;
	snprintf(ret_why, BOOKS_WHY_MAX, "update %llu is told, there was none such",
		 (unsigned long long)event->sequence);
	return BOOKS_FALSE;
}
