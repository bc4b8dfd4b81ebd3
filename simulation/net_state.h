/* The parts of the simulated wire among themselves: net.c (what both share), net_ws.c, net_http.c. Nobody else includes
 * it. */
#ifndef TRIGATE_SIMULATION_NET_STATE_H
#define TRIGATE_SIMULATION_NET_STATE_H

#include "core/io/transport_text.h"
#include "simulation/net.h"
#include "simulation/net_frame.h"

#define MS INT64_C(1000000)
#define OUR_MESSAGES_MAX (4 << 20) /* bytes of one that a connector sends; as the real wire queues */

struct net_socket;
struct net_request;

struct net {
	struct net_options options;
	struct ground *ground;
	char who[8]; /* in the trace */
	uint64_t random;
	uint64_t last_id;
	uint32_t busy; /* callbacks on the stack: nothing is freed under them */
	struct net_socket *sockets;
	struct net_request *requests;
};

#define net_tell(net, ...) trace_add((net)->ground->trace, (net)->who, __VA_ARGS__)

static inline int64_t net_mono_ns(const struct net *net)
{
	return net->options.mono_ns(net->options.process);
}

/* A timer of the world's; *id is that of the one before, which is stopped. Its fn enters the process by itself. */
void net_timer(struct net *net, uint64_t *id, int64_t delay_ns, loop_fn fn, void *ctx);
void net_timer_stop(struct net *net, uint64_t *id);
/* In a pass of the process: fn(ctx), and afterwards what ended in it is freed. */
void net_enter(struct net *net, void (*fn)(void *ctx), void *ctx);
/* The same for who is in a pass already: around each call to the connector. */
void net_call_begin(struct net *net);
void net_call_end(struct net *net);

/* A URL of the venue. */
int net_url_parse(struct tg_str text, const char *scheme, struct url *ret_url, struct tg_error *ret_error);
/* "METHOD PATH HTTP/1.1", the headers with placeholders filled, and the body. */
int net_request_write(const struct net *net, const char *method, const struct url *url,
		      const struct tg_net_header *headers, uint32_t header_count, struct tg_str body,
		      struct bytes *ret_text, struct tg_error *ret_error);
/* The path without its query, for the trace. */
int net_path_length(const struct url *url);
/* One frame; as stream_send. */
int net_frame_send(struct stream *stream, enum net_frame_kind kind, const void *bytes, size_t count);

/* An answer's head: status, header lines each ended by NUL, and where the body begins. False: it is none. */
bool net_answer_read(const struct net_frame *frame, int32_t *ret_status, struct bytes *ret_lines,
		     struct tg_str *ret_body);

void sockets_finish(struct net *net);
void sockets_reap(struct net *net);
void requests_finish(struct net *net);
void requests_reap(struct net *net);

/* Copy a struct of the ABI that may be shorter or longer than ours. */
#define ABI_COPY(to, from) memcpy((to), (from), (from)->size < sizeof *(to) ? (from)->size : sizeof *(to))

#endif
