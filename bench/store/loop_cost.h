/* What a save costs the loop: a cycle with three orders applied to the model, appended to the journal, flushed, and its
 * rows posted to a running writer whose store takes all. Floor: one write(2) of as many bytes, and a memcpy of as many
 * into a ring. One thread, and the writer's. */
#ifndef TRIGATE_BENCH_STORE_LOOP_COST_H
#define TRIGATE_BENCH_STORE_LOOP_COST_H

struct loop_cost {
	double save_ns, floor_ns; /* mean of a round */
};

/* One round of each, in an empty directory that it leaves empty; ends the program if something fails. */
struct loop_cost loop_cost_measure(const char *dir);

#endif
