#include "core/state/writer.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <trigate/error.h>

#include "core/base/log.h"

#include "tap.h"
#include "tests/unit/core/state/backed.h"

/* A backend that remembers what it was given and fails as it is told. */
#define BATCHES_MAX 4096

static struct {
	pthread_mutex_t lock;
	int32_t fail_code; /* returned fail_times times */
	unsigned fail_times;
	unsigned calls;
	unsigned batches;
	uint64_t position;
	unsigned count[BATCHES_MAX]; /* rows of a batch */
	uint64_t positions[BATCHES_MAX];
	char keys[BATCHES_MAX][256]; /* of its rows, "kind:key=state" */
	bool hold;                   /* apply waits until it is released */
	bool dead;                   /* no sign of life, once */
	uint64_t lost_to;            /* and behind that the store stands here; 0: where it stood */
	pthread_cond_t released;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER};

static atomic_uint errors_logged;

static void log_count(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx, (void)event, (void)fields, (void)count;
	if (level == LOG_ERROR)
		atomic_fetch_add(&errors_logged, 1);
}

static void store_reset(uint64_t position)
{
	pthread_mutex_lock(&store.lock);
	store.fail_code = 0;
	store.fail_times = store.calls = store.batches = 0;
	store.position = position;
	store.hold = store.dead = false;
	store.lost_to = 0;
	pthread_mutex_unlock(&store.lock);
}

static int32_t fake_ping(void *self, struct tg_error *error)
{
	(void)self;
	pthread_mutex_lock(&store.lock);
	int32_t code = store.dead ? tg_error_set(error, TG_ERR_IO, "dead") : TG_OK;
	if (store.dead && store.lost_to)
		store.position = store.lost_to;
	store.dead = false;
	pthread_mutex_unlock(&store.lock);
	return code;
}

static void record_note(char *text, size_t size, const struct tg_record *record)
{
	const struct tg_cycle_progress *c = record->row;
	const struct tg_order_progress *o = record->row;
	const struct tg_fill_row *f = record->row;
	size_t used = strlen(text);
	const char *gap = used ? " " : "";
	if (record->kind == TG_ROW_CYCLE_PROGRESS) /* "a1b2-000001-0000002a" */
		snprintf(text + used, size - used, "%s%.*s=%.*s", gap, 2, c->id.ptr + c->id.len - 2, (int)c->state.len,
			 c->state.ptr);
	else if (record->kind == TG_ROW_ORDER_PROGRESS)
		snprintf(text + used, size - used, "%s%s=%.*s", gap, o->client_id.ptr, (int)o->state.len, o->state.ptr);
	else
		snprintf(text + used, size - used, "%s%s/%.*s", gap, f->client_id.ptr, (int)f->fill_id.len,
			 f->fill_id.ptr);
}

static int32_t fake_apply(void *self, const struct tg_batch *batch, struct tg_error *error)
{
	(void)self;
	pthread_mutex_lock(&store.lock);
	store.calls++;
	while (store.hold)
		pthread_cond_wait(&store.released, &store.lock);
	int32_t code = 0;
	if (store.fail_times > 0) {
		store.fail_times--;
		code = tg_error_set(error, store.fail_code, "told to fail");
	} else if (!tg_batch_fits(batch, store.position)) {
		code = tg_error_set(error, TG_ERR_REJECTED, "out of turn");
	} else if (batch->position > store.position) {
		unsigned n = store.batches++ % BATCHES_MAX;
		store.count[n] = batch->count;
		store.positions[n] = batch->position;
		store.keys[n][0] = '\0';
		for (uint32_t i = 0; i < batch->count; i++)
			record_note(store.keys[n], sizeof store.keys[n], &batch->records[i]);
		store.position = batch->position;
	}
	pthread_mutex_unlock(&store.lock);
	return code;
}

static int32_t fake_position(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *error)
{
	(void)self, (void)journal, (void)error;
	*ret_position = store.position;
	return 0;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.ping = fake_ping,
	.apply = fake_apply,
	.stored_position = fake_position,
};

/* ----------------------------------------------------------------- tests */

#define LONG_MS 3600000 /* nothing is applied by time alone */

static struct store_pool *pool;
static struct cache *cache;
static uint64_t start_known; /* the journal's end at the start */
static uint64_t start_stood; /* where the store was seen just before */

