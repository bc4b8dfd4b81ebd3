/* The choice of a cycle's next step: on, back, wait or end. Integers only; no state is changed. */
#include "core/trade/executor.h"

#include <string.h>

/* Orders back on one leg before it is given up. Each takes all the depth there is, so more would not help. */
#define UNWIND_TRIES 10

static int32_t opposite(int32_t side)
{
	return side == TG_SIDE_BUY ? TG_SIDE_SELL : TG_SIDE_BUY;
}

static enum leg_verdict plan_leg(const struct executor *executor, const struct work *work, uint32_t leg, bool unwind,
                                 tg_amount have, struct leg_plan *ret_plan)
{
	uint32_t market = work->market[leg];
	int32_t side = work->cycle->leg[leg].side;
	if (market == MARKET_NONE)
		return LEG_HALTED;
	return leg_plan_make(&executor->markets->market[market], unwind ? opposite(side) : side, have, 0, ret_plan);
}

/* What `have` of the currency that leg starts from becomes in the start currency: on through the legs, or back. */
static tg_amount value_forward(const struct executor *executor, const struct work *work, uint32_t leg, tg_amount have)
{
	struct leg_plan plan;
	for (; leg < work->cycle->legs; leg++) {
		if (plan_leg(executor, work, leg, false, have, &plan) != LEG_OK)
			return 0;
		have = plan.received;
	}
	return have;
}

static tg_amount value_back(const struct executor *executor, const struct work *work, uint32_t leg, tg_amount have)
{
	struct leg_plan plan;
	while (leg-- > 0) {
		if (plan_leg(executor, work, leg, true, have, &plan) != LEG_OK)
			return 0;
		have = plan.received;
	}
	return have;
}

static uint32_t tries(const struct cycle *cycle, uint32_t leg, bool unwind)
{
	uint32_t count = 0;
	for (const struct order *order = cycle->orders; order; order = order->next)
		count += order->leg == leg && order->unwind == unwind;
	return count;
}

static bool is_dust(enum leg_verdict verdict)
{
	return verdict == LEG_TOO_SMALL || verdict == LEG_NOTIONAL;
}

/* What of a holding can be traded. Fees of other cycles may have eaten from it, where they are taken in this currency:
 * after a failed try the account's free balance counts, by then it is up to date. */
static tg_amount tradeable(const struct executor *executor, const struct cycle *cycle, uint32_t at)
{
	tg_amount held = cycle->holding[at].amount;
	const char *currency = cycle->holding[at].currency;
	if (tries(cycle, at, false) + tries(cycle, at - 1, true) == 0)
		return held;
	uint32_t id = markets_currency(executor->markets, (struct tg_str){currency, strlen(currency)}, false);
	if (id == CURRENCY_NONE || !executor->portfolio->balance[id].known)
		return held;
	tg_amount free = executor->portfolio->balance[id].free;
	return free < held ? free : held;
}

/* Where to with what is held before leg `at`? STEP_END: it is dust, or given up. */
static void position_step(const struct executor *executor, const struct work *work, uint32_t at, tg_amount held,
                          struct step *step)
{
	const struct cycle *cycle = work->cycle;
	struct leg_plan on, back;
	enum leg_verdict on_verdict = plan_leg(executor, work, at, false, held, &on);
	enum leg_verdict back_verdict = plan_leg(executor, work, at - 1, true, held, &back);
	step->kind = STEP_END;
	/* under the least order of a market it could go to: not worth waiting for the other one's quote */
	if (on_verdict != LEG_OK && back_verdict != LEG_OK && (is_dust(on_verdict) || is_dust(back_verdict)))
		return;

	bool returning = cycle->state == CYCLE_PANIC_SELLING || executor->return_only;
	bool on_possible = tries(cycle, at, false) <= executor->settings.max_retries && (!returning || is_dust(back_verdict));
	bool back_possible = tries(cycle, at - 1, true) < UNWIND_TRIES;
	bool on_better = back_verdict != LEG_OK || !back_possible ||
	                 value_forward(executor, work, at, held) >= value_back(executor, work, at, held);
	step->kind = STEP_ORDER;
	if (on_verdict == LEG_OK && on_possible && on_better) {
		step->leg = at;
		step->unwind = false;
		step->plan = on;
	} else if (back_verdict == LEG_OK && back_possible) {
		step->leg = at - 1;
		step->unwind = true;
		step->plan = back;
	} else if ((on_verdict == LEG_OK && !on_possible && !back_possible) || cycle->order_count + 1 >= ORDERS_PER_CYCLE_MAX) {
		step->kind = STEP_END;
		step->reason = "gave up what is left after all tries";
	} else {
		step->kind = STEP_WAIT; /* a market is halted or has no quote */
	}
}

static bool went_back(const struct cycle *cycle)
{
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (order->unwind && order->filled_base > 0)
			return true;
	return false;
}

static bool came_through(const struct cycle *cycle)
{
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (!order->unwind && order->leg + 1 == cycle->legs && order->filled_base > 0)
			return true;
	return false;
}

static const char *end_reason(const struct cycle *cycle)
{
	if (!cycle->orders)
		return "interrupted before its first order";
	if (went_back(cycle))
		return "unwound the way it came";
	if (cycle->state == CYCLE_PANIC_SELLING)
		return "turned back, but nothing could be traded";
	if (came_through(cycle))
		return NULL;
	if (cycle_step(cycle) > 0)
		return "too little filled to go on: left as dust";
	return cycle->last_order->reason[0] ? cycle->last_order->reason : "nothing filled on leg 1";
}

void step_choose(const struct executor *executor, const struct work *work, struct step *ret_step)
{
	const struct cycle *cycle = work->cycle;
	*ret_step = (struct step){.kind = STEP_END};
	const char *given_up = NULL;
	for (uint32_t at = cycle->legs - 1; at > 0; at--) {
		if (cycle->holding[at].amount <= 0)
			continue;
		position_step(executor, work, at, tradeable(executor, cycle, at), ret_step);
		if (ret_step->kind != STEP_END)
			return;
		if (ret_step->reason)
			given_up = ret_step->reason;
	}
	ret_step->reason = given_up ? given_up : end_reason(cycle);
}
