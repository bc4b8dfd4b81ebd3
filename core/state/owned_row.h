/* A row of the storage ABI with its text, in one piece of memory of its own that is never changed, only replaced; who
 * holds one counts as a reference. Owner: whoever made it; those of the cache are counted under its lock. */
#ifndef TRIGATE_CORE_STATE_OWNED_ROW_H
#define TRIGATE_CORE_STATE_OWNED_ROW_H

#include <stdbool.h>

#include <trigate/storage.h>

struct owned_row {
	uint32_t references;
	int32_t kind; /* TG_ROW_ */
	union {
		struct tg_cycle_row cycle;
		struct tg_order_row order;
		struct tg_fill_row fill;
		struct tg_event_row event;
		struct tg_cycle_progress cycle_progress;
		struct tg_order_progress order_progress;
	};
	/* its text follows; only the kind's own struct of the union is there */
};

union progress_row {
	struct tg_cycle_progress cycle;
	struct tg_order_progress order;
};

/* A copy with one reference. NULL: no memory. */
struct owned_row *owned_row_copy(const struct tg_record *record);
struct owned_row *owned_row_take(struct owned_row *row);
void owned_row_give(struct owned_row *row); /* the last one frees it; NULL is allowed */

/* A full row as it is after this progress of the same key. NULL: no memory. */
struct owned_row *owned_row_advance(const struct owned_row *full, const struct tg_record *progress);
/* The other way round: what a full row says that progress tells. Its text is the row's. Returns its kind. */
int32_t owned_row_progress(const struct owned_row *full, union progress_row *ret_progress);

static inline bool row_kind_is_progress(int32_t kind)
{
	return kind == TG_ROW_CYCLE_PROGRESS || kind == TG_ROW_ORDER_PROGRESS;
}

/* Do they have the same key? One may be a full row and the other its progress. */
bool row_same_key(const struct owned_row *row, const struct tg_record *record);

#endif
