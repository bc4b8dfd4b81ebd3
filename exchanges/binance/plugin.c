/* exchanges/binance as a plugin: its entry. manifest.c says what it is, spot.c is where it begins,
 * docs/exchanges/binance.md is its manual. */
#include "exchanges/binance/plugin.h"

TG_PLUGIN(TG_KIND_EXCHANGE, BINANCE_ID, BINANCE_VERSION, &binance_api);
