/* The debug door: with TRIGATE_ABI_CHECK=1 in the environment the host puts a checking proxy between itself and every
 * plugin, and reports each breach of the ABI's rules, by either side, as a log record "abi_violation". With
 * TRIGATE_ABI_CHECK=abort the first one aborts, for a debugger. What is checked:
 *   exchange  every call and event on the loop thread; no call inside another; no event inside create, no book, order
 * or done inside a call, none before start or after stop; TG_PENDING answered once; status codes and errors;
 *             order_place allocates nothing
 *   its wire  (tg.ws, tg.http, tg.signer, as net.h says) calls and callbacks on the loop thread; calls that are [io] or
 *             [control] not from order_place or message; no callback inside a call, after stop, close or cancel; one
 *             done a request; a message only while its socket is open; message allocates nothing
 *   storage   calls on one instance do not overlap; status codes and errors
 *   router    one thread for all of them; calls do not overlap; status codes and errors
 * Allocations are seen while something counts them: LD_PRELOAD=<build>/plugins/allocation_count.so does.
 * Owner: the process; any thread may report. */
#ifndef TRIGATE_PLUGINS_DEBUG_H
#define TRIGATE_PLUGINS_DEBUG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/abi.h>

/* Overrules the environment; counts for plugins loaded from now on. [control] */
void debug_enable(bool on);

/* Breaches since the process began. [any] */
uint64_t debug_violations(void);

/* The vtable by which the host calls a plugin: its own, or the proxy of its kind. [control] */
const void *debug_api(const struct tg_entry *entry);

/* --- below: for the proxies --- */

extern const struct tg_exchange_api debug_exchange_api;
extern const struct tg_storage_api debug_storage_api;
extern const struct tg_router_api debug_router_api;

/* The plugin's own vtable behind a proxy's create or open. */
const void *debug_own_api(const struct tg_host *host);
const char *debug_plugin_id(const struct tg_host *host);

/* Report one breach; format says which rule was broken how. */
void debug_report(const char *plugin_id, const char *call, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Which call an instance is in. */
struct debug_guard {
	const char *plugin_id;
	_Atomic(const char *) call; /* NULL: none */
	uint64_t lent;              /* allocations of this thread that were not the plugin's: see debug_lend */
};
/* Report if another call is going on; returns it, to be given to debug_leave. */
const char *debug_enter(struct debug_guard *guard, const char *call);
void debug_leave(struct debug_guard *guard, const char *outer);

/* A status that the call may return (`highest`: INT32_MAX for a count), with its error filled in on failure. */
int32_t debug_status(const struct debug_guard *guard, const char *call, int32_t status, int32_t highest,
		     const struct tg_error *error);

/* Allocations of this thread so far that the plugin has to answer for; 0 while nothing counts them. */
uint64_t debug_allocations(const struct debug_guard *guard);
/* While the host's code runs (an event, something that it lends), allocations are its own business. */
struct debug_span {
	uint64_t made, lent;
};
struct debug_span debug_lend(const struct debug_guard *guard);
void debug_take_back(struct debug_guard *guard, struct debug_span span);
void debug_check_hot(const struct debug_guard *guard, const char *call, uint64_t allocations_before);

/* Tokens of what is due. Zeroed is empty; without memory it aborts: a debug aid has nothing left to say then. */
struct debug_tokens {
	uint64_t *at;
	size_t count, room;
};
void debug_tokens_add(struct debug_tokens *tokens, uint64_t token);
bool debug_tokens_take(struct debug_tokens *tokens, uint64_t token); /* false: it is not there */
void debug_tokens_clear(struct debug_tokens *tokens);

/* What an exchange's instance sees of the host: the same, but for the wire (debug_net.c), which is watched. `guard`
 * outlives it. NULL: no memory. */
struct debug_net;
struct debug_net *debug_net_create(const struct tg_host *host, struct debug_guard *guard);
const struct tg_host *debug_net_host(const struct debug_net *net);
void debug_net_stop(struct debug_net *net);    /* no callback is legal any more */
void debug_net_destroy(struct debug_net *net); /* NULL is allowed */

#endif
