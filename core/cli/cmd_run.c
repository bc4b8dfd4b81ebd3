#include <signal.h>

#include "core/base/log.h"
#include "core/cli/out.h"
#include "core/cli/report.h"
#include "core/cli/run_config.h"
#include "core/cli/run_record.h"
#include "core/cli/spool.h"

#define STATUS_MS 200
#define OUTPUT_TIMEOUT_MS 5000 /* for a paused reader, at the end */
#define LAST_WORDS_MS 1000     /* for whoever reads stderr, if nobody reads stdout */

struct run {
	struct report report; /* first: its events' ctx is the run, too */
	struct run_record record;
	struct gateway *gateway;
	uv_signal_t interrupt;
	uv_signal_t terminate;
	uv_timer_t deadline; /* wall time: the operator waits in it */
	uv_timer_t status;
	int64_t deadline_ms;
	bool asked;        /* a signal came */
	bool deadline_set; /* the end was asked for */
};

static void on_deadline(uv_timer_t *timer)
{
	struct run *run = timer->data;
	log_warn("stop.deadline", LOG_I("open_cycles", run->gateway->executor.open_count),
		 LOG_S("note", "they are taken up by the next start"));
	gateway_stop_now(run->gateway);
}

static void deadline_set(struct run *run)
{
	if (!run->deadline_set)
		uv_timer_start(&run->deadline, on_deadline, (uint64_t)run->deadline_ms, 0);
	run->deadline_set = true;
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct run *run = handle->data;
	if (run->asked) {
		gateway_stop_now(run->gateway);
		return;
	}
	run->asked = true;
	gateway_end(run->gateway, number == SIGINT ? "interrupted (SIGINT)" : "told to terminate (SIGTERM)");
	deadline_set(run);
}

static void on_status(uv_timer_t *timer)
{
	struct run *run = timer->data;
	report_status(&run->report);
	run_record_check(&run->record);
	if (out_broken() && !run->gateway->end_asked)
		gateway_end(run->gateway, "nobody reads the output any more");
	if (run->gateway->end_asked)
		deadline_set(run); /* also by a command */
}

static void handles_open(struct run *run)
{
	uv_loop_t *uv = loop_uv(run->gateway->loop);
	uv_signal_init(uv, &run->interrupt);
	uv_signal_init(uv, &run->terminate);
	uv_timer_init(uv, &run->deadline);
	uv_timer_init(uv, &run->status);
	run->interrupt.data = run->terminate.data = run->deadline.data = run->status.data = run;
	uv_signal_start(&run->interrupt, on_signal, SIGINT);
	uv_signal_start(&run->terminate, on_signal, SIGTERM);
	uv_timer_start(&run->status, on_status, STATUS_MS, STATUS_MS);
}

static void handles_close(struct run *run)
{
	uv_close((uv_handle_t *)&run->interrupt, NULL);
	uv_close((uv_handle_t *)&run->terminate, NULL);
	uv_close((uv_handle_t *)&run->deadline, NULL);
	uv_close((uv_handle_t *)&run->status, NULL);
}

static void on_start(void *ctx)
{
	struct run *run = ctx;
	run_record_start(&run->record, run->gateway);
	run->report.events.start(ctx);
}

static int gateway_go(const struct arguments *args, struct run *run)
{
	handles_open(run);
	int status = gateway_run(run->gateway);
	uint32_t open = run->gateway->executor.open_count;
	report_summary(&run->report, gateway_summary(run->gateway));
	handles_close(run);
	if (status)
		return cli_fail(args, "%s", run->gateway->failure.message);
	if (open > 0)
		return cli_fail(args, "%u cycles were left open; the next start takes them up", open);
	return EXIT_DONE;
}

static int run_with(const struct arguments *args, const struct run_config *config)
{
	struct run run = {.deadline_ms = config->gateway->stop_deadline_ms};
	struct tg_error error = tg_error_init();
	enum log_level level = LOG_INFO;
	const char *level_name = arguments_text(args, "log-level");
	log_level_parse(level_name ? level_name : config->gateway->log_level, &level);
	report_init(&run.report, arguments_given(args, "json"), arguments_given(args, "verbose"));
	report_take_log(&run.report);
	log_set_level(level);
	struct gateway_options options = {
		.config = config->gateway,
		.strategy = config->strategy,
		.exchange = config->exchange,
		.registry = config->registry,
		.seed = config->seed,
		.cycles_wanted = (uint32_t)arguments_number(args, "cycles", 0),
		.events = run.report.events,
	};
	options.events.start = on_start;
	int code, status = gateway_open(&options, &run.gateway, &error);
	if (status) {
		code = cli_fail(args, "%s", error.message[0] ? error.message : tg_status_text(status));
	} else {
		run.report.gateway = run.gateway;
		code = run_record_open(&run.record, args, run.gateway);
		if (!code)
			code = gateway_go(args, &run);
		const char *why = run.gateway->stop_reason ? run.gateway->stop_reason : "nothing more happens";
		int recorded = run_record_close(&run.record, args, why);
		code = code ? code : recorded;
	}
	gateway_close(run.gateway);
	out_status_clear();
	log_set_sink(NULL, NULL); /* its report goes with this function */
	return code;
}

