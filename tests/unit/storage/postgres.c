/* What is PostgreSQL's own, on a server that tests/servers/run has started: answers that are lost, servers that die,
 * servers that would lose data. The module's path is the first argument. */
#include <unistd.h>

#include "tests/unit/storage/backend.h"

static unsigned schemas;

/* A namespace that nothing is in yet. */
static void fresh(void)
{
	snprintf(place, sizeof place, "Own \"%u\"", ++schemas);
}

/* Rows of the current schema: $S in the statement is its name. */
static const char *sql(const char *statement)
{
	static char answer[1024];
	char order[1024] = "sql ";
	for (const char *at; (at = strstr(statement, "$S")); statement = at + 2)
		sprintf(order + strlen(order), "%.*s\"Own \"\"%u\"\"\"", (int)(at - statement), statement, schemas);
	snprintf(order + strlen(order), sizeof order - strlen(order), "%s", statement);
	if (!server_order(order, answer, sizeof answer))
		printf("# %s\n#   %s\n", order, answer);
	return answer;
}

static void sql_until(const char *statement, const char *want)
{
	for (int tries = 0; strcmp(sql(statement), want) != 0; tries++) {
		if (tries == 1000) {
			printf("Bail out! %s does not become %s\n", statement, want);
			exit(1);
		}
		usleep(1000);
	}
}

/* Rows are inserted as new until some are met that are there: then for a while they are not, then again. */
static void rewritten(void)
{
	enum { BATCHES = 150 };
	struct tg_error error = tg_error_init();
	int failed = 0;
	fresh();
	void *self = opened(NULL);
	for (uint64_t position = 1; position <= BATCHES; position++) {
		struct tg_cycle_row cycle = {.size = sizeof cycle, .id = TG_STR("c"), .step = (uint32_t)position};
		struct tg_order_row of = {.size = sizeof of, .client_id = TG_STR("o"), .cycle_id = TG_STR("c")};
		of.attempt = (uint32_t)position;
		struct tg_record records[] = {{TG_ROW_CYCLE, 0, &cycle}, {TG_ROW_ORDER, 0, &of}};
		failed += api->apply(self, &(struct tg_batch){sizeof(struct tg_batch), 2, records, position, JOURNAL},
				     &error) != TG_OK;
	}
	is_int(failed, 0, "batches that write the same rows again and again: %s", error.message);
	is_str(sql("SELECT c.step, o.attempt, count(*) OVER () FROM $S.cycles c, $S.orders o"), "150|150|1\n",
	       "the last one counts");
	api->close(self);
}

/* ------------------------------------------------------------ lost answers */

