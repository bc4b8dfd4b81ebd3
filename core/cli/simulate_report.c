#include <inttypes.h>
#include <string.h>

#include <trigate/exchange.h>

#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/simulate.h"
#include "core/cli/table.h"
#include "core/cli/text.h"

#define HOUR_NS INT64_C(3600000000000)
#define EVENTS_SHOWN 40 /* more nobody reads */

/* ------------------------------------------------------------------ figures */

const char *simulate_time(char text[32], int64_t ns)
{
	int64_t us = ns / 1000, s = us / 1000000;
	snprintf(text, 32, "%02" PRId64 ":%02d:%02d.%06d", s / 3600, (int)(s / 60 % 60), (int)(s % 60),
		 (int)(us % 1000000));
	return text;
}

/* A count for each virtual hour, in thousandths. */
static int64_t hourly_e3(const struct simulate *simulate, uint64_t count)
{
	if (simulate->counts.virtual_ns <= 0)
		return 0;
	return (int64_t)((__int128)count * 1000 * HOUR_NS / simulate->counts.virtual_ns);
}

static const char *thousandths(char text[TEXT_MAX], int64_t e3)
{
	return text_decimal(text, (struct tg_decimal){e3, 3, 0});
}

/* One place, for a column of them. */
static const char *tenths(char text[TEXT_MAX], int64_t e3)
{
	snprintf(text, TEXT_MAX, "%" PRId64 ".%d", e3 / 1000, (int)(e3 / 100 % 10));
	return text;
}

/* "1 run", "2 runs" */
static const char *counted(char text[TEXT_MAX], uint64_t count, const char *noun)
{
	char number[TEXT_MAX];
	snprintf(text, TEXT_MAX, "%.40s %.20s%s", text_count(number, (int64_t)count), noun, count == 1 ? "" : "s");
	return text;
}

/* The runs' digests in the order of their numbers: FNV-1a over them. */
static uint64_t combined_digest(const struct simulate *simulate)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);
	for (uint64_t run = 0; simulate->digest && run < simulate->runs; run++)
		for (int byte = 0; byte < 8; byte++)
			digest = (digest ^ (simulate->digest[run] >> 8 * byte & 0xff)) * UINT64_C(0x100000001b3);
	return digest;
}

static uint64_t fault_total(const struct run_counts *counts)
{
	uint64_t total = 0;
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		total += counts->faults[kind];
	return total;
}

/* ------------------------------------------------------------------ machines */

static void put_digest(struct json_object *line, uint64_t digest)
{
	char text[20];
	snprintf(text, sizeof text, "%016" PRIx64, digest);
	json_put_text(line, "digest", text);
}

/* A number with a fraction, as exact text: 12.5 */
static void put_e3(struct json_object *line, const char *key, int64_t e3)
{
	char text[TEXT_MAX];
	json_object_object_add(line, key, json_object_new_double_s((double)e3 / 1e3, thousandths(text, e3)));
}

static void put_faults(struct json_object *line, const struct run_counts *counts)
{
	struct json_object *faults = json_object_new_object();
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		json_put_number(faults, fault_info[kind].name, (int64_t)counts->faults[kind]);
	json_object_object_add(line, "faults", faults);
}

static void json_run(const struct simulate *simulate, uint64_t seed, const uint64_t *skip,
		     const struct run_result *result)
{
	struct json_object *line = json_line("run");
	json_put_number(line, "seed", (int64_t)seed);
	if (skip) {
		json_put_text(line, "fault", fault_info[simulate->sweep].name);
		json_put_number(line, "skip", (int64_t)*skip);
	}
	json_put_text(line, "check", result->violation.check);
	if (result->violation.check[0])
		json_put_text(line, "text", result->violation.text);
	json_put_number(line, "orders", (int64_t)result->counts.orders);
	json_put_number(line, "fills", (int64_t)result->counts.fills);
	json_put_number(line, "faults", (int64_t)fault_total(&result->counts));
	json_put_number(line, "books", (int64_t)result->counts.books);
	json_put_number(line, "operations", (int64_t)run_operations(&result->counts));
	put_e3(line, "virtual_s", result->counts.virtual_ns / 1000000);
	put_digest(line, result->digest);
	out_json(line);
}

