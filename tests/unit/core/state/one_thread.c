/* Journal and writer with all their workers on one thread, in a time that only passes when it is told to. */
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/state/journal.h"
#include "core/state/writer.h"

#include "tap.h"
#include "tests/allocations.h"
#include "tests/folder.h"
#include "tests/unit/core/state/backed.h"
#include "tests/unit/core/state/world.h"

#define HOUR_MS INT64_C(3600000)
#define MS INT64_C(1000000)
#define DAY_NS (24 * HOUR_MS * MS)
#define UNIX_NS (20000 * DAY_NS)

static char dir[64];
static struct world_disk disk;
static struct world_workers workers;

static struct journal *journal_opened(void)
{
	struct tg_error error = tg_error_init();
	struct journal *journal = NULL;
	if (journal_open(&disk.disk, &workers.workers, dir, "a1b2", 0, NULL, NULL, NULL, &journal, &error) != 0) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return journal;
}

static struct journal *journal_anew(void)
{
	folder_empty(dir);
	disk = WORLD_DISK();
	workers = WORLD_WORKERS();
	struct journal *journal = journal_opened();
	world_pass(&workers, 1);
	disk.syncs = 0;
	return journal;
}

static void record_add(struct journal *journal)
{
	journal_append(journal, 1, 1, 1, NULL, 0);
	journal_flush(journal, NULL);
}

/* ------------------------------------------------------------ a backend */

#define APPLIED_MAX 64

static struct {
	int32_t code;   /* what apply returns */
	bool done;      /* though it was applied */
	char rows[128]; /* orders that were */
	int64_t retry_after_ns;
	int64_t takes_ms; /* that a call lasts */
	unsigned calls;
	int64_t at_ns[APPLIED_MAX];
	unsigned syncs[APPLIED_MAX]; /* of the disk, before it */
	uint64_t position;
	int32_t cleanup_code; /* what cleanup returns, if it fails */
	uint32_t old;         /* cycles that are to be removed */
	unsigned cleanups;
	int64_t before_ns, cleaned_ns;
} store;

static struct store_pool *pool;
static struct cache *cache;
static int64_t retention_days;
static uint32_t batch_rows = 8;
static unsigned errors_logged;

static void order_note(const struct tg_order_progress *row)
{
	size_t used = strlen(store.rows);
	snprintf(store.rows + used, sizeof store.rows - used, "%s%.*s", used ? " " : "", (int)row->client_id.len,
		 row->client_id.ptr);
}

static int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *error)
{
	(void)self;
	if (store.calls < APPLIED_MAX) {
		store.at_ns[store.calls] = workers.now_ns;
		store.syncs[store.calls] = disk.syncs;
	}
	store.calls++;
	workers.now_ns += store.takes_ms * MS;
	error->retry_after_ns = store.retry_after_ns;
	if (!tg_batch_fits(batch, store.position))
		return tg_error_set(error, TG_ERR_REJECTED, "out of turn");
	if ((store.code == 0 || store.done) && batch->position > store.position) {
		for (uint32_t i = 0; i < batch->count; i++)
			order_note(batch->records[i].row);
		store.position = batch->position;
	}
	return store.code;
}

static int32_t store_position(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *error)
{
	(void)self, (void)journal, (void)error;
	*ret_position = store.position;
	return 0;
}

/* It has 250 cycles that are old. */
static int32_t store_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *error)
{
	(void)self;
	store.cleanups++;
	store.before_ns = before_ns;
	store.cleaned_ns = workers.now_ns;
	if (store.cleanup_code)
		return tg_error_set(error, store.cleanup_code, "told to fail");
	uint32_t count = limit < store.old ? limit : store.old;
	store.old -= count;
	return (int32_t)count;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.ping = backed_ping,
	.apply = store_apply,
	.stored_position = store_position,
	.cleanup = store_cleanup,
};

static struct writer *writer_opened(struct journal *journal, int64_t batch_ms)
{
	struct writer *writer = NULL;
	pool = backed_pool(&workers.workers, &api);
	cache = backed_cache(&workers.workers, 16);
	const struct writer_options options = {
		.workers = &workers.workers,
		.pool = pool,
		.cache = cache,
		.journal_id = "a1b2",
		.journal_wait = journal ? journal_wait : NULL,
		.journal = journal,
		.ring_rows = 16,
		.batch_rows = batch_rows,
		.batch_ms = batch_ms,
		.retention_days = retention_days,
	};
	memset(&store, 0, sizeof store);
	if (writer_start(&options, &writer, NULL) != 0)
		exit(99);
	world_pass(&workers, 1);
	return writer;
}

