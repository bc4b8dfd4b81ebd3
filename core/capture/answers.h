/* HTTP answers of a capture by what was asked for: method, path and query, without what differs from one request to the
 * next (signature, time stamp) or only says how much is wanted (limit). Owner: the played wire. */
#ifndef TRIGATE_CORE_CAPTURE_ANSWERS_H
#define TRIGATE_CORE_CAPTURE_ANSWERS_H

#include "core/capture/format.h"

#define ANSWER_KEY_MAX 8192
/* Answers that nobody asked for yet take so much memory at most; then the oldest ones go. */
#define ANSWERS_BYTES_MAX ((size_t)256 << 20)

struct answer {
	struct answer *next;
	int32_t status; /* as CAPTURE_HTTP's */
	bool left;
	bool standing;   /* good for ever: it is given again and again */
	int64_t mono_ns; /* when it came */
	char *key;       /* "GET /path?a=1&b=2"; standing ones may end behind the path's last part: see answers_take */
	struct tg_str headers, body;
};

struct answers {
	struct answer *first, *last;
	size_t bytes;
	uint64_t forgotten;
};

/* "GET /path?a=1&b=2" of a request, parameters in order of their names. False: too long. */
bool answer_key(struct tg_str method, struct tg_str url, char ret_key[ANSWER_KEY_MAX]);
/* A copy of an entry's. NULL: no memory, or no such entry. */
struct answer *answer_make(const struct capture_entry *entry, bool standing);
/* One of a document by itself: for any query of paths whose last part is `name`, without regard to case and to what
 * is neither letter nor digit; an empty one is never right. */
struct answer *answer_make_document(const char *name, struct tg_str body);
void answer_free(struct answer *answer); /* NULL is allowed */

void answers_add(struct answers *answers, struct answer *answer); /* it belongs to them now */
/* The oldest one for this key. One that stands stays theirs, another becomes the caller's. NULL: there is none. */
struct answer *answers_take(struct answers *answers, const char *key);
void answers_clear(struct answers *answers);

#endif
