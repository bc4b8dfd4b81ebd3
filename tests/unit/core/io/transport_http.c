#include "core/io/transport.h"

#include "tests/unit/core/io/transport.h"

struct seen {
	int answers, stop_at;
	int32_t status;
	uint32_t left;
	uint64_t id;
	struct tg_error error;
	char body[512], header[64];
	size_t body_len;
};

static void on_done(void *ctx, uint64_t id, const struct tg_http_response *response)
{
	struct seen *seen = ctx;
	seen->id = id;
	seen->status = response->http_status;
	seen->left = response->left;
	seen->error = response->error ? *response->error : tg_error_init();
	seen->body_len = response->body.len;
	snprintf(seen->body, sizeof seen->body, "%.*s", (int)(response->body.len < 500 ? response->body.len : 500),
		 response->body.ptr);
	for (uint32_t i = 0; i < response->header_count; i++)
		if (response->headers[i].name.len == 8 && memcmp(response->headers[i].name.ptr, "x-weight", 8) == 0)
			snprintf(seen->header, sizeof seen->header, "%.*s", (int)response->headers[i].value.len,
				 response->headers[i].value.ptr);
	if (++seen->answers == seen->stop_at)
		loop_stop(loop);
}

static struct transport_audit last;
static char last_url[256], last_headers[256], last_body[256];

static void on_audit(void *ctx, const struct transport_audit *audit)
{
	(void)ctx;
	last = *audit;
	snprintf(last_url, sizeof last_url, "%s", audit->url);
	snprintf(last_headers, sizeof last_headers, "%.*s", (int)audit->headers.len, audit->headers.ptr);
	snprintf(last_body, sizeof last_body, "%.*s", (int)audit->body.len, audit->body.ptr);
}

static int taps;
static struct transport_traffic tapped;
static char tapped_url[256], tapped_answer[256];

static void on_traffic(void *ctx, const struct transport_traffic *traffic)
{
	(void)ctx;
	taps++;
	tapped = *traffic;
	snprintf(tapped_url, sizeof tapped_url, "%s %s", traffic->method, traffic->url);
	snprintf(tapped_answer, sizeof tapped_answer, "%d %.*s", traffic->response->http_status,
		 (int)traffic->response->body.len, traffic->response->body.ptr);
}

static void begin_by(const char *proxy)
{
	begin((struct transport_options){.ca_file = authority.file, .proxy = proxy});
	transport_set_fill(transport, fill, NULL);
	transport_set_audit(transport, on_audit, NULL);
	transport_set_tap(transport, on_traffic, NULL);
}

static int32_t ask(struct seen *seen, const char *method, const char *host, uint16_t port, const char *path,
		   struct tg_http_request request)
{
	static char url[256];
	struct tg_error error = tg_error_init();
	snprintf(url, sizeof url, "https://%s:%u%s", host, port, path);
	request.size = sizeof request;
	request.method = (struct tg_str){method, strlen(method)};
	request.url = (struct tg_str){url, strlen(url)};
	int32_t status = transport_http_request(transport, owner, &request, on_done, seen, &seen->id, &error);
	if (status)
		seen->error = error;
	return status;
}

#define PLAIN ((struct tg_http_request){0})

/* ------------------------------------------------------------ scripts */

static void body_read(struct peer *peer, char *to, size_t room)
{
	const char *at = strcasestr(peer->head, "Content-Length: ");
	size_t count = at ? (size_t)atoi(at + 16) : 0;
	to[0] = '\0';
	if (count < room && peer_read(peer, to, count))
		to[count] = '\0';
}

/* Keeps the connection: answers with what it was asked and how many connections there were. */
static void mirror(struct peer *peer)
{
	static char body[512], line[20000];
	while (peer_head(peer)) {
		body_read(peer, body, sizeof body);
		snprintf(line, sizeof line, "%.*s|%s|%d", (int)strcspn(peer->head, "\r"), peer->head, body,
			 peer->number);
		memcpy(peer->server->text, peer->head, sizeof peer->server->text - 1);
		peer_say(peer, "HTTP/1.1 200 OK\r\nX-Weight:  12 \r\nContent-Length: %zu\r\n\r\n%s", strlen(line),
			 line);
	}
}

static void error500(struct peer *peer)
{
	if (peer_head(peer))
		peer_say(peer, "HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nwrong");
}

static void redirect(struct peer *peer)
{
	if (peer_head(peer))
		peer_say(peer, "HTTP/1.1 302 Found\r\nLocation: https://localhost:1/\r\nContent-Length: 0\r\n\r\n");
}

