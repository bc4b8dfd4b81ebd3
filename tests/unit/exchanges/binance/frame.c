/* Hot frames by hand: every message, in every order of keys, and everything that has to be refused. */
#include "exchanges/binance/frame.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tests/tap.h"

static struct routes routes;
static struct frame frame;

static void market_add(const char *symbol, uint8_t price_scale, int64_t tick, uint8_t qty_scale, int64_t lot)
{
	routes_add(&routes, (struct tg_str){symbol, strlen(symbol)});
	struct route *route = &routes.route[routes.count - 1];
	route->price_scale = price_scale;
	route->tick = tick;
	route->qty_scale = qty_scale;
	route->lot = lot;
	route->version = 1;
}

/* Bytes that end where a page ends: one read beyond is a crash. */
static uint8_t *page_end;

static void page_make(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 64 * page;
	uint8_t *memory = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || mprotect(memory + room, page, PROT_NONE) != 0)
		abort();
	page_end = memory + room;
}

static int decode_bytes(const char *text, size_t count)
{
	memcpy(page_end - count, text, count);
	return frame_decode(&routes, ROUTE_NONE, page_end - count, count, &frame);
}

static int decode(const char *text)
{
	return decode_bytes(text, strlen(text));
}

static void ticker_check(const char *text, const char *what)
{
	int status = decode(text);
	ok(status == SCAN_OK && frame.kind == FRAME_TICKER && frame.market == 0 && frame.last_id == 400900217 &&
		   frame.bid_count == 1 && frame.ask_count == 1 && frame.bids[0].price == 253519 &&
		   frame.bids[0].qty == 3121 && frame.asks[0].price == 253652 && frame.asks[0].qty == 4066,
	   "ticker: %s (%s)", what, scan_text(status));
}

/* The six members in an order by number, 0..719. */
static void ticker_permute(uint32_t order, const char *blank, char *ret_text)
{
	static const char *const MEMBER[] = {"\"u\":400900217",       "\"s\":\"BNBUSDT\"",     "\"b\":\"25.35190000\"",
					     "\"B\":\"31.21000000\"", "\"a\":\"25.36520000\"", "\"A\":\"40.66000000\""};
	uint32_t left[] = {0, 1, 2, 3, 4, 5};
	char *to = stpcpy(ret_text, "{");
	for (uint32_t count = 6; count > 0; count--) {
		uint32_t pick = order % count;
		order /= count;
		to += sprintf(to, "%s%s%s%s", blank, MEMBER[left[pick]], blank, count > 1 ? "," : "}");
		memmove(&left[pick], &left[pick + 1], (count - pick - 1) * sizeof *left);
	}
}

static void test_ticker(void)
{
	char text[512];
	uint32_t good = 0;
	for (uint32_t order = 0; order < 720; order++) {
		ticker_permute(order, order % 2 ? " \n\t\r" : "", text);
		good += decode(text) == SCAN_OK && frame.kind == FRAME_TICKER && frame.bids[0].price == 253519 &&
			frame.bids[0].qty == 3121 && frame.asks[0].price == 253652 && frame.asks[0].qty == 4066 &&
			frame.last_id == 400900217 && frame.market == 0;
	}
	is_int(good, 720, "a ticker in each order of its keys");
	ticker_check(
		"{\"stream\":\"bnbusdt@bookTicker\",\"data\":{\"u\":400900217,\"s\":\"BNBUSDT\",\"b\":\"25.35190000\","
		"\"B\":\"31.21000000\",\"a\":\"25.36520000\",\"A\":\"40.66000000\"}}",
		"in an envelope");
	ticker_check("{\"data\":{\"A\":\"40.66\",\"a\":\"25.3652\",\"B\":\"31.21\",\"b\":\"25.3519\",\"s\":\"BNBUSDT\","
		     "\"u\":400900217},\"stream\":\"bnbusdt@bookTicker\"}",
		     "the envelope the other way round, fewer places");
	ticker_check("{\"new\":{\"u\":[1,{\"b\":null}],\"x\":\"\\u00e9\\\\\\\"\"},\"u\":400900217,\"s\":\"BNBUSDT\","
		     "\"b\":\"25.35190000\",\"B\":\"31.21000000\",\"more\":-1.5e-7,\"a\":\"25.36520000\",\"yes\":true,"
		     "\"A\":\"40.66000000\",\"T\":1}",
		     "with keys that are not known");
	ticker_check("{\"u\":400900217,\"s\":\"\\u0042NB\\u0055SDT\",\"b\":\"25.35190000\",\"B\":\"31.21000000\","
		     "\"a\":\"25.36520000\",\"A\":\"40.66000000\"}",
		     "a symbol in escapes");
	is_int(decode("{\"u\":1,\"s\":\"BNBUSDT\",\"b\":\"0.00000000\",\"B\":\"0.00000000\",\"a\":\"1.5\",\"A\":\"2\"}"),
	       SCAN_OK, "an empty side");
	ok(frame.bid_count == 0 && frame.ask_count == 1 && frame.left_out == 0, "is empty");
	is_int(decode("{\"u\":1,\"s\":\"\xe5\xb8\x81\xe5\xae\x89USDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"),
	       SCAN_OK, "a symbol beyond ASCII");
	is_int(frame.market, 2, "is found");
	is_int(decode("{\"u\":1,\"s\":\"\\u5e01\\u5b89USDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}"),
	       SCAN_OK, "the same in escapes");
	is_int(frame.market, 2, "is found too");
}

