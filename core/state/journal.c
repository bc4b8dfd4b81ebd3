#include "core/state/journal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/state/journal_state.h"

/* One pass of the loop writes a handful of records; 256 KiB hold some thousand ordinary ones. The rest of the buffer is
 * for what comes in while the disk takes nothing: some thousand more, when no order leaves. */
#define WRITE_AT (256 * 1024)
#define BUFFER_SIZE (1024 * 1024)

static_assert(WRITE_AT > JOURNAL_RECORD_MAX && BUFFER_SIZE > WRITE_AT + JOURNAL_RECORD_MAX,
	      "a record fits behind what is written");

/* --------------------------------------------------------------- opening */

static int arguments_check(const char *state_dir, const char *gateway_id, struct tg_error *ret_error)
{
	size_t id_length = strlen(gateway_id);

	if (id_length == 0 || id_length > JOURNAL_GATEWAY_ID_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "gateway id '%s' must have 1 to %d characters",
				    gateway_id, JOURNAL_GATEWAY_ID_MAX);
	if (strlen(state_dir) > JOURNAL_DIR_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "the path of the state directory is longer than %d bytes", JOURNAL_DIR_MAX);
	return 0;
}

static struct journal *journal_allocate(void)
{
	struct journal *journal = calloc(1, sizeof *journal);
	if (!journal)
		return NULL;
	journal->buffer = malloc(BUFFER_SIZE);
	if (!journal->buffer) {
		free(journal);
		return NULL;
	}
	memset(journal->buffer, 0, WRITE_AT); /* touch the pages now, not on the way to an order */
	return journal;
}

static void parts_free(struct journal *journal)
{
	for (struct part *part = journal->oldest, *next; part; part = next) {
		next = atomic_load(&part->next);
		if (part->file >= 0)
			disk_close(journal->disk, part->file);
		free(part);
	}
	struct part *ahead = atomic_load(&journal->ahead);
	if (ahead)
		disk_close(journal->disk, ahead->file);
	free(ahead);
}

static void journal_free(struct journal *journal)
{
	parts_free(journal);
	free(journal->buffer);
	free(journal);
}

/* There is one file at least. A directory that is not there fails where the file is made. */
static int first_file_make(struct journal *journal, struct tg_error *ret_error)
{
	struct journal_numbers numbers = {0};
	int status = journal_numbers_find(journal->disk, journal->dir, &numbers, ret_error);

	if ((status != 0 && status != TG_ERR_NOT_FOUND) || numbers.count > 0)
		return status;
	int failure = journal_file_make(journal->disk, journal->dir, 1, journal->gateway_id, 0);
	if (failure != 0)
		return tg_error_set(
			ret_error, TG_ERR_IO,
			"%s/journal-00000001.tgj: cannot create: %s; free or repair the disk, then start again",
			journal->dir, strerror(-failure));
	return 0;
}

static int part_add(struct journal *journal, const struct journal_extent *extent, bool current,
		    struct tg_error *ret_error)
{
	int file = current ? journal_file_open(journal->disk, journal->dir, extent->number) : -1;
	if (current && file < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s/journal-%08u.tgj: cannot open: %s", journal->dir,
				    extent->number, strerror(-file));
	struct part *part = journal_part_create(extent->number, file);
	if (!part) {
		if (file >= 0)
			disk_close(journal->disk, file);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory for the journal");
	}
	part->last = extent->last;
	if (journal->current)
		atomic_store(&journal->current->next, part);
	else
		journal->oldest = part;
	journal->current = part;
	return 0;
}

/* One that an earlier process made ahead is made anew: under its name at once, with its header surely on disk. */
static int parts_make(struct journal *journal, const struct journal_scan *scan, struct tg_error *ret_error)
{
	for (uint32_t i = 0; i <= scan->last; i++) {
		int status = part_add(journal, &scan->file[i], i == scan->last, ret_error);
		if (status != 0)
			return status;
	}
	journal->candidate = journal->oldest;
	journal->syncing = journal->current;
	journal->size = scan->file[scan->last].end;
	atomic_store(&journal->first_number, journal->oldest->number);
	atomic_store(&journal->files, scan->last + 1);
	return 0;
}

