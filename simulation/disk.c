#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/disk_state.h"

/* ---------------------------------------------------------- open, close */

struct disk_handle *disk_handle_of(const struct disk_view *view, int file)
{
	if (file < 0 || file >= DISK_HANDLES_MAX || view->owner->handle[file].view != view)
		return NULL;
	return &view->owner->handle[file];
}

static int handle_make(const struct disk_view *view, struct disk_file *file, int flags)
{
	struct sim_disk *disk = view->owner;

	for (int i = 0; i < DISK_HANDLES_MAX; i++)
		if (!disk->handle[i].view) {
			disk->handle[i] =
				(struct disk_handle){.view = view, .file = disk_file_hold(file), .flags = flags};
			return i;
		}
	return -EMFILE;
}

static void handle_close(struct disk_handle *handle)
{
	disk_file_drop(handle->file);
	*handle = (struct disk_handle){0};
}

static int file_create(const struct disk_view *view, const char *path, bool directory)
{
	int begun = disk_change_begins(view, directory ? "make_dir" : "create", true);
	if (begun < 0)
		return begun;
	struct disk_file *file = disk_file_create(directory);
	int failure = file ? disk_names_take(&view->owner->names, path, file) : -ENOMEM;
	disk_file_drop(file);
	return begun > 0 ? -EIO : failure;
}

/* What a call begins with: 0, or -errno where there is no such place to look. */
static int path_reach(const struct disk_view *view, const char *path, char ret_clean[DISK_PATH_MAX])
{
	if (disk_is_dead(view))
		return -EIO;
	return disk_path_clean(path, ret_clean) ? 0 : *path ? -ENAMETOOLONG : -ENOENT;
}

/* Make the file as the flags ask for. */
static int file_prepare(const struct disk_view *view, const char *path, int flags)
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
	if (flags & (DISK_WRITE | DISK_EMPTY) && (!view->life || disk_is_read_only(view->owner)))
		return -EROFS;
	if (flags & DISK_EMPTY && disk_file_size(file) > 0)
		return disk_resize(view, file, "truncate", 0);
	return 0;
}

static int sim_open(const struct disk *self, const char *path, int flags)
{
	const struct disk_view *view = disk_view_of(self);
	char clean[DISK_PATH_MAX];
	int reached = path_reach(view, path, clean);

	if (reached < 0)
		return reached;
	struct disk_file *gone = view->life ? NULL : disk_names_find_gone(&view->owner->names, clean);
	if (gone && flags == DISK_READ)
		return handle_make(view, gone, flags);
	int failure = file_prepare(view, clean, flags);
	if (failure != 0)
		return failure;
	return handle_make(view, disk_names_find(&view->owner->names, clean), flags);
}

static int sim_close(const struct disk *self, int file)
{
	struct disk_handle *handle = disk_handle_of(disk_view_of(self), file);

	if (disk_is_dead(disk_view_of(self)))
		return -EIO;
	if (!handle)
		return -EBADF;
	handle_close(handle);
	return 0;
}

/* --------------------------------------------------------- read and write */

/* At `at`; returns how much was written. */
static int64_t handle_write(const struct disk_view *view, struct disk_handle *handle, const void *bytes, size_t count,
			    uint64_t at)
{
	bool last = false;

	if (count == 0)
		return 0;
	if (count > DISK_FILE_MAX || at > DISK_FILE_MAX)
		return -EFBIG;
	int64_t admitted = disk_write_begins(view, count, &last);
	if (admitted < 0)
		return admitted;
	int failure = disk_file_write(handle->file, at, bytes, (size_t)admitted);
	if (last)
		return -EIO;
	return failure != 0 ? failure : admitted;
}

static int64_t sim_write(const struct disk *self, int file, const void *bytes, size_t count)
{
	const struct disk_view *view = disk_view_of(self);
	struct disk_handle *handle = disk_handle_of(view, file);
	int failure = disk_may_change(view);

	if (failure != 0)
		return failure;
	if (!handle || !(handle->flags & DISK_WRITE))
		return -EBADF;
	uint64_t at = handle->flags & DISK_APPEND ? disk_file_size(handle->file) : handle->place;
	int64_t done = handle_write(view, handle, bytes, count, at);
	if (done > 0)
		handle->place = at + (uint64_t)done;
	return done;
}

