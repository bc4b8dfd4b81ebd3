/* Books as subscribers hear of them. Each change of a market's book is one update id; a depth message tells every level
 * that was changed since what was last told, as it is now, also one that came and went: who begins with a snapshot of
 * in between has it. It carries the ids of all these changes: U is one past the last message's u. */
#include <stdlib.h>
#include <string.h>

#include "venue/binance/state.h"

static const int64_t pace_ms[PACES] = {100, 1000};

int32_t feeds_init(struct binance *binance)
{
	uint32_t markets = binance->symbols.count;
	binance->feed = calloc(markets, sizeof *binance->feed);
	for (int pace = 0; pace < PACES; pace++)
		if (!(binance->dirty[pace] = calloc(markets, sizeof **binance->dirty)))
			return TG_ERR_NO_MEMORY;
	return binance->feed ? TG_OK : TG_ERR_NO_MEMORY;
}

void feeds_finish(struct binance *binance)
{
	for (uint32_t m = 0; binance->feed && m < binance->symbols.count; m++) {
		struct feed *feed = &binance->feed[m];
		for (int pace = 0; pace < PACES; pace++) {
			free(feed->touched[pace].bids.price);
			free(feed->touched[pace].asks.price);
		}
		free(feed->bids.level);
		free(feed->asks.level);
		free(feed->subscriber);
	}
	free(binance->feed);
	for (int pace = 0; pace < PACES; pace++)
		free(binance->dirty[pace]);
}

/* ----------------------------------------------------------- subscribers */

static int pace_of(enum stream_kind kind)
{
	return kind == STREAM_DEPTH || kind >= STREAM_TOP5 ? PACE_SLOW : PACE_FAST;
}

static bool is_heard(const struct feed *feed, enum stream_kind kind)
{
	for (uint32_t i = 0; i < feed->subscriber_count; i++)
		if (feed->subscriber[i].kind == kind)
			return true;
	return false;
}

static bool seen_set(struct seen_side *seen, const struct book_side *side)
{
	if (side->count > seen->capacity) {
		struct tg_level *grown = realloc(seen->level, side->count * sizeof *grown);
		if (!grown)
			return false;
		seen->level = grown;
		seen->capacity = side->count;
	}
	for (uint32_t i = 0; i < side->count; i++)
		seen->level[i] = (struct tg_level){side->level[i].price, side->level[i].qty};
	seen->count = side->count;
	return true;
}

static bool touched_add(struct touched_side *touched, int64_t price)
{
	uint32_t at = touched->count;
	while (at > 0 && touched->price[at - 1] > price)
		at--;
	if (at > 0 && touched->price[at - 1] == price)
		return true;
	if (touched->count == touched->capacity) {
		uint32_t capacity = touched->capacity ? 2 * touched->capacity : 32;
		int64_t *grown = realloc(touched->price, capacity * sizeof *grown);
		if (!grown)
			return false;
		touched->price = grown;
		touched->capacity = capacity;
	}
	memmove(&touched->price[at + 1], &touched->price[at], (touched->count++ - at) * sizeof *touched->price);
	touched->price[at] = price;
	return true;
}

/* Both are sorted worst first: `sign` is 1 where a higher price is better. */
static bool side_compare(const struct seen_side *seen, const struct book_side *now, int sign,
			 struct touched_side *touched)
{
	uint32_t a = seen->count, b = now->count;
	bool fits = true;
	while (a || b) {
		int64_t before = a ? seen->level[a - 1].price : 0, after = b ? now->level[b - 1].price : 0;
		bool gone = a && (!b || (sign > 0 ? before > after : before < after));
		bool same = a && b && before == after;
		if (gone || !same || seen->level[a - 1].qty != now->level[b - 1].qty)
			fits = touched_add(touched, gone ? before : after) && fits;
		a -= gone || same;
		b -= !gone;
	}
	return fits;
}

static struct tg_level best_of(const struct book_side *side)
{
	const struct price_level *best = side_best(side);
	return best ? (struct tg_level){best->price, best->qty} : (struct tg_level){0, 0};
}

static bool is_followed(const struct feed *feed)
{
	return is_heard(feed, STREAM_DEPTH_FAST) || is_heard(feed, STREAM_DEPTH);
}

/* Changes are told from the book as it is now. */
static bool follow_begin(struct feed *feed, const struct venue_market *book, int pace)
{
	feed->touched[pace].bids.count = feed->touched[pace].asks.count = 0;
	feed->touched[pace].id = feed->id;
	return is_followed(feed) || (seen_set(&feed->bids, &book->bids) && seen_set(&feed->asks, &book->asks));
}

