/* The wire as a capture remembers it: tg.ws/1, tg.http/1 and tg.signer/1 for a connector that believes to be connected.
 * Nothing leaves. Owner: the player; thread: the loop's.
 *
 * A socket that the connector opens is tied to a recorded one: the first that was opened with its URL and is not tied
 * yet; if there is none, one with the URL but for its query, then one with its path. It is told what came on that one,
 * when it came. A request gets the next answer that was recorded for the same method, path and query, when that came,
 * or at once if it is past. What has no answer in the capture is told so when its time is over. Any key can be named;
 * its signatures are zeros. */
#ifndef TRIGATE_CORE_CAPTURE_PLAYED_H
#define TRIGATE_CORE_CAPTURE_PLAYED_H

#include "core/capture/answers.h"
#include "core/io/loop.h"
#include "plugins/host.h"

struct played;

struct played_figures {
	uint64_t messages, message_bytes; /* that were told */
	uint64_t unclaimed;               /* came on sockets that the connector does not have */
	uint64_t sent;                    /* by the connector */
	uint64_t answered, unanswered;    /* requests */
	char unanswered_key[96];          /* the first of them */
};

/* Makes up what a capture lacks, for those that were not made by a connector of ours. Either may be NULL. */
struct played_help {
	/* The answer to a request that has none: its text into ret_body; its length, or 0: there is none. */
	size_t (*answer)(const char *key, int64_t unix_ns, char *ret_body, size_t room);
	/* The same for a message that was sent on a socket. */
	size_t (*reply)(const uint8_t *bytes, uint64_t count, char *ret_body, size_t room);
};

extern const struct plugin_extension played_extensions[]; /* for struct outside, whose ctx is the played wire */
#define PLAYED_EXTENSIONS 3

/* TG_OK or TG_ERR_NO_MEMORY. help NULL: none. */
int played_create(const struct played_help *help, struct played **ret_played);
void played_destroy(struct played *played);                     /* NULL is allowed */
void played_set_loop(struct played *played, struct loop *loop); /* NULL: it is gone, and its timers with it */
/* Answers that stand for all of the play; it takes them. */
void played_stand(struct played *played, struct answer *answer);

/* What the capture says next, inside a pass at its time. */
void played_tell(struct played *played, const struct capture_entry *entry);
struct played_figures played_figures(const struct played *played);

#endif
