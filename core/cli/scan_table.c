#include "core/cli/scan_table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/market/steps.h"

#define FEE_SCALE 8 /* the file does not tell; most exchanges round fees to 8 decimals */

static struct tg_str str_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static int instrument_add(struct scan_table *table, const char *file, uint32_t id, struct tg_error *ret_error)
{
	const struct csv_row *row = &table->csv.row[id];
	struct tg_error error = tg_error_init();
	struct tg_instrument instrument = {
		.size = sizeof instrument,
		.market = id,
		.version = 1,
		.status = TG_MARKET_TRADING,
		.symbol = str_of(row->market),
		.base = str_of(row->base),
		.quote = str_of(row->quote),
		.tick = row->tick,
		.lot = row->lot,
		.min_notional = row->min_notional,
		.taker_bps = row->taker_bps,
		.maker_bps = row->taker_bps,
		.fee_scale = FEE_SCALE,
	};
	int status = markets_update(table->markets, &instrument, &error);
	return status == TG_OK ? TG_OK : tg_error_set(ret_error, status, "%s:%d: %s", file, row->line, error.message);
}

/* A quote in whole ticks and lots, rounded against the taker; none if nothing is left. */
static uint32_t quote_cut(const struct csv_row *row, struct tg_decimal price, struct tg_decimal qty, int32_t rounding,
			  struct tg_level *ret_level)
{
	tg_amount value;
	tg_amount ticks = steps_of(price, row->tick, rounding), lots = steps_of(qty, row->lot, TG_ROUND_DOWN);

	if (ticks <= 0 || lots <= 0 || __builtin_mul_overflow(ticks, row->tick.mantissa, &value) || value > INT64_MAX)
		return 0;
	ret_level->price = (int64_t)value;
	if (__builtin_mul_overflow(lots, row->lot.mantissa, &value) || value > INT64_MAX)
		return 0;
	ret_level->qty = (int64_t)value;
	return 1;
}

static void book_load(struct scan_table *table, uint32_t id)
{
	const struct csv_row *row = &table->csv.row[id];
	struct tg_level bid, ask;
	struct tg_book_event event = {
		.size = sizeof event,
		.market = id,
		.version = 1,
		.flags = TG_BOOK_SNAPSHOT,
		.sequence = 1,
		.bids = &bid,
		.asks = &ask,
		.bid_count = quote_cut(row, row->bid, row->bid_qty, TG_ROUND_DOWN, &bid),
		.ask_count = quote_cut(row, row->ask, row->ask_qty, TG_ROUND_UP, &ask),
	};
	int status = book_apply(&table->markets->market[id], &event);
	assert(status >= 0);
	(void)status;
}

static double decimal_double(struct tg_decimal value)
{
	return (double)value.mantissa / pow(10, value.scale);
}

static void rates_load(struct scan_table *table, uint32_t id)
{
	for (uint32_t edge = 2 * id; edge < 2 * id + 2; edge++) {
		struct exact_leg leg = scan_table_leg(table, edge);
		double price = decimal_double(leg.price), kept = 1 - decimal_double(leg.taker_bps) / 1e4;
		if (price > 0)
			table->rate[edge] = leg.side == TG_SIDE_SELL ? price * kept : kept / price;
	}
}

int scan_table_init(struct scan_table *table, const char *file, const struct tg_decimal *fee_bps,
		    struct tg_error *ret_error)
{
	*table = (struct scan_table){0};
	int status = csv_markets_read(file, &table->csv, ret_error);
	if (status != TG_OK)
		return status;
	table->rate = calloc(2 * table->csv.count, sizeof *table->rate);
	status = table->rate ? markets_create(&table->markets) : TG_ERR_NO_MEMORY;
	if (status != TG_OK)
		tg_error_set(ret_error, status, "out of memory");
	for (uint32_t id = 0; status == TG_OK && id < table->csv.count; id++) {
		if (fee_bps)
			table->csv.row[id].taker_bps = *fee_bps;
		status = instrument_add(table, file, id, ret_error);
		if (status != TG_OK)
			break;
		book_load(table, id);
		rates_load(table, id);
	}
	if (status != TG_OK)
		scan_table_finish(table);
	return status;
}

void scan_table_finish(struct scan_table *table)
{
	free(table->rate);
	markets_destroy(table->markets);
	csv_markets_clear(&table->csv);
	*table = (struct scan_table){0};
}

struct exact_leg scan_table_leg(const struct scan_table *table, uint32_t edge)
{
	const struct csv_row *row = &table->csv.row[edge_market(edge)];
	bool sells = edge_side(edge) == TG_SIDE_SELL;
	struct exact_leg leg = {
		.side = edge_side(edge),
		.price = sells ? row->bid : row->ask,
		.taker_bps = row->taker_bps,
	};

	if ((sells ? row->bid_qty : row->ask_qty).mantissa == 0)
		leg.price.mantissa = 0;
	return leg;
}
