/* The desk: orders out, what the exchange says of them in, and doubts. An order is on record before its bytes leave; a
 * time-out is `unknown`, never `rejected`; nothing becomes final without evidence. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/base/log.h"
#include "core/trade/client_id.h"
#include "core/trade/executor.h"

/* Where an exchange knows no validity bound: a kernel gives up sending bytes after about 15 minutes (tcp_retries2), so
 * an order may come in that late. */
#define UNBOUNDED_VALID_MS (16 * 60 * 1000)
#define PATIENCE_MAX_NS (INT64_C(24 * 3600) * 1000000000) /* an exchange may ask for patience, but not for ever */

/* ------------------------------------------------------------ tokens */

uint64_t desk_token(const struct order *order, enum token_kind kind)
{
	_Static_assert(ORDERS_PER_CYCLE_MAX <= 128, "an order's place in its cycle has 7 bits");
	const struct cycle *cycle = order->cycle;
	uint64_t place = 0;
	for (const struct order *before = cycle->orders; before != order; before = before->next)
		place++;
	return (uint64_t)cycle->key.epoch << 40 | (uint64_t)cycle->key.number << 8 | (place & 0x7f) << 1 | kind;
}

static struct order *token_order(const struct executor *executor, uint64_t token, enum token_kind *ret_kind)
{
	struct cycle_key key = {(uint32_t)(token >> 40), (uint32_t)(token >> 8)};
	const struct cycle *cycle = model_cycle(executor->keeper->model, key);
	struct order *order = cycle ? cycle->orders : NULL;
	for (uint64_t place = token >> 1 & 0x7f; place > 0 && order; place--)
		order = order->next;
	*ret_kind = token & 1;
	return order;
}

/* ------------------------------------------------------------ order events of ours */

static tg_amount qty_amount(const struct order *order)
{
	tg_amount qty = 0;
	int32_t status = tg_amount_from_decimal(order->qty, &qty);
	assert(status == TG_OK); /* the quantity is ours */
	return qty;
}

static struct work *order_work(const struct order *order)
{
	return order->cycle->user;
}

/* The order has its end: what follows from it for its cycle's bookkeeping. */
static void order_ended(struct executor *executor, const struct order *order)
{
	struct work *work = order_work(order);
	if (!work)
		return;
	if (order->leg == 0 && !order->unwind)
		work->reserved = 0;
	if (work->timer_kind != WORK_TIMER_RETRY)
		work_timer_clear(work);
	work->asked = false;
	work->queries = 0;
	work->refusal_told = false;
	if (work->sent_ns)
		executor->events.round_trip(executor->events.ctx, loop_mono_ns(executor->loop) - work->sent_ns);
	work->sent_ns = 0;
	if (order->filled_base > 0 && order->filled_base < qty_amount(order))
		work_cycle_event(work, CYCLE_EVENT_PARTIAL, NULL);
}

/* An order's outcome is in doubt from now on: its cycle recovers, the exchange is asked. */
static void order_unknown(struct executor *executor, struct order *order, uint8_t before)
{
	struct work *work = order_work(order);
	if (fsm_is_final(&order_fsm, before))
		log_error("order.contradicted", LOG_S("client_id", order->client_id),
			  LOG_S("was", order_state_name(before)));
	if (!work) {
		query_closed(executor, order); /* its cycle is closed: what comes is taken into its figures */
		return;
	}
	if (work->cycle->state != CYCLE_RECOVERING)
		work_cycle_event(work, CYCLE_EVENT_DOUBT, NULL);
	if (!work->asked && work->timer_kind != WORK_TIMER_QUERY)
		query_first(work);
}

