/* Rows to statements and back. */
#include <string.h>

#include "storage/sqlite/store.h"

#define LOAD_LIMIT_MAX 10000

/* Binds one row's values from ?1 on; the first failure is kept and ends it. */
struct binder {
	sqlite3_stmt *statement;
	int at;
	int32_t status;
	struct tg_error *error;
};

static void put_text(struct binder *binder, struct tg_str text)
{
	if (binder->status == TG_OK && text.len > 0 && memchr(text.ptr, '\0', text.len))
		binder->status = tg_error_set(binder->error, TG_ERR_INVALID, "a text holds a NUL byte");
	if (binder->status == TG_OK && text.len > INT32_MAX)
		binder->status = tg_error_set(binder->error, TG_ERR_INVALID, "a text is longer than 2 GiB");
	if (binder->status == TG_OK && bind_text(binder->statement, binder->at++, text) != SQLITE_OK)
		binder->status = tg_error_set(binder->error, TG_ERR_NO_MEMORY, "out of memory");
}

static void put_number(struct binder *binder, int64_t number)
{
	if (binder->status == TG_OK)
		sqlite3_bind_int64(binder->statement, binder->at++, number);
}

static void put_digits(struct binder *binder, const char *digits, size_t length)
{
	if (sqlite3_bind_text(binder->statement, binder->at++, digits, (int)length, SQLITE_TRANSIENT) != SQLITE_OK)
		binder->status = tg_error_set(binder->error, TG_ERR_NO_MEMORY, "out of memory");
}

static void put_decimal(struct binder *binder, struct tg_decimal value)
{
	char digits[TG_DECIMAL_TEXT_MAX];

	if (binder->status == TG_OK && (value.scale < 0 || value.scale > TG_AMOUNT_SCALE))
		binder->status =
			tg_error_set(binder->error, TG_ERR_INVALID, "a decimal of scale %d; 0 to %d are allowed",
				     value.scale, TG_AMOUNT_SCALE);
	if (binder->status == TG_OK && value.mantissa == INT64_MIN) /* its text could not be read back */
		binder->status = tg_error_set(binder->error, TG_ERR_OVERFLOW, "a decimal below -(2^63 - 1)");
	if (binder->status == TG_OK)
		put_digits(binder, digits, tg_decimal_format(value, digits, sizeof digits));
}

static void put_money(struct binder *binder, struct tg_money money)
{
	char digits[TG_AMOUNT_TEXT_MAX];

	if (binder->status == TG_OK && money.hi == INT64_MIN && money.lo == 0)
		binder->status = tg_error_set(binder->error, TG_ERR_OVERFLOW, "an amount below -(2^127 - 1)");
	if (binder->status == TG_OK)
		put_digits(binder, digits, tg_amount_format(tg_amount_of(money), digits, sizeof digits));
}

static void cycle_bind(struct binder *binder, const struct tg_cycle_row *row)
{
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

static void order_bind(struct binder *binder, const struct tg_order_row *row)
{
	put_text(binder, row->client_id);
	put_text(binder, row->cycle_id);
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

static void fill_bind(struct binder *binder, const struct tg_fill_row *row)
{
	put_text(binder, row->client_id);
	put_text(binder, row->fill_id);
	put_decimal(binder, row->price);
	put_decimal(binder, row->qty);
	put_decimal(binder, row->fee);
	put_text(binder, row->fee_currency);
	put_number(binder, row->time_ns);
}

static void event_bind(struct binder *binder, const struct tg_event_row *row)
{
	if (row->position > INT64_MAX)
		binder->status = tg_error_set(binder->error, TG_ERR_OVERFLOW, "an event's position exceeds 2^63 - 1");
	put_number(binder, (int64_t)row->position);
	put_number(binder, row->time_ns);
	put_text(binder, row->kind);
	put_text(binder, row->cycle_id);
	put_text(binder, row->client_id);
	put_text(binder, row->text);
}

static int32_t record_put(struct store *store, const struct tg_record *record, struct tg_error *ret_error)
{
	static const enum statement puts[] = {[TG_ROW_CYCLE] = STATEMENT_CYCLE_PUT,
					      [TG_ROW_ORDER] = STATEMENT_ORDER_PUT,
					      [TG_ROW_FILL] = STATEMENT_FILL_PUT,
					      [TG_ROW_EVENT] = STATEMENT_EVENT_PUT};

	if (record->kind < TG_ROW_CYCLE || record->kind > TG_ROW_EVENT)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a record of kind %d, which this store does not know",
				    record->kind);
	sqlite3_stmt *statement = store_statement(store, puts[record->kind], ret_error);
	if (!statement)
		return TG_ERR_IO;
	struct binder binder = {.statement = statement, .at = 1, .error = ret_error};
	switch (record->kind) {
	case TG_ROW_CYCLE: cycle_bind(&binder, record->row); break;
	case TG_ROW_ORDER: order_bind(&binder, record->row); break;
	case TG_ROW_FILL: fill_bind(&binder, record->row); break;
	default: event_bind(&binder, record->row);
	}
	return binder.status == TG_OK ? store_run(store, statement, "write a row", ret_error) : binder.status;
}

int32_t rows_position(struct store *store, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	sqlite3_stmt *statement = store_statement(store, STATEMENT_POSITION_GET, ret_error);
	int32_t status = TG_OK;

	if (!statement)
		return TG_ERR_IO;
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
	sqlite3_stmt *statement = store_statement(store, STATEMENT_POSITION_SET, ret_error);

	if (!statement)
		return TG_ERR_IO;
	bind_text(statement, 1, batch->journal);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)batch->position);
	return store_run(store, statement, "write the position", ret_error);
}

