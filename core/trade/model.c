#include "core/trade/model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/trade/client_id.h"

#define BUCKETS 4096 /* a gateway keeps a few hundred cycles; a command's chains stay short up to millions */

struct entry {
	struct cycle cycle; /* first */
	struct entry *next_in_bucket;
};

struct model {
	struct pool cycles, orders, fills;
	struct entry *bucket[BUCKETS];
	struct cycle *oldest;
	struct cycle *newest;
	struct cycle *dirty_first;
	struct cycle *dirty_last;
	uint64_t forgotten_position; /* of the last record that changed a cycle which is forgotten */
	struct record_start start;
	int64_t missed_since_ns;
	struct model_counts counts;
	struct model_watch watch;
	struct cycle_key newest_key; /* that was ever opened */
	uint64_t first_position;     /* of the first record that was applied; 0: none */
	uint64_t trim_position;      /* up to which records may be missing */
	struct cycle_key trimmed;    /* cycles up to it are known only if the records say so */
	uint64_t clean_position;
	bool remembers;
	uint64_t position; /* of the record being applied */
	bool dirties;      /* the record being applied is newer than the store */
};

/* ------------------------------------------------------------ memory */

int model_create(const struct model_options *options, struct model **ret_model)
{
	struct model *model = calloc(1, sizeof *model);
	if (!model)
		return TG_ERR_NO_MEMORY;
	if (pool_init(&model->cycles, sizeof(struct entry), options->cycles, true) ||
	    pool_init(&model->orders, sizeof(struct order), options->orders, true) ||
	    pool_init(&model->fills, sizeof(struct fill), options->fills, true)) {
		model_destroy(model);
		return TG_ERR_NO_MEMORY;
	}
	model->watch = options->watch;
	model->clean_position = options->clean_position;
	model->remembers = options->remembers;
	*ret_model = model;
	return TG_OK;
}

void model_set_watch(struct model *model, const struct model_watch *watch)
{
	model->watch = *watch;
}

void model_touch(struct model *model)
{
	pool_touch(&model->cycles);
	pool_touch(&model->orders);
	pool_touch(&model->fills);
}

void model_ready(struct model *model)
{
	pool_ready(&model->cycles);
	pool_ready(&model->orders);
}

void model_destroy(struct model *model)
{
	if (!model)
		return;
	pool_clear(&model->cycles);
	pool_clear(&model->orders);
	pool_clear(&model->fills);
	free(model);
}

static struct entry **bucket_of(struct model *model, struct cycle_key key)
{
	uint64_t mixed = ((uint64_t)key.epoch << 32 | key.number) * UINT64_C(0x9e3779b97f4a7c15);
	return &model->bucket[mixed >> 52]; /* 4096 = 2^12 */
}

static void orders_forget(struct model *model, struct cycle *cycle)
{
	for (struct order *order = cycle->orders, *next; order; order = next) {
		next = order->next;
		for (struct fill *fill = order->fills, *after; fill; fill = after) {
			after = fill->next;
			pool_give(&model->fills, fill);
		}
		pool_give(&model->orders, order);
	}
}

static void cycle_free(struct model *model, struct cycle *cycle)
{
	orders_forget(model, cycle);
	pool_give(&model->cycles, cycle);
}

/* Nobody finds it any more. Its memory stays until its rows are posted: while the journal is read there may be some
 * that the store had not yet got when the gateway died. */
static void cycle_forget(struct model *model, struct cycle *cycle)
{
	struct entry **link = bucket_of(model, cycle->key);
	while (&(*link)->cycle != cycle)
		link = &(*link)->next_in_bucket;
	*link = (*link)->next_in_bucket;
	*(cycle->older ? &cycle->older->newer : &model->oldest) = cycle->newer;
	*(cycle->newer ? &cycle->newer->older : &model->newest) = cycle->older;
	cycle->forgotten = true;
	if (cycle->changed_position > model->forgotten_position)
		model->forgotten_position = cycle->changed_position;
	if (!cycle->dirty)
		cycle_free(model, cycle);
}

bool model_has_room(const struct model *model, uint32_t orders, uint32_t fills)
{
	return model->cycles.free_count > 0 && model->orders.free_count >= orders && model->fills.free_count >= fills;
}

struct cycle *model_forgettable(const struct model *model)
{
	struct cycle *cycle = model->oldest;
	while (cycle && !cycle_is_forgettable(cycle))
		cycle = cycle->newer;
	return cycle;
}

