/* A router that knows ways of one or two hops: small enough to be read in a minute. No config. */
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>
#include <trigate/router.h>

TG_MANIFEST({
	"id" : "twohop",
	"kind" : "router",
	"version" : "1.0.0",
	"abi" : "0.1",
	"description" : "ways of one or two hops",
	"licence" : "MIT"
});

struct twohop {
	struct tg_edge *edges;
	uint32_t edge_count;
	uint32_t node_count;
};

static int32_t create(const struct tg_host *host, const struct tg_config *config, void **ret_self,
		      struct tg_error *ret_error)
{
	(void)host, (void)config;
	struct twohop *self = calloc(1, sizeof *self);
	if (!self)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the router");
	*ret_self = self;
	return TG_OK;
}

static void destroy(void *self)
{
	struct twohop *router = self;
	if (router)
		free(router->edges);
	free(router);
}

static int32_t load(void *self, const struct tg_graph *graph, struct tg_error *ret_error)
{
	struct twohop *router = self;
	for (uint32_t i = 0; i < graph->edge_count; i++)
		if (graph->edges[i].from >= graph->node_count || graph->edges[i].to >= graph->node_count)
			return tg_error_set(ret_error, TG_ERR_INVALID, "edge %u leads to an unknown node", (unsigned)i);
	struct tg_edge *edges = malloc(graph->edge_count * sizeof *edges + 1);
	if (!edges)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for %u edges", (unsigned)graph->edge_count);
	if (graph->edge_count > 0)
		memcpy(edges, graph->edges, graph->edge_count * sizeof *edges);
	free(router->edges);
	router->edges = edges;
	router->edge_count = graph->edge_count;
	router->node_count = graph->node_count;
	return TG_OK;
}

/* Lower weight, then fewer hops, then lower edges. */
static int is_better(const struct tg_path *a, const struct tg_path *b)
{
	if (a->weight != b->weight)
		return a->weight < b->weight;
	if (a->hops != b->hops)
		return a->hops < b->hops;
	return a->edges[0] != b->edges[0] ? a->edges[0] < b->edges[0] : a->edges[1] < b->edges[1];
}

/* The best so far, in order; a path that is worse than all of a full list falls out. */
struct best {
	struct tg_path *paths;
	uint32_t count;
	uint32_t room;
};

static void best_add(struct best *best, struct tg_path path)
{
	uint32_t at = best->count;
	while (at > 0 && is_better(&path, &best->paths[at - 1]))
		at--;
	if (at == best->room)
		return;
	if (best->count < best->room)
		best->count++;
	memmove(&best->paths[at + 1], &best->paths[at], (best->count - at - 1) * sizeof path);
	best->paths[at] = path;
}

static void second_hops(const struct twohop *router, uint32_t first, uint32_t to, struct best *best)
{
	const struct tg_edge *edge = &router->edges[first];
	for (uint32_t i = 0; i < router->edge_count; i++) {
		const struct tg_edge *next = &router->edges[i];
		if (next->from == edge->to && next->to == to)
			best_add(best, (struct tg_path){
					       .hops = 2, .edges = {first, i}, .weight = edge->weight + next->weight});
	}
}

static int32_t paths(void *self, const struct tg_route_request *request, struct tg_path *ret_paths,
		     struct tg_error *ret_error)
{
	const struct twohop *router = self;
	if (request->from >= router->node_count || request->to >= router->node_count)
		return tg_error_set(ret_error, TG_ERR_INVALID, "unknown node");
	struct best best = {ret_paths, 0, request->max_paths};
	for (uint32_t i = 0; i < router->edge_count; i++) {
		const struct tg_edge *edge = &router->edges[i];
		if (edge->from != request->from || edge->to == request->from)
			continue;
		if (edge->to == request->to)
			best_add(&best, (struct tg_path){.hops = 1, .edges = {i}, .weight = edge->weight});
		else if (request->max_hops >= 2)
			second_hops(router, i, request->to, &best);
	}
	return (int32_t)best.count;
}

static const void *extension(void *self, struct tg_str id)
{
	(void)self, (void)id;
	return NULL;
}

static const struct tg_router_api api = {
	.size = sizeof api, .create = create, .destroy = destroy, .load = load, .paths = paths, .extension = extension};

TG_PLUGIN(TG_KIND_ROUTER, "twohop", "1.0.0", &api);