static void json_failure(const struct failure *failure, const char *path, int tries)
{
	const struct schedule *schedule = &failure->schedule;
	struct json_object *line = json_line("violation");
	json_put_text(line, "check", schedule->check);
	json_put_text(line, "text", schedule->text);
	json_put_number(line, "seed", (int64_t)schedule->seed);
	put_e3(line, "at_s", failure->at_ns / 1000000);
	if (path) {
		json_put_text(line, "schedule", path);
		json_put_number(line, "events", schedule->event_count);
		json_put_number(line, "duration_ms", schedule->duration_ms);
		json_put_number(line, "tries", tries);
	}
	if (failure->trace_path)
		json_put_text(line, "trace", failure->trace_path);
	out_json(line);
}

/* Each move of the machines that is allowed, and how often it was made; those that cannot be made yet, and why. */
static void put_move(void *ctx, const struct coverage_move *move)
{
	char name[96];
	struct json_object **moves = ctx;
	snprintf(name, sizeof name, "%s %s --%s--> %s", move->machine, move->state, move->event, move->next);
	json_put_number(moves[0], name, (int64_t)move->count);
	if (move->unreachable)
		json_put_text(moves[1], name, move->unreachable);
}

static void put_moves(struct json_object *line, const struct coverage *coverage)
{
	struct json_object *moves[] = {json_object_new_object(), json_object_new_object()};
	coverage_each(coverage, put_move, moves);
	json_object_object_add(line, "moves", moves[0]);
	json_object_object_add(line, "moves_unreachable", moves[1]);
}

static void json_summary(const struct simulate *simulate)
{
	const struct run_counts *counts = &simulate->counts;
	struct coverage_report coverage;
	struct json_object *line = json_line("summary");
	coverage_judge(&simulate->coverage, &coverage);
	json_put_text(line, "show", "world");
	json_put_number(line, "violations", (int64_t)simulate->violations);
	json_put_number(line, "runs", (int64_t)simulate->done);
	put_e3(line, "virtual_hours", counts->virtual_ns / (HOUR_NS / 1000));
	json_put_number(line, "orders", (int64_t)counts->orders);
	json_put_number(line, "rejected", (int64_t)counts->rejected);
	json_put_number(line, "fills", (int64_t)counts->fills);
	json_put_number(line, "cycles", (int64_t)counts->cycles);
	json_put_number(line, "completed", (int64_t)counts->completed);
	put_e3(line, "orders_per_virtual_hour", hourly_e3(simulate, counts->orders));
	put_e3(line, "fills_per_virtual_hour", hourly_e3(simulate, counts->fills));
	put_e3(line, "faults_per_virtual_hour", hourly_e3(simulate, fault_total(counts)));
	put_faults(line, counts);
	json_put_number(line, "kills", (int64_t)counts->kills);
	json_put_number(line, "power_losses", (int64_t)counts->power_losses);
	json_put_number(line, "starts", (int64_t)counts->starts);
	json_put_number(line, "operations", (int64_t)run_operations(counts));
	json_put_number(line, "transitions_covered", coverage.covered);
	json_put_number(line, "transitions_total", coverage.total);
	json_put_number(line, "transitions_unreachable", coverage.unreachable);
	json_put_number(line, "transitions_missing", coverage.missing);
	json_put_number(line, "transitions_surprising", coverage.surprising);
	put_moves(line, &simulate->coverage);
	put_digest(line, combined_digest(simulate));
	out_json(line);
}

/* ------------------------------------------------------------------ people */

static void people_run(const struct simulate *simulate, uint64_t seed, const uint64_t *skip,
		       const struct run_result *result)
{
	char duration[TEXT_MAX];
	bool fails = result->violation.check[0] != '\0';
	printf("seed %-6" PRIu64, seed);
	if (skip)
		printf("  %s at %-6" PRIu64, fault_info[simulate->sweep].name, *skip);
	printf("  %s%-13s%s  %5" PRIu64 " orders  %5" PRIu64 " fills  %5" PRIu64 " faults  %-12s  %016" PRIx64 "\n",
	       out_style(stdout, fails ? STYLE_BAD : STYLE_GOOD), fails ? result->violation.check : "right",
	       out_style(stdout, STYLE_NONE), result->counts.orders, result->counts.fills, fault_total(&result->counts),
	       text_duration(duration, result->counts.virtual_ns), result->digest);
}

