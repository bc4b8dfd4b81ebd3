/* The venue's clients without their sockets: requests in any pieces, upgrades, frames, hostile clients, ends. */
#include "venue/binance/channel.h"
#include "tests/unit/venue/fixture.h"

#define MS INT64_C(1000000)
#define WS_HEADERS \
	"Host: venue\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" /* RFC 6455, 1.3 */
#define PING_REQUEST "GET /api/v3/ping HTTP/1.1\r\nHost: venue\r\n\r\n"

static struct venue *venue;
static struct channels *channels;
static int64_t now;
static struct text got; /* what the client read */

static void begin(struct channels_options options)
{
	struct venue_options venue_options = venue_options_default();
	struct tg_error error = tg_error_init();
	venue_options.markets = 6;
	venue_options.opportunities_per_minute = 0;
	options.binance.control = true;
	now = NOW;
	if (venue_open(&venue_options, now, &venue, &error) != TG_OK ||
	    channels_open(&options, venue, now, &channels, &error) != TG_OK) {
		printf("# %s\n", error.message);
		abort();
	}
}

static void end(void)
{
	channels_close(channels);
	venue_close(venue);
	text_finish(&got);
}

static struct channel *client(void)
{
	return channel_open(channels, now, 1, NULL);
}

static void send_bytes(struct channel *channel, const char *bytes, size_t size)
{
	channel_receive(channel, now, bytes, size);
}

static void send_text(struct channel *channel, const char *text)
{
	send_bytes(channel, text, strlen(text));
}

/* All that there is for the client now, as text. */
static const char *fetch(struct channel *channel)
{
	struct tg_str bytes = channel_output(channel);
	text_clear(&got);
	text_add(&got, bytes.ptr, bytes.len);
	text_add(&got, "", 1);
	got.used--;
	channel_sent(channel, bytes.len);
	return got.ptr;
}

static bool begins(const char *text, const char *with)
{
	bool does = strncmp(text, with, strlen(with)) == 0;
	if (!does)
		printf("#   not '%s' but '%.200s'\n", with, text);
	return does;
}

/* How often it is in what was fetched last; frames have zeroes in them. */
static uint32_t times(const char *part)
{
	uint32_t count = 0;
	const char *at = got.ptr, *end = got.ptr + got.used;
	while ((at = memmem(at, (size_t)(end - at), part, strlen(part)))) {
		at += strlen(part);
		count++;
	}
	return count;
}

/* A client's frame, masked as it must be. */
static void frame_put(struct text *out, uint8_t first, const char *payload, size_t size, bool masked)
{
	static const char mask[4] = {1, 2, 3, 4};
	text_add(out, (const char *)&first, 1);
	uint8_t mask_bit = masked ? 0x80 : 0;
	if (size < 126) {
		text_add(out, (const char[]){(char)(mask_bit | size)}, 1);
	} else {
		text_add(out, (const char[]){(char)(mask_bit | 127), 0, 0, 0, 0}, 5);
		for (int shift = 24; shift >= 0; shift -= 8)
			text_add(out, (const char[]){(char)(size >> shift)}, 1);
	}
	if (masked)
		text_add(out, mask, sizeof mask);
	for (size_t i = 0; i < size; i++)
		text_add(out, (const char[]){masked ? (char)(payload[i] ^ mask[i % 4]) : payload[i]}, 1);
}

static void send_frame(struct channel *channel, uint8_t first, const char *payload)
{
	struct text frame = {0};
	frame_put(&frame, first, payload, strlen(payload), true);
	send_bytes(channel, frame.ptr, frame.used);
	text_finish(&frame);
}

static struct channel *socket_open(const char *path)
{
	char request[1024];
	struct channel *channel = client();
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" WS_HEADERS, path);
	send_text(channel, request);
	if (!begins(fetch(channel), "HTTP/1.1 101 "))
		abort();
	return channel;
}

/* The close code that the client read; 0: something else. */
static int close_code(struct channel *channel)
{
	const unsigned char *bytes = (const unsigned char *)fetch(channel);
	return got.used >= 4 && bytes[0] == 0x88 ? bytes[2] << 8 | bytes[3] : 0;
}

/* ------------------------------------------------------------------- HTTP */

