#include "core/arbitrage/sizing.h"

#include "tests/unit/core/arbitrage/fixture.h"

static struct markets *markets;

static tg_amount profit_of(const struct cycle_plan *plan)
{
	return plan->amount_out - plan->amount_in - plan->third_fees;
}

/* ---- one leg ---- */

static struct market *leg_market(void)
{
	static const struct tg_level bids[] = {{10000, 300}, {9950, 200}}, asks[] = {{10050, 150}, {10100, 1000}};
	char symbol[48];
	struct tg_instrument instrument = instrument_of(0, "BTC", "USD", symbol);
	instrument.taker_bps = decimal("10");
	instrument.fee_scale = 4;
	instrument.min_qty = decimal("0.02");
	instrument.max_qty = decimal("6");
	instrument.min_notional = decimal("10");
	markets_update(markets, &instrument, NULL);
	struct tg_book_event event = {
		.size = sizeof event,
		.version = 1,
		.flags = TG_BOOK_SNAPSHOT,
		.bids = bids,
		.asks = asks,
		.bid_count = 2,
		.ask_count = 2,
	};
	book_apply(&markets->market[0], &event);
	return &markets->market[0];
}

struct leg_case {
	const char *what;
	int32_t side;
	const char *have;
	int64_t worst_ticks;
	enum leg_verdict verdict;
	int64_t lots;
	int64_t limit_ticks;
	const char *spent, *received, *fee, *dust;
};

/* Bids 100.00 x 3.00, 99.50 x 2.00; asks 100.50 x 1.50, 101.00 x 10.00; fee 10 bps up to 4 decimals, a level at a time.
 */
static const struct leg_case leg_cases[] = {
	{"sell within the first level", TG_SIDE_SELL, "1.2345", 0, LEG_OK, 123, 10000, "1.23", "122.877", "0.123",
	 "0.0045"},
	{"sell over two levels", TG_SIDE_SELL, "4", 0, LEG_OK, 400, 9950, "4", "399.1005", "0.3995", "0"},
	{"sell more than there is", TG_SIDE_SELL, "7", 0, LEG_OK, 500, 9950, "5", "498.501", "0.499", "2"},
	{"sell no worse than a price", TG_SIDE_SELL, "4", 9951, LEG_OK, 300, 10000, "3", "299.7", "0.3", "1"},
	{"sell at an exact bound", TG_SIDE_SELL, "4", 9950, LEG_OK, 400, 9950, "4", "399.1005", "0.3995", "0"},
	{"sell better than there is", TG_SIDE_SELL, "4", 10001, LEG_NO_QUOTE, 0, 0, 0, 0, 0, 0},
	{"buy within the first level", TG_SIDE_BUY, "100.60", 0, LEG_OK, 100, 10050, "100.5", "0.999", "0.001", "0.1"},
	{"buy over two levels", TG_SIDE_BUY, "200.3", 0, LEG_OK, 198, 10100, "199.23", "1.978", "0.002", "1.07"},
	{"buy over two levels, but not at its limit", TG_SIDE_BUY, "151.5", 0, LEG_OK, 150, 10050, "150.75", "1.4985",
	 "0.0015", "0.75"},
	{"buy up to max_qty", TG_SIDE_BUY, "10000", 0, LEG_OK, 600, 10100, "605.25", "5.994", "0.006", "9394.75"},
	{"buy no worse than a price", TG_SIDE_BUY, "1000", 10099, LEG_OK, 150, 10050, "150.75", "1.4985", "0.0015",
	 "849.25"},
	{"under min_qty", TG_SIDE_SELL, "0.0199", 0, LEG_TOO_SMALL, 0, 0, 0, 0, 0, 0},
	{"under one lot", TG_SIDE_BUY, "1", 0, LEG_TOO_SMALL, 0, 0, 0, 0, 0, 0},
	{"nothing", TG_SIDE_BUY, "0", 0, LEG_TOO_SMALL, 0, 0, 0, 0, 0, 0},
	{"a debt", TG_SIDE_BUY, "-5", 0, LEG_TOO_SMALL, 0, 0, 0, 0, 0, 0},
	{"under min_notional", TG_SIDE_SELL, "0.09", 0, LEG_NOTIONAL, 0, 0, 0, 0, 0, 0},
	{"at min_notional", TG_SIDE_SELL, "0.1", 0, LEG_OK, 10, 10000, "0.1", "9.99", "0.01", "0"},
	{"more than an order can be", TG_SIDE_SELL, "100000000000000000000", 0, LEG_OK, 500, 9950, "5", "498.501",
	 "0.499", "99999999999999999995"},
};

