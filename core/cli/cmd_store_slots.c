/* `trigate store slots`: who holds slots of open cycles, and giving back those of a gateway that is gone for good. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/store_access.h"
#include "core/cli/table.h"
#include "core/cli/text.h"
#include "core/state/leases.h"

#define NS_PER_MS 1000000
#define FOREVER_MS (INT64_MAX / NS_PER_MS)

static const char *state_name(uint32_t state)
{
	return state == TG_SLOT_HELD ? "held" : "expired";
}

/* ------------------------------------------------------------ list */

struct listing {
	struct store_access *access;
	struct table table;
	size_t count;
};

static void slot_row(struct table *table, const struct tg_slot *slot)
{
	char text[2 * TEXT_MAX], duration[TEXT_MAX];
	int64_t ms = slot->expires_in_ms;
	bool past = slot->state != TG_SLOT_HELD || ms < 0;

	snprintf(text, sizeof text, "%.*s", (int)slot->group.len, slot->group.ptr);
	table_add(table, text);
	snprintf(text, sizeof text, "%llu", (unsigned long long)slot->id);
	table_add(table, text);
	snprintf(text, sizeof text, "%.*s", (int)slot->owner.len, slot->owner.ptr);
	table_add(table, text);
	table_add_styled(table, past ? STYLE_WARN : STYLE_NONE, state_name(slot->state));
	if (ms >= FOREVER_MS || ms <= -FOREVER_MS)
		snprintf(text, sizeof text, "%s", past ? "long ago" : "never");
	else
		snprintf(text, sizeof text, past ? "%s ago" : "in %s",
			 text_duration(duration, (past && ms < 0 ? -ms
						  : past         ? 0
								 : ms) *
							 NS_PER_MS));
	table_add(table, text);
}

static void slot_json(const struct tg_slot *slot)
{
	char text[256];
	struct json_object *line = json_line("slot");

	snprintf(text, sizeof text, "%.*s", (int)slot->group.len, slot->group.ptr);
	json_put_text(line, "group", text);
	json_put_number(line, "id", (int64_t)slot->id);
	snprintf(text, sizeof text, "%.*s", (int)slot->owner.len, slot->owner.ptr);
	json_put_text(line, "owner", text);
	json_put_text(line, "state", state_name(slot->state));
	json_put_number(line, "expires_in_ms", slot->expires_in_ms);
	out_json(line);
}

static int32_t slot_list_one(void *ctx, const struct tg_slot *slot)
{
	struct listing *listing = ctx;

	listing->count++;
	if (listing->access->json)
		slot_json(slot);
	else
		slot_row(&listing->table, slot);
	return 0;
}

static struct tg_str group_wanted(const struct arguments *args)
{
	const char *group = arguments_text(args, "group");

	return str_of(group ? group : "");
}

static int list_open(struct store_access *access)
{
	static const struct table_column columns[] = {
		{"GROUP", false}, {"SLOT", true}, {"OWNER", false}, {"STATE", false}, {"EXPIRES", false}};
	struct tg_error error = tg_error_init();
	struct listing listing = {.access = access};

	table_init(&listing.table, columns, 5);
	int32_t status =
		access->api->slot_list(access->self, group_wanted(access->args), slot_list_one, &listing, &error);
	bool done = table_print(&listing.table, stdout);
	table_finish(&listing.table);
	if (status < 0)
		return store_fail(access, &error);
	if (!done)
		return cli_fail(access->args, "out of memory");
	if (listing.count == 0 && !access->json)
		printf("no slots are taken\n");
	return EXIT_DONE;
}

static int list_run(const struct arguments *args)
{
	struct store_access access;
	int rc = store_access_open(args, STORE_CURRENT, &access);

	if (!rc)
		rc = list_open(&access);
	store_access_close(&access);
	return rc;
}

#define OPTION_GROUP \
	{ \
		.name = "group", .letter = 'g', .kind = OPTION_TEXT, .argument = "GROUP", .help = "only of this group" \
	}

static const struct option_spec list_options[] = {OPTION_GROUP, STORE_OPTIONS};

static const struct command slots_list = {
	.name = "list",
	.summary = "list slots with who holds them, and for how long",
	.details =
		"An open cycle needs a slot of its group. A gateway takes some ahead and renews them; those of one that "
		"died expire, and still count until it comes back and has brought its cycles to their end.",
	.options = list_options,
	.run = list_run,
};

/* ------------------------------------------------------------ release */

struct found_slot {
	uint64_t id;
	char *group;
};

/* The owner's slots: kept while listing, for a backend is not called from within a call. */
struct release {
	struct tg_str owner;
	struct found_slot *slot;
	size_t count, room;
	int64_t held_ms; /* the longest that one of them is still held */
	bool no_memory;
};

