/* The journal's worker: fdatasync, the next file made ahead, and files that are needed no more. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/state/journal_state.h"

#define REST_NS INT64_C(20000000)      /* after an fdatasync, unless someone waits for the next */
#define AGAIN_NS INT64_C(1000000000)   /* a file that could not be made is tried again */
#define REMOVE_NS INT64_C(10000000000) /* one that could not be removed */

struct part *journal_part_create(uint32_t number, int file)
{
	struct part *part = calloc(1, sizeof *part);

	if (part) {
		part->number = number;
		part->file = file;
	}
	return part;
}

/* ------------------------------------------------------------------ sync */

/* Is there anything that fdatasync has not covered and may still cover? Not while a write waits to be tried again: a
 * disk that takes no write would fail the sync too, and that is for good. */
static bool sync_is_behind(const struct journal *journal)
{
	return atomic_load(&journal->written) > atomic_load(&journal->synced) && !atomic_load(&journal->stalled) &&
	       atomic_load(&journal->failure) == 0;
}

static bool sync_is_awaited(const struct journal *journal)
{
	return atomic_load(&journal->wanted) > atomic_load(&journal->synced);
}

/* Every file from the first that is not wholly synced to the one that is written now. Whether a file was left for the
 * next one is asked before its sync: then nothing is written to it any more. */
static int parts_sync(struct journal *journal)
{
	for (;;) {
		struct part *part = journal->syncing, *next = atomic_load(&part->next);
		int failure = disk_sync(journal->disk, part->file, true);
		if (failure != 0 || !next)
			return failure;
		disk_close(journal->disk, part->file);
		part->file = -1;
		journal->syncing = next;
	}
}

static void sync_once(struct journal *journal)
{
	uint64_t target = atomic_load(&journal->written);
	int failure = parts_sync(journal);

	if (failure != 0)
		journal_failure_keep(journal, failure);
	else if (atomic_load(&journal->failure) == 0)
		atomic_store(&journal->synced, target);
}

/* After each fdatasync it rests, so that flushes in the meantime cost no wake-up. Returns when it is to be looked at
 * again; now_ns: something was done. */
static int64_t sync_turn(struct journal *journal, int64_t now_ns)
{
	if (journal->rest_begins)
		journal->rest_until_ns = now_ns + REST_NS;
	journal->rest_begins = false;
	bool resting = now_ns < journal->rest_until_ns;
	uint64_t before = atomic_load(&journal->synced);
	if (sync_is_behind(journal) && (!resting || sync_is_awaited(journal))) {
		sync_once(journal);
		journal->rest_begins = true;
		if (atomic_load(&journal->wanted) > before && journal->on_synced)
			journal->on_synced(journal->on_synced_ctx);
		return now_ns;
	}
	return resting ? journal->rest_until_ns : WORKER_WHEN_WOKEN;
}

/* ------------------------------------------------------------- next file */

static bool ahead_is_due(const struct journal *journal)
{
	return atomic_load(&journal->ahead_wanted) && !atomic_load(&journal->ahead);
}

static void ahead_failed(struct journal *journal, int failure, int64_t now_ns)
{
	if (!journal->ahead_failing)
		log_warn("journal.next_failing", LOG_S("error", strerror(-failure)),
			 LOG_S("note", "the next file cannot be made; the journal goes on in the one it has"));
	journal->ahead_failing = true;
	journal->ahead_retry_ns = now_ns + AGAIN_NS;
}

/* The number of the file that is written: the newest in the list. */
static uint32_t number_now(const struct journal *journal)
{
	const struct part *part = journal->syncing, *next;

	while ((next = atomic_load(&part->next)))
		part = next;
	return part->number;
}

/* 0 or -errno. */
static int ahead_make(struct journal *journal)
{
	uint32_t number = number_now(journal) + 1;
	int failure = journal_file_make(journal->disk, journal->dir, number, journal->gateway_id,
					atomic_load(&journal->synced));
	int file = failure != 0 ? failure : journal_file_open(journal->disk, journal->dir, number);
	struct part *part = file < 0 ? NULL : journal_part_create(number, file);

	if (file >= 0 && !part) {
		disk_close(journal->disk, file);
		return -ENOMEM;
	}
	if (file < 0)
		return file;
	atomic_fetch_add(&journal->files, 1);
	atomic_store(&journal->ahead_wanted, false);
	atomic_store(&journal->ahead, part);
	return 0;
}