static void test_leg(void)
{
	struct market *market = leg_market();
	for (size_t i = 0; i < sizeof leg_cases / sizeof *leg_cases; i++) {
		const struct leg_case *c = &leg_cases[i];
		struct leg_plan plan = {0};
		is_int(leg_plan_make(market, c->side, amount(c->have), c->worst_ticks, &plan), c->verdict, "%s",
		       c->what);
		if (c->verdict != LEG_OK)
			continue;
		ok(plan.lots == c->lots && plan.limit_ticks == c->limit_ticks, "its lots (%lld) and limit",
		   (long long)plan.lots);
		is_str(amount_text(plan.spent), c->spent, "spent");
		is_str(amount_text(plan.received), c->received, "received");
		is_str(amount_text(plan.fee), c->fee, "fee");
		is_str(amount_text(plan.dust), c->dust, "dust");
	}
	struct leg_plan plan = {0};
	market->status = TG_MARKET_HALTED;
	is_int(leg_plan_make(market, TG_SIDE_SELL, amount("1"), 0, &plan), LEG_HALTED, "a halted market");
	market->status = TG_MARKET_TRADING;
	market->fee_currency = markets_currency(markets, TG_STR("BNB"), true);
	is_int(leg_plan_make(market, TG_SIDE_SELL, amount("1"), 0, &plan), LEG_OK, "a fee in a third currency");
	is_str(amount_text(plan.received), "100", "is not taken off what comes in");
	is_str(amount_text(plan.fee), "0.1", "but told");
	book_clear(&market->book);
	is_int(leg_plan_make(market, TG_SIDE_SELL, amount("1"), 0, &plan), LEG_NO_QUOTE, "an empty book");
	market->book.best_bid = market->book.bids[0].ticks = INT64_MAX;
	market->book.bids[0].lots = INT64_MAX;
	market->book.bid_count = 1;
	market->quote_unit = TG_AMOUNT_ONE * 1000;
	market->max_lots = INT64_MAX;
	is_int(leg_plan_make(market, TG_SIDE_SELL, ((tg_amount)1 << 126), 0, &plan), LEG_TOO_LARGE,
	       "what no amount can hold");
}

/* ---- whole cycles against brute force ---- */

static struct cycle_def def;

static void side_fill(struct tg_level *level, uint32_t *count, int64_t price, int64_t step, int64_t depth)
{
	*count = (uint32_t)random_between(1, 4);
	for (uint32_t i = 0; i < *count; i++, price += step * random_between(1, 3))
		level[i] = (struct tg_level){price, random_between(1, depth)};
}

/* Markets B-A, C-B ... or turned round, quoted near 1 with an edge for the cycle A > B > C > A. */
static void cycle_make(uint32_t legs, int64_t depth)
{
	static const char *const lots[] = {"1", "0.1", "0.25", "0.03", "2"};
	markets_destroy(markets);
	markets_create(&markets);
	def.legs = legs;
	for (uint32_t i = 0; i < legs; i++) {
		char from[2] = {(char)('A' + i), 0}, to[2] = {(char)('A' + (i + 1) % legs), 0}, symbol[48];
		bool sells = random_next() & 1;
		struct tg_instrument instrument = instrument_of(i, sells ? from : to, sells ? to : from, symbol);
		instrument.lot = decimal(lots[random_next() % 5]);
		instrument.tick = decimal("0.001");
		instrument.taker_bps.mantissa = random_between(0, 3) * 5;
		instrument.fee_scale = (int32_t)random_between(4, 8);
		if (random_next() % 4 == 0)
			instrument.min_qty = (struct tg_decimal){random_between(1, 4), 0, 0};
		if (random_next() % 4 == 0)
			instrument.min_notional = (struct tg_decimal){random_between(1, 5), 0, 0};
		if (random_next() % 8 == 0)
			instrument.max_qty = (struct tg_decimal){random_between(5, 50), 0, 0};
		if (markets_update(markets, &instrument, NULL))
			abort();
		struct tg_level level[4];
		struct tg_book_event event = {.size = sizeof event,
					      .market = i,
					      .version = 1,
					      .flags = TG_BOOK_SNAPSHOT,
					      .bids = level,
					      .asks = level};
		if (sells)
			side_fill(level, &event.bid_count, random_between(1000, 1100), -3, depth);
		else
			side_fill(level, &event.ask_count, random_between(920, 1000), 3, depth);
		for (uint32_t n = 0; n < event.bid_count + event.ask_count; n++)
			level[n].qty *= instrument.lot.mantissa;
		if (book_apply(&markets->market[i], &event) != BOOK_CHANGED)
			abort();
		def.edge[i] = edge_of(i, sells ? TG_SIDE_SELL : TG_SIDE_BUY);
	}
}

