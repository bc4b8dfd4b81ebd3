/* A batch: one transaction, in two exchanges with the server. The first sends everything and learns whether all of it
 * fits, the second commits. So what fails before the commit has certainly not happened.
 *
 * Cycles and orders are inserted as new, which they nearly always are and which costs a quarter less than an upsert.
 * When the server says that a key is there already, the batch is rolled back and written again as upserts.
 *
 * The position comes first. Its row stays locked until the end: another connection that repeats this batch, because its
 * answer was lost, waits, then finds the position raised and changes nothing. */
#include <string.h>

#include "storage/postgres/store.h"

#define UNIQUE_VIOLATION "23505"
#define UPSERTS 64 /* after a batch that met rows which were there: the next ones are likely to as well */

static void cycle_put(struct columns *columns, const struct change *change)
{
	struct tg_cycle_row row = *(const struct tg_cycle_row *)change->row;

	if (change->after)
		tg_cycle_row_advance(&row, change->after);
	put_text(columns, row.id);
	put_text(columns, row.strategy);
	put_text(columns, row.exchange);
	put_text(columns, row.state);
	put_text(columns, row.route);
	put_text(columns, row.currency);
	put_number(columns, row.step);
	put_money(columns, row.planned_in);
	put_money(columns, row.planned_out);
	put_money(columns, row.amount_in);
	put_money(columns, row.amount_out);
	put_money(columns, row.profit);
	put_text(columns, row.deltas);
	put_text(columns, row.reason);
	put_number(columns, row.opened_ns);
	put_number(columns, row.closed_ns);
}

static void cycle_move(struct columns *columns, const struct change *change)
{
	const struct tg_cycle_progress *now = change->before;

	put_text(columns, now->id);
	put_number(columns, now->step);
	put_text(columns, now->state);
	put_text(columns, now->deltas);
	put_text(columns, now->reason);
	put_money(columns, now->amount_in);
	put_money(columns, now->amount_out);
	put_money(columns, now->profit);
	put_number(columns, now->closed_ns);
}

static void order_put(struct columns *columns, const struct change *change)
{
	struct tg_order_row row = *(const struct tg_order_row *)change->row;

	if (change->after)
		tg_order_row_advance(&row, change->after);
	put_text(columns, row.client_id);
	put_reference(columns, row.cycle_id);
	put_text(columns, row.exchange_id);
	put_text(columns, row.market);
	put_number(columns, row.side);
	put_text(columns, row.state);
	put_text(columns, row.purpose);
	put_text(columns, row.reason);
	put_number(columns, row.leg);
	put_number(columns, row.attempt);
	put_number(columns, row.time_in_force);
	put_decimal(columns, row.price);
	put_decimal(columns, row.qty);
	put_decimal(columns, row.filled_qty);
	put_money(columns, row.filled_quote);
	put_number(columns, row.created_ns);
	put_number(columns, row.updated_ns);
}

static void order_move(struct columns *columns, const struct change *change)
{
	const struct tg_order_progress *now = change->before;

	put_text(columns, now->client_id);
	put_text(columns, now->exchange_id);
	put_text(columns, now->state);
	put_text(columns, now->reason);
	put_decimal(columns, now->filled_qty);
	put_money(columns, now->filled_quote);
	put_number(columns, now->updated_ns);
}

static void fill_put(struct columns *columns, const struct change *change)
{
	const struct tg_fill_row *row = change->row;

	put_text(columns, row->client_id);
	put_text(columns, row->fill_id);
	put_decimal(columns, row->price);
	put_decimal(columns, row->qty);
	put_decimal(columns, row->fee);
	put_text(columns, row->fee_currency);
	put_number(columns, row->time_ns);
}

static void event_put(struct columns *columns, const struct change *change)
{
	const struct tg_event_row *row = change->row;

	if (row->position > INT64_MAX && columns->status == TG_OK)
		columns->status = tg_error_set(columns->error, TG_ERR_OVERFLOW, "an event's position exceeds 2^63 - 1");
	put_text(columns, row->journal);
	put_number(columns, (int64_t)row->position);
	put_number(columns, row->time_ns);
	put_text(columns, row->kind);
	put_text(columns, row->cycle_id);
	put_text(columns, row->client_id);
	put_text(columns, row->text);
}

static void key_put(struct columns *columns, const struct change *change)
{
	put_text(columns, change->key);
}

/* --------------------------------------------------------------- the steps */

