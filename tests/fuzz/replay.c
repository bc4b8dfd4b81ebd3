/* Runs a fuzz target once over each file of its corpus, so that what once broke it is tried by every compiler and in
 * every test run. Usage: replay_TARGET FOLDER. Output is TAP. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *file_read(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *data = NULL;
	if (file && fstat(fileno(file), &st) == 0 && (data = malloc((size_t)st.st_size + 1)))
		*ret_size = fread(data, 1, (size_t)st.st_size, file);
	if (file)
		fclose(file);
	return data;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void file_replay(const char *folder, const char *name)
{
	char path[4096];
	size_t size = 0;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	uint8_t *data = file_read(path, &size);
	/* a target aborts on what must not be: to come back is to pass */
	ok(data && LLVMFuzzerTestOneInput(data, size) == 0, "%s", name);
	free(data);
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	int count = argc == 2 ? scandir(argv[1], &entries, visible, alphasort) : -1;
	if (count < 1) {
		fprintf(stderr, "usage: %s FOLDER, which holds at least one file: %s\n", argv[0], strerror(errno));
		return 2;
	}
	ok(LLVMFuzzerTestOneInput((const uint8_t *)"", 0) == 0, "no byte at all");
	for (int i = 0; i < count; i++) {
		file_replay(argv[1], entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return tap_done();
}