/* A ticker in the shape that it comes in is read in a way of its own: with a blank before it, it is not. */
static void test_ticker_both_ways(void)
{
	static const char *const SYMBOL[] = {"BNBUSDT", "STEPS", "\xe5\xb8\x81\xe5\xae\x89USDT", "\\u0042NBUSDT",
					     "NONE"};
	static const char *const VALUE[] = {"25.35190000",
					    "25.35195000",
					    "0.00000000",
					    "10.5",
					    "7",
					    "10.60000001",
					    "-1.00000000",
					    "1.0000000x",
					    "92233720368547758070.00000000",
					    ""};
	static const char *const END[] = {"}", "} ", "", "}}", ",\"e\":\"depthUpdate\"}", "}x"};
	char text[400], blank[401];
	uint32_t same = 0, count = 0;
	for (uint32_t i = 0; i < 5 * 10 * 10 * 6 * 2; i++) {
		const char *symbol = SYMBOL[i % 5], *a = VALUE[i / 5 % 10], *b = VALUE[i / 50 % 10];
		bool wrapped = i / 3000;
		snprintf(text, sizeof text,
			 "%s{\"u\":%u,\"s\":\"%s\",\"b\":\"%s\",\"B\":\"%s\",\"a\":\"%s\",\"A\":\"%s\"%s%s",
			 wrapped ? "{\"stream\":\"some@bookTicker\",\"data\":" : "", i, symbol, a, b, b, a,
			 END[i / 500 % 6], wrapped ? "}" : "");
		snprintf(blank, sizeof blank, " %s", text);
		struct frame first = {0};
		int status = decode(text);
		first = frame;
		bool equal = decode(blank) == status && frame.market == first.market;
		if (status == SCAN_OK)
			equal &= memcmp(&frame, &first, offsetof(struct frame, bids)) == 0 &&
				 memcmp(frame.bids, first.bids, sizeof *frame.bids) == 0 &&
				 memcmp(frame.asks, first.asks, sizeof *frame.asks) == 0;
		same += equal;
		count++;
	}
	is_int(same, count, "a ticker as it comes, and the same behind a blank");
}

static void test_update(void)
{
	is_int(decode("{\"stream\":\"bnbusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1633998512068,"
		      "\"s\":\"BNBUSDT\",\"U\":157,\"u\":160,\"b\":[[\"0.0024\",\"10\"],[\"0.0023\",\"0.00000000\"]],"
		      "\"a\":[[\"0.0026\",\"100.5\"]]}}"),
	       SCAN_OK, "an update");
	ok(frame.kind == FRAME_UPDATE && frame.market == 0 && frame.first_id == 157 && frame.last_id == 160 &&
		   frame.exchange_ns == 1633998512068000000 && frame.bid_count == 2 && frame.ask_count == 1,
	   "ids, time, counts");
	ok(frame.bids[0].price == 24 && frame.bids[0].qty == 1000 && frame.bids[1].price == 23 &&
		   frame.bids[1].qty == 0 && frame.asks[0].price == 26 && frame.asks[0].qty == 10050,
	   "levels, and one that goes");
	is_int(decode(" { \"a\" : [ [ \"0.0026\" , \"1\" ] ] , \"b\" : [ ] , \"u\" : 2 , \"U\" : 1 , "
		      "\"s\" : \"BNBUSDT\" , \"e\" : \"depthUpdate\" } \r\n"),
	       SCAN_OK, "backwards and with blanks");
	ok(frame.kind == FRAME_UPDATE && frame.bid_count == 0 && frame.ask_count == 1 && frame.asks[0].price == 26,
	   "the same levels");
	is_int(decode("{\"e\":\"depthUpdate\",\"s\":\"STEPS\",\"U\":1,\"u\":2,\"b\":[[\"10.5\",\"7\"],[\"10.6\",\"7\"],"
		      "[\"10.505\",\"7\"],[\"11.0\",\"1.9\"]],\"a\":[]}"),
	       SCAN_OK, "prices off the tick, quantities off the lot");
	ok(frame.bid_count == 2 && frame.left_out == 2 && frame.bids[0].price == 105 && frame.bids[0].qty == 6 &&
		   frame.bids[1].price == 110 && frame.bids[1].qty == 0,
	   "are left out, and cut to whole lots");
}

