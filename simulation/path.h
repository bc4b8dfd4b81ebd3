/* One way of a stream. It carries, in this order: that the stream opened, pieces of bytes, that it closed; each arrives
 * at its due time, never before what left earlier. Owner: the stream. */
#ifndef TRIGATE_SIMULATION_PATH_H
#define TRIGATE_SIMULATION_PATH_H

#include "simulation/ground.h"

enum path_arrival { PATH_OPEN, PATH_DATA, PATH_CLOSE };

/* Bytes that arrive at once. */
struct piece {
	struct piece *next; /* that arrives at the same moment */
	int64_t sent_ns;
	int64_t due_ns;
	size_t count;
	size_t joint; /* a second send begins here; 0: it is one send, or a part of one */
	uint8_t bytes[];
};

struct path {
	struct ground *ground;
	void *ctx;
	/* pieces (of PATH_DATA) are borrowed; the path may be no more after it */
	void (*arrive)(void *ctx, enum path_arrival what, const struct piece *pieces);
	uint32_t gateway; /* whose faults strike */
	char label[32];   /* for the trace */
	uint64_t random;  /* state */
	int64_t latency_ns;
	int64_t last_due_ns;
	int64_t open_ns; /* when it arrives; 0: not to come */
	int64_t close_ns;
	int64_t dead_until_ns; /* nothing arrives before that, not even that it closed */
	bool lossy;            /* whatever is sent vanishes */
	struct piece *first, *last;
	struct piece *held; /* waits for the next send */
	uint64_t held_timer;
	uint64_t timer; /* of what arrives next */
};

/* ground, ctx, arrive, gateway and label are set; `random` seeds what is drawn. */
void path_init(struct path *path, uint64_t random);
/* Nothing more arrives, until something is sent again. Gives the memory back. */
void path_forget(struct path *path);

void path_open(struct path *path);
/* Bytes on their way, with the mishaps that strike; false: no memory, they are lost. */
bool path_send(struct path *path, const uint8_t *bytes, size_t count);
/* The end, behind all that is under way and no sooner than that. */
void path_close(struct path *path, int64_t least_delay_ns);
/* From now on bytes are lost, and so none follows them: a stream has no gaps. For so long not even an end arrives. */
void path_fail(struct path *path, int64_t dead_ns);

#endif
