/* Connections to the WebSocket API: clock, log-on, user stream, balances; then they trade. The older of two goes when
 * the younger is ready; as long as one of them carries the user stream, nothing was missed. */
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/trader_state.h"

#define GOOD_ENOUGH_NS 50000000 /* a clock within this is good for any window that is of use */

static struct link *link_at(struct trader *trader, uint32_t link)
{
	return &trader->link[link];
}

static bool carries_stream(const struct link *link)
{
	return link->phase == LINK_READY || link->phase == LINK_LEAVING || link->phase == LINK_ACCOUNT;
}

void link_open(struct trader *trader, uint32_t link)
{
	*link_at(trader, link) = (struct link){.phase = LINK_OPENING};
	trader->wire.open(trader->wire.ctx, link);
}

static void link_close(struct trader *trader, uint32_t link, struct trader_now now)
{
	link_at(trader, link)->phase = LINK_FREE;
	trader->wire.close(trader->wire.ctx, link);
	asks_fail(trader, link, "the connection was replaced by a younger one", now);
}

/* ------------------------------------------------------------------- losing */

/* A link that goes on trading in the place of a lost one: it has the user stream, so there is no hole. */
static uint32_t link_heir(const struct trader *trader, uint32_t lost)
{
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++)
		if (i != lost && (trader->link[i].phase == LINK_READY || trader->link[i].phase == LINK_LEAVING))
			return i;
	return LINK_NONE;
}

static void go_down(struct trader *trader, const struct tg_error *reason, struct trader_now now)
{
	trader->up = false;
	balances_forget(trader);
	asks_fail(trader, LINK_NONE, "the connection to Binance was lost", now);
	list_end(trader, TG_ERR_RETRYABLE, reason);
	trader->wire.up(trader->wire.ctx, false, reason);
}

/* The phase that it falls back to is set before anybody hears of it: whoever is told may call at once. */
static void link_fall(struct trader *trader, uint32_t link, enum link_phase phase, const struct tg_error *reason,
		      struct trader_now now)
{
	struct link *lost = link_at(trader, link);
	lost->phase = phase;
	lost->asked = false;
	if (trader->current == link)
		trader->current = link_heir(trader, link);
	if (trader->current != LINK_NONE)
		link_at(trader, trader->current)->phase = LINK_READY;
	trader->due = true;
	trader_wake_at(trader, now.mono_ns);
	asks_fail(trader, link, reason->message, now);
	if (trader->up && trader->current == LINK_NONE)
		go_down(trader, reason, now);
}

void link_lost(struct trader *trader, uint32_t link, const struct tg_error *reason, struct trader_now now)
{
	bool leaving = link_at(trader, link)->phase == LINK_LEAVING;
	link_fall(trader, link, leaving ? LINK_FREE : LINK_OPENING, reason, now);
	if (leaving && trader->started)
		trader->wire.close(trader->wire.ctx, link);
}

void link_restart(struct trader *trader, uint32_t link, const char *why, struct trader_now now)
{
	struct tg_error error = tg_error_init();
	bool leaving = link_at(trader, link)->phase == LINK_LEAVING;
	tg_error_set(&error, TG_ERR_IO, "%s", why);
	link_lost(trader, link, &error, now);
	if (!leaving && trader->started)
		trader->wire.restart(trader->wire.ctx, link);
}

void trader_opened(struct trader *trader, uint32_t link, struct trader_now now)
{
	struct link *opened = link_at(trader, link);
	struct tg_error error = tg_error_init();
	if (!trader->started || opened->phase == LINK_FREE)
		return;
	if (opened->phase > LINK_OPENING) {
		tg_error_set(&error, TG_ERR_IO, "the connection to Binance was lost");
		link_lost(trader, link, &error, now);
	}
	*opened = (struct link){.phase = LINK_CLOCK, .opened_ns = now.mono_ns, .heard_ns = now.mono_ns};
	links_step(trader, now);
}

void trader_closed(struct trader *trader, uint32_t link, const struct tg_error *reason, struct trader_now now)
{
	struct tg_error unsaid = tg_error_init();
	if (!trader->started || link_at(trader, link)->phase <= LINK_OPENING)
		return; /* known already */
	tg_error_set(&unsaid, TG_ERR_IO, "the connection to Binance was lost");
	link_lost(trader, link, reason ? reason : &unsaid, now);
}

/* ------------------------------------------------------------------ starting */

static void link_ready(struct trader *trader, uint32_t link, struct trader_now now)
{
	link_at(trader, link)->phase = LINK_READY;
	if (trader->current != LINK_NONE && trader->current != link) {
		struct link *old = link_at(trader, trader->current);
		old->phase = LINK_LEAVING;
		old->leave_ns = now.mono_ns + TRADER_OVERLAP_NS;
	}
	trader->current = link;
	trader->due = true;
	if (trader->up)
		return;
	trader->up = true;
	trader->warned = false;
	trader->wire.up(trader->wire.ctx, true, NULL);
}