static int64_t sim_write_at(const struct disk *self, int file, const void *bytes, size_t count, uint64_t offset)
{
	const struct disk_view *view = disk_view_of(self);
	struct disk_handle *handle = disk_handle_of(view, file);
	int failure = disk_may_change(view);

	if (failure != 0)
		return failure;
	if (!handle || !(handle->flags & DISK_WRITE) || handle->flags & DISK_APPEND)
		return -EBADF;
	return handle_write(view, handle, bytes, count, offset);
}

static int64_t sim_read_at(const struct disk *self, int file, void *bytes, size_t count, uint64_t offset)
{
	const struct disk_view *view = disk_view_of(self);
	struct disk_handle *handle = disk_handle_of(view, file);

	if (disk_is_dead(view))
		return -EIO;
	if (!handle)
		return -EBADF;
	disk_settle(view->owner, handle->file);
	uint64_t size = disk_file_size(handle->file);
	if (offset >= size || count == 0)
		return 0;
	count = size - offset < count ? (size_t)(size - offset) : count;
	memcpy(bytes, disk_file_bytes(handle->file) + offset, count);
	return (int64_t)count;
}

static int sim_size(const struct disk *self, int file, uint64_t *ret_size)
{
	const struct disk_handle *handle = disk_handle_of(disk_view_of(self), file);

	if (disk_is_dead(disk_view_of(self)))
		return -EIO;
	if (!handle)
		return -EBADF;
	*ret_size = disk_file_size(handle->file);
	return 0;
}

static int sim_truncate(const struct disk *self, int file, uint64_t size)
{
	const struct disk_view *view = disk_view_of(self);
	struct disk_handle *handle = disk_handle_of(view, file);

	if (disk_is_dead(view))
		return -EIO;
	if (!handle || !(handle->flags & DISK_WRITE))
		return -EBADF;
	return disk_resize(view, handle->file, "truncate", size);
}

/* ------------------------------------------------------------------ sync */

static int sim_sync(const struct disk *self, int file, bool data_only)
{
	const struct disk_view *view = disk_view_of(self);
	struct disk_handle *handle = disk_handle_of(view, file);
	bool failed;

	(void)data_only; /* both write the contents and the size that is needed to read them; neither the name */
	if (disk_is_dead(view))
		return -EIO;
	if (!handle)
		return -EBADF;
	int begun = disk_sync_begins(view, "sync", &failed);
	disk_settle(view->owner, handle->file);
	if (failed)
		disk_file_sync_failed(handle->file);
	else if (begun >= 0)
		disk_file_sync(handle->file);
	return begun > 0 ? -EIO : begun;
}

static int sim_sync_dir(const struct disk *self, const char *path)
{
	const struct disk_view *view = disk_view_of(self);
	char clean[DISK_PATH_MAX];
	bool failed;
	int reached = path_reach(view, path, clean);

	if (reached < 0)
		return reached;
	if (!disk_names_has_directory(&view->owner->names, clean))
		return disk_names_find(&view->owner->names, clean) ? -ENOTDIR : -ENOENT;
	int begun = disk_sync_begins(view, "sync_dir", &failed);
	if (begun >= 0)
		disk_names_sync(&view->owner->names, clean);
	return begun > 0 ? -EIO : begun;
}

/* ----------------------------------------------------------------- names */

static int sim_rename(const struct disk *self, const char *from, const char *to)
{
	const struct disk_view *view = disk_view_of(self);
	struct disk_names *names = &view->owner->names;
	char source[DISK_PATH_MAX], target[DISK_PATH_MAX];

	if (disk_is_dead(view))
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
	int begun = disk_change_begins(view, "rename", false);
	int failure = begun >= 0 ? disk_names_take(names, target, file) : begun;
	return begun > 0 ? -EIO : failure;
}

static int sim_remove(const struct disk *self, const char *path)
{
	const struct disk_view *view = disk_view_of(self);
	char clean[DISK_PATH_MAX];
	int reached = path_reach(view, path, clean);

	if (reached < 0)
		return reached;
	const struct disk_file *file = disk_names_find(&view->owner->names, clean);
	if (!file)
		return -ENOENT;
	if (disk_file_is_directory(file))
		return -EISDIR;
	int begun = disk_change_begins(view, "remove", false);
	int failure = begun >= 0 ? disk_names_remove(&view->owner->names, clean) : begun;
	return begun > 0 ? -EIO : failure;
}

