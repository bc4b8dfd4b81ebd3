#include "bench/wire/lent.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/net.h>

#include "bench/measure.h"
#include "bench/wire/exchange.h"
#include "core/extensions.h"

#define SOCKETS_MAX 16
#define HEADERS_MAX 32
#define ADDRESS 1

struct socket {
	uint64_t id; /* also the venue's name for the connection; 0: free */
	struct tg_ws_events events;
	bool open;
	bool streams;
	char path[256];
};

enum letter_kind { LETTER_CONNECT, LETTER_MESSAGE, LETTER_CLOSED, LETTER_HTTP };

struct letter {
	struct letter *next;
	enum letter_kind kind;
	uint64_t id;
	void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response);
	void *ctx;
	size_t count;
	char bytes[];
};

struct post {
	struct letter *first;
	struct letter **last;
};

struct lent {
	struct lent_options options;
	struct binance *binance;
	struct gateway *gateway;
	struct outside outside;
	struct plugin_extension extension[2];
	struct socket socket[SOCKETS_MAX];
	uint64_t serial;
	struct post to_venue, to_gateway;
};

/* ------------------------------------------------------------ letters */

static struct letter *letter_post(struct post *post, enum letter_kind kind, uint64_t id, const void *bytes,
				  size_t count)
{
	struct letter *letter = calloc(1, sizeof *letter + count + 1);
	if (!letter)
		bench_fail("out of memory");
	letter->kind = kind;
	letter->id = id;
	letter->count = count;
	if (count > 0)
		memcpy(letter->bytes, bytes, count);
	*post->last = letter;
	post->last = &letter->next;
	return letter;
}

static struct letter *letter_take(struct post *post)
{
	struct letter *letter = post->first;
	if (!letter)
		return NULL;
	post->first = letter->next;
	if (!post->first)
		post->last = &post->first;
	return letter;
}

static struct socket *socket_find(struct lent *lent, uint64_t id)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (lent->socket[i].id == id)
			return &lent->socket[i];
	return NULL;
}

/* ------------------------------------------------------------ what the plugin calls */

/* "https://host:port/path" from its path on. */
static const char *path_of(struct tg_str url)
{
	const char *host = memmem(url.ptr, url.len, "://", 3);
	const char *path = host ? memchr(host + 3, '/', url.len - (size_t)(host + 3 - url.ptr)) : NULL;
	return path ? path : "/";
}

static int32_t ws_open(const struct tg_host *host, const struct tg_ws_options *options,
		       const struct tg_ws_events *events, uint64_t *ret_socket, struct tg_error *ret_error)
{
	struct lent *lent = extensions_outside(host);
	struct socket *socket = socket_find(lent, 0);
	const char *path = path_of(options->url);
	if (!socket)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "no more than %d sockets", SOCKETS_MAX);
	*socket = (struct socket){.id = ++lent->serial, .events = *events};
	snprintf(socket->path, sizeof socket->path, "%.*s", (int)(options->url.ptr + options->url.len - path), path);
	socket->streams = strncmp(socket->path, "/stream", 7) == 0;
	letter_post(&lent->to_venue, LETTER_CONNECT, socket->id, NULL, 0);
	*ret_socket = socket->id;
	return TG_OK;
}

static int32_t ws_send(const struct tg_host *host, uint64_t id, int32_t kind, const uint8_t *bytes, uint64_t count)
{
	struct lent *lent = extensions_outside(host);
	const struct socket *socket = socket_find(lent, id);
	if (!socket || !socket->open || kind != TG_WS_TEXT)
		return TG_ERR_CLOSED;
	lent->options.sent(lent->options.ctx, bytes, count);
	letter_post(&lent->to_venue, LETTER_MESSAGE, id, bytes, count);
	return TG_OK;
}

static void ws_close(const struct tg_host *host, uint64_t id)
{
	struct lent *lent = extensions_outside(host);
	struct socket *socket = socket_find(lent, id);
	if (socket)
		*socket = (struct socket){0};
}

static void ws_restart(const struct tg_host *host, uint64_t id)
{
	(void)host, (void)id;
	bench_fail("a connection is opened again: nothing here breaks one");
}

