/* What a simulated disk lets through: a kill or a fault strikes here, before anything is done. */
#include <errno.h>

#include "simulation/disk_state.h"

#define MS INT64_C(1000000)
/* From where on a kill inside an operation that cannot be done in part has it done. */
#define DONE_E3 500

static int64_t now_ns(const struct sim_disk *disk)
{
	return ground_ns(disk->ground);
}

bool disk_is_full(const struct sim_disk *disk)
{
	return now_ns(disk) < disk->full_until_ns && !faults_are_calm(disk->ground->faults);
}

bool disk_is_failing(const struct sim_disk *disk)
{
	return now_ns(disk) < disk->failing_until_ns && !faults_are_calm(disk->ground->faults);
}

bool disk_is_read_only(const struct sim_disk *disk)
{
	return now_ns(disk) < disk->read_only_until_ns && !faults_are_calm(disk->ground->faults);
}

int disk_may_change(const struct disk_view *view)
{
	if (!view->life)
		return -EROFS;
	return view->life->dead ? -EIO : 0;
}

/* ---------------------------------------------------------------- faults */

#define tell(disk, ...) trace_add((disk)->ground->trace, (disk)->who, __VA_ARGS__)

static bool strikes(struct sim_disk *disk, enum fault_kind kind, int64_t *ret_ms)
{
	return fault_strikes(disk->ground->faults, kind, disk->gateway, ret_ms);
}

static void until_extend(const struct sim_disk *disk, int64_t ms, int64_t *until_ns)
{
	int64_t end = now_ns(disk) + ms * MS;

	*until_ns = end > *until_ns ? end : *until_ns;
}

/* An opportunity for every fault of a disk, always in this order. True: this very operation fails. */
static bool faults_meet(struct sim_disk *disk, const char *what)
{
	int64_t ms = 0;

	if (strikes(disk, FAULT_DISK_FULL, &ms)) {
		tell(disk, "disk: full for %lld ms", (long long)ms);
		until_extend(disk, ms, &disk->full_until_ns);
	}
	if (strikes(disk, FAULT_DISK_WRITES_FAIL, &ms)) {
		tell(disk, "disk: writes fail for %lld ms", (long long)ms);
		until_extend(disk, ms, &disk->failing_until_ns);
	}
	if (strikes(disk, FAULT_DISK_READ_ONLY, &ms)) {
		tell(disk, "disk: read-only for %lld ms", (long long)ms);
		until_extend(disk, ms, &disk->read_only_until_ns);
	}
	if (strikes(disk, FAULT_DISK_SLOW, &ms)) {
		tell(disk, "disk: the next sync is %lld ms late", (long long)ms);
		disk->slow_ns = ms * MS > disk->slow_ns ? ms * MS : disk->slow_ns;
	}
	bool fails = strikes(disk, FAULT_DISK_FAILS, NULL);
	if (fails)
		tell(disk, "disk: %s fails", what);
	return fails;
}

/* ------------------------------------------------------------ operations */

int disk_change_begins(const struct disk_view *view, const char *what, bool takes_space)
{
	const struct sim_disk *disk = view->owner;
	int64_t done_e3;
	int failure = disk_may_change(view);

	if (failure != 0)
		return failure;
	bool ends = life_ends(view->life, what, &done_e3);
	if (disk_is_read_only(disk))
		failure = -EROFS;
	else if (takes_space && disk_is_full(disk))
		failure = -ENOSPC;
	if (ends)
		return failure == 0 && done_e3 >= DONE_E3 ? 1 : -EIO;
	return failure;
}

/* A disk that fills up takes the beginning. */
static int64_t write_admit(struct sim_disk *disk, size_t count)
{
	bool was_full = disk_is_full(disk);
	bool fails = faults_meet(disk, "a write");

	if (disk_is_read_only(disk))
		return -EROFS;
	if (fails || disk_is_failing(disk))
		return -EIO;
	if (!disk_is_full(disk))
		return (int64_t)count;
	uint64_t fits = was_full ? 0 : faults_random(disk->ground->faults) % count;
	return fits > 0 ? (int64_t)fits : -ENOSPC;
}

int64_t disk_write_begins(const struct disk_view *view, size_t count, bool *ret_last)
{
	const struct sim_disk *disk = view->owner;
	int64_t done_e3;
	int failure = disk_may_change(view);

	if (failure != 0)
		return failure;
	*ret_last = life_ends(view->life, "write", &done_e3);
	if (!*ret_last)
		return write_admit(view->owner, count);
	return disk_is_read_only(disk) || disk_is_full(disk) || disk_is_failing(disk) ? 0
										      : (int64_t)count * done_e3 / 1000;
}

int disk_sync_begins(const struct disk_view *view, const char *what, bool *ret_failed)
{
	int begun = disk_change_begins(view, what, false);

	*ret_failed = false;
	if (begun != 0)
		return begun;
	bool fails = faults_meet(view->owner, what);
	if (disk_is_read_only(view->owner))
		return -EROFS;
	*ret_failed = fails;
	return fails ? -EIO : 0;
}

int disk_resize(const struct disk_view *view, struct disk_file *file, const char *what, uint64_t size)
{
	int begun = disk_change_begins(view, what, size > disk_file_size(file));

	if (begun < 0)
		return begun;
	int failure = disk_file_resize(file, size);
	return begun > 0 ? -EIO : failure;
}
