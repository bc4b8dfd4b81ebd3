/* A socket that is open allocates nothing for messages that fit the room so far: malloc is counted on the loop thread
 * while frames of many sizes go out and come back, over TLS, with an audit and a tap listening. OpenSSL's own memory
 * is its own: it takes and gives some for every record. */
#include "core/io/transport.h"

#include "tests/allocations.h"
#include "tests/unit/core/io/transport.h"

#if !ALLOCATIONS_ARE_COUNTED
int main(void)
{
	tap_skip("messages allocate nothing", "the sanitizer owns malloc");
	return tap_done();
}
#else

#define WARM 60
#define ROUNDS 2000

/* As orders and ticks are; one in two TLS records; one that libwebsockets reads in pieces. */
static const size_t sizes[] = {20, 120, 125, 126, 600, 4000, 20000, 60000};
#define SIZES (sizeof sizes / sizeof *sizes)
#define SENT_MAX 4000 /* no request is longer */

static uint8_t frame[60000];
static uint64_t socket_id;
static uint32_t messages, wrong, refused, audited, tapped;
static unsigned allocations_before;

static void frame_send(void)
{
	size_t size = sizes[messages % SIZES];
	int len = snprintf((char *)frame, 20, "{\"id\":%zu,", size);
	frame[len] = ' ';
	refused += transport_ws_send(transport, owner.owner, socket_id, TG_WS_TEXT, frame,
				     size < SENT_MAX ? size : SENT_MAX) != TG_OK;
}

static void on_opened(void *ctx, uint64_t socket)
{
	(void)ctx, (void)socket;
	frame_send();
}

static void on_message(void *ctx, uint64_t socket, int32_t kind, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	(void)ctx, (void)socket, (void)kind, (void)received_ns;
	wrong += count != sizes[messages % SIZES] || memcmp(bytes, frame, count) != 0;
	messages++;
	if (messages == WARM)
		allocations_before = allocations;
	if (messages == WARM + ROUNDS)
		loop_stop(loop);
	else
		frame_send();
}

static void on_closed(void *ctx, uint64_t socket, const struct tg_error *reason)
{
	(void)ctx, (void)socket;
	ok(false, "it stays open: %s", reason->message);
	loop_stop(loop);
}

static void on_audit(void *ctx, const struct transport_audit *audit)
{
	(void)ctx, (void)audit;
	audited++;
}

static void on_traffic(void *ctx, const struct transport_traffic *traffic)
{
	(void)ctx, (void)traffic;
	tapped++;
}

/* Answers a request with as many bytes as its id says. */
static void answer(struct peer *peer)
{
	static char text[sizeof frame];
	size_t count;
	if (!ws_accept(peer))
		return;
	memset(text, 'f', sizeof text);
	for (int first; (first = ws_receive(peer, text, sizeof text, &count)) >= 0 && first != 0x88;) {
		text[count] = 'f'; /* in place of its NUL */
		ws_send(peer, first, text, strtoul(text + strlen("{\"id\":"), NULL, 10));
	}
}

static void *ssl_malloc(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return __libc_malloc(size);
}

static void *ssl_realloc(void *memory, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return __libc_realloc(memory, size);
}

static void ssl_free(void *memory, const char *file, int line)
{
	(void)file, (void)line;
	free(memory);
}

int main(void)
{
	char url[64];
	struct tg_error error = tg_error_init();
	const struct tg_ws_events events = {
		.size = sizeof events, .opened = on_opened, .message = on_message, .closed = on_closed};
	ok(CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free) == 1, "what OpenSSL takes is not counted");
	memset(frame, 'f', sizeof frame);
	memcpy(frame + 40, "\"signature\":\"abc\"", 17);
	authorities_make();
	struct server *server = server_start(&authority, "DNS:localhost", 86400, answer);
	begin_tls();
	transport_set_audit(transport, on_audit, NULL);
	transport_set_tap(transport, on_traffic, NULL);
	snprintf(url, sizeof url, "wss://localhost:%u/ws", server->port);
	const struct tg_ws_options options = {.size = sizeof options, .url = {url, strlen(url)}};
	is_int(transport_ws_open(transport, owner, &options, &events, &socket_id, &error), TG_OK, "a socket");
	run();
	unsigned made = allocations - allocations_before;
	is_int(messages, WARM + ROUNDS, "requests go out, answers of all sizes come back");
	ok(wrong == 0 && refused == 0, "whole");
	ok(audited > ROUNDS && tapped > 2 * ROUNDS, "seen by audit and tap");
	ok(allocations_before > 0, "the counter counts");
	is_int(made, 0, "%d of them allocated nothing", ROUNDS);
	end();
	server_stop(server);
	authorities_clear();
	return tap_done();
}
#endif
