/* Inside the leases: what their two files share. leases.c: when something is done, start, end. leases_group.c: what is
 * asked of the store for one group. Owner: the worker, but for what is said to be the loop's. */
#ifndef TRIGATE_CORE_STATE_LEASES_STATE_H
#define TRIGATE_CORE_STATE_LEASES_STATE_H

#include "core/state/leases.h"

#define LEASE_RENEWALS 3 /* in the time of a lease: two may fail */
/* An operator may have made the limit smaller than what is held. */
#define LEASE_OWN_MAX (2 * OPEN_CYCLES_MAX)

struct lease_group {
	struct slot_group *face; /* what the loop sees */
	char waiting[sizeof LEASES_WAITING + SLOT_GROUP_NAME_MAX];
	uint64_t id[LEASE_OWN_MAX]; /* held, by the store's last word */
	uint32_t count;             /* never fewer than granted */
	uint64_t mark;              /* id of ours in the group of those that wait; 0: none */
	bool doubtful;              /* what the store has of ours is not known: a call failed, or gave what we have */
	bool failing;
	bool few;                /* there were fewer than wanted */
	uint64_t misses;         /* seen */
	uint64_t window_misses;  /* when the window began */
	int64_t renew_ns;        /* mono, as are the following: the next renewal */
	int64_t retry_ns;        /* no more are asked for before it */
	int64_t window_ns;       /* what was not needed by then goes back */
	int64_t hungry_until_ns; /* a cycle went without, not long ago */
	int64_t backoff_ns;
};

struct leases {
	struct leases_options options;
	struct worker *worker;
	struct lease_group group[SLOT_GROUPS_MAX];
	int64_t now_ns; /* of the turn */
	bool over_seen; /* the loop's: the lease had ended when it last looked */
	_Atomic uint64_t wakes;
	uint64_t wakes_seen;
	atomic_bool closing, closed;
	bool all_back; /* when it is closed: nothing is held but what is used */
	/* of a turn: the connection, once it is needed */
	const struct tg_storage_api *api;
	void *backend;
	int32_t status; /* of its last call */
};

static inline int64_t leases_ttl_ns(const struct leases *leases)
{
	return leases->options.ttl_ms * INT64_C(1000000);
}
static inline int64_t leases_boot_ns(const struct leases *leases)
{
	return workers_boot_ns(leases->options.workers);
}

/* A connection, from its first use in a turn to the turn's end or its first failure. */
int32_t leases_connect(struct leases *leases, struct tg_error *ret_error);
void leases_disconnect(struct leases *leases);

/* What a killed process of ours left in the groups of those that wait, or, if no cycle of it is open, of groups that
 * this one is not in: given back. */
int32_t leases_strays_release(struct leases *leases, struct tg_error *ret_error);

/* All of these need a connection and return TG_OK or the store's error, after which lease_group_failed is called. */
void lease_group_init(const struct leases *leases, uint32_t index, struct lease_group *group);
int32_t lease_group_open(struct leases *leases, struct lease_group *group, struct tg_error *ret_error);
int32_t lease_group_renew(struct leases *leases, struct lease_group *group, struct tg_error *ret_error);
int32_t lease_group_shrink(struct leases *leases, struct lease_group *group, struct tg_error *ret_error);
int32_t lease_group_share(struct leases *leases, struct lease_group *group, struct tg_error *ret_error);
int32_t lease_group_grow(struct leases *leases, struct lease_group *group, struct tg_error *ret_error);
int32_t lease_group_give_back(struct leases *leases, struct lease_group *group, struct tg_error *ret_error);
void lease_group_failed(struct leases *leases, struct lease_group *group, int32_t status, const struct tg_error *error);
/* Are there fewer than are used and wanted ahead? */
bool lease_group_wants(const struct lease_group *group);

#endif
