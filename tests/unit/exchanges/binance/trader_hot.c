/* From an order to its bytes, and from its answer and the user stream's words to the host: nothing is allocated. */
#include "tests/unit/exchanges/binance/trading.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
int main(void)
{
	tap_skip("orders allocate nothing", "the sanitizer does");
	return tap_done();
}
#else

extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *at, size_t size);
void *malloc(size_t size);
void *realloc(void *at, size_t size);

static unsigned allocations;

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *realloc(void *at, size_t size)
{
	allocations++;
	return __libc_realloc(at, size);
}

/* Hand the trader all that waits, and count. */
static unsigned words_take(void)
{
	static char copy[65536];
	unsigned counted = 0;
	size_t used = told.text.used;
	memcpy(copy, told.text.ptr, used);
	copy[used] = '\0';
	text_clear(&told.text);
	for (char *row = copy, *end; (end = strchr(row, '\n')); row = end + 1) {
		char *text = strchr(row, ' ') + 1;
		unsigned before = allocations;
		trader_message(desk.trader, 0, (uint8_t *)text, (uint64_t)(end - text), desk_now().mono_ns, desk_now());
		counted += allocations - before;
	}
	return counted;
}

static void test_hot(const char *key)
{
	desk_up(key);
	desk.quiet = false;
	for (int i = 0; i < 5; i++) {
		char id[40];
		snprintf(id, sizeof id, "hot%d", i);
		desk.line[0].deaf = true;
		unsigned before = allocations;
		int32_t status = order_at(TG_SIDE_BUY, TG_TIF_IOC, id, "50010.00", "0.1", 7);
		unsigned placed = allocations - before;
		desk.line[0].deaf = false;
		is_int(status, TG_PENDING, "%s: order %d leaves", key, i);
		binance_message(api, now, desk.line[0].connection, desk.sent.ptr, desk.sent.used);
		unsigned taken = words_take();
		const char *all = heard();
		ok(has(all, "done 7 OK\n") && has(all, "FILLED hot") && has(all, "balance USDT"), "%s: and is told of",
		   key);
		if (i == 0) /* the test's own buffers grow */
			continue;
		is_int(placed, 0, "%s: it is sized, written, signed and sent without an allocation", key);
		is_int(taken, 0, "%s: its answer and its events are read without one", key);
	}
	desk_end();
}

int main(void)
{
	fixture_begin();
	test_hot("hmac");
	test_hot("ed25519");
	fixture_end();
	return tap_done();
}
#endif
