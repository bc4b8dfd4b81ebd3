#include "core/io/monitor.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <trigate/amount.h>
#include <trigate/error.h>

/* ------------------------------------------------------- of threads */

struct shared {
	struct monitor monitor; /* first: it is what others hold */
	pthread_mutex_t mutex;
	pthread_cond_t told;
};

static struct shared *shared_of(struct monitor *monitor)
{
	return (struct shared *)monitor;
}

static void shared_lock(struct monitor *monitor)
{
	pthread_mutex_lock(&shared_of(monitor)->mutex);
}

static void shared_unlock(struct monitor *monitor)
{
	pthread_mutex_unlock(&shared_of(monitor)->mutex);
}

static bool shared_wait(struct monitor *monitor, int64_t until_ns)
{
	struct shared *shared = shared_of(monitor);
	const struct timespec until = {.tv_sec = until_ns / TG_E9, .tv_nsec = until_ns % TG_E9};
	return pthread_cond_timedwait(&shared->told, &shared->mutex, &until) == 0;
}

static void shared_tell(struct monitor *monitor)
{
	pthread_cond_broadcast(&shared_of(monitor)->told);
}

static void shared_destroy(struct monitor *monitor)
{
	struct shared *shared = shared_of(monitor);
	pthread_cond_destroy(&shared->told);
	pthread_mutex_destroy(&shared->mutex);
	free(shared);
}

static const struct monitor_ops shared_ops = {shared_lock, shared_unlock, shared_wait, shared_tell, shared_destroy};

int monitor_create(struct monitor **ret_monitor)
{
	struct shared *shared = calloc(1, sizeof *shared);
	pthread_condattr_t attributes;
	if (!shared)
		return TG_ERR_NO_MEMORY;
	shared->monitor.ops = &shared_ops;
	pthread_mutex_init(&shared->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&shared->told, &attributes);
	pthread_condattr_destroy(&attributes);
	*ret_monitor = &shared->monitor;
	return TG_OK;
}

/* ---------------------------------------------------- of one thread */

static void alone_pass(struct monitor *monitor)
{
	(void)monitor;
}

static bool alone_wait(struct monitor *monitor, int64_t until_ns)
{
	(void)monitor, (void)until_ns;
	return false;
}

static const struct monitor_ops alone_ops = {alone_pass, alone_pass, alone_wait, alone_pass, alone_pass};

struct monitor *monitor_alone(void)
{
	static struct monitor alone = {&alone_ops};
	return &alone;
}
