/* One group of slots, as the store has it: what is renewed, reserved, given back. */
#include <string.h>

#include <trigate/error.h>

#include "core/base/log.h"
#include "core/state/leases_state.h"

#define MS INT64_C(1000000)
#define MARGIN_PART 6 /* the lease ends such a part of its time before the store would say so: the way of an order */
#define BACKOFF_FIRST_NS (50 * MS)
#define BACKOFF_PART 10 /* of the lease's time: the longest */

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static bool is_text(struct tg_str text, const char *with)
{
	return text.len == strlen(with) && memcmp(text.ptr, with, text.len) == 0;
}

/* ------------------------------------------------------------ the connection */

int32_t leases_connect(struct leases *leases, struct tg_error *ret_error)
{
	if (leases->backend)
		return TG_OK;
	return store_pool_take(leases->options.pool, "slots", &leases->backend, ret_error);
}

void leases_disconnect(struct leases *leases)
{
	if (leases->backend)
		store_pool_give(leases->options.pool, leases->backend, leases->status);
	leases->backend = NULL;
	leases->status = TG_OK;
}

/* Keeps what a call said for the pool. */
static int32_t said(struct leases *leases, int32_t status)
{
	leases->status = status < 0 ? status : TG_OK;
	return status;
}

static int32_t renew(struct leases *leases, const char *group, struct tg_error *ret_error)
{
	const struct leases_options *options = &leases->options;
	return said(leases, leases->api->slot_renew(leases->backend, str(group), str(options->owner), options->ttl_ms,
						    ret_error));
}

static int32_t reserve(struct leases *leases, const char *group, uint32_t limit, uint32_t want, uint64_t *ret_ids,
		       struct tg_error *ret_error)
{
	const struct leases_options *options = &leases->options;
	return said(leases, leases->api->slot_reserve(leases->backend, str(group), str(options->owner), limit, want,
						      options->ttl_ms, ret_ids, ret_error));
}

static int32_t release(struct leases *leases, struct tg_str group, uint64_t id, struct tg_error *ret_error)
{
	int32_t status = said(
		leases, leases->api->slot_release(leases->backend, group, str(leases->options.owner), id, ret_error));
	return status == TG_ERR_NOT_FOUND ? TG_OK : status; /* an operator was quicker */
}

static int32_t list(struct leases *leases, const char *group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error)
{
	return said(leases, leases->api->slot_list(leases->backend, str(group), fn, ctx, ret_error));
}

/* ------------------------------------------------------------ the lease */

/* All that we hold was confirmed by a call that left after asked_ns. */
static void lease_prolong(const struct leases *leases, struct lease_group *group, int64_t asked_ns)
{
	atomic_store(&group->face->until_ns, asked_ns + leases_ttl_ns(leases) - leases_ttl_ns(leases) / MARGIN_PART);
}

/* How many there should be: what is used, also beyond the limit, and some ahead. */
static uint32_t target_of(const struct lease_group *group)
{
	uint32_t used = slot_group_count(group->face).used;
	uint32_t wanted = used + atomic_load(&group->face->ahead);
	uint32_t limit = group->face->limit < OPEN_CYCLES_MAX ? group->face->limit : OPEN_CYCLES_MAX;
	if (limit < used)
		limit = used;
	return wanted < limit ? wanted : limit;
}

bool lease_group_wants(const struct lease_group *group)
{
	return group->count < target_of(group);
}

/* ------------------------------------------------------------ what the store has of ours */

struct own {
	const char *owner;
	uint64_t held[LEASE_OWN_MAX], expired[LEASE_OWN_MAX];
	uint32_t held_count, expired_count;
};

static int32_t own_note(void *ctx, const struct tg_slot *slot)
{
	struct own *own = ctx;
	if (!is_text(slot->owner, own->owner))
		return 0;
	if (slot->state == TG_SLOT_HELD && own->held_count < LEASE_OWN_MAX)
		own->held[own->held_count++] = slot->id;
	if (slot->state == TG_SLOT_EXPIRED && own->expired_count < LEASE_OWN_MAX)
		own->expired[own->expired_count++] = slot->id;
	return 0;
}

