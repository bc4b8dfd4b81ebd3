/* What texts in the files may look like. Each returns NULL, or what is wrong and what is allowed. Pure. [any] */
#ifndef TRIGATE_CORE_CONFIG_RULES_H
#define TRIGATE_CORE_CONFIG_RULES_H

#include <stdbool.h>
#include <stdint.h>

const char *rule_name(const char *text);       /* of a strategy: also fit as a file name */
const char *rule_word(const char *text);       /* of an exchange or plugin */
const char *rule_currency(const char *text);   /* BTC */
const char *rule_symbol(const char *text);     /* BTCUSDT, BTC-USDT, BTC/USDT */
const char *rule_gateway_id(const char *text); /* 4 hex digits */
const char *rule_variable(const char *text);   /* how names of environment variables begin: BINANCE_ */
const char *rule_proxy(const char *text);      /* http://HOST:PORT or none */
const char *rule_credential(const char *text); /* a file's name in the folder of credentials */

/* "2024-01-31", "2024-01-31T12:30:00Z" (a space for T; seconds and Z may be left out) or seconds since 1970, to
 * seconds since 1970 UTC. */
bool moment_parse(const char *text, int64_t *ret_seconds);

#endif
