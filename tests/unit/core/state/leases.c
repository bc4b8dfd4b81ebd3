/* Leases on a world's one thread, with a store that has a clock and can be away; then with threads; long because each
 * way to lose one has its story here. */
#include <pthread.h>
#include <sched.h>

#include "core/base/log.h"
#include "core/state/leases_state.h"

#include "tap.h"
#include "tests/unit/core/state/world.h"

#define MS INT64_C(1000000)
#define TTL_MS 6000
#define SLOTS_MAX 64

/* ------------------------------------------------------------ a store */

static struct {
	pthread_mutex_t lock;
	struct {
		uint64_t id;
		char group[128], owner[8];
		int64_t expires_ns;
	} slot[SLOTS_MAX];
	uint32_t count;
	uint64_t last;
	int32_t away;       /* what calls say; nothing is done */
	bool answers_lost;  /* it is done, and nobody hears of it */
	bool waits_unheard; /* so it is with who waits */
	int64_t takes_ms;
	unsigned calls, reserves;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct world_workers workers;
static bool threads; /* the time is the machine's */

static int64_t clock_ns(void)
{
	return threads ? workers_boot_ns(&workers_threads) : workers_boot_ns(&workers.workers);
}

static bool is(struct tg_str text, const char *with)
{
	return text.len == strlen(with) && memcmp(text.ptr, with, text.len) == 0;
}

/* Locked by it; false: away. */
static bool store_enter(void)
{
	pthread_mutex_lock(&store.lock);
	store.calls++;
	return store.away == 0;
}

static int32_t store_leave(int32_t status, struct tg_error *error)
{
	if (store.away != 0)
		status = store.away;
	else if (store.answers_lost)
		status = TG_ERR_UNKNOWN_OUTCOME;
	workers.now_ns += store.takes_ms * MS;
	pthread_mutex_unlock(&store.lock);
	return status < 0 ? tg_error_set(error, status, "the store is away") : status;
}

static int32_t slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
			    int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *error)
{
	uint32_t got = 0, held = 0;
	(void)self;
	if (!store_enter())
		return store_leave(0, error);
	store.reserves++;
	int64_t until_ns = clock_ns() + ttl_ms * MS;
	for (uint32_t i = 0; i < store.count; i++) {
		held += is(group, store.slot[i].group);
		if (got == want || !is(group, store.slot[i].group) || !is(owner, store.slot[i].owner) ||
		    store.slot[i].expires_ns > clock_ns())
			continue;
		store.slot[i].expires_ns = until_ns;
		ret_ids[got++] = store.slot[i].id;
	}
	while (got < want && held < limit && store.count < SLOTS_MAX) {
		store.slot[store.count].id = ret_ids[got] = ++store.last;
		store.slot[store.count].expires_ns = until_ns;
		snprintf(store.slot[store.count].group, 128, "%.*s", (int)group.len, group.ptr);
		snprintf(store.slot[store.count].owner, 8, "%.*s", (int)owner.len, owner.ptr);
		store.count++;
		got++;
		held++;
	}
	if (store.waits_unheard && group.len > strlen(LEASES_WAITING) &&
	    memcmp(group.ptr, LEASES_WAITING, strlen(LEASES_WAITING)) == 0) {
		memset(ret_ids, 0, got * sizeof *ret_ids);
		return store_leave(TG_ERR_UNKNOWN_OUTCOME, error);
	}
	return store_leave((int32_t)got, error);
}

static int32_t slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms, struct tg_error *error)
{
	int32_t count = 0;
	(void)self;
	if (!store_enter())
		return store_leave(0, error);
	for (uint32_t i = 0; i < store.count; i++)
		if (is(group, store.slot[i].group) && is(owner, store.slot[i].owner) &&
		    store.slot[i].expires_ns > clock_ns()) {
			store.slot[i].expires_ns = clock_ns() + ttl_ms * MS;
			count++;
		}
	return store_leave(count, error);
}

static int32_t slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id, struct tg_error *error)
{
	int32_t status = TG_ERR_NOT_FOUND;
	(void)self;
	if (!store_enter())
		return store_leave(0, error);
	for (uint32_t i = 0; i < store.count; i++)
		if (store.slot[i].id == id && is(group, store.slot[i].group) && is(owner, store.slot[i].owner)) {
			store.slot[i--] = store.slot[--store.count];
			status = TG_OK;
		}
	return store_leave(status, error);
}

