#include "core/capture/tap.h"

#include <stdlib.h>
#include <string.h>

#include "core/io/transport_text.h"

/* Texts of one entry that may need redaction. */
enum { SHOWN_URL, SHOWN_REQUEST, SHOWN_HEADERS, SHOWN_BODY, SHOWN_COUNT };

int capture_tap_init(struct capture_tap *tap, struct capture_writer *writer, const struct loop *loop, bool with_private)
{
	*tap = (struct capture_tap){.writer = writer, .loop = loop, .with_private = with_private};
	tap->shown = calloc(SHOWN_COUNT, sizeof *tap->shown);
	return tap->shown ? TG_OK : TG_ERR_NO_MEMORY;
}

void capture_tap_finish(struct capture_tap *tap)
{
	for (size_t i = 0; tap->shown && i < SHOWN_COUNT; i++)
		bytes_clear(&tap->shown[i]);
	free(tap->shown);
	tap->shown = NULL;
}

static struct tg_str redact(struct capture_tap *tap, int which, struct tg_str text)
{
	struct bytes *shown = &tap->shown[which];
	shown->count = 0;
	if (!transport_redact(text, shown))
		shown->count = 0; /* out of memory: rather nothing than all */
	return (struct tg_str){(const char *)shown->at, shown->count};
}

static struct tg_str text_of(const char *text)
{
	return (struct tg_str){text, text ? strlen(text) : 0};
}

static struct capture_entry entry_of(const struct capture_tap *tap, enum capture_kind kind, uint64_t id)
{
	return (struct capture_entry){.kind = (uint16_t)kind,
				      .id = id,
				      .mono_ns = loop_mono_ns(tap->loop),
				      .unix_ns = loop_unix_ns(tap->loop)};
}

/* ------------------------------------------------------------ whose is it
 *
 * A request or a socket is an account's if it carries a key (a placeholder in its headers) or something that is not
 * shown: a signature, a token, a key's id. From then on all that comes on such a socket is. */

static bool has_secret(struct capture_tap *tap, struct tg_str text)
{
	struct tg_str shown = redact(tap, SHOWN_BODY, text);
	return shown.len != text.len || (text.len > 0 && memcmp(shown.ptr, text.ptr, text.len) != 0);
}

static bool has_key(struct tg_str headers)
{
	return headers.len > 0 && memmem(headers.ptr, headers.len, "${key:", 6);
}

static uint64_t *private_at(struct capture_tap *tap, uint64_t id)
{
	return &tap->private_id[id % TAP_PRIVATE_MAX];
}

static bool is_private(struct capture_tap *tap, uint64_t id)
{
	return *private_at(tap, id) == id;
}

/* Is it for the capture? Counts what is not. */
static bool wanted(struct capture_tap *tap, bool private, struct capture_entry *entry)
{
	if (!private)
		return true;
	entry->flags |= CAPTURE_PRIVATE;
	tap->left_out += !tap->with_private;
	return tap->with_private;
}

/* ------------------------------------------------------------ traffic */

static void on_message(struct capture_tap *tap, const struct transport_traffic *traffic)
{
	struct capture_entry entry = entry_of(tap, CAPTURE_MESSAGE, traffic->id);
	bool private = is_private(tap, traffic->id);
	struct tg_str body = traffic->body;
	entry.flags = traffic->ws_kind == TG_WS_BINARY ? CAPTURE_BINARY : 0;
	if (!wanted(tap, private, &entry))
		return;
	if (private)
		body = redact(tap, SHOWN_BODY, body);
	tap->messages++;
	tap->message_bytes += body.len;
	capture_writer_put(tap->writer, &entry, &body, 1);
}

static void on_sent(struct capture_tap *tap, const struct transport_traffic *traffic)
{
	struct capture_entry entry = entry_of(tap, CAPTURE_SENT, traffic->id);
	if (!is_private(tap, traffic->id) && has_secret(tap, traffic->body))
		*private_at(tap, traffic->id) = traffic->id;
	entry.flags = traffic->ws_kind == TG_WS_BINARY ? CAPTURE_BINARY : 0;
	if (!wanted(tap, is_private(tap, traffic->id), &entry))
		return;
	struct tg_str body = redact(tap, SHOWN_BODY, traffic->body);
	capture_writer_put(tap->writer, &entry, &body, 1);
}

