/* Conformance: slots. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/storage/conformance.h"

static int32_t reserve(void *self, const char *owner, uint32_t limit, uint32_t want, int64_t ttl_ms, uint64_t *ids)
{
	return api->slot_reserve(self, str("g"), str(owner), limit, want, ttl_ms, ids, NULL);
}

struct listed {
	unsigned held, expired;
};

static int32_t slot_note(void *ctx, const struct tg_slot *slot)
{
	struct listed *listed = ctx;
	listed->held += slot->state == TG_SLOT_HELD && slot->expires_in_ms >= 0;
	listed->expired += slot->state == TG_SLOT_EXPIRED && slot->expires_in_ms <= 0;
	return 0;
}

static struct listed slots_of(void *self, const char *group)
{
	struct listed listed = {0};
	api->slot_list(self, str(group), slot_note, &listed, NULL);
	return listed;
}

static struct listed slots(void *self)
{
	return slots_of(self, "g");
}

/* The backend's clock is not ours to set: wait for it, not for a time. */
static void wait_expired(void *self, const char *group, unsigned count)
{
	while (slots_of(self, group).expired < count)
		usleep(1000);
}

static void slot_rules(void)
{
	void *self = fresh(), *other = instance();
	uint64_t ids[10] = {0}, more[10] = {0};
	is_int(reserve(self, "a", 3, 2, 60000, ids), 2, "two of three slots");
	ok(ids[0] != ids[1] && ids[0] && ids[1], "with ids of their own");
	is_int(reserve(other, "b", 3, 2, 60000, more), 1, "another owner gets the one that is left");
	is_int(reserve(other, "b", 3, 2, 60000, more + 1), 0, "then none");
	is_int(reserve(other, "b", 2, 2, 60000, more + 1), 0, "nor under a lower limit");
	is_int(api->slot_reserve(other, str("h"), str("b"), 3, 3, 60000, more + 1, NULL), 3,
	       "another group has its own");
	is_int(slots(self).held, 3, "three are held");
	is_int(api->slot_release(other, str("g"), str("b"), ids[0], NULL), TG_ERR_NOT_FOUND,
	       "a foreigner cannot release");
	is_int(api->slot_release(self, str("h"), str("a"), ids[0], NULL), TG_ERR_NOT_FOUND,
	       "nor the owner in another group");
	is_int(slots(self).held, 3, "nothing changed");
	is_int(api->slot_release(self, str("g"), str("a"), ids[0], NULL), TG_OK, "the owner can");
	is_int(api->slot_release(self, str("g"), str("a"), ids[0], NULL), TG_ERR_NOT_FOUND, "once");
	is_int(reserve(other, "b", 3, 2, 60000, more + 1), 1, "then there is room for one");
	ok(more[1] != ids[0], "an id does not come again");
	is_int(reserve(self, "a", 3, 1, 0, ids), TG_ERR_INVALID, "no time to live");
	is_int(api->slot_reserve(self, str("g"), str(""), 3, 1, 5, ids, NULL), TG_ERR_INVALID, "no owner");
	is_int(reserve(self, "a", 10, 2, INT64_MAX, ids + 2), 2, "for ever");
	api->close(other);
	api->close(self);
}

struct order_seen {
	uint64_t last;
	unsigned count, wrong;
	char groups[64];
};

static int32_t order_note(void *ctx, const struct tg_slot *slot)
{
	struct order_seen *seen = ctx;
	size_t used = strlen(seen->groups);
	seen->wrong += slot->id <= seen->last || slot->size != sizeof *slot;
	seen->last = slot->id;
	seen->count++;
	snprintf(seen->groups + used, sizeof seen->groups - used, "%.*s:%.*s ", (int)slot->group.len, slot->group.ptr,
		 (int)slot->owner.len, slot->owner.ptr);
	return seen->count == 5;
}

static void slot_lists(void)
{
	void *self = fresh();
	uint64_t ids[4];
	struct order_seen all = {0}, one = {0}, stopped = {0};
	reserve(self, "a", 9, 1, 60000, ids);
	api->slot_reserve(self, str("h"), str("b"), 9, 1, 60000, ids, NULL);
	reserve(self, "c", 9, 1, 60000, ids);
	is_int(api->slot_list(self, str(""), order_note, &all, NULL), 3, "an empty group lists those of all");
	is_str(all.groups, "g:a h:b g:c ", "in rising order of their ids");
	is_int(all.wrong, 0, "which are unique across groups");
	is_int(api->slot_list(self, str("g"), order_note, &one, NULL), 2, "a group lists its own");
	is_str(one.groups, "g:a g:c ", "and no other");
	is_int(api->slot_list(self, str("none"), order_note, &one, NULL), 0, "a group that is none has none");
	reserve(self, "d", 9, 4, 60000, ids);
	api->slot_list(self, str(""), order_note, &stopped, NULL);
	is_int(stopped.count, 5, "listing ends where the callback says");
	api->close(self);
}

