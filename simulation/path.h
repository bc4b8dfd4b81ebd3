/* One way of a stream. It carries, in this order: that the stream opened, pieces of bytes, that it closed; each arrives
 * at its due time, never before what left earlier. Owner: the stream. */
#ifndef TRIGATE_SIMULATION_PATH_H
#define TRIGATE_SIMULATION_PATH_H

#include "simulation/ground.h"

struct piece;
enum path_arrival { PATH_OPEN, PATH_DATA, PATH_CLOSE };

struct path {
	struct ground *ground;
	void *ctx;
	/* bytes are borrowed; the path may be forgotten in it */
	void (*arrive)(void *ctx, enum path_arrival what, const uint8_t *bytes, size_t count);
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
