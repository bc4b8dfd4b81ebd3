#include "venue/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column_type { COLUMN_SYMBOL, COLUMN_CURRENCY, COLUMN_QUOTE, COLUMN_STEP, COLUMN_NUMBER };

struct column {
	const char *name;
	enum column_type type;
	size_t offset;
};

#define COLUMN(field, type) \
	{ \
#field, type, offsetof(struct csv_row, field) \
	}
static const struct column columns[] = {
	COLUMN(market, COLUMN_SYMBOL),       COLUMN(base, COLUMN_CURRENCY),    COLUMN(quote, COLUMN_CURRENCY),
	COLUMN(bid, COLUMN_QUOTE),           COLUMN(bid_qty, COLUMN_QUOTE),    COLUMN(ask, COLUMN_QUOTE),
	COLUMN(ask_qty, COLUMN_QUOTE),       COLUMN(tick, COLUMN_STEP),        COLUMN(lot, COLUMN_STEP),
	COLUMN(min_notional, COLUMN_NUMBER), COLUMN(taker_bps, COLUMN_NUMBER),
};
#define COLUMN_COUNT (sizeof columns / sizeof columns[0])
#define COLUMN_LIST "market,base,quote,bid,bid_qty,ask,ask_qty,tick,lot,min_notional,taker_bps"

struct reader {
	const char *name;
	int line;
	size_t field_count;
	struct tg_str field[COLUMN_COUNT]; /* of the current line */
	size_t at[COLUMN_COUNT];           /* field index of each column */
	struct csv_markets *markets;
	size_t capacity;
	struct tg_error *error;
};

/* A piece of the file for a message: short and printable. */
static const char *shown(struct tg_str text, char buffer[32])
{
	size_t length = text.len < 28 ? (size_t)text.len : 28;
	for (size_t i = 0; i < length; i++)
		buffer[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? text.ptr[i] : '?';
	snprintf(buffer + length, 4, "%s", text.len > 28 ? "..." : "");
	return buffer;
}

static int32_t refuse(const struct reader *reader, const char *column, const char *what, struct tg_str value)
{
	char text[32];
	if (!value.ptr)
		return tg_error_set(reader->error, TG_ERR_INVALID, "%s:%d: %s%s%s", reader->name, reader->line,
				    column ? column : "", column ? ": " : "", what);
	return tg_error_set(reader->error, TG_ERR_INVALID, "%s:%d: %s: \"%s\" %s", reader->name, reader->line, column,
			    shown(value, text), what);
}

static struct tg_str trim(struct tg_str text)
{
	while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text.ptr++, text.len--;
	while (text.len && strchr(" \t\r", text.ptr[text.len - 1]))
		text.len--;
	return text;
}

/* Cut a line into fields. Returns TG_OK or an error; quoting is not part of the format. */
static int32_t line_split(struct reader *reader, struct tg_str line)
{
	size_t count = 0;
	const char *end = line.ptr + line.len;
	for (const char *start = line.ptr;; count++) {
		const char *comma = memchr(start, ',', (size_t)(end - start));
		const char *stop = comma ? comma : end;
		if (count < COLUMN_COUNT)
			reader->field[count] = trim((struct tg_str){start, (uint64_t)(stop - start)});
		if (!comma)
			break;
		start = comma + 1;
	}
	reader->field_count = count + 1;
	if (reader->field_count == COLUMN_COUNT)
		return TG_OK;
	return tg_error_set(reader->error, TG_ERR_INVALID, "%s:%d: %zu fields, expected %zu: " COLUMN_LIST,
			    reader->name, reader->line, reader->field_count, COLUMN_COUNT);
}

static int32_t header_read(struct reader *reader)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		reader->at[i] = COLUMN_COUNT;
	for (size_t f = 0; f < COLUMN_COUNT; f++) {
		struct tg_str name = reader->field[f];
		size_t c = 0;
		while (c < COLUMN_COUNT &&
		       (strlen(columns[c].name) != name.len || memcmp(columns[c].name, name.ptr, name.len) != 0))
			c++;
		if (c == COLUMN_COUNT)
			return refuse(reader, "header", "is no column; they are " COLUMN_LIST, name);
		if (reader->at[c] != COLUMN_COUNT)
			return refuse(reader, "header", "comes twice", name);
		reader->at[c] = f;
	}
	return TG_OK;
}

