/* Requests: how many a gateway may make, and what goes wrong with them on the way. */
#include "simulation/server_state.h"

#include <stdio.h>
#include <stdlib.h>

#define WINDOW_NS TG_E9
#define IGNORED_MAX 50 /* requests of one that was told to wait, before it is banned */
#define BAN_NS (10 * TG_E9)

void request_name(const struct request *request, char ret_text[REQUEST_TEXT_MAX])
{
	struct tg_str id = {"", 0};
	if (request->type == WIRE_PLACE)
		id = wire_name_str(&request->payload->PLACE.client_id);
	else if (request->type == WIRE_CANCEL || request->type == WIRE_QUERY)
		id = wire_name_str(&request->payload->QUERY.client_id);
	snprintf(ret_text, REQUEST_TEXT_MAX, "%s%s%.*s", wire_type_name((uint16_t)request->type), id.len ? " " : "",
		 (int)id.len, id.ptr);
}

/* ------------------------------------------------------------------ limits */

bool request_limit_init(struct server *server, struct request_limit *ret_limit)
{
	uint32_t count = server->options.requests_per_second;
	int64_t *taken = malloc(count * sizeof *taken);
	if (!taken)
		return false;
	for (uint32_t i = 0; i < count; i++)
		taken[i] = -WINDOW_NS;
	*ret_limit = (struct request_limit){.taken_ns = taken};
	return true;
}

static int64_t ms_until(int64_t then_ns, int64_t now_ns)
{
	return (then_ns - now_ns + MS_NS - 1) / MS_NS;
}

static struct outcome too_many(int64_t until_ns, int64_t now_ns)
{
	return (struct outcome){TG_ERR_RATE_LIMITED, 429, ms_until(until_ns, now_ns), "Too many requests."};
}

static struct outcome banned(const struct server *server, uint32_t gateway, int64_t now_ns)
{
	return (struct outcome){TG_ERR_RATE_LIMITED, 418, ms_until(server->banned_until_ns[gateway], now_ns),
				"Banned until later."};
}

static void ban(struct server *server, uint32_t gateway, int64_t until_ns)
{
	if (server->banned_until_ns[gateway] < until_ns)
		server->banned_until_ns[gateway] = until_ns;
}

/* More requests within a second than are allowed: the connector was to know. */
static struct outcome limit_broken(struct connection *connection, int64_t now_ns)
{
	struct server *server = connection->server;
	struct request_limit *limit = &connection->limit;
	limit->wait_until_ns = limit->taken_ns[limit->next] + WINDOW_NS;
	trace_add(server->options.ground->trace, server->who, "g%u makes more than %u requests in a second",
		  connection->gateway, server->options.requests_per_second);
	if (server->options.observer)
		observer_raise(server->options.observer, "rate", "%s: g%u makes more than %u requests in a second",
			       server->who, connection->gateway, server->options.requests_per_second);
	return too_many(limit->wait_until_ns, now_ns);
}

/* TG_OK: it may be taken up. */
static struct outcome limit_check(struct connection *connection)
{
	struct server *server = connection->server;
	struct request_limit *limit = &connection->limit;
	int64_t now = ground_ns(server->options.ground);
	if (now < server->banned_until_ns[connection->gateway])
		return banned(server, connection->gateway, now);
	if (now < limit->wait_until_ns) {
		if (++limit->ignored <= IGNORED_MAX)
			return too_many(limit->wait_until_ns, now);
		trace_add(server->options.ground->trace, server->who, "g%u does not wait as told: banned",
			  connection->gateway);
		limit->ignored = 0;
		ban(server, connection->gateway, now + BAN_NS);
		return banned(server, connection->gateway, now);
	}
	limit->ignored = 0;
	if (now - limit->taken_ns[limit->next] < WINDOW_NS)
		return limit_broken(connection, now);
	limit->taken_ns[limit->next] = now;
	limit->next = (limit->next + 1) % server->options.requests_per_second;
	return (struct outcome){.status = TG_OK};
}

/* ----------------------------------------------------------------- answers */

/* Every payload of a request begins with its token. */
static uint64_t token_of(const struct request *request)
{
	return request->payload->BALANCES.token;
}

static void answer_end(const struct request *request, const struct outcome *outcome)
{
	struct server *server = request->server;
	const char *text = outcome->text ? outcome->text : "";
	char what[REQUEST_TEXT_MAX + 16];
	if (!request->connection)
		return;
	int used = snprintf(what, sizeof what, "answer to ");
	request_name(request, what + used);
	const struct wire_reply reply = {
		.token = token_of(request),
		.status = outcome->status,
		.exchange_code = outcome->code,
		.retry_after_ms = outcome->retry_after_ms,
		.text = wire_text_of((struct tg_str){text, __builtin_strlen(text)}),
	};
	frames_add(server, &server->answer, WIRE_REPLY, 0, &reply);
	if (outcome->late_ms > 0)
		frames_send_later(request->connection, &server->answer, outcome->late_ms);
	else
		frames_post(request->connection, &server->answer, &reply_faults, what);
}

