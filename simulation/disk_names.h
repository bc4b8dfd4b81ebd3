/* The names on a simulated disk: what each stands for now, and which of that is sure. A name that a file took (it was
 * created, or renamed) or that was removed since its directory was last synced stays so or not at a power loss, each
 * for itself; a name that goes leaves what was there before, so none ever points to nothing. What lies above a
 * directory that was made is the machine's and was always there. Owner: one simulated disk. */
#ifndef TRIGATE_SIMULATION_DISK_NAMES_H
#define TRIGATE_SIMULATION_DISK_NAMES_H

#include "simulation/disk_file.h"

#define DISK_PATH_MAX 4096 /* with NUL, as Linux has it */

struct disk_name {
	char *path;
	struct disk_file *now;    /* NULL: nothing has this name */
	struct disk_file *synced; /* what surely had it when its directory was last synced */
	struct disk_file *gone;   /* what had it when it was removed: an observer may still want to read it */
};

struct disk_names {
	struct disk_name *name; /* in the order in which they first came up */
	uint32_t count, capacity;
	/* since then, in order */
	struct disk_change {
		uint32_t name;
		struct disk_file *file; /* that took it; NULL: it was removed */
	} * change;
	uint32_t change_count, change_capacity;
};

void disk_names_finish(struct disk_names *names);

/* As text that can be compared: "./a//b/" is "a/b". False: empty or too long. Paths below are clean ones. */
bool disk_path_clean(const char *path, char ret_path[DISK_PATH_MAX]);
bool disk_path_is_in(const char *path, const char *directory); /* directly */

struct disk_file *disk_names_find(const struct disk_names *names, const char *path); /* NULL: none; not held */
bool disk_names_has_directory(const struct disk_names *names, const char *path);
bool disk_names_has_parent(const struct disk_names *names, const char *path);
/* The file takes the name, from whoever had it, and loses the one that it had. 0 or -ENOMEM. */
int disk_names_take(struct disk_names *names, const char *path, struct disk_file *file);
/* Nothing has the name any more. 0 or -ENOMEM. */
int disk_names_remove(struct disk_names *names, const char *path);
/* What had the name when it was removed, if nothing has it now; NULL: it was not. Not held. */
struct disk_file *disk_names_find_gone(const struct disk_names *names, const char *path);
void disk_names_sync(struct disk_names *names, const char *directory);
/* Does every power loss leave this name as it is? */
bool disk_names_is_sure(const struct disk_names *names, const char *path);
/* Returns how many of the changes were lost. */
uint32_t disk_names_lose_power(struct disk_names *names, struct faults *faults);

#endif
