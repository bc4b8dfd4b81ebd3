/* A connector by itself, for a recording: it is started, its markets are subscribed, and what it says of them is
 * counted. No gateway, no state, no order. Owner and thread: the loop's. */
#ifndef TRIGATE_CORE_CAPTURE_RECORDER_H
#define TRIGATE_CORE_CAPTURE_RECORDER_H

#include "core/capture/recording.h"
#include "core/instance.h"
#include "core/outside.h"

struct recorder;

struct recorder_options {
	const struct outside *outside; /* the machine; all of these outlive it */
	const struct gateway_config *config;
	const struct plugin_choice *exchange;
	struct registry *registry;
	const char *const *markets; /* symbols, however written; NULL: all that are trading */
	size_t market_count;
	const char *dir;
	uint64_t rotate_bytes;
	int64_t rotate_ns;
	/* What is an account's, too; then the connector gets its key and the gateway's keys are read. */
	bool with_private;
	uint64_t seed;
};

struct recorder_status {
	bool link_up;
	bool was_up;
	uint32_t markets, subscribed;
	uint32_t unknown; /* of options->markets */
	uint64_t books;
	uint64_t messages, message_bytes, requests, left_out;
	struct capture_writer_status writer;
	const char *reason; /* why the link is down; "": nothing was said */
};

/* [control] all */
int recorder_open(const struct recorder_options *options, struct recorder **ret_recorder, struct tg_error *ret_error);
struct loop *recorder_loop(struct recorder *recorder);
/* Until recorder_stop or an error: of the connector at its start, or of the capture. */
int recorder_run(struct recorder *recorder, struct tg_error *ret_error);
void recorder_stop(struct recorder *recorder);
void recorder_status(const struct recorder *recorder, struct recorder_status *ret_status);
/* End the recording: why is its last word. *ret_status are its figures, all written. Returns the writer's failure. */
int recorder_close(struct recorder *recorder, const char *why, struct recorder_status *ret_status,
		   struct tg_error *ret_error); /* NULL is allowed */

#endif
