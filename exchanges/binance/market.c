#include "exchanges/binance/spot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchanges/binance/document.h"

#define SNAPSHOT_WEIGHT 5 /* GET /api/v3/depth with a limit of 1 to 100 */
#define TOO_MANY_NS 50000000

/* A quiet market sends nothing, and a dead connection neither: after PROBE_NS of silence the server is asked for its
 * list, and without an answer the host takes the connection for lost. */
#define PROBE_NS 15000000000
#define SILENCE_MS 40000
static const char PROBE[] = "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":1000000000000}"; /* no id of feeds comes near */

static const struct line_events LINE_EVENTS;

/* --------------------------------------------------------------- life */

static void on_book(void *ctx, const struct tg_book_event *event)
{
	struct spot *spot = ctx;
	spot->events->book(spot->events->ctx, event);
}

static int books_create(struct spot *spot)
{
	struct market_data *market = &spot->market;
	const struct routes *routes = catalogue_routes(spot->catalogue);
	const struct depth_options options = {
		.routes = routes, .ctx = spot, .book = on_book, .fetches_max = DEPTH_FETCHES_MAX, .limit = LADDER_HELD};
	if (spot->settings.keeps_depth)
		return depth_create(&options, &market->depth);
	market->quotes = calloc(1, sizeof *market->quotes);
	if (!market->quotes)
		return TG_ERR_NO_MEMORY;
	quotes_init(market->quotes, routes, on_book, spot);
	return TG_OK;
}

int market_data_create(struct spot *spot)
{
	struct market_data *market = &spot->market;
	for (uint32_t i = 0; i < FEED_LINKS_MAX; i++) {
		struct line *line = &market->line[i];
		*line = (struct line){.spot = spot, .link = i, .events = &LINE_EVENTS, .silence_ms = SILENCE_MS};
		snprintf(line->url, sizeof line->url, "%s/stream", spot->settings.stream_url);
	}
	market->frame = malloc(sizeof *market->frame);
	if (!market->frame)
		return TG_ERR_NO_MEMORY;
	int status = feeds_create(catalogue_routes(spot->catalogue), spot->settings.stream, &market->feeds);
	return status ? status : books_create(spot);
}

void market_data_destroy(struct spot *spot)
{
	feeds_destroy(spot->market.feeds);
	depth_destroy(spot->market.depth);
	free(spot->market.quotes);
	free(spot->market.frame);
}

void market_data_stop(struct spot *spot)
{
	for (uint32_t i = 0; i < FEED_LINKS_MAX; i++)
		line_stop(&spot->market.line[i]);
}

int market_data_subscribe(struct spot *spot, uint32_t market, bool *ret_new)
{
	int status = feeds_add(spot->market.feeds, market);
	*ret_new = status == TG_OK;
	return status == TG_ERR_EXISTS ? TG_OK : status;
}

bool market_data_is_lost(const struct spot *spot)
{
	return spot->market.was_up && spot->market.up_count == 0;
}

/* -------------------------------------------------------------- frames */

/* What a frame of an up market said cannot be believed. */
static void book_refuse(struct spot *spot, uint32_t index, int64_t now_ns)
{
	struct market_data *market = &spot->market;
	if (index == ROUTE_NONE || !market->up[index])
		return;
	if (market->depth) {
		depth_refuse(market->depth, index, now_ns);
		return;
	}
	quotes_lost(market->quotes, index);
	quiet_want(spot, index);
}

static void frame_refuse(struct spot *spot, int code, int64_t now_ns)
{
	struct market_data *market = &spot->market;
	struct tg_error error = tg_error_init();
	if (market->refused++ % 1000 == 0) { /* enough to see that it goes on */
		tg_error_set(&error, TG_ERR_INVALID, "%s (%llu so far)", scan_text(code),
			     (unsigned long long)market->refused);
		spot_log(spot, TG_LOG_WARN, "a frame of the market streams is not understood", &error);
	}
	book_refuse(spot, market->frame->market, now_ns);
	spot_wake_by(spot, now_ns);
}

/* Frames of a market whose subscription was not yet confirmed are left: if the connection went now, nobody would say
 * that they do not come any more. */
static void book_take(struct spot *spot, struct line *line, int64_t received_ns)
{
	struct market_data *market = &spot->market;
	const struct frame *frame = market->frame;
	feeds_delivered(market->feeds, line->link);
	if (!market->up[frame->market])
		return;
	if (frame->kind == FRAME_UPDATE && market->depth)
		depth_update(market->depth, frame, received_ns, feeds_is_doubled(market->feeds, line->link));
	else if (frame->kind != FRAME_UPDATE && market->quotes && !quotes_frame(market->quotes, frame, received_ns))
		quiet_want(spot, frame->market);
	if (market->depth)
		spot_wake_by(spot, depth_wake(market->depth));
}

