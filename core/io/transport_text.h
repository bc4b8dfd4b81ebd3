/* Texts of the wire: URLs, header lines, and what of them may be shown. Pure. [io] */
#ifndef TRIGATE_CORE_IO_TRANSPORT_TEXT_H
#define TRIGATE_CORE_IO_TRANSPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/error.h>
#include <trigate/net.h>

/* Bytes that grow; their room stays. */
struct bytes {
	uint8_t *at;
	size_t count;
	size_t room;
};
bool bytes_reserve(struct bytes *bytes, size_t more); /* false: out of memory */
bool bytes_add(struct bytes *bytes, const void *from, size_t count);
void bytes_clear(struct bytes *bytes); /* wipes and frees */

#define URL_MAX 8192 /* a combined stream of 200 names is 5 kB */
#define HOST_MAX 128 /* libwebsockets cuts longer ones, and would verify the rest */

struct url {
	char text[URL_MAX];
	char host[HOST_MAX];
	uint16_t port;
	bool tls;
	const char *path; /* of text: from the slash, with the query; "/" if there is none */
};

/* Take "SCHEME://HOST[:PORT][/PATH]" apart. scheme is "ws" or "http"; an "s" behind it means TLS. Plain ones are for
 * this machine alone and only if allow_plain. No user name, no fragment, no IPv6 literal, no blank. */
int url_parse(struct url *url, struct tg_str text, const char *scheme, bool allow_plain, struct tg_error *ret_error);

/* Names and values that cannot end the line and begin another. */
int headers_check(const struct tg_net_header *headers, uint32_t count, struct tg_error *ret_error);
/* "Name: value\r\n" for each. */
bool headers_format(const struct tg_net_header *headers, uint32_t count, struct bytes *ret_lines);

/* Take lines that end with NUL apart, in place: names in lower case, values without blanks around them. Returns how
 * many there are, of the first `room`. */
uint32_t headers_split(struct bytes *lines, struct tg_net_header *ret_headers, uint32_t room);

/* Append a text of any sort (query, JSON, header lines) with the values of what may be secret as "***": signature, api
 * key, passphrase, secret, token, authorization, listenKey, password. */
bool transport_redact(struct tg_str text, struct bytes *ret_shown);

#endif
