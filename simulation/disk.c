#include "simulation/disk.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/disk_names.h"

#define HANDLES_MAX 64 /* open at once; a gateway has four */
#define MS INT64_C(1000000)
/* From where on a kill inside an operation that cannot be done in part has it done. */
#define DONE_E3 500

/* The disk as one side sees it. */
struct view {
	struct disk disk; /* first: it is what others hold */
	struct sim_disk *owner;
	struct life *life; /* NULL: from outside */
};

struct handle {
	const struct view *view; /* whose; NULL: free */
	struct disk_file *file;
	int flags;
	bool locked;
	uint64_t place;
};

/* Memory that a process has mapped. What is stored through it is taken over when somebody looks. */
struct mapping {
	struct mapping *next;
	struct disk_file *file; /* NULL: the process is gone and has yet to let go of the memory */
	void *memory;
	size_t size;
};

struct sim_disk {
	struct ground *ground;
	uint32_t gateway;
	char who[8];
	struct view inside, outside;
	struct disk_names names;
	struct handle handle[HANDLES_MAX];
	struct mapping *mappings;
	int64_t full_until_ns, read_only_until_ns;
	int64_t slow_ns;
};

static const struct view *view_of(const struct disk *disk)
{
	return (const struct view *)disk;
}

/* ------------------------------------------------------- what goes wrong */

static int64_t now_ns(const struct sim_disk *disk)
{
	return ground_ns(disk->ground);
}

static bool is_full(const struct sim_disk *disk)
{
	return now_ns(disk) < disk->full_until_ns;
}

static bool is_read_only(const struct sim_disk *disk)
{
	return now_ns(disk) < disk->read_only_until_ns;
}

static bool strikes(struct sim_disk *disk, enum fault_kind kind, int64_t *ret_arg)
{
	return fault_strikes(disk->ground->faults, kind, disk->gateway, ret_arg);
}

static void until_extend(const struct sim_disk *disk, int64_t ms, int64_t *until_ns)
{
	int64_t end = now_ns(disk) + ms * MS;

	*until_ns = end > *until_ns ? end : *until_ns;
}

/* An opportunity for every fault of a disk, always in this order. True: this very operation fails. */
static bool faults_meet(struct sim_disk *disk)
{
	int64_t ms = 0;

	if (strikes(disk, FAULT_DISK_FULL, &ms))
		until_extend(disk, ms, &disk->full_until_ns);
	if (strikes(disk, FAULT_DISK_READ_ONLY, &ms))
		until_extend(disk, ms, &disk->read_only_until_ns);
	if (strikes(disk, FAULT_DISK_SLOW, &ms))
		disk->slow_ns = ms * MS > disk->slow_ns ? ms * MS : disk->slow_ns;
	return strikes(disk, FAULT_DISK_FAILS, NULL);
}

static bool is_dead(const struct view *view)
{
	return view->life && view->life->dead;
}

/* May this side change anything? */
static int change_allowed(const struct view *view)
{
	if (!view->life)
		return -EROFS;
	return view->life->dead ? -EIO : 0;
}

/* An operation that is done as a whole or not at all. 0: do it now. 1: do it, it is the life's last. */
static int change_begins(const struct view *view, const char *what, bool takes_space)
{
	int64_t done_e3;
	int failure = change_allowed(view);

	if (failure != 0)
		return failure;
	if (life_ends(view->life, what, &done_e3))
		return done_e3 >= DONE_E3 && !is_read_only(view->owner) ? 1 : -EIO;
	if (is_read_only(view->owner))
		return -EROFS;
	return takes_space && is_full(view->owner) ? -ENOSPC : 0;
}

/* ---------------------------------------------------------- open, close */

static struct handle *handle_of(const struct view *view, int file)
{
	struct handle *handle = &view->owner->handle[file < 0 || file >= HANDLES_MAX ? 0 : file];

	return file >= 0 && file < HANDLES_MAX && handle->view == view ? handle : NULL;
}

static int handle_make(const struct view *view, struct disk_file *file, int flags)
{
	struct sim_disk *disk = view->owner;

	for (int i = 0; i < HANDLES_MAX; i++)
		if (!disk->handle[i].view) {
			disk->handle[i] = (struct handle){.view = view, .file = disk_file_hold(file), .flags = flags};
			return i;
		}
	return -EMFILE;
}

static void handle_close(struct handle *handle)
{
	disk_file_drop(handle->file);
	*handle = (struct handle){0};
}

