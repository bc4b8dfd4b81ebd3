/* What the server says about our own messages on a stream connection (FRAME_REPLY). [any] */
#ifndef TRIGATE_EXCHANGES_BINANCE_REPLY_H
#define TRIGATE_EXCHANGES_BINANCE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trigate/abi.h>

struct reply {
	bool ok;
	int64_t id;        /* of the request; 0: the server does not tell which (ours begin at 1) */
	int64_t code;      /* with !ok */
	char message[160]; /* the server's words, cut to fit */
};

/* {"result":null,"id":1}, {"error":{"code":2,"msg":".."},"id":1}, {"code":2,"msg":"..","id":1}. TG_OK, or
 * TG_ERR_INVALID with a message. [hot] */
int reply_read(const uint8_t *bytes, size_t count, struct reply *ret_reply, struct tg_error *ret_error);

#endif
