/* The best size of a cycle.
 *
 * Without whole lots the profit rises with the amount as long as one more unit, at the level each leg stands at, comes
 * back as more than one: the optimum is where a level ends, where the budget ends, or where the average falls to the
 * threshold. appetite() finds that point in doubles; it decides nothing, it only says where to look.
 *
 * With whole lots every amount wastes something in each leg. Of all amounts that trade n lots in some leg the least one
 * is the best, for the result is the same; so it suffices to try numbers of lots of one leg, the one with the fewest
 * (the pivot), each at its least amount, found by going backwards from that leg to the first. With up to TRIES_ALL of
 * them every one is tried, and the answer is the best there is. With more, those within TRIES_NEAR around the point are
 * tried; what is missed is then less than the waste of one pivot lot. Every try is evaluated exactly, leg by leg, and
 * the best exact profit wins. */
#include "core/arbitrage/sizing.h"

#include <assert.h>

#include "core/arbitrage/leg.h"
#include "core/arbitrage/wide.h"

#define TRIES_ALL 32
#define TRIES_NEAR 8
#define BPS_E6 (INT64_C(10000) * 1000000)

struct task {
	const struct markets *markets;
	const struct cycle_def *def;
	const struct sizing_limits *limits;
	uint32_t pivot;
	int64_t least[CYCLE_LEGS_MAX]; /* lots that each leg needs so that it and all behind it meet their minima */
	bool reached;                  /* best meets the threshold */
	tg_amount best_profit;
	struct cycle_plan *best; /* legs 0: nothing yet */
};

static const struct market *leg_market(const struct task *task, uint32_t leg)
{
	return &task->markets->market[edge_market(task->def->edge[leg])];
}

static int32_t leg_side(const struct task *task, uint32_t leg)
{
	return edge_side(task->def->edge[leg]);
}

const char *sizing_verdict_text(enum sizing_verdict verdict)
{
	static const char *const text[] = {
		[SIZE_OK] = "ok",
		[SIZE_HALTED] = "a market takes no orders",
		[SIZE_NO_QUOTE] = "a quote is missing",
		[SIZE_LOTS] = "the depth does not hold one whole-lot size of every leg",
		[SIZE_NOTIONAL] = "a leg is under the market's minimum notional",
		[SIZE_THRESHOLD] = "net profit is below the threshold at every size",
		[SIZE_BUDGET] = "the budget is below the smallest order",
	};
	return text[verdict];
}

/* ---- one amount, exactly ---- */

/* The most that it can cost, in `to`, to get `amount` of `from` at the top of the book of their pair. */
static bool value_at_worst(const struct markets *markets, tg_amount amount, uint32_t from, uint32_t to,
			   tg_amount *ret_value)
{
	tg_amount price;

	if (from == to) {
		*ret_value = amount;
		return true;
	}
	uint32_t buys = markets_pair(markets, from, to), sells = markets_pair(markets, to, from);
	const struct market *market = buys != MARKET_NONE    ? &markets->market[buys]
				      : sells != MARKET_NONE ? &markets->market[sells]
							     : NULL;
	if (!market)
		return false;
	int64_t ticks = buys != MARKET_NONE ? market->book.best_ask : market->book.best_bid;
	if (ticks == 0 || __builtin_mul_overflow(market->quote_unit, (tg_amount)ticks, &price))
		return false;
	if (buys != MARKET_NONE)
		return wide_mul_div(amount, price, market->lot_unit, TG_ROUND_UP, ret_value);
	return wide_mul_div(amount, market->lot_unit, price, TG_ROUND_UP, ret_value);
}

/* A fee of so much `received` as the exchange takes it in the third currency: over their market, else over the start
 * currency. */
static bool third_fee_amount(const struct markets *markets, tg_amount fee, uint32_t received, uint32_t third,
			     uint32_t start, tg_amount *ret_fee)
{
	tg_amount between;

	return value_at_worst(markets, fee, received, third, ret_fee) ||
	       (value_at_worst(markets, fee, received, start, &between) &&
		value_at_worst(markets, between, start, third, ret_fee));
}

/* Add the fee of a leg that is paid in a third currency: as much of that as the fee is worth, rounded up to its
 * fee_scale, and what buying that back costs in the start currency. */
