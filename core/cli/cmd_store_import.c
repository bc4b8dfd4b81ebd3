/* `trigate store import`: what a file of another make holds, into the store in use. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/store_access.h"
#include "core/cli/store_batch.h"
#include "core/cli/text.h"

#define ODDITIES_SHOWN 20     /* to people; machines get all */
#define PREFIX "py:"          /* of imported keys */
#define KIND_CUT "import.cut" /* events of amounts with more places than are kept */
#define KEY_MAX 4096          /* a file's keys are far shorter */

struct importing {
	struct store_access *access;
	struct store_batch *batch;
	struct tg_error *error;
	const char *name; /* of --name; NULL: none */
	bool dry;
	bool others; /* the store has imported cycles already */
	uint64_t cycles, orders, events, odds, cuts;
};

/* ------------------------------------------------------------ names */

/* "py:ID" to "py:NAME:ID" in buffer; without --name it stays. */
static struct tg_str key_named(const struct importing *importing, struct tg_str key, char buffer[KEY_MAX])
{
	size_t prefix = sizeof PREFIX - 1;

	if (!importing->name || key.len < prefix || memcmp(key.ptr, PREFIX, prefix) != 0)
		return key;
	int length =
		snprintf(buffer, KEY_MAX, PREFIX "%s:%.*s", importing->name, (int)(key.len - prefix), key.ptr + prefix);
	return (struct tg_str){buffer, length < KEY_MAX ? (uint64_t)length : KEY_MAX - 1};
}

/* The import's own journal, so that what another name brought in is not taken for this. */
static struct tg_str journal_named(const struct importing *importing, struct tg_str journal, char buffer[KEY_MAX])
{
	if (!importing->name)
		return journal;
	int length = snprintf(buffer, KEY_MAX, "%.*s:%s", (int)journal.len, journal.ptr, importing->name);
	return (struct tg_str){buffer, (uint64_t)length};
}

/* ------------------------------------------------------------ cycles that are there */

struct known {
	const struct tg_cycle_row *row;
	bool other;
};

static int32_t cycle_compare(void *ctx, int32_t kind, const void *row)
{
	struct known *known = ctx;
	const struct tg_cycle_row *there = row;

	(void)kind;
	known->other = there->opened_ns != known->row->opened_ns || there->strategy.len != known->row->strategy.len ||
		       memcmp(there->strategy.ptr, known->row->strategy.ptr, there->strategy.len) != 0;
	return 0;
}

/* Two files may have cycles of one id: the second must not write over the first. */
static int cycle_check(struct importing *importing, const struct tg_cycle_row *row)
{
	const struct store_access *access = importing->access;
	const struct tg_load what = {.size = sizeof what, .kind = TG_ROW_CYCLE, .cycle_id = row->id, .limit = 1};
	struct known known = {.row = row};

	int32_t status = access->api->load(access->self, &what, cycle_compare, &known, importing->error);
	if (status < 0 || !known.other)
		return status < 0 ? status : TG_OK;
	return tg_error_set(
		importing->error, TG_ERR_EXISTS,
		"the store has another cycle %.*s, from an import before; give this file's keys a --name of their "
		"own",
		(int)row->id.len, row->id.ptr);
}

static int32_t any_imported(void *ctx, int32_t kind, const void *row)
{
	const struct tg_cycle_row *cycle = row;
	bool *others = ctx;

	(void)kind;
	*others = cycle->id.len >= sizeof PREFIX - 1 && memcmp(cycle->id.ptr, PREFIX, sizeof PREFIX - 1) == 0;
	return 1;
}

static int others_find(struct importing *importing)
{
	const struct store_access *access = importing->access;
	const struct tg_load what = {.size = sizeof what, .kind = TG_ROW_CYCLE, .after = str_of(PREFIX), .limit = 1};
	int32_t status = access->api->load(access->self, &what, any_imported, &importing->others, importing->error);

	return status < 0 ? status : TG_OK;
}

/* ------------------------------------------------------------ rows */

static int row_put(struct importing *importing, int32_t kind, const void *row)
{
	return importing->dry ? TG_OK : store_batch_add(importing->batch, kind, row, importing->error);
}

static int cycle_put(struct importing *importing, const struct tg_cycle_row *row)
{
	char key[KEY_MAX];
	struct tg_cycle_row named = *row;

	named.id = key_named(importing, row->id, key);
	importing->cycles++;
	return row_put(importing, TG_ROW_CYCLE, &named);
}

