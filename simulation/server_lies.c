/* What is told of orders and is not so. An exchange contradicts itself now and then: one part of it answers before
 * another has decided. But it does not lie for good: the truth has been told before, or comes later, late at most; what
 * is asked for is always answered with the truth. Of each order one thing at most is told falsely. */
#include "simulation/server_state.h"

#define LIES 3 /* choices of what is told instead */
#define LIE_MS 3000
#define TRUTH_LATE_MS 3000

static const char *kind_text(int32_t kind)
{
	switch (kind) {
	case TG_ORDER_ACCEPTED: return "accepted";
	case TG_ORDER_CANCELLED: return "cancelled";
	case TG_ORDER_EXPIRED: return "expired";
	case TG_ORDER_FILLED: return "filled";
	default: return "rejected";
	}
}

static const char *id_of(const struct connection *connection, const struct venue_event *event)
{
	return venue_orders(connection->server->venue)->order[event->order].client_id;
}

static void event_send_later(struct connection *connection, const struct venue_event *event, int64_t delay_ms)
{
	struct server *server = connection->server;
	frames_clear(&server->frame);
	order_encode(server, &server->frame, event);
	frames_send_later(connection, &server->frame, delay_ms);
}

static void event_send(struct connection *connection, const struct venue_event *event)
{
	struct server *server = connection->server;
	frames_clear(&server->frame);
	order_encode(server, &server->frame, event);
	frames_send(connection, server->frame.bytes, server->frame.used);
}

void truth_tell(struct connection *connection, const struct venue_event *event)
{
	uint64_t random = faults_random(connection->server->options.ground->faults);
	event_send_later(connection, event, (int64_t)(random % (TRUTH_LATE_MS + 1)));
}

void end_tell_again(struct connection *connection, const struct venue_event *event)
{
	int64_t ms = 0;
	if (connection->closing || !strikes(connection->server, FAULT_END_AGAIN, connection->gateway, &ms))
		return;
	trace_fault(connection->server, FAULT_END_AGAIN, "order %s, to g%u after %lld ms", id_of(connection, event),
		    connection->gateway, (long long)ms);
	event_send_later(connection, event, ms);
}

/* What an end may be told as before it is told as it is. Cancelled and expired are not mistaken for each other: which
 * of the two words comes first is the one that counts. */
static const int32_t *lies_before(int32_t truth)
{
	static const int32_t of_filled[LIES] = {TG_ORDER_REJECTED, TG_ORDER_CANCELLED, TG_ORDER_EXPIRED},
			     of_others[LIES] = {TG_ORDER_REJECTED, TG_ORDER_FILLED, TG_ORDER_REJECTED};
	return truth == TG_ORDER_FILLED ? of_filled : of_others;
}

/* What may still be said after the end was told as it is. */
static const int32_t *lies_after(int32_t truth)
{
	static const int32_t of_filled[LIES] = {TG_ORDER_REJECTED, TG_ORDER_CANCELLED, TG_ORDER_EXPIRED},
			     of_cancelled[LIES] = {TG_ORDER_REJECTED, TG_ORDER_FILLED, TG_ORDER_EXPIRED},
			     of_expired[LIES] = {TG_ORDER_REJECTED, TG_ORDER_FILLED, TG_ORDER_CANCELLED};
	switch (truth) {
	case TG_ORDER_FILLED: return of_filled;
	case TG_ORDER_CANCELLED: return of_cancelled;
	default: return of_expired;
	}
}

/* The event with another kind, for whatever reason. */
static struct venue_event lie_of(const struct venue_event *event, int32_t kind)
{
	struct venue_event lie = *event;
	lie.order_kind = kind;
	lie.reason = REASON_NONE;
	return lie;
}

/* False at first. */
static bool lies_first(struct connection *connection, const struct venue_event *event)
{
	struct server *server = connection->server;
	int64_t choice = 0;
	if (!strikes(server, FAULT_FALSE_END, connection->gateway, &choice))
		return false;
	const struct venue_event lie = lie_of(event, lies_before(event->order_kind)[choice / LIE_MS]);
	trace_fault(server, FAULT_FALSE_END, "order %s, to g%u: %s, %lld ms before it is told that it is %s",
		    id_of(connection, event), connection->gateway, kind_text(lie.order_kind),
		    (long long)(choice % LIE_MS), kind_text(event->order_kind));
	event_send(connection, &lie);
	event_send_later(connection, event, choice % LIE_MS);
	return true;
}

/* False afterwards. */
static bool lies_last(struct connection *connection, const struct venue_event *event)
{
	struct server *server = connection->server;
	int64_t choice = 0;
	if (!strikes(server, FAULT_END_DENIED, connection->gateway, &choice))
		return false;
	const struct venue_event lie = lie_of(event, lies_after(event->order_kind)[choice / LIE_MS]);
	trace_fault(server, FAULT_END_DENIED, "order %s, to g%u: %s, %lld ms after it was told that it is %s",
		    id_of(connection, event), connection->gateway, kind_text(lie.order_kind),
		    (long long)(choice % LIE_MS), kind_text(event->order_kind));
	event_send(connection, event);
	event_send_later(connection, &lie, choice % LIE_MS);
	return true;
}

/* A refusal, and that it was none. */
static bool refusal_denied(struct connection *connection, const struct venue_event *event)
{
	static const int32_t kinds[] = {TG_ORDER_ACCEPTED, TG_ORDER_FILLED, TG_ORDER_CANCELLED, TG_ORDER_EXPIRED};
	struct server *server = connection->server;
	int64_t choice = 0;
	if (!strikes(server, FAULT_REFUSAL_DENIED, connection->gateway, &choice))
		return false;
	const struct venue_event lie = lie_of(event, kinds[choice]);
	bool first = lie.order_kind == TG_ORDER_ACCEPTED;
	trace_fault(server, FAULT_REFUSAL_DENIED, "order %s, to g%u: %s", id_of(connection, event), connection->gateway,
		    kind_text(lie.order_kind));
	event_send(connection, first ? &lie : event);
	event_send(connection, first ? event : &lie);
	return true;
}

static bool lies(struct connection *connection, const struct venue_event *event)
{
	if (event->order_kind == TG_ORDER_REJECTED)
		return refusal_denied(connection, event);
	return lies_first(connection, event) || lies_last(connection, event);
}

bool end_tell_falsely(struct connection *connection, const struct venue_event *event)
{
	if (connection->closing || !lies(connection, event))
		return false;
	connection->server->placed[event->order].belied = true;
	return true;
}
