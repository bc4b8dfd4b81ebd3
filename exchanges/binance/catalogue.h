/* All markets, from GET /api/v3/exchangeInfo and what is learnt of fees. A market's index is given once, in the order
 * in which symbols first appear, and never to another symbol; its version rises with each change of its filters, status
 * or fees. Owner: the connector; thread: the loop's. */
#ifndef TRIGATE_EXCHANGES_BINANCE_CATALOGUE_H
#define TRIGATE_EXCHANGES_BINANCE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/exchange.h>

#include "exchanges/binance/listing.h"
#include "exchanges/binance/routes.h"

struct catalogue_fees {
	struct tg_decimal taker_bps;
	struct tg_decimal maker_bps;
	char currency[BINANCE_ASSET_MAX]; /* empty: the received currency */
};

enum { RATE_REQUEST_WEIGHT = 1, RATE_ORDERS = 2, RATE_RAW_REQUESTS = 3, RATE_CONNECTIONS = 4 };

struct catalogue_rate {
	int32_t kind; /* RATE_ */
	uint32_t reserved;
	int64_t limit;
	int64_t interval_ns;
};

/* What an update changed. */
struct catalogue_changes {
	const uint32_t *market; /* rising; belongs to the catalogue, until its next update */
	uint32_t count;
	uint32_t added;
	uint32_t refused;        /* symbols that were not understood: new ones are left out, known ones halted */
	struct tg_error because; /* the first of them */
};

struct catalogue;

/* fees: of markets of which nothing else is known. TG_OK or TG_ERR_NO_MEMORY. [control] */
int catalogue_create(const struct catalogue_fees *fees, struct catalogue **ret_catalogue);
void catalogue_destroy(struct catalogue *catalogue);

/* Take over a whole exchangeInfo: what it does not name any more is delisted. TG_OK, or TG_ERR_INVALID or
 * TG_ERR_NO_MEMORY with a message: then nothing changed. [io] */
int catalogue_update(struct catalogue *catalogue, const uint8_t *bytes, size_t count,
		     struct catalogue_changes *ret_changes, struct tg_error *ret_error);

/* What this account pays on a market. True if that is new: its version has risen. [io] */
bool catalogue_fees_set(struct catalogue *catalogue, uint32_t market, const struct catalogue_fees *fees);

/* The market as the host wants it; its text lives as long as the catalogue. */
struct tg_instrument catalogue_instrument(const struct catalogue *catalogue, uint32_t market);
const struct listing *catalogue_listing(const struct catalogue *catalogue, uint32_t market);
/* Whether the last update changed tick or lot: books of before mean nothing now. */
bool catalogue_steps_changed(const struct catalogue *catalogue, uint32_t market);
const struct routes *catalogue_routes(const struct catalogue *catalogue);
const struct catalogue_rate *catalogue_rates(const struct catalogue *catalogue, uint32_t *ret_count);
int64_t catalogue_server_ms(const struct catalogue *catalogue); /* serverTime of the last update, 0: it told none */

#endif
