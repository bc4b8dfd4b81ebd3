/* JSON as Python's json.dumps writes it (NaN and Infinity included), read in place: numbers keep the text that stands
 * there. Pure; any thread. Memory: values point into the text. */
#ifndef TRIGATE_STORAGE_SQLITE_IMPORT_JSON_H
#define TRIGATE_STORAGE_SQLITE_IMPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <trigate/abi.h>

enum json_kind { JSON_TEXT, JSON_NUMBER, JSON_WORD, JSON_ARRAY, JSON_OBJECT };

struct json_value {
	enum json_kind kind;
	struct tg_str raw; /* with quotes, brackets */
};

/* One value and nothing but space around it; nested to 32 levels at most. All in it is well-formed after true. */
bool json_parse(struct tg_str text, struct json_value *ret_value);

/* The parts of an array or object of a parsed value, one by one; false: there are no more. */
struct json_cursor {
	const char *at;
	const char *end;
};
struct json_cursor json_inside(struct json_value value);
bool json_item(struct json_cursor *cursor, struct json_value *ret_value);
bool json_member(struct json_cursor *cursor, struct json_value *ret_key, struct json_value *ret_value);

/* A text without its quotes and escapes into buffer, which has room for raw.len bytes. Returns its length. What is no
 * character (a lone surrogate) becomes U+FFFD. */
size_t json_unescape(struct json_value text, char *buffer);

bool json_is(struct json_value value, const char *raw);

#endif
