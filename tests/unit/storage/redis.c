/* What is Redis' own, on a server that tests/servers/run has started: servers that would lose data, answers that are
 * lost, servers that die, run full or forget their scripts. The module's path is the first argument. */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/storage/redis.h"

static char dir[64];
static unsigned places;

void fresh(void)
{
	snprintf(place, sizeof place, "own%u", ++places);
}

const char *command(const char *words)
{
	static char answer[1024];
	char text[512];
	const char *at = strchr(words, '$');
	int before = at ? (int)(at - words) : (int)strlen(words);
	snprintf(text, sizeof text, "sql %.*s%s%s%s", before, words, at ? place : "", at ? ":" : "", at ? at + 1 : "");
	if (!server_order(text, answer, sizeof answer))
		printf("# %s\n#   %s\n", text, answer);
	answer[strcspn(answer, "\n")] = '\0';
	return answer;
}

static uint64_t durable(void *self)
{
	uint64_t position = UINT64_MAX;
	struct tg_error error = tg_error_init();
	if (api->durable_position(self, JOURNAL, &position, &error) != TG_OK)
		printf("# %s\n", error.message);
	return position;
}

const char *counts(void)
{
	static char text[64];
	long cycles = atol(command("HLEN $cycles")), orders = atol(command("HLEN $orders"));
	snprintf(text, sizeof text, "%ld%s %ld%s", cycles / width, cycles % width ? "and a part" : "", orders / width,
		 orders % width ? "and a part" : "");
	return text;
}

static void finding_note(void *ctx, struct tg_str finding)
{
	snprintf(ctx, 512, "%.*s", (int)finding.len, finding.ptr);
}

const char *finding(void *self)
{
	static char text[512];
	struct tg_error error = tg_error_init();
	text[0] = '\0';
	int32_t count = api->check(self, finding_note, text, &error);
	if (count < 0)
		snprintf(text, sizeof text, "%s", error.message);
	return count == 0 ? "none" : text;
}

/* ---------------------------------------------------- what is not accepted */

static void servers_refused(void)
{
	static const struct {
		const char *careless, *careful, *says;
	} cases[] = {
		{"CONFIG SET appendonly no", "CONFIG SET appendonly yes", "appendonly yes"},
		{"CONFIG SET appendfsync no", "CONFIG SET appendfsync everysec", "appendfsync everysec"},
		{"CONFIG SET no-appendfsync-on-rewrite yes", "CONFIG SET no-appendfsync-on-rewrite no",
		 "no-appendfsync-on-rewrite no"},
		{"CONFIG SET maxmemory 900mb maxmemory-policy allkeys-lru",
		 "CONFIG SET maxmemory 0 maxmemory-policy noeviction", "maxmemory-policy noeviction"},
		{"REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "replica"},
	};
	struct tg_error error;
	void *self = NULL;
	fresh();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		command(cases[i].careless);
		is_int(store_open(NULL, &self, &error), TG_ERR_CONFIG, "refused: %s", cases[i].careless);
		ok(strstr(error.message, cases[i].says) && !self, "says what to set: %s", error.message);
		command(cases[i].careful);
	}
	command("CONFIG SET maxmemory-policy allkeys-lru");
	is_int(store_open(NULL, &self, &error), TG_OK, "a policy without a limit drops nothing: %s", error.message);
	api->close(self);
	command("CONFIG SET maxmemory-policy noeviction");
}

static void settings_refused(void)
{
	static const struct {
		const char *changes, *says;
		int32_t status;
	} cases[] = {
		{"{\"port\": 1}", "cannot connect", TG_ERR_IO},
		{"{\"host\": \"no.such.host.invalid\"}", "cannot connect", TG_ERR_IO},
		{"{\"socket\": \"/no/such/socket\"}", "cannot connect", TG_ERR_IO},
		{"{\"database\": 999}", "no such database", TG_ERR_CONFIG},
		{"{\"port\": 0}", "port", TG_ERR_INVALID},
		{"{\"prefix\": \"\"}", "prefix", TG_ERR_INVALID},
		{"{\"username\": \"somebody\"}", "password_file", TG_ERR_INVALID},
		{"{\"password_file\": \"/no/such/file\"}", "/no/such/file", TG_ERR_NOT_FOUND},
		{"{\"password_file\": \"/dev/null\"}", "regular", TG_ERR_INVALID},
	};
	struct tg_error error;
	void *self = NULL;
	fresh();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		is_int(store_open(cases[i].changes, &self, &error), cases[i].status, "refused: %s", cases[i].changes);
		ok(strstr(error.message, cases[i].says) && !self, "says why: %s", error.message);
	}
}

