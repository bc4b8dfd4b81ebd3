#include "core/gateway.h"

#include <stdlib.h>
#include <string.h>

#include <trigate/router.h>

#include "core/base/log.h"
#include "core/extensions.h"

/* A virtual clock of a new state directory starts here: 2026-01-01T00:00:00Z. */
#define VIRTUAL_EPOCH_NS (INT64_C(1767225600) * 1000000000)
/* A restarted virtual clock goes on so long after the journal's last record. */
#define RESTART_GAP_NS INT64_C(1000000000)
/* Timers at once: each open cycle's, and what a connector needs (the simulated exchange has one per order on its way).
 */
#define TIMERS_MAX 65536
/* Final cycles that stay in memory behind the open ones, and what they may bring. */
#define MODEL_CYCLES (OPEN_CYCLES_MAX * 4)
#define MODEL_ORDERS (OPEN_CYCLES_MAX * ORDERS_PER_CYCLE_MAX)
#define MODEL_FILLS (MODEL_ORDERS * 4)
/* An order's end is waited for so long where the strategy sets no bound (enable_latency_checks: false). */
#define ORDER_TIMEOUT_MS 10000
#define WRITER_RING_ROWS 4096
#define WRITER_STOP_MS 1000 /* it was drained before */

/* ------------------------------------------------------------ plugins */

static int load(struct gateway *gateway, struct instance *instance, uint16_t kind, const struct plugin_choice *choice,
		struct json_object **ret_settings, struct tg_error *ret_error)
{
	const struct instance_source source = {gateway->options.registry, &gateway->extensions,
					       gateway->options.config->state_dir};
	return instance_load(instance, &source, kind, choice, ret_settings, ret_error);
}

/* Can the exchange's orders be asked for in this way? */
static bool manifest_looks_up(const struct plugin_info *info, const char *way)
{
	struct json_object *capabilities, *lookup;
	bool found = false;
	if (json_object_object_get_ex(info->manifest, "capabilities", &capabilities) &&
	    json_object_object_get_ex(capabilities, "lookup", &lookup) && json_object_is_type(lookup, json_type_array))
		for (size_t i = 0; i < json_object_array_length(lookup); i++)
			found |= strcmp(json_object_get_string(json_object_array_get_idx(lookup, i)), way) == 0;
	return found;
}

/* Can its orders carry our ids, and can they be asked for by them? Without that no order's fate could be proven. */
static int exchange_suits(const struct plugin_info *info, struct tg_error *ret_error)
{
	struct json_object *capabilities, *client_id, *value;
	if (!json_object_object_get_ex(info->manifest, "capabilities", &capabilities) ||
	    !json_object_object_get_ex(capabilities, "client_id", &client_id) ||
	    !json_object_object_get_ex(client_id, "max_length", &value) ||
	    json_object_get_int64(value) < TG_CLIENT_ID_LEN)
		return tg_error_set(
			ret_error, TG_ERR_UNSUPPORTED,
			"exchange plugin \"%s\": its manifest's capabilities.client_id.max_length must be at least "
			"%d, the length of our order ids",
			info->id, TG_CLIENT_ID_LEN);
	if (!manifest_looks_up(info, "client_id"))
		return tg_error_set(
			ret_error, TG_ERR_UNSUPPORTED,
			"exchange plugin \"%s\": its manifest's capabilities.lookup must have \"client_id\", for "
			"orders whose outcome is unknown are asked for by it",
			info->id);
	return TG_OK;
}

static int64_t manifest_number(const struct plugin_info *info, const char *key, int64_t absent)
{
	struct json_object *capabilities, *value;
	if (!json_object_object_get_ex(info->manifest, "capabilities", &capabilities) ||
	    !json_object_object_get_ex(capabilities, key, &value))
		return absent;
	return json_object_get_int64(value);
}

/* A driven gateway keeps none: a simulation has records of its own. */
static bool audit_is_wanted(const struct gateway *gateway)
{
	const char *mode = gateway->options.config->audit.mode;
	bool live = !manifest_number(&gateway->exchange.plugin->info, "simulated", 0);
	return !gateway->options.outside->driven &&
	       (strcmp(mode, "always") == 0 || (strcmp(mode, "live") == 0 && live));
}

