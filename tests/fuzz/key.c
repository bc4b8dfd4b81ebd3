/* Key files: whatever the bytes, a key that can sign or a message that says why not, on one line and with nothing that
 * the file holds behind its names. */
#include <stdlib.h>
#include <string.h>

#include <trigate/net.h>

#include "core/secrets/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void message_judge(const struct tg_error *error)
{
	if (error->message[0] == '\0' || strlen(error->message) >= sizeof error->message)
		abort();
	for (const char *at = error->message; *at; at++) {
		if ((unsigned char)*at < ' ')
			abort();
	}
}

static void key_judge(const struct key *key)
{
	if (key->id_len == 0 || key->id_len > KEY_ID_MAX || key->passphrase_len > KEY_PASSPHRASE_MAX ||
	    key->algorithms == 0)
		abort();
	for (size_t i = 0; i < key->id_len; i++) {
		if (key->id[i] <= ' ' || key->id[i] > '~')
			abort();
	}
	for (size_t i = 0; i < sizeof key->scratch; i++) {
		if (key->scratch[i])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const encodings[] = {"text", "base64", "hex"};
	struct tg_error error = tg_error_init();
	struct key key = {.encoding = encodings[size % 3]};
	struct key_text text;

	if (key_text_parse("fuzz", (const char *)data, size < KEY_TEXT_MAX ? size : KEY_TEXT_MAX, &text, &error) == 0 &&
	    key_make(&key, "fuzz", &text, &error) == 0) {
		key_judge(&key);
		key_wipe(&key);
	} else {
		message_judge(&error);
	}
	return 0;
}
