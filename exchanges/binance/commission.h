/* The account's fees: the answer to GET /api/v3/account/commission (account.commission on the WebSocket API). [any] */
#ifndef TRIGATE_EXCHANGES_BINANCE_COMMISSION_H
#define TRIGATE_EXCHANGES_BINANCE_COMMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/amount.h>

#include "exchanges/binance/bounds.h"

/* Rates as parts of the amount received, 0..1. */
struct commission_rates {
	tg_amount maker;
	tg_amount taker;
	tg_amount buyer; /* comes on top for who buys, and the next for who sells */
	tg_amount seller;
};

struct commission {
	char symbol[BINANCE_SYMBOL_MAX];
	struct commission_rates standard;
	struct commission_rates special;
	struct commission_rates tax;
	bool discount_enabled; /* for the account and for the symbol */
	char discount_asset[BINANCE_ASSET_MAX];
	tg_amount discount; /* of the standard rates, if paid in discount_asset */
};

/* TG_OK, or TG_ERR_INVALID with a message: then *ret_commission is as it was. */
int commission_read(const uint8_t *bytes, size_t count, struct commission *ret_commission, struct tg_error *ret_error);

/* What a trade costs at most, in basis points, rounded up to what the host can count: maker or taker, and the dearer of
 * buyer and seller, over all three kinds of rates. `discounted`: paid in discount_asset. What "discount" means is told
 * in two ways (commission_faq.md multiplies by it, rest-api.md has 0.75 beside "reduced by this rate"): the dearer is
 * taken. */
void commission_bps(const struct commission *commission, bool discounted, struct tg_decimal *ret_taker_bps,
		    struct tg_decimal *ret_maker_bps);

#endif
