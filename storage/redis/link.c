#include "storage/redis/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "storage/redis/script_texts.h"

#define POLL_NS 500000

static int64_t mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timeval timeval_of(int64_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* ------------------------------------------------------- what errors mean */

struct meaning {
	const char *word; /* the answer begins with it */
	int32_t status;
	const char *advice;
};

#define RIGHT_MISSING "the user lacks a right; docs/storage/redis.md lists what it needs"

static const struct meaning meanings[] = {
	{"OOM ", TG_ERR_NO_MEMORY, "raise the server's maxmemory, or remove old cycles: trigate store cleanup"},
	{"MISCONF ", TG_ERR_IO, "the server cannot write to its disk: make room there, see its log"},
	{"READONLY ", TG_ERR_CONFIG, "the server has become a replica; point the store to the primary"},
	{"MASTERDOWN ", TG_ERR_CONFIG, "the server has become a replica; point the store to the primary"},
	{"LOADING ", TG_ERR_RETRYABLE, "the server is starting; wait until it has read its files"},
	{"BUSY ", TG_ERR_RETRYABLE, "a script holds up the server; if it does not end: SCRIPT KILL"},
	{"NOREPLICAS ", TG_ERR_RETRYABLE, "fewer replicas than its min-replicas-to-write are connected"},
	{"NOAUTH ", TG_ERR_AUTH, "set password_file, and username if it is not the default user"},
	{"WRONGPASS ", TG_ERR_AUTH, "check username and what is in password_file"},
	{"NOPERM ", TG_ERR_AUTH, RIGHT_MISSING},
	{"The user executing the script can't", TG_ERR_AUTH, RIGHT_MISSING},
	{"ACL failure in script", TG_ERR_AUTH, RIGHT_MISSING},
	{"MOVED ", TG_ERR_CONFIG, "a cluster is not supported; name a server of its own"},
	{"CLUSTERDOWN ", TG_ERR_CONFIG, "a cluster is not supported; name a server of its own"},
	{"WRONGTYPE ", TG_ERR_CORRUPT, "keys below the prefix belong to another program; set another prefix"},
	{"ERR max number of clients", TG_ERR_RETRYABLE, "raise the server's maxclients"},
	{"Script killed by user", TG_ERR_RETRYABLE, "somebody ended the script before it had changed anything"},
	{"NOSCRIPT ", TG_ERR_NOT_FOUND, "the server does not keep scripts; see its log"},
	{"ERR DB index", TG_ERR_CONFIG, "the server has no such database"},
	{"ERR invalid DB", TG_ERR_CONFIG, "the server has no such database"},
	{"ERR Client sent AUTH", TG_ERR_AUTH, "the server has no password set; leave password_file empty"},
	{"ERR AUTH <password>", TG_ERR_AUTH, "the server has no password set; leave password_file empty"},
};

/* A script's error carries the command's own somewhere behind in versions before 7. What has no word of its own: SCRIPT
 * KILL, which the server refuses once a script has written; and of a script's command that the user may not do it. */
static const char *error_core(const char *text)
{
	static const char *const wordless[] = {"Script killed by user", "The user executing the script can't",
					       "ACL failure in script"};
	for (size_t i = 0; strncmp(text, "ERR ", 4) == 0 && i < sizeof wordless / sizeof *wordless; i++) {
		const char *at = strstr(text, wordless[i]);
		if (at)
			return at;
	}
	const char *inner = strncmp(text, "ERR Error running script", 24) == 0 ? strstr(text, ": -") : NULL;

	return inner ? inner + 3 : text;
}

static int32_t reply_failure(const struct link *link, const redisReply *reply, const char *what,
			     struct tg_error *ret_error)
{
	const char *text = error_core(reply->str);

	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (strncmp(text, meanings[i].word, strlen(meanings[i].word)) == 0)
			return tg_error_set(ret_error, meanings[i].status, "%s: cannot %s: %s (%.60s)", link->location,
					    what, meanings[i].advice, text);
	return tg_error_set(ret_error, TG_ERR_INTERNAL, "%s: cannot %s: the server says: %.120s", link->location, what,
			    text);
}

int32_t link_strange(struct link *link, const char *what, struct tg_error *ret_error)
{
	link->broken = true;
	return tg_error_set(ret_error, TG_ERR_INTERNAL, "%s: cannot %s: the server's answer is none that was expected",
			    link->location, what);
}

/* --------------------------------------------------- requests and answers */

/* What did not leave at all is not carried out; of what left in part the change may have been whole, and the question
 * behind it not. hiredis' own way of sending raises SIGPIPE on a link that was closed. */
int32_t link_send(struct link *link, const struct bytes *request, enum effect effect, const char *what,
		  struct tg_error *ret_error)
{
	if (request->failed)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	if (link->broken)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot %s: the connection is gone", link->location,
				    what);
	for (size_t sent = 0; sent < request->len;) {
		ssize_t count = send(link->redis->fd, request->data + sent, request->len - sent, MSG_NOSIGNAL);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			int32_t status = effect == CHANGES && sent > 0 ? TG_ERR_UNKNOWN_OUTCOME : TG_ERR_IO;
			link->broken = true;
			return tg_error_set(ret_error, status, "%s: cannot %s: sending failed: %s", link->location,
					    what, errno == EAGAIN ? "it takes no more" : strerror(errno));
		}
		sent += (size_t)count;
	}
	return TG_OK;
}

