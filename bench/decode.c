/* From a frame's bytes to a book, in process: bookTicker and depth20 frames through frame_decode, quotes and
 * book_apply, and depth updates through frame_decode, depth and book_apply. The floor looks at every byte of the same
 * frames once: it finds the quotes and adds up the digits between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "core/market/market.h"
#include "exchanges/binance/depth.h"
#include "exchanges/binance/quotes.h"

#define ROUNDS 15
#define ROUND_NS 12000000
#define FRAMES 512
#define MARKETS 50
#define FRAME_ROOM 8192

const char *const bench_name = "decode";

static struct routes routes;
static struct frame frame;
static struct quotes quotes;
static struct depth *depth;
static struct markets *markets;
static char text[FRAMES][FRAME_ROOM];
static size_t length[FRAMES];
static uint64_t sequence = 1000, sum;

static void fail(const char *what)
{
	fprintf(stderr, "bench_decode: %s\n", what);
	exit(1);
}

static void book_take(void *ctx, const struct tg_book_event *event)
{
	(void)ctx;
	if (book_apply(&markets->market[event->market], event) < 0)
		fail("a book was refused");
}

static void markets_make(void)
{
	if (markets_create(&markets) != TG_OK)
		fail("no memory");
	for (uint32_t i = 0; i < MARKETS; i++) {
		char symbol[24];
		snprintf(symbol, sizeof symbol, "C%uUSDT", i);
		struct tg_instrument instrument = {.size = sizeof instrument,
						   .market = i,
						   .version = 1,
						   .status = TG_MARKET_TRADING,
						   .symbol = {symbol, strlen(symbol)},
						   .base = {symbol, strlen(symbol) - 4},
						   .quote = {"USDT", 4},
						   .tick = {1, 4, 0},
						   .lot = {1, 2, 0},
						   .fee_scale = 8};
		routes_add(&routes, instrument.symbol);
		struct route *route = &routes.route[i];
		route->price_scale = 4;
		route->qty_scale = 2;
		route->version = 1;
		if (markets_update(markets, &instrument, NULL) != TG_OK)
			fail("a market was refused");
	}
}

/* ------------------------------------------------------------------- frames */

static char *side_write(char *to, int count, int first, int step, int salt)
{
	*to++ = '[';
	for (int i = 0; i < count; i++)
		to += sprintf(to, "%s[\"25.%04d0000\",\"%d.%02d000000\"]", i ? "," : "", first + i * step,
			      10 + (salt * 7 + i) % 90, (salt + i) % 100);
	*to++ = ']';
	return to;
}

static size_t ticker_write(char *to, uint32_t i)
{
	return (size_t)sprintf(
		to,
		"{\"stream\":\"c%uusdt@bookTicker\",\"data\":{\"u\":%llu,\"s\":\"C%uUSDT\","
		"\"b\":\"25.35%02u0000\",\"B\":\"31.%02u000000\",\"a\":\"25.36%02u0000\",\"A\":\"40.66000000\"}}",
		i % MARKETS, (unsigned long long)sequence, i % MARKETS, i % 99, i % 97, i % 89);
}

static size_t partial_write(char *to, uint32_t i)
{
	char *at = to + sprintf(to, "{\"stream\":\"c%uusdt@depth20@100ms\",\"data\":{\"lastUpdateId\":%llu,\"bids\":",
				i % MARKETS, (unsigned long long)sequence);
	at = side_write(at, 20, 3500, -1, (int)i);
	at = side_write(stpcpy(at, ",\"asks\":"), 20, 3501, 1, (int)i);
	return (size_t)(stpcpy(at, "}}") - to);
}

/* Follows on for its market: every 50th frame is one of its. */
static size_t update_write(char *to, uint32_t i)
{
	unsigned long long last = 1000000 + sequence / MARKETS;
	char *at =
		to + sprintf(to,
			     "{\"stream\":\"c%uusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1633998512068,"
			     "\"s\":\"C%uUSDT\",\"U\":%llu,\"u\":%llu,\"b\":",
			     i % MARKETS, i % MARKETS, last, last);
	at = side_write(at, 4, 3500 - (int)(i % 3), -2, (int)i);
	at = side_write(stpcpy(at, ",\"a\":"), 4, 3501 + (int)(i % 3), 2, (int)i);
	return (size_t)(stpcpy(at, "}}") - to);
}

