/* `trigate venue`: the matching engine behind Binance's protocols, for clients of whatever kind. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/log.h"
#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/text.h"
#include "core/cli/venue_options.h"

#define STATUS_MS 500

struct serving {
	struct venue_wishes wishes;
	struct venue_dir dir;
	struct venue *venue;
	struct server *server;
	struct json_object *description;
	uv_signal_t interrupt;
	uv_signal_t terminate;
	uv_timer_t status;
	const char *reason;
	uint64_t frames_before;
};

/* ------------------------------------------------------------------- tell */

static const char *member(const struct serving *serving, const char *key)
{
	struct json_object *value = NULL;
	json_object_object_get_ex(serving->description, key, &value);
	return value ? json_object_get_string(value) : "";
}

static void row(const char *title, const char *value)
{
	printf("  %-16s", title);
	out_plain(stdout, value);
	printf("\n");
}

static void ready_people(const struct serving *serving)
{
	uint32_t markets = venue_engine(serving->venue)->market_count;
	printf("%svenue%s  %u markets, run %llu of its ledger; end it with Ctrl-C\n", out_style(stdout, STYLE_BOLD),
	       out_style(stdout, STYLE_NONE), markets, (unsigned long long)venue_run(serving->venue));
	row("REST", member(serving, "rest"));
	row("market streams", member(serving, "stream"));
	row("WebSocket API", member(serving, "ws_api"));
	if (serving->wishes.tls)
		row("trust", member(serving, "ca_file"));
	row("API key", member(serving, "key_file"));
	row("Ed25519 key", member(serving, "key_file_ed25519"));
	row("ledger", member(serving, "ledger"));
	if (serving->wishes.server.channels.binance.control)
		row("faults", "on request, under /control/");
	printf("  %-16strigate run --live --config ", "gateway");
	out_plain(stdout, member(serving, "gateway"));
	printf("\n");
	fflush(stdout);
}

static void ready_tell(const struct serving *serving)
{
	if (!serving->wishes.json) {
		ready_people(serving);
		return;
	}
	struct json_object *line = json_line("ready");
	json_object_object_foreach(serving->description, key, value)
		json_object_object_add(line, key, json_object_get(value));
	json_put_number(line, "markets", venue_engine(serving->venue)->market_count);
	json_put_number(line, "run", (int64_t)venue_run(serving->venue));
	out_json(line);
	fflush(stdout); /* somebody waits for it */
}

static void status_tell(struct serving *serving)
{
	const struct channels_figures *figures = server_figures(serving->server);
	char requests[TEXT_MAX], frames[TEXT_MAX], orders[TEXT_MAX];
	uint64_t rate = (figures->frames - serving->frames_before) * 1000 / STATUS_MS;
	serving->frames_before = figures->frames;
	out_status("%s requests; %u connections, %u of them WebSocket; %s orders; %s frames/s",
		   text_count(requests, (int64_t)(figures->requests + figures->messages)), figures->open,
		   figures->websockets, text_count(orders, venue_orders(serving->venue)->count),
		   text_count(frames, (int64_t)rate));
}

static void summary_people(const struct serving *serving, const struct channels_figures *figures)
{
	char number[4][TEXT_MAX];
	out_status_clear();
	printf("\n%ssummary%s  %s\n", out_style(stdout, STYLE_BOLD), out_style(stdout, STYLE_NONE), serving->reason);
	printf("  %-16s%s clients, %s of them cut off\n", "connections",
	       text_count(number[0], (int64_t)figures->accepted), text_count(number[1], (int64_t)figures->cut));
	printf("  %-16s%s over HTTP, %s over WebSocket\n", "requests",
	       text_count(number[0], (int64_t)figures->requests), text_count(number[1], (int64_t)figures->messages));
	printf("  %-16s%s\n", "frames sent", text_count(number[0], (int64_t)figures->frames));
	printf("  %-16s%s in the ledger\n", "orders", text_count(number[0], venue_orders(serving->venue)->count));
}

static void summary_tell(const struct serving *serving)
{
	const struct channels_figures *figures = server_figures(serving->server);
	if (!serving->wishes.json) {
		summary_people(serving, figures);
		return;
	}
	struct json_object *line = json_line("summary");
	json_put_text(line, "reason", serving->reason);
	json_put_number(line, "connections", (int64_t)figures->accepted);
	json_put_number(line, "cut", (int64_t)figures->cut);
	json_put_number(line, "requests", (int64_t)figures->requests);
	json_put_number(line, "messages", (int64_t)figures->messages);
	json_put_number(line, "frames", (int64_t)figures->frames);
	json_put_number(line, "orders", venue_orders(serving->venue)->count);
	out_json(line);
}

static void on_note(void *ctx, const struct channel_note *note)
{
	const struct tg_str text = {note->text.ptr, note->text.len < 512 ? note->text.len : 512};
	(void)ctx;
	out_status_clear();
	log_debug("venue.request", LOG_I("client", note->connection), LOG_T("method", note->method),
		  LOG_T("text", text), LOG_I("status", note->status));
}

/* ------------------------------------------------------------------ serve */

static void on_signal(uv_signal_t *handle, int number)
{
	struct serving *serving = handle->data;
	serving->reason = number == SIGINT ? "interrupted (SIGINT)" : "told to terminate (SIGTERM)";
	server_stop(serving->server);
}

