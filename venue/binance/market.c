/* What everybody may ask: ping, time, exchangeInfo, depth, bookTicker. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "venue/binance/state.h"

bool ping_run(struct call *call)
{
	text_put(call->result, "{}");
	return true;
}

bool time_run(struct call *call)
{
	text_put(call->result, "{");
	member_number(call->result, "serverTime", clock_ms(call->binance));
	text_put(call->result, "}");
	return true;
}

/* ------------------------------------------------------- lists of symbols */

typedef void (*symbol_fn)(struct call *call, const struct symbol *symbol);

static bool symbols_list_each(struct call *call, const struct json_object *list, symbol_fn each)
{
	size_t count = json_object_array_length(list);
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		if (!json_object_is_type(item, json_type_string))
			return fail(call, FAIL_JSON_PARAMETER, "symbols", NULL);
		for (size_t before = 0; before < i; before++)
			if (json_object_equal(item, json_object_array_get_idx(list, before)))
				return fail(call, FAIL_DUPLICATE_SYMBOLS, NULL, NULL);
		const char *name = json_object_get_string(item);
		const struct symbol *symbol =
			symbols_find(&call->binance->symbols, (struct tg_str){name, strlen(name)});
		if (!symbol)
			return fail(call, FAIL_SYMBOL, NULL, NULL);
		each(call, symbol);
	}
	return true;
}

/* `symbol`, `symbols`, or neither: all there are. */
static bool symbols_each(struct call *call, bool alone, symbol_fn each)
{
	struct tg_str list = parameters_get(&call->parameters, "symbols");
	bool single = parameters_get(&call->parameters, "symbol").ptr != NULL;
	struct json_object *json = NULL;
	if (single && list.ptr)
		return fail(call, FAIL_COMBINATION, NULL, NULL);
	if (single) {
		const struct symbol *symbol = call_symbol(call, "symbol", MANDATORY);
		if (symbol) {
			text_put(call->result, alone ? "" : "[");
			each(call, symbol);
			text_put(call->result, alone ? "" : "]");
		}
		return symbol != NULL;
	}
	text_put(call->result, "[");
	bool good = true;
	if (list.ptr) {
		good = json_read(list.ptr, list.len, &json) && json_object_is_type(json, json_type_array);
		good = good ? symbols_list_each(call, json, each) : fail(call, FAIL_JSON_PARAMETER, "symbols", NULL);
		json_object_put(json);
	} else {
		for (uint32_t m = 0; m < call->binance->symbols.count; m++)
			each(call, call->binance->symbols.of[m]);
	}
	text_put(call->result, "]");
	return good;
}

/* ---------------------------------------------------------- exchangeInfo */

static int32_t places(int32_t scale)
{
	return scale > 8 ? scale : 8;
}

/* The engine's bound, or ninety thousand million if that is less: with eight places behind it that is still 64 bits. */
static int64_t most_of(int64_t engine_most, int32_t scale, int64_t step)
{
	int64_t most = INT64_C(90000000000);
	for (int32_t place = 0; place < scale && most < engine_most; place++)
		most *= 10;
	return (most < engine_most ? most : engine_most) / step * step;
}

int64_t price_most(const struct venue_market *market)
{
	return most_of(VENUE_MANTISSA_MAX, market->price_scale, market->tick);
}

int64_t qty_most(const struct venue_market *market)
{
	return most_of(market->max_qty ? market->max_qty : VENUE_MANTISSA_MAX, market->qty_scale, market->lot);
}

static void filters_write(struct text *out, const struct venue_market *market)
{
	member_key(out, "filters");
	text_put(out, "[{\"filterType\":\"PRICE_FILTER\"");
	member_fixed(out, "minPrice", market->tick, market->price_scale);
	member_fixed(out, "maxPrice", price_most(market), market->price_scale);
	member_fixed(out, "tickSize", market->tick, market->price_scale);
	text_put(out, "},{\"filterType\":\"LOT_SIZE\"");
	member_fixed(out, "minQty", market->min_qty, market->qty_scale);
	member_fixed(out, "maxQty", qty_most(market), market->qty_scale);
	member_fixed(out, "stepSize", market->lot, market->qty_scale);
	text_put(out, "},{\"filterType\":\"NOTIONAL\"");
	member_amount(out, "minNotional", market->min_notional);
	member_amount(out, "maxNotional", NOTIONAL_MOST);
	text_put(out, ",\"applyMinToMarket\":true,\"applyMaxToMarket\":false,\"avgPriceMins\":5},"
		      "{\"filterType\":\"MAX_NUM_ORDERS\",\"maxNumOrders\":200}]");
}

static const char *status_word(int32_t status)
{
	switch (status) {
	case TG_MARKET_TRADING: return "TRADING";
	case TG_MARKET_CANCEL_ONLY: return "CANCEL_ONLY";
	default: return "BREAK";
	}
}

