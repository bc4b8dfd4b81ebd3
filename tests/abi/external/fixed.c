/* An exchange of one market with one price, as an outside author would write it: TOY-USD. Whoever crosses the price is
 * filled at it at once, whoever does not expires; nothing rests. Every answer comes by a timer of zero length, because
 * no answer may come from inside a call. Config: "price" (USD for a TOY), "toys" and "dollars" (what the account has).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/amount.h>
#include <trigate/error.h>
#include <trigate/exchange.h>

TG_MANIFEST({
	"id" : "fixed",
	"kind" : "exchange",
	"version" : "1.0.0",
	"abi" : "0.1",
	"description" : "one market, one price",
	"licence" : "MIT",
	"capabilities" : {
		"client_id" : {"alphabet" : "hex", "max_length" : 32, "unique" : "for-ever"},
		"lookup" : ["client_id"],
		"validity_bound" : false,
		"lag_ms" : 0,
		"fills" : "each",
		"simulated" : true
	},
	"config" : {
		"type" : "object",
		"additionalProperties" : false,
		"properties" : {
			"price" : {"type" : "number", "minimum" : 0.01, "default" : 2.50},
			"toys" : {"type" : "number", "minimum" : 0, "default" : 100},
			"dollars" : {"type" : "number", "minimum" : 0, "default" : 1000}
		}
	}
});

#define ORDERS_MAX 256 /* of a session; more are refused */
#define TASKS_MAX 64   /* answers that are due at once */
#define PRICE_SCALE 2

struct order {
	char client_id[TG_CLIENT_ID_LEN];
	int32_t side;
	int filled;
	struct tg_decimal price;
	struct tg_decimal qty;
};

enum task_kind { TASK_PLACE, TASK_CANCEL, TASK_QUERY, TASK_LIST, TASK_BALANCES, TASK_BOOK };

/* An answer that is due. */
struct task {
	enum task_kind kind;
	uint32_t order; /* index; ORDERS_MAX: none such */
	uint64_t token;
};

struct fixed {
	const struct tg_host *host;
	const struct tg_exchange_events *events;
	const struct tg_ext_timer *timer;
	uint64_t timer_id; /* 0: not armed */
	struct tg_decimal price;
	tg_amount toys;
	tg_amount dollars;
	struct order orders[ORDERS_MAX];
	uint32_t order_count;
	struct task tasks[TASKS_MAX];
	uint32_t task_count;
	uint64_t sequence;
};

/* ----------------------------------------------------------------- events */

static void tell_order(struct fixed *self, const struct order *order, int32_t kind)
{
	struct tg_order_event event = {.size = sizeof event, .kind = kind, .side = order->side};
	event.client_id = (struct tg_str){order->client_id, TG_CLIENT_ID_LEN};
	event.exchange_id = event.client_id;
	event.price = order->price;
	event.qty = order->qty;
	if (order->filled && kind != TG_ORDER_ACCEPTED)
		event.cum_qty = order->qty;
	if (kind == TG_ORDER_FILL) {
		event.fill_id = event.client_id;
		event.fill_price = self->price;
		event.fill_qty = order->qty;
		event.fee_currency = TG_STR("USD");
	}
	self->events->order(self->events->ctx, &event);
}

static void tell_end(struct fixed *self, const struct order *order)
{
	if (order->filled)
		tell_order(self, order, TG_ORDER_FILL);
	tell_order(self, order, order->filled ? TG_ORDER_FILLED : TG_ORDER_EXPIRED);
}

static void tell_balances(struct fixed *self)
{
	struct tg_balance_event event = {
		.size = sizeof event, .currency = TG_STR("TOY"), .free = tg_money_of(self->toys)};
	self->events->balance(self->events->ctx, &event);
	event.currency = TG_STR("USD");
	event.free = tg_money_of(self->dollars);
	self->events->balance(self->events->ctx, &event);
}

static void tell_book(struct fixed *self)
{
	struct tg_level level = {.qty = 1000000};
	tg_decimal_rescale(self->price, PRICE_SCALE, &level.price);
	struct tg_book_event event = {.size = sizeof event, .version = 1, .flags = TG_BOOK_SNAPSHOT};
	event.sequence = ++self->sequence;
	event.bids = event.asks = &level;
	event.bid_count = event.ask_count = 1;
	self->events->book(self->events->ctx, &event);
}

