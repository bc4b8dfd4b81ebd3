/* The list of commands, in the order in which help shows them. A new command: its file in meson.build, a line in each
 * of the two lists here. */
#include "core/cli/cli.h"

extern const struct command command_run;
extern const struct command command_record;
extern const struct command command_replay;
extern const struct command command_scan;
extern const struct command command_check;
extern const struct command command_keys;
extern const struct command command_plugins;
extern const struct command command_status;
extern const struct command command_stop;
extern const struct command command_cycles;
extern const struct command command_orders;
extern const struct command command_decisions;
extern const struct command command_journal;
extern const struct command command_states;
extern const struct command command_store;
extern const struct command command_simulate;
extern const struct command command_venue;
extern const struct command command_version;
extern const struct command command_help;

/* A line each, whatever their number. */
/* clang-format off */
const struct command *const commands[] = {
	&command_run,
	&command_record,
	&command_replay,
	&command_scan,
	&command_check,
	&command_keys,
	&command_plugins,
	&command_status,
	&command_stop,
	&command_cycles,
	&command_orders,
	&command_decisions,
	&command_journal,
	&command_states,
	&command_store,
	&command_simulate,
	&command_venue,
	&command_version,
	&command_help,
	NULL,
};
/* clang-format on */
