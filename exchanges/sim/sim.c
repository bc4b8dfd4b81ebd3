/* exchanges/sim: a connector to trigate's own venue, without any network.
 *
 * Orders reach the matching engine latency_ms (plus 0..jitter_ms) after order_place, and what becomes of them comes
 * back as long after. Made-up markets move every step_ms; recorded ones (csv) stand still but for our own trades, and
 * the link reports END_OF_DATA once the first books are out. Everything is a function of seed, ledger and the order of
 * calls in the host's time: no clock, thread or file of its own but the ledger.
 *
 *   order_place: TG_ERR_VERSION when the request was sized for other filters than the host was told last,
 *                TG_ERR_RATE_LIMITED when SIM_REQUESTS_MAX are under way. Nothing was sent then.
 *   done():      comes right after ACCEPTED or REJECTED; fills and the end of an order follow, then balances, then
 * books. ledger:      outlives kill -9; a request that was still on its way then never reached the venue.
 */
#include <stdlib.h>

#include "exchanges/sim/sim.h"

TG_MANIFEST({
	"id" : "sim",
	"kind" : "exchange",
	"version" : "0.1.0",
	"abi" : "0.1",
	"description" : "trigate's own venue: a matching engine with made-up or recorded markets",
	"licence" : "MIT",
	"capabilities" : {
		"client_id" : {"alphabet" : "alnum-_", "max_length" : 36, "unique" : "open"},
		"lookup" : [ "client_id", "exchange_id", "listing" ],
		"lookup_days" : 36500,
		"validity_bound" : true,
		"lag_ms" : 0,
		"fills" : "each",
		"simulated" : true
	},
	"config" : {
		"type" : "object",
		"additionalProperties" : false,
		"properties" : {
			"seed" : {"type" : "integer", "default" : 1, "description" : "of the made-up markets"},
			"markets" : {
				"type" : "integer",
				"minimum" : 6,
				"maximum" : 5000,
				"default" : 250,
				"description" : "how many markets are made up"
			},
			"step_ms" : {
				"type" : "integer",
				"minimum" : 1,
				"maximum" : 60000,
				"default" : 10,
				"description" : "time between two moves of the made-up markets"
			},
			"steps" : {
				"type" : "integer",
				"minimum" : 0,
				"default" : 0,
				"description" : "moves after which the markets stand still; 0: endless"
			},
			"opportunities_per_minute" : {
				"type" : "integer",
				"minimum" : 0,
				"maximum" : 60000,
				"default" : 90,
				"description" : "mispriced triangles that begin in a minute"
			},
			"lifetime_ms" : {
				"type" : "integer",
				"minimum" : 1,
				"maximum" : 60000,
				"default" : 200,
				"description" :
					"shortest life of a mispricing; Pareto distributed, the mean is four times as long"
			},
			"levels" : {
				"type" : "integer",
				"minimum" : 1,
				"maximum" : 50,
				"default" : 10,
				"description" : "levels a side that are quoted and streamed"
			},
			"taker_bps" : {
				"type" : "number",
				"minimum" : 0,
				"maximum" : 9999,
				"default" : 7.5,
				"description" : "fee of a taker in basis points; a csv brings its own"
			},
			"maker_bps" : {
				"type" : "number",
				"minimum" : 0,
				"maximum" : 9999,
				"default" : 7.5,
				"description" : "fee of a maker in basis points; with a csv makers pay its taker_bps"
			},
			"fee_currency" : {
				"type" : "string",
				"maxLength" : 23,
				"default" : "",
				"description" : "currency that fees are taken in, such as BNB; empty: the received one"
			},
			"fee_scale" : {
				"type" : "integer",
				"minimum" : 0,
				"maximum" : 18,
				"default" : 8,
				"description" : "decimals to which a fee is rounded up"
			},
			"latency_ms" : {
				"type" : "number",
				"minimum" : 0,
				"maximum" : 60000,
				"default" : 5,
				"description" : "time of an order to the venue, and of an event back"
			},
			"jitter_ms" : {
				"type" : "number",
				"minimum" : 0,
				"maximum" : 60000,
				"default" : 2,
				"description" : "up to so much is added to it at random"
			},
			"halts_per_hour" : {
				"type" : "integer",
				"minimum" : 0,
				"maximum" : 36000,
				"default" : 0,
				"description" : "markets that stop trading for 5 to 60 seconds"
			},
			"filter_changes_per_hour" : {
				"type" : "integer",
				"minimum" : 0,
				"maximum" : 36000,
				"default" : 0,
				"description" : "markets whose tick, lot or least notional changes"
			},
			"balances" : {
				"type" : "object",
				"additionalProperties" : {"type" : "number", "minimum" : 0},
				"default" : {"USDT" : 10000},
				"description" : "what the account begins with; an existing ledger overrides it"
			},
			"ledger" : {
				"type" : "string",
				"maxLength" : 4000,
				"default" : "",
				"description" :
					"file that outlives the process, relative to the working directory; empty: none"
			},
			"csv" : {
				"type" : "string",
				"maxLength" : 4000,
				"default" : "",
				"description" : "trade the recorded markets of this file instead of made-up ones"
			}
		}
	}
});

