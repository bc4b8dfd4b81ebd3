#include "core/io/transport.h"

#include "tests/unit/core/io/transport.h"

/* ------------------------------------------------------------ a connector */

struct seen {
	uint64_t socket;
	int opened, closed, messages;
	int32_t kind;
	struct tg_error reason;
	size_t count;
	uint8_t first, last;
	int64_t received_ns;
	char text[256];
	int stop_messages, stop_closed, stop_opened; /* the loop, at so many */
	const char *greeting;                        /* sent when it is open */
	bool restart_when_open, close_in_message;
};

static void stop_at(int have, int want)
{
	if (want > 0 && have >= want)
		loop_stop(loop);
}

static void on_opened(void *ctx, uint64_t socket)
{
	struct seen *seen = ctx;
	seen->opened++;
	if (seen->greeting)
		transport_ws_send(transport, owner.owner, socket, TG_WS_TEXT, (const uint8_t *)seen->greeting,
				  strlen(seen->greeting));
	if (seen->restart_when_open && seen->opened == 1)
		transport_ws_restart(transport, owner.owner, socket);
	stop_at(seen->opened, seen->stop_opened);
}

static void on_message(void *ctx, uint64_t socket, int32_t kind, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	struct seen *seen = ctx;
	seen->messages++;
	seen->kind = kind;
	seen->count = count;
	seen->first = count ? bytes[0] : 0;
	seen->last = count ? bytes[count - 1] : 0;
	seen->received_ns = received_ns;
	snprintf(seen->text, sizeof seen->text, "%.*s", (int)(count < 200 ? count : 200), (const char *)bytes);
	memset(bytes, 'x', count); /* as it may */
	if (seen->close_in_message)
		transport_ws_close(transport, owner.owner, socket);
	stop_at(seen->messages, seen->stop_messages);
}

static void on_closed(void *ctx, uint64_t socket, const struct tg_error *reason)
{
	struct seen *seen = ctx;
	(void)socket;
	seen->closed++;
	seen->reason = *reason;
	stop_at(seen->closed, seen->stop_closed);
}

static int32_t open_socket(struct seen *seen, const char *scheme, const char *host, uint16_t port,
			   struct tg_ws_options options)
{
	static char url[256];
	struct tg_error error = tg_error_init();
	snprintf(url, sizeof url, "%s://%s:%u/ws?signature=abc", scheme, host, port);
	options.size = sizeof options;
	options.url = (struct tg_str){url, strlen(url)};
	const struct tg_ws_events events = {
		.size = sizeof events, .ctx = seen, .opened = on_opened, .message = on_message, .closed = on_closed};
	int32_t status = transport_ws_open(transport, owner, &options, &events, &seen->socket, &error);
	seen->reason = error;
	return status;
}

#define RECONNECT ((struct tg_ws_options){.flags = TG_WS_RECONNECT})
#define ONCE ((struct tg_ws_options){0})

/* ------------------------------------------------------------ scripts */

static void echo(struct peer *peer)
{
	static char text[2 << 20];
	size_t count;
	if (!ws_accept(peer))
		return;
	memcpy(peer->server->text, peer->head, sizeof peer->server->text - 1);
	for (int first; (first = ws_receive(peer, text, sizeof text, &count)) >= 0 && first != 0x88;)
		ws_send(peer, first, text, count);
}

static void greet_and_go(struct peer *peer)
{
	if (ws_accept(peer))
		ws_send(peer, 0x81, "hello", 5);
}

static void say_nothing(struct peer *peer)
{
	if (ws_accept(peer))
		peer_wait(peer);
}

/* Only the keeping alive, no data. */
static void pings_only(struct peer *peer)
{
	char text[256];
	size_t count;
	if (!ws_accept(peer))
		return;
	do {
		ws_send(peer, 0x89, "ping", 4);
		ws_send(peer, 0x8a, "pong", 4);
	} while (ws_receive(peer, text, sizeof text, &count) >= 0);
}