static int32_t http_request(const struct tg_host *host, const struct tg_http_request *request,
			    void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response), void *ctx,
			    uint64_t *ret_id, struct tg_error *ret_error)
{
	struct lent *lent = extensions_outside(host);
	const char *path = path_of(request->url);
	char text[8192];
	int len = snprintf(text, sizeof text, "%.*s %.*s HTTP/1.1\r\nHost: venue\r\n", (int)request->method.len,
			   request->method.ptr, (int)(request->url.ptr + request->url.len - path), path);
	for (uint32_t i = 0; i < request->header_count; i++) {
		const struct tg_net_header *header = &request->headers[i];
		const char *value = memmem(header->value.ptr, header->value.len, "${key:", 6) ? EXCHANGE_KEY : NULL;
		len += snprintf(text + len, sizeof text - (size_t)len, "%.*s: %.*s\r\n", (int)header->name.len,
				header->name.ptr, value ? (int)strlen(value) : (int)header->value.len,
				value ? value : header->value.ptr);
	}
	len += snprintf(text + len, sizeof text - (size_t)len, "Content-Length: %llu\r\n\r\n%.*s",
			(unsigned long long)request->body.len, (int)request->body.len, request->body.ptr);
	if ((size_t)len >= sizeof text)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "the request is too long");
	struct letter *letter = letter_post(&lent->to_venue, LETTER_HTTP, ++lent->serial, text, (size_t)len);
	letter->done = done;
	letter->ctx = ctx;
	*ret_id = letter->id;
	return TG_OK;
}

static void letters_drop(const struct post *post, uint64_t id)
{
	for (struct letter *letter = post->first; letter; letter = letter->next)
		if (letter->kind == LETTER_HTTP && letter->id == id)
			letter->done = NULL;
}

static void http_cancel(const struct tg_host *host, uint64_t id)
{
	struct lent *lent = extensions_outside(host);
	letters_drop(&lent->to_venue, id);
	letters_drop(&lent->to_gateway, id);
}

static const struct tg_ext_ws ws_vtable = {
	.size = sizeof ws_vtable, .open = ws_open, .send = ws_send, .restart = ws_restart, .close = ws_close};
static const struct tg_ext_http http_vtable = {
	.size = sizeof http_vtable, .request = http_request, .cancel = http_cancel};

/* ------------------------------------------------------------ what the venue says */

static void on_text(void *ctx, uint64_t connection, const char *text, size_t size)
{
	struct lent *lent = ctx;
	letter_post(&lent->to_gateway, LETTER_MESSAGE, connection, text, size);
}

static void on_ping(void *ctx, uint64_t connection, const char *payload, size_t size)
{
	struct lent *lent = ctx;
	binance_pong(lent->binance, unix_ns(), connection, payload, size);
}

static void on_close(void *ctx, uint64_t connection, int32_t code, const char *reason)
{
	(void)ctx, (void)connection;
	bench_fail("the venue closes a connection: %d %s", code, reason ? reason : "");
}

/* ------------------------------------------------------------ turns */

static void socket_connect(struct lent *lent, uint64_t id)
{
	const struct socket *socket = socket_find(lent, id);
	struct http_request request;
	char text[512];
	if (!socket)
		return;
	int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\n\r\n",
			   socket->path);
	if (http_parse(text, (size_t)len, &request) != len ||
	    binance_connected(lent->binance, unix_ns(), id, ADDRESS, &request) != 101)
		bench_fail("the venue refuses %s", socket->path);
	letter_post(&lent->to_gateway, LETTER_CONNECT, id, NULL, 0);
}

static void request_answer(struct lent *lent, const struct letter *letter)
{
	struct http_request request;
	struct text answer = {0};
	if (http_parse(letter->bytes, letter->count, &request) != (int64_t)letter->count ||
	    !binance_http(lent->binance, unix_ns(), ADDRESS, &request, &answer))
		bench_fail("the venue does not answer: %s", letter->bytes);
	struct letter *reply = letter_post(&lent->to_gateway, LETTER_HTTP, letter->id, answer.ptr, answer.used);
	reply->done = letter->done;
	reply->ctx = letter->ctx;
	text_finish(&answer);
}

static bool venue_turn(struct lent *lent)
{
	struct letter *letter = letter_take(&lent->to_venue);
	if (!letter)
		return false;
	switch (letter->kind) {
	case LETTER_CONNECT: socket_connect(lent, letter->id); break;
	case LETTER_MESSAGE: binance_message(lent->binance, unix_ns(), letter->id, letter->bytes, letter->count); break;
	case LETTER_HTTP: request_answer(lent, letter); break;
	case LETTER_CLOSED: break;
	}
	free(letter);
	return true;
}

