#include "venue/binance/failure.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int32_t status;
	int32_t code;
	const char *text;
} failures[FAIL_COUNT] = {
#define FAILURE_ROW(name, status, code, text) [FAIL_##name] = {status, code, text},
	FAILURE_TABLE(FAILURE_ROW)
#undef FAILURE_ROW
};

/* The template's text with each %s replaced in turn. */
static void text_fill(const char *template, const char *const values[2], char *out, size_t room)
{
	size_t used = 0;
	for (uint32_t next = 0; *template && used + 1 < room; template ++) {
		if (template[0] != '%' || template[1] != 's') {
			out[used++] = *template;
			continue;
		}
		assert(next < 2 && values[next]);
		used += (size_t)snprintf(out + used, room - used, "%s", values[next++]);
		template ++;
	}
	out[used < room ? used : room - 1] = '\0';
}

bool failure_set(struct failure *failure, enum failure_kind kind, const char *a, const char *b)
{
	assert(kind > FAIL_NONE && kind < FAIL_COUNT);
	failure->kind = kind;
	failure->status = failures[kind].status;
	failure->code = failures[kind].code;
	text_fill(failures[kind].text, (const char *const[2]){a, b}, failure->text, sizeof failure->text);
	return false;
}
