/* A gateway in this process, for who measures it from inside. Owner: the loop thread. */
#ifndef TRIGATE_BENCH_WIRE_GATEWAY_H
#define TRIGATE_BENCH_WIRE_GATEWAY_H

#include "bench/wire/exchange.h"
#include "core/gateway.h"

struct gateway *bench_gateway_open(const struct gateway_files *files, const struct outside *outside);
/* Is there a book of every market, and are EXCHANGE_TICKER's cycles as many as they should be? */
bool gateway_is_quoted(const struct gateway *gateway);
/* The last decision: why it is not trading. */
const char *gateway_last_word(void);
/* Its state alone, so that the next one begins anew. */
void gateway_state_remove(const char *folder);
/* All that it left in the folder. */
void gateway_files_remove(const char *folder);

#endif
