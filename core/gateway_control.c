/* Commands that reach a running gateway through control.sock. Loop thread. */
#include <string.h>

#include "core/base/log.h"
#include "core/gateway.h"

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
	json_object_object_add(reply, "slots_used", json_object_new_int64(gateway->slots.used));
	json_object_object_add(reply, "slots", json_object_new_int64(gateway->slots.count));
	json_object_object_foreach(summary, key, value) json_object_object_add(reply, key, json_object_get(value));
	struct writer_status store;
	writer_status(gateway->keeper.writer, &store);
	json_object_object_add(reply, "journal_position",
			       json_object_new_int64((int64_t)journal_position(gateway->keeper.journal)));
	json_object_object_add(reply, "journal", gateway_journal_json(gateway));
	json_object_object_add(reply, "store_position", json_object_new_int64((int64_t)store.applied_position));
	if (store.failing)
		json_object_object_add(reply, "store_error", json_object_new_string(store.error));
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

int gateway_command(void *ctx, const char *command, struct json_object *request, struct json_object *reply)
{
	if (strcmp(command, "stop") == 0)
		return command_stop(ctx, request, reply);
	if (strcmp(command, "status") == 0)
		return command_status(ctx, reply);
	if (strcmp(command, "book") == 0)
		return command_book(ctx, request, reply);
	return TG_ERR_NOT_FOUND;
}
