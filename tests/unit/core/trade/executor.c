/* Cycles from their first order to their end, over an exchange that does what it is told to; long because each fate of
 * an order has its story here. */

#include "tests/unit/core/trade/desk.h"

struct scenario {
	const char *what;
	struct fate fate[6];
	uint32_t queries_lost, queries_refused;
	uint8_t state;
	const char *reason;
	uint32_t orders; /* that the model has */
	bool asks;       /* look-ups are needed */
	bool profit;
};

static const struct scenario scenarios[] = {
	{"three legs", {{0}}, 0, 0, CYCLE_COMPLETED, "", 3, false, true},
	{"each order in three pieces",
	 {{.pieces = 3}, {.pieces = 3}, {.pieces = 3}},
	 0,
	 0,
	 CYCLE_COMPLETED,
	 "",
	 3,
	 false,
	 true},
	{"everything is told twice",
	 {{.twice = true}, {.twice = true, .pieces = 2}, {.twice = true}},
	 0,
	 0,
	 CYCLE_COMPLETED,
	 "",
	 3,
	 false,
	 true},
	{"leg 1 fills in part", {{.unfilled_e2 = 40}}, 0, 0, CYCLE_COMPLETED, "", 3, false, true},
	{"leg 2 fills in part, the rest later", {{0}, {.unfilled_e2 = 40}}, 0, 0, CYCLE_COMPLETED, "", 5, false, true},
	{"leg 3 fills in part, the rest later",
	 {{0}, {0}, {.unfilled_e2 = 40}},
	 0,
	 0,
	 CYCLE_COMPLETED,
	 "",
	 4,
	 false,
	 true},
	{"nothing fills on leg 1",
	 {{.unfilled_e2 = 100}},
	 0,
	 0,
	 CYCLE_FAILED,
	 "nothing filled on leg 1",
	 1,
	 false,
	 false},
	{"rejected on leg 1",
	 {{.status = TG_ERR_REJECTED}},
	 0,
	 0,
	 CYCLE_FAILED,
	 "the exchange says -8",
	 1,
	 false,
	 false},
	{"refused on leg 1", {{.refused = TG_ERR_VERSION}}, 0, 0, CYCLE_FAILED, "not now", 1, false, false},
	{"rejected on leg 2 for good",
	 {{0}, {.status = TG_ERR_REJECTED}, {.status = TG_ERR_REJECTED}, {.status = TG_ERR_REJECTED}},
	 0,
	 0,
	 CYCLE_FAILED,
	 "unwound the way it came",
	 5,
	 false,
	 false},
	{"rejected on leg 2 once", {{0}, {.status = TG_ERR_REJECTED}}, 0, 0, CYCLE_COMPLETED, "", 4, false, true},
	{"to be retried on leg 2", {{0}, {.status = TG_ERR_RETRYABLE}}, 0, 0, CYCLE_COMPLETED, "", 4, false, true},
	{"refused on leg 2", {{0}, {.refused = TG_ERR_CLOSED}}, 0, 0, CYCLE_COMPLETED, "", 4, false, true},
	{"outcome unknown on leg 1", {{.status = TG_ERR_UNKNOWN_OUTCOME}}, 0, 0, CYCLE_COMPLETED, "", 3, true, true},
	{"a code of no meaning on leg 2", {{0}, {.mute = true}}, 0, 0, CYCLE_COMPLETED, "", 3, true, true},
	{"no news of leg 1, it was filled", {{.mute = true}}, 0, 0, CYCLE_COMPLETED, "", 3, true, true},
	{"no news of leg 1, it expired",
	 {{.mute = true, .unfilled_e2 = 100}},
	 0,
	 0,
	 CYCLE_FAILED,
	 "nothing filled on leg 1",
	 1,
	 true,
	 false},
	{"no news of leg 1, it never came in",
	 {{.lost = true}},
	 0,
	 0,
	 CYCLE_FAILED,
	 "the exchange does not know it, past its validity",
	 1,
	 true,
	 false},
	{"no news of leg 3, it never came in", {{0}, {0}, {.lost = true}}, 0, 0, CYCLE_COMPLETED, "", 4, true, true},
	{"no news, nor answers at first", {{0}, {.mute = true}}, 4, 0, CYCLE_COMPLETED, "", 3, true, true},
	{"no news, and questions are refused at first",
	 {{0}, {.mute = true}},
	 0,
	 4,
	 CYCLE_COMPLETED,
	 "",
	 3,
	 true,
	 true},
	{"an end without the fills",
	 {{0}, {.fills_missing = true, .pieces = 2}},
	 0,
	 0,
	 CYCLE_COMPLETED,
	 "",
	 3,
	 true,
	 true},
	{"refused without knowing",
	 {{.refused = TG_ERR_UNKNOWN_OUTCOME}},
	 0,
	 0,
	 CYCLE_FAILED,
	 "the exchange does not know it, past its validity",
	 1,
	 true,
	 false},
};

