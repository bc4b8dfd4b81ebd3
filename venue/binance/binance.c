#include "venue/binance/binance.h"

#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venue/binance/state.h"

struct binance_options binance_options_default(void)
{
	return (struct binance_options){
		.limits = {.weight_minute = 6000,
			   .orders_10s = 100,
			   .orders_day = 200000,
			   .connections_5m = 300,
			   .patience = 20,
			   .ban_ms = 120000, /* "IP bans scale from 2 minutes to 3 days" (REST API, limits) */
			   .ban_most_ms = INT64_C(3) * 86400 * 1000},
		.connection_life_ms = INT64_C(86400000),
		.ping_ms = 20000,
		.pong_wait_ms = 60000,
		.messages_per_second = 5,
	};
}

/* ----------------------------------------------------------- open, close */

int32_t binance_open(struct binance_options *options, struct venue *venue, int64_t unix_ns,
		     struct binance **ret_binance, struct tg_error *ret_error)
{
	struct binance *binance = calloc(1, sizeof *binance);
	if (!binance || sodium_init() < 0) {
		keys_finish(&options->keys);
		free(binance);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the venue's API");
	}
	binance->options = *options;
	options->keys = (struct keys){0};
	binance->venue = venue;
	binance->unix_ns = unix_ns;
	binance->quota.limits = options->limits;
	binance->gap_market = UINT32_MAX;
	snprintf(binance->fee_currency, sizeof binance->fee_currency, "%.*s", (int)options->fee_currency.len,
		 options->fee_currency.len ? options->fee_currency.ptr : "");
	binance->level = calloc(DEPTH_MAX, sizeof *binance->level);
	if (!binance->level || symbols_init(&binance->symbols, venue_engine(venue)) != TG_OK ||
	    feeds_init(binance) != TG_OK) {
		binance_close(binance);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the venue's API");
	}
	venue_events_clear(venue);
	feeds_notice(binance);
	*ret_binance = binance;
	return TG_OK;
}

void binance_close(struct binance *binance)
{
	if (!binance)
		return;
	while (binance->connections)
		connection_forget(binance, binance->connections);
	feeds_finish(binance);
	symbols_finish(&binance->symbols);
	keys_finish(&binance->options.keys);
	text_finish(&binance->push);
	free(binance->level);
	free(binance);
}

static void call_time(struct binance *binance, int64_t unix_ns)
{
	if (unix_ns > binance->unix_ns)
		binance->unix_ns = unix_ns;
}

/* What a request changed goes out before its call returns. */
static void changes_push(struct binance *binance)
{
	user_events(binance);
	feeds_notice(binance);
}

/* ------------------------------------------------------------------ calls */

/* Run it through the faults that were asked for. False: the connection is to be cut. */
static bool call_answer(struct call *call)
{
	struct binance *binance = call->binance;
	int64_t now = clock_ms(binance);
	const struct fault *fault = fault_take(binance, call->endpoint);
	if (fault && fault->kind == FAULT_LOST_BEFORE)
		return false;
	if (fault && fault->kind == FAULT_LIMIT) {
		call->retry_ms = 1000;
		fail(call, FAIL_WEIGHT, "0", "1 MINUTE");
	} else if (fault && fault->kind == FAULT_BAN) {
		char until[24];
		int64_t end = quota_ban(&binance->quota, quota_peer(&binance->quota, call->address, now), now);
		call->retry_ms = end - now;
		snprintf(until, sizeof until, "%lld", (long long)end);
		fail(call, FAIL_BANNED, until, NULL);
	} else if (!fault || fault->kind == FAULT_LOST_AFTER || fault->done) {
		call_run(call);
	}
	if (fault && fault->kind == FAULT_ERROR)
		fail(call, fault->failure, NULL, NULL);
	return !fault || fault->kind != FAULT_LOST_AFTER;
}

static void error_write(struct text *out, const struct failure *failure)
{
	text_put(out, "{");
	member_number(out, "code", failure->code);
	member_str(out, "msg", (struct tg_str){failure->text, strlen(failure->text)});
	text_put(out, "}");
}

/* ------------------------------------------------------------------- REST */

/* Since 2026-01-15 a payload has to be percent-encoded before it is signed; else the signature is not valid. */
static bool is_clean(struct tg_str payload)
{
	for (size_t i = 0; i < payload.len; i++) {
		unsigned char c = (unsigned char)payload.ptr[i];
		if (c <= ' ' || c >= 127 || strchr("\"<>[]{}|\\^`", c))
			return false;
	}
	return true;
}

