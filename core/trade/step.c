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
	int32_t side = work->cycle->leg[leg].side;
	if (work->market[leg] == MARKET_NONE)
		return LEG_HALTED;
	return leg_plan_make(&executor->markets->market[work->market[leg]], unwind ? opposite(side) : side, have, 0,
			     ret_plan);
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

/* A parked order is no try yet: while there is one, its step is chosen once more. */
static uint32_t tries(const struct cycle *cycle, uint32_t leg, bool unwind)
{
	uint32_t count = 0;
	for (const struct order *order = cycle->orders; order; order = order->next)
		count += order->leg == leg && order->unwind == unwind && order->state != ORDER_INTENT;
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

/* Both ways from a position, with an amount of it. */
struct ways {
	enum leg_verdict on, back;
	struct leg_plan on_plan, back_plan;
};

static void ways_plan(const struct executor *executor, const struct work *work, uint32_t at, tg_amount amount,
		      struct ways *ret_ways)
{
	ret_ways->on = plan_leg(executor, work, at, false, amount, &ret_ways->on_plan);
	ret_ways->back = plan_leg(executor, work, at - 1, true, amount, &ret_ways->back_plan);
}

/* Did more than what is left go on from here? Then the rest is what rounding or a short fill left. */
static bool is_remainder(const struct cycle *cycle, uint32_t at)
{
	tg_amount gone = 0;
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (order->leg == at && !order->unwind)
			gone += cycle->leg[at].side == TG_SIDE_BUY ? order->filled_quote : order->filled_base;
	return gone > cycle->holding[at].amount;
}

/* Under the least order of both ways; a remainder that cannot go either way now is not worth waiting for the way that
 * it is not too small for. */
static bool is_nothing(const struct cycle *cycle, uint32_t at, const struct ways *ways)
{
	if (is_dust(ways->on) && is_dust(ways->back))
		return true;
	return ways->on != LEG_OK && ways->back != LEG_OK && (is_dust(ways->on) || is_dust(ways->back)) &&
	       is_remainder(cycle, at);
}

/* Of what leg 1 took, that which is back by the same way; and would be with `more`. */
static bool mostly_went_back(const struct cycle *cycle, tg_amount more)
{
	tg_amount gone = 0, back = more;
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (order->leg == 0)
			*(order->unwind ? &back : &gone) +=
				cycle->leg[0].side == TG_SIDE_BUY ? order->filled_quote : order->filled_base;
	return back >= gone - back;
}

static bool came_through(const struct cycle *cycle)
{
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (!order->unwind && order->leg + 1 == cycle->legs && order->filled_base > 0)
			return true;
	return false;
}

/* What to do with a position that some way is left for. */
static void way_choose(const struct executor *executor, const struct work *work, uint32_t at, tg_amount amount,
		       const struct ways *ways, struct step *step)
{
	const struct cycle *cycle = work->cycle;
	bool returning = cycle->state == CYCLE_PANIC_SELLING || executor->return_only;
	bool parked = work->parked.position > 0;
	bool room = cycle->order_count - parked < ORDERS_PER_CYCLE_MAX;
	bool on_left = room && !is_dust(ways->on) && tries(cycle, at, false) <= executor->settings.max_retries &&
		       (!returning || is_dust(ways->back));
	bool back_left = room && !is_dust(ways->back) && tries(cycle, at - 1, true) < UNWIND_TRIES;
	bool on_now = on_left && ways->on == LEG_OK, back_now = back_left && ways->back == LEG_OK;
	tg_amount back_value = back_now ? value_back(executor, work, at, amount) : 0;
	if (on_now && back_now)
		on_now = value_forward(executor, work, at, amount) >= back_value;
	if (on_now) {
		*step = (struct step){.kind = STEP_ORDER, .leg = at, .plan = ways->on_plan};
	} else if (back_now) {
		*step = (struct step){.kind = STEP_ORDER, .leg = at - 1, .unwind = true, .plan = ways->back_plan};
		step->rest = came_through(cycle) && !mostly_went_back(cycle, back_value);
	} else if (on_left || back_left) {
		step->kind = STEP_WAIT; /* a market is halted or has no quote */
	} else {
		step->reason = "gave up what is left after all tries";
	}
}

/* Where to with what is held before leg `at`? STEP_END: it is dust, or given up. */
static void position_step(const struct executor *executor, const struct work *work, uint32_t at, struct step *step)
{
	const struct cycle *cycle = work->cycle;
	tg_amount held = cycle->holding[at].amount, amount = tradeable(executor, cycle, at);
	struct ways ways;
	step->kind = STEP_END;
	ways_plan(executor, work, at, amount, &ways);
	if (!is_nothing(cycle, at, &ways)) {
		way_choose(executor, work, at, amount, &ways, step);
		return;
	}
	if (amount == held)
		return;
	ways_plan(executor, work, at, held, &ways);
	if (!is_nothing(cycle, at, &ways))
		step->kind = STEP_WAIT; /* for the balance: it may be older than the fills */
}

static bool went_back(const struct cycle *cycle)
{
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (order->unwind && order->filled_base > 0)
			return true;
	return false;
}

/* Did the last leg trade the share of its first order, the one that was sized to end the cycle, that is asked for? */
static bool last_leg_suffices(const struct executor *executor, const struct cycle *cycle)
{
	tg_amount wanted = 0, filled = 0;
	for (const struct order *order = cycle->orders; order; order = order->next) {
		if (order->unwind || order->leg + 1 != cycle->legs)
			continue;
		if (wanted == 0)
			tg_amount_from_decimal(order->qty, &wanted); /* ours: it fits */
		filled += order->filled_base;
	}
	return filled >= tg_amount_share(wanted, executor->settings.min_partial_fill_e9, TG_ROUND_DOWN);
}

static const char *end_reason(const struct executor *executor, const struct cycle *cycle)
{
	if (!cycle->orders)
		return "interrupted before its first order";
	if (came_through(cycle) && cycle->state != CYCLE_PANIC_SELLING && !mostly_went_back(cycle, 0))
		return last_leg_suffices(executor, cycle) ? NULL : "the last leg filled less than it must";
	if (went_back(cycle))
		return "unwound the way it came";
	if (cycle->state == CYCLE_PANIC_SELLING)
		return "turned back, but nothing could be traded";
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
		position_step(executor, work, at, ret_step);
		if (ret_step->kind != STEP_END)
			return;
		if (ret_step->reason)
			given_up = ret_step->reason;
	}
	ret_step->reason = given_up ? given_up : end_reason(executor, cycle);
}
