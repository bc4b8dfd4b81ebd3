#include "exchanges/binance/quotes.h"

#include <string.h>

void quotes_init(struct quotes *quotes, const struct routes *routes,
		 void (*book)(void *ctx, const struct tg_book_event *event), void *ctx)
{
	memset(quotes, 0, sizeof *quotes);
	quotes->routes = routes;
	quotes->book = book;
	quotes->ctx = ctx;
}

/* `sign` makes better prices greater: +1 bids, -1 asks. */
static bool is_sorted(const struct tg_level *level, uint32_t count, int64_t sign)
{
	for (uint32_t i = 1; i < count; i++)
		if (sign * level[i - 1].price <= sign * level[i].price)
			return false;
	return true;
}

static bool is_plausible(const struct frame *frame)
{
	if (frame->bid_count && frame->ask_count && frame->bids[0].price >= frame->asks[0].price)
		return false;
	return is_sorted(frame->bids, frame->bid_count, 1) && is_sorted(frame->asks, frame->ask_count, -1);
}

static void book_tell(struct quotes *quotes, const struct frame *frame, int64_t received_ns)
{
	const struct tg_book_event event = {
		.size = sizeof event,
		.market = frame->market,
		.version = quotes->routes->route[frame->market].version,
		.flags = TG_BOOK_SNAPSHOT,
		.sequence = frame->last_id,
		.received_ns = received_ns,
		.bids = frame->bids,
		.asks = frame->asks,
		.bid_count = frame->bid_count,
		.ask_count = frame->ask_count,
	};
	quotes->book(quotes->ctx, &event);
}

bool quotes_frame(struct quotes *quotes, const struct frame *frame, int64_t received_ns)
{
	uint64_t *last_id = &quotes->last_id[frame->market];
	if (frame->last_id <= *last_id && frame->last_id + DEPTH_IDS_BACK >= *last_id) {
		quotes->repeated++;
		return true;
	}
	if (!is_plausible(frame)) {
		quotes->refused++;
		quotes_lost(quotes, frame->market);
		return false;
	}
	*last_id = frame->last_id;
	book_tell(quotes, frame, received_ns);
	return true;
}

void quotes_lost(struct quotes *quotes, uint32_t market)
{
	if (quotes->last_id[market] == 0)
		return;
	const struct tg_book_event event = {
		.size = sizeof event,
		.market = market,
		.version = quotes->routes->route[market].version,
		.flags = TG_BOOK_SNAPSHOT,
		.sequence = quotes->last_id[market],
	};
	quotes->last_id[market] = 0;
	quotes->book(quotes->ctx, &event);
}