int64_t sim_mono_ns(const struct sim *sim)
{
	return sim->clock->mono_ns(sim->host);
}

int64_t sim_unix_ns(const struct sim *sim)
{
	return sim->clock->unix_ns(sim->host);
}

/* -------------------------------------------------------------- collecting */

void sim_fail(struct sim *sim)
{
	if (sim->state != SIM_RUNNING)
		return;
	outbox_push(sim, &(struct packet){.kind = PACKET_LINK, .status = TG_LINK_DOWN});
	sim->state = SIM_DOWN;
}

static void event_push(struct sim *sim, const struct venue_event *event)
{
	struct packet packet = {.event = *event};
	if (event->kind == VENUE_EVENT_MARKET) {
		const struct venue_market *market = &venue_engine(sim->venue)->market[event->market];
		packet.kind = PACKET_INSTRUMENT;
		packet.filters = (struct filters){event->market, market->version, market->status,
						  market->tick,  market->lot,     market->min_notional};
	} else {
		packet.kind = event->kind == VENUE_EVENT_ORDER ? PACKET_ORDER : PACKET_BALANCE;
	}
	outbox_push(sim, &packet);
}

/* Nothing will change by itself any more. */
static bool is_quiet(const struct sim *sim)
{
	return venue_is_recorded(sim->venue) || (sim->settings.steps && sim->steps_done >= sim->settings.steps);
}

void books_flush(struct sim *sim)
{
	uint32_t market_count = venue_engine(sim->venue)->market_count;
	uint32_t count = venue_take_changed(sim->venue, sim->changed, market_count);
	for (uint32_t i = 0; i < count; i++)
		if (sim->subscribed[sim->changed[i]])
			outbox_push_book(sim, sim->changed[i]);
	if (sim->subscribed_count && !sim->end_told && is_quiet(sim) && !sim->flush_timer) {
		sim->end_told = true;
		outbox_push(sim, &(struct packet){.kind = PACKET_LINK, .status = TG_LINK_END_OF_DATA});
	}
}

void sim_collect(struct sim *sim, const struct packet *done)
{
	uint32_t count;
	const struct venue_event *event = venue_events(sim->venue, &count);
	for (uint32_t i = 0; i < count; i++) {
		event_push(sim, &event[i]);
		if (done && event[i].kind == VENUE_EVENT_ORDER) {
			outbox_push(sim, done);
			done = NULL;
		}
	}
	if (done)
		outbox_push(sim, done);
	venue_events_clear(sim->venue);
	books_flush(sim);
}

/* ------------------------------------------------------------------- steps */

static void step_arm(struct sim *sim);

static void step_fire(void *ctx)
{
	struct sim *sim = ctx;
	sim->step_timer = 0;
	sim->steps_done++;
	if (venue_step(sim->venue, sim_unix_ns(sim)) != TG_OK)
		sim_fail(sim);
	else
		sim_collect(sim, NULL);
	if (sim->state == SIM_RUNNING && !is_quiet(sim))
		step_arm(sim);
}

/* Steps keep their beat; those that a busy host missed are left out. */
static void step_arm(struct sim *sim)
{
	int64_t now = sim_mono_ns(sim);
	sim->next_step_ns += sim->settings.step_ns;
	if (sim->next_step_ns <= now)
		sim->next_step_ns = now + sim->settings.step_ns;
	if (sim->timer->start(sim->host, sim->next_step_ns - now, step_fire, sim, &sim->step_timer) != TG_OK)
		sim_fail(sim);
}

/* The first books of newly subscribed markets. */
static void flush_fire(void *ctx)
{
	struct sim *sim = ctx;
	sim->flush_timer = 0;
	for (uint32_t i = 0; i < venue_engine(sim->venue)->market_count; i++)
		if (sim->wanted[i]) {
			sim->wanted[i] = false;
			sim->subscribed[i] = true;
			sim->subscribed_count++;
			outbox_push_book(sim, i);
		}
	books_flush(sim);
}

/* --------------------------------------------------------------- interface */

static void destroy(void *self)
{
	struct sim *sim = self;
	if (!sim)
		return;
	outbox_finish(sim);
	venue_close(sim->venue);
	free(sim->subscribed);
	free(sim->wanted);
	free(sim->told_version);
	free(sim->sequence);
	free(sim->changed);
	free(sim->catalogue);
	free(sim);
}

static int32_t create(const struct tg_host *host, const struct tg_config *config,
		      const struct tg_exchange_events *events, void **ret_self, struct tg_error *ret_error)
{
	const struct tg_ext_clock *clock = host->extension(host, TG_STR(TG_EXT_CLOCK));
	const struct tg_ext_timer *timer = host->extension(host, TG_STR(TG_EXT_TIMER));
	if (!clock || !timer)
		return tg_error_set(ret_error, TG_ERR_UNSUPPORTED, "the host lends no %s",
				    clock ? TG_EXT_TIMER : TG_EXT_CLOCK);
	struct sim *sim = calloc(1, sizeof *sim);
	if (!sim)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the connector");
	sim->host = host;
	sim->events = events;
	sim->clock = clock;
	sim->timer = timer;
	inbox_init(sim);
	int32_t status = settings_read(config, &sim->settings, ret_error);
	if (status == TG_OK)
		*ret_self = sim;
	else
		destroy(sim);
	return status;
}

