/* From the transport into a capture: takes secrets out, leaves out what is an account's unless that is wanted. Owner
 * and thread: the loop's. */
#ifndef TRIGATE_CORE_CAPTURE_TAP_H
#define TRIGATE_CORE_CAPTURE_TAP_H

#include "core/capture/writer.h"
#include "core/io/loop.h"
#include "core/io/transport.h"

#define TAP_PRIVATE_MAX 256 /* sockets; the transport has no more */

struct capture_tap {
	struct capture_writer *writer;
	const struct loop *loop;
	bool with_private;                    /* what is an account's, too */
	uint64_t private_id[TAP_PRIVATE_MAX]; /* sockets that are an account's; by the id's last bits */
	struct bytes *shown;                  /* redacted texts */
	uint64_t messages, message_bytes, requests, opened, left_out;
};

/* TG_OK or TG_ERR_NO_MEMORY. */
int capture_tap_init(struct capture_tap *tap, struct capture_writer *writer, const struct loop *loop,
		     bool with_private);
void capture_tap_finish(struct capture_tap *tap);

/* A transport_tap_fn; ctx is the tap. [hot] for messages */
void capture_tap_traffic(void *ctx, const struct transport_traffic *traffic);
/* Markets were asked for: symbols, each ended by a line break. */
void capture_tap_subscribed(struct capture_tap *tap, struct tg_str symbols);

#endif
