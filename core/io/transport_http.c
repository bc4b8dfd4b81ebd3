/* HTTP on libcurl's multi interface: its sockets are uv_poll handles, its time a timer of the loop. */
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "core/io/transport_private.h"

#define REQUESTS_MAX 1024
#define TIMEOUT_MS 10000
#define BODY_MAX (UINT32_C(64) << 20)
#define HEADERS_MAX 128
#define HEADER_BYTES_MAX 65536
/* An idle connection is not used again after so long: many servers close theirs after a minute, and a request that
 * crosses with that is one whose outcome is unknown. */
#define IDLE_S 50L

struct request {
	struct request *next, *before;
	struct http *http;
	struct transport_owner owner;
	uint64_t id;
	transport_done_fn done;
	void *ctx;
	CURL *easy;
	struct curl_slist *lines;
	struct curl_slist *resolved;
	struct url url;
	char method[8];
	struct bytes headers; /* lines as given */
	struct bytes body;
	uint32_t body_max;
	struct bytes answer_headers; /* lines, each ended by NUL */
	struct bytes answer;
	uint64_t question; /* 0: none is open */
	uint64_t timer;
	int64_t started_ns;
	bool left;
	int problem; /* TG_ERR_ that our own callbacks ended it with, and why; libcurl has words of its own for that */
	const char *problem_why;
	char why[CURL_ERROR_SIZE];
};

struct http {
	struct transport *transport;
	CURLM *multi;
	struct request *requests;
	uint32_t count;
	uint64_t last_id;
	uint64_t timer;
	bool global;
};

/* A socket of libcurl. */
struct watch {
	uv_poll_t poll;
	struct transport *transport;
	curl_socket_t fd;
};

/* ------------------------------------------------------------ a request's end */

static void request_unlink(struct request *request)
{
	struct http *http = request->http;
	if (request->before)
		request->before->next = request->next;
	else
		http->requests = request->next;
	if (request->next)
		request->next->before = request->before;
	http->count--;
}

static void lines_wipe(struct curl_slist *lines)
{
	for (struct curl_slist *at = lines; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(lines);
}

/* Also half built, then not in the list. */
static void request_free(struct request *request)
{
	struct transport *transport = request->http->transport;
	if (request->question)
		resolver_withdraw(transport->resolver, request->question);
	loop_timer_stop(transport->loop, request->timer);
	if (request->easy) {
		curl_multi_remove_handle(request->http->multi, request->easy);
		curl_easy_cleanup(request->easy);
	}
	lines_wipe(request->lines);
	curl_slist_free_all(request->resolved);
	bytes_clear(&request->headers);
	bytes_clear(&request->body);
	bytes_clear(&request->answer_headers);
	bytes_clear(&request->answer);
	explicit_bzero(request->url.text, sizeof request->url.text);
	free(request);
}

/* Tell its end, once; then it is gone. With error NULL there was an answer. */
static void request_finish(struct request *request, int32_t status, const struct tg_error *error)
{
	struct transport *transport = request->http->transport;
	struct tg_net_header headers[HEADERS_MAX];
	struct tg_http_response response = {
		.size = sizeof response,
		.http_status = status,
		.left = request->left,
		.received_ns = loop_mono_ns(transport->loop),
		.error = error,
	};
	if (!error) {
		response.headers = headers;
		response.header_count = headers_split(&request->answer_headers, headers, HEADERS_MAX);
		response.body = (struct tg_str){(const char *)request->answer.at, request->answer.count};
	}
	request_unlink(request);
	transport_tell(transport, (struct transport_audit){
					  .event = TRANSPORT_HTTP,
					  .owner = request->owner.name,
					  .id = request->id,
					  .method = request->method,
					  .url = request->url.text,
					  .headers = {(const char *)request->headers.at, request->headers.count},
					  .body = {(const char *)request->body.at, request->body.count},
					  .status = status,
					  .left = request->left,
					  .sent_bytes = request->left ? request->body.count : 0,
					  .received_bytes = request->answer.count,
					  .duration_ns = response.received_ns - request->started_ns,
					  .error = error,
				  });
	transport_show(transport, &(struct transport_traffic){
					  .kind = TRAFFIC_HTTP,
					  .id = request->id,
					  .url = request->url.text,
					  .headers = {(const char *)request->headers.at, request->headers.count},
					  .body = {(const char *)request->body.at, request->body.count},
					  .method = request->method,
					  .asked_ns = request->started_ns,
					  .response = &response,
				  });
	request->done(request->ctx, request->id, &response);
	request_free(request);
}

/* Once it may have left, its outcome is unknown, whatever the reason. */
static void request_fail(struct request *request, int32_t code, const char *why)
{
	struct tg_error error = tg_error_init();
	if (request->left && code != TG_ERR_LIMIT)
		code = TG_ERR_UNKNOWN_OUTCOME;
	tg_error_set(&error, code, "%s %s://%s:%u: %s", request->method, request->url.tls ? "https" : "http",
		     request->url.host, request->url.port, why);
	request_finish(request, 0, &error);
}

static int32_t code_of(CURLcode result)
{
	switch (result) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE: return TG_ERR_AUTH;
	case CURLE_OUT_OF_MEMORY: return TG_ERR_NO_MEMORY;
	default: return TG_ERR_IO;
	}
}

