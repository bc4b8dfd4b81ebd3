/* A lock at which one can wait: for what several threads share and the loop does not touch on its hot path. Where all
 * runs on one thread nothing is locked and nothing waited for, because nobody could ever end the wait.
 * Owner: whoever made it, through its workers (worker.h); any thread uses it. */
#ifndef TRIGATE_CORE_IO_MONITOR_H
#define TRIGATE_CORE_IO_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct monitor;

struct monitor_ops {
	void (*lock)(struct monitor *monitor);
	void (*unlock)(struct monitor *monitor);
	/* Let go, wait to be told, take it again. False: until_ns (the machine's monotonic clock) passed, or there is
	 * nobody who could tell. Like all such waits it may end for no reason. */
	bool (*wait)(struct monitor *monitor, int64_t until_ns);
	void (*tell)(struct monitor *monitor); /* wake all who wait */
	void (*destroy)(struct monitor *monitor);
};

struct monitor { /* an implementation's own struct begins with it */
	const struct monitor_ops *ops;
};

/* For threads. TG_OK, TG_ERR_NO_MEMORY. */
int monitor_create(struct monitor **ret_monitor);
/* For worlds of one thread: has no state and may be shared by all. */
struct monitor *monitor_alone(void);

static inline void monitor_lock(struct monitor *monitor)
{
	monitor->ops->lock(monitor);
}
static inline void monitor_unlock(struct monitor *monitor)
{
	monitor->ops->unlock(monitor);
}
static inline bool monitor_wait(struct monitor *monitor, int64_t until_ns)
{
	return monitor->ops->wait(monitor, until_ns);
}
static inline void monitor_tell(struct monitor *monitor)
{
	monitor->ops->tell(monitor);
}
static inline void monitor_destroy(struct monitor *monitor) /* NULL is allowed */
{
	if (monitor)
		monitor->ops->destroy(monitor);
}

#endif
