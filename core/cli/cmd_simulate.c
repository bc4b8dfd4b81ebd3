/* trigate simulate: the whole gateway against a hostile world on virtual time. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/simulate.h"

#define RUNS_DEFAULT 100
#define CHECK_TWICE_DEFAULT 50
#define TIMEOUT_S_DEFAULT 120
#define SHRINK_ATTEMPTS_DEFAULT 1000
#define JOBS_MOST 256
#define MINUTES_MOST (30 * 24 * 60)

/* ------------------------------------------------------------------ options */

/* What a schedule says already. */
static int refuse_beside_schedule(const struct arguments *args)
{
	static const char *const other[] = {"seed",    "runs",   "minutes", "gateways",
					    "markets", "faults", "sweep",   "venue-protocol"};
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
		if (arguments_given(args, other[i]))
			return cli_misuse(args, "--%s cannot be given with --schedule, which says all of a run",
					  other[i]);
	return EXIT_DONE;
}

static int refuse_combinations(const struct arguments *args)
{
	if (arguments_given(args, "strategy") && !arguments_given(args, "config"))
		return cli_misuse(args, "--strategy needs --config, whose gateway it is for");
	if (arguments_given(args, "shrink") && arguments_given(args, "no-shrink"))
		return cli_misuse(args, "--shrink and --no-shrink exclude each other");
	if (arguments_given(args, "shrink") && !arguments_given(args, "schedule"))
		return cli_misuse(args, "--shrink is for --schedule; what fails by chance is shrunk anyhow");
	if (arguments_given(args, "shrink-attempts") && arguments_given(args, "no-shrink"))
		return cli_misuse(args, "--shrink-attempts and --no-shrink exclude each other");
	if (arguments_given(args, "trace") && arguments_given(args, "sweep"))
		return cli_misuse(args, "--trace is for a single run, --sweep makes many");
	if (arguments_given(args, "trace") && arguments_number(args, "runs", 1) != 1)
		return cli_misuse(args, "--trace is for a single run; leave --runs out");
	return arguments_given(args, "schedule") ? refuse_beside_schedule(args) : EXIT_DONE;
}

static int rates_read(const struct arguments *args, struct simulate *simulate)
{
	struct tg_error error = tg_error_init();
	const char *text = arguments_text(args, "faults");
	bool sweeps = simulate->sweep < FAULT_KINDS;
	fault_rates_default(&simulate->options.rates);
	if (sweeps && !text) /* the one fault of a sweep alone, unless others are asked for */
		text = "none";
	if (text && fault_rates_parse(text, &simulate->options.rates, &error) != TG_OK)
		return cli_misuse(args, "--faults: %s", error.message);
	if (sweeps)
		simulate->options.rates.rate_e6[simulate->sweep] = 0;
	return EXIT_DONE;
}

static int schedule_take(const struct arguments *args, struct simulate *simulate)
{
	struct tg_error error = tg_error_init();
	const char *path = arguments_text(args, "schedule");
	if (schedule_read(path, &simulate->schedule, &error) != TG_OK)
		return cli_misuse(args, "%s", error.message);
	simulate->scheduled = true;
	schedule_options(&simulate->schedule, &simulate->options);
	return EXIT_DONE;
}

static int world_read(const struct arguments *args, struct simulate *simulate)
{
	const char *sweep = arguments_text(args, "sweep");
	if (arguments_given(args, "schedule"))
		return schedule_take(args, simulate);
	simulate->sweep = sweep ? fault_find(sweep) : FAULT_KINDS;
	simulate->seed = (uint64_t)arguments_number(args, "seed", 1);
	simulate->options.duration_ms = arguments_number(args, "minutes", 0) * 60000;
	simulate->options.gateways = (uint32_t)arguments_number(args, "gateways", sweep ? 1 : 0);
	simulate->options.markets = (uint32_t)arguments_number(args, "markets", 0);
	if (arguments_given(args, "venue-protocol"))
		simulate->options.protocol = run_protocol_find(arguments_text(args, "venue-protocol"));
	return rates_read(args, simulate);
}