static void order_event(struct executor *executor, struct order *order, enum order_event event,
			const struct tg_order_event *said, struct tg_str reason)
{
	if (fsm_next(&order_fsm, order->state, (uint8_t)event) == FSM_ILLEGAL) {
		log_error("order.impossible", LOG_S("client_id", order->client_id),
			  LOG_S("state", order_state_name(order->state)), LOG_S("event", order_fsm.event[event]));
		return;
	}
	struct record_order_event record = {.event = event};
	memcpy(record.client_id, order->client_id, sizeof record.client_id);
	snprintf(record.reason, sizeof record.reason, "%.*s", (int)reason.len, reason.ptr ? reason.ptr : "");
	if (said) {
		record.cum_qty = said->cum_qty;
		snprintf(record.exchange_id, sizeof record.exchange_id, "%.*s", (int)said->exchange_id.len,
			 said->exchange_id.ptr ? said->exchange_id.ptr : "");
	}
	uint8_t before = order->state;
	int status = keeper_commit(executor->keeper, RECORD_ORDER_EVENT, &record, sizeof record);
	assert(status == TG_OK); /* the move was looked up above */
	if (order->state == before)
		return;
	executor->events.order(executor->events.ctx, order, 0);
	if (order_is_final(order))
		order_ended(executor, order);
	else if (order->state == ORDER_UNKNOWN)
		order_unknown(executor, order, before);
}

static void order_doubt(struct executor *executor, struct order *order, struct tg_str why)
{
	if (order->state == ORDER_UNKNOWN)
		return; /* it is being asked for */
	log_warn("order.unknown", LOG_S("client_id", order->client_id), LOG_T("why", why));
	order_event(executor, order, ORDER_EVENT_DOUBT, NULL, why);
}

/* ------------------------------------------------------------ sending */

/* Odd: the way back. The rest is how many starts after its cycle's own the order was made: after a loss of power there
 * may be orders that the journal has forgotten, and their ids must not come again. */
static uint8_t child_of(const struct work *work, bool unwind)
{
	return (uint8_t)((work->executor->settings.epoch - work->cycle->key.epoch) << 1 | unwind);
}

static void intent_fill(const struct work *work, uint32_t leg, bool unwind, const struct leg_plan *plan,
			struct record_order_intent *record)
{
	const struct executor *executor = work->executor;
	const struct market *market = &executor->markets->market[plan->market];
	uint32_t attempt = 0;
	for (const struct order *order = work->cycle->orders; order; order = order->next)
		attempt += order->leg == leg;
	struct client_id id = {.gateway = executor->settings.gateway,
			       .key = work->cycle->key,
			       .leg = (uint8_t)(leg + 1),
			       .attempt = (uint8_t)attempt,
			       .child = child_of(work, unwind)};
	char text[TG_CLIENT_ID_LEN + 1];
	client_id_format(&id, text);
	*record = (struct record_order_intent){
		.key = work->cycle->key,
		.leg = leg,
		.attempt = attempt,
		.unwind = unwind,
		.side = plan->side,
		.time_in_force = executor->settings.all_or_nothing && !unwind ? TG_TIF_FOK : TG_TIF_IOC,
		.price = {plan->limit_ticks * market->tick.mantissa, market->tick.scale, 0},
		.qty = {plan->lots * market->lot.mantissa, market->lot.scale, 0},
		.valid_ms = executor->settings.valid_ms,
	};
	memcpy(record->client_id, text, sizeof record->client_id);
	memcpy(record->market, market->symbol, sizeof record->market);
}

/* The intent is on record, which may have taken its time: the last look at the lease is here. */
static int32_t order_send(struct executor *executor, const struct order *order, uint32_t market,
			  struct tg_error *ret_error)
{
	if (!executor_lease_look(executor))
		return tg_error_set(ret_error, TG_ERR_TIMEOUT, "the lease of its slot has ended");
	struct tg_order_request request = {
		.size = sizeof request,
		.market = market,
		.version = executor->markets->market[market].version,
		.side = order->side,
		.time_in_force = order->time_in_force,
		.client_id = {order->client_id, TG_CLIENT_ID_LEN},
		.price = order->price,
		.qty = order->qty,
		.valid_ms = order->valid_ms,
		.token = desk_token(order, TOKEN_PLACE),
	};
	return executor->exchange->order_place(executor->exchange_self, &request, ret_error);
}

int64_t desk_absent_after_ns(const struct executor *executor, const struct order *order)
{
	int64_t valid_ms = order->valid_ms > 0 ? order->valid_ms : UNBOUNDED_VALID_MS;
	return loop_mono_ns(executor->loop) + (valid_ms + executor->settings.lag_ms) * INT64_C(1000000);
}

int64_t desk_patience_ns(const struct tg_error *error)
{
	if (!error || error->retry_after_ns < 0)
		return 0;
	return error->retry_after_ns < PATIENCE_MAX_NS ? error->retry_after_ns : PATIENCE_MAX_NS;
}

