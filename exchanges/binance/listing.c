#include "exchanges/binance/listing.h"

#include <string.h>

#include <trigate/amount.h>

#include "exchanges/binance/document.h"

#define SCALE_MAX 18

/* -------------------------------------------------------------------- names */

static bool is_name(struct tg_str text, size_t size, bool capitals)
{
	if (text.len == 0 || text.len >= size)
		return false;
	for (uint64_t i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)text.ptr[i];
		if (c <= ' ' || c == 0x7f || memchr("\"\\@/,&?#%", c, 9) || (capitals && c >= 'a' && c <= 'z'))
			return false;
	}
	return true;
}

bool listing_symbol_fits(struct tg_str symbol)
{
	return is_name(symbol, BINANCE_SYMBOL_MAX, true);
}

bool listing_symbol(struct json_object *object, struct tg_str *ret_symbol)
{
	return member_text(object, "symbol", ret_symbol) && listing_symbol_fits(*ret_symbol);
}

static bool asset_read(struct json_object *object, const char *key, char *ret_name)
{
	struct tg_str text;
	if (!member_text(object, key, &text) || !is_name(text, BINANCE_ASSET_MAX, false))
		return false;
	memcpy(ret_name, text.ptr, text.len);
	return true;
}

/* ------------------------------------------------------------------ filters */

static bool optional(struct json_object *filter, const char *key, struct tg_decimal *value)
{
	return !json_object_object_get_ex(filter, key, NULL) || member_decimal(filter, key, value);
}

static bool price_filter(struct json_object *filter, struct listing_terms *terms)
{
	return member_decimal(filter, "minPrice", &terms->min_price) &&
	       member_decimal(filter, "maxPrice", &terms->max_price) &&
	       member_decimal(filter, "tickSize", &terms->tick);
}

static bool lot_size(struct json_object *filter, struct listing_terms *terms)
{
	return member_decimal(filter, "minQty", &terms->min_qty) && member_decimal(filter, "maxQty", &terms->max_qty) &&
	       member_decimal(filter, "stepSize", &terms->lot);
}

static bool market_lot_size(struct json_object *filter, struct listing_terms *terms)
{
	return member_decimal(filter, "minQty", &terms->market_min_qty) &&
	       member_decimal(filter, "maxQty", &terms->market_max_qty) &&
	       member_decimal(filter, "stepSize", &terms->market_lot);
}

/* A symbol may have MIN_NOTIONAL (the older one), NOTIONAL or both: the greater minimum holds. */
static bool min_notional(struct json_object *filter, struct listing_terms *terms)
{
	struct tg_decimal least;
	if (!member_decimal(filter, "minNotional", &least))
		return false;
	if (tg_decimal_compare(least, terms->min_notional) > 0)
		terms->min_notional = least;
	return true;
}

static bool notional(struct json_object *filter, struct listing_terms *terms)
{
	return min_notional(filter, terms) && optional(filter, "maxNotional", &terms->max_notional);
}

static bool percent_price(struct json_object *filter, struct listing_terms *terms)
{
	if (!member_decimal(filter, "multiplierUp", &terms->bid_up) ||
	    !member_decimal(filter, "multiplierDown", &terms->bid_down))
		return false;
	terms->ask_up = terms->bid_up;
	terms->ask_down = terms->bid_down;
	return member_whole(filter, "avgPriceMins", &terms->avg_price_mins);
}

static bool percent_price_by_side(struct json_object *filter, struct listing_terms *terms)
{
	return member_decimal(filter, "bidMultiplierUp", &terms->bid_up) &&
	       member_decimal(filter, "bidMultiplierDown", &terms->bid_down) &&
	       member_decimal(filter, "askMultiplierUp", &terms->ask_up) &&
	       member_decimal(filter, "askMultiplierDown", &terms->ask_down) &&
	       member_whole(filter, "avgPriceMins", &terms->avg_price_mins);
}

static bool max_position(struct json_object *filter, struct listing_terms *terms)
{
	return member_decimal(filter, "maxPosition", &terms->max_position);
}

/* Filters that are one whole number. */
static const struct {
	const char *type;
	const char *key;
	size_t offset;
} COUNTS[] = {
	{"MAX_NUM_ORDERS", "maxNumOrders", offsetof(struct listing_terms, max_orders)},
	{"MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", offsetof(struct listing_terms, max_algo_orders)},
	{"MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", offsetof(struct listing_terms, max_iceberg_orders)},
	{"ICEBERG_PARTS", "limit", offsetof(struct listing_terms, iceberg_parts)},
	{"MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends", offsetof(struct listing_terms, max_order_amends)},
	{"MAX_NUM_ORDER_LISTS", "maxNumOrderLists", offsetof(struct listing_terms, max_order_lists)},
};

static const struct {
	const char *type;
	bool (*read)(struct json_object *filter, struct listing_terms *terms);
} FILTERS[] = {
	{"PRICE_FILTER", price_filter},
	{"LOT_SIZE", lot_size},
	{"MARKET_LOT_SIZE", market_lot_size},
	{"MIN_NOTIONAL", min_notional},
	{"NOTIONAL", notional},
	{"PERCENT_PRICE", percent_price},
	{"PERCENT_PRICE_BY_SIDE", percent_price_by_side},
	{"MAX_POSITION", max_position},
};

