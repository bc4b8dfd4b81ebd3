#include "core/market/market.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/market/name.h"
#include "core/market/steps.h"

#define SYMBOL_SLOTS (2 * MARKETS_MAX) /* half full at most */
#define CURRENCY_SLOTS (2 * CURRENCIES_MAX)
#define SCALE_MAX 18

struct index {
	uint32_t symbol[SYMBOL_SLOTS];
	uint32_t currency[CURRENCY_SLOTS];
	uint32_t pair[SYMBOL_SLOTS]; /* market id + 1 by base and quote */
};

_Static_assert((SYMBOL_SLOTS & (SYMBOL_SLOTS - 1)) == 0 && (CURRENCY_SLOTS & (CURRENCY_SLOTS - 1)) == 0,
	       "the tables need powers of two");

int markets_create(struct markets **ret_markets)
{
	struct markets *markets = calloc(1, sizeof *markets);

	if (!markets)
		return TG_ERR_NO_MEMORY;
	/* Not cleared: pages of markets that never come stay untouched. An entry is cleared when it is added. */
	markets->market = aligned_alloc(_Alignof(struct market), MARKETS_MAX * sizeof *markets->market);
	markets->currency = malloc(CURRENCIES_MAX * sizeof *markets->currency);
	markets->index = calloc(1, sizeof(struct index));
	if (!markets->market || !markets->currency || !markets->index) {
		markets_destroy(markets);
		return TG_ERR_NO_MEMORY;
	}
	*ret_markets = markets;
	return TG_OK;
}

void markets_destroy(struct markets *markets)
{
	if (!markets)
		return;
	free(markets->market);
	free(markets->currency);
	free(markets->index);
	free(markets);
}

static uint32_t *symbol_slot(const struct markets *markets, struct tg_str symbol)
{
	struct index *index = markets->index;
	struct name_table table = {index->symbol, SYMBOL_SLOTS - 1};

	return name_slot(&table, (const char *)markets->market + offsetof(struct market, symbol), sizeof(struct market),
			 symbol);
}

static uint32_t *currency_slot(const struct markets *markets, struct tg_str name)
{
	struct index *index = markets->index;
	struct name_table table = {index->currency, CURRENCY_SLOTS - 1};

	return name_slot(&table, (const char *)markets->currency, sizeof *markets->currency, name);
}

static void name_copy(char *to, size_t size, struct tg_str name)
{
	memset(to, 0, size);
	memcpy(to, name.ptr, name.len);
}

uint32_t markets_currency(struct markets *markets, struct tg_str name, bool add)
{
	if (!name_valid(name, CURRENCY_MAX))
		return CURRENCY_NONE;
	uint32_t *slot = currency_slot(markets, name);
	if (*slot)
		return *slot - 1;
	if (!add || markets->currency_count == CURRENCIES_MAX)
		return CURRENCY_NONE;
	name_copy(markets->currency[markets->currency_count], CURRENCY_MAX, name);
	*slot = ++markets->currency_count;
	return *slot - 1;
}

uint32_t markets_find(const struct markets *markets, struct tg_str symbol)
{
	if (!name_valid(symbol, SYMBOL_MAX))
		return MARKET_NONE;
	uint32_t *slot = symbol_slot(markets, symbol);
	return *slot ? *slot - 1 : MARKET_NONE;
}

static uint32_t *pair_slot(const struct markets *markets, uint32_t base, uint32_t quote)
{
	uint32_t *slots = ((struct index *)markets->index)->pair;
	uint32_t hash = (base * 2654435761u) ^ (quote * 2246822519u);

	for (uint32_t at = (hash ^ hash >> 15) & (SYMBOL_SLOTS - 1);; at = (at + 1) & (SYMBOL_SLOTS - 1)) {
		if (slots[at] == 0)
			return &slots[at];
		const struct market *held = &markets->market[slots[at] - 1];
		if (held->base == base && held->quote == quote)
			return &slots[at];
	}
}

uint32_t markets_pair(const struct markets *markets, uint32_t base, uint32_t quote)
{
	uint32_t slot = *pair_slot(markets, base, quote);
	return slot ? slot - 1 : MARKET_NONE;
}

