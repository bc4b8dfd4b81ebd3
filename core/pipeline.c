/* The pipeline: the whole flow on one screen.
 *
 *   frame in -> connector decodes -> on_book -> book_apply -> rates -> screen (only the cycles of that market)
 *     -> gate -> risk -> size -> slot -> executor_open -> intent on record -> order out -> decision told
 *
 *   order, fill, answer -> executor -> the cycle's next step; at the end of the pass the journal is flushed and rows go
 * to the writer.
 *
 * From on_book to order_place nothing is allocated, locked or waited for. */
#include <malloc.h>
#include <string.h>

#include "core/base/log.h"
#include "core/gateway.h"

/* Screening is in doubles with an error below 1e-14 per rate; what it passes is decided exactly. */
#define SCREEN_ERROR 1e-12
#define BPS 1e-4
#define SCREENED_MAX_E6 1e18 /* a trillion basis points: far above what is told, far below what int64_t holds */
/* A static market is looked through again so long after the last opening, for reasons that time cures. */
#define SWEEP_NS INT64_C(500000000)
#define SWEEP_PATIENCE_NS (INT64_C(600) * 1000000000)

/* ------------------------------------------------------------ risk */

/* What may be spent on one cycle from this currency, by capital_allocation and what is free. */
static tg_amount budget(const struct gateway *gateway, uint32_t currency)
{
	const struct strategy_config *strategy = gateway->options.strategy;
	tg_amount free = gateway->portfolio->balance[currency].free -
			 executor_committed(&gateway->executor, gateway->markets->currency[currency]);
	tg_amount share = strategy->capital_allocation.amount;
	if (strcmp(strategy->capital_allocation.mode, "fixed_fraction") == 0)
		share = tg_amount_share(gateway->portfolio->balance[currency].free,
					strategy->capital_allocation.fraction_e9, TG_ROUND_DOWN);
	if (strategy->capital_allocation.max_allocation > 0 && share > strategy->capital_allocation.max_allocation)
		share = strategy->capital_allocation.max_allocation;
	return share < free ? share : free;
}

/* Exactly as many cycles as were asked for: the open ones may be the last. */
static bool enough(const struct gateway *gateway)
{
	uint32_t wanted = gateway->options.cycles_wanted;
	return wanted > 0 && gateway->count.completed + gateway->executor.open_count >= wanted;
}

static uint32_t risk_check(struct gateway *gateway, const struct cycle_def *def, const struct memory *memory,
			   int64_t now_ns)
{
	const struct strategy_config *strategy = gateway->options.strategy;
	uint32_t skip = 0;
	if (gateway->stop_level != STOP_NONE || gateway->stopping || enough(gateway) ||
	    !executor_may_send(&gateway->executor))
		skip |= SKIP(STOPPED);
	if (gateway->store_behind)
		skip |= SKIP(STORE);
	if (!executor_can_open(&gateway->executor))
		skip |= SKIP(CONCURRENT);
	if (memory->cooling_until_ns > now_ns)
		skip |= SKIP(COOLDOWN);
	if (memory->executed_ns &&
	    now_ns - memory->executed_ns < strategy->risk_controls.duplicate_suppression_window_ms * 1000000)
		skip |= SKIP(DUPLICATE);
	for (uint32_t i = 0; i < def->legs; i++)
		if (executor_trades(&gateway->executor, edge_market(def->edge[i])))
			skip |= SKIP(BUSY_MARKET);
	return skip;
}

/* Fees in a third currency must be covered for every open cycle, without what cycles hold of it on their way: where the
 * account runs short, an exchange takes them from what was just bought. */
static bool fees_are_covered(const struct gateway *gateway, const struct cycle_plan *plan)
{
	if (plan->third_owed == 0)
		return true;
	tg_amount free = gateway->portfolio->balance[plan->third_currency].free -
			 executor_committed(&gateway->executor, gateway->markets->currency[plan->third_currency]);
	return free / (gateway->executor.open_count + 1) >= plan->third_owed;
}

static uint32_t sizing_skip(enum sizing_verdict verdict)
{
	switch (verdict) {
	case SIZE_OK: return 0;
	case SIZE_HALTED: return SKIP(HALTED);
	case SIZE_NO_QUOTE: return SKIP(QUOTE);
	case SIZE_LOTS: return SKIP(SIZE);
	case SIZE_NOTIONAL: return SKIP(NOTIONAL);
	case SIZE_THRESHOLD: return SKIP(THRESHOLD);
	case SIZE_BUDGET: return SKIP(BALANCE);
	}
	return SKIP(SIZE);
}

