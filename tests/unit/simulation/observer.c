/* The observer: a sound run raises nothing; each thing that is wrong raises its check, with and without a store. One
 * file, long because its checks are held against one stage. */
#include "tests/unit/simulation/observed.h"

/* ------------------------------------------------------------ conserved */

static void balance_off(struct stage *stage)
{
	stage->balance_off = 15; /* the first after a fill */
}
static void line_damaged(struct stage *stage)
{
	stage->bad_checksum = 9;
}
static void line_missing(struct stage *stage)
{
	stage->skipped_seq = 12;
}

/* ------------------------------------------------------------ ids */

static void id_foreign(struct stage *stage)
{
	stage->ledger.order[3].text = "x-17";
}
static void id_of_nobody(struct stage *stage)
{
	stage->ledger.order[3].id.gateway = 9;
}
static void id_check_digits(struct stage *stage)
{
	stage->ledger.order[3].text = "00010000010000000101000012345678";
}
static void id_leg_zero(struct stage *stage)
{
	stage->ledger.order[3].id.leg = 0;
}
static void id_of_another(struct stage *stage)
{
	stage->gateways = 2;
	stage->ledger.order[3].id.gateway = 2;
}
static void id_sent_twice(struct stage *stage)
{
	stage->sent_twice = 1;
}
/* It came twice, also if nobody saw it leave twice. */
static void id_placed_twice(struct stage *stage)
{
	struct order_fact *order = stage_add(stage, 9, 9000, 9000);
	order->id = stage->ledger.order[0].id;
	order->sent_ms = -1;
}
static void id_epoch_back(struct stage *stage)
{
	stage_add(stage, 9, 9000, 9000); /* of epoch 1, after one of epoch 2 */
}

/* ------------------------------------------------------------ open cycles */

static void cycles_overlap(struct stage *stage)
{
	for (int i = 0; i < 2; i++) {
		struct story *story = i ? &stage->journal : &stage->ledger;
		story->order[4].end_ms = 4100;
		story->order[3].sent_ms = 4040;
		story->order[3].at_ms = story->order[3].end_ms = 4045;
		story->order[3].venue = SEEN_EXPIRED;
		story->order[3].journal = ORDER_EXPIRED;
	}
}
/* The same with room for two; refused orders are none. */
static void cycles_overlap_within(struct stage *stage)
{
	cycles_overlap(stage);
	stage->max_open_cycles = 2;
}

/* Cycle 3 begins before cycle 2's order arrives, and ends after it. */
static void cycles_overlap_through(struct stage *stage)
{
	for (int i = 0; i < 2; i++) {
		struct story *story = i ? &stage->journal : &stage->ledger;
		story->order[3].at_ms = story->order[3].end_ms = 4100;
		story->order[3].venue = SEEN_CANCELLED;
		story->order[3].journal = ORDER_CANCELLED;
	}
}

/* Two gateways share the slots of a group. */
static void cycles_of_group(struct stage *stage)
{
	cycles_overlap(stage);
	stage->gateways = 2;
	stage->ledger.order[3].id.gateway = 2;
	stage->ledger.order[3].sent_ms = -1;
	stage->journal.order[3].venue = SEEN_OPEN;
	stage->journal.order[3].journal = ORDER_ABANDONED;
}

/* Of one strategy there may be two, of the group that the gateways are in as many as it says. */
static void cycles_of_gateways(struct stage *stage)
{
	cycles_of_group(stage);
	stage->max_open_cycles = 2;
	stage->gateways_limit = 1;
}
static void cycles_of_gateways_within(struct stage *stage)
{
	cycles_of_gateways(stage);
	stage->gateways_limit = 2;
}

/* ------------------------------------------------------------ lease */

