/* Memory of one cycle's import: taken piece by piece, given back all at once. Owner: one import. */
#ifndef TRIGATE_STORAGE_SQLITE_IMPORT_POOL_H
#define TRIGATE_STORAGE_SQLITE_IMPORT_POOL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <trigate/abi.h>

struct pool_block;
struct pool {
	struct pool_block *blocks;
	bool failed; /* memory ran out; what was taken since then is empty */
};

char *pool_take(struct pool *pool, size_t size); /* NULL: out of memory */
struct tg_str pool_copy(struct pool *pool, struct tg_str text);
/* Clean, for a text that is shown in part may be cut within a character. */
struct tg_str pool_print(struct pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct tg_str pool_print_list(struct pool *pool, const char *format, va_list values)
	__attribute__((format(printf, 2, 0)));
/* A copy without NUL bytes and broken UTF-8, which no store takes: a '?' stands for each such byte. */
struct tg_str pool_clean(struct pool *pool, struct tg_str text);
/* Its first bytes, at most so many, without half a character at their end. */
struct tg_str pool_shorten(struct tg_str text, size_t most);
void pool_reset(struct pool *pool);

#endif