static struct writer *writer_anew(int64_t batch_ms)
{
	workers = WORLD_WORKERS();
	return writer_opened(NULL, batch_ms);
}

static void writer_closed(struct writer *writer, int64_t timeout_ms)
{
	writer_stop(writer, timeout_ms);
	store_pool_destroy(pool);
	cache_destroy(cache);
}

static void row_build(struct writer *writer, uint64_t position, bool urgent)
{
	struct row *row = writer_reserve(writer);
	*row = (struct row){.kind = TG_ROW_ORDER_PROGRESS, .urgent = urgent, .cycle = {1, (uint32_t)position}};
	row->order_progress.state = "live";
	snprintf(row->order_progress.client_id, sizeof row->order_progress.client_id, "%u", (unsigned)position);
	writer_commit(writer);
}

static void row_post(struct writer *writer, uint64_t position, bool urgent)
{
	row_build(writer, position, urgent);
	writer_mark(writer, position, UNIX_NS);
}

/* So many allocations more, then none is to be had; 0: all are. */
static void allow(unsigned more)
{
#if ALLOCATIONS_ARE_COUNTED
	allocations_max = more ? allocations + more : 0;
#else
	(void)more;
#endif
}

/* ----------------------------------------------------------------- tests */

static void journal_rests(void)
{
	struct journal *journal = journal_anew();
	record_add(journal);
	is_int(disk.syncs, 0, "a flush does not sync");
	world_pass(&workers, 0);
	is_int(disk.syncs, 1, "its worker does");
	record_add(journal);
	world_pass(&workers, 19);
	is_int(disk.syncs, 1, "then it rests");
	world_pass(&workers, 1);
	is_int(disk.syncs, 2, "for 20 ms");
	is_int(journal_sync(journal, NULL), 0, "what is safe already");
	is_int(disk.syncs, 2, "needs no sync");
	record_add(journal);
	is_int(journal_sync(journal, NULL), 0, "someone waits");
	is_int(disk.syncs, 3, "and ends the rest");
	world_pass(&workers, HOUR_MS);
	is_int(disk.syncs, 3, "nothing new, no sync");
	is_int(world_pass(&workers, HOUR_MS), 0, "nor a turn");
	is_int(journal_close(journal), 0, "closed");

	workers = WORLD_WORKERS();
	disk.syncs = 0;
	journal = journal_opened();
	is_int(journal_wait(journal, 3, NULL), 0, "what an earlier process wrote");
	is_int(disk.syncs, 1, "is taken for safe only when it is synced");
	is_int(journal_close(journal), 0, "closed");
}

static void journal_fails(void)
{
	struct journal *journal = journal_anew();
	record_add(journal);
	disk.sync_fails = true;
	is_int(journal_sync(journal, NULL), TG_ERR_IO, "a failed sync");
	disk.sync_fails = false;
	is_int(journal_sync(journal, NULL), TG_ERR_IO, "stays failed when the disk is well again");
	is_int(journal_wait(journal, 1, NULL), TG_ERR_IO, "for those who wait too");
	world_pass(&workers, HOUR_MS);
	is_int(disk.syncs, 1, "it is not tried again");
	is_int(journal_close(journal), TG_ERR_IO, "and told at the end");
}

/* What it fails at is tried again after seconds; whoever flushes meanwhile does not wait so long for the sync. */
static void journal_syncs_all_the_same(void)
{
	char path[128];
	struct journal *journal = journal_anew();
	snprintf(path, sizeof path, "%s/journal-00000002.tgj.new", dir);
	if (mkdir(path, 0700) != 0)
		abort();
	journal_limit(journal, 1, 0);
	record_add(journal);
	world_pass(&workers, 500);
	struct journal_status status;
	journal_status(journal, &status);
	ok(disk.syncs == 1 && status.files == 1, "the next file cannot be made");
	record_add(journal);
	world_pass(&workers, 20);
	is_int(disk.syncs, 2, "what is flushed then is synced as soon as ever");
	rmdir(path);
	world_pass(&workers, 1000);
	journal_status(journal, &status);
	is_int(status.files, 2, "the file is made once it can be");
	is_int(journal_close(journal), 0, "closed");
}

