/* Money without binary floating point: the border types and the exact arithmetic on them (libtrigate-sdk.a).
 *
 * Three representations, each with its purpose:
 *   struct tg_decimal   int64 mantissa + decimal scale: prices, quantities, rates as they stand in text
 *   struct tg_money     128-bit count of 1e-18 of a currency, as it crosses the ABI
 *   tg_amount           the same count as a C integer, for arithmetic inside one binary
 * The currency is always named beside the number. Every function is pure and may be called from any thread. [any]
 */
#ifndef TRIGATE_AMOUNT_H
#define TRIGATE_AMOUNT_H

#include <stddef.h>
#include <stdint.h>

#include <trigate/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tg_money { /* two's complement, value = (hi * 2^64 + lo) * 1e-18 */
	int64_t hi;
	uint64_t lo;
};

__extension__ typedef __int128 tg_amount; /* count of 1e-18 of a currency; range +-1.7e20 units */

#define TG_AMOUNT_SCALE 18
#define TG_AMOUNT_ONE ((tg_amount)INT64_C(1000000000000000000))
#define TG_AMOUNT_TEXT_MAX 48  /* bytes that hold any amount as text, with NUL */
#define TG_DECIMAL_TEXT_MAX 48 /* the same for a decimal of scale 0..18 */
#define TG_E9 INT64_C(1000000000)

extern const int64_t tg_powers_of_ten[TG_AMOUNT_SCALE + 1]; /* [any] 10^0 to 10^18 */

/* Rounding of a division: towards minus infinity, towards plus infinity. */
enum { TG_ROUND_DOWN = 0, TG_ROUND_UP = 1 };

static inline tg_amount tg_amount_of(struct tg_money money)
{
	return (tg_amount)(((unsigned __int128)(uint64_t)money.hi << 64) | money.lo);
}

static inline struct tg_money tg_money_of(tg_amount amount)
{
	return (struct tg_money){(int64_t)((unsigned __int128)amount >> 64), (uint64_t)amount};
}

/* Text such as "-12.5", "0.00000001" or "1.565e-05" to an exact decimal. Trailing zeros are kept in the scale ("1.50"
 * has scale 2); the scale is 0..18. Errors: TG_ERR_INVALID (not a decimal number), TG_ERR_OVERFLOW (more than int64 or
 * 18 places hold). */
int32_t tg_decimal_parse(struct tg_str text, struct tg_decimal *ret_value);

/* The shortest exact text: no exponent, no trailing zeros behind the point. Writes at most size bytes with NUL; returns
 * the length without NUL. size must be at least TG_DECIMAL_TEXT_MAX. */
size_t tg_decimal_format(struct tg_decimal value, char *buffer, size_t size);

/* value with trailing zeros of the mantissa removed (scale >= 0). */
struct tg_decimal tg_decimal_normalise(struct tg_decimal value);

/* mantissa at another scale, exactly. Errors: TG_ERR_OVERFLOW if digits would be lost or int64 is exceeded. */
int32_t tg_decimal_rescale(struct tg_decimal value, int32_t scale, int64_t *ret_mantissa);

/* -1, 0, 1 as a is less than, equal to or greater than b, exactly. */
int32_t tg_decimal_compare(struct tg_decimal a, struct tg_decimal b);

/* Text to an amount; as tg_decimal_parse but with the range of an amount. */
int32_t tg_amount_parse(struct tg_str text, tg_amount *ret_amount);

/* The shortest exact text of an amount; as tg_decimal_format. */
size_t tg_amount_format(tg_amount amount, char *buffer, size_t size);

/* Exact conversions. Errors: TG_ERR_OVERFLOW (scale above 18 or out of range). */
int32_t tg_amount_from_decimal(struct tg_decimal value, tg_amount *ret_amount);
int32_t tg_decimal_from_amount(tg_amount amount, struct tg_decimal *ret_value);

/* price * quantity, exactly. Errors: TG_ERR_OVERFLOW (finer than 1e-18 or out of range). */
int32_t tg_amount_product(struct tg_decimal price, struct tg_decimal qty, tg_amount *ret_amount);

/* amount * rate_e9 / 1e9, rounded; 0 <= rate_e9 <= 1e9 (1e9 is "all of it"; 1 bps is 100000). Cannot overflow. */
tg_amount tg_amount_share(tg_amount amount, int64_t rate_e9, int32_t rounding);

/* amount rounded to a multiple of 10^-scale; 0 <= scale <= 18. */
tg_amount tg_amount_round(tg_amount amount, int32_t scale, int32_t rounding);

/* A fee: amount * rate_e9 / 1e9, rounded up to a multiple of 10^-scale. */
tg_amount tg_amount_fee(tg_amount amount, int64_t rate_e9, int32_t scale);

/* Basis points as a decimal (10.5 bps) to billionths (1050000). Errors: TG_ERR_OVERFLOW if finer than 1e-9. */
int32_t tg_rate_e9_from_bps(struct tg_decimal bps, int64_t *ret_rate_e9);

#ifdef __cplusplus
}
#endif
#endif