/* ------------------------------------------------------------ decisions */

static void decision_legs(const struct markets *markets, const struct cycle_def *def, struct record_decision *record)
{
	record->legs = def->legs;
	for (uint32_t i = 0; i < def->legs; i++) {
		uint32_t edge = def->edge[i];
		const struct market *market = &markets->market[edge_market(edge)];
		memcpy(record->leg[i].market, market->symbol, sizeof record->leg[i].market);
		memcpy(record->leg[i].from, markets->currency[edge_from(markets, edge)], CURRENCY_MAX);
		memcpy(record->leg[i].to, markets->currency[edge_to(markets, edge)], CURRENCY_MAX);
		record->leg[i].side = edge_side(edge);
		record->fees_bps_e6 += market->taker_e9 * 10; /* 1e-9 = 10 millionths of a basis point */
	}
}

/* Skips of one cycle for the same reasons are told once per window. */
static bool decision_repeats(const struct gateway *gateway, struct memory *memory, uint32_t skip, int64_t now_ns)
{
	int64_t window_ns = gateway->options.strategy->risk_controls.duplicate_suppression_window_ms * 1000000;
	if (memory->skipped == skip && memory->skipped_ns && now_ns - memory->skipped_ns < window_ns)
		return true;
	memory->skipped = skip;
	memory->skipped_ns = now_ns;
	return false;
}

/* For the eye; what cannot be true may not fit. */
static int64_t screened_bps_e6(double gross)
{
	double bps_e6 = (gross - 1) / BPS * 1e6;
	return bps_e6 < SCREENED_MAX_E6 ? (int64_t)bps_e6 : (int64_t)SCREENED_MAX_E6;
}

static void decision_tell(struct gateway *gateway, const struct decided *decided)
{
	const struct cycle_plan *plan = decided->plan;
	struct record_decision record = {.execute = decided->skip == 0,
					 .skip = decided->skip,
					 .key = decided->key,
					 .size = tg_money_of(plan->amount_in),
					 .profit = tg_money_of(plan->amount_out - plan->amount_in),
					 .net_bps_e6 = plan->net_bps_e6,
					 .threshold_bps_e6 = decided->threshold_bps_e6};
	decision_legs(gateway->markets, decided->def, &record);
	int64_t net_e6 = screened_bps_e6(decided->gross);
	record.gross_bps_e6 = net_e6 + record.fees_bps_e6;
	if (plan->amount_in == 0)
		record.net_bps_e6 = net_e6;
	gateway->count.decisions++;
	*(record.execute ? &gateway->count.executed : &gateway->count.skipped) += 1;
	decisions_add(gateway->decisions, loop_unix_ns(gateway->loop), &record);
	notices_decision(&gateway->notices, &record);
}

/* Before anything that follows from it. */
static void opening_tell(struct gateway *gateway)
{
	const struct decided *opening = gateway->opening;
	gateway->opening = NULL;
	if (opening)
		decision_tell(gateway, opening);
}

/* ------------------------------------------------------------ tick to order */

/* To tell of the decision takes copies, for which an order need not wait: it is told before the first thing that the
 * executor tells of the cycle, which is when the order has left, or cannot. */
static void execute(struct gateway *gateway, struct decided *decided, int64_t tick_wall_ns)
{
	bool rehearses = gateway->options.rehearses;
	if (!rehearses)
		decided->key = executor_next_key(&gateway->executor);
	gateway->opening = decided;
	if (!rehearses)
		executor_open(&gateway->executor, decided->def, decided->plan, tick_wall_ns);
	opening_tell(gateway);
	gateway->memory[decided->plan->cycle].executed_ns = gateway->last_open_ns = loop_mono_ns(gateway->loop);
	gateway->opened = true;
}