static int order_put(struct importing *importing, const struct tg_order_row *row)
{
	char cycle[KEY_MAX], order[KEY_MAX];
	struct tg_order_row named = *row;

	named.cycle_id = key_named(importing, row->cycle_id, cycle);
	named.client_id = key_named(importing, row->client_id, order);
	importing->orders++;
	return row_put(importing, TG_ROW_ORDER, &named);
}

static int event_put(struct importing *importing, const struct tg_event_row *row)
{
	char cycle[KEY_MAX], order[KEY_MAX], journal[KEY_MAX];
	struct tg_event_row named = *row;

	named.cycle_id = key_named(importing, row->cycle_id, cycle);
	named.client_id = key_named(importing, row->client_id, order);
	named.journal = journal_named(importing, row->journal, journal);
	importing->cuts += row->kind.len == sizeof KIND_CUT - 1 && memcmp(row->kind.ptr, KIND_CUT, row->kind.len) == 0;
	if (importing->events++ == 0 && !importing->dry) { /* the first row of all: it names the import */
		int status = store_batch_begin(importing->batch, importing->access->api, importing->access->self,
					       named.journal, importing->error);
		if (status)
			return status;
	}
	return row_put(importing, TG_ROW_EVENT, &named);
}

static int32_t row_take(void *ctx, int32_t kind, const void *row)
{
	struct importing *importing = ctx;

	switch (kind) {
	case TG_ROW_CYCLE: return cycle_put(importing, row);
	case TG_ROW_ORDER: return order_put(importing, row);
	case TG_ROW_EVENT: return event_put(importing, row);
	default: return row_put(importing, kind, row);
	}
}

/* ------------------------------------------------------------ telling */

static void odd_tell(void *ctx, struct tg_str line)
{
	struct importing *importing = ctx;
	char text[1024];

	snprintf(text, sizeof text, "%.*s", (int)line.len, line.ptr);
	importing->odds++;
	if (importing->access->json) {
		struct json_object *object = json_line("oddity");
		json_put_text(object, "text", text);
		out_json(object);
	} else if (importing->odds <= ODDITIES_SHOWN) {
		out_status_clear();
		printf("odd: ");
		out_plain(stdout, text);
		fputc('\n', stdout);
	}
}

static void note_tell(void *ctx, struct tg_str line)
{
	const struct importing *importing = ctx;

	store_progress(importing->access, line);
}

static const char *outcome_text(const struct importing *importing)
{
	const struct store_batch *batch = importing->batch;

	if (importing->dry)
		return " would be imported";
	if (batch->stored >= batch->position)
		return ": all of it was there before";
	return batch->stored > 0 ? " imported, from where it stopped before" : " imported";
}

static void summary_tell(const struct importing *importing)
{
	const struct store_batch *batch = importing->batch;
	char cycles[TEXT_MAX], orders[TEXT_MAX], odds[TEXT_MAX];

	if (importing->access->json) {
		struct json_object *line = json_line("import");
		json_put_text(line, "journal", batch->journal);
		json_put_number(line, "cycles", (int64_t)importing->cycles);
		json_put_number(line, "orders", (int64_t)importing->orders);
		json_put_number(line, "events", (int64_t)importing->events);
		json_put_number(line, "oddities", (int64_t)importing->odds);
		json_put_number(line, "cut", (int64_t)importing->cuts);
		json_put_number(line, "rows", (int64_t)batch->position);
		json_put_number(line, "there_before", (int64_t)batch->stored);
		json_put_flag(line, "dry_run", importing->dry);
		out_json(line);
		return;
	}
	if (importing->odds > ODDITIES_SHOWN)
		printf("(%s more%s)\n", text_count(odds, (int64_t)(importing->odds - ODDITIES_SHOWN)),
		       importing->dry ? ""
				      : "; `trigate store export --what events` has all, as events of kind 'import'");
	printf("%s cycles, %s orders%s; %s odd", text_count(cycles, (int64_t)importing->cycles),
	       text_count(orders, (int64_t)importing->orders), outcome_text(importing),
	       text_count(odds, (int64_t)importing->odds));
	if (importing->cuts > 0)
		printf(", %s amounts cut at 18 places", text_count(odds, (int64_t)importing->cuts));
	printf("\n");
}

/* ------------------------------------------------------------ reading */