static void refuse(const struct request *request, const struct outcome *outcome)
{
	char what[REQUEST_TEXT_MAX];
	request_name(request, what);
	trace_add(request->server->options.ground->trace, request->server->who, "%s of g%u turned away: %lld", what,
		  request->gateway, (long long)outcome->code);
	frames_clear(&request->server->answer);
	answer_end(request, outcome);
}

/* Does the venue turn it away unread, by fault? */
static bool is_turned_away(const struct request *request)
{
	struct server *server = request->server;
	int64_t now = ground_ns(server->options.ground), ms = 0;
	struct outcome outcome;
	char what[REQUEST_TEXT_MAX];
	if (!request->connection)
		return false;
	request_name(request, what);
	if (strikes(server, FAULT_ANSWER_429, request->gateway, &ms)) {
		trace_fault(server, FAULT_ANSWER_429, "%s of g%u, for %lld ms", what, request->gateway, (long long)ms);
		struct request_limit *limit = &request->connection->limit;
		if (limit->wait_until_ns < now + ms * MS_NS)
			limit->wait_until_ns = now + ms * MS_NS;
		outcome = too_many(limit->wait_until_ns, now);
	} else if (strikes(server, FAULT_ANSWER_418, request->gateway, &ms)) {
		trace_fault(server, FAULT_ANSWER_418, "%s of g%u, for %lld ms", what, request->gateway, (long long)ms);
		ban(server, request->gateway, now + ms * MS_NS);
		outcome = banned(server, request->gateway, now);
	} else {
		return false;
	}
	refuse(request, &outcome);
	return true;
}

static void books_begin(const struct request *request)
{
	const struct wire_subscribe *subscribe = &request->payload->SUBSCRIBE;
	for (uint32_t i = 0; i < subscribe->count; i++)
		book_begin(request->connection, subscribe->market[i]);
}

/* Answered by an error that says nothing; done before, or not. */
static bool is_answered_500(const struct request *request, bool *ret_done)
{
	int64_t done = 0;
	char what[REQUEST_TEXT_MAX];
	if (!request->connection || !strikes(request->server, FAULT_ANSWER_500, request->gateway, &done))
		return false;
	request_name(request, what);
	trace_fault(request->server, FAULT_ANSWER_500, "%s of g%u, %s", what, request->gateway,
		    done ? "done" : "not done");
	*ret_done = done != 0;
	return true;
}

void request_do(const struct request *request)
{
	static const struct outcome error_500 = {TG_ERR_UNKNOWN_OUTCOME, 500, 0, "Internal error."};
	struct server *server = request->server;
	bool done = true;
	if (server->failed || is_turned_away(request))
		return;
	bool fails = is_answered_500(request, &done);
	struct outcome outcome = error_500;
	frames_clear(&server->answer);
	if (done)
		outcome = request_answer(request);
	bool subscribed = request->type == WIRE_SUBSCRIBE && done && outcome.status == TG_OK && request->connection;
	if (fails) {
		frames_clear(&server->answer);
		outcome = error_500;
	}
	answer_end(request, &outcome);
	if (subscribed)
		books_begin(request);
	changes_tell(server);
}

/* ----------------------------------------------------------------- arrival */

void request_arrive(struct connection *connection, const struct wire_frame *frame)
{
	struct server *server = connection->server;
	const struct request request = {server, connection, connection->gateway, frame->type, frame->payload};
	const struct outcome limit = limit_check(connection);
	int64_t delay_ms = 0;
	char what[REQUEST_TEXT_MAX];
	request_name(&request, what);
	if (limit.status != TG_OK) {
		refuse(&request, &limit);
	} else if (strikes(server, FAULT_REQUEST_LOST, connection->gateway, NULL)) {
		trace_fault(server, FAULT_REQUEST_LOST, "%s of g%u", what, connection->gateway);
	} else if (strikes(server, FAULT_REQUEST_LATE, connection->gateway, &delay_ms)) {
		trace_fault(server, FAULT_REQUEST_LATE, "%s of g%u, by %lld ms", what, connection->gateway,
			    (long long)delay_ms);
		request_later(connection, frame, delay_ms);
	} else {
		request_do(&request);
	}
}
