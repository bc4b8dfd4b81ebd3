/* Each call to the disk fails in turn, on the way from an empty place to a record that is safe: the failure is told,
 * nothing is lost of what was said to be safe, and the next start works. */
#include <fcntl.h>
#include <unistd.h>

#include "core/state/decisions.h"
#include "core/state/journal.h"
#include "core/state/statedir.h"

#include "tap.h"
#include "tests/folder.h"
#include "tests/unit/core/state/world.h"

static char base[64], dir[128];

static void dir_clear(void)
{
	folder_empty(dir);
	rmdir(dir);
}

static unsigned handles_open(void)
{
	unsigned count = 0;
	for (int file = 0; file < 256; file++)
		count += fcntl(file, F_GETFD) >= 0;
	return count;
}

struct start {
	uint32_t epoch;  /* that was given out */
	uint64_t synced; /* that was said to be safe */
	bool done;       /* all of it, closed and without an error */
	unsigned untold; /* failures without a message */
};

static int count_up(void *ctx, const struct journal_entry *entry)
{
	*(uint64_t *)ctx = entry->position;
	return 0;
}

static bool told(struct start *start, int status, const struct tg_error *error)
{
	if (status != 0)
		start->untold += error->code != status || error->message_len == 0;
	return status == 0;
}

static bool records_add(struct start *start, struct journal *journal)
{
	struct tg_error error = tg_error_init();
	for (int i = 0; i < 3; i++) {
		journal_append(journal, 1, 1, 1, "record", 6);
		if (!told(start, journal_sync(journal, &error), &error))
			return false;
		start->synced = journal_position(journal);
	}
	return true;
}

static bool journal_use(struct start *start, const struct disk *disk, struct world_workers *workers)
{
	struct tg_error error = tg_error_init();
	struct journal *journal = NULL;
	uint64_t last = 0;
	if (!told(start, journal_open(disk, &workers->workers, dir, "a1b2", 0, count_up, &last, NULL, &journal, &error),
		  &error))
		return false;
	bool added = records_add(start, journal);
	return (journal_close(journal) == 0) & added;
}

static bool decisions_use(struct start *start, const struct disk *disk)
{
	struct tg_error error = tg_error_init();
	struct decisions *decisions = NULL;
	if (!told(start, decisions_open(disk, dir, &decisions, &error), &error))
		return false;
	decisions_close(decisions);
	return true;
}

static struct start start_once(struct world_disk *disk)
{
	struct start start = {0};
	struct tg_error error = tg_error_init();
	struct statedir *statedir = NULL;
	struct world_workers workers = WORLD_WORKERS();

	if (!told(&start, statedir_open(&disk->disk, dir, &statedir, &error), &error))
		return start;
	start.epoch = statedir_epoch_next(statedir, &error);
	if (start.epoch == 0)
		told(&start, error.code, &error);
	start.done =
		start.epoch > 0 && journal_use(&start, &disk->disk, &workers) && decisions_use(&start, &disk->disk);
	statedir_close(statedir);
	return start;
}

/* What a first start and a next one may rely on, wherever the first failed. */
static unsigned each_call_fails(bool torn)
{
	unsigned untold = 0, lost = 0, repeated = 0, stuck = 0, silent = 0, calls = 0, handles = handles_open();

	for (unsigned n = 1;; n++) {
		uint64_t last = 0;
		uint32_t before = 0;
		struct world_disk healthy = WORLD_DISK(), faulty = WORLD_DISK();
		faulty.fail_at = n;
		dir_clear();
		if (torn) { /* the start that fails finds a history with a torn end */
			char journal[256];
			before = start_once(&healthy).epoch;
			snprintf(journal, sizeof journal, "%s/journal-00000001.tgj", dir);
			stuck += truncate(journal, 64 + 3 * 38 - 1) != 0;
		}
		struct start failed = start_once(&faulty);
		if (failed.synced == 0 && torn)
			failed.synced = 2;
		calls = faulty.calls;
		bool over = calls < n;
		struct start next = start_once(&healthy);
		untold += failed.untold;
		repeated += next.epoch <= failed.epoch || (failed.epoch > 0 && failed.epoch <= before);
		stuck += !next.done;
		lost += journal_read(&disk_system, dir, count_up, &last, NULL, NULL) != 0 || last < failed.synced + 3;
		silent += over && !failed.done;
		if (over)
			break;
	}
	is_int(untold, 0, "each failure is told with a message");
	is_int(lost, 0, "what was said to be safe is there at the next start");
	is_int(repeated, 0, "no epoch comes twice");
	is_int(stuck, 0, "the next start works");
	is_int(silent, 0, "without a failure there is none");
	is_int(handles_open(), handles, "every handle is closed");
	return calls;
}

static void dead_disk(void)
{
	struct tg_error error = tg_error_init();
	struct world_disk disk = WORLD_DISK();
	struct world_workers workers = WORLD_WORKERS();
	struct statedir *statedir = NULL;
	struct journal *journal = NULL;
	dir_clear();
	statedir_open(&disk.disk, dir, &statedir, &error);
	journal_open(&disk.disk, &workers.workers, dir, "a1b2", 0, NULL, NULL, NULL, &journal, &error);
	journal_append(journal, 1, 1, 1, NULL, 0);
	disk.dead = workers.dead = true;
	is_int(journal_flush(journal, &error), TG_ERR_RETRYABLE, "a dead disk takes no record");
	is_int(statedir_epoch_next(statedir, &error), 0, "and gives no epoch");
	is_int(journal_close(journal), TG_ERR_RETRYABLE, "closing comes back");
	statedir_close(statedir);

	disk = WORLD_DISK();
	workers = WORLD_WORKERS();
	journal_open(&disk.disk, &workers.workers, dir, "a1b2", 0, NULL, NULL, NULL, &journal, &error);
	journal_append(journal, 1, 1, 1, NULL, 0);
	is_int(journal_flush(journal, &error), 0, "flushed");
	workers.dead = true;
	is_int(journal_sync(journal, &error), TG_ERR_IO, "without a worker nothing is promised");
	is_int(journal_flush(journal, &error), TG_ERR_IO, "nor taken any more");
	is_int(journal_close(journal), TG_ERR_IO, "closing comes back");
}

int main(void)
{
	snprintf(base, sizeof base, "/tmp/trigate-faulty-XXXXXX");
	if (!mkdtemp(base))
		return 99;
	snprintf(dir, sizeof dir, "%s/state", base);
	unsigned fresh = each_call_fails(false);
	ok(fresh > 30, "a first start, %u calls", fresh);
	unsigned again = each_call_fails(true);
	ok(again > 30, "a start over a torn journal, %u calls", again);
	dead_disk();
	dir_clear();
	rmdir(base);
	return tap_done();
}
