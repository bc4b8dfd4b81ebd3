/* The two halves of the WebSocket side of the transport: sockets (transport_ws.c), which connectors see, and links
 * (transport_lws.c), connections of libwebsockets. Inside these two files only; the loop thread's. */
#ifndef TRIGATE_CORE_IO_TRANSPORT_WS_H
#define TRIGATE_CORE_IO_TRANSPORT_WS_H

#include <libwebsockets.h>

#include "core/io/transport_private.h"

#define SLOT_BITS 8
#define SOCKETS_MAX (1 << SLOT_BITS)
#define MESSAGE_MAX (UINT32_C(16) << 20)
#define SILENCE_MS 30000
#define CONNECT_MS 10000
#define QUEUE_MAX (4 << 20) /* bytes that wait for the kernel; more means that the other side does not read */

enum state { WAITING, RESOLVING, CONNECTING, OPEN };

struct link {
	struct ws *ws;
	struct socket *socket; /* NULL: closed, or given up */
	struct lws *lws;
	bool reached;        /* TCP is there */
	bool starting;       /* lws_client_connect_via_info has not returned */
	bool destroyed;      /* it ended in there */
	bool leaving;        /* say goodbye when writable */
	const char *refusal; /* of the certificate */
	char reason[128];    /* the other side's, of closing */
	struct bytes in;     /* of a message in fragments */
};

struct socket {
	struct ws *ws;
	uint64_t id;
	struct transport_owner owner;
	struct tg_ws_events events;
	enum state state;
	bool reconnect, compressed;
	uint32_t message_max;
	int64_t silence_ns, connect_ns;
	struct link *link; /* CONNECTING, OPEN */
	uint64_t question; /* RESOLVING */
	uint64_t timer;    /* bound of connecting, of silence, backoff */
	struct addresses addresses;
	uint32_t address_at;
	uint32_t failures; /* since a message came */
	int64_t began_ns;  /* opening; once open, being so */
	int64_t data_ns;   /* of the last message, or part of one */
	uint64_t sent_bytes, received_bytes;
	struct tg_error restart; /* code: told to */
	struct bytes headers;    /* lines as given */
	struct bytes out;        /* struct waiting, LWS_PRE bytes and the frame, again and again */
	size_t out_at;           /* what of it is sent */
	struct url url;
};

struct waiting {
	uint32_t count;
	int32_t kind;
};

struct ws {
	struct transport *transport;
	struct lws_context *lws;
	struct lws_vhost *plain, *compressing; /* the second one when first asked for */
	struct bytes frame;                    /* LWS_PRE and what is sent at once */
	uint64_t serial;
	struct socket *sockets[SOCKETS_MAX];
};

static inline int64_t now_ns(const struct ws *ws)
{
	return loop_mono_ns(ws->transport->loop);
}

/* ---- transport_lws.c */
bool link_begin(struct socket *socket); /* false: no link, and nobody was told */
/* Cut it off its socket; no callback finds that any more. goodbye: with the closing handshake, if the other side takes
 * part. */
void link_drop(struct link *link, bool goodbye);
/* Hand a frame to the kernel, behind LWS_PRE bytes of room. false: it is broken. */
bool link_write(struct link *link, uint8_t *bytes, size_t count, int32_t kind);

/* ---- transport_ws.c: what a link has to tell. The socket may be gone when they return; 0, or -1: end the link. */
int socket_on_open(struct link *link);
int socket_on_bytes(struct link *link, uint8_t *bytes, size_t count);
int socket_on_writable(struct link *link);
/* Refused or never reached, or lost after it was open. */
void socket_on_unreached(struct link *link);
void socket_lost(struct socket *socket, const struct tg_error *error);
__attribute__((format(printf, 3, 4))) void socket_fail(struct socket *socket, int32_t code, const char *format, ...);

#endif
