/* Commands that reach a running gateway through control.sock. Loop thread. */
#include <string.h>

#include "core/base/log.h"
#include "core/gateway.h"
#include "core/state/row_json.h"

static const char *const level_names[] = {"none", "cycles", "risk", "freeze"};

static const char *request_text(struct json_object *request, const char *key)
{
	struct json_object *value;
	if (!json_object_object_get_ex(request, key, &value) || !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

static int refuse(struct json_object *reply, const char *why)
{
	json_object_object_add(reply, "error", json_object_new_string(why));
	return TG_ERR_INVALID;
}

static int command_stop(struct gateway *gateway, struct json_object *request, struct json_object *reply)
{
	const char *level = request_text(request, "level");
	if (strcmp(level, "end") == 0) {
		log_info("stop.asked", LOG_S("level", level));
		gateway_end(gateway, "told to stop by command");
		return TG_OK;
	}
	for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++)
		if (strcmp(level, level_names[i]) == 0) {
			log_info("stop.asked", LOG_S("level", level));
			gateway_stop_level(gateway, (enum stop_level)i);
			return TG_OK;
		}
	return refuse(reply, "level must be end, none, cycles, risk or freeze");
}

static void number_put(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_int64((int64_t)number));
}

static void store_put(struct gateway *gateway, struct json_object *reply)
{
	struct json_object *store = json_object_new_object();
	struct writer_status writer;
	struct store_pool_status pool;
	struct cache_status cache;
	writer_status(gateway->keeper.writer, &writer);
	store_pool_status(gateway->store.pool, &pool);
	cache_status(gateway->store.cache, &cache);
	const char *error = writer.failing ? writer.error : pool.away ? pool.error : "";
	if (error[0])
		json_object_object_add(reply, "store_error", json_object_new_string(error));
	json_object_object_add(store, "behind", json_object_new_boolean(gateway->store_behind));
	number_put(store, "batches", writer.batches);
	number_put(store, "rows", writer.rows);
	number_put(store, "retries", writer.retries);
	number_put(store, "removed", writer.removed);
	number_put(store, "connections_open", pool.open);
	number_put(store, "connections_busy", pool.busy);
	number_put(store, "connections_opened", pool.opened);
	number_put(store, "connections_replaced", pool.replaced);
	number_put(store, "connections_recycled", pool.recycled);
	number_put(store, "connection_waits", pool.waits);
	number_put(store, "connection_timeouts", pool.timeouts);
	number_put(store, "cached_cycles", cache.cycles);
	number_put(store, "dirty_cycles", cache.dirty_cycles);
	number_put(store, "dirty_rows", cache.dirty_rows);
	number_put(store, "cache_hits", cache.hits);
	number_put(store, "cache_misses", cache.misses);
	number_put(store, "cache_evictions", cache.evictions);
	number_put(reply, "store_position", writer.applied_position);
	json_object_object_add(reply, "store", store);
}

static int command_status(struct gateway *gateway, struct json_object *reply)
{
	struct json_object *summary = gateway_summary(gateway);
	json_object_object_del(summary, "event");
	json_object_object_del(summary, "reason");
	json_object_object_add(reply, "version", json_object_new_string(TRIGATE_VERSION));
	json_object_object_add(reply, "strategy", json_object_new_string(gateway->options.strategy->name));
	json_object_object_add(reply, "exchange", json_object_new_string(gateway->options.exchange->name));
	json_object_object_add(reply, "link", json_object_new_string(gateway->executor.link_up ? "up" : "down"));
	json_object_object_add(reply, "stop_level", json_object_new_string(level_names[gateway->stop_level]));
	json_object_object_add(reply, "ending", json_object_new_boolean(gateway->stopping));
	gateway_slots_tell(gateway, reply);
	json_object_object_foreach(summary, key, value) json_object_object_add(reply, key, json_object_get(value));
	number_put(reply, "journal_position", journal_position(gateway->keeper.journal));
	json_object_object_add(reply, "journal", gateway_journal_json(gateway));
	store_put(gateway, reply);
	if (gateway->executor.settings.parks)
		json_object_object_add(reply, "parked", json_object_new_int64(gateway->executor.parked.count));
	json_object_put(summary);
	return TG_OK;
}

static struct json_object *number_of(struct tg_decimal unit, int64_t count)
{
	char text[TG_DECIMAL_TEXT_MAX];
	const struct tg_decimal value = {unit.mantissa * count, unit.scale, 0}; /* as the connector gave it */
	return json_object_new_string_len(text, (int)tg_decimal_format(value, text, sizeof text));
}

