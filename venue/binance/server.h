/* The venue on a socket: REST, market streams and WebSocket API on one port, over TLS 1.2 and later or plain. Owner:
 * whoever opened it; one thread, a libuv loop of its own, on which libwebsockets has the sockets and TLS. What the
 * bytes mean is for the channels; here they are only carried. */
#ifndef TRIGATE_VENUE_BINANCE_SERVER_H
#define TRIGATE_VENUE_BINANCE_SERVER_H

#include <uv.h>

#include "venue/binance/channel.h"

struct server_options {
	const char *host;             /* an address, or localhost */
	uint16_t port;                /* 0: any that is free */
	const char *certificate_file; /* PEM; NULL: without TLS */
	const char *key_file;
	int64_t step_ms; /* of the made-up markets */
	bool spin;       /* never sleep: least latency, a whole core */
	struct channels_options channels;
};

struct server;

/* Texts are borrowed for life, the venue too; the keys in the channels' options are taken over. Errors carry a message
 * that says what to do. */
int32_t server_open(struct server_options *options, struct venue *venue, struct server **ret_server,
		    struct tg_error *ret_error);
/* Handles that were opened on its loop must be closed before. NULL is allowed. */
void server_close(struct server *server);

uv_loop_t *server_loop(struct server *server);
uint16_t server_port(const struct server *server);
const struct channels_figures *server_figures(const struct server *server);

/* Serve until server_stop. TG_OK, or the venue broke: its ledger could not be written. */
int32_t server_run(struct server *server);
/* Clients are told, and have a short time for their goodbye; a second call ends at once. */
void server_stop(struct server *server);

#endif
