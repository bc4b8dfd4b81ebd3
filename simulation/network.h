/* The network between gateways and venues: streams of bytes, with latency, and with what goes wrong on the way. What a
 * side writes arrives in order, in whatever pieces; a stream that broke tells a side only when it tries, or never.
 * Owner: one world. */
#ifndef TRIGATE_SIMULATION_NETWORK_H
#define TRIGATE_SIMULATION_NETWORK_H

#include "simulation/life.h"

#include <trigate/abi.h>

struct network;
struct stream; /* one connection, two ends */

/* What an end hears. Never called from inside a call of the same end. */
struct stream_events {
	void *ctx;
	void (*opened)(void *ctx);
	void (*data)(void *ctx, const uint8_t *bytes, size_t count); /* borrowed */
	void (*closed)(void *ctx); /* refused or broken; the stream is gone after it */
};

/* A venue's door: a gateway connects. Fill *ret_events for the venue's end and keep the stream. */
typedef void (*stream_accept_fn)(void *ctx, uint32_t gateway, struct stream *stream, struct stream_events *ret_events);

/* How a gateway's process is entered: runs fn(ctx) in a pass of its loop, if it lives. */
typedef void (*network_enter_fn)(void *process, void (*fn)(void *ctx), void *ctx);

int network_create(struct ground *ground, network_enter_fn enter, struct network **ret_network);
void network_destroy(struct network *network);
void network_listen(struct network *network, uint32_t venue, stream_accept_fn accept, void *ctx);

/* One that listens in. sent: a gateway's whole send, at the moment when it leaves the machine (a fault may still take
 * it). opened: a new stream of the gateway; what is delivered from now on is its first byte and on. delivered: bytes
 * that reach the gateway's end, in pieces, in its pass, before it acts on them. */
struct network_tap {
	void *ctx;
	void (*sent)(void *ctx, uint32_t gateway, const uint8_t *bytes, size_t count);
	void (*opened)(void *ctx, uint32_t gateway);
	void (*delivered)(void *ctx, uint32_t gateway, const uint8_t *bytes, size_t count);
};
void network_set_tap(struct network *network, const struct network_tap *tap);

/* The gateway's side. Each send is one operation of the life. NULL: no memory, or the life is over. */
struct stream *stream_connect(struct network *network, void *process, struct life *life, uint32_t venue,
			      const struct stream_events *events);
/* TG_OK, or TG_ERR_CLOSED: nothing left. From either end. */
int stream_send(struct stream *stream, const uint8_t *bytes, size_t count);
/* This end is done with it; the other hears of it. No event comes after this. Of a life that is over: does nothing. */
void stream_close(struct stream *stream);
/* The venue's end. */
int stream_send_venue(struct stream *stream, const uint8_t *bytes, size_t count);
void stream_close_venue(struct stream *stream);

/* The process of that life is gone, and its code has run for the last time: its ends are closed, as by the kernel.
 * After a power loss the other side hears nothing, but for a time-out when it sends. */
void network_life_ended(struct network *network, const struct life *life);
/* Called each second of the world: the faults of links. */
void network_second(struct network *network);

/* ---- lent to the connector, found by host->extension(NETWORK_EXTENSION); errors as above */
#define NETWORK_EXTENSION "trigate.simulated-network/1"
struct network_extension {
	uint32_t size;
	uint32_t reserved;
	struct stream *(*connect)(const struct tg_host *host, const struct stream_events *events); /* to its venue */
	int32_t (*send)(struct stream *stream, const uint8_t *bytes, uint64_t count);
	void (*close)(struct stream *stream);
};

#endif
