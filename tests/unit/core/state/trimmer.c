/* The trimmer: when files of the journal go, what holds them, and that what is left comes to the same. */
#include "core/state/trimmer.h"
#include "core/base/log.h"
#include "tests/unit/core/state/backed.h"
#include "tests/unit/core/state/world.h"
#include "tests/unit/core/trade/desk.h"

#define MINUTE_NS (INT64_C(60) * 1000000000)

/* ------------------------------------------------------------- the field */

static struct {
	uint64_t position;
	int32_t status;
	unsigned asked;
} store;

static int store_durable(void *ctx, uint64_t *ret_position, struct tg_error *ret_error)
{
	(void)ctx;
	store.asked++;
	if (store.status != 0)
		return tg_error_set(ret_error, store.status, "the store is away");
	*ret_position = store.position;
	return 0;
}

struct bench {
	struct world_disk disk;
	struct world_workers workers;
	struct loop *loop;
	struct keeper keeper;
	struct trimmer *trimmer;
	struct store_pool *pool;
	struct cache *cache;
	char dir[64];
	uint32_t number; /* of the last cycle */
	int64_t now_ns;
};

static uint64_t stored; /* position of the store */

static int32_t take_all(void *self, const struct tg_batch *batch, struct tg_error *error)
{
	(void)self, (void)error;
	stored = batch->position;
	return 0;
}

static int32_t position_of(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *error)
{
	(void)self, (void)journal, (void)error;
	*ret_position = stored;
	return 0;
}

static const struct tg_storage_api api = {
	.size = sizeof api, .ping = backed_ping, .apply = take_all, .stored_position = position_of};

static int take_record(void *ctx, const struct journal_entry *entry)
{
	struct tg_error error = tg_error_init();
	return model_replay(ctx, entry, &error);
}

/* Times are the loop's, which is driven; workers take their turns in a time of their own. */
static int bench_open(struct bench *bench, uint64_t clean, struct tg_error *error)
{
	const struct loop_options times = {
		.driven = true, .start_mono_ns = bench->now_ns, .start_unix_ns = bench->now_ns, .timers_max = 16};
	const struct model_options room = {.cycles = 16, .orders = 16, .fills = 16, .clean_position = clean};
	struct journal_report report;
	bench->disk = WORLD_DISK();
	bench->workers = WORLD_WORKERS();
	bench->keeper = (struct keeper){.gateway_id = "a1b2", .strategy = "demo", .exchange = "sim"};
	if (loop_create(&times, &bench->loop) || model_create(&room, &bench->keeper.model))
		abort();
	bench->keeper.loop = bench->loop;
	int status = journal_open(&bench->disk.disk, &bench->workers.workers, bench->dir, "a1b2", clean, take_record,
				  bench->keeper.model, &report, &bench->keeper.journal, error);
	if (status == 0)
		status = model_settled(bench->keeper.model, error);
	if (status != 0)
		return status;
	journal_limit(bench->keeper.journal, 4096, 0);
	bench->pool = backed_pool(&bench->workers.workers, &api);
	stored = 0;
	bench->cache = backed_cache(&bench->workers.workers, 64);
	const struct writer_options rows = {.workers = &bench->workers.workers,
					    .pool = bench->pool,
					    .cache = bench->cache,
					    .journal_id = "a1b2",
					    .ring_rows = 1024,
					    .batch_rows = 64};
	const struct trimmer_options options = {.workers = &bench->workers.workers, .durable = store_durable};
	if (writer_start(&rows, &bench->keeper.writer, NULL) || trimmer_start(&options, &bench->trimmer))
		abort();
	return 0;
}

static void bench_close(struct bench *bench)
{
	trimmer_stop(bench->trimmer);
	writer_stop(bench->keeper.writer, 1000);
	store_pool_destroy(bench->pool);
	cache_destroy(bench->cache);
	journal_close(bench->keeper.journal);
	model_destroy(bench->keeper.model);
	loop_destroy(bench->loop);
	bench->trimmer = NULL;
	bench->pool = NULL;
	bench->cache = NULL;
	bench->keeper.writer = NULL;
	bench->keeper.journal = NULL;
}