static void slot_expiry(void)
{
	void *self = fresh(), *other = instance();
	uint64_t ids[10] = {0}, more[10] = {0};
	reserve(self, "a", 3, 2, 1, ids);
	wait_expired(self, "g", 2);
	is_int(slots(self).held, 0, "slots expire");
	is_int(reserve(other, "b", 3, 3, 60000, more), 1,
	       "expired ones of another owner count until they are released");
	is_int(api->slot_renew(self, str("g"), str("a"), 60000, NULL), 0, "an expired slot is not renewed");
	is_int(api->slot_renew(other, str("g"), str("b"), 60000, NULL), 1, "a held one is");
	uint64_t again[10] = {0};
	is_int(reserve(self, "a", 3, 1, 60000, again), 1, "the owner's own expired one comes first");
	ok(again[0] == ids[0] || again[0] == ids[1], "under its id");
	is_int(reserve(self, "a", 3, 5, 60000, again), 1, "then the other, and no more than the limit");
	is_int(slots(self).held, 3, "three are held");
	is_int(slots(self).expired, 0, "none expired");
	is_int(api->slot_reserve(self, str("e"), str("dead"), 2, 2, 1, ids, NULL), 2, "slots of an owner that dies");
	wait_expired(self, "e", 2);
	is_int(api->slot_reserve(other, str("e"), str("b"), 2, 1, 60000, more, NULL), 0, "count when they expired");
	is_int(api->slot_release(other, str("e"), str("b"), ids[0], NULL), TG_ERR_NOT_FOUND, "are not another's");
	is_int(api->slot_release(other, str("e"), str("dead"), ids[0], NULL), TG_OK, "until released by name");
	is_int(api->slot_reserve(other, str("e"), str("b"), 2, 2, 60000, more, NULL), 1, "then there is room for one");
	api->close(other);
	api->close(self);
}

#define LIMIT 5
#define ROUNDS 40

/* Reserve and release in a crowd; counts what it sees above the limit. */
static unsigned crowd_member(const char *owner)
{
	void *self = instance();
	unsigned above = 0;
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t ids[3];
		int32_t got = reserve(self, owner, LIMIT, 3, 60000, ids);
		if (got < 0) {
			above += got != TG_ERR_RETRYABLE;
			continue;
		}
		struct listed now = slots(self);
		above += now.held + now.expired > LIMIT;
		for (int32_t i = 0; i < got; i++)
			while (api->slot_release(self, str("g"), str(owner), ids[i], NULL) == TG_ERR_RETRYABLE)
				;
	}
	api->close(self);
	return above;
}

struct member {
	char owner[16];
	unsigned above;
};

static void *member_main(void *ctx)
{
	struct member *member = ctx;
	member->above = crowd_member(member->owner);
	return NULL;
}

static void slot_crowd(bool processes)
{
	void *self = fresh();
	struct member members[4] = {0};
	pthread_t threads[4];
	pid_t children[4];
	unsigned above = 0;
	fflush(stdout);
	for (int i = 0; i < 4; i++) {
		snprintf(members[i].owner, sizeof members[i].owner, "o%d", i);
		if (!processes)
			pthread_create(&threads[i], NULL, member_main, &members[i]);
		else if ((children[i] = fork()) == 0)
			_exit(crowd_member(members[i].owner) != 0);
	}
	for (int i = 0; i < 4; i++) {
		int status = 0;
		if (processes)
			waitpid(children[i], &status, 0);
		else
			pthread_join(threads[i], NULL);
		above += members[i].above + (status != 0);
	}
	is_int(above, 0, "never above the limit with four %s", processes ? "processes" : "threads");
	is_int(slots(self).held, 0, "all were given back");
	api->close(self);
}

/* Time is the store's: an expiry that one process set is seen by another. */
static void slot_of_dead(void)
{
	void *self;
	uint64_t id;
	api->close(fresh());
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		self = instance();
		reserve(self, "dead", 1, 1, 1, &id);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, NULL, 0);
	self = instance();
	wait_expired(self, "g", 1);
	is_int(reserve(self, "b", 1, 1, 60000, &id), 0, "a killed process's slot goes to nobody");
	is_int(api->slot_renew(self, str("g"), str("dead"), 60000, NULL), 0, "cannot be confirmed");
	is_int(reserve(self, "dead", 1, 1, 60000, &id), 1, "but comes back to its owner");
	api->close(self);
}

void conform_slots(bool processes)
{
	slot_rules();
	slot_lists();
	slot_expiry();
	slot_crowd(false);
	if (!processes)
		return;
	slot_crowd(true);
	slot_of_dead();
}