static void scenario_load(const struct scenario *s, struct exchange *exchange)
{
	memcpy(exchange->fate, s->fate, sizeof s->fate);
	exchange->fates = sizeof s->fate / sizeof *s->fate;
	exchange->queries_lost = s->queries_lost;
	exchange->queries_refused = s->queries_refused;
}

static void test_scenario(const struct scenario *s)
{
	struct exchange exchange = {0};
	scenario_load(s, &exchange);
	struct desk *desk = fresh_desk(&exchange);
	ok(desk_trade(desk), "%s: opened", s->what);
	loop_run(desk->loop);
	const struct cycle *cycle = model_newest(desk->keeper.model);
	is_str(cycle_state_name(cycle->state), cycle_state_name(s->state), "its state");
	is_str(cycle->reason, s->reason, "its reason");
	is_int(cycle->order_count, s->orders, "its orders");
	ok(desk_settled(desk) && desk_agrees(desk), "settled, as the exchange has it");
	ok((cycle_profit(cycle) > 0) == s->profit, "profit %s", amount_text(cycle_profit(cycle)));
	ok((exchange.queries > 0) == s->asks, "look-ups: %u", exchange.queries);
	is_int(exchange.intents_missing + exchange.ids_repeated, 0, "intents were in the file before, ids came once");
	desk_close(desk);
}

/* ------------------------------------------------------------ one by one */

static void test_patience(void)
{
	struct exchange exchange = {
		.fate = {{0}, {.status = TG_ERR_RATE_LIMITED, .retry_after_ns = INT64_C(3000000000)}}, .fates = 2};
	struct desk *desk = fresh_desk(&exchange);
	int64_t begin = loop_mono_ns(desk->loop);
	desk_trade(desk);
	loop_run(desk->loop);
	is_int(desk->final_state, CYCLE_COMPLETED, "rate limited on leg 2: goes on");
	ok(loop_mono_ns(desk->loop) - begin > INT64_C(3000000000), "but not before the exchange wants it");
	ok(loop_mono_ns(desk->loop) - begin < INT64_C(3200000000), "nor much later");
	desk_close(desk);

	exchange = (struct exchange){.fate = {{.retry_after_ns = -1, .status = TG_ERR_RATE_LIMITED}}, .fates = 1};
	exchange.fate[1] = (struct fate){.status = TG_ERR_RATE_LIMITED, .retry_after_ns = INT64_MAX};
	exchange.fate[0] = (struct fate){0};
	exchange.fates = 2;
	desk = fresh_desk(&exchange);
	desk_trade(desk);
	loop_run(desk->loop);
	is_int(desk->final_state, CYCLE_COMPLETED, "a wait for ever is cut to a day");
	ok(desk_settled(desk) && desk_agrees(desk), "and settled");
	desk_close(desk);
}

static void market_status(struct desk *desk, uint32_t market, int32_t status)
{
	desk->markets->market[market].status = status;
}

static void on_reopen(void *ctx)
{
	market_status(ctx, ETH_BTC, TG_MARKET_TRADING);
}