static void print_event(const struct fault_event *event)
{
	const struct fault_info *info = &fault_info[event->kind];
	char time[32], skip[32] = "", arg[32] = "";
	if (event->skip > 0)
		snprintf(skip, sizeof skip, ", opportunity %u", event->skip);
	if (info->least != info->most)
		snprintf(arg, sizeof arg, " = %" PRId64, event->arg);
	printf("  %s  %c%u     %s%s%s: %s\n", simulate_time(time, event->at_ns),
	       info->target == FAULT_TARGET_VENUE ? 'v' : 'g', event->target, info->name, arg, skip, info->what);
}

/* "4 faults, 54 s, 1 gateway, 3 markets, found in 59 tries:" */
static void people_head(const struct schedule *schedule, int tries)
{
	char text[TEXT_MAX];
	printf("\n%s", counted(text, schedule->event_count, "fault"));
	if (schedule->duration_ms > 0)
		printf(", %s", text_duration(text, schedule->duration_ms * 1000000));
	if (schedule->gateways > 0)
		printf(", %s", counted(text, schedule->gateways, "gateway"));
	if (schedule->markets > 0)
		printf(", %s", counted(text, schedule->markets, "market"));
	if (tries > 0)
		printf(", found in %d tries", tries);
	printf(":\n");
}

static void people_schedule(const struct simulate *simulate, const struct schedule *schedule, const char *path,
			    int tries)
{
	const char *config = simulate->options.files.gateway, *strategy = simulate->options.files.strategy;
	people_head(schedule, tries);
	for (uint32_t i = 0; i < schedule->event_count && (i < EVENTS_SHOWN || simulate->verbose); i++)
		print_event(&schedule->event[i]);
	if (schedule->event_count > EVENTS_SHOWN && !simulate->verbose)
		printf("  ... and %u more (--verbose: all)\n", schedule->event_count - EVENTS_SHOWN);
	printf("\nTo run it again:\n  trigate simulate world --schedule ");
	out_plain(stdout, path);
	if (config) {
		printf(" --config ");
		out_plain(stdout, config);
	}
	if (strategy) {
		printf(" --strategy ");
		out_plain(stdout, strategy);
	}
	printf("\n");
}

static void people_failure(const struct simulate *simulate, const struct failure *failure, const char *path, int tries)
{
	char time[32];
	printf("\n%sviolation%s  %s, seed %" PRIu64 ", at %s: ", out_style(stdout, STYLE_BAD),
	       out_style(stdout, STYLE_NONE), failure->schedule.check, failure->schedule.seed,
	       simulate_time(time, failure->at_ns));
	out_plain(stdout, failure->schedule.text);
	printf("\n");
	if (path)
		people_schedule(simulate, &failure->schedule, path, tries);
	if (failure->trace_path)
		printf("Its trace: %s\n", failure->trace_path);
}

static void print_line(const char *text, size_t length)
{
	char line[2048];
	snprintf(line, sizeof line, "%.*s", (int)length, text);
	out_plain(stdout, line);
	fputc('\n', stdout);
}

/* The lines that hold `word`; all if it is NULL. */
static void print_lines(const char *text, const char *word)
{
	for (size_t length; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		if (!word || memmem(text, length, word, strlen(word)))
			print_line(text, length);
	}
}

/* The first client order id in a text, if there is one. */
static bool find_id(const char *text, char id[TG_CLIENT_ID_LEN + 1])
{
	for (size_t length; *text; text += length ? length : 1) {
		length = strspn(text, "0123456789abcdef");
		if (length != TG_CLIENT_ID_LEN)
			continue;
		memcpy(id, text, length);
		id[length] = '\0';
		return true;
	}
	return false;
}

/* Where the last `most` lines begin. */
static const char *tail_of(const char *text, size_t most)
{
	const char *at = text + strlen(text);
	for (size_t lines = 0; at > text; at--)
		if (at[-1] == '\n' && lines++ == most)
			break;
	return at;
}

