#include "storage/memory/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX 9
#define DECIMALS_MAX 3
#define MONEYS_MAX 5

/* Where the texts and decimals of a row are, so that one function copies and one checks every kind. */
struct layout {
	size_t size;
	uint32_t text_count;
	uint32_t decimal_count;
	uint32_t money_count;
	size_t text[TEXTS_MAX];
	size_t decimal[DECIMALS_MAX];
	size_t money[MONEYS_MAX];
};

#define CYCLE(field) offsetof(struct tg_cycle_row, field)
#define ORDER(field) offsetof(struct tg_order_row, field)
#define FILL(field) offsetof(struct tg_fill_row, field)
#define EVENT(field) offsetof(struct tg_event_row, field)
#define CYCLE_P(field) offsetof(struct tg_cycle_progress, field)
#define ORDER_P(field) offsetof(struct tg_order_progress, field)

static const struct layout layouts[] = {
	[TG_ROW_CYCLE] = {sizeof(struct tg_cycle_row),
			  8,
			  0,
			  5,
			  {CYCLE(id), CYCLE(strategy), CYCLE(exchange), CYCLE(state), CYCLE(route), CYCLE(currency),
			   CYCLE(deltas), CYCLE(reason)},
			  {0},
			  {CYCLE(planned_in), CYCLE(planned_out), CYCLE(amount_in), CYCLE(amount_out), CYCLE(profit)}},
	[TG_ROW_ORDER] = {sizeof(struct tg_order_row),
			  7,
			  3,
			  1,
			  {ORDER(client_id), ORDER(cycle_id), ORDER(exchange_id), ORDER(market), ORDER(state),
			   ORDER(purpose), ORDER(reason)},
			  {ORDER(price), ORDER(qty), ORDER(filled_qty)},
			  {ORDER(filled_quote)}},
	[TG_ROW_FILL] = {sizeof(struct tg_fill_row),
			 3,
			 3,
			 0,
			 {FILL(client_id), FILL(fill_id), FILL(fee_currency)},
			 {FILL(price), FILL(qty), FILL(fee)},
			 {0}},
	[TG_ROW_EVENT] = {sizeof(struct tg_event_row),
			  5,
			  0,
			  0,
			  {EVENT(journal), EVENT(kind), EVENT(cycle_id), EVENT(client_id), EVENT(text)},
			  {0},
			  {0}},
	[TG_ROW_CYCLE_PROGRESS] = {sizeof(struct tg_cycle_progress),
				   4,
				   0,
				   3,
				   {CYCLE_P(id), CYCLE_P(state), CYCLE_P(deltas), CYCLE_P(reason)},
				   {0},
				   {CYCLE_P(amount_in), CYCLE_P(amount_out), CYCLE_P(profit)}},
	[TG_ROW_ORDER_PROGRESS] = {sizeof(struct tg_order_progress),
				   4,
				   1,
				   1,
				   {ORDER_P(client_id), ORDER_P(exchange_id), ORDER_P(state), ORDER_P(reason)},
				   {ORDER_P(filled_qty)},
				   {ORDER_P(filled_quote)}},
};

static const struct tg_str *row_text(const struct layout *layout, const void *row, uint32_t index)
{
	return (const struct tg_str *)((const char *)row + layout->text[index]);
}

