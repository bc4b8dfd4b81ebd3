/* The igraph router: exact k best simple paths with a hop limit.
 *
 * igraph holds the graph and lists the edges at a node. Its own k-best algorithm (Yen over Dijkstra) is of no use here:
 * it refuses negative weights, knows no hop limit, sees no negative loop and counts in doubles; potentials that would
 * make weights positive do not exist when there is a negative loop, which is what an arbitrage is. So the search is
 * ours:
 *
 *   1. least[h][v] = least weight of any walk of at most h hops from v to the target (dynamic programming over hops,
 *      as in Bellman and Ford). It never exceeds the weight of a simple path, negative loops or not.
 *   2. Depth-first over simple paths from the start; a branch is cut when its weight so far plus least[hops left][node]
 *      is worse than the worst of max_paths paths found. Edges are tried cheapest first, so good paths come early.
 *
 * Everything is int64. Without the cut a search visits every simple path of max_hops hops; see README.md of this
 * folder. igraph is not thread-safe as packaged; all router calls come from one thread (router.h). */
#include <igraph/igraph.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>
#include <trigate/router.h>

#define WEIGHT_MAX (INT64_MAX / (2 * TG_PATH_HOPS_MAX)) /* sums of a path's weights cannot overflow */
#define NO_WAY INT64_MAX

TG_MANIFEST({
	"id" : "igraph",
	"kind" : "router",
	"version" : "0.1.0",
	"abi" : "0.1",
	"description" : "Exact best paths within a hop limit, on igraph",
	"licence" : "MIT (links igraph, GPL-2.0-or-later)",
	"capabilities" : {},
	"config" : {"type" : "object", "additionalProperties" : false, "properties" : {}}
});

struct router {
	bool loaded;
	igraph_t graph;
	igraph_inclist_t out; /* edge ids at each node, cheapest first */
	uint32_t node_count;
	uint32_t edge_count;
	struct tg_edge *edges;
	int64_t *least; /* [hops][node], hops 0..TG_PATH_HOPS_MAX */
	uint8_t *on_path;
};

/* ----------------------------------------------------------------- graph */

static void graph_drop(struct router *router)
{
	if (router->loaded) {
		igraph_inclist_destroy(&router->out);
		igraph_destroy(&router->graph);
	}
	free(router->edges);
	free(router->least);
	free(router->on_path);
	*router = (struct router){0};
}

static int32_t graph_check(const struct tg_graph *graph, struct tg_error *ret_error)
{
	for (uint32_t i = 0; i < graph->edge_count; i++) {
		const struct tg_edge *edge = &graph->edges[i];
		if (edge->from >= graph->node_count || edge->to >= graph->node_count)
			return tg_error_set(ret_error, TG_ERR_INVALID, "edge %u joins %u and %u; there are %u nodes", i,
					    edge->from, edge->to, graph->node_count);
		if (edge->weight > WEIGHT_MAX || edge->weight < -WEIGHT_MAX)
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "edge %u weighs %lld; at most %lld either way is allowed", i,
					    (long long)edge->weight, (long long)WEIGHT_MAX);
	}
	return TG_OK;
}

static int32_t arrays_make(struct router *router, const struct tg_graph *graph)
{
	router->node_count = graph->node_count;
	router->edge_count = graph->edge_count;
	router->edges = calloc((size_t)graph->edge_count + 1, sizeof *router->edges);
	router->least = calloc(((size_t)graph->node_count + 1) * (TG_PATH_HOPS_MAX + 1), sizeof *router->least);
	router->on_path = calloc((size_t)graph->node_count + 1, 1);
	if (!router->edges || !router->least || !router->on_path)
		return TG_ERR_NO_MEMORY;
	if (graph->edge_count > 0)
		memcpy(router->edges, graph->edges, graph->edge_count * sizeof *router->edges);
	return TG_OK;
}