/* From outside with the names that were removed: what a gateway needs no more, an observer reads. */
static int sim_list(const struct disk *self, const char *path, void (*fn)(void *ctx, const char *name), void *ctx)
{
	const struct disk_view *view = disk_view_of(self);
	const struct disk_names *names = &view->owner->names;
	char clean[DISK_PATH_MAX];
	int reached = path_reach(view, path, clean);

	if (reached < 0)
		return reached;
	if (!disk_names_has_directory(names, clean))
		return disk_names_find(names, clean) ? -ENOTDIR : -ENOENT;
	for (uint32_t i = 0; i < names->count; i++)
		if (disk_path_is_in(names->name[i].path, clean) &&
		    (names->name[i].now || (!view->life && names->name[i].gone)))
			fn(ctx, strrchr(names->name[i].path, '/') ? strrchr(names->name[i].path, '/') + 1
								  : names->name[i].path);
	return 0;
}

static int sim_make_dir(const struct disk *self, const char *path)
{
	const struct disk_view *view = disk_view_of(self);
	char clean[DISK_PATH_MAX];
	int reached = path_reach(view, path, clean);

	if (reached < 0)
		return reached;
	if (disk_names_find(&view->owner->names, clean) || disk_names_has_directory(&view->owner->names, clean))
		return -EEXIST;
	return file_create(view, clean, true);
}

static int sim_check_dir(const struct disk *self, const char *path)
{
	const struct disk_view *view = disk_view_of(self);
	char clean[DISK_PATH_MAX];
	int reached = path_reach(view, path, clean);

	if (reached < 0)
		return reached;
	if (disk_names_has_directory(&view->owner->names, clean))
		return 0;
	return disk_names_find(&view->owner->names, clean) ? -ENOTDIR : -ENOENT;
}

static int sim_exists(const struct disk *self, const char *path)
{
	const struct disk_view *view = disk_view_of(self);
	char clean[DISK_PATH_MAX];

	if (disk_is_dead(view) || !disk_path_clean(path, clean))
		return 0;
	return disk_names_find(&view->owner->names, clean) || disk_names_has_directory(&view->owner->names, clean);
}

/* ----------------------------------------------------------------- locks */

static bool is_locked_by_other(const struct sim_disk *disk, const struct disk_handle *handle)
{
	for (int i = 0; i < DISK_HANDLES_MAX; i++)
		if (&disk->handle[i] != handle && disk->handle[i].file == handle->file && disk->handle[i].locked)
			return true;
	return false;
}

static int sim_lock(const struct disk *self, int file)
{
	const struct disk_view *view = disk_view_of(self);
	struct disk_handle *handle = disk_handle_of(view, file);

	if (disk_is_dead(view))
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
	const struct disk_view *view = disk_view_of(self);
	const struct disk_handle *handle = disk_handle_of(view, file);

	if (disk_is_dead(view))
		return -EIO;
	return handle ? is_locked_by_other(view->owner, handle) : -EBADF;
}

/* As a number of a process: another one each start. */
static int64_t sim_process(const struct disk *self)
{
	const struct disk_view *view = disk_view_of(self);

	return view->life ? 1000 + view->life->number : 1;
}

/* -------------------------------------------------------------- the disk */

static const struct disk_ops sim_ops = {
	.open = sim_open,
	.close = sim_close,
	.write = sim_write,
	.write_at = sim_write_at,
	.read_at = sim_read_at,
	.size = sim_size,
	.truncate = sim_truncate,
	.sync = sim_sync,
	.sync_dir = sim_sync_dir,
	.rename = sim_rename,
	.remove = sim_remove,
	.list = sim_list,
	.make_dir = sim_make_dir,
	.check_dir = sim_check_dir,
	.exists = sim_exists,
	.lock = sim_lock,
	.locked = sim_locked,
	.map = disk_map,
	.unmap = disk_unmap,
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
	disk->inside = (struct disk_view){.disk = {&sim_ops}, .owner = disk};
	disk->outside = (struct disk_view){.disk = {&sim_ops}, .owner = disk};
	*ret_disk = disk;
	return TG_OK;
}

void sim_disk_destroy(struct sim_disk *disk)
{
	if (!disk)
		return;
	assert(!disk->mappings); /* the gateway let go of what it mapped */
	for (int i = 0; i < DISK_HANDLES_MAX; i++)
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
	disk_mappings_detach(disk);
	for (int i = 0; i < DISK_HANDLES_MAX; i++)
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
	disk_settle(disk, file);
	return disk_file_synced(file);
}
