/* Configuration: two YAML files in, checked structures out. Owner: whoever loaded it; read-only afterwards. [control]
 *
 * The gateway file says where and through what (state directory, plugins, exchanges, keys, storage, router, clock,
 * log); the strategy file says what to trade and within which limits. One table per file (keys.h) holds every known key
 * with its type, range, unit, default and whether it works yet; checking, defaults, help and docs all read that table.
 */
#ifndef TRIGATE_CORE_CONFIG_CONFIG_H
#define TRIGATE_CORE_CONFIG_CONFIG_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <trigate/amount.h>

/* One finding. text is the whole line for a person: "FILE:LINE:COLUMN: KEY.PATH: what is wrong; what is allowed". */
struct config_problem {
	bool warning;
	char *file;
	int line;
	int column;
	char *key; /* dotted path, "order.monitoring.jitter_factor" */
	char *text;
};

struct config_report {
	struct config_problem *problem;
	size_t count;
	size_t errors;
	size_t warnings;
};
void config_report_clear(struct config_report *report);
/* Every problem as a line, errors as "error: TEXT", warnings as "warning: TEXT". */
void config_report_print(const struct config_report *report, FILE *out);

struct string_list {
	char **item;
	size_t count;
};
void string_list_clear(struct string_list *list);

/* One line of a cycle list: a cycle that a strategy may trade. Symbols as they stand in the file. */
struct listed_cycle {
	char *currency[3]; /* base, inter, quote */
	char *market[3];   /* pair1, pair2, pair3 */
	int64_t fee_bps_e6;
	int64_t min_profit_bps_e6;
	int line;
};
struct cycle_list { /* in the order of their markets; of lines with the same markets the first one only */
	struct listed_cycle *cycle;
	size_t count;
};

/* A plugin of one kind with its own settings. `settings` is an object (empty if none are given); `origin` finds the
 * line of a path in it when the plugin's schema refuses it. */
struct plugin_choice {
	char *name; /* of the exchange entry: what a strategy calls it; "" for storage and router */
	const void *origin;
	char *plugin; /* plugin id */
	struct json_object *settings;
};

/* Where one API key comes from. Of path, prefix and credential there is the one that `from` needs, the others are NULL.
 */
struct key_choice {
	char *name; /* what an exchange's settings call it */
	const void *origin;
	char *from;       /* file | env | credential */
	char *path;       /* resolved against the gateway file's folder, but for a leading "~/" */
	char *prefix;     /* of the environment variables */
	char *credential; /* of systemd */
	char *encoding;   /* of the secret: text | base64 | hex */
};

struct gateway_config {
	char *file;
	char *state_dir;
	char *gateway_id; /* 4 hex digits, unique per account */
	struct string_list plugin_path;
	struct plugin_choice *exchange; /* at least one */
	size_t exchange_count;
	struct key_choice *key;
	size_t key_count;
	struct plugin_choice storage;
	struct plugin_choice router;
	int64_t storage_batch_rows;
	int64_t storage_batch_ms;
	int64_t storage_retention_days; /* 0: all is kept */
	struct {
		int64_t connections;
		int64_t timeout_ms;
		int64_t recycle_s;
		int64_t idle_check_s;
	} storage_pool;
	struct {
		int64_t entries;
		int64_t ttl_ms;
	} storage_cache;
	int64_t slot_ttl_ms;
	struct {
		char *group;
		int64_t max_open_cycles;
		int64_t ahead;
	} slots;
	char *clock_mode; /* real | virtual */
	bool virtual_clock;
	int64_t clock_speed_e3; /* virtual: per wall time, thousandths; 0: as fast as possible */
	char *log_level;
	struct {
		char *ca_file; /* resolved against the gateway file's folder; NULL: the system's authorities */
		char *proxy;   /* "http://HOST:PORT"; NULL: none */
		bool busy_poll;
		bool allow_plain;
	} network;
	struct {
		char *mode; /* live | always | off */
		int64_t file_mib;
		int64_t files;
	} audit;
	struct {
		int64_t file_mib;
		int64_t keep_files;
		char *durability; /* process | power */
		bool power;       /* the latter */
	} journal;
	int64_t stop_deadline_ms;
	char *strategy_file; /* resolved against the gateway file's folder; NULL if none */
	void *document;      /* private: keeps origins alive */
};

