/* What a batch comes to, as lists of arguments that the server's commands and apply.lua take as they are. Of several
 * rows of one key only the last goes, with the progress that followed it. Memory is kept from one batch to the next.
 * Owned by one store. */
#ifndef TRIGATE_STORAGE_REDIS_BATCH_H
#define TRIGATE_STORAGE_REDIS_BATCH_H

#include <trigate/error.h>
#include <trigate/storage.h>

#include "storage/redis/request.h"

/* apply.lua knows this order. */
enum section {
	CYCLES_NEEDED,   /* id, where neither the batch nor its progress names it */
	ORDERS_NEEDED,   /* id, the same */
	CYCLES,          /* id row */
	CYCLE_IDS,       /* 0 id, one for each of these rows */
	CYCLES_PROGRESS, /* id tail */
	OPEN,            /* 0 id */
	CLOSED,          /* closed_ns id */
	STILL_OPEN,      /* id, of those in OPEN that the batch has no row of */
	JUST_CLOSED,     /* id, of those in CLOSED, the same */
	ORDERS,          /* id row */
	ORDER_IDS,       /* 0 id */
	ORDER_MEMBERS,   /* 0 cycle NUL id */
	ORDERS_PROGRESS, /* id tail */
	FILLS,           /* key row */
	FILL_IDS,        /* 0 key */
	EVENTS,          /* key row */
	EVENT_IDS,       /* 0 key */
	EVENT_MEMBERS,   /* 0 cycle NUL key */
	LOOSE,           /* time_ns key */
	SECTIONS
};

/* Keys that the batch names, by what it takes for granted of them. */
enum claim {
	CYCLES_NEW, /* the batch has a row of it: most likely it is new */
	ORDERS_NEW,
	EVENTS_NEW,
	CYCLES_THERE, /* it has none: so the store has */
	ORDERS_THERE,
	CLAIMS
};

/* The first and the last of some keys, in order of their bytes. */
struct span {
	struct tg_str first, last;
};

struct seen;

struct batch_work {
	struct part sections[SECTIONS];
	struct part claims[CLAIMS];
	struct span spans[ORDERS_NEW + 1]; /* of the claim of that number */
	struct bytes row, key;
	struct seen *seen;    /* cycles, orders and events that the batch names */
	uint32_t *buckets;    /* 1 + index into seen, by hash; 0: free */
	uint32_t *of_record;  /* the same, of each record's own key */
	struct seen *last[2]; /* the cycle and the order that were asked for last */
	uint32_t seen_count, record_room, bucket_count;
};

/* Learns which keys the batch names; the sections are empty then. TG_ERR_NO_MEMORY. */
int32_t batch_see(struct batch_work *work, const struct tg_batch *batch, struct tg_error *ret_error);

/* Fills the claims and their spans. by_span: of claims that have one no keys, their number only. Behind batch_see. */
void batch_claim(struct batch_work *work, bool by_span);

/* Adds some of its records to the sections, `count` from `first` on: every one has to be sound, also one that a later
 * one makes pointless. After the last one batch_encode_states adds what is said of all together. TG_ERR_INVALID,
 * TG_ERR_OVERFLOW, TG_ERR_NO_MEMORY. */
int32_t batch_encode(struct batch_work *work, const struct tg_batch *batch, uint32_t first, uint32_t count,
		     struct tg_error *ret_error);
void batch_encode_states(struct batch_work *work, const struct tg_batch *batch);

void batch_clear(struct batch_work *work); /* the sections only */
void batch_work_finish(struct batch_work *work);

#endif