static int audit_begin(struct gateway *gateway, struct tg_error *ret_error)
{
	const struct gateway_config *config = gateway->options.config;
	const struct audit_options options = {
		.disk = gateway->options.outside->disk,
		.workers = gateway->options.outside->workers,
		.loop = gateway->loop,
		.state_dir = config->state_dir,
		.gateway_id = config->gateway_id,
		.epoch = gateway->executor.settings.epoch,
		.file_bytes = (uint64_t)config->audit.file_mib << 20,
		.files = (uint32_t)config->audit.files,
	};
	if (!audit_is_wanted(gateway))
		return TG_OK;
	int status = audit_open(&options, &gateway->audit, ret_error);
	gateway->notices.audit = gateway->extensions.audit = gateway->audit;
	return status;
}

static int exchange_create(struct gateway *gateway, struct tg_error *ret_error)
{
	struct json_object *settings;
	int status =
		load(gateway, &gateway->exchange, TG_KIND_EXCHANGE, gateway->options.exchange, &settings, ret_error);
	if (status)
		return status;
	const struct tg_exchange_api *api = gateway->exchange.api;
	struct tg_config view = plugin_config_view(settings);
	status = exchange_suits(&gateway->exchange.plugin->info, ret_error);
	if (!status)
		status = audit_begin(gateway, ret_error);
	if (status) {
		json_object_put(settings);
		return status;
	}
	pipeline_events(gateway, &gateway->exchange_events);
	status = api->create(&gateway->exchange.host.host, &view, &gateway->exchange_events, &gateway->exchange.self,
			     ret_error);
	json_object_put(settings);
	return status;
}

static int store_begin(struct gateway *gateway, struct tg_error *ret_error)
{
	const struct instance_source source = {gateway->options.registry, &gateway->extensions,
					       gateway->options.config->state_dir};
	return store_init(&gateway->store, &source, gateway->options.config, gateway->options.outside->workers,
			  ret_error);
}

static int router_create(struct gateway *gateway, struct tg_error *ret_error)
{
	struct json_object *settings;
	int status =
		load(gateway, &gateway->router, TG_KIND_ROUTER, &gateway->options.config->router, &settings, ret_error);
	if (status)
		return status;
	const struct tg_router_api *api = gateway->router.api;
	struct tg_config view = plugin_config_view(settings);
	status = api->create(&gateway->router.host.host, &view, &gateway->router.self, ret_error);
	json_object_put(settings);
	return status;
}

/* ------------------------------------------------------------ state */

struct replay {
	struct keeper *keeper;
	uint64_t clean_position;
	struct tg_error *error;
};

static int replay(void *ctx, const struct journal_entry *entry)
{
	const struct replay *replay = ctx;
	int status = model_replay(replay->keeper->model, entry, replay->error);
	if (!status && entry->position > replay->clean_position)
		keeper_event(replay->keeper, entry);
	return status;
}

/* An older copy of the store was restored, or it is another one: what it lacks stands nowhere any more. */
static void store_gap_tell(const struct journal_report *report, uint64_t stored)
{
	if (report->first_position > stored + 1)
		log_warn("store.gap", LOG_I("store", stored), LOG_I("journal_begins", report->first_position),
			 LOG_S("note", "the store lacks what happened in between, and the journal has it no more: "
				       "cycles of that time are missing in it, or stand as open"));
}

