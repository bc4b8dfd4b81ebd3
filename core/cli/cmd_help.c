#include "core/cli/arguments.h"
#include "core/cli/completion.h"

#define WORDS_MAX 3 /* as deep as commands nest, and one to complain about */

static int help_run(const struct arguments *args)
{
	const char *word[WORDS_MAX];
	if (arguments_given(args, "completion")) {
		completion_bash();
		return EXIT_DONE;
	}
	for (size_t i = 0; i < arguments_count(args); i++)
		word[i] = arguments_get(args, i);
	return cli_help(arguments_count(args), word);
}

static const struct option_spec help_options[] = {
	{.name = "completion",
	 .kind = OPTION_CHOICE,
	 .argument = "bash",
	 .choices = "bash",
	 .help = "print a script that lets bash complete commands and options"},
	OPTION_END,
};

const struct command command_help = {
	.name = "help",
	.summary = "tell about a command",
	.synopsis = "[COMMAND]...",
	.most = WORDS_MAX,
	.options = help_options,
	.examples = "trigate help orders\ntrigate help plugins inspect\nsource <(trigate help --completion bash)",
	.run = help_run,
};
