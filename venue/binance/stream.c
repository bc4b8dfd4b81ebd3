/* Market stream connections: names of streams, SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venue/binance/state.h"

static const struct {
	const char *suffix;
	enum stream_kind kind;
} suffixes[] = {
	{"bookTicker", STREAM_TICKER},        {"depth", STREAM_DEPTH},
	{"depth@100ms", STREAM_DEPTH_FAST},   {"depth5", STREAM_TOP5},
	{"depth5@100ms", STREAM_TOP5_FAST},   {"depth10", STREAM_TOP10},
	{"depth10@100ms", STREAM_TOP10_FAST}, {"depth20", STREAM_TOP20},
	{"depth20@100ms", STREAM_TOP20_FAST},
};

/* A name that means nothing here is taken all the same, as Binance does: nothing ever comes on it. */
bool stream_parse(const struct binance *binance, struct tg_str name, struct stream *ret_stream)
{
	*ret_stream = (struct stream){.market = UINT32_MAX};
	if (!name.len || name.len >= sizeof ret_stream->name)
		return false;
	memcpy(ret_stream->name, name.ptr, name.len);
	const char *at = memchr(name.ptr, '@', name.len);
	if (!at)
		return true;
	size_t length = (size_t)(at - name.ptr);
	const struct symbol *symbol = symbols_find_stream(&binance->symbols, (struct tg_str){name.ptr, length});
	for (size_t i = 0; symbol && i < sizeof suffixes / sizeof suffixes[0]; i++) {
		if (strcmp(ret_stream->name + length + 1, suffixes[i].suffix) != 0)
			continue;
		ret_stream->market = symbol->market;
		ret_stream->kind = suffixes[i].kind;
	}
	return true;
}

static uint32_t stream_find(const struct connection *connection, const char *name)
{
	uint32_t at = 0;
	while (at < connection->stream_count && strcmp(connection->stream[at].name, name) != 0)
		at++;
	return at;
}

static bool room_make(struct connection *connection)
{
	if (connection->stream_count < connection->stream_capacity)
		return true;
	uint32_t capacity = connection->stream_capacity ? 2 * connection->stream_capacity : 16;
	struct stream *grown = realloc(connection->stream, capacity * sizeof *grown);
	if (!grown)
		return false;
	connection->stream = grown;
	connection->stream_capacity = capacity;
	return true;
}

bool stream_add(struct binance *binance, struct connection *connection, struct tg_str name)
{
	struct stream stream;
	if (!stream_parse(binance, name, &stream))
		return false;
	if (stream_find(connection, stream.name) < connection->stream_count)
		return true;
	if (connection->stream_count >= STREAMS_MAX || !room_make(connection))
		return false;
	if (stream.market != UINT32_MAX && !feed_subscribe(binance, stream.market, connection, stream.kind))
		return false;
	connection->stream[connection->stream_count++] = stream;
	return true;
}

static void stream_remove(struct binance *binance, struct connection *connection, const char *name)
{
	uint32_t at = stream_find(connection, name);
	if (at == connection->stream_count)
		return;
	struct stream *stream = &connection->stream[at];
	if (stream->market != UINT32_MAX)
		feed_unsubscribe(binance, stream->market, connection, stream->kind);
	memmove(stream, stream + 1, (--connection->stream_count - at) * sizeof *stream);
}

void streams_drop(struct binance *binance, struct connection *connection)
{
	for (uint32_t i = 0; i < connection->stream_count; i++)
		if (connection->stream[i].market != UINT32_MAX)
			feed_unsubscribe(binance, connection->stream[i].market, connection, connection->stream[i].kind);
	free(connection->stream);
	connection->stream = NULL;
	connection->stream_count = connection->stream_capacity = 0;
}

/* --------------------------------------------------------------- messages */

static void id_write(struct text *out, struct json_object *id)
{
	member_raw(out, "id", id ? json_object_to_json_string_ext(id, JSON_C_TO_STRING_PLAIN) : "null");
}

void stream_error(struct binance *binance, struct connection *connection, int32_t code, const char *text,
		  struct json_object *id)
{
	struct text *push = &binance->push;
	text_clear(push);
	text_put(push, "{\"error\":{");
	member_number(push, "code", code);
	member_str(push, "msg", (struct tg_str){text, strlen(text)});
	text_put(push, "}");
	id_write(push, id);
	text_put(push, "}");
	push_to(binance, connection, push);
}

static void answer(struct binance *binance, struct connection *connection, struct json_object *id, bool list)
{
	struct text *push = &binance->push;
	text_clear(push);
	text_put(push, "{\"result\":");
	text_put(push, list ? "[" : "null");
	for (uint32_t i = 0; list && i < connection->stream_count; i++) {
		member_next(push);
		text_quote(push, (struct tg_str){connection->stream[i].name, strlen(connection->stream[i].name)});
	}
	text_put(push, list ? "]" : "");
	id_write(push, id);
	text_put(push, "}");
	push_to(binance, connection, push);
}

static bool id_is_valid(struct json_object *id)
{
	return !id || json_object_is_type(id, json_type_int) ||
	       (json_object_is_type(id, json_type_string) && json_object_get_string_len(id) <= 36);
}

/* Every name is looked at before the first one is taken. */
static const char *names_check(struct json_object *params)
{
	if (!json_object_is_type(params, json_type_array))
		return "Invalid request: missing field `params`";
	size_t count = json_object_array_length(params);
	for (size_t i = 0; i < count; i++) {
		struct json_object *name = json_object_array_get_idx(params, i);
		int length = json_object_is_type(name, json_type_string) ? json_object_get_string_len(name) : 0;
		if (length < 1 || length >= STREAM_NAME_MAX || strlen(json_object_get_string(name)) != (size_t)length)
			return "Invalid request: invalid stream";
	}
	return NULL;
}

static void names_apply(struct binance *binance, struct connection *connection, struct json_object *params, bool add,
			struct json_object *id)
{
	const char *wrong = names_check(params);
	size_t count = wrong ? 0 : json_object_array_length(params);
	for (size_t i = 0; i < count && !wrong; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(params, i));
		if (!add)
			stream_remove(binance, connection, name);
		else if (!stream_add(binance, connection, (struct tg_str){name, strlen(name)}))
			wrong = "Invalid request: too many streams";
	}
	if (wrong)
		stream_error(binance, connection, 2, wrong, id);
	else
		answer(binance, connection, id, false);
}

void stream_message(struct binance *binance, struct connection *connection, struct json_object *json)
{
	struct json_object *id = NULL, *method = NULL, *params = NULL;
	json_object_object_get_ex(json, "id", &id);
	json_object_object_get_ex(json, "method", &method);
	json_object_object_get_ex(json, "params", &params);
	const char *name = json_object_is_type(method, json_type_string) ? json_object_get_string(method) : "";
	if (!id_is_valid(id))
		stream_error(binance, connection, 2,
			     "Invalid request: request ID must be an unsigned integer or a short string", NULL);
	else if (strcmp(name, "SUBSCRIBE") == 0 || strcmp(name, "UNSUBSCRIBE") == 0)
		names_apply(binance, connection, params, name[0] == 'S', id);
	else if (strcmp(name, "LIST_SUBSCRIPTIONS") == 0)
		answer(binance, connection, id, true);
	else
		stream_error(binance, connection, 2,
			     "Invalid request: unknown variant, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
			     "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`",
			     id);
}
