#include "core/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/nearest.h"
#include "core/cli/arguments.h"
#include "core/cli/help.h"
#include "core/cli/out.h"

#define PATH_MAX_TEXT 64 /* "plugins inspect"; our own names, so a longer one is our own bug */
#define COMMANDS_MAX 64

static void complain(const struct arguments *args, const char *format, va_list values)
{
	char text[1024];
	vsnprintf(text, sizeof text, format, values);
	out_status_clear();
	fflush(stdout);
	const char *path = args ? arguments_path(args) : NULL;
	fprintf(stderr, "trigate%s%s: ", path ? " " : "", path ? path : "");
	out_plain(stderr, text);
	fputc('\n', stderr);
}

int cli_misuse(const struct arguments *args, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	complain(args, format, values);
	va_end(values);
	const char *path = args ? arguments_path(args) : NULL;
	fprintf(stderr, "Try 'trigate %s%s--help'.\n", path ? path : "", path ? " " : "");
	return EXIT_MISUSE;
}

int cli_fail(const struct arguments *args, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	complain(args, format, values);
	va_end(values);
	return EXIT_FAILED;
}

static const struct command *command_find(const struct command *const *list, const char *name)
{
	for (size_t i = 0; list[i]; i++)
		if (strcmp(list[i]->name, name) == 0)
			return list[i];
	return NULL;
}

/* No such command: name the nearest, or all where they are few. `path` NULL: the program itself. */
static int misuse_command(const char *path, const struct command *const *list, const char *given)
{
	const char *names[COMMANDS_MAX];
	size_t count = 0;
	for (; count < COMMANDS_MAX && list[count]; count++)
		names[count] = list[count]->name;
	const char *near = nearest_word(given, names, count);

	fprintf(stderr, "trigate%s%s: unknown command '", path ? " " : "", path ? path : "");
	out_plain(stderr, given);
	fprintf(stderr, "'");
	if (near)
		fprintf(stderr, "; did you mean '%s'?", near);
	else if (path)
		for (size_t i = 0; i < count; i++)
			fprintf(stderr, "%s%s", i ? ", " : "; there is ", names[i]);
	fprintf(stderr, "\nTry 'trigate %s%s--help'.\n", path ? path : "", path ? " " : "");
	return EXIT_MISUSE;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* argv[0] is the word that named the command. */
static int command_run(const struct command *command, const char *path, int argc, char **argv)
{
	struct arguments *args = NULL;
	bool help;
	int rc = arguments_parse(command, path, argc, argv, &help, &args);
	if (rc)
		return rc;
	if (help) {
		help_command(stdout, command, path);
		return EXIT_DONE;
	}
	rc = command->run(args);
	arguments_destroy(args);
	return rc;
}

/* Descend through sub-commands to the one that is meant. */
static int command_enter(const struct command *command, const char *parent, int argc, char **argv)
{
	char path[PATH_MAX_TEXT];
	snprintf(path, sizeof path, "%s%s%s", parent ? parent : "", parent ? " " : "", command->name);
	if (!command->sub)
		return command_run(command, path, argc, argv);
	if (argc < 2) {
		fprintf(stderr, "trigate %s: which one?\n\n", path);
		help_command(stderr, command, path);
		return EXIT_MISUSE;
	}
	if (is_help(argv[1])) {
		help_command(stdout, command, path);
		return EXIT_DONE;
	}
	if (argv[1][0] == '-') {
		fprintf(stderr, "trigate %s: options come after the sub-command\nTry 'trigate %s --help'.\n", path,
			path);
		return EXIT_MISUSE;
	}
	const struct command *sub = command_find(command->sub, argv[1]);
	return sub ? command_enter(sub, path, argc - 1, argv + 1) : misuse_command(path, command->sub, argv[1]);
}

int cli_help(size_t count, const char *const *words)
{
	char path[PATH_MAX_TEXT] = "";
	const struct command *const *list = commands;
	const struct command *command = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!list) {
			fprintf(stderr, "trigate: '%s' has no sub-commands\nTry 'trigate %s --help'.\n", path, path);
			return EXIT_MISUSE;
		}
		command = command_find(list, words[i]);
		if (!command)
			return misuse_command(i ? path : NULL, list, words[i]);
		size_t used = strlen(path);
		snprintf(path + used, sizeof path - used, "%s%s", i ? " " : "", command->name);
		list = command->sub;
	}
	if (command)
		help_command(stdout, command, path);
	else
		help_program(stdout);
	return EXIT_DONE;
}

static int misuse_option(const char *given)
{
	static const char *const known[] = {"--help", "--version"};
	const char *near = nearest_word(given, known, sizeof known / sizeof known[0]);
	fprintf(stderr, "trigate: '");
	out_plain(stderr, given);
	if (near)
		fprintf(stderr, "' is unknown; did you mean '%s'?", near);
	else
		fprintf(stderr, "' stands where a command is expected; options come after it");
	fprintf(stderr, "\nTry 'trigate --help'.\n");
	return EXIT_MISUSE;
}

int cli_main(int argc, char **argv)
{
	if (argc < 2) {
		help_program(stderr);
		return EXIT_MISUSE;
	}
	const char *word = argv[1];
	if (is_help(word))
		return cli_help(0, NULL);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		word = "version";
	if (word[0] == '-')
		return misuse_option(word);
	const struct command *command = command_find(commands, word);
	return command ? command_enter(command, NULL, argc - 1, argv + 1) : misuse_command(NULL, commands, word);
}