static int32_t slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *error)
{
	int32_t count = 0;
	(void)self;
	if (!store_enter())
		return store_leave(0, error);
	for (uint32_t i = 0; i < store.count; i++) {
		int64_t left_ns = store.slot[i].expires_ns - clock_ns();
		struct tg_slot slot = {.size = sizeof slot,
				       .state = left_ns > 0 ? TG_SLOT_HELD : TG_SLOT_EXPIRED,
				       .id = store.slot[i].id,
				       .group = {store.slot[i].group, strlen(store.slot[i].group)},
				       .owner = {store.slot[i].owner, strlen(store.slot[i].owner)},
				       .expires_in_ms = left_ns / MS};
		if (group.len > 0 && !is(group, store.slot[i].group))
			continue;
		count++;
		if (fn(ctx, &slot) != 0)
			break;
	}
	return store_leave(count, error);
}

static int32_t store_ping(void *self, struct tg_error *error)
{
	(void)self;
	store_enter();
	return store_leave(0, error);
}

static const struct tg_storage_api api = {.size = sizeof api,
					  .ping = store_ping,
					  .slot_reserve = slot_reserve,
					  .slot_renew = slot_renew,
					  .slot_release = slot_release,
					  .slot_list = slot_list};

static int store_open(void *ctx, void **ret_backend, struct tg_error *error)
{
	(void)ctx;
	if (store.away)
		return tg_error_set(error, store.away, "the store is away");
	*ret_backend = &store;
	return TG_OK;
}

static void store_close(void *ctx, void *backend)
{
	(void)ctx;
	(void)backend;
}

/* Slots of a group and owner in a state. */
static int held_by(const char *group, const char *owner, uint32_t state)
{
	int count = 0;
	pthread_mutex_lock(&store.lock);
	for (uint32_t i = 0; i < store.count; i++)
		count += strcmp(store.slot[i].group, group) == 0 && strcmp(store.slot[i].owner, owner) == 0 &&
			 (store.slot[i].expires_ns > clock_ns() ? TG_SLOT_HELD : TG_SLOT_EXPIRED) == state;
	pthread_mutex_unlock(&store.lock);
	return count;
}

/* ------------------------------------------------------------ gateways */

struct gateway {
	struct slots slots;
	struct store_pool *pool;
	struct leases *leases;
	const char *owner;
};

static struct gateway gateways[4];
static unsigned failing_told;

static struct gateway *gateway_open(uint32_t index, uint32_t limit, uint32_t gateways_limit, uint32_t open)
{
	static const char *const owners[] = {"0001", "0002", "0003", "0004"};
	struct gateway *gateway = &gateways[index];
	const struct workers *face = threads ? &workers_threads : &workers.workers;
	*gateway = (struct gateway){.owner = owners[index], .slots.groups = gateways_limit ? 2 : 1};
	snprintf(gateway->slots.group[0].name, SLOT_GROUP_NAME_MAX, "strategy");
	gateway->slots.group[0].limit = limit;
	snprintf(gateway->slots.group[1].name, SLOT_GROUP_NAME_MAX, "gateways");
	gateway->slots.group[1].limit = gateways_limit;
	while (open-- > 0)
		slots_retake(&gateway->slots);
	const struct store_pool_options pool = {.workers = face,
						.opener = {&api, store_open, store_close, NULL},
						.connections = 2,
						.timeout_ms = 1000,
						.idle_check_ms = 60000};
	if (store_pool_create(&pool, &gateway->pool))
		abort();
	const struct leases_options options = {.workers = face,
					       .pool = gateway->pool,
					       .slots = &gateway->slots,
					       .owner = gateway->owner,
					       .ttl_ms = TTL_MS,
					       .ahead = 1};
	struct tg_error error = tg_error_init();
	if (leases_open(&options, &gateway->leases, &error)) {
		printf("# %s\n", error.message);
		store_pool_destroy(gateway->pool);
		return NULL;
	}
	return gateway;
}

static void gateway_close(struct gateway *gateway)
{
	leases_close(gateway->leases, 1000);
	store_pool_destroy(gateway->pool);
}

/* As a kill does: no call leaves any more. */
static void gateway_kill(struct gateway *gateway)
{
	int32_t away = store.away;
	store.away = TG_ERR_CLOSED;
	gateway_close(gateway);
	store.away = away;
}

