#include "core/arbitrage/wide.h"

#include <gmp.h>

#include "tests/unit/core/arbitrage/fixture.h"

static void gmp_set(mpz_t to, tg_amount value)
{
	mpz_set_ui(to, (uint64_t)(value >> 64));
	mpz_mul_2exp(to, to, 64);
	mpz_add_ui(to, to, (uint64_t)value);
}

static tg_amount random_amount(void)
{
	unsigned __int128 bits = (unsigned __int128)random_next() << 64 | random_next();
	return (tg_amount)(bits >> random_between(1, 126));
}

static bool agrees(tg_amount a, tg_amount b, tg_amount c, int32_t rounding)
{
	mpz_t x, y, z, got;
	tg_amount value = 0;
	mpz_inits(x, y, z, got, NULL);
	gmp_set(x, a);
	gmp_set(y, b);
	gmp_set(z, c);
	mpz_mul(x, x, y);
	if (rounding == TG_ROUND_UP)
		mpz_cdiv_q(x, x, z);
	else
		mpz_fdiv_q(x, x, z);
	bool fits = mpz_sizeinbase(x, 2) <= 127, right = wide_mul_div(a, b, c, rounding, &value) == fits;
	gmp_set(got, value);
	right &= !fits || mpz_cmp(got, x) == 0;
	mpz_clears(x, y, z, got, NULL);
	return right;
}

int main(void)
{
	const tg_amount most = (tg_amount)(~(unsigned __int128)0 >> 1);
	bool right = true;

	for (int i = 0; i < 100000; i++) {
		tg_amount c = random_amount();
		right &= agrees(random_amount(), random_amount(), c ? c : 1, (int32_t)(random_next() & 1));
	}
	ok(right, "100,000 random products over a divisor, as GMP has them");
	ok(agrees(most, most, most, TG_ROUND_UP) && agrees(most, most, most - 1, TG_ROUND_DOWN) &&
		   agrees(most, most, 1, TG_ROUND_UP) && agrees(most, 2, 2, TG_ROUND_DOWN) &&
		   agrees(most, 1, 2, TG_ROUND_UP) && agrees(0, most, most, TG_ROUND_UP),
	   "and at the edges");
	return tap_done();
}
