/* The helpers of the storage contract: a row and its progress. */
#include <string.h>

#include <trigate/storage.h>

#include "tests/tap.h"

static const struct tg_cycle_progress cycle_now = {.size = sizeof cycle_now,
						   .step = 2,
						   .id = TG_STR("c1"),
						   .state = TG_STR("completed"),
						   .deltas = TG_STR("USDT=0.5"),
						   .reason = TG_STR("late"),
						   .amount_in = {.lo = 11},
						   .amount_out = {.lo = 12},
						   .profit = {.lo = 1},
						   .closed_ns = 6};
static const struct tg_order_progress order_now = {.size = sizeof order_now,
						   .client_id = TG_STR("o1"),
						   .exchange_id = TG_STR("x77"),
						   .state = TG_STR("filled"),
						   .reason = TG_STR("late"),
						   .filled_qty = {25, 2, 0},
						   .filled_quote = {.lo = 77},
						   .updated_ns = 99};

static bool same(struct tg_str text, const char *want)
{
	return text.len == strlen(want) && memcmp(text.ptr, want, text.len) == 0;
}

static void cycle_advances(void)
{
	struct tg_cycle_row row = {.size = sizeof row,
				   .id = TG_STR("c1"),
				   .strategy = TG_STR("s"),
				   .state = TG_STR("active"),
				   .planned_in = {.lo = 10},
				   .opened_ns = 5};
	tg_cycle_row_advance(&row, &cycle_now);
	ok(same(row.strategy, "s") && row.planned_in.lo == 10 && row.opened_ns == 5,
	   "what a cycle was opened with stands");
	ok(row.step == 2 && row.closed_ns == 6 && same(row.state, "completed"), "what its progress tells does not");
	struct tg_cycle_progress told = tg_cycle_row_progress(&row);
	ok(memcmp(&told, &cycle_now, sizeof told) == 0, "which the row says again");
}

static void order_advances(void)
{
	struct tg_order_row row = {.size = sizeof row,
				   .client_id = TG_STR("o1"),
				   .market = TG_STR("BTCUSDT"),
				   .state = TG_STR("live"),
				   .qty = {5, 1, 0},
				   .created_ns = 7};
	tg_order_row_advance(&row, &order_now);
	ok(same(row.market, "BTCUSDT") && row.qty.mantissa == 5 && row.created_ns == 7,
	   "what an order was made with stands");
	ok(row.updated_ns == 99 && same(row.exchange_id, "x77"), "what its progress tells does not");
	struct tg_order_progress told = tg_order_row_progress(&row);
	ok(memcmp(&told, &order_now, sizeof told) == 0, "which the row says again");
}

int main(void)
{
	cycle_advances();
	order_advances();
	return tap_done();
}
