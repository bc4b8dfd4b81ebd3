#include "core/config/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory_had(void *memory)
{
	if (memory == NULL) {
		fputs("out of memory while reading the configuration\n", stderr);
		abort();
	}
	return memory;
}

void *memory_new(size_t size)
{
	return memory_had(calloc(1, size));
}

void *memory_resize(void *old, size_t count, size_t size)
{
	return memory_had(reallocarray(old, count, size));
}

char *memory_copy(const char *text)
{
	return memory_had(strdup(text));
}

char *memory_copy_part(const char *text, size_t len)
{
	char *copy = memory_new(len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

char *memory_format_list(const char *format, va_list args)
{
	char *text = NULL;

	return memory_had(vasprintf(&text, format, args) < 0 ? NULL : text);
}

char *memory_format(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = memory_format_list(format, args);
	va_end(args);
	return text;
}
