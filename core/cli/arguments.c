#include "core/cli/arguments.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/nearest.h"

#define OPTIONS_MAX 40 /* of one command; a longer table is our own bug */
#define LONG_BASE 256  /* getopt values of long options begin above every letter */
#define HELP_VALUE 'h'
#define CHOICES_MAX 16

struct value {
	const struct option_spec *spec;
	const char *text;
	int64_t number;
};

struct arguments {
	const struct command *command;
	const char *path;
	char **positional;
	size_t positional_count;
	struct value *value; /* in the order of the command line */
	size_t value_count;
};

/* The option table in getopt's own form. */
struct getopt_table {
	struct option option[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 4];
	const char *names[OPTIONS_MAX + 1];
	size_t count;
};

static void table_build(const struct command *command, struct getopt_table *ret_table)
{
	struct getopt_table table = {.letters = ":h"};
	size_t letters = strlen(table.letters);
	for (const struct option_spec *spec = command->options; spec && spec->name; spec++) {
		assert(table.count < OPTIONS_MAX);
		int argument = spec->kind == OPTION_FLAG ? no_argument : required_argument;
		table.option[table.count] = (struct option){spec->name, argument, NULL, LONG_BASE + (int)table.count};
		table.names[table.count++] = spec->name;
		if (spec->letter) {
			table.letters[letters++] = spec->letter;
			if (argument == required_argument)
				table.letters[letters++] = ':';
		}
	}
	table.option[table.count] = (struct option){"help", no_argument, NULL, HELP_VALUE};
	table.names[table.count] = "help";
	*ret_table = table;
}

static const struct option_spec *spec_of(const struct command *command, int value)
{
	if (value >= LONG_BASE)
		return &command->options[value - LONG_BASE];
	for (const struct option_spec *spec = command->options; spec && spec->name; spec++)
		if (spec->letter == value)
			return spec;
	return NULL;
}

static const struct option_spec *spec_by_name(const struct command *command, const char *name)
{
	for (const struct option_spec *spec = command->options; spec && spec->name; spec++)
		if (strcmp(spec->name, name) == 0)
			return spec;
	return NULL;
}

/* "--json" given as "--jsno", or as "--s", which begins several. */
static int misuse_unknown_long(const struct arguments *args, const struct getopt_table *table, const char *given)
{
	char name[64];
	size_t length = strcspn(given + 2, "=");
	if (length >= sizeof name)
		return cli_misuse(args, "unknown option '%s'", given);
	memcpy(name, given + 2, length);
	name[length] = 0;

	const char *first = NULL;
	for (size_t i = 0; i <= table->count; i++) {
		if (strncmp(table->names[i], name, length) != 0)
			continue;
		if (first)
			return cli_misuse(args, "option '--%s' could be '--%s' or '--%s'", name, first,
					  table->names[i]);
		first = table->names[i];
	}
	const char *near = nearest_word(name, table->names, table->count + 1);
	if (near)
		return cli_misuse(args, "unknown option '--%s'; did you mean '--%s'?", name, near);
	return cli_misuse(args, "unknown option '--%s'", name);
}

static int misuse_unknown(const struct arguments *args, const struct getopt_table *table, const char *given)
{
	if (optopt >= LONG_BASE || optopt == HELP_VALUE)
		return cli_misuse(args, "option '--%s' takes no argument",
				  optopt == HELP_VALUE ? "help" : args->command->options[optopt - LONG_BASE].name);
	if (optopt)
		return cli_misuse(args, "unknown option '-%c'", optopt);
	return misuse_unknown_long(args, table, given);
}

static int number_check(const struct arguments *args, struct value *value)
{
	const struct option_spec *spec = value->spec;
	char *end;
	errno = 0;
	long long number = strtoll(value->text, &end, 10);
	if (*end || errno || number < spec->least || number > spec->most) {
		if (spec->most == INT64_MAX)
			return cli_misuse(args, "--%s must be a whole number, at least %lld, not '%s'", spec->name,
					  (long long)spec->least, value->text);
		return cli_misuse(args, "--%s must be a whole number from %lld to %lld, not '%s'", spec->name,
				  (long long)spec->least, (long long)spec->most, value->text);
	}
	value->number = number;
	return EXIT_DONE;
}

/* The words of "buy|sell" in copy, which they point into. */
static size_t choices_split(char *copy, const char *choice[CHOICES_MAX])
{
	size_t count = 0;
	char *rest = NULL;
	for (char *word = strtok_r(copy, "|", &rest); word && count < CHOICES_MAX; word = strtok_r(NULL, "|", &rest))
		choice[count++] = word;
	return count;
}