/* Before anything is written, if the store has imported cycles: none of this file's may be another one of those. */
static int32_t row_check(void *ctx, int32_t kind, const void *row)
{
	char key[KEY_MAX];
	struct importing *importing = ctx;

	if (kind != TG_ROW_CYCLE)
		return TG_OK;
	struct tg_cycle_row named = *(const struct tg_cycle_row *)row;
	named.id = key_named(importing, named.id, key);
	return cycle_check(importing, &named);
}

static int32_t file_read(struct importing *importing, const struct tg_storage_import *import, void *self)
{
	struct tg_str path = str_of(arguments_get(importing->access->args, 0));
	int32_t status = importing->dry ? TG_OK : others_find(importing);

	if (!status && importing->others)
		status = import->read(self, path, row_check, NULL, NULL, importing, importing->error);
	if (!status)
		status = import->read(self, path, row_take, odd_tell, note_tell, importing, importing->error);
	return status || importing->dry ? status : store_batch_apply(importing->batch, importing->error);
}

static int read_with(struct importing *importing, const struct tg_storage_import *import, void *self)
{
	int32_t status = file_read(importing, import, self);

	out_status_clear();
	if (!status) {
		summary_tell(importing);
		return EXIT_DONE;
	}
	store_fail(importing->access, importing->error);
	return importing->batch->position > STORE_BATCH_ROWS
		       ? cli_fail(importing->access->args,
				  "what is in the store stays; the same command goes on from there")
		       : EXIT_FAILED;
}

/* The store's plugin cannot read such files; the one that can has its copy in the state directory, where the next
 * import finds what one that was killed has left. */
static int read_by_other(struct importing *importing)
{
	struct instance other = {0};
	int rc = store_access_other(importing->access, "sqlite", importing->access->state_dir, &other);

	if (!rc) {
		const struct tg_storage_import *import = store_extension(other.api, other.self, TG_STORAGE_IMPORT);
		rc = import ? read_with(importing, import, other.self)
			    : cli_fail(importing->access->args, "the plugin \"sqlite\" that is found imports nothing");
	}
	store_access_other_close(&other);
	return rc;
}

static int import_open(struct store_access *access)
{
	struct tg_error error = tg_error_init();
	struct importing importing = {.access = access,
				      .error = &error,
				      .name = arguments_text(access->args, "name"),
				      .dry = arguments_given(access->args, "dry-run")};
	const struct tg_storage_import *import = store_extension(access->api, access->self, TG_STORAGE_IMPORT);

	importing.batch = calloc(1, sizeof *importing.batch);
	if (!importing.batch)
		return cli_fail(access->args, "out of memory");
	int rc = import ? read_with(&importing, import, access->self) : read_by_other(&importing);
	store_batch_finish(importing.batch);
	free(importing.batch);
	return rc;
}

static bool name_is_plain(const char *name)
{
	return strlen(name) <= 32 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(name);
}

static int import_run(const struct arguments *args)
{
	struct store_access access;
	const char *name = arguments_text(args, "name");

	if (name && !name_is_plain(name))
		return cli_misuse(args, "--name must be 1 to 32 letters, digits, - or _, not '%s'", name);
	int rc = store_access_open(args, arguments_given(args, "dry-run") ? STORE_ANY : STORE_MADE, &access);
	if (!rc)
		rc = import_open(&access);
	store_access_close(&access);
	return rc;
}

static const struct option_spec import_options[] = {
	{.name = "dry-run", .kind = OPTION_FLAG, .help = "read all of it and tell what is odd, write nothing"},
	{.name = "name",
	 .kind = OPTION_TEXT,
	 .argument = "NAME",
	 .help = "keys begin with py:NAME: instead of py:, so that several files fit into one store"},
	STORE_OPTIONS,
};

const struct command store_import = {
	.name = "import",
	.summary = "bring a database of the Python system into the store",
	.synopsis = "FILE",
	.least = 1,
	.most = 1,
	.details =
		"FILE is a trade_state.db of any release. It is read from a copy and not changed; stop the Python system "
		"first. Amounts are taken as exact decimals. Cycles that were still going on are taken as failed, with their "
		"old state as the reason: look at the exchange for what they hold. What could not be taken as it stands is "
		"told, and kept as an event of kind 'import'. Interrupted, the same command goes on where it stopped; "
		"repeated, it changes nothing.",
	.options = import_options,
	.examples = "trigate store import ./trade_state.db --dry-run\n"
		    "trigate store import ./trade_state.db --config gateway.yaml",
	.run = import_run,
};