static void tell_instrument(struct fixed *self)
{
	struct tg_instrument toy = {.size = sizeof toy, .version = 1, .status = TG_MARKET_TRADING};
	toy.symbol = TG_STR("TOY-USD");
	toy.base = TG_STR("TOY");
	toy.quote = TG_STR("USD");
	toy.tick = (struct tg_decimal){.mantissa = 1, .scale = PRICE_SCALE};
	toy.lot = (struct tg_decimal){.mantissa = 1};
	toy.fee_scale = 2;
	self->events->instruments(self->events->ctx, &toy, 1);
}

/* ----------------------------------------------------------------- trading */

/* Does it cross, and can the account pay? Then it trades, all of it. */
static int order_match(struct fixed *self, const struct order *order)
{
	int sign = order->side == TG_SIDE_BUY ? 1 : -1;
	tg_amount qty, price;
	if (tg_decimal_compare(order->price, self->price) * sign < 0)
		return 0;
	if (tg_amount_from_decimal(order->qty, &qty) < 0 || tg_amount_from_decimal(self->price, &price) < 0)
		return 0;
	tg_amount toys = qty * sign, dollars = qty / TG_AMOUNT_ONE * price * -sign; /* lots are whole toys */
	if (self->toys + toys < 0 || self->dollars + dollars < 0)
		return 0;
	self->toys += toys;
	self->dollars += dollars;
	return 1;
}

static void task_done(struct fixed *self, const struct task *task, int32_t status)
{
	struct tg_error error = tg_error_init();
	if (status < 0)
		tg_error_set(&error, status, "no such order is open");
	self->events->done(self->events->ctx, task->token, status, status < 0 ? &error : NULL);
}

static void task_query(struct fixed *self, const struct task *task)
{
	static const struct order absent = {.client_id = "00000000000000000000000000000000"};
	if (task->order < self->order_count)
		tell_end(self, &self->orders[task->order]);
	else
		tell_order(self, &absent, TG_ORDER_ABSENT);
}

static void task_run(struct fixed *self, const struct task *task)
{
	switch (task->kind) {
	case TASK_PLACE:
		task_done(self, task, TG_OK);
		tell_order(self, &self->orders[task->order], TG_ORDER_ACCEPTED);
		self->orders[task->order].filled = order_match(self, &self->orders[task->order]);
		tell_end(self, &self->orders[task->order]);
		return;
	case TASK_CANCEL: task_done(self, task, TG_ERR_REJECTED); return; /* nothing ever rests */
	case TASK_QUERY: task_query(self, task); break;
	case TASK_LIST:
		for (uint32_t i = 0; i < self->order_count; i++)
			tell_end(self, &self->orders[i]);
		break;
	case TASK_BALANCES: tell_balances(self); break;
	case TASK_BOOK: tell_book(self); return;
	}
	task_done(self, task, TG_OK);
}

static void on_timer(void *ctx)
{
	struct fixed *self = ctx;
	struct task due[TASKS_MAX];
	uint32_t count = self->task_count;
	memcpy(due, self->tasks, count * sizeof *due);
	self->task_count = 0;
	self->timer_id = 0;
	for (uint32_t i = 0; i < count; i++)
		task_run(self, &due[i]);
}

static int32_t task_add(struct fixed *self, struct task task, struct tg_error *ret_error)
{
	if (self->task_count == TASKS_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%d answers are due already", TASKS_MAX);
	if (self->timer_id == 0 && self->timer->start(self->host, 0, on_timer, self, &self->timer_id) < 0)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "the host has no timer left");
	self->tasks[self->task_count++] = task;
	return TG_PENDING;
}

/* --------------------------------------------------------------- the face */

static int32_t config_read(struct fixed *self, const struct tg_config *config, struct tg_error *ret_error)
{
	struct tg_decimal toys, dollars;
	int64_t mantissa;
	if (config->get_decimal(config, TG_STR("price"), &self->price) < 0 ||
	    config->get_decimal(config, TG_STR("toys"), &toys) < 0 ||
	    config->get_decimal(config, TG_STR("dollars"), &dollars) < 0 ||
	    tg_amount_from_decimal(toys, &self->toys) < 0 || tg_amount_from_decimal(dollars, &self->dollars) < 0)
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "price, toys and dollars must be numbers of reasonable size");
	if (tg_decimal_rescale(self->price, PRICE_SCALE, &mantissa) < 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "price must be in whole cents");
	return TG_OK;
}

