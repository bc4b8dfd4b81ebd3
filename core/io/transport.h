/* The wire: WebSocket (libwebsockets) and HTTP (libcurl) on the gateway's loop, what tg.ws/1 and tg.http/1 of
 * trigate/net.h do before they are tied to a host. Owner and thread: the loop's, a real one.
 *
 * TLS is always verified, against the system's authorities or those of ca_file, with the name that was asked for. Names
 * are resolved beside the loop. What is lost is opened again after a growing, random delay. Every request and every
 * frame that leaves is shown to the audit with secrets taken out. */
#ifndef TRIGATE_CORE_IO_TRANSPORT_H
#define TRIGATE_CORE_IO_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/error.h>
#include <trigate/net.h>

#include "core/io/loop.h"

struct transport;

struct transport_options {
	struct loop *loop;
	const char *ca_file; /* PEM; these authorities and no others. NULL: the system's */
	const char
		*proxy;   /* "http://HOST:PORT": all goes through it, by CONNECT. NULL: none; the environment's never */
	bool busy_poll;   /* the loop spins instead of sleeping: a core for a few microseconds */
	bool allow_plain; /* ws:// and http:// too, to 127.0.0.1, ::1 and localhost */
	uint64_t seed;    /* of the jitter */
	int64_t backoff_first_ms, backoff_max_ms; /* 0: 250 and 30,000 */
};

/* TG_ERR_INVALID (ca_file, proxy), TG_ERR_NO_MEMORY. */
int transport_create(const struct transport_options *options, struct transport **ret_transport,
		     struct tg_error *ret_error);
/* Close all; no callback comes any more. Not from inside a callback of the transport. Its memory goes as libuv closes
 * what was open: run the loop on, or destroy it. NULL is allowed. */
void transport_destroy(struct transport *transport);
/* Close all that an owner has opened, without a callback: it has been stopped. */
void transport_drop(struct transport *transport, const void *owner);

/* Copies text into buffer with its placeholders filled: see keys_fill (core/secrets/keys.h). Without one a placeholder
 * is refused. */
typedef int (*transport_fill_fn)(void *ctx, struct tg_str text, char *buffer, size_t room, size_t *ret_len,
				 struct tg_error *ret_error);
void transport_set_fill(struct transport *transport, transport_fill_fn fill, void *ctx);

/* What went over the wire. All is borrowed for the call and free of secrets (transport_redact). */
enum transport_event { TRANSPORT_HTTP, TRANSPORT_WS_OPENED, TRANSPORT_WS_SENT, TRANSPORT_WS_CLOSED };
struct transport_audit {
	enum transport_event event;
	const char *owner; /* plugin id */
	uint64_t id;       /* of the request or socket */
	const char *method;
	const char *url;
	struct tg_str headers;               /* HTTP: lines as they were given, placeholders unfilled */
	struct tg_str body;                  /* HTTP: the request's; SENT: the frame's */
	int32_t status;                      /* HTTP: 0 without an answer */
	bool left;                           /* HTTP: see tg_http_response */
	uint64_t sent_bytes, received_bytes; /* of bodies; CLOSED: of all messages since it was opened */
	int64_t duration_ns;          /* since the request, since opening began (OPENED), since it was open (CLOSED) */
	const struct tg_error *error; /* NULL: none */
};
/* [hot] where it is told of a frame. NULL: none. */
typedef void (*transport_audit_fn)(void *ctx, const struct transport_audit *audit);
void transport_set_audit(struct transport *transport, transport_audit_fn fn, void *ctx);

/* What went over the wire as it is, for a capture: whoever takes it sees to the secrets in it. Borrowed for the call.
 */
enum traffic_kind { TRAFFIC_HTTP, TRAFFIC_OPENED, TRAFFIC_MESSAGE, TRAFFIC_SENT, TRAFFIC_CLOSED };
struct transport_traffic {
	enum traffic_kind kind;
	uint64_t id; /* of the request or socket */
	const char *url;
	struct tg_str headers;                   /* HTTP, OPENED: lines as they were given, placeholders unfilled */
	struct tg_str body;                      /* MESSAGE, SENT: all of it; HTTP: the request's */
	int32_t ws_kind;                         /* MESSAGE, SENT: TG_WS_ */
	const char *method;                      /* HTTP */
	int64_t asked_ns;                        /* HTTP: mono */
	const struct tg_http_response *response; /* HTTP */
	const struct tg_error *error;            /* CLOSED; NULL: by the connector */
};
/* Told before the connector is. [hot] where it is told of a message. NULL: none. */
typedef void (*transport_tap_fn)(void *ctx, const struct transport_traffic *traffic);
void transport_set_tap(struct transport *transport, transport_tap_fn fn, void *ctx);

/* trigate/net.h has what these do. owner says whose a socket or request is: others cannot reach it; name is for people
 * and lives as long as the owner. */
struct transport_owner {
	const void *owner;
	const char *name;
};
int32_t transport_ws_open(struct transport *transport, struct transport_owner owner,
			  const struct tg_ws_options *options, const struct tg_ws_events *events, uint64_t *ret_socket,
			  struct tg_error *ret_error);
int32_t transport_ws_send(struct transport *transport, const void *owner, uint64_t socket, int32_t kind,
			  const uint8_t *bytes, uint64_t count);
void transport_ws_restart(struct transport *transport, const void *owner, uint64_t socket);
void transport_ws_close(struct transport *transport, const void *owner, uint64_t socket);

typedef void (*transport_done_fn)(void *ctx, uint64_t id, const struct tg_http_response *response);
int32_t transport_http_request(struct transport *transport, struct transport_owner owner,
			       const struct tg_http_request *request, transport_done_fn done, void *ctx,
			       uint64_t *ret_id, struct tg_error *ret_error);
void transport_http_cancel(struct transport *transport, const void *owner, uint64_t id);

#endif
