/* A file of a simulated disk: what it holds now, what it held when it was last synced, and what a power loss leaves of
 * the difference. It counts who holds it (names, handles, mappings). Owner: one simulated disk.
 *
 * The page cache in sectors of 512 bytes: a sector that was changed since the last sync is UNSURE (a power loss keeps
 * the new or the old one) and PENDING (the next sync makes it sure). A sync that fails takes PENDING away and leaves
 * UNSURE, as Linux does: the page counts as clean, and a later sync that succeeds does not write it. The old contents
 * of a sector are kept only where synced bytes were overwritten, so appending costs what is appended. */
#ifndef TRIGATE_SIMULATION_DISK_FILE_H
#define TRIGATE_SIMULATION_DISK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulation/fault.h"

#define DISK_SECTOR 512
#define DISK_FILE_MAX (UINT64_C(1) << 30) /* a run of hours writes some 100 MB */

struct disk_file;

/* Held once. NULL: no memory. */
struct disk_file *disk_file_create(bool directory);
struct disk_file *disk_file_hold(struct disk_file *file); /* NULL is allowed, as below */
void disk_file_drop(struct disk_file *file);              /* the last one destroys it */

bool disk_file_is_directory(const struct disk_file *file);
uint64_t disk_file_size(const struct disk_file *file);
const uint8_t *disk_file_bytes(const struct disk_file *file); /* borrowed until it changes */

/* All or nothing; a gap before offset reads as zeros. 0, -EFBIG or -ENOMEM. */
int disk_file_write(struct disk_file *file, uint64_t offset, const void *bytes, size_t count);
int disk_file_resize(struct disk_file *file, uint64_t size);

void disk_file_sync(struct disk_file *file);
void disk_file_sync_failed(struct disk_file *file);
/* So many bytes from its beginning are what any power loss leaves. */
uint64_t disk_file_synced(const struct disk_file *file);

struct disk_loss {
	uint64_t size_before, size_after;
	uint64_t unsure, lost; /* sectors */
};
void disk_file_lose_power(struct disk_file *file, struct faults *faults, struct disk_loss *ret_loss);

#endif
