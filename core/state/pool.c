#include "core/state/pool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trigate/error.h>

#include "core/base/log.h"
#include "core/state/backoff.h"

#define MS INT64_C(1000000)
#define BACKOFF_FIRST_NS (10 * MS)
#define BACKOFF_LAST_NS (1000 * MS)
#define RECYCLE_AGAIN_NS (30000 * MS) /* where no new connection was to be had for an old one */

/* Busy: lent, or being opened, checked or closed for a taker, outside the lock. */
enum connection_state { CONNECTION_CLOSED, CONNECTION_IDLE, CONNECTION_BUSY };

struct connection {
	enum connection_state state;
	void *backend;
	const char *who;
	int64_t taken_ns;
	int64_t recycle_ns; /* when it is to be replaced, if ever */
	int64_t used_ns;    /* when it was last given back */
	bool doubtful;      /* its last call failed, or another one was found dead */
};

struct store_pool {
	struct store_pool_options options;
	struct monitor *monitor; /* of what follows */
	struct store_pool_status status;
	int64_t backoff_ns; /* 0: the store is not away */
	int64_t retry_ns;   /* no attempt to open one before it */
	int32_t away_code;  /* of the last attempt */
	struct connection connection[];
};

int store_pool_create(const struct store_pool_options *options, struct store_pool **ret_pool)
{
	assert(options->connections > 0 && options->connections <= STORE_CONNECTIONS_MAX);
	struct store_pool *pool = calloc(1, sizeof *pool + options->connections * sizeof *pool->connection);
	if (!pool || workers_monitor(options->workers, &pool->monitor)) {
		free(pool);
		return TG_ERR_NO_MEMORY;
	}
	pool->options = *options;
	pool->status.connections = options->connections;
	*ret_pool = pool;
	return TG_OK;
}

void store_pool_destroy(struct store_pool *pool)
{
	if (!pool)
		return;
	assert(pool->status.busy == 0);
	const struct store_opener *opener = &pool->options.opener;
	for (uint32_t i = 0; i < pool->options.connections; i++)
		if (pool->connection[i].state != CONNECTION_CLOSED)
			opener->close(opener->ctx, pool->connection[i].backend);
	monitor_destroy(pool->monitor);
	free(pool);
}

const struct tg_storage_api *store_pool_api(const struct store_pool *pool)
{
	return pool->options.opener.api;
}

void store_pool_status(struct store_pool *pool, struct store_pool_status *ret_status)
{
	monitor_lock(pool->monitor);
	*ret_status = pool->status;
	monitor_unlock(pool->monitor);
}

/* -------------------------------------------------------- under the lock */

static int64_t now_ns(const struct store_pool *pool)
{
	return workers_now_ns(pool->options.workers);
}

static void connection_lend(struct store_pool *pool, struct connection *connection, const char *who, int64_t now)
{
	connection->state = CONNECTION_BUSY;
	connection->who = who;
	connection->taken_ns = now;
	pool->status.busy++;
}

static void connection_return(struct store_pool *pool, struct connection *connection, enum connection_state state)
{
	connection->state = state;
	pool->status.busy--;
	monitor_tell(pool->monitor);
}

/* The one that was used last: its caches are warm, and those that are not needed grow old. */
static struct connection *idle_find(struct store_pool *pool)
{
	struct connection *found = NULL;
	for (uint32_t i = 0; i < pool->options.connections; i++) {
		struct connection *connection = &pool->connection[i];
		if (connection->state == CONNECTION_IDLE && (!found || connection->used_ns > found->used_ns))
			found = connection;
	}
	return found;
}

static struct connection *closed_find(struct store_pool *pool)
{
	for (uint32_t i = 0; i < pool->options.connections; i++)
		if (pool->connection[i].state == CONNECTION_CLOSED)
			return &pool->connection[i];
	return NULL;
}

/* "writer for 3200 ms, leases for 12 ms" */
static void takers_name(const struct store_pool *pool, int64_t now, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < pool->options.connections && used < size; i++) {
		const struct connection *connection = &pool->connection[i];
		if (connection->state == CONNECTION_BUSY)
			used += (size_t)snprintf(text + used, size - used, "%s%s for %lld ms", used ? ", " : "",
						 connection->who, (long long)((now - connection->taken_ns) / MS));
	}
}

