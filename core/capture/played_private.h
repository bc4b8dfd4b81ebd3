/* The parts of the played wire among themselves. Inside core/capture/played*.c only; the loop thread's. */
#ifndef TRIGATE_CORE_CAPTURE_PLAYED_PRIVATE_H
#define TRIGATE_CORE_CAPTURE_PLAYED_PRIVATE_H

#include "core/capture/played.h"
#include "core/extensions.h"
#include "core/io/transport_text.h"

#define PLAYED_SOCKETS_MAX 256
#define PLAYED_ASKED_MAX 1024
#define PLAYED_HELP_BYTES 4096

/* A socket as it was recorded. */
struct recorded {
	uint64_t id; /* 0: free */
	bool open;
	char *url;             /* secrets out */
	struct socket *socket; /* tied to it */
};

/* A socket of the connector. */
struct socket {
	struct played *played;
	uint64_t id; /* 0: free */
	bool open, reconnect;
	bool restarting; /* it was told to */
	char *url;
	struct tg_ws_events events;
	struct recorded *recorded;
	uint64_t timer; /* opening or closing soon */
	struct bytes reply;
};

/* A request that waits for its answer. */
struct asked {
	struct played *played;
	uint64_t id; /* 0: free */
	char *key;
	void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response);
	void *ctx;
	struct answer *answer; /* to be told */
	uint64_t timer;
};

struct played {
	const struct played_help *help;
	struct loop *loop;
	struct recorded recorded[PLAYED_SOCKETS_MAX];
	struct socket socket[PLAYED_SOCKETS_MAX];
	struct asked asked[PLAYED_ASKED_MAX];
	struct answers answers;
	struct bytes shown;   /* of URLs */
	struct bytes message; /* that is being told */
	uint64_t last_id;
	struct played_figures figures;
};

/* Once the loop is gone its timers are. */
static inline void played_timer_stop(const struct played *played, uint64_t id)
{
	if (played->loop)
		loop_timer_stop(played->loop, id);
}

static inline struct played *played_of(const struct tg_host *host)
{
	return extensions_outside(host);
}

/* ---- played_sockets.c */
extern const struct tg_ext_ws played_ws;
void played_tell_opened(struct played *played, const struct capture_entry *entry);
void played_tell_closed(struct played *played, const struct capture_entry *entry);
void played_tell_message(struct played *played, const struct capture_entry *entry);
void played_sockets_finish(struct played *played);

/* ---- played_requests.c */
extern const struct tg_ext_http played_http;
void played_tell_http(struct played *played, const struct capture_entry *entry);
void played_requests_finish(struct played *played);

#endif
