#include "core/capture/player.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/crc32c.h"

/* Of each currency that cycles start in, where nothing else is said; a strategy's allocation bounds what is used. */
#define BALANCE_DEFAULT INT64_C(1000)
/* A longer pause is no part of a recording, whose connector is pinged: what is due in it is not played step by step. */
#define PAUSE_MAX_NS (INT64_C(600) * 1000000000)

struct player {
	struct player_options options;
	struct outside outside;
	struct gateway *gateway;
	struct gateway_events events; /* who is told */
	int64_t start_ns;
	int64_t unix_offset_ns; /* of the last entry: unix - mono */
	bool started;           /* cycles are known */
	char *wanted;           /* symbols, a line each, that were asked for before the cycles were known */
	uint32_t subscribed;
	const struct capture_entry *entry; /* to be told in this pass */
};

/* ------------------------------------------------------------ what the recorded connector was asked for */

static int subscribe(struct player *player, const uint32_t *list, uint32_t count)
{
	struct gateway *gateway = player->gateway;
	const struct tg_exchange_api *api = gateway->exchange.api;
	struct tg_error error = tg_error_init();
	if (count == 0)
		return TG_OK;
	int status = api->subscribe(gateway->exchange.self, list, count, &error);
	if (status < 0)
		return gateway_fail(gateway, status, &error);
	player->subscribed += count;
	return TG_OK;
}

/* The markets of these symbols, in their order: a connector shares them out among its sockets by it. */
static void symbols_subscribe(struct player *player, const char *symbols)
{
	const struct markets *markets = player->gateway->markets;
	uint32_t *list = calloc(markets->market_count + 1, sizeof *list), count = 0;
	for (const char *at = symbols; list && *at && count < markets->market_count;) {
		size_t len = strcspn(at, "\n");
		uint32_t market = markets_find(markets, (struct tg_str){at, len});
		if (market != MARKET_NONE)
			list[count++] = market;
		at += len + (at[len] == '\n');
	}
	if (list)
		subscribe(player, list, count);
	free(list);
}

static void mentioned_subscribe(struct player *player)
{
	const struct markets *markets = player->gateway->markets;
	uint32_t *list = calloc(markets->market_count + 1, sizeof *list), count = 0;
	for (uint32_t i = 0; list && i < markets->market_count; i++)
		if (source_mentions(player->options.source, markets->market[i].symbol))
			list[count++] = i;
	if (list)
		subscribe(player, list, count);
	free(list);
}

static void tell_subscribed(struct player *player, const struct capture_entry *entry)
{
	char *symbols = strndup(entry->payload.ptr, entry->payload.len);
	if (!symbols)
		return;
	if (player->started) {
		symbols_subscribe(player, symbols);
		free(symbols);
		return;
	}
	size_t before = player->wanted ? strlen(player->wanted) : 0;
	char *longer = realloc(player->wanted, before + strlen(symbols) + 2);
	if (longer) {
		strcpy(longer + before, symbols);
		player->wanted = longer;
	}
	free(symbols);
}

/* ------------------------------------------------------------ balances */

static void balance_tell(struct player *player, const char *currency, tg_amount amount)
{
	const struct tg_exchange_events *events = &player->gateway->exchange_events;
	const struct tg_balance_event event = {
		.size = sizeof event, .currency = {currency, strlen(currency)}, .free = tg_money_of(amount)};
	events->balance(events->ctx, &event);
}

static bool has_balances(const struct gateway *gateway)
{
	for (uint32_t i = 0; i < gateway->markets->currency_count; i++)
		if (gateway->portfolio->balance[i].free > 0)
			return true;
	return false;
}

static void balances_tell(struct player *player)
{
	const struct player_options *options = &player->options;
	struct gateway *gateway = player->gateway;
	const struct string_list *base = &gateway->options.strategy->base_currencies;
	for (size_t i = 0; options->balances && i < options->balance_count; i++)
		balance_tell(player, options->balances[i].currency, options->balances[i].amount);
	if (options->balances || has_balances(gateway))
		return;
	tg_amount amount = (tg_amount)BALANCE_DEFAULT * INT64_C(1000000000000000000);
	for (size_t i = 0; i < base->count; i++)
		balance_tell(player, base->item[i], amount);
	for (uint32_t i = 0; base->count == 0 && i < gateway->markets->currency_count; i++)
		balance_tell(player, gateway->markets->currency[i], amount);
}

/* ------------------------------------------------------------ events of the gateway */

/* Its cycles are known, and it would subscribe what they need: here that is what was recorded. */
static void on_start(void *ctx)
{
	struct player *player = ctx;
	player->started = true;
	balances_tell(player);
	player->events.start(player->events.ctx);
	if (source_is_text(player->options.source))
		mentioned_subscribe(player);
	else if (player->wanted)
		symbols_subscribe(player, player->wanted);
}

static void on_decision(void *ctx, const struct record_decision *decision)
{
	struct player *player = ctx;
	player->events.decision(player->events.ctx, decision);
}

/* Nothing is opened, so there is nothing else to tell. */
static void on_order(void *ctx, const struct order *order, int64_t tick_to_order_ns)
{
	(void)ctx, (void)order, (void)tick_to_order_ns;
}

static void on_fill(void *ctx, const struct order *order, const struct fill *fill)
{
	(void)ctx, (void)order, (void)fill;
}

static void on_cycle(void *ctx, const struct cycle *cycle)
{
	(void)ctx, (void)cycle;
}

