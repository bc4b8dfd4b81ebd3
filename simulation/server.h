/* A venue's front: the matching engine of venue/ behind a stream of frames (wire.h), for several gateways of one
 * account. It answers, tells of orders, balances and books, and makes the mistakes that the faults ask for. Owner: one
 * world. */
#ifndef TRIGATE_SIMULATION_SERVER_H
#define TRIGATE_SIMULATION_SERVER_H

#include "simulation/network.h"
#include "simulation/observer.h"
#include "venue/venue.h"

struct server_options {
	struct ground *ground;
	struct network *network;
	struct observer *observer;    /* gets the ledger's lines */
	uint32_t venue;               /* index */
	struct venue_options options; /* ledger aside, which is the observer's */
	uint32_t requests_per_second; /* of one connection; above it: 429, and 418 for who goes on */
};

struct server;
int server_create(const struct server_options *options, struct server **ret_server, struct tg_error *ret_error);
void server_destroy(struct server *server);
/* Each second of the world: halts, changed filters, delistings by fault. */
void server_second(struct server *server);
/* Does anything of our account rest in a book? */
uint32_t server_open_orders(const struct server *server);

#endif
