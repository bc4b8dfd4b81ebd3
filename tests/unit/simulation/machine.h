/* A machine on a world's ground, for tests of what a simulated gateway has of the outside: time that the test moves,
 * faults that strike as listed, one life at a time. */
#ifndef TRIGATE_TESTS_UNIT_SIMULATION_MACHINE_H
#define TRIGATE_TESTS_UNIT_SIMULATION_MACHINE_H

#include <trigate/error.h>

#include "simulation/life.h"
#include "tests/tap.h"

#define MS INT64_C(1000000)

struct machine {
	struct ground ground;
	struct life life;
	int64_t now_ns; /* since the world began */
};

__attribute__((unused)) static void machine_at(struct machine *machine, int64_t ns)
{
	machine->now_ns = ns;
	loop_drive(machine->ground.time, WORLD_START_MONO_NS + ns, WORLD_START_UNIX_NS + ns, NULL, NULL);
}

/* What is due, each at its time, up to then. */
__attribute__((unused)) static void machine_run_until(struct machine *machine, int64_t ns)
{
	for (int64_t next; (next = loop_next_ns(machine->ground.time)) <= WORLD_START_MONO_NS + ns;)
		machine_at(machine, next - WORLD_START_MONO_NS);
	machine_at(machine, ns);
}

__attribute__((unused)) static void life_begin(struct machine *machine)
{
	machine->life = (struct life){.ground = &machine->ground, .number = machine->life.number + 1};
}

__attribute__((unused)) static void machine_create(struct machine *machine, uint64_t seed,
						   const struct fault_event *events, uint32_t count)
{
	struct loop_options options = {.driven = true,
				       .start_unix_ns = WORLD_START_UNIX_NS,
				       .start_mono_ns = WORLD_START_MONO_NS,
				       .timers_max = 16};
	static const struct fault_event none;

	*machine = (struct machine){0};
	if (loop_create(&options, &machine->ground.time) != TG_OK ||
	    faults_create(machine->ground.time, seed, NULL, events ? events : &none, count, &machine->ground.faults) !=
		    TG_OK ||
	    trace_create(machine->ground.time, 65536, &machine->ground.trace) != TG_OK)
		abort();
	machine_at(machine, 0);
	life_begin(machine);
}

__attribute__((unused)) static void machine_destroy(struct machine *machine)
{
	trace_destroy(machine->ground.trace);
	faults_destroy(machine->ground.faults);
	loop_destroy(machine->ground.time);
}

#endif