static void world_reset(void)
{
	workers = WORLD_WORKERS();
	workers.now_ns = INT64_C(1000000000);
	store.count = 0;
	store.away = 0;
	store.answers_lost = false;
	store.waits_unheard = false;
	store.takes_ms = 0;
	failing_told = 0;
}

/* A pass of the loop, and what the worker does of it. */
static void pass(struct gateway *gateway, int64_t ms)
{
	leases_pass_end(gateway->leases, !slots_are_ours(&gateway->slots, clock_ns()));
	world_pass(&workers, ms);
}

static uint32_t granted(const struct gateway *gateway)
{
	return slots_look(&gateway->slots).granted;
}

static bool ours(const struct gateway *gateway)
{
	return slots_are_ours(&gateway->slots, clock_ns());
}

/* ------------------------------------------------------------ tests */

static void ahead_of_need(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 5, 0, 0);
	ok(granted(gateway) == 1 && held_by("strategy", "0001", TG_SLOT_HELD) == 1, "one spare at the start");
	ok(slots_take(&gateway->slots), "it is taken at once");
	pass(gateway, 1);
	is_int(granted(gateway), 2, "and another one is there a moment later");
	ok(slots_take(&gateway->slots) && !slots_take(&gateway->slots), "two at a time are one too many");
	pass(gateway, 1);
	is_int(granted(gateway), 4, "so two are held ahead");
	ok(slots_take(&gateway->slots) && slots_take(&gateway->slots) && !slots_take(&gateway->slots), "and then");
	pass(gateway, 1);
	is_int(granted(gateway), 5, "up to the limit");
	unsigned calls = store.calls;
	for (int i = 0; i < 100; i++)
		pass(gateway, 1);
	is_int((int)(store.calls - calls), 0, "then the store is left alone");
	ok(slots_take(&gateway->slots) && !slots_take(&gateway->slots), "a lone gateway has all it needs");
	for (int i = 0; i < 5; i++)
		slots_give(&gateway->slots);
	pass(gateway, TTL_MS - 100);
	is_int(granted(gateway), 5, "what was needed just now is kept");
	pass(gateway, 4 * TTL_MS);
	ok(granted(gateway) == 1 && held_by("strategy", "0001", TG_SLOT_HELD) == 1,
	   "what was not needed for long is given back");
	gateway_close(gateway);
	is_int(store.count, 0, "at the end all of it");
}

/* A cycle ends between the worker's look and its call. */
static void no_more_wanted(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 50, 0, 0);
	struct tg_error error = tg_error_init();
	slots_take(&gateway->slots);
	pass(gateway, 1);
	slots_give(&gateway->slots);
	unsigned reserves = store.reserves;
	is_int(leases_connect(gateway->leases, &error), TG_OK, "a connection");
	is_int(lease_group_grow(gateway->leases, &gateway->leases->group[0], &error), TG_OK, "the call comes late");
	leases_disconnect(gateway->leases);
	ok(store.reserves == reserves && granted(gateway) == 2, "nothing more is reserved: %u are leased",
	   granted(gateway));
	gateway_close(gateway);
}

static void of_two_groups(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 5, 2, 0);
	ok(slots_take(&gateway->slots), "one of each");
	pass(gateway, 1);
	ok(slots_take(&gateway->slots) && !slots_take(&gateway->slots), "the smaller limit counts");
	pass(gateway, 1);
	ok(!slots_take(&gateway->slots) && held_by("gateways", "0001", TG_SLOT_HELD) == 2, "whatever is asked for");
	slots_give(&gateway->slots);
	gateway_close(gateway);
	ok(held_by("strategy", "0001", TG_SLOT_HELD) == 1 && held_by("gateways", "0001", TG_SLOT_HELD) == 1,
	   "one of each stays with the cycle that is open");
}

static void renewed(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 5, 0, 0);
	unsigned lost = 0;
	for (int i = 0; i < 1000; i++) {
		world_pass(&workers, 100);
		lost += !ours(gateway) || held_by("strategy", "0001", TG_SLOT_HELD) != 1;
	}
	is_int(lost, 0, "a lease is renewed in time, for ever");
	store.takes_ms = 700;
	for (int i = 0; i < 100; i++) {
		world_pass(&workers, 100);
		/* the store's clock is the truth: what is ours by ours is ours by the store's, with a margin */
		lost += ours(gateway) && held_by("strategy", "0001", TG_SLOT_HELD) != 1;
	}
	is_int(lost, 0, "however long calls take");
	store.takes_ms = 0;
	gateway_close(gateway);
}

