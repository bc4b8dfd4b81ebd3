#include "simulation/life.h"

#include <stdio.h>

/* Always in this order, so that a schedule counts the same opportunities as the run that it came from. */
static bool strikes(struct life *life, int64_t *ret_done_e3)
{
	struct faults *faults = life->ground->faults;

	if (fault_strikes(faults, FAULT_KILL, life->gateway, ret_done_e3))
		return true;
	life->power_lost = fault_strikes(faults, FAULT_POWER_LOSS, life->gateway, ret_done_e3);
	return life->power_lost;
}

bool life_ends(struct life *life, const char *what, int64_t *ret_done_e3)
{
	char who[8];
	int64_t done_e3 = 0;

	if (life->dead) {
		*ret_done_e3 = 0;
		return true;
	}
	life->operations++;
	if (!strikes(life, &done_e3))
		return false;
	life->dead = true;
	snprintf(who, sizeof who, "g%u", life->gateway);
	trace_add(life->ground->trace, who, "%s at %s, operation %llu of life %u; %lld thousandths of it are done",
		  life->power_lost ? "loses power" : "is killed", what, (unsigned long long)life->operations,
		  life->number, (long long)done_e3);
	*ret_done_e3 = done_e3;
	return true;
}
