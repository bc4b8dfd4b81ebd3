/* Hot frames, and all that becomes of them: decoded or refused, the same whatever lies behind their end; what is
 * decoded goes into books, which stay sorted and uncrossed. */
#include <stdlib.h>
#include <string.h>

#include "exchanges/binance/depth.h"
#include "exchanges/binance/ladder.h"
#include "exchanges/binance/quotes.h"
#include "exchanges/binance/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct routes routes;
static struct frame frame;
static struct quotes quotes;

static void routes_make(void)
{
	static const char *const SYMBOLS[] = {"BTCUSDT", "BNBUSDT", "\xe5\xb8\x81USDT"};
	if (routes.count)
		return;
	for (uint32_t i = 0; i < 3; i++) {
		routes_add(&routes, (struct tg_str){SYMBOLS[i], strlen(SYMBOLS[i])});
		routes.route[i].price_scale = (uint8_t)(2 * i);
		routes.route[i].qty_scale = (uint8_t)(9 - 2 * i);
		routes.route[i].tick = routes.route[i].lot = i == 1 ? 5 : 1;
	}
}

static void event_check(void *ctx, const struct tg_book_event *event)
{
	(void)ctx;
	if (event->market >= routes.count)
		abort();
	if (!(event->flags & TG_BOOK_SNAPSHOT))
		return;
	for (uint32_t i = 1; i < event->bid_count; i++)
		if (event->bids[i - 1].price <= event->bids[i].price)
			abort();
	for (uint32_t i = 1; i < event->ask_count; i++)
		if (event->asks[i - 1].price >= event->asks[i].price)
			abort();
	if (event->bid_count && event->ask_count && event->bids[0].price >= event->asks[0].price)
		abort();
}

/* A line each; between them a snapshot that is asked for. */
static void line_take(struct depth *depth, const uint8_t *line, size_t count, int64_t now_ns)
{
	struct depth_fetch fetch;
	if (depth_fetch(depth, now_ns, &fetch)) {
		if (frame_decode(&routes, fetch.market, line, count, &frame) == SCAN_OK)
			depth_snapshot(depth, fetch.id, &frame, now_ns);
		else
			depth_failed(depth, fetch.id, 0, now_ns);
		return;
	}
	int status = frame_decode(&routes, ROUTE_NONE, line, count, &frame);
	if (status) {
		if (frame.market != ROUTE_NONE)
			depth_refuse(depth, frame.market, now_ns);
		return;
	}
	if (frame.kind == FRAME_UPDATE)
		depth_update(depth, &frame, now_ns, count % 2);
	if (frame.kind == FRAME_TICKER || frame.kind == FRAME_SNAPSHOT)
		quotes_frame(&quotes, &frame, now_ns);
	struct reply reply;
	if (frame.kind == FRAME_REPLY)
		reply_read(line, count, &reply, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct depth_options options = {&routes, NULL, event_check, 1, 100};
	struct depth *depth;
	routes_make();
	if (depth_create(&options, &depth) != TG_OK)
		return 0;
	quotes_init(&quotes, &routes, event_check, NULL);
	depth_open(depth, 0, 0);
	for (int64_t now_ns = 0; size > 0; now_ns += 1000000000) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t count = end ? (size_t)(end - data) : size;
		uint8_t *line = malloc(count + 1); /* of its own, so that a byte beyond is seen */
		if (!line)
			break;
		memcpy(line, data, count);
		uint8_t *exact = realloc(line, count ? count : 1);
		line_take(depth, exact, count, now_ns);
		free(exact);
		data += count + (end != NULL);
		size -= count + (end != NULL);
	}
	depth_destroy(depth);
	return 0;
}
