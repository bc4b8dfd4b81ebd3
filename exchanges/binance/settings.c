#include "exchanges/binance/settings.h"

#include <stdio.h>
#include <string.h>

/* General API Information of the REST API, WebSocket Streams, WebSocket API; Testnet General Info (2026-07). */
struct network {
	const char *name;
	const char *rest;
	const char *stream;
	const char *api;
	bool has_wallet;
};
static const struct network NETWORKS[] = {
	{"live", "https://api.binance.com", "wss://stream.binance.com:9443", "wss://ws-api.binance.com:443/ws-api/v3",
	 true},
	{"test", "https://testnet.binance.vision", "wss://stream.testnet.binance.vision",
	 "wss://ws-api.testnet.binance.vision/ws-api/v3", false},
};

/* A stream's name by its kind and speed. "Update Speed: 1000ms or 100ms"; the slower one is without a suffix. */
struct stream_choice {
	const char *stream;
	const char *fast;
	const char *slow;
};
static const struct stream_choice STREAMS[] = {
	{"bookTicker", "bookTicker", "bookTicker"}, {"depth", "depth@100ms", "depth"},
	{"depth5", "depth5@100ms", "depth5"},       {"depth10", "depth10@100ms", "depth10"},
	{"depth20", "depth20@100ms", "depth20"},
};

static struct tg_str key_of(const char *key)
{
	return (struct tg_str){key, strlen(key)};
}

static int32_t wrong(struct tg_error *error, const char *key, const char *what)
{
	return tg_error_set(error, TG_ERR_INVALID, "%s: %s", key, what);
}

/* An absent key leaves the buffer as it is. */
static int32_t text_read(const struct tg_config *config, const char *key, char *buffer, size_t size,
			 struct tg_error *error)
{
	struct tg_str text = {0};
	int32_t status = config->get_text(config, key_of(key), &text);
	if (status == TG_ERR_NOT_FOUND || (status == TG_OK && text.len == 0))
		return TG_OK;
	if (status != TG_OK || text.len >= size || memchr(text.ptr, '\0', text.len))
		return wrong(error, key, "must be a text that is not too long");
	memcpy(buffer, text.ptr, text.len);
	buffer[text.len] = '\0';
	return TG_OK;
}

/* The network's URL, or the configuration's: of this scheme, or the same without TLS (the host sees to it that this
 * stays on the machine). A slash at the end goes: paths begin with one. */
static int32_t url_read(const struct tg_config *config, const char *key, const char *scheme, const char *preset,
			char *url, struct tg_error *error)
{
	size_t length = strlen(scheme); /* with the s of TLS */
	snprintf(url, SETTINGS_URL_MAX, "%s", preset);
	int32_t status = text_read(config, key, url, SETTINGS_URL_MAX, error);
	if (status)
		return status;
	bool secure = strncmp(url, scheme, length) == 0 && strncmp(url + length, "://", 3) == 0;
	bool plain = strncmp(url, scheme, length - 1) == 0 && strncmp(url + length - 1, "://", 3) == 0;
	if ((!secure && !plain) || strpbrk(url, "?# \"") || strlen(url) < length + 4)
		return tg_error_set(error, TG_ERR_INVALID, "%s: must be %s://HOST[:PORT], not \"%s\"", key, scheme,
				    url);
	size_t end = strlen(url);
	while (url[end - 1] == '/')
		url[--end] = '\0';
	return TG_OK;
}

static int32_t network_read(const struct tg_config *config, struct spot_settings *settings, struct tg_error *error)
{
	char name[16] = "live";
	const struct network *network = NULL;
	int32_t status = text_read(config, "network", name, sizeof name, error);
	if (status)
		return status;
	for (size_t i = 0; i < sizeof NETWORKS / sizeof *NETWORKS; i++)
		if (strcmp(NETWORKS[i].name, name) == 0)
			network = &NETWORKS[i];
	if (!network)
		return wrong(error, "network", "must be live or test");
	settings->has_wallet = network->has_wallet;
	status = url_read(config, "rest_url", "https", network->rest, settings->rest_url, error);
	if (!status)
		status = url_read(config, "stream_url", "wss", network->stream, settings->stream_url, error);
	if (!status)
		status = url_read(config, "api_url", "wss", network->api, settings->api_url, error);
	return status;
}

static int32_t stream_read(const struct tg_config *config, struct spot_settings *settings, struct tg_error *error)
{
	char kind[16] = "bookTicker", speed[16] = "100ms";
	int32_t status = text_read(config, "stream", kind, sizeof kind, error);
	if (!status)
		status = text_read(config, "speed", speed, sizeof speed, error);
	if (status)
		return status;
	if (strcmp(speed, "100ms") != 0 && strcmp(speed, "1000ms") != 0)
		return wrong(error, "speed", "must be 100ms or 1000ms");
	for (size_t i = 0; i < sizeof STREAMS / sizeof *STREAMS; i++)
		if (strcmp(STREAMS[i].stream, kind) == 0)
			settings->stream = strcmp(speed, "100ms") == 0 ? STREAMS[i].fast : STREAMS[i].slow;
	settings->keeps_depth = strcmp(kind, "depth") == 0;
	return settings->stream ? TG_OK
				: wrong(error, "stream", "must be bookTicker, depth, depth5, depth10 or depth20");
}

static int32_t fee_read(const struct tg_config *config, const char *key, struct tg_decimal *ret_bps,
			struct tg_error *error)
{
	static const struct tg_decimal MOST = {9999, 0, 0};
	struct tg_decimal bps = {10, 0, 0};
	int32_t status = config->get_decimal(config, key_of(key), &bps);
	if ((status != TG_OK && status != TG_ERR_NOT_FOUND) || bps.mantissa < 0 || bps.scale < 0 || bps.scale > 5 ||
	    tg_decimal_compare(bps, MOST) > 0)
		return wrong(error, key, "must be 0 to 9999, with 5 decimals at most");
	*ret_bps = bps;
	return TG_OK;
}

static int32_t rest_read(const struct tg_config *config, struct spot_settings *settings, struct tg_error *error)
{
	int32_t allow = 0;
	settings->recv_window_ms = 5000;
	int32_t status = config->get_i64(config, TG_STR("recv_window_ms"), &settings->recv_window_ms);
	if ((status != TG_OK && status != TG_ERR_NOT_FOUND) || settings->recv_window_ms < 1 ||
	    settings->recv_window_ms > 60000)
		return wrong(error, "recv_window_ms", "must be 1 to 60000");
	status = config->get_flag(config, TG_STR("allow_withdrawals"), &allow);
	if (status != TG_OK && status != TG_ERR_NOT_FOUND)
		return wrong(error, "allow_withdrawals", "must be true or false");
	settings->allow_withdrawals = allow != 0;
	return text_read(config, "key", settings->key, sizeof settings->key, error);
}

int32_t spot_settings_read(const struct tg_config *config, struct spot_settings *ret_settings,
			   struct tg_error *ret_error)
{
	struct spot_settings settings = {0};
	int32_t status = network_read(config, &settings, ret_error);
	if (!status)
		status = stream_read(config, &settings, ret_error);
	if (!status)
		status = fee_read(config, "taker_bps", &settings.fees.taker_bps, ret_error);
	if (!status)
		status = fee_read(config, "maker_bps", &settings.fees.maker_bps, ret_error);
	if (!status)
		status = rest_read(config, &settings, ret_error);
	if (!status)
		*ret_settings = settings;
	return status;
}