/* ------------------------------------------------------------ look-up */

struct cycle *model_oldest(const struct model *model)
{
	return model->oldest;
}
struct cycle *model_newest(const struct model *model)
{
	return model->newest;
}
struct cycle *model_dirty(const struct model *model)
{
	return model->dirty_first;
}

void model_clean(struct model *model)
{
	struct cycle *cycle = model->dirty_first;
	model->dirty_first = cycle->next_dirty;
	if (!model->dirty_first)
		model->dirty_last = NULL;
	cycle->next_dirty = NULL;
	cycle->dirty = cycle->row_dirty = false;
	if (cycle->forgotten)
		cycle_free(model, cycle);
}

/* Before those that are dirty already: then all that comes up to the first record of one of these is told when its turn
 * comes. */
uint32_t model_renew(struct model *model, uint64_t position)
{
	uint32_t count = 0;
	for (struct cycle *cycle = model->newest; cycle; cycle = cycle->older) {
		if (cycle->changed_position <= position)
			continue;
		count++;
		cycle->stored = false;
		if (cycle->dirty)
			continue;
		cycle->dirty = true;
		cycle->dirty_position = position + 1;
		cycle->next_dirty = model->dirty_first;
		model->dirty_first = cycle;
		if (!model->dirty_last)
			model->dirty_last = cycle;
	}
	return count;
}

uint64_t model_forgotten_position(const struct model *model)
{
	return model->forgotten_position;
}

const struct record_start *model_start(const struct model *model)
{
	return &model->start;
}

int64_t model_missed_since_ns(const struct model *model)
{
	return model->missed_since_ns;
}
struct model_counts model_counts(const struct model *model)
{
	return model->counts;
}
uint64_t model_first_position(const struct model *model)
{
	return model->first_position;
}
uint64_t model_trim_position(const struct model *model)
{
	return model->trim_position;
}

struct cycle *model_cycle(const struct model *model, struct cycle_key key)
{
	struct entry *entry = *bucket_of((struct model *)(uintptr_t)model, key);
	while (entry && (entry->cycle.key.epoch != key.epoch || entry->cycle.key.number != key.number))
		entry = entry->next_in_bucket;
	return entry ? &entry->cycle : NULL;
}

static struct order *cycle_order(const struct cycle *cycle, const char *client_id)
{
	struct order *order = cycle->orders;
	while (order && memcmp(order->client_id, client_id, TG_CLIENT_ID_LEN) != 0)
		order = order->next;
	return order;
}

struct order *model_order(const struct model *model, struct tg_str client_id)
{
	struct client_id id;
	if (!client_id_parse(client_id, &id))
		return NULL;
	const struct cycle *cycle = model_cycle(model, id.key);
	return cycle ? cycle_order(cycle, client_id.ptr) : NULL;
}

/* ------------------------------------------------------------ records */

/* Was a cycle that is not known forgotten before the journal begins? Keys rise with the cycles' opening. */
static bool key_is_trimmed(const struct model *model, struct cycle_key key)
{
	const struct cycle_key last = model->trimmed;
	return model->first_position > 1 &&
	       (key.epoch < last.epoch || (key.epoch == last.epoch && key.number <= last.number));
}

/* What a record of a cycle or order that is not known comes to. */
static int unknown_cycle(const struct model *model, struct cycle_key key)
{
	return key_is_trimmed(model, key) ? TG_OK : TG_ERR_CORRUPT;
}

static int unknown_order(const struct model *model, const char *client_id)
{
	struct client_id id;
	if (!client_id_parse((struct tg_str){client_id, TG_CLIENT_ID_LEN}, &id) || model_cycle(model, id.key))
		return TG_ERR_CORRUPT;
	return unknown_cycle(model, id.key);
}

static void order_tell(const struct model *model, const struct order *order, uint8_t before, uint8_t event)
{
	if (model->watch.order)
		model->watch.order(model->watch.ctx, order, before, event);
}

static void cycle_tell(const struct model *model, const struct cycle *cycle, uint8_t before, uint8_t event)
{
	if (model->watch.cycle)
		model->watch.cycle(model->watch.ctx, cycle, before, event);
}

/* The record being applied changed something of the cycle; own: of its row. */
static void cycle_touch(struct model *model, struct cycle *cycle, bool own)
{
	cycle->changed_position = model->position;
	if (!model->dirties)
		return;
	cycle->row_dirty |= own;
	if (cycle->dirty)
		return;
	cycle->dirty = true;
	cycle->dirty_position = model->position;
	*(model->dirty_last ? &model->dirty_last->next_dirty : &model->dirty_first) = cycle;
	model->dirty_last = cycle;
}

