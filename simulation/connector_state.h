/* The connector to a simulated venue: private to its files. Owner: one instance, on the host's loop thread.
 *
 *   created --start--> waiting --connect--> greeting --time, catalogue, balances known--> up
 *                         ^------- the stream broke, said nonsense, or says nothing --------/
 */
#ifndef TRIGATE_SIMULATION_CONNECTOR_STATE_H
#define TRIGATE_SIMULATION_CONNECTOR_STATE_H

#include <stdbool.h>

#include <trigate/error.h>
#include <trigate/exchange.h>

#include "simulation/connector.h"
#include "simulation/network.h"
#include "simulation/wire.h"

#define MS INT64_C(1000000)

/* The venue counts requests as they arrive, in any second; a window somewhat longer leaves room for a late one. */
#define WINDOW_NS (1100 * MS)
/* Look-ups settle what orders leave in doubt, so orders and books leave them some of the limit. */
#define REQUESTS_FOR_LOOKUPS 5
#define REQUESTS_FOR_ORDERS (CONNECTOR_REQUESTS_PER_SECOND - REQUESTS_FOR_LOOKUPS)

#define ANSWER_NS (5000 * MS) /* a request without an answer for so long gets none */
/* More requests than the limit lets out within ANSWER_NS and a window before it. */
#define ASKED_MAX 128
#define ASKED_NONE UINT32_MAX
#define CLIENT_ID_MAX 36 /* as the manifest states */

enum connector_state {
	CONNECTOR_CREATED,
	CONNECTOR_WAITING,  /* for the time to connect */
	CONNECTOR_GREETING, /* a stream is there, the link is not up yet */
	CONNECTOR_UP,
	CONNECTOR_STOPPED, /* by the host, or for want of a timer */
};

/* A call of the host that is under way. */
struct asked {
	uint64_t token; /* on the wire, never used again; 0: free */
	uint64_t host_token;
	enum wire_type type;
	int64_t until_ns;
};

/* What the connector asks for by itself. */
struct chore {
	uint64_t token; /* of the request that is under way; 0: none is */
	int64_t due_ns; /* ask (again) then; INT64_MAX: it is done */
};

enum book_state {
	BOOK_UNWANTED,
	BOOK_WANTED,  /* to be subscribed */
	BOOK_ASKED,   /* the answer to SUBSCRIBE is to come */
	BOOK_WAITING, /* subscribed; the beginning of its sequence is to come */
	BOOK_LIVE
};

struct connector_market {
	struct wire_instrument instrument;
	bool listed; /* in the catalogue of this connection */
	enum book_state book;
	uint64_t sequence; /* of the last book, while BOOK_LIVE */
	int64_t due_ns;    /* BOOK_WAITING: ask for a snapshot then */
};

struct connector_balance {
	struct wire_name currency;
	int64_t exchange_ns;
};

#define CLOCK_SAMPLES 8

struct connector {
	const struct tg_host *host;
	const struct tg_exchange_events *events;
	const struct tg_ext_log *log;
	const struct tg_ext_clock *clock;
	const struct tg_ext_timer *timer;
	const struct tg_ext_random *random;
	const struct network_extension *network;

	enum connector_state state;
	struct stream *stream; /* NULL: none */
	bool opened;
	struct wire_reader reader;
	uint8_t frame[WIRE_FRAME_MAX];
	uint64_t wake; /* the one timer; 0: not armed */
	int64_t wake_ns;
	int64_t connect_ns; /* waiting: when to try */
	uint32_t failures;  /* to connect, in a row */
	int64_t heard_ns;   /* the last PONG, or the start of the connection */
	int64_t ping_ns;    /* the next PING */
	uint32_t pings;     /* of this connection */

	int64_t clock_sample[CLOCK_SAMPLES]; /* the venue's unix clock minus our monotonic one, at least */
	uint32_t clock_count;

	int64_t sent_ns[CONNECTOR_REQUESTS_PER_SECOND]; /* ring: when the last requests left */
	uint32_t sent_at;
	int64_t quiet_until_ns; /* the venue told us to wait */
	uint64_t token_count;
	struct asked asked[ASKED_MAX];

	struct chore catalogue, balances, subscribe;
	bool balances_known; /* in this connection */
	struct connector_market *market;
	uint32_t market_count, market_room;
	uint32_t waiting_count; /* markets whose book is BOOK_WAITING */
	struct connector_balance *balance;
	uint32_t balance_count, balance_room, balance_at;
};

static inline int64_t connector_now_ns(const struct connector *connector)
{
	return connector->clock->mono_ns(connector->host);
}

/* ------------------------------------------------------------ connector.c */

/* The connection is of no use any more: close it, answer what is under way, tell the gateway, try again later. */
__attribute__((format(printf, 2, 3))) void connector_lose(struct connector *connector, const char *format, ...);
/* Make sure of being woken then. */
void connector_wake_by(struct connector *connector, int64_t due_ns);
bool connector_send(struct connector *connector, enum wire_type type, const void *payload);

/* ------------------------------------------------------------ connector_requests.c */

/* From when on a request may leave, with so many of them in a window. */
int64_t requests_free_ns(const struct connector *connector, uint32_t limit);
void requests_wait(struct connector *connector, const struct wire_reply *reply);
/* One request of the connector's own, if it may leave. Its token, or 0. */
uint64_t requests_send_own(struct connector *connector, enum wire_type type, union wire_payload *payload,
			   uint32_t limit);
/* Calls of the host: TG_PENDING, or an error and nothing left. */
int32_t requests_place(struct connector *connector, const struct tg_order_request *request, struct tg_error *ret_error);
int32_t requests_refer(struct connector *connector, enum wire_type type, const struct tg_order_ref *ref,
		       struct tg_error *ret_error);
int32_t requests_list(struct connector *connector, const uint32_t *markets, uint32_t market_count,
		      int64_t since_unix_ns, uint64_t host_token, struct tg_error *ret_error);
int32_t requests_balances(struct connector *connector, uint64_t host_token, struct tg_error *ret_error);
void requests_reply(struct connector *connector, const struct wire_reply *reply);
/* Answer those without an answer by now. */
void requests_expire(struct connector *connector);
/* Answer all: the connection is lost. */
void requests_lose(struct connector *connector);
int64_t requests_due_ns(const struct connector *connector);

/* ------------------------------------------------------------ connector_books.c */

/* Ask for books, as far as it is time and within the limit. */
void books_ask(struct connector *connector);
int64_t books_due_ns(const struct connector *connector);
/* A new connection: whatever is wanted is to be subscribed anew. */
void books_reset(struct connector *connector);
void books_subscribed(struct connector *connector, bool taken);
void books_take(struct connector *connector, uint16_t flags, const struct wire_book *book);
/* Its book is not to be traded on until a new one comes. */
void books_distrust(struct connector *connector, uint32_t market, const char *why);

/* ------------------------------------------------------------ connector_frames.c */

/* What the venue said. */
void frames_take(struct connector *connector, const struct wire_frame *frame);

#endif
