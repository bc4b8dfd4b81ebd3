#include "exchanges/binance/catalogue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/document.h"

struct entry {
	struct listing listing;
	struct catalogue_fees fees;
	uint32_t met; /* the update that named it last */
	bool steps_changed;
};

struct catalogue {
	struct routes routes;
	struct catalogue_fees fees;
	struct entry *entry; /* as many as routes.count; pages behind stay untouched */
	struct catalogue_rate rate[BINANCE_RATES_MAX];
	uint32_t rate_count;
	uint32_t updates;
	int64_t server_ms;
	uint32_t changed[BINANCE_MARKETS_MAX];
};

int catalogue_create(const struct catalogue_fees *fees, struct catalogue **ret_catalogue)
{
	struct catalogue *catalogue = calloc(1, sizeof *catalogue);
	struct entry *entry = calloc(BINANCE_MARKETS_MAX, sizeof *entry);
	if (!catalogue || !entry) {
		free(catalogue);
		free(entry);
		return TG_ERR_NO_MEMORY;
	}
	catalogue->fees = *fees;
	catalogue->entry = entry;
	*ret_catalogue = catalogue;
	return TG_OK;
}

void catalogue_destroy(struct catalogue *catalogue)
{
	if (!catalogue)
		return;
	free(catalogue->entry);
	free(catalogue);
}

/* ------------------------------------------------------------------ reading */

/* Of an array in a struct; size keeps the compiler from guessing at it under the sanitizers. */
static struct tg_str text_of(const char *text, size_t size)
{
	return (struct tg_str){text, strnlen(text, size)};
}

struct tg_instrument catalogue_instrument(const struct catalogue *catalogue, uint32_t market)
{
	assert(market < catalogue->routes.count);
	const struct entry *entry = &catalogue->entry[market];
	const struct listing_terms *terms = &entry->listing.terms;
	return (struct tg_instrument){
		.size = sizeof(struct tg_instrument),
		.market = market,
		.version = catalogue->routes.route[market].version,
		.status = terms->status,
		.symbol = text_of(entry->listing.symbol, sizeof entry->listing.symbol),
		.base = text_of(entry->listing.base, sizeof entry->listing.base),
		.quote = text_of(entry->listing.quote, sizeof entry->listing.quote),
		.tick = terms->tick,
		.lot = terms->lot,
		.min_qty = terms->min_qty,
		.max_qty = terms->max_qty,
		.min_notional = terms->min_notional,
		.taker_bps = entry->fees.taker_bps,
		.maker_bps = entry->fees.maker_bps,
		.fee_currency = text_of(entry->fees.currency, sizeof entry->fees.currency),
		.fee_scale = terms->fee_scale,
	};
}

const struct listing *catalogue_listing(const struct catalogue *catalogue, uint32_t market)
{
	assert(market < catalogue->routes.count);
	return &catalogue->entry[market].listing;
}

bool catalogue_steps_changed(const struct catalogue *catalogue, uint32_t market)
{
	assert(market < catalogue->routes.count);
	return catalogue->entry[market].steps_changed;
}

const struct routes *catalogue_routes(const struct catalogue *catalogue)
{
	return &catalogue->routes;
}

const struct catalogue_rate *catalogue_rates(const struct catalogue *catalogue, uint32_t *ret_count)
{
	*ret_count = catalogue->rate_count;
	return catalogue->rate;
}

int64_t catalogue_server_ms(const struct catalogue *catalogue)
{
	return catalogue->server_ms;
}

/* ------------------------------------------------------------------- limits */

static int64_t named(struct tg_str text, const char *const *names, const int64_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text.len == strlen(names[i]) && memcmp(text.ptr, names[i], text.len) == 0)
			return values[i];
	return 0;
}

