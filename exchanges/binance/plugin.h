/* The connector as the host sees it, also where it is linked instead of loaded: registry_add takes an entry with this
 * vtable and this manifest. Read-only. */
#ifndef TRIGATE_EXCHANGES_BINANCE_PLUGIN_H
#define TRIGATE_EXCHANGES_BINANCE_PLUGIN_H

#include <trigate/exchange.h>

#define BINANCE_ID "binance"
#define BINANCE_VERSION "0.1.0"

extern const struct tg_exchange_api binance_api;
extern const char *const binance_manifest; /* JSON, as in the plugin's note */

#endif
