/* What travels on a stream (network.h) between a gateway's wire (net.h) and a venue that speaks HTTP and WebSocket:
 * whole messages, each with a checksum, as TLS would deliver them or not at all. Both ends live on one machine, so that
 * numbers stand as they are in memory. Pure but for the reader's memory; any thread.
 *
 *   gateway: REQUEST -> venue: ANSWER                                  the stream ends there
 *   gateway: UPGRADE -> venue: ANSWER of 101 -> TEXT, BINARY, PING, PONG, CLOSE both ways */
#ifndef TRIGATE_SIMULATION_NET_FRAME_H
#define TRIGATE_SIMULATION_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_MESSAGE_MAX (UINT32_C(64) << 20) /* bytes of a message: the longest answer that tg.http/1 takes */

#define NET_FRAME_TABLE(X) \
	X(REQUEST) /* an HTTP request, head and body */ \
	X(UPGRADE) /* one that asks for a WebSocket */ \
	X(ANSWER)  /* an HTTP answer, head and body */ \
	X(TEXT) \
	X(BINARY) \
	X(PING) \
	X(PONG) \
	X(CLOSE) /* code and reason */

#define NET_FRAME_CONST(name) NET_##name,
enum net_frame_kind { NET_NOTHING, NET_FRAME_TABLE(NET_FRAME_CONST) NET_FRAME_KINDS };
#undef NET_FRAME_CONST

struct net_frame {
	enum net_frame_kind kind;
	uint16_t code;  /* of CLOSE */
	uint8_t *bytes; /* of the reader, until it takes the next one; whoever takes it may scribble in them */
	size_t count;
};

/* One frame in memory of its own, to be freed. NULL: no memory. */
uint8_t *net_frame_make(enum net_frame_kind kind, uint16_t code, const void *bytes, size_t count, size_t *ret_size);

/* Whole frames out of bytes in whatever pieces. Zeroed is ready. */
struct net_reader {
	const char *error; /* why the stream cannot be read on; NULL: it can */
	bool whole;        /* what is there was told */
	size_t have, room;
	uint8_t *at;
};

void net_reader_finish(struct net_reader *reader);
/* Take bytes up to the end of one frame; *bytes and *count move on. 1: *ret_frame is it (call again), 0: all bytes are
 * taken, TG_ERR_CORRUPT or TG_ERR_NO_MEMORY: reader->error, now and for ever. */
int net_reader_take(struct net_reader *reader, const uint8_t **bytes, size_t *count, struct net_frame *ret_frame);

#endif
