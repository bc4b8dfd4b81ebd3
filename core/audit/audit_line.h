/* One item of the audit and its line. Private to this room. Pure; any thread. */
#ifndef TRIGATE_CORE_AUDIT_AUDIT_LINE_H
#define TRIGATE_CORE_AUDIT_AUDIT_LINE_H

#include <stdbool.h>

#include "core/io/transport.h"
#include "core/trade/model.h"

#define AUDIT_TEXT_MAX 1536 /* of an item's texts together: a frame with an order takes a third of it */
#define AUDIT_NAME_MAX 32

/* A part of an item's text. */
struct audit_text {
	uint16_t at;
	uint16_t len;
};

enum audit_kind { AUDIT_START, AUDIT_LOST, AUDIT_WIRE, AUDIT_ORDER, AUDIT_FILL };

struct audit_item {
	enum audit_kind kind;
	int64_t unix_ns;
	uint64_t number; /* START: the epoch; LOST: how many lines; WIRE: of the request or socket */
	union {
		struct {
			enum transport_event event;
			char owner[AUDIT_NAME_MAX];
			char method[8];
			struct audit_text url, error, headers, body;
			bool left;
			bool cut; /* not all of the texts is here */
			int32_t status;
			int32_t code; /* TG_ERR_; 0: none */
			uint64_t sent_bytes, received_bytes;
			int64_t duration_ns;
			char text[AUDIT_TEXT_MAX];
		} wire;
		struct {
			struct order order; /* its pointers are not followed */
			struct fill fill;
		};
		char gateway_id[AUDIT_NAME_MAX]; /* START */
	};
};

void audit_item_wire(const struct transport_audit *told, struct audit_item *ret_item);

/* The line with its end, to be freed; NULL: out of memory. */
char *audit_line(const struct audit_item *item, size_t *ret_len);

#endif
