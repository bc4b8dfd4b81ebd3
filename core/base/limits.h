/* Every fixed bound of the gateway, with its reason. What is allocated at start is allocated by these. */
#ifndef TRIGATE_CORE_BASE_LIMITS_H
#define TRIGATE_CORE_BASE_LIMITS_H

#define SYMBOL_MAX 48    /* longest market symbol with NUL; Binance's longest is 20 */
#define CURRENCY_MAX 24  /* longest currency name with NUL */
#define MARKETS_MAX 8192 /* Binance lists under 4,000 */
#define CURRENCIES_MAX 4096
#define BOOK_LEVELS_MAX 20 /* levels a side that sizing may walk; deeper ones never pay for their slippage */
#define CYCLE_LEGS_MIN 3
#define CYCLE_LEGS_MAX 5
#define CYCLES_MAX 4000000      /* directed cycles kept; 5 legs on a large exchange exceed it, which is an error */
#define CANDIDATES_MAX 64       /* profitable cycles sized per tick, best first */
#define OPEN_CYCLES_MAX 100     /* range of max_open_cycles (SURFACE) */
#define ORDERS_PER_CYCLE_MAX 64 /* legs x retries, forward and back */
#define GATEWAY_ID_LEN 4        /* hex digits in a client order id */
#define REASON_MAX 120          /* text of why, with NUL */

#endif
