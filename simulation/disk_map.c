/* Memory that a process has mapped: it has a copy, and what it stores there is taken over when somebody looks. Between
 * two stores no fault has its place, so what a dead process stores until its pass ends counts as stored before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/disk_state.h"

#define PAGE 4096

struct disk_mapping {
	struct disk_mapping *next;
	struct disk_file *file; /* NULL: the process is gone and has yet to let go of the memory */
	void *memory;
	size_t size;
};

static size_t least(size_t a, uint64_t b)
{
	return a < b ? a : (size_t)b;
}

/* Page by page, as the kernel notes what is dirty. */
static void mapping_settle(const struct disk_mapping *mapping)
{
	const uint8_t *memory = mapping->memory;
	size_t end = least(mapping->size, disk_file_size(mapping->file));

	for (size_t at = 0; at < end; at += PAGE) {
		size_t count = least(PAGE, end - at);
		if (memcmp(disk_file_bytes(mapping->file) + at, memory + at, count) != 0)
			disk_file_write(mapping->file, at, memory + at, count);
	}
}

static void mapping_detach(struct disk_mapping *mapping)
{
	if (!mapping->file)
		return;
	mapping_settle(mapping);
	disk_file_drop(mapping->file);
	mapping->file = NULL;
}

static const struct disk_mapping *mapping_of(const struct sim_disk *disk, const struct disk_file *file)
{
	const struct disk_mapping *mapping = disk->mappings;

	while (mapping && mapping->file != file)
		mapping = mapping->next;
	return mapping;
}

void disk_settle(const struct sim_disk *disk, const struct disk_file *file)
{
	const struct disk_mapping *mapping = mapping_of(disk, file);

	if (mapping)
		mapping_settle(mapping);
}

void disk_mappings_detach(struct sim_disk *disk)
{
	for (struct disk_mapping *mapping = disk->mappings; mapping; mapping = mapping->next)
		mapping_detach(mapping);
}

static int mapping_add(struct sim_disk *disk, struct disk_file *file, size_t size, void **ret_memory)
{
	struct disk_mapping *mapping = malloc(sizeof *mapping);
	void *memory = malloc(size);

	if (!mapping || !memory) {
		free(mapping);
		free(memory);
		return -ENOMEM;
	}
	memcpy(memory, disk_file_bytes(file), size);
	*mapping = (struct disk_mapping){disk->mappings, disk_file_hold(file), memory, size};
	disk->mappings = mapping;
	*ret_memory = memory;
	return 0;
}

int disk_map(const struct disk *self, int file, size_t size, void **ret_memory)
{
	const struct disk_view *view = disk_view_of(self);
	const struct disk_handle *handle = disk_handle_of(view, file);
	int failure = disk_may_change(view);

	if (failure != 0)
		return failure;
	if (!handle)
		return -EBADF;
	if (!(handle->flags & DISK_WRITE))
		return -EACCES;
	if (size == 0)
		return -EINVAL;
	if (mapping_of(view->owner, handle->file))
		return -EBUSY; /* two copies of one file would overwrite each other */
	failure = size > disk_file_size(handle->file) ? disk_resize(view, handle->file, "map", size) : 0;
	return failure != 0 ? failure : mapping_add(view->owner, handle->file, size, ret_memory);
}

/* Also by a dead process: its memory is its own to give back. */
void disk_unmap(const struct disk *self, void *memory, size_t size)
{
	struct disk_mapping **link = &disk_view_of(self)->owner->mappings;

	(void)size;
	while (*link && (*link)->memory != memory)
		link = &(*link)->next;
	struct disk_mapping *mapping = *link;
	if (!mapping)
		return;
	*link = mapping->next;
	mapping_detach(mapping);
	free(mapping->memory);
	free(mapping);
}
