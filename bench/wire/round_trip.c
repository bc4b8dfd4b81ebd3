#include "bench/wire/round_trip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/wire/exchange.h"
#include "bench/wire/floor.h"
#include "bench/wire/gateway.h"
#include "bench/wire/side.h"

#define ROUNDS 5
#define WARM 200
#define TICKS 2000
#define TICK_NS 400000 /* half for the order's end, half for the quotes of before */
#define ANSWER_NS INT64_C(50000000)
#define MISSES_MAX 20 /* ticks that came while the order before had not ended: the machine was elsewhere */
#define START_NS INT64_C(30000000000)
#define ORDER_BYTES 420 /* an order of ours, which the floor answers with */

static struct side side;
static struct tls_server server;
static bool ordered; /* since the last tick */

/* ------------------------------------------------------------ ours */

static void on_note(void *ctx, const struct channel_note *note)
{
	(void)ctx;
	ordered |= note->status == 0 && memmem(note->text.ptr, note->text.len, "\"order.place\"", 13);
}

static void turns_for(int64_t wait_ns)
{
	for (int64_t until = now_ns() + wait_ns; now_ns() < until;)
		side_turn(&side);
}

static void frame_say(bool cheap)
{
	char frame[EXCHANGE_FRAME_MAX];
	size_t count = exchange_tick(cheap, frame);
	side_say(side_stream(&side), frame, count);
}

/* The tick; nanoseconds until its order was read, 0: none came. */
static double tick_run(void)
{
	struct side_connection *orders = side_orders(&side);
	ordered = false;
	int64_t begin_ns = now_ns(), received_ns = 0;
	frame_say(true);
	while (!ordered && now_ns() - begin_ns < ANSWER_NS && orders->ssl) {
		received_ns = side_read(&side, orders);
	}
	double passed_ns = ordered ? (double)(received_ns - begin_ns) : 0;
	turns_for(TICK_NS / 2); /* the order's end */
	frame_say(false);
	turns_for(TICK_NS / 2);
	return passed_ns;
}

/* Quotes, until a tick brings an order: the gateway is ready then. */
static void gateway_await(void)
{
	char frame[EXCHANGE_FRAME_MAX];
	for (int64_t until = now_ns() + START_NS; now_ns() < until;) {
		turns_for(ANSWER_NS);
		if (!side_stream(&side) || !side_orders(&side))
			continue;
		uint32_t at = 0;
		do {
			size_t count = exchange_quote(&at, frame);
			side_say(side_stream(&side), frame, count);
		} while (at != 0);
		turns_for(ANSWER_NS);
		if (tick_run() > 0)
			return;
	}
	bench_fail("the gateway does not trade");
}

static void gateway_process(const void *ctx)
{
	cpu_free();
	struct gateway *gateway = bench_gateway_open(ctx, NULL);
	cpu_pin(CPU_OURS);
	gateway_run(gateway);
	bench_fail("the gateway ended: %s", gateway->failure.message);
}

static double ours_round(const char *folder)
{
	static double passed[TICKS];
	struct gateway_files files = {0};
	struct venue *venue = exchange_open(folder);
	gateway_files_make(folder, server.port, server.ca_file, ", busy_poll: true", &files);
	side_open(&side, &server, venue, on_note, NULL);
	pid_t gateway = process_start(CPU_OURS, gateway_process, &files);
	gateway_await();
	int missed = 0;
	for (int i = 0; i < WARM + TICKS;) {
		double passed_ns = tick_run();
		if (passed_ns == 0 && ++missed > MISSES_MAX)
			bench_fail("%d of %d ticks were not followed by an order", missed, i + missed);
		if (passed_ns == 0)
			continue;
		if (i >= WARM)
			passed[i - WARM] = passed_ns / 1000;
		i++;
	}
	process_end(gateway);
	side_close(&side);
	venue_close(venue);
	gateway_state_remove(folder);
	return quantile(passed, TICKS, 0.5);
}

/* ------------------------------------------------------------ floor */

static void echo_process(const void *ctx)
{
	(void)ctx;
	floor_echo(server.port, server.ca_file, ORDER_BYTES);
}

