/* A TLS certificate for the venue and the authority that signed it, made up on the spot. Pure but for the random
 * numbers of keys. The authority's own key is forgotten: it signs nothing else. */
#ifndef TRIGATE_VENUE_BINANCE_CERTIFICATE_H
#define TRIGATE_VENUE_BINANCE_CERTIFICATE_H

#include <trigate/error.h>

#include "venue/binance/text.h"

struct certificate {           /* PEM */
	struct text authority; /* what clients have to trust */
	struct text own;       /* the venue's, signed by it */
	struct text key;       /* of `own`; a secret */
};

/* For localhost, 127.0.0.1, ::1 and `host`, valid for five years from a day before now. Errors carry a message. */
int32_t certificate_make(const char *host, int64_t unix_s, struct certificate *ret_certificate,
			 struct tg_error *ret_error);
void certificate_finish(struct certificate *certificate);

/* May it still be used: it is a certificate, is valid for a day yet, and names the host? */
bool certificate_serves(struct tg_str pem, const char *host, int64_t unix_s);

#endif