static int state_open(struct gateway *gateway, struct tg_error *ret_error)
{
	const struct gateway_config *config = gateway->options.config;
	const struct outside *outside = gateway->options.outside;
	struct model_options options = {.cycles = MODEL_CYCLES, .orders = MODEL_ORDERS, .fills = MODEL_FILLS};
	int status = store_stands_at(&gateway->store, config->gateway_id, &options.clean_position, ret_error);
	if (status)
		return status;
	if (model_create(&options, &gateway->keeper.model))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	if (!gateway->options.outside->driven) /* a simulation opens thousands, and looks at no wall clock */
		model_touch(gateway->keeper.model);
	struct journal_report report;
	struct replay into = {&gateway->keeper, options.clean_position, ret_error};
	status = journal_open(outside->disk, outside->workers, config->state_dir, config->gateway_id,
			      options.clean_position, replay, &into, &report, &gateway->keeper.journal, ret_error);
	if (!status)
		status = model_settled(gateway->keeper.model, ret_error);
	if (status)
		return status;
	uint64_t file_bytes = outside->journal_file_bytes;
	journal_limit(gateway->keeper.journal, file_bytes ? file_bytes : (uint64_t)config->journal.file_mib << 20,
		      (uint32_t)config->journal.keep_files);
	if (options.clean_position > report.last_position)
		return tg_error_set(
			ret_error, TG_ERR_CORRUPT,
			"the store knows the journal up to record %llu, the journal ends at %llu: it was lost or "
			"replaced; restore it, or start with another state directory and gateway_id",
			(unsigned long long)options.clean_position, (unsigned long long)report.last_position);
	store_gap_tell(&report, options.clean_position);
	if (report.torn_bytes > 0)
		log_warn("journal.torn", LOG_I("bytes", report.torn_bytes), LOG_S("copy", report.torn_copy));
	model_set_watch(gateway->keeper.model, &gateway->options.watch);
	gateway->last_record_ns = report.last_time_ns;
	gateway->store_stood = options.clean_position;
	gateway->keeper.changed = report.last_position > options.clean_position;
	return TG_OK;
}

/* Before the journal is opened: a journal without an epoch beside it is a damaged directory. */
static int epoch_take(struct gateway *gateway, struct tg_error *ret_error)
{
	gateway->executor.settings.epoch = statedir_epoch_next(gateway->statedir, ret_error);
	return gateway->executor.settings.epoch == 0 ? ret_error->code : TG_OK;
}

/* Since the last record nobody has listened; what the run before had not asked for yet is still to be asked for. */
static int missed_record(struct gateway *gateway)
{
	struct record_missed record = {gateway->last_record_ns};
	if (model_missed_since_ns(gateway->keeper.model) != 0 || record.since_unix_ns == 0)
		return TG_OK;
	return keeper_commit(&gateway->keeper, RECORD_MISSED, &record, sizeof record);
}

/* A disk that takes nothing at a start is not waited for. */
static int start_refused(struct tg_error *error)
{
	char why[sizeof error->message];
	memcpy(why, error->message, sizeof why);
	return tg_error_set(error, TG_ERR_IO, "%s, then start again", why);
}

static int start_record(struct gateway *gateway, struct tg_error *ret_error)
{
	struct record_start record = {.epoch = gateway->executor.settings.epoch, .version = TRIGATE_VERSION};
	snprintf(record.gateway_id, sizeof record.gateway_id, "%s", gateway->options.config->gateway_id);
	snprintf(record.strategy, sizeof record.strategy, "%s", gateway->options.strategy->name);
	snprintf(record.exchange, sizeof record.exchange, "%s", gateway->options.exchange->name);
	int status = missed_record(gateway);
	if (!status)
		status = keeper_commit(&gateway->keeper, RECORD_START, &record, sizeof record);
	if (!status)
		status = journal_sync(gateway->keeper.journal, ret_error);
	return status == TG_ERR_RETRYABLE ? start_refused(ret_error) : status;
}

static int writer_open(struct gateway *gateway, struct tg_error *ret_error)
{
	const struct gateway_config *config = gateway->options.config;
	struct writer_options options = {
		.workers = gateway->options.outside->workers,
		.pool = gateway->store.pool,
		.cache = gateway->store.cache,
		.journal_id = config->gateway_id,
		.journal_wait = journal_wait,
		.journal = gateway->keeper.journal,
		.stood = gateway->store_stood,
		.known = journal_position(gateway->keeper.journal),
		.ring_rows = WRITER_RING_ROWS,
		.touch = !gateway->options.outside->driven,
		.batch_rows = (uint32_t)config->storage_batch_rows,
		.batch_ms = config->storage_batch_ms,
		.retention_days = config->storage_retention_days,
	};
	return writer_start(&options, &gateway->keeper.writer, ret_error);
}