static void consider(struct gateway *gateway, const struct candidate *candidate, int64_t tick_wall_ns)
{
	const struct strategy_config *strategy = gateway->options.strategy;
	const struct cycle_def *def = cycles_get(gateway->cycles, candidate->cycle);
	struct memory *memory = &gateway->memory[candidate->cycle];
	if (memory->unlisted)
		return;
	int64_t now_ns = loop_mono_ns(gateway->loop);
	struct gate_limits gate = {.max_quote_age_ns = strategy->max_quote_age_ms * 1000000,
				   .max_profit_bps_e6 = strategy->max_profit_bps_e6};
	gateway->count.evaluated++;

	uint32_t refused = gate_check(gateway->markets, def, candidate->gross, &gate, now_ns) |
			   risk_check(gateway, def, memory, now_ns);
	if (refused & (SKIP(COOLDOWN) | SKIP(DUPLICATE) | SKIP(STORE)))
		gateway->time_bound_skip = true;
	if (refused != 0 && decision_repeats(gateway, memory, refused, now_ns))
		return;
	/* sized also when it is refused already: a decision that is told carries all its reasons and figures */
	struct cycle_plan plan;
	uint32_t start = edge_from(gateway->markets, def->edge[0]);
	struct sizing_limits limits = {.budget = budget(gateway, start), .min_net_bps_e6 = memory->min_profit_bps_e6};
	uint32_t unfit = sizing_skip(sizing_make(gateway->markets, def, &limits, &plan));
	if (unfit == 0 && !fees_are_covered(gateway, &plan))
		unfit = SKIP(BALANCE);
	/* the gate looked at a double of the best prices; what is sized may come to a little more */
	if (unfit == 0 && plan.net_bps_e6 > strategy->max_profit_bps_e6)
		unfit = SKIP(IMPLAUSIBLE);
	if ((refused | unfit) == 0 && !gateway->options.rehearses && !executor_claim(&gateway->executor))
		unfit = SKIP(CONCURRENT);
	plan.cycle = candidate->cycle;
	struct decided decided = {.def = def,
				  .plan = &plan,
				  .gross = candidate->gross,
				  .threshold_bps_e6 = memory->min_profit_bps_e6,
				  .skip = refused | unfit};
	if (decided.skip == 0)
		execute(gateway, &decided, tick_wall_ns);
	else if (refused != 0 || !decision_repeats(gateway, memory, unfit, now_ns))
		decision_tell(gateway, &decided);
}

/* All cycles through a market whose screened net reaches the threshold, best first. */
static void market_consider(struct gateway *gateway, uint32_t market, int64_t tick_wall_ns)
{
	struct candidate candidates[CANDIDATES_MAX];
	double least = 1 + (double)gateway->least_profit_bps_e6 / 1e6 * BPS - SCREEN_ERROR;
	uint32_t count = cycles_screen(gateway->cycles, market, least, candidates, CANDIDATES_MAX);
	for (uint32_t i = 0; i < count && !gateway->keeper.failed; i++)
		consider(gateway, &candidates[i], tick_wall_ns);
}

static void bad_frame(struct gateway *gateway, uint32_t market, int status)
{
	/* every thousandth is enough to see that it goes on */
	if (gateway->count.bad_frames++ % 1000 == 0)
		log_warn("book.refused", LOG_I("market", market), LOG_S("error", tg_status_text(status)),
			 LOG_I("so_far", gateway->count.bad_frames));
}

static void on_book(void *ctx, const struct tg_book_event *event)
{
	struct gateway *gateway = ctx;
	int64_t tick_wall_ns = loop_begun_ns(gateway->loop);
	gateway->count.ticks++;
	if (event->market >= gateway->markets->market_count) {
		bad_frame(gateway, event->market, TG_ERR_NOT_FOUND);
		return;
	}
	struct market *market = &gateway->markets->market[event->market];
	if (event->flags & TG_BOOK_SNAPSHOT && event->bid_count + event->ask_count == 0)
		gateway->count.books_lost += market->book.best_bid > 0 || market->book.best_ask > 0;
	int status = book_apply(market, event);
	if (status < 0)
		bad_frame(gateway, event->market, status);
	if (status == BOOK_UNCHANGED || !gateway->cycles)
		return;
	cycles_rate_update(gateway->cycles, gateway->markets, event->market);
	if (!gateway->stopping && gateway->stop_level == STOP_NONE && gateway->executor.link_up)
		market_consider(gateway, event->market, tick_wall_ns);
}

/* ------------------------------------------------------------ a market that only we move */

