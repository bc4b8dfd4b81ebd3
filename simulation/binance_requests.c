/* What comes in: requests, with what goes wrong with them on the way, and messages of WebSockets. */
#include <stdio.h>
#include <string.h>

#include "core/base/random.h"
#include "simulation/binance_server_state.h"

/* What came so lately may not be found yet: "Memory => Database" is where Binance's order status comes from. The
 * connector's manifest allows for more than this (`lag_ms`). */
#define LOOKUP_BLIND_NS (2 * TG_E9)
/* How long a refusal may still be read by the gateway, with all that is late on the way. */
#define EXCUSED_NS (30 * TG_E9)
#define ADDRESS(gateway) ((uint64_t)(gateway) + 1)

/* ------------------------------------------------------------- what it says */

/* The text behind `"name":"` or `name=`, up to its end; empty: it has none. */
static struct tg_str value_of(const uint8_t *bytes, size_t size, const char *name)
{
	char json[48], query[48];
	int json_length = snprintf(json, sizeof json, "\"%s\":\"", name);
	int query_length = snprintf(query, sizeof query, "%s=", name);
	const char *at = memmem(bytes, size, json, (size_t)json_length), *end = (const char *)bytes + size;
	if (at) {
		at += json_length;
	} else {
		at = memmem(bytes, size, query, (size_t)query_length);
		if (!at)
			return (struct tg_str){"", 0};
		at += query_length;
	}
	size_t length = 0;
	while (at + length < end && !strchr("\"& \r\n", at[length]))
		length++;
	return (struct tg_str){at, length};
}

static bool is_method(const uint8_t *bytes, size_t size, const char *method)
{
	struct tg_str said = value_of(bytes, size, "method");
	return said.len == strlen(method) && memcmp(said.ptr, method, said.len) == 0;
}

void ask_text(enum net_frame_kind kind, const uint8_t *bytes, size_t size, char ret_text[ASK_TEXT_MAX])
{
	struct tg_str id = value_of(bytes, size, "newClientOrderId"), what = value_of(bytes, size, "method");
	if (id.len == 0)
		id = value_of(bytes, size, "origClientOrderId");
	if (kind == NET_REQUEST) { /* "GET /path?query HTTP/1.1" */
		const char *line = (const char *)bytes;
		size_t length = 0;
		while (length < size && line[length] != '?' && line[length] != '\r')
			length++;
		what = (struct tg_str){line, length};
	}
	snprintf(ret_text, ASK_TEXT_MAX, "%.*s%s%.*s", (int)(what.len < 60 ? what.len : 60), what.ptr,
		 id.len ? " " : "", (int)(id.len < 40 ? id.len : 40), id.ptr);
}

/* ----------------------------------------------------------- venue's faults */

static void control_ask(struct binance_server *server, const char *method, const char *query)
{
	struct text answer = {0};
	const struct http_request request = {.method = {method, strlen(method)},
					     .path = TG_STR("/control/fault"),
					     .query = {query, strlen(query)},
					     .body = {"", 0}};
	binance_http(server->binance, server_unix_ns(server), 0, &request, &answer);
	text_finish(&answer);
}

/* The next request that the venue takes up meets this fault. */
static void fault_arm(struct binance_server *server, enum fault_kind kind, const char *fault, bool done,
		      const struct peer *peer, const char *what)
{
	char query[64];
	snprintf(query, sizeof query, "kind=%s&done=%s", fault, done ? "true" : "false");
	server_tell_fault(server, kind, "%s of g%u: %s%s", what, peer->gateway, fault, done ? ", done" : "");
	control_ask(server, "POST", query);
}

static void excuse(struct binance_server *server, uint32_t gateway, int64_t for_ns)
{
	int64_t until = ground_ns(server->options.ground) + for_ns + EXCUSED_NS;
	if (server->excused_ns[gateway] < until)
		server->excused_ns[gateway] = until;
}

static const char *error_draw(struct binance_server *server, bool done)
{
	static const char *const errors[] = {"error-1006", "error-1007", "error-1000", "error-1001", "error-1008"};
	uint64_t count = sizeof errors / sizeof *errors - done; /* -1008: it was not sent on */
	return errors[random_next(&server->random) % count];
}

static bool is_missed(struct binance_server *server, const struct peer *peer, const uint8_t *bytes, size_t size)
{
	bool looks_up = peer->state == PEER_API ? is_method(bytes, size, "order.status")
						: size > 17 && memcmp(bytes, "GET /api/v3/order?", 18) == 0;
	if (!looks_up)
		return false;
	uint32_t order = venue_find(server->venue, value_of(bytes, size, "origClientOrderId"), (struct tg_str){"", 0});
	return order != INDEX_NONE &&
	       server_unix_ns(server) - venue_orders(server->venue)->order[order].created_ns < LOOKUP_BLIND_NS &&
	       server_strikes(server, FAULT_LOOKUP_MISSES, peer->gateway, NULL);
}