static void bench_make(struct bench *bench)
{
	struct tg_error error = tg_error_init();
	*bench = (struct bench){.now_ns = INT64_C(1000) * MINUTE_NS};
	snprintf(bench->dir, sizeof bench->dir, "/tmp/trigate-trimmer-XXXXXX");
	memset(&store, 0, sizeof store);
	if (!mkdtemp(bench->dir) || bench_open(bench, 0, &error))
		abort();
	struct record_start start = {.epoch = 1, .gateway_id = "a1b2", .strategy = "demo", .exchange = "sim"};
	keeper_commit(&bench->keeper, RECORD_START, &start, sizeof start);
}

static void nothing(void *ctx)
{
	(void)ctx;
}

/* So much time, in seconds with a pass and all turns in each. */
static void bench_wait(struct bench *bench, int64_t minutes)
{
	for (int64_t second = 0; second<minutes * 60; second += minutes> 1 ? 10 : 1) {
		bench->now_ns += (minutes > 1 ? 10 : 1) * INT64_C(1000000000);
		loop_drive(bench->loop, bench->now_ns, bench->now_ns, nothing, NULL);
		trimmer_pass(bench->trimmer, &bench->keeper);
		keeper_pass_end(&bench->keeper);
		world_pass(&bench->workers, 10000);
	}
}

static struct cycle_key cycle_open(struct bench *bench)
{
	struct record_cycle_open open = {.key = {1, ++bench->number}, .legs = 3};
	for (uint32_t i = 0; i < 3; i++) {
		snprintf(open.leg[i].market, sizeof open.leg[i].market, "M%u", i);
		snprintf(open.leg[i].from, sizeof open.leg[i].from, "C%u", i);
		snprintf(open.leg[i].to, sizeof open.leg[i].to, "C%u", (i + 1) % 3);
		open.leg[i].side = TG_SIDE_BUY;
	}
	if (keeper_commit(&bench->keeper, RECORD_CYCLE_OPEN, &open, sizeof open))
		abort();
	return open.key;
}

static void cycle_end(struct bench *bench, struct cycle_key key)
{
	struct record_cycle_event event = {.key = key, .event = CYCLE_EVENT_FAIL, .reason = "it is over"};
	if (keeper_commit(&bench->keeper, RECORD_CYCLE_EVENT, &event, sizeof event))
		abort();
}

/* Some files' worth of cycles that are over, a pass each. */
static void cycles_run(struct bench *bench, unsigned count)
{
	while (count-- > 0) {
		cycle_end(bench, cycle_open(bench));
		keeper_pass_end(&bench->keeper);
		world_pass(&bench->workers, 100);
	}
}

static uint32_t first_file(const struct bench *bench)
{
	struct journal_status status;
	journal_status(bench->keeper.journal, &status);
	return status.first_file;
}

static bool same_counts(const struct model *a, const struct model *b)
{
	struct record_checkpoint x, y;
	model_checkpoint(a, &x);
	model_checkpoint(b, &y);
	return memcmp(&x, &y, sizeof x) == 0;
}

/* ----------------------------------------------------------------- tests */

static void conditions(void)
{
	struct bench bench;
	bench_make(&bench);
	cycles_run(&bench, 30);
	uint64_t end = journal_oldest_end(bench.keeper.journal);
	ok(end > 0, "the first file ends with record %u", (unsigned)end);
	store.position = UINT64_MAX / 2;
	bench_wait(&bench, 2);
	is_int(first_file(&bench), 1, "cycles are remembered for a while: no file goes");
	is_int(store.asked, 0, "and the store is not asked");
	store.position = journal_position(bench.keeper.journal);
	bench_wait(&bench, 30);
	ok(store.asked > 0 && first_file(&bench) == 1,
	   "the store must have their end, too: what it had before is not enough");
	store.status = TG_ERR_IO;
	store.position = UINT64_MAX / 2;
	bench_wait(&bench, 2);
	is_int(first_file(&bench), 1, "no file goes while the store fails");
	store.status = 0;
	bench_wait(&bench, 5);
	ok(first_file(&bench) > 1, "then they go");
	ok(model_oldest(bench.keeper.model) == NULL || model_oldest(bench.keeper.model)->position > end,
	   "with the cycles that began in them");
	bench_close(&bench);
	dir_remove(bench.dir);
}

