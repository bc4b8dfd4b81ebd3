/* Whole steps (ticks, lots) in a decimal. Pure; any thread. */
#ifndef TRIGATE_CORE_MARKET_STEPS_H
#define TRIGATE_CORE_MARKET_STEPS_H

#include <trigate/amount.h>

/* value / step, rounded as asked (TG_ROUND_). value >= 0, step > 0, scales 0..18: the products stay below 2^63 * 10^18
 * < 2^127. */
tg_amount steps_of(struct tg_decimal value, struct tg_decimal step, int32_t rounding);

#endif