/* False: not one that is known. */
static bool rate_read(struct json_object *object, struct catalogue_rate *ret_rate)
{
	static const char *const KINDS[] = {"REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS", "CONNECTIONS"};
	static const int64_t KIND_VALUES[] = {RATE_REQUEST_WEIGHT, RATE_ORDERS, RATE_RAW_REQUESTS, RATE_CONNECTIONS};
	static const char *const INTERVALS[] = {"SECOND", "MINUTE", "HOUR", "DAY"};
	static const int64_t SECONDS[] = {1, 60, 3600, 86400};
	struct tg_str kind, interval;
	int64_t number, limit;
	if (!json_object_is_type(object, json_type_object) || !member_text(object, "rateLimitType", &kind) ||
	    !member_text(object, "interval", &interval) || !member_whole(object, "intervalNum", &number) ||
	    !member_whole(object, "limit", &limit))
		return false;
	ret_rate->kind = (int32_t)named(kind, KINDS, KIND_VALUES, 4);
	ret_rate->interval_ns = named(interval, INTERVALS, SECONDS, 4) * TG_E9;
	ret_rate->limit = limit;
	if (ret_rate->kind == 0 || ret_rate->interval_ns == 0 || number < 1 || number > 365 || limit < 1)
		return false;
	ret_rate->interval_ns *= number;
	return true;
}

static void rates_update(struct catalogue *catalogue, struct json_object *root)
{
	struct json_object *rates;
	size_t count;
	if (!member_array(root, "rateLimits", &rates, &count))
		return; /* those of before hold on */
	catalogue->rate_count = 0;
	for (size_t i = 0; i < count && catalogue->rate_count < BINANCE_RATES_MAX; i++) {
		struct catalogue_rate rate = {0};
		if (rate_read(json_object_array_get_idx(rates, i), &rate))
			catalogue->rate[catalogue->rate_count++] = rate;
	}
}

/* ------------------------------------------------------------------ symbols */

static void route_settle(struct catalogue *catalogue, uint32_t market)
{
	const struct listing_terms *terms = &catalogue->entry[market].listing.terms;
	struct route *route = &catalogue->routes.route[market];
	route->price_scale = (uint8_t)terms->tick.scale;
	route->tick = terms->tick.mantissa;
	route->qty_scale = (uint8_t)terms->lot.scale;
	route->lot = terms->lot.mantissa;
	route->version++;
}

static bool steps_differ(const struct listing_terms *a, const struct listing_terms *b)
{
	return tg_decimal_compare(a->tick, b->tick) != 0 || tg_decimal_compare(a->lot, b->lot) != 0;
}

static void terms_set(struct catalogue *catalogue, uint32_t market, const struct listing_terms *terms)
{
	struct entry *entry = &catalogue->entry[market];
	if (memcmp(&entry->listing.terms, terms, sizeof *terms) == 0)
		return;
	entry->steps_changed = steps_differ(&entry->listing.terms, terms);
	entry->listing.terms = *terms;
	route_settle(catalogue, market);
}

static void status_set(struct catalogue *catalogue, uint32_t market, int32_t status)
{
	struct listing_terms terms = catalogue->entry[market].listing.terms;
	terms.status = status;
	terms_set(catalogue, market, &terms);
}

static void entry_add(struct catalogue *catalogue, const struct listing *listing)
{
	uint32_t market = catalogue->routes.count;
	struct entry *entry = &catalogue->entry[market];
	entry->listing = *listing;
	entry->fees = catalogue->fees;
	entry->met = catalogue->updates;
	entry->steps_changed = true;
	routes_add(&catalogue->routes, text_of(listing->symbol, sizeof listing->symbol));
	route_settle(catalogue, market);
}

/* The assets of a symbol never change: if they seem to, it is another one under an old name. */
static const char *entry_update(struct catalogue *catalogue, uint32_t market, const struct listing *listing)
{
	struct entry *entry = &catalogue->entry[market];
	if (strcmp(entry->listing.base, listing->base) != 0 || strcmp(entry->listing.quote, listing->quote) != 0)
		return "its assets are not those that it had";
	terms_set(catalogue, market, &listing->terms);
	return NULL;
}

/* NULL, or why the symbol is refused. */
static const char *symbol_update(struct catalogue *catalogue, struct json_object *object)
{
	struct tg_str symbol;
	struct listing listing;
	if (!json_object_is_type(object, json_type_object) || !listing_symbol(object, &symbol))
		return "it has no usable name";
	uint32_t market = routes_find(&catalogue->routes, symbol.ptr, (uint32_t)symbol.len);
	const char *wrong = listing_read(object, &listing);
	if (market == ROUTE_NONE && !wrong && catalogue->routes.count == BINANCE_MARKETS_MAX)
		wrong = "there are too many markets (BINANCE_MARKETS_MAX)";
	if (market == ROUTE_NONE && !wrong)
		entry_add(catalogue, &listing);
	if (market == ROUTE_NONE)
		return wrong;
	if (catalogue->entry[market].met == catalogue->updates)
		return "it comes twice";
	catalogue->entry[market].met = catalogue->updates;
	if (!wrong)
		wrong = entry_update(catalogue, market, &listing);
	if (wrong)
		status_set(catalogue, market, TG_MARKET_HALTED);
	return wrong;
}