/* A message that takes longer than silence may last: each part of it is data. */
static void slow_parts(struct peer *peer)
{
	if (!ws_accept(peer))
		return;
	for (int part = 0; part < 8; part++) {
		ws_send(peer, part == 0 ? 0x01 : 0x00, "part ", 5);
		usleep(20000);
	}
	ws_send(peer, 0x80, "end", 3);
	peer_wait(peer);
}

static void accept_only(struct peer *peer)
{
	peer_wait(peer);
}

static void fragments(struct peer *peer)
{
	if (!ws_accept(peer))
		return;
	ws_send(peer, 0x01, "one ", 4);
	ws_send(peer, 0x89, "ping", 4); /* may stand between */
	ws_send(peer, 0x00, "two ", 4);
	ws_send(peer, 0x80, "three", 5);
	char text[256];
	size_t count;
	int first = ws_receive(peer, text, sizeof text, &count);
	snprintf(peer->server->text, sizeof peer->server->text, "%02x %s", (unsigned)first, text);
	peer_wait(peer);
}

static void half(struct peer *peer)
{
	if (!ws_accept(peer))
		return;
	const unsigned char head[] = {0x81, 100};
	peer_write(peer, head, 2);
	peer_write(peer, "not all of it", 13);
	peer_reset(peer);
}

static void megabyte(struct peer *peer)
{
	if (!ws_accept(peer))
		return;
	char *bytes = malloc(1 << 20);
	memset(bytes, 'm', 1 << 20);
	bytes[(1 << 20) - 1] = 'z';
	ws_send(peer, 0x82, bytes, 1 << 20);
	free(bytes);
	peer_wait(peer);
}

static void refuse(struct peer *peer)
{
	if (peer_head(peer))
		peer_say(peer, "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
}

static void farewell(struct peer *peer)
{
	if (ws_accept(peer))
		ws_send(peer, 0x88,
			"\x03\xf0"
			"so long",
			9);
	peer_wait(peer);
}

/* ------------------------------------------------------------ tests */

static int audits;
static char audit_url[256], audit_body[256];

static void on_audit(void *ctx, const struct transport_audit *audit)
{
	(void)ctx;
	audits++;
	snprintf(audit_url, sizeof audit_url, "%s", audit->url);
	if (audit->event == TRANSPORT_WS_SENT)
		snprintf(audit_body, sizeof audit_body, "%.*s", (int)audit->body.len, audit->body.ptr);
}

/* A letter for each thing that passes: O M S C. */
static char tapped[64], tapped_body[64], tapped_url[256];

static void on_traffic(void *ctx, const struct transport_traffic *traffic)
{
	(void)ctx;
	size_t at = strlen(tapped);
	if (at + 1 < sizeof tapped)
		tapped[at] = "HOMSC"[traffic->kind];
	if (traffic->kind == TRAFFIC_MESSAGE)
		snprintf(tapped_body, sizeof tapped_body, "%.*s", (int)traffic->body.len, traffic->body.ptr);
	snprintf(tapped_url, sizeof tapped_url, "%s", traffic->url);
}

static void test_echo(void)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, echo);
	begin_tls();
	transport_set_audit(transport, on_audit, NULL);
	transport_set_tap(transport, on_traffic, NULL);
	transport_set_fill(transport, fill, NULL);
	struct tg_net_header header = {TG_STR("X-MBX-APIKEY"), TG_STR("${key:main:id}")};
	struct tg_ws_options options = {.headers = &header, .header_count = 1};
	struct seen seen = {.stop_messages = 1, .greeting = "{\"signature\":\"0abc\",\"x\":1}"};
	is_int(open_socket(&seen, "wss", "localhost", server->port, options), TG_OK, "a socket is opened");
	is_int(transport_ws_send(transport, owner.owner, seen.socket, TG_WS_TEXT, (const uint8_t *)"a", 1),
	       TG_ERR_CLOSED, "it is not open yet");
	run();
	is_int(seen.opened, 1, "it is open");
	is_str(seen.text, seen.greeting, "and the message comes back");
	is_int(seen.kind, TG_WS_TEXT, "as text");
	is_int(seen.received_ns, loop_mono_ns(loop), "received in this pass");
	is_str(audit_body, "{\"signature\":\"***\",\"x\":1}", "the audit sees no signature");
	ok(strstr(audit_url, "/ws?signature=***"), "nor in the URL: %s", audit_url);
	is_int(audits, 2, "opened and sent");
	is_str(tapped, "OSM", "a tap sees it opened, the frame that left, the message that came");
	is_str(tapped_body, seen.greeting, "before the connector scribbles in it");
	ok(strstr(tapped_url, "signature=abc"), "as they are");
	is_int(transport_ws_send(transport, &loop, seen.socket, TG_WS_TEXT, (const uint8_t *)"a", 1), TG_ERR_CLOSED,
	       "another owner cannot reach it");
	uint8_t *large = calloc(1, 1 << 20);
	for (int i = 0; i < 3; i++)
		transport_ws_send(transport, owner.owner, seen.socket, TG_WS_BINARY, large, 1 << 20);
	seen.stop_messages = 4;
	run();
	is_int(seen.messages, 4, "three large ones wait for the kernel and come back");
	is_int(seen.count, 1 << 20, "whole");
	is_int(seen.kind, TG_WS_BINARY, "as bytes");
	int status = TG_OK;
	for (int i = 0; i < 64 && status == TG_OK; i++)
		status = transport_ws_send(transport, owner.owner, seen.socket, TG_WS_BINARY, large, 1 << 20);
	is_int(status, TG_ERR_LIMIT, "what is not read by the other side is not queued for ever");
	free(large);
	transport_ws_close(transport, owner.owner, seen.socket);
	ok(tapped[strlen(tapped) - 1] == 'C', "the tap sees it closed");
	end();
	is_int(seen.closed, 0, "closing tells nobody else");
	server_join(server);
	ok(strstr(server->text, "\r\nX-MBX-APIKEY: the-key\r\n"), "the placeholder was filled on the way out");
	ok(!strstr(server->text, "permessage-deflate"), "deflate was not offered");
	server_free(server);
}