int32_t link_answer(struct link *link, enum effect effect, const char *what, redisReply **ret_reply,
		    struct tg_error *ret_error)
{
	void *reply = NULL;

	if (redisGetReply(link->redis, &reply) == REDIS_OK && reply) {
		*ret_reply = reply;
		return TG_OK;
	}
	bool late = link->redis->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
	int32_t status = effect == CHANGES ? TG_ERR_UNKNOWN_OUTCOME : late ? TG_ERR_TIMEOUT : TG_ERR_IO;
	link->broken = true;
	if (late)
		return tg_error_set(ret_error, status, "%s: cannot %s: no answer within %lld ms", link->location, what,
				    (long long)link->command_timeout_ms);
	return tg_error_set(ret_error, status, "%s: cannot %s: the answer is lost: %s", link->location, what,
			    link->redis->errstr);
}

static int32_t exchange(struct link *link, const struct bytes *request, enum effect effect, const char *what,
			redisReply **ret_reply, struct tg_error *ret_error)
{
	int32_t status = link_send(link, request, effect, what, ret_error);

	return status == TG_OK ? link_answer(link, effect, what, ret_reply, ret_error) : status;
}

int32_t link_words(struct link *link, const char *words, const char *what, redisReply **ret_reply,
		   struct tg_error *ret_error)
{
	struct bytes request = {0};
	uint32_t count = 1;

	for (const char *at = words; *at; at++)
		count += *at == ' ';
	request_begin(&request, count);
	for (const char *at = words; count > 0; count--) {
		size_t len = strcspn(at, " ");
		request_text(&request, (struct tg_str){at, len});
		at += len + 1;
	}
	int32_t status = link_call(link, &request, READS, what, ret_reply, ret_error);
	bytes_free(&request);
	return status;
}

/* ---------------------------------------------------- written or not yet */

struct tg_str info_get(const redisReply *info, const char *name)
{
	size_t len = strlen(name);
	struct tg_str text = reply_text(info);

	for (const char *line = text.ptr, *end = text.ptr + text.len; line < end;) {
		const char *stop = memchr(line, '\r', (size_t)(end - line));
		stop = stop ? stop : end;
		if ((size_t)(stop - line) > len && memcmp(line, name, len) == 0 && line[len] == ':')
			return (struct tg_str){line + len + 1, (uint64_t)(stop - line) - len - 1};
		line = end - stop > 2 ? stop + 2 : end;
	}
	return (struct tg_str){"", 0};
}

int64_t info_number(const redisReply *info, const char *name)
{
	struct tg_str text = info_get(info, name);
	int64_t number = 0;

	for (uint64_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text.ptr[i] - '0', &number))
			return INT64_MAX;
	return number;
}

#define PERSISTENCE "*2\r\n$4\r\nINFO\r\n$11\r\npersistence\r\n"

/* Asked behind a change. Answers leave after the AOF was written, in the same pass of the server's loop; that write is
 * put off only while a sync is under way. So without one, or with nothing left to write, the change is written. */
