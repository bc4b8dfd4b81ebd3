/* Which markets and cycles a strategy lets be traded. Symbols are compared without case and separators, so that
 * BTC/USDT in a file finds BTC-USDT or BTCUSDT of an exchange. Pure; any thread. */
#ifndef TRIGATE_CORE_CONFIG_SELECT_H
#define TRIGATE_CORE_CONFIG_SELECT_H

#include "core/config/config.h"

bool symbols_same(const char *a, const char *b);

/* Put the lines of a cycle list in the order in which strategy_cycle_allowed searches them. */
void cycle_list_sort(struct cycle_list *list);

/* The order of cycle_list_sort: 0 if both have the same three markets. */
int listed_cycle_compare(const struct listed_cycle *a, const struct listed_cycle *b);

#endif
