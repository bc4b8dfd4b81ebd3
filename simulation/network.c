/* A stream is two paths, one each way. What an end does comes into effect there at once, and what the other end hears
 * of it travels. */
#include "simulation/network.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/random.h"
#include "simulation/path.h"

#define MS INT64_C(1000000)
#define SEND_TIMEOUT_NS (15 * 1000 * MS) /* until a side hears that nobody acknowledges what it sends */

enum venue_end {
	VENUE_END_NONE, /* not asked yet, or refused */
	VENUE_END_OPEN,
	VENUE_END_GONE
};

struct stream {
	struct network *network;
	struct stream *previous, *next;
	uint64_t number;
	uint32_t gateway, venue;
	void *process;
	struct life *life;
	bool gateway_open; /* it heard that it is open */
	bool gateway_gone; /* closed, or told that it is; hears nothing any more */
	bool machine_gone; /* nobody is there to tell the venue that it sends in vain */
	enum venue_end venue_end;
	uint32_t busy; /* arrivals under way that use this memory */
	struct stream_events gateway_events, venue_events;
	struct path up;   /* to the venue */
	struct path down; /* to the gateway */
};

struct network {
	struct ground *ground;
	network_enter_fn enter;
	struct network_tap tap;
	struct stream *first, *last; /* in the order of their making */
	uint64_t stream_count;
	uint64_t random; /* a stream has numbers of its own: one more send on one shifts nothing on another */
	struct {
		stream_accept_fn accept;
		void *ctx;
	} door[VENUES_MAX];
};

__attribute__((format(printf, 2, 3))) static void stream_trace(const struct stream *stream, const char *format, ...)
{
	char who[8], text[96];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	snprintf(who, sizeof who, "g%u", stream->gateway);
	trace_add(stream->network->ground->trace, who, "link %llu to v%u: %s", (unsigned long long)stream->number,
		  stream->venue, text);
}

static bool strikes(const struct stream *stream, enum fault_kind kind, int64_t *ret_arg)
{
	return fault_strikes(stream->network->ground->faults, kind, stream->gateway, ret_arg);
}

static void stream_free(struct stream *stream)
{
	struct network *network = stream->network;
	path_forget(&stream->up);
	path_forget(&stream->down);
	*(stream->previous ? &stream->previous->next : &network->first) = stream->next;
	*(stream->next ? &stream->next->previous : &network->last) = stream->previous;
	free(stream);
}

/* Are both ends done with it? */
static void stream_reap(struct stream *stream)
{
	if (stream->gateway_gone && stream->venue_end != VENUE_END_OPEN && stream->busy == 0)
		stream_free(stream);
}

/* What is under way is lost, and both ends hear of it, each in its time. */
static void stream_break(struct stream *stream, const char *why)
{
	stream_trace(stream, "%s", why);
	path_fail(&stream->up, 0);
	path_fail(&stream->down, 0);
	path_close(&stream->up, 0);
	path_close(&stream->down, 0);
}

/* ------------------------------------------------------------ the venue's end */

static void up_open(struct stream *stream)
{
	struct network *network = stream->network;
	stream_accept_fn accept = network->door[stream->venue].accept;
	if (!accept) {
		path_close(&stream->down, 0);
		return;
	}
	stream->venue_end = VENUE_END_OPEN;
	stream_trace(stream, "open");
	path_open(&stream->down);
	accept(network->door[stream->venue].ctx, stream->gateway, stream, &stream->venue_events);
}

static void up_data(struct stream *stream, const struct piece *pieces)
{
	for (const struct piece *piece = pieces; piece && stream->venue_end == VENUE_END_OPEN; piece = piece->next)
		stream->venue_events.data(stream->venue_events.ctx, piece->bytes, piece->count);
}

static void up_close(struct stream *stream)
{
	if (stream->venue_end != VENUE_END_OPEN)
		return;
	stream->venue_end = VENUE_END_GONE;
	stream_trace(stream, "closed, the venue hears");
	stream->venue_events.closed(stream->venue_events.ctx);
}

