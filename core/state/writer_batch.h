/* A batch on its way to storage: rows coalesced by key (the latest wins in the place of the first, so that a cycle
 * still comes before its orders), then shown as the records of the ABI. Owner: the writer thread. Private to this room.
 */
#ifndef TRIGATE_CORE_STATE_WRITER_BATCH_H
#define TRIGATE_CORE_STATE_WRITER_BATCH_H

#include "core/state/writer.h"

union api_row {
	struct tg_cycle_row cycle;
	struct tg_order_row order;
	struct tg_fill_row fill;
};

struct writer_batch {
	struct row *rows;
	uint32_t count;
	uint32_t capacity;
	bool urgent;
	uint32_t *index; /* hash of key to place + 1; 0: free */
	uint32_t index_mask;
	struct tg_record *records;
	union api_row *api_rows;
};

/* Grows by itself beyond `rows`. 0 or TG_ERR_NO_MEMORY. */
int writer_batch_init(struct writer_batch *batch, uint32_t rows);
void writer_batch_finish(struct writer_batch *batch);
void writer_batch_clear(struct writer_batch *batch);

/* Add a row or replace the one of the same key. 0 or TG_ERR_NO_MEMORY (the batch is as before). */
int writer_batch_add(struct writer_batch *batch, const struct row *row);

/* The rows as records, valid until the next add or clear. */
const struct tg_record *writer_batch_records(struct writer_batch *batch);

#endif
