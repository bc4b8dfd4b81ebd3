/* A stage for the observer: a short run, told twice, as the venue's ledger has it and as the gateway's journal has it.
 * A test changes one of the two, or what happened on the way, and plays it. The journal is a real one in a temporary
 * directory; the store's rows are made of it. */
#ifndef TRIGATE_TESTS_OBSERVED_H
#define TRIGATE_TESTS_OBSERVED_H

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/crc32c.h"
#include "core/trade/model.h"
#include "simulation/observer.h"
#include "simulation/seen.h"
#include "simulation/store.h"
#include "tests/tap.h"

#define ORDERS_MAX 64
#define REQUESTS_PER_SECOND 5
#define MS INT64_C(1000000)

struct fill_fact {
	uint64_t trade;
	const char *price, *qty, *fee, *fee_currency;
};

struct order_fact {
	struct client_id id;
	const char *base, *quote;
	int32_t side;
	const char *price, *qty;
	uint8_t venue, journal;         /* enum seen_state; enum order_state, ORDER_NEW: not there */
	int64_t sent_ms, at_ms, end_ms; /* sent_ms < 0: nobody saw it leave */
	struct fill_fact fill[2];
	const char *text; /* instead of the id */
};

struct cycle_fact {
	uint32_t number;
	uint8_t state;
};

/* One side's story. */
struct story {
	struct order_fact order[ORDERS_MAX];
	uint32_t orders;
	struct cycle_fact cycle[ORDERS_MAX];
	uint32_t cycles;
};

struct row_copy {
	int32_t kind;
	union {
		struct tg_cycle_row cycle;
		struct tg_order_row order;
		struct tg_fill_row fill;
	};
	char text[8][256];
};

struct sim_store {
	struct row_copy row[4 * ORDERS_MAX];
	uint32_t rows;
	const char *slot_owner; /* NULL: none is held */
};

struct stage {
	struct story ledger, journal;
	/* configuration */
	const char *allocation;
	const char *amount, *max_allocation;
	int64_t max_open_cycles;
	uint32_t gateways;
	/* on the way; indices of orders, -1: never */
	int32_t halted_before, trading_before, power_lost_after, sent_twice, requests_before;
	uint32_t requests;
	int64_t requests_ms; /* how long before */
	uint64_t synced;
	/* the ledger; lines count from 1, 0: none */
	uint32_t bad_checksum, skipped_seq, balance_off;
	/* the journal */
	int64_t time_off_ns;
	bool journal_missing;
	const char *second_currency, *last_currency; /* of the legs; NULL: as they are */
	/* the store */
	void (*store_spoil)(struct sim_store *store);
};

static const struct fill_fact none;

/* Round and round: a cycle that comes through, one that is refused, one that goes back, one that never left, and one
 * whose order was refused unread. */
