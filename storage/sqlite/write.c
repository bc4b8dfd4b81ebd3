/* Batches of rows into the store. This is what a gateway under load does most: no copies, no look-ups beyond the rows
 * themselves, one position a batch. */
#include <assert.h>
#include <string.h>

#include "storage/sqlite/store.h"

#define NUMBERS_MAX 6 /* decimals and amounts in a row */

/* Binds one row's values from ?1 on; the first failure is kept and ends it. */
struct binder {
	sqlite3_stmt *statement;
	struct tg_error *error;
	int32_t status;
	int at;
	uint32_t number_count;
	char numbers[NUMBERS_MAX][TG_AMOUNT_TEXT_MAX]; /* their text, until the statement has run */
};

static_assert(TG_DECIMAL_TEXT_MAX <= TG_AMOUNT_TEXT_MAX, "a decimal's text fits too");

static void put_bytes(struct binder *binder, const char *bytes, size_t length)
{
	if (sqlite3_bind_text(binder->statement, binder->at++, bytes, (int)length, SQLITE_STATIC) != SQLITE_OK)
		binder->status = tg_error_set(binder->error, TG_ERR_NO_MEMORY, "out of memory");
}

static void put_text(struct binder *binder, struct tg_str text)
{
	if (binder->status != TG_OK)
		return;
	if (text.len > INT32_MAX)
		binder->status = tg_error_set(binder->error, TG_ERR_INVALID, "a text is longer than 2 GiB");
	else if (text.len > 0 && memchr(text.ptr, '\0', text.len))
		binder->status = tg_error_set(binder->error, TG_ERR_INVALID, "a text holds a NUL byte");
	else
		put_bytes(binder, text.len ? text.ptr : "", text.len);
}

/* Empty is NULL: a reference to no row. */
static void put_reference(struct binder *binder, struct tg_str text)
{
	if (text.len > 0)
		put_text(binder, text);
	else if (binder->status == TG_OK)
		sqlite3_bind_null(binder->statement, binder->at++);
}

static void put_number(struct binder *binder, int64_t number)
{
	if (binder->status == TG_OK)
		sqlite3_bind_int64(binder->statement, binder->at++, number);
}

static char *number_room(struct binder *binder)
{
	assert(binder->number_count < NUMBERS_MAX);
	return binder->numbers[binder->number_count++];
}

static void put_decimal(struct binder *binder, struct tg_decimal value)
{
	if (binder->status == TG_OK && (value.scale < 0 || value.scale > TG_AMOUNT_SCALE))
		binder->status =
			tg_error_set(binder->error, TG_ERR_INVALID, "a decimal of scale %d; 0 to %d are allowed",
				     value.scale, TG_AMOUNT_SCALE);
	if (binder->status == TG_OK && value.mantissa == INT64_MIN) /* its text could not be read back */
		binder->status = tg_error_set(binder->error, TG_ERR_OVERFLOW, "a decimal below -(2^63 - 1)");
	if (binder->status != TG_OK)
		return;
	char *digits = number_room(binder);
	put_bytes(binder, digits, tg_decimal_format(value, digits, TG_AMOUNT_TEXT_MAX));
}

static void put_money(struct binder *binder, struct tg_money money)
{
	if (binder->status == TG_OK && money.hi == INT64_MIN && money.lo == 0)
		binder->status = tg_error_set(binder->error, TG_ERR_OVERFLOW, "an amount below -(2^127 - 1)");
	if (binder->status != TG_OK)
		return;
	char *digits = number_room(binder);
	put_bytes(binder, digits, tg_amount_format(tg_amount_of(money), digits, TG_AMOUNT_TEXT_MAX));
}

static void cycle_bind(struct binder *binder, const void *from)
{
	const struct tg_cycle_row *row = from;

	put_text(binder, row->id);
	put_text(binder, row->strategy);
	put_text(binder, row->exchange);
	put_text(binder, row->state);
	put_text(binder, row->route);
	put_text(binder, row->currency);
	put_number(binder, row->step);
	put_money(binder, row->planned_in);
	put_money(binder, row->planned_out);
	put_money(binder, row->amount_in);
	put_money(binder, row->amount_out);
	put_money(binder, row->profit);
	put_text(binder, row->deltas);
	put_text(binder, row->reason);
	put_number(binder, row->opened_ns);
	put_number(binder, row->closed_ns);
}

