#include "core/state/journal.h"

#include <endian.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/crc32c.h"
#include "core/state/journal_file.h"

#include "tap.h"
#include "tests/folder.h"

#define HEADER 64
#define RECORD 32

static char dir[64], file[128];

/* -------------------------------------------------------------- the field */

static size_t file_size(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static void file_patch(size_t offset, const void *bytes, size_t size)
{
	int fd = open(file, O_WRONLY);
	if (fd < 0 || pwrite(fd, bytes, size, (off_t)offset) != (ssize_t)size)
		abort();
	close(fd);
}

static void file_flip(size_t offset)
{
	uint8_t byte;
	int fd = open(file, O_RDONLY);
	if (fd < 0 || pread(fd, &byte, 1, (off_t)offset) != 1)
		abort();
	close(fd);
	byte ^= 0x10;
	file_patch(offset, &byte, 1);
}

static uint8_t *file_read(size_t *ret_size)
{
	size_t size = file_size(file);
	uint8_t *bytes = malloc(size + 1);
	int fd = open(file, O_RDONLY);
	if (!bytes || fd < 0 || read(fd, bytes, size) != (ssize_t)size)
		abort();
	close(fd);
	*ret_size = size;
	return bytes;
}

/* Record n (from 1) of the sample: type n, version n + 1, time n * 1000, payload of n * 7 bytes of value n. */
static size_t sample_offset(unsigned n)
{
	size_t offset = HEADER;
	for (unsigned i = 1; i < n; i++)
		offset += RECORD + i * 7;
	return offset;
}

struct seen {
	unsigned count;
	unsigned wrong;
	unsigned stop_at; /* 0: never */
};

static int sample_check(void *ctx, const struct journal_entry *entry)
{
	struct seen *seen = ctx;
	unsigned n = ++seen->count;

	if (entry->position != n || entry->time_ns != n * 1000 || entry->type != n || entry->version != n + 1 ||
	    entry->size != n * 7)
		seen->wrong++;
	for (unsigned i = 0; i < entry->size; i++)
		seen->wrong += ((const uint8_t *)entry->payload)[i] != (uint8_t)n;
	return n == seen->stop_at ? 77 : 0;
}

static void sample_append(struct journal *journal, unsigned from, unsigned to)
{
	uint8_t payload[JOURNAL_PAYLOAD_MAX];
	for (unsigned n = from; n <= to; n++) {
		memset(payload, (int)n, sizeof payload);
		journal_append(journal, n * 1000, (uint16_t)n, (uint16_t)(n + 1), payload, n * 7);
	}
}

static struct journal *open_or_die(struct seen *seen, struct journal_report *ret_report)
{
	struct tg_error error = tg_error_init();
	struct journal *journal = NULL;
	if (journal_open(&disk_system, &workers_threads, dir, "a1b2", 0, sample_check, seen, ret_report, &journal,
			 &error) != 0) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return journal;
}

static void sample_make(unsigned count)
{
	folder_empty(dir);
	struct journal *journal = open_or_die(&(struct seen){0}, NULL);
	sample_append(journal, 1, count);
	journal_close(journal);
}

/* -------------------------------------------------------------- the tests */

static void new_and_again(void)
{
	struct journal_report report;
	struct seen seen = {0};
	struct stat info;
	folder_empty(dir);

	struct journal *journal = open_or_die(&seen, &report);
	is_int(report.last_position, 0, "a new journal is empty");
	is_int(stat(file, &info) == 0 ? info.st_mode & 07777 : 0, 0600, "its file is for the owner alone");
	is_int(file_size(file), HEADER, "its file holds the header");
	sample_append(journal, 1, 3);
	is_int(journal_position(journal), 3, "positions rise by one from 1");
	is_int(file_size(file), HEADER, "nothing is written before the flush");
	is_int(journal_flush(journal, NULL), 0, "flush");
	is_int(file_size(file), sample_offset(4), "all is written by the flush");
	is_int(journal_sync(journal, NULL), 0, "sync");
	is_int(journal_sync(journal, NULL), 0, "sync again with nothing new");
	is_int(journal_close(journal), 0, "close");
	is_int(journal_close(NULL), 0, "close of NULL");

	journal = open_or_die(&seen, &report);
	ok(seen.count == 3 && seen.wrong == 0, "the same records come back");
	ok(report.last_position == 3 && report.last_time_ns == 3000 && report.records == 3 && report.torn_bytes == 0,
	   "and the report tells so");
	sample_append(journal, 4, 5);
	journal_close(journal);
	seen = (struct seen){0};
	is_int(journal_read(&disk_system, dir, sample_check, &seen, &report, NULL), 0, "read only");
	ok(seen.count == 5 && seen.wrong == 0, "records of both starts are there");
}

static void file_format(void)
{
	static const uint8_t want[] = {
		'T', 'G', 'J', 'O', 'U', 'R', 'N', '1', 2, 0, 0, 0, 64, 0, 0, 0, 'a', '1', 'b', '2',
		0,   0,   0,   0,   1,   0,   0,   0,   0, 0, 0, 0, 0,  0, 0, 0, 0,   0,   0,   0,
	};
	static const uint8_t record[] = {
		7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xe8, 3, 0, 0,
		0, 0, 0, 0, 1, 0, 2, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1,    1, 1,
	};
	size_t size;
	sample_make(1);
	uint8_t *bytes = file_read(&size);

	is_int(size, HEADER + sizeof record, "header and record have the stated size");
	ok(memcmp(bytes, want, sizeof want) == 0, "the header is laid out as stated");
	memset(bytes + HEADER + 4, 0, 4); /* the checksum; its function has vectors of its own */
	ok(memcmp(bytes + HEADER, record, sizeof record) == 0, "the record is laid out as stated");
	free(bytes);
}

/* As version 1 had it: a header of 32 bytes. */
static void file_to_version_1(void)
{
	static const uint8_t header[28] = {'T', 'G', 'J', 'O', 'U', 'R', 'N', '1', 1, 0, 0, 0, 32, 0,
					   0,   0,   'a', '1', 'b', '2', 0,   0,   0, 0, 0, 0, 0,  0};
	size_t size;
	uint8_t *bytes = file_read(&size);
	uint32_t crc = htole32(crc32c(0, header, sizeof header));
	memcpy(bytes + 32, header, sizeof header);
	memcpy(bytes + 60, &crc, sizeof crc);
	if (truncate(file, 0) != 0)
		abort();
	file_patch(0, bytes + 32, size - 32);
	free(bytes);
}

static void version_1(void)
{
	struct journal_report report;
	struct seen seen = {0};
	sample_make(3);
	file_to_version_1();
	struct journal *journal = open_or_die(&seen, &report);
	ok(seen.count == 3 && seen.wrong == 0 && report.torn_bytes == 0, "a file of version 1 is read");
	sample_append(journal, 4, 5);
	is_int(journal_close(journal), 0, "and written on");
	seen = (struct seen){0};
	is_int(journal_read(&disk_system, dir, sample_check, &seen, &report, NULL), 0, "read again");
	ok(seen.count == 5 && seen.wrong == 0, "both parts are there");
	if (truncate(file, (off_t)file_size(file) - 1) != 0)
		abort();
	seen = (struct seen){0};
	journal_close(open_or_die(&seen, &report));
	ok(seen.count == 4 && report.torn_bytes == RECORD + 34, "a torn tail of it is cut");
}

/* Every possible length of a torn last record. */
static void torn_tails(void)
{
	size_t whole = sample_offset(4), last = sample_offset(3);
	unsigned wrong = 0, copies = 0;

	for (size_t length = last + 1; length < whole; length++) {
		sample_make(3);
		if (truncate(file, (off_t)length) != 0)
			abort();
		struct journal_report report = {0};
		struct seen seen = {0};
		wrong += journal_read(&disk_system, dir, sample_check, &seen, &report, NULL) != 0 || seen.count != 2 ||
			 report.torn_bytes != length - last || file_size(file) != length;
		seen = (struct seen){0};
		struct journal *journal = open_or_die(&seen, &report);
		wrong += seen.count != 2 || seen.wrong || report.torn_bytes != length - last || file_size(file) != last;
		char copy[512];
		snprintf(copy, sizeof copy, "%s/%s", dir, report.torn_copy);
		copies += file_size(copy) == length - last;
		sample_append(journal, 3, 3);
		wrong += journal_close(journal) != 0;
		seen = (struct seen){0};
		wrong += journal_read(&disk_system, dir, sample_check, &seen, &report, NULL) != 0 || seen.count != 3 ||
			 seen.wrong;
	}
	is_int(wrong, 0, "a torn tail of any length is cut, and appending goes on");
	is_int(copies, whole - last - 1, "each with a copy of it");
}

static void torn_twice_at_one_place(void)
{
	struct journal_report first, second;
	sample_make(3);
	file_flip(sample_offset(3) + RECORD);
	journal_close(open_or_die(&(struct seen){0}, &first));
	struct journal *journal = open_or_die(&(struct seen){0}, NULL);
	sample_append(journal, 3, 3);
	journal_close(journal);
	file_flip(sample_offset(3) + RECORD);
	journal_close(open_or_die(&(struct seen){0}, &second));
	ok(first.torn_bytes == RECORD + 21 && second.torn_bytes == RECORD + 21,
	   "a last record that fails its checksum is cut");
	char want[64];
	snprintf(want, sizeof want, "journal-00000001.tgj.torn-%zu", sample_offset(3));
	is_str(first.torn_copy, want, "the copy is named after the offset");
	ok(strcmp(first.torn_copy, second.torn_copy) != 0, "a second copy does not overwrite the first");
}

static void zeros_behind(void)
{
	static const uint8_t zeros[10000];
	struct journal_report report;
	struct seen seen = {0};
	sample_make(3);
	file_patch(sample_offset(4), zeros, sizeof zeros);
	journal_close(open_or_die(&seen, &report));
	ok(seen.count == 3 && report.torn_bytes == sizeof zeros,
	   "zeros at the end, as a power loss leaves them, are cut");
}

/* Records 1 to 3, then a record 4 that is written when the first `synced` of them are durable. */
static void sample_make_synced(unsigned synced)
{
	folder_empty(dir);
	struct journal *journal = open_or_die(&(struct seen){0}, NULL);
	sample_append(journal, 1, synced);
	journal_sync(journal, NULL);
	sample_append(journal, synced + 1, 4);
	journal_close(journal);
}

/* A power loss takes any of what was not synced: here record 2, and not the ones behind it. */
static void hole_in_the_tail(void)
{
	struct journal_report report;
	struct seen seen = {0};

	sample_make_synced(1);
	file_flip(sample_offset(2) + RECORD);
	ok(journal_read(&disk_system, dir, sample_check, &seen, &report, NULL) == 0 && seen.count == 1,
	   "whoever reads stops before it");
	seen = (struct seen){0};
	journal_close(open_or_die(&seen, &report));
	is_int(seen.count, 1, "what stands before a hole in what was not synced is kept");
	is_int(report.torn_bytes, sample_offset(5) - sample_offset(2), "and all from there on is cut, to a copy");

	struct journal *journal = NULL;
	struct tg_error error = tg_error_init();
	sample_make_synced(1);
	file_flip(sample_offset(2) + RECORD);
	is_int(journal_open(&disk_system, &workers_threads, dir, "a1b2", 2, NULL, NULL, NULL, &journal, &error),
	       TG_ERR_CORRUPT, "of what a store has, nothing is cut");
	ok(strstr(error.message, "the store") != NULL, "and why is said");
}

/* A bit flipped anywhere in a record of which a later one says that it was durable. */
static void damage_in_the_middle(void)
{
	unsigned wrong = 0, changed = 0, silent = 0;

	sample_make_synced(2);
	for (size_t offset = sample_offset(2); offset < sample_offset(3); offset++) {
		struct tg_error error = tg_error_init();
		struct journal *journal = NULL;
		struct seen seen = {0};
		size_t size, size_after;
		file_flip(offset);
		uint8_t *before = file_read(&size);
		wrong += journal_open(&disk_system, &workers_threads, dir, "a1b2", 0, sample_check, &seen, NULL,
				      &journal, &error) != TG_ERR_CORRUPT ||
			 journal != NULL;
		wrong += journal_read(&disk_system, dir, NULL, NULL, NULL, NULL) != TG_ERR_CORRUPT;
		silent += error.code != TG_ERR_CORRUPT || strstr(error.message, "copy") == NULL;
		uint8_t *after = file_read(&size_after);
		changed += size != size_after || memcmp(before, after, size) != 0;
		free(before);
		free(after);
		file_flip(offset);
	}
	is_int(wrong, 0, "a flipped bit at any byte of a middle record is TG_ERR_CORRUPT");
	is_int(changed, 0, "and changes nothing");
	is_int(silent, 0, "and says what to do");
}

static void bad_headers(void)
{
	static const struct {
		const char *what;
		size_t offset;
		int want;
	} cases[] = {
		{"magic", 0, TG_ERR_CORRUPT},       {"version", 8, TG_ERR_VERSION}, {"header size", 12, TG_ERR_CORRUPT},
		{"gateway id", 17, TG_ERR_CORRUPT}, {"number", 24, TG_ERR_CORRUPT}, {"checksum", 60, TG_ERR_CORRUPT},
	};
	struct journal *journal = NULL;
	sample_make(2);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tg_error error = tg_error_init();
		file_flip(cases[i].offset);
		is_int(journal_open(&disk_system, &workers_threads, dir, "a1b2", 0, NULL, NULL, NULL, &journal, &error),
		       cases[i].want, "damaged header: %s", cases[i].what);
		ok(error.message_len > 0, "with a message");
		file_flip(cases[i].offset);
	}
	is_int(journal_open(&disk_system, &workers_threads, dir, "ffff", 0, NULL, NULL, NULL, &journal, NULL),
	       TG_ERR_INVALID, "another gateway's journal");
	is_int(journal_open(&disk_system, &workers_threads, dir, "", 0, NULL, NULL, NULL, &journal, NULL),
	       TG_ERR_INVALID, "an empty gateway id");
	is_int(journal_open(&disk_system, &workers_threads, dir, "123456789", 0, NULL, NULL, NULL, &journal, NULL),
	       TG_ERR_INVALID, "too long a gateway id");
	ok(truncate(file, 10) == 0 && journal_open(&disk_system, &workers_threads, dir, "a1b2", 0, NULL, NULL, NULL,
						   &journal, NULL) == TG_ERR_CORRUPT,
	   "a cut header");
	folder_empty(dir);
	is_int(journal_read(&disk_system, dir, NULL, NULL, NULL, NULL), TG_ERR_NOT_FOUND,
	       "reading where there is none");
	is_int(mkdir(file, 0700), 0, "a folder in its place");
	is_int(journal_open(&disk_system, &workers_threads, dir, "a1b2", 0, NULL, NULL, NULL, &journal, NULL),
	       TG_ERR_IO, "is refused");
	rmdir(file);
	is_int(journal_open(&disk_system, &workers_threads, "/nonexistent/x", "a1b2", 0, NULL, NULL, NULL, &journal,
			    NULL),
	       TG_ERR_IO, "no such directory");
	ok(journal == NULL, "no error gave a journal");
}

