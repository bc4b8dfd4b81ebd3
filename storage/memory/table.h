/* Rows of one kind in the order of their key, each a copy of its own. Not locked: memory.c does that. */
#ifndef TRIGATE_STORAGE_MEMORY_TABLE_H
#define TRIGATE_STORAGE_MEMORY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <trigate/error.h>
#include <trigate/storage.h>

/* A row's place: text (of an event: its journal), a second text for fills, a number for events. */
struct key {
	struct tg_str first;
	struct tg_str second;
	uint64_t number;
};

struct table {
	void **rows;
	size_t count;
	size_t capacity;
};

struct key key_of(int32_t kind, const void *row);
int key_compare(struct key a, struct key b);
int text_compare(struct tg_str a, struct tg_str b); /* by bytes, the shorter first */

/* A copy with its texts in one allocation; free() it. NULL: out of memory. */
void *row_copy(int32_t kind, const void *row);

uint64_t row_size(int32_t kind, const void *row); /* bytes that its copy takes */

/* The kind of row that a record of this kind changes: its own, or what its progress is of. */
int32_t row_kind(int32_t kind);
/* A copy of the row, brought forward by its progress of that kind. NULL: out of memory. */
void *row_progressed(int32_t progress_kind, const void *row, const void *progress);

/* Texts without NUL, decimals of scale 0 to 18, numbers whose negative exists (as stores that keep text demand), a kind
 * that is known. */
int32_t row_check(int32_t kind, const void *row, struct tg_error *ret_error);

/* Index of the first row whose key is at least, or with `behind` greater than, the given one. */
size_t table_find(const struct table *table, int32_t kind, struct key key, bool behind);
const void *table_get(const struct table *table, int32_t kind, struct key key); /* NULL: absent */

int32_t table_reserve(struct table *table, size_t more); /* TG_OK or TG_ERR_NO_MEMORY */
/* Takes the row; room must be reserved. Returns the one of its key that was there, the caller's now; NULL: none. */
void *table_put(struct table *table, int32_t kind, void *row);
void *table_take(struct table *table, int32_t kind, struct key key); /* out of it, the caller's now; NULL: absent */
/* Drops the rows that are not to be kept. */
void table_filter(struct table *table, bool (*keep)(const void *ctx, const void *row), const void *ctx);
void table_clear(struct table *table);

#endif
