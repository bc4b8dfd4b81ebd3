#include "core/state/writer.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/base/log.h"
#include "core/base/ring.h"
#include "core/state/backoff.h"
#include "core/state/removal.h"
#include "core/state/standing.h"

#define BACKOFF_FIRST_NS INT64_C(10000000)
#define BACKOFF_LAST_NS INT64_C(1000000000)
/* After an error that somebody has to see to. */
#define PATIENT_FIRST_NS INT64_C(1000000000)
#define PATIENT_LAST_NS INT64_C(60000000000)
#define MS INT64_C(1000000)
/* A final state does not wait for its batch's time, but so long after the batch before: others come in between, and
 * share the transaction. */
#define URGENT_GAP_NS (5 * MS)

#define STATUS_WORDS (sizeof(struct writer_status) / sizeof(uint64_t))
static_assert(sizeof(struct writer_status) % sizeof(uint64_t) == 0, "a status is copied by words");

/* The worker's status as any thread may read it without ever making the worker wait: a reader that meets an odd or
 * changed turn reads again. */
struct notice {
	_Atomic uint32_t turn;
	_Atomic uint64_t word[STATUS_WORDS];
};

struct writer {
	struct writer_options options;
	struct ring *ring;
	struct worker *worker;

	/* the loop thread's */
	uint64_t posted;     /* rows put into the ring, ever */
	uint32_t since_mark; /* of them, since the last mark */
	uint64_t woken;      /* of them, when the worker was last told not to sleep */
	bool urgent_since_mark;
	uint64_t drains;
	const struct row *reserved;

	/* What both see. A mark is two numbers: a reader that meets an odd or changed mark_turn reads again. */
	_Atomic uint32_t mark_turn;
	_Atomic uint64_t mark_position;
	_Atomic uint64_t mark_posted; /* rows that had been posted then */
	_Atomic int64_t mark_unix_ns;
	_Atomic uint32_t back_asked;    /* how often the store has gone back */
	_Atomic uint64_t back_to;       /* the last time */
	_Atomic uint32_t back_answered; /* the last time that the loop has answered for */
	_Atomic uint32_t back_mark;     /* its mark_turn then */
	atomic_bool back_whole;         /* with the next one all is there that the store lacks */
	_Atomic uint64_t drain_wanted;
	_Atomic uint64_t drained; /* the last drain request that is answered */
	atomic_bool drained_all;  /* its answer */
	atomic_bool idle;         /* nothing waits: if the worker sleeps until some time, it is not that of a batch */
	struct notice notice;

	/* the worker's */
	bool back_waits;    /* for an answer, and the mark behind it */
	uint32_t turn_seen; /* mark_turn and drain_wanted when its last turn began */
	uint64_t drain_seen;
	struct row *early; /* rows behind the mark, in order; those below it are in the cache */
	uint32_t early_count, early_capacity;
	uint64_t taken;  /* rows moved into the cache, ever */
	uint64_t marked; /* of them, up to the mark */
	bool urgent;     /* one of those that wait there is */
	uint64_t mark;   /* position that the batch brings the store to */
	uint32_t mark_turn_taken;
	struct standing standing;
	int64_t since_ns; /* when the batch's first row or mark was seen; 0: nothing waits */
	int64_t ended_ns; /* the last batch */
	int64_t backoff_ns;
	int64_t pause_ns; /* how long after the next turn's time to retry_ns: what failed may have taken long */
	int64_t retry_ns; /* not before; 0: not failing */
	struct removal removal;
	int32_t failed_code; /* of the last batch; TG_OK: it did not fail */
	bool patient;        /* it will not pass by itself */
	bool behind_logged;
	struct writer_status status;
};

/* ----------------------------------------------------- the loop's side */

struct row *writer_reserve(struct writer *writer)
{
	struct row *row = ring_reserve(writer->ring);

	writer->reserved = row;
	if (!row)
		worker_wake(writer->worker, true); /* a mark that would wake it cannot come before there is room */
	return row;
}

void writer_commit(struct writer *writer)
{
	writer->urgent_since_mark |= writer->reserved->urgent;
	ring_commit(writer->ring);
	writer->posted++;
	writer->since_mark++;
	if (writer->since_mark % (ring_capacity(writer->ring) / 2) == 0)
		worker_wake(writer->worker, true); /* without a mark for long: make room */
}