static const char *const METHODS[] = {
	[ASK_CLOCK] = "time",
	[ASK_LOGON] = "session.logon",
	[ASK_SUBSCRIBE] = "userDataStream.subscribe",
	[ASK_ACCOUNT] = "account.status",
};
static const int64_t WEIGHTS[] = {[ASK_CLOCK] = 1, [ASK_LOGON] = 2, [ASK_SUBSCRIBE] = 2, [ASK_ACCOUNT] = 20};

/* Whether the request has to be signed or, in a session, to carry its time. */
static bool is_signed(const struct trader *trader, enum ask_kind kind)
{
	return kind == ASK_LOGON || kind == ASK_ACCOUNT || (kind == ASK_SUBSCRIBE && !trader->logs_on);
}

static void step_write(struct trader *trader, const struct ask *ask, int64_t timestamp_us)
{
	struct request *request = &trader->request;
	bool signs = is_signed(trader, ask->kind);
	const struct credential *signer = ask->kind == ASK_LOGON ? trader->options.credential
					  : signs                ? trader_signer(trader)
								 : NULL;
	const char *method = METHODS[ask->kind];
	if (ask->kind == ASK_SUBSCRIBE && signs)
		method = "userDataStream.subscribe.signature";
	request_begin(request, ask_id(trader, ask), method, signer);
	if (!signs)
		return;
	request_number(request, "recvWindow", trader->options.recv_window_ms);
	request_number(request, "timestamp", timestamp_us);
}

/* Send one of the link's own requests. A wait that the error tells of, or TG_OK. */
static int32_t step_send(struct trader *trader, uint32_t link, enum ask_kind kind, struct trader_now now,
			 struct tg_error *error)
{
	int64_t timestamp_us = 0;
	int32_t status = TG_OK;
	if (is_signed(trader, kind))
		status = trader_stamp(trader, trader->options.recv_window_ms, now.mono_ns, &timestamp_us, error);
	if (status)
		return status;
	if (!budget_ok(trader, BUDGET_RESCUE, WEIGHTS[kind], now, error))
		return error->code;
	struct ask *ask = ask_take(trader, kind, link, now);
	if (!ask)
		return tg_error_set(error, TG_ERR_LIMIT, "too many requests are under way");
	step_write(trader, ask, timestamp_us);
	return ask_send(trader, ask, error);
}

/* Not before then; each time twice as long. */
static void link_wait(struct trader *trader, struct link *link, const struct tg_error *error, struct trader_now now)
{
	link->patience_ns = link->patience_ns ? 2 * link->patience_ns : TRADER_RETRY_NS;
	if (link->patience_ns > TRADER_RETRY_MAX_NS)
		link->patience_ns = TRADER_RETRY_MAX_NS;
	int64_t wait = error->retry_after_ns > link->patience_ns ? error->retry_after_ns : link->patience_ns;
	link->retry_ns = now.mono_ns + wait;
	trader_wake_at(trader, link->retry_ns);
}

static void link_refused(struct trader *trader, struct link *link, const struct tg_error *error, struct trader_now now)
{
	if (trader->logs_on && error->code == TG_ERR_AUTH && link->phase > LINK_LOGON)
		link->phase = LINK_LOGON; /* the session is over */
	link_wait(trader, link, error, now);
}

static enum ask_kind ask_of(enum link_phase phase)
{
	switch (phase) {
	case LINK_CLOCK: return ASK_CLOCK;
	case LINK_LOGON: return ASK_LOGON;
	case LINK_SUBSCRIBE: return ASK_SUBSCRIBE;
	default: return ASK_ACCOUNT;
	}
}

static void link_step(struct trader *trader, uint32_t index, struct trader_now now)
{
	struct link *link = link_at(trader, index);
	struct tg_error error = tg_error_init();
	bool starting = link->phase >= LINK_CLOCK && link->phase <= LINK_ACCOUNT;
	if (!starting || link->asked)
		return;
	if (link->retry_ns > now.mono_ns) {
		trader_wake_at(trader, link->retry_ns);
		return;
	}
	if (link->phase != LINK_CLOCK && !trader->options.server_time->known)
		link->phase = LINK_CLOCK; /* it was doubted meanwhile */
	if (step_send(trader, index, ask_of(link->phase), now, &error) == TG_OK)
		link->asked = true;
	else
		link_wait(trader, link, &error, now);
}

static void link_advance(struct trader *trader, uint32_t index, struct trader_now now)
{
	struct link *link = link_at(trader, index);
	const struct server_time *time = trader->options.server_time;
	link->patience_ns = 0;
	trader->due = true;
	switch (link->phase) {
	case LINK_CLOCK:
		if (++link->readings < TRADER_READINGS && time->last.error_ns > GOOD_ENOUGH_NS)
			return;
		link->phase = trader->logs_on ? LINK_LOGON : LINK_SUBSCRIBE;
		return;
	case LINK_LOGON: link->phase = LINK_SUBSCRIBE; return;
	case LINK_SUBSCRIBE: link->phase = LINK_ACCOUNT; return;
	case LINK_ACCOUNT: link_ready(trader, index, now); return;
	default: return;
	}
}