static void requests_come_in_any_pieces(void)
{
	struct channel *channel = client();
	for (const char *at = PING_REQUEST; *at; at++)
		send_bytes(channel, at, 1);
	ok(begins(fetch(channel), "HTTP/1.1 200 OK\r\n"), "a request byte by byte is answered");
	send_text(channel, PING_REQUEST PING_REQUEST "GET /api/v3/time");
	fetch(channel);
	is_int(times("HTTP/1.1 200 OK"), 2, "two at once are, in one piece");
	send_text(channel, " HTTP/1.1\r\n\r\n");
	fetch(channel);
	ok(times("serverTime"), "the third when its rest has come");
	is_int(channel_state(channel), CHANNEL_OPEN, "the connection stays");
	send_text(channel, "GET /api/v3/ping HTTP/1.1\r\nConnection: close\r\n\r\n" PING_REQUEST);
	fetch(channel);
	is_int(times("HTTP/1.1 200 OK"), 1, "what comes behind a last request is not answered");
	is_int(channel_state(channel), CHANNEL_ENDING, "and the connection ends");
	channel_close(channel);
}

static void bad_requests_end_the_connection(void)
{
	static char head[HTTP_HEAD_MAX + 100];
	static const struct {
		const char *what, *request, *answer;
	} row[] = {
		{"nonsense", "nonsense\r\n\r\n", "HTTP/1.1 400 "},
		{"another HTTP", "GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 "},
		{"chunks", "POST /api/v3/order HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 501 "},
		{"a huge body", "POST /api/v3/order HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", "HTTP/1.1 413 "},
		{"TLS", "\x16\x03\x01\x02\r\n\r\n", "HTTP/1.1 400 "},
		{"a head without end", head, "HTTP/1.1 431 "},
	};
	memset(head, 'a', sizeof head - 1);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct channel *channel = client();
		send_text(channel, row[i].request);
		ok(begins(fetch(channel), row[i].answer), "%s: refused", row[i].what);
		is_int(channel_state(channel), CHANNEL_ENDING, "and ended");
		send_text(channel, PING_REQUEST);
		is_int(channel_output(channel).len, 0, "nothing more is said");
		channel_close(channel);
	}
}

static void slow_clients_are_cut(void)
{
	struct channel *silent = client(), *trickle = client(), *idle = client();
	send_text(idle, PING_REQUEST);
	fetch(idle);
	for (int second = 0; second < 10; second++) {
		send_text(trickle, "G");
		now += 1000 * MS;
		channels_tick(channels, now);
	}
	is_int(channel_state(silent), CHANNEL_CUT, "who says nothing in ten seconds is cut off");
	is_int(channel_state(trickle), CHANNEL_CUT, "whose request takes longer, too, however it trickles");
	is_int(channel_state(idle), CHANNEL_OPEN, "who was served may be silent for longer");
	now += 50000 * MS;
	channels_tick(channels, now);
	is_int(channel_state(idle), CHANNEL_CUT, "but not for ever");
	is_int(channels_figures(channels)->cut, 3, "it is counted");
	channel_close(silent);
	channel_close(trickle);
	channel_close(idle);
}

/* -------------------------------------------------------------- WebSocket */

