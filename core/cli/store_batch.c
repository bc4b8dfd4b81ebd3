#include "core/cli/store_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <trigate/error.h>

#define ATTEMPTS 5
#define PAUSE_NS 200000000

/* ------------------------------------------------------------ copies of rows */

#define TEXTS_MAX 9
#define C(member) offsetof(struct tg_cycle_row, member)
#define O(member) offsetof(struct tg_order_row, member)
#define F(member) offsetof(struct tg_fill_row, member)
#define E(member) offsetof(struct tg_event_row, member)

/* Where a row's texts are; the rest is copied as it stands. */
static const struct layout {
	size_t size;
	size_t texts;
	size_t text[TEXTS_MAX];
} layouts[] = {
	[TG_ROW_CYCLE] = {sizeof(struct tg_cycle_row),
			  8,
			  {C(id), C(strategy), C(exchange), C(state), C(route), C(currency), C(deltas), C(reason)}},
	[TG_ROW_ORDER] = {sizeof(struct tg_order_row),
			  7,
			  {O(client_id), O(cycle_id), O(exchange_id), O(market), O(state), O(purpose), O(reason)}},
	[TG_ROW_FILL] = {sizeof(struct tg_fill_row), 3, {F(client_id), F(fill_id), F(fee_currency)}},
	[TG_ROW_EVENT] = {sizeof(struct tg_event_row), 5, {E(journal), E(kind), E(cycle_id), E(client_id), E(text)}},
};

static const struct tg_str *text_at(const void *row, size_t offset)
{
	return (const struct tg_str *)(const void *)((const char *)row + offset);
}

/* The row and its texts in one piece. */
static void *row_copy(int32_t kind, const void *row)
{
	const struct layout *layout = &layouts[kind];
	size_t size = layout->size;

	for (size_t i = 0; i < layout->texts; i++)
		size += text_at(row, layout->text[i])->len;
	char *copy = malloc(size);
	if (!copy)
		return NULL;
	char *end = copy + layout->size;
	memcpy(copy, row, layout->size);
	for (size_t i = 0; i < layout->texts; i++) {
		struct tg_str text = *text_at(row, layout->text[i]);
		if (text.len > 0)
			memcpy(end, text.ptr, text.len);
		text.ptr = end;
		memcpy(copy + layout->text[i], &text, sizeof text);
		end += text.len;
	}
	return copy;
}

/* ------------------------------------------------------------ batches */

static void rows_forget(struct store_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		free((void *)batch->record[i].row);
	batch->count = 0;
}

int store_batch_begin(struct store_batch *batch, const struct tg_storage_api *api, void *self, struct tg_str journal,
		      struct tg_error *ret_error)
{
	batch->api = api;
	batch->self = self;
	batch->count = 0;
	batch->position = 0;
	snprintf(batch->journal, sizeof batch->journal, "%.*s", (int)journal.len, journal.ptr);
	return api->stored_position(self, (struct tg_str){batch->journal, strlen(batch->journal)}, &batch->stored,
				    ret_error);
}

int store_batch_apply(struct store_batch *batch, struct tg_error *ret_error)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	const struct tg_batch rows = {.size = sizeof rows,
				      .count = batch->count,
				      .records = batch->record,
				      .position = batch->position,
				      .journal = {batch->journal, strlen(batch->journal)}};
	int status = batch->count > 0 ? batch->api->apply(batch->self, &rows, ret_error) : TG_OK;

	/* its position makes a repetition harmless */
	for (int attempt = 1; attempt < ATTEMPTS && tg_status_may_pass(status); attempt++) {
		nanosleep(&pause, NULL);
		status = batch->api->apply(batch->self, &rows, ret_error);
	}
	rows_forget(batch);
	return status < 0 ? status : TG_OK;
}

int store_batch_add(struct store_batch *batch, int32_t kind, const void *row, struct tg_error *ret_error)
{
	if (++batch->position <= batch->stored)
		return TG_OK;
	void *copy = row_copy(kind, row);
	if (!copy)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	batch->record[batch->count++] = (struct tg_record){.kind = kind, .row = copy};
	return batch->count == STORE_BATCH_ROWS ? store_batch_apply(batch, ret_error) : TG_OK;
}

void store_batch_finish(struct store_batch *batch)
{
	rows_forget(batch);
}