static void store_away(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 5, 0, 0);
	ok(slots_take(&gateway->slots), "a cycle is open");
	pass(gateway, 1);
	store.away = TG_ERR_IO;
	unsigned early = 0;
	int64_t from_ns = clock_ns();
	while (ours(gateway) && clock_ns() - from_ns < 10 * TTL_MS * MS)
		world_pass(&workers, 10);
	early += held_by("strategy", "0001", TG_SLOT_HELD) != 2;
	is_int(early, 0, "the lease ends before the store would say so");
	ok(clock_ns() - from_ns < TTL_MS * MS, "in less than its time");
	is_int(failing_told, 1, "one line says that the store is away");
	world_pass(&workers, 100 * TTL_MS);
	ok(!ours(gateway) && held_by("strategy", "0001", TG_SLOT_EXPIRED) == 2, "it has expired");
	struct gateway *other = NULL;
	store.away = 0;
	other = gateway_open(1, 2, 0, 0);
	ok(other && granted(other) == 0, "nobody else gets what has expired");
	store.away = TG_ERR_IO;
	world_pass(&workers, 100);
	store.away = 0;
	pass(gateway, TTL_MS / 3);
	ok(ours(gateway) && granted(gateway) == 2 && held_by("strategy", "0001", TG_SLOT_HELD) == 2,
	   "the store is back: the same slots are ours again");
	ok(slots_take(&gateway->slots), "and it goes on by itself");
	gateway_close(other);
	gateway_kill(gateway);
}

static void machine_asleep(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 5, 0, 0);
	workers.slept_ns += 3600 * INT64_C(1000000000);
	ok(!ours(gateway), "an hour's sleep ends a lease, though the worker's clock stood still");
	pass(gateway, 0);
	ok(ours(gateway) && granted(gateway) == 1, "it is renewed at once");
	gateway_close(gateway);
}

/* The clock of the store's machine was set forward: to it all of ours has expired, which we do not know. What it then
 * gives for a new one is one that we have. */
static void store_clock_jumps(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 3, 0, 0), *other = gateway_open(1, 3, 0, 0);
	ok(slots_take(&gateway->slots), "a cycle is open");
	pass(gateway, 1);
	ok(granted(gateway) == 2 && granted(other) == 1, "all three are held");
	for (uint32_t i = 0; i < store.count; i++)
		store.slot[i].expires_ns -= 2 * TTL_MS * MS;
	ok(slots_take(&gateway->slots), "a second cycle");
	pass(gateway, 1);
	is_int(granted(gateway), 2, "what is given to us twice is one slot");
	ok(!slots_take(&gateway->slots), "so there is none for a third cycle");
	is_int(held_by("strategy", "0001", TG_SLOT_HELD), 2, "and ours are renewed at once");
	slots_give(&gateway->slots);
	slots_give(&gateway->slots);
	gateway_close(gateway);
	gateway_close(other);
	is_int(store.count, 0, "nothing is left");
}

static void lost_for_good(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 3, 0, 0);
	ok(slots_take(&gateway->slots), "a cycle is open");
	pass(gateway, 1);
	store.away = TG_ERR_IO;
	world_pass(&workers, 2 * TTL_MS);
	store.away = 0;
	store.count = 0; /* an operator released them, or it is another store */
	struct gateway *other = gateway_open(1, 3, 0, 2);
	is_int(granted(other), 3, "somebody else has all of them");
	pass(gateway, TTL_MS);
	ok(ours(gateway), "orders may leave: the open cycle is brought to its end");
	ok(granted(gateway) == 0 && !slots_take(&gateway->slots), "no new one is opened");
	slots_give(&gateway->slots);
	ok(!slots_take(&gateway->slots), "not even in its place");
	slots_give(&other->slots);
	slots_give(&other->slots);
	gateway_close(other);
	pass(gateway, TTL_MS);
	ok(slots_take(&gateway->slots), "before there are free ones");
	gateway_kill(gateway);
}

