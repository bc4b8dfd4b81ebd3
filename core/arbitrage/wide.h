/* a * b / c where the product needs more than 128 bits. Pure. [hot] */
#ifndef TRIGATE_CORE_ARBITRAGE_WIDE_H
#define TRIGATE_CORE_ARBITRAGE_WIDE_H

#include <stdbool.h>

#include <trigate/amount.h>

/* a * b / c for a, b >= 0 and c > 0, rounded as asked (TG_ROUND_). False if the result does not fit. */
bool wide_mul_div(tg_amount a, tg_amount b, tg_amount c, int32_t rounding, tg_amount *ret_value);

#endif