/* Names go into logs, ledgers and JSON: visible ASCII without quote and backslash, so that no writer has to escape. */
static int32_t name_read(const struct reader *reader, const struct column *column, struct tg_str text, char *ret_name)
{
	size_t room = column->type == COLUMN_SYMBOL ? CSV_SYMBOL_MAX : CSV_CURRENCY_MAX;
	if (!text.len)
		return refuse(reader, column->name, "is empty", (struct tg_str){0});
	if (text.len >= room)
		return refuse(reader, column->name,
			      column->type == COLUMN_SYMBOL ? "is longer than 47 characters"
							    : "is longer than 23 characters",
			      text);
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || text.ptr[i] == '"' || text.ptr[i] == '\\')
			return refuse(reader, column->name, "holds a character that a name may not hold", text);
	memcpy(ret_name, text.ptr, text.len);
	ret_name[text.len] = '\0';
	return TG_OK;
}

static int32_t number_read(const struct reader *reader, const struct column *column, struct tg_str text,
			   struct tg_decimal *ret_value)
{
	struct tg_decimal value = {0};
	if (!text.len && column->type != COLUMN_QUOTE)
		return refuse(reader, column->name, "is empty, expected a number", (struct tg_str){0});
	int32_t status = text.len ? tg_decimal_parse(text, &value) : TG_OK;
	if (status == TG_ERR_OVERFLOW)
		return refuse(reader, column->name, "has too many digits (18 at most)", text);
	if (status != TG_OK)
		return refuse(reader, column->name, "is not a decimal number", text);
	if (value.mantissa < 0)
		return refuse(reader, column->name, "is negative", text);
	if (column->type == COLUMN_STEP && value.mantissa == 0)
		return refuse(reader, column->name, "must be above 0", text);
	*ret_value = value;
	return TG_OK;
}

static int32_t row_read(const struct reader *reader, struct csv_row *ret_row)
{
	*ret_row = (struct csv_row){.line = reader->line};
	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		const struct column *column = &columns[c];
		struct tg_str text = reader->field[reader->at[c]];
		char *target = (char *)ret_row + column->offset;
		int32_t status = column->type <= COLUMN_CURRENCY
					 ? name_read(reader, column, text, target)
					 : number_read(reader, column, text, (struct tg_decimal *)(void *)target);
		if (status != TG_OK)
			return status;
	}
	if (strcmp(ret_row->base, ret_row->quote) == 0)
		return refuse(reader, "quote", "is the base currency too", reader->field[reader->at[2]]);
	if (tg_decimal_compare(ret_row->taker_bps, (struct tg_decimal){10000, 0, 0}) >= 0)
		return refuse(reader, "taker_bps", "must be under 10000", reader->field[reader->at[COLUMN_COUNT - 1]]);
	return TG_OK;
}

static int32_t row_append(struct reader *reader, const struct csv_row *row)
{
	struct csv_markets *markets = reader->markets;
	if (markets->count == CSV_ROWS_MAX)
		return tg_error_set(reader->error, TG_ERR_LIMIT, "%s:%d: more than %d markets", reader->name,
				    reader->line, CSV_ROWS_MAX);
	if (markets->count == reader->capacity) {
		size_t capacity = reader->capacity ? 2 * reader->capacity : 256;
		struct csv_row *grown = realloc(markets->row, capacity * sizeof *grown);
		if (!grown)
			return tg_error_set(reader->error, TG_ERR_NO_MEMORY, "%s: out of memory", reader->name);
		markets->row = grown;
		reader->capacity = capacity;
	}
	markets->row[markets->count++] = *row;
	return TG_OK;
}