/* ------------------------------------------------------------ the way through the capture */

static void on_entry(void *ctx)
{
	struct player *player = ctx;
	const struct capture_entry *entry = player->entry;
	if (entry->kind == CAPTURE_SUBSCRIBED)
		tell_subscribed(player, entry);
	else
		played_tell(player->options.played, entry);
}

static bool is_over(const struct player *player)
{
	return loop_is_stopped(player->gateway->loop);
}

static bool paced(struct player *player, int64_t mono_ns)
{
	return !player->options.pace || player->options.pace(player->options.ctx, mono_ns);
}

/* What is due before the entry. False: this is the end. */
static bool timers_run(struct player *player, int64_t until_ns)
{
	struct loop *loop = player->gateway->loop;
	if (until_ns - loop_mono_ns(loop) > PAUSE_MAX_NS)
		return true;
	for (int64_t due; (due = loop_next_ns(loop)) <= until_ns;) {
		if (due < loop_mono_ns(loop))
			due = loop_mono_ns(loop);
		if (!paced(player, due))
			return false;
		loop_drive(loop, due, due + player->unix_offset_ns, NULL, NULL);
		if (is_over(player))
			return false;
	}
	return true;
}

/* The capture's clock may not run back, whatever it says. */
static bool entry_play(struct player *player, const struct capture_entry *entry)
{
	struct loop *loop = player->gateway->loop;
	int64_t mono_ns = entry->mono_ns > loop_mono_ns(loop) ? entry->mono_ns : loop_mono_ns(loop);
	if (!timers_run(player, mono_ns - 1) || !paced(player, mono_ns))
		return false;
	player->entry = entry;
	player->unix_offset_ns = entry->unix_ns - mono_ns;
	loop_drive(loop, mono_ns, entry->unix_ns, on_entry, player);
	return !is_over(player);
}

static int entries_play(struct player *player, struct tg_error *ret_error)
{
	struct capture_entry entry;
	int status;
	while ((status = source_next(player->options.source, &entry, ret_error)) == 1)
		if (!entry_play(player, &entry))
			break;
	return status < 0 ? status : TG_OK;
}

int player_run(struct player *player, struct tg_error *ret_error)
{
	struct gateway *gateway = player->gateway;
	int status = gateway_start(gateway);
	if (!status)
		status = entries_play(player, ret_error);
	if (!is_over(player)) {
		gateway_stop(gateway, status ? "the capture is damaged" : "the capture is played");
		loop_drive(gateway->loop, loop_mono_ns(gateway->loop), loop_unix_ns(gateway->loop), NULL, NULL);
	}
	if (gateway_finish(gateway) && !status)
		status = tg_error_set(ret_error, gateway->failure.code, "%s", gateway->failure.message);
	return status;
}

/* ------------------------------------------------------------ figures */

static uint32_t book_digest(uint32_t digest, const struct market *market)
{
	const struct book *book = &market->book;
	digest = crc32c(digest, market->symbol, strlen(market->symbol));
	digest = crc32c(digest, &book->sequence, sizeof book->sequence);
	digest = crc32c(digest, book->bids, book->bid_count * sizeof *book->bids);
	return crc32c(digest, book->asks, book->ask_count * sizeof *book->asks);
}

struct player_figures player_figures(const struct player *player)
{
	const struct gateway *gateway = player->gateway;
	struct player_figures figures = {.subscribed = player->subscribed,
					 .played_ns = loop_mono_ns(gateway->loop) - player->start_ns};
	for (uint32_t i = 0; i < gateway->markets->market_count; i++) {
		const struct market *market = &gateway->markets->market[i];
		if (market->book.best_bid == 0 && market->book.best_ask == 0)
			continue;
		figures.books++;
		figures.digest = book_digest(figures.digest, market);
	}
	return figures;
}

struct gateway *player_gateway(struct player *player)
{
	return player->gateway;
}

/* ------------------------------------------------------------ open and close */

int player_open(const struct player_options *options, struct player **ret_player, struct tg_error *ret_error)
{
	const struct capture_entry *start = source_start(options->source);
	struct player *player = calloc(1, sizeof *player);
	if (!player)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	player->options = *options;
	player->events = options->gateway.events;
	player->start_ns = start->mono_ns;
	player->unix_offset_ns = start->unix_ns - start->mono_ns;
	player->outside = (struct outside){
		.disk = options->disk,
		.workers = options->workers,
		.driven = true,
		.mono_ns = start->mono_ns,
		.unix_ns = start->unix_ns,
		.extensions = played_extensions,
		.extension_count = PLAYED_EXTENSIONS,
		.ctx = options->played,
	};
	struct gateway_options gateway = options->gateway;
	gateway.outside = &player->outside;
	gateway.rehearses = true;
	gateway.events = (struct gateway_events){.ctx = player,
						 .start = on_start,
						 .decision = on_decision,
						 .order = on_order,
						 .fill = on_fill,
						 .cycle = on_cycle};
	int status = gateway_open(&gateway, &player->gateway, ret_error);
	if (status) {
		free(player);
		return status;
	}
	played_set_loop(options->played, player->gateway->loop);
	memset(player->gateway->subscribed, 1, MARKETS_MAX); /* it shall not ask for others than were recorded */
	*ret_player = player;
	return TG_OK;
}

void player_close(struct player *player)
{
	if (!player)
		return;
	gateway_close(player->gateway);
	played_set_loop(player->options.played, NULL);
	free(player->wanted);
	free(player);
}
