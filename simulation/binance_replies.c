/* What goes out, with what goes wrong with it on the way, and whatever is late in either direction. */
#include <stdlib.h>
#include <string.h>

#include "simulation/binance_server_state.h"

struct mishaps { /* that strike a message */
	enum fault_kind lost, late, twice;
};
static const struct mishaps of_replies = {FAULT_REPLY_LOST, FAULT_REPLY_LATE, FAULT_REPLY_TWICE};
static const struct mishaps of_events = {FAULT_EVENT_LOST, FAULT_EVENT_LATE, FAULT_EVENT_TWICE};

void reply_send(struct peer *peer, enum net_frame_kind kind, uint16_t code, const void *bytes, size_t size)
{
	size_t frame_size;
	uint8_t *frame = net_frame_make(kind, code, bytes, size, &frame_size);
	if (!frame)
		binance_server_fail(peer->server, "no memory for a message");
	else if (peer->stream)
		stream_send_venue(peer->stream, frame, frame_size);
	free(frame);
}

/* -------------------------------------------------------------------- late */

static void late_remove(struct late *late)
{
	if (late->previous)
		late->previous->next = late->next;
	else
		late->server->lates = late->next;
	if (late->next)
		late->next->previous = late->previous;
	free(late);
}

static void on_due(void *ctx)
{
	struct late *late = ctx;
	struct binance_server *server = late->server;
	struct peer *peer = peer_find(server, late->peer);
	if (late->request) {
		ask_do(peer, late->kind, late->bytes, late->size);
		peer->late--;
		peer_leave(peer);
	} else if (peer) {
		reply_send(peer, late->kind, 0, late->bytes, late->size);
	}
	late_remove(late);
}

void late_send(struct peer *peer, bool request, enum net_frame_kind kind, const uint8_t *bytes, size_t size,
	       int64_t delay_ms)
{
	struct binance_server *server = peer->server;
	struct late *late = malloc(sizeof *late + size);
	if (!late) {
		binance_server_fail(server, "no memory for what is late");
		return;
	}
	*late = (struct late){.next = server->lates,
			      .server = server,
			      .peer = peer->id,
			      .request = request,
			      .kind = kind,
			      .size = size};
	memcpy(late->bytes, bytes, size);
	if (loop_timer_start(server->options.ground->time, delay_ms * MS_NS, on_due, late, &late->timer) != TG_OK) {
		binance_server_fail(server, "no timer is left");
		free(late);
		return;
	}
	if (late->next)
		late->next->previous = late;
	server->lates = late;
	peer->late += request;
}

void lates_drop(struct binance_server *server)
{
	for (struct late *late = server->lates, *next; late; late = next) {
		next = late->next;
		loop_timer_stop(server->options.ground->time, late->timer);
		late_remove(late);
	}
}

/* -------------------------------------------------------------------- posts */

/* The first letters say what it is. */
static void post(struct peer *peer, enum net_frame_kind kind, const char *bytes, size_t size,
		 const struct mishaps *mishaps)
{
	struct binance_server *server = peer->server;
	int64_t delay_ms = 0;
	int shown = (int)(size < 60 ? size : 60);
	if (!peer->stream)
		return;
	if (server_strikes(server, mishaps->lost, peer->gateway, NULL)) {
		server_tell_fault(server, mishaps->lost, "to g%u: %.*s", peer->gateway, shown, bytes);
	} else if (server_strikes(server, mishaps->late, peer->gateway, &delay_ms)) {
		server_tell_fault(server, mishaps->late, "to g%u by %lld ms: %.*s", peer->gateway, (long long)delay_ms,
				  shown, bytes);
		late_send(peer, false, kind, (const uint8_t *)bytes, size, delay_ms);
	} else {
		reply_send(peer, kind, 0, bytes, size);
		if (kind == NET_ANSWER || !server_strikes(server, mishaps->twice, peer->gateway, &delay_ms))
			return;
		server_tell_fault(server, mishaps->twice, "to g%u after %lld ms: %.*s", peer->gateway,
				  (long long)delay_ms, shown, bytes);
		late_send(peer, false, kind, (const uint8_t *)bytes, size, delay_ms);
	}
}

