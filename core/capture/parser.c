#include "core/capture/parser.h"

#include <stdlib.h>
#include <string.h>

void capture_parser_init(struct capture_parser *parser)
{
	*parser = (struct capture_parser){0};
}

void capture_parser_finish(struct capture_parser *parser)
{
	free(parser->at);
	*parser = (struct capture_parser){0};
}

int capture_parser_feed(struct capture_parser *parser, const uint8_t *bytes, size_t count)
{
	size_t rest = capture_parser_rest(parser);
	if (parser->begin > 0 && rest > 0)
		memmove(parser->at, parser->at + parser->begin, rest);
	parser->begin = 0;
	parser->end = rest;
	if (rest + count > parser->room) {
		size_t room = parser->room ? parser->room : 65536;
		while (room < rest + count)
			room *= 2;
		uint8_t *at = realloc(parser->at, room);
		if (!at)
			return TG_ERR_NO_MEMORY;
		parser->at = at;
		parser->room = room;
	}
	if (count > 0)
		memcpy(parser->at + rest, bytes, count);
	parser->end += count;
	return TG_OK;
}

static int damaged(const struct capture_parser *parser, struct tg_error *ret_error)
{
	return tg_error_set(ret_error, TG_ERR_CORRUPT, "damaged behind its entry %llu",
			    (unsigned long long)parser->entries);
}

int capture_parser_next(struct capture_parser *parser, struct capture_entry *ret_entry, struct tg_error *ret_error)
{
	const uint8_t *at = parser->at + parser->begin;
	struct capture_entry entry;
	if (!parser->has_head) {
		if (capture_parser_rest(parser) < CAPTURE_HEAD)
			return 0;
		int status = capture_head_read(at, &parser->part, ret_error);
		if (status)
			return status;
		parser->has_head = true;
		parser->begin += CAPTURE_HEAD;
		at += CAPTURE_HEAD;
	}
	if (capture_parser_rest(parser) < CAPTURE_ENTRY_HEAD)
		return 0;
	int64_t length = capture_entry_read(at, &entry);
	if (length < 0)
		return damaged(parser, ret_error);
	if (capture_parser_rest(parser) < CAPTURE_ENTRY_HEAD + (size_t)length)
		return 0;
	entry.payload = (struct tg_str){(const char *)at + CAPTURE_ENTRY_HEAD, (uint64_t)length};
	if (!capture_entry_fits(at, entry.payload))
		return damaged(parser, ret_error);
	parser->begin += CAPTURE_ENTRY_HEAD + (size_t)length;
	parser->entries++;
	*ret_entry = entry;
	return 1;
}
