/* What every storage backend must do. The module's path is the first argument, "shared" as the second says that several
 * processes may use one store. One file, long because a backend is held to all of it or to nothing. */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <trigate/error.h>
#include <trigate/exchange.h>
#include <trigate/storage.h>

#include "tap.h"

static const struct tg_storage_api *api;
static char dir[64];
static unsigned stores; /* each test has a directory of its own */
static char state_dir[96];

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}
static struct tg_money money(tg_amount amount)
{
	return tg_money_of(amount);
}

static void *instance(void)
{
	struct tg_error error = tg_error_init();
	void *self = NULL;
	if (api->open(NULL, NULL, str(state_dir), &self, &error) != TG_OK || api->migrate(self, &error) != TG_OK) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return self;
}

static void *fresh(void)
{
	snprintf(state_dir, sizeof state_dir, "%s/%u", dir, stores++);
	mkdir(state_dir, 0700);
	return instance();
}

/* ------------------------------------------------------------------- rows */

static struct tg_cycle_row cycle(const char *id, const char *state)
{
	return (struct tg_cycle_row){.size = sizeof(struct tg_cycle_row),
				     .id = str(id),
				     .strategy = str("s"),
				     .exchange = str("sim"),
				     .state = str(state),
				     .route = str("USDT>BTC>ETH"),
				     .currency = str("USDT"),
				     .deltas = str("USDT=0.12"),
				     .reason = str(""),
				     .opened_ns = 5};
}

static struct tg_order_row order(const char *id, const char *cycle_id, const char *state)
{
	return (struct tg_order_row){.size = sizeof(struct tg_order_row),
				     .side = TG_SIDE_SELL,
				     .client_id = str(id),
				     .cycle_id = str(cycle_id),
				     .exchange_id = str("x1"),
				     .market = str("BTCUSDT"),
				     .state = str(state),
				     .purpose = str("forward"),
				     .reason = str(""),
				     .leg = 1,
				     .attempt = 2,
				     .time_in_force = TG_TIF_IOC,
				     .price = {12345, 2, 0},
				     .qty = {5, 1, 0},
				     .created_ns = 7,
				     .updated_ns = 8};
}

static struct tg_fill_row fill(const char *id, const char *fill_id)
{
	return (struct tg_fill_row){.size = sizeof(struct tg_fill_row),
				    .client_id = str(id),
				    .fill_id = str(fill_id),
				    .price = {12345, 2, 0},
				    .qty = {5, 1, 0},
				    .fee = {1, 8, 0},
				    .fee_currency = str("BNB"),
				    .time_ns = 9};
}

static struct tg_event_row event(uint64_t position)
{
	return (struct tg_event_row){.size = sizeof(struct tg_event_row),
				     .position = position,
				     .time_ns = 3,
				     .kind = str("note"),
				     .cycle_id = str("c"),
				     .client_id = str("o"),
				     .text = str("text")};
}

static int32_t apply(void *self, uint64_t position, uint32_t count, const struct tg_record *records)
{
	struct tg_error error = tg_error_init();
	struct tg_batch batch = {sizeof batch, count, records, position, str("a1b2")};
	return api->apply(self, &batch, &error);
}
#define APPLY(self, position, ...) \
	apply((self), (position), sizeof((struct tg_record[]){__VA_ARGS__}) / sizeof(struct tg_record), \
	      (struct tg_record[]){__VA_ARGS__})
#define CYCLE(...) \
	{ \
		TG_ROW_CYCLE, 0, (struct tg_cycle_row[]) \
		{ \
			cycle(__VA_ARGS__) \
		} \
	}

static uint64_t position(void *self, const char *journal)
{
	uint64_t value = UINT64_MAX;
	api->durable_position(self, str(journal), &value, NULL);
	return value;
}

/* Loaded keys, joined: "a b c". */
struct keys {
	char text[4096];
	unsigned count;
	unsigned stop_at;
};

static int32_t key_note(void *ctx, int32_t kind, const void *row)
{
	struct keys *keys = ctx;
	const struct tg_fill_row *f = row;
	size_t used = strlen(keys->text);
	char *at = keys->text + used;
	size_t room = sizeof keys->text - used;
	const char *gap = used ? " " : "";
	if (kind == TG_ROW_CYCLE)
		snprintf(at, room, "%s%.*s", gap, (int)((const struct tg_cycle_row *)row)->id.len,
			 ((const struct tg_cycle_row *)row)->id.ptr);
	else if (kind == TG_ROW_ORDER)
		snprintf(at, room, "%s%.*s", gap, (int)((const struct tg_order_row *)row)->client_id.len,
			 ((const struct tg_order_row *)row)->client_id.ptr);
	else if (kind == TG_ROW_FILL)
		snprintf(at, room, "%s%.*s/%.*s", gap, (int)f->client_id.len, f->client_id.ptr, (int)f->fill_id.len,
			 f->fill_id.ptr);
	else
		snprintf(at, room, "%s%llu", gap, (unsigned long long)((const struct tg_event_row *)row)->position);
	return ++keys->count == keys->stop_at;
}

