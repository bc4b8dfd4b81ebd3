/* The first book of markets whose stream tells changes only: a quiet one would have none for hours. GET
 * /api/v3/ticker/bookTicker has the best bid and ask of all markets at once, but no update id. So it is asked only
 * after the market's stream is up, and what it says is taken only where no frame has come until then: whatever changes
 * meanwhile comes as a frame, and replaces it. Owner: the connector. */
#ifndef TRIGATE_EXCHANGES_BINANCE_QUIET_H
#define TRIGATE_EXCHANGES_BINANCE_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#include "exchanges/binance/bounds.h"

struct spot;

enum quiet_state { QUIET_NONE, QUIET_WANTED, QUIET_ASKED };

struct quiet {
	uint8_t state[BINANCE_MARKETS_MAX];
	uint32_t wanted; /* so many are QUIET_WANTED */
	bool asking;
	int64_t due_ns;
	uint32_t failures;
};

/* This market has no book, and its stream is up. [io] */
void quiet_want(struct spot *spot, uint32_t market);
void quiet_step(struct spot *spot, int64_t now_ns);
int64_t quiet_wake(const struct spot *spot);

#endif
