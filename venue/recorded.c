/* Markets from a CSV as markets of the venue. Prices off the tick and quantities off the lot are rounded against the
 * taker (bid down, ask up, quantity down); a side that rounds to nothing is not quoted. Crossed rows stay as they are:
 * what to make of impossible quotes is the gateway's question. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venue/csv.h"
#include "venue/venue_state.h"

struct quote {
	int64_t price; /* mantissas */
	int64_t qty;   /* what is left of it */
};

struct recorded {
	struct quote *bid; /* by market */
	struct quote *ask;
	uint32_t count;
};

struct loading {
	const char *path;
	struct tg_error *error;
	struct venue_market *market;
	char (*currency)[VENUE_CURRENCY_MAX];
	uint32_t currency_count;
};

/* value at a scale as a multiple of step (mantissas), rounded down or up. False if it is out of range. */
static bool to_grid(struct tg_decimal value, int32_t scale, int64_t step, bool up, int64_t *ret_mantissa)
{
	const __int128 most = VENUE_MANTISSA_MAX;
	__int128 mantissa = value.mantissa;
	__int128 rest = 0;
	for (int32_t s = value.scale; s < scale && mantissa <= most; s++)
		mantissa *= 10;
	for (int32_t s = scale; s < value.scale; s++) {
		rest |= mantissa % 10;
		mantissa /= 10;
	}
	rest |= mantissa % step;
	mantissa = (mantissa / step + (up && rest)) * step;
	if (mantissa > most)
		return false;
	*ret_mantissa = (int64_t)mantissa;
	return true;
}

/* A positive decimal as the smallest scale and mantissa: the unit of a market's prices or quantities. */
static bool step_take(struct tg_decimal step, int32_t *ret_scale, int64_t *ret_step)
{
	struct tg_decimal plain = tg_decimal_normalise(step);
	*ret_scale = plain.scale;
	*ret_step = plain.mantissa;
	return plain.mantissa <= VENUE_MANTISSA_MAX;
}

static uint32_t currency_take(struct loading *loading, const char *name)
{
	for (uint32_t i = 0; i < loading->currency_count; i++)
		if (strcmp(loading->currency[i], name) == 0)
			return i;
	snprintf(loading->currency[loading->currency_count], VENUE_CURRENCY_MAX, "%s", name);
	return loading->currency_count++;
}

static int32_t refuse(const struct loading *loading, const struct csv_row *row, const char *column, const char *what)
{
	return tg_error_set(loading->error, TG_ERR_INVALID, "%s:%d: %s: %s", loading->path, row->line, column, what);
}

static int32_t filters_take(struct loading *loading, const struct csv_row *row, struct venue_market *market)
{
	if (!step_take(row->tick, &market->price_scale, &market->tick))
		return refuse(loading, row, "tick", "too large, at most 1e15 of its last place");
	if (!step_take(row->lot, &market->qty_scale, &market->lot))
		return refuse(loading, row, "lot", "too large, at most 1e15 of its last place");
	if (market->price_scale + market->qty_scale > TG_AMOUNT_SCALE)
		return refuse(loading, row, "lot", "tick times lot is finer than 18 decimals");
	if (tg_amount_from_decimal(row->min_notional, &market->min_notional) != TG_OK)
		return refuse(loading, row, "min_notional", "out of range");
	if (tg_rate_e9_from_bps(row->taker_bps, &market->taker_e9) != TG_OK)
		return refuse(loading, row, "taker_bps", "finer than 0.00001 bps");
	market->maker_e9 = market->taker_e9;
	market->min_qty = market->lot;
	return TG_OK;
}

static int32_t quote_take(const struct loading *loading, const struct csv_row *row, const struct venue_market *market,
			  bool is_ask, struct quote *ret_quote)
{
	struct tg_decimal price = is_ask ? row->ask : row->bid, qty = is_ask ? row->ask_qty : row->bid_qty;
	struct quote quote = {0};
	if (!to_grid(price, market->price_scale, market->tick, is_ask, &quote.price))
		return refuse(loading, row, is_ask ? "ask" : "bid", "too large, at most 1e15 of the tick's last place");
	if (!to_grid(qty, market->qty_scale, market->lot, false, &quote.qty))
		return refuse(loading, row, is_ask ? "ask_qty" : "bid_qty",
			      "too large, at most 1e15 of the lot's last place");
	if (quote.price && quote.qty && !engine_cost_fits(market, quote.price, quote.qty))
		return refuse(loading, row, is_ask ? "ask_qty" : "bid_qty", "price times quantity is too large");
	if (quote.price && quote.qty)
		*ret_quote = quote;
	return TG_OK;
}

