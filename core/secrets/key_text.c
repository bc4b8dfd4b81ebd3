#include "core/secrets/key_text.h"

#include <stdbool.h>
#include <string.h>

#define FIELDS_ALLOWED "allowed are id = …, secret = …, passphrase = …, a PEM block and lines that begin with #"
#define PEM_BEGIN "-----BEGIN "
#define PEM_END "-----END "

struct reader {
	const char *where;
	const char *at;
	const char *end;
	int line; /* of the one that was read last */
	struct tg_error *error;
};

static int refuse(const struct reader *reader, const char *what)
{
	return tg_error_set(reader->error, TG_ERR_INVALID, "%s:%d: %s", reader->where, reader->line, what);
}

static bool begins(struct tg_str text, const char *with)
{
	return text.len >= strlen(with) && memcmp(text.ptr, with, strlen(with)) == 0;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct tg_str trimmed(struct tg_str text)
{
	while (text.len > 0 && is_blank(text.ptr[0]))
		text.ptr++, text.len--;
	while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

/* The next line without its end; false at the end of the text. */
static bool line_next(struct reader *reader, struct tg_str *ret_line)
{
	const char *end;

	if (reader->at == reader->end)
		return false;
	end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	*ret_line = (struct tg_str){reader->at, (uint64_t)((end ? end : reader->end) - reader->at)};
	reader->at = end ? end + 1 : reader->end;
	reader->line++;
	return true;
}

static int pem_take(struct reader *reader, const char *begin, struct tg_str *ret_pem)
{
	int first = reader->line;
	struct tg_str line;

	if (ret_pem->ptr)
		return refuse(reader, "a second PEM block; only that of the private key is allowed");
	while (line_next(reader, &line)) {
		if (!begins(trimmed(line), PEM_END))
			continue;
		*ret_pem = (struct tg_str){begin, (uint64_t)(reader->at - begin)};
		return 0;
	}
	reader->line = first;
	return refuse(reader, "the PEM block that begins here has no -----END line");
}

static int value_take(const struct reader *reader, struct tg_str value, struct tg_str *ret_value)
{
	if (ret_value->ptr)
		return refuse(reader, "given a second time; a file holds one key");
	if (value.len == 0)
		return refuse(reader, "nothing behind the =");
	if (value.ptr[0] == '"' || value.ptr[0] == '\'')
		return refuse(reader, "the value is in quotes; write it without");
	if (begins(value, "-----"))
		return refuse(reader, "PEM stands on lines of its own, without a name and = before it");
	*ret_value = value;
	return 0;
}

static int field_take(const struct reader *reader, struct tg_str line, struct key_text *text)
{
	const struct {
		const char *name;
		struct tg_str *value;
	} fields[] = {{"id", &text->id}, {"secret", &text->secret}, {"passphrase", &text->passphrase}};
	const char *equals = memchr(line.ptr, '=', line.len);
	struct tg_str name = trimmed((struct tg_str){line.ptr, equals ? (uint64_t)(equals - line.ptr) : 0});

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (name.len == strlen(fields[i].name) && begins(name, fields[i].name)) {
			struct tg_str value = {equals + 1, (uint64_t)(line.ptr + line.len - equals - 1)};

			return value_take(reader, trimmed(value), fields[i].value);
		}
	}
	return refuse(reader, equals ? "no such name before the =; " FIELDS_ALLOWED : "no = in it; " FIELDS_ALLOWED);
}

int key_text_parse(const char *where, const char *text, size_t len, struct key_text *ret_text,
		   struct tg_error *ret_error)
{
	struct reader reader = {.where = where, .at = text, .end = text + len, .error = ret_error};
	struct key_text found = {0};
	struct tg_str line;

	while (line_next(&reader, &line)) {
		struct tg_str content = trimmed(line);
		int status = 0;

		if (begins(content, PEM_BEGIN))
			status = pem_take(&reader, content.ptr, &found.pem);
		else if (content.len > 0 && content.ptr[0] != '#')
			status = field_take(&reader, content, &found);
		if (status)
			return status;
	}
	*ret_text = found;
	return 0;
}
