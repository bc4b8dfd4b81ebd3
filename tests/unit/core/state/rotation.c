/* A journal of several files, with its worker on the test's own thread: how they follow each other, what a power loss
 * or a person may have done to them, and how they go. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/state/journal_file.h"

#include "tap.h"
#include "tests/folder.h"
#include "tests/unit/core/state/world.h"

#define FILE_BYTES (JOURNAL_HEADER_SIZE + 4 * RECORD)
#define PAYLOAD 60
#define RECORD (JOURNAL_RECORD_HEADER_SIZE + PAYLOAD)

static char dir[64];
static struct world_disk disk;
static struct world_workers workers;

/* ------------------------------------------------------------- the field */

static const char *path_of(uint32_t number)
{
	static char path[JOURNAL_PATH_SIZE];
	journal_path(dir, number, path);
	return path;
}

static int64_t size_of(uint32_t number)
{
	struct stat info;
	return stat(path_of(number), &info) == 0 ? (int64_t)info.st_size : -1;
}

static void file_cut(uint32_t number, int64_t size)
{
	if (truncate(path_of(number), size) != 0)
		abort();
}

static void file_flip(uint32_t number, int64_t offset)
{
	uint8_t byte;
	int file = open(path_of(number), O_RDWR);
	if (file < 0 || pread(file, &byte, 1, offset) != 1)
		abort();
	byte ^= 1;
	if (pwrite(file, &byte, 1, offset) != 1)
		abort();
	close(file);
}

static unsigned copies_count(void)
{
	unsigned count = 0;
	DIR *listing = opendir(dir);
	struct dirent *entry;
	while (listing && (entry = readdir(listing)))
		count += strstr(entry->d_name, ".torn-") != NULL;
	if (listing)
		closedir(listing);
	return count;
}

/* ----------------------------------------------------------- the journal */

struct seen {
	uint64_t last;
	unsigned count, wrong;
};

static int record_see(void *ctx, const struct journal_entry *entry)
{
	struct seen *seen = ctx;
	seen->wrong += (seen->count > 0 && entry->position != seen->last + 1) || entry->size != PAYLOAD ||
		       ((const uint8_t *)entry->payload)[0] != (uint8_t)entry->position;
	seen->last = entry->position;
	seen->count++;
	return 0;
}

static int journal_try(uint64_t durable, struct seen *seen, struct journal_report *report, struct journal **ret_journal,
		       struct tg_error *error)
{
	*error = tg_error_init();
	*seen = (struct seen){0};
	int status = journal_open(&disk.disk, &workers.workers, dir, "a1b2", durable, record_see, seen, report,
				  ret_journal, error);
	if (status == 0)
		journal_limit(*ret_journal, FILE_BYTES, 0);
	return status;
}

static struct journal *journal_again(struct seen *seen, struct journal_report *report)
{
	struct tg_error error;
	struct journal *journal = NULL;
	disk = WORLD_DISK();
	workers = WORLD_WORKERS();
	if (journal_try(0, seen, report, &journal, &error) != 0) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return journal;
}

static struct journal *journal_anew(void)
{
	folder_empty(dir);
	return journal_again(&(struct seen){0}, &(struct journal_report){0});
}

/* One pass of a loop: a record, flushed; then the next file if it is time. */
static int record_add(struct journal *journal)
{
	uint8_t payload[PAYLOAD];
	memset(payload, (uint8_t)(journal_position(journal) + 1), sizeof payload);
	journal_append(journal, 1, 1, 1, payload, sizeof payload);
	int status = journal_flush(journal, NULL);
	journal_turn(journal);
	return status;
}

/* So many records, each with all the time that the worker wants. */
static void records_add(struct journal *journal, unsigned count)
{
	while (count-- > 0) {
		record_add(journal);
		world_pass(&workers, 100);
	}
}

/* ----------------------------------------------------------------- tests */

static void files_follow(void)
{
	struct seen seen = {0};
	struct journal_report report;
	struct journal *journal = journal_anew();
	records_add(journal, 1);
	is_int(size_of(2), -1, "a file alone");
	records_add(journal, 2);
	is_int(size_of(2), JOURNAL_HEADER_SIZE, "the next is made ahead, when it is half full");
	records_add(journal, 2);
	is_int(size_of(1), JOURNAL_HEADER_SIZE + 4 * RECORD, "the first one takes what it was made for");
	is_int(size_of(2), JOURNAL_HEADER_SIZE + RECORD, "then the second one goes on");
	records_add(journal, 8);
	struct journal_status status;
	journal_status(journal, &status);
	ok(status.first_file == 1 && status.files >= 4, "%u files", status.files);
	is_int(journal_close(journal), 0, "closed");

	is_int(journal_read(&disk_system, dir, record_see, &seen, &report, NULL), 0, "read");
	ok(seen.count == 13 && seen.wrong == 0, "all of it, in order");
	ok(report.first_position == 1 && report.last_position == 13 && report.first_file == 1 && report.records == 13,
	   "and the report says so");
	journal = journal_again(&seen, &report);
	ok(seen.count == 13 && seen.wrong == 0 && report.torn_bytes == 0, "and at the next start");
	records_add(journal, 7);
	is_int(journal_close(journal), 0, "which goes on");
	seen = (struct seen){0};
	journal_read(&disk_system, dir, record_see, &seen, NULL, NULL);
	ok(seen.count == 20 && seen.wrong == 0, "in order");
	is_int(copies_count(), 0, "nothing was torn");
}