static bool run_exactly(tg_amount have, tg_amount *ret_in, tg_amount *ret_out)
{
	for (uint32_t i = 0; i < def.legs; i++) {
		struct leg_plan plan;
		if (leg_plan_make(&markets->market[i], edge_side(def.edge[i]), have, 0, &plan) != LEG_OK)
			return false;
		if (i == 0)
			*ret_in = plan.spent;
		have = plan.received;
	}
	*ret_out = have;
	return true;
}

struct brute {
	bool any;        /* some size can be traded */
	bool reached;    /* and some size reaches the threshold */
	tg_amount best;  /* profit of the best that does */
	int64_t pivot;   /* fewest lots of any leg at the budget */
	tg_amount waste; /* worth of one lot of every leg, about */
};

/* Every number of lots of the first leg: what lies between two of them changes nothing behind it. */
static struct brute brute_force(const struct sizing_limits *limits)
{
	struct brute brute = {.pivot = INT64_MAX};
	const struct market *first = &markets->market[0];
	bool sells = edge_side(def.edge[0]) == TG_SIDE_SELL;
	uint32_t count = sells ? first->book.bid_count : first->book.ask_count, at = 0;
	const struct level *level = sells ? first->book.bids : first->book.asks;
	tg_amount have, in = 0, out = 0;
	int64_t lots = 0;
	for (int64_t left = level[0].lots;;) {
		have = ++lots * (sells ? first->lot_unit : first->quote_unit * level[at].ticks);
		if (have > limits->budget)
			break;
		if (run_exactly(have, &in, &out)) {
			brute.any = true;
			bool reaches = (out - in) * 10000 * 1000000 >= limits->min_net_bps_e6 * in;
			if (reaches && (!brute.reached || out - in > brute.best))
				brute.best = out - in;
			brute.reached |= reaches;
		}
		if (--left == 0) {
			if (++at == count)
				break;
			left = level[at].lots;
		}
	}
	have = limits->budget;
	for (uint32_t i = 0; i < def.legs; i++) {
		struct leg_plan plan;
		if (leg_plan_make(&markets->market[i], edge_side(def.edge[i]), have, 0, &plan) != LEG_OK)
			break;
		brute.pivot = plan.lots < brute.pivot ? plan.lots : brute.pivot;
		have = plan.received;
		brute.waste += 2 * markets->market[i].lot_unit;
	}
	return brute;
}

static bool plan_sound(const struct cycle_plan *plan, const struct sizing_limits *limits)
{
	tg_amount in = 0, out = 0, given = plan->leg[0].spent + plan->leg[0].dust;
	bool sound = given <= limits->budget && run_exactly(given, &in, &out);
	return sound && in == plan->amount_in && out == plan->amount_out && plan->third_fees == 0;
}

static void test_brute(uint32_t rounds, int64_t depth)
{
	uint32_t exact = 0, near = 0, wrong = 0, unsound = 0, too_far = 0, reached = 0;
	for (uint32_t round = 0; round < rounds; round++) {
		cycle_make(3 + round % 3, depth);
		struct sizing_limits limits = {
			.budget = TG_AMOUNT_ONE * random_between(1, 4 * depth),
			.min_net_bps_e6 = random_between(-2, 6) * 10 * 1000000,
		};
		struct brute brute = brute_force(&limits);
		struct cycle_plan plan;
		enum sizing_verdict verdict = sizing_make(markets, &def, &limits, &plan);
		unsound += plan.legs > 0 && !plan_sound(&plan, &limits);
		unsound += verdict == SIZE_OK && plan.net_bps_e6 < limits.min_net_bps_e6;
		reached += brute.reached;
		if (brute.pivot <= 32) {
			exact++;
			bool right = (verdict == SIZE_OK) == brute.reached && (plan.legs > 0) == brute.any;
			wrong += !right || (brute.reached && profit_of(&plan) != brute.best);
		} else if (brute.reached) {
			near++;
			tg_amount got = verdict == SIZE_OK ? profit_of(&plan) : 0;
			too_far += got < brute.best - brute.waste;
		}
	}
	ok(unsound == 0, "depth %d: %u plans are what their legs make of the amount, within the limits", (int)depth,
	   rounds);
	ok(wrong == 0, "depth %d: of %u small cycles every one has the best size there is (%u wrong)", (int)depth,
	   exact, wrong);
	ok(too_far == 0, "depth %d: %u larger ones are within one lot of each leg (%u not)", (int)depth, near, too_far);
	ok(reached > rounds / 20, "depth %d: enough of them gain (%u)", (int)depth, reached);
}

int main(void)
{
	markets_create(&markets);
	test_leg();
	test_brute(4000, 12);
	test_brute(1500, 120);
	markets_destroy(markets);
	return tap_done();
}
