/* The keys as the files of this room share them. Inside this room only. */
#ifndef TRIGATE_CORE_SECRETS_SET_H
#define TRIGATE_CORE_SECRETS_SET_H

#include "core/secrets/key.h"
#include "core/secrets/keys.h"

struct keys {
	struct key *key; /* guarded; NULL without any */
	size_t count;
};

/* [hot] By name, whatever its problem; NULL: none. keys may be NULL. */
const struct key *keys_find(const struct keys *keys, struct tg_str name);

/* The same, usable or with the reason why not. */
int keys_get(const struct keys *keys, struct tg_str name, const struct key **ret_key, struct tg_error *ret_error);

#endif
