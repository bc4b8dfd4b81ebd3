/* `trigate replay`: the gateway on a recorded market. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/log.h"
#include "core/capture/player.h"
#include "core/cli/arguments.h"
#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/replay_config.h"
#include "core/cli/replay_made_up.h"
#include "core/cli/report.h"
#include "core/cli/text.h"

#define BALANCES_MAX 256
#define STATUS_NS INT64_C(200000000)
#define LOOKS_EVERY 1024 /* passes between two looks at the wall's clock, as fast as it goes */

static volatile sig_atomic_t asked_to_end;

struct replay {
	const struct arguments *args;
	bool json;
	int64_t speed_e3; /* 0: as fast as it goes */
	struct report report;
	struct source *source;
	struct played *played;
	struct player *player;
	struct replay_config config;
	struct player_balance balance[BALANCES_MAX];
	char balance_name[BALANCES_MAX][CURRENCY_MAX];
	size_t balance_count;

	int64_t began_wall_ns, began_mono_ns, status_ns;
	uint64_t passes;

	uint64_t decisions, opportunities;
	bool has_best;
	struct record_decision best;
	int64_t best_unix_ns;
};

/* ------------------------------------------------------------ time */

static int64_t wall_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void status_tell(struct replay *replay, int64_t now_ns)
{
	struct played_figures figures = played_figures(replay->played);
	char frames[TEXT_MAX], played[TEXT_MAX], opportunities[TEXT_MAX];
	if (replay->json || now_ns < replay->status_ns)
		return;
	replay->status_ns = now_ns + STATUS_NS;
	out_status("%s of the capture played  %s frames  %s opportunities",
		   text_duration(played, player_figures(replay->player).played_ns),
		   text_count(frames, (int64_t)figures.messages),
		   text_count(opportunities, (int64_t)replay->opportunities));
}

/* Wait until this time of the capture is due. False: the person wants an end. */
static bool pace(void *ctx, int64_t mono_ns)
{
	struct replay *replay = ctx;
	if (asked_to_end || out_broken())
		return false;
	if (replay->speed_e3 == 0) {
		if (replay->passes++ % LOOKS_EVERY == 0)
			status_tell(replay, wall_ns());
		return true;
	}
	__extension__ __int128 ahead = (__int128)(mono_ns - replay->began_mono_ns) * 1000 / replay->speed_e3;
	for (;;) {
		int64_t now = wall_ns();
		__extension__ __int128 wait = replay->began_wall_ns + ahead - now;
		status_tell(replay, now);
		if (wait <= 0 || asked_to_end)
			return !asked_to_end;
		int64_t step = wait < STATUS_NS ? (int64_t)wait : STATUS_NS;
		const struct timespec nap = {step / 1000000000, step % 1000000000};
		nanosleep(&nap, NULL); /* a signal ends it early */
	}
}

static void on_signal(int number)
{
	asked_to_end = number;
}

static void signals_take(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* ------------------------------------------------------------ what it decides */

static void route_format(const struct record_decision *decision, char *text, size_t room)
{
	size_t at = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < decision->legs && at < room; i++)
		at += (size_t)snprintf(text + at, room - at, "%s>", decision->leg[i].from);
	if (at < room && decision->legs > 0)
		snprintf(text + at, room - at, "%s", decision->leg[decision->legs - 1].to);
}

static void opportunity_people(const struct replay *replay, const struct record_decision *decision)
{
	char time[TEXT_MAX], route[CURRENCY_MAX * (CYCLE_LEGS_MAX + 1)], size[TEXT_MAX], profit[TEXT_MAX];
	out_status_clear();
	route_format(decision, route, sizeof route);
	printf("%-24s  %-28s  %9.2f  %-26s  %s\n", text_time(time, loop_unix_ns(player_gateway(replay->player)->loop)),
	       route, (double)decision->net_bps_e6 / 1e6,
	       text_amount(size, tg_amount_of(decision->size), decision->leg[0].from, 0),
	       text_amount(profit, tg_amount_of(decision->profit), decision->leg[0].from, 1));
}

