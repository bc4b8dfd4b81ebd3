/* Requests under way: a bounded table. The id on the wire names the slot and its turn, so that a late answer to an
 * earlier request is known as one. */
#include <assert.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/trader_state.h"

void asks_init(struct trader *trader)
{
	trader->ask_free_count = 0;
	for (uint32_t i = TRADER_ASKS_MAX; i-- > 0;) {
		trader->ask[i].live = false;
		trader->ask_free[trader->ask_free_count++] = i;
	}
}

static uint32_t slot_of(const struct trader *trader, const struct ask *ask)
{
	return (uint32_t)(ask - trader->ask);
}

uint64_t ask_id(const struct trader *trader, const struct ask *ask)
{
	return ask->turn * TRADER_ASKS_MAX + slot_of(trader, ask);
}

struct ask *ask_take(struct trader *trader, enum ask_kind kind, uint32_t link, struct trader_now now)
{
	if (trader->ask_free_count == 0)
		return NULL;
	struct ask *ask = &trader->ask[trader->ask_free[--trader->ask_free_count]];
	ask->live = true;
	ask->listed = false;
	ask->kind = kind;
	ask->link = link;
	ask->turn++;
	ask->token = 0;
	ask->sent_ns = now.mono_ns;
	ask->deadline_ns = now.mono_ns + trader->options.answer_ms * 1000000;
	return ask;
}

struct ask *ask_find(struct trader *trader, uint64_t id)
{
	struct ask *ask = &trader->ask[id % TRADER_ASKS_MAX];
	return ask->live && ask->turn == id / TRADER_ASKS_MAX ? ask : NULL;
}

void ask_release(struct trader *trader, struct ask *ask)
{
	assert(ask->live);
	ask->live = false;
	trader->ask_free[trader->ask_free_count++] = slot_of(trader, ask);
}

int32_t ask_send(struct trader *trader, struct ask *ask, struct tg_error *ret_error)
{
	struct request *request = &trader->request;
	int32_t status = request_end(request);
	if (status == TG_OK)
		status = trader->wire.send(trader->wire.ctx, ask->link, (const uint8_t *)request->text, request->used);
	if (status == TG_OK) {
		trader_wake_at(trader, ask->deadline_ns);
		return TG_OK;
	}
	ask_release(trader, ask);
	return tg_error_set(ret_error, status, "nothing was sent to Binance: %s", tg_status_text(status));
}

bool budget_ok(struct trader *trader, enum budget_use use, int64_t weight, struct trader_now now,
	       struct tg_error *ret_error)
{
	int64_t wait_ns = 0;
	int64_t unix_ns = server_time_unix_ns(trader->options.server_time, now.mono_ns);
	if (budget_take(trader->options.budget, use, weight, unix_ns, now.mono_ns, &wait_ns))
		return true;
	tg_error_set(ret_error, TG_ERR_RATE_LIMITED, "Binance's limits leave no room for %lld ms",
		     (long long)(wait_ns / 1000000));
	if (ret_error)
		ret_error->retry_after_ns = wait_ns;
	return false;
}

/* ------------------------------------------------------------------ answers */

void ask_answer(struct trader *trader, struct ask *ask, const struct answer *answer)
{
	struct ask answered = *ask; /* whoever hears of it may send the next request from there */
	ask_release(trader, ask);
	switch (answered.kind) {
	case ASK_CLOCK:
	case ASK_LOGON:
	case ASK_SUBSCRIBE:
	case ASK_ACCOUNT: link_answer(trader, &answered, answer); break;
	case ASK_PLACE:
	case ASK_CANCEL: order_answer(trader, &answered, answer); break;
	default: lookup_answer(trader, &answered, answer); break;
	}
}

/* Whatever places or cancels may have happened all the same; whatever asks can be asked again. */
void ask_fail(struct trader *trader, struct ask *ask, const char *why, struct trader_now now)
{
	struct tg_error error = tg_error_init();
	bool changes = ask->kind == ASK_PLACE || ask->kind == ASK_CANCEL;
	struct answer answer = {.error = &error, .now = now};
	answer.status = tg_error_set(&error, changes ? TG_ERR_UNKNOWN_OUTCOME : TG_ERR_RETRYABLE, "%s", why);
	ask_answer(trader, ask, &answer);
}

void asks_fail(struct trader *trader, uint32_t link, const char *why, struct trader_now now)
{
	for (uint32_t i = 0; i < TRADER_ASKS_MAX; i++)
		if (trader->ask[i].live && (link == LINK_NONE || trader->ask[i].link == link))
			ask_fail(trader, &trader->ask[i], why, now);
}

bool asks_any(const struct trader *trader, uint32_t link)
{
	for (uint32_t i = 0; i < TRADER_ASKS_MAX; i++)
		if (trader->ask[i].live && trader->ask[i].link == link)
			return true;
	return false;
}

/* Silence: one request may have been lost on its way; if nothing at all was heard since it was sent, the link is deaf.
 * A link's own requests are its life. */
void asks_expire(struct trader *trader, struct trader_now now)
{
	for (uint32_t i = 0; i < TRADER_ASKS_MAX; i++) {
		struct ask *ask = &trader->ask[i];
		if (!ask->live)
			continue;
		if (ask->deadline_ns > now.mono_ns) {
			trader_wake_at(trader, ask->deadline_ns);
			continue;
		}
		if (trader->link[ask->link].heard_ns <= ask->sent_ns || ask->kind <= ASK_ACCOUNT)
			link_restart(trader, ask->link, "no answer in time", now);
		else
			ask_fail(trader, ask, "no answer in time", now);
	}
}
