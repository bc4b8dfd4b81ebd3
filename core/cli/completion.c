#include "core/cli/completion.h"

#include <stdio.h>

#include "core/cli/cli.h"

#define PATH_TEXT_MAX 64 /* "store slots": our own names */

static void print_names(const struct command *const *list)
{
	for (size_t i = 0; list[i]; i++)
		printf("%s%s", i ? " " : "", list[i]->name);
}

static void print_options(const struct command *command)
{
	for (const struct option_spec *spec = command->options; spec && spec->name; spec++)
		printf("--%s ", spec->name);
	printf("--help");
}

/* One branch: after these words, these may follow. */
static void print_command(const struct command *command, const char *parent)
{
	printf("\t'%s%s%s '*) words='", parent, parent[0] ? " " : "", command->name);
	print_options(command);
	printf("' ;;\n");
}

/* A group's members come first: of the patterns that match, the first one counts. */
static void print_group(const struct command *command, const char *parent)
{
	char path[PATH_TEXT_MAX];
	snprintf(path, sizeof path, "%s%s%s", parent, parent[0] ? " " : "", command->name);
	for (size_t i = 0; command->sub[i]; i++)
		if (command->sub[i]->sub)
			print_group(command->sub[i], path);
		else
			print_command(command->sub[i], path);
	printf("\t'%s '*) words='", path);
	print_names(command->sub);
	printf(" --help' ;;\n");
}

void completion_bash(void)
{
	printf("# Completion of trigate for bash: source <(trigate help --completion bash)\n"
	       "_trigate() {\n"
	       "\tlocal words='' given=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n"
	       "\tcase \"$given \" in\n"
	       "\t' '|'help ') words='");
	print_names(commands);
	printf(" --help --version' ;;\n");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->sub)
			print_group(commands[i], "");
		else
			print_command(commands[i], "");
	printf("\tesac\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
	       "}\n"
	       "complete -o default -F _trigate trigate\n");
}