static void refused(const char *what, struct server *server, const char *host, int32_t code, const char *why)
{
	begin_tls();
	struct seen seen = {.stop_closed = 1, .stop_opened = 1};
	open_socket(&seen, "wss", host, server->port, ONCE);
	run();
	is_int(seen.opened, 0, "%s: not opened", what);
	is_int(seen.reason.code, code, "%s: its code", what);
	ok(strstr(seen.reason.message, why), "%s: %s", what, seen.reason.message);
	transport_ws_close(transport, owner.owner, seen.socket); /* it is gone already */
	end();
	server_stop(server);
}

static void test_certificates(void)
{
	refused("another authority", server_start(&stranger, "DNS:localhost", 86400, echo), "localhost", TG_ERR_AUTH,
		"unable to get local issuer certificate");
	refused("another name", server_start(&authority, "DNS:elsewhere.example", 86400, echo), "localhost",
		TG_ERR_AUTH, "hostname mismatch");
	refused("another address", server_start(&authority, "IP:127.0.0.2", 86400, echo), "127.0.0.1", TG_ERR_AUTH,
		"IP address mismatch");
	refused("run out", server_start(&authority, "DNS:localhost", -86400, echo), "localhost", TG_ERR_AUTH,
		"certificate has expired");
	refused("429", server_start(&authority, "DNS:localhost", 86400, refuse), "localhost", TG_ERR_RATE_LIMITED,
		"HTTP 429");
}

static void test_reconnect(void)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, greet_and_go);
	begin_tls();
	struct seen seen = {.stop_closed = 4};
	open_socket(&seen, "wss", "localhost", server->port, RECONNECT);
	run();
	is_int(seen.opened, 4, "it is opened again and again");
	is_int(seen.messages, 4, "and heard each time");
	end();
	server_stop(server);
}

static void test_restart(void)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, say_nothing);
	begin_tls();
	struct seen seen = {.stop_opened = 2, .restart_when_open = true};
	open_socket(&seen, "wss", "localhost", server->port, RECONNECT);
	run();
	is_int(seen.closed, 1, "a restart is told as a loss");
	is_int(seen.opened, 2, "and opens it again");
	end();
	server_stop(server);
}

