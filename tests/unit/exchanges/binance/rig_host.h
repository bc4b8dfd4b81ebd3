/* The host of rig.h: what it lends, on virtual time. */
#ifndef TRIGATE_TESTS_BINANCE_RIG_HOST_H
#define TRIGATE_TESTS_BINANCE_RIG_HOST_H

#include <trigate/net.h>

#include "core/market/market.h"
#include "exchanges/binance/plugin.h"
#include "tests/unit/venue/binance/fixture.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define LATENCY_NS (2 * MS)
#define RECONNECT_NS (250 * MS)
#define RIG_TIMERS 8
#define RIG_REQUESTS 64
#define RIG_SOCKETS 32
#define RIG_RULES 8
#define RIG_MARKETS 2000

struct rig_timer {
	uint64_t id;
	int64_t due_ns;
	void (*fn)(void *ctx);
	void *ctx;
};

struct rig_request {
	uint64_t id;
	int64_t due_ns;
	char target[4096]; /* "path?query" */
	char key[160];
	void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response);
	void *ctx;
};

struct rig_socket {
	uint64_t id;
	uint64_t connection; /* the venue's; 0: it is not open */
	char target[300];
	struct tg_ws_events events;
	int64_t silence_ns;
	int64_t open_ns;  /* when it opens next */
	int64_t heard_ns; /* of the last message */
	uint32_t losses;
};

struct rig_message {
	struct rig_message *next;
	int64_t due_ns;
	uint64_t connection;
	size_t size;
	char text[];
};

/* So many requests whose target begins so are answered like this: 0 without an answer. */
struct rig_rule {
	const char *target;
	uint32_t times;
	int32_t status;
	const char *headers; /* one line, or NULL */
	const char *body;
	const char *change; /* NULL, or: the venue's own answer, but with this text ... */
	const char *into;   /* ... replaced by this */
};

struct rig {
	struct tg_host host;
	void *self;
	struct tg_exchange_events events;
	int64_t mono_ns;
	uint64_t ids;
	bool no_wire; /* the host can send nothing at all */
	bool no_network;
	bool still;   /* the venue's markets do not move */
	bool calling; /* the host is in a call of the connector */
	struct rig_timer timer[RIG_TIMERS];
	struct rig_request request[RIG_REQUESTS];
	struct rig_socket socket[RIG_SOCKETS];
	struct rig_rule rule[RIG_RULES];
	struct rig_message *messages;
	struct rig_message **messages_end;
	struct text asked; /* the targets of all requests, a line each */
	struct text logged;
	struct markets *markets;
	const char *setting[16][2];
	int32_t link; /* 0: nothing was told */
	char reason[256];
	uint32_t links; /* changes of it */
	uint32_t events_inside;
	uint32_t instruments;
	uint32_t balances;
	uint32_t books;
	uint32_t books_refused;
	uint64_t done_token;
	uint32_t dones;
	int32_t done_status;
	bool stopped;
	uint32_t after_stop;
};

static struct rig rig;

/* --------------------------------------------------------------- extensions */

static int64_t rig_mono(const struct tg_host *host)
{
	(void)host;
	return rig.mono_ns;
}

static int64_t rig_unix(const struct tg_host *host)
{
	(void)host;
	return NOW + rig.mono_ns;
}

static int32_t rig_timer_start(const struct tg_host *host, int64_t delay_ns, void (*fn)(void *ctx), void *ctx,
			       uint64_t *ret_id)
{
	(void)host;
	for (uint32_t i = 0; i < RIG_TIMERS; i++)
		if (!rig.timer[i].id) {
			rig.timer[i] = (struct rig_timer){++rig.ids, rig.mono_ns + delay_ns, fn, ctx};
			*ret_id = rig.ids;
			return TG_OK;
		}
	return TG_ERR_LIMIT;
}

static int32_t rig_timer_stop(const struct tg_host *host, uint64_t id)
{
	(void)host;
	for (uint32_t i = 0; i < RIG_TIMERS; i++)
		if (rig.timer[i].id == id) {
			rig.timer[i].id = 0;
			return TG_OK;
		}
	return TG_ERR_NOT_FOUND;
}

static void rig_log(const struct tg_host *host, int32_t level, struct tg_str message, const struct tg_log_field *fields,
		    uint32_t count)
{
	(void)host;
	text_format(&rig.logged, "%d %.*s", level, (int)message.len, message.ptr);
	for (uint32_t i = 0; i < count; i++)
		text_format(&rig.logged, ": %.*s", (int)fields[i].value.len, fields[i].value.ptr);
	text_put(&rig.logged, "\n");
}

/* "https://host/path?query" from the third slash on. */
static const char *rig_target(const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = host ? strchr(host + 3, '/') : NULL;
	return path ? path : "/";
}

static int32_t rig_http_request(const struct tg_host *host, const struct tg_http_request *request,
				void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response),
				void *ctx, uint64_t *ret_id, struct tg_error *ret_error)
{
	char url[5000];
	(void)host;
	if (rig.no_wire)
		return tg_error_set(ret_error, TG_ERR_UNSUPPORTED, "the network knows no virtual time");
	snprintf(url, sizeof url, "%.*s", (int)request->url.len, request->url.ptr);
	for (uint32_t i = 0; i < RIG_REQUESTS; i++) {
		struct rig_request *free = &rig.request[i];
		if (free->id)
			continue;
		*free = (struct rig_request){
			.id = ++rig.ids, .due_ns = rig.mono_ns + LATENCY_NS, .done = done, .ctx = ctx};
		snprintf(free->target, sizeof free->target, "%s", rig_target(url));
		for (uint32_t h = 0; h < request->header_count; h++)
			snprintf(free->key, sizeof free->key, "%.*s", (int)request->headers[h].value.len,
				 request->headers[h].value.ptr);
		text_format(&rig.asked, "%lld %s\n", (long long)(rig.mono_ns / MS), free->target);
		*ret_id = free->id;
		return TG_OK;
	}
	abort();
}

