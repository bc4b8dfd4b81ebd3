#include "bench/store/loop_cost.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/ring.h"
#include "core/state/keeper.h"
#include "core/trade/client_id.h"

#define GATEWAY "be0c"
#define SAVES 300 /* fit the model's room and the ring, as a gateway's do */
#define ORDERS 3
#define RING_ROWS 4096
#define RECORD_HEADER 32

struct desk {
	struct loop *loop;
	struct store_pool *pool;
	struct cache *cache;
	struct keeper keeper;
};

static double now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void need(int status, const char *what)
{
	if (status == 0)
		return;
	fprintf(stderr, "loop_cost: %s failed: %d\n", what, status);
	exit(1);
}

/* --------------------------------------------------- a store that takes all */

static int32_t store_ping(void *self, struct tg_error *ret_error)
{
	(void)self, (void)ret_error;
	return 0;
}

static int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error)
{
	(void)self, (void)batch, (void)ret_error;
	return 0;
}

static int32_t store_position(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error)
{
	(void)self, (void)journal, (void)ret_error;
	*ret_position = 0;
	return 0;
}

static const struct tg_storage_api store_api = {
	.size = sizeof store_api, .ping = store_ping, .apply = store_apply, .stored_position = store_position};

static int store_open(void *ctx, void **ret_backend, struct tg_error *ret_error)
{
	(void)ret_error;
	*ret_backend = ctx;
	return 0;
}

static void store_close(void *ctx, void *backend)
{
	(void)ctx, (void)backend;
}

/* ------------------------------------------------------------------ ours */

static void store_begin(struct desk *desk)
{
	const struct store_pool_options pool = {.workers = &workers_threads,
						.opener = {&store_api, store_open, store_close, desk},
						.connections = 5,
						.timeout_ms = 5000,
						.idle_check_ms = 30000};
	const struct cache_options cache = {.workers = &workers_threads, .cycles = 4096, .ttl_ms = 60000};
	need(store_pool_create(&pool, &desk->pool), "the pool");
	need(cache_create(&cache, &desk->cache), "the cache");
}

static void desk_open(struct desk *desk, const char *dir)
{
	const struct loop_options loop = {.virtual_time = true, .start_unix_ns = 1, .timers_max = 16};
	const struct model_options room = {.cycles = SAVES, .orders = SAVES * ORDERS, .fills = 1};
	struct journal_report report;
	*desk = (struct desk){0};
	store_begin(desk);
	need(loop_create(&loop, &desk->loop), "the loop");
	need(model_create(&room, &desk->keeper.model), "the model");
	model_touch(desk->keeper.model);
	need(journal_open(&disk_system, &workers_threads, dir, GATEWAY, 0, NULL, NULL, &report, &desk->keeper.journal,
			  NULL),
	     "the journal");
	const struct writer_options writer = {.workers = &workers_threads,
					      .pool = desk->pool,
					      .cache = desk->cache,
					      .journal_id = GATEWAY,
					      .ring_rows = RING_ROWS,
					      .touch = true,
					      .batch_rows = 256,
					      .batch_ms = 50};
	need(writer_start(&writer, &desk->keeper.writer, NULL), "the writer");
	desk->keeper.loop = desk->loop;
	desk->keeper.gateway_id = GATEWAY;
	desk->keeper.strategy = "bench";
	desk->keeper.exchange = "none";
}

static void desk_close(struct desk *desk)
{
	writer_stop(desk->keeper.writer, 10000);
	journal_close(desk->keeper.journal);
	model_destroy(desk->keeper.model);
	store_pool_destroy(desk->pool);
	cache_destroy(desk->cache);
	loop_destroy(desk->loop);
}