static int all_taken(struct store_pool *pool, const char *who, int64_t now, struct tg_error *ret_error)
{
	char takers[160];
	pool->status.timeouts++;
	takers_name(pool, now, takers, sizeof takers);
	if (pool->status.away)
		return tg_error_set(ret_error, TG_ERR_TIMEOUT,
				    "%s found no free connection to the store within %lld ms; taken are: %s; another "
				    "could not be opened: %s",
				    who, (long long)pool->options.timeout_ms, takers, pool->status.error);
	return tg_error_set(ret_error, TG_ERR_TIMEOUT,
			    "%s found no free connection to the store within %lld ms; taken are: %s; "
			    "storage.pool_connections (%u) sets how many there may be",
			    who, (long long)pool->options.timeout_ms, takers, pool->options.connections);
}

static int still_away(const struct store_pool *pool, int64_t now, struct tg_error *ret_error)
{
	tg_error_set(ret_error, pool->away_code, "%s", pool->status.error);
	if (ret_error)
		ret_error->retry_after_ns = pool->retry_ns - now;
	return pool->away_code;
}

static void failure_keep(struct store_pool *pool, int32_t code, const struct tg_error *error)
{
	snprintf(pool->status.error, sizeof pool->status.error, "%s",
		 error->message[0] ? error->message : tg_status_text(code));
}

static void open_failed(struct store_pool *pool, int32_t code, const struct tg_error *error, int64_t now)
{
	pool->backoff_ns = backoff_next(pool->backoff_ns, BACKOFF_FIRST_NS, BACKOFF_LAST_NS);
	pool->retry_ns = now + pool->backoff_ns;
	pool->away_code = code;
	failure_keep(pool, code, error);
	if (!pool->status.away)
		log_warn("storage.away", LOG_S("code", tg_status_name(code)), LOG_S("error", pool->status.error));
	pool->status.away = true;
}

static void open_succeeded(struct store_pool *pool)
{
	if (pool->status.away)
		log_info("storage.back", LOG_I("connections", pool->status.open + 1));
	pool->status.away = false;
	pool->status.open++;
	pool->backoff_ns = 0;
}

/* ------------------------------------------- without it, for one connection */

static int backend_open(struct store_pool *pool, void **ret_backend, struct tg_error *error)
{
	const struct store_opener *opener = &pool->options.opener;
	monitor_unlock(pool->monitor);
	int status = opener->open(opener->ctx, ret_backend, error);
	monitor_lock(pool->monitor);
	return status;
}

static void backend_close(struct store_pool *pool, void *backend)
{
	const struct store_opener *opener = &pool->options.opener;
	monitor_unlock(pool->monitor);
	opener->close(opener->ctx, backend);
	monitor_lock(pool->monitor);
}

static void connection_begin(struct store_pool *pool, struct connection *connection, void *backend)
{
	connection->backend = backend;
	connection->recycle_ns = now_ns(pool) + pool->options.recycle_ms * MS;
	connection->doubtful = false;
	pool->status.opened++;
}

/* A closed one that is lent already. On an error it is closed and nobody's again. */
static int connection_open(struct store_pool *pool, struct connection *connection, struct tg_error *ret_error)
{
	struct tg_error error = tg_error_init();
	void *backend = NULL;
	int status = backend_open(pool, &backend, &error);
	if (status < 0) {
		int64_t now = now_ns(pool);
		connection_return(pool, connection, CONNECTION_CLOSED);
		open_failed(pool, status, &error, now);
		return still_away(pool, now, ret_error);
	}
	connection_begin(pool, connection, backend);
	open_succeeded(pool);
	return TG_OK;
}

static void connection_close(struct store_pool *pool, struct connection *connection)
{
	void *backend = connection->backend;
	connection->backend = NULL;
	pool->status.open--;
	backend_close(pool, backend);
}

/* The old one goes when the new one is there; there may be none to be had just now, which may take long to find out: it
 * is not tried again with each taker. */
static void connection_recycle(struct store_pool *pool, struct connection *connection)
{
	struct tg_error error = tg_error_init();
	void *old = connection->backend, *backend = NULL;
	if (backend_open(pool, &backend, &error) < 0) {
		connection->doubtful = true;
		connection->recycle_ns = now_ns(pool) + RECYCLE_AGAIN_NS;
		return;
	}
	connection_begin(pool, connection, backend);
	pool->status.recycled++;
	backend_close(pool, old);
}

