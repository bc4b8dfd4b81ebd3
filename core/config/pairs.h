/* Cycle lists: CSV `base,inter,quote,pair1,pair2,pair3,fee_bps,min_profit_bps`, one cycle a line. Empty lines and lines
 * that begin with # are passed over; the header line is required, so that swapped columns are noticed. [control] */
#ifndef TRIGATE_CORE_CONFIG_PAIRS_H
#define TRIGATE_CORE_CONFIG_PAIRS_H

#include "core/config/config.h"

#define PAIRS_BYTES_MAX (16 * 1024 * 1024) /* 100,000 cycles take about 6 MB */

/* Read and check a list; every problem with its line and column goes to the report. Returns 0, TG_ERR_IO or
 * TG_ERR_INVALID. */
int pairs_load(const char *path, struct config_report *report, struct cycle_list *ret_list);
int pairs_parse(const char *name, const char *text, size_t len, struct config_report *report,
		struct cycle_list *ret_list);
void pairs_clear(struct cycle_list *list);

#endif
