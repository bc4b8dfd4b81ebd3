/* The other side of the wire, for tests of the transport: authorities and certificates made on the spot, and a server
 * on a free port of this machine whose thread runs a script for each connection, one after the other. */
#ifndef TRIGATE_TESTS_WIRE_H
#define TRIGATE_TESTS_WIRE_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* ------------------------------------------------------------ certificates */

struct authority {
	EVP_PKEY *key;
	X509 *certificate;
	char file[64]; /* its certificate in PEM */
};

static void extension_add(X509 *of, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, of, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	X509_add_ext(of, extension, -1);
	X509_EXTENSION_free(extension);
}

/* Valid from two days ago for so many seconds; a negative number of them from now has run out. */
static X509 *certificate_make(const struct authority *issuer, EVP_PKEY *key, const char *name, const char *alternative,
			      long from_now)
{
	X509 *made = X509_new();
	static long serial;
	X509_set_version(made, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(made), -2 * 86400);
	X509_gmtime_adj(X509_getm_notAfter(made), from_now);
	X509_set_pubkey(made, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509 *by = issuer ? issuer->certificate : made;
	X509_set_issuer_name(made, X509_get_subject_name(by));
	extension_add(made, by, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (alternative)
		extension_add(made, by, NID_subject_alt_name, alternative);
	X509_sign(made, issuer ? issuer->key : key, EVP_sha256());
	return made;
}

static void authority_make(struct authority *authority, const char *name)
{
	authority->key = EVP_EC_gen("P-256");
	authority->certificate = certificate_make(NULL, authority->key, name, NULL, 86400);
	strcpy(authority->file, "/tmp/trigate-authority-XXXXXX");
	FILE *file = fdopen(mkstemp(authority->file), "w");
	PEM_write_X509(file, authority->certificate);
	fclose(file);
}

static void authority_clear(struct authority *authority)
{
	unlink(authority->file);
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
}

/* ------------------------------------------------------------ a server */

struct peer { /* a connection, as its script sees it */
	struct server *server;
	int fd;
	SSL *ssl;
	int number; /* of this server's connections, from 0 */
	char head[16384];
};
typedef void (*script_fn)(struct peer *peer);

struct server {
	int fd;
	uint16_t port;
	SSL_CTX *tls; /* NULL: plain */
	script_fn script;
	pthread_t thread;
	atomic_int connections;
	char text[8192]; /* for scripts to leave what they saw; read after server_join */
};

static void *server_run(void *ctx)
{
	struct server *server = ctx;
	for (int fd; (fd = accept(server->fd, NULL, NULL)) >= 0;) {
		struct peer peer = {.server = server, .fd = fd, .number = atomic_fetch_add(&server->connections, 1)};
		struct timeval bound = {.tv_sec = 10};
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		bool good = true;
		if (server->tls) {
			peer.ssl = SSL_new(server->tls);
			SSL_set_fd(peer.ssl, fd);
			good = SSL_accept(peer.ssl) == 1;
		}
		if (good)
			server->script(&peer);
		if (peer.ssl)
			SSL_free(peer.ssl);
		close(fd);
	}
	return NULL;
}

/* A port that is taken, and refuses connections until somebody listens on it. */
static int bind_free(uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) || getsockname(fd, (struct sockaddr *)&address, &len))
		abort();
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* Does not run yet. issuer NULL: without TLS. */
static struct server *server_make(const struct authority *issuer, const char *alternative, long from_now,
				  script_fn script)
{
	struct server *server = calloc(1, sizeof *server);
	signal(SIGPIPE, SIG_IGN);
	if (issuer) {
		EVP_PKEY *key = EVP_EC_gen("P-256");
		X509 *certificate = certificate_make(issuer, key, "a server", alternative, from_now);
		server->tls = SSL_CTX_new(TLS_server_method());
		SSL_CTX_use_certificate(server->tls, certificate);
		SSL_CTX_use_PrivateKey(server->tls, key);
		X509_free(certificate);
		EVP_PKEY_free(key);
	}
	server->script = script;
	server->fd = bind_free(&server->port);
	return server;
}

static void server_listen(struct server *server)
{
	if (listen(server->fd, 16) || pthread_create(&server->thread, NULL, server_run, server))
		abort();
}

static inline struct server *server_start(const struct authority *issuer, const char *alternative, long from_now,
					  script_fn script)
{
	struct server *server = server_make(issuer, alternative, from_now, script);
	server_listen(server);
	return server;
}

/* What was open on our side has to be closed before: scripts wait for it. */
static void server_join(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
}

static void server_free(struct server *server)
{
	close(server->fd);
	SSL_CTX_free(server->tls);
	free(server);
}

static inline void server_stop(struct server *server)
{
	server_join(server);
	server_free(server);
}

/* ------------------------------------------------------------ scripts */

static bool peer_read(struct peer *peer, void *to, size_t count)
{
	for (size_t done = 0; done < count;) {
		ssize_t got = peer->ssl ? SSL_read(peer->ssl, (char *)to + done, (int)(count - done))
					: read(peer->fd, (char *)to + done, count - done);
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static void peer_write(struct peer *peer, const void *from, size_t count)
{
	for (size_t done = 0; done < count;) {
		ssize_t put = peer->ssl ? SSL_write(peer->ssl, (const char *)from + done, (int)(count - done))
					: write(peer->fd, (const char *)from + done, count - done);
		if (put <= 0)
			return;
		done += (size_t)put;
	}
}

__attribute__((format(printf, 2, 3), unused)) static void peer_say(struct peer *peer, const char *format, ...)
{
	char text[4096];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	peer_write(peer, text, (size_t)len);
}

/* The head of a request, up to its empty line. */
static bool peer_head(struct peer *peer)
{
	size_t len = 0;
	while (len + 1 < sizeof peer->head && peer_read(peer, peer->head + len, 1)) {
		peer->head[++len] = '\0';
		if (len >= 4 && memcmp(peer->head + len - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

/* Wait until the other side closes. */
__attribute__((unused)) static void peer_wait(struct peer *peer)
{
	char byte;
	while (peer_read(peer, &byte, 1))
		;
}

/* A reset instead of an end. */
__attribute__((unused)) static void peer_reset(struct peer *peer)
{
	struct linger hard = {.l_onoff = 1};
	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	if (peer->ssl)
		SSL_set_quiet_shutdown(peer->ssl, 1);
}

static uint16_t proxy_behind; /* the proxy's only way */

__attribute__((unused)) static void proxy_script(struct peer *peer)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(proxy_behind), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (!peer_head(peer) || strncmp(peer->head, "CONNECT shop.example:", 21) != 0)
		return;
	memcpy(peer->server->text, peer->head, sizeof peer->server->text - 1);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof address))
		return;
	peer_say(peer, "HTTP/1.1 200 Established\r\n\r\n");
	struct pollfd ends[2] = {{.fd = peer->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	char bytes[4096];
	for (bool open = true; open && poll(ends, 2, 10000) > 0;)
		for (int i = 0; i < 2 && open; i++) {
			ssize_t got = ends[i].revents ? read(ends[i].fd, bytes, sizeof bytes) : 1;
			open = got > 0;
			if (ends[i].revents && open)
				open = write(ends[1 - i].fd, bytes, (size_t)got) == got;
		}
	close(fd);
}

__attribute__((unused)) static bool ws_accept(struct peer *peer)
{
	char key[128], accept[64];
	unsigned char hash[SHA_DIGEST_LENGTH];
	if (!peer_head(peer))
		return false;
	const char *at = strcasestr(peer->head, "Sec-WebSocket-Key: ");
	if (!at || sscanf(at + 19, "%63s", key) != 1)
		return false;
	strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	SHA1((unsigned char *)key, strlen(key), hash);
	EVP_EncodeBlock((unsigned char *)accept, hash, sizeof hash);
	peer_say(peer,
		 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		 "Sec-WebSocket-Accept: %s\r\n\r\n",
		 accept);
	return true;
}

/* first byte: 0x81 text, 0x82 binary, 0x01 text to be continued, 0x00, 0x80 continued and its end, 0x88, 0x89, 0x8a */
__attribute__((unused)) static void ws_send(struct peer *peer, int first, const void *bytes, size_t count)
{
	unsigned char *frame = malloc(count + 10);
	size_t at = 0;
	frame[at++] = (unsigned char)first;
	if (count < 126) {
		frame[at++] = (unsigned char)count;
	} else {
		int wide = count < 65536 ? 2 : 8;
		frame[at++] = wide == 2 ? 126 : 127;
		for (int i = wide - 1; i >= 0; i--)
			frame[at++] = (unsigned char)(count >> (8 * i));
	}
	memcpy(frame + at, bytes, count);
	peer_write(peer, frame, at + count);
	free(frame);
}

/* A frame's first byte, or -1; its payload without the mask, and a NUL. */
__attribute__((unused)) static int ws_receive(struct peer *peer, char *to, size_t room, size_t *ret_count)
{
	unsigned char head[2], more[8], mask[4];
	if (!peer_read(peer, head, 2))
		return -1;
	size_t count = head[1] & 127;
	int wide = count == 126 ? 2 : count == 127 ? 8 : 0;
	if (!peer_read(peer, more, (size_t)wide))
		return -1;
	count = wide ? 0 : count;
	for (int i = 0; i < wide; i++)
		count = count << 8 | more[i];
	if (!(head[1] & 128) || count >= room || !peer_read(peer, mask, 4) || !peer_read(peer, to, count))
		return -1;
	for (size_t i = 0; i < count; i++)
		to[i] = (char)(to[i] ^ mask[i % 4]);
	to[count] = '\0';
	*ret_count = count;
	return head[0];
}

#endif
