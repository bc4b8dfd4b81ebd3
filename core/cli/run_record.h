/* `run --record`: what goes over the wire of a gateway that trades is kept, too. A capture that cannot be written any
 * more is no reason to stop trading. Owner: the run; loop thread. */
#ifndef TRIGATE_CORE_CLI_RUN_RECORD_H
#define TRIGATE_CORE_CLI_RUN_RECORD_H

#include "core/capture/recording.h"
#include "core/cli/arguments.h"
#include "core/gateway.h"

struct run_record {
	struct recording recording;
	bool open;
	bool failed; /* and told */
};

/* With --record: begin, before the gateway starts. Returns 0, or the exit code after telling the person. */
int run_record_open(struct run_record *record, const struct arguments *args, struct gateway *gateway);
/* The gateway has subscribed: a replay shall ask for the same. */
void run_record_start(struct run_record *record, const struct gateway *gateway);
void run_record_check(struct run_record *record); /* now and then: can it still be written? */
/* Returns 0, or EXIT_FAILED after telling the person that not all was recorded. */
int run_record_close(struct run_record *record, const struct arguments *args, const char *why);

#endif
