/* The configuration of a replay: files, or what the capture says of itself; nothing of it touches the state or the
 * store of a gateway. Main thread. */
#ifndef TRIGATE_CORE_CLI_REPLAY_CONFIG_H
#define TRIGATE_CORE_CLI_REPLAY_CONFIG_H

#include "core/capture/source.h"
#include "core/cli/arguments.h"
#include "core/config/config.h"
#include "plugins/host.h"

struct replay_config {
	struct gateway_config *gateway;
	struct strategy_config *strategy;
	struct plugin_choice *exchange; /* of gateway */
	struct registry *registry;
	char state_dir[64]; /* a folder of its own that goes with it */
};

/* Returns 0, or the exit code after telling the person what is wrong. */
int replay_config_read(const struct arguments *args, const struct source *source, struct replay_config *ret_config);
void replay_config_finish(struct replay_config *config);

#endif
