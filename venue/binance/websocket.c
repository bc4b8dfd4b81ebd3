#include "venue/binance/websocket.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wslay/wslay.h>

#define PAYLOAD_MAX 125 /* of a control frame */

struct websocket {
	struct websocket_events events;
	wslay_event_context_ptr context; /* what comes in, and what the protocol says to it */
	wslay_frame_context_ptr frames;  /* what goes out: written as it is said, without a copy in between */
	struct text *out;
	const char *bytes; /* being received */
	size_t size;
	bool closing; /* a close frame was sent */
};

/* ------------------------------------------------------------ handshake */

/* Is the word in a header's list, "keep-alive, Upgrade"? In any case. */
static bool list_has(struct tg_str list, const char *word)
{
	size_t length = strlen(word);
	while (list.len) {
		const char *comma = memchr(list.ptr, ',', list.len);
		struct tg_str item = {list.ptr, comma ? (size_t)(comma - list.ptr) : list.len};
		list.ptr += item.len + (comma != NULL);
		list.len -= item.len + (comma != NULL);
		while (item.len && (*item.ptr == ' ' || *item.ptr == '\t')) {
			item.ptr++;
			item.len--;
		}
		while (item.len && (item.ptr[item.len - 1] == ' ' || item.ptr[item.len - 1] == '\t'))
			item.len--;
		if (item.len == length && strncasecmp(item.ptr, word, length) == 0)
			return true;
	}
	return false;
}

bool websocket_asked(const struct http_request *request)
{
	return list_has(http_header(request, "upgrade"), "websocket");
}

/* A nonce of 16 bytes in base64: 22 characters and two equal signs. */
static bool key_is_sane(struct tg_str key)
{
	for (size_t i = 0; i < key.len && i < 22; i++)
		if (!key.ptr[i] ||
		    !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", key.ptr[i]))
			return false;
	return key.len == 24 && memcmp(key.ptr + 22, "==", 2) == 0;
}

int32_t websocket_handshake(const struct http_request *request, char ret_accept[WEBSOCKET_ACCEPT_MAX])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char nonce[24 + sizeof guid - 1], digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	struct tg_str key = http_header(request, "sec-websocket-key");
	if (!str_is(request->method, "GET") || request->body.len || !key_is_sane(key) ||
	    !list_has(http_header(request, "connection"), "upgrade"))
		return 400;
	if (!str_is(http_header(request, "sec-websocket-version"), "13"))
		return 426;
	memcpy(nonce, key.ptr, 24);
	memcpy(nonce + 24, guid, sizeof guid - 1);
	if (!EVP_Digest(nonce, sizeof nonce, digest, &size, EVP_sha1(), NULL) || size != 20)
		return 500;
	EVP_EncodeBlock((unsigned char *)ret_accept, digest, (int)size);
	return 101;
}

/* ------------------------------------------------------------- callbacks */

static ssize_t on_read(wslay_event_context_ptr context, uint8_t *buffer, size_t room, int flags, void *user)
{
	struct websocket *websocket = user;
	size_t size = websocket->size < room ? websocket->size : room;
	(void)flags;
	if (!size) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buffer, websocket->bytes, size);
	websocket->bytes += size;
	websocket->size -= size;
	return (ssize_t)size;
}

static ssize_t on_write(wslay_event_context_ptr context, const uint8_t *bytes, size_t size, int flags, void *user)
{
	struct websocket *websocket = user;
	(void)context, (void)flags;
	text_add(websocket->out, (const char *)bytes, size);
	return (ssize_t)size;
}

static ssize_t on_frame_write(const uint8_t *bytes, size_t size, int flags, void *user)
{
	struct websocket *websocket = user;
	(void)flags;
	text_add(websocket->out, (const char *)bytes, size);
	return (ssize_t)size;
}

static void on_message(wslay_event_context_ptr context, const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
	const struct websocket *websocket = user;
	const struct websocket_events *events = &websocket->events;
	const char *bytes = arg->msg_length ? (const char *)arg->msg : "";
	(void)context;
	if (websocket->closing) /* what crossed our close frame is for nobody */
		return;
	switch (arg->opcode) {
	case WSLAY_TEXT_FRAME:
	case WSLAY_BINARY_FRAME: events->message(events->ctx, bytes, arg->msg_length); break;
	case WSLAY_PING: events->ping(events->ctx); break;
	case WSLAY_PONG: events->pong(events->ctx, bytes, arg->msg_length); break;
	default: break; /* a close frame: libwslay answers it */
	}
}

/* --------------------------------------------------------------- open, close */

struct websocket *websocket_create(const struct websocket_events *events, size_t message_max, struct text *out)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_read, .send_callback = on_write, .on_msg_recv_callback = on_message};
	static const struct wslay_frame_callbacks frame_callbacks = {.send_callback = on_frame_write};
	struct websocket *websocket = calloc(1, sizeof *websocket);
	if (!websocket)
		return NULL;
	websocket->events = *events;
	websocket->out = out;
	if (wslay_event_context_server_init(&websocket->context, &callbacks, websocket) != 0 ||
	    wslay_frame_context_init(&websocket->frames, &frame_callbacks, websocket) != 0) {
		websocket_destroy(websocket);
		return NULL;
	}
	wslay_event_config_set_max_recv_msg_length(websocket->context, message_max);
	return websocket;
}

void websocket_destroy(struct websocket *websocket)
{
	if (!websocket)
		return;
	if (websocket->context)
		wslay_event_context_free(websocket->context);
	if (websocket->frames)
		wslay_frame_context_free(websocket->frames);
	free(websocket);
}

/* --------------------------------------------------------------- traffic */

bool websocket_receive(struct websocket *websocket, const char *bytes, size_t size)
{
	websocket->bytes = bytes;
	websocket->size = size;
	if (wslay_event_recv(websocket->context) != 0 || wslay_event_send(websocket->context) != 0)
		return false;
	websocket->closing |= wslay_event_get_close_sent(websocket->context) != 0;
	return wslay_event_get_read_enabled(websocket->context) && !websocket->out->failed;
}

static void frame_send(struct websocket *websocket, uint8_t opcode, const char *bytes, size_t size)
{
	struct wslay_frame_iocb frame = {.fin = 1,
					 .opcode = opcode,
					 .payload_length = size,
					 .data = (const uint8_t *)bytes,
					 .data_length = size};
	if (websocket->closing)
		return;
	/* It takes the header and the payload by a call each, and says how much of the payload it took. */
	while (frame.data_length > 0) {
		ssize_t taken = wslay_frame_send(websocket->frames, &frame);
		if (taken < 0) {
			websocket->out->failed = true;
			return;
		}
		frame.data += taken;
		frame.data_length -= (size_t)taken;
	}
}

void websocket_text(struct websocket *websocket, const char *text, size_t size)
{
	frame_send(websocket, WSLAY_TEXT_FRAME, text, size);
}

void websocket_ping(struct websocket *websocket, const char *payload, size_t size)
{
	frame_send(websocket, WSLAY_PING, payload, size < PAYLOAD_MAX ? size : PAYLOAD_MAX);
}

void websocket_close(struct websocket *websocket, uint16_t code, const char *reason)
{
	if (websocket->closing)
		return;
	websocket->closing = true;
	if (wslay_event_queue_close(websocket->context, code, (const uint8_t *)reason, strlen(reason)) != 0 ||
	    wslay_event_send(websocket->context) != 0)
		websocket->out->failed = true;
}
