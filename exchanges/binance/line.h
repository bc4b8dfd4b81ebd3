/* One WebSocket that is kept open: the host opens a lost one again by itself, and what it refused to begin is tried
 * again here. What is wanted of it may be said at any time, from inside a message too, where the host opens and closes
 * nothing: line_step then does it. Owner: market.c, trade.c. */
#ifndef TRIGATE_EXCHANGES_BINANCE_LINE_H
#define TRIGATE_EXCHANGES_BINANCE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/net.h>

struct spot;
struct line;

struct line_events {
	void (*opened)(struct line *line);
	void (*closed)(struct line *line, const struct tg_error *reason);
	void (*message)(struct line *line, uint8_t *bytes, uint64_t count, int64_t received_ns); /* [hot] */
};

struct line {
	struct spot *spot;
	uint32_t link; /* its owner's number of it */
	const struct line_events *events;
	char url[280];
	int64_t silence_ms;
	bool wanted;
	bool is_open;
	bool leaves;      /* its socket is to be closed, and is not listened to any more */
	bool restarts;    /* its socket is to be opened anew */
	uint64_t socket;  /* 0: the host has none */
	int64_t retry_ns; /* wanted without a socket: not before */
	int64_t heard_ns; /* of the last message, or of the opening */
};

void line_open(struct line *line);
void line_close(struct line *line);
void line_restart(struct line *line);
/* [hot] */
int32_t line_send(struct line *line, const uint8_t *bytes, uint64_t count);
/* Do what was wanted; line_wake says when. [io] */
void line_step(struct line *line, int64_t now_ns);
int64_t line_wake(const struct line *line);
/* Close it now. [control] */
void line_stop(struct line *line);

#endif
