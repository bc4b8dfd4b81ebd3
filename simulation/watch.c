#include "simulation/watch.h"

#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "exchanges/binance/plugin.h"
#include "simulation/process.h"

#define SECOND INT64_C(1000000000)
#define UP_LONG_NS (100 * SECOND) /* after so long without a fault nothing is left to be made good */
#define RECENT_NS (5 * SECOND)

struct watch {
	void *self; /* the connector's */
	struct watched *watched;
	const struct tg_exchange_events *events; /* the host's */
	struct tg_exchange_events own;
	bool up;
	int64_t up_ns;
	uint32_t count;
	struct books_told *told; /* by the connector's index */
	bool *wanted;
};

static bool room_make(struct watch *watch, uint32_t market)
{
	if (market < watch->count)
		return true;
	uint32_t count = market + 64;
	struct books_told *told = realloc(watch->told, count * sizeof *told);
	if (told)
		watch->told = told;
	bool *wanted = realloc(watch->wanted, count * sizeof *wanted);
	if (wanted)
		watch->wanted = wanted;
	if (!told || !wanted)
		return false;
	memset(told + watch->count, 0, (count - watch->count) * sizeof *told);
	memset(wanted + watch->count, 0, (count - watch->count) * sizeof *wanted);
	watch->count = count;
	return true;
}

/* ------------------------------------------------------------ what it tells */

static void instrument_take(struct watch *watch, const struct tg_instrument *instrument)
{
	if (!watch->watched->books || !room_make(watch, instrument->market))
		return;
	struct books_told *told = &watch->told[instrument->market];
	told->market = books_market(watch->watched->books, instrument->symbol);
	if (told->market == UINT32_MAX)
		observer_raise(watch->watched->observer, "books", "g%u is told of market %.*s, which there is not",
			       watch->watched->gateway, (int)instrument->symbol.len, instrument->symbol.ptr);
	else
		books_rescale(told, instrument);
}

static void on_instruments(void *ctx, const struct tg_instrument *list, uint32_t count)
{
	struct watch *watch = ctx;
	for (uint32_t i = 0; i < count; i++)
		instrument_take(watch, &list[i]);
	watch->events->instruments(watch->events->ctx, list, count);
}

static void book_take(struct watch *watch, const struct tg_book_event *event)
{
	struct watched *watched = watch->watched;
	char why[BOOKS_WHY_MAX];
	if (!watched->books || event->market >= watch->count || watch->told[event->market].version != event->version)
		return;
	struct books_told *told = &watch->told[event->market];
	switch (books_judge(watched->books, told, event, watched->streamed, why)) {
	case BOOKS_TRUE: watched->true_books++; break;
	case BOOKS_EMPTY: break;
	case BOOKS_UNKNOWN: watched->unknown_books++; break;
	case BOOKS_FALSE:
		observer_raise(watched->observer, "books", "g%u, market %u of the venue: %s", watched->gateway,
			       told->market, why);
		break;
	}
}

static void on_book(void *ctx, const struct tg_book_event *event)
{
	struct watch *watch = ctx;
	book_take(watch, event);
	watch->events->book(watch->events->ctx, event);
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	const struct watch *watch = ctx;
	watch->events->order(watch->events->ctx, event);
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	const struct watch *watch = ctx;
	watch->events->balance(watch->events->ctx, event);
}

static void on_link(void *ctx, int32_t state, const struct tg_error *reason)
{
	struct watch *watch = ctx;
	watch->up = state == TG_LINK_UP;
	watch->up_ns = watch->watched->books ? ground_ns(books_ground(watch->watched->books)) : 0;
	watch->events->link(watch->events->ctx, state, reason);
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	const struct watch *watch = ctx;
	watch->events->done(watch->events->ctx, token, status, error);
}

/* ------------------------------------------------------------ what it is asked */

static void destroy(void *self)
{
	struct watch *watch = self;
	if (!watch)
		return;
	binance_api.destroy(watch->self);
	if (watch->watched->watch == watch)
		watch->watched->watch = NULL;
	free(watch->told);
	free(watch->wanted);
	free(watch);
}

