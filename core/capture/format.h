/* The capture's format: what went over the wire of one connector, entry by entry, with the times at which it came.
 * docs/record.md describes it to the byte. Pure; any thread.
 *
 * A file is one zstd stream. Unpacked it begins with a head of CAPTURE_HEAD bytes, then come entries, each with a
 * checksum of its own. Numbers are little endian. A recording is one file or several, its parts. */
#ifndef TRIGATE_CORE_CAPTURE_FORMAT_H
#define TRIGATE_CORE_CAPTURE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/error.h>

#define CAPTURE_MAGIC "trigate capture" /* with its NUL 16 bytes */
#define CAPTURE_VERSION 1
#define CAPTURE_HEAD 24
#define CAPTURE_ENTRY_HEAD 40
#define CAPTURE_SUFFIX ".tgcap.zst"
/* The longest answer that a connector may ask for is 64 MiB, the longest message by default 16 MiB. */
#define CAPTURE_PAYLOAD_MAX (UINT32_C(128) << 20)

enum capture_kind {
	CAPTURE_START = 1,      /* of a part: JSON, what was recorded and how */
	CAPTURE_SUBSCRIBED = 2, /* the markets that were asked for: a symbol a line */
	CAPTURE_OPENED = 3,     /* a socket: its URL */
	CAPTURE_MESSAGE = 4,    /* that came: its bytes */
	CAPTURE_SENT = 5,       /* that left: its bytes, secrets out */
	CAPTURE_CLOSED = 6,     /* a socket, or it was not reached: why; status: TG_ERR_, 0: by the connector */
	CAPTURE_HTTP = 7,       /* a request and its answer: struct capture_http; status: HTTP's, or TG_ERR_ */
	CAPTURE_GAP = 8,        /* what could not be written in time: struct capture_gap */
	CAPTURE_END = 9,        /* of a part, in order: why */
};
#define CAPTURE_KIND_LAST CAPTURE_END

enum {
	CAPTURE_BINARY = 1,  /* MESSAGE, SENT: not text */
	CAPTURE_PRIVATE = 2, /* of an account */
	CAPTURE_LEFT = 4,    /* HTTP: see tg_http_response */
	CAPTURE_MORE = 8,    /* END: another part follows */
};

struct capture_entry {
	uint16_t kind;
	uint16_t flags;
	int32_t status;
	uint64_t id;           /* of the socket or request */
	int64_t mono_ns;       /* when it came, as the connector was told; > 0 */
	int64_t unix_ns;       /* the same on the wall's clock */
	struct tg_str payload; /* borrowed */
};

/* The payload of CAPTURE_HTTP. With a status below 0 the body says why there was no answer. */
struct capture_http {
	int64_t asked_ns; /* mono */
	struct tg_str method, url;
	struct tg_str request; /* its body, secrets out */
	struct tg_str headers; /* of the answer: lines "name: value\r\n", names in lower case */
	struct tg_str body;
};
#define CAPTURE_HTTP_HEAD 24

/* The payload of CAPTURE_GAP. */
struct capture_gap {
	uint64_t entries, bytes;
	int64_t since_ns; /* mono */
};
#define CAPTURE_GAP_BYTES 24

/* The head of a file. part counts from 1. */
void capture_head_write(uint32_t part, uint8_t *ret_bytes);
/* TG_OK; TG_ERR_CORRUPT (no capture), TG_ERR_VERSION. */
int capture_head_read(const uint8_t *bytes, uint32_t *ret_part, struct tg_error *ret_error);

/* The head of an entry whose payload is these pieces joined. [hot] */
void capture_entry_write(const struct capture_entry *entry, const struct tg_str *pieces, size_t count,
			 uint8_t *ret_bytes);
/* Read the head of an entry; *ret_entry has no payload yet. Returns the payload's length, or TG_ERR_CORRUPT. */
int64_t capture_entry_read(const uint8_t *bytes, struct capture_entry *ret_entry);
/* Is it the payload that belongs to this head? */
bool capture_entry_fits(const uint8_t *bytes, struct tg_str payload);

/* What stands before method, url, request, headers and body. */
void capture_http_write(const struct capture_http *http, uint8_t *ret_bytes);
int capture_http_read(struct tg_str payload, struct capture_http *ret_http); /* TG_OK, TG_ERR_CORRUPT */
void capture_gap_write(const struct capture_gap *gap, uint8_t *ret_bytes);
int capture_gap_read(struct tg_str payload, struct capture_gap *ret_gap); /* TG_OK, TG_ERR_CORRUPT */

#endif
