/* A transport on a loop of its own, as the tests of its parts need it: trusting `authority`, telling `owner`. */
#ifndef TRIGATE_TESTS_TRANSPORT_H
#define TRIGATE_TESTS_TRANSPORT_H

#include "core/io/transport.h"
#include "tests/tap.h"
#include "tests/unit/core/io/wire.h"

#define GUARD_NS (INT64_C(20) * 1000000000)

static struct authority authority, stranger;
static struct loop *loop;
static struct transport *transport;
static const int owner_key;
static const struct transport_owner owner = {&owner_key, "test"};

static void on_guard(void *ctx)
{
	(void)ctx;
	ok(false, "it does not hang");
	loop_stop(loop);
}

/* Until the test stops the loop. */
static inline void run(void)
{
	uint64_t guard;
	loop_timer_start(loop, GUARD_NS, on_guard, NULL, &guard);
	loop_run(loop);
	loop_timer_stop(loop, guard);
}

static void begin(struct transport_options options)
{
	struct loop_options of_loop = {.timers_max = 256};
	struct tg_error error = tg_error_init();
	loop_create(&of_loop, &loop);
	options.loop = loop;
	options.backoff_first_ms = options.backoff_first_ms ? options.backoff_first_ms : 2;
	options.backoff_max_ms = 20;
	is_int(transport_create(&options, &transport, &error), TG_OK, "a transport is made %s", error.message);
}

__attribute__((unused)) static void begin_tls(void)
{
	begin((struct transport_options){.ca_file = authority.file});
}

static inline void end(void)
{
	transport_destroy(transport);
	loop_destroy(loop);
}

static inline void authorities_make(void)
{
	authority_make(&authority, "an authority");
	authority_make(&stranger, "another one");
}

static inline void authorities_clear(void)
{
	authority_clear(&authority);
	authority_clear(&stranger);
}

/* Fills "${key:main:id}" and knows no other placeholder. */
__attribute__((unused)) static int fill(void *ctx, struct tg_str text, char *buffer, size_t room, size_t *ret_len,
					struct tg_error *ret_error)
{
	(void)ctx;
	if (!memmem(text.ptr, text.len, "${key:main:id}", 14))
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "no such key");
	*ret_len = (size_t)snprintf(buffer, room, "%.*s: the-key", (int)(strcspn(text.ptr, ":")), text.ptr);
	return TG_OK;
}

#endif
