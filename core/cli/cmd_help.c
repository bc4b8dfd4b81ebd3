#include "core/cli/arguments.h"

#define WORDS_MAX 3 /* as deep as commands nest, and one to complain about */

static int help_run(const struct arguments *args)
{
	const char *word[WORDS_MAX];
	for (size_t i = 0; i < arguments_count(args); i++)
		word[i] = arguments_get(args, i);
	return cli_help(arguments_count(args), word);
}

const struct command command_help = {
	.name = "help",
	.summary = "tell about a command",
	.synopsis = "[COMMAND]...",
	.most = WORDS_MAX,
	.examples = "trigate help run\ntrigate help plugins inspect",
	.run = help_run,
};