static bool begins(const char *bytes, size_t size, const char *with)
{
	return size >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

static bool has(const char *bytes, size_t size, const char *part)
{
	return memmem(bytes, size, part, strlen(part)) != NULL;
}

#define REFUSED_MAX 5
#define MINUTE_NS (60 * TG_E9)

/* More than the venue allows, though no fault made it say so. A gateway that was just started does not know what it
 * used before; and some requests may be under way when the first is refused. */
static void refusal_judge(const struct peer *peer, const char *bytes, size_t size)
{
	struct binance_server *server = peer->server;
	int64_t now = ground_ns(server->options.ground);
	bool refused = has(bytes, size < 300 ? size : 300, "\"status\":429") ||
		       has(bytes, size < 300 ? size : 300, "\"status\":418") || begins(bytes, size, "HTTP/1.1 429") ||
		       begins(bytes, size, "HTTP/1.1 418");
	/* How many orders the account has open to it is shared with its other gateways, of which this one knows
	 * nothing. */
	bool shared = server->options.key_count > 1 && has(bytes, size < 300 ? size : 300, "\"code\":-1015");
	if (!refused || shared || now < server->excused_ns[peer->gateway])
		return;
	if (now - server->refused_since_ns[peer->gateway] > MINUTE_NS) {
		server->refused_since_ns[peer->gateway] = now;
		server->refused[peer->gateway] = 0;
	}
	server_tell(server, "g%u asks for too much: %.*s", peer->gateway, (int)(size < 200 ? size : 200), bytes);
	if (++server->refused[peer->gateway] > REFUSED_MAX && server->options.observer)
		observer_raise(server->options.observer, "rate", "%s: g%u goes on asking for more than it may",
			       server->who, peer->gateway);
}

void reply_post(struct peer *peer, enum net_frame_kind kind, const char *bytes, size_t size)
{
	refusal_judge(peer, bytes, size);
	post(peer, kind, bytes, size, &of_replies);
}

/* A depth message is left out, or comes mutilated, as by a proxy on the way. */
static void depth_send(struct peer *peer, const char *bytes, size_t size)
{
	struct binance_server *server = peer->server;
	const char *at = memmem(bytes, size, "\"s\":\"", 5), *symbol = at ? at + 5 : "";
	int shown = at && bytes + size - symbol >= 12 ? 12 : 0;
	if (server_strikes(server, FAULT_BOOK_LOST, peer->gateway, NULL)) {
		server_tell_fault(server, FAULT_BOOK_LOST, "to g%u: %.*s", peer->gateway, shown, symbol);
	} else if (server_strikes(server, FAULT_BOOK_CORRUPT, peer->gateway, NULL)) {
		server_tell_fault(server, FAULT_BOOK_CORRUPT, "to g%u: %.*s", peer->gateway, shown, symbol);
		reply_send(peer, NET_TEXT, 0, bytes, size / 2);
	} else {
		reply_send(peer, NET_TEXT, 0, bytes, size);
	}
}

/* --------------------------------------------------------------------- sink */

static void on_text(void *ctx, uint64_t connection, const char *bytes, size_t size)
{
	struct peer *peer = peer_find(ctx, connection);
	if (!peer || !peer->stream)
		return;
	if (peer->state == PEER_API && begins(bytes, size, "{\"id\":"))
		reply_post(peer, NET_TEXT, bytes, size);
	else if (peer->state == PEER_API && begins(bytes, size, "{\"subscriptionId\":"))
		post(peer, NET_TEXT, bytes, size, &of_events);
	else if (peer->state == PEER_MARKET && has(bytes, size < 100 ? size : 100, "\"depthUpdate\""))
		depth_send(peer, bytes, size);
	else
		reply_send(peer, NET_TEXT, 0, bytes, size);
}

static void on_ping(void *ctx, uint64_t connection, const char *payload, size_t size)
{
	struct peer *peer = peer_find(ctx, connection);
	if (peer)
		reply_send(peer, NET_PING, 0, payload, size);
}

static void on_close(void *ctx, uint64_t connection, int32_t code, const char *reason)
{
	struct binance_server *server = ctx;
	struct peer *peer = peer_find(server, connection);
	if (!peer)
		return;
	server_tell(server, "connection %llu of g%u ends: %d %s", (unsigned long long)connection, peer->gateway, code,
		    reason);
	peer->forgotten = true;
	if (code)
		reply_send(peer, NET_CLOSE, (uint16_t)code, reason, strlen(reason));
	peer_close(peer);
}

const struct binance_sink replies_sink = {.text = on_text, .ping = on_ping, .close = on_close};
