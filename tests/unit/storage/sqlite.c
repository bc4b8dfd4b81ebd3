/* What only the SQLite store can show: its file. The module's path is the first argument. */
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/unit/storage/sqlite.h"

const struct tg_storage_api *api;
char dir[64], file[96];

struct tg_str dir_text(void)
{
	return (struct tg_str){dir, strlen(dir)};
}

static int32_t text_get(const struct tg_config *config, struct tg_str path, struct tg_str *ret_value)
{
	if (path.len != 11 || memcmp(path.ptr, "synchronous", 11) != 0)
		return TG_ERR_NOT_FOUND;
	*ret_value = (struct tg_str){config->ctx, strlen(config->ctx)};
	return TG_OK;
}

void *file_open(const char *synchronous)
{
	struct tg_config config = {.size = sizeof config, .ctx = synchronous, .get_text = text_get};
	void *self = NULL;
	if (api->open(NULL, synchronous ? &config : NULL, dir_text(), &self, NULL) != TG_OK)
		abort();
	return self;
}

int32_t opened(struct tg_error *error)
{
	void *self = NULL;
	*error = tg_error_init();
	int32_t status = api->open(NULL, NULL, dir_text(), &self, error);
	if (status == TG_OK)
		status = api->migrate(self, NULL, NULL, error);
	api->close(self);
	return status;
}