/* The loop never waits for it. */
static void next_is_late(void)
{
	struct seen seen = {0};
	struct journal *journal = journal_anew();
	for (int i = 0; i < 30; i++)
		record_add(journal);
	is_int(size_of(1), JOURNAL_HEADER_SIZE + 30 * RECORD, "without the next file it goes on in the one it has");
	world_pass(&workers, 100);
	record_add(journal);
	record_add(journal);
	is_int(size_of(2), JOURNAL_HEADER_SIZE + RECORD, "until it is there");
	journal_close(journal);
	journal_read(&disk_system, dir, record_see, &seen, NULL, NULL);
	ok(seen.count == 32 && seen.wrong == 0, "in order");
}

static void file_write(int file, const void *bytes, size_t size)
{
	if (write(file, bytes, size) != (ssize_t)size)
		abort();
}

/* Files 1 to 4 with four records each, the last with one, of which the first `synced` were said to be safe as soon as
 * they were. */
static void four_files(uint64_t synced)
{
	uint8_t bytes[JOURNAL_RECORD_MAX], payload[PAYLOAD];
	int file = -1;
	folder_empty(dir);
	disk = WORLD_DISK();
	workers = WORLD_WORKERS();
	for (uint64_t position = 1; position <= 13; position++) {
		uint64_t before = position - 1 < synced ? position - 1 : synced;
		if (position % 4 == 1) {
			close(file);
			file = open(path_of((uint32_t)(position / 4 + 1)), O_WRONLY | O_CREAT, 0600);
			journal_header_encode("a1b2", (uint32_t)(position / 4 + 1), before, bytes);
			file_write(file, bytes, JOURNAL_HEADER_SIZE);
		}
		memset(payload, (int)position, sizeof payload);
		file_write(file, bytes, journal_record_encode(position, before, 1, 1, 1, payload, PAYLOAD, bytes));
	}
	close(file);
}

static void missing_files(void)
{
	struct seen seen;
	struct tg_error error;
	struct journal *journal = NULL;
	four_files(13);
	unlink(path_of(2));
	is_int(journal_try(0, &seen, NULL, &journal, &error), TG_ERR_CORRUPT, "a file is missing in the middle");
	ok(strstr(error.message, "journal-00000002.tgj") && strstr(error.message, "Put it back"),
	   "which one, and what to do");
	is_int(journal_read(&disk_system, dir, NULL, NULL, NULL, NULL), TG_ERR_CORRUPT, "for readers too");

	four_files(13);
	unlink(path_of(1));
	journal = journal_again(&seen, &(struct journal_report){0});
	ok(seen.count == 9 && seen.last == 13, "without the first it begins later");
	journal_close(journal);

	four_files(13);
	rename(path_of(4), "/tmp/trigate-rotation-swap");
	char third[JOURNAL_PATH_SIZE];
	journal_path(dir, 3, third);
	rename(third, path_of(4));
	rename("/tmp/trigate-rotation-swap", third);
	is_int(journal_try(0, &seen, NULL, &journal, &error), TG_ERR_CORRUPT, "two files have each other's names");

	four_files(13);
	file_cut(3, 20);
	is_int(journal_try(0, &seen, NULL, &journal, &error), TG_ERR_CORRUPT, "a header is cut");
	ok(strstr(error.message, "journal-00000003.tgj") != NULL, "which one");
	four_files(13);
	is_int(journal_open(&disk.disk, &workers.workers, dir, "ffff", 0, NULL, NULL, NULL, &journal, &error),
	       TG_ERR_INVALID, "another gateway's");
}

