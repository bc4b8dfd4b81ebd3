/* The gateway: everything that one run needs, put together. Owner: the loop thread.
 *
 * gateway.c opens and closes it, pipeline.c is the way from tick to order and back, summary.c its figures. Nothing in
 * here knows an exchange, a database or a routing algorithm: they come through plugins. */
#ifndef TRIGATE_CORE_GATEWAY_H
#define TRIGATE_CORE_GATEWAY_H

#include "core/arbitrage/gate.h"
#include "core/audit/audit.h"
#include "core/config/config.h"
#include "core/control/server.h"
#include "core/extensions.h"
#include "core/instance.h"
#include "core/latency.h"
#include "core/notices.h"
#include "core/outside.h"
#include "core/state/decisions.h"
#include "core/state/leases.h"
#include "core/state/statedir.h"
#include "core/state/trimmer.h"
#include "core/store.h"
#include "core/trade/executor.h"
#include "core/trade/portfolio.h"
#include "plugins/host.h"

struct gateway_options {
	const struct gateway_config *config;
	const struct strategy_config *strategy;
	const struct plugin_choice *exchange; /* the one of config->exchange that the strategy names */
	struct registry *registry;
	uint64_t seed;          /* of the gateway's own randomness */
	bool rehearses;         /* decisions are made and told, but no cycle is opened */
	uint32_t cycles_wanted; /* end after so many completed ones; 0: no end */
	struct gateway_events events;
	const struct outside *outside; /* NULL: outside_system */
	struct model_watch watch;      /* told of every move of this run, not of those that the journal tells of */
};

/* How far trading is held back. Each level includes the ones before it. */
enum stop_level { STOP_NONE, STOP_CYCLES, STOP_RISK, STOP_FREEZE };

/* Per cycle definition: what was decided last. */
struct memory {
	int64_t executed_ns;       /* mono; 0: never */
	int64_t cooling_until_ns;  /* mono */
	int64_t skipped_ns;        /* when a skip was last told of */
	uint32_t skipped;          /* its reasons */
	uint32_t unlisted;         /* 1: the strategy's list of cycles does not have it */
	int64_t min_profit_bps_e6; /* from this on it is taken: the list's, else the strategy's */
};

/* What was decided of a cycle, and why. */
struct decided {
	const struct cycle_def *def;
	const struct cycle_plan *plan;
	double gross;
	int64_t threshold_bps_e6;
	uint32_t skip;        /* SKIP_ bits; 0: it is executed, */
	struct cycle_key key; /* as this one */
};

struct gateway {
	struct gateway_options options;
	struct loop *loop;
	struct statedir *statedir;
	struct control_server *control;
	struct keeper keeper;
	struct trimmer *trimmer;
	struct decisions *decisions;
	struct instance exchange;
	struct store store;
	struct instance router;
	struct tg_exchange_events exchange_events;
	struct extensions extensions;
	int64_t last_record_ns; /* unix: of the journal that was found; 0: a new one */
	uint64_t store_stood;   /* in the journal, for which the model was made */

	struct markets *markets;
	struct cycles *cycles;       /* NULL until the link was up */
	struct memory *memory;       /* per cycle */
	uint32_t cycles_listed;      /* how many of them the strategy trades */
	int64_t least_profit_bps_e6; /* the least min_profit_bps_e6 of all: what screening lets through */
	uint32_t cycles_topology;    /* of the markets that they were made from */
	uint8_t *subscribed;         /* per market */
	uint8_t *excluded;           /* per market, by the strategy */
	struct portfolio *portfolio;
	struct slots slots;
	struct leases *leases;
	struct executor executor;

	enum stop_level stop_level;
	bool started;         /* the exchange is, and has to be stopped */
	bool stopping;        /* ends as soon as nothing is open */
	bool end_asked;       /* by a signal or a command: someone waits for the end */
	bool ended;           /* the exchange has no more data */
	bool opened;          /* a cycle was opened in this sweep */
	bool time_bound_skip; /* one was skipped for a reason that time will cure */
	int64_t last_open_ns; /* mono */
	uint64_t sweep_timer;
	bool sweep_armed;
	bool store_behind;    /* no new cycles until it has caught up */
	bool store_given_up;  /* the store could not be brought up to the journal at the end */
	bool journal_stalled; /* it could not be written, which was told; written again then */
	uint64_t journal_timer;
	const char *stop_reason;
	struct tg_error failure; /* what ended the run badly; code 0: nothing */

