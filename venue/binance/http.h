/* HTTP/1.1 requests as bytes: hostile until parsed. Owner: none, pure functions; a request borrows the bytes. */
#ifndef TRIGATE_VENUE_BINANCE_HTTP_H
#define TRIGATE_VENUE_BINANCE_HTTP_H

#include "venue/binance/text.h"

#define HTTP_HEAD_MAX 16384 /* request line and headers; Binance refuses URLs far below that */
#define HTTP_BODY_MAX 65536 /* an order is some 300 bytes; a list of all symbols fits */
#define HTTP_HEADERS_MAX 64

struct http_header {
	struct tg_str name;
	struct tg_str value; /* without blanks around it */
};

struct http_request {
	struct tg_str method;
	struct tg_str path;  /* before the question mark, as sent */
	struct tg_str query; /* behind it, as sent */
	struct tg_str body;
	struct http_header header[HTTP_HEADERS_MAX];
	uint32_t header_count;
	bool keep_alive;
	int32_t refusal; /* HTTP status, where the request cannot be read */
};

/* The first request in `bytes`. Returns how many of them it is; 0: it is not whole yet; -1: it cannot be read,
 * ret_request->refusal says why (400, 413, 431, 501, 505), and the connection ends there. */
int64_t http_parse(const char *bytes, size_t size, struct http_request *ret_request);

/* A header by its name, in any case; empty if there is none. */
struct tg_str http_header(const struct http_request *request, const char *name);

const char *http_status_text(int32_t status);

#endif
