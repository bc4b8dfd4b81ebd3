#include "core/capture/played_private.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ URLs */

/* As a capture has it: without secrets. */
static char *url_copy(struct played *played, struct tg_str url)
{
	played->shown.count = 0;
	if (!transport_redact(url, &played->shown))
		return NULL;
	return strndup((const char *)played->shown.at, played->shown.count);
}

static size_t path_at(const char *url)
{
	const char *host = strstr(url, "://");
	size_t at = host ? (size_t)(host - url) + 3 : 0;
	return at + strcspn(url + at, "/?");
}

/* How alike: 3 the same, 2 but for the query, 1 the same path, 0 not at all. */
static int url_likeness(const char *a, const char *b)
{
	size_t a_end = strcspn(a, "?"), b_end = strcspn(b, "?"), a_path = path_at(a), b_path = path_at(b);
	if (strcmp(a, b) == 0)
		return 3;
	if (a_end == b_end && strncmp(a, b, a_end) == 0)
		return 2;
	if (a_path <= a_end && b_path <= b_end && a_end - a_path == b_end - b_path &&
	    strncmp(a + a_path, b + b_path, a_end - a_path) == 0)
		return 1;
	return 0;
}

/* ------------------------------------------------------------ sockets */

static struct socket *socket_find(struct played *played, uint64_t id)
{
	struct socket *socket = &played->socket[id % PLAYED_SOCKETS_MAX];
	return id != 0 && socket->id == id ? socket : NULL;
}

static void timer_set(struct socket *socket, loop_fn fn)
{
	struct loop *loop = socket->played->loop;
	loop_timer_stop(loop, socket->timer);
	socket->timer = 0;
	loop_timer_start(loop, 0, fn, socket, &socket->timer);
}

static void socket_free(struct socket *socket)
{
	if (socket->recorded)
		socket->recorded->socket = NULL;
	played_timer_stop(socket->played, socket->timer);
	free(socket->url);
	bytes_clear(&socket->reply);
	*socket = (struct socket){.played = socket->played};
}

/* Told by a timer or an entry: never inside a call of the connector. */
static void socket_open(struct socket *socket)
{
	if (socket->open)
		return;
	socket->open = true;
	socket->events.opened(socket->events.ctx, socket->id);
}

static void on_open(void *ctx)
{
	struct socket *socket = ctx;
	socket->timer = 0;
	if (socket->recorded && socket->recorded->open)
		socket_open(socket);
}

/* The socket may be gone when this returns. */
static void socket_close(struct socket *socket, const struct tg_error *reason)
{
	const struct tg_ws_events events = socket->events;
	const uint64_t id = socket->id;
	if (!socket->open)
		return;
	socket->open = socket->restarting = false;
	socket->reply.count = 0;
	if (!socket->reconnect)
		socket_free(socket);
	events.closed(events.ctx, id, reason);
}

static void tie(struct socket *socket, struct recorded *recorded)
{
	socket->recorded = recorded;
	recorded->socket = socket;
}

/* The connector's oldest socket that waits for one like this. */
static struct socket *socket_for(struct played *played, const struct recorded *recorded)
{
	struct socket *best = NULL;
	int best_likeness = 0;
	for (size_t i = 0; i < PLAYED_SOCKETS_MAX; i++) {
		struct socket *socket = &played->socket[i];
		int likeness = socket->id && !socket->recorded ? url_likeness(socket->url, recorded->url) : 0;
		if (likeness > best_likeness || (likeness > 0 && likeness == best_likeness && socket->id < best->id)) {
			best = socket;
			best_likeness = likeness;
		}
	}
	return best;
}

static struct recorded *recorded_for(struct played *played, const struct socket *socket)
{
	struct recorded *best = NULL;
	int best_likeness = 0;
	for (size_t i = 0; i < PLAYED_SOCKETS_MAX; i++) {
		struct recorded *recorded = &played->recorded[i];
		int likeness = recorded->id && !recorded->socket ? url_likeness(socket->url, recorded->url) : 0;
		if (likeness > best_likeness ||
		    (likeness > 0 && likeness == best_likeness && recorded->id < best->id)) {
			best = recorded;
			best_likeness = likeness;
		}
	}
	return best;
}

static struct recorded *recorded_find(struct played *played, uint64_t id)
{
	for (size_t i = 0; id && i < PLAYED_SOCKETS_MAX; i++)
		if (played->recorded[i].id == id)
			return &played->recorded[i];
	return NULL;
}

/* A free one, or one that was lost and that nobody waits for. */
static struct recorded *recorded_room(struct played *played)
{
	struct recorded *room = NULL;
	for (size_t i = 0; i < PLAYED_SOCKETS_MAX && (!room || room->id); i++)
		if (!played->recorded[i].open && !played->recorded[i].socket)
			room = &played->recorded[i];
	return room;
}

static struct recorded *recorded_add(struct played *played, uint64_t id, struct tg_str url)
{
	struct recorded *recorded = id ? recorded_room(played) : NULL;
	char *copy = recorded ? url_copy(played, url) : NULL;
	if (!copy)
		return NULL; /* more sockets than the transport has: a made-up capture */
	char *before = recorded->url;
	*recorded = (struct recorded){.id = id, .url = copy};
	struct socket *socket = socket_for(played, recorded);
	if (socket)
		tie(socket, recorded);
	free(before);
	return recorded;
}

static void recorded_forget(struct recorded *recorded)
{
	if (recorded->socket)
		recorded->socket->recorded = NULL;
	free(recorded->url);
	*recorded = (struct recorded){0};
}

/* ------------------------------------------------------------ what the capture says of sockets */

