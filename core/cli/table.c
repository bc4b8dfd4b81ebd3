#include "core/cli/table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/text.h"

#define GAP 2
#define ROOM_FIRST 256

void table_init(struct table *table, const struct table_column *column, size_t columns)
{
	assert(columns > 0 && columns <= TABLE_COLUMNS_MAX);
	*table = (struct table){.column = column, .columns = columns};
}

void table_finish(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cell[i].text);
	free(table->cell);
	*table = (struct table){0};
}

static bool table_grow(struct table *table)
{
	if (table->count < table->room)
		return true;
	size_t room = table->room ? table->room * 2 : ROOM_FIRST;
	struct table_cell *cell = realloc(table->cell, room * sizeof *cell);
	if (!cell)
		return false;
	table->cell = cell;
	table->room = room;
	return true;
}

void table_add_styled(struct table *table, enum style style, const char *text)
{
	char *copy = table->failed || !table_grow(table) ? NULL : strdup(text);
	if (!copy) {
		table->failed = true;
		return;
	}
	table->cell[table->count++] = (struct table_cell){copy, style};
}

void table_add(struct table *table, const char *text)
{
	table_add_styled(table, STYLE_NONE, text);
}

static void measure(const struct table *table, size_t width[TABLE_COLUMNS_MAX])
{
	for (size_t i = 0; i < table->columns; i++)
		width[i] = text_columns(table->column[i].title);
	for (size_t i = 0; i < table->count; i++) {
		size_t wide = text_columns(table->cell[i].text);
		if (wide > width[i % table->columns])
			width[i % table->columns] = wide;
	}
}

/* One cell and the gap behind it. Nothing is padded at the end of a line. */
static void print_cell(const struct table *table, FILE *stream, size_t at, size_t width, struct table_cell cell)
{
	bool last = at + 1 == table->columns;
	int pad = (int)(width - text_columns(cell.text));
	if (table->column[at].right)
		fprintf(stream, "%*s", pad, "");
	if (cell.style != STYLE_NONE)
		fputs(out_style(stream, cell.style), stream);
	out_plain(stream, cell.text);
	if (cell.style != STYLE_NONE)
		fputs(out_style(stream, STYLE_NONE), stream);
	if (!last)
		fprintf(stream, "%*s", GAP + (table->column[at].right ? 0 : pad), "");
	else
		fputc('\n', stream);
}

bool table_print(const struct table *table, FILE *stream)
{
	size_t width[TABLE_COLUMNS_MAX];
	if (table->failed)
		return false;
	assert(table->count % table->columns == 0);
	if (table->count == 0)
		return true;
	measure(table, width);
	for (size_t i = 0; i < table->columns; i++)
		print_cell(table, stream, i, width[i],
			   (struct table_cell){(char *)(uintptr_t)table->column[i].title, STYLE_BOLD});
	for (size_t i = 0; i < table->count; i++)
		print_cell(table, stream, i % table->columns, width[i % table->columns], table->cell[i]);
	return true;
}