static bool is_text(struct tg_str text, const char *literal)
{
	return text.len == strlen(literal) && memcmp(text.ptr, literal, text.len) == 0;
}

/* A filter of a name that is not known is none of ours: TRAILING_DELTA and what may come. */
static bool filter_read(struct json_object *filter, struct listing_terms *terms)
{
	struct tg_str type;
	if (!json_object_is_type(filter, json_type_object) || !member_text(filter, "filterType", &type))
		return false;
	for (size_t i = 0; i < sizeof FILTERS / sizeof FILTERS[0]; i++)
		if (is_text(type, FILTERS[i].type))
			return FILTERS[i].read(filter, terms);
	for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++)
		if (is_text(type, COUNTS[i].type))
			return member_whole(filter, COUNTS[i].key,
					    (int64_t *)(void *)((char *)terms + COUNTS[i].offset));
	return true;
}

static const char *filters_read(struct json_object *object, struct listing_terms *terms)
{
	struct json_object *filters;
	size_t count;
	if (!member_array(object, "filters", &filters, &count))
		return "it has no filters";
	terms->tick.mantissa = terms->lot.mantissa = -1; /* they must come */
	for (size_t i = 0; i < count; i++)
		if (!filter_read(json_object_array_get_idx(filters, i), terms))
			return "a filter is not understood";
	if (terms->tick.mantissa < 0 || terms->lot.mantissa < 0)
		return "it has no PRICE_FILTER or no LOT_SIZE";
	return NULL;
}

/* ------------------------------------------------------------------- status */

static bool lists_limit_orders(struct json_object *object)
{
	struct json_object *types;
	size_t count;
	if (!member_array(object, "orderTypes", &types, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *type = json_object_get_string(json_object_array_get_idx(types, i));
		if (type && strcmp(type, "LIMIT") == 0)
			return true;
	}
	return false;
}

/* HALT, BREAK, END_OF_DAY and what else there may come to be: whatever is not known takes no order. */
static int32_t status_of(struct json_object *object)
{
	struct tg_str status;
	bool is_spot = true;
	member_text(object, "status", &status);
	member_flag(object, "isSpotTradingAllowed", &is_spot);
	if (is_text(status, "CANCEL_ONLY"))
		return TG_MARKET_CANCEL_ONLY;
	return is_text(status, "TRADING") && is_spot && lists_limit_orders(object) ? TG_MARKET_TRADING
										   : TG_MARKET_HALTED;
}

/* -------------------------------------------------------------------- terms */

/* A precision, or 8, what Binance has nearly everywhere. */
static int32_t precision_of(struct json_object *object, const char *key)
{
	int64_t precision;
	return member_whole(object, key, &precision) && precision >= 0 && precision <= SCALE_MAX ? (int32_t)precision
												 : 8;
}

/* "disabled on tickSize == 0" (filters.md): then it is the last place that the asset has. */
static void steps_settle(struct json_object *object, struct listing_terms *terms)
{
	if (terms->tick.mantissa == 0)
		terms->tick = (struct tg_decimal){1, precision_of(object, "quoteAssetPrecision"), 0};
	if (terms->lot.mantissa == 0)
		terms->lot = (struct tg_decimal){1, precision_of(object, "baseAssetPrecision"), 0};
}

/* What the host would refuse is told here, where the symbol can still be left out. */
static const char *terms_check(const struct listing_terms *terms)
{
	tg_amount unit, lot, least, most, notional;
	if (tg_amount_product(terms->tick, terms->lot, &unit) != TG_OK)
		return "tick and lot together are finer, or larger, than money is counted in";
	if (tg_amount_from_decimal(terms->lot, &lot) != TG_OK ||
	    tg_amount_from_decimal(terms->min_qty, &least) != TG_OK ||
	    tg_amount_from_decimal(terms->max_qty, &most) != TG_OK ||
	    tg_amount_from_decimal(terms->min_notional, &notional) != TG_OK)
		return "a quantity is out of range";
	least = least ? (least + lot - 1) / lot : 1;
	most = most ? most / lot : INT64_MAX;
	return least > most || least > INT64_MAX ? "no whole lot is between minQty and maxQty" : NULL;
}

const char *listing_read(struct json_object *object, struct listing *ret_listing)
{
	struct tg_str symbol, status;
	struct listing_terms *terms = &ret_listing->terms;
	memset(ret_listing, 0, sizeof *ret_listing);
	if (!listing_symbol(object, &symbol))
		return "it has no usable name";
	memcpy(ret_listing->symbol, symbol.ptr, symbol.len);
	if (!member_text(object, "status", &status))
		return "it has no status";
	if (!asset_read(object, "baseAsset", ret_listing->base) ||
	    !asset_read(object, "quoteAsset", ret_listing->quote))
		return "it has no usable baseAsset or quoteAsset";
	if (strcmp(ret_listing->base, ret_listing->quote) == 0)
		return "baseAsset and quoteAsset are the same";
	const char *wrong = filters_read(object, terms);
	if (wrong)
		return wrong;
	steps_settle(object, terms);
	terms->status = status_of(object);
	int32_t base_scale = precision_of(object, "baseCommissionPrecision");
	int32_t quote_scale = precision_of(object, "quoteCommissionPrecision");
	terms->fee_scale = base_scale < quote_scale ? base_scale : quote_scale;
	return terms_check(terms);
}
