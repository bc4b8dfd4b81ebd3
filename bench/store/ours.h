/* What is measured of ours: the gateway's own calls, until all that was changed stands in committed batches. Each in a
 * process of its own. */
#ifndef TRIGATE_BENCH_STORE_OURS_H
#define TRIGATE_BENCH_STORE_OURS_H

#include "bench/store/floor.h"

struct backend {
	const char *plugin;   /* its id */
	const char *settings; /* YAML on one line */
};

struct ours {
	double per_second;
	double journal_bytes; /* per change, for the floor */
	double bound_bytes;   /* per change, to SQLite's statements */
};
void ours_run(const struct backend *backend, const struct task *task, struct ours *ret_ours);

/* Batches a cycle, when so many are open at once and each takes nine steps. */
double ours_commits_per_cycle(const struct backend *backend, const char *folder, uint32_t open, uint32_t cycles);

#endif
