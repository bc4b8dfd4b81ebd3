/* Who may ask: Binance's published signatures are accepted, each wrong variant of them is refused with its code. */
#include "tests/unit/venue/binance/fixture.h"

/* https://github.com/binance/binance-spot-api-docs, rest-api.md and web-socket-api.md; binance-signature-examples */
static const struct {
	const char *name;
	int64_t ms;
	const char *method, *target, *want;
} vectors[] = {
	{"a limit order", 1499827319559, "POST",
	 "/api/v3/order?symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp="
	 "1499827319559&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
	 "\"status\":\"NEW\""},
	{"a symbol that is not ASCII, which there is not here", 1499827319559, "POST",
	 "/api/v3/order?symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&"
	 "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559&signature="
	 "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
	 "{\"code\":-1121,"},
	{"the account", 1578963600000, "GET",
	 "/api/v3/account?timestamp=1578963600000&signature=d84e6641b1e328e7b418fff030caed655c266299c9355e36ce801ed14631eed4",
	 "\"accountType\":\"SPOT\""},
};

static const struct {
	const char *name, *message, *want;
} api_vectors[] = {
	{"a limit order",
	 "{\"id\":1,\"method\":\"order.place\",\"params\":{\"symbol\":\"BTCUSDT\",\"side\":\"SELL\",\"type\":\"LIMIT\","
	 "\"timeInForce\":\"GTC\",\"quantity\":\"0.01000000\",\"price\":\"52000.00\",\"recvWindow\":100,\"timestamp\":"
	 "1645423376532,\"apiKey\":\"" KEY
	 "\",\"signature\":\"aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24\"}}",
	 "\"status\":\"NEW\""},
	{"a symbol that is not ASCII",
	 "{\"id\":1,\"method\":\"order.place\",\"params\":{\"symbol\":\"１２３４５６\",\"side\":\"BUY\",\"type\":\"LIMIT\","
	 "\"timeInForce\":\"GTC\",\"quantity\":\"1.00000000\",\"price\":\"0.10000000\",\"recvWindow\":5000,\"timestamp\":"
	 "1645423376532,\"apiKey\":\"" KEY
	 "\",\"signature\":\"b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd\"}}",
	 "{\"code\":-1121,"},
	{"a signature of something else",
	 "{\"id\":1,\"method\":\"order.place\",\"params\":{\"symbol\":\"BTCUSDT\",\"side\":\"BUY\",\"type\":\"LIMIT\","
	 "\"timeInForce\":\"GTC\",\"quantity\":\"0.01000000\",\"price\":\"52000.00\",\"recvWindow\":100,\"timestamp\":"
	 "1645423376532,\"apiKey\":\"" KEY
	 "\",\"signature\":\"aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24\"}}",
	 "{\"code\":-1022,"},
};

static void published_signatures_are_accepted(void)
{
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		begin_ns = vectors[i].ms * 1000000;
		api_begin(binance_options_default());
		ok(has(ask(vectors[i].method, vectors[i].target, "", KEY), vectors[i].want), "accepted: %s",
		   vectors[i].name);
		api_end();
	}
	begin_ns = INT64_C(1645423376532) * 1000000;
	api_begin(binance_options_default());
	is_int(connect_to(1, "/ws-api/v3"), 101, "a connection");
	for (size_t i = 0; i < sizeof api_vectors / sizeof api_vectors[0]; i++)
		ok(has(say(1, api_vectors[i].message), api_vectors[i].want), "WebSocket API: %s", api_vectors[i].name);
	api_end();
	begin_ns = NOW;
}

