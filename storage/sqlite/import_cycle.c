/* A cycle of the Python system as our rows: the cycle, what was odd about it, its orders. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "storage/sqlite/import.h"
#include "storage/sqlite/import_json.h"

#define NOISE INT64_C(1000000000) /* its floating point may be off by one part in so many */
#define EPOCH_NS 1                /* closed before anything else: nothing is known of when */

/* Is there a row of ours for this state, or was it still going on? */
enum old_state { STATE_KNOWN, STATE_GOING_ON, STATE_STRANGE };

static enum old_state state_of(const struct old_value *state)
{
	static const char *const going_on[] = {"pending",          "validating", "active",
					       "partially_filled", "recovering", "panic_selling"};

	if (import_is(state, "completed") || import_is(state, "failed"))
		return STATE_KNOWN;
	for (size_t i = 0; i < sizeof going_on / sizeof *going_on; i++)
		if (import_is(state, going_on[i]))
			return STATE_GOING_ON;
	return STATE_STRANGE;
}

/* ------------------------------------------------------------ the route */

/* ["USDT", "BTC", "ETH"] to "USDT>BTC>ETH", without the return to its start. False: it is no list of names. */
static bool route_read(struct import *import, struct tg_str text, struct tg_str *ret_route, struct tg_str *ret_first)
{
	struct json_value list, item;
	char *route = pool_take(&import->pool, text.len);
	size_t length = 0, last = 0, first = 0;

	if (!route || !json_parse(text, &list) || list.kind != JSON_ARRAY)
		return false;
	struct json_cursor cursor = json_inside(list);
	for (unsigned i = 0; json_item(&cursor, &item); i++) {
		if (item.kind != JSON_TEXT || item.raw.len < 3)
			return false;
		if (i)
			route[length++] = '>';
		last = length;
		length += json_unescape(item, route + length);
		if (i == 0)
			first = length;
	}
	if (length == 0)
		return false;
	if (last > 0 && length - last == first && memcmp(route, route + last, first) == 0)
		length = last - 1;
	*ret_route = pool_clean(&import->pool, (struct tg_str){route, length});
	*ret_first = (struct tg_str){ret_route->ptr, first};
	return true;
}

static void route_take(struct import *import, const struct import_place *place, const struct old_cycle *old,
		       struct tg_cycle_row *row)
{
	if (route_read(import, import_text(&old->route), &row->route, &row->currency))
		return;
	row->route = (struct tg_str){"", 0};
	row->currency = import_text(&old->currency);
	struct tg_str text = import_text(&old->route);
	import_odd(import, place, "cycle_json is '%.*s', which is no list of currencies; no route is taken",
		   (int)text.len, text.ptr);
}

/* ------------------------------------------------------------ the money */

static tg_amount size_of(tg_amount amount)
{
	return amount < 0 ? -amount : amount;
}

/* Does what it ended with agree with what it began with and its profit, but for the noise of floating point? */
static bool fits(tg_amount began, tg_amount profit, tg_amount ended)
{
	tg_amount due;

	return !__builtin_add_overflow(began, profit, &due) && !__builtin_sub_overflow(due, ended, &due) &&
	       size_of(due) <= size_of(began) / NOISE + 1;
}

/* What a cycle without an end holds: "USDT=-1000 BTC=0.02". */
static struct tg_str holding_text(struct import *import, const struct tg_cycle_row *row, struct tg_str held_in,
				  tg_amount began, tg_amount current)
{
	char less[TG_AMOUNT_TEXT_MAX], more[TG_AMOUNT_TEXT_MAX];

	if (held_in.len == 0 ||
	    (held_in.len == row->currency.len && memcmp(held_in.ptr, row->currency.ptr, held_in.len) == 0))
		return (struct tg_str){"", 0};
	tg_amount_format(-began, less, sizeof less);
	tg_amount_format(current, more, sizeof more);
	return pool_print(&import->pool, "%.*s=%s %.*s=%s", (int)row->currency.len, row->currency.ptr, less,
			  (int)held_in.len, held_in.ptr, more);
}

/* With a profit: what went in, what came out, and that they fit to what it says it has. */
static void profit_take(struct import *import, const struct import_place *place, const struct old_cycle *old,
			tg_amount began, tg_amount current, struct tg_cycle_row *row)
{
	char text[TG_AMOUNT_TEXT_MAX];
	tg_amount profit = import_amount(import, place, "profit_loss", false, &old->profit), out;
	struct tg_str held = import_text(&old->currency);
	bool home = held.len == row->currency.len && memcmp(held.ptr, row->currency.ptr, held.len) == 0;

	if (__builtin_add_overflow(began, profit, &out)) {
		import_odd(import, place,
			   "profit_loss and initial_amount are beyond what can be kept together; 0 came out");
		began = out = profit = 0;
	}
	row->amount_in = tg_money_of(began);
	row->amount_out = tg_money_of(out);
	row->profit = tg_money_of(profit);
	tg_amount_format(profit, text, sizeof text);
	if (row->currency.len && profit != 0)
		row->deltas = pool_print(&import->pool, "%.*s=%s", (int)row->currency.len, row->currency.ptr, text);
	if (import_is(&old->state, "completed") && home && old->current.kind != OLD_NONE &&
	    !fits(began, profit, current)) {
		tg_amount_format(current, text, sizeof text);
		import_odd(
			import, place,
			"current_amount is %s, which is not initial_amount and profit_loss together; profit_loss counts",
			text);
	}
}