static void on_start(void *ctx)
{
	struct replay *replay = ctx;
	const struct gateway *gateway = player_gateway(replay->player);
	char text[3][TEXT_MAX];
	replay->report.gateway = player_gateway(replay->player);
	if (replay->json) {
		replay->report.events.start(replay->report.events.ctx);
		return;
	}
	out_status_clear();
	printf("%sreplay%s  %s on %s from %s: %s markets, %s cycles; nothing is sent\n", out_style(stdout, STYLE_BOLD),
	       out_style(stdout, STYLE_NONE), gateway->options.strategy->name, gateway->options.exchange->name,
	       text_time(text[0], source_start(replay->source)->unix_ns),
	       text_count(text[1], gateway->markets->market_count), text_count(text[2], gateway->cycles_listed));
	printf("%-24s  %-28s  %9s  %-26s  %s\n", "time", "opportunity", "net bps", "size", "profit");
}

static void on_decision(void *ctx, const struct record_decision *decision)
{
	struct replay *replay = ctx;
	replay->decisions++;
	if (replay->json || (arguments_given(replay->args, "verbose") && !decision->execute))
		replay->report.events.decision(replay->report.events.ctx, decision);
	if (!decision->execute)
		return;
	replay->opportunities++;
	if (!replay->json)
		opportunity_people(replay, decision);
	if (replay->has_best && decision->net_bps_e6 <= replay->best.net_bps_e6)
		return;
	replay->has_best = true;
	replay->best = *decision;
	replay->best_unix_ns = loop_unix_ns(player_gateway(replay->player)->loop);
}

/* ------------------------------------------------------------ what it comes to */

struct outcome {
	struct source_figures source;
	struct played_figures played;
	struct player_figures player;
	const struct gateway *gateway;
	int64_t wall_ns;
};

static struct json_object *best_json(const struct replay *replay)
{
	const struct record_decision *best = &replay->best;
	struct json_object *line, *route = json_object_new_array();
	if (!replay->has_best) {
		json_object_put(route);
		return NULL;
	}
	line = json_object_new_object();
	for (uint32_t i = 0; i < best->legs; i++)
		json_object_array_add(route, json_object_new_string(best->leg[i].from));
	json_object_array_add(route, json_object_new_string(best->leg[best->legs - 1].to));
	json_put_time(line, "time", replay->best_unix_ns);
	json_object_object_add(line, "route", route);
	json_put_decimal(line, "net_bps", (struct tg_decimal){best->net_bps_e6, 6, 0});
	json_put_amount(line, "size", tg_amount_of(best->size));
	json_put_amount(line, "profit", tg_amount_of(best->profit));
	return line;
}

static void summary_json(const struct replay *replay, const struct outcome *outcome)
{
	const struct gateway *gateway = outcome->gateway;
	struct json_object *line = json_line("summary");
	char digest[16];
	snprintf(digest, sizeof digest, "%08x", outcome->player.digest);
	json_put_text(line, "reason", gateway->stop_reason ? gateway->stop_reason : "");
	json_put_number(line, "entries", (int64_t)outcome->source.entries);
	json_put_number(line, "frames", (int64_t)outcome->played.messages);
	json_put_number(line, "frame_bytes", (int64_t)outcome->played.message_bytes);
	json_put_number(line, "unclaimed", (int64_t)outcome->played.unclaimed);
	json_put_number(line, "answered", (int64_t)outcome->played.answered);
	json_put_number(line, "unanswered", (int64_t)outcome->played.unanswered);
	json_put_number(line, "played_ms", outcome->player.played_ns / 1000000);
	json_put_number(line, "subscribed", outcome->player.subscribed);
	json_put_number(line, "ticks", (int64_t)gateway->count.ticks);
	json_put_number(line, "books", (int64_t)outcome->player.books);
	json_put_text(line, "books_digest", digest);
	json_put_number(line, "resyncs", (int64_t)gateway->count.books_lost);
	json_put_number(line, "evaluated", (int64_t)gateway->count.evaluated);
	json_put_number(line, "opportunities", (int64_t)replay->opportunities);
	json_put_number(line, "skipped", (int64_t)(replay->decisions - replay->opportunities));
	json_object_object_add(line, "best", best_json(replay));
	json_put_number(line, "gaps", (int64_t)outcome->source.gaps);
	json_put_number(line, "lost", (int64_t)outcome->source.lost);
	json_put_flag(line, "torn", outcome->source.torn > 0);
	json_put_number(line, "wall_ns", outcome->wall_ns);
	out_json(line);
}