/* What was durable in an earlier file, by the word of a later one. */
static void damage_in_an_earlier_file(void)
{
	static const struct {
		const char *what;
		int64_t size; /* of file 2 */
		int64_t flip; /* at this offset */
	} cases[] = {
		{"a flipped bit in the first record", 0, JOURNAL_HEADER_SIZE + 40},
		{"a flipped bit in the last one", 0, JOURNAL_HEADER_SIZE + 3 * RECORD + 40},
		{"its end is cut off", JOURNAL_HEADER_SIZE + 3 * RECORD + 10, 0},
		{"a whole record is cut off", JOURNAL_HEADER_SIZE + 3 * RECORD, 0},
		{"all of them are", JOURNAL_HEADER_SIZE, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seen seen;
		struct tg_error error;
		struct journal *journal = NULL;
		four_files(13);
		if (cases[i].size)
			file_cut(2, cases[i].size);
		if (cases[i].flip)
			file_flip(2, cases[i].flip);
		is_int(journal_try(0, &seen, NULL, &journal, &error), TG_ERR_CORRUPT, "file 2 of 4: %s", cases[i].what);
		ok(strstr(error.message, "journal-00000002.tgj: damaged at byte") && strstr(error.message, "safe"),
		   "where, and why it matters");
		ok(copies_count() == 0 && size_of(4) > 0, "nothing was changed");
	}
}

/* A power loss takes any of what was not synced: of a file that was left for the next one, too. */
static void tears(void)
{
	static const struct {
		const char *what;
		uint32_t file;
		int64_t size, flip;
		unsigned left; /* records */
		unsigned copies;
	} cases[] = {
		{"the tail of the last file", 4, JOURNAL_HEADER_SIZE + 10, 0, 12, 1},
		{"all of the last file", 4, JOURNAL_HEADER_SIZE, 0, 12, 0},
		{"the tail of the one before", 3, JOURNAL_HEADER_SIZE + 3 * RECORD + 7, 0, 11, 2},
		{"a whole record of it", 3, JOURNAL_HEADER_SIZE + 3 * RECORD, 0, 11, 1},
		{"all of it", 3, JOURNAL_HEADER_SIZE, 0, 8, 1},
		{"a sector in its middle", 3, 0, JOURNAL_HEADER_SIZE + RECORD + 50, 9, 2},
		{"much of the one before that", 2, JOURNAL_HEADER_SIZE + 2 * RECORD + 1, 0, 6, 3},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seen seen;
		struct journal_report report;
		four_files(0);
		if (cases[i].size)
			file_cut(cases[i].file, cases[i].size);
		if (cases[i].flip)
			file_flip(cases[i].file, cases[i].flip);
		int status = journal_read(&disk_system, dir, record_see, memset(&seen, 0, sizeof seen), NULL, NULL);
		ok(status == 0 && seen.count == cases[i].left, "lost: %s; whoever reads stops there", cases[i].what);
		struct journal *journal = journal_again(&seen, &report);
		ok(seen.count == cases[i].left && seen.wrong == 0, "%u records are left", seen.count);
		is_int(copies_count(), cases[i].copies, "what stood behind is kept aside");
		ok((report.torn_bytes > 0) == (cases[i].copies > 0), "and told");
		uint32_t last = (cases[i].left - 1) / 4 + 1, records = (cases[i].left - 1) % 4 + 1;
		records_add(journal, 1);
		is_int(size_of(last), JOURNAL_HEADER_SIZE + (records + 1) * RECORD,
		       "the next one follows the last: no file begins with anything but what its turn brings");
		records_add(journal, 9);
		is_int(journal_close(journal), 0, "it goes on");
		journal_close(journal_again(&seen, &report));
		ok(seen.count == cases[i].left + 10 && seen.wrong == 0 && report.torn_bytes == 0, "in order");
	}
}

static void trimming(void)
{
	struct seen seen = {0};
	struct journal_report report;
	struct journal *journal = journal_anew();
	is_int(journal_oldest_end(journal), 0, "one file cannot go");
	records_add(journal, 13);
	is_int(journal_oldest_end(journal), 4, "the oldest ends with record 4");
	journal_give_up(journal);
	is_int(journal_oldest_end(journal), 8, "then it is the second one's turn");
	world_pass(&workers, 100);
	ok(size_of(1) < 0 && size_of(2) > 0, "the first one is gone");
	uint8_t payload[PAYLOAD];
	memset(payload, 14, sizeof payload);
	journal_append(journal, 1, 1, 1, payload, PAYLOAD);
	journal_give_up(journal);
	world_pass(&workers, 100);
	ok(size_of(2) > 0, "none goes before what was appended until then is safe");
	journal_flush(journal, NULL);
	world_pass(&workers, 100);
	ok(size_of(2) < 0 && size_of(3) > 0, "then it does");
	journal_limit(journal, FILE_BYTES, 1);
	journal_give_up(journal);
	world_pass(&workers, 100);
	ok(size_of(3) > 0, "some are kept for people");
	is_int(journal_close(journal), 0, "closed");
	journal = journal_again(&seen, &report);
	ok(seen.count == 6 && seen.wrong == 0 && report.first_position == 9 && report.first_file == 3,
	   "the next start begins where the files do");
	records_add(journal, 10);
	journal_close(journal);
	journal_read(&disk_system, dir, record_see, memset(&seen, 0, sizeof seen), &report, NULL);
	ok(seen.count == 16 && seen.wrong == 0, "and goes on");
}

/* Trimmed beside a reader: the oldest go while it lists them, or while it reads. */
static void files_go(uint32_t from, uint32_t to)
{
	for (uint32_t number = from; number <= to; number++)
		unlink(path_of(number));
}

static unsigned lists;

static int trimmed_list(const struct disk *reader, const char *path, void (*fn)(void *ctx, const char *name), void *ctx)
{
	(void)reader;
	if (lists++ > 0)
		return disk_system.ops->list(&disk_system, path, fn, ctx);
	fn(ctx, strrchr(path_of(1), '/') + 1);
	files_go(1, 2);
	return disk_system.ops->list(&disk_system, path, fn, ctx);
}

static int trimmed_see(void *ctx, const struct journal_entry *entry)
{
	files_go(3, 4);
	return record_see(ctx, entry);
}

static void trimmed_beside_a_reader(void)
{
	struct disk_ops ops = *disk_system.ops;
	const struct disk reader = {&ops};
	struct seen seen = {0};
	struct journal_report report = {0};
	struct tg_error error = tg_error_init();
	struct journal *journal = journal_anew();
	records_add(journal, 22);
	journal_close(journal);
	ops.list = trimmed_list;
	int status = journal_read(&reader, dir, trimmed_see, &seen, &report, &error);
	is_int(status, 0, "files that go meanwhile are not missing: %s", error.message);
	ok(lists > 1 && report.first_file == 3 && report.first_position == 9,
	   "what goes while they are listed is read no more");
	ok(seen.count == 14 && seen.last == 22 && seen.wrong == 0 && size_of(3) < 0,
	   "what goes while they are read is read");
}

/* Each call to the disk fails in turn, in the worker too: nothing is lost, the next start works. */
static void each_call_fails(void)
{
	unsigned wrong = 0, calls = 0;
	for (unsigned n = 1; n == 1 || n <= calls + 1; n++) {
		struct seen seen;
		struct tg_error error;
		struct journal *journal = NULL;
		uint64_t safe = 0;
		folder_empty(dir);
		disk = WORLD_DISK();
		workers = WORLD_WORKERS();
		disk.fail_at = n;
		if (journal_try(0, &seen, NULL, &journal, &error) == 0) {
			for (int i = 0; i < 14; i++) {
				record_add(journal);
				world_pass(&workers, 2000);
				journal_retry(journal, NULL);
				if (journal_sync(journal, NULL) == 0)
					safe = journal_position(journal);
				if (i == 9 && journal_oldest_end(journal) > 0)
					journal_give_up(journal);
			}
			journal_close(journal);
		} else {
			wrong += error.message_len == 0;
		}
		calls = disk.calls;
		struct journal_report report = {0};
		journal = journal_again(&seen, &report);
		wrong += seen.wrong || report.last_position < safe;
		records_add(journal, 5);
		wrong += journal_close(journal) != 0;
	}
	is_int(wrong, 0, "whichever call fails: what was safe is there, and the next start works");
	ok(calls > 60, "%u calls", calls);
}

/* What comes in while nothing can be written fills the buffer, and that is the end. */
static void buffer_full(void)
{
	struct seen seen;
	struct tg_error error = tg_error_init();
	struct journal *journal = journal_anew();
	unsigned appended = 2;
	records_add(journal, 2);
	disk.dead = true;
	for (; appended < 100000 && record_add(journal) == TG_ERR_RETRYABLE; appended++)
		;
	ok(appended > 1000, "%u records wait for a disk that takes none", appended - 2);
	is_int(journal_flush(journal, &error), TG_ERR_IO, "no more: what does not fit leaves a gap");
	ok(strstr(error.message, "start again") != NULL, "%s", error.message);
	disk.dead = false;
	is_int(journal_retry(journal, NULL), TG_ERR_IO, "a disk that works again does not close it");
	is_int(journal_close(journal), TG_ERR_IO, "and it is told at the end");
	journal_close(journal_again(&seen, &(struct journal_report){0}));
	ok(seen.count == 2 && seen.wrong == 0, "what was written before is there");
}

static void log_drop(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx, (void)level, (void)event, (void)fields, (void)count;
}

int main(void)
{
	log_set_sink(log_drop, NULL);
	snprintf(dir, sizeof dir, "/tmp/trigate-rotation-XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	files_follow();
	next_is_late();
	missing_files();
	damage_in_an_earlier_file();
	tears();
	trimming();
	trimmed_beside_a_reader();
	each_call_fails();
	buffer_full();
	folder_empty(dir);
	rmdir(dir);
	return tap_done();
}
