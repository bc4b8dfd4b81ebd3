#include "bench/wire/frames.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <trigate/error.h>

#include "bench/measure.h"
#include "bench/wire/tls.h"
#include "core/market/market.h"
#include "exchanges/binance/catalogue.h"
#include "exchanges/binance/quotes.h"

/* ------------------------------------------------------------ the other side */

#define ID_FIRST UINT64_C(1000000000)
#define ID_DIGITS 10
#define ID_BEHIND 5 /* {"u": */

const char *frames_info(void)
{
	static char text[FRAMES_MARKETS * 640 + 256];
	char *at = stpcpy(text, "{\"timezone\":\"UTC\",\"serverTime\":1633998511098,\"rateLimits\":[],"
				"\"exchangeFilters\":[],\"symbols\":[");
	for (unsigned i = 0; i < FRAMES_MARKETS; i++)
		at += sprintf(
			at,
			"%s{\"symbol\":\"C%uUSDT\",\"status\":\"TRADING\",\"baseAsset\":\"C%u\",\"quoteAsset\":\"USDT\","
			"\"baseAssetPrecision\":8,\"quoteAssetPrecision\":8,\"quotePrecision\":8,"
			"\"baseCommissionPrecision\":8,\"quoteCommissionPrecision\":8,\"orderTypes\":[\"LIMIT\"],"
			"\"isSpotTradingAllowed\":true,\"permissions\":[\"SPOT\"],\"filters\":["
			"{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"0.00010000\",\"maxPrice\":\"100000.00000000\","
			"\"tickSize\":\"0.00010000\"},{\"filterType\":\"LOT_SIZE\",\"minQty\":\"0.01000000\","
			"\"maxQty\":\"900000.00000000\",\"stepSize\":\"0.01000000\"}]}",
			i ? "," : "", i, i);
	strcpy(at, "]}");
	return text;
}

static int frame_write(char *to, uint32_t i)
{
	return sprintf(to,
		       "{\"u\":%0*llu,\"s\":\"C%uUSDT\",\"b\":\"25.35%02u0000\",\"B\":\"31.%02u000000\","
		       "\"a\":\"25.36%02u0000\",\"A\":\"40.%02u000000\"}",
		       ID_DIGITS, (unsigned long long)(ID_FIRST + i), i % FRAMES_MARKETS, i % 99, i % 97, i % 89,
		       i % 91);
}

void frames_make(struct frames *frames, int framed)
{
	frames->count = 0;
	for (uint32_t i = 0; i < FRAMES_COUNT; i++) {
		char text[FRAMES_SIZE_MAX];
		size_t len = (size_t)frame_write(text, i);
		if (framed)
			frames->count += tls_message_head(frames->bytes + frames->count, len);
		frames->at[i] = (uint32_t)frames->count;
		frames->len[i] = (uint32_t)len;
		memcpy(frames->bytes + frames->count, text, len);
		frames->count += len;
	}
}

void frames_renew(struct frames *frames)
{
	for (uint32_t i = 0; i < FRAMES_COUNT; i++) {
		uint8_t *digit = frames->bytes + frames->at[i] + ID_BEHIND + ID_DIGITS - 1;
		for (uint32_t add = FRAMES_COUNT; add > 0; digit--) {
			add += (uint32_t)(*digit - '0');
			*digit = (uint8_t)('0' + add % 10);
			add /= 10;
		}
	}
}

/* ------------------------------------------------------------ our side */

static struct {
	struct catalogue *catalogue;
	struct markets *markets;
	struct quotes quotes;
	struct frame frame;
	uint64_t changed;
} consumer;

static void book_take(void *ctx, const struct tg_book_event *event)
{
	(void)ctx;
	consumer.changed += book_apply(&consumer.markets->market[event->market], event) == BOOK_CHANGED;
}

void consumer_open(void)
{
	const struct catalogue_fees fees = {{10, 0, 0}, {10, 0, 0}, ""};
	const char *info = frames_info();
	struct catalogue_changes changes;
	struct tg_error error = tg_error_init();
	consumer.changed = 0;
	if (markets_create(&consumer.markets) || catalogue_create(&fees, &consumer.catalogue) ||
	    catalogue_update(consumer.catalogue, (const uint8_t *)info, strlen(info), &changes, &error))
		bench_fail("the markets: %s", error.message);
	for (uint32_t i = 0; i < changes.count; i++) {
		struct tg_instrument instrument = catalogue_instrument(consumer.catalogue, changes.market[i]);
		if (markets_update(consumer.markets, &instrument, &error))
			bench_fail("a market: %s", error.message);
	}
	quotes_init(&consumer.quotes, catalogue_routes(consumer.catalogue), book_take, NULL);
}

void consumer_take(const uint8_t *bytes, size_t count)
{
	if (frame_decode(consumer.quotes.routes, ROUTE_NONE, bytes, count, &consumer.frame) != SCAN_OK ||
	    consumer.frame.kind != FRAME_TICKER)
		bench_fail("a frame was not understood: %.*s", (int)count, (const char *)bytes);
	quotes_frame(&consumer.quotes, &consumer.frame, 1);
}

void consumer_close(uint64_t frames)
{
	if (consumer.changed != frames)
		bench_fail("of %llu frames %llu changed a book", (unsigned long long)frames,
			   (unsigned long long)consumer.changed);
	catalogue_destroy(consumer.catalogue);
	markets_destroy(consumer.markets);
}