static void lease_held(struct stage *stage)
{
	stage->slots_watched = true;
}
static void slot_expire(struct sim_store *store)
{
	store->slot_state = TG_SLOT_EXPIRED;
}
static void lease_over(struct stage *stage)
{
	lease_held(stage);
	stage->store_spoil = slot_expire;
}
static void slot_give(struct sim_store *store)
{
	store->slot_owner = NULL;
}
static void lease_of_nobody(struct stage *stage)
{
	lease_held(stage);
	stage->store_spoil = slot_give;
}
static void slot_to_another(struct sim_store *store)
{
	store->slot_owner = "0002";
}
static void lease_of_another(struct stage *stage)
{
	lease_held(stage);
	stage->store_spoil = slot_to_another;
}
/* A limit of the gateways' group takes a slot of its own. */
static void lease_of_strategy_only(struct stage *stage)
{
	lease_held(stage);
	stage->gateways_limit = 1;
}
static void slot_of_group(struct sim_store *store)
{
	store->slot_group[0] = "gateways:all";
}
static void lease_of_group_only(struct stage *stage)
{
	lease_of_strategy_only(stage);
	stage->store_spoil = slot_of_group;
}
static void slots_of_both(struct sim_store *store)
{
	store->slot_group[1] = "gateways:all";
}
static void lease_of_both(struct stage *stage)
{
	lease_of_strategy_only(stage);
	stage->store_spoil = slots_of_both;
}
static void slots_of_others(struct sim_store *store)
{
	store->slot_group[1] = "gateways:others";
}
static void lease_of_other_group(struct stage *stage)
{
	lease_of_strategy_only(stage);
	stage->store_spoil = slots_of_others;
}
/* Who has no limit needs no slot. */
static void lease_without_limit(struct stage *stage)
{
	lease_over(stage);
	stage->max_open_cycles = 0;
}

/* ------------------------------------------------------------ notional */

static void notional_sum(struct stage *stage)
{
	stage->amount = "199.999999999999999999";
}
static void notional_bound(struct stage *stage)
{
	stage->max_allocation = "199";
}
static void notional_fraction(struct stage *stage)
{
	stage->allocation = "fixed_fraction"; /* 0.2 of 1000, and of what is won */
}
static void notional_fraction_over(struct stage *stage)
{
	notional_fraction(stage);
	stage->ledger.order[0].price = stage->journal.order[0].price = "101";
}

/* ------------------------------------------------------------ rate, halted */

static void rate_full(struct stage *stage)
{
	stage->requests_before = 0;
	stage->requests = REQUESTS_PER_SECOND - 3; /* three orders follow within the second */
}
static void rate_over(struct stage *stage)
{
	rate_full(stage);
	stage->requests++;
}
/* The first of six in a second and one more; a second is over when the same moment of the next has come. */
static void rate_second(struct stage *stage)
{
	rate_over(stage);
	stage->requests_before = 2; /* at 1200; the first order left at 1000, the second at 1100 */
	stage->requests_ms = 1;
	stage->ledger.order[2].sent_ms = stage->journal.order[2].sent_ms = 2000;
	stage->ledger.order[2].at_ms = stage->ledger.order[2].end_ms = 2005;
}
static void rate_within_second(struct stage *stage)
{
	rate_second(stage);
	stage->ledger.order[2].sent_ms = 1999;
}
static void halted_market(struct stage *stage)
{
	stage->halted_before = 3;
}
static void halted_again_trading(struct stage *stage)
{
	stage->halted_before = 3;
	stage->trading_before = 3;
}
static void halted_long_ago(struct stage *stage)
{
	stage->halted_before = 0;
	stage->trading_before = 3;
}
static void halted_other(struct stage *stage)
{
	stage->halted_before = 2;
	stage->ledger.orders = stage->journal.orders = 3;
	stage->ledger.cycles = stage->journal.cycles = 1;
	stage->trading_before = 2;
}

/* ------------------------------------------------------------ final */

static void final_not_filled(struct stage *stage)
{
	stage->journal.order[0].journal = ORDER_EXPIRED;
}
static void final_rejected(struct stage *stage)
{
	stage->journal.order[4].journal = ORDER_REJECTED;
	stage->journal.order[4].fill[0] = none;
}
static void final_abandoned(struct stage *stage)
{
	stage->journal.order[1].journal = ORDER_ABANDONED;
	stage->journal.order[1].fill[0] = none;
}
static void final_made_up(struct stage *stage)
{
	stage->journal.order[6].journal = ORDER_EXPIRED;
}
static void final_fill_missing(struct stage *stage)
{
	stage->journal.order[0].fill[1] = none;
}
static void final_fill_price(struct stage *stage)
{
	stage->journal.order[0].fill[1].price = "99.9";
}
static void final_fill_qty(struct stage *stage)
{
	stage->journal.order[0].fill[1].qty = "0.4";
}
static void final_fee_forgotten(struct stage *stage)
{
	stage->journal.order[2].fill[0].fee = "0";
}
static void final_fee_currency(struct stage *stage)
{
	stage->journal.order[2].fill[0].fee_currency = "ETH";
}
static void final_fill_twice(struct stage *stage)
{
	struct fill_fact *fill = stage->journal.order[1].fill;
	fill[1] = fill[0];
	fill[1].trade = 99; /* under another id */
}
static void final_other_price(struct stage *stage)
{
	stage->journal.order[3].price = "100.5";
}
static void final_other_side(struct stage *stage)
{
	stage->journal.order[3].side = TG_SIDE_SELL;
}
static void final_other_market(struct stage *stage)
{
	stage->journal.order[3].base = "ETH";
}
static void final_other_number(struct stage *stage)
{
	stage->journal.order[0].venue = SEEN_SENT; /* the numbers behind it shift */
}
static void final_cancel_for_expiry(struct stage *stage)
{
	stage->journal.order[1].journal = ORDER_CANCELLED;
}
static void final_at_venue(struct stage *stage)
{
	stage->ledger.order[3].venue = SEEN_OPEN;
	stage->journal.order[3].journal = ORDER_EXPIRED;
}
/* A refusal that the venue does not know of is one all the same, and a late one may end as given up. */
static void final_given_up_and_refused(struct stage *stage)
{
	stage->journal.order[3].journal = ORDER_ABANDONED;
}