static void request_ended(struct request *request, CURLcode result)
{
	long status = 0;
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (result == CURLE_OK && status > 0)
		return request_finish(request, (int32_t)status, NULL);
	if (result == CURLE_COULDNT_CONNECT || result == CURLE_OPERATION_TIMEDOUT)
		resolver_forget(request->http->transport->resolver,
				transport_next_host(request->http->transport, &request->url));
	if (request->problem)
		return request_fail(request, request->problem, request->problem_why);
	request_fail(request, code_of(result), request->why[0] ? request->why : curl_easy_strerror(result));
}

static void http_collect(struct http *http)
{
	int left;
	for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
		struct request *request;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
		if (message->msg == CURLMSG_DONE)
			request_ended(request, message->data.result);
	}
}

/* ------------------------------------------------------------ libcurl on libuv */

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;
	transport_release(watch->transport);
	free(watch);
}

static void on_readiness(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct http *http = watch->transport->http;
	int action = status < 0 ? CURL_CSELECT_ERR : 0, running;
	action |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	action |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	loop_arrive(http->transport->loop);
	curl_multi_socket_action(http->multi, watch->fd, action, &running);
	http_collect(http);
}

static struct watch *watch_open(struct http *http, curl_socket_t fd)
{
	struct watch *watch = calloc(1, sizeof *watch);
	if (!watch)
		return NULL;
	if (uv_poll_init(loop_uv(http->transport->loop), &watch->poll, fd)) {
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	watch->transport = http->transport;
	watch->fd = fd;
	transport_hold(http->transport);
	curl_multi_assign(http->multi, fd, watch);
	return watch;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct http *http = ctx;
	struct watch *watch = socket_ctx;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch)
			uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
		curl_multi_assign(http->multi, fd, NULL);
		return 0;
	}
	if (!watch)
		watch = watch_open(http, fd);
	int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return watch && uv_poll_start(&watch->poll, events, on_readiness) == 0 ? 0 : -1;
}

static void on_timer(void *ctx)
{
	struct http *http = ctx;
	int running;
	http->timer = 0;
	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	http_collect(http);
}

static int on_timer_wish(CURLM *multi, long ms, void *ctx)
{
	struct http *http = ctx;
	(void)multi;
	loop_timer_stop(http->transport->loop, http->timer);
	http->timer = 0;
	if (ms < 0)
		return 0;
	return loop_timer_start(http->transport->loop, ms * NS_PER_MS, on_timer, http, &http->timer) ? -1 : 0;
}

/* ------------------------------------------------------------ a request's way */

static void problem_set(struct request *request, int code, const char *why)
{
	request->problem = code;
	request->problem_why = why;
}

/* Called when a connection is there and the request is about to be written. A second time means that libcurl found a
 * kept connection closed and would send again: nobody but the connector may decide that. */
static int on_before_send(void *ctx, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct request *request = ctx;
	(void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
	if (request->left) {
		problem_set(request, TG_ERR_UNKNOWN_OUTCOME, "the connection was closed before an answer came");
		return CURL_PREREQFUNC_ABORT;
	}
	request->left = true;
	return CURL_PREREQFUNC_OK;
}

static size_t on_answer_bytes(char *from, size_t size, size_t count, void *ctx)
{
	struct request *request = ctx;
	if (request->answer.count + count > request->body_max) {
		problem_set(request, TG_ERR_LIMIT, "the answer is longer than body_max_bytes");
		return 0;
	}
	if (bytes_add(&request->answer, from, size * count))
		return count;
	problem_set(request, TG_ERR_NO_MEMORY, "out of memory");
	return 0;
}

/* A status line begins anew: what came before it were the headers of an interim answer. */
static size_t on_answer_header(char *from, size_t size, size_t count, void *ctx)
{
	struct request *request = ctx;
	struct bytes *lines = &request->answer_headers;
	size_t len = size * count;
	if (len >= 5 && strncmp(from, "HTTP/", 5) == 0)
		lines->count = 0;
	while (len > 0 && (from[len - 1] == '\n' || from[len - 1] == '\r'))
		len--;
	if (len == 0 || memchr(from, '\0', len))
		return count;
	if (lines->count + len > HEADER_BYTES_MAX) {
		problem_set(request, TG_ERR_LIMIT, "the answer's headers are longer than 64 KiB");
		return 0;
	}
	return bytes_add(lines, from, len) && bytes_add(lines, "", 1) ? count : 0;
}

static bool line_add(struct curl_slist **lines, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*lines, line);
	if (longer)
		*lines = longer;
	return longer;
}

