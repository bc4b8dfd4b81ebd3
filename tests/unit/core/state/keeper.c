/* The keeper: what it commits stands in the journal and the model, and the store comes to the same rows. */
#include "core/state/keeper.h"
#include "tests/unit/core/trade/desk.h"

/* The store's rows, latest by key; written by the writer's thread, read after it was drained. */
struct shelf {
	uint32_t cycles, orders, fills, wrong;
	uint64_t position;
	struct {
		char id[24], state[20], deltas[256];
		tg_amount profit;
		int64_t closed_ns;
	} cycle[64];
	struct {
		char client_id[33], cycle_id[24], state[16];
		struct tg_decimal filled;
	} order[256];
	char fill[512][80];
};

static struct shelf shelf;

static bool same(struct tg_str text, const char *with)
{
	return text.len == strlen(with) && !memcmp(text.ptr, with, text.len);
}

static void copy(char *to, size_t size, struct tg_str text)
{
	snprintf(to, size, "%.*s", (int)text.len, text.ptr);
}

static void keep_cycle(const struct tg_cycle_row *row)
{
	uint32_t i = 0;
	while (i < shelf.cycles && !same(row->id, shelf.cycle[i].id))
		i++;
	shelf.cycles += i == shelf.cycles;
	copy(shelf.cycle[i].id, sizeof shelf.cycle[i].id, row->id);
	copy(shelf.cycle[i].state, sizeof shelf.cycle[i].state, row->state);
	copy(shelf.cycle[i].deltas, sizeof shelf.cycle[i].deltas, row->deltas);
	shelf.cycle[i].profit = tg_amount_of(row->profit);
	shelf.cycle[i].closed_ns = row->closed_ns;
}

static void keep_order(const struct tg_order_row *row)
{
	uint32_t i = 0, parent = 0;
	while (i < shelf.orders && !same(row->client_id, shelf.order[i].client_id))
		i++;
	while (parent < shelf.cycles && !same(row->cycle_id, shelf.cycle[parent].id))
		parent++;
	shelf.wrong += parent == shelf.cycles; /* before its cycle */
	shelf.orders += i == shelf.orders;
	copy(shelf.order[i].client_id, sizeof shelf.order[i].client_id, row->client_id);
	copy(shelf.order[i].cycle_id, sizeof shelf.order[i].cycle_id, row->cycle_id);
	copy(shelf.order[i].state, sizeof shelf.order[i].state, row->state);
	shelf.order[i].filled = row->filled_qty;
}

static void keep_fill(const struct tg_fill_row *row)
{
	char key[80];
	snprintf(key, sizeof key, "%.*s/%.*s", (int)row->client_id.len, row->client_id.ptr, (int)row->fill_id.len,
		 row->fill_id.ptr);
	for (uint32_t i = 0; i < shelf.fills; i++)
		if (strcmp(shelf.fill[i], key) == 0)
			return;
	strcpy(shelf.fill[shelf.fills++], key);
}

static void keep_batch(const struct tg_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		switch (batch->records[i].kind) {
		case TG_ROW_CYCLE: keep_cycle(batch->records[i].row); break;
		case TG_ROW_ORDER: keep_order(batch->records[i].row); break;
		case TG_ROW_FILL: keep_fill(batch->records[i].row); break;
		default: shelf.wrong++;
		}
	shelf.wrong += batch->position < shelf.position;
	shelf.position = batch->position;
}

static uint32_t fills_differ(const struct order *order)
{
	uint32_t missing = 0;
	for (const struct fill *fill = order->fills; fill; fill = fill->next) {
		char key[80];
		uint32_t i = 0;
		snprintf(key, sizeof key, "%s/%s", order->client_id, fill->fill_id);
		while (i < shelf.fills && strcmp(shelf.fill[i], key) != 0)
			i++;
		missing += i == shelf.fills || !fill->posted;
	}
	return missing;
}

