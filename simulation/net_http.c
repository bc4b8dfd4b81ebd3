/* Requests over HTTP: a stream for each, which is over when it is answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/net_state.h"

#define TIMEOUT_MS 10000
#define BODY_MAX NET_MESSAGE_MAX
#define HEADERS_MAX 128

struct net_request {
	struct net_request *next;
	struct net *net;
	uint64_t id;
	net_done_fn done;
	void *ctx;
	char method[8];
	struct url url;
	struct bytes text; /* head and body */
	uint32_t body_max;
	bool left, gone;
	struct stream *stream; /* NULL: none */
	struct net_reader reader;
	uint64_t timer;
};

static void request_free(struct net_request *request)
{
	net_timer_stop(request->net, &request->timer);
	net_reader_finish(&request->reader);
	bytes_clear(&request->text);
	free(request);
}

void requests_reap(struct net *net)
{
	for (struct net_request **at = &net->requests; *at;) {
		struct net_request *request = *at;
		if (!request->gone) {
			at = &request->next;
			continue;
		}
		*at = request->next;
		request_free(request);
	}
}

void requests_finish(struct net *net)
{
	for (struct net_request *request = net->requests, *next; request; request = next) {
		next = request->next;
		request_free(request);
	}
}

static void request_leave(struct net_request *request)
{
	if (request->stream)
		stream_close(request->stream);
	request->stream = NULL;
	net_timer_stop(request->net, &request->timer);
	request->gone = true;
}

/* ------------------------------------------------------------ its end */

#define request_tell(request, format, ...) \
	net_tell((request)->net, "http %llu: %s %.*s: " format, (unsigned long long)(request)->id, (request)->method, \
		 net_path_length(&(request)->url), (request)->url.path, __VA_ARGS__)

static void request_finish(struct net_request *request, struct tg_http_response *response)
{
	response->size = sizeof *response;
	response->left = request->left;
	response->received_ns = net_mono_ns(request->net);
	request_leave(request);
	request->done(request->ctx, request->id, response);
}

/* Once it may have left, its outcome is unknown, whatever the reason. */
static void request_fail(struct net_request *request, int32_t code, const char *why)
{
	struct tg_error error = tg_error_init();
	struct tg_http_response response = {.error = &error};
	if (request->left && code != TG_ERR_LIMIT)
		code = TG_ERR_UNKNOWN_OUTCOME;
	request_tell(request, "%s%s", why, request->left ? "" : ", and it never left");
	tg_error_set(&error, code, "%s https://%s: %s", request->method, request->url.host, why);
	request_finish(request, &response);
}

static void request_answer(struct net_request *request, const struct net_frame *frame)
{
	const struct net_tap *tap = request->net->options.tap;
	struct tg_net_header headers[HEADERS_MAX];
	struct tg_http_response response = {.headers = headers};
	struct bytes lines = {0};
	if (!net_answer_read(frame, &response.http_status, &lines, &response.body)) {
		request_fail(request, TG_ERR_IO, "the answer is nonsense");
	} else if (response.body.len > request->body_max) {
		request_fail(request, TG_ERR_LIMIT, "the answer is longer than body_max_bytes");
	} else {
		const struct net_message message = {request->id, true, request->url.path, response.body};
		response.header_count = headers_split(&lines, headers, HEADERS_MAX);
		request_tell(request, "%d", response.http_status);
		if (tap)
			tap->received(tap->ctx, request->net->options.life->gateway, &message);
		request_finish(request, &response);
	}
	bytes_clear(&lines);
}

/* ------------------------------------------------------------ the stream's events */

static void on_stream_open(void *ctx)
{
	struct net_request *request = ctx;
	const struct net_tap *tap = request->net->options.tap;
	const struct net_message message = {
		request->id, true, request->url.path, {(const char *)request->text.at, request->text.count}};
	request->left = true;
	if (net_frame_send(request->stream, NET_REQUEST, request->text.at, request->text.count) == TG_OK && tap)
		tap->sent(tap->ctx, request->net->options.life->gateway, &message);
}

