/* A store that holds the rows which a journal comes to, until a test spoils one. It stands in for the simulated one. */
#ifndef TRIGATE_TESTS_OBSERVED_STORE_H
#define TRIGATE_TESTS_OBSERVED_STORE_H

#include "simulation/store.h"
#include "tests/unit/simulation/observed_facts.h"

struct row_copy {
	int32_t kind;
	union {
		struct tg_cycle_row cycle;
		struct tg_order_row order;
		struct tg_fill_row fill;
	};
	char text[8][256];
};

struct sim_store {
	struct row_copy row[4 * ORDERS_MAX];
	uint32_t rows;
	const char *slot_owner;    /* NULL: none is held */
	const char *slot_group[2]; /* of the first, NULL: strategy:round; of the second, NULL: there is none */
	uint32_t slot_state;       /* 0: held */
};

void sim_store_each(struct sim_store *store, int32_t kind, tg_row_fn fn, void *ctx)
{
	for (uint32_t i = 0; i < store->rows; i++)
		if (store->row[i].kind == kind)
			fn(ctx, kind, &store->row[i].cycle);
}

void sim_store_slots(struct sim_store *store, tg_slot_fn fn, void *ctx)
{
	const char *group[2] = {store->slot_group[0] ? store->slot_group[0] : "strategy:round", store->slot_group[1]};
	for (uint64_t i = 0; i < 2 && group[i] && store->slot_owner; i++) {
		struct tg_slot slot = {.size = sizeof slot,
				       .state = store->slot_state ? store->slot_state : TG_SLOT_HELD,
				       .id = 3 + i,
				       .group = str(group[i]),
				       .owner = str(store->slot_owner)};
		fn(ctx, &slot);
	}
}

static struct row_copy *row_add(struct sim_store *store, int32_t kind)
{
	struct row_copy *row = &store->row[store->rows++];
	row->kind = kind;
	return row;
}

__attribute__((format(printf, 3, 4))) static struct tg_str row_text(struct row_copy *row, int at, const char *format,
								    ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(row->text[at], sizeof row->text[at], format, args);
	va_end(args);
	return str(row->text[at]);
}

static void cycle_store(struct sim_store *store, const struct cycle *cycle)
{
	struct row_copy *row = row_add(store, TG_ROW_CYCLE);
	char text[256];
	tg_amount in, out;
	cycle_flows(cycle, &in, &out);
	row->cycle = (struct tg_cycle_row){.step = cycle_step(cycle),
					   .strategy = TG_STR("round"),
					   .exchange = TG_STR("venue"),
					   .currency = TG_STR("USDT"),
					   .planned_in = tg_money_of(cycle->planned_in),
					   .planned_out = tg_money_of(cycle->planned_out),
					   .amount_in = tg_money_of(in),
					   .amount_out = tg_money_of(out),
					   .profit = tg_money_of(cycle_profit(cycle)),
					   .opened_ns = cycle->opened_ns,
					   .closed_ns = cycle->closed_ns};
	row->cycle.id = row_text(row, 0, "0001-%06x-%08x", cycle->key.epoch, cycle->key.number);
	row->cycle.state = row_text(row, 1, "%s", cycle_state_name(cycle->state));
	row->cycle.reason = row_text(row, 2, "%s", cycle->reason);
	cycle_route(cycle, text, sizeof text);
	row->cycle.route = row_text(row, 3, "%s", text);
	cycle_deltas(cycle, text, sizeof text);
	row->cycle.deltas = row_text(row, 4, "%s", text);
}

static void fill_store(struct sim_store *store, const struct order *order, const struct fill *fill)
{
	struct row_copy *row = row_add(store, TG_ROW_FILL);
	row->fill = (struct tg_fill_row){
		.price = fill->price, .qty = fill->qty, .fee = fill->fee, .time_ns = fill->time_ns};
	row->fill.client_id = row_text(row, 0, "%s", order->client_id);
	row->fill.fill_id = row_text(row, 1, "%s", fill->fill_id);
	row->fill.fee_currency = row_text(row, 2, "%s", fill->fee_currency);
}

static void order_store(struct sim_store *store, const struct order *order)
{
	struct row_copy *row = row_add(store, TG_ROW_ORDER);
	row->order = (struct tg_order_row){.side = order->side,
					   .leg = order->leg,
					   .attempt = order->attempt,
					   .time_in_force = order->time_in_force,
					   .price = order->price,
					   .qty = order->qty,
					   .filled_quote = tg_money_of(order->filled_quote),
					   .created_ns = order->created_ns,
					   .updated_ns = order->updated_ns};
	if (tg_decimal_from_amount(order->filled_base, &row->order.filled_qty))
		abort();
	row->order.client_id = row_text(row, 0, "%s", order->client_id);
	row->order.cycle_id = row_text(row, 1, "0001-%06x-%08x", order->cycle->key.epoch, order->cycle->key.number);
	row->order.exchange_id = row_text(row, 2, "%s", order->exchange_id);
	row->order.market = row_text(row, 3, "%s", order->market);
	row->order.state = row_text(row, 4, "%s", order_state_name(order->state));
	row->order.purpose = row_text(row, 5, "%s", order->unwind ? "unwind" : "forward");
	row->order.reason = row_text(row, 6, "%s", order->reason);
	for (const struct fill *fill = order->fills; fill; fill = fill->next)
		fill_store(store, order, fill);
}

static void store_fill(struct sim_store *store, const char *dir)
{
	struct tg_error error = tg_error_init();
	struct model *model;
	memset(store, 0, sizeof *store);
	if (model_load(&disk_system, dir, &model, NULL, &error))
		return; /* a journal that makes no sense has no rows */
	for (const struct cycle *cycle = model_oldest(model); cycle; cycle = cycle->newer) {
		cycle_store(store, cycle);
		for (const struct order *order = cycle->orders; order; order = order->next)
			order_store(store, order);
	}
	model_destroy(model);
}

#endif
