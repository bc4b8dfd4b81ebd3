/* Writes the journal of a small made-up gateway run into a state directory, for tests of the commands that read one:
 *
 *   cli_journal DIR COUNT
 *
 * COUNT completed cycles of one filled order each, every one behind two decisions, then a failed cycle with a rejected
 * and an open one with an unknown order. A journal that exists is continued with the next epoch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/state/decisions.h"
#include "core/state/record.h"
#include "core/trade/client_id.h"
#include "core/trade/cycle_fsm.h"
#include "core/trade/order_fsm.h"

#define START_NS INT64_C(1700000000000000000) /* 2023-11-14 22:13:20 UTC */

static struct journal *journal;
static struct decisions *decisions;
static int64_t now_ns = START_NS;
static uint32_t epoch = 1;

static void append(uint16_t type, const void *payload, uint32_t size)
{
	now_ns += 1000000;
	journal_append(journal, now_ns, type, RECORD_VERSION, payload, size);
}

static const struct record_leg legs[3] = {
	{.market = "BTC-USDT", .from = "USDT", .to = "BTC", .side = TG_SIDE_BUY},
	{.market = "ETH-BTC", .from = "BTC", .to = "ETH", .side = TG_SIDE_BUY},
	{.market = "ETH-USDT", .from = "ETH", .to = "USDT", .side = TG_SIDE_SELL},
};

static void decide(struct cycle_key key, uint32_t execute, uint32_t skip)
{
	struct record_decision decision = {.execute = execute, .skip = skip, .key = key, .legs = 3};
	memcpy(decision.leg, legs, sizeof legs);
	decision.size = tg_money_of(100 * TG_AMOUNT_ONE);
	decision.net_bps_e6 = 12500000;
	now_ns += 1000000;
	decisions_add(decisions, now_ns, &decision);
}

static void cycle_event(struct cycle_key key, uint32_t event, const char *reason)
{
	struct record_cycle_event record = {.key = key, .event = event};
	snprintf(record.reason, sizeof record.reason, "%s", reason);
	append(RECORD_CYCLE_EVENT, &record, sizeof record);
}

static void cycle_open(struct cycle_key key)
{
	struct record_cycle_open record = {.key = key, .legs = 3};
	memcpy(record.leg, legs, sizeof legs);
	record.planned_in = tg_money_of(100 * TG_AMOUNT_ONE);
	record.planned_out = tg_money_of(100 * TG_AMOUNT_ONE + TG_AMOUNT_ONE / 8);
	append(RECORD_CYCLE_OPEN, &record, sizeof record);
	cycle_event(key, CYCLE_EVENT_VALIDATE, "");
}

static void order_intend(struct cycle_key key, char client_id[TG_CLIENT_ID_LEN + 1])
{
	struct client_id id = {.gateway = 0xa1b2, .key = key};
	struct record_order_intent record = {.key = key, .side = TG_SIDE_BUY, .time_in_force = TG_TIF_IOC};
	client_id_format(&id, client_id);
	memcpy(record.client_id, client_id, TG_CLIENT_ID_LEN);
	snprintf(record.market, sizeof record.market, "BTC-USDT");
	record.price = (struct tg_decimal){4000050, 2, 0};
	record.qty = (struct tg_decimal){25, 4, 0};
	append(RECORD_ORDER_INTENT, &record, sizeof record);
}

static void order_event(const char *client_id, uint32_t event, struct tg_decimal filled, const char *reason)
{
	struct record_order_event record = {.event = event, .cum_qty = filled};
	memcpy(record.client_id, client_id, TG_CLIENT_ID_LEN);
	snprintf(record.exchange_id, sizeof record.exchange_id, "x-%.8s", client_id + 10);
	snprintf(record.reason, sizeof record.reason, "%s", reason);
	append(RECORD_ORDER_EVENT, &record, sizeof record);
}

static void fill(const char *client_id)
{
	struct record_fill record = {
		.price = {40000, 0, 0}, .qty = {25, 4, 0}, .fee = {25, 7, 0}, .fee_currency = "BTC"};
	memcpy(record.client_id, client_id, TG_CLIENT_ID_LEN);
	snprintf(record.fill_id, sizeof record.fill_id, "f-%.8s", client_id + 10);
	record.exchange_ns = now_ns;
	append(RECORD_FILL, &record, sizeof record);
}

/* An order of its own in each cycle, up to where it is with the exchange. */
static struct cycle_key begin(uint32_t number, char client_id[TG_CLIENT_ID_LEN + 1])
{
	struct cycle_key key = {epoch, number};
	decide(key, 0, 1);
	decide(key, 1, 0);
	cycle_open(key);
	cycle_event(key, CYCLE_EVENT_ACTIVATE, "");
	order_intend(key, client_id);
	order_event(client_id, ORDER_EVENT_SEND, (struct tg_decimal){0, 0, 0}, "");
	return key;
}

int main(int argc, char **argv)
{
	struct journal_report report;
	struct tg_error error = tg_error_init();
	char client_id[TG_CLIENT_ID_LEN + 1];
	uint32_t number = 0;
	if (argc != 3)
		return 2;
	if (journal_open(&disk_system, &workers_threads, argv[1], "a1b2", 0, NULL, NULL, &report, &journal, &error) ||
	    decisions_open(&disk_system, argv[1], &decisions, &error)) {
		fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	if (report.last_position > 0) {
		epoch = 2;
		now_ns = report.last_time_ns;
	}
	struct record_start start = {
		.epoch = epoch, .gateway_id = "a1b2", .strategy = "demo", .exchange = "sim", .version = "0"};
	append(RECORD_START, &start, sizeof start);
	for (int i = 0; i < atoi(argv[2]); i++) {
		struct cycle_key key = begin(++number, client_id);
		fill(client_id);
		order_event(client_id, ORDER_EVENT_COMPLETE, (struct tg_decimal){25, 4, 0}, "");
		cycle_event(key, CYCLE_EVENT_COMPLETE, "");
	}
	struct cycle_key key = begin(++number, client_id);
	/* an exchange may say anything */
	order_event(client_id, ORDER_EVENT_REJECT, (struct tg_decimal){0, 0, 0}, "bad \033[31mlot \xff size");
	cycle_event(key, CYCLE_EVENT_FAIL, "leg 1 was rejected");
	begin(++number, client_id);
	order_event(client_id, ORDER_EVENT_DOUBT, (struct tg_decimal){0, 0, 0}, "no answer");
	decisions_close(decisions);
	return journal_close(journal) ? 1 : 0;
}
