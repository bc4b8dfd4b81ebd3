/* WebSockets.
 *
 *   CONNECTING --answer of 101--> OPEN
 *     ^   | refused, late          | lost, silent, restarted
 *     |   v                        v
 *     +-- WAITING <----------------+     (without TG_WS_RECONNECT: gone) */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/random.h"
#include "simulation/net_state.h"

#define SILENCE_MS 30000
#define CONNECT_MS 10000
#define MESSAGE_MAX (UINT32_C(16) << 20)
#define BACKOFF_FIRST_NS (250 * MS)
#define BACKOFF_MAX_NS (30000 * MS)

enum socket_state { WAITING, CONNECTING, OPEN, GONE };

struct net_socket {
	struct net_socket *next;
	struct net *net;
	uint64_t id;
	struct tg_ws_events events;
	enum socket_state state;
	bool reconnect, restarting;
	uint32_t message_max;
	int64_t silence_ns, connect_ns;
	struct url url;
	struct bytes upgrade;  /* the request for it */
	struct stream *stream; /* NULL: none */
	struct net_reader reader;
	uint64_t timer;    /* bound of connecting, of silence, backoff */
	uint32_t failures; /* since a message came */
	int64_t data_ns;   /* of the last message, or since it is open */
};

static void on_attempt(void *ctx);

static struct net_socket *socket_find(const struct net *net, uint64_t id)
{
	struct net_socket *socket = net->sockets;
	while (socket && (socket->id != id || socket->state == GONE))
		socket = socket->next;
	return socket;
}

static void socket_free(struct net_socket *socket)
{
	net_timer_stop(socket->net, &socket->timer);
	net_reader_finish(&socket->reader);
	bytes_clear(&socket->upgrade);
	free(socket);
}

void sockets_reap(struct net *net)
{
	for (struct net_socket **at = &net->sockets; *at;) {
		struct net_socket *socket = *at;
		if (socket->state != GONE) {
			at = &socket->next;
			continue;
		}
		*at = socket->next;
		socket_free(socket);
	}
}

void sockets_finish(struct net *net)
{
	for (struct net_socket *socket = net->sockets, *next; socket; socket = next) {
		next = socket->next;
		socket_free(socket);
	}
}

static void stream_drop(struct net_socket *socket)
{
	if (socket->stream)
		stream_close(socket->stream);
	socket->stream = NULL;
}

/* It is gone for the connector; its memory goes when nobody stands on it. */
static void socket_leave(struct net_socket *socket)
{
	stream_drop(socket);
	net_timer_stop(socket->net, &socket->timer);
	socket->state = GONE;
}

/* ------------------------------------------------------------ losing */

/* Half of the delay is random, so that sockets that were lost together do not come back together. */
static int64_t backoff_ns(struct net_socket *socket)
{
	int64_t delay = BACKOFF_FIRST_NS;
	for (uint32_t i = 0; i < socket->failures && delay < BACKOFF_MAX_NS; i++)
		delay *= 2;
	if (delay > BACKOFF_MAX_NS)
		delay = BACKOFF_MAX_NS;
	return delay / 2 + (int64_t)(random_next(&socket->net->random) % (uint64_t)(delay / 2 + 1));
}

static void socket_lost(struct net_socket *socket, const struct tg_error *error)
{
	struct net *net = socket->net;
	const struct net_tap *tap = net->options.tap;
	net_tell(net, "ws %llu: %s", (unsigned long long)socket->id, error->message);
	if (tap && socket->state == OPEN)
		tap->closed(tap->ctx, net->options.life->gateway, socket->id, socket->url.path);
	stream_drop(socket);
	if (!socket->reconnect) {
		socket_leave(socket);
	} else {
		int64_t delay = socket->restarting ? 0 : backoff_ns(socket);
		socket->failures += !socket->restarting;
		socket->restarting = false;
		socket->state = WAITING;
		net_timer(net, &socket->timer, delay > error->retry_after_ns ? delay : error->retry_after_ns,
			  on_attempt, socket);
	}
	socket->events.closed(socket->events.ctx, socket->id, error);
}

__attribute__((format(printf, 3, 4))) static void socket_fail(struct net_socket *socket, int32_t code,
							      const char *format, ...)
{
	struct tg_error error = tg_error_init();
	char why[160];
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	tg_error_set(&error, code, "%s: %s", socket->url.host, why);
	socket_lost(socket, &error);
}

/* ------------------------------------------------------------ time */

static void bound_tell(void *ctx)
{
	struct net_socket *socket = ctx;
	net_call_begin(socket->net);
	if (socket->restarting)
		socket_fail(socket, TG_ERR_IO, "opened again, as it was asked for");
	else if (socket->state == OPEN)
		socket_fail(socket, TG_ERR_IO, "no data for %lld ms", (long long)(socket->silence_ns / MS));
	else
		socket_fail(socket, TG_ERR_TIMEOUT, "not open after %lld ms", (long long)(socket->connect_ns / MS));
	net_call_end(socket->net);
}

