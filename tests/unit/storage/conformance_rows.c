/* Conformance: batches, what they change, and loading. */
#include "tests/unit/storage/conformance.h"

static void upserts(void)
{
	void *self = fresh(), *other = instance();
	is_int(position(self, "a1b2"), 0, "a new store is at position 0");
	is_int(APPLY(self, 3, CYCLE("c1", "pending"), CYCLE("c2", "pending"), CYCLE("c1", "active")), TG_OK, "a batch");
	is_str(cycle_state(self, "c1"), "active", "within a batch the later row wins");
	is_int(APPLY(self, 4, CYCLE("c1", "completed")), TG_OK, "the next batch");
	is_str(cycle_state(self, "c1"), "completed", "replaces the row");
	is_str(cycle_state(self, "c2"), "pending", "and no other");
	is_str(cycle_state(other, "c1"), "completed", "another instance sees the same");
	is_int(position(other, "a1b2"), 4, "and the position");
	is_int(position(self, "ffff"), 0, "another journal has its own");
	struct tg_batch elsewhere = {sizeof elsewhere, 0, NULL, 7, str("ffff")};
	is_int(api->apply(self, &elsewhere, NULL), TG_OK, "and moves it alone");
	is_int(position(self, "ffff"), 7, "to where it is");
	is_int(position(self, "a1b2"), 4, "and not this one");
	is_int(APPLY(self, 4, CYCLE("c1", "again")), TG_OK, "a repeated batch is accepted");
	is_int(APPLY(self, 2, CYCLE("c9", "older")), TG_OK, "an older one too");
	is_str(cycle_state(self, "c1"), "completed", "and changes nothing");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, 0), "c1 c2", "nor adds");
	is_int(position(self, "a1b2"), 4, "nor moves the position");
	is_int(apply(self, 8, 0, NULL), TG_OK, "an empty batch");
	is_int(position(self, "a1b2"), 8, "moves the position");
	struct tg_cycle_row none = cycle("c0", "none");
	struct tg_batch nowhere = {sizeof nowhere, 1, &(struct tg_record){TG_ROW_CYCLE, 0, &none}, 0, str("new")};
	is_int(api->apply(self, &nowhere, NULL), TG_OK, "a batch that goes nowhere, of a journal that is new");
	is_str(cycle_state(self, "c0"), "", "is at the stored position, so it changes nothing");
	api->close(other);
	api->close(self);
	api->close(NULL);
}

static int32_t apply_after(void *self, uint64_t after, uint64_t position, const char *state)
{
	struct tg_error error = tg_error_init();
	struct tg_cycle_row row = cycle("c1", state);
	struct tg_record record = {TG_ROW_CYCLE, 0, &row};
	struct tg_batch batch = {sizeof batch, 1, &record, position, str("a1b2"), TG_BATCH_AFTER, 0, after};
	int32_t status = api->apply(self, &batch, &error);
	return status != TG_OK && error.message_len == 0 ? TG_ERR_INTERNAL : status; /* whoever refuses says why */
}

/* Two that write under one name: whoever does not know of the other's batches is refused. */
static void in_turn(void)
{
	void *self = fresh(), *other = instance();
	is_int(apply_after(self, 5, 9, "early"), TG_ERR_REJECTED, "a batch behind another is refused by a new store");
	is_int(position(self, "a1b2"), 0, "which stays as it is");
	is_int(apply_after(self, 0, 10, "first"), TG_OK, "the first one follows none");
	is_int(apply_after(self, 0, 10, "again"), TG_OK, "repeated it is accepted");
	is_str(cycle_state(self, "c1"), "first", "and changes nothing");
	is_int(apply_after(other, 0, 8, "stale"), TG_ERR_REJECTED, "of another writer, behind what is stored: refused");
	is_int(apply_after(other, 0, 12, "stale"), TG_ERR_REJECTED, "beyond it: refused too");
	is_int(apply_after(other, 11, 12, "ahead"), TG_ERR_REJECTED, "and what is for a store that stands further");
	is_str(cycle_state(self, "c1"), "first", "nothing of theirs is there");
	is_int(position(self, "a1b2"), 10, "nor is the position moved");
	is_int(apply_after(self, 10, 12, "second"), TG_OK, "the next in turn");
	is_int(apply_after(self, 12, 12, "same"), TG_OK, "one that goes nowhere is a repeated one");
	is_int(apply_after(self, 13, 12, "back"), TG_ERR_INVALID, "one that goes back is none");
	is_str(cycle_state(self, "c1"), "second", "each changed what it was to");
	struct tg_batch old = {40, 0, NULL, 14, str("a1b2"), TG_BATCH_AFTER, 0, 3};
	is_int(api->apply(self, &old, NULL), TG_OK, "a host that knows nothing of this says nothing of it");
	is_int(position(self, "a1b2"), 14, "and is heard");
	api->close(other);
	api->close(self);
}