/* ------------------------------------------------------------------- answers */

static void clock_take(struct trader *trader, const struct ask *ask, const struct answer *answer)
{
	int64_t server_ms;
	if (time_member(answer->result, "serverTime", &server_ms) || server_ms == 0)
		return;
	/* Set right by more than both readings may be off: times of before mean nothing beside those of now. */
	if (server_time_read(trader->options.server_time, ask->sent_ns, answer->received_ns, server_ms * 1000000))
		balances_forget(trader);
}

static bool result_take(struct trader *trader, const struct ask *ask, const struct answer *answer)
{
	switch (ask->kind) {
	case ASK_CLOCK: clock_take(trader, ask, answer); return trader->options.server_time->known;
	case ASK_ACCOUNT: return balances_tell(trader, answer->result, false) == SCAN_OK;
	default: return true;
	}
}

void link_answer(struct trader *trader, const struct ask *ask, const struct answer *answer)
{
	struct link *link = link_at(trader, ask->link);
	bool of_phase = link->asked && ask_of(link->phase) == ask->kind && link->phase <= LINK_ACCOUNT;
	struct tg_error unread = tg_error_init();
	const struct tg_error *error = answer->error;
	bool good = answer->status == TG_OK;
	if (ask->kind == ASK_CLOCK)
		trader->clock_asked = false;
	if (good && !result_take(trader, ask, answer)) {
		good = false;
		tg_error_set(&unread, TG_ERR_IO, "an answer cannot be read");
		error = &unread;
	}
	trader->due = true;
	if (!of_phase)
		return;
	link->asked = false;
	if (good || error->exchange_code == -2035) /* "SUBSCRIPTION_ACTIVE": what was wanted is so */
		link_advance(trader, ask->link, answer->now);
	else
		link_refused(trader, link, error, answer->now);
}

void link_event(struct trader *trader, uint32_t index, enum event_kind kind, struct trader_now now)
{
	struct link *link = link_at(trader, index);
	struct tg_error error = tg_error_init();
	switch (kind) {
	case EVENT_SHUTDOWN:
		link->ends = true;
		trader->due = true;
		break;
	case EVENT_LOCK: trader->refresh = trader->due = true; break;
	case EVENT_TERMINATED:
		if (!carries_stream(link))
			break;
		tg_error_set(&error, TG_ERR_IO, "Binance ended the user stream");
		if (link->phase == LINK_LEAVING)
			link_close(trader, index, now);
		else
			link_fall(trader, index, trader->logs_on ? LINK_LOGON : LINK_SUBSCRIBE, &error, now);
		break;
	default: break;
	}
}

/* ---------------------------------------------------------------------- time */

static void succession_step(struct trader *trader, struct trader_now now)
{
	if (trader->current == LINK_NONE)
		return;
	const struct link *link = link_at(trader, trader->current);
	uint32_t other = 1 - trader->current;
	int64_t end = link->opened_ns + TRADER_LIFE_NS;
	bool due = link->ends || end <= now.mono_ns;
	if (due && link_at(trader, other)->phase == LINK_FREE)
		link_open(trader, other);
	if (!due)
		trader_wake_at(trader, end);
}

static void leaving_step(struct trader *trader, uint32_t index, struct trader_now now)
{
	const struct link *link = link_at(trader, index);
	if (link->phase != LINK_LEAVING)
		return;
	if (link->leave_ns > now.mono_ns)
		trader_wake_at(trader, link->leave_ns);
	else if (!asks_any(trader, index)) /* their answers or their deadlines come */
		link_close(trader, index, now);
}

/* Read again now and then, at once when it is doubted; and whether the balances have to be asked for. */
static void upkeep_step(struct trader *trader, struct trader_now now)
{
	struct tg_error error = tg_error_init();
	if (trader->current == LINK_NONE)
		return;
	bool due = trader->clock_ns <= now.mono_ns || !trader->options.server_time->known;
	if (due && !trader->clock_asked) {
		trader->clock_asked = step_send(trader, trader->current, ASK_CLOCK, now, &error) == TG_OK;
		trader->clock_ns = now.mono_ns + (trader->clock_asked ? TRADER_CLOCK_NS : TRADER_RETRY_NS);
	}
	if (!trader->clock_asked)
		trader_wake_at(trader, trader->clock_ns);
	if (trader->refresh && step_send(trader, trader->current, ASK_ACCOUNT, now, &error) == TG_OK)
		trader->refresh = false;
}

void links_step(struct trader *trader, struct trader_now now)
{
	for (uint32_t i = 0; i < TRADER_LINKS_MAX; i++) {
		link_step(trader, i, now);
		leaving_step(trader, i, now);
	}
	succession_step(trader, now);
	upkeep_step(trader, now);
}