static void test_halt(void)
{
	struct exchange exchange = {0};
	struct desk *desk = fresh_desk(&exchange);
	uint64_t timer;
	desk_trade(desk);
	market_status(desk, ETH_BTC, TG_MARKET_HALTED);
	market_status(desk, BTC_USDT, TG_MARKET_HALTED);
	loop_timer_start(desk->loop, INT64_C(30000000000), on_reopen, desk, &timer);
	loop_run(desk->loop);
	is_int(desk->final_state, CYCLE_COMPLETED, "a halt of 30 s is waited for");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);

	exchange = (struct exchange){0};
	desk = fresh_desk(&exchange);
	desk_trade(desk);
	market_status(desk, ETH_BTC, TG_MARKET_HALTED);
	market_status(desk, BTC_USDT, TG_MARKET_HALTED);
	loop_run(desk->loop);
	is_str(desk->final_reason, "gave up: its markets took no orders for five minutes", "a halt for ever is not");
	ok(desk_settled(desk) && desk_agrees(desk), "what is held stands in its figures");
	char deltas[256];
	cycle_deltas(model_newest(desk->keeper.model), deltas, sizeof deltas);
	ok(strstr(deltas, "BTC=0."), "deltas: %s", deltas);
	desk_close(desk);

	exchange = (struct exchange){0};
	desk = fresh_desk(&exchange);
	desk_trade(desk);
	market_status(desk, ETH_BTC, TG_MARKET_HALTED);
	loop_run(desk->loop);
	is_str(desk->final_reason, "unwound the way it came", "when only the way on is halted it goes back");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);
}

static void balance_set(struct desk *desk, const char *currency, const char *free)
{
	uint32_t id = markets_currency(desk->markets, str_of(currency), false);
	desk->portfolio.balance[id] = (struct funds){.free = amount(free), .known = true};
}

static void on_balance_comes(void *ctx)
{
	balance_set(ctx, "BTC", "0.5");
}

/* After a failed try the free balance counts; one that is behind the fills is waited for, not taken for dust. */
static void test_balance(void)
{
	struct exchange exchange = {.fate = {{0}, {.status = TG_ERR_REJECTED}}, .fates = 2};
	struct desk *desk = fresh_desk(&exchange);
	uint64_t timer;
	balance_set(desk, "BTC", "0");
	desk_trade(desk);
	loop_timer_start(desk->loop, INT64_C(2000000000), on_balance_comes, desk, &timer);
	loop_run(desk->loop);
	ok(loop_mono_ns(desk->loop) > INT64_C(3000000000), "nothing is free: it waits");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	const struct cycle *cycle = model_newest(desk->keeper.model);
	const struct order *second = cycle->orders->next->next;
	tg_amount locks = 0;
	tg_amount_product(second->price, second->qty, &locks);
	ok(second->leg == 1 && locks <= amount("0.5") && locks > amount("0.49"), "half is free: an order for half (%s)",
	   amount_text(locks));
	desk_close(desk);
}

static void on_link_up(void *ctx)
{
	executor_on_link(&((struct desk *)ctx)->executor, true);
}
static void on_link_down(void *ctx)
{
	executor_on_link(&((struct desk *)ctx)->executor, false);
}

static void test_link(void)
{
	/* the link goes at every moment of the cycle, a second long */
	uint32_t bad = 0, completed = 0;
	for (int64_t at = 0; at < 12; at++) {
		struct exchange exchange = {.fate = {{0}, {.unfilled_e2 = 30}}, .fates = 2};
		struct desk *desk = fresh_desk(&exchange);
		uint64_t timer;
		loop_timer_start(desk->loop, at * 3000000, on_link_down, desk, &timer);
		loop_timer_start(desk->loop, at * 3000000 + INT64_C(1000000000), on_link_up, desk, &timer);
		desk_trade(desk);
		loop_run(desk->loop);
		bad += !desk_settled(desk) || !desk_agrees(desk) || exchange.ids_repeated || exchange.intents_missing;
		completed += desk->final_state == CYCLE_COMPLETED;
		desk_close(desk);
	}
	is_int(bad, 0, "the link is lost at every moment: always settled");
	is_int(completed, 12, "and completed");

	struct exchange exchange = {0};
	struct desk *desk = desk_open(fresh_dir(), &exchange, 1);
	ok(!executor_can_open(&desk->executor), "no cycle is opened before the link is up");
	executor_on_link(&desk->executor, true);
	ok(executor_can_open(&desk->executor), "but then");
	desk->executor.frozen = true;
	ok(!executor_can_open(&desk->executor), "nor while frozen");
	desk_close(desk);
}

static void on_freeze(void *ctx)
{
	((struct desk *)ctx)->executor.frozen = true;
}

