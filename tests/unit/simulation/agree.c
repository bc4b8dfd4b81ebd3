/* Store against journal: a row that is missing, too much or different raises its check, and nothing else sees it. */
#include "tests/unit/simulation/observed.h"

static struct row_copy *row_of(struct sim_store *store, int32_t kind, uint32_t number)
{
	for (uint32_t i = 0; i < store->rows; i++)
		if (store->row[i].kind == kind && number-- == 0)
			return &store->row[i];
	abort();
}

static void row_drop(struct sim_store *store, int32_t kind)
{
	row_of(store, kind, 0)->kind = 0;
}

static void no_cycle(struct sim_store *store)
{
	row_drop(store, TG_ROW_CYCLE);
}
static void no_order(struct sim_store *store)
{
	row_drop(store, TG_ROW_ORDER);
}
static void no_fill(struct sim_store *store)
{
	row_drop(store, TG_ROW_FILL);
}
static void cycle_made_up(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 0)->cycle.id = TG_STR("0001-000001-0000ffff");
}
static void cycle_state(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 1)->cycle.state = TG_STR("active");
}
static void cycle_deltas_wrong(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 0)->cycle.deltas = TG_STR("USDT=1");
}
static void cycle_strategy(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 0)->cycle.strategy = TG_STR("square");
}
static void cycle_step_wrong(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 0)->cycle.step = 2;
}
static void cycle_plan(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 0)->cycle.planned_in.lo++;
}
static void cycle_opening(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 0)->cycle.opened_ns++;
}
static void cycle_end(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 0)->cycle.closed_ns = 0;
}
static void cycle_profit_wrong(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 0)->cycle.profit.lo ^= 1;
}
static void cycle_in_wrong(struct sim_store *store)
{
	row_of(store, TG_ROW_CYCLE, 0)->cycle.amount_in.lo++;
}
static void order_made_up(struct sim_store *store)
{
	struct row_copy *row = row_of(store, TG_ROW_ORDER, 0);
	struct client_id id = {1, {1, 77}, 1, 0, 0};
	client_id_format(&id, row->text[0]);
}
static void order_of_neighbour(struct sim_store *store)
{
	struct row_copy *row = row_add(store, TG_ROW_ORDER);
	struct client_id id = {2, {1, 77}, 1, 0, 0};
	client_id_format(&id, row->text[0]);
	row->order.client_id = str(row->text[0]);
}
static void order_state(struct sim_store *store)
{
	row_of(store, TG_ROW_ORDER, 0)->order.state = TG_STR("live");
}
static void order_filled(struct sim_store *store)
{
	row_of(store, TG_ROW_ORDER, 0)->order.filled_qty.mantissa--;
}
static void order_quote(struct sim_store *store)
{
	row_of(store, TG_ROW_ORDER, 0)->order.filled_quote.lo--;
}
static void order_price(struct sim_store *store)
{
	row_of(store, TG_ROW_ORDER, 2)->order.price.mantissa++;
}
static void order_cycle(struct sim_store *store)
{
	row_of(store, TG_ROW_ORDER, 0)->order.cycle_id = TG_STR("0001-000001-00000002");
}
static void order_leg(struct sim_store *store)
{
	row_of(store, TG_ROW_ORDER, 0)->order.leg++;
}
static void order_time(struct sim_store *store)
{
	row_of(store, TG_ROW_ORDER, 0)->order.updated_ns++;
}
static void fill_other(struct sim_store *store)
{
	row_of(store, TG_ROW_FILL, 0)->fill.fill_id = TG_STR("70");
}
static void fill_fee(struct sim_store *store)
{
	row_of(store, TG_ROW_FILL, 0)->fill.fee.mantissa = 0;
}
static void fill_price(struct sim_store *store)
{
	row_of(store, TG_ROW_FILL, 0)->fill.price.mantissa++;
}
static void slot_held(struct sim_store *store)
{
	store->slot_owner = "0001";
}
static void slot_of_neighbour(struct sim_store *store)
{
	store->slot_owner = "0002";
}

static const struct {
	const char *what, *check;
	void (*spoil)(struct sim_store *store);
} store_cases[] = {
	{"a cycle has no row", "agree", no_cycle},
	{"an order has no row", "agree", no_order},
	{"a fill has no row", "agree", no_fill},
	{"a cycle of nobody", "agree", cycle_made_up},
	{"a cycle's state", "agree", cycle_state},
	{"a cycle's deltas", "agree", cycle_deltas_wrong},
	{"a cycle's strategy", "agree", cycle_strategy},
	{"a cycle's step", "agree", cycle_step_wrong},
	{"a cycle's plan", "agree", cycle_plan},
	{"a cycle's opening", "agree", cycle_opening},
	{"a cycle's end", "agree", cycle_end},
	{"a cycle's profit", "profit", cycle_profit_wrong},
	{"what a cycle spent", "profit", cycle_in_wrong},
	{"an order of nobody", "agree", order_made_up},
	{"an order of another gateway", "", order_of_neighbour},
	{"an order's state", "agree", order_state},
	{"an order's filled quantity", "agree", order_filled},
	{"an order's filled worth", "agree", order_quote},
	{"an order's price", "agree", order_price},
	{"an order's cycle", "agree", order_cycle},
	{"an order's leg", "agree", order_leg},
	{"an order's time", "agree", order_time},
	{"a fill's id", "agree", fill_other},
	{"a fill's fee", "agree", fill_fee},
	{"a fill's price", "agree", fill_price},
	{"a slot is held", "rest", slot_held},
	{"another gateway holds a slot", "", slot_of_neighbour},
};

/* The store went back: what it lacks, and who could have told it again. */
static const struct {
	const char *what, *check;
	void (*spoil)(struct sim_store *store);
	uint64_t stands, furthest, first;
} loss_cases[] = {
	{"a cycle that was lost, and that the journal has no more", "", no_cycle, 0, 1000, 1000},
	{"an order of it", "", no_order, 0, 1000, 1000},
	{"a fill of it", "", no_fill, 0, 1000, 1000},
	{"what its row says", "", cycle_state, 0, 1000, 1000},
	{"what its order's row says", "", order_time, 0, 1000, 1000},
	{"one that the journal still has", "agree", no_cycle, 0, 1000, 1},
	{"one that the store did not lose", "agree", no_cycle, 999, 1000, 1000},
	{"one that the store never had", "agree", no_cycle, 0, 1, 1000},
	{"another's order", "agree", order_made_up, 0, 1000, 1000},
};

static void test_losses(void)
{
	for (size_t i = 0; i < sizeof loss_cases / sizeof *loss_cases; i++) {
		static struct stage stage;
		stage_sound(&stage);
		stage.store_spoil = loss_cases[i].spoil;
		stage.store_loss.stands = loss_cases[i].stands;
		stage.store_loss.furthest = loss_cases[i].furthest;
		stage.store_loss.first = loss_cases[i].first;
		struct violation violation = stage_play(&stage, true, NULL);
		is_str(violation.check, loss_cases[i].check, "lost: %s: %s", loss_cases[i].what, violation.text);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof store_cases / sizeof *store_cases; i++) {
		static struct stage stage;
		stage_sound(&stage);
		stage.store_spoil = store_cases[i].spoil;
		struct violation with = stage_play(&stage, true, NULL), without = stage_play(&stage, false, NULL);
		is_str(with.check, store_cases[i].check, "%s: %s", store_cases[i].what, with.text);
		is_str(without.check, "", "which nobody sees without it");
	}
	test_losses();
	return tap_done();
}
