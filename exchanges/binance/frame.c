#include "exchanges/binance/frame.h"

#include <string.h>

/* Keys that mean something. The order is that of the bits in `seen`. */
enum key {
	KEY_EVENT,
	KEY_TIME,
	KEY_SYMBOL,
	KEY_FIRST,
	KEY_LAST,
	KEY_BIDS,
	KEY_ASKS,
	KEY_BID_QTY,
	KEY_ASK_QTY,
	KEY_SNAPSHOT_ID,
	KEY_SNAPSHOT_BIDS,
	KEY_SNAPSHOT_ASKS,
	KEY_STREAM,
	KEY_DATA,
	KEY_REPLY,
	KEY_OTHER,
};

#define BIT(key) (1u << (key))
#define TICKER_KEYS (BIT(KEY_LAST) | BIT(KEY_BIDS) | BIT(KEY_ASKS) | BIT(KEY_BID_QTY) | BIT(KEY_ASK_QTY))
#define UPDATE_KEYS (BIT(KEY_FIRST) | BIT(KEY_LAST) | BIT(KEY_BIDS) | BIT(KEY_ASKS))
#define SNAPSHOT_KEYS (BIT(KEY_SNAPSHOT_ID) | BIT(KEY_SNAPSHOT_BIDS) | BIT(KEY_SNAPSHOT_ASKS))
#define SIDE_KEYS (BIT(KEY_BIDS) | BIT(KEY_ASKS) | BIT(KEY_BID_QTY) | BIT(KEY_ASK_QTY))

/* Prices and quantities need the market's scales. Values that come before the market is known are passed over and kept
 * for the end. */
struct reader {
	struct scan scan;
	const struct routes *routes;
	const struct route *route; /* NULL: not known yet */
	struct frame *frame;
	uint32_t seen;
	uint32_t put_off; /* bits of the keys whose values wait */
	uint32_t quoted;  /* of KEY_BIDS and KEY_ASKS: the value is a price, not levels */
	uint32_t odd;     /* of SIDE_KEYS: the value is neither text nor levels */
	bool is_update;   /* "e" is depthUpdate */
	bool is_foreign;  /* "e" is something else */
	bool inside;      /* of "data" */
	struct scan_string stream;
	const uint8_t *value[KEY_OTHER];
};

/* --------------------------------------------------------------------- keys */

static enum key short_key(uint8_t c)
{
	switch (c) {
	case 'e': return KEY_EVENT;
	case 'E': return KEY_TIME;
	case 's': return KEY_SYMBOL;
	case 'U': return KEY_FIRST;
	case 'u': return KEY_LAST;
	case 'b': return KEY_BIDS;
	case 'a': return KEY_ASKS;
	case 'B': return KEY_BID_QTY;
	case 'A': return KEY_ASK_QTY;
	default: return KEY_OTHER;
	}
}

static enum key long_key(const struct scan_string *name)
{
	static const struct {
		const char *name;
		enum key key;
	} KEYS[] = {
		{"data", KEY_DATA},
		{"stream", KEY_STREAM},
		{"bids", KEY_SNAPSHOT_BIDS},
		{"asks", KEY_SNAPSHOT_ASKS},
		{"lastUpdateId", KEY_SNAPSHOT_ID},
		{"result", KEY_REPLY},
		{"error", KEY_REPLY},
		{"code", KEY_REPLY},
	};
	for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
		if (strlen(KEYS[i].name) == name->count && memcmp(KEYS[i].name, name->bytes, name->count) == 0)
			return KEYS[i].key;
	return KEY_OTHER;
}

static inline int key_read(struct reader *reader, enum key *ret_key)
{
	struct scan *scan = &reader->scan;
	struct scan_string name;
	if (scan->end - scan->at > 3 && scan->at[0] == '"' && scan->at[2] == '"' && scan->at[3] == ':' &&
	    scan->at[1] > '"' && scan->at[1] != '\\') {
		*ret_key = short_key(scan->at[1]);
		scan->at += 4;
		return SCAN_OK;
	}
	int status = scan_string(scan, &name);
	if (status)
		return status == SCAN_TYPE ? SCAN_SYNTAX : status;
	if (name.escaped)
		return SCAN_ESCAPE;
	*ret_key = name.count == 1 ? short_key(name.bytes[0]) : long_key(&name);
	return scan_take(scan, ':') ? SCAN_OK : scan_expected(scan);
}

