/* A cycle that the journal does not have any more, asked of the running gateway, which looks into its store. Main
 * thread. */
#ifndef TRIGATE_CORE_CLI_CYCLE_ASKED_H
#define TRIGATE_CORE_CLI_CYCLE_ASKED_H

#include "core/cli/arguments.h"

/* Ask and show it, as --json says. Returns the exit code. ours: the id has the form of a gateway's cycle; one that has
 * another may be an imported one's, but without a gateway that is nothing to go by. */
int cycle_ask(const struct arguments *args, const char *id, bool ours);

#endif