static void caveats_people(const struct outcome *outcome)
{
	char text[TEXT_MAX];
	const char *warn = out_style(stdout, STYLE_WARN), *none = out_style(stdout, STYLE_NONE);
	if (outcome->source.torn > 0)
		printf("  %storn%s          not closed in order: up to a second of what came last may be missing\n",
		       warn, none);
	if (outcome->source.gaps > 0)
		printf("  %sgaps%s          %s entries were not recorded: the disk did not keep up\n", warn, none,
		       text_count(text, (int64_t)outcome->source.lost));
	if (outcome->source.skipped > 0)
		printf("  %sskipped%s       %s lines that say nothing\n", warn, none,
		       text_count(text, (int64_t)outcome->source.skipped));
	if (outcome->played.unanswered > 0)
		printf("  %sunanswered%s    %s requests that the capture has no answer to, %s first\n", warn, none,
		       text_count(text, (int64_t)outcome->played.unanswered), outcome->played.unanswered_key);
	if (outcome->player.subscribed == 0)
		printf("  %snothing%s       no market of the capture was asked for\n", warn, none);
}

static void best_people(const struct replay *replay)
{
	char route[CURRENCY_MAX * (CYCLE_LEGS_MAX + 1)], profit[TEXT_MAX];
	const struct record_decision *best = &replay->best;
	if (!replay->has_best)
		return;
	route_format(best, route, sizeof route);
	printf("  %-14s%.2f bps, %s over %s\n", "best", (double)best->net_bps_e6 / 1e6,
	       text_amount(profit, tg_amount_of(best->profit), best->leg[0].from, 1), route);
}

static void summary_people(const struct replay *replay, const struct outcome *outcome)
{
	const struct gateway *gateway = outcome->gateway;
	char text[4][TEXT_MAX];
	int64_t wall = outcome->wall_ns > 0 ? outcome->wall_ns : 1;
	out_status_clear();
	printf("\n%ssummary%s  %s\n", out_style(stdout, STYLE_BOLD), out_style(stdout, STYLE_NONE),
	       gateway->stop_reason ? gateway->stop_reason : "");
	printf("  %-14s%s frames in %s, %s/s; %s of the capture's time\n", "played",
	       text_count(text[0], (int64_t)outcome->played.messages), text_duration(text[1], wall),
	       text_count(text[2], (int64_t)((double)outcome->played.messages * 1e9 / (double)wall)),
	       text_duration(text[3], outcome->player.played_ns));
	printf("  %-14s%s at the end, of %s subscribed; %s changes, %s resyncs\n", "books",
	       text_count(text[0], (int64_t)outcome->player.books), text_count(text[1], outcome->player.subscribed),
	       text_count(text[2], (int64_t)gateway->count.ticks),
	       text_count(text[3], (int64_t)gateway->count.books_lost));
	printf("  %-14s%s looked at, %s skipped, %s would have been executed\n", "opportunities",
	       text_count(text[0], (int64_t)gateway->count.evaluated),
	       text_count(text[1], (int64_t)(replay->decisions - replay->opportunities)),
	       text_count(text[2], (int64_t)replay->opportunities));
	best_people(replay);
	caveats_people(outcome);
}

static void summary_tell(struct replay *replay)
{
	const struct outcome outcome = {.source = source_figures(replay->source),
					.played = played_figures(replay->played),
					.player = player_figures(replay->player),
					.gateway = player_gateway(replay->player),
					.wall_ns = wall_ns() - replay->began_wall_ns};
	replay->json ? summary_json(replay, &outcome) : summary_people(replay, &outcome);
}

/* ------------------------------------------------------------ run */

static int player_go(struct replay *replay)
{
	struct tg_error error = tg_error_init();
	struct gateway *gateway = player_gateway(replay->player);
	replay->report.gateway = gateway;
	replay->began_mono_ns = loop_mono_ns(gateway->loop);
	replay->began_wall_ns = wall_ns();
	signals_take();
	int status = player_run(replay->player, &error);
	if (asked_to_end && !status)
		gateway->stop_reason = asked_to_end == SIGINT ? "interrupted (SIGINT)" : "told to terminate (SIGTERM)";
	summary_tell(replay);
	if (status)
		return cli_fail(replay->args, "%s", error.message[0] ? error.message : tg_status_text(status));
	if (!gateway->cycles)
		return cli_fail(replay->args, "the connector never came up: the capture does not begin with its start");
	return EXIT_DONE;
}

