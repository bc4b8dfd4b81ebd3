/* A venue behind Binance's protocols, and a client that signs, for the tests of this folder. */
#ifndef TRIGATE_TESTS_VENUE_BINANCE_FIXTURE_H
#define TRIGATE_TESTS_VENUE_BINANCE_FIXTURE_H

#include <sodium.h>

#include "tests/unit/venue/fixture.h"
#include "venue/binance/binance.h"

/* The example key of Binance's own documentation. */
#define KEY "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
#define SECRET "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
#define ED_KEY "ed25519-test-key"

#define MARKETS \
	HEADER "BTC-USDT,BTC,USDT,50000.00,2,50010.00,2,0.01,0.00001,10,10\n" \
	       "ETH-USDT,ETH,USDT,2000.00,20,2000.50,20,0.01,0.0001,10,10\n" \
	       "ETH-BTC,ETH,BTC,0.03990,20,0.04010,20,0.00001,0.0001,0.0001,10\n" \
	       "LTC-BTC,LTC,BTC,0.0990,50,0.1010,50,0.0001,0.01,0.0001,10\n"

struct told { /* what was pushed to connections, a line each: "ID text", "ID ping", "ID close 1001" */
	struct text text;
	uint32_t pings;
};

static struct told told;
static struct venue *venue;
static struct binance *api;
static struct text ledger;
static struct text answer_bytes;
static int64_t now = NOW;
static int64_t begin_ns = NOW;
static unsigned char ed_secret[crypto_sign_SECRETKEYBYTES];

static void sink_text(void *ctx, uint64_t connection, const char *text, size_t size)
{
	struct told *to = ctx;
	text_format(&to->text, "%llu %.*s\n", (unsigned long long)connection, (int)size, text);
}

static void sink_ping(void *ctx, uint64_t connection, const char *payload, size_t size)
{
	struct told *to = ctx;
	(void)connection;
	to->pings += size > 0 && payload;
}

static void sink_close(void *ctx, uint64_t connection, int32_t code, const char *reason)
{
	struct told *to = ctx;
	text_format(&to->text, "%llu close %d %s\n", (unsigned long long)connection, code, reason);
}

static void ledger_take(void *ctx, const char *lines, size_t size)
{
	text_add(ctx, lines, size);
}

__attribute__((unused)) static const char *pushed(void)
{
	text_add(&told.text, "", 1);
	told.text.used--;
	return told.text.ptr;
}

__attribute__((unused)) static bool has(const char *text, const char *part)
{
	bool found = text && strstr(text, part);
	if (!found)
		printf("#   no '%s' in '%s'\n", part, text ? text : "(null)");
	return found;
}

static struct tg_str str_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static void keys_make(struct keys *keys)
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES], seed[crypto_sign_SEEDBYTES] = {7};
	char base64[64];
	struct tg_error error = tg_error_init();
	if (sodium_init() < 0)
		abort();
	crypto_sign_seed_keypair(public, ed_secret, seed);
	sodium_bin2base64(base64, sizeof base64, public, sizeof public, sodium_base64_VARIANT_ORIGINAL);
	if (keys_add(keys, str_of(KEY), KEY_HMAC, str_of(SECRET), &error) != TG_OK ||
	    keys_add(keys, str_of(ED_KEY), KEY_ED25519, str_of(base64), &error) != TG_OK)
		abort();
}

/* A new venue on the markets above with 100,000 USDT, 10 BTC and 10 LTC. */
__attribute__((unused)) static void api_begin(struct binance_options options)
{
	const struct venue_deposit deposit[] = {
		{TG_STR("USDT"), amount("100000")}, {TG_STR("BTC"), amount("10")}, {TG_STR("LTC"), amount("10")}};
	struct venue_options venue_options = venue_options_default();
	struct tg_error error = tg_error_init();
	fixture_write("binance.csv", MARKETS);
	venue_options.csv = str_of(fixture_path("binance.csv"));
	venue_options.deposit = deposit;
	venue_options.deposit_count = 3;
	venue_options.ledger_write = ledger_take;
	venue_options.ledger_ctx = &ledger;
	keys_make(&options.keys);
	options.control = true;
	options.sink = (struct binance_sink){&told, sink_text, sink_ping, sink_close};
	text_clear(&ledger);
	text_clear(&told.text);
	now = begin_ns;
	if (venue_open(&venue_options, now, &venue, &error) != TG_OK ||
	    binance_open(&options, venue, now, &api, &error) != TG_OK) {
		printf("# %s\n", error.message);
		abort();
	}
}

