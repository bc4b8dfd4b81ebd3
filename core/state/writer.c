#include "core/state/writer.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <trigate/error.h>

#include "core/base/log.h"
#include "core/base/ring.h"
#include "core/state/writer_batch.h"

#define BACKOFF_FIRST_NS INT64_C(10000000)
#define BACKOFF_LAST_NS INT64_C(1000000000)
#define MS INT64_C(1000000)

/* Does the writer thread sleep, and what may wake it? ASLEEP: nothing waits, any mark does. DOZING: it wakes by itself
 * when the batch is due; only an urgent mark or a filling ring wakes it before. */
enum { AWAKE, DOZING, ASLEEP };

struct writer {
	struct writer_options options;
	struct ring *ring;

	/* the loop thread's */
	uint64_t posted;     /* rows put into the ring, ever */
	uint32_t since_mark; /* of them, since the last mark */
	bool urgent_since_mark;
	uint64_t drains;

	/* What both see. A mark is two numbers: a reader that meets an odd or changed mark_turn reads again. */
	_Atomic uint32_t mark_turn;
	_Atomic uint64_t mark_position;
	_Atomic uint64_t mark_posted; /* rows that had been posted then */
	_Atomic uint64_t drain_wanted;
	atomic_bool stopping;
	atomic_int sleep;
	sem_t wake;

	/* the writer thread's */
	struct writer_batch batch; /* rows below the mark, to be applied with it */
	struct row *early;         /* rows behind the mark, in order */
	uint32_t early_count, early_capacity;
	uint64_t taken; /* rows moved into the batch, ever */
	uint64_t mark;  /* position that the batch brings the store to */
	uint64_t applied;
	int64_t since_ns; /* when the batch's first row or mark was seen; 0: nothing waits */
	int64_t backoff_ns;
	int64_t retry_ns; /* not before; 0: not failing */
	int64_t renew_ns;
	bool broken; /* a permanent error: nothing is applied any more */
	bool renew_failing;
	bool behind_logged;

	pthread_mutex_t mutex; /* status and drained */
	pthread_cond_t drained_changed;
	struct writer_status status;
	uint64_t drained; /* the last drain request that is answered */
	bool drained_all; /* its answer */
	pthread_t thread;
};

static int64_t mono_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * TG_E9 + now.tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / TG_E9, .tv_nsec = ns % TG_E9};
}

/* ----------------------------------------------------- the loop's side */

static void writer_wake(struct writer *writer, bool urgent)
{
	int sleep = atomic_load(&writer->sleep);

	if (sleep == AWAKE || (sleep == DOZING && !urgent))
		return;
	if (atomic_exchange(&writer->sleep, AWAKE) != AWAKE)
		sem_post(&writer->wake);
}

bool writer_post(struct writer *writer, const struct row *row)
{
	if (!ring_put(writer->ring, row)) {
		writer_wake(writer, true); /* a mark that would wake it cannot come before there is room */
		return false;
	}
	writer->posted++;
	writer->since_mark++;
	writer->urgent_since_mark |= row->urgent;
	if (writer->since_mark % (ring_capacity(writer->ring) / 2) == 0)
		writer_wake(writer, true); /* without a mark for long: make room */
	return true;
}

void writer_mark(struct writer *writer, uint64_t position)
{
	atomic_fetch_add(&writer->mark_turn, 1);
	atomic_store(&writer->mark_position, position);
	atomic_store(&writer->mark_posted, writer->posted);
	atomic_fetch_add(&writer->mark_turn, 1);
	writer_wake(writer, writer->urgent_since_mark);
	writer->since_mark = 0;
	writer->urgent_since_mark = false;
}

bool writer_drain(struct writer *writer, int64_t timeout_ms)
{
	struct timespec until = timespec_of(mono_ns() + timeout_ms * MS);
	uint64_t wanted = ++writer->drains;
	int expired = 0;

	atomic_store(&writer->drain_wanted, wanted);
	writer_wake(writer, true);
	pthread_mutex_lock(&writer->mutex);
	while (writer->drained < wanted && expired == 0)
		expired = pthread_cond_timedwait(&writer->drained_changed, &writer->mutex, &until);
	bool all = writer->drained >= wanted && writer->drained_all;
	pthread_mutex_unlock(&writer->mutex);
	return all;
}

