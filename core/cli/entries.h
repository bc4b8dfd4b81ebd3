/* Reading a state directory's journal record by record: a filter, the newest N, and what a record says as text. Main
 * thread. */
#ifndef TRIGATE_CORE_CLI_ENTRIES_H
#define TRIGATE_CORE_CLI_ENTRIES_H

#include <json-c/json.h>

#include "core/cli/arguments.h"
#include "core/state/record.h"

/* Takes one record for output; borrowed. */
typedef void (*entry_show_fn)(struct json_object *object);

/* Records as JSON objects (members position, time, type, then their own), kept for output or shown at once. */
struct entries {
	struct json_object **object; /* a ring once `limit` is reached */
	size_t count;
	size_t room;
	size_t first; /* of the ring */
	size_t limit;
	size_t total; /* wanted records seen, kept or not */
	uint64_t last_position;
	entry_show_fn show; /* not NULL: nothing is kept, each goes here as it is read */
};

/* Is this record wanted? object is what record_json makes of it. */
typedef bool (*entry_fn)(void *ctx, const struct journal_entry *entry, struct json_object *object);

/* Keep the newest `limit`; or, with `show`, none. */
void entries_init(struct entries *entries, size_t limit, entry_show_fn show);
void entries_finish(struct entries *entries);

/* Where records come from: journal_read or decisions_read. */
typedef int (*entries_source_fn)(const struct disk *disk, const char *state_dir, journal_fn fn, void *ctx,
				 struct journal_report *ret_report, struct tg_error *ret_error);

/* Add all wanted records behind entries->last_position; older ones than `limit` are forgotten. A record that this
 * version cannot read is kept with a member "problem". Ends early, without an error, when nobody reads our output any
 * more. Errors carry a message. */
int entries_read(struct entries *entries, entries_source_fn source, const char *state_dir, entry_fn wanted, void *ctx,
		 struct journal_report *ret_report, struct tg_error *ret_error);

struct json_object *entries_get(const struct entries *entries, size_t index); /* oldest first; borrowed */
void entries_forget(struct entries *entries);                                 /* all that are kept */

const char *entry_text(struct json_object *object, const char *key); /* a member as text; "" if there is none */

#endif
