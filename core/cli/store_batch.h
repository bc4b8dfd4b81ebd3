/* Rows on their way into a store: copied, gathered, applied as batches of one journal. Main thread. */
#ifndef TRIGATE_CORE_CLI_STORE_BATCH_H
#define TRIGATE_CORE_CLI_STORE_BATCH_H

#include <trigate/storage.h>

#define STORE_BATCH_ROWS 500

struct store_batch {
	const struct tg_storage_api *api;
	void *self;
	char journal[64];
	uint64_t position; /* of the last row that was added: their number from the first on */
	uint64_t stored;   /* what the store had before */
	struct tg_record record[STORE_BATCH_ROWS];
	uint32_t count;
};

/* Rows up to `stored` are in the store already. */
int store_batch_begin(struct store_batch *batch, const struct tg_storage_api *api, void *self, struct tg_str journal,
		      struct tg_error *ret_error);
/* Add a row of kind 1 to 4; applies when there are enough. Rows that the store has are only counted. */
int store_batch_add(struct store_batch *batch, int32_t kind, const void *row, struct tg_error *ret_error);
int store_batch_apply(struct store_batch *batch, struct tg_error *ret_error); /* what is gathered */
void store_batch_finish(struct store_batch *batch);                           /* forgets what was not applied */

#endif
