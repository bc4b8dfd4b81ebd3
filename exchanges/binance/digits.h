/* Numbers and short texts on their way out, without calls and with hardly a branch. Each writes whole words: up to
 * DIGITS_SLACK bytes behind what it returns as the end are scribbled in. Pure. [hot] */
#ifndef TRIGATE_EXCHANGES_BINANCE_DIGITS_H
#define TRIGATE_EXCHANGES_BINANCE_DIGITS_H

#include <assert.h>
#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <trigate/amount.h>

#define DIGITS_SLACK 8
#define DIGITS_MAX (20 + DIGITS_SLACK)                  /* what a number takes */
#define DIGITS_DECIMAL_MAX (20 + 1 + 18 + DIGITS_SLACK) /* what a decimal takes */

/* A few bytes: in two moves that may overlap. Returns where they end. */
static inline char *bytes_put(char *to, const char *from, size_t count)
{
	uint64_t head, tail;
	uint32_t first, last;
	if (count > 16)
		return (char *)memcpy(to, from, count) + count;
	if (count >= 8) {
		memcpy(&head, from, sizeof head);
		memcpy(&tail, from + count - sizeof tail, sizeof tail);
		memcpy(to, &head, sizeof head);
		memcpy(to + count - sizeof tail, &tail, sizeof tail);
	} else if (count >= 4) {
		memcpy(&first, from, sizeof first);
		memcpy(&last, from + count - sizeof last, sizeof last);
		memcpy(to, &first, sizeof first);
		memcpy(to + count - sizeof last, &last, sizeof last);
	} else {
		for (size_t i = 0; i < count; i++)
			to[i] = from[i];
	}
	return to + count;
}

/* The eight digits of a value below 10^8, a byte each, the first one lowest: halved three times, all parts at once.
 * 10486 / 2^20 and 103 / 2^10 are a hundredth and a tenth for as large a part as they meet. */
static inline uint64_t eight_digits(uint32_t value)
{
	uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
	uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
	uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16;
	uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);
	return tens | (pairs - 10 * tens) << 8;
}

static inline void digits_put(char *to, uint64_t digits)
{
	uint64_t text = htole64(digits + UINT64_C(0x3030303030303030));
	memcpy(to, &text, sizeof text);
}

static inline char *number_put(char *to, uint64_t value)
{
	if (value >= 100000000) {
		to = number_put(to, value / 100000000);
		digits_put(to, eight_digits((uint32_t)(value % 100000000)));
		return to + 8;
	}
	uint64_t digits = eight_digits((uint32_t)value);
	unsigned zeros = digits ? (unsigned)__builtin_ctzll(digits) / 8 : 7;
	uint64_t text = htole64((digits + UINT64_C(0x3030303030303030)) >> 8 * zeros);
	memcpy(to, &text, sizeof text);
	return to + 8 - zeros;
}

static inline uint64_t power_of(uint32_t exponent)
{
	return (uint64_t)tg_powers_of_ten[exponent];
}

/* mantissa / 10^scale with exactly `scale` places, at most 18; not negative. */
static inline char *decimal_put(char *to, int64_t mantissa, uint32_t scale)
{
	assert(mantissa >= 0 && scale <= 18);
	uint64_t value = (uint64_t)mantissa, places = value % power_of(scale);
	to = number_put(to, value / power_of(scale));
	if (scale == 0)
		return to;
	*to++ = '.';
	if (scale <= 8)
		digits_put(to, eight_digits((uint32_t)(places * power_of(8 - scale))));
	for (uint32_t i = scale; scale > 8 && i-- > 0; places /= 10)
		to[i] = (char)('0' + places % 10);
	return to + scale;
}

#endif
