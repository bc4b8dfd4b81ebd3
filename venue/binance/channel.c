#include "venue/binance/channel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "venue/binance/websocket.h"

#define SLOT_BITS 12
static_assert(1u << SLOT_BITS == CHANNELS_MAX, "an id holds its slot");

#define KEEP_MAX 262144 /* a buffer above it is given back once it is empty */

struct channel {
	struct channels *channels;
	uint64_t id;
	uint64_t address;
	void *socket;
	enum channel_state state;
	struct websocket *websocket; /* NULL: HTTP */
	bool known;                  /* the venue knows it as a connection */
	bool halfway;                /* a request has begun and is not whole */
	int64_t deadline_ns;         /* 0: none */
	struct text in;              /* HTTP only */
	struct text out;
	size_t out_at; /* sent */
	bool is_ready;
	struct channel *next_ready;
};

struct channels {
	struct channels_options options;
	struct binance *binance;
	struct channels_figures figures;
	struct channel *slot[CHANNELS_MAX];
	uint32_t slot_end; /* none is taken from here on */
	uint64_t serial;
	int64_t unix_ns; /* of the call */
	bool leaving;
	struct channel *ready;
	struct channel **ready_last;
};

struct channels_options channels_options_default(void)
{
	return (struct channels_options){
		.binance = binance_options_default(),
		.unsent_max = 32u << 20, /* an exchangeInfo of 5,000 markets is 6 MB */
		.request_ms = 10000,
		.idle_ms = 60000,
		.goodbye_ms = 2000,
	};
}

/* ------------------------------------------------------------------ state */

static void channel_ready(struct channel *channel)
{
	struct channels *channels = channel->channels;
	if (channel->is_ready)
		return;
	channel->is_ready = true;
	channel->next_ready = NULL;
	*channels->ready_last = channel;
	channels->ready_last = &channel->next_ready;
}

static void deadline_set(struct channel *channel, int64_t wait_ms)
{
	channel->deadline_ns = channel->channels->unix_ns + wait_ms * 1000000;
}

static void channel_cut(struct channel *channel)
{
	if (channel->state == CHANNEL_CUT)
		return;
	channel->state = CHANNEL_CUT;
	channel->channels->figures.cut++;
	channel_ready(channel);
}

static void channel_end(struct channel *channel)
{
	if (channel->state != CHANNEL_OPEN)
		return;
	channel->state = CHANNEL_ENDING;
	deadline_set(channel, channel->channels->options.goodbye_ms);
	channel_ready(channel);
}

/* Something was written: a client that does not fetch it is cut off. */
static void channel_written(struct channel *channel)
{
	if (channel->out.failed || channel->out.used - channel->out_at > channel->channels->options.unsent_max)
		channel_cut(channel);
	else
		channel_ready(channel);
}

static struct channel *channel_find(const struct channels *channels, uint64_t id)
{
	struct channel *channel = channels->slot[id % CHANNELS_MAX];
	return channel && channel->id == id ? channel : NULL;
}

static void note(struct channel *channel, struct tg_str method, struct tg_str text, int32_t status)
{
	const struct channels_options *options = &channel->channels->options;
	const struct channel_note said = {channel->id, method, text, status};
	if (options->note)
		options->note(options->ctx, &said);
}

/* ------------------------------------------------------- what the venue says */

static void on_text(void *ctx, uint64_t connection, const char *text, size_t size)
{
	struct channels *channels = ctx;
	struct channel *channel = channel_find(channels, connection);
	if (!channel || !channel->websocket || channel->state != CHANNEL_OPEN)
		return;
	websocket_text(channel->websocket, text, size);
	channels->figures.frames++;
	channel_written(channel);
}

static void on_ping(void *ctx, uint64_t connection, const char *payload, size_t size)
{
	struct channel *channel = channel_find(ctx, connection);
	if (!channel || !channel->websocket || channel->state != CHANNEL_OPEN)
		return;
	websocket_ping(channel->websocket, payload, size);
	channel_written(channel);
}

static void on_close(void *ctx, uint64_t connection, int32_t code, const char *reason)
{
	struct channel *channel = channel_find(ctx, connection);
	if (!channel)
		return;
	channel->known = false;
	if (!code || !channel->websocket) {
		channel_cut(channel);
		return;
	}
	websocket_close(channel->websocket, (uint16_t)code, reason);
	deadline_set(channel, channel->channels->options.goodbye_ms);
	channel_written(channel);
}

/* -------------------------------------------------------------- WebSocket */

static void on_message(void *ctx, const char *bytes, size_t size)
{
	struct channel *channel = ctx;
	struct channels *channels = channel->channels;
	channels->figures.messages++;
	note(channel, TG_STR("message"), (struct tg_str){bytes, size}, 0);
	binance_message(channels->binance, channels->unix_ns, channel->id, bytes, size);
}

static void on_pinged(void *ctx)
{
	struct channel *channel = ctx;
	binance_pinged(channel->channels->binance, channel->channels->unix_ns, channel->id);
}

static void on_pong(void *ctx, const char *payload, size_t size)
{
	struct channel *channel = ctx;
	binance_pong(channel->channels->binance, channel->channels->unix_ns, channel->id, payload, size);
}