static void atomicity(void)
{
	void *self = fresh();
	struct tg_order_row good = order("o1", "c1", "live"), orphan = order("o2", "none", "live"),
			    bad = order("o3", "c1", "live");
	struct tg_fill_row lost = fill("o9", "1");
	struct tg_cycle_row nul = cycle("c5", "x");
	nul.reason = (struct tg_str){"a\0b", 3};
	bad.price.scale = 19;
	APPLY(self, 1, CYCLE("c1", "active"));
	is_int(APPLY(self, 2, CYCLE("c2", "active"), {TG_ROW_ORDER, 0, &orphan}), TG_ERR_INVALID,
	       "an order of no cycle");
	is_int(APPLY(self, 2, CYCLE("c2", "active"), {TG_ROW_FILL, 0, &lost}), TG_ERR_INVALID, "a fill of no order");
	is_int(APPLY(self, 2, CYCLE("c2", "active"), {TG_ROW_ORDER, 0, &bad}), TG_ERR_INVALID,
	       "a decimal that is none");
	is_int(APPLY(self, 2, CYCLE("c2", "active"), {TG_ROW_CYCLE, 0, &nul}), TG_ERR_INVALID, "a text with NUL");
	is_int(APPLY(self, 2, CYCLE("c2", "active"), {99, 0, &good}), TG_ERR_INVALID, "a kind that is none");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, 0), "c1", "each leaves nothing of its batch");
	is_int(position(self, "a1b2"), 1, "and the position where it was");
	is_int(APPLY(self, 2, {TG_ROW_ORDER, 0, &good}), TG_OK, "and the store works on");
	struct tg_order_row early = order("o7", "c7", "live"), loose = order("o8", "", "live");
	struct tg_fill_row first = fill("o7", "1");
	is_int(APPLY(self, 3, {TG_ROW_FILL, 0, &first}, {TG_ROW_ORDER, 0, &early}, CYCLE("c7", "active")), TG_OK,
	       "within a batch rows may come in any order");
	is_int(APPLY(self, 4, {TG_ROW_ORDER, 0, &loose}), TG_OK, "an order may have no cycle");
	struct tg_order_row mended = order("o2", "c1", "live");
	is_int(APPLY(self, 5, {TG_ROW_ORDER, 0, &mended}, {TG_ROW_ORDER, 0, &orphan}), TG_ERR_INVALID,
	       "of two rows of an order the later one counts");
	is_int(APPLY(self, 5, {TG_ROW_ORDER, 0, &orphan}, {TG_ROW_ORDER, 0, &mended}), TG_OK,
	       "and only that one's cycle has to be there");
	is_str(load(self, TG_ROW_ORDER, "", "c1", 10, 0), "o1 o2", "of which it then is");
	api->close(self);
}

