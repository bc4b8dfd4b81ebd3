/* Leases: a worker that keeps a gateway's slots in the store, so that the loop never asks for one. It renews them each
 * third of their time, reserves ahead so that spare ones are there when a cycle is opened, gives back what has not been
 * needed for a while, and more if another gateway waits. core/trade/slots.h is where it meets the loop.
 *
 * A renewal counts from before its call left, by the clock that also runs while the machine sleeps; the lease ends a
 * margin before the store would say so. What was not renewed in time is not ours until the store says that it is: then
 * nothing may leave. Expired ones stay this gateway's (the contract of slot_reserve), so a store that comes back after
 * an hour costs an hour. One that is gone for good costs new cycles, not those that are open.
 *
 * Owner: the loop thread opens, wakes and closes; the worker alone asks the store, over a connection of the pool. */
#ifndef TRIGATE_CORE_STATE_LEASES_H
#define TRIGATE_CORE_STATE_LEASES_H

#include "core/state/pool.h"
#include "core/trade/slots.h"

struct leases;

struct leases_options {
	const struct workers *workers;
	struct store_pool *pool;
	struct slots *slots; /* its groups with their names and limits; the rest is set by leases_open */
	const char *owner;   /* gateway id */
	int64_t ttl_ms;
	uint32_t ahead; /* spare slots, at least */
};

/* Lease what the cycles of earlier starts need, for which slots_retake was called before, and the first spare ones;
 * then begin to look after them. What earlier starts held is taken again, or given back if nothing is open that could
 * need it. Fewer than wanted is no error. Blocks. */
int leases_open(const struct leases_options *options, struct leases **ret_leases, struct tg_error *ret_error);

/* The loop ends a pass in which slots may have been taken: the worker is woken if it has to do something. over: the
 * loop has found that the lease has ended. A few loads and, if the worker sleeps, a system call. */
void leases_pass_end(struct leases *leases, bool over);

/* Give back all that no cycle uses, for at most timeout_ms, and end: what is used stays reserved for the next start.
 * False: so does what could not be given back. NULL is allowed. */
bool leases_close(struct leases *leases, int64_t timeout_ms);

/* Groups whose name begins so hold no slots of cycles: a gateway that waits for a slot of GROUP has one of
 * LEASES_WAITING GROUP, for the others to see. */
#define LEASES_WAITING "waiting:"

/* For an operator: give back a slot of a gateway that does not come back. TG_ERR_INVALID while its lease lasts, for
 * cycles may be open; TG_ERR_NOT_FOUND. [io] */
int leases_release_expired(const struct tg_storage_api *api, void *backend, struct tg_str group, struct tg_str owner,
			   uint64_t id, struct tg_error *ret_error);

#endif
