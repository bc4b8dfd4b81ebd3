/* API keys that are made up: what a gateway signs with, and what its venue has to know of it. A seed says which. They
 * open nothing but a simulated venue. Plain data; no owner. */
#ifndef TRIGATE_SIMULATION_MADE_KEY_H
#define TRIGATE_SIMULATION_MADE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#define MADE_KEY_NAME "trading" /* in a gateway's configuration */

struct made_key {
	char id[65];
	bool ed25519;     /* else HMAC */
	char secret[128]; /* HMAC: the secret; Ed25519: the private key in PEM */
	char known[65];   /* to the venue: HMAC: the secret; Ed25519: the public key in base64 */
};

void made_key_make(uint64_t seed, bool ed25519, struct made_key *ret_key);

#endif
