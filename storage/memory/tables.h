/* All rows of a store in memory, with the positions of the journals that they come from: what storage/memory and the
 * simulated store share. Owner: one store; not locked. */
#ifndef TRIGATE_STORAGE_MEMORY_TABLES_H
#define TRIGATE_STORAGE_MEMORY_TABLES_H

#include "storage/memory/table.h"

struct tables {
	struct table of[TG_ROW_EVENT + 1]; /* by kind */
	struct tables_position {
		char *journal;
		uint64_t position;
	} * positions;
	size_t position_count;
};

void tables_finish(struct tables *tables);

/* As the functions of struct tg_storage_api. */
int32_t tables_apply(struct tables *tables, const struct tg_batch *batch, struct tg_error *ret_error);
int32_t tables_load(const struct tables *tables, const struct tg_load *what, tg_row_fn fn, void *ctx,
		    struct tg_error *ret_error);
uint64_t tables_position(const struct tables *tables, struct tg_str journal);
int32_t tables_cleanup(struct tables *tables, int64_t before_ns, uint32_t limit, struct tg_error *ret_error);
/* The counts of rows; the rest of it is the caller's. */
void tables_status(const struct tables *tables, struct tg_storage_status *ret_status);
/* As much of it as the caller's struct holds. */
void status_pass(const struct tg_storage_status *all, struct tg_storage_status *ret_status);

/* Is this a request that a store can answer? TG_OK or TG_ERR_INVALID. */
int32_t load_check(const struct tg_load *what, struct tg_error *ret_error);

#endif