void writer_status(const struct writer *writer, struct writer_status *ret_status)
{
	struct writer *mine = (struct writer *)(uintptr_t)writer; /* the lock is not part of what const promises */

	pthread_mutex_lock(&mine->mutex);
	*ret_status = mine->status;
	pthread_mutex_unlock(&mine->mutex);
}

/* ------------------------------------------- the thread's side: taking */

static void mark_read(struct writer *writer, uint64_t *ret_position, uint64_t *ret_posted)
{
	uint32_t turn;

	do {
		turn = atomic_load(&writer->mark_turn);
		*ret_position = atomic_load(&writer->mark_position);
		*ret_posted = atomic_load(&writer->mark_posted);
	} while (turn % 2 != 0 || atomic_load(&writer->mark_turn) != turn);
}

static int early_add(struct writer *writer, const struct row *row)
{
	if (writer->early_count == writer->early_capacity) {
		uint32_t capacity = writer->early_capacity ? writer->early_capacity * 2 : 64;
		struct row *rows = reallocarray(writer->early, capacity, sizeof *rows);
		if (!rows)
			return TG_ERR_NO_MEMORY;
		writer->early = rows;
		writer->early_capacity = capacity;
	}
	writer->early[writer->early_count++] = *row;
	return 0;
}

/* Rows that were taken before their mark came, into the batch. */
static int early_move(struct writer *writer, uint64_t posted)
{
	uint32_t moved = 0;
	int status = 0;

	while (moved < writer->early_count && writer->taken < posted) {
		status = writer_batch_add(&writer->batch, &writer->early[moved]);
		if (status != 0)
			break;
		writer->taken++;
		moved++;
	}
	writer->early_count -= moved;
	if (moved > 0 && writer->early_count > 0)
		memmove(writer->early, writer->early + moved, writer->early_count * sizeof *writer->early);
	return status;
}

/* Rows up to the mark go into the batch. Rows behind it are left in the ring, unless it gets full: their mark can only
 * come when there is room for all that goes before it. Out of memory leaves rows where they are, for the next turn. */
static void writer_collect(struct writer *writer, int64_t now)
{
	uint64_t position, posted;
	const struct row *row;

	mark_read(writer, &position, &posted);
	if (early_move(writer, posted) != 0)
		return;
	while (writer->early_count == 0 && writer->taken < posted && (row = ring_peek(writer->ring))) {
		if (writer_batch_add(&writer->batch, row) != 0)
			return;
		writer->taken++;
		ring_drop(writer->ring);
	}
	while (ring_count(writer->ring) >= ring_capacity(writer->ring) / 2 && (row = ring_peek(writer->ring))) {
		if (early_add(writer, row) != 0)
			return;
		ring_drop(writer->ring);
	}
	if (writer->taken >= posted)
		writer->mark = position;
	if (writer->since_ns == 0 && (writer->batch.count > 0 || writer->mark > writer->applied))
		writer->since_ns = now;
}

/* ----------------------------------------- the thread's side: applying */

static bool error_passes(int32_t code)
{
	return code == TG_ERR_IO || code == TG_ERR_RETRYABLE || code == TG_ERR_UNKNOWN_OUTCOME ||
	       code == TG_ERR_RATE_LIMITED || code == TG_ERR_TIMEOUT || code == TG_ERR_NO_MEMORY;
}

static void apply_succeeded(struct writer *writer)
{
	bool was_failing;

	pthread_mutex_lock(&writer->mutex);
	was_failing = writer->status.failing;
	writer->status.failing = false;
	writer->status.applied_position = writer->mark;
	writer->status.batches++;
	writer->status.rows += writer->batch.count;
	pthread_mutex_unlock(&writer->mutex);
	if (was_failing)
		log_info("storage_recovered", LOG_I("position", writer->mark));
	writer->applied = writer->mark;
	writer->since_ns = writer->retry_ns = writer->backoff_ns = 0;
	writer_batch_clear(&writer->batch);
}

