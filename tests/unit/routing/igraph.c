/* The igraph router against a brute force that knows nothing of bounds. The module's path is the first argument. */
#include <dlfcn.h>
#include <time.h>

#include <trigate/error.h>
#include <trigate/router.h>

#include "tap.h"

#define NODES_MAX 8
#define EDGES_MAX 24
#define FOUND_MAX 20000

static const struct tg_router_api *api;
static uint64_t seed = 20180117;

static uint32_t below(uint32_t bound)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((seed >> 33) % bound);
}

/* ------------------------------------------------------------ brute force */

static struct tg_path found[FOUND_MAX];
static uint32_t found_count;

static void brute(const struct tg_graph *graph, uint32_t node, uint32_t to, uint32_t hops_left, uint32_t visited,
		  struct tg_path path)
{
	for (uint32_t i = 0; i < graph->edge_count && hops_left > 0; i++) {
		const struct tg_edge *edge = &graph->edges[i];
		if (edge->from != node || (visited >> edge->to & 1))
			continue;
		struct tg_path longer = path;
		longer.edges[longer.hops++] = i;
		longer.weight += edge->weight;
		if (edge->to == to && found_count < FOUND_MAX)
			found[found_count++] = longer;
		else if (edge->to != to)
			brute(graph, edge->to, to, hops_left - 1, visited | 1u << edge->to, longer);
	}
}

static int by_order(const void *left, const void *right)
{
	const struct tg_path *a = left, *b = right;
	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	if (a->hops != b->hops)
		return a->hops < b->hops ? -1 : 1;
	for (uint32_t i = 0; i < a->hops; i++)
		if (a->edges[i] != b->edges[i])
			return a->edges[i] < b->edges[i] ? -1 : 1;
	return 0;
}

static bool path_equal(const struct tg_path *a, const struct tg_path *b)
{
	return a->hops == b->hops && a->weight == b->weight &&
	       memcmp(a->edges, b->edges, a->hops * sizeof *a->edges) == 0;
}

static void *router_make(void)
{
	void *self = NULL;
	if (api->create(NULL, NULL, &self, NULL) != TG_OK)
		exit(99);
	return self;
}

/* Small weights make ties and negative loops common; parallel edges and self-loops come by chance. */
static void against_brute_force(void)
{
	void *self = router_make();
	struct tg_edge edges[EDGES_MAX];
	struct tg_path paths[64];
	unsigned wrong = 0, answers = 0, empty = 0;
	for (int round = 0; round < 3000; round++) {
		struct tg_graph graph = {sizeof graph, 2 + below(NODES_MAX - 1), edges, below(EDGES_MAX + 1), 0};
		int64_t low = -(int64_t)below(6);
		for (uint32_t i = 0; i < graph.edge_count; i++)
			edges[i] = (struct tg_edge){below(graph.node_count), below(graph.node_count), i, 1,
						    low + below(8)};
		struct tg_route_request request = {
			.size = sizeof request, .max_hops = 1 + below(TG_PATH_HOPS_MAX), .max_paths = 1 + below(10)};
		request.from = below(graph.node_count);
		request.to = (request.from + 1 + below(graph.node_count - 1)) % graph.node_count;
		found_count = 0;
		brute(&graph, request.from, request.to, request.max_hops, 1u << request.from, (struct tg_path){0});
		qsort(found, found_count, sizeof *found, by_order);
		uint32_t want = found_count < request.max_paths ? found_count : request.max_paths;
		wrong += api->load(self, &graph, NULL) != TG_OK;
		memset(edges, 0xff, sizeof edges); /* it was copied */
		int32_t got = api->paths(self, &request, paths, NULL);
		wrong += got != (int32_t)want;
		for (uint32_t i = 0; got == (int32_t)want && i < want; i++)
			wrong += !path_equal(&paths[i], &found[i]);
		answers += want;
		empty += want == 0;
	}
	is_int(wrong, 0, "3000 random graphs: the same %u paths in the same order", answers);
	ok(empty > 0 && answers > 3000, "of which %u without a way", empty);
	api->destroy(self);
	api->destroy(NULL);
}

