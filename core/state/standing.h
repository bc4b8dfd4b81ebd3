/* Where a store stands in a gateway's journal, as its writer knows it: what it has acknowledged, what it may have taken
 * though nobody said so. A store that stands elsewhere has lost something, or is another gateway's too. Owner: the
 * writer's worker. */
#ifndef TRIGATE_CORE_STATE_STANDING_H
#define TRIGATE_CORE_STATE_STANDING_H

#include <stdbool.h>

#include "core/state/pool.h"

struct standing {
	struct store_pool *pool;
	const char *journal_id;
	uint64_t applied;     /* acknowledged */
	uint64_t stands;      /* where it was seen: the next batch is for a store that stands there */
	uint64_t doubt;       /* where a batch whose answer was lost may have brought it */
	uint64_t opened_seen; /* connections that had been opened then: behind a new one may be another store */
	bool look;            /* ask it before the next batch whatever they were */
	bool back;            /* it went back behind what it had acknowledged: */
	uint64_t back_to;
	bool is_lost; /* and cannot be told again what it lacks */
};

/* What the store says, at a start; applied is set to where it stood just before. [io] */
int standing_begin(struct standing *standing, struct tg_error *ret_error);

/* Before a batch: may the store stand where it does? TG_ERR_CORRUPT, with what to do: no. [io] */
int32_t standing_look(struct standing *standing, void *backend, struct tg_error *ret_error);

/* It has refused a batch as not meant for where it stands: why? TG_ERR_RETRYABLE if an earlier one came late. *error
 * has its answer, and is told better where that is known. [io] */
int32_t standing_refused(struct standing *standing, void *backend, struct tg_error *error);

/* From the next batch on it is told again what it lacks since it went back. */
void standing_go_back(struct standing *standing);

/* A batch has brought it there. */
void standing_reached(struct standing *standing, uint64_t position);
/* Or nobody knows. */
void standing_doubt(struct standing *standing, uint64_t position);

#endif
