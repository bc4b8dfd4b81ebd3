#include "core/capture/answers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS_MAX 64
#define DOCUMENT "*" /* a key that begins so is the folded name of a document */

/* ------------------------------------------------------------ keys */

static bool is_ignored(struct tg_str parameter)
{
	static const char *const names[] = {"signature", "sign",  "timestamp", "recvWindow",
					    "nonce",     "token", "apiKey",    "limit"};
	const char *equals = memchr(parameter.ptr, '=', parameter.len);
	size_t len = equals ? (size_t)(equals - parameter.ptr) : parameter.len;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], parameter.ptr, len) == 0)
			return true;
	return len == 0;
}

static int by_text(const void *a, const void *b)
{
	const struct tg_str *x = a, *y = b;
	int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static size_t parameters_split(struct tg_str query, struct tg_str *ret_list)
{
	size_t count = 0;
	for (uint64_t at = 0; at < query.len && count < PARAMETERS_MAX;) {
		const char *ampersand = memchr(query.ptr + at, '&', query.len - at);
		uint64_t end = ampersand ? (uint64_t)(ampersand - query.ptr) : query.len;
		struct tg_str one = {query.ptr + at, end - at};
		if (one.len > 0 && !is_ignored(one))
			ret_list[count++] = one;
		at = end + 1;
	}
	if (count > 1)
		qsort(ret_list, count, sizeof *ret_list, by_text);
	return count;
}

static bool text_add(char *key, size_t *at, const char *text, uint64_t len)
{
	if (len >= ANSWER_KEY_MAX - *at)
		return false;
	if (len > 0)
		memcpy(key + *at, text, len);
	*at += len;
	key[*at] = '\0';
	return true;
}

bool answer_key(struct tg_str method, struct tg_str url, char ret_key[ANSWER_KEY_MAX])
{
	struct tg_str parameters[PARAMETERS_MAX];
	const char *host = url.len > 3 ? memmem(url.ptr, url.len, "://", 3) : NULL, *end = url.ptr + url.len;
	const char *path = host ? memchr(host + 3, '/', (size_t)(end - host - 3)) : NULL;
	if (!path)
		return false;
	const char *mark = memchr(path, '?', (size_t)(end - path));
	struct tg_str query = {mark ? mark + 1 : end, mark ? (uint64_t)(end - mark - 1) : 0};
	size_t at = 0, count = parameters_split(query, parameters);
	bool fits = text_add(ret_key, &at, method.ptr, method.len) && text_add(ret_key, &at, " ", 1) &&
		    text_add(ret_key, &at, path, (uint64_t)((mark ? mark : end) - path));
	for (size_t i = 0; i < count && fits; i++)
		fits = text_add(ret_key, &at, i ? "&" : "?", 1) &&
		       text_add(ret_key, &at, parameters[i].ptr, parameters[i].len);
	return fits;
}

/* Letters and digits alone, small ones. Returns how many. */
static size_t fold(const char *text, size_t len, char *ret_folded, size_t room)
{
	size_t count = 0;
	for (size_t i = 0; i < len && count + 1 < room; i++)
		if (isalnum((unsigned char)text[i]))
			ret_folded[count++] = (char)tolower((unsigned char)text[i]);
	ret_folded[count] = '\0';
	return count;
}

/* Does the document's name hold the last part of what is asked for? "binance-exchange-info.json" has exchangeInfo. */
static bool document_fits(const char *document, const char *key)
{
	char part[256];
	const char *path = strchr(key, ' ');
	if (strncmp(key, "GET ", 4) != 0 || !path)
		return false;
	const char *end = path + strcspn(path, "?"), *begin = end;
	while (begin > path && begin[-1] != '/')
		begin--;
	return fold(begin, (size_t)(end - begin), part, sizeof part) > 0 && strstr(document, part);
}

static bool key_fits(const struct answer *answer, const char *key)
{
	if (answer->key[0] == DOCUMENT[0])
		return document_fits(answer->key + 1, key);
	return strcmp(answer->key, key) == 0;
}

/* ------------------------------------------------------------ answers */

static struct answer *answer_new(const char *key, struct tg_str headers, struct tg_str body)
{
	struct answer *answer = calloc(1, sizeof *answer + strlen(key) + 1 + headers.len + body.len);
	if (!answer)
		return NULL;
	char *at = (char *)(answer + 1);
	answer->key = strcpy(at, key);
	at += strlen(key) + 1;
	answer->headers = (struct tg_str){headers.len ? memcpy(at, headers.ptr, headers.len) : at, headers.len};
	at += headers.len;
	answer->body = (struct tg_str){body.len ? memcpy(at, body.ptr, body.len) : at, body.len};
	return answer;
}

struct answer *answer_make(const struct capture_entry *entry, bool standing)
{
	char key[ANSWER_KEY_MAX];
	struct capture_http http;
	if (capture_http_read(entry->payload, &http) || !answer_key(http.method, http.url, key))
		return NULL;
	struct answer *answer = answer_new(key, http.headers, http.body);
	if (!answer)
		return NULL;
	answer->status = entry->status;
	answer->left = entry->flags & CAPTURE_LEFT;
	answer->standing = standing;
	answer->mono_ns = entry->mono_ns;
	return answer;
}

struct answer *answer_make_document(const char *name, struct tg_str body)
{
	char key[256] = DOCUMENT;
	fold(name, strlen(name), key + 1, sizeof key - 1);
	struct answer *answer = answer_new(key, (struct tg_str){0}, body);
	if (!answer)
		return NULL;
	answer->status = 200;
	answer->left = true;
	answer->standing = true;
	return answer;
}

void answer_free(struct answer *answer)
{
	free(answer);
}

static void unlink_after(struct answers *answers, struct answer *before, struct answer *answer)
{
	*(before ? &before->next : &answers->first) = answer->next;
	if (answers->last == answer)
		answers->last = before;
	answers->bytes -= answer->body.len;
	answer->next = NULL;
}

void answers_add(struct answers *answers, struct answer *answer)
{
	*(answers->last ? &answers->last->next : &answers->first) = answer;
	answers->last = answer;
	answers->bytes += answer->body.len;
	while (answers->bytes > ANSWERS_BYTES_MAX && answers->first != answer && !answers->first->standing) {
		struct answer *oldest = answers->first;
		unlink_after(answers, NULL, oldest);
		answer_free(oldest);
		answers->forgotten++;
	}
}

struct answer *answers_take(struct answers *answers, const char *key)
{
	struct answer *before = NULL;
	for (struct answer *at = answers->first; at; before = at, at = at->next) {
		if (!key_fits(at, key))
			continue;
		if (!at->standing)
			unlink_after(answers, before, at);
		return at;
	}
	return NULL;
}

void answers_clear(struct answers *answers)
{
	for (struct answer *at = answers->first, *next; at; at = next) {
		next = at->next;
		answer_free(at);
	}
	*answers = (struct answers){0};
}