static uint32_t order_differs(const struct order *order)
{
	uint32_t i = 0;
	tg_amount filled = -1;
	while (i < shelf.orders && strcmp(shelf.order[i].client_id, order->client_id) != 0)
		i++;
	if (i == shelf.orders)
		return 1;
	tg_amount_from_decimal(shelf.order[i].filled, &filled);
	return (strcmp(shelf.order[i].state, order_state_name(order->state)) != 0) + (filled != order->filled_base) +
	       order->dirty + fills_differ(order);
}

/* How many rows of the store differ from the model. */
static uint32_t shelf_differs(const struct model *model)
{
	uint32_t differ = 0;
	for (const struct cycle *cycle = model_oldest(model); cycle; cycle = cycle->newer) {
		char id[CYCLE_ID_MAX], deltas[256];
		uint32_t i = 0;
		cycle_id_format("0001", cycle->key, id);
		cycle_deltas(cycle, deltas, sizeof deltas);
		while (i < shelf.cycles && strcmp(shelf.cycle[i].id, id) != 0)
			i++;
		differ += i == shelf.cycles || strcmp(shelf.cycle[i].state, cycle_state_name(cycle->state)) != 0 ||
			  strcmp(shelf.cycle[i].deltas, deltas) != 0 || shelf.cycle[i].profit != cycle_profit(cycle) ||
			  shelf.cycle[i].closed_ns != cycle->closed_ns || cycle->dirty;
		for (const struct order *order = cycle->orders; order; order = order->next)
			differ += order_differs(order);
	}
	return differ;
}

static void test_rows(const char *path)
{
	static struct exchange exchange;
	struct desk *desk = desk_open(path, &exchange, 1);
	executor_on_link(&desk->executor, true);
	exchange.fate[0] = (struct fate){.pieces = 3};
	exchange.fate[1] = (struct fate){.unfilled_e2 = 40, .mute = true};
	exchange.fate[2] = (struct fate){.status = TG_ERR_REJECTED};
	exchange.fates = 3;
	for (int i = 0; i < 5; i++) {
		desk_trade(desk);
		loop_run(desk->loop);
	}
	keeper_pass_end(&desk->keeper);
	ok(!keeper_is_behind(&desk->keeper), "all is posted");
	ok(writer_drain(desk->keeper.writer, 10000), "and applied");
	is_int(shelf_differs(desk->keeper.model), 0, "the store is what the model is");
	ok(shelf.cycles == 5 && shelf.orders > 15 && shelf.fills > 15, "%u cycles, %u orders, %u fills", shelf.cycles,
	   shelf.orders, shelf.fills);
	is_int(shelf.wrong, 0, "parents first, positions rise");
	is_int(shelf.position, journal_position(desk->keeper.journal), "the store is up to the journal");
	keeper_note(&desk->keeper, RECORD_STOP, &(struct record_stop){.reason = "note"}, sizeof(struct record_stop));
	ok(!keeper_is_behind(&desk->keeper), "a note changes no row");
	struct record_cycle_event unknown = {.key = {9, 9}};
	uint64_t before = journal_position(desk->keeper.journal);
	is_int(keeper_commit(&desk->keeper, RECORD_CYCLE_EVENT, &unknown, sizeof unknown), TG_ERR_CORRUPT,
	       "what makes no sense");
	ok(journal_position(desk->keeper.journal) == before && !keeper_is_behind(&desk->keeper), "is not appended");
	desk_close(desk);
}

/* A store that lost everything is brought up to the journal by the next start. */
static void test_replayed(const char *path)
{
	static struct exchange exchange;
	memset(&shelf, 0, sizeof shelf);
	struct desk *desk = desk_open(path, &exchange, 2);
	ok(keeper_is_behind(&desk->keeper), "an empty store beside a journal is behind");
	keeper_pass_end(&desk->keeper);
	ok(!keeper_is_behind(&desk->keeper) && writer_drain(desk->keeper.writer, 10000), "until the end of a pass");
	is_int(shelf_differs(desk->keeper.model), 0, "then it has every row again");
	is_int(shelf.cycles, 5, "of all cycles");
	desk_close(desk);
}

int main(void)
{
	dir_make("keeper");
	store_keep = keep_batch;
	test_rows(dir);
	test_replayed(dir);
	dir_remove(dir);
	return tap_done();
}
