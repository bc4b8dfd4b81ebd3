/* Filling a struct tg_error (libtrigate-sdk.a). */
#ifndef TRIGATE_ERROR_H
#define TRIGATE_ERROR_H

#include <stdbool.h>

#include <trigate/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The text of a status code, "ok" to "internal error of the plugin"; never NULL. [any] */
const char *tg_status_text(int32_t code);

/* The name of a status code without prefix, "ERR_REJECTED"; "?" if there is none. [any] */
const char *tg_status_name(int32_t code);

/* Can doing the same again, unchanged, help? Unknown outcomes included. [any] */
static inline bool tg_status_may_pass(int32_t code)
{
	return code == TG_ERR_IO || code == TG_ERR_RETRYABLE || code == TG_ERR_UNKNOWN_OUTCOME ||
	       code == TG_ERR_RATE_LIMITED || code == TG_ERR_TIMEOUT || code == TG_ERR_NO_MEMORY;
}

/* Fill error (may be NULL) with code and a printf-formatted message, cut to fit. Returns code, so that a function can
 * `return tg_error_set(error, TG_ERR_IO, "cannot open %s", path);`. [any] */
int32_t tg_error_set(struct tg_error *error, int32_t code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An empty error, ready to be passed on. */
static inline struct tg_error tg_error_init(void)
{
	struct tg_error error = {0};
	error.size = sizeof error;
	return error;
}

#ifdef __cplusplus
}
#endif
#endif