static struct writer *start(uint32_t ring_rows, uint32_t batch_rows, int64_t batch_ms)
{
	struct writer *writer = NULL;
	pool = backed_pool(&workers_threads, &api);
	cache = backed_cache(&workers_threads, 1024);
	struct writer_options options = {.workers = &workers_threads,
					 .pool = pool,
					 .cache = cache,
					 .journal_id = "a1b2",
					 .stood = start_stood,
					 .known = start_known,
					 .ring_rows = ring_rows,
					 .batch_rows = batch_rows,
					 .batch_ms = batch_ms};
	if (writer_start(&options, &writer, NULL) != 0)
		exit(99);
	return writer;
}

static void stop(struct writer *writer)
{
	writer_stop(writer, LONG_MS);
	store_pool_destroy(pool);
	cache_destroy(cache);
}

static struct row cycle(uint32_t number, const char *state, bool urgent)
{
	return (struct row){
		.kind = TG_ROW_CYCLE_PROGRESS, .urgent = urgent, .cycle = {1, number}, .cycle_progress.state = state};
}

static struct row order(const char *id, const char *state)
{
	struct row row = {.kind = TG_ROW_ORDER_PROGRESS, .cycle = {1, 0xc1}};
	row.order_progress.state = state;
	snprintf(row.order_progress.client_id, sizeof row.order_progress.client_id, "%s", id);
	return row;
}

static struct row fill(const char *id, const char *fill_id)
{
	struct row row = {.kind = TG_ROW_FILL, .cycle = {1, 0xc1}};
	snprintf(row.fill.client_id, sizeof row.fill.client_id, "%s", id);
	snprintf(row.fill.fill_id, sizeof row.fill.fill_id, "%s", fill_id);
	return row;
}

static bool post(struct writer *writer, struct row row)
{
	struct row *place = writer_reserve(writer);
	if (!place)
		return false;
	*place = row;
	writer_commit(writer);
	return true;
}

static void mark(struct writer *writer, uint64_t position)
{
	writer_mark(writer, position, 1);
}

static struct writer_status status_of(const struct writer *writer)
{
	struct writer_status status;
	writer_status(writer, &status);
	return status;
}

static void wait_applied(const struct writer *writer, uint64_t position)
{
	while (status_of(writer).applied_position < position)
		sched_yield();
}

static void coalescing(void)
{
	store_reset(0);
	struct writer *writer = start(64, 1000, LONG_MS);
	post(writer, cycle(0xc1, "pending", false));
	post(writer, order("o1", "intent"));
	post(writer, fill("o1", "1"));
	post(writer, order("o1", "partial"));
	post(writer, fill("o1", "2"));
	post(writer, fill("o1", "1"));
	post(writer, cycle(0xc1, "active", false));
	mark(writer, 4);
	ok(writer_drain(writer, LONG_MS), "drained");
	is_int(store.batches, 1, "one batch");
	is_str(store.keys[0], "c1=active o1=partial o1/1 o1/2",
	       "the latest of each key, in the place of the first; fills kept");
	is_int(store.positions[0], 4, "with the mark's position");
	struct writer_status status = status_of(writer);
	ok(status.applied_position == 4 && status.batches == 1 && status.rows == 4 && !status.failing, "the status");
	ok(writer_drain(writer, LONG_MS), "nothing more: drained at once");
	is_int(store.calls, 1, "without a call");
	mark(writer, 9);
	ok(writer_drain(writer, LONG_MS) && store.positions[1] == 9 && store.count[1] == 0,
	   "a mark alone moves the position");
	stop(writer);
	writer_stop(NULL, 0);
}

static void triggers(void)
{
	store_reset(0);
	struct writer *writer = start(64, 3, LONG_MS);
	for (int i = 0; i < 3; i++)
		post(writer, order((const char *[]){"a", "b", "c"}[i], "live"));
	mark(writer, 3);
	wait_applied(writer, 3);
	is_str(store.keys[0], "a=live b=live c=live", "applied when batch_rows wait");
	for (uint64_t i = 0; i < 3; i++) {
		post(writer, order((const char *[]){"a", "b", "c"}[i], "done"));
		mark(writer, 4 + i);
	}
	wait_applied(writer, 6);
	is_int(store.positions[store.batches - 1], 6, "also if they came with several marks, and the worker slept");
	uint32_t batches = store.batches;
	post(writer, cycle(0xc1, "completed", true));
	mark(writer, 7);
	wait_applied(writer, 7);
	is_str(store.keys[batches], "c1=completed", "at once on a final state");
	stop(writer);
	writer = start(64, 1000, 1);
	post(writer, order("d", "live"));
	mark(writer, 8);
	wait_applied(writer, 8);
	is_str(store.keys[batches + 1], "d=live", "when the oldest has waited batch_ms");
	stop(writer);
}