static int file_create(const struct view *view, const char *path, bool directory)
{
	int begun = change_begins(view, directory ? "make_dir" : "create", true);
	if (begun < 0)
		return begun;
	struct disk_file *file = disk_file_create(directory);
	int failure = file ? disk_names_take(&view->owner->names, path, file) : -ENOMEM;
	disk_file_drop(file);
	return begun > 0 ? -EIO : failure;
}

static int file_resize(const struct view *view, struct disk_file *file, const char *what, uint64_t size)
{
	int begun = change_begins(view, what, size > disk_file_size(file));
	if (begun < 0)
		return begun;
	int failure = disk_file_resize(file, size);
	return begun > 0 ? -EIO : failure;
}

/* Make the file as the flags ask for. */
static int file_prepare(const struct view *view, const char *path, int flags)
{
	struct disk_file *file = disk_names_find(&view->owner->names, path);

	if (!file && !(flags & DISK_CREATE))
		return -ENOENT;
	if (!file)
		return disk_names_has_parent(&view->owner->names, path) ? file_create(view, path, false) : -ENOENT;
	if (flags & DISK_CREATE && flags & DISK_EXCLUSIVE)
		return -EEXIST;
	if (disk_file_is_directory(file))
		return -EISDIR;
	if (flags & (DISK_WRITE | DISK_EMPTY) && (!view->life || is_read_only(view->owner)))
		return -EROFS;
	if (flags & DISK_EMPTY && disk_file_size(file) > 0)
		return file_resize(view, file, "truncate", 0);
	return 0;
}

static int sim_open(const struct disk *self, const char *path, int flags)
{
	const struct view *view = view_of(self);
	char clean[DISK_PATH_MAX];

	if (is_dead(view))
		return -EIO;
	if (!disk_path_clean(path, clean))
		return *path ? -ENAMETOOLONG : -ENOENT;
	int failure = file_prepare(view, clean, flags);
	if (failure != 0)
		return failure;
	return handle_make(view, disk_names_find(&view->owner->names, clean), flags);
}

static int sim_close(const struct disk *self, int file)
{
	struct handle *handle = handle_of(view_of(self), file);

	if (is_dead(view_of(self)))
		return -EIO;
	if (!handle)
		return -EBADF;
	handle_close(handle);
	return 0;
}

/* -------------------------------------------------------------- mappings */

/* What was stored since somebody last looked, page by page, as the kernel would see it. */
static void mapping_settle(const struct mapping *mapping)
{
	const uint8_t *memory = mapping->memory;
	uint64_t size = disk_file_size(mapping->file);

	for (size_t at = 0; at < mapping->size && at < size; at += 4096) {
		size_t count = mapping->size - at < 4096 ? mapping->size - at : 4096;
		count = size - at < count ? (size_t)(size - at) : count;
		if (memcmp(disk_file_bytes(mapping->file) + at, memory + at, count) != 0)
			disk_file_write(mapping->file, at, memory + at, count); /* within the file: room is there */
	}
}

static void file_settle(const struct sim_disk *disk, const struct disk_file *file)
{
	for (const struct mapping *mapping = disk->mappings; mapping; mapping = mapping->next)
		if (mapping->file == file)
			mapping_settle(mapping);
}

static void mapping_detach(struct mapping *mapping)
{
	if (!mapping->file)
		return;
	mapping_settle(mapping);
	disk_file_drop(mapping->file);
	mapping->file = NULL;
}

static int mapping_add(struct sim_disk *disk, struct disk_file *file, size_t size, void **ret_memory)
{
	struct mapping *mapping = calloc(1, sizeof *mapping);
	void *memory = malloc(size);

	if (!mapping || !memory) {
		free(mapping);
		free(memory);
		return -ENOMEM;
	}
	memcpy(memory, disk_file_bytes(file), size);
	*mapping = (struct mapping){disk->mappings, disk_file_hold(file), memory, size};
	disk->mappings = mapping;
	*ret_memory = memory;
	return 0;
}

static bool is_mapped(const struct sim_disk *disk, const struct disk_file *file)
{
	for (const struct mapping *mapping = disk->mappings; mapping; mapping = mapping->next)
		if (mapping->file == file)
			return true;
	return false;
}

