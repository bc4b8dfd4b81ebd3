/* The checking proxy of exchanges. It lets everything pass unchanged and reports what breaks a rule. */
#include <plugins/debug.h>

#include <pthread.h>
#include <stdlib.h>

#include <trigate/error.h>
#include <trigate/exchange.h>

enum phase { CREATING, CREATED, STARTED, STOPPED };

struct proxy {
	struct debug_guard guard;
	const struct tg_exchange_api *api; /* the plugin's */
	void *self;
	const struct tg_exchange_events *events; /* the host's */
	struct tg_exchange_events own_events;
	pthread_t thread; /* the loop's: where it was created */
	enum phase phase;
	struct debug_tokens pending; /* that wait for done() */
	struct debug_net *net;
};

static void thread_check(const struct proxy *proxy, const char *what)
{
	if (!pthread_equal(proxy->thread, pthread_self()))
		debug_report(proxy->guard.plugin_id, what, "not on the loop thread");
}

static const char *enter(struct proxy *proxy, const char *call)
{
	thread_check(proxy, call);
	return debug_enter(&proxy->guard, call);
}

/* ---------------------------------------------------------------- answers */

/* The status of a call that is answered by done(): TG_PENDING or an error. */
static int32_t asked(struct proxy *proxy, const char *call, uint64_t token, int32_t status,
		     const struct tg_error *error)
{
	if (status == TG_OK)
		debug_report(proxy->guard.plugin_id, call, "returned TG_OK; TG_PENDING or an error is due");
	if (status == TG_PENDING)
		debug_tokens_add(&proxy->pending, token);
	return debug_status(&proxy->guard, call, status, TG_PENDING, error);
}

/* ----------------------------------------------------------------- events */

/* settled: an event that must not come from inside a call */
static void event_check(struct proxy *proxy, const char *event, bool settled)
{
	const char *call = atomic_load(&proxy->guard.call);
	thread_check(proxy, event);
	if (proxy->phase == STOPPED)
		debug_report(proxy->guard.plugin_id, event, "raised after stop");
	else if (proxy->phase != STARTED)
		debug_report(proxy->guard.plugin_id, event, "raised before start");
	else if (settled && call)
		debug_report(proxy->guard.plugin_id, event, "raised from inside %s", call);
}

static void on_instruments(void *ctx, const struct tg_instrument *list, uint32_t count)
{
	struct proxy *proxy = ctx;
	event_check(proxy, "instruments", false);
	struct debug_span span = debug_lend(&proxy->guard);
	proxy->events->instruments(proxy->events->ctx, list, count);
	debug_take_back(&proxy->guard, span);
}

static void on_book(void *ctx, const struct tg_book_event *event)
{
	struct proxy *proxy = ctx;
	event_check(proxy, "book", true);
	struct debug_span span = debug_lend(&proxy->guard);
	proxy->events->book(proxy->events->ctx, event);
	debug_take_back(&proxy->guard, span);
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	struct proxy *proxy = ctx;
	event_check(proxy, "order", true);
	if (event->kind < TG_ORDER_ACCEPTED || event->kind > TG_ORDER_ABSENT)
		debug_report(proxy->guard.plugin_id, "order", "kind %d is none of TG_ORDER_", event->kind);
	struct debug_span span = debug_lend(&proxy->guard);
	proxy->events->order(proxy->events->ctx, event);
	debug_take_back(&proxy->guard, span);
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	struct proxy *proxy = ctx;
	event_check(proxy, "balance", false);
	struct debug_span span = debug_lend(&proxy->guard);
	proxy->events->balance(proxy->events->ctx, event);
	debug_take_back(&proxy->guard, span);
}

static void on_link(void *ctx, int32_t state, const struct tg_error *reason)
{
	struct proxy *proxy = ctx;
	event_check(proxy, "link", false);
	if (state < TG_LINK_DOWN || state > TG_LINK_END_OF_DATA)
		debug_report(proxy->guard.plugin_id, "link", "state %d is none of TG_LINK_", state);
	struct debug_span span = debug_lend(&proxy->guard);
	proxy->events->link(proxy->events->ctx, state, reason);
	debug_take_back(&proxy->guard, span);
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	struct proxy *proxy = ctx;
	event_check(proxy, "done", true);
	if (!debug_tokens_take(&proxy->pending, token) && proxy->phase == STARTED)
		debug_report(proxy->guard.plugin_id, "done", "answers nothing: answered twice or never TG_PENDING");
	debug_status(&proxy->guard, "done", status, TG_OK, error);
	struct debug_span span = debug_lend(&proxy->guard);
	proxy->events->done(proxy->events->ctx, token, status, error);
	debug_take_back(&proxy->guard, span);
}

/* ------------------------------------------------------------------ calls */

static struct proxy *proxy_create(const struct tg_host *host, const struct tg_exchange_events *events)
{
	struct proxy *proxy = calloc(1, sizeof *proxy);
	if (!proxy)
		return NULL;
	proxy->net = debug_net_create(host, &proxy->guard);
	if (!proxy->net) {
		free(proxy);
		return NULL;
	}
	proxy->guard.plugin_id = debug_plugin_id(host);
	proxy->api = debug_own_api(host);
	proxy->events = events;
	proxy->thread = pthread_self();
	proxy->own_events = (struct tg_exchange_events){.size = sizeof proxy->own_events,
							.ctx = proxy,
							.instruments = on_instruments,
							.book = on_book,
							.order = on_order,
							.balance = on_balance,
							.link = on_link,
							.done = on_done};
	return proxy;
}

