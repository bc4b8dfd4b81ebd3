/* What the account pays, asked for market by market (a weight of 20 each), in the order in which they were subscribed,
 * and again twice a day: fees follow volume, holdings and promotions. Until a market's are known the configured ones
 * hold. Owner: the connector. */
#ifndef TRIGATE_EXCHANGES_BINANCE_FEES_H
#define TRIGATE_EXCHANGES_BINANCE_FEES_H

#include <stdbool.h>
#include <stdint.h>

#include "exchanges/binance/bounds.h"

struct spot;

struct fees {
	uint32_t market[BINANCE_MARKETS_MAX];
	uint32_t count;
	uint32_t next; /* the one to ask for; count: the round is over */
	bool asking;
	int64_t due_ns;
	int64_t round_ns; /* when the round began */
	uint32_t failures;
};

void fees_add(struct spot *spot, uint32_t market);
void fees_step(struct spot *spot, int64_t now_ns);
int64_t fees_wake(const struct spot *spot);

#endif
