/* All directed cycles over the markets, enumerated once, and the screen that a tick runs. Owner: the loop thread.
 *
 * A directed cycle is a sequence of edges without repeated currency, whatever its start; it is kept once, rotated so
 * that it begins with the edge from its start currency (see cycles_build). Ids 2n and 2n + 1 are the two directions of
 * one cycle; cycles of three come first. */
#ifndef TRIGATE_CORE_ARBITRAGE_CYCLES_H
#define TRIGATE_CORE_ARBITRAGE_CYCLES_H

#include "core/market/market.h"

struct cycle_def {
	uint32_t legs;
	uint32_t edge[CYCLE_LEGS_MAX];
};

struct cycles;

struct cycles_options {
	uint32_t max_legs;     /* 3..CYCLE_LEGS_MAX */
	const uint32_t *start; /* currencies a cycle may start in, in order of preference; NULL: any, then the */
	uint32_t start_count;  /* alphabetically first currency of the cycle is its start */
	const uint8_t *market_excluded; /* by market id, 1: not used; NULL: all are */
};

/* Enumerate. Errors: TG_ERR_LIMIT (more than CYCLES_MAX; the message says what to narrow), TG_ERR_NO_MEMORY. */
int cycles_build(const struct markets *markets, const struct cycles_options *options, struct cycles **ret_cycles,
		 struct tg_error *ret_error);
void cycles_destroy(struct cycles *cycles);

uint32_t cycles_count(const struct cycles *cycles);
const struct cycle_def *cycles_get(const struct cycles *cycles, uint32_t id);
uint32_t cycles_triangles(const struct cycles *cycles); /* sets of three currencies with a cycle that was kept */
uint32_t cycles_touching(const struct cycles *cycles, uint32_t market); /* how many cycles a tick on it touches */

/* The rate table: what one unit of an edge's `from` becomes at the top of the book after the taker fee; 0 where there
 * is no quote or no trading. Doubles: they screen only. Relative error under 1e-14. */
void cycles_rate_update(struct cycles *cycles, const struct markets *markets, uint32_t market); /* [hot] */

struct candidate {
	uint32_t cycle;
	double gross; /* product of the rates; 1.0 is break-even */
};

/* Cycles through `market` whose product of rates is at least `least`, best first, at most `room` of them (the best).
 * Returns how many. [hot] */
uint32_t cycles_screen(const struct cycles *cycles, uint32_t market, double least, struct candidate *ret_candidates,
		       uint32_t room);

#endif
