#include "venue/venue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "venue/venue_state.h"

struct venue_options venue_options_default(void)
{
	return (struct venue_options){
		.seed = 1,
		.markets = 250,
		.step_ms = 10,
		.opportunities_per_minute = 90,
		.lifetime_ms = 200,
		.levels = 10,
		.taker_bps = {75, 1, 0},
		.maker_bps = {75, 1, 0},
		.fee_scale = 8,
	};
}

/* ------------------------------------------------------------------- open */

static uint32_t currency_add(struct world *world, struct tg_str name)
{
	uint32_t at = 0;
	while (at < world->currency_count &&
	       (strlen(world->currency[at]) != name.len || memcmp(world->currency[at], name.ptr, name.len) != 0))
		at++;
	if (at == world->currency_count) {
		assert(at < world->currency_room && name.len < VENUE_CURRENCY_MAX);
		memcpy(world->currency[at], name.ptr, name.len);
		world->currency[at][name.len] = '\0';
		world->currency_count++;
	}
	return at;
}

static bool name_is_valid(struct tg_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '"' || name.ptr[i] == '\\')
			return false;
	return name.len > 0 && name.len < VENUE_CURRENCY_MAX;
}

static int32_t range_check(const char *name, int64_t value, int64_t least, int64_t most, struct tg_error *error)
{
	if (value >= least && value <= most)
		return TG_OK;
	return tg_error_set(error, TG_ERR_INVALID, "%s: %lld is out of range, allowed are %lld to %lld", name,
			    (long long)value, (long long)least, (long long)most);
}

static int32_t names_check(const struct venue_options *options, struct tg_error *error)
{
	if (options->fee_currency.len && !name_is_valid(options->fee_currency))
		return tg_error_set(error, TG_ERR_INVALID, "fee_currency: not a currency's name");
	for (uint32_t i = 0; i < options->deposit_count; i++) {
		if (!name_is_valid(options->deposit[i].currency))
			return tg_error_set(error, TG_ERR_INVALID, "balances: not a currency's name");
		if (options->deposit[i].amount < 0)
			return tg_error_set(error, TG_ERR_INVALID, "balances/%.*s: below 0",
					    (int)options->deposit[i].currency.len, options->deposit[i].currency.ptr);
	}
	return TG_OK;
}

static int32_t options_check(const struct venue_options *options, struct tg_error *error)
{
	const struct {
		const char *name;
		int64_t value, least, most;
	} ranges[] = {
		{"markets", options->markets, WORLD_MARKETS_MIN, WORLD_MARKETS_MAX},
		{"step_ms", options->step_ms, 1, 60000},
		{"opportunities_per_minute", options->opportunities_per_minute, 0, 60000},
		{"lifetime_ms", options->lifetime_ms, 1, 60000},
		{"levels", options->levels, 1, VENUE_LEVELS_MAX},
		{"halts_per_hour", options->halts_per_hour, 0, 36000},
		{"filter_changes_per_hour", options->filter_changes_per_hour, 0, 36000},
		{"fee_scale", options->fee_scale, 0, TG_AMOUNT_SCALE},
	};
	int32_t status = names_check(options, error);
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0] && status == TG_OK; i++)
		status = range_check(ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].most, error);
	return status;
}

static int32_t rates_take(const struct venue_options *options, struct world *world, struct tg_error *error)
{
	int64_t taker, maker;
	if (tg_rate_e9_from_bps(options->taker_bps, &taker) != TG_OK || taker < 0 || taker >= TG_E9)
		return tg_error_set(error, TG_ERR_INVALID,
				    "taker_bps: allowed are 0 to under 10000, no finer than 0.00001");
	if (tg_rate_e9_from_bps(options->maker_bps, &maker) != TG_OK || maker < 0 || maker >= TG_E9)
		return tg_error_set(error, TG_ERR_INVALID,
				    "maker_bps: allowed are 0 to under 10000, no finer than 0.00001");
	for (uint32_t i = 0; i < world->market_count; i++) {
		world->market[i].taker_e9 = taker;
		world->market[i].maker_e9 = maker;
		market_units_set(&world->market[i]);
	}
	return TG_OK;
}