/* ------------------------------------------------------------ forgotten */

static void forgotten_order(struct stage *stage)
{
	stage->journal.order[7].journal = ORDER_NEW;
	stage->journal.cycles--;
}
/* What was lost with the power is the end of the journal: the last orders that had left by then. */
static void forgotten_by_power(struct stage *stage)
{
	forgotten_order(stage);
	stage->power_lost_after = 7;
	stage->synced = 3;
}
static void forgotten_after_power(struct stage *stage)
{
	forgotten_order(stage);
	stage->power_lost_after = 6;
}
static void forgotten_before_kept(struct stage *stage)
{
	stage->journal.order[3].journal = ORDER_NEW;
	stage->power_lost_after = 7; /* the power went, but orders that left later are there */
}
static void forgotten_though_opened(struct stage *stage)
{
	forgotten_order(stage);
	stage->journal.cycles++; /* the cycle is there, open and synced */
	stage->journal.cycle[4].state = CYCLE_PENDING;
	stage->power_lost_after = 7;
	stage->synced = 47;
}
static void forgotten_though_synced(struct stage *stage)
{
	forgotten_by_power(stage);
	stage->synced = 1000;
}
static void forgotten_journal(struct stage *stage)
{
	stage->journal_missing = true;
}
/* A cycle that the power took with it is not held against the limit: its gateway cannot know of it. */
static void forgotten_cycle_overlaps(struct stage *stage)
{
	struct order_fact *order = stage_add(stage, 9, 8000, 9000);
	order->id.key.epoch = stage->journal.order[8].id.key.epoch = 2;
	order->venue = SEEN_CANCELLED;
	stage->journal.order[8].journal = ORDER_NEW;
	stage->journal.cycles--;
	stage->power_lost_after = 8;
	order = stage_add(stage, 10, 8500, 9100);
	order->id.key.epoch = stage->journal.order[9].id.key.epoch = 3;
}

/* ------------------------------------------------------------ profit, rest, time */

static void profit_currency(struct stage *stage)
{
	stage->second_currency = "XRP";
}
static void profit_elsewhere(struct stage *stage)
{
	stage->last_currency = "USDC";
}
static void profit_leg_missing(struct stage *stage)
{
	stage->journal.cycle[1].state = CYCLE_COMPLETED;
}
static void rest_cycle(struct stage *stage)
{
	stage->journal.cycle[3].state = CYCLE_PENDING;
}
static void rest_order(struct stage *stage)
{
	stage->journal.order[7].journal = ORDER_SENT;
}
static void time_wall(struct stage *stage)
{
	stage->time_off_ns = INT64_C(86400) * 1000 * MS;
}
static void time_before(struct stage *stage)
{
	stage->time_off_ns = -INT64_C(7200) * 1000 * MS;
}
static void time_skewed(struct stage *stage)
{
	stage->time_off_ns = -INT64_C(600) * 1000 * MS;
}

/* ------------------------------------------------------------ gate, alone, holding */

