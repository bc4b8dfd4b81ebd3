/* The reader of recorded markets: what it takes, and what it says of everything else. */
#include <stdlib.h>
#include <unistd.h>

#include <trigate/error.h>

#include "tap.h"

#include "venue/csv.h"

#define HEADER "market,base,quote,bid,bid_qty,ask,ask_qty,tick,lot,min_notional,taker_bps\n"
#define ROW "A-B,A,B,1.5,10,1.6,20,0.1,1,5,7.5\n"

static void good_rows(void)
{
	static const char text[] = "# a comment\n\n" HEADER " A-B , A,B,1.5,10,1.565e-05,20,0.1,1,5,7.5\r\n"
				   "C-B,C,B,,,0,0,0.00000001,0.0001,0,0\n# end";
	struct csv_markets markets;
	struct tg_error error = tg_error_init();
	is_int(csv_markets_parse("f.csv", text, sizeof text - 1, &markets, &error), TG_OK, "a sound file is read");
	is_int((long long)markets.count, 2, "two rows");
	is_str(markets.row[0].market, "A-B", "blanks around fields are no part of them");
	is_int(markets.row[0].line, 4, "a row knows its line");
	is_int(markets.row[0].ask.mantissa, 1565, "an exponent is exact");
	is_int(markets.row[0].ask.scale, 8, "with its scale");
	ok(markets.row[1].bid.mantissa == 0 && markets.row[1].ask.mantissa == 0, "empty and 0 are no quote");
	csv_markets_clear(&markets);
}

static void columns_in_any_order(void)
{
	static const char text[] = "quote,base,market,taker_bps,bid,bid_qty,ask,ask_qty,tick,lot,min_notional\n"
				   "B,A,A-B,3,1,2,3,4,1,1,0\n";
	struct csv_markets markets;
	is_int(csv_markets_parse("f", text, sizeof text - 1, &markets, NULL), TG_OK, "the header orders the columns");
	is_int(markets.row[0].taker_bps.mantissa, 3, "each goes to its own");
	is_str(markets.row[0].base, "A", "names too");
	csv_markets_clear(&markets);
}

static const struct {
	const char *text;
	const char *message;
} bad[] = {
	{"", "f.csv: no market"},
	{HEADER, "f.csv: no market"},
	{"market,base\n", "f.csv:1: 2 fields, expected 11"},
	{"market,base,quote,bid,bid_qty,ask,ask_qty,tick,lot,min_notional,fee\n",
	 "f.csv:1: header: \"fee\" is no column"},
	{"market,base,quote,bid,bid,ask,ask_qty,tick,lot,min_notional,taker_bps\n",
	 "f.csv:1: header: \"bid\" comes twice"},
	{HEADER "A-B,A,B,1\n", "f.csv:2: 4 fields, expected 11"},
	{HEADER "A-B,A,B,1,1,2,1,1,1,0,0,9\n", "f.csv:2: 12 fields, expected 11"},
	{HEADER "A-B,A,A,1,1,2,1,1,1,0,0\n", "f.csv:2: quote: \"A\" is the base currency too"},
	{HEADER ",A,B,1,1,2,1,1,1,0,0\n", "f.csv:2: market: is empty"},
	{HEADER "A\"B,A,B,1,1,2,1,1,1,0,0\n", "f.csv:2: market: \"A\"B\" holds a character"},
	{HEADER "A-B,AAAAAAAAAAAAAAAAAAAAAAAAAAAAA,B,1,1,2,1,1,1,0,0\n", "is longer than 23 characters"},
	{HEADER "A-B,A,B,x,1,2,1,1,1,0,0\n", "f.csv:2: bid: \"x\" is not a decimal number"},
	{HEADER "A-B,A,B,-1,1,2,1,1,1,0,0\n", "f.csv:2: bid: \"-1\" is negative"},
	{HEADER "A-B,A,B,1,1,2,1,0,1,0,0\n", "f.csv:2: tick: \"0\" must be above 0"},
	{HEADER "A-B,A,B,1,1,2,1,1,,0,0\n", "f.csv:2: lot: is empty"},
	{HEADER "A-B,A,B,1,1,2,1,1,1,0,10000\n", "f.csv:2: taker_bps: \"10000\" must be under 10000"},
	{HEADER "A-B,A,B,99999999999999999999999,1,2,1,1,1,0,0\n", "has too many digits"},
	{HEADER ROW "# x\n" ROW, "f.csv:4: market: \"A-B\" comes again, first in line 2"},
};

static void bad_rows(void)
{
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct csv_markets markets = {0};
		struct tg_error error = tg_error_init();
		int32_t status = csv_markets_parse("f.csv", bad[i].text, strlen(bad[i].text), &markets, &error);
		if (!ok(status < 0 && strstr(error.message, bad[i].message), "refused: %s", bad[i].message))
			printf("# status %d, message '%s'\n", status, error.message);
	}
}

/* Every prefix, and every byte replaced, of a sound file is read or refused, never more. */
static void damaged_files(void)
{
	static const char text[] = HEADER ROW "C-B,C,B,,,0,0,0.00000001,0.0001,0,0\n";
	static const char odd[] = {'\0', '\n', ',', '"', '-', '\xff', '9', 'e'};
	char damaged[sizeof text];
	int taken = 0, refused = 0;
	for (size_t i = 0; i < sizeof text; i++)
		for (size_t k = 0; k < sizeof odd + 1; k++) {
			struct csv_markets markets = {0};
			memcpy(damaged, text, sizeof text);
			if (k < sizeof odd)
				damaged[i] = odd[k];
			size_t size = k < sizeof odd ? sizeof text - 1 : i;
			int32_t status = csv_markets_parse("f", damaged, size, &markets, NULL);
			taken += status == TG_OK;
			refused += status < 0;
			csv_markets_clear(&markets);
		}
	ok(taken > 0 && refused > 0, "damaged files: %d taken, %d refused", taken, refused);
}

static void recorded_file(void)
{
	const char *data = getenv("TRIGATE_DATA"), *root = getenv("TRIGATE_SOURCE_ROOT");
	char path[4096];
	struct csv_markets markets;
	struct tg_error error = tg_error_init();
	snprintf(path, sizeof path, "%s%s/kucoin-2018-01-17.markets.csv",
		 data   ? data
		 : root ? root
			: ".",
		 data ? "" : "/../shared/data");
	if (access(path, R_OK) != 0) {
		tap_skip("the recorded markets", "no recorded data");
		return;
	}
	int32_t status = csv_markets_read(path, &markets, &error);
	is_int(status, TG_OK, "the recorded markets are read");
	if (status != TG_OK)
		return;
	is_int((long long)markets.count, 178, "all of them");
	csv_markets_clear(&markets);
}

static void missing_file(void)
{
	struct csv_markets markets;
	struct tg_error error = tg_error_init();
	is_int(csv_markets_read("/nonexistent/m.csv", &markets, &error), TG_ERR_IO, "a missing file is an error");
	ok(strstr(error.message, "/nonexistent/m.csv: No such file"), "that names it");
	is_int(csv_markets_read("/", &markets, &error), TG_ERR_IO, "so is a folder");
}

int main(void)
{
	good_rows();
	columns_in_any_order();
	bad_rows();
	damaged_files();
	recorded_file();
	missing_file();
	return tap_done();
}
