/* The model is the fold of its records: checked against sums of its own, and against a second fold of what it took. */
#include "core/trade/model.h"
#include "core/base/random.h"
#include "core/trade/client_id.h"
#include "tests/tap.h"

#define LOG_MAX 20000

struct kept {
	uint16_t type;
	uint32_t size;
	int64_t time_ns;
	_Alignas(16) uint8_t payload[1024];
};

static struct kept *kept;
static uint32_t kept_count;
static uint64_t state = 1;

static uint32_t pick(uint32_t below)
{
	return (uint32_t)(random_next(&state) % below);
}

static struct tg_str str(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static int apply(struct model *model, uint16_t type, const void *payload, uint32_t size)
{
	struct journal_entry entry = {.position = kept_count + 1,
				      .time_ns = (int64_t)kept_count * 1000,
				      .type = type,
				      .version = RECORD_VERSION,
				      .size = size,
				      .payload = payload};
	int status = model_apply(model, &entry);
	if (status == TG_OK) {
		if (kept_count == LOG_MAX)
			abort();
		kept[kept_count] = (struct kept){.type = type, .size = size, .time_ns = entry.time_ns};
		memcpy(kept[kept_count++].payload, payload, size);
	}
	return status;
}

/* All that a model knows, as text. The caller frees. */
static char *dump(const struct model *model)
{
	char *text = NULL, deltas[400], route[CURRENCY_MAX * CYCLE_LEGS_MAX];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct model_counts counts = model_counts(model);
	fprintf(out, "%u %u %u %u %u\n", counts.starts, counts.cycles, counts.completed, counts.failed, counts.open);
	for (const struct cycle *cycle = model_oldest(model); cycle; cycle = cycle->newer) {
		tg_amount in, goes_out;
		cycle_deltas(cycle, deltas, sizeof deltas);
		cycle_route(cycle, route, sizeof route);
		cycle_flows(cycle, &in, &goes_out);
		fprintf(out, "%x-%x %s %s %s %s %lld %lld %u %lld %lld\n", cycle->key.epoch, cycle->key.number,
			cycle_state_name(cycle->state), route, deltas, cycle->reason, (long long)cycle->opened_ns,
			(long long)cycle->closed_ns, cycle_step(cycle), (long long)(in / 1000000),
			(long long)(goes_out / 1000000));
		for (const struct order *order = cycle->orders; order; order = order->next) {
			fprintf(out, "  %s %s %s %s %d %lld\n", order->client_id, order_state_name(order->state),
				order->reason, order->exchange_id, order->accepted, (long long)order->updated_ns);
			for (const struct fill *fill = order->fills; fill; fill = fill->next)
				fprintf(out, "    %s %lld\n", fill->fill_id, (long long)fill->time_ns);
		}
	}
	fclose(out);
	return text;
}

static struct record_cycle_open opening(uint32_t number)
{
	struct record_cycle_open r = {.key = {1, number}, .legs = 3};
	static const char *const legs[3][3] = {{"B-A", "A", "B"}, {"C-B", "B", "C"}, {"C-A", "C", "A"}};
	for (int i = 0; i < 3; i++) {
		snprintf(r.leg[i].market, SYMBOL_MAX, "%s", legs[i][0]);
		snprintf(r.leg[i].from, CURRENCY_MAX, "%s", legs[i][1]);
		snprintf(r.leg[i].to, CURRENCY_MAX, "%s", legs[i][2]);
		r.leg[i].side = i == 2 ? TG_SIDE_SELL : TG_SIDE_BUY;
	}
	return r;
}

static struct record_order_intent intent_of(uint32_t number, uint32_t leg, uint32_t attempt, bool unwind)
{
	struct client_id id = {.gateway = 1,
			       .key = {1, number},
			       .leg = (uint8_t)(leg + 1),
			       .attempt = (uint8_t)attempt,
			       .child = unwind};
	struct record_order_intent r = {.key = id.key,
					.leg = leg,
					.attempt = attempt,
					.unwind = unwind,
					.side = (leg == 2) == !unwind ? TG_SIDE_SELL : TG_SIDE_BUY,
					.time_in_force = TG_TIF_IOC,
					.price = {100, 0, 0},
					.qty = {1, 0, 0}};
	char text[TG_CLIENT_ID_LEN + 1];
	client_id_format(&id, text);
	memcpy(r.client_id, text, TG_CLIENT_ID_LEN);
	return r;
}

/* ------------------------------------------------------------ holdings */

struct sums {
	tg_amount a, b, c, fee;
};

static const struct cycle *cycle_pick(const struct model *model)
{
	struct model_counts counts = model_counts(model);
	return counts.cycles ? model_cycle(model, (struct cycle_key){1, pick(counts.cycles)}) : NULL;
}

static const struct order *order_pick(const struct model *model)
{
	const struct cycle *cycle = cycle_pick(model);
	const struct order *order = cycle ? cycle->orders : NULL;
	for (uint32_t skip = order ? pick(cycle->order_count) : 0; skip > 0 && order->next; skip--)
		order = order->next;
	return order;
}

static int fill_some(struct model *model, struct sums *sums)
{
	const struct order *order = order_pick(model);
	if (!order)
		return 1;
	struct record_fill r = {.price = {1 + pick(1000), 2, 0}, .qty = {1 + pick(1000), 3, 0}};
	memcpy(r.client_id, order->client_id, TG_CLIENT_ID_LEN);
	snprintf(r.fill_id, sizeof r.fill_id, "%u", pick(12));
	bool third = pick(3) == 0;
	if (pick(4)) {
		r.fee = (struct tg_decimal){1 + pick(100), 8, 0};
		snprintf(r.fee_currency, CURRENCY_MAX, "%s", third ? "FEE" : "B");
	}
	uint32_t leg = order->leg;
	int sign = order->side == TG_SIDE_BUY ? 1 : -1;
	if (apply(model, RECORD_FILL, &r, sizeof r))
		return 1;
	/* by hand: a scale of 2 and 3 makes 1e-5 of the quote */
	tg_amount base = sign * (tg_amount)r.qty.mantissa * (TG_AMOUNT_ONE / 1000);
	tg_amount quote = -sign * (tg_amount)r.qty.mantissa * r.price.mantissa * (TG_AMOUNT_ONE / 100000);
	*(leg == 0 ? &sums->b : &sums->c) += base;
	*(leg == 1 ? &sums->b : &sums->a) += quote;
	*(third ? &sums->fee : &sums->b) -= (tg_amount)r.fee.mantissa * (TG_AMOUNT_ONE / 100000000);
	return 0;
}

static int step(struct model *model, struct sums *sums)
{
	const struct cycle *cycle = cycle_pick(model);
	const struct order *order = order_pick(model);
	switch (pick(8)) {
	case 0: {
		struct record_cycle_open r =
			opening(pick(4) ? model_counts(model).cycles : pick(model_counts(model).cycles + 1));
		return apply(model, RECORD_CYCLE_OPEN, &r, sizeof r);
	}
	case 1: {
		struct record_cycle_event r = {.key = cycle ? cycle->key : (struct cycle_key){9, 9},
					       .event = pick(CYCLE_EVENTS)};
		if (pick(2))
			snprintf(r.reason, sizeof r.reason, "reason %u", pick(100));
		return apply(model, RECORD_CYCLE_EVENT, &r, sizeof r);
	}
	case 2: {
		struct record_order_intent r =
			intent_of(pick(10) && cycle ? cycle->key.number : 5000, pick(4), pick(20), pick(3) == 0);
		return apply(model, RECORD_ORDER_INTENT, &r, sizeof r);
	}
	case 3:
	case 4: {
		struct record_order_event r = {.event = pick(ORDER_EVENTS)};
		if (order)
			memcpy(r.client_id, order->client_id, TG_CLIENT_ID_LEN);
		if (pick(2))
			snprintf(r.reason, sizeof r.reason, "reason %u", pick(100));
		return apply(model, RECORD_ORDER_EVENT, &r, sizeof r);
	}
	default: return fill_some(model, sums);
	}
}

/* What is kept from `from` to `to`, the first one at `position`. Returns how many were refused. */
static uint32_t kept_replay(struct model *model, uint32_t from, uint32_t to, uint64_t position)
{
	uint32_t failed = 0;
	for (uint32_t i = from; i < to; i++, position++) {
		struct tg_error error = tg_error_init();
		struct journal_entry entry = {.position = position,
					      .time_ns = kept[i].time_ns,
					      .type = kept[i].type,
					      .version = RECORD_VERSION,
					      .size = kept[i].size,
					      .payload = kept[i].payload};
		failed += model_replay(model, &entry, &error) != TG_OK;
	}
	return failed;
}

/* From a checkpoint on, wherever it stands: the same counts, and the same of every cycle that was opened behind it. */
static void test_trimmed(const char *whole)
{
	static const struct model_options room = {.cycles = 1, .orders = 1, .fills = 1};
	uint32_t refused = 0, differ = 0, unsettled = 0;
	for (uint32_t cut = 1; cut < kept_count; cut += 97) {
		struct model *before, *after;
		struct record_checkpoint record;
		struct tg_error error = tg_error_init();
		model_create(&room, &before);
		model_create(&room, &after);
		kept_replay(before, 0, cut, 1);
		model_checkpoint(before, &record);
		struct journal_entry entry = {.position = cut + 1,
					      .type = RECORD_CHECKPOINT,
					      .version = RECORD_VERSION,
					      .size = sizeof record,
					      .payload = &record};
		refused += model_replay(before, &entry, &error) != TG_OK; /* it is what it says it is */
		refused += model_replay(after, &entry, &error) != TG_OK;
		refused += kept_replay(after, cut, kept_count, cut + 2);
		unsettled += model_settled(after, &error) == TG_ERR_CORRUPT;
		char *text = dump(after), *cycles = strchr(text, '\n') + 1;
		size_t length = strlen(cycles), all = strlen(whole);
		differ += strncmp(text, whole, (size_t)(cycles - text)) != 0 || length > all ||
			  strcmp(whole + all - length, cycles) != 0;
		free(text);
		record.failed++;
		refused += model_apply(before, &entry) == TG_OK;
		model_destroy(before);
		model_destroy(after);
	}
	is_int(refused, 0,
	       "a journal begins with a checkpoint, wherever it stands; another than what came before is refused");
	is_int(differ, 0, "and comes to what the whole one does");
	ok(unsettled > 10, "but not without the word that the rest may be missing");
}

static void test_random(void)
{
	const struct model_options room = {.cycles = 8, .orders = 8, .fills = 8};
	struct model *model, *again;
	struct sums sums = {0};
	uint32_t refused = 0, changed = 0;
	model_create(&room, &model);
	for (int i = 0; i < 6000; i++) {
		char *before = i % 16 == 0 ? dump(model) : NULL;
		if (step(model, &sums)) {
			refused++;
			char *after = before ? dump(model) : NULL;
			changed += before && strcmp(before, after) != 0;
			free(after);
		}
		free(before);
	}
	ok(refused > 1000 && kept_count > 1000, "%u records taken, %u refused", kept_count, refused);
	is_int(changed, 0, "a refused record changes nothing");

	struct sums held = {0};
	for (const struct cycle *cycle = model_oldest(model); cycle; cycle = cycle->newer)
		for (uint32_t i = 0; i < cycle->holdings; i++) {
			const char *name = cycle->holding[i].currency;
			tg_amount *sum = strcmp(name, "A") == 0   ? &held.a
					 : strcmp(name, "B") == 0 ? &held.b
					 : strcmp(name, "C") == 0 ? &held.c
								  : &held.fee;
			*sum += cycle->holding[i].amount;
		}
	ok(memcmp(&held, &sums, sizeof sums) == 0 && sums.fee < 0,
	   "holdings are the sums of the fills, fees in a third currency too");

	model_create(&room, &again);
	uint32_t failed = kept_replay(again, 0, kept_count, 1);
	char *live = dump(model), *replayed = dump(again);
	is_int(failed, 0, "what it took is taken again");
	ok(strcmp(live, replayed) == 0, "and comes to the same");
	test_trimmed(live);
	free(live);
	free(replayed);
	model_destroy(model);
	model_destroy(again);
}

/* ------------------------------------------------------------ refusals and room */

static void test_refused(void)
{
	const struct model_options room = {.cycles = 2, .orders = 2, .fills = 2};
	struct model *model;
	kept_count = 0;
	model_create(&room, &model);
	struct record_cycle_open open = opening(0);
	struct record_order_intent intent = intent_of(0, 0, 0, false);
	struct record_fill fill = {.price = {INT64_MAX, 0, 0}, .qty = {INT64_MAX, 0, 0}};
	is_int(apply(model, RECORD_ORDER_INTENT, &intent, sizeof intent), TG_ERR_CORRUPT, "an order of no cycle");
	is_int(apply(model, RECORD_CYCLE_OPEN, &open, sizeof open), TG_OK, "a cycle");
	is_int(apply(model, RECORD_CYCLE_OPEN, &open, sizeof open), TG_ERR_CORRUPT, "again");
	intent.key.number = 1;
	is_int(apply(model, RECORD_ORDER_INTENT, &intent, sizeof intent), TG_ERR_CORRUPT, "an id of another cycle");
	intent.key.number = 0;
	intent.client_id[31] ^= 1;
	is_int(apply(model, RECORD_ORDER_INTENT, &intent, sizeof intent), TG_ERR_CORRUPT,
	       "an id with wrong check digits");
	intent.client_id[31] ^= 1;
	is_int(apply(model, RECORD_ORDER_INTENT, &intent, sizeof intent), TG_OK, "an order");
	is_int(apply(model, RECORD_ORDER_INTENT, &intent, sizeof intent), TG_ERR_CORRUPT, "again");
	memcpy(fill.client_id, intent.client_id, TG_CLIENT_ID_LEN);
	memcpy(fill.fill_id, "1", 1);
	is_int(apply(model, RECORD_FILL, &fill, sizeof fill), TG_ERR_CORRUPT, "a fill that no amount can hold");
	fill.price = (struct tg_decimal){INT64_MAX, 0, 0};
	fill.qty = (struct tg_decimal){9, 0, 0};
	int status = TG_OK;
	for (int i = 0; i < 20 && !status; i++) {
		fill.fill_id[0] = (char)('a' + i);
		status = apply(model, RECORD_FILL, &fill, sizeof fill);
	}
	is_int(status, TG_ERR_CORRUPT, "sums that no amount can hold");
	for (int i = 0; i < 6; i++) {
		fill = (struct record_fill){.price = {1, 0, 0}, .qty = {1, 0, 0}, .fee = {1, 8, 0}};
		memcpy(fill.client_id, intent.client_id, TG_CLIENT_ID_LEN);
		fill.fill_id[0] = (char)('A' + i);
		fill.fee_currency[0] = (char)('P' + i);
		status = apply(model, RECORD_FILL, &fill, sizeof fill);
	}
	is_int(status, TG_ERR_CORRUPT, "fees in ever new currencies");
	struct tg_error error = tg_error_init();
	struct journal_entry entry = {
		.position = 77, .type = RECORD_FILL, .version = RECORD_VERSION, .size = sizeof fill, .payload = &fill};
	is_int(model_replay(model, &entry, &error), TG_ERR_CORRUPT, "on replay");
	ok(strstr(error.message, "record 77 (fill") && strstr(error.message, "put back a good copy"), "%s",
	   error.message);
	entry.version = 9;
	is_int(model_replay(model, &entry, &error), TG_ERR_VERSION, "a record of another version");
	ok(strstr(error.message, "version 9") && strstr(error.message, "use the release that wrote it"), "%s",
	   error.message);
	model_destroy(model);
}

static void cycle_pass(struct model *model, uint32_t number, bool fails)
{
	struct record_cycle_open open = opening(number);
	struct record_cycle_event event = {.key = open.key, .event = CYCLE_EVENT_FAIL};
	apply(model, RECORD_CYCLE_OPEN, &open, sizeof open);
	if (fails)
		apply(model, RECORD_CYCLE_EVENT, &event, sizeof event);
}

/* As keeper_make_room, without a journal. */
static bool room_make(struct model *model, uint32_t orders, uint32_t fills)
{
	while (!model_has_room(model, orders, fills)) {
		const struct cycle *cycle = model_forgettable(model);
		if (!cycle)
			return false;
		struct record_forget record = {cycle->key};
		apply(model, RECORD_FORGET, &record, sizeof record);
	}
	return true;
}

static void test_room(void)
{
	/* all that is applied up to 1000 stands in the store already, so it is clean */
	const struct model_options room = {.cycles = 4, .orders = 4, .fills = 4, .clean_position = 1000};
	struct model *model;
	kept_count = 0;
	model_create(&room, &model);
	for (uint32_t i = 0; i < 4; i++)
		cycle_pass(model, i, i != 1);
	ok(!model_newest(model)->dirty, "what the store has is clean");
	ok(room_make(model, 1, 1), "room is made");
	ok(!model_cycle(model, (struct cycle_key){1, 0}) && model_oldest(model)->key.number == 1,
	   "the oldest final one is forgotten");
	cycle_pass(model, 4, true);
	ok(room_make(model, 4, 4) && model_cycle(model, (struct cycle_key){1, 1}), "an open one is not");
	ok(!model_cycle(model, (struct cycle_key){1, 2}) && model_cycle(model, (struct cycle_key){1, 3}),
	   "the next oldest is");
	ok(!room_make(model, 5, 1), "there is no room for more than all");
	is_int(model_counts(model).cycles, 5, "forgotten ones are counted");
	kept_count = 2000;
	for (uint32_t i = 10; i < 14; i++)
		cycle_pass(model, i, true);
	ok(model_newest(model)->dirty && !room_make(model, 5, 1), "what the store does not have stays");
	apply(model, RECORD_FORGET, &(struct record_forget){{1, 13}}, sizeof(struct record_forget));
	ok(!model_cycle(model, (struct cycle_key){1, 13}),
	   "what the journal forgets nobody finds, whatever the store has");
	uint32_t waiting = 0;
	bool forgotten = false;
	for (struct cycle *cycle; (cycle = model_dirty(model)); waiting++) {
		forgotten |= cycle->key.number == 13 && cycle->row_dirty;
		model_clean(model);
	}
	ok(waiting == 4 && forgotten, "its rows wait for the store all the same");
	ok(room_make(model, 1, 1) && !model_cycle(model, (struct cycle_key){1, 13}), "then its memory is free");
	struct record_cycle_event late = {.key = {1, 13}, .event = CYCLE_EVENT_COMPLETE};
	is_int(apply(model, RECORD_CYCLE_EVENT, &late, sizeof late), TG_ERR_CORRUPT, "and nothing can follow of it");
	apply(model, RECORD_FORGET, &(struct record_forget){{1, 99}}, sizeof(struct record_forget));
	is_int(model_counts(model).cycles, 9, "one that is gone already is gone");
	ok(model_order(model, str("no id")) == NULL, "no order of no id");
	is_int(model_missed_since_ns(model), 0, "nothing was missed");
	apply(model, RECORD_MISSED, &(struct record_missed){77}, sizeof(struct record_missed));
	is_int(model_missed_since_ns(model), 77, "something was, and it is on record since when");
	apply(model, RECORD_MISSED, &(struct record_missed){0}, sizeof(struct record_missed));
	is_int(model_missed_since_ns(model), 0, "it was asked for");
	model_destroy(model);
}

/* ------------------------------------------------------------ the watch */

static char told[1000];

static void tell(const char *name, const char *before, const char *event, const char *after)
{
	size_t used = strlen(told);
	snprintf(told + used, sizeof told - used, "%s: %s %s %s\n", name, before, event, after);
}

static void on_order(void *ctx, const struct order *order, uint8_t before, uint8_t event)
{
	++*(uint32_t *)ctx;
	tell(order->exchange_id, order_state_name(before), order_fsm.event[event], order_state_name(order->state));
}

static void on_cycle(void *ctx, const struct cycle *cycle, uint8_t before, uint8_t event)
{
	++*(uint32_t *)ctx;
	tell(cycle->reason, cycle_state_name(before), cycle_fsm.event[event], cycle_state_name(cycle->state));
}

static void cycle_event(struct model *model, enum cycle_event event, const char *reason)
{
	struct record_cycle_event r = {.key = {1, 0}, .event = event};
	snprintf(r.reason, sizeof r.reason, "%s", reason);
	apply(model, RECORD_CYCLE_EVENT, &r, sizeof r);
}

static void order_event(struct model *model, const struct record_order_intent *intent, enum order_event event)
{
	struct record_order_event r = {.event = event, .exchange_id = "X"};
	memcpy(r.client_id, intent->client_id, TG_CLIENT_ID_LEN);
	apply(model, RECORD_ORDER_EVENT, &r, sizeof r);
}

static void order_fill(struct model *model, const struct record_order_intent *intent, char id)
{
	struct record_fill r = {.price = {1, 0, 0}, .qty = {1, 0, 0}, .fill_id = {id}};
	memcpy(r.client_id, intent->client_id, TG_CLIENT_ID_LEN);
	apply(model, RECORD_FILL, &r, sizeof r);
}

static void order_lives(struct model *model)
{
	struct record_cycle_open open = opening(0);
	struct record_order_intent intent = intent_of(0, 0, 0, false);
	apply(model, RECORD_CYCLE_OPEN, &open, sizeof open);
	cycle_event(model, CYCLE_EVENT_VALIDATE, "");
	apply(model, RECORD_ORDER_INTENT, &intent, sizeof intent);
	apply(model, RECORD_ORDER_INTENT, &intent, sizeof intent); /* refused */
	order_event(model, &intent, ORDER_EVENT_SEND);
	order_event(model, &intent, ORDER_EVENT_ACCEPT);
	order_event(model, &intent, ORDER_EVENT_ACCEPT);
	order_event(model, &intent, ORDER_EVENT_SEND); /* illegal */
	order_fill(model, &intent, '1');
	order_fill(model, &intent, '1'); /* known */
	order_fill(model, &intent, '2');
	order_event(model, &intent, ORDER_EVENT_CANCEL);
	cycle_event(model, CYCLE_EVENT_ACTIVATE, "");
	cycle_event(model, CYCLE_EVENT_COMPLETE, "done");
	cycle_event(model, CYCLE_EVENT_FAIL, "late"); /* illegal */
}

static void test_watch(void)
{
	uint32_t count = 0;
	const struct model_options room = {
		.cycles = 2, .orders = 2, .fills = 2, .watch = {.ctx = &count, .order = on_order, .cycle = on_cycle}};
	struct model *model;
	kept_count = 0;
	model_create(&room, &model);
	order_lives(model);
	is_str(told,
	       ": pending validate validating\n"
	       ": new intend intent\n"
	       "X: intent send sent\n"
	       "X: sent accept live\n"
	       "X: live accept live\n"
	       "X: live fill partial\n"
	       "X: partial fill partial\n"
	       "X: partial cancel cancelled\n"
	       ": validating activate active\n"
	       "done: active complete completed\n",
	       "each move is told when it was made, none that was refused");
	is_int(count, kept_count - 1, "all records but the cycle's opening are moves");
	model_destroy(model);
}

/* A watch may want one kind only. */
static void test_watch_of_one_kind(void)
{
	uint32_t orders = 0, cycles = 0;
	struct model_options room = {
		.cycles = 2, .orders = 2, .fills = 2, .watch = {.ctx = &orders, .order = on_order}};
	struct model *model;
	kept_count = 0;
	model_create(&room, &model);
	order_lives(model);
	model_destroy(model);
	room.watch = (struct model_watch){.ctx = &cycles, .cycle = on_cycle};
	kept_count = 0;
	model_create(&room, &model);
	order_lives(model);
	model_destroy(model);
	ok(orders == 7 && cycles == 3, "%u moves of orders, %u of cycles", orders, cycles);
}

int main(void)
{
	kept = calloc(LOG_MAX, sizeof *kept);
	test_random();
	test_refused();
	test_room();
	test_watch();
	test_watch_of_one_kind();
	free(kept);
	return tap_done();
}
