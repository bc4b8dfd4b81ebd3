#include "simulation/workers.h"

#include "simulation/disk.h"
#include "simulation/store.h"
#include "tests/unit/simulation/machine.h"

#define TURNS_MAX 64
#define WAKE_LEAST INT64_C(20000)
#define WAKE_MOST INT64_C(200000)
#define SKEW (7 * MS) /* of the machine's clock */

static struct machine machine;
static struct sim_disk *disk;
static struct sim_store *store;
static struct sim_workers *workers;
static const struct workers *face;
static bool entered;

/* A job that notes its turns and does as told. */
struct job {
	int turns;
	int64_t at_ns[TURNS_MAX]; /* of the machine's clock */
	bool in_pass[TURNS_MAX];
	int64_t next_ns; /* after its turn; 0: when woken */
	int64_t wanted;  /* turns until it is done */
	int news;        /* for so many turns */
	bool dies;       /* in its next turn */
};

static int64_t turn(void *ctx, int64_t now_ns)
{
	struct job *job = ctx;
	if (job->turns < TURNS_MAX) {
		job->at_ns[job->turns] = now_ns;
		job->in_pass[job->turns] = entered;
	}
	job->turns++;
	if (job->dies)
		machine.life.dead = true;
	return job->next_ns ? now_ns + job->next_ns : WORKER_WHEN_WOKEN;
}

static bool has_news(void *ctx, int64_t due_ns)
{
	struct job *job = ctx;
	(void)due_ns;
	return job->news > 0 && job->news-- > 0;
}

static bool is_done(void *ctx)
{
	const struct job *job = ctx;
	return job->turns >= job->wanted;
}

static int64_t clock_ns(void *process)
{
	(void)process;
	return loop_mono_ns(machine.ground.time) + SKEW;
}

static void enter(void *process, void (*fn)(void *ctx), void *ctx)
{
	(void)process;
	entered = true;
	fn(ctx);
	entered = false;
}

static void begin(const struct fault_event *events, uint32_t count)
{
	machine_create(&machine, 5, events, count);
	struct sim_workers_options options = {.life = &machine.life, .enter = enter, .mono_ns = clock_ns};
	if (sim_disk_create(&machine.ground, 0, &disk) != TG_OK || sim_store_create(&machine.ground, &store) != TG_OK)
		abort();
	options.disk = disk;
	options.store = store;
	if (sim_workers_create(&options, &workers) != TG_OK)
		abort();
	face = sim_workers_face(workers);
}

static void end(void)
{
	sim_workers_destroy(workers);
	sim_store_destroy(store);
	sim_disk_destroy(disk);
	machine_destroy(&machine);
}

static struct worker *started(const char *name, struct job *job)
{
	struct worker_job what = {name, job, turn, has_news};
	struct worker *worker = NULL;
	if (worker_start(face, &what, &worker) != TG_OK)
		abort();
	return worker;
}

/* Since the world began, of a turn. */
static int64_t at(const struct job *job, int index)
{
	return job->at_ns[index] - SKEW - WORLD_START_MONO_NS;
}

static bool is_a_moment_after(int64_t ns, int64_t from_ns)
{
	return ns >= from_ns + WAKE_LEAST && ns <= from_ns + WAKE_MOST;
}

static void turns(void)
{
	struct job job = {0};
	begin(NULL, 0);
	struct worker *worker = started("journal", &job);
	is_int(job.turns, 0, "nothing happens inside a start");
	machine_run_until(&machine, 10 * MS);
	is_int(job.turns, 1, "it has its first turn by itself");
	ok(is_a_moment_after(at(&job, 0), 0) && job.in_pass[0], "a moment later, in a pass of the gateway's loop");
	worker_wake(worker, false);
	worker_wake(worker, true);
	is_int(job.turns, 1, "nor inside a wake-up");
	machine_run_until(&machine, 20 * MS);
	is_int(job.turns, 2, "two wake-ups, one turn");
	ok(is_a_moment_after(at(&job, 1), 10 * MS), "a moment later");
	job.news = 2;
	worker_wake(worker, false);
	machine_run_until(&machine, 30 * MS);
	is_int(job.turns, 5, "news make it go on");
	worker_wake(worker, true);
	worker_stop(worker);
	machine_run_until(&machine, 40 * MS);
	is_int(job.turns, 5, "stopped, it has no turn");
	end();
}

static void dozing(void)
{
	struct job job = {.next_ns = 50 * MS};
	begin(NULL, 0);
	struct worker *worker = started("journal", &job);
	machine_run_until(&machine, 10 * MS);
	job.next_ns = 0;
	worker_wake(worker, false);
	machine_run_until(&machine, 40 * MS);
	is_int(job.turns, 1, "one that named a time sleeps on when it is woken");
	machine_run_until(&machine, 100 * MS);
	is_int(job.turns, 2, "until then");
	ok(is_a_moment_after(at(&job, 1), at(&job, 0) + 50 * MS), "and a moment");
	job.next_ns = 50 * MS;
	worker_wake(worker, false);
	machine_run_until(&machine, 110 * MS);
	worker_wake(worker, true);
	machine_run_until(&machine, 120 * MS);
	is_int(job.turns, 4, "urgency wakes it before");
	ok(is_a_moment_after(at(&job, 3), 110 * MS), "a moment later");
	worker_stop(worker);
	end();
}

