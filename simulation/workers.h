/* Workers on the world's one thread: a wake-up or a due time becomes a turn on the gateway's own loop, a moment later.
 * Owner: one life of a process. */
#ifndef TRIGATE_SIMULATION_WORKERS_H
#define TRIGATE_SIMULATION_WORKERS_H

#include "core/io/worker.h"
#include "simulation/life.h"

struct sim_workers;
struct sim_disk;
struct sim_store;

/* How late turns are beyond the moment that a thread takes to wake up: the delay that a slow disk or store asked for,
 * taken before a turn. enter: as network_enter_fn; turns run in the process, at its clock. */
struct sim_workers_options {
	struct life *life;
	void *process;
	void (*enter)(void *process, void (*fn)(void *ctx), void *ctx);
	int64_t (*mono_ns)(void *process); /* the machine's clock */
	struct sim_disk *disk;
	struct sim_store *store;
};
int sim_workers_create(const struct sim_workers_options *options, struct sim_workers **ret_workers);
void sim_workers_destroy(struct sim_workers *workers);
const struct workers *sim_workers_face(struct sim_workers *workers);

#endif
