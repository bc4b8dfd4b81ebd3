/* Fuzz: any bytes as the files of a journal, the last three bytes of the input say where they are cut into up to three
 * of them. Reading must end in a status, and what it calls whole must be in order. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/state/journal.h"

#define FILES 3
#define CUTS 3 /* bytes: how many files, and where two of them end, in 256ths */

static char dir[64];

static const char *path_of(int number)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/journal-%08d.tgj", dir, number);
	return path;
}

static void directory_remove(void)
{
	for (int number = 1; number <= FILES; number++)
		unlink(path_of(number));
	rmdir(dir);
}

static int in_order(void *ctx, const struct journal_entry *entry)
{
	uint64_t *last = ctx;
	volatile uint8_t sum = 0;

	assert(entry->position == ++*last && entry->size <= JOURNAL_PAYLOAD_MAX);
	for (uint32_t i = 0; i < entry->size; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)entry->payload)[i]); /* every byte may be read */
	return 0;
}

static void file_write(int number, const uint8_t *data, size_t size)
{
	int fd = open(path_of(number), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

/* One file where the input is short. */
static void files_write(const uint8_t *data, size_t size)
{
	size_t end[FILES] = {size, size, size};
	int files = 1;

	if (size > CUTS) {
		const uint8_t *cut = data + size - CUTS;
		size -= CUTS;
		files = 1 + cut[0] % FILES;
		end[0] = files > 1 ? size * cut[1] / 256 : size;
		end[1] = files > 2 ? end[0] + (size - end[0]) * cut[2] / 256 : size;
		end[2] = size;
	}
	for (int i = 0; i < FILES; i++) {
		size_t from = i == 0 ? 0 : end[i - 1];
		if (i < files)
			file_write(i + 1, data + from, end[i] - from);
		else
			unlink(path_of(i + 1));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_error error = tg_error_init();
	struct journal_report report;
	uint64_t last = 0;

	if (dir[0] == '\0') {
		snprintf(dir, sizeof dir, "/tmp/trigate-fuzz-journal-XXXXXX");
		if (!mkdtemp(dir))
			abort();
		atexit(directory_remove);
	}
	files_write(data, size);
	int status = journal_read(&disk_system, dir, in_order, &last, &report, &error);
	assert(status == 0 ? report.records == last : error.code == status && error.message_len > 0);
	return 0;
}
