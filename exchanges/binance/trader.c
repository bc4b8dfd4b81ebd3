/* The trader's life, what comes in sorted out, and time. The whole on one page: trader_state.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/failure.h"
#include "exchanges/binance/trader_state.h"

#define MS 1000000

int trader_create(const struct trader_options *options, struct trader **ret_trader)
{
	struct trader *trader = calloc(1, sizeof *trader);
	if (!trader)
		return TG_ERR_NO_MEMORY;
	trader->options = *options;
	trader->wire = *options->wire;
	trader->events = *options->events;
	trader->logs_on = options->credential->algorithm == TG_SIGN_ED25519;
	trader->current = LINK_NONE;
	trader->wake_ns = INT64_MAX;
	asks_init(trader);
	*ret_trader = trader;
	return TG_OK;
}

void trader_destroy(struct trader *trader)
{
	free(trader);
}

void trader_start(struct trader *trader, struct trader_now now)
{
	assert(!trader->started);
	trader->started = true;
	trader->clock_ns = now.mono_ns + TRADER_CLOCK_NS;
	link_open(trader, 0);
}

void trader_stop(struct trader *trader)
{
	trader->started = trader->up = false;
	trader->current = LINK_NONE;
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++) {
		if (trader->link[i].phase != LINK_FREE)
			trader->wire.close(trader->wire.ctx, i);
		trader->link[i].phase = LINK_FREE;
	}
	asks_init(trader);
	trader->list.active = false;
	trader->wake_ns = INT64_MAX;
}

/* --------------------------------------------------------------- for others */

void trader_wake_at(struct trader *trader, int64_t mono_ns)
{
	if (mono_ns < trader->wake_ns)
		trader->wake_ns = mono_ns;
}

void trader_done(struct trader *trader, uint64_t token, int32_t status, const struct tg_error *error)
{
	trader->events.done(trader->events.ctx, token, status, status == TG_OK ? NULL : error);
}

const struct credential *trader_signer(const struct trader *trader)
{
	return trader->logs_on ? NULL : trader->options.credential;
}

/* The timestamp is the least that the exchange's clock can show now: then what it accepts no later than timestamp +
 * recvWindow, it accepts no later than so long from now. On its way the request loses the doubt once more, and half a
 * round trip, which is about as much. */
int32_t trader_stamp(const struct trader *trader, int64_t window_ms, int64_t mono_ns, int64_t *ret_timestamp_us,
		     struct tg_error *ret_error)
{
	const struct server_time *time = trader->options.server_time;
	int64_t unix_ns = server_time_unix_ns(time, mono_ns);
	int64_t doubt_ns = server_time_error_ns(time, mono_ns);
	if (unix_ns <= doubt_ns) /* 0: unknown; else a time from which nothing can be taken off */
		return tg_error_set(ret_error, TG_ERR_RETRYABLE, "Binance's clock is not known yet");
	if (window_ms * MS <= 3 * doubt_ns)
		return tg_error_set(ret_error, TG_ERR_RETRYABLE,
				    "Binance's clock is known to within %lld us only: that an order is not accepted "
				    "later than %lld ms from now cannot be promised",
				    (long long)doubt_ns / 1000, (long long)window_ms);
	*ret_timestamp_us = (unix_ns - doubt_ns) / 1000;
	return TG_OK;
}

int32_t trader_not_connected(const struct trader *trader, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_CLOSED,
			    trader->started ? "not connected to Binance's WebSocket API" : "stopped");
}

struct tg_str trader_symbol(const struct trader *trader, uint32_t market)
{
	const struct routes *routes = catalogue_routes(trader->options.catalogue);
	if (market >= routes->count)
		return (struct tg_str){NULL, 0};
	return (struct tg_str){routes->route[market].symbol, routes->route[market].length};
}

/* ------------------------------------------------------------------ messages */

static void limits_take(struct trader *trader, struct scan limits, int64_t mono_ns)
{
	int64_t unix_ns = server_time_unix_ns(trader->options.server_time, mono_ns);
	struct limit_told told;
	bool begun = false;
	while (list_next(&limits, &begun) > 0 && limit_read(&limits, &told) == SCAN_OK)
		if (told.kind && told.interval_ns)
			budget_told(trader->options.budget, told.kind, told.interval_ns, told.used, unix_ns);
}

