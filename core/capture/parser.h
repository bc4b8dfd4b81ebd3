/* Unpacked bytes of a capture in, entries out. No I/O; the bytes are hostile. Owner: the reader. */
#ifndef TRIGATE_CORE_CAPTURE_PARSER_H
#define TRIGATE_CORE_CAPTURE_PARSER_H

#include "core/capture/format.h"

struct capture_parser {
	uint8_t *at; /* bytes that were fed and are not used yet, from `begin` to `end` */
	size_t begin, end, room;
	bool has_head;
	uint32_t part;
	uint64_t entries; /* that were taken */
};

void capture_parser_init(struct capture_parser *parser);
void capture_parser_finish(struct capture_parser *parser);

/* More bytes, copied. TG_OK or TG_ERR_NO_MEMORY. */
int capture_parser_feed(struct capture_parser *parser, const uint8_t *bytes, size_t count);
/* The next entry: 1, its payload good until the parser is touched again; 0: more bytes are wanted; TG_ERR_CORRUPT,
 * TG_ERR_VERSION, and so for ever. */
int capture_parser_next(struct capture_parser *parser, struct capture_entry *ret_entry, struct tg_error *ret_error);

/* Bytes of an entry that is not whole. */
static inline size_t capture_parser_rest(const struct capture_parser *parser)
{
	return parser->end - parser->begin;
}

#endif
