#include "simulation/disk_file.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECTORS(size) (((size) + DISK_SECTOR - 1) / DISK_SECTOR)
#define CAPACITY_LEAST UINT64_C(4096)
#define SIZES_MAX 64

/* Of a sector. */
enum { UNSURE = 1, PENDING = 2, SAVED = 4, LOST = 8 };

/* What a sector surely holds on disk, where that is no longer what the file holds. */
struct saved {
	uint64_t sector;
	uint8_t bytes[DISK_SECTOR];
};

struct disk_file {
	uint32_t held;
	bool directory;
	bool doomed; /* a sync failed: some sectors may be UNSURE and not PENDING */
	uint64_t size, capacity;
	uint8_t *bytes;                    /* capacity of them; behind `size` anything */
	uint8_t *flags;                    /* of capacity / DISK_SECTOR sectors */
	uint64_t pending_from, pending_to; /* no sector outside is PENDING */

	/* the last sync's, and since then */
	uint64_t synced_size;
	uint64_t least_size;
	uint64_t sizes[SIZES_MAX]; /* that it had; thinned out when full */
	uint32_t size_count;
	struct saved *saved;
	uint32_t saved_count, saved_capacity;
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct disk_file *disk_file_create(bool directory)
{
	struct disk_file *file = calloc(1, sizeof *file);

	if (file) {
		file->held = 1;
		file->directory = directory;
	}
	return file;
}

struct disk_file *disk_file_hold(struct disk_file *file)
{
	if (file)
		file->held++;
	return file;
}

void disk_file_drop(struct disk_file *file)
{
	if (!file || --file->held > 0)
		return;
	free(file->bytes);
	free(file->flags);
	free(file->saved);
	free(file);
}

bool disk_file_is_directory(const struct disk_file *file)
{
	return file->directory;
}

uint64_t disk_file_size(const struct disk_file *file)
{
	return file->size;
}

const uint8_t *disk_file_bytes(const struct disk_file *file)
{
	return file->bytes;
}

/* -------------------------------------------------------------- changing */

static int capacity_reserve(struct disk_file *file, uint64_t size)
{
	uint64_t capacity = file->capacity ? file->capacity : CAPACITY_LEAST;

	if (size > DISK_FILE_MAX)
		return -EFBIG;
	if (size <= file->capacity)
		return 0;
	while (capacity < size)
		capacity *= 2;
	uint8_t *flags = realloc(file->flags, capacity / DISK_SECTOR);
	if (!flags)
		return -ENOMEM;
	file->flags = flags;
	uint8_t *bytes = realloc(file->bytes, capacity);
	if (!bytes)
		return -ENOMEM;
	file->bytes = bytes;
	memset(flags + file->capacity / DISK_SECTOR, 0, (capacity - file->capacity) / DISK_SECTOR);
	file->capacity = capacity;
	return 0;
}

static int saved_reserve(struct disk_file *file, uint64_t more)
{
	if (file->saved_capacity - file->saved_count >= more)
		return 0;
	struct saved *saved = reallocarray(file->saved, file->saved_count + more + 8, sizeof *saved);
	if (!saved)
		return -ENOMEM;
	file->saved = saved;
	file->saved_capacity = (uint32_t)(file->saved_count + more + 8);
	return 0;
}

/* What the file holds of a sector up to `size`, with zeros behind. */
static void sector_copy(const struct disk_file *file, uint64_t sector, uint64_t size, uint8_t ret_bytes[DISK_SECTOR])
{
	uint64_t at = sector * DISK_SECTOR;
	uint64_t count = size > at ? least(size - at, DISK_SECTOR) : 0;

	memset(ret_bytes, 0, DISK_SECTOR);
	if (count > 0)
		memcpy(ret_bytes, file->bytes + at, count);
}

/* Room must be reserved. */
static void sector_save(struct disk_file *file, uint64_t sector)
{
	assert(file->saved_count < file->saved_capacity);
	struct saved *saved = &file->saved[file->saved_count++];

	saved->sector = sector;
	sector_copy(file, sector, file->synced_size, saved->bytes);
	file->flags[sector] |= SAVED;
}

/* The bytes from `from` to `to`, which the file has room for, are about to change: keep what was synced of them. */
static int range_change(struct disk_file *file, uint64_t from, uint64_t to)
{
	uint64_t first = from / DISK_SECTOR, end = SECTORS(to);
	uint64_t synced_end = from < file->synced_size ? least(end, SECTORS(file->synced_size)) : first;
	int failure = saved_reserve(file, synced_end - first);

	if (failure != 0)
		return failure;
	for (uint64_t sector = first; sector < synced_end; sector++)
		if (!(file->flags[sector] & SAVED))
			sector_save(file, sector);
	for (uint64_t sector = first; sector < end; sector++)
		file->flags[sector] |= UNSURE | PENDING;
	if (file->pending_from == file->pending_to) {
		file->pending_from = first;
		file->pending_to = end;
	} else {
		file->pending_from = least(file->pending_from, first);
		file->pending_to = end > file->pending_to ? end : file->pending_to;
	}
	return 0;
}

/* Room must be there. */
static void size_set(struct disk_file *file, uint64_t size)
{
	if (size > file->size)
		memset(file->bytes + file->size, 0, size - file->size);
	file->size = size;
	file->least_size = least(file->least_size, size);
	if (file->size_count == SIZES_MAX) {
		for (uint32_t i = 0; i < SIZES_MAX / 2; i++)
			file->sizes[i] = file->sizes[2 * i];
		file->size_count = SIZES_MAX / 2;
	}
	file->sizes[file->size_count++] = size;
}

int disk_file_write(struct disk_file *file, uint64_t offset, const void *bytes, size_t count)
{
	if (count == 0)
		return 0;
	if (offset > DISK_FILE_MAX || count > DISK_FILE_MAX)
		return -EFBIG;
	uint64_t end = offset + count;
	int failure = capacity_reserve(file, end);
	if (failure == 0)
		failure = range_change(file, least(offset, file->size), end);
	if (failure != 0)
		return failure;
	if (end > file->size)
		size_set(file, end);
	memcpy(file->bytes + offset, bytes, count);
	return 0;
}

int disk_file_resize(struct disk_file *file, uint64_t size)
{
	if (size == file->size)
		return 0;
	int failure = capacity_reserve(file, size);
	if (failure == 0)
		failure = range_change(file, least(size, file->size), size > file->size ? size : file->size);
	if (failure == 0)
		size_set(file, size);
	return failure;
}

/* --------------------------------------------------------------- syncing */

/* Forget the old contents of sectors for which there is no flag SAVED any more. */
static void saved_sweep(struct disk_file *file)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < file->saved_count; i++)
		if (file->flags[file->saved[i].sector] & SAVED)
			file->saved[kept++] = file->saved[i];
	file->saved_count = kept;
}

