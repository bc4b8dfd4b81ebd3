#include "core/state/decisions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/crc32c.h"

#define NAME "decisions"
static const char magic[8] = "TGDECIS1";

struct header {
	char magic[8];
	uint32_t slots;
	uint32_t slot_size;
	char reserved[48];
};

struct slot {
	uint64_t number;
	int64_t time_ns;
	uint32_t crc;
	uint32_t reserved;
	struct record_decision decision;
};

struct file {
	struct header header;
	struct slot slot[DECISIONS_KEPT];
};

struct decisions {
	const struct disk *disk;
	struct file *file; /* mapped */
	uint64_t last;     /* number */
};

static uint32_t slot_crc(const struct slot *slot)
{
	uint32_t crc = crc32c(0, &slot->number, sizeof slot->number + sizeof slot->time_ns);
	return crc32c(crc, &slot->decision, sizeof slot->decision);
}

static bool slot_is_whole(const struct slot *slot)
{
	return slot->number != 0 && slot->crc == slot_crc(slot);
}

static bool header_fits(const struct header *header)
{
	return memcmp(header->magic, magic, sizeof magic) == 0 && header->slots == DECISIONS_KEPT &&
	       header->slot_size == sizeof(struct slot);
}

static int open_path(const struct disk *disk, const char *state_dir, int flags)
{
	char path[4096];
	if (snprintf(path, sizeof path, "%s/" NAME, state_dir) >= (int)sizeof path)
		return -ENAMETOOLONG;
	return disk_open(disk, path, flags);
}

static int file_map(const struct disk *disk, const char *state_dir, void **ret_file)
{
	int handle = open_path(disk, state_dir, DISK_WRITE | DISK_CREATE);
	if (handle < 0)
		return handle;
	int failure = disk->ops->map(disk, handle, sizeof(struct file), ret_file);
	disk_close(disk, handle);
	return failure;
}

int decisions_open(const struct disk *disk, const char *state_dir, struct decisions **ret_decisions,
		   struct tg_error *ret_error)
{
	void *map = NULL;
	struct decisions *decisions = calloc(1, sizeof *decisions);
	if (!decisions)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int failure = file_map(disk, state_dir, &map);
	if (failure != 0) {
		free(decisions);
		return tg_error_set(ret_error, TG_ERR_IO, "%s/" NAME ": %s", state_dir, strerror(-failure));
	}
	struct file *file = map;
	decisions->disk = disk;
	decisions->file = file;
	if (!header_fits(&file->header)) {
		memset(file, 0, sizeof *file);
		memcpy(file->header.magic, magic, sizeof magic);
		file->header.slots = DECISIONS_KEPT;
		file->header.slot_size = sizeof(struct slot);
	}
	for (size_t i = 0; i < DECISIONS_KEPT; i++)
		if (slot_is_whole(&file->slot[i]) && file->slot[i].number > decisions->last)
			decisions->last = file->slot[i].number;
	*ret_decisions = decisions;
	return TG_OK;
}

void decisions_close(struct decisions *decisions)
{
	if (!decisions)
		return;
	decisions->disk->ops->unmap(decisions->disk, decisions->file, sizeof *decisions->file);
	free(decisions);
}

void decisions_add(struct decisions *decisions, int64_t time_ns, const struct record_decision *decision)
{
	uint64_t number = ++decisions->last;
	struct slot *slot = &decisions->file->slot[number % DECISIONS_KEPT];
	slot->number = number;
	slot->time_ns = time_ns;
	slot->decision = *decision;
	slot->crc = slot_crc(slot);
}

/* ------------------------------------------------------------ reading */

static int by_number(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int slots_tell(struct slot *slot, size_t count, journal_fn fn, void *ctx, struct journal_report *report)
{
	int status = TG_OK;
	qsort(slot, count, sizeof *slot, by_number);
	for (size_t i = 0; i < count && status == TG_OK; i++) {
		struct journal_entry entry = {
			.position = slot[i].number,
			.time_ns = slot[i].time_ns,
			.type = RECORD_DECISION,
			.version = RECORD_VERSION,
			.size = sizeof slot[i].decision,
			.payload = &slot[i].decision,
		};
		report->last_position = entry.position;
		report->last_time_ns = entry.time_ns;
		report->records++;
		status = fn(ctx, &entry);
	}
	return status;
}

static int file_read(const struct disk *disk, int handle, const char *state_dir, struct file *file,
		     struct tg_error *ret_error)
{
	int64_t got = disk_read_all(disk, handle, file, sizeof *file, 0);
	if (got < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s/" NAME ": %s", state_dir, strerror((int)-got));
	if (!header_fits(&file->header))
		return tg_error_set(ret_error, TG_ERR_CORRUPT,
				    "%s/" NAME " is damaged or of another version; the next start begins it anew",
				    state_dir);
	return TG_OK;
}

int decisions_read(const struct disk *disk, const char *state_dir, journal_fn fn, void *ctx,
		   struct journal_report *ret_report, struct tg_error *ret_error)
{
	*ret_report = (struct journal_report){0};
	int handle = open_path(disk, state_dir, DISK_READ);
	if (handle == -ENOENT)
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "%s holds no decisions: no gateway has run there yet",
				    state_dir);
	if (handle < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s/" NAME ": %s", state_dir, strerror(-handle));
	struct file *file = calloc(1, sizeof *file);
	if (!file) {
		disk_close(disk, handle);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	int status = file_read(disk, handle, state_dir, file, ret_error);
	disk_close(disk, handle);
	size_t count = 0;
	for (size_t i = 0; status == TG_OK && i < DECISIONS_KEPT; i++)
		if (slot_is_whole(&file->slot[i]))
			file->slot[count++] = file->slot[i];
	if (status == TG_OK)
		status = slots_tell(file->slot, count, fn, ctx, ret_report);
	free(file);
	return status;
}
