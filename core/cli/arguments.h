/* What was given on the command line, checked against a command's option table. Borrowed from argv; main thread. */
#ifndef TRIGATE_CORE_CLI_ARGUMENTS_H
#define TRIGATE_CORE_CLI_ARGUMENTS_H

#include "core/cli/cli.h"

/* Parse the options of `command` from argv[1..argc); argv[0] is not looked at and argv is reordered. `path` is what the
 * command is called, "plugins list". On success *ret_args is set, to be destroyed by the caller. With --help given
 * *ret_help is true and nothing else is checked. On a wrong command line the person is told on stderr and EXIT_MISUSE
 * comes back. */
int arguments_parse(const struct command *command, const char *path, int argc, char **argv, bool *ret_help,
		    struct arguments **ret_args);
void arguments_destroy(struct arguments *args);

/* An option by its long name; asking for one that is not in the table is our own bug. */
bool arguments_given(const struct arguments *args, const char *name);
const char *arguments_text(const struct arguments *args, const char *name); /* NULL: not given */
int64_t arguments_number(const struct arguments *args, const char *name, int64_t otherwise);

/* The values of an option that repeats, in order: start with index 0, NULL ends. */
const char *arguments_nth(const struct arguments *args, const char *name, size_t index);

/* Positional arguments. */
size_t arguments_count(const struct arguments *args);
const char *arguments_get(const struct arguments *args, size_t index); /* NULL: fewer were given */

const char *arguments_path(const struct arguments *args); /* "plugins list" */

#endif