/* ---- checking an instrument: everything is read into a market of its own before anything changes ---- */

static bool str_equal(struct tg_str a, struct tg_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static struct tg_str str_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

#define TEXT(s) (int)((s).len < SYMBOL_MAX ? (s).len : SYMBOL_MAX), (s).ptr ? (s).ptr : ""

static int names_check(const struct markets *markets, const struct tg_instrument *from, struct tg_error *ret_error)
{
	if (!name_valid(from->symbol, SYMBOL_MAX))
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "market %u: its symbol must be 1 to %d bytes of printable UTF-8 without blanks",
				    from->market, SYMBOL_MAX - 1);
	if (!name_valid(from->base, CURRENCY_MAX) || !name_valid(from->quote, CURRENCY_MAX) ||
	    (from->fee_currency.len && !name_valid(from->fee_currency, CURRENCY_MAX)))
		return tg_error_set(
			ret_error, TG_ERR_INVALID,
			"market %.*s: a currency name must be 1 to %d bytes of printable UTF-8 without blanks",
			TEXT(from->symbol), CURRENCY_MAX - 1);
	if (str_equal(from->base, from->quote))
		return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: base and quote are both %.*s",
				    TEXT(from->symbol), TEXT(from->base));
	if (from->market > markets->market_count)
		return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: id %u comes before id %u",
				    TEXT(from->symbol), from->market, markets->market_count);
	return TG_OK;
}

/* An id is never given to another symbol, and a symbol has one id. */
static int identity_check(const struct markets *markets, const struct tg_instrument *from, struct tg_error *ret_error)
{
	uint32_t held = markets_find(markets, from->symbol);

	if (held != MARKET_NONE && held != from->market)
		return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: has id %u already, now comes as %u",
				    TEXT(from->symbol), held, from->market);
	if (from->market == markets->market_count)
		return TG_OK;
	const struct market *market = &markets->market[from->market];
	if (held == MARKET_NONE || !str_equal(from->base, str_of(markets->currency[market->base])) ||
	    !str_equal(from->quote, str_of(markets->currency[market->quote])))
		return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: id %u belongs to %s (%s/%s)",
				    TEXT(from->symbol), from->market, market->symbol, markets->currency[market->base],
				    markets->currency[market->quote]);
	return TG_OK;
}

static int room_check(const struct markets *markets, const struct tg_instrument *from, struct tg_error *ret_error)
{
	if (from->market == MARKETS_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "market %.*s: more than %d markets (MARKETS_MAX)",
				    TEXT(from->symbol), MARKETS_MAX);
	uint32_t wanted = *currency_slot(markets, from->base) == 0;
	wanted += *currency_slot(markets, from->quote) == 0;
	wanted += from->fee_currency.len && *currency_slot(markets, from->fee_currency) == 0;
	if (markets->currency_count + wanted > CURRENCIES_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "market %.*s: more than %d currencies (CURRENCIES_MAX)",
				    TEXT(from->symbol), CURRENCIES_MAX);
	return TG_OK;
}

static int decimals_check(const struct tg_instrument *from, struct tg_error *ret_error)
{
	const struct {
		const char *name;
		struct tg_decimal value;
		int64_t least;
	} field[] = {
		{"tick", from->tick, 1},
		{"lot", from->lot, 1},
		{"min_qty", from->min_qty, 0},
		{"max_qty", from->max_qty, 0},
		{"min_notional", from->min_notional, 0},
		{"taker_bps", from->taker_bps, 0},
		{"maker_bps", from->maker_bps, 0},
	};

	for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
		if (field[i].value.scale < 0 || field[i].value.scale > SCALE_MAX)
			return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: %s has scale %d, not 0 to %d",
					    TEXT(from->symbol), field[i].name, field[i].value.scale, SCALE_MAX);
		if (field[i].value.mantissa < field[i].least)
			return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: %s must %s", TEXT(from->symbol),
					    field[i].name, field[i].least ? "be positive" : "not be negative");
	}
	if (from->fee_scale < 0 || from->fee_scale > SCALE_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: fee_scale is %d, not 0 to %d",
				    TEXT(from->symbol), from->fee_scale, SCALE_MAX);
	if (from->status < TG_MARKET_TRADING || from->status > TG_MARKET_DELISTED)
		return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: status %d is unknown", TEXT(from->symbol),
				    from->status);
	return TG_OK;
}

