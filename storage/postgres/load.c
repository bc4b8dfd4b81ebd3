/* Rows out of the store: a page is one statement, its rows are in our memory before the first is passed on. */
#include <string.h>

#include "storage/postgres/store.h"

#define LOAD_LIMIT_MAX 10000

/* The columns of one row, in turn; a number that is none is kept as the failure. */
struct reader {
	const PGresult *result;
	int row;
	int column;
	int32_t status;
};

static struct tg_str get_text(struct reader *reader)
{
	return result_text(reader->result, reader->row, reader->column++);
}

static int64_t get_number(struct reader *reader)
{
	return result_number(reader->result, reader->row, reader->column++);
}

static struct tg_decimal get_decimal(struct reader *reader)
{
	struct tg_decimal value = {0};

	if (tg_decimal_parse(get_text(reader), &value) != TG_OK)
		reader->status = TG_ERR_CORRUPT;
	return value;
}

static struct tg_money get_money(struct reader *reader)
{
	tg_amount amount = 0;

	if (tg_amount_parse(get_text(reader), &amount) != TG_OK)
		reader->status = TG_ERR_CORRUPT;
	return tg_money_of(amount);
}

static int32_t row_pass(struct reader *reader, int32_t kind, const void *row, tg_row_fn fn, void *ctx)
{
	return reader->status == TG_OK ? fn(ctx, kind, row) : 1;
}

/* In the order of CYCLE_COLUMNS; an initialiser's order would not be certain. */
static int32_t cycle_pass(struct reader *reader, tg_row_fn fn, void *ctx)
{
	struct tg_cycle_row row = {.size = sizeof row};

	row.id = get_text(reader);
	row.strategy = get_text(reader);
	row.exchange = get_text(reader);
	row.state = get_text(reader);
	row.route = get_text(reader);
	row.currency = get_text(reader);
	row.step = (uint32_t)get_number(reader);
	row.planned_in = get_money(reader);
	row.planned_out = get_money(reader);
	row.amount_in = get_money(reader);
	row.amount_out = get_money(reader);
	row.profit = get_money(reader);
	row.deltas = get_text(reader);
	row.reason = get_text(reader);
	row.opened_ns = get_number(reader);
	row.closed_ns = get_number(reader);
	return row_pass(reader, TG_ROW_CYCLE, &row, fn, ctx);
}

static int32_t order_pass(struct reader *reader, tg_row_fn fn, void *ctx)
{
	struct tg_order_row row = {.size = sizeof row};

	row.client_id = get_text(reader);
	row.cycle_id = get_text(reader);
	row.exchange_id = get_text(reader);
	row.market = get_text(reader);
	row.side = (int32_t)get_number(reader);
	row.state = get_text(reader);
	row.purpose = get_text(reader);
	row.reason = get_text(reader);
	row.leg = (uint32_t)get_number(reader);
	row.attempt = (uint32_t)get_number(reader);
	row.time_in_force = (int32_t)get_number(reader);
	row.price = get_decimal(reader);
	row.qty = get_decimal(reader);
	row.filled_qty = get_decimal(reader);
	row.filled_quote = get_money(reader);
	row.created_ns = get_number(reader);
	row.updated_ns = get_number(reader);
	return row_pass(reader, TG_ROW_ORDER, &row, fn, ctx);
}

static int32_t fill_pass(struct reader *reader, tg_row_fn fn, void *ctx)
{
	struct tg_fill_row row = {.size = sizeof row};

	row.client_id = get_text(reader);
	row.fill_id = get_text(reader);
	row.price = get_decimal(reader);
	row.qty = get_decimal(reader);
	row.fee = get_decimal(reader);
	row.fee_currency = get_text(reader);
	row.time_ns = get_number(reader);
	return row_pass(reader, TG_ROW_FILL, &row, fn, ctx);
}

static int32_t event_pass(struct reader *reader, tg_row_fn fn, void *ctx)
{
	struct tg_event_row row = {.size = sizeof row};

	row.journal = get_text(reader);
	row.position = (uint64_t)get_number(reader);
	row.time_ns = get_number(reader);
	row.kind = get_text(reader);
	row.cycle_id = get_text(reader);
	row.client_id = get_text(reader);
	row.text = get_text(reader);
	return row_pass(reader, TG_ROW_EVENT, &row, fn, ctx);
}

static const struct loader {
	enum statement all, open, of_cycle;
	int32_t (*pass)(struct reader *reader, tg_row_fn fn, void *ctx);
} loaders[] = {
	[TG_ROW_CYCLE] = {STATEMENT_CYCLES_GET, STATEMENT_CYCLES_GET_OPEN, STATEMENT_CYCLES_GET_ONE, cycle_pass},
	[TG_ROW_ORDER] = {STATEMENT_ORDERS_GET, STATEMENT_ORDERS_GET_OPEN, STATEMENT_ORDERS_GET_OF, order_pass},
	[TG_ROW_FILL] = {STATEMENT_FILLS_GET, STATEMENT_FILLS_GET_OPEN, STATEMENT_FILLS_GET_OF, fill_pass},
	/* of events none is open: both give no row then */
	[TG_ROW_EVENT] = {STATEMENT_EVENTS_GET, STATEMENT_EVENTS_GET, STATEMENT_EVENTS_GET_OF, event_pass},
};

/* $1 and $2: the key to start behind. */
static int32_t after_put(struct values *values, const struct tg_load *what, struct tg_error *ret_error)
{
	struct tg_str first, second;
	int64_t position;
	int32_t status = tg_load_after(what, &first, &second, &position, ret_error);

	if (status != TG_OK)
		return status;
	values_text(values, first);
	if (what->kind == TG_ROW_EVENT)
		values_number(values, position);
	else
		values_text(values, second);
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
		return tg_error_set(ret_error, TG_ERR_INVALID, "flags %u, which this store does not know", what->flags);
	int32_t status = text_check("after", what->after, ret_error);
	return status == TG_OK ? text_check("cycle_id", what->cycle_id, ret_error) : status;
}

static int32_t rows_pass(const PGresult *result, const struct loader *loader, tg_row_fn fn, void *ctx,
			 struct tg_error *ret_error)
{
	int32_t count = 0;

	for (int row = 0; row < PQntuples(result); row++) {
		struct reader reader = {.result = result, .row = row};
		int32_t stop = loader->pass(&reader, fn, ctx);
		if (reader.status != TG_OK)
			return tg_error_set(
				ret_error, reader.status,
				"PostgreSQL: row %s has a number that is no exact decimal; restore a backup",
				PQgetvalue(result, row, 0));
		count++;
		if (stop != 0)
			break;
	}
	return count;
}

int32_t store_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error)
{
	struct store *store = self;
	struct values values = {0};
	int32_t status = load_check(what, ret_error);

	if (status == TG_OK)
		status = after_put(&values, what, ret_error);
	if (status != TG_OK)
		return status;
	const struct loader *loader = &loaders[what->kind];
	bool open_only = what->flags & TG_LOAD_OPEN;
	values_text(&values, what->cycle_id);
	values_number(&values, what->limit);
	values_number(&values, open_only);
	status = session_execute(&store->session,
				 what->cycle_id.len ? loader->of_cycle
				 : open_only        ? loader->open
						    : loader->all,
				 &values, TG_ERR_IO, ret_error);
	return status == TG_OK ? rows_pass(store->session.result[0], loader, fn, ctx, ret_error) : status;
}