static int32_t tables_take(struct sim *sim, struct tg_error *error)
{
	size_t count = venue_engine(sim->venue)->market_count;
	sim->subscribed = calloc(count, sizeof *sim->subscribed);
	sim->wanted = calloc(count, sizeof *sim->wanted);
	sim->told_version = calloc(count, sizeof *sim->told_version);
	sim->sequence = calloc(count, sizeof *sim->sequence);
	sim->changed = calloc(count, sizeof *sim->changed);
	sim->catalogue = calloc(count, sizeof *sim->catalogue);
	if (!sim->subscribed || !sim->wanted || !sim->told_version || !sim->sequence || !sim->changed ||
	    !sim->catalogue)
		return tg_error_set(error, TG_ERR_NO_MEMORY, "no memory for %zu markets", count);
	return TG_OK;
}

static int32_t start(void *self, struct tg_error *ret_error)
{
	struct sim *sim = self;
	if (sim->state != SIM_CREATED)
		return tg_error_set(ret_error, TG_ERR_CLOSED, "an instance starts once");
	int32_t status = venue_open(&sim->settings.venue, sim_unix_ns(sim), &sim->venue, ret_error);
	if (status == TG_OK)
		status = tables_take(sim, ret_error);
	if (status != TG_OK)
		return status;
	sim->inward = random_stream(sim->settings.venue.seed, venue_run(sim->venue), 3);
	sim->outward = random_stream(sim->settings.venue.seed, venue_run(sim->venue), 4);
	sim->state = SIM_RUNNING;
	outbox_push(sim, &(struct packet){.kind = PACKET_CATALOGUE});
	const struct engine *engine = venue_engine(sim->venue);
	for (uint32_t c = 0; c < engine->currency_count; c++)
		outbox_push(sim,
			    &(struct packet){.kind = PACKET_BALANCE,
					     .event = {.currency = c,
						       .balance = *accounts_at(&engine->accounts, OWNER_ACCOUNT, c)}});
	outbox_push(sim, &(struct packet){.kind = PACKET_LINK, .status = TG_LINK_UP});
	sim_collect(sim, NULL); /* what became of orders that the last run left half done */
	sim->next_step_ns = sim_mono_ns(sim);
	if (!is_quiet(sim))
		step_arm(sim);
	return TG_OK;
}

static int32_t stop(void *self)
{
	struct sim *sim = self;
	if (sim->state == SIM_RUNNING || sim->state == SIM_DOWN) {
		inbox_stop(sim);
		outbox_stop(sim);
		if (sim->step_timer)
			sim->timer->stop(sim->host, sim->step_timer);
		if (sim->flush_timer)
			sim->timer->stop(sim->host, sim->flush_timer);
	}
	sim->state = SIM_STOPPED;
	return TG_OK;
}

static int32_t subscribe(void *self, const uint32_t *markets, uint32_t count, struct tg_error *ret_error)
{
	struct sim *sim = self;
	if (sim->state != SIM_RUNNING)
		return tg_error_set(ret_error, TG_ERR_CLOSED, "the venue is not connected");
	for (uint32_t i = 0; i < count; i++)
		if (markets[i] >= venue_engine(sim->venue)->market_count)
			return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", markets[i]);
	if (!sim->flush_timer && sim->timer->start(sim->host, 0, flush_fire, sim, &sim->flush_timer) != TG_OK)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "the host has no timer left");
	for (uint32_t i = 0; i < count; i++)
		sim->wanted[markets[i]] = !sim->subscribed[markets[i]];
	return TG_OK;
}

static int32_t order_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	return inbox_place(self, request, ret_error);
}

static int32_t order_cancel(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	return inbox_ask(self, REQUEST_CANCEL, ref, ret_error);
}

static int32_t order_query(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	return inbox_ask(self, REQUEST_QUERY, ref, ret_error);
}

static int32_t orders_list(void *self, const uint32_t *markets, uint32_t market_count, int64_t since_unix_ns,
			   uint64_t token, struct tg_error *ret_error)
{
	return inbox_list(self, markets, market_count, since_unix_ns, token, ret_error);
}

static int32_t balances(void *self, uint64_t token, struct tg_error *ret_error)
{
	return inbox_balances(self, token, ret_error);
}

static const void *extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

static const struct tg_exchange_api api = {.size = sizeof api,
					   .create = create,
					   .destroy = destroy,
					   .start = start,
					   .stop = stop,
					   .subscribe = subscribe,
					   .order_place = order_place,
					   .order_cancel = order_cancel,
					   .order_query = order_query,
					   .orders_list = orders_list,
					   .balances = balances,
					   .extension = extension};

TG_PLUGIN(TG_KIND_EXCHANGE, "sim", "0.1.0", &api);
