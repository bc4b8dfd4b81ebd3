/* Parked orders (durability: power): the intent is on record, and leaves when the record would outlive a loss of power.
 * The journal's worker is asked for that at once, and calls the loop when it is so. The world has moved on by then: the
 * order is looked at again. One that is not to be sent any more never leaves, which is on record too, and its id is
 * used up. Orders leave in the order in which they were parked, which is that of their positions: whoever was planned
 * first has the first claim on what both would take. Owner: the loop thread. */
#include <assert.h>

#include "core/state/journal.h"
#include "core/trade/executor.h"

/* Orders of a position are given up so often in a row for better ones. The next leaves as it is: it is bounded by its
 * limit, and the position must not wait for a market to stand still. */
#define REPLANS_MAX 2

static bool is_first(const struct work *work)
{
	const struct order *order = work->cycle->last_order;
	return order->leg == 0 && !order->unwind;
}

static void parked_add(struct work *work)
{
	struct executor *executor = work->executor;
	work->parked.earlier = executor->parked.newest;
	work->parked.later = NULL;
	*(executor->parked.newest ? &executor->parked.newest->parked.later : &executor->parked.oldest) = work;
	executor->parked.newest = work;
	executor->parked.count++;
}

static void parked_remove(struct work *work)
{
	struct executor *executor = work->executor;
	struct work *earlier = work->parked.earlier, *later = work->parked.later;
	*(earlier ? &earlier->parked.later : &executor->parked.oldest) = later;
	*(later ? &later->parked.earlier : &executor->parked.newest) = earlier;
	executor->parked.count--;
}

void work_park(struct work *work, const struct leg_plan *plan)
{
	struct executor *executor = work->executor;
	struct journal *journal = executor->keeper->journal;
	work->parked.position = journal_position(journal);
	work->parked.plan = *plan;
	work->parked.version = executor->markets->market[plan->market].version;
	work->parked.wall_ns = loop_wall_ns(executor->loop);
	parked_add(work);
	work_timer_set(work, WORK_TIMER_PARKED, executor->settings.order_timeout_ns);
	if (executor->settings.parks_waiting)
		journal_wait(journal, work->parked.position, NULL);
	else
		journal_want(journal, work->parked.position);
}

static bool is_durable(const struct work *work)
{
	return work->parked.position <= journal_synced(work->executor->keeper->journal);
}

static void park_leave(struct work *work)
{
	work->parked.position = 0;
	parked_remove(work);
	work_timer_clear(work);
}

void work_park_end(struct work *work, const char *why)
{
	park_leave(work);
	desk_abandon(work, work->cycle->last_order, why);
	work->delayed_orders = work->cycle->order_count; /* nothing was tried: the next need not wait */
	work_advance(work);
}

/* ------------------------------------------------------------ looked at again */

static bool price_is_worse(int32_t side, int64_t ticks, int64_t limit_ticks)
{
	return side == TG_SIDE_SELL ? ticks < limit_ticks : ticks > limit_ticks;
}

static const char *first_refused(const struct work *work)
{
	const struct executor_events *events = &work->executor->events;
	const struct order *order = work->cycle->last_order;
	tg_amount amount = 0;
	int32_t status = order->side == TG_SIDE_BUY ? tg_amount_product(order->price, order->qty, &amount)
						    : tg_amount_from_decimal(order->qty, &amount);
	assert(status == TG_OK); /* price and quantity are ours */
	return events->again(events->ctx, work, amount);
}

/* Would the same step be taken now, at this limit? */
static bool step_is_same(const struct work *work)
{
	const struct order *order = work->cycle->last_order;
	struct step step;
	step_choose(work->executor, work, &step);
	return step.kind == STEP_ORDER && step.leg == order->leg && step.unwind == order->unwind &&
	       !price_is_worse(order->side, step.plan.limit_ticks, work->parked.plan.limit_ticks);
}

static bool has_doubt(const struct cycle *cycle)
{
	for (const struct order *order = cycle->orders; order; order = order->next)
		if (!order_is_final(order) && order->state != ORDER_INTENT)
			return true;
	return false;
}

/* Why it is not to leave any more; NULL: it is. */
static const char *refused(const struct work *work)
{
	const struct executor *executor = work->executor;
	if (!executor_may_send(executor))
		return "nothing may leave any more";
	if (has_doubt(work->cycle))
		return "an order before it came into doubt";
	if (executor->markets->market[work->parked.plan.market].version != work->parked.version)
		return "the market's rules changed while it was parked";
	if (is_first(work))
		return first_refused(work);
	return step_is_same(work) || work->replans >= REPLANS_MAX ? NULL : "another order is better now";
}

static void work_unpark(struct work *work)
{
	struct executor *executor = work->executor;
	const char *why = refused(work);
	if (why) {
		work->replans++;
		work_park_end(work, why);
		return;
	}
	executor->events.parked(executor->events.ctx, loop_wall_ns(executor->loop) - work->parked.wall_ns);
	park_leave(work);
	work->replans = 0;
	if (desk_send(work, work->cycle->last_order, work->parked.plan.market) || executor->keeper->failed)
		return;
	work->delayed_orders = work->cycle->order_count;
	work_timer_set(work, WORK_TIMER_RETRY, executor->settings.retry_delay_ns);
}

/* A position waits for the disk; a cycle that holds nothing yet does not. */
void work_park_late(struct work *work)
{
	if (is_durable(work))
		executor_unpark(work->executor); /* those before it, too */
	else if (is_first(work))
		work_park_end(work, "it was not durable in time");
	else
		work_timer_set(work, WORK_TIMER_PARKED, work->executor->settings.order_timeout_ns);
}

void executor_unpark(struct executor *executor)
{
	/* what comes instead of one that is given up may be durable at once */
	while (executor->parked.oldest && is_durable(executor->parked.oldest))
		work_unpark(executor->parked.oldest);
}