static void reader_stops(void)
{
	struct seen seen = {.stop_at = 2};
	struct journal *journal = NULL;
	sample_make(4);
	is_int(journal_read(&disk_system, dir, sample_check, &seen, NULL, NULL), 77,
	       "what fn returns ends the scan and comes back");
	is_int(seen.count, 2, "no record after it");
	seen.count = 0;
	is_int(journal_open(&disk_system, &workers_threads, dir, "a1b2", 0, sample_check, &seen, NULL, &journal, NULL),
	       77, "also from open");
}

/* More than the write buffer and the scan's window hold, with payloads of every size. */
static void large(void)
{
	uint8_t payload[JOURNAL_PAYLOAD_MAX];
	struct journal_report report;
	uint64_t bytes = HEADER;
	folder_empty(dir);
	struct journal *journal = open_or_die(&(struct seen){0}, NULL);
	memset(payload, 5, sizeof payload);
	for (uint32_t size = 0; size <= JOURNAL_PAYLOAD_MAX; size += 3, bytes += RECORD + size - 3)
		journal_append(journal, 1, 1, 1, payload, size);
	uint64_t last = journal_append(journal, 1, 1, 1, payload, JOURNAL_PAYLOAD_MAX);
	is_int(journal_close(journal), 0, "a burst of records larger than the buffer");
	is_int(file_size(file), bytes + RECORD + JOURNAL_PAYLOAD_MAX, "is written whole");
	is_int(journal_read(&disk_system, dir, NULL, NULL, &report, NULL), 0, "and read");
	is_int(report.last_position, last, "to its end");
}