static void paging(void)
{
	void *self = fresh();
	struct tg_order_row orders[] = {order("0b", "c2", "live"), order("0a", "c1", "live"),
					order("0c", "c1", "live")};
	struct tg_fill_row fills[] = {fill("0b", "2"), fill("0a", "10"), fill("0a", "9"), fill("0c", "x/y"),
				      fill("0b", "1")};
	struct tg_event_row events[] = {event(10), event(9), event(100), event(1)};
	events[0].cycle_id = str("c2");
	events[3].journal = str("b");
	is_int(APPLY(self, 1, CYCLE("c2", "a"), CYCLE("c1", "a"), CYCLE("c10", "a"), {TG_ROW_ORDER, 0, &orders[0]},
		     {TG_ROW_ORDER, 0, &orders[1]}, {TG_ROW_ORDER, 0, &orders[2]}, {TG_ROW_FILL, 0, &fills[0]},
		     {TG_ROW_FILL, 0, &fills[1]}, {TG_ROW_FILL, 0, &fills[2]}, {TG_ROW_FILL, 0, &fills[3]},
		     {TG_ROW_FILL, 0, &fills[4]}, {TG_ROW_EVENT, 0, &events[0]}, {TG_ROW_EVENT, 0, &events[1]},
		     {TG_ROW_EVENT, 0, &events[2]}, {TG_ROW_EVENT, 0, &events[3]}),
	       TG_OK, "rows of every kind");
	static const struct {
		int32_t kind;
		const char *after, *cycle;
		uint32_t limit;
		const char *want;
		uint32_t flags;
	} cases[] = {
		{TG_ROW_CYCLE, "", "", 10000, "c1 c10 c2"},
		{TG_ROW_CYCLE, "", "", 2, "c1 c10"},
		{TG_ROW_CYCLE, "c10", "", 2, "c2"},
		{TG_ROW_CYCLE, "c2", "", 2, ""},
		{TG_ROW_CYCLE, "", "c10", 5, "c10"},
		{TG_ROW_ORDER, "", "", 10, "0a 0b 0c"},
		{TG_ROW_ORDER, "0a", "", 1, "0b"},
		{TG_ROW_ORDER, "", "c1", 10, "0a 0c"},
		{TG_ROW_ORDER, "0a", "c1", 10, "0c"},
		{TG_ROW_FILL, "", "", 10, "0a/10 0a/9 0b/1 0b/2 0c/x/y"},
		{TG_ROW_FILL, "0a/10", "", 2, "0a/9 0b/1"},
		{TG_ROW_FILL, "0b/2", "", 2, "0c/x/y"},
		{TG_ROW_FILL, "0c/x/y", "", 2, ""},
		{TG_ROW_FILL, "", "c1", 10, "0a/10 0a/9 0c/x/y"},
		{TG_ROW_FILL, "0a/9", "c1", 10, "0c/x/y"},
		{TG_ROW_FILL, "0a", "", 10, "ERR_INVALID"},
		{TG_ROW_EVENT, "", "", 10, "a1b2/9 a1b2/10 a1b2/100 b/1"},
		{TG_ROW_EVENT, "a1b2/9", "", 1, "a1b2/10"},
		{TG_ROW_EVENT, "a1b2/100", "", 1, "b/1"},
		{TG_ROW_EVENT, "", "c2", 10, "a1b2/10"},
		{TG_ROW_EVENT, "a1b2/10", "c2", 10, ""},
		{TG_ROW_EVENT, "a1b2/nine", "", 1, "ERR_INVALID"},
		{TG_ROW_EVENT, "a1b2/", "", 1, "ERR_INVALID"},
		{TG_ROW_EVENT, "a1b2", "", 1, "ERR_INVALID"},
		{TG_ROW_EVENT, "a1b2/99999999999999999999", "", 1, "ERR_INVALID"},
		{TG_ROW_CYCLE, "", "", 0, "ERR_INVALID"},
		{TG_ROW_CYCLE, "", "", 10001, "ERR_INVALID"},
		{7, "", "", 1, "ERR_INVALID"},
		{TG_ROW_CYCLE, "", "", 1, "ERR_INVALID", 2},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_str(load(self, cases[i].kind, cases[i].after, cases[i].cycle, cases[i].limit, cases[i].flags),
		       cases[i].want, "load kind %d after '%s' of cycle '%s' at most %u", cases[i].kind, cases[i].after,
		       cases[i].cycle, cases[i].limit);
	struct keys keys = {.stop_at = 2};
	struct tg_load what = {sizeof what, TG_ROW_ORDER, str(""), str(""), 10, 0};
	is_int(api->load(self, &what, key_note, &keys, NULL), 2, "loading ends where the callback says");
	api->close(self);
}

/* --------------------------------------------------------------- progress */

static struct tg_cycle_progress cycle_progress(const char *id, const char *state, int64_t closed_ns)
{
	return (struct tg_cycle_progress){.size = sizeof(struct tg_cycle_progress),
					  .step = 2,
					  .id = str(id),
					  .state = str(state),
					  .deltas = str("USDT=0.5"),
					  .reason = str("because"),
					  .amount_in = money(11),
					  .amount_out = money(-12),
					  .profit = money(13),
					  .closed_ns = closed_ns};
}

struct tg_order_progress order_progress(const char *id, const char *state)
{
	return (struct tg_order_progress){.size = sizeof(struct tg_order_progress),
					  .client_id = str(id),
					  .exchange_id = str("x77"),
					  .state = str(state),
					  .reason = str("late"),
					  .filled_qty = {25, 2, 0},
					  .filled_quote = money(77),
					  .updated_ns = 99};
}

static int same(struct tg_str text, const char *want)
{
	return text.len == strlen(want) && memcmp(text.ptr, want, text.len) == 0;
}

/* What progress changes, and that the rest stands. */
static int32_t advanced(void *ctx, int32_t kind, const void *row)
{
	const struct tg_cycle_row *c = row;
	const struct tg_order_row *o = row;

	if (kind == TG_ROW_CYCLE)
		*(bool *)ctx = c->step == 2 && same(c->state, "done") && same(c->deltas, "USDT=0.5") &&
			       same(c->reason, "because") && tg_amount_of(c->amount_in) == 11 &&
			       tg_amount_of(c->amount_out) == -12 && tg_amount_of(c->profit) == 13 &&
			       c->closed_ns == 6 && same(c->strategy, "s") && same(c->exchange, "sim") &&
			       same(c->route, "USDT>BTC>ETH") && same(c->currency, "USDT") && c->opened_ns == 5 &&
			       tg_amount_of(c->planned_in) == 21 && tg_amount_of(c->planned_out) == 22;
	else
		*(bool *)ctx = same(o->exchange_id, "x77") && same(o->state, "filled") && same(o->reason, "late") &&
			       tg_decimal_compare(o->filled_qty, (struct tg_decimal){25, 2, 0}) == 0 &&
			       tg_amount_of(o->filled_quote) == 77 && o->updated_ns == 99 && same(o->cycle_id, "c1") &&
			       same(o->market, "BTCUSDT") && same(o->purpose, "forward") && o->leg == 1 &&
			       o->attempt == 2 && o->side == TG_SIDE_SELL && o->time_in_force == TG_TIF_IOC &&
			       tg_decimal_compare(o->price, (struct tg_decimal){12345, 2, 0}) == 0 &&
			       tg_decimal_compare(o->qty, (struct tg_decimal){5, 1, 0}) == 0 && o->created_ns == 7;
	return 0;
}

static bool has_advanced(void *self, int32_t kind)
{
	bool right = false;
	struct tg_load what = {sizeof what, kind, str(""), str(""), 1, 0};

	api->load(self, &what, advanced, &right, NULL);
	return right;
}

static void progress_changes(void)
{
	void *self = fresh();
	struct tg_cycle_row c = cycle("c1", "active");
	struct tg_order_row o = order("o1", "c1", "live");
	struct tg_cycle_progress c_on = cycle_progress("c1", "done", 6), c_same = cycle_progress("c2", "half", 0);
	struct tg_order_progress o_on = order_progress("o1", "filled");

	c.planned_in = money(21);
	c.planned_out = money(22);
	APPLY(self, 1, {TG_ROW_CYCLE, 0, &c}, {TG_ROW_ORDER, 0, &o});
	is_int(APPLY(self, 2, {TG_ROW_CYCLE_PROGRESS, 0, &c_on}, {TG_ROW_ORDER_PROGRESS, 0, &o_on}), TG_OK,
	       "progress of a cycle and an order");
	ok(has_advanced(self, TG_ROW_CYCLE), "the cycle's fields are changed, the others stand");
	ok(has_advanced(self, TG_ROW_ORDER), "the order's too");
	is_int(APPLY(self, 3, CYCLE("c2", "active"), {TG_ROW_CYCLE_PROGRESS, 0, &c_same}), TG_OK,
	       "progress of a row that came earlier in the batch");
	is_str(cycle_state(self, "c2"), "half", "is the later one");
	is_int(APPLY(self, 4, {TG_ROW_CYCLE_PROGRESS, 0, &c_on}, CYCLE("c1", "whole")), TG_OK,
	       "progress, then the row");
	is_str(cycle_state(self, "c1"), "whole", "the later one wins");
	c_on.state = str("never");
	is_int(APPLY(self, 4, {TG_ROW_CYCLE_PROGRESS, 0, &c_on}), TG_OK, "repeated progress");
	is_str(cycle_state(self, "c1"), "whole", "changes nothing");
	is_str(load(self, 5, "", "", 1, 0), "ERR_INVALID", "progress is nothing to load");
	api->close(self);
}

static void progress_refused(void)
{
	void *self = fresh();
	struct tg_cycle_progress none = cycle_progress("c9", "done", 6), nul = cycle_progress("c1", "done", 6);
	struct tg_order_progress lost = order_progress("o9", "filled"), bad = order_progress("o1", "filled");
	struct tg_order_row o = order("o1", "c1", "live");

	nul.state = (struct tg_str){"a\0b", 3};
	bad.filled_qty.scale = -1;
	APPLY(self, 1, CYCLE("c1", "active"), {TG_ROW_ORDER, 0, &o});
	is_int(APPLY(self, 2, CYCLE("c2", "a"), {TG_ROW_CYCLE_PROGRESS, 0, &none}), TG_ERR_INVALID,
	       "progress of no cycle");
	is_int(APPLY(self, 2, CYCLE("c2", "a"), {TG_ROW_ORDER_PROGRESS, 0, &lost}), TG_ERR_INVALID,
	       "progress of no order");
	is_int(APPLY(self, 2, CYCLE("c2", "a"), {TG_ROW_CYCLE_PROGRESS, 0, &none}, CYCLE("c9", "a")), TG_ERR_INVALID,
	       "progress ahead of its row");
	is_int(APPLY(self, 2, CYCLE("c2", "a"), {TG_ROW_CYCLE_PROGRESS, 0, &nul}), TG_ERR_INVALID, "a text with NUL");
	is_int(APPLY(self, 2, CYCLE("c2", "a"), {TG_ROW_ORDER_PROGRESS, 0, &bad}), TG_ERR_INVALID,
	       "a decimal that is none");
	is_int(APPLY(self, 2, CYCLE("c2", "a"), {7, 0, &none}), TG_ERR_INVALID, "a kind behind the last");
	is_int(APPLY(self, 2, CYCLE("c2", "a"), {0, 0, &none}), TG_ERR_INVALID, "a kind before the first");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, 0), "c1", "each leaves nothing of its batch");
	is_str(cycle_state(self, "c1"), "active", "nor changes a row");
	is_int(position(self, "a1b2"), 1, "nor moves the position");
	struct tg_batch nameless = {sizeof nameless, 0, NULL, 5, str("")};
	is_int(api->apply(self, &nameless, NULL), TG_ERR_INVALID, "a batch of no journal is refused");
	api->close(self);
}