/* Bring the files into a state to append to. */
static int files_prepare(struct journal *journal, struct journal_scan *scan, struct tg_error *ret_error)
{
	int status = journal_files_cut(journal->disk, journal->dir, scan, ret_error);
	if (status == 0)
		status = journal_files_refresh(journal->disk, journal->dir, scan, ret_error);
	if (status == 0)
		status = parts_make(journal, scan, ret_error);
	/* names too, also of files that were there: who made one may have been killed before it came to this */
	int failure = status == 0 ? journal->disk->ops->sync_dir(journal->disk, journal->dir) : 0;
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot sync its names: %s", journal->dir,
				    strerror(-failure));
	/* `synced` stays 0: what a killed process wrote is in the file, but nobody knows whether it is on the disk */
	journal->position = scan->report.last_position;
	atomic_store(&journal->written, journal->position);
	return status;
}

static int files_open(struct journal *journal, uint64_t durable, journal_fn fn, void *ctx,
		      struct journal_report *ret_report, struct tg_error *ret_error)
{
	struct journal_scan scan = {0};
	int status = first_file_make(journal, ret_error);

	if (status == 0)
		status = journal_scan_files(journal->disk, journal->dir, journal->gateway_id, durable, fn, ctx, &scan,
					    ret_error);
	if (status != 0)
		return status;
	status = files_prepare(journal, &scan, ret_error);
	*ret_report = scan.report;
	journal_scan_finish(&scan);
	return status;
}

int journal_open(const struct disk *disk, const struct workers *workers, const char *state_dir, const char *gateway_id,
		 uint64_t durable, journal_fn fn, void *ctx, struct journal_report *ret_report,
		 struct journal **ret_journal, struct tg_error *ret_error)
{
	struct journal_report report;
	int status = arguments_check(state_dir, gateway_id, ret_error);
	if (status != 0)
		return status;
	struct journal *journal = journal_allocate();
	if (!journal)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory for the journal");

	journal->disk = disk;
	journal->file_bytes = JOURNAL_FILE_BYTES;
	strcpy(journal->dir, state_dir);
	strcpy(journal->gateway_id, gateway_id);
	status = files_open(journal, durable, fn, ctx, &report, ret_error);
	const struct worker_job job = {"journal", journal, journal_worker_turn, journal_worker_has_news};
	if (status == 0 && worker_start(workers, &job, &journal->worker) != 0)
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "cannot start the journal's sync thread");
	if (status != 0) {
		journal_free(journal);
		return status;
	}
	if (ret_report)
		*ret_report = report;
	*ret_journal = journal;
	return 0;
}

void journal_limit(struct journal *journal, uint64_t file_bytes, uint32_t keep_files)
{
	journal->file_bytes = file_bytes;
	atomic_store(&journal->trim_keep, keep_files);
}

/* --------------------------------------------------------------- writing */

static void current_path(const struct journal *journal, char ret_path[JOURNAL_PATH_SIZE])
{
	journal_path(journal->dir, journal->current->number, ret_path);
}

/* Hand the buffer to the kernel. 0 or -errno. */
static int buffer_write(struct journal *journal)
{
	int failure = disk_write_all(journal->disk, journal->current->file, journal->buffer, journal->used);
	if (failure != 0)
		return failure;
	journal->size += journal->used;
	journal->used = 0;
	atomic_store_explicit(&journal->written, journal->position, memory_order_release);
	if (journal->size >= journal->file_bytes / 2 && !atomic_load(&journal->ahead))
		atomic_store(&journal->ahead_wanted, true);
	return 0;
}

/* A limit on the size of files (ulimit -f) or a file system's own: nobody lifts it while the gateway runs, and to wait
 * for that would be to stand still for ever. All else is tried again. */
static bool is_for_good(int failure)
{
	return failure == -EFBIG;
}