static void test_snapshot(void)
{
	static const char BARE[] = "{\"lastUpdateId\":1027024,\"bids\":[[\"4.0000\",\"431.00\"],[\"3.9\",\"0.001\"]],"
				   "\"asks\":[[\"4.0002\",\"12.00\"]]}";
	memcpy(page_end - strlen(BARE), BARE, strlen(BARE));
	is_int(frame_decode(&routes, 0, page_end - strlen(BARE), strlen(BARE), &frame), SCAN_OK, "a snapshot");
	ok(frame.kind == FRAME_SNAPSHOT && frame.market == 0 && frame.last_id == 1027024 && frame.bid_count == 1 &&
		   frame.ask_count == 1 && frame.left_out == 1 && frame.bids[0].price == 40000 &&
		   frame.bids[0].qty == 43100,
	   "its levels; less than a lot is none");
	is_int(decode(BARE), SCAN_MISSING, "nobody says whose it is");
	is_int(decode("{\"stream\":\"bnbusdt@depth20@100ms\",\"data\":{\"lastUpdateId\":7,\"bids\":[],\"asks\":[]}}"),
	       SCAN_OK, "the stream says whose it is");
	ok(frame.kind == FRAME_SNAPSHOT && frame.market == 0 && frame.last_id == 7, "and it is");
	is_int(decode("{\"data\":{\"asks\":[[\"4.0002\",\"12.00\"]],\"bids\":[],\"lastUpdateId\":7},"
		      "\"stream\":\"\xe5\xb8\x81\xe5\xae\x89usdt@depth5\"}"),
	       SCAN_OK, "afterwards, and beyond ASCII");
	ok(frame.market == 2 && frame.ask_count == 1, "the same");
	is_int(decode("{\"stream\":\"nosuch@depth20\",\"data\":{\"lastUpdateId\":7,\"bids\":[],\"asks\":[]}}"),
	       SCAN_MARKET, "of a market that is not listed");
	is_int(decode("{\"stream\":\"bnbusdt\",\"data\":{\"lastUpdateId\":7,\"bids\":[],\"asks\":[]}}"), SCAN_MARKET,
	       "of a stream that is none");
}

static void test_others(void)
{
	static const struct {
		const char *text;
		enum frame_kind kind;
	} CASES[] = {
		{"{\"result\":null,\"id\":1}", FRAME_REPLY},
		{"{\"id\":3,\"result\":[\"btcusdt@depth\"]}", FRAME_REPLY},
		{"{\"error\":{\"code\":2,\"msg\":\"Invalid request\"},\"id\":1}", FRAME_REPLY},
		{"{\"code\":3,\"msg\":\"Invalid JSON: expected value at line 1 column 1\"}", FRAME_REPLY},
		{"{\"e\":\"serverShutdown\",\"E\":1770123456789}", FRAME_SHUTDOWN},
		{"{\"stream\":\"!serverShutdown\",\"data\":{\"e\":\"serverShutdown\",\"E\":1770123456789}}",
		 FRAME_SHUTDOWN},
		{"{\"e\":\"trade\",\"E\":1,\"s\":\"BNBUSDT\",\"t\":12345,\"p\":\"1\",\"b\":88,\"a\":50,\"m\":true}",
		 FRAME_OTHER},
		{"{\"a\":50,\"b\":88,\"e\":\"trade\"}", FRAME_OTHER},
		{"{\"e\":\"kline\",\"E\":1,\"s\":\"NOSUCH\",\"k\":{\"t\":1,\"B\":\"1\"}}", FRAME_OTHER},
		{"{\"e\":\"24hrTicker\",\"s\":\"BNBUSDT\",\"b\":\"1\",\"B\":\"2\",\"a\":\"3\",\"A\":\"4\",\"u\":\"x\"}",
		 FRAME_OTHER},
		{"{\"stream\":\"!miniTicker@arr\",\"data\":[{\"e\":\"24hrMiniTicker\"}]}", FRAME_OTHER},
		{"{}", FRAME_OTHER},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		int status = decode(CASES[i].text);
		ok(status == SCAN_OK && frame.kind == CASES[i].kind, "%s (%s)", CASES[i].text, scan_text(status));
	}
}