static void on_thaw(void *ctx)
{
	struct desk *desk = ctx;
	desk->executor.frozen = false;
	executor_on_link(&desk->executor, true);
}

static void test_freeze(void)
{
	uint32_t bad = 0;
	for (int64_t at = 0; at < 12; at++) {
		struct exchange exchange = {.fate = {{0}, {.mute = true}}, .fates = 2};
		struct desk *desk = fresh_desk(&exchange);
		uint64_t timer;
		loop_timer_start(desk->loop, at * 10000000, on_freeze, desk, &timer);
		loop_timer_start(desk->loop, at * 10000000 + INT64_C(1000000000), on_thaw, desk, &timer);
		desk_trade(desk);
		loop_run(desk->loop);
		bad += !desk_settled(desk) || !desk_agrees(desk) || desk->final_state != CYCLE_COMPLETED;
		desk_close(desk);
	}
	is_int(bad, 0, "frozen for a second at every moment, with doubts: always completed");
}

static void test_return_only(void)
{
	struct exchange exchange = {0};
	struct desk *desk = fresh_desk(&exchange);
	desk_trade(desk);
	desk->executor.return_only = true;
	loop_run(desk->loop);
	is_str(desk->final_reason, "unwound the way it came", "told to take no new risk, it goes back");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);
}

/* An order that expired with nothing tells of a fill later on. */
static void test_late(void)
{
	struct exchange exchange = {.fate = {{.end_first = true}}, .fates = 1};
	struct desk *desk = fresh_desk(&exchange);
	desk_trade(desk);
	loop_run(desk->loop);
	const struct cycle *cycle = model_newest(desk->keeper.model);
	is_int(cycle->state, CYCLE_FAILED, "the cycle ended at the word of the exchange");
	ok(cycle->orders->filled_base > 0, "the late fill is on record all the same");
	is_int(cycle->orders->state, ORDER_FILLED, "and since nothing is left of it the order is filled, not expired");
	ok(desk_settled(desk) && desk_agrees(desk), "in the cycle's figures");
	desk_close(desk);

	exchange = (struct exchange){.fate = {{0}, {.end_first = true}}, .fates = 2};
	desk = fresh_desk(&exchange);
	desk_trade(desk);
	loop_run(desk->loop);
	ok(desk_settled(desk), "late on leg 2: settled");
	ok(desk_agrees(desk), "and agrees");
	desk_close(desk);
}

/* Says what it is told to of the first order, whenever. */
static void tell(struct desk *desk, int32_t kind, int64_t cum_lots, uint32_t fill)
{
	struct packet packet = {.desk = desk, .kind = kind, .cum_lots = cum_lots, .fill = fill};
	packet_deliver(&packet);
}

/* The end of an order whose fills are all there is called what it is not, and nobody takes that back. */
static void test_all_filled(void)
{
	static const int32_t words[] = {TG_ORDER_EXPIRED, TG_ORDER_CANCELLED};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		struct exchange exchange = {.fate = {{.mute = true}}, .fates = 1};
		struct desk *desk = fresh_desk(&exchange);
		desk_trade(desk);
		int64_t filled = truth_filled(&exchange.order[0]);
		tell(desk, TG_ORDER_FILL, filled, 0);
		tell(desk, words[i], filled, 0);
		is_int(model_newest(desk->keeper.model)->orders->state, ORDER_FILLED, "all filled is filled");
		loop_run(desk->loop);
		ok(desk->final_state == CYCLE_COMPLETED && desk_settled(desk) && desk_agrees(desk), "settled");
		desk_close(desk);
	}
}

