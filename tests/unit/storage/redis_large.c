/* Batches that are so large that the store looks before it writes, and writes by plain commands: everything they may
 * hold, what is left to the script, and what happens between the look and the writing. */
#include "tests/unit/storage/redis.h"

/* How often a command was carried out, by anybody. */
static long calls(const char *name)
{
	static char answer[1 << 15];
	char line[64];
	snprintf(line, sizeof line, "cmdstat_%s:calls=", name);
	server_order("sql INFO commandstats", answer, sizeof answer);
	const char *at = strstr(answer, line);
	return at ? atol(at + strlen(line)) : 0;
}

/* Beside the rows of saving, of which the last but `more` are new. */
static void record_add(struct saving *saving, int32_t kind, const void *row)
{
	saving->records[saving->batch.count++] = (struct tg_record){kind, 0, row};
}

/* Everything that a batch may hold, on rows that a batch before has made. */
static void short_way(void)
{
	struct tg_error error;
	struct saving saving;
	struct tg_cycle_progress ended = {sizeof ended, 3, TG_STR("c1"), TG_STR("completed"), .closed_ns = 7};
	struct tg_cycle_progress on = {sizeof on, 1, TG_STR("c1.0001"), TG_STR("active")};
	struct tg_order_progress filled = {sizeof filled, 0, TG_STR("o1"), TG_STR("x1"), TG_STR("filled")};
	struct tg_order_row another = {
		.size = sizeof another, .client_id = TG_STR("o1b"), .cycle_id = TG_STR("c1.0001")};
	struct tg_fill_row fill = {.size = sizeof fill, .client_id = TG_STR("o1"), .fill_id = TG_STR("f")};
	struct tg_event_row of = {sizeof of, 0, 5, 1, JOURNAL, TG_STR("odd"), TG_STR("c1"), TG_STR(""), TG_STR("")};
	struct tg_event_row loose = {sizeof of, 0, 6, 1, JOURNAL, TG_STR("start"), TG_STR(""), TG_STR(""), TG_STR("")};
	fresh();
	void *self = opened(NULL);
	long before = calls("exec"), scripts = calls("evalsha");
	is_int(save(self, 1, &error), TG_OK, "a large batch of new rows: %s", error.message);
	saving_make(&saving, 2);
	record_add(&saving, TG_ROW_CYCLE_PROGRESS, &ended);
	record_add(&saving, TG_ROW_CYCLE_PROGRESS, &on);
	record_add(&saving, TG_ROW_ORDER_PROGRESS, &filled);
	record_add(&saving, TG_ROW_ORDER, &another);
	record_add(&saving, TG_ROW_FILL, &fill);
	record_add(&saving, TG_ROW_EVENT, &of);
	record_add(&saving, TG_ROW_EVENT, &loose);
	is_int(saving_apply(self, &saving, &error), TG_OK, "one of all kinds of rows: %s", error.message);
	is_int(calls("exec") - before, 2, "each is a transaction");
	is_int(calls("evalsha") - scripts, 2, "with no script but that of its end");
	is_int((int64_t)stored(self), 2, "with its position");
	is_str(finding(self), "none", "and all of it sound");
	is_str(command("ZRANGE $cycles:closed 0 -1"), "c1", "the one that ended is closed");
	is_int(atol(command("ZCARD $cycles:open")), 2 * WIDE - 1, "the others are open");
	is_int(atol(command("HLEN $fills")) + atol(command("HLEN $events")), 3, "with fill and events");
	is_int(save(self, 2, &error), TG_OK, "the same position again");
	is_int(atol(command("HLEN $orders")), 2 * WIDE + 1, "changes nothing");
	api->close(self);

	self = opened(NULL);
	struct tg_order_row late = {.size = sizeof late, .client_id = TG_STR("o9"), .cycle_id = TG_STR("c1.0001")};
	record_add(saving_make(&saving, 3), TG_ROW_ORDER, &late);
	is_int(saving_apply(self, &saving, &error), TG_OK, "an order whose key is far behind the others");
	before = calls("exec"), scripts = calls("evalsha");
	late.client_id = TG_STR("o99");
	record_add(saving_make(&saving, 4), TG_ROW_ORDER, &late);
	is_int(saving_apply(self, &saving, &error), TG_OK, "is between those that are new the next time");
	is_int(save(self, 5, &error), TG_OK, "and not the time after");
	is_int(calls("exec") - before, 2, "each is a transaction");
	is_int(calls("evalsha") - scripts, 2, "with no script but that of its end");
	is_str(finding(self), "none", "and sound");
	saving_make(&saving, 6)->batch.flags = TG_BATCH_AFTER;
	saving.batch.after = 4;
	is_int(saving_apply(self, &saving, &error), TG_ERR_REJECTED, "one for a store that stands elsewhere: %s",
	       error.message);
	is_int((int64_t)stored(self), 5, "is not applied");
	api->close(self);
	self = opened(NULL);
	before = calls("exec");
	saving.batch.after = 5;
	is_int(saving_apply(self, &saving, &error), TG_OK, "for this one it is: %s", error.message);
	is_int(calls("exec") - before, 1, "in a transaction");
	is_str(finding(self), "none", "and sound");
	api->close(self);
}

