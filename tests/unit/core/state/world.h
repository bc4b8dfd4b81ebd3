/* A world for state: a disk over the machine's that counts, fails when told and can be dead; workers that take turns on
 * one thread in a time of their own. */
#ifndef TRIGATE_TESTS_WORLD_H
#define TRIGATE_TESTS_WORLD_H

#include <errno.h>
#include <stdlib.h>

#include <trigate/error.h>

#include "core/io/disk.h"
#include "core/io/worker.h"

/* -------------------------------------------------------------- disk */

struct world_disk {
	struct disk disk;
	unsigned calls;   /* of what can fail */
	unsigned fail_at; /* the call that fails, from 1; 0: none */
	bool dead;        /* every call fails */
	unsigned syncs;   /* tried */
	bool sync_fails;
};

static bool world_fails(const struct disk *disk)
{
	struct world_disk *world = (struct world_disk *)(uintptr_t)disk;
	return ++world->calls == world->fail_at || world->dead;
}

#define WORLD_CALL(call) (world_fails(disk) ? -EIO : (disk_system.ops->call))

static int world_open(const struct disk *disk, const char *path, int flags)
{
	return WORLD_CALL(open(disk, path, flags));
}
static int world_close(const struct disk *disk, int file) /* always closes: no handle is lost */
{
	int closed = disk_system.ops->close(disk, file);
	return world_fails(disk) ? -EIO : closed;
}
static int64_t world_write(const struct disk *disk, int file, const void *bytes, size_t count)
{
	return WORLD_CALL(write(disk, file, bytes, count));
}
static int64_t world_read_at(const struct disk *disk, int file, void *bytes, size_t count, uint64_t offset)
{
	return WORLD_CALL(read_at(disk, file, bytes, count, offset));
}
static int world_size(const struct disk *disk, int file, uint64_t *ret_size)
{
	return WORLD_CALL(size(disk, file, ret_size));
}
static int world_truncate(const struct disk *disk, int file, uint64_t size)
{
	return WORLD_CALL(truncate(disk, file, size));
}
static int world_sync(const struct disk *disk, int file, bool data_only)
{
	struct world_disk *world = (struct world_disk *)(uintptr_t)disk;
	world->syncs++;
	return world->sync_fails ? -EIO : WORLD_CALL(sync(disk, file, data_only));
}
static int64_t world_write_at(const struct disk *disk, int file, const void *bytes, size_t count, uint64_t offset)
{
	return WORLD_CALL(write_at(disk, file, bytes, count, offset));
}
static int world_sync_dir(const struct disk *disk, const char *path)
{
	return WORLD_CALL(sync_dir(disk, path));
}
static int world_rename(const struct disk *disk, const char *from, const char *to)
{
	return WORLD_CALL(rename(disk, from, to));
}
static int world_remove(const struct disk *disk, const char *path)
{
	return WORLD_CALL(remove(disk, path));
}
static int world_list(const struct disk *disk, const char *path, void (*fn)(void *ctx, const char *name), void *ctx)
{
	return WORLD_CALL(list(disk, path, fn, ctx));
}
static int world_make_dir(const struct disk *disk, const char *path)
{
	return WORLD_CALL(make_dir(disk, path));
}
static int world_check_dir(const struct disk *disk, const char *path)
{
	return WORLD_CALL(check_dir(disk, path));
}
static int world_exists(const struct disk *disk, const char *path)
{
	return disk_system.ops->exists(disk, path);
}
static int world_lock(const struct disk *disk, int file)
{
	return WORLD_CALL(lock(disk, file));
}
static int world_locked(const struct disk *disk, int file)
{
	return WORLD_CALL(locked(disk, file));
}
static int world_map(const struct disk *disk, int file, size_t size, void **ret_memory)
{
	return WORLD_CALL(map(disk, file, size, ret_memory));
}
static void world_unmap(const struct disk *disk, void *memory, size_t size)
{
	disk_system.ops->unmap(disk, memory, size);
}

static const struct disk_ops world_disk_ops = {
	.open = world_open,
	.close = world_close,
	.write = world_write,
	.write_at = world_write_at,
	.read_at = world_read_at,
	.size = world_size,
	.truncate = world_truncate,
	.sync = world_sync,
	.sync_dir = world_sync_dir,
	.rename = world_rename,
	.remove = world_remove,
	.list = world_list,
	.make_dir = world_make_dir,
	.check_dir = world_check_dir,
	.exists = world_exists,
	.lock = world_lock,
	.locked = world_locked,
	.map = world_map,
	.unmap = world_unmap,
};

#define WORLD_DISK() ((struct world_disk){.disk = {&world_disk_ops}})

/* ----------------------------------------------------------- workers */

