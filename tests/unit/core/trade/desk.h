/* A desk to trade at, for the tests of the executor: a real journal in a temporary directory, a virtual loop, three
 * markets and an exchange that keeps the truth and does to each order what the test says. One process, one thread of
 * its own (the writer's). truth.h: what the exchange knows. */
#ifndef TRIGATE_TESTS_TRADE_DESK_H
#define TRIGATE_TESTS_TRADE_DESK_H

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/trade/client_id.h"
#include "core/trade/executor.h"
#include "tests/unit/core/io/small_disk.h"
#include "tests/unit/core/trade/truth.h"

#define LATENCY_NS INT64_C(5000000)

/* ------------------------------------------------------------ the desk */

struct desk {
	char *dir;
	struct loop *loop;
	struct markets *markets;
	struct keeper keeper;
	struct store_pool *pool;
	struct cache *cache;
	struct slots slots;
	struct portfolio portfolio;
	struct executor executor;
	struct exchange *exchange;
	struct packet packet[PACKETS_MAX];
	uint32_t packets;
	struct cycle_def def;
	uint32_t stuck; /* an open cycle that nothing will ever wake */
	struct {
		uint32_t orders, fills, cycles;
	} told;
	void (*parked)(struct desk *desk); /* while orders are parked, before they are looked at again; NULL: nothing */
	const char *again;                 /* what a cycle's first order is told then */
	uint32_t unparked;
	uint32_t early; /* orders that came before all of the journal was synced */
	char final_reason[REASON_MAX];
	uint8_t final_state;
};

enum { BTC_USDT, ETH_BTC, ETH_USDT, DESK_MARKETS };

static void order_execute(struct desk *desk, struct truth *order);

static void packet_deliver(void *ctx)
{
	const struct packet *packet = ctx;
	struct desk *desk = packet->desk;
	struct truth *order = &desk->exchange->order[packet->order];
	if (packet->kind == PACKET_ARRIVAL) {
		order_execute(desk, order);
		return;
	}
	if (packet->kind == TG_ORDER_ABSENT) {
		const struct tg_order_event absent = {
			.size = sizeof absent, .kind = packet->kind, .client_id = {packet->absent, TG_CLIENT_ID_LEN}};
		executor_on_order(&desk->executor, &absent);
		return;
	}
	if (packet->kind == 0) {
		struct tg_error error = tg_error_init();
		tg_error_set(&error, packet->status, "the exchange says %d", packet->status);
		error.retry_after_ns = packet->retry_after_ns;
		executor_on_done(&desk->executor, packet->token, packet->status, packet->status ? &error : NULL);
		return;
	}
	const struct market *market = &desk->markets->market[order->market];
	char exchange_id[16], fill_id[16];
	struct tg_order_event event = {
		.size = sizeof event,
		.kind = packet->kind,
		.market = order->market,
		.side = order->side,
		.client_id = {order->client_id, TG_CLIENT_ID_LEN},
		.price = order->price,
		.qty = order->qty,
		.cum_qty = {packet->cum_lots * market->lot.mantissa, market->lot.scale, 0},
	};
	event.exchange_id =
		(struct tg_str){exchange_id, (uint64_t)snprintf(exchange_id, sizeof exchange_id, "X%u", packet->order)};
	if (packet->kind == TG_ORDER_FILL) {
		event.fill_id = (struct tg_str){
			fill_id, (uint64_t)snprintf(fill_id, sizeof fill_id, "%u-%u", packet->order, packet->fill)};
		event.fill_price = order->price;
		event.fill_qty = (struct tg_decimal){order->fill_lots[packet->fill] * market->lot.mantissa,
						     market->lot.scale, 0};
		tg_decimal_from_amount(fill_fee(market, order, packet->fill), &event.fee);
		event.fee_currency =
			str_of(desk->markets->currency[order->side == TG_SIDE_BUY ? market->base : market->quote]);
	}
	executor_on_order(&desk->executor, &event);
}

static void packet_send(struct desk *desk, const struct packet *packet)
{
	uint64_t id;
	if (desk->packets == PACKETS_MAX)
		abort();
	struct packet *kept = &desk->packet[desk->packets++];
	*kept = *packet;
	kept->desk = desk;
	int64_t delay_ns = packet->kind == PACKET_ARRIVAL ? desk->executor.settings.valid_ms * 1000000 - 1 : LATENCY_NS;
	if (loop_timer_start(desk->loop, delay_ns, packet_deliver, kept, &id))
		abort();
}

