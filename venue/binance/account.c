/* What the account is: balances, fees, limits, the key's permissions. */
#include <string.h>

#include "venue/binance/state.h"

static const struct venue_market *any_market(const struct call *call)
{
	return &venue_engine(call->binance->venue)->market[0];
}

static void rates_write(struct text *out, const char *key, int64_t maker_e9, int64_t taker_e9)
{
	member_key(out, key);
	text_put(out, "{");
	member_fixed(out, "maker", maker_e9, 9);
	member_fixed(out, "taker", taker_e9, 9);
	text_put(out, ",\"buyer\":\"0.00000000\",\"seller\":\"0.00000000\"}");
}

static void balances_write(struct call *call, bool omit_zero)
{
	const struct engine *engine = venue_engine(call->binance->venue);
	struct text *out = call->result;
	member_key(out, "balances");
	text_put(out, "[");
	for (uint32_t c = 0; c < engine->currency_count; c++) {
		const struct balance *balance = accounts_at(&engine->accounts, OWNER_ACCOUNT, c);
		if (omit_zero && !balance->free && !balance->locked)
			continue;
		member_next(out);
		text_put(out, "{");
		member_word(out, "asset", engine->currency[c]);
		member_amount(out, "free", balance->free);
		member_amount(out, "locked", balance->locked);
		text_put(out, "}");
	}
	text_put(out, "]");
}

bool account_run(struct call *call)
{
	struct text *out = call->result;
	const struct venue_market *market = any_market(call);
	bool omit_zero = false;
	if (!parameter_bool(&call->parameters, "omitZeroBalances", &omit_zero, &call->failure))
		return false;
	text_put(out, "{");
	member_number(out, "makerCommission", market->maker_e9 / 100000);
	member_number(out, "takerCommission", market->taker_e9 / 100000);
	text_put(out, ",\"buyerCommission\":0,\"sellerCommission\":0");
	rates_write(out, "commissionRates", market->maker_e9, market->taker_e9);
	text_put(out, ",\"canTrade\":true");
	member_bool(out, "canWithdraw", call->key->withdraws);
	text_put(out,
		 ",\"canDeposit\":true,\"brokered\":false,\"requireSelfTradePrevention\":false,\"preventSor\":false");
	member_number(out, "updateTime", clock_ms(call->binance));
	text_put(out, ",\"accountType\":\"SPOT\"");
	balances_write(call, omit_zero);
	text_put(out, ",\"permissions\":[\"SPOT\"],\"uid\":1}");
	return true;
}

/* The venue takes the same rate in the third currency: nothing is taken off for paying in it. */
bool commission_run(struct call *call)
{
	struct text *out = call->result;
	const struct symbol *symbol = call_symbol(call, "symbol", MANDATORY);
	if (!symbol)
		return false;
	const struct venue_market *market = &venue_engine(call->binance->venue)->market[symbol->market];
	text_put(out, "{");
	member_word(out, "symbol", symbol->name);
	rates_write(out, "standardCommission", market->maker_e9, market->taker_e9);
	rates_write(out, "specialCommission", 0, 0);
	rates_write(out, "taxCommission", 0, 0);
	member_key(out, "discount");
	text_put(out, "{");
	member_bool(out, "enabledForAccount", call->binance->fee_currency[0] != '\0');
	member_bool(out, "enabledForSymbol", call->binance->fee_currency[0] != '\0');
	member_word(out, "discountAsset", call->binance->fee_currency[0] ? call->binance->fee_currency : "BNB");
	text_put(out, ",\"discount\":\"1.00000000\"}}");
	return true;
}

/* ---------------------------------------------------------------- limits */

static void limit_write(struct text *out, const char *type, const char *interval, int32_t number, int64_t limit,
			int64_t count)
{
	member_next(out);
	text_format(out,
		    "{\"rateLimitType\":\"%s\",\"interval\":\"%s\",\"intervalNum\":%d,\"limit\":%lld,\"count\":%lld}",
		    type, interval, number, (long long)limit, (long long)count);
}

void rate_limits_write(struct binance *binance, struct text *out, const struct quota_peer *peer, bool orders)
{
	struct quota *quota = &binance->quota;
	quota_turn(quota, clock_ms(binance));
	text_put(out, "[");
	if (orders) {
		limit_write(out, "ORDERS", "SECOND", 10, quota->limits.orders_10s, quota->orders_10s);
		limit_write(out, "ORDERS", "DAY", 1, quota->limits.orders_day, quota->orders_day);
	}
	if (peer)
		limit_write(out, "REQUEST_WEIGHT", "MINUTE", 1, quota->limits.weight_minute, peer->weight);
	text_put(out, "]");
}

bool order_limits_run(struct call *call)
{
	rate_limits_write(call->binance, call->result, NULL, true);
	return true;
}

/* What the key may do (Wallet API, "Get API Key Permission"). */
bool restrictions_run(struct call *call)
{
	struct text *out = call->result;
	text_put(out, "{\"ipRestrict\":false,\"createTime\":0,\"enableReading\":true");
	member_bool(out, "enableSpotAndMarginTrading", call->key->trades);
	member_bool(out, "enableWithdrawals", call->key->withdraws);
	text_put(out, ",\"enableInternalTransfer\":false,\"permitsUniversalTransfer\":false,\"enableMargin\":false,"
		      "\"enableFutures\":false,\"enableVanillaOptions\":false,\"enableFixApiTrade\":false,"
		      "\"enableFixReadOnly\":false,\"enablePortfolioMarginTrading\":false}");
	return true;
}
