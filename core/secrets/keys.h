/* The keys of a gateway file: read once at start, kept out of swap and core dumps, wiped at the end. Owner: whoever
 * opened them; read-only in between, so any thread may sign. [control] but for keys_fill and what signer.h says.
 *
 * A key that cannot be read is not the end of a start: it keeps its problem, which whoever asks for that key is told,
 * and `trigate keys` shows. No message of this room repeats what a key file or variable holds. */
#ifndef TRIGATE_CORE_SECRETS_KEYS_H
#define TRIGATE_CORE_SECRETS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/abi.h>

#include "core/config/config.h"

struct keys;

/* Read the keys, erase the environment variables that they came from, and forbid core dumps of this process and its
 * being read by others of the same user (PR_SET_DUMPABLE). Nothing of that happens without a key. To be called before
 * there are threads, for the environment is theirs too. TG_ERR_NO_MEMORY, or TG_ERR_IO if dumps cannot be forbidden. */
int keys_open(const struct key_choice *choice, size_t count, struct keys **ret_keys, struct tg_error *ret_error);
/* Wipe them. NULL is allowed. */
void keys_close(struct keys *keys);

/* What may be known of a key; lives as long as the keys. */
struct key_status {
	const char *name;
	const char *source;  /* "file /etc/trigate/binance.key", "environment BINANCE_*", "credential binance" */
	uint32_t algorithms; /* bit (1 << TG_SIGN_...) for each that it can make */
	struct tg_str id;
	bool has_passphrase;
	int problem;         /* 0, or why it cannot be used: a TG_ERR_ code */
	const char *message; /* and what to do */
};
size_t keys_count(const struct keys *keys); /* NULL: none */
void keys_describe(const struct keys *keys, size_t index, struct key_status *ret_status);

/* Copy text into buffer, with "${key:NAME:id}" and "${key:NAME:passphrase}" replaced: a header's value on its way out.
 * Not NUL-terminated. TG_ERR_NOT_FOUND (no such key, or it has no passphrase), TG_ERR_INVALID (another word than id or
 * passphrase, or a brace that does not close), TG_ERR_LIMIT (room too small), or the key's own problem; the message
 * then holds nothing of what was filled in, nor does the buffer. */
int keys_fill(const struct keys *keys, struct tg_str text, char *buffer, size_t room, size_t *ret_len,
	      struct tg_error *ret_error);

#endif