static void lost(const char *what, script_fn script, struct tg_ws_options options, const char *why)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, script);
	begin_tls();
	struct seen seen = {.stop_closed = 1};
	open_socket(&seen, "wss", "localhost", server->port, options);
	run();
	is_int(seen.messages, 0, "%s: no message", what);
	ok(strstr(seen.reason.message, why), "%s: %s", what, seen.reason.message);
	end();
	server_stop(server);
}

static void test_losses(void)
{
	lost("silence", say_nothing, (struct tg_ws_options){.silence_ms = 30}, "no data for 30 ms");
	lost("pings and pongs", pings_only, (struct tg_ws_options){.silence_ms = 30}, "no data for 30 ms");
	lost("no handshake", accept_only, (struct tg_ws_options){.connect_ms = 50}, "not open after 50 ms");
	lost("half a message", half, ONCE, "lost");
	lost("too large", megabyte, (struct tg_ws_options){.message_max_bytes = 65536}, "more than 65536 bytes");
	lost("closed with a word", farewell, ONCE, "1008: so long");
}

static void test_fragments(void)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, fragments);
	begin_tls();
	struct seen seen = {.stop_messages = 1};
	open_socket(&seen, "wss", "localhost", server->port, ONCE);
	run();
	is_str(seen.text, "one two three", "a message in fragments is one");
	end();
	server_join(server);
	is_str(server->text, "8a ping", "and the ping between them was answered");
	server_free(server);
}

static void test_slow(void)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, slow_parts);
	begin_tls();
	struct seen seen = {.stop_messages = 1, .stop_closed = 1};
	open_socket(&seen, "wss", "localhost", server->port, (struct tg_ws_options){.silence_ms = 100});
	run();
	is_int(seen.messages, 1, "one whose message comes in parts is alive %s", seen.reason.message);
	end();
	server_stop(server);
}

static struct server *late; /* the server that comes up when the test says so */

static void on_late(void *ctx)
{
	struct seen *seen = ctx;
	seen->stop_messages = 1;
	server_listen(late);
}

/* The port is there, and refuses until somebody listens. */
static void test_start_while_down(void)
{
	uint64_t timer;
	late = server_make(&authority, "DNS:localhost", 86400, greet_and_go);
	begin_tls();
	struct seen seen = {0};
	is_int(open_socket(&seen, "wss", "localhost", late->port, RECONNECT), TG_OK,
	       "a socket is opened while the network is down");
	loop_timer_start(loop, 100 * INT64_C(1000000), on_late, &seen, &timer);
	run();
	ok(seen.closed > 1, "it is told that it cannot be opened, again and again (%d times)", seen.closed);
	ok(seen.opened == 1 && seen.messages == 1, "and works when the network does");
	end();
	server_stop(late);
}

static void test_large(void)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, megabyte);
	begin_tls();
	struct seen seen = {.stop_messages = 1, .close_in_message = true};
	open_socket(&seen, "wss", "localhost", server->port, (struct tg_ws_options){.message_max_bytes = 1 << 20});
	run();
	is_int(seen.count, 1 << 20, "a megabyte comes whole");
	ok(seen.first == 'm' && seen.last == 'z', "from its first byte to its last");
	is_int(seen.closed, 0, "closed from inside its message: nobody is told");
	end();
	server_stop(server);
}

static void test_nobody(void)
{
	uint16_t port;
	close(bind_free(&port));
	begin_tls();
	struct seen seen = {.stop_closed = 3};
	open_socket(&seen, "wss", "127.0.0.1", port, RECONNECT);
	run();
	ok(strstr(seen.reason.message, "connect"), "nobody listens: %s", seen.reason.message);
	is_int(seen.closed, 3, "it is tried again");
	end();
	begin_tls();
	struct seen unknown = {.stop_closed = 1};
	open_socket(&unknown, "wss", "nobody.invalid", port, ONCE);
	run();
	ok(strstr(unknown.reason.message, "cannot resolve"), "no such name: %s", unknown.reason.message);
	end();
}

