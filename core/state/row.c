#include "core/state/row.h"

#include <assert.h>
#include <string.h>

#include "core/base/utf8.h"

/* Up to its NUL: most are short, and what is behind nobody reads. Both sides have the same size. */
#define TEXT_COPY(to, from) \
	do { \
		static_assert(sizeof(to) >= sizeof(from), "it must fit"); \
		memcpy((to), (from), strnlen((from), sizeof(from) - 1) + 1); \
	} while (0)

/* ----------------------------------------------------- from the model */

static void cycle_progress_fill(const struct cycle *cycle, struct row_cycle_progress *row)
{
	row->step = cycle_step(cycle);
	row->holdings = cycle->holdings;
	row->state = cycle_state_name(cycle->state);
	cycle_flows(cycle, &row->amount_in, &row->amount_out);
	row->profit = cycle_profit(cycle);
	row->closed_ns = cycle->closed_ns;
	TEXT_COPY(row->reason, cycle->reason);
	memcpy(row->holding, cycle->holding, cycle->holdings * sizeof *row->holding);
}

void row_of_cycle(const struct cycle *cycle, enum row_shape shape, const char *strategy, const char *exchange,
		  struct row *row)
{
	row->urgent = cycle_is_final(cycle);
	row->cycle = cycle->key;
	if (shape == ROW_PROGRESS) {
		row->kind = TG_ROW_CYCLE_PROGRESS;
		cycle_progress_fill(cycle, &row->cycle_progress);
		return;
	}
	row->kind = TG_ROW_CYCLE;
	struct row_cycle *r = &row->cycle_row;
	cycle_progress_fill(cycle, &r->progress);
	r->strategy = strategy;
	r->exchange = exchange;
	r->planned_in = cycle->planned_in;
	r->planned_out = cycle->planned_out;
	r->opened_ns = cycle->opened_ns;
	r->legs = cycle->legs;
	for (uint32_t i = 0; i < cycle->legs; i++)
		TEXT_COPY(r->route[i], cycle->leg[i].from);
}

static void order_progress_fill(const struct order *order, struct row_order_progress *row)
{
	row->state = order_state_name(order->state);
	row->filled_base = order->filled_base;
	row->filled_quote = order->filled_quote;
	row->updated_ns = order->updated_ns;
	memcpy(row->client_id, order->client_id, sizeof row->client_id);
	TEXT_COPY(row->exchange_id, order->exchange_id);
	TEXT_COPY(row->reason, order->reason);
}

void row_of_order(const struct order *order, enum row_shape shape, struct row *row)
{
	row->urgent = false;
	row->cycle = order->cycle->key;
	if (shape == ROW_PROGRESS) {
		row->kind = TG_ROW_ORDER_PROGRESS;
		order_progress_fill(order, &row->order_progress);
		return;
	}
	row->kind = TG_ROW_ORDER;
	struct row_order *r = &row->order;
	order_progress_fill(order, &r->progress);
	r->purpose = order->unwind ? "unwind" : "forward";
	r->side = order->side;
	r->time_in_force = order->time_in_force;
	r->leg = order->leg;
	r->attempt = order->attempt;
	r->price = order->price;
	r->qty = order->qty;
	r->created_ns = order->created_ns;
	TEXT_COPY(r->market, order->market);
}

void row_of_fill(const struct order *order, const struct fill *fill, struct row *row)
{
	row->urgent = false;
	row->cycle = order->cycle->key;
	row->kind = TG_ROW_FILL;
	struct row_fill *r = &row->fill;
	r->price = fill->price;
	r->qty = fill->qty;
	r->fee = fill->fee;
	r->time_ns = fill->time_ns;
	memcpy(r->client_id, order->client_id, sizeof r->client_id);
	TEXT_COPY(r->fill_id, fill->fill_id);
	TEXT_COPY(r->fee_currency, fill->fee_currency);
}

/* ----------------------------------------------------- for the store */

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

/* What an exchange said may be no UTF-8, or was cut within a character; a store that refuses it would never take the
 * batch. */
static struct tg_str said(const char *text, char room[ROW_SAID_MAX])
{
	size_t len = strlen(text);
	memcpy(room, text, len);
	room[len] = '\0';
	utf8_repair(room, len);
	return (struct tg_str){room, len};
}

static_assert(ROW_SAID_MAX >= REASON_MAX && ROW_SAID_MAX >= EXCHANGE_ID_MAX && ROW_SAID_MAX >= FILL_ID_MAX &&
		      ROW_SAID_MAX >= CURRENCY_MAX,
	      "whatever is said must fit");

#define CLIENT_ID(row) ((struct tg_str){(row)->client_id, TG_CLIENT_ID_LEN})

/* "USDT>BTC>ETH" */
static struct tg_str route_show(const struct row_cycle *row, char *text)
{
	char *at = text;
	for (uint32_t i = 0; i < row->legs; i++) {
		if (i > 0)
			*at++ = '>';
		at = stpcpy(at, row->route[i]);
	}
	return (struct tg_str){text, (uint64_t)(at - text)};
}

/* "USDT=0.12 BTC=-0.0001", without zero ones */
static struct tg_str deltas_show(const struct row_cycle_progress *row, char *text)
{
	char *at = text;
	for (uint32_t i = 0; i < row->holdings; i++) {
		if (row->holding[i].amount == 0)
			continue;
		if (at > text)
			*at++ = ' ';
		at = stpcpy(at, row->holding[i].currency);
		*at++ = '=';
		at += tg_amount_format(row->holding[i].amount, at, TG_AMOUNT_TEXT_MAX);
	}
	utf8_repair(text, (size_t)(at - text)); /* a fee's currency is the exchange's word */
	return (struct tg_str){text, (uint64_t)(at - text)};
}

