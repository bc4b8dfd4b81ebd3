#include "core/cli/help.h"

#include <ctype.h>
#include <string.h>

#include "core/cli/out.h"

#define INDENT 2
#define COLUMN_MAX 30 /* a longer left column puts its text on the next line */
#define WIDTH_MAX 100 /* longer lines are hard to read */
#define WIDTH_MIN 50

static size_t width_of(FILE *stream)
{
	size_t width = out_width(stream);
	return width > WIDTH_MAX ? WIDTH_MAX : width < WIDTH_MIN ? WIDTH_MIN : width;
}

/* Words of text, wrapped, the first line beginning at `column`, the others indented by `indent`. Ends the line. A line
 * break in the text is kept. */
static void print_wrapped(FILE *stream, const char *text, size_t column, size_t indent)
{
	size_t width = width_of(stream);
	bool first = true;
	while (*text) {
		size_t length = strcspn(text, " \n");
		if (!first && column + 1 + length > width) {
			fprintf(stream, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		fprintf(stream, "%s%.*s", first ? "" : " ", (int)length, text);
		column += length + !first;
		first = false;
		text += length;
		if (*text == '\n') {
			fprintf(stream, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		text += *text != 0;
	}
	fputc('\n', stream);
}

/* One line of a two-column list. */
static void print_entry(FILE *stream, const char *left, const char *text, size_t column)
{
	size_t length = strlen(left);
	fprintf(stream, "%*s%s%s%s", INDENT, "", out_style(stream, STYLE_BOLD), left, out_style(stream, STYLE_NONE));
	if (INDENT + length + 2 > column)
		fprintf(stream, "\n%*s", (int)column, "");
	else
		fprintf(stream, "%*s", (int)(column - INDENT - length), "");
	print_wrapped(stream, text, column, column);
}

static void print_title(FILE *stream, const char *title)
{
	fprintf(stream, "\n%s%s%s\n", out_style(stream, STYLE_BOLD), title, out_style(stream, STYLE_NONE));
}

/* "-c, --config FILE", or "    --json" so that the long names stand in one column. */
static void option_text(const struct option_spec *spec, char text[96])
{
	char letter[8] = "    ";
	if (spec->letter)
		snprintf(letter, sizeof letter, "-%c, ", spec->letter);
	snprintf(text, 96, "%s--%s%s%s", letter, spec->name, spec->argument ? " " : "",
		 spec->argument ? spec->argument : "");
}

static const struct option_spec help_option = {.name = "help", .letter = 'h', .help = "show this text"};

static size_t widest_option(const struct command *command)
{
	char text[96];
	option_text(&help_option, text);
	size_t widest = strlen(text);
	for (const struct option_spec *spec = command->options; spec && spec->name; spec++) {
		option_text(spec, text);
		size_t length = strlen(text);
		if (length > widest && length <= COLUMN_MAX)
			widest = length;
	}
	return widest;
}

static void print_options(FILE *stream, const struct command *command)
{
	char text[96];
	size_t column = INDENT + widest_option(command) + 2;
	print_title(stream, "Options");
	for (const struct option_spec *spec = command->options; spec && spec->name; spec++) {
		option_text(spec, text);
		print_entry(stream, text, spec->help, column);
	}
	option_text(&help_option, text);
	print_entry(stream, text, help_option.help, column);
}

static void print_commands(FILE *stream, const struct command *const *list)
{
	size_t widest = 0;
	for (size_t i = 0; list[i]; i++)
		if (strlen(list[i]->name) > widest)
			widest = strlen(list[i]->name);
	print_title(stream, "Commands");
	for (size_t i = 0; list[i]; i++)
		print_entry(stream, list[i]->name, list[i]->summary, INDENT + widest + 2);
}

static void print_examples(FILE *stream, const char *text)
{
	print_title(stream, "Examples");
	while (*text) {
		size_t length = strcspn(text, "\n");
		fprintf(stream, "%*s%.*s\n", INDENT, "", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

void help_program(FILE *stream)
{
	fprintf(stream, "Usage: trigate COMMAND [ARGUMENT]... [OPTION]...\n\n");
	print_wrapped(stream,
		      "An exchange gateway that finds and executes arbitrage cycles. Exchanges, stores and routers are "
		      "plugins.",
		      0, 0);
	print_commands(stream, commands);
	fprintf(stream, "\n'trigate help COMMAND' or 'trigate COMMAND --help' tells about one.\n");
	fprintf(stream, "Exit status: 0 done, 1 failed, 2 wrong usage or configuration.\n");
}

/* The summary as a sentence. */
static void print_summary(FILE *stream, const char *summary)
{
	fputc(toupper((unsigned char)summary[0]), stream);
	fputs(summary + 1, stream);
	fputs(".\n", stream);
}

void help_command(FILE *stream, const struct command *command, const char *path)
{
	fprintf(stream, "Usage: trigate %s%s%s%s\n\n", path, command->synopsis ? " " : "",
		command->synopsis ? command->synopsis : "", command->sub ? " COMMAND [OPTION]..." : " [OPTION]...");
	print_summary(stream, command->summary);
	if (command->details) {
		fputc('\n', stream);
		print_wrapped(stream, command->details, 0, 0);
	}
	if (command->sub)
		print_commands(stream, command->sub);
	else
		print_options(stream, command);
	if (command->examples)
		print_examples(stream, command->examples);
}