static void up_arrive(void *ctx, enum path_arrival what, const struct piece *pieces)
{
	struct stream *stream = ctx;
	stream->busy++;
	switch (what) {
	case PATH_OPEN: up_open(stream); break;
	case PATH_DATA: up_data(stream, pieces); break;
	case PATH_CLOSE: up_close(stream); break;
	}
	stream->busy--;
	stream_reap(stream);
}

int stream_send_venue(struct stream *stream, const uint8_t *bytes, size_t count)
{
	if (stream->venue_end != VENUE_END_OPEN)
		return TG_ERR_CLOSED;
	if (stream->machine_gone)
		path_close(&stream->up, SEND_TIMEOUT_NS);
	if (!stream->gateway_gone && !path_send(&stream->down, bytes, count))
		stream_break(stream, "breaks for want of memory");
	return TG_OK;
}

void stream_close_venue(struct stream *stream)
{
	if (stream->venue_end != VENUE_END_OPEN)
		return;
	stream_trace(stream, "closed by the venue");
	stream->venue_end = VENUE_END_GONE;
	if (!stream->gateway_gone)
		path_close(&stream->down, 0);
	stream_reap(stream);
}

/* ------------------------------------------------------------ the gateway's end */

struct arrival { /* at a gateway's end */
	struct stream *stream;
	const struct piece *pieces;
};

static void opened_tell(void *ctx)
{
	struct stream *stream = ((struct arrival *)ctx)->stream;
	const struct network_tap *tap = &stream->network->tap;
	if (stream->gateway_gone)
		return;
	stream->gateway_open = true;
	if (tap->opened)
		tap->opened(tap->ctx, stream->gateway);
	stream->gateway_events.opened(stream->gateway_events.ctx);
}

static void delivered_tap(const struct stream *stream, const uint8_t *bytes, size_t count)
{
	const struct network_tap *tap = &stream->network->tap;
	if (tap->delivered && count > 0)
		tap->delivered(tap->ctx, stream->gateway, bytes, count);
}

/* A gateway that reads two sends at once may act on the first before it has seen the second: who listens in hears of
 * the second afterwards. */
static void data_tell(void *ctx)
{
	const struct arrival *arrival = ctx;
	struct stream *stream = arrival->stream;
	for (const struct piece *piece = arrival->pieces; piece && !stream->gateway_gone; piece = piece->next) {
		size_t first = piece->joint ? piece->joint : piece->count;
		delivered_tap(stream, piece->bytes, first);
		stream->gateway_events.data(stream->gateway_events.ctx, piece->bytes, piece->count);
		delivered_tap(stream, piece->bytes + first, piece->count - first);
	}
}

static void closed_tell(void *ctx)
{
	struct stream *stream = ((struct arrival *)ctx)->stream;
	if (stream->gateway_gone)
		return;
	stream->gateway_gone = true;
	stream_trace(stream, "closed, the gateway hears");
	stream->gateway_events.closed(stream->gateway_events.ctx);
}

static void down_arrive(void *ctx, enum path_arrival what, const struct piece *pieces)
{
	static void (*const tell[])(void *ctx) = {
		[PATH_OPEN] = opened_tell, [PATH_DATA] = data_tell, [PATH_CLOSE] = closed_tell};
	struct arrival arrival = {ctx, pieces};
	struct stream *stream = ctx;
	stream->busy++;
	if (!stream->gateway_gone)
		stream->network->enter(stream->process, tell[what], &arrival);
	stream->busy--;
	stream_reap(stream);
}

static void way_init(struct path *path, struct stream *stream, const char *direction,
		     void (*arrive)(void *ctx, enum path_arrival what, const struct piece *pieces))
{
	path->ground = stream->network->ground;
	path->ctx = stream;
	path->arrive = arrive;
	path->gateway = stream->gateway;
	snprintf(path->label, sizeof path->label, "link %llu %s v%u", (unsigned long long)stream->number, direction,
		 stream->venue);
	path_init(path, random_next(&stream->network->random));
}

static void stream_link(struct network *network, struct stream *stream)
{
	stream->previous = network->last;
	*(network->last ? &network->last->next : &network->first) = stream;
	network->last = stream;
}