static int64_t ahead_turn(struct journal *journal, int64_t now_ns)
{
	if (!ahead_is_due(journal) || number_now(journal) == JOURNAL_NUMBER_MAX)
		return WORKER_WHEN_WOKEN;
	if (now_ns < journal->ahead_retry_ns)
		return journal->ahead_retry_ns;
	int failure = ahead_make(journal);
	if (failure != 0) {
		ahead_failed(journal, failure, now_ns);
		return journal->ahead_retry_ns;
	}
	journal->ahead_failing = false;
	return now_ns;
}

/* -------------------------------------------------------------- trimming */

/* May the oldest file go? Files go one after the other, oldest first, and each one's name is off the disk before the
 * next goes: a power loss leaves no hole. */
static bool trim_is_due(const struct journal *journal)
{
	const uint64_t to = atomic_load(&journal->trim_to);
	uint32_t free = 0;

	if (to == 0 || atomic_load(&journal->synced) < atomic_load(&journal->trim_after))
		return false;
	for (const struct part *part = journal->oldest; part != journal->syncing && part->last <= to;
	     part = atomic_load(&part->next))
		free++;
	return free > atomic_load(&journal->trim_keep);
}

static int oldest_remove(struct journal *journal)
{
	struct part *part = journal->oldest;
	char path[JOURNAL_PATH_SIZE];

	journal_path(journal->dir, part->number, path);
	int failure = journal->disk->ops->remove(journal->disk, path);
	if (failure == -ENOENT)
		failure = 0;
	if (failure == 0)
		failure = journal->disk->ops->sync_dir(journal->disk, journal->dir);
	if (failure != 0)
		return failure;
	journal->oldest = atomic_load(&part->next);
	atomic_store(&journal->first_number, journal->oldest->number);
	atomic_fetch_sub(&journal->files, 1);
	free(part);
	return 0;
}

static int64_t trim_turn(struct journal *journal, int64_t now_ns)
{
	if (!trim_is_due(journal))
		return WORKER_WHEN_WOKEN;
	if (now_ns < journal->trim_retry_ns)
		return journal->trim_retry_ns;
	uint32_t number = journal->oldest->number;
	int failure = oldest_remove(journal);
	if (failure == 0) {
		log_info("journal.trimmed", LOG_I("file", number));
		journal->trim_failing = false;
		return now_ns;
	}
	if (!journal->trim_failing)
		log_warn("journal.trim_failing", LOG_I("file", number), LOG_S("error", strerror(-failure)));
	journal->trim_failing = true;
	journal->trim_retry_ns = now_ns + REMOVE_NS;
	return journal->trim_retry_ns;
}

/* ---------------------------------------------------------------- worker */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Whoever waits for the sync comes first. A flush wakes no worker that dozes until it tries again what has failed, so
 * it looks by itself, as often as after a sync. */
int64_t journal_worker_turn(void *ctx, int64_t now_ns)
{
	struct journal *journal = ctx;
	int64_t due_ns = sync_turn(journal, now_ns);

	if (due_ns != now_ns)
		due_ns = earlier(due_ns, ahead_turn(journal, now_ns));
	if (due_ns != now_ns)
		due_ns = earlier(due_ns, trim_turn(journal, now_ns));
	return due_ns == WORKER_WHEN_WOKEN ? due_ns : earlier(due_ns, now_ns + REST_NS);
}

bool journal_worker_has_news(void *ctx, int64_t due_ns)
{
	const struct journal *journal = ctx;

	if (sync_is_behind(journal) && (due_ns == WORKER_WHEN_WOKEN || sync_is_awaited(journal)))
		return true;
	return due_ns == WORKER_WHEN_WOKEN && (ahead_is_due(journal) || trim_is_due(journal));
}
