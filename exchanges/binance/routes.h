/* From a symbol in a frame to its market and the scales of its numbers: what a hot frame needs, apart from all else
 * that is known of a market. Owner: the catalogue writes it, the decoders read it; all on the loop thread. */
#ifndef TRIGATE_EXCHANGES_BINANCE_ROUTES_H
#define TRIGATE_EXCHANGES_BINANCE_ROUTES_H

#include <stdint.h>

#include <trigate/abi.h>

#include "exchanges/binance/bounds.h"

#define ROUTE_NONE UINT32_MAX
#define ROUTE_SLOTS (2 * BINANCE_MARKETS_MAX) /* half full at most */

struct route {
	char symbol[BINANCE_SYMBOL_MAX]; /* not NUL-terminated */
	uint8_t length;
	uint8_t price_scale;
	uint8_t qty_scale;
	uint8_t reserved;
	uint32_t version;
	int64_t tick; /* > 0, mantissas at price_scale and qty_scale */
	int64_t lot;
};

struct routes {
	uint32_t count;
	uint32_t reserved;
	uint32_t slot[ROUTE_SLOTS]; /* market + 1, 0: free */
	struct route route[BINANCE_MARKETS_MAX];
};

/* ROUTE_NONE if there is none. [hot] */
uint32_t routes_find(const struct routes *routes, const void *symbol, uint32_t length);

/* Adds the next market; the symbol fits, is new, and there is room (the catalogue has seen to it). */
void routes_add(struct routes *routes, struct tg_str symbol);

#endif
