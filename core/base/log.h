/* Structured log: one event name, then key-value fields. Owner: the process; sink set once at start. Any thread may
 * write; the sink serialises. */
#ifndef TRIGATE_CORE_BASE_LOG_H
#define TRIGATE_CORE_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include <trigate/abi.h>

enum log_level { LOG_DEBUG = TG_LOG_DEBUG, LOG_INFO = TG_LOG_INFO, LOG_WARN = TG_LOG_WARN, LOG_ERROR = TG_LOG_ERROR };

struct log_field {
	const char *key;
	const char *text; /* NULL: the number counts */
	size_t text_len;  /* 0 with text != NULL: up to NUL */
	int64_t number;
};

#define LOG_S(k, t) ((struct log_field){.key = (k), .text = (t)})
#define LOG_T(k, s) ((struct log_field){.key = (k), .text = (s).len > 0 ? (s).ptr : "", .text_len = (size_t)(s).len})
#define LOG_I(k, n) ((struct log_field){.key = (k), .number = (int64_t)(n)})

/* Takes one record; borrowed for the call. Called with the log's lock held, from any thread. */
typedef void (*log_sink_fn)(void *ctx, enum log_level level, const char *event, const struct log_field *fields,
			    size_t count);

/* NULL restores the default sink: text lines to stderr. */
void log_set_sink(log_sink_fn sink, void *ctx);
void log_set_level(enum log_level least);
const char *log_level_name(enum log_level level);
/* "debug" "info" "warn" "error" to a level; returns 0 or TG_ERR_INVALID. */
int log_level_parse(const char *name, enum log_level *ret_level);

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);

#define LOG_AT(level, event, ...) \
	log_write((level), (event), (const struct log_field[]){__VA_ARGS__}, \
		  sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
#define log_debug(event, ...) LOG_AT(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) LOG_AT(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) LOG_AT(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) LOG_AT(LOG_ERROR, event, __VA_ARGS__)

#endif
