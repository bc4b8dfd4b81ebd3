/* The helpers of the storage contract: a row and its progress, keys. */
#include <string.h>

#include <trigate/error.h>
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

static void keys_to_load_behind(void)
{
	static const struct {
		int32_t kind;
		const char *after, *first, *second; /* first NULL: refused */
		int64_t position;
	} cases[] = {
		{TG_ROW_CYCLE, "", "", "", -1},
		{TG_ROW_CYCLE, "a/b", "a/b", "", -1},
		{TG_ROW_ORDER, "o1", "o1", "", -1},
		{TG_ROW_FILL, "", "", "", -1},
		{TG_ROW_FILL, "o1/f/2", "o1", "f/2", -1},
		{TG_ROW_FILL, "o1/", "o1", "", -1},
		{TG_ROW_FILL, "o1", NULL, NULL, 0},
		{TG_ROW_EVENT, "", "", "", -1},
		{TG_ROW_EVENT, "a/b/7", "a/b", "", 7},
		{TG_ROW_EVENT, "j/9223372036854775807", "j", "", INT64_MAX},
		{TG_ROW_EVENT, "j/9223372036854775808", NULL, NULL, 0},
		{TG_ROW_EVENT, "j/-1", NULL, NULL, 0},
		{TG_ROW_EVENT, "j/", NULL, NULL, 0},
		{TG_ROW_EVENT, "7", NULL, NULL, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct tg_load what = {
			.size = sizeof what, .kind = cases[i].kind, .after = {cases[i].after, strlen(cases[i].after)}};
		struct tg_str first, second;
		int64_t position;
		struct tg_error error = tg_error_init();
		int32_t status = tg_load_after(&what, &first, &second, &position, &error);
		if (cases[i].first)
			ok(status == TG_OK && same(first, cases[i].first) && same(second, cases[i].second) &&
				   position == cases[i].position,
			   "behind '%s'", cases[i].after);
		else
			ok(status == TG_ERR_INVALID && strstr(error.message, cases[i].after), "no key: %s",
			   error.message);
	}
}

int main(void)
{
	keys_to_load_behind();
	cycle_advances();
	order_advances();
	return tap_done();
}
