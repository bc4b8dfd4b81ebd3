/* Removal of old cycles from the store (storage.retention_days): so many at a time, each with a connection of its own,
 * so that no batch and no lease waits long; looked for every six hours. Owner: the writer's worker. */
#ifndef TRIGATE_CORE_STATE_REMOVAL_H
#define TRIGATE_CORE_STATE_REMOVAL_H

#include <stdbool.h>

#include "core/state/pool.h"

struct removal {
	struct store_pool *pool;
	int64_t days;       /* cycles that were closed before go; 0: none do */
	int64_t due_ns;     /* the next step; 0: not asked yet */
	int64_t backoff_ns; /* 0: the last step did not fail */
	uint64_t removed;   /* since it was last told of */
};

/* When the next step is due; WORKER_WHEN_WOKEN: never. may_run: the store is well, and the time is known. */
int64_t removal_due_ns(struct removal *removal, int64_t now_ns, bool may_run);

/* One step. Returns how many cycles went if it was the last one of several, else 0. [io] */
uint64_t removal_step(struct removal *removal, int64_t now_ns, int64_t unix_ns);

#endif
