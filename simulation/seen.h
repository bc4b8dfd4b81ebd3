/* What an observer has seen: every order and fill of the venues' ledgers, every order that left a gateway, and the
 * cycles that they belong to. Tables that only grow; an index stays valid, a pointer until the next addition. Owner:
 * one observer. */
#ifndef TRIGATE_SIMULATION_SEEN_H
#define TRIGATE_SIMULATION_SEEN_H

#include "core/trade/client_id.h"

#define SEEN_NONE UINT32_MAX

/* A hash index over a table's items. */
struct seen_index {
	struct seen_place {
		uint32_t hash;
		uint32_t item; /* + 1; 0: free */
	} * place;
	uint32_t size; /* a power of two */
	uint32_t count;
};

struct seen_name { /* a currency or a market's symbol */
	char text[SYMBOL_MAX];
};

/* A fill of the ledger; currencies are names. */
struct seen_fill {
	uint32_t next; /* of the order */
	uint32_t spent_currency, received_currency, fee_currency;
	uint64_t trade;
	struct tg_decimal price, qty;
	tg_amount spent, received, fee;
};

enum seen_state {
	SEEN_SENT, /* it left a gateway; no ledger has it */
	SEEN_OPEN,
	SEEN_FILLED,
	SEEN_CANCELLED,
	SEEN_EXPIRED,
	SEEN_REJECTED
};
const char *seen_state_name(uint8_t state);

struct seen_order {
	struct client_id id;
	uint8_t gateway; /* index */
	uint8_t state;   /* enum seen_state */
	bool journalled; /* its gateway's journal has its intent */
	bool unpriced;   /* its cost was not held against its bound yet */
	bool overtaken;  /* the cycle's next order left while it could still trade */
	int32_t side;
	uint32_t market; /* name; SEEN_NONE: no ledger has it */
	uint32_t cycle;
	uint32_t first_fill, last_fill, fill_count;
	uint64_t number; /* at the venue, from 1 */
	uint64_t sent;   /* the how many-th order that left its gateway, from 1; 0: nobody saw it leave */
	struct tg_decimal price, qty;
	tg_amount filled;
};

/* A cycle of a gateway. Times are the venue's, of orders that it accepted; first_ns > last_ns: none was. */
struct seen_cycle {
	uint8_t gateway;
	bool traded;    /* a ledger has an order of it */
	bool forgotten; /* a power loss took the intent of one of its orders */
	struct cycle_key key;
	int64_t first_ns, last_ns;
	uint32_t last_sent;            /* order; SEEN_NONE: none was seen to leave */
	uint32_t first_stale, stales;  /* the observer's */
	uint64_t opened_at, closed_at; /* positions in the journal; 0: not there */
};

struct seen {
	struct seen_index name_index, order_index, cycle_index;
	struct seen_name *name;
	struct seen_order *order;
	struct seen_cycle *cycle;
	struct seen_fill *fill;
	uint32_t names, orders, cycles, fills;
	uint32_t name_room, order_room, cycle_room, fill_room;
	bool broken; /* memory ran out: something is missing from the tables */
};

void seen_finish(struct seen *seen);

/* The index of a name, added if it is new; longer ones are cut. SEEN_NONE: broken. */
uint32_t seen_name(struct seen *seen, struct tg_str text);
/* "?" of SEEN_NONE. */
const char *seen_name_text(const struct seen *seen, uint32_t name);
uint32_t seen_order_find(const struct seen *seen, const struct client_id *id);
/* A new order, of a cycle that is added if it is new. SEEN_NONE: broken. */
uint32_t seen_order_add(struct seen *seen, const struct client_id *id, uint8_t gateway);
/* The cycle, added if it is new. SEEN_NONE: broken. */
uint32_t seen_cycle(struct seen *seen, uint8_t gateway, struct cycle_key key);
/* Append to the order's fills. SEEN_NONE: broken. */
uint32_t seen_fill_add(struct seen *seen, uint32_t order, const struct seen_fill *fill);

#endif
