#include "simulation/leave.h"

#include <inttypes.h>
#include <stdio.h>

/* It went back behind this start, or behind what is remembered of it: then a restart tells it what it lacks. */
static bool store_is_lost(const struct process *process)
{
	const struct keeper *keeper = &process->gateway->keeper;
	uint64_t back_to = sim_store_stands(process->options.store, process->options.gateway).back_to;
	return keeper->store_lost && (back_to < process->began || back_to < model_forgotten_position(keeper->model));
}

/* A minute without faults, and then the time that it has to end, are enough for the store: where it is behind all the
 * same, its writing stands still, which the restart that follows would mend and hide. */
static void standstill_check(const struct process *process)
{
	const struct keeper *keeper = &process->gateway->keeper;
	struct writer_status status;
	if (keeper->failed || keeper->stalled || store_is_lost(process))
		return;
	writer_status(keeper->writer, &status);
	observer_raise(process->options.observer, "ends",
		       "g%u ends, and its store stands at record %" PRIu64 " of %" PRIu64
		       ", though nothing is in its way%s%s",
		       process->options.gateway, status.applied_position, journal_position(keeper->journal),
		       status.error[0] ? ": " : "", status.error);
}

void leave(struct process *process, bool lived_well, char *ret_why, size_t size)
{
	struct gateway *gateway = process->gateway;
	ret_why[0] = '\0';
	if (process->life.dead)
		return;
	int failure = gateway_finish(gateway);
	if (process->ending && lived_well && gateway->store_given_up && !process->life.dead)
		standstill_check(process);
	if (failure)
		snprintf(ret_why, size, "%s", gateway->failure.message);
	else if (gateway->executor.open_count > 0)
		snprintf(ret_why, size, "%u cycles were left open", gateway->executor.open_count);
	else if (gateway->store_given_up)
		snprintf(ret_why, size, "the store is behind the journal");
}
