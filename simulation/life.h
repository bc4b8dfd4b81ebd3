/* A life: one run of a gateway's process, from its start to its end. Every way out of the process (disk, network,
 * store) asks here before it does anything, so that a kill can strike between any two of them. A process that was
 * killed is not unwound by force: its code runs on to the end of the pass, but nothing it does reaches the outside any
 * more, and then it is taken away. Owner: the process. */
#ifndef TRIGATE_SIMULATION_LIFE_H
#define TRIGATE_SIMULATION_LIFE_H

#include "simulation/ground.h"

struct life {
	struct ground *ground;
	uint32_t gateway; /* index */
	uint32_t number;  /* of the start, from 1 */
	bool dead;        /* nothing of it reaches the outside */
	bool power_lost;
	uint64_t operations;
};

/* An operation that the outside can see is about to happen. True: the process dies here (or is dead), do nothing and
 * fail; *ret_done_e3 is then how many thousandths of a write are still done (0 if it was dead before). what: "write",
 * "sync", "send", ... for the trace. */
bool life_ends(struct life *life, const char *what, int64_t *ret_done_e3);

#endif
