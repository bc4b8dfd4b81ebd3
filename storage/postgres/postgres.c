/* PostgreSQL: a store on a server, which gateways on several machines may share.
 *
 * Settings: where the server is (host, also a folder with its socket; port, database, user), `schema` (the namespace of
 * the tables), how to be sure of it (sslmode, sslrootcert), time-outs. A password comes by libpq's own ways (passfile,
 * ~/.pgpass, PGPASSFILE, PGPASSWORD) and is in no setting. A server that could lose what it acknowledged is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/postgres/store.h"

#define SERVER_MIN 130000

TG_MANIFEST({
	"id" : "postgres",
	"kind" : "storage",
	"version" : "0.1.0",
	"abi" : "0.1",
	"description" : "A schema in a PostgreSQL database",
	"licence" : "MIT",
	"capabilities" : {"durable" : true, "shared" : true, "online_backup" : false},
	"config" : {
		"type" : "object",
		"additionalProperties" : false,
		"properties" : {
			"host" : {
				"type" : "string",
				"default" : "",
				"description" :
					"The server's name or address, or the folder of its socket; empty: libpq's default"
			},
			"port" : {"type" : "integer", "minimum" : 1, "maximum" : 65535, "default" : 5432},
			"database" : {"type" : "string", "minLength" : 1, "default" : "trigate"},
			"user" : {
				"type" : "string",
				"default" : "",
				"description" : "Empty: libpq's default, the system's user"
			},
			"schema" : {
				"type" : "string",
				"minLength" : 1,
				"maxLength" : 63,
				"default" : "trigate",
				"description" :
					"The tables' namespace; stores of different gateways may share a database"
			},
			"passfile" : {
				"type" : "string",
				"default" : "",
				"description" :
					"A file of lines host:port:database:user:password, mode 0600; empty: libpq's default, ~/.pgpass"
			},
			"sslmode" : {
				"type" : "string",
				"enum" : [ "disable", "allow", "prefer", "require", "verify-ca", "verify-full" ],
				"default" : "prefer",
				"description" : "Over a network that is not your own: verify-full"
			},
			"sslrootcert" : {
				"type" : "string",
				"default" : "",
				"description" :
					"The authority that verify-ca and verify-full trust; empty: libpq's default"
			},
			"connect_timeout_s" : {
				"type" : "integer",
				"minimum" : 2,
				"maximum" : 300,
				"default" : 5,
				"description" : "For each address of each host"
			},
			"statement_timeout_ms" : {
				"type" : "integer",
				"minimum" : 100,
				"maximum" : 600000,
				"default" : 10000,
				"description" : "How long a batch, a page or a slot may take"
			}
		}
	}
});

int32_t text_check(const char *what, struct tg_str text, struct tg_error *ret_error)
{
	if (text.len > 0 && memchr(text.ptr, '\0', text.len))
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: a text holds a NUL byte", what);
	if (text.len > INT32_MAX / 2)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: a text of more than 1 GiB", what);
	return TG_OK;
}

/* ---------------------------------------------------------------- settings */

enum { SET_HOST, SET_DATABASE, SET_USER, SET_PASSFILE, SET_SSLMODE, SET_SSLROOTCERT, SET_SCHEMA, SET_TEXTS };

struct settings {
	char text[SET_TEXTS][1024];
	char port[8];
	char connect_timeout_s[8];
	int64_t statement_timeout_ms;
};

static int32_t texts_read(const struct tg_config *config, struct settings *settings, struct tg_error *ret_error)
{
	static const struct {
		const char *name, *value;
	} texts[SET_TEXTS] = {[SET_HOST] = {"host", ""},
			      [SET_DATABASE] = {"database", "trigate"},
			      [SET_USER] = {"user", ""},
			      [SET_PASSFILE] = {"passfile", ""},
			      [SET_SSLMODE] = {"sslmode", "prefer"},
			      [SET_SSLROOTCERT] = {"sslrootcert", ""},
			      [SET_SCHEMA] = {"schema", "trigate"}};

	for (int i = 0; i < SET_TEXTS; i++) {
		struct tg_str path = {texts[i].name, strlen(texts[i].name)},
			      value = {texts[i].value, strlen(texts[i].value)};
		size_t max = i == SET_SCHEMA ? SCHEMA_NAME_MAX : sizeof settings->text[i] - 1;
		if (config && config->get_text(config, path, &value) == TG_ERR_INVALID)
			return tg_error_set(ret_error, TG_ERR_CONFIG, "%s: a text is needed", texts[i].name);
		if (value.len > max || (value.len > 0 && memchr(value.ptr, '\0', value.len)))
			return tg_error_set(ret_error, TG_ERR_CONFIG, "%s: at most %zu bytes without NUL are allowed",
					    texts[i].name, max);
		snprintf(settings->text[i], sizeof settings->text[i], "%.*s", (int)value.len, value.ptr);
	}
	if (settings->text[SET_SCHEMA][0] == '\0' || strncmp(settings->text[SET_SCHEMA], "pg_", 3) == 0)
		return tg_error_set(ret_error, TG_ERR_CONFIG,
				    "schema: a name is needed; those that begin with pg_ are PostgreSQL's own");
	return TG_OK;
}

