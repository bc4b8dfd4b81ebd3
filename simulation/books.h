/* Are the books that a connector tells its host the true ones? A venue's books are kept, change by change under the id
 * that the venue tells it by; what a connector tells is applied as a host would, and held against the book of that id.
 * Nothing of the connector's decoders is used. Owner: one world.
 *
 * What the connector promises (exchanges/binance/README.md): a book is the true one of its sequence, or empty; levels
 * that stand off the tick are left out, quantities are cut to whole lots. */
#ifndef TRIGATE_SIMULATION_BOOKS_H
#define TRIGATE_SIMULATION_BOOKS_H

#include <trigate/exchange.h>

#include "simulation/binance_server.h"

struct books;
int books_create(struct ground *ground, const struct binance_server *server, struct books **ret_books);
void books_destroy(struct books *books); /* NULL is allowed */
struct ground *books_ground(const struct books *books);
/* Books may have changed: keep those that have. */
void books_note(struct books *books);
/* The market of a symbol as Binance writes it; UINT32_MAX: there is none. */
uint32_t books_market(const struct books *books, struct tg_str symbol);
bool books_is_trading(const struct books *books, uint32_t market);

#define BOOKS_VIEW 20 /* levels a side that a host is told exactly */

struct books_side {
	uint32_t count;
	struct tg_level level[BOOKS_VIEW]; /* best first */
};

/* A market as a host knows it. Zeroed, with no version: not told yet. */
struct books_told {
	uint32_t market; /* the venue's */
	uint32_t version;
	struct tg_decimal tick, lot;
	struct books_side bids, asks;
	uint64_t sequence;
};

/* A new version of its filters: what was told by the old ones counts no more. */
void books_rescale(struct books_told *told, const struct tg_instrument *instrument);

enum books_verdict {
	BOOKS_TRUE,
	BOOKS_EMPTY,   /* which it may always be */
	BOOKS_UNKNOWN, /* of a time that is kept no more */
	BOOKS_FALSE,   /* *ret_why says what is wrong */
};
#define BOOKS_WHY_MAX 240

/* Apply an event and judge what it comes to. streamed: levels a side that the stream tells; 0: all. */
enum books_verdict books_judge(const struct books *books, struct books_told *told, const struct tg_book_event *event,
			       uint32_t streamed, char ret_why[BOOKS_WHY_MAX]);
/* Is what was told one of the books that the market had within this time? */
bool books_is_recent(const struct books *books, const struct books_told *told, uint32_t streamed, int64_t within_ns);

#endif
