/* How much may still be asked: request weight of this address, orders of this account, raw requests. Limits come from
 * exchangeInfo (catalogue_rates), what is used from our own count and, where it is more, from the exchange's word
 * (X-MBX-USED-WEIGHT-1M, X-MBX-ORDER-COUNT-10S, the WebSocket API's rateLimits). Look-ups and cancels have a share that
 * others leave alone. Owner: the connector; thread: the loop's. */
#ifndef TRIGATE_EXCHANGES_BINANCE_BUDGET_H
#define TRIGATE_EXCHANGES_BINANCE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/error.h>
#include <trigate/net.h>

#include "exchanges/binance/catalogue.h"

enum budget_use {
	BUDGET_ORDER,  /* a new order: counts as one order */
	BUDGET_RESCUE, /* what settles a doubt or ends an order: may use all that is left */
	BUDGET_DATA,   /* snapshots, documents: what is left by the others */
};

struct budget_window {
	int32_t kind; /* RATE_ */
	int64_t limit, interval_ns;
	int64_t begin_unix_ns; /* of the interval that `used` is of, on the exchange's clock */
	int64_t used;
};

struct budget {
	struct budget_window window[BINANCE_RATES_MAX];
	uint32_t count;
	int64_t blocked_until_ns; /* mono: 429, 418 */
};

/* Zeroed is ready: nothing is limited until the limits are known. Taking new limits over keeps what was used. */
void budget_limits(struct budget *budget, const struct catalogue_rate *rates, uint32_t count);

/* May a request of this weight leave now? True: it is counted. False: *ret_retry_after_ns says when. [hot] */
bool budget_take(struct budget *budget, enum budget_use use, int64_t weight, int64_t exchange_unix_ns, int64_t mono_ns,
		 int64_t *ret_retry_after_ns);
/* It did not leave after all. [hot] */
void budget_give_back(struct budget *budget, enum budget_use use, int64_t weight);
/* The exchange's word on one window. [io] */
void budget_told(struct budget *budget, int32_t kind, int64_t interval_ns, int64_t used, int64_t exchange_unix_ns);
/* The headers of a REST answer, and of 429 and 418 their Retry-After. [io] */
void budget_headers(struct budget *budget, int32_t http_status, const struct tg_net_header *headers, uint32_t count,
		    int64_t exchange_unix_ns, int64_t mono_ns);
/* Nothing leaves before then (mono). [io] */
void budget_block(struct budget *budget, int64_t until_mono_ns);

#endif