/* Take `signature=...` off the end. */
static bool signature_cut(struct tg_str *text)
{
	static const char name[] = "signature=";
	size_t at = text->len;
	while (at > 0 && text->ptr[at - 1] != '&')
		at--;
	if (text->len - at < sizeof name - 1 || memcmp(text->ptr + at, name, sizeof name - 1) != 0)
		return false;
	text->len = at ? at - 1 : 0;
	return true;
}

static void payload_take(struct call *call, const struct http_request *request)
{
	struct tg_str query = request->query, body = request->body;
	bool is_last = signature_cut(body.len ? &body : &query) || (body.len && signature_cut(&query));
	call->signature = parameters_get(&call->parameters, "signature");
	text_add(&call->payload, query.ptr, query.len);
	text_add(&call->payload, body.ptr, body.len);
	call->payload_is_clean = is_last && is_clean(query) && is_clean(body);
}

static const struct endpoint *endpoint_of_request(const struct http_request *request)
{
	for (uint32_t i = 0; i < endpoint_count; i++)
		if (endpoints[i].path && str_is(request->path, endpoints[i].path) &&
		    str_is(request->method, endpoints[i].verb))
			return &endpoints[i];
	return NULL;
}

static void http_write(struct text *out, const struct http_request *request, int32_t status, const struct text *headers,
		       const struct text *body)
{
	text_format(out, "HTTP/1.1 %d %s\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: %zu\r\n",
		    status, http_status_text(status), body->used);
	text_add(out, headers->ptr, headers->used);
	text_put(out, request->keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
	text_add(out, body->ptr, body->used);
}

static void headers_write(const struct call *call, struct text *out)
{
	struct binance *binance = call->binance;
	const struct quota_peer *peer = quota_peer(&binance->quota, call->address, clock_ms(binance));
	text_format(out, "X-MBX-USED-WEIGHT: %lld\r\nX-MBX-USED-WEIGHT-1M: %lld\r\n", (long long)peer->weight,
		    (long long)peer->weight);
	if (call->endpoint->run == order_place_run)
		text_format(out, "X-MBX-ORDER-COUNT-10S: %lld\r\nX-MBX-ORDER-COUNT-1D: %lld\r\n",
			    (long long)binance->quota.orders_10s, (long long)binance->quota.orders_day);
	if (call->failure.kind && call->retry_ms)
		text_format(out, "Retry-After: %lld\r\n", (long long)(call->retry_ms + 999) / 1000);
}

static void http_answer(struct call *call, const struct http_request *request, struct text *ret_answer)
{
	struct text headers = {0};
	if (call->failure.kind) {
		text_clear(call->result);
		error_write(call->result, &call->failure);
	}
	if (call->endpoint)
		headers_write(call, &headers);
	http_write(ret_answer, request, call->failure.kind ? call->failure.status : 200, &headers, call->result);
	text_finish(&headers);
}

static void control_answer(struct call *call, const struct http_request *request)
{
	if (!call->binance->options.control) {
		fail(call, FAIL_UNSUPPORTED, NULL, NULL);
		call->failure.status = 404;
	} else {
		control_run(call->binance, request, call->result, &call->failure);
	}
}

bool binance_http(struct binance *binance, int64_t unix_ns, uint64_t address, const struct http_request *request,
		  struct text *ret_answer)
{
	struct text body = {0};
	struct call call = {.binance = binance, .address = address, .result = &body};
	bool answered = true;
	call_time(binance, unix_ns);
	call.endpoint = endpoint_of_request(request);
	call.api_key = http_header(request, "X-MBX-APIKEY");
	if (request->path.len > 9 && memcmp(request->path.ptr, "/control/", 9) == 0) {
		control_answer(&call, request);
	} else if (!call.endpoint) {
		fail(&call, FAIL_UNSUPPORTED, NULL, NULL);
		call.failure.status = 404;
	} else if (parameters_parse(&call.parameters, request->query, request->body, &call.failure)) {
		payload_take(&call, request);
		answered = call_answer(&call);
	}
	changes_push(binance);
	if (answered)
		http_answer(&call, request, ret_answer);
	parameters_finish(&call.parameters);
	text_finish(&call.payload);
	text_finish(&body);
	return answered && !ret_answer->failed;
}

/* ---------------------------------------------------------- WebSocket API */

static void api_write(struct call *call, struct json_object *id, bool limits)
{
	struct binance *binance = call->binance;
	struct text *push = &binance->push;
	const struct failure *failure = &call->failure;
	text_clear(push);
	text_put(push, "{");
	member_raw(push, "id", id ? json_object_to_json_string_ext(id, JSON_C_TO_STRING_PLAIN) : "null");
	member_number(push, "status", failure->kind ? failure->status : 200);
	member_key(push, failure->kind ? "error" : "result");
	if (!failure->kind) {
		text_add(push, call->result->ptr, call->result->used);
	} else {
		text_put(push, "{");
		member_number(push, "code", failure->code);
		member_str(push, "msg", (struct tg_str){failure->text, strlen(failure->text)});
		if (call->retry_ms) {
			text_put(push, ",\"data\":{");
			member_number(push, "serverTime", clock_ms(binance));
			member_number(push, "retryAfter", clock_ms(binance) + call->retry_ms);
			text_put(push, "}");
		}
		text_put(push, "}");
	}
	if (limits) {
		bool orders = call->endpoint && call->endpoint->run == order_place_run;
		member_key(push, "rateLimits");
		rate_limits_write(binance, push, quota_peer(&binance->quota, call->address, clock_ms(binance)), orders);
	}
	text_put(push, "}");
	push_to(binance, call->connection, push);
}

static bool api_take(struct call *call, struct json_object *json, struct json_object **ret_id)
{
	struct json_object *method = NULL, *params = NULL;
	if (!json_object_is_type(json, json_type_object))
		return fail(call, FAIL_JSON, NULL, NULL);
	json_object_object_get_ex(json, "id", ret_id);
	json_object_object_get_ex(json, "method", &method);
	json_object_object_get_ex(json, "params", &params);
	bool id_is_valid =
		!*ret_id || json_object_is_type(*ret_id, json_type_int) ||
		(json_object_is_type(*ret_id, json_type_string) && json_object_get_string_len(*ret_id) <= 36);
	if (!id_is_valid) {
		*ret_id = NULL;
		return fail(call, FAIL_ILLEGAL, "id", "^[a-zA-Z0-9-_]{1,36}$");
	}
	if (!json_object_is_type(method, json_type_string))
		return fail(call, FAIL_MANDATORY, "method", NULL);
	const char *name = json_object_get_string(method);
	call->endpoint = endpoint_of_method((struct tg_str){name, strlen(name)});
	if (!call->endpoint)
		return fail(call, FAIL_UNSUPPORTED, NULL, NULL);
	if (!params)
		return true;
	if (!json_object_is_type(params, json_type_object))
		return fail(call, FAIL_JSON, NULL, NULL);
	return parameters_take(&call->parameters, params, &call->failure);
}

static void api_message(struct binance *binance, struct connection *connection, const char *bytes, size_t size)
{
	struct text result = {0};
	struct json_object *json = NULL, *id = NULL;
	bool limits = true, answered = true;
	uint64_t number = connection->id;
	struct call call = {.binance = binance,
			    .connection = connection,
			    .address = connection->address,
			    .result = &result,
			    .payload_is_clean = true};
	if (!json_read(bytes, size, &json)) {
		fail(&call, FAIL_JSON, NULL, NULL);
	} else if (api_take(&call, json, &id)) {
		call.api_key = parameters_get(&call.parameters, "apiKey");
		call.signature = parameters_get(&call.parameters, "signature");
		parameters_payload(&call.parameters, &call.payload);
		if (parameter_bool(&call.parameters, "returnRateLimits", &limits, &call.failure))
			answered = call_answer(&call);
	}
	if (answered)
		api_write(&call, id, limits);
	changes_push(binance);
	if (!answered && connection_find(binance, number) == connection)
		connection_end(binance, connection, 0, "");
	json_object_put(json);
	parameters_finish(&call.parameters);
	text_finish(&call.payload);
	text_finish(&result);
}

/* ------------------------------------------------------------ connections */

#define API_PATH "/ws-api/v3"
#define RAW_PATH "/ws"
#define COMBINED_PATH "/stream"

/* The streams that the address names already: a/b/c. */
static bool names_subscribe(struct binance *binance, struct connection *connection, struct tg_str names)
{
	while (names.len) {
		const char *slash = memchr(names.ptr, '/', names.len);
		size_t length = slash ? (size_t)(slash - names.ptr) : names.len;
		if (length && !stream_add(binance, connection, (struct tg_str){names.ptr, length}))
			return false;
		names.ptr += length + (slash != NULL);
		names.len -= length + (slash != NULL);
	}
	return true;
}

static bool path_take(struct binance *binance, struct connection *connection, const struct http_request *request)
{
	struct parameters parameters = {0};
	struct failure failure = {0};
	struct tg_str path = request->path;
	bool good = parameters_parse(&parameters, request->query, (struct tg_str){"", 0}, &failure);
	if (good && str_is(path, API_PATH)) {
		connection->kind = CONNECTION_API;
	} else if (good && str_is(path, COMBINED_PATH)) {
		connection->kind = CONNECTION_COMBINED;
		good = names_subscribe(binance, connection, parameters_get(&parameters, "streams"));
	} else if (good && path.len >= 3 && memcmp(path.ptr, RAW_PATH, 3) == 0 &&
		   (path.len == 3 || path.ptr[3] == '/')) {
		connection->kind = CONNECTION_RAW;
		good = names_subscribe(binance, connection, (struct tg_str){path.ptr + 3, path.len - 3});
	} else {
		good = false;
	}
	parameters_finish(&parameters);
	return good;
}

static int32_t connection_admit(struct binance *binance, uint64_t address, bool is_api)
{
	int64_t now = clock_ms(binance), wait = 0;
	struct quota_peer *peer = quota_peer(&binance->quota, address, now);
	if (!quota_connect(&binance->quota, peer, now))
		return peer->banned_until_ms > now ? 418 : 429;
	switch (is_api ? quota_spend(&binance->quota, peer, 2, now, &wait) : QUOTA_FREE) {
	case QUOTA_SLOW: return 429;
	case QUOTA_BANNED: return 418;
	default: return 101;
	}
}

int32_t binance_connected(struct binance *binance, int64_t unix_ns, uint64_t id, uint64_t address,
			  const struct http_request *request)
{
	call_time(binance, unix_ns);
	int32_t verdict = connection_admit(binance, address, str_is(request->path, API_PATH));
	if (verdict != 101)
		return verdict;
	struct connection *connection = calloc(1, sizeof *connection);
	if (!connection)
		return 503;
	int64_t host_ms = binance->unix_ns / 1000000;
	*connection = (struct connection){.id = id,
					  .address = address,
					  .opened_ms = clock_ms(binance),
					  .opened_unix_ms = host_ms,
					  .pinged_ms = host_ms};
	struct connection **last = &binance->connections;
	while (*last)
		last = &(*last)->next;
	*last = connection;
	if (path_take(binance, connection, request))
		return 101;
	connection_forget(binance, connection);
	return 404;
}

/* "A WebSocket connection has a limit of 5 incoming messages per second", ping, pong and JSON alike; who exceeds it is
 * disconnected (WebSocket streams, limits). The WebSocket API weighs requests instead. */
static bool message_counts(struct binance *binance, struct connection *connection)
{
	int64_t second = binance->unix_ns / 1000000000;
	if (connection->kind == CONNECTION_API)
		return true;
	if (connection->second != second) {
		connection->second = second;
		connection->messages = 0;
	}
	if (++connection->messages <= binance->options.messages_per_second)
		return true;
	connection_end(binance, connection, 1008, "Too many requests");
	return false;
}

void binance_message(struct binance *binance, int64_t unix_ns, uint64_t id, const char *bytes, size_t size)
{
	struct json_object *json = NULL;
	struct connection *connection = connection_find(binance, id);
	call_time(binance, unix_ns);
	if (!connection || !message_counts(binance, connection))
		return;
	if (connection->kind == CONNECTION_API) {
		api_message(binance, connection, bytes, size);
		return;
	}
	if (json_read(bytes, size, &json) && json_object_is_type(json, json_type_object))
		stream_message(binance, connection, json);
	else
		stream_error(binance, connection, 3, "Invalid JSON", NULL);
	json_object_put(json);
}

void binance_pong(struct binance *binance, int64_t unix_ns, uint64_t id, const char *payload, size_t size)
{
	struct connection *connection = connection_find(binance, id);
	call_time(binance, unix_ns);
	if (!connection || !message_counts(binance, connection))
		return;
	if (payload && size) /* an empty, unsolicited one does not prevent the disconnect */
		connection->unanswered_ms = 0;
}

void binance_pinged(struct binance *binance, int64_t unix_ns, uint64_t id)
{
	struct connection *connection = connection_find(binance, id);
	call_time(binance, unix_ns);
	if (connection)
		message_counts(binance, connection);
}

void binance_disconnected(struct binance *binance, uint64_t id)
{
	struct connection *connection = connection_find(binance, id);
	if (connection)
		connection_forget(binance, connection);
}

/* ------------------------------------------------------------------- time */

int32_t binance_step(struct binance *binance, int64_t unix_ns)
{
	call_time(binance, unix_ns);
	int32_t status = venue_step(binance->venue, binance->unix_ns);
	if (status != TG_OK)
		return status;
	changes_push(binance);
	return binance->broken;
}

void binance_notice(struct binance *binance, int64_t unix_ns)
{
	call_time(binance, unix_ns);
	changes_push(binance);
}

uint64_t binance_update_id(const struct binance *binance, uint32_t market)
{
	return binance->feed[market].id;
}

void binance_tick(struct binance *binance, int64_t unix_ns)
{
	call_time(binance, unix_ns);
	feeds_pace(binance);
	connections_pace(binance);
}
