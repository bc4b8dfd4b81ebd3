/* What stands in the journal. Every struct is plain little-endian data without padding holes, written as it is; a new
 * shape of a record is a new version of its type. Reading one back checks its size and text (record_check). */
#ifndef TRIGATE_CORE_STATE_RECORD_H
#define TRIGATE_CORE_STATE_RECORD_H

#include <json-c/json.h>
#include <stdint.h>

#include <trigate/amount.h>
#include <trigate/exchange.h>

#include "core/base/limits.h"
#include "core/state/journal.h"

#define RECORD_VERSION 1
#define EXCHANGE_ID_MAX 40
#define FILL_ID_MAX 40
#define STRATEGY_MAX 64

enum record_type {
	RECORD_START = 1,
	RECORD_CYCLE_OPEN = 2,
	RECORD_CYCLE_EVENT = 3,
	RECORD_ORDER_INTENT = 4,
	RECORD_ORDER_EVENT = 5,
	RECORD_FILL = 6,
	RECORD_DECISION = 7,
	RECORD_STOP = 8,
	RECORD_FORGET = 9,
	RECORD_MISSED = 10,
	RECORD_CHECKPOINT = 11,
	RECORD_TRIM = 12
};

/* A cycle's key: which start of which gateway opened it, and its number in that start. */
struct cycle_key {
	uint32_t epoch;
	uint32_t number;
};

struct record_start {
	uint32_t epoch;
	char gateway_id[GATEWAY_ID_LEN + 4];
	char strategy[STRATEGY_MAX];
	char exchange[32];
	char version[24];
	uint32_t reserved;
};

struct record_leg {
	char market[SYMBOL_MAX];
	char from[CURRENCY_MAX];
	char to[CURRENCY_MAX];
	int32_t side;
	uint32_t reserved;
};

struct record_cycle_open {
	struct cycle_key key;
	uint32_t legs;
	uint32_t reserved;
	struct record_leg leg[CYCLE_LEGS_MAX];
	struct tg_money planned_in;
	struct tg_money planned_out;
	int64_t net_bps_e6;
};

struct record_cycle_event {
	struct cycle_key key;
	uint32_t event; /* enum cycle_event */
	uint32_t reserved;
	char reason[REASON_MAX];
};

/* A final cycle leaves the memory; what comes of it later is not known any more. */
struct record_forget {
	struct cycle_key key;
};

/* Since when events may have passed us by: the exchange is to be asked for the orders of that time. It is on record
 * because a gateway may end again before the exchange has answered. */
struct record_missed {
	int64_t since_unix_ns; /* 0: it has answered */
};

struct record_order_intent {
	char client_id[TG_CLIENT_ID_LEN];
	struct cycle_key key;
	uint32_t leg;     /* of the cycle; an unwinding order goes back through it */
	uint32_t attempt; /* counts all orders of the cycle on this leg */
	uint32_t unwind;  /* 0 or 1 */
	int32_t side;
	int32_t time_in_force;
	uint32_t reserved;
	char market[SYMBOL_MAX];
	struct tg_decimal price;
	struct tg_decimal qty;
	int64_t valid_ms;
};

struct record_order_event {
	char client_id[TG_CLIENT_ID_LEN];
	uint32_t event; /* enum order_event */
	uint32_t reserved;
	struct tg_decimal cum_qty;
	char exchange_id[EXCHANGE_ID_MAX];
	char reason[REASON_MAX];
};

struct record_fill {
	char client_id[TG_CLIENT_ID_LEN];
	char fill_id[FILL_ID_MAX];
	struct tg_decimal price;
	struct tg_decimal qty;
	struct tg_decimal fee;
	char fee_currency[CURRENCY_MAX];
	int64_t exchange_ns;
};

/* Why a cycle was taken or skipped. */
struct record_decision {
	uint32_t execute; /* 1: it became `key` */
	uint32_t skip;    /* SKIP_ bits */
	struct cycle_key key;
	uint32_t legs;
	uint32_t reserved;
	struct record_leg leg[CYCLE_LEGS_MAX];
	struct tg_money size;   /* start currency, to be spent by the first leg */
	struct tg_money profit; /* expected at that size, start currency */
	int64_t gross_bps_e6;   /* top of the books, before fees */
	int64_t fees_bps_e6;    /* all legs' taker fees: what gross must beat to break even */
	int64_t net_bps_e6; /* after fees, depth, lots and dust, at the size; at the top of the books if there is none
			     */
	int64_t threshold_bps_e6;
};

struct record_stop {
	uint32_t open_cycles;
	uint32_t reserved;
	char reason[REASON_MAX];
};

/* At the head of each file but the first: what all records before it come to, but for the cycles that are known one by
 * one. A journal whose older files were trimmed begins with it. */
struct record_checkpoint {
	struct record_start start;                        /* the last one; epoch 0: none */
	uint32_t starts, cycles, completed, failed, open; /* since the journal began */
	uint32_t reserved;
	struct cycle_key newest; /* of the cycles that were opened */
	int64_t missed_since_ns;
};

/* Files with records up to `position` may go: the store has all of it, and the cycles that were opened by then are
 * forgotten. */
struct record_trim {
	uint64_t position;
};

const char *record_type_name(uint16_t type); /* "start", "cycle open" ...; "?" */

/* 0, or TG_ERR_VERSION / TG_ERR_CORRUPT: known type of a known version, right size, terminated text, values in range.
 */
int record_check(const struct journal_entry *entry);

/* The record as an object for people and machines; entry must have passed record_check. Caller owns the object. */
struct json_object *record_json(const struct journal_entry *entry);

/* Text form of a key: "EEEEEE-NNNNNNNN" in hex; that of a store is read too. */
#define CYCLE_ID_MAX 24
void cycle_key_format(struct cycle_key key, char text[CYCLE_ID_MAX]);
int cycle_key_parse(const char *text, struct cycle_key *ret_key);
/* A cycle's id in a store, which several gateways may share: "GGGG-EEEEEE-NNNNNNNN". */
void cycle_id_format(const char *gateway_id, struct cycle_key key, char text[CYCLE_ID_MAX]);

#endif