static int sim_map(const struct disk *self, int file, size_t size, void **ret_memory)
{
	const struct view *view = view_of(self);
	struct handle *handle = handle_of(view, file);
	int failure = change_allowed(view);

	if (failure != 0)
		return failure;
	if (!handle)
		return -EBADF;
	if (!(handle->flags & DISK_WRITE))
		return -EACCES;
	if (size == 0)
		return -EINVAL;
	if (is_mapped(view->owner, handle->file))
		return -EBUSY;
	failure = size > disk_file_size(handle->file) ? file_resize(view, handle->file, "map", size) : 0;
	return failure != 0 ? failure : mapping_add(view->owner, handle->file, size, ret_memory);
}

/* Also by a dead process, which is past changing anything: its memory is its own to give back. */
static void sim_unmap(const struct disk *self, void *memory, size_t size)
{
	struct mapping **link = &view_of(self)->owner->mappings;

	(void)size;
	while (*link && (*link)->memory != memory)
		link = &(*link)->next;
	struct mapping *mapping = *link;
	if (!mapping)
		return;
	*link = mapping->next;
	mapping_detach(mapping);
	free(mapping->memory);
	free(mapping);
}

/* --------------------------------------------------------- read and write */

static int handle_write(struct handle *handle, const void *bytes, size_t count)
{
	uint64_t at = handle->flags & DISK_APPEND ? disk_file_size(handle->file) : handle->place;
	int failure = disk_file_write(handle->file, at, bytes, count);

	if (failure == 0)
		handle->place = at + count;
	return failure;
}

/* How much of a write is done; < 0: it fails. A disk that fills up takes the beginning. */
static int64_t write_admit(struct sim_disk *disk, size_t count)
{
	bool was_full = is_full(disk);
	bool fails = faults_meet(disk);

	if (is_read_only(disk))
		return -EROFS;
	if (fails)
		return -EIO;
	if (!is_full(disk))
		return (int64_t)count;
	uint64_t fits = was_full ? 0 : faults_random(disk->ground->faults) % count;
	return fits > 0 ? (int64_t)fits : -ENOSPC;
}

static int64_t sim_write(const struct disk *self, int file, const void *bytes, size_t count)
{
	const struct view *view = view_of(self);
	struct handle *handle = handle_of(view, file);
	int64_t done_e3, admitted = change_allowed(view);

	if (admitted != 0)
		return admitted;
	if (!handle || !(handle->flags & DISK_WRITE))
		return -EBADF;
	if (count == 0)
		return 0;
	if (count > DISK_FILE_MAX)
		return -EFBIG;
	if (life_ends(view->life, "write", &done_e3)) {
		if (!is_read_only(view->owner) && !is_full(view->owner))
			handle_write(handle, bytes, (size_t)((int64_t)count * done_e3 / 1000));
		return -EIO;
	}
	admitted = write_admit(view->owner, count);
	if (admitted < 0)
		return admitted;
	int failure = handle_write(handle, bytes, (size_t)admitted);
	return failure != 0 ? failure : admitted;
}

static int64_t sim_read_at(const struct disk *self, int file, void *bytes, size_t count, uint64_t offset)
{
	const struct view *view = view_of(self);
	struct handle *handle = handle_of(view, file);

	if (is_dead(view))
		return -EIO;
	if (!handle)
		return -EBADF;
	file_settle(view->owner, handle->file);
	uint64_t size = disk_file_size(handle->file);
	if (offset >= size || count == 0)
		return 0;
	count = size - offset < count ? (size_t)(size - offset) : count;
	memcpy(bytes, disk_file_bytes(handle->file) + offset, count);
	return (int64_t)count;
}

static int sim_size(const struct disk *self, int file, uint64_t *ret_size)
{
	const struct handle *handle = handle_of(view_of(self), file);

	if (is_dead(view_of(self)))
		return -EIO;
	if (!handle)
		return -EBADF;
	*ret_size = disk_file_size(handle->file);
	return 0;
}

static int sim_truncate(const struct disk *self, int file, uint64_t size)
{
	const struct view *view = view_of(self);
	struct handle *handle = handle_of(view, file);

	if (is_dead(view))
		return -EIO;
	if (!handle || !(handle->flags & DISK_WRITE))
		return -EBADF;
	return file_resize(view, handle->file, "truncate", size);
}

/* ------------------------------------------------------------------ sync */

/* 0: all that was asked for becomes sure; 1: it does, and the life ends; *ret_failed: what was to be written is lost to
 * later syncs. */
static int sync_begins(const struct view *view, const char *what, bool *ret_failed)
{
	int begun = change_begins(view, what, false);

	*ret_failed = begun == 0 && faults_meet(view->owner);
	if (begun != 0)
		return begun;
	if (is_read_only(view->owner)) {
		*ret_failed = false;
		return -EROFS;
	}
	return *ret_failed ? -EIO : 0;
}

