/* A request to the server as it goes over the wire: arguments, each with its length before it. Owned by whoever builds
 * it; memory is kept from one use to the next. Not safe to share. */
#ifndef TRIGATE_STORAGE_REDIS_REQUEST_H
#define TRIGATE_STORAGE_REDIS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/abi.h>

/* Bytes that grow. Once memory was short nothing more is added, and `failed` says so. */
struct bytes {
	char *data;
	size_t len, room;
	bool failed;
};

void bytes_clear(struct bytes *bytes);
void bytes_free(struct bytes *bytes);
char *bytes_grow(struct bytes *bytes, size_t more);
/* Room for more bytes at data + len; NULL: no memory. The caller adds to len what it has written. */
static inline char *bytes_reserve(struct bytes *bytes, size_t more)
{
	bool fits = !bytes->failed && bytes->room - bytes->len >= more && bytes->room > 0;
	return fits ? bytes->data + bytes->len : bytes_grow(bytes, more);
}
void bytes_add(struct bytes *bytes, const char *data, size_t len);
static inline void bytes_text(struct bytes *bytes, struct tg_str text)
{
	bytes_add(bytes, text.ptr, text.len);
}
void bytes_number(struct bytes *bytes, int64_t number);

/* Decimal digits of a number; returns how many. */
#define NUMBER_TEXT_MAX 21
size_t number_format(int64_t number, char *buffer);

/* A part of a request: so many arguments. */
struct part {
	struct bytes bytes;
	uint32_t count;
};

void part_clear(struct part *part);
void part_text(struct part *part, struct tg_str text);
/* One argument of two texts with a NUL between. */
void part_pair(struct part *part, struct tg_str first, struct tg_str second);
void part_number(struct part *part, int64_t number);
void part_zero(struct part *part); /* "0" */

/* "*COUNT": what every request begins with. */
void request_begin(struct bytes *request, uint32_t count);
/* The same behind what is there: another request that is sent with it. */
void request_next(struct bytes *request, uint32_t count);
void request_text(struct bytes *request, struct tg_str text);
void request_number(struct bytes *request, int64_t number);
void part_add(struct bytes *request, const struct part *part);

#endif