static const char *load(void *self, int32_t kind, const char *after, const char *cycle_id, uint32_t limit)
{
	static struct keys keys;
	struct tg_error error = tg_error_init();
	struct tg_load what = {sizeof what, kind, str(after), str(cycle_id), limit, 0};
	keys = (struct keys){0};
	int32_t count = api->load(self, &what, key_note, &keys, &error);
	if (count < 0)
		return error.message_len ? tg_status_name(count) : "no message";
	return count == (int32_t)keys.count ? keys.text : "wrong count";
}

/* The state of one cycle, to see which version of a row is stored. */
static int32_t state_note(void *ctx, int32_t kind, const void *row)
{
	const struct tg_cycle_row *c = row;
	(void)kind;
	snprintf(ctx, 32, "%.*s", (int)c->state.len, c->state.ptr);
	return 0;
}

static const char *cycle_state(void *self, const char *id)
{
	static char state[32];
	struct tg_load what = {sizeof what, TG_ROW_CYCLE, str(""), str(id), 1, 0};
	state[0] = '\0';
	api->load(self, &what, state_note, state, NULL);
	return state;
}

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
	is_int(APPLY(self, 4, CYCLE("c1", "again")), TG_OK, "a repeated batch is accepted");
	is_int(APPLY(self, 2, CYCLE("c9", "older")), TG_OK, "an older one too");
	is_str(cycle_state(self, "c1"), "completed", "and changes nothing");
	is_str(load(self, TG_ROW_CYCLE, "", "", 10), "c1 c2", "nor adds");
	is_int(position(self, "a1b2"), 4, "nor moves the position");
	is_int(apply(self, 8, 0, NULL), TG_OK, "an empty batch");
	is_int(position(self, "a1b2"), 8, "moves the position");
	api->close(other);
	api->close(self);
	api->close(NULL);
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
	is_str(load(self, TG_ROW_CYCLE, "", "", 10), "c1", "each leaves nothing of its batch");
	is_int(position(self, "a1b2"), 1, "and the position where it was");
	is_int(APPLY(self, 2, {TG_ROW_ORDER, 0, &good}), TG_OK, "and the store works on");
	struct tg_order_row early = order("o7", "c7", "live"), loose = order("o8", "", "live");
	struct tg_fill_row first = fill("o7", "1");
	is_int(APPLY(self, 3, {TG_ROW_FILL, 0, &first}, {TG_ROW_ORDER, 0, &early}, CYCLE("c7", "active")), TG_OK,
	       "within a batch rows may come in any order");
	is_int(APPLY(self, 4, {TG_ROW_ORDER, 0, &loose}), TG_OK, "an order may have no cycle");
	api->close(self);
}