/* Inside the transaction. */
static int32_t apply_locked(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	uint64_t stored = 0;
	int32_t status = rows_position(store, batch->journal, &stored, ret_error);

	if (status != TG_OK || batch->position <= stored)
		return status;
	for (uint32_t i = 0; i < batch->count && status == TG_OK; i++)
		status = record_put(store, &batch->records[i], ret_error);
	return status == TG_OK ? position_put(store, batch, ret_error) : status;
}

int32_t rows_apply(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	if (batch->journal.len == 0 || batch->position > INT64_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a batch needs a journal and a position below 2^63");
	int32_t status = store_begin(store, ret_error);
	if (status != TG_OK)
		return status;
	status = apply_locked(store, batch, ret_error);
	if (status == TG_OK)
		status = store_commit(store, ret_error);
	if (status != TG_OK)
		store_rollback(store);
	return status;
}

/* --------------------------------------------------------------- loading */

static struct tg_decimal get_decimal(sqlite3_stmt *statement, int at, int32_t *status)
{
	struct tg_decimal value = {0};
	if (tg_decimal_parse(column_text(statement, at), &value) != TG_OK)
		*status = TG_ERR_CORRUPT;
	return value;
}

static struct tg_money get_money(sqlite3_stmt *statement, int at, int32_t *status)
{
	tg_amount amount = 0;
	if (tg_amount_parse(column_text(statement, at), &amount) != TG_OK)
		*status = TG_ERR_CORRUPT;
	return tg_money_of(amount);
}

static int32_t cycle_pass(sqlite3_stmt *s, tg_row_fn fn, void *ctx, int32_t *ret_status)
{
	struct tg_cycle_row row = {
		.size = sizeof row,
		.id = column_text(s, 0),
		.strategy = column_text(s, 1),
		.exchange = column_text(s, 2),
		.state = column_text(s, 3),
		.route = column_text(s, 4),
		.currency = column_text(s, 5),
		.step = (uint32_t)sqlite3_column_int64(s, 6),
		.planned_in = get_money(s, 7, ret_status),
		.planned_out = get_money(s, 8, ret_status),
		.amount_in = get_money(s, 9, ret_status),
		.amount_out = get_money(s, 10, ret_status),
		.profit = get_money(s, 11, ret_status),
		.deltas = column_text(s, 12),
		.reason = column_text(s, 13),
		.opened_ns = sqlite3_column_int64(s, 14),
		.closed_ns = sqlite3_column_int64(s, 15),
	};
	return *ret_status == TG_OK ? fn(ctx, TG_ROW_CYCLE, &row) : 1;
}

static int32_t order_pass(sqlite3_stmt *s, tg_row_fn fn, void *ctx, int32_t *ret_status)
{
	struct tg_order_row row = {
		.size = sizeof row,
		.client_id = column_text(s, 0),
		.cycle_id = column_text(s, 1),
		.exchange_id = column_text(s, 2),
		.market = column_text(s, 3),
		.side = sqlite3_column_int(s, 4),
		.state = column_text(s, 5),
		.purpose = column_text(s, 6),
		.reason = column_text(s, 7),
		.leg = (uint32_t)sqlite3_column_int64(s, 8),
		.attempt = (uint32_t)sqlite3_column_int64(s, 9),
		.time_in_force = sqlite3_column_int(s, 10),
		.price = get_decimal(s, 11, ret_status),
		.qty = get_decimal(s, 12, ret_status),
		.filled_qty = get_decimal(s, 13, ret_status),
		.filled_quote = get_money(s, 14, ret_status),
		.created_ns = sqlite3_column_int64(s, 15),
		.updated_ns = sqlite3_column_int64(s, 16),
	};
	return *ret_status == TG_OK ? fn(ctx, TG_ROW_ORDER, &row) : 1;
}

static int32_t fill_pass(sqlite3_stmt *s, tg_row_fn fn, void *ctx, int32_t *ret_status)
{
	struct tg_fill_row row = {
		.size = sizeof row,
		.client_id = column_text(s, 0),
		.fill_id = column_text(s, 1),
		.price = get_decimal(s, 2, ret_status),
		.qty = get_decimal(s, 3, ret_status),
		.fee = get_decimal(s, 4, ret_status),
		.fee_currency = column_text(s, 5),
		.time_ns = sqlite3_column_int64(s, 6),
	};
	return *ret_status == TG_OK ? fn(ctx, TG_ROW_FILL, &row) : 1;
}

static int32_t event_pass(sqlite3_stmt *s, tg_row_fn fn, void *ctx, int32_t *ret_status)
{
	struct tg_event_row row = {
		.size = sizeof row,
		.position = (uint64_t)sqlite3_column_int64(s, 0),
		.time_ns = sqlite3_column_int64(s, 1),
		.kind = column_text(s, 2),
		.cycle_id = column_text(s, 3),
		.client_id = column_text(s, 4),
		.text = column_text(s, 5),
	};
	(void)ret_status;
	return fn(ctx, TG_ROW_EVENT, &row);
}

struct loader {
	enum statement all;
	enum statement of_cycle;
	int32_t (*pass)(sqlite3_stmt *statement, tg_row_fn fn, void *ctx, int32_t *ret_status);
};

static const struct loader loaders[] = {
	[TG_ROW_CYCLE] = {STATEMENT_CYCLES_GET, STATEMENT_CYCLES_GET, cycle_pass},
	[TG_ROW_ORDER] = {STATEMENT_ORDERS_GET, STATEMENT_CYCLE_ORDERS_GET, order_pass},
	[TG_ROW_FILL] = {STATEMENT_FILLS_GET, STATEMENT_CYCLE_FILLS_GET, fill_pass},
	[TG_ROW_EVENT] = {STATEMENT_EVENTS_GET, STATEMENT_EVENTS_GET, event_pass},
};

static bool position_parse(struct tg_str text, int64_t *ret_position)
{
	int64_t position = 0;

	for (uint64_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || __builtin_mul_overflow(position, 10, &position) ||
		    __builtin_add_overflow(position, text.ptr[i] - '0', &position))
			return false;
	*ret_position = position;
	return true;
}

/* ?1 and ?2: the key to start behind. */
static int32_t after_bind(sqlite3_stmt *statement, const struct tg_load *what, struct tg_error *ret_error)
{
	struct tg_str first = what->after, second = {"", 0};
	int64_t position = 0;

	if (what->kind == TG_ROW_EVENT) {
		if (!position_parse(what->after, &position))
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "after: events are behind a decimal position, not '%.*s'",
					    (int)what->after.len, what->after.ptr);
		sqlite3_bind_int64(statement, 1, position);
		return TG_OK;
	}
	if (what->kind == TG_ROW_FILL && what->after.len > 0) {
		const char *slash = memchr(what->after.ptr, '/', what->after.len);
		if (!slash)
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "after: fills are behind CLIENT_ID/FILL_ID, not '%.*s'",
					    (int)what->after.len, what->after.ptr);
		first.len = (uint64_t)(slash - what->after.ptr);
		second = (struct tg_str){slash + 1, what->after.len - first.len - 1};
	}
	bind_text(statement, 1, first);
	bind_text(statement, 2, second);
	return TG_OK;
}

