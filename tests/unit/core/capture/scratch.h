/* A folder of a test's own, and the files in it. */
#ifndef TRIGATE_TESTS_CAPTURE_SCRATCH_H
#define TRIGATE_TESTS_CAPTURE_SCRATCH_H

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[] = "/tmp/trigate-capture-XXXXXX";

static inline int scratch_unlink(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
	(void)stat, (void)flag, (void)walk;
	return remove(path);
}

static inline void scratch_make(void)
{
	if (!mkdtemp(scratch))
		abort();
}

static inline void scratch_clear(void)
{
	nftw(scratch, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int scratch_is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The index-th file of a folder by name; false: it has not so many. */
static inline bool scratch_file(const char *folder, int index, char *ret_path, size_t room)
{
	struct dirent **names;
	int count = scandir(folder, &names, scratch_is_name, alphasort);
	for (int i = 0; i < count; i++) {
		if (i == index)
			snprintf(ret_path, room, "%s/%s", folder, names[i]->d_name);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return index < count;
}

static inline void scratch_write(const char *path, const void *bytes, size_t count)
{
	FILE *file = fopen(path, "w");
	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file))
		abort();
}

static inline size_t scratch_read(const char *path, void *bytes, size_t room)
{
	FILE *file = fopen(path, "r");
	size_t count = file ? fread(bytes, 1, room, file) : 0;
	if (file)
		fclose(file);
	return count;
}

#endif
