/* A time as machines and people can read it. Pure; any thread. */
#ifndef TRIGATE_CORE_BASE_STAMP_H
#define TRIGATE_CORE_BASE_STAMP_H

#include <stdint.h>

#define STAMP_MAX 64

/* "2026-11-22T15:48:27.123456Z" of a unix time; "-" for 0 and before. Returns buffer. */
const char *stamp_of(char buffer[STAMP_MAX], int64_t unix_ns);

#endif