static void paging(void)
{
	void *self = fresh();
	struct tg_order_row orders[] = {order("0b", "c2", "live"), order("0a", "c1", "live"),
					order("0c", "c1", "live")};
	struct tg_fill_row fills[] = {fill("0b", "2"), fill("0a", "10"), fill("0a", "9"), fill("0c", "x/y"),
				      fill("0b", "1")};
	struct tg_event_row events[] = {event(10), event(9), event(100)};
	is_int(APPLY(self, 1, CYCLE("c2", "a"), CYCLE("c1", "a"), CYCLE("c10", "a"), {TG_ROW_ORDER, 0, &orders[0]},
		     {TG_ROW_ORDER, 0, &orders[1]}, {TG_ROW_ORDER, 0, &orders[2]}, {TG_ROW_FILL, 0, &fills[0]},
		     {TG_ROW_FILL, 0, &fills[1]}, {TG_ROW_FILL, 0, &fills[2]}, {TG_ROW_FILL, 0, &fills[3]},
		     {TG_ROW_FILL, 0, &fills[4]}, {TG_ROW_EVENT, 0, &events[0]}, {TG_ROW_EVENT, 0, &events[1]},
		     {TG_ROW_EVENT, 0, &events[2]}),
	       TG_OK, "rows of every kind");
	static const struct {
		int32_t kind;
		const char *after, *cycle;
		uint32_t limit;
		const char *want;
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
		{TG_ROW_EVENT, "", "", 10, "9 10 100"},
		{TG_ROW_EVENT, "9", "", 1, "10"},
		{TG_ROW_EVENT, "nine", "", 1, "ERR_INVALID"},
		{TG_ROW_EVENT, "99999999999999999999", "", 1, "ERR_INVALID"},
		{TG_ROW_CYCLE, "", "", 0, "ERR_INVALID"},
		{TG_ROW_CYCLE, "", "", 10001, "ERR_INVALID"},
		{7, "", "", 1, "ERR_INVALID"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_str(load(self, cases[i].kind, cases[i].after, cases[i].cycle, cases[i].limit), cases[i].want,
		       "load kind %d after '%s' of cycle '%s' at most %u", cases[i].kind, cases[i].after,
		       cases[i].cycle, cases[i].limit);
	struct keys keys = {.stop_at = 2};
	struct tg_load what = {sizeof what, TG_ROW_ORDER, str(""), str(""), 10, 0};
	is_int(api->load(self, &what, key_note, &keys, NULL), 2, "loading ends where the callback says");
	api->close(self);
}

/* ----------------------------------------------------------- exact values */

#define MAX128 (((tg_amount)INT64_MAX << 64) | (tg_amount)UINT64_MAX)

static const tg_amount amounts[] = {0, 1, -1, MAX128, -MAX128, TG_AMOUNT_ONE, (tg_amount)INT64_MAX * 1000 + 7};
static const struct tg_decimal decimals[] = {{0, 0, 0},           {1, 18, 0},         {-1, 18, 0},
					     {INT64_MAX, 0, 0},   {INT64_MAX, 18, 0}, {-INT64_MAX, 0, 0},
					     {-INT64_MAX, 18, 0}, {150, 2, 0}};
#define AMOUNTS (sizeof amounts / sizeof *amounts)
#define DECIMALS (sizeof decimals / sizeof *decimals)

static int same_text(struct tg_str text, const char *want)
{
	return text.len == strlen(want) && memcmp(text.ptr, want, text.len) == 0;
}

struct compared {
	unsigned rows, wrong;
};

static int32_t compare(void *ctx, int32_t kind, const void *row)
{
	struct compared *compared = ctx;
	unsigned n = compared->rows++;
	const struct tg_cycle_row *c = row;
	const struct tg_order_row *o = row;
	const struct tg_fill_row *f = row;
	const struct tg_event_row *e = row;
	if (kind == TG_ROW_CYCLE) {
		compared->wrong += tg_amount_of(c->planned_in) != amounts[n] ||
				   tg_amount_of(c->planned_out) != amounts[n] ||
				   tg_amount_of(c->amount_in) != amounts[n] ||
				   tg_amount_of(c->amount_out) != amounts[n] || tg_amount_of(c->profit) != amounts[n];
		compared->wrong += c->step != UINT32_MAX || c->opened_ns != INT64_MAX || c->closed_ns != INT64_MIN;
		compared->wrong += !same_text(c->strategy, "s") || !same_text(c->exchange, "sim") ||
				   !same_text(c->state, "st") || !same_text(c->route, "USDT>BTC>ETH") ||
				   !same_text(c->currency, "USDT") || !same_text(c->deltas, "USDT=0.12") ||
				   !same_text(c->reason, "'; drop table cycles; -- \xc3\xbc");
	} else if (kind == TG_ROW_ORDER) {
		compared->wrong += tg_decimal_compare(o->price, decimals[n]) != 0 ||
				   tg_decimal_compare(o->qty, decimals[n]) != 0 ||
				   tg_decimal_compare(o->filled_qty, decimals[n]) != 0 ||
				   tg_amount_of(o->filled_quote) != -MAX128;
		compared->wrong += o->side != TG_SIDE_SELL || o->leg != UINT32_MAX || o->attempt != 2 ||
				   o->time_in_force != TG_TIF_IOC || o->created_ns != 7 || o->updated_ns != INT64_MAX;
		compared->wrong += !same_text(o->cycle_id, "c0") || !same_text(o->exchange_id, "x1") ||
				   !same_text(o->market, "BTCUSDT") || !same_text(o->purpose, "forward") ||
				   o->reason.len != 0;
	} else if (kind == TG_ROW_FILL) {
		compared->wrong += tg_decimal_compare(f->price, decimals[n]) != 0 ||
				   tg_decimal_compare(f->qty, decimals[n]) != 0 ||
				   tg_decimal_compare(f->fee, decimals[n]) != 0 || f->time_ns != 9 ||
				   !same_text(f->fee_currency, "BNB");
	} else {
		compared->wrong += e->position != INT64_MAX || e->time_ns != 3 || !same_text(e->kind, "note") ||
				   !same_text(e->cycle_id, "c") || !same_text(e->client_id, "o") ||
				   !same_text(e->text, "text");
	}
	return 0;
}

static void exact_values(void)
{
	void *self = fresh();
	struct tg_cycle_row cycles[AMOUNTS];
	struct tg_order_row orders[DECIMALS];
	struct tg_fill_row fills[DECIMALS];
	struct tg_event_row last = event(INT64_MAX);
	struct tg_record records[AMOUNTS + 2 * DECIMALS + 1];
	char ids[AMOUNTS + DECIMALS][8];
	uint32_t count = 0;
	for (unsigned i = 0; i < AMOUNTS; i++) {
		snprintf(ids[i], sizeof ids[i], "c%u", i);
		cycles[i] = cycle(ids[i], "st");
		cycles[i].planned_in = cycles[i].planned_out = cycles[i].amount_in = cycles[i].amount_out =
			cycles[i].profit = money(amounts[i]);
		cycles[i].step = UINT32_MAX;
		cycles[i].opened_ns = INT64_MAX;
		cycles[i].closed_ns = INT64_MIN;
		cycles[i].reason = str("'; drop table cycles; -- \xc3\xbc");
		records[count++] = (struct tg_record){TG_ROW_CYCLE, 0, &cycles[i]};
	}
	for (unsigned i = 0; i < DECIMALS; i++) {
		char *id = ids[AMOUNTS + i];
		snprintf(id, sizeof ids[0], "o%u", i);
		orders[i] = order(id, "c0", "live");
		orders[i].price = orders[i].qty = orders[i].filled_qty = decimals[i];
		orders[i].filled_quote = money(-MAX128);
		orders[i].leg = UINT32_MAX;
		orders[i].updated_ns = INT64_MAX;
		fills[i] = fill(id, "1");
		fills[i].price = fills[i].qty = fills[i].fee = decimals[i];
		records[count++] = (struct tg_record){TG_ROW_ORDER, 0, &orders[i]};
		records[count++] = (struct tg_record){TG_ROW_FILL, 0, &fills[i]};
	}
	records[count++] = (struct tg_record){TG_ROW_EVENT, 0, &last};
	is_int(apply(self, INT64_MAX, count, records), TG_OK, "extremes are accepted");
	is_int(position(self, "a1b2"), INT64_MAX, "the largest position");
	static const struct {
		int32_t kind;
		unsigned rows;
	} kinds[] = {{TG_ROW_CYCLE, AMOUNTS}, {TG_ROW_ORDER, DECIMALS}, {TG_ROW_FILL, DECIMALS}, {TG_ROW_EVENT, 1}};
	for (size_t i = 0; i < 4; i++) {
		struct compared compared = {0};
		struct tg_load what = {sizeof what, kinds[i].kind, str(""), str(""), 100, 0};
		api->load(self, &what, compare, &compared, NULL);
		is_int(compared.rows, kinds[i].rows, "rows of kind %d come back", kinds[i].kind);
		is_int(compared.wrong, 0, "each field as it was");
	}
	void *next = fresh();
	struct tg_cycle_row least = cycle("c", "st");
	least.profit = money(-MAX128 - 1);
	is_int(APPLY(next, 1, {TG_ROW_CYCLE, 0, &least}), TG_ERR_OVERFLOW, "an amount without a negative is refused");
	fills[0].fee.mantissa = INT64_MIN;
	is_int(APPLY(next, 1, {TG_ROW_FILL, 0, &fills[0]}), TG_ERR_OVERFLOW, "a decimal too");
	api->close(next);
	is_int(apply(self, UINT64_MAX, 0, NULL), TG_ERR_INVALID, "a position that cannot be kept is refused");
	api->close(self);
}

/* ------------------------------------------------------------------ slots */

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

static struct listed slots(void *self)
{
	struct listed listed = {0};
	api->slot_list(self, str("g"), slot_note, &listed, NULL);
	return listed;
}

/* The backend's clock is not ours to set: wait for it, not for a time. */
static void wait_expired(void *self, unsigned count)
{
	while (slots(self).expired < count)
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

static void slot_expiry(void)
{
	void *self = fresh(), *other = instance();
	uint64_t ids[10] = {0}, more[10] = {0};
	reserve(self, "a", 3, 2, 1, ids);
	wait_expired(self, 2);
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

/* ------------------------------------------------------------------ files */

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

int main(int argc, char **argv)
{
	if (argc < 2)
		return 99;
	void *module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	const struct tg_entry *entry = module ? dlsym(module, "tg_plugin_entry") : NULL;
	if (!entry) {
		printf("Bail out! %s\n", dlerror());
		return 1;
	}
	api = entry->api;
	snprintf(dir, sizeof dir, "/tmp/trigate-storage-XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	ok(entry->magic == TG_MAGIC && entry->kind == TG_KIND_STORAGE && entry->size >= sizeof *entry, "the entry");
	upserts();
	atomicity();
	paging();
	exact_values();
	slot_rules();
	slot_expiry();
	slot_crowd(false);
	clean_check();
	if (argc > 2 && strcmp(argv[2], "shared") == 0) {
		slot_crowd(true);
		outlives_kill();
	}
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? tap_done() : 1;
}
