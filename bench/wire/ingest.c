#include "bench/wire/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "bench/wire/floor.h"
#include "bench/wire/frames.h"
#include "bench/wire/peer.h"
#include "bench/wire/tls.h"
#include "core/io/loop.h"
#include "core/io/transport.h"

#define ROUNDS 7
#define WARM UINT64_C(20000)
#define FRAMES UINT64_C(400000)
#define PEER_FRAMES UINT64_C(100000) /* it is slower, and says itself when it was warm */
#define SLICE 16384                  /* of one TLS record, so that frames come coalesced */

static struct frames frames;

/* ------------------------------------------------------------ the source */

static bool frames_push(SSL *ssl)
{
	for (size_t at = 0; at < frames.count;) {
		size_t slice = frames.count - at < SLICE ? frames.count - at : SLICE;
		int put = SSL_write(ssl, frames.bytes + at, (int)slice);
		if (put <= 0)
			return false;
		at += (size_t)put;
	}
	return true;
}

/* To whoever comes, as fast as it can be taken, until it goes. */
static void source_run(const void *ctx)
{
	const struct tls_server *server = ctx;
	frames_make(&frames, true);
	for (;;) {
		SSL *ssl = tls_accept(server);
		if (!ssl)
			continue;
		if (tls_upgrade(ssl))
			while (frames_push(ssl))
				frames_renew(&frames);
		tls_close(ssl);
		frames_renew(&frames);
	}
}

/* ------------------------------------------------------------ ours */

static struct {
	struct loop *loop;
	uint64_t seen;
	int64_t begin_ns, end_ns;
} ours;

static void on_opened(void *ctx, uint64_t socket)
{
	(void)ctx, (void)socket;
}

static void on_message(void *ctx, uint64_t socket, int32_t kind, uint8_t *bytes, uint64_t count, int64_t received_ns)
{
	(void)ctx, (void)socket, (void)kind, (void)received_ns;
	if (ours.seen >= WARM + FRAMES)
		return;
	consumer_take(bytes, count);
	ours.seen++;
	if (ours.seen == WARM)
		ours.begin_ns = now_ns();
	if (ours.seen < WARM + FRAMES)
		return;
	ours.end_ns = now_ns();
	loop_stop(ours.loop);
}

static void on_closed(void *ctx, uint64_t socket, const struct tg_error *reason)
{
	(void)ctx, (void)socket;
	bench_fail("the frames stopped: %s", reason->message);
}

static double ingest_ours(const struct tls_server *server)
{
	struct tg_error error = tg_error_init();
	struct loop_options loop_options = {.timers_max = 64};
	struct transport *transport;
	char url[64];
	uint64_t socket;
	consumer_open();
	if (loop_create(&loop_options, &ours.loop))
		bench_fail("no loop");
	struct transport_options options = {.loop = ours.loop, .ca_file = server->ca_file};
	const struct tg_ws_events events = {
		.size = sizeof events, .opened = on_opened, .message = on_message, .closed = on_closed};
	struct tg_ws_options ws = {.size = sizeof ws};
	ws.url = (struct tg_str){url, (uint64_t)snprintf(url, sizeof url, "wss://localhost:%u/ws", server->port)};
	if (transport_create(&options, &transport, &error) ||
	    transport_ws_open(transport, (struct transport_owner){url, "bench"}, &ws, &events, &socket, &error))
		bench_fail("transport: %s", error.message);
	loop_run(ours.loop);
	transport_destroy(transport);
	loop_destroy(ours.loop);
	consumer_close(WARM + FRAMES);
	return (double)FRAMES * 1e9 / (double)(ours.end_ns - ours.begin_ns);
}

static void ours_measure(const void *ctx, double *ret_results)
{
	*ret_results = ingest_ours(ctx);
}

static void floor_measure(const void *ctx, double *ret_results)
{
	const struct tls_server *server = ctx;
	*ret_results = floor_ingest(server->port, server->ca_file, WARM, FRAMES);
}