static int32_t number_read(const struct tg_config *config, const char *name, int64_t least, int64_t most,
			   int64_t *value, struct tg_error *ret_error)
{
	struct tg_str path = {name, strlen(name)};

	if (config && config->get_i64(config, path, value) == TG_ERR_INVALID)
		return tg_error_set(ret_error, TG_ERR_CONFIG, "%s: a number is needed", name);
	if (*value < least || *value > most)
		return tg_error_set(ret_error, TG_ERR_CONFIG, "%s: %lld; %lld to %lld are allowed", name,
				    (long long)*value, (long long)least, (long long)most);
	return TG_OK;
}

static int32_t settings_read(const struct tg_config *config, struct settings *settings, struct tg_error *ret_error)
{
	int64_t port = 5432, connect_timeout_s = 5;
	int32_t status = texts_read(config, settings, ret_error);

	settings->statement_timeout_ms = 10000;
	if (status == TG_OK)
		status = number_read(config, "port", 1, 65535, &port, ret_error);
	if (status == TG_OK)
		status = number_read(config, "connect_timeout_s", 2, 300, &connect_timeout_s, ret_error);
	if (status == TG_OK)
		status = number_read(config, "statement_timeout_ms", 100, 600000, &settings->statement_timeout_ms,
				     ret_error);
	snprintf(settings->port, sizeof settings->port, "%d", (int)port);
	snprintf(settings->connect_timeout_s, sizeof settings->connect_timeout_s, "%d", (int)connect_timeout_s);
	return status;
}

/* -------------------------------------------------------- open and close */

/* Values that are empty are libpq's to choose. Of several hosts it takes the first that takes writes. Kerberos is not
 * tried: that costs a round trip, and memory that is never given back. */
static int32_t store_connect(struct store *store, const struct settings *settings, struct tg_error *ret_error)
{
	const char *const pairs[][2] = {
		{"host", settings->text[SET_HOST]},
		{"port", settings->port},
		{"dbname", settings->text[SET_DATABASE]},
		{"user", settings->text[SET_USER]},
		{"passfile", settings->text[SET_PASSFILE]},
		{"sslmode", settings->text[SET_SSLMODE]},
		{"sslrootcert", settings->text[SET_SSLROOTCERT]},
		{"connect_timeout", settings->connect_timeout_s},
		{"target_session_attrs", "read-write"},
		{"gssencmode", "disable"},
		{"client_encoding", "UTF8"},
		{"application_name", "trigate"},
		{"keepalives_idle",
		 "10"}, /* a machine that is gone is noticed in half a minute, also while nothing is sent */
		{"keepalives_interval", "5"},
		{"keepalives_count", "3"},
	};
	enum { PAIRS = sizeof pairs / sizeof *pairs };
	const char *keywords[PAIRS + 1] = {0}, *values[PAIRS + 1] = {0};

	for (int i = 0; i < PAIRS; i++) {
		keywords[i] = pairs[i][0];
		values[i] = pairs[i][1];
	}
	return session_open(&store->session, keywords, values, settings->statement_timeout_ms, ret_error);
}

/* How this session works, whatever the server's, the database's or the role's defaults are.
 * - A statement finds rows by key through the index: its plan is made once, when the tables may be empty, and no plan
 * for small tables may stay when they are large. Compiling it (jit) would take longer than it runs.
 * - synchronous_commit: off would lose what was acknowledged. local and remote_write keep it on the server's own disk.
 */
#define SESSION_SET \
	"SELECT set_config('search_path', quote_ident(%s) || ', pg_temp', false)," \
	" set_config('statement_timeout', '%lld', false)," \
	" set_config('idle_in_transaction_session_timeout', '%lld', false), set_config('lock_timeout', '0', false)," \
	" set_config('default_transaction_isolation', 'read committed', false)," \
	" set_config('default_transaction_read_only', 'off', false)," \
	" set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'" \
	" ELSE current_setting('synchronous_commit') END, false)," \
	" set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false)," \
	" set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false)," \
	" set_config('enable_mergejoin', 'off', false)"
