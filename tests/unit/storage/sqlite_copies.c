/* The SQLite store: copies of a file in use. */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/storage/sqlite.h"

static int32_t backup(void *self, const char *path, struct lines *lines, struct tg_error *error)
{
	const struct tg_storage_backup *extension = api->extension(self, TG_STR(TG_STORAGE_BACKUP));
	*error = tg_error_init();
	return extension->backup(self, (struct tg_str){path, strlen(path)}, line_note, lines, error);
}

/* Writes while the copy goes on: told by its lines. */
struct writing {
	void *writer;
	unsigned lines;
	int32_t status;
};

static void write_meanwhile(void *ctx, struct tg_str line)
{
	struct writing *writing = ctx;
	struct tg_error error;
	(void)line;
	if (writing->status == TG_OK)
		writing->status = cycle_put(writing->writer, 2 + writing->lines, "late", &error);
	writing->lines++;
}

void sqlite_copies(void)
{
	struct tg_error error;
	struct lines lines = {0};
	struct stat info;
	char copy[128], elsewhere[128];
	opened(&error);
	void *self = file_open(NULL), *other = file_open(NULL);
	snprintf(copy, sizeof copy, "%s/copy.db", dir);
	snprintf(elsewhere, sizeof elsewhere, "%s/none/copy.db", dir);
	cycle_put(self, 1, "early", &error);
	is_int(backup(self, elsewhere, &lines, &error), TG_ERR_IO, "a folder that is not there: %s", error.message);
	is_int(backup(self, "", &lines, &error), TG_ERR_INVALID, "no path");
	execute("CREATE TABLE bulk (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)"
		" INSERT INTO bulk SELECT zeroblob(4000) FROM n");
	struct writing writing = {.writer = other};
	const struct tg_storage_backup *extension = api->extension(self, TG_STR(TG_STORAGE_BACKUP));
	is_int(extension->backup(self, (struct tg_str){copy, strlen(copy)}, write_meanwhile, &writing, &error), TG_OK,
	       "a copy");
	ok(writing.lines >= 4, "tells how far it is (%u times)", writing.lines);
	is_int(writing.status, TG_OK, "and another instance writes meanwhile");
	is_int(stat(copy, &info) == 0 ? info.st_mode & 07777 : 0, 0600, "it is for its owner alone");
	is_int(backup(self, copy, &lines, &error), TG_ERR_EXISTS, "it is not written over: %s", error.message);
	is_int(cycles(self), 2, "the store has what came meanwhile");
	api->close(other);
	api->close(self);
	is_int(rename(copy, file), 0, "the copy in the store's place");
	snprintf(copy, sizeof copy, "%s-wal", file);
	unlink(copy);
	is_int(opened(&error), 0, "is a store of the current schema");
	self = file_open(NULL);
	is_int(cycles(self), 1, "as it was when the copy began");
	is_int(stored(self), 1, "with its position");
	is_int(api->check(self, line_note, &lines, NULL), 0, "and sound");
	api->close(self);
	file_remove();
}