static void stall_set(struct journal *journal, int failure)
{
	journal->stall = failure;
	if (is_for_good(failure))
		journal_failure_keep(journal, failure);
	atomic_store(&journal->stalled, failure != 0);
}

/* What was written in part goes, now or when it is tried again: no record may follow half a one. */
static void stall_begin(struct journal *journal, int failure)
{
	stall_set(journal, failure);
	journal->disk->ops->truncate(journal->disk, journal->current->file, journal->size);
	worker_wake(journal->worker, true); /* whoever waits for a sync is told */
}

/* After what is for good nothing more is written: a gap must not be followed by records. */
static void buffer_pass(struct journal *journal)
{
	if (atomic_load_explicit(&journal->failure, memory_order_relaxed) != 0)
		journal->used = 0;
	if (journal->used == 0 || journal->stall != 0)
		return;
	int failure = buffer_write(journal);
	if (failure != 0)
		stall_begin(journal, failure);
}

uint64_t journal_append(struct journal *journal, int64_t time_ns, uint16_t type, uint16_t version, const void *payload,
			uint32_t size)
{
	assert(size <= JOURNAL_PAYLOAD_MAX);
	if (journal->used + JOURNAL_RECORD_HEADER_SIZE + size > WRITE_AT)
		buffer_pass(journal);
	if (journal->used + JOURNAL_RECORD_HEADER_SIZE + size > BUFFER_SIZE) {
		journal_failure_keep(journal, journal->stall);
		journal->used = 0;
	}
	journal->position++;
	journal->used +=
		journal_record_encode(journal->position, atomic_load_explicit(&journal->synced, memory_order_relaxed),
				      time_ns, type, version, payload, size, journal->buffer + journal->used);
	return journal->position;
}

static const char *advice_of(int failure)
{
	switch (-failure) {
	case ENOSPC: return "free space on its disk";
	case EDQUOT: return "raise the quota, or free space under it";
	case EROFS: return "make its file system writable again";
	case EFBIG: return "raise the limit of a file's size (ulimit -f)";
	default: return "check its disk";
	}
}

static int failure_report(const struct journal *journal, struct tg_error *ret_error)
{
	int failure = atomic_load_explicit(&journal->failure, memory_order_relaxed);
	char path[JOURNAL_PATH_SIZE];

	if (failure == 0 && journal->stall == 0)
		return 0;
	current_path(journal, path);
	if (failure == 0)
		return tg_error_set(ret_error, TG_ERR_RETRYABLE, "%s: cannot be written: %s; %s", path,
				    strerror(-journal->stall), advice_of(journal->stall));
	if (journal->stall != 0)
		return tg_error_set(ret_error, TG_ERR_IO,
				    "%s: cannot be written: %s%s; %s, then start again (nothing is sent any more)",
				    path, strerror(-failure),
				    is_for_good(failure) ? "" : ", and what came in meanwhile fits no buffer",
				    advice_of(failure));
	return tg_error_set(ret_error, TG_ERR_IO,
			    "%s: cannot be synced: %s, so what is on the disk is not known; %s, then start again: the "
			    "start writes anew what may be missing (nothing is sent any more)",
			    path, strerror(-failure), advice_of(failure));
}

/* The worker stores that it sleeps and then looks for what was written; this stores what was written, so that it is
 * seen by all before what follows, and then looks whether the worker sleeps. */
static void written_tell(struct journal *journal)
{
	journal->untold = false;
	atomic_store(&journal->written, atomic_load_explicit(&journal->written, memory_order_relaxed));
	worker_wake(journal->worker, false);
}

int journal_write(struct journal *journal, struct tg_error *ret_error)
{
	if (journal->used > 0) {
		buffer_pass(journal);
		journal->untold = true;
	}
	return failure_report(journal, ret_error);
}

int journal_flush(struct journal *journal, struct tg_error *ret_error)
{
	int status = journal_write(journal, ret_error);
	if (journal->untold)
		written_tell(journal);
	return status;
}