static int replay_with(struct replay *replay)
{
	struct tg_error error = tg_error_init();
	enum log_level level = LOG_INFO;
	log_level_parse(replay->config.gateway->log_level, &level);
	report_init(&replay->report, replay->json, true);
	report_take_log(&replay->report);
	log_set_level(level);
	const struct player_options options = {
		.gateway = {.config = replay->config.gateway,
			    .strategy = replay->config.strategy,
			    .exchange = replay->config.exchange,
			    .registry = replay->config.registry,
			    .seed = 1,
			    .events = {.ctx = replay, .start = on_start, .decision = on_decision}},
		.disk = &disk_system,
		.workers = &workers_threads,
		.source = replay->source,
		.played = replay->played,
		.balances = replay->balance_count > 0 ? replay->balance : NULL,
		.balance_count = replay->balance_count,
		.pace = pace,
		.ctx = replay,
	};
	int code, status = player_open(&options, &replay->player, &error);
	if (status)
		code = cli_fail(replay->args, "%s", error.message[0] ? error.message : tg_status_text(status));
	else
		code = player_go(replay);
	player_close(replay->player);
	out_status_clear();
	log_set_sink(NULL, NULL); /* its report goes with this function */
	return code;
}

/* ------------------------------------------------------------ options */

static int speed_read(struct replay *replay)
{
	const char *text = arguments_text(replay->args, "speed");
	struct tg_decimal value;
	if (!text || strcmp(text, "max") == 0)
		return 0;
	if (tg_decimal_parse((struct tg_str){text, strlen(text)}, &value) || value.mantissa <= 0 ||
	    tg_decimal_rescale(value, 3, &replay->speed_e3) || replay->speed_e3 > 1000000000)
		return cli_misuse(replay->args, "--speed: \"%s\" is not max or a number from 0.001 to 1000000", text);
	return 0;
}

/* "CUR=AMOUNT" */
static int balances_read(struct replay *replay)
{
	const char *text;
	for (size_t i = 0; (text = arguments_nth(replay->args, "balance", i)); i++) {
		const char *equals = strchr(text, '=');
		tg_amount amount;
		if (!equals || equals == text || equals - text >= CURRENCY_MAX ||
		    tg_amount_parse((struct tg_str){equals + 1, strlen(equals + 1)}, &amount) || amount < 0)
			return cli_misuse(replay->args, "--balance: \"%s\" is not CURRENCY=AMOUNT, as in USDT=10000",
					  text);
		if (i == BALANCES_MAX)
			return cli_misuse(replay->args, "--balance: more than %d", BALANCES_MAX);
		snprintf(replay->balance_name[i], CURRENCY_MAX, "%.*s", (int)(equals - text), text);
		replay->balance[replay->balance_count++] = (struct player_balance){replay->balance_name[i], amount};
	}
	return 0;
}

/* A document by itself: JSON that answers for every path whose last part is in its name. */
static int document_stand(struct replay *replay, const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct tg_error error = tg_error_init();
	int file = disk_open(&disk_system, path, DISK_READ);
	uint64_t size = 0;
	int64_t count = file < 0 ? file : disk_system.ops->size(&disk_system, file, &size);
	char *bytes = count == 0 && size < TEXT_BYTES_MAX ? malloc(size + 1) : NULL;
	if (bytes)
		count = disk_read_all(&disk_system, file, bytes, size, 0);
	struct answer *answer =
		bytes && count >= 0 ? answer_make_document(name, (struct tg_str){bytes, (uint64_t)count}) : NULL;
	free(bytes);
	if (file >= 0)
		disk_close(&disk_system, file);
	if (!answer)
		return cli_misuse(replay->args, "--http: %s: %s", path, count < 0 ? strerror((int)-count) : "too long");
	(void)error;
	played_stand(replay->played, answer);
	return 0;
}

static int texts_stand(struct replay *replay, const char *path)
{
	struct tg_error error = tg_error_init();
	struct capture_entry entry;
	struct capture_text *text;
	if (capture_text_open(&disk_system, path, &text, &error))
		return cli_misuse(replay->args, "--http: %s", error.message);
	while (capture_text_next(text, &entry)) {
		struct answer *answer = entry.kind == CAPTURE_HTTP ? answer_make(&entry, true) : NULL;
		if (answer)
			played_stand(replay->played, answer);
	}
	capture_text_close(text);
	return 0;
}