/* [["price","quantity"], ...], best first */
static struct json_object *levels_of(const struct market *market, const struct level *levels, uint32_t count)
{
	struct json_object *list = json_object_new_array_ext((int)count);
	for (uint32_t i = 0; i < count; i++) {
		struct json_object *level = json_object_new_array_ext(2);
		json_object_array_add(level, number_of(market->tick, levels[i].ticks));
		json_object_array_add(level, number_of(market->lot, levels[i].lots));
		json_object_array_add(list, level);
	}
	return list;
}

static int command_book(struct gateway *gateway, struct json_object *request, struct json_object *reply)
{
	const char *symbol = request_text(request, "market");
	uint32_t id = markets_find(gateway->markets, (struct tg_str){symbol, strlen(symbol)});
	if (id == MARKET_NONE)
		return refuse(reply, "market must be a symbol of the exchange");
	const struct market *market = &gateway->markets->market[id];
	const struct book *book = &market->book;
	json_object_object_add(reply, "sequence", json_object_new_uint64(book->sequence));
	json_object_object_add(reply, "synced", json_object_new_boolean(book->synced));
	json_object_object_add(reply, "bids", levels_of(market, book->bids, book->bid_count));
	json_object_object_add(reply, "asks", levels_of(market, book->asks, book->ask_count));
	return TG_OK;
}

/* ------------------------------------------------------------ one cycle */

static void model_cycle_add(struct gateway *gateway, const struct row *row, struct cycle_json *into)
{
	struct row_shown shown;
	row_show(row, gateway->options.config->gateway_id, &shown);
	cycle_json_add(into, shown.record.kind, shown.record.row);
}

/* One that is in memory, as the store will have it. */
static struct json_object *model_cycle_json(struct gateway *gateway, const struct cycle *cycle)
{
	struct cycle_json into = {NULL};
	struct row row;
	row_of_cycle(cycle, ROW_FULL, gateway->keeper.strategy, gateway->keeper.exchange, &row);
	model_cycle_add(gateway, &row, &into);
	for (const struct order *order = cycle->orders; order; order = order->next) {
		row_of_order(order, ROW_FULL, &row);
		model_cycle_add(gateway, &row, &into);
		for (const struct fill *fill = order->fills; fill; fill = fill->next) {
			row_of_fill(order, fill, &row);
			model_cycle_add(gateway, &row, &into);
		}
	}
	return into.cycle;
}

/* One of this gateway may be named without it, as its journal does. */
static struct json_object *cycle_in_memory(struct gateway *gateway, const char *id, char store_id[READER_ID_MAX])
{
	const char *own = gateway->options.config->gateway_id;
	struct cycle_key key;
	snprintf(store_id, READER_ID_MAX, "%s", id);
	if (cycle_key_parse(id, &key))
		return NULL;
	if (id[GATEWAY_ID_LEN] == '-' && strncmp(id, own, GATEWAY_ID_LEN) != 0)
		return NULL;
	cycle_id_format(own, key, store_id);
	const struct cycle *cycle = model_cycle(gateway->keeper.model, key);
	return cycle ? model_cycle_json(gateway, cycle) : NULL;
}

/* {"cycle":...}, or {"pending":true}: it is looked up, ask again. */
static int command_cycle(struct gateway *gateway, struct json_object *request, struct json_object *reply)
{
	char id[READER_ID_MAX];
	struct tg_error error = tg_error_init();
	struct json_object *cycle = cycle_in_memory(gateway, request_text(request, "id"), id);
	int status = cycle ? TG_OK : reader_cycle(gateway->store.reader, id, &cycle, &error);
	json_object_object_add(reply, "pending", json_object_new_boolean(status == TG_PENDING));
	if (cycle)
		json_object_object_add(reply, "cycle", cycle);
	if (status < 0)
		json_object_object_add(reply, "error", json_object_new_string(error.message));
	/* to the server that would mean that there is no such command */
	return status == TG_PENDING ? TG_OK : status == TG_ERR_NOT_FOUND ? TG_ERR_INVALID : status;
}

int gateway_command(void *ctx, const char *command, struct json_object *request, struct json_object *reply)
{
	if (strcmp(command, "stop") == 0)
		return command_stop(ctx, request, reply);
	if (strcmp(command, "status") == 0)
		return command_status(ctx, reply);
	if (strcmp(command, "cycle") == 0)
		return command_cycle(ctx, request, reply);
	if (strcmp(command, "book") == 0)
		return command_book(ctx, request, reply);
	return TG_ERR_NOT_FOUND;
}
