#include "core/state/trimmer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/log.h"

#define SECOND INT64_C(1000000000)
#define LOOK_NS SECOND
#define ASK_NS (10 * SECOND)
/* What an exchange tells of an order may come late, and correct its end: a final cycle is remembered so long. Bytes
 * that were sent may arrive 15 minutes later (tcp_retries2), an answer is waited for some minutes more. */
#define REMEMBERED_NS (20 * 60 * SECOND)
/* A cycle that is open for so long is worth a line. */
#define STUCK_NS (3600 * SECOND)

struct trimmer {
	struct trimmer_options options;
	struct worker *worker;

	/* the loop thread's */
	int64_t look_ns;       /* mono: not before */
	uint64_t cleared;      /* cycles opened up to it are forgotten */
	uint64_t needed;       /* what the store must have for good, for all that is known of them */
	struct cycle_key told; /* that it holds a file back */
	/* what both see */
	_Atomic uint64_t wanted;  /* the position that the store is to have */
	_Atomic uint64_t durable; /* what it said */
	/* the worker's */
	int64_t ask_ns;
	bool failing;
};

/* ---------------------------------------------------------------- worker */

static bool is_wanted(const struct trimmer *trimmer)
{
	return atomic_load(&trimmer->wanted) > atomic_load(&trimmer->durable);
}

static void ask(struct trimmer *trimmer)
{
	struct tg_error error = tg_error_init();
	uint64_t position = 0;
	int status = trimmer->options.durable(trimmer->options.ctx, &position, &error);

	if (status == TG_OK)
		atomic_store(&trimmer->durable, position);
	else if (!trimmer->failing)
		log_warn("journal.trim_waits", LOG_S("error", error.message),
			 LOG_S("note", "the store does not say what it has for good; no file is removed meanwhile"));
	trimmer->failing = status != TG_OK;
}

static int64_t on_turn(void *ctx, int64_t now_ns)
{
	struct trimmer *trimmer = ctx;

	if (!is_wanted(trimmer))
		return WORKER_WHEN_WOKEN;
	if (now_ns >= trimmer->ask_ns) {
		ask(trimmer);
		trimmer->ask_ns = now_ns + ASK_NS;
	}
	return is_wanted(trimmer) ? trimmer->ask_ns : WORKER_WHEN_WOKEN;
}

static bool has_news(void *ctx, int64_t due_ns)
{
	return due_ns == WORKER_WHEN_WOKEN && is_wanted(ctx);
}

/* ------------------------------------------------------------------ loop */

/* Final long enough, and nothing is left to ask about the time in which it was open. */
static bool is_over(const struct keeper *keeper, const struct cycle *cycle)
{
	return cycle_is_forgettable(cycle) && model_missed_since_ns(keeper->model) == 0 &&
	       cycle->closed_ns < loop_unix_ns(keeper->loop) - REMEMBERED_NS;
}

static void stuck_tell(struct trimmer *trimmer, const struct keeper *keeper, const struct cycle *cycle)
{
	char id[CYCLE_ID_MAX];

	if (cycle_is_final(cycle) || loop_unix_ns(keeper->loop) - cycle->opened_ns < STUCK_NS ||
	    (trimmer->told.epoch == cycle->key.epoch && trimmer->told.number == cycle->key.number))
		return;
	trimmer->told = cycle->key;
	cycle_key_format(cycle->key, id);
	log_warn("journal.held", LOG_S("cycle", id), LOG_S("state", cycle_state_name(cycle->state)),
		 LOG_S("note", "files of the journal cannot be removed while it is open"));
}

/* Is every cycle forgotten that was opened up to `end`? */
static bool cycles_forget(struct trimmer *trimmer, struct keeper *keeper, uint64_t end)
{
	struct cycle *cycle;

	while ((cycle = model_oldest(keeper->model)) && cycle->position <= end) {
		struct record_forget record = {cycle->key};
		if (!is_over(keeper, cycle)) {
			stuck_tell(trimmer, keeper, cycle);
			return false;
		}
		keeper_commit(keeper, RECORD_FORGET, &record, sizeof record);
	}
	return true;
}

static void file_give_up(struct keeper *keeper, uint64_t end)
{
	struct record_trim record = {end};

	keeper_note(keeper, RECORD_TRIM, &record, sizeof record);
	if (keeper_flush(keeper))
		journal_give_up(keeper->journal);
}

/* Does the store have for good what is still only in the journal of cycles that are forgotten? Their last records may
 * stand in a later file. */
static bool store_has(struct trimmer *trimmer)
{
	if (atomic_load(&trimmer->durable) >= trimmer->needed)
		return true;
	atomic_store(&trimmer->wanted, trimmer->needed);
	worker_wake(trimmer->worker, false);
	return false;
}

void trimmer_pass(struct trimmer *trimmer, struct keeper *keeper)
{
	uint64_t end = journal_oldest_end(keeper->journal);

	if (end == 0 || loop_mono_ns(keeper->loop) < trimmer->look_ns || keeper->stalled || keeper->failed ||
	    keeper->store_lost)
		return;
	trimmer->look_ns = loop_mono_ns(keeper->loop) + LOOK_NS;
	if (trimmer->cleared < end) {
		if (!cycles_forget(trimmer, keeper, end))
			return;
		trimmer->cleared = end;
		trimmer->needed = journal_position(keeper->journal);
	}
	if (store_has(trimmer))
		file_give_up(keeper, end);
}

const struct cycle *trimmer_held_by(const struct keeper *keeper)
{
	const struct cycle *oldest = model_oldest(keeper->model);
	uint64_t end = journal_oldest_end(keeper->journal);

	while (oldest && cycle_is_final(oldest) && oldest->position <= end)
		oldest = oldest->newer;
	return oldest && oldest->position <= end ? oldest : NULL;
}

/* ---------------------------------------------------------- start, stop */

int trimmer_start(const struct trimmer_options *options, struct trimmer **ret_trimmer)
{
	struct trimmer *trimmer = calloc(1, sizeof *trimmer);

	if (!trimmer)
		return TG_ERR_NO_MEMORY;
	trimmer->options = *options;
	const struct worker_job job = {"trimmer", trimmer, on_turn, has_news};
	if (worker_start(options->workers, &job, &trimmer->worker) != TG_OK) {
		free(trimmer);
		return TG_ERR_NO_MEMORY;
	}
	*ret_trimmer = trimmer;
	return TG_OK;
}

void trimmer_stop(struct trimmer *trimmer)
{
	if (!trimmer)
		return;
	worker_stop(trimmer->worker);
	free(trimmer);
}