/* ------------------------------------------------------------ executor */

static void executor_fill(struct gateway *gateway)
{
	const struct strategy_config *strategy = gateway->options.strategy;
	const struct plugin_info *info = &gateway->exchange.plugin->info;
	struct executor *executor = &gateway->executor;
	bool bounded = manifest_number(info, "validity_bound", 0) != 0;
	executor->loop = gateway->loop;
	executor->keeper = &gateway->keeper;
	executor->markets = gateway->markets;
	executor->portfolio = gateway->portfolio;
	executor->exchange = gateway->exchange.api;
	executor->exchange_self = gateway->exchange.self;
	executor->slots = &gateway->slots;
	executor->random = gateway->options.seed;
	executor->settings.gateway = (uint16_t)strtoul(gateway->options.config->gateway_id, NULL, 16);
	int64_t leg_ms =
		strategy->risk_controls.enable_latency_checks ? strategy->max_leg_latency_ms : ORDER_TIMEOUT_MS;
	executor->settings.order_timeout_ns = leg_ms * 1000000;
	executor->settings.valid_ms = bounded ? leg_ms : 0;
	executor->settings.min_partial_fill_e9 = strategy->order.min_partial_fill_e9;
	executor->settings.all_or_nothing = !strategy->order.allow_partial_fills;
	executor->settings.lag_ms = manifest_number(info, "lag_ms", 1000);
	executor->settings.lists = manifest_looks_up(info, "listing");
	executor->settings.asks_unlisted = manifest_looks_up(info, "symbol");
	executor->settings.parks = gateway->options.config->journal.power || gateway->options.outside->journal_power;
	executor->settings.parks_waiting = gateway->options.config->virtual_clock && !gateway->options.outside->driven;
	executor->settings.retry_delay_ns = strategy->order.retry_delay_ms * 1000000;
	executor->settings.max_retries = (uint32_t)strategy->order.max_retries;
	executor->settings.query.initial_delay_ns = strategy->order.monitoring.initial_delay_ms * 1000000;
	executor->settings.query.max_delay_ns = strategy->order.monitoring.max_delay_ms * 1000000;
	executor->settings.query.multiplier_e3 = strategy->order.monitoring.backoff_multiplier_e3;
	executor->settings.query.jitter_e9 = strategy->order.monitoring.jitter_factor_e9;
	pipeline_executor_events(gateway, &executor->events);
}

/* ------------------------------------------------------------ open and close */

static int memory_take(struct gateway *gateway, struct tg_error *ret_error)
{
	gateway->portfolio = calloc(1, sizeof *gateway->portfolio);
	gateway->subscribed = calloc(MARKETS_MAX, 1);
	gateway->excluded = calloc(MARKETS_MAX, 1);
	if (!gateway->portfolio || !gateway->subscribed || !gateway->excluded || markets_create(&gateway->markets))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	return TG_OK;
}

static int loop_open(struct gateway *gateway, struct tg_error *ret_error)
{
	const struct gateway_config *config = gateway->options.config;
	const struct outside *outside = gateway->options.outside;
	struct loop_options options = {
		.virtual_time = config->virtual_clock,
		.speed_e3 = config->clock_speed_e3,
		.start_unix_ns = gateway->last_record_ns ? gateway->last_record_ns + RESTART_GAP_NS : VIRTUAL_EPOCH_NS,
		.timers_max = TIMERS_MAX,
	};
	if (outside->driven)
		options = (struct loop_options){.driven = true,
						.start_mono_ns = outside->mono_ns,
						.start_unix_ns = outside->unix_ns,
						.timers_max = TIMERS_MAX};
	if (loop_create(&options, &gateway->loop))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	gateway->keeper.loop = gateway->loop;
	loop_set_pass_end(gateway->loop, pipeline_pass_end, gateway);
	journal_on_synced(gateway->keeper.journal, loop_call, gateway->loop);
	return TG_OK;
}

