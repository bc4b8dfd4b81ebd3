/* Made-up markets: makers quote around fundamental values that wander; now and then a value jumps while one cross
 * market lags behind, so that a triangle through USDT is mispriced, until rivals take it or its makers notice.
 * Lifetimes are Pareto distributed. Owner: one venue. A pure function of seed, run and of what is traded. */
#ifndef TRIGATE_VENUE_MAKER_H
#define TRIGATE_VENUE_MAKER_H

#include "venue/random.h"
#include "venue/world.h"

struct maker_options {
	uint64_t seed;
	uint64_t run;
	int64_t step_ms;
	int64_t opportunities_per_minute;
	int64_t lifetime_ms; /* the shortest; the mean is four times as long */
	uint32_t levels;     /* a side */
	double taker_rate;   /* 0.00075 for 7.5 bps: a mispricing pays for three such fees */
};

struct maker;

/* Give makers and rivals their stock of every currency that is worth something. */
void makers_fund(struct engine *engine, const double *value);

/* value (of a unit in USDT, by currency; 0: only held) is copied. TG_OK or TG_ERR_NO_MEMORY. */
int32_t maker_create(const struct maker_options *options, struct engine *engine, const double *value,
		     struct maker **ret_maker);
void maker_destroy(struct maker *maker);

/* Quote every market once: where it begins. */
void maker_open(struct maker *maker);
/* One step: values move, lags begin and end, affected markets are quoted anew. */
void maker_step(struct maker *maker);
/* Quote a market anew in this step, whatever the makers think (its filters changed). */
void maker_requote(struct maker *maker, uint32_t market);
/* How many mispricings began so far. */
uint64_t maker_lag_count(const struct maker *maker);

#endif