static void order_bind(struct binder *binder, const void *from)
{
	const struct tg_order_row *row = from;

	put_text(binder, row->client_id);
	put_reference(binder, row->cycle_id);
	put_text(binder, row->exchange_id);
	put_text(binder, row->market);
	put_number(binder, row->side);
	put_text(binder, row->state);
	put_text(binder, row->purpose);
	put_text(binder, row->reason);
	put_number(binder, row->leg);
	put_number(binder, row->attempt);
	put_number(binder, row->time_in_force);
	put_decimal(binder, row->price);
	put_decimal(binder, row->qty);
	put_decimal(binder, row->filled_qty);
	put_money(binder, row->filled_quote);
	put_number(binder, row->created_ns);
	put_number(binder, row->updated_ns);
}

static void fill_bind(struct binder *binder, const void *from)
{
	const struct tg_fill_row *row = from;

	put_text(binder, row->client_id);
	put_text(binder, row->fill_id);
	put_decimal(binder, row->price);
	put_decimal(binder, row->qty);
	put_decimal(binder, row->fee);
	put_text(binder, row->fee_currency);
	put_number(binder, row->time_ns);
}

static void event_bind(struct binder *binder, const void *from)
{
	const struct tg_event_row *row = from;

	if (row->position > INT64_MAX)
		binder->status = tg_error_set(binder->error, TG_ERR_OVERFLOW, "an event's position exceeds 2^63 - 1");
	put_text(binder, row->journal);
	put_number(binder, (int64_t)row->position);
	put_number(binder, row->time_ns);
	put_text(binder, row->kind);
	put_text(binder, row->cycle_id);
	put_text(binder, row->client_id);
	put_text(binder, row->text);
}

static void cycle_progress_bind(struct binder *binder, const void *from)
{
	const struct tg_cycle_progress *row = from;

	put_text(binder, row->id);
	put_number(binder, row->step);
	put_text(binder, row->state);
	put_text(binder, row->deltas);
	put_text(binder, row->reason);
	put_money(binder, row->amount_in);
	put_money(binder, row->amount_out);
	put_money(binder, row->profit);
	put_number(binder, row->closed_ns);
}

static void order_progress_bind(struct binder *binder, const void *from)
{
	const struct tg_order_progress *row = from;

	put_text(binder, row->client_id);
	put_text(binder, row->exchange_id);
	put_text(binder, row->state);
	put_text(binder, row->reason);
	put_decimal(binder, row->filled_qty);
	put_money(binder, row->filled_quote);
	put_number(binder, row->updated_ns);
}

/* A row is added, and only if it is there already set: INSERT ... ON CONFLICT DO UPDATE can do both, but prepares for
 * each row to undo what it may have done to the indexes, which costs a quarter of all. Parameters are the same. */
static const struct put {
	enum statement add;
	enum statement set;
	bool progress; /* of a row that must be there */
	void (*bind)(struct binder *binder, const void *row);
} puts_of[] = {
	[TG_ROW_CYCLE] = {STATEMENT_CYCLE_ADD, STATEMENT_CYCLE_SET, false, cycle_bind},
	[TG_ROW_ORDER] = {STATEMENT_ORDER_ADD, STATEMENT_ORDER_SET, false, order_bind},
	[TG_ROW_FILL] = {STATEMENT_FILL_ADD, STATEMENT_FILL_SET, false, fill_bind},
	[TG_ROW_EVENT] = {STATEMENT_EVENT_ADD, STATEMENT_EVENT_SET, false, event_bind},
	[TG_ROW_CYCLE_PROGRESS] = {.set = STATEMENT_CYCLE_PROGRESS, .progress = true, .bind = cycle_progress_bind},
	[TG_ROW_ORDER_PROGRESS] = {.set = STATEMENT_ORDER_PROGRESS, .progress = true, .bind = order_progress_bind},
};

