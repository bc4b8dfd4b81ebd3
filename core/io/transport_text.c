#include "core/io/transport_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ bytes */

bool bytes_reserve(struct bytes *bytes, size_t more)
{
	size_t need = bytes->count + more;
	if (need <= bytes->room)
		return true;
	size_t room = bytes->room ? bytes->room : 512;
	while (room < need)
		room *= 2;
	uint8_t *at = malloc(room);
	if (!at)
		return false;
	if (bytes->at) { /* not realloc: the old ones may be secret */
		memcpy(at, bytes->at, bytes->count);
		explicit_bzero(bytes->at, bytes->count);
		free(bytes->at);
	}
	bytes->at = at;
	bytes->room = room;
	return true;
}

bool bytes_add(struct bytes *bytes, const void *from, size_t count)
{
	if (!bytes_reserve(bytes, count))
		return false;
	if (count > 0)
		memcpy(bytes->at + bytes->count, from, count);
	bytes->count += count;
	return true;
}

void bytes_clear(struct bytes *bytes)
{
	if (bytes->at)
		explicit_bzero(bytes->at, bytes->room);
	free(bytes->at);
	*bytes = (struct bytes){0};
}

/* ------------------------------------------------------------ URLs */

static bool host_is_here(const char *host)
{
	return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0;
}

static int url_wrong(struct tg_error *ret_error, const struct url *url, const char *why)
{
	int shown = (int)strcspn(url->text, "?"); /* a query may hold secrets */
	return tg_error_set(ret_error, TG_ERR_INVALID, "URL \"%.*s\": %s", shown < 120 ? shown : 120, url->text, why);
}

static int scheme_take(struct url *url, const char *scheme, const char **ret_rest, struct tg_error *ret_error)
{
	size_t len = strlen(scheme);
	const char *rest = url->text + len;
	if (strncmp(url->text, scheme, len) != 0)
		rest = "";
	url->tls = *rest == 's';
	rest += url->tls;
	if (strncmp(rest, "://", 3) != 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "URL \"%.100s\": must begin with %ss://", url->text,
				    scheme);
	*ret_rest = rest + 3;
	return TG_OK;
}

static int authority_take(struct url *url, const char *at, struct tg_error *ret_error)
{
	size_t len = strcspn(at, ":/?");
	if (len == 0 || len >= sizeof url->host ||
	    strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		       "0123456789-._") != len)
		return url_wrong(ret_error, url,
				 "its host must be a name or an IPv4 address of at most 127 letters, digits, - and .");
	memcpy(url->host, at, len);
	url->host[len] = '\0';
	at += len;
	url->port = url->tls ? 443 : 80;
	if (*at == ':') {
		char *end;
		long port = isdigit((unsigned char)at[1]) ? strtol(at + 1, &end, 10) : 0;
		if (port < 1 || port > 65535 || (*end != '\0' && *end != '/' && *end != '?'))
			return url_wrong(ret_error, url, "its port must be 1 to 65535");
		url->port = (uint16_t)port;
		at = end;
	}
	if (*at == '?')
		return url_wrong(ret_error, url, "a query needs a path before it, at least \"/\"");
	url->path = *at ? at : "/";
	return TG_OK;
}

int url_parse(struct url *url, struct tg_str text, const char *scheme, bool allow_plain, struct tg_error *ret_error)
{
	if (text.len >= sizeof url->text)
		return tg_error_set(ret_error, TG_ERR_INVALID, "a URL may have at most %d bytes", URL_MAX - 1);
	for (uint64_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 127 || text.ptr[i] == '#')
			return tg_error_set(ret_error, TG_ERR_INVALID,
					    "a URL has only printable ASCII, without blanks and #");
	if (text.len > 0)
		memcpy(url->text, text.ptr, text.len);
	url->text[text.len] = '\0';
	const char *rest = "";
	int status = scheme_take(url, scheme, &rest, ret_error);
	if (!status)
		status = authority_take(url, rest, ret_error);
	if (!status && !url->tls && !(allow_plain && host_is_here(url->host)))
		status = url_wrong(ret_error, url,
				   "without TLS only to 127.0.0.1 or localhost, and with network.allow_plain: true");
	return status;
}

/* ------------------------------------------------------------ headers */

static bool name_is_token(struct tg_str name)
{
	for (uint64_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.ptr[i]) && (!name.ptr[i] || !strchr("!#$%&'*+-.^_`|~", name.ptr[i])))
			return false;
	return name.len > 0;
}