static void writer_waits_for_journal(void)
{
	struct journal *journal = journal_anew();
	struct writer *writer = writer_opened(journal, 50);
	const int64_t from_ns = workers.now_ns;
	record_add(journal);
	world_pass(&workers, 0);
	record_add(journal);
	row_post(writer, 2, false);
	world_pass(&workers, 10);
	ok(store.calls == 0 && disk.syncs == 1, "a batch waits for its time");
	row_post(writer, 2, true);
	world_pass(&workers, 0);
	ok(store.calls == 1 && store.at_ns[0] == from_ns + 10 * MS, "an urgent row does not wait");
	is_int(store.syncs[0], 2, "the journal is synced before the store knows");
	record_add(journal);
	row_post(writer, 3, false);
	disk.sync_fails = true;
	ok(!writer_drain(writer, HOUR_MS), "a journal that cannot be synced");
	is_int(store.calls, 1, "keeps the store where it is");
	writer_closed(writer, 100);
	is_int(journal_close(journal), TG_ERR_IO, "closed");
}

static void writer_keeps_time(void)
{
	struct writer *writer = writer_anew(50);
	int64_t from_ns = workers.now_ns;
	row_post(writer, 1, false);
	world_pass(&workers, 20);
	row_post(writer, 2, false);
	world_pass(&workers, HOUR_MS);
	ok(store.calls == 1 && store.at_ns[0] == from_ns + 50 * MS, "a batch goes when its first row waited batch_ms");
	is_int(world_pass(&workers, HOUR_MS), 0, "then there is no turn");
	row_post(writer, 3, false);
	ok(writer_drain(writer, HOUR_MS) && store.position == 3, "drained");
	writer_closed(writer, HOUR_MS);
}

/* From the end of the call that failed, however long it took. */
static void writer_backs_off(void)
{
	static const struct {
		const char *what;
		int64_t takes_ms, retry_after_ms;
		int64_t waits_ms[8];
	} cases[] = {
		{"10 ms, doubled up to a second", 0, 0, {10, 20, 40, 80, 160, 320, 640, 1000}},
		{"from the end of a call", 700, 0, {10, 20, 40, 80, 160, 320, 640, 1000}},
		{"what the backend asks for, if longer", 0, 100, {100, 100, 100, 100, 160, 320, 640, 1000}},
	};
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		struct writer *writer = writer_anew(0);
		unsigned wrong = 0;
		store.code = TG_ERR_IO;
		store.takes_ms = cases[c].takes_ms;
		store.retry_after_ns = cases[c].retry_after_ms * MS;
		row_post(writer, 1, true);
		world_pass(&workers, 20000);
		for (unsigned i = 0; i < 8; i++)
			wrong += store.at_ns[i + 1] - store.at_ns[i] != (cases[c].takes_ms + cases[c].waits_ms[i]) * MS;
		ok(wrong == 0 && store.calls > 8, "%s", cases[c].what);
		store.code = 0;
		store.takes_ms = 0;
		ok(writer_drain(writer, HOUR_MS) && store.position == 1, "then it is applied");
		writer_closed(writer, HOUR_MS);
	}
}