static int sim_sync(const struct disk *self, int file, bool data_only)
{
	const struct view *view = view_of(self);
	struct handle *handle = handle_of(view, file);
	bool failed;

	(void)data_only; /* both write the contents and the size that is needed to read them; neither the name */
	if (is_dead(view))
		return -EIO;
	if (!handle)
		return -EBADF;
	int begun = sync_begins(view, "sync", &failed);
	file_settle(view->owner, handle->file);
	if (failed)
		disk_file_sync_failed(handle->file);
	else if (begun >= 0)
		disk_file_sync(handle->file);
	return begun > 0 ? -EIO : begun;
}

static int sim_sync_dir(const struct disk *self, const char *path)
{
	const struct view *view = view_of(self);
	char clean[DISK_PATH_MAX];
	bool failed;

	if (is_dead(view))
		return -EIO;
	if (!disk_path_clean(path, clean))
		return *path ? -ENAMETOOLONG : -ENOENT;
	if (!disk_names_has_directory(&view->owner->names, clean))
		return disk_names_find(&view->owner->names, clean) ? -ENOTDIR : -ENOENT;
	int begun = sync_begins(view, "sync_dir", &failed);
	if (begun >= 0)
		disk_names_sync(&view->owner->names, clean);
	return begun > 0 ? -EIO : begun;
}

/* ----------------------------------------------------------------- names */

static int sim_rename(const struct disk *self, const char *from, const char *to)
{
	const struct view *view = view_of(self);
	struct disk_names *names = &view->owner->names;
	char source[DISK_PATH_MAX], target[DISK_PATH_MAX];

	if (is_dead(view))
		return -EIO;
	if (!disk_path_clean(from, source) || !disk_path_clean(to, target))
		return *from && *to ? -ENAMETOOLONG : -ENOENT;
	struct disk_file *file = disk_names_find(names, source);
	struct disk_file *replaced = disk_names_find(names, target);
	if (!file || !disk_names_has_parent(names, target))
		return -ENOENT;
	if (disk_file_is_directory(file) || (replaced && disk_file_is_directory(replaced)))
		return -EISDIR; /* no gateway renames a directory, and what is in one would have to follow */
	if (file == replaced)
		return 0;
	int begun = change_begins(view, "rename", false);
	int failure = begun >= 0 ? disk_names_take(names, target, file) : begun;
	return begun > 0 ? -EIO : failure;
}

static int sim_make_dir(const struct disk *self, const char *path)
{
	const struct view *view = view_of(self);
	char clean[DISK_PATH_MAX];

	if (is_dead(view))
		return -EIO;
	if (!disk_path_clean(path, clean))
		return *path ? -ENAMETOOLONG : -ENOENT;
	if (disk_names_find(&view->owner->names, clean) || disk_names_has_directory(&view->owner->names, clean))
		return -EEXIST;
	return file_create(view, clean, true);
}

static int sim_check_dir(const struct disk *self, const char *path)
{
	const struct view *view = view_of(self);
	char clean[DISK_PATH_MAX];

	if (is_dead(view))
		return -EIO;
	if (!disk_path_clean(path, clean))
		return *path ? -ENAMETOOLONG : -ENOENT;
	if (disk_names_has_directory(&view->owner->names, clean))
		return 0;
	return disk_names_find(&view->owner->names, clean) ? -ENOTDIR : -ENOENT;
}

static int sim_exists(const struct disk *self, const char *path)
{
	const struct view *view = view_of(self);
	char clean[DISK_PATH_MAX];

	if (is_dead(view) || !disk_path_clean(path, clean))
		return 0;
	return disk_names_find(&view->owner->names, clean) || disk_names_has_directory(&view->owner->names, clean);
}

/* ----------------------------------------------------------------- locks */

static bool is_locked_by_other(const struct sim_disk *disk, const struct handle *handle)
{
	for (int i = 0; i < HANDLES_MAX; i++)
		if (&disk->handle[i] != handle && disk->handle[i].file == handle->file && disk->handle[i].locked)
			return true;
	return false;
}

static int sim_lock(const struct disk *self, int file)
{
	const struct view *view = view_of(self);
	struct handle *handle = handle_of(view, file);

	if (is_dead(view))
		return -EIO;
	if (!handle || !(handle->flags & DISK_WRITE))
		return -EBADF;
	if (is_locked_by_other(view->owner, handle))
		return -EAGAIN;
	handle->locked = true;
	return 0;
}

