#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <trigate/amount.h>

__extension__ typedef unsigned __int128 wide;

/* Nothing longer than this is a number anyone meant; it also bounds the work. */
#define TEXT_LEN_MAX 96
#define EXPONENT_MAX 64

const int64_t tg_powers_of_ten[TG_AMOUNT_SCALE + 1] = {
	1,
	10,
	100,
	1000,
	10000,
	100000,
	1000000,
	10000000,
	100000000,
	1000000000,
	10000000000,
	100000000000,
	1000000000000,
	10000000000000,
	100000000000000,
	1000000000000000,
	10000000000000000,
	100000000000000000,
	1000000000000000000,
};

static int64_t power_of_ten(int32_t exponent)
{
	assert(exponent >= 0 && exponent <= TG_AMOUNT_SCALE);
	return tg_powers_of_ten[exponent];
}

/* A number as it stands in text: digits * 10^-scale, before any range is imposed. */
struct number {
	bool negative;
	wide digits;
	int32_t scale;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* digits before and behind the point; at least one. */
static int32_t parse_digits(const char **at, const char *end, struct number *number)
{
	const char *c = *at;
	uint32_t seen = 0;
	bool point = false;
	for (; c < end; c++) {
		if (*c == '.' && !point) {
			point = true;
			continue;
		}
		if (!is_digit(*c))
			break;
		seen++;
		if (number->digits > (~(wide)0 - 9) / 10)
			return TG_ERR_OVERFLOW;
		number->digits = number->digits * 10 + (wide)(*c - '0');
		number->scale += point;
	}
	if (seen == 0)
		return TG_ERR_INVALID;
	*at = c;
	return TG_OK;
}

static int32_t parse_exponent(const char **at, const char *end, int32_t *ret_exponent)
{
	const char *c = *at;
	*ret_exponent = 0;
	if (c == end || (*c != 'e' && *c != 'E'))
		return TG_OK;
	c++;
	bool negative = c < end && *c == '-';
	if (c < end && (*c == '-' || *c == '+'))
		c++;
	if (c == end)
		return TG_ERR_INVALID;
	int32_t exponent = 0;
	for (; c < end && is_digit(*c); c++) {
		exponent = exponent * 10 + (*c - '0');
		if (exponent > EXPONENT_MAX)
			return TG_ERR_OVERFLOW;
	}
	*ret_exponent = negative ? -exponent : exponent;
	*at = c;
	return TG_OK;
}

/* A negative scale means zeros that the text did not spell. */
static int32_t number_settle(struct number *number)
{
	for (; number->scale < 0; number->scale++) {
		if (number->digits > ~(wide)0 / 10)
			return TG_ERR_OVERFLOW;
		number->digits *= 10;
	}
	while (number->scale > TG_AMOUNT_SCALE && number->digits % 10 == 0) {
		number->digits /= 10;
		number->scale--;
	}
	return number->scale > TG_AMOUNT_SCALE ? TG_ERR_OVERFLOW : TG_OK;
}

static int32_t number_parse(struct tg_str text, struct number *ret_number)
{
	if (text.len == 0 || !text.ptr)
		return TG_ERR_INVALID;
	if (text.len > TEXT_LEN_MAX)
		return TG_ERR_OVERFLOW;
	const char *c = text.ptr, *end = text.ptr + text.len;
	struct number number = {0};
	if (*c == '-' || *c == '+')
		number.negative = *c++ == '-';
	int32_t status = parse_digits(&c, end, &number);
	if (status)
		return status;
	int32_t exponent;
	status = parse_exponent(&c, end, &exponent);
	if (status)
		return status;
	if (c != end)
		return TG_ERR_INVALID;
	number.scale -= exponent;
	if (number.digits == 0 && number.scale < 0)
		number.scale = 0;
	status = number_settle(&number);
	if (status)
		return status;
	*ret_number = number;
	return TG_OK;
}

int32_t tg_decimal_parse(struct tg_str text, struct tg_decimal *ret_value)
{
	struct number number;
	int32_t status = number_parse(text, &number);
	if (status)
		return status;
	if (number.digits > (wide)INT64_MAX)
		return TG_ERR_OVERFLOW;
	int64_t mantissa = (int64_t)number.digits;
	*ret_value = (struct tg_decimal){number.negative ? -mantissa : mantissa, number.scale, 0};
	return TG_OK;
}

int32_t tg_amount_parse(struct tg_str text, tg_amount *ret_amount)
{
	struct number number;
	int32_t status = number_parse(text, &number);
	if (status)
		return status;
	wide factor = (wide)power_of_ten(TG_AMOUNT_SCALE - number.scale);
	wide max = ~(wide)0 >> 1;
	if (number.digits > max / factor)
		return TG_ERR_OVERFLOW;
	tg_amount amount = (tg_amount)(number.digits * factor);
	*ret_amount = number.negative ? -amount : amount;
	return TG_OK;
}

/* digits * 10^-scale without trailing zeros. */
/* value's digits, two at a time, in front of end, filled up with zeros to `places`; returns where they begin. */
static char *digits_write(char *end, uint64_t value, int32_t places)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char *at = end;