static int edge_compare(const void *a, const void *b, void *ctx)
{
	const struct tg_edge *edges = ctx;
	igraph_integer_t left = *(const igraph_integer_t *)a, right = *(const igraph_integer_t *)b;
	int64_t x = edges[left].weight, y = edges[right].weight;

	return x != y ? (x > y) - (x < y) : (left > right) - (left < right);
}

static void out_sort(struct router *router)
{
	for (uint32_t node = 0; node < router->node_count; node++) {
		igraph_vector_int_t *list = igraph_inclist_get(&router->out, node);
		qsort_r(VECTOR(*list), (size_t)igraph_vector_int_size(list), sizeof(igraph_integer_t), edge_compare,
			router->edges);
	}
}

static int32_t graph_make(struct router *router, const struct tg_graph *graph)
{
	igraph_vector_int_t ends;

	if (igraph_vector_int_init(&ends, 2 * (igraph_integer_t)graph->edge_count) != IGRAPH_SUCCESS)
		return TG_ERR_NO_MEMORY;
	for (uint32_t i = 0; i < graph->edge_count; i++) {
		VECTOR(ends)[2 * (igraph_integer_t)i] = graph->edges[i].from;
		VECTOR(ends)[2 * (igraph_integer_t)i + 1] = graph->edges[i].to;
	}
	igraph_error_t result = igraph_create(&router->graph, &ends, graph->node_count, IGRAPH_DIRECTED);
	igraph_vector_int_destroy(&ends);
	if (result != IGRAPH_SUCCESS)
		return TG_ERR_NO_MEMORY;
	if (igraph_inclist_init(&router->graph, &router->out, IGRAPH_OUT, IGRAPH_NO_LOOPS) != IGRAPH_SUCCESS) {
		igraph_destroy(&router->graph);
		return TG_ERR_NO_MEMORY;
	}
	router->loaded = true;
	out_sort(router);
	return TG_OK;
}

static int32_t router_load(void *self, const struct tg_graph *graph, struct tg_error *ret_error)
{
	struct router *router = self, next = {0};
	int32_t status = graph_check(graph, ret_error);

	if (status != TG_OK)
		return status;
	status = arrays_make(&next, graph);
	if (status == TG_OK)
		status = graph_make(&next, graph);
	if (status != TG_OK) {
		graph_drop(&next);
		return tg_error_set(ret_error, status, "out of memory for a graph of %u nodes and %u edges",
				    graph->node_count, graph->edge_count);
	}
	graph_drop(router);
	*router = next;
	return TG_OK;
}

/* ---------------------------------------------------------------- search */

struct search {
	struct router *router;
	uint32_t to;
	uint32_t max_paths;
	uint32_t count;
	struct tg_path *best; /* sorted; the caller's */
	struct tg_path path;  /* so far */
};

static int path_compare(const struct tg_path *a, const struct tg_path *b)
{
	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	if (a->hops != b->hops)
		return a->hops < b->hops ? -1 : 1;
	for (uint32_t i = 0; i < a->hops; i++)
		if (a->edges[i] != b->edges[i])
			return a->edges[i] < b->edges[i] ? -1 : 1;
	return 0;
}

static void least_fill(struct router *router, uint32_t to, uint32_t max_hops)
{
	size_t nodes = router->node_count;

	for (size_t node = 0; node < nodes; node++)
		router->least[node] = node == to ? 0 : NO_WAY;
	for (uint32_t hops = 1; hops <= max_hops; hops++) {
		const int64_t *before = router->least + (hops - 1) * nodes;
		int64_t *now = router->least + hops * nodes;
		memcpy(now, before, nodes * sizeof *now);
		for (uint32_t i = 0; i < router->edge_count; i++) {
			const struct tg_edge *edge = &router->edges[i];
			if (before[edge->to] != NO_WAY && edge->weight + before[edge->to] < now[edge->from])
				now[edge->from] = edge->weight + before[edge->to];
		}
	}
}

/* Put the finished path among the best, if it is one of them. */
static void path_keep(struct search *search)
{
	uint32_t at = search->count;

	if (at == search->max_paths && path_compare(&search->path, &search->best[at - 1]) >= 0)
		return;
	if (at == search->max_paths)
		at--;
	else
		search->count++;
	for (; at > 0 && path_compare(&search->path, &search->best[at - 1]) < 0; at--)
		search->best[at] = search->best[at - 1];
	search->best[at] = search->path;
}

