/* The venue's clients, without their sockets: the bytes that a client sent go in, those to be sent to it come out.
 * HTTP/1.1 until a request upgrades the channel, WebSocket from then on. Owner: whoever opened the channels (the
 * server, a simulated network, a test), one thread. No clock, no I/O: every call is told the time, unix in nanoseconds.
 *
 * After any call here some channels may have something to send or be at their end: channels_take_ready names them, each
 * once. Nothing is freed but by channel_close. Hostile clients are bounded: what a request, a message and an answer
 * that is not fetched may take in memory, and how long a request, an idle connection and a goodbye may last. */
#ifndef TRIGATE_VENUE_BINANCE_CHANNEL_H
#define TRIGATE_VENUE_BINANCE_CHANNEL_H

#include "venue/binance/binance.h"

#define CHANNELS_MAX 4096 /* clients at once; file descriptors end sooner */

struct channel;
struct channels;

/* What a client asked for, for a journal. */
struct channel_note {
	uint64_t connection;
	struct tg_str method; /* "GET", or "message" */
	struct tg_str text;   /* the path, or the message; hostile */
	int32_t status;       /* HTTP's; 0: a message, or it was cut off */
};

struct channels_options {
	struct binance_options binance; /* its sink is set here, its keys are taken over */
	size_t unsent_max;              /* bytes that a client leaves unread before it is cut off */
	int64_t request_ms;             /* from its first byte to its last; also the TLS handshake's */
	int64_t idle_ms;                /* between requests */
	int64_t goodbye_ms;             /* for the last bytes, and the closing handshake */
	void (*note)(void *ctx, const struct channel_note *note); /* NULL: none */
	void *ctx;
};

struct channels_options channels_options_default(void);

struct channels_figures {
	uint64_t accepted;
	uint64_t requests; /* HTTP */
	uint64_t messages; /* WebSocket, received */
	uint64_t frames;   /* WebSocket, sent */
	uint64_t cut;      /* by us, without a word */
	uint32_t open;
	uint32_t websockets;
};

/* The venue is borrowed and lives longer. Errors carry a message; the keys are gone then, too. */
int32_t channels_open(struct channels_options *options, struct venue *venue, int64_t unix_ns,
		      struct channels **ret_channels, struct tg_error *ret_error);
void channels_close(struct channels *channels); /* with those that are left; NULL is allowed */

/* The made-up markets go on one step. TG_OK, or the venue broke. */
int32_t channels_step(struct channels *channels, int64_t unix_ns);
/* What time brings: every 100 ms or sooner. */
void channels_tick(struct channels *channels, int64_t unix_ns);
/* The venue goes down: everybody is told, 1001 to WebSockets, and no request is answered any more. */
void channels_goodbye(struct channels *channels, int64_t unix_ns);
const struct channels_figures *channels_figures(const struct channels *channels);
/* The next channel that has something to send or is at its end; NULL: none. */
struct channel *channels_take_ready(struct channels *channels);

/* A client came from this address. NULL: too many, or no memory. `socket` is the caller's own. */
struct channel *channel_open(struct channels *channels, int64_t unix_ns, uint64_t address, void *socket);
void channel_close(struct channel *channel); /* its socket is gone */
void *channel_socket(const struct channel *channel);

void channel_receive(struct channel *channel, int64_t unix_ns, const char *bytes, size_t size);

enum channel_state {
	CHANNEL_OPEN,
	CHANNEL_ENDING, /* to be closed as soon as its bytes are sent */
	CHANNEL_CUT,    /* to be closed now */
};

enum channel_state channel_state(const struct channel *channel);
/* Bytes to be sent; valid until the next call here. */
struct tg_str channel_output(const struct channel *channel);
void channel_sent(struct channel *channel, size_t size);

#endif
