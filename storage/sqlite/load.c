/* Rows from the store to the host. */
#include <string.h>

#include "storage/sqlite/store.h"

#define LOAD_LIMIT_MAX 10000

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
		.journal = column_text(s, 0),
		.position = (uint64_t)sqlite3_column_int64(s, 1),
		.time_ns = sqlite3_column_int64(s, 2),
		.kind = column_text(s, 3),
		.cycle_id = column_text(s, 4),
		.client_id = column_text(s, 5),
		.text = column_text(s, 6),
	};
	(void)ret_status;
	return fn(ctx, TG_ROW_EVENT, &row);
}

struct loader {
	enum statement all;
	enum statement of_cycle;
	enum statement open;
	int32_t (*pass)(sqlite3_stmt *statement, tg_row_fn fn, void *ctx, int32_t *ret_status);
};

static const struct loader loaders[] = {
	[TG_ROW_CYCLE] = {STATEMENT_CYCLES_GET, STATEMENT_CYCLES_GET_OF, STATEMENT_CYCLES_GET_OPEN, cycle_pass},
	[TG_ROW_ORDER] = {STATEMENT_ORDERS_GET, STATEMENT_ORDERS_GET_OF, STATEMENT_ORDERS_GET_OPEN, order_pass},
	[TG_ROW_FILL] = {STATEMENT_FILLS_GET, STATEMENT_FILLS_GET_OF, STATEMENT_FILLS_GET_OPEN, fill_pass},
	[TG_ROW_EVENT] = {STATEMENT_EVENTS_GET, STATEMENT_EVENTS_GET_OF, STATEMENT_EVENTS_GET, event_pass},
};

/* ?1 and ?2: the key to start behind. */
static int32_t after_bind(sqlite3_stmt *statement, const struct tg_load *what, struct tg_error *ret_error)
{
	struct tg_str first, second;
	int64_t position;
	int32_t status = tg_load_after(what, &first, &second, &position, ret_error);

	if (status != TG_OK)
		return status;
	bind_text(statement, 1, first);
	if (what->kind == TG_ROW_EVENT)
		sqlite3_bind_int64(statement, 2, position);
	else if (what->kind == TG_ROW_FILL)
		bind_text(statement, 2, second);
	return TG_OK;
}

static int32_t load_check(const struct tg_load *what, struct tg_error *ret_error)
{
	if (what->kind < TG_ROW_CYCLE || what->kind > TG_ROW_EVENT)
		return tg_error_set(ret_error, TG_ERR_INVALID, "rows of kind %d, which this store does not know",
				    what->kind);
	if (what->limit < 1 || what->limit > LOAD_LIMIT_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "limit %u; 1 to %d are allowed", what->limit,
				    LOAD_LIMIT_MAX);
	if (what->flags & ~(uint32_t)TG_LOAD_OPEN)
		return tg_error_set(ret_error, TG_ERR_INVALID, "flags %#x, which this store does not know",
				    what->flags);
	return TG_OK;
}

/* The statement that gives what is asked for, bound. */
static sqlite3_stmt *load_statement(struct store *store, const struct tg_load *what, int32_t *ret_status,
				    struct tg_error *ret_error)
{
	const struct loader *loader = &loaders[what->kind];
	bool open = what->flags & TG_LOAD_OPEN;
	enum statement which = what->cycle_id.len ? loader->of_cycle : open ? loader->open : loader->all;
	sqlite3_stmt *statement = store_statement(store, which, ret_status, ret_error);

	if (!statement)
		return NULL;
	*ret_status = after_bind(statement, what, ret_error);
	if (*ret_status != TG_OK)
		return NULL;
	if (what->cycle_id.len)
		bind_text(statement, 3, what->cycle_id);
	sqlite3_bind_int64(statement, 4, what->limit);
	if (what->cycle_id.len && what->kind != TG_ROW_EVENT)
		sqlite3_bind_int(statement, 5, open);
	return statement;
}

int32_t rows_load(struct store *store, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	int32_t status = load_check(what, ret_error), count = 0, stop = 0;
	int result = SQLITE_ROW;

	if (status != TG_OK || (what->kind == TG_ROW_EVENT && (what->flags & TG_LOAD_OPEN)))
		return status;
	sqlite3_stmt *statement = load_statement(store, what, &status, ret_error);
	if (!statement)
		return status;
	while (stop == 0 && (result = sqlite3_step(statement)) == SQLITE_ROW) {
		stop = loaders[what->kind].pass(statement, fn, ctx, &status);
		count += status == TG_OK;
	}
	if (status != TG_OK)
		tg_error_set(ret_error, status, "%s: a number is not a decimal; restore a backup", store->path);
	else if (result != SQLITE_ROW && result != SQLITE_DONE)
		status = store_failure(store, "load rows", ret_error);
	sqlite3_reset(statement);
	return status == TG_OK ? count : status;
}
