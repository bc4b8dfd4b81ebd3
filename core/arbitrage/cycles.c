/* Enumeration. Every cycle has one currency that comes first in the order "start currencies by preference, then the
 * others by name". Paths grow from that root over currencies behind it only, and of the two directions the one whose
 * second currency comes before its last is walked: so each undirected cycle is met exactly once, already rotated. Its
 * directions get the ids 2n and 2n + 1.
 *
 * Screening. The two edges of a market are neighbours in the rate table, and so are the two directions of a cycle in
 * the index: one row per market and undirected cycle serves both. Rows of a market are contiguous, the short cycles
 * first: other edges of the direction that buys on this market (legs - 1), id of that direction The other direction
 * uses the same edges with their lowest bit flipped, and the id with its lowest bit flipped. */
#include "core/arbitrage/cycles.h"

#include <assert.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/arbitrage/graph.h"

#define CACHE_LINE 64

/* The index rows of one market. Small, for a tick on any market reads its own. */
struct span {
	uint32_t at;     /* first word in cycles.row */
	uint32_t threes; /* rows of three legs; those of longer cycles follow */
};

struct longer {
	uint32_t fours;
	uint32_t fives;
};

struct cycles {
	struct cycle_def *def;
	uint32_t count;
	uint32_t capacity;
	uint32_t triangles;
	uint32_t market_count;
	double *rate; /* by edge */
	struct span *span;
	struct longer *longer;
	bool has_longer; /* not only cycles of three */
	uint32_t *row;
};

/* ---- enumeration ---- */

struct search {
	const struct markets *markets;
	struct graph graph;
	uint32_t *rank;  /* of a currency */
	uint32_t *order; /* currency by rank */
	uint32_t roots;  /* ranks below it may start a cycle */
	uint32_t legs;
	uint32_t path[CYCLE_LEGS_MAX];
	struct cycles *cycles;
	struct tg_error *error;
};

struct named {
	const char *name;
	uint32_t id;
};