/* What somebody has to mend is tried again, slowly, told of once, and not waited for; mended it goes on by itself. */
static void writer_is_patient(void)
{
	static const int64_t waits_s[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct writer *writer = writer_anew(0);
	unsigned wrong = 0, errors = errors_logged;
	store.code = TG_ERR_AUTH;
	row_post(writer, 1, true);
	world_pass(&workers, 200000);
	for (unsigned i = 0; i < 8; i++)
		wrong += store.at_ns[i + 1] - store.at_ns[i] != waits_s[i] * 1000 * MS;
	ok(wrong == 0 && store.calls == 9, "an error that does not pass is tried again slowly");
	is_int(errors_logged - errors, 1, "and told once");
	int64_t from_ns = workers.now_ns;
	ok(!writer_drain(writer, HOUR_MS) && workers.now_ns == from_ns, "whoever stops need not wait for it");
	row_post(writer, 2, true);
	store.code = TG_ERR_CORRUPT;
	world_pass(&workers, 120000);
	is_int(errors_logged - errors, 2, "another one is told of too");
	store.code = TG_ERR_IO;
	world_pass(&workers, 60000);
	unsigned calls = store.calls;
	world_pass(&workers, 10000);
	is_int(store.calls - calls, 10, "one that passes by itself is tried each second");
	store.code = 0;
	world_pass(&workers, 1000);
	struct writer_status status;
	writer_status(writer, &status);
	ok(store.position == 2 && !status.failing, "once it is mended all is written, without a restart");
	is_str(store.rows, "1 2", "what waited too");
	writer_closed(writer, HOUR_MS);
}

/* Memory runs out, wherever it does, while a batch is in doubt that the store has: nothing is taken for stored that is
 * not. */
static void writer_lacks_memory(void)
{
	unsigned wrong = 0;
	if (!ALLOCATIONS_ARE_COUNTED) {
		ok(true, "nothing is lost for want of memory # SKIP malloc is a sanitizer's");
		return;
	}
	for (unsigned at = 1; at <= 16; at++) {
		struct writer *writer = writer_anew(0);
		store.code = TG_ERR_UNKNOWN_OUTCOME;
		store.done = true;
		row_post(writer, 1, true);
		world_pass(&workers, 0);
		for (uint64_t row = 2; row <= 4; row++)
			row_build(writer, row, true);
		writer_mark(writer, 4, UNIX_NS);
		store.code = 0;
		allow(at);
		world_pass(&workers, 1000);
		allow(0);
		wrong += !writer_drain(writer, HOUR_MS) || !strstr(store.rows, "1 2 3 4");
		writer_closed(writer, HOUR_MS);
	}
	is_int(wrong, 0, "nothing is lost for want of memory");
}

static void writer_gives_up(void)
{
	struct writer *writer = writer_anew(50);
	store.code = TG_ERR_IO;
	row_post(writer, 1, true);
	int64_t from_ns = workers.now_ns;
	writer_closed(writer, 300);
	ok(store.calls > 3 && workers.now_ns <= from_ns + 300 * MS, "a store that fails is given up in time");

	writer = writer_anew(50);
	row_post(writer, 1, true);
	from_ns = workers.now_ns;
	workers.dead = true;
	writer_closed(writer, HOUR_MS);
	ok(store.calls == 0 && workers.now_ns == from_ns, "workers that are gone are not waited for");
}

/* Old cycles go a hundred at a time, when there is nothing else to do, then not for hours. */
static void writer_removes_old(void)
{
	retention_days = 30;
	struct writer *writer = writer_anew(50);
	store.old = 250;
	world_pass(&workers, HOUR_MS);
	is_int(store.cleanups, 0, "nothing is removed before the time is known");
	row_post(writer, 1, false);
	while (store.cleanups == 0)
		world_pass(&workers, 50);
	void *lent[2] = {NULL, NULL};
	ok(store_pool_take(pool, "a lease", &lent[0], NULL) == 0 &&
		   store_pool_take(pool, "a lease", &lent[1], NULL) == 0,
	   "between two steps of it no connection is held: a pool of one serves leases meanwhile");
	store_pool_give(pool, lent[0], 0);
	store_pool_give(pool, lent[1], 0);
	world_pass(&workers, HOUR_MS);
	is_int(store.cleanups, 3, "then it goes in steps");
	ok(store.old == 0 && store.before_ns == UNIX_NS - 30 * DAY_NS, "until all that is too old is gone");
	world_pass(&workers, 5 * HOUR_MS);
	struct writer_status status;
	writer_status(writer, &status);
	ok(store.cleanups == 3 && status.removed == 250, "and is looked for again");
	world_pass(&workers, 2 * HOUR_MS);
	is_int(store.cleanups, 4, "after some hours");
	row_post(writer, 2, false);
	world_pass(&workers, 50);
	is_int(store.position, 2, "what is posted in those hours does not wait for their end");
	store.code = TG_ERR_IO;
	row_post(writer, 3, true);
	world_pass(&workers, 10 * HOUR_MS);
	unsigned cleanups = store.cleanups;
	is_int(cleanups, 4, "but not in a store that fails");
	store.code = 0;
	world_pass(&workers, HOUR_MS);
	cleanups = store.cleanups;
	store.cleanup_code = TG_ERR_RETRYABLE;
	world_pass(&workers, 6 * HOUR_MS);
	ok(store.cleanups > cleanups + 1, "a step that fails is tried again soon");
	int64_t failed_ns = store.cleaned_ns;
	store.cleanup_code = 0;
	world_pass(&workers, 6 * HOUR_MS);
	ok(store.cleaned_ns > failed_ns, "and later, until it succeeds");
	writer_closed(writer, HOUR_MS);
	retention_days = 0;
}

/* An hour without a store: the cache takes what comes up to its bound, then the ring; then the loop is told. All of it
 * is written when the store is back. */
static void writer_is_held_back(void)
{
	struct writer *writer = writer_anew(50);
	unsigned posted = 0;
	store.code = TG_ERR_IO;
	for (; posted < 1000 && !writer_is_behind(writer); posted++) {
		row_post(writer, posted + 1, posted % 5 == 0);
		world_pass(&workers, 100);
	}
	struct cache_status status;
	cache_status(cache, &status);
	is_int(status.dirty_cycles, 16, "the cache is full");
	ok(posted >= 16 + 12 && posted <= 16 + 16, "and so is most of the ring: %u rows", posted);
	world_pass(&workers, HOUR_MS);
	ok(writer_is_behind(writer), "an hour later too");
	store.code = 0;
	world_pass(&workers, 2000);
	ok(!writer_is_behind(writer) && store.position == posted, "the store is back, and has all of it");
	cache_status(cache, &status);
	ok(status.dirty_rows == 0 && status.cycles <= 16, "nothing waits, and the cache keeps its bound");
	writer_closed(writer, HOUR_MS);
}

/* It lacks what only a restart can tell it: the same. */
static void writer_of_a_lost_store(void)
{
	struct writer *writer = writer_anew(50);
	uint64_t stands = 0;
	unsigned posted = 5;
	row_post(writer, posted, true);
	world_pass(&workers, 100);
	store.position = 2;
	row_post(writer, ++posted, true);
	world_pass(&workers, 100);
	ok(writer_went_back(writer, &stands) && stands == 2, "a store went back");
	writer_begin_again(writer, false);
	while (posted < 1000 && !writer_is_behind(writer)) {
		posted++;
		row_post(writer, posted, posted % 5 == 0);
		world_pass(&workers, 100);
	}
	struct cache_status status;
	cache_status(cache, &status);
	ok(posted < 50, "what waits for one that lacks more than can be told has its bound, too: %u rows", posted);
	ok(status.dirty_cycles < 16 + 16, "that of the cache, and of the ring: %u cycles", status.dirty_cycles);
	store.position = 5;
	world_pass(&workers, HOUR_MS);
	ok(!writer_is_behind(writer) && store.position == posted, "it comes back as it was, and gets all of it");
	writer_closed(writer, HOUR_MS);
}

/* However long rows may wait for others, and however many of them make a batch: new cycles need room. */
static void writer_makes_room(void)
{
	batch_rows = 100;
	struct writer *writer = writer_anew(HOUR_MS);
	unsigned posted = 0;
	while (posted < 90 && !writer_is_behind(writer)) {
		row_post(writer, ++posted, false);
		world_pass(&workers, 0);
	}
	is_int(posted, 90, "rows that wait for others to come leave the ring");
	ok(store.calls == 0 && writer_drain(writer, HOUR_MS) && store.position == 90, "to be one batch");
	writer_closed(writer, HOUR_MS);
	batch_rows = 8;
}

/* Final states of many cycles share a transaction. */
static void writer_groups(void)
{
	struct writer *writer = writer_anew(50);
	for (unsigned i = 1; i <= 100; i++) {
		row_post(writer, i, true);
		world_pass(&workers, 1);
	}
	world_pass(&workers, 10);
	ok(store.calls >= 10 && store.calls <= 25, "100 urgent rows in 100 ms: %u batches", store.calls);
	is_int(store.position, 100, "all of them");
	writer_closed(writer, HOUR_MS);
}

static void log_drop(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx, (void)event, (void)fields, (void)count;
	errors_logged += level == LOG_ERROR;
}

int main(void)
{
	log_set_sink(log_drop, NULL);
	snprintf(dir, sizeof dir, "/tmp/trigate-one-thread-XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	journal_rests();
	journal_fails();
	journal_syncs_all_the_same();
	writer_waits_for_journal();
	writer_keeps_time();
	writer_backs_off();
	writer_is_patient();
	writer_lacks_memory();
	writer_gives_up();
	writer_removes_old();
	writer_is_held_back();
	writer_of_a_lost_store();
	writer_makes_room();
	writer_groups();
	folder_empty(dir);
	rmdir(dir);
	return tap_done();
}
