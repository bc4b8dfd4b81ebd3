/* durability: power: an order leaves when its intent is durable, if it is still worth it by then. */
#include "tests/unit/core/trade/desk.h"

static struct exchange exchange;
static struct desk *desk;

static void desk_begin(void (*parked)(struct desk *desk))
{
	memset(&exchange, 0, sizeof exchange);
	desk = fresh_desk(&exchange);
	desk->executor.settings.parks = desk->executor.settings.parks_waiting = true;
	desk->parked = parked;
}

/* In a pass, as ticks come. */
static void on_trade(void *ctx)
{
	if (!desk_trade(ctx))
		abort();
}

static const struct cycle *cycle_run(void)
{
	uint64_t id;
	if (loop_timer_start(desk->loop, 0, on_trade, desk, &id))
		abort();
	loop_run(desk->loop);
	return model_newest(desk->keeper.model);
}

/* Every order that left did so once, after its intent. */
static void end_check(const char *what, uint8_t state, uint32_t left, uint32_t orders)
{
	const struct cycle *cycle = model_newest(desk->keeper.model);
	ok(desk_settled(desk) && desk->executor.parked.count == 0 && exchange.ids_repeated == 0 &&
		   exchange.intents_missing == 0,
	   "%s: settled", what);
	ok(desk_agrees(desk), "%s: agrees", what);
	is_int(cycle->state, state, "%s: its end", what);
	is_int(exchange.orders, left, "so many orders left");
	is_int(cycle->order_count, orders, "of so many that were meant to");
}

static struct work *parked_work(struct desk *at)
{
	for (uint32_t i = 0; i < OPEN_CYCLES_MAX; i++)
		if (at->executor.work[i].cycle && at->executor.work[i].parked.position > 0)
			return &at->executor.work[i];
	abort();
}

static const struct order *parked_order(struct desk *at)
{
	return parked_work(at)->cycle->last_order;
}

/* ------------------------------------------------------------ nothing happens meanwhile */

static void on_parked_look(struct desk *at)
{
	at->early += exchange.orders != at->unparked || parked_order(at)->state != ORDER_INTENT ||
		     parked_work(at)->sent_ns != 0;
}

static void test_all_legs(void)
{
	desk_begin(on_parked_look);
	cycle_run();
	end_check("three legs", CYCLE_COMPLETED, 3, 3);
	is_int(desk->unparked, 3, "each was parked");
	is_int(desk->early, 0, "and none left before");
	desk_close(desk);
}

/* ------------------------------------------------------------ the first order */

static void test_gone(void)
{
	desk_begin(NULL);
	desk->again = "gone by now";
	const struct cycle *cycle = cycle_run();
	end_check("the first order is not worth it any more", CYCLE_FAILED, 0, 1);
	is_str(cycle->reason, "gone by now", "which is the reason of its end");
	is_int(cycle->last_order->state, ORDER_ABANDONED, "it never left");
	desk_close(desk);
}

static void on_link_timer(void *ctx)
{
	struct desk *at = ctx;
	at->executor.frozen = false;
	executor_on_link(&at->executor, true);
}

static void later(struct desk *at, loop_fn fn)
{
	uint64_t id;
	at->parked = NULL;
	if (loop_timer_start(at->loop, 10000000, fn, at, &id))
		abort();
}

static void on_parked_unlink(struct desk *at)
{
	executor_on_link(&at->executor, false);
	later(at, on_link_timer);
}

static void on_parked_freeze(struct desk *at)
{
	at->executor.frozen = true;
	later(at, on_link_timer);
}

static void test_link(void)
{
	desk_begin(on_parked_unlink);
	cycle_run();
	end_check("the link is lost while the first order is parked", CYCLE_FAILED, 0, 1);
	is_int(exchange.queries, 0, "an order that never left is not asked for");
	desk_close(desk);
	desk_begin(on_parked_freeze);
	cycle_run();
	end_check("all is frozen while the first order is parked", CYCLE_FAILED, 0, 1);
	desk_close(desk);
}

static void on_parked_hang(struct desk *at)
{
	parked_work(at)->parked.position = UINT64_MAX;
}

static void test_slow(void)
{
	desk_begin(on_parked_hang);
	const struct cycle *cycle = cycle_run();
	end_check("the disk takes too long for the first order", CYCLE_FAILED, 0, 1);
	is_str(cycle->reason, "it was not durable in time", "which is the reason");
	desk_close(desk);
}

/* ------------------------------------------------------------ a position */

static uint32_t moves;

static void price_move(struct desk *at)
{
	quote_set(&at->markets->market[ETH_BTC], 4990, 50000, 5000 + ++moves, 50000);
}

static void on_parked_move(struct desk *at)
{
	if (parked_order(at)->leg == 1 && moves == 0)
		price_move(at);
}

/* A tick worse after each order that is meant for leg 2. */
static void on_intent_move(void *ctx, const struct order *order, uint8_t before, uint8_t event)
{
	(void)before;
	if (event == ORDER_EVENT_INTEND && order->leg == 1)
		price_move(ctx);
}

static void on_parked_turn(struct desk *at)
{
	if (parked_order(at)->leg == 1 && !parked_order(at)->unwind)
		quote_set(&at->markets->market[ETH_USDT], 0, 0, 0, 0);
}

static uint32_t looks;