static int name_order(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* Start currencies by preference, then all others by name. */
static int search_rank(struct search *search, const struct cycles_options *options)
{
	uint32_t nodes = search->markets->currency_count, ranked = 0;
	struct named *by_name = malloc((nodes + 1) * sizeof *by_name);

	if (!by_name)
		return TG_ERR_NO_MEMORY;
	for (uint32_t i = 0; i < nodes; i++) {
		search->rank[i] = CURRENCY_NONE;
		by_name[i] = (struct named){search->markets->currency[i], i};
	}
	qsort(by_name, nodes, sizeof *by_name, name_order);
	for (uint32_t i = 0; options->start && i < options->start_count; i++)
		if (options->start[i] < nodes && search->rank[options->start[i]] == CURRENCY_NONE)
			search->rank[options->start[i]] = ranked++;
	search->roots = options->start ? ranked : nodes;
	for (uint32_t i = 0; i < nodes; i++)
		if (search->rank[by_name[i].id] == CURRENCY_NONE)
			search->rank[by_name[i].id] = ranked++;
	for (uint32_t i = 0; i < nodes; i++)
		search->order[search->rank[i]] = i;
	free(by_name);
	return TG_OK;
}

static int cycles_reserve(struct search *search)
{
	struct cycles *cycles = search->cycles;

	if (cycles->count + 2 > CYCLES_MAX)
		return tg_error_set(
			search->error, TG_ERR_LIMIT,
			"more than %d cycles of up to %u legs; allow fewer legs (max_legs), name fewer start "
			"currencies (allowed_base_currencies) or fewer markets (allowed_symbols, blacklisted_pairs)",
			CYCLES_MAX, search->legs);
	if (cycles->count + 2 <= cycles->capacity)
		return TG_OK;
	uint32_t capacity = cycles->capacity ? 2 * cycles->capacity : 4096;
	struct cycle_def *def = realloc(cycles->def, capacity * sizeof *def);
	if (!def)
		return tg_error_set(search->error, TG_ERR_NO_MEMORY, "out of memory for %u cycles", capacity);
	cycles->def = def;
	cycles->capacity = capacity;
	return TG_OK;
}

/* Keep the cycle over these edges, in both directions. */
static int cycle_add(struct search *search, const uint32_t *edge)
{
	int status = cycles_reserve(search);

	if (status != TG_OK)
		return status;
	struct cycle_def *def = &search->cycles->def[search->cycles->count];
	memset(def, 0, 2 * sizeof *def);
	def[0].legs = def[1].legs = search->legs;
	for (uint32_t i = 0; i < search->legs; i++) {
		def[0].edge[i] = edge[i];
		def[1].edge[search->legs - 1 - i] = edge[i] ^ 1;
	}
	search->cycles->count += 2;
	return TG_OK;
}

/* Every choice of one edge for each step of the path; `step` of them are made. */
static int edges_choose(struct search *search, uint32_t *edge, uint32_t step)
{
	if (step == search->legs)
		return cycle_add(search, edge);
	uint32_t to = step + 1 == search->legs ? search->path[0] : search->path[step + 1];
	const struct neighbour *neighbour = graph_neighbour(&search->graph, search->path[step], to);
	for (uint32_t i = neighbour->edge_begin; i < neighbour->edge_end; i++) {
		edge[step] = search->graph.edge[i];
		int status = edges_choose(search, edge, step + 1);
		if (status != TG_OK)
			return status;
	}
	return TG_OK;
}

static bool path_may_take(const struct search *search, uint32_t depth, uint32_t node)
{
	if (search->rank[node] <= search->rank[search->path[0]])
		return false;
	for (uint32_t i = 1; i < depth; i++)
		if (search->path[i] == node)
			return false;
	return true;
}

/* The last currency must be next to both ends of the path: look through the shorter of their neighbour lists. */
static int path_close(struct search *search)
{
	const struct graph *graph = &search->graph;
	uint32_t last = search->legs - 1;
	uint32_t root = search->path[0], end = search->path[last - 1];
	bool by_root = graph->begin[root + 1] - graph->begin[root] < graph->begin[end + 1] - graph->begin[end];
	uint32_t list = by_root ? root : end, other = by_root ? end : root;

	for (uint32_t i = graph->begin[list]; i < graph->begin[list + 1]; i++) {
		uint32_t node = graph->neighbour[i].to, edge[CYCLE_LEGS_MAX];
		if (!graph_adjacent(graph, other, node) || search->rank[node] <= search->rank[search->path[1]] ||
		    !path_may_take(search, last, node))
			continue;
		search->path[last] = node;
		search->cycles->triangles += search->legs == 3;
		int status = edges_choose(search, edge, 0);
		if (status != TG_OK)
			return status;
	}
	return TG_OK;
}

static int path_extend(struct search *search, uint32_t depth)
{
	if (depth + 1 == search->legs)
		return path_close(search);
	uint32_t end = search->path[depth - 1];
	for (uint32_t i = search->graph.begin[end]; i < search->graph.begin[end + 1]; i++) {
		if (!path_may_take(search, depth, search->graph.neighbour[i].to))
			continue;
		search->path[depth] = search->graph.neighbour[i].to;
		int status = path_extend(search, depth + 1);
		if (status != TG_OK)
			return status;
	}
	return TG_OK;
}

static int search_run(struct search *search, uint32_t max_legs)
{
	for (search->legs = CYCLE_LEGS_MIN; search->legs <= max_legs; search->legs++)
		for (uint32_t root = 0; root < search->roots; root++) {
			search->path[0] = search->order[root];
			int status = path_extend(search, 1);
			if (status != TG_OK)
				return status;
		}
	return TG_OK;
}

static int cycles_enumerate(struct cycles *cycles, const struct markets *markets, const struct cycles_options *options,
			    struct tg_error *ret_error)
{
	struct search search = {.markets = markets, .cycles = cycles, .error = ret_error};
	size_t nodes = (size_t)markets->currency_count + 1;
	int status = graph_init(&search.graph, markets, options->market_excluded);

	if (status != TG_OK)
		return tg_error_set(ret_error, status, "out of memory for the currency graph");
	search.rank = malloc(nodes * sizeof *search.rank);
	search.order = calloc(nodes, sizeof *search.order);
	if (!search.rank || !search.order || search_rank(&search, options) != TG_OK)
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory for the order of currencies");
	else
		status = search_run(&search, options->max_legs);
	free(search.order);
	free(search.rank);
	graph_finish(&search.graph);
	return status;
}

/* ---- the index ---- */

static void row_write(uint32_t *row, const struct cycle_def *def, uint32_t id, uint32_t leg)
{
	uint32_t flip = def->edge[leg] & 1; /* this direction sells: write the other one */

	for (uint32_t i = 0; i < def->legs; i++)
		if (i != leg)
			*row++ = def->edge[i] ^ flip;
	*row = id ^ flip;
}

static void row_count(struct cycles *cycles, uint32_t market, uint32_t legs)
{
	cycles->span[market].threes += legs == 3;
	cycles->longer[market].fours += legs == 4;
	cycles->longer[market].fives += legs == 5;
}

static void spans_place(struct cycles *cycles)
{
	uint32_t at = 0;

	for (uint32_t id = 0; id < cycles->count; id += 2)
		for (uint32_t i = 0; i < cycles->def[id].legs; i++)
			row_count(cycles, edge_market(cycles->def[id].edge[i]), cycles->def[id].legs);
	for (uint32_t market = 0; market < cycles->market_count; market++) {
		cycles->span[market].at = at;
		at += 3 * cycles->span[market].threes + 4 * cycles->longer[market].fours +
		      5 * cycles->longer[market].fives;
	}
	cycles->has_longer = cycles->count > 0 && cycles->def[cycles->count - 1].legs > CYCLE_LEGS_MIN;
}

static size_t rows_words(const struct cycles *cycles)
{
	size_t words = 1;

	for (uint32_t id = 0; id < cycles->count; id += 2)
		words += (size_t)cycles->def[id].legs * cycles->def[id].legs;
	return words;
}

/* Cycles come sorted by length, so that the rows of a market fill up in the right order. */
static void rows_fill(struct cycles *cycles, uint32_t *fill)
{
	for (uint32_t market = 0; market < cycles->market_count; market++)
		fill[market] = cycles->span[market].at;
	for (uint32_t id = 0; id < cycles->count; id += 2) {
		const struct cycle_def *def = &cycles->def[id];
		for (uint32_t leg = 0; leg < def->legs; leg++) {
			uint32_t *at = &fill[edge_market(def->edge[leg])];
			row_write(&cycles->row[*at], def, id, leg);
			*at += def->legs;
		}
	}
}

static int cycles_index(struct cycles *cycles, struct tg_error *ret_error)
{
	size_t markets = (size_t)cycles->market_count + 1;
	size_t rate_bytes = (2 * markets * sizeof *cycles->rate + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	uint32_t *fill = malloc(markets * sizeof *fill);

	cycles->rate = aligned_alloc(CACHE_LINE, rate_bytes);
	cycles->span = calloc(markets, sizeof *cycles->span);
	cycles->longer = calloc(markets, sizeof *cycles->longer);
	cycles->row = malloc(rows_words(cycles) * sizeof *cycles->row);
	if (!fill || !cycles->rate || !cycles->span || !cycles->longer || !cycles->row) {
		free(fill);
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory for the index of %u cycles",
				    cycles->count);
	}
	memset(cycles->rate, 0, rate_bytes);
	spans_place(cycles);
	rows_fill(cycles, fill);
	free(fill);
	return TG_OK;
}

int cycles_build(const struct markets *markets, const struct cycles_options *options, struct cycles **ret_cycles,
		 struct tg_error *ret_error)
{
	assert(options->max_legs >= CYCLE_LEGS_MIN && options->max_legs <= CYCLE_LEGS_MAX);
	struct cycles *cycles = calloc(1, sizeof *cycles);

	if (!cycles)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	cycles->market_count = markets->market_count;
	int status = cycles_enumerate(cycles, markets, options, ret_error);
	if (status == TG_OK)
		status = cycles_index(cycles, ret_error);
	if (status != TG_OK) {
		cycles_destroy(cycles);
		return status;
	}
	for (uint32_t market = 0; market < markets->market_count; market++)
		cycles_rate_update(cycles, markets, market);
	*ret_cycles = cycles;
	return TG_OK;
}

void cycles_destroy(struct cycles *cycles)
{
	if (!cycles)
		return;
	free(cycles->def);
	free(cycles->rate);
	free(cycles->span);
	free(cycles->longer);
	free(cycles->row);
	free(cycles);
}

uint32_t cycles_count(const struct cycles *cycles)
{
	return cycles->count;
}

const struct cycle_def *cycles_get(const struct cycles *cycles, uint32_t id)
{
	assert(id < cycles->count);
	return &cycles->def[id];
}

uint32_t cycles_triangles(const struct cycles *cycles)
{
	return cycles->triangles;
}

uint32_t cycles_touching(const struct cycles *cycles, uint32_t market)
{
	if (market >= cycles->market_count)
		return 0;
	return 2 * (cycles->span[market].threes + cycles->longer[market].fours + cycles->longer[market].fives);
}

/* ---- the screen ---- */

void cycles_rate_update(struct cycles *cycles, const struct markets *markets, uint32_t market)
{
	if (market >= cycles->market_count) /* added since: in no cycle yet */
		return;
	const struct market *from = &markets->market[market];
	int64_t ask = from->book.best_ask;
	cycles->rate[2 * market] = ask ? from->buy_unit / (double)ask : 0;
	cycles->rate[2 * market + 1] = from->sell_unit * (double)from->book.best_bid;
}

/* The best candidates so far, best first. */
struct ranking {
	struct candidate *list;
	uint32_t count;
	uint32_t room;
};

static bool candidate_before(struct candidate a, struct candidate b)
{
	return a.gross > b.gross || (!(a.gross < b.gross) && a.cycle < b.cycle);
}

static void ranking_add(struct ranking *ranking, struct candidate candidate)
{
	uint32_t at = ranking->count;

	if (at == ranking->room) {
		if (at == 0 || !candidate_before(candidate, ranking->list[at - 1]))
			return;
		at--;
	} else {
		ranking->count++;
	}
	for (; at > 0 && candidate_before(candidate, ranking->list[at - 1]); at--)
		ranking->list[at] = ranking->list[at - 1];
	ranking->list[at] = candidate;
}

/* The products of one row in both directions. The other legs' first: the rate of the market that ticked is a division
 * that has only just begun. Inlined with a constant number of legs: the loop unrolls. */
static inline __attribute__((always_inline)) void row_product(const double *rate, const uint32_t *row, uint32_t legs,
							      double *forward, double *reverse)
{
	double on = rate[row[0]], back = rate[row[0] ^ 1];
	for (uint32_t i = 1; i + 1 < legs; i++) {
		on *= rate[row[i]];
		back *= rate[row[i] ^ 1];
	}
	*forward *= on;
	*reverse *= back;
}

static inline __attribute__((always_inline)) const uint32_t *rows_screen(const double *rate, const uint32_t *row,
									 uint32_t rows, uint32_t legs, uint32_t market,
									 double least, struct ranking *ranking)
{
	for (; rows > 0; rows--, row += legs) {
		double forward = rate[2 * market], reverse = rate[2 * market + 1];
		row_product(rate, row, legs, &forward, &reverse);
		if (__builtin_expect(forward >= least, 0))
			ranking_add(ranking, (struct candidate){row[legs - 1], forward});
		if (__builtin_expect(reverse >= least, 0))
			ranking_add(ranking, (struct candidate){row[legs - 1] ^ 1, reverse});
	}
	return row;
}

/* Screen what is left of a market's rows: `threes` of three legs from `row` on, and all longer ones. */
static __attribute__((noinline)) uint32_t rows_rank(const struct cycles *cycles, uint32_t market, double least,
						    struct ranking ranking, const uint32_t *row, uint32_t threes)
{
	const struct longer *longer = &cycles->longer[market];

	row = rows_screen(cycles->rate, row, threes, 3, market, least, &ranking);
	row = rows_screen(cycles->rate, row, longer->fours, 4, market, least, &ranking);
	rows_screen(cycles->rate, row, longer->fives, 5, market, least, &ranking);
	return ranking.count;
}

/* Nearly all ticks make no candidate: they are done in the loop below, which calls nothing and keeps nothing. The first
 * row that passes goes on in rows_rank. */
uint32_t cycles_screen(const struct cycles *cycles, uint32_t market, double least, struct candidate *ret_candidates,
		       uint32_t room)
{
	if (market >= cycles->market_count)
		return 0;
	if (!(least > 0)) /* a product of 0 is a missing quote, never a candidate */
		least = DBL_MIN;
	const struct span *span = &cycles->span[market];
	const double *rate = cycles->rate, buy = rate[2 * market], sell = rate[2 * market + 1];
	const uint32_t *row = &cycles->row[span->at];
	uint32_t threes = span->threes;
	for (; threes > 0; threes--, row += 3) {
		double forward = buy, reverse = sell;
		row_product(rate, row, 3, &forward, &reverse);
		if (__builtin_expect((forward > reverse ? forward : reverse) >= least, 0))
			break;
	}
	if (threes == 0 && !cycles->has_longer)
		return 0;
	return rows_rank(cycles, market, least, (struct ranking){ret_candidates, 0, room}, row, threes);
}
