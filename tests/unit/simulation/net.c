/* The wire as a connector sees it: as trigate/net.h says, whatever the network does. */
#include "net_fixture.h"

static void test_http(void)
{
	uint64_t id;
	net_begin(NULL, 0);
	is_int(http_get("/api/v3/time", 0, &id), TG_OK, "a request is taken");
	is_int(connector.answers, 0, "nothing is answered inside the call");
	world_pass_ms(200);
	ok(connector.answers == 1 && connector.http_status == 200 && connector.left == 1 && connector.error == TG_OK &&
		   strstr(connector.body, "\"serverTime\":1767225600"),
	   "it is answered: %s", connector.body);
	http_get("/api/v3/nothing", 0, &id);
	world_pass_ms(200);
	is_int(connector.http_status, 404, "a refusal is an answer, too");
	http_get("/api/v3/time", 0, &id);
	net_http_cancel(net, id);
	world_pass_ms(20000);
	is_int(connector.answers, 2, "what is cancelled is not answered");
	ok(!connector.called_inside, "nobody was called from inside a call");
	net_end();
}

static void test_http_lost(void)
{
	static const struct {
		struct fault_event event;
		int32_t error;
		uint32_t left;
		int64_t least_ms, most_ms;
		const char *what;
	} cases[] = {
		{{.kind = FAULT_LINK_REFUSED}, TG_ERR_IO, 0, 0, 100, "refused: it surely did not leave"},
		{{.kind = FAULT_REQUEST_LOST}, TG_ERR_UNKNOWN_OUTCOME, 1, 3000, 3000, "lost on its way"},
		{{.kind = FAULT_REPLY_LOST}, TG_ERR_UNKNOWN_OUTCOME, 1, 3000, 3000, "its answer is lost"},
		{{.kind = FAULT_ANSWER_CUT}, TG_ERR_UNKNOWN_OUTCOME, 1, 0, 200, "cut instead of an answer"},
		{{.kind = FAULT_GARBAGE, .arg = 20}, TG_ERR_UNKNOWN_OUTCOME, 1, 0, 200, "nonsense is on the stream"},
	};
	uint64_t id;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		net_begin(&cases[i].event, 1);
		http_get("/api/v3/time", 3000, &id);
		world_pass_ms(5000);
		ok(connector.answers == 1 && connector.http_status == 0 && connector.error == cases[i].error &&
			   connector.left == cases[i].left && connector.answered_ns >= cases[i].least_ms * MS &&
			   connector.answered_ns <= cases[i].most_ms * MS,
		   "%s: %d, left %u, after %lld ms", cases[i].what, connector.error, connector.left,
		   (long long)(connector.answered_ns / MS));
		net_end();
	}
}

static void test_http_errors(void)
{
	static const struct {
		struct fault_event event;
		int32_t least, most;
	} cases[] = {
		{{.kind = FAULT_ANSWER_429, .arg = 100}, 429, 429},
		{{.kind = FAULT_ANSWER_418, .arg = 100}, 418, 418},
		{{.kind = FAULT_ANSWER_500, .arg = 1}, 500, 504},
		{{.kind = FAULT_ANSWER_500, .arg = 0}, 500, 504},
	};
	uint64_t id;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		net_begin(&cases[i].event, 1);
		http_get("/api/v3/time", 0, &id);
		world_pass_ms(1000);
		ok(connector.http_status >= cases[i].least && connector.http_status <= cases[i].most, "%s is %d",
		   fault_info[cases[i].event.kind].name, connector.http_status);
		net_end();
	}
}

static void test_ws(void)
{
	net_begin(NULL, 0);
	is_int(ws_open("/stream", TG_WS_RECONNECT, 0), TG_OK, "a socket is taken");
	ok(ws_send("{}") == TG_ERR_CLOSED && connector.opened == 0, "it is not open inside the call");
	world_pass_ms(200);
	is_int(connector.opened, 1, "it opens");
	is_int(ws_send("{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@depth@100ms\"],\"id\":1}"), TG_OK, "it takes");
	world_pass_ms(3000);
	ok(connector.texts > 1 && strcmp(connector.text[0], "{\"result\":null,\"id\":1}") == 0, "the answer: %s",
	   connector.text[0]);
	ok(strstr(connector.text[1], "\"e\":\"depthUpdate\""), "a market streams: %.60s", connector.text[1]);
	world_pass_ms(120000);
	ok(connector.closed == 0, "pings are answered below the connector");
	net_ws_close(net, connector.socket);
	world_pass_ms(60000);
	ok(connector.closed == 0 && ws_send("{}") == TG_ERR_CLOSED, "what was closed for good says nothing more");
	ok(!connector.called_inside, "nobody was called from inside a call");
	net_end();
}

