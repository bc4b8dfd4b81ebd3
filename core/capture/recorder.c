#include "core/capture/recorder.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/log.h"
#include "core/config/select.h"
#include "core/io/transport_text.h"

#define TIMERS_MAX 65536
#define CHECK_NS INT64_C(200000000) /* so often the writer is asked whether it still can */

struct recorder {
	struct recorder_options options;
	struct loop *loop;
	struct extensions extensions;
	struct instance exchange;
	struct plugin_choice choice; /* the exchange's, without a key */
	struct tg_exchange_events events;
	struct recording recording;
	bool started;
	bool link_up, was_up;
	char reason[240];
	uint32_t market_count;
	char (*symbol)[SYMBOL_MAX]; /* by the connector's index */
	uint8_t *trading, *subscribed;
	uint32_t subscribed_count;
	uint64_t books;
	struct bytes asked; /* symbols, for the capture */
	struct tg_error failure;
	uint64_t timer;
};

/* ------------------------------------------------------------ markets */

static bool is_wanted(const struct recorder *recorder, uint32_t market)
{
	if (!recorder->options.markets)
		return recorder->trading[market];
	for (size_t i = 0; i < recorder->options.market_count; i++)
		if (symbols_same(recorder->options.markets[i], recorder->symbol[market]))
			return true;
	return false;
}

/* What is wanted and was not asked for yet. */
static uint32_t wanted_list(struct recorder *recorder, uint32_t *list)
{
	uint32_t count = 0;
	recorder->asked.count = 0;
	for (uint32_t i = 0; i < recorder->market_count; i++) {
		if (recorder->subscribed[i] || !is_wanted(recorder, i))
			continue;
		bytes_add(&recorder->asked, recorder->symbol[i], strlen(recorder->symbol[i]));
		bytes_add(&recorder->asked, "\n", 1);
		list[count++] = i;
	}
	return count;
}

static void fail(struct recorder *recorder, int status, const struct tg_error *error)
{
	recorder->failure = *error;
	recorder->failure.code = status;
	loop_stop(recorder->loop);
}

static void subscribe(struct recorder *recorder)
{
	const struct tg_exchange_api *api = recorder->exchange.api;
	struct tg_error error = tg_error_init();
	uint32_t *list = calloc(recorder->market_count + 1, sizeof *list);
	uint32_t count = list ? wanted_list(recorder, list) : 0;
	if (count > 0) {
		capture_tap_subscribed(&recorder->recording.tap,
				       (struct tg_str){(const char *)recorder->asked.at, recorder->asked.count});
		int status = api->subscribe(recorder->exchange.self, list, count, &error);
		if (status < 0)
			fail(recorder, status, &error);
		for (uint32_t i = 0; i < count && status >= 0; i++)
			recorder->subscribed[list[i]] = 1;
		recorder->subscribed_count += status >= 0 ? count : 0;
	}
	free(list);
}

/* ------------------------------------------------------------ what the connector says */

static void on_instruments(void *ctx, const struct tg_instrument *list, uint32_t count)
{
	struct recorder *recorder = ctx;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t market = list[i].market;
		if (market > recorder->market_count || market >= MARKETS_MAX)
			continue; /* a connector's mistake, which a gateway refuses with a message */
		if (market == recorder->market_count)
			recorder->market_count++;
		snprintf(recorder->symbol[market], SYMBOL_MAX, "%.*s",
			 (int)(list[i].symbol.len < SYMBOL_MAX ? list[i].symbol.len : SYMBOL_MAX - 1),
			 list[i].symbol.ptr);
		recorder->trading[market] = list[i].status == TG_MARKET_TRADING;
	}
	if (recorder->was_up)
		subscribe(recorder);
}

static void on_link(void *ctx, int32_t state, const struct tg_error *reason)
{
	struct recorder *recorder = ctx;
	recorder->link_up = state != TG_LINK_DOWN;
	snprintf(recorder->reason, sizeof recorder->reason, "%s", reason ? reason->message : "");
	log_info("link", LOG_S("state", recorder->link_up ? "up" : "down"), LOG_S("reason", recorder->reason));
	if (!recorder->link_up)
		return;
	recorder->was_up = true;
	subscribe(recorder);
}

static void on_book(void *ctx, const struct tg_book_event *event)
{
	struct recorder *recorder = ctx;
	(void)event;
	recorder->books++;
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	(void)ctx, (void)event;
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	(void)ctx, (void)event;
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	(void)ctx, (void)token, (void)status, (void)error;
}

/* ------------------------------------------------------------ open and close */

/* Without what is an account's the connector needs no key, and shall not use one. */
static void choice_make(struct recorder *recorder)
{
	recorder->choice = *recorder->options.exchange;
	recorder->choice.settings = NULL;
	json_object_deep_copy(recorder->options.exchange->settings, &recorder->choice.settings, NULL);
	if (!recorder->options.with_private)
		json_object_object_del(recorder->choice.settings, "key");
}

static int record_begin(struct recorder *recorder, struct json_object *settings, struct tg_error *ret_error)
{
	const struct recorder_options *options = &recorder->options;
	const struct recording_options recording = {
		.disk = options->outside->disk,
		.workers = options->outside->workers,
		.dir = options->dir,
		.exchange = options->exchange->name,
		.plugin = &recorder->exchange.plugin->info,
		.settings = settings,
		.rotate_bytes = options->rotate_bytes,
		.rotate_ns = options->rotate_ns,
		.with_private = options->with_private,
	};
	return recording_open(&recording, &recorder->extensions, recorder->loop, &recorder->recording, ret_error);
}

