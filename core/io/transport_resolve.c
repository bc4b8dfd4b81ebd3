/* Names to addresses by uv_getaddrinfo, whose threads wait in our place. */
#include <stdlib.h>
#include <string.h>

#include "core/io/transport_private.h"

#define KNOWN_MAX 32
#define KNOWN_NS (60 * INT64_C(1000000000))

struct known {
	char name[HOST_MAX];
	struct addresses addresses;
	int64_t until_ns; /* 0: empty */
};

struct question {
	uv_getaddrinfo_t uv;
	struct resolver *resolver; /* NULL: it is gone, or the question was withdrawn */
	struct question *next;
	uint64_t id;
	char name[HOST_MAX];
	resolved_fn fn;
	void *ctx;
};

struct resolver {
	struct loop *loop;
	struct question *questions;
	uint64_t last_id;
	struct known known[KNOWN_MAX];
};

int resolver_create(struct loop *loop, struct resolver **ret_resolver)
{
	*ret_resolver = calloc(1, sizeof **ret_resolver);
	if (!*ret_resolver)
		return TG_ERR_NO_MEMORY;
	(*ret_resolver)->loop = loop;
	return TG_OK;
}

static void question_detach(struct question **at)
{
	struct question *question = *at;
	*at = question->next;
	question->resolver = NULL;
}

/* What a thread is working on frees itself when libuv gives it back. */
void resolver_destroy(struct resolver *resolver)
{
	if (!resolver)
		return;
	while (resolver->questions) {
		uv_cancel((uv_req_t *)&resolver->questions->uv);
		question_detach(&resolver->questions);
	}
	free(resolver);
}

/* ------------------------------------------------------------ what is known */

static struct known *known_find(struct resolver *resolver, const char *name)
{
	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (resolver->known[i].until_ns > loop_mono_ns(resolver->loop) &&
		    strcmp(resolver->known[i].name, name) == 0)
			return &resolver->known[i];
	return NULL;
}

/* In place of the one that would be forgotten first. */
static void known_put(struct resolver *resolver, const char *name, const struct addresses *addresses)
{
	struct known *place = known_find(resolver, name);
	if (!place) {
		place = &resolver->known[0];
		for (size_t i = 1; i < KNOWN_MAX; i++)
			if (resolver->known[i].until_ns < place->until_ns)
				place = &resolver->known[i];
	}
	snprintf(place->name, sizeof place->name, "%s", name);
	place->addresses = *addresses;
	place->until_ns = loop_mono_ns(resolver->loop) + KNOWN_NS;
}

void resolver_forget(struct resolver *resolver, const char *name)
{
	struct known *known = known_find(resolver, name);
	if (known)
		known->until_ns = 0;
}

/* ------------------------------------------------------------ questions */

/* IPv4 first: where IPv6 is half set up it fails slowly. */
static void addresses_take(const struct addrinfo *list, struct addresses *ret_addresses)
{
	ret_addresses->count = 0;
	for (int pass = 0; pass < 2; pass++)
		for (const struct addrinfo *at = list; at && ret_addresses->count < ADDRESSES_MAX; at = at->ai_next) {
			char *text = ret_addresses->text[ret_addresses->count];
			if (at->ai_family != (pass == 0 ? AF_INET : AF_INET6))
				continue;
			if (pass == 0)
				uv_ip4_name((const struct sockaddr_in *)at->ai_addr, text, INET6_ADDRSTRLEN);
			else
				uv_ip6_name((const struct sockaddr_in6 *)at->ai_addr, text, INET6_ADDRSTRLEN);
			ret_addresses->count++;
		}
}

static void on_answer(uv_getaddrinfo_t *uv, int status, struct addrinfo *list)
{
	struct question *question = uv->data;
	struct resolver *resolver = question->resolver;
	struct addresses addresses = {0};
	if (status == 0)
		addresses_take(list, &addresses);
	uv_freeaddrinfo(list);
	if (resolver) {
		struct question **at = &resolver->questions;
		while (*at != question)
			at = &(*at)->next;
		question_detach(at);
		loop_arrive(resolver->loop);
		if (addresses.count > 0)
			known_put(resolver, question->name, &addresses);
		question->fn(question->ctx, addresses.count > 0 ? &addresses : NULL,
			     status ? uv_strerror(status) : "the name has no address");
	}
	free(question);
}

static bool is_number(const char *name)
{
	struct sockaddr_in address;
	return uv_ip4_addr(name, 1, &address) == 0;
}

int resolver_ask(struct resolver *resolver, const char *name, resolved_fn fn, void *ctx, uint64_t *ret_question,
		 struct addresses *ret_addresses)
{
	const struct known *known = known_find(resolver, name);
	if (known) {
		*ret_addresses = known->addresses;
		return TG_OK;
	}
	if (is_number(name)) {
		ret_addresses->count = 1;
		snprintf(ret_addresses->text[0], sizeof ret_addresses->text[0], "%s", name);
		return TG_OK;
	}
	struct question *question = calloc(1, sizeof *question);
	if (!question)
		return TG_ERR_NO_MEMORY;
	snprintf(question->name, sizeof question->name, "%s", name);
	question->uv.data = question;
	question->fn = fn;
	question->ctx = ctx;
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	if (uv_getaddrinfo(loop_uv(resolver->loop), &question->uv, on_answer, name, NULL, &hints)) {
		free(question);
		return TG_ERR_NO_MEMORY;
	}
	question->resolver = resolver;
	question->id = ++resolver->last_id;
	question->next = resolver->questions;
	resolver->questions = question;
	*ret_question = question->id;
	return TG_PENDING;
}

void resolver_withdraw(struct resolver *resolver, uint64_t id)
{
	for (struct question **at = &resolver->questions; *at; at = &(*at)->next)
		if ((*at)->id == id) {
			uv_cancel((uv_req_t *)&(*at)->uv);
			question_detach(at);
			return;
		}
}