struct stream *stream_connect(struct network *network, void *process, struct life *life, uint32_t venue,
			      const struct stream_events *events)
{
	assert(venue < VENUES_MAX);
	struct stream *stream = life->dead ? NULL : calloc(1, sizeof *stream);
	if (!stream)
		return NULL;
	stream->network = network;
	stream->number = ++network->stream_count;
	stream->gateway = life->gateway;
	stream->venue = venue;
	stream->process = process;
	stream->life = life;
	stream->gateway_events = *events;
	way_init(&stream->up, stream, "to", up_arrive);
	way_init(&stream->down, stream, "from", down_arrive);
	stream_link(network, stream);
	if (strikes(stream, FAULT_LINK_REFUSED, NULL)) {
		stream_trace(stream, "refused");
		path_close(&stream->down, stream->up.latency_ns + stream->down.latency_ns);
	} else {
		path_open(&stream->up);
	}
	return stream;
}

int stream_send(struct stream *stream, const uint8_t *bytes, size_t count)
{
	const struct network_tap *tap = &stream->network->tap;
	int64_t done_e3;
	if (!stream->gateway_open || stream->gateway_gone || life_ends(stream->life, "send", &done_e3))
		return TG_ERR_CLOSED;
	if (tap->sent)
		tap->sent(tap->ctx, stream->gateway, bytes, count);
	if (!path_send(&stream->up, bytes, count))
		stream_break(stream, "breaks for want of memory");
	return TG_OK;
}

/* The gateway's end is no more. quiet: nobody tells the venue. */
static void gateway_leave(struct stream *stream, bool quiet)
{
	stream->gateway_gone = true;
	path_forget(&stream->down);
	if (stream->venue_end == VENUE_END_NONE)
		path_forget(&stream->up); /* it never got there */
	else if (stream->venue_end == VENUE_END_OPEN && !quiet)
		path_close(&stream->up, 0);
	stream->machine_gone = quiet;
	stream_reap(stream);
}

void stream_close(struct stream *stream)
{
	if (stream->gateway_gone || stream->life->dead)
		return; /* the dead do nothing: network_life_ended does it for them */
	stream_trace(stream, "closed by the gateway");
	gateway_leave(stream, false);
}

void network_life_ended(struct network *network, const struct life *life)
{
	for (struct stream *stream = network->first, *next; stream; stream = next) {
		next = stream->next;
		if (stream->life == life && !stream->gateway_gone)
			gateway_leave(stream, life->power_lost);
	}
}

/* ------------------------------------------------------------ the network */

int network_create(struct ground *ground, network_enter_fn enter, struct network **ret_network)
{
	struct network *network = calloc(1, sizeof *network);
	if (!network)
		return TG_ERR_NO_MEMORY;
	network->ground = ground;
	network->enter = enter;
	network->random = faults_random(ground->faults);
	*ret_network = network;
	return TG_OK;
}

void network_destroy(struct network *network)
{
	if (!network)
		return;
	for (struct stream *stream = network->first, *next; stream; stream = next) {
		next = stream->next;
		stream_free(stream);
	}
	free(network);
}

void network_listen(struct network *network, uint32_t venue, stream_accept_fn accept, void *ctx)
{
	assert(venue < VENUES_MAX);
	network->door[venue].accept = accept;
	network->door[venue].ctx = ctx;
}

void network_set_tap(struct network *network, const struct network_tap *tap)
{
	network->tap = *tap;
}

static void stream_second(struct stream *stream)
{
	int64_t ms = 0;
	if (strikes(stream, FAULT_LINK_CUT, NULL)) {
		stream_break(stream, "cut");
		return;
	}
	if (strikes(stream, FAULT_LINK_HALF_OPEN, &ms)) {
		stream_trace(stream, "half open: what the gateway sends vanishes, for %lld ms its end too",
			     (long long)ms);
		path_fail(&stream->up, ms * MS);
	}
	if (strikes(stream, FAULT_LINK_SILENT, &ms)) {
		stream_trace(stream, "silent: what the venue sends vanishes, for %lld ms its end too", (long long)ms);
		path_fail(&stream->down, ms * MS);
	}
}

void network_second(struct network *network)
{
	for (struct stream *stream = network->first; stream; stream = stream->next)
		if (stream->gateway_open && !stream->gateway_gone && stream->venue_end == VENUE_END_OPEN &&
		    !stream->up.lossy && !stream->down.lossy)
			stream_second(stream);
}