/* So many ids stand behind those that are held. One that is held already is no other slot: the store said that it had
 * expired, for its clock was set forward. What it has of ours is then not known. Returns how many are new. */
static uint32_t ids_add(struct lease_group *group, uint32_t got)
{
	uint32_t before = group->count;
	for (uint32_t i = before; i < before + got; i++) {
		uint32_t same = 0;
		while (same < before && group->id[same] != group->id[i])
			same++;
		if (same == before)
			group->id[group->count++] = group->id[i];
	}
	group->doubtful |= group->count < before + got;
	return group->count - before;
}

/* Up to `target`, own expired ones first: slot_reserve renews them before it looks for others. What expired and is not
 * needed any more is given back, or it would take up the group's room for ever. */
static int32_t own_adopt(struct leases *leases, struct lease_group *group, struct own *own, uint32_t target,
			 struct tg_error *ret_error)
{
	uint32_t want = target > own->held_count ? target - own->held_count : 0;
	while (own->expired_count > want) {
		int32_t status =
			release(leases, str(group->face->name), own->expired[own->expired_count - 1], ret_error);
		if (status < 0)
			return status;
		own->expired_count--;
	}
	memcpy(group->id, own->held, own->held_count * sizeof *group->id);
	group->count = own->held_count;
	if (want == 0)
		return TG_OK;
	int32_t got = reserve(leases, group->face->name, group->face->limit, want, group->id + group->count, ret_error);
	if (got > 0)
		ids_add(group, (uint32_t)got);
	return got < 0 ? got : TG_OK;
}

/* Have we a mark among those that wait? One that expired says nothing to others any more. */
static int32_t mark_learn(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	struct own own = {.owner = leases->options.owner};
	int32_t status = list(leases, group->waiting, own_note, &own, ret_error);
	group->mark = status >= 0 && own.held_count > 0 ? own.held[0] : 0;
	for (uint32_t i = 0; i < own.expired_count && status >= 0; i++)
		status = release(leases, str(group->waiting), own.expired[i], ret_error);
	return status < 0 ? status : TG_OK;
}

static int32_t mark_renew(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	int32_t renewed = renew(leases, group->waiting, ret_error);
	return renewed == 0 ? mark_learn(leases, group, ret_error) : renewed;
}

static void loss_tell(const struct lease_group *group)
{
	struct slot_count count = slot_group_count(group->face);
	if (count.used > group->count)
		log_warn("slots.lost", LOG_S("group", group->face->name), LOG_I("used", count.used),
			 LOG_I("leased", group->count),
			 LOG_S("note", "no new cycles until the open ones are covered; those go on"));
}

/* The lists of the store are the truth. Everything that is ours in them was renewed or reserved after asked_ns. */
static int32_t group_learn(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	struct own own = {.owner = leases->options.owner};
	uint32_t granted = slot_group_count(group->face).granted, target = target_of(group);
	int32_t status = mark_learn(leases, group, ret_error);
	if (status == TG_OK)
		status = list(leases, group->face->name, own_note, &own, ret_error);
	if (status >= 0)
		status = own_adopt(leases, group, &own, granted > target ? granted : target, ret_error);
	if (status < 0)
		return status;
	bool lost = group->count < granted;
	slot_group_set(group->face, group->count);
	if (lost)
		loss_tell(group);
	return TG_OK;
}

/* ------------------------------------------------------------ what is done */

void lease_group_failed(struct leases *leases, struct lease_group *group, int32_t status, const struct tg_error *error)
{
	int64_t longest_ns = leases_ttl_ns(leases) / BACKOFF_PART;
	group->backoff_ns = group->backoff_ns ? 2 * group->backoff_ns : BACKOFF_FIRST_NS;
	if (group->backoff_ns > longest_ns)
		group->backoff_ns = longest_ns;
	int64_t wait_ns = error->retry_after_ns > group->backoff_ns ? error->retry_after_ns : group->backoff_ns;
	if (wait_ns > longest_ns)
		wait_ns = longest_ns; /* whatever it asks for: the lease does not wait */
	group->renew_ns = group->retry_ns = leases->now_ns + wait_ns;
	group->doubtful = true; /* whatever it was, it may have happened */
	leases_disconnect(leases);
	if (!group->failing)
		log_warn("slots.failing", LOG_S("group", group->face->name), LOG_S("code", tg_status_name(status)),
			 LOG_S("error", error->message));
	group->failing = true;
}