static int journal_fd(void)
{
	for (int fd = 3; fd < 64; fd++) {
		char link[64], target[256] = "";
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof target - 1) > 0 && strstr(target, "journal-00000001.tgj"))
			return fd;
	}
	return -1;
}

/* In a process of its own: the file becomes something that takes writes but cannot be synced. */
static int failing_sync(void)
{
	struct journal *journal = NULL;
	int ends[2];
	if (journal_open(&disk_system, &workers_threads, dir, "a1b2", 0, NULL, NULL, NULL, &journal, NULL) != 0 ||
	    pipe(ends) != 0)
		return 1;
	int fd = journal_fd();
	if (fd < 0 || dup2(ends[1], fd) < 0)
		return 2;
	sample_append(journal, 1, 1);
	struct tg_error error = tg_error_init();
	if (journal_sync(journal, &error) != TG_ERR_IO || error.message_len == 0)
		return 3;
	sample_append(journal, 2, 2);
	if (journal_flush(journal, NULL) != TG_ERR_IO)
		return 4;
	return journal_close(journal) == TG_ERR_IO ? 0 : 5;
}

static int child_result(int (*fn)(void))
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(fn());
	int status = -1;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void failures(void)
{
	folder_empty(dir);
	is_int(child_result(failing_sync), 0, "a failed fdatasync is an error from then on");
}