static int32_t create(const struct tg_host *host, const struct tg_config *config,
		      const struct tg_exchange_events *events, void **ret_self, struct tg_error *ret_error)
{
	struct watch *watch = calloc(1, sizeof *watch);
	if (!watch)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	watch->watched = &process_of(host)->watched;
	watch->events = events;
	watch->own = (struct tg_exchange_events){.size = sizeof watch->own,
						 .ctx = watch,
						 .instruments = on_instruments,
						 .book = on_book,
						 .order = on_order,
						 .balance = on_balance,
						 .link = on_link,
						 .done = on_done};
	int32_t status = binance_api.create(host, config, &watch->own, &watch->self, ret_error);
	if (status != TG_OK) {
		free(watch);
		return status;
	}
	watch->watched->watch = watch;
	*ret_self = watch;
	return TG_OK;
}

static void *inner(void *self)
{
	return ((struct watch *)self)->self;
}

static int32_t start(void *self, struct tg_error *ret_error)
{
	return binance_api.start(inner(self), ret_error);
}

static int32_t stop(void *self)
{
	return binance_api.stop(inner(self));
}

static int32_t subscribe(void *self, const uint32_t *markets, uint32_t count, struct tg_error *ret_error)
{
	struct watch *watch = self;
	int32_t status = binance_api.subscribe(watch->self, markets, count, ret_error);
	for (uint32_t i = 0; i < count && status == TG_OK; i++)
		if (markets[i] < watch->count)
			watch->wanted[markets[i]] = true;
	return status;
}

static int32_t order_place(void *self, const struct tg_order_request *request, struct tg_error *ret_error)
{
	return binance_api.order_place(inner(self), request, ret_error);
}

static int32_t order_cancel(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	return binance_api.order_cancel(inner(self), ref, ret_error);
}

static int32_t order_query(void *self, const struct tg_order_ref *ref, struct tg_error *ret_error)
{
	return binance_api.order_query(inner(self), ref, ret_error);
}

static int32_t orders_list(void *self, const uint32_t *markets, uint32_t count, int64_t since_unix_ns, uint64_t token,
			   struct tg_error *ret_error)
{
	return binance_api.orders_list(inner(self), markets, count, since_unix_ns, token, ret_error);
}

static int32_t balances(void *self, uint64_t token, struct tg_error *ret_error)
{
	return binance_api.balances(inner(self), token, ret_error);
}

static const void *extension(void *self, struct tg_str id)
{
	return binance_api.extension ? binance_api.extension(inner(self), id) : NULL;
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

const struct tg_entry watch_entry = {
	.magic = TG_MAGIC,
	.size = sizeof watch_entry,
	.abi_major = TG_ABI_MAJOR,
	.abi_minor_built = TG_ABI_MINOR,
	.abi_minor_needed = TG_ABI_MINOR,
	.kind = TG_KIND_EXCHANGE,
	.id = {BINANCE_ID, sizeof BINANCE_ID - 1},
	.version = {BINANCE_VERSION, sizeof BINANCE_VERSION - 1},
	.api = &api,
};

/* ------------------------------------------------------------ at rest */

void watch_rest(const struct watched *watched)
{
	const struct watch *watch = watched->watch;
	if (!watch || !watched->books || !watch->up ||
	    ground_ns(books_ground(watched->books)) - watch->up_ns < UP_LONG_NS)
		return;
	for (uint32_t i = 0; i < watch->count; i++) {
		const struct books_told *told = &watch->told[i];
		if (watch->wanted[i] && told->version > 0 && told->market != UINT32_MAX &&
		    books_is_trading(watched->books, told->market) &&
		    !books_is_recent(watched->books, told, watched->streamed, RECENT_NS))
			observer_raise(watched->observer, "books",
				       "g%u, market %u of the venue: told last was update %llu with %u bids and %u "
				       "asks, which is not the book of now",
				       watched->gateway, told->market, (unsigned long long)told->sequence,
				       told->bids.count, told->asks.count);
	}
}
