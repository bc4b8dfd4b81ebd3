/* Requests as they are sent and signed; the signatures are those of Binance's own documentation. */
#include "exchanges/binance/request.h"

#include "tests/unit/exchanges/binance/trading.h"

static struct credential credential_of(const char *key)
{
	struct credential credential;
	struct tg_error error = tg_error_init();
	if (credential_find(&desk_host, str_of(key), &credential, &error) != TG_OK)
		abort();
	return credential;
}

static const char *text_of(struct request *request)
{
	request->text[request->used] = '\0';
	return request->text;
}

static const char *payload_of(struct request *request)
{
	request->payload[request->payload_used] = '\0';
	return request->payload;
}

/* "SIGNED request example (HMAC)", ASCII and UTF-8 (web-socket-api.md). */
static void test_examples(void)
{
	static const struct {
		const char *symbol, *side, *signature;
		int64_t price, qty, window;
		uint32_t price_scale, qty_scale;
	} rows[] = {
		{"BTCUSDT", "SELL", "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24", 5200000,
		 1000000, 100, 2, 8},
		{"\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93\xef\xbc\x94\xef\xbc\x95\xef\xbc\x96", "BUY",
		 "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd", 10000000, 100000000, 5000, 8, 8},
	};
	struct credential credential = credential_of("hmac");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct request request;
		char want[1024];
		request_begin(&request, 42, "order.place", &credential);
		request_decimal(&request, "price", rows[i].price, rows[i].price_scale);
		request_decimal(&request, "quantity", rows[i].qty, rows[i].qty_scale);
		request_number(&request, "recvWindow", rows[i].window);
		request_text(&request, "side", str_of(rows[i].side));
		request_text(&request, "symbol", str_of(rows[i].symbol));
		request_text(&request, "timeInForce", TG_STR("GTC"));
		request_number(&request, "timestamp", 1645423376532);
		request_text(&request, "type", TG_STR("LIMIT"));
		is_int(request_end(&request), TG_OK, "an example is written");
		snprintf(want, sizeof want, "\"type\":\"LIMIT\",\"signature\":\"%s\"}}", rows[i].signature);
		ok(has(text_of(&request), want), "and signed as the documentation says");
		ok(has(text_of(&request),
		       "{\"id\":42,\"method\":\"order.place\",\"params\":{\"apiKey\":\"" KEY "\",\"price\":"),
		   "its head");
		ok(has(payload_of(&request), "&timestamp=1645423376532&type=LIMIT"), "what is signed");
	}
}