static bool has_row(const struct change *change)
{
	return change->row != NULL;
}

static bool has_move(const struct change *change)
{
	return change->before != NULL;
}

static bool is_outside(const struct change *change)
{
	return !change->row && !change->before;
}

/* What is sent, in this order: progress is of rows that are in the store already, so it comes before new ones. Each
 * step is to touch as many rows as there are changes of its kind. */
static const struct step {
	enum statement upsert; /* or whatever it is that touches rows */
	enum statement add;    /* the same if none of its rows is there yet */
	enum change_kind kind;
	bool (*is_of)(const struct change *change);
	void (*put)(struct columns *columns, const struct change *change);
	bool is_count; /* it gives the number of rows; else it changes them */
	enum statement missing;
	const char *what; /* that is missing */
} steps[] = {
	{STATEMENT_CYCLES_MOVE, STATEMENT_CYCLES_MOVE, CHANGE_CYCLE, has_move, cycle_move, false,
	 STATEMENT_CYCLE_MISSING, "progress of cycle"},
	{STATEMENT_ORDERS_MOVE, STATEMENT_ORDERS_MOVE, CHANGE_ORDER, has_move, order_move, false,
	 STATEMENT_ORDER_MISSING, "progress of order"},
	{STATEMENT_CYCLES_PUT, STATEMENT_CYCLES_ADD, CHANGE_CYCLE, has_row, cycle_put, false, STATEMENT_CYCLE_MISSING,
	 "cycle"},
	{STATEMENT_ORDERS_PUT, STATEMENT_ORDERS_ADD, CHANGE_ORDER, has_row, order_put, false, STATEMENT_ORDER_MISSING,
	 "order"},
	{STATEMENT_FILLS_PUT, STATEMENT_FILLS_PUT, CHANGE_FILL, has_row, fill_put, false, STATEMENT_ORDER_MISSING,
	 "fill"},
	{STATEMENT_EVENTS_PUT, STATEMENT_EVENTS_PUT, CHANGE_EVENT, has_row, event_put, false, STATEMENT_CYCLE_MISSING,
	 "event"},
	{STATEMENT_CYCLES_HOLD, STATEMENT_CYCLES_HOLD, CHANGE_CYCLE, is_outside, key_put, true, STATEMENT_CYCLE_MISSING,
	 "an order of cycle"},
	{STATEMENT_ORDERS_HOLD, STATEMENT_ORDERS_HOLD, CHANGE_ORDER, is_outside, key_put, true, STATEMENT_ORDER_MISSING,
	 "a fill of order"},
};
#define STEPS (sizeof steps / sizeof *steps)

static uint32_t step_rows(const struct changes *changes, const struct step *step)
{
	const uint32_t *counts = step->is_of == has_row    ? changes->rows
				 : step->is_of == has_move ? changes->moves
							   : changes->outside;
	return counts[step->kind];
}

static int32_t step_columns(struct store *store, const struct step *step,
			    void (*put)(struct columns *columns, const struct change *change),
			    struct values *ret_values, struct tg_error *ret_error)
{
	const struct changes *changes = &store->changes;

	columns_begin(&store->columns, ret_error);
	for (uint32_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->change[i];
		if (change->kind != step->kind || !step->is_of(change))
			continue;
		columns_row(&store->columns);
		put(&store->columns, change);
	}
	return columns_values(&store->columns, ret_values);
}

static int32_t step_send(struct store *store, const struct step *step, struct tg_error *ret_error)
{
	struct values values = {0};

	if (step_rows(&store->changes, step) == 0)
		return TG_OK;
	int32_t status = step_columns(store, step, step->put, &values, ret_error);
	return status == TG_OK
		       ? session_send(&store->session, store->as_new ? step->add : step->upsert, &values, ret_error)
		       : status;
}

static int32_t begin_send(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct values position = {0};
	int32_t status = session_send(&store->session, STATEMENT_BEGIN, NULL, ret_error);

	values_text(&position, batch->journal);
	values_number(&position, (int64_t)batch->position);
	values_number(&position, tg_batch_has_after(batch) ? (int64_t)batch->after : -1);
	return status == TG_OK ? session_send(&store->session, STATEMENT_POSITION_RAISE, &position, ret_error) : status;
}

