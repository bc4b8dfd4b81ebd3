/* WebSocket on libwebsockets, on the loop's libuv.
 *
 *            open                answer            101
 *   (nothing) --> RESOLVING --------> CONNECTING ------> OPEN
 *                  ^     \ none            | refused       | lost, silent, restarted
 *                  |      v                v               v
 *                  +--- WAITING <--------------------------+   (without TG_WS_RECONNECT: gone)
 *              backoff
 *
 * A socket is what a connector sees; a link is one connection of libwebsockets. Links outlive their sockets: closing
 * one cuts the two apart, and libwebsockets ends the link when it can. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/random.h"
#include "core/io/transport_ws.h"

static void attempt_begin(void *ctx);

/* ------------------------------------------------------------ sockets */

static struct socket *socket_find(struct ws *ws, const void *owner, uint64_t id)
{
	struct socket *socket = ws->sockets[id & (SOCKETS_MAX - 1)];
	return socket && socket->id == id && socket->owner.owner == owner ? socket : NULL;
}

static void timer_set(struct socket *socket, int64_t delay_ns, loop_fn fn)
{
	struct loop *loop = socket->ws->transport->loop;
	loop_timer_stop(loop, socket->timer);
	socket->timer = 0;
	if (loop_timer_start(loop, delay_ns, fn, socket, &socket->timer))
		log_error("transport.timer", LOG_S("note", "no timer is left: a socket is not watched any more"));
}

static void socket_free(struct socket *socket)
{
	struct transport *transport = socket->ws->transport;
	loop_timer_stop(transport->loop, socket->timer);
	if (socket->question)
		resolver_withdraw(transport->resolver, socket->question);
	socket->ws->sockets[socket->id & (SOCKETS_MAX - 1)] = NULL;
	bytes_clear(&socket->headers);
	bytes_clear(&socket->out);
	explicit_bzero(socket->url.text, sizeof socket->url.text);
	free(socket);
}

static void socket_tell(const struct socket *socket, enum transport_event event, const struct tg_error *error)
{
	transport_tell(socket->ws->transport,
		       (struct transport_audit){
			       .event = event,
			       .owner = socket->owner.name,
			       .id = socket->id,
			       .method = "GET",
			       .url = socket->url.text,
			       .headers = {(const char *)socket->headers.at, socket->headers.count},
			       .sent_bytes = socket->sent_bytes,
			       .received_bytes = socket->received_bytes,
			       .duration_ns = now_ns(socket->ws) - socket->began_ns,
			       .error = error,
		       });
}

static void socket_show(const struct socket *socket, enum traffic_kind kind, const struct tg_error *error)
{
	transport_show(socket->ws->transport,
		       &(struct transport_traffic){
			       .kind = kind,
			       .id = socket->id,
			       .url = socket->url.text,
			       .headers = {(const char *)socket->headers.at, socket->headers.count},
			       .error = error,
		       });
}

static void message_show(const struct socket *socket, enum traffic_kind kind, int32_t ws_kind, const uint8_t *bytes,
			 size_t count)
{
	transport_show(socket->ws->transport, &(struct transport_traffic){.kind = kind,
									  .id = socket->id,
									  .url = socket->url.text,
									  .body = {(const char *)bytes, count},
									  .ws_kind = ws_kind});
}

/* Half of the delay is random, so that sockets that were lost together do not come back together. */
static int64_t backoff_ns(struct socket *socket)
{
	struct transport *transport = socket->ws->transport;
	int64_t delay = transport->backoff_first_ns;
	for (uint32_t i = 0; i < socket->failures && delay < transport->backoff_max_ns; i++)
		delay *= 2;
	if (delay > transport->backoff_max_ns)
		delay = transport->backoff_max_ns;
	return delay / 2 + (int64_t)(random_next(&transport->random) % (uint64_t)(delay / 2 + 1));
}

/* It is lost, or could not be opened. The socket may be gone when this returns. */
void socket_lost(struct socket *socket, const struct tg_error *error)
{
	const struct tg_ws_events events = socket->events;
	const uint64_t id = socket->id;
	if (socket->link)
		link_drop(socket->link, false);
	socket_tell(socket, TRANSPORT_WS_CLOSED, error);
	socket_show(socket, TRAFFIC_CLOSED, error);
	socket->out.count = socket->out_at = 0;
	if (!socket->reconnect) {
		socket_free(socket);
	} else {
		int64_t delay = socket->restart.code ? 0 : backoff_ns(socket);
		socket->failures += !socket->restart.code;
		socket->restart.code = 0;
		socket->state = WAITING;
		timer_set(socket, delay > error->retry_after_ns ? delay : error->retry_after_ns, attempt_begin);
	}
	events.closed(events.ctx, id, error);
}

