#include <plugins/folders.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path)
{
	struct stat stat_of;
	return stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode);
}

static int environment_each(folder_fn fn, void *ctx)
{
	const char *list = getenv("TRIGATE_PLUGIN_PATH");
	while (list && *list) {
		size_t len = strcspn(list, ":");
		char folder[PATH_MAX];
		int written = snprintf(folder, sizeof folder, "%.*s", (int)len, list);
		int code = len > 0 && written > 0 ? fn(ctx, folder, 1) : 0;
		if (code != 0)
			return code;
		list += len + (list[len] == ':');
	}
	return 0;
}

/* The folder of the running executable; empty if it cannot be told. */
static void executable_folder(char folder[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	folder[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
}

/* In a build tree the executable has the rooms beside it, as the source tree does. */
static int own_each(folder_fn fn, void *ctx)
{
	static const char *const rooms[] = {"exchanges", "storage", "routing"};
	char base[PATH_MAX], folder[PATH_MAX + 16];
	bool found = false;
	executable_folder(base);
	for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
		snprintf(folder, sizeof folder, "%s/%s", base, rooms[i]);
		if (!is_folder(folder))
			continue;
		found = true;
		int code = fn(ctx, folder, 0);
		if (code != 0)
			return code;
	}
	return !found && is_folder(PLUGIN_FOLDER) ? fn(ctx, PLUGIN_FOLDER, 0) : 0;
}

int folders_each(const char *const *folders, size_t count, folder_fn fn, void *ctx)
{
	int code = environment_each(fn, ctx);
	for (size_t i = 0; i < count && code == 0; i++)
		code = fn(ctx, folders[i], 1);
	return code ? code : own_each(fn, ctx);
}

static int is_listed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool is_object(const char *name)
{
	size_t len = strlen(name);
	return len > 3 && strcmp(name + len - 3, ".so") == 0;
}

static int level_files(const char *folder, bool deeper, file_fn fn, void *ctx)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_listed, alphasort);
	if (count < 0)
		return -errno;
	int code = 0;
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		int len = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		if (code == 0 && len > 0 && (size_t)len < sizeof path) {
			if (is_object(entries[i]->d_name))
				code = fn(ctx, path);
			else if (deeper && is_folder(path))
				code = level_files(path, false, fn, ctx);
		}
		free(entries[i]);
	}
	free(entries);
	/* a subfolder that is closed to us is not ours to complain about */
	return !deeper && code < 0 ? 0 : code;
}

int folder_files(const char *folder, file_fn fn, void *ctx)
{
	return level_files(folder, true, fn, ctx);
}
