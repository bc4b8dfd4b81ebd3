/* Markets of a venue that halt, change their filters or go for good, by fault. Owner: whoever has the venue; its
 * world's thread. */
#ifndef TRIGATE_SIMULATION_MARKET_FAULTS_H
#define TRIGATE_SIMULATION_MARKET_FAULTS_H

#include "simulation/ground.h"
#include "venue/venue.h"

struct market_faults_options {
	struct ground *ground;
	const char *who; /* in the trace; lives as long as this */
	uint32_t index;  /* of the venue */
	struct venue *venue;
	void *ctx;
	void (*changed)(void *ctx);                 /* the venue has: tell those whom it concerns */
	void (*failed)(void *ctx, const char *why); /* memory, timers: the world is at its end */
};

struct market_faults {
	struct market_faults_options options;
	struct faulty_market *market;
	uint32_t delisted;
};

/* False: no memory. */
bool market_faults_init(struct market_faults *faults, const struct market_faults_options *options);
/* Also zeroed, or half built. */
void market_faults_finish(struct market_faults *faults);
/* Each second of the world. */
void market_faults_second(struct market_faults *faults);

#endif