static int on_start(struct model *model, const struct journal_entry *entry)
{
	memcpy(&model->start, entry->payload, sizeof model->start);
	model->counts.starts++;
	return TG_OK;
}

static int on_cycle_open(struct model *model, const struct journal_entry *entry)
{
	const struct record_cycle_open *r = entry->payload;
	if (model_cycle(model, r->key))
		return TG_ERR_CORRUPT;
	struct entry *new = pool_take(&model->cycles);
	if (!new)
		return TG_ERR_NO_MEMORY;
	struct entry **bucket = bucket_of(model, r->key);
	new->next_in_bucket = *bucket;
	*bucket = new;
	struct cycle *cycle = &new->cycle;
	cycle->key = r->key;
	cycle->state = CYCLE_PENDING;
	cycle->legs = r->legs;
	memcpy(cycle->leg, r->leg, r->legs * sizeof *r->leg);
	for (uint32_t i = 0; i < r->legs; i++)
		memcpy(cycle->holding[i].currency, r->leg[i].from, CURRENCY_MAX);
	cycle->holdings = r->legs;
	cycle->planned_in = tg_amount_of(r->planned_in);
	cycle->planned_out = tg_amount_of(r->planned_out);
	cycle->net_bps_e6 = r->net_bps_e6;
	cycle->opened_ns = entry->time_ns;
	cycle->position = entry->position;
	model->newest_key = r->key;
	cycle->older = model->newest;
	*(model->newest ? &model->newest->newer : &model->oldest) = cycle;
	model->newest = cycle;
	cycle_touch(model, cycle, true);
	model->counts.cycles++;
	model->counts.open++;
	return TG_OK;
}

static void end_count(struct model *model, bool completed)
{
	model->counts.open--;
	*(completed ? &model->counts.completed : &model->counts.failed) += 1;
}

/* Of its end the counts at the journal's beginning know nothing. */
static int trimmed_cycle_event(struct model *model, const struct record_cycle_event *r)
{
	if (!key_is_trimmed(model, r->key) || model->counts.open == 0)
		return TG_ERR_CORRUPT;
	if (r->event == CYCLE_EVENT_COMPLETE || r->event == CYCLE_EVENT_FAIL)
		end_count(model, r->event == CYCLE_EVENT_COMPLETE);
	return TG_OK;
}

static int on_cycle_event(struct model *model, const struct journal_entry *entry)
{
	const struct record_cycle_event *r = entry->payload;
	struct cycle *cycle = model_cycle(model, r->key);
	if (!cycle)
		return trimmed_cycle_event(model, r);
	uint8_t before = cycle->state, next = fsm_next(&cycle_fsm, before, (uint8_t)r->event);
	if (next == FSM_ILLEGAL)
		return TG_ERR_CORRUPT;
	cycle->state = next;
	cycle_touch(model, cycle, true);
	if (r->reason[0])
		memcpy(cycle->reason, r->reason, sizeof cycle->reason);
	if (cycle_is_final(cycle)) {
		cycle->closed_ns = entry->time_ns;
		end_count(model, next == CYCLE_COMPLETED);
	}
	cycle_tell(model, cycle, before, (uint8_t)r->event);
	return TG_OK;
}

static int on_order_intent(struct model *model, const struct journal_entry *entry)
{
	const struct record_order_intent *r = entry->payload;
	struct tg_str id = {r->client_id, TG_CLIENT_ID_LEN};
	struct cycle *cycle = model_cycle(model, r->key);
	struct client_id parsed;
	if (!cycle)
		return unknown_cycle(model, r->key);
	if (r->leg >= cycle->legs || !client_id_parse(id, &parsed) || parsed.key.epoch != r->key.epoch ||
	    parsed.key.number != r->key.number || cycle_order(cycle, r->client_id))
		return TG_ERR_CORRUPT;
	struct order *order = pool_take(&model->orders);
	if (!order)
		return TG_ERR_NO_MEMORY;
	memcpy(order->client_id, r->client_id, TG_CLIENT_ID_LEN);
	memcpy(order->market, r->market, sizeof order->market);
	order->cycle = cycle;
	order->state = fsm_next(&order_fsm, ORDER_NEW, ORDER_EVENT_INTEND);
	order->unwind = r->unwind;
	order->dirty = model->dirties;
	order->stored = !model->dirties;
	order->leg = r->leg;
	order->attempt = r->attempt;
	order->side = r->side;
	order->time_in_force = r->time_in_force;
	order->valid_ms = r->valid_ms;
	order->price = r->price;
	order->qty = r->qty;
	order->created_ns = order->updated_ns = entry->time_ns;
	*(cycle->last_order ? &cycle->last_order->next : &cycle->orders) = order;
	cycle->last_order = order;
	cycle_touch(model, cycle, false);
	cycle->order_count++;
	order_tell(model, order, ORDER_NEW, ORDER_EVENT_INTEND);
	return TG_OK;
}