static void killed(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 3, 0, 0);
	slots_take(&gateway->slots);
	pass(gateway, 1);
	slots_take(&gateway->slots);
	pass(gateway, 1);
	gateway_kill(gateway);
	is_int(held_by("strategy", "0001", TG_SLOT_HELD), 3, "a kill gives nothing back");
	gateway = gateway_open(0, 3, 0, 2);
	ok(granted(gateway) == 3 && store.count == 3, "soon started again, it has them still");
	gateway_kill(gateway);
	world_pass(&workers, 2 * TTL_MS);
	struct gateway *other = gateway_open(1, 3, 0, 0);
	is_int(granted(other), 0, "expired ones wait for their owner");
	gateway = gateway_open(0, 3, 0, 1);
	ok(granted(gateway) == 2 && held_by("strategy", "0001", TG_SLOT_EXPIRED) == 0,
	   "who takes what it needs, and gives back the rest");
	gateway_close(gateway);
	is_int(held_by("strategy", "0001", TG_SLOT_HELD), 1, "a clean stop keeps what an open cycle needs");
	gateway = gateway_open(0, 1, 0, 3);
	ok(granted(gateway) == 1 && !slots_any(&gateway->slots), "more cycles than slots: none is opened");
	slots_give(&gateway->slots);
	slots_give(&gateway->slots);
	ok(!slots_any(&gateway->slots), "before those that are open are covered");
	slots_give(&gateway->slots);
	ok(slots_any(&gateway->slots), "then one is");
	gateway_close(gateway);
	gateway_close(other);
	is_int(store.count, 0, "nothing is left");
}

static void strategy_changed(void)
{
	world_reset();
	uint64_t ids[4];
	slot_reserve(NULL, TG_STR("another"), TG_STR("0001"), 5, 2, TTL_MS, ids, NULL);
	slot_reserve(NULL, TG_STR("another"), TG_STR("0002"), 5, 2, TTL_MS, ids, NULL);
	gateway_close(gateway_open(0, 3, 0, 1));
	is_int(held_by("another", "0001", TG_SLOT_HELD), 2, "a cycle of it may be open");
	gateway_close(gateway_open(0, 3, 0, 0));
	is_int(held_by("another", "0001", TG_SLOT_HELD), 0, "nothing is open: they are given back");
	is_int(held_by("another", "0002", TG_SLOT_HELD), 2, "another gateway's are not touched");
}

static void shared(void)
{
	world_reset();
	struct gateway *first = gateway_open(0, 1, 0, 0), *second = gateway_open(1, 1, 0, 0);
	ok(granted(first) == 1 && granted(second) == 0, "there is one, and the first has it");
	unsigned opened[2] = {0}, over = 0;
	for (int i = 0; i < 600; i++) { /* each trades for a while, and idles for a while */
		struct gateway *active = i / 150 % 2 ? second : first;
		if (slots_take(&active->slots)) {
			opened[active == second]++;
			world_pass(&workers, 20);
			slots_give(&active->slots);
		}
		pass(active, 200);
		over += store.count > 2; /* one slot, one that waits */
	}
	ok(opened[0] > 100 && opened[1] > 100, "both trade while the other idles: %u and %u", opened[0], opened[1]);
	is_int(over, 0, "never two slots");
	world_pass(&workers, 4 * TTL_MS);
	is_int(held_by(LEASES_WAITING "strategy", "0001", TG_SLOT_HELD) +
		       held_by(LEASES_WAITING "strategy", "0002", TG_SLOT_HELD),
	       0, "who does not trade does not wait");
	gateway_close(first);
	gateway_close(second);
	is_int(store.count, 0, "nothing is left");
}

/* Who finds none says that it waits. That it did so, or that it does not any more, may be said without an answer. */
static void wait_unknown(void)
{
	world_reset();
	struct gateway *first = gateway_open(0, 1, 0, 0), *second = gateway_open(1, 1, 0, 0);
	const char *waiting = LEASES_WAITING "strategy";
	store.waits_unheard = true;
	ok(slots_take(&first->slots) && !slots_take(&second->slots), "the first has the only one");
	pass(second, TTL_MS / 2);
	store.waits_unheard = false;
	ok(held_by(waiting, "0002", TG_SLOT_HELD) >= 1, "the second waits, and was not told so");
	pass(second, TTL_MS);
	is_int(store.count, 1, "it knows it all the same when it does not wait any more");
	slots_take(&second->slots);
	pass(second, TTL_MS / 2);
	is_int(held_by(waiting, "0002", TG_SLOT_HELD), 1, "it waits again");
	workers.slept_ns += 2 * TTL_MS * MS;
	is_int(held_by(waiting, "0002", TG_SLOT_EXPIRED), 1, "the machine slept: to others it waits no more");
	pass(second, 1);
	is_int(held_by(waiting, "0002", TG_SLOT_EXPIRED), 0, "what expired goes");
	pass(second, TTL_MS / 4);
	is_int(held_by(waiting, "0002", TG_SLOT_HELD), 1, "and it says so anew");
	store.waits_unheard = true;
	pass(second, TTL_MS / 4);
	gateway_close(second);
	is_int(store.count, 1, "told to end it waits no more");
	pass(first, TTL_MS);
	slots_give(&first->slots);
	gateway_close(first);
	is_int(store.count, 0, "nothing is left");
}

