/* A table for people: columns as wide as their widest cell. Main thread. Memory: the table's, until table_finish. */
#ifndef TRIGATE_CORE_CLI_TABLE_H
#define TRIGATE_CORE_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/cli/out.h"

#define TABLE_COLUMNS_MAX 16

struct table_column {
	const char *title;
	bool right; /* numbers stand to the right */
};

struct table_cell {
	char *text;
	enum style style;
};

struct table {
	const struct table_column *column; /* borrowed */
	size_t columns;
	struct table_cell *cell; /* row by row */
	size_t count;
	size_t room;
	bool failed; /* out of memory: the table is not complete */
};

void table_init(struct table *table, const struct table_column *column, size_t columns);
void table_finish(struct table *table);

/* The next cell of the row, left to right; text is copied. */
void table_add(struct table *table, const char *text);
void table_add_styled(struct table *table, enum style style, const char *text);

/* Print titles and rows; nothing at all without rows. Foreign text is made plain. Returns false if memory ran out. */
bool table_print(const struct table *table, FILE *stream);

#endif