static void on_sweep(void *ctx)
{
	struct gateway *gateway = ctx;
	gateway->sweep_armed = false;
	if (gateway->stopping)
		return;
	gateway->opened = false;
	gateway->time_bound_skip = false;
	for (uint32_t market = 0; market < gateway->markets->market_count && gateway->cycles; market++)
		market_consider(gateway, market, loop_wall_ns(gateway->loop));
	if (gateway->opened || gateway->executor.open_count > 0)
		return;
	if (gateway->time_bound_skip && loop_mono_ns(gateway->loop) - gateway->last_open_ns < SWEEP_PATIENCE_NS)
		gateway->sweep_armed =
			loop_timer_start(gateway->loop, SWEEP_NS, on_sweep, gateway, &gateway->sweep_timer) == TG_OK;
	else
		gateway_stop(gateway, "nothing is left to trade");
}

static void sweep_when_idle(struct gateway *gateway)
{
	if (!gateway->ended || gateway->stopping || gateway->sweep_armed || gateway->executor.open_count > 0)
		return;
	gateway->sweep_armed = loop_timer_start(gateway->loop, 0, on_sweep, gateway, &gateway->sweep_timer) == TG_OK;
}

/* ------------------------------------------------------------ the exchange's other events */

static bool scale_ok(struct tg_decimal value)
{
	return value.scale >= 0 && value.scale <= TG_AMOUNT_SCALE;
}

/* A strategy may reckon with higher fees than the account pays; lower ones would only be a hope. */
static void fees_raise(const struct strategy_config *strategy, struct tg_instrument *instrument)
{
	struct tg_decimal taker = {strategy->fees.taker_e9, 5, 0}, maker = {strategy->fees.maker_e9, 5, 0};
	if (!strategy->fees.given || !scale_ok(instrument->taker_bps) || !scale_ok(instrument->maker_bps))
		return;
	if (tg_decimal_compare(taker, instrument->taker_bps) > 0)
		instrument->taker_bps = taker;
	if (tg_decimal_compare(maker, instrument->maker_bps) > 0)
		instrument->maker_bps = maker;
}

static void on_instruments(void *ctx, const struct tg_instrument *list, uint32_t count)
{
	struct gateway *gateway = ctx;
	for (uint32_t i = 0; i < count; i++) {
		struct tg_error error = tg_error_init();
		struct tg_instrument instrument = list[i];
		fees_raise(gateway->options.strategy, &instrument);
		if (markets_update(gateway->markets, &instrument, &error)) {
			log_warn("instrument.refused", LOG_T("symbol", list[i].symbol), LOG_S("error", error.message));
			continue;
		}
		if (gateway->cycles && list[i].market < gateway->markets->market_count)
			cycles_rate_update(gateway->cycles, gateway->markets, list[i].market);
	}
	struct tg_error error = tg_error_init();
	if (gateway->cycles && gateway->cycles_topology != gateway->markets->topology &&
	    universe_build(gateway, &error))
		log_error("universe.failed", LOG_S("error", error.message));
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	struct gateway *gateway = ctx;
	if (portfolio_update(gateway->portfolio, gateway->markets, event))
		log_warn("balance.refused", LOG_T("currency", event->currency));
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	struct gateway *gateway = ctx;
	executor_on_order(&gateway->executor, event);
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	struct gateway *gateway = ctx;
	executor_on_done(&gateway->executor, token, status, error);
}

static void link_is_up(struct gateway *gateway)
{
	struct tg_error error = tg_error_init();
	if (!gateway->cycles) {
		int status = universe_build(gateway, &error);
		if (status) {
			gateway_fail(gateway, status, &error);
			return;
		}
		if (!gateway->options.outside->driven)
			malloc_trim(0); /* thousands of markets were read from documents that are ten times as large */
		gateway->options.events.start(gateway->options.events.ctx);
	}
	executor_on_link(&gateway->executor, true);
}

/* A key that is refused before anything was traded needs a person: waiting for it would look like a run. */
static void link_is_down(struct gateway *gateway, const struct tg_error *reason)
{
	if (!gateway->cycles && reason && reason->code == TG_ERR_AUTH)
		gateway_fail(gateway, reason->code, reason);
	executor_on_link(&gateway->executor, false);
	for (uint32_t i = 0; i < gateway->markets->market_count; i++) {
		book_clear(&gateway->markets->market[i].book); /* what it said is not true any more */
		if (gateway->cycles)
			cycles_rate_update(gateway->cycles, gateway->markets, i);
	}
}

