/* The played wire: a connector's sockets and requests get what the capture says, at its time, and never from inside a
 * call. */
#include "core/capture/played.h"

#include "core/extensions.h"
#include "tests/tap.h"

#define MS INT64_C(1000000)

static struct played *played;
static struct loop *loop;
static struct extensions extensions;
static struct plugin_host host;
static struct plugin plugin = {.info = {.id = "test"}};
static struct outside outside;
static const struct tg_ext_ws *ws;
static const struct tg_ext_http *http;
static const struct tg_ext_signer *signer;

/* ------------------------------------------------------------ a connector */

static char said[4096]; /* a word for each callback */
static uint64_t socket_a, socket_b, again;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	size_t at = strlen(said);
	va_list args;
	va_start(args, format);
	vsnprintf(said + at, sizeof said - at, format, args);
	va_end(args);
}

static char name_of(uint64_t socket)
{
	return socket == socket_a ? 'a' : socket == socket_b ? 'b' : '?';
}

static void on_opened(void *ctx, uint64_t socket)
{
	(void)ctx;
	say("open %c|", name_of(socket));
}

static void on_message(void *ctx, uint64_t socket, int32_t kind, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	(void)ctx;
	ok(received_ns == loop_mono_ns(loop), "it came in this pass");
	say("%c%c %.*s|", name_of(socket), kind == TG_WS_TEXT ? 't' : 'b', (int)count, (char *)bytes);
	memset(bytes, 'x', count); /* as it may */
}

static void on_closed(void *ctx, uint64_t socket, const struct tg_error *reason)
{
	(void)ctx;
	say("closed %c %d %s|", name_of(socket), reason->code, reason->message);
}

static const struct tg_ws_events events = {
	.size = sizeof events, .opened = on_opened, .message = on_message, .closed = on_closed};

static uint64_t open_socket(const char *url, uint32_t flags)
{
	const struct tg_ws_options options = {.size = sizeof options, .flags = flags, .url = {url, strlen(url)}};
	struct tg_error error = tg_error_init();
	uint64_t socket = 0;
	is_int(ws->open(&host.host, &options, &events, &socket, &error), TG_OK, "a socket to %s", url);
	return socket;
}

static void on_done(void *ctx, uint64_t id, const struct tg_http_response *response)
{
	const char *name = ctx;
	(void)id;
	say("%s %d %.*s%s%s|", name, response->http_status, (int)response->body.len,
	    response->body.len ? response->body.ptr : "", response->error ? " " : "",
	    response->error ? response->error->message : "");
	for (uint32_t i = 0; i < response->header_count; i++)
		say("%.*s=%.*s|", (int)response->headers[i].name.len, response->headers[i].name.ptr,
		    (int)response->headers[i].value.len, response->headers[i].value.ptr);
	if (strcmp(name, "again") == 0 && again++ == 0) { /* asks anew from inside */
		const struct tg_http_request request = {
			.size = sizeof request, .method = TG_STR("GET"), .url = TG_STR("https://a.example/again")};
		struct tg_error error = tg_error_init();
		uint64_t next;
		http->request(&host.host, &request, on_done, ctx, &next, &error);
	}
}

static uint64_t ask(const char *name, const char *url)
{
	const struct tg_http_request request = {
		.size = sizeof request, .method = TG_STR("GET"), .url = {url, strlen(url)}, .timeout_ms = 1000};
	struct tg_error error = tg_error_init();
	uint64_t id = 0;
	is_int(http->request(&host.host, &request, on_done, (void *)name, &id, &error), TG_OK, "asked for %s", url);
	return id;
}

/* ------------------------------------------------------------ the capture */

static const struct capture_entry *entry_now;

static void tell_now(void *ctx)
{
	(void)ctx;
	played_tell(played, entry_now);
}

static void pass(void)
{
	loop_drive(loop, loop_mono_ns(loop), loop_unix_ns(loop), NULL, NULL);
}

static void wait_ms(int64_t ms)
{
	loop_drive(loop, loop_mono_ns(loop) + ms * MS, loop_unix_ns(loop), NULL, NULL);
}

static void tell(enum capture_kind kind, uint64_t id, int32_t status, const char *text)
{
	const struct capture_entry entry = {.kind = (uint16_t)kind,
					    .status = status,
					    .id = id,
					    .mono_ns = loop_mono_ns(loop) + MS,
					    .unix_ns = 1,
					    .payload = {text, strlen(text)}};
	entry_now = &entry;
	loop_drive(loop, entry.mono_ns, 1, tell_now, NULL);
}