/* The first cycle is opened at 1000, the last one at 7000. */
static void gate_young(struct stage *stage)
{
	stage->quotes = true;
	for (int i = 0; i < 3; i++)
		stage->quote_ms[i] = 900 + i;
	stage->max_quote_age_ms = 6100;
}
static void gate_stale(struct stage *stage)
{
	gate_young(stage);
	stage->max_quote_age_ms--;
}
static void gate_no_bound(struct stage *stage)
{
	gate_young(stage);
	stage->max_quote_age_ms = 0;
}
static void gate_no_quote(struct stage *stage)
{
	gate_young(stage);
	stage->quote_ms[1] = -1;
}
static void gate_reconnected(struct stage *stage)
{
	gate_no_bound(stage);
	stage->reconnect_before = 7;
}
/* It may have come together with what was heard before. */
static void gate_same_moment(struct stage *stage)
{
	gate_reconnected(stage);
	stage->quote_with = 7;
}
static void gate_profit(struct stage *stage)
{
	stage->net_bps_e6 = INT64_C(50000011);
}
static void gate_profit_most(struct stage *stage)
{
	stage->net_bps_e6 = INT64_C(50000000);
}
static void alone_overtaken(struct stage *stage)
{
	stage->overtakes = 2;
}
static void alone_intended(struct stage *stage)
{
	stage->intended_early = 2;
}
static void holding_qty(struct stage *stage, const char *qty)
{
	for (int i = 0; i < 2; i++) {
		struct order_fact *order = &(i ? &stage->journal : &stage->ledger)->order[2];
		order->qty = qty;
		order->venue = SEEN_EXPIRED;
		order->journal = ORDER_EXPIRED;
	}
}
static void holding_all(struct stage *stage)
{
	holding_qty(stage, "37.962"); /* 38, without the fee */
}
static void holding_more(struct stage *stage)
{
	holding_qty(stage, "37.963");
}
static void final_not_sent(struct stage *stage)
{
	stage->not_sent = 6;
}

static void nothing_wrong(struct stage *stage)
{
	(void)stage;
}

static const struct {
	const char *what;
	const char *check; /* empty: all is well */
	void (*change)(struct stage *stage);
} cases[] = {
	{"a sound run", "", nothing_wrong},
	{"a balance is one unit off", "conserved", balance_off},
	{"a damaged line", "conserved", line_damaged},
	{"a line is missing", "conserved", line_missing},
	{"an id that is no hex", "ids", id_foreign},
	{"an id of an unknown gateway", "ids", id_of_nobody},
	{"an id with wrong check digits", "ids", id_check_digits},
	{"an id of no leg", "ids", id_leg_zero},
	{"an id of another gateway", "ids", id_of_another},
	{"an order is sent twice", "ids", id_sent_twice},
	{"an order comes twice", "ids", id_placed_twice},
	{"an epoch goes back", "ids", id_epoch_back},
	{"two cycles of one slot overlap", "open_cycles", cycles_overlap},
	{"of two slots they may", "", cycles_overlap_within},
	{"cycles of two gateways overlap", "open_cycles", cycles_of_group},
	{"an order is late and comes when the next cycle is open", "open_cycles", cycles_overlap_through},
	{"of a group of gateways, each within its strategy's limit", "open_cycles", cycles_of_gateways},
	{"as many as the group may have", "", cycles_of_gateways_within},
	{"orders leave on a slot", "", lease_held},
	{"its lease is over", "lease", lease_over},
	{"it was given back", "lease", lease_of_nobody},
	{"another gateway has it", "lease", lease_of_another},
	{"the group has a limit, too, and no slot of it is held", "lease", lease_of_strategy_only},
	{"none of the strategy is", "lease", lease_of_group_only},
	{"it is of another group", "lease", lease_of_other_group},
	{"both are held", "", lease_of_both},
	{"there is no limit", "", lease_without_limit},
	{"a first order above the amount", "notional", notional_sum},
	{"a first order above the bound", "notional", notional_bound},
	{"a first order within the fraction", "", notional_fraction},
	{"a first order above the fraction", "notional", notional_fraction_over},
	{"as many requests as are allowed", "", rate_full},
	{"one more", "rate", rate_over},
	{"one more when the second is over", "", rate_second},
	{"one more just before", "rate", rate_within_second},
	{"an order to a halted market", "halted", halted_market},
	{"it trades again", "", halted_again_trading},
	{"it was halted before that, too", "halted", halted_long_ago},
	{"told in the same moment", "", halted_other},
	{"filled, not expired", "final", final_not_filled},
	{"cancelled, not rejected", "final", final_rejected},
	{"traded, not abandoned", "final", final_abandoned},
	{"an end of an order that never came", "final", final_made_up},
	{"expired, not cancelled", "final", final_cancel_for_expiry},
	{"an end of an order that is open at the venue", "final", final_at_venue},
	{"a late order is given up and refused", "", final_given_up_and_refused},
	{"a fill is missing", "final", final_fill_missing},
	{"a fill has another price", "final", final_fill_price},
	{"a fill has another quantity", "final", final_fill_qty},
	{"a fee is forgotten", "final", final_fee_forgotten},
	{"a fee in another currency", "final", final_fee_currency},
	{"a fill is counted twice", "final", final_fill_twice},
	{"another price was intended", "final", final_other_price},
	{"another side was intended", "final", final_other_side},
	{"another market was intended", "final", final_other_market},
	{"another number at the venue", "final", final_other_number},
	{"an order without intent", "forgotten", forgotten_order},
	{"a power loss took it", "", forgotten_by_power},
	{"it left after the power loss", "forgotten", forgotten_after_power},
	{"the journal kept what came later", "forgotten", forgotten_before_kept},
	{"the journal kept and synced its cycle", "forgotten", forgotten_though_opened},
	{"the journal is shorter than what was synced", "forgotten", forgotten_though_synced},
	{"there is no journal", "forgotten", forgotten_journal},
	{"a lost cycle overlaps", "", forgotten_cycle_overlaps},
	{"a cycle booked in another currency", "profit", profit_currency},
	{"completed in another currency", "profit", profit_elsewhere},
	{"completed without its legs", "profit", profit_leg_missing},
	{"a cycle is open", "rest", rest_cycle},
	{"an order is open", "rest", rest_order},
	{"records of tomorrow", "time", time_wall},
	{"records from before the run", "time", time_before},
	{"a clock that is minutes off", "", time_skewed},
	{"quotes as old as they may be", "", gate_young},
	{"a quote is a millisecond older", "gate", gate_stale},
	{"they may be of any age", "", gate_no_bound},
	{"one market has none", "gate", gate_no_quote},
	{"none since the connection began", "gate", gate_reconnected},
	{"but for those that come in the same moment", "", gate_same_moment},
	{"a profit too good to be true", "gate", gate_profit},
	{"a profit as good as it may be", "", gate_profit_most},
	{"an order comes when the next one has left", "alone", alone_overtaken},
	{"an order is intended while another one has no end", "alone", alone_intended},
	{"all that is held is sold", "", holding_all},
	{"more than is held is to be sold", "holding", holding_more},
	{"an order that was seen to leave never left", "final", final_not_sent},
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static struct stage stage;
		stage_sound(&stage);
		cases[i].change(&stage);
		struct violation with = stage_play(&stage, true, NULL), without = stage_play(&stage, false, NULL);
		is_str(with.check, cases[i].check, "%s: %s", cases[i].what, with.text);
		ok(strcmp(with.check, without.check) == 0 && strcmp(with.text, without.text) == 0 &&
			   with.at_ns == without.at_ns,
		   "the same without a store");
	}
}