static int choice_check(const struct arguments *args, const struct value *value)
{
	char copy[256];
	const char *choice[CHOICES_MAX];
	assert(strlen(value->spec->choices) < sizeof copy);
	strcpy(copy, value->spec->choices);
	size_t count = choices_split(copy, choice);
	for (size_t i = 0; i < count; i++)
		if (strcmp(choice[i], value->text) == 0)
			return EXIT_DONE;
	const char *near = nearest_word(value->text, choice, count);
	return cli_misuse(args, "--%s must be one of %s, not '%s'%s%s%s", value->spec->name, value->spec->choices,
			  value->text, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* A forgotten argument makes getopt take the next option for it. */
static bool looks_like_option(const struct getopt_table *table, const char *text)
{
	if (strncmp(text, "--", 2) != 0)
		return false;
	for (size_t i = 0; i <= table->count; i++)
		if (strcmp(table->names[i], text + 2) == 0)
			return true;
	return false;
}

static int value_check(const struct arguments *args, const struct getopt_table *table, struct value *value)
{
	const struct option_spec *spec = value->spec;
	if (spec->kind == OPTION_FLAG)
		return EXIT_DONE;
	if (looks_like_option(table, value->text))
		return cli_misuse(args, "option '--%s' needs an argument (%s), but '%s' is an option", spec->name,
				  spec->argument, value->text);
	if (!value->text[0])
		return cli_misuse(args, "option '--%s' needs an argument (%s), which must not be empty", spec->name,
				  spec->argument);
	if (spec->kind == OPTION_NUMBER)
		return number_check(args, value);
	if (spec->kind == OPTION_CHOICE)
		return choice_check(args, value);
	return EXIT_DONE;
}

static int positional_check(const struct arguments *args)
{
	const struct command *command = args->command;
	if (args->positional_count > command->most)
		return cli_misuse(args, "unexpected argument '%s'", args->positional[command->most]);
	if (args->positional_count < command->least)
		return cli_misuse(args, "%s is missing", command->synopsis);
	return EXIT_DONE;
}

/* Run getopt over the line. */
static int options_read(struct arguments *args, int argc, char **argv, bool *ret_help)
{
	struct getopt_table table;
	table_build(args->command, &table);
	optind = 0; /* start afresh: a program may parse twice */
	opterr = 0;
	for (int got; (got = getopt_long(argc, argv, table.letters, table.option, NULL)) != -1;) {
		if (got == HELP_VALUE) {
			*ret_help = true;
			return EXIT_DONE;
		}
		if (got == '?')
			return misuse_unknown(args, &table, argv[optind - 1]);
		if (got == ':') {
			const struct option_spec *spec = spec_of(args->command, optopt);
			return cli_misuse(args, "option '--%s' needs an argument (%s)", spec->name, spec->argument);
		}
		struct value value = {.spec = spec_of(args->command, got), .text = optarg};
		assert(value.spec); /* getopt knows what the table holds */
		int rc = value_check(args, &table, &value);
		if (rc)
			return rc;
		args->value[args->value_count++] = value;
	}
	args->positional = argv + optind;
	args->positional_count = (size_t)(argc - optind);
	return positional_check(args);
}

int arguments_parse(const struct command *command, const char *path, int argc, char **argv, bool *ret_help,
		    struct arguments **ret_args)
{
	struct arguments *args = calloc(1, sizeof *args);
	/* each letter of a cluster ("-qv") may be an option, so a word counts by its letters */
	size_t most = 0;
	for (int i = 1; i < argc; i++)
		most += strlen(argv[i]) + 1;
	struct value *value = calloc(most + 1, sizeof *value);
	if (!args || !value) {
		free(value);
		free(args);
		return cli_fail(NULL, "out of memory");
	}
	args->command = command;
	args->path = path;
	args->value = value;

	bool help = false;
	int rc = options_read(args, argc, argv, &help);
	if (rc || help) {
		arguments_destroy(args);
		*ret_help = help;
		return rc;
	}
	*ret_help = false;
	*ret_args = args;
	return EXIT_DONE;
}

void arguments_destroy(struct arguments *args)
{
	if (!args)
		return;
	free(args->value);
	free(args);
}

const char *arguments_nth(const struct arguments *args, const char *name, size_t index)
{
	const struct option_spec *spec = spec_by_name(args->command, name);
	assert(spec && "an option that the command's table does not hold");
	for (size_t i = 0; i < args->value_count; i++)
		if (args->value[i].spec == spec && index-- == 0)
			return args->value[i].text ? args->value[i].text : "";
	return NULL;
}

static const struct value *value_last(const struct arguments *args, const char *name)
{
	const struct option_spec *spec = spec_by_name(args->command, name);
	assert(spec && "an option that the command's table does not hold");
	for (size_t i = args->value_count; i > 0; i--)
		if (args->value[i - 1].spec == spec)
			return &args->value[i - 1];
	return NULL;
}

bool arguments_given(const struct arguments *args, const char *name)
{
	return value_last(args, name) != NULL;
}

const char *arguments_text(const struct arguments *args, const char *name)
{
	const struct value *value = value_last(args, name);
	return value ? value->text : NULL;
}

int64_t arguments_number(const struct arguments *args, const char *name, int64_t otherwise)
{
	const struct value *value = value_last(args, name);
	return value ? value->number : otherwise;
}

size_t arguments_count(const struct arguments *args)
{
	return args->positional_count;
}

const char *arguments_get(const struct arguments *args, size_t index)
{
	return index < args->positional_count ? args->positional[index] : NULL;
}

const char *arguments_path(const struct arguments *args)
{
	return args->path;
}