static void frames_take(struct channel *channel, const char *bytes, size_t size)
{
	size_t before = channel->out.used;
	bool goes_on = websocket_receive(channel->websocket, bytes, size);
	if (channel->out.used != before || channel->out.failed)
		channel_written(channel);
	if (!goes_on)
		channel_end(channel);
}

/* ------------------------------------------------------------------- HTTP */

/* An answer without a body, after which the connection ends. */
static void refuse(struct channel *channel, int32_t status)
{
	text_format(&channel->out, "HTTP/1.1 %d %s\r\n", status, http_status_text(status));
	if (status == 426)
		text_put(&channel->out, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
	text_put(&channel->out, "Content-Length: 0\r\nConnection: close\r\n\r\n");
	channel_written(channel);
	channel_end(channel);
}

static int32_t upgrade_accept(struct channel *channel, const struct http_request *request)
{
	struct channels *channels = channel->channels;
	const struct websocket_events events = {channel, on_message, on_pinged, on_pong};
	char accept[WEBSOCKET_ACCEPT_MAX];
	int32_t status = websocket_handshake(request, accept);
	if (status != 101)
		return status;
	channel->websocket = websocket_create(&events, HTTP_BODY_MAX, &channel->out);
	if (!channel->websocket)
		return 503;
	status = binance_connected(channels->binance, channels->unix_ns, channel->id, channel->address, request);
	if (status != 101)
		return status;
	text_format(&channel->out,
		    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		    "Sec-WebSocket-Accept: %s\r\n\r\n",
		    accept);
	channel_written(channel);
	channel->known = true;
	channel->deadline_ns = 0;
	channels->figures.websockets++;
	return 101;
}

static void upgrade(struct channel *channel, const struct http_request *request)
{
	int32_t status = upgrade_accept(channel, request);
	note(channel, TG_STR("UPGRADE"), request->path, status);
	if (status == 101)
		return;
	websocket_destroy(channel->websocket);
	channel->websocket = NULL;
	refuse(channel, status);
}

static void request_answer(struct channel *channel, const struct http_request *request)
{
	struct channels *channels = channel->channels;
	size_t before = channel->out.used;
	channels->figures.requests++;
	if (!binance_http(channels->binance, channels->unix_ns, channel->address, request, &channel->out)) {
		channel->out.used = before;
		note(channel, request->method, request->path, 0);
		channel_cut(channel);
		return;
	}
	const char *status = channel->out.ptr + before + strlen("HTTP/1.1 ");
	note(channel, request->method, request->path,
	     (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0'));
	channel_written(channel);
	if (!request->keep_alive)
		channel_end(channel);
}

/* The first request of what came; bytes that it was, 0 if it is not whole. */
static size_t request_take(struct channel *channel, const char *bytes, size_t size)
{
	struct http_request request;
	int64_t used = http_parse(bytes, size, &request);
	if (used < 0)
		refuse(channel, request.refusal);
	else if (used > 0 && websocket_asked(&request))
		upgrade(channel, &request);
	else if (used > 0)
		request_answer(channel, &request);
	return used > 0 ? (size_t)used : 0;
}

/* From its first byte on a request has its time; between requests there is more. */
static void requests_wait(struct channel *channel)
{
	const struct channels_options *options = &channel->channels->options;
	bool halfway = channel->in.used > 0;
	if (halfway && !channel->halfway)
		deadline_set(channel, options->request_ms);
	if (!halfway)
		deadline_set(channel, options->idle_ms);
	channel->halfway = halfway;
}

static void requests_take(struct channel *channel, const char *bytes, size_t size)
{
	size_t at = 0, used = 1;
	struct text *in = &channel->in;
	text_add(in, bytes, size);
	if (in->failed) {
		channel_cut(channel);
		return;
	}
	while (channel->state == CHANNEL_OPEN && !channel->websocket && at < in->used && used > 0) {
		used = request_take(channel, in->ptr + at, in->used - at);
		at += used;
		channel->halfway &= used == 0;
	}
	if (channel->websocket && channel->state == CHANNEL_OPEN && at < in->used)
		frames_take(channel, in->ptr + at, in->used - at);
	if (channel->websocket || channel->state != CHANNEL_OPEN) {
		text_finish(in);
		return;
	}
	if (at > 0)
		memmove(in->ptr, in->ptr + at, in->used - at);
	in->used -= at;
	requests_wait(channel);
}

/* --------------------------------------------------------------- channels */

int32_t channels_open(struct channels_options *options, struct venue *venue, int64_t unix_ns,
		      struct channels **ret_channels, struct tg_error *ret_error)
{
	struct channels *channels = calloc(1, sizeof *channels);
	if (!channels) {
		keys_finish(&options->binance.keys);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the venue's clients");
	}
	channels->options = *options;
	channels->options.binance.sink = (struct binance_sink){channels, on_text, on_ping, on_close};
	channels->unix_ns = unix_ns;
	channels->ready_last = &channels->ready;
	options->binance.keys = (struct keys){0};
	int32_t status = binance_open(&channels->options.binance, venue, unix_ns, &channels->binance, ret_error);
	if (status != TG_OK)
		free(channels);
	else
		*ret_channels = channels;
	return status;
}

void channels_close(struct channels *channels)
{
	if (!channels)
		return;
	for (uint32_t i = 0; i < channels->slot_end; i++)
		if (channels->slot[i])
			channel_close(channels->slot[i]);
	binance_close(channels->binance);
	free(channels);
}

static void time_set(struct channels *channels, int64_t unix_ns)
{
	if (unix_ns > channels->unix_ns)
		channels->unix_ns = unix_ns;
}

int32_t channels_step(struct channels *channels, int64_t unix_ns)
{
	time_set(channels, unix_ns);
	return binance_step(channels->binance, channels->unix_ns);
}

void channels_tick(struct channels *channels, int64_t unix_ns)
{
	time_set(channels, unix_ns);
	binance_tick(channels->binance, channels->unix_ns);
	for (uint32_t i = 0; i < channels->slot_end; i++) {
		struct channel *channel = channels->slot[i];
		if (channel && channel->deadline_ns && channels->unix_ns >= channel->deadline_ns)
			channel_cut(channel);
	}
}

void channels_goodbye(struct channels *channels, int64_t unix_ns)
{
	time_set(channels, unix_ns);
	channels->leaving = true;
	for (uint32_t i = 0; i < channels->slot_end; i++) {
		struct channel *channel = channels->slot[i];
		if (!channel || channel->state != CHANNEL_OPEN)
			continue;
		if (channel->websocket) {
			websocket_close(channel->websocket, 1001, "the venue goes down");
			channel_written(channel);
			deadline_set(channel, channels->options.goodbye_ms);
		} else {
			channel_end(channel);
		}
	}
}

const struct channels_figures *channels_figures(const struct channels *channels)
{
	return &channels->figures;
}

struct channel *channels_take_ready(struct channels *channels)
{
	struct channel *channel = channels->ready;
	if (!channel)
		return NULL;
	channels->ready = channel->next_ready;
	if (!channels->ready)
		channels->ready_last = &channels->ready;
	channel->is_ready = false;
	return channel;
}

/* ---------------------------------------------------------------- channel */

struct channel *channel_open(struct channels *channels, int64_t unix_ns, uint64_t address, void *socket)
{
	uint32_t slot = 0;
	while (slot < channels->slot_end && channels->slot[slot])
		slot++;
	struct channel *channel = slot < CHANNELS_MAX ? calloc(1, sizeof *channel) : NULL;
	if (!channel)
		return NULL;
	time_set(channels, unix_ns);
	channel->channels = channels;
	channel->id = ++channels->serial << SLOT_BITS | slot;
	channel->address = address;
	channel->socket = socket;
	channels->slot[slot] = channel;
	if (slot == channels->slot_end)
		channels->slot_end++;
	channels->figures.accepted++;
	channels->figures.open++;
	if (channels->leaving)
		channel_end(channel);
	else
		deadline_set(channel, channels->options.request_ms);
	return channel;
}

static void ready_remove(struct channel *channel)
{
	struct channels *channels = channel->channels;
	struct channel **at = &channels->ready;
	if (!channel->is_ready)
		return;
	while (*at != channel)
		at = &(*at)->next_ready;
	*at = channel->next_ready;
	if (!*at)
		channels->ready_last = at;
}

void channel_close(struct channel *channel)
{
	struct channels *channels = channel->channels;
	if (channel->known)
		binance_disconnected(channels->binance, channel->id);
	ready_remove(channel);
	channels->slot[channel->id % CHANNELS_MAX] = NULL;
	channels->figures.open--;
	channels->figures.websockets -= channel->websocket != NULL;
	websocket_destroy(channel->websocket);
	text_finish(&channel->in);
	text_finish(&channel->out);
	free(channel);
}

void *channel_socket(const struct channel *channel)
{
	return channel->socket;
}

void channel_receive(struct channel *channel, int64_t unix_ns, const char *bytes, size_t size)
{
	time_set(channel->channels, unix_ns);
	if (channel->state != CHANNEL_OPEN || !size)
		return;
	if (channel->websocket)
		frames_take(channel, bytes, size);
	else
		requests_take(channel, bytes, size);
}

enum channel_state channel_state(const struct channel *channel)
{
	return channel->state;
}

struct tg_str channel_output(const struct channel *channel)
{
	size_t size = channel->out.used - channel->out_at;
	return (struct tg_str){size ? channel->out.ptr + channel->out_at : "", size};
}

void channel_sent(struct channel *channel, size_t size)
{
	struct text *out = &channel->out;
	assert(size <= out->used - channel->out_at);
	channel->out_at += size;
	size_t left = out->used - channel->out_at;
	if (left > channel->out_at)
		return;
	if (left > 0) /* what was sent makes room for what is to come; so each byte is moved once at most */
		memmove(out->ptr, out->ptr + channel->out_at, left);
	out->used = left;
	channel->out_at = 0;
	if (!left && out->capacity > KEEP_MAX)
		text_finish(out);
}
