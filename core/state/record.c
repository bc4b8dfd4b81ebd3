#include "core/state/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/arbitrage/gate.h"
#include "core/trade/cycle_fsm.h"
#include "core/trade/order_fsm.h"

/* ------------------------------------------------------------ keys */

void cycle_key_format(struct cycle_key key, char text[CYCLE_ID_MAX])
{
	snprintf(text, CYCLE_ID_MAX, "%06x-%08x", key.epoch, key.number);
}

static char *hex_put(char *at, int digits, uint32_t value)
{
	for (int i = digits; i-- > 0; value >>= 4)
		at[i] = "0123456789abcdef"[value & 15];
	return at + digits;
}

/* For each row that goes to a store: by hand, since printf takes ten times as long. An epoch has 24 bits (statedir). */
void cycle_id_format(const char *gateway_id, struct cycle_key key, char text[CYCLE_ID_MAX])
{
	char *at = stpncpy(text, gateway_id, GATEWAY_ID_LEN);
	*at++ = '-';
	at = hex_put(at, 6, key.epoch);
	*at++ = '-';
	*hex_put(at, 8, key.number) = '\0';
}

int cycle_key_parse(const char *text, struct cycle_key *ret_key)
{
	char *end;
	if (strspn(text, "0123456789abcdefABCDEF") == GATEWAY_ID_LEN && text[GATEWAY_ID_LEN] == '-')
		text += GATEWAY_ID_LEN + 1; /* as a store has it: whose it is, is known by where it is looked for */
	if (strspn(text, "0123456789abcdefABCDEF") != 6 || text[6] != '-' ||
	    strspn(text + 7, "0123456789abcdefABCDEF") != 8 || text[15] != '\0')
		return TG_ERR_INVALID;
	ret_key->epoch = (uint32_t)strtoul(text, &end, 16);
	ret_key->number = (uint32_t)strtoul(text + 7, &end, 16);
	return TG_OK;
}

/* ------------------------------------------------------------ checks */

