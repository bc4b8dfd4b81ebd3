/* The journal's upkeep. When it cannot be written trading stops, it is tried again, trading goes on; files that are
 * needed no more go. Loop thread. */
#include <string.h>

#include "core/base/log.h"
#include "core/gateway.h"

#define RETRY_NS INT64_C(1000000000)

static void on_retry(void *ctx);

static void stall_tell(struct gateway *gateway)
{
	if (!gateway->journal_stalled)
		log_error("journal.stalled", LOG_S("error", gateway->keeper.error.message),
			  LOG_S("note", "nothing is sent until it can be written, which is tried each second"));
	gateway->journal_stalled = true;
	if (gateway->journal_timer == 0) /* where no timer is left the end of the next pass tries again */
		loop_timer_start(gateway->loop, RETRY_NS, on_retry, gateway, &gateway->journal_timer);
}

static void stall_end(struct gateway *gateway)
{
	log_info("journal.resumed", LOG_I("position", journal_position(gateway->keeper.journal)));
	gateway->journal_stalled = false;
	if (gateway->executor.link_up)
		executor_on_link(&gateway->executor, true); /* what waited goes on */
}

static void on_retry(void *ctx)
{
	struct gateway *gateway = ctx;
	gateway->journal_timer = 0;
	if (keeper_retry(&gateway->keeper))
		stall_end(gateway);
	else
		gateway_check_journal(gateway);
}

int gateway_check_journal(struct gateway *gateway)
{
	const struct keeper *keeper = &gateway->keeper;
	if (keeper->stalled) {
		stall_tell(gateway);
	} else if (keeper->failed && gateway->failure.code == 0) {
		log_error("journal.failed", LOG_S("error", keeper->error.message));
		gateway_fail(gateway, keeper->error.code, &keeper->error);
	}
	return gateway->failure.code;
}

void gateway_end_journal(struct gateway *gateway)
{
	if (!gateway->keeper.stalled || keeper_retry(&gateway->keeper) || gateway->failure.code != 0)
		return;
	struct tg_error error = tg_error_init();
	tg_error_set(&error, TG_ERR_IO, "%s, then start again: what came in last is asked for then",
		     gateway->keeper.error.message);
	log_error("journal.failed", LOG_S("error", error.message));
	gateway_fail(gateway, error.code, &error);
}

/* ------------------------------------------------------------ trimming */

/* On the trimmer's worker. */
static int store_durable(void *ctx, uint64_t *ret_position, struct tg_error *ret_error)
{
	struct gateway *gateway = ctx;
	struct store_pool *pool = gateway->store.pool;
	const char *id = gateway->options.config->gateway_id;
	void *backend;
	int status = store_pool_take(pool, "the journal's trimmer", &backend, ret_error);
	if (status)
		return status;
	status = store_pool_api(pool)->durable_position(backend, (struct tg_str){id, strlen(id)}, ret_position,
							ret_error);
	store_pool_give(pool, backend, status);
	return status;
}

int gateway_trimmer_open(struct gateway *gateway, struct tg_error *ret_error)
{
	const struct trimmer_options options = {
		.workers = gateway->options.outside->workers, .durable = store_durable, .ctx = gateway};
	if (trimmer_start(&options, &gateway->trimmer))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "cannot start the journal's trimmer");
	return TG_OK;
}

/* ------------------------------------------------------------ status */

struct json_object *gateway_journal_json(struct gateway *gateway)
{
	const struct keeper *keeper = &gateway->keeper;
	struct json_object *object = json_object_new_object();
	struct journal_status status;
	journal_status(keeper->journal, &status);
	const char *state = keeper->failed ? "failed" : keeper->stalled ? "stalled" : "ok";
	json_object_object_add(object, "state", json_object_new_string(state));
	json_object_object_add(object, "first_file", json_object_new_int64(status.first_file));
	json_object_object_add(object, "files", json_object_new_int64(status.files));
	if (keeper->failed || keeper->stalled) {
		json_object_object_add(object, "waiting_bytes", json_object_new_int64((int64_t)status.waiting_bytes));
		json_object_object_add(object, "error", json_object_new_string(keeper->error.message));
	}
	const struct cycle *cycle = trimmer_held_by(keeper);
	if (cycle) {
		char id[CYCLE_ID_MAX];
		cycle_key_format(cycle->key, id);
		json_object_object_add(object, "held_by", json_object_new_string(id));
	}
	return object;
}