/* Nobody who reads us may hold the trading up. */
static int run_spooled(const struct arguments *args, const struct run_config *config)
{
	int failure;
	if (spool_start())
		return cli_fail(args, "out of memory");
	int code = run_with(args, config);
	uint64_t dropped = spool_stop(OUTPUT_TIMEOUT_MS, &failure);
	out_failed(failure);
	if (dropped > 0) {
		code = cli_fail(args, "%llu bytes of output were dropped: nobody read them in time",
				(unsigned long long)dropped);
		spool_last_words(LAST_WORDS_MS);
	}
	return code;
}

static int run_run(const struct arguments *args)
{
	struct run_config config;
	int code = run_config_read(args, &config);
	if (code)
		return code;
	code = run_spooled(args, &config);
	run_config_finish(&config);
	return code;
}

static const struct option_spec run_options[] = {
	OPTION_CONFIG,
	{.name = "strategy",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .help = "strategy file (default: the one that the gateway file names)"},
	{.name = "markets",
	 .kind = OPTION_TEXT,
	 .argument = "FILE.csv",
	 .help = "trade this recorded market until nothing is left; without --config from every currency it is quoted in, "
		 "1000 of each"},
	{.name = "cycles",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 1,
	 .most = 1000000000,
	 .help = "end after N completed cycles; failed ones do not count"},
	{.name = "seed",
	 .kind = OPTION_NUMBER,
	 .argument = "N",
	 .least = 0,
	 .most = INT64_MAX,
	 .help = "of the exchange's made-up market and of our own randomness (default: the file's)"},
	{.name = "speed",
	 .kind = OPTION_TEXT,
	 .argument = "N|max",
	 .help = "pace of a virtual clock: N times wall time, or as fast as possible"},
	{.name = "balance",
	 .kind = OPTION_TEXT,
	 .argument = "CUR=AMOUNT",
	 .repeats = true,
	 .help = "what a simulated account begins with; may be repeated, and then stands for all of it"},
	OPTION_STATE_DIR,
	{.name = "record",
	 .kind = OPTION_TEXT,
	 .argument = "DIR",
	 .help = "keep what the exchange sends of its markets, for `trigate replay`"},
	{.name = "live", .kind = OPTION_FLAG, .help = "send orders to a real exchange"},
	{.name = "strict", .kind = OPTION_FLAG, .help = "take warnings about the configuration for errors"},
	{.name = "log-level",
	 .kind = OPTION_CHOICE,
	 .argument = "LEVEL",
	 .choices = "debug|info|warn|error",
	 .help = "least level of log records that are shown (default: the file's)"},
	{.name = "verbose", .letter = 'v', .kind = OPTION_FLAG, .help = "show every decision and order too"},
	OPTION_JSON,
	OPTION_END,
};

const struct command command_run = {
	.name = "run",
	.summary = "trade: find cycles and execute them until told to stop",
	.details =
		"Ends on SIGINT, SIGTERM or `trigate stop`: no new cycles are taken, open ones are brought to their end "
		"within stop_deadline_ms, then a summary is printed. A second signal ends at once; what is open then is "
		"taken up by the next start on the same state directory, as after a crash.\n\n"
		"With --json each line is an object whose \"event\" is start, decision, order, fill, cycle, log or "
		"summary. Times of the machine stand in members whose names end in _ns; all else is the same whenever "
		"a seeded run with a virtual clock is repeated.",
	.options = run_options,
	.examples = "trigate run --config examples/demo.yaml\n"
		    "trigate run --config examples/demo.yaml --cycles 20 --seed 7 --json --state-dir /tmp/demo\n"
		    "trigate run --markets markets.csv --balance BTC=1 --balance ETH=10",
	.run = run_run,
};
