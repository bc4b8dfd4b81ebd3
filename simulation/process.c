#include "simulation/process.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/state/journal_file.h"
#include "simulation/leave.h"
#include "simulation/net_lent.h"

#define MS INT64_C(1000000)
#define SECOND INT64_C(1000000000)
/* After a crash a supervisor starts it again in so much; after a failure it waits longer each time. */
#define RESTART_LEAST_MS 1000
#define RESTART_MOST_MS 10000
#define BACKOFF_MOST_MS 60000
#define LIVED_WELL_NS (60 * SECOND) /* a failure after so long is no failed start */
/* With no fault left, so many failed starts in a row mean that it never comes back. */
#define FAILED_STARTS_MAX 20
/* A journal's file, by seed: an order brings some 2 KiB, so that a world of minutes has several. */
#define JOURNAL_BYTES_LEAST (UINT64_C(16) << 10)
#define JOURNAL_BYTES_STEPS 6
/* A machine's monotonic clock after a boot. */
#define BOOT_MONO_NS (5 * SECOND)
/* A clock that is further off is set right, as time synchronisation does. */
#define UNIX_SKEW_MOST_NS (10 * SECOND)

/* ------------------------------------------------------------ the machine's clocks */

static int64_t process_mono_ns(void *ctx)
{
	const struct process *process = ctx;
	return loop_mono_ns(process->options.ground->time) + process->mono_skew_ns;
}

static int64_t process_unix_ns(const struct process *process)
{
	return loop_unix_ns(process->options.ground->time) + process->unix_skew_ns;
}

static void timer_set(struct process *process, uint64_t *id, int64_t delay_ns, loop_fn fn)
{
	loop_timer_stop(process->options.ground->time, *id);
	int status = loop_timer_start(process->options.ground->time, delay_ns, fn, process, id);
	assert(status == TG_OK); /* the world's loop has room for all timers of all machines */
}

static void timer_clear(struct process *process, uint64_t *id)
{
	loop_timer_stop(process->options.ground->time, *id);
	*id = 0;
}

/* ------------------------------------------------------------ the trace */

#define process_tell(process, ...) trace_add((process)->options.ground->trace, (process)->who, __VA_ARGS__)

/* What it logs, but for what a dead process would have logged. */
static void on_log(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	const struct process *process = ctx;
	char text[512];
	int length = 0;
	if (process->life.dead)
		return;
	text[0] = '\0';
	for (size_t i = 0; i < count && length < (int)sizeof text; i++) {
		const struct log_field *field = &fields[i];
		size_t room = sizeof text - (size_t)length;
		if (!field->text)
			length += snprintf(text + length, room, " %s=%" PRId64, field->key, field->number);
		else if (field->text_len > 0)
			length += snprintf(text + length, room, " %s=%.*s", field->key, (int)field->text_len,
					   field->text);
		else
			length += snprintf(text + length, room, " %s=%s", field->key, field->text);
	}
	process_tell(process, "%s %s%s", log_level_name(level), event, text);
}

/* The log is one for all: it is this process's while its code runs. */
static void log_take(struct process *process)
{
	log_set_sink(on_log, process);
}

static void log_give(void)
{
	log_set_sink(NULL, NULL);
}

static void on_order(void *ctx, const struct order *order, uint8_t before, uint8_t event)
{
	struct process *process = ctx;
	if (process->life.dead)
		return;
	process->options.coverage->order[before][event]++;
	if (event == ORDER_EVENT_INTEND)
		process_tell(process, "order %s %s --%s--> %s  leg %" PRIu32 "%s %s %s", order->client_id,
			     order_state_name(before), order_fsm.event[event], order_state_name(order->state),
			     order->leg + 1, order->unwind ? " back" : "", order->side == TG_SIDE_BUY ? "buy" : "sell",
			     order->market);
	else
		process_tell(process, "order %s %s --%s--> %s", order->client_id, order_state_name(before),
			     order_fsm.event[event], order_state_name(order->state));
}

