#include "core/state/writer.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <trigate/error.h>

#include "core/base/log.h"

#include "tap.h"

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
	pthread_cond_t released;
	unsigned renewals;
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
	store.fail_times = store.calls = store.batches = store.renewals = 0;
	store.position = position;
	store.hold = false;
	pthread_mutex_unlock(&store.lock);
}

static void record_note(char *text, size_t size, const struct tg_record *record)
{
	const struct tg_cycle_row *c = record->row;
	const struct tg_order_row *o = record->row;
	const struct tg_fill_row *f = record->row;
	size_t used = strlen(text);
	const char *gap = used ? " " : "";
	if (record->kind == TG_ROW_CYCLE)
		snprintf(text + used, size - used, "%s%.*s=%.*s", gap, (int)c->id.len, c->id.ptr, (int)c->state.len,
			 c->state.ptr);
	else if (record->kind == TG_ROW_ORDER)
		snprintf(text + used, size - used, "%s%.*s=%.*s", gap, (int)o->client_id.len, o->client_id.ptr,
			 (int)o->state.len, o->state.ptr);
	else
		snprintf(text + used, size - used, "%s%.*s/%.*s", gap, (int)f->client_id.len, f->client_id.ptr,
			 (int)f->fill_id.len, f->fill_id.ptr);
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

static int32_t fake_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms, struct tg_error *error)
{
	(void)self, (void)group, (void)owner, (void)ttl_ms, (void)error;
	pthread_mutex_lock(&store.lock);
	store.renewals++;
	pthread_cond_broadcast(&store.released);
	pthread_mutex_unlock(&store.lock);
	return 1;
}

static const struct tg_storage_api api = {
	.size = sizeof api, .apply = fake_apply, .stored_position = fake_position, .slot_renew = fake_renew};

/* ----------------------------------------------------------------- tests */

#define LONG_MS 3600000 /* nothing is applied by time alone */

static struct writer *start(uint32_t ring_rows, uint32_t batch_rows, int64_t batch_ms)
{
	struct writer *writer = NULL;
	struct writer_options options = {.workers = &workers_threads,
					 .api = &api,
					 .journal_id = "a1b2",
					 .ring_rows = ring_rows,
					 .batch_rows = batch_rows,
					 .batch_ms = batch_ms};
	if (writer_start(&options, &writer, NULL) != 0)
		exit(99);
	return writer;
}

static struct row cycle(const char *id, const char *state, uint64_t position, bool urgent)
{
	struct row row = {.kind = TG_ROW_CYCLE, .position = position, .urgent = urgent};
	snprintf(row.cycle.id, sizeof row.cycle.id, "%s", id);
	snprintf(row.cycle.state, sizeof row.cycle.state, "%s", state);
	return row;
}

static struct row order(const char *id, const char *state, uint64_t position)
{
	struct row row = {.kind = TG_ROW_ORDER, .position = position};
	snprintf(row.order.client_id, sizeof row.order.client_id, "%s", id);
	snprintf(row.order.state, sizeof row.order.state, "%s", state);
	return row;
}

static struct row fill(const char *id, const char *fill_id, uint64_t position)
{
	struct row row = {.kind = TG_ROW_FILL, .position = position};
	snprintf(row.fill.client_id, sizeof row.fill.client_id, "%s", id);
	snprintf(row.fill.fill_id, sizeof row.fill.fill_id, "%s", fill_id);
	return row;
}

