/* Exact rates of a cycle as rationals (GMP), from prices and fees as they stand in text. [control]: allocates. */
#ifndef TRIGATE_CORE_ARBITRAGE_EXACT_H
#define TRIGATE_CORE_ARBITRAGE_EXACT_H

#include "core/arbitrage/sizing.h"

struct exact_leg {
	int32_t side;
	struct tg_decimal price;     /* > 0; mantissa 0: no quote */
	struct tg_decimal taker_bps; /* 0..10000 */
};

/* (product of (1 / price or price, less the fee) - 1) in bps; see struct exact_net. With a missing quote only `quoted`
 * and `at_least` (both false) mean anything. */
void exact_net_make(const struct exact_leg *leg, uint32_t legs, struct tg_decimal min_bps, struct exact_net *ret_net);

#endif
