/* Memory for configuration. A file is at most a megabyte and is read at start, before anything is at stake: where even
 * that cannot be had, the process says so and ends, and no caller has a path for it. [control] */
#ifndef TRIGATE_CORE_CONFIG_MEMORY_H
#define TRIGATE_CORE_CONFIG_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

void *memory_new(size_t size); /* zeroed */
void *memory_resize(void *old, size_t count, size_t size);
char *memory_copy(const char *text);
char *memory_copy_part(const char *text, size_t len);
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *memory_format_list(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

#endif
