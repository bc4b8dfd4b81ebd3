#include "venue/binance/http.h"

#include <string.h>
#include <strings.h>

static int64_t refuse(struct http_request *request, int32_t status)
{
	request->refusal = status;
	return -1;
}

/* RFC 9110, 5.6.2: what a method or a header's name is made of. */
static bool is_token(struct tg_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!word && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return text.len > 0;
}

static struct tg_str trim(struct tg_str text)
{
	while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
		text.ptr++;
		text.len--;
	}
	while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* Take the text up to a character off the front; false if there is no such character. */
static bool cut(struct tg_str *text, char at, struct tg_str *ret_front)
{
	const char *found = text->len ? memchr(text->ptr, at, text->len) : NULL;
	if (!found)
		return false;
	*ret_front = (struct tg_str){text->ptr, (size_t)(found - text->ptr)};
	text->len -= ret_front->len + 1;
	text->ptr = found + 1;
	return true;
}

/* Bytes that no line may hold; what lies above ASCII goes through, for the API to refuse. */
static bool has_controls(struct tg_str line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.ptr[i] < ' ' && line.ptr[i] != '\t')
			return true;
	return false;
}

static int32_t request_line(struct tg_str line, struct http_request *request)
{
	struct tg_str target;
	if (!cut(&line, ' ', &request->method) || !is_token(request->method) || !cut(&line, ' ', &target))
		return 400;
	if (!target.len || target.ptr[0] != '/')
		return 400;
	if (!str_is(line, "HTTP/1.1") && !str_is(line, "HTTP/1.0"))
		return line.len > 5 && memcmp(line.ptr, "HTTP/", 5) == 0 ? 505 : 400;
	request->keep_alive = str_is(line, "HTTP/1.1");
	if (!cut(&target, '?', &request->path)) {
		request->path = target;
		target = (struct tg_str){target.ptr + target.len, 0};
	}
	request->query = target;
	return 0;
}

static int32_t header_line(struct tg_str line, struct http_request *request)
{
	struct tg_str name;
	if (!cut(&line, ':', &name) || !is_token(name))
		return 400;
	if (request->header_count == HTTP_HEADERS_MAX)
		return 431;
	request->header[request->header_count++] = (struct http_header){name, trim(line)};
	return 0;
}

static int32_t head_parse(struct tg_str head, struct http_request *request)
{
	struct tg_str line;
	int32_t refusal = 0;
	for (bool first = true; !refusal && cut(&head, '\n', &line); first = false) {
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (has_controls(line))
			return 400;
		if (line.len)
			refusal = first ? request_line(line, request) : header_line(line, request);
		else if (first)
			return 400;
	}
	return refusal;
}

/* The length of the body. Two lengths that differ, or a length that is no number, are an attack (RFC 9112, 6.3). */
static int32_t body_length(const struct http_request *request, size_t *ret_length)
{
	struct tg_str seen = {0};
	size_t length = 0;
	if (http_header(request, "transfer-encoding").len)
		return 501;
	for (uint32_t i = 0; i < request->header_count; i++) {
		struct tg_str value = request->header[i].value;
		if (request->header[i].name.len != 14 ||
		    strncasecmp(request->header[i].name.ptr, "content-length", 14) != 0)
			continue;
		if (!value.len || (seen.ptr && (seen.len != value.len || memcmp(seen.ptr, value.ptr, value.len) != 0)))
			return 400;
		seen = value;
	}
	for (size_t i = 0; i < seen.len; i++) {
		if (seen.ptr[i] < '0' || seen.ptr[i] > '9')
			return 400;
		length = length * 10 + (size_t)(seen.ptr[i] - '0');
		if (length > HTTP_BODY_MAX)
			return 413;
	}
	*ret_length = length;
	return 0;
}

static void connection_header(struct http_request *request)
{
	struct tg_str value = http_header(request, "connection");
	if (value.len == 5 && strncasecmp(value.ptr, "close", 5) == 0)
		request->keep_alive = false;
	if (value.len == 10 && strncasecmp(value.ptr, "keep-alive", 10) == 0)
		request->keep_alive = true;
}

/* Bytes up to and with the empty line; 0: it has not come yet. */
static size_t head_length(const char *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i++)
		if (bytes[i] == '\n' &&
		    (bytes[i + 1] == '\n' || (bytes[i + 1] == '\r' && i + 2 < size && bytes[i + 2] == '\n')))
			return i + (bytes[i + 1] == '\n' ? 2 : 3);
	return 0;
}

int64_t http_parse(const char *bytes, size_t size, struct http_request *ret_request)
{
	size_t length = 0;
	*ret_request = (struct http_request){.body = {bytes, 0}};
	size_t head = head_length(bytes, size < HTTP_HEAD_MAX ? size : HTTP_HEAD_MAX);
	if (!head)
		return size >= HTTP_HEAD_MAX ? refuse(ret_request, 431) : 0;
	int32_t refusal = head_parse((struct tg_str){bytes, head}, ret_request);
	if (!refusal)
		refusal = body_length(ret_request, &length);
	if (refusal)
		return refuse(ret_request, refusal);
	if (size - head < length)
		return 0;
	ret_request->body = (struct tg_str){bytes + head, length};
	connection_header(ret_request);
	return (int64_t)(head + length);
}

struct tg_str http_header(const struct http_request *request, const char *name)
{
	size_t length = strlen(name);
	for (uint32_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->header[i];
		if (header->name.len == length && strncasecmp(header->name.ptr, name, length) == 0)
			return header->value;
	}
	return (struct tg_str){"", 0};
}

const char *http_status_text(int32_t status)
{
	static const struct {
		int32_t status;
		const char *text;
	} known[] = {{200, "OK"},
		     {400, "Bad Request"},
		     {401, "Unauthorized"},
		     {404, "Not Found"},
		     {405, "Method Not Allowed"},
		     {413, "Content Too Large"},
		     {418, "I'm a teapot"},
		     {429, "Too Many Requests"},
		     {431, "Request Header Fields Too Large"},
		     {500, "Internal Server Error"},
		     {501, "Not Implemented"},
		     {502, "Bad Gateway"},
		     {503, "Service Unavailable"},
		     {504, "Gateway Timeout"},
		     {505, "HTTP Version Not Supported"}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].status == status)
			return known[i].text;
	return "Unknown";
}