/* In order; what is opened here is closed by gateway_close, however far it came. */
static int open_all(struct gateway *gateway, struct tg_error *ret_error)
{
	const struct gateway_config *config = gateway->options.config;
	const struct outside *outside = gateway->options.outside;
	int status =
		extensions_keys_open(&gateway->extensions, config, ret_error); /* the environment, before threads */
	if (!status)
		status = statedir_open(outside->disk, config->state_dir, &gateway->statedir, ret_error);
	if (!status)
		status = memory_take(gateway, ret_error);
	if (!status)
		status = epoch_take(gateway, ret_error);
	if (!status)
		status = store_begin(gateway, ret_error);
	if (!status)
		status = state_open(gateway, ret_error);
	if (!status)
		status = decisions_open(outside->disk, config->state_dir, &gateway->decisions, ret_error);
	if (!status)
		status = loop_open(gateway, ret_error);
	if (!status)
		status = writer_open(gateway, ret_error);
	if (!status)
		status = gateway_trimmer_open(gateway, ret_error);
	if (!status)
		status = router_create(gateway, ret_error);
	if (!status)
		status = exchange_create(gateway, ret_error);
	if (!status && outside->control)
		status = control_server_start(gateway->loop, config->state_dir, gateway_command, gateway,
					      &gateway->control, ret_error);
	if (!status)
		status = start_record(gateway, ret_error);
	return status;
}

int gateway_open(const struct gateway_options *options, struct gateway **ret_gateway, struct tg_error *ret_error)
{
	struct gateway *gateway = calloc(1, sizeof *gateway);
	if (!gateway)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	gateway->options = *options;
	if (!options->outside)
		gateway->options.outside = &outside_system;
	gateway->notices.events = &gateway->options.events;
	gateway->keeper.gateway_id = options->config->gateway_id;
	gateway->keeper.strategy = options->strategy->name;
	gateway->keeper.exchange = options->exchange->name;
	gateway_slots_name(gateway);
	extensions_init(&gateway->extensions, &gateway->loop, options->seed, gateway->options.outside);
	int status = open_all(gateway, ret_error);
	if (status) {
		gateway_close(gateway);
		return status;
	}
	executor_fill(gateway);
	gateway->count.recovered = executor_restore(&gateway->executor);
	status = gateway_slots_open(gateway, ret_error); /* what is open has its slots first */
	if (status) {
		gateway_close(gateway);
		return status;
	}
	if (gateway->count.recovered > 0)
		log_info("recovery", LOG_I("open_cycles", gateway->count.recovered));
	*ret_gateway = gateway;
	return TG_OK;
}

int gateway_start(struct gateway *gateway)
{
	const struct tg_exchange_api *api = gateway->exchange.api;
	struct tg_error error = tg_error_init();
	gateway->failure = tg_error_init();
	int status = api->start(gateway->exchange.self, &error);
	if (status < 0)
		return gateway_fail(gateway, status, &error);
	gateway->started = true;
	keeper_flush(&gateway->keeper);
	return gateway_check_journal(gateway);
}

static void stop_note(struct gateway *gateway)
{
	struct record_stop record = {.open_cycles = gateway->executor.open_count};
	snprintf(record.reason, sizeof record.reason, "%s", gateway->stop_reason ? gateway->stop_reason : "");
	keeper_note(&gateway->keeper, RECORD_STOP, &record, sizeof record);
	keeper_pass_end(&gateway->keeper);
	gateway_check_journal(gateway);
}

/* A store may be found only now to have gone back: then it is told again what it lacks. */
static bool store_drain(struct gateway *gateway)
{
	struct keeper *keeper = &gateway->keeper;
	int64_t timeout_ms = gateway->options.config->stop_deadline_ms;
	uint64_t position;
	bool drained = writer_drain(keeper->writer, timeout_ms);
	if (drained || !writer_went_back(keeper->writer, &position))
		return drained;
	do {
		keeper_pass_end(keeper);
		drained = !keeper->store_lost && !keeper->failed && !keeper->stalled &&
			  writer_drain(keeper->writer, timeout_ms);
	} while (drained && keeper_is_behind(keeper));
	return drained;
}

