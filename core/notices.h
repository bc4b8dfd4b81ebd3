/* What a run has to tell, kept until the end of the pass: printing must not stand between a tick and its order. Each
 * notice is a copy of what it was about, as it was then. Owner: the loop thread. Memory: taken at start. */
#ifndef TRIGATE_CORE_NOTICES_H
#define TRIGATE_CORE_NOTICES_H

#include "core/audit/audit.h"
#include "core/trade/model.h"

/* Takers of notices. Borrowed for the call; the copies' pointers to cycles are good, those to further orders and fills
 * are not to be followed. */
struct gateway_events {
	void *ctx;
	void (*start)(void *ctx);
	void (*decision)(void *ctx, const struct record_decision *decision);
	void (*order)(void *ctx, const struct order *order, int64_t tick_to_order_ns);
	void (*fill)(void *ctx, const struct order *order, const struct fill *fill);
	void (*cycle)(void *ctx, const struct cycle *cycle);
};

enum notice_kind { NOTICE_DECISION, NOTICE_ORDER, NOTICE_FILL, NOTICE_CYCLE };

struct notice {
	enum notice_kind kind;
	int64_t tick_to_order_ns;
	struct order order;
	union {
		struct record_decision decision;
		struct fill fill;
		struct cycle cycle;
	};
};

#define NOTICES_MAX 512 /* a pass has a handful; when they are used up they are told early */

struct notices {
	const struct gateway_events *events;
	struct audit *audit; /* is told of orders and fills too; may be NULL */
	uint32_t count;
	struct notice notice[NOTICES_MAX];
};

void notices_decision(struct notices *notices, const struct record_decision *decision);           /* [hot] */
void notices_order(struct notices *notices, const struct order *order, int64_t tick_to_order_ns); /* [hot] */
void notices_fill(struct notices *notices, const struct order *order, const struct fill *fill);   /* [hot] */
void notices_cycle(struct notices *notices, const struct cycle *cycle);                           /* [hot] */

/* Tell all, in order. */
void notices_tell(struct notices *notices);

#endif