static void test_refusals(void)
{
	begin_tls();
	struct seen seen = {0};
	is_int(open_socket(&seen, "ws", "127.0.0.1", 80, ONCE), TG_ERR_INVALID, "no TLS: %s", seen.reason.message);
	is_int(open_socket(&seen, "https", "127.0.0.1", 80, ONCE), TG_ERR_INVALID, "%s", seen.reason.message);
	struct tg_net_header header = {TG_STR("X"), TG_STR("a\r\nY: b")};
	is_int(open_socket(&seen, "wss", "localhost", 1, (struct tg_ws_options){.headers = &header, .header_count = 1}),
	       TG_ERR_INVALID, "%s", seen.reason.message);
	end();
}

static void on_turn(uv_check_t *check)
{
	++*(uint32_t *)check->data;
}

static void on_enough(void *ctx)
{
	(void)ctx;
	loop_stop(loop);
}

/* Turns of the loop while nothing happens. */
static uint32_t turns_when_idle(bool busy)
{
	uint64_t timer;
	uv_check_t check;
	uint32_t turns = 0;
	begin((struct transport_options){.ca_file = authority.file, .busy_poll = busy});
	uv_check_init(loop_uv(loop), &check);
	check.data = &turns;
	uv_check_start(&check, on_turn);
	loop_timer_start(loop, 50 * INT64_C(1000000), on_enough, NULL, &timer);
	run();
	uv_close((uv_handle_t *)&check, NULL);
	end();
	return turns;
}

static void test_busy(void)
{
	uint32_t asleep = turns_when_idle(false), awake = turns_when_idle(true);
	ok(asleep < 50 && awake > 500, "it sleeps, or spins when it is told to: %u and %u turns", asleep, awake);
}

static void test_plain_and_busy(void)
{
	struct server *server = server_start(NULL, NULL, 0, echo);
	begin((struct transport_options){.allow_plain = true, .busy_poll = true});
	struct seen seen = {.stop_messages = 1, .greeting = "plain"};
	open_socket(&seen, "ws", "localhost", server->port, ONCE);
	run();
	is_str(seen.text, "plain", "plain, to this machine, if allowed");
	end();
	server_stop(server);
}

static void test_proxy(void)
{
	struct server *server = server_start(&authority, "DNS:shop.example", 86400, echo);
	struct server *between = server_start(NULL, NULL, 0, proxy_script);
	char text[64];
	proxy_behind = server->port;
	snprintf(text, sizeof text, "http://localhost:%u", between->port);
	begin((struct transport_options){.ca_file = authority.file, .proxy = text});
	struct seen seen = {.stop_messages = 1, .stop_closed = 1, .greeting = "through"};
	struct tg_ws_options options = {.flags = TG_WS_COMPRESSED};
	open_socket(&seen, "wss", "shop.example", 443, options);
	run();
	is_str(seen.text, "through", "through a proxy, TLS with the one behind it %s", seen.reason.message);
	end();
	server_join(server);
	ok(strstr(server->text, "permessage-deflate"), "deflate is offered where it is wanted, and may be declined");
	server_free(server);
	server_stop(between);
}

static void test_end_midway(void)
{
	struct server *server = server_start(&authority, "DNS:localhost", 86400, say_nothing);
	begin_tls();
	struct seen seen[4] = {0};
	for (int i = 0; i < 4; i++) {
		seen[i].stop_opened = 1;
		open_socket(&seen[i], "wss", i == 3 ? "nobody.invalid" : "localhost", server->port, RECONNECT);
	}
	run();
	int closed = seen[3].closed; /* no such name, if that was quicker */
	transport_drop(transport, owner.owner);
	end();
	is_int(seen[0].closed + seen[1].closed + seen[2].closed + seen[3].closed, closed,
	       "closing in the midst of it tells nobody");
	server_stop(server);
}

int main(void)
{
	authorities_make();
	test_refusals();
	test_echo();
	test_certificates();
	test_reconnect();
	test_restart();
	test_losses();
	test_fragments();
	test_slow();
	test_start_while_down();
	test_large();
	test_nobody();
	test_busy();
	test_plain_and_busy();
	test_proxy();
	test_end_midway();
	authorities_clear();
	return tap_done();
}
