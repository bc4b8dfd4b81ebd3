/* The parts of a simulated disk, for its own files alone: disk.c (files, names, locks), disk_gate.c (what is let
 * through, and what goes wrong), disk_map.c (mapped memory). */
#ifndef TRIGATE_SIMULATION_DISK_STATE_H
#define TRIGATE_SIMULATION_DISK_STATE_H

#include "simulation/disk.h"
#include "simulation/disk_names.h"

#define DISK_HANDLES_MAX 128 /* open at once; a gateway has four, and 64 more while it reads its journal */

/* The disk as one side sees it. */
struct disk_view {
	struct disk disk; /* first: it is what others hold */
	struct sim_disk *owner;
	struct life *life; /* NULL: from outside */
};

struct disk_handle {
	const struct disk_view *view; /* whose; NULL: free */
	struct disk_file *file;
	int flags;
	bool locked;
	uint64_t place;
};

struct disk_mapping;

struct sim_disk {
	struct ground *ground;
	uint32_t gateway;
	char who[8]; /* in the trace */
	struct disk_view inside, outside;
	struct disk_names names;
	struct disk_handle handle[DISK_HANDLES_MAX];
	struct disk_mapping *mappings;
	/* what went wrong and has not ended */
	int64_t full_until_ns, failing_until_ns, read_only_until_ns;
	int64_t slow_ns;
};

static inline const struct disk_view *disk_view_of(const struct disk *disk)
{
	return (const struct disk_view *)disk;
}
/* NULL: not an open file of that side. */
struct disk_handle *disk_handle_of(const struct disk_view *view, int file);

/* ---- disk_gate.c */
static inline bool disk_is_dead(const struct disk_view *view)
{
	return view->life && view->life->dead;
}
bool disk_is_full(const struct sim_disk *disk);
bool disk_is_failing(const struct sim_disk *disk);
bool disk_is_read_only(const struct sim_disk *disk);
/* May this side change anything? 0, -EROFS (from outside) or -EIO (dead). */
int disk_may_change(const struct disk_view *view);
/* An operation that is done as a whole or not at all. 0: do it now; 1: do it, it is the life's last; else why not. */
int disk_change_begins(const struct disk_view *view, const char *what, bool takes_space);
/* How many bytes of a write are done; else why none. *ret_last: they are the life's last. */
int64_t disk_write_begins(const struct disk_view *view, size_t count, bool *ret_last);
/* As disk_change_begins; *ret_failed: and what was to be written is lost to later syncs. */
int disk_sync_begins(const struct disk_view *view, const char *what, bool *ret_failed);
/* Another size for a file, as one operation. 0 or -errno. */
int disk_resize(const struct disk_view *view, struct disk_file *file, const char *what, uint64_t size);

/* ---- disk_map.c */
int disk_map(const struct disk *self, int file, size_t size, void **ret_memory);
void disk_unmap(const struct disk *self, void *memory, size_t size);
/* The file takes over what was stored through memory since. */
void disk_settle(const struct sim_disk *disk, const struct disk_file *file);
/* The process is gone: what it stored is in the file, the memory waits for disk_unmap. */
void disk_mappings_detach(struct sim_disk *disk);

#endif