/* A final state, or so many rows as make a batch or fill half of the ring: the worker does not sleep until its time. */
static bool mark_is_urgent(struct writer *writer)
{
	uint32_t half = ring_capacity(writer->ring) / 2, batch = writer->options.batch_rows;
	bool urgent = writer->urgent_since_mark || writer->posted - writer->woken >= (batch < half ? batch : half);

	if (urgent)
		writer->woken = writer->posted;
	return urgent;
}

void writer_mark(struct writer *writer, uint64_t position, int64_t unix_ns)
{
	/* released: whoever sees one of the numbers sees the odd turn, too */
	atomic_fetch_add(&writer->mark_turn, 1);
	atomic_store_explicit(&writer->mark_position, position, memory_order_release);
	atomic_store_explicit(&writer->mark_posted, writer->posted, memory_order_release);
	atomic_store_explicit(&writer->mark_unix_ns, unix_ns, memory_order_relaxed);
	atomic_fetch_add(&writer->mark_turn, 1);
	/* the worker stores that it is idle and then looks for marks: it sees this one, or this sees that */
	worker_wake(writer->worker, mark_is_urgent(writer) || atomic_load(&writer->idle));
	writer->since_mark = 0;
	writer->urgent_since_mark = false;
}

uint32_t writer_unmarked(const struct writer *writer)
{
	return writer->since_mark;
}

bool writer_is_behind(const struct writer *writer)
{
	return ring_count(writer->ring) >= ring_capacity(writer->ring) / 4 * 3;
}

bool writer_went_back(const struct writer *writer, uint64_t *ret_position)
{
	if (atomic_load(&writer->back_asked) == atomic_load_explicit(&writer->back_answered, memory_order_relaxed))
		return false;
	*ret_position = atomic_load(&writer->back_to);
	return true;
}

void writer_begin_again(struct writer *writer, bool whole)
{
	atomic_store(&writer->back_mark, atomic_load(&writer->mark_turn));
	atomic_store(&writer->back_whole, whole);
	atomic_store(&writer->back_answered, atomic_load(&writer->back_asked));
}

static bool drain_is_answered(void *ctx)
{
	struct writer *writer = ctx;
	return atomic_load(&writer->drained) >= writer->drains;
}

bool writer_drain(struct writer *writer, int64_t timeout_ms)
{
	atomic_store(&writer->drain_wanted, ++writer->drains);
	return worker_wait(writer->worker, drain_is_answered, writer, timeout_ms) && atomic_load(&writer->drained_all);
}

void writer_status(const struct writer *writer, struct writer_status *ret_status)
{
	const struct notice *notice = &writer->notice;
	uint64_t word[STATUS_WORDS] = {0};
	uint32_t turn;

	do {
		turn = atomic_load(&notice->turn);
		for (size_t i = 0; i < STATUS_WORDS; i++)
			word[i] = atomic_load(&notice->word[i]);
	} while (turn % 2 != 0 || atomic_load(&notice->turn) != turn);
	memcpy(ret_status, word, sizeof word);
}

static void status_tell(struct writer *writer)
{
	struct notice *notice = &writer->notice;
	uint64_t word[STATUS_WORDS];

	memcpy(word, &writer->status, sizeof word);
	atomic_fetch_add(&notice->turn, 1);
	for (size_t i = 0; i < STATUS_WORDS; i++)
		atomic_store_explicit(&notice->word[i], word[i], memory_order_release);
	atomic_fetch_add(&notice->turn, 1);
}

/* ------------------------------------------- the worker's side: taking */

