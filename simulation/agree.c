/* The store's rows against the journal, and their figures against the ledger. A row that was found marks its cycle,
 * order or fill of the model as clean; what stays dirty has no row. */
#include "simulation/observer_state.h"
#include "simulation/store.h"

#include <string.h>

static bool same(struct tg_str text, const char *with)
{
	return text.len == strlen(with) && memcmp(text.ptr, with, (size_t)text.len) == 0;
}

/* A row's member that is not what the journal says. */
static void differ(const struct rest *rest, const char *what, struct tg_str key, const char *member)
{
	observer_raise(rest->observer, "agree", "%s %.*s: its row's %s is not what g%u's journal says", what,
		       (int)(key.len < 80 ? key.len : 80), key.ptr, member, rest->gateway);
}

static void text_check(const struct rest *rest, const char *what, struct tg_str key, const char *member,
		       struct tg_str stored, const char *ours)
{
	if (!same(stored, ours))
		observer_raise(rest->observer, "agree", "%s %.*s: %s is \"%.*s\" in the store, \"%s\" in g%u's journal",
			       what, (int)(key.len < 80 ? key.len : 80), key.ptr, member,
			       (int)(stored.len < 80 ? stored.len : 80), stored.ptr, ours, rest->gateway);
}

/* Has the store lost some of this cycle that stood nowhere else any more? */
static bool is_lost(const struct rest *rest, const struct cycle *cycle)
{
	const struct watched *watched = &rest->observer->gateway[rest->gateway];
	for (uint32_t i = 0; i < watched->store_losses; i++) {
		const struct store_loss *loss = &watched->store_loss[i];
		if (cycle->position < loss->first && cycle->changed_position > loss->stands &&
		    cycle->changed_position <= loss->furthest)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------ cycles */

/* From the ledger, whatever the journal says. */
static void cycle_figures_check(const struct rest *rest, const struct tg_cycle_row *row, const struct cycle *cycle)
{
	struct figures figures;
	figures_make(rest, cycle, &figures);
	tg_amount profit = figures_of(&figures, cycle->leg[0].from);
	if (tg_amount_of(row->profit) != profit || tg_amount_of(row->amount_in) != figures.in ||
	    tg_amount_of(row->amount_out) != figures.in + profit)
		observer_raise(rest->observer, "profit",
			       "cycle %s of g%u: %s spent and %s won by its row, %s and %s at the venue",
			       KEY_TEXT(cycle->key), rest->gateway, AMOUNT_TEXT(tg_amount_of(row->amount_in)),
			       AMOUNT_TEXT(tg_amount_of(row->profit)), AMOUNT_TEXT(figures.in), AMOUNT_TEXT(profit));
}

/* First of all, for a row may have been written over by another gateway of the same store. */
static void cycle_opening_check(const struct rest *rest, const struct tg_cycle_row *row, const struct cycle *cycle)
{
	if (row->opened_ns != cycle->opened_ns)
		observer_raise(
			rest->observer, "agree",
			"cycle %s of g%u was opened at %lld ns by its journal, its row is of one opened at %lld ns",
			KEY_TEXT(cycle->key), rest->gateway, (long long)(cycle->opened_ns - WORLD_START_UNIX_NS),
			(long long)(row->opened_ns - WORLD_START_UNIX_NS));
}

static void cycle_row_check(const struct rest *rest, const struct tg_cycle_row *row, const struct cycle *cycle)
{
	char route[CURRENCY_MAX * CYCLE_LEGS_MAX], deltas[256];
	const struct strategy_config *strategy = rest_config(rest)->strategy;
	cycle_route(cycle, route, sizeof route);
	cycle_deltas(cycle, deltas, sizeof deltas);
	cycle_opening_check(rest, row, cycle);
	text_check(rest, "cycle", row->id, "strategy", row->strategy, strategy->name);
	text_check(rest, "cycle", row->id, "exchange", row->exchange, strategy->exchange);
	text_check(rest, "cycle", row->id, "state", row->state, cycle_state_name(cycle->state));
	text_check(rest, "cycle", row->id, "route", row->route, route);
	text_check(rest, "cycle", row->id, "currency", row->currency, cycle->leg[0].from);
	text_check(rest, "cycle", row->id, "deltas", row->deltas, deltas);
	text_check(rest, "cycle", row->id, "reason", row->reason, cycle->reason);
	if (tg_amount_of(row->planned_in) != cycle->planned_in || tg_amount_of(row->planned_out) != cycle->planned_out)
		differ(rest, "cycle", row->id, "plan");
	if (row->step != cycle_step(cycle))
		differ(rest, "cycle", row->id, "step");
	if (row->closed_ns != cycle->closed_ns)
		differ(rest, "cycle", row->id, "end");
	cycle_figures_check(rest, row, cycle);
}

/* An id that begins otherwise is another gateway's. */
static void on_cycle(const struct rest *rest, const struct tg_cycle_row *row)
{
	char id[CYCLE_ID_MAX] = {0};
	const char *gateway_id = rest_config(rest)->config->gateway_id;
	size_t own = strlen(gateway_id);
	struct cycle_key key;
	if (row->id.len >= sizeof id || row->id.len <= own || memcmp(row->id.ptr, gateway_id, own) != 0)
		return;
	memcpy(id, row->id.ptr, (size_t)row->id.len);
	struct cycle *cycle = cycle_key_parse(id + own + 1, &key) == TG_OK ? model_cycle(rest->model, key) : NULL;
	if (!cycle) {
		observer_raise(rest->observer, "agree", "cycle %s stands in the store, not in g%u's journal", id,
			       rest->gateway);
		return;
	}
	cycle->dirty = false;
	if (!is_lost(rest, cycle))
		cycle_row_check(rest, row, cycle);
}

/* ------------------------------------------------------------ orders and fills */

/* The order of a row of this gateway; NULL: of another one, or not in the journal, which is raised. */
static struct order *row_order(const struct rest *rest, const char *what, struct tg_str client_id)
{
	struct client_id id;
	bool parsed = client_id_parse(client_id, &id);
	if (parsed && id.gateway != rest->observer->gateway[rest->gateway].id)
		return NULL;
	struct order *order = parsed ? model_order(rest->model, client_id) : NULL;
	if (!order)
		observer_raise(rest->observer, "agree", "%s %.*s stands in the store, not in g%u's journal", what,
			       (int)(client_id.len < 80 ? client_id.len : 80), client_id.ptr, rest->gateway);
	return order;
}

static void on_order(const struct rest *rest, const struct tg_order_row *row)
{
	struct order *order = row_order(rest, "order", row->client_id);
	char cycle_id[CYCLE_ID_MAX];
	tg_amount filled;
	if (!order || is_lost(rest, order->cycle))
		return;
	order->dirty = false;
	cycle_id_format(rest_config(rest)->config->gateway_id, order->cycle->key, cycle_id);
	text_check(rest, "order", row->client_id, "cycle", row->cycle_id, cycle_id);
	text_check(rest, "order", row->client_id, "exchange id", row->exchange_id, order->exchange_id);
	text_check(rest, "order", row->client_id, "market", row->market, order->market);
	text_check(rest, "order", row->client_id, "state", row->state, order_state_name(order->state));
	text_check(rest, "order", row->client_id, "purpose", row->purpose, order->unwind ? "unwind" : "forward");
	text_check(rest, "order", row->client_id, "reason", row->reason, order->reason);
	if (row->leg != order->leg || row->attempt != order->attempt || row->side != order->side ||
	    row->time_in_force != order->time_in_force)
		differ(rest, "order", row->client_id, "place in its cycle, side or time in force");
	if (tg_decimal_compare(row->price, order->price) != 0 || tg_decimal_compare(row->qty, order->qty) != 0)
		differ(rest, "order", row->client_id, "price or quantity");
	if (tg_amount_from_decimal(row->filled_qty, &filled) != TG_OK || filled != order->filled_base ||
	    tg_amount_of(row->filled_quote) != order->filled_quote)
		differ(rest, "order", row->client_id, "filled quantity");
	if (row->created_ns != order->created_ns || row->updated_ns != order->updated_ns)
		differ(rest, "order", row->client_id, "time");
}

static void on_fill(const struct rest *rest, const struct tg_fill_row *row)
{
	const struct order *order = row_order(rest, "fill of order", row->client_id);
	struct fill *fill = order ? order->fills : NULL;
	if (!order)
		return;
	while (fill && !same(row->fill_id, fill->fill_id))
		fill = fill->next;
	if (!fill) {
		differ(rest, "fill of order", row->client_id, "id");
		return;
	}
	fill->posted = true;
	if (tg_decimal_compare(row->price, fill->price) != 0 || tg_decimal_compare(row->qty, fill->qty) != 0)
		differ(rest, "fill of order", row->client_id, "price or quantity");
	if (tg_decimal_compare(row->fee, fill->fee) != 0 || !same(row->fee_currency, fill->fee_currency))
		differ(rest, "fill of order", row->client_id, "fee");
	if (row->time_ns != fill->time_ns)
		differ(rest, "fill of order", row->client_id, "time");
}

static int32_t row_take(void *ctx, int32_t kind, const void *row)
{
	const struct rest *rest = ctx;
	switch (kind) {
	case TG_ROW_CYCLE: on_cycle(rest, row); break;
	case TG_ROW_ORDER: on_order(rest, row); break;
	case TG_ROW_FILL: on_fill(rest, row); break;
	default: break;
	}
	return 0;
}

/* ------------------------------------------------------------ what has no row */

/* The marks are set anew: the model's own may be wrong. */
static void marks_set(const struct cycle *cycle)
{
	for (struct order *order = cycle->orders; order; order = order->next) {
		order->dirty = true;
		for (struct fill *fill = order->fills; fill; fill = fill->next)
			fill->posted = false;
	}
}

static void missing_check(const struct rest *rest, const struct cycle *cycle)
{
	if (cycle->dirty)
		observer_raise(rest->observer, "agree", "the store lacks cycle %s of g%u", KEY_TEXT(cycle->key),
			       rest->gateway);
	for (const struct order *order = cycle->orders; order; order = order->next) {
		if (order->dirty)
			observer_raise(rest->observer, "agree", "the store lacks order %s of g%u", order->client_id,
				       rest->gateway);
		for (const struct fill *fill = order->fills; fill; fill = fill->next)
			if (!fill->posted)
				observer_raise(rest->observer, "agree", "the store lacks fill %s of order %s of g%u",
					       fill->fill_id, order->client_id, rest->gateway);
	}
}

static int32_t slot_take(void *ctx, const struct tg_slot *slot)
{
	const struct rest *rest = ctx;
	if (same(slot->owner, rest_config(rest)->config->gateway_id))
		observer_raise(rest->observer, "rest", "g%u still holds slot %llu of group %.*s", rest->gateway,
			       (unsigned long long)slot->id, (int)(slot->group.len < 80 ? slot->group.len : 80),
			       slot->group.ptr);
	return 0;
}

void agree_check(const struct rest *rest, struct sim_store *store)
{
	static const int32_t kinds[] = {TG_ROW_CYCLE, TG_ROW_ORDER, TG_ROW_FILL};
	for (struct cycle *cycle = model_oldest(rest->model); cycle; cycle = cycle->newer) {
		cycle->dirty = true;
		marks_set(cycle);
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		sim_store_each(store, kinds[i], row_take, (void *)(uintptr_t)rest);
	for (const struct cycle *cycle = model_oldest(rest->model); cycle; cycle = cycle->newer)
		if (!is_lost(rest, cycle))
			missing_check(rest, cycle);
	sim_store_slots(store, slot_take, (void *)(uintptr_t)rest);
}