#define SERVER_LOOK \
	"SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('server_encoding')"

static int32_t server_check(const PGresult *result, int version, struct tg_error *ret_error)
{
	if (version < SERVER_MIN)
		return tg_error_set(ret_error, TG_ERR_CONFIG, "PostgreSQL %d is too old; 13 or newer is needed",
				    version / 10000);
	if (strcmp(PQgetvalue(result, 0, 0), "on") != 0)
		return tg_error_set(
			ret_error, TG_ERR_CONFIG,
			"PostgreSQL runs with fsync = off: a crash would lose what it has acknowledged. Set fsync"
			" = on in postgresql.conf and reload it");
	if (strcmp(PQgetvalue(result, 0, 1), "on") != 0)
		return tg_error_set(
			ret_error, TG_ERR_CONFIG,
			"PostgreSQL runs with full_page_writes = off: a crash could destroy its tables. Set it to on"
			" in postgresql.conf and reload it");
	if (strcmp(PQgetvalue(result, 0, 2), "UTF8") != 0)
		return tg_error_set(ret_error, TG_ERR_CONFIG,
				    "the database's encoding is %s; create one with ENCODING 'UTF8' TEMPLATE template0",
				    PQgetvalue(result, 0, 2));
	return TG_OK;
}

/* The tables' names are found in one schema only. */
static int32_t session_set(struct store *store, const struct settings *settings, struct tg_error *ret_error)
{
	char *name = PQescapeLiteral(store->session.conn, store->schema, strlen(store->schema)), *text = NULL;
	PGresult *result = NULL;
	int32_t status = TG_OK;
	int64_t timeout_ms = settings->statement_timeout_ms;

	if (!name ||
	    asprintf(&text, SESSION_SET "; " SERVER_LOOK, name, (long long)timeout_ms, (long long)timeout_ms) < 0) {
		text = NULL;
		status = tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	}
	if (status == TG_OK)
		status = session_query(&store->session, text, timeout_ms, TG_ERR_IO, &result, ret_error);
	if (status == TG_OK)
		status = server_check(result, PQserverVersion(store->session.conn), ret_error);
	PQclear(result);
	PQfreemem(name);
	free(text);
	return status;
}

static void store_close(void *self)
{
	struct store *store = self;

	if (!store)
		return;
	session_close(&store->session);
	columns_free(&store->columns);
	changes_free(&store->changes);
	free(store);
}

static int32_t store_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			  void **ret_self, struct tg_error *ret_error)
{
	struct settings settings;
	int32_t status = settings_read(config, &settings, ret_error);

	(void)host;
	(void)state_dir;
	if (status != TG_OK)
		return status;
	struct store *store = calloc(1, sizeof *store);
	if (!store)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	memcpy(store->schema, settings.text[SET_SCHEMA],
	       sizeof store->schema); /* its length is checked, with its NUL */
	status = store_connect(store, &settings, ret_error);
	if (status == TG_OK)
		status = session_set(store, &settings, ret_error);
	if (status != TG_OK) {
		store_close(store);
		return status;
	}
	*ret_self = store;
	return TG_OK;
}

static int32_t store_ping(void *self, struct tg_error *ret_error)
{
	struct store *store = self;

	return session_execute(&store->session, STATEMENT_PING, NULL, TG_ERR_IO, ret_error);
}

/* A commit that was acknowledged is on the server's disk: synchronous_commit is on in every session that writes. */
static int32_t store_durable_position(void *self, struct tg_str journal, uint64_t *ret_position,
				      struct tg_error *ret_error)
{
	return store_position(self, journal, ret_position, ret_error);
}

static const void *store_extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.open = store_open,
	.close = store_close,
	.ping = store_ping,
	.migrate = store_migrate,
	.apply = store_apply,
	.load = store_load,
	.stored_position = store_position,
	.durable_position = store_durable_position,
	.slot_reserve = store_slot_reserve,
	.slot_renew = store_slot_renew,
	.slot_release = store_slot_release,
	.slot_list = store_slot_list,
	.check = store_check,
	.cleanup = store_cleanup,
	.status = store_status,
	.extension = store_extension,
};

TG_PLUGIN(TG_KIND_STORAGE, "postgres", "0.1.0", &api);