static bool text_ok(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool decimal_ok(struct tg_decimal value)
{
	return value.scale >= 0 && value.scale <= TG_AMOUNT_SCALE;
}

static bool client_id_ok(const char id[TG_CLIENT_ID_LEN])
{
	return memchr(id, '\0', TG_CLIENT_ID_LEN) == NULL;
}

static bool legs_ok(const struct record_leg *leg, uint32_t legs)
{
	if (legs < CYCLE_LEGS_MIN || legs > CYCLE_LEGS_MAX)
		return false;
	for (uint32_t i = 0; i < legs; i++)
		if (!text_ok(leg[i].market, sizeof leg[i].market) || !text_ok(leg[i].from, sizeof leg[i].from) ||
		    !text_ok(leg[i].to, sizeof leg[i].to) ||
		    (leg[i].side != TG_SIDE_BUY && leg[i].side != TG_SIDE_SELL))
			return false;
	return true;
}

static bool start_ok(const void *payload)
{
	const struct record_start *r = payload;
	return text_ok(r->gateway_id, sizeof r->gateway_id) && text_ok(r->strategy, sizeof r->strategy) &&
	       text_ok(r->exchange, sizeof r->exchange) && text_ok(r->version, sizeof r->version);
}

static bool cycle_open_ok(const void *payload)
{
	const struct record_cycle_open *r = payload;
	return legs_ok(r->leg, r->legs);
}

static bool cycle_event_ok(const void *payload)
{
	const struct record_cycle_event *r = payload;
	return r->event < CYCLE_EVENTS && text_ok(r->reason, sizeof r->reason);
}

static bool order_intent_ok(const void *payload)
{
	const struct record_order_intent *r = payload;
	return client_id_ok(r->client_id) && r->leg < CYCLE_LEGS_MAX && r->unwind <= 1 &&
	       (r->side == TG_SIDE_BUY || r->side == TG_SIDE_SELL) && text_ok(r->market, sizeof r->market) &&
	       decimal_ok(r->price) && decimal_ok(r->qty) && r->price.mantissa > 0 && r->qty.mantissa > 0;
}

static bool order_event_ok(const void *payload)
{
	const struct record_order_event *r = payload;
	return client_id_ok(r->client_id) && r->event < ORDER_EVENTS && decimal_ok(r->cum_qty) &&
	       text_ok(r->exchange_id, sizeof r->exchange_id) && text_ok(r->reason, sizeof r->reason);
}

static bool fill_ok(const void *payload)
{
	const struct record_fill *r = payload;
	return client_id_ok(r->client_id) && text_ok(r->fill_id, sizeof r->fill_id) && decimal_ok(r->price) &&
	       decimal_ok(r->qty) && decimal_ok(r->fee) && r->price.mantissa >= 0 && r->qty.mantissa > 0 &&
	       r->fee.mantissa >= 0 && text_ok(r->fee_currency, sizeof r->fee_currency) &&
	       (r->fee.mantissa == 0 || r->fee_currency[0]);
}

static bool decision_ok(const void *payload)
{
	const struct record_decision *r = payload;
	return r->execute <= 1 && legs_ok(r->leg, r->legs);
}

static bool stop_ok(const void *payload)
{
	const struct record_stop *r = payload;
	return text_ok(r->reason, sizeof r->reason);
}

static bool forget_ok(const void *payload)
{
	(void)payload; /* any key may be one */
	return true;
}

static bool missed_ok(const void *payload)
{
	const struct record_missed *r = payload;
	return r->since_unix_ns >= 0;
}

static bool checkpoint_ok(const void *payload)
{
	const struct record_checkpoint *r = payload;
	return start_ok(&r->start) && r->missed_since_ns >= 0 && r->completed <= r->cycles && r->failed <= r->cycles &&
	       r->open <= r->cycles;
}

static bool trim_ok(const void *payload)
{
	const struct record_trim *r = payload;
	return r->position > 0;
}

/* ------------------------------------------------------------ objects */

static void put_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void put_id(struct json_object *object, const char *key, const char id[TG_CLIENT_ID_LEN])
{
	json_object_object_add(object, key, json_object_new_string_len(id, TG_CLIENT_ID_LEN));
}

static void put_number(struct json_object *object, const char *key, int64_t number)
{
	json_object_object_add(object, key, json_object_new_int64(number));
}

static void put_decimal(struct json_object *object, const char *key, struct tg_decimal value)
{
	char text[TG_DECIMAL_TEXT_MAX];
	tg_decimal_format(value, text, sizeof text);
	put_text(object, key, text);
}

static void put_money(struct json_object *object, const char *key, struct tg_money money)
{
	char text[TG_AMOUNT_TEXT_MAX];
	tg_amount_format(tg_amount_of(money), text, sizeof text);
	put_text(object, key, text);
}

static void put_bps(struct json_object *object, const char *key, int64_t bps_e6)
{
	put_decimal(object, key, (struct tg_decimal){bps_e6, 6, 0});
}

static void put_key(struct json_object *object, struct cycle_key key)
{
	char text[CYCLE_ID_MAX];
	cycle_key_format(key, text);
	put_text(object, "cycle", text);
}

static const char *side_name(int32_t side)
{
	return side == TG_SIDE_BUY ? "buy" : "sell";
}

static void put_legs(struct json_object *object, const struct record_leg *leg, uint32_t legs)
{
	struct json_object *route = json_object_new_array(), *markets = json_object_new_array();
	struct json_object *sides = json_object_new_array();
	for (uint32_t i = 0; i < legs; i++) {
		json_object_array_add(route, json_object_new_string(leg[i].from));
		json_object_array_add(markets, json_object_new_string(leg[i].market));
		json_object_array_add(sides, json_object_new_string(side_name(leg[i].side)));
	}
	json_object_object_add(object, "route", route);
	json_object_object_add(object, "markets", markets);
	json_object_object_add(object, "sides", sides);
}

static void start_json(const void *payload, struct json_object *object)
{
	const struct record_start *r = payload;
	put_number(object, "epoch", r->epoch);
	put_text(object, "gateway", r->gateway_id);
	put_text(object, "strategy", r->strategy);
	put_text(object, "exchange", r->exchange);
	put_text(object, "version", r->version);
}

static void cycle_open_json(const void *payload, struct json_object *object)
{
	const struct record_cycle_open *r = payload;
	put_key(object, r->key);
	put_legs(object, r->leg, r->legs);
	put_money(object, "planned_in", r->planned_in);
	put_money(object, "planned_out", r->planned_out);
	put_bps(object, "net_bps", r->net_bps_e6);
}

static void cycle_event_json(const void *payload, struct json_object *object)
{
	const struct record_cycle_event *r = payload;
	put_key(object, r->key);
	put_text(object, "event", cycle_fsm.event[r->event]);
	if (r->reason[0])
		put_text(object, "reason", r->reason);
}

static void order_intent_json(const void *payload, struct json_object *object)
{
	const struct record_order_intent *r = payload;
	put_id(object, "client_id", r->client_id);
	put_key(object, r->key);
	put_number(object, "leg", r->leg + 1);
	put_number(object, "attempt", r->attempt);
	put_text(object, "purpose", r->unwind ? "unwind" : "forward");
	put_text(object, "market", r->market);
	put_text(object, "side", side_name(r->side));
	put_decimal(object, "price", r->price);
	put_decimal(object, "qty", r->qty);
}

static void order_event_json(const void *payload, struct json_object *object)
{
	const struct record_order_event *r = payload;
	put_id(object, "client_id", r->client_id);
	put_text(object, "event", order_fsm.event[r->event]);
	put_decimal(object, "filled", r->cum_qty);
	if (r->exchange_id[0])
		put_text(object, "exchange_id", r->exchange_id);
	if (r->reason[0])
		put_text(object, "reason", r->reason);
}

static void fill_json(const void *payload, struct json_object *object)
{
	const struct record_fill *r = payload;
	put_id(object, "client_id", r->client_id);
	put_text(object, "fill_id", r->fill_id);
	put_decimal(object, "price", r->price);
	put_decimal(object, "qty", r->qty);
	put_decimal(object, "fee", r->fee);
	put_text(object, "fee_currency", r->fee_currency);
}

static void decision_json(const void *payload, struct json_object *object)
{
	const struct record_decision *r = payload;
	put_text(object, "verdict", r->execute ? "EXECUTE" : "SKIP");
	if (r->execute)
		put_key(object, r->key);
	struct json_object *reasons = json_object_new_array();
	for (unsigned bit = 0; bit < SKIP_BIT_COUNT; bit++)
		if (r->skip >> bit & 1)
			json_object_array_add(reasons, json_object_new_string(skip_word(bit)));
	json_object_object_add(object, "reasons", reasons);
	put_legs(object, r->leg, r->legs);
	put_bps(object, "gross_bps", r->gross_bps_e6);
	put_bps(object, "fees_bps", r->fees_bps_e6);
	put_bps(object, "net_bps", r->net_bps_e6);
	put_bps(object, "threshold_bps", r->threshold_bps_e6);
	put_money(object, "size", r->size);
	put_money(object, "profit", r->profit);
}

static void stop_json(const void *payload, struct json_object *object)
{
	const struct record_stop *r = payload;
	put_number(object, "open_cycles", r->open_cycles);
	put_text(object, "reason", r->reason);
}

static void forget_json(const void *payload, struct json_object *object)
{
	const struct record_forget *r = payload;
	put_key(object, r->key);
}

static void missed_json(const void *payload, struct json_object *object)
{
	const struct record_missed *r = payload;
	json_object_object_add(object, "since_unix_ns", json_object_new_int64(r->since_unix_ns));
}

static void checkpoint_json(const void *payload, struct json_object *object)
{
	const struct record_checkpoint *r = payload;
	put_number(object, "epoch", r->start.epoch);
	put_number(object, "starts", r->starts);
	put_number(object, "cycles", r->cycles);
	put_number(object, "completed", r->completed);
	put_number(object, "failed", r->failed);
	put_number(object, "open", r->open);
}

static void trim_json(const void *payload, struct json_object *object)
{
	const struct record_trim *r = payload;
	put_number(object, "up_to", (int64_t)r->position);
}

/* ------------------------------------------------------------ table */

static const struct {
	const char *name;
	uint32_t size;
	bool (*ok)(const void *payload);
	void (*json)(const void *payload, struct json_object *object);
} types[] = {
	[RECORD_START] = {"start", sizeof(struct record_start), start_ok, start_json},
	[RECORD_CYCLE_OPEN] = {"cycle open", sizeof(struct record_cycle_open), cycle_open_ok, cycle_open_json},
	[RECORD_CYCLE_EVENT] = {"cycle event", sizeof(struct record_cycle_event), cycle_event_ok, cycle_event_json},
	[RECORD_ORDER_INTENT] = {"order intent", sizeof(struct record_order_intent), order_intent_ok,
				 order_intent_json},
	[RECORD_ORDER_EVENT] = {"order event", sizeof(struct record_order_event), order_event_ok, order_event_json},
	[RECORD_FILL] = {"fill", sizeof(struct record_fill), fill_ok, fill_json},
	[RECORD_DECISION] = {"decision", sizeof(struct record_decision), decision_ok, decision_json},
	[RECORD_STOP] = {"stop", sizeof(struct record_stop), stop_ok, stop_json},
	[RECORD_FORGET] = {"forget", sizeof(struct record_forget), forget_ok, forget_json},
	[RECORD_MISSED] = {"missed", sizeof(struct record_missed), missed_ok, missed_json},
	[RECORD_CHECKPOINT] = {"checkpoint", sizeof(struct record_checkpoint), checkpoint_ok, checkpoint_json},
	[RECORD_TRIM] = {"trim", sizeof(struct record_trim), trim_ok, trim_json},
};
#define TYPE_COUNT (sizeof types / sizeof *types)

_Static_assert(sizeof(struct record_decision) <= JOURNAL_PAYLOAD_MAX, "the largest record fits the journal");
_Static_assert(sizeof(struct record_order_event) == 32 + 8 + 16 + 40 + 120, "no padding holes");
_Static_assert(sizeof(struct record_cycle_open) == 16 + 104 * CYCLE_LEGS_MAX + 40, "no padding holes");
_Static_assert(sizeof(struct record_decision) == 24 + 104 * CYCLE_LEGS_MAX + 64, "no padding holes");
_Static_assert(sizeof(struct record_order_intent) == 112 + 40, "no padding holes");
_Static_assert(sizeof(struct record_checkpoint) == sizeof(struct record_start) + 24 + 8 + 8, "no padding holes");

static bool type_known(uint16_t type)
{
	return type < TYPE_COUNT && types[type].name;
}

const char *record_type_name(uint16_t type)
{
	return type_known(type) ? types[type].name : "?";
}

int record_check(const struct journal_entry *entry)
{
	if (!type_known(entry->type) || entry->version != RECORD_VERSION)
		return TG_ERR_VERSION;
	if (entry->size != types[entry->type].size || !types[entry->type].ok(entry->payload))
		return TG_ERR_CORRUPT;
	return TG_OK;
}

struct json_object *record_json(const struct journal_entry *entry)
{
	struct json_object *object = json_object_new_object();
	char text[40];
	time_t seconds = (time_t)(entry->time_ns / 1000000000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + length, sizeof text - length, ".%06dZ", (int)(entry->time_ns % 1000000000 / 1000));
	put_number(object, "position", (int64_t)entry->position);
	put_text(object, "time", text);
	put_text(object, "type", record_type_name(entry->type));
	types[entry->type].json(entry->payload, object);
	return object;
}
