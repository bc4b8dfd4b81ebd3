/* The keeper: what it commits stands in the journal and the model, and the store comes to the same rows. */
#include "core/state/keeper.h"
#include "tests/unit/core/trade/desk.h"

/* The store's rows, latest by key; written by the writer's thread, read after it was drained. */
struct shelf {
	uint32_t cycles, orders, fills, wrong;
	uint32_t full, progress; /* rows of cycles and orders, as they came */
	char events[512];        /* "kind " */
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

static void keep_cycle_progress(const struct tg_cycle_progress *row)
{
	uint32_t i = 0;
	while (i < shelf.cycles && !same(row->id, shelf.cycle[i].id))
		i++;
	shelf.wrong += i == shelf.cycles; /* of what is not there */
	if (i == shelf.cycles)
		return;
	copy(shelf.cycle[i].state, sizeof shelf.cycle[i].state, row->state);
	copy(shelf.cycle[i].deltas, sizeof shelf.cycle[i].deltas, row->deltas);
	shelf.cycle[i].profit = tg_amount_of(row->profit);
	shelf.cycle[i].closed_ns = row->closed_ns;
}

static void keep_order_progress(const struct tg_order_progress *row)
{
	uint32_t i = 0;
	while (i < shelf.orders && !same(row->client_id, shelf.order[i].client_id))
		i++;
	shelf.wrong += i == shelf.orders;
	if (i == shelf.orders)
		return;
	copy(shelf.order[i].state, sizeof shelf.order[i].state, row->state);
	shelf.order[i].filled = row->filled_qty;
}

static void keep_event(const struct tg_event_row *row)
{
	size_t used = strlen(shelf.events);
	snprintf(shelf.events + used, sizeof shelf.events - used, "%.*s ", (int)row->kind.len, row->kind.ptr);
	shelf.wrong += !same(row->journal, "0001") || row->position == 0 || row->text.len == 0;
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
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct tg_record *record = &batch->records[i];
		shelf.full += record->kind == TG_ROW_CYCLE || record->kind == TG_ROW_ORDER;
		shelf.progress += record->kind == TG_ROW_CYCLE_PROGRESS || record->kind == TG_ROW_ORDER_PROGRESS;
		switch (record->kind) {
		case TG_ROW_CYCLE: keep_cycle(record->row); break;
		case TG_ROW_ORDER: keep_order(record->row); break;
		case TG_ROW_FILL: keep_fill(record->row); break;
		case TG_ROW_EVENT: keep_event(record->row); break;
		case TG_ROW_CYCLE_PROGRESS: keep_cycle_progress(record->row); break;
		case TG_ROW_ORDER_PROGRESS: keep_order_progress(record->row); break;
		default: shelf.wrong++;
		}
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
	ok(keeper_is_behind(&desk->keeper), "a stop is told to people");
	keeper_pass_end(&desk->keeper);
	keeper_note(&desk->keeper, RECORD_MISSED, &(struct record_missed){0}, sizeof(struct record_missed));
	ok(!keeper_is_behind(&desk->keeper), "another note is not");
	ok(writer_drain(desk->keeper.writer, 10000), "it is in the store");
	is_str(shelf.events, "stop ", "as an event");
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

/* ------------------------------------------------------------ progress */

static char client_id[TG_CLIENT_ID_LEN + 1];

static void commit(struct desk *desk, uint16_t type, const void *payload, size_t size)
{
	if (keeper_commit(&desk->keeper, type, payload, (uint32_t)size))
		abort();
}

static void cycle_begin(struct desk *desk, struct cycle_key key)
{
	struct record_cycle_open open = {.key = key, .legs = 3, .planned_in = {.lo = 5}};
	static const char *const names[] = {"USDT", "BTC", "ETH", "USDT"};
	for (int i = 0; i < 3; i++) {
		snprintf(open.leg[i].market, sizeof open.leg[i].market, "M%d", i);
		strcpy(open.leg[i].from, names[i]);
		strcpy(open.leg[i].to, names[i + 1]);
		open.leg[i].side = TG_SIDE_BUY;
	}
	commit(desk, RECORD_CYCLE_OPEN, &open, sizeof open);
	commit(desk, RECORD_CYCLE_EVENT, &(struct record_cycle_event){.key = key, .event = CYCLE_EVENT_VALIDATE},
	       sizeof(struct record_cycle_event));
	struct record_order_intent intent = {.key = key,
					     .attempt = 1,
					     .side = TG_SIDE_BUY,
					     .time_in_force = TG_TIF_IOC,
					     .market = "M0",
					     .price = decimal("2"),
					     .qty = decimal("10")};
	client_id_format(&(struct client_id){.gateway = 1, .key = key, .attempt = 1}, client_id);
	memcpy(intent.client_id, client_id, sizeof intent.client_id);
	commit(desk, RECORD_ORDER_INTENT, &intent, sizeof intent);
}

static void order_accepted(struct desk *desk)
{
	struct record_order_event event = {.event = ORDER_EVENT_ACCEPT, .exchange_id = "77"};
	memcpy(event.client_id, client_id, sizeof event.client_id);
	commit(desk, RECORD_ORDER_EVENT, &event, sizeof event);
}

static void order_filled(struct desk *desk, const char *fill_id)
{
	struct record_fill fill = {.price = decimal("2"), .qty = decimal("1"), .fee = decimal("0.1")};
	memcpy(fill.client_id, client_id, sizeof fill.client_id);
	snprintf(fill.fill_id, sizeof fill.fill_id, "%s", fill_id);
	strcpy(fill.fee_currency, "USDT");
	commit(desk, RECORD_FILL, &fill, sizeof fill);
}

/* What a pass brings to the store. */
static void told(struct desk *desk, uint32_t full, uint32_t progress, uint32_t fills, const char *what)
{
	shelf.full = shelf.progress = shelf.fills = 0;
	keeper_pass_end(&desk->keeper);
	bool drained = writer_drain(desk->keeper.writer, 10000);
	ok(drained && shelf.full == full && shelf.progress == progress && shelf.fills == fills && shelf.wrong == 0,
	   "%s: %u full rows, %u of progress, %u fills", what, shelf.full, shelf.progress, shelf.fills);
}

static void on_later(void *ctx)
{
	loop_stop(ctx);
}

static void later(struct desk *desk, int64_t hours)
{
	uint64_t timer;
	if (loop_timer_start(desk->loop, hours * 3600 * 1000000000, on_later, desk->loop, &timer))
		abort();
	loop_run(desk->loop);
}

static void test_progress(const char *path)
{
	static struct exchange exchange;
	memset(&shelf, 0, sizeof shelf);
	struct desk *desk = desk_open(path, &exchange, 3);
	keeper_pass_end(&desk->keeper);
	writer_drain(desk->keeper.writer, 10000);
	struct cycle_key key = {3, 1};
	cycle_begin(desk, key);
	told(desk, 2, 0, 0, "a new cycle and its order are told in full");
	order_accepted(desk);
	told(desk, 0, 1, 0, "what an order does changes the order alone");
	order_filled(desk, "1");
	told(desk, 0, 2, 1, "a fill changes the cycle's amounts too");
	commit(desk, RECORD_CYCLE_EVENT,
	       &(struct record_cycle_event){.key = key, .event = CYCLE_EVENT_FAIL, .reason = "told to"},
	       sizeof(struct record_cycle_event));
	told(desk, 0, 1, 0, "what the cycle does changes the cycle alone");
	order_filled(desk, "2");
	told(desk, 0, 2, 1, "a late fill");
	later(desk, 13);
	order_filled(desk, "3");
	told(desk, 2, 0, 3, "and a very late one: the store may have removed all of it");
	order_filled(desk, "4");
	cycle_begin(desk, (struct cycle_key){3, 2});
	order_accepted(desk);
	told(desk, 4, 0, 4, "what happens to a row that waits becomes part of it");
	desk_close(desk);
}

/* Beside a store that is up to the journal. */
static void test_taken_up(const char *path)
{
	static struct exchange exchange;
	desk_clean_position = shelf.position;
	struct desk *desk = desk_open(path, &exchange, 4);
	told(desk, 2, 0, 0, "a start tells of an open cycle in full: the store may have lost it");
	order_filled(desk, "1");
	told(desk, 0, 2, 1, "then what is new");
	desk_close(desk);
}

static void passes_until(struct desk *desk, bool (*done)(const struct desk *desk))
{
	for (int passes = 0; passes < 100000 && !done(desk); passes++) {
		keeper_pass_end(&desk->keeper);
		usleep(100);
	}
}

static bool is_forward_again(const struct desk *desk)
{
	(void)desk;
	return store_back_to == 0;
}

static bool is_all_posted(const struct desk *desk)
{
	return !keeper_is_behind(&desk->keeper);
}

static bool is_found(const struct desk *desk)
{
	return !desk->keeper.store_lost;
}

static bool says_restart(const struct desk *desk)
{
	struct writer_status status;
	writer_status(desk->keeper.writer, &status);
	return strstr(status.error, "restart the gateway") != NULL;
}

/* A standby that lagged takes over: what it lacks is told again by the gateway that runs. */
static void test_went_back(const char *path)
{
	static struct exchange exchange;
	static struct shelf behind;
	memset(&shelf, 0, sizeof shelf);
	desk_clean_position = 0;
	struct desk *desk = desk_open(path, &exchange, 5);
	commit(desk, RECORD_START, &(struct record_start){.epoch = 5, .gateway_id = "0001"},
	       sizeof(struct record_start));
	cycle_begin(desk, (struct cycle_key){5, 1});
	keeper_pass_end(&desk->keeper);
	ok(writer_drain(desk->keeper.writer, 10000), "a store that is up to the journal");
	behind = shelf;
	order_filled(desk, "1");
	keeper_pass_end(&desk->keeper);
	cycle_begin(desk, (struct cycle_key){5, 2});
	order_accepted(desk);
	keeper_pass_end(&desk->keeper);
	ok(writer_drain(desk->keeper.writer, 10000), "and stays so");
	shelf = behind;
	store_back_to = behind.position;
	order_filled(desk, "2");
	passes_until(desk, is_forward_again);
	ok(writer_drain(desk->keeper.writer, 10000) && !desk->keeper.store_lost, "one that went back takes all again");
	is_int(shelf_differs(desk->keeper.model), 0, "it has every row that it lacked");
	ok(shelf.wrong == 0 && shelf.position == journal_position(desk->keeper.journal), "and is up to the journal");
	uint64_t was = shelf.position;
	store_back_to = 1;
	order_filled(desk, "3");
	passes_until(desk, says_restart);
	ok(desk->keeper.store_lost && says_restart(desk), "one that lacks more than is remembered waits for a restart");
	is_int(store_back_to, 1, "and gets nothing that would hide it");
	store_back_to = was;
	passes_until(desk, is_found);
	ok(writer_drain(desk->keeper.writer, 10000) && shelf_differs(desk->keeper.model) == 0,
	   "if it comes back as it was it goes on by itself");
	desk_close(desk);
}

#define FILLS_EACH 3

static struct {
	uint32_t largest, rows, torn, pause_us;
	uint64_t position;
	bool falls;
} batches;

/* All that is told of a cycle comes at once: whoever looks in between finds no order without its fills. */
static bool is_torn(const struct tg_batch *batch)
{
	uint32_t cycles = 0, orders = 0, fills = 0;
	for (uint32_t i = 0; i < batch->count; i++) {
		cycles += batch->records[i].kind == TG_ROW_CYCLE;
		orders += batch->records[i].kind == TG_ROW_ORDER;
		fills += batch->records[i].kind == TG_ROW_FILL;
	}
	return orders != cycles || fills != orders * FILLS_EACH;
}

static void count_batch(const struct tg_batch *batch)
{
	usleep(batches.pause_us);
	batches.torn += is_torn(batch);
	batches.largest = batch->count > batches.largest ? batch->count : batches.largest;
	batches.rows += batch->count;
	batches.falls |= batch->position <= batches.position;
	batches.position = batch->position;
}

static void cycle_filled(struct desk *desk, struct cycle_key key)
{
	static const char *const ids[FILLS_EACH] = {"1", "2", "3"};
	cycle_begin(desk, key);
	for (int i = 0; i < FILLS_EACH; i++)
		order_filled(desk, ids[i]);
}

/* More than fits the ring, as beside a new store. */
static void test_far_behind(const char *path)
{
	static struct exchange exchange;
	store_keep = count_batch;
	struct desk *desk = desk_open(path, &exchange, 6);
	keeper_pass_end(&desk->keeper);
	writer_drain(desk->keeper.writer, 10000);
	memset(&batches, 0, sizeof batches); /* that was the runs before */
	for (uint32_t i = 0; i < 3000; i++)
		cycle_filled(desk, (struct cycle_key){6, i});
	is_int(journal_sync(desk->keeper.journal, NULL), TG_OK, "a long journal");
	passes_until(desk, is_all_posted);
	ok(writer_drain(desk->keeper.writer, 10000) && batches.position == journal_position(desk->keeper.journal),
	   "all is written");
	ok(batches.rows >= 15000 && batches.largest <= 4096 && !batches.falls, "%u rows, at most %u at a time",
	   batches.rows, batches.largest);
	batches.rows = 0;
	batches.position = 0;
	store_back_to = 1000; /* most of it is gone, more than ring and cache hold */
	cycle_filled(desk, (struct cycle_key){6, 3000});
	passes_until(desk, is_forward_again);
	passes_until(desk, is_all_posted);
	bool drained = writer_drain(desk->keeper.writer, 10000);
	ok(drained && batches.position == journal_position(desk->keeper.journal) && batches.rows >= 12000 &&
		   !batches.falls && batches.torn == 0,
	   "a store that lost most of it is told %u rows again", batches.rows);
	desk_close(desk);
}

/* The ring gets full amid a cycle while no batch may end there, then one may: a mark amid what is posted needs a
 * journal that is synced, which it is in every other pass. */
static void test_whole(const char *path)
{
	static struct exchange exchange;
	struct desk *desk = desk_open(path, &exchange, 7);
	passes_until(desk, is_all_posted);
	writer_drain(desk->keeper.writer, 10000);
	memset(&batches, 0, sizeof batches);
	batches.pause_us = 5000;
	for (uint32_t i = 0; i < 24000; i++) {
		cycle_filled(desk, (struct cycle_key){7, i});
		if (i % 1500 != 1499)
			continue;
		for (uint32_t passes = 0; passes < 100000 && keeper_is_behind(&desk->keeper); passes++) {
			if (passes % 2 == 0)
				keeper_note(&desk->keeper, RECORD_MISSED, &(struct record_missed){0},
					    sizeof(struct record_missed));
			else if (journal_sync(desk->keeper.journal, NULL))
				abort();
			keeper_pass_end(&desk->keeper);
		}
	}
	ok(writer_drain(desk->keeper.writer, 10000), "all is written");
	is_int(batches.rows, 24000 * 5, "each row once");
	is_int(batches.torn, 0, "no batch has a cycle in part");
	desk_close(desk);
}

int main(void)
{
	dir_make("keeper");
	store_keep = keep_batch;
	test_rows(dir);
	test_replayed(dir);
	test_progress(dir);
	test_taken_up(dir);
	test_went_back(dir);
	test_far_behind(dir);
	test_whole(dir);
	dir_remove(dir);
	return tap_done();
}
