#include "core/trade/executor.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/base/log.h"

/* A held position whose markets take no order: look again so often, give up after so many looks (5 minutes). */
#define WAIT_NS INT64_C(500000000)
#define WAITS_MAX 600
/* A cycle that wants to send while the lease is over tries again so much later. */
#define LEASE_WAIT_NS INT64_C(50000000)

/* ------------------------------------------------------------ work */

static struct work *work_find_free(struct executor *executor)
{
	for (uint32_t i = 0; i < OPEN_CYCLES_MAX; i++)
		if (!executor->work[i].cycle)
			return &executor->work[i];
	return NULL;
}

uint32_t work_market(struct work *work, uint32_t leg)
{
	const char *symbol = work->cycle->leg[leg].market;
	if (work->market[leg] == MARKET_NONE)
		work->market[leg] = markets_find(work->executor->markets, (struct tg_str){symbol, strlen(symbol)});
	return work->market[leg];
}

static void work_find_markets(struct work *work)
{
	for (uint32_t i = 0; i < work->cycle->legs; i++)
		work_market(work, i);
}

/* def: the cycle's, if it is known, which tells its markets without a look-up by their names. */
static struct work *work_begin(struct executor *executor, struct cycle *cycle, const struct cycle_def *def)
{
	struct work *work = work_find_free(executor);
	assert(work); /* there are no more slots than places */
	*work = (struct work){.executor = executor, .cycle = cycle, .def = CYCLE_NONE};
	for (uint32_t i = 0; i < CYCLE_LEGS_MAX; i++)
		work->market[i] = def && i < def->legs ? edge_market(def->edge[i]) : MARKET_NONE;
	if (!def)
		work_find_markets(work);
	cycle->user = work;
	executor->open_count++;
	return work;
}

static void work_end(struct work *work)
{
	work_timer_clear(work);
	slots_give(work->executor->slots);
	work->executor->open_count--;
	work->cycle->user = NULL;
	work->cycle = NULL;
}

static void on_timer(void *ctx)
{
	struct work *work = ctx;
	enum work_timer kind = work->timer_kind;
	work->timer_kind = WORK_TIMER_NONE;
	switch (kind) {
	case WORK_TIMER_RETRY: work_advance(work); break;
	case WORK_TIMER_PARKED: work_park_late(work); break;
	default: desk_timer(work, kind); break;
	}
}

void work_timer_clear(struct work *work)
{
	if (work->timer_kind != WORK_TIMER_NONE)
		loop_timer_stop(work->executor->loop, work->timer);
	work->timer_kind = WORK_TIMER_NONE;
}

void work_timer_set(struct work *work, enum work_timer kind, int64_t delay_ns)
{
	work_timer_clear(work);
	/* the loop was made with room for a timer of each open cycle */
	int status = loop_timer_start(work->executor->loop, delay_ns, on_timer, work, &work->timer);
	assert(status == TG_OK);
	work->timer_kind = kind;
}

/* To tell takes a copy, for which an order need not wait. */
static void work_tell(struct work *work)
{
	if (work->opening)
		work->told_later[work->untold++] = work->cycle->state;
	else
		work->executor->events.cycle(work->executor->events.ctx, work->cycle);
}

void work_tell_opened(struct work *work)
{
	struct cycle cycle = *work->cycle;
	for (uint32_t i = 0; i < work->untold; i++) {
		cycle.state = work->told_later[i];
		work->executor->events.cycle(work->executor->events.ctx, &cycle);
	}
	work->opening = false;
	work->untold = 0;
}

int work_cycle_event(struct work *work, enum cycle_event event, const char *reason)
{
	struct executor *executor = work->executor;
	struct record_cycle_event record = {.key = work->cycle->key, .event = event};
	if (reason)
		snprintf(record.reason, sizeof record.reason, "%s", reason);
	uint8_t before = work->cycle->state;
	int status = keeper_commit(executor->keeper, RECORD_CYCLE_EVENT, &record, sizeof record);
	assert(status == TG_OK); /* the moves of a cycle are ours alone */
	if (work->cycle->state != before)
		work_tell(work);
	return status;
}

/* ------------------------------------------------------------ the lease */

bool executor_lease_look(struct executor *executor)
{
	bool over = !slots_are_ours(executor->slots, loop_boot_ns(executor->loop));
	if (over == executor->lease_over)
		return !over;
	executor->lease_over = over;
	if (over)
		log_error(
			"lease.over", LOG_I("open_cycles", executor->open_count),
			LOG_S("note", "the store has not confirmed our slots in time: nothing is sent until it does"));
	else
		log_info("lease.back", LOG_I("open_cycles", executor->open_count));
	return !over;
}

