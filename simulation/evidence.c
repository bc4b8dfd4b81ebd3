/* A gateway at rest: what its journal says, held against the ledgers. The journal is folded by the gateway's own model;
 * whatever that could get wrong (sums, states, fills taken twice) is compared with the ledger's. */
#include "simulation/observer_state.h"

#include <string.h>

#define SLACK_NS (INT64_C(3600) * 1000000000) /* how far a gateway's clock may be from the true time */

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static uint32_t order_find(const struct rest *rest, struct tg_str client_id)
{
	struct client_id id;
	return client_id_parse(client_id, &id) ? seen_order_find(&rest->observer->seen, &id) : SEEN_NONE;
}

const struct seen_order *rest_seen(const struct rest *rest, const struct order *order)
{
	uint32_t at = order_find(rest, str(order->client_id));
	return at == SEEN_NONE ? NULL : &rest->observer->seen.order[at];
}

/* ------------------------------------------------------------ the journal's records */

static void time_check(const struct rest *rest, const struct journal_entry *entry)
{
	int64_t now_ns = WORLD_START_UNIX_NS + ground_ns(rest->observer->options.ground);
	if (entry->position != rest->position + 1)
		observer_raise(rest->observer, "time", "g%u's journal has record %llu behind record %llu",
			       rest->gateway, (unsigned long long)entry->position, (unsigned long long)rest->position);
	if (entry->time_ns < WORLD_START_UNIX_NS - SLACK_NS || entry->time_ns > now_ns + SLACK_NS)
		observer_raise(rest->observer, "time",
			       "g%u's journal: record %llu (%s) is of %lld s since the run began", rest->gateway,
			       (unsigned long long)entry->position, record_type_name(entry->type),
			       (long long)((entry->time_ns - WORLD_START_UNIX_NS) / 1000000000));
}

static void start_note(const struct rest *rest, const struct record_start *start)
{
	if (strcmp(start->gateway_id, rest_config(rest)->config->gateway_id) != 0)
		observer_raise(rest->observer, "forgotten", "g%u's journal is of gateway %s", rest->gateway,
			       start->gateway_id);
}

static struct seen_cycle *cycle_at(const struct rest *rest, struct cycle_key key)
{
	uint32_t at = seen_cycle(&rest->observer->seen, (uint8_t)rest->gateway, key);
	return at == SEEN_NONE ? NULL : &rest->observer->seen.cycle[at];
}

/* Where cycles begin and end in the journal, and which orders have their intent there. */
static void record_note(const struct rest *rest, const struct journal_entry *entry)
{
	struct seen_cycle *cycle;
	uint32_t order;
	switch (entry->type) {
	case RECORD_START: start_note(rest, entry->payload); break;
	case RECORD_CYCLE_OPEN:
		cycle = cycle_at(rest, ((const struct record_cycle_open *)entry->payload)->key);
		if (cycle)
			cycle->opened_at = entry->position;
		break;
	case RECORD_CYCLE_EVENT:
		cycle = cycle_at(rest, ((const struct record_cycle_event *)entry->payload)->key);
		if (cycle) /* of a final cycle there is no further one */
			cycle->closed_at = entry->position;
		break;
	case RECORD_ORDER_INTENT:
		order = order_find(rest,
				   (struct tg_str){((const struct record_order_intent *)entry->payload)->client_id,
						   TG_CLIENT_ID_LEN});
		if (order != SEEN_NONE)
			rest->observer->seen.order[order].journalled = true;
		break;
	default: break;
	}
}

struct reading {
	struct rest *rest;
	struct tg_error *error;
};

static int record_take(void *ctx, const struct journal_entry *entry)
{
	const struct reading *reading = ctx;
	struct rest *rest = reading->rest;
	int status = model_replay(rest->model, entry, reading->error);
	if (status)
		return status;
	time_check(rest, entry);
	record_note(rest, entry);
	conduct_note(rest, entry);
	rest->position = entry->position;
	return TG_OK;
}

static bool journal_fold(struct rest *rest, const struct disk *disk, const char *state_dir)
{
	struct tg_error error = tg_error_init();
	struct reading reading = {rest, &error};
	int status = journal_read(disk, state_dir, record_take, &reading, NULL, &error);
	if (status)
		observer_raise(rest->observer, "forgotten", "g%u's journal cannot be read: %s", rest->gateway,
			       error.message);
	return status == TG_OK;
}

/* ------------------------------------------------------------ forgotten */

/* Did another order leave after this one, and before the power was lost, whose intent the journal kept? */
static bool later_is_kept(const struct rest *rest, const struct seen_order *order, const struct power_loss *loss)
{
	const struct seen *seen = &rest->observer->seen;
	for (uint32_t i = 0; i < seen->orders; i++) {
		const struct seen_order *other = &seen->order[i];
		if (other->gateway == order->gateway && other->journalled && other->sent > order->sent &&
		    other->sent <= loss->sent)
			return true;
	}
	return false;
}

