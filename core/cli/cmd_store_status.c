/* `trigate store status`: what the store holds, and how far it is behind the journal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/store_access.h"
#include "core/cli/table.h"
#include "core/cli/text.h"
#include "core/state/record.h"

/* ------------------------------------------------------------ the journal */

struct journal_end {
	char gateway[GATEWAY_ID_LEN + 1]; /* empty: there is no journal */
	uint64_t position;
	bool damaged; /* behind position */
	uint64_t stored, durable;
	bool durable_known; /* a server may tell it only to who stays connected, a full disk takes no sync */
};

static int end_note(void *ctx, const struct journal_entry *entry)
{
	struct journal_end *end = ctx;
	const struct record_start *start = entry->payload;

	end->position = entry->position;
	if (entry->type == RECORD_START && record_check(entry) == 0)
		snprintf(end->gateway, sizeof end->gateway, "%.*s", GATEWAY_ID_LEN, start->gateway_id);
	return 0;
}

/* What cannot be synced now is a finding, not the end of all others. */
static int durable_find(const struct store_access *access, struct tg_str journal, struct journal_end *end)
{
	struct tg_error error = tg_error_init();
	int32_t status = access->api->durable_position(access->self, journal, &end->durable, &error);

	if (status)
		fprintf(stderr, "trigate store status: what is durable: %s\n", error.message);
	end->durable_known = !status && (end->durable > 0 || end->stored == 0);
	return 0;
}

/* A state directory without a journal, and one whose journal cannot be read, are told of, not refused: the store may be
 * what is left. */
static int journal_find(const struct store_access *access, struct journal_end *end, struct tg_error *error)
{
	struct tg_error damage = tg_error_init();
	struct journal_report report = {0};
	int status = journal_read(&disk_system, access->state_dir, end_note, end, &report, &damage);

	end->damaged = status && status != TG_ERR_NOT_FOUND;
	if (end->damaged)
		fprintf(stderr, "trigate store status: the journal: %s\n", damage.message);
	if (!end->gateway[0])
		snprintf(end->gateway, sizeof end->gateway, "%s", access->gateway_id);
	if (!end->gateway[0])
		return 0;
	struct tg_str journal = str_of(end->gateway);
	status = access->api->stored_position(access->self, journal, &end->stored, error);
	return status ? status : durable_find(access, journal, end);
}

/* ------------------------------------------------------------ slots */

#define HOLDERS_MAX 256

struct holder {
	char group[128];
	uint32_t held, expired;
};

struct holders {
	struct holder holder[HOLDERS_MAX];
	size_t count;
	bool more;
};

static int32_t slot_note(void *ctx, const struct tg_slot *slot)
{
	struct holders *holders = ctx;
	struct holder *holder = NULL;

	for (size_t i = 0; i < holders->count && !holder; i++)
		if (strlen(holders->holder[i].group) == slot->group.len &&
		    memcmp(holders->holder[i].group, slot->group.ptr, slot->group.len) == 0)
			holder = &holders->holder[i];
	if (!holder && holders->count == HOLDERS_MAX) {
		holders->more = true;
		return 0;
	}
	if (!holder) {
		holder = &holders->holder[holders->count++];
		snprintf(holder->group, sizeof holder->group, "%.*s", (int)slot->group.len, slot->group.ptr);
	}
	if (slot->state == TG_SLOT_HELD)
		holder->held++;
	else
		holder->expired++;
	return 0;
}

/* ------------------------------------------------------------ telling */

struct findings {
	struct tg_storage_status status;
	struct journal_end end;
	struct holders *holders;
};

static uint64_t behind(const struct journal_end *end)
{
	return end->position > end->stored ? end->position - end->stored : 0;
}

static void row(struct table *table, const char *name, const char *value)
{
	table_add(table, name);
	table_add(table, value);
}

static void row_number(struct table *table, const char *name, uint64_t number)
{
	char text[TEXT_MAX];

	row(table, name, text_count(text, (int64_t)number));
}

static void schema_text(const struct tg_storage_status *status, char text[128])
{
	if (status->schema == 0)
		snprintf(text, 128, "none yet; `trigate store migrate` makes it");
	else if (status->schema == status->current)
		snprintf(text, 128, "version %u", status->schema);
	else
		snprintf(text, 128, "version %u; %s %u", status->schema,
			 status->schema < status->current ? "`trigate store migrate` brings it to"
							  : "a newer trigate wrote it, this one knows",
			 status->current);
}

static void rows_count(struct table *table, const struct tg_storage_status *status)
{
	char text[2 * TEXT_MAX], number[TEXT_MAX], open[TEXT_MAX];

	snprintf(text, sizeof text, "%s, %s open", text_count(number, (int64_t)status->cycles),
		 text_count(open, (int64_t)status->open_cycles));
	row(table, "cycles", text);
	row_number(table, "orders", status->orders);
	row_number(table, "fills", status->fills);
	row_number(table, "events", status->events);
}

/* "ends at 4,093; stored to 4,090, 3 behind" */
static void journal_text(const struct journal_end *end, char *text, size_t size)
{
	char last[TEXT_MAX], stored[TEXT_MAX], less[TEXT_MAX];

	text_count(last, (int64_t)end->position);
	text_count(stored, (int64_t)end->stored);
	text_count(less, (int64_t)behind(end));
	if (end->damaged)
		snprintf(text, size, "is damaged behind %s; stored to %s", last, stored);
	else if (end->position == 0)
		snprintf(text, size, "has no journal here; stored to %s", stored);
	else
		snprintf(text, size, "ends at %s; stored to %s, %s behind", last, stored, less);
}