static void on_stream_data(void *ctx, const uint8_t *bytes, size_t count)
{
	struct net_request *request = ctx;
	struct net *net = request->net;
	struct net_frame frame;
	net_call_begin(net);
	int got = net_reader_take(&request->reader, &bytes, &count, &frame);
	if (got > 0)
		request_answer(request, &frame);
	else if (got < 0)
		request_fail(request, TG_ERR_IO, request->reader.error);
	net_call_end(net);
}

static void on_stream_closed(void *ctx)
{
	struct net_request *request = ctx;
	net_call_begin(request->net);
	request->stream = NULL;
	request_fail(request, TG_ERR_IO,
		     request->left ? "the connection was closed before an answer came" : "cannot connect");
	net_call_end(request->net);
}

/* Its time is over, or there was never a stream. */
static void end_tell(void *ctx)
{
	struct net_request *request = ctx;
	net_call_begin(request->net);
	if (request->stream)
		request_fail(request, TG_ERR_TIMEOUT, "no answer in time");
	else
		request_fail(request, TG_ERR_IO, "cannot connect");
	net_call_end(request->net);
}

static void on_timer(void *ctx)
{
	struct net_request *request = ctx;
	request->timer = 0;
	net_enter(request->net, end_tell, request);
}

/* ------------------------------------------------------------ what connectors call */

static int method_take(struct net_request *request, struct tg_str method, struct tg_error *ret_error)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (method.len == strlen(methods[i]) && memcmp(method.ptr, methods[i], method.len) == 0) {
			snprintf(request->method, sizeof request->method, "%s", methods[i]);
			return TG_OK;
		}
	return tg_error_set(ret_error, TG_ERR_INVALID, "an HTTP method must be GET, POST, PUT or DELETE");
}

static int request_fill(struct net_request *request, const struct tg_http_request *from, struct tg_error *ret_error)
{
	if (from->timeout_ms < 0 || from->timeout_ms > INT64_MAX / MS / 2)
		return tg_error_set(ret_error, TG_ERR_INVALID, "timeout_ms must be a time");
	request->body_max = from->body_max_bytes ? from->body_max_bytes : BODY_MAX;
	int status = method_take(request, from->method, ret_error);
	if (!status)
		status = net_url_parse(from->url, "http", &request->url, ret_error);
	if (!status)
		status = net_request_write(request->net, request->method, &request->url, from->headers,
					   from->header_count, from->body, &request->text, ret_error);
	return status;
}

int32_t net_http_request(struct net *net, const struct tg_http_request *request, net_done_fn done, void *ctx,
			 uint64_t *ret_id, struct tg_error *ret_error)
{
	struct tg_http_request all = {0};
	ABI_COPY(&all, request);
	struct net_request *own = calloc(1, sizeof *own);
	if (!own)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	own->net = net;
	own->done = done;
	own->ctx = ctx;
	int status = request_fill(own, &all, ret_error);
	if (status) {
		request_free(own);
		return status;
	}
	const struct stream_events events = {own, on_stream_open, on_stream_data, on_stream_closed};
	own->id = ++net->last_id;
	own->next = net->requests;
	net->requests = own;
	own->stream = stream_connect(net->options.network, net->options.process, net->options.life, net->options.venue,
				     &events);
	net_timer(net, &own->timer, own->stream ? (all.timeout_ms ? all.timeout_ms : TIMEOUT_MS) * MS : 0, on_timer,
		  own);
	*ret_id = own->id;
	return TG_OK;
}

void net_http_cancel(struct net *net, uint64_t id)
{
	net_call_begin(net);
	for (struct net_request *request = net->requests; request; request = request->next)
		if (request->id == id && !request->gone)
			request_leave(request);
	net_call_end(net);
}
