/* Help texts, made from the command tables. Main thread. */
#ifndef TRIGATE_CORE_CLI_HELP_H
#define TRIGATE_CORE_CLI_HELP_H

#include <stdio.h>

#include "core/cli/cli.h"

/* The list of commands. */
void help_program(FILE *stream);

/* Everything about one command; `path` is what it is called, "plugins list". */
void help_command(FILE *stream, const struct command *command, const char *path);

#endif