	for (; value >= 10; value /= 100)
		at = memcpy(at - 2, pairs + value % 100 * 2, 2);
	if (value > 0)
		*--at = (char)('0' + value);
	while (end - at < places)
		*--at = '0';
	return at;
}

/* The fraction without its trailing zeros, eight at first; *scale loses as many. */
static uint64_t zeros_strip(uint64_t fraction, int32_t *scale)
{
	static const int32_t counts[] = {8, 8, 4, 2, 1};

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		uint64_t power = (uint64_t)tg_powers_of_ten[counts[i]];
		if (*scale < counts[i] || fraction % power != 0)
			continue;
		fraction /= power;
		*scale -= counts[i];
	}
	return fraction;
}

static size_t format(bool negative, wide digits, int32_t scale, char *buffer, size_t size)
{
	char text[TG_AMOUNT_TEXT_MAX], *const end = text + sizeof text, *at = end;
	uint64_t power = (uint64_t)tg_powers_of_ten[scale];
	wide whole = digits >> 64 ? digits / power : (uint64_t)digits / power;
	uint64_t fraction = zeros_strip((uint64_t)(digits - whole * power), &scale);

	if (fraction > 0) {
		at = digits_write(at, fraction, scale);
		*--at = '.';
	}
	if (whole >> 64) { /* of an amount at the end of its range */
		at = digits_write(at, (uint64_t)(whole % (uint64_t)tg_powers_of_ten[TG_AMOUNT_SCALE]), TG_AMOUNT_SCALE);
		whole /= (uint64_t)tg_powers_of_ten[TG_AMOUNT_SCALE];
	}
	at = digits_write(at, (uint64_t)whole, 1);
	if (negative)
		*--at = '-';
	size_t length = (size_t)(end - at);
	assert(length < size);
	memcpy(buffer, at, length);
	buffer[length] = '\0';
	return length;
}

size_t tg_decimal_format(struct tg_decimal value, char *buffer, size_t size)
{
	assert(size >= TG_DECIMAL_TEXT_MAX && value.scale >= 0 && value.scale <= TG_AMOUNT_SCALE);
	bool negative = value.mantissa < 0;
	wide digits = negative ? -(wide)value.mantissa : (wide)value.mantissa;
	return format(negative, digits, value.scale, buffer, size);
}

size_t tg_amount_format(tg_amount amount, char *buffer, size_t size)
{
	assert(size >= TG_AMOUNT_TEXT_MAX);
	bool negative = amount < 0;
	wide digits = negative ? -(wide)amount : (wide)amount;
	return format(negative, digits, TG_AMOUNT_SCALE, buffer, size);
}

struct tg_decimal tg_decimal_normalise(struct tg_decimal value)
{
	while (value.scale > 0 && value.mantissa % 10 == 0) {
		value.mantissa /= 10;
		value.scale--;
	}
	return value;
}

int32_t tg_decimal_rescale(struct tg_decimal value, int32_t scale, int64_t *ret_mantissa)
{
	int64_t mantissa = value.mantissa;
	int32_t at = value.scale;
	for (; at < scale && mantissa != 0; at++)
		if (__builtin_mul_overflow(mantissa, INT64_C(10), &mantissa))
			return TG_ERR_OVERFLOW;
	for (; at > scale && mantissa != 0; at--) {
		if (mantissa % 10 != 0)
			return TG_ERR_OVERFLOW;
		mantissa /= 10;
	}
	*ret_mantissa = mantissa;
	return TG_OK;
}

int32_t tg_decimal_compare(struct tg_decimal a, struct tg_decimal b)
{
	assert(a.scale >= 0 && a.scale <= TG_AMOUNT_SCALE && b.scale >= 0 && b.scale <= TG_AMOUNT_SCALE);
	tg_amount left = (tg_amount)a.mantissa * power_of_ten(TG_AMOUNT_SCALE - a.scale);
	tg_amount right = (tg_amount)b.mantissa * power_of_ten(TG_AMOUNT_SCALE - b.scale);
	return left < right ? -1 : left > right;
}