void socket_fail(struct socket *socket, int32_t code, const char *format, ...)
{
	struct tg_error error = tg_error_init();
	char why[160];
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	tg_error_set(&error, code, "%s:%u: %s", socket->url.host, socket->url.port, why);
	socket_lost(socket, &error);
}

/* ------------------------------------------------------------ opening */

static void on_connect_bound(void *ctx)
{
	struct socket *socket = ctx;
	socket->timer = 0;
	if (socket->question)
		resolver_withdraw(socket->ws->transport->resolver, socket->question);
	socket->question = 0;
	resolver_forget(socket->ws->transport->resolver, transport_next_host(socket->ws->transport, &socket->url));
	socket_fail(socket, TG_ERR_TIMEOUT, "not open after %lld ms", (long long)(socket->connect_ns / NS_PER_MS));
}

/* At the address whose turn it is; one that does not answer is followed by the next. */
static void address_try(struct socket *socket)
{
	socket->state = CONNECTING;
	if (link_begin(socket))
		return;
	socket_fail(socket, TG_ERR_IO, "cannot connect to %s", socket->addresses.text[socket->address_at]);
}

/* The address whose turn it was does not answer: the next one, if there is one. */
void socket_on_unreached(struct link *link)
{
	struct socket *socket = link->socket;
	struct ws *ws = socket->ws;
	resolver_forget(ws->transport->resolver, transport_next_host(ws->transport, &socket->url));
	if (socket->address_at + 1 == socket->addresses.count) {
		socket_fail(socket, TG_ERR_IO, "cannot connect");
		return;
	}
	link_drop(link, false);
	socket->address_at++;
	address_try(socket);
}

static void on_resolved(void *ctx, const struct addresses *addresses, const char *why)
{
	struct socket *socket = ctx;
	socket->question = 0;
	if (!addresses) {
		socket_fail(socket, TG_ERR_IO, "cannot resolve the name %s: %s",
			    transport_next_host(socket->ws->transport, &socket->url), why);
		return;
	}
	socket->addresses = *addresses;
	socket->address_at = 0;
	address_try(socket);
}

/* A timer's: never inside a call of the connector. */
static void attempt_begin(void *ctx)
{
	struct socket *socket = ctx;
	struct transport *transport = socket->ws->transport;
	struct addresses addresses;
	socket->timer = 0;
	socket->began_ns = now_ns(socket->ws);
	socket->state = RESOLVING;
	timer_set(socket, socket->connect_ns, on_connect_bound);
	int status = resolver_ask(transport->resolver, transport_next_host(transport, &socket->url), on_resolved,
				  socket, &socket->question, &addresses);
	if (status == TG_OK)
		on_resolved(socket, &addresses, NULL);
	else if (status < 0)
		socket_fail(socket, status, "out of memory");
}

/* ------------------------------------------------------------ being open */

static void on_silence(void *ctx)
{
	struct socket *socket = ctx;
	int64_t rest = socket->data_ns + socket->silence_ns - now_ns(socket->ws);
	socket->timer = 0;
	if (rest > 0)
		timer_set(socket, rest, on_silence);
	else
		socket_fail(socket, TG_ERR_IO, "no data for %lld ms", (long long)(socket->silence_ns / NS_PER_MS));
}

int socket_on_open(struct link *link)
{
	struct socket *socket = link->socket;
	if (socket->compressed) /* else a message comes in pieces of 1 KiB */
		lws_set_extension_option(link->lws, "permessage-deflate", "rx_buf_size", "15");
	socket->state = OPEN;
	socket->sent_bytes = socket->received_bytes = 0;
	socket_tell(socket, TRANSPORT_WS_OPENED, NULL);
	socket_show(socket, TRAFFIC_OPENED, NULL);
	socket->began_ns = socket->data_ns = now_ns(socket->ws);
	timer_set(socket, socket->silence_ns, on_silence);
	socket->events.opened(socket->events.ctx, socket->id);
	return link->socket ? 0 : -1;
}

