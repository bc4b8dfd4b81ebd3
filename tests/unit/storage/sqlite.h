/* What the parts of the SQLite store's test share: the plugin, one file in a folder of its own. */
#ifndef TRIGATE_TESTS_STORAGE_SQLITE_H
#define TRIGATE_TESTS_STORAGE_SQLITE_H

#include <sqlite3.h>

#include <trigate/error.h>
#include <trigate/storage.h>

#include "tap.h"

extern const struct tg_storage_api *api;
extern char dir[64], file[96];

struct tg_str dir_text(void);
void *file_open(const char *synchronous); /* NULL: the default; not migrated */
int32_t opened(struct tg_error *error);   /* open, migrate, close */
void execute(const char *sql);            /* on the file, by SQLite itself */
int64_t number(const char *sql);
void file_remove(void);      /* with all that lies beside it */
void version_1_make(void);   /* a file of schema version 1, with rows */
size_t beside(const char *); /* how many files beside it end so */

/* Texts that were told, joined. */
struct lines {
	unsigned count;
	char text[2048];
};
void line_note(void *ctx, struct tg_str line);

/* One cycle in a batch of journal a1b2; how many cycles there are. */
int32_t cycle_put(void *self, uint64_t position, const char *id, struct tg_error *error);
int cycles(void *self);
uint64_t stored(void *self);

/* The parts. */
void sqlite_schema(void);
void sqlite_disk(void);
void sqlite_copies(void);

#endif