static void lost_answers(void)
{
	static const struct {
		enum proxy_act act;
		const char *pattern, *more, *what;
		int32_t status;
		const char *rows; /* in the store after it */
	} cases[] = {
		{PROXY_CUT_BEFORE, "POSITION_RAISE", "", "cut before the batch", TG_ERR_IO, "1|1\n"},
		{PROXY_CUT_AFTER, "POSITION_RAISE", "", "cut before the answer to the batch", TG_ERR_IO, "1|1\n"},
		{PROXY_STALL, "POSITION_RAISE", ",\"statement_timeout_ms\":100", "no answer to the batch",
		 TG_ERR_TIMEOUT, "1|1\n"},
		{PROXY_CUT_BEFORE, "COMMIT", "", "cut before COMMIT", TG_ERR_UNKNOWN_OUTCOME, "1|1\n"},
		{PROXY_CUT_AFTER, "COMMIT", "", "cut before the answer to COMMIT", TG_ERR_UNKNOWN_OUTCOME, "2|2\n"},
		{PROXY_STALL, "COMMIT", ",\"statement_timeout_ms\":100", "no answer to COMMIT", TG_ERR_UNKNOWN_OUTCOME,
		 "1|1\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tg_error error;
		fresh();
		void *self = through_proxy(cases[i].more);
		int acted = atomic_load(&proxy.acted);
		is_int(save(self, 1, &error), TG_OK, "%s: the batch before", cases[i].what);
		proxy_arm(&proxy, cases[i].act, cases[i].pattern);
		is_int(save(self, 2, &error), cases[i].status, "%s: says what is known: %s", cases[i].what,
		       error.message);
		is_int(atomic_load(&proxy.acted), acted + 1, "it was cut");
		is_int(api->ping(self, &error), TG_ERR_IO, "the instance knows that it is lost");
		is_int(save(self, 2, &error), TG_ERR_IO, "and does no more");
		api->close(self);
		self = through_proxy("");
		is_str(sql("SELECT (SELECT count(*) FROM $S.cycles), (SELECT count(*) FROM $S.orders)"), cases[i].rows,
		       "what is in the store");
		is_int(save(self, 2, &error), TG_OK, "another repeats it");
		is_int(stored(self), 2, "the position is reached");
		is_str(sql("SELECT (SELECT count(*) FROM $S.cycles), (SELECT count(*) FROM $S.orders)"), "2|2\n",
		       "nothing lost, nothing twice");
		api->close(self);
	}
}

static void lost_slots(void)
{
	struct tg_error error = tg_error_init();
	uint64_t ids[3] = {0};
	fresh();
	void *self = through_proxy("");
	proxy_arm(&proxy, PROXY_CUT_AFTER, "SLOTS_RESERVE");
	is_int(api->slot_reserve(self, TG_STR("g"), TG_STR("a"), 3, 2, 60000, ids, &error), TG_ERR_UNKNOWN_OUTCOME,
	       "a slot whose answer was lost");
	api->close(self);
	self = opened(NULL);
	is_int(api->slot_reserve(self, TG_STR("g"), TG_STR("b"), 3, 3, 60000, ids, &error), 1, "counts for others");
	api->close(self);
}

/* ------------------------------------------------------- servers that die */

static void connections_dropped(void)
{
	struct tg_error error = tg_error_init();
	fresh();
	void *self = opened(NULL), *other = opened(NULL);
	sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'trigate'");
	is_int(api->ping(self, &error), TG_ERR_IO, "a connection that the server has dropped: %s", error.message);
	is_int(save(other, 1, &error), TG_ERR_IO, "in a batch too, and nothing has happened: %s", error.message);
	api->close(self);
	api->close(other);
	self = opened(NULL);
	is_int(save(self, 1, &error), TG_OK, "another instance works");
	ok(order("restart"), "the server is started anew");
	is_int(api->ping(self, &error), TG_ERR_IO, "which ends the connection");
	api->close(self);
	self = opened(NULL);
	is_int(stored(self), 1, "the batch is there");
	ok(order("stop"), "the server stops");
	api->close(self);
	self = NULL;
	is_int(store_open(NULL, &self, &error), TG_ERR_IO, "no server: a retry may help: %s", error.message);
	ok(!self, "and no instance");
	ok(order("start"), "the server starts");
}

#define KILLS 4

/* kill -9 of all the server's processes while batches are being written. */
static void killed(void)
{
	fresh();
	uint64_t next = 1;
	for (unsigned round = 0; round < KILLS; round++, next++) {
		void *self = killed_after(20 + 7 * round, &next);
		char want[64];
		snprintf(want, sizeof want, "%llu|%llu\n", (unsigned long long)next, (unsigned long long)next);
		is_str(sql("SELECT (SELECT count(*) FROM $S.cycles), (SELECT count(*) FROM $S.orders)"), want,
		       "each batch is there once, whole");
		api->close(self);
	}
}

/* --------------------------------------------------- what is not accepted */

static void server_set(const char *name, const char *value)
{
	char statement[128], show[64], want[32];
	snprintf(statement, sizeof statement, "ALTER SYSTEM SET %s = '%s'", name, value);
	sql(statement);
	sql("SELECT pg_reload_conf()");
	snprintf(show, sizeof show, "SHOW %s", name);
	snprintf(want, sizeof want, "%s\n", value);
	sql_until(show, want);
}

static void refused(void)
{
	struct tg_error error;
	void *self = NULL;
	static const char *const careless[] = {"fsync", "full_page_writes"};
	fresh();
	for (size_t i = 0; i < 2; i++) {
		server_set(careless[i], "off");
		is_int(store_open(NULL, &self, &error), TG_ERR_CONFIG, "%s = off is refused", careless[i]);
		ok(strstr(error.message, careless[i]) && strstr(error.message, "postgresql.conf"),
		   "with what to do: %s", error.message);
		server_set(careless[i], "on");
	}
	sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
	static const struct {
		const char *changes, *says;
		int32_t status;
	} cases[] = {
		{"{\"database\": \"latin\"}", "UTF8", TG_ERR_CONFIG},
		{"{\"database\": \"none\"}", "none", TG_ERR_CONFIG},
		{"{\"user\": \"nobody_here\"}", "nobody_here", TG_ERR_AUTH},
		{"{\"port\": 1}", "port 1 failed", TG_ERR_IO},
		{"{\"port\": 0}", "port", TG_ERR_CONFIG},
		{"{\"schema\": \"pg_own\"}", "schema", TG_ERR_CONFIG},
		{"{\"schema\": \"\"}", "schema", TG_ERR_CONFIG},
		{"{\"sslmode\": \"require\"}", "SSL", TG_ERR_CONFIG},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		is_int(store_open(cases[i].changes, &self, &error), cases[i].status, "refused: %s", cases[i].changes);
		ok(strstr(error.message, cases[i].says), "says why: %s", error.message);
	}
	ok(!self, "no instance");
}

/* With synchronous_commit off the server would acknowledge first and write ten seconds later. */
static void synchronous(void)
{
	struct tg_error error;
	fresh();
	server_set("wal_writer_delay", "10s");
	server_set("synchronous_commit", "off");
	void *self = opened(NULL);
	is_int(save(self, 1, &error), TG_OK, "a batch on a server whose default is to lose it");
	uint64_t id = 0;
	is_int(api->slot_reserve(self, TG_STR("g"), TG_STR("a"), 1, 1, 60000, &id, &error), 1, "and a slot");
	ok(order("kill") && order("start"), "kill -9 right behind it");
	api->close(self);
	self = opened(NULL);
	is_int(stored(self), 1, "the batch is there");
	is_int(api->slot_reserve(self, TG_STR("g"), TG_STR("b"), 1, 1, 60000, &id, &error), 0, "the slot is taken");
	api->close(self);
	sql("ALTER SYSTEM RESET ALL");
	sql("SELECT pg_reload_conf()");
	sql_until("SHOW synchronous_commit", "on\n");
}

static void password_kept(void)
{
	struct tg_error error = tg_error_init();
	struct tg_storage_status status = {.size = sizeof status};
	fresh();
	setenv("PGPASSWORD", "hunter2", 1);
	void *self = opened(NULL);
	is_int(api->status(self, &status, &error), TG_OK, "status");
	ok(!memmem(&status, sizeof status, "hunter2", 7), "tells no password: %s, %s, %s", status.server,
	   status.location, status.durability);
	ok(strncmp(status.server, "PostgreSQL ", 11) == 0 && strstr(status.location, "127.0.0.1:"), "but where it is");
	api->close(self);
	is_int(store_open("{\"port\": 1}", &self, &error), TG_ERR_IO, "nor does a failure");
	ok(!strstr(error.message, "hunter2"), "%s", error.message);
	unsetenv("PGPASSWORD");
}

/* ------------------------------------------------------------------ schema */

static void *migrate_main(void *ctx)
{
	struct tg_error error;
	void *self = NULL;
	int32_t *steps = ctx;
	*steps = store_open(NULL, &self, &error);
	if (*steps == TG_OK)
		*steps = api->migrate(self, NULL, NULL, &error);
	if (*steps < 0)
		printf("# %s\n", error.message);
	api->close(self);
	return NULL;
}

static void migrations(void)
{
	enum { CROWD = 6 };
	pthread_t threads[CROWD];
	int32_t steps[CROWD], sum = 0, failed = 0;
	struct tg_error error;
	void *self = NULL;
	fresh();
	for (int i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, migrate_main, &steps[i]);
	for (int i = 0; i < CROWD; i++) {
		pthread_join(threads[i], NULL);
		sum += steps[i] > 0 ? steps[i] : 0;
		failed += steps[i] < 0;
	}
	is_int(failed, 0, "several migrate at once");
	is_int(sum, 1, "one of them does it");
	sql("UPDATE $S.schema_version SET version = 9");
	store_open(NULL, &self, &error);
	is_int(api->migrate(self, NULL, NULL, &error), TG_ERR_VERSION, "a newer schema is refused: %s", error.message);
	struct tg_storage_status status = {.size = sizeof status};
	is_int(api->status(self, &status, &error), TG_ERR_VERSION, "by status too");
	api->close(self);
	fresh();
	sql("CREATE SCHEMA $S CREATE TABLE theirs (x int)");
	store_open(NULL, &self, &error);
	is_int(api->migrate(self, NULL, NULL, &error), TG_ERR_CORRUPT, "tables of another program are left alone: %s",
	       error.message);
	api->close(self);
}

static void finding_note(void *ctx, struct tg_str finding)
{
	char *text = ctx;
	snprintf(text + strlen(text), 512 - strlen(text), "%.*s\n", (int)finding.len, finding.ptr);
}

static void findings(void)
{
	struct tg_error error;
	char text[512] = "";
	fresh();
	void *self = opened(NULL);
	for (uint64_t i = 1; i <= 3; i++)
		save(self, i, &error);
	sql("DELETE FROM $S.cycles WHERE id = 'c2'");
	sql("UPDATE $S.cycles SET profit = 'NaN' WHERE id = 'c3'");
	sql("INSERT INTO $S.fills VALUES ('lost', '1', 1, 1, 1, 'BNB', 1)");
	is_int(api->check(self, finding_note, text, &error), 3, "what somebody else has broken is found");
	is_str(text, "order without cycle: o2 of cycle c2\nfill without order: lost/1\ninexact number in cycle: c3\n",
	       "and named");
	struct tg_load what = {.size = sizeof what, .kind = TG_ROW_CYCLE, .after = TG_STR("c2"), .limit = 10};
	is_int(api->load(self, &what, NULL, NULL, &error), TG_ERR_CORRUPT, "a number that is none is not passed on: %s",
	       error.message);
	api->close(self);
}

/* ------------------------------------------------------------------- locks */

static void *lock_main(void *ctx)
{
	char answer[512];
	server_order(ctx, answer, sizeof answer); /* fails when it is cancelled */
	return NULL;
}

static void time_out(void)
{
	struct tg_error error;
	char lock[256];
	pthread_t thread;
	fresh();
	void *self = opened("{\"statement_timeout_ms\": 100}");
	snprintf(lock, sizeof lock, "sql BEGIN; LOCK TABLE \"Own \"\"%u\"\"\".journals; SELECT pg_sleep(60); COMMIT",
		 schemas);
	pthread_create(&thread, NULL, lock_main, lock);
	while (save(self, 1, &error) == TG_OK) /* until the table is locked */
		;
	is_int(error.code, TG_ERR_TIMEOUT, "a batch that has to wait for too long: %s", error.message);
	is_int(api->ping(self, &error), TG_OK, "the instance is whole");
	sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%'"
	    " AND pid <> pg_backend_pid()");
	pthread_join(thread, NULL);
	is_int(save(self, 2, &error), TG_OK, "and works on");
	api->close(self);
}

