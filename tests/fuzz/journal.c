/* Fuzz: any bytes as a journal file. Reading must end in a status, and what it calls whole must be in order. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/state/journal.h"

static char dir[64], file[128];

static void directory_remove(void)
{
	unlink(file);
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
		snprintf(file, sizeof file, "%s/journal-00000001.tgj", dir);
		atexit(directory_remove);
	}
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	int status = journal_read(&disk_system, dir, in_order, &last, &report, &error);
	assert(status == 0 ? report.records == last : error.code == status && error.message_len > 0);
	return 0;
}
