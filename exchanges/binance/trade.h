/* The trader's connections, and what it has to say to its owner. */
#ifndef TRIGATE_EXCHANGES_BINANCE_TRADE_H
#define TRIGATE_EXCHANGES_BINANCE_TRADE_H

#include <stdint.h>

struct spot;

/* TG_OK or TG_ERR_NO_MEMORY. [control] */
int trade_create(struct spot *spot);
void trade_destroy(struct spot *spot);
void trade_stop(struct spot *spot);

void trade_step(struct spot *spot, int64_t now_ns);
int64_t trade_wake(const struct spot *spot);

#endif