static int32_t all_send(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct session *session = &store->session;
	session_pipeline(session);
	int32_t status = begin_send(store, batch, ret_error);

	for (size_t i = 0; i < STEPS && status == TG_OK; i++)
		status = step_send(store, &steps[i], ret_error);
	/* a row that cannot be sent ends it, but what was sent is answered all the same */
	int32_t answer = session_exchange(session, session->timeout_ms, TG_ERR_IO, status == TG_OK ? ret_error : NULL);
	return status == TG_OK ? answer : status;
}

/* The transaction is open still; it says which key it is. */
static int32_t step_refuse(struct store *store, const struct step *step, struct tg_error *ret_error)
{
	struct values values = {0};
	struct tg_str key = TG_STR("?");

	if (step_columns(store, step, key_put, &values, NULL) == TG_OK &&
	    session_execute(&store->session, step->missing, &values, TG_ERR_IO, NULL) == TG_OK &&
	    PQntuples(store->session.result[0]) > 0)
		key = result_text(store->session.result[0], 0, 0);
	return tg_error_set(ret_error, TG_ERR_INVALID, "%s %.*s, which is not in the store", step->what, (int)key.len,
			    key.ptr);
}

/* Has each step touched what it was to? */
static int32_t steps_check(struct store *store, struct tg_error *ret_error)
{
	int at = 2; /* behind BEGIN and the position */

	for (size_t i = 0; i < STEPS; i++) {
		uint32_t wanted = step_rows(&store->changes, &steps[i]);
		if (wanted == 0)
			continue;
		const PGresult *result = store->session.result[at++];
		int64_t got = steps[i].is_count ? result_number(result, 0, 0) : result_rows(result);
		if (got != wanted)
			return step_refuse(store, &steps[i], ret_error);
	}
	return TG_OK;
}

/* The position is where the batch leads to, behind it, or not where the batch begins: then whatever came after it in
 * the pipeline does not count. */
static bool is_out_of_turn(const struct session *session)
{
	return session->result[0] && session->result[1] && result_rows(session->result[1]) == 0;
}

/* Only what a batch of this very position has brought counts as this one repeated: the store may move meanwhile. */
static int32_t out_of_turn(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	uint64_t stored = 0;

	session_rollback(&store->session);
	if (!tg_batch_has_after(batch))
		return TG_OK;
	int32_t status = store_position(store, batch->journal, &stored, ret_error);
	if (status != TG_OK || stored == batch->position)
		return status;
	return tg_error_set(ret_error, TG_ERR_REJECTED,
			    "the store stands at record %llu of journal %.*s, not at %llu, which the batch is for",
			    (unsigned long long)stored, (int)batch->journal.len, batch->journal.ptr,
			    (unsigned long long)batch->after);
}

/* One transaction, to its end. */
static int32_t batch_try(struct store *store, const struct tg_batch *batch, struct tg_error *ret_error)
{
	int32_t status = all_send(store, batch, ret_error);

	if (!store->session.broken && is_out_of_turn(&store->session))
		return out_of_turn(store, batch, ret_error);
	if (status == TG_OK)
		status = steps_check(store, ret_error);
	if (status == TG_OK)
		status = session_commit(&store->session, ret_error);
	session_rollback(&store->session);
	return status;
}

int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	struct store *store = self;

	if (!tg_batch_is_sound(batch))
		return tg_error_set(ret_error, TG_ERR_INVALID, "a batch needs a journal and a position below 2^63");
	int32_t status = text_check("journal", batch->journal, ret_error);
	if (status == TG_OK)
		status = changes_gather(&store->changes, batch, ret_error);
	if (status != TG_OK)
		return status;
	store->as_new = store->upserts == 0;
	status = batch_try(store, batch, ret_error);
	if (!store->as_new) {
		store->upserts--;
	} else if (status != TG_OK && strcmp(store->session.state, UNIQUE_VIOLATION) == 0) {
		store->as_new = false;
		store->upserts = UPSERTS;
		status = batch_try(store, batch, ret_error);
	}
	return status;
}

int32_t store_position(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	struct store *store = self;
	struct values values = {0};
	int32_t status = text_check("journal", journal, ret_error);

	values_text(&values, journal);
	if (status == TG_OK)
		status = session_execute(&store->session, STATEMENT_POSITION_GET, &values, TG_ERR_IO, ret_error);
	if (status != TG_OK)
		return status;
	const PGresult *result = store->session.result[0];
	*ret_position = PQntuples(result) > 0 ? (uint64_t)result_number(result, 0, 0) : 0;
	return TG_OK;
}
