/* Balances: asked for, and told by the user stream. What is older than what was told of an asset is left out. */
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/trader_state.h"

#define ACCOUNT_WEIGHT 20

int32_t trader_balances(struct trader *trader, uint64_t token, struct trader_now now, struct tg_error *ret_error)
{
	int64_t timestamp_us, window_ms = trader->options.recv_window_ms;
	if (trader->current == LINK_NONE)
		return trader_not_connected(trader, ret_error);
	int32_t status = trader_stamp(trader, window_ms, now.mono_ns, &timestamp_us, ret_error);
	if (status != TG_OK)
		return status;
	if (!budget_ok(trader, BUDGET_RESCUE, ACCOUNT_WEIGHT, now, ret_error))
		return TG_ERR_RATE_LIMITED;
	struct ask *ask = ask_take(trader, ASK_BALANCES, trader->current, now);
	if (!ask)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "too many requests to Binance are under way");
	ask->token = token;
	request_begin(&trader->request, ask_id(trader, ask), "account.status", trader_signer(trader));
	request_number(&trader->request, "recvWindow", window_ms);
	request_number(&trader->request, "timestamp", timestamp_us);
	status = ask_send(trader, ask, ret_error);
	return status == TG_OK ? TG_PENDING : status;
}

void balances_forget(struct trader *trader)
{
	for (uint32_t i = 0; i < TRADER_ASSETS_MAX; i++)
		trader->age[i].time_ms = 0;
}

/* Its place, or the free one where it belongs; NULL: the table is full, or the name too long. */
static struct asset_age *age_of(struct trader *trader, struct tg_str asset)
{
	uint32_t hash = 2166136261U; /* FNV-1a */
	if (asset.len == 0 || asset.len >= BINANCE_ASSET_MAX)
		return NULL;
	for (uint64_t i = 0; i < asset.len; i++)
		hash = (hash ^ (uint8_t)asset.ptr[i]) * 16777619U;
	for (uint32_t i = 0; i < TRADER_ASSETS_MAX; i++) {
		struct asset_age *age = &trader->age[(hash + i) % TRADER_ASSETS_MAX];
		bool same = strnlen(age->name, sizeof age->name) == asset.len &&
			    memcmp(age->name, asset.ptr, asset.len) == 0;
		if (same || !age->name[0])
			return age;
	}
	return NULL;
}

static void holding_tell(struct trader *trader, const struct holding *holding, int64_t time_ms)
{
	struct asset_age *age = age_of(trader, holding->asset);
	struct tg_balance_event event = {.size = sizeof event,
					 .currency = holding->asset,
					 .free = tg_money_of(holding->free),
					 .locked = tg_money_of(holding->locked)};
	bool nothing = holding->free == 0 && holding->locked == 0;
	if (!age || (nothing && !age->name[0])) /* hundreds of assets that one never had */
		return;
	if (time_ms < age->time_ms)
		return;
	age->time_ms = time_ms;
	memcpy(age->name, holding->asset.ptr, holding->asset.len);
	trader->events.balance(trader->events.ctx, &event);
}

int balances_tell(struct trader *trader, struct scan scan, bool is_event)
{
	struct holdings holdings;
	struct holding holding;
	bool begun = false;
	int status = holdings_read(scan, is_event, &holdings);
	if (status)
		return status;
	while ((status = list_next(&holdings.list, &begun)) > 0) {
		status = holding_read(&holdings.list, is_event, &holding);
		if (status)
			return status;
		holding_tell(trader, &holding, holdings.time_ms);
	}
	return status;
}

void balances_answer(struct trader *trader, const struct ask *ask, const struct answer *answer)
{
	struct tg_error error = tg_error_init();
	if (answer->status != TG_OK) {
		trader_done(trader, ask->token, answer->status, answer->error);
	} else if (balances_tell(trader, answer->result, false)) {
		tg_error_set(&error, TG_ERR_RETRYABLE, "Binance's answer about balances cannot be read");
		trader_done(trader, ask->token, error.code, &error);
	} else {
		trader_done(trader, ask->token, TG_OK, NULL);
	}
}