#define TICKER(b, B) "{\"u\":1,\"s\":\"BNBUSDT\",\"b\":" b ",\"B\":" B ",\"a\":\"9999\",\"A\":\"1\"}"
#define UPDATE(first, last, bids) \
	"{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BNBUSDT\",\"U\":" first ",\"u\":" last ",\"b\":" bids ",\"a\":[]}"

static void test_wrong(void)
{
	static const struct {
		const char *text;
		int status;
	} CASES[] = {
		{"", SCAN_END},
		{" ", SCAN_END},
		{"[]", SCAN_SYNTAX},
		{"null", SCAN_SYNTAX},
		{"{", SCAN_END},
		{"{\"u\"", SCAN_END},
		{"{\"u\":1,}", SCAN_SYNTAX},
		{"{\"u\":1 \"s\":2}", SCAN_SYNTAX},
		{"{u:1}", SCAN_SYNTAX},
		{"{\"result\":null,\"id\":1}x", SCAN_TRAILING},
		{"{\"result\":null,\"id\":1}{}", SCAN_TRAILING},
		{"{\"result\":nul}", SCAN_SYNTAX},
		{"{\"result\":nul", SCAN_END},
		{"{\"x\":01}", SCAN_SYNTAX},
		{"{\"x\":1.}", SCAN_SYNTAX},
		{"{\"x\":1e}", SCAN_SYNTAX},
		{"{\"x\":-}", SCAN_SYNTAX},
		{"{\"x\":\"\t\"}", SCAN_SYNTAX},
		{"{\"x\":\"\\q\"}", SCAN_ESCAPE},
		{"{\"x\":\"\\u12g4\"}", SCAN_ESCAPE},
		{"{\"x\":\"\\u12", SCAN_END},
		{"{\"\\u0075\":1}", SCAN_ESCAPE},
		{"{\"x\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}", SCAN_NESTING},
		{"{\"u\":1,\"u\":2}", SCAN_DUPLICATE},
		{"{\"data\":{\"data\":{\"u\":1}}}", SCAN_DUPLICATE},
		{"{\"u\":1,\"s\":\"BNBUSDT\"}", SCAN_MISSING},
		{"{\"u\":1,\"s\":\"BNBUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\"}", SCAN_MISSING},
		{"{\"u\":1,\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}", SCAN_MISSING},
		{"{\"u\":1,\"s\":\"NOSUCH\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}", SCAN_MARKET},
		{"{\"u\":1,\"s\":\"\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}", SCAN_MARKET},
		{"{\"u\":1,\"s\":\"\\ud800\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}", SCAN_ESCAPE},
		{"{\"u\":1,\"s\":1,\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\"}", SCAN_TYPE},
		{TICKER("1", "\"1\""), SCAN_TYPE},
		{TICKER("\"\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"-1\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"+1\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\".5\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"5.\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"1e5\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"1.2.3\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\" 1\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"NaN\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"1\\u0030\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"1.2345678x\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"1.234567/0\"", "\"1\""), SCAN_NUMBER},
		{TICKER("\"922337203685477.58080000\"", "\"1\""), SCAN_OVERFLOW},
		{TICKER("\"1\"", "\"99999999999999999999999999\""), SCAN_OVERFLOW},
		{TICKER("\"1\"", "\"92233720368547758.08000000\""), SCAN_OVERFLOW},
		{UPDATE("2", "1", "[]"), SCAN_SEQUENCE},
		{UPDATE("1", "18446744073709551616", "[]"), SCAN_OVERFLOW},
		{UPDATE("-1", "1", "[]"), SCAN_NUMBER},
		{UPDATE("1.0", "1", "[]"), SCAN_NUMBER},
		{UPDATE("01", "1", "[]"), SCAN_NUMBER},
		{UPDATE("\"1\"", "1", "[]"), SCAN_TYPE},
		{UPDATE("1", "1", "[[\"1\"]]"), SCAN_SYNTAX},
		{UPDATE("1", "1", "[[\"1\",\"2\",\"3\"]]"), SCAN_SYNTAX},
		{UPDATE("1", "1", "[\"1\",\"2\"]"), SCAN_SYNTAX},
		{UPDATE("1", "1", "[[1,2]]"), SCAN_TYPE},
		{UPDATE("1", "1", "[[\"1\",\"2\"],]"), SCAN_SYNTAX},
		{UPDATE("1", "1", "\"1\""), SCAN_TYPE},
		{UPDATE("1", "1", "{}"), SCAN_TYPE},
		{"{\"e\":\"depthUpdate\",\"s\":\"BNBUSDT\",\"U\":1,\"u\":1,\"b\":[]}", SCAN_MISSING},
		{"{\"lastUpdateId\":1,\"bids\":[]}", SCAN_MISSING},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
		is_int(decode(CASES[i].text), CASES[i].status, "%.90s: %s", CASES[i].text, scan_text(CASES[i].status));
	is_int(decode(TICKER("\"922337203685477.5807\"", "\"92233720368547758.07\"")), SCAN_OK,
	       "the largest that fits");
	ok(frame.bids[0].price == INT64_MAX && frame.bids[0].qty == INT64_MAX, "is exact");
	is_int(decode(TICKER("\"000000000000000000000000001.0000000000000000000000000\"", "\"1\"")), SCAN_OK,
	       "zeros before and behind");
}

/* Cut at every byte, and with every byte damaged: an error or a frame, and never a byte beyond the end. */
static void test_cut(void)
{
	static const char WHOLE[] =
		"{\"stream\":\"bnbusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1633998512068,"
		"\"s\":\"BNBUSDT\",\"U\":157,\"u\":160,\"b\":[[\"0.00240000\",\"10.00000000\"]],\"a\":[[\"0.0026\",\"100\"]]}}";
	char damaged[sizeof WHOLE];
	uint32_t accepted = 0;
	for (size_t count = 0; count < sizeof WHOLE - 1; count++)
		accepted += decode_bytes(WHOLE, count) == SCAN_OK;
	is_int(accepted, 0, "no part of a frame passes for a whole");
	for (size_t at = 0; at < sizeof WHOLE - 1; at++)
		for (int c = 0; c < 256; c += 3) {
			memcpy(damaged, WHOLE, sizeof WHOLE);
			damaged[at] = (char)c;
			accepted += decode_bytes(damaged, sizeof WHOLE - 1) == SCAN_OK;
		}
	ok(accepted > 0, "damaged ones neither crash nor read beyond (%u still read as frames)", accepted);
}

static void test_levels(void)
{
	static char text[FRAME_LEVELS_MAX * 16 + 200];
	for (int extra = 0; extra < 2; extra++) {
		char *to = stpcpy(text, "{\"lastUpdateId\":1,\"asks\":[],\"bids\":[");
		for (int i = 0; i < FRAME_LEVELS_MAX + extra; i++)
			to += sprintf(to, "%s[\"%d\",\"1\"]", i ? "," : "", 9999 - i);
		strcpy(to, "]}");
		is_int(frame_decode(&routes, 0, (const uint8_t *)text, strlen(text), &frame),
		       extra ? SCAN_LEVELS : SCAN_OK, "%d levels", FRAME_LEVELS_MAX + extra);
	}
}

static void test_check(void)
{
	static const struct {
		const char *text;
		int status;
	} CASES[] = {
		{"{\"a\":[{\"b\":1},{\"b\":2}],\"b\":1}", SCAN_OK},
		{"{\"a\":{\"b\":1,\"b\":2}}", SCAN_DUPLICATE},
		{"[{\"a\":1,\"c\":1,\"a\":1}]", SCAN_DUPLICATE},
		{"{\"\\u0061\":1}", SCAN_ESCAPE},
		{"{\"a\":1} 2", SCAN_TRAILING},
		{"{\"a\":1}\t", SCAN_OK},
		{"tru", SCAN_END},
		{"+1", SCAN_SYNTAX},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
		is_int(scan_check((const uint8_t *)CASES[i].text, strlen(CASES[i].text)), CASES[i].status, "check %s",
		       CASES[i].text);
}

int main(void)
{
	page_make();
	market_add("BNBUSDT", 4, 1, 2, 1);
	market_add("STEPS", 1, 5, 0, 2);
	market_add("\xe5\xb8\x81\xe5\xae\x89USDT", 4, 1, 2, 1);
	test_ticker();
	test_ticker_both_ways();
	test_update();
	test_snapshot();
	test_others();
	test_wrong();
	test_cut();
	test_levels();
	test_check();
	return tap_done();
}
