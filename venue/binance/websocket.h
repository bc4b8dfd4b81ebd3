/* The server's end of one WebSocket, without its socket: frames in, messages out, and the other way round (RFC 6455, by
 * libwslay). Owner: its channel, one thread. A client that breaks the protocol gets the close frame for it; what is to
 * be sent is appended to the owner's bytes. */
#ifndef TRIGATE_VENUE_BINANCE_WEBSOCKET_H
#define TRIGATE_VENUE_BINANCE_WEBSOCKET_H

#include "venue/binance/http.h"

#define WEBSOCKET_ACCEPT_MAX 32 /* with NUL */

/* Called from websocket_receive. May send and close; must not free. */
struct websocket_events {
	void *ctx;
	void (*message)(void *ctx, const char *bytes, size_t size);
	void (*ping)(void *ctx); /* it is answered already */
	void (*pong)(void *ctx, const char *payload, size_t size);
};

struct websocket;

bool websocket_asked(const struct http_request *request); /* an Upgrade header names it */
/* Is it a handshake (RFC 6455, 4.2.1)? 101 and the value of Sec-WebSocket-Accept, or the HTTP status to refuse it with:
 * 400, or 426 for another version than 13. */
int32_t websocket_handshake(const struct http_request *request, char ret_accept[WEBSOCKET_ACCEPT_MAX]);

/* `out` is borrowed for life. NULL: no memory. */
struct websocket *websocket_create(const struct websocket_events *events, size_t message_max, struct text *out);
void websocket_destroy(struct websocket *websocket); /* NULL is allowed */

/* Take bytes from the client. False: there is nothing to be said any more, or no memory: end the connection once what
 * is in `out` was sent. */
bool websocket_receive(struct websocket *websocket, const char *bytes, size_t size);
void websocket_text(struct websocket *websocket, const char *text, size_t size);
void websocket_ping(struct websocket *websocket, const char *payload, size_t size); /* up to 125 bytes */
/* Begin the closing handshake; the client's answer ends websocket_receive. Nothing can be sent after it. */
void websocket_close(struct websocket *websocket, uint16_t code, const char *reason);

#endif