/* The markets, made up or from the CSV, and room for the currencies of the deposits. */
static int32_t world_take(const struct venue_options *options, const char *csv, struct world *ret_world,
			  struct recorded **ret_recorded, struct tg_error *error)
{
	uint32_t more = options->deposit_count + 1;
	if (csv[0])
		return recorded_read(csv, more, ret_recorded, ret_world, error);
	if (options->world) {
		*ret_world = *options->world;
		*options->world = (struct world){0};
	} else if (world_create((uint32_t)options->markets, more, ret_world) != TG_OK) {
		return tg_error_set(error, TG_ERR_NO_MEMORY, "no memory for the markets");
	}
	int32_t status = rates_take(options, ret_world, error);
	if (status != TG_OK)
		world_destroy(ret_world);
	return status;
}

static int32_t tables_take(struct venue *venue)
{
	const struct engine *engine = &venue->engine;
	venue->touched = calloc(engine->currency_count + 1, sizeof *venue->touched);
	venue->touched_list = calloc(engine->currency_count + 1, sizeof *venue->touched_list);
	venue->reported = calloc(engine->currency_count + 1, sizeof *venue->reported);
	venue->halted_until = calloc(engine->market_count + 1, sizeof *venue->halted_until);
	venue->initial = calloc(engine->market_count + 1, sizeof *venue->initial);
	if (!venue->touched || !venue->touched_list || !venue->reported || !venue->halted_until || !venue->initial)
		return TG_ERR_NO_MEMORY;
	for (uint32_t i = 0; i < engine->market_count; i++) {
		const struct venue_market *market = &engine->market[i];
		venue->initial[i] = (struct market_filters){market->tick, market->lot, market->min_notional};
	}
	return TG_OK;
}

static void chaos_take(struct venue *venue, const struct venue_options *options)
{
	venue->halts_e9 = options->halts_per_hour * options->step_ms * 10000 / 36;
	venue->filter_changes_e9 = options->filter_changes_per_hour * options->step_ms * 10000 / 36;
}

/* Before the first order each currency is paid in once; so a start that was killed half way is made good. */
static int32_t deposits_make(struct venue *venue, const struct venue_options *options, struct tg_error *error)
{
	for (uint32_t i = 0; i < options->deposit_count; i++) {
		const struct venue_deposit *deposit = &options->deposit[i];
		uint32_t currency = engine_currency(&venue->engine, deposit->currency);
		if (venue->orders.count || accounts_at(&venue->engine.accounts, OWNER_ACCOUNT, currency)->free)
			continue;
		if (!accounts_deposit(&venue->engine.accounts, OWNER_ACCOUNT, currency, deposit->amount))
			return tg_error_set(error, TG_ERR_OVERFLOW, "balances/%s: too large",
					    venue->engine.currency[currency]);
		record_deposit(venue, currency, deposit->amount);
		record_balance(venue, currency);
	}
	return TG_OK;
}

