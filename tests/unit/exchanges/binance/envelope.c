/* Messages of the WebSocket API by their parts. */
#include "exchanges/binance/envelope.h"

#include <string.h>

#include "exchanges/binance/catalogue.h"
#include "tests/tap.h"

/* A copy of its own, so that a byte beyond is seen. */
static uint8_t *exact_of(const char *text)
{
	size_t count = strlen(text);
	uint8_t *copy = malloc(count + 1);
	memcpy(copy, text, count);
	return realloc(copy, count ? count : 1);
}

static const char *text_of(struct tg_str text)
{
	static char copy[4][128];
	static int turn;
	turn = (turn + 1) % 4;
	snprintf(copy[turn], sizeof copy[turn], "%.*s", (int)text.len, text.ptr);
	return copy[turn];
}

static bool span_is(struct scan span, const char *want)
{
	return want ? span.at && (size_t)(span.end - span.at) == strlen(want) &&
			       memcmp(span.at, want, strlen(want)) == 0
		    : !span.at;
}

static void test_envelope(void)
{
	static const struct {
		const char *text;
		int code;
		bool has_id;
		uint64_t id;
		int64_t status;
		const char *result, *error, *limits, *event;
	} rows[] = {
		{"{\"id\":7,\"status\":200,\"result\":{\"a\":[1]},\"rateLimits\":[]}", SCAN_OK, true, 7, 200,
		 "{\"a\":[1]}", NULL, "[]", NULL},
		{" { \"rateLimits\" : [ ] , \"result\" : [ ] , \"status\" : 200 , \"id\" : 8 } ", SCAN_OK, true, 8, 200,
		 "[ ]", NULL, "[ ]", NULL},
		{"{\"id\":null,\"status\":400,\"error\":{\"code\":-1135}}", SCAN_OK, false, 0, 400, NULL,
		 "{\"code\":-1135}", NULL, NULL},
		{"{\"id\":\"7\",\"status\":200}", SCAN_OK, false, 0, 200, NULL, NULL, NULL, NULL},
		{"{\"subscriptionId\":1,\"event\":{\"e\":\"x\"}}", SCAN_OK, false, 0, 0, NULL, NULL, NULL,
		 "{\"e\":\"x\"}"},
		{"{}", SCAN_OK, false, 0, 0, NULL, NULL, NULL, NULL},
		{"", SCAN_END, false, 0, 0, NULL, NULL, NULL, NULL},
		{"[]", SCAN_SYNTAX, false, 0, 0, NULL, NULL, NULL, NULL},
		{"{\"id\":7", SCAN_END, false, 0, 0, NULL, NULL, NULL, NULL},
		{"{\"id\":7,}", SCAN_TYPE, false, 0, 0, NULL, NULL, NULL, NULL},
		{"{\"id\" 7}", SCAN_SYNTAX, false, 0, 0, NULL, NULL, NULL, NULL},
		{"{\"id\":7}x", SCAN_TRAILING, false, 0, 0, NULL, NULL, NULL, NULL},
		{"{\"id\":99999999999999999999}", SCAN_OVERFLOW, false, 0, 0, NULL, NULL, NULL, NULL},
		{"{\"status\":\"200\"}", SCAN_TYPE, false, 0, 0, NULL, NULL, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct envelope got = {0};
		uint8_t *bytes = exact_of(rows[i].text);
		is_int(envelope_read(bytes, strlen(rows[i].text), &got), rows[i].code, "'%s'", rows[i].text);
		ok(got.has_id == rows[i].has_id && got.id == rows[i].id && got.status == rows[i].status &&
			   span_is(got.result, rows[i].result) && span_is(got.error, rows[i].error) &&
			   span_is(got.limits, rows[i].limits) && span_is(got.event, rows[i].event),
		   "'%s': its parts", rows[i].text);
		free(bytes);
	}
}

static void test_refusal(void)
{
	static const struct {
		const char *text;
		int code;
		int64_t number, retry_ms;
		const char *words;
	} rows[] = {
		{"{\"code\":-1021,\"msg\":\"Timestamp\"}", SCAN_OK, -1021, 0, "Timestamp"},
		{"{\"code\":-1003,\"msg\":\"m\",\"data\":{\"serverTime\":1000,\"retryAfter\":4500}}", SCAN_OK, -1003,
		 3500, "m"},
		{"{\"data\":{\"retryAfter\":4500},\"code\":-1,\"msg\":\"a\\\"b\\u00e4\"}", SCAN_OK, -1, 0,
		 "a\"b\xc3\xa4"},
		{"{\"code\":-1,\"msg\":\"m\",\"data\":{\"serverTime\":4500,\"retryAfter\":1000}}", SCAN_OK, -1, 0, "m"},
		{"{\"code\":-1,\"msg\":\"m\",\"data\":null}", SCAN_OK, -1, 0, "m"},
		{"{\"code\":\"-1\"}", SCAN_TYPE, 0, 0, NULL},
		{"{\"code\":-1", SCAN_END, 0, 0, NULL},
		{"7", SCAN_SYNTAX, 0, 0, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct refusal got = {.text = {"", 0}};
		uint8_t *bytes = exact_of(rows[i].text);
		struct scan scan = {bytes, bytes + strlen(rows[i].text)};
		is_int(refusal_read(scan, &got), rows[i].code, "'%s'", rows[i].text);
		ok(got.code == rows[i].number && got.retry_ms == rows[i].retry_ms, "'%s': code and wait", rows[i].text);
		if (rows[i].words)
			is_str(text_of(got.text), rows[i].words, "'%s': words", rows[i].text);
		free(bytes);
	}
}

static void test_limits(void)
{
	static const struct {
		const char *text;
		int code;
		int32_t kind;
		int64_t seconds, used;
	} rows[] = {
		{"{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\",\"intervalNum\":10,\"limit\":50,\"count\":12}",
		 SCAN_OK, RATE_ORDERS, 10, 12},
		{"{\"rateLimitType\":\"ORDERS\",\"interval\":\"DAY\",\"intervalNum\":1,\"limit\":160000,\"count\":4043}",
		 SCAN_OK, RATE_ORDERS, 86400, 4043},
		{"{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,\"count\":321}",
		 SCAN_OK, RATE_REQUEST_WEIGHT, 60, 321},
		{"{\"rateLimitType\":\"OF_TOMORROW\",\"interval\":\"MINUTE\",\"intervalNum\":1,\"count\":3}", SCAN_OK,
		 0, 60, 3},
		{"{\"rateLimitType\":\"ORDERS\",\"interval\":\"HOUR\",\"intervalNum\":9999,\"count\":3}", SCAN_OK, 0, 0,
		 3},
		{"{\"rateLimitType\":\"ORDERS\",\"count\":-3}", SCAN_NUMBER, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct limit_told got = {0};
		uint8_t *bytes = exact_of(rows[i].text);
		struct scan scan = {bytes, bytes + strlen(rows[i].text)};
		is_int(limit_read(&scan, &got), rows[i].code, "'%s'", rows[i].text);
		ok(got.kind == rows[i].kind && got.interval_ns == rows[i].seconds * TG_E9 && got.used == rows[i].used,
		   "'%s': what it says", rows[i].text);
		free(bytes);
	}
}

int main(void)
{
	test_envelope();
	test_refusal();
	test_limits();
	return tap_done();
}
