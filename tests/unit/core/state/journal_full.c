/* A write that fails: a full disk is waited for, a file that may not grow is not. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/state/journal.h"
#include "tests/tap.h"
#include "tests/unit/core/io/small_disk.h"

#define RECORD (32 + 100)

static char dir[64], file[128];
static const char payload[100];

static uint64_t file_size(void)
{
	struct stat info;
	return stat(file, &info) == 0 ? (uint64_t)info.st_size : 0;
}

static struct journal *open_or_die(struct journal_report *ret_report)
{
	struct tg_error error = tg_error_init();
	struct journal *journal = NULL;
	if (journal_open(&small_disk, &workers_threads, dir, "a1b2", 0, NULL, NULL, ret_report, &journal, &error) !=
	    0) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return journal;
}

static uint64_t append(struct journal *journal)
{
	return journal_append(journal, 1, 7, 1, payload, sizeof payload);
}

/* Two records are on a disk that has room for 40 bytes of the third. */
static struct journal *nearly_full(int failure)
{
	small_disk_set(SIZE_MAX, 0);
	unlink(file);
	struct journal *journal = open_or_die(NULL);
	append(journal);
	append(journal);
	is_int(journal_sync(journal, NULL), 0, "with room");
	small_disk_set(40, failure);
	append(journal);
	return journal;
}

static void reopened(uint64_t records)
{
	struct journal_report report;
	journal_close(open_or_die(&report));
	is_int(report.records, records, "the next start has what was written");
	is_int(report.torn_bytes, 0, "and nothing is torn");
}

static void test_full(void)
{
	struct tg_error error = tg_error_init();
	struct journal *journal = nearly_full(-ENOSPC);
	uint64_t whole = file_size();
	is_int(journal_flush(journal, &error), TG_ERR_RETRYABLE, "a full disk is waited for");
	ok(strstr(error.message, file) && strstr(error.message, "free space on its disk"), "%s", error.message);
	is_int(file_size(), whole, "half a record does not stay");
	append(journal);
	is_int(journal_retry(journal, NULL), TG_ERR_RETRYABLE, "as long as it is full");
	is_int(journal_wait(journal, 3, NULL), TG_ERR_RETRYABLE, "nobody waits for a sync meanwhile");
	small_disk_set(SIZE_MAX, 0);
	is_int(journal_flush(journal, NULL), TG_ERR_RETRYABLE, "it is not tried at each flush");
	is_int(journal_retry(journal, NULL), 0, "with room it goes on");
	is_int(journal_sync(journal, NULL), 0, "and syncs");
	is_int(file_size(), whole + 2 * RECORD, "all that came in is there");
	is_int(journal_close(journal), 0, "closed");
	reopened(4);
}

/* Met at once, or where a full disk was waited for. */
static void test_no_longer_file(int met_first)
{
	struct tg_error error = tg_error_init();
	struct journal *journal = nearly_full(met_first);
	uint64_t whole = file_size();
	journal_flush(journal, NULL);
	small_disk_set(0, -EFBIG);
	is_int(journal_retry(journal, &error), TG_ERR_IO, "a file that may not grow is an error");
	ok(strstr(error.message, file) && strstr(error.message, "ulimit -f"), "%s", error.message);
	small_disk_set(SIZE_MAX, 0);
	append(journal);
	is_int(journal_retry(journal, NULL), TG_ERR_IO, "from then on");
	is_int(journal_wait(journal, 3, NULL), TG_ERR_IO, "for who waits, too");
	is_int(file_size(), whole, "no record follows the gap");
	is_int(journal_close(journal), TG_ERR_IO, "and at the end");
	reopened(2);
}

int main(void)
{
	strcpy(dir, "/tmp/trigate-full-XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	snprintf(file, sizeof file, "%s/journal-00000001.tgj", dir);
	test_full();
	test_no_longer_file(-EFBIG);
	test_no_longer_file(-ENOSPC);
	unlink(file);
	is_int(rmdir(dir), 0, "nothing else is left");
	return tap_done();
}
