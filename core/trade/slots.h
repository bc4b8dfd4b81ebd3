/* Slots: the right to have a cycle open. Leased from the store ahead of need, so that the way from tick to order asks
 * no storage. A slot belongs to its cycle until the cycle is final. Owner: the loop thread; the writer thread renews
 * the leases (writer.h). */
#ifndef TRIGATE_CORE_TRADE_SLOTS_H
#define TRIGATE_CORE_TRADE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/storage.h>

#include "core/base/limits.h"

struct slots {
	uint64_t id[OPEN_CYCLES_MAX]; /* the store's */
	bool taken[OPEN_CYCLES_MAX];
	uint32_t count; /* leased */
	uint32_t used;
};

#define SLOT_NONE UINT32_MAX

/* Lease up to `limit` slots of the group, those first that the owner's earlier process left behind. Returns 0 (also
 * when fewer were free: see count) or the store's error. Blocks: at start only. */
int slots_lease(struct slots *slots, const struct tg_storage_api *api, void *backend, const char *group,
		const char *owner, uint32_t limit, int64_t ttl_ms, struct tg_error *ret_error);

/* Give all back to the store; those of open cycles stay reserved for recovery. Blocks: at the end only. */
void slots_return(struct slots *slots, const struct tg_storage_api *api, void *backend, const char *group,
		  const char *owner);

uint32_t slots_take(struct slots *slots); /* SLOT_NONE: all are used. [hot] */
/* A cycle of an earlier start takes its slot again; when there are fewer now, it goes without one. */
uint32_t slots_retake(struct slots *slots, uint32_t slot);
void slots_give(struct slots *slots, uint32_t slot); /* SLOT_NONE is allowed. [hot] */

#endif
