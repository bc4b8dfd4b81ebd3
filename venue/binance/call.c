/* One request on its way: ban and weight, key, time, signature, parameters, and then what the endpoint does. */
#include <stdio.h>
#include <string.h>

#include "venue/binance/state.h"

#define WINDOW_DEFAULT_US 5000000
#define WINDOW_MOST "60000"
#define AHEAD_US 1000000
#define MICROSECONDS_FROM \
	INT64_C(1000000000000000) /* a timestamp this large is in us: in ms it would be the year 33658 */

int64_t clock_ms(const struct binance *binance)
{
	return wire_ms(binance, venue_time_ns(binance->venue, binance->unix_ns));
}

int64_t wire_ms(const struct binance *binance, int64_t venue_ns)
{
	return venue_ns / 1000000 + binance->skew_ms;
}

bool fail(struct call *call, enum failure_kind kind, const char *a, const char *b)
{
	return failure_set(&call->failure, kind, a, b);
}

static const char *security_parameters(const struct call *call)
{
	if (call->endpoint->security == PUBLIC)
		return call->connection ? " returnRateLimits" : "";
	return call->connection ? " apiKey timestamp recvWindow signature returnRateLimits"
				: " timestamp recvWindow signature";
}

static bool names_check(struct call *call)
{
	char allowed[256];
	const char *security = security_parameters(call);
	snprintf(allowed, sizeof allowed, "%s%s", call->endpoint->allowed,
		 security + (!call->endpoint->allowed[0] && *security));
	return parameters_known(&call->parameters, allowed, &call->failure);
}

/* --------------------------------------------------------------- weight */

static bool weigh(struct call *call)
{
	struct binance *binance = call->binance;
	char limit[24], until[24];
	int64_t now = clock_ms(binance);
	int64_t weight = call->endpoint->weigh ? call->endpoint->weigh(call) : call->endpoint->weight;
	struct quota_peer *peer = quota_peer(&binance->quota, call->address, now);
	switch (quota_spend(&binance->quota, peer, weight, now, &call->retry_ms)) {
	case QUOTA_FREE: return true;
	case QUOTA_SLOW:
		snprintf(limit, sizeof limit, "%lld", (long long)binance->quota.limits.weight_minute);
		return fail(call, FAIL_WEIGHT, limit, "1 MINUTE");
	case QUOTA_BANNED: break;
	}
	now += call->retry_ms;
	snprintf(until, sizeof until, "%lld", (long long)now);
	return fail(call, FAIL_BANNED, until, NULL);
}

/* -------------------------------------------------------------- security */

static bool key_check(struct call *call)
{
	bool has_session = call->connection && call->connection->session && !call->api_key.len;
	if (has_session) {
		call->key = call->connection->session;
		return true;
	}
	if (!key_id_is_sane(call->api_key))
		return fail(call, FAIL_KEY_FORMAT, NULL, NULL);
	call->key = api_key_find(&call->binance->options.keys, call->api_key);
	if (!call->key || (call->endpoint->security == TRADE && !call->key->trades))
		return fail(call, FAIL_KEY, NULL, NULL);
	return true;
}

/* recvWindow: milliseconds, at most 60000, with up to three decimals. */
static bool window_take(struct call *call, int64_t *ret_us)
{
	struct tg_decimal window = {0, 0, 0};
	*ret_us = WINDOW_DEFAULT_US;
	if (!parameters_get(&call->parameters, "recvWindow").ptr)
		return true;
	if (!parameter_decimal(&call->parameters, "recvWindow", OPTIONAL, &window, &call->failure))
		return false;
	if (tg_decimal_rescale(window, 3, ret_us) != TG_OK)
		return fail(call, FAIL_DATA, "recvWindow", NULL);
	if (*ret_us > 60000000)
		return fail(call, FAIL_TOO_GREAT, "recvWindow", WINDOW_MOST);
	return true;
}

/* "timestamp < serverTime + 1 second && serverTime - timestamp <= recvWindow" (REST API, Timing security). */
static bool time_check(struct call *call)
{
	const struct binance *binance = call->binance;
	int64_t stamp = 0, window = 0;
	int64_t now = venue_time_ns(binance->venue, binance->unix_ns) / 1000 + binance->skew_ms * 1000;
	if (!parameter_number(&call->parameters, "timestamp", MANDATORY, &stamp, &call->failure) ||
	    !window_take(call, &window))
		return false;
	if (stamp < MICROSECONDS_FROM)
		stamp *= 1000;
	if (stamp >= now + AHEAD_US)
		return fail(call, FAIL_TIMESTAMP_EARLY, NULL, NULL);
	return now - stamp <= window || fail(call, FAIL_TIMESTAMP_LATE, NULL, NULL);
}

static bool signature_check(struct call *call)
{
	if (call->connection && call->key == call->connection->session && !call->signature.len)
		return true;
	if (!call->signature.len)
		return fail(call, FAIL_MANDATORY, "signature", NULL);
	if (call->payload.failed)
		return fail(call, FAIL_DISCONNECTED, NULL, NULL);
	if (!call->payload_is_clean || !key_verify(call->key, text_str(&call->payload), call->signature))
		return fail(call, FAIL_SIGNATURE, NULL, NULL);
	return true;
}

static bool security_check(struct call *call)
{
	if (call->endpoint->security == PUBLIC)
		return true;
	return key_check(call) && time_check(call) && signature_check(call);
}

void call_run(struct call *call)
{
	if (weigh(call) && security_check(call) && names_check(call) && call->endpoint->run(call) &&
	    call->result->failed)
		fail(call, FAIL_DISCONNECTED, NULL, NULL);
}

/* --------------------------------------------------------------- symbols */

#define SYMBOL_RANGE "^[\\\\w\\\\-._&&[^a-z]]{1,50}$"

const struct symbol *call_symbol(struct call *call, const char *name, enum need need)
{
	struct tg_str text = {0};
	if (!parameter_text(&call->parameters, name, need, &text, &call->failure) || !text.ptr)
		return NULL;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool legal =
			(c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c > 127;
		if (!legal || text.len > 50) {
			fail(call, FAIL_ILLEGAL, name, SYMBOL_RANGE);
			return NULL;
		}
	}
	const struct symbol *symbol = symbols_find(&call->binance->symbols, text);
	if (!symbol)
		fail(call, FAIL_SYMBOL, NULL, NULL);
	return symbol;
}
