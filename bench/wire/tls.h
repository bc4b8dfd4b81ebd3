/* A TLS server's side on a free port of this machine, with a certificate for "localhost" made on the spot, and the
 * least of WebSocket's. OpenSSL and nothing else, so that the other side costs what the machine costs. Owner: the one
 * thread of whoever opened it. */
#ifndef TRIGATE_BENCH_WIRE_TLS_H
#define TRIGATE_BENCH_WIRE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define TLS_HEAD_MAX 8192

struct tls_server {
	SSL_CTX *ctx;
	int fd;
	uint16_t port;
	char ca_file[256]; /* its certificate in PEM */
};

/* folder: where ca_file is put. */
void tls_server_open(struct tls_server *server, const char *folder);
void tls_server_close(struct tls_server *server);

/* Wait for a connection and its handshake. NULL: it came to nothing. */
SSL *tls_accept(const struct tls_server *server);
void tls_close(SSL *ssl);

/* Read the head of an upgrade and answer it. */
bool tls_upgrade(SSL *ssl);
/* The answer to an upgrade with this head; returns its length, 0: it is none. */
size_t tls_upgrade_answer(const char *head, char *ret_answer, size_t room);

/* Write the head of a text message from the server; returns its length, at most 10. */
size_t tls_message_head(uint8_t *to, size_t count);

#endif
