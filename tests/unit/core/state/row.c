#include "core/state/row.h"

#include <stdio.h>

#include "tests/tap.h"

/* An exchange's text: a byte that is no UTF-8, and at its end a character that was cut in two. */
#define ODD "a\xff\xc3"
#define REPAIRED "a??"

static bool is_text(struct tg_str text, const char *other)
{
	return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

static struct row_shown shown;

static const void *show(const struct row *row)
{
	row_show(row, "gate", &shown);
	return shown.record.row;
}

static void put(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

static void cycles(void)
{
	struct row row = {.kind = TG_ROW_CYCLE_PROGRESS, .cycle_progress = {.state = "failed", .holdings = 1}};
	put(row.cycle_progress.reason, sizeof row.cycle_progress.reason, ODD);
	row.cycle_progress.holding[0].amount = 1;
	put(row.cycle_progress.holding[0].currency, sizeof row.cycle_progress.holding[0].currency, ODD);
	const struct tg_cycle_progress *progress = show(&row);
	ok(is_text(progress->reason, REPAIRED), "a cycle's reason");
	ok(is_text(progress->deltas, REPAIRED "=0.000000000000000001"), "the currencies of its deltas");

	struct row full = {.kind = TG_ROW_CYCLE, .cycle_row = {.strategy = "s", .exchange = "x", .legs = 1}};
	full.cycle_row.progress = row.cycle_progress;
	put(full.cycle_row.route[0], sizeof full.cycle_row.route[0], "\xe2\x82\xac");
	const struct tg_cycle_row *cycle = show(&full);
	ok(is_text(cycle->reason, REPAIRED) && is_text(cycle->deltas, REPAIRED "=0.000000000000000001"),
	   "the same in its full row");
	ok(is_text(cycle->currency, "\xe2\x82\xac") && is_text(cycle->route, "\xe2\x82\xac"),
	   "what is UTF-8 stays as it is");
}

static void orders(void)
{
	struct row row = {.kind = TG_ROW_ORDER_PROGRESS, .order_progress = {.state = "rejected"}};
	put(row.order_progress.reason, sizeof row.order_progress.reason, ODD);
	put(row.order_progress.exchange_id, sizeof row.order_progress.exchange_id, "\xfe" ODD);
	const struct tg_order_progress *progress = show(&row);
	ok(is_text(progress->reason, REPAIRED) && is_text(progress->exchange_id, "?" REPAIRED),
	   "an order's reason and the exchange's number for it");

	struct row full = {.kind = TG_ROW_ORDER, .order = {.purpose = "forward"}};
	full.order.progress = row.order_progress;
	const struct tg_order_row *order = show(&full);
	ok(is_text(order->reason, REPAIRED) && is_text(order->exchange_id, "?" REPAIRED), "the same in its full row");
}

static void longest(void)
{
	struct row row = {.kind = TG_ROW_ORDER_PROGRESS, .order_progress = {.state = "rejected"}};
	memset(row.order_progress.reason, 0xff, sizeof row.order_progress.reason - 1);
	memset(row.order_progress.exchange_id, 0xff, sizeof row.order_progress.exchange_id - 1);
	const struct tg_order_progress *progress = show(&row);
	ok(progress->reason.len == REASON_MAX - 1 && progress->exchange_id.len == EXCHANGE_ID_MAX - 1,
	   "the longest keep their length");
}

static void fills_and_events(void)
{
	struct row row = {.kind = TG_ROW_FILL};
	put(row.fill.fill_id, sizeof row.fill.fill_id, ODD);
	put(row.fill.fee_currency, sizeof row.fill.fee_currency, "\xfe" ODD);
	const struct tg_fill_row *fill = show(&row);
	ok(is_text(fill->fill_id, REPAIRED) && is_text(fill->fee_currency, "?" REPAIRED), "a fill's id and currency");

	struct row other = {.kind = TG_ROW_EVENT, .event = {.kind = "stop"}};
	put(other.event.text, sizeof other.event.text, ODD);
	const struct tg_event_row *event = show(&other);
	ok(is_text(event->text, REPAIRED), "an event's text");
}

int main(void)
{
	cycles();
	orders();
	longest();
	fills_and_events();
	return tap_done();
}
