#include "core/capture/played_private.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 128
#define TIMEOUT_MS 10000 /* as the transport's */
#define NS_PER_MS INT64_C(1000000)

/* ------------------------------------------------------------ requests */

/* Without a word. */
static void asked_free(struct asked *asked)
{
	played_timer_stop(asked->played, asked->timer);
	if (asked->answer && !asked->answer->standing)
		answer_free(asked->answer);
	free(asked->key);
	*asked = (struct asked){.played = asked->played};
}

/* Its end. It is gone before the connector, which may ask for something else, is told. */
static void asked_done(struct asked *asked, const struct tg_http_response *response)
{
	struct asked gone = *asked;
	played_timer_stop(asked->played, asked->timer);
	*asked = (struct asked){.played = asked->played};
	gone.done(gone.ctx, gone.id, response);
	if (gone.answer && !gone.answer->standing)
		answer_free(gone.answer);
	free(gone.key);
}

static uint32_t headers_of(struct tg_str lines, struct bytes *ret_bytes, struct tg_net_header *ret_headers)
{
	ret_bytes->count = 0;
	if (!bytes_add(ret_bytes, lines.ptr, lines.len) || !bytes_add(ret_bytes, "", 1))
		return 0;
	for (size_t i = 0; i < ret_bytes->count; i++)
		if (ret_bytes->at[i] == '\r' || ret_bytes->at[i] == '\n')
			ret_bytes->at[i] = '\0';
	return headers_split(ret_bytes, ret_headers, HEADERS_MAX);
}

static void asked_answer(struct asked *asked)
{
	struct played *played = asked->played;
	const struct answer *answer = asked->answer;
	struct tg_net_header headers[HEADERS_MAX];
	struct tg_error error = tg_error_init();
	struct bytes lines = {0};
	struct tg_http_response response = {
		.size = sizeof response, .left = answer->left, .received_ns = loop_mono_ns(played->loop)};
	if (answer->status > 0) {
		response.http_status = answer->status;
		response.header_count = headers_of(answer->headers, &lines, headers);
		response.headers = headers;
		response.body = answer->body;
	} else {
		tg_error_set(&error, answer->status < 0 ? answer->status : TG_ERR_IO, "%.*s",
			     (int)(answer->body.len < 200 ? answer->body.len : 200), answer->body.ptr);
		response.error = &error;
	}
	played->figures.answered++;
	asked_done(asked, &response);
	bytes_clear(&lines);
}

static void asked_give_up(struct asked *asked)
{
	struct played_figures *figures = &asked->played->figures;
	struct tg_error error = tg_error_init();
	const struct tg_http_response response = {
		.size = sizeof response, .received_ns = loop_mono_ns(asked->played->loop), .error = &error};
	tg_error_set(&error, TG_ERR_TIMEOUT, "%.100s: the capture has no answer to it", asked->key);
	if (figures->unanswered++ == 0)
		snprintf(figures->unanswered_key, sizeof figures->unanswered_key, "%s", asked->key);
	asked_done(asked, &response);
}

static bool asked_help(struct asked *asked)
{
	struct played *played = asked->played;
	char body[PLAYED_HELP_BYTES];
	size_t len = 0;
	if (played->help && played->help->answer)
		len = played->help->answer(asked->key, loop_unix_ns(played->loop), body, sizeof body);
	asked->answer = len > 0 ? answer_make_document("", (struct tg_str){body, len}) : NULL;
	if (asked->answer)
		asked->answer->standing = false; /* ours alone */
	return asked->answer;
}

static void on_asked_timer(void *ctx)
{
	struct asked *asked = ctx;
	asked->timer = 0;
	if (asked->answer)
		asked_answer(asked);
	else
		asked_give_up(asked);
}

void played_tell_http(struct played *played, const struct capture_entry *entry)
{
	struct answer *answer = answer_make(entry, false);
	struct asked *oldest = NULL;
	if (!answer)
		return;
	for (size_t i = 0; i < PLAYED_ASKED_MAX; i++) {
		struct asked *asked = &played->asked[i];
		if (asked->id && !asked->answer && strcmp(asked->key, answer->key) == 0 &&
		    (!oldest || asked->id < oldest->id))
			oldest = asked;
	}
	if (!oldest) {
		answers_add(&played->answers, answer);
		return;
	}
	oldest->answer = answer;
	asked_answer(oldest);
}

/* ------------------------------------------------------------ tg.http/1 */

static struct asked *asked_find(struct played *played, uint64_t id)
{
	struct asked *asked = &played->asked[id % PLAYED_ASKED_MAX];
	return id != 0 && asked->id == id ? asked : NULL;
}

static int64_t timeout_of(const struct tg_http_request *request)
{
	int64_t ms = request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS;
	return ms < INT64_MAX / NS_PER_MS ? ms * NS_PER_MS : INT64_MAX;
}

/* An answer of the capture that is past, or stands, comes at once; one that stands but was recorded later comes at its
 * time, if the connector has the patience. */
static int64_t answer_delay(const struct asked *asked, int64_t timeout_ns)
{
	int64_t ahead = asked->answer->mono_ns - loop_mono_ns(asked->played->loop);
	if (ahead <= 0)
		return 0;
	return ahead < timeout_ns / 2 ? ahead : timeout_ns / 2;
}

static int32_t http_request(const struct tg_host *host, const struct tg_http_request *request,
			    void (*done)(void *ctx, uint64_t id, const struct tg_http_response *response), void *ctx,
			    uint64_t *ret_id, struct tg_error *ret_error)
{
	struct played *played = played_of(host);
	char key[ANSWER_KEY_MAX];
	uint64_t id = played->last_id;
	if (!answer_key(request->method, request->url, key))
		return tg_error_set(ret_error, TG_ERR_INVALID, "no URL that can be asked for");
	for (size_t i = 0; i < PLAYED_ASKED_MAX; i++)
		if (played->asked[++id % PLAYED_ASKED_MAX].id == 0)
			break;
	struct asked *asked = &played->asked[id % PLAYED_ASKED_MAX];
	if (asked->id)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%d requests wait for their answers", PLAYED_ASKED_MAX);
	*asked = (struct asked){.played = played, .id = id, .key = strdup(key), .done = done, .ctx = ctx};
	if (!asked->key) {
		asked->id = 0;
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	played->last_id = id;
	asked->answer = answers_take(&played->answers, key);
	int64_t delay = timeout_of(request);
	if (asked->answer || asked_help(asked))
		delay = answer_delay(asked, delay);
	loop_timer_start(played->loop, delay, on_asked_timer, asked, &asked->timer);
	*ret_id = id;
	return TG_OK;
}

static void http_cancel(const struct tg_host *host, uint64_t id)
{
	struct asked *asked = asked_find(played_of(host), id);
	if (asked)
		asked_free(asked);
}

const struct tg_ext_http played_http = {.size = sizeof played_http, .request = http_request, .cancel = http_cancel};

void played_requests_finish(struct played *played)
{
	for (size_t i = 0; i < PLAYED_ASKED_MAX; i++)
		if (played->asked[i].id)
			asked_free(&played->asked[i]);
	answers_clear(&played->answers);
}