static const struct order_fact sound_orders[] = {
	{.id = {1, {1, 1}, 1, 0, 0},
	 .base = "BTC",
	 .quote = "USDT",
	 .side = TG_SIDE_BUY,
	 .price = "100",
	 .qty = "2.000",
	 .venue = SEEN_FILLED,
	 .journal = ORDER_FILLED,
	 .sent_ms = 1000,
	 .at_ms = 1005,
	 .end_ms = 1005,
	 .fill = {{7, "99.5", "1.5", "0.0015", "BTC"}, {8, "100", "0.5", "0.0005", "BTC"}}},
	{.id = {1, {1, 1}, 2, 0, 0},
	 .base = "ETH",
	 .quote = "BTC",
	 .side = TG_SIDE_BUY,
	 .price = "0.05",
	 .qty = "39",
	 .venue = SEEN_EXPIRED,
	 .journal = ORDER_EXPIRED,
	 .sent_ms = 1100,
	 .at_ms = 1105,
	 .end_ms = 1105,
	 .fill = {{9, "0.0499", "38", "0.038", "ETH"}}},
	{.id = {1, {1, 1}, 3, 0, 0},
	 .base = "ETH",
	 .quote = "USDT",
	 .side = TG_SIDE_SELL,
	 .price = "5.3",
	 .qty = "37.9",
	 .venue = SEEN_FILLED,
	 .journal = ORDER_FILLED,
	 .sent_ms = 1200,
	 .at_ms = 1205,
	 .end_ms = 1205,
	 .fill = {{10, "5.4", "37.9", "0.21", "USDT"}}},
	{.id = {1, {1, 2}, 1, 0, 0},
	 .base = "BTC",
	 .quote = "USDT",
	 .side = TG_SIDE_BUY,
	 .price = "100",
	 .qty = "1",
	 .venue = SEEN_REJECTED,
	 .journal = ORDER_REJECTED,
	 .sent_ms = 3000,
	 .at_ms = 3005,
	 .end_ms = 3005},
	{.id = {1, {1, 3}, 1, 0, 0},
	 .base = "BTC",
	 .quote = "USDT",
	 .side = TG_SIDE_BUY,
	 .price = "101",
	 .qty = "1",
	 .venue = SEEN_CANCELLED,
	 .journal = ORDER_CANCELLED,
	 .sent_ms = 4000,
	 .at_ms = 4005,
	 .end_ms = 4050,
	 .fill = {{11, "101", "0.6", "0", "BNB"}}},
	{.id = {1, {1, 3}, 1, 1, 1},
	 .base = "BTC",
	 .quote = "USDT",
	 .side = TG_SIDE_SELL,
	 .price = "90",
	 .qty = "0.6",
	 .venue = SEEN_FILLED,
	 .journal = ORDER_FILLED,
	 .sent_ms = 4200,
	 .at_ms = 4205,
	 .end_ms = 4205,
	 .fill = {{12, "95", "0.6", "0.001", "BNB"}}},
	{.id = {1, {1, 4}, 1, 0, 0},
	 .base = "BTC",
	 .quote = "USDT",
	 .side = TG_SIDE_BUY,
	 .price = "100",
	 .qty = "1",
	 .venue = SEEN_SENT,
	 .journal = ORDER_ABANDONED,
	 .sent_ms = 5000},
	{.id = {1, {2, 0}, 1, 0, 0},
	 .base = "BTC",
	 .quote = "USDT",
	 .side = TG_SIDE_BUY,
	 .price = "100",
	 .qty = "1",
	 .venue = SEEN_SENT,
	 .journal = ORDER_REJECTED,
	 .sent_ms = 7000},
};

static const struct cycle_fact sound_cycles[] = {
	{1, CYCLE_COMPLETED}, {2, CYCLE_FAILED}, {3, CYCLE_FAILED}, {4, CYCLE_FAILED}, {0, CYCLE_FAILED},
};

/* legs of each cycle: USDT > BTC > ETH > USDT */
static const struct record_leg sound_legs[3] = {
	{"BTCUSDT", "USDT", "BTC", TG_SIDE_BUY, 0},
	{"ETHBTC", "BTC", "ETH", TG_SIDE_BUY, 0},
	{"ETHUSDT", "ETH", "USDT", TG_SIDE_SELL, 0},
};

static void story_sound(struct story *story)
{
	*story = (struct story){.orders = sizeof sound_orders / sizeof *sound_orders,
				.cycles = sizeof sound_cycles / sizeof *sound_cycles};
	memcpy(story->order, sound_orders, sizeof sound_orders);
	memcpy(story->cycle, sound_cycles, sizeof sound_cycles);
}

static void stage_sound(struct stage *stage)
{
	*stage = (struct stage){.allocation = "fixed_amount",
				.amount = "200",
				.max_allocation = "0",
				.max_open_cycles = 1,
				.gateways = 1,
				.halted_before = -1,
				.trading_before = -1,
				.power_lost_after = -1,
				.sent_twice = -1,
				.requests_before = -1};
	story_sound(&stage->ledger);
	story_sound(&stage->journal);
}