static const struct {
	const char *name, *payload;
	const char *sent; /* with %s for the signature of payload; NULL: payload, then the signature */
	const char *key, *want;
} variants[] = {
	{"as it should be", "timestamp=1700000000000", NULL, KEY, "HTTP/1.1 200 "},
	{"capital hex", "timestamp=1700000000000", NULL, KEY, "HTTP/1.1 200 "},
	{"no key", "timestamp=1700000000000", NULL, NULL, "HTTP/1.1 401 "},
	{"an empty key", "timestamp=1700000000000", NULL, "", "{\"code\":-2014,\"msg\":\"API-key format invalid.\"}"},
	{"a key with a blank", "timestamp=1700000000000", NULL, "a b", "{\"code\":-2014,"},
	{"an unknown key", "timestamp=1700000000000", NULL,
	 "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8B",
	 "{\"code\":-2015,\"msg\":\"Invalid API-key, IP, or permissions for action.\"}"},
	{"no signature", "timestamp=1700000000000", "timestamp=1700000000000", KEY,
	 "{\"code\":-1102,\"msg\":\"Mandatory parameter 'signature' was not sent, was empty/null, or malformed.\"}"},
	{"an empty signature", "timestamp=1700000000000", "timestamp=1700000000000&signature=", KEY,
	 "{\"code\":-1102,"},
	{"half a signature", "timestamp=1700000000000", "timestamp=1700000000000&signature=abcdef", KEY,
	 "{\"code\":-1022,\"msg\":\"Signature for this request is not valid.\"}"},
	{"a signature of something else", "timestamp=1700000000001", "timestamp=1700000000000&signature=%s", KEY,
	 "{\"code\":-1022,"},
	{"a signature that is not last", "timestamp=1700000000000", "signature=%s&timestamp=1700000000000", KEY,
	 "{\"code\":-1022,"},
	{"signed in another order", "recvWindow=5000&timestamp=1700000000000",
	 "timestamp=1700000000000&recvWindow=5000&signature=%s", KEY, "{\"code\":-1022,"},
	{"encoded after it was signed", "recvWindow=5000&timestamp=1700000000000",
	 "recvWindow=500%%30&timestamp=1700000000000&signature=%s", KEY, "{\"code\":-1022,"},
	{"not encoded at all", "timestamp=1700000000000&x=\xc3\xa4", NULL, KEY, "{\"code\":-1022,"},
	{"encoded, then signed", "recvWindow=500%30&timestamp=1700000000000", NULL, KEY, "HTTP/1.1 200 "},
	{"no time", "recvWindow=5000", NULL, KEY, "-1102,\"msg\":\"Mandatory parameter 'timestamp' was not sent"},
	{"a time in words", "timestamp=now", NULL, KEY, "parameter 'timestamp'; legal range is '^[0-9]{1,20}$'"},
	{"999 ms early", "timestamp=1700000000999", NULL, KEY, "HTTP/1.1 200 "},
	{"1000 ms early", "timestamp=1700000001000", NULL, KEY,
	 "{\"code\":-1021,\"msg\":\"Timestamp for this request was 1000ms ahead of the server's time.\"}"},
	{"5000 ms late", "timestamp=1699999995000", NULL, KEY, "HTTP/1.1 200 "},
	{"5001 ms late", "timestamp=1699999994999", NULL, KEY,
	 "{\"code\":-1021,\"msg\":\"Timestamp for this request is outside of the recvWindow.\"}"},
	{"in microseconds", "timestamp=1699999995000000", NULL, KEY, "HTTP/1.1 200 "},
	{"a microsecond too late", "timestamp=1699999994999999", NULL, KEY, "{\"code\":-1021,"},
	{"within half a millisecond", "recvWindow=0.5&timestamp=1699999999999500", NULL, KEY, "HTTP/1.1 200 "},
	{"outside of it", "recvWindow=0.5&timestamp=1699999999999499", NULL, KEY, "{\"code\":-1021,"},
	{"a minute's window", "recvWindow=60000&timestamp=1699999940000", NULL, KEY, "HTTP/1.1 200 "},
	{"a window too fine", "recvWindow=0.0005&timestamp=1700000000000", NULL, KEY, "{\"code\":-1130,"},
};

