/* exchangeInfo again: every ten minutes, and soon after the exchange refused an order for reasons that filters or a
 * market's status explain. What changed is told to the host, and to the books. Owner: the connector. */
#ifndef TRIGATE_EXCHANGES_BINANCE_REFRESH_H
#define TRIGATE_EXCHANGES_BINANCE_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "exchanges/binance/rest.h"

#define REFRESH_WEIGHT 20
/* Half of the document, and none of what is used here. */
#define REFRESH_PARAMS "showPermissionSets=false"

struct spot;

struct refresh {
	bool asking;
	int64_t due_ns;   /* 0: not before the first one came */
	int64_t asked_ns; /* when the last one was asked for */
	uint32_t failures;
};

/* Take a whole exchangeInfo over: the catalogue, the limits, the host, the books. TG_OK, or why it is not understood.
 */
int32_t refresh_take(struct spot *spot, const struct rest_answer *answer, struct tg_error *ret_error);
/* Ask at once, or as soon as the last time is long enough ago. */
void refresh_soon(struct spot *spot);

void refresh_step(struct spot *spot, int64_t now_ns);
int64_t refresh_wake(const struct spot *spot);

#endif