static void money_take(struct import *import, const struct import_place *place, const struct old_cycle *old,
		       struct tg_cycle_row *row)
{
	tg_amount began = import_amount(import, place, "initial_amount", true, &old->initial);
	tg_amount current = import_amount(import, place, "current_amount", false, &old->current);

	row->planned_in = tg_money_of(began);
	if (began < 0)
		import_odd(import, place, "initial_amount is negative; it is taken as it stands");
	if (old->profit.kind != OLD_NONE)
		profit_take(import, place, old, began, current, row);
	else if (import_is(&old->state, "completed"))
		import_odd(import, place, "is completed without profit_loss; 0 is taken");
	else
		row->deltas = holding_text(import, row, import_text(&old->currency), began, current);
}

/* ------------------------------------------------------------ state and times */

static void state_take(struct import *import, const struct import_place *place, const struct old_cycle *old,
		       struct tg_cycle_row *row)
{
	struct tg_str state = import_text(&old->state), error = import_text(&old->error);
	enum old_state known = state_of(&old->state);

	row->state = known == STATE_KNOWN ? state : (struct tg_str)TG_STR("failed");
	row->reason = error;
	if (known == STATE_KNOWN)
		return;
	row->reason = pool_print(&import->pool, "imported while %.*s%s%.*s", (int)state.len, state.ptr,
				 error.len ? ": " : "", (int)error.len, error.ptr);
	if (known == STATE_GOING_ON)
		import_odd(
			import, place,
			"was %.*s when the Python system last wrote it; it cannot be continued and is taken as failed: "
			"look at the exchange for what it holds",
			(int)state.len, state.ptr);
	else
		import_odd(import, place, "has state '%.*s', which is none; it is taken as failed", (int)state.len,
			   state.ptr);
}

static void times_take(struct import *import, const struct import_place *place, const struct old_cycle *old,
		       struct tg_cycle_row *row)
{
	row->opened_ns = import_time(import, place, "start_time", true, &old->start);
	int64_t updated = import_time(import, place, "updated_at", false, &old->updated);
	int64_t ended = import_time(import, place, "end_time", false, &old->end);

	if (ended == 0 && old->end.kind == OLD_NONE && state_of(&old->state) == STATE_KNOWN)
		import_odd(import, place, "has an end but no end_time; its last change is taken");
	row->closed_ns = ended ? ended : updated ? updated : row->opened_ns ? row->opened_ns : EPOCH_NS;
	if (row->closed_ns < row->opened_ns)
		import_odd(import, place, "ends before it begins; its times are taken as they stand");
}

/* ------------------------------------------------------------ all of it */

/* "py:ID", or by its row if it has none. */
static struct tg_str key_take(struct import *import, const struct old_cycle *old, struct tg_str *ret_wanted,
			      bool *ret_again)
{
	struct tg_str id = import_text(&old->id);

	if (id.len == 0)
		*ret_wanted = pool_print(&import->pool, "py:cycle-%" PRIu64, import->cycles);
	else
		*ret_wanted = pool_print(&import->pool, "py:%.*s", (int)id.len, id.ptr);
	return import_key(import, *ret_wanted, ret_again);
}

static void metadata_tell(struct import *import, const struct import_place *place, const struct old_value *metadata)
{
	static const char *const nothing[] = {"", "{}", "null", "[]"};
	struct tg_str text = import_text(metadata);

	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		if (metadata->kind == OLD_NONE || import_is(metadata, nothing[i]))
			return;
	import_event(import, place, "import.metadata", import->file_time_ns, "%.*s", (int)text.len, text.ptr);
}

struct tg_str import_cycle(struct import *import, const struct old_cycle *old)
{
	bool again = false;
	struct tg_str wanted;

	import->cycles++;
	struct import_place place = {.what = "cycle", .name = import_text(&old->id)};
	place.cycle = key_take(import, old, &wanted, &again);
	struct tg_cycle_row row = {.size = sizeof row,
				   .id = place.cycle,
				   .strategy = import_text(&old->strategy),
				   .deltas = TG_STR(""),
				   .exchange = TG_STR("")};
	/* first what is known before anything else: an event may name the cycle before its row is there */
	if (place.name.len == 0)
		import_odd(import, &place, "has no id; it is taken as %.*s", (int)place.cycle.len, place.cycle.ptr);
	else if (again)
		import_odd(import, &place, "has an id that another cycle has; it is taken as %.*s",
			   (int)place.cycle.len, place.cycle.ptr);
	import_long_tell(import, &place, wanted, place.cycle);
	route_take(import, &place, old, &row);
	row.step = import_count(import, &place, "current_step", &old->step);
	money_take(import, &place, old, &row);
	state_take(import, &place, old, &row);
	times_take(import, &place, old, &row);
	import_pass(import, TG_ROW_CYCLE, &row);
	metadata_tell(import, &place, &old->metadata);
	import_orders(import, &place, old);
	return place.cycle;
}
