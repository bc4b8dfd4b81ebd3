/* The protocol between a gateway's connector and a simulated venue: frames over a stream of bytes. Both ends live on
 * one machine, so that numbers stand as they are in memory; yet the reader takes nothing on trust, for streams carry
 * nonsense by fault. Pure; memory is the caller's; any thread.
 *
 *   frame = header, payload;  header.size counts both, header.crc is CRC32C of all that follows it
 *
 * A connection: HELLO, then requests. Every request (wire_is_request) carries a token of the client's and is answered
 * by one REPLY with that token, behind everything that it asked for. A refused one gets only its REPLY. */
#ifndef TRIGATE_SIMULATION_WIRE_H
#define TRIGATE_SIMULATION_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/exchange.h>

#define WIRE_VERSION 1
#define WIRE_NAME_MAX 47     /* of an id, a symbol, a currency; the longest are client ids (36) and symbols (47) */
#define WIRE_TEXT_MAX 118    /* of a reason */
#define WIRE_LEVELS_MAX 50   /* a side; as many as a venue streams */
#define WIRE_MARKETS_MAX 512 /* markets in one frame; more take several */

/* X(NAME, payload, request?). The client sends those up to PING, the venue those from INSTRUMENT on. */
#define WIRE_TABLE(X) \
	X(HELLO, struct wire_hello, false)             /* the first frame */ \
	X(PLACE, struct wire_place, true)              /* REPLY as done() of order_place; then ORDER events */ \
	X(CANCEL, struct wire_ref, true)               /* REPLY: was it taken; ORDER tells what became of it */ \
	X(QUERY, struct wire_ref, true)                /* ORDER: its fills, then its state, or ABSENT; REPLY */ \
	X(LIST, struct wire_list, true)                /* the same for each in these markets; REPLY */ \
	X(BALANCES, struct wire_ask, true)             /* BALANCE for each currency; REPLY */ \
	X(INSTRUMENTS, struct wire_ask, true)          /* INSTRUMENT for each market, CATALOGUE_END; REPLY */ \
	X(SUBSCRIBE, struct wire_subscribe, true)      /* REPLY; a BOOK that begins its sequence for each; changes */ \
	X(SNAPSHOT, struct wire_snapshot, true)        /* a BOOK that begins the sequence anew; REPLY */ \
	X(PING, struct wire_ping, false)               /* PONG */ \
	X(INSTRUMENT, struct wire_instrument, false)   /* asked for, or because it changed */ \
	X(CATALOGUE_END, struct wire_catalogue, false) /* how many there are */ \
	X(BALANCE, struct wire_balance, false)         /* asked for, or because it changed */ \
	X(BOOK, struct wire_book, false) \
	X(ORDER, struct wire_order, false) \
	X(REPLY, struct wire_reply, false) \
	X(PONG, struct wire_pong, false)

#define WIRE_CONST(name, payload, request) WIRE_##name,
enum wire_type { WIRE_NOTHING, WIRE_TABLE(WIRE_CONST) WIRE_TYPES };
#undef WIRE_CONST

struct wire_header {
	uint32_t size; /* of the frame, these bytes counted */
	uint32_t crc;  /* of what follows */
	uint16_t type;
	uint16_t flags; /* WIRE_BOOK_ in a BOOK, else 0 */
};

/* Text with its length. */
struct wire_name {
	uint8_t length;
	char text[WIRE_NAME_MAX];
};
struct wire_text {
	uint16_t length;
	char text[WIRE_TEXT_MAX];
};

/* ------------------------------------------------------------------ from the client */

struct wire_hello {
	uint32_t version; /* WIRE_VERSION */
	uint32_t reserved;
};

struct wire_place {
	uint64_t token;
	uint32_t market; /* the venue's index */
	int32_t side;
	int32_t time_in_force;
	uint32_t reserved;
	struct tg_decimal price;
	struct tg_decimal qty;
	int64_t valid_ms;          /* not to be accepted later than so long after timestamp; 0: no bound */
	int64_t timestamp_unix_ns; /* of sending, on the venue's clock as the client measured it */
	struct wire_name client_id;
};

/* Names an order; either id may be empty. */
struct wire_ref {
	uint64_t token;
	uint32_t market;
	uint32_t reserved;
	struct wire_name client_id;
	struct wire_name exchange_id;
};

struct wire_list {
	uint64_t token;
	int64_t since_unix_ns; /* created at or after, or open */
	uint32_t count;
	uint32_t reserved;
	uint32_t market[WIRE_MARKETS_MAX]; /* only `count` of them travel */
};

struct wire_ask {
	uint64_t token;
};

