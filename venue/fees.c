#include "venue/fees.h"

#include <assert.h>

/* ceil(amount * numerator / denominator); false if it does not fit. */
static bool scale_up(tg_amount amount, uint64_t numerator, uint64_t denominator, tg_amount *ret_amount)
{
	const unsigned __int128 most = (unsigned __int128)1 << 125;
	unsigned __int128 a = (unsigned __int128)amount;
	unsigned __int128 whole = a / denominator, rest = a % denominator;
	if (whole > most / numerator)
		return false;
	*ret_amount = (tg_amount)(whole * numerator + (rest * numerator + denominator - 1) / denominator);
	return true;
}

/* Twice the market's price, as a mantissa; 0 if it has none. */
static uint64_t price_twice(const struct venue_market *market)
{
	const struct price_level *bid = side_best(&market->bids), *ask = side_best(&market->asks);
	if (bid && ask)
		return (uint64_t)(bid->price + ask->price);
	return 2 * (uint64_t)market->last_price;
}

static bool convert_directly(const struct engine *engine, uint32_t from, uint32_t to, tg_amount amount,
			     tg_amount *ret_amount)
{
	for (uint32_t i = 0; i < engine->market_count; i++) {
		const struct venue_market *market = &engine->market[i];
		bool forward = market->base == from && market->quote == to;
		bool backward = market->base == to && market->quote == from;
		uint64_t price = forward || backward ? price_twice(market) : 0;
		uint64_t unit = 2;
		if (!price)
			continue;
		for (int32_t scale = 0; scale < market->price_scale; scale++)
			unit *= 10;
		return forward ? scale_up(amount, price, unit, ret_amount) : scale_up(amount, unit, price, ret_amount);
	}
	return false;
}

static bool convert(const struct engine *engine, uint32_t from, uint32_t to, tg_amount amount, tg_amount *ret_amount)
{
	if (from == to) {
		*ret_amount = amount;
		return true;
	}
	if (convert_directly(engine, from, to, amount, ret_amount))
		return true;
	for (uint32_t i = 0; i < engine->market_count; i++) {
		const struct venue_market *market = &engine->market[i];
		tg_amount between;
		if (market->base == to && convert_directly(engine, from, market->quote, amount, &between) &&
		    convert_directly(engine, market->quote, to, between, ret_amount))
			return true;
	}
	return false;
}

struct fee fee_charge(struct engine *engine, const struct fee_terms *terms, uint32_t currency, tg_amount received,
		      int64_t rate_e9)
{
	tg_amount exact = tg_amount_share(received, rate_e9, TG_ROUND_UP);
	tg_amount third;
	if (terms->third != CURRENCY_NONE_AT_VENUE && convert(engine, currency, terms->third, exact, &third)) {
		third = tg_amount_round(third, terms->scale, TG_ROUND_UP);
		if (terms->third == currency && third > received)
			third = received;
		if (accounts_pay(&engine->accounts, OWNER_ACCOUNT, OWNER_HOUSE, terms->third, third))
			return (struct fee){third, terms->third};
	}
	tg_amount fee = tg_amount_fee(received, rate_e9, terms->scale);
	if (fee > received)
		fee = received;
	bool paid = accounts_pay(&engine->accounts, OWNER_ACCOUNT, OWNER_HOUSE, currency, fee);
	assert(paid); /* it has just received it */
	(void)paid;
	return (struct fee){fee, currency};
}