static void frames_write(size_t (*write)(char *, uint32_t))
{
	for (uint32_t i = 0; i < FRAMES; i++, sequence++)
		length[i] = write(text[i], (uint32_t)(sequence % (MARKETS * 99 * 97)));
}

/* --------------------------------------------------------------------- runs */

static void ours_run(void)
{
	for (uint32_t i = 0; i < FRAMES; i++) {
		if (frame_decode(&routes, ROUTE_NONE, (const uint8_t *)text[i], length[i], &frame) != SCAN_OK)
			fail("a frame was refused");
		if (frame.kind == FRAME_UPDATE)
			depth_update(depth, &frame, 1, false);
		else
			quotes_frame(&quotes, &frame, 1);
	}
}

static void floor_run(void)
{
	for (uint32_t i = 0; i < FRAMES; i++) {
		const char *at = text[i], *end = at + length[i];
		while ((at = memchr(at, '"', (size_t)(end - at)))) {
			uint64_t number = 0;
			for (at++; *at != '"'; at++)
				number = *at == '.' ? number : number * 10 + (uint64_t)(*at - '0');
			sum += number;
			at++;
		}
	}
}

static void books_start(void)
{
	struct depth_options options = {&routes, NULL, book_take, 16, 100};
	struct depth_fetch fetch;
	if (depth_create(&options, &depth) != TG_OK)
		fail("no memory");
	for (uint32_t i = 0; i < MARKETS; i++)
		depth_open(depth, i, 0);
	while (depth_fetch(depth, 0, &fetch)) {
		char *at = text[0] + sprintf(text[0], "{\"lastUpdateId\":%llu,\"bids\":",
					     (unsigned long long)(1000000 + sequence / MARKETS - 1));
		at = side_write(at, 60, 3500, -1, 1);
		at = stpcpy(side_write(stpcpy(at, ",\"asks\":"), 60, 3501, 1, 1), "}");
		if (frame_decode(&routes, fetch.market, (uint8_t *)text[0], (size_t)(at - text[0]), &frame) != SCAN_OK)
			fail("a snapshot was refused");
		depth_snapshot(depth, fetch.id, &frame, 0);
	}
}

/* Nanoseconds a frame; the frames of each pass are new, and writing them is not counted. */
static double round_run(size_t (*write)(char *, uint32_t), void (*run)(void))
{
	int64_t passed = 0;
	uint64_t frames = 0;
	while (passed < ROUND_NS) {
		frames_write(write);
		int64_t start = now_ns();
		run();
		passed += now_ns() - start;
		frames += FRAMES;
		if (run == floor_run)
			sequence -= FRAMES; /* what only the floor has seen comes again */
	}
	return (double)passed / (double)frames;
}

static void frames_measure(const char *metric, size_t (*write)(char *, uint32_t))
{
	double ours[ROUNDS], least[ROUNDS];
	round_run(write, ours_run);
	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = round_run(write, ours_run);
		least[i] = round_run(write, floor_run);
	}
	figure_print(&(struct figure){metric, "ns", "lower", median(ours, ROUNDS), median(least, ROUNDS), 0, NULL});
}

int main(void)
{
	markets_make();
	quotes_init(&quotes, &routes, book_take, NULL);
	frames_measure("ticker_ns", ticker_write);
	frames_measure("depth20_ns", partial_write);
	sequence += MARKETS - sequence % MARKETS;
	books_start();
	frames_measure("update_ns", update_write);
	struct depth_counts counts = depth_counts(depth);
	if (counts.gaps || counts.crossed || counts.synced != MARKETS)
		fail("the books did not hold");
	fprintf(stderr, "bench_decode: %llu\n", (unsigned long long)sum);
	depth_destroy(depth);
	markets_destroy(markets);
	return 0;
}
