/* Books from snapshots and updates, a state machine for each market. No I/O and no clock: frames, answers and the time
 * come in as arguments, books go out as events, and depth_fetch says which snapshot to ask for.
 *
 *            depth_open            depth_fetch             a snapshot that fits
 *   closed ------------> waiting ------------> fetching ----------------------> live
 *                           ^                   |    ^                           |
 *                           | failed, too old   |    | thin: goes on meanwhile   | gap, broken frame,
 *                           +---- (later) ------+    +---------------------------+ crossed: emptied
 *                           +----------------------------------------------------+
 *
 * The rule (Web Socket Streams for Binance, "How to manage a local order book correctly"): updates that come while a
 * snapshot is fetched are kept. Of these go those with u <= lastUpdateId; the first that is left must have
 * U <= lastUpdateId + 1, else the snapshot is too old and is asked for again. From then on each U is the last u + 1;
 * what is older is a repetition, what is younger shows a gap. Here also: a snapshot older than any update that was seen
 * is too old, even if nothing came since.
 *
 * At most DEPTH_FETCHES_MAX markets fetch at a time, the others wait their turn; a market that fails waits longer each
 * time. One that is not live has an empty book at the host. Owner: the connector; thread: the loop's. */
#ifndef TRIGATE_EXCHANGES_BINANCE_DEPTH_H
#define TRIGATE_EXCHANGES_BINANCE_DEPTH_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/exchange.h>

#include "exchanges/binance/frame.h"
#include "exchanges/binance/routes.h"

struct depth;

struct depth_options {
	const struct routes *routes; /* outlives it */
	void *ctx;
	void (*book)(void *ctx, const struct tg_book_event *event); /* tg_exchange_events.book */
	uint32_t fetches_max;                                       /* 1..DEPTH_FETCHES_MAX */
	uint32_t limit; /* levels a side that a snapshot is asked for: 1..FRAME_LEVELS_MAX */
};

struct depth_counts {
	uint64_t gaps;    /* updates that did not follow on */
	uint64_t crossed; /* books that stood crossed */
	uint64_t refused; /* frames that were not understood */
	uint64_t thin;    /* snapshots for more levels */
	uint64_t old;     /* snapshots that were too old */
	uint64_t failed;  /* fetches without a snapshot */
	uint64_t synced;  /* snapshots that became a book */
};

/* A snapshot to ask for. */
struct depth_fetch {
	uint64_t id; /* to come back with the answer */
	uint32_t market;
	uint32_t limit;
};

/* TG_OK or TG_ERR_NO_MEMORY. [control] */
int depth_create(const struct depth_options *options, struct depth **ret_depth);
void depth_destroy(struct depth *depth);

/* The market's updates are flowing (subscribed). [io] */
void depth_open(struct depth *depth, uint32_t market, int64_t now_ns);
/* They do not any more: its book is emptied. [io] */
void depth_lost(struct depth *depth, uint32_t market);

/* An update (FRAME_UPDATE). `doubled`: it came over a connection beside which an older one still delivers the same;
 * what is too young there is left to the older one instead of being a gap. [hot] */
void depth_update(struct depth *depth, const struct frame *frame, int64_t received_ns, bool doubled);
/* A frame of this market was not understood. [hot] */
void depth_refuse(struct depth *depth, uint32_t market, int64_t now_ns);
/* The market's filters changed, and routes with them. If tick or lot did, the book has to be fetched again. [io] */
void depth_rescale(struct depth *depth, uint32_t market, bool steps_changed, int64_t now_ns);

/* The next snapshot to ask for; false: none now. Call it until then, after each of the others and at depth_wake. [io]
 */
bool depth_fetch(struct depth *depth, int64_t now_ns, struct depth_fetch *ret_fetch);
int64_t depth_wake(const struct depth *depth); /* INT64_MAX: nothing waits for time */

/* The answer to a fetch: a FRAME_SNAPSHOT decoded for its market, or none. retry_after_ns > 0: the exchange wants no
 * request for so long. An id that is not awaited (the market was lost meanwhile) is ignored. [io] */
void depth_snapshot(struct depth *depth, uint64_t id, const struct frame *frame, int64_t now_ns);
void depth_failed(struct depth *depth, uint64_t id, int64_t retry_after_ns, int64_t now_ns);

bool depth_is_live(const struct depth *depth, uint32_t market);
const struct ladder *depth_ladder(const struct depth *depth, uint32_t market); /* NULL: not live */
struct depth_counts depth_counts(const struct depth *depth);

#endif
