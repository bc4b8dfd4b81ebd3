/* What both halves of the wire share. */
#include "simulation/net_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/random.h"
#include "core/secrets/keys.h"

#define FILLED_MAX 1024 /* bytes of a header's value: a key's public id, or a passphrase */

int net_create(const struct net_options *options, struct net **ret_net)
{
	struct net *net = calloc(1, sizeof *net);
	if (!net)
		return TG_ERR_NO_MEMORY;
	net->options = *options;
	net->ground = options->life->ground;
	net->random = options->seed;
	snprintf(net->who, sizeof net->who, "g%u", options->life->gateway);
	*ret_net = net;
	return TG_OK;
}

void net_destroy(struct net *net)
{
	if (!net)
		return;
	assert(net->busy == 0);
	sockets_finish(net);
	requests_finish(net);
	free(net);
}

/* ------------------------------------------------------------ passes */

void net_timer(struct net *net, uint64_t *id, int64_t delay_ns, loop_fn fn, void *ctx)
{
	net_timer_stop(net, id);
	int status = loop_timer_start(net->ground->time, delay_ns, fn, ctx, id);
	assert(status == TG_OK); /* the world's loop has room for all timers of all machines */
}

void net_timer_stop(struct net *net, uint64_t *id)
{
	if (*id)
		loop_timer_stop(net->ground->time, *id);
	*id = 0;
}

void net_enter(struct net *net, void (*fn)(void *ctx), void *ctx)
{
	net->options.enter(net->options.process, fn, ctx);
}

void net_call_begin(struct net *net)
{
	net->busy++;
}

void net_call_end(struct net *net)
{
	if (--net->busy > 0)
		return;
	sockets_reap(net);
	requests_reap(net);
}

/* ------------------------------------------------------------ texts */

int net_url_parse(struct tg_str text, const char *scheme, struct url *ret_url, struct tg_error *ret_error)
{
	int status = url_parse(ret_url, text, scheme, false, ret_error);
	if (status)
		return status;
	size_t length = strlen(ret_url->host), domain = sizeof NET_DOMAIN - 1;
	if (length >= domain && strcmp(ret_url->host + length - domain, NET_DOMAIN) == 0)
		return TG_OK;
	return tg_error_set(ret_error, TG_ERR_INVALID, "%s: this world has nobody outside of " NET_DOMAIN,
			    ret_url->host);
}

static int header_write(const struct net *net, const struct tg_net_header *header, struct bytes *text,
			struct tg_error *ret_error)
{
	char value[FILLED_MAX];
	size_t length = 0;
	int status = keys_fill(net->options.keys, header->value, value, sizeof value, &length, ret_error);
	if (status)
		return status;
	bool fits = bytes_add(text, header->name.ptr, header->name.len) && bytes_add(text, ": ", 2) &&
		    bytes_add(text, value, length) && bytes_add(text, "\r\n", 2);
	return fits ? TG_OK : tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
}

int net_request_write(const struct net *net, const char *method, const struct url *url,
		      const struct tg_net_header *headers, uint32_t header_count, struct tg_str body,
		      struct bytes *ret_text, struct tg_error *ret_error)
{
	char line[HOST_MAX + 64];
	int status = headers_check(headers, header_count, ret_error);
	if (status)
		return status;
	bool fits = bytes_add(ret_text, method, strlen(method)) && bytes_add(ret_text, " ", 1) &&
		    bytes_add(ret_text, url->path, strlen(url->path));
	int length = snprintf(line, sizeof line, " HTTP/1.1\r\nHost: %s\r\n", url->host);
	fits = fits && bytes_add(ret_text, line, (size_t)length);
	for (uint32_t i = 0; i < header_count && fits && !status; i++)
		status = header_write(net, &headers[i], ret_text, ret_error);
	if (status)
		return status;
	length = body.len ? snprintf(line, sizeof line, "Content-Length: %llu\r\n\r\n", (unsigned long long)body.len)
			  : snprintf(line, sizeof line, "\r\n");
	fits = fits && bytes_add(ret_text, line, (size_t)length) && bytes_add(ret_text, body.ptr, body.len);
	return fits ? TG_OK : tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
}

int net_path_length(const struct url *url)
{
	return (int)strcspn(url->path, "?");
}

int net_frame_send(struct stream *stream, enum net_frame_kind kind, const void *bytes, size_t count)
{
	size_t size;
	uint8_t *frame = net_frame_make(kind, 0, bytes, count, &size);
	int status = frame ? stream_send(stream, frame, size) : TG_ERR_NO_MEMORY;
	free(frame);
	return status;
}

bool net_answer_read(const struct net_frame *frame, int32_t *ret_status, struct bytes *ret_lines,
		     struct tg_str *ret_body)
{
	const char *at = (const char *)frame->bytes, *end = at + frame->count;
	const char *head = frame->kind == NET_ANSWER ? memmem(at, frame->count, "\r\n\r\n", 4) : NULL;
	char status[4] = "";
	if (!head || head - at < 12 || memcmp(at, "HTTP/1.1 ", 9) != 0)
		return false;
	memcpy(status, at + 9, 3);
	*ret_status = atoi(status);
	*ret_body = (struct tg_str){head + 4, (uint64_t)(end - head - 4)};
	const char *line = memmem(at, (size_t)(head + 2 - at), "\r\n", 2);
	for (line += 2; line < head;) {
		const char *stop = memmem(line, (size_t)(head + 2 - line), "\r\n", 2);
		if (!bytes_add(ret_lines, line, (size_t)(stop - line)) || !bytes_add(ret_lines, "", 1))
			return false;
		line = stop + 2;
	}
	return *ret_status >= 100;
}