static int answers_read(struct replay *replay)
{
	const char *path;
	int code = 0;
	for (size_t i = 0; !code && (path = arguments_nth(replay->args, "http", i)); i++) {
		size_t len = strlen(path);
		bool is_document = len > 5 && strcmp(path + len - 5, ".json") == 0;
		code = is_document ? document_stand(replay, path) : texts_stand(replay, path);
	}
	return code;
}

static int source_read(struct replay *replay)
{
	const struct arguments *args = replay->args;
	struct tg_error error = tg_error_init();
	const char **paths = calloc(arguments_count(args), sizeof *paths);
	if (!paths)
		return cli_fail(args, "out of memory");
	for (size_t i = 0; i < arguments_count(args); i++)
		paths[i] = arguments_get(args, i);
	int status = source_open(&disk_system, paths, arguments_count(args), &replay->source, &error);
	free(paths);
	if (status == TG_ERR_IO || status == TG_ERR_INVALID || status == TG_ERR_LIMIT)
		return cli_misuse(args, "%s", error.message);
	return status ? cli_fail(args, "%s", error.message) : 0;
}

static int replay_run(const struct arguments *args)
{
	struct replay *replay = calloc(1, sizeof *replay);
	if (!replay)
		return cli_fail(args, "out of memory");
	replay->args = args;
	replay->json = arguments_given(args, "json");
	int code = speed_read(replay);
	if (!code)
		code = balances_read(replay);
	if (!code)
		code = source_read(replay);
	if (!code && played_create(source_is_text(replay->source) ? &replay_made_up : NULL, &replay->played))
		code = cli_fail(args, "out of memory");
	if (!code)
		code = answers_read(replay);
	if (!code)
		code = replay_config_read(args, replay->source, &replay->config);
	if (!code) {
		code = replay_with(replay);
		replay_config_finish(&replay->config);
	}
	played_destroy(replay->played);
	source_close(replay->source);
	free(replay);
	return code;
}

static const struct option_spec replay_options[] = {
	OPTION_CONFIG,
	{.name = "strategy",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .help = "strategy file (default: the one that the gateway file names, else all cycles of three that pay)"},
	{.name = "speed",
	 .kind = OPTION_TEXT,
	 .argument = "max|N",
	 .help = "as fast as possible, or N times as fast as it was (default: max)"},
	{.name = "balance",
	 .kind = OPTION_TEXT,
	 .argument = "CUR=AMOUNT",
	 .repeats = true,
	 .help = "what the account has; may be repeated (default: what the capture says, else 1000 of each currency that a "
		 "cycle may start in)"},
	{.name = "http",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .repeats = true,
	 .help = "answers that the capture lacks: a text of them, or a document whose name says what it is, as in "
		 "exchange-info.json; may be repeated"},
	{.name = "set",
	 .kind = OPTION_TEXT,
	 .argument = "SETTING=VALUE",
	 .repeats = true,
	 .help = "a setting of the exchange, as in stream=depth; may be repeated"},
	{.name = "verbose", .letter = 'v', .kind = OPTION_FLAG, .help = "show what was decided against, too"},
	OPTION_JSON,
	OPTION_END,
};

const struct command command_replay = {
	.name = "replay",
	.summary = "run the gateway on a recorded market, and tell what it would have done",
	.synopsis = "FILE...",
	.least = 1,
	.most = SOURCE_FILES_MAX,
	.details =
		"FILEs are the parts of one recording of `trigate record`, from the first on, or texts of recorded frames. The "
		"gateway runs on the time of the capture with the recorded exchange's connector, which is told what came, when it "
		"came. It decides as it would, and sends nothing: no order, no request. No state directory and no store is "
		"touched.\n\n"
		"With --json each line is an object whose \"event\" is start, decision, log or summary; the same capture gives "
		"the same lines, but for members whose names end in _ns.\n\n"
		"Exit status: 0 it was played, 1 it could not be to its end (damaged, or the connector never came up), 2 wrong "
		"usage.",
	.options = replay_options,
	.examples = "trigate replay captures/binance-20261122T220000000Z-*.tgcap.zst --config gateway.yaml\n"
		    "trigate replay captures/*.tgcap.zst --speed 1\n"
		    "trigate replay depth.ws.txt --http depth.http.txt --http exchange-info.json --set stream=depth",
	.run = replay_run,
};
