/* The made-up world: which currencies exist, what they are worth, which markets they have. No chance in it: the same
 * number of markets gives the same symbols and filters with every seed, so that a ledger outlives a change of seed. */
#ifndef TRIGATE_VENUE_WORLD_H
#define TRIGATE_VENUE_WORLD_H

#include "venue/engine.h"

#define WORLD_MARKETS_MIN 6 /* the hubs' own */
#define WORLD_MARKETS_MAX 5000
#define WORLD_HUBS 4 /* USDT BTC ETH BNB: currencies 0..3, the only quote currencies; values are in USDT */

struct world {
	struct venue_market *market;
	uint32_t market_count;
	char (*currency)[VENUE_CURRENCY_MAX];
	uint32_t currency_count;
	uint32_t currency_room; /* entries that more currencies may be added to */
	double *value;          /* of one unit in USDT, by currency */
};

/* market_count within its range; room for `more` further currencies. The parts are malloc'ed and the caller's; on
 * TG_ERR_NO_MEMORY there are none. */
int32_t world_create(uint32_t market_count, uint32_t more, struct world *ret_world);
void world_destroy(struct world *world);

#endif