static int row_compare(const void *left, const void *right)
{
	const struct csv_row *const *a = left;
	const struct csv_row *const *b = right;
	int order = strcmp((*a)->market, (*b)->market);
	return order ? order : (*a)->line - (*b)->line;
}

static int32_t refuse_twins(struct reader *reader)
{
	const struct csv_markets *markets = reader->markets;
	const struct csv_row **sorted = malloc(markets->count * sizeof *sorted);
	int32_t status = TG_OK;
	if (!sorted)
		return tg_error_set(reader->error, TG_ERR_NO_MEMORY, "%s: out of memory", reader->name);
	for (size_t i = 0; i < markets->count; i++)
		sorted[i] = &markets->row[i];
	qsort(sorted, markets->count, sizeof *sorted, row_compare);
	for (size_t i = 1; i < markets->count && status == TG_OK; i++)
		if (strcmp(sorted[i - 1]->market, sorted[i]->market) == 0)
			status = tg_error_set(reader->error, TG_ERR_INVALID,
					      "%s:%d: market: \"%s\" comes again, first in line %d", reader->name,
					      sorted[i]->line, sorted[i]->market, sorted[i - 1]->line);
	free(sorted);
	return status;
}

static int32_t line_read(struct reader *reader, struct tg_str line, bool *header_seen)
{
	struct csv_row row;
	int32_t status = line_split(reader, line);
	if (status == TG_OK && !*header_seen) {
		*header_seen = true;
		return header_read(reader);
	}
	if (status == TG_OK)
		status = row_read(reader, &row);
	return status == TG_OK ? row_append(reader, &row) : status;
}

static int32_t lines_read(struct reader *reader, const char *text, size_t size)
{
	bool header_seen = false;
	const char *end = text + size;
	for (const char *start = text; start < end;) {
		const char *newline = memchr(start, '\n', (size_t)(end - start));
		const char *stop = newline ? newline : end;
		struct tg_str line = trim((struct tg_str){start, (uint64_t)(stop - start)});
		reader->line++;
		if (line.len && line.ptr[0] != '#') {
			int32_t status = line_read(reader, line, &header_seen);
			if (status != TG_OK)
				return status;
		}
		start = newline ? newline + 1 : end;
	}
	if (!reader->markets->count)
		return tg_error_set(reader->error, TG_ERR_INVALID,
				    "%s: no market; expected a header " COLUMN_LIST " and rows", reader->name);
	return refuse_twins(reader);
}

int32_t csv_markets_parse(const char *name, const char *text, size_t size, struct csv_markets *ret_markets,
			  struct tg_error *ret_error)
{
	struct csv_markets markets = {0};
	struct reader reader = {.name = name, .markets = &markets, .error = ret_error};
	int32_t status = lines_read(&reader, text, size);
	if (status == TG_OK)
		*ret_markets = markets;
	else
		csv_markets_clear(&markets);
	return status;
}

int32_t csv_markets_read(const char *path, struct csv_markets *ret_markets, struct tg_error *ret_error)
{
	char *text = malloc(CSV_FILE_MAX + 1);
	FILE *file = text ? fopen(path, "re") : NULL;
	int32_t status = TG_OK;
	if (!text)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s: out of memory", path);
	if (!file)
		status = tg_error_set(ret_error, TG_ERR_IO, "%s: %s", path, strerror(errno));
	size_t size = file ? fread(text, 1, CSV_FILE_MAX + 1, file) : 0;
	if (file && ferror(file))
		status = tg_error_set(ret_error, TG_ERR_IO, "%s: %s", path, strerror(errno));
	if (size > CSV_FILE_MAX)
		status = tg_error_set(ret_error, TG_ERR_LIMIT, "%s: larger than %d bytes", path, CSV_FILE_MAX);
	if (status == TG_OK)
		status = csv_markets_parse(path, text, size, ret_markets, ret_error);
	if (file)
		fclose(file);
	free(text);
	return status;
}

void csv_markets_clear(struct csv_markets *markets)
{
	free(markets->row);
	*markets = (struct csv_markets){0};
}