/* The book is another one: which levels? */
static bool changes_gather(struct feed *feed, const struct venue_market *book)
{
	static const enum stream_kind kinds[PACES] = {STREAM_DEPTH_FAST, STREAM_DEPTH};
	bool fits = true;
	if (!is_followed(feed))
		return true;
	for (int pace = 0; pace < PACES; pace++)
		if (is_heard(feed, kinds[pace]))
			fits = side_compare(&feed->bids, &book->bids, 1, &feed->touched[pace].bids) &&
			       side_compare(&feed->asks, &book->asks, -1, &feed->touched[pace].asks) && fits;
	return seen_set(&feed->bids, &book->bids) && seen_set(&feed->asks, &book->asks) && fits;
}

bool feed_subscribe(struct binance *binance, uint32_t market, struct connection *connection, enum stream_kind kind)
{
	struct feed *feed = &binance->feed[market];
	const struct venue_market *book = &venue_engine(binance->venue)->market[market];
	if (feed->subscriber_count == feed->subscriber_capacity) {
		uint32_t capacity = feed->subscriber_capacity ? 2 * feed->subscriber_capacity : 4;
		struct subscriber *grown = realloc(feed->subscriber, capacity * sizeof *grown);
		if (!grown)
			return false;
		feed->subscriber = grown;
		feed->subscriber_capacity = capacity;
	}
	if (!is_heard(feed, kind)) { /* nobody followed it: it begins with the book as it is */
		if (kind == STREAM_DEPTH_FAST || kind == STREAM_DEPTH) {
			if (!follow_begin(feed, book, pace_of(kind)))
				return false;
		} else if (kind == STREAM_TICKER) {
			feed->bid = best_of(&book->bids);
			feed->ask = best_of(&book->asks);
		}
	}
	feed->subscriber[feed->subscriber_count++] = (struct subscriber){connection, kind};
	return true;
}

void feed_unsubscribe(struct binance *binance, uint32_t market, const struct connection *connection,
		      enum stream_kind kind)
{
	struct feed *feed = &binance->feed[market];
	for (uint32_t i = 0; i < feed->subscriber_count; i++) {
		if (feed->subscriber[i].connection != connection || feed->subscriber[i].kind != kind)
			continue;
		memmove(&feed->subscriber[i], &feed->subscriber[i + 1],
			(--feed->subscriber_count - i) * sizeof *feed->subscriber);
		return;
	}
}

/* --------------------------------------------------------------- telling */

static const char *const kind_names[STREAM_KINDS] = {"bookTicker",   "depth@100ms",   "depth",
						     "depth5@100ms", "depth10@100ms", "depth20@100ms",
						     "depth5",       "depth10",       "depth20"};

/* To every subscriber of this kind: as it is, or wrapped with the stream's name. */
static void publish(struct binance *binance, uint32_t market, enum stream_kind kind, const struct text *data)
{
	const struct feed *feed = &binance->feed[market];
	struct text *wrapped = &binance->push;
	text_clear(wrapped);
	for (uint32_t i = 0; i < feed->subscriber_count; i++) {
		const struct subscriber *subscriber = &feed->subscriber[i];
		if (subscriber->kind != kind)
			continue;
		if (subscriber->connection->kind == CONNECTION_RAW) {
			push_to(binance, subscriber->connection, data);
			continue;
		}
		if (!wrapped->used) {
			text_put(wrapped, "{\"stream\":\"");
			text_put(wrapped, binance->symbols.of[market]->stream);
			text_put(wrapped, "@");
			text_put(wrapped, kind_names[kind]);
			text_put(wrapped, "\",\"data\":");
			text_add(wrapped, data->ptr, data->used);
			text_put(wrapped, "}");
		}
		push_to(binance, subscriber->connection, wrapped);
	}
}

static void ticker_tell(struct binance *binance, uint32_t market, struct text *data)
{
	struct feed *feed = &binance->feed[market];
	const struct venue_market *book = &venue_engine(binance->venue)->market[market];
	struct tg_level bid = best_of(&book->bids), ask = best_of(&book->asks);
	if (!is_heard(feed, STREAM_TICKER) ||
	    (memcmp(&bid, &feed->bid, sizeof bid) == 0 && memcmp(&ask, &feed->ask, sizeof ask) == 0))
		return;
	feed->bid = bid;
	feed->ask = ask;
	text_clear(data);
	text_put(data, "{");
	member_number(data, "u", (int64_t)feed->id);
	member_word(data, "s", binance->symbols.of[market]->name);
	member_fixed(data, "b", bid.price, book->price_scale);
	member_fixed(data, "B", bid.qty, book->qty_scale);
	member_fixed(data, "a", ask.price, book->price_scale);
	member_fixed(data, "A", ask.qty, book->qty_scale);
	text_put(data, "}");
	publish(binance, market, STREAM_TICKER, data);
}