/* A further cycle of one order, on both sides. */
static struct order_fact *stage_add(struct stage *stage, uint32_t number, int64_t at_ms, int64_t end_ms)
{
	struct order_fact order = sound_orders[0];
	order.id.key.number = number;
	order.sent_ms = at_ms - 5;
	order.at_ms = at_ms;
	order.end_ms = end_ms;
	order.venue = SEEN_EXPIRED;
	order.journal = ORDER_EXPIRED;
	order.fill[0] = order.fill[1] = none;
	for (int i = 0; i < 2; i++) {
		struct story *story = i ? &stage->journal : &stage->ledger;
		story->order[story->orders++] = order;
		story->cycle[story->cycles++] = (struct cycle_fact){number, CYCLE_FAILED};
	}
	return &stage->ledger.order[stage->ledger.orders - 1];
}

/* ------------------------------------------------------------ numbers */

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static tg_amount amount(const char *text)
{
	tg_amount value;
	if (tg_amount_parse(str(text), &value))
		abort();
	return value;
}

static struct tg_decimal decimal(const char *text)
{
	struct tg_decimal value;
	if (tg_decimal_parse(str(text), &value))
		abort();
	return value;
}

static const char *id_of(const struct order_fact *order, char text[TG_CLIENT_ID_LEN + 1])
{
	client_id_format(&order->id, text);
	return order->text ? order->text : text;
}
#define ID(order) id_of((order), (char[TG_CLIENT_ID_LEN + 1]){0})

static const char *symbol_of(const struct order_fact *order, char text[SYMBOL_MAX])
{
	snprintf(text, SYMBOL_MAX, "%s%s", order->base, order->quote);
	return text;
}
#define SYMBOL(order) symbol_of((order), (char[SYMBOL_MAX]){0})

/* ------------------------------------------------------------ the ledger */

enum { USDT, BTC, ETH, BNB, CURRENCIES };
static const char *const currencies[CURRENCIES] = {"USDT", "BTC", "ETH", "BNB"};

struct book_keeper {
	struct observer *observer;
	const struct stage *stage;
	tg_amount balance[CURRENCIES];
	uint64_t seq;
	uint32_t line;
};

static tg_amount *balance_of(struct book_keeper *keeper, const char *currency)
{
	int i = 0;
	while (strcmp(currencies[i], currency) != 0)
		i++;
	return &keeper->balance[i];
}

__attribute__((format(printf, 4, 5))) static void line_write(struct book_keeper *keeper, int64_t at_ms,
							     const char *kind, const char *format, ...)
{
	char line[1024];
	va_list args;
	keeper->line++;
	keeper->seq += keeper->line == keeper->stage->skipped_seq ? 2 : 1;
	int used = snprintf(line, sizeof line, "{\"seq\":%llu,\"ns\":%lld,\"kind\":\"%s\"",
			    (unsigned long long)keeper->seq, (long long)(WORLD_START_UNIX_NS + at_ms * MS), kind);
	va_start(args, format);
	used += vsnprintf(line + used, sizeof line - (size_t)used, format, args);
	va_end(args);
	uint32_t crc = crc32c(0, line, (size_t)used) ^ (keeper->line == keeper->stage->bad_checksum);
	used += snprintf(line + used, sizeof line - (size_t)used, ",\"crc\":\"%08x\"}\n", crc);
	observer_ledger(keeper->observer, 0, line, (size_t)used);
}

static void balances_write(struct book_keeper *keeper, int64_t at_ms)
{
	for (int i = 0; i < CURRENCIES; i++) {
		char text[TG_AMOUNT_TEXT_MAX];
		tg_amount off = keeper->line + 1 == keeper->stage->balance_off ? 1 : 0;
		tg_amount_format(keeper->balance[i] + off, text, sizeof text);
		line_write(keeper, at_ms, "balance", ",\"currency\":\"%s\",\"free\":\"%s\",\"locked\":\"0\"",
			   currencies[i], text);
	}
}