static bool third_fee_add(const struct task *task, struct cycle_plan *plan, uint32_t leg)
{
	const struct market *market = leg_market(task, leg);
	uint32_t start = edge_from(task->markets, task->def->edge[0]);
	uint32_t received = edge_to(task->markets, task->def->edge[leg]);
	tg_amount fee, value;

	if (leg_fee_deducted(market, leg_side(task, leg)))
		return true;
	if (!third_fee_amount(task->markets, plan->leg[leg].fee, received, market->fee_currency, start, &fee))
		return false;
	fee = tg_amount_round(fee, market->fee_scale, TG_ROUND_UP);
	plan->third_currency = market->fee_currency;
	return value_at_worst(task->markets, fee, market->fee_currency, start, &value) &&
	       !__builtin_add_overflow(plan->third_owed, fee, &plan->third_owed) &&
	       !__builtin_add_overflow(plan->third_fees, value, &plan->third_fees);
}

static int64_t net_bps_e6(tg_amount profit, tg_amount amount_in)
{
	tg_amount net;
	bool loss = profit < 0;

	if (!wide_mul_div(loss ? -profit : profit, BPS_E6, amount_in, loss ? TG_ROUND_UP : TG_ROUND_DOWN, &net) ||
	    net > INT64_MAX)
		return loss ? INT64_MIN : INT64_MAX;
	return (int64_t)(loss ? -net : net);
}

static tg_amount plan_profit(const struct cycle_plan *plan)
{
	return plan->amount_out - plan->amount_in - plan->third_fees;
}

static enum sizing_verdict verdict_of(enum leg_verdict verdict)
{
	static const enum sizing_verdict of[] = {
		[LEG_OK] = SIZE_OK,          [LEG_HALTED] = SIZE_HALTED,  [LEG_NO_QUOTE] = SIZE_NO_QUOTE,
		[LEG_TOO_SMALL] = SIZE_LOTS, [LEG_TOO_LARGE] = SIZE_LOTS, [LEG_NOTIONAL] = SIZE_NOTIONAL,
	};
	return of[verdict];
}

/* Run `have` through all legs. */
static enum sizing_verdict plan_make(const struct task *task, tg_amount have, struct cycle_plan *ret_plan)
{
	assert(task->def->legs > 0);
	ret_plan->cycle = 0;
	ret_plan->legs = task->def->legs;
	ret_plan->third_fees = 0;
	ret_plan->third_owed = 0;
	ret_plan->dust_value = 0;
	for (uint32_t i = 0; i < task->def->legs; i++) {
		enum leg_verdict verdict =
			leg_plan_make(leg_market(task, i), leg_side(task, i), have, 0, &ret_plan->leg[i]);
		if (verdict != LEG_OK)
			return i == 0 && verdict == LEG_TOO_SMALL ? SIZE_BUDGET : verdict_of(verdict);
		if (!third_fee_add(task, ret_plan, i))
			return SIZE_NO_QUOTE;
		have = ret_plan->leg[i].received;
	}
	ret_plan->amount_in = ret_plan->leg[0].spent;
	ret_plan->amount_out = have;
	return SIZE_OK;
}

/* Is its net_bps_e6, rounded down, at least the threshold? Told without the division, for each plan that is tried. */
static bool plan_reaches(const struct task *task, const struct cycle_plan *plan)
{
	tg_amount profit = plan_profit(plan), gained, wanted;
	int64_t least = task->limits->min_net_bps_e6;
	if (__builtin_mul_overflow(profit, (tg_amount)BPS_E6, &gained) ||
	    __builtin_mul_overflow(plan->amount_in, (tg_amount)least, &wanted))
		return net_bps_e6(profit, plan->amount_in) >= least;
	return gained >= wanted;
}

/* Remember the plan if it is the best: one that reaches the threshold before one that does not, then by profit. */
static void plan_offer(struct task *task, const struct cycle_plan *plan)
{
	bool reaches = plan_reaches(task, plan);
	tg_amount profit = plan_profit(plan);

	if (task->best->legs > 0 &&
	    (reaches < task->reached || (reaches == task->reached && profit <= task->best_profit)))
		return;
	task->reached = reaches;
	task->best_profit = profit;
	*task->best = *plan;
}

