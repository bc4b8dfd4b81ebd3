/* A gateway has left its loop by itself: it is finished, as its process would, and it is said how that went. Owner: its
 * process. */
#ifndef TRIGATE_SIMULATION_LEAVE_H
#define TRIGATE_SIMULATION_LEAVE_H

#include "simulation/process.h"

/* Empty: as it should. lived_well: it ran long enough to have got over what was wrong before. */
void leave(struct process *process, bool lived_well, char *ret_why, size_t size);

#endif