static tg_amount power_of_ten(int32_t exponent)
{
	tg_amount power = 1;

	while (exponent-- > 0)
		power *= 10;
	return power;
}

static int units_read(const struct tg_instrument *from, struct market *ret_market, struct tg_error *ret_error)
{
	struct tg_decimal tick = tg_decimal_normalise(from->tick);
	struct tg_decimal lot = tg_decimal_normalise(from->lot);
	tg_amount product = (tg_amount)tick.mantissa * lot.mantissa;

	if (tick.scale + lot.scale > TG_AMOUNT_SCALE)
		return tg_error_set(ret_error, TG_ERR_OVERFLOW, "market %.*s: tick times lot is finer than 1e-18",
				    TEXT(from->symbol));
	if (__builtin_mul_overflow(product, power_of_ten(TG_AMOUNT_SCALE - tick.scale - lot.scale),
				   &ret_market->quote_unit) ||
	    tg_amount_from_decimal(lot, &ret_market->lot_unit) ||
	    tg_amount_from_decimal(from->min_notional, &ret_market->min_notional))
		return tg_error_set(ret_error, TG_ERR_OVERFLOW, "market %.*s: tick, lot or min_notional is too large",
				    TEXT(from->symbol));
	ret_market->tick = from->tick;
	ret_market->lot = from->lot;
	ret_market->tick_size = (double)tick.mantissa / (double)power_of_ten(tick.scale);
	return TG_OK;
}

static int bounds_read(const struct tg_instrument *from, struct market *ret_market, struct tg_error *ret_error)
{
	tg_amount least = steps_of(from->min_qty, from->lot, TG_ROUND_UP);
	tg_amount most = from->max_qty.mantissa ? steps_of(from->max_qty, from->lot, TG_ROUND_DOWN) : INT64_MAX;

	if (least < 1)
		least = 1;
	if (least > INT64_MAX)
		return tg_error_set(ret_error, TG_ERR_OVERFLOW, "market %.*s: min_qty has too many lots",
				    TEXT(from->symbol));
	if (most > INT64_MAX)
		most = INT64_MAX;
	if (least > most)
		return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: no whole lot between min_qty and max_qty",
				    TEXT(from->symbol));
	ret_market->min_lots = (int64_t)least;
	ret_market->max_lots = (int64_t)most;
	return TG_OK;
}

static int fees_read(const struct tg_instrument *from, struct market *ret_market, struct tg_error *ret_error)
{
	if (tg_rate_e9_from_bps(from->taker_bps, &ret_market->taker_e9) ||
	    tg_rate_e9_from_bps(from->maker_bps, &ret_market->maker_e9))
		return tg_error_set(ret_error, TG_ERR_OVERFLOW, "market %.*s: a fee is finer than 0.00001 bps",
				    TEXT(from->symbol));
	if (ret_market->taker_e9 >= TG_E9 || ret_market->maker_e9 >= TG_E9)
		return tg_error_set(ret_error, TG_ERR_INVALID, "market %.*s: a fee must be under 10000 bps",
				    TEXT(from->symbol));
	ret_market->fee_scale = from->fee_scale;
	return TG_OK;
}

static void rate_units_set(struct market *market)
{
	bool trading = market->status == TG_MARKET_TRADING;
	double kept = trading ? (double)(TG_E9 - market->taker_e9) / (double)TG_E9 : 0;

	market->sell_unit = market->tick_size * kept;
	market->buy_unit = kept / market->tick_size;
}

static struct unit_form form_of(tg_amount unit)
{
	struct unit_form form = {0};

	for (; form.zeros < TG_AMOUNT_SCALE && unit % 10 == 0; unit /= 10)
		form.zeros++;
	form.part = unit <= INT64_MAX ? (int64_t)unit : 0;
	return form;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b != 0) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static void forms_set(struct market *market)
{
	market->lot_form = form_of(market->lot_unit);
	market->quote_form = form_of(market->quote_unit);
	tg_amount step = power_of_ten(market->quote_form.zeros);
	tg_amount steps = market->min_notional / step + (market->min_notional % step > 0);
	market->notional_steps = steps <= INT64_MAX ? (int64_t)steps : -1;
	int64_t common = common_divisor(market->taker_e9, TG_E9);
	market->fee_part = market->taker_e9 / common;
	market->fee_whole = TG_E9 / common;
}