/* A sector that an earlier sync failed to write stays as unsure as it is, while the synced size moves on. */
static int doomed_save(struct disk_file *file)
{
	uint64_t doomed = 0, sectors = file->capacity / DISK_SECTOR;

	for (uint64_t sector = 0; sector < sectors; sector++)
		doomed += (file->flags[sector] & (UNSURE | PENDING)) == UNSURE;
	if (saved_reserve(file, doomed) != 0)
		return -ENOMEM;
	for (uint64_t sector = 0; doomed > 0 && sector < sectors; sector++)
		if ((file->flags[sector] & (UNSURE | PENDING | SAVED)) == UNSURE)
			sector_save(file, sector);
	file->doomed = doomed > 0;
	return 0;
}

void disk_file_sync(struct disk_file *file)
{
	if (file->doomed && doomed_save(file) != 0)
		return; /* nothing is synced for want of memory: a power loss may take more, which is its right */
	for (uint64_t sector = file->pending_from; sector < file->pending_to; sector++)
		if (file->flags[sector] & PENDING)
			file->flags[sector] = 0;
	file->pending_from = file->pending_to = 0;
	if (file->saved_count > 0)
		saved_sweep(file);
	file->synced_size = file->least_size = file->size;
	file->size_count = 0;
}

void disk_file_sync_failed(struct disk_file *file)
{
	for (uint64_t sector = file->pending_from; sector < file->pending_to; sector++)
		file->flags[sector] &= (uint8_t)~PENDING;
	file->doomed |= file->pending_from < file->pending_to;
	file->pending_from = file->pending_to = 0;
}

