/* Records of the journal: each kind of damage is refused, each type can be shown. */
#include "core/state/record.h"
#include "core/arbitrage/gate.h"
#include "core/trade/client_id.h"
#include "core/trade/cycle_fsm.h"
#include "core/trade/order_fsm.h"
#include "tests/tap.h"

static struct record_start start = {
	.epoch = 7, .gateway_id = "00a1", .strategy = "tri", .exchange = "sim", .version = "0.1.0"};
static struct record_cycle_open opened = {.key = {7, 1},
					  .legs = 3,
					  .leg = {{"BTC-USDT", "USDT", "BTC", TG_SIDE_BUY, 0},
						  {"ETH-BTC", "BTC", "ETH", TG_SIDE_BUY, 0},
						  {"ETH-USDT", "ETH", "USDT", TG_SIDE_SELL, 0}},
					  .net_bps_e6 = 12500000};
static struct record_cycle_event cycle_event = {.key = {7, 1}, .event = CYCLE_EVENT_FAIL, .reason = "why"};
static struct record_order_intent intent = {.key = {7, 1},
					    .leg = 1,
					    .attempt = 2,
					    .unwind = 1,
					    .side = TG_SIDE_SELL,
					    .market = "ETH-BTC",
					    .price = {5, 2, 0},
					    .qty = {25, 1, 0}};
static struct record_order_event order_event = {
	.event = ORDER_EVENT_REJECT, .cum_qty = {0, 3, 0}, .exchange_id = "X1", .reason = "no funds"};
static struct record_fill fill = {
	.fill_id = "F1", .price = {5, 2, 0}, .qty = {25, 1, 0}, .fee = {1, 8, 0}, .fee_currency = "BTC"};
static struct record_decision decision;
static struct record_forget forgotten = {.key = {1, 2}};
static struct record_missed missed = {INT64_C(1700000000000000000)};
static struct record_checkpoint checkpoint = {.starts = 3, .cycles = 9, .completed = 5, .failed = 3, .open = 1};
static struct record_trim trim = {77};
static struct record_stop stopped = {.open_cycles = 2, .reason = "asked"};

struct kind {
	uint16_t type;
	void *payload;
	uint32_t size;
	const char *name;
	const char *json; /* a part of it */
};

static struct kind kinds[] = {
	{RECORD_START, &start, sizeof start, "start", "\"epoch\":7,\"gateway\":\"00a1\""},
	{RECORD_CYCLE_OPEN, &opened, sizeof opened, "cycle open", "\"route\":[\"USDT\",\"BTC\",\"ETH\"]"},
	{RECORD_CYCLE_EVENT, &cycle_event, sizeof cycle_event, "cycle event", "\"event\":\"fail\",\"reason\":\"why\""},
	{RECORD_ORDER_INTENT, &intent, sizeof intent, "order intent",
	 "\"purpose\":\"unwind\",\"market\":\"ETH-BTC\",\"side\":\"sell\",\"price\":\"0.05\",\"qty\":\"2.5\""},
	{RECORD_ORDER_EVENT, &order_event, sizeof order_event, "order event",
	 "\"event\":\"reject\",\"filled\":\"0\",\"exchange_id\":\"X1\",\"reason\":\"no funds\""},
	{RECORD_FILL, &fill, sizeof fill, "fill",
	 "\"fill_id\":\"F1\",\"price\":\"0.05\",\"qty\":\"2.5\",\"fee\":\"0.00000001\",\"fee_currency\":\"BTC\""},
	{RECORD_DECISION, &decision, sizeof decision, "decision",
	 "\"verdict\":\"SKIP\",\"reasons\":[\"threshold\",\"stale\"]"},
	{RECORD_STOP, &stopped, sizeof stopped, "stop", "\"open_cycles\":2,\"reason\":\"asked\""},
	{RECORD_FORGET, &forgotten, sizeof forgotten, "forget", "\"cycle\":\"000001-00000002\""},
	{RECORD_MISSED, &missed, sizeof missed, "missed", "\"since_unix_ns\":1700000000000000000"},
	{RECORD_CHECKPOINT, &checkpoint, sizeof checkpoint, "checkpoint",
	 "\"starts\":3,\"cycles\":9,\"completed\":5,\"failed\":3,\"open\":1"},
	{RECORD_TRIM, &trim, sizeof trim, "trim", "\"up_to\":77"},
};

static int check(const struct kind *kind, const void *payload, uint32_t size)
{
	struct journal_entry entry = {
		.position = 3, .type = kind->type, .version = RECORD_VERSION, .size = size, .payload = payload};
	return record_check(&entry);
}

static void test_kinds(void)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct kind *kind = &kinds[i];
		struct journal_entry entry = {.position = 3,
					      .time_ns = INT64_C(1767225600123456789),
					      .type = kind->type,
					      .version = RECORD_VERSION,
					      .size = kind->size,
					      .payload = kind->payload};
		is_int(record_check(&entry), TG_OK, "%s is sound", kind->name);
		is_str(record_type_name(kind->type), kind->name, "its name");
		struct json_object *object = record_json(&entry);
		const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
		ok(strstr(text, kind->json) && strstr(text, "\"position\":3,\"time\":\"2026-01-01T00:00:00.123456Z\""),
		   "%s", text);
		json_object_put(object);
		is_int(check(kind, kind->payload, kind->size - 1), TG_ERR_CORRUPT, "a byte short");
		is_int(check(kind, kind->payload, kind->size + 1), TG_ERR_CORRUPT, "a byte long");
		entry.version++;
		is_int(record_check(&entry), TG_ERR_VERSION, "another version");
	}
	struct journal_entry entry = {.type = 0, .version = RECORD_VERSION};
	is_int(record_check(&entry), TG_ERR_VERSION, "type 0");
	entry.type = RECORD_TRIM + 1;
	is_int(record_check(&entry), TG_ERR_VERSION, "the type behind the last");
	entry.type = UINT16_MAX;
	is_int(record_check(&entry), TG_ERR_VERSION, "type 65535");
	is_str(record_type_name(UINT16_MAX), "?", "without a name");
}