#define POST(writer, ...) writer_post((writer), &(struct row[]){__VA_ARGS__}[0])

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
	POST(writer, cycle("c1", "pending", 1, false));
	POST(writer, order("o1", "intent", 2));
	POST(writer, fill("o1", "1", 3));
	POST(writer, order("o1", "partial", 3));
	POST(writer, fill("o1", "2", 4));
	POST(writer, fill("o1", "1", 4));
	POST(writer, cycle("c1", "active", 4, false));
	writer_mark(writer, 4);
	ok(writer_drain(writer, LONG_MS), "drained");
	is_int(store.batches, 1, "one batch");
	is_str(store.keys[0], "c1=active o1=partial o1/1 o1/2",
	       "the latest of each key, in the place of the first; fills kept");
	is_int(store.positions[0], 4, "with the mark's position");
	struct writer_status status = status_of(writer);
	ok(status.applied_position == 4 && status.batches == 1 && status.rows == 4 && !status.failing, "the status");
	ok(writer_drain(writer, LONG_MS), "nothing more: drained at once");
	is_int(store.calls, 1, "without a call");
	writer_mark(writer, 9);
	ok(writer_drain(writer, LONG_MS) && store.positions[1] == 9 && store.count[1] == 0,
	   "a mark alone moves the position");
	writer_stop(writer, LONG_MS);
	writer_stop(NULL, 0);
}

static void triggers(void)
{
	store_reset(0);
	struct writer *writer = start(64, 3, LONG_MS);
	for (int i = 0; i < 3; i++)
		POST(writer, order((const char *[]){"a", "b", "c"}[i], "live", (uint64_t)i + 1));
	writer_mark(writer, 3);
	wait_applied(writer, 3);
	is_str(store.keys[0], "a=live b=live c=live", "applied when batch_rows wait");
	POST(writer, cycle("c1", "completed", 4, true));
	writer_mark(writer, 4);
	wait_applied(writer, 4);
	is_str(store.keys[1], "c1=completed", "at once on a final state");
	writer_stop(writer, LONG_MS);
	writer = start(64, 1000, 1);
	POST(writer, order("d", "live", 5));
	writer_mark(writer, 5);
	wait_applied(writer, 5);
	is_str(store.keys[2], "d=live", "when the oldest has waited batch_ms");
	writer_stop(writer, LONG_MS);
}

static void behind_the_mark(void)
{
	store_reset(0);
	struct writer *writer = start(4, 1000, LONG_MS);
	POST(writer, order("a", "live", 1));
	writer_mark(writer, 1);
	POST(writer, order("b", "live", 2));
	ok(!writer_drain(writer, LONG_MS), "a row without a mark cannot be drained, and drain says so at once");
	is_str(store.keys[0], "a=live", "what is marked is applied");
	/* more rows between two marks than the ring holds */
	char id[16];
	for (unsigned i = 0; i < 40; i++) {
		snprintf(id, sizeof id, "x%02u", i);
		struct row row = order(id, "live", 3);
		while (!writer_post(writer, &row))
			sched_yield();
	}
	writer_mark(writer, 3);
	ok(writer_drain(writer, LONG_MS), "more rows than the ring holds, then their mark");
	is_int(store.count[1], 41, "come as one batch");
	writer_stop(writer, LONG_MS);

	store_reset(7);
	writer = start(16, 1000, LONG_MS);
	is_int(status_of(writer).applied_position, 7, "a store from before");
	POST(writer, order("old", "live", 6));
	writer_mark(writer, 6);
	ok(writer_drain(writer, LONG_MS) && store.batches == 0, "rows below its position are there already");
	POST(writer, order("new", "live", 8));
	writer_mark(writer, 8);
	ok(writer_drain(writer, LONG_MS), "the next batch");
	is_str(store.keys[0], "old=live new=live", "takes them along");
	writer_stop(writer, LONG_MS);
}