static int32_t slot_find(void *ctx, const struct tg_slot *slot)
{
	struct release *release = ctx;

	if (slot->owner.len != release->owner.len || memcmp(slot->owner.ptr, release->owner.ptr, slot->owner.len) != 0)
		return 0;
	if (release->count == release->room) {
		size_t room = release->room ? 2 * release->room : 16;
		struct found_slot *grown = realloc(release->slot, room * sizeof *grown);
		release->no_memory = !grown;
		if (!grown)
			return 1;
		release->slot = grown;
		release->room = room;
	}
	struct found_slot *found = &release->slot[release->count];
	*found = (struct found_slot){slot->id, strndup(slot->group.ptr, slot->group.len)};
	release->no_memory = !found->group;
	if (!found->group)
		return 1;
	release->count++;
	if (slot->state == TG_SLOT_HELD && slot->expires_in_ms >= release->held_ms)
		release->held_ms = slot->expires_in_ms + 1;
	return 0;
}

/* One that was given back meanwhile is no failure. */
static int expired_release(struct store_access *access, const struct release *release, size_t *ret_given)
{
	struct tg_error error = tg_error_init();

	for (size_t i = 0; i < release->count; i++) {
		int32_t status = leases_release_expired(access->api, access->self, str_of(release->slot[i].group),
							release->owner, release->slot[i].id, &error);
		if (status < 0 && status != TG_ERR_NOT_FOUND)
			return store_fail(access, &error);
		*ret_given += status == TG_OK;
	}
	return 0;
}

static int release_tell(const struct store_access *access, const char *owner, size_t given)
{
	if (access->json) {
		struct json_object *line = json_line("release");
		json_put_text(line, "owner", owner);
		json_put_number(line, "slots", (int64_t)given);
		out_json(line);
	} else {
		printf("%zu slot%s of gateway ", given, given == 1 ? "" : "s");
		out_plain(stdout, owner);
		printf(" given back\n");
	}
	return EXIT_DONE;
}

static int release_found(struct store_access *access, const struct release *release)
{
	const char *owner = arguments_text(access->args, "owner");
	char text[TEXT_MAX];
	size_t given = 0;

	if (release->no_memory)
		return cli_fail(access->args, "out of memory");
	if (release->count == 0)
		return cli_fail(access->args, "gateway %s has no slots here; `trigate store slots list` shows who has",
				owner);
	if (release->held_ms > 0)
		return cli_fail(
			access->args,
			"gateway %s still holds slots, so it may be running: they expire in %s if nobody renews "
			"them; stop it, or wait",
			owner, text_duration(text, release->held_ms * NS_PER_MS));
	if (!arguments_given(access->args, "yes"))
		return cli_misuse(
			access->args,
			"%zu expired slot%s of gateway %s would be given back. Its open cycles would no longer count "
			"against the limit, although their orders and holdings are still on the exchange: do this only "
			"for a gateway that will never start again, after looking at what it left. Repeat with --yes",
			release->count, release->count == 1 ? "" : "s", owner);
	int rc = expired_release(access, release, &given);
	return rc ? rc : release_tell(access, owner, given);
}

static int release_open(struct store_access *access)
{
	struct tg_error error = tg_error_init();
	struct release release = {.owner = str_of(arguments_text(access->args, "owner"))};
	int32_t status = access->api->slot_list(access->self, group_wanted(access->args), slot_find, &release, &error);
	int rc = status < 0 ? store_fail(access, &error) : release_found(access, &release);

	for (size_t i = 0; i < release.count; i++)
		free(release.slot[i].group);
	free(release.slot);
	return rc;
}

static int release_run(const struct arguments *args)
{
	struct store_access access;

	if (!arguments_given(args, "owner"))
		return cli_misuse(args, "--owner is missing: whose slots?");
	int rc = store_access_open(args, STORE_CURRENT, &access);
	if (!rc)
		rc = release_open(&access);
	store_access_close(&access);
	return rc;
}

static const struct option_spec release_options[] = {
	{.name = "owner", .kind = OPTION_TEXT, .argument = "GATEWAY", .help = "the gateway's id, as list shows it"},
	OPTION_GROUP,
	{.name = "yes", .kind = OPTION_FLAG, .help = "do it; without this it is only explained"},
	STORE_OPTIONS,
};

static const struct command slots_release = {
	.name = "release",
	.summary = "give back the slots of a gateway that will never come back",
	.details =
		"A dead gateway's slots stay taken so that the cycles it left open count until it has dealt with them. If it "
		"will never start again (its state directory is lost), look at the exchange for what it left, then release "
		"its slots here. Slots that have not expired are not touched: their gateway may be alive.",
	.options = release_options,
	.examples = "trigate store slots release --owner a1b2 --yes",
	.run = release_run,
};

static const struct command *const slots_sub[] = {&slots_list, &slots_release, NULL};

const struct command store_slots = {
	.name = "slots",
	.summary = "list slots of open cycles, give back those of a gateway that is gone",
	.sub = slots_sub,
};