static void on_link(void *ctx, int32_t state, const struct tg_error *reason)
{
	struct gateway *gateway = ctx;
	log_info("link",
		 LOG_S("state", state == TG_LINK_UP     ? "up"
				: state == TG_LINK_DOWN ? "down"
							: "end of data"),
		 LOG_S("reason", reason ? reason->message : ""));
	switch (state) {
	case TG_LINK_UP: link_is_up(gateway); break;
	case TG_LINK_DOWN: link_is_down(gateway, reason); break;
	case TG_LINK_END_OF_DATA: gateway->ended = true; break;
	}
}

void pipeline_events(struct gateway *gateway, struct tg_exchange_events *ret_events)
{
	*ret_events = (struct tg_exchange_events){
		.size = sizeof *ret_events,
		.ctx = gateway,
		.instruments = on_instruments,
		.book = on_book,
		.order = on_order,
		.balance = on_balance,
		.link = on_link,
		.done = on_done,
	};
}

/* ------------------------------------------------------------ what the executor tells */

static void on_order_changed(void *ctx, const struct order *order, int64_t tick_to_order_ns)
{
	struct gateway *gateway = ctx;
	if (order->state == ORDER_SENT)
		gateway->count.orders++;
	if (tick_to_order_ns > 0)
		latency_add(&gateway->tick_to_order, tick_to_order_ns);
	notices_order(&gateway->notices, order, tick_to_order_ns);
}

static void pnl_add(struct gateway *gateway, const char *currency, tg_amount amount)
{
	uint32_t id = markets_currency(gateway->markets, (struct tg_str){currency, strlen(currency)}, true);
	if (id != CURRENCY_NONE)
		gateway->pnl[id] += amount;
}

static void on_fill(void *ctx, const struct order *order, const struct fill *fill)
{
	struct gateway *gateway = ctx;
	const struct record_leg *leg = &order->cycle->leg[order->leg];
	tg_amount base = 0, quote = 0, fee = 0;
	/* the model took the fill, so all three can be represented */
	tg_amount_from_decimal(fill->qty, &base);
	tg_amount_product(fill->price, fill->qty, &quote);
	tg_amount_from_decimal(fill->fee, &fee);
	int sign = order->side == TG_SIDE_BUY ? 1 : -1;
	pnl_add(gateway, leg->side == TG_SIDE_BUY ? leg->to : leg->from, sign * base);
	pnl_add(gateway, leg->side == TG_SIDE_BUY ? leg->from : leg->to, -sign * quote);
	if (fee != 0)
		pnl_add(gateway, fill->fee_currency, -fee);
	gateway->count.fills++;
	notices_fill(&gateway->notices, order, fill);
}

/* A loss counts towards stop_after_consecutive_losses; an end far below the plan lets the cycle cool down. */
static void cycle_judge(struct gateway *gateway, const struct cycle *cycle)
{
	const struct strategy_config *strategy = gateway->options.strategy;
	const struct work *work = cycle->user;
	tg_amount profit = cycle_profit(cycle), planned = cycle->planned_out - cycle->planned_in;
	if (profit < 0)
		gateway->count.losses_in_a_row++;
	else if (profit > 0) /* one that traded nothing says nothing */
		gateway->count.losses_in_a_row = 0;
	int64_t losses_max = strategy->risk_controls.stop_after_consecutive_losses;
	if (losses_max > 0 && gateway->count.losses_in_a_row >= losses_max && gateway->stop_level == STOP_NONE) {
		log_warn("risk.losses", LOG_I("in_a_row", gateway->count.losses_in_a_row),
			 LOG_S("note", "no new cycles; lift with trigate stop --resume"));
		gateway->stop_level = STOP_CYCLES;
	}
	tg_amount slip = tg_amount_share(cycle->planned_in, strategy->max_slippage_bps_e6 / 10, TG_ROUND_DOWN);
	if (strategy->risk_controls.enable_slippage_checks && work && work->def != CYCLE_NONE &&
	    planned - profit > slip)
		gateway->memory[work->def].cooling_until_ns =
			loop_mono_ns(gateway->loop) +
			strategy->risk_controls.slippage_cooldown_seconds * INT64_C(1000000000);
}

