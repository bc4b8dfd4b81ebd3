/* What a gateway of a simulated world signs with: its made-up key as core/secrets has it, without the places that keys
 * are read from. Owner: a gateway's machine. */
#ifndef TRIGATE_SIMULATION_SIGNING_H
#define TRIGATE_SIMULATION_SIGNING_H

#include "core/secrets/keys.h"
#include "simulation/made_key.h"

/* The one key under the name MADE_KEY_NAME. TG_ERR_NO_MEMORY. */
int signing_open(const struct made_key *key, struct keys **ret_keys);
void signing_close(struct keys *keys); /* NULL is allowed */

#endif
