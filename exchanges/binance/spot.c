/* exchanges/binance: Binance Spot.
 *
 * Market data comes over the combined streams, orders, balances and the account's own events over the WebSocket API,
 * documents (exchangeInfo, snapshots, fees) over REST. docs/exchanges/binance.md is the manual: settings, what is
 * mapped to what, what is not supported. Without a key there is market data alone: link UP comes, balances are none,
 * and whatever concerns orders is refused.
 *
 *   order_place: TG_ERR_VERSION when the request was sized for other filters than the host was told last. What else
 *                is refused before it leaves: trader.h.
 *   link:        UP once the trader can send and has told the balances; DOWN when it is lost, or all market streams. */
#include "exchanges/binance/spot.h"

#include <stdlib.h>
#include <string.h>

#include "exchanges/binance/plugin.h"
#include "exchanges/binance/trade.h"

#define BACKOFF_NS 1000000000
#define BACKOFF_MAX_NS 60000000000

int64_t spot_now_ns(const struct spot *spot)
{
	return spot->clock->mono_ns(spot->host);
}

struct trader_now spot_now(const struct spot *spot)
{
	return (struct trader_now){spot->clock->mono_ns(spot->host), spot->clock->unix_ns(spot->host)};
}

int64_t spot_backoff_ns(uint32_t failures)
{
	int64_t wait_ns = BACKOFF_NS;
	while (failures-- > 0 && wait_ns < BACKOFF_MAX_NS)
		wait_ns *= 2;
	return wait_ns < BACKOFF_MAX_NS ? wait_ns : BACKOFF_MAX_NS;
}

void spot_log(const struct spot *spot, int32_t level, const char *message, const struct tg_error *reason)
{
	struct tg_log_field field = {TG_STR("reason"), {0}};
	if (!spot->log)
		return;
	if (reason)
		field.value = (struct tg_str){reason->message, reason->message_len};
	spot->log->write(spot->host, level, (struct tg_str){message, strlen(message)}, &field, reason ? 1 : 0);
}

void spot_instruments_tell(struct spot *spot, const uint32_t *market, uint32_t count)
{
	struct tg_instrument list[64]; /* so many at a time: all of them would be half a megabyte */
	uint32_t filled = 0;
	for (uint32_t i = 0; i < count; i++) {
		list[filled++] = catalogue_instrument(spot->catalogue, market[i]);
		if (filled == sizeof list / sizeof *list || i + 1 == count) {
			spot->events->instruments(spot->events->ctx, list, filled);
			filled = 0;
		}
	}
}

/* ---------------------------------------------------------------- what is due */

static void on_wake(void *ctx)
{
	struct spot *spot = ctx;
	spot->wake = 0;
	spot->wake_ns = SPOT_NEVER;
	spot_settle(spot);
}

/* An earlier timer stays: it finds nothing to do, and arms the next. */
static void wake_arm(struct spot *spot, int64_t due_ns)
{
	uint64_t id;
	int64_t now_ns = spot_now_ns(spot);
	if (due_ns < now_ns)
		due_ns = now_ns;
	if (spot->wake_ns <= due_ns)
		return;
	if (spot->timer->start(spot->host, due_ns - now_ns, on_wake, spot, &id) != TG_OK) {
		spot_log(spot, TG_LOG_ERROR, "the host has no timer left", NULL);
		return;
	}
	if (spot->wake)
		spot->timer->stop(spot->host, spot->wake);
	spot->wake = id;
	spot->wake_ns = due_ns;
}

void spot_wake_by(struct spot *spot, int64_t due_ns)
{
	if (spot->state == SPOT_RUNNING)
		wake_arm(spot, due_ns);
}

static void link_judge(struct spot *spot)
{
	bool up = start_is_done(spot) && (!spot->trader || spot->trader_up) && !market_data_is_lost(spot);
	if (up == spot->link_up)
		return;
	spot->link_up = up;
	spot->events->link(spot->events->ctx, up ? TG_LINK_UP : TG_LINK_DOWN, up ? NULL : &spot->reason);
	if (!up)
		market_data_retell(spot);
}

