/* What tests do with the folder that is theirs: between two cases it is empty again. */
#ifndef TRIGATE_TESTS_FOLDER_H
#define TRIGATE_TESTS_FOLDER_H

#include <dirent.h>
#include <unistd.h>

/* All its files go, if it is there. */
static inline void folder_empty(const char *path)
{
	DIR *folder = opendir(path);
	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));)
		unlinkat(dirfd(folder), entry->d_name, 0); /* fails for folders */
	closedir(folder);
}

#endif
