/* What an import of the Python system's files knows of text: numbers, JSON. */
#include <math.h>

#include "storage/sqlite/import_json.h"
#include "storage/sqlite/import_number.h"
#include "storage/sqlite/import_pool.h"
#include "tap.h"

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

/* ------------------------------------------------------------ numbers */

static void shortest(void)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0.1, "1e-01"},
		{0.1 + 0.2, "3.0000000000000004e-01"},
		{1000, "1e+03"},
		{-1732290507.123456, "-1.732290507123456e+09"},
		{1e-07, "1e-07"},
		{5e-324, "5e-324"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
		{0x1p-44, "5.684341886080802e-14"}, /* the nearest of 16 digits ends in 1, and misses */
		{0x1p-1022, "2.2250738585072014e-308"},
		{9007199254740993.0, "9.007199254740992e+15"},
		{-0.0, "-0e+00"},
		{NAN, "nan"},
		{-INFINITY, "-inf"},
	};
	char text[NUMBER_TEXT_MAX];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t length = number_shortest(cases[i].value, text);
		is_str(text, cases[i].text, "the shortest of %a", cases[i].value);
		is_int(length, strlen(text), "and its length");
	}
}

/* Every power of two: where doubles lie unevenly. */
static void shortest_reads_back(void)
{
	char text[NUMBER_TEXT_MAX], longer[64];
	unsigned wrong = 0, too_long = 0;

	for (int e = -1074; e < 1024; e++) {
		double value = ldexp(1, e);
		number_shortest(value, text);
		wrong += strtod(text, NULL) != value;
		/* one digit fewer, up or down, would miss */
		for (int digits = 1; digits <= 16; digits++) {
			snprintf(longer, sizeof longer, "%.*e", digits - 1, value);
			if (strtod(longer, NULL) == value) {
				too_long += strcspn(text, "e") > strcspn(longer, "e");
				break;
			}
		}
	}
	is_int(wrong, 0, "each power of two reads back");
	is_int(too_long, 0, "from as few digits as there can be");
}