static void proxy_destroy(struct proxy *proxy)
{
	debug_tokens_clear(&proxy->pending);
	debug_net_destroy(proxy->net);
	free(proxy);
}

static int32_t exchange_create(const struct tg_host *host, const struct tg_config *config,
			       const struct tg_exchange_events *events, void **ret_self, struct tg_error *ret_error)
{
	struct proxy *proxy = proxy_create(host, events);
	if (!proxy)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the ABI check");
	const char *outer = enter(proxy, "create");
	int32_t status =
		proxy->api->create(debug_net_host(proxy->net), config, &proxy->own_events, &proxy->self, ret_error);
	debug_leave(&proxy->guard, outer);
	debug_status(&proxy->guard, "create", status, TG_OK, ret_error);
	if (status < 0) {
		proxy_destroy(proxy);
		return status;
	}
	proxy->phase = CREATED;
	*ret_self = proxy;
	return status;
}

static void exchange_destroy(void *self)
{
	struct proxy *proxy = self;
	if (!proxy)
		return;
	const char *outer = enter(proxy, "destroy");
	if (proxy->phase == STARTED)
		debug_report(proxy->guard.plugin_id, "destroy", "called without stop");
	proxy->phase = STOPPED;
	proxy->api->destroy(proxy->self);
	debug_leave(&proxy->guard, outer);
	proxy_destroy(proxy);
}

static int32_t exchange_start(void *self, struct tg_error *ret_error)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "start");
	proxy->phase = STARTED;
	int32_t status = proxy->api->start(proxy->self, ret_error);
	debug_leave(&proxy->guard, outer);
	return debug_status(&proxy->guard, "start", status, TG_OK, ret_error);
}

/* What is unanswered at stop stays so: the host takes it for unknown. */
static int32_t exchange_stop(void *self)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "stop");
	int32_t status = proxy->api->stop(proxy->self);
	proxy->phase = STOPPED;
	debug_tokens_clear(&proxy->pending);
	debug_net_stop(proxy->net);
	debug_leave(&proxy->guard, outer);
	return debug_status(&proxy->guard, "stop", status, TG_OK, NULL);
}

static int32_t exchange_subscribe(void *self, const uint32_t *markets, uint32_t count, struct tg_error *ret_error)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "subscribe");
	int32_t status = proxy->api->subscribe(proxy->self, markets, count, ret_error);
	debug_leave(&proxy->guard, outer);
	return debug_status(&proxy->guard, "subscribe", status, TG_OK, ret_error);
}

static int32_t exchange_order_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "order_place");
	uint64_t before = debug_allocations(&proxy->guard);
	int32_t status = proxy->api->order_place(proxy->self, request, ret_error);
	debug_check_hot(&proxy->guard, "order_place", before);
	debug_leave(&proxy->guard, outer);
	return asked(proxy, "order_place", request->token, status, ret_error);
}

static int32_t exchange_order_cancel(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "order_cancel");
	int32_t status = proxy->api->order_cancel(proxy->self, ref, ret_error);
	debug_leave(&proxy->guard, outer);
	return asked(proxy, "order_cancel", ref->token, status, ret_error);
}

static int32_t exchange_order_query(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "order_query");
	int32_t status = proxy->api->order_query(proxy->self, ref, ret_error);
	debug_leave(&proxy->guard, outer);
	return asked(proxy, "order_query", ref->token, status, ret_error);
}

static int32_t exchange_orders_list(void *self, const uint32_t *markets, uint32_t market_count, int64_t since_unix_ns,
				    uint64_t token, struct tg_error *ret_error)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "orders_list");
	int32_t status = proxy->api->orders_list(proxy->self, markets, market_count, since_unix_ns, token, ret_error);
	debug_leave(&proxy->guard, outer);
	return asked(proxy, "orders_list", token, status, ret_error);
}

static int32_t exchange_balances(void *self, uint64_t token, struct tg_error *ret_error)
{
	struct proxy *proxy = self;
	const char *outer = enter(proxy, "balances");
	int32_t status = proxy->api->balances(proxy->self, token, ret_error);
	debug_leave(&proxy->guard, outer);
	return asked(proxy, "balances", token, status, ret_error);
}

static const void *exchange_extension(void *self, struct tg_str id)
{
	struct proxy *proxy = self;
	return proxy->api->extension(proxy->self, id);
}

const struct tg_exchange_api debug_exchange_api = {
	.size = sizeof debug_exchange_api,
	.create = exchange_create,
	.destroy = exchange_destroy,
	.start = exchange_start,
	.stop = exchange_stop,
	.subscribe = exchange_subscribe,
	.order_place = exchange_order_place,
	.order_cancel = exchange_order_cancel,
	.order_query = exchange_order_query,
	.orders_list = exchange_orders_list,
	.balances = exchange_balances,
	.extension = exchange_extension,
};