static int32_t row_take(struct loading *loading, const struct csv_row *row, struct venue_market *market,
			struct recorded *recorded)
{
	uint32_t at = recorded->count++;
	snprintf(market->symbol, sizeof market->symbol, "%s", row->market);
	market->status = TG_MARKET_TRADING;
	market->version = 1;
	market->base = currency_take(loading, row->base);
	market->quote = currency_take(loading, row->quote);
	int32_t status = filters_take(loading, row, market);
	if (status == TG_OK) {
		market_units_set(market);
		status = quote_take(loading, row, market, false, &recorded->bid[at]);
	}
	return status == TG_OK ? quote_take(loading, row, market, true, &recorded->ask[at]) : status;
}

static int32_t rows_take(struct loading *loading, const struct csv_markets *csv, struct recorded *recorded)
{
	int32_t status = TG_OK;
	for (size_t i = 0; i < csv->count && status == TG_OK; i++)
		status = row_take(loading, &csv->row[i], &loading->market[i], recorded);
	return status;
}

int32_t recorded_read(const char *path, uint32_t more, struct recorded **ret_recorded, struct world *ret_world,
		      struct tg_error *ret_error)
{
	struct csv_markets csv = {0};
	int32_t status = csv_markets_read(path, &csv, ret_error);
	if (status != TG_OK)
		return status;
	uint32_t room = 2 * (uint32_t)csv.count + more;
	struct loading loading = {.path = path, .error = ret_error};
	struct recorded *recorded = calloc(1, sizeof *recorded);
	loading.market = calloc(csv.count, sizeof *loading.market);
	loading.currency = calloc(room, sizeof *loading.currency);
	if (recorded) {
		recorded->bid = calloc(csv.count, sizeof *recorded->bid);
		recorded->ask = calloc(csv.count, sizeof *recorded->ask);
	}
	if (!recorded || !recorded->bid || !recorded->ask || !loading.market || !loading.currency)
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "%s: out of memory", path);
	else
		status = rows_take(&loading, &csv, recorded);
	if (status == TG_OK) {
		*ret_recorded = recorded;
		*ret_world = (struct world){.market = loading.market,
					    .market_count = (uint32_t)csv.count,
					    .currency = loading.currency,
					    .currency_count = loading.currency_count,
					    .currency_room = room};
	} else {
		free(loading.market);
		free(loading.currency);
		recorded_destroy(recorded);
	}
	csv_markets_clear(&csv);
	return status;
}

void recorded_fund(const struct recorded *recorded, struct engine *engine)
{
	for (uint32_t i = 0; i < recorded->count; i++) {
		const struct venue_market *market = &engine->market[i];
		const struct quote *bid = &recorded->bid[i], *ask = &recorded->ask[i];
		accounts_deposit(&engine->accounts, OWNER_MAKERS, market->quote,
				 engine_cost(market, TG_SIDE_BUY, bid->price, bid->qty));
		accounts_deposit(&engine->accounts, OWNER_MAKERS, market->base,
				 engine_cost(market, TG_SIDE_SELL, ask->price, ask->qty));
	}
}

void recorded_consume(struct recorded *recorded, uint32_t market, int32_t taker_side, int64_t qty)
{
	struct quote *quote = taker_side == TG_SIDE_BUY ? &recorded->ask[market] : &recorded->bid[market];
	quote->qty = quote->qty > qty ? quote->qty - qty : 0;
}

static void side_quote(const struct quote *quote, struct engine *engine, uint32_t market, int32_t side)
{
	if (quote->qty)
		engine_rest(engine, &(struct new_order){.market = market,
							.owner = OWNER_MAKERS,
							.side = side,
							.time_in_force = TG_TIF_GTC,
							.price = quote->price,
							.qty = quote->qty});
}

void recorded_quote(struct recorded *recorded, struct engine *engine)
{
	for (uint32_t i = 0; i < recorded->count; i++) {
		side_quote(&recorded->bid[i], engine, i, TG_SIDE_BUY);
		side_quote(&recorded->ask[i], engine, i, TG_SIDE_SELL);
	}
}

void recorded_destroy(struct recorded *recorded)
{
	if (!recorded)
		return;
	free(recorded->bid);
	free(recorded->ask);
	free(recorded);
}
