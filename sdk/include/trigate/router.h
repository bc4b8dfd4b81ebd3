/* trigate plugin ABI 0.1: routers (TG_KIND_ROUTER): the best ways from one currency to another.
 *
 * The graph's nodes are currencies, its edges one side of one market. An edge's weight is -ln(rate)*1e9, rounded up,
 * where rate is units of `to` received for one unit of `from` after fees: weights add up along a path and the least is
 * best. They are scores that propose; money decides later, exactly. Weights may be negative and so may loops.
 *
 * All calls on all instances of all routers come from one thread. [io] below means that.
 */
#ifndef TRIGATE_ROUTER_H
#define TRIGATE_ROUTER_H

#include <trigate/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TG_PATH_HOPS_MAX 8

struct tg_edge {
	uint32_t from; /* node */
	uint32_t to;
	uint32_t market; /* the host's; comes back untouched */
	int32_t side;    /* TG_SIDE_: the order that walks the edge */
	int64_t weight;
};

struct tg_graph {
	uint32_t size;
	uint32_t node_count;
	const struct tg_edge *edges;
	uint32_t edge_count;
	uint32_t reserved;
};

struct tg_route_request {
	uint32_t size;
	uint32_t from;
	uint32_t to;        /* other than from */
	uint32_t max_hops;  /* 1..TG_PATH_HOPS_MAX */
	uint32_t max_paths; /* room in ret_paths, >= 1 */
	uint32_t reserved;
};

struct tg_path {
	uint32_t hops;
	uint32_t edges[TG_PATH_HOPS_MAX]; /* indices into the graph's edges, in order */
	uint32_t reserved;
	int64_t weight; /* sum */
};

struct tg_router_api {
	uint32_t size;
	uint32_t reserved;
	/* [control] */
	int32_t (*create)(const struct tg_host *host, const struct tg_config *config, void **ret_self,
			  struct tg_error *ret_error);
	void (*destroy)(void *self); /* [control] NULL is allowed */
	/* [io] Replace the graph; it is copied. */
	int32_t (*load)(void *self, const struct tg_graph *graph, struct tg_error *ret_error);
	/* [io] Paths without repeated nodes, best first (ties: fewer hops, then lower edge indices). Returns how many;
	 * 0: no way. TG_ERR_INVALID: unknown node. */
	int32_t (*paths)(void *self, const struct tg_route_request *request, struct tg_path *ret_paths,
			 struct tg_error *ret_error);
	/* [any] A further vtable by id, or NULL. */
	const void *(*extension)(void *self, struct tg_str id);
};

#ifdef __cplusplus
}
#endif
#endif