static bool has_line(const struct bytes *lines, const char *name)
{
	size_t len = strlen(name);
	for (size_t at = 0; at < lines->count;) {
		const char *line = (const char *)lines->at + at;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return true;
		at += (size_t)((const char *)memchr(line, '\n', lines->count - at) - line) + 1;
	}
	return false;
}

/* libcurl's own headers are taken out where the connector did not give them. */
static int lines_make(struct request *request, struct tg_error *ret_error)
{
	struct bytes filled = {0};
	int status = transport_fill_headers(request->http->transport, (const char *)request->headers.at,
					    request->headers.count, &filled, ret_error);
	bool fits = true;
	for (size_t at = 0; !status && fits && at < filled.count;) {
		char *line = (char *)filled.at + at, *end = memchr(line, '\r', filled.count - at);
		at = (size_t)(end - (char *)filled.at) + 2;
		*end = '\0';
		char *colon = strchr(line, ':');
		if (strspn(colon + 1, " ") == strlen(colon + 1))
			memcpy(colon, ";", 2); /* libcurl's way to say: empty */
		fits = line_add(&request->lines, line);
	}
	bytes_clear(&filled);
	fits = fits && line_add(&request->lines, "Expect:");
	if (fits && !has_line(&request->headers, "Content-Type"))
		fits = line_add(&request->lines, "Content-Type:");
	if (fits && !has_line(&request->headers, "Accept"))
		fits = line_add(&request->lines, "Accept:");
	return fits ? status : tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
}

static void easy_verify(CURL *easy, const struct transport *transport)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (!transport->ca_file)
		return;
	curl_easy_setopt(easy, CURLOPT_CAINFO, transport->ca_file);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* Debian's libcurl would add the system's */
}

static void easy_body(CURL *easy, const struct request *request)
{
	bool is_get = strcmp(request->method, "GET") == 0;
	if (request->body.count > 0 || (!is_get && strcmp(request->method, "DELETE") != 0)) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.count);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.at ? (char *)request->body.at : "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void easy_fill(CURL *easy, struct request *request)
{
	const struct transport *transport = request->http->transport;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->why);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_URL, request->url.text);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, request->url.tls ? "https" : "http");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, transport->proxy ? transport->proxy : ""); /* "": not the environment's */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_RESOLVE, request->resolved);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->lines);
	curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* the proxy gets none of them */
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_S);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, request);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_answer_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	easy_verify(easy, transport);
	easy_body(easy, request);
}

/* "HOST:PORT:ADDRESS,ADDRESS", which libcurl takes for the answer of DNS. */
static bool resolved_make(struct request *request, const struct addresses *addresses)
{
	const struct transport *transport = request->http->transport;
	char line[HOST_MAX + 32 + ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)];
	int at = snprintf(line, sizeof line, "%s:%u:", transport_next_host(transport, &request->url),
			  (unsigned)(transport->proxy_port ? transport->proxy_port : request->url.port));
	for (uint32_t i = 0; i < addresses->count; i++) {
		bool six = strchr(addresses->text[i], ':');
		at += snprintf(line + at, sizeof line - (size_t)at, "%s%s%s%s", i ? "," : "", six ? "[" : "",
			       addresses->text[i], six ? "]" : "");
	}
	return line_add(&request->resolved, line);
}

static void on_resolved(void *ctx, const struct addresses *addresses, const char *why)
{
	struct request *request = ctx;
	request->question = 0;
	if (!addresses) {
		char text[128];
		snprintf(text, sizeof text, "cannot resolve the name: %s", why);
		return request_fail(request, TG_ERR_IO, text);
	}
	CURL *easy = curl_easy_init();
	if (!easy || !resolved_make(request, addresses)) {
		curl_easy_cleanup(easy);
		return request_fail(request, TG_ERR_NO_MEMORY, "out of memory");
	}
	easy_fill(easy, request);
	if (curl_multi_add_handle(request->http->multi, easy) != CURLM_OK) {
		curl_easy_cleanup(easy);
		return request_fail(request, TG_ERR_NO_MEMORY, "out of memory");
	}
	request->easy = easy;
}