static void file_write(const char *path, const char *text, size_t count)
{
	FILE *file = fopen(path, "w");
	if (!file || fwrite(text, 1, count, file) != count || fclose(file))
		bench_fail("%s cannot be written", path);
}

void ingest_bench(const char *folder, const char *peer_name)
{
	double own[ROUNDS], least[ROUNDS], other[ROUNDS];
	char info[512];
	struct tls_server server;
	snprintf(info, sizeof info, "%s/info.json", folder);
	file_write(info, frames_info(), strlen(frames_info()));
	tls_server_open(&server, folder);
	pid_t source = process_start(CPU_OTHER, source_run, &server);
	for (int i = 0; i < ROUNDS; i++) {
		measure(ours_measure, &server, &own[i], 1);
		measure(floor_measure, &server, &least[i], 1);
		other[i] = peer_name ? peer_ingest(info, server.port, server.ca_file, PEER_FRAMES) : 0;
	}
	process_end(source);
	tls_server_close(&server);
	unlink(info);
	figure_print(&(struct figure){"ingest", "frames/s", "higher", median(own, ROUNDS), median(least, ROUNDS),
				      median(other, ROUNDS), peer_name});
}

/* ------------------------------------------------------------ in process */

#define DECODE_FRAMES (UINT64_C(40) * FRAMES_COUNT)

static uint64_t floor_sum;

static void floor_take(const uint8_t *bytes, size_t count)
{
	floor_sum += floor_decode(bytes, count);
}

/* Frames a second; renewing them is not counted. */
static double decode_rate(void (*take)(const uint8_t *bytes, size_t count))
{
	int64_t passed_ns = 0;
	frames_make(&frames, false);
	for (uint64_t done = 0; done < DECODE_FRAMES; done += FRAMES_COUNT) {
		int64_t begin_ns = now_ns();
		for (uint32_t i = 0; i < FRAMES_COUNT; i++)
			take(frames.bytes + frames.at[i], frames.len[i]);
		passed_ns += now_ns() - begin_ns;
		frames_renew(&frames);
	}
	return (double)DECODE_FRAMES * 1e9 / (double)passed_ns;
}

static void decode_ours_measure(const void *ctx, double *ret_results)
{
	(void)ctx;
	consumer_open();
	*ret_results = decode_rate(consumer_take);
	consumer_close(DECODE_FRAMES);
}

static void decode_floor_measure(const void *ctx, double *ret_results)
{
	(void)ctx;
	*ret_results = decode_rate(floor_take);
	if (floor_sum == 0)
		bench_fail("the floor saw nothing");
}

static void frames_save(const char *path)
{
	FILE *file = fopen(path, "w");
	frames_make(&frames, false);
	for (uint32_t i = 0; file && i < FRAMES_COUNT; i++)
		if (fwrite(frames.bytes + frames.at[i], 1, frames.len[i], file) != frames.len[i] ||
		    fputc('\n', file) == EOF)
			bench_fail("%s cannot be written", path);
	if (!file || fclose(file))
		bench_fail("%s cannot be written", path);
}

void decode_bench(const char *folder, const char *peer_name)
{
	double own[ROUNDS], least[ROUNDS], other[ROUNDS];
	char info[512], saved[512];
	snprintf(info, sizeof info, "%s/info.json", folder);
	snprintf(saved, sizeof saved, "%s/frames.txt", folder);
	file_write(info, frames_info(), strlen(frames_info()));
	frames_save(saved);
	for (int i = 0; i < ROUNDS; i++) {
		measure(decode_ours_measure, NULL, &own[i], 1);
		measure(decode_floor_measure, NULL, &least[i], 1);
		other[i] = peer_name ? peer_decode(info, saved, PEER_FRAMES) : 0;
	}
	unlink(info);
	unlink(saved);
	figure_print(&(struct figure){"decode", "frames/s", "higher", median(own, ROUNDS), median(least, ROUNDS),
				      median(other, ROUNDS), peer_name});
}
