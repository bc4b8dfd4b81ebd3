/* Recorded market data, for the tests that want it: TRIGATE_DATA, else ../shared/data beside the tree. */
#ifndef TRIGATE_TESTS_BINANCE_DATA_H
#define TRIGATE_TESTS_BINANCE_DATA_H

#include <stdio.h>
#include <stdlib.h>

/* A whole file with a NUL behind it, to be freed; NULL: it is not there. */
static inline char *data_read(const char *name, size_t *ret_size)
{
	char path[1024];
	const char *data = getenv("TRIGATE_DATA"), *root = getenv("TRIGATE_SOURCE_ROOT");
	if (data)
		snprintf(path, sizeof path, "%s/%s", data, name);
	else
		snprintf(path, sizeof path, "%s/../shared/data/%s", root ? root : ".", name);
	FILE *file = fopen(path, "rb");
	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	*ret_size = (size_t)ftell(file);
	rewind(file);
	char *text = malloc(*ret_size + 1);
	if (!text || fread(text, 1, *ret_size, file) != *ret_size)
		abort();
	text[*ret_size] = '\0';
	fclose(file);
	return text;
}

#endif