static bool connection_is_alive(struct store_pool *pool, const struct connection *connection)
{
	struct tg_error error = tg_error_init();
	void *backend = connection->backend;
	monitor_unlock(pool->monitor);
	int status = pool->options.opener.api->ping(backend, &error);
	monitor_lock(pool->monitor);
	if (status >= 0)
		return true;
	failure_keep(pool, status, &error);
	/* what ended this one has most likely ended the others */
	for (uint32_t i = 0; i < pool->options.connections; i++)
		pool->connection[i].doubtful = true;
	return false;
}

/* An open one that is lent already: as good as new, or a new one. */
static int connection_ready(struct store_pool *pool, struct connection *connection, int64_t now,
			    struct tg_error *ret_error)
{
	const struct store_pool_options *options = &pool->options;
	bool idle = now - connection->used_ns >= options->idle_check_ms * MS;
	if (options->recycle_ms > 0 && now >= connection->recycle_ns) {
		connection_recycle(pool, connection);
		idle = false;
	}
	if ((!connection->doubtful && !idle) || connection_is_alive(pool, connection)) {
		connection->doubtful = false;
		return TG_OK;
	}
	pool->status.replaced++;
	connection_close(pool, connection);
	return connection_open(pool, connection, ret_error);
}

/* ------------------------------------------------------- take and give */

/* May whoever finds none wait? Those who have one may give it back; a server that has no more for us is no reason not
 * to. */
static bool may_wait(const struct store_pool *pool, int status)
{
	return pool->status.busy > 0 && tg_status_may_pass(status);
}

/* Lend what is there, or open one. NULL: there is none to be had now; an error in *ret_status: it is not worth waiting.
 */
static struct connection *connection_try(struct store_pool *pool, const char *who, int *ret_status,
					 struct tg_error *ret_error)
{
	int64_t now = now_ns(pool);
	struct connection *idle = idle_find(pool), *connection = idle ? idle : closed_find(pool);
	int status = TG_OK;
	*ret_status = TG_OK;
	if (!connection)
		return NULL;
	if (!idle && pool->backoff_ns != 0 && now < pool->retry_ns) {
		status = still_away(pool, now, ret_error);
	} else {
		connection_lend(pool, connection, who, now);
		status = idle ? connection_ready(pool, connection, now, ret_error)
			      : connection_open(pool, connection, ret_error);
	}
	*ret_status = may_wait(pool, status) ? TG_OK : status;
	return status ? NULL : connection;
}

/* Wait for one that is given back, or for the next attempt to open one. False: in vain. */
static bool connection_await(struct store_pool *pool, int64_t until_ns)
{
	int64_t wake_ns = until_ns;
	if (pool->backoff_ns != 0 && closed_find(pool) && pool->retry_ns < until_ns)
		wake_ns = pool->retry_ns;
	if (monitor_wait(pool->monitor, wake_ns) || idle_find(pool))
		return true;
	int64_t now = now_ns(pool);
	return now >= wake_ns && now < until_ns; /* before wake_ns: there is nobody who could give one back */
}

int store_pool_take(struct store_pool *pool, const char *who, void **ret_backend, struct tg_error *ret_error)
{
	struct connection *connection;
	int status;
	bool waited = false;
	monitor_lock(pool->monitor);
	int64_t until_ns = now_ns(pool) + pool->options.timeout_ms * MS;
	while (!(connection = connection_try(pool, who, &status, ret_error)) && status == TG_OK) {
		pool->status.waits += !waited;
		waited = true;
		if (!connection_await(pool, until_ns))
			status = all_taken(pool, who, now_ns(pool), ret_error);
		if (status)
			break;
	}
	if (connection)
		*ret_backend = connection->backend;
	monitor_unlock(pool->monitor);
	return status;
}

void store_pool_give(struct store_pool *pool, void *backend, int32_t status)
{
	uint32_t i = 0;
	monitor_lock(pool->monitor);
	while (i < pool->options.connections &&
	       (pool->connection[i].state != CONNECTION_BUSY || pool->connection[i].backend != backend))
		i++;
	assert(i < pool->options.connections);
	pool->connection[i].used_ns = now_ns(pool);
	pool->connection[i].doubtful |= status < 0 && tg_status_may_pass(status);
	connection_return(pool, &pool->connection[i], CONNECTION_IDLE);
	monitor_unlock(pool->monitor);
}