static int message_deliver(struct link *link, uint8_t *bytes, size_t count)
{
	struct socket *socket = link->socket;
	int32_t kind = lws_frame_is_binary(link->lws) ? TG_WS_BINARY : TG_WS_TEXT;
	socket->failures = 0;
	message_show(socket, TRAFFIC_MESSAGE, kind, bytes, count);
	socket->events.message(socket->events.ctx, socket->id, kind, bytes, count, socket->data_ns);
	return link->socket ? 0 : -1;
}

static int message_refuse(struct link *link)
{
	lws_close_reason(link->lws, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
	socket_fail(link->socket, TG_ERR_LIMIT, "a message of more than %u bytes", link->socket->message_max);
	return -1;
}

int socket_on_bytes(struct link *link, uint8_t *bytes, size_t count)
{
	struct socket *socket = link->socket;
	bool first = lws_is_first_fragment(link->lws), last = lws_is_final_fragment(link->lws);
	socket->data_ns = now_ns(socket->ws);
	socket->received_bytes += count;
	if (first)
		link->in.count = 0;
	if (link->in.count + count + lws_remaining_packet_payload(link->lws) > socket->message_max)
		return message_refuse(link);
	if (first && last)
		return message_deliver(link, bytes, count);
	if (!bytes_add(&link->in, bytes, count)) {
		socket_fail(socket, TG_ERR_NO_MEMORY, "out of memory");
		return -1;
	}
	return last ? message_deliver(link, link->in.at, link->in.count) : 0;
}

/* ------------------------------------------------------------ sending */

int socket_on_writable(struct link *link)
{
	struct socket *socket = link->socket;
	while (socket->out_at < socket->out.count) {
		if (lws_send_pipe_choked(link->lws)) {
			lws_callback_on_writable(link->lws);
			return 0;
		}
		struct waiting waiting;
		uint8_t *at = socket->out.at + socket->out_at;
		memcpy(&waiting, at, sizeof waiting);
		socket->out_at += sizeof waiting + LWS_PRE + waiting.count;
		if (!link_write(link, at + sizeof waiting + LWS_PRE, waiting.count, waiting.kind))
			return -1;
	}
	socket->out.count = socket->out_at = 0;
	return 0;
}

static int32_t frame_queue(struct socket *socket, int32_t kind, const uint8_t *bytes, size_t count)
{
	const struct waiting waiting = {(uint32_t)count, kind};
	static const uint8_t before[LWS_PRE];
	struct bytes *out = &socket->out;
	if (out->count - socket->out_at + count > QUEUE_MAX)
		return TG_ERR_LIMIT;
	if (socket->out_at > 0) {
		memmove(out->at, out->at + socket->out_at, out->count - socket->out_at);
		out->count -= socket->out_at;
		socket->out_at = 0;
	}
	if (!bytes_reserve(out, sizeof waiting + LWS_PRE + count))
		return TG_ERR_NO_MEMORY;
	bytes_add(out, &waiting, sizeof waiting);
	bytes_add(out, before, LWS_PRE);
	bytes_add(out, bytes, count);
	lws_callback_on_writable(socket->link->lws);
	return TG_OK;
}

static int32_t frame_send(struct socket *socket, int32_t kind, const uint8_t *bytes, size_t count)
{
	struct bytes *frame = &socket->ws->frame;
	frame->count = LWS_PRE; /* room for the head in front */
	if (!bytes_reserve(frame, count))
		return TG_ERR_NO_MEMORY;
	bytes_add(frame, bytes, count);
	/* If that fails something may have left: it is lost soon, as after any other loss, and that is told then. */
	if (!link_write(socket->link, frame->at + LWS_PRE, count, kind))
		lws_set_timeout(socket->link->lws, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
	return TG_OK;
}

int32_t transport_ws_send(struct transport *transport, const void *owner, uint64_t id, int32_t kind,
			  const uint8_t *bytes, uint64_t count)
{
	struct socket *socket = socket_find(transport->ws, owner, id);
	if (!socket || socket->state != OPEN || socket->restart.code)
		return TG_ERR_CLOSED;
	if (kind != TG_WS_TEXT && kind != TG_WS_BINARY)
		return TG_ERR_INVALID;
	if (count > QUEUE_MAX)
		return TG_ERR_LIMIT;
	bool waits = socket->out.count > 0 || lws_send_pipe_choked(socket->link->lws);
	int32_t status = waits ? frame_queue(socket, kind, bytes, count) : frame_send(socket, kind, bytes, count);
	if (status)
		return status;
	socket->sent_bytes += count;
	message_show(socket, TRAFFIC_SENT, kind, bytes, count);
	transport_tell(transport, (struct transport_audit){.event = TRANSPORT_WS_SENT,
							   .owner = socket->owner.name,
							   .id = id,
							   .method = kind == TG_WS_TEXT ? "TEXT" : "BINARY",
							   .url = socket->url.text,
							   .body = {(const char *)bytes, count},
							   .left = true,
							   .sent_bytes = count});
	return TG_OK;
}

/* ------------------------------------------------------------ what connectors call */

static uint64_t id_take(struct ws *ws)
{
	for (uint64_t i = 0; i < SOCKETS_MAX; i++)
		if (!ws->sockets[i])
			return ++ws->serial << SLOT_BITS | i;
	return 0;
}

static int socket_fill(struct socket *socket, const struct tg_ws_options *options, struct tg_error *ret_error)
{
	struct ws *ws = socket->ws;
	if (options->silence_ms < 0 || options->connect_ms < 0 || options->silence_ms > INT64_MAX / NS_PER_MS / 2 ||
	    options->connect_ms > INT64_MAX / NS_PER_MS / 2)
		return tg_error_set(ret_error, TG_ERR_INVALID, "silence_ms and connect_ms must be times");
	socket->reconnect = options->flags & TG_WS_RECONNECT;
	socket->compressed = options->flags & TG_WS_COMPRESSED;
	socket->message_max = options->message_max_bytes ? options->message_max_bytes : MESSAGE_MAX;
	socket->silence_ns = (options->silence_ms ? options->silence_ms : SILENCE_MS) * NS_PER_MS;
	socket->connect_ns = (options->connect_ms ? options->connect_ms : CONNECT_MS) * NS_PER_MS;
	int status = url_parse(&socket->url, options->url, "ws", ws->transport->allow_plain, ret_error);
	if (!status)
		status = headers_check(options->headers, options->header_count, ret_error);
	if (!status && !headers_format(options->headers, options->header_count, &socket->headers))
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	return status;
}

int32_t transport_ws_open(struct transport *transport, struct transport_owner owner,
			  const struct tg_ws_options *options, const struct tg_ws_events *events, uint64_t *ret_socket,
			  struct tg_error *ret_error)
{
	struct ws *ws = transport->ws;
	struct tg_ws_options all = {0};
	ABI_COPY(&all, options);
	uint64_t id = id_take(ws);
	if (id == 0)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%d sockets are open", SOCKETS_MAX);
	struct socket *socket = calloc(1, sizeof *socket);
	if (!socket)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	socket->ws = ws;
	socket->id = id;
	socket->owner = owner;
	ABI_COPY(&socket->events, events);
	int status = socket_fill(socket, &all, ret_error);
	if (!status && loop_timer_start(transport->loop, 0, attempt_begin, socket, &socket->timer))
		status = tg_error_set(ret_error, TG_ERR_LIMIT, "no timer is left");
	if (status) {
		socket_free(socket);
		return status;
	}
	ws->sockets[id & (SOCKETS_MAX - 1)] = socket;
	*ret_socket = id;
	return TG_OK;
}

static void on_restart(void *ctx)
{
	struct socket *socket = ctx;
	socket->timer = 0;
	if (socket->link)
		link_drop(socket->link, true);
	socket_fail(socket, TG_ERR_IO, "opened again, as it was asked for");
}

void transport_ws_restart(struct transport *transport, const void *owner, uint64_t id)
{
	struct socket *socket = socket_find(transport->ws, owner, id);
	if (!socket || socket->state == WAITING || socket->restart.code)
		return;
	socket->restart.code = TG_ERR_CLOSED;
	timer_set(socket, 0, on_restart);
}

void transport_ws_close(struct transport *transport, const void *owner, uint64_t id)
{
	struct socket *socket = socket_find(transport->ws, owner, id);
	if (!socket)
		return;
	if (socket->link)
		link_drop(socket->link, socket->state == OPEN);
	if (socket->state == OPEN)
		socket_tell(socket, TRANSPORT_WS_CLOSED, NULL);
	socket_show(socket, TRAFFIC_CLOSED, NULL);
	socket_free(socket);
}

void ws_drop(struct ws *ws, const void *owner)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (ws->sockets[i] && (!owner || ws->sockets[i]->owner.owner == owner))
			transport_ws_close(ws->transport, ws->sockets[i]->owner.owner, ws->sockets[i]->id);
}
