/* Numbers, times and text as people read them. */
#include "core/cli/text.h"

#include <inttypes.h>

#include "tap.h"

#define NOW INT64_C(1700000000000000000) /* 2023-11-14 22:13:20 UTC */

static void test_durations(void)
{
	static const struct {
		int64_t ns;
		const char *text;
	} table[] = {
		{0, "0 ns"},
		{999, "999 ns"},
		{1000, "1 us"},
		{12345, "12.3 us"},
		{999499, "999 us"},
		{999500, "1 ms"},
		{4560000, "4.56 ms"},
		{999400000, "999 ms"},
		{999999999, "1 s"},
		{7890000000, "7.89 s"},
		{59999999999, "60 s"},
		{200000000000, "3 min 20 s"},
		{7500000000000, "2 h 5 min"},
		{356400000000000, "4 d 3 h"},
		{INT64_MAX, "106751 d 23 h"},
		{-1, "-"},
		{INT64_MIN, "-"},
	};
	char text[TEXT_MAX];
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		is_str(text_duration(text, table[i].ns), table[i].text, "%" PRId64 " ns", table[i].ns);
}

static void test_times(void)
{
	char text[TEXT_MAX];
	is_str(text_time(text, NOW + 123456789), "2023-11-14 22:13:20.123", "a time for people");
	is_str(text_time(text, 0), "-", "no time");
	is_str(text_time(text, INT64_MAX), "2262-04-11 23:47:16.854", "the last one");
}

static void test_bytes(void)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} table[] = {{0, "0 B"},
		     {999, "999 B"},
		     {1000, "1.00 kB"},
		     {1239, "1.23 kB"},
		     {12345, "12.3 kB"},
		     {999999, "999 kB"},
		     {4567890, "4.56 MB"},
		     {67108864, "67.1 MB"},
		     {1234567890123, "1,234 GB"},
		     {INT64_MAX, "9,223,372,036 GB"},
		     {-1, "-"}};
	char text[TEXT_MAX];
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		is_str(text_bytes(text, table[i].bytes), table[i].text, "%" PRId64 " bytes", table[i].bytes);
}

static void test_counts(void)
{
	static const struct {
		int64_t number;
		const char *text;
	} table[] = {{0, "0"},
		     {999, "999"},
		     {1000, "1,000"},
		     {-999, "-999"},
		     {-123456, "-123,456"},
		     {1234567, "1,234,567"},
		     {INT64_MIN, "-9,223,372,036,854,775,808"}};
	char text[TEXT_MAX];
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		is_str(text_count(text, table[i].number), table[i].text, "%" PRId64, table[i].number);
}

static void test_amounts(void)
{
	char text[TEXT_MAX];
	is_str(text_amount(text, TG_AMOUNT_ONE / 8, "BTC", 1), "+0.125 BTC", "a gain");
	is_str(text_amount(text, -TG_AMOUNT_ONE / 8, "BTC", 1), "-0.125 BTC", "a loss");
	is_str(text_amount(text, 0, "BTC", 1), "0 BTC", "nothing has no sign");
	is_str(text_amount(text, 1, NULL, 0), "0.000000000000000001", "the least there is");
	tg_amount most = ((tg_amount)INT64_MAX << 64) + (tg_amount)UINT64_MAX;
	text_amount(text, -most, "ACURRENCYOFTWENTYTHREE", 1);
	ok(strlen(text) < TEXT_MAX && text[0] == '-', "the longest fits: %s", text);
}

static void test_characters(void)
{
	static const struct {
		const char *text;
		size_t length;
	} table[] = {
		{"a", 1},
		{" ", 1},
		{"\t", 0},
		{"\033", 0},
		{"\177", 0},
		{"é", 2},
		{"€", 3},
		{"😀", 4},
		{"\xc3", 0},
		{"\xe2\x82", 0},
		{"\xf0\x9f\x98", 0},
		{"\x80", 0},
		{"\xc0\xaf", 0},
		{"\xff", 0},
		{"\xc2\x9b", 0},
		{"\xc2\xa0", 2},
		{"\xf5\x80\x80\x80", 0},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		is_int(text_character(table[i].text), table[i].length, "character %zu", i);
	is_int(text_columns("aé€\033x"), 5, "columns count characters, replaced ones too");
}

static void test_cut(void)
{
	static const struct {
		const char *from;
		size_t columns;
		const char *to;
	} table[] = {
		{"short", 5, "short"}, {"shorter", 5, "shor…"}, {"éééééé", 4, "ééé…"},  {"", 3, ""},
		{"abcd", 1, "…"},      {"ab", 1, "."},          {"abcdef", 5, "abcd."}, {"anything", 0, ""},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char text[64];
		strcpy(text, table[i].from);
		text_cut(text, table[i].columns);
		is_str(text, table[i].to, "'%s' in %zu columns", table[i].from, table[i].columns);
	}
}

static void test_since(void)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} table[] = {
		{"0s", NOW},
		{"30s", NOW - 30000000000},
		{"5m", NOW - 300000000000},
		{"2h", NOW - 7200000000000},
		{"1d", NOW - 86400000000000},
		{"99999d", 0},
		{"2023-11-14", INT64_C(1699920000000000000)},
		{"2023-11-14T22:13", INT64_C(1699999980000000000)},
		{"2023-11-14 22:13:20", NOW},
		{"2023-11-14T22:13:20Z", NOW},
		{"", -1},
		{"s", -1},
		{"5", -1},
		{"5x", -1},
		{"5mm", -1},
		{"-5m", -1},
		{"1e3s", -1},
		{"999999999999d", -1},
		{"1000000000d", -1},
		{"2023-13-01", -1},
		{"2023-11-14T22:13:20Zx", -1},
		{"1969-12-31", -1},
		{"9999-12-31", -1},
		{"yesterday", -1},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		int64_t got = -1;
		int rc = text_since_parse(table[i].text, NOW, &got);
		is_int(rc, table[i].want < 0 ? TG_ERR_INVALID : 0, "'%s' is %s", table[i].text,
		       table[i].want < 0 ? "refused" : "taken");
		is_int(got, table[i].want, "and stands for the right moment");
	}
}

int main(void)
{
	test_durations();
	test_times();
	test_bytes();
	test_counts();
	test_amounts();
	test_characters();
	test_cut();
	test_since();
	return tap_done();
}
