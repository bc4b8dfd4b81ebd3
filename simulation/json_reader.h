/* JSON read piece by piece, so that a message names the line and a long list costs no tree. What a schedule needs and
 * no more: objects, lists, texts and words (numbers, true, null). Owner: the caller; the text is borrowed. */
#ifndef TRIGATE_SIMULATION_JSON_READER_H
#define TRIGATE_SIMULATION_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>

#include <trigate/error.h>

#define JSON_SCALAR_MAX 384 /* bytes of a text or word with NUL */

struct json_reader {
	const char *name; /* of the file, for messages */
	const char *at, *end;
	int line;
	struct tg_error *error;
};

struct json_scalar {
	char text[JSON_SCALAR_MAX]; /* without quotes and escapes */
	bool quoted;
	int line;
};

/* All return TG_OK or TG_ERR_INVALID with a message "FILE:LINE: KEY: what is wrong". */

/* The text has to be UTF-8. */
int json_reader_init(struct json_reader *reader, const char *name, const char *text, size_t length,
		     struct tg_error *error);
/* key: NULL for none. */
int json_refuse(const struct json_reader *reader, int line, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* '{' or '['. what: what should stand there, "a list of events". */
int json_open(struct json_reader *reader, const char *key, char bracket, const char *what);
/* Is there one more member or item? Else the closing bracket is taken. first: the one after the opening bracket. */
int json_more(struct json_reader *reader, char closing, bool first, bool *ret_more);
/* A member's key with its colon. */
int json_key(struct json_reader *reader, struct json_scalar *ret_key);
int json_scalar(struct json_reader *reader, const char *key, struct json_scalar *ret_value);
/* Nothing may follow. */
int json_end(struct json_reader *reader);

#endif