static void test_numbers(void)
{
	static const struct {
		int64_t mantissa;
		uint32_t scale;
		const char *want;
	} rows[] = {
		{0, 0, "\"0\""},
		{7, 0, "\"7\""},
		{7, 8, "\"0.00000007\""},
		{123456, 2, "\"1234.56\""},
		{100, 2, "\"1.00\""},
		{INT64_MAX, 0, "\"9223372036854775807\""},
		{INT64_MAX, 18, "\"9.223372036854775807\""},
		{1, 18, "\"0.000000000000000001\""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct request request;
		char want[128];
		request_begin(&request, 1, "m", NULL);
		request_decimal(&request, "n", rows[i].mantissa, rows[i].scale);
		request_end(&request);
		snprintf(want, sizeof want, "{\"id\":1,\"method\":\"m\",\"params\":{\"n\":%s}}", rows[i].want);
		is_str(text_of(&request), want, "%s", rows[i].want);
	}
	static struct request request;
	request_begin(&request, UINT64_MAX, "time", NULL);
	request_end(&request);
	is_str(text_of(&request), "{\"id\":18446744073709551615,\"method\":\"time\",\"params\":{}}",
	       "without parameters");
	is_int(request.payload_used, 0, "what is not signed has no payload");
}

static void test_too_long(void)
{
	static struct request request;
	static char text[REQUEST_MAX];
	struct credential credential = credential_of("hmac");
	memset(text, 'x', sizeof text);
	for (size_t count = 0; count < sizeof text; count += 97) {
		request_begin(&request, 1, "order.place", &credential);
		request_text(&request, "symbol", (struct tg_str){text, count});
		int32_t status = request_end(&request);
		if (status != (request.failed ? TG_ERR_LIMIT : TG_OK) || (count < 900 && status) ||
		    (count > REQUEST_PAYLOAD_MAX && !status))
			ok(false, "%zu bytes: %d", count, status);
	}
	ok(true, "what does not fit is refused");
}

static void test_ids(void)
{
	static const struct {
		const char *id;
		bool legal;
	} rows[] = {
		{"", false},
		{"a", true},
		{"0123456789abcdef0123456789abcdef", true},
		{"ABC-_xyz09", true},
		{"012345678901234567890123456789012345", true},
		{"0123456789012345678901234567890123456", false},
		{"a b", false},
		{"a\"", false},
		{"a\\", false},
		{"\xc3\xa4", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(request_id_is_legal(str_of(rows[i].id)), rows[i].legal, "'%s'", rows[i].id);
}

/* --------------------------------------------------------------- credentials */

static void test_find(void)
{
	static const struct {
		const char *key;
		int32_t status, algorithm;
	} rows[] = {
		{"hmac", TG_OK, TG_SIGN_HMAC_SHA256}, {"ed25519", TG_OK, TG_SIGN_ED25519},
		{"es256", TG_ERR_UNSUPPORTED, 0},     {"no-id", TG_ERR_AUTH, 0},
		{"none", TG_ERR_NOT_FOUND, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct credential credential = {0};
		struct tg_error error = tg_error_init();
		is_int(credential_find(&desk_host, str_of(rows[i].key), &credential, &error), rows[i].status, "key %s",
		       rows[i].key);
		is_int(credential.algorithm, rows[i].algorithm, "key %s: its algorithm", rows[i].key);
		ok(rows[i].status == TG_OK || error.message_len, "key %s: %s", rows[i].key, error.message);
	}
}

/* "SIGNED Endpoint Examples for POST /api/v3/order" (rest-api.md): first as it is, then with what has to be encoded. */
static void test_signatures(void)
{
	static const struct {
		const char *payload, *signature;
	} rows[] = {
		{"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp="
		 "1499827319559",
		 "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"},
		{"symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&"
		 "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
		 "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"},
		{"timestamp=1578963600000", "d84e6641b1e328e7b418fff030caed655c266299c9355e36ce801ed14631eed4"},
	};
	struct credential credential = credential_of("hmac");
	char text[CREDENTIAL_SIGNATURE_MAX], query[512];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int32_t length = credential_sign(&credential, (const uint8_t *)rows[i].payload, strlen(rows[i].payload),
						 text, sizeof text - 1);
		text[length > 0 ? length : 0] = '\0';
		is_str(text, rows[i].signature, "signature %zu", i);
	}
	is_int(credential_sign(&credential, (const uint8_t *)"x", 1, text, 63), TG_ERR_LIMIT, "no room for hex");
	int32_t length = credential_query(&credential, "symbol=LTCBTC", 5000, 1499827319559000, query, sizeof query);
	snprintf(text, sizeof text, "symbol=LTCBTC&recvWindow=5000&timestamp=1499827319559000&signature=%s",
		 hmac("symbol=LTCBTC&recvWindow=5000&timestamp=1499827319559000"));
	is_str(query, text, "a signed query");
	is_int(length, (int)strlen(text), "of that length");
	for (size_t room = 0; room < (size_t)length + 1; room++)
		if (credential_query(&credential, "symbol=LTCBTC", 5000, 1499827319559000, query, room) !=
		    (room > (size_t)length ? length : TG_ERR_LIMIT))
			ok(room + 4 > (size_t)length, "room for %zu", room);
	credential_query(&credential, "", 1, 2, query, sizeof query);
	ok(has(query, "recvWindow=1&timestamp=2&signature="), "without parameters");
}

/* Base64, percent-encoded: what is not a letter or digit of it never stands as itself. */
static void test_encoded(void)
{
	struct credential credential = credential_of("ed25519");
	unsigned encoded = 0;
	for (int i = 0; i < 200; i++) {
		char query[512], plain[256], payload[64];
		credential_query(&credential, "", 5000, 1000 + i, query, sizeof query);
		snprintf(payload, sizeof payload, "recvWindow=5000&timestamp=%d", 1000 + i);
		const char *from = strstr(query, "signature=") + 10;
		size_t used = 0;
		for (; *from; from++) {
			unsigned code = 0;
			if (*from == '%' && sscanf(from + 1, "%2x", &code) == 1) {
				from += 2;
				encoded++;
			}
			plain[used++] = code ? (char)code : *from;
		}
		plain[used] = '\0';
		if (strcmp(plain, ed25519(payload)) != 0 || strpbrk(strstr(query, "signature=") + 10, "+/="))
			ok(false, "signature %d: %s", i, query);
	}
	ok(encoded > 200, "200 signatures come back as they were");
}

int main(void)
{
	struct keys keys = {0};
	keys_make(&keys); /* ed_secret */
	test_examples();
	test_numbers();
	test_too_long();
	test_ids();
	test_find();
	test_signatures();
	test_encoded();
	keys_finish(&keys);
	return tap_done();
}