static int order_move(struct model *model, struct order *order, uint8_t event, int64_t time_ns)
{
	uint8_t next = fsm_next(&order_fsm, order->state, event);
	if (next == FSM_ILLEGAL)
		return TG_ERR_CORRUPT;
	order->state = next;
	order->updated_ns = time_ns;
	order->dirty |= model->dirties;
	cycle_touch(model, order->cycle, event == ORDER_EVENT_FILL); /* its amounts follow from fills */
	return TG_OK;
}

static int on_order_event(struct model *model, const struct journal_entry *entry)
{
	const struct record_order_event *r = entry->payload;
	struct order *order = model_order(model, (struct tg_str){r->client_id, TG_CLIENT_ID_LEN});
	if (!order)
		return unknown_order(model, r->client_id);
	uint8_t before = order->state;
	if (order_move(model, order, (uint8_t)r->event, entry->time_ns))
		return TG_ERR_CORRUPT;
	order->accepted |= r->event == ORDER_EVENT_ACCEPT;
	if (r->exchange_id[0])
		memcpy(order->exchange_id, r->exchange_id, sizeof order->exchange_id);
	if (r->reason[0] || before == ORDER_UNKNOWN) /* why it was in doubt is no longer of interest */
		memcpy(order->reason, r->reason, sizeof order->reason);
	order_tell(model, order, before, (uint8_t)r->event);
	return TG_OK;
}

struct holdings {
	struct holding item[CYCLE_CURRENCIES_MAX];
	uint32_t count;
};

static bool holding_add(struct holdings *holdings, const char *currency, tg_amount amount)
{
	uint32_t i = 0;
	while (i < holdings->count && strcmp(holdings->item[i].currency, currency) != 0)
		i++;
	if (i == CYCLE_CURRENCIES_MAX)
		return false;
	if (i == holdings->count) {
		holdings->count++;
		holdings->item[i].amount = 0;
		snprintf(holdings->item[i].currency, CURRENCY_MAX, "%s", currency);
	}
	return !__builtin_add_overflow(holdings->item[i].amount, amount, &holdings->item[i].amount);
}

/* What a fill changes: the base by its quantity, the quote by price times quantity, the fee's currency by the fee. All
 * of it or, when something does not fit, nothing. */
static int fill_book(struct order *order, const struct record_fill *r)
{
	struct cycle *cycle = order->cycle;
	const struct record_leg *leg = &cycle->leg[order->leg];
	const char *base = leg->side == TG_SIDE_BUY ? leg->to : leg->from;
	const char *quote = leg->side == TG_SIDE_BUY ? leg->from : leg->to;
	int sign = order->side == TG_SIDE_BUY ? 1 : -1;
	tg_amount base_amount, quote_amount, fee, filled_base, filled_quote;
	if (tg_amount_from_decimal(r->qty, &base_amount) || tg_amount_product(r->price, r->qty, &quote_amount) ||
	    tg_amount_from_decimal(r->fee, &fee) ||
	    __builtin_add_overflow(order->filled_base, base_amount, &filled_base) ||
	    __builtin_add_overflow(order->filled_quote, quote_amount, &filled_quote))
		return TG_ERR_CORRUPT;
	struct holdings holdings = {.count = cycle->holdings};
	memcpy(holdings.item, cycle->holding, sizeof holdings.item);
	if (!holding_add(&holdings, base, sign * base_amount) || !holding_add(&holdings, quote, -sign * quote_amount) ||
	    (fee != 0 && !holding_add(&holdings, r->fee_currency, -fee)))
		return TG_ERR_CORRUPT;
	memcpy(cycle->holding, holdings.item, sizeof holdings.item);
	cycle->holdings = holdings.count;
	order->filled_base = filled_base;
	order->filled_quote = filled_quote;
	return TG_OK;
}