void execute(const char *sql)
{
	sqlite3 *db = NULL;
	if (sqlite3_open(file, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		abort();
	sqlite3_close(db);
}

int64_t number(const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t value = -1;
	if (sqlite3_open(file, &db) == SQLITE_OK && sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

void file_remove(void)
{
	folder_empty(dir);
}

void line_note(void *ctx, struct tg_str line)
{
	struct lines *lines = ctx;
	size_t used = strlen(lines->text);
	lines->count++;
	snprintf(lines->text + used, sizeof lines->text - used, "%.*s\n", (int)line.len, line.ptr);
}

int32_t cycle_put(void *self, uint64_t position, const char *id, struct tg_error *error)
{
	struct tg_cycle_row row = {.size = sizeof row, .id = {id, strlen(id)}};
	struct tg_record record = {TG_ROW_CYCLE, 0, &row};
	struct tg_batch batch = {sizeof batch, 1, &record, position, TG_STR("a1b2")};
	*error = tg_error_init();
	return api->apply(self, &batch, error);
}

static int32_t pass(void *ctx, int32_t kind, const void *row)
{
	(void)ctx;
	(void)kind;
	(void)row;
	return 0;
}

int cycles(void *self)
{
	struct tg_load what = {.size = sizeof what, .kind = TG_ROW_CYCLE, .limit = 10000};
	return api->load(self, &what, pass, NULL, NULL);
}

uint64_t stored(void *self)
{
	uint64_t position = UINT64_MAX;
	api->stored_position(self, TG_STR("a1b2"), &position, NULL);
	return position;
}

static void check_findings(struct lines *findings)
{
	void *self = NULL;
	*findings = (struct lines){0};
	if (api->open(NULL, NULL, dir_text(), &self, NULL) == TG_OK)
		api->check(self, line_note, findings, NULL);
	api->close(self);
}

static void versions(void)
{
	struct tg_error error;
	struct stat info;
	void *self = file_open(NULL);
	ok(stat(file, &info) != 0, "opening makes no file");
	is_int(cycle_put(self, 1, "c", &error), TG_ERR_NOT_FOUND, "a batch into none is refused");
	ok(strstr(error.message, "store migrate") != NULL, "with what to do: %s", error.message);
	api->close(self);
	is_int(opened(&error), 1, "a new file");
	is_int(stat(file, &info) == 0 ? info.st_mode & 07777 : 0, 0600, "is for its owner alone");
	is_int(opened(&error), TG_OK, "opened again");
	execute("PRAGMA user_version = 3");
	is_int(opened(&error), TG_ERR_VERSION, "a newer schema is refused");
	ok(strstr(error.message, "version 3") != NULL, "with a message: %s", error.message);
	file_remove();
	execute("CREATE TABLE foreign_thing (x)");
	is_int(opened(&error), TG_ERR_CORRUPT, "another program's database is refused");
	ok(error.message_len > 0, "with a message: %s", error.message);
	file_remove();
}

static void damage(void)
{
	struct tg_error error;
	struct lines findings;
	char noise[8192];
	opened(&error);
	execute("INSERT INTO orders VALUES ('o1','nocycle','','m',1,'live','forward','',0,0,2,'1','1','0','0',1,1);"
		"INSERT INTO fills VALUES ('noorder','1','1','1','0','BNB',1);");
	check_findings(&findings);
	ok(strstr(findings.text, "order without cycle: o1 of cycle nocycle"), "an orphan order is found");
	ok(strstr(findings.text, "fill without order: noorder/1"), "an orphan fill is found");
	execute("DELETE FROM fills; UPDATE orders SET cycle_id = NULL, price = '1e5';"
		"INSERT INTO fills VALUES ('o1','1','1','','0','BNB',1), ('o1','2','1','-1.5','0','BNB',1);"
		"INSERT INTO cycles (id, strategy, exchange, state, route, currency, step, planned_in, planned_out,"
		" amount_in, amount_out, profit, deltas, reason, opened_ns, closed_ns)"
		" VALUES ('c1','','','','','',0,'0','0','0','0','1.2.3','','',1,1)");
	check_findings(&findings);
	is_int(findings.count, 3, "so are numbers that are none");
	is_str(findings.text, "no number in cycle: c1\nno number in order: o1\nno number in fill: o1/1\n",
	       "by their rows");

	int fd = open(file, O_WRONLY);
	memset(noise, 0xa5, sizeof noise);
	ok(fd >= 0 && pwrite(fd, noise, sizeof noise, 8192) == (ssize_t)sizeof noise, "pages are overwritten");
	close(fd);
	check_findings(&findings);
	ok(findings.count > 0 && strstr(findings.text, "integrity"), "a damaged file is found");

	fd = open(file, O_WRONLY);
	ok(fd >= 0 && pwrite(fd, noise, sizeof noise, 0) == (ssize_t)sizeof noise, "the header is overwritten");
	close(fd);
	is_int(opened(&error), TG_ERR_CORRUPT, "a file that is no database is refused");
	ok(strstr(error.message, "backup"), "with what to do: %s", error.message);
	file_remove();
}

static void bad_place(void)
{
	struct tg_error error;
	is_int(mkdir(file, 0700), 0, "a folder in the file's place");
	is_int(opened(&error), TG_ERR_IO, "is refused");
	ok(error.message_len > 0, "with a message: %s", error.message);
	rmdir(file);
}

static int32_t slot_ignore(void *ctx, const struct tg_slot *slot)
{
	(void)ctx;
	(void)slot;
	return 0;
}

/* Restored under a running gateway: what goes into the file that is no longer there would be lost. */
static void replaced(void)
{
	struct tg_error error;
	char away[128];
	snprintf(away, sizeof away, "%s.away", file);
	uint64_t id, held = 0, durable = 0;
	struct tg_str group = TG_STR("g"), owner = TG_STR("a");
	opened(&error);
	void *self = file_open(NULL);
	is_int(api->ping(self, &error), TG_OK, "a file in its place");
	cycle_put(self, 1, "c1", &error);
	api->slot_reserve(self, group, owner, 1, 1, 60000, &held, &error);
	is_int(rename(file, away), 0, "moved away");
	is_int(api->ping(self, &error), TG_ERR_IO, "is told by ping");
	opened(&error);
	is_int(api->ping(self, &error), TG_ERR_IO, "another in its place too: %s", error.message);
	is_int(cycle_put(self, 2, "c2", &error), TG_ERR_IO, "and nothing is written to the one that nobody looks for");
	is_int(api->slot_reserve(self, group, owner, 1, 1, 1000, &id, &error), TG_ERR_IO,
	       "nor is a slot given that others cannot see");
	is_int(api->slot_renew(self, group, owner, 60000, &error), TG_ERR_IO, "or confirmed, that others may have");
	is_int(api->slot_release(self, group, owner, held, &error), TG_ERR_IO, "or taken back");
	is_int(api->slot_list(self, group, slot_ignore, NULL, &error), TG_ERR_IO, "or told of");
	is_int(api->durable_position(self, TG_STR("a1b2"), &durable, &error), TG_ERR_IO,
	       "nor does its position say that the journal is needed no more");
	is_int(api->stored_position(self, TG_STR("a1b2"), &durable, &error), TG_ERR_IO, "or where the store stands");
	api->close(self);
	file_remove();
}

static void another_boot(void)
{
	void *self = NULL;
	uint64_t id = 0, again = 0;
	struct tg_str group = TG_STR("g"), owner = TG_STR("a"), other = TG_STR("b");
	struct tg_error error;
	opened(&error);
	api->open(NULL, NULL, dir_text(), &self, NULL);
	is_int(api->slot_reserve(self, group, owner, 1, 1, 3600000, &id, NULL), 1, "a slot for an hour");
	execute("UPDATE slots SET boot = 'earlier'");
	is_int(api->slot_renew(self, group, owner, 1000, NULL), 0, "expired with the boot it was taken in");
	is_int(api->slot_reserve(self, group, other, 1, 1, 1000, &again, NULL), 0, "but counts for others");
	is_int(api->slot_reserve(self, group, owner, 1, 1, 1000, &again, NULL), 1, "its owner has it back");
	ok(again == id, "under its id");
	api->close(self);
	file_remove();
}

int main(int argc, char **argv)
{
	void *module = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	const struct tg_entry *entry = module ? dlsym(module, "tg_plugin_entry") : NULL;
	if (!entry)
		return 99;
	api = entry->api;
	snprintf(dir, sizeof dir, "/tmp/trigate-sqlite-XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	snprintf(file, sizeof file, "%s/trigate.db", dir);
	versions();
	damage();
	bad_place();
	replaced();
	another_boot();
	sqlite_schema();
	sqlite_copies();
	sqlite_disk();
	rmdir(dir);
	return tap_done();
}