static void fills_send(struct desk *desk, uint32_t index)
{
	const struct truth *order = &desk->exchange->order[index];
	int64_t cum = 0;
	for (uint32_t i = 0; i < order->fills; i++) {
		cum += order->fill_lots[i];
		for (int times = order->fate.twice ? 2 : 1; times > 0; times--)
			packet_send(desk, &(struct packet){
						  .order = index, .kind = TG_ORDER_FILL, .fill = i, .cum_lots = cum});
	}
}

static void end_send(struct desk *desk, uint32_t index, int64_t cum_lots)
{
	const struct truth *order = &desk->exchange->order[index];
	for (int times = order->fate.twice ? 2 : 1; times > 0; times--)
		packet_send(desk, &(struct packet){.order = index, .kind = order->end, .cum_lots = cum_lots});
}

static void order_execute(struct desk *desk, struct truth *order)
{
	const struct market *market = &desk->markets->market[order->market];
	int64_t lots = order->qty.mantissa / market->lot.mantissa;
	int64_t filled = lots - lots * order->fate.unfilled_e2 / 100;
	uint32_t pieces = order->fate.pieces ? order->fate.pieces : 1;
	for (uint32_t i = 0; i < pieces && filled > 0; i++) {
		int64_t part = i + 1 == pieces ? filled : filled / 2;
		if (part > 0)
			order->fill_lots[order->fills++] = part;
		filled -= part;
	}
	order->end = truth_filled(order) == lots ? TG_ORDER_FILLED : TG_ORDER_EXPIRED;
}

/* What the account hears of an order without asking. */
static void order_tell(struct desk *desk, uint32_t index, uint64_t token)
{
	const struct truth *order = &desk->exchange->order[index];
	const struct fate *fate = &order->fate;
	if (fate->mute || fate->lost || fate->late)
		return;
	packet_send(desk, &(struct packet){.order = index,
					   .token = token,
					   .status = fate->status,
					   .retry_after_ns = fate->retry_after_ns});
	if (!order->end || fate->status)
		return;
	packet_send(desk, &(struct packet){.order = index, .kind = TG_ORDER_ACCEPTED});
	if (fate->end_first)
		packet_send(desk, &(struct packet){.order = index, .kind = TG_ORDER_EXPIRED});
	if (!fate->fills_missing)
		fills_send(desk, index);
	if (!fate->end_first)
		end_send(desk, index, truth_filled(order));
}

static int intent_find(void *ctx, const struct journal_entry *entry)
{
	const struct tg_str *id = ctx;
	const struct record_order_intent *intent = entry->payload;
	return entry->type == RECORD_ORDER_INTENT && memcmp(intent->client_id, id->ptr, id->len) == 0;
}

static int32_t fake_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	struct desk *desk = self;
	struct exchange *exchange = desk->exchange;
	struct tg_str id = request->client_id;
	/* the promise: what it is about to do stands in the file already */
	if (!exchange->intents_unchecked && journal_read(&disk_system, desk->dir, intent_find, &id, NULL, NULL) != 1)
		exchange->intents_missing++;
	const struct journal *journal = desk->keeper.journal;
	desk->early += desk->executor.settings.parks && journal_synced(journal) < journal_position(journal);
	for (uint32_t i = 0; i < exchange->orders; i++)
		exchange->ids_repeated += memcmp(exchange->order[i].client_id, id.ptr, id.len) == 0;
	struct fate fate = {0};
	if (exchange->fates_used < exchange->fates)
		fate = exchange->fate[exchange->fates_used++];
	else if (exchange->chance)
		fate = fate_by_chance(exchange);
	if (fate.refused) {
		tg_error_set(ret_error, fate.refused, "not now");
		ret_error->retry_after_ns = fate.retry_after_ns;
		return fate.refused;
	}
	if (exchange->orders == ORDERS_MAX)
		abort();
	uint32_t index = exchange->orders++;
	struct truth *order = &exchange->order[index];
	*order = (struct truth){.fate = fate,
				.market = request->market,
				.side = request->side,
				.price = request->price,
				.qty = request->qty};
	memcpy(order->client_id, id.ptr, TG_CLIENT_ID_LEN);
	if (fate.late)
		packet_send(desk, &(struct packet){.order = index, .kind = PACKET_ARRIVAL});
	else if (!fate.lost && (!fate.status || fate.status == TG_ERR_UNKNOWN_OUTCOME))
		order_execute(desk, order);
	order_tell(desk, index, request->token);
	return TG_PENDING;
}