/* Takes the answer's text apart, in place. */
static void response_tell(const struct letter *letter, char *text)
{
	struct tg_net_header header[HEADERS_MAX];
	struct tg_http_response response = {.size = sizeof response, .headers = header, .left = 1};
	char *at = strchr(text, '\n');
	if (!at || sscanf(text, "HTTP/1.1 %d", &response.http_status) != 1)
		bench_fail("no answer of HTTP: %s", text);
	for (at++; *at != '\r' && response.header_count < HEADERS_MAX;) {
		char *colon = strchr(at, ':'), *end = strchr(at, '\r');
		if (!colon || !end)
			bench_fail("no header: %s", at);
		for (char *c = at; c < colon; c++)
			*c = (char)tolower((unsigned char)*c);
		char *value = colon + 1 + strspn(colon + 1, " ");
		header[response.header_count++] =
			(struct tg_net_header){{at, (uint64_t)(colon - at)}, {value, (uint64_t)(end - value)}};
		at = end + 2;
	}
	at += 2;
	response.body = (struct tg_str){at, letter->count - (uint64_t)(at - text)};
	response.received_ns = now_ns();
	letter->done(letter->ctx, letter->id, &response);
}

static void socket_tell(struct lent *lent, struct letter *letter)
{
	struct socket *socket = socket_find(lent, letter->id);
	if (!socket)
		return;
	const struct tg_ws_events *events = &socket->events;
	if (letter->kind == LETTER_CONNECT) {
		socket->open = true;
		events->opened(events->ctx, letter->id);
	} else {
		events->message(events->ctx, letter->id, TG_WS_TEXT, (uint8_t *)letter->bytes, letter->count,
				loop_mono_ns(lent->gateway->loop));
	}
}

static bool gateway_turn(struct lent *lent)
{
	struct letter *letter = letter_take(&lent->to_gateway);
	if (!letter)
		return false;
	loop_arrive(lent->gateway->loop);
	if (letter->kind != LETTER_HTTP)
		socket_tell(lent, letter);
	else if (letter->done)
		response_tell(letter, letter->bytes);
	free(letter);
	return true;
}

bool lent_turn(struct lent *lent)
{
	return gateway_turn(lent) || venue_turn(lent);
}

/* ------------------------------------------------------------ frames */

static struct socket *stream_find(const struct lent *lent)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (lent->socket[i].open && lent->socket[i].streams)
			return (struct socket *)&lent->socket[i];
	return NULL;
}

bool lent_streams(const struct lent *lent)
{
	return stream_find(lent) != NULL;
}

void lent_frame(struct lent *lent, uint8_t *bytes, size_t count)
{
	const struct socket *socket = stream_find(lent);
	loop_arrive(lent->gateway->loop);
	socket->events.message(socket->events.ctx, socket->id, TG_WS_TEXT, bytes, count,
			       loop_mono_ns(lent->gateway->loop));
}

/* ------------------------------------------------------------ open and close */

struct lent *lent_open(struct lent_options *options)
{
	struct tg_error error = tg_error_init();
	struct lent *lent = calloc(1, sizeof *lent);
	if (!lent)
		bench_fail("out of memory");
	options->binance.sink = (struct binance_sink){lent, on_text, on_ping, on_close};
	lent->options = *options;
	if (binance_open(&options->binance, options->venue, unix_ns(), &lent->binance, &error))
		bench_fail("venue: %s", error.message);
	lent->to_venue.last = &lent->to_venue.first;
	lent->to_gateway.last = &lent->to_gateway.first;
	lent->extension[0] = (struct plugin_extension){TG_EXT_WS, &ws_vtable};
	lent->extension[1] = (struct plugin_extension){TG_EXT_HTTP, &http_vtable};
	lent->outside = outside_system;
	lent->outside.control = false;
	lent->outside.extensions = lent->extension;
	lent->outside.extension_count = 2;
	lent->outside.ctx = lent;
	return lent;
}

void lent_close(struct lent *lent)
{
	binance_close(lent->binance);
	for (struct letter *letter;
	     (letter = letter_take(&lent->to_venue)) || (letter = letter_take(&lent->to_gateway));)
		free(letter);
	free(lent);
}

const struct outside *lent_outside(const struct lent *lent)
{
	return &lent->outside;
}

void lent_gateway(struct lent *lent, struct gateway *gateway)
{
	lent->gateway = gateway;
}
