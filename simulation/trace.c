#include "simulation/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/abi.h>

#include "simulation/ground.h"
#include "simulation/witness.h"

#define LINE_BYTES_MAX 1024 /* a longer line is cut */
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* The text is appended to a buffer of twice what is kept; when that is full, the kept half moves to its start. */
struct trace {
	const struct loop *time;
	uint64_t digest, lines;
	size_t keep, length;
	char text[];
};

static size_t keep_whole_line(size_t keep)
{
	return keep > 0 && keep < LINE_BYTES_MAX ? LINE_BYTES_MAX : keep;
}

size_t trace_size(size_t keep)
{
	return sizeof(struct trace) + 2 * keep_whole_line(keep);
}

static struct trace *trace_memory(size_t size)
{
	if (!witness || witness->room_size < size)
		return malloc(size);
	witness->trace = (struct trace *)witness->room;
	return witness->trace;
}

int trace_create(const struct loop *time, size_t keep, struct trace **ret_trace)
{
	keep = keep_whole_line(keep);
	struct trace *trace = trace_memory(trace_size(keep));
	if (!trace)
		return TG_ERR_NO_MEMORY;
	*trace = (struct trace){.time = time, .digest = FNV_START, .keep = keep};
	*ret_trace = trace;
	return TG_OK;
}

void trace_destroy(struct trace *trace)
{
	if (!witness || trace != witness->trace)
		free(trace);
}

static uint64_t fnv1a(uint64_t digest, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		digest = (digest ^ (uint8_t)bytes[i]) * FNV_PRIME;
	return digest;
}

/* Where the text that is kept begins: at the start of a line, `keep` bytes before the end at most. */
static size_t kept_from(const struct trace *trace)
{
	if (trace->length <= trace->keep)
		return 0;
	size_t from = trace->length - trace->keep;
	const char *newline = memchr(trace->text + from - 1, '\n', trace->keep + 1);
	return (size_t)(newline - trace->text) + 1;
}

static void keep_line(struct trace *trace, const char *line, size_t length)
{
	if (trace->length + length > 2 * trace->keep) {
		size_t from = kept_from(trace);
		memmove(trace->text, trace->text + from, trace->length - from);
		trace->length -= from;
	}
	memcpy(trace->text + trace->length, line, length);
	trace->length += length;
}

static char *put_digits(char *out, uint64_t value, int digits)
{
	for (int i = digits; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + digits;
}

/* "00:01:02.345678  ": by hand, as there are some hundred thousand lines in a run. */
static char *put_time(char *out, int64_t ns)
{
	uint64_t us = (uint64_t)ns / 1000, s = us / 1000000, hours = s / 3600;
	out = put_digits(out, hours, hours < 100 ? 2 : 6);
	*out++ = ':';
	out = put_digits(out, s / 60 % 60, 2);
	*out++ = ':';
	out = put_digits(out, s % 60, 2);
	*out++ = '.';
	out = put_digits(out, us % 1000000, 6);
	*out++ = ' ';
	*out++ = ' ';
	return out;
}

static char *put_who(char *out, const char *who)
{
	int width = 0;
	for (; *who && width < 16; width++)
		*out++ = *who++;
	for (; width < 5; width++)
		*out++ = ' ';
	*out++ = ' ';
	*out++ = ' ';
	return out;
}

static size_t one_line(char *text, size_t length)
{
	for (char *at = text; (at = memchr(at, '\n', (size_t)(text + length - at))) != NULL;)
		*at = ' ';
	text[length] = '\n';
	return length + 1;
}

void trace_add(struct trace *trace, const char *who, const char *format, ...)
{
	char line[LINE_BYTES_MAX];
	int64_t now_ns = loop_mono_ns(trace->time) - WORLD_START_MONO_NS;
	char *text = put_who(put_time(line, now_ns), who);
	size_t room = (size_t)(line + sizeof line - text);
	va_list args;
	va_start(args, format);
	int wanted = vsnprintf(text, room, format, args);
	va_end(args);
	if (wanted < 0)
		wanted = 0;
	size_t length = (size_t)(text - line) + one_line(text, (size_t)wanted < room ? (size_t)wanted : room - 1);
	trace->digest = fnv1a(trace->digest, line, length);
	trace->lines++;
	if (trace->keep > 0)
		keep_line(trace, line, length);
	if (witness)
		witness->at_ns = now_ns;
}

uint64_t trace_digest(const struct trace *trace)
{
	return trace->digest;
}

uint64_t trace_lines(const struct trace *trace)
{
	return trace->lines;
}

const char *trace_text(const struct trace *trace, size_t *ret_length)
{
	size_t from = kept_from(trace);
	*ret_length = trace->length - from;
	return trace->text + from;
}