/* ------------------------------------------------------------ the front */

static void test_counts(void)
{
	static struct stage stage;
	struct observer_counts counts;
	stage_sound(&stage);
	stage_play(&stage, true, &counts);
	ok(counts.orders == 6 && counts.rejected == 1 && counts.fills == 6 && counts.cycles == 3,
	   "%llu orders, %llu rejected, %llu fills, %llu cycles", (unsigned long long)counts.orders,
	   (unsigned long long)counts.rejected, (unsigned long long)counts.fills, (unsigned long long)counts.cycles);
}

static void test_first(void)
{
	static struct stage stage;
	stage_sound(&stage);
	balance_off(&stage);
	forgotten_journal(&stage);
	struct violation violation = stage_play(&stage, true, NULL);
	is_str(violation.check, "conserved", "the first violation is the one that counts");
	is_int(violation.at_ns, 1005 * MS, "and it has the time when it was seen");
}

/* Many cycles: tables grow, and a line takes a moment. */
static void test_many(void)
{
	static struct stage stage;
	stage_sound(&stage);
	for (uint32_t i = 0; i < 50; i++) {
		stage_add(&stage, 100 + i, 10000 + 300 * i, 10050 + 300 * i);
		stage.ledger.order[stage.ledger.orders - 1].id.key.epoch = 3;
		stage.journal.order[stage.journal.orders - 1].id.key.epoch = 3;
	}
	struct violation violation = stage_play(&stage, true, NULL);
	is_str(violation.check, "", "many cycles, one after the other: %s", violation.text);
}

int main(void)
{
	test_cases();
	test_counts();
	test_first();
	test_many();
	return tap_done();
}
