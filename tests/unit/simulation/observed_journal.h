/* The stage's story as the gateway's journal tells it: a real one, in a temporary directory. */
#ifndef TRIGATE_TESTS_OBSERVED_JOURNAL_H
#define TRIGATE_TESTS_OBSERVED_JOURNAL_H

#include "tests/unit/simulation/observed_facts.h"

struct writing {
	struct journal *journal;
	const struct stage *stage;
	int64_t ms;
};

static void record_write(struct writing *writing, uint16_t type, const void *payload, uint32_t size)
{
	int64_t ns = WORLD_START_UNIX_NS + writing->ms * MS + writing->stage->time_off_ns;
	journal_append(writing->journal, ns, type, RECORD_VERSION, payload, size);
}

static void cycle_event(struct writing *writing, struct cycle_key key, uint32_t event)
{
	struct record_cycle_event record = {.key = key, .event = event};
	if (event == CYCLE_EVENT_FAIL)
		snprintf(record.reason, sizeof record.reason, "nothing filled on leg 1");
	record_write(writing, RECORD_CYCLE_EVENT, &record, sizeof record);
}

static void order_event(struct writing *writing, const struct order_fact *order, uint32_t event, uint64_t number)
{
	struct record_order_event record = {.event = event};
	memcpy(record.client_id, ID(order), TG_CLIENT_ID_LEN);
	if (number > 0)
		snprintf(record.exchange_id, sizeof record.exchange_id, "%llu", (unsigned long long)number);
	record_write(writing, RECORD_ORDER_EVENT, &record, sizeof record);
}

static void intent_write(struct writing *writing, const struct order_fact *order)
{
	struct record_order_intent record = {.key = order->id.key,
					     .leg = order->id.leg - 1u,
					     .attempt = order->id.attempt,
					     .unwind = order->id.child,
					     .side = order->side,
					     .time_in_force = TG_TIF_IOC,
					     .price = decimal(order->price),
					     .qty = decimal(order->qty)};
	memcpy(record.client_id, ID(order), TG_CLIENT_ID_LEN);
	snprintf(record.market, sizeof record.market, "%s%s", order->base, order->quote);
	record_write(writing, RECORD_ORDER_INTENT, &record, sizeof record);
}

static void fill_record(struct writing *writing, const struct order_fact *order, const struct fill_fact *fill)
{
	struct record_fill record = {
		.price = decimal(fill->price), .qty = decimal(fill->qty), .fee = decimal(fill->fee)};
	memcpy(record.client_id, ID(order), TG_CLIENT_ID_LEN);
	snprintf(record.fill_id, sizeof record.fill_id, "%llu", (unsigned long long)fill->trade);
	snprintf(record.fee_currency, sizeof record.fee_currency, "%s", fill->fee_currency);
	record_write(writing, RECORD_FILL, &record, sizeof record);
}

static void order_end(struct writing *writing, const struct order_fact *order, uint64_t number)
{
	static const uint8_t ends[ORDER_STATES] = {[ORDER_FILLED] = ORDER_EVENT_COMPLETE,
						   [ORDER_CANCELLED] = ORDER_EVENT_CANCEL,
						   [ORDER_REJECTED] = ORDER_EVENT_REJECT,
						   [ORDER_EXPIRED] = ORDER_EVENT_EXPIRE,
						   [ORDER_ABANDONED] = ORDER_EVENT_ABSENT};
	if (writing->stage->not_sent >= 0 && order == &writing->stage->journal.order[writing->stage->not_sent]) {
		order_event(writing, order, ORDER_EVENT_NOT_SENT, 0);
		return;
	}
	order_event(writing, order, ORDER_EVENT_SEND, 0);
	if (order->journal == ORDER_ABANDONED)
		order_event(writing, order, ORDER_EVENT_DOUBT, 0);
	for (int i = 0; i < 2 && order->fill[i].qty; i++)
		fill_record(writing, order, &order->fill[i]);
	if (order->journal != ORDER_SENT)
		order_event(writing, order, ends[order->journal],
			    order->journal == ORDER_REJECTED || order->journal == ORDER_ABANDONED ? 0 : number);
}

static void cycle_write(struct writing *writing, const struct story *story, const struct cycle_fact *cycle)
{
	struct record_cycle_open open = {.key = {1, cycle->number}, .legs = 3};
	const struct stage *stage = writing->stage;
	bool active = false;
	for (uint32_t i = 0; i < story->orders; i++) /* a cycle is opened by its first order */
		if (story->order[i].id.key.number == cycle->number)
			open.key = story->order[i].id.key;
	memcpy(open.leg, sound_legs, sizeof sound_legs);
	if (stage->second_currency) {
		snprintf(open.leg[0].to, CURRENCY_MAX, "%s", stage->second_currency);
		snprintf(open.leg[1].from, CURRENCY_MAX, "%s", stage->second_currency);
	}
	if (stage->last_currency)
		snprintf(open.leg[2].to, CURRENCY_MAX, "%s", stage->last_currency);
	open.planned_in = tg_money_of(amount("200"));
	open.planned_out = tg_money_of(amount("201"));
	open.net_bps_e6 = stage->net_bps_e6;
	record_write(writing, RECORD_CYCLE_OPEN, &open, sizeof open);
	cycle_event(writing, open.key, CYCLE_EVENT_VALIDATE);
	uint64_t number = 0;
	for (uint32_t i = 0; i < story->orders; i++) {
		const struct order_fact *order = &story->order[i];
		number += order->venue != SEEN_SENT;
		if (order->id.key.number != cycle->number || order->journal == ORDER_NEW)
			continue;
		writing->ms = order->sent_ms;
		if (stage->intended_early != (int32_t)i)
			intent_write(writing, order);
		if (stage->intended_early == (int32_t)i + 1)
			intent_write(writing, order + 1);
		if (!active)
			cycle_event(writing, open.key, CYCLE_EVENT_ACTIVATE);
		active = true;
		order_end(writing, order, number);
	}
	if (cycle->state == CYCLE_COMPLETED)
		cycle_event(writing, open.key, CYCLE_EVENT_COMPLETE);
	if (cycle->state == CYCLE_FAILED)
		cycle_event(writing, open.key, CYCLE_EVENT_FAIL);
}

static void stage_journal_write(const struct stage *stage, const char *dir)
{
	struct tg_error error = tg_error_init();
	struct journal_report report;
	struct writing writing = {.stage = stage};
	struct record_start start = {.epoch = 1, .gateway_id = "0001", .strategy = "round", .exchange = "venue"};
	if (journal_open(&disk_system, &workers_threads, dir, "0001", 0, NULL, NULL, &report, &writing.journal, &error))
		abort();
	record_write(&writing, RECORD_START, &start, sizeof start);
	for (uint32_t i = 0; i < stage->journal.cycles; i++)
		cycle_write(&writing, &stage->journal, &stage->journal.cycle[i]);
	if (journal_close(writing.journal))
		abort();
}

#endif