static int32_t create(const struct tg_host *host, const struct tg_config *config,
		      const struct tg_exchange_events *events, void **ret_self, struct tg_error *ret_error)
{
	struct fixed *self = calloc(1, sizeof *self);
	if (!self)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for the exchange");
	self->host = host;
	self->events = events;
	self->timer = host->extension(host, TG_STR(TG_EXT_TIMER));
	int32_t status = config_read(self, config, ret_error);
	if (status == TG_OK && !self->timer)
		status = tg_error_set(ret_error, TG_ERR_UNSUPPORTED, "the host has no " TG_EXT_TIMER);
	if (status < 0) {
		free(self);
		return status;
	}
	*ret_self = self;
	return TG_OK;
}

static void destroy(void *self)
{
	free(self);
}

static int32_t start(void *self, struct tg_error *ret_error)
{
	struct fixed *fixed = self;
	(void)ret_error;
	tell_instrument(fixed);
	tell_balances(fixed);
	fixed->events->link(fixed->events->ctx, TG_LINK_UP, NULL);
	return TG_OK;
}

static int32_t stop(void *self)
{
	struct fixed *fixed = self;
	if (fixed->timer_id != 0)
		fixed->timer->stop(fixed->host, fixed->timer_id);
	fixed->timer_id = 0;
	fixed->task_count = 0;
	return TG_OK;
}

static int32_t subscribe(void *self, const uint32_t *markets, uint32_t count, struct tg_error *ret_error)
{
	for (uint32_t i = 0; i < count; i++)
		if (markets[i] != 0)
			return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "there is no market %u", (unsigned)markets[i]);
	if (count == 0)
		return TG_OK;
	int32_t status = task_add(self, (struct task){.kind = TASK_BOOK}, ret_error);
	return status < 0 ? status : TG_OK;
}

static uint32_t order_find(const struct fixed *self, struct tg_str client_id)
{
	if (client_id.len != TG_CLIENT_ID_LEN)
		return ORDERS_MAX;
	for (uint32_t i = 0; i < self->order_count; i++)
		if (memcmp(self->orders[i].client_id, client_id.ptr, TG_CLIENT_ID_LEN) == 0)
			return i;
	return ORDERS_MAX;
}

static int32_t order_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	struct fixed *fixed = self;
	int64_t lots;
	if (request->market != 0 || request->client_id.len != TG_CLIENT_ID_LEN ||
	    tg_decimal_rescale(request->qty, 0, &lots) < 0 || lots <= 0)
		return tg_error_set(ret_error, TG_ERR_INVALID, "market 0, 32 digits of id and whole toys only");
	if (request->time_in_force != TG_TIF_IOC || request->valid_ms != 0)
		return tg_error_set(ret_error, TG_ERR_UNSUPPORTED, "IOC orders without a validity bound only");
	if (order_find(fixed, request->client_id) != ORDERS_MAX)
		return tg_error_set(ret_error, TG_ERR_EXISTS, "this client id was used before");
	if (fixed->order_count == ORDERS_MAX)
		return tg_error_set(ret_error, TG_ERR_LIMIT, "%d orders were placed already", ORDERS_MAX);
	struct task task = {.kind = TASK_PLACE, .order = fixed->order_count, .token = request->token};
	int32_t status = task_add(fixed, task, ret_error);
	if (status < 0)
		return status;
	struct order *order = &fixed->orders[fixed->order_count++];
	memcpy(order->client_id, request->client_id.ptr, TG_CLIENT_ID_LEN);
	order->side = request->side;
	order->price = request->price;
	order->qty = request->qty;
	return TG_PENDING;
}

static int32_t order_cancel(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	return task_add(self, (struct task){.kind = TASK_CANCEL, .token = ref->token}, ret_error);
}

static int32_t order_query(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	struct task task = {.kind = TASK_QUERY, .order = order_find(self, ref->client_id), .token = ref->token};
	return task_add(self, task, ret_error);
}

static int32_t orders_list(void *self, const uint32_t *markets, uint32_t market_count, int64_t since_unix_ns,
			   uint64_t token, struct tg_error *ret_error)
{
	(void)markets, (void)market_count; /* there is one */
	(void)since_unix_ns;               /* it lives no longer than a session: all of them are recent */
	return task_add(self, (struct task){.kind = TASK_LIST, .token = token}, ret_error);
}

static int32_t balances(void *self, uint64_t token, struct tg_error *ret_error)
{
	return task_add(self, (struct task){.kind = TASK_BALANCES, .token = token}, ret_error);
}

static const void *extension(void *self, struct tg_str id)
{
	(void)self, (void)id;
	return NULL;
}

static const struct tg_exchange_api api = {
	.size = sizeof api,
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
	.extension = extension,
};

TG_PLUGIN(TG_KIND_EXCHANGE, "fixed", "1.0.0", &api);
