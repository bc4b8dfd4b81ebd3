/* The venue as Binance: its REST API, market streams and WebSocket API, without sockets. Bytes of one HTTP request or
 * one WebSocket message go in; answers and pushes come out. Owner: whoever opened it, one thread. No clock: every call
 * is told the time (the host's unix time in nanoseconds, never going back); no I/O but the venue's ledger. The same
 * calls give the same bytes.
 *
 * Connections are numbers that the caller gives, never twice the same. What was said in a call is pushed before the
 * call returns; what time brings, by binance_tick. The sink may be called from inside any call but open; it must not
 * call back. */
#ifndef TRIGATE_VENUE_BINANCE_BINANCE_H
#define TRIGATE_VENUE_BINANCE_BINANCE_H

#include "venue/binance/http.h"
#include "venue/binance/keys.h"
#include "venue/binance/quota.h"
#include "venue/venue.h"

struct binance_sink {
	void *ctx;
	void (*text)(void *ctx, uint64_t connection, const char *text, size_t size);
	void (*ping)(void *ctx, uint64_t connection, const char *payload, size_t size);
	/* WebSocket close code; 0: cut it off without a word. The connection is forgotten already. */
	void (*close)(void *ctx, uint64_t connection, int32_t code, const char *reason);
};

/* What the venue does to an order of its own accord (struct venue_request: refuse, withhold, cancels), asked before it
 * is placed. NULL: nothing. It must not call back. */
struct binance_whim {
	void *ctx;
	void (*order)(void *ctx, struct venue_request *order);
};

struct binance_options {
	struct binance_sink sink;
	struct binance_whim whim;
	struct keys keys; /* taken over */
	struct quota_limits limits;
	struct tg_str fee_currency; /* the venue's, empty: the received one */
	int64_t connection_life_ms; /* 24 h at Binance; less, and the disconnects come sooner */
	int64_t ping_ms;
	int64_t pong_wait_ms;
	int64_t messages_per_second; /* of a client on a market stream, control frames too */
	bool control;                /* /control/ answers */
};

struct binance_options binance_options_default(void);

struct binance;

/* venue is borrowed and lives longer; nobody else reads its events or changed books. */
int32_t binance_open(struct binance_options *options, struct venue *venue, int64_t unix_ns,
		     struct binance **ret_binance, struct tg_error *ret_error);
void binance_close(struct binance *binance); /* NULL is allowed */

/* Answer a request of an address. True: ret_answer is the whole answer, head and body. False: the connection is to be
 * cut without an answer (a fault that was asked for). */
bool binance_http(struct binance *binance, int64_t unix_ns, uint64_t address, const struct http_request *request,
		  struct text *ret_answer);

/* A WebSocket upgrade of this request. 101: the connection lives until binance_disconnected or the sink's close. Else
 * the HTTP status to refuse it with. */
int32_t binance_connected(struct binance *binance, int64_t unix_ns, uint64_t connection, uint64_t address,
			  const struct http_request *request);
/* A whole message came. Unknown connections are ignored, here and below: they were closed meanwhile. */
void binance_message(struct binance *binance, int64_t unix_ns, uint64_t connection, const char *bytes, size_t size);
void binance_pong(struct binance *binance, int64_t unix_ns, uint64_t connection, const char *payload, size_t size);
/* The client sent a ping; the caller answers it itself. */
void binance_pinged(struct binance *binance, int64_t unix_ns, uint64_t connection);
void binance_disconnected(struct binance *binance, uint64_t connection);

/* Let the made-up markets go on one step, and push what changed. TG_OK, or the venue broke. */
int32_t binance_step(struct binance *binance, int64_t unix_ns);
/* A market's status or filters were changed in the venue itself: push what follows from that. */
void binance_notice(struct binance *binance, int64_t unix_ns);
/* The id that a market's book, as it stands in the venue, is told under. */
uint64_t binance_update_id(const struct binance *binance, uint32_t market);
/* What time brings: depth every 100 ms and every second, pings, ends of connections. Call it at least that often. */
void binance_tick(struct binance *binance, int64_t unix_ns);

/* Markets of a recorded exchangeInfo answer, for venue_options.world: those that trade, with Binance's filters; values
 * are made up so that every market's price lies well above its tick. Room for `more` further currencies. */
struct world;
int32_t binance_world_read(const char *text, size_t size, uint32_t more, struct world *ret_world,
			   struct tg_error *ret_error);

#endif