const char *password_write(const char *password, mode_t mode)
{
	static char path[96];
	snprintf(path, sizeof path, "%s/password", dir);
	unlink(path);
	FILE *file = fopen(path, "w");
	if (!file || fprintf(file, "%s\n", password) < 0 || fclose(file) != 0 || chmod(path, mode) != 0)
		printf("Bail out! %s\n", path);
	return path;
}

static void users(void)
{
	struct tg_error error;
	struct tg_storage_status status = {.size = sizeof status};
	char changes[256], told[300];
	void *self = NULL;
	fresh();
	command("ACL SETUSER careful on >hunter22 ~* +@all -config");
	snprintf(changes, sizeof changes, "{\"username\": \"careful\", \"password_file\": \"%s\"}",
		 password_write("hunter22", 0644));
	is_int(store_open(changes, &self, &error), TG_ERR_AUTH, "a password that others may read: %s", error.message);
	password_write("hunter23", 0600);
	is_int(store_open(changes, &self, &error), TG_ERR_AUTH, "a wrong password: %s", error.message);
	ok(!strstr(error.message, "hunter"), "is not told");
	password_write("hunter22", 0600);
	is_int(store_open(changes, &self, &error), TG_ERR_CONFIG, "a user that may not ask: %s", error.message);
	ok(strstr(error.message, "CONFIG GET") && strstr(error.message, "appendfsync"), "hears of both ways out");
	snprintf(told, sizeof told, "{\"appendfsync\": \"everysec\", %s", changes + 1);
	self = opened(told);
	is_int(save(self, 1, &error), TG_OK, "and works once he is told");
	is_int(api->status(self, &status, &error), TG_OK, "what it is");
	ok(strncmp(status.server, "Redis ", 6) == 0 && status.cycles == 1 && status.bytes > 0, "%s, %s, %s",
	   status.server, status.location, status.durability);
	ok(!strstr(status.location, "hunter"), "without the password");
	api->close(self);
	command("ACL DELUSER careful");
}

static void schemas(void)
{
	struct tg_error error = tg_error_init();
	void *self = NULL;
	fresh();
	command("SET $cycles mine");
	store_open(NULL, &self, &error);
	is_int(api->migrate(self, NULL, NULL, &error), TG_ERR_CORRUPT, "keys of another program: %s", error.message);
	api->close(self);
	fresh();
	self = opened(NULL);
	command("HSET $meta schema 2");
	is_int(api->migrate(self, NULL, NULL, &error), TG_ERR_VERSION, "a newer schema: %s", error.message);
	is_int(save(self, 1, &error), TG_ERR_VERSION, "nor is anything written to it");
	command("DEL $meta");
	uint64_t id;
	is_int(save(self, 1, &error), TG_ERR_CORRUPT, "a store that was emptied under us: %s", error.message);
	is_int(api->slot_reserve(self, TG_STR("g"), TG_STR("a"), 1, 1, 1000, &id, &error), TG_ERR_CORRUPT,
	       "gives no slots");
	api->close(self);
}