/* ---- from lots of a leg back to the amount ---- */

/* Lots that each leg needs for its own minima and for those of the legs behind it. */
static bool task_minima(struct task *task)
{
	for (uint32_t i = task->def->legs; i-- > 0;) {
		if (!leg_lots_least(leg_market(task, i), leg_side(task, i), &task->least[i]))
			return false;
		if (i + 1 == task->def->legs)
			continue;
		tg_amount need;
		int64_t lots;
		if (!leg_cost(leg_market(task, i + 1), leg_side(task, i + 1), task->least[i + 1], &need) ||
		    !leg_lots_for(leg_market(task, i), leg_side(task, i), need, &lots))
			return false;
		if (lots > task->least[i])
			task->least[i] = lots;
	}
	return true;
}

/* The least amount that trades `lots` in the pivot leg. */
static bool amount_for(const struct task *task, int64_t lots, tg_amount *ret_amount)
{
	tg_amount need;

	for (uint32_t i = task->pivot;; i--) {
		if (lots < task->least[i])
			lots = task->least[i];
		if (!leg_cost(leg_market(task, i), leg_side(task, i), lots, &need))
			return false;
		if (i == 0)
			break;
		if (!leg_lots_for(leg_market(task, i - 1), leg_side(task, i - 1), need, &lots))
			return false;
	}
	*ret_amount = need;
	return true;
}

static void lots_try(struct task *task, int64_t lots)
{
	struct cycle_plan plan;
	tg_amount amount;

	if (!amount_for(task, lots, &amount) || amount > task->limits->budget)
		return;
	if (plan_make(task, amount, &plan) == SIZE_OK)
		plan_offer(task, &plan);
}

/* ---- where to look ---- */

/* A leg while an amount flows through all legs at once. Amounts are doubles in units of 1e-18. */
struct flow {
	const struct level *level;
	uint32_t count;
	uint32_t at;
	double room; /* what the present level still takes, of edge_from */
	double rate; /* edge_to per edge_from at the present level, after fees */
	double lots; /* that the market's maximum still allows */
};

/* Enter the present level; false if there is none. */
static bool flow_enter(struct flow *flow, const struct market *market, int32_t side)
{
	if (flow->at == flow->count || flow->lots < 1)
		return false;
	const struct level *level = &flow->level[flow->at];
	double lots = (double)level->lots < flow->lots ? (double)level->lots : flow->lots;
	double quote = (double)market->quote_unit * (double)level->ticks, base = (double)market->lot_unit;
	double kept = (double)(TG_E9 - market->taker_e9) / (double)TG_E9;
	flow->room = lots * (side == TG_SIDE_SELL ? base : quote);
	flow->rate = kept * (side == TG_SIDE_SELL ? quote / base : base / quote);
	flow->lots -= lots;
	return true;
}

/* The leg whose level ends first and the amount of the start currency until then; also the product of all rates. */
static uint32_t flows_narrowest(const struct flow *flow, uint32_t legs, double *ret_room, double *ret_rate)
{
	uint32_t narrowest = 0;
	double rate = 1, room = 0;

	for (uint32_t i = 0; i < legs; i++) {
		if (i == 0 || flow[i].room / rate < room) {
			room = flow[i].room / rate;
			narrowest = i;
		}
		rate *= flow[i].rate;
	}
	*ret_room = room;
	*ret_rate = rate;
	return narrowest;
}

static void flows_advance(struct flow *flow, uint32_t legs, double amount)
{
	for (uint32_t i = 0; i < legs; i++) {
		flow[i].room -= amount;
		if (flow[i].room < 0) /* rounding */
			flow[i].room = 0;
		amount *= flow[i].rate;
	}
}

/* How much further, at most `step`, the average of what came back stays at `least` times what went in. */
static double step_bounded(double step, double in, double out, double rate, double least)
{
	if (rate >= least)
		return step;
	double bound = (out - in * least) / (least - rate);
	return bound < step ? bound : step;
}

