/* Which connection carries which market's stream: thousands of subscriptions over a few connections within the
 * exchange's limits. No I/O and no clock: what happened comes in with its time, what is to be done comes out of
 * feeds_next.
 *
 * Markets fill groups of FEED_STREAMS_MAX; a group has one connection, and two while one takes over from the other: a
 * connection lives 24 h, so after 23 its successor is opened. Once that one has subscribed everything and delivers,
 * both go on for a moment (what comes twice is told by its update ids, depth.h and quotes.h), then the older one is
 * closed. A connection is named by its link; the host opens a lost one again by itself, under the same link. Owner: the
 * connector; thread: the loop's. */
#ifndef TRIGATE_EXCHANGES_BINANCE_FEEDS_H
#define TRIGATE_EXCHANGES_BINANCE_FEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/abi.h>

#include "exchanges/binance/bounds.h"
#include "exchanges/binance/reply.h"
#include "exchanges/binance/routes.h"

struct feeds;

enum feed_kind {
	FEED_OPEN,  /* open a connection to the combined streams ("/stream"), that opens itself again when it is lost */
	FEED_SEND,  /* send these bytes as one text message */
	FEED_CLOSE, /* close it for good */
	FEED_UP,    /* these markets' frames are coming */
	FEED_LOST,  /* these markets' frames do not come any more */
};

struct feed_action {
	enum feed_kind kind;
	uint32_t link;        /* 0..FEED_LINKS_MAX - 1 */
	const uint8_t *bytes; /* until the next call */
	uint32_t count;
	uint32_t market_count;
	const uint32_t *markets;
};

/* stream: what stands behind the symbol's "@", such as "bookTicker" or "depth@100ms"; a literal. routes outlives it.
 * TG_OK or TG_ERR_NO_MEMORY. [control] */
int feeds_create(const struct routes *routes, const char *stream, struct feeds **ret_feeds);
void feeds_destroy(struct feeds *feeds);

/* Subscribe a market. TG_OK, TG_ERR_EXISTS (it is already), TG_ERR_LIMIT. [control] */
int feeds_add(struct feeds *feeds, uint32_t market);

/* What happened. [io] */
void feeds_opened(struct feeds *feeds, uint32_t link, int64_t now_ns);
void feeds_closed(struct feeds *feeds, uint32_t link);
void feeds_reply(struct feeds *feeds, uint32_t link, const struct reply *reply, int64_t now_ns);
void feeds_delivered(struct feeds *feeds, uint32_t link); /* a market's frame came [hot] */
void feeds_leave(struct feeds *feeds, uint32_t link);     /* the server is about to close it (FRAME_SHUTDOWN) */

/* The next thing to do; false: none now. Call it until then, after each of the above and at feeds_wake. [io] */
bool feeds_next(struct feeds *feeds, int64_t now_ns, struct feed_action *ret_action);
int64_t feeds_wake(const struct feeds *feeds); /* INT64_MAX: nothing waits for time */

/* Whether an older connection still delivers all that this one does (depth_update). [hot] */
bool feeds_is_doubled(const struct feeds *feeds, uint32_t link);
uint64_t feeds_refused(const struct feeds *feeds); /* requests that the server refused or did not answer */

#endif
