#include "core/arbitrage/graph.h"

#include <assert.h>
#include <stdlib.h>

/* A directed edge while sorting. */
struct arc {
	uint32_t from;
	uint32_t to;
	uint32_t edge;
};

static int arc_order(const void *a, const void *b)
{
	const struct arc *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->edge < y->edge ? -1 : x->edge > y->edge;
}

static uint32_t arcs_list(const struct markets *markets, const uint8_t *excluded, struct arc *arc)
{
	uint32_t count = 0;

	for (uint32_t id = 0; id < markets->market_count; id++) {
		if (excluded && excluded[id])
			continue;
		for (uint32_t edge = 2 * id; edge < 2 * id + 2; edge++)
			arc[count++] = (struct arc){edge_from(markets, edge), edge_to(markets, edge), edge};
	}
	qsort(arc, count, sizeof *arc, arc_order);
	return count;
}

static void graph_fill(struct graph *graph, const struct arc *arc, uint32_t count)
{
	uint32_t held = 0, node = 0;

	for (uint32_t i = 0; i < count; i++) {
		bool same = i > 0 && arc[i - 1].from == arc[i].from && arc[i - 1].to == arc[i].to;
		while (node <= arc[i].from)
			graph->begin[node++] = held;
		graph->edge[i] = arc[i].edge;
		if (!same)
			graph->neighbour[held++] = (struct neighbour){arc[i].to, i, i};
		graph->neighbour[held - 1].edge_end = i + 1;
		graph->adjacent[(size_t)arc[i].from * graph->row_words + arc[i].to / 64] |= UINT64_C(1)
											    << arc[i].to % 64;
	}
	while (node <= graph->node_count)
		graph->begin[node++] = held;
}

int graph_init(struct graph *graph, const struct markets *markets, const uint8_t *excluded)
{
	size_t arcs = 2 * (size_t)markets->market_count;
	size_t nodes = markets->currency_count;
	struct arc *arc = malloc((arcs + 1) * sizeof *arc);

	*graph = (struct graph){.node_count = (uint32_t)nodes, .row_words = (uint32_t)(nodes + 63) / 64};
	graph->begin = calloc(nodes + 1, sizeof *graph->begin);
	graph->neighbour = malloc((arcs + 1) * sizeof *graph->neighbour);
	graph->edge = malloc((arcs + 1) * sizeof *graph->edge);
	graph->adjacent = calloc(nodes * graph->row_words + 1, sizeof *graph->adjacent);
	if (!arc || !graph->begin || !graph->neighbour || !graph->edge || !graph->adjacent) {
		free(arc);
		graph_finish(graph);
		return TG_ERR_NO_MEMORY;
	}
	graph_fill(graph, arc, arcs_list(markets, excluded, arc));
	free(arc);
	return TG_OK;
}

void graph_finish(struct graph *graph)
{
	free(graph->begin);
	free(graph->neighbour);
	free(graph->edge);
	free(graph->adjacent);
	*graph = (struct graph){0};
}

const struct neighbour *graph_neighbour(const struct graph *graph, uint32_t from, uint32_t to)
{
	uint32_t low = graph->begin[from], high = graph->begin[from + 1];

	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;
		if (graph->neighbour[middle].to <= to)
			low = middle;
		else
			high = middle;
	}
	assert(graph->neighbour[low].to == to);
	return &graph->neighbour[low];
}
