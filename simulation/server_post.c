/* Frames on their way out, and whatever is late in either direction. */
#include "simulation/server_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct post_faults reply_faults = {FAULT_REPLY_LOST, FAULT_REPLY_LATE, FAULT_REPLY_TWICE};
const struct post_faults event_faults = {FAULT_EVENT_LOST, FAULT_EVENT_LATE, FAULT_EVENT_TWICE};

void frames_clear(struct frames *frames)
{
	frames->used = 0;
}

void frames_add(struct server *server, struct frames *frames, enum wire_type type, uint16_t flags, const void *payload)
{
	if (frames->capacity - frames->used < WIRE_FRAME_MAX) {
		size_t capacity = 2 * frames->capacity + 2 * WIRE_FRAME_MAX;
		uint8_t *grown = realloc(frames->bytes, capacity);
		if (!grown) {
			server_fail(server, "no memory for an answer");
			return;
		}
		frames->bytes = grown;
		frames->capacity = capacity;
	}
	frames->used += wire_encode(type, flags, payload, frames->bytes + frames->used);
}

void frames_send(struct connection *connection, const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size && !connection->closing;) {
		struct wire_header header;
		memcpy(&header, bytes + at, sizeof header);
		if (stream_send_venue(connection->stream, bytes + at, header.size) != TG_OK)
			connection->closing = true;
		at += header.size;
	}
}

/* ----------------------------------------------------------------- parcels */

static void parcel_remove(struct parcel *parcel)
{
	if (parcel->previous)
		parcel->previous->next = parcel->next;
	else
		parcel->server->parcels = parcel->next;
	if (parcel->next)
		parcel->next->previous = parcel->previous;
	free(parcel);
}

static struct connection *connection_find(const struct server *server, uint64_t id)
{
	struct connection *connection = server->connections;
	while (connection && connection->id != id)
		connection = connection->next;
	return connection;
}

static void request_deliver(const struct parcel *parcel, struct connection *connection)
{
	union wire_payload payload;
	memcpy(&payload, parcel->bytes, sizeof payload);
	request_do(&(struct request){parcel->server, connection, parcel->gateway, parcel->request, &payload});
}

static void on_due(void *ctx)
{
	struct parcel *parcel = ctx;
	struct connection *connection = connection_find(parcel->server, parcel->connection);
	if (parcel->request != WIRE_NOTHING)
		request_deliver(parcel, connection);
	else if (connection)
		frames_send(connection, parcel->bytes, parcel->size);
	parcel_remove(parcel);
}

static void parcel_send(struct connection *connection, enum wire_type request, const void *bytes, size_t size,
			int64_t delay_ms)
{
	struct server *server = connection->server;
	struct parcel *parcel = malloc(sizeof *parcel + size);
	if (!parcel) {
		server_fail(server, "no memory for what is late");
		return;
	}
	*parcel = (struct parcel){.next = server->parcels,
				  .server = server,
				  .connection = connection->id,
				  .gateway = connection->gateway,
				  .request = request,
				  .size = size};
	memcpy(parcel->bytes, bytes, size);
	if (parcel->next)
		parcel->next->previous = parcel;
	server->parcels = parcel;
	if (loop_timer_start(server->options.ground->time, delay_ms * MS_NS, on_due, parcel, &parcel->timer) != TG_OK) {
		server_fail(server, "no timer is left");
		parcel_remove(parcel);
	}
}

void frames_send_later(struct connection *connection, const struct frames *frames, int64_t delay_ms)
{
	parcel_send(connection, WIRE_NOTHING, frames->bytes, frames->used, delay_ms);
}

void request_later(struct connection *connection, const struct wire_frame *frame, int64_t delay_ms)
{
	parcel_send(connection, frame->type, frame->payload, sizeof *frame->payload, delay_ms);
}

void parcels_drop(struct server *server)
{
	for (struct parcel *parcel = server->parcels, *next; parcel; parcel = next) {
		next = parcel->next;
		loop_timer_stop(server->options.ground->time, parcel->timer);
		parcel_remove(parcel);
	}
}

void frames_post(struct connection *connection, const struct frames *frames, const struct post_faults *faults,
		 const char *what)
{
	struct server *server = connection->server;
	int64_t delay_ms = 0;
	if (connection->closing)
		return;
	if (strikes(server, faults->lost, connection->gateway, NULL)) {
		trace_fault(server, faults->lost, "%s, to g%u", what, connection->gateway);
		return;
	}
	if (strikes(server, faults->late, connection->gateway, &delay_ms)) {
		trace_fault(server, faults->late, "%s, to g%u by %lld ms", what, connection->gateway,
			    (long long)delay_ms);
		frames_send_later(connection, frames, delay_ms);
		return;
	}
	frames_send(connection, frames->bytes, frames->used);
	if (!strikes(server, faults->twice, connection->gateway, &delay_ms))
		return;
	trace_fault(server, faults->twice, "%s, to g%u after %lld ms", what, connection->gateway, (long long)delay_ms);
	frames_send_later(connection, frames, delay_ms);
}
