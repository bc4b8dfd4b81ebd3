/* Benchmark "abi": what a call through a plugin's vtable costs, beside a direct call of a function with the same body.
 * The plugin is the fixture `sound`, loaded as the gateway loads it; the call is a router's `paths`, which does
 * nothing. The way back, from plugin to host, is tg.clock/1 through the vtable that the host lends. One JSON line a
 * figure. Usage: bench_abi [PLUGIN.so] */
#include <stdio.h>
#include <stdlib.h>

#include <trigate/router.h>

#include "bench/measure.h"
#include "plugins/host.h"

#define ROUNDS 15
#define CALLS 4000000

const char *const bench_name = "abi";

struct round {
	double ours;
	double floor;
};

/* ------------------------------------------------------------------ floor */

/* The same body in our own binary, not inlined. */
__attribute__((noinline)) static int32_t paths_direct(void *self, const struct tg_route_request *request,
						      struct tg_path *ret_paths, struct tg_error *ret_error)
{
	(void)self, (void)request, (void)ret_paths, (void)ret_error;
	__asm__ volatile("");
	return 0;
}

static int64_t loop_time;

__attribute__((noinline)) static int64_t clock_direct(const struct tg_host *host)
{
	(void)host;
	__asm__ volatile("");
	return loop_time;
}

/* ------------------------------------------------------------------ rounds */

static volatile int64_t sink;

/* Both are warm and alternate, so that a change of clock rate meets both. */
static double paths_ns(const struct tg_router_api *api, void *self)
{
	struct tg_route_request request = {.size = sizeof request};
	struct tg_path path;
	int64_t sum = 0, start = now_ns();
	for (int i = 0; i < CALLS; i++)
		sum += api ? api->paths(self, &request, &path, NULL) : paths_direct(self, &request, &path, NULL);
	sink = sum;
	return (double)(now_ns() - start) / CALLS;
}

static double clock_ns(const struct tg_ext_clock *clock, const struct tg_host *host)
{
	int64_t sum = 0, start = now_ns();
	for (int i = 0; i < CALLS; i++)
		sum += clock ? clock->mono_ns(host) : clock_direct(host);
	sink = sum;
	return (double)(now_ns() - start) / CALLS;
}

/* ------------------------------------------------------------------ figures */

static void rounds_print(const char *metric, const struct round rounds[ROUNDS])
{
	double ours[ROUNDS], floor[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = rounds[i].ours;
		floor[i] = rounds[i].floor;
	}
	figure_print(&(struct figure){metric, "ns", "lower", median(ours, ROUNDS), median(floor, ROUNDS), 0, NULL});
}

static const struct tg_ext_clock host_clock = {.size = sizeof host_clock, .mono_ns = clock_direct};

static void calls_measure(const struct tg_router_api *api, void *self, const struct tg_host *host)
{
	struct round calls[ROUNDS], clocks[ROUNDS];
	const struct tg_ext_clock *clock = host->extension(host, TG_STR(TG_EXT_CLOCK));
	paths_ns(api, self);
	for (int i = 0; i < ROUNDS; i++) {
		calls[i] = (struct round){.ours = paths_ns(api, self), .floor = paths_ns(NULL, self)};
		clocks[i] = (struct round){.ours = clock_ns(clock, host), .floor = clock_ns(NULL, host)};
	}
	rounds_print("call_ns", calls);
	rounds_print("clock_ns", clocks);
}

int main(int argc, char **argv)
{
	const char *root = getenv("TRIGATE_BUILD_ROOT");
	char path[4096];
	snprintf(path, sizeof path, "%s/tests/abi/fixtures/sound.so", root ? root : BUILD_ROOT);
	struct tg_error error = tg_error_init();
	const struct plugin *plugin;
	if (plugin_load(argc > 1 ? argv[1] : path, TG_KIND_ROUTER, &plugin, &error) < 0) {
		fprintf(stderr, "bench_abi: %s: %s\n", argc > 1 ? argv[1] : path, error.message);
		return 1;
	}
	static const struct plugin_extension extensions[] = {{TG_EXT_CLOCK, &host_clock}};
	struct plugin_host host;
	plugin_host_init(&host, plugin, extensions, 1, NULL);
	struct tg_config config = plugin_config_view(NULL);
	const struct tg_router_api *api = plugin->api;
	void *self;
	if (api->create(&host.host, &config, &self, &error) < 0) {
		fprintf(stderr, "bench_abi: %s\n", error.message);
		return 1;
	}
	calls_measure(api, self, &host.host);
	api->destroy(self);
	return 0;
}
