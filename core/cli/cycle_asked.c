#include "core/cli/cycle_asked.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/records.h"
#include "core/control/client.h"

#define TIMEOUT_MS 5000
#define PAUSE_MS 20 /* a look into a store takes a few milliseconds */
#define TRIES (30000 / PAUSE_MS)

/* ---------------------------------------------------------------- asking */

static bool reply_flag(struct json_object *reply, const char *key)
{
	return json_object_get_boolean(json_object_object_get(reply, key));
}

static int ask_once(const char *state_dir, const char *id, struct json_object **ret_reply, struct tg_error *ret_error)
{
	struct json_object *request = json_object_new_object();
	json_put_text(request, "command", "cycle");
	json_put_text(request, "id", id);
	int status = control_request(state_dir, request, TIMEOUT_MS, ret_reply, ret_error);
	json_object_put(request);
	return status;
}

/* The gateway answers at once; while it still looks the cycle up it says so. */
static int ask(const char *state_dir, const char *id, struct json_object **ret_reply, struct tg_error *ret_error)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
	int status = ask_once(state_dir, id, ret_reply, ret_error);
	for (int i = 0; i < TRIES && status == TG_OK && reply_flag(*ret_reply, "pending"); i++) {
		json_object_put(*ret_reply);
		nanosleep(&pause, NULL);
		status = ask_once(state_dir, id, ret_reply, ret_error);
	}
	return status;
}

/* --------------------------------------------------------------- showing */

static const char *member(struct json_object *object, const char *key)
{
	const char *text = json_object_get_string(json_object_object_get(object, key));
	return text ? text : "-";
}

static const struct table_column order_shown[] = {
	{"CREATED", false}, {"ORDER", false}, {"SIDE", false},  {"QTY", true},     {"MARKET", false},
	{"PRICE", true},    {"FILLED", true}, {"STATE", false}, {"REASON", false},
};
static const char *const order_members[] = {"created", "client_id",  "side",  "qty",   "market",
					    "price",   "filled_qty", "state", "reason"};

static const struct table_column fill_shown[] = {
	{"TIME", false}, {"FILL", false}, {"QTY", true}, {"PRICE", true}, {"FEE", true}, {"OF", false},
};
static const char *const fill_members[] = {"time", "fill_id", "qty", "price", "fee", "fee_currency"};

static void row_add(struct table *table, struct json_object *object, const char *const *members)
{
	for (size_t i = 0; i < table->columns; i++)
		table_add(table, member(object, members[i]));
}

static void orders_add(struct json_object *cycle, struct table *orders, struct table *fills)
{
	struct json_object *list = json_object_object_get(cycle, "orders");
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *order = json_object_array_get_idx(list, i);
		struct json_object *parts = json_object_object_get(order, "fills");
		row_add(orders, order, order_members);
		for (size_t k = 0; parts && k < json_object_array_length(parts); k++)
			row_add(fills, json_object_array_get_idx(parts, k), fill_members);
	}
}

static void head_show(struct json_object *cycle)
{
	json_object_object_foreach(cycle, key, value)
	{
		if (json_object_is_type(value, json_type_array))
			continue;
		printf("%s%-12s%s", out_style(stdout, STYLE_DIM), key, out_style(stdout, STYLE_NONE));
		out_plain(stdout, member(cycle, key));
		fputc('\n', stdout);
	}
}

static bool people_show(struct json_object *cycle)
{
	struct table orders, fills;
	table_init(&orders, order_shown, sizeof order_shown / sizeof *order_shown);
	table_init(&fills, fill_shown, sizeof fill_shown / sizeof *fill_shown);
	orders_add(cycle, &orders, &fills);
	head_show(cycle);
	return orders_and_fills_print(&orders, &fills);
}

static int reply_show(const struct arguments *args, struct json_object *reply)
{
	struct json_object *cycle = json_object_object_get(reply, "cycle");
	if (!reply_flag(reply, "ok"))
		return cli_fail(args, "%s", member(reply, "error"));
	if (!cycle)
		return cli_fail(args, "the gateway's store does not answer in time; 'trigate status' tells how it is");
	if (arguments_given(args, "json")) {
		json_repair(cycle);
		out_json(json_object_get(cycle));
		return EXIT_DONE;
	}
	return people_show(cycle) ? EXIT_DONE : cli_fail(args, "out of memory");
}

static int nobody_to_ask(const struct arguments *args, const char *id, bool ours)
{
	if (!ours)
		return cli_misuse(
			args, "'%s' is no cycle's id; it looks like 000001-0000002a ('trigate cycles list' shows them)",
			id);
	return cli_fail(
		args,
		"no cycle %s is on record; 'trigate cycles list' shows those that are, a running gateway is asked "
		"for those of its store",
		id);
}

int cycle_ask(const struct arguments *args, const char *id, bool ours)
{
	char state_dir[4096];
	struct tg_error error = tg_error_init();
	struct json_object *reply = NULL;
	int rc = state_dir_find(args, state_dir, sizeof state_dir);
	if (rc)
		return rc;
	rc = ask(state_dir, id, &reply, &error);
	if (rc == TG_ERR_NOT_FOUND)
		return nobody_to_ask(args, id, ours);
	if (rc)
		return cli_fail(args, "%s", error.message);
	rc = reply_show(args, reply);
	json_object_put(reply);
	return rc;
}
