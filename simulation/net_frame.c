#include "simulation/net_frame.h"

#include <stdlib.h>
#include <string.h>

#include <trigate/abi.h>

#include "core/base/crc32c.h"

struct head {
	uint32_t size; /* of the frame, these bytes counted */
	uint32_t crc;  /* of what follows */
	uint16_t kind;
	uint16_t code;
};
#define CRC_FROM offsetof(struct head, kind)
#define ROOM_AT_START 4096

uint8_t *net_frame_make(enum net_frame_kind kind, uint16_t code, const void *bytes, size_t count, size_t *ret_size)
{
	struct head head = {.kind = (uint16_t)kind, .code = code};
	uint8_t *frame = count <= NET_MESSAGE_MAX ? malloc(sizeof head + count) : NULL;
	if (!frame)
		return NULL;
	head.size = (uint32_t)(sizeof head + count);
	if (count > 0)
		memcpy(frame + sizeof head, bytes, count);
	memcpy(frame, &head, sizeof head);
	head.crc = crc32c(0, frame + CRC_FROM, head.size - CRC_FROM);
	memcpy(frame, &head, sizeof head);
	*ret_size = head.size;
	return frame;
}

void net_reader_finish(struct net_reader *reader)
{
	free(reader->at);
	*reader = (struct net_reader){0};
}

static int reader_fail(struct net_reader *reader, int code, const char *why)
{
	reader->error = why;
	return code;
}

/* Up to so many bytes in all. False: no memory. */
static bool reader_fill(struct net_reader *reader, size_t whole, const uint8_t **bytes, size_t *count)
{
	if (whole > reader->room) {
		size_t room = whole > ROOM_AT_START ? whole : ROOM_AT_START;
		uint8_t *grown = realloc(reader->at, room);
		if (!grown)
			return false;
		reader->at = grown;
		reader->room = room;
	}
	size_t more = whole - reader->have < *count ? whole - reader->have : *count;
	if (more > 0)
		memcpy(reader->at + reader->have, *bytes, more);
	reader->have += more;
	*bytes += more;
	*count -= more;
	return true;
}

static bool head_is_sane(const struct head *head)
{
	return head->size >= sizeof *head && head->size - sizeof *head <= NET_MESSAGE_MAX && head->kind > NET_NOTHING &&
	       head->kind < NET_FRAME_KINDS;
}

int net_reader_take(struct net_reader *reader, const uint8_t **bytes, size_t *count, struct net_frame *ret_frame)
{
	struct head head;
	if (reader->error)
		return TG_ERR_CORRUPT;
	if (reader->whole)
		reader->have = 0;
	reader->whole = false;
	if (reader->have < sizeof head && !reader_fill(reader, sizeof head, bytes, count))
		return reader_fail(reader, TG_ERR_NO_MEMORY, "out of memory");
	if (reader->have < sizeof head)
		return 0;
	memcpy(&head, reader->at, sizeof head);
	if (!head_is_sane(&head))
		return reader_fail(reader, TG_ERR_CORRUPT, "a frame that cannot be");
	if (!reader_fill(reader, head.size, bytes, count))
		return reader_fail(reader, TG_ERR_NO_MEMORY, "out of memory");
	if (reader->have < head.size)
		return 0;
	if (crc32c(0, reader->at + CRC_FROM, head.size - CRC_FROM) != head.crc)
		return reader_fail(reader, TG_ERR_CORRUPT, "a frame whose checksum is wrong");
	reader->whole = true;
	*ret_frame = (struct net_frame){head.kind, head.code, reader->at + sizeof head, head.size - sizeof head};
	return 1;
}