static void ledger_begin(struct book_keeper *keeper)
{
	line_write(keeper, 0, "run", ",\"run\":1,\"format\":1,\"markets\":\"made-up\",\"seed\":-3");
	line_write(keeper, 0, "market",
		   ",\"market\":\"BTCUSDT\",\"version\":1,\"status\":\"trading\",\"tick\":\"0.1\",\"lot\":\"0.1\","
		   "\"min_notional\":\"5\"");
	for (int i = 0; i < CURRENCIES; i++) {
		keeper->balance[i] = amount("1000");
		line_write(keeper, 0, "deposit", ",\"currency\":\"%s\",\"amount\":\"1000\"", currencies[i]);
	}
	balances_write(keeper, 0);
}

static void fill_write(struct book_keeper *keeper, const struct order_fact *order, uint64_t number,
		       const struct fill_fact *fill, tg_amount cum)
{
	bool buy = order->side == TG_SIDE_BUY;
	char quote_text[TG_AMOUNT_TEXT_MAX], cum_text[TG_AMOUNT_TEXT_MAX];
	tg_amount quote;
	if (tg_amount_product(decimal(fill->price), decimal(fill->qty), &quote))
		abort();
	tg_amount_format(quote, quote_text, sizeof quote_text);
	tg_amount_format(cum, cum_text, sizeof cum_text);
	*balance_of(keeper, order->quote) += buy ? -quote : quote;
	*balance_of(keeper, order->base) += buy ? amount(fill->qty) : -amount(fill->qty);
	*balance_of(keeper, fill->fee_currency) -= amount(fill->fee);
	line_write(
		keeper, order->end_ms, "fill",
		",\"order\":%llu,\"client_id\":\"%s\",\"market\":\"%s\",\"trade\":%llu,\"side\":\"%s\",\"role\":\"taker\","
		"\"price\":\"%s\",\"qty\":\"%s\",\"cum_qty\":\"%s\",\"spent_currency\":\"%s\",\"spent\":\"%s\","
		"\"received_currency\":\"%s\",\"received\":\"%s\",\"fee_currency\":\"%s\",\"fee\":\"%s\"",
		(unsigned long long)number, ID(order), SYMBOL(order), (unsigned long long)fill->trade,
		buy ? "buy" : "sell", fill->price, fill->qty, cum_text, buy ? order->quote : order->base,
		buy ? quote_text : fill->qty, buy ? order->base : order->quote, buy ? fill->qty : quote_text,
		fill->fee_currency, fill->fee);
}

static void order_write(struct book_keeper *keeper, const struct order_fact *order, uint64_t number)
{
	bool rejected = order->venue == SEEN_REJECTED;
	line_write(
		keeper, order->at_ms, "order",
		",\"order\":%llu,\"client_id\":\"%s\",\"market\":\"%s\",\"side\":\"%s\",\"tif\":\"ioc\",\"price\":\"%s\","
		"\"qty\":\"%s\",\"status\":\"%s\"%s",
		(unsigned long long)number, ID(order), SYMBOL(order), order->side == TG_SIDE_BUY ? "buy" : "sell",
		order->price, order->qty, rejected ? "rejected" : "accepted",
		rejected ? ",\"reason\":\"NO_FUNDS\"" : "");
	tg_amount cum = 0;
	for (int i = 0; i < 2 && order->fill[i].qty; i++) {
		cum += amount(order->fill[i].qty);
		fill_write(keeper, order, number, &order->fill[i], cum);
	}
	char cum_text[TG_AMOUNT_TEXT_MAX];
	tg_amount_format(cum, cum_text, sizeof cum_text);
	if (!rejected && order->venue != SEEN_OPEN)
		line_write(
			keeper, order->end_ms, "end",
			",\"order\":%llu,\"client_id\":\"%s\",\"market\":\"%s\",\"status\":\"%s\",\"cum_qty\":\"%s\","
			"\"reason\":\"NONE\"",
			(unsigned long long)number, ID(order), SYMBOL(order), seen_state_name(order->venue), cum_text);
	balances_write(keeper, order->end_ms);
}

