#include "core/io/worker.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <trigate/amount.h>
#include <trigate/error.h>

#define MS INT64_C(1000000)

/* Does the thread sleep, and what may wake it? ASLEEP: any wake does. DOZING: it wakes by itself at the time that its
 * turn named; only an urgent wake comes before. */
enum { AWAKE, DOZING, ASLEEP };

struct thread {
	struct worker worker; /* first: it is what others hold */

	/* all that wake touches */
	atomic_int sleep;
	sem_t wake;

	atomic_bool stopping;
	_Atomic uint64_t waits; /* begun, ever: each is owed a turn that began after it */

	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t turned;
	uint64_t turns; /* ended, ever */

	pthread_t id;
};

static struct thread *thread_of(struct worker *worker)
{
	return (struct thread *)worker;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * TG_E9 + now.tv_nsec;
}

static int64_t mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / TG_E9, .tv_nsec = ns % TG_E9};
}

/* ------------------------------------------------------- the thread */

/* Whoever brings news stores it and then looks at `sleep`; this stores `sleep` and then looks for news. One of the two
 * sees the other, so no wake-up is lost; a wake that came for nothing costs a turn. */
static void thread_sleep(struct thread *thread, int64_t due_ns, uint64_t waits_seen)
{
	const struct worker_job *job = &thread->worker.job;

	atomic_store(&thread->sleep, due_ns == WORKER_WHEN_WOKEN ? ASLEEP : DOZING);
	bool news = atomic_load(&thread->stopping) || atomic_load(&thread->waits) != waits_seen ||
		    job->has_news(job->ctx, due_ns);
	if (!news && due_ns == WORKER_WHEN_WOKEN) {
		sem_wait(&thread->wake);
	} else if (!news) {
		struct timespec until = timespec_of(due_ns);
		sem_clockwait(&thread->wake, CLOCK_MONOTONIC, &until);
	}
	atomic_store(&thread->sleep, AWAKE);
}

static void turn_tell(struct thread *thread)
{
	pthread_mutex_lock(&thread->mutex);
	thread->turns++;
	pthread_cond_broadcast(&thread->turned);
	pthread_mutex_unlock(&thread->mutex);
}

static void *thread_main(void *ctx)
{
	struct thread *thread = ctx;
	const struct worker_job *job = &thread->worker.job;

	while (!atomic_load(&thread->stopping)) {
		uint64_t waits = atomic_load(&thread->waits);
		int64_t now = mono_ns();
		int64_t due = job->turn(job->ctx, now);
		turn_tell(thread);
		if (due > now)
			thread_sleep(thread, due, waits);
	}
	return NULL;
}

/* ------------------------------------------------ what others call */

static void thread_wake(struct worker *worker, bool urgent)
{
	struct thread *thread = thread_of(worker);
	int sleep = atomic_load(&thread->sleep);

	if (sleep == AWAKE || (sleep == DOZING && !urgent))
		return;
	if (atomic_exchange(&thread->sleep, AWAKE) != AWAKE)
		sem_post(&thread->wake);
}

/* Wait for the end of a turn after the last one seen. False: the time is over first. until NULL: for ever. */
static bool turn_await(struct thread *thread, uint64_t *seen, const struct timespec *until)
{
	int expired = 0;

	pthread_mutex_lock(&thread->mutex);
	while (thread->turns == *seen && expired == 0)
		expired = until ? pthread_cond_timedwait(&thread->turned, &thread->mutex, until)
				: pthread_cond_wait(&thread->turned, &thread->mutex);
	bool turned = thread->turns != *seen;
	*seen = thread->turns;
	pthread_mutex_unlock(&thread->mutex);
	return turned;
}

static bool thread_wait(struct worker *worker, bool (*done)(void *ctx), void *ctx, int64_t timeout_ms)
{
	struct thread *thread = thread_of(worker);
	struct timespec until = timespec_of(mono_ns() + (timeout_ms > 0 ? timeout_ms : 0) * MS);

	pthread_mutex_lock(&thread->mutex);
	uint64_t seen = thread->turns;
	pthread_mutex_unlock(&thread->mutex);
	atomic_fetch_add(&thread->waits, 1);
	thread_wake(worker, true);
	while (!done(ctx))
		if (!turn_await(thread, &seen, timeout_ms < 0 ? NULL : &until))
			return done(ctx);
	return true;
}

/* ------------------------------------------------- start and stop */

static void thread_finish(struct thread *thread)
{
	sem_destroy(&thread->wake);
	pthread_cond_destroy(&thread->turned);
	pthread_mutex_destroy(&thread->mutex);
	free(thread);
}

static struct thread *thread_allocate(const struct worker_job *job)
{
	pthread_condattr_t attributes;
	struct thread *thread = calloc(1, sizeof *thread);
	if (!thread)
		return NULL;
	thread->worker = (struct worker){workers_threads.ops, *job};
	sem_init(&thread->wake, 0, 0);
	pthread_mutex_init(&thread->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&thread->turned, &attributes);
	pthread_condattr_destroy(&attributes);
	return thread;
}

/* Signals are the loop thread's: a worker is born with all of them blocked. */
static int thread_start(const struct workers *workers, const struct worker_job *job, struct worker **ret_worker)
{
	sigset_t all, before;
	struct thread *thread = thread_allocate(job);

	(void)workers;
	if (!thread)
		return TG_ERR_NO_MEMORY;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failure = pthread_create(&thread->id, NULL, thread_main, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure != 0) {
		thread_finish(thread);
		return TG_ERR_NO_MEMORY;
	}
	*ret_worker = &thread->worker;
	return TG_OK;
}

static void thread_stop(struct worker *worker)
{
	struct thread *thread = thread_of(worker);

	atomic_store(&thread->stopping, true);
	sem_post(&thread->wake);
	pthread_join(thread->id, NULL);
	thread_finish(thread);
}

static int64_t threads_now_ns(const struct workers *workers)
{
	(void)workers;
	return mono_ns();
}

static int64_t threads_boot_ns(const struct workers *workers)
{
	(void)workers;
	return clock_ns(CLOCK_BOOTTIME);
}

static int threads_monitor(const struct workers *workers, struct monitor **ret_monitor)
{
	(void)workers;
	return monitor_create(ret_monitor);
}

static const struct workers_ops thread_ops = {
	.start = thread_start,
	.wake = thread_wake,
	.wait = thread_wait,
	.stop = thread_stop,
	.now_ns = threads_now_ns,
	.boot_ns = threads_boot_ns,
	.monitor = threads_monitor,
};

const struct workers workers_threads = {&thread_ops};
