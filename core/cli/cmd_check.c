/* `trigate check`: say everything that is wrong with configuration files before money depends on them. */
#include <string.h>

#include "core/cli/arguments.h"
#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/config/config.h"
#include "core/config/plugins.h"

/* What the whole command counts, over all files. */
struct tally {
	bool strict;
	bool json;
	int64_t files;
	int64_t errors;
	int64_t warnings;
};

static void problem_json(const struct config_problem *problem)
{
	struct json_object *line = json_line("problem");

	json_put_text(line, "severity", problem->warning ? "warning" : "error");
	json_put_text(line, "file", problem->file);
	json_put_number(line, "line", problem->line);
	json_put_number(line, "column", problem->column);
	json_put_text(line, "key", problem->key);
	json_put_text(line, "text", problem->text);
	out_json(line);
}

static void problem_print(const struct config_problem *problem)
{
	fputs(out_style(stderr, problem->warning ? STYLE_WARN : STYLE_BAD), stderr);
	fputs(problem->warning ? "warning" : "error", stderr);
	fputs(out_style(stderr, STYLE_NONE), stderr);
	fputs(": ", stderr);
	out_plain(stderr, problem->text);
	fputc('\n', stderr);
}

static void report_tell(struct tally *tally, const struct config_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		if (tally->json)
			problem_json(&report->problem[i]);
		else
			problem_print(&report->problem[i]);
	}
	tally->errors += (int64_t)report->errors;
	tally->warnings += (int64_t)report->warnings;
}

static const char *kind_text(enum config_kind kind)
{
	return kind == CONFIG_GATEWAY ? "gateway file" : kind == CONFIG_STRATEGY ? "strategy file" : "unknown kind";
}

static void verdict_tell(const struct tally *tally, const char *path, enum config_kind kind,
			 const struct config_report *report)
{
	if (tally->json)
		return;
	out_plain(stdout, path);
	printf(": %s, ", kind_text(kind));
	if (report->errors)
		printf("%zu error%s", report->errors, report->errors > 1 ? "s" : "");
	else
		printf("ok");
	if (report->warnings)
		printf(", %zu warning%s", report->warnings, report->warnings > 1 ? "s" : "");
	printf("\n");
}

/* A gateway's plugins, and the strategy that it names. */
static void gateway_check(const struct tally *tally, const struct gateway_config *config, struct config_report *report)
{
	struct strategy_config *strategy = NULL;
	struct registry *registry = NULL;

	if (registry_create((const char *const *)config->plugin_path.item, config->plugin_path.count, &registry) == 0)
		config_plugins_check(config, registry, report);
	registry_destroy(registry);
	if (config->strategy_file == NULL)
		return;
	if (strategy_config_load(config->strategy_file, tally->strict, report, &strategy) == 0)
		config_pair_check(config, strategy, report);
	strategy_config_free(strategy);
}

static void file_check(struct tally *tally, const char *path)
{
	enum config_kind kind = config_kind_of(path);
	struct config_report report = {0};

	if (kind == CONFIG_GATEWAY) {
		struct gateway_config *config;

		if (gateway_config_load(path, tally->strict, &report, &config) == 0)
			gateway_check(tally, config, &report);
		gateway_config_free(config);
	} else {
		/* What cannot be told apart has no key of either kind: a strategy's messages name what it lacks. */
		struct strategy_config *config;

		strategy_config_load(path, tally->strict, &report, &config);
		strategy_config_free(config);
	}
	report_tell(tally, &report);
	verdict_tell(tally, path, kind, &report);
	tally->files++;
	config_report_clear(&report);
}

static void summary_json(const struct tally *tally)
{
	struct json_object *line = json_line("summary");

	json_put_number(line, "files", tally->files);
	json_put_number(line, "errors", tally->errors);
	json_put_number(line, "warnings", tally->warnings);
	out_json(line);
}

static int check_run(const struct arguments *args)
{
	struct tally tally = {.strict = arguments_given(args, "strict"), .json = arguments_given(args, "json")};

	if (arguments_given(args, "keys")) {
		if (arguments_count(args) > 0)
			return cli_misuse(args, "--keys takes no file");
		config_keys_print(stdout);
		return EXIT_DONE;
	}
	if (arguments_count(args) == 0)
		return cli_misuse(args, "which file?");
	for (size_t i = 0; i < arguments_count(args); i++)
		file_check(&tally, arguments_get(args, i));
	if (tally.json)
		summary_json(&tally);
	return tally.errors ? EXIT_MISUSE : EXIT_DONE;
}

static const struct option_spec check_options[] = {
	{.name = "strict", .kind = OPTION_FLAG, .help = "take warnings for errors: keys that have no effect yet"},
	{.name = "keys", .kind = OPTION_FLAG, .help = "print the reference of all keys as Markdown instead"},
	OPTION_JSON,
	OPTION_END,
};

const struct command command_check = {
	.name = "check",
	.summary = "check configuration files and say what is wrong in them, and where",
	.synopsis = "FILE...",
	.most = SIZE_MAX,
	.details =
		"Gateway and strategy files are told apart by their keys. With a gateway file its plugins' settings are "
		"checked against the plugins' schemas, and the strategy file that it names is checked too. Every problem is "
		"shown as FILE:LINE:COLUMN: KEY: what is wrong and what is allowed.\n"
		"Exit code 0: all files can be used; 2: an error.",
	.options = check_options,
	.examples =
		"trigate check examples/gateway.yaml\ntrigate check --strict my-strategy.yaml\ntrigate check --keys",
	.run = check_run,
};
