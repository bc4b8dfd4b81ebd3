/* The venue's side of the wire as bare as it can be: TLS connections of this machine that one thread spins over, each
 * with a channel of venue/binance behind it. Owner: the one thread of a process. */
#ifndef TRIGATE_BENCH_WIRE_SIDE_H
#define TRIGATE_BENCH_WIRE_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/wire/tls.h"
#include "venue/binance/channel.h"

#define SIDE_CONNECTIONS_MAX 64

struct side_connection {
	SSL *ssl; /* NULL: free */
	struct channel *channel;
	bool streams; /* it is one of market streams */
	bool orders;  /* it is one of the WebSocket API */
};

struct side {
	const struct tls_server *server;
	struct channels *channels;
	int64_t ticked_ns, stepped_ns;
	bool moves; /* the venue's markets do */
	struct side_connection connection[SIDE_CONNECTIONS_MAX];
};

/* note: what clients say; NULL: nobody wants to know. */
void side_open(struct side *side, const struct tls_server *server, struct venue *venue,
	       void (*note)(void *ctx, const struct channel_note *note), void *ctx);
void side_close(struct side *side);

/* One look at all that may have come, and what there is to be said in return. */
void side_turn(struct side *side);
/* One look at one connection: the time at which something was there, or 0. */
int64_t side_read(struct side *side, struct side_connection *connection);
/* Say it on a market stream, past the venue. */
void side_say(struct side_connection *connection, const char *text, size_t count);
struct side_connection *side_stream(struct side *side);
struct side_connection *side_orders(struct side *side);

#endif