static void variants_are_told_apart(void)
{
	api_begin(binance_options_default());
	for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
		char target[512];
		const char *signature = hmac(variants[i].payload);
		int used = snprintf(target, sizeof target, "/api/v3/account?");
		if (variants[i].sent && strstr(variants[i].sent, "%s"))
			snprintf(target + used, sizeof target - (size_t)used, variants[i].sent, signature);
		else if (variants[i].sent)
			snprintf(target + used, sizeof target - (size_t)used, "%s", variants[i].sent);
		else
			snprintf(target + used, sizeof target - (size_t)used, "%s&signature=%s", variants[i].payload,
				 signature);
		if (i == 1)
			for (char *c = strstr(target, "signature=") + 10; *c; c++)
				*c = (char)(*c >= 'a' ? *c - 32 : *c);
		ok(has(ask("GET", target, "", variants[i].key), variants[i].want), "%s", variants[i].name);
	}
	api_end();
}

/* "Mixed query string and request body": the two are joined with nothing between them. */
static void query_and_body_are_one(void)
{
	api_begin(binance_options_default());
	const char *query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC";
	const char *body = "quantity=1&price=0.1&timestamp=1700000000000";
	char payload[256], target[256], with[512];
	snprintf(payload, sizeof payload, "%s%s", query, body);
	snprintf(target, sizeof target, "/api/v3/order?%s", query);
	snprintf(with, sizeof with, "%s&signature=%s", body, hmac(payload));
	ok(has(ask("POST", target, with, KEY), "\"status\":\"NEW\""), "query and body, signed as one");
	snprintf(payload, sizeof payload, "%s&%s", query, body);
	snprintf(with, sizeof with, "%s&signature=%s", body, hmac(payload));
	ok(has(ask("POST", target, with, KEY), "{\"code\":-1022,"), "with an & between them it is another text");
	snprintf(with, sizeof with, "%s&%s&signature=%s", query, body, hmac(payload));
	ok(has(ask("POST", "/api/v3/order", with, KEY), "\"status\":\"NEW\""), "all of it in the body");
	api_end();
}

/* -------------------------------------------------------------- Ed25519 */

static void percent_encode(const char *text, char *out)
{
	for (; *text; text++)
		out += *text == '+'   ? sprintf(out, "%%2B")
		       : *text == '/' ? sprintf(out, "%%2F")
		       : *text == '=' ? sprintf(out, "%%3D")
				      : sprintf(out, "%c", *text);
}

static void ed25519_signs_too(void)
{
	char target[512], encoded[300];
	api_begin(binance_options_default());
	percent_encode(ed25519("timestamp=1700000000000"), encoded);
	snprintf(target, sizeof target, "/api/v3/account?timestamp=1700000000000&signature=%s", encoded);
	ok(has(ask("GET", target, "", ED_KEY), "HTTP/1.1 200 "), "an Ed25519 signature is accepted");
	ok(has(ask("GET", target, "", KEY), "{\"code\":-1022,"), "of its own key only");
	percent_encode(ed25519("timestamp=1700000000001"), encoded);
	snprintf(target, sizeof target, "/api/v3/account?timestamp=1700000000000&signature=%s", encoded);
	ok(has(ask("GET", target, "", ED_KEY), "{\"code\":-1022,"), "of what was signed only");
	api_end();
}

#define LOGON \
	"{\"id\":\"l\",\"method\":\"session.logon\",\"params\":{\"apiKey\":\"" ED_KEY \
	"\",\"timestamp\":1700000000000,\"signature\":\"%s\"}}"
#define STATUS "{\"id\":2,\"method\":\"account.status\",\"params\":{\"timestamp\":1700000000000}}"

