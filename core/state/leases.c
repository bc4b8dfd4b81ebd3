#include "core/state/leases.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/base/log.h"
#include "core/state/leases_state.h"

/* ------------------------------------------------------------ turns */

/* The loop found none: more are held ahead from now on, unless there are no more to be had. */
static void misses_note(const struct leases *leases, struct lease_group *group)
{
	uint64_t misses = atomic_load(&group->face->misses);
	uint32_t ahead = atomic_load(&group->face->ahead);
	if (misses == group->misses)
		return;
	if (!group->few && ahead < group->face->limit)
		atomic_store(&group->face->ahead, 2 * ahead);
	group->misses = misses;
	group->hungry_until_ns = leases->now_ns + leases_ttl_ns(leases);
}

/* A machine that slept wakes up with a lease that has ended, long before the worker's clock says that it is due. */
static bool renewal_is_due(const struct leases *leases, const struct lease_group *group)
{
	bool over = leases_boot_ns(leases) >= atomic_load(&group->face->until_ns);
	return leases->now_ns >= group->renew_ns || (over && !group->failing);
}

static int32_t group_work(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	bool renews = renewal_is_due(leases, group), shrinks = leases->now_ns >= group->window_ns;
	bool grows = leases->now_ns >= group->retry_ns && lease_group_wants(group);
	if (!renews && (group->doubtful || (!shrinks && !grows)))
		return TG_OK;
	int32_t status = leases_connect(leases, ret_error);
	if (status == TG_OK && renews)
		status = lease_group_renew(leases, group, ret_error);
	if (status == TG_OK && shrinks)
		status = lease_group_shrink(leases, group, ret_error);
	if (status == TG_OK && renews)
		status = lease_group_share(leases, group, ret_error);
	if (status == TG_OK && leases->now_ns >= group->retry_ns && lease_group_wants(group))
		status = lease_group_grow(leases, group, ret_error);
	return status;
}

static int64_t group_due_ns(const struct lease_group *group)
{
	int64_t due_ns = group->renew_ns;
	if (group->doubtful)
		return due_ns;
	if (group->window_ns < due_ns)
		due_ns = group->window_ns;
	if (lease_group_wants(group) && group->retry_ns < due_ns)
		due_ns = group->retry_ns;
	return due_ns;
}

static int64_t group_turn(struct leases *leases, struct lease_group *group)
{
	struct tg_error error = tg_error_init();
	misses_note(leases, group);
	int32_t status = group_work(leases, group, &error);
	if (status < 0)
		lease_group_failed(leases, group, status, &error);
	atomic_store(&group->face->trying, lease_group_wants(group) && group->retry_ns > leases->now_ns);
	return group_due_ns(group);
}

static int64_t groups_turn(struct leases *leases)
{
	int64_t due_ns = WORKER_WHEN_WOKEN;
	for (uint32_t i = 0; i < leases->options.slots->groups; i++) {
		int64_t group_ns = group_turn(leases, &leases->group[i]);
		due_ns = group_ns < due_ns ? group_ns : due_ns;
	}
	return due_ns;
}

static void groups_give_back(struct leases *leases)
{
	struct tg_error error = tg_error_init();
	int32_t status = TG_OK;
	for (uint32_t i = 0; i < leases->options.slots->groups && status == TG_OK; i++)
		status = lease_group_give_back(leases, &leases->group[i], &error);
	leases->all_back = status == TG_OK;
	if (status < 0)
		log_warn("slots.kept", LOG_S("error", error.message),
			 LOG_S("note", "unused slots could not be given back; they wait for the next start"));
}

static int64_t leases_turn(void *ctx, int64_t now_ns)
{
	struct leases *leases = ctx;
	int64_t due_ns = WORKER_WHEN_WOKEN;
	leases->now_ns = now_ns;
	leases->wakes_seen = atomic_load(&leases->wakes);
	if (!atomic_load(&leases->closing)) {
		due_ns = groups_turn(leases);
	} else if (!atomic_load(&leases->closed)) {
		groups_give_back(leases);
		atomic_store(&leases->closed, true);
	}
	leases_disconnect(leases);
	return due_ns;
}