static void people_faults(const struct simulate *simulate)
{
	static const struct table_column columns[] = {{"fault", false}, {"struck", true}, {"an hour", true}};
	struct table table;
	char text[TEXT_MAX];
	table_init(&table, columns, 3);
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++) {
		uint64_t count = simulate->counts.faults[kind];
		if (count == 0)
			continue;
		table_add(&table, fault_info[kind].name);
		table_add(&table, text_count(text, (int64_t)count));
		table_add(&table, tenths(text, hourly_e3(simulate, count)));
	}
	if (table.count > 0)
		printf("\n");
	table_print(&table, stdout);
	table_finish(&table);
}

static void print_figure(const struct simulate *simulate, const char *name, uint64_t count)
{
	char number[TEXT_MAX], hourly[TEXT_MAX];
	printf("%-13s %12s  %s an hour\n", name, text_count(number, (int64_t)count),
	       text_count(hourly, hourly_e3(simulate, count) / 1000));
}

static void people_transitions(const struct simulate *simulate)
{
	struct coverage_report coverage;
	coverage_judge(&simulate->coverage, &coverage);
	printf("transitions   %12u of %u made, %u not reachable, %u not reached", coverage.covered, coverage.total,
	       coverage.unreachable, coverage.missing);
	if (coverage.surprising > 0)
		printf(", %u made that are listed as not reachable", coverage.surprising);
	printf("%s\n", simulate->verbose || coverage.covered == coverage.total ? "" : " (--verbose tells which)");
	if (simulate->verbose)
		coverage_print(&simulate->coverage, stdout);
}

static void people_summary(const struct simulate *simulate)
{
	const struct run_counts *counts = &simulate->counts;
	char text[3][TEXT_MAX];
	people_faults(simulate);
	printf("\n%s, %s virtual hours, %s%s%s\n", counted(text[0], simulate->done, "run"),
	       thousandths(text[1], counts->virtual_ns / (HOUR_NS / 1000)),
	       out_style(stdout, simulate->violations ? STYLE_BAD : STYLE_GOOD),
	       counted(text[2], simulate->violations, "violation"), out_style(stdout, STYLE_NONE));
	print_figure(simulate, "orders", counts->orders);
	print_figure(simulate, "fills", counts->fills);
	print_figure(simulate, "cycles", counts->cycles);
	print_figure(simulate, "faults", fault_total(counts));
	print_figure(simulate, "kills", counts->kills);
	print_figure(simulate, "power losses", counts->power_losses);
	print_figure(simulate, "starts", counts->starts);
	people_transitions(simulate);
	printf("digest        %016" PRIx64 "\n", combined_digest(simulate));
}

/* ------------------------------------------------------------------ both */

void simulate_report_run(const struct simulate *simulate, uint64_t seed, const uint64_t *skip,
			 const struct run_result *result)
{
	out_status_clear();
	if (simulate->json)
		json_run(simulate, seed, skip, result);
	else
		people_run(simulate, seed, skip, result);
}

void simulate_report_status(const struct simulate *simulate, uint64_t total)
{
	char virtual_time[TEXT_MAX];
	char violations[TEXT_MAX];
	out_status("%" PRIu64 " of %" PRIu64 " runs, %s virtual, %s", simulate->done, total,
		   text_duration(virtual_time, simulate->counts.virtual_ns),
		   counted(violations, simulate->violations, "violation"));
}

void simulate_report_failure(const struct simulate *simulate, const struct failure *failure, const char *path,
			     int tries)
{
	if (simulate->json)
		json_failure(failure, path, tries);
	else
		people_failure(simulate, failure, path, tries);
}

static void people_trace(const char *trace, const char *violation, size_t most)
{
	char id[TG_CLIENT_ID_LEN + 1];
	const char *from = most > 0 ? tail_of(trace, most) : trace;
	if (from > trace && find_id(violation, id)) {
		printf("\ntrace, what is about order %s:\n", id);
		print_lines(trace, id);
	}
	printf("\ntrace%s:\n", from > trace ? ", the end of it (--verbose: all)" : "");
	print_lines(from, NULL);
}

void simulate_report_trace(const struct simulate *simulate, const char *trace, const char *violation, size_t most)
{
	if (!trace)
		return;
	if (!simulate->json) {
		people_trace(trace, violation, most);
		return;
	}
	struct json_object *line = json_line("trace");
	json_put_text(line, "text", trace);
	out_json(line);
}

void simulate_report_summary(const struct simulate *simulate)
{
	if (simulate->json)
		json_summary(simulate);
	else
		people_summary(simulate);
}
