/* What the commands that read a state directory share: where it is, which entries are wanted, how an order or a cycle
 * is shown. Main thread. */
#ifndef TRIGATE_CORE_CLI_RECORDS_H
#define TRIGATE_CORE_CLI_RECORDS_H

#include "core/cli/arguments.h"
#include "core/cli/table.h"
#include "core/trade/model.h"

#define PEOPLE_LIMIT 50 /* rows shown by default; machines get all */

#define OPTION_SINCE \
	{ \
		.name = "since", .kind = OPTION_TEXT, .argument = "WHEN", \
		.help = "only what is not older: 30s, 5m, 2h, 1d, or a UTC time as 2026-11-22T15:48" \
	}
#define OPTION_LIMIT \
	{ \
		.name = "limit", .letter = 'n', .kind = OPTION_NUMBER, .argument = "N", .least = 0, .most = INT64_MAX, \
		.help = "the newest N only; 0: all (default: 50, with --json all)" \
	}
#define OPTION_CYCLE \
	{ \
		.name = "cycle", .kind = OPTION_TEXT, .argument = "ID", .help = "only of this cycle" \
	}

/* The state directory that is meant, into text. Returns 0, or the exit code after telling the person why not. */
int state_dir_find(const struct arguments *args, char *text, size_t size);

/* Did the person name one? */
bool state_dir_given(const struct arguments *args);

/* The same, and it is there. */
int records_dir(const struct arguments *args, char *text, size_t size);

/* The model of the state directory that is meant, and what its journal is. Returns 0 or the exit code, as above. */
int records_load(const struct arguments *args, struct model **ret_model, struct journal_report *ret_report);

/* --limit, --since and --cycle. The filters return 0 or EXIT_MISUSE after telling the person. */
int64_t records_limit(const struct arguments *args);
int records_since(const struct arguments *args, int64_t *ret_unix_ns); /* 0: not given */
int records_cycle(const struct arguments *args, bool *ret_given, struct cycle_key *ret_key);
/* A state's name to its number. */
int records_state(const struct arguments *args, const struct fsm *fsm, bool *ret_given, uint8_t *ret_state);

/* A list of what a model has: `show` puts every wanted one but the first `skip` into the table, or prints JSON lines
 * where that is NULL; `count` says how many are wanted. */
struct listing {
	const char *noun; /* "orders" */
	const struct table_column *columns;
	size_t column_count;
	size_t (*count)(const struct model *model, const void *wanted);
	void (*show)(const struct model *model, const void *wanted, size_t skip, struct table *table);
};

/* Load the model, print the newest of the list as --limit and --json say. Returns the exit code. */
int records_list(const struct arguments *args, const struct listing *listing, const void *wanted);

/* If older files of the journal were removed: from where on it tells. To stderr. */
void records_say_beginning(const struct journal_report *report);
/* Tell, below a table, how many rows the limit left out. */
void records_say_left_out(size_t total, int64_t limit, const char *noun);

extern const struct table_column order_columns[];
extern const size_t order_column_count;
void order_to_table(const struct order *order, struct table *table);
struct json_object *order_to_json(const struct order *order);

extern const struct table_column fill_columns[];
extern const size_t fill_column_count;
void fill_to_table(const struct order *order, const struct fill *fill, struct table *table);
struct json_object *fill_to_json(const struct fill *fill);

/* A cycle's tables of orders and of fills, below what was printed of it, and their end. False: not all got out. */
bool orders_and_fills_print(struct table *orders, struct table *fills);

extern const struct table_column cycle_columns[];
extern const size_t cycle_column_count;
void cycle_to_table(const struct cycle *cycle, struct table *table);
struct json_object *cycle_to_json(const struct cycle *cycle);

enum style order_style(const struct order *order);
enum style cycle_style(const struct cycle *cycle);

#endif
