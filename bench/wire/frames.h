/* bookTicker frames of 50 markets, as the exchange sends them, whose update ids go on for ever; and what takes them:
 * the decoders of exchanges/binance and the books of core/market, put together as the gateway does. Owner: the one
 * thread of a process; one of each a process. */
#ifndef TRIGATE_BENCH_WIRE_FRAMES_H
#define TRIGATE_BENCH_WIRE_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define FRAMES_MARKETS 50
#define FRAMES_COUNT 8192 /* 900 KB: more than stays in the nearest caches */
#define FRAMES_SIZE_MAX 160

/* The markets of the frames as GET /api/v3/exchangeInfo would tell of them; static. */
const char *frames_info(void);

/* One after the other, each with its head of WebSocket if `framed`. */
struct frames {
	uint8_t bytes[FRAMES_COUNT * FRAMES_SIZE_MAX];
	size_t count;               /* of bytes */
	uint32_t at[FRAMES_COUNT];  /* where a message begins, its head left out */
	uint32_t len[FRAMES_COUNT]; /* of the message */
};
void frames_make(struct frames *frames, int framed);
/* The same frames, later: their update ids rise by FRAMES_COUNT. */
void frames_renew(struct frames *frames);

void consumer_open(void);
/* One frame's bytes into its market's book. */
void consumer_take(const uint8_t *bytes, size_t count);
/* Fails unless so many frames each changed a book. */
void consumer_close(uint64_t frames);

#endif
