#include "storage/redis/request.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 4096

void bytes_clear(struct bytes *bytes)
{
	bytes->len = 0;
	bytes->failed = false;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

char *bytes_grow(struct bytes *bytes, size_t more)
{
	if (bytes->failed)
		return NULL;
	size_t room = bytes->room ? bytes->room * 2 : ROOM_MIN;
	while (room - bytes->len < more)
		room *= 2;
	char *data = realloc(bytes->data, room);
	if (!data) {
		bytes->failed = true;
		return NULL;
	}
	bytes->data = data;
	bytes->room = room;
	return data + bytes->len;
}

void bytes_add(struct bytes *bytes, const char *data, size_t len)
{
	char *at = bytes_reserve(bytes, len);

	if (!at || len == 0)
		return;
	memcpy(at, data, len);
	bytes->len += len;
}

size_t number_format(int64_t number, char *buffer)
{
	char digits[NUMBER_TEXT_MAX];
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	size_t len = 0, at = 0;

	do
		digits[len++] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		buffer[at++] = '-';
	while (len > 0)
		buffer[at++] = digits[--len];
	return at;
}

void bytes_number(struct bytes *bytes, int64_t number)
{
	char *at = bytes_reserve(bytes, NUMBER_TEXT_MAX);

	if (at)
		bytes->len += number_format(number, at);
}

/* "$LEN\r\n", with room for so many bytes and their "\r\n" behind it. */
static char *argument_begin(struct bytes *bytes, size_t len)
{
	char *at = bytes_reserve(bytes, 1 + NUMBER_TEXT_MAX + 2 + len + 2);

	if (!at)
		return NULL;
	*at++ = '$';
	at += number_format((int64_t)len, at);
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

static char *copy(char *at, struct tg_str text)
{
	if (text.len > 0)
		memcpy(at, text.ptr, text.len);
	return at + text.len;
}

static void argument_end(struct bytes *bytes, char *at)
{
	*at++ = '\r';
	*at++ = '\n';
	bytes->len = (size_t)(at - bytes->data);
}

void request_begin(struct bytes *request, uint32_t count)
{
	bytes_clear(request);
	request_next(request, count);
}

void request_next(struct bytes *request, uint32_t count)
{
	bytes_add(request, "*", 1);
	bytes_number(request, count);
	bytes_add(request, "\r\n", 2);
}

void request_text(struct bytes *request, struct tg_str text)
{
	char *at = argument_begin(request, text.len);

	if (at)
		argument_end(request, copy(at, text));
}

void request_number(struct bytes *request, int64_t number)
{
	char digits[NUMBER_TEXT_MAX];
	size_t len = number_format(number, digits);

	request_text(request, (struct tg_str){digits, len});
}

void part_clear(struct part *part)
{
	bytes_clear(&part->bytes);
	part->count = 0;
}

void part_text(struct part *part, struct tg_str text)
{
	request_text(&part->bytes, text);
	part->count++;
}

void part_pair(struct part *part, struct tg_str first, struct tg_str second)
{
	char *at = argument_begin(&part->bytes, first.len + 1 + second.len);

	part->count++;
	if (!at)
		return;
	at = copy(at, first);
	*at++ = '\0';
	argument_end(&part->bytes, copy(at, second));
}

void part_number(struct part *part, int64_t number)
{
	request_number(&part->bytes, number);
	part->count++;
}

void part_zero(struct part *part)
{
	static const char zero[] = "$1\r\n0\r\n";

	bytes_add(&part->bytes, zero, sizeof zero - 1);
	part->count++;
}

void part_add(struct bytes *request, const struct part *part)
{
	bytes_add(request, part->bytes.data, part->bytes.len);
	request->failed |= part->bytes.failed;
}
