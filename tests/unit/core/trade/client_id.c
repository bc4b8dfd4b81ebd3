#include "core/trade/client_id.h"
#include "core/base/random.h"
#include "tests/tap.h"

static bool same(const struct client_id *a, const struct client_id *b)
{
	return a->gateway == b->gateway && a->key.epoch == b->key.epoch && a->key.number == b->key.number &&
	       a->leg == b->leg && a->attempt == b->attempt && a->child == b->child;
}

static bool parses(const char *text, size_t length)
{
	struct client_id id;
	return client_id_parse((struct tg_str){text, length}, &id);
}

static void test_round_trips(void)
{
	uint64_t state = 7;
	uint32_t wrong = 0, changed = 0;
	for (int i = 0; i < 10000; i++) {
		uint64_t a = random_next(&state), b = random_next(&state);
		struct client_id id = {(uint16_t)a,
				       {(uint32_t)(a >> 16) & EPOCH_MAX, (uint32_t)b},
				       (uint8_t)(b >> 32),
				       (uint8_t)(b >> 40),
				       (uint8_t)(b >> 48)};
		struct client_id back;
		char text[TG_CLIENT_ID_LEN + 1];
		client_id_format(&id, text);
		wrong += strlen(text) != TG_CLIENT_ID_LEN || strspn(text, "0123456789abcdef") != TG_CLIENT_ID_LEN ||
			 !client_id_parse((struct tg_str){text, TG_CLIENT_ID_LEN}, &back) || !same(&id, &back);
		/* one digit is another */
		size_t at = b % TG_CLIENT_ID_LEN;
		text[at] = text[at] == '0' ? '1' : '0';
		changed += parses(text, TG_CLIENT_ID_LEN);
	}
	is_int(wrong, 0, "10,000 ids there and back");
	is_int(changed, 0, "one wrong digit is always seen");
}

static void test_hostile(void)
{
	struct client_id id = {.gateway = 0xabcd, .key = {0xfffff1, 0xdeadbeef}, .leg = 3, .attempt = 2, .child = 1};
	char text[TG_CLIENT_ID_LEN + 1], upper[TG_CLIENT_ID_LEN + 1];
	client_id_format(&id, text);
	is_int(strncmp(text, "abcdfffff1deadbeef030201", 24), 0, "the fields stand in their places");
	ok(parses(text, TG_CLIENT_ID_LEN), "it parses");
	ok(!parses(text, TG_CLIENT_ID_LEN - 1) && !parses(text, 0) && !parses(NULL, 0), "too short");
	char longer[40];
	snprintf(longer, sizeof longer, "%s0", text);
	ok(!parses(longer, TG_CLIENT_ID_LEN + 1), "too long");
	for (size_t i = 0; i <= TG_CLIENT_ID_LEN; i++)
		upper[i] = text[i] >= 'a' && text[i] <= 'f' ? (char)(text[i] - 32) : text[i];
	ok(!parses(upper, TG_CLIENT_ID_LEN), "upper case is not ours");
	const char *const foreign[] = {"web_1234567890123456789012345678", "................................",
				       "-0000000000000000000000000000000", "0x000000000000000000000000000000",
				       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"};
	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
		ok(!parses(foreign[i], TG_CLIENT_ID_LEN), "foreign text %zu", i);
	id.key.epoch = EPOCH_MAX + 6;
	client_id_format(&id, text);
	is_int(strlen(text), TG_CLIENT_ID_LEN, "an epoch out of range cannot make it longer");
}

int main(void)
{
	test_round_trips();
	test_hostile();
	return tap_done();
}
