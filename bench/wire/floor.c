#define OPENSSL_SUPPRESS_DEPRECATED
#include "bench/wire/floor.h"

#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>
#include <openssl/sha.h>

#include "bench/measure.h"
#include "core/base/crc32c.h"

/* ---- ingest */

static uint64_t count_seen, count_warm;
static int64_t count_begin_ns;

static int count_callback(struct lws *lws, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	(void)lws, (void)user, (void)in, (void)len;
	if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR)
		bench_fail("floor: no connection");
	if (reason == LWS_CALLBACK_CLIENT_RECEIVE && ++count_seen == count_warm)
		count_begin_ns = now_ns();
	return 0;
}

double floor_ingest(uint16_t port, const char *ca_file, uint64_t warm, uint64_t frames)
{
	const struct lws_protocols protocols[] = {
		{.name = "count", .callback = count_callback, .rx_buffer_size = 32768}, {0}};
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
						 .protocols = protocols,
						 .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
						 .pt_serv_buf_size = 32768,
						 .client_ssl_ca_filepath = ca_file};
	lws_set_log_level(0, NULL);
	struct lws_context *context = lws_create_context(&info);
	struct lws_client_connect_info connect = {.context = context,
						  .address = "localhost",
						  .host = "localhost",
						  .port = port,
						  .path = "/ws",
						  .ssl_connection = LCCSCF_USE_SSL,
						  .local_protocol_name = "count"};
	count_seen = 0, count_warm = warm;
	lws_client_connect_via_info(&connect);
	while (count_seen < warm + frames)
		lws_service(context, 0);
	double passed_ns = (double)(now_ns() - count_begin_ns), seen = (double)(count_seen - warm);
	lws_context_destroy(context);
	return seen * 1e9 / passed_ns;
}

/* ---- decode */

uint64_t floor_decode(const uint8_t *bytes, size_t count)
{
	uint64_t sum = 0;
	for (const uint8_t *at = bytes, *end = bytes + count; (at = memchr(at, '"', (size_t)(end - at))); at++) {
		uint64_t number = 0;
		for (at++; *at != '"'; at++)
			number = *at == '.' ? number : number * 10 + (uint64_t)(*at - '0');
		sum += number;
	}
	return sum;
}

/* ---- tick to order */

static void hmac_make(const uint8_t *bytes, size_t count, uint8_t ret_mac[32])
{
	static SHA256_CTX inner, outer; /* of a key, hashed in advance */
	static uint8_t block[64];
	if (inner.num == 0 && inner.Nl == 0) {
		SHA256_Init(&inner);
		SHA256_Update(&inner, block, sizeof block);
		SHA256_Init(&outer);
		SHA256_Update(&outer, block, sizeof block);
	}
	SHA256_CTX hash = inner;
	SHA256_Update(&hash, bytes, count);
	SHA256_Final(ret_mac, &hash);
	hash = outer;
	SHA256_Update(&hash, ret_mac, 32);
	SHA256_Final(ret_mac, &hash);
}

void floor_order(int file, const uint8_t *frame, size_t count, size_t payload, size_t appended)
{
	static uint8_t bytes[8192], signature[32];
	bytes[0] = (uint8_t)floor_decode(frame, count);
	hmac_make(bytes, payload, signature);
	memcpy(bytes, signature, sizeof signature);
	if (appended > sizeof bytes || write(file, bytes, appended) != (ssize_t)appended)
		bench_fail("floor: cannot write");
}

/* What three legs make of `lots` of the first: lots by whole division, a fee of a thousandth rounded up; BTC, ETH, USDT
 * in 1e-10, which is what their lots and fees come to. */
static int64_t floor_profit(int64_t ask, int64_t lots)
{
	const int64_t spend[3] = {ask * 1000, 40100000, 1000000}, gain[3] = {100000, 1000000, 1999500000};
	int64_t spent = lots * spend[0], have = spent;
	for (int i = 0; i < 3; i++) {
		int64_t bought = have / spend[i] * gain[i];
		have = bought - (bought + 99999) / 100000 * 100;
	}
	return have - spent;
}

void floor_order_sized(int file, const uint8_t *frame, size_t count, size_t payload, size_t appended)
{
	static uint8_t bytes[8192], records[8192], signature[32];
	static double rate[20] = {0.0401, 1999.5, 0.04011, 1999.5, 0.04012, 1999.5, 0.04013, 1999.5, 0.04014, 1999.5,
				  0.0399, 2000.5, 0.03989, 2000.5, 0.03988, 2000.5, 0.03987, 2000.5, 0.03986, 2000.5};
	int64_t ask = 49500 + (int64_t)(floor_decode(frame, count) & 1), best = 0, lots = 0;
	double most = 0;
	for (int i = 0; i < 20; i += 2)
		most = rate[i + 1] / rate[i] / (double)ask > most ? rate[i + 1] / rate[i] / (double)ask : most;
	for (int64_t n = 100000000 / ask - 8; n <= 100000000 / ask; n++) {
		int64_t profit = floor_profit(ask, n);
		lots = profit > best ? n : lots;
		best = profit > best ? profit : best;
	}
	for (size_t at = 0, i = 0; i < 4; at += appended / 4, i++) {
		const int64_t head[4] = {best, lots, (int64_t)at, (int64_t)most};
		memcpy(records + at, bytes, appended / 4);
		memcpy(records + at + 4, head, sizeof head);
		uint32_t sum = crc32c(0, records + at + 4, appended / 4 - 4);
		memcpy(records + at, &sum, sizeof sum);
	}
	if (appended > sizeof records || write(file, records, appended) != (ssize_t)appended)
		bench_fail("floor: cannot write");
	memcpy(bytes + payload, bytes, payload); /* as it is sent, and as it is signed */
	hmac_make(bytes, payload, signature);
	for (size_t i = 0; i < sizeof signature; i++) {
		bytes[2 * payload + 2 * i] = (uint8_t) "0123456789abcdef"[signature[i] >> 4];
		bytes[2 * payload + 2 * i + 1] = (uint8_t) "0123456789abcdef"[signature[i] & 15];
	}
}

/* ---- round trip */

static size_t echo_count;

static int echo_callback(struct lws *lws, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	static uint8_t bytes[LWS_PRE + 4096];
	(void)user, (void)in, (void)len;
	if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR)
		bench_fail("floor: no connection");
	if (reason == LWS_CALLBACK_CLIENT_RECEIVE)
		lws_write(lws, bytes + LWS_PRE, echo_count, LWS_WRITE_TEXT);
	return 0;
}

void floor_echo(uint16_t port, const char *ca_file, size_t count)
{
	const struct lws_protocols protocols[] = {{.name = "echo", .callback = echo_callback, .rx_buffer_size = 4096},
						  {0}};
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
						 .protocols = protocols,
						 .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
						 .client_ssl_ca_filepath = ca_file};
	lws_set_log_level(0, NULL);
	struct lws_context *context = lws_create_context(&info);
	struct lws_client_connect_info connect = {.context = context,
						  .address = "localhost",
						  .host = "localhost",
						  .port = port,
						  .path = "/ws",
						  .ssl_connection = LCCSCF_USE_SSL,
						  .local_protocol_name = "echo"};
	echo_count = count;
	lws_client_connect_via_info(&connect);
	while (lws_service(context, -1) >= 0) /* below 0: do not sleep */
		;
}