static int32_t fake_query(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	struct desk *desk = self;
	struct exchange *exchange = desk->exchange;
	exchange->queries++;
	exchange->asked_market = ref->market;
	snprintf(exchange->asked_symbol, SYMBOL_MAX, "%.*s", (int)ref->symbol.len, ref->symbol.ptr);
	if (exchange->chance) {
		exchange->queries_refused = happens(10);
		exchange->queries_lost = happens(10);
	}
	if (exchange->queries_refused > 0) {
		exchange->queries_refused--;
		return tg_error_set(ret_error, TG_ERR_RATE_LIMITED, "ask later");
	}
	if (exchange->queries_lost > 0) {
		exchange->queries_lost--;
		return TG_PENDING;
	}
	if (exchange->query_status) {
		packet_send(desk, &(struct packet){.token = ref->token, .status = exchange->query_status});
		return TG_PENDING;
	}
	uint32_t index = 0;
	while (index < exchange->orders &&
	       memcmp(exchange->order[index].client_id, ref->client_id.ptr, TG_CLIENT_ID_LEN) != 0)
		index++;
	if (index < exchange->orders && exchange->order[index].end) {
		fills_send(desk, index);
		end_send(desk, index, truth_filled(&exchange->order[index]));
	} else {
		struct packet packet = {.kind = TG_ORDER_ABSENT};
		memcpy(packet.absent, ref->client_id.ptr, TG_CLIENT_ID_LEN);
		packet_send(desk, &packet);
	}
	packet_send(desk, &(struct packet){.order = index, .token = ref->token});
	return TG_PENDING;
}

static const struct tg_exchange_api fake_exchange = {
	.size = sizeof fake_exchange, .order_place = fake_place, .order_query = fake_query};

/* ------------------------------------------------------------ the store: takes all, remembers what a test wants */

static void (*store_keep)(const struct tg_batch *batch); /* on the writer's thread */
static _Atomic uint64_t store_back_to; /* it went back, and stands there until it takes a batch; 0: it did not */

static int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	(void)self;
	if (store_back_to != 0 && !tg_batch_fits(batch, store_back_to))
		return tg_error_set(ret_error, TG_ERR_REJECTED, "out of turn");
	store_back_to = 0;
	if (store_keep)
		store_keep(batch);
	return TG_OK;
}

static int32_t store_position(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	(void)self;
	(void)journal;
	(void)ret_error;
	*ret_position = store_back_to;
	return TG_OK;
}

static const struct tg_storage_api fake_store = {
	.size = sizeof fake_store, .apply = store_apply, .stored_position = store_position};

/* ------------------------------------------------------------ what is told */

static void on_order_told(void *ctx, const struct order *order, int64_t tick_to_order_ns)
{
	(void)order;
	(void)tick_to_order_ns;
	((struct desk *)ctx)->told.orders++;
}

static void on_fill_told(void *ctx, const struct order *order, const struct fill *fill)
{
	(void)order;
	(void)fill;
	((struct desk *)ctx)->told.fills++;
}

static void on_cycle_told(void *ctx, const struct cycle *cycle)
{
	struct desk *desk = ctx;
	desk->told.cycles++;
	if (!cycle_is_final(cycle))
		return;
	desk->final_state = cycle->state;
	snprintf(desk->final_reason, sizeof desk->final_reason, "%s", cycle->reason);
}

static void on_round_trip_told(void *ctx, int64_t virtual_ns)
{
	(void)ctx;
	if (virtual_ns < 0)
		abort();
}

static void on_parked_told(void *ctx, int64_t wall_ns)
{
	struct desk *desk = ctx;
	desk->unparked += wall_ns >= 0;
}

static const char *on_again_asked(void *ctx, const struct work *work, tg_amount amount)
{
	const struct desk *desk = ctx;
	if (amount <= 0 || work->cycle->last_order->state != ORDER_INTENT)
		abort();
	return desk->again;
}

/* The invariant: while the link is up and nothing is frozen, whatever is open will be looked at again. */
static void desk_check(struct desk *desk)
{
	const struct executor *executor = &desk->executor;
	uint32_t open = 0;
	for (uint32_t i = 0; i < OPEN_CYCLES_MAX; i++) {
		const struct work *work = &executor->work[i];
		if (!work->cycle)
			continue;
		open++;
		bool awake =
			work->timer_kind != WORK_TIMER_NONE && (!work->asked || work->timer_kind == WORK_TIMER_TIMEOUT);
		if (cycle_is_final(work->cycle) || work->cycle->user != work ||
		    (executor->link_up && !executor_is_frozen(executor) && !awake))
			desk->stuck++;
	}
	desk->stuck += open != executor->open_count;
}

