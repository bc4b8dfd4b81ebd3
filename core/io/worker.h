/* Workers: what runs beside the loop. `workers_threads` gives each a thread of its own; a simulation lets them take
 * turns with the loop on one thread. A worker is a function that is called turn by turn: it does all there is to do and
 * says when it wants to be called again. Owner: the loop thread starts and stops; any thread wakes and waits. */
#ifndef TRIGATE_CORE_IO_WORKER_H
#define TRIGATE_CORE_IO_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/io/monitor.h"

#define WORKER_WHEN_WOKEN INT64_MAX

struct worker;
struct workers;

struct worker_job {
	const char *name;
	void *ctx;
	/* One turn, at now_ns of the machine's monotonic clock; the first comes at once. Returns when the next is due
	 * (the same or an earlier time: at once), or WORKER_WHEN_WOKEN. Signals are blocked in it. */
	int64_t (*turn)(void *ctx, int64_t now_ns);
	/* Is there something for a turn to do that was not there when the last one returned `due_ns`? Asked after the
	 * worker has said that it is going to sleep: what came before woke nobody. */
	bool (*has_news)(void *ctx, int64_t due_ns);
};

struct workers_ops {
	int (*start)(const struct workers *workers, const struct worker_job *job, struct worker **ret_worker);
	/* A turn is wanted. urgent: also if the worker sleeps until a time that it named; else only if it waits to be
	 * woken. A few loads and, if it sleeps, a system call. [hot] */
	void (*wake)(struct worker *worker, bool urgent);
	/* Wake it and wait until done(ctx), which is asked after each turn; false: timeout_ms passed first (negative:
	 * wait for ever). Not from its own turn. */
	bool (*wait)(struct worker *worker, bool (*done)(void *ctx), void *ctx, int64_t timeout_ms);
	/* No turn begins after it; returns when the running one has ended, and frees. */
	void (*stop)(struct worker *worker);
	/* What turns get as now_ns. [any] */
	int64_t (*now_ns)(const struct workers *workers);
	/* The clock that also runs while the machine sleeps (loop_boot_ns). [any] */
	int64_t (*boot_ns)(const struct workers *workers);
	/* A lock for what several workers, or they and the loop, share. TG_OK, TG_ERR_NO_MEMORY. */
	int (*monitor)(const struct workers *workers, struct monitor **ret_monitor);
};

struct workers { /* an implementation's own struct begins with it */
	const struct workers_ops *ops;
};

struct worker { /* as does that of a worker */
	const struct workers_ops *ops;
	struct worker_job job; /* a copy; name borrowed */
};

extern const struct workers workers_threads;

/* TG_OK, TG_ERR_NO_MEMORY. */
static inline int worker_start(const struct workers *workers, const struct worker_job *job, struct worker **ret_worker)
{
	return workers->ops->start(workers, job, ret_worker);
}
static inline void worker_wake(struct worker *worker, bool urgent)
{
	worker->ops->wake(worker, urgent);
}
static inline bool worker_wait(struct worker *worker, bool (*done)(void *ctx), void *ctx, int64_t timeout_ms)
{
	return worker->ops->wait(worker, done, ctx, timeout_ms);
}
static inline void worker_stop(struct worker *worker) /* NULL is allowed */
{
	if (worker)
		worker->ops->stop(worker);
}
static inline int64_t workers_now_ns(const struct workers *workers)
{
	return workers->ops->now_ns(workers);
}
static inline int64_t workers_boot_ns(const struct workers *workers)
{
	return workers->ops->boot_ns(workers);
}
static inline int workers_monitor(const struct workers *workers, struct monitor **ret_monitor)
{
	return workers->ops->monitor(workers, ret_monitor);
}

#endif
