#include "bench/wire/order.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/wire/exchange.h"
#include "bench/wire/floor.h"
#include "bench/wire/gateway.h"
#include "bench/wire/lent.h"

#define ROUNDS 7
#define WARM 200
#define TICKS 2000
#define TICK_NS 300000 /* before each tick, ours and the floor's: the store keeps up, as it must in life */
#define START_NS INT64_C(20000000000)

enum phase { PHASE_QUOTE, PHASE_TICK, PHASE_CHEAP, PHASE_FLOOR, PHASE_SIZED };

static struct {
	struct gateway *gateway;
	struct lent *lent;
	uv_idle_t idle;
	enum phase phase;
	uint32_t quote;
	int64_t next_ns, sent_ns;
	char journal[400];
	int floor_file;
	atomic_bool ends;
	size_t payload, appended; /* of the last order: bytes that were signed, and written to the journal */
	char order[2048];
	uint32_t done;
	double ours_us[WARM + TICKS], floor_us[WARM + TICKS], sized_us[WARM + TICKS];
} run;

/* ------------------------------------------------------------ what left */

static size_t journal_size(void)
{
	struct stat file;
	return stat(run.journal, &file) ? 0 : (size_t)file.st_size;
}

static void on_sent(void *ctx, const uint8_t *bytes, size_t count)
{
	int64_t sent_ns = now_ns();
	(void)ctx;
	if (run.sent_ns || !memmem(bytes, count, "\"order.place\"", 13))
		return;
	run.sent_ns = sent_ns;
	snprintf(run.order, sizeof run.order, "%.*s", (int)count, (const char *)bytes);
}

/* Of {"..":{..},"params":{"a":"b","c":1,"signature":".."}} that which is signed: a=b&c=1. */
static size_t payload_size(const char *order)
{
	const char *params = strstr(order, "\"params\":{"), *end = params ? strchr(params, '}') : NULL;
	size_t size = 0;
	if (!end)
		bench_fail("no order: %s", order);
	for (const char *at = params + 10; at < end; at++)
		size += *at != '"' && *at != ',' && *at != ':';
	for (const char *at = params + 10; at < end; at++)
		size += *at == ':' ? 2 : 0;
	const char *signature = strstr(params, "\"signature\":\"");
	return size - 1 - (signature ? strcspn(signature + 13, "\"") + 11 : 0);
}

/* ------------------------------------------------------------ ticks */

static void tick_ours(void)
{
	char frame[EXCHANGE_FRAME_MAX];
	bool warms = run.done < WARM; /* later nobody asks for the size: then a write has a time to set as well */
	size_t count = exchange_tick(true, frame), before = warms ? journal_size() : 0;
	run.sent_ns = 0;
	int64_t begin_ns = now_ns();
	lent_frame(run.lent, (uint8_t *)frame, count);
	if (run.sent_ns == 0)
		bench_fail("a tick was not followed by an order: %s", gateway_last_word());
	run.ours_us[run.done] = (double)(run.sent_ns - begin_ns) / 1000;
	if (warms)
		run.appended = journal_size() - before;
	run.payload = payload_size(run.order);
}

static double tick_floor(void (*floor)(int file, const uint8_t *frame, size_t count, size_t payload, size_t appended))
{
	char frame[EXCHANGE_FRAME_MAX];
	size_t count = exchange_tick(false, frame);
	int64_t begin_ns = now_ns();
	floor(run.floor_file, (const uint8_t *)frame, count, run.payload, run.appended);
	return (double)(now_ns() - begin_ns) / 1000;
}

/* The floor's file as the journal: a thread syncs it, and rests as long. */
static void *floor_sync(void *ctx)
{
	static const struct timespec rest = {.tv_nsec = 20000000};
	(void)ctx;
	while (!atomic_load(&run.ends)) {
		fdatasync(run.floor_file);
		nanosleep(&rest, NULL);
	}
	return NULL;
}

static void quote_next(void)
{
	char frame[EXCHANGE_FRAME_MAX];
	size_t count = exchange_quote(&run.quote, frame);
	lent_frame(run.lent, (uint8_t *)frame, count);
	if (run.quote == 0 && gateway_is_quoted(run.gateway))
		run.phase = PHASE_TICK;
}

static void dear_again(void)
{
	char frame[EXCHANGE_FRAME_MAX];
	size_t count = exchange_tick(false, frame);
	lent_frame(run.lent, (uint8_t *)frame, count);
}

