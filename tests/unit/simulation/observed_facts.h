/* A stage for the observer: a short run, told twice, as the venue's ledger has it and as the gateway's journal has it,
 * and what a test may change of it. */
#ifndef TRIGATE_TESTS_OBSERVED_FACTS_H
#define TRIGATE_TESTS_OBSERVED_FACTS_H

#include "core/trade/model.h"
#include "simulation/observer.h"
#include "simulation/seen.h"
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

struct sim_store;

struct stage {
	struct story ledger, journal;
	/* configuration */
	const char *allocation;
	const char *amount, *max_allocation;
	int64_t max_open_cycles;
	int64_t gateways_limit; /* of both together; 0: none */
	bool slots_watched;     /* the store's slots while orders leave; given back before the rest */
	uint32_t gateways;
	/* on the way; indices of orders, -1: never */
	int32_t halted_before, trading_before, power_lost_after, sent_twice, requests_before;
	uint32_t requests;
	int64_t requests_ms; /* how long before */
	int32_t overtakes;   /* it leaves before the order before it comes */
	/* books of the legs' markets, ms after the run's begin; < 0: none. quotes: any are told */
	bool quotes;
	int64_t quote_ms[3];
	int32_t reconnect_before, quote_with;
	int64_t max_quote_age_ms;
	uint64_t synced;
	/* the ledger; lines count from 1, 0: none */
	uint32_t bad_checksum, skipped_seq, balance_off;
	/* the journal */
	int64_t time_off_ns;
	bool journal_missing;
	int32_t intended_early; /* before the order before it has its end */
	int32_t not_sent;       /* it says so of that order */
	int64_t net_bps_e6;
	const char *second_currency, *last_currency; /* of the legs; NULL: as they are */
	/* the store */
	void (*store_spoil)(struct sim_store *store);
	struct {
		uint64_t stands, furthest, first;
	} store_loss; /* first 0: none */
};

static const struct fill_fact none; /* no fill */

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
				.requests_before = -1,
				.overtakes = -1,
				.reconnect_before = -1,
				.quote_with = -1,
				.intended_early = -1,
				.not_sent = -1};
	story_sound(&stage->ledger);
	story_sound(&stage->journal);
}

/* A further cycle of one order, on both sides. */
__attribute__((unused)) static struct order_fact *stage_add(struct stage *stage, uint32_t number, int64_t at_ms,
							    int64_t end_ms)
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

#endif