static void rig_http_cancel(const struct tg_host *host, uint64_t id)
{
	(void)host;
	for (uint32_t i = 0; i < RIG_REQUESTS; i++)
		if (rig.request[i].id == id)
			rig.request[i].id = 0;
}

static int32_t rig_ws_open(const struct tg_host *host, const struct tg_ws_options *options,
			   const struct tg_ws_events *events, uint64_t *ret_socket, struct tg_error *ret_error)
{
	char url[300];
	(void)host;
	(void)ret_error;
	snprintf(url, sizeof url, "%.*s", (int)options->url.len, options->url.ptr);
	for (uint32_t i = 0; i < RIG_SOCKETS; i++) {
		struct rig_socket *free = &rig.socket[i];
		if (free->id)
			continue;
		*free = (struct rig_socket){.id = ++rig.ids,
					    .events = *events,
					    .silence_ns = options->silence_ms * MS,
					    .open_ns = rig.mono_ns + LATENCY_NS};
		snprintf(free->target, sizeof free->target, "%s", rig_target(url));
		*ret_socket = free->id;
		return TG_OK;
	}
	abort();
}

static struct rig_socket *rig_socket_find(uint64_t id)
{
	for (uint32_t i = 0; i < RIG_SOCKETS; i++)
		if (rig.socket[i].id == id)
			return &rig.socket[i];
	return NULL;
}

static int32_t rig_ws_send(const struct tg_host *host, uint64_t socket, int32_t kind, const uint8_t *bytes,
			   uint64_t count)
{
	struct rig_socket *found = rig_socket_find(socket);
	(void)host;
	if (!found || !found->connection || kind != TG_WS_TEXT)
		return TG_ERR_CLOSED;
	now = NOW + rig.mono_ns;
	binance_message(api, now, found->connection, (const char *)bytes, count);
	return TG_OK;
}

/* Lost, to be opened again after a while. */
static void rig_socket_lose(struct rig_socket *socket, const char *why)
{
	struct tg_error error = tg_error_init();
	if (socket->connection)
		binance_disconnected(api, socket->connection);
	socket->connection = 0;
	socket->losses++;
	socket->open_ns = rig.mono_ns + RECONNECT_NS;
	tg_error_set(&error, TG_ERR_IO, "%s", why);
	socket->events.closed(socket->events.ctx, socket->id, &error);
}

static void rig_ws_restart(const struct tg_host *host, uint64_t socket)
{
	struct rig_socket *found = rig_socket_find(socket);
	(void)host;
	if (found && found->connection)
		found->heard_ns = INT64_MIN / 2; /* silent for too long: the next turn loses it */
}

static void rig_ws_close(const struct tg_host *host, uint64_t socket)
{
	struct rig_socket *found = rig_socket_find(socket);
	(void)host;
	if (found && found->connection)
		binance_disconnected(api, found->connection);
	if (found)
		found->id = found->connection = 0;
}

static int32_t rig_key(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
		       struct tg_error *ret_error)
{
	(void)host;
	if (!str_is(name, "main") && !str_is(name, "other"))
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "no key of that name; there is: main, other");
	*ret_info = (struct tg_key_info){.size = sizeof *ret_info,
					 .algorithms = 1u << TG_SIGN_HMAC_SHA256,
					 .id = str_is(name, "main") ? TG_STR(KEY) : TG_STR("nobody")};
	return TG_OK;
}

static int32_t rig_sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
			uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	crypto_auth_hmacsha256_state state;
	(void)host;
	(void)name;
	if (algorithm != TG_SIGN_HMAC_SHA256 || room < crypto_auth_hmacsha256_BYTES)
		return TG_ERR_UNSUPPORTED;
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)SECRET, strlen(SECRET));
	crypto_auth_hmacsha256_update(&state, bytes, count);
	crypto_auth_hmacsha256_final(&state, ret_signature);
	return crypto_auth_hmacsha256_BYTES;
}

static const void *rig_extension(const struct tg_host *host, struct tg_str id)
{
	static const struct tg_ext_clock clock = {sizeof clock, 0, rig_mono, rig_unix};
	static const struct tg_ext_timer timer = {sizeof timer, 0, rig_timer_start, rig_timer_stop};
	static const struct tg_ext_log log = {sizeof log, 0, rig_log};
	static const struct tg_ext_http http = {sizeof http, 0, rig_http_request, rig_http_cancel};
	static const struct tg_ext_ws ws = {sizeof ws, 0, rig_ws_open, rig_ws_send, rig_ws_restart, rig_ws_close};
	static const struct tg_ext_signer signer = {sizeof signer, 0, rig_key, rig_sign, NULL};
	const struct {
		const char *id;
		const void *vtable;
	} table[] = {{TG_EXT_CLOCK, &clock}, {TG_EXT_TIMER, &timer}, {TG_EXT_LOG, &log},
		     {TG_EXT_HTTP, &http},   {TG_EXT_WS, &ws},       {TG_EXT_SIGNER, &signer}};
	(void)host;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (str_is(id, table[i].id))
			return table[i].vtable;
	return NULL;
}

#endif