/* May a power loss have taken the order's intent? The first one after it left, if what is known of the order of things
 * does not say that the intent was synced before: the journal loses its end only, so what it kept from behind the
 * intent proves that the intent was there, too. */
static bool is_excused(const struct rest *rest, const struct seen_order *order)
{
	const struct watched *watched = &rest->observer->gateway[rest->gateway];
	const struct seen_cycle *cycle = &rest->observer->seen.cycle[order->cycle];
	uint32_t i = 0;
	while (i < watched->power_losses && watched->power_loss[i].sent < order->sent)
		i++;
	if (i == watched->power_losses)
		return false;
	const struct power_loss *loss = &watched->power_loss[i];
	if (loss->durable)
		return false;
	bool opens = order->id.leg == 1 && order->id.attempt == 0 && order->id.child % 2 == 0;
	bool opened = cycle->opened_at > 0 && cycle->opened_at <= loss->synced;
	const struct cycle *kept = model_cycle(rest->model, order->id.key);
	bool closed = kept && cycle_is_final(kept) && cycle->closed_at <= loss->synced;
	/* a cycle's first intent is written together with its opening */
	return !(opens && opened) && !closed && !later_is_kept(rest, order, loss);
}

static void forgotten_check(const struct rest *rest)
{
	struct seen *seen = &rest->observer->seen;
	for (uint32_t i = 0; i < seen->orders; i++) {
		const struct seen_order *order = &seen->order[i];
		if (order->gateway != rest->gateway || order->journalled)
			continue;
		if (is_excused(rest, order))
			seen->cycle[order->cycle].forgotten = true;
		else
			observer_raise(rest->observer, "forgotten",
				       "g%u's journal has no intent of order %s of cycle %s, which left for %s (at the "
				       "venue: %s)",
				       rest->gateway, ID_TEXT(&order->id), KEY_TEXT(order->id.key),
				       seen_name_text(seen, order->market), seen_state_name(order->state));
	}
}

/* What was synced can go in no way. */
static void synced_check(const struct rest *rest)
{
	const struct watched *watched = &rest->observer->gateway[rest->gateway];
	for (uint32_t i = 0; i < watched->power_losses; i++)
		if (watched->power_loss[i].synced > rest->position)
			observer_raise(rest->observer, "forgotten",
				       "g%u's journal ends at record %llu, %llu were synced", rest->gateway,
				       (unsigned long long)rest->position,
				       (unsigned long long)watched->power_loss[i].synced);
}

/* ------------------------------------------------------------ final */

/* Is a final state what the ledger says? NULL: the order never came to the venue. A refusal may come without the venue
 * having read the order, and one that was given up may have been refused for coming late. */
static bool state_is_proven(uint8_t state, const struct seen_order *seen)
{
	uint8_t there = seen ? seen->state : SEEN_SENT;
	switch (state) {
	case ORDER_FILLED: return there == SEEN_FILLED;
	case ORDER_CANCELLED: return there == SEEN_CANCELLED;
	case ORDER_EXPIRED: return there == SEEN_EXPIRED;
	case ORDER_REJECTED:
	case ORDER_ABANDONED: return there == SEEN_REJECTED || there == SEEN_SENT;
	default: return false;
	}
}

static void state_check(const struct rest *rest, const struct order *order, const struct seen_order *seen)
{
	tg_amount filled = seen ? seen->filled : 0, qty;
	bool whole = order->state != ORDER_FILLED ||
		     (tg_amount_from_decimal(order->qty, &qty) == TG_OK && order->filled_base == qty);
	if (!state_is_proven(order->state, seen) || order->filled_base != filled || !whole)
		observer_raise(rest->observer, "final",
			       "order %s of cycle %s is %s with %s filled in g%u's journal, %s with %s at the venue",
			       order->client_id, KEY_TEXT(order->cycle->key), order_state_name(order->state),
			       AMOUNT_TEXT(order->filled_base), rest->gateway,
			       seen_state_name(seen ? seen->state : SEEN_SENT), AMOUNT_TEXT(filled));
}

