/* What the server's own files share; nobody else includes it. Owner: one world; its thread. */
#ifndef TRIGATE_SIMULATION_SERVER_STATE_H
#define TRIGATE_SIMULATION_SERVER_STATE_H

#include "simulation/market_faults.h"
#include "simulation/server.h"
#include "simulation/wire.h"

#define MS_NS INT64_C(1000000)

/* What a connection may ask for in a second, and how it bears refusals. */
struct request_limit {
	int64_t *taken_ns; /* ring: when the last requests_per_second requests were taken */
	uint32_t next;
	int64_t wait_until_ns; /* it was told to come back then */
	uint32_t ignored;      /* requests that came nevertheless */
};

struct connection {
	struct connection *next;
	struct server *server;
	uint64_t id; /* never given to another one: what is late finds out whether it is still there */
	struct stream *stream;
	uint32_t gateway;
	bool greeted; /* HELLO came: it is told of orders, balances and markets */
	bool closing; /* taken away by the next step */
	int64_t heard_ns;
	struct request_limit limit;
	bool *subscribed; /* by market */
	/* FILL_AFTER_END struck: event (index + 1) that is held back until its order's end is told */
	uint32_t held_fill;
	int64_t held_ms;
	struct wire_reader reader;
};

/* Frames behind each other. */
struct frames {
	uint8_t *bytes;
	size_t used, capacity;
};

/* Something under way that arrives late: frames to a gateway, or a request from one. */
struct parcel {
	struct parcel *next, *previous;
	struct server *server;
	uint64_t connection;
	uint32_t gateway;
	uint64_t timer;
	enum wire_type request; /* WIRE_NOTHING: frames */
	size_t size;
	uint8_t bytes[];
};

/* An order, as far as only the server knows it. */
struct placed {
	uint8_t gateway; /* index */
	bool belied;     /* the gateway is told something else of it, and later the truth: one lie each */
};

struct server {
	struct server_options options;
	char who[8]; /* in the trace */
	struct venue *venue;
	const struct engine *engine; /* the venue's */
	uint64_t *sequence;          /* of the last book sent, from 1; by market */
	uint32_t *changed;           /* scratch, one entry a market */
	struct market_faults market_faults;
	struct connection *connections; /* oldest first */
	uint64_t connection_last;
	int64_t banned_until_ns[GATEWAYS_MAX];
	struct placed *placed; /* by order */
	uint32_t placed_capacity;
	struct parcel *parcels;
	struct frames answer; /* to the request at hand */
	struct frames frame;  /* the one that is told to several */
	uint64_t step_timer;
	bool failed;
};

/* The world itself is at its end (memory, timers): everything stops, and the run says why. */
void server_fail(struct server *server, const char *why);
static inline int64_t server_unix_ns(const struct server *server)
{
	return loop_unix_ns(server->options.ground->time);
}
/* As fault_strikes. Whatever struck is told in the trace as "fault NAME: what it hit". */
bool strikes(const struct server *server, enum fault_kind kind, uint32_t target, int64_t *ret_arg);
#define trace_fault(server, kind, ...) ground_fault_tell((server)->options.ground, (server)->who, (kind), __VA_ARGS__)

/* ---- frames and parcels (server_post.c) */

void frames_clear(struct frames *frames);
void frames_add(struct server *server, struct frames *frames, enum wire_type type, uint16_t flags, const void *payload);
void frames_send(struct connection *connection, const uint8_t *bytes, size_t size);

/* Which faults strike what is sent. */
struct post_faults {
	enum fault_kind lost, late, twice;
};
extern const struct post_faults reply_faults, event_faults;
/* Send frames, or what the faults make of it. what: for the trace. */
void frames_post(struct connection *connection, const struct frames *frames, const struct post_faults *faults,
		 const char *what);
void frames_send_later(struct connection *connection, const struct frames *frames, int64_t delay_ms);
void request_later(struct connection *connection, const struct wire_frame *frame, int64_t delay_ms);
void parcels_drop(struct server *server);

/* ---- what the venue says (server_encode.c) */

void order_encode(struct server *server, struct frames *frames, const struct venue_event *event);
void absent_encode(struct server *server, struct frames *frames, const struct wire_ref *ref);
void balance_encode(struct server *server, struct frames *frames, uint32_t currency, const struct balance *balance);
void instrument_encode(struct server *server, struct frames *frames, uint32_t market);
/* flags: WIRE_BOOK_; with the market's sequence as it is. corrupt: not what its checksum says. */
void book_encode(struct server *server, struct frames *frames, uint32_t market, uint16_t flags, bool corrupt);

/* ---- what is told without being asked (server_tell.c) */

/* After every call that changes the venue: its events, then the books that changed. */
void changes_tell(struct server *server);
/* The book of a market to one connection, beginning a sequence. */
void book_begin(struct connection *connection, uint32_t market);

/* ---- requests (server_requests.c, server_answer.c) */

/* What came in. Who sent it may be gone by the time that it is taken up: an order is placed and cancelled all the same,
 * but nobody is answered. */
struct request {
	struct server *server;
	struct connection *connection; /* NULL: gone */
	uint32_t gateway;
	enum wire_type type;
	const union wire_payload *payload;
};

bool request_limit_init(struct server *server, struct request_limit *ret_limit);
/* A request's bytes are here. */
void request_arrive(struct connection *connection, const struct wire_frame *frame);
/* The venue takes it up. */
void request_do(const struct request *request);

/* How a request came out. */
struct outcome {
	int32_t status; /* TG_ */
	int64_t code;   /* the venue's */
	int64_t retry_after_ms;
	const char *text; /* static */
	int64_t late_ms;  /* it is told so much later, whatever else strikes */
};
/* Do it; what answers it goes into server->answer. */
struct outcome request_answer(const struct request *request);
/* "PLACE 00a1...": for the trace. */
#define REQUEST_TEXT_MAX 96
void request_name(const struct request *request, char ret_text[REQUEST_TEXT_MAX]);

/* ---- orders that are placed (server_orders.c) */

/* heard: whoever placed it is there to be answered. */
struct outcome order_place(struct server *server, uint32_t gateway, const struct wire_place *place, bool heard);
/* Does the account's order come from that gateway? */
bool order_is_from(const struct server *server, uint32_t order, uint32_t gateway);

/* ---- what is told of orders and is not so (server_lies.c) */

/* May the end of one's own order be told otherwise? True: it was told, in whatever way. */
bool end_tell_falsely(struct connection *connection, const struct venue_event *event);
/* News of an order of which something false was told: late at most, in any order. */
void truth_tell(struct connection *connection, const struct venue_event *event);
/* The order's end once more, by fault: all that is known of it. */
void end_tell_again(struct connection *connection, const struct venue_event *event);

#endif