int32_t tg_amount_from_decimal(struct tg_decimal value, tg_amount *ret_amount)
{
	if (value.scale < 0 || value.scale > TG_AMOUNT_SCALE)
		return TG_ERR_OVERFLOW;
	*ret_amount = (tg_amount)value.mantissa * power_of_ten(TG_AMOUNT_SCALE - value.scale);
	return TG_OK;
}

int32_t tg_decimal_from_amount(tg_amount amount, struct tg_decimal *ret_value)
{
	int32_t scale = TG_AMOUNT_SCALE;
	for (; scale >= 9 && amount % TG_E9 == 0; scale -= 9) /* 128 bits are slow to divide: few, large steps */
		amount /= TG_E9;
	for (; (amount > INT64_MAX || amount < INT64_MIN) && scale > 0 && amount % 10 == 0; scale--)
		amount /= 10;
	if (amount > INT64_MAX || amount < INT64_MIN)
		return TG_ERR_OVERFLOW;
	int64_t mantissa = (int64_t)amount;
	for (; scale > 0 && mantissa % 10 == 0; scale--)
		mantissa /= 10;
	*ret_value = (struct tg_decimal){mantissa, scale, 0};
	return TG_OK;
}

int32_t tg_amount_product(struct tg_decimal price, struct tg_decimal qty, tg_amount *ret_amount)
{
	if (price.scale < 0 || price.scale > TG_AMOUNT_SCALE || qty.scale < 0 || qty.scale > TG_AMOUNT_SCALE)
		return TG_ERR_OVERFLOW;
	price = tg_decimal_normalise(price);
	qty = tg_decimal_normalise(qty);
	tg_amount product = (tg_amount)price.mantissa * qty.mantissa;
	int32_t scale = price.scale + qty.scale;
	for (; scale > TG_AMOUNT_SCALE; scale--) {
		if (product % 10 != 0)
			return TG_ERR_OVERFLOW;
		product /= 10;
	}
	if (__builtin_mul_overflow(product, power_of_ten(TG_AMOUNT_SCALE - scale), &product))
		return TG_ERR_OVERFLOW;
	*ret_amount = product;
	return TG_OK;
}

/* a / b with b > 0, rounded as asked also for negative a. Most numbers are small enough for the machine's own division,
 * which sizing makes thousands of. */
static tg_amount divide(tg_amount a, int64_t b, int32_t rounding)
{
	if (a >= 0 && a <= INT64_MAX) {
		int64_t quotient = (int64_t)a / b, rest = (int64_t)a % b;
		return quotient + (rest > 0 && rounding == TG_ROUND_UP);
	}
	tg_amount quotient = a / b, rest = a % b;
	if (rest < 0 && rounding == TG_ROUND_DOWN)
		return quotient - 1;
	if (rest > 0 && rounding == TG_ROUND_UP)
		return quotient + 1;
	return quotient;
}

/* Whole billions, and what is over. In two steps of 64 bits, 32 binary digits at a time, where the amount is one of any
 * money that there is. */
static tg_amount billions(tg_amount amount, int64_t *ret_rest)
{
	if (amount < 0 || amount >> 96) {
		*ret_rest = (int64_t)(amount % TG_E9);
		return amount / TG_E9;
	}
	uint64_t high = (uint64_t)(amount >> 32);
	uint64_t low = high % TG_E9 << 32 | (uint32_t)amount;
	*ret_rest = (int64_t)(low % TG_E9);
	return (tg_amount)(high / TG_E9) << 32 | low / TG_E9;
}

tg_amount tg_amount_share(tg_amount amount, int64_t rate_e9, int32_t rounding)
{
	assert(rate_e9 >= 0 && rate_e9 <= TG_E9);
	/* whole billions first: the product of the rest is below 1e18, so nothing can overflow */
	int64_t rest;
	tg_amount whole = billions(amount, &rest) * rate_e9;
	return whole + divide(rest * rate_e9, TG_E9, rounding);
}

tg_amount tg_amount_round(tg_amount amount, int32_t scale, int32_t rounding)
{
	assert(scale >= 0 && scale <= TG_AMOUNT_SCALE);
	int64_t step = power_of_ten(TG_AMOUNT_SCALE - scale);
	return divide(amount, step, rounding) * step;
}

tg_amount tg_amount_fee(tg_amount amount, int64_t rate_e9, int32_t scale)
{
	return tg_amount_round(tg_amount_share(amount, rate_e9, TG_ROUND_UP), scale, TG_ROUND_UP);
}

int32_t tg_rate_e9_from_bps(struct tg_decimal bps, int64_t *ret_rate_e9)
{
	/* 1 bps = 1e-4, so a billionth is 1e-5 bps */
	return tg_decimal_rescale(bps, 5, ret_rate_e9);
}