static void reply_take(struct spot *spot, struct line *line, const uint8_t *bytes, uint64_t count, int64_t now_ns)
{
	struct reply reply;
	struct tg_error error = tg_error_init();
	if (reply_read(bytes, count, &reply, &error) != TG_OK) {
		spot_log(spot, TG_LOG_WARN, "an answer of the market streams is not understood", &error);
		return;
	}
	if (!reply.ok) {
		tg_error_set(&error, TG_ERR_REJECTED, "%s", reply.message);
		error.exchange_code = reply.code;
		spot_log(spot, TG_LOG_WARN, "the market streams refuse a request", &error);
	}
	feeds_reply(spot->market.feeds, line->link, &reply, now_ns);
	spot_wake_by(spot, now_ns);
}

static void line_message(struct line *line, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	struct spot *spot = line->spot;
	struct market_data *market = &spot->market;
	int code = frame_decode(catalogue_routes(spot->catalogue), ROUTE_NONE, bytes, count, market->frame);
	if (code) {
		frame_refuse(spot, code, received_ns);
		return;
	}
	switch (market->frame->kind) {
	case FRAME_TICKER:
	case FRAME_UPDATE:
	case FRAME_SNAPSHOT: book_take(spot, line, received_ns); break;
	case FRAME_REPLY: reply_take(spot, line, bytes, count, spot_now_ns(spot)); break;
	case FRAME_SHUTDOWN:
		feeds_leave(market->feeds, line->link);
		spot_wake_by(spot, received_ns);
		break;
	case FRAME_OTHER: break;
	}
}

/* --------------------------------------------------------- connections */

static void line_opened(struct line *line)
{
	struct spot *spot = line->spot;
	spot->market.probed_ns[line->link] = 0;
	feeds_opened(spot->market.feeds, line->link, spot_now_ns(spot));
}

static void line_closed(struct line *line, const struct tg_error *reason)
{
	struct spot *spot = line->spot;
	spot->reason = *reason;
	spot_log(spot, TG_LOG_WARN, "market streams are lost or cannot be opened", reason);
	feeds_closed(spot->market.feeds, line->link);
}

static const struct line_events LINE_EVENTS = {.opened = line_opened, .closed = line_closed, .message = line_message};

static void markets_up(struct spot *spot, const struct feed_action *action, int64_t now_ns)
{
	struct market_data *market = &spot->market;
	for (uint32_t i = 0; i < action->market_count; i++) {
		uint32_t index = action->markets[i];
		market->up[index] = true;
		if (market->depth)
			depth_open(market->depth, index, now_ns);
		else
			quiet_want(spot, index);
	}
	market->up_count += action->market_count;
	market->was_up = true;
	if (market->up_count == spot->fees.count) {
		char text[64];
		snprintf(text, sizeof text, "streams of %u markets are up", market->up_count);
		spot_log(spot, TG_LOG_INFO, text, NULL);
	}
}

static void markets_lost(struct spot *spot, const struct feed_action *action)
{
	struct market_data *market = &spot->market;
	for (uint32_t i = 0; i < action->market_count; i++) {
		uint32_t index = action->markets[i];
		market->up[index] = false;
		if (market->depth)
			depth_lost(market->depth, index);
		else
			quotes_lost(market->quotes, index);
	}
	market->up_count -= action->market_count;
}

static void action_do(struct spot *spot, const struct feed_action *action, int64_t now_ns)
{
	struct line *line = &spot->market.line[action->link];
	switch (action->kind) {
	case FEED_OPEN: line_open(line); break;
	case FEED_CLOSE: line_close(line); break;
	case FEED_SEND: line_send(line, action->bytes, action->count); break; /* unanswered it is sent again */
	case FEED_UP: markets_up(spot, action, now_ns); break;
	case FEED_LOST: markets_lost(spot, action); break;
	}
}

/* When an open line is to be probed. */
static int64_t probe_due_ns(const struct market_data *market, uint32_t link)
{
	const struct line *line = &market->line[link];
	int64_t last_ns = market->probed_ns[link] > line->heard_ns ? market->probed_ns[link] : line->heard_ns;
	return line->is_open ? last_ns + PROBE_NS : SPOT_NEVER;
}