/* Everything stands but the ledger's content: read it, then go on from there. */
static int32_t run_begin(struct venue *venue, const struct venue_options *options, struct recorded *recorded,
			 const double *value, struct tg_error *error)
{
	struct maker_options maker = {.seed = options->seed,
				      .step_ms = options->step_ms,
				      .opportunities_per_minute = options->opportunities_per_minute,
				      .lifetime_ms = options->lifetime_ms,
				      .levels = (uint32_t)options->levels,
				      .taker_rate = (double)venue->engine.market[0].taker_e9 / 1e9};
	if (recorded)
		recorded_fund(recorded, &venue->engine);
	else
		makers_fund(&venue->engine, value);
	int64_t host_ns = venue->time_ns;
	int32_t status = venue_replay(venue, recorded, error);
	if (status != TG_OK)
		return status;
	venue->run++;
	if (venue->time_ns > host_ns)
		venue->skew_ns = venue->time_ns - host_ns;
	maker.run = venue->run;
	venue->chaos = random_stream(options->seed, venue->run, 2);
	if (!recorded && maker_create(&maker, &venue->engine, value, &venue->maker) != TG_OK)
		return tg_error_set(error, TG_ERR_NO_MEMORY, "no memory for the makers");
	record_run(venue);
	status = deposits_make(venue, options, error);
	if (status != TG_OK)
		return status;
	for (uint32_t c = 0; c < venue->engine.currency_count; c++)
		venue->reported[c] = *accounts_at(&venue->engine.accounts, OWNER_ACCOUNT, c);
	venue_reopen_orders(venue);
	if (recorded)
		recorded_quote(recorded, &venue->engine);
	else
		maker_open(venue->maker);
	trades_take(venue);
	status = call_end(venue);
	if (status != TG_OK)
		return tg_error_set(error, status, "ledger %s: %s", venue->ledger_path, tg_status_text(status));
	return TG_OK;
}

static char *text_copy(struct tg_str text)
{
	char *copy = malloc((size_t)text.len + 1);
	if (!copy)
		return NULL;
	if (text.len)
		memcpy(copy, text.ptr, (size_t)text.len);
	copy[text.len] = '\0';
	return copy;
}

static int32_t venue_fill(struct venue *venue, const struct venue_options *options, const char *csv,
			  struct tg_error *error)
{
	struct world world = {0};
	struct recorded *recorded = NULL;
	int32_t status = world_take(options, csv, &world, &recorded, error);
	if (status != TG_OK)
		return status;
	for (uint32_t i = 0; i < options->deposit_count; i++)
		currency_add(&world, options->deposit[i].currency);
	venue->fees = (struct fee_terms){CURRENCY_NONE_AT_VENUE, options->fee_scale};
	if (options->fee_currency.len)
		venue->fees.third = currency_add(&world, options->fee_currency);
	status = engine_init(&venue->engine, world.market, world.market_count, world.currency, world.currency_count);
	if (status == TG_OK)
		status = tables_take(venue);
	if (status != TG_OK)
		tg_error_set(error, status, "no memory for the markets");
	if (status == TG_OK && options->ledger_write)
		ledger_open_stream(&venue->ledger, options->ledger_write, options->ledger_ctx);
	else if (status == TG_OK)
		status = ledger_open(&venue->ledger, venue->ledger_path, error);
	if (status == TG_OK)
		status = run_begin(venue, options, recorded, world.value, error);
	free(world.value);
	recorded_destroy(recorded);
	return status;
}

int32_t venue_open(const struct venue_options *options, int64_t unix_ns, struct venue **ret_venue,
		   struct tg_error *ret_error)
{
	int32_t status = options_check(options, ret_error);
	if (status != TG_OK)
		return status;
	struct venue *venue = calloc(1, sizeof *venue);
	char *csv = text_copy(options->csv);
	if (venue) {
		*venue = (struct venue){.seed = options->seed, .time_ns = unix_ns, .ledger = {.fd = -1}};
		venue->ledger_path = text_copy(options->ledger);
		orders_init(&venue->orders);
		chaos_take(venue, options);
	}
	if (!venue || !csv || !venue->ledger_path)
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the venue");
	else
		status = venue_fill(venue, options, csv, ret_error);
	free(csv);
	if (status == TG_OK)
		*ret_venue = venue;
	else
		venue_close(venue);
	return status;
}

void venue_close(struct venue *venue)
{
	if (!venue)
		return;
	maker_destroy(venue->maker);
	ledger_close(&venue->ledger);
	orders_finish(&venue->orders);
	engine_finish(&venue->engine);
	free(venue->event);
	free(venue->touched);
	free(venue->touched_list);
	free(venue->reported);
	free(venue->halted_until);
	free(venue->initial);
	free(venue->ledger_path);
	free(venue);
}

