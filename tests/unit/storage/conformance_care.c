/* Conformance: making, checking, cleaning and losing a store. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/storage/conformance.h"

static void finding_note(void *ctx, struct tg_str finding)
{
	(void)finding;
	++*(unsigned *)ctx;
}

static void clean_check(void)
{
	void *self = fresh();
	unsigned count = 0;
	struct tg_order_row o = order("o1", "c1", "live");
	APPLY(self, 1, CYCLE("c1", "a"), {TG_ROW_ORDER, 0, &o});
	is_int(api->check(self, finding_note, &count, NULL), 0, "a sound store has no findings");
	is_int(count, 0, "and reports none");
	ok(api->extension(self, str("no.such/1")) == NULL, "an unknown extension is NULL");
	api->close(self);
}

static int killed_writer(void)
{
	void *self = instance();
	APPLY(self, 1, CYCLE("c1", "kept"));
	raise(SIGKILL);
	return 0;
}

static void outlives_kill(void)
{
	api->close(fresh());
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(killed_writer());
	waitpid(child, NULL, 0);
	void *self = instance();
	is_str(cycle_state(self, "c1"), "kept", "what was acknowledged outlives kill -9");
	is_int(position(self, "a1b2"), 1, "with its position");
	api->close(self);
}

/* ---------------------------------------------------------------- making */

static struct tg_storage_status status_of(void *self)
{
	struct tg_storage_status status = {.size = sizeof status, .schema = UINT32_MAX};
	is_int(api->status(self, &status, NULL), TG_OK, "the status");
	return status;
}

static void made_once(bool shared)
{
	fresh_place();
	void *self = instance_open();
	is_int(api->ping(self, NULL), TG_OK, "an open instance is alive");
	if (shared) {
		is_int(status_of(self).schema, 0, "opening makes nothing");
		ok(api->migrate(self, finding_note, (unsigned[]){0}, NULL) > 0, "migrating does");
	} else {
		ok(api->migrate(self, NULL, NULL, NULL) >= 0, "migrating");
	}
	is_int(api->migrate(self, NULL, NULL, NULL), 0, "a second time there is nothing to do");
	struct tg_storage_status status = status_of(self);
	is_int(status.schema, status.current, "the schema is the plugin's");
	ok(status.current > 0 && status.server[0] && status.location[0] && status.durability[0],
	   "it says what it is: %s, %s, %s", status.server, status.location, status.durability);
	is_int(status.cycles + status.orders + status.fills + status.events + status.slots, 0, "and that it is empty");
	is_int(api->ping(self, NULL), TG_OK, "and lives");
	api->close(self);
}

/* Several processes at once: one of them makes the store, all find it whole. Exit 0: found, 1: made, 2: wrong. */
static int migrating_process(void)
{
	void *self = instance_open();
	struct tg_error error = tg_error_init();
	int32_t steps = api->migrate(self, NULL, NULL, &error);
	if (steps < 0 || position(self, "a1b2") != 0) {
		printf("# %d: %s\n", steps, error.message);
		fflush(stdout);
		return 2;
	}
	api->close(self);
	return steps > 0;
}

static void made_by_one(void)
{
	enum { PROCESSES = 6 };
	pid_t children[PROCESSES];
	int made = 0, wrong = 0;
	fresh_place();
	fflush(stdout);
	for (int i = 0; i < PROCESSES; i++)
		if ((children[i] = fork()) == 0)
			_exit(migrating_process());
	for (int i = 0; i < PROCESSES; i++) {
		int status = 0;
		waitpid(children[i], &status, 0);
		made += WIFEXITED(status) && WEXITSTATUS(status) == 1;
		wrong += !WIFEXITED(status) || WEXITSTATUS(status) > 1;
	}
	is_int(wrong, 0, "of %d processes that migrate at once none fails", PROCESSES);
	is_int(made, 1, "and one makes the store");
}

/* -------------------------------------------------------------- counting */

static void status_counts(void)
{
	void *self = fresh();
	uint64_t ids[3];
	struct tg_cycle_row closed = cycle("c2", "done");
	struct tg_order_row o = order("o1", "c1", "live");
	struct tg_fill_row f = fill("o1", "1");
	struct tg_event_row e = event(1), e2 = event(2);
	closed.closed_ns = 7;
	APPLY(self, 1, CYCLE("c1", "a"), {TG_ROW_CYCLE, 0, &closed}, {TG_ROW_ORDER, 0, &o}, {TG_ROW_FILL, 0, &f},
	      {TG_ROW_EVENT, 0, &e}, {TG_ROW_EVENT, 0, &e2});
	api->slot_reserve(self, str("g"), str("a"), 9, 2, 60000, ids, NULL);
	api->slot_reserve(self, str("h"), str("a"), 9, 1, 60000, ids, NULL);
	struct tg_storage_status status = status_of(self);
	is_int(status.cycles, 2, "cycles");
	is_int(status.open_cycles, 1, "one of them open");
	is_int(status.orders, 1, "an order");
	is_int(status.fills, 1, "a fill");
	is_int(status.events, 2, "events");
	is_int(status.slots, 3, "slots of all groups");
	struct tg_storage_status small = {.size = offsetof(struct tg_storage_status, slots), .slots = 77};
	is_int(api->status(self, &small, NULL), TG_OK, "the status for an older host");
	is_int(small.slots, 77, "nothing is written beyond its size");
	is_int(small.cycles, 2, "what it knows is there");
	api->close(self);
}