static int on_fill(struct model *model, const struct journal_entry *entry)
{
	const struct record_fill *r = entry->payload;
	struct order *order = model_order(model, (struct tg_str){r->client_id, TG_CLIENT_ID_LEN});
	if (!order)
		return unknown_order(model, r->client_id);
	if (order_has_fill(order, (struct tg_str){r->fill_id, strlen(r->fill_id)}))
		return TG_ERR_CORRUPT;
	struct fill *fill = pool_take(&model->fills);
	if (!fill)
		return TG_ERR_NO_MEMORY;
	if (fill_book(order, r)) {
		pool_give(&model->fills, fill);
		return TG_ERR_CORRUPT;
	}
	memcpy(fill->fill_id, r->fill_id, sizeof fill->fill_id);
	memcpy(fill->fee_currency, r->fee_currency, sizeof fill->fee_currency);
	fill->price = r->price;
	fill->qty = r->qty;
	fill->fee = r->fee;
	fill->time_ns = entry->time_ns;
	fill->posted = !model->dirties;
	*(order->last_fill ? &order->last_fill->next : &order->fills) = fill;
	order->last_fill = fill;
	uint8_t before = order->state;
	int status = order_move(model, order, ORDER_EVENT_FILL, entry->time_ns);
	assert(status == TG_OK); /* legal in every state of an order on record */
	order_tell(model, order, before, ORDER_EVENT_FILL);
	return TG_OK;
}

/* What the store has must not decide: each start that reads this record has to arrive at the same state, or what the
 * one could take of the cycle would be impossible to the next. */
static int on_forget(struct model *model, const struct journal_entry *entry)
{
	const struct record_forget *r = entry->payload;
	struct cycle *cycle = model_cycle(model, r->key);
	if (cycle && !model->remembers)
		cycle_forget(model, cycle);
	return TG_OK;
}

static int on_missed(struct model *model, const struct journal_entry *entry)
{
	const struct record_missed *r = entry->payload;
	model->missed_since_ns = r->since_unix_ns;
	return TG_OK;
}

void model_checkpoint(const struct model *model, struct record_checkpoint *ret_record)
{
	const struct model_counts *counts = &model->counts;
	*ret_record = (struct record_checkpoint){
		.start = model->start,
		.starts = counts->starts,
		.cycles = counts->cycles,
		.completed = counts->completed,
		.failed = counts->failed,
		.open = counts->open,
		.newest = model->newest_key,
		.missed_since_ns = model->missed_since_ns,
	};
}

static int on_checkpoint(struct model *model, const struct journal_entry *entry)
{
	const struct record_checkpoint *r = entry->payload;
	if (entry->position == model->first_position) {
		model->start = r->start;
		model->counts = (struct model_counts){r->starts, r->cycles, r->completed, r->failed, r->open};
		model->missed_since_ns = r->missed_since_ns;
		model->newest_key = model->trimmed = r->newest;
		return TG_OK;
	}
	struct record_checkpoint ours;
	model_checkpoint(model, &ours);
	return memcmp(r, &ours, sizeof ours) == 0 ? TG_OK : TG_ERR_CORRUPT;
}

static int on_trim(struct model *model, const struct journal_entry *entry)
{
	const struct record_trim *r = entry->payload;
	if (r->position > model->trim_position)
		model->trim_position = r->position;
	return TG_OK;
}

int model_apply(struct model *model, const struct journal_entry *entry)
{
	model->position = entry->position;
	model->dirties = entry->position > model->clean_position;
	if (model->first_position == 0)
		model->first_position = entry->position;
	switch (entry->type) {
	case RECORD_START: return on_start(model, entry);
	case RECORD_CYCLE_OPEN: return on_cycle_open(model, entry);
	case RECORD_CYCLE_EVENT: return on_cycle_event(model, entry);
	case RECORD_ORDER_INTENT: return on_order_intent(model, entry);
	case RECORD_ORDER_EVENT: return on_order_event(model, entry);
	case RECORD_FILL: return on_fill(model, entry);
	case RECORD_FORGET: return on_forget(model, entry);
	case RECORD_MISSED: return on_missed(model, entry);
	case RECORD_CHECKPOINT: return on_checkpoint(model, entry);
	case RECORD_TRIM: return on_trim(model, entry);
	default: return TG_OK; /* decisions and stops change no cycle */
	}
}