	struct {
		uint32_t completed, failed, losses_in_a_row, recovered;
		uint64_t ticks, evaluated, decisions, executed, skipped, orders, fills, bad_frames;
		uint64_t books_lost; /* the connector emptied one that it had: it has to be fetched again */
	} count;
	tg_amount pnl[CURRENCIES_MAX]; /* by currency id: what this run's fills and fees changed */
	struct audit *audit;           /* NULL: none is kept */
	const struct decided *opening; /* it is being executed, and not yet told; NULL: none is */
	struct notices notices;
	struct latency tick_to_order;
	struct latency round_trip;
	struct latency parked; /* orders, until their intents were durable */
};

/* Open everything; on an error nothing stays open and ret_error says what to do. */
int gateway_open(const struct gateway_options *options, struct gateway **ret_gateway, struct tg_error *ret_error);

/* Run until the end that was asked for, a stop or a failure. 0, or the code of gateway->failure. */
int gateway_run(struct gateway *gateway);

/* The same in three parts, for a driven loop: start, passes until loop_is_stopped(gateway->loop), finish. A start that
 * failed has stopped the loop; finish may follow it, and ends what the start began. */
int gateway_start(struct gateway *gateway);
int gateway_finish(struct gateway *gateway);

/* End: no new cycles, then leave the loop when nothing is open. The first reason counts. */
void gateway_stop(struct gateway *gateway, const char *reason);
/* The same, told from outside, where someone waits for it: the run has stop_deadline_ms to get there. */
void gateway_end(struct gateway *gateway, const char *reason);
/* The run cannot go on: leave the loop with this error. Returns status. */
int gateway_fail(struct gateway *gateway, int status, const struct tg_error *error);

/* ---- gateway_journal.c */
int gateway_trimmer_open(struct gateway *gateway, struct tg_error *ret_error);
/* While the journal cannot be written nothing is sent and it is tried again each second; when it cannot for good the
 * run ends. 0, or the code of gateway->failure. */
int gateway_check_journal(struct gateway *gateway);
/* The run ends: what waits is tried once more, and what is lost then is the run's failure. */
void gateway_end_journal(struct gateway *gateway);
/* For `trigate status`. Caller owns it. */
struct json_object *gateway_journal_json(struct gateway *gateway);
/* Leave the loop now: what is open is taken up by the next start. */
void gateway_stop_now(struct gateway *gateway);
void gateway_stop_level(struct gateway *gateway, enum stop_level level);

/* Stop the exchange, bring the store up to date, give slots back, close. NULL is allowed. */
void gateway_close(struct gateway *gateway);

/* ---- pipeline.c */
void pipeline_events(struct gateway *gateway, struct tg_exchange_events *ret_events);
void pipeline_pass_end(void *ctx);
void pipeline_executor_events(struct gateway *gateway, struct executor_events *ret_events);

/* ---- universe.c: which markets and cycles are traded. [control] */
int universe_build(struct gateway *gateway, struct tg_error *ret_error);

/* ---- gateway_control.c: commands that come through control.sock */
int gateway_command(void *ctx, const char *command, struct json_object *request, struct json_object *reply);

/* ---- gateway_slots.c */
void gateway_slots_name(struct gateway *gateway); /* the groups and their limits */
int gateway_slots_open(struct gateway *gateway, struct tg_error *ret_error);
void gateway_slots_close(struct gateway *gateway);
void gateway_slots_tell(const struct gateway *gateway, struct json_object *object); /* for `trigate status` */

/* ---- summary.c */
struct json_object *gateway_summary(struct gateway *gateway);
/* What one unit of a currency brings in another the shortest way the router finds now; 0: none. A score, not money. */
double gateway_price(struct gateway *gateway, uint32_t from, uint32_t to);

#endif