static void order_patience(struct work *work, int32_t status, const struct tg_error *error)
{
	int64_t wait_ns = desk_patience_ns(error);
	if (status == TG_ERR_RATE_LIMITED && wait_ns < work->executor->settings.retry_delay_ns)
		wait_ns = work->executor->settings.retry_delay_ns;
	work->not_before_ns = loop_mono_ns(work->executor->loop) + wait_ns;
}

/* It left, or may have. */
static void order_sent(struct work *work, struct order *order)
{
	struct executor *executor = work->executor;
	struct record_order_event record = {.event = ORDER_EVENT_SEND};
	memcpy(record.client_id, order->client_id, sizeof record.client_id);
	int status = keeper_commit(executor->keeper, RECORD_ORDER_EVENT, &record, sizeof record);
	assert(status == TG_OK);
	work->sent_ns = loop_mono_ns(executor->loop);
	work->absent_after_ns = desk_absent_after_ns(executor, order);
	work_timer_set(work, WORK_TIMER_TIMEOUT, executor->settings.order_timeout_ns);
}

bool desk_send(struct work *work, struct order *order, uint32_t market)
{
	struct executor *executor = work->executor;
	struct tg_error error = tg_error_init();
	int32_t sent = order_send(executor, order, market, &error);
	int64_t tick_to_order_ns = work->tick_wall_ns ? loop_wall_ns(executor->loop) - work->tick_wall_ns : 0;
	work->tick_wall_ns = 0;
	if (work->opening)
		work_tell_opened(work);
	/* by the contract any error means that nothing left; this one says of itself that it does not know */
	if (sent < 0 && sent != TG_ERR_UNKNOWN_OUTCOME) {
		order_patience(work, sent, &error);
		order_event(executor, order, ORDER_EVENT_NOT_SENT, NULL,
			    (struct tg_str){error.message, error.message_len});
		return false;
	}
	order_sent(work, order);
	executor->events.order(executor->events.ctx, order, tick_to_order_ns);
	if (sent == TG_ERR_UNKNOWN_OUTCOME)
		order_doubt(executor, order, (struct tg_str){error.message, error.message_len});
	return true;
}

void desk_abandon(struct work *work, struct order *order, const char *why)
{
	order_event(work->executor, order, ORDER_EVENT_NOT_SENT, NULL, (struct tg_str){why, strlen(why)});
}

bool desk_place(struct work *work, uint32_t leg, bool unwind, const struct leg_plan *plan)
{
	struct executor *executor = work->executor;
	struct record_order_intent intent;
	intent_fill(work, leg, unwind, plan, &intent);
	int status = keeper_commit(executor->keeper, RECORD_ORDER_INTENT, &intent, sizeof intent);
	assert(status == TG_OK); /* room was made when the cycle was opened, and the id is new */
	struct order *order = work->cycle->last_order;
	if (work->cycle->state == CYCLE_VALIDATING)
		work_cycle_event(work, CYCLE_EVENT_ACTIVATE, NULL);
	if (!keeper_write(executor->keeper)) {
		/* the intent is not safely on record, so nothing may leave */
		if (work->opening)
			work_tell_opened(work);
		if (executor->keeper->stalled)
			desk_abandon(work, order, "the journal could not be written");
		return false;
	}
	if (executor->settings.parks) {
		work_park(work, plan);
		return true;
	}
	return desk_send(work, order, plan->market);
}

/* ------------------------------------------------------------ doubts */

/* Every order of the cycle that left and has no end is in doubt. */
static void work_doubt(struct work *work, struct tg_str why)
{
	for (struct order *order = work->cycle->orders; order; order = order->next)
		if (!order_is_final(order) && order->state != ORDER_INTENT)
			order_doubt(work->executor, order, why);
}

void desk_timer(struct work *work, enum work_timer kind)
{
	work->asked = false; /* no answer within the time-out is no answer */
	work_doubt(work, kind == WORK_TIMER_TIMEOUT ? TG_STR("no end within the time-out") : TG_STR("still no end"));
	desk_watch(work);
}

void desk_watch(struct work *work)
{
	if (work->timer_kind == WORK_TIMER_RETRY || work->timer_kind == WORK_TIMER_NONE)
		query_first(work);
}

/* ------------------------------------------------------------ what the exchange says */

