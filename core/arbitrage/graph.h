/* The currency graph that cycles are enumerated on: per currency its neighbours, per pair of neighbours the edges that
 * lead there (parallel markets give several). Owner: cycles_build, for the time of one enumeration. [control] */
#ifndef TRIGATE_CORE_ARBITRAGE_GRAPH_H
#define TRIGATE_CORE_ARBITRAGE_GRAPH_H

#include "core/market/market.h"

/* Edges [edge_begin, edge_end) of graph.edge lead to currency `to`. */
struct neighbour {
	uint32_t to;
	uint32_t edge_begin;
	uint32_t edge_end;
};

struct graph {
	uint32_t node_count;
	uint32_t *begin; /* neighbours of node n: [begin[n], begin[n + 1]), sorted by `to` */
	struct neighbour *neighbour;
	uint32_t *edge;
	uint64_t *adjacent; /* a bit for each ordered pair of nodes */
	uint32_t row_words;
};

/* Every market that is not excluded (by id; NULL: none is). Returns 0 or TG_ERR_NO_MEMORY. */
int graph_init(struct graph *graph, const struct markets *markets, const uint8_t *excluded);
void graph_finish(struct graph *graph);

static inline bool graph_adjacent(const struct graph *graph, uint32_t from, uint32_t to)
{
	return graph->adjacent[(size_t)from * graph->row_words + to / 64] >> (to % 64) & 1;
}

/* The neighbour `to` of `from`; they must be adjacent. */
const struct neighbour *graph_neighbour(const struct graph *graph, uint32_t from, uint32_t to);

#endif