static int64_t due_find(const struct spot *spot)
{
	const int64_t due_ns[] = {start_wake(spot),   market_data_wake(spot), quiet_wake(spot),
				  refresh_wake(spot), fees_wake(spot),        trade_wake(spot)};
	int64_t least_ns = SPOT_NEVER;
	for (size_t i = 0; i < sizeof due_ns / sizeof *due_ns; i++)
		if (due_ns[i] < least_ns)
			least_ns = due_ns[i];
	return least_ns;
}

/* What a step brings about comes back here while it is settling: then the one under way sees to it. */
void spot_settle(struct spot *spot)
{
	if (spot->settling || spot->state != SPOT_RUNNING)
		return;
	int64_t now_ns = spot_now_ns(spot);
	spot->settling = true;
	trade_step(spot, now_ns);
	start_step(spot, now_ns);
	market_data_step(spot, now_ns);
	quiet_step(spot, now_ns);
	refresh_step(spot, now_ns);
	fees_step(spot, now_ns);
	link_judge(spot);
	spot->settling = false;
	if (spot->state == SPOT_RUNNING) /* the host may have stopped us when the link changed */
		wake_arm(spot, due_find(spot));
}

/* ---------------------------------------------------------------------- life */

static void destroy(void *self)
{
	struct spot *spot = self;
	if (!spot)
		return;
	trade_destroy(spot);
	market_data_destroy(spot);
	catalogue_destroy(spot->catalogue);
	free(spot);
}

static int32_t extensions_find(struct spot *spot, struct tg_error *ret_error)
{
	const struct tg_host *host = spot->host;
	const struct tg_ext_http *http = host->extension(host, TG_STR(TG_EXT_HTTP));
	spot->clock = host->extension(host, TG_STR(TG_EXT_CLOCK));
	spot->timer = host->extension(host, TG_STR(TG_EXT_TIMER));
	spot->log = host->extension(host, TG_STR(TG_EXT_LOG));
	spot->ws = host->extension(host, TG_STR(TG_EXT_WS));
	if (!spot->clock || !spot->timer || !spot->ws || !http)
		return tg_error_set(ret_error, TG_ERR_UNSUPPORTED, "the host lends no %s",
				    !spot->clock   ? TG_EXT_CLOCK
				    : !spot->timer ? TG_EXT_TIMER
				    : !spot->ws    ? TG_EXT_WS
						   : TG_EXT_HTTP);
	spot->rest = (struct rest){
		.host = host,
		.http = http,
		.clock = spot->clock,
		.time = &spot->time,
		.budget = &spot->budget,
		.base_url = spot->settings.rest_url,
		.recv_window_ms = spot->settings.recv_window_ms,
	};
	return TG_OK;
}

static int32_t key_find(struct spot *spot, struct tg_error *ret_error)
{
	struct tg_str name = {spot->settings.key, strlen(spot->settings.key)};
	spot->has_key = name.len > 0;
	if (!spot->has_key)
		return TG_OK;
	spot->rest.credential = &spot->credential;
	return credential_find(spot->host, name, &spot->credential, ret_error);
}

static int32_t parts_create(struct spot *spot, struct tg_error *ret_error)
{
	int status = catalogue_create(&spot->settings.fees, &spot->catalogue);
	if (!status)
		status = market_data_create(spot);
	if (!status && spot->has_key)
		status = trade_create(spot);
	return status ? tg_error_set(ret_error, status, "no memory for the connector") : TG_OK;
}

static int32_t create(const struct tg_host *host, const struct tg_config *config,
		      const struct tg_exchange_events *events, void **ret_self, struct tg_error *ret_error)
{
	struct spot *spot = calloc(1, sizeof *spot);
	if (!spot)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the connector");
	spot->host = host;
	spot->events = events;
	spot->wake_ns = SPOT_NEVER;
	spot->reason = tg_error_init();
	int32_t status = spot_settings_read(config, &spot->settings, ret_error);
	if (!status)
		status = extensions_find(spot, ret_error);
	if (!status)
		status = key_find(spot, ret_error);
	if (!status)
		status = parts_create(spot, ret_error);
	if (status)
		destroy(spot);
	else
		*ret_self = spot;
	return status;
}

