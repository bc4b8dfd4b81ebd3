/* Recorded depth streams from their REST snapshots: every frame decodes, no gap, and the books equal those of a decoder
 * that shares nothing with ours (json-c, decimals digit by digit, levels in a heap). Skipped without the data. */
#include <json-c/json.h>

#include "exchanges/binance/catalogue.h"
#include "exchanges/binance/depth.h"
#include "exchanges/binance/ladder.h"
#include "tests/tap.h"
#include "tests/unit/exchanges/binance/data.h"

static struct routes routes;
static struct frame frame, answer;

static void book_ignore(void *ctx, const struct tg_book_event *event)
{
	(void)ctx, (void)event; /* the ladder is looked at */
}

static struct depth *depth_new(void)
{
	struct depth_options options = {&routes, NULL, book_ignore, DEPTH_FETCHES_MAX, 1000};
	struct depth *depth;
	if (depth_create(&options, &depth) != TG_OK)
		abort();
	return depth;
}

#define LEVELS 4000

struct plain_book {
	int64_t price[2][LEVELS], qty[2][LEVELS]; /* in 1e-8; bids, asks; unsorted */
	uint32_t count[2];
	uint64_t id; /* 0: no snapshot yet */
};

static struct plain_book plain[64];

static int64_t plain_number(const char *text)
{
	int64_t value = 0, places = -1;
	for (; *text; text++) {
		if (*text == '.') {
			places = 0;
			continue;
		}
		value = value * 10 + (*text - '0');
		places += places >= 0;
	}
	for (places = places < 0 ? 0 : places; places < 8; places++)
		value *= 10;
	return value;
}

static void plain_set(struct plain_book *book, int side, int64_t price, int64_t qty)
{
	uint32_t at = 0;
	while (at < book->count[side] && book->price[side][at] != price)
		at++;
	if (at == LEVELS)
		abort();
	if (at == book->count[side])
		book->count[side]++;
	book->price[side][at] = price;
	book->qty[side][at] = qty;
}

static void plain_apply(struct plain_book *book, struct json_object *object, const char *bids, const char *asks)
{
	for (int side = 0; side < 2; side++) {
		struct json_object *levels = json_object_object_get(object, side ? asks : bids);
		for (size_t i = 0; i < json_object_array_length(levels); i++) {
			struct json_object *level = json_object_array_get_idx(levels, i);
			plain_set(book, side, plain_number(json_object_get_string(json_object_array_get_idx(level, 0))),
				  plain_number(json_object_get_string(json_object_array_get_idx(level, 1))));
		}
	}
}

/* The n-th best price of a side that has a quantity. */
static bool plain_best(const struct plain_book *book, int side, int64_t behind, int64_t *ret_price, int64_t *ret_qty)
{
	bool found = false;
	*ret_price = *ret_qty = 0;
	for (uint32_t i = 0; i < book->count[side]; i++) {
		int64_t price = side ? book->price[side][i] : -book->price[side][i];
		if (book->qty[side][i] == 0 || price <= behind || (found && price >= *ret_price))
			continue;
		*ret_price = price;
		*ret_qty = book->qty[side][i];
		found = true;
	}
	return found;
}

static int64_t scaled(int64_t mantissa, uint32_t scale)
{
	for (; scale < 8; scale++)
		mantissa *= 10;
	return mantissa;
}

static bool plain_equals(const struct plain_book *book, const struct ladder *ladder, const struct route *route)
{
	for (int side = 0; side < 2; side++) {
		const struct ladder_side *ours = side ? &ladder->asks : &ladder->bids;
		int64_t behind = INT64_MIN, price, qty;
		for (uint32_t i = 0; i < ours->count; i++) {
			if (!plain_best(book, side, behind, &price, &qty))
				return false;
			behind = price;
			int64_t mine = scaled(ours->level[i].price, route->price_scale);
			if (mine != (side ? price : -price) || scaled(ours->level[i].qty, route->qty_scale) != qty)
				return false;
		}
	}
	return true;
}

struct recorded {
	struct depth *depth;
	const struct routes *routes;
	struct depth_fetch fetch[64];
	char *answers; /* lines of the HTTP capture that are still to come */
	uint32_t updates, tickers, compared, different, undecoded;
};

static uint64_t id_of(struct json_object *object, const char *key)
{
	return (uint64_t)json_object_get_int64(json_object_object_get(object, key));
}

/* "https://..symbol=NKNUSDT&limit=1000 -> TIME: BODY", once its time has come. */
static void recorded_answers(struct recorded *recorded, double until)
{
	while (recorded->answers && *recorded->answers) {
		char *line = recorded->answers, *end = strchr(line, '\n'), *arrow = strstr(line, " -> ");
		char *symbol = strstr(line, "symbol=");
		if (!end || !arrow || !symbol || arrow > end || symbol > end) {
			recorded->answers = end ? end + 1 : NULL;
			continue;
		}
		if (strtod(arrow + 4, NULL) > until)
			return;
		symbol += strlen("symbol=");
		uint32_t market = routes_find(recorded->routes, symbol, (uint32_t)strcspn(symbol, "&"));
		char *body = strchr(arrow, '{');
		size_t count = (size_t)(end - body);
		recorded->answers = end + 1;
		*end = '\0';
		recorded->undecoded +=
			frame_decode(recorded->routes, market, (uint8_t *)body, count, &answer) != SCAN_OK;
		depth_snapshot(recorded->depth, recorded->fetch[market].id, &answer, 1);
		struct json_object *object = json_tokener_parse(body);
		plain_apply(&plain[market], object, "bids", "asks");
		plain[market].id = id_of(object, "lastUpdateId");
		json_object_put(object);
	}
}

