/* What the account pays for its trades. Owner: one venue. */
#ifndef TRIGATE_VENUE_FEES_H
#define TRIGATE_VENUE_FEES_H

#include "venue/engine.h"

struct fee_terms {
	uint32_t third; /* currency in which fees are taken; CURRENCY_NONE_AT_VENUE: the received one */
	int32_t scale;  /* a fee is rounded up to so many decimals */
};

struct fee {
	tg_amount amount;
	uint32_t currency;
};

/* Take the fee for `received` of a currency from the account and give it to the house. In the third currency where one
 * is set: converted at the middle of its market's best quotes, else its last price, directly or over one currency in
 * between. Where there is no price, or not enough of it free, the fee is taken from what was received, as Binance does
 * ("Using BNB to Pay for Fees"). A fee is never more than what was received. */
struct fee fee_charge(struct engine *engine, const struct fee_terms *terms, uint32_t currency, tg_amount received,
		      int64_t rate_e9);

#endif
