/* The pool of connections: lent to one taker at a time, waited for but not for ever, checked when in doubt, replaced
 * when dead or old, opened again when the server is back. On one thread in a time of its own, then among threads. */
#include "core/state/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <trigate/error.h>

#include "core/base/log.h"

#include "tap.h"
#include "tests/unit/core/state/world.h"

#define MS INT64_C(1000000)

/* ------------------------------------------------------------- a server */

/* A connection knows which life of the server it was made in: after a restart it is dead. */
struct connection {
	unsigned life;
	atomic_bool taken; /* by a test's thread */
};

static struct {
	atomic_uint opened, closed, pings;
	atomic_uint life;
	atomic_bool away;
	bool full; /* no connection is opened, those that are open live */
	unsigned refused;
	int32_t refuses; /* with this code when it is away */
} server;

static int server_open(void *ctx, void **ret_backend, struct tg_error *ret_error)
{
	(void)ctx;
	server.refused += server.full;
	if (atomic_load(&server.away) || server.full)
		return tg_error_set(ret_error, server.refuses, "the server is away");
	struct connection *connection = calloc(1, sizeof *connection);
	connection->life = atomic_load(&server.life);
	atomic_fetch_add(&server.opened, 1);
	*ret_backend = connection;
	return TG_OK;
}

static void server_close(void *ctx, void *backend)
{
	(void)ctx;
	atomic_fetch_add(&server.closed, 1);
	free(backend);
}

static int32_t server_ping(void *self, struct tg_error *ret_error)
{
	const struct connection *connection = self;
	atomic_fetch_add(&server.pings, 1);
	if (connection->life != atomic_load(&server.life) || atomic_load(&server.away))
		return tg_error_set(ret_error, TG_ERR_IO, "the connection is dead");
	return TG_OK;
}

static const struct tg_storage_api api = {.size = sizeof api, .ping = server_ping};

static struct store_pool *pool_of(const struct workers *workers, uint32_t connections, int64_t timeout_ms)
{
	const struct store_pool_options options = {.workers = workers,
						   .opener = {&api, server_open, server_close, NULL},
						   .connections = connections,
						   .timeout_ms = timeout_ms,
						   .recycle_ms = 3600000,
						   .idle_check_ms = 30000};
	struct store_pool *pool = NULL;
	server.opened = server.closed = server.pings = 0;
	server.away = false;
	server.refuses = TG_ERR_IO;
	if (store_pool_create(&options, &pool))
		abort();
	return pool;
}

static struct store_pool_status status_of(struct store_pool *pool)
{
	struct store_pool_status status;
	store_pool_status(pool, &status);
	return status;
}

/* ------------------------------------------------------- on one thread */

static struct world_workers workers;
static struct tg_error error;

static void *take(struct store_pool *pool, const char *who)
{
	void *backend = NULL;
	error = tg_error_init();
	error.code = store_pool_take(pool, who, &backend, &error);
	return backend;
}

static void pass_ms(int64_t ms)
{
	workers.now_ns += ms * MS;
}

static void on_demand(void)
{
	workers = WORLD_WORKERS();
	struct store_pool *pool = pool_of(&workers.workers, 2, 5000);
	is_int(server.opened, 0, "nothing is opened before it is needed");
	ok(store_pool_api(pool) == &api, "the backend's functions");
	void *a = take(pool, "a");
	store_pool_give(pool, a, TG_OK);
	ok(take(pool, "a") == a && server.opened == 1, "what was given back is lent again");
	pass_ms(3200);
	void *b = take(pool, "bee");
	ok(b && b != a && server.opened == 2, "another when it is needed");
	ok(status_of(pool).open == 2 && status_of(pool).busy == 2, "the status");
	ok(!take(pool, "c") && error.code == TG_ERR_TIMEOUT, "on one thread nobody could give one back: at once");
	ok(strstr(error.message, "a for 3200 ms, bee for 0 ms") && strstr(error.message, "c found no free connection"),
	   "who has them, for how long: %s", error.message);
	ok(status_of(pool).waits == 1 && status_of(pool).timeouts == 1, "it is counted");
	store_pool_give(pool, a, TG_OK);
	pass_ms(1);
	store_pool_give(pool, b, TG_OK);
	ok(take(pool, "c") == b, "the one that was used last");
	store_pool_give(pool, b, TG_OK);
	store_pool_destroy(pool);
	is_int(server.closed, 2, "all are closed");
	store_pool_destroy(NULL);
}