static void apply_failed(struct writer *writer, int32_t code, const struct tg_error *error, int64_t now)
{
	bool was_failing, passes = error_passes(code);
	const char *text = error->message_len ? error->message : tg_status_text(code);

	writer->backoff_ns = writer->backoff_ns ? writer->backoff_ns * 2 : BACKOFF_FIRST_NS;
	if (writer->backoff_ns > BACKOFF_LAST_NS)
		writer->backoff_ns = BACKOFF_LAST_NS;
	writer->retry_ns =
		now + (error->retry_after_ns > writer->backoff_ns ? error->retry_after_ns : writer->backoff_ns);
	writer->broken = !passes;
	pthread_mutex_lock(&writer->mutex);
	was_failing = writer->status.failing;
	writer->status.failing = true;
	writer->status.retries += passes;
	snprintf(writer->status.error, sizeof writer->status.error, "%s", text);
	pthread_mutex_unlock(&writer->mutex);
	if (!passes)
		log_error("storage_failed", LOG_S("code", tg_status_name(code)), LOG_S("error", text),
			  LOG_I("position", writer->mark));
	else if (!was_failing)
		log_warn("storage_failing", LOG_S("code", tg_status_name(code)), LOG_S("error", text),
			 LOG_I("position", writer->mark));
}

static void writer_apply(struct writer *writer)
{
	struct tg_error error = tg_error_init();
	struct tg_batch batch = {
		.size = sizeof batch,
		.count = writer->batch.count,
		.records = writer_batch_records(&writer->batch),
		.position = writer->mark,
		.journal = {writer->options.journal_id, strlen(writer->options.journal_id)},
	};
	int32_t code = 0;
	if (writer->options.journal_wait)
		code = writer->options.journal_wait(writer->options.journal, batch.position, &error);
	if (code == 0)
		code = writer->options.api->apply(writer->options.backend, &batch, &error);

	if (code == 0)
		apply_succeeded(writer);
	else
		apply_failed(writer, code, &error, mono_ns());
}

/* When the batch is to be applied, mono; INT64_MAX: not by itself. */
static int64_t batch_due_ns(struct writer *writer, bool draining)
{
	if (writer->broken || writer->since_ns == 0)
		return INT64_MAX;
	if (writer->mark <= writer->applied) {
		/* By the contract of positions the store has these rows; they ride with the next batch. */
		if (!writer->behind_logged && writer->mark < writer->applied)
			log_warn("storage_ahead_of_journal", LOG_I("store", writer->applied),
				 LOG_I("journal", writer->mark));
		writer->behind_logged |= writer->mark < writer->applied;
		return INT64_MAX;
	}
	if (writer->retry_ns != 0)
		return writer->retry_ns;
	if (draining || writer->batch.urgent || writer->batch.count >= writer->options.batch_rows)
		return 0;
	return writer->since_ns + writer->options.batch_ms * MS;
}

/* ----------------------------------------- the thread's side: the rest */

static void slots_renew(struct writer *writer, int64_t now)
{
	const struct writer_options *options = &writer->options;
	struct tg_error error = tg_error_init();

	if (!options->slot_group || now < writer->renew_ns)
		return;
	int32_t code = options->api->slot_renew(
		options->backend, (struct tg_str){options->slot_group, strlen(options->slot_group)},
		(struct tg_str){options->slot_owner, strlen(options->slot_owner)}, options->slot_ttl_ms, &error);
	if (code < 0 && !writer->renew_failing)
		log_warn("slot_renew_failing", LOG_S("code", tg_status_name(code)), LOG_S("error", error.message));
	writer->renew_failing = code < 0;
	writer->renew_ns = now + options->slot_ttl_ms * MS / 3;
}

static void drain_answer(struct writer *writer, uint64_t wanted, bool all)
{
	pthread_mutex_lock(&writer->mutex);
	writer->drained = wanted;
	writer->drained_all = all;
	pthread_cond_broadcast(&writer->drained_changed);
	pthread_mutex_unlock(&writer->mutex);
}

/* Nothing can be applied now: is that because nothing is left? Rows without a mark cannot be applied while the loop
 * thread waits for us, so it is told at once. */
static bool writer_is_empty(const struct writer *writer)
{
	return !writer->broken && writer->early_count == 0 && ring_count(writer->ring) == 0;
}