static int out_read(const struct arguments *args, struct simulate *simulate)
{
	struct stat status;
	simulate->out = arguments_text(args, "out");
	if (!simulate->out)
		simulate->out = ".";
	if (stat(simulate->out, &status) != 0 || !S_ISDIR(status.st_mode))
		return cli_misuse(args, "--out: there is no folder '%s'", simulate->out);
	return EXIT_DONE;
}

static uint64_t runs_read(const struct arguments *args, const struct simulate *simulate)
{
	bool single = simulate->scheduled || arguments_given(args, "trace");
	return (uint64_t)arguments_number(args, "runs", simulate->sweep < FAULT_KINDS ? 0 : single ? 1 : RUNS_DEFAULT);
}

static int simulate_read(const struct arguments *args, struct simulate *simulate)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int code = refuse_combinations(args);
	if (code == EXIT_DONE)
		code = world_read(args, simulate);
	if (code == EXIT_DONE)
		code = out_read(args, simulate);
	if (code != EXIT_DONE)
		return code;
	simulate->json = arguments_given(args, "json");
	simulate->verbose = arguments_given(args, "verbose");
	simulate->traces = arguments_given(args, "trace");
	simulate->keep_going = arguments_given(args, "keep-going");
	simulate->shrinks = simulate->scheduled ? arguments_given(args, "shrink") : !arguments_given(args, "no-shrink");
	simulate->runs = runs_read(args, simulate);
	simulate->jobs = (uint32_t)arguments_number(args, "jobs",
						    cores < 1           ? 1
						    : cores < JOBS_MOST ? cores
									: JOBS_MOST);
	simulate->check_twice = (uint64_t)arguments_number(args, "check-twice", CHECK_TWICE_DEFAULT);
	simulate->timeout_s = (int)arguments_number(args, "timeout", TIMEOUT_S_DEFAULT);
	simulate->shrink_attempts = (uint32_t)arguments_number(args, "shrink-attempts", SHRINK_ATTEMPTS_DEFAULT);
	simulate->options.trace_bytes = simulate->traces ? SIMULATE_TRACE_WHOLE : SIMULATE_TRACE_BYTES;
	simulate->options.files =
		(struct run_config_files){arguments_text(args, "config"), arguments_text(args, "strategy")};
	return EXIT_DONE;
}

/* ------------------------------------------------------------------ command */

static int simulate_all(struct simulate *simulate)
{
	int code = simulate_run(simulate);
	if (code == EXIT_DONE)
		code = simulate_failures(simulate);
	if (code != EXIT_DONE)
		return code;
	simulate_report_summary(simulate);
	return simulate->violations > 0 ? EXIT_FAILED : EXIT_DONE;
}

static int simulate_world(const struct arguments *args)
{
	struct simulate simulate = {.args = args, .sweep = FAULT_KINDS};
	int code = simulate_read(args, &simulate);
	if (code == EXIT_DONE)
		code = simulate_all(&simulate);
	simulate_finish(&simulate);
	return code;
}