static void on_cycle(void *ctx, const struct cycle *cycle, uint8_t before, uint8_t event)
{
	struct process *process = ctx;
	if (process->life.dead)
		return;
	process->options.coverage->cycle[before][event]++;
	process_tell(process, "cycle %" PRIu32 ".%" PRIu32 " %s --%s--> %s%s%s", cycle->key.epoch, cycle->key.number,
		     cycle_state_name(before), cycle_fsm.event[event], cycle_state_name(cycle->state),
		     cycle->reason[0] ? "  " : "", cycle->reason);
}

/* The gateway's other news say nothing that the trace has not. */
static void on_start(void *ctx)
{
	(void)ctx;
}
static void on_decision_news(void *ctx, const struct record_decision *decision)
{
	(void)ctx, (void)decision;
}
static void on_order_news(void *ctx, const struct order *order, int64_t tick_to_order_ns)
{
	(void)ctx, (void)order, (void)tick_to_order_ns;
}
static void on_fill_news(void *ctx, const struct order *order, const struct fill *fill)
{
	(void)ctx, (void)order, (void)fill;
}
static void on_cycle_news(void *ctx, const struct cycle *cycle)
{
	(void)ctx, (void)cycle;
}

/* ------------------------------------------------------------ lent to its plugins */

static struct sim_store *lend_store(const struct tg_host *host)
{
	return process_of(host)->options.store;
}

static struct life *lend_life(const struct tg_host *host)
{
	return &process_of(host)->life;
}

static struct stream *lend_connect(const struct tg_host *host, const struct stream_events *events)
{
	struct process *process = process_of(host);
	return stream_connect(process->options.network, process, &process->life, process->options.venue, events);
}

static int32_t lend_send(struct stream *stream, const uint8_t *bytes, uint64_t count)
{
	return stream_send(stream, bytes, (size_t)count);
}

static const struct store_extension store_lent = {
	.size = sizeof store_lent,
	.store = lend_store,
	.life = lend_life,
};
static const struct network_extension network_lent = {
	.size = sizeof network_lent,
	.connect = lend_connect,
	.send = lend_send,
	.close = stream_close,
};
static const struct plugin_extension lent[] = {
	{STORE_EXTENSION, &store_lent}, {NETWORK_EXTENSION, &network_lent}, {TG_EXT_WS, &net_lent_ws},
	{TG_EXT_HTTP, &net_lent_http},  {TG_EXT_SIGNER, &net_lent_signer},
};

/* ------------------------------------------------------------ the end of a life */

static void on_restart(void *ctx)
{
	process_start(ctx);
}

static void restart_after_crash(struct process *process)
{
	uint64_t random = faults_random(process->options.ground->faults);
	int64_t delay_ms = RESTART_LEAST_MS + (int64_t)(random % (RESTART_MOST_MS - RESTART_LEAST_MS));
	timer_set(process, &process->next_timer, delay_ms * MS, on_restart);
}

static void restart_after_failure(struct process *process, const char *why)
{
	int64_t delay_ms = process->failed_starts < 6 ? RESTART_LEAST_MS << process->failed_starts : BACKOFF_MOST_MS;
	process_tell(process, "failed: %s", why);
	snprintf(process->failure, sizeof process->failure, "%s", why);
	process->failed_starts++;
	if (process->ending && process->failed_starts >= FAILED_STARTS_MAX) {
		observer_raise(process->options.observer, "returns", "gateway %u does not come back: %s",
			       process->options.gateway, why);
		return;
	}
	timer_set(process, &process->next_timer, delay_ms * MS, on_restart);
}

struct synced {
	struct process *process;
	uint32_t file;     /* its number; 0: none yet */
	uint64_t bytes;    /* of it that are synced */
	uint64_t size;     /* of it */
	uint64_t offset;   /* behind the record */
	bool ended;        /* a record was not synced: what comes after it counts no more */
	uint64_t position; /* of the last whole record before that */
};