int gateway_finish(struct gateway *gateway)
{
	if (gateway->started)
		((const struct tg_exchange_api *)gateway->exchange.api)->stop(gateway->exchange.self);
	extensions_hang_up(&gateway->extensions, &gateway->exchange.host.host);
	gateway->started = false;
	stop_note(gateway);
	gateway_end_journal(gateway);
	/* with a journal that cannot be written the store must not go further either */
	gateway->store_given_up = gateway->keeper.failed || gateway->keeper.stalled || !store_drain(gateway);
	if (gateway->store_given_up)
		log_warn("store.behind",
			 LOG_S("note", "the store will be brought up to the journal at the next start"));
	return gateway->failure.code;
}

int gateway_run(struct gateway *gateway)
{
	if (gateway_start(gateway) == TG_OK)
		loop_run(gateway->loop);
	return gateway_finish(gateway);
}

void gateway_stop(struct gateway *gateway, const char *reason)
{
	if (!gateway->stopping)
		gateway->stop_reason = reason;
	gateway->stopping = true;
}

/* What is asked for between two passes is done in one: with its clock, its flush and its end. */
static void pass_soon(struct gateway *gateway, loop_fn fn)
{
	uint64_t timer;
	if (loop_timer_start(gateway->loop, 0, fn, gateway, &timer))
		fn(gateway); /* no timer is left: later passes there are enough */
}

/* The end of a pass sees that nothing is open. */
static void on_end(void *ctx)
{
	(void)ctx;
}

void gateway_end(struct gateway *gateway, const char *reason)
{
	gateway_stop(gateway, reason);
	gateway->end_asked = true;
	pass_soon(gateway, on_end);
}

void gateway_stop_now(struct gateway *gateway)
{
	gateway_stop(gateway, "told to stop at once");
	loop_stop(gateway->loop);
}

int gateway_fail(struct gateway *gateway, int status, const struct tg_error *error)
{
	gateway->failure = *error;
	if (!error->message[0]) /* a plugin need not say why */
		tg_error_set(&gateway->failure, status, "%s", tg_status_text(status));
	gateway->failure.code = status;
	gateway_stop(gateway, "the run failed");
	loop_stop(gateway->loop);
	return status;
}

static void on_level(void *ctx)
{
	struct gateway *gateway = ctx;
	if (gateway->executor.link_up)
		executor_on_link(&gateway->executor, true); /* what waited goes on */
}

void gateway_stop_level(struct gateway *gateway, enum stop_level level)
{
	gateway->stop_level = level;
	if (level == STOP_NONE)
		gateway->count.losses_in_a_row = 0; /* whoever resumes has seen them */
	gateway->executor.return_only = level >= STOP_RISK;
	gateway->executor.frozen = level >= STOP_FREEZE;
	pass_soon(gateway, on_level);
}

void gateway_close(struct gateway *gateway)
{
	if (!gateway)
		return;
	control_server_stop(gateway->control);
	if (gateway->exchange.self)
		((const struct tg_exchange_api *)gateway->exchange.api)->destroy(gateway->exchange.self);
	if (gateway->router.self)
		((const struct tg_router_api *)gateway->router.api)->destroy(gateway->router.self);
	writer_stop(gateway->keeper.writer, gateway->store_given_up ? 0 : WRITER_STOP_MS);
	trimmer_stop(gateway->trimmer);
	gateway_slots_close(gateway);
	journal_close(gateway->keeper.journal);
	decisions_close(gateway->decisions);
	extensions_net_close(&gateway->extensions);
	audit_close(gateway->audit);
	loop_destroy(gateway->loop);
	gateway->loop = NULL; /* for plugins that are closed after it: there is no time any more */
	model_destroy(gateway->keeper.model);
	store_finish(&gateway->store);
	cycles_destroy(gateway->cycles);
	markets_destroy(gateway->markets);
	free(gateway->memory);
	free(gateway->excluded);
	free(gateway->subscribed);
	free(gateway->portfolio);
	extensions_finish(&gateway->extensions);
	statedir_close(gateway->statedir);
	free(gateway);
}
