/* What the files of the simulated Binance share: binance_server.c (the door, time, begin and end), binance_requests.c
 * (what comes in), binance_replies.c (what goes out). Nobody else includes it. */
#ifndef TRIGATE_SIMULATION_BINANCE_SERVER_STATE_H
#define TRIGATE_SIMULATION_BINANCE_SERVER_STATE_H

#include "simulation/binance_server.h"
#include "simulation/market_faults.h"
#include "simulation/net_frame.h"
#include "simulation/order_whims.h"
#include "venue/binance/binance.h"

#define MS_NS INT64_C(1000000)

enum peer_state {
	PEER_NEW,    /* has not said what it wants */
	PEER_HTTP,   /* asked; is to be answered once */
	PEER_MARKET, /* a WebSocket of market streams */
	PEER_API,    /* one of the WebSocket API */
};

/* A stream of a gateway. */
struct peer {
	struct peer *next;
	struct binance_server *server;
	uint64_t id;           /* never given to another one; venue/binance's connection */
	struct stream *stream; /* NULL: closed */
	uint32_t gateway;
	enum peer_state state;
	uint32_t late; /* requests of it that are still on their way: until then the venue does not know that it is gone
			*/
	bool forgotten; /* by venue/binance */
	int64_t heard_ns;
	struct net_reader reader;
};

/* Something that arrives late: a request, or a message to a gateway. */
struct late {
	struct late *next, *previous;
	struct binance_server *server;
	uint64_t peer;
	uint64_t timer;
	bool request;
	enum net_frame_kind kind;
	size_t size;
	uint8_t bytes[];
};

struct binance_server {
	struct binance_server_options options;
	char who[8]; /* in the trace */
	struct venue *venue;
	struct binance *binance;
	struct order_whims whims;
	struct market_faults market_faults;
	struct peer *peers; /* oldest first */
	uint64_t peer_last;
	struct late *lates;
	uint64_t step_timer, tick_timer;
	uint64_t random;                  /* for what the faults leave open */
	uint32_t asking;                  /* the gateway whose request is being done */
	int64_t excused_ns[GATEWAYS_MAX]; /* until then a refusal for too many requests is the fault's doing */
	/* Refusals for too many requests that are no fault's doing, since such a minute began. */
	int64_t refused_since_ns[GATEWAYS_MAX];
	uint32_t refused[GATEWAYS_MAX];
	bool failed;
};

/* The world itself is at its end (memory, timers): everything stops, and the run says why. */
void binance_server_fail(struct binance_server *server, const char *why);
static inline int64_t server_unix_ns(const struct binance_server *server)
{
	return loop_unix_ns(server->options.ground->time);
}
static inline bool server_strikes(const struct binance_server *server, enum fault_kind kind, uint32_t gateway,
				  int64_t *ret_arg)
{
	return fault_strikes(server->options.ground->faults, kind, gateway, ret_arg);
}
#define server_tell(server, ...) trace_add((server)->options.ground->trace, (server)->who, __VA_ARGS__)
#define server_tell_fault(server, kind, ...) \
	ground_fault_tell((server)->options.ground, (server)->who, (kind), __VA_ARGS__)

/* NULL: gone, and all that it sent is here. */
struct peer *peer_find(const struct binance_server *server, uint64_t id);
/* From the venue's side. */
void peer_close(struct peer *peer);
/* It is gone; once nothing of it is on its way the venue hears. */
void peer_leave(struct peer *peer);
void changes_note(struct binance_server *server);

/* ---- binance_requests.c */

void ask_arrive(struct peer *peer, enum net_frame_kind kind, const uint8_t *bytes, size_t size);
void ask_do(struct peer *peer, enum net_frame_kind kind, const uint8_t *bytes, size_t size);

/* ---- binance_replies.c */

extern const struct binance_sink replies_sink; /* ctx aside */
/* To a peer, as it is. */
void reply_send(struct peer *peer, enum net_frame_kind kind, uint16_t code, const void *bytes, size_t size);
/* An answer, with the mishaps that strike. */
void reply_post(struct peer *peer, enum net_frame_kind kind, const char *bytes, size_t size);
void late_send(struct peer *peer, bool request, enum net_frame_kind kind, const uint8_t *bytes, size_t size,
	       int64_t delay_ms);
void lates_drop(struct binance_server *server);
/* "order.place 00a1...", "GET /api/v3/depth": for the trace, of what came in. */
#define ASK_TEXT_MAX 128
void ask_text(enum net_frame_kind kind, const uint8_t *bytes, size_t size, char ret_text[ASK_TEXT_MAX]);

#endif
