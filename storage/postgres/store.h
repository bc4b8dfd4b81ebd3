/* One instance of the plugin: a session on a server, and what the files of this plugin share. Calls never overlap. */
#ifndef TRIGATE_STORAGE_POSTGRES_STORE_H
#define TRIGATE_STORAGE_POSTGRES_STORE_H

#include "storage/postgres/changes.h"
#include "storage/postgres/columns.h"
#include "storage/postgres/session.h"

#define SCHEMA_NAME_MAX 63 /* bytes of a name in PostgreSQL */

struct store {
	struct session session;
	struct columns columns;
	struct changes changes;
	bool as_new;      /* the batch in hand inserts its cycles and orders as new */
	uint32_t upserts; /* so many batches more do not, because one met rows that were there */
	char schema[SCHEMA_NAME_MAX + 1];
};

/* Refuses a text that PostgreSQL cannot hold. */
int32_t text_check(const char *what, struct tg_str text, struct tg_error *ret_error);

/* apply.c */
int32_t store_apply(void *self, const struct tg_batch *batch, struct tg_error *ret_error);
int32_t store_position(void *self, struct tg_str journal, uint64_t *ret_position, struct tg_error *ret_error);

/* load.c */
int32_t store_load(void *self, const struct tg_load *what, tg_row_fn fn, void *ctx, struct tg_error *ret_error);

/* schema.c */
int32_t store_migrate(void *self, tg_note_fn note, void *ctx, struct tg_error *ret_error);
int32_t store_check(void *self, tg_note_fn finding, void *ctx, struct tg_error *ret_error);
int32_t store_cleanup(void *self, int64_t before_ns, uint32_t limit, struct tg_error *ret_error);
int32_t store_status(void *self, struct tg_storage_status *ret_status, struct tg_error *ret_error);

/* slots.c */
int32_t store_slot_reserve(void *self, struct tg_str group, struct tg_str owner, uint32_t limit, uint32_t want,
			   int64_t ttl_ms, uint64_t *ret_ids, struct tg_error *ret_error);
int32_t store_slot_renew(void *self, struct tg_str group, struct tg_str owner, int64_t ttl_ms,
			 struct tg_error *ret_error);
int32_t store_slot_release(void *self, struct tg_str group, struct tg_str owner, uint64_t id,
			   struct tg_error *ret_error);
int32_t store_slot_list(void *self, struct tg_str group, tg_slot_fn fn, void *ctx, struct tg_error *ret_error);

#endif
