#include "core/notices.h"

static struct notice *notice_new(struct notices *notices, enum notice_kind kind)
{
	if (notices->count == NOTICES_MAX)
		notices_tell(notices);
	struct notice *notice = &notices->notice[notices->count++];
	notice->kind = kind;
	return notice;
}

void notices_decision(struct notices *notices, const struct record_decision *decision)
{
	notice_new(notices, NOTICE_DECISION)->decision = *decision;
}

void notices_order(struct notices *notices, const struct order *order, int64_t tick_to_order_ns)
{
	struct notice *notice = notice_new(notices, NOTICE_ORDER);
	notice->order = *order;
	notice->tick_to_order_ns = tick_to_order_ns;
}

void notices_fill(struct notices *notices, const struct order *order, const struct fill *fill)
{
	struct notice *notice = notice_new(notices, NOTICE_FILL);
	notice->order = *order;
	notice->fill = *fill;
}

void notices_cycle(struct notices *notices, const struct cycle *cycle)
{
	notice_new(notices, NOTICE_CYCLE)->cycle = *cycle;
}

static void notice_tell(const struct gateway_events *events, struct audit *audit, const struct notice *notice)
{
	switch (notice->kind) {
	case NOTICE_DECISION: events->decision(events->ctx, &notice->decision); break;
	case NOTICE_ORDER:
		events->order(events->ctx, &notice->order, notice->tick_to_order_ns);
		audit_order(audit, &notice->order);
		break;
	case NOTICE_FILL:
		events->fill(events->ctx, &notice->order, &notice->fill);
		audit_fill(audit, &notice->order, &notice->fill);
		break;
	case NOTICE_CYCLE: events->cycle(events->ctx, &notice->cycle); break;
	}
}

void notices_tell(struct notices *notices)
{
	for (uint32_t i = 0; i < notices->count; i++)
		notice_tell(notices->events, notices->audit, &notices->notice[i]);
	notices->count = 0;
}