void feeds_notice(struct binance *binance)
{
	struct text data = {0};
	uint32_t changed[64], count;
	while ((count = venue_take_changed(binance->venue, changed, 64)) > 0) {
		for (uint32_t i = 0; i < count; i++) {
			struct feed *feed = &binance->feed[changed[i]];
			feed->id++;
			if (!changes_gather(feed, &venue_engine(binance->venue)->market[changed[i]]))
				binance->broken = TG_ERR_NO_MEMORY;
			for (int pace = 0; pace < PACES; pace++) {
				if (!feed->dirty[pace])
					binance->dirty[pace][binance->dirty_count[pace]++] = changed[i];
				feed->dirty[pace] = true;
			}
			ticker_tell(binance, changed[i], &data);
		}
	}
	text_finish(&data);
}

static void change_write(struct text *out, const struct venue_market *market, int64_t price, int64_t qty, bool *first)
{
	text_put(out, *first ? "[\"" : ",[\"");
	*first = false;
	text_fixed(out, price, market->price_scale);
	text_put(out, "\",\"");
	text_fixed(out, qty, market->qty_scale);
	text_put(out, "\"]");
}

static int64_t qty_at(const struct book_side *side, int64_t price)
{
	for (uint32_t i = side->count; i > 0; i--)
		if (side->level[i - 1].price == price)
			return side->level[i - 1].qty;
	return 0;
}

/* Levels that were touched, best first, as they are now. */
static void changes_write(struct text *out, const char *key, const struct venue_market *market,
			  const struct touched_side *touched, const struct book_side *now, int sign)
{
	bool first = true;
	member_key(out, key);
	text_put(out, "[");
	for (uint32_t i = 0; i < touched->count; i++) {
		int64_t price = touched->price[sign > 0 ? touched->count - 1 - i : i];
		change_write(out, market, price, qty_at(now, price), &first);
	}
	text_put(out, "]");
}

static bool gap_is_due(struct binance *binance, uint32_t market)
{
	if (!binance->gaps_due || (binance->gap_market != UINT32_MAX && binance->gap_market != market))
		return false;
	binance->gaps_due--;
	return true;
}

static void depth_tell(struct binance *binance, uint32_t market, int pace, struct text *data)
{
	struct feed *feed = &binance->feed[market];
	const struct venue_market *book = &venue_engine(binance->venue)->market[market];
	enum stream_kind kind = pace == PACE_FAST ? STREAM_DEPTH_FAST : STREAM_DEPTH;
	struct touched *touched = &feed->touched[pace];
	if (!is_heard(feed, kind) || touched->id == feed->id)
		return;
	text_clear(data);
	text_put(data, "{\"e\":\"depthUpdate\"");
	member_number(data, "E", clock_ms(binance));
	member_word(data, "s", binance->symbols.of[market]->name);
	member_number(data, "U", (int64_t)touched->id + 1);
	member_number(data, "u", (int64_t)feed->id);
	changes_write(data, "b", book, &touched->bids, &book->bids, 1);
	changes_write(data, "a", book, &touched->asks, &book->asks, -1);
	text_put(data, "}");
	touched->bids.count = touched->asks.count = 0;
	touched->id = feed->id;
	if (!gap_is_due(binance, market))
		publish(binance, market, kind, data);
}

static void top_tell(struct binance *binance, uint32_t market, enum stream_kind kind, uint32_t depth, struct text *data)
{
	const struct venue_market *book = &venue_engine(binance->venue)->market[market];
	if (!is_heard(&binance->feed[market], kind))
		return;
	text_clear(data);
	text_put(data, "{");
	member_number(data, "lastUpdateId", (int64_t)binance->feed[market].id);
	levels_write(data, "bids", book, binance->level, engine_top(&book->bids, depth, binance->level));
	levels_write(data, "asks", book, binance->level, engine_top(&book->asks, depth, binance->level));
	text_put(data, "}");
	publish(binance, market, kind, data);
}

static void pace_tell(struct binance *binance, int pace)
{
	static const uint32_t depths[] = {5, 10, 20};
	struct text data = {0};
	for (uint32_t i = 0; i < binance->dirty_count[pace]; i++) {
		uint32_t market = binance->dirty[pace][i];
		enum stream_kind first = pace == PACE_FAST ? STREAM_TOP5_FAST : STREAM_TOP5;
		binance->feed[market].dirty[pace] = false;
		if (!binance->feed[market].subscriber_count)
			continue;
		depth_tell(binance, market, pace, &data);
		for (uint32_t d = 0; d < 3; d++)
			top_tell(binance, market, first + d, depths[d], &data);
	}
	binance->dirty_count[pace] = 0;
	text_finish(&data);
}

void feeds_pace(struct binance *binance)
{
	int64_t now = binance->unix_ns / 1000000;
	for (int pace = 0; pace < PACES; pace++) {
		if (now - binance->paced_ms[pace] < pace_ms[pace])
			continue;
		binance->paced_ms[pace] = now;
		pace_tell(binance, pace);
	}
}