void played_tell_opened(struct played *played, const struct capture_entry *entry)
{
	struct recorded *recorded = recorded_find(played, entry->id);
	if (!recorded)
		recorded = recorded_add(played, entry->id, entry->payload);
	if (!recorded)
		return;
	recorded->open = true;
	if (recorded->socket)
		socket_open(recorded->socket);
}

void played_tell_closed(struct played *played, const struct capture_entry *entry)
{
	struct recorded *recorded = recorded_find(played, entry->id);
	struct tg_error reason = tg_error_init();
	if (!recorded)
		return;
	struct socket *socket = recorded->socket;
	recorded->open = false;
	tg_error_set(&reason, entry->status < 0 ? entry->status : TG_ERR_CLOSED, "%.*s",
		     (int)(entry->payload.len < 200 ? entry->payload.len : 200), entry->payload.ptr);
	if (entry->status == TG_OK) /* for good, by the recorded connector: ours does the same, or stays without data */
		recorded_forget(recorded);
	else if (socket)
		socket_close(socket, &reason);
}

void played_tell_message(struct played *played, const struct capture_entry *entry)
{
	struct recorded *recorded = recorded_find(played, entry->id);
	struct socket *socket = recorded ? recorded->socket : NULL;
	played->message.count = 0; /* a copy: the connector may scribble in it */
	if (!socket || !socket->open || !bytes_add(&played->message, entry->payload.ptr, entry->payload.len)) {
		played->figures.unclaimed++;
		return;
	}
	played->figures.messages++;
	played->figures.message_bytes += entry->payload.len;
	socket->events.message(socket->events.ctx, socket->id,
			       entry->flags & CAPTURE_BINARY ? TG_WS_BINARY : TG_WS_TEXT, played->message.at,
			       entry->payload.len, loop_mono_ns(played->loop));
}

/* ------------------------------------------------------------ tg.ws/1 */

static int32_t ws_open(const struct tg_host *host, const struct tg_ws_options *options,
		       const struct tg_ws_events *events, uint64_t *ret_socket, struct tg_error *ret_error)
{
	struct played *played = played_of(host);
	uint64_t id = played->last_id;
	for (size_t i = 0; i < PLAYED_SOCKETS_MAX; i++)
		if (played->socket[++id % PLAYED_SOCKETS_MAX].id == 0)
			break;
	struct socket *socket = &played->socket[id % PLAYED_SOCKETS_MAX];
	if (socket->id)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%d sockets are open", PLAYED_SOCKETS_MAX);
	char *url = url_copy(played, options->url);
	if (!url)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	*socket = (struct socket){.played = played,
				  .id = id,
				  .url = url,
				  .reconnect = options->flags & TG_WS_RECONNECT,
				  .events = *events};
	played->last_id = id;
	struct recorded *recorded = recorded_for(played, socket);
	if (recorded)
		tie(socket, recorded);
	timer_set(socket, on_open);
	*ret_socket = id;
	return TG_OK;
}

static void on_reply(void *ctx)
{
	struct socket *socket = ctx;
	socket->timer = 0;
	struct bytes reply = socket->reply;
	socket->reply = (struct bytes){0};
	for (size_t at = 0; at < reply.count && socket->open;) {
		size_t len = strlen((const char *)reply.at + at);
		socket->events.message(socket->events.ctx, socket->id, TG_WS_TEXT, reply.at + at, len,
				       loop_mono_ns(socket->played->loop));
		at += len + 1;
	}
	bytes_clear(&reply);
}

static void reply_make(struct socket *socket, const uint8_t *bytes, uint64_t count)
{
	const struct played_help *help = socket->played->help;
	char body[PLAYED_HELP_BYTES];
	size_t len = help && help->reply ? help->reply(bytes, count, body, sizeof body - 1) : 0;
	body[len] = '\0';
	if (len > 0 && bytes_add(&socket->reply, body, len + 1))
		timer_set(socket, on_reply);
}

static int32_t ws_send(const struct tg_host *host, uint64_t id, int32_t kind, const uint8_t *bytes, uint64_t count)
{
	struct played *played = played_of(host);
	struct socket *socket = socket_find(played, id);
	if (!socket || !socket->open || socket->restarting)
		return TG_ERR_CLOSED;
	played->figures.sent++;
	if (kind == TG_WS_TEXT)
		reply_make(socket, bytes, count);
	return TG_OK;
}

static void on_restart(void *ctx)
{
	struct socket *socket = ctx;
	struct tg_error reason = tg_error_init();
	socket->timer = 0;
	socket->restarting = false;
	if (socket->reconnect)
		timer_set(socket, on_open); /* what was recorded goes on */
	tg_error_set(&reason, TG_ERR_IO, "opened again, as it was asked for");
	socket_close(socket, &reason);
}

static void ws_restart(const struct tg_host *host, uint64_t id)
{
	struct socket *socket = socket_find(played_of(host), id);
	if (!socket || !socket->open)
		return;
	socket->restarting = true;
	timer_set(socket, on_restart);
}

static void ws_close(const struct tg_host *host, uint64_t id)
{
	struct socket *socket = socket_find(played_of(host), id);
	if (socket)
		socket_free(socket);
}

const struct tg_ext_ws played_ws = {
	.size = sizeof played_ws, .open = ws_open, .send = ws_send, .restart = ws_restart, .close = ws_close};

void played_sockets_finish(struct played *played)
{
	for (size_t i = 0; i < PLAYED_SOCKETS_MAX; i++)
		if (played->socket[i].id)
			socket_free(&played->socket[i]);
	for (size_t i = 0; i < PLAYED_SOCKETS_MAX; i++)
		free(played->recorded[i].url);
}
