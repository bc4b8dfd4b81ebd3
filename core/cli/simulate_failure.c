#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/out.h"
#include "core/cli/simulate.h"
#include "core/cli/text.h"
#include "simulation/shrink.h"

#define TRY_NS INT64_C(360000000000) /* virtual time that an attempt to shrink may take on average */
#define TRIES_TOLD 100               /* a line each so many where no terminal shows the latest */
#define TRACE_LINES 60               /* that are shown of a failure, if not --verbose */
#define PATH_BYTES 4096

/* ------------------------------------------------------------------ two runs that differ */

static char *whole_trace(const struct simulate *simulate, const struct failure *failure)
{
	struct tg_error error = tg_error_init();
	struct run_result result = {0};
	struct run_options options = simulate->options;
	options.seed = failure->schedule.seed;
	options.trace_bytes = SIMULATE_TRACE_WHOLE;
	if (jobs_run(&options, simulate->timeout_s, &result, &error) != TG_OK)
		return NULL;
	char *trace = result.trace;
	result.trace = NULL;
	run_result_clear(&result);
	return trace;
}

static void print_line(const char *mark, const char *line)
{
	char text[1200];
	snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
	printf("  %s ", mark);
	out_plain(stdout, text);
	printf("\n");
}

/* The first line in which they part, with the one before it. */
static void show_parting(const char *first, const char *second)
{
	size_t line = 0, before = 0, at = 0;
	for (; first[at] && first[at] == second[at]; at++)
		if (first[at] == '\n') {
			before = line;
			line = at + 1;
		}
	if (first[at] == second[at]) {
		printf("  run once more, two of them left the same trace: it does not happen every time\n");
		return;
	}
	printf("they part here:\n");
	if (line > 0)
		print_line(" ", first + before);
	print_line("-", first + line);
	print_line("+", second + line);
}

/* Nothing to shrink: the same run is run twice again and the traces are laid side by side. */
static void show_difference(const struct simulate *simulate, const struct failure *failure)
{
	simulate_report_failure(simulate, failure, NULL, 0);
	if (simulate->json || simulate->sweep < FAULT_KINDS)
		return;
	char *first = whole_trace(simulate, failure), *second = whole_trace(simulate, failure);
	if (first && second)
		show_parting(first, second);
	free(first);
	free(second);
}

/* ------------------------------------------------------------------ shrinking */

static void on_try(void *ctx, uint32_t runs, uint32_t events, int64_t duration_ms)
{
	const struct failure *failure = ctx;
	const char *name = failure->name;
	char duration[TEXT_MAX] = "the seed's duration";
	if (duration_ms > 0)
		text_duration(duration, duration_ms * 1000000);
	if (out_is_terminal(stderr))
		out_status("shrinking %s: %u tries, %u events, %s", name, runs, events, duration);
	else if (runs % TRIES_TOLD == 0)
		fprintf(stderr, "shrinking %s: %u tries, %u events, %s\n", name, runs, events, duration);
}

/* Returns how many runs it took, or an error, of which the person is told. */
static int shrink_failure(const struct simulate *simulate, struct failure *failure)
{
	struct tg_error error = tg_error_init();
	struct shrink_options options = {.run = jobs_run,
					 .timeout_s = simulate->timeout_s,
					 .runs_max = simulate->shrink_attempts,
					 .virtual_ns_max = simulate->shrink_attempts * TRY_NS,
					 .files = simulate->options.files,
					 .ctx = failure,
					 .progress = on_try};
	int tries = shrink(&options, &failure->schedule, &error);
	out_status_clear();
	if (tries < 0 && tries != TG_ERR_NOT_FOUND)
		cli_fail(simulate->args, "cannot shrink it further: %s", error.message);
	return tries;
}

/* A new file in the folder of schedules; NULL after telling why not. */
static FILE *file_new(const struct simulate *simulate, const struct failure *failure, const char *suffix,
		      char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s.%s", simulate->out, failure->name, suffix);
	FILE *file = fopen(path, "we");
	if (!file)
		cli_fail(simulate->args, "cannot write %s: %s", path, strerror(errno));
	return file;
}

