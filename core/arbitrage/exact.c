#include "core/arbitrage/exact.h"

#include <gmp.h>
#include <stdio.h>
#include <string.h>

#define PLACES 6 /* decimals of the text */
#define BPS_ALL 10000

static void rational_set(mpq_t value, struct tg_decimal decimal)
{
	mpz_set_si(mpq_numref(value), decimal.mantissa);
	mpz_ui_pow_ui(mpq_denref(value), 10, (unsigned long)decimal.scale);
	mpq_canonicalize(value);
}

/* rate *= price or 1 / price, then the fee off it. */
static void rate_apply(mpq_t rate, const struct exact_leg *leg)
{
	mpq_t factor;

	mpq_init(factor);
	rational_set(factor, leg->price);
	if (leg->side == TG_SIDE_BUY)
		mpq_div(rate, rate, factor);
	else
		mpq_mul(rate, rate, factor);
	mpq_t whole;
	mpq_init(whole);
	mpq_set_ui(whole, BPS_ALL, 1);
	rational_set(factor, leg->taker_bps);
	mpq_sub(factor, whole, factor);
	mpq_div(factor, factor, whole);
	mpq_mul(rate, rate, factor);
	mpq_clear(whole);
	mpq_clear(factor);
}

/* Digits of a whole number of millionths of a bp: "-12.5" for -12500000. What does not fit is absurd:
 * then its magnitude will do. */
static void text_write(const mpz_t millionths, char *text, size_t size)
{
	char digits[64] = "";

	if (mpz_sizeinbase(millionths, 10) + sizeof "-." > size) {
		snprintf(text, size, "%se%zu", mpz_sgn(millionths) < 0 ? "-1" : "1",
			 mpz_sizeinbase(millionths, 10) - 1 - PLACES);
		return;
	}
	gmp_snprintf(digits, sizeof digits, "%0*Zd", PLACES + 1 + (mpz_sgn(millionths) < 0), millionths);
	size_t length = strlen(digits), whole = length - PLACES;
	while (length > whole && digits[length - 1] == '0')
		length--;
	snprintf(text, size, "%.*s%s%.*s", (int)whole, digits, length > whole ? "." : "", (int)(length - whole),
		 digits + whole);
}

static void net_describe(const mpq_t bps, struct exact_net *net)
{
	mpz_t millionths;

	mpz_init(millionths);
	mpz_ui_pow_ui(millionths, 10, PLACES);
	mpz_mul(millionths, millionths, mpq_numref(bps));
	mpz_fdiv_q(millionths, millionths, mpq_denref(bps));
	text_write(millionths, net->text, sizeof net->text);
	mpz_clear(millionths);
	net->approx_bps = mpq_get_d(bps);
}

void exact_net_make(const struct exact_leg *leg, uint32_t legs, struct tg_decimal min_bps, struct exact_net *ret_net)
{
	mpq_t rate, least;

	*ret_net = (struct exact_net){.quoted = true};
	for (uint32_t i = 0; i < legs; i++)
		ret_net->quoted &= leg[i].price.mantissa > 0;
	if (!ret_net->quoted)
		return;
	mpq_inits(rate, least, NULL);
	mpq_set_ui(rate, 1, 1);
	for (uint32_t i = 0; i < legs; i++)
		rate_apply(rate, &leg[i]);
	mpq_set_ui(least, 1, 1);
	mpq_sub(rate, rate, least);
	mpq_set_ui(least, BPS_ALL, 1);
	mpq_mul(rate, rate, least); /* now net in bps */
	rational_set(least, min_bps);
	ret_net->at_least = mpq_cmp(rate, least) >= 0;
	net_describe(rate, ret_net);
	mpq_clears(rate, least, NULL);
}

/* ticks of a market as a price; the scale is the tick's. Beyond int64 there is no such price. */
static struct tg_decimal price_of(const struct market *market, int64_t ticks)
{
	struct tg_decimal price = market->tick;

	if (__builtin_mul_overflow(price.mantissa, ticks, &price.mantissa))
		price.mantissa = 0;
	return price;
}

void sizing_exact_net(const struct markets *markets, const struct cycle_def *def, struct tg_decimal min_bps,
		      struct exact_net *ret_net)
{
	struct exact_leg leg[CYCLE_LEGS_MAX];

	for (uint32_t i = 0; i < def->legs; i++) {
		const struct market *market = &markets->market[edge_market(def->edge[i])];
		leg[i].side = edge_side(def->edge[i]);
		leg[i].price =
			price_of(market, leg[i].side == TG_SIDE_SELL ? market->book.best_bid : market->book.best_ask);
		leg[i].taker_bps = (struct tg_decimal){market->taker_e9, 5, 0}; /* a billionth is 1e-5 bps */
	}
	exact_net_make(leg, def->legs, min_bps, ret_net);
}
