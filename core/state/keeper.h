/* The keeper: the only way to change durable state. A record is applied to the model and appended to the journal in one
 * step; what changed is posted to the writer at the end of the pass. Owner: the loop thread. */
#ifndef TRIGATE_CORE_STATE_KEEPER_H
#define TRIGATE_CORE_STATE_KEEPER_H

#include "core/io/loop.h"
#include "core/state/record.h"
#include "core/state/writer.h"
#include "core/trade/model.h"

#define KEEPER_EVENTS_MAX 16 /* starts and stops that wait for room: a start replays those of earlier, unlucky ones */

struct keeper {
	const struct loop *loop; /* the time of records */
	struct journal *journal;
	struct model *model;
	struct writer *writer;
	const char *gateway_id; /* stand in every cycle's row */
	const char *strategy;
	const char *exchange;
	const struct cycle *begun; /* its rows are posted in part: no mark before the rest */

	uint64_t started;      /* the record of this start, or of the last one */
	bool store_lost;       /* the store lacks what only a restart can tell it: the journal has to keep it */
	bool changed;          /* rows wait to be posted */
	uint64_t marked;       /* the position that the writer was told last */
	bool stalled;          /* the journal cannot be written now: nothing may be sent until it can (keeper_retry) */
	bool failed;           /* it cannot for good */
	struct tg_error error; /* why */
	struct row_event event[KEEPER_EVENTS_MAX];
	uint32_t events;
};

/* Apply and append. 0, or what model_apply says; then nothing was appended. [hot] */
int keeper_commit(struct keeper *keeper, uint16_t type, const void *payload, uint32_t size);

/* Forget old cycles, on record, until one more with so many orders and fills fits; false: it cannot. [hot] */
bool keeper_make_room(struct keeper *keeper, uint32_t orders, uint32_t fills);

/* What a start or a stop is for people who read the store; other records are nothing. For those that are replayed and
 * may not stand there yet; of more than wait already the oldest is dropped. */
void keeper_event(struct keeper *keeper, const struct journal_entry *entry);

/* Append a record that changes no cycle (decision, stop). [hot] */
void keeper_note(struct keeper *keeper, uint16_t type, const void *payload, uint32_t size);

/* Make all that was committed outlive this process. False: stalled or failed. [hot] */
bool keeper_flush(struct keeper *keeper);

/* The same, on the way to an order; a flush has to follow at the end of the pass. [hot] */
bool keeper_write(struct keeper *keeper);

/* Try to write again what a stalled keeper holds back. As keeper_flush. [control] */
bool keeper_retry(struct keeper *keeper);

/* Flush, then post the rows of what changed as far as the writer has room. */
void keeper_pass_end(struct keeper *keeper);

/* Anything that was not posted yet? */
bool keeper_is_behind(const struct keeper *keeper);

#endif
