#include "simulation/disk_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* ----------------------------------------------------------------- paths */

bool disk_path_clean(const char *path, char ret_path[DISK_PATH_MAX])
{
	size_t length = 0;

	if (*path == '\0')
		return false;
	while (path[0] == '.' && path[1] == '/')
		for (path++; *path == '/';)
			path++;
	for (; *path; path++) {
		if (*path == '/' && length > 0 && ret_path[length - 1] == '/')
			continue;
		if (length + 1 == DISK_PATH_MAX)
			return false;
		ret_path[length++] = *path;
	}
	if (length > 1 && ret_path[length - 1] == '/')
		length--;
	if (length == 0)
		ret_path[length++] = '.';
	ret_path[length] = '\0';
	return true;
}

/* The directory that a path is in; its length in *ret_length. */
static const char *parent_of(const char *path, size_t *ret_length)
{
	const char *slash = strrchr(path, '/');

	*ret_length = !slash || slash == path ? 1 : (size_t)(slash - path);
	return slash ? path : ".";
}

bool disk_path_is_in(const char *path, const char *directory)
{
	size_t length;
	const char *parent = parent_of(path, &length);

	return strlen(directory) == length && memcmp(parent, directory, length) == 0 && strcmp(path, directory) != 0;
}

/* ----------------------------------------------------------------- names */

void disk_names_finish(struct disk_names *names)
{
	for (uint32_t i = 0; i < names->change_count; i++)
		disk_file_drop(names->change[i].file);
	for (uint32_t i = 0; i < names->count; i++) {
		disk_file_drop(names->name[i].now);
		disk_file_drop(names->name[i].synced);
		disk_file_drop(names->name[i].gone);
		free(names->name[i].path);
	}
	free(names->change);
	free(names->name);
	*names = (struct disk_names){0};
}

static void file_set(struct disk_file **slot, struct disk_file *file)
{
	struct disk_file *before = *slot;

	*slot = disk_file_hold(file);
	disk_file_drop(before);
}

/* A state directory holds a handful of files, so a walk is fast enough. */
static uint32_t name_find(const struct disk_names *names, const char *path, size_t length)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (strncmp(names->name[i].path, path, length) == 0 && names->name[i].path[length] == '\0')
			return i;
	return NONE;
}

/* NONE: no memory. */
static uint32_t name_make(struct disk_names *names, const char *path)
{
	uint32_t index = name_find(names, path, strlen(path));

	if (index != NONE)
		return index;
	if (names->count == names->capacity) {
		uint32_t capacity = names->capacity ? 2 * names->capacity : 16;
		struct disk_name *name = reallocarray(names->name, capacity, sizeof *name);
		if (!name)
			return NONE;
		names->name = name;
		names->capacity = capacity;
	}
	char *copy = strdup(path);
	if (!copy)
		return NONE;
	names->name[names->count] = (struct disk_name){.path = copy};
	return names->count++;
}

struct disk_file *disk_names_find(const struct disk_names *names, const char *path)
{
	uint32_t index = name_find(names, path, strlen(path));

	return index == NONE ? NULL : names->name[index].now;
}

static bool is_above(const char *directory, size_t length, const char *path)
{
	return strncmp(path, directory, length) == 0 && path[length] == '/';
}

static bool has_directory(const struct disk_names *names, const char *path, size_t length)
{
	uint32_t index = name_find(names, path, length);

	if (length == 1 && (*path == '.' || *path == '/'))
		return true;
	if (index != NONE)
		return names->name[index].now && disk_file_is_directory(names->name[index].now);
	for (uint32_t i = 0; i < names->count; i++)
		if (names->name[i].now && is_above(path, length, names->name[i].path))
			return true;
	return false;
}

bool disk_names_has_directory(const struct disk_names *names, const char *path)
{
	return has_directory(names, path, strlen(path));
}

bool disk_names_has_parent(const struct disk_names *names, const char *path)
{
	size_t length;
	const char *parent = parent_of(path, &length);

	return has_directory(names, parent, length);
}

