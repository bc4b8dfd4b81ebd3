/* The configuration of one run: files, built-in defaults for a recorded market, and what the command line overrides.
 * Main thread. */
#ifndef TRIGATE_CORE_CLI_RUN_CONFIG_H
#define TRIGATE_CORE_CLI_RUN_CONFIG_H

#include "core/cli/arguments.h"
#include "core/config/config.h"
#include "plugins/host.h"

struct run_config {
	struct gateway_config *gateway;
	struct strategy_config *strategy;
	struct plugin_choice *exchange; /* the one that the strategy names; of gateway */
	struct registry *registry;
	uint64_t seed;
};

/* Returns 0, or the exit code after telling the person what is wrong. */
int run_config_read(const struct arguments *args, struct run_config *ret_config);
void run_config_finish(struct run_config *config);

#endif