static void recorded_update(struct recorded *recorded, struct json_object *data)
{
	struct plain_book *book = &plain[frame.market];
	recorded->updates++;
	depth_update(recorded->depth, &frame, 1, false);
	if (book->id == 0 || id_of(data, "u") <= book->id)
		return;
	plain_apply(book, data, "b", "a");
	const struct ladder *ladder = depth_ladder(recorded->depth, frame.market);
	recorded->compared++;
	recorded->different += !ladder || !plain_equals(book, ladder, &recorded->routes->route[frame.market]);
}

static bool ticker_equals(const struct recorded *recorded, struct json_object *data)
{
	const struct route *route = &recorded->routes->route[frame.market];
#define NUMBER(key) plain_number(json_object_get_string(json_object_object_get(data, key)))
	return scaled(frame.bids[0].price, route->price_scale) == NUMBER("b") &&
	       scaled(frame.bids[0].qty, route->qty_scale) == NUMBER("B") &&
	       scaled(frame.asks[0].price, route->price_scale) == NUMBER("a") &&
	       scaled(frame.asks[0].qty, route->qty_scale) == NUMBER("A");
#undef NUMBER
}

static void recorded_frame(struct recorded *recorded, char *line)
{
	char *body = strchr(line, '{');
	if (!body || line[0] < '0' || line[0] > '9')
		return;
	recorded_answers(recorded, strtod(line, NULL));
	if (frame_decode(recorded->routes, ROUTE_NONE, (uint8_t *)body, strlen(body), &frame) != SCAN_OK) {
		recorded->undecoded++;
		return;
	}
	struct json_object *object = json_tokener_parse(body), *data = json_object_object_get(object, "data");
	if (frame.kind == FRAME_UPDATE)
		recorded_update(recorded, data);
	if (frame.kind == FRAME_TICKER) {
		recorded->tickers++;
		recorded->different += !ticker_equals(recorded, data);
	}
	json_object_put(object);
}

/* Of the whole catalogue only the four markets are kept, so that their indices are small. */
static void recorded_routes(const char *info, size_t size)
{
	static const char *const SYMBOLS[] = {"NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"};
	struct catalogue_fees fees = {{10, 0, 0}, {10, 0, 0}, ""};
	struct catalogue_changes changes;
	struct catalogue *catalogue;
	if (catalogue_create(&fees, &catalogue) ||
	    catalogue_update(catalogue, (const uint8_t *)info, size, &changes, NULL))
		abort();
	const struct routes *all = catalogue_routes(catalogue);
	memset(&routes, 0, sizeof routes);
	for (uint32_t i = 0; i < 4; i++) {
		routes_add(&routes, (struct tg_str){SYMBOLS[i], strlen(SYMBOLS[i])});
		routes.route[i] = all->route[routes_find(all, SYMBOLS[i], (uint32_t)strlen(SYMBOLS[i]))];
	}
	catalogue_destroy(catalogue);
}

static void test_recorded(void)
{
	size_t size, info_size;
	char *frames = data_read("binance-depth-bookticker-2021-10-12.ws.txt", &size);
	char *answers = data_read("binance-depth-2021-10-12.http.txt", &size);
	char *info = data_read("binance-exchange-info-2021-10-12.json", &info_size);
	if (frames && answers && info) {
		recorded_routes(info, info_size);
		struct recorded recorded = {.depth = depth_new(), .routes = &routes, .answers = answers};
		struct depth_fetch fetch;
		for (uint32_t i = 0; i < routes.count; i++)
			depth_open(recorded.depth, i, 0);
		while (depth_fetch(recorded.depth, 0, &fetch))
			recorded.fetch[fetch.market] = fetch;
		for (char *line = strtok(frames, "\n"); line; line = strtok(NULL, "\n"))
			recorded_frame(&recorded, line);
		is_int(recorded.undecoded, 0, "every recorded frame is decoded");
		is_int(depth_counts(recorded.depth).synced, 4, "every market from its first snapshot");
		is_int(depth_counts(recorded.depth).gaps, 0, "without a gap");
		is_int(recorded.different, 0, "%u books and %u tickers are those of the plain decoder",
		       recorded.compared, recorded.tickers);
		ok(recorded.compared > 100 && recorded.tickers > 10, "out of %u updates", recorded.updates);
		depth_destroy(recorded.depth);
	} else {
		tap_skip("recorded depth", "no recorded data (TRIGATE_DATA)");
	}
	free(frames);
	free(answers);
	free(info);
}

int main(void)
{
	test_recorded();
	return tap_done();
}
