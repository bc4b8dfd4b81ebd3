#include "core/io/worker.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include <trigate/error.h>

#include "tap.h"

#define MS INT64_C(1000000)
#define HOUR_NS (3600 * 1000 * MS)
#define KEPT 8
#define NEVER (-1)

/* A worker that takes what is brought. */
struct taker {
	atomic_uint brought, taken, turns;
	int64_t pause_ns; /* what a turn returns: so long after its time; 0: when woken */
	int64_t now_ns[KEPT];
	atomic_bool signals_blocked;
	struct worker *worker;
};

static int64_t take(void *ctx, int64_t now_ns)
{
	struct taker *taker = ctx;
	unsigned turn = atomic_load(&taker->turns);
	sigset_t blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	taker->signals_blocked = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGINT);
	if (turn < KEPT)
		taker->now_ns[turn] = now_ns;
	atomic_store(&taker->taken, atomic_load(&taker->brought));
	atomic_fetch_add(&taker->turns, 1);
	return taker->pause_ns ? now_ns + taker->pause_ns : WORKER_WHEN_WOKEN;
}

static bool take_has_news(void *ctx, int64_t due_ns)
{
	struct taker *taker = ctx;
	(void)due_ns;
	return atomic_load(&taker->brought) != atomic_load(&taker->taken);
}

static void taker_start(struct taker *taker, int64_t pause_ns)
{
	const struct worker_job job = {"taker", taker, take, take_has_news};
	*taker = (struct taker){.pause_ns = pause_ns};
	if (worker_start(&workers_threads, &job, &taker->worker) != TG_OK)
		exit(99);
}

static void turns_await(struct taker *taker, unsigned turns)
{
	while (atomic_load(&taker->turns) < turns)
		sched_yield();
}

static bool has_two_turns(void *ctx)
{
	return atomic_load(&((struct taker *)ctx)->turns) >= 2;
}

