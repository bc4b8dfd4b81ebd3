/* Orders, balances and the user stream over Binance's WebSocket API. No I/O and no clock: messages, answers and the
 * time come in as arguments, what is to be sent leaves through struct trader_wire, what became of it goes to the host's
 * events.
 *
 * Two links at most: the one that trades, and for a while its successor, opened before the first has lived 24 h; both
 * carry the user stream then (an event that comes twice is told by its ids), orders go over the younger as soon as it
 * is subscribed, and the older is closed when nothing is awaited on it any more. Owner: the connector; thread: the
 * loop's.
 *
 * For the manifest: client ids hex, 32, unique among open orders; look-up by client id, exchange id and listing,
 * by symbol alone; lookup_days TRADER_LOOKUP_DAYS; lag_ms TRADER_LAG_MS ("Data Source: Memory => Database": -2013 right
 * after a time-out is no proof); a validity bound; fills each. */
#ifndef TRIGATE_EXCHANGES_BINANCE_TRADER_H
#define TRIGATE_EXCHANGES_BINANCE_TRADER_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/exchange.h>

#include "exchanges/binance/budget.h"
#include "exchanges/binance/catalogue.h"
#include "exchanges/binance/credential.h"
#include "exchanges/binance/server_time.h"

#define TRADER_LINKS_MAX 2

struct trader;

/* Time as every call is told it: the host's, of the current pass. */
struct trader_now {
	int64_t mono_ns;
	int64_t unix_ns;
};

/* What the trader asks of its owner. Nothing of it calls back from inside. */
struct trader_wire {
	void *ctx;
	/* [io] Open a connection to the WebSocket API that opens itself again when it is lost: trader_opened,
	 * trader_closed. */
	void (*open)(void *ctx, uint32_t link);
	void (*restart)(void *ctx, uint32_t link); /* [io] what is open is deaf or confused: trader_closed follows */
	void (*close)(void *ctx, uint32_t link);   /* [io] for good; nothing more comes of it */
	/* [hot] One text message. TG_OK, or an error: then nothing of it left. */
	int32_t (*send)(void *ctx, uint32_t link, const uint8_t *bytes, uint64_t count);
	/* [io] True: orders can be sent and the user stream flows (balances and the clock are known). False: assume
	 * nothing; every request that was under way has had its done(). */
	void (*up)(void *ctx, bool up, const struct tg_error *reason);
	/* [io] The exchange has said something that needs a person: a key without rights, a ban. */
	void (*warn)(void *ctx, const char *what, const struct tg_error *error);
};

struct trader_options {
	const struct trader_wire *wire;          /* copied */
	const struct tg_exchange_events *events; /* outlives it; balance, order, done are called */
	const struct catalogue *catalogue;       /* outlives it, and the next three */
	const struct credential *credential;
	struct server_time *server_time; /* fed by the trader from what the WebSocket API answers */
	struct budget *budget;           /* shared with the REST requests of the owner */
	int64_t recv_window_ms;          /* 1..60,000: what an order without a nearer bound carries */
	int64_t answer_ms;               /* a request without an answer for so long is of unknown outcome */
};

/* TG_OK or TG_ERR_NO_MEMORY. All memory is taken here. [control] */
int trader_create(const struct trader_options *options, struct trader **ret_trader);
void trader_destroy(struct trader *trader);
/* Open the first link. [control] */
void trader_start(struct trader *trader, struct trader_now now);
/* No callback comes any more. [control] */
void trader_stop(struct trader *trader);

/* What happened. [io] */
void trader_opened(struct trader *trader, uint32_t link, struct trader_now now);
void trader_closed(struct trader *trader, uint32_t link, const struct tg_error *reason, struct trader_now now);
/* One message of the WebSocket API. May scribble in bytes. [hot] */
void trader_message(struct trader *trader, uint32_t link, uint8_t *bytes, uint64_t count, int64_t received_ns,
		    struct trader_now now);
/* What time brings; trader_wake says when (mono; INT64_MAX: never). [io] */
void trader_tick(struct trader *trader, struct trader_now now);
int64_t trader_wake(const struct trader *trader);

/* As the functions of that name in tg_exchange_api; done() comes later, never from inside. Lists are made one at a
 * time: TG_ERR_LIMIT. [hot] place, [io] others */
int32_t trader_place(struct trader *trader, const struct tg_order_request *request, struct trader_now now,
		     struct tg_error *ret_error);
int32_t trader_cancel(struct trader *trader, const struct tg_order_ref *ref, struct trader_now now,
		      struct tg_error *ret_error);
int32_t trader_query(struct trader *trader, const struct tg_order_ref *ref, struct trader_now now,
		     struct tg_error *ret_error);
int32_t trader_list(struct trader *trader, const uint32_t *markets, uint32_t count, int64_t since_unix_ns,
		    uint64_t token, struct trader_now now, struct tg_error *ret_error);
int32_t trader_balances(struct trader *trader, uint64_t token, struct trader_now now, struct tg_error *ret_error);

#endif
