/* UTF-8 as RFC 3629 has it: shortest forms, no surrogates, up to U+10FFFF. Pure; any thread. */
#ifndef TRIGATE_CORE_BASE_UTF8_H
#define TRIGATE_CORE_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the character that text begins with; 0: it is none, or not all of it is within `left`. */
size_t utf8_length(const char *text, size_t left);

/* Make it UTF-8 in place: each byte that is none becomes '?'. */
void utf8_repair(char *text, size_t len);

#endif