static void writer_sleep(struct writer *writer, int64_t due, uint32_t turn_seen, uint64_t drain_seen)
{
	atomic_store(&writer->sleep, due == INT64_MAX ? ASLEEP : DOZING);
	/* What came before the line above woke nobody; what comes after it will. */
	bool news = atomic_load(&writer->mark_turn) != turn_seen;
	news |= atomic_load(&writer->drain_wanted) != drain_seen || atomic_load(&writer->stopping);
	news |= writer->retry_ns == 0 && ring_count(writer->ring) >= ring_capacity(writer->ring) / 2;
	if (writer->options.slot_group && writer->renew_ns < due)
		due = writer->renew_ns;
	if (!news && due == INT64_MAX) {
		sem_wait(&writer->wake);
	} else if (!news) {
		struct timespec until = timespec_of(due);
		sem_clockwait(&writer->wake, CLOCK_MONOTONIC, &until);
	}
	atomic_store(&writer->sleep, AWAKE);
}

static void *writer_main(void *ctx)
{
	struct writer *writer = ctx;
	uint64_t drained = 0;

	while (!atomic_load(&writer->stopping)) {
		uint64_t wanted = atomic_load(&writer->drain_wanted);
		uint32_t turn = atomic_load(&writer->mark_turn);
		int64_t now = mono_ns();

		slots_renew(writer, now);
		if (writer->retry_ns == 0) /* a batch that failed stays as it is; the ring holds the loop back */
			writer_collect(writer, now);
		int64_t due = batch_due_ns(writer, wanted != drained);
		if (due <= now) {
			writer_apply(writer);
			continue;
		}
		if (wanted != drained && due == INT64_MAX) {
			drain_answer(writer, wanted, writer_is_empty(writer));
			drained = wanted;
		}
		writer_sleep(writer, due, turn, wanted);
	}
	return NULL;
}

/* ------------------------------------------------------- start and stop */

static int thread_start(struct writer *writer)
{
	pthread_condattr_t attributes;
	sigset_t all, before;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->drained_changed, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&writer->mutex, NULL);
	sem_init(&writer->wake, 0, 0);
	sigfillset(&all); /* signals are the loop thread's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failure = pthread_create(&writer->thread, NULL, writer_main, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failure;
}

static void thread_finish(struct writer *writer)
{
	sem_destroy(&writer->wake);
	pthread_mutex_destroy(&writer->mutex);
	pthread_cond_destroy(&writer->drained_changed);
}

int writer_start(const struct writer_options *options, struct writer **ret_writer, struct tg_error *ret_error)
{
	assert(options->ring_rows >= 2 && options->batch_rows > 0 && options->batch_ms >= 0);
	assert(!options->slot_group || (options->slot_owner && options->slot_ttl_ms >= 3));
	struct tg_str journal = {options->journal_id, strlen(options->journal_id)};
	uint64_t applied = 0;
	int status = options->api->durable_position(options->backend, journal, &applied, ret_error);
	if (status != 0)
		return status;

	struct writer *writer = calloc(1, sizeof *writer);
	if (!writer)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory for the storage writer");
	writer->options = *options;
	writer->applied = writer->mark = writer->status.applied_position = applied;
	atomic_store(&writer->mark_position, applied);
	status = ring_create(options->ring_rows, sizeof(struct row), &writer->ring);
	if (status == 0)
		status = writer_batch_init(&writer->batch, options->batch_rows);
	if (status != 0)
		goto failed;
	if (thread_start(writer) != 0) {
		thread_finish(writer);
		status = TG_ERR_NO_MEMORY;
		goto failed;
	}
	*ret_writer = writer;
	return 0;

failed:
	writer_batch_finish(&writer->batch);
	ring_destroy(writer->ring);
	free(writer);
	return tg_error_set(ret_error, status, "no memory or thread for the storage writer");
}

void writer_stop(struct writer *writer, int64_t timeout_ms)
{
	if (!writer)
		return;
	writer_drain(writer, timeout_ms);
	atomic_store(&writer->stopping, true);
	sem_post(&writer->wake);
	pthread_join(writer->thread, NULL);
	thread_finish(writer);
	free(writer->early);
	writer_batch_finish(&writer->batch);
	ring_destroy(writer->ring);
	free(writer);
}