static void refuse(struct json_object *object, const char *wrong, struct catalogue_changes *changes)
{
	struct tg_str symbol = TG_STR("without a name");
	if (json_object_is_type(object, json_type_object))
		member_text(object, "symbol", &symbol);
	if (changes->refused++ == 0)
		tg_error_set(&changes->because, TG_ERR_INVALID, "symbol %.*s: %s",
			     (int)(symbol.len < BINANCE_SYMBOL_MAX ? symbol.len : BINANCE_SYMBOL_MAX), symbol.ptr,
			     wrong);
}

static void symbols_update(struct catalogue *catalogue, struct json_object *symbols, size_t count,
			   struct catalogue_changes *changes)
{
	for (size_t i = 0; i < count; i++) {
		struct json_object *object = json_object_array_get_idx(symbols, i);
		const char *wrong = symbol_update(catalogue, object);
		if (wrong)
			refuse(object, wrong, changes);
	}
	for (uint32_t i = 0; i < catalogue->routes.count; i++)
		if (catalogue->entry[i].met != catalogue->updates)
			status_set(catalogue, i, TG_MARKET_DELISTED);
}

static int document_check(struct json_object *root, struct json_object **ret_symbols, size_t *ret_count,
			  struct tg_error *ret_error)
{
	if (!member_array(root, "symbols", ret_symbols, ret_count) || *ret_count == 0)
		return tg_error_set(
			ret_error, TG_ERR_INVALID,
			"exchangeInfo names no symbols; is its URL that of Binance's GET /api/v3/exchangeInfo?");
	return TG_OK;
}

/* The markets whose version is not what it was, and the new ones. */
static void changes_find(struct catalogue *catalogue, const uint32_t *before, uint32_t known,
			 struct catalogue_changes *changes)
{
	for (uint32_t i = 0; i < catalogue->routes.count; i++)
		if (i >= known || catalogue->routes.route[i].version != before[i])
			catalogue->changed[changes->count++] = i;
	changes->market = catalogue->changed;
	changes->added = catalogue->routes.count - known;
}

static void document_take(struct catalogue *catalogue, struct json_object *root, struct json_object *symbols,
			  size_t symbol_count, struct catalogue_changes *changes)
{
	uint32_t known = catalogue->routes.count, before[BINANCE_MARKETS_MAX];
	for (uint32_t i = 0; i < known; i++) {
		before[i] = catalogue->routes.route[i].version;
		catalogue->entry[i].steps_changed = false;
	}
	catalogue->updates++;
	symbols_update(catalogue, symbols, symbol_count, changes);
	rates_update(catalogue, root);
	if (!member_whole(root, "serverTime", &catalogue->server_ms))
		catalogue->server_ms = 0;
	changes_find(catalogue, before, known, changes);
}

int catalogue_update(struct catalogue *catalogue, const uint8_t *bytes, size_t count,
		     struct catalogue_changes *ret_changes, struct tg_error *ret_error)
{
	struct catalogue_changes changes = {.because = tg_error_init()};
	struct json_object *root, *symbols;
	size_t symbol_count;
	int status = document_read("exchangeInfo", bytes, count, &root, ret_error);
	if (status)
		return status;
	status = document_check(root, &symbols, &symbol_count, ret_error);
	if (!status) {
		document_take(catalogue, root, symbols, symbol_count, &changes);
		*ret_changes = changes;
	}
	json_object_put(root);
	return status;
}

bool catalogue_fees_set(struct catalogue *catalogue, uint32_t market, const struct catalogue_fees *fees)
{
	assert(market < catalogue->routes.count);
	struct catalogue_fees *held = &catalogue->entry[market].fees;
	if (tg_decimal_compare(held->taker_bps, fees->taker_bps) == 0 &&
	    tg_decimal_compare(held->maker_bps, fees->maker_bps) == 0 && strcmp(held->currency, fees->currency) == 0)
		return false;
	*held = *fees;
	catalogue->routes.route[market].version++;
	return true;
}
