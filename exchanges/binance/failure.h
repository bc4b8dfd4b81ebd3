/* Binance's error codes as the SDK's classes. Pure. [any] */
#ifndef TRIGATE_EXCHANGES_BINANCE_FAILURE_H
#define TRIGATE_EXCHANGES_BINANCE_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/error.h>

/* What a refusal (HTTP status, or `status` of the WebSocket API, Binance's code and text) means for a request.
 * `changes`: the request was one that places or cancels. Every code of Binance's list has its line in the table; one
 * that is not there is of unknown outcome if it changes something. Fills ret_error (code, exchange_code, message,
 * retry_after_ns) and returns its code. */
int32_t failure_classify(bool changes, int32_t status, int64_t code, struct tg_str text, struct tg_error *ret_error);

/* {"code":-1121,"msg":"Invalid symbol."}, the body of a REST refusal. 0: it is none. */
int64_t failure_read(const uint8_t *bytes, size_t count, char *ret_text, size_t room);

#endif