static void open_only(void)
{
	void *self = fresh();
	struct tg_cycle_row closed = cycle("c2", "failed");
	struct tg_order_row orders[] = {order("z", "c1", "live"), order("y", "c2", "filled"), order("a", "c3", "live"),
					order("b", "", "live")};
	struct tg_fill_row fills[] = {fill("z", "1"), fill("y", "1"), fill("a", "1"), fill("b", "1")};
	struct tg_event_row e = event(1);
	struct tg_cycle_progress end = cycle_progress("c1", "done", 8);

	closed.closed_ns = 9;
	e.cycle_id = str("c1");
	is_int(APPLY(self, 1, CYCLE("c3", "a"), CYCLE("c1", "a"), {TG_ROW_CYCLE, 0, &closed},
		     {TG_ROW_ORDER, 0, &orders[0]}, {TG_ROW_ORDER, 0, &orders[1]}, {TG_ROW_ORDER, 0, &orders[2]},
		     {TG_ROW_ORDER, 0, &orders[3]}, {TG_ROW_FILL, 0, &fills[0]}, {TG_ROW_FILL, 0, &fills[1]},
		     {TG_ROW_FILL, 0, &fills[2]}, {TG_ROW_FILL, 0, &fills[3]}, {TG_ROW_EVENT, 0, &e}),
	       TG_OK, "two open cycles, a closed one, an order of none");
	static const struct {
		int32_t kind;
		const char *after, *cycle;
		uint32_t limit;
		const char *want;
	} cases[] = {
		{TG_ROW_CYCLE, "", "", 10, "c1 c3"},  {TG_ROW_CYCLE, "c1", "", 10, "c3"},
		{TG_ROW_CYCLE, "", "", 1, "c1"},      {TG_ROW_CYCLE, "", "c1", 10, "c1"},
		{TG_ROW_CYCLE, "", "c2", 10, ""},     {TG_ROW_ORDER, "", "", 10, "a z"},
		{TG_ROW_ORDER, "a", "", 10, "z"},     {TG_ROW_ORDER, "", "", 1, "a"},
		{TG_ROW_ORDER, "", "c3", 10, "a"},    {TG_ROW_ORDER, "", "c2", 10, ""},
		{TG_ROW_FILL, "", "", 10, "a/1 z/1"}, {TG_ROW_FILL, "a/1", "", 10, "z/1"},
		{TG_ROW_FILL, "", "c1", 10, "z/1"},   {TG_ROW_FILL, "", "c2", 10, ""},
		{TG_ROW_EVENT, "", "", 10, ""},       {TG_ROW_EVENT, "", "c1", 10, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_str(load(self, cases[i].kind, cases[i].after, cases[i].cycle, cases[i].limit, TG_LOAD_OPEN),
		       cases[i].want, "open: kind %d after '%s' of cycle '%s' at most %u", cases[i].kind,
		       cases[i].after, cases[i].cycle, cases[i].limit);
	APPLY(self, 2, {TG_ROW_CYCLE_PROGRESS, 0, &end});
	is_str(load(self, TG_ROW_CYCLE, "", "", 10, TG_LOAD_OPEN), "c3", "a cycle that closed is none of them");
	is_str(load(self, TG_ROW_ORDER, "", "", 10, TG_LOAD_OPEN), "a", "nor are its orders");
	is_str(load(self, TG_ROW_FILL, "", "", 10, TG_LOAD_OPEN), "a/1", "nor its fills");
	api->close(self);
}

/* --------------------------------------------------------- many pages */

#define MANY 10000
#define MANY_BATCH 500

struct page {
	char last[64];
	unsigned wrong; /* out of order, or met twice */
	unsigned count;
};

static int32_t page_note(void *ctx, int32_t kind, const void *row)
{
	struct page *page = ctx;
	struct keys key = {0};

	key_note(&key, kind, row);
	page->wrong += strcmp(key.text, page->last) <= 0;
	page->count++;
	snprintf(page->last, sizeof page->last, "%.63s", key.text);
	return 0;
}

static void many_put(void *self, int32_t kind)
{
	static union {
		struct tg_cycle_row cycle;
		struct tg_order_row order;
		struct tg_fill_row fill;
		struct tg_event_row event;
	} rows[MANY_BATCH];
	static char ids[MANY_BATCH][16];
	static struct tg_record records[MANY_BATCH];
	int32_t wrong = 0;

	for (unsigned first = 0; first < MANY; first += MANY_BATCH) {
		for (unsigned i = 0; i < MANY_BATCH; i++) {
			/* not in order, and events' numbers of one length, so that texts rise as numbers do */
			unsigned n = 10000 + (first + i) * 7919 % MANY;
			snprintf(ids[i], sizeof ids[i], "%u", n);
			if (kind == TG_ROW_CYCLE)
				rows[i].cycle = cycle(ids[i], "a");
			else if (kind == TG_ROW_ORDER)
				rows[i].order = order(ids[i], ids[i], "live");
			else if (kind == TG_ROW_FILL)
				rows[i].fill = fill(ids[i], "1");
			else
				rows[i].event = event(n);
			records[i] = (struct tg_record){kind, 0, &rows[i]};
		}
		wrong += apply(self, (uint64_t)kind * MANY + first + 1, MANY_BATCH, records) != TG_OK;
	}
	is_int(wrong, 0, "%d rows of kind %d", MANY, kind);
}

static void many_pages(void)
{
	void *self = fresh();

	for (int32_t kind = TG_ROW_CYCLE; kind <= TG_ROW_EVENT; kind++) {
		struct page page = {0};
		int32_t got;
		unsigned pages = 0;
		many_put(self, kind);
		do {
			char after[64];
			memcpy(after, page.last, sizeof after);
			struct tg_load what = {sizeof what, kind, str(after), str(""), 777, 0};
			got = api->load(self, &what, page_note, &page, NULL);
			pages++;
		} while (got == 777 && pages < MANY);
		is_int(page.count, MANY, "all are met, page by page");
		is_int(page.wrong, 0, "each once, in order");
		is_int(pages, MANY / 777 + 1, "in so many pages as it takes");
	}
	api->close(self);
}

void conform_rows(void)
{
	upserts();
	in_turn();
	atomicity();
	paging();
	progress_changes();
	progress_refused();
	open_only();
	many_pages();
}