static void retries(void)
{
	static const int32_t codes[] = {TG_ERR_IO, TG_ERR_RETRYABLE, TG_ERR_UNKNOWN_OUTCOME};
	for (size_t i = 0; i < 3; i++) {
		store_reset(0);
		store.fail_code = codes[i];
		store.fail_times = 3;
		struct writer *writer = start(16, 1, LONG_MS);
		POST(writer, order("a", "live", 1));
		writer_mark(writer, 1);
		wait_applied(writer, 1);
		struct writer_status status = status_of(writer);
		ok(store.calls == 4 && status.retries == 3 && !status.failing && store.batches == 1, "%s is retried",
		   tg_status_name(codes[i]));
		is_str(status.error, "told to fail", "its text is kept");
		writer_stop(writer, LONG_MS);
	}
	store_reset(0);
	store.fail_code = TG_ERR_CORRUPT;
	store.fail_times = 1000;
	atomic_store(&errors_logged, 0);
	struct writer *writer = start(16, 1, LONG_MS);
	POST(writer, order("a", "live", 1));
	writer_mark(writer, 1);
	ok(!writer_drain(writer, LONG_MS), "a permanent error: not drained");
	POST(writer, order("b", "live", 2));
	writer_mark(writer, 2);
	ok(!writer_drain(writer, LONG_MS), "nor later");
	struct writer_status status = status_of(writer);
	ok(store.calls == 1 && status.failing && strcmp(status.error, "told to fail") == 0,
	   "it is tried once and kept");
	is_int(atomic_load(&errors_logged), 1, "and logged once");
	writer_stop(writer, LONG_MS);
}

static void back_pressure(void)
{
	store_reset(0);
	store.hold = true;
	struct writer *writer = start(8, 1, LONG_MS);
	unsigned posted = 0;
	struct row row = order("a", "live", 1);
	POST(writer, row);
	writer_mark(writer, 1);
	while (posted < 100 && writer_post(writer, &row))
		posted++;
	ok(posted < 100, "a store that does not answer fills the ring, and post says so");
	ok(!writer_drain(writer, 1), "drain gives up after its time");
	pthread_mutex_lock(&store.lock);
	store.hold = false;
	pthread_cond_broadcast(&store.released);
	pthread_mutex_unlock(&store.lock);
	writer_mark(writer, 2);
	ok(writer_drain(writer, LONG_MS), "then all is applied");
	is_int(store.position, 2, "up to the last mark");
	writer_stop(writer, LONG_MS);
}

static void slots(void)
{
	struct writer *writer = NULL;
	struct writer_options options = {.workers = &workers_threads,
					 .api = &api,
					 .journal_id = "a1b2",
					 .ring_rows = 8,
					 .batch_rows = 8,
					 .batch_ms = LONG_MS,
					 .slot_group = "g",
					 .slot_owner = "a1b2",
					 .slot_ttl_ms = 3};
	store_reset(0);
	is_int(writer_start(&options, &writer, NULL), 0, "a writer with slots");
	pthread_mutex_lock(&store.lock);
	while (store.renewals < 5)
		pthread_cond_wait(&store.released, &store.lock);
	pthread_mutex_unlock(&store.lock);
	ok(true, "renews them again and again");
	writer_stop(writer, LONG_MS);
}

/* A store that fails now and then under a stream of rows: nothing is lost, nothing twice, in order. */
static void stream(void)
{
	store_reset(0);
	struct writer *writer = start(64, 16, 1);
	for (uint64_t position = 1; position <= 3000; position++) {
		char id[16];
		snprintf(id, sizeof id, "o%u", (unsigned)(position % 5));
		struct row row = order(id, "live", position);
		if (position % 1000 == 0) {
			pthread_mutex_lock(&store.lock);
			store.fail_code = TG_ERR_IO;
			store.fail_times = 1;
			pthread_mutex_unlock(&store.lock);
		}
		while (!writer_post(writer, &row))
			sched_yield();
		writer_mark(writer, position);
	}
	ok(writer_drain(writer, LONG_MS), "a stream of rows is drained");
	unsigned falling = 0;
	for (unsigned i = 1; i < store.batches && store.batches < BATCHES_MAX; i++)
		falling += store.positions[i] <= store.positions[i - 1];
	is_int(falling, 0, "positions rise from batch to batch");
	is_int(status_of(writer).applied_position, 3000, "to the last");
	writer_stop(writer, LONG_MS);
}

int main(void)
{
	log_set_sink(log_count, NULL);
	coalescing();
	triggers();
	behind_the_mark();
	retries();
	back_pressure();
	slots();
	stream();
	return tap_done();
}
