/* How a gateway went about its cycles. While it happens: what it had been shown of the markets when a cycle's first
 * order left, and which orders left before the one before them had come to its end. At rest, record by record: a cycle
 * is opened on quotes that can be true; its orders are made one after the other, of no more than what it holds. */
#include "simulation/observer_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MS INT64_C(1000000)

/* ------------------------------------------------------------ quotes, while it happens */

/* Two sends may come to a gateway in one piece, and it acts on the second before it is heard of here. */
static void stale_withdraw(struct observer *observer, uint32_t gateway, uint32_t market, int64_t now_ns)
{
	for (uint32_t i = observer->stales; i > 0 && observer->stale[i - 1].opened_ns == now_ns; i--) {
		struct stale *stale = &observer->stale[i - 1];
		stale->withdrawn |= stale->gateway == gateway && stale->market == market;
	}
}

void observer_booked(struct observer *observer, uint32_t gateway, const char *symbol)
{
	struct told *told = told_at(observer, gateway, symbol);
	int64_t now_ns = ground_ns(observer->options.ground) + 1;
	if (!told)
		return;
	told->booked_ns = now_ns;
	stale_withdraw(observer, gateway, (uint32_t)(told - observer->gateway[gateway].told), now_ns);
}

void observer_connected(struct observer *observer, uint32_t gateway)
{
	struct watched *watched = &observer->gateway[gateway];
	for (uint32_t name = 0; name < watched->told_room; name++)
		watched->told[name].booked_ns = 0;
}

static void stale_add(struct observer *observer, struct seen_cycle *cycle, const struct stale *stale)
{
	if (!observer_room(observer, (void **)&observer->stale, &observer->stale_room, observer->stales,
			   sizeof *observer->stale))
		return;
	if (cycle->stales == 0)
		cycle->first_stale = observer->stales;
	observer->stale[observer->stales++] = *stale;
	cycle->stales++;
}

/* Which markets the cycle trades its journal will tell: all are kept that it must not trade. A book's age is counted
 * from the last that was heard of it, true or not, so that none is taken for older than the gateway can know. */
void conduct_opening(struct observer *observer, uint32_t gateway, uint32_t cycle)
{
	const struct watched *watched = &observer->gateway[gateway];
	int64_t most_ns = observer->options.gateway[gateway].strategy->max_quote_age_ms * MS;
	int64_t now_ns = ground_ns(observer->options.ground) + 1;
	for (uint32_t name = 0; name < watched->told_room; name++) {
		const struct told *told = &watched->told[name];
		bool is_known = told->booked_ns > 0;
		int64_t age_ns = now_ns - told->booked_ns;
		struct stale stale = {
			.gateway = gateway, .market = name, .opened_ns = now_ns, .age_ns = is_known ? age_ns : -1};
		if (told->is_market && (!is_known || (most_ns > 0 && age_ns > most_ns)))
			stale_add(observer, &observer->seen.cycle[cycle], &stale);
	}
}

/* ------------------------------------------------------------ orders, while it happens */

/* An order has left: may one before it still trade? */
void conduct_sent(struct observer *observer, struct seen_order *order)
{
	struct seen_cycle *cycle = &observer->seen.cycle[order->cycle];
	struct seen_order *last = cycle->last_sent == SEEN_NONE ? NULL : &observer->seen.order[cycle->last_sent];
	if (last && last->state == SEEN_OPEN)
		last->overtaken = true;
	cycle->last_sent = (uint32_t)(order - observer->seen.order);
}

/* An order was accepted: had its cycle's next one left by then? */
void conduct_accepted(struct observer *observer, struct seen_order *order)
{
	uint32_t last = observer->seen.cycle[order->cycle].last_sent;
	if (order->sent > 0 && last != SEEN_NONE && observer->seen.order[last].sent > order->sent)
		order->overtaken = true;
}

/* A power loss may have taken an order's intent, and then the next one left in good faith. */
static void overtaken_check(const struct rest *rest)
{
	const struct seen *seen = &rest->observer->seen;
	for (uint32_t i = 0; i < seen->orders; i++) {
		const struct seen_order *order = &seen->order[i];
		if (order->gateway == rest->gateway && order->overtaken && order->journalled)
			observer_raise(
				rest->observer, "alone",
				"order %s of g%u came to the venue and was taken when the cycle's next one had left",
				ID_TEXT(&order->id), rest->gateway);
	}
}

/* ------------------------------------------------------------ at rest */

/* Told after all that the ledger has to say, for it may follow from that. */
__attribute__((format(printf, 3, 4))) static void conduct_raise(struct rest *rest, const char *check,
								const char *format, ...)
{
	if (rest->conduct.check[0])
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(rest->conduct.text, sizeof rest->conduct.text, format, args);
	va_end(args);
	snprintf(rest->conduct.check, sizeof rest->conduct.check, "%s", check);
}