static struct record_cycle_open cycle_of(uint32_t number)
{
	static const char *const names[] = {"USDT", "BTC", "ETH", "USDT"};
	struct record_cycle_open open = {.key = {1, number}, .legs = 3};
	for (int i = 0; i < 3; i++) {
		snprintf(open.leg[i].market, sizeof open.leg[i].market, "%s%s", names[i + 1], names[i]);
		strcpy(open.leg[i].from, names[i]);
		strcpy(open.leg[i].to, names[i + 1]);
		open.leg[i].side = TG_SIDE_BUY;
	}
	return open;
}

static struct record_order_intent order_of(uint32_t number, uint32_t leg)
{
	struct record_order_intent intent = {.key = {1, number},
					     .leg = leg,
					     .attempt = 1,
					     .side = TG_SIDE_BUY,
					     .time_in_force = TG_TIF_IOC,
					     .market = "BTCUSDT",
					     .price = {6000000, 2, 0},
					     .qty = {12345, 5, 0}};
	char id[TG_CLIENT_ID_LEN + 1];
	client_id_format(&(struct client_id){.gateway = 0xbe0c, .key = {1, number}, .leg = (uint8_t)leg, .attempt = 1},
			 id);
	memcpy(intent.client_id, id, sizeof intent.client_id);
	return intent;
}

static double save(struct keeper *keeper, uint32_t number)
{
	struct record_cycle_open cycle = cycle_of(number);
	struct record_order_intent order[ORDERS];
	int status = 0;
	for (uint32_t i = 0; i < ORDERS; i++)
		order[i] = order_of(number, i);
	double from = now_ns();
	status |= keeper_commit(keeper, RECORD_CYCLE_OPEN, &cycle, sizeof cycle);
	for (uint32_t i = 0; i < ORDERS; i++)
		status |= keeper_commit(keeper, RECORD_ORDER_INTENT, &order[i], sizeof order[i]);
	keeper_pass_end(keeper);
	double took = now_ns() - from;
	need(status, "a save");
	return took;
}

static double ours(const char *dir)
{
	struct desk desk;
	double took = 0;
	desk_open(&desk, dir);
	for (uint32_t i = 0; i < SAVES; i++)
		took += save(&desk.keeper, i);
	desk_close(&desk);
	return took / SAVES;
}

/* ----------------------------------------------------------------- floor */

static double floor_save(int file, struct ring *ring, const uint8_t *bytes)
{
	const size_t journal_bytes =
		sizeof(struct record_cycle_open) + ORDERS * sizeof(struct record_order_intent) + 4 * RECORD_HEADER;
	struct row row;
	double from = now_ns();
	bool done = write(file, bytes, journal_bytes) == (ssize_t)journal_bytes;
	for (uint32_t i = 0; i < 1 + ORDERS && done; i++) {
		void *place = ring_reserve(ring);
		memcpy(place, bytes, i == 0 ? sizeof row.cycle_row : sizeof row.order);
		ring_commit(ring);
	}
	double took = now_ns() - from;
	need(!done, "a write");
	return took;
}

static double bare(const char *dir)
{
	static uint8_t bytes[8192];
	char path[4096];
	struct ring *ring = NULL;
	double took = 0;
	memset(bytes, 0x5a, sizeof bytes);
	snprintf(path, sizeof path, "%s/floor", dir);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	need(file < 0 || ring_create(RING_ROWS, sizeof(struct row), &ring), "the floor");
	ring_touch(ring);
	for (uint32_t i = 0; i < SAVES; i++)
		took += floor_save(file, ring, bytes);
	close(file);
	unlink(path);
	ring_destroy(ring);
	return took / SAVES;
}

static void journal_remove(const char *dir)
{
	char path[4096];
	for (int i = 1; i < 4; i++) {
		snprintf(path, sizeof path, "%s/journal-%08d.tgj", dir, i);
		unlink(path);
	}
}

struct loop_cost loop_cost_measure(const char *dir)
{
	struct loop_cost cost = {.save_ns = ours(dir)};
	journal_remove(dir);
	cost.floor_ns = bare(dir);
	return cost;
}