static void test_contradiction(void)
{
	/* a rejected order of a closed cycle turns out to be filled */
	struct exchange exchange = {.fate = {{.status = TG_ERR_REJECTED}}, .fates = 1};
	struct desk *desk = fresh_desk(&exchange);
	desk_trade(desk);
	loop_run(desk->loop);
	is_int(model_newest(desk->keeper.model)->orders->state, ORDER_REJECTED, "rejected");
	order_execute(desk, &exchange.order[0]);
	tell(desk, TG_ORDER_FILL, truth_filled(&exchange.order[0]), 0);
	is_int(model_newest(desk->keeper.model)->orders->state, ORDER_UNKNOWN, "a fill of it makes it unknown again");
	loop_run(desk->loop);
	is_int(model_newest(desk->keeper.model)->orders->state, ORDER_FILLED, "it was asked for");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);

	/* nobody hears the question: it is asked again, though no link starts anew */
	exchange = (struct exchange){.fate = {{.status = TG_ERR_REJECTED}}, .fates = 1};
	desk = fresh_desk(&exchange);
	desk_trade(desk);
	loop_run(desk->loop);
	order_execute(desk, &exchange.order[0]);
	exchange.queries_lost = 2;
	tell(desk, TG_ORDER_FILL, truth_filled(&exchange.order[0]), 0);
	loop_run(desk->loop);
	is_int(exchange.queries, 3, "two questions for an order of a closed cycle are lost, the third is answered");
	is_int(model_newest(desk->keeper.model)->orders->state, ORDER_FILLED, "it has its end");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);

	/* an order that has fills and is in doubt is said to be rejected */
	exchange = (struct exchange){.fate = {{.mute = true}}, .fates = 1};
	desk = fresh_desk(&exchange);
	desk_trade(desk);
	tell(desk, TG_ORDER_FILL, truth_filled(&exchange.order[0]), 0);
	for (int i = 0; i < 2; i++) {
		tell(desk, TG_ORDER_REJECTED, 0, 0);
		is_int(model_newest(desk->keeper.model)->orders->state, ORDER_UNKNOWN, "a refusal is not believed");
	}
	tell(desk, TG_ORDER_ACCEPTED, 0, 0);
	tell(desk, TG_ORDER_REJECTED, 0, 0);
	is_int(model_newest(desk->keeper.model)->orders->state, ORDER_UNKNOWN, "nor when it was said to be open since");
	loop_run(desk->loop);
	ok(desk->final_state == CYCLE_COMPLETED && desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);

	/* an expired order of an open cycle is said to have fills that were never told */
	exchange = (struct exchange){.fate = {{0}, {.status = TG_ERR_REJECTED, .retry_after_ns = INT64_C(1000000000)}},
				     .fates = 2};
	desk = fresh_desk(&exchange);
	desk_trade(desk);
	for (int i = 0; i < 3; i++)
		tell(desk, TG_ORDER_EXPIRED, truth_filled(&exchange.order[0]), 0);
	loop_run(desk->loop);
	is_int(desk->final_state, CYCLE_COMPLETED, "an end that tells of unknown fills is no end");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);

	/* FILLED without a figure is not taken for filled with nothing */
	exchange = (struct exchange){.fate = {{.fills_missing = true}}, .fates = 1};
	desk = fresh_desk(&exchange);
	desk_trade(desk);
	tell(desk, TG_ORDER_FILLED, 0, 0);
	ok(model_newest(desk->keeper.model)->orders->state == ORDER_UNKNOWN, "filled, but no fill is known: unknown");
	loop_run(desk->loop);
	ok(desk->final_state == CYCLE_COMPLETED && desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);
}

/* What no exchange should say. */
static void test_hostile(void)
{
	struct exchange exchange = {.fate = {{.mute = true}}, .fates = 1};
	struct desk *desk = fresh_desk(&exchange);
	desk_trade(desk);
	const struct order *order = model_newest(desk->keeper.model)->orders;
	struct tg_order_event good = {.size = sizeof good,
				      .kind = TG_ORDER_FILL,
				      .client_id = str_of(order->client_id),
				      .fill_id = TG_STR("F"),
				      .fill_price = {10000, 2, 0},
				      .fill_qty = {1, 3, 0},
				      .fee = {1, 8, 0},
				      .fee_currency = TG_STR("BTC")};
	static const struct tg_decimal wrong[] = {{-1, 0, 0}, {1, -1, 0}, {1, 19, 0}, {INT64_MIN, 0, 0}};
	char many[200];
	memset(many, 'x', sizeof many);
	struct tg_order_event bad[20];
	uint32_t count = 0;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		bad[count] = good, bad[count++].fill_price = wrong[i];
		bad[count] = good, bad[count++].fill_qty = wrong[i];
		bad[count] = good, bad[count++].fee = wrong[i];
		bad[count] = good, bad[count++].cum_qty = wrong[i];
	}
	bad[count] = good, bad[count++].fill_id = (struct tg_str){many, sizeof many};
	bad[count] = good, bad[count++].fill_id = (struct tg_str){"a\0b", 3};
	bad[count] = good, bad[count++].fee_currency = (struct tg_str){0};
	bad[count] = good, bad[count++].exchange_id = (struct tg_str){many, sizeof many};
	for (uint32_t i = 0; i < count; i++)
		executor_on_order(&desk->executor, &bad[i]);
	ok(!order->fills && order->state == ORDER_UNKNOWN, "%u impossible events: no fill, but a doubt", count);
	good.kind = 99;
	executor_on_order(&desk->executor, &good);
	good.client_id = TG_STR("someone else's");
	executor_on_order(&desk->executor, &good);
	executor_on_done(&desk->executor, UINT64_MAX, TG_ERR_REJECTED, NULL);
	loop_run(desk->loop);
	ok(desk->final_state == CYCLE_COMPLETED && desk_settled(desk) && desk_agrees(desk), "and the truth in the end");
	is_int(desk->executor.foreign_orders, 1, "a foreign order is counted");
	desk_close(desk);
}

