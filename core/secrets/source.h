/* Where keys come from: files, environment, systemd's credentials. All that this room asks of the system is in here.
 * [control] Inside this room only. */
#ifndef TRIGATE_CORE_SECRETS_SOURCE_H
#define TRIGATE_CORE_SECRETS_SOURCE_H

#include "core/config/config.h"
#include "core/secrets/key_text.h"

/* No core dump, and no debugger or /proc/PID/mem for other processes of the same user. Returns 0 or TG_ERR_IO. */
int source_guard(struct tg_error *ret_error);

/* What a person calls the source: "file /etc/trigate/binance.key". Its part behind the first blank begins messages. */
void source_name(const struct key_choice *choice, char *name, size_t size);

/* Read what the choice names into `buffer` (KEY_TEXT_MAX bytes, wiped by the caller) and take it apart; `where` begins
 * each message. Returns 0, TG_ERR_NOT_FOUND, TG_ERR_IO, TG_ERR_AUTH (others could have read it) or TG_ERR_INVALID. */
int source_read(const struct key_choice *choice, const char *where, char *buffer, struct key_text *ret_text,
		struct tg_error *ret_error);

/* Erase the variables of a choice from the environment, also from where the process was given them. */
void source_erase(const struct key_choice *choice);

#endif
