/* The parts of the transport among themselves. Inside core/io/transport*.c only; the loop thread's. */
#ifndef TRIGATE_CORE_IO_TRANSPORT_PRIVATE_H
#define TRIGATE_CORE_IO_TRANSPORT_PRIVATE_H

#include <netinet/in.h>

#include "core/io/transport.h"
#include "core/io/transport_text.h"

#define NS_PER_MS INT64_C(1000000)

/* ------------------------------------------------------------ names */

#define ADDRESSES_MAX 8
struct addresses {
	uint32_t count;
	char text[ADDRESSES_MAX][INET6_ADDRSTRLEN];
};

struct resolver;
/* addresses NULL: there are none, why says so. */
typedef void (*resolved_fn)(void *ctx, const struct addresses *addresses, const char *why);
/* TG_OK: *ret_addresses is filled at once (a number, or known); TG_PENDING: fn is called later, unless the question
 * *ret_question is withdrawn. Answers are known for a minute. */
int resolver_ask(struct resolver *resolver, const char *name, resolved_fn fn, void *ctx, uint64_t *ret_question,
		 struct addresses *ret_addresses);
void resolver_withdraw(struct resolver *resolver, uint64_t question);
void resolver_forget(struct resolver *resolver, const char *name); /* its addresses did not answer */
int resolver_create(struct loop *loop, struct resolver **ret_resolver);
void resolver_destroy(struct resolver *resolver);

/* ------------------------------------------------------------ the whole */

struct http;
struct ws;

struct transport {
	struct loop *loop;
	char *ca_file;
	char *proxy;
	char proxy_host[HOST_MAX];
	uint16_t proxy_port; /* 0: no proxy */
	bool allow_plain;
	int64_t backoff_first_ns, backoff_max_ns;
	uint64_t random;
	transport_fill_fn fill;
	void *fill_ctx;
	transport_audit_fn audit;
	void *audit_ctx;
	transport_tap_fn tap;
	void *tap_ctx;
	struct bytes shown_url, shown_headers, shown_body; /* of the audit */
	struct resolver *resolver;
	struct http *http;
	struct ws *ws;
	uv_idle_t spin;
	uv_idle_t reaper; /* after transport_destroy, until libwebsockets is through */
	uint32_t reaper_turns;
	uint32_t open_handles; /* of ours, that libuv has not given back */
};

/* A handle of ours is open, or given back; the last one takes the transport with it. */
void transport_hold(struct transport *transport);
void transport_release(struct transport *transport);

/* Append lines "Name: value" with the placeholders of values filled; wipe them after use. */
int transport_fill_headers(struct transport *transport, const char *lines, size_t len, struct bytes *ret_lines,
			   struct tg_error *ret_error);
/* Show it, secrets out. Texts in `audit` are as they are. */
void transport_tell(struct transport *transport, struct transport_audit audit);

/* Show it as it is. [hot] */
static inline void transport_show(struct transport *transport, const struct transport_traffic *traffic)
{
	if (transport->tap)
		transport->tap(transport->tap_ctx, traffic);
}

/* Where a connection to a host goes first. */
static inline const char *transport_next_host(const struct transport *transport, const struct url *url)
{
	return transport->proxy_port ? transport->proxy_host : url->host;
}

int http_create(struct transport *transport, struct http **ret_http);
void http_drop(struct http *http, const void *owner); /* NULL: all */
void http_destroy(struct http *http);

int ws_create(struct transport *transport, struct ws **ret_ws, struct tg_error *ret_error);
void ws_drop(struct ws *ws, const void *owner); /* NULL: all */
void ws_destroy(struct ws *ws);                 /* begins it; turns of the loop later ws_finish ends it */
void ws_finish(struct ws *ws);

/* Copy a struct of the ABI that may be shorter or longer than ours. */
#define ABI_COPY(to, from) memcpy((to), (from), (from)->size < sizeof *(to) ? (from)->size : sizeof *(to))

#endif
