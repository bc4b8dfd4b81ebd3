/* What a batch comes to, by key: a statement may touch a row once only, and a batch may name it often.
 *
 * Of each cycle and order: progress of a row that has to be there already, then the last full row, then progress on
 * that one. Beside them what is referred to and is not in the batch. The memory is kept from batch to batch; the rows
 * are the batch's own. Owner: one instance of the plugin. */
#ifndef TRIGATE_STORAGE_POSTGRES_CHANGES_H
#define TRIGATE_STORAGE_POSTGRES_CHANGES_H

#include <trigate/error.h>
#include <trigate/storage.h>

enum change_kind { CHANGE_CYCLE, CHANGE_ORDER, CHANGE_FILL, CHANGE_EVENT, CHANGE_KINDS };

struct change {
	enum change_kind kind;
	struct tg_str key;    /* cycle, client id, or an event's journal */
	struct tg_str second; /* fill id */
	uint64_t number;      /* an event's position */
	const void *before;   /* progress, of a row that is not in the batch before it; NULL: none */
	const void *row;      /* NULL: none */
	const void *after;    /* progress on row */
	bool referred;        /* by a row of the batch */
};

struct changes {
	struct change *change;
	uint32_t count;
	uint32_t capacity;              /* of change; slots has twice as many */
	uint32_t *slot;                 /* hash table: index + 1 */
	uint32_t slots;                 /* a power of two */
	uint32_t rows[CHANGE_KINDS];    /* changes with a row */
	uint32_t moves[CHANGE_KINDS];   /* with progress before */
	uint32_t outside[CHANGE_KINDS]; /* referred to, and neither */
};

/* TG_ERR_INVALID for a kind that is none, TG_ERR_NO_MEMORY. */
int32_t changes_gather(struct changes *changes, const struct tg_batch *batch, struct tg_error *ret_error);
void changes_free(struct changes *changes);

#endif
