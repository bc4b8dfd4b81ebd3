/* A simulated storage server: the tables of storage/memory behind the storage ABI, shared by the gateways of a world
 * and outliving their processes. Its calls fail, get slow, lose their answers or find nobody, and it loses what it took
 * last, by fault. Its clock is the world's. Owner: one world. */
#ifndef TRIGATE_SIMULATION_STORE_H
#define TRIGATE_SIMULATION_STORE_H

#include <trigate/storage.h>

#include "simulation/life.h"

struct sim_store;

int sim_store_create(struct ground *ground, struct sim_store **ret_store);
void sim_store_destroy(struct sim_store *store);
/* Rows of one kind, in the order of their keys, without fault. */
void sim_store_each(struct sim_store *store, int32_t kind, tg_row_fn fn, void *ctx);
void sim_store_slots(struct sim_store *store, tg_slot_fn fn, void *ctx);
/* What STORE_SLOW asked for from this gateway's next batch; forgotten by being taken. */
int64_t sim_store_take_delay_ns(struct sim_store *store, uint32_t gateway);
/* How it stands in a gateway's journal. */
struct sim_store_standing {
	uint64_t now, furthest; /* where it stands, and the furthest that it ever has */
	uint64_t back_to;       /* the lowest that it went back to since sim_store_watch_back; UINT64_MAX: it did not */
};
struct sim_store_standing sim_store_stands(const struct sim_store *store, uint32_t gateway);
void sim_store_watch_back(struct sim_store *store, uint32_t gateway);

/* The plugin "simulated" of kind storage, for registry_add. It finds its server by host->extension(STORE_EXTENSION). */
extern const struct tg_entry sim_store_entry;
extern const char sim_store_manifest[];
#define STORE_EXTENSION "trigate.simulated-store/1"
struct store_extension {
	uint32_t size;
	uint32_t reserved;
	struct sim_store *(*store)(const struct tg_host *host);
	struct life *(*life)(const struct tg_host *host);
};

#endif