static void on_bound(void *ctx)
{
	struct net_socket *socket = ctx;
	int64_t rest = socket->data_ns + socket->silence_ns - net_mono_ns(socket->net);
	socket->timer = 0;
	if (socket->state == OPEN && !socket->restarting && rest > 0)
		net_timer(socket->net, &socket->timer, rest, on_bound, socket);
	else
		net_enter(socket->net, bound_tell, socket);
}

/* ------------------------------------------------------------ what comes in */

static void opened_take(struct net_socket *socket)
{
	struct net *net = socket->net;
	const struct net_tap *tap = net->options.tap;
	socket->state = OPEN;
	socket->data_ns = net_mono_ns(net);
	net_timer(net, &socket->timer, socket->silence_ns, on_bound, socket);
	net_tell(net, "ws %llu: open, wss://%s%.*s", (unsigned long long)socket->id, socket->url.host,
		 net_path_length(&socket->url), socket->url.path);
	if (tap)
		tap->opened(tap->ctx, net->options.life->gateway, socket->id, socket->url.path);
	socket->events.opened(socket->events.ctx, socket->id);
}

static int64_t retry_after_ns(struct bytes *lines)
{
	struct tg_net_header header[32];
	uint32_t count = headers_split(lines, header, 32);
	for (uint32_t i = 0; i < count; i++)
		if (header[i].name.len == 11 && memcmp(header[i].name.ptr, "retry-after", 11) == 0)
			return strtol(header[i].value.ptr, NULL, 10) * 1000 * MS;
	return 0;
}

static void answer_take(struct net_socket *socket, const struct net_frame *frame)
{
	struct bytes lines = {0};
	struct tg_str body;
	int32_t status = 0;
	bool read = net_answer_read(frame, &status, &lines, &body);
	if (!read) {
		socket_fail(socket, TG_ERR_IO, "it answers nonsense");
	} else if (status == 101) {
		opened_take(socket);
	} else {
		struct tg_error error = tg_error_init();
		tg_error_set(&error, status == 429 || status == 418 ? TG_ERR_RATE_LIMITED : TG_ERR_IO,
			     "%s: refused with %d", socket->url.host, status);
		error.exchange_code = status;
		error.retry_after_ns = retry_after_ns(&lines);
		socket_lost(socket, &error);
	}
	bytes_clear(&lines);
}

static void message_take(struct net_socket *socket, const struct net_frame *frame)
{
	struct net *net = socket->net;
	const struct net_tap *tap = net->options.tap;
	int32_t kind = frame->kind == NET_BINARY ? TG_WS_BINARY : TG_WS_TEXT;
	if (frame->count > socket->message_max) {
		socket_fail(socket, TG_ERR_LIMIT, "a message of more than %u bytes", socket->message_max);
		return;
	}
	socket->failures = 0;
	socket->data_ns = net_mono_ns(net);
	const struct net_message message = {
		socket->id, false, socket->url.path, {(const char *)frame->bytes, frame->count}};
	if (tap)
		tap->received(tap->ctx, net->options.life->gateway, &message);
	socket->events.message(socket->events.ctx, socket->id, kind, frame->bytes, frame->count, socket->data_ns);
}

static void close_take(struct net_socket *socket, const struct net_frame *frame)
{
	if (frame->count > 0)
		socket_fail(socket, TG_ERR_IO, "closed with %u: %.*s", frame->code, (int)frame->count,
			    (const char *)frame->bytes);
	else
		socket_fail(socket, TG_ERR_IO, "closed with %u", frame->code);
}

static void frame_take(struct net_socket *socket, const struct net_frame *frame)
{
	if (socket->state == CONNECTING && frame->kind == NET_ANSWER)
		answer_take(socket, frame);
	else if (socket->state != OPEN)
		socket_fail(socket, TG_ERR_IO, "it speaks before it was answered");
	else if (frame->kind == NET_TEXT || frame->kind == NET_BINARY)
		message_take(socket, frame);
	else if (frame->kind == NET_PING)
		net_frame_send(socket->stream, NET_PONG, frame->bytes, frame->count);
	else if (frame->kind == NET_CLOSE)
		close_take(socket, frame);
}

/* ------------------------------------------------------------ the stream's events */

static void on_stream_open(void *ctx)
{
	struct net_socket *socket = ctx;
	net_frame_send(socket->stream, NET_UPGRADE, socket->upgrade.at, socket->upgrade.count);
}

static void on_stream_data(void *ctx, const uint8_t *bytes, size_t count)
{
	struct net_socket *socket = ctx;
	struct net *net = socket->net;
	struct stream *stream = socket->stream;
	struct net_frame frame;
	int got = 0;
	net_call_begin(net);
	while (socket->stream == stream && !socket->restarting &&
	       (got = net_reader_take(&socket->reader, &bytes, &count, &frame)) > 0)
		frame_take(socket, &frame);
	if (got < 0 && socket->stream == stream)
		socket_fail(socket, TG_ERR_IO, "%s", socket->reader.error);
	net_call_end(net);
}