static void order_fill(struct executor *executor, struct order *order, const struct tg_order_event *event)
{
	if (order_has_fill(order, event->fill_id))
		return;
	struct record_fill record = {.price = event->fill_price,
				     .qty = event->fill_qty,
				     .fee = event->fee,
				     .exchange_ns = event->exchange_ns};
	memcpy(record.client_id, order->client_id, sizeof record.client_id);
	memcpy(record.fill_id, event->fill_id.ptr, event->fill_id.len);
	if (event->fee_currency.len > 0)
		memcpy(record.fee_currency, event->fee_currency.ptr, event->fee_currency.len);
	uint8_t before = order->state;
	int status = keeper_commit(executor->keeper, RECORD_FILL, &record, sizeof record);
	if (status) {
		/* amounts beyond all sense, or fees in ever new currencies: stop rather than lose count */
		log_error("fill.refused", LOG_S("client_id", order->client_id), LOG_T("fill_id", event->fill_id),
			  LOG_S("error", tg_status_text(status)));
		executor->halted = true;
		return;
	}
	executor->events.fill(executor->events.ctx, order, order->last_fill);
	if (fsm_is_final(&order_fsm, before))
		log_warn("fill.late", LOG_S("client_id", order->client_id), LOG_S("state", order_state_name(before)));
	if (order->state == ORDER_UNKNOWN && before != ORDER_UNKNOWN) {
		executor->events.order(executor->events.ctx, order, 0);
		order_unknown(executor, order, before);
	}
	/* its end was told too early and as another: its fills are the evidence */
	if ((order->state == ORDER_EXPIRED || order->state == ORDER_CANCELLED) &&
	    order->filled_base >= qty_amount(order))
		order_event(executor, order, ORDER_EVENT_COMPLETE, NULL, (struct tg_str){0});
}

/* An order that has fills was not refused, whatever its state says that it came back to. */
static void order_refused(struct executor *executor, struct order *order, const struct tg_order_event *event,
			  struct tg_str reason)
{
	bool absurd = order->filled_base > 0 && (order->state == ORDER_UNKNOWN || order->state == ORDER_LIVE);
	if (absurd)
		order_doubt(executor, order, TG_STR("refused, though it has fills"));
	else
		order_event(executor, order, ORDER_EVENT_REJECT, event, reason);
}

/* A final state tells how much was filled: if fills are missing, they are asked for first. */
static void order_end(struct executor *executor, struct order *order, const struct tg_order_event *event,
		      enum order_event end)
{
	tg_amount filled;
	if (tg_amount_from_decimal(event->cum_qty, &filled) != TG_OK)
		filled = 0;
	if (end == ORDER_EVENT_COMPLETE && filled < qty_amount(order))
		filled = qty_amount(order); /* it says so without the figure */
	if (filled > order->filled_base) {
		order_doubt(executor, order, TG_STR("fills are missing"));
		return;
	}
	struct tg_str reason = {0};
	if (event->reason)
		reason = (struct tg_str){event->reason->message, event->reason->message_len};
	if ((end == ORDER_EVENT_EXPIRE || end == ORDER_EVENT_CANCEL) && order->filled_base >= qty_amount(order))
		end = ORDER_EVENT_COMPLETE; /* whatever it is called: all of it is filled */
	if (end == ORDER_EVENT_REJECT)
		order_refused(executor, order, event, reason);
	else
		order_event(executor, order, end, event, reason);
}

static void order_absent(struct executor *executor, struct order *order, const struct tg_order_event *event)
{
	struct work *work = order_work(order);
	if (!work || order->state != ORDER_UNKNOWN)
		return;
	/* what was there once cannot be absent; and an answer may be as old as its question */
	if (work->asked_ns < work->absent_after_ns || order->accepted || order->filled_base > 0)
		return; /* proves nothing yet: done() puts the next look-up on its way */
	order_event(executor, order, ORDER_EVENT_ABSENT, event,
		    TG_STR("the exchange does not know it, past its validity"));
}

static void on_foreign_order(struct executor *executor, const struct tg_order_event *event)
{
	struct client_id id;
	if (client_id_parse(event->client_id, &id) && id.gateway == executor->settings.gateway) {
		/* of a cycle that ended long ago, or of a lost journal */
		log_warn("order.forgotten", LOG_T("client_id", event->client_id), LOG_I("kind", event->kind));
		return;
	}
	if (executor->foreign_orders++ == 0)
		log_warn("order.foreign", LOG_T("client_id", event->client_id),
			 LOG_S("note", "the account has orders that are not ours; they are not touched"));
}

