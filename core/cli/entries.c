#include "core/cli/entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/json.h"
#include "core/cli/out.h"

#define ROOM_FIRST 256

void entries_init(struct entries *entries, size_t limit, entry_show_fn show)
{
	*entries = (struct entries){.limit = limit, .show = show};
}

void entries_forget(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		json_object_put(entries->object[i]);
	entries->count = 0;
	entries->first = 0;
	entries->total = 0;
}

void entries_finish(struct entries *entries)
{
	entries_forget(entries);
	free(entries->object);
	*entries = (struct entries){0};
}

struct json_object *entries_get(const struct entries *entries, size_t index)
{
	return entries->object[(entries->first + index) % entries->count];
}

const char *entry_text(struct json_object *object, const char *key)
{
	const char *text = json_object_get_string(json_object_object_get(object, key));
	return text ? text : "";
}

/* Takes object. */
static int entries_add(struct entries *entries, struct json_object *object)
{
	entries->total++;
	if (entries->count == entries->limit) {
		json_object_put(entries->object[entries->first]);
		entries->object[entries->first] = object;
		entries->first = (entries->first + 1) % entries->count;
		return 0;
	}
	if (entries->count == entries->room) {
		size_t room = entries->room ? entries->room * 2 : ROOM_FIRST;
		struct json_object **grown = realloc(entries->object, room * sizeof(struct json_object *));
		if (!grown) {
			json_object_put(object);
			return TG_ERR_NO_MEMORY;
		}
		entries->object = grown;
		entries->room = room;
	}
	entries->object[entries->count++] = object;
	return 0;
}

/* A record of a newer or foreign make: say what there is. */
static struct json_object *unreadable_json(const struct journal_entry *entry, int problem)
{
	struct json_object *object = json_object_new_object();
	json_put_number(object, "position", (int64_t)entry->position);
	json_put_time(object, "time", entry->time_ns);
	json_put_text(object, "type", record_type_name(entry->type));
	json_put_number(object, "number", entry->type);
	json_put_number(object, "version", entry->version);
	json_put_text(object, "problem", tg_status_text(problem));
	return object;
}

struct reading {
	struct entries *entries;
	entry_fn wanted;
	void *ctx;
};

static int entry_read(void *ctx, const struct journal_entry *entry)
{
	const struct reading *reading = ctx;
	if (entry->position <= reading->entries->last_position)
		return 0;
	reading->entries->last_position = entry->position;
	int problem = record_check(entry);
	struct json_object *object = problem ? unreadable_json(entry, problem) : record_json(entry);
	if (!object)
		return TG_ERR_NO_MEMORY;
	json_repair(object);
	bool wanted = reading->wanted(reading->ctx, entry, object);
	if (wanted && !reading->entries->show)
		return entries_add(reading->entries, object);
	if (wanted) {
		reading->entries->total++;
		reading->entries->show(object);
	}
	json_object_put(object);
	return out_broken() ? TG_ERR_CLOSED : 0;
}

int entries_read(struct entries *entries, entries_source_fn source, const char *state_dir, entry_fn wanted, void *ctx,
		 struct journal_report *ret_report, struct tg_error *ret_error)
{
	struct reading reading = {entries, wanted, ctx};
	int rc = source(&disk_system, state_dir, entry_read, &reading, ret_report, ret_error);
	if (rc == TG_ERR_NO_MEMORY)
		tg_error_set(ret_error, rc, "out of memory");
	return out_broken() ? 0 : rc;
}
