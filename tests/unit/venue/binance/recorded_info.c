/* Markets of an exchangeInfo answer: what is taken, what is left out, and that a venue opens on them. */
#include "tests/unit/venue/binance/fixture.h"
#include "venue/world.h"

#define SYMBOL(base, quote, status, tick, lot) \
	"{\"symbol\":\"" base quote "\",\"status\":\"" status "\",\"baseAsset\":\"" base "\",\"quoteAsset\":\"" quote \
	"\",\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"" tick \
	"\"},{\"filterType\":\"LOT_SIZE\",\"minQty\":\"" lot "\",\"maxQty\":\"9000.00000000\",\"stepSize\":\"" lot \
	"\"},{\"filterType\":\"MIN_NOTIONAL\",\"minNotional\":\"10.00000000\"}]}"

static const char small[] = "{\"symbols\":[" SYMBOL("BTC", "USDT", "TRADING", "0.01000000", "0.00000100") "," SYMBOL(
	"ETH", "BTC", "TRADING", "0.00000100",
	"0.00010000") "," SYMBOL("OLD", "USDT", "BREAK", "0.01000000",
				 "0.01000000") "," SYMBOL("FAR", "AWAY", "TRADING", "0.01000000",
							  "0.01000000") "," SYMBOL("B\\\"D", "USDT", "TRADING", "0.01",
										   "0.01") "]}";

static void markets_are_taken_or_left(void)
{
	struct world world;
	is_int(binance_world_read(small, sizeof small - 1, 0, &world, NULL), TG_OK, "it is read");
	is_int(world.market_count, 2, "stopped markets, unreachable ones and ones with impossible names are left out");
	is_str(world.market[0].symbol, "BTC-USDT", "the first");
	is_int(world.market[0].price_scale, 2, "its tick is the unit of its prices");
	is_int(world.market[0].qty_scale, 6, "its lot of its quantities");
	is_int(world.market[0].max_qty, 9000000000, "as much may be ordered at once");
	is_str(world.currency[0], "USDT", "values are in USDT");
	world_destroy(&world);
}

static const char *const wrong[] = {
	"", "{", "[]", "{}", "{\"symbols\":{}}", "{\"symbols\":[]}", "{\"symbols\":[1,null]}"};

static void what_is_none_is_refused(void)
{
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct tg_error error = tg_error_init();
		struct world world = {0};
		is_int(binance_world_read(wrong[i], strlen(wrong[i]), 0, &world, &error), TG_ERR_INVALID,
		       "refused: '%s'", wrong[i]);
		ok(error.message_len > 0, "with a message");
	}
}

static void a_venue_opens_on_a_recording(void)
{
	char path[512];
	struct text text = {0};
	struct world world = {0};
	struct venue_options options = venue_options_default();
	struct tg_error error = tg_error_init();
	const char *data = getenv("TRIGATE_DATA");
	snprintf(path, sizeof path, "%s/binance-exchange-info-2021-10-12.json", data ? data : "../shared/data");
	FILE *file = fopen(path, "r");
	if (!file) {
		tap_skip("a venue opens on a recording", "TRIGATE_DATA has none");
		return;
	}
	char block[65536];
	for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
		text_add(&text, block, got);
	fclose(file);
	is_int(binance_world_read(text.ptr, text.used, options.deposit_count + 1, &world, &error), TG_OK, "it is read");
	ok(world.market_count > 1000, "%u markets", world.market_count);
	options.world = &world;
	is_int(venue_open(&options, NOW, &venue, &error), TG_OK, "a venue opens on them");
	int unquoted = 0;
	for (int i = 0; i < 100; i++)
		venue_step(venue, NOW + i * INT64_C(10000000));
	for (uint32_t m = 0; m < venue_engine(venue)->market_count; m++)
		unquoted += !venue_engine(venue)->market[m].bids.count || !venue_engine(venue)->market[m].asks.count;
	is_int(unquoted, 0, "every one of them is quoted");
	venue_close(venue);
	text_finish(&text);
}

int main(void)
{
	markets_are_taken_or_left();
	what_is_none_is_refused();
	a_venue_opens_on_a_recording();
	return tap_done();
}
