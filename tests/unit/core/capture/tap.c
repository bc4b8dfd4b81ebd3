/* The tap: what of the wire's traffic gets into a capture, and that no secret does. */
#include "core/capture/tap.h"

#include "core/capture/reader.h"
#include "tests/tap.h"
#include "tests/unit/core/capture/scratch.h"

#define SECRET "7e3bd1"

static struct capture_tap tapped;
static struct loop *loop;
static struct capture_writer *writer;
static char dir[PATH_MAX];

static void begin(const char *name, bool with_private)
{
	const struct loop_options of_loop = {
		.driven = true, .start_mono_ns = 1000, .start_unix_ns = 2000, .timers_max = 8};
	struct tg_error error = tg_error_init();
	loop_create(&of_loop, &loop);
	snprintf(dir, sizeof dir, "%s/%s", scratch, name);
	const struct capture_writer_options options = {.disk = &disk_system,
						       .workers = &workers_threads,
						       .dir = dir,
						       .name = "x",
						       .start = "{}",
						       .mono_ns = 1000,
						       .unix_ns = 2000};
	is_int(capture_writer_open(&options, &writer, &error), TG_OK, "a capture %s", error.message);
	capture_tap_init(&tapped, writer, loop, with_private);
}

#define TEXT(text) ((struct tg_str){(text), strlen(text)})

static void message(enum traffic_kind kind, uint64_t id, const char *text)
{
	capture_tap_traffic(&tapped, &(struct transport_traffic){.kind = kind,
								 .id = id,
								 .url = "wss://a.example/ws",
								 .body = TEXT(text),
								 .ws_kind = TG_WS_TEXT});
}

static void opened(uint64_t id, const char *url, const char *headers)
{
	capture_tap_traffic(&tapped, &(struct transport_traffic){
					     .kind = TRAFFIC_OPENED, .id = id, .url = url, .headers = TEXT(headers)});
}

static void closed(uint64_t id, int32_t code)
{
	struct tg_error error = tg_error_init();
	tg_error_set(&error, code, "it broke");
	capture_tap_traffic(&tapped, &(struct transport_traffic){.kind = TRAFFIC_CLOSED,
								 .id = id,
								 .url = "wss://a.example/ws",
								 .error = code ? &error : NULL});
}

static void answer(const char *url, const char *headers, const char *request, int32_t status, const char *body)
{
	const struct tg_net_header back[] = {{TG_STR("x-mbx-used-weight-1m"), TG_STR("5")},
					     {TG_STR("set-cookie"), TG_STR("session=" SECRET)}};
	struct tg_error error = tg_error_init();
	struct tg_http_response response = {.size = sizeof response,
					    .http_status = status,
					    .headers = back,
					    .header_count = 2,
					    .left = 1,
					    .body = TEXT(body)};
	if (status == 0) {
		tg_error_set(&error, TG_ERR_UNKNOWN_OUTCOME, "%s", body);
		response = (struct tg_http_response){.size = sizeof response, .error = &error, .left = 1};
	}
	capture_tap_traffic(&tapped, &(struct transport_traffic){.kind = TRAFFIC_HTTP,
								 .id = 7,
								 .url = url,
								 .headers = TEXT(headers),
								 .body = TEXT(request),
								 .method = "GET",
								 .asked_ns = 900,
								 .response = &response});
}

/* A word for each entry: its kind, "!" if it is an account's, and its text. */
static char said[8192];

static void say(const struct capture_entry *entry)
{
	size_t at = strlen(said);
	struct capture_http http;
	char kind = entry->kind == CAPTURE_OPENED       ? 'o'
		    : entry->kind == CAPTURE_MESSAGE    ? 'm'
		    : entry->kind == CAPTURE_SENT       ? 's'
		    : entry->kind == CAPTURE_CLOSED     ? 'c'
		    : entry->kind == CAPTURE_SUBSCRIBED ? 'u'
		    : entry->kind == CAPTURE_HTTP       ? 'h'
							: '?';
	if (kind == '?')
		return;
	at += (size_t)snprintf(said + at, sizeof said - at, "%c%s%d ", kind, entry->flags & CAPTURE_PRIVATE ? "!" : "",
			       entry->status);
	if (kind == 'h' && capture_http_read(entry->payload, &http) == TG_OK)
		snprintf(said + at, sizeof said - at, "%.*s %.*s (%.*s) [%.*s] %.*s|", (int)http.method.len,
			 http.method.ptr, (int)http.url.len, http.url.ptr, (int)http.request.len, http.request.ptr,
			 (int)http.headers.len, http.headers.ptr, (int)http.body.len, http.body.ptr);
	else
		snprintf(said + at, sizeof said - at, "%.*s|", (int)entry->payload.len, entry->payload.ptr);
}

