/* Hot frames: what the market streams send and what GET /api/v3/depth answers, decoded in one pass without allocation.
 *
 *   <symbol>@bookTicker     {"u":..,"s":"..","b":"..","B":"..","a":"..","A":".."}
 *   <symbol>@depth@100ms    {"e":"depthUpdate","E":..,"s":"..","U":..,"u":..,"b":[["price","qty"],..],"a":[..]}
 *   <symbol>@depth20@100ms  {"lastUpdateId":..,"bids":[["price","qty"],..],"asks":[..]}; so is the answer to a snapshot
 *   combined                {"stream":"<name>","data":{one of these}}
 *   replies                 {"result":null,"id":1}, {"error":{..},"id":1}: told by kind, read by reply.h
 *
 * Keys may come in any order, unknown ones are skipped. A key that comes twice, a missing one, a number that is none,
 * too large or negative, or anything behind the end is an error: what such a frame says is not believed. Numbers become
 * mantissas at the scales of their market (routes.h), never through floating point. [any] */
#ifndef TRIGATE_EXCHANGES_BINANCE_FRAME_H
#define TRIGATE_EXCHANGES_BINANCE_FRAME_H

#include <trigate/exchange.h>

#include "exchanges/binance/routes.h"
#include "exchanges/binance/scan.h"

enum frame_kind {
	FRAME_OTHER,    /* well-formed, and nothing of the below */
	FRAME_TICKER,   /* best bid and ask; last_id */
	FRAME_UPDATE,   /* changes of a book; first_id to last_id */
	FRAME_SNAPSHOT, /* the best levels of a book; last_id */
	FRAME_REPLY,    /* to a request of ours, or an error */
	FRAME_SHUTDOWN, /* the server is about to close the connection */
};

/* Large: one a connector, not on the stack. */
struct frame {
	enum frame_kind kind;
	uint32_t market; /* ROUTE_NONE: it named none; set as soon as it is known, also where decoding fails later */
	uint64_t first_id;
	uint64_t last_id;
	int64_t exchange_ns; /* 0: it does not tell */
	uint32_t bid_count;
	uint32_t ask_count;
	uint32_t left_out; /* levels off the tick or below one lot: orders from before the filters changed */
	uint32_t reserved;
	struct tg_level bids[FRAME_LEVELS_MAX];
	struct tg_level asks[FRAME_LEVELS_MAX];
};

/* Decode one frame. market: whose it is where the bytes do not tell (a snapshot), else ROUTE_NONE. Quantities are cut
 * to whole lots; a level of less than one lot is left out of tickers and snapshots and deletes in updates. Returns
 * SCAN_OK with the whole frame filled, or a SCAN_ code with nothing but frame->market to be used. [hot] */
int frame_decode(const struct routes *routes, uint32_t market, const uint8_t *bytes, size_t count,
		 struct frame *ret_frame);

#endif