static void behind_the_mark(void)
{
	store_reset(0);
	struct writer *writer = start(4, 1000, LONG_MS);
	post(writer, order("a", "live"));
	mark(writer, 1);
	post(writer, order("b", "live"));
	ok(!writer_drain(writer, LONG_MS), "a row without a mark cannot be drained, and drain says so at once");
	is_str(store.keys[0], "a=live", "what is marked is applied");
	/* more rows between two marks than the ring holds */
	char id[16];
	for (unsigned i = 0; i < 40; i++) {
		snprintf(id, sizeof id, "x%02u", i);
		struct row row = order(id, "live");
		while (!post(writer, row))
			sched_yield();
	}
	mark(writer, 3);
	ok(writer_drain(writer, LONG_MS), "more rows than the ring holds, then their mark");
	is_int(store.count[1], 41, "come as one batch");
	stop(writer);

	store_reset(7);
	writer = start(16, 1000, LONG_MS);
	is_int(status_of(writer).applied_position, 7, "a store from before");
	post(writer, order("old", "live"));
	mark(writer, 6);
	ok(writer_drain(writer, LONG_MS) && store.batches == 0, "rows below its position are there already");
	post(writer, order("new", "live"));
	mark(writer, 8);
	ok(writer_drain(writer, LONG_MS), "the next batch");
	is_str(store.keys[0], "old=live new=live", "takes them along");
	stop(writer);
}

static void retries(void)
{
	static const int32_t codes[] = {TG_ERR_IO, TG_ERR_RETRYABLE, TG_ERR_UNKNOWN_OUTCOME};
	for (size_t i = 0; i < 3; i++) {
		store_reset(0);
		store.fail_code = codes[i];
		store.fail_times = 3;
		struct writer *writer = start(16, 1, LONG_MS);
		post(writer, order("a", "live"));
		mark(writer, 1);
		wait_applied(writer, 1);
		struct writer_status status = status_of(writer);
		ok(store.calls == 4 && status.retries == 3 && !status.failing && store.batches == 1, "%s is retried",
		   tg_status_name(codes[i]));
		is_str(status.error, "told to fail", "its text is kept");
		stop(writer);
	}
	store_reset(0);
	store.fail_code = TG_ERR_CORRUPT;
	store.fail_times = 1000;
	atomic_store(&errors_logged, 0);
	struct writer *writer = start(16, 1, LONG_MS);
	post(writer, order("a", "live"));
	mark(writer, 1);
	ok(!writer_drain(writer, LONG_MS), "a permanent error: not drained");
	post(writer, order("b", "live"));
	mark(writer, 2);
	ok(!writer_drain(writer, LONG_MS), "nor later");
	struct writer_status status = status_of(writer);
	ok(status.failing && strcmp(status.error, "told to fail") == 0, "its text is kept");
	is_int(atomic_load(&errors_logged), 1, "and logged once");
	stop(writer);
}

/* Another gateway's writer on the same store, under the same name: whoever comes second is told at once. */
static void two_of_one_name(void)
{
	store_reset(0);
	struct writer *writer = start(16, 1, LONG_MS);
	post(writer, order("a", "live"));
	mark(writer, 5);
	ok(writer_drain(writer, LONG_MS), "a gateway writes");
	pthread_mutex_lock(&store.lock);
	store.position = 7;
	pthread_mutex_unlock(&store.lock);
	post(writer, order("b", "live"));
	mark(writer, 9);
	ok(!writer_drain(writer, LONG_MS) && store.batches == 1, "nothing of it is written behind another's back");
	ok(strstr(status_of(writer).error, "another one writes under this id"), "and it says why: %s",
	   status_of(writer).error);
	stop(writer);
}

