/* Every fixed bound of the connector, with its reason. Memory is taken once, by these. Owner: nobody; constants. */
#ifndef TRIGATE_EXCHANGES_BINANCE_BOUNDS_H
#define TRIGATE_EXCHANGES_BINANCE_BOUNDS_H

#define BINANCE_MARKETS_MAX 8192 /* about 3,600 are listed, delisted ones keep their index */
#define BINANCE_SYMBOL_MAX 48    /* bytes of UTF-8 with NUL; the host takes no more */
#define BINANCE_ASSET_MAX 24
#define BINANCE_RATES_MAX 16 /* exchangeInfo tells four rate limits */

#define FRAME_LEVELS_MAX 5000 /* a side: the most that GET /api/v3/depth gives, and that an update can then change */
#define FRAME_NESTING_MAX 16  /* of what is skipped; Binance's deepest is 5 */

#define LADDER_HELD 100 /* levels a side that are kept: the most that a snapshot of the least weight (5) brings */
#define LADDER_VIEW 20  /* levels a side that events keep exact; sizing walks no deeper */

#define DEPTH_FETCHES_MAX 16 /* snapshots under way; a weight of 80 in the time of one answer, of 6,000 a minute */
#define DEPTH_PENDING_LEVELS 16384 /* of updates that wait for one snapshot: some ten seconds of the busiest market */
#define DEPTH_PENDING_UPDATES 512  /* ten a second, for fifty seconds */
#define DEPTH_IDS_BACK 1000000     /* update ids that fall back further than a late duplicate can have begun anew */
#define DEPTH_BACKOFF_NS 250000000 /* before the second attempt; doubled with each further one */
#define DEPTH_BACKOFF_MAX_NS 30000000000
#define DEPTH_CALM_NS 10000000000 /* a book that held so long is forgiven its earlier attempts */

#define FEED_STREAMS_MAX 1024        /* "A single connection can listen to a maximum of 1024 streams." */
#define FEED_LINKS_MAX 16            /* BINANCE_MARKETS_MAX / FEED_STREAMS_MAX, and as many successors */
#define FEED_BATCH 200               /* streams in one SUBSCRIBE: messages of up to 16 KB */
#define FEED_SEND_GAP_NS 250000000   /* four a second of the five that are allowed: pongs count too */
#define FEED_REPLY_NS 10000000000    /* without an answer for so long a SUBSCRIBE is sent again */
#define FEED_REFUSED_NS 5000000000   /* before what was refused is asked for again */
#define FEED_LIFE_NS 82800000000000  /* 23 h of the 24 that a connection may live: then its successor is opened */
#define FEED_STAGGER_NS 300000000000 /* between the successions of two connections */
#define FEED_DELIVERS_NS 10000000000 /* all subscribed and so long silent is quiet, not deaf */
#define FEED_OVERLAP_NS 2000000000   /* both connections deliver so long, far more than one lags behind the other */

#define TRADER_ASKS_MAX 512           /* requests under way: five times what may be placed in ten seconds */
#define TRADER_ASSETS_MAX 4096        /* slots for the age of a balance; some 1,000 assets exist */
#define TRADER_PAGE 1000              /* "limit: Default 500; Maximum 1000" of allOrders and myTrades */
#define TRADER_LIFE_NS 82800000000000 /* as FEED_LIFE_NS */
#define TRADER_OVERLAP_NS 2000000000  /* as FEED_OVERLAP_NS: both carry the user stream */
#define TRADER_CLOCK_NS 30000000000   /* between two readings of the exchange's clock; they show a deaf link, too */
#define TRADER_READINGS 3             /* of the clock, at most, before a link is used */
#define TRADER_RETRY_NS 1000000000    /* before what a link's start was refused is asked again; doubled each time */
#define TRADER_RETRY_MAX_NS 60000000000
#define TRADER_LAG_MS 10000   /* an order can turn up so long after it was sent: the API waits so long for the engine */
#define TRADER_LOOKUP_DAYS 90 /* "-2026 ORDER_ARCHIVED: ... over 90 days ago" */

#define REST_CALLS_MAX (DEPTH_FETCHES_MAX + 8) /* snapshots, and the few documents that are asked for beside them */
#define REST_ANSWER_MS 10000                   /* "APIs have a timeout of 10 seconds when processing a request" */
#define REST_DOCUMENT_MS 30000                 /* exchangeInfo has many megabytes */

#endif
