/* `trigate record`: what an exchange sends, kept for a replay. */
#include <string.h>

#include "core/base/log.h"
#include "core/capture/recorder.h"
#include "core/cli/arguments.h"
#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/report.h"
#include "core/cli/text.h"

#define STATUS_MS 200
#define ROTATE_MB 64
#define MARKETS_LIST_MAX 4096

struct record {
	const struct arguments *args;
	bool json;
	struct recorder *recorder;
	const char *reason;
	uv_signal_t interrupt, terminate;
	uv_timer_t end, status;
	uint64_t messages_before;
	char *market_text; /* of --markets, taken apart */
	const char *market[MARKETS_LIST_MAX];
	size_t market_count;
};

/* ------------------------------------------------------------ tell */

static void start_tell(const struct record *record, const struct plugin_choice *exchange, const char *dir)
{
	if (record->json) {
		struct json_object *line = json_line("start");
		json_put_text(line, "version", TRIGATE_VERSION);
		json_put_text(line, "exchange", exchange->name);
		json_put_text(line, "plugin", exchange->plugin);
		json_put_text(line, "dir", dir);
		out_json(line);
		fflush(stdout); /* somebody waits for it */
		return;
	}
	printf("%srecord%s  ", out_style(stdout, STYLE_BOLD), out_style(stdout, STYLE_NONE));
	out_plain(stdout, exchange->name);
	printf(" into ");
	out_plain(stdout, dir);
	printf("; end it with Ctrl-C\n");
	fflush(stdout);
}

static void status_tell(struct record *record)
{
	struct recorder_status status;
	char text[5][TEXT_MAX];
	recorder_status(record->recorder, &status);
	uint64_t rate = (status.messages - record->messages_before) * 1000 / STATUS_MS;
	record->messages_before = status.messages;
	out_status("%s  %s markets  %s frames  %s/s  %s of %s written%s", status.link_up ? "recording" : "connecting",
		   text_count(text[0], status.subscribed), text_count(text[1], (int64_t)status.messages),
		   text_count(text[2], (int64_t)rate), text_bytes(text[3], (int64_t)status.writer.written),
		   text_bytes(text[4], (int64_t)status.writer.bytes),
		   status.writer.dropped ? "  SOME WERE DROPPED" : "");
}

static void summary_json(const struct record *record, const struct recorder_status *status)
{
	struct json_object *line = json_line("summary");
	json_put_text(line, "reason", record->reason);
	json_put_number(line, "markets", status->subscribed);
	json_put_number(line, "frames", (int64_t)status->messages);
	json_put_number(line, "frame_bytes", (int64_t)status->message_bytes);
	json_put_number(line, "requests", (int64_t)status->requests);
	json_put_number(line, "books", (int64_t)status->books);
	json_put_number(line, "left_out", (int64_t)status->left_out);
	json_put_number(line, "entries", (int64_t)status->writer.entries);
	json_put_number(line, "dropped", (int64_t)status->writer.dropped);
	json_put_number(line, "files", status->writer.parts);
	json_put_number(line, "file_bytes", (int64_t)status->writer.written);
	out_json(line);
}

static void summary_people(const struct record *record, const struct recorder_status *status)
{
	char text[3][TEXT_MAX];
	out_status_clear();
	printf("\n%ssummary%s  %s\n", out_style(stdout, STYLE_BOLD), out_style(stdout, STYLE_NONE), record->reason);
	printf("  %-14s%s subscribed of %s; %s books told\n", "markets", text_count(text[0], status->subscribed),
	       text_count(text[1], status->markets), text_count(text[2], (int64_t)status->books));
	printf("  %-14s%s, %s; %s requests answered\n", "frames", text_count(text[0], (int64_t)status->messages),
	       text_bytes(text[1], (int64_t)status->message_bytes), text_count(text[2], (int64_t)status->requests));
	if (status->left_out > 0)
		printf("  %-14s%s entries of an account were left out\n", "private",
		       text_count(text[0], (int64_t)status->left_out));
	if (status->writer.dropped > 0)
		printf("  %-14s%s%s entries were dropped: the disk did not keep up%s\n", "gaps",
		       out_style(stdout, STYLE_BAD), text_count(text[0], (int64_t)status->writer.dropped),
		       out_style(stdout, STYLE_NONE));
	printf("  %-14s%s in %u file%s\n", "written", text_bytes(text[0], (int64_t)status->writer.written),
	       status->writer.parts, status->writer.parts == 1 ? "" : "s");
}

/* ------------------------------------------------------------ run */

