/* trigate plugin ABI 0.1: what the host lends to a connector of a real exchange: WebSocket, HTTP, signatures.
 *
 * The host owns sockets, TLS (always verified), name resolution, proxies, reconnection and keys; a connector turns
 * requests into bytes and bytes into events. All calls are made on the loop thread, all callbacks come on it, never
 * from inside a call of the connector, and none after the connector's stop has returned.
 */
#ifndef TRIGATE_NET_H
#define TRIGATE_NET_H

#include <trigate/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A header line. A value may hold placeholders that the host fills into the outgoing buffer, so that the secret itself
 * never reaches a plugin: "${key:NAME:id}" the key's public id, "${key:NAME:passphrase}" its passphrase. */
struct tg_net_header {
	struct tg_str name;
	struct tg_str value;
};

/* ------------------------------------------------------------- websocket */

enum { TG_WS_TEXT = 1, TG_WS_BINARY = 2 };
enum {
	TG_WS_RECONNECT = 1,  /* open it again whenever it is lost or refused, with backoff and jitter */
	TG_WS_COMPRESSED = 2, /* offer permessage-deflate: less to receive, much more work */
};

struct tg_ws_options {
	uint32_t size;
	uint32_t flags; /* TG_WS_ */
	/* "wss://host[:port]/path", the host a name or an IPv4 address; "ws://" only where the gateway's configuration
	 * allows it, to this machine */
	struct tg_str url;
	const struct tg_net_header *headers;
	uint32_t header_count;
	uint32_t message_max_bytes; /* a larger message closes it; 0: 16 MiB */
	/* No message, or part of one, for so long: it is lost. Pings and pongs are none. 0: 30,000 */
	int64_t silence_ms;
	int64_t connect_ms; /* up to the end of the handshake; 0: 10,000 */
};

struct tg_ws_events {
	uint32_t size;
	uint32_t reserved;
	void *ctx;
	void (*opened)(void *ctx, uint64_t socket); /* [io] also each time it is open again */
	/* [hot] One whole message. received_ns: mono, when the host read it. bytes are borrowed, and the connector may
	 * scribble in them. */
	void (*message)(void *ctx, uint64_t socket, int32_t kind, uint8_t *bytes, uint64_t count, int64_t received_ns);
	/* [io] It is not open any more, or could not be opened; with TG_WS_RECONNECT opened follows some day, else the
	 * socket is gone. */
	void (*closed)(void *ctx, uint64_t socket, const struct tg_error *reason);
};

/* "tg.ws/1" */
struct tg_ext_ws {
	uint32_t size;
	uint32_t reserved;
	/* [io] Begin to open; options and events are copied. *ret_socket is never 0 and never comes again. */
	int32_t (*open)(const struct tg_host *host, const struct tg_ws_options *options,
			const struct tg_ws_events *events, uint64_t *ret_socket, struct tg_error *ret_error);
	/* [hot] Send one message. TG_OK: handed to the kernel, or queued behind what is; any error means that nothing
	 * of it left or will: TG_ERR_CLOSED (not open), TG_ERR_LIMIT (too much is queued). */
	int32_t (*send)(const struct tg_host *host, uint64_t socket, int32_t kind, const uint8_t *bytes,
			uint64_t count);
	/* [io] Close what is open and open it again at once, as after a loss (TG_WS_RECONNECT): closed is told. Of no
	 * effect on one that is closed and waits to be opened. */
	void (*restart)(const struct tg_host *host, uint64_t socket);
	/* [io] Close for good; no callback comes any more. */
	void (*close)(const struct tg_host *host, uint64_t socket);
};
#define TG_EXT_WS "tg.ws/1"

/* ------------------------------------------------------------------ http */

struct tg_http_request {
	uint32_t size;
	uint32_t reserved;
	struct tg_str method; /* "GET", "POST", "PUT", "DELETE" */
	struct tg_str url;    /* "https://host[:port]/path?query" */
	const struct tg_net_header *headers;
	uint32_t header_count;
	uint32_t body_max_bytes; /* a longer answer is an error; 0: 64 MiB */
	struct tg_str body;
	int64_t timeout_ms; /* for all of it; 0: 10,000 */
};

struct tg_http_response {
	uint32_t size;
	int32_t http_status;                 /* 0: there was no answer; error says why */
	const struct tg_net_header *headers; /* names in lower case */
	uint32_t header_count;
	/* 1: the request, or a part of it, may have reached the other side. 0: it surely did not. */
	uint32_t left;
	struct tg_str body;
	int64_t received_ns;          /* mono */
	const struct tg_error *error; /* NULL with an http_status */
};

/* "tg.http/1" */
struct tg_ext_http {
	uint32_t size;
	uint32_t reserved;
	/* [io] Send; everything is copied. Answered by exactly one done(ctx, id, response), unless it is cancelled.
	 * Never repeated by the host, not even a GET. */
	int32_t (*request)(const struct tg_host *host, const struct tg_http_request *request,
			   void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response), void *ctx,
			   uint64_t *ret_id, struct tg_error *ret_error);
	/* [io] done is not called any more. What left is not called back. */
	void (*cancel)(const struct tg_host *host, uint64_t id);
};
#define TG_EXT_HTTP "tg.http/1"

/* ---------------------------------------------------------------- signer */

enum {
	TG_SIGN_HMAC_SHA256 = 1, /* 32 bytes */
	TG_SIGN_HMAC_SHA512 = 2, /* 64 bytes */
	TG_SIGN_ED25519 = 3,     /* 64 bytes */
	TG_SIGN_ES256 = 4,       /* 64 bytes: r then s (RFC 7518, section 3.4) */
	TG_SIGN_RSA_SHA256 = 5,  /* PKCS #1 v1.5, as long as the modulus */
};
#define TG_SIGNATURE_MAX 512

struct tg_key_info {
	uint32_t size;
	uint32_t algorithms; /* bit (1 << TG_SIGN_...) for each that the key can make */
	struct tg_str id;    /* the public part that is sent along; lives as long as the host */
	uint32_t has_passphrase;
	uint32_t reserved;
};

/* "tg.signer/1": keys stay with the host; a connector names one of the gateway's configuration. */
struct tg_ext_signer {
	uint32_t size;
	uint32_t reserved;
	/* [control] TG_ERR_NOT_FOUND, with the names that there are. */
	int32_t (*key)(const struct tg_host *host, struct tg_str name, struct tg_key_info *ret_info,
		       struct tg_error *ret_error);
	/* [hot] (for HMAC and Ed25519; the others allocate) Sign bytes; returns the signature's length.
	 * TG_ERR_NOT_FOUND, TG_ERR_UNSUPPORTED (another kind of key), TG_ERR_LIMIT (room too small). */
	int32_t (*sign)(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *bytes,
			uint64_t count, uint8_t *ret_signature, uint64_t room);
	/* [hot] Sign prefix || SHA-256(bytes), as Kraken wants it with HMAC-SHA512. */
	int32_t (*sign_hashed)(const struct tg_host *host, struct tg_str name, int32_t algorithm, const uint8_t *prefix,
			       uint64_t prefix_count, const uint8_t *bytes, uint64_t count, uint8_t *ret_signature,
			       uint64_t room);
};
#define TG_EXT_SIGNER "tg.signer/1"

#ifdef __cplusplus
}
#endif
#endif
