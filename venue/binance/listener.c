#include "venue/binance/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 512

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static bool address_read(const char *host, union address *ret_address, socklen_t *ret_size)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	if (getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, NULL, &hints, &found) != 0)
		return false;
	bool fits = found->ai_addrlen <= sizeof *ret_address;
	if (fits) {
		memcpy(ret_address, found->ai_addr, found->ai_addrlen);
		*ret_size = found->ai_addrlen;
	}
	freeaddrinfo(found);
	return fits;
}

bool listener_is_local(const char *host)
{
	union address address;
	socklen_t size;
	if (!address_read(host, &address, &size))
		return false;
	if (address.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&address.six.sin6_addr);
	return ntohl(address.four.sin_addr.s_addr) >> 24 == 127;
}

static uint16_t *port_of(union address *address)
{
	return address->any.sa_family == AF_INET6 ? &address->six.sin6_port : &address->four.sin_port;
}

static int listen_fail(int fd, const char *host, uint16_t port, struct tg_error *ret_error)
{
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (why == EADDRINUSE)
		return tg_error_set(ret_error, TG_ERR_EXISTS,
				    "somebody listens at %s:%u already; take another port, or 0 for a free one", host,
				    port);
	return tg_error_set(ret_error, TG_ERR_IO, "cannot listen at %s:%u: %s", host, port, strerror(why));
}

int listener_open(const char *host, uint16_t port, uint16_t *ret_port, struct tg_error *ret_error)
{
	union address address = {0};
	socklen_t size = 0;
	const int on = 1;
	if (!address_read(host, &address, &size))
		return tg_error_set(
			ret_error, TG_ERR_INVALID,
			"%s is no address to listen at; give one in numbers, such as 127.0.0.1, or localhost", host);
	*port_of(&address) = htons(port);
	int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(fd, &address.any, size) != 0 || listen(fd, BACKLOG) != 0 || getsockname(fd, &address.any, &size) != 0)
		return listen_fail(fd, host, port, ret_error);
	*ret_port = ntohs(*port_of(&address));
	return fd;
}

/* FNV-1a over the address; of IPv4 the address itself. */
static uint64_t address_number(const union address *address)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	if (address->any.sa_family != AF_INET6)
		return ntohl(address->four.sin_addr.s_addr);
	for (size_t i = 0; i < sizeof address->six.sin6_addr; i++)
		hash = (hash ^ address->six.sin6_addr.s6_addr[i]) * UINT64_C(0x100000001b3);
	return hash;
}

int listener_accept(int listener, uint64_t *ret_address)
{
	const int on = 1;
	for (;;) {
		union address address = {0};
		socklen_t size = sizeof address;
		int fd = accept4(listener, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			*ret_address = address_number(&address);
			return fd;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			return -2;
		if (errno != EINTR && errno != ECONNABORTED)
			return -1;
	}
}