static double floor_round(void)
{
	static double passed[TICKS];
	char bytes[1024], frame[EXCHANGE_FRAME_MAX];
	struct side_connection connection = {0};
	fcntl(server.fd, F_SETFL, 0);
	pid_t echo = process_start(CPU_OURS, echo_process, NULL);
	connection.ssl = tls_accept(&server);
	if (!connection.ssl || !tls_upgrade(connection.ssl))
		bench_fail("floor: no connection");
	fcntl(SSL_get_fd(connection.ssl), F_SETFL, O_NONBLOCK);
	for (int i = 0; i < WARM + TICKS; i++) {
		size_t count = exchange_tick(true, frame);
		for (int64_t until = now_ns() + TICK_NS; now_ns() < until;)
			;
		int64_t begin_ns = now_ns();
		side_say(&connection, frame, count);
		while (SSL_read(connection.ssl, bytes, sizeof bytes) <= 0)
			;
		if (i >= WARM)
			passed[i - WARM] = (double)(now_ns() - begin_ns) / 1000;
	}
	process_end(echo);
	tls_close(connection.ssl);
	return quantile(passed, TICKS, 0.5);
}

struct results {
	double ours[ROUNDS], floor[ROUNDS];
};

void round_trip_bench(const char *folder, const char *peer_name)
{
	struct results results;
	(void)peer_name;
	tls_server_open(&server, folder);
	cpu_pin(CPU_OTHER);
	for (int i = 0; i < ROUNDS; i++) {
		results.ours[i] = ours_round(folder);
		results.floor[i] = floor_round();
	}
	cpu_free();
	tls_server_close(&server);
	gateway_files_remove(folder);
	figure_print(&(struct figure){"wire_round_trip_p50_us", "us", "lower", median(results.ours, ROUNDS),
				      median(results.floor, ROUNDS), 0, NULL});
}

/* ------------------------------------------------------------ memory */

#define MARKETS 3000
#define SETTLE_NS INT64_C(10000000000)

static uint32_t subscribed; /* streams that were asked for */

static void on_subscribe(void *ctx, const struct channel_note *note)
{
	(void)ctx;
	if (note->status != 0 || !memmem(note->text.ptr, note->text.len, "SUBSCRIBE", 9))
		return;
	const char *end = note->text.ptr + note->text.len;
	for (const char *at = note->text.ptr; (at = memchr(at, '@', (size_t)(end - at))); at++)
		subscribed++;
}

/* Of another process, in MB. */
static double memory_of(pid_t process)
{
	char path[64], line[256];
	double kb = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)process);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtod(line + 6, NULL);
	if (file)
		fclose(file);
	if (kb == 0)
		bench_fail("the gateway ended");
	return kb * 1024 / 1e6;
}

static void trigate_process(const void *ctx)
{
	const struct gateway_files *files = ctx;
	cpu_free();
	int null = open("/dev/null", O_WRONLY);
	dup2(null, STDOUT_FILENO);
	execl(BUILD_ROOT "/trigate", "trigate", "run", "--config", files->gateway, "--live", (char *)NULL);
}

static double memory_round(const char *folder)
{
	struct gateway_files files = {0};
	struct venue *venue = exchange_open_wide(MARKETS);
	gateway_files_make(folder, server.port, server.ca_file, "", &files);
	side_open(&side, &server, venue, on_subscribe, NULL);
	side.moves = true;
	subscribed = 0;
	pid_t gateway = process_start(CPU_OURS, trigate_process, &files);
	for (int64_t until = now_ns() + START_NS; subscribed < MARKETS;) {
		side_turn(&side);
		if (now_ns() > until)
			bench_fail("%u of %d markets were subscribed", subscribed, MARKETS);
	}
	turns_for(SETTLE_NS); /* with all markets moving */
	double mb = memory_of(gateway);
	process_end(gateway);
	side_close(&side);
	venue_close(venue);
	gateway_state_remove(folder);
	return mb;
}

void memory_bench(const char *folder, const char *peer_name)
{
	double mb[3];
	(void)peer_name;
	tls_server_open(&server, folder);
	for (int i = 0; i < 3; i++)
		mb[i] = memory_round(folder);
	tls_server_close(&server);
	gateway_files_remove(folder);
	figure_print(&(struct figure){"rss_3000_markets", "MB", "lower", median(mb, 3), 0, 0, NULL});
}