static void held(void)
{
	struct bench bench;
	bench_make(&bench);
	store.position = UINT64_MAX / 2;
	struct cycle_key stuck = cycle_open(&bench);
	cycles_run(&bench, 40);
	bench_wait(&bench, 70);
	is_int(first_file(&bench), 1, "an open cycle holds all files from its own on");
	const struct cycle *by = trimmer_held_by(&bench.keeper);
	ok(by && by->key.number == stuck.number, "which one is told");
	cycle_end(&bench, stuck);
	ok(trimmer_held_by(&bench.keeper) == NULL, "until it ends");
	bench_wait(&bench, 40);
	ok(first_file(&bench) > 1, "then they go");
	bench_close(&bench);
	dir_remove(bench.dir);
}

/* The fold of what is left is the fold of all, for what is kept; and a next start works on with it. */
static void the_same_is_left(void)
{
	struct bench bench;
	struct tg_error error = tg_error_init();
	struct model *left = NULL;
	bench_make(&bench);
	store.position = UINT64_MAX / 2;
	cycles_run(&bench, 30);
	struct cycle_key across = cycle_open(&bench); /* ends in a later file than it begins in */
	cycles_run(&bench, 20);
	cycle_end(&bench, across);
	bench_wait(&bench, 40);
	struct cycle_key open = cycle_open(&bench);
	cycles_run(&bench, 10);
	bench_wait(&bench, 2);
	ok(first_file(&bench) > 2, "%u files are gone", first_file(&bench) - 1);
	keeper_flush(&bench.keeper);
	is_int(model_load(&disk_system, bench.dir, &left, NULL, &error), 0, "what is left is read: %s", error.message);
	ok(same_counts(left, bench.keeper.model), "and comes to the same");
	ok(model_cycle(left, open) && !model_cycle(left, across), "with the open cycle, without forgotten ones");
	is_int(model_counts(left).cycles, bench.number, "all cycles are counted");
	is_int(model_counts(left).open, 1, "one is open");
	model_destroy(left);
	uint64_t position = journal_position(bench.keeper.journal);
	bench_close(&bench);
	is_int(bench_open(&bench, position, &error), 0, "a next start: %s", error.message);
	ok(model_cycle(bench.keeper.model, open) != NULL, "has the open cycle");
	is_int(model_counts(bench.keeper.model).cycles, bench.number, "and the counts");
	cycle_end(&bench, open);
	cycles_run(&bench, 40);
	uint32_t first = first_file(&bench);
	bench_wait(&bench, 40);
	ok(first_file(&bench) > first, "and trims on");
	is_int(model_load(&disk_system, bench.dir, &left, NULL, &error), 0, "again it is read: %s", error.message);
	is_int(model_counts(left).failed, bench.number, "all have ended");
	model_destroy(left);
	bench_close(&bench);
	dir_remove(bench.dir);
}

/* A person removed a file that nothing trimmed. */
static void taken_away(void)
{
	struct bench bench;
	struct tg_error error = tg_error_init();
	struct model *left = NULL;
	char path[128];
	bench_make(&bench);
	cycles_run(&bench, 40);
	bench_close(&bench);
	snprintf(path, sizeof path, "%s/journal-00000001.tgj", bench.dir);
	unlink(path);
	is_int(model_load(&disk_system, bench.dir, &left, NULL, &error), TG_ERR_CORRUPT,
	       "a file is missing that did not go by itself");
	ok(strstr(error.message, "files are missing") != NULL, "%s", error.message);
	is_int(bench_open(&bench, 0, &error), TG_ERR_CORRUPT, "nothing starts without it");
	bench_close(&bench);
	dir_remove(bench.dir);
}

static void log_drop(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx, (void)level, (void)event, (void)fields, (void)count;
}

int main(void)
{
	log_set_sink(log_drop, NULL);
	conditions();
	held();
	the_same_is_left();
	taken_away();
	return tap_done();
}