static void group_succeeded(struct lease_group *group)
{
	if (group->failing)
		log_info("slots.renewed", LOG_S("group", group->face->name), LOG_I("leased", group->count));
	group->failing = false;
	group->backoff_ns = 0;
}

int32_t lease_group_renew(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	int64_t asked_ns = leases_boot_ns(leases);
	int32_t renewed = renew(leases, group->face->name, ret_error);
	int32_t status = renewed < 0 ? renewed : TG_OK;
	if (renewed >= 0 && ((uint32_t)renewed != group->count || group->doubtful))
		status = group_learn(leases, group, ret_error);
	if (status == TG_OK && group->mark)
		status = mark_renew(leases, group, ret_error);
	if (status < 0)
		return status;
	group->doubtful = false;
	group->renew_ns = leases->now_ns + leases_ttl_ns(leases) / LEASE_RENEWALS;
	lease_prolong(leases, group, asked_ns);
	group_succeeded(group);
	return TG_OK;
}

/* Slots that the loop was not told of, or that were taken back from it. */
static int32_t spare_release(struct leases *leases, struct lease_group *group, uint32_t count,
			     struct tg_error *ret_error)
{
	for (uint32_t i = 0; i < count; i++) {
		int32_t status = release(leases, str(group->face->name), group->id[group->count - 1], ret_error);
		if (status < 0)
			return status;
		group->count--;
	}
	return TG_OK;
}

static int32_t mark_clear(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	int32_t status = group->mark ? release(leases, str(group->waiting), group->mark, ret_error) : TG_OK;
	if (status == TG_OK)
		group->mark = 0;
	return status;
}

/* Others hold the rest: who could trade says so, and tries again soon. */
static int32_t group_wait(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	bool hungry = leases->now_ns < group->hungry_until_ns;
	int64_t pause_ns = leases_ttl_ns(leases) / (hungry ? LEASE_RENEWALS * BACKOFF_PART : LEASE_RENEWALS);
	group->retry_ns = leases->now_ns + pause_ns;
	if (!group->few)
		log_info("slots.few", LOG_S("group", group->face->name), LOG_I("wanted", target_of(group)),
			 LOG_I("leased", group->count), LOG_S("note", "other gateways hold the rest"));
	group->few = true;
	if (!hungry)
		return mark_clear(leases, group, ret_error);
	if (group->mark)
		return TG_OK;
	int32_t got = reserve(leases, group->waiting, OPEN_CYCLES_MAX, 1, &group->mark, ret_error);
	return got < 0 ? got : TG_OK;
}

/* The loop may have given one back since it was seen that more are wanted. */
int32_t lease_group_grow(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	uint32_t target = target_of(group);
	if (target <= group->count)
		return TG_OK;
	uint32_t want = target - group->count;
	int32_t got = reserve(leases, group->face->name, group->face->limit, want, group->id + group->count, ret_error);
	if (got < 0)
		return got;
	slot_group_grant(group->face, ids_add(group, (uint32_t)got));
	if (group->doubtful) {
		group->renew_ns = leases->now_ns; /* at once */
		group->retry_ns = leases->now_ns + BACKOFF_FIRST_NS;
		return TG_OK;
	}
	if ((uint32_t)got < want)
		return group_wait(leases, group, ret_error);
	group->few = false;
	return mark_clear(leases, group, ret_error);
}

/* What was not needed for the time of a lease goes back; so do those beyond `ahead`, step by step. */
int32_t lease_group_shrink(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	uint32_t peak = slot_group_peak(group->face), ahead = atomic_load(&group->face->ahead);
	group->window_ns = leases->now_ns + leases_ttl_ns(leases);
	if (group->misses == group->window_misses && ahead > leases->options.ahead)
		atomic_store(&group->face->ahead,
			     ahead / 2 > leases->options.ahead ? ahead / 2 : leases->options.ahead);
	group->window_misses = group->misses;
	uint32_t enough = peak + atomic_load(&group->face->ahead);
	if (group->count <= enough)
		return TG_OK;
	uint32_t spare = slot_group_withdraw(group->face, group->count - enough);
	return spare_release(leases, group, spare, ret_error);
}