static int killed_after_flush(void)
{
	struct journal *journal = NULL;
	if (journal_open(&disk_system, &workers_threads, dir, "a1b2", 0, NULL, NULL, NULL, &journal, NULL) != 0)
		return 1;
	sample_append(journal, 1, 9);
	journal_flush(journal, NULL);
	sample_append(journal, 10, 12);
	raise(SIGKILL);
	return 2;
}

static void kill_minus_nine(void)
{
	struct seen seen = {0};
	folder_empty(dir);
	is_int(child_result(killed_after_flush), 1000 + SIGKILL, "killed");
	journal_close(open_or_die(&seen, NULL));
	ok(seen.count == 9 && seen.wrong == 0, "what was flushed outlives it, what was not is absent whole");
}

static int still_rising(void *ctx, const struct journal_entry *entry)
{
	uint64_t *last = ctx;
	return entry->position == ++*last ? 0 : 55;
}

static void *read_beside(void *ctx)
{
	unsigned *wrong = ctx;
	for (int round = 0; round < 20; round++) {
		uint64_t last = 0;
		*wrong += journal_read(&disk_system, dir, still_rising, &last, NULL, NULL) != 0;
	}
	return NULL;
}

static void reader_beside_writer(void)
{
	pthread_t thread;
	unsigned wrong = 0, wrong_beside = 0;
	folder_empty(dir);
	struct journal *journal = open_or_die(&(struct seen){0}, NULL);
	journal_limit(journal, 20000, 0);
	pthread_create(&thread, NULL, read_beside, &wrong_beside);
	for (unsigned round = 0; round < 300; round++) {
		sample_append(journal, 1, 20);
		wrong += journal_flush(journal, NULL) != 0;
		journal_turn(journal);
		if (round % 10 == 0) /* time for the next file */
			journal_sync(journal, NULL);
	}
	pthread_join(thread, NULL);
	struct journal_status status;
	journal_status(journal, &status);
	journal_close(journal);
	is_int(wrong + wrong_beside, 0, "a reader beside the writer sees whole records in order");
	ok(status.files > 2, "over %u files", status.files);
}

