/* Nothing allocates between a tick and its plan: malloc and its family are counted in this process. */
#include "core/arbitrage/gate.h"
#include "core/arbitrage/sizing.h"
#include "tests/allocations.h"
#include "tests/unit/core/arbitrage/fixture.h"

#if !ALLOCATIONS_ARE_COUNTED
int main(void)
{
	tap_skip("ticks allocate nothing", "the sanitizer owns malloc");
	return tap_done();
}
#else

/* One tick, as the pipeline lives it. Returns how many plans were made. */
static uint32_t tick(struct markets *markets, struct cycles *cycles, uint32_t market, const struct tg_book_event *event)
{
	struct candidate candidate[CANDIDATES_MAX];
	const struct gate_limits gate = {.max_quote_age_ns = 1000, .max_profit_bps_e6 = 500000000};
	const struct sizing_limits limits = {.budget = 1000 * TG_AMOUNT_ONE};
	struct cycle_plan plan;
	uint32_t planned = 0;

	book_apply(&markets->market[market], event);
	cycles_rate_update(cycles, markets, market);
	uint32_t count = cycles_screen(cycles, market, 1, candidate, CANDIDATES_MAX);
	for (uint32_t i = 0; i < count; i++) {
		const struct cycle_def *def = cycles_get(cycles, candidate[i].cycle);
		gate_check(markets, def, candidate[i].gross, &gate, 1);
		planned += sizing_make(markets, def, &limits, &plan) == SIZE_OK;
	}
	return planned;
}

int main(void)
{
	struct markets *markets;
	struct cycles *cycles;
	const char *const pair[][2] = {{"A", "B"}, {"B", "C"}, {"C", "A"}, {"D", "A"}, {"D", "B"}, {"C", "D"}};
	markets_create(&markets);
	for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
		quote_set(&markets->market[market_add(markets, pair[i][0], pair[i][1])], 100, 100000, 101, 100000);
	struct cycles_options options = {.max_legs = 4};
	cycles_build(markets, &options, &cycles, NULL);
	ok(allocations > 0, "the counter counts");
	unsigned before = allocations;

	uint32_t planned = 0;
	for (int i = 0; i < 20000; i++) {
		uint32_t market = (uint32_t)random_between(0, 5);
		int64_t mid = random_between(96, 104);
		struct tg_level bids[] = {{mid, random_between(1, 5000)}, {mid - 1, 700}};
		struct tg_level asks[] = {{mid + 1, random_between(1, 5000)}, {mid + 2, 700}};
		struct tg_book_event event = {
			.size = sizeof event,
			.market = market,
			.version = 1,
			.flags = i % 3 ? TG_BOOK_SNAPSHOT : 0,
			.sequence = (uint64_t)i + 2,
			.received_ns = 1,
			.bids = bids,
			.asks = asks,
			.bid_count = 2,
			.ask_count = 2,
		};
		planned += tick(markets, cycles, market, &event);
	}
	is_int(allocations, before, "20,000 ticks allocate nothing");
	ok(planned > 1000, "and many of them were planned (%u)", planned);
	cycles_destroy(cycles);
	markets_destroy(markets);
	return tap_done();
}
#endif