/* One at most. */
static void faults_arm(struct binance_server *server, const struct peer *peer, const uint8_t *bytes, size_t size,
		       const char *what)
{
	int64_t arg = 0;
	uint32_t gateway = peer->gateway;
	if (server_strikes(server, FAULT_ANSWER_429, gateway, NULL)) {
		excuse(server, gateway, TG_E9);
		fault_arm(server, FAULT_ANSWER_429, "limit", false, peer, what);
	} else if (server_strikes(server, FAULT_ANSWER_418, gateway, NULL)) {
		excuse(server, gateway, 60 * TG_E9);
		fault_arm(server, FAULT_ANSWER_418, "ban", false, peer, what);
	} else if (server_strikes(server, FAULT_ANSWER_500, gateway, &arg)) {
		fault_arm(server, FAULT_ANSWER_500, error_draw(server, arg != 0), arg != 0, peer, what);
	} else if (server_strikes(server, FAULT_ANSWER_CUT, gateway, &arg)) {
		fault_arm(server, FAULT_ANSWER_CUT, arg ? "lost-after" : "lost-before", false, peer, what);
	} else if (is_missed(server, peer, bytes, size)) {
		fault_arm(server, FAULT_LOOKUP_MISSES, "error-2013", false, peer, what);
	}
}

/* ------------------------------------------------------------------ taken up */

static void http_do(struct peer *peer, const uint8_t *bytes, size_t size)
{
	struct binance_server *server = peer->server;
	struct http_request request;
	struct text answer = {0};
	int64_t length = http_parse((const char *)bytes, size, &request);
	bool answered = length > 0 && binance_http(server->binance, server_unix_ns(server), ADDRESS(peer->gateway),
						   &request, &answer);
	if (answered)
		reply_post(peer, NET_ANSWER, answer.ptr, answer.used);
	else
		peer_close(peer);
	text_finish(&answer);
}

static void upgrade_do(struct peer *peer, const uint8_t *bytes, size_t size)
{
	struct binance_server *server = peer->server;
	struct http_request request;
	char answer[64];
	int32_t status = 400;
	if (http_parse((const char *)bytes, size, &request) > 0) {
		bool api = str_is(request.path, "/ws-api/v3");
		peer->state = api ? PEER_API : PEER_MARKET;
		status = binance_connected(server->binance, server_unix_ns(server), peer->id, ADDRESS(peer->gateway),
					   &request);
	}
	bool excused = ground_ns(server->options.ground) < server->excused_ns[peer->gateway];
	if ((status == 429 || status == 418) && !excused && server->options.observer)
		observer_raise(server->options.observer, "rate", "%s refuses a connection of g%u with %d", server->who,
			       peer->gateway, status);
	int used = snprintf(answer, sizeof answer, "HTTP/1.1 %d %s\r\n\r\n", status, http_status_text(status));
	reply_send(peer, NET_ANSWER, 0, answer, (size_t)used);
	if (status == 101)
		return;
	peer->forgotten = true;
	peer_close(peer);
}

void ask_do(struct peer *peer, enum net_frame_kind kind, const uint8_t *bytes, size_t size)
{
	struct binance_server *server = peer->server;
	bool weighs = kind == NET_REQUEST || peer->state == PEER_API;
	char what[ASK_TEXT_MAX];
	if (server->failed)
		return;
	ask_text(kind, bytes, size, what);
	server->asking = peer->gateway;
	if (weighs)
		faults_arm(server, peer, bytes, size, what);
	if (kind == NET_REQUEST)
		http_do(peer, bytes, size);
	else
		binance_message(server->binance, server_unix_ns(server), peer->id, (const char *)bytes, size);
	if (weighs)
		control_ask(server, "DELETE", ""); /* a request that could not be read met no fault */
	changes_note(server);
}

/* ------------------------------------------------------------------- arrival */

/* Market streams read what they are sent in its order: nothing of it is late. */
static void request_travel(struct peer *peer, enum net_frame_kind kind, const uint8_t *bytes, size_t size)
{
	struct binance_server *server = peer->server;
	int64_t delay_ms = 0;
	char what[ASK_TEXT_MAX];
	ask_text(kind, bytes, size, what);
	if (server_strikes(server, FAULT_REQUEST_LOST, peer->gateway, NULL)) {
		server_tell_fault(server, FAULT_REQUEST_LOST, "%s of g%u", what, peer->gateway);
	} else if (peer->state != PEER_MARKET && server_strikes(server, FAULT_REQUEST_LATE, peer->gateway, &delay_ms)) {
		server_tell_fault(server, FAULT_REQUEST_LATE, "%s of g%u, by %lld ms", what, peer->gateway,
				  (long long)delay_ms);
		late_send(peer, true, kind, bytes, size, delay_ms);
	} else {
		ask_do(peer, kind, bytes, size);
	}
}

static void first_take(struct peer *peer, enum net_frame_kind kind, const uint8_t *bytes, size_t size)
{
	if (kind == NET_REQUEST) {
		peer->state = PEER_HTTP;
		request_travel(peer, kind, bytes, size);
	} else if (kind == NET_UPGRADE) {
		upgrade_do(peer, bytes, size);
	} else {
		peer_close(peer);
	}
}

void ask_arrive(struct peer *peer, enum net_frame_kind kind, const uint8_t *bytes, size_t size)
{
	struct binance_server *server = peer->server;
	bool is_socket = peer->state == PEER_MARKET || peer->state == PEER_API;
	if (server->failed)
		return;
	if (peer->state == PEER_NEW) {
		first_take(peer, kind, bytes, size);
	} else if (is_socket && (kind == NET_TEXT || kind == NET_BINARY)) {
		request_travel(peer, kind, bytes, size);
	} else if (is_socket && kind == NET_PONG) {
		binance_pong(server->binance, server_unix_ns(server), peer->id, (const char *)bytes, size);
	} else if (is_socket && kind == NET_PING) {
		binance_pinged(server->binance, server_unix_ns(server), peer->id);
		reply_send(peer, NET_PONG, 0, bytes, size);
	} else {
		peer_close(peer);
	}
}