struct wire_subscribe {
	uint64_t token;
	uint32_t count;
	uint32_t reserved;
	uint32_t market[WIRE_MARKETS_MAX]; /* only `count` of them travel */
};

struct wire_snapshot {
	uint64_t token;
	uint32_t market;
	uint32_t reserved;
};

struct wire_ping {
	int64_t client_mono_ns;
};

/* ------------------------------------------------------------------ from the venue */

/* As struct tg_instrument. */
struct wire_instrument {
	uint32_t market;
	uint32_t version;
	int32_t status;
	int32_t fee_scale;
	struct tg_decimal tick, lot, min_qty, max_qty, min_notional, taker_bps, maker_bps;
	struct wire_name symbol, base, quote, fee_currency;
};

struct wire_catalogue {
	uint32_t count;
	uint32_t reserved;
};

struct wire_balance {
	struct tg_money free, locked;
	int64_t exchange_ns; /* unix, of the balance: an older one that comes later is known by it */
	struct wire_name currency;
};

/* Flags of a BOOK. Without FULL its levels are changes, 0 deletes. BEGIN: the sequence of this market begins here (FULL
 * too); without it the sequence is the last one's plus 1, or something is missing. */
enum { WIRE_BOOK_FULL = 1, WIRE_BOOK_BEGIN = 2 };

struct wire_book {
	uint32_t market;
	uint32_t version;
	uint64_t sequence;
	int64_t exchange_ns; /* unix */
	uint32_t checksum;   /* wire_book_checksum of the levels */
	uint16_t bid_count, ask_count;
	struct tg_level level[2 * WIRE_LEVELS_MAX]; /* bids, then asks, best first; only those travel */
};

/* As struct tg_order_event; reason_code 0 and no text: none. */
struct wire_order {
	uint32_t market;
	int32_t kind; /* TG_ORDER_ */
	int32_t side;
	uint32_t reserved;
	struct tg_decimal price, qty, cum_qty;
	struct tg_decimal fill_price, fill_qty, fee;
	int64_t exchange_ns;
	int64_t reason_code;
	struct wire_name client_id, exchange_id, fill_id, fee_currency;
	struct wire_text reason;
};

struct wire_reply {
	uint64_t token;
	int32_t status; /* TG_OK or TG_ERR_ */
	uint32_t reserved;
	int64_t exchange_code; /* 429, 418, 500, a reason's */
	int64_t retry_after_ms;
	struct wire_text text;
};

struct wire_pong {
	int64_t client_mono_ns; /* as in the PING */
	int64_t venue_unix_ns;
};

/* ------------------------------------------------------------------ frames */

#define WIRE_MEMBER(name, payload, request) payload name;
union wire_payload {
	WIRE_TABLE(WIRE_MEMBER)
};
#undef WIRE_MEMBER

#define WIRE_FRAME_MAX (sizeof(struct wire_header) + sizeof(union wire_payload))

/* "PLACE"; "?" if there is none. */
const char *wire_type_name(uint16_t type);
/* Does it count against the request limit, and is it answered by a REPLY? */
bool wire_is_request(uint16_t type);

/* Longer text is cut. */
struct wire_name wire_name_of(struct tg_str text);
struct wire_text wire_text_of(struct tg_str text);
/* Borrowed from *name, *text. */
struct tg_str wire_name_str(const struct wire_name *name);
struct tg_str wire_text_str(const struct wire_text *text);

uint32_t wire_book_checksum(const struct wire_book *book);

/* A frame with that payload (the struct of its type; counts and lengths within bounds). Returns its size. */
size_t wire_encode(enum wire_type type, uint16_t flags, const void *payload, uint8_t ret_bytes[WIRE_FRAME_MAX]);

/* Whole frames out of bytes in whatever pieces. Zeroed is ready. */
struct wire_reader {
	const char *error; /* why the stream cannot be read on; NULL: it can */
	size_t have;
	union wire_payload payload; /* of the frame that was taken last */
	uint8_t bytes[WIRE_FRAME_MAX];
};

struct wire_frame {
	enum wire_type type;
	uint16_t flags;
	const union wire_payload *payload; /* the reader's, until it takes the next one */
};

/* Take bytes up to the end of one frame; *bytes and *count move on. 1: *ret_frame is it (call again), 0: all bytes are
 * taken, TG_ERR_CORRUPT: reader->error, now and for ever. */
int wire_reader_take(struct wire_reader *reader, const uint8_t **bytes, size_t *count, struct wire_frame *ret_frame);

/* What a whole frame is, as one that listens in sees it: its type, WIRE_NOTHING if it is no frame; *ret_payload (may be
 * NULL) is a copy of its payload. */
enum wire_type wire_peek(const uint8_t *bytes, size_t count, union wire_payload *ret_payload);

#endif