/* It comes in at the last moment of its validity, after a look-up did not find it. */
static void test_arrival(void)
{
	struct exchange exchange = {.fate = {{0}, {.late = true}}, .fates = 2};
	struct desk *desk = fresh_desk(&exchange);
	desk->executor.settings.order_timeout_ns = 20000000;
	desk_trade(desk);
	loop_run(desk->loop);
	ok(exchange.queries > 1, "an order that is late was asked for %u times", exchange.queries);
	is_int(desk->final_state, CYCLE_COMPLETED, "its absence proved nothing: it was waited for");
	is_int(exchange.orders, 3, "and not sent again");
	ok(desk_settled(desk) && desk_agrees(desk), "settled");
	desk_close(desk);

	/* an exchange without validity bounds */
	exchange = (struct exchange){.fate = {{.lost = true}}, .fates = 1};
	desk = fresh_desk(&exchange);
	desk->executor.settings.valid_ms = 0;
	desk->executor.settings.query.max_delay_ns = INT64_C(60000000000);
	int64_t begin = loop_mono_ns(desk->loop);
	desk_trade(desk);
	loop_run(desk->loop);
	ok(loop_mono_ns(desk->loop) - begin > INT64_C(900000000000),
	   "without a bound absence proves nothing for a quarter of an hour");
	ok(desk_settled(desk) && desk_agrees(desk), "then it does");
	desk_close(desk);
}

static void on_cut_disk(void *ctx)
{
	(void)ctx;
	small_disk_set(0, -ENOSPC);
}

static void test_disk(void)
{
	struct exchange exchange = {0};
	struct desk *desk = fresh_desk(&exchange);
	uint64_t timer;
	desk_trade(desk);
	loop_timer_start(desk->loop, 4000000, on_cut_disk, desk, &timer);
	loop_run(desk->loop);
	ok(desk->keeper.stalled && strstr(desk->keeper.error.message, "cannot be written"),
	   "the disk fails after leg 1: %s", desk->keeper.error.message);
	is_int(exchange.orders, 1, "no further order leaves");
	ok(!executor_can_open(&desk->executor), "and no cycle is opened");
	small_disk_set(SIZE_MAX, 0);
	ok(keeper_retry(&desk->keeper), "the disk works again");
	executor_on_link(&desk->executor, true);
	loop_run(desk->loop);
	is_int(desk->final_state, CYCLE_COMPLETED, "and the cycle is completed");
	ok(desk_settled(desk), "settled");
	ok(desk_agrees(desk), "agrees");
	desk_close(desk);
}

static void test_disk_at_once(void)
{
	struct exchange exchange = {0};
	struct desk *desk = fresh_desk(&exchange);
	small_disk_set(0, -ENOSPC);
	desk_trade(desk);
	const struct cycle *cycle = model_newest(desk->keeper.model);
	ok(desk->keeper.stalled && exchange.orders == 0, "the disk fails before leg 1: nothing leaves");
	is_int(cycle->last_order->state, ORDER_ABANDONED, "the order whose intent was not written never will");
	small_disk_set(SIZE_MAX, 0);
	ok(keeper_retry(&desk->keeper), "the disk works again");
	executor_on_link(&desk->executor, true);
	loop_run(desk->loop);
	ok(desk->final_state == CYCLE_FAILED && strstr(cycle->reason, "journal") && desk_settled(desk),
	   "and the cycle is closed: %s", cycle->reason);
	desk_close(desk);
}

