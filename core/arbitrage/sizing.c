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
#include <math.h>

#include "core/arbitrage/lane.h"
#include "core/arbitrage/leg.h"
#include "core/arbitrage/wide.h"

#define TRIES_ALL 32
#define TRIES_NEAR 8
#define TRIES_MAX 32     /* in one range */
#define SURE_ERROR 1e-12 /* of a profit as a double, and more */
#define BPS_E6 (INT64_C(10000) * 1000000)

/* What all legs make of an amount. */
struct outcome {
	tg_amount in;
	tg_amount profit;
	int64_t lots[CYCLE_LEGS_MAX];
	bool laned; /* by lanes alone, whose runs are: */
	struct lane_run run[CYCLE_LEGS_MAX];
};

struct task {
	const struct markets *markets;
	const struct cycle_def *def;
	const struct sizing_limits *limits;
	uint32_t pivot;
	int64_t least[CYCLE_LEGS_MAX]; /* lots that each leg needs so that it and all behind it meet their minima */
	tg_amount best;                /* amount; 0: nothing yet */
	struct outcome outcome;        /* of the best */
	bool reached;                  /* it meets the threshold */
	struct outcome largest;        /* of the budget */
	struct lanes lanes;
};

static const struct market *leg_market(const struct task *task, uint32_t leg)
{
	return &task->markets->market[edge_market(task->def->edge[leg])];
}

static int32_t leg_side(const struct task *task, uint32_t leg)
{
	return edge_side(task->def->edge[leg]);
}