/* What a session has prepared is of no use to it any more: another one is to take its place. */
static void prepared_stale(void)
{
	static const char *const changes[] = {"ALTER TABLE $S.journals ALTER COLUMN position TYPE numeric",
					      "ALTER TABLE $S.journals ALTER COLUMN position TYPE bigint"};
	struct tg_error error = tg_error_init();
	uint64_t position;
	fresh();
	void *self = opened(NULL);
	save(self, 1, &error);
	is_int((int64_t)stored(self), 1, "a statement that is prepared");
	sql(changes[0]);
	is_int(api->stored_position(self, JOURNAL, &position, &error), TG_ERR_IO,
	       "for a table that was changed since: %s", error.message);
	is_int(api->ping(self, &error), TG_ERR_IO, "the instance knows that it is lost");
	api->close(self);
	sql(changes[1]);
	self = opened(NULL);
	is_int((int64_t)stored(self), 1, "another works");
	api->close(self);
}

/* A fill of an old order is being written while that goes: it goes too, or stands with its order, and is never alone.
 */
static void cleaned_meanwhile(void)
{
	static const char *const cycle_ids[] = {"c", ""};
	for (size_t i = 0; i < 2; i++) {
		struct tg_error error = tg_error_init();
		char fill[640], text[512] = "";
		pthread_t thread;
		fresh();
		void *self = opened(NULL);
		struct tg_cycle_row cycle = {.size = sizeof cycle, .id = TG_STR("c"), .closed_ns = 1};
		struct tg_order_row of = {.size = sizeof of, .client_id = TG_STR("o"), .updated_ns = 1};
		of.cycle_id = (struct tg_str){cycle_ids[i], strlen(cycle_ids[i])};
		struct tg_record records[] = {{TG_ROW_CYCLE, 0, &cycle}, {TG_ROW_ORDER, 0, &of}};
		api->apply(self, &(struct tg_batch){sizeof(struct tg_batch), 2, records, 1, JOURNAL}, &error);
		snprintf(fill, sizeof fill,
			 "sql BEGIN; SET search_path = \"Own \"\"%u\"\"\"; SELECT FROM orders FOR KEY SHARE;"
			 " INSERT INTO fills VALUES ('o', 'late', 1, 1, 1, 'BNB', 1); SELECT pg_advisory_xact_lock(77);"
			 " DO 'BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted) LOOP"
			 " PERFORM pg_sleep(0.001); END LOOP; END'; COMMIT",
			 schemas);
		pthread_create(&thread, NULL, lock_main, fill);
		sql_until("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77", "1\n");
		is_int(api->cleanup(self, 1000, 10, &error), 1, "a cleaning beside a late fill: %s", error.message);
		pthread_join(thread, NULL);
		is_int(api->check(self, finding_note, text, &error), 0, "leaves nothing alone: %s", text);
		api->close(self);
	}
}

int main(int argc, char **argv)
{
	if (!backend_start(argc, argv, "schema"))
		return 1;
	rewritten();
	lost_answers();
	lost_slots();
	connections_dropped();
	killed();
	refused();
	synchronous();
	password_kept();
	migrations();
	findings();
	time_out();
	prepared_stale();
	cleaned_meanwhile();
	backend_stop();
	return tap_done();
}
