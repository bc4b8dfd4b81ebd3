/* Requests as bytes: what is read, what has to wait, and what is refused. */
#include "tap.h"

#include "venue/binance/http.h"

static const struct {
	const char *name, *bytes;
	int64_t used;
	int32_t refusal;
} requests[] = {
	{"a request", "GET / HTTP/1.1\r\n\r\n", 18, 0},
	{"bare newlines", "GET / HTTP/1.1\nA: b\n\n", 21, 0},
	{"with a body", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET", 41, 0},
	{"nothing yet", "", 0, 0},
	{"half a head", "GET / HTTP/1.1\r\nHost: x\r\n", 0, 0},
	{"half a body", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", 0, 0},
	{"no target", "GET HTTP/1.1\r\n\r\n", -1, 400},
	{"a whole address", "GET http://x/ HTTP/1.1\r\n\r\n", -1, 400},
	{"no version", "GET /\r\n\r\n", -1, 400},
	{"an old version", "GET / HTTP/0.9\r\n\r\n", -1, 505},
	{"an empty line first", "\r\n\r\n", -1, 400},
	{"a method with a blank in front", " GET / HTTP/1.1\r\n\r\n", -1, 400},
	{"a header without a colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", -1, 400},
	{"a header with a blank before its colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", -1, 400},
	{"a header that goes on in the next line", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", -1, 400},
	{"a control character", "GET / HTTP/1.1\r\nA: \x01\r\n\r\n", -1, 400},
	{"chunks", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", -1, 501},
	{"two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", -1, 400},
	{"a length that is none", "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\na", -1, 400},
	{"a length beyond all bounds", "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", -1, 413},
};

static void requests_are_read_or_refused(void)
{
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		struct http_request request;
		is_int(http_parse(requests[i].bytes, strlen(requests[i].bytes), &request), requests[i].used, "%s",
		       requests[i].name);
		is_int(request.refusal, requests[i].refusal, "%s: status", requests[i].name);
	}
}

static void parts_are_where_they_should_be(void)
{
	static const char bytes[] =
		"DELETE /a/b?x=%20&y HTTP/1.1\r\nX-Mbx-ApiKey:  key \r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
	struct http_request request;
	is_int(http_parse(bytes, sizeof bytes - 1, &request), (int)sizeof bytes - 1, "all of it");
	ok(str_is(request.method, "DELETE") && str_is(request.path, "/a/b") && str_is(request.query, "x=%20&y") &&
		   str_is(request.body, "ok"),
	   "method, path, query and body, as sent");
	ok(str_is(http_header(&request, "X-MBX-APIKEY"), "key"), "a header in any case, trimmed");
	is_int(http_header(&request, "absent").len, 0, "one that is not there");
	ok(!request.keep_alive, "the connection is to end");
}

static void heads_are_bounded(void)
{
	static char bytes[HTTP_HEAD_MAX + 100];
	struct http_request request;
	memset(bytes, 'a', sizeof bytes);
	memcpy(bytes, "GET /", 5);
	is_int(http_parse(bytes, sizeof bytes, &request), -1, "a head without end");
	is_int(request.refusal, 431, "is refused");
	size_t used = (size_t)sprintf(bytes, "GET / HTTP/1.1\r\n");
	for (int i = 0; i <= HTTP_HEADERS_MAX; i++)
		used += (size_t)sprintf(bytes + used, "A: b\r\n");
	used += (size_t)sprintf(bytes + used, "\r\n");
	is_int(http_parse(bytes, used, &request), -1, "too many headers");
	is_int(request.refusal, 431, "are refused");
}

int main(void)
{
	requests_are_read_or_refused();
	parts_are_where_they_should_be();
	heads_are_bounded();
	return tap_done();
}