/* The records go on in the next file. */
static void synced_next(struct synced *synced)
{
	const struct disk *disk = sim_disk_outside(synced->process->disk);
	char path[JOURNAL_PATH_SIZE];
	journal_path(synced->process->options.config->state_dir, ++synced->file, path);
	int file = disk_open(disk, path, DISK_READ);
	synced->size = 0;
	if (file >= 0) {
		disk->ops->size(disk, file, &synced->size);
		disk_close(disk, file);
	}
	bool trimmed = !disk->ops->exists(disk, path); /* then all of it was synced */
	synced->bytes = trimmed ? synced->size : sim_disk_synced(synced->process->disk, path);
	synced->offset = JOURNAL_HEADER_SIZE;
}

static int on_record(void *ctx, const struct journal_entry *entry)
{
	struct synced *synced = ctx;
	if (synced->file == 0 || synced->offset >= synced->size)
		synced_next(synced);
	synced->offset += JOURNAL_RECORD_HEADER_SIZE + entry->size;
	synced->ended |= synced->offset > synced->bytes;
	if (!synced->ended)
		synced->position = entry->position;
	return 0;
}

/* How far the journal outlives a loss of power for sure. A damaged end is no news here. */
static uint64_t journal_synced_position(struct process *process)
{
	struct tg_error error = tg_error_init();
	struct synced synced = {.process = process};
	journal_read(sim_disk_outside(process->disk), process->options.config->state_dir, on_record, &synced, NULL,
		     &error);
	return synced.position;
}

/* What the process had of the world is taken from it, as a kernel does. */
static void life_finish(struct process *process)
{
	bool power_lost = process->life.power_lost;
	if (power_lost)
		observer_power_lost(process->options.observer, process->options.gateway,
				    journal_synced_position(process), process->options.durable);
	process->life.dead = true;
	sim_disk_life_ended(process->disk, power_lost);
	network_life_ended(process->options.network, &process->life);
	net_destroy(process->net);
	process->net = NULL;
	sim_workers_destroy(process->workers);
	process->workers = NULL;
	process->operations += process->life.operations;
	if (!power_lost)
		return;
	process->mono_skew_ns = BOOT_MONO_NS - loop_mono_ns(process->options.ground->time);
	process->booted = false;
}

/* Returns whether it was killed. */
static bool kill_count(struct process *process)
{
	if (process->life.power_lost)
		process->power_losses++;
	else if (process->life.dead)
		process->kills++;
	return process->life.dead;
}

static void on_gone(void *ctx)
{
	struct process *process = ctx;
	char why[sizeof process->failure];
	bool lived_well = process_mono_ns(process) - process->outside.mono_ns > LIVED_WELL_NS;
	log_take(process);
	leave(process, lived_well, why, sizeof why);
	gateway_close(process->gateway);
	log_give();
	process->gateway = NULL;
	process->leaving = false;
	bool killed = kill_count(process);
	life_finish(process);
	if (lived_well)
		process->failed_starts = 0;
	if (killed) {
		restart_after_crash(process);
	} else if (why[0] || !process->ending) {
		restart_after_failure(process, why[0] ? why : "it ended though nobody told it to");
	} else {
		process->resting = true;
		process_tell(process, "rests");
	}
}

/* ------------------------------------------------------------ passes */

static bool process_lives(const struct process *process)
{
	return process->gateway && !process->leaving && !process->life.dead;
}

static void on_wake(void *ctx)
{
	process_enter(ctx, NULL, NULL);
}

static void wake_arm(struct process *process)
{
	int64_t next_ns = loop_next_ns(process->gateway->loop), now_ns = process_mono_ns(process);
	if (process->wake_timer && process->wake_ns == next_ns && next_ns > now_ns)
		return;
	timer_clear(process, &process->wake_timer);
	process->wake_ns = next_ns;
	if (next_ns != INT64_MAX)
		timer_set(process, &process->wake_timer, next_ns > now_ns ? next_ns - now_ns : 0, on_wake);
}

/* What ended in a pass is taken away a moment later: whoever made the pass may hold on to it so long. */
static void pass_judge(struct process *process)
{
	if (!process->life.dead && !loop_is_stopped(process->gateway->loop)) {
		wake_arm(process);
		return;
	}
	process->leaving = true;
	timer_clear(process, &process->wake_timer);
	timer_clear(process, &process->deadline_timer);
	timer_set(process, &process->next_timer, 0, on_gone);
}

