#include "core/arbitrage/wide.h"

#include <assert.h>

__extension__ typedef unsigned __int128 wide;

#define LOW(x) ((x)&UINT64_MAX)
#define HIGH(x) ((x) >> 64)

/* The 256-bit product, schoolbook over 64-bit halves. */
static void multiply(wide a, wide b, wide *ret_high, wide *ret_low)
{
	wide low = LOW(a) * LOW(b);
	wide cross = HIGH(a) * LOW(b) + HIGH(low);
	wide middle = LOW(a) * HIGH(b) + LOW(cross);

	*ret_low = middle << 64 | LOW(low);
	*ret_high = HIGH(a) * HIGH(b) + HIGH(cross) + HIGH(middle);
}

/* (high, low) / divisor, bit by bit; high < divisor < 2^127, so that quotient and rest fit. */
static wide divide(wide high, wide low, wide divisor, wide *ret_rest)
{
	wide quotient = 0;

	for (int bit = 127; bit >= 0; bit--) {
		high = high << 1 | (low >> bit & 1);
		quotient <<= 1;
		if (high >= divisor) {
			high -= divisor;
			quotient |= 1;
		}
	}
	*ret_rest = high;
	return quotient;
}

bool wide_mul_div(tg_amount a, tg_amount b, tg_amount c, int32_t rounding, tg_amount *ret_value)
{
	assert(a >= 0 && b >= 0 && c > 0);
	wide high = 0, low = 0, rest = 0, quotient;
	tg_amount product;

	if (!__builtin_mul_overflow(a, b, &product)) {
		quotient = (wide)(product / c);
		rest = (wide)(product % c);
	} else {
		multiply((wide)a, (wide)b, &high, &low);
		if (high >= (wide)c)
			return false;
		quotient = divide(high, low, (wide)c, &rest);
	}
	quotient += rounding == TG_ROUND_UP && rest > 0;
	if (quotient > ~(wide)0 >> 1)
		return false;
	*ret_value = (tg_amount)quotient;
	return true;
}
