/* Markets from a CSV file: one row a market, with its best quotes, filters and fee. Owner: whoever read it; read-only
 * afterwards. [control]
 *
 *   # a comment; empty lines are skipped
 *   market,base,quote,bid,bid_qty,ask,ask_qty,tick,lot,min_notional,taker_bps
 *   BTC-USDT,BTC,USDT,9600.0,1.4891,9681.0,1.4891,0.01,0.0001,10,7.5
 *
 * The header names the columns, each exactly once, in any order. Numbers are exact as they stand in the file. bid,
 * bid_qty, ask, ask_qty may be empty or 0: no quote on that side. Prices need not be multiples of tick, nor quantities
 * of lot, and a row may be crossed: this reader tells what the file says; who trades it decides (venue: rounds against
 * the taker). tick and lot are above 0, no number is negative, no market comes twice. */
#ifndef TRIGATE_VENUE_CSV_H
#define TRIGATE_VENUE_CSV_H

#include <stddef.h>
#include <stdint.h>

#include <trigate/amount.h>
#include <trigate/error.h>

#define CSV_SYMBOL_MAX 48   /* with NUL */
#define CSV_CURRENCY_MAX 24 /* with NUL */
#define CSV_ROWS_MAX 8192
#define CSV_FILE_MAX (16 << 20) /* bytes; 8192 rows of the longest fields fit many times */

struct csv_row {
	int line; /* in the file, from 1 */
	char market[CSV_SYMBOL_MAX];
	char base[CSV_CURRENCY_MAX];
	char quote[CSV_CURRENCY_MAX];
	struct tg_decimal bid; /* mantissa 0: no bid */
	struct tg_decimal bid_qty;
	struct tg_decimal ask;
	struct tg_decimal ask_qty;
	struct tg_decimal tick;
	struct tg_decimal lot;
	struct tg_decimal min_notional;
	struct tg_decimal taker_bps;
};

struct csv_markets {
	struct csv_row *row; /* in the order of the file */
	size_t count;        /* at least 1 */
};

/* Read a file. Errors: TG_ERR_IO (cannot be read), TG_ERR_INVALID (what is in it), TG_ERR_LIMIT (too large),
 * TG_ERR_NO_MEMORY; the message is "FILE:LINE: COLUMN: what is wrong and what is allowed". */
int32_t csv_markets_read(const char *path, struct csv_markets *ret_markets, struct tg_error *ret_error);

/* The same from memory; name stands for the file in messages. */
int32_t csv_markets_parse(const char *name, const char *text, size_t size, struct csv_markets *ret_markets,
			  struct tg_error *ret_error);

void csv_markets_clear(struct csv_markets *markets);

#endif