struct next_made {
	uint64_t positions;
	uint32_t number; /* of the next file */
};

/* While the first files are read, a gateway that has come back makes its next file anew, which counts as durable what
 * the reader does not look at. */
static int next_make(void *ctx, const struct journal_entry *entry)
{
	struct next_made *made = ctx;
	if (entry->position == 1 &&
	    journal_file_make(&disk_system, dir, made->number, "a1b2", made->positions + 100) != 0)
		return 66;
	return entry->position <= made->positions ? 0 : 67;
}

static void reader_beside_a_start(void)
{
	struct journal_status status = {0};
	folder_empty(dir);
	struct journal *journal = open_or_die(&(struct seen){0}, NULL);
	journal_limit(journal, 2000, 0);
	while (status.files < 80) {
		sample_append(journal, 1, 20);
		if (journal_flush(journal, NULL) || journal_sync(journal, NULL))
			abort();
		journal_turn(journal);
		journal_status(journal, &status);
	}
	struct next_made made = {.positions = journal_position(journal)};
	journal_close(journal);
	struct journal_numbers numbers;
	struct tg_error error = tg_error_init();
	if (journal_numbers_find(&disk_system, dir, &numbers, &error))
		abort();
	made.number = numbers.first + numbers.count;
	if (journal_file_make(&disk_system, dir, made.number, "a1b2", made.positions))
		abort();
	is_int(journal_read(&disk_system, dir, next_make, &made, NULL, &error), 0,
	       "a reader beside a start takes nothing for damaged: %s", error.message);
	is_int(journal_read(&disk_system, dir, next_make, &made, NULL, &error), TG_ERR_CORRUPT,
	       "which it is when nobody writes");
}

int main(void)
{
	snprintf(dir, sizeof dir, "/tmp/trigate-journal-XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	snprintf(file, sizeof file, "%s/journal-00000001.tgj", dir);
	new_and_again();
	file_format();
	version_1();
	torn_tails();
	torn_twice_at_one_place();
	zeros_behind();
	hole_in_the_tail();
	damage_in_the_middle();
	bad_headers();
	reader_stops();
	large();
	failures();
	kill_minus_nine();
	reader_beside_writer();
	reader_beside_a_start();
	folder_empty(dir);
	rmdir(dir);
	return tap_done();
}