/* ------------------------------------------------------------ the journal */

struct writing {
	struct journal *journal;
	const struct stage *stage;
	int64_t ms;
};

static void record_write(struct writing *writing, uint16_t type, const void *payload, uint32_t size)
{
	int64_t ns = WORLD_START_UNIX_NS + writing->ms * MS + writing->stage->time_off_ns;
	journal_append(writing->journal, ns, type, RECORD_VERSION, payload, size);
}

static void cycle_event(struct writing *writing, struct cycle_key key, uint32_t event)
{
	struct record_cycle_event record = {.key = key, .event = event};
	if (event == CYCLE_EVENT_FAIL)
		snprintf(record.reason, sizeof record.reason, "nothing filled on leg 1");
	record_write(writing, RECORD_CYCLE_EVENT, &record, sizeof record);
}

static void order_event(struct writing *writing, const struct order_fact *order, uint32_t event, uint64_t number)
{
	struct record_order_event record = {.event = event};
	memcpy(record.client_id, ID(order), TG_CLIENT_ID_LEN);
	if (number > 0)
		snprintf(record.exchange_id, sizeof record.exchange_id, "%llu", (unsigned long long)number);
	record_write(writing, RECORD_ORDER_EVENT, &record, sizeof record);
}

static void intent_write(struct writing *writing, const struct order_fact *order)
{
	struct record_order_intent record = {.key = order->id.key,
					     .leg = order->id.leg - 1u,
					     .attempt = order->id.attempt,
					     .unwind = order->id.child,
					     .side = order->side,
					     .time_in_force = TG_TIF_IOC,
					     .price = decimal(order->price),
					     .qty = decimal(order->qty)};
	memcpy(record.client_id, ID(order), TG_CLIENT_ID_LEN);
	snprintf(record.market, sizeof record.market, "%s%s", order->base, order->quote);
	record_write(writing, RECORD_ORDER_INTENT, &record, sizeof record);
}

static void fill_record(struct writing *writing, const struct order_fact *order, const struct fill_fact *fill)
{
	struct record_fill record = {
		.price = decimal(fill->price), .qty = decimal(fill->qty), .fee = decimal(fill->fee)};
	memcpy(record.client_id, ID(order), TG_CLIENT_ID_LEN);
	snprintf(record.fill_id, sizeof record.fill_id, "%llu", (unsigned long long)fill->trade);
	snprintf(record.fee_currency, sizeof record.fee_currency, "%s", fill->fee_currency);
	record_write(writing, RECORD_FILL, &record, sizeof record);
}

static void order_end(struct writing *writing, const struct order_fact *order, uint64_t number)
{
	static const uint8_t ends[ORDER_STATES] = {[ORDER_FILLED] = ORDER_EVENT_COMPLETE,
						   [ORDER_CANCELLED] = ORDER_EVENT_CANCEL,
						   [ORDER_REJECTED] = ORDER_EVENT_REJECT,
						   [ORDER_EXPIRED] = ORDER_EVENT_EXPIRE,
						   [ORDER_ABANDONED] = ORDER_EVENT_NOT_SENT};
	if (order->journal == ORDER_ABANDONED) {
		order_event(writing, order, ORDER_EVENT_NOT_SENT, 0);
		return;
	}
	order_event(writing, order, ORDER_EVENT_SEND, 0);
	for (int i = 0; i < 2 && order->fill[i].qty; i++)
		fill_record(writing, order, &order->fill[i]);
	if (order->journal != ORDER_SENT)
		order_event(writing, order, ends[order->journal], order->journal == ORDER_REJECTED ? 0 : number);
}

