/* What a venue does to an order without being asked: it refuses it, leaves some of it unmatched, or calls what is left
 * cancelled. By fault. Owner: whoever has the venue. */
#ifndef TRIGATE_SIMULATION_ORDER_WHIMS_H
#define TRIGATE_SIMULATION_ORDER_WHIMS_H

#include "simulation/ground.h"
#include "venue/venue.h"

struct order_whims {
	const struct ground *ground;
	const char *who; /* in the trace */
	uint32_t index;  /* of the venue */
	const struct venue *venue;
};

/* Set refuse, withhold and cancels of an order that is about to be placed. */
void order_whims_ask(const struct order_whims *whims, struct venue_request *order);

#endif