static int sim_locked(const struct disk *self, int file)
{
	const struct view *view = view_of(self);
	const struct handle *handle = handle_of(view, file);

	if (is_dead(view))
		return -EIO;
	return handle ? is_locked_by_other(view->owner, handle) : -EBADF;
}

/* As a number of a process: another one each start. */
static int64_t sim_process(const struct disk *self)
{
	const struct view *view = view_of(self);

	return view->life ? 1000 + view->life->number : 1;
}

/* -------------------------------------------------------------- the disk */

static const struct disk_ops sim_ops = {
	.open = sim_open,
	.close = sim_close,
	.write = sim_write,
	.read_at = sim_read_at,
	.size = sim_size,
	.truncate = sim_truncate,
	.sync = sim_sync,
	.sync_dir = sim_sync_dir,
	.rename = sim_rename,
	.make_dir = sim_make_dir,
	.check_dir = sim_check_dir,
	.exists = sim_exists,
	.lock = sim_lock,
	.locked = sim_locked,
	.map = sim_map,
	.unmap = sim_unmap,
	.process = sim_process,
};

int sim_disk_create(struct ground *ground, uint32_t gateway, struct sim_disk **ret_disk)
{
	struct sim_disk *disk = calloc(1, sizeof *disk);

	if (!disk)
		return TG_ERR_NO_MEMORY;
	disk->ground = ground;
	disk->gateway = gateway;
	snprintf(disk->who, sizeof disk->who, "g%u", gateway);
	disk->inside = (struct view){.disk = {&sim_ops}, .owner = disk};
	disk->outside = (struct view){.disk = {&sim_ops}, .owner = disk};
	*ret_disk = disk;
	return TG_OK;
}

void sim_disk_destroy(struct sim_disk *disk)
{
	if (!disk)
		return;
	while (disk->mappings)
		sim_unmap(&disk->outside.disk, disk->mappings->memory, disk->mappings->size);
	for (int i = 0; i < HANDLES_MAX; i++)
		handle_close(&disk->handle[i]);
	disk_names_finish(&disk->names);
	free(disk);
}

const struct disk *sim_disk_of_life(struct sim_disk *disk, struct life *life)
{
	disk->inside.life = life;
	return &disk->inside.disk;
}

const struct disk *sim_disk_outside(struct sim_disk *disk)
{
	return &disk->outside.disk;
}

static void power_lose(struct sim_disk *disk)
{
	struct faults *faults = disk->ground->faults;
	uint32_t names_lost = disk_names_lose_power(&disk->names, faults);

	if (names_lost > 0)
		trace_add(disk->ground->trace, disk->who, "power loss: %u new names are lost", names_lost);
	for (uint32_t i = 0; i < disk->names.count; i++) {
		struct disk_loss loss;
		if (!disk->names.name[i].now)
			continue;
		disk_file_lose_power(disk->names.name[i].now, faults, &loss);
		if (loss.unsure > 0)
			trace_add(disk->ground->trace, disk->who,
				  "power loss: %s: %llu of %llu unsynced sectors are lost, %llu bytes become %llu",
				  disk->names.name[i].path, (unsigned long long)loss.lost,
				  (unsigned long long)loss.unsure, (unsigned long long)loss.size_before,
				  (unsigned long long)loss.size_after);
	}
	disk->read_only_until_ns = 0; /* it is mounted anew */
}

void sim_disk_life_ended(struct sim_disk *disk, bool power_lost)
{
	for (struct mapping *mapping = disk->mappings; mapping; mapping = mapping->next)
		mapping_detach(mapping);
	for (int i = 0; i < HANDLES_MAX; i++)
		if (disk->handle[i].view == &disk->inside)
			handle_close(&disk->handle[i]);
	if (power_lost)
		power_lose(disk);
}

int64_t sim_disk_take_delay_ns(struct sim_disk *disk)
{
	int64_t delay_ns = disk->slow_ns;

	disk->slow_ns = 0;
	return delay_ns;
}

uint64_t sim_disk_synced(struct sim_disk *disk, const char *path)
{
	char clean[DISK_PATH_MAX];

	if (!disk_path_clean(path, clean) || !disk_names_is_sure(&disk->names, clean))
		return 0;
	const struct disk_file *file = disk_names_find(&disk->names, clean);
	file_settle(disk, file);
	return disk_file_synced(file);
}