static void on_pass_end(void *ctx)
{
	struct desk *desk = ctx;
	if (desk->executor.parked.count > 0 && desk->parked)
		desk->parked(desk);
	executor_unpark(&desk->executor);
	keeper_pass_end(&desk->keeper);
	desk_check(desk);
}

/* ------------------------------------------------------------ open and close */

static void desk_quotes(struct desk *desk)
{
	struct market *market = desk->markets->market;
	quote_set(&market[BTC_USDT], 9990, 50000, 10000, 50000);
	quote_set(&market[ETH_BTC], 4990, 50000, 5000, 50000);
	quote_set(&market[ETH_USDT], 510, 50000, 511, 50000);
}

static bool desk_delisted; /* the next start finds another market in the place of the last one */

static void desk_markets(struct desk *desk)
{
	static const struct {
		const char *base, *quote, *tick, *lot;
	} rows[] = {
		{"BTC", "USDT", "0.01", "0.001"}, {"ETH", "BTC", "0.00001", "0.01"}, {"ETH", "USDT", "0.01", "0.01"}};
	markets_create(&desk->markets);
	for (uint32_t i = 0; i < DESK_MARKETS; i++) {
		char symbol[48];
		struct tg_instrument instrument = instrument_of(i, rows[i].base, rows[i].quote, symbol);
		if (desk_delisted && i == ETH_USDT)
			instrument.symbol = TG_STR("ETHER-USDT");
		instrument.tick = decimal(rows[i].tick);
		instrument.lot = decimal(rows[i].lot);
		instrument.taker_bps = decimal("10");
		if (markets_update(desk->markets, &instrument, NULL))
			abort();
	}
	desk_quotes(desk);
	desk->def = (struct cycle_def){
		3, {edge_of(BTC_USDT, TG_SIDE_BUY), edge_of(ETH_BTC, TG_SIDE_BUY), edge_of(ETH_USDT, TG_SIDE_SELL)}};
}

static int desk_replay(void *ctx, const struct journal_entry *entry)
{
	struct tg_error error = tg_error_init();
	return model_replay(ctx, entry, &error);
}

static int store_open_one(void *ctx, void **ret_backend, struct tg_error *ret_error)
{
	(void)ret_error;
	*ret_backend = ctx;
	return TG_OK;
}

static void store_close_one(void *ctx, void *backend)
{
	(void)ctx;
	(void)backend;
}

/* The pool and the cache of the writer. */
static void desk_store(struct desk *desk)
{
	const struct store_pool_options pool = {.workers = &workers_threads,
						.opener = {&fake_store, store_open_one, store_close_one, desk},
						.connections = 2,
						.timeout_ms = 1000,
						.idle_check_ms = 1000000};
	const struct cache_options cache = {.workers = &workers_threads, .cycles = 64, .ttl_ms = 1000};
	if (store_pool_create(&pool, &desk->pool) || cache_create(&cache, &desk->cache))
		abort();
}

static uint64_t desk_clean_position; /* of the store, for the next start */

static void desk_keeper(struct desk *desk)
{
	desk_store(desk);
	small_disk_set(SIZE_MAX, 0);
	const struct model_options room = {
		.cycles = 64, .orders = 256, .fills = 2048, .clean_position = desk_clean_position};
	const struct writer_options writer = {.workers = &workers_threads,
					      .pool = desk->pool,
					      .cache = desk->cache,
					      .journal_id = "0001",
					      .ring_rows = 4096,
					      .batch_rows = 100,
					      .batch_ms = 5};
	struct tg_error error = tg_error_init();
	struct journal_report report;
	if (model_create(&room, &desk->keeper.model) ||
	    journal_open(&small_disk, &workers_threads, desk->dir, "0001", 0, desk_replay, desk->keeper.model, &report,
			 &desk->keeper.journal, &error) ||
	    writer_start(&writer, &desk->keeper.writer, &error)) {
		printf("# %s\n", error.message);
		abort();
	}
	desk->keeper.loop = desk->loop;
	desk->keeper.gateway_id = "0001";
	desk->keeper.strategy = "test";
	desk->keeper.exchange = "fake";
	desk->keeper.changed = report.records > 0;
}

