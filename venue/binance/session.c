/* Sessions and user streams of a WebSocket API connection. */
#include <string.h>

#include "venue/binance/state.h"

static void session_write(struct call *call)
{
	const struct connection *connection = call->connection;
	struct text *out = call->result;
	text_put(out, "{");
	if (connection->session) {
		member_word(out, "apiKey", connection->session->id);
		member_number(out, "authorizedSince", connection->session_ms);
	} else {
		member_raw(out, "apiKey", "null");
		member_raw(out, "authorizedSince", "null");
	}
	member_number(out, "connectedSince", connection->opened_ms);
	text_put(out, ",\"returnRateLimits\":true");
	member_number(out, "serverTime", clock_ms(call->binance));
	member_bool(out, "userDataStream", connection->subscription_count > 0);
	text_put(out, "}");
}

/* "Only Ed25519 keys are supported for this feature" (WebSocket API, session.logon). */
bool logon_run(struct call *call)
{
	if (call->key->kind != KEY_ED25519)
		return fail(call, FAIL_HMAC_LOGON, NULL, NULL);
	call->connection->session = call->key;
	call->connection->session_ms = clock_ms(call->binance);
	session_write(call);
	return true;
}

bool session_status_run(struct call *call)
{
	session_write(call);
	return true;
}

static void subscription_drop(struct call *call, uint32_t at)
{
	struct connection *connection = call->connection;
	int32_t subscription = connection->subscription[at];
	memmove(&connection->subscription[at], &connection->subscription[at + 1],
		(--connection->subscription_count - at) * sizeof connection->subscription[0]);
	user_terminated(call->binance, connection, subscription);
}

/* Subscriptions by signature belong to no session and outlive it; ours need not tell them apart from those of one,
 * since all keys are the one account's: the session ends, and its streams with it. */
bool logout_run(struct call *call)
{
	call->connection->session = NULL;
	while (call->connection->subscription_count)
		subscription_drop(call, 0);
	session_write(call);
	return true;
}

static bool subscribe(struct call *call)
{
	struct connection *connection = call->connection;
	if (connection->subscription_count == SUBSCRIPTIONS_MAX)
		return fail(call, FAIL_UNSUPPORTED, NULL, NULL);
	int32_t subscription = connection->next_subscription++;
	connection->subscription[connection->subscription_count++] = subscription;
	text_put(call->result, "{");
	member_number(call->result, "subscriptionId", subscription);
	text_put(call->result, "}");
	return true;
}

bool user_subscribe_run(struct call *call)
{
	if (!call->connection->session)
		return fail(call, FAIL_KEY, NULL, NULL);
	return subscribe(call);
}

bool user_subscribe_signed_run(struct call *call)
{
	return subscribe(call);
}

bool user_unsubscribe_run(struct call *call)
{
	struct connection *connection = call->connection;
	int64_t wanted = -1;
	if (!parameter_number(&call->parameters, "subscriptionId", OPTIONAL, &wanted, &call->failure))
		return false;
	bool found = wanted < 0;
	for (uint32_t i = connection->subscription_count; i-- > 0;) {
		if (wanted >= 0 && connection->subscription[i] != wanted)
			continue;
		found = true;
		subscription_drop(call, i);
	}
	text_put(call->result, "{}");
	return found || fail(call, FAIL_DATA, "subscriptionId", NULL);
}

bool user_subscriptions_run(struct call *call)
{
	text_put(call->result, "[");
	for (uint32_t i = 0; i < call->connection->subscription_count; i++) {
		member_next(call->result);
		text_put(call->result, "{");
		member_number(call->result, "subscriptionId", call->connection->subscription[i]);
		text_put(call->result, "}");
	}
	text_put(call->result, "]");
	return true;
}