static void sessions_need_no_signatures(void)
{
	char message[600];
	api_begin(binance_options_default());
	connect_to(1, "/ws-api/v3");
	ok(has(say(1, STATUS), "\"status\":401,\"error\":{\"code\":-2014,"), "without a session a request needs a key");
	ok(has(say(1, "{\"id\":3,\"method\":\"userDataStream.subscribe\"}"), "{\"code\":-2015,"),
	   "and so does a user stream");
	ok(has(say_signed(1, "session.logon", "", "", ""), "{\"code\":-4056,"), "an HMAC key opens no session");
	snprintf(message, sizeof message, LOGON, ed25519("apiKey=" ED_KEY "&timestamp=1700000000000"));
	ok(has(say(1, message), "\"result\":{\"apiKey\":\"" ED_KEY "\",\"authorizedSince\":1700000000000,"),
	   "an Ed25519 key does");
	ok(has(say(1, STATUS), "\"accountType\":\"SPOT\""), "then the same request needs none");
	ok(has(say(1, "{\"id\":3,\"method\":\"userDataStream.subscribe\"}"), "{\"subscriptionId\":0}"),
	   "nor does a user stream");
	ok(has(say(1, "{\"id\":4,\"method\":\"session.logout\"}"),
	       "1 {\"subscriptionId\":0,\"event\":{\"e\":\"eventStreamTerminated\",\"E\":1700000000000}}\n"),
	   "which ends with the session");
	ok(has(say(1, STATUS), "\"error\":{\"code\":-2014,"), "and so does the right");
	api_end();
}

static const struct {
	const char *name, *message, *want;
} malformed[] = {
	{"no JSON", "{\"id\":", "\"error\":{\"code\":-1135,\"msg\":\"Invalid JSON Request\"}"},
	{"text behind it", "{\"id\":1,\"method\":\"ping\"}x", "\"code\":-1135"},
	{"a list", "[1]", "\"code\":-1135"},
	{"no method", "{\"id\":5}", "{\"id\":5,\"status\":400,\"error\":{\"code\":-1102,"},
	{"no such method", "{\"id\":5,\"method\":\"order.guess\"}", "\"code\":-1020"},
	{"an id that is none", "{\"id\":{},\"method\":\"ping\"}",
	 "{\"id\":null,\"status\":400,\"error\":{\"code\":-1100,"},
	{"params that are none", "{\"id\":5,\"method\":\"depth\",\"params\":[]}", "\"code\":-1135"},
	{"null for a value", "{\"id\":5,\"method\":\"depth\",\"params\":{\"symbol\":null}}", "\"code\":-1102"},
	{"an object for a value", "{\"id\":5,\"method\":\"depth\",\"params\":{\"symbol\":{}}}", "\"code\":-1100"},
	{"versioned", "{\"id\":5,\"method\":\"v3/ping\"}", "{\"id\":5,\"status\":200,\"result\":{},\"rateLimits\":["},
	{"quiet", "{\"id\":5,\"method\":\"ping\",\"params\":{\"returnRateLimits\":false}}", "\"result\":{}}\n"},
	{"exchangeInfo", "{\"id\":5,\"method\":\"exchangeInfo\",\"params\":{\"symbols\":[\"BTCUSDT\"]}}",
	 "\"symbols\":[{\"symbol\":\"BTCUSDT\","},
	{"depth", "{\"id\":5,\"method\":\"depth\",\"params\":{\"symbol\":\"BTCUSDT\",\"limit\":1}}",
	 "\"bids\":[[\"50000.00000000\","},
};

static void messages_are_hostile(void)
{
	api_begin(binance_options_default());
	connect_to(1, "/ws-api/v3");
	for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
		ok(has(say(1, malformed[i].message), malformed[i].want), "WebSocket API: %s", malformed[i].name);
	api_end();
}

int main(void)
{
	fixture_begin();
	published_signatures_are_accepted();
	variants_are_told_apart();
	query_and_body_are_one();
	ed25519_signs_too();
	sessions_need_no_signatures();
	messages_are_hostile();
	fixture_end();
	return tap_done();
}
