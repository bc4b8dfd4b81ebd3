#include "core/state/writer_batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A row's key: kind and one or two texts. */
struct row_key {
	int32_t kind;
	const char *first;
	const char *second;
};

static struct row_key row_key(const struct row *row)
{
	switch (row->kind) {
	case TG_ROW_CYCLE: return (struct row_key){row->kind, row->cycle.id, ""};
	case TG_ROW_ORDER: return (struct row_key){row->kind, row->order.client_id, ""};
	default:
		assert(row->kind == TG_ROW_FILL);
		return (struct row_key){row->kind, row->fill.client_id, row->fill.fill_id};
	}
}

static bool key_equal(struct row_key a, struct row_key b)
{
	return a.kind == b.kind && strcmp(a.first, b.first) == 0 && strcmp(a.second, b.second) == 0;
}

/* FNV-1a, 64 bits, folded (http://www.isthe.com/chongo/tech/comp/fnv/). */
static uint32_t key_hash(struct row_key key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)key.kind;

	for (const char *at = key.first; *at; at++)
		hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
	hash *= UINT64_C(0x100000001b3);
	for (const char *at = key.second; *at; at++)
		hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ (hash >> 32));
}

/* Where in the index the key is, or would be. There is always a free place: the index is twice the capacity. */
static uint32_t index_find(const struct writer_batch *batch, struct row_key key)
{
	uint32_t at = key_hash(key) & batch->index_mask;

	while (batch->index[at] != 0 && !key_equal(row_key(&batch->rows[batch->index[at] - 1]), key))
		at = (at + 1) & batch->index_mask;
	return at;
}

static void index_fill(struct writer_batch *batch)
{
	memset(batch->index, 0, ((size_t)batch->index_mask + 1) * sizeof *batch->index);
	for (uint32_t i = 0; i < batch->count; i++)
		batch->index[index_find(batch, row_key(&batch->rows[i]))] = i + 1;
}

static void *grown(void *memory, uint32_t count, size_t item_size)
{
	return reallocarray(memory, count, item_size);
}

/* Each array that could be had is kept, for the old one is gone; `capacity` moves only when all were. */
static int batch_reserve(struct writer_batch *batch, uint32_t capacity)
{
	void *rows = grown(batch->rows, capacity, sizeof *batch->rows);
	if (!rows)
		return TG_ERR_NO_MEMORY;
	batch->rows = rows;
	void *records = grown(batch->records, capacity, sizeof *batch->records);
	if (!records)
		return TG_ERR_NO_MEMORY;
	batch->records = records;
	void *api_rows = grown(batch->api_rows, capacity, sizeof *batch->api_rows);
	if (!api_rows)
		return TG_ERR_NO_MEMORY;
	batch->api_rows = api_rows;
	uint32_t *index = calloc((size_t)capacity * 2, sizeof *index);
	if (!index)
		return TG_ERR_NO_MEMORY;
	free(batch->index);
	batch->index = index;
	batch->index_mask = capacity * 2 - 1;
	batch->capacity = capacity;
	index_fill(batch);
	return 0;
}

int writer_batch_init(struct writer_batch *batch, uint32_t rows)
{
	uint32_t capacity = 16;

	while (capacity < rows)
		capacity *= 2;
	*batch = (struct writer_batch){0};
	int status = batch_reserve(batch, capacity);
	if (status != 0)
		writer_batch_finish(batch);
	return status;
}

void writer_batch_finish(struct writer_batch *batch)
{
	free(batch->rows);
	free(batch->records);
	free(batch->api_rows);
	free(batch->index);
	*batch = (struct writer_batch){0};
}

void writer_batch_clear(struct writer_batch *batch)
{
	batch->count = 0;
	batch->urgent = false;
	memset(batch->index, 0, ((size_t)batch->index_mask + 1) * sizeof *batch->index);
}

int writer_batch_add(struct writer_batch *batch, const struct row *row)
{
	uint32_t at = index_find(batch, row_key(row));

	if (batch->index[at] == 0) {
		if (batch->count == batch->capacity) {
			int status = batch_reserve(batch, batch->capacity * 2);
			if (status != 0)
				return status;
			at = index_find(batch, row_key(row));
		}
		batch->index[at] = ++batch->count;
	}
	batch->rows[batch->index[at] - 1] = *row;
	batch->urgent |= row->urgent;
	return 0;
}

/* ------------------------------------------------------------------ rows */

static struct tg_str text_of(const char *text, size_t size)
{
	return (struct tg_str){text, strnlen(text, size)};
}
#define TEXT(array) text_of((array), sizeof(array))

static void cycle_show(const struct row_cycle *row, struct tg_cycle_row *ret_row)
{
	*ret_row = (struct tg_cycle_row){
		.size = sizeof *ret_row,
		.step = row->step,
		.id = TEXT(row->id),
		.strategy = TEXT(row->strategy),
		.exchange = TEXT(row->exchange),
		.state = TEXT(row->state),
		.route = TEXT(row->route),
		.currency = TEXT(row->currency),
		.planned_in = tg_money_of(row->planned_in),
		.planned_out = tg_money_of(row->planned_out),
		.amount_in = tg_money_of(row->amount_in),
		.amount_out = tg_money_of(row->amount_out),
		.profit = tg_money_of(row->profit),
		.deltas = TEXT(row->deltas),
		.reason = TEXT(row->reason),
		.opened_ns = row->opened_ns,
		.closed_ns = row->closed_ns,
	};
}

static void order_show(const struct row_order *row, struct tg_order_row *ret_row)
{
	*ret_row = (struct tg_order_row){
		.size = sizeof *ret_row,
		.side = row->side,
		.client_id = TEXT(row->client_id),
		.cycle_id = TEXT(row->cycle_id),
		.exchange_id = TEXT(row->exchange_id),
		.market = TEXT(row->market),
		.state = TEXT(row->state),
		.purpose = TEXT(row->purpose),
		.reason = TEXT(row->reason),
		.leg = row->leg,
		.attempt = row->attempt,
		.time_in_force = row->time_in_force,
		.price = row->price,
		.qty = row->qty,
		.filled_qty = row->filled_qty,
		.filled_quote = tg_money_of(row->filled_quote),
		.created_ns = row->created_ns,
		.updated_ns = row->updated_ns,
	};
}

static void fill_show(const struct row_fill *row, struct tg_fill_row *ret_row)
{
	*ret_row = (struct tg_fill_row){
		.size = sizeof *ret_row,
		.client_id = TEXT(row->client_id),
		.fill_id = TEXT(row->fill_id),
		.price = row->price,
		.qty = row->qty,
		.fee = row->fee,
		.fee_currency = TEXT(row->fee_currency),
		.time_ns = row->time_ns,
	};
}

const struct tg_record *writer_batch_records(struct writer_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct row *row = &batch->rows[i];
		if (row->kind == TG_ROW_CYCLE)
			cycle_show(&row->cycle, &batch->api_rows[i].cycle);
		else if (row->kind == TG_ROW_ORDER)
			order_show(&row->order, &batch->api_rows[i].order);
		else
			fill_show(&row->fill, &batch->api_rows[i].fill);
		batch->records[i] = (struct tg_record){.kind = row->kind, .row = &batch->api_rows[i]};
	}
	return batch->records;
}