static void lines_keep(struct spot *spot, int64_t now_ns)
{
	struct market_data *market = &spot->market;
	for (uint32_t i = 0; i < FEED_LINKS_MAX; i++) {
		line_step(&market->line[i], now_ns);
		if (probe_due_ns(market, i) > now_ns)
			continue;
		market->probed_ns[i] = now_ns;
		line_send(&market->line[i], (const uint8_t *)PROBE, sizeof PROBE - 1);
	}
}

/* ----------------------------------------------------------- snapshots */

/* Which market an answer is of it has to say itself: more may be under way than depth waits for, as an answer that
 * nobody wants any more still comes. */
#define TAG_MARKET_BITS 16
_Static_assert(BINANCE_MARKETS_MAX <= 1 << TAG_MARKET_BITS, "a market fits into a tag");

static uint64_t tag_make(const struct depth_fetch *fetch)
{
	return fetch->id << TAG_MARKET_BITS | fetch->market;
}

static void on_snapshot(void *ctx, const struct rest_answer *answer)
{
	struct spot *spot = ctx;
	struct market_data *market = &spot->market;
	const uint64_t id = answer->tag >> TAG_MARKET_BITS;
	const uint32_t index = answer->tag & ((1 << TAG_MARKET_BITS) - 1);
	int64_t now_ns = spot_now_ns(spot);
	if (answer->status)
		depth_failed(market->depth, id, answer->error->retry_after_ns, now_ns);
	else if (frame_decode(catalogue_routes(spot->catalogue), index, (const uint8_t *)answer->body.ptr,
			      answer->body.len, market->frame) != SCAN_OK)
		depth_failed(market->depth, id, 0, now_ns);
	else
		depth_snapshot(market->depth, id, market->frame, now_ns);
	spot_settle(spot);
}

static void snapshot_ask(struct spot *spot, const struct depth_fetch *fetch, int64_t now_ns)
{
	struct tg_error error = tg_error_init();
	char params[32 + 3 * BINANCE_SYMBOL_MAX] = "symbol=";
	rest_encode(params, sizeof params, catalogue_instrument(spot->catalogue, fetch->market).symbol);
	snprintf(params + strlen(params), 20, "&limit=%u", fetch->limit);
	const struct rest_ask request = {
		.path = "/api/v3/depth",
		.params = params,
		.weight = SNAPSHOT_WEIGHT,
		.timeout_ms = REST_ANSWER_MS,
		.tag = tag_make(fetch),
		.done = on_snapshot,
		.ctx = spot,
	};
	if (rest_get(&spot->rest, &request, &error) != TG_OK)
		depth_failed(spot->market.depth, fetch->id,
			     error.retry_after_ns > 0 ? error.retry_after_ns : TOO_MANY_NS, now_ns);
}

/* ---------------------------------------------------------------- time */

void market_data_rescale(struct spot *spot, uint32_t index, bool steps_changed)
{
	struct market_data *market = &spot->market;
	if (!market->up[index])
		return;
	if (market->depth) {
		depth_rescale(market->depth, index, steps_changed, spot_now_ns(spot));
	} else if (steps_changed) {
		quotes_lost(market->quotes, index);
		quiet_want(spot, index);
	}
}

/* A ladder remembers its book, quotes do not. */
void market_data_retell(struct spot *spot)
{
	struct market_data *market = &spot->market;
	for (uint32_t i = 0; i < catalogue_routes(spot->catalogue)->count && market->up_count > 0; i++)
		market_data_rescale(spot, i, market->quotes != NULL);
}

void market_data_step(struct spot *spot, int64_t now_ns)
{
	struct market_data *market = &spot->market;
	struct feed_action action;
	struct depth_fetch fetch;
	lines_keep(spot, now_ns);
	while (feeds_next(market->feeds, now_ns, &action))
		action_do(spot, &action, now_ns);
	while (market->depth && depth_fetch(market->depth, now_ns, &fetch))
		snapshot_ask(spot, &fetch, now_ns);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t market_data_wake(const struct spot *spot)
{
	const struct market_data *market = &spot->market;
	int64_t wake_ns = feeds_wake(market->feeds);
	if (market->depth)
		wake_ns = earlier(wake_ns, depth_wake(market->depth));
	for (uint32_t i = 0; i < FEED_LINKS_MAX; i++)
		wake_ns = earlier(wake_ns, earlier(probe_due_ns(market, i), line_wake(&market->line[i])));
	return wake_ns;
}