int32_t rows_load(struct store *store, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	if (what->kind < TG_ROW_CYCLE || what->kind > TG_ROW_EVENT)
		return tg_error_set(ret_error, TG_ERR_INVALID, "rows of kind %d, which this store does not know",
				    what->kind);
	if (what->limit < 1 || what->limit > LOAD_LIMIT_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "limit %u; 1 to %d are allowed", what->limit,
				    LOAD_LIMIT_MAX);
	const struct loader *loader = &loaders[what->kind];
	sqlite3_stmt *statement =
		store_statement(store, what->cycle_id.len ? loader->of_cycle : loader->all, ret_error);
	if (!statement)
		return TG_ERR_IO;
	int32_t status = after_bind(statement, what, ret_error);
	if (status != TG_OK)
		return status;
	bind_text(statement, 3, what->cycle_id);
	sqlite3_bind_int64(statement, 4, what->limit);

	int32_t count = 0;
	int result;
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		int32_t stop = loader->pass(statement, fn, ctx, &status);
		if (status != TG_OK)
			break;
		count++;
		if (stop != 0)
			break;
	}
	if (status != TG_OK)
		tg_error_set(ret_error, status, "%s: a number is not a decimal; restore a backup", store->path);
	else if (result != SQLITE_ROW && result != SQLITE_DONE)
		status = store_failure(store, "load rows", ret_error);
	sqlite3_reset(statement);
	return status == TG_OK ? count : status;
}
