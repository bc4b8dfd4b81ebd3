/* A world of one gateway for tests: its time, the faults of a list, a trace, a network. */
#ifndef TRIGATE_TESTS_SIMULATION_SMALL_WORLD_H
#define TRIGATE_TESTS_SIMULATION_SMALL_WORLD_H

#include <trigate/error.h>

#include "simulation/network.h"
#include "tests/tap.h"

#define MS INT64_C(1000000)

static struct small_world {
	struct ground ground;
	struct network *network;
	struct life life; /* of gateway 0 */
	int passes;       /* of its loop */
} world;

/* As a process: what is dead is not entered. */
static void world_enter(void *process, void (*fn)(void *ctx), void *ctx)
{
	struct small_world *entered = process;
	if (entered->life.dead)
		return;
	entered->passes++;
	fn(ctx);
}

static void world_begin(const struct fault_event *events, uint32_t count)
{
	struct loop_options options = {.driven = true,
				       .start_unix_ns = WORLD_START_UNIX_NS,
				       .start_mono_ns = WORLD_START_MONO_NS,
				       .timers_max = 256};
	world = (struct small_world){0};
	if (loop_create(&options, &world.ground.time) ||
	    faults_create(world.ground.time, 5, NULL, events, count, &world.ground.faults) ||
	    trace_create(world.ground.time, 65536, &world.ground.trace) ||
	    network_create(&world.ground, world_enter, &world.network))
		abort();
	world.life = (struct life){.ground = &world.ground, .number = 1};
}

static void world_end(void)
{
	network_destroy(world.network);
	trace_destroy(world.ground.trace);
	faults_destroy(world.ground.faults);
	loop_destroy(world.ground.time);
}

static int64_t world_ns(void)
{
	return ground_ns(&world.ground);
}

/* Let time pass up to that moment since the world began. */
static void world_run(int64_t until_ns)
{
	while (loop_next_ns(world.ground.time) <= WORLD_START_MONO_NS + until_ns) {
		int64_t next = loop_next_ns(world.ground.time), now = loop_mono_ns(world.ground.time);
		if (next < now)
			next = now;
		loop_drive(world.ground.time, next, WORLD_START_UNIX_NS + next - WORLD_START_MONO_NS, NULL, NULL);
	}
	loop_drive(world.ground.time, WORLD_START_MONO_NS + until_ns, WORLD_START_UNIX_NS + until_ns, NULL, NULL);
}

static void world_pass_ms(int64_t ms)
{
	world_run(world_ns() + ms * MS);
}

#endif