static int instrument_read(const struct markets *markets, const struct tg_instrument *from, struct market *ret_market,
			   struct tg_error *ret_error)
{
	int (*const check[])(const struct markets *, const struct tg_instrument *,
			     struct tg_error *) = {names_check, identity_check, room_check};
	int (*const read[])(const struct tg_instrument *, struct market *,
			    struct tg_error *) = {units_read, bounds_read, fees_read};
	int status = TG_OK;

	for (size_t i = 0; status == TG_OK && i < sizeof check / sizeof *check; i++)
		status = check[i](markets, from, ret_error);
	if (status == TG_OK)
		status = decimals_check(from, ret_error);
	for (size_t i = 0; status == TG_OK && i < sizeof read / sizeof *read; i++)
		status = read[i](from, ret_market, ret_error);
	ret_market->version = from->version;
	ret_market->status = from->status;
	return status;
}

static void market_add(struct markets *markets, const struct tg_instrument *from)
{
	struct market *market = &markets->market[markets->market_count];

	memset(market, 0, sizeof *market);
	market->id = markets->market_count;
	name_copy(market->symbol, SYMBOL_MAX, from->symbol);
	market->base = markets_currency(markets, from->base, true);
	market->quote = markets_currency(markets, from->quote, true);
	market->fee_currency = CURRENCY_NONE;
	assert(market->base != CURRENCY_NONE && market->quote != CURRENCY_NONE); /* room_check */
	*symbol_slot(markets, from->symbol) = ++markets->market_count;
	uint32_t *pair = pair_slot(markets, market->base, market->quote);
	if (*pair == 0)
		*pair = markets->market_count;
	markets->topology++;
}

static bool decimal_differs(struct tg_decimal a, struct tg_decimal b)
{
	return a.mantissa != b.mantissa || a.scale != b.scale;
}

static bool grid_differs(const struct market *a, const struct market *b)
{
	return decimal_differs(a->tick, b->tick) || decimal_differs(a->lot, b->lot);
}

static bool terms_differ(const struct market *a, const struct market *b)
{
	return a->status != b->status || a->fee_currency != b->fee_currency || a->min_lots != b->min_lots ||
	       a->max_lots != b->max_lots || a->min_notional != b->min_notional || a->taker_e9 != b->taker_e9 ||
	       a->maker_e9 != b->maker_e9 || a->fee_scale != b->fee_scale;
}

/* Take everything but names and book from `terms`. */
static void terms_take(struct market *market, const struct market *terms)
{
	market->version = terms->version;
	market->status = terms->status;
	market->fee_currency = terms->fee_currency;
	market->tick = terms->tick;
	market->lot = terms->lot;
	market->lot_unit = terms->lot_unit;
	market->quote_unit = terms->quote_unit;
	market->min_lots = terms->min_lots;
	market->max_lots = terms->max_lots;
	market->min_notional = terms->min_notional;
	market->taker_e9 = terms->taker_e9;
	market->maker_e9 = terms->maker_e9;
	market->fee_scale = terms->fee_scale;
	market->tick_size = terms->tick_size;
	rate_units_set(market);
	forms_set(market);
}

int markets_update(struct markets *markets, const struct tg_instrument *instrument, struct tg_error *ret_error)
{
	struct market terms = {0};
	int status = instrument_read(markets, instrument, &terms, ret_error);

	if (status != TG_OK)
		return status;
	if (instrument->market == markets->market_count)
		market_add(markets, instrument);
	terms.fee_currency = instrument->fee_currency.len ? markets_currency(markets, instrument->fee_currency, true)
							  : CURRENCY_NONE;
	struct market *market = &markets->market[instrument->market];
	bool regridded = grid_differs(market, &terms);
	if (regridded)
		book_clear(&market->book);
	if (regridded || terms_differ(market, &terms))
		markets->generation++;
	terms_take(market, &terms);
	return TG_OK;
}