/* ------------------------------------------------------------------ numbers */

/* Is it a multiple of the step? A step of 1, which most are, costs no division. */
static inline bool is_whole(int64_t value, int64_t step)
{
	return step == 1 || value % step == 0;
}

static inline int qty_read(struct scan *scan, const struct route *route, int64_t *ret_qty)
{
	bool cut;
	int status = scan_decimal(scan, route->qty_scale, ret_qty, &cut);
	if (!status && !is_whole(*ret_qty, route->lot))
		*ret_qty -= *ret_qty % route->lot;
	return status;
}

static inline int price_read(struct scan *scan, const struct route *route, int64_t *ret_price, bool *ret_on_tick)
{
	bool cut;
	int status = scan_decimal(scan, route->price_scale, ret_price, &cut);
	if (!status)
		*ret_on_tick = *ret_price > 0 && !cut && is_whole(*ret_price, route->tick);
	return status;
}

static int levels_read(struct reader *reader, bool keep_empty, struct tg_level *level, uint32_t *ret_count)
{
	struct scan *scan = &reader->scan;
	uint32_t count = 0;
	if (!scan_take(scan, '['))
		return scan->at == scan->end ? SCAN_END : SCAN_TYPE;
	*ret_count = 0;
	if (scan_take(scan, ']'))
		return SCAN_OK;
	do {
		struct tg_level one;
		bool on_tick;
		if (!scan_take(scan, '['))
			return scan_expected(scan);
		int status = price_read(scan, reader->route, &one.price, &on_tick);
		if (!status && !scan_take(scan, ','))
			status = scan_expected(scan);
		if (!status)
			status = qty_read(scan, reader->route, &one.qty);
		if (!status && !scan_take(scan, ']'))
			status = scan_expected(scan);
		if (status)
			return status;
		if (!on_tick) {
			reader->frame->left_out++;
			continue;
		}
		if (one.qty == 0 && !keep_empty) {
			reader->frame->left_out++;
			continue;
		}
		if (count == FRAME_LEVELS_MAX)
			return SCAN_LEVELS;
		level[count++] = one;
	} while (scan_take(scan, ','));
	*ret_count = count;
	return scan_take(scan, ']') ? SCAN_OK : scan_expected(scan);
}

/* One of the four numbers of a ticker. */
static int best_read(struct reader *reader, enum key key)
{
	struct frame *frame = reader->frame;
	struct tg_level *level = key == KEY_BIDS || key == KEY_BID_QTY ? frame->bids : frame->asks;
	bool on_tick;
	if (key == KEY_BID_QTY || key == KEY_ASK_QTY)
		return qty_read(&reader->scan, reader->route, &level->qty);
	int status = price_read(&reader->scan, reader->route, &level->price, &on_tick);
	if (!status && !on_tick) {
		frame->left_out += level->price > 0; /* "0.00000000" stands for none */
		level->price = 0;
	}
	return status;
}

/* The value of one of SIDE_KEYS, once the market is known. */
static int side_read(struct reader *reader, enum key key)
{
	struct frame *frame = reader->frame;
	if (key == KEY_BID_QTY || key == KEY_ASK_QTY || (reader->quoted & BIT(key)))
		return best_read(reader, key);
	return key == KEY_BIDS ? levels_read(reader, true, frame->bids, &frame->bid_count)
			       : levels_read(reader, true, frame->asks, &frame->ask_count);
}

static int snapshot_side_read(struct reader *reader, enum key key)
{
	struct frame *frame = reader->frame;
	return key == KEY_SNAPSHOT_BIDS ? levels_read(reader, false, frame->bids, &frame->bid_count)
					: levels_read(reader, false, frame->asks, &frame->ask_count);
}

static int put_off(struct reader *reader, enum key key)
{
	reader->put_off |= BIT(key);
	reader->value[key] = reader->scan.at;
	return scan_skip(&reader->scan);
}