/* Can a path that goes on from `node` still be among the best? A tie in weight can: hops and edges decide it. */
static bool worth(const struct search *search, uint32_t node, uint32_t hops_left)
{
	int64_t least = search->router->least[(size_t)hops_left * search->router->node_count + node];

	if (least == NO_WAY)
		return false;
	return search->count < search->max_paths ||
	       search->path.weight + least <= search->best[search->count - 1].weight;
}

static void path_extend(struct search *search, uint32_t node, uint32_t hops_left)
{
	struct router *router = search->router;
	const igraph_vector_int_t *out = igraph_inclist_get(&router->out, node);
	igraph_integer_t count = igraph_vector_int_size(out);

	router->on_path[node] = 1;
	for (igraph_integer_t i = 0; i < count; i++) {
		uint32_t id = (uint32_t)VECTOR(*out)[i];
		const struct tg_edge *edge = &router->edges[id];
		if (router->on_path[edge->to])
			continue;
		search->path.edges[search->path.hops++] = id;
		search->path.weight += edge->weight;
		if (edge->to == search->to)
			path_keep(search);
		else if (hops_left > 1 && worth(search, edge->to, hops_left - 1))
			path_extend(search, edge->to, hops_left - 1);
		search->path.weight -= edge->weight;
		search->path.edges[--search->path.hops] = 0;
	}
	router->on_path[node] = 0;
}

static int32_t request_check(const struct router *router, const struct tg_route_request *request,
			     struct tg_error *ret_error)
{
	if (!router->loaded)
		return tg_error_set(ret_error, TG_ERR_INVALID, "no graph is loaded");
	if (request->from >= router->node_count || request->to >= router->node_count || request->from == request->to)
		return tg_error_set(ret_error, TG_ERR_INVALID, "from %u to %u: two different nodes below %u are needed",
				    request->from, request->to, router->node_count);
	if (request->max_hops < 1 || request->max_hops > TG_PATH_HOPS_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "max_hops %u; 1 to %d are allowed", request->max_hops,
				    TG_PATH_HOPS_MAX);
	if (request->max_paths < 1 || request->max_paths > INT32_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "max_paths %u; 1 or more are needed",
				    request->max_paths);
	return TG_OK;
}

static int32_t router_paths(void *self, const struct tg_route_request *request, struct tg_path *ret_paths,
			    struct tg_error *ret_error)
{
	struct router *router = self;
	int32_t status = request_check(router, request, ret_error);

	if (status != TG_OK)
		return status;
	struct search search = {
		.router = router, .to = request->to, .max_paths = request->max_paths, .best = ret_paths};
	least_fill(router, request->to, request->max_hops);
	if (worth(&search, request->from, request->max_hops))
		path_extend(&search, request->from, request->max_hops);
	return (int32_t)search.count;
}

/* ----------------------------------------------------------------- entry */

static int32_t router_create(const struct tg_host *host, const struct tg_config *config, void **ret_self,
			     struct tg_error *ret_error)
{
	struct router *router = calloc(1, sizeof *router);

	(void)host;
	(void)config;
	if (!router)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	/* igraph's own handlers print and abort; no abort crosses the border */
	igraph_set_error_handler(igraph_error_handler_ignore);
	igraph_set_warning_handler(igraph_warning_handler_ignore);
	*ret_self = router;
	return TG_OK;
}

static void router_destroy(void *self)
{
	if (!self)
		return;
	graph_drop(self);
	free(self);
}

static const void *router_extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

static const struct tg_router_api api = {
	.size = sizeof api,
	.create = router_create,
	.destroy = router_destroy,
	.load = router_load,
	.paths = router_paths,
	.extension = router_extension,
};

TG_PLUGIN(TG_KIND_ROUTER, "igraph", "0.1.0", &api);
