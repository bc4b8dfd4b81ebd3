#include <stdio.h>
#include <string.h>

#include "core/cli/arguments.h"
#include "core/cli/json.h"
#include "core/cli/table.h"
#include "core/cli/text.h"
#include "core/trade/cycle_fsm.h"
#include "core/trade/order_fsm.h"

#define GAP 2

static const struct fsm *const machines[] = {&order_fsm, &cycle_fsm};
#define MACHINE_COUNT (sizeof machines / sizeof machines[0])

/* ------------------------------------------------------------------ tables */

static const char *cell_text(const struct fsm *fsm, uint8_t state, uint8_t event)
{
	uint8_t next = fsm_next(fsm, state, event);
	return next == FSM_ILLEGAL ? "." : fsm->state[next];
}

static size_t matrix_width(const struct fsm *fsm)
{
	size_t total = 0;
	for (uint8_t s = 0; s < fsm->state_count; s++)
		if (strlen(fsm->state[s]) > total)
			total = strlen(fsm->state[s]);
	for (uint8_t e = 0; e < fsm->event_count; e++) {
		size_t widest = strlen(fsm->event[e]);
		for (uint8_t s = 0; s < fsm->state_count; s++)
			if (strlen(cell_text(fsm, s, e)) > widest)
				widest = strlen(cell_text(fsm, s, e));
		total += GAP + widest;
	}
	return total;
}

/* A row a state, a column an event. */
static void print_matrix(const struct fsm *fsm)
{
	struct table_column column[TABLE_COLUMNS_MAX] = {{"", false}};
	struct table table;
	for (uint8_t e = 0; e < fsm->event_count; e++)
		column[e + 1].title = fsm->event[e];
	table_init(&table, column, fsm->event_count + 1U);
	for (uint8_t s = 0; s < fsm->state_count; s++) {
		table_add_styled(&table, fsm_is_final(fsm, s) ? STYLE_DIM : STYLE_BOLD, fsm->state[s]);
		for (uint8_t e = 0; e < fsm->event_count; e++)
			table_add(&table, cell_text(fsm, s, e));
	}
	table_print(&table, stdout);
	table_finish(&table);
}

/* A row a legal move: for terminals that are too narrow for the matrix. */
static void print_moves(const struct fsm *fsm)
{
	static const struct table_column column[] = {{"STATE", false}, {"EVENT", false}, {"NEXT", false}};
	struct table table;
	table_init(&table, column, 3);
	for (uint8_t s = 0; s < fsm->state_count; s++)
		for (uint8_t e = 0; e < fsm->event_count; e++) {
			if (fsm_next(fsm, s, e) == FSM_ILLEGAL)
				continue;
			table_add(&table, fsm->state[s]);
			table_add(&table, fsm->event[e]);
			table_add(&table, cell_text(fsm, s, e));
		}
	table_print(&table, stdout);
	table_finish(&table);
}

static void print_tables(const struct fsm *fsm, bool first)
{
	printf("%s%s%s%s: the next state by state and event; '.' must not happen\n", first ? "" : "\n",
	       out_style(stdout, STYLE_BOLD), fsm->name, out_style(stdout, STYLE_NONE));
	printf("final:");
	for (uint8_t s = 0; s < fsm->state_count; s++)
		if (fsm_is_final(fsm, s))
			printf(" %s", fsm->state[s]);
	printf("\n\n");
	if (out_is_terminal(stdout) && matrix_width(fsm) > out_width(stdout))
		print_moves(fsm);
	else
		print_matrix(fsm);
}

/* ------------------------------------------------------------------ graphviz */

/* All events that lead from one state to another share an arrow. */
static void print_arrow(const struct fsm *fsm, uint8_t from, uint8_t to)
{
	const char *separator = "";
	for (uint8_t e = 0; e < fsm->event_count; e++) {
		if (fsm_next(fsm, from, e) != to)
			continue;
		if (!separator[0])
			printf("\t%s -> %s [label=\"", fsm->state[from], fsm->state[to]);
		printf("%s%s", separator, fsm->event[e]);
		separator = "\\n";
	}
	if (separator[0])
		printf("\"];\n");
}

static void print_dot(const struct fsm *fsm)
{
	printf("digraph %s {\n\trankdir=LR;\n", fsm->name);
	for (uint8_t s = 0; s < fsm->state_count; s++)
		printf("\t%s [shape=%s];\n", fsm->state[s], fsm_is_final(fsm, s) ? "doubleoctagon" : "box");
	for (uint8_t from = 0; from < fsm->state_count; from++)
		for (uint8_t to = 0; to < fsm->state_count; to++)
			if (from != to)
				print_arrow(fsm, from, to);
	printf("}\n");
}

/* ------------------------------------------------------------------ JSON */

static struct json_object *move_json(const struct fsm *fsm, uint8_t state, uint8_t event)
{
	struct json_object *move = json_object_new_object();
	json_put_text(move, "state", fsm->state[state]);
	json_put_text(move, "event", fsm->event[event]);
	json_put_text(move, "next", cell_text(fsm, state, event));
	return move;
}

static void print_json(const struct fsm *fsm)
{
	struct json_object *line = json_line("machine");
	struct json_object *states = json_object_new_array(), *final = json_object_new_array();
	struct json_object *moves = json_object_new_array();
	for (uint8_t s = 0; s < fsm->state_count; s++) {
		json_object_array_add(states, json_object_new_string(fsm->state[s]));
		if (fsm_is_final(fsm, s))
			json_object_array_add(final, json_object_new_string(fsm->state[s]));
		for (uint8_t e = 0; e < fsm->event_count; e++)
			if (fsm_next(fsm, s, e) != FSM_ILLEGAL)
				json_object_array_add(moves, move_json(fsm, s, e));
	}
	json_put_text(line, "machine", fsm->name);
	json_object_object_add(line, "states", states);
	json_object_object_add(line, "final", final);
	json_object_object_add(line, "moves", moves);
	out_json(line);
}

/* ------------------------------------------------------------------ command */

static int states_run(const struct arguments *args)
{
	const char *wanted = arguments_get(args, 0);
	bool any = false;
	if (arguments_given(args, "json") && arguments_given(args, "dot"))
		return cli_misuse(args, "--json and --dot exclude each other");
	for (size_t i = 0; i < MACHINE_COUNT; i++) {
		const struct fsm *fsm = machines[i];
		if (wanted && strcmp(wanted, fsm->name) != 0)
			continue;
		if (arguments_given(args, "json"))
			print_json(fsm);
		else if (arguments_given(args, "dot"))
			print_dot(fsm);
		else
			print_tables(fsm, !any);
		any = true;
	}
	if (!any)
		return cli_misuse(args, "no state machine '%s'; there are order and cycle", wanted);
	return EXIT_DONE;
}

static const struct option_spec states_options[] = {
	{.name = "dot", .kind = OPTION_FLAG, .help = "print them for graphviz"},
	OPTION_JSON,
	OPTION_END,
};

const struct command command_states = {
	.name = "states",
	.summary = "print the state machines of orders and cycles",
	.synopsis = "[order|cycle]",
	.most = 1,
	.options = states_options,
	.examples = "trigate states order\ntrigate states --dot cycle | dot -Tsvg > cycle.svg",
	.run = states_run,
};