static void info_write(struct call *call, const struct symbol *symbol)
{
	const struct engine *engine = venue_engine(call->binance->venue);
	const struct venue_market *market = &engine->market[symbol->market];
	struct text *out = call->result;
	if (market->status == TG_MARKET_DELISTED)
		return; /* it is gone from the list */
	member_next(out);
	text_put(out, "{");
	member_word(out, "symbol", symbol->name);
	member_word(out, "status", status_word(market->status));
	member_word(out, "baseAsset", engine->currency[market->base]);
	member_number(out, "baseAssetPrecision", places(market->qty_scale));
	member_word(out, "quoteAsset", engine->currency[market->quote]);
	member_number(out, "quotePrecision", places(market->price_scale));
	member_number(out, "quoteAssetPrecision", places(market->price_scale));
	text_put(
		out,
		",\"baseCommissionPrecision\":8,\"quoteCommissionPrecision\":8,\"orderTypes\":[\"LIMIT\",\"LIMIT_MAKER\"],"
		"\"icebergAllowed\":false,\"ocoAllowed\":false,\"otoAllowed\":false,\"opoAllowed\":false,"
		"\"quoteOrderQtyMarketAllowed\":false,\"allowTrailingStop\":false,\"cancelReplaceAllowed\":false,"
		"\"amendAllowed\":false,\"pegInstructionsAllowed\":false,\"isSpotTradingAllowed\":true,"
		"\"isMarginTradingAllowed\":false");
	filters_write(out, market);
	text_put(
		out,
		",\"permissions\":[],\"permissionSets\":[[\"SPOT\"]],\"defaultSelfTradePreventionMode\":\"EXPIRE_TAKER\","
		"\"allowedSelfTradePreventionModes\":[\"EXPIRE_TAKER\"]}");
}

bool exchange_info_run(struct call *call)
{
	struct text *out = call->result;
	const struct quota_limits *limits = &call->binance->quota.limits;
	text_put(out, "{\"timezone\":\"UTC\"");
	member_number(out, "serverTime", clock_ms(call->binance));
	text_format(
		out,
		",\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,"
		"\"limit\":%lld},{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\",\"intervalNum\":10,\"limit\":%lld},"
		"{\"rateLimitType\":\"ORDERS\",\"interval\":\"DAY\",\"intervalNum\":1,\"limit\":%lld},"
		"{\"rateLimitType\":\"CONNECTIONS\",\"interval\":\"MINUTE\",\"intervalNum\":5,\"limit\":%lld}],"
		"\"exchangeFilters\":[]",
		(long long)limits->weight_minute, (long long)limits->orders_10s, (long long)limits->orders_day,
		(long long)limits->connections_5m);
	member_key(out, "symbols");
	if (!symbols_each(call, false, info_write))
		return false;
	text_put(out, "}");
	return true;
}

/* ----------------------------------------------------------------- depth */

static int64_t limit_of(const struct call *call)
{
	struct failure ignored = {0};
	int64_t limit = 100;
	parameter_number(&call->parameters, "limit", OPTIONAL, &limit, &ignored);
	return limit;
}

int64_t depth_weigh(const struct call *call)
{
	int64_t limit = limit_of(call);
	return limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1000 ? 50 : 250;
}

void levels_write(struct text *out, const char *key, const struct venue_market *market, const struct tg_level *levels,
		  uint32_t count)
{
	member_key(out, key);
	text_put(out, "[");
	for (uint32_t i = 0; i < count; i++) {
		text_put(out, i ? ",[\"" : "[\"");
		text_fixed(out, levels[i].price, market->price_scale);
		text_put(out, "\",\"");
		text_fixed(out, levels[i].qty, market->qty_scale);
		text_put(out, "\"]");
	}
	text_put(out, "]");
}

bool depth_run(struct call *call)
{
	struct binance *binance = call->binance;
	const struct symbol *symbol = call_symbol(call, "symbol", MANDATORY);
	int64_t limit = 100;
	if (!symbol || !parameter_number(&call->parameters, "limit", OPTIONAL, &limit, &call->failure))
		return false;
	if (limit < 1)
		return fail(call, FAIL_DATA, "limit", NULL);
	uint32_t room = limit < DEPTH_MAX ? (uint32_t)limit : DEPTH_MAX;
	const struct venue_market *market = &venue_engine(binance->venue)->market[symbol->market];
	text_put(call->result, "{");
	member_number(call->result, "lastUpdateId", (int64_t)binance->feed[symbol->market].id);
	uint32_t count = engine_top(&market->bids, room, binance->level);
	levels_write(call->result, "bids", market, binance->level, count);
	count = engine_top(&market->asks, room, binance->level);
	levels_write(call->result, "asks", market, binance->level, count);
	text_put(call->result, "}");
	return true;
}

/* ------------------------------------------------------------ bookTicker */

int64_t ticker_weigh(const struct call *call)
{
	return parameters_get(&call->parameters, "symbol").ptr ? 2 : 4;
}

static void ticker_write(struct call *call, const struct symbol *symbol)
{
	const struct venue_market *market = &venue_engine(call->binance->venue)->market[symbol->market];
	const struct price_level *bid = side_best(&market->bids), *ask = side_best(&market->asks);
	struct text *out = call->result;
	member_next(out);
	text_put(out, "{");
	member_word(out, "symbol", symbol->name);
	member_fixed(out, "bidPrice", bid ? bid->price : 0, market->price_scale);
	member_fixed(out, "bidQty", bid ? bid->qty : 0, market->qty_scale);
	member_fixed(out, "askPrice", ask ? ask->price : 0, market->price_scale);
	member_fixed(out, "askQty", ask ? ask->qty : 0, market->qty_scale);
	text_put(out, "}");
}

bool ticker_run(struct call *call)
{
	return symbols_each(call, true, ticker_write);
}