static const struct option_spec world_options[] = {
	{.name = "seed",
	 .letter = 's',
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 0,
	 .most = INT64_MAX / 2,
	 .help = "of the first run; the next ones count up (default: 1)"},
	{.name = "runs",
	 .letter = 'r',
	 .kind = OPTION_NUMBER,
	 .argument = "R",
	 .least = 1,
	 .most = 100000000,
	 .help = "how many (default: 100; with --sweep at most so many, default all; with --schedule or --trace one)"},
	{.name = "jobs",
	 .letter = 'j',
	 .kind = OPTION_NUMBER,
	 .argument = "J",
	 .least = 1,
	 .most = JOBS_MOST,
	 .help = "runs at a time, each a process (default: as many as there are cores)"},
	{.name = "minutes",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 1,
	 .most = MINUTES_MOST,
	 .help = "virtual time in which faults strike and cycles begin (default: as the seed says, mostly 5)"},
	{.name = "gateways",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 1,
	 .most = 4,
	 .help = "how many (default: as the seed says; with --sweep 1)"},
	{.name = "markets",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 6,
	 .most = 5000,
	 .help = "of each venue (default: as the seed says)"},
	{.name = "venue-protocol",
	 .kind = OPTION_CHOICE,
	 .argument = "PROTOCOL",
	 .choices = "own|binance|mixed",
	 .help = "what the venues speak: the simulator's own protocol, Binance's with its real connector, or, by seed, "
		 "one or the other (default: own)"},
	{.name = "faults",
	 .letter = 'f',
	 .kind = OPTION_TEXT,
	 .argument = "SPEC",
	 .help = "what goes wrong and how often (default: the rates above; with --sweep: none)"},
	{.name = "schedule",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .help = "do exactly what this file says: one that was written of a failure, or by hand"},
	{.name = "sweep",
	 .kind = OPTION_CHOICE,
	 .argument = "FAULT",
	 .choices = "kill|power_loss",
	 .help = "strike at each write, sync and send of one run in turn: a run for each of them"},
	{.name = "config",
	 .letter = 'c',
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .help = "your gateway configuration; its exchange and storage are replaced by simulated ones"},
	{.name = "strategy",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .help = "strategy file (default: the one that the gateway file names)"},
	{.name = "trace", .letter = 't', .kind = OPTION_FLAG, .help = "print the trace of a single run"},
	{.name = "keep-going", .letter = 'k', .kind = OPTION_FLAG, .help = "do not stop at the first violation"},
	{.name = "no-shrink",
	 .kind = OPTION_FLAG,
	 .help = "write the schedule of a failure as it is, do not look for a shorter one"},
	{.name = "shrink", .kind = OPTION_FLAG, .help = "shrink what --schedule gives, too"},
	{.name = "shrink-attempts",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 1,
	 .most = 1000000,
	 .help = "runs, at most, that shrinking a failure takes; no more virtual time than N runs of six minutes "
		 "(default: 1000)"},
	{.name = "check-twice",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 0,
	 .most = 100000000,
	 .help = "run every N-th run twice and compare (default: 50; 0: never)"},
	{.name = "timeout",
	 .kind = OPTION_NUMBER,
	 .argument = "SECONDS",
	 .least = 1,
	 .most = 86400,
	 .help = "wall time without getting further after which a run is taken to hang (default: 120)"},
	{.name = "out",
	 .letter = 'o',
	 .kind = OPTION_TEXT,
	 .argument = "DIR",
	 .help = "where schedules of failures are written (default: here)"},
	{.name = "verbose",
	 .letter = 'v',
	 .kind = OPTION_FLAG,
	 .help = "whole traces; the transitions not made, and why"},
	OPTION_JSON,
	OPTION_END,
};

#define RATE_TEXT(rate) #rate
#define FAULT_HELP(name, text, target, rate, least, most, what) text " " RATE_TEXT(rate) ": " what "\n"

static const struct command command_simulate_world = {
	.name = "world",
	.summary = "run the gateway in a made-up world where everything goes wrong that can",
	.details =
		"Each run is a world of its own in one process on virtual time: gateways as they are, simulated venues, "
		"network, disks and storage, and faults by chance. An observer who trusts the venues' ledgers alone says "
		"whether it was right. The same seed is the same run, to the byte of its trace.\n\n"
		"A run that goes wrong is shrunk to the shortest schedule of faults that still goes wrong in the same way, "
		"and written to a file that --schedule replays.\n\n"
		"SPEC is a list of NAME=PROBABILITY or NAME=xFACTOR, from left to right; 'all' is every fault, and 'none' "
		"is all=0: none,kill=0.001,link_cut=0.01 or all=x2,kill=x0. The faults, how often each strikes in a "
		"million opportunities, and what it does:\n\n" FAULT_TABLE(
			FAULT_HELP) "\nExit status: 0 all runs were right, 1 there was a violation, 2 wrong usage.",
	.options = world_options,
	.examples = "trigate simulate world --runs 1000\n"
		    "trigate simulate world --seed 17 --trace\n"
		    "trigate simulate world --sweep kill --seed 3\n"
		    "trigate simulate world --config examples/gateway.yaml --faults all=x3\n"
		    "trigate simulate world --schedule world-17.schedule.json",
	.run = simulate_world,
};

static const struct command *const simulate_sub[] = {&command_simulate_world, NULL};

const struct command command_simulate = {
	.name = "simulate",
	.summary = "try the gateway, or your own configuration, in a hostile world on virtual time",
	.sub = simulate_sub,
};