static bool leases_has_news(void *ctx, int64_t due_ns)
{
	const struct leases *leases = ctx;
	(void)due_ns;
	return atomic_load(&leases->wakes) != leases->wakes_seen;
}

/* ------------------------------------------------------------ open and close */

static int32_t groups_open(struct leases *leases, struct tg_error *ret_error)
{
	int32_t status = leases_connect(leases, ret_error);
	if (status == TG_OK)
		status = leases_strays_release(leases, ret_error);
	for (uint32_t i = 0; i < leases->options.slots->groups && status == TG_OK; i++)
		status = lease_group_open(leases, &leases->group[i], ret_error);
	leases_disconnect(leases);
	return status;
}

int leases_open(const struct leases_options *options, struct leases **ret_leases, struct tg_error *ret_error)
{
	assert(options->slots->groups > 0 && options->ttl_ms >= LEASE_RENEWALS && options->ahead > 0);
	struct leases *leases = calloc(1, sizeof *leases);
	if (!leases)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	leases->options = *options;
	leases->api = store_pool_api(options->pool);
	leases->now_ns = workers_now_ns(options->workers);
	for (uint32_t i = 0; i < options->slots->groups; i++)
		lease_group_init(leases, i, &leases->group[i]);
	const struct worker_job job = {"slots", leases, leases_turn, leases_has_news};
	int32_t status = groups_open(leases, ret_error);
	if (status == TG_OK && worker_start(options->workers, &job, &leases->worker))
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory or thread for the leases of slots");
	if (status != TG_OK) {
		free(leases);
		return status;
	}
	*ret_leases = leases;
	return TG_OK;
}

static void leases_wake(struct leases *leases)
{
	atomic_fetch_add(&leases->wakes, 1);
	worker_wake(leases->worker, true);
}

void leases_pass_end(struct leases *leases, bool over)
{
	if (slots_run_short(leases->options.slots) || (over && !leases->over_seen))
		leases_wake(leases);
	leases->over_seen = over;
}

static bool leases_are_closed(void *ctx)
{
	struct leases *leases = ctx;
	return atomic_load(&leases->closed);
}

bool leases_close(struct leases *leases, int64_t timeout_ms)
{
	if (!leases)
		return true;
	atomic_store(&leases->closing, true);
	worker_wait(leases->worker, leases_are_closed, leases, timeout_ms);
	worker_stop(leases->worker);
	bool all_back = leases->all_back;
	free(leases);
	return all_back;
}

/* ------------------------------------------------------------ for an operator */

struct wanted {
	struct tg_str owner;
	uint64_t id;
	uint32_t state; /* 0: not there */
	int64_t expires_in_ms;
};

static int32_t wanted_note(void *ctx, const struct tg_slot *slot)
{
	struct wanted *wanted = ctx;
	if (slot->id != wanted->id || slot->owner.len != wanted->owner.len ||
	    memcmp(slot->owner.ptr, wanted->owner.ptr, wanted->owner.len) != 0)
		return 0;
	wanted->state = slot->state;
	wanted->expires_in_ms = slot->expires_in_ms;
	return 1;
}

int leases_release_expired(const struct tg_storage_api *api, void *backend, struct tg_str group, struct tg_str owner,
			   uint64_t id, struct tg_error *ret_error)
{
	struct wanted wanted = {.owner = owner, .id = id};
	int32_t status = api->slot_list(backend, group, wanted_note, &wanted, ret_error);
	if (status < 0)
		return status;
	if (wanted.state == TG_SLOT_HELD)
		return tg_error_set(
			ret_error, TG_ERR_INVALID,
			"gateway %.*s holds slot %llu for another %lld ms and may trade on it: stop it, or wait "
			"until the slot has expired",
			(int)owner.len, owner.ptr, (unsigned long long)id, (long long)wanted.expires_in_ms);
	return api->slot_release(backend, group, owner, id, ret_error);
}