static void odd_servers(void)
{
	static const struct {
		const char *answer;
		int32_t status;
		const char *what;
	} cases[] = {
		{"-ERR unknown command 'AUTH', with args beginning with: 'hunter22' \r\n", TG_ERR_AUTH,
		 "does not know AUTH"},
		{"-ERR Script killed by user with SCRIPT KILL... script: 69ff, on @user_script:1.\r\n",
		 TG_ERR_RETRYABLE, "has its script killed"},
		{"-ERR Error running script (call to f_69ff): @user_script:1: Script killed by user with SCRIPT KILL\r\n",
		 TG_ERR_RETRYABLE, "has its script killed, version 6"},
		{"-ERR The user executing the script can't run this command or subcommand script: 69ff, on @user_script:1.\r\n",
		 TG_ERR_AUTH, "refuses a script's command"},
		{"-ERR Error running script (call to f_69ff): @user_script:1: @user_script: 1: The user executing the script"
		 " can't access at least one of the keys mentioned in the command arguments\r\n",
		 TG_ERR_AUTH, "refuses a script's key, version 6"},
		{"-ERR ACL failure in script: User careful has no permissions to run the 'zadd' command script: 69ff, on"
		 " @user_script:1.\r\n",
		 TG_ERR_AUTH, "refuses a script's command, version 7.2"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct parrot parrot = {.answer = cases[i].answer};
		struct tg_error error;
		char changes[256];
		void *self = NULL;
		parrot_start(&parrot);
		snprintf(changes, sizeof changes, "{\"port\": %d, \"password_file\": \"%s\"}", parrot.port,
			 password_write("hunter22", 0600));
		is_int(store_open(changes, &self, &error), cases[i].status, "a server that %s: %s", cases[i].what,
		       error.message);
		ok(!strstr(error.message, "hunter"), "without the password");
		parrot_stop(&parrot);
	}
}

/* ------------------------------------------------------------ lost answers */

static void lost_answers(void)
{
	static const struct {
		enum proxy_act act;
		const char *more, *what, *rows; /* in the store after it */
	} cases[] = {
		{PROXY_CUT_BEFORE, "", "cut before the batch", "1 1"},
		{PROXY_CUT_AFTER, "", "cut before the answer", "2 2"},
		{PROXY_STALL, ",\"command_timeout_ms\":100", "no answer", "1 1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tg_error error;
		fresh();
		atomic_store(&proxy.until, "aof_enabled"); /* behind the change it is asked whether it is written */
		void *self = through_proxy(cases[i].more);
		is_int(save(self, 1, &error), TG_OK, "%s: the batch before", cases[i].what);
		proxy_arm(&proxy, cases[i].act, width < WIDE ? "EVALSHA" : "EXEC");
		is_int(save(self, 2, &error), TG_ERR_UNKNOWN_OUTCOME, "%s: unknown: %s", cases[i].what, error.message);
		is_int(api->ping(self, &error), TG_ERR_IO, "the instance knows that it is lost");
		is_int(save(self, 2, &error), TG_ERR_IO, "and does no more");
		api->close(self);
		is_str(counts(), cases[i].rows, "what is in the store");
		self = through_proxy("");
		is_int(save(self, 2, &error), TG_OK, "another repeats it");
		is_int((int64_t)stored(self), 2, "the position is reached");
		is_str(counts(), "2 2", "nothing lost, nothing twice");
		atomic_store(&proxy.until, NULL);
		proxy_arm(&proxy, PROXY_CUT_AFTER, "HGET");
		uint64_t position;
		is_int(api->stored_position(self, JOURNAL, &position, &error), TG_ERR_IO,
		       "of a lost reading nothing is in doubt");
		api->close(self);
	}
}

static void scripts_forgotten(void)
{
	struct tg_error error;
	uint64_t id = 0;
	fresh();
	void *self = opened(NULL);
	command("SCRIPT FLUSH");
	is_int(save(self, 1, &error), TG_OK, "a batch after SCRIPT FLUSH: %s", error.message);
	is_int(api->slot_reserve(self, TG_STR("g"), TG_STR("a"), 1, 1, 1000, &id, &error), 1, "a slot");
	is_str(finding(self), "none", "a check");
	is_str(counts(), "1 1", "all is there");
	api->close(self);
}

static void memory_short(void)
{
	struct tg_error error;
	fresh();
	void *self = opened(NULL);
	save(self, 1, &error);
	command("CONFIG SET maxmemory 1mb");
	is_int(save(self, 2, &error), TG_ERR_NO_MEMORY, "a server that is full: %s", error.message);
	ok(strstr(error.message, "maxmemory") && tg_status_may_pass(error.code), "what to do, and that it may pass");
	is_str(counts(), "1 1", "nothing of the batch is there");
	is_int((int64_t)stored(self), 1, "nor the position");
	command("CONFIG SET maxmemory 0");
	is_int(save(self, 2, &error), TG_OK, "with memory it goes on");
	is_str(counts(), "2 2", "whole");
	api->close(self);
}

static void turned_replica(void)
{
	struct tg_error error;
	fresh();
	void *self = opened(NULL);
	command("REPLICAOF 127.0.0.1 1");
	is_int(save(self, 1, &error), TG_ERR_CONFIG, "a server that has become a replica: %s", error.message);
	command("REPLICAOF NO ONE");
	is_int(save(self, 1, &error), TG_OK, "and is one no more");
	command("CONFIG SET appendonly no");
	is_int(save(self, 2, &error), TG_ERR_CONFIG, "a server that keeps no AOF any more: %s", error.message);
	api->close(self);
	command("CONFIG SET rdb-key-save-delay 100");
	command("CONFIG SET appendonly yes");
	self = opened(NULL);
	is_int(save(self, 2, &error), TG_OK,
	       "turned on again it is in force after its first rewrite, which is waited for");
	ok(order("kill") && order("start"), "kill -9");
	api->close(self);
	self = opened(NULL);
	is_int((int64_t)stored(self), 2, "the batch is there");
	api->close(self);
}

/* -------------------------------------------------------- servers that die */

#define KILLS 6

/* kill -9 while batches are being written, with each way to sync. */
static void killed(void)
{
	fresh();
	uint64_t next = 1;
	for (unsigned round = 0; round < KILLS; round++, next++) {
		command(round % 2 ? "CONFIG SET appendfsync always" : "CONFIG SET appendfsync everysec");
		void *self = killed_after((50 + 37 * round) / (width < WIDE ? 1 : 10), &next);
		char want[64];
		snprintf(want, sizeof want, "%llu %llu", (unsigned long long)next, (unsigned long long)next);
		is_str(counts(), want, "each batch is there once, whole");
		is_str(finding(self), "none", "and sound");
		api->close(self);
	}
}

static void slots_kept(void)
{
	struct tg_error error = tg_error_init();
	uint64_t ids[3] = {0};
	fresh();
	void *self = opened(NULL);
	is_int(api->slot_reserve(self, TG_STR("g"), TG_STR("a"), 3, 2, 600000, ids, &error), 2, "two slots");
	ok(order("kill") && order("start"), "kill -9 right behind it");
	api->close(self);
	self = opened(NULL);
	is_int(api->slot_reserve(self, TG_STR("g"), TG_STR("b"), 3, 3, 600000, ids, &error), 1, "are taken");
	const struct tg_str groups[] = {TG_STR("last"), TG_STR("groups"), TG_STR("slots-last")};
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		is_int(api->slot_reserve(self, groups[i], TG_STR("a"), 3, 2, 600000, ids, &error), 2,
		       "any group's name");
	api->close(self);
}

/* The position is stored at once and durable after a while, without anybody's doing. */
static void durability(void)
{
	struct tg_error error;
	fresh();
	command("CONFIG SET appendfsync everysec");
	void *self = opened(NULL);
	save(self, 7, &error);
	is_int((int64_t)stored(self), 7, "stored");
	is_int((int64_t)durable(self), 0, "with a sync every second not yet durable");
	while (durable(self) == 0)
		usleep(50000);
	is_int((int64_t)durable(self), 7, "then it is");
	command("CONFIG SET appendfsync always");
	save(self, 8, &error);
	is_int((int64_t)durable(self), 8, "at once where the server always syncs");
	command("CONFIG SET appendfsync no");
	uint64_t position = 0;
	is_int(api->durable_position(self, JOURNAL, &position, &error), TG_ERR_CONFIG, "never where it does not: %s",
	       error.message);
	command("CONFIG SET appendfsync everysec");
	api->close(self);
}

/* ----------------------------------------------------------------- damage */

struct found {
	const char *what;
	unsigned count;
};

static void found_note(void *ctx, struct tg_str text)
{
	struct found *found = ctx;
	found->count += memmem(text.ptr, text.len, found->what, strlen(found->what)) != NULL;
}

static void damage(void)
{
	static const struct {
		const char *command, *finding;
	} cases[] = {
		{"ZREM $cycles:ids c1", "cycle c1: not in the index of all"},
		{"HDEL $cycles c1", "order without cycle: o1 of cycle c1"},
		{"ZREM $cycles:open c1", "cycle c1: is open"},
		{"ZADD $cycles:closed 5 c1", "cycle c1: is open"},
		{"ZADD $orders:ids 0 o9", "orders:ids has a row that is not there: o9"},
		{"HSET $orders:progress o9 x", "progress of an order that is not there: o9"},
		{"HSET $cycles:progress c1 x", "'c1' is damaged"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tg_error error;
		struct found found = {cases[i].finding, 0};
		fresh();
		void *self = opened(NULL);
		save(self, 1, &error);
		is_str(finding(self), "none", "a sound store");
		command(cases[i].command);
		int32_t count = api->check(self, found_note, &found, &error);
		ok(count > 0 && found.count == 1, "%s: %s", cases[i].command, cases[i].finding);
		api->close(self);
	}
}

int main(int argc, char **argv)
{
	if (!backend_start(argc, argv, "prefix"))
		return 1;
	snprintf(dir, sizeof dir, "/tmp/trigate-redis-XXXXXX");
	if (!mkdtemp(dir)) {
		printf("Bail out! %s cannot be made\n", dir);
		return 1;
	}
	servers_refused();
	settings_refused();
	users();
	schemas();
	odd_servers();
	for (width = 1; width <= WIDE; width += WIDE - 1) {
		lost_answers();
		scripts_forgotten();
		memory_short();
		turned_replica();
		killed();
	}
	width = WIDE;
	large_batches();
	width = 1;
	slots_kept();
	durability();
	damage();
	backend_stop();
	char remove[96];
	snprintf(remove, sizeof remove, "rm -rf '%s'", dir);
	return system(remove) == 0 ? tap_done() : 1;
}