/* ------------------------------------------------------------------ symbols */

static void route_set(struct reader *reader, uint32_t market)
{
	reader->frame->market = market;
	reader->route = market == ROUTE_NONE ? NULL : &reader->routes->route[market];
}

static int symbol_read(struct reader *reader)
{
	struct scan_string string;
	uint8_t plain[BINANCE_SYMBOL_MAX];
	int status = scan_string(&reader->scan, &string);
	if (status)
		return status;
	int length = (int)string.count;
	if (string.escaped)
		length = scan_unescape(&string, plain, sizeof plain);
	if (length < 0)
		return length == SCAN_OVERFLOW ? SCAN_MARKET : length;
	uint32_t market = routes_find(reader->routes, string.escaped ? plain : string.bytes, (uint32_t)length);
	if (market == ROUTE_NONE)
		return SCAN_MARKET;
	route_set(reader, market);
	return SCAN_OK;
}

/* "btcusdt@depth20@100ms": the symbol in lower case (of the ASCII letters; there are symbols of others). */
static int stream_symbol_read(struct reader *reader)
{
	uint8_t name[BINANCE_SYMBOL_MAX + 32];
	if (reader->stream.count > sizeof name)
		return SCAN_MARKET;
	int length = scan_unescape(&reader->stream, name, sizeof name);
	if (length < 0)
		return length;
	const uint8_t *end = length > 0 ? memchr(name, '@', (size_t)length) : NULL;
	uint32_t count = end ? (uint32_t)(end - name) : 0;
	for (uint32_t i = 0; i < count; i++)
		if (name[i] >= 'a' && name[i] <= 'z')
			name[i] -= 'a' - 'A';
	route_set(reader, routes_find(reader->routes, name, count));
	return reader->route ? SCAN_OK : SCAN_MARKET;
}

/* ------------------------------------------------------------------- values */

static int event_read(struct reader *reader)
{
	struct scan_string name;
	int status = scan_string(&reader->scan, &name);
	if (status)
		return status;
	reader->is_update = name.count == 11 && memcmp(name.bytes, "depthUpdate", 11) == 0;
	reader->is_foreign = !reader->is_update;
	if (name.count == 14 && memcmp(name.bytes, "serverShutdown", 14) == 0)
		reader->frame->kind = FRAME_SHUTDOWN;
	return SCAN_OK;
}

static int time_read(struct reader *reader)
{
	uint64_t ms;
	int status = scan_u64(&reader->scan, &ms);
	if (status)
		return status;
	if (ms > INT64_MAX / 1000000)
		return SCAN_OVERFLOW;
	reader->frame->exchange_ns = (int64_t)ms * 1000000;
	return SCAN_OK;
}

/* A side in its place: of an update, of a ticker, or of an event that has other values under these names. */
static int side_meet(struct reader *reader, enum key key)
{
	uint8_t first = scan_peek(&reader->scan);
	if (first == '"')
		reader->quoted |= BIT(key);
	else if (first != '[')
		reader->odd |= BIT(key);
	if (reader->odd & BIT(key))
		return scan_skip(&reader->scan);
	/* Only a ticker has them without an event's name before; with another event's name they never come here. */
	return reader->route ? side_read(reader, key) : put_off(reader, key);
}

static int snapshot_side_meet(struct reader *reader, enum key key)
{
	if (!reader->route && (reader->seen & BIT(KEY_STREAM))) {
		int status = stream_symbol_read(reader);
		if (status)
			return status;
	}
	return reader->route ? snapshot_side_read(reader, key) : put_off(reader, key);
}

static int object_read(struct reader *reader);

/* "data" of an envelope; an array of events is none of ours. */
static int data_read(struct reader *reader)
{
	if (reader->inside || scan_peek(&reader->scan) != '{')
		return scan_skip(&reader->scan);
	reader->inside = true;
	int status = object_read(reader);
	reader->inside = false;
	return status;
}