struct others {
	const char *owner;
	uint32_t count;
};

static int32_t others_note(void *ctx, const struct tg_slot *slot)
{
	struct others *others = ctx;
	others->count += slot->state == TG_SLOT_HELD && !is_text(slot->owner, others->owner);
	return 0;
}

/* Another gateway has found none for a cycle: one that is spare here goes to it, the last one too. */
int32_t lease_group_share(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	struct others others = {.owner = leases->options.owner};
	struct slot_count count = slot_group_count(group->face);
	if (count.used >= count.granted)
		return TG_OK;
	int32_t status = list(leases, group->waiting, others_note, &others, ret_error);
	if (status < 0 || others.count == 0)
		return status < 0 ? status : TG_OK;
	group->retry_ns = leases->now_ns + leases_ttl_ns(leases) / LEASE_RENEWALS; /* not taken back at once */
	return spare_release(leases, group, slot_group_withdraw(group->face, others.count), ret_error);
}

/* All that no cycle uses. */
int32_t lease_group_give_back(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	int32_t status = leases_connect(leases, ret_error);
	if (status == TG_OK && group->doubtful)
		status = group_learn(leases, group, ret_error);
	if (status == TG_OK)
		status = spare_release(leases, group, slot_group_withdraw(group->face, group->count), ret_error);
	if (status == TG_OK)
		status = mark_clear(leases, group, ret_error);
	return status;
}

/* ------------------------------------------------------------ the start */

/* A slot of ours that nothing can belong to. */
struct stray {
	const struct leases *leases;
	char group[SLOT_GROUP_NAME_MAX + sizeof LEASES_WAITING];
	uint64_t id; /* 0: none */
};

static int32_t stray_note(void *ctx, const struct tg_slot *slot)
{
	struct stray *stray = ctx;
	const struct slots *slots = stray->leases->options.slots;
	size_t mark = strlen(LEASES_WAITING);
	bool waits = slot->group.len > mark && memcmp(slot->group.ptr, LEASES_WAITING, mark) == 0;
	bool ours = slots_look(slots).used > 0; /* of cycles of another strategy, maybe */
	for (uint32_t i = 0; i < slots->groups; i++)
		ours |= is_text(slot->group, slots->group[i].name);
	if (!is_text(slot->owner, stray->leases->options.owner) || slot->group.len >= sizeof stray->group ||
	    (ours && !waits))
		return 0;
	memcpy(stray->group, slot->group.ptr, slot->group.len);
	stray->group[slot->group.len] = '\0';
	stray->id = slot->id;
	return 1;
}

int32_t leases_strays_release(struct leases *leases, struct tg_error *ret_error)
{
	struct stray stray;
	int32_t status = TG_OK;
	do {
		stray = (struct stray){.leases = leases};
		status = list(leases, "", stray_note, &stray, ret_error);
		if (status >= 0 && stray.id)
			status = release(leases, str(stray.group), stray.id, ret_error);
	} while (status >= 0 && stray.id);
	return status < 0 ? status : TG_OK;
}

int32_t lease_group_open(struct leases *leases, struct lease_group *group, struct tg_error *ret_error)
{
	group->doubtful = true;
	group->window_ns = leases->now_ns + leases_ttl_ns(leases);
	int32_t status = lease_group_renew(leases, group, ret_error);
	if (status == TG_OK && lease_group_wants(group))
		status = group_wait(leases, group, ret_error);
	return status;
}

void lease_group_init(const struct leases *leases, uint32_t index, struct lease_group *group)
{
	group->face = &leases->options.slots->group[index];
	strcpy(group->waiting, LEASES_WAITING);
	strcat(group->waiting, group->face->name);
	atomic_store(&group->face->ahead, leases->options.ahead);
	atomic_store(&group->face->until_ns, INT64_MIN);
}
