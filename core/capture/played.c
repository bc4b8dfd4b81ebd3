#include "core/capture/played.h"

#include <stdlib.h>
#include <string.h>

#include "core/extensions.h"
#include "core/io/transport_text.h"

#define SOCKETS_MAX 256
#define ASKED_MAX 1024
#define HEADERS_MAX 128
#define TIMEOUT_MS 10000 /* as the transport's */
#define NS_PER_MS INT64_C(1000000)
#define HELP_BYTES 4096

/* A socket as it was recorded. */
struct recorded {
	uint64_t id; /* 0: free */
	bool open;
	char *url;             /* secrets out */
	struct socket *socket; /* tied to it */
};

/* A socket of the connector. */
struct socket {
	struct played *played;
	uint64_t id; /* 0: free */
	bool open, reconnect;
	bool restarting; /* it was told to */
	char *url;
	struct tg_ws_events events;
	struct recorded *recorded;
	uint64_t timer; /* opening or closing soon */
	struct bytes reply;
};

/* A request that waits for its answer. */
struct asked {
	struct played *played;
	uint64_t id; /* 0: free */
	char *key;
	void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response);
	void *ctx;
	struct answer *answer; /* to be told */
	uint64_t timer;
};

struct played {
	const struct played_help *help;
	struct loop *loop;
	struct recorded recorded[SOCKETS_MAX];
	struct socket socket[SOCKETS_MAX];
	struct asked asked[ASKED_MAX];
	struct answers answers;
	struct bytes shown;   /* of URLs */
	struct bytes message; /* that is being told */
	uint64_t last_id;
	struct played_figures figures;
};

/* Once the loop is gone its timers are. */
static void timer_stop(const struct played *played, uint64_t id)
{
	if (played->loop)
		loop_timer_stop(played->loop, id);
}

static struct played *played_of(const struct tg_host *host)
{
	return extensions_outside(host);
}

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
	struct socket *socket = &played->socket[id % SOCKETS_MAX];
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
	timer_stop(socket->played, socket->timer);
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
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
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
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
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
	for (size_t i = 0; id && i < SOCKETS_MAX; i++)
		if (played->recorded[i].id == id)
			return &played->recorded[i];
	return NULL;
}