static void task_init(struct task *task, const struct markets *markets, const struct cycle_def *def,
		      const struct sizing_limits *limits)
{
	task->markets = markets;
	task->def = def;
	task->limits = limits;
	task->best = 0;
	task->reached = false;
	lanes_make(markets, def, &task->lanes);
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

/* The same of the best, where it went through lanes alone: they know all that a plan tells. */
static void plan_of_lanes(const struct task *task, struct cycle_plan *ret_plan)
{
	const int64_t *unit = task->lanes.unit;
	tg_amount have = task->best;

	ret_plan->cycle = 0;
	ret_plan->legs = task->def->legs;
	ret_plan->third_fees = ret_plan->third_owed = 0;
	for (uint32_t i = 0; i < task->def->legs; i++) {
		const struct market *market = leg_market(task, i);
		const struct lane_run *run = &task->outcome.run[i];
		tg_amount spent = (tg_amount)run->spent * unit[i], received = (tg_amount)run->received * unit[i + 1];
		uint32_t count;
		ret_plan->leg[i] = (struct leg_plan){
			.market = market->id,
			.side = leg_side(task, i),
			.lots = run->lots,
			.limit_ticks = leg_levels(market, leg_side(task, i), &count)->ticks,
			.spent = spent,
			.received = received,
			.fee = (tg_amount)(task->lanes.lane[i].gain * run->lots) * unit[i + 1] - received,
			.dust = have - spent,
		};
		have = received;
	}
	ret_plan->amount_in = task->outcome.in;
	ret_plan->amount_out = have;
}

/* As far as lanes go, which is far enough where no leg comes to a second level. */
static bool outcome_of_lanes(const struct task *task, tg_amount have, struct outcome *ret_outcome)
{
	uint32_t legs = task->lanes.legs;
	const struct lane_run *run = ret_outcome->run;

	if (legs == 0 || !lanes_run(&task->lanes, have, ret_outcome->run))
		return false;
	for (uint32_t i = 0; i < legs; i++)
		ret_outcome->lots[i] = run[i].lots;
	ret_outcome->in = (tg_amount)run[0].spent * task->lanes.unit[0];
	ret_outcome->profit = (tg_amount)run[legs - 1].received * task->lanes.unit[legs] - ret_outcome->in;
	return true;
}

static enum sizing_verdict outcome_make(const struct task *task, tg_amount have, struct outcome *ret_outcome)
{
	struct cycle_plan plan;

	ret_outcome->laned = outcome_of_lanes(task, have, ret_outcome);
	if (ret_outcome->laned)
		return SIZE_OK;
	enum sizing_verdict verdict = plan_make(task, have, &plan);
	if (verdict != SIZE_OK)
		return verdict;
	ret_outcome->in = plan.amount_in;
	ret_outcome->profit = plan_profit(&plan);
	for (uint32_t i = 0; i < plan.legs; i++)
		ret_outcome->lots[i] = plan.leg[i].lots;
	return SIZE_OK;
}

/* Is its net_bps_e6, rounded down, at least the threshold? Told without the division, for each amount that is tried. */
static bool outcome_reaches(const struct task *task, const struct outcome *outcome)
{
	tg_amount gained, wanted;
	int64_t least = task->limits->min_net_bps_e6;
	if (__builtin_mul_overflow(outcome->profit, (tg_amount)BPS_E6, &gained) ||
	    __builtin_mul_overflow(outcome->in, (tg_amount)least, &wanted))
		return net_bps_e6(outcome->profit, outcome->in) >= least;
	return gained >= wanted;
}

/* Remember the amount if it is the best: one that reaches the threshold before one that does not, then by profit. */
static void outcome_offer(struct task *task, tg_amount have, const struct outcome *outcome)
{
	bool reaches = outcome_reaches(task, outcome);

	if (task->best > 0 &&
	    (reaches < task->reached || (reaches == task->reached && outcome->profit <= task->outcome.profit)))
		return;
	task->reached = reaches;
	task->outcome = *outcome;
	task->best = have;
}

/* ---- from lots of a leg back to the amount ---- */

/* Lots that each leg needs for its own minima and for those of the legs behind it. */
static bool task_minima(struct task *task)
{
	if (task->lanes.legs > 0 && lanes_minima(&task->lanes, task->least))
		return true;
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

	if (task->lanes.legs > 0 && lanes_amount(&task->lanes, task->pivot, lots, task->least, ret_amount))
		return true;
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

/* What comes of so many lots of the pivot; false: it cannot be traded. By lanes, what the budget spends and the budget
 * come to the same lots of the first leg, and so to the same end. */
static bool lots_run(const struct task *task, int64_t lots, tg_amount *ret_amount, struct outcome *ret_outcome)
{
	if (!amount_for(task, lots, ret_amount) || *ret_amount > task->limits->budget)
		return false;
	if (!task->largest.laned || *ret_amount < task->largest.in)
		return outcome_make(task, *ret_amount, ret_outcome) == SIZE_OK;
	*ret_outcome = task->largest;
	return true;
}

static void lots_try(struct task *task, int64_t lots)
{
	struct outcome outcome;
	tg_amount amount;

	if (lots_run(task, lots, &amount, &outcome))
		outcome_offer(task, amount, &outcome);
}

/* ---- where to look ---- */

/* As the compiler converts, which calls a function for all 128 bits. */
static double real_of(tg_amount amount)
{
	return amount == (int64_t)amount ? (double)(int64_t)amount : (double)amount;
}

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
	double quote = real_of(market->quote_unit) * (double)level->ticks, base = real_of(market->lot_unit);
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

static uint32_t pivot_of(const struct outcome *outcome, uint32_t legs)
{
	uint32_t pivot = 0;

	for (uint32_t i = 1; i < legs; i++)
		if (outcome->lots[i] < outcome->lots[pivot])
			pivot = i;
	return pivot;
}

/* Those in a range that are bound to less than this are sure to be surpassed. */
static double profit_sure(const struct task *task, const struct outcome *outcome)
{
	if (!outcome_reaches(task, outcome))
		return -HUGE_VAL;
	double profit = real_of(outcome->profit);
	return profit - fabs(profit) * SURE_ERROR;
}

/* Try a range of lots. What cannot come up to the one that promises most is passed over: it would not be the best. */
static void range_try(struct task *task, int64_t first, int64_t last)
{
	double bound[TRIES_MAX], sure = -HUGE_VAL, budget = real_of(task->limits->budget);
	int64_t promising = first;
	struct outcome outcome;
	tg_amount amount;

	if (last < first)
		return;
	assert(last - first < TRIES_MAX);
	bool laned = task->largest.laned; /* else some leg comes to a second level */
	for (int64_t lots = first; lots <= last; lots++) {
		bound[lots - first] =
			laned ? lanes_bound(&task->lanes, task->pivot, lots, task->least, budget) : HUGE_VAL;
		if (bound[lots - first] > bound[promising - first])
			promising = lots;
	}
	bool can = lots_run(task, promising, &amount, &outcome);
	if (can && isfinite(bound[promising - first]))
		sure = profit_sure(task, &outcome);
	for (int64_t lots = first; lots <= last; lots++) {
		if (lots != promising && bound[lots - first] >= sure)
			lots_try(task, lots);
		else if (lots == promising && can)
			outcome_offer(task, amount, &outcome);
	}
}

/* Around the appetite; if the threshold is not met there for all the rounding, ever smaller amounts. */
static void near_try(struct task *task, int64_t most)
{
	tg_amount budget = task->limits->budget;
	bool all = task->largest.laned && lanes_hold(&task->lanes, budget);
	double amount = all ? (double)budget : appetite(task);
	int64_t least = task->least[task->pivot], centre = least;
	struct outcome outcome;

	if (amount >= 1 && amount < (double)budget) {
		if (outcome_make(task, (tg_amount)amount, &outcome) == SIZE_OK)
			centre = outcome.lots[task->pivot];
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

/* All but the legs, of which there are none. */
static void plan_clear(struct cycle_plan *plan)
{
	plan->cycle = plan->legs = plan->third_currency = 0;
	plan->amount_in = plan->amount_out = plan->third_fees = plan->third_owed = 0;
	plan->net_bps_e6 = 0;
}

enum sizing_verdict sizing_make(const struct markets *markets, const struct cycle_def *def,
				const struct sizing_limits *limits, struct cycle_plan *ret_plan)
{
	struct task task;
	struct outcome given;

	assert(def->legs > 0);
	plan_clear(ret_plan);
	if (limits->budget <= 0)
		return SIZE_BUDGET;
	task_init(&task, markets, def, limits);
	enum sizing_verdict verdict = outcome_make(&task, limits->budget, &task.largest);
	if (verdict != SIZE_OK)
		return verdict;
	if (!task_minima(&task))
		return SIZE_LOTS;
	task.pivot = pivot_of(&task.largest, def->legs);
	int64_t most = task.largest.lots[task.pivot];
	if (limits->amount > 0 && outcome_make(&task, limits->amount, &given) == SIZE_OK)
		outcome_offer(&task, limits->amount, &given);
	else if (limits->amount > 0)
		return SIZE_LOTS;
	else if (most <= TRIES_ALL)
		range_try(&task, task.least[task.pivot], most);
	else
		near_try(&task, most);
	if (task.best == 0)
		return SIZE_LOTS;
	if (task.outcome.laned)
		plan_of_lanes(&task, ret_plan);
	else
		verdict = plan_make(&task, task.best, ret_plan);
	assert(verdict == SIZE_OK); /* as it was when it was tried */
	ret_plan->net_bps_e6 = net_bps_e6(task.outcome.profit, ret_plan->amount_in);
	return task.reached ? SIZE_OK : SIZE_THRESHOLD;
}