static void on_stream_closed(void *ctx)
{
	struct net_socket *socket = ctx;
	net_call_begin(socket->net);
	socket->stream = NULL;
	socket_fail(socket, TG_ERR_IO, socket->state == OPEN ? "the connection was lost" : "cannot connect");
	net_call_end(socket->net);
}

static void refused_tell(void *ctx)
{
	struct net_socket *socket = ctx;
	net_call_begin(socket->net);
	socket_fail(socket, TG_ERR_IO, "cannot connect");
	net_call_end(socket->net);
}

static void on_attempt(void *ctx)
{
	struct net_socket *socket = ctx;
	struct net *net = socket->net;
	const struct stream_events events = {socket, on_stream_open, on_stream_data, on_stream_closed};
	socket->state = CONNECTING;
	net_reader_finish(&socket->reader);
	net_timer(net, &socket->timer, socket->connect_ns, on_bound, socket);
	socket->stream = stream_connect(net->options.network, net->options.process, net->options.life,
					net->options.venue, &events);
	if (!socket->stream)
		net_enter(net, refused_tell, socket);
}

/* ------------------------------------------------------------ what connectors call */

static int socket_fill(struct net_socket *socket, const struct tg_ws_options *options, struct tg_error *ret_error)
{
	if (options->silence_ms < 0 || options->connect_ms < 0 || options->silence_ms > INT64_MAX / MS / 2 ||
	    options->connect_ms > INT64_MAX / MS / 2)
		return tg_error_set(ret_error, TG_ERR_INVALID, "silence_ms and connect_ms must be times");
	socket->reconnect = options->flags & TG_WS_RECONNECT;
	socket->message_max = options->message_max_bytes ? options->message_max_bytes : MESSAGE_MAX;
	socket->silence_ns = (options->silence_ms ? options->silence_ms : SILENCE_MS) * MS;
	socket->connect_ns = (options->connect_ms ? options->connect_ms : CONNECT_MS) * MS;
	int status = net_url_parse(options->url, "ws", &socket->url, ret_error);
	if (!status)
		status = net_request_write(socket->net, "GET", &socket->url, options->headers, options->header_count,
					   (struct tg_str){0}, &socket->upgrade, ret_error);
	return status;
}

int32_t net_ws_open(struct net *net, const struct tg_ws_options *options, const struct tg_ws_events *events,
		    uint64_t *ret_socket, struct tg_error *ret_error)
{
	struct tg_ws_options all = {0};
	ABI_COPY(&all, options);
	struct net_socket *socket = calloc(1, sizeof *socket);
	if (!socket)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	socket->net = net;
	ABI_COPY(&socket->events, events);
	int status = socket_fill(socket, &all, ret_error);
	if (status) {
		socket_free(socket);
		return status;
	}
	socket->id = ++net->last_id;
	socket->state = WAITING;
	socket->next = net->sockets;
	net->sockets = socket;
	net_timer(net, &socket->timer, 0, on_attempt, socket);
	*ret_socket = socket->id;
	return TG_OK;
}

int32_t net_ws_send(struct net *net, uint64_t id, int32_t kind, const uint8_t *bytes, uint64_t count)
{
	struct net_socket *socket = socket_find(net, id);
	const struct net_tap *tap = net->options.tap;
	if (!socket || socket->state != OPEN || socket->restarting)
		return TG_ERR_CLOSED;
	if (kind != TG_WS_TEXT && kind != TG_WS_BINARY)
		return TG_ERR_INVALID;
	if (count > OUR_MESSAGES_MAX)
		return TG_ERR_LIMIT;
	int status = net_frame_send(socket->stream, kind == TG_WS_TEXT ? NET_TEXT : NET_BINARY, bytes, count);
	const struct net_message message = {id, false, socket->url.path, {(const char *)bytes, count}};
	if (!status && tap)
		tap->sent(tap->ctx, net->options.life->gateway, &message);
	return status;
}

void net_ws_restart(struct net *net, uint64_t id)
{
	struct net_socket *socket = socket_find(net, id);
	if (!socket || socket->state == WAITING || socket->restarting)
		return;
	socket->restarting = true;
	net_timer(net, &socket->timer, 0, on_bound, socket);
}

void net_ws_close(struct net *net, uint64_t id)
{
	struct net_socket *socket = socket_find(net, id);
	const struct net_tap *tap = net->options.tap;
	if (!socket)
		return;
	net_call_begin(net);
	if (tap && socket->state == OPEN)
		tap->closed(tap->ctx, net->options.life->gateway, id, socket->url.path);
	socket_leave(socket);
	net_call_end(net);
}