static void person_warn(struct trader *trader, const char *what, const struct tg_error *error)
{
	if (trader->warned)
		return;
	trader->warned = true;
	trader->wire.warn(trader->wire.ctx, what, error);
}

/* What a refusal means beyond the request that it answers. */
static void refusal_heed(struct trader *trader, int64_t status, const struct tg_error *error, struct trader_now now)
{
	int64_t code = error->exchange_code;
	if (code == -1021) {
		server_time_doubt(trader->options.server_time);
		trader->clock_ns = now.mono_ns;
		trader->due = true;
	}
	/* -1015 is about orders alone, and rateLimits tells of them. */
	if (status == 418 || (status == 429 && code != -1015))
		budget_block(trader->options.budget, now.mono_ns + error->retry_after_ns);
	if (status == 418)
		person_warn(trader, "Binance has banned this address", error);
	if (code == -1002 || code == -1022 || code == -2014 || code == -2015)
		person_warn(trader, "Binance does not take this key", error);
}

static void answer_take(struct trader *trader, uint32_t link, const struct envelope *envelope, int64_t received_ns,
			struct trader_now now)
{
	struct ask *ask = ask_find(trader, envelope->id);
	struct tg_error error = tg_error_init();
	struct refusal refusal;
	if (!ask || ask->link != link)
		return; /* too late: it is counted as lost */
	struct answer answer = {TG_OK, envelope->result, &error, received_ns, now};
	bool changes = ask->kind == ASK_PLACE || ask->kind == ASK_CANCEL;
	if (envelope->status == 200 && envelope->result.at) {
		ask_answer(trader, ask, &answer);
		return;
	}
	if (!envelope->error.at || refusal_read(envelope->error, &refusal)) {
		ask_fail(trader, ask, "the answer cannot be read", now);
		return;
	}
	int32_t status = envelope->status > 0 && envelope->status < 1000 ? (int32_t)envelope->status : 0;
	answer.status = failure_classify(changes, status, refusal.code, refusal.text, &error);
	if (refusal.retry_ms)
		error.retry_after_ns = refusal.retry_ms * MS;
	refusal_heed(trader, status, &error, now);
	ask_answer(trader, ask, &answer);
}

static void event_take(struct trader *trader, uint32_t link, struct scan event, struct trader_now now)
{
	enum event_kind kind;
	int status = event_read(event, &kind);
	if (!status && kind == EVENT_EXECUTION)
		status = order_execution(trader, event);
	else if (!status && kind == EVENT_BALANCES)
		status = balances_tell(trader, event, true);
	else if (!status)
		link_event(trader, link, kind, now);
	if (status)
		link_restart(trader, link, "an event of the user stream cannot be read", now);
}

static void steps(struct trader *trader, struct trader_now now)
{
	trader->due = false;
	links_step(trader, now);
	list_step(trader, now);
}

void trader_message(struct trader *trader, uint32_t link, uint8_t *bytes, uint64_t count, int64_t received_ns,
		    struct trader_now now)
{
	struct envelope envelope;
	if (!trader->started || trader->link[link].phase <= LINK_OPENING)
		return;
	trader->link[link].heard_ns = received_ns;
	int status = envelope_read(bytes, count, &envelope);
	if (status) {
		link_restart(trader, link, "a message cannot be read", now);
	} else if (envelope.event.at) {
		event_take(trader, link, envelope.event, now);
	} else {
		if (envelope.limits.at)
			limits_take(trader, envelope.limits, now.mono_ns);
		if (envelope.has_id)
			answer_take(trader, link, &envelope, received_ns, now);
		else if (envelope.error.at) /* to which of ours it does not tell */
			link_restart(trader, link, "a request was not understood", now);
	}
	if (trader->due && trader->started)
		steps(trader, now);
}

/* ---------------------------------------------------------------------- time */

void trader_tick(struct trader *trader, struct trader_now now)
{
	if (!trader->started)
		return;
	trader->wake_ns = INT64_MAX;
	asks_expire(trader, now);
	if (trader->started)
		steps(trader, now);
}

int64_t trader_wake(const struct trader *trader)
{
	return trader->wake_ns;
}