/* What is out of the ordinary in a batch, or in the store: all of it has the outcome that a small one has. */
static void left_to_the_script(void)
{
	struct tg_cycle_row again = {.size = sizeof again, .id = TG_STR("c1"), .closed_ns = 5};
	struct tg_order_row moved = {.size = sizeof moved, .client_id = TG_STR("o1"), .cycle_id = TG_STR("c1.0001")};
	struct tg_order_row orphan = {.size = sizeof orphan, .client_id = TG_STR("o"), .cycle_id = TG_STR("none")};
	struct tg_order_progress early = {sizeof early, 0, TG_STR("none"), TG_STR(""), TG_STR("filled")};
	struct tg_order_row unsound = {.size = sizeof unsound, .client_id = TG_STR("o"), .state = {"a\0b", 3}};
	const struct {
		const char *what, *command;
		struct tg_record more;
		int32_t status;
	} cases[] = {
		{"a cycle that was there", NULL, {TG_ROW_CYCLE, 0, &again}, TG_OK},
		{"an order under another cycle", NULL, {TG_ROW_ORDER, 0, &moved}, TG_OK},
		{"an order of no cycle that is there", NULL, {TG_ROW_ORDER, 0, &orphan}, TG_ERR_INVALID},
		{"progress of no order that is there", NULL, {TG_ROW_ORDER_PROGRESS, 0, &early}, TG_ERR_INVALID},
		{"a row that is not sound", NULL, {TG_ROW_ORDER, 0, &unsound}, TG_ERR_INVALID},
		{"a newer schema", "HSET $meta schema 2", {0}, TG_ERR_VERSION},
		{"a store that was emptied", "DEL $meta", {0}, TG_ERR_CORRUPT},
		{"a key of another program", "SET $orders:of mine", {0}, TG_ERR_CORRUPT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tg_error error;
		struct saving saving;
		fresh();
		void *self = opened(NULL);
		save(self, 1, &error);
		if (cases[i].command && strncmp(cases[i].command, "SET", 3) == 0)
			command("DEL $orders:of");
		if (cases[i].command)
			command(cases[i].command);
		saving_make(&saving, 2);
		if (!cases[i].command)
			record_add(&saving, cases[i].more.kind, cases[i].more.row);
		is_int(saving_apply(self, &saving, &error), cases[i].status, "%s: %s", cases[i].what, error.message);
		is_int(atol(command("HGET $positions a1b2")), cases[i].status == TG_OK ? 2 : 1, "and its position");
		if (!cases[i].command) {
			is_str(counts(), cases[i].status == TG_OK ? "2 2" : "1 1", "all or nothing of it");
			is_str(finding(self), "none", "sound");
			is_int(save(self, 3, &error), TG_OK, "the next one goes on");
		}
		api->close(self);
	}
}

static void *rival;
static int32_t rival_status;

/* The same orders under other cycles, from another gateway. */
static void rival_save(void)
{
	struct tg_error error;
	struct saving saving;
	saving_make(&saving, 2)->batch.journal = TG_STR("ffff");
	for (unsigned i = 0; i < width; i++)
		saving.orders[i].cycle_id = TG_STR("c1");
	rival_status = saving_apply(rival, &saving, &error);
}

/* Somebody writes between the look and its batch: then it is not applied as it was looked at. */
static void looks_again(void)
{
	struct tg_error error;
	fresh();
	void *self = through_proxy("");
	rival = opened(NULL);
	save(self, 1, &error);
	atomic_store(&proxy.meanwhile, rival_save);
	proxy_arm(&proxy, PROXY_MEANWHILE, "EXEC");
	is_int(save(self, 2, &error), TG_OK, "a batch that another one came before: %s", error.message);
	is_int(rival_status, TG_OK, "the other one, too");
	is_int((int64_t)stored(self), 2, "its position");
	is_str(counts(), "2 2", "each row once");
	is_str(finding(self), "none", "and sound");
	is_int(save(self, 3, &error), TG_OK, "and so goes on");
	api->close(rival);
	api->close(self);
}

/* A user may have no right to all that a transaction takes: his batches are applied all the same, none in part. */
static void rights_missing(void)
{
	static const char *const rights[] = {"-@transaction", "-multi", "-watch", "-exec", "-discard"};
	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
		struct tg_error error;
		char words[128], changes[256];
		fresh();
		void *self = opened(NULL);
		api->close(self);
		snprintf(words, sizeof words, "ACL SETUSER narrow on >hunter22 ~* +@all %s", rights[i]);
		command(words);
		snprintf(changes, sizeof changes, "{\"username\": \"narrow\", \"password_file\": \"%s\"}",
			 password_write("hunter22", 0600));
		self = opened(changes);
		is_int(save(self, 1, &error), TG_OK, "with %s: %s", rights[i], error.message);
		is_str(counts(), "1 1", "all of it");
		is_int((int64_t)stored(self), 1, "with its position");
		api->close(self);
		command("ACL DELUSER narrow");
	}
}