/* -------------------------------------------------------------- cleaning */

/* A cycle that was closed at that time, with an order, a fill and an event of its own. */
static void closed_put(void *self, uint64_t at, const char *id, int64_t closed_ns)
{
	char order_id[16];
	snprintf(order_id, sizeof order_id, "o-%s", id);
	struct tg_cycle_row c = cycle(id, "done");
	struct tg_order_row o = order(order_id, id, "filled");
	struct tg_fill_row f = fill(order_id, "1");
	struct tg_event_row e = event(at);
	c.closed_ns = closed_ns;
	e.cycle_id = str(id);
	e.time_ns = 1; /* it goes with its cycle, not by its age */
	APPLY(self, at, {TG_ROW_CYCLE, 0, &c}, {TG_ROW_ORDER, 0, &o}, {TG_ROW_FILL, 0, &f}, {TG_ROW_EVENT, 0, &e});
}

static void cleaning(void)
{
	void *self = fresh();
	struct tg_event_row old = event(101), young = event(102);
	closed_put(self, 1, "a", 40);
	closed_put(self, 2, "b", 10);
	closed_put(self, 3, "c", 30);
	closed_put(self, 4, "d", 20);
	closed_put(self, 5, "e", 0);
	old.cycle_id = young.cycle_id = old.client_id = young.client_id = str("");
	old.time_ns = 29;
	young.time_ns = 30;
	APPLY(self, 6, {TG_ROW_EVENT, 0, &old}, {TG_ROW_EVENT, 0, &young});
	is_int(api->cleanup(self, 10, 10, NULL), 0, "nothing is older than the oldest");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, 0), "a b c d e", "so nothing goes");
	is_int(api->cleanup(self, 30, 1, NULL), 1, "a step of one");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, 0), "a c d e", "takes the oldest");
	is_int(api->cleanup(self, 30, 10, NULL), 1, "the next takes what is left");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, 0), "a c e", "what was closed at the time itself stays");
	is_str(load(self, TG_ROW_ORDER, "", "", 10, 0), "o-a o-c o-e", "orders go with their cycle");
	is_str(load(self, TG_ROW_FILL, "", "", 10, 0), "o-a/1 o-c/1 o-e/1", "fills too");
	is_str(load(self, TG_ROW_EVENT, "", "", 10, 0), "a1b2/1 a1b2/3 a1b2/5 a1b2/102",
	       "events too, and those of no cycle by their age");
	is_int(api->cleanup(self, INT64_MAX, 1000, NULL), 2, "all that is closed");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, 0), "e", "leaves what is open");
	is_str(load(self, TG_ROW_EVENT, "", "", 10, 0), "a1b2/5", "and its events");
	is_int(position(self, "a1b2"), 6, "the position stands");
	closed_put(self, 7, "f", -7);
	is_int(api->cleanup(self, -7, 10, NULL), 0, "a time before 1970");
	is_int(api->cleanup(self, -6, 10, NULL), 1, "is one");
	unsigned count = 0;
	is_int(api->check(self, finding_note, &count, NULL), 0, "and the store is sound");
	api->close(self);
}

/* Orders of no cycle, as an import may bring them: by when they were last changed, however that came. */
static void cleaning_orphans(void)
{
	void *self = fresh();
	struct tg_order_row rows[] = {order("o-old", "", "filled"), order("o-new", "", "filled"),
				      order("o-moved", "", "unknown"), order("o-of", "c", "filled")};
	struct tg_fill_row fills[] = {fill("o-old", "1"), fill("o-new", "1")};
	struct tg_order_progress moved = order_progress("o-moved", "filled");

	rows[0].updated_ns = 29;
	rows[1].updated_ns = 30;
	rows[2].updated_ns = 10;
	rows[3].updated_ns = 10;
	moved.updated_ns = 31;
	is_int(APPLY(self, 1, CYCLE("c", "active"), {TG_ROW_ORDER, 0, &rows[0]}, {TG_ROW_ORDER, 0, &rows[1]},
		     {TG_ROW_ORDER, 0, &rows[2]}, {TG_ROW_ORDER, 0, &rows[3]}, {TG_ROW_FILL, 0, &fills[0]},
		     {TG_ROW_FILL, 0, &fills[1]}),
	       TG_OK, "orders of no cycle");
	is_int(APPLY(self, 2, {TG_ROW_ORDER_PROGRESS, 0, &moved}), TG_OK, "one of which is told of again");
	is_int(api->cleanup(self, 30, 10, NULL), 0, "a cleaning that finds no cycle");
	is_str(load(self, TG_ROW_ORDER, "", "", 10, 0), "o-moved o-new o-of", "takes what was not changed since");
	is_str(load(self, TG_ROW_FILL, "", "", 10, 0), "o-new/1", "with its fills");
	unsigned count = 0;
	is_int(api->check(self, finding_note, &count, NULL), 0, "and the store is sound");
	api->close(self);
}

