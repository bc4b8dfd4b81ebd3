/* The way up: each step asks one thing, and is taken again until it succeeds, also without a network.
 *
 *   TIME -> INFO -> RIGHTS -> TRADER -> DONE
 *                     |
 *                     +-> REFUSED (a key that may withdraw)
 *
 * Without a key RIGHTS and TRADER are left out. Owner: the connector. */
#ifndef TRIGATE_EXCHANGES_BINANCE_START_H
#define TRIGATE_EXCHANGES_BINANCE_START_H

#include <stdbool.h>
#include <stdint.h>

struct spot;

enum start_state { START_TIME, START_INFO, START_RIGHTS, START_TRADER, START_DONE, START_REFUSED };

struct start {
	enum start_state state;
	bool asking;
	int64_t due_ns;
	uint32_t failures; /* of this step, in turn */
};

void start_step(struct spot *spot, int64_t now_ns);
int64_t start_wake(const struct spot *spot);
/* Nothing is left to be asked: link UP is a matter of connections. */
bool start_is_done(const struct spot *spot);

#endif
