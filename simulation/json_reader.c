#include "simulation/json_reader.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/config/text.h"

int json_refuse(const struct json_reader *reader, int line, const char *key, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return tg_error_set(reader->error, TG_ERR_INVALID, "%s:%d: %s%s%s", reader->name, line, key ? key : "",
			    key ? ": " : "", text);
}

int json_reader_init(struct json_reader *reader, const char *name, const char *text, size_t length,
		     struct tg_error *error)
{
	struct text_fault fault;
	*reader = (struct json_reader){.name = name, .at = text, .end = text + length, .line = 1, .error = error};
	if (!text_check(text, length, &fault))
		return json_refuse(reader, fault.line, NULL, "%s; a schedule is JSON, which is UTF-8 text", fault.what);
	return TG_OK;
}

/* The next character that is no space; 0 at the end. */
static char peek(struct json_reader *reader)
{
	for (; reader->at < reader->end; reader->at++) {
		if (!memchr(" \t\r\n", *reader->at, 4))
			return *reader->at;
		reader->line += *reader->at == '\n';
	}
	return 0;
}

/* What stands there, for a message. */
static const char *seen(struct json_reader *reader, char buffer[24])
{
	char c = peek(reader);
	if (c == 0)
		return "the file ends";
	if (c == '[' || c == '{')
		return c == '[' ? "a list begins" : "an object begins";
	size_t length = 1;
	while (length < 16 && reader->at + length < reader->end && !memchr(" \t\r\n,:]}", reader->at[length], 8))
		length++;
	for (; ((unsigned char)reader->at[length - 1] & 0x80) && length > 1; length--)
		;
	snprintf(buffer, 24, "%.*s", (int)length, (unsigned char)c < 0x80 ? reader->at : "?");
	return buffer;
}

static int unexpected(struct json_reader *reader, const char *key, const char *wanted)
{
	char buffer[24];
	const char *found = seen(reader, buffer);
	return json_refuse(reader, reader->line, key, "%s where %s should stand", found, wanted);
}

int json_open(struct json_reader *reader, const char *key, char bracket, const char *what)
{
	if (peek(reader) != bracket)
		return unexpected(reader, key, what);
	reader->at++;
	return TG_OK;
}

int json_more(struct json_reader *reader, char closing, bool first, bool *ret_more)
{
	char c = peek(reader);
	if (c == closing) {
		reader->at++;
		*ret_more = false;
		return TG_OK;
	}
	if (!first && c != ',')
		return unexpected(reader, NULL, closing == ']' ? "a comma or ]" : "a comma or }");
	reader->at += !first;
	*ret_more = true;
	return TG_OK;
}

int json_end(struct json_reader *reader)
{
	return peek(reader) == 0 && reader->at == reader->end ? TG_OK : unexpected(reader, NULL, "the end of the file");
}

/* ------------------------------------------------------------------ texts */

struct writer {
	char *text;
	size_t length;
	bool full;
};

static void put(struct writer *writer, unsigned byte)
{
	if (writer->length + 1 < JSON_SCALAR_MAX)
		writer->text[writer->length++] = (char)byte;
	else
		writer->full = true;
}

static void put_utf8(struct writer *writer, uint32_t code)
{
	if (code < 0x80) {
		put(writer, code);
	} else if (code < 0x800) {
		put(writer, 0xc0 | code >> 6);
		put(writer, 0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		put(writer, 0xe0 | code >> 12);
		put(writer, 0x80 | (code >> 6 & 0x3f));
		put(writer, 0x80 | (code & 0x3f));
	} else {
		put(writer, 0xf0 | code >> 18);
		put(writer, 0x80 | (code >> 12 & 0x3f));
		put(writer, 0x80 | (code >> 6 & 0x3f));
		put(writer, 0x80 | (code & 0x3f));
	}
}

static bool take_hex4(struct json_reader *reader, uint32_t *ret_code)
{
	uint32_t code = 0;
	if (reader->end - reader->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = memchr(digits, reader->at[i], sizeof digits - 1);
		if (!digit)
			return false;
		code = code << 4 | (uint32_t)((digit - digits) & 15);
	}
	reader->at += 4;
	*ret_code = code;
	return true;
}

/* What follows \u; two of them are one character beyond 16 bits (RFC 8259, section 7). */
static bool take_code(struct json_reader *reader, uint32_t *ret_code)
{
	uint32_t low;
	if (!take_hex4(reader, ret_code) || *ret_code == 0 || (*ret_code >= 0xdc00 && *ret_code < 0xe000))
		return false;
	if (*ret_code < 0xd800 || *ret_code >= 0xe000)
		return true;
	if (reader->end - reader->at < 2 || memcmp(reader->at, "\\u", 2) != 0)
		return false;
	reader->at += 2;
	if (!take_hex4(reader, &low) || low < 0xdc00 || low >= 0xe000)
		return false;
	*ret_code = 0x10000 + ((*ret_code - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static bool take_escape(struct json_reader *reader, struct writer *writer)
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	uint32_t code;
	if (reader->at == reader->end)
		return false;
	char c = *reader->at++;
	if (c == 'u') {
		if (!take_code(reader, &code))
			return false;
		put_utf8(writer, code);
		return true;
	}
	const char *escape = memchr(escapes, c, sizeof escapes - 1);
	if (escape)
		put(writer, (unsigned char)meant[escape - escapes]);
	return escape != NULL;
}

/* Behind the opening quote. */
static int take_text(struct json_reader *reader, const char *key, struct writer *writer)
{
	while (reader->at < reader->end && (unsigned char)*reader->at >= 0x20) {
		char c = *reader->at++;
		if (c == '"')
			return TG_OK;
		if (c != '\\')
			put(writer, (unsigned char)c);
		else if (!take_escape(reader, writer))
			return json_refuse(reader, reader->line, key, "after \\ stands none of \"\\/bfnrt and uXXXX");
	}
	return json_refuse(reader, reader->line, key, "a text does not end in its line");
}

static void take_word(struct json_reader *reader, struct writer *writer)
{
	while (reader->at < reader->end && !memchr(" \t\r\n,:[]{}\"", *reader->at, 11))
		put(writer, (unsigned char)*reader->at++);
}

int json_scalar(struct json_reader *reader, const char *key, struct json_scalar *ret_value)
{
	struct writer writer = {.text = ret_value->text};
	char c = peek(reader);
	int err = TG_OK;
	if (c == 0 || memchr(",:[]{}", c, 6))
		return unexpected(reader, key, "a value");
	ret_value->line = reader->line;
	ret_value->quoted = c == '"';
	if (ret_value->quoted) {
		reader->at++;
		err = take_text(reader, key, &writer);
	} else {
		take_word(reader, &writer);
	}
	writer.text[writer.length] = '\0';
	if (err == TG_OK && writer.full)
		return json_refuse(reader, reader->line, key, "a value of more than %d bytes", JSON_SCALAR_MAX - 1);
	return err;
}

int json_key(struct json_reader *reader, struct json_scalar *ret_key)
{
	if (peek(reader) != '"')
		return unexpected(reader, NULL, "a key in quotes");
	int err = json_scalar(reader, NULL, ret_key);
	if (err != TG_OK)
		return err;
	if (peek(reader) != ':')
		return unexpected(reader, ret_key->text, "a colon");
	reader->at++;
	return TG_OK;
}