static void quotes_check(struct rest *rest, const struct cycle *cycle, const struct seen_cycle *seen)
{
	const struct observer *observer = rest->observer;
	for (uint32_t i = seen->first_stale; i < seen->first_stale + seen->stales; i++) {
		const struct stale *stale = &observer->stale[i];
		const char *market = seen_name_text(&observer->seen, stale->market);
		for (uint32_t leg = 0; leg < cycle->legs; leg++)
			if (!stale->withdrawn && strcmp(cycle->leg[leg].market, market) == 0)
				conduct_raise(rest, "gate",
					      "cycle %s of g%u was opened on %s, whose last book %s%lld ms ago",
					      KEY_TEXT(cycle->key), rest->gateway, market,
					      stale->age_ns < 0 ? "it has not seen since it connected: " : "came ",
					      (long long)(stale->age_ns / MS));
	}
}

/* By the gateway's own figure, which has the fees in it that are paid in a currency of their own. */
static void profit_check(struct rest *rest, const struct cycle *cycle)
{
	int64_t most_bps_e6 = rest_config(rest)->strategy->max_profit_bps_e6;
	if (cycle->net_bps_e6 > most_bps_e6)
		conduct_raise(
			rest, "gate", "cycle %s of g%u was opened for %lld millionths of a bps, %lld are the most",
			KEY_TEXT(cycle->key), rest->gateway, (long long)cycle->net_bps_e6, (long long)most_bps_e6);
}

static void opening_check(struct rest *rest, const struct cycle *cycle)
{
	struct seen *seen = &rest->observer->seen;
	uint32_t at = cycle ? seen_cycle(seen, (uint8_t)rest->gateway, cycle->key) : SEEN_NONE;
	if (at == SEEN_NONE)
		return;
	quotes_check(rest, cycle, &seen->cycle[at]);
	profit_check(rest, cycle);
}

static bool is_cost_held(const struct cycle *cycle, const struct order *order)
{
	const struct record_leg *leg = &cycle->leg[order->leg];
	const char *currency = order->unwind ? leg->to : leg->from;
	tg_amount cost;
	int32_t status = order->side == TG_SIDE_BUY ? tg_amount_product(order->price, order->qty, &cost)
						    : tg_amount_from_decimal(order->qty, &cost);
	for (uint32_t i = 0; i < cycle->holdings && status == TG_OK; i++)
		if (strcmp(cycle->holding[i].currency, currency) == 0)
			return cost <= cycle->holding[i].amount;
	return false;
}

/* The order that was intended last, in the light of what the journal had until then. */
static void intent_check(struct rest *rest, const struct cycle *cycle)
{
	const struct order *order = cycle->last_order;
	for (const struct order *before = cycle->orders; before != order; before = before->next)
		if (!order_is_final(before))
			conduct_raise(rest, "alone",
				      "g%u intends order %s of cycle %s while order %s is %s, by its own journal",
				      rest->gateway, order->client_id, KEY_TEXT(cycle->key), before->client_id,
				      order_state_name(before->state));
	bool begins = order->leg == 0 && !order->unwind;
	if (!begins && !is_cost_held(cycle, order))
		conduct_raise(rest, "holding", "g%u intends order %s of more than cycle %s holds, by its own journal",
			      rest->gateway, order->client_id, KEY_TEXT(cycle->key));
}

/* What the gateway knows by itself, whatever the venue may say. */
static void not_sent_check(struct rest *rest, const char *client_id)
{
	struct client_id id;
	bool parsed = client_id_parse((struct tg_str){client_id, TG_CLIENT_ID_LEN}, &id);
	uint32_t at = parsed ? seen_order_find(&rest->observer->seen, &id) : SEEN_NONE;
	if (at != SEEN_NONE && rest->observer->seen.order[at].sent > 0)
		conduct_raise(rest, "final", "order %.32s never left by g%u's journal, it was seen to leave", client_id,
			      rest->gateway);
}

void conduct_note(struct rest *rest, const struct journal_entry *entry)
{
	const struct record_order_event *event = entry->payload;
	const struct cycle *cycle;
	switch (entry->type) {
	case RECORD_CYCLE_OPEN:
		opening_check(rest, model_cycle(rest->model, ((const struct record_cycle_open *)entry->payload)->key));
		break;
	case RECORD_ORDER_INTENT:
		cycle = model_cycle(rest->model, ((const struct record_order_intent *)entry->payload)->key);
		if (cycle && cycle->last_order)
			intent_check(rest, cycle);
		break;
	case RECORD_ORDER_EVENT:
		if (event->event == ORDER_EVENT_NOT_SENT)
			not_sent_check(rest, event->client_id);
		break;
	default: break;
	}
}

void conduct_end(const struct rest *rest)
{
	overtaken_check(rest);
	if (rest->conduct.check[0])
		observer_raise(rest->observer, rest->conduct.check, "%s", rest->conduct.text);
}
