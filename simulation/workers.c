#include "simulation/workers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "simulation/disk.h"
#include "simulation/store.h"

#define MS INT64_C(1000000)
/* From a wake-up to the thread's first instruction, as Linux takes on a machine that is not idle. */
#define WAKE_LEAST_NS 20000
#define WAKE_MOST_NS 200000
#define WAIT_TURNS_MAX 10000 /* in one wait: a drain of the largest ring takes some hundred */

struct sim_workers {
	struct workers face; /* first: it is what others hold */
	struct sim_workers_options options;
	uint32_t running;
};

struct turner {
	struct worker worker; /* first, likewise */
	struct sim_workers *workers;
	bool slow_disk, slow_store; /* which of them it waits for */
	uint64_t timer;             /* of the world's time; 0: it waits to be woken */
	int64_t due_ns;             /* for which it is set */
	int64_t held_until_ns;      /* no turn before it: the disk or the store is slow */
	int64_t clock_ns;           /* of its last turn */
};

static struct turner *turner_of(struct worker *worker)
{
	return (struct turner *)worker;
}

static bool is_dead(const struct turner *turner)
{
	return turner->workers->options.life->dead;
}

/* Its clock never goes back, though a wait lets it run ahead of the world's. */
static int64_t clock_ns(const struct turner *turner)
{
	const struct sim_workers_options *options = &turner->workers->options;
	int64_t now = options->mono_ns(options->process);

	return now > turner->clock_ns ? now : turner->clock_ns;
}

/* What DISK_SLOW and STORE_SLOW asked for, as a delay of the turn that will meet it. */
static int64_t delay_take_ns(const struct turner *turner)
{
	const struct sim_workers_options *options = &turner->workers->options;
	int64_t delay = 0;

	if (turner->slow_disk)
		delay += sim_disk_take_delay_ns(options->disk);
	if (turner->slow_store)
		delay += sim_store_take_delay_ns(options->store, options->life->gateway);
	return delay;
}

/* ----------------------------------------------------------------- turns */

static void on_timer(void *ctx);

static void timer_clear(struct turner *turner)
{
	if (turner->timer)
		loop_timer_stop(turner->workers->options.life->ground->time, turner->timer);
	turner->timer = 0;
}

/* The next turn begins a moment after at_ns. */
static void timer_set(struct turner *turner, int64_t at_ns)
{
	const struct sim_workers_options *options = &turner->workers->options;
	struct ground *ground = options->life->ground;
	int64_t now = options->mono_ns(options->process);
	int64_t wake = WAKE_LEAST_NS + (int64_t)(faults_random(ground->faults) % (WAKE_MOST_NS - WAKE_LEAST_NS + 1));

	timer_clear(turner);
	at_ns = at_ns > turner->held_until_ns ? at_ns : turner->held_until_ns;
	turner->due_ns = (at_ns > now ? at_ns : now) + wake;
	int status = loop_timer_start(ground->time, turner->due_ns - now, on_timer, turner, &turner->timer);
	assert(status == TG_OK); /* three for a gateway; the world's loop has room for them */
}

/* One turn, and what it says of the next: a time not after now_ns means at once. */
static int64_t turn_once(struct turner *turner, int64_t now_ns)
{
	const struct worker_job *job = &turner->worker.job;

	turner->clock_ns = now_ns;
	int64_t due_ns = job->turn(job->ctx, now_ns);
	if (due_ns > now_ns && !is_dead(turner) && job->has_news(job->ctx, due_ns))
		due_ns = now_ns;
	return due_ns;
}

static void next_set(struct turner *turner, int64_t due_ns)
{
	if (due_ns == WORKER_WHEN_WOKEN)
		timer_clear(turner);
	else
		timer_set(turner, due_ns);
}

/* In a pass of the gateway's loop. */
static void turn_in_pass(void *ctx)
{
	struct turner *turner = ctx;
	int64_t now = clock_ns(turner), delay;

	if (is_dead(turner))
		return;
	delay = delay_take_ns(turner);
	if (delay > 0)
		turner->held_until_ns = now + delay;
	int64_t due = now < turner->held_until_ns ? turner->held_until_ns : turn_once(turner, now);
	if (!is_dead(turner))
		next_set(turner, due);
}