#define WORLD_WORKERS_MAX 4

struct world_workers {
	struct workers workers;
	int64_t now_ns;
	int64_t slept_ns; /* that the machine did: on one of its clocks only */
	bool dead;        /* nothing takes a turn any more */
	struct world_worker *worker[WORLD_WORKERS_MAX];
};

struct world_worker {
	struct worker worker;
	struct world_workers *world;
	int64_t due_ns;
	unsigned turns;
	bool running;
};

static void world_turn(struct world_worker *worker)
{
	const struct worker_job *job = &worker->worker.job;
	if (worker->running)
		abort(); /* a turn inside itself */
	worker->running = true;
	worker->turns++;
	worker->due_ns = job->turn(job->ctx, worker->world->now_ns);
	worker->running = false;
	if (worker->due_ns > worker->world->now_ns && job->has_news(job->ctx, worker->due_ns))
		worker->due_ns = worker->world->now_ns;
}

static int world_worker_start(const struct workers *workers, const struct worker_job *job, struct worker **ret_worker)
{
	struct world_workers *world = (struct world_workers *)(uintptr_t)workers;
	struct world_worker *worker = calloc(1, sizeof *worker);
	size_t i = 0;
	while (i < WORLD_WORKERS_MAX && world->worker[i])
		i++;
	if (!worker || i == WORLD_WORKERS_MAX)
		abort();
	worker->worker = (struct worker){workers->ops, *job};
	worker->world = world;
	world->worker[i] = worker;
	*ret_worker = &worker->worker;
	return TG_OK;
}

static void world_worker_wake(struct worker *self, bool urgent)
{
	struct world_worker *worker = (struct world_worker *)self;
	if (urgent || worker->due_ns == WORKER_WHEN_WOKEN)
		worker->due_ns = worker->world->now_ns;
}

static bool world_worker_wait(struct worker *self, bool (*done)(void *ctx), void *ctx, int64_t timeout_ms)
{
	struct world_worker *worker = (struct world_worker *)self;
	struct world_workers *world = worker->world;
	int64_t until_ns = timeout_ms < 0 ? INT64_MAX - 1 : world->now_ns + timeout_ms * 1000000;

	world_worker_wake(self, true);
	while (!world->dead && !done(ctx)) {
		if (worker->due_ns == WORKER_WHEN_WOKEN && timeout_ms < 0)
			abort(); /* it would be waited for for ever */
		if (worker->due_ns > until_ns) {
			world->now_ns = until_ns;
			break;
		}
		if (worker->due_ns > world->now_ns)
			world->now_ns = worker->due_ns;
		world_turn(worker);
	}
	return done(ctx);
}

static void world_worker_stop(struct worker *self)
{
	struct world_worker *worker = (struct world_worker *)self;
	for (size_t i = 0; i < WORLD_WORKERS_MAX; i++)
		if (worker->world->worker[i] == worker)
			worker->world->worker[i] = NULL;
	free(worker);
}

static int64_t world_now_ns(const struct workers *workers)
{
	return ((const struct world_workers *)workers)->now_ns;
}

static int64_t world_boot_ns(const struct workers *workers)
{
	const struct world_workers *world = (const struct world_workers *)workers;
	return world->now_ns + world->slept_ns;
}

static int world_monitor(const struct workers *workers, struct monitor **ret_monitor)
{
	(void)workers;
	*ret_monitor = monitor_alone();
	return TG_OK;
}

static const struct workers_ops world_workers_ops = {
	.start = world_worker_start,
	.wake = world_worker_wake,
	.wait = world_worker_wait,
	.stop = world_worker_stop,
	.now_ns = world_now_ns,
	.boot_ns = world_boot_ns,
	.monitor = world_monitor,
};

#define WORLD_WORKERS() ((struct world_workers){.workers = {&world_workers_ops}, .now_ns = 1000})

static struct world_worker *world_next(const struct world_workers *world)
{
	struct world_worker *next = NULL;
	for (size_t i = 0; i < WORLD_WORKERS_MAX; i++)
		if (world->worker[i] && (!next || world->worker[i]->due_ns < next->due_ns))
			next = world->worker[i];
	return next;
}

/* Every turn that is due within the time, and the time itself. Returns how many turns there were. */
__attribute__((unused)) static unsigned world_pass(struct world_workers *world, int64_t ms)
{
	const int64_t until_ns = world->now_ns + ms * 1000000;
	unsigned turns = 0;
	struct world_worker *next;
	while (!world->dead && (next = world_next(world)) && next->due_ns <= until_ns) {
		if (next->due_ns > world->now_ns)
			world->now_ns = next->due_ns;
		world_turn(next);
		turns++;
	}
	world->now_ns = until_ns;
	return turns;
}

#endif