/* The disk hangs for three looks at it. */
static void on_parked_wait(struct desk *at)
{
	struct work *work = parked_work(at);
	if (work->cycle->last_order->leg == 1)
		work->parked.position = ++looks < 4 ? UINT64_MAX : 1;
}

static void on_parked_unlink_leg2(struct desk *at)
{
	if (parked_order(at)->leg == 1)
		on_parked_unlink(at);
}

static void test_position(void)
{
	moves = 0;
	desk_begin(on_parked_move);
	cycle_run();
	end_check("the price moves while leg 2 is parked", CYCLE_COMPLETED, 3, 4);
	desk_close(desk);
	moves = 0;
	desk_begin(NULL);
	model_set_watch(desk->keeper.model, &(struct model_watch){.ctx = desk, .order = on_intent_move});
	cycle_run();
	end_check("the price never stands still", CYCLE_COMPLETED, 3, 5);
	desk_close(desk);
	desk_begin(on_parked_turn);
	cycle_run();
	end_check("the way on is gone while leg 2 is parked", CYCLE_FAILED, 2, 3);
	desk_close(desk);
	looks = 0;
	desk_begin(on_parked_wait);
	cycle_run();
	end_check("the disk takes its time for leg 2", CYCLE_COMPLETED, 3, 3);
	is_int(looks, 4, "which is waited for");
	desk_close(desk);
	desk_begin(on_parked_unlink_leg2);
	cycle_run();
	end_check("the link is lost while leg 2 is parked", CYCLE_COMPLETED, 3, 4);
	desk_close(desk);
}

/* ------------------------------------------------------------ one after the other */

#define SECOND_AFTER_NS (5 * LATENCY_NS / 2) /* the first cycle ends before its leg 2 is there */

/* A third cycle, in the place of the first one, behind leg 2 of the second. */
static void on_parked_third(struct desk *at)
{
	if (at->executor.next_number == 2 && parked_order(at)->leg == 1 && parked_order(at)->cycle->key.number == 1)
		on_trade(at);
}

static void test_order(void)
{
	static const struct {
		uint32_t number;
		uint8_t leg;
	} left[] = {{0, 1}, {0, 2}, {0, 3}, {1, 1}, {1, 2}, {2, 1}};
	uint64_t id;
	desk_begin(on_parked_third);
	if (loop_timer_start(desk->loop, SECOND_AFTER_NS, on_trade, desk, &id))
		abort();
	cycle_run();
	end_check("another cycle begins while leg 2 is parked", CYCLE_COMPLETED, 9, 3);
	for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
		struct client_id sent = {0};
		client_id_parse((struct tg_str){exchange.order[i].client_id, TG_CLIENT_ID_LEN}, &sent);
		ok(sent.key.number == left[i].number && sent.leg == left[i].leg,
		   "leg %u of cycle %u leaves in its turn", left[i].leg, left[i].number);
	}
	desk_close(desk);
}

/* ------------------------------------------------------------ restart */

static void on_parked_die(struct desk *at)
{
	parked_work(at)->parked.position = UINT64_MAX;
	loop_stop(at->loop);
}

static void test_restart(void)
{
	desk_begin(on_parked_die);
	cycle_run();
	char *again = strdup(desk->dir);
	desk_close(desk);
	desk = desk_open(again, &exchange, 2);
	is_int(model_newest(desk->keeper.model)->last_order->state, ORDER_UNKNOWN,
	       "what was parked when the gateway died is unknown: it may have left");
	executor_on_link(&desk->executor, true);
	loop_run(desk->loop);
	end_check("and asked for until it cannot be there", CYCLE_FAILED, 0, 1);
	desk_close(desk);
	free(again);
}

/* ------------------------------------------------------------ by chance */

static void on_parked_chance(struct desk *at)
{
	int64_t bid = random_between(4980, 4995);
	at->again = happens(10) ? "by chance" : NULL;
	quote_set(&at->markets->market[ETH_BTC], bid, 50000, bid + random_between(1, 20), 50000);
	if (happens(5)) {
		executor_on_link(&at->executor, false);
		uint64_t id;
		if (loop_timer_start(at->loop, 10000000, on_link_timer, at, &id))
			abort();
	}
}

static void test_chance(void)
{
	uint32_t good = 0, abandoned = 0;
	for (uint32_t round = 0; round < 40; round++) {
		desk_begin(on_parked_chance);
		exchange.chance = true;
		while (desk_trade(desk))
			;
		loop_run(desk->loop);
		good += desk_settled(desk) && desk_agrees(desk) && exchange.ids_repeated == 0 &&
			exchange.intents_missing == 0 && desk->executor.parked.count == 0;
		for (const struct cycle *cycle = model_oldest(desk->keeper.model); cycle; cycle = cycle->newer)
			for (const struct order *order = cycle->orders; order; order = order->next)
				abandoned += order->state == ORDER_ABANDONED;
		desk_close(desk);
	}
	is_int(good, 40, "by chance: settled, and agrees");
	ok(abandoned > 20, "some were given up (%u)", abandoned);
}

int main(void)
{
	dir_make("parked");
	test_all_legs();
	test_gone();
	test_link();
	test_slow();
	test_position();
	test_order();
	test_restart();
	test_chance();
	dir_remove(dir);
	return tap_done();
}