/* The run before was killed amid a batch, which its server brings to an end only now. */
static void late_batch(void)
{
	store_reset(3);
	start_known = 6;
	struct writer *writer = start(16, 1, LONG_MS);
	pthread_mutex_lock(&store.lock);
	store.position = 6;
	pthread_mutex_unlock(&store.lock);
	post(writer, order("a", "live"));
	mark(writer, 8);
	ok(writer_drain(writer, LONG_MS) && store.position == 8, "a late batch of the run before is nobody else's");
	start_known = 0;
	stop(writer);
}

/* What is told begins behind where the store stood when the journal was read: all before that would be missing. */
static void back_in_start(void)
{
	uint64_t position = 0;
	store_reset(3);
	start_stood = start_known = 6;
	struct writer *writer = start(16, 1, LONG_MS);
	post(writer, order("a", "live"));
	mark(writer, 8);
	ok(!writer_drain(writer, LONG_MS) && store.position == 3,
	   "a store that went back during a start gets nothing that would hide it");
	ok(writer_went_back(writer, &position) && position == 3, "which is asked for: %s", status_of(writer).error);
	start_stood = start_known = 0;
	stop(writer);
}

/* Two batches, the server ends, comes back where it stood or elsewhere, the third. */
static void server_lost(uint64_t lost_to, const char *refused)
{
	store_reset(0);
	struct writer *writer = start(16, 1, LONG_MS);
	for (uint64_t position = 1; position <= 2; position++) {
		post(writer, order("a", "live"));
		mark(writer, position);
		writer_drain(writer, LONG_MS);
	}
	pthread_mutex_lock(&store.lock);
	store.fail_code = TG_ERR_IO;
	store.fail_times = 1;
	store.dead = true;
	store.lost_to = lost_to;
	pthread_mutex_unlock(&store.lock);
	post(writer, order("b", "live"));
	mark(writer, 3);
	bool drained = writer_drain(writer, LONG_MS);
	struct writer_status status = status_of(writer);
	if (!refused)
		ok(drained && store.position == 3 && !status.failing, "a store that comes back as it was goes on");
	else
		ok(!drained && store.position == lost_to && strstr(status.error, refused),
		   "one that does not gets nothing that would hide it: %s", status.error);
	stop(writer);
}

static void back_pressure(void)
{
	store_reset(0);
	store.hold = true;
	struct writer *writer = start(8, 1, LONG_MS);
	unsigned posted = 0;
	struct row row = order("a", "live");
	post(writer, row);
	mark(writer, 1);
	while (posted < 100 && post(writer, row))
		posted++;
	ok(posted < 100, "a store that does not answer fills the ring, and post says so");
	ok(!writer_drain(writer, 1), "drain gives up after its time");
	pthread_mutex_lock(&store.lock);
	store.hold = false;
	pthread_cond_broadcast(&store.released);
	pthread_mutex_unlock(&store.lock);
	mark(writer, 2);
	ok(writer_drain(writer, LONG_MS), "then all is applied");
	is_int(store.position, 2, "up to the last mark");
	stop(writer);
}

/* A store that fails now and then under a stream of rows: nothing is lost, nothing twice, in order. */
static void stream(void)
{
	store_reset(0);
	struct writer *writer = start(64, 16, 1);
	for (uint64_t position = 1; position <= 3000; position++) {
		char id[16];
		snprintf(id, sizeof id, "o%u", (unsigned)(position % 5));
		struct row row = order(id, "live");
		if (position % 1000 == 0) {
			pthread_mutex_lock(&store.lock);
			store.fail_code = TG_ERR_IO;
			store.fail_times = 1;
			pthread_mutex_unlock(&store.lock);
		}
		while (!post(writer, row))
			sched_yield();
		mark(writer, position);
	}
	ok(writer_drain(writer, LONG_MS), "a stream of rows is drained");
	unsigned falling = 0;
	for (unsigned i = 1; i < store.batches && store.batches < BATCHES_MAX; i++)
		falling += store.positions[i] <= store.positions[i - 1];
	is_int(falling, 0, "positions rise from batch to batch");
	is_int(status_of(writer).applied_position, 3000, "to the last");
	stop(writer);
}

int main(void)
{
	log_set_sink(log_count, NULL);
	coalescing();
	triggers();
	behind_the_mark();
	retries();
	server_lost(0, NULL);
	server_lost(1, "went back from record 2 to 1");
	server_lost(9, "another one writes under this id");
	two_of_one_name();
	late_batch();
	back_in_start();
	back_pressure();
	stream();
	return tap_done();
}
