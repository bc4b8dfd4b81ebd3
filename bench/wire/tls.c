#include "bench/wire/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "bench/measure.h"

#define DAY_S 86400

/* ------------------------------------------------------------ certificate */

static void extension_add(X509 *of, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, of, of, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	X509_add_ext(of, extension, -1);
	X509_EXTENSION_free(extension);
}

/* Its own authority. */
static X509 *certificate_make(EVP_PKEY *key)
{
	X509 *made = X509_new();
	X509_set_version(made, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
	X509_gmtime_adj(X509_getm_notBefore(made), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(made), DAY_S);
	X509_set_pubkey(made, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1,
				   -1, 0);
	X509_set_issuer_name(made, X509_get_subject_name(made));
	extension_add(made, NID_basic_constraints, "critical,CA:TRUE");
	extension_add(made, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
	X509_sign(made, key, EVP_sha256());
	return made;
}

static void certificate_keep(struct tls_server *server, X509 *certificate)
{
	FILE *file = fopen(server->ca_file, "w");
	if (!file || !PEM_write_X509(file, certificate) || fclose(file))
		bench_fail("%s cannot be written", server->ca_file);
}

/* ------------------------------------------------------------ server */

static void server_listen(struct tls_server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, sizeof address) || listen(server->fd, 64) ||
	    getsockname(server->fd, (struct sockaddr *)&address, &len))
		bench_fail("no port is free");
	server->port = ntohs(address.sin_port);
}

void tls_server_open(struct tls_server *server, const char *folder)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = certificate_make(key);
	signal(SIGPIPE, SIG_IGN);
	server->ctx = SSL_CTX_new(TLS_server_method());
	snprintf(server->ca_file, sizeof server->ca_file, "%s/ca.pem", folder);
	certificate_keep(server, certificate);
	if (SSL_CTX_use_certificate(server->ctx, certificate) != 1 || SSL_CTX_use_PrivateKey(server->ctx, key) != 1)
		bench_fail("no certificate");
	X509_free(certificate);
	EVP_PKEY_free(key);
	server_listen(server);
}

void tls_server_close(struct tls_server *server)
{
	close(server->fd);
	unlink(server->ca_file);
	SSL_CTX_free(server->ctx);
}

SSL *tls_accept(const struct tls_server *server)
{
	const int on = 1;
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return NULL;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	SSL *ssl = SSL_new(server->ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		return ssl;
	tls_close(ssl);
	return NULL;
}

void tls_close(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);
	SSL_free(ssl);
	close(fd);
}

/* ------------------------------------------------------------ websocket */

size_t tls_upgrade_answer(const char *head, char *ret_answer, size_t room)
{
	char key[128];
	unsigned char hash[SHA_DIGEST_LENGTH], accept[64];
	const char *at = strcasestr(head, "\nSec-WebSocket-Key: ");
	if (!at || sscanf(at + 20, "%63s", key) != 1)
		return 0;
	strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	SHA1((unsigned char *)key, strlen(key), hash);
	EVP_EncodeBlock(accept, hash, sizeof hash);
	return (size_t)snprintf(ret_answer, room,
				"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
				"Sec-WebSocket-Accept: %s\r\n\r\n",
				(char *)accept);
}

bool tls_upgrade(SSL *ssl)
{
	char head[TLS_HEAD_MAX], answer[256];
	for (size_t len = 0; len + 1 < sizeof head;) {
		int got = SSL_read(ssl, head + len, (int)(sizeof head - 1 - len));
		if (got <= 0)
			return false;
		len += (size_t)got;
		head[len] = '\0';
		if (!strstr(head, "\r\n\r\n"))
			continue;
		size_t count = tls_upgrade_answer(head, answer, sizeof answer);
		return count > 0 && SSL_write(ssl, answer, (int)count) == (int)count;
	}
	return false;
}

size_t tls_message_head(uint8_t *to, size_t count)
{
	to[0] = 0x81;
	if (count < 126) {
		to[1] = (uint8_t)count;
		return 2;
	}
	size_t wide = count < 65536 ? 2 : 8;
	to[1] = wide == 2 ? 126 : 127;
	for (size_t i = 0; i < wide; i++)
		to[2 + i] = (uint8_t)(count >> 8 * (wide - 1 - i));
	return 2 + wide;
}