static int value_read(struct reader *reader, enum key key)
{
	struct frame *frame = reader->frame;
	switch (key) {
	case KEY_EVENT: return event_read(reader);
	case KEY_STREAM: return scan_string(&reader->scan, &reader->stream);
	case KEY_DATA: return data_read(reader);
	case KEY_REPLY:
	case KEY_OTHER: return scan_skip(&reader->scan);
	default:
		if (reader->is_foreign)
			return scan_skip(&reader->scan);
	}
	switch (key) {
	case KEY_TIME: return time_read(reader);
	case KEY_SYMBOL: return symbol_read(reader);
	case KEY_FIRST: return scan_u64(&reader->scan, &frame->first_id);
	case KEY_LAST:
	case KEY_SNAPSHOT_ID: return scan_u64(&reader->scan, &frame->last_id);
	case KEY_SNAPSHOT_BIDS:
	case KEY_SNAPSHOT_ASKS: return snapshot_side_meet(reader, key);
	default: return side_meet(reader, key);
	}
}

static int object_read(struct reader *reader)
{
	struct scan *scan = &reader->scan;
	if (!scan_take(scan, '{'))
		return scan_expected(scan);
	if (scan_take(scan, '}'))
		return SCAN_OK;
	do {
		enum key key;
		int status = key_read(reader, &key);
		if (status)
			return status;
		if (key < KEY_REPLY && (reader->seen & BIT(key)))
			return SCAN_DUPLICATE;
		reader->seen |= BIT(key);
		status = value_read(reader, key);
		if (status)
			return status;
	} while (scan_take(scan, ','));
	return scan_take(scan, '}') ? SCAN_OK : scan_expected(scan);
}

/* ---------------------------------------------------------------------- end */

static int put_off_read(struct reader *reader, uint32_t keys, int (*read)(struct reader *, enum key))
{
	if ((reader->put_off & keys) && !reader->route)
		return SCAN_MISSING;
	for (enum key key = 0; key < KEY_OTHER; key++) {
		if (!(reader->put_off & keys & BIT(key)))
			continue;
		reader->scan.at = reader->value[key];
		int status = read(reader, key);
		if (status)
			return status;
	}
	return reader->route ? SCAN_OK : SCAN_MISSING;
}

static int update_finish(struct reader *reader)
{
	struct frame *frame = reader->frame;
	if ((reader->seen & UPDATE_KEYS) != UPDATE_KEYS)
		return SCAN_MISSING;
	if (reader->odd || reader->quoted)
		return SCAN_TYPE;
	if (frame->first_id > frame->last_id)
		return SCAN_SEQUENCE;
	frame->kind = FRAME_UPDATE;
	return put_off_read(reader, SIDE_KEYS, side_read);
}

static int snapshot_finish(struct reader *reader)
{
	struct frame *frame = reader->frame;
	if ((reader->seen & SNAPSHOT_KEYS) != SNAPSHOT_KEYS)
		return SCAN_MISSING;
	if (!reader->route && (reader->seen & BIT(KEY_STREAM))) {
		int status = stream_symbol_read(reader);
		if (status)
			return status;
	}
	frame->kind = FRAME_SNAPSHOT;
	frame->first_id = frame->last_id;
	return put_off_read(reader, SNAPSHOT_KEYS, snapshot_side_read);
}

static void ticker_end(struct frame *frame)
{
	frame->kind = FRAME_TICKER;
	frame->first_id = frame->last_id;
	frame->bid_count = frame->bids[0].price > 0 && frame->bids[0].qty > 0;
	frame->ask_count = frame->asks[0].price > 0 && frame->asks[0].qty > 0;
}

static int ticker_finish(struct reader *reader)
{
	struct frame *frame = reader->frame;
	if ((reader->seen & TICKER_KEYS) != TICKER_KEYS)
		return SCAN_MISSING;
	if (reader->odd || reader->quoted != SIDE_KEYS)
		return SCAN_TYPE;
	int status = put_off_read(reader, SIDE_KEYS, side_read);
	if (status)
		return status;
	ticker_end(frame);
	return SCAN_OK;
}