static bool is_written(const redisReply *info)
{
	return info_number(info, "aof_pending_bio_fsync") == 0 || info_number(info, "aof_buffer_length") == 0;
}

/* Takes the first answer to PERSISTENCE. Until it is written a change may be lost with the server: not acknowledged. */
static int32_t written_wait(struct link *link, redisReply *info, const char *what, struct tg_error *ret_error)
{
	static const struct bytes persistence = {(char *)(uintptr_t)PERSISTENCE, sizeof PERSISTENCE - 1, 0, false};
	int64_t until_ms = mono_ms() + link->command_timeout_ms;
	int32_t status = TG_OK;

	while (status == TG_OK && !is_written(info)) {
		freeReplyObject(info);
		info = NULL;
		if (mono_ms() > until_ms)
			return tg_error_set(
				ret_error, TG_ERR_UNKNOWN_OUTCOME,
				"%s: cannot %s: done, but not written to the AOF after %lld ms: its disk is slow",
				link->location, what, (long long)link->command_timeout_ms);
		nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
		status = exchange(link, &persistence, CHANGES, what, &info, ret_error);
	}
	if (status == TG_OK && info_number(info, "aof_enabled") != 1)
		status = tg_error_set(
			ret_error, TG_ERR_CONFIG,
			"%s: cannot %s for good: the server's AOF was turned off; CONFIG SET appendonly yes",
			link->location, what);
	freeReplyObject(info);
	return status;
}

void link_written_ask(const struct link *link, struct bytes *request)
{
	if (link->may_postpone)
		bytes_add(request, PERSISTENCE, sizeof PERSISTENCE - 1);
}

int32_t link_written_take(struct link *link, const char *what, bool has_changed, struct tg_error *ret_error)
{
	redisReply *info = NULL;

	if (!link->may_postpone)
		return TG_OK;
	int32_t status = link_answer(link, CHANGES, what, &info, ret_error);
	if (status == TG_OK && has_changed)
		return written_wait(link, info, what, ret_error);
	freeReplyObject(info);
	return status;
}

int32_t link_call(struct link *link, struct bytes *request, enum effect effect, const char *what,
		  redisReply **ret_reply, struct tg_error *ret_error)
{
	redisReply *reply = NULL;
	size_t len = request->len;

	if (effect == CHANGES)
		link_written_ask(link, request);
	int32_t status = exchange(link, request, effect, what, &reply, ret_error);
	request->len = request->failed ? request->len : len;
	bool refused = reply && reply->type == REDIS_REPLY_ERROR;
	if (status == TG_OK && effect == CHANGES)
		status = link_written_take(link, what, !refused, ret_error);
	if (status == TG_OK && refused)
		status = reply_failure(link, reply, what, ret_error);
	if (status == TG_OK)
		*ret_reply = reply;
	else
		freeReplyObject(reply);
	return status;
}

/* --------------------------------------------------------------- scripts */

#define SCRIPT_TEXT(name, text) [SCRIPT_##name] = (text),
static const char *const texts[SCRIPT_COUNT] = {SCRIPT_TEXTS(SCRIPT_TEXT)};
#undef SCRIPT_TEXT

int32_t script_load(struct link *link, enum script script, struct tg_error *ret_error)
{
	static const char what[] = "load a script";
	struct bytes request = {0};
	redisReply *reply = NULL;

	request_begin(&request, 3);
	request_text(&request, TG_STR("SCRIPT"));
	request_text(&request, TG_STR("LOAD"));
	request_text(&request, (struct tg_str){texts[script], strlen(texts[script])});
	int32_t status = link_call(link, &request, READS, what, &reply, ret_error);
	bytes_free(&request);
	if (status != TG_OK)
		return status;
	struct tg_str sha = reply_text(reply);
	if (sha.len == sizeof link->sha[script] - 1)
		memcpy(link->sha[script], sha.ptr, sha.len);
	else
		status = link_strange(link, what, ret_error);
	freeReplyObject(reply);
	return status;
}

