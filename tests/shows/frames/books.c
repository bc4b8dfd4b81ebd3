#include "tests/shows/frames/frames.h"

#include <string.h>

#include "exchanges/binance/depth.h"
#include "exchanges/binance/quotes.h"
#include "exchanges/binance/reply.h"

struct catalogue *catalogue;
struct markets *markets;
int64_t mono_ns = MS;
static struct quotes quotes;
static struct depth *depth;
static struct frame frame;

static void on_book(void *ctx, const struct tg_book_event *event)
{
	(void)ctx;
	if (book_apply(&markets->market[event->market], event) < 0)
		say_status("book refused", TG_ERR_INVALID, NULL);
}

static struct json_object *side_json(const struct market *market, const struct level *level, uint32_t count)
{
	struct json_object *side = json_object_new_array();
	for (uint32_t i = 0; i < count; i++) {
		struct tg_decimal price = {level[i].ticks * market->tick.mantissa, market->tick.scale, 0};
		struct tg_decimal qty = {level[i].lots * market->lot.mantissa, market->lot.scale, 0};
		struct json_object *pair = json_object_new_array();
		char text[64];
		json_object_array_add(
			pair, json_object_new_string_len(text, (int)tg_decimal_format(price, text, sizeof text)));
		json_object_array_add(pair,
				      json_object_new_string_len(text, (int)tg_decimal_format(qty, text, sizeof text)));
		json_object_array_add(side, pair);
	}
	return side;
}

/* The gateway's book, as far as it goes. */
static void book_say(uint32_t id)
{
	const struct market *market = &markets->market[id];
	say_begin("book");
	say_text("market", text_of(market->symbol));
	say_number("id", (int64_t)market->book.sequence);
	json_object_object_add(said, "bids", side_json(market, market->book.bids, market->book.bid_count));
	json_object_object_add(said, "asks", side_json(market, market->book.asks, market->book.ask_count));
	say_end();
}

static struct depth *depth_begin(void)
{
	const struct depth_options options = {catalogue_routes(catalogue), NULL, on_book, DEPTH_FETCHES_MAX,
					      LADDER_HELD};
	struct depth *made;
	if (depth_create(&options, &made))
		misuse("out of memory");
	return made;
}

/* ["info", EXCHANGE_INFO] */
void info_command(void)
{
	const struct catalogue_fees fees = {{10, 0, 0}, {10, 0, 0}, ""};
	struct catalogue_changes changes = {0};
	struct tg_error error = tg_error_init();
	if (!catalogue && (catalogue_create(&fees, &catalogue) || markets_create(&markets)))
		misuse("out of memory");
	int status = catalogue_update(catalogue, (const uint8_t *)word(1), strlen(word(1)), &changes, &error);
	for (uint32_t i = 0; !status && i < changes.count; i++) {
		struct tg_instrument instrument = catalogue_instrument(catalogue, changes.market[i]);
		status = markets_update(markets, &instrument, &error);
	}
	say_status("info", status, &error);
	if (!depth) {
		depth = depth_begin();
		quotes_init(&quotes, catalogue_routes(catalogue), on_book, NULL);
	}
}

uint32_t market_of(const char *symbol)
{
	uint32_t market = routes_find(catalogue_routes(catalogue), symbol, (uint32_t)strlen(symbol));
	if (market == ROUTE_NONE)
		misuse("no such market");
	return market;
}

static void fetches_say(void)
{
	struct depth_fetch fetch;
	while (depth_fetch(depth, mono_ns, &fetch)) {
		say_begin("fetch");
		say_text("market", text_of(markets->market[fetch.market].symbol));
		say_number("fetch", (int64_t)fetch.id);
		say_number("limit", fetch.limit);
		say_end();
	}
}

/* ["open", SYMBOL]: its updates are flowing */
void open_command(void)
{
	depth_open(depth, market_of(word(1)), mono_ns);
	fetches_say();
}

static void reply_say(const char *bytes)
{
	struct reply reply;
	struct tg_error error = tg_error_init();
	int status = reply_read((const uint8_t *)bytes, strlen(bytes), &reply, &error);
	say_begin("reply");
	say_text("status", text_of(tg_status_text(status)));
	if (!status) {
		say_number("ok", reply.ok);
		say_number("id", reply.id);
		say_number("code", reply.ok ? 0 : reply.code);
		say_text("message", text_of(reply.ok ? "" : reply.message));
	}
	say_end();
}

static void frame_take(void)
{
	switch (frame.kind) {
	case FRAME_UPDATE: depth_update(depth, &frame, mono_ns, false); break;
	case FRAME_TICKER:
	case FRAME_SNAPSHOT: quotes_frame(&quotes, &frame, mono_ns); break;
	default: break;
	}
}

static void frame_say(int status)
{
	static const char *const kinds[] = {"other", "ticker", "update", "snapshot", "reply", "shutdown"};
	say_begin("frame");
	say_text("kind", text_of(status ? "refused" : kinds[frame.kind]));
	if (status)
		say_text("why", text_of(scan_text(status)));
	if (frame.market != ROUTE_NONE)
		say_text("market", text_of(markets->market[frame.market].symbol));
	if (!status && frame.kind == FRAME_UPDATE) {
		say_number("first", (int64_t)frame.first_id);
		say_number("exchange_ms", frame.exchange_ns / MS);
	}
	if (!status && frame.kind != FRAME_OTHER && frame.last_id)
		say_number("last", (int64_t)frame.last_id);
	say_end();
}

/* As a connector does: into the books of depth or of quotes, or a broken one out of them. */
static void frame_handle(uint32_t market, const char *bytes)
{
	int status = frame_decode(catalogue_routes(catalogue), market, (const uint8_t *)bytes, strlen(bytes), &frame);
	frame_say(status);
	if (status && frame.market != ROUTE_NONE) {
		depth_refuse(depth, frame.market, mono_ns);
		quotes_lost(&quotes, frame.market);
	} else if (!status && frame.kind == FRAME_REPLY) {
		reply_say(bytes);
	} else if (!status) {
		frame_take();
	}
	if (frame.market != ROUTE_NONE)
		book_say(frame.market);
	fetches_say();
}

/* ["frame", JSON] */
void frame_command(void)
{
	frame_handle(ROUTE_NONE, word(1));
}

/* ["snapshot", SYMBOL, FETCH, JSON] */
void snapshot_command(void)
{
	const char *bytes = word(3);
	int status = frame_decode(catalogue_routes(catalogue), market_of(word(1)), (const uint8_t *)bytes,
				  strlen(bytes), &frame);
	frame_say(status);
	if (status || frame.kind != FRAME_SNAPSHOT)
		depth_failed(depth, (uint64_t)number(2), 0, mono_ns);
	else
		depth_snapshot(depth, (uint64_t)number(2), &frame, mono_ns);
	book_say(market_of(word(1)));
	fetches_say();
}

/* ["counts"] */
void counts_command(void)
{
	struct depth_counts counts = depth_counts(depth);
	say_begin("counts");
	say_number("gaps", (int64_t)counts.gaps);
	say_number("refused", (int64_t)(counts.refused + quotes.refused));
	say_number("crossed", (int64_t)counts.crossed);
	say_number("synced", (int64_t)counts.synced);
	say_end();
}

void books_end(void)
{
	depth_destroy(depth);
	catalogue_destroy(catalogue);
	markets_destroy(markets);
}
