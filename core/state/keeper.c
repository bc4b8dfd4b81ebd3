#include "core/state/keeper.h"

#include <stdio.h>
#include <string.h>

#define TEXT_COPY(to, from) snprintf((to), sizeof(to), "%s", (from))

int keeper_commit(struct keeper *keeper, uint16_t type, const void *payload, uint32_t size)
{
	struct journal_entry entry = {
		.position = journal_position(keeper->journal) + 1,
		.time_ns = loop_unix_ns(keeper->loop),
		.type = type,
		.version = RECORD_VERSION,
		.size = size,
		.payload = payload,
	};
	int status = model_apply(keeper->model, &entry);
	if (status)
		return status;
	keeper_note(keeper, type, payload, size);
	keeper->changed = true;
	return TG_OK;
}

bool keeper_make_room(struct keeper *keeper, uint32_t orders, uint32_t fills)
{
	while (!model_has_room(keeper->model, orders, fills)) {
		const struct cycle *cycle = model_forgettable(keeper->model);
		if (!cycle)
			return false;
		struct record_forget record = {cycle->key};
		keeper_commit(keeper, RECORD_FORGET, &record, sizeof record);
	}
	return true;
}

void keeper_note(struct keeper *keeper, uint16_t type, const void *payload, uint32_t size)
{
	journal_append(keeper->journal, loop_unix_ns(keeper->loop), type, RECORD_VERSION, payload, size);
}

static bool status_keep(struct keeper *keeper, int status)
{
	keeper->stalled = status == TG_ERR_RETRYABLE;
	keeper->failed = status != TG_OK && !keeper->stalled;
	return status == TG_OK;
}

bool keeper_flush(struct keeper *keeper)
{
	if (keeper->failed)
		return false;
	keeper->error = tg_error_init();
	return status_keep(keeper, journal_flush(keeper->journal, &keeper->error));
}

bool keeper_retry(struct keeper *keeper)
{
	if (keeper->failed)
		return false;
	keeper->error = tg_error_init();
	return status_keep(keeper, journal_retry(keeper->journal, &keeper->error));
}

/* ------------------------------------------------------------ rows */

static void cycle_row(const struct keeper *keeper, const struct cycle *cycle, struct row *row)
{
	row->kind = TG_ROW_CYCLE;
	row->urgent = cycle_is_final(cycle);
	struct row_cycle *r = &row->cycle;
	memset(r, 0, sizeof *r);
	cycle_id_format(keeper->gateway_id, cycle->key, r->id);
	TEXT_COPY(r->strategy, keeper->strategy);
	TEXT_COPY(r->exchange, keeper->exchange);
	TEXT_COPY(r->state, cycle_state_name(cycle->state));
	TEXT_COPY(r->currency, cycle->leg[0].from);
	TEXT_COPY(r->reason, cycle->reason);
	cycle_route(cycle, r->route, sizeof r->route);
	cycle_deltas(cycle, r->deltas, sizeof r->deltas);
	r->step = cycle_step(cycle);
	r->planned_in = cycle->planned_in;
	r->planned_out = cycle->planned_out;
	cycle_flows(cycle, &r->amount_in, &r->amount_out);
	r->profit = cycle_profit(cycle);
	r->opened_ns = cycle->opened_ns;
	r->closed_ns = cycle->closed_ns;
}

static void order_row(const struct keeper *keeper, const struct order *order, struct row *row)
{
	row->kind = TG_ROW_ORDER;
	row->urgent = false;
	struct row_order *r = &row->order;
	memset(r, 0, sizeof *r);
	TEXT_COPY(r->client_id, order->client_id);
	cycle_id_format(keeper->gateway_id, order->cycle->key, r->cycle_id);
	TEXT_COPY(r->exchange_id, order->exchange_id);
	TEXT_COPY(r->market, order->market);
	TEXT_COPY(r->state, order_state_name(order->state));
	TEXT_COPY(r->purpose, order->unwind ? "unwind" : "forward");
	TEXT_COPY(r->reason, order->reason);
	r->side = order->side;
	r->time_in_force = order->time_in_force;
	r->leg = order->leg;
	r->attempt = order->attempt;
	r->price = order->price;
	r->qty = order->qty;
	/* both are sums of quantities of one market's lots: they fit what the quantities fit */
	if (tg_decimal_from_amount(order->filled_base, &r->filled_qty))
		r->filled_qty = order->qty;
	r->filled_quote = order->filled_quote;
	r->created_ns = order->created_ns;
	r->updated_ns = order->updated_ns;
}

static void fill_row(const struct order *order, const struct fill *fill, struct row *row)
{
	row->kind = TG_ROW_FILL;
	row->urgent = false;
	struct row_fill *r = &row->fill;
	memset(r, 0, sizeof *r);
	TEXT_COPY(r->client_id, order->client_id);
	TEXT_COPY(r->fill_id, fill->fill_id);
	TEXT_COPY(r->fee_currency, fill->fee_currency);
	r->price = fill->price;
	r->qty = fill->qty;
	r->fee = fill->fee;
	r->time_ns = fill->time_ns;
}

static bool row_post(struct keeper *keeper)
{
	keeper->row.position = journal_position(keeper->journal);
	return writer_post(keeper->writer, &keeper->row);
}

static bool order_post(struct keeper *keeper, struct order *order)
{
	if (order->dirty) {
		order_row(keeper, order, &keeper->row);
		if (!row_post(keeper))
			return false;
		order->dirty = false;
	}
	for (struct fill *fill = order->fills; fill; fill = fill->next) {
		if (fill->posted)
			continue;
		fill_row(order, fill, &keeper->row);
		if (!row_post(keeper))
			return false;
		fill->posted = true;
	}
	return true;
}

/* The cycle's row first: its orders refer to it. */
static bool cycle_post(struct keeper *keeper, struct cycle *cycle)
{
	if (!cycle->dirty)
		return true;
	cycle_row(keeper, cycle, &keeper->row);
	if (!row_post(keeper))
		return false;
	for (struct order *order = cycle->orders; order; order = order->next)
		if (!order_post(keeper, order))
			return false;
	cycle->dirty = false;
	return true;
}

void keeper_pass_end(struct keeper *keeper)
{
	if (!keeper_flush(keeper))
		return;
	journal_turn(keeper->journal);
	if (!keeper->changed)
		return;
	for (struct cycle *cycle = model_oldest(keeper->model); cycle; cycle = cycle->newer)
		if (!cycle_post(keeper, cycle))
			return; /* the ring is full: the rest goes with a later pass */
	keeper->changed = false;
	writer_mark(keeper->writer, journal_position(keeper->journal));
}

bool keeper_is_behind(const struct keeper *keeper)
{
	return keeper->changed;
}