static int exchange_create(struct recorder *recorder, struct tg_error *ret_error)
{
	const struct recorder_options *options = &recorder->options;
	const struct instance_source source = {options->registry, &recorder->extensions, options->config->state_dir};
	struct json_object *settings;
	int status =
		instance_load(&recorder->exchange, &source, TG_KIND_EXCHANGE, &recorder->choice, &settings, ret_error);
	if (status)
		return status;
	const struct tg_exchange_api *api = recorder->exchange.api;
	struct tg_config view = plugin_config_view(settings);
	status = record_begin(recorder, settings, ret_error);
	if (!status)
		status = api->create(&recorder->exchange.host.host, &view, &recorder->events, &recorder->exchange.self,
				     ret_error);
	json_object_put(settings);
	return status;
}

static int open_all(struct recorder *recorder, struct tg_error *ret_error)
{
	const struct loop_options of_loop = {.timers_max = TIMERS_MAX};
	recorder->symbol = calloc(MARKETS_MAX, sizeof *recorder->symbol);
	recorder->trading = calloc(MARKETS_MAX, 1);
	recorder->subscribed = calloc(MARKETS_MAX, 1);
	if (!recorder->symbol || !recorder->trading || !recorder->subscribed || loop_create(&of_loop, &recorder->loop))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	recorder->events = (struct tg_exchange_events){.size = sizeof recorder->events,
						       .ctx = recorder,
						       .instruments = on_instruments,
						       .book = on_book,
						       .order = on_order,
						       .balance = on_balance,
						       .link = on_link,
						       .done = on_done};
	extensions_init(&recorder->extensions, &recorder->loop, recorder->options.seed, recorder->options.outside);
	recorder->extensions.config = recorder->options.config;
	if (recorder->options.with_private) {
		int status = extensions_keys_open(&recorder->extensions, recorder->options.config, ret_error);
		if (status)
			return status;
	}
	choice_make(recorder);
	return exchange_create(recorder, ret_error);
}

int recorder_open(const struct recorder_options *options, struct recorder **ret_recorder, struct tg_error *ret_error)
{
	struct recorder_status unused;
	struct recorder *recorder = calloc(1, sizeof *recorder);
	if (!recorder)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	recorder->options = *options;
	recorder->failure = tg_error_init();
	int status = open_all(recorder, ret_error);
	if (status) {
		struct tg_error error = tg_error_init();
		recorder_close(recorder, "it could not be begun", &unused, &error);
		return status;
	}
	*ret_recorder = recorder;
	return TG_OK;
}

struct loop *recorder_loop(struct recorder *recorder)
{
	return recorder->loop;
}

static void on_check(void *ctx)
{
	struct recorder *recorder = ctx;
	struct capture_writer_status status;
	struct tg_error error = tg_error_init();
	capture_writer_status(recorder->recording.writer, &status);
	if (status.failure) {
		tg_error_set(&error, status.failure, "%s", status.message);
		fail(recorder, status.failure, &error);
		return;
	}
	loop_timer_start(recorder->loop, CHECK_NS, on_check, recorder, &recorder->timer);
}

int recorder_run(struct recorder *recorder, struct tg_error *ret_error)
{
	const struct tg_exchange_api *api = recorder->exchange.api;
	int status = api->start(recorder->exchange.self, ret_error);
	if (status < 0)
		return status;
	recorder->started = true;
	on_check(recorder);
	if (recorder->failure.code == TG_OK)
		loop_run(recorder->loop);
	if (recorder->failure.code)
		return tg_error_set(ret_error, recorder->failure.code, "%s", recorder->failure.message);
	return TG_OK;
}

void recorder_stop(struct recorder *recorder)
{
	loop_stop(recorder->loop);
}

void recorder_status(const struct recorder *recorder, struct recorder_status *ret_status)
{
	const struct capture_tap *tap = &recorder->recording.tap;
	*ret_status = (struct recorder_status){.link_up = recorder->link_up,
					       .was_up = recorder->was_up,
					       .markets = recorder->market_count,
					       .subscribed = recorder->subscribed_count,
					       .books = recorder->books,
					       .messages = tap->messages,
					       .message_bytes = tap->message_bytes,
					       .requests = tap->requests,
					       .left_out = tap->left_out,
					       .reason = recorder->reason};
	for (size_t i = 0; recorder->options.markets && i < recorder->options.market_count; i++) {
		bool known = false;
		for (uint32_t market = 0; market < recorder->market_count && !known; market++)
			known = symbols_same(recorder->options.markets[i], recorder->symbol[market]);
		ret_status->unknown += !known;
	}
	if (recorder->recording.writer)
		capture_writer_status(recorder->recording.writer, &ret_status->writer);
}

int recorder_close(struct recorder *recorder, const char *why, struct recorder_status *ret_status,
		   struct tg_error *ret_error)
{
	if (!recorder)
		return TG_OK;
	if (recorder->started)
		((const struct tg_exchange_api *)recorder->exchange.api)->stop(recorder->exchange.self);
	recorder_status(recorder, ret_status);
	ret_status->reason = "";
	int failure = recording_close(&recorder->recording, why, &ret_status->writer, ret_error);
	extensions_hang_up(&recorder->extensions, &recorder->exchange.host.host);
	if (recorder->exchange.self)
		((const struct tg_exchange_api *)recorder->exchange.api)->destroy(recorder->exchange.self);
	extensions_net_close(&recorder->extensions);
	loop_destroy(recorder->loop);
	extensions_finish(&recorder->extensions);
	json_object_put(recorder->choice.settings);
	bytes_clear(&recorder->asked);
	free(recorder->symbol);
	free(recorder->trading);
	free(recorder->subscribed);
	free(recorder);
	return failure;
}