/* The amount of most profit, were lots infinitely small. */
static double appetite(const struct task *task)
{
	struct flow flow[CYCLE_LEGS_MAX];
	uint32_t legs = task->def->legs;
	double budget = (double)task->limits->budget, in = 0, out = 0;
	double least = 1 + (double)task->limits->min_net_bps_e6 / (double)BPS_E6;

	assert(legs > 0);
	for (uint32_t i = 0; i < legs; i++) {
		const struct market *market = leg_market(task, i);
		flow[i] = (struct flow){.lots = (double)market->max_lots};
		flow[i].level = leg_levels(market, leg_side(task, i), &flow[i].count);
		if (!flow_enter(&flow[i], market, leg_side(task, i)))
			return 0;
	}
	while (in < budget) {
		double step, rate;
		uint32_t narrowest = flows_narrowest(flow, legs, &step, &rate);
		if (in > 0 && rate <= 1)
			break;
		bool last = step >= budget - in;
		double bounded = last ? budget - in : step;
		if (in > 0)
			bounded = step_bounded(bounded, in, out, rate, least);
		in += bounded;
		out += bounded * rate;
		if (last || bounded < step)
			break;
		flows_advance(flow, legs, step);
		flow[narrowest].at++;
		if (!flow_enter(&flow[narrowest], leg_market(task, narrowest), leg_side(task, narrowest)))
			break;
	}
	return in;
}

/* ---- the search ---- */

static uint32_t pivot_of(const struct cycle_plan *plan)
{
	uint32_t pivot = 0;

	for (uint32_t i = 1; i < plan->legs; i++)
		if (plan->leg[i].lots < plan->leg[pivot].lots)
			pivot = i;
	return pivot;
}

static void range_try(struct task *task, int64_t first, int64_t last)
{
	for (int64_t lots = first; lots <= last; lots++)
		lots_try(task, lots);
}

/* Around the appetite; if the threshold is not met there for all the rounding, ever smaller amounts. */
static void near_try(struct task *task, int64_t most)
{
	double amount = appetite(task);
	int64_t least = task->least[task->pivot], centre = least;
	struct cycle_plan plan;

	if (amount >= 1 && amount < (double)task->limits->budget) {
		if (plan_make(task, (tg_amount)amount, &plan) == SIZE_OK)
			centre = plan.leg[task->pivot].lots;
	} else if (amount >= 1) {
		centre = most;
	}
	int64_t first = centre - TRIES_NEAR > least ? centre - TRIES_NEAR : least;
	range_try(task, first, most - centre < TRIES_NEAR ? most : centre + TRIES_NEAR);
	for (int64_t back = TRIES_NEAR; !task->reached && first - back > least; back *= 2)
		lots_try(task, first - back);
	if (!task->reached)
		lots_try(task, least);
}

/* What rounding left over between the legs, at the price that the cycle itself got for the rest. */
static tg_amount dust_value(const struct cycle_plan *plan)
{
	tg_amount sum = 0, value;

	for (uint32_t i = 1; i < plan->legs; i++)
		if (wide_mul_div(plan->leg[i].dust, plan->amount_out, plan->leg[i].spent, TG_ROUND_DOWN, &value))
			sum += value;
	return sum;
}

enum sizing_verdict sizing_make(const struct markets *markets, const struct cycle_def *def,
				const struct sizing_limits *limits, struct cycle_plan *ret_plan)
{
	struct task task = {.markets = markets, .def = def, .limits = limits, .best = ret_plan};
	struct cycle_plan largest;

	ret_plan->legs = 0;
	if (limits->budget <= 0)
		return SIZE_BUDGET;
	enum sizing_verdict verdict = plan_make(&task, limits->budget, &largest);
	if (verdict != SIZE_OK)
		return verdict;
	if (!task_minima(&task))
		return SIZE_LOTS;
	task.pivot = pivot_of(&largest);
	int64_t most = largest.leg[task.pivot].lots;
	if (most <= TRIES_ALL)
		range_try(&task, task.least[task.pivot], most);
	else
		near_try(&task, most);
	if (ret_plan->legs == 0)
		return SIZE_LOTS;
	ret_plan->net_bps_e6 = net_bps_e6(task.best_profit, ret_plan->amount_in);
	ret_plan->dust_value = dust_value(ret_plan);
	return task.reached ? SIZE_OK : SIZE_THRESHOLD;
}
