#define OPENSSL_SUPPRESS_DEPRECATED
#include "bench/wire/floor.h"

#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>
#include <openssl/sha.h>

#include "bench/measure.h"

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

void floor_order(int file, const uint8_t *frame, size_t count, size_t payload, size_t appended)
{
	static SHA256_CTX inner, outer; /* of a key, hashed in advance */
	static uint8_t bytes[8192], block[64], signature[32];
	if (inner.num == 0 && inner.Nl == 0) {
		SHA256_Init(&inner);
		SHA256_Update(&inner, block, sizeof block);
		SHA256_Init(&outer);
		SHA256_Update(&outer, block, sizeof block);
	}
	bytes[0] = (uint8_t)floor_decode(frame, count);
	SHA256_CTX hash = inner;
	SHA256_Update(&hash, bytes, payload);
	SHA256_Final(signature, &hash);
	hash = outer;
	SHA256_Update(&hash, signature, sizeof signature);
	SHA256_Final(bytes, &hash);
	if (appended > sizeof bytes || write(file, bytes, appended) != (ssize_t)appended)
		bench_fail("floor: cannot write");
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