void process_enter(struct process *process, void (*fn)(void *ctx), void *ctx)
{
	if (!process_lives(process))
		return;
	assert(!process->entered);
	process->entered = true;
	log_take(process);
	loop_drive(process->gateway->loop, process_mono_ns(process), process_unix_ns(process), fn, ctx);
	log_give();
	process->entered = false;
	pass_judge(process);
}

/* As the workers and the network know it. */
static void enter(void *process, void (*fn)(void *ctx), void *ctx)
{
	process_enter(process, fn, ctx);
}

/* ------------------------------------------------------------ the start of a life */

/* Its unix clock may not have been set yet. */
static void machine_boot(struct process *process)
{
	int64_t skew_ms = 0;
	process->booted = true;
	if (!fault_strikes(process->options.ground->faults, FAULT_CLOCK_SKEW, process->options.gateway, &skew_ms))
		return;
	process->unix_skew_ns = skew_ms * MS;
	process_tell(process, "boots with a clock off by %" PRId64 " ms", skew_ms);
}

static int life_begin(struct process *process)
{
	process->life = (struct life){.ground = process->options.ground,
				      .gateway = process->options.gateway,
				      .number = process->life.number + 1};
	struct sim_workers_options options = {
		.life = &process->life,
		.process = process,
		.enter = enter,
		.mono_ns = process_mono_ns,
		.disk = process->disk,
		.store = process->options.store,
	};
	const struct net_options net = {
		.network = process->options.network,
		.life = &process->life,
		.process = process,
		.enter = enter,
		.mono_ns = process_mono_ns,
		.venue = process->options.venue,
		.seed = process->options.seed + process->life.number,
		.keys = process->keys,
		.tap = process->options.net_tap,
	};
	sim_store_watch_back(process->options.store, process->options.gateway);
	int status = sim_workers_create(&options, &process->workers);
	if (!status)
		status = net_create(&net, &process->net);
	if (status)
		return status;
	process->outside = (struct outside){
		.disk = sim_disk_of_life(process->disk, &process->life),
		.workers = sim_workers_face(process->workers),
		.driven = true,
		.mono_ns = process_mono_ns(process),
		.unix_ns = process_unix_ns(process),
		.journal_power = process->options.durable,
		.journal_file_bytes = JOURNAL_BYTES_LEAST << process->options.seed % JOURNAL_BYTES_STEPS,
		.extensions = lent,
		.extension_count = sizeof lent / sizeof *lent,
		.ctx = process,
	};
	return TG_OK;
}

static const struct plugin_choice *exchange_of(const struct process_options *options)
{
	for (size_t i = 0; i < options->config->exchange_count; i++)
		if (strcmp(options->config->exchange[i].name, options->strategy->exchange) == 0)
			return &options->config->exchange[i];
	return NULL;
}

/* The store may have gone back behind the journal's beginning. */
static void lost_note(struct process *process)
{
	struct sim_store_standing standing = sim_store_stands(process->options.store, process->options.gateway);
	uint64_t first = model_first_position(process->gateway->keeper.model);
	if (standing.now < standing.furthest && first > 1)
		observer_store_lost(process->options.observer, process->options.gateway, standing.now,
				    standing.furthest, first);
}

static int gateway_begin(struct process *process, struct tg_error *ret_error)
{
	struct gateway_options options = {
		.config = process->options.config,
		.strategy = process->options.strategy,
		.exchange = exchange_of(&process->options),
		.registry = process->options.registry,
		.seed = process->options.seed + process->life.number,
		.events = {.ctx = process,
			   .start = on_start,
			   .decision = on_decision_news,
			   .order = on_order_news,
			   .fill = on_fill_news,
			   .cycle = on_cycle_news},
		.outside = &process->outside,
		.watch = {.ctx = process, .order = on_order, .cycle = on_cycle},
	};
	int status = gateway_open(&options, &process->gateway, ret_error);
	if (status)
		return status;
	process->began = journal_position(process->gateway->keeper.journal);
	lost_note(process);
	gateway_start(process->gateway); /* if it fails, the loop has stopped */
	return TG_OK;
}