uint64_t disk_file_synced(const struct disk_file *file)
{
	uint64_t synced = least(file->synced_size, file->least_size);

	for (uint32_t i = 0; i < file->saved_count; i++) {
		uint64_t at = file->saved[i].sector * DISK_SECTOR;
		for (uint64_t n = 0; at + n < synced && n < DISK_SECTOR; n++)
			if (file->bytes[at + n] != file->saved[i].bytes[n])
				synced = at + n;
	}
	return synced;
}

/* ------------------------------------------------------------ power loss */

/* One of those that it had since it was synced; the first and the last often enough to be met. */
static uint64_t size_survives(const struct disk_file *file, struct faults *faults)
{
	if (file->size_count == 0)
		return file->size;
	uint64_t random = faults_random(faults);
	switch (random % 4) {
	case 0: return file->synced_size;
	case 1: return file->size;
	default: return file->sizes[random / 4 % file->size_count];
	}
}

/* A sector that was appended to several times may have been written between two of them. */
static void sector_tear(const struct disk_file *file, uint64_t sector, uint8_t bytes[DISK_SECTOR])
{
	uint64_t at = sector * DISK_SECTOR;

	if (file->flags[sector] & SAVED)
		return;
	for (uint32_t i = 0; i < file->size_count; i++)
		if (file->sizes[i] > at && file->sizes[i] >= file->synced_size && file->sizes[i] < at + DISK_SECTOR) {
			memset(bytes + (file->sizes[i] - at), 0, at + DISK_SECTOR - file->sizes[i]);
			return;
		}
}

/* The new contents of an unsure sector stay. */
static void sector_keep(struct disk_file *file, uint64_t sector, bool torn)
{
	uint8_t bytes[DISK_SECTOR];

	sector_copy(file, sector, file->size, bytes);
	if (torn)
		sector_tear(file, sector, bytes);
	memcpy(file->bytes + sector * DISK_SECTOR, bytes, DISK_SECTOR);
}

/* They go; what was saved of the old ones is put in later, for all at once. */
static void sector_lose(struct disk_file *file, uint64_t sector)
{
	uint8_t bytes[DISK_SECTOR];

	sector_copy(file, sector, file->synced_size, bytes);
	memcpy(file->bytes + sector * DISK_SECTOR, bytes, DISK_SECTOR);
	file->flags[sector] |= LOST;
}

static void saved_restore(struct disk_file *file)
{
	for (uint32_t i = 0; i < file->saved_count; i++)
		if (file->flags[file->saved[i].sector] & LOST)
			memcpy(file->bytes + file->saved[i].sector * DISK_SECTOR, file->saved[i].bytes, DISK_SECTOR);
}

/* Sectors are written in any order, each whole or not at all. */
static void sectors_choose(struct disk_file *file, struct faults *faults, struct disk_loss *loss)
{
	/* nothing stays, everything, or some: each is likely enough to be met */
	static const uint8_t odds_e2[] = {0, 100, 50, 50, 90};
	uint32_t odds = 0;

	for (uint64_t sector = 0; sector < file->capacity / DISK_SECTOR; sector++) {
		if (!(file->flags[sector] & UNSURE))
			continue;
		if (loss->unsure++ == 0)
			odds = odds_e2[faults_random(faults) % sizeof odds_e2];
		uint64_t random = faults_random(faults);
		if (random % 100 < odds) {
			sector_keep(file, sector, odds < 100 && random / 100 % 4 == 0);
		} else {
			sector_lose(file, sector);
			loss->lost++;
		}
	}
	saved_restore(file);
}

static void everything_is_synced(struct disk_file *file)
{
	memset(file->flags, 0, file->capacity / DISK_SECTOR);
	file->saved_count = file->size_count = 0;
	file->pending_from = file->pending_to = 0;
	file->doomed = false;
	file->synced_size = file->least_size = file->size;
}

void disk_file_lose_power(struct disk_file *file, struct faults *faults, struct disk_loss *ret_loss)
{
	*ret_loss = (struct disk_loss){.size_before = file->size, .size_after = file->size};
	if (file->capacity == 0)
		return;
	uint64_t size = size_survives(file, faults);
	sectors_choose(file, faults, ret_loss);
	file->size = ret_loss->size_after = size;
	everything_is_synced(file);
}
