/* The observer: says whether a run was right. It trusts the venues' ledgers alone; what gateways believe (journal,
 * store) it reads from outside, after the run, and holds against the ledgers. Owner: one world.
 *
 * From the ledgers and what leaves the gateways, at each instant (also without any store, with the same result):
 * - conserved: each currency: deposits - spent + received - fees = free + locked, to the last unit
 * - ids: a client id is used once, leaves its gateway once, and is one that our gateways make; the cycles that
 *   a gateway opens have rising keys, so that no epoch comes again
 * - open_cycles: cycles between their first and their last order, within max_open_cycles: those of a strategy on all
 *   gateways, and those of a group of gateways
 * - lease: no order leaves a gateway that holds no slot by the store's clock
 * - notional: what a cycle's first order may cost, within capital_allocation
 * - rate: orders and requests within the venue's limit
 * - halted: no order sent after the gateway was told that the market does not trade
 *
 * At rest, of each gateway:
 * - final: what journal and store call final has its evidence in the ledger: state, fills, fees, to the unit
 * - forgotten: every order that left stands in the journal, which nothing is missing from (after a power loss: unless
 *   its intent was never synced)
 * - agree: store = journal (but for what a store that went back has lost of cycles that the journal has no more)
 * - profit: a cycle's figures are those that its fills in the ledger come to
 * - gate: no cycle was opened on a book that was older than it may be or of an earlier connection, nor for a profit too
 *   good to be true
 * - alone: an order is intended when all before it in its cycle have their end, and none comes to the venue after the
 *   next one has left
 * - holding: an order spends no more than its cycle holds
 * - rest: no cycle is open, no slot is held, nothing rests in a book
 * - time: records carry times of the run
 *
 * Of the run: `ends` (it came to rest, and no gateway that nothing was wrong with left its store behind), `returns` (a
 * gateway came back after a crash), `deterministic`, `crash`. */
#ifndef TRIGATE_SIMULATION_OBSERVER_H
#define TRIGATE_SIMULATION_OBSERVER_H

#include "core/config/config.h"
#include "core/io/disk.h"
#include "simulation/ground.h"

struct sim_store;

struct violation {
	char check[24]; /* empty: none */
	char text[320];
	int64_t at_ns; /* since the world began */
};

/* What the observer knows of a gateway beforehand: its configuration. */
struct observed_gateway {
	const struct gateway_config *config;
	const struct strategy_config *strategy;
	uint32_t venue;
};

struct observer_options {
	struct ground *ground;
	uint32_t venues;
	uint32_t gateways;
	struct observed_gateway gateway[GATEWAYS_MAX];
	uint32_t requests_per_second; /* the venue's limit for each gateway; 0: it says itself what is too much */
	bool plain_symbols;           /* gateways know BTC-USDT as BTCUSDT */
	struct sim_store *store;      /* whose slots orders leave on; NULL: that is not looked at */
};

struct observer;
int observer_create(const struct observer_options *options, struct observer **ret_observer);
void observer_destroy(struct observer *observer);

/* Whole lines of a venue's ledger, as they are written. */
void observer_ledger(struct observer *observer, uint32_t venue, const char *lines, size_t size);
/* A request left a gateway's machine now. client_id: of an order to place, else empty. */
void observer_sent(struct observer *observer, uint32_t gateway, const char *client_id, const char *symbol);
/* The bytes that tell a gateway of a market's status reached its connector now. trading: orders may be sent. */
void observer_told(struct observer *observer, uint32_t gateway, const char *symbol, bool trading);
/* A book of that market reached its connector now. */
void observer_booked(struct observer *observer, uint32_t gateway, const char *symbol);
/* The gateway has a new connection: books of the one before count no more. */
void observer_connected(struct observer *observer, uint32_t gateway);
/* The machine lost power: the journal of that gateway kept its records up to this position for sure (the last sync),
 * its orders whose intents came later may be forgotten; with durability: power (durable) no order that left may. */
void observer_power_lost(struct observer *observer, uint32_t gateway, uint64_t synced_position, bool durable);
/* The gateway starts, and the store has gone back from record `furthest` of its journal to `stands`, while the journal
 * begins at `first`: of the cycles before that nobody can tell the store what it lacks. */
void observer_store_lost(struct observer *observer, uint32_t gateway, uint64_t stands, uint64_t furthest,
			 uint64_t first);
/* The first violation that was seen, here or by the world; check is empty if there was none. */
const struct violation *observer_violation(const struct observer *observer);
__attribute__((format(printf, 3, 4))) void observer_raise(struct observer *observer, const char *check,
							  const char *format, ...);

/* The gateway has come to rest: its journal on `disk` and its rows in `store` (NULL: do without) against the ledgers.
 */
void observer_rest(struct observer *observer, uint32_t gateway, const struct disk *disk, const char *state_dir,
		   struct sim_store *store);
/* All have: what concerns the venues as a whole, and how many cycles were open at once (what a power loss took is known
 * only now). */
void observer_end(struct observer *observer);

struct observer_counts {
	uint64_t orders, rejected, fills, cycles;
};
void observer_counts(const struct observer *observer, struct observer_counts *ret_counts);

#endif
