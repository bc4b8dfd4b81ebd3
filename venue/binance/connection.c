/* WebSocket connections: pings, missing pongs, age, ends. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venue/binance/state.h"

#define JSON_DEPTH_MAX 8
#define NOTICE_PARTS 144 /* serverShutdown comes this part of a life before its end: ten minutes of 24 hours */

struct connection *connection_find(const struct binance *binance, uint64_t id)
{
	struct connection *at = binance->connections;
	while (at && at->id != id)
		at = at->next;
	return at;
}

void connection_forget(struct binance *binance, struct connection *connection)
{
	struct connection **at = &binance->connections;
	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	streams_drop(binance, connection);
	free(connection);
}

void connection_end(struct binance *binance, struct connection *connection, int32_t code, const char *reason)
{
	uint64_t id = connection->id;
	connection_forget(binance, connection);
	binance->options.sink.close(binance->options.sink.ctx, id, code, reason);
}

void push_to(struct binance *binance, const struct connection *connection, const struct text *text)
{
	if (text->failed)
		binance->broken = TG_ERR_NO_MEMORY;
	else
		binance->options.sink.text(binance->options.sink.ctx, connection->id, text->ptr, text->used);
}

bool json_read(const char *bytes, size_t size, struct json_object **ret_json)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	*ret_json = NULL;
	if (!tokener || size > HTTP_BODY_MAX) {
		json_tokener_free(tokener);
		return false;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *json = json_tokener_parse_ex(tokener, bytes, (int)size);
	bool good = json && json_tokener_get_error(tokener) == json_tokener_success &&
		    json_tokener_get_parse_end(tokener) == size;
	json_tokener_free(tokener);
	if (!good)
		json_object_put(json);
	else
		*ret_json = json;
	return good;
}

/* ------------------------------------------------------------------ time */

static void end_announce(struct binance *binance, struct connection *connection)
{
	struct text *push = &binance->push;
	connection->end_told = true;
	text_clear(push);
	if (connection->kind == CONNECTION_COMBINED)
		text_put(push, "{\"stream\":\"!serverShutdown\",\"data\":");
	if (connection->kind == CONNECTION_API)
		text_put(push, "{\"event\":");
	text_put(push, "{\"e\":\"serverShutdown\"");
	member_number(push, "E", clock_ms(binance));
	text_put(push, connection->kind == CONNECTION_RAW ? "}" : "}}");
	push_to(binance, connection, push);
}

static void ping(struct binance *binance, struct connection *connection, int64_t now)
{
	char payload[24];
	int length = snprintf(payload, sizeof payload, "%lld", (long long)clock_ms(binance));
	connection->pinged_ms = now;
	if (!connection->unanswered_ms)
		connection->unanswered_ms = now;
	binance->options.sink.ping(binance->options.sink.ctx, connection->id, payload, (size_t)length);
}

void connections_pace(struct binance *binance)
{
	const struct binance_options *options = &binance->options;
	int64_t now = binance->unix_ns / 1000000, life = options->connection_life_ms;
	for (struct connection *at = binance->connections, *next; at; at = next) {
		next = at->next;
		int64_t age = now - at->opened_unix_ms;
		if (age >= life) {
			connection_end(binance, at, 1001, "24 hours are over");
			continue;
		}
		if (at->unanswered_ms && now - at->unanswered_ms >= options->pong_wait_ms) {
			connection_end(binance, at, 1008, "Pong timeout");
			continue;
		}
		if (!at->end_told && age >= life - life / NOTICE_PARTS)
			end_announce(binance, at);
		if (now - at->pinged_ms >= options->ping_ms)
			ping(binance, at, now);
	}
}