static void cycle_write(struct writing *writing, const struct story *story, const struct cycle_fact *cycle)
{
	struct record_cycle_open open = {.key = {1, cycle->number}, .legs = 3};
	const struct stage *stage = writing->stage;
	bool active = false;
	for (uint32_t i = 0; i < story->orders; i++) /* a cycle is opened by its first order */
		if (story->order[i].id.key.number == cycle->number)
			open.key = story->order[i].id.key;
	memcpy(open.leg, sound_legs, sizeof sound_legs);
	if (stage->second_currency) {
		snprintf(open.leg[0].to, CURRENCY_MAX, "%s", stage->second_currency);
		snprintf(open.leg[1].from, CURRENCY_MAX, "%s", stage->second_currency);
	}
	if (stage->last_currency)
		snprintf(open.leg[2].to, CURRENCY_MAX, "%s", stage->last_currency);
	open.planned_in = tg_money_of(amount("200"));
	open.planned_out = tg_money_of(amount("201"));
	record_write(writing, RECORD_CYCLE_OPEN, &open, sizeof open);
	cycle_event(writing, open.key, CYCLE_EVENT_VALIDATE);
	uint64_t number = 0;
	for (uint32_t i = 0; i < story->orders; i++) {
		const struct order_fact *order = &story->order[i];
		number += order->venue != SEEN_SENT;
		if (order->id.key.number != cycle->number || order->journal == ORDER_NEW)
			continue;
		writing->ms = order->sent_ms;
		intent_write(writing, order);
		if (!active)
			cycle_event(writing, open.key, CYCLE_EVENT_ACTIVATE);
		active = true;
		order_end(writing, order, number);
	}
	if (cycle->state == CYCLE_COMPLETED)
		cycle_event(writing, open.key, CYCLE_EVENT_COMPLETE);
	if (cycle->state == CYCLE_FAILED)
		cycle_event(writing, open.key, CYCLE_EVENT_FAIL);
}

static void journal_write(const struct stage *stage, const char *dir)
{
	struct tg_error error = tg_error_init();
	struct journal_report report;
	struct writing writing = {.stage = stage};
	struct record_start start = {.epoch = 1, .gateway_id = "0001", .strategy = "round", .exchange = "venue"};
	if (journal_open(&disk_system, &workers_threads, dir, "0001", NULL, NULL, &report, &writing.journal, &error))
		abort();
	record_write(&writing, RECORD_START, &start, sizeof start);
	for (uint32_t i = 0; i < stage->journal.cycles; i++)
		cycle_write(&writing, &stage->journal, &stage->journal.cycle[i]);
	if (journal_close(writing.journal))
		abort();
}

/* ------------------------------------------------------------ the store */

void sim_store_each(struct sim_store *store, int32_t kind, tg_row_fn fn, void *ctx)
{
	for (uint32_t i = 0; i < store->rows; i++)
		if (store->row[i].kind == kind)
			fn(ctx, kind, &store->row[i].cycle);
}

void sim_store_slots(struct sim_store *store, tg_slot_fn fn, void *ctx)
{
	struct tg_slot slot = {.size = sizeof slot, .state = TG_SLOT_HELD, .id = 3, .group = TG_STR("round")};
	if (!store->slot_owner)
		return;
	slot.owner = str(store->slot_owner);
	fn(ctx, &slot);
}

static struct row_copy *row_add(struct sim_store *store, int32_t kind)
{
	struct row_copy *row = &store->row[store->rows++];
	row->kind = kind;
	return row;
}

__attribute__((format(printf, 3, 4))) static struct tg_str row_text(struct row_copy *row, int at, const char *format,
								    ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(row->text[at], sizeof row->text[at], format, args);
	va_end(args);
	return str(row->text[at]);
}

