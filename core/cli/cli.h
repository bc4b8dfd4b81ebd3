/* The frame of the command line: what a command is and how it is found, helped and run. Owner: the main thread.
 *
 * A command is one file, cmd_<name>.c, that exports one `const struct command command_<name>`; the list of all stands
 * in commands.c. Everything a person reads about a command (help, usage, errors about options) is made from its table,
 * so that it cannot drift from what the command accepts. */
#ifndef TRIGATE_CORE_CLI_CLI_H
#define TRIGATE_CORE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/error.h>

/* Exit codes of every command. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2 };

enum option_kind {
	OPTION_FLAG,   /* takes no argument */
	OPTION_TEXT,   /* any text that is not empty */
	OPTION_NUMBER, /* a whole number within least..most */
	OPTION_CHOICE, /* one word of `choices` */
};

/* One option: `--name` or `-letter`. Given twice, the last one counts, unless it `repeats`. */
struct option_spec {
	const char *name; /* long name without dashes; NULL ends the table */
	char letter;      /* short form; 0: none */
	enum option_kind kind;
	const char *argument; /* what help calls the argument: "DIR"; NULL for a flag */
	const char *help;     /* one line or more; wrapped to the terminal. Starts in lower case, no full stop */
	int64_t least;        /* of a number */
	int64_t most;
	const char *choices; /* of a choice: "buy|sell" */
	bool repeats;        /* may be given more than once: see arguments_nth */
};

#define OPTION_END \
	{ \
		.name = NULL \
	}
/* Options that many commands share, in the same words. */
#define OPTION_JSON \
	{ \
		.name = "json", .kind = OPTION_FLAG, .help = "print JSON lines, for machines" \
	}
#define OPTION_CONFIG \
	{ \
		.name = "config", .letter = 'c', .kind = OPTION_TEXT, .argument = "FILE", \
		.help = "gateway configuration file" \
	}
#define OPTION_STATE_DIR \
	{ \
		.name = "state-dir", .letter = 'd', .kind = OPTION_TEXT, .argument = "DIR", \
		.help = "state directory of the gateway (default: state_dir of --config, else " DEFAULT_STATE_DIR ")" \
	}
#define DEFAULT_STATE_DIR "./trigate-state"

struct arguments; /* what was given: arguments.h */

struct command {
	const char *name;
	const char *summary;  /* one line for the list of commands, no full stop */
	const char *synopsis; /* positional arguments as usage shows them: "FILE", "[ID]..."; NULL: none */
	size_t least;         /* positional arguments that must be and may be given */
	size_t most;
	const char *details;               /* paragraphs below the usage line, ending without newline; NULL: none */
	const struct option_spec *options; /* NULL: none besides --help */
	const struct command *const *sub;  /* sub-commands, NULL-terminated; NULL: none. One must then be given */
	const char *examples;              /* lines "trigate ..." shown last; NULL: none */
	int (*run)(const struct arguments *args); /* returns EXIT_; NULL where there are sub-commands */
};

/* All commands in the order of help, NULL-terminated. */
extern const struct command *const commands[];

/* The whole program: argv as main gets it. Returns EXIT_. */
int cli_main(int argc, char **argv);

/* `trigate help WORD...`: the program's help or that of the command the words name. Returns EXIT_. */
int cli_help(size_t count, const char *const *words);

/* Say on stderr what is wrong with the command line or configuration and where help is; returns EXIT_MISUSE. */
int cli_misuse(const struct arguments *args, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Say on stderr why the command failed; returns EXIT_FAILED. */
int cli_fail(const struct arguments *args, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
