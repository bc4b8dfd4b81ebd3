/* A venue's front as Binance: venue/binance behind the messages of net_frame.h, for several gateways of one account,
 * each with a key of its own. It makes the mistakes that the faults ask for, by venue/binance's own /control/ where
 * that has them. Owner: one world. */
#ifndef TRIGATE_SIMULATION_BINANCE_SERVER_H
#define TRIGATE_SIMULATION_BINANCE_SERVER_H

#include "simulation/made_key.h"
#include "simulation/network.h"
#include "simulation/observer.h"
#include "venue/venue.h"

struct binance_server_options {
	struct ground *ground;
	struct network *network;
	struct observer *observer;    /* gets the ledger's lines; NULL: nobody does */
	uint32_t venue;               /* index */
	struct venue_options options; /* ledger aside, which is the observer's */
	const struct made_key *key;   /* that it knows; borrowed for the call */
	uint32_t key_count;
	/* Books may have changed: told after every call that can do that. NULL: nobody is. */
	void (*changed)(void *ctx);
	void *changed_ctx;
};

struct binance_server;
int binance_server_create(const struct binance_server_options *options, struct binance_server **ret_server,
			  struct tg_error *ret_error);
void binance_server_destroy(struct binance_server *server);
/* Each second of the world: halts, changed filters, delistings by fault. */
void binance_server_second(struct binance_server *server);
/* Does anything of our account rest in a book? */
uint32_t binance_server_open_orders(const struct binance_server *server);

/* The truth, for who judges: the venue's books, and the id that each is told under as it stands. */
const struct engine *binance_server_engine(const struct binance_server *server);
uint64_t binance_server_update_id(const struct binance_server *server, uint32_t market);

#endif