static void cycle_store(struct sim_store *store, const struct cycle *cycle)
{
	struct row_copy *row = row_add(store, TG_ROW_CYCLE);
	char text[256];
	tg_amount in, out;
	cycle_flows(cycle, &in, &out);
	row->cycle = (struct tg_cycle_row){.step = cycle_step(cycle),
					   .strategy = TG_STR("round"),
					   .exchange = TG_STR("venue"),
					   .currency = TG_STR("USDT"),
					   .planned_in = tg_money_of(cycle->planned_in),
					   .planned_out = tg_money_of(cycle->planned_out),
					   .amount_in = tg_money_of(in),
					   .amount_out = tg_money_of(out),
					   .profit = tg_money_of(cycle_profit(cycle)),
					   .opened_ns = cycle->opened_ns,
					   .closed_ns = cycle->closed_ns};
	row->cycle.id = row_text(row, 0, "%06x-%08x", cycle->key.epoch, cycle->key.number);
	row->cycle.state = row_text(row, 1, "%s", cycle_state_name(cycle->state));
	row->cycle.reason = row_text(row, 2, "%s", cycle->reason);
	cycle_route(cycle, text, sizeof text);
	row->cycle.route = row_text(row, 3, "%s", text);
	cycle_deltas(cycle, text, sizeof text);
	row->cycle.deltas = row_text(row, 4, "%s", text);
}

static void fill_store(struct sim_store *store, const struct order *order, const struct fill *fill)
{
	struct row_copy *row = row_add(store, TG_ROW_FILL);
	row->fill = (struct tg_fill_row){
		.price = fill->price, .qty = fill->qty, .fee = fill->fee, .time_ns = fill->time_ns};
	row->fill.client_id = row_text(row, 0, "%s", order->client_id);
	row->fill.fill_id = row_text(row, 1, "%s", fill->fill_id);
	row->fill.fee_currency = row_text(row, 2, "%s", fill->fee_currency);
}

static void order_store(struct sim_store *store, const struct order *order)
{
	struct row_copy *row = row_add(store, TG_ROW_ORDER);
	row->order = (struct tg_order_row){.side = order->side,
					   .leg = order->leg,
					   .attempt = order->attempt,
					   .time_in_force = order->time_in_force,
					   .price = order->price,
					   .qty = order->qty,
					   .filled_quote = tg_money_of(order->filled_quote),
					   .created_ns = order->created_ns,
					   .updated_ns = order->updated_ns};
	if (tg_decimal_from_amount(order->filled_base, &row->order.filled_qty))
		abort();
	row->order.client_id = row_text(row, 0, "%s", order->client_id);
	row->order.cycle_id = row_text(row, 1, "%06x-%08x", order->cycle->key.epoch, order->cycle->key.number);
	row->order.exchange_id = row_text(row, 2, "%s", order->exchange_id);
	row->order.market = row_text(row, 3, "%s", order->market);
	row->order.state = row_text(row, 4, "%s", order_state_name(order->state));
	row->order.purpose = row_text(row, 5, "%s", order->unwind ? "unwind" : "forward");
	row->order.reason = row_text(row, 6, "%s", order->reason);
	for (const struct fill *fill = order->fills; fill; fill = fill->next)
		fill_store(store, order, fill);
}

static void store_fill(struct sim_store *store, const char *dir)
{
	struct tg_error error = tg_error_init();
	struct model *model;
	memset(store, 0, sizeof *store);
	if (model_load(&disk_system, dir, &model, NULL, &error))
		return; /* a journal that makes no sense has no rows */
	for (const struct cycle *cycle = model_oldest(model); cycle; cycle = cycle->newer) {
		cycle_store(store, cycle);
		for (const struct order *order = cycle->orders; order; order = order->next)
			order_store(store, order);
	}
	model_destroy(model);
}

/* ------------------------------------------------------------ the play */

static int path_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info, (void)type, (void)walk;
	return remove(path);
}

static void time_go(const struct ground *ground, int64_t ms)
{
	int64_t mono_ns = WORLD_START_MONO_NS + ms * MS;
	if (mono_ns > loop_mono_ns(ground->time))
		loop_drive(ground->time, mono_ns, WORLD_START_UNIX_NS + ms * MS, NULL, NULL);
}