int text_compare(struct tg_str a, struct tg_str b)
{
	uint64_t shared = a.len < b.len ? a.len : b.len;
	int order = shared > 0 ? memcmp(a.ptr, b.ptr, shared) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int key_compare(struct key a, struct key b)
{
	int order = text_compare(a.first, b.first);

	if (order == 0)
		order = text_compare(a.second, b.second);
	return order != 0 ? order : (a.number > b.number) - (a.number < b.number);
}

struct key key_of(int32_t kind, const void *row)
{
	const struct tg_fill_row *fill = row;
	const struct tg_event_row *event = row;

	switch (kind) {
	case TG_ROW_CYCLE: return (struct key){.first = ((const struct tg_cycle_row *)row)->id};
	case TG_ROW_ORDER: return (struct key){.first = ((const struct tg_order_row *)row)->client_id};
	case TG_ROW_FILL: return (struct key){.first = fill->client_id, .second = fill->fill_id};
	case TG_ROW_CYCLE_PROGRESS: return (struct key){.first = ((const struct tg_cycle_progress *)row)->id};
	case TG_ROW_ORDER_PROGRESS: return (struct key){.first = ((const struct tg_order_progress *)row)->client_id};
	default: return (struct key){.first = event->journal, .number = event->position};
	}
}

uint64_t row_size(int32_t kind, const void *row)
{
	const struct layout *layout = &layouts[kind];
	uint64_t size = layout->size;

	for (uint32_t i = 0; i < layout->text_count; i++)
		size += row_text(layout, row, i)->len;
	return size;
}

void *row_copy(int32_t kind, const void *row)
{
	const struct layout *layout = &layouts[kind];
	char *copy = malloc(row_size(kind, row));
	if (!copy)
		return NULL;
	memcpy(copy, row, layout->size);
	char *texts = copy + layout->size;
	for (uint32_t i = 0; i < layout->text_count; i++) {
		struct tg_str *text = (struct tg_str *)(copy + layout->text[i]);
		if (text->len > 0)
			memcpy(texts, text->ptr, text->len);
		text->ptr = texts;
		texts += text->len;
	}
	return copy;
}

int32_t row_kind(int32_t kind)
{
	switch (kind) {
	case TG_ROW_CYCLE_PROGRESS: return TG_ROW_CYCLE;
	case TG_ROW_ORDER_PROGRESS: return TG_ROW_ORDER;
	default: return kind;
	}
}

void *row_progressed(int32_t progress_kind, const void *row, const void *progress)
{
	if (progress_kind == TG_ROW_CYCLE_PROGRESS) {
		struct tg_cycle_row cycle = *(const struct tg_cycle_row *)row;
		tg_cycle_row_advance(&cycle, progress);
		return row_copy(TG_ROW_CYCLE, &cycle);
	}
	struct tg_order_row order = *(const struct tg_order_row *)row;
	tg_order_row_advance(&order, progress);
	return row_copy(TG_ROW_ORDER, &order);
}

int32_t row_check(int32_t kind, const void *row, struct tg_error *ret_error)
{
	if (kind < TG_ROW_CYCLE || kind > TG_ROW_ORDER_PROGRESS)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a record of kind %d, which this store does not know",
				    kind);
	const struct layout *layout = &layouts[kind];
	for (uint32_t i = 0; i < layout->text_count; i++) {
		const struct tg_str *text = row_text(layout, row, i);
		if (text->len > 0 && memchr(text->ptr, '\0', text->len))
			return tg_error_set(ret_error, TG_ERR_INVALID, "a text holds a NUL byte");
	}
	for (uint32_t i = 0; i < layout->decimal_count; i++) {
		const struct tg_decimal *value = (const struct tg_decimal *)((const char *)row + layout->decimal[i]);
		if (value->scale < 0 || value->scale > TG_AMOUNT_SCALE)
			return tg_error_set(ret_error, TG_ERR_INVALID, "a decimal of scale %d; 0 to %d are allowed",
					    value->scale, TG_AMOUNT_SCALE);
	}
	for (uint32_t i = 0; i < layout->decimal_count; i++)
		if (((const struct tg_decimal *)((const char *)row + layout->decimal[i]))->mantissa == INT64_MIN)
			return tg_error_set(ret_error, TG_ERR_OVERFLOW, "a decimal below -(2^63 - 1)");
	for (uint32_t i = 0; i < layout->money_count; i++) {
		const struct tg_money *money = (const struct tg_money *)((const char *)row + layout->money[i]);
		if (money->hi == INT64_MIN && money->lo == 0)
			return tg_error_set(ret_error, TG_ERR_OVERFLOW, "an amount below -(2^127 - 1)");
	}
	if (kind == TG_ROW_EVENT && ((const struct tg_event_row *)row)->position > INT64_MAX)
		return tg_error_set(ret_error, TG_ERR_OVERFLOW, "an event's position exceeds 2^63 - 1");
	return TG_OK;
}

size_t table_find(const struct table *table, int32_t kind, struct key key, bool behind)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = key_compare(key_of(kind, table->rows[middle]), key);
		if (order < 0 || (behind && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const void *table_get(const struct table *table, int32_t kind, struct key key)
{
	size_t at = table_find(table, kind, key, false);

	return at < table->count && key_compare(key_of(kind, table->rows[at]), key) == 0 ? table->rows[at] : NULL;
}

int32_t table_reserve(struct table *table, size_t more)
{
	size_t capacity = table->capacity ? table->capacity : 64;

	if (table->capacity - table->count >= more)
		return TG_OK;
	while (capacity < table->count + more)
		capacity *= 2;
	void **rows = reallocarray(table->rows, capacity, sizeof *rows);
	if (!rows)
		return TG_ERR_NO_MEMORY;
	table->rows = rows;
	table->capacity = capacity;
	return TG_OK;
}

void *table_put(struct table *table, int32_t kind, void *row)
{
	struct key key = key_of(kind, row);
	size_t at = table_find(table, kind, key, false);
	void *before = NULL;

	if (at < table->count && key_compare(key_of(kind, table->rows[at]), key) == 0) {
		before = table->rows[at];
	} else {
		assert(table->count < table->capacity);
		memmove(table->rows + at + 1, table->rows + at, (table->count - at) * sizeof *table->rows);
		table->count++;
	}
	table->rows[at] = row;
	return before;
}

void *table_take(struct table *table, int32_t kind, struct key key)
{
	size_t at = table_find(table, kind, key, false);

	if (at == table->count || key_compare(key_of(kind, table->rows[at]), key) != 0)
		return NULL;
	void *row = table->rows[at];
	table->count--;
	memmove(table->rows + at, table->rows + at + 1, (table->count - at) * sizeof *table->rows);
	return row;
}

void table_filter(struct table *table, bool (*keep)(const void *ctx, const void *row), const void *ctx)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (keep(ctx, table->rows[i]))
			table->rows[kept++] = table->rows[i];
		else
			free(table->rows[i]);
	}
	table->count = kept;
}

void table_clear(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->rows[i]);
	free(table->rows);
	*table = (struct table){0};
}