static void silent(struct peer *peer)
{
	peer_wait(peer);
}

static void reset_after(struct peer *peer)
{
	peer_head(peer);
	peer_reset(peer);
}

static void reset_at_once(struct peer *peer)
{
	peer_reset(peer);
}

/* Answers once, reads the next request and closes. */
static void once(struct peer *peer)
{
	if (peer->number > 0) {
		peer->server->text[0] = peer_head(peer) ? '!' : '.';
		return;
	}
	if (peer_head(peer))
		peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	peer_head(peer);
	peer_reset(peer);
}

static void long_answer(struct peer *peer)
{
	static char bytes[100000];
	if (!peer_head(peer))
		return;
	peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	peer_write(peer, bytes, sizeof bytes);
	peer_wait(peer);
}

/* ------------------------------------------------------------ tests */

static void test_exchange(void)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, mirror);
	begin_by(NULL);
	struct tg_net_header headers[] = {{TG_STR("X-MBX-APIKEY"), TG_STR("${key:main:id}")},
					  {TG_STR("Content-Type"), TG_STR("application/json")}};
	struct seen seen = {.stop_at = 1};
	is_int(ask(&seen, "GET", "localhost", server->port, "/api/v3/time?a=1&signature=77", PLAIN), TG_OK, "a GET");
	is_int(seen.answers, 0, "is not answered from inside the call");
	run();
	is_int(seen.status, 200, "200");
	is_str(seen.body, "GET /api/v3/time?a=1&signature=77 HTTP/1.1||0", "as it was asked");
	is_str(seen.header, "12", "headers in lower case, without blanks around");
	is_int(seen.left, 1, "it left");
	ok(strstr(last_url, "/time?a=1&signature=***"), "the audit has no signature: %s", last_url);
	is_int(last.status, 200, "but the status");
	is_int(taps, 1, "a tap sees one exchange");
	ok(tapped.kind == TRAFFIC_HTTP && tapped.asked_ns > 0, "of HTTP, since it was asked for");
	ok(strstr(tapped_url, "GET https://localhost") && strstr(tapped_url, "signature=77"), "its request: %s",
	   tapped_url);
	is_str(tapped_answer, "200 GET /api/v3/time?a=1&signature=77 HTTP/1.1||0", "and its answer");
	struct tg_http_request post = {.headers = headers, .header_count = 2, .body = TG_STR("apiKey=k&x=1")};
	seen.stop_at = 2;
	ask(&seen, "POST", "localhost", server->port, "/order", post);
	run();
	is_str(seen.body, "POST /order HTTP/1.1|apiKey=k&x=1|0", "a POST with a body, on the same connection");
	is_str(last_body, "apiKey=***&x=1", "the audit has no key");
	is_str(last_headers, "X-MBX-APIKEY: ***\r\nContent-Type: application/json\r\n", "not in headers either");
	seen.stop_at = 3;
	ask(&seen, "DELETE", "localhost", server->port, "/order?id=1", PLAIN);
	run();
	is_str(seen.body, "DELETE /order?id=1 HTTP/1.1||0", "a DELETE");
	ask(&seen, "POST", "localhost", server->port, "/order", post);
	transport_http_cancel(transport, owner.owner, seen.id);
	seen.stop_at = 4;
	ask(&seen, "POST", "localhost", server->port, "/last", post);
	run();
	is_int(seen.answers, 4, "what was cancelled is not answered");
	end();
	server_join(server);
	ok(strstr(server->text, "X-MBX-APIKEY: the-key\r\n"), "the placeholder was filled on the way out");
	ok(!strstr(server->text, "Expect"), "nothing was added");
	server_free(server);
}

static void one(const char *what, const char *host, const char *alternative, script_fn script,
		struct tg_http_request how, int32_t status, uint32_t left, int32_t code, const char *why)
{
	struct server *server = server_start(&authority, alternative, 86400, script);
	begin_by(NULL);
	struct seen seen = {.stop_at = 1};
	ask(&seen, "GET", host, server->port, "/", how);
	run();
	is_int(seen.status, status, "%s: status", what);
	is_int(seen.left, left, "%s: left", what);
	is_int(seen.error.code, code, "%s: code", what);
	ok(strstr(seen.error.message, why), "%s: %s", what, seen.error.message);
	end();
	server_stop(server);
}

