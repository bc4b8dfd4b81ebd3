/* The text of a key file or credential, taken apart: `name = value` lines and one PEM block. Pure; borrows the text.
 *
 *     # a comment
 *     id = vmPUZE6mv9SD5VNHk4Hl
 *     secret = NhqPtmdSJYdKjVHjA7PZ
 *     passphrase = only where the exchange has one
 *
 * or, in place of the secret, a private key as a PEM block on lines of its own. Hostile until read: every message names
 * file and line, says what is allowed and repeats nothing of the text, which may be a secret in the wrong place. */
#ifndef TRIGATE_CORE_SECRETS_KEY_TEXT_H
#define TRIGATE_CORE_SECRETS_KEY_TEXT_H

#include <stddef.h>

#include <trigate/error.h>

#define KEY_TEXT_MAX 16384 /* an RSA key of 4096 bits is 3.3 kB of PEM */

struct key_text { /* ptr NULL: not there */
	struct tg_str id;
	struct tg_str secret;
	struct tg_str passphrase;
	struct tg_str pem; /* from -----BEGIN to the end of the line of -----END */
};

/* Returns 0 or TG_ERR_INVALID with "WHERE:LINE: what is wrong; what is allowed". */
int key_text_parse(const char *where, const char *text, size_t len, struct key_text *ret_text,
		   struct tg_error *ret_error);

#endif