static void end(struct record *record, const char *reason)
{
	if (!record->reason)
		record->reason = reason;
	recorder_stop(record->recorder);
}

static void on_signal(uv_signal_t *handle, int number)
{
	end(handle->data, number == SIGINT ? "interrupted (SIGINT)" : "told to terminate (SIGTERM)");
}

static void on_end(uv_timer_t *timer)
{
	end(timer->data, "the time that was asked for is over");
}

static void on_status(uv_timer_t *timer)
{
	struct record *record = timer->data;
	if (!record->json)
		status_tell(record);
	if (out_broken())
		end(record, "nobody reads the output any more");
}

static void handles_open(struct record *record)
{
	uv_loop_t *uv = loop_uv(recorder_loop(record->recorder));
	int64_t seconds =
		arguments_number(record->args, "minutes", 0) * 60 + arguments_number(record->args, "seconds", 0);
	uv_signal_init(uv, &record->interrupt);
	uv_signal_init(uv, &record->terminate);
	uv_timer_init(uv, &record->end);
	uv_timer_init(uv, &record->status);
	record->interrupt.data = record->terminate.data = record->end.data = record->status.data = record;
	uv_signal_start(&record->interrupt, on_signal, SIGINT);
	uv_signal_start(&record->terminate, on_signal, SIGTERM);
	uv_timer_start(&record->status, on_status, STATUS_MS, STATUS_MS);
	if (seconds > 0)
		uv_timer_start(&record->end, on_end, (uint64_t)seconds * 1000, 0);
}

static void handles_close(struct record *record)
{
	uv_close((uv_handle_t *)&record->interrupt, NULL);
	uv_close((uv_handle_t *)&record->terminate, NULL);
	uv_close((uv_handle_t *)&record->end, NULL);
	uv_close((uv_handle_t *)&record->status, NULL);
}

static int outcome(const struct record *record, const struct recorder_status *status, int failure, const char *message,
		   const char *link_reason)
{
	if (failure)
		return cli_fail(record->args, "%s", message);
	if (!status->was_up)
		return cli_fail(record->args, "the exchange was never reached%s%s", link_reason[0] ? ": " : "",
				link_reason);
	if (status->unknown > 0)
		return cli_fail(record->args, "%u of the markets in --markets are none of this exchange",
				status->unknown);
	if (status->writer.dropped > 0)
		return cli_fail(record->args, "the capture has gaps: %llu entries were dropped",
				(unsigned long long)status->writer.dropped);
	return EXIT_DONE;
}

static int record_go(struct record *record, const struct recorder_options *options)
{
	struct tg_error error = tg_error_init(), closing = tg_error_init();
	struct recorder_status status;
	char link_reason[240];
	int failure = recorder_open(options, &record->recorder, &error);
	if (failure)
		return cli_fail(record->args, "%s", error.message);
	handles_open(record);
	start_tell(record, options->exchange, options->dir);
	failure = recorder_run(record->recorder, &error);
	recorder_status(record->recorder, &status);
	snprintf(link_reason, sizeof link_reason, "%s", status.reason);
	handles_close(record);
	if (!record->reason)
		record->reason = failure ? "the recording failed" : "it ended";
	int closed = recorder_close(record->recorder, record->reason, &status, &closing);
	record->json ? summary_json(record, &status) : summary_people(record, &status);
	return outcome(record, &status, failure ? failure : closed, failure ? error.message : closing.message,
		       link_reason);
}

/* ------------------------------------------------------------ options */

static int markets_read(struct record *record)
{
	const char *text = arguments_text(record->args, "markets");
	if (!text || strcmp(text, "all") == 0)
		return 0;
	record->market_text = strdup(text);
	for (char *at = record->market_text, *word; at && (word = strsep(&at, ","));) {
		if (!*word)
			continue;
		if (record->market_count == MARKETS_LIST_MAX)
			return cli_misuse(record->args, "--markets: more than %d", MARKETS_LIST_MAX);
		record->market[record->market_count++] = word;
	}
	if (record->market_count == 0)
		return cli_misuse(record->args, "--markets: \"%s\" names none", text);
	return 0;
}

static const struct plugin_choice *exchange_find(const struct arguments *args, const struct gateway_config *config)
{
	const char *name = arguments_text(args, "exchange");
	for (size_t i = 0; name && i < config->exchange_count; i++)
		if (strcmp(config->exchange[i].name, name) == 0)
			return &config->exchange[i];
	if (name)
		cli_misuse(args, "--exchange: %s has no exchange \"%s\"", config->file, name);
	else if (config->exchange_count > 1)
		cli_misuse(args, "%s has %zu exchanges: say which with --exchange NAME", config->file,
			   config->exchange_count);
	return !name && config->exchange_count == 1 ? config->exchange : NULL;
}