/* ------------------------------------------------------------ steps */

static void work_close(struct work *work, const char *reason)
{
	/* what was filled must be on record before the slot is free for another cycle */
	work_cycle_event(work, reason ? CYCLE_EVENT_FAIL : CYCLE_EVENT_COMPLETE, reason);
	work_end(work);
}

static void work_wait(struct work *work)
{
	if (work->waits++ < WAITS_MAX) {
		work_timer_set(work, WORK_TIMER_RETRY, WAIT_NS);
		return;
	}
	work_close(work, "gave up: its markets took no orders for five minutes");
}

/* Leave `recovering`, for every outcome is known again; turn back if the step does. */
static void work_turn(struct work *work, const struct step *step)
{
	if (work->cycle->state == CYCLE_RECOVERING && (!step->unwind || step->rest))
		work_cycle_event(work, CYCLE_EVENT_RESUME, NULL);
	if (step->unwind && !step->rest && work->cycle->state != CYCLE_PANIC_SELLING)
		work_cycle_event(work, CYCLE_EVENT_UNWIND, NULL);
}

/* Was an order put off? The exchange may have asked for patience; and the same leg again, right after an order on it
 * ended short, gives the market a moment, once per order. */
static bool work_delays(struct work *work, const struct step *step)
{
	const struct order *last = work->cycle->last_order;
	int64_t delay_ns = work->not_before_ns - loop_mono_ns(work->executor->loop);
	if (last && last->leg == step->leg && last->unwind == step->unwind &&
	    work->delayed_orders != work->cycle->order_count) {
		work->delayed_orders = work->cycle->order_count;
		if (delay_ns < work->executor->settings.retry_delay_ns)
			delay_ns = work->executor->settings.retry_delay_ns;
	}
	if (delay_ns <= 0)
		return false;
	work_timer_set(work, WORK_TIMER_RETRY, delay_ns);
	return true;
}

void work_advance(struct work *work)
{
	struct executor *executor = work->executor;
	if (!work->cycle || !executor_may_act(executor))
		return;
	if (cycle_has_open_order(work->cycle)) {
		desk_watch(work);
		return;
	}
	if (work->timer_kind == WORK_TIMER_RETRY)
		return;
	work_timer_clear(work);
	work_find_markets(work);
	struct step step;
	step_choose(executor, work, &step);
	switch (step.kind) {
	case STEP_END: work_close(work, step.reason); return;
	case STEP_WAIT: work_wait(work); return;
	case STEP_ORDER: break;
	}
	if (!executor_lease_look(executor)) {
		work_timer_set(work, WORK_TIMER_RETRY, LEASE_WAIT_NS);
		return;
	}
	if (work_delays(work, &step))
		return;
	work->waits = 0;
	work_turn(work, &step);
	if (!desk_place(work, step.leg, step.unwind, &step.plan) && !executor->keeper->failed) {
		work->delayed_orders = work->cycle->order_count;
		work_timer_set(work, WORK_TIMER_RETRY, executor->settings.retry_delay_ns);
	}
}

/* ------------------------------------------------------------ opening */

static void leg_fill(const struct markets *markets, uint32_t edge, struct record_leg *leg)
{
	memcpy(leg->market, markets->market[edge_market(edge)].symbol, sizeof leg->market);
	memcpy(leg->from, markets->currency[edge_from(markets, edge)], sizeof leg->from);
	memcpy(leg->to, markets->currency[edge_to(markets, edge)], sizeof leg->to);
	leg->side = edge_side(edge);
}

bool executor_can_open(struct executor *executor)
{
	if (!executor_may_send(executor))
		return false;
	return slots_any(executor->slots) && work_find_free(executor) &&
	       keeper_make_room(executor->keeper, ORDERS_PER_CYCLE_MAX, ORDERS_PER_CYCLE_MAX * BOOK_LEVELS_MAX);
}

bool executor_claim(struct executor *executor)
{
	return executor_lease_look(executor) && slots_take(executor->slots);
}

struct cycle_key executor_next_key(const struct executor *executor)
{
	return (struct cycle_key){executor->settings.epoch, executor->next_number};
}