static const char *end(void)
{
	char path[2 * PATH_MAX];
	struct capture_writer_status status;
	struct tg_error error = tg_error_init();
	struct capture_reader *reader;
	struct capture_entry entry;
	capture_tap_finish(&tapped);
	is_int(capture_writer_close(writer, "over", 5000, 6000, 10000, &status, &error), TG_OK, "closed");
	loop_destroy(loop);
	said[0] = '\0';
	scratch_file(dir, 0, path, sizeof path);
	capture_reader_open(&disk_system, path, &reader, &error);
	while (capture_reader_next(reader, &entry, &error) == 1)
		say(&entry);
	capture_reader_close(reader);
	return said;
}

static void test_public(void)
{
	begin("public", false);
	opened(257, "wss://a.example/ws?token=" SECRET, "");
	message(TRAFFIC_SENT, 257, "{\"method\":\"SUBSCRIBE\",\"id\":1}");
	message(TRAFFIC_MESSAGE, 257, "{\"s\":\"BTCUSDT\",\"token\":\"public\"}");
	closed(257, TG_ERR_IO);
	closed(257, TG_OK);
	answer("https://a.example/depth?symbol=A", "", "", 200, "{}");
	answer("https://a.example/time", "", "", 0, "no answer in time");
	capture_tap_subscribed(&tapped, TG_STR("A\nB\n"));
	is_str(end(),
	       "o0 wss://a.example/ws?token=***|s0 {\"method\":\"SUBSCRIBE\",\"id\":1}|"
	       "m0 {\"s\":\"BTCUSDT\",\"token\":\"public\"}|c-4 it broke|c0 |"
	       "h200 GET https://a.example/depth?symbol=A () [x-mbx-used-weight-1m: 5\r\n] {}|"
	       "h-9 GET https://a.example/time () [] no answer in time|u0 A\nB\n|",
	       "what is public is kept as it came, without secrets of URLs and cookies");
	is_int(tapped.left_out, 0, "nothing was left out");
}

/* Each of these is an account's; afterwards one that is not. */
static void private_traffic(void)
{
	opened(257, "wss://a.example/api", "X-MBX-APIKEY: ${key:main:id}\r\n");
	message(TRAFFIC_MESSAGE, 257, "{\"balance\":1}");
	opened(514, "wss://a.example/api", "");
	message(TRAFFIC_SENT, 514, "{\"params\":{\"apiKey\":\"k\",\"signature\":\"" SECRET "\"}}");
	message(TRAFFIC_MESSAGE, 514, "{\"listenKey\":\"" SECRET "\"}");
	closed(514, TG_ERR_IO);
	answer("https://a.example/account?timestamp=1&signature=" SECRET, "", "", 200, "{\"free\":1}");
	answer("https://a.example/order", "", "signature=" SECRET, 200, "{\"id\":1}");
	answer("https://a.example/rights", "X-MBX-APIKEY: ${key:main:id}\r\n", "", 200, "{\"secret\":\"" SECRET "\"}");
	opened(771, "wss://a.example/ws", "");
	message(TRAFFIC_MESSAGE, 771, "public");
}

static void test_private(void)
{
	begin("left", false);
	private_traffic();
	is_str(end(), "o0 wss://a.example/api|o0 wss://a.example/ws|m0 public|", "what is an account's is left out");
	is_int(tapped.left_out, 8, "and counted");
	begin("kept", true);
	private_traffic();
	end();
	ok(strstr(said, "m!0 {\"balance\":1}|") && strstr(said, "h!200 GET https://a.example/account"),
	   "unless it is asked for");
	ok(!strstr(said, SECRET), "but for secrets");
	ok(strstr(said, "m0 public|"), "what is public is not taken for private");
}

int main(void)
{
	scratch_make();
	test_public();
	test_private();
	scratch_clear();
	return tap_done();
}