/* More than an implementation looks at in one go, whatever that is. */
static void cleaning_many_orphans(void)
{
	enum { ORDERS = 2500 };
	void *self = fresh();
	static struct tg_order_row rows[ORDERS];
	static struct tg_record records[ORDERS];
	static char ids[ORDERS][8];
	for (int i = 0; i < ORDERS; i++) {
		snprintf(ids[i], sizeof ids[i], "o%04d", i);
		rows[i] = order(ids[i], "", "filled");
		rows[i].updated_ns = i % 2 ? 1 : 1000;
		records[i] = (struct tg_record){TG_ROW_ORDER, 0, &rows[i]};
	}
	apply(self, 1, ORDERS, records);
	is_int(api->cleanup(self, 1000, 10, NULL), 0, "many of them");
	struct tg_storage_status status = {.size = sizeof status};
	api->status(self, &status, NULL);
	is_int(status.orders, ORDERS / 2, "every second one is old");
	is_str(load(self, TG_ROW_ORDER, "", "", 3, 0), "o0000 o0002 o0004", "the others stay");
	api->close(self);
}

/* Twice as much as an implementation takes at a time, whatever that is. */
static void cleaning_much(void)
{
	enum { CYCLES = 1200 };
	void *self = fresh();
	static struct tg_cycle_row rows[CYCLES];
	static struct tg_record records[CYCLES];
	static char ids[CYCLES][8];
	for (int i = 0; i < CYCLES; i++) {
		snprintf(ids[i], sizeof ids[i], "c%04d", i);
		rows[i] = cycle(ids[i], "done");
		rows[i].closed_ns = CYCLES - i; /* the last is the oldest */
		records[i] = (struct tg_record){TG_ROW_CYCLE, 0, &rows[i]};
	}
	apply(self, 1, CYCLES, records);
	is_int(api->cleanup(self, INT64_MAX, CYCLES - 2, NULL), CYCLES - 2, "as many as the limit says");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, 0), "c0000 c0001", "the youngest are left");
	api->close(self);
}

/* ------------------------------------------------------------ positions */

static void durable(void)
{
	void *self = fresh();
	uint64_t at = 99;
	is_int(api->durable_position(self, str("a1b2"), &at, NULL), TG_OK, "what outlives the power");
	is_int(at, 0, "is nothing yet");
	APPLY(self, 5, CYCLE("c1", "a"));
	is_int(api->durable_position(self, str("a1b2"), &at, NULL), TG_OK, "and then");
	ok(at <= 5, "never more than is stored: %llu", (unsigned long long)at);
	api->close(self);
}

/* Instances that write at the same time, each for a journal of its own. */
static void *writer_main(void *ctx)
{
	struct tg_cycle_row c = cycle(ctx, "a");
	struct tg_record record = {TG_ROW_CYCLE, 0, &c};
	void *self = instance();
	for (uint64_t at = 1; at <= 50;) {
		struct tg_batch batch = {sizeof batch, 1, &record, at, str(ctx)};
		int32_t status = api->apply(self, &batch, NULL);
		at += status == TG_OK;
		if (status != TG_OK && !tg_status_may_pass(status))
			break;
	}
	api->close(self);
	return NULL;
}

static void writers(void)
{
	static char names[4][3] = {"w0", "w1", "w2", "w3"};
	pthread_t threads[4];
	void *self = fresh();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, writer_main, names[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++)
		is_int(position(self, names[i]), 50, "each of four that write at once comes to its end");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, 0), "w0 w1 w2 w3", "with its rows");
	api->close(self);
}

void conform_care(bool processes)
{
	made_once(processes);
	status_counts();
	cleaning();
	cleaning_much();
	cleaning_orphans();
	cleaning_many_orphans();
	durable();
	writers();
	clean_check();
	if (!processes)
		return;
	made_by_one();
	outlives_kill();
}
