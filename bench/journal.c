/* What a journal append costs: append + flush of a 200-byte record, beside a bare write(2) of the same bytes to a file
 * in the same directory. Rounds in turn, medians. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "core/state/journal.h"

#define ROUNDS 9
#define APPENDS 20000
#define PAYLOAD 200
#define RECORD_HEADER 32

const char *const bench_name = "journal";

static double ours(const char *dir, const uint8_t *payload)
{
	struct journal *journal = NULL;
	if (journal_open(&disk_system, &workers_threads, dir, "be0c", 0, NULL, NULL, NULL, &journal, NULL) != 0)
		exit(1);
	int64_t from = now_ns();
	for (int i = 0; i < APPENDS; i++) {
		journal_append(journal, i, 1, 1, payload, PAYLOAD);
		if (journal_flush(journal, NULL) != 0)
			exit(1);
	}
	double took = (double)(now_ns() - from);
	journal_close(journal);
	return took / APPENDS;
}

static double bare(const char *path, const uint8_t *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		exit(1);
	int64_t from = now_ns();
	for (int i = 0; i < APPENDS; i++)
		if (write(fd, bytes, PAYLOAD + RECORD_HEADER) != PAYLOAD + RECORD_HEADER)
			exit(1);
	double took = (double)(now_ns() - from);
	close(fd);
	return took / APPENDS;
}

int main(void)
{
	const char *base = getenv("TMPDIR");
	char dir[512], journal[600], floor_file[600];
	uint8_t bytes[PAYLOAD + RECORD_HEADER];
	double our_ns[ROUNDS], floor_ns[ROUNDS];

	memset(bytes, 0x5a, sizeof bytes);
	snprintf(dir, sizeof dir, "%s/trigate-bench-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	snprintf(journal, sizeof journal, "%s/journal-00000001.tgj", dir);
	snprintf(floor_file, sizeof floor_file, "%s/floor", dir);
	for (int round = 0; round < ROUNDS; round++) {
		our_ns[round] = ours(dir, bytes);
		unlink(journal);
		floor_ns[round] = bare(floor_file, bytes);
		unlink(floor_file);
	}
	rmdir(dir);
	figure_print(&(struct figure){"append_ns", "ns", "lower", median(our_ns, ROUNDS), median(floor_ns, ROUNDS), 0,
				      NULL});
	return 0;
}