static void on_status(uv_timer_t *timer)
{
	struct serving *serving = timer->data;
	if (!serving->wishes.json)
		status_tell(serving);
	if (out_broken() && !serving->reason) {
		serving->reason = "nobody reads the output any more";
		server_stop(serving->server);
	}
}

static int serve(struct serving *serving)
{
	uv_loop_t *loop = server_loop(serving->server);
	uv_signal_init(loop, &serving->interrupt);
	uv_signal_init(loop, &serving->terminate);
	uv_timer_init(loop, &serving->status);
	serving->interrupt.data = serving->terminate.data = serving->status.data = serving;
	uv_signal_start(&serving->interrupt, on_signal, SIGINT);
	uv_signal_start(&serving->terminate, on_signal, SIGTERM);
	uv_timer_start(&serving->status, on_status, STATUS_MS, STATUS_MS);
	ready_tell(serving);
	int status = server_run(serving->server);
	summary_tell(serving);
	uv_close((uv_handle_t *)&serving->interrupt, NULL);
	uv_close((uv_handle_t *)&serving->terminate, NULL);
	uv_close((uv_handle_t *)&serving->status, NULL);
	return status;
}

/* ------------------------------------------------------------------- open */

static int server_prepare(struct serving *serving, struct tg_error *error)
{
	static char certificate[VENUE_PATH_MAX], key[VENUE_PATH_MAX];
	struct server_options *options = &serving->wishes.server;
	struct venue_dir *dir = &serving->dir;
	int status = TG_OK;
	if (serving->wishes.tls) {
		status = venue_dir_certificate(dir, options->host, (int64_t)time(NULL), error);
		options->certificate_file = venue_dir_file(dir, VENUE_CERTIFICATE, certificate);
		options->key_file = venue_dir_file(dir, VENUE_CERTIFICATE_KEY, key);
	}
	if (status == TG_OK)
		status = venue_dir_keys(dir, &options->channels.binance.keys, error);
	if (status == TG_OK)
		status = server_open(options, serving->venue, &serving->server, error);
	if (status != TG_OK)
		return status;
	serving->description = venue_dir_describe(dir, options->host, server_port(serving->server), serving->wishes.tls,
						  options->channels.binance.control);
	return venue_dir_announce(dir, serving->description, error);
}

/* The ledger first: its lock keeps a second venue off the folder. */
static int serving_open(struct serving *serving, struct tg_error *error)
{
	char ledger[VENUE_PATH_MAX];
	struct timespec now;
	int status = venue_dir_open(serving->wishes.dir, &serving->dir, error);
	if (status != TG_OK)
		return status;
	venue_dir_file(&serving->dir, VENUE_LEDGER, ledger);
	serving->wishes.venue.ledger = (struct tg_str){ledger, strlen(ledger)};
	clock_gettime(CLOCK_REALTIME, &now);
	status = venue_open(&serving->wishes.venue, (int64_t)now.tv_sec * TG_E9 + now.tv_nsec, &serving->venue, error);
	return status == TG_OK ? server_prepare(serving, error) : status;
}

static int venue_run_command(const struct arguments *args)
{
	static struct serving serving;
	struct tg_error error = tg_error_init();
	enum log_level level = LOG_INFO;
	int code = venue_wishes_read(args, &serving.wishes);
	if (code)
		return code;
	if (arguments_given(args, "log-level"))
		log_level_parse(arguments_text(args, "log-level"), &level);
	log_set_level(level);
	if (level == LOG_DEBUG)
		serving.wishes.server.channels.note = on_note;
	int status = serving_open(&serving, &error);
	bool served = status == TG_OK;
	if (served)
		status = serve(&serving);
	if (serving.server)
		venue_dir_withdraw(&serving.dir);
	server_close(serving.server);
	venue_close(serving.venue);
	world_destroy(&serving.wishes.world);
	json_object_put(serving.description);
	if (served && status == TG_OK)
		status = venue_dir_sync(&serving.dir, VENUE_LEDGER);
	if (status == TG_OK)
		return EXIT_DONE;
	return cli_fail(args, "%s", served ? "the ledger cannot be written" : error.message);
}

const struct command command_venue = {
	.name = "venue",
	.summary = "serve a made-up exchange that speaks Binance's protocols",
	.details =
		"REST, market streams and the WebSocket API are all on one port, over TLS. Clients made for Binance work "
		"when their URLs, their API key and the authority that they trust are changed; DIR/venue.json holds all of "
		"it, DIR/gateway.yaml is a gateway file for it. It is money of no worth: no order leaves this process.\n\n"
		"The ledger in DIR outlives kill -9 and goes on with the next start; what is announced there ends with the "
		"venue. SIGINT or SIGTERM ends it: clients are told, then a summary is printed. docs/venue.md tells more.",
	.options = venue_options,
	.examples = "trigate venue --control\n"
		    "trigate venue --dir /tmp/venue --listen 127.0.0.1:0 --markets 1000 --balance USDT=50000 --json\n"
		    "trigate venue --exchange-info exchangeInfo.json --time-scale 1440",
	.run = venue_run_command,
};