static void in_doubt(void)
{
	workers = WORLD_WORKERS();
	struct store_pool *pool = pool_of(&workers.workers, 2, 5000);
	void *a = take(pool, "a"), *b = take(pool, "b");
	store_pool_give(pool, a, TG_ERR_INVALID);
	ok(take(pool, "a") == a && server.pings == 0, "a call that was wrong says nothing of the connection");
	store_pool_give(pool, a, TG_ERR_TIMEOUT);
	ok(take(pool, "a") == a && server.pings == 1, "one that may pass does: it is asked for a sign of life");
	store_pool_give(pool, a, 3);
	pass_ms(30000);
	ok(take(pool, "a") == a && server.pings == 2, "and after a long rest");
	store_pool_give(pool, b, TG_OK);
	server.life++;
	store_pool_give(pool, a, TG_ERR_UNKNOWN_OUTCOME);
	void *c = take(pool, "a");
	ok(c && server.closed == 1 && server.opened == 3, "a dead one is replaced");
	void *d = take(pool, "b");
	ok(d && server.closed == 2 && server.opened == 4, "and the others are doubted too");
	ok(status_of(pool).replaced == 2 && status_of(pool).open == 2 && status_of(pool).opened == 4, "it is counted");
	is_str(status_of(pool).error, "the connection is dead", "its text is kept");
	store_pool_give(pool, c, TG_OK);
	store_pool_give(pool, d, TG_OK);
	store_pool_destroy(pool);
}

static void too_old(void)
{
	workers = WORLD_WORKERS();
	struct store_pool *pool = pool_of(&workers.workers, 1, 5000);
	void *a = take(pool, "a");
	pass_ms(3600000);
	store_pool_give(pool, a, TG_OK);
	server.away = true;
	ok(!take(pool, "a") && server.opened == 1, "an old one whose server is gone is as dead as any");
	server.away = false;
	pass_ms(1000);
	a = take(pool, "a");
	store_pool_give(pool, a, TG_OK);
	pass_ms(3600000);
	void *b = take(pool, "a");
	ok(b && server.opened == 3 && server.closed == 2 && server.pings == 1,
	   "an old one goes when the new one is there");
	ok(status_of(pool).recycled == 1 && status_of(pool).open == 1, "it is counted");
	store_pool_give(pool, b, TG_OK);
	server.full = true;
	pass_ms(3600000);
	for (int i = 0; i < 3; i++) {
		ok(take(pool, "a") == b && server.refused == 1,
		   "it stays where there is no new one, which is asked once");
		store_pool_give(pool, b, TG_OK);
	}
	pass_ms(30000);
	ok(take(pool, "a") == b && server.refused == 2, "and again after a while");
	server.full = false;
	store_pool_give(pool, b, TG_OK);
	store_pool_destroy(pool);
}

static void server_away(void)
{
	workers = WORLD_WORKERS();
	struct store_pool *pool = pool_of(&workers.workers, 2, 5000);
	server.away = true;
	ok(!take(pool, "a") && error.code == TG_ERR_IO && error.retry_after_ns == 10 * MS,
	   "away: at once, and when to ask");
	is_str(error.message, "the server is away", "in the backend's words");
	server.away = false;
	ok(!take(pool, "a") && error.code == TG_ERR_IO && server.opened == 0, "it is not tried again before");
	ok(status_of(pool).away, "the status says so");
	pass_ms(10);
	void *a = take(pool, "a");
	ok(a && !status_of(pool).away, "then it is, and is back");
	server.away = true;
	static const int64_t waits[] = {10, 20, 40, 80, 160, 320, 640, 1000, 1000};
	unsigned wrong = 0;
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		wrong += take(pool, "b") != NULL || error.code != TG_ERR_TIMEOUT; /* a may give its own back */
		pass_ms(waits[i] - 1);
		server.away = false;
		wrong += take(pool, "b") != NULL;
		server.away = true;
		pass_ms(1);
	}
	is_int(wrong, 0, "later and later, up to a second");
	ok(strstr(error.message, "a for ") && strstr(error.message, "the server is away"), "%s", error.message);
	store_pool_give(pool, a, TG_OK);
	ok(take(pool, "b") == a, "those that are open are lent on");
	store_pool_give(pool, a, TG_OK);
	server.refuses = TG_ERR_AUTH;
	store_pool_destroy(pool);
	pool = pool_of(&workers.workers, 2, 5000);
	server.away = true;
	server.refuses = TG_ERR_AUTH;
	ok(!take(pool, "a") && error.code == TG_ERR_AUTH, "what cannot pass is told as it is");
	store_pool_destroy(pool);
}

