/* A copy of the whole file while it is in use, page by page from one snapshot: writers go on meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage/sqlite/store.h"

#define STEP_PAGES 1024 /* 4 MiB at a time */

/* Made here so that it is for its owner alone, whatever the umask, and so that nothing is written over. */
static int32_t target_create(const char *path, struct tg_error *ret_error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return tg_error_set(ret_error, TG_ERR_EXISTS, "%s: is there already; name another file", path);
	if (fd < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot create: %s", path, strerror(errno));
	close(fd);
	return TG_OK;
}

/* Steps until all is copied; a line each tenth. */
static int32_t pages_copy(sqlite3_backup *backup, tg_note_fn note, void *ctx)
{
	int result, told = 0;

	while ((result = sqlite3_backup_step(backup, STEP_PAGES)) == SQLITE_OK) {
		int total = sqlite3_backup_pagecount(backup);
		int64_t done = total - sqlite3_backup_remaining(backup);
		int tenth = total > 0 ? (int)(10 * done / total) : 0;
		if (tenth > told)
			note_line(note, ctx, "copied %lld of %d pages", (long long)done, total);
		told = tenth;
	}
	return result;
}

static int32_t store_to_target(struct store *from, sqlite3 *to, const char *path, tg_note_fn note, void *ctx,
			       struct tg_error *ret_error)
{
	/* A transaction of our own: without it each write of another connection would start the copy over. */
	int32_t status = store_execute(from, "BEGIN; SELECT count(*) FROM sqlite_schema", "read", ret_error);
	sqlite3_backup *backup = status == TG_OK ? sqlite3_backup_init(to, "main", from->db, "main") : NULL;
	if (backup) {
		pages_copy(backup, note, ctx);
		sqlite3_backup_finish(backup);
	}
	if (status == TG_OK && sqlite3_errcode(to) != SQLITE_OK)
		status = sqlite_failure(to, path, "copy the store", ret_error);
	sqlite3_exec(from->db, "COMMIT", NULL, NULL, NULL); /* nothing was written: it cannot fail */
	return status;
}

int32_t store_copy(struct store *store, const char *path, tg_note_fn note, void *ctx, struct tg_error *ret_error)
{
	sqlite3 *to = NULL;
	int32_t status = store_connect(store, ret_error);

	if (status == TG_OK)
		status = target_create(path, ret_error);
	if (status != TG_OK)
		return status;
	if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) !=
	    SQLITE_OK)
		status = to ? sqlite_failure(to, path, "open", ret_error)
			    : tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	if (status == TG_OK)
		status = store_to_target(store, to, path, note, ctx, ret_error);
	sqlite3_close(to);
	if (status != TG_OK)
		unlink(path);
	return status;
}