void executor_on_order(struct executor *executor, const struct tg_order_event *event)
{
	struct order *order = model_order(executor->keeper->model, event->client_id);
	if (!order) {
		on_foreign_order(executor, event);
		return;
	}
	if (!order_event_ok(event)) {
		log_error("order.event_invalid", LOG_S("client_id", order->client_id), LOG_I("kind", event->kind));
		if (!order_is_final(order))
			order_doubt(executor, order, TG_STR("the exchange said something that cannot be"));
		return;
	}
	switch (event->kind) {
	case TG_ORDER_ACCEPTED:
	case TG_ORDER_OPEN: order_event(executor, order, ORDER_EVENT_ACCEPT, event, (struct tg_str){0}); break;
	case TG_ORDER_FILL: order_fill(executor, order, event); break;
	case TG_ORDER_FILLED: order_end(executor, order, event, ORDER_EVENT_COMPLETE); break;
	case TG_ORDER_CANCELLED: order_end(executor, order, event, ORDER_EVENT_CANCEL); break;
	case TG_ORDER_REJECTED: order_end(executor, order, event, ORDER_EVENT_REJECT); break;
	case TG_ORDER_EXPIRED: order_end(executor, order, event, ORDER_EVENT_EXPIRE); break;
	case TG_ORDER_ABSENT: order_absent(executor, order, event); break;
	default: log_error("order.event_unknown", LOG_I("kind", event->kind)); break;
	}
	struct work *work = order_work(order);
	if (work)
		work_advance(work);
}

static void place_done(struct work *work, struct order *order, int32_t status, const struct tg_error *error)
{
	struct executor *executor = work->executor;
	struct tg_str why = {tg_status_text(status), strlen(tg_status_text(status))};
	if (error && error->message_len > 0)
		why = (struct tg_str){error->message, error->message_len};
	switch (status) {
	case TG_OK:
		if (order->state == ORDER_SENT)
			order_event(executor, order, ORDER_EVENT_ACCEPT, NULL, (struct tg_str){0});
		break;
	case TG_ERR_REJECTED:
	case TG_ERR_RETRYABLE:
	case TG_ERR_RATE_LIMITED:
		/* it was not accepted and never will be; a further try is a new order under an id of its own */
		order_patience(work, status, error);
		if (!order_is_final(order))
			order_refused(executor, order, NULL, why);
		break;
	default:
		if (!order_is_final(order))
			order_doubt(executor, order, why);
		break;
	}
}

void executor_on_done(struct executor *executor, uint64_t token, int32_t status, const struct tg_error *error)
{
	enum token_kind kind;
	if (token == MISSED_TOKEN) {
		missed_done(executor, status, error);
		return;
	}
	struct order *order = token_order(executor, token, &kind);
	struct work *work = order ? order_work(order) : NULL;
	if (!work)
		return; /* of a cycle that has its end already */
	if (kind == TOKEN_PLACE)
		place_done(work, order, status, error);
	else
		query_done(work, order, status, error);
	work_advance(work);
}

static void link_lost(struct work *work)
{
	if (work->parked.position > 0)
		work_park_end(work, "the link to the exchange was lost before it left");
	work->asked = false;
	if (work->timer_kind != WORK_TIMER_RETRY)
		work_timer_clear(work);
	work_doubt(work, TG_STR("the link to the exchange was lost"));
}

/* Also when it was up all the time and a freeze ends. */
static void link_found(struct work *work)
{
	if (work->timer_kind == WORK_TIMER_QUERY) {
		work_timer_clear(work);
		work->queries = 0;
	}
	work_advance(work);
}

void executor_on_link(struct executor *executor, bool up)
{
	if (executor->link_up && !up)
		missed_begin(executor);
	executor->link_up = up;
	for (uint32_t i = 0; i < OPEN_CYCLES_MAX; i++) {
		struct work *work = &executor->work[i];
		if (work->cycle)
			(up ? link_found : link_lost)(work);
	}
	if (up) {
		query_all_closed(executor);
		missed_ask(executor);
	}
}
