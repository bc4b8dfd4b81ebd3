#include "storage/sqlite/import_number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_LEAST 15 /* every decimal of so many digits survives a normal double */
#define DIGITS_MOST 17  /* every double survives so many digits */
#define EXPONENT_MOST 100000
#define NS_PLACES 9
#define AMOUNT_MOST (((unsigned __int128)1 << 127) - 1)

__extension__ typedef unsigned __int128 count; /* of 10^-scale */

/* ------------------------------------------------------------ from a double */

/* The next decimal away from zero, in the last place of "D.DDDDe-05". Carries; all nines make it one digit longer,
 * which the last place, then a zero, gives back. */
static void digits_up(char *text)
{
	char *end = strchr(text, 'e');
	char *at = end - 1;

	while (at > text && (*at == '9' || *at == '.')) {
		if (*at == '9')
			*at = '0';
		at--;
	}
	if (*at >= '0' && *at <= '8')
		++*at;
	else if (*at == '9')
		*at = '0';
}

static bool reads_back(const char *text, double value)
{
	return strtod(text, NULL) == value;
}

/* Below a power of two doubles lie closer than above it: there the nearest decimal may miss where the next one up
 * reads back. */
static bool digits_found(double value, int digits, char text[NUMBER_TEXT_MAX])
{
	snprintf(text, NUMBER_TEXT_MAX, "%.*e", digits - 1, value);
	if (reads_back(text, value))
		return true;
	digits_up(text);
	return reads_back(text, value);
}

/* "1.2500e-05" to "1.25e-05". */
static void zeros_trim(char *text)
{
	char *exponent = strchr(text, 'e');
	char *end = exponent;

	if (!memchr(text, '.', (size_t)(exponent - text)))
		return;
	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	memmove(end, exponent, strlen(exponent) + 1);
}

size_t number_shortest(double value, char text[NUMBER_TEXT_MAX])
{
	if (!isfinite(value))
		return (size_t)snprintf(text, NUMBER_TEXT_MAX, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
	/* below the least normal number doubles thin out, and a single digit may do */
	for (int digits = fabs(value) < DBL_MIN ? 1 : DIGITS_LEAST; digits <= DIGITS_MOST; digits++)
		if (digits_found(value, digits, text))
			break;
	zeros_trim(text);
	return strlen(text);
}

/* ------------------------------------------------------------ from text */

/* A decimal number in its text: value = digits * 10^exponent, the point left out of the digits. */
struct number {
	bool negative;
	const char *digits;
	const char *end;
	int64_t total; /* digits, without the point */
	int64_t exponent;
};

static bool is_digit(const char *at, const char *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

static bool exponent_parse(const char *at, const char *end, int64_t *exponent)
{
	int64_t value = 0;
	bool negative = at < end && *at == '-';

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (!is_digit(at, end))
		return false;
	for (; is_digit(at, end); at++)
		if (value < EXPONENT_MOST)
			value = value * 10 + (*at - '0');
	*exponent += negative ? -value : value;
	return at == end;
}

static bool number_parse(struct tg_str text, struct number *ret)
{
	const char *at = text.ptr, *end = text.ptr + text.len;
	struct number number = {0};

	if (text.len == 0 || text.len > EXPONENT_MOST)
		return false;
	number.negative = *at == '-';
	if (*at == '-' || *at == '+')
		at++;
	number.digits = at;
	for (; is_digit(at, end); at++)
		number.total++;
	if (at < end && *at == '.')
		for (at++; is_digit(at, end); at++) {
			number.total++;
			number.exponent--;
		}
	number.end = at;
	*ret = number;
	if (number.total == 0)
		return false;
	return at == end || ((*at == 'e' || *at == 'E') && exponent_parse(at + 1, end, &ret->exponent));
}

/* The number as a count of 10^-scale, cut towards zero. */
static enum number_fit number_scaled(const struct number *number, int scale, count most, count *ret_value)
{
	int64_t shift = number->exponent + scale, taken = 0;
	int64_t keep = number->total + (shift < 0 ? shift : 0);
	bool cut = false;
	count value = 0;

	for (const char *at = number->digits; at < number->end; at++) {
		if (*at == '.')
			continue;
		unsigned digit = (unsigned)(*at - '0');
		if (taken++ >= keep)
			cut |= digit != 0;
		else if (value > (most - digit) / 10)
			return NUMBER_TOO_LARGE;
		else
			value = value * 10 + digit;
	}
	for (; shift > 0 && value > 0; shift--) {
		if (value > most / 10)
			return NUMBER_TOO_LARGE;
		value *= 10;
	}
	*ret_value = value;
	return cut ? NUMBER_CUT : NUMBER_EXACT;
}

enum number_fit number_amount(struct tg_str text, tg_amount *ret_value)
{
	struct number number;
	count value;

	if (!number_parse(text, &number))
		return NUMBER_NOT_ONE;
	enum number_fit fit = number_scaled(&number, TG_AMOUNT_SCALE, AMOUNT_MOST, &value);
	if (fit <= NUMBER_CUT)
		*ret_value = number.negative ? -(tg_amount)value : (tg_amount)value;
	return fit;
}

/* The places that the number needs, at most those that a decimal has. */
static int scale_needed(const struct number *number)
{
	int64_t places = -number->exponent;

	for (const char *at = number->end; at > number->digits && places > 0 && (at[-1] == '0' || at[-1] == '.'); at--)
		places -= at[-1] == '0';
	return places < 0 ? 0 : places > TG_AMOUNT_SCALE ? TG_AMOUNT_SCALE : (int)places;
}

enum number_fit number_decimal(struct tg_str text, struct tg_decimal *ret_value)
{
	struct number number;
	enum number_fit fit = NUMBER_TOO_LARGE;
	count value = 0;

	if (!number_parse(text, &number))
		return NUMBER_NOT_ONE;
	int scale = scale_needed(&number);
	while ((fit = number_scaled(&number, scale, INT64_MAX, &value)) == NUMBER_TOO_LARGE && scale > 0)
		scale--; /* a long number keeps its front */
	if (fit <= NUMBER_CUT)
		*ret_value = (struct tg_decimal){number.negative ? -(int64_t)value : (int64_t)value, scale, 0};
	return fit;
}

enum number_fit number_time(struct tg_str text, int64_t *ret_ns)
{
	struct number number;
	count value;

	if (!number_parse(text, &number))
		return NUMBER_NOT_ONE;
	enum number_fit fit = number_scaled(&number, NS_PLACES, INT64_MAX, &value);
	if (fit > NUMBER_CUT)
		return fit;
	*ret_ns = number.negative ? -(int64_t)value : (int64_t)value;
	return NUMBER_EXACT;
}

enum number_fit number_product(struct tg_decimal a, struct tg_decimal b, tg_amount *ret_value)
{
	/* below 2^126: no overflow yet */
	__extension__ __int128 product = (__int128)a.mantissa * b.mantissa;
	int scale = a.scale + b.scale;
	bool cut = false;

	for (; scale > TG_AMOUNT_SCALE; scale--) {
		cut |= product % 10 != 0;
		product /= 10;
	}
	for (; scale < TG_AMOUNT_SCALE; scale++)
		if (__builtin_mul_overflow(product, 10, &product))
			return NUMBER_TOO_LARGE;
	*ret_value = product;
	return cut ? NUMBER_CUT : NUMBER_EXACT;
}