static void waits(void)
{
	struct job job = {.next_ns = 20 * MS, .wanted = 3};
	begin(NULL, 0);
	struct worker *worker = started("journal", &job);
	ok(worker_wait(worker, is_done, &job, 100), "a wait ends when it is done");
	is_int(job.turns, 3, "with so many turns");
	is_int(at(&job, 2) - at(&job, 0), 40 * MS, "each at its time");
	ok(!job.in_pass[0], "inside the pass of whoever waits");
	job.wanted = 100;
	ok(!worker_wait(worker, is_done, &job, 100), "or when its time is over");
	int64_t clock = at(&job, job.turns - 1);
	ok(clock >= 100 * MS && clock <= 160 * MS, "which passes for the worker alone");
	int before = job.turns;
	worker_wake(worker, true);
	machine_run_until(&machine, 10 * MS);
	is_int(job.turns, before + 1, "then it goes on as before");
	ok(at(&job, before) >= clock, "on a clock that does not go back");
	job.next_ns = 0;
	ok(!worker_wait(worker, is_done, &job, -1), "nobody else would wake it: no wait for ever");
	before = job.turns;
	job.wanted = 0;
	ok(worker_wait(worker, is_done, &job, 0), "what is done needs no turn");
	is_int(job.turns, before, "and gets none at once");
	worker_stop(worker);
	end();
}

static void bounded_wait(void)
{
	struct job job = {.next_ns = -1, .wanted = INT64_MAX};
	begin(NULL, 0);
	struct worker *worker = started("journal", &job);
	ok(!worker_wait(worker, is_done, &job, -1), "a job that is never done does not hold the world up");
	worker_stop(worker);
	end();
}

static void deaths(void)
{
	struct job job = {.dies = true}, idle = {0};
	begin(NULL, 0);
	struct worker *worker = started("journal", &job), *other = started("writer", &idle);
	machine_run_until(&machine, 10 * MS);
	int before = idle.turns;
	worker_wake(worker, true);
	worker_wake(other, true);
	machine_run_until(&machine, 20 * MS);
	is_int(job.turns, 1, "a life that ends in a turn has no other");
	is_int(idle.turns, before, "nor has any worker of it");
	job.wanted = 5;
	ok(!worker_wait(worker, is_done, &job, 1000), "a wait ends at once");
	is_int(job.turns, 1, "without a turn");
	worker_stop(worker);
	worker_stop(other);
	end();
}

/* The first write of the disk is at 5 ms. */
static void slow(void)
{
	static const struct fault_event events[] = {{FAULT_DISK_SLOW, 0, 5 * MS, 0, 300}};
	struct job journal = {0}, writer = {0};
	begin(events, 1);
	const struct disk *files = sim_disk_of_life(disk, &machine.life);
	struct worker *first = started("journal", &journal), *second = started("writer", &writer);
	machine_run_until(&machine, 5 * MS);
	int file = disk_open(files, "a", DISK_WRITE | DISK_CREATE);
	disk_write_all(files, file, "x", 1);
	disk_close(files, file);
	worker_wake(first, true);
	worker_wake(second, true);
	machine_run_until(&machine, 200 * MS);
	is_int(writer.turns, 2, "a slow disk does not hold up the writer");
	is_int(journal.turns, 1, "but the journal");
	worker_wake(first, true);
	machine_run_until(&machine, 400 * MS);
	is_int(journal.turns, 2, "once, however often it is woken");
	ok(at(&journal, 1) >= 305 * MS && at(&journal, 1) < 306 * MS, "as long as it is slow");
	worker_stop(first);
	worker_stop(second);
	end();
}

static void slow_wait(void)
{
	static const struct fault_event events[] = {{FAULT_DISK_SLOW, 0, 5 * MS, 0, 300}};
	struct job job = {.wanted = 2};
	begin(events, 1);
	const struct disk *files = sim_disk_of_life(disk, &machine.life);
	struct worker *worker = started("journal", &job);
	machine_run_until(&machine, 5 * MS);
	int file = disk_open(files, "a", DISK_WRITE | DISK_CREATE);
	disk_write_all(files, file, "x", 1);
	disk_close(files, file);
	ok(!worker_wait(worker, is_done, &job, 100), "a wait that is shorter than the disk is slow");
	is_int(job.turns, 1, "sees no turn");
	ok(worker_wait(worker, is_done, &job, 1000), "a longer one does");
	is_int(at(&job, 1), 305 * MS, "when the disk has come round");
	worker_stop(worker);
	end();
}

int main(void)
{
	turns();
	dozing();
	waits();
	bounded_wait();
	deaths();
	slow();
	slow_wait();
	return tap_done();
}