/* A free one, or one that was lost and that nobody waits for. */
static struct recorded *recorded_room(struct played *played)
{
	struct recorded *room = NULL;
	for (size_t i = 0; i < SOCKETS_MAX && (!room || room->id); i++)
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

static void tell_opened(struct played *played, const struct capture_entry *entry)
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

static void tell_closed(struct played *played, const struct capture_entry *entry)
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

static void tell_message(struct played *played, const struct capture_entry *entry)
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

/* ------------------------------------------------------------ requests */

/* Without a word. */
static void asked_free(struct asked *asked)
{
	timer_stop(asked->played, asked->timer);
	if (asked->answer && !asked->answer->standing)
		answer_free(asked->answer);
	free(asked->key);
	*asked = (struct asked){.played = asked->played};
}

/* Its end. It is gone before the connector, which may ask for something else, is told. */
static void asked_done(struct asked *asked, const struct tg_http_response *response)
{
	struct asked gone = *asked;
	timer_stop(asked->played, asked->timer);
	*asked = (struct asked){.played = asked->played};
	gone.done(gone.ctx, gone.id, response);
	if (gone.answer && !gone.answer->standing)
		answer_free(gone.answer);
	free(gone.key);
}

static uint32_t headers_of(struct tg_str lines, struct bytes *ret_bytes, struct tg_net_header *ret_headers)
{
	ret_bytes->count = 0;
	if (!bytes_add(ret_bytes, lines.ptr, lines.len) || !bytes_add(ret_bytes, "", 1))
		return 0;
	for (size_t i = 0; i < ret_bytes->count; i++)
		if (ret_bytes->at[i] == '\r' || ret_bytes->at[i] == '\n')
			ret_bytes->at[i] = '\0';
	return headers_split(ret_bytes, ret_headers, HEADERS_MAX);
}

static void asked_answer(struct asked *asked)
{
	struct played *played = asked->played;
	const struct answer *answer = asked->answer;
	struct tg_net_header headers[HEADERS_MAX];
	struct tg_error error = tg_error_init();
	struct bytes lines = {0};
	struct tg_http_response response = {
		.size = sizeof response, .left = answer->left, .received_ns = loop_mono_ns(played->loop)};
	if (answer->status > 0) {
		response.http_status = answer->status;
		response.header_count = headers_of(answer->headers, &lines, headers);
		response.headers = headers;
		response.body = answer->body;
	} else {
		tg_error_set(&error, answer->status < 0 ? answer->status : TG_ERR_IO, "%.*s",
			     (int)(answer->body.len < 200 ? answer->body.len : 200), answer->body.ptr);
		response.error = &error;
	}
	played->figures.answered++;
	asked_done(asked, &response);
	bytes_clear(&lines);
}

static void asked_give_up(struct asked *asked)
{
	struct played_figures *figures = &asked->played->figures;
	struct tg_error error = tg_error_init();
	const struct tg_http_response response = {
		.size = sizeof response, .received_ns = loop_mono_ns(asked->played->loop), .error = &error};
	tg_error_set(&error, TG_ERR_TIMEOUT, "%.100s: the capture has no answer to it", asked->key);
	if (figures->unanswered++ == 0)
		snprintf(figures->unanswered_key, sizeof figures->unanswered_key, "%s", asked->key);
	asked_done(asked, &response);
}

static bool asked_help(struct asked *asked)
{
	struct played *played = asked->played;
	char body[HELP_BYTES];
	size_t len = 0;
	if (played->help && played->help->answer)
		len = played->help->answer(asked->key, loop_unix_ns(played->loop), body, sizeof body);
	asked->answer = len > 0 ? answer_make_document("", (struct tg_str){body, len}) : NULL;
	if (asked->answer)
		asked->answer->standing = false; /* ours alone */
	return asked->answer;
}

static void on_asked_timer(void *ctx)
{
	struct asked *asked = ctx;
	asked->timer = 0;
	if (asked->answer)
		asked_answer(asked);
	else
		asked_give_up(asked);
}

static void tell_http(struct played *played, const struct capture_entry *entry)
{
	struct answer *answer = answer_make(entry, false);
	struct asked *oldest = NULL;
	if (!answer)
		return;
	for (size_t i = 0; i < ASKED_MAX; i++) {
		struct asked *asked = &played->asked[i];
		if (asked->id && !asked->answer && strcmp(asked->key, answer->key) == 0 &&
		    (!oldest || asked->id < oldest->id))
			oldest = asked;
	}
	if (!oldest) {
		answers_add(&played->answers, answer);
		return;
	}
	oldest->answer = answer;
	asked_answer(oldest);
}

void played_tell(struct played *played, const struct capture_entry *entry)
{
	switch (entry->kind) {
	case CAPTURE_OPENED: tell_opened(played, entry); break;
	case CAPTURE_MESSAGE: tell_message(played, entry); break;
	case CAPTURE_CLOSED: tell_closed(played, entry); break;
	case CAPTURE_HTTP: tell_http(played, entry); break;
	default: break; /* what the recorded connector sent says nothing to ours */
	}
}

/* ------------------------------------------------------------ tg.ws/1 */

static int32_t ws_open(const struct tg_host *host, const struct tg_ws_options *options,
		       const struct tg_ws_events *events, uint64_t *ret_socket, struct tg_error *ret_error)
{
	struct played *played = played_of(host);
	uint64_t id = played->last_id;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (played->socket[++id % SOCKETS_MAX].id == 0)
			break;
	struct socket *socket = &played->socket[id % SOCKETS_MAX];
	if (socket->id)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%d sockets are open", SOCKETS_MAX);
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
	char body[HELP_BYTES];
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

/* ------------------------------------------------------------ tg.http/1 */

static struct asked *asked_find(struct played *played, uint64_t id)
{
	struct asked *asked = &played->asked[id % ASKED_MAX];
	return id != 0 && asked->id == id ? asked : NULL;
}

static int64_t timeout_of(const struct tg_http_request *request)
{
	int64_t ms = request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS;
	return ms < INT64_MAX / NS_PER_MS ? ms * NS_PER_MS : INT64_MAX;
}

/* An answer of the capture that is past, or stands, comes at once; one that stands but was recorded later comes at its
 * time, if the connector has the patience. */
static int64_t answer_delay(const struct asked *asked, int64_t timeout_ns)
{
	int64_t ahead = asked->answer->mono_ns - loop_mono_ns(asked->played->loop);
	if (ahead <= 0)
		return 0;
	return ahead < timeout_ns / 2 ? ahead : timeout_ns / 2;
}

static int32_t http_request(const struct tg_host *host, const struct tg_http_request *request,
			    void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response), void *ctx,
			    uint64_t *ret_id, struct tg_error *ret_error)
{
	struct played *played = played_of(host);
	char key[ANSWER_KEY_MAX];
	uint64_t id = played->last_id;
	if (!answer_key(request->method, request->url, key))
		return tg_error_set(ret_error, TG_ERR_INVALID, "no URL that can be asked for");
	for (size_t i = 0; i < ASKED_MAX; i++)
		if (played->asked[++id % ASKED_MAX].id == 0)
			break;
	struct asked *asked = &played->asked[id % ASKED_MAX];
	if (asked->id)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%d requests wait for their answers", ASKED_MAX);
	*asked = (struct asked){.played = played, .id = id, .key = strdup(key), .done = done, .ctx = ctx};
	if (!asked->key) {
		asked->id = 0;
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	played->last_id = id;
	asked->answer = answers_take(&played->answers, key);
	int64_t delay = timeout_of(request);
	if (asked->answer || asked_help(asked))
		delay = answer_delay(asked, delay);
	loop_timer_start(played->loop, delay, on_asked_timer, asked, &asked->timer);
	*ret_id = id;
	return TG_OK;
}

static void http_cancel(const struct tg_host *host, uint64_t id)
{
	struct asked *asked = asked_find(played_of(host), id);
	if (asked)
		asked_free(asked);
}

/* ------------------------------------------------------------ tg.signer/1 */

static int32_t signer_key(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
			  struct tg_error *ret_error)
{
	(void)host, (void)name, (void)ret_error;
	ret_info->algorithms = 1u << TG_SIGN_HMAC_SHA256 | 1u << TG_SIGN_HMAC_SHA512 | 1u << TG_SIGN_ED25519 |
			       1u << TG_SIGN_ES256 | 1u << TG_SIGN_RSA_SHA256;
	ret_info->id = TG_STR("played");
	ret_info->has_passphrase = 1;
	return TG_OK;
}

static int32_t zeros(int32_t algorithm, uint8_t *ret_signature, uint64_t room)
{
	static const uint16_t lengths[] = {0, 32, 64, 64, 64, 256};
	if (algorithm < TG_SIGN_HMAC_SHA256 || algorithm > TG_SIGN_RSA_SHA256)
		return TG_ERR_UNSUPPORTED;
	if (room < lengths[algorithm])
		return TG_ERR_LIMIT;
	memset(ret_signature, 0, lengths[algorithm]);
	return lengths[algorithm];
}

static int32_t signer_sign(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
			   uint64_t count, uint8_t *ret_signature, uint64_t room)
{
	(void)host, (void)name, (void)bytes, (void)count;
	return zeros(algorithm, ret_signature, room);
}

static int32_t signer_sign_hashed(const struct tg_host *host, struct tg_str name, int32_t algorithm,
				  const uint8_t *prefix, uint64_t prefix_count, const uint8_t *bytes, uint64_t count,
				  uint8_t *ret_signature, uint64_t room)
{
	(void)prefix, (void)prefix_count;
	return signer_sign(host, name, algorithm, bytes, count, ret_signature, room);
}

/* ------------------------------------------------------------ the whole */

static const struct tg_ext_ws ws_vtable = {
	.size = sizeof ws_vtable, .open = ws_open, .send = ws_send, .restart = ws_restart, .close = ws_close};
static const struct tg_ext_http http_vtable = {
	.size = sizeof http_vtable, .request = http_request, .cancel = http_cancel};
static const struct tg_ext_signer signer_vtable = {
	.size = sizeof signer_vtable, .key = signer_key, .sign = signer_sign, .sign_hashed = signer_sign_hashed};

const struct plugin_extension played_extensions[PLAYED_EXTENSIONS] = {
	{TG_EXT_WS, &ws_vtable}, {TG_EXT_HTTP, &http_vtable}, {TG_EXT_SIGNER, &signer_vtable}};

int played_create(const struct played_help *help, struct played **ret_played)
{
	struct played *played = calloc(1, sizeof *played);
	if (!played)
		return TG_ERR_NO_MEMORY;
	played->help = help;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		played->socket[i].played = played;
	for (size_t i = 0; i < ASKED_MAX; i++)
		played->asked[i].played = played;
	*ret_played = played;
	return TG_OK;
}

void played_destroy(struct played *played)
{
	if (!played)
		return;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (played->socket[i].id)
			socket_free(&played->socket[i]);
	for (size_t i = 0; i < ASKED_MAX; i++)
		if (played->asked[i].id)
			asked_free(&played->asked[i]);
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		free(played->recorded[i].url);
	answers_clear(&played->answers);
	bytes_clear(&played->shown);
	bytes_clear(&played->message);
	free(played);
}

void played_set_loop(struct played *played, struct loop *loop)
{
	played->loop = loop;
}

void played_stand(struct played *played, struct answer *answer)
{
	answers_add(&played->answers, answer);
}

struct played_figures played_figures(const struct played *played)
{
	return played->figures;
}