static void on_end(void *ctx)
{
	struct process *process = ctx;
	gateway_end(process->gateway, "told to terminate (SIGTERM)");
}

/* It did not start: there is nothing to unwind but the life. */
static void start_failed(struct process *process, const struct tg_error *error)
{
	bool killed = kill_count(process);
	life_finish(process);
	if (killed)
		restart_after_crash(process);
	else
		restart_after_failure(process, error->message);
}

void process_start(struct process *process)
{
	struct tg_error error = tg_error_init();
	process->next_timer = 0;
	if (!process->booted)
		machine_boot(process);
	int status = life_begin(process);
	assert(status == TG_OK); /* memory */
	process_tell(process, "start %u", process->life.number);
	log_take(process);
	status = gateway_begin(process, &error);
	log_give();
	if (status) {
		start_failed(process, &error);
		return;
	}
	pass_judge(process);
	if (process->ending)
		process_enter(process, on_end, process);
}

/* ------------------------------------------------------------ the end of all */

static void on_stop_now(void *ctx)
{
	struct process *process = ctx;
	gateway_stop_now(process->gateway);
}

static void on_deadline(void *ctx)
{
	struct process *process = ctx;
	process->deadline_timer = 0;
	process_tell(process, "stop deadline");
	process_enter(process, on_stop_now, process);
}

/* Whoever tells it to end waits for so long as the file says; when it was left with open cycles and is started again,
 * for as long as it takes. */
void process_end(struct process *process)
{
	process->ending = true;
	process->failed_starts = 0;
	if (!process_lives(process))
		return;
	process_tell(process, "told to end");
	process_enter(process, on_end, process);
	if (process_lives(process))
		timer_set(process, &process->deadline_timer, process->options.config->stop_deadline_ms * MS,
			  on_deadline);
}

void process_second(struct process *process)
{
	int64_t jump_ms;
	if (!fault_strikes(process->options.ground->faults, FAULT_CLOCK_JUMP, process->options.gateway, &jump_ms))
		return;
	process->unix_skew_ns += jump_ms * MS;
	if (process->unix_skew_ns > UNIX_SKEW_MOST_NS || process->unix_skew_ns < -UNIX_SKEW_MOST_NS)
		process->unix_skew_ns = 0;
	process_tell(process, "clock off by %" PRId64 " ms", process->unix_skew_ns / MS);
}

/* ------------------------------------------------------------ create and destroy */

int process_create(const struct process_options *options, struct process **ret_process)
{
	struct process *process = calloc(1, sizeof *process);
	if (!process)
		return TG_ERR_NO_MEMORY;
	process->options = *options;
	process->watched = (struct watched){.books = options->books,
					    .observer = options->observer,
					    .gateway = options->gateway,
					    .streamed = options->streamed};
	snprintf(process->who, sizeof process->who, "g%u", options->gateway);
	/* up for 17 minutes to 11 days */
	process->mono_skew_ns = (int64_t)(1000 + options->seed % 1000000) * SECOND;
	int status = sim_disk_create(options->ground, options->gateway, &process->disk);
	if (!status && options->key)
		status = signing_open(options->key, &process->keys);
	if (status) {
		sim_disk_destroy(process->disk);
		free(process);
		return status;
	}
	*ret_process = process;
	return TG_OK;
}

void process_destroy(struct process *process)
{
	if (!process)
		return;
	timer_clear(process, &process->wake_timer);
	timer_clear(process, &process->next_timer);
	timer_clear(process, &process->deadline_timer);
	if (process->gateway) {
		process->life.dead = true;
		log_take(process);
		gateway_close(process->gateway);
		log_give();
		process->gateway = NULL;
		process->life.power_lost = false;
		life_finish(process);
	}
	sim_disk_destroy(process->disk);
	signing_close(process->keys);
	free(process);
}