static void on_opened(struct capture_tap *tap, const struct transport_traffic *traffic)
{
	struct capture_entry entry = entry_of(tap, CAPTURE_OPENED, traffic->id);
	struct tg_str url = redact(tap, SHOWN_URL, text_of(traffic->url));
	if (has_key(traffic->headers))
		*private_at(tap, traffic->id) = traffic->id;
	tap->opened++;
	if (wanted(tap, is_private(tap, traffic->id), &entry))
		capture_writer_put(tap->writer, &entry, &url, 1);
}

static void on_closed(struct capture_tap *tap, const struct transport_traffic *traffic)
{
	struct capture_entry entry = entry_of(tap, CAPTURE_CLOSED, traffic->id);
	struct tg_str why = text_of(traffic->error ? traffic->error->message : "");
	entry.status = traffic->error ? traffic->error->code : 0;
	if (wanted(tap, is_private(tap, traffic->id), &entry))
		capture_writer_put(tap->writer, &entry, &why, 1);
}

/* Names in lower case as they came, but for cookies, which may be secrets of a session. */
static struct tg_str headers_join(struct capture_tap *tap, const struct tg_http_response *response)
{
	struct bytes *shown = &tap->shown[SHOWN_HEADERS];
	static const char cookie[] = "set-cookie";
	shown->count = 0;
	for (uint32_t i = 0; i < response->header_count; i++) {
		const struct tg_net_header *header = &response->headers[i];
		if (header->name.len != strlen(cookie) || memcmp(header->name.ptr, cookie, strlen(cookie)) != 0)
			headers_format(header, 1, shown);
	}
	return (struct tg_str){(const char *)shown->at, shown->count};
}

static void on_http(struct capture_tap *tap, const struct transport_traffic *traffic)
{
	const struct tg_http_response *response = traffic->response;
	struct capture_entry entry = entry_of(tap, CAPTURE_HTTP, traffic->id);
	bool private =
		has_key(traffic->headers) || has_secret(tap, text_of(traffic->url)) || has_secret(tap, traffic->body);
	uint8_t head[CAPTURE_HTTP_HEAD];
	entry.flags = response->left ? CAPTURE_LEFT : 0;
	entry.status = response->error ? response->error->code : response->http_status;
	if (!wanted(tap, private, &entry))
		return;
	struct capture_http http = {.asked_ns = traffic->asked_ns,
				    .method = text_of(traffic->method),
				    .url = redact(tap, SHOWN_URL, text_of(traffic->url)),
				    .request = redact(tap, SHOWN_REQUEST, traffic->body),
				    .headers = headers_join(tap, response),
				    .body = response->error ? text_of(response->error->message) : response->body};
	if (private)
		http.body = redact(tap, SHOWN_BODY, http.body);
	capture_http_write(&http, head);
	const struct tg_str pieces[] = {
		{(const char *)head, sizeof head}, http.method, http.url, http.request, http.headers, http.body};
	tap->requests++;
	capture_writer_put(tap->writer, &entry, pieces, sizeof pieces / sizeof *pieces);
}

void capture_tap_traffic(void *ctx, const struct transport_traffic *traffic)
{
	struct capture_tap *tap = ctx;
	switch (traffic->kind) {
	case TRAFFIC_MESSAGE: on_message(tap, traffic); break;
	case TRAFFIC_SENT: on_sent(tap, traffic); break;
	case TRAFFIC_OPENED: on_opened(tap, traffic); break;
	case TRAFFIC_CLOSED: on_closed(tap, traffic); break;
	case TRAFFIC_HTTP: on_http(tap, traffic); break;
	}
}

void capture_tap_subscribed(struct capture_tap *tap, struct tg_str symbols)
{
	const struct capture_entry entry = entry_of(tap, CAPTURE_SUBSCRIBED, 0);
	capture_writer_put(tap->writer, &entry, &symbols, 1);
}