static int file_done(const struct simulate *simulate, FILE *file, const char *path)
{
	bool failed = ferror(file) != 0;
	failed = fclose(file) != 0 || failed;
	return failed ? cli_fail(simulate->args, "cannot write %s: %s", path, strerror(errno)) : EXIT_DONE;
}

static int write_schedule(const struct simulate *simulate, const struct failure *failure, char path[PATH_BYTES])
{
	FILE *file = file_new(simulate, failure, "schedule.json", path);
	if (!file)
		return EXIT_FAILED;
	schedule_print(&failure->schedule, file);
	return file_done(simulate, file, path);
}

static int write_trace(const struct simulate *simulate, struct failure *failure)
{
	char path[PATH_BYTES];
	if (!failure->trace)
		return EXIT_DONE;
	FILE *file = file_new(simulate, failure, "trace", path);
	if (!file)
		return EXIT_FAILED;
	fputs(failure->trace, file);
	failure->trace_path = strdup(path);
	return file_done(simulate, file, path);
}

/* The trace of what was written: the shrunk run is another than the one that failed first. */
static void trace_again(const struct simulate *simulate, struct failure *failure)
{
	struct tg_error error = tg_error_init();
	struct run_result result = {0};
	struct run_options options;
	schedule_options(&failure->schedule, &options);
	options.files = simulate->options.files;
	options.trace_bytes = SIMULATE_TRACE_WHOLE;
	if (jobs_run(&options, simulate->timeout_s, &result, &error) != TG_OK)
		return;
	free(failure->trace);
	failure->trace = result.trace;
	failure->at_ns = result.violation.at_ns;
	result.trace = NULL;
	run_result_clear(&result);
}

static void show_trace(const struct simulate *simulate, const struct failure *failure)
{
	if (!simulate->json)
		simulate_report_trace(simulate, failure->trace, failure->schedule.text,
				      simulate->verbose ? 0 : TRACE_LINES);
}

static bool is_first_of_check(const struct simulate *simulate, const struct failure *failure)
{
	for (const struct failure *other = simulate->failure; other < failure; other++)
		if (strcmp(other->schedule.check, failure->schedule.check) == 0)
			return false;
	return true;
}

/* By its seed alone it fails again; a schedule would not show it. */
static void keep_seed(const struct simulate *simulate, const struct failure *failure)
{
	simulate_report_failure(simulate, failure, NULL, 0);
	if (simulate->json)
		return;
	printf("the schedule of what struck does not fail in the same way; the seed does:\n"
	       "  trigate simulate world --seed %llu --runs 1\n",
	       (unsigned long long)failure->schedule.seed);
	show_trace(simulate, failure);
}

static int write_and_report(struct simulate *simulate, struct failure *failure, bool shrunk, int tries)
{
	char path[PATH_BYTES];
	bool given = simulate->scheduled && !shrunk; /* there is a file of it already */
	int code = given ? EXIT_DONE : write_schedule(simulate, failure, path);
	if (code == EXIT_DONE && shrunk)
		code = write_trace(simulate, failure);
	if (code == EXIT_DONE)
		simulate_report_failure(simulate, failure, given ? NULL : path, tries);
	return code;
}

static int take_failure(struct simulate *simulate, struct failure *failure)
{
	bool first = is_first_of_check(simulate, failure), shrunk = simulate->shrinks && first;
	int tries = 0;
	if (strcmp(failure->schedule.check, "deterministic") == 0) {
		show_difference(simulate, failure);
		return EXIT_DONE;
	}
	if (shrunk) {
		tries = shrink_failure(simulate, failure);
		if (tries == TG_ERR_NOT_FOUND) {
			keep_seed(simulate, failure);
			return EXIT_DONE;
		}
		trace_again(simulate, failure);
	}
	int code = write_and_report(simulate, failure, shrunk, tries);
	if (code == EXIT_DONE && first && (shrunk || !simulate->traces))
		show_trace(simulate, failure);
	return code;
}

int simulate_failures(struct simulate *simulate)
{
	int code = EXIT_DONE;
	for (size_t i = 0; i < simulate->failure_count && code == EXIT_DONE; i++)
		code = take_failure(simulate, &simulate->failure[i]);
	return code;
}
