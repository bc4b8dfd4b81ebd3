/* The wire of a gateway that has none: tg.ws/1 and tg.http/1 whose other end is venue/binance in this process. Nothing
 * is encrypted or sent; what the gateway says is kept and given to the venue in a later turn, what the venue says to
 * the gateway in one after that, each in a pass of the gateway's loop as the real wire makes one. Owner: the loop
 * thread. */
#ifndef TRIGATE_BENCH_WIRE_LENT_H
#define TRIGATE_BENCH_WIRE_LENT_H

#include "core/gateway.h"
#include "venue/binance/binance.h"

struct lent;

/* sent: a message leaves, [hot]; its bytes are borrowed. */
struct lent_options {
	struct venue *venue;
	struct binance_options binance; /* its sink is set here */
	void (*sent)(void *ctx, const uint8_t *bytes, size_t count);
	void *ctx;
};
struct lent *lent_open(struct lent_options *options);
void lent_close(struct lent *lent);

/* What gateway_open takes; good until lent_close. */
const struct outside *lent_outside(const struct lent *lent);
/* Set once the gateway is open. */
void lent_gateway(struct lent *lent, struct gateway *gateway);

/* Carry on: what was sent to the venue, then what the venue said to the gateway. False: there was nothing. From a
 * callback of libuv. */
bool lent_turn(struct lent *lent);

/* Is a market stream subscribed? */
bool lent_streams(const struct lent *lent);
/* A frame comes in over the market stream: called from a callback of libuv, returns when the connector has taken it.
 * bytes may be scribbled in. */
void lent_frame(struct lent *lent, uint8_t *bytes, size_t count);

#endif