__attribute__((unused)) static void api_end(void)
{
	binance_close(api);
	venue_close(venue);
	text_finish(&ledger);
	text_finish(&told.text);
	text_finish(&answer_bytes);
}

/* Send the bytes of one request; the whole answer, or NULL if the connection was cut. */
static const char *exchange_bytes(const char *bytes, size_t size)
{
	struct http_request request;
	int64_t used = http_parse(bytes, size, &request);
	text_clear(&answer_bytes);
	if (used != (int64_t)size || !binance_http(api, now, 1, &request, &answer_bytes))
		return NULL;
	text_add(&answer_bytes, "", 1);
	return answer_bytes.ptr;
}

/* method, "path?query", body, API key (NULL: none) */
static const char *ask(const char *method, const char *target, const char *body, const char *key)
{
	static struct text request;
	text_clear(&request);
	text_format(&request, "%s %s HTTP/1.1\r\nHost: venue\r\n", method, target);
	if (key)
		text_format(&request, "X-MBX-APIKEY: %s\r\n", key);
	text_format(&request, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	const char *answer = exchange_bytes(request.ptr, request.used);
	text_finish(&request);
	return answer;
}

__attribute__((unused)) static const char *hmac(const char *payload)
{
	static char hex[2 * crypto_auth_hmacsha256_BYTES + 1];
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)SECRET, strlen(SECRET));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)payload, strlen(payload));
	crypto_auth_hmacsha256_final(&state, mac);
	return sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
}

__attribute__((unused)) static const char *ed25519(const char *payload)
{
	static char base64[128];
	unsigned char signature[crypto_sign_BYTES];
	crypto_sign_detached(signature, NULL, (const unsigned char *)payload, strlen(payload), ed_secret);
	return sodium_bin2base64(base64, sizeof base64, signature, sizeof signature, sodium_base64_VARIANT_ORIGINAL);
}

/* A request signed with the HMAC key at the time that it is; parameters go into the query. */
__attribute__((unused)) static const char *ask_signed(const char *method, const char *path, const char *parameters)
{
	char payload[1024], target[1400];
	snprintf(payload, sizeof payload, "%s%stimestamp=%lld", parameters, parameters[0] ? "&" : "",
		 (long long)(now / 1000000));
	snprintf(target, sizeof target, "%s?%s&signature=%s", path, payload, hmac(payload));
	return ask(method, target, "", KEY);
}

/* Connect; the HTTP status. */
__attribute__((unused)) static int32_t connect_to(uint64_t id, const char *target)
{
	char bytes[512];
	struct http_request request;
	int size =
		snprintf(bytes, sizeof bytes, "GET %s HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\n\r\n", target);
	http_parse(bytes, (size_t)size, &request);
	return binance_connected(api, now, id, 1, &request);
}

/* Say something on a connection; what was pushed by it. */
__attribute__((unused)) static const char *say(uint64_t id, const char *message)
{
	text_clear(&told.text);
	binance_message(api, now, id, message, strlen(message));
	return pushed();
}

/* A request of the WebSocket API. `members` is the inside of params, `payload` the same as it has to be signed, both
 * without apiKey and timestamp; the names in it come after "apiKey" and before "timestamp" or are given by the caller.
 */
__attribute__((unused)) static const char *say_signed(uint64_t id, const char *method, const char *members,
						      const char *payload_before, const char *payload_after)
{
	char payload[1024], message[2048];
	long long ms = now / 1000000;
	snprintf(payload, sizeof payload, "apiKey=%s%s%s&timestamp=%lld%s%s", KEY, payload_before[0] ? "&" : "",
		 payload_before, ms, payload_after[0] ? "&" : "", payload_after);
	snprintf(
		message, sizeof message,
		"{\"id\":\"x\",\"method\":\"%s\",\"params\":{%s%s\"apiKey\":\"%s\",\"timestamp\":%lld,\"signature\":\"%s\"}}",
		method, members, members[0] ? "," : "", KEY, ms, hmac(payload));
	return say(id, message);
}

#endif