static void tell_http(const char *url, int32_t status, const char *body)
{
	char bytes[1024];
	const char headers[] = "x-a: 1\r\n";
	const struct capture_http parts = {
		.method = TG_STR("GET"), .url = {url, strlen(url)}, .headers = {headers, strlen(headers)}};
	capture_http_write(&parts, (uint8_t *)bytes);
	int len = CAPTURE_HTTP_HEAD + snprintf(bytes + CAPTURE_HTTP_HEAD, sizeof bytes - CAPTURE_HTTP_HEAD, "GET%s%s%s",
					       url, headers, body);
	const struct capture_entry entry = {.kind = CAPTURE_HTTP,
					    .flags = CAPTURE_LEFT,
					    .status = status,
					    .mono_ns = loop_mono_ns(loop) + MS,
					    .unix_ns = 1,
					    .payload = {bytes, (uint64_t)len}};
	entry_now = &entry;
	loop_drive(loop, entry.mono_ns, 1, tell_now, NULL);
}

static void begin(const struct played_help *help)
{
	const struct loop_options options = {.driven = true, .start_mono_ns = MS, .timers_max = 4096};
	static struct loop *of_extensions;
	said[0] = '\0';
	socket_a = socket_b = again = 0;
	loop_create(&options, &loop);
	of_extensions = loop;
	is_int(played_create(help, &played), TG_OK, "a played wire");
	played_set_loop(played, loop);
	outside = (struct outside){
		.driven = true, .extensions = played_extensions, .extension_count = PLAYED_EXTENSIONS, .ctx = played};
	extensions_init(&extensions, &of_extensions, 1, &outside);
	extensions_host_init(&host, &plugin, &extensions);
	ws = host.host.extension(&host.host, TG_STR(TG_EXT_WS));
	http = host.host.extension(&host.host, TG_STR(TG_EXT_HTTP));
	signer = host.host.extension(&host.host, TG_STR(TG_EXT_SIGNER));
}

static void end(void)
{
	loop_destroy(loop);
	played_set_loop(played, NULL);
	played_destroy(played);
}

/* ------------------------------------------------------------ tests */

static void test_sockets(void)
{
	begin(NULL);
	socket_a = open_socket("wss://a.example/stream", TG_WS_RECONNECT);
	socket_b = open_socket("wss://a.example/stream", 0);
	is_int(ws->send(&host.host, socket_a, TG_WS_TEXT, (const uint8_t *)"x", 1), TG_ERR_CLOSED,
	       "it is not open yet");
	wait_ms(5);
	is_str(said, "", "nor was it in the capture");
	tell(CAPTURE_OPENED, 257, 0, "wss://a.example/stream");
	tell(CAPTURE_OPENED, 514, 0, "wss://a.example/stream");
	is_str(said, "open a|open b|", "in the order in which they were opened");
	is_int(ws->send(&host.host, socket_a, TG_WS_TEXT, (const uint8_t *)"x", 1), TG_OK, "what is sent goes nowhere");
	tell(CAPTURE_MESSAGE, 514, 0, "two");
	tell(CAPTURE_MESSAGE, 257, 0, "one");
	tell(CAPTURE_MESSAGE, 999, 0, "nobody's");
	is_str(said, "open a|open b|bt two|at one|", "each is told its own");
	is_int(played_figures(played).unclaimed, 1, "what is nobody's is counted");
	said[0] = '\0';
	tell(CAPTURE_CLOSED, 257, TG_ERR_IO, "it broke");
	tell(CAPTURE_MESSAGE, 257, 0, "no");
	tell(CAPTURE_OPENED, 257, 0, "wss://a.example/stream");
	tell(CAPTURE_MESSAGE, 257, 0, "back");
	is_str(said, "closed a -4 it broke|open a|at back|", "lost and open again");
	said[0] = '\0';
	ws->restart(&host.host, socket_a);
	is_str(said, "", "a restart tells nothing from inside");
	pass(), pass(), pass();
	is_str(said, "closed a -4 opened again, as it was asked for|open a|", "and is told then");
	said[0] = '\0';
	tell(CAPTURE_CLOSED, 514, TG_ERR_IO, "gone");
	tell(CAPTURE_OPENED, 514, 0, "wss://a.example/stream");
	is_str(said, "closed b -4 gone|", "one that does not reconnect is gone");
	ws->close(&host.host, socket_a);
	tell(CAPTURE_MESSAGE, 257, 0, "no");
	is_str(said, "closed b -4 gone|", "one that was closed is told nothing");
	end();
}

static void test_likeness(void)
{
	begin(NULL);
	tell(CAPTURE_OPENED, 1, 0, "wss://a.example:9443/stream?streams=x");
	tell(CAPTURE_OPENED, 2, 0, "wss://b.example/ws?token=***");
	socket_a = open_socket("wss://c.example/stream", 0);
	socket_b = open_socket("wss://b.example/ws?token=abc", 0);
	pass();
	is_str(said, "open a|open b|", "the same path on another host will do, and a secret is any");
	said[0] = '\0';
	open_socket("wss://a.example/other", 0);
	wait_ms(60000);
	is_str(said, "", "another path does not");
	end();
}