static int change_add(struct disk_names *names, uint32_t name, struct disk_file *file)
{
	if (names->change_count == names->change_capacity) {
		uint32_t capacity = names->change_capacity ? 2 * names->change_capacity : 16;
		struct disk_change *change = reallocarray(names->change, capacity, sizeof *change);
		if (!change)
			return -ENOMEM;
		names->change = change;
		names->change_capacity = capacity;
	}
	names->change[names->change_count++] = (struct disk_change){name, disk_file_hold(file)};
	return 0;
}

static void name_take(struct disk_names *names, uint32_t index, struct disk_file *file)
{
	disk_file_hold(file);
	for (uint32_t i = 0; i < names->count; i++)
		if (names->name[i].now == file)
			file_set(&names->name[i].now, NULL);
	file_set(&names->name[index].now, file);
	disk_file_drop(file);
}

int disk_names_take(struct disk_names *names, const char *path, struct disk_file *file)
{
	uint32_t index = name_make(names, path);

	if (index == NONE || change_add(names, index, file) != 0)
		return -ENOMEM;
	name_take(names, index, file);
	return 0;
}

int disk_names_remove(struct disk_names *names, const char *path)
{
	uint32_t index = name_find(names, path, strlen(path));

	if (change_add(names, index, NULL) != 0)
		return -ENOMEM;
	file_set(&names->name[index].gone, names->name[index].now);
	file_set(&names->name[index].now, NULL);
	return 0;
}

struct disk_file *disk_names_find_gone(const struct disk_names *names, const char *path)
{
	uint32_t index = name_find(names, path, strlen(path));

	return index == NONE || names->name[index].now ? NULL : names->name[index].gone;
}

/* --------------------------------------------------- what is sure of them */

void disk_names_sync(struct disk_names *names, const char *directory)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < names->count; i++)
		if (disk_path_is_in(names->name[i].path, directory))
			file_set(&names->name[i].synced, names->name[i].now);
	for (uint32_t i = 0; i < names->change_count; i++)
		if (disk_path_is_in(names->name[names->change[i].name].path, directory))
			disk_file_drop(names->change[i].file);
		else
			names->change[kept++] = names->change[i];
	names->change_count = kept;
}

static bool is_sure(const struct disk_names *names, uint32_t index)
{
	const struct disk_name *name = &names->name[index];

	if (!name->now || name->now != name->synced)
		return false;
	for (uint32_t i = 0; i < names->change_count; i++)
		if (names->change[i].name == index || names->change[i].file == name->now)
			return false;
	return true;
}

bool disk_names_is_sure(const struct disk_names *names, const char *path)
{
	uint32_t index = name_find(names, path, strlen(path));

	if (index == NONE || !is_sure(names, index))
		return false;
	for (uint32_t i = 0; i < names->count; i++)
		if (is_above(names->name[i].path, strlen(names->name[i].path), path) && !is_sure(names, i))
			return false;
	return true;
}

/* Files whose directory is gone are gone. A directory comes up before what is in it. */
static void orphans_clear(struct disk_names *names)
{
	for (uint32_t i = 0; i < names->count; i++) {
		size_t length;
		const char *parent = parent_of(names->name[i].path, &length);
		uint32_t index = name_find(names, parent, length);
		if (index != NONE && !names->name[index].now)
			file_set(&names->name[i].now, NULL);
	}
}

uint32_t disk_names_lose_power(struct disk_names *names, struct faults *faults)
{
	uint32_t lost = 0;

	for (uint32_t i = 0; i < names->count; i++)
		file_set(&names->name[i].now, names->name[i].synced);
	for (uint32_t i = 0; i < names->change_count; i++) {
		if (faults_random(faults) % 2 != 0)
			lost++;
		else if (names->change[i].file)
			name_take(names, names->change[i].name, names->change[i].file);
		else
			file_set(&names->name[names->change[i].name].now, NULL);
		disk_file_drop(names->change[i].file);
	}
	names->change_count = 0;
	orphans_clear(names);
	for (uint32_t i = 0; i < names->count; i++)
		file_set(&names->name[i].synced, names->name[i].now);
	return lost;
}