/* Returns its turn. */
static uint32_t mark_read(struct writer *writer, uint64_t *ret_position, uint64_t *ret_posted)
{
	uint32_t turn;

	do {
		turn = atomic_load(&writer->mark_turn);
		*ret_position = atomic_load(&writer->mark_position);
		*ret_posted = atomic_load(&writer->mark_posted);
	} while (turn % 2 != 0 || atomic_load(&writer->mark_turn) != turn);
	return turn;
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

static int row_take(struct writer *writer, const struct row *row)
{
	struct row_shown shown;

	row_show(row, writer->options.journal_id, &shown);
	int status = cache_put(writer->options.cache, (struct tg_str){shown.cycle_id, strlen(shown.cycle_id)},
			       &shown.record);
	if (status == 0) {
		writer->taken++;
		writer->urgent |= row->urgent;
	}
	return status;
}

/* Rows that were taken before their mark came, into the cache. */
static int early_move(struct writer *writer, uint64_t posted)
{
	uint32_t moved = 0;
	int status = 0;

	while (moved < writer->early_count && writer->taken < posted) {
		status = row_take(writer, &writer->early[moved]);
		if (status != 0)
			break;
		moved++;
	}
	writer->early_count -= moved;
	if (moved > 0 && writer->early_count > 0)
		memmove(writer->early, writer->early + moved, writer->early_count * sizeof *writer->early);
	return status;
}

static bool ring_is_filling(const struct writer *writer)
{
	return ring_count(writer->ring) >= ring_capacity(writer->ring) / 2;
}

/* Has all been taken that a batch needs, and may it go now? */
static bool batch_is_ready(const struct writer *writer)
{
	return writer->mark > writer->standing.applied && writer->retry_ns == 0;
}

/* Has memory run out amid the rows of a mark? What is in the cache then goes beyond the mark before. */
static bool mark_is_begun(const struct writer *writer)
{
	return writer->taken > writer->marked;
}

/* Rows up to the mark go into the cache. Those behind it are left in the ring, for the next batch: so the loop fills
 * the ring while this one is applied, and no batch is longer than the ring. Only if no batch can be applied they are
 * taken out: their mark can only come when there is room for all that goes before it. Out of memory leaves rows where
 * they are, for the next turn. */
static void writer_collect(struct writer *writer, int64_t now)
{
	uint64_t position, posted;
	const struct row *row;

	uint32_t turn = mark_read(writer, &position, &posted);
	if (early_move(writer, posted) != 0)
		return;
	while (writer->early_count == 0 && writer->taken < posted && (row = ring_peek(writer->ring))) {
		if (row_take(writer, row) != 0)
			return;
		ring_drop(writer->ring);
	}
	if (writer->taken >= posted) {
		writer->mark = position;
		writer->mark_turn_taken = turn;
		writer->marked = writer->taken;
	}
	while (!batch_is_ready(writer) && ring_is_filling(writer) && (row = ring_peek(writer->ring))) {
		if (early_add(writer, row) != 0)
			break;
		ring_drop(writer->ring);
	}
	if (writer->since_ns == 0 &&
	    (cache_waiting(writer->options.cache) > 0 || writer->mark > writer->standing.applied))
		writer->since_ns = now;
}

/* While a store fails the cache takes what comes, up to its bound; from then on the ring holds the loop back. Taken all
 * the same is the rest of a mark that was begun, for no batch may stop before it, and what a store that went back is
 * told again. */
static bool writer_may_collect(const struct writer *writer)
{
	return writer->retry_ns == 0 || mark_is_begun(writer) || (writer->back_waits && !writer->standing.is_lost) ||
	       !cache_is_full(writer->options.cache);
}

/* ------------------------------ the worker's side: a store that went back */

/* Once a time. The loop is not woken for it: its next pass will do. */
static void back_ask(struct writer *writer)
{
	if (!writer->standing.back || writer->back_waits)
		return;
	writer->back_waits = true;
	atomic_store(&writer->back_to, writer->standing.back_to);
	atomic_fetch_add(&writer->back_asked, 1);
}

/* The answer: all that the store lacks is in the cache with the first mark behind it. */
static void back_take(struct writer *writer)
{
	if (!writer->back_waits || atomic_load(&writer->back_answered) != atomic_load(&writer->back_asked))
		return;
	writer->standing.is_lost = !atomic_load(&writer->back_whole);
	if (writer->standing.is_lost || (int32_t)(writer->mark_turn_taken - atomic_load(&writer->back_mark)) <= 0)
		return;
	standing_go_back(&writer->standing);
	writer->back_waits = writer->patient = false;
	writer->retry_ns = writer->backoff_ns = 0;
}

/* ----------------------------------------- the worker's side: applying */

static void apply_succeeded(struct writer *writer, uint32_t rows)
{
	bool was_failing = writer->status.failing;

	writer->status.failing = false;
	writer->status.applied_position = writer->mark;
	writer->status.batches++;
	writer->status.rows += rows;
	status_tell(writer);
	if (was_failing)
		log_info("storage_recovered", LOG_I("position", writer->mark));
	standing_reached(&writer->standing, writer->mark);
	if (writer->standing.is_lost) /* it came back as it was */
		writer->back_waits = writer->standing.is_lost = false;
	writer->since_ns = writer->retry_ns = writer->backoff_ns = 0;
	writer->urgent = writer->patient = false;
	writer->failed_code = TG_OK;
}

/* Once for all that passes by itself, however it changes; once for each other kind of failure. */
static void failure_log(const struct writer *writer, int32_t code, bool passes)
{
	bool was_failing = writer->failed_code != TG_OK;
	const char *text = writer->status.error;

	if (!passes && (!writer->patient || code != writer->failed_code))
		log_error("storage_failed", LOG_S("code", tg_status_name(code)), LOG_S("error", text),
			  LOG_I("position", writer->mark),
			  LOG_S("note",
				"it is tried again, each minute at last, and goes on once this is mended; what is "
				"not written meanwhile stands in the journal"));
	else if (passes && (!was_failing || writer->patient))
		log_warn("storage_failing", LOG_S("code", tg_status_name(code)), LOG_S("error", text),
			 LOG_I("position", writer->mark));
}

static void apply_failed(struct writer *writer, int32_t code, bool passes, const struct tg_error *error)
{
	writer->backoff_ns = passes ? backoff_next(writer->backoff_ns, BACKOFF_FIRST_NS, BACKOFF_LAST_NS)
				    : backoff_next(writer->backoff_ns, PATIENT_FIRST_NS, PATIENT_LAST_NS);
	writer->pause_ns = error->retry_after_ns > writer->backoff_ns ? error->retry_after_ns : writer->backoff_ns;
	writer->status.failing = true;
	writer->status.retries++;
	snprintf(writer->status.error, sizeof writer->status.error, "%s",
		 error->message_len ? error->message : tg_status_text(code));
	status_tell(writer);
	failure_log(writer, code, passes);
	writer->patient = !passes;
	writer->failed_code = code;
}

static int32_t batch_apply(struct writer *writer, void *backend, uint32_t *ret_rows, struct tg_error *ret_error)
{
	struct tg_batch batch = {
		.size = sizeof batch,
		.position = writer->mark,
		.journal = {writer->options.journal_id, strlen(writer->options.journal_id)},
		.flags = TG_BATCH_AFTER,
		.after = writer->standing.stands,
	};
	int32_t code = cache_batch_begin(writer->options.cache, &batch.records, &batch.count);

	if (code == 0)
		code = store_pool_api(writer->options.pool)->apply(backend, &batch, ret_error);
	cache_batch_end(writer->options.cache, code == 0);
	*ret_rows = batch.count;
	if (code == TG_ERR_REJECTED)
		return standing_refused(&writer->standing, backend, ret_error);
	if (code != TG_OK)
		standing_doubt(&writer->standing, writer->mark);
	return code;
}

/* Nothing of a mark that is only begun is sent: the journal is not durable that far, and a store that is at the mark
 * before already would drop it. No connection to be had is never for good: at the start there was one. */
static void writer_apply(struct writer *writer)
{
	const struct writer_options *options = &writer->options;
	struct tg_error error = tg_error_init();
	int32_t code = 0;
	uint32_t rows = 0;
	bool connected = true;
	void *backend;

	if (mark_is_begun(writer))
		code = tg_error_set(&error, TG_ERR_NO_MEMORY, "out of memory for what is to be stored");
	if (code == 0 && options->journal_wait)
		code = options->journal_wait(options->journal, writer->mark, &error);
	if (code == 0) {
		code = store_pool_take(options->pool, "the writer", &backend, &error);
		connected = code == 0;
	}
	if (code == 0) {
		code = standing_look(&writer->standing, backend, &error);
		if (code == TG_OK)
			code = batch_apply(writer, backend, &rows, &error);
		store_pool_give(options->pool, backend, code);
	}
	writer->ended_ns = workers_now_ns(options->workers);
	if (code == 0)
		apply_succeeded(writer, rows);
	else
		apply_failed(writer, code, !connected || tg_status_may_pass(code), &error);
	back_ask(writer);
}

/* When the batch is to be applied, mono; WORKER_WHEN_WOKEN: not by itself. */
static int64_t batch_due_ns(struct writer *writer, bool draining)
{
	if (writer->since_ns == 0)
		return WORKER_WHEN_WOKEN;
	if (writer->mark <= writer->standing.applied) {
		/* By the contract of positions the store has these rows; they ride with the next batch. */
		if (!writer->behind_logged && writer->mark < writer->standing.applied)
			log_warn("storage_ahead_of_journal", LOG_I("store", writer->standing.applied),
				 LOG_I("journal", writer->mark));
		writer->behind_logged |= writer->mark < writer->standing.applied;
		return WORKER_WHEN_WOKEN;
	}
	if (writer->retry_ns != 0)
		return writer->retry_ns;
	if (draining || ring_is_filling(writer) || cache_waiting(writer->options.cache) >= writer->options.batch_rows)
		return 0;
	int64_t due_ns = writer->since_ns + writer->options.batch_ms * MS;
	int64_t urgent_ns = writer->ended_ns + URGENT_GAP_NS;
	return writer->urgent && urgent_ns < due_ns ? urgent_ns : due_ns;
}

/* ----------------------------------------- the worker's side: the rest */

/* Nothing can be applied now, or not soon: is that because nothing is left? Rows without a mark cannot be applied while
 * the loop thread waits for us, so it is told at once. */
static bool writer_is_empty(const struct writer *writer)
{
	return !writer->patient && writer->early_count == 0 && ring_count(writer->ring) == 0;
}

static void drain_answer(struct writer *writer)
{
	if (writer->drain_seen == atomic_load(&writer->drained))
		return;
	atomic_store(&writer->drained_all, writer_is_empty(writer));
	atomic_store(&writer->drained, writer->drain_seen);
}

/* Between two batches. When the next step is due. */
static int64_t remove_when_due(struct writer *writer, int64_t now_ns)
{
	int64_t unix_ns = atomic_load(&writer->mark_unix_ns);
	int64_t due_ns = removal_due_ns(&writer->removal, now_ns, writer->retry_ns == 0 && unix_ns != 0);

	if (due_ns > now_ns)
		return due_ns;
	uint64_t removed = removal_step(&writer->removal, now_ns, unix_ns);
	if (removed > 0) {
		writer->status.removed += removed;
		status_tell(writer);
	}
	return writer->removal.due_ns;
}

static int64_t writer_turn(void *ctx, int64_t now_ns)
{
	struct writer *writer = ctx;

	writer->drain_seen = atomic_load(&writer->drain_wanted);
	writer->turn_seen = atomic_load(&writer->mark_turn);
	if (writer->pause_ns != 0)
		writer->retry_ns = now_ns + writer->pause_ns;
	writer->pause_ns = 0;
	if (writer_may_collect(writer))
		writer_collect(writer, now_ns);
	back_take(writer);
	int64_t due_ns = batch_due_ns(writer, writer->drain_seen != atomic_load(&writer->drained));
	if (due_ns <= now_ns) {
		writer_apply(writer);
		return now_ns;
	}
	if (due_ns == WORKER_WHEN_WOKEN || writer->patient)
		drain_answer(writer);
	atomic_store(&writer->idle, due_ns == WORKER_WHEN_WOKEN);
	int64_t remove_ns = remove_when_due(writer, now_ns);
	return remove_ns < due_ns ? remove_ns : due_ns;
}

static bool writer_has_news(void *ctx, int64_t due_ns)
{
	const struct writer *writer = ctx;

	(void)due_ns;
	return atomic_load(&writer->mark_turn) != writer->turn_seen ||
	       atomic_load(&writer->drain_wanted) != writer->drain_seen ||
	       (writer_may_collect(writer) && ring_is_filling(writer));
}

/* ------------------------------------------------------- start and stop */

int writer_start(const struct writer_options *options, struct writer **ret_writer, struct tg_error *ret_error)
{
	assert(options->ring_rows >= 2 && options->batch_rows > 0 && options->batch_ms >= 0);
	struct standing standing = {.pool = options->pool,
				    .journal_id = options->journal_id,
				    .applied = options->stood,
				    .doubt = options->known};
	int status = standing_begin(&standing, ret_error);
	if (status != 0)
		return status;

	struct writer *writer = calloc(1, sizeof *writer);
	if (!writer)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory for the storage writer");
	writer->options = *options;
	writer->removal = (struct removal){.pool = options->pool, .days = options->retention_days};
	writer->standing = standing;
	writer->mark = writer->status.applied_position = standing.applied;
	atomic_store(&writer->mark_position, standing.applied);
	status = ring_create(options->ring_rows, sizeof(struct row), &writer->ring);
	if (status != 0)
		goto failed;
	if (options->touch)
		ring_touch(writer->ring);
	status_tell(writer);
	const struct worker_job job = {"writer", writer, writer_turn, writer_has_news};
	status = worker_start(options->workers, &job, &writer->worker);
	if (status != 0)
		goto failed;
	*ret_writer = writer;
	return 0;

failed:
	ring_destroy(writer->ring);
	free(writer);
	return tg_error_set(ret_error, status, "no memory or thread for the storage writer");
}

void writer_stop(struct writer *writer, int64_t timeout_ms)
{
	if (!writer)
		return;
	writer_drain(writer, timeout_ms);
	worker_stop(writer->worker);
	free(writer->early);
	ring_destroy(writer->ring);
	free(writer);
}