static void test_ends(void)
{
	const struct tg_http_request soon = {.timeout_ms = 60};
	one("500", "localhost", "DNS:localhost", error500, PLAIN, 500, 1, 0, "");
	one("redirect", "localhost", "DNS:localhost", redirect, PLAIN, 302, 1, 0, "");
	one("no answer", "localhost", "DNS:localhost", silent, soon, 0, 1, TG_ERR_UNKNOWN_OUTCOME, "no answer in time");
	one("reset behind the request", "localhost", "DNS:localhost", reset_after, PLAIN, 0, 1, TG_ERR_UNKNOWN_OUTCOME,
	    "");
	one("reset before an answer", "localhost", "DNS:localhost", reset_at_once, PLAIN, 0, 1, TG_ERR_UNKNOWN_OUTCOME,
	    "");
	one("too long", "localhost", "DNS:localhost", long_answer, (struct tg_http_request){.body_max_bytes = 9999}, 0,
	    1, TG_ERR_LIMIT, "body_max_bytes");
	one("another name", "localhost", "DNS:elsewhere.example", mirror, PLAIN, 0, 0, TG_ERR_AUTH, "");
	one("no such name", "nobody.invalid", "DNS:localhost", mirror, PLAIN, 0, 0, TG_ERR_IO, "cannot resolve");
}

static void test_nobody(void)
{
	uint16_t port;
	close(bind_free(&port));
	begin_by(NULL);
	struct seen seen = {.stop_at = 1};
	ask(&seen, "GET", "localhost", port, "/", PLAIN);
	run();
	is_int(seen.status, 0, "nobody listens: %s", seen.error.message);
	is_int(seen.left, 0, "surely nothing left");
	end();
	struct server *server = server_start(&stranger, "DNS:localhost", 86400, mirror);
	begin_by(NULL);
	struct seen other = {.stop_at = 1};
	ask(&other, "GET", "localhost", server->port, "/", PLAIN);
	run();
	is_int(other.error.code, TG_ERR_AUTH, "another authority: %s", other.error.message);
	is_int(other.left, 0, "surely nothing left");
	end();
	server_stop(server);
}

/* libcurl would send a request again that met a kept connection's end. */
static void test_never_twice(void)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, once);
	begin_by(NULL);
	struct seen seen = {.stop_at = 1};
	ask(&seen, "GET", "localhost", server->port, "/", PLAIN);
	run();
	is_int(seen.status, 200, "the first is answered");
	seen.stop_at = 2;
	ask(&seen, "GET", "localhost", server->port, "/", PLAIN);
	run();
	is_int(seen.error.code, TG_ERR_UNKNOWN_OUTCOME, "the second is not sent again: %s", seen.error.message);
	end();
	server_join(server);
	ok(server->text[0] != '!', "over another connection");
	server_free(server);
}

static void test_proxy(void)
{
	struct server *server = server_start(&authority, "DNS:shop.example", 86400, mirror);
	struct server *between = server_start(NULL, NULL, 0, proxy_script);
	char text[64];
	proxy_behind = server->port;
	snprintf(text, sizeof text, "http://localhost:%u", between->port);
	begin_by(text);
	struct tg_net_header header = {TG_STR("X-MBX-APIKEY"), TG_STR("${key:main:id}")};
	struct seen seen = {.stop_at = 1};
	ask(&seen, "GET", "shop.example", 443, "/through",
	    (struct tg_http_request){.headers = &header, .header_count = 1});
	run();
	is_str(seen.body, "GET /through HTTP/1.1||0", "through a proxy, TLS with the one behind it %s",
	       seen.error.message);
	end();
	server_stop(server);
	server_join(between);
	ok(!strstr(between->text, "the-key"), "the proxy saw no header of the request");
	server_free(between);
}

static void test_refusals(void)
{
	begin_by(NULL);
	struct seen seen = {0};
	struct tg_net_header header = {TG_STR("X-MBX-APIKEY"), TG_STR("${key:other:id}")};
	is_int(ask(&seen, "PATCH", "localhost", 1, "/", PLAIN), TG_ERR_INVALID, "%s", seen.error.message);
	is_int(ask(&seen, "GET", "local host", 1, "/", PLAIN), TG_ERR_INVALID, "%s", seen.error.message);
	is_int(ask(&seen, "GET", "a", 1, "/", (struct tg_http_request){.headers = &header, .header_count = 1}),
	       TG_ERR_NOT_FOUND, "%s", seen.error.message);
	is_int(ask(&seen, "GET", "nobody.invalid", 1, "/", PLAIN), TG_OK, "closing in the midst of it");
	end();
	is_int(seen.answers, 0, "tells nobody");
}

int main(void)
{
	authorities_make();
	test_refusals();
	test_exchange();
	test_ends();
	test_nobody();
	test_never_twice();
	test_proxy();
	authorities_clear();
	return tap_done();
}