int journal_retry(struct journal *journal, struct tg_error *ret_error)
{
	if (journal->stall != 0 && atomic_load(&journal->failure) == 0) {
		int failure = journal->disk->ops->truncate(journal->disk, journal->current->file, journal->size);
		if (failure == 0 && journal->used > 0)
			failure = buffer_write(journal);
		stall_set(journal, failure);
		written_tell(journal);
	}
	return failure_report(journal, ret_error);
}

bool journal_turn(struct journal *journal)
{
	if (journal->size < journal->file_bytes || journal->used > 0 || journal->stall != 0)
		return false;
	struct part *next = atomic_load(&journal->ahead);
	if (!next)
		return false;
	journal->current->last = journal->position;
	atomic_store(&journal->current->next, next);
	atomic_store(&journal->ahead, NULL); /* after it stands in the list: the worker numbers the next one by it */
	journal->current = next;
	journal->size = JOURNAL_HEADER_SIZE;
	return true;
}

/* ------------------------------------------------------------------ sync */

int journal_sync(struct journal *journal, struct tg_error *ret_error)
{
	int status = journal_flush(journal, ret_error);
	return status != 0 ? status : journal_wait(journal, journal->position, ret_error);
}

struct awaited {
	struct journal *journal;
	uint64_t position;
};

static bool awaited_is_over(void *ctx)
{
	const struct awaited *awaited = ctx;
	return atomic_load(&awaited->journal->synced) >= awaited->position || atomic_load(&awaited->journal->stalled) ||
	       atomic_load(&awaited->journal->failure) != 0;
}

static void wanted_raise(struct journal *journal, uint64_t position)
{
	uint64_t wanted = atomic_load(&journal->wanted);
	while (wanted < position && !atomic_compare_exchange_weak(&journal->wanted, &wanted, position)) {
	}
}

void journal_want(struct journal *journal, uint64_t position)
{
	wanted_raise(journal, position);
	worker_wake(journal->worker, true);
}

void journal_on_synced(struct journal *journal, void (*fn)(void *ctx), void *ctx)
{
	journal->on_synced = fn;
	journal->on_synced_ctx = ctx;
}

int journal_wait(struct journal *journal, uint64_t position, struct tg_error *ret_error)
{
	struct awaited awaited = {journal, position};

	if (!awaited_is_over(&awaited)) {
		wanted_raise(journal, position);
		if (!worker_wait(journal->worker, awaited_is_over, &awaited, -1))
			journal_failure_keep(journal, -EIO); /* its worker is gone, and with it every promise */
	}
	int failure = atomic_load(&journal->failure);
	if (failure != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: the journal cannot be written: %s", journal->dir,
				    strerror(-failure));
	if (atomic_load(&journal->synced) < position)
		return tg_error_set(ret_error, TG_ERR_RETRYABLE, "%s: the journal cannot be written now", journal->dir);
	return 0;
}

/* ------------------------------------------------------------- questions */

uint64_t journal_position(const struct journal *journal)
{
	return journal->position;
}

uint64_t journal_synced(const struct journal *journal)
{
	return atomic_load(&journal->synced);
}

uint64_t journal_oldest_end(const struct journal *journal)
{
	return journal->candidate == journal->current ? 0 : journal->candidate->last;
}

void journal_give_up(struct journal *journal)
{
	uint64_t to = journal->candidate->last;

	assert(journal->candidate != journal->current);
	journal->candidate = atomic_load(&journal->candidate->next);
	atomic_store(&journal->trim_after, journal->position);
	atomic_store(&journal->trim_to, to);
	worker_wake(journal->worker, false);
}

void journal_status(const struct journal *journal, struct journal_status *ret_status)
{
	*ret_status = (struct journal_status){
		.first_file = atomic_load(&journal->first_number),
		.files = atomic_load(&journal->files),
		.waiting_bytes = journal->stall != 0 ? journal->used : 0,
	};
}

/* --------------------------------------------------------------- closing */

int journal_close(struct journal *journal)
{
	if (!journal)
		return 0;
	journal_retry(journal, NULL);
	int status = journal_sync(journal, NULL);
	worker_stop(journal->worker);
	journal_free(journal);
	return status;
}
