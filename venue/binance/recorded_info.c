/* Markets of a recorded exchangeInfo answer: symbols and filters are Binance's, values are made up. A market that
 * Binance had stopped trading is left out, and so is one that the engine's integers cannot hold, or whose currencies no
 * chain of markets leads to from USDT: it could not be quoted. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venue/binance/state.h"
#include "venue/world.h"

#define TICKS_IN_PRICE 20000.0 /* a made-up price is so many ticks: half a basis point each */
#define INFO_DEPTH_MAX 16

struct reading {
	struct world world;
	uint32_t room; /* of currencies */
	struct tg_error *error;
};

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static struct json_object *filter_of(struct json_object *symbol, const char *type)
{
	struct json_object *filters = NULL;
	json_object_object_get_ex(symbol, "filters", &filters);
	size_t count = json_object_is_type(filters, json_type_array) ? json_object_array_length(filters) : 0;
	for (size_t i = 0; i < count; i++)
		if (strcmp(text_of(json_object_array_get_idx(filters, i), "filterType"), type) == 0)
			return json_object_array_get_idx(filters, i);
	return NULL;
}

static bool decimal_of(struct json_object *filter, const char *key, struct tg_decimal *ret_value)
{
	const char *text = filter ? text_of(filter, key) : "";
	return tg_decimal_parse((struct tg_str){text, strlen(text)}, ret_value) == TG_OK && ret_value->mantissa >= 0;
}

/* Tick and lot are the scales; bounds beyond the engine's are the engine's. */
static bool filters_take(struct json_object *symbol, struct venue_market *market)
{
	struct json_object *price = filter_of(symbol, "PRICE_FILTER"), *lot = filter_of(symbol, "LOT_SIZE");
	struct json_object *notional = filter_of(symbol, "NOTIONAL");
	struct tg_decimal tick, step, least, most, worth = {0, 0, 0};
	if (!notional)
		notional = filter_of(symbol, "MIN_NOTIONAL"); /* until 2023 */
	if (!decimal_of(price, "tickSize", &tick) || !decimal_of(lot, "stepSize", &step) ||
	    !decimal_of(lot, "minQty", &least) || !decimal_of(lot, "maxQty", &most) || !tick.mantissa || !step.mantissa)
		return false;
	if (notional && !decimal_of(notional, "minNotional", &worth))
		return false;
	tick = tg_decimal_normalise(tick);
	step = tg_decimal_normalise(step);
	market->tick = tick.mantissa;
	market->lot = step.mantissa;
	market->price_scale = tick.scale;
	market->qty_scale = step.scale;
	if (tg_decimal_rescale(least, step.scale, &market->min_qty) != TG_OK ||
	    tg_decimal_rescale(most, step.scale, &market->max_qty) != TG_OK || market->max_qty > VENUE_MANTISSA_MAX)
		market->max_qty = 0;
	if (market->min_qty < market->lot)
		market->min_qty = market->lot;
	return tick.scale + step.scale <= TG_AMOUNT_SCALE && tick.mantissa < VENUE_MANTISSA_MAX / 1000000 &&
	       step.mantissa < VENUE_MANTISSA_MAX && tg_amount_from_decimal(worth, &market->min_notional) == TG_OK;
}