static void test_requests(void)
{
	begin(NULL);
	ask("later", "https://a.example/depth?symbol=A&limit=100");
	ask("other", "https://a.example/depth?symbol=B");
	uint64_t cancelled = ask("cancelled", "https://a.example/depth?symbol=C");
	pass();
	is_str(said, "", "an answer comes when it came");
	http->cancel(&host.host, cancelled);
	tell_http("https://a.example/depth?limit=1000&symbol=A&timestamp=5", 200, "A");
	is_str(said, "later 200 A|x-a=1|", "to the same question, whatever its limit, time and order");
	tell_http("https://a.example/depth?symbol=C", 200, "C");
	said[0] = '\0';
	ask("past", "https://b.example/depth?symbol=C");
	is_str(said, "", "an answer that is past comes at once, but not from inside");
	pass();
	is_str(said, "past 200 C|x-a=1|", "from whatever host");
	said[0] = '\0';
	ask("past", "https://b.example/depth?symbol=C");
	tell_http("https://a.example/depth?symbol=B", TG_ERR_UNKNOWN_OUTCOME, "no answer in time");
	is_str(said, "other 0  no answer in time|", "a failure is told as one");
	said[0] = '\0';
	wait_ms(1000);
	ok(strstr(said, "past 0") && strstr(said, "the capture has no answer to it"), "none twice: %s", said);
	is_int(played_figures(played).unanswered, 1, "which is counted");
	is_str(played_figures(played).unanswered_key, "GET /depth?symbol=C", "and named");
	said[0] = '\0';
	ask("again", "https://a.example/again");
	tell_http("https://a.example/again", 200, "1");
	tell_http("https://a.example/again", 200, "2");
	is_str(said, "again 200 1|x-a=1|again 200 2|x-a=1|", "one may be asked for from inside an answer");
	struct tg_error error = tg_error_init();
	const struct tg_http_request wrong = {.size = sizeof wrong, .method = TG_STR("GET"), .url = TG_STR("nonsense")};
	is_int(http->request(&host.host, &wrong, on_done, NULL, &cancelled, &error), TG_ERR_INVALID, "no URL");
	ask("open", "https://a.example/never"); /* at the end */
	end();
}

static void test_standing(void)
{
	begin(NULL);
	played_stand(played, answer_make_document("binance-exchange-info-2021.json", TG_STR("{\"symbols\":[]}")));
	for (int i = 0; i < 2; i++) {
		said[0] = '\0';
		ask("info", "https://a.example/api/v3/exchangeInfo?permissions=SPOT");
		pass();
		is_str(said, "info 200 {\"symbols\":[]}|", "a document answers for its name, as often as it is asked");
	}
	said[0] = '\0';
	ask("depth", "https://a.example/api/v3/depth");
	wait_ms(1000);
	ok(strstr(said, "depth 0"), "and for no other");
	end();
}

static size_t make_up(const char *key, int64_t unix_ns, char *ret_body, size_t room)
{
	(void)unix_ns;
	return strcmp(key, "GET /time") == 0 ? (size_t)snprintf(ret_body, room, "now") : 0;
}

static size_t make_reply(const uint8_t *bytes, uint64_t count, char *ret_body, size_t room)
{
	return bytes[0] == '?' ? (size_t)snprintf(ret_body, room, "re:%.*s", (int)count, (const char *)bytes) : 0;
}

static void test_help(void)
{
	const struct played_help help = {make_up, make_reply};
	begin(&help);
	ask("time", "https://a.example/time");
	pass();
	is_str(said, "time 200 now|", "what is lacking is made up");
	tell(CAPTURE_OPENED, 1, 0, "wss://a.example/ws");
	socket_a = open_socket("wss://a.example/ws", 0);
	pass();
	said[0] = '\0';
	ws->send(&host.host, socket_a, TG_WS_TEXT, (const uint8_t *)"?1", 2);
	ws->send(&host.host, socket_a, TG_WS_TEXT, (const uint8_t *)"!", 1);
	ws->send(&host.host, socket_a, TG_WS_TEXT, (const uint8_t *)"?2", 2);
	is_str(said, "", "not from inside");
	pass();
	is_str(said, "at re:?1|at re:?2|", "replies, too, in order");
	end();
}

static void test_signer(void)
{
	struct tg_key_info info = {.size = sizeof info};
	struct tg_error error = tg_error_init();
	uint8_t signature[TG_SIGNATURE_MAX] = {1};
	begin(NULL);
	is_int(signer->key(&host.host, TG_STR("any"), &info, &error), TG_OK, "there is any key");
	is_int(signer->sign(&host.host, TG_STR("any"), TG_SIGN_ED25519, signature, 1, signature, sizeof signature), 64,
	       "that signs");
	is_int(signature[0], 0, "nothing");
	is_int(signer->sign(&host.host, TG_STR("any"), 99, signature, 1, signature, sizeof signature),
	       TG_ERR_UNSUPPORTED, "not with everything");
	is_int(signer->sign_hashed(&host.host, TG_STR("any"), TG_SIGN_HMAC_SHA512, signature, 1, signature, 1,
				   signature, 63),
	       TG_ERR_LIMIT, "nor into too little room");
	end();
}

int main(void)
{
	test_sockets();
	test_likeness();
	test_requests();
	test_standing();
	test_help();
	test_signer();
	return tap_done();
}
