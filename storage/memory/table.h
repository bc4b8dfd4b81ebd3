/* Rows of one kind in the order of their key, each a copy of its own. Not locked: memory.c does that. */
#ifndef TRIGATE_STORAGE_MEMORY_TABLE_H
#define TRIGATE_STORAGE_MEMORY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <trigate/error.h>
#include <trigate/storage.h>

/* A row's place: text, a second text for fills, a number for events. */
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

/* Texts without NUL, decimals of scale 0 to 18, numbers whose negative exists (as stores that keep text demand), a kind
 * that is known. */
int32_t row_check(int32_t kind, const void *row, struct tg_error *ret_error);

/* Index of the first row whose key is at least, or with `behind` greater than, the given one. */
size_t table_find(const struct table *table, int32_t kind, struct key key, bool behind);
const void *table_get(const struct table *table, int32_t kind, struct key key); /* NULL: absent */

int32_t table_reserve(struct table *table, size_t more);      /* TG_OK or TG_ERR_NO_MEMORY */
void table_put(struct table *table, int32_t kind, void *row); /* takes the row; room must be reserved */
void table_clear(struct table *table);

#endif