/* --------------------------------------------------------- among threads */

static struct store_pool *shared;
static atomic_uint overlaps, taken, failed;

static void *taker(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < 2000; i++) {
		struct tg_error why = tg_error_init();
		void *backend = NULL;
		if (store_pool_take(shared, "a taker", &backend, &why)) {
			atomic_fetch_add(&failed, 1);
			sched_yield();
			continue;
		}
		struct connection *connection = backend;
		atomic_fetch_add(&overlaps, atomic_exchange(&connection->taken, true));
		atomic_fetch_add(&taken, 1);
		if (i % 7 == 0)
			sched_yield();
		bool dead = connection->life != atomic_load(&server.life);
		atomic_store(&connection->taken, false);
		store_pool_give(shared, backend, dead ? TG_ERR_IO : TG_OK);
		if (i % 500 == 250)
			atomic_fetch_add(&server.life, 1);
	}
	return NULL;
}

static void among_threads(void)
{
	pthread_t thread[6];
	shared = pool_of(&workers_threads, 3, 60000);
	for (int i = 0; i < 6; i++)
		if (pthread_create(&thread[i], NULL, taker, NULL))
			abort();
	for (int i = 0; i < 6; i++)
		pthread_join(thread[i], NULL);
	struct store_pool_status status = status_of(shared);
	is_int(overlaps, 0, "no connection is anybody's but its taker's");
	is_int(taken + failed, 12000, "everybody had a turn");
	is_int(failed, 0, "in time");
	ok(status.busy == 0 && status.open <= 3 && status.replaced > 0, "three at most, the dead replaced: %u",
	   (unsigned)status.replaced);
	is_int(server.opened - server.closed, status.open, "none is lost");
	store_pool_destroy(shared);
	is_int(server.opened - server.closed, 0, "nor left open");
}

static void *holder(void *ctx)
{
	void *backend = ctx;
	while (status_of(shared).waits == 0)
		sched_yield();
	store_pool_give(shared, backend, TG_OK);
	return NULL;
}

static void waiting(void)
{
	pthread_t thread;
	void *backend = NULL, *second = NULL;
	shared = pool_of(&workers_threads, 1, 60000);
	store_pool_take(shared, "the holder", &backend, NULL);
	if (pthread_create(&thread, NULL, holder, backend))
		abort();
	is_int(store_pool_take(shared, "the waiter", &second, NULL), TG_OK, "who waits gets what is given back");
	ok(second == backend, "the same connection");
	pthread_join(thread, NULL);
	store_pool_give(shared, second, TG_OK);
	store_pool_destroy(shared);

	shared = pool_of(&workers_threads, 1, 20);
	store_pool_take(shared, "the holder", &backend, NULL);
	struct tg_error why = tg_error_init();
	is_int(store_pool_take(shared, "the waiter", &second, &why), TG_ERR_TIMEOUT, "but not for ever");
	ok(strstr(why.message, "the holder for ") != NULL, "%s", why.message);
	store_pool_give(shared, backend, TG_OK);
	store_pool_destroy(shared);
}

static void log_drop(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx, (void)level, (void)event, (void)fields, (void)count;
}

int main(void)
{
	log_set_sink(log_drop, NULL);
	on_demand();
	in_doubt();
	too_old();
	server_away();
	waiting();
	among_threads();
	return tap_done();
}