static void phase_begin(enum phase phase, int64_t pause_ns)
{
	run.phase = phase;
	run.next_ns = now_ns() + pause_ns;
}

/* Each call is a turn of libuv, and what it does in there one pass of the gateway. */
static void on_turn(uv_idle_t *idle)
{
	(void)idle;
	if (lent_turn(run.lent) || now_ns() < run.next_ns || !lent_streams(run.lent) ||
	    !run.gateway->executor.link_up || run.gateway->executor.open_count > 0)
		return;
	switch (run.phase) {
	case PHASE_QUOTE: quote_next(); return;
	case PHASE_TICK:
		tick_ours();
		phase_begin(PHASE_CHEAP, 0);
		return;
	case PHASE_CHEAP:
		dear_again();
		phase_begin(PHASE_FLOOR, TICK_NS);
		return;
	case PHASE_FLOOR:
		run.floor_us[run.done] = tick_floor(floor_order);
		phase_begin(PHASE_SIZED, TICK_NS);
		return;
	case PHASE_SIZED: break;
	}
	run.sized_us[run.done++] = tick_floor(floor_order_sized);
	phase_begin(PHASE_TICK, TICK_NS);
	if (run.done == WARM + TICKS)
		gateway_stop_now(run.gateway);
}

/* ------------------------------------------------------------ a round */

static void round_measure(const void *ctx, double *ret_results)
{
	const char *folder = ctx;
	struct gateway_files files = {0};
	struct lent_options options = {.venue = exchange_open(folder), .binance = exchange_options(), .sent = on_sent};
	char floor_path[300];
	pthread_t sync;
	gateway_files_make(folder, 443, NULL, "", &files);
	snprintf(run.journal, sizeof run.journal, "%s/journal-00000001.tgj", files.state_dir);
	snprintf(floor_path, sizeof floor_path, "%s/floor", folder);
	cpu_free(); /* the gateway's other threads are not to share our core */
	run.lent = lent_open(&options);
	run.gateway = bench_gateway_open(&files, lent_outside(run.lent));
	lent_gateway(run.lent, run.gateway);
	run.floor_file = open(floor_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (pthread_create(&sync, NULL, floor_sync, NULL))
		bench_fail("no thread");
	cpu_pin(CPU_OURS);
	uv_idle_init(loop_uv(run.gateway->loop), &run.idle);
	uv_idle_start(&run.idle, on_turn);
	gateway_run(run.gateway);
	atomic_store(&run.ends, true);
	pthread_join(sync, NULL);
	if (run.done < WARM + TICKS)
		bench_fail("the gateway ended: %s", run.gateway->failure.message);
	ret_results[0] = quantile(run.ours_us + WARM, TICKS, 0.5);
	ret_results[1] = quantile(run.ours_us + WARM, TICKS, 0.99);
	ret_results[2] = quantile(run.floor_us + WARM, TICKS, 0.5);
	ret_results[3] = quantile(run.floor_us + WARM, TICKS, 0.99);
	ret_results[4] = quantile(run.sized_us + WARM, TICKS, 0.5);
	uv_close((uv_handle_t *)&run.idle, NULL);
	gateway_close(run.gateway);
	lent_close(run.lent);
	venue_close(options.venue);
	unlink(floor_path);
}

void order_bench(const char *folder, const char *peer_name)
{
	double ours[2][ROUNDS], floor[2][ROUNDS], sized[ROUNDS], results[5];
	static const char *const names[2] = {"tick_to_order_p50_us", "tick_to_order_p99_us"};
	(void)peer_name;
	for (int i = 0; i < ROUNDS; i++) {
		measure(round_measure, folder, results, 5);
		gateway_files_remove(folder);
		sized[i] = results[4];
		for (int share = 0; share < 2; share++) {
			ours[share][i] = results[share];
			floor[share][i] = results[2 + share];
		}
	}
	for (int share = 0; share < 2; share++)
		figure_print(&(struct figure){names[share], "us", "lower", median(ours[share], ROUNDS),
					      median(floor[share], ROUNDS), 0, NULL});
	figure_print(&(struct figure){"tick_to_order_sizing_floor_p50_us", "us", "lower", median(ours[0], ROUNDS),
				      median(sized, ROUNDS), 0, NULL});
}