static void test_ws_cut(void)
{
	const struct fault_event cut = {.kind = FAULT_LINK_CUT, .at_ns = 1000 * MS};
	net_begin(&cut, 1);
	ws_open("/stream?streams=btcusdt@bookTicker", TG_WS_RECONNECT, 0);
	seconds_pass(3);
	ok(connector.closed == 1 && connector.closed_code == TG_ERR_IO, "a cut is told");
	ok(connector.opened == 2 && connector.opened_ns > connector.closed_ns + 100 * MS, "it opens again, later");
	uint32_t before = connector.texts;
	seconds_pass(3);
	ok(connector.texts > before, "its streams are in its address");
	net_end();
	net_begin(&cut, 1);
	ws_open("/stream", 0, 0);
	seconds_pass(60);
	ok(connector.closed == 1 && connector.opened == 1, "without TG_WS_RECONNECT it is gone");
	net_end();
}

static void test_ws_silent(void)
{
	const struct fault_event silent = {.kind = FAULT_LINK_SILENT, .at_ns = 2000 * MS, .arg = 60000};
	net_begin(&silent, 1);
	ws_open("/stream?streams=btcusdt@depth@100ms", TG_WS_RECONNECT, 5000);
	seconds_pass(10);
	ok(connector.closed == 1 && connector.closed_ns >= 6400 * MS && connector.closed_ns < 7600 * MS,
	   "silence is a loss, after %lld ms", (long long)(connector.closed_ns / MS));
	is_int(connector.opened, 2, "and it opens again");
	net_end();
	net_begin(NULL, 0);
	ws_open("/stream", TG_WS_RECONNECT, 10000);
	seconds_pass(45);
	ok(connector.closed >= 3, "pings are no data: %d times lost", connector.closed);
	net_end();
}

static void test_ws_restart(void)
{
	net_begin(NULL, 0);
	ws_open("/stream", TG_WS_RECONNECT, 0);
	world_pass_ms(500);
	connector.inside = true;
	net_ws_restart(net, connector.socket);
	connector.inside = false;
	ok(connector.closed == 0 && ws_send("{}") == TG_ERR_CLOSED, "a restart takes effect after the call");
	world_pass_ms(200);
	ok(connector.closed == 1 && connector.opened == 2 && !connector.called_inside, "and opens again at once");
	net_end();
}

static void test_ws_refused(void)
{
	const struct fault_event refused[] = {{.kind = FAULT_LINK_REFUSED}, {.kind = FAULT_LINK_REFUSED}};
	net_begin(refused, 2);
	ws_open("/stream", TG_WS_RECONNECT, 0);
	world_pass_ms(3000);
	ok(connector.closed >= 1 && connector.opened == 1, "refused %d times, then it opens", connector.closed);
	net_end();
	net_begin(NULL, 0);
	ws_open("/nowhere", TG_WS_RECONNECT, 0);
	world_pass_ms(2000);
	ok(connector.opened == 0 && connector.closed >= 2, "what the venue does not have is refused again and again");
	net_end();
}

static void test_kill(void)
{
	const struct fault_event kill = {.kind = FAULT_KILL, .at_ns = 500 * MS};
	net_begin(&kill, 1);
	ws_open("/stream", TG_WS_RECONNECT, 0);
	world_pass_ms(600);
	is_int(ws_send("{}"), TG_ERR_CLOSED, "a send is where a kill can strike");
	world_pass_ms(60000);
	ok(world.life.dead && connector.closed == 0, "the dead hear nothing");
	net_end();
}

static void test_wrong(void)
{
	struct tg_error error = tg_error_init();
	const struct tg_ws_events events = {
		.size = sizeof events, .opened = on_ws_opened, .message = on_ws_message, .closed = on_ws_closed};
	static const char *const urls[] = {"ws://stream." NET_DOMAIN "/", "wss://stream.example.com/", "wss://", ""};
	net_begin(NULL, 0);
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		const struct tg_ws_options options = {.size = sizeof options, .url = {urls[i], strlen(urls[i])}};
		is_int(net_ws_open(net, &options, &events, &connector.socket, &error), TG_ERR_INVALID, "\"%s\": %s",
		       urls[i], error.message);
	}
	net_end();
}

int main(void)
{
	test_http();
	test_http_lost();
	test_http_errors();
	test_ws();
	test_ws_cut();
	test_ws_silent();
	test_ws_restart();
	test_ws_refused();
	test_kill();
	test_wrong();
	return tap_done();
}