static void on_cycle_changed(void *ctx, const struct cycle *cycle)
{
	struct gateway *gateway = ctx;
	opening_tell(gateway);
	if (cycle_is_final(cycle)) {
		*(cycle->state == CYCLE_COMPLETED ? &gateway->count.completed : &gateway->count.failed) += 1;
		cycle_judge(gateway, cycle);
	}
	notices_cycle(&gateway->notices, cycle);
	uint32_t wanted = gateway->options.cycles_wanted;
	if (wanted > 0 && gateway->count.completed >= wanted)
		gateway_stop(gateway, "the cycles that were asked for are completed");
}

static void on_round_trip(void *ctx, int64_t virtual_ns)
{
	struct gateway *gateway = ctx;
	latency_add(&gateway->round_trip, virtual_ns);
}

static void on_parked(void *ctx, int64_t wall_ns)
{
	struct gateway *gateway = ctx;
	latency_add(&gateway->parked, wall_ns);
}

/* The definition of an open cycle, if there still is one of its markets. */
static const struct cycle_def *work_def(const struct gateway *gateway, const struct work *work)
{
	if (work->def >= cycles_count(gateway->cycles))
		return NULL;
	const struct cycle_def *def = cycles_get(gateway->cycles, work->def);
	for (uint32_t i = 0; i < work->cycle->legs; i++)
		if (i >= def->legs || edge_market(def->edge[i]) != work->market[i])
			return NULL;
	return def;
}

/* The first order of a cycle was parked meanwhile: would it be decided on now, with this amount and at this limit? */
static const char *on_again(void *ctx, const struct work *work, tg_amount amount)
{
	struct gateway *gateway = ctx;
	const struct strategy_config *strategy = gateway->options.strategy;
	const struct cycle_def *def = work_def(gateway, work);
	const struct gate_limits gate = {.max_quote_age_ns = strategy->max_quote_age_ms * 1000000,
					 .max_profit_bps_e6 = strategy->max_profit_bps_e6};
	struct sizing_limits limits = {.budget = amount, .amount = amount};
	struct cycle_plan plan = {0};
	if (gateway->stop_level != STOP_NONE || gateway->stopping)
		return "no new cycles by now";
	if (!def)
		return "the markets changed meanwhile";
	limits.min_net_bps_e6 = gateway->memory[work->def].min_profit_bps_e6;
	if (gate_check(gateway->markets, def, 1, &gate, loop_mono_ns(gateway->loop)) != 0)
		return "its quotes are not to be trusted by now";
	if (sizing_make(gateway->markets, def, &limits, &plan) != SIZE_OK || plan.leg[0].lots < work->parked.plan.lots)
		return "what was quoted is gone by now";
	return plan.net_bps_e6 > strategy->max_profit_bps_e6 ? "its quotes are implausible by now" : NULL;
}

void pipeline_executor_events(struct gateway *gateway, struct executor_events *ret_events)
{
	*ret_events = (struct executor_events){
		.ctx = gateway,
		.order = on_order_changed,
		.fill = on_fill,
		.cycle = on_cycle_changed,
		.round_trip = on_round_trip,
		.parked = on_parked,
		.again = on_again,
	};
}

/* ------------------------------------------------------------ the end of a pass */

/* What is open goes on, for the journal has it; new cycles wait until the store has room for them again. */
static void store_watch(struct gateway *gateway)
{
	bool behind = keeper_is_behind(&gateway->keeper) || writer_is_behind(gateway->keeper.writer);
	struct writer_status store;
	if (behind == gateway->store_behind)
		return;
	gateway->store_behind = behind;
	writer_status(gateway->keeper.writer, &store);
	if (behind)
		log_warn("store.behind", LOG_S("note", "no new cycles until it has caught up"),
			 LOG_I("journal", journal_position(gateway->keeper.journal)),
			 LOG_I("store", store.applied_position), LOG_S("error", store.failing ? store.error : ""));
	else
		log_info("store.caught_up", LOG_I("store", store.applied_position));
}

void pipeline_pass_end(void *ctx)
{
	struct gateway *gateway = ctx;
	executor_unpark(&gateway->executor);
	trimmer_pass(gateway->trimmer, &gateway->keeper);
	keeper_pass_end(&gateway->keeper);
	store_watch(gateway);
	leases_pass_end(gateway->leases, !executor_lease_look(&gateway->executor));
	notices_tell(&gateway->notices);
	gateway_check_journal(gateway);
	sweep_when_idle(gateway);
	if (gateway->stopping && gateway->executor.open_count == 0)
		loop_stop(gateway->loop);
}
