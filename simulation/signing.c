#include "simulation/signing.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/secrets/set.h"

static struct tg_str text_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

int signing_open(const struct made_key *made, struct keys **ret_keys)
{
	struct tg_error error = tg_error_init();
	struct key_text text = {.id = text_of(made->id)};
	struct keys *keys = calloc(1, sizeof *keys);
	struct key *key = calloc(1, sizeof *key);
	if (!keys || !key) {
		free(keys);
		free(key);
		return TG_ERR_NO_MEMORY;
	}
	*(made->ed25519 ? &text.pem : &text.secret) = text_of(made->secret);
	snprintf(key->name, sizeof key->name, "%s", MADE_KEY_NAME);
	key->encoding = "text";
	int status = key_make(key, "made up", &text, &error);
	assert(status == TG_OK);
	*keys = (struct keys){.key = key, .count = 1};
	*ret_keys = keys;
	return TG_OK;
}

void signing_close(struct keys *keys)
{
	if (!keys)
		return;
	key_wipe(keys->key);
	free(keys->key);
	free(keys);
}