/* The disk fails for good: the next start goes on. */
static void test_disk_lost(void)
{
	struct exchange exchange = {0};
	struct desk *desk = fresh_desk(&exchange);
	uint64_t timer;
	desk_trade(desk);
	loop_timer_start(desk->loop, 4000000, on_cut_disk, desk, &timer);
	loop_run(desk->loop);
	char *again = strdup(desk->dir);
	desk_close(desk);
	small_disk_set(SIZE_MAX, 0);
	desk = desk_open(again, &exchange, 2);
	is_int(desk->executor.open_count, 1, "the next start has it open");
	executor_on_link(&desk->executor, true);
	loop_run(desk->loop);
	ok(desk->final_state == CYCLE_COMPLETED && desk_settled(desk) && desk_agrees(desk), "and completes it");
	desk_close(desk);
	free(again);
}

static void test_committed(void)
{
	struct exchange exchange = {0};
	struct desk *desk = fresh_desk(&exchange);
	ok(executor_committed(&desk->executor, "USDT") == 0, "nothing is committed");
	desk_trade(desk);
	ok(executor_committed(&desk->executor, "USDT") == 100 * TG_AMOUNT_ONE, "leg 1: what it locks (%s)",
	   amount_text(executor_committed(&desk->executor, "USDT")));
	ok(executor_trades(&desk->executor, ETH_BTC) && !executor_trades(&desk->executor, 77), "its markets are busy");
	loop_run(desk->loop);
	ok(executor_committed(&desk->executor, "USDT") == 0 && !executor_trades(&desk->executor, ETH_BTC),
	   "free again");
	uint32_t opened = 0;
	while (desk_trade(desk))
		opened++;
	is_int(opened, 4, "as many as there are slots");
	loop_run(desk->loop);
	ok(desk_settled(desk) && desk_agrees(desk), "all settled");
	desk_close(desk);
}

/* The store has not confirmed our slots for a while, and does so now. */
static void on_confirmed(void *ctx)
{
	struct desk *desk = ctx;
	const struct cycle *cycle = model_oldest(desk->keeper.model);
	ok(order_is_final(cycle->orders) && cycle->orders->fills, "over again: its fills and its end are taken in");
	ok(desk->exchange->orders == 1 && !cycle_is_final(cycle), "but the next one stays here");
	atomic_store(&desk->slots.group[0].until_ns, INT64_MAX);
}

static void test_lease(void)
{
	uint64_t timer;
	struct exchange exchange = {0};
	struct desk *desk = desk_open(fresh_dir(), &exchange, 1);
	executor_on_link(&desk->executor, true);
	atomic_store(&desk->slots.group[0].until_ns, INT64_MIN);
	ok(!executor_lease_look(&desk->executor) && !executor_may_send(&desk->executor), "the lease is over");
	ok(!desk_trade(desk) && exchange.orders == 0, "no cycle is opened");
	atomic_store(&desk->slots.group[0].until_ns, INT64_MAX);
	ok(executor_lease_look(&desk->executor) && desk_trade(desk), "it is back: one is");
	is_int(exchange.orders, 1, "its order left");
	atomic_store(&desk->slots.group[0].until_ns, INT64_MIN);
	loop_timer_start(desk->loop, INT64_C(300000000), on_confirmed, desk, &timer);
	loop_run(desk->loop);
	const struct cycle *cycle = model_oldest(desk->keeper.model);
	ok(cycle->state == CYCLE_COMPLETED && exchange.orders == 3, "and goes by itself when it is back");
	ok(desk_settled(desk), "nothing is left");
	desk_close(desk);
}

int main(void)
{
	dir_make("executor");
	for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
		test_scenario(&scenarios[i]);
	test_patience();
	test_halt();
	test_balance();
	test_link();
	test_freeze();
	test_return_only();
	test_late();
	test_all_filled();
	test_contradiction();
	test_hostile();
	test_arrival();
	test_disk();
	test_disk_at_once();
	test_disk_lost();
	test_committed();
	test_lease();
	dir_remove(dir);
	return tap_done();
}