static void upgrades_follow_the_book(void)
{
	static const struct {
		const char *what, *request, *answer;
	} row[] = {
		{"raw", "GET /ws HTTP/1.1\r\n" WS_HEADERS, "HTTP/1.1 101 "},
		{"raw with names", "GET /ws/btcusdt@bookTicker HTTP/1.1\r\n" WS_HEADERS, "HTTP/1.1 101 "},
		{"combined", "GET /stream?streams=btcusdt@depth HTTP/1.1\r\n" WS_HEADERS, "HTTP/1.1 101 "},
		{"the WebSocket API", "GET /ws-api/v3 HTTP/1.1\r\n" WS_HEADERS, "HTTP/1.1 101 "},
		{"an unknown path", "GET /nowhere HTTP/1.1\r\n" WS_HEADERS, "HTTP/1.1 404 "},
		{"not a GET", "POST /ws HTTP/1.1\r\n" WS_HEADERS, "HTTP/1.1 400 "},
		{"an old version",
		 "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		 "HTTP/1.1 426 "},
		{"no nonce",
		 "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: short\r\n\r\n",
		 "HTTP/1.1 400 "},
		{"no Connection header",
		 "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		 "HTTP/1.1 400 "},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct channel *channel = client();
		bool accepted = strstr(row[i].answer, "101");
		send_text(channel, row[i].request);
		ok(begins(fetch(channel), row[i].answer), "%s", row[i].what);
		is_int(channel_state(channel), accepted ? CHANNEL_OPEN : CHANNEL_ENDING, "%s",
		       accepted ? "goes on" : "ends");
		if (accepted)
			ok(times(ACCEPT) == 1, "with the key's answer");
		channel_close(channel);
	}
}

static void messages_come_in_any_pieces(void)
{
	static const char ask[] = "{\"id\":7,\"method\":\"time\"}";
	struct text bytes = {0};
	struct channel *channel = client();
	text_put(&bytes, "GET /ws-api/v3 HTTP/1.1\r\n" WS_HEADERS);
	frame_put(&bytes, 0x81, ask, strlen(ask), true);
	send_bytes(channel, bytes.ptr, bytes.used);
	fetch(channel);
	ok(begins(got.ptr, "HTTP/1.1 101 ") && times("\"id\":7,\"status\":200"),
	   "a message right behind the handshake is answered");
	text_clear(&bytes);
	frame_put(&bytes, 0x01, ask, 10, true);
	frame_put(&bytes, 0x89, "are you there", 13, true);
	frame_put(&bytes, 0x80, ask + 10, strlen(ask) - 10, true);
	for (size_t i = 0; i < bytes.used; i++)
		send_bytes(channel, bytes.ptr + i, 1);
	fetch(channel);
	ok(memcmp(got.ptr,
		  "\x8a\x0d"
		  "are you there",
		  15) == 0,
	   "a ping amid fragments is answered with its payload");
	ok(got.used > 20 && times("\"id\":7,\"status\":200") == 1, "then the message that came in fragments");
	is_int(channels_figures(channels)->messages, 2, "two messages were counted");
	text_finish(&bytes);
	channel_close(channel);
}

static void broken_frames_are_answered_with_their_code(void)
{
	static char large[HTTP_BODY_MAX + 100];
	struct text bytes = {0};
	memset(large, ' ', sizeof large - 1);
	const struct {
		const char *what;
		uint8_t first;
		const char *payload;
		bool masked;
		int code;
	} row[] = {
		{"a frame without a mask", 0x81, "{}", false, 1002},
		{"an unknown opcode", 0x83, "{}", true, 1002},
		{"a reserved bit", 0xc1, "{}", true, 1002},
		{"text that is not UTF-8", 0x81, "\xff\xfe", true, 1007},
		{"a message that is too large", 0x81, large, true, 1009},
		{"a close frame", 0x88, "\x03\xe8", true, 1000},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct channel *channel = socket_open("/ws-api/v3");
		text_clear(&bytes);
		frame_put(&bytes, row[i].first, row[i].payload, strlen(row[i].payload), row[i].masked);
		send_bytes(channel, bytes.ptr, bytes.used);
		is_int(close_code(channel), row[i].code, "%s", row[i].what);
		is_int(channel_state(channel), CHANNEL_ENDING, "ends the connection");
		channel_close(channel);
	}
	text_finish(&bytes);
}

static void pushes_are_gathered(void)
{
	struct channel *channel =
		socket_open("/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker/ethbtc@bookTicker");
	struct channel *ready;
	for (int i = 0; i < 300; i++) {
		now += 10 * MS;
		channels_step(channels, now);
	}
	uint32_t named = 0;
	while ((ready = channels_take_ready(channels)))
		named += ready == channel;
	is_int(named, 1, "a channel with something to send is named once");
	uint64_t frames = channels_figures(channels)->frames;
	ok(frames > 3, "%llu changes were told", (unsigned long long)frames);
	fetch(channel);
	is_int(times("{\"stream\":"), (int)frames, "all of them lie behind one another");
	channel_close(channel);
}

static void who_does_not_read_is_cut(void)
{
	struct channels_options options = channels_options_default();
	options.unsent_max = 20000;
	begin(options);
	struct channel *reader = socket_open("/ws/btcusdt@bookTicker/btcusdt@depth@100ms");
	struct channel *sleeper = socket_open("/ws/btcusdt@bookTicker/btcusdt@depth@100ms");
	for (int i = 0; i < 6000 && channel_state(sleeper) == CHANNEL_OPEN; i++) {
		now += 10 * MS;
		channels_step(channels, now);
		channels_tick(channels, now);
		fetch(reader);
	}
	is_int(channel_state(sleeper), CHANNEL_CUT, "who lets 20,000 bytes lie is cut off");
	is_int(channel_state(reader), CHANNEL_OPEN, "who reads is not");
	channel_close(sleeper);
	send_frame(reader, 0x81, "{\"id\":1,\"method\":\"LIST_SUBSCRIPTIONS\"}");
	fetch(reader);
	ok(times("btcusdt@depth") == 1, "and goes on");
	channel_close(reader);
	end();
}

/* ------------------------------------------------------------------- ends */

static void a_life_is_bounded(void)
{
	struct channels_options options = channels_options_default();
	options.binance.connection_life_ms = 5000;
	begin(options);
	struct channel *polite = socket_open("/ws"), *rude = socket_open("/ws");
	now += 5000 * MS;
	channels_tick(channels, now);
	fetch(polite); /* the venue said before that it would go */
	ok(got.used > 4 && times("serverShutdown") == 0 && close_code(rude) == 1001,
	   "the connection is closed with 1001");
	is_int(channel_state(polite), CHANNEL_OPEN, "the client has time for its answer");
	send_frame(polite, 0x88, "\x03\xe9");
	is_int(channel_state(polite), CHANNEL_ENDING, "with which it ends");
	now += 2000 * MS;
	channels_tick(channels, now);
	is_int(channel_state(rude), CHANNEL_CUT, "who does not answer is cut off");
	channel_close(polite);
	channel_close(rude);
	end();
}

static void faults_reach_the_wire(void)
{
	struct channel *control = client(), *hit = client(), *stream = socket_open("/ws");
	send_text(control, "POST /control/fault?kind=lost-after&method=time HTTP/1.1\r\n\r\n");
	ok(begins(fetch(control), "HTTP/1.1 200 "), "a fault is asked for");
	send_text(hit, "GET /api/v3/time HTTP/1.1\r\n\r\n");
	is_int(channel_output(hit).len, 0, "the answer is lost");
	is_int(channel_state(hit), CHANNEL_CUT, "with the connection");
	send_text(control, "POST /control/cut HTTP/1.1\r\n\r\n");
	ok(begins(fetch(control), "HTTP/1.1 200 "), "a cut is asked for");
	is_int(channel_state(stream), CHANNEL_CUT, "the stream is cut");
	is_int(channel_output(stream).len, 0, "without a close frame");
	channel_close(control);
	channel_close(hit);
	channel_close(stream);
}

static void everybody_is_told_goodbye(void)
{
	struct channel *stream = socket_open("/ws"), *http = client();
	send_text(http, PING_REQUEST);
	channels_goodbye(channels, now);
	is_int(close_code(stream), 1001, "WebSockets are closed with 1001");
	is_int(channel_state(http), CHANNEL_ENDING, "HTTP ends");
	fetch(http);
	is_int(times("HTTP/1.1 200 OK"), 1, "after its answer");
	struct channel *late = client();
	is_int(channel_state(late), CHANNEL_ENDING, "who comes late is not served");
	send_text(late, PING_REQUEST);
	is_int(channel_output(late).len, 0, "at all");
	is_int(channels_figures(channels)->open, 3, "three are open");
	channel_close(stream);
	channel_close(http);
	channel_close(late);
	is_int(channels_figures(channels)->open, 0, "none is");
	is_int(channels_figures(channels)->websockets, 0, "and no WebSocket");
}

static void places_are_bounded_and_used_again(void)
{
	static struct channel *all[CHANNELS_MAX];
	uint32_t count = 0;
	while (count < CHANNELS_MAX && (all[count] = client()))
		count++;
	is_int(count, CHANNELS_MAX, "as many clients as there are places");
	ok(!client(), "one more is not taken");
	channel_close(all[7]);
	struct channel *again = client();
	ok(again, "a place is free again");
	channel_close(again);
	for (uint32_t i = 0; i < count; i++)
		if (i != 7)
			channel_close(all[i]);
}

static void with_channels(void (*test)(void))
{
	begin(channels_options_default());
	test();
	end();
}

int main(void)
{
	with_channels(requests_come_in_any_pieces);
	with_channels(bad_requests_end_the_connection);
	with_channels(slow_clients_are_cut);
	with_channels(upgrades_follow_the_book);
	with_channels(messages_come_in_any_pieces);
	with_channels(broken_frames_are_answered_with_their_code);
	with_channels(pushes_are_gathered);
	who_does_not_read_is_cut();
	a_life_is_bounded();
	with_channels(faults_reach_the_wire);
	with_channels(everybody_is_told_goodbye);
	with_channels(places_are_bounded_and_used_again);
	return tap_done();
}