/* ------------------------------------------------------------------ calls */

int64_t venue_time_ns(const struct venue *venue, int64_t unix_ns)
{
	int64_t now = unix_ns + venue->skew_ns;
	return now > venue->time_ns ? now : venue->time_ns;
}

void call_begin(struct venue *venue, int64_t unix_ns)
{
	venue->time_ns = venue_time_ns(venue, unix_ns);
	venue->event_mark = venue->event_count;
}

struct venue_event *event_add(struct venue *venue, int32_t kind)
{
	if (venue->event_count == venue->event_capacity) {
		uint32_t capacity = venue->event_capacity ? 2 * venue->event_capacity : 256;
		struct venue_event *grown = realloc(venue->event, capacity * sizeof *grown);
		if (!grown) {
			venue->broken = TG_ERR_NO_MEMORY;
			return &venue->scratch;
		}
		venue->event = grown;
		venue->event_capacity = capacity;
	}
	struct venue_event *event = &venue->event[venue->event_count++];
	*event = (struct venue_event){.kind = kind, .ns = venue->time_ns};
	return event;
}

void currency_touch(struct venue *venue, uint32_t currency)
{
	if (venue->touched[currency])
		return;
	venue->touched[currency] = true;
	venue->touched_list[venue->touched_count++] = currency;
}

/* Tell those balances that differ from what was last told. */
static void balances_tell(struct venue *venue)
{
	for (uint32_t i = 0; i < venue->touched_count; i++) {
		uint32_t currency = venue->touched_list[i];
		const struct balance *now = accounts_at(&venue->engine.accounts, OWNER_ACCOUNT, currency);
		struct balance *before = &venue->reported[currency];
		venue->touched[currency] = false;
		if (now->free == before->free && now->locked == before->locked)
			continue;
		*before = *now;
		record_balance(venue, currency);
		struct venue_event *event = event_add(venue, VENUE_EVENT_BALANCE);
		event->currency = currency;
		event->balance = *now;
	}
	venue->touched_count = 0;
}

int32_t call_end(struct venue *venue)
{
	balances_tell(venue);
	if (venue->engine.out_of_memory)
		venue->broken = TG_ERR_NO_MEMORY;
	if (!venue->broken)
		venue->broken = ledger_flush(&venue->ledger, NULL);
	if (venue->broken)
		venue->event_count = venue->event_mark;
	return venue->broken;
}

int32_t venue_step(struct venue *venue, int64_t unix_ns)
{
	call_begin(venue, unix_ns);
	if (venue->broken)
		return venue->broken;
	if (!venue->maker)
		return TG_OK;
	maker_step(venue->maker);
	trades_take(venue);
	chaos_step(venue);
	return call_end(venue);
}

/* ---------------------------------------------------------------- reading */

const struct orders *venue_orders(const struct venue *venue)
{
	return &venue->orders;
}

const struct engine *venue_engine(const struct venue *venue)
{
	return &venue->engine;
}

uint64_t venue_run(const struct venue *venue)
{
	return venue->run;
}

bool venue_is_recorded(const struct venue *venue)
{
	return !venue->maker;
}

uint64_t venue_lag_count(const struct venue *venue)
{
	return venue->maker ? maker_lag_count(venue->maker) : 0;
}

const struct venue_event *venue_events(const struct venue *venue, uint32_t *ret_count)
{
	*ret_count = venue->event_count;
	return venue->event;
}

void venue_events_clear(struct venue *venue)
{
	venue->event_count = 0;
}

uint32_t venue_take_changed(struct venue *venue, uint32_t *ret_markets, uint32_t room)
{
	struct engine *engine = &venue->engine;
	uint32_t count = engine->changed_count < room ? engine->changed_count : room;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t market = engine->changed[--engine->changed_count];
		engine->market[market].book_changed = false;
		ret_markets[i] = market;
	}
	return count;
}