void script_begin(const struct link *link, struct bytes *request, enum script script, uint32_t keys, uint32_t arguments)
{
	request_begin(request, 3 + keys + arguments);
	request_text(request, TG_STR("EVALSHA"));
	request_text(request, (struct tg_str){link->sha[script], sizeof link->sha[script] - 1});
	request_number(request, keys);
}

/* A server that was restarted or had SCRIPT FLUSH knows the script no more, and has done nothing. */
int32_t script_call(struct link *link, struct bytes *request, enum script script, enum effect effect, const char *what,
		    redisReply **ret_reply, struct tg_error *ret_error)
{
	int32_t status = link_call(link, request, effect, what, ret_reply, ret_error);

	if (status != TG_ERR_NOT_FOUND)
		return status;
	status = script_load(link, script, ret_error);
	return status == TG_OK ? link_call(link, request, effect, what, ret_reply, ret_error) : status;
}

/* -------------------------------------------------------- open and close */

static int32_t enter(struct link *link, const struct link_way *way, struct tg_error *ret_error)
{
	struct bytes request = {0};
	struct tg_error error = tg_error_init();
	redisReply *reply = NULL;
	bool named = way->username[0] != '\0';

	if (way->password.len == 0)
		return TG_OK;
	request_begin(&request, named ? 3 : 2);
	request_text(&request, TG_STR("AUTH"));
	if (named)
		request_text(&request, (struct tg_str){way->username, strlen(way->username)});
	request_text(&request, way->password);
	int32_t status = link_call(link, &request, READS, "log in", &reply, &error);
	if (request.data)
		explicit_bzero(request.data, request.room);
	bytes_free(&request);
	freeReplyObject(reply);
	if (status == TG_ERR_INTERNAL) /* a server that does not know AUTH repeats the password */
		return tg_error_set(ret_error, TG_ERR_AUTH, "%s: cannot log in: the server does not take AUTH",
				    link->location);
	return status == TG_OK ? TG_OK : tg_error_set(ret_error, status, "%s", error.message);
}

static int32_t database_select(struct link *link, int64_t database, struct tg_error *ret_error)
{
	char words[32];
	redisReply *reply = NULL;

	if (database == 0)
		return TG_OK;
	snprintf(words, sizeof words, "SELECT %lld", (long long)database);
	int32_t status = link_words(link, words, "choose the database", &reply, ret_error);
	freeReplyObject(reply);
	return status;
}

static int32_t connect_to(struct link *link, const struct link_way *way, struct tg_error *ret_error)
{
	struct timeval timeout = timeval_of(way->connect_timeout_ms);

	link->redis = way->socket[0] ? redisConnectUnixWithTimeout(way->socket, timeout)
				     : redisConnectWithTimeout(way->host, way->port, timeout);
	if (!link->redis)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	if (link->redis->err)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot connect: %s; is the server running, and there?",
				    link->location, link->redis->errstr);
	fcntl(link->redis->fd, F_SETFD, FD_CLOEXEC);
	if (redisSetTimeout(link->redis, timeval_of(way->command_timeout_ms)) != REDIS_OK)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot set a time-out: %s", link->location,
				    link->redis->errstr);
	if (!way->socket[0] && redisEnableKeepAlive(link->redis) != REDIS_OK)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot keep the connection alive: %s", link->location,
				    link->redis->errstr);
	return TG_OK;
}

int32_t link_open(struct link *link, const struct link_way *way, struct tg_error *ret_error)
{
	*link = (struct link){.command_timeout_ms = way->command_timeout_ms};
	if (way->socket[0])
		snprintf(link->location, sizeof link->location, "%s/%lld", way->socket, (long long)way->database);
	else
		snprintf(link->location, sizeof link->location, "%s:%d/%lld", way->host, way->port,
			 (long long)way->database);
	int32_t status = connect_to(link, way, ret_error);
	if (status == TG_OK)
		status = enter(link, way, ret_error);
	if (status == TG_OK)
		status = database_select(link, way->database, ret_error);
	for (int i = 0; i < SCRIPT_COUNT && status == TG_OK; i++)
		status = script_load(link, (enum script)i, ret_error);
	if (status != TG_OK)
		link_close(link);
	return status;
}

void link_close(struct link *link)
{
	if (link->redis)
		redisFree(link->redis);
	link->redis = NULL;
	link->broken = true;
}
