/* Every fixed bound of the venue, with its reason. */
#ifndef TRIGATE_VENUE_LIMITS_H
#define TRIGATE_VENUE_LIMITS_H

#define VENUE_MARKETS_MAX 8192    /* as many as a gateway takes */
#define VENUE_CURRENCIES_MAX 4096 /* the same */
#define VENUE_SYMBOL_MAX 48       /* with NUL */
#define VENUE_CURRENCY_MAX 24     /* with NUL */
#define VENUE_CLIENT_ID_MAX 37    /* with NUL; Binance takes 36 characters */
#define VENUE_LEVELS_MAX 50       /* depth that may be streamed */
#define VENUE_REASON_MAX 80       /* text of a refusal, with NUL */
#define VENUE_MANTISSA_MAX \
	1000000000000000L           /* of a price or quantity: level sums of thousands of orders fit in int64 */
#define VENUE_OPEN_ORDERS_MAX 10000 /* of the account, all markets; Binance allows 200 a market */

#endif