void executor_open(struct executor *executor, const struct cycle_def *def, const struct cycle_plan *plan,
		   int64_t tick_wall_ns)
{
	struct record_cycle_open record = {
		.key = executor_next_key(executor),
		.legs = def->legs,
		.planned_in = tg_money_of(plan->amount_in),
		.planned_out = tg_money_of(plan->amount_out),
		.net_bps_e6 = plan->net_bps_e6,
	};
	executor->next_number++;
	for (uint32_t i = 0; i < def->legs; i++)
		leg_fill(executor->markets, def->edge[i], &record.leg[i]);
	int status = keeper_commit(executor->keeper, RECORD_CYCLE_OPEN, &record, sizeof record);
	assert(status == TG_OK); /* there is room, and the number is new */
	struct work *work = work_begin(executor, model_cycle(executor->keeper->model, record.key), def);
	work->opening = true;
	work_tell(work);
	work->def = plan->cycle;
	/* what the exchange sets aside for the order, which is more than it spends if it walks over levels of a book */
	work->reserved = plan->leg[0].spent + plan->leg[0].dust;
	work->tick_wall_ns = tick_wall_ns;
	work_cycle_event(work, CYCLE_EVENT_VALIDATE, NULL);
	bool left = desk_place(work, 0, false, &plan->leg[0]);
	if (work->opening)
		work_tell_opened(work);
	if (!left && !executor->keeper->failed)
		work_advance(work); /* nothing left: it ends here */
}

/* ------------------------------------------------------------ restart */

static void order_doubt_at_start(struct executor *executor, struct order *order)
{
	struct record_order_event record = {.event = ORDER_EVENT_DOUBT, .reason = "the gateway restarted"};
	memcpy(record.client_id, order->client_id, sizeof record.client_id);
	int status = keeper_commit(executor->keeper, RECORD_ORDER_EVENT, &record, sizeof record);
	assert(status == TG_OK);
}

static void work_restore(struct executor *executor, struct cycle *cycle)
{
	struct work *work = work_begin(executor, cycle, NULL);
	slots_retake(executor->slots);
	for (struct order *order = cycle->orders; order; order = order->next) {
		if (order_is_final(order))
			continue;
		order_doubt_at_start(executor, order);
		int64_t absent_after_ns = desk_absent_after_ns(executor, order);
		if (work->absent_after_ns < absent_after_ns)
			work->absent_after_ns = absent_after_ns;
		if (order->leg == 0 && !order->unwind)
			work->reserved = cycle->planned_in; /* it may still be on its way */
	}
	work_cycle_event(work, CYCLE_EVENT_DOUBT, NULL);
}

uint32_t executor_restore(struct executor *executor)
{
	uint32_t count = 0;
	for (struct cycle *cycle = model_oldest(executor->keeper->model); cycle; cycle = cycle->newer) {
		if (cycle_is_final(cycle))
			continue;
		if (!work_find_free(executor)) {
			/* no start of ours leaves so many: trade nothing rather than look after a part of them */
			log_error("recovery.too_many", LOG_I("room", OPEN_CYCLES_MAX),
				  LOG_S("note", "the journal has more open cycles than there can be; nothing is sent"));
			executor->halted = true;
			break;
		}
		work_restore(executor, cycle);
		count++;
	}
	return count;
}

/* ------------------------------------------------------------ questions */

tg_amount executor_committed(const struct executor *executor, const char *currency)
{
	tg_amount sum = 0;
	for (uint32_t i = 0, left = executor->open_count; i < OPEN_CYCLES_MAX && left > 0; i++) {
		const struct work *work = &executor->work[i];
		if (!work->cycle)
			continue;
		left--;
		if (strcmp(work->cycle->leg[0].from, currency) == 0)
			sum += work->reserved;
		for (uint32_t leg = 1; leg < work->cycle->legs; leg++)
			if (work->cycle->holding[leg].amount > 0 &&
			    strcmp(work->cycle->holding[leg].currency, currency) == 0)
				sum += work->cycle->holding[leg].amount;
	}
	return sum;
}

bool executor_trades(const struct executor *executor, uint32_t market)
{
	for (uint32_t i = 0, left = executor->open_count; i < OPEN_CYCLES_MAX && left > 0; i++) {
		const struct work *work = &executor->work[i];
		if (!work->cycle)
			continue;
		left--;
		for (uint32_t leg = 0; leg < work->cycle->legs; leg++)
			if (work->market[leg] == market)
				return true;
	}
	return false;
}