/* A start of a gateway in `dir`, over what the journal there says. The link is down. */
static struct desk *desk_open(const char *dir, struct exchange *exchange, uint32_t epoch)
{
	struct desk *desk = calloc(1, sizeof *desk);
	const struct loop_options loop = {
		.virtual_time = true, .start_unix_ns = INT64_C(1700000000000000000), .timers_max = 8192};
	if (!desk || loop_create(&loop, &desk->loop))
		abort();
	desk->dir = strdup(dir);
	desk->exchange = exchange;
	desk_markets(desk);
	desk_keeper(desk);
	loop_set_pass_end(desk->loop, on_pass_end, desk);
	desk->slots.groups = 1;
	desk->slots.group[0].limit = 4;
	desk->slots.group[0].until_ns = INT64_MAX;
	slot_group_grant(&desk->slots.group[0], 4);
	struct executor *executor = &desk->executor;
	executor->settings = (struct executor_settings){.gateway = 1,
							.epoch = epoch,
							.order_timeout_ns = 100000000,
							.valid_ms = 100,
							.lag_ms = 50,
							.retry_delay_ns = 20000000,
							.max_retries = 2};
	executor->settings.query.initial_delay_ns = 10000000;
	executor->settings.query.max_delay_ns = 200000000;
	executor->settings.query.multiplier_e3 = 2000;
	executor->events = (struct executor_events){
		desk, on_order_told, on_fill_told, on_cycle_told, on_round_trip_told, on_parked_told, on_again_asked};
	executor->loop = desk->loop;
	executor->keeper = &desk->keeper;
	executor->markets = desk->markets;
	executor->portfolio = &desk->portfolio;
	executor->exchange = &fake_exchange;
	executor->exchange_self = desk;
	executor->slots = &desk->slots;
	executor_restore(executor);
	return desk;
}

__attribute__((unused)) static void desk_close(struct desk *desk)
{
	writer_stop(desk->keeper.writer, 10000);
	store_pool_destroy(desk->pool);
	cache_destroy(desk->cache);
	journal_close(desk->keeper.journal);
	loop_destroy(desk->loop);
	model_destroy(desk->keeper.model);
	markets_destroy(desk->markets);
	free(desk->dir);
	free(desk);
}

/* Open the cycle for about 100 USDT. */
static inline bool desk_trade(struct desk *desk)
{
	struct cycle_plan plan;
	const struct sizing_limits limits = {.budget = 100 * TG_AMOUNT_ONE};
	if (sizing_make(desk->markets, &desk->def, &limits, &plan) != SIZE_OK || !executor_can_open(&desk->executor))
		return false;
	if (!executor_claim(&desk->executor))
		return false;
	executor_open(&desk->executor, &desk->def, &plan, 0);
	return true;
}

/* The model's holdings over all cycles are what the exchange's fills changed. */
static inline bool desk_agrees(struct desk *desk)
{
	tg_amount held[8] = {0};
	exchange_settle(desk->exchange, desk->markets);
	for (const struct cycle *cycle = model_oldest(desk->keeper.model); cycle; cycle = cycle->newer)
		for (uint32_t i = 0; i < cycle->holdings; i++)
			held[markets_currency(desk->markets, str_of(cycle->holding[i].currency), false)] +=
				cycle->holding[i].amount;
	return memcmp(held, desk->exchange->balance, sizeof held) == 0;
}

/* Every cycle is final, and every order is what the exchange says. */
static inline bool desk_settled(struct desk *desk)
{
	for (const struct cycle *cycle = model_oldest(desk->keeper.model); cycle; cycle = cycle->newer) {
		if (!cycle_is_final(cycle))
			return false;
		for (const struct order *order = cycle->orders; order; order = order->next)
			if (!order_is_final(order))
				return false;
	}
	return desk->executor.open_count == 0 && slots_look(&desk->slots).used == 0 && desk->stuck == 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline void dir_remove(const char *dir)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ------------------------------------------------------------ directories */

static char dir[64]; /* of this test */
static uint32_t dirs;

static inline const char *fresh_dir(void)
{
	static char path[96];
	snprintf(path, sizeof path, "%s/%u", dir, dirs++);
	if (mkdir(path, 0700))
		abort();
	return path;
}

static inline void dir_make(const char *name)
{
	snprintf(dir, sizeof dir, "/tmp/trigate-%s-XXXXXX", name);
	if (!mkdtemp(dir))
		abort();
	log_set_level(LOG_ERROR + 1); /* what is refused here is meant to be */
}

static inline struct desk *fresh_desk(struct exchange *exchange)
{
	struct desk *desk = desk_open(fresh_dir(), exchange, 1);
	executor_on_link(&desk->executor, true);
	return desk;
}

#endif