static bool is_level(void *ctx)
{
	struct taker *taker = ctx;
	return atomic_load(&taker->brought) == atomic_load(&taker->taken);
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

/* ----------------------------------------------------------------- tests */

static void waking(void)
{
	struct taker taker = {0};
	taker_start(&taker, 0);
	turns_await(&taker, 1);
	ok(true, "the first turn comes by itself");
	atomic_store(&taker.brought, 1);
	worker_wake(taker.worker, false);
	while (!is_level(&taker))
		sched_yield();
	ok(true, "a wake-up brings the next");
	ok(taker.signals_blocked, "signals are blocked in it");
	worker_stop(taker.worker);
	worker_stop(NULL);
}

static void due_times(void)
{
	struct taker taker = {0};
	unsigned early = 0;
	taker_start(&taker, MS);
	turns_await(&taker, KEPT);
	worker_stop(taker.worker);
	for (int i = 1; i < KEPT; i++)
		early += taker.now_ns[i] < taker.now_ns[i - 1] + MS;
	is_int(early, 0, "a turn comes at the time that the last one named, not before");

	taker_start(&taker, HOUR_NS);
	turns_await(&taker, 1);
	for (int i = 0; i < 1000; i++) {
		worker_wake(taker.worker, false);
		sched_yield();
	}
	ok(worker_wait(taker.worker, has_two_turns, &taker, NEVER), "someone who waits does not wait for that time");
	ok(atomic_load(&taker.turns) <= 3, "a wake-up that is not urgent does");
	unsigned turns = atomic_load(&taker.turns);
	for (int i = 0; i < 1000; i++) {
		worker_wake(taker.worker, true);
		sched_yield();
	}
	turns_await(&taker, turns + 1);
	ok(true, "an urgent one does not");
	worker_stop(taker.worker);
	ok(true, "a worker that sleeps until a time is stopped");
}

static void waiting(void)
{
	struct taker taker = {0};
	taker_start(&taker, 0);
	atomic_store(&taker.brought, 1);
	ok(worker_wait(taker.worker, is_level, &taker, NEVER), "wait until it is done");
	ok(worker_wait(taker.worker, is_level, &taker, 0), "what is done already needs no time");
	ok(!worker_wait(taker.worker, never, &taker, 0), "no time");
	ok(!worker_wait(taker.worker, never, &taker, 2), "too little time");
	unsigned wrong = 0;
	for (unsigned n = 2; n < 2000; n++) {
		atomic_store(&taker.brought, n);
		wrong += !worker_wait(taker.worker, is_level, &taker, NEVER);
	}
	is_int(wrong, 0, "again and again");
	worker_stop(taker.worker);
	ok(true, "a worker that waits to be woken is stopped");
}

/* A worker that waits for another one in its turn. */
struct relay {
	struct taker *behind;
	atomic_uint brought, taken;
};

static int64_t relay_turn(void *ctx, int64_t now_ns)
{
	struct relay *relay = ctx;
	unsigned brought = atomic_load(&relay->brought);
	(void)now_ns;
	atomic_store(&relay->behind->brought, brought);
	worker_wait(relay->behind->worker, is_level, relay->behind, NEVER);
	atomic_store(&relay->taken, atomic_load(&relay->behind->taken));
	return WORKER_WHEN_WOKEN;
}

static bool relay_is_level(void *ctx)
{
	struct relay *relay = ctx;
	return atomic_load(&relay->brought) == atomic_load(&relay->taken);
}

static bool relay_has_news(void *ctx, int64_t due_ns)
{
	(void)due_ns;
	return !relay_is_level(ctx);
}

static void relaying(void)
{
	struct taker taker = {0};
	struct worker *worker = NULL;
	unsigned wrong = 0;
	taker_start(&taker, HOUR_NS);
	struct relay relay = {.behind = &taker};
	const struct worker_job job = {"relay", &relay, relay_turn, relay_has_news};
	is_int(worker_start(&workers_threads, &job, &worker), TG_OK, "a worker behind a worker");
	for (unsigned n = 1; n < 500; n++) {
		atomic_store(&relay.brought, n);
		wrong += !worker_wait(worker, relay_is_level, &relay, NEVER) || atomic_load(&taker.taken) != n;
	}
	is_int(wrong, 0, "one may wait for another in its turn");
	worker_stop(worker);
	worker_stop(taker.worker);
}

/* A worker whose first turn lasts until someone waits for the second. */
struct late {
	atomic_bool begun, asked;
	atomic_uint turns;
};

static int64_t late_turn(void *ctx, int64_t now_ns)
{
	struct late *late = ctx;
	atomic_store(&late->begun, true);
	while (!atomic_load(&late->asked))
		sched_yield();
	atomic_fetch_add(&late->turns, 1);
	return now_ns + HOUR_NS;
}

static bool late_has_news(void *ctx, int64_t due_ns)
{
	(void)ctx, (void)due_ns;
	return false;
}

static bool late_is_done(void *ctx)
{
	struct late *late = ctx;
	atomic_store(&late->asked, true);
	return atomic_load(&late->turns) >= 2;
}

static void waiting_in_a_turn(void)
{
	struct late late = {0};
	struct worker *worker = NULL;
	const struct worker_job job = {"late", &late, late_turn, late_has_news};
	if (worker_start(&workers_threads, &job, &worker) != TG_OK)
		exit(99);
	while (!atomic_load(&late.begun))
		sched_yield();
	ok(worker_wait(worker, late_is_done, &late, NEVER), "who waits is owed a turn that began after it");
	worker_stop(worker);
}

#define BRINGERS 2
#define BROUGHT_EACH 20000

static void *bring(void *ctx)
{
	struct taker *taker = ctx;
	for (int i = 0; i < BROUGHT_EACH; i++) {
		atomic_fetch_add(&taker->brought, 1);
		worker_wake(taker->worker, i % 7 == 0);
		/* let it fall asleep now and then: the moment when a wake-up could be lost */
		for (int patience = i % 64; patience > 0 && !is_level(taker); patience--)
			sched_yield();
	}
	return NULL;
}

static void no_wake_up_lost(void)
{
	struct taker taker = {0};
	pthread_t bringer[BRINGERS];
	taker_start(&taker, 0);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < BRINGERS; i++)
			pthread_create(&bringer[i], NULL, bring, &taker);
		for (int i = 0; i < BRINGERS; i++)
			pthread_join(bringer[i], NULL);
		while (!is_level(&taker)) /* nobody wakes it any more: a lost wake-up never ends this */
			sched_yield();
	}
	ok(true, "no wake-up is lost");
	for (unsigned i = 0; i < BROUGHT_EACH; i++) { /* one by one: each must wake it */
		atomic_fetch_add(&taker.brought, 1);
		worker_wake(taker.worker, false);
		while (!is_level(&taker))
			sched_yield();
	}
	ok(true, "nor one that comes while it falls asleep");
	worker_stop(taker.worker);
}

int main(void)
{
	waking();
	due_times();
	waiting();
	waiting_in_a_turn();
	relaying();
	no_wake_up_lost();
	return tap_done();
}
