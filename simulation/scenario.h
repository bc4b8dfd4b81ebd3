/* A scenario: who is in a world and how it is set up, as a seed or a user's files say. Pure: the same seed, the same
 * scenario. */
#ifndef TRIGATE_SIMULATION_SCENARIO_H
#define TRIGATE_SIMULATION_SCENARIO_H

#include "core/config/config.h"
#include "simulation/run.h"
#include "venue/venue.h"

struct scenario {
	int64_t duration_ns; /* faults strike and cycles are begun so long; then it comes to rest */
	uint32_t venues;
	uint32_t gateways;
	bool binance; /* the venues are Binance's, and the gateways have its connector */
	struct venue_options venue[VENUES_MAX];
	struct {
		struct gateway_config *config;
		struct strategy_config *strategy;
		uint32_t venue;
		uint64_t seed;
		const char *stream, *speed; /* Binance: what its connector is set to */
		bool ed25519;               /* Binance: the kind of its key */
		uint32_t streamed;          /* Binance: levels a side that its streams tell; 0: all */
	} gateway[GATEWAYS_MAX];
	void *memory; /* private: what the options point to */
};

/* Errors (of files, or of options that ask for what cannot be) carry a message. */
int scenario_make(const struct run_options *options, struct scenario *ret_scenario, struct tg_error *ret_error);
void scenario_clear(struct scenario *scenario);

#endif