static bool is_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!((*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
			return false;
	return name[0] && strlen(name) < VENUE_CURRENCY_MAX;
}

static uint32_t currency_take(struct reading *reading, const char *name)
{
	struct world *world = &reading->world;
	uint32_t at = 0;
	while (at < world->currency_count && strcmp(world->currency[at], name) != 0)
		at++;
	if (at == world->currency_count)
		snprintf(world->currency[world->currency_count++], VENUE_CURRENCY_MAX, "%s", name);
	return at;
}

static void symbol_take(struct reading *reading, struct json_object *symbol)
{
	struct venue_market market = {.status = TG_MARKET_TRADING, .version = 1};
	const char *base = text_of(symbol, "baseAsset"), *quote = text_of(symbol, "quoteAsset");
	if (strcmp(text_of(symbol, "status"), "TRADING") != 0 || !is_name(base) || !is_name(quote) ||
	    strcmp(base, quote) == 0 || !filters_take(symbol, &market))
		return;
	if ((size_t)snprintf(market.symbol, sizeof market.symbol, "%s-%s", base, quote) >= sizeof market.symbol)
		return;
	for (uint32_t m = 0; m < reading->world.market_count; m++)
		if (strcmp(reading->world.market[m].symbol, market.symbol) == 0)
			return;
	market.base = currency_take(reading, base);
	market.quote = currency_take(reading, quote);
	reading->world.market[reading->world.market_count++] = market;
}

/* ---------------------------------------------------------------- values */

static double tick_of(const struct venue_market *market)
{
	double tick = (double)market->tick;
	for (int32_t s = 0; s < market->price_scale; s++)
		tick = tick / 10.0;
	return tick;
}

/* From USDT outwards: a market one of whose currencies is worth something gives the other a value. */
static bool values_spread(struct world *world)
{
	bool more = false;
	for (uint32_t m = 0; m < world->market_count; m++) {
		const struct venue_market *market = &world->market[m];
		double price = tick_of(market) * TICKS_IN_PRICE, *base = &world->value[market->base],
		       *quote = &world->value[market->quote];
		if ((*base > 0.0) == (*quote > 0.0))
			continue;
		if (*quote > 0.0)
			*base = *quote * price;
		else
			*quote = *base / price;
		more = true;
	}
	return more;
}

/* A price must be many ticks, and few enough for the engine. */
static bool is_quotable(const struct world *world, const struct venue_market *market)
{
	double base = world->value[market->base], quote = world->value[market->quote];
	if (base <= 0.0 || quote <= 0.0)
		return false;
	double ticks = base / quote / tick_of(market);
	return ticks >= 20.0 && ticks * (double)market->tick < (double)VENUE_MANTISSA_MAX / 1000.0;
}

static void values_make(struct world *world)
{
	uint32_t kept = 0;
	world->value[0] = 1.0; /* USDT */
	while (values_spread(world))
		;
	for (uint32_t m = 0; m < world->market_count; m++)
		if (is_quotable(world, &world->market[m]))
			world->market[kept++] = world->market[m];
	world->market_count = kept;
}

/* --------------------------------------------------------------- reading */

static int32_t symbols_take(struct reading *reading, struct json_object *symbols, uint32_t more)
{
	static const char *const hubs[WORLD_HUBS] = {"USDT", "BTC", "ETH",
						     "BNB"}; /* the makers count on these indices */
	size_t count = json_object_array_length(symbols);
	if (count > VENUE_MARKETS_MAX)
		return tg_error_set(reading->error, TG_ERR_LIMIT, "exchangeInfo: more than %d symbols",
				    VENUE_MARKETS_MAX);
	uint32_t room = 2 * (uint32_t)count + WORLD_HUBS + more;
	reading->world.market = calloc(count + 1, sizeof *reading->world.market);
	reading->world.currency = calloc(room, sizeof *reading->world.currency);
	reading->world.value = calloc(room, sizeof *reading->world.value);
	reading->world.currency_room = room;
	if (!reading->world.market || !reading->world.currency || !reading->world.value)
		return tg_error_set(reading->error, TG_ERR_NO_MEMORY, "exchangeInfo: out of memory");
	for (uint32_t h = 0; h < WORLD_HUBS; h++)
		currency_take(reading, hubs[h]);
	for (size_t i = 0; i < count; i++)
		symbol_take(reading, json_object_array_get_idx(symbols, i));
	values_make(&reading->world);
	if (!reading->world.market_count)
		return tg_error_set(
			reading->error, TG_ERR_INVALID,
			"exchangeInfo: no symbol that trades, with PRICE_FILTER and LOT_SIZE, and leads to USDT");
	return TG_OK;
}

int32_t binance_world_read(const char *text, size_t size, uint32_t more, struct world *ret_world,
			   struct tg_error *ret_error)
{
	struct reading reading = {.error = ret_error};
	struct json_object *symbols = NULL;
	struct json_tokener *tokener = json_tokener_new_ex(INFO_DEPTH_MAX);
	struct json_object *json = tokener && size < INT32_MAX ? json_tokener_parse_ex(tokener, text, (int)size) : NULL;
	int32_t status;
	if (json_object_is_type(json, json_type_object))
		json_object_object_get_ex(json, "symbols", &symbols);
	if (json_object_is_type(symbols, json_type_array))
		status = symbols_take(&reading, symbols, more);
	else
		status = tg_error_set(ret_error, TG_ERR_INVALID,
				      "exchangeInfo: not a JSON object with a list `symbols`");
	json_object_put(json);
	json_tokener_free(tokener);
	if (status == TG_OK)
		*ret_world = reading.world;
	else
		world_destroy(&reading.world);
	return status;
}
