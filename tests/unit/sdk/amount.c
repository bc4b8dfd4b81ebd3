#include <trigate/amount.h>

#include "tests/tap.h"

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static void test_decimal_text(void)
{
	static const struct {
		const char *text;
		int32_t status;
		int64_t mantissa;
		int32_t scale;
		const char *back;
	} rows[] = {
		{"0", 0, 0, 0, "0"},
		{"-0.0", 0, 0, 1, "0"},
		{"12.50", 0, 1250, 2, "12.5"},
		{"-0.00000001", 0, -1, 8, "-0.00000001"},
		{".5", 0, 5, 1, "0.5"},
		{"5.", 0, 5, 0, "5"},
		{"+7", 0, 7, 0, "7"},
		{"1.565e-05", 0, 1565, 8, "0.00001565"},
		{"2E3", 0, 2000, 0, "2000"},
		{"9223372036854775807", 0, INT64_MAX, 0, "9223372036854775807"},
		{"9223372036854775808", TG_ERR_OVERFLOW, 0, 0, NULL},
		{"0.0000000000000000010", 0, 1, 18, "0.000000000000000001"},
		{"0.0000000000000000001", TG_ERR_OVERFLOW, 0, 0, NULL},
		{"1e99", TG_ERR_OVERFLOW, 0, 0, NULL},
		{"", TG_ERR_INVALID, 0, 0, NULL},
		{".", TG_ERR_INVALID, 0, 0, NULL},
		{"-", TG_ERR_INVALID, 0, 0, NULL},
		{"1.2.3", TG_ERR_INVALID, 0, 0, NULL},
		{"1e", TG_ERR_INVALID, 0, 0, NULL},
		{"1 ", TG_ERR_INVALID, 0, 0, NULL},
		{"nan", TG_ERR_INVALID, 0, 0, NULL},
		{"0x10", TG_ERR_INVALID, 0, 0, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tg_decimal value = {0};
		int32_t status = tg_decimal_parse(str(rows[i].text), &value);
		is_int(status, rows[i].status, "'%s' is parsed or refused", rows[i].text);
		if (status)
			continue;
		ok(value.mantissa == rows[i].mantissa && value.scale == rows[i].scale, "'%s' has its exact value",
		   rows[i].text);
		char text[TG_DECIMAL_TEXT_MAX];
		size_t length = tg_decimal_format(value, text, sizeof text);
		is_str(text, rows[i].back, "'%s' comes back as text", rows[i].text);
		is_int(length, strlen(text), "its length is told");
	}
}

static void test_amount_text(void)
{
	static const char *const round_trips[] = {
		"0",
		"1",
		"-1",
		"0.000000000000000001",
		"170141183460469231731.687303715884105727",
		"-170141183460469231731.687303715884105727",
		"9680.12345678",
		"1000000",
	};
	for (size_t i = 0; i < sizeof round_trips / sizeof *round_trips; i++) {
		tg_amount amount;
		char text[TG_AMOUNT_TEXT_MAX] = "";
		is_int(tg_amount_parse(str(round_trips[i]), &amount), TG_OK, "%s is an amount", round_trips[i]);
		tg_amount_format(amount, text, sizeof text);
		is_str(text, round_trips[i], "and comes back");
		struct tg_money money = tg_money_of(amount);
		ok(tg_amount_of(money) == amount, "and crosses the border unchanged");
	}
	tg_amount amount;
	is_int(tg_amount_parse(str("170141183460469231731.687303715884105728"), &amount), TG_ERR_OVERFLOW,
	       "one more overflows");
	char text[TG_AMOUNT_TEXT_MAX];
	tg_amount_format((tg_amount)((unsigned __int128)1 << 127), text, sizeof text);
	is_str(text, "-170141183460469231731.687303715884105728", "the least amount prints");
}

static void test_rounding(void)
{
	const tg_amount one = TG_AMOUNT_ONE;
	ok(tg_amount_share(3, 500000000, TG_ROUND_DOWN) == 1, "half of 3 units rounds down to 1");
	ok(tg_amount_share(3, 500000000, TG_ROUND_UP) == 2, "and up to 2");
	ok(tg_amount_share(-3, 500000000, TG_ROUND_DOWN) == -2, "down means towards minus infinity");
	ok(tg_amount_share(one * 1000000, 1000000, TG_ROUND_UP) == one * 1000, "10 bps of a million is a thousand");
	tg_amount max = (tg_amount)(~(unsigned __int128)0 >> 1);
	ok(tg_amount_share(max, TG_E9, TG_ROUND_UP) == max, "all of the largest amount does not overflow");
	ok(tg_amount_round(one + 1, 8, TG_ROUND_UP) == one + one / 100000000, "rounds up to 8 places");
	ok(tg_amount_round(one + 1, 8, TG_ROUND_DOWN) == one, "rounds down to 8 places");
	ok(tg_amount_fee(one, 1000000, 8) == one / 1000, "an exact fee stays exact");
	ok(tg_amount_fee(1, 1, 8) == one / 100000000, "the least fee is one unit of its scale");
	ok(tg_amount_fee(0, 1000000, 8) == 0, "no amount, no fee");
	int64_t rate = 0;
	is_int(tg_rate_e9_from_bps((struct tg_decimal){105, 1, 0}, &rate), TG_OK, "10.5 bps is a rate");
	is_int(rate, 1050000, "of 1,050,000 billionths");
	is_int(tg_rate_e9_from_bps((struct tg_decimal){1, 6, 0}, &rate), TG_ERR_OVERFLOW,
	       "finer than a billionth is refused");
}

static void test_product(void)
{
	tg_amount amount = 0;
	struct tg_decimal price = {123456789, 8, 0}, qty = {50000, 4, 0};
	is_int(tg_amount_product(price, qty, &amount), TG_OK, "1.23456789 * 5.0000 is exact");
	ok(amount == (tg_amount)617283945 * 10000000000, "6.17283945");
	is_int(tg_amount_product((struct tg_decimal){1, 10, 0}, (struct tg_decimal){1, 9, 0}, &amount), TG_ERR_OVERFLOW,
	       "finer than 1e-18 is refused");
	is_int(tg_amount_product((struct tg_decimal){5, 10, 0}, (struct tg_decimal){2, 9, 0}, &amount), TG_OK,
	       "unless the digits work out");
	ok(amount == 1, "5e-10 * 2e-9 = 1e-18");
	is_int(tg_amount_product((struct tg_decimal){INT64_MAX, 0, 0}, (struct tg_decimal){INT64_MAX, 0, 0}, &amount),
	       TG_ERR_OVERFLOW, "too large is refused");
	is_int(tg_amount_product((struct tg_decimal){1, 99, 0}, qty, &amount), TG_ERR_OVERFLOW,
	       "so is a scale that is none");
}

static void test_decimal_arithmetic(void)
{
	int64_t mantissa = 0;
	is_int(tg_decimal_rescale((struct tg_decimal){125, 2, 0}, 4, &mantissa), TG_OK,
	       "1.25 has a mantissa at scale 4");
	is_int(mantissa, 12500, "12500");
	is_int(tg_decimal_rescale((struct tg_decimal){125, 2, 0}, 1, &mantissa), TG_ERR_OVERFLOW,
	       "but none at scale 1");
	is_int(tg_decimal_rescale((struct tg_decimal){INT64_MAX, 0, 0}, 1, &mantissa), TG_ERR_OVERFLOW,
	       "nor beyond int64");
	is_int(tg_decimal_compare((struct tg_decimal){10, 1, 0}, (struct tg_decimal){1, 0, 0}), 0, "1.0 equals 1");
	is_int(tg_decimal_compare((struct tg_decimal){-1, 18, 0}, (struct tg_decimal){0, 0, 0}), -1,
	       "-1e-18 is less than 0");
	struct tg_decimal value;
	is_int(tg_decimal_from_amount(TG_AMOUNT_ONE * 3 / 2, &value), TG_OK, "1.5 fits a decimal");
	ok(value.mantissa == 15 && value.scale == 1, "as 15e-1");
	is_int(tg_decimal_from_amount(TG_AMOUNT_ONE * 1000 + 1, &value), TG_ERR_OVERFLOW, "too many digits do not");
	value = tg_decimal_normalise((struct tg_decimal){1500, 3, 0});
	ok(value.mantissa == 15 && value.scale == 1, "normalising drops zeros");
}

int main(void)
{
	test_decimal_text();
	test_amount_text();
	test_rounding();
	test_product();
	test_decimal_arithmetic();
	return tap_done();
}
