/* What a client sends to the venue, as bytes: REST requests one behind the other, then a message to a market stream and
 * one to the WebSocket API. Each is answered or refused, and the sums of money stay what they were. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "venue/binance/binance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_ignore(void *ctx, uint64_t connection, const char *text, size_t size)
{
	(void)ctx, (void)connection;
	if (!text || !size)
		abort();
}

static void ping_ignore(void *ctx, uint64_t connection, const char *payload, size_t size)
{
	(void)ctx, (void)connection, (void)payload, (void)size;
}

static void close_ignore(void *ctx, uint64_t connection, int32_t code, const char *reason)
{
	(void)ctx, (void)connection, (void)code, (void)reason;
}

static void requests_send(struct binance *binance, const char *bytes, size_t size, int64_t now)
{
	struct text answer = {0};
	struct http_request request;
	int64_t used;
	while (size && (used = http_parse(bytes, size, &request)) > 0) {
		text_clear(&answer);
		if (binance_http(binance, now, 1, &request, &answer) && !answer.used)
			abort();
		binance_connected(binance, now, (uint64_t)size + 10, 1, &request);
		bytes += used;
		size -= (size_t)used;
	}
	text_finish(&answer);
}

static void messages_send(struct binance *binance, const char *bytes, size_t size, int64_t now)
{
	static const char *const targets[] = {"GET /ws HTTP/1.1\r\n\r\n", "GET /ws-api/v3 HTTP/1.1\r\n\r\n"};
	for (uint64_t i = 0; i < 2; i++) {
		struct http_request request;
		http_parse(targets[i], strlen(targets[i]), &request);
		binance_connected(binance, now, i + 1, 1, &request);
		binance_message(binance, now, i + 1, bytes, size);
	}
	binance_tick(binance, now + INT64_C(2000000000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t now = INT64_C(1700000000) * TG_E9;
	struct venue_options venue_options = venue_options_default();
	struct binance_options options = binance_options_default();
	struct venue *venue = NULL;
	struct binance *binance = NULL;
	venue_options.markets = 6;
	options.control = true;
	options.sink = (struct binance_sink){NULL, text_ignore, ping_ignore, close_ignore};
	if (venue_open(&venue_options, now, &venue, NULL) != TG_OK ||
	    binance_open(&options, venue, now, &binance, NULL) != TG_OK)
		abort();
	tg_amount before = accounts_total(&venue_engine(venue)->accounts, 0);
	requests_send(binance, (const char *)data, size, now);
	messages_send(binance, (const char *)data, size, now);
	if (accounts_total(&venue_engine(venue)->accounts, 0) != before)
		abort();
	binance_close(binance);
	venue_close(venue);
	return 0;
}