static const char *revoked;

/* The batch's commands are queued, and what was sent of EXEC waits for its rest. */
static void right_revoke(void)
{
	char answer[1 << 12] = "", words[64];
	while (!strstr(answer, "multi=7"))
		server_order("sql CLIENT LIST", answer, sizeof answer);
	snprintf(words, sizeof words, "ACL SETUSER narrow %s", revoked);
	command(words);
}

/* EXEC goes on behind a command that the user may no longer give: the position then stays where it was. */
static void rights_revoked(void)
{
	static const char *const rights[] = {"-zadd", "-hset", "-@write", "-evalsha", "resetkeys", "-zrem"};
	command("ACL SETUSER narrow on >hunter22");
	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
		struct tg_error error;
		char more[128];
		fresh();
		command("ACL SETUSER narrow resetkeys ~* +@all");
		snprintf(more, sizeof more, ",\"username\": \"narrow\", \"password_file\": \"%s\"",
			 password_write("hunter22", 0600));
		void *self = through_proxy(more);
		is_int(save(self, 1, &error), TG_OK, "a large batch before %s: %s", rights[i], error.message);
		revoked = rights[i];
		atomic_store(&proxy.meanwhile, right_revoke);
		proxy_arm(&proxy, PROXY_MEANWHILE, "EXEC");
		int32_t status = save(self, 2, &error);
		ok(status == TG_ERR_AUTH || (status == TG_OK && strcmp(rights[i], "-zrem") == 0),
		   "a right that is revoked while one is made is told of: %d, %s", status, error.message);
		is_int(atol(command("HGET $positions a1b2")), status == TG_OK ? 2 : 1, "and the position stands");
		command("ACL SETUSER narrow ~* +@all");
		is_int(save(self, 2, &error), TG_OK, "with the right it goes on: %s", error.message);
		is_str(counts(), "2 2", "all of it is there");
		is_str(finding(self), "none", "and sound");
		is_int((int64_t)stored(self), 2, "with its position");
		api->close(self);
	}
	command("ACL DELUSER narrow");
}

static int32_t key_count(void *ctx, int32_t kind, const void *row)
{
	(void)kind;
	(void)row;
	++*(unsigned *)ctx;
	return 0;
}

#define MANY 9000

/* More rows than one call of a script can name. */
static void large_batch(void)
{
	static struct tg_cycle_row cycles[MANY];
	static struct tg_order_row orders[MANY];
	static struct tg_record records[2 * MANY];
	static char ids[MANY][2][16];
	struct tg_error error = tg_error_init();
	fresh();
	void *self = opened(NULL);
	for (unsigned i = 0; i < MANY; i++) {
		struct tg_str id = {ids[i][0], (uint64_t)snprintf(ids[i][0], sizeof ids[i][0], "c%06u", i)};
		cycles[i] = (struct tg_cycle_row){.size = sizeof *cycles, .id = id};
		orders[i] = (struct tg_order_row){.size = sizeof *orders, .cycle_id = id};
		orders[i].client_id.ptr = ids[i][1];
		orders[i].client_id.len = (uint64_t)snprintf(ids[i][1], sizeof ids[i][1], "o%06u", MANY - i);
		records[2 * i] = (struct tg_record){TG_ROW_ORDER, 0, &orders[i]};
		records[2 * i + 1] = (struct tg_record){TG_ROW_CYCLE, 0, &cycles[i]};
	}
	struct tg_batch batch = {sizeof batch, 2 * MANY, records, 1, JOURNAL};
	orders[MANY - 1].state = (struct tg_str){"a\0b", 3};
	is_int(api->apply(self, &batch, &error), TG_ERR_INVALID, "not with an unsound one at the end: %s",
	       error.message);
	is_str(counts(), "0 0", "nothing of it is there");
	orders[MANY - 1].state = TG_STR("");
	is_int(api->apply(self, &batch, &error), TG_OK, "%d rows in a batch: %s", 2 * MANY, error.message);
	is_str(finding(self), "none", "all of it sound");
	unsigned count = 0;
	struct tg_load what = {sizeof what, TG_ROW_ORDER, TG_STR(""), TG_STR(""), 10000, TG_LOAD_OPEN};
	is_int(api->load(self, &what, key_count, &count, &error), MANY, "and loaded at once");
	is_int(count, MANY, "each row");
	for (unsigned i = 0; i < MANY; i++)
		cycles[i].closed_ns = 1 + i;
	batch.position = 2;
	is_int(api->apply(self, &batch, &error), TG_OK, "the same, closed");
	is_int(api->load(self, &what, key_count, &count, &error), 0, "nothing is open");
	is_int(api->cleanup(self, INT64_MAX, MANY, &error), MANY, "all are removed");
	is_str(counts(), "0 0", "with their orders");
	is_str(finding(self), "none", "and nothing is left behind");
	api->close(self);
}

void large_batches(void)
{
	short_way();
	left_to_the_script();
	looks_again();
	rights_missing();
	rights_revoked();
	large_batch();
}