/* Each text filled to its last byte, each number out of its range. */
static void test_damage(void)
{
	uint32_t failed = 0, count = 0;
#define DAMAGE(kind_at, record, field, bad) \
	do { \
		__typeof__(record) copy = record; \
		bad; \
		count++; \
		if (check(&kinds[kind_at], &copy, sizeof copy) != TG_ERR_CORRUPT) { \
			failed++; \
			printf("# %s: %s\n", kinds[kind_at].name, #bad); \
		} \
	} while (0)
#define TEXT(kind_at, record, field) DAMAGE(kind_at, record, field, memset(copy.field, 'x', sizeof copy.field))
	TEXT(0, start, gateway_id);
	TEXT(0, start, strategy);
	TEXT(0, start, exchange);
	TEXT(0, start, version);
	TEXT(1, opened, leg[2].market);
	TEXT(1, opened, leg[0].from);
	TEXT(1, opened, leg[1].to);
	DAMAGE(1, opened, legs, copy.legs = 2);
	DAMAGE(1, opened, legs, copy.legs = 6);
	DAMAGE(1, opened, legs, copy.legs = UINT32_MAX);
	DAMAGE(1, opened, leg, copy.leg[1].side = 3);
	TEXT(2, cycle_event, reason);
	DAMAGE(2, cycle_event, event, copy.event = CYCLE_EVENTS);
	TEXT(3, intent, market);
	DAMAGE(3, intent, client_id, copy.client_id[31] = 0);
	DAMAGE(3, intent, leg, copy.leg = CYCLE_LEGS_MAX);
	DAMAGE(3, intent, unwind, copy.unwind = 2);
	DAMAGE(3, intent, side, copy.side = 0);
	DAMAGE(3, intent, price, copy.price.scale = 19);
	DAMAGE(3, intent, price, copy.price.mantissa = 0);
	DAMAGE(3, intent, qty, copy.qty.scale = -1);
	DAMAGE(3, intent, qty, copy.qty.mantissa = -5);
	TEXT(4, order_event, exchange_id);
	TEXT(4, order_event, reason);
	DAMAGE(4, order_event, client_id, copy.client_id[0] = 0);
	DAMAGE(4, order_event, event, copy.event = ORDER_EVENTS);
	DAMAGE(4, order_event, cum_qty, copy.cum_qty.scale = INT32_MIN);
	TEXT(5, fill, fill_id);
	TEXT(5, fill, fee_currency);
	DAMAGE(5, fill, client_id, copy.client_id[0] = 0);
	DAMAGE(5, fill, price, copy.price.mantissa = -1);
	DAMAGE(5, fill, qty, copy.qty.mantissa = 0);
	DAMAGE(5, fill, fee, copy.fee.mantissa = -1);
	DAMAGE(5, fill, fee_currency, copy.fee_currency[0] = 0);
	TEXT(6, decision, leg[0].market);
	DAMAGE(6, decision, execute, copy.execute = 2);
	DAMAGE(6, decision, legs, copy.legs = 0);
	TEXT(7, stopped, reason);
	DAMAGE(9, missed, since_unix_ns, copy.since_unix_ns = -1);
	is_int(failed, 0, "%u kinds of damage are seen", count);
}

static void test_keys(void)
{
	char text[CYCLE_ID_MAX];
	struct cycle_key key = {0};
	cycle_key_format((struct cycle_key){0xabcdef, 0x12}, text);
	is_str(text, "abcdef-00000012", "a key as text");
	ok(cycle_key_parse(text, &key) == TG_OK && key.epoch == 0xabcdef && key.number == 0x12, "and back");
	ok(cycle_key_parse("a1b2-abcdef-00000013", &key) == TG_OK && key.number == 0x13, "as a store has it");
	ok(cycle_key_parse("ABCDEF-0000FFFF", &key) == TG_OK && key.number == 0xffff, "in upper case");
	const char *const wrong[] = {"",
				     "abcdef",
				     "abcdef-",
				     "abcdef-0000001",
				     "abcdef-000000123",
				     "abcdef_00000012",
				     " abcdef-00000012",
				     "-bcdef-00000012",
				     "0xcdef-00000012",
				     "abcdef-00000012 ",
				     "abcdeg-00000012"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		is_int(cycle_key_parse(wrong[i], &key), TG_ERR_INVALID, "not a key: '%s'", wrong[i]);
	ok(key.number == 0xffff, "which leaves the result alone");
}

int main(void)
{
	struct client_id id = {.gateway = 1, .key = {7, 1}, .leg = 2};
	char text[TG_CLIENT_ID_LEN + 1];
	client_id_format(&id, text);
	memcpy(intent.client_id, text, TG_CLIENT_ID_LEN);
	memcpy(order_event.client_id, text, TG_CLIENT_ID_LEN);
	memcpy(fill.client_id, text, TG_CLIENT_ID_LEN);
	decision.legs = 3;
	memcpy(decision.leg, opened.leg, sizeof decision.leg);
	decision.skip = SKIP(THRESHOLD) | SKIP(STALE);
	test_kinds();
	test_damage();
	test_keys();
	return tap_done();
}