/* What came to the venue is what was intended. */
static void intent_check(const struct rest *rest, const struct order *order, const struct seen_order *seen)
{
	if (!seen || seen->state == SEEN_SENT)
		return;
	char number[24];
	snprintf(number, sizeof number, "%llu", (unsigned long long)seen->number);
	if (strcmp(order->market, seen_name_text(&rest->observer->seen, seen->market)) != 0 ||
	    order->side != seen->side || tg_decimal_compare(order->price, seen->price) != 0 ||
	    tg_decimal_compare(order->qty, seen->qty) != 0)
		observer_raise(rest->observer, "final",
			       "order %s came to the venue other than g%u's journal intended it", order->client_id,
			       rest->gateway);
	if (order->exchange_id[0] && strcmp(order->exchange_id, number) != 0)
		observer_raise(rest->observer, "final", "order %s is number %s at the venue, %s in g%u's journal",
			       order->client_id, number, order->exchange_id, rest->gateway);
}

static bool fill_is_same(const struct rest *rest, const struct fill *fill, const struct seen_fill *seen)
{
	tg_amount fee;
	return tg_decimal_compare(fill->price, seen->price) == 0 && tg_decimal_compare(fill->qty, seen->qty) == 0 &&
	       tg_amount_from_decimal(fill->fee, &fee) == TG_OK && fee == seen->fee &&
	       (fee == 0 || strcmp(fill->fee_currency, seen_name_text(&rest->observer->seen, seen->fee_currency)) == 0);
}

/* How often the journal has the ledger's fill. */
static uint32_t fill_count(const struct order *order, const struct seen_fill *seen, const struct fill **ret_fill)
{
	char id[24];
	uint32_t count = 0;
	snprintf(id, sizeof id, "%llu", (unsigned long long)seen->trade);
	for (const struct fill *fill = order->fills; fill; fill = fill->next)
		if (strcmp(fill->fill_id, id) == 0) {
			*ret_fill = fill;
			count++;
		}
	return count;
}

static void fills_check(const struct rest *rest, const struct order *order, const struct seen_order *seen)
{
	uint32_t here = 0, there = seen ? seen->fill_count : 0;
	for (const struct fill *fill = order->fills; fill; fill = fill->next)
		here++;
	for (uint32_t i = seen ? seen->first_fill : SEEN_NONE; i != SEEN_NONE; i = rest->observer->seen.fill[i].next) {
		const struct seen_fill *fill = &rest->observer->seen.fill[i];
		const struct fill *ours = NULL;
		uint32_t count = fill_count(order, fill, &ours);
		if (count != 1 || !fill_is_same(rest, ours, fill))
			observer_raise(rest->observer, "final",
				       "fill %llu of order %s (fee %s %s) stands in g%u's journal %s",
				       (unsigned long long)fill->trade, order->client_id, AMOUNT_TEXT(fill->fee),
				       seen_name_text(&rest->observer->seen, fill->fee_currency), rest->gateway,
				       count == 0   ? "not at all"
				       : count == 1 ? "with other figures"
						    : "more than once");
	}
	if (here != there)
		observer_raise(rest->observer, "final", "order %s has %u fills in g%u's journal, %u at the venue",
			       order->client_id, here, rest->gateway, there);
}

static void order_check(const struct rest *rest, const struct order *order)
{
	const struct seen_order *seen = rest_seen(rest, order);
	if (!order_is_final(order)) {
		observer_raise(rest->observer, "rest", "order %s of cycle %s is still %s at g%u", order->client_id,
			       KEY_TEXT(order->cycle->key), order_state_name(order->state), rest->gateway);
		return;
	}
	intent_check(rest, order, seen);
	fills_check(rest, order, seen);
	state_check(rest, order, seen);
}

static void cycle_check(const struct rest *rest, const struct cycle *cycle)
{
	for (const struct order *order = cycle->orders; order; order = order->next)
		order_check(rest, order);
	if (!cycle_is_final(cycle))
		observer_raise(rest->observer, "rest", "cycle %s is still %s at g%u", KEY_TEXT(cycle->key),
			       cycle_state_name(cycle->state), rest->gateway);
	figures_check(rest, cycle);
}

/* ------------------------------------------------------------ the whole */

void observer_rest(struct observer *observer, uint32_t gateway, const struct disk *disk, const char *state_dir,
		   struct sim_store *store)
{
	static const struct model_options options = {.cycles = 1024, .orders = 4096, .fills = 4096, .remembers = true};
	struct rest rest = {.observer = observer, .gateway = gateway};
	if (model_create(&options, &rest.model)) {
		observer_raise(observer, "crash", "the observer is out of memory");
		return;
	}
	if (journal_fold(&rest, disk, state_dir)) {
		synced_check(&rest);
		forgotten_check(&rest);
		for (const struct cycle *cycle = model_oldest(rest.model); cycle; cycle = cycle->newer)
			cycle_check(&rest, cycle);
		if (store)
			agree_check(&rest, store);
		conduct_end(&rest);
	}
	if (observer->seen.broken)
		observer_raise(observer, "crash", "the observer is out of memory");
	model_destroy(rest.model);
}
