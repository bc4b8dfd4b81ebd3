/* A connection to a Redis server: requests, answers, scripts, and what its errors mean. Owned by one store; calls never
 * overlap. Once an answer is missing the link is broken for good: what came later would be taken for another request's.
 */
#ifndef TRIGATE_STORAGE_REDIS_LINK_H
#define TRIGATE_STORAGE_REDIS_LINK_H

#include <hiredis/hiredis.h>

#include <trigate/error.h>

#include "storage/redis/request.h"

enum script {
	SCRIPT_APPLY,
	SCRIPT_CHECK,
	SCRIPT_CLEANUP,
	SCRIPT_CLEANUP_ORDERS,
	SCRIPT_END,
	SCRIPT_KEYS,
	SCRIPT_MIGRATE,
	SCRIPT_PAGE,
	SCRIPT_ROWS,
	SCRIPT_SLOTS_LIST,
	SCRIPT_SLOTS_RENEW,
	SCRIPT_SLOTS_RESERVE,
	SCRIPT_COUNT
};

/* Where the server is and how to be let in. All but the password are NUL-terminated and not empty where they are used.
 */
struct link_way {
	const char *host; /* or: */
	const char *socket;
	int port;
	int64_t database;
	const char *username; /* "": the default user */
	struct tg_str password;
	int64_t connect_timeout_ms, command_timeout_ms;
};

struct link {
	redisContext *redis;
	bool broken;
	/* The server writes its AOF before it answers, unless it syncs every second and the last sync has not ended:
	 * then whatever changed something asks until it is written. */
	bool may_postpone;
	int64_t command_timeout_ms;
	char location[192]; /* host:port/database */
	char sha[SCRIPT_COUNT][41];
};

/* Connects, says who we are and loads the scripts. On failure there is nothing to close. */
int32_t link_open(struct link *link, const struct link_way *way, struct tg_error *ret_error);
void link_close(struct link *link);

/* A call changes something if CHANGES: then a lost answer is TG_ERR_UNKNOWN_OUTCOME, and it counts once the server has
 * written it. */
enum effect { READS, CHANGES };

/* Sends a request and gives its answer, never an error's: that becomes a status, with what was tried and what to do
 * about it. *ret_reply goes to freeReplyObject. */
int32_t link_call(struct link *link, struct bytes *request, enum effect effect, const char *what,
		  redisReply **ret_reply, struct tg_error *ret_error);

/* The same of words that hold no blank, "HLEN name". */
int32_t link_words(struct link *link, const char *words, const char *what, redisReply **ret_reply,
		   struct tg_error *ret_error);

/* What an exchange of several requests is made of. The answer may be an error's. */
int32_t link_send(struct link *link, const struct bytes *request, enum effect effect, const char *what,
		  struct tg_error *ret_error);
int32_t link_answer(struct link *link, enum effect effect, const char *what, redisReply **ret_reply,
		    struct tg_error *ret_error);
/* Behind a change: asks whether it is written. */
void link_written_ask(const struct link *link, struct bytes *request);
/* Takes the answer to that; has changed: waits until it is written, before that it may be lost with the server. */
int32_t link_written_take(struct link *link, const char *what, bool has_changed, struct tg_error *ret_error);

/* A script's call: begin, then as many keys and arguments as were announced (request_text), then call. */
void script_begin(const struct link *link, struct bytes *request, enum script script, uint32_t keys,
		  uint32_t arguments);
int32_t script_call(struct link *link, struct bytes *request, enum script script, enum effect effect, const char *what,
		    redisReply **ret_reply, struct tg_error *ret_error);

/* Makes the server know a script, again. */
int32_t script_load(struct link *link, enum script script, struct tg_error *ret_error);

/* The answer is none that the script gives. */
int32_t link_strange(struct link *link, const char *what, struct tg_error *ret_error);

/* The value of a line "name:value" of INFO; empty if there is none. */
struct tg_str info_get(const redisReply *info, const char *name);
int64_t info_number(const redisReply *info, const char *name);

/* A reply's text; empty if it is none. */
static inline struct tg_str reply_text(const redisReply *reply)
{
	bool text = reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS);
	return text ? (struct tg_str){reply->str, reply->len} : (struct tg_str){"", 0};
}

static inline bool reply_is_array(const redisReply *reply, size_t least)
{
	return reply && reply->type == REDIS_REPLY_ARRAY && reply->elements >= least;
}

static inline bool reply_is_number(const redisReply *reply)
{
	return reply && reply->type == REDIS_REPLY_INTEGER;
}

#endif
