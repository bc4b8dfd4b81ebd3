/* A recording under way: what a connector's wire carries goes into a capture. Beside a recorder, or a gateway that
 * trades. Owner and thread: the loop's. */
#ifndef TRIGATE_CORE_CAPTURE_RECORDING_H
#define TRIGATE_CORE_CAPTURE_RECORDING_H

#include "core/capture/tap.h"
#include "core/extensions.h"

struct recording_options {
	const struct disk *disk;
	const struct workers *workers;
	const char *dir;
	const char *exchange;             /* its name in the gateway's configuration, or the plugin's id */
	const struct plugin_info *plugin; /* the connector's */
	struct json_object *settings;     /* as it gets them */
	uint64_t rotate_bytes;            /* 0: no bound */
	int64_t rotate_ns;
	bool with_private;
};

struct recording {
	struct capture_writer *writer;
	struct capture_tap tap;
	struct extensions *extensions;
};

/* From now on what goes over the wire is recorded; before the connector asks for the wire. TG_OK or as
 * capture_writer_open. [control] */
int recording_open(const struct recording_options *options, struct extensions *extensions, struct loop *loop,
		   struct recording *ret_recording, struct tg_error *ret_error);
/* Ends it, with the last word why. Returns the writer's failure. Zeroed or closed ones are allowed. */
int recording_close(struct recording *recording, const char *why, struct capture_writer_status *ret_status,
		    struct tg_error *ret_error);

#endif
