/* A listening TCP socket, and the clients that came to it. Owner: the server. */
#ifndef TRIGATE_VENUE_BINANCE_LISTENER_H
#define TRIGATE_VENUE_BINANCE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/error.h>

/* Listen at a numeric address or localhost; port 0: any that is free. Returns the descriptor, non-blocking, or
 * TG_ERR_INVALID, TG_ERR_EXISTS (somebody listens there) or TG_ERR_IO with a message. */
int listener_open(const char *host, uint16_t port, uint16_t *ret_port, struct tg_error *ret_error);
bool listener_is_local(const char *host); /* only programs of this machine can reach it */

/* The next client: its descriptor, non-blocking, and a number that stands for its address. -1: nobody waits; -2: there
 * are no descriptors left, ask again later. */
int listener_accept(int listener, uint64_t *ret_address);

#endif