static int32_t start(void *self, struct tg_error *ret_error)
{
	struct spot *spot = self;
	if (spot->state != SPOT_CREATED)
		return tg_error_set(ret_error, TG_ERR_CLOSED, "an instance starts once");
	spot->state = SPOT_RUNNING;
	if (!spot->has_key)
		spot_log(spot, TG_LOG_WARN, "no key is configured: there is market data alone", NULL);
	start_step(spot, spot_now_ns(spot));
	if (!spot->start.asking) { /* not for want of a network: that would show later */
		spot->state = SPOT_STOPPED;
		return tg_error_set(ret_error, spot->reason.code, "%s", spot->reason.message);
	}
	return TG_OK;
}

static int32_t stop(void *self)
{
	struct spot *spot = self;
	if (spot->state == SPOT_RUNNING) {
		trade_stop(spot);
		market_data_stop(spot);
		rest_stop(&spot->rest);
		if (spot->wake)
			spot->timer->stop(spot->host, spot->wake);
	}
	spot->wake = 0;
	spot->state = SPOT_STOPPED;
	return TG_OK;
}

/* ------------------------------------------------------------------ requests */

static int32_t subscribe(void *self, const uint32_t *markets, uint32_t count, struct tg_error *ret_error)
{
	struct spot *spot = self;
	if (spot->state != SPOT_RUNNING)
		return tg_error_set(ret_error, TG_ERR_CLOSED, "the connector does not run");
	for (uint32_t i = 0; i < count; i++)
		if (markets[i] >= catalogue_routes(spot->catalogue)->count)
			return tg_error_set(ret_error, TG_ERR_INVALID, "no such market: %u", markets[i]);
	for (uint32_t i = 0; i < count; i++) {
		bool is_new;
		if (market_data_subscribe(spot, markets[i], &is_new) != TG_OK)
			return tg_error_set(ret_error, TG_ERR_LIMIT, "too many markets are subscribed");
		if (is_new)
			fees_add(spot, markets[i]);
	}
	spot_wake_by(spot, spot_now_ns(spot));
	return TG_OK;
}

static int32_t trader_find(const struct spot *spot, struct tg_error *ret_error)
{
	if (spot->state != SPOT_RUNNING)
		return tg_error_set(ret_error, TG_ERR_CLOSED, "the connector does not run");
	if (!spot->trader)
		return tg_error_set(ret_error, TG_ERR_AUTH,
				    "no key is configured: name one of the gateway's keys in the setting \"key\"");
	return TG_OK;
}

/* What was asked may have to be given up on earlier than whatever is waited for. */
static int32_t asked(struct spot *spot, int32_t status)
{
	wake_arm(spot, trade_wake(spot));
	return status;
}

static int32_t order_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	int32_t status = trader_find(self, ret_error);
	return status ? status
		      : asked(self, trader_place(((struct spot *)self)->trader, request, spot_now(self), ret_error));
}

static int32_t order_cancel(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	int32_t status = trader_find(self, ret_error);
	return status ? status
		      : asked(self, trader_cancel(((struct spot *)self)->trader, ref, spot_now(self), ret_error));
}

static int32_t order_query(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	int32_t status = trader_find(self, ret_error);
	return status ? status
		      : asked(self, trader_query(((struct spot *)self)->trader, ref, spot_now(self), ret_error));
}

static int32_t orders_list(void *self, const uint32_t *markets, uint32_t market_count, int64_t since_unix_ns,
			   uint64_t token, struct tg_error *ret_error)
{
	struct spot *spot = self;
	int32_t status = trader_find(self, ret_error);
	return status ? status
		      : asked(self, trader_list(spot->trader, markets, market_count, since_unix_ns, token,
						spot_now(self), ret_error));
}

static int32_t balances(void *self, uint64_t token, struct tg_error *ret_error)
{
	int32_t status = trader_find(self, ret_error);
	return status ? status
		      : asked(self, trader_balances(((struct spot *)self)->trader, token, spot_now(self), ret_error));
}

static const void *extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

const struct tg_exchange_api binance_api = {.size = sizeof binance_api,
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
