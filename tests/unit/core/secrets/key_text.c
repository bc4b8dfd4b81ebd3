/* Key files taken apart: what is read, what is refused, and that no refusal repeats what the file holds. */
#include "core/secrets/key_text.h"

#include "tests/tap.h"

#define SECRET "Nhq-do-not-show-me"
#define PEM "-----BEGIN PRIVATE KEY-----\n" SECRET "\n-----END PRIVATE KEY-----\n"

static const struct {
	const char *text;
	const char *id, *secret, *passphrase, *pem;
} good[] = {
	{"", NULL, NULL, NULL, NULL},
	{"id = a\nsecret = b\n", "a", "b", NULL, NULL},
	{"id=a\nsecret=b", "a", "b", NULL, NULL},
	{"# of Binance\r\n\r\n  id\t=  a  \r\nsecret = b=c== \r\n", "a", "b=c==", NULL, NULL},
	{"passphrase = two words # not a comment\nid = a\n", "a", NULL, "two words # not a comment", NULL},
	{"id = a\n" PEM, "a", NULL, NULL, PEM},
	{PEM "id = a\n", "a", NULL, NULL, PEM},
	{"id = a\n-----BEGIN X-----\n-----END X-----", "a", NULL, NULL, "-----BEGIN X-----\n-----END X-----"},
};

static const struct {
	const char *text, *expect;
} bad[] = {
	{SECRET "\n", "key:1: no = in it; allowed are id = …, secret = …, passphrase = …"},
	{"id = a\n\nsecrets = " SECRET "\n", "key:3: no such name before the =; allowed are id = …"},
	{SECRET " = x\n", "key:1: no such name before the =; allowed are id = …"},
	{"ID = a\n", "key:1: no such name before the ="},
	{"= a\n", "key:1: no such name before the ="},
	{"id = a\nsecret =\n", "key:2: nothing behind the ="},
	{"secret = \"" SECRET "\"\n", "key:1: the value is in quotes; write it without"},
	{"secret = '" SECRET "'\n", "key:1: the value is in quotes; write it without"},
	{"secret = " SECRET "\nsecret = " SECRET "2\n", "key:2: given a second time; a file holds one key"},
	{"secret = -----BEGIN PRIVATE KEY-----\n", "key:1: PEM stands on lines of its own"},
	{"id = a\n-----BEGIN PRIVATE KEY-----\n" SECRET "\n",
	 "key:2: the PEM block that begins here has no -----END line"},
	{PEM PEM, "key:4: a second PEM block; only that of the private key is allowed"},
	{"-----END PRIVATE KEY-----\n", "key:1: no = in it"},
};

static void field_is(struct tg_str got, const char *want, const char *name, size_t row)
{
	bool same = want ? got.ptr && got.len == strlen(want) && memcmp(got.ptr, want, got.len) == 0 : !got.ptr;

	ok(same, "%zu: %s is %s", row, name, want ? "as it stands" : "not there");
}

int main(void)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct tg_error error = tg_error_init();
		struct key_text text = {0};

		is_int(key_text_parse("key", good[i].text, strlen(good[i].text), &text, &error), 0, "%zu is read", i);
		field_is(text.id, good[i].id, "id", i);
		field_is(text.secret, good[i].secret, "secret", i);
		field_is(text.passphrase, good[i].passphrase, "passphrase", i);
		field_is(text.pem, good[i].pem, "PEM", i);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct tg_error error = tg_error_init();
		struct key_text text = {0};

		is_int(key_text_parse("key", bad[i].text, strlen(bad[i].text), &text, &error), TG_ERR_INVALID,
		       "bad %zu is refused", i);
		ok(strstr(error.message, bad[i].expect), "bad %zu: %s", i, error.message);
		ok(!strstr(error.message, SECRET) && text.secret.ptr == NULL, "and nothing of it is shown");
	}
	return tap_done();
}