/* All that happens until an order has left. */
static void order_leave(const struct stage *stage, const struct ground *ground, struct observer *observer, uint32_t at)
{
	const struct order_fact *order = &stage->ledger.order[at];
	if (stage->requests_before == (int32_t)at) {
		time_go(ground, order->sent_ms - stage->requests_ms);
		for (uint32_t i = 0; i < stage->requests; i++)
			observer_sent(observer, 0, "", "");
	}
	time_go(ground, order->sent_ms - 1);
	if (stage->halted_before == (int32_t)at)
		observer_told(observer, 0, SYMBOL(order), false);
	if (stage->trading_before == (int32_t)at)
		observer_told(observer, 0, SYMBOL(order), true);
	time_go(ground, order->sent_ms);
	for (int times = 0; times <= (stage->sent_twice == (int32_t)at); times++)
		observer_sent(observer, 0, ID(order), SYMBOL(order));
}

static void way_play(const struct stage *stage, const struct ground *ground, struct observer *observer)
{
	struct book_keeper keeper = {.observer = observer, .stage = stage};
	uint64_t number = 0;
	ledger_begin(&keeper);
	for (uint32_t i = 0; i < stage->ledger.orders; i++) {
		const struct order_fact *order = &stage->ledger.order[i];
		if (order->sent_ms >= 0)
			order_leave(stage, ground, observer, i);
		if (stage->power_lost_after == (int32_t)i)
			observer_power_lost(observer, 0, stage->synced);
		time_go(ground, order->end_ms);
		if (order->venue != SEEN_SENT)
			order_write(&keeper, order, ++number);
	}
	time_go(ground, 60000);
}

static void configure(const struct stage *stage, struct gateway_config gateway[2], struct strategy_config *strategy)
{
	gateway[0] = (struct gateway_config){.gateway_id = (char *)(uintptr_t) "0001"};
	gateway[1] = (struct gateway_config){.gateway_id = (char *)(uintptr_t) "0002"};
	*strategy =
		(struct strategy_config){.name = (char *)(uintptr_t) "round", .exchange = (char *)(uintptr_t) "venue"};
	strategy->capital_allocation.mode = (char *)(uintptr_t)stage->allocation;
	strategy->capital_allocation.fraction_e9 = INT64_C(200000000);
	strategy->capital_allocation.amount = amount(stage->amount);
	strategy->capital_allocation.max_allocation = amount(stage->max_allocation);
	strategy->risk_controls.max_open_cycles = stage->max_open_cycles;
}

/* Plays the stage from the beginning to the verdict. */
static struct violation stage_play(const struct stage *stage, bool with_store, struct observer_counts *ret_counts)
{
	static struct sim_store store;
	struct gateway_config gateway[2];
	struct strategy_config strategy;
	struct ground ground = {0};
	struct observer *observer;
	char dir[64]; /* the same for each play: messages name it */
	const struct loop_options driven = {.driven = true,
					    .start_mono_ns = WORLD_START_MONO_NS,
					    .start_unix_ns = WORLD_START_UNIX_NS,
					    .timers_max = 4};
	configure(stage, gateway, &strategy);
	struct observer_options options = {.ground = &ground,
					   .venues = 1,
					   .gateways = stage->gateways,
					   .gateway = {{&gateway[0], &strategy, 0}, {&gateway[1], &strategy, 0}},
					   .requests_per_second = REQUESTS_PER_SECOND};
	snprintf(dir, sizeof dir, "/tmp/trigate-observer-%d", (int)getpid());
	if (mkdir(dir, 0700) || loop_create(&driven, &ground.time) || observer_create(&options, &observer))
		abort();
	if (!stage->journal_missing)
		journal_write(stage, dir);
	store_fill(&store, dir);
	if (stage->store_spoil)
		stage->store_spoil(&store);
	way_play(stage, &ground, observer);
	observer_rest(observer, 0, &disk_system, dir, with_store ? &store : NULL);
	observer_end(observer);
	struct violation violation = *observer_violation(observer);
	if (ret_counts)
		observer_counts(observer, ret_counts);
	observer_destroy(observer);
	loop_destroy(ground.time);
	nftw(dir, path_remove, 8, FTW_DEPTH | FTW_PHYS);
	return violation;
}

#endif
