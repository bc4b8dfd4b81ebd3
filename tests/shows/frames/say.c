#include "tests/shows/frames/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *argument[ARGUMENTS_MAX];
size_t argument_count;

_Noreturn void misuse(const char *why)
{
	fprintf(stderr, "binance_frames: %s\n", why);
	exit(2);
}

const char *word(size_t i)
{
	return i < argument_count ? argument[i] : "";
}

int64_t number(size_t i)
{
	return strtoll(word(i), NULL, 10);
}

struct tg_str text_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

/* ------------------------------------------------------------ saying it */

struct json_object *said;

void say_begin(const char *event)
{
	said = json_object_new_object();
	json_object_object_add(said, "event", json_object_new_string(event));
}

void say_text(const char *key, struct tg_str value)
{
	json_object_object_add(said, key, json_object_new_string_len(value.len ? value.ptr : "", (int)value.len));
}

void say_number(const char *key, int64_t value)
{
	json_object_object_add(said, key, json_object_new_int64(value));
}

void say_decimal(const char *key, struct tg_decimal value)
{
	char text[64];
	size_t len = tg_decimal_format(value, text, sizeof text);
	say_text(key, (struct tg_str){text, len});
}

void say_amount(const char *key, struct tg_money value)
{
	char text[64];
	size_t len = tg_amount_format(tg_amount_of(value), text, sizeof text);
	say_text(key, (struct tg_str){text, len});
}

void say_end(void)
{
	puts(json_object_to_json_string_ext(said, JSON_C_TO_STRING_PLAIN));
	json_object_put(said);
}

void say_status(const char *event, int32_t status, const struct tg_error *error)
{
	say_begin(event);
	say_text("status", text_of(tg_status_text(status)));
	if (error && error->code)
		say_text("message", (struct tg_str){error->message, error->message_len});
	if (error && error->exchange_code)
		say_number("code", error->exchange_code);
	if (error && error->retry_after_ns)
		say_number("retry_ms", error->retry_after_ns / MS);
	say_end();
}
