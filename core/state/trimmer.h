/* The trimmer: lets files of the journal go that are needed no more. A file may go when the store has all of it for
 * good, which a worker asks now and then, and every cycle that was opened in it or before is final and forgotten, on
 * record; the trimmer forgets those that ended long ago. What else the model makes of it stands in the checkpoint at
 * the head of the next file. Owner: the loop thread; the worker alone asks the store. */
#ifndef TRIGATE_CORE_STATE_TRIMMER_H
#define TRIGATE_CORE_STATE_TRIMMER_H

#include "core/state/keeper.h"

struct trimmer;

struct trimmer_options {
	const struct workers *workers;
	/* The position up to which the store has the journal for good. Blocks; called by the worker. */
	int (*durable)(void *ctx, uint64_t *ret_position, struct tg_error *ret_error);
	void *ctx;
};

/* TG_OK, TG_ERR_NO_MEMORY. */
int trimmer_start(const struct trimmer_options *options, struct trimmer **ret_trimmer);
void trimmer_stop(struct trimmer *trimmer); /* NULL is allowed */

/* At the end of a pass: looks once a second, if there is anything to trim. */
void trimmer_pass(struct trimmer *trimmer, struct keeper *keeper);

/* The cycle that holds back the oldest file, and is not final; NULL: none does. */
const struct cycle *trimmer_held_by(const struct keeper *keeper);

#endif