/* bps fields end in _bps_e6: millionths of a basis point. Fractions end in _e9. Names and defaults: SURFACE keys. */
struct strategy_config {
	char *file;
	char *name;
	char *exchange;
	char *trading_pairs_file; /* resolved against the strategy file's folder; NULL: all cycles */
	struct cycle_list listed; /* what that file lists; read and checked with the strategy */
	int64_t min_profit_bps_e6;
	int64_t max_profit_bps_e6;
	int64_t max_slippage_bps_e6;
	int64_t max_leg_latency_ms;
	int64_t max_quote_age_ms;
	int64_t max_legs;
	struct string_list
		base_currencies; /* currencies a cycle may start in, by preference (allowed_base_currencies) */
	struct string_list allowed_symbols; /* empty: all */
	struct string_list blacklisted_pairs;
	struct {
		char *mode; /* fixed_amount | fixed_fraction (kelly, risk_parity: known, not yet) */
		int64_t fraction_e9;
		tg_amount amount;
		tg_amount max_allocation;
	} capital_allocation;
	struct {
		int64_t max_open_cycles;
		int64_t stop_after_consecutive_losses; /* 0: never */
		int64_t slippage_cooldown_seconds;
		bool enable_latency_checks;
		bool enable_slippage_checks;
		int64_t duplicate_suppression_window_ms;
	} risk_controls;
	struct {
		bool given; /* else the exchange's own fees count */
		int64_t taker_e9;
		int64_t maker_e9;
	} fees;
	struct {
		char *type; /* limit | market: both are limit-IOC at the cap */
		bool allow_partial_fills;
		int64_t min_partial_fill_e9;
		int64_t max_retries;
		int64_t retry_delay_ms;
		struct {
			int64_t initial_delay_ms;
			int64_t max_delay_ms;
			int64_t backoff_multiplier_e3;
			int64_t jitter_factor_e9;
		} monitoring;
	} order;
	char *execution_mode; /* live | paper | backtest: the last two without effect yet */
	void *document;       /* private: keeps the places of keys */
};

/* Which of the two a file is, by its top-level keys; CONFIG_UNKNOWN if it cannot be read or told. */
enum config_kind { CONFIG_UNKNOWN, CONFIG_GATEWAY, CONFIG_STRATEGY };
enum config_kind config_kind_of(const char *path);

/* Load and check. Returns 0, or TG_ERR_INVALID when the report has errors (with `strict` warnings count as errors),
 * TG_ERR_IO when the file cannot be read (also in the report). On an error *ret is NULL. */
int gateway_config_load(const char *path, bool strict, struct config_report *report, struct gateway_config **ret);
void gateway_config_free(struct gateway_config *config);
int strategy_config_load(const char *path, bool strict, struct config_report *report, struct strategy_config **ret);
void strategy_config_free(struct strategy_config *config);

/* The same from memory; `name` stands for the file in messages and its folder is where relative paths start. */
int gateway_config_parse(const char *name, const char *text, size_t len, bool strict, struct config_report *report,
			 struct gateway_config **ret);
int strategy_config_parse(const char *name, const char *text, size_t len, bool strict, struct config_report *report,
			  struct strategy_config **ret);

/* Do the two fit together: the exchange that the strategy names is one of the gateway's. 0 or TG_ERR_INVALID. */
int config_pair_check(const struct gateway_config *gateway, const struct strategy_config *strategy,
		      struct config_report *report);

/* May this market be traded: it is in allowed_symbols, if that lists any, and not in blacklisted_pairs. Symbols are the
 * same however they are written: BTC/USDT, BTC-USDT, btcusdt. */
bool strategy_market_allowed(const struct strategy_config *strategy, const char *symbol);

/* May a cycle over these markets be traded: there is no cycle list, or it has a line with the same three markets in
 * whatever order. *ret_line is that line, which has its own fee and least profit; NULL without a list. */
bool strategy_cycle_allowed(const struct strategy_config *strategy, const char *const *markets, size_t count,
			    const struct listed_cycle **ret_line);

/* The reference of all keys as Markdown, from the tables. */
void config_keys_print(FILE *out);

/* Add an error at a path ("balances/USDT") inside a plugin's settings, positioned in the gateway file. */
void config_plugin_problem(struct config_report *report, const struct gateway_config *config,
			   const struct plugin_choice *choice, const char *path, const char *text);

#endif