static void rows_journal(struct table *table, const struct journal_end *end)
{
	char all[512], text[256], durable[TEXT_MAX] = "an unknown position";

	if (!end->gateway[0]) {
		row(table, "journal",
		    end->damaged ? "damaged from its beginning on"
				 : "none in this state directory, and no --config that names a gateway");
		return;
	}
	if (end->durable_known)
		text_count(durable, (int64_t)end->durable);
	journal_text(end, text, sizeof text);
	snprintf(all, sizeof all, "gateway %s, %s; durable to %s", end->gateway, text, durable);
	row(table, "journal", all);
}

static void rows_slots(struct table *table, const struct holders *holders)
{
	char text[256];

	for (size_t i = 0; i < holders->count; i++) {
		snprintf(text, sizeof text, "group %s: %u held, %u expired", holders->holder[i].group,
			 holders->holder[i].held, holders->holder[i].expired);
		row(table, "slots", text);
	}
	if (holders->count == 0)
		row(table, "slots", "none");
	if (holders->more)
		row(table, "slots", "of more groups: `trigate store slots list`");
}

static int people_tell(const struct store_access *access, const struct findings *found)
{
	static const struct table_column columns[] = {{"WHAT", false}, {"VALUE", false}};
	struct table table;
	char text[128], bytes[TEXT_MAX];

	table_init(&table, columns, 2);
	row(&table, "plugin", access->plugin);
	row(&table, "server", found->status.server);
	row(&table, "location", found->status.location);
	schema_text(&found->status, text);
	row(&table, "schema", text);
	row(&table, "size", found->status.bytes ? text_bytes(bytes, (int64_t)found->status.bytes) : "not known");
	row(&table, "durability", found->status.durability);
	if (found->status.schema > 0)
		rows_count(&table, &found->status);
	if (found->status.schema > 0 && found->status.schema <= found->status.current) {
		rows_journal(&table, &found->end);
		rows_slots(&table, found->holders);
	}
	bool done = table_print(&table, stdout);
	table_finish(&table);
	return done ? EXIT_DONE : cli_fail(access->args, "out of memory");
}

static struct json_object *journal_json(const struct journal_end *end)
{
	struct json_object *line = json_object_new_object();

	json_put_text(line, "gateway", end->gateway);
	json_put_number(line, "position", (int64_t)end->position);
	json_put_number(line, "stored", (int64_t)end->stored);
	json_object_object_add(line, "durable",
			       end->durable_known ? json_object_new_int64((int64_t)end->durable) : NULL);
	json_put_number(line, "behind", (int64_t)behind(end));
	json_put_flag(line, "damaged", end->damaged);
	return line;
}

static struct json_object *slots_json(const struct holders *holders)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < holders->count; i++) {
		struct json_object *one = json_object_new_object();
		json_put_text(one, "group", holders->holder[i].group);
		json_put_number(one, "held", holders->holder[i].held);
		json_put_number(one, "expired", holders->holder[i].expired);
		json_object_array_add(list, one);
	}
	return list;
}

static int json_tell(const struct store_access *access, const struct findings *found)
{
	const struct tg_storage_status *status = &found->status;
	struct json_object *line = json_line("store");

	json_put_text(line, "plugin", access->plugin);
	json_put_text(line, "server", status->server);
	json_put_text(line, "location", status->location);
	json_put_number(line, "schema", status->schema);
	json_put_number(line, "current", status->current);
	json_put_number(line, "bytes", (int64_t)status->bytes);
	json_put_text(line, "durability", status->durability);
	json_put_number(line, "cycles", (int64_t)status->cycles);
	json_put_number(line, "open_cycles", (int64_t)status->open_cycles);
	json_put_number(line, "orders", (int64_t)status->orders);
	json_put_number(line, "fills", (int64_t)status->fills);
	json_put_number(line, "events", (int64_t)status->events);
	json_object_object_add(line, "journal", found->end.gateway[0] ? journal_json(&found->end) : NULL);
	json_object_object_add(line, "slots", slots_json(found->holders));
	out_json(line);
	return EXIT_DONE;
}

/* ------------------------------------------------------------ command */

static int status_open(struct store_access *access, struct findings *found)
{
	struct tg_error error = tg_error_init();
	int32_t status = access->api->status(access->self, &found->status, &error);
	bool readable = found->status.schema > 0 && found->status.schema <= found->status.current;

	if (status == TG_OK && readable)
		status = journal_find(access, &found->end, &error);
	if (status == TG_OK && readable)
		status = access->api->slot_list(access->self, str_of(""), slot_note, found->holders, &error);
	if (status < 0)
		return store_fail(access, &error);
	return access->json ? json_tell(access, found) : people_tell(access, found);
}

static int status_run(const struct arguments *args)
{
	struct store_access access;
	struct findings found = {.status = {.size = sizeof found.status}};
	int rc = store_access_open(args, STORE_ANY, &access);

	found.holders = calloc(1, sizeof *found.holders);
	if (!rc && !found.holders)
		rc = cli_fail(args, "out of memory");
	if (!rc)
		rc = status_open(&access, &found);
	free(found.holders);
	store_access_close(&access);
	return rc;
}

static const struct option_spec status_options[] = {STORE_OPTIONS};

const struct command store_status = {
	.name = "status",
	.summary = "print what the store holds and how far it is behind the journal",
	.details =
		"The journal is the truth and the store its index for readers, written behind: `stored` is the record up to "
		"which it has everything, `durable` the one up to which that outlives a power loss.",
	.options = status_options,
	.examples = "trigate store status\ntrigate store status --config gateway.yaml --json",
	.run = status_run,
};
