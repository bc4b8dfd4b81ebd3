/* The listener on the wires of gateways that trade on a simulated Binance: tells the observer what orders leave each
 * gateway's machine, what it is told of markets' statuses, and which markets' books it is told of. It reads the
 * messages for itself and knows nothing of either end. Owner: one world. */
#ifndef TRIGATE_SIMULATION_BINANCE_EAR_H
#define TRIGATE_SIMULATION_BINANCE_EAR_H

#include "simulation/net.h"
#include "simulation/observer.h"

struct binance_ear;
int binance_ear_create(struct observer *observer, struct binance_ear **ret_ear);
void binance_ear_destroy(struct binance_ear *ear); /* NULL is allowed */
/* Borrowed: for net_options. */
const struct net_tap *binance_ear_tap(struct binance_ear *ear);

#endif