/* Every answer may be lost: what was reserved without a word is found, what was given back is not used. */
static void answers_lost(void)
{
	world_reset();
	struct gateway *gateway = gateway_open(0, 4, 0, 0);
	unsigned over = 0, opened = 0;
	for (int i = 0; i < 2000; i++) {
		store.answers_lost = i % 7 < 3 && i < 1900;
		bool took = ours(gateway) && slots_take(&gateway->slots);
		opened += took;
		pass(gateway, 37 * (i % 11));
		over += ours(gateway) && granted(gateway) > (uint32_t)held_by("strategy", "0001", TG_SLOT_HELD);
		if (took)
			slots_give(&gateway->slots);
		over += held_by("strategy", "0001", TG_SLOT_HELD) + held_by("strategy", "0001", TG_SLOT_EXPIRED) > 4;
	}
	is_int(over, 0, "what is granted is held");
	ok(opened > 1500, "and there are some nearly always");
	store.answers_lost = false;
	gateway_close(gateway);
	is_int(store.count, 0, "nothing is left");
}

static void not_at_all(void)
{
	world_reset();
	store.away = TG_ERR_IO;
	ok(!gateway_open(0, 3, 0, 0), "without the store there is no start");
}

static void released_by_name(void)
{
	world_reset();
	uint64_t id = 0;
	struct tg_error error = tg_error_init();
	const struct tg_str group = TG_STR("strategy"), owner = TG_STR("0001");
	slot_reserve(NULL, group, owner, 3, 1, TTL_MS, &id, NULL);
	is_int(leases_release_expired(&api, NULL, group, owner, id, &error), TG_ERR_INVALID, "not while it is held");
	workers.now_ns += TTL_MS * MS;
	is_int(leases_release_expired(&api, NULL, group, owner, id + 1, &error), TG_ERR_NOT_FOUND, "not another one");
	is_int(leases_release_expired(&api, NULL, group, owner, id, &error), TG_OK, "but when it has expired");
	is_int(store.count, 0, "it is free");
}

/* Two gateways with threads of their own, for the sanitizers: never more than the limit at once. */
#define TASKS 300
static atomic_int open_now, open_most;

static void *trade(void *ctx)
{
	struct gateway *gateway = ctx;
	for (int done = 0; done < TASKS;) {
		if (ours(gateway) && slots_take(&gateway->slots)) {
			int now = atomic_fetch_add(&open_now, 1) + 1;
			if (now > atomic_load(&open_most))
				atomic_store(&open_most, now);
			sched_yield();
			atomic_fetch_sub(&open_now, 1);
			slots_give(&gateway->slots);
			done++;
		}
		leases_pass_end(gateway->leases, !ours(gateway));
		sched_yield();
	}
	return NULL;
}

static void with_threads(void)
{
	pthread_t loop[2];
	world_reset();
	threads = true;
	struct gateway *first = gateway_open(0, 3, 0, 0), *second = gateway_open(1, 3, 2, 0);
	pthread_create(&loop[0], NULL, trade, first);
	pthread_create(&loop[1], NULL, trade, second);
	pthread_join(loop[0], NULL);
	pthread_join(loop[1], NULL);
	ok(open_most >= 1 && open_most <= 3, "never more than the limit: %d", open_most);
	gateway_close(first);
	gateway_close(second);
	is_int(store.count, 0, "nothing is left");
}

static void log_count(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx, (void)level, (void)fields, (void)count;
	if (!threads && strcmp(event, "slots.failing") == 0)
		failing_told++;
}

int main(void)
{
	log_set_sink(log_count, NULL);
	ahead_of_need();
	no_more_wanted();
	of_two_groups();
	renewed();
	store_away();
	machine_asleep();
	store_clock_jumps();
	lost_for_good();
	killed();
	strategy_changed();
	shared();
	wait_unknown();
	answers_lost();
	not_at_all();
	released_by_name();
	with_threads();
	return tap_done();
}
