/* The listener on the network: tells the observer what leaves each gateway's machine and what the market's status is as
 * far as the gateway was told. It knows the wire, and nothing of either end. Owner: one world. */
#ifndef TRIGATE_SIMULATION_LISTENER_H
#define TRIGATE_SIMULATION_LISTENER_H

#include "simulation/network.h"
#include "simulation/observer.h"

struct listener;
int listener_create(struct observer *observer, struct listener **ret_listener);
void listener_destroy(struct listener *listener); /* NULL is allowed */
/* Borrowed: for network_set_tap. */
const struct network_tap *listener_tap(struct listener *listener);

#endif
