/* The answer to GET /api/v3/ticker/bookTicker: the best bid and ask of all markets, or of one. It tells no update id,
 * so what it says gives way to whatever a stream has said. [any] */
#ifndef TRIGATE_EXCHANGES_BINANCE_TICKERS_H
#define TRIGATE_EXCHANGES_BINANCE_TICKERS_H

#include <stddef.h>

#include <trigate/exchange.h>

#include "exchanges/binance/routes.h"
#include "exchanges/binance/scan.h"

/* Mantissas at the market's scales; a quantity of 0: nothing is there, or it stands off the tick or below one lot. */
struct ticker {
	uint32_t market;
	struct tg_level bid;
	struct tg_level ask;
};

/* Tell each market that is listed; an entry that is not understood is passed over. SCAN_OK, or a SCAN_ code: the answer
 * is not JSON, or no list of objects. */
int tickers_read(const struct routes *routes, const uint8_t *bytes, size_t count,
		 void (*tell)(void *ctx, const struct ticker *ticker), void *ctx);

#endif