int headers_check(const struct tg_net_header *headers, uint32_t count, struct tg_error *ret_error)
{
	for (uint32_t i = 0; i < count; i++) {
		struct tg_str value = headers[i].value;
		if (!name_is_token(headers[i].name))
			return tg_error_set(ret_error, TG_ERR_INVALID, "header %u: its name is not one (RFC 9110, 5.1)",
					    i + 1);
		for (uint64_t j = 0; j < value.len; j++)
			if ((unsigned char)value.ptr[j] < ' ' || value.ptr[j] == 127)
				return tg_error_set(ret_error, TG_ERR_INVALID,
						    "header \"%.*s\": its value has a control character",
						    (int)headers[i].name.len, headers[i].name.ptr);
	}
	return TG_OK;
}

bool headers_format(const struct tg_net_header *headers, uint32_t count, struct bytes *ret_lines)
{
	bool fits = true;
	for (uint32_t i = 0; i < count; i++)
		fits = fits && bytes_add(ret_lines, headers[i].name.ptr, headers[i].name.len) &&
		       bytes_add(ret_lines, ": ", 2) &&
		       bytes_add(ret_lines, headers[i].value.ptr, headers[i].value.len) &&
		       bytes_add(ret_lines, "\r\n", 2);
	return fits;
}

uint32_t headers_split(struct bytes *lines, struct tg_net_header *ret_headers, uint32_t room)
{
	uint32_t count = 0;
	char *at = (char *)lines->at;
	for (size_t i = 0; i < lines->count && count < room; i += strlen(at + i) + 1) {
		char *line = at + i, *colon = strchr(line, ':');
		if (!colon || colon == line)
			continue;
		for (char *c = line; c < colon; c++)
			*c = (char)tolower((unsigned char)*c);
		char *value = colon + 1 + strspn(colon + 1, " \t");
		size_t len = strlen(value);
		while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
			len--;
		ret_headers[count++] = (struct tg_net_header){{line, (uint64_t)(colon - line)}, {value, len}};
	}
	return count;
}

/* ------------------------------------------------------------ secrets out */

/* A name that holds one of these, in any case and without - and _, has a value that is not shown. */
static const char *const secret_words[] = {"signature", "sign",  "apikey",        "accesskey", "passphrase", "password",
					   "secret",    "token", "authorization", "listenkey", "accesssign"};

static bool name_is_secret(const char *name, size_t len)
{
	char plain[64];
	size_t count = 0;
	for (size_t i = 0; i < len && count < sizeof plain - 1; i++)
		if (isalnum((unsigned char)name[i]))
			plain[count++] = (char)tolower((unsigned char)name[i]);
	plain[count] = '\0';
	for (size_t i = 0; i < sizeof secret_words / sizeof *secret_words; i++)
		if (strstr(plain, secret_words[i]))
			return true;
	return false;
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Where the value that begins at `at` ends: a JSON string at its quote, a header at the end of its line, all else where
 * a query's value does. */
static size_t value_end(struct tg_str text, size_t at, char opener)
{
	if (at < text.len && text.ptr[at] == '"') {
		for (at++; at < text.len && text.ptr[at] != '"'; at++)
			at += text.ptr[at] == '\\' && at + 1 < text.len;
		return at;
	}
	const char *ends = opener == ':' ? "\r\n" : "&\r\n \"";
	while (at < text.len && text.ptr[at] && !strchr(ends, text.ptr[at]))
		at++;
	return at;
}

bool transport_redact(struct tg_str text, struct bytes *ret_shown)
{
	size_t shown = 0, name = 0;
	bool fits = true;
	if (text.len == 0)
		return true;
	for (size_t at = 0; at < text.len; at++) {
		char c = text.ptr[at];
		if (c != '=' && c != ':')
			continue;
		size_t end = at;
		while (end > shown && (text.ptr[end - 1] == '"' || text.ptr[end - 1] == ' '))
			end--;
		for (name = end; name > shown && in_name(text.ptr[name - 1]);)
			name--;
		if (!name_is_secret(text.ptr + name, end - name))
			continue;
		size_t value = at + 1;
		while (value < text.len && text.ptr[value] == ' ')
			value++;
		size_t after = value_end(text, value, c);
		value += value < text.len && text.ptr[value] == '"';
		fits = fits && bytes_add(ret_shown, text.ptr + shown, value - shown) && bytes_add(ret_shown, "***", 3);
		shown = after;
		at = after > at ? after - 1 : at;
	}
	return fits && bytes_add(ret_shown, text.ptr + shown, text.len - shown);
}