static void refusals(void)
{
	void *self = router_make();
	struct tg_edge edges[] = {{0, 1, 0, 1, 5}, {1, 2, 1, 1, 5}};
	struct tg_edge far = {0, 9, 0, 1, 0}, heavy = {0, 1, 0, 1, INT64_MAX}, light = {0, 1, 0, 1, INT64_MIN};
	struct tg_graph graph = {sizeof graph, 3, edges, 2, 0}, none = {sizeof none, 0, NULL, 0, 0};
	struct tg_graph bad[] = {
		{sizeof graph, 3, &far, 1, 0}, {sizeof graph, 3, &heavy, 1, 0}, {sizeof graph, 3, &light, 1, 0}};
	struct tg_path path;
	struct tg_route_request request = {sizeof request, 0, 2, 2, 1, 0};
	is_int(api->paths(self, &request, &path, NULL), TG_ERR_INVALID, "no graph");
	is_int(api->load(self, &graph, NULL), TG_OK, "a graph");
	is_int(api->paths(self, &request, &path, NULL), 1, "one way");
	ok(path.hops == 2 && path.edges[0] == 0 && path.edges[1] == 1 && path.weight == 10, "by its two edges");
	for (size_t i = 0; i < 3; i++) {
		struct tg_error error = tg_error_init();
		is_int(api->load(self, &bad[i], &error), TG_ERR_INVALID, "bad graph %zu: %s", i, error.message);
	}
	is_int(api->paths(self, &request, &path, NULL), 1, "a refused graph leaves the old one");
	static const struct {
		uint32_t from, to, hops, paths;
	} requests[] = {{3, 0, 2, 1}, {0, 3, 2, 1}, {1, 1, 2, 1}, {0, 2, 0, 1}, {0, 2, 9, 1}, {0, 2, 2, 0}};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct tg_error error = tg_error_init();
		request = (struct tg_route_request){sizeof request,   requests[i].from,  requests[i].to,
						    requests[i].hops, requests[i].paths, 0};
		is_int(api->paths(self, &request, &path, &error), TG_ERR_INVALID, "bad request %zu: %s", i,
		       error.message);
	}
	is_int(api->load(self, &none, NULL), TG_OK, "an empty graph");
	request = (struct tg_route_request){sizeof request, 0, 1, 1, 1, 0};
	is_int(api->paths(self, &request, &path, NULL), TG_ERR_INVALID, "has no nodes");
	api->destroy(self);
}

#define CURRENCIES 300
#define MARKETS 600

/* 300 currencies around four quotes, 600 markets, both sides each; rates agree but for fees and noise, as on an
 * exchange, so that bounds cut least. Reported, not judged: machines differ. */
static void hub_graph(void)
{
	static struct tg_edge edges[2 * MARKETS];
	int64_t price[CURRENCIES];
	void *self = router_make();
	struct tg_path paths[10];
	struct timespec from, to;
	for (uint32_t i = 0; i < CURRENCIES; i++)
		price[i] = (int64_t)below(2000000000) * 10;
	for (uint32_t m = 0; m < MARKETS; m++) {
		uint32_t base = m < CURRENCIES - 4 ? 4 + m : 4 + below(CURRENCIES - 4), quote = below(4);
		int64_t rate = price[base] - price[quote];
		edges[2 * m] = (struct tg_edge){base, quote, m, 2, rate + 1000000 + below(500000)};
		edges[2 * m + 1] = (struct tg_edge){quote, base, m, 1, 1000000 - rate + below(500000)};
	}
	struct tg_graph graph = {sizeof graph, CURRENCIES, edges, 2 * MARKETS, 0};
	api->load(self, &graph, NULL);
	for (uint32_t hops = 4; hops <= 6; hops++) {
		struct tg_route_request request = {sizeof request, 17, 0, hops, 10, 0};
		clock_gettime(CLOCK_MONOTONIC, &from);
		int32_t count = api->paths(self, &request, paths, NULL);
		clock_gettime(CLOCK_MONOTONIC, &to);
		ok(count > 0, "a hub graph of 300 currencies and 600 markets: %d paths of at most %u hops", count,
		   hops);
		printf("# %ld us\n", (to.tv_sec - from.tv_sec) * 1000000L + (to.tv_nsec - from.tv_nsec) / 1000);
	}
	api->destroy(self);
}

int main(int argc, char **argv)
{
	void *module = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	const struct tg_entry *entry = module ? dlsym(module, "tg_plugin_entry") : NULL;
	if (!entry) {
		printf("Bail out! %s\n", argc > 1 ? dlerror() : "no module given");
		return 1;
	}
	api = entry->api;
	ok(entry->magic == TG_MAGIC && entry->kind == TG_KIND_ROUTER, "the entry");
	against_brute_force();
	refusals();
	hub_graph();
	return tap_done();
}
