/* One request of the WebSocket API on its way out: the JSON that is sent and beside it the text that is signed, its
 * parameters "sorted by name and joined with &", not percent-encoded ("SIGNED request example"). Parameters are added
 * in the order of their names. No allocation. Owner: the trader; thread: the loop's. [hot] */
#ifndef TRIGATE_EXCHANGES_BINANCE_REQUEST_H
#define TRIGATE_EXCHANGES_BINANCE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "exchanges/binance/credential.h"

#define REQUEST_PAYLOAD_MAX 1024 /* an order has some 300 bytes, the key's id among them */
#define REQUEST_MAX 4096         /* as many again for names and quotes, and the longest signature */

struct request {
	const struct credential *credential; /* NULL: the session, or nobody, answers for it */
	bool failed;                         /* something did not fit */
	uint32_t payload_used;
	uint32_t used;
	const char *name; /* of the parameter before, to see that they are sorted */
	char payload[REQUEST_PAYLOAD_MAX];
	char text[REQUEST_MAX];
};

/* The head; with a credential the first parameter, apiKey. */
void request_begin(struct request *request, uint64_t id, const char *method, const struct credential *credential);
/* value: nothing that JSON has to escape. */
void request_text(struct request *request, const char *name, struct tg_str value);
void request_number(struct request *request, const char *name, int64_t value);
/* mantissa / 10^scale with exactly `scale` places, not negative. */
void request_decimal(struct request *request, const char *name, int64_t mantissa, uint32_t scale);
/* The signature, if it has a credential, and the end. TG_OK, TG_ERR_LIMIT (it does not fit), or the signer's error. */
int32_t request_end(struct request *request);

/* May this stand in a request as a client id, unescaped? "^[a-zA-Z0-9-_]{1,36}$" */
bool request_id_is_legal(struct tg_str id);

#endif