static void on_timeout(void *ctx)
{
	struct request *request = ctx;
	request->timer = 0;
	resolver_forget(request->http->transport->resolver,
			transport_next_host(request->http->transport, &request->url));
	request_fail(request, TG_ERR_TIMEOUT, "no answer in time");
}

static int request_fill(struct request *request, const struct tg_http_request *from, struct tg_error *ret_error)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (from->method.len == strlen(methods[i]) &&
		    memcmp(from->method.ptr, methods[i], from->method.len) == 0)
			strcpy(request->method, methods[i]);
	if (!request->method[0])
		return tg_error_set(ret_error, TG_ERR_INVALID, "an HTTP method must be GET, POST, PUT or DELETE");
	if (from->timeout_ms < 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "timeout_ms must not be negative");
	int status = url_parse(&request->url, from->url, "http", request->http->transport->allow_plain, ret_error);
	if (!status)
		status = headers_check(from->headers, from->header_count, ret_error);
	if (!status && (!headers_format(from->headers, from->header_count, &request->headers) ||
			!bytes_add(&request->body, from->body.ptr, from->body.len)))
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	request->body_max = from->body_max_bytes ? from->body_max_bytes : BODY_MAX;
	return status ? status : lines_make(request, ret_error);
}

static int request_start(struct request *request, int64_t timeout_ms, struct tg_error *ret_error)
{
	struct http *http = request->http;
	struct loop *loop = http->transport->loop;
	struct addresses addresses;
	if (timeout_ms > INT64_MAX / NS_PER_MS)
		timeout_ms = INT64_MAX / NS_PER_MS;
	if (loop_timer_start(loop, timeout_ms * NS_PER_MS, on_timeout, request, &request->timer))
		return tg_error_set(ret_error, TG_ERR_LIMIT, "no timer is left");
	int status = resolver_ask(http->transport->resolver, transport_next_host(http->transport, &request->url),
				  on_resolved, request, &request->question, &addresses);
	if (status < 0)
		return tg_error_set(ret_error, status, "out of memory");
	if (status == TG_PENDING)
		return TG_OK;
	request->easy = curl_easy_init();
	if (!request->easy || !resolved_make(request, &addresses))
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	easy_fill(request->easy, request);
	if (curl_multi_add_handle(http->multi, request->easy) != CURLM_OK)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	return TG_OK;
}

int32_t transport_http_request(struct transport *transport, struct transport_owner owner,
			       const struct tg_http_request *from, transport_done_fn done, void *ctx, uint64_t *ret_id,
			       struct tg_error *ret_error)
{
	struct http *http = transport->http;
	struct tg_http_request request_like = {0};
	ABI_COPY(&request_like, from);
	if (http->count == REQUESTS_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%d requests wait for their answers", REQUESTS_MAX);
	struct request *request = calloc(1, sizeof *request);
	if (!request)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	request->http = http;
	request->owner = owner;
	request->done = done;
	request->ctx = ctx;
	request->started_ns = loop_mono_ns(transport->loop);
	int status = request_fill(request, &request_like, ret_error);
	if (!status)
		status = request_start(request, request_like.timeout_ms ? request_like.timeout_ms : TIMEOUT_MS,
				       ret_error);
	if (status) {
		request_free(request);
		return status;
	}
	request->id = ++http->last_id;
	request->next = http->requests;
	if (http->requests)
		http->requests->before = request;
	http->requests = request;
	http->count++;
	*ret_id = request->id;
	return TG_OK;
}

void transport_http_cancel(struct transport *transport, const void *owner, uint64_t id)
{
	for (struct request *at = transport->http->requests; at; at = at->next)
		if (at->id == id && at->owner.owner == owner) {
			request_unlink(at);
			request_free(at);
			return;
		}
}

/* ------------------------------------------------------------ open and close */

int http_create(struct transport *transport, struct http **ret_http)
{
	struct http *http = calloc(1, sizeof *http);
	if (!http)
		return TG_ERR_NO_MEMORY;
	*ret_http = http;
	http->transport = transport;
	http->global = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (http->global)
		http->multi = curl_multi_init();
	if (!http->multi)
		return TG_ERR_NO_MEMORY;
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return TG_OK;
}

void http_drop(struct http *http, const void *owner)
{
	for (struct request *at = http->requests, *next; at; at = next) {
		next = at->next;
		if (owner && at->owner.owner != owner)
			continue;
		request_unlink(at);
		request_free(at);
	}
}

void http_destroy(struct http *http)
{
	if (http->multi)
		curl_multi_cleanup(http->multi);
	loop_timer_stop(http->transport->loop, http->timer);
	if (http->global)
		curl_global_cleanup();
	http->transport->http = NULL;
	free(http);
}