/* The row's values into the statement, and the statement run; the result is SQLite's, unless the row is refused. */
static int32_t statement_put(struct store *store, enum statement which, const struct tg_record *record, int *ret_result,
			     struct tg_error *ret_error)
{
	struct binder binder; /* its numbers are many bytes, and each is written before it is read */

	binder.error = ret_error;
	binder.status = TG_OK;
	binder.at = 1;
	binder.number_count = 0;
	binder.statement = store_statement(store, which, &binder.status, ret_error);
	if (!binder.statement)
		return binder.status;
	puts_of[record->kind].bind(&binder, record->row);
	if (binder.status != TG_OK)
		return binder.status;
	*ret_result = sqlite3_step(binder.statement);
	int32_t status = *ret_result == SQLITE_DONE || *ret_result == SQLITE_CONSTRAINT_PRIMARYKEY
				 ? TG_OK
				 : store_failure(store, "write a row", ret_error);
	sqlite3_reset(binder.statement);
	return status;
}

static int32_t progress_missing(const struct tg_record *record, struct tg_error *ret_error)
{
	bool cycle = record->kind == TG_ROW_CYCLE_PROGRESS;
	struct tg_str key = cycle ? ((const struct tg_cycle_progress *)record->row)->id
				  : ((const struct tg_order_progress *)record->row)->client_id;

	return tg_error_set(ret_error, TG_ERR_INVALID, "progress of %s %.*s, which is not there",
			    cycle ? "cycle" : "order", (int)key.len, key.ptr);
}

static int32_t record_put(struct store *store, const struct tg_record *record, struct tg_error *ret_error)
{
	if (record->kind < TG_ROW_CYCLE || record->kind > TG_ROW_ORDER_PROGRESS)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a record of kind %d, which this store does not know",
				    record->kind);
	const struct put *put = &puts_of[record->kind];
	int result = SQLITE_DONE;
	int32_t status = statement_put(store, put->progress ? put->set : put->add, record, &result, ret_error);
	if (status == TG_OK && result == SQLITE_CONSTRAINT_PRIMARYKEY)
		status = statement_put(store, put->set, record, &result, ret_error);
	if (status == TG_OK && put->progress && sqlite3_changes(store->db) == 0)
		return progress_missing(record, ret_error);
	return status;
}

int32_t rows_position(struct store *store, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	int32_t status = TG_OK;
	sqlite3_stmt *statement = store_statement(store, STATEMENT_POSITION_GET, &status, ret_error);

	if (!statement)
		return status;
	bind_text(statement, 1, journal);
	int result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*ret_position = (uint64_t)sqlite3_column_int64(statement, 0);
	else if (result == SQLITE_DONE)
		*ret_position = 0;
	else
		status = store_failure(store, "read the position", ret_error);
	sqlite3_reset(statement);
	return status;
}

static int32_t position_put(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	int32_t status = TG_OK;
	sqlite3_stmt *statement = store_statement(store, STATEMENT_POSITION_SET, &status, ret_error);

	if (!statement)
		return status;
	bind_text(statement, 1, batch->journal);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)batch->position);
	return store_run(store, statement, "write the position", ret_error);
}

/* Inside the transaction. */
static int32_t apply_locked(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	uint64_t stored = 0;
	int32_t status = rows_position(store, batch->journal, &stored, ret_error);

	if (status == TG_OK && !tg_batch_fits(batch, stored))
		return tg_error_set(ret_error, TG_ERR_REJECTED,
				    "%s stands at record %llu of journal %.*s, not at %llu, which the batch is for",
				    store->path, (unsigned long long)stored, (int)batch->journal.len,
				    batch->journal.ptr, (unsigned long long)batch->after);
	if (status != TG_OK || batch->position <= stored)
		return status;
	for (uint32_t i = 0; i < batch->count && status == TG_OK; i++)
		status = record_put(store, &batch->records[i], ret_error);
	return status == TG_OK ? position_put(store, batch, ret_error) : status;
}

int32_t rows_apply(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	if (!tg_batch_is_sound(batch))
		return tg_error_set(ret_error, TG_ERR_INVALID, "a batch needs a journal and a position below 2^63");
	int32_t status = store_begin(store, ret_error);
	if (status != TG_OK)
		return status;
	return store_end(store, apply_locked(store, batch, ret_error), ret_error);
}
