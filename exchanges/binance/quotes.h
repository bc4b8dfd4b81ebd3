/* Books that need no memory: each bookTicker or partial depth frame is all there is to know, the best bid and ask or
 * the best 5, 10 or 20 levels of either side. What is no younger than the last one (the same update over a second
 * connection) is passed over. Owner: the connector; thread: the loop's. */
#ifndef TRIGATE_EXCHANGES_BINANCE_QUOTES_H
#define TRIGATE_EXCHANGES_BINANCE_QUOTES_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/exchange.h>

#include "exchanges/binance/frame.h"
#include "exchanges/binance/routes.h"

struct quotes {
	const struct routes *routes; /* outlives it */
	void *ctx;
	void (*book)(void *ctx, const struct tg_book_event *event); /* tg_exchange_events.book */
	uint64_t refused;                                           /* frames that could not be believed */
	uint64_t repeated;
	uint64_t last_id[BINANCE_MARKETS_MAX]; /* 0: the host has no book of it */
};

void quotes_init(struct quotes *quotes, const struct routes *routes,
		 void (*book)(void *ctx, const struct tg_book_event *event), void *ctx);

/* A FRAME_TICKER or FRAME_SNAPSHOT. False if it was refused: unsorted, or crossed; the market's book is then emptied.
 * [hot] */
bool quotes_frame(struct quotes *quotes, const struct frame *frame, int64_t received_ns);

/* The market's frames do not come any more, one of them was not understood, or its filters changed: its book is emptied
 * until the next frame. [hot] */
void quotes_lost(struct quotes *quotes, uint32_t market);

#endif
