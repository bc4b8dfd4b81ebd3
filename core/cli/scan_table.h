/* A CSV of markets as the gateway sees it, for `trigate scan`: the rows as they stand in the file for exact rates, and
 * a catalogue with books, cut to whole ticks and lots against the taker, for sizes. Owner: the scan command. */
#ifndef TRIGATE_CORE_CLI_SCAN_TABLE_H
#define TRIGATE_CORE_CLI_SCAN_TABLE_H

#include "core/arbitrage/exact.h"
#include "core/market/market.h"
#include "venue/csv.h"

struct scan_table {
	struct csv_markets csv; /* row i is market i */
	struct markets *markets;
	double *rate; /* by edge, from the file's prices and fees; 0: no quote. Screening only */
};

/* Read FILE; fee_bps overrides its fees (NULL: it does not). Errors carry FILE:LINE in their message. */
int scan_table_init(struct scan_table *table, const char *file, const struct tg_decimal *fee_bps,
		    struct tg_error *ret_error);
void scan_table_finish(struct scan_table *table);

/* The exact figures of an edge. */
struct exact_leg scan_table_leg(const struct scan_table *table, uint32_t edge);

#endif