static int record_with(struct record *record, const struct gateway_config *config, struct registry *registry)
{
	const struct arguments *args = record->args;
	const char *dir = arguments_text(args, "out");
	const struct plugin_choice *exchange = exchange_find(args, config);
	struct report report;
	enum log_level level = LOG_INFO;
	if (!exchange)
		return EXIT_MISUSE;
	const struct recorder_options options = {
		.outside = &outside_system,
		.config = config,
		.exchange = exchange,
		.registry = registry,
		.markets = record->market_count ? record->market : NULL,
		.market_count = record->market_count,
		.dir = dir ? dir : "captures",
		.rotate_bytes = (uint64_t)arguments_number(args, "rotate-mb", ROTATE_MB) << 20,
		.rotate_ns = arguments_number(args, "rotate-minutes", 0) * INT64_C(60000000000),
		.with_private = arguments_given(args, "private"),
		.seed = 1,
	};
	log_level_parse(config->log_level, &level);
	report_init(&report, record->json, false);
	report_take_log(&report);
	log_set_level(level);
	int code = record_go(record, &options);
	out_status_clear();
	log_set_sink(NULL, NULL); /* its report goes with this function */
	return code;
}

static int record_run(const struct arguments *args)
{
	struct record record = {.args = args, .json = arguments_given(args, "json")};
	struct config_report report = {0};
	struct gateway_config *config = NULL;
	struct registry *registry = NULL;
	const char *file = arguments_text(args, "config");
	if (!file)
		return cli_misuse(args, "name the gateway's configuration: --config FILE");
	int code = gateway_config_load(file, false, &report, &config) ? EXIT_MISUSE : markets_read(&record);
	config_report_print(&report, stderr);
	config_report_clear(&report);
	if (!code &&
	    registry_create((const char *const *)config->plugin_path.item, config->plugin_path.count, &registry))
		code = cli_fail(args, "out of memory");
	if (!code)
		code = record_with(&record, config, registry);
	registry_destroy(registry);
	gateway_config_free(config);
	free(record.market_text);
	return code;
}

static const struct option_spec record_options[] = {
	OPTION_CONFIG,
	{.name = "exchange",
	 .kind = OPTION_TEXT,
	 .argument = "NAME",
	 .help = "which of the file's exchanges, if it has several"},
	{.name = "markets",
	 .letter = 'm',
	 .kind = OPTION_TEXT,
	 .argument = "A,B,...|all",
	 .help = "markets to record (default: all that are trading)"},
	{.name = "out",
	 .letter = 'o',
	 .kind = OPTION_TEXT,
	 .argument = "DIR",
	 .help = "folder of the files, made if it is not there (default: captures)"},
	{.name = "minutes",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 1,
	 .most = 1000000,
	 .help = "end after so long (default: when told to)"},
	{.name = "seconds",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 1,
	 .most = 1000000,
	 .help = "the same in seconds, together with --minutes the sum"},
	{.name = "rotate-mb",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 1,
	 .most = 1000000,
	 .help = "begin another file when one has so many megabytes, packed (default: 64)"},
	{.name = "rotate-minutes",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 1,
	 .most = 100000,
	 .help = "and when it spans so much time (default: no bound)"},
	{.name = "private",
	 .kind = OPTION_FLAG,
	 .help = "use the exchange's key, and record what is the account's, too: balances, orders; secrets never"},
	OPTION_JSON,
	OPTION_END,
};

const struct command command_record = {
	.name = "record",
	.summary = "record what an exchange sends, for `trigate replay`",
	.details =
		"Opens the connector of the configuration, subscribes, and writes every frame and answer with the time at which "
		"it came, packed, until it is told to end by Ctrl-C, SIGTERM or --minutes. It never trades and needs neither "
		"--live nor a key; a gateway may run beside it. What was recorded is in the file a second later, also if this "
		"process is killed. docs/record.md describes the files.\n\n"
		"Exit status: 0 all was recorded, 1 it was not (never connected, a full disk, gaps), 2 wrong usage.",
	.options = record_options,
	.examples = "trigate record --config gateway.yaml --minutes 10\n"
		    "trigate record --config gateway.yaml --markets BTCUSDT,ETHBTC,ETHUSDT --out captures",
	.run = record_run,
};