static void cycle_progress_show(const struct row_cycle_progress *row, struct row_shown *shown)
{
	shown->cycle_progress = (struct tg_cycle_progress){
		.size = sizeof shown->cycle_progress,
		.step = row->step,
		.id = str(shown->cycle_id),
		.state = str(row->state),
		.deltas = deltas_show(row, shown->deltas),
		.reason = said(row->reason, shown->said[0]),
		.amount_in = tg_money_of(row->amount_in),
		.amount_out = tg_money_of(row->amount_out),
		.profit = tg_money_of(row->profit),
		.closed_ns = row->closed_ns,
	};
}

static void cycle_show(const struct row_cycle *row, struct row_shown *shown)
{
	const struct row_cycle_progress *progress = &row->progress;
	shown->cycle = (struct tg_cycle_row){
		.size = sizeof shown->cycle,
		.step = progress->step,
		.id = str(shown->cycle_id),
		.strategy = str(row->strategy),
		.exchange = str(row->exchange),
		.state = str(progress->state),
		.route = route_show(row, shown->route),
		.currency = str(row->route[0]),
		.planned_in = tg_money_of(row->planned_in),
		.planned_out = tg_money_of(row->planned_out),
		.amount_in = tg_money_of(progress->amount_in),
		.amount_out = tg_money_of(progress->amount_out),
		.profit = tg_money_of(progress->profit),
		.deltas = deltas_show(progress, shown->deltas),
		.reason = said(progress->reason, shown->said[0]),
		.opened_ns = row->opened_ns,
		.closed_ns = progress->closed_ns,
	};
}

/* A sum of quantities of one market's lots fits what each of them fits; of what an exchange made up instead, the first
 * digits. */
static struct tg_decimal filled_show(const struct row_order_progress *row)
{
	struct tg_decimal filled = {0};
	for (tg_amount amount = row->filled_base, unit = 10; tg_decimal_from_amount(amount, &filled); unit *= 10)
		amount -= amount % unit;
	return filled;
}

static void order_progress_show(const struct row_order_progress *row, struct row_shown *shown)
{
	shown->order_progress = (struct tg_order_progress){
		.size = sizeof shown->order_progress,
		.client_id = CLIENT_ID(row),
		.exchange_id = said(row->exchange_id, shown->said[1]),
		.state = str(row->state),
		.reason = said(row->reason, shown->said[0]),
		.filled_qty = filled_show(row),
		.filled_quote = tg_money_of(row->filled_quote),
		.updated_ns = row->updated_ns,
	};
}

static void order_show(const struct row_order *row, struct row_shown *shown)
{
	const struct row_order_progress *progress = &row->progress;
	shown->order = (struct tg_order_row){
		.size = sizeof shown->order,
		.side = row->side,
		.client_id = CLIENT_ID(progress),
		.cycle_id = str(shown->cycle_id),
		.exchange_id = said(progress->exchange_id, shown->said[1]),
		.market = str(row->market),
		.state = str(progress->state),
		.purpose = str(row->purpose),
		.reason = said(progress->reason, shown->said[0]),
		.leg = row->leg,
		.attempt = row->attempt,
		.time_in_force = row->time_in_force,
		.price = row->price,
		.qty = row->qty,
		.filled_qty = filled_show(progress),
		.filled_quote = tg_money_of(progress->filled_quote),
		.created_ns = row->created_ns,
		.updated_ns = progress->updated_ns,
	};
}

static void fill_show(const struct row_fill *row, struct row_shown *shown)
{
	shown->fill = (struct tg_fill_row){
		.size = sizeof shown->fill,
		.client_id = CLIENT_ID(row),
		.fill_id = said(row->fill_id, shown->said[0]),
		.price = row->price,
		.qty = row->qty,
		.fee = row->fee,
		.fee_currency = said(row->fee_currency, shown->said[1]),
		.time_ns = row->time_ns,
	};
}

static void event_show(const struct row_event *row, const char *gateway_id, struct row_shown *shown)
{
	shown->event = (struct tg_event_row){
		.size = sizeof shown->event,
		.position = row->position,
		.time_ns = row->time_ns,
		.journal = str(gateway_id),
		.kind = str(row->kind),
		.cycle_id = {"", 0},
		.client_id = {"", 0},
		.text = said(row->text, shown->said[0]),
	};
}

void row_show(const struct row *row, const char *gateway_id, struct row_shown *ret_shown)
{
	ret_shown->record = (struct tg_record){.kind = row->kind, .row = &ret_shown->cycle};
	ret_shown->cycle_id[0] = '\0';
	if (row->kind != TG_ROW_EVENT)
		cycle_id_format(gateway_id, row->cycle, ret_shown->cycle_id);
	switch (row->kind) {
	case TG_ROW_CYCLE: cycle_show(&row->cycle_row, ret_shown); break;
	case TG_ROW_CYCLE_PROGRESS: cycle_progress_show(&row->cycle_progress, ret_shown); break;
	case TG_ROW_ORDER: order_show(&row->order, ret_shown); break;
	case TG_ROW_ORDER_PROGRESS: order_progress_show(&row->order_progress, ret_shown); break;
	case TG_ROW_FILL: fill_show(&row->fill, ret_shown); break;
	default: assert(row->kind == TG_ROW_EVENT); event_show(&row->event, gateway_id, ret_shown);
	}
}
