/* The list of commands, in the order in which help shows them. A new command: its file in meson.build, its line here.
 */
#include "core/cli/cli.h"

extern const struct command command_help, command_scan, command_version;

const struct command *const commands[] = {
	&command_scan,    &command_stop,   &command_status,
	&command_cycles,  &command_orders, &command_states,
	&command_version, &command_help,   NULL,
};
