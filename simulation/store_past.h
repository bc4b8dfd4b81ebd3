/* What a simulated store was some time ago: what its last batches changed, so that it can go back behind them, as one
 * does that a standby took over or a backup was restored into. Owner: one simulated store. */
#ifndef TRIGATE_SIMULATION_STORE_PAST_H
#define TRIGATE_SIMULATION_STORE_PAST_H

#include "storage/memory/tables.h"

#define PAST_KEPT_MS 60000 /* so far back a store can go */

struct past_step;

struct past {
	struct past_step *newest, *oldest;
};

/* It begins anew here: there is no way back. Also at its end. */
void past_forget(struct past *past);

/* Apply a batch of that gateway so that it can be taken back. As tables_apply. */
int32_t past_apply(struct past *past, struct tables *tables, const struct tg_batch *batch, uint32_t gateway,
		   int64_t now_ns, struct tg_error *ret_error);

/* Where a gateway's journal stands again. */
typedef void (*past_fn)(void *ctx, uint32_t gateway, uint64_t position);
/* Take back all that was applied at or after from_ns, the newest first. How many batches that were. */
uint32_t past_go_back(struct past *past, struct tables *tables, int64_t from_ns, past_fn fn, void *ctx);

#endif
