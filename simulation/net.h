/* The wire of a gateway in a simulated world: what tg.ws/1 and tg.http/1 of trigate/net.h do, over streams to its venue
 * instead of sockets. As core/io/transport has it: nothing is called back from inside a call; what is lost is opened
 * again after a growing, random delay; what says nothing for too long is lost; whether a request may have left is told.
 *
 * Every URL must name a host of NET_DOMAIN: it leads to the one venue that the gateway trades on. Owner: one life of a
 * gateway's process. */
#ifndef TRIGATE_SIMULATION_NET_H
#define TRIGATE_SIMULATION_NET_H

#include <trigate/net.h>

#include "simulation/network.h"

struct net;
struct keys;

#define NET_DOMAIN "venue.test"

/* A message that passed. */
struct net_message {
	uint64_t id;      /* of the socket or request */
	bool http;        /* a request, or its answer's body; else a message of a WebSocket */
	const char *path; /* with the query */
	struct tg_str text;
};

/* One that listens in, message by message: sent as it leaves the machine (the network may still lose it), received
 * before the connector acts on it. */
struct net_tap {
	void *ctx;
	void (*opened)(void *ctx, uint32_t gateway, uint64_t socket, const char *path);
	void (*closed)(void *ctx, uint32_t gateway, uint64_t socket, const char *path);
	void (*sent)(void *ctx, uint32_t gateway, const struct net_message *message);
	void (*received)(void *ctx, uint32_t gateway, const struct net_message *message);
};

struct net_options {
	struct network *network;
	struct life *life;
	void *process;
	network_enter_fn enter;
	int64_t (*mono_ns)(void *process); /* the machine's clock */
	uint32_t venue;
	uint64_t seed;             /* of the jitter */
	const struct keys *keys;   /* for "${key:NAME:id}" in headers; NULL: there are none */
	const struct net_tap *tap; /* NULL: nobody listens in */
};

int net_create(const struct net_options *options, struct net **ret_net);
/* The process is gone, or goes: no callback comes any more. NULL is allowed. */
void net_destroy(struct net *net);

/* trigate/net.h has what these do. */
int32_t net_ws_open(struct net *net, const struct tg_ws_options *options, const struct tg_ws_events *events,
		    uint64_t *ret_socket, struct tg_error *ret_error);
int32_t net_ws_send(struct net *net, uint64_t socket, int32_t kind, const uint8_t *bytes, uint64_t count);
void net_ws_restart(struct net *net, uint64_t socket);
void net_ws_close(struct net *net, uint64_t socket);

typedef void (*net_done_fn)(void *ctx, uint64_t id, const struct tg_http_response *response);
int32_t net_http_request(struct net *net, const struct tg_http_request *request, net_done_fn done, void *ctx,
			 uint64_t *ret_id, struct tg_error *ret_error);
void net_http_cancel(struct net *net, uint64_t id);

#endif