static int frame_finish(struct reader *reader)
{
	if (reader->is_foreign)
		return SCAN_OK; /* OTHER or SHUTDOWN */
	if (reader->is_update)
		return update_finish(reader);
	if (reader->seen & SNAPSHOT_KEYS)
		return snapshot_finish(reader);
	if (reader->seen & (BIT(KEY_BID_QTY) | BIT(KEY_ASK_QTY)))
		return ticker_finish(reader);
	if (reader->seen & (SIDE_KEYS | BIT(KEY_FIRST) | BIT(KEY_LAST)))
		return SCAN_MISSING;
	if (reader->seen & BIT(KEY_REPLY))
		reader->frame->kind = FRAME_REPLY;
	return SCAN_OK;
}

/* -------------------------------------------------------------- as it comes */

static inline bool words_take(struct scan *scan, const char *words, size_t count)
{
	if ((size_t)(scan->end - scan->at) < count || memcmp(scan->at, words, count) != 0)
		return false;
	scan->at += count;
	return true;
}

#define WORDS_TAKE(scan, literal) words_take(scan, literal, sizeof(literal) - 1)

/* Nothing in this piece of text is escaped or out of the ordinary, so that its end is the next quote. */
static inline bool plain_take(struct scan *scan, uint8_t end, struct scan_string *ret_plain)
{
	const uint8_t *at = scan->at;
	while (at<scan->end && * at> ' ' && *at < 0x7f && *at != '"' && *at != '\\' && *at != end)
		at++;
	*ret_plain = (struct scan_string){scan->at, (uint32_t)(at - scan->at), false};
	scan->at = at;
	return at < scan->end && *at == end;
}

/* Nine frames of ten are a ticker in the very shape that Binance sends: no key has to be looked up, no blank skipped.
 * False: it is something else, or not in order; nothing was learnt of it. */
static bool ticker_as_it_comes(struct reader *reader)
{
	struct scan *scan = &reader->scan;
	struct frame *frame = reader->frame;
	struct scan_string name;
	bool wrapped = WORDS_TAKE(scan, "{\"stream\":\"");
	if (wrapped && (!plain_take(scan, '@', &name) || !WORDS_TAKE(scan, "@bookTicker\",\"data\":")))
		return false;
	if (!WORDS_TAKE(scan, "{\"u\":") || scan_u64(scan, &frame->last_id) || !WORDS_TAKE(scan, ",\"s\":\"") ||
	    !plain_take(scan, '"', &name))
		return false;
	route_set(reader, routes_find(reader->routes, name.bytes, name.count));
	reader->quoted = SIDE_KEYS;
	return reader->route && WORDS_TAKE(scan, "\",\"b\":") && !best_read(reader, KEY_BIDS) &&
	       WORDS_TAKE(scan, ",\"B\":") && !best_read(reader, KEY_BID_QTY) && WORDS_TAKE(scan, ",\"a\":") &&
	       !best_read(reader, KEY_ASKS) && WORDS_TAKE(scan, ",\"A\":") && !best_read(reader, KEY_ASK_QTY) &&
	       WORDS_TAKE(scan, "}") && (!wrapped || WORDS_TAKE(scan, "}")) && scan->at == scan->end;
}

/* -------------------------------------------------------------------- whole */

static void reader_begin(struct reader *reader, const uint8_t *bytes, size_t count, uint32_t market)
{
	reader->scan = (struct scan){bytes, bytes + count};
	reader->seen = reader->put_off = reader->quoted = reader->odd = 0;
	reader->is_update = reader->is_foreign = reader->inside = false;
	memset(reader->frame, 0, offsetof(struct frame, bids));
	route_set(reader, market);
}

int frame_decode(const struct routes *routes, uint32_t market, const uint8_t *bytes, size_t count,
		 struct frame *ret_frame)
{
	struct reader reader;
	reader.routes = routes;
	reader.frame = ret_frame;
	reader_begin(&reader, bytes, count, market);
	if (ticker_as_it_comes(&reader)) {
		ticker_end(ret_frame);
		return SCAN_OK;
	}
	reader_begin(&reader, bytes, count, market);
	int status = object_read(&reader);
	if (status)
		return status;
	scan_blank(&reader.scan);
	if (reader.scan.at != reader.scan.end)
		return SCAN_TRAILING;
	return frame_finish(&reader);
}
