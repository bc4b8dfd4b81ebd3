/* What only the SQLite store can show: its file. The module's path is the first argument. */
#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trigate/error.h>
#include <trigate/storage.h>

#include "tap.h"

static const struct tg_storage_api *api;
static char dir[64], file[96];

static struct tg_str dir_text(void)
{
	return (struct tg_str){dir, strlen(dir)};
}

static int32_t opened(struct tg_error *error)
{
	void *self = NULL;
	*error = tg_error_init();
	int32_t status = api->open(NULL, NULL, dir_text(), &self, error);
	if (status == TG_OK)
		status = api->migrate(self, NULL, NULL, error);
	api->close(self);
	return status;
}

static void execute(const char *sql)
{
	sqlite3 *db = NULL;
	if (sqlite3_open(file, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		abort();
	sqlite3_close(db);
}

static void file_remove(void)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char path[128];
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s%s", file, ends[i]);
		unlink(path);
	}
}

struct findings {
	unsigned count;
	char text[2048];
};

static void note(void *ctx, struct tg_str finding)
{
	struct findings *findings = ctx;
	size_t used = strlen(findings->text);
	findings->count++;
	snprintf(findings->text + used, sizeof findings->text - used, "%.*s\n", (int)finding.len, finding.ptr);
}

static void check_findings(struct findings *findings)
{
	void *self = NULL;
	*findings = (struct findings){0};
	if (api->open(NULL, NULL, dir_text(), &self, NULL) == TG_OK)
		api->check(self, note, findings, NULL);
	api->close(self);
}

static void versions(void)
{
	struct tg_error error;
	struct stat info;
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
	struct findings findings;
	char noise[8192];
	opened(&error);
	execute("INSERT INTO orders VALUES ('o1','nocycle','','m',1,'live','forward','',0,0,2,'1','1','0','0',1,1);"
		"INSERT INTO fills VALUES ('noorder','1','1','1','0','BNB',1);");
	check_findings(&findings);
	ok(strstr(findings.text, "order without cycle: o1 of cycle nocycle"), "an orphan order is found");
	ok(strstr(findings.text, "fill without order: noorder/1"), "an orphan fill is found");

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
	another_boot();
	rmdir(dir);
	return tap_done();
}
