/* The writer: brings a storage backend up to the journal, in batches, from a worker of its own. Owner: the loop thread
 * posts; the worker puts what it takes into the cache, where rows of one key become one, and applies what waits there.
 * A row that could not be posted (ring full) is posted again later and nothing is lost: the journal has it all.
 *
 * It takes a connection from the pool for each batch: while nothing is written others can use it, and the pool sees to
 * it that it lives. When its server dies in the middle of a batch, the batch goes again over another one; its position
 * makes that harmless. Each batch says where the store has to stand before it: one that has gone back behind what it
 * acknowledged, or that another gateway writes to under this one's id, gets nothing that would hide what is missing.
 *
 * Whatever a store fails for, it is tried again: soon where that may pass by itself, else with pauses of up to a
 * minute, so that mending the cause is enough. */
#ifndef TRIGATE_CORE_STATE_WRITER_H
#define TRIGATE_CORE_STATE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/storage.h>

#include "core/io/worker.h"
#include "core/state/cache.h"
#include "core/state/pool.h"
#include "core/state/row.h"

struct writer;
struct journal;

struct writer_options {
	const struct workers *workers;
	struct store_pool *pool;
	struct cache *cache;
	const char *journal_id; /* gateway id */
	/* Called by the worker before each batch: the journal up to its position must be durable first, or a
	 * store that survives a power loss could know more than the journal. NULL: not needed. */
	int (*journal_wait)(struct journal *journal, uint64_t position, struct tg_error *ret_error);
	struct journal *journal;
	uint64_t stood; /* of it: rows up to there are not told again; behind it the store has gone back */
	uint64_t known; /* of the journal at the start: a batch of the run before may still bring the store up to it */
	uint32_t ring_rows;
	bool touch;             /* take the ring's memory now: no page fault on the way to an order */
	uint32_t batch_rows;    /* apply when so many wait: the worker is woken for them */
	int64_t batch_ms;       /* or when the oldest waits so long (the workers' time) */
	int64_t retention_days; /* cycles that were closed before are removed, when there is time; 0: never */
};

int writer_start(const struct writer_options *options, struct writer **ret_writer, struct tg_error *ret_error);

/* A place for a row in the ring, to be built there and committed; NULL: full. Keep what it was for, and post it again.
 * [hot] */
struct row *writer_reserve(struct writer *writer);
void writer_commit(struct writer *writer);

/* Tell the writer that the store reflects the journal up to position once what was posted so far is applied, and what
 * time it is. [hot] */
void writer_mark(struct writer *writer, uint64_t position, int64_t unix_ns);

/* Rows posted since the last mark. [hot] */
uint32_t writer_unmarked(const struct writer *writer);

/* Is the ring so full that soon nothing can be posted? It gets so when the store fails for so long that the cache has
 * taken all that it may. [hot] */
bool writer_is_behind(const struct writer *writer);

/* Has the store gone back behind what it had acknowledged, and waits for an answer? *ret_position: where to. [hot] */
bool writer_went_back(const struct writer *writer, uint64_t *ret_position);
/* The answer. whole: with the next mark all is posted that came after that position; else nobody can tell it what it
 * lacks but a restart. */
void writer_begin_again(struct writer *writer, bool whole);

struct writer_status {
	uint64_t applied_position;
	uint64_t batches;
	uint64_t rows;
	uint64_t retries;
	uint64_t removed; /* cycles that were closed too long ago */
	bool failing;     /* the last apply failed; it is tried again */
	char error[240];  /* the last failure */
};
void writer_status(const struct writer *writer, struct writer_status *ret_status); /* [any] */

/* Wait until all that was posted is applied, at most timeout_ms of the workers' time; not for a store that fails for
 * what will not pass by itself. False: not all. */
bool writer_drain(struct writer *writer, int64_t timeout_ms);

/* Drain, stop the worker. NULL is allowed. */
void writer_stop(struct writer *writer, int64_t timeout_ms);

#endif