static void amounts(void)
{
	static const struct {
		const char *text;
		enum number_fit fit;
		const char *amount; /* "" : none */
	} cases[] = {
		{"1", NUMBER_EXACT, "1"},
		{"-12.50", NUMBER_EXACT, "-12.5"},
		{"+0.1", NUMBER_EXACT, "0.1"},
		{"1e-07", NUMBER_EXACT, "0.0000001"},
		{"1.5E+3", NUMBER_EXACT, "1500"},
		{".5", NUMBER_EXACT, "0.5"},
		{"5.", NUMBER_EXACT, "5"},
		{"-0.0", NUMBER_EXACT, "0"},
		{"0e999999999999", NUMBER_EXACT, "0"},
		{"0.000000000000000001", NUMBER_EXACT, "0.000000000000000001"},
		{"1.2345678901234567e-05", NUMBER_CUT, "0.000012345678901234"},
		{"-1e-19", NUMBER_CUT, "0"},
		{"1e-400", NUMBER_CUT, "0"},
		{"100.00000000000000000000000000000", NUMBER_EXACT, "100"},
		{"170141183460469231731", NUMBER_EXACT, "170141183460469231731"},
		{"170141183460469231731.687303715884105728", NUMBER_TOO_LARGE, ""},
		{"1e300", NUMBER_TOO_LARGE, ""},
		{"1e999999999999999999999", NUMBER_TOO_LARGE, ""},
		{"", NUMBER_NOT_ONE, ""},
		{"-", NUMBER_NOT_ONE, ""},
		{".", NUMBER_NOT_ONE, ""},
		{"1e", NUMBER_NOT_ONE, ""},
		{"1e+", NUMBER_NOT_ONE, ""},
		{"1 ", NUMBER_NOT_ONE, ""},
		{"0x10", NUMBER_NOT_ONE, ""},
		{"nan", NUMBER_NOT_ONE, ""},
		{"Infinity", NUMBER_NOT_ONE, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[TG_AMOUNT_TEXT_MAX] = "";
		tg_amount amount = 7;
		is_int(number_amount(str(cases[i].text), &amount), cases[i].fit, "'%s' as an amount", cases[i].text);
		if (cases[i].fit <= NUMBER_CUT)
			tg_amount_format(amount, text, sizeof text);
		else
			is_int(amount, 7, "is left as it was");
		is_str(text, cases[i].amount, "is '%s'", cases[i].amount);
	}
}

static void decimals(void)
{
	static const struct {
		const char *text;
		enum number_fit fit;
		int64_t mantissa;
		int32_t scale;
	} cases[] = {
		{"0.0015", NUMBER_EXACT, 15, 4},
		{"1.500", NUMBER_EXACT, 15, 1},
		{"100.0e-5", NUMBER_EXACT, 1, 3},
		{"9223372036854775807", NUMBER_EXACT, INT64_MAX, 0},
		{"-9.223372036854775807", NUMBER_EXACT, -INT64_MAX, 18},
		{"12.3456789012345678901", NUMBER_CUT, INT64_C(1234567890123456789), 17},
		{"9223372036854775808", NUMBER_TOO_LARGE, 0, 0},
		{"1e19", NUMBER_TOO_LARGE, 0, 0},
		{"1e18", NUMBER_EXACT, INT64_C(1000000000000000000), 0},
		{"1.2345678901234567e-05", NUMBER_CUT, INT64_C(12345678901234), 18},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tg_decimal value = {0};
		is_int(number_decimal(str(cases[i].text), &value), cases[i].fit, "'%s' as a decimal", cases[i].text);
		ok(value.mantissa == cases[i].mantissa && value.scale == cases[i].scale, "is %lld of scale %d",
		   (long long)value.mantissa, value.scale);
	}
}

static void times_and_products(void)
{
	struct tg_decimal large = {INT64_MAX, 0, 0}, tiny = {1, 18, 0}, price = {6000012, 2, 0}, qty = {15, 4, 0};
	char text[TG_AMOUNT_TEXT_MAX];
	tg_amount product = 0;
	int64_t ns = 7;

	is_int(number_time(str("1732290507.1234567"), &ns), NUMBER_EXACT, "a time");
	is_int(ns, INT64_C(1732290507123456700), "to the last digit");
	is_int(number_time(str("1.7322905071234567e+09"), &ns), NUMBER_EXACT, "the same with an exponent");
	is_int(ns, INT64_C(1732290507123456700), "is the same");
	is_int(number_time(str("1e-12"), &ns), NUMBER_EXACT, "below a nanosecond");
	is_int(ns, 0, "is none");
	is_int(number_time(str("1732290507123.4"), &ns), NUMBER_TOO_LARGE, "milliseconds are no seconds");
	is_int(number_product(price, qty, &product), NUMBER_EXACT, "a product");
	tg_amount_format(product, text, sizeof text);
	is_str(text, "90.00018", "is exact");
	is_int(number_product(tiny, tiny, &product), NUMBER_CUT, "too small a one is cut");
	is_int(product, 0, "to nothing");
	is_int(number_product(large, large, &product), NUMBER_TOO_LARGE, "too large a one is refused");
}

/* ------------------------------------------------------------ JSON */

static void json_shapes(void)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"[]", true},
		{" [1, -2.5e-07, NaN, -Infinity, null, true, \"\\ud83d\\ude00\", {\"a\": []}] ", true},
		{"0", true},
		{"", false},
		{"[", false},
		{"[1,]", false},
		{"[1 2]", false},
		{"{\"a\"}", false},
		{"{a: 1}", false},
		{"\"\\x\"", false},
		{"\"\\u12g4\"", false},
		{"\"open", false},
		{"\"line\nbreak\"", false},
		{"1.", false},
		{"-", false},
		{"1e+", false},
		{"nul", false},
		{"[] []", false},
		{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", false}, /* 33 deep */
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json_value value;
		is_int(json_parse(str(cases[i].text), &value), cases[i].good, "case %zu is %s", i,
		       cases[i].good ? "JSON" : "none");
	}
}

static void json_parts(void)
{
	struct json_value object, key, value;
	struct pool pool = {0};
	char text[64] = "";

	ok(json_parse(str("{\"n\": 1.20e-07, \"t\": \"a\\\"\\u20ac\\ud83d\\ude00\\ud83dx\\u0000\", \"l\": [1,2]}"),
		      &object),
	   "an object");
	struct json_cursor cursor = json_inside(object);
	ok(json_member(&cursor, &key, &value) && json_is(key, "\"n\"") && json_is(value, "1.20e-07"),
	   "a number keeps the text that stands there");
	ok(json_member(&cursor, &key, &value) && value.kind == JSON_TEXT, "a text");
	struct tg_str bare = {text, json_unescape(value, text)};
	bare = pool_clean(&pool, bare);
	is_str(bare.ptr, "a\"\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbdx?",
	       "without escapes; what is no character is replaced");
	ok(json_member(&cursor, &key, &value) && value.kind == JSON_ARRAY, "a list");
	struct json_cursor inner = json_inside(value);
	ok(json_item(&inner, &key) && json_item(&inner, &key) && json_is(key, "2") && !json_item(&inner, &key),
	   "of two");
	ok(!json_member(&cursor, &key, &value), "and no more");
	bare = pool_clean(&pool, str("\xff"
				     "a\xc3(\xed\xa0\x80"
				     "b\xc3\xa9\xf5"));
	is_str(bare.ptr, "?a?(???b\xc3\xa9?", "broken UTF-8 is replaced byte by byte");
	pool_reset(&pool);
}

int main(void)
{
	shortest();
	shortest_reads_back();
	amounts();
	decimals();
	times_and_products();
	json_shapes();
	json_parts();
	return tap_done();
}