/* The gateway may be taken away after its pass, and the worker with it: nothing is touched then. */
static void on_timer(void *ctx)
{
	struct turner *turner = ctx;
	const struct sim_workers_options *options = &turner->workers->options;

	turner->timer = 0;
	options->enter(options->process, turn_in_pass, turner);
}

/* ------------------------------------------------------- what others call */

static int sim_start(const struct workers *face, const struct worker_job *job, struct worker **ret_worker)
{
	struct sim_workers *workers = (struct sim_workers *)(uintptr_t)face;
	struct turner *turner = calloc(1, sizeof *turner);

	if (!turner)
		return TG_ERR_NO_MEMORY;
	turner->worker = (struct worker){face->ops, *job};
	turner->workers = workers;
	/* The names that core/state gives them. One that is not known waits for whatever is slow. */
	turner->slow_disk = strcmp(job->name, "writer") != 0 && strcmp(job->name, "slots") != 0;
	turner->slow_store = strcmp(job->name, "journal") != 0;
	workers->running++;
	if (!is_dead(turner))
		timer_set(turner, 0);
	*ret_worker = &turner->worker;
	return TG_OK;
}

static void sim_wake(struct worker *worker, bool urgent)
{
	struct turner *turner = turner_of(worker);

	if (is_dead(turner))
		return;
	if (!turner->timer || (urgent && turner->due_ns > clock_ns(turner) + WAKE_MOST_NS))
		timer_set(turner, 0);
}

/* Whoever waits holds the loop up: turns follow each other at once, on a clock that jumps to when each is due. */
static bool sim_wait(struct worker *worker, bool (*done)(void *ctx), void *ctx, int64_t timeout_ms)
{
	struct turner *turner = turner_of(worker);
	int64_t now = clock_ns(turner), due = now;
	int64_t until = timeout_ms < 0 ? INT64_MAX : now + timeout_ms * MS;

	for (int turns = 0; turns < WAIT_TURNS_MAX && !is_dead(turner) && !done(ctx) && due <= until; turns++) {
		now = due > now ? due : now;
		int64_t delay = delay_take_ns(turner);
		if (delay > 0)
			turner->held_until_ns = now + delay;
		due = now < turner->held_until_ns ? turner->held_until_ns : turn_once(turner, now);
		if (due == WORKER_WHEN_WOKEN)
			break;
	}
	if (!is_dead(turner))
		next_set(turner, due);
	return done(ctx);
}

static void sim_stop(struct worker *worker)
{
	struct turner *turner = turner_of(worker);

	timer_clear(turner);
	turner->workers->running--;
	free(turner);
}

/* ------------------------------------------------------- create, destroy */

static int64_t sim_now_ns(const struct workers *face)
{
	const struct sim_workers *workers = (const struct sim_workers *)face;

	return workers->options.mono_ns(workers->options.process);
}

static int sim_monitor(const struct workers *face, struct monitor **ret_monitor)
{
	(void)face;
	*ret_monitor = monitor_alone();
	return TG_OK;
}

static const struct workers_ops sim_ops = {
	.start = sim_start,
	.wake = sim_wake,
	.wait = sim_wait,
	.stop = sim_stop,
	.now_ns = sim_now_ns,
	.boot_ns = sim_now_ns, /* its machines do not sleep */
	.monitor = sim_monitor,
};

int sim_workers_create(const struct sim_workers_options *options, struct sim_workers **ret_workers)
{
	struct sim_workers *workers = calloc(1, sizeof *workers);

	if (!workers)
		return TG_ERR_NO_MEMORY;
	workers->face.ops = &sim_ops;
	workers->options = *options;
	*ret_workers = workers;
	return TG_OK;
}

void sim_workers_destroy(struct sim_workers *workers)
{
	assert(!workers || workers->running == 0); /* the gateway stopped those that it started */
	free(workers);
}

const struct workers *sim_workers_face(struct sim_workers *workers)
{
	return &workers->face;
}
