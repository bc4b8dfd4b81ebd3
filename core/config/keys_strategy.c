/* The keys of a strategy file: those that work, then those that are known and come later. Long because it is one table
 * of all keys that users of the system before this one have in their files. */
#include "core/config/config.h"
#include "core/config/keys.h"
#include "core/config/rules.h"

#define AT(member) offsetof(struct strategy_config, member)

#define BPS .unit = "bps", .low = "0", .high = "10000"
#define DELAY_MS .unit = "ms", .low = "0", .high = "300000"
#define FRACTION .unit = "fraction", .low = "0.001", .high = "1", .places = 9

#define LATER_GROUP(name, text) \
	{ \
		.path = (name), .type = KEY_MAP, .about = (text) \
	}
#define LATER_BOOL(name, value, text) \
	{ \
		.path = (name), .type = KEY_BOOL, .flags = KEY_LATER, .otherwise = (value), .about = (text) \
	}
#define LATER_BPS(name, value, text) \
	{ \
		.path = (name), .type = KEY_NUMBER, .flags = KEY_LATER, BPS, .places = 6, .otherwise = (value), \
		.about = (text) \
	}
#define LATER_MS(name, value, text) \
	{ \
		.path = (name), .type = KEY_NUMBER, .flags = KEY_LATER, DELAY_MS, .otherwise = (value), \
		.about = (text) \
	}
#define LATER_FRACTION(name, value, text) \
	{ \
		.path = (name), .type = KEY_NUMBER, .flags = KEY_LATER, FRACTION, .otherwise = (value), \
		.about = (text) \
	}
#define LATER_NUMBER(name, of, least, most, digits, value, text) \
	{ \
		.path = (name), .type = KEY_NUMBER, .flags = KEY_LATER, .unit = (of), .low = (least), .high = (most), \
		.places = (digits), .otherwise = (value), .about = (text) \
	}
#define LATER_AMOUNT(name, of, value, text) \
	{ \
		.path = (name), .type = KEY_AMOUNT, .flags = KEY_LATER, .unit = (of), .low = "0", \
		.otherwise = (value), .about = (text) \
	}
#define LATER_CURRENCIES(name, value, text) \
	{ \
		.path = (name), .type = KEY_LIST, .flags = KEY_LATER, .rule = rule_currency, .otherwise = (value), \
		.about = (text) \
	}
#define LATER_TEXT(name, value, text) \
	{ \
		.path = (name), .type = KEY_TEXT, .flags = KEY_LATER, .otherwise = (value), .about = (text) \
	}
#define LATER_CHOICE(name, words, value, text) \
	{ \
		.path = (name), .type = KEY_CHOICE, .flags = KEY_LATER, .choices = (words), .otherwise = (value), \
		.about = (text) \
	}

static const struct key keys[] = {
	{.path = "name",
	 .type = KEY_TEXT,
	 .flags = KEY_REQUIRED,
	 .offset = AT(name),
	 .rule = rule_name,
	 .about = "what the strategy is called in logs and in the database"},
	{.path = "exchange",
	 .type = KEY_TEXT,
	 .flags = KEY_REQUIRED,
	 .offset = AT(exchange),
	 .rule = rule_word,
	 .about = "name of the exchange to trade on, as in the gateway file"},
	{.path = "trading_pairs_file",
	 .type = KEY_TEXT,
	 .offset = AT(trading_pairs_file),
	 .about =
		 "cycle list (CSV `base,inter,quote,pair1,pair2,pair3,fee_bps,min_profit_bps`): only these cycles are traded; "
		 "seen from this file's folder"},
	{.path = "min_profit_bps",
	 .type = KEY_NUMBER,
	 .offset = AT(min_profit_bps_e6),
	 .unit = "bps",
	 .low = "-1000",
	 .high = "10000",
	 .places = 6,
	 .otherwise = "5",
	 .about = "least profit of a cycle, net of fees, for which it is traded"},
	{.path = "max_profit_bps",
	 .type = KEY_NUMBER,
	 .offset = AT(max_profit_bps_e6),
	 BPS,
	 .places = 6,
	 .otherwise = "500",
	 .about = "profit above which a cycle is taken for a fault in the data and skipped"},
	{.path = "max_slippage_bps",
	 .type = KEY_NUMBER,
	 .offset = AT(max_slippage_bps_e6),
	 BPS,
	 .places = 6,
	 .otherwise = "20",
	 .about = "a cycle that ends further below its plan than this rests for slippage_cooldown_seconds"},
	{.path = "max_leg_latency_ms",
	 .type = KEY_NUMBER,
	 .offset = AT(max_leg_latency_ms),
	 .unit = "ms",
	 .low = "1",
	 .high = "300000",
	 .otherwise = "1000",
	 .about = "an order without an end after so long is of unknown outcome and is asked for"},
	{.path = "max_quote_age_ms",
	 .type = KEY_NUMBER,
	 .offset = AT(max_quote_age_ms),
	 .unit = "ms",
	 .low = "0",
	 .high = "300000",
	 .otherwise = "2000",
	 .about = "a quote older than this makes no opportunity; 0: any age will do"},
	{.path = "max_legs",
	 .type = KEY_NUMBER,
	 .offset = AT(max_legs),
	 .unit = "trades",
	 .low = "3",
	 .high = "5",
	 .otherwise = "3",
	 .about = "longest cycle that is looked for"},
	{.path = "allowed_base_currencies",
	 .type = KEY_LIST,
	 .offset = AT(base_currencies),
	 .rule = rule_currency,
	 .otherwise = "USDT, USDC",
	 .about = "currencies in which a cycle may start and end, the preferred first"},
	{.path = "allowed_symbols",
	 .type = KEY_LIST,
	 .offset = AT(allowed_symbols),
	 .rule = rule_symbol,
	 .otherwise = "",
	 .about = "markets that may be traded, as the exchange writes them; empty: all"},
	{.path = "blacklisted_pairs",
	 .type = KEY_LIST,
	 .offset = AT(blacklisted_pairs),
	 .rule = rule_symbol,
	 .otherwise = "",
	 .about = "markets that must not be traded"},

	{.path = "capital_allocation", .type = KEY_MAP, .about = "how much a cycle starts with"},
	{.path = "capital_allocation.mode",
	 .type = KEY_CHOICE,
	 .offset = AT(capital_allocation.mode),
	 .choices = "fixed_amount|fixed_fraction",
	 .refused = "kelly|risk_parity",
	 .otherwise = "fixed_fraction",
	 .about = "fixed_amount: `amount`; fixed_fraction: `fraction` of what is free of the start currency"},
	{.path = "capital_allocation.fraction",
	 .type = KEY_NUMBER,
	 .offset = AT(capital_allocation.fraction_e9),
	 FRACTION,
	 .otherwise = "0.1",
	 .about = "share of the free balance; for fixed_fraction"},
	{.path = "capital_allocation.amount",
	 .type = KEY_AMOUNT,
	 .offset = AT(capital_allocation.amount),
	 .unit = "start currency",
	 .low = "0",
	 .about = "amount a cycle starts with; needed for fixed_amount"},
	{.path = "capital_allocation.max_allocation",
	 .type = KEY_AMOUNT,
	 .offset = AT(capital_allocation.max_allocation),
	 .unit = "start currency",
	 .low = "0",
	 .otherwise = "0",
	 .about = "most a cycle may start with; 0: no bound"},

	{.path = "risk_controls", .type = KEY_MAP, .about = "when no new cycle is begun"},
	{.path = "risk_controls.max_open_cycles",
	 .type = KEY_NUMBER,
	 .offset = AT(risk_controls.max_open_cycles),
	 .unit = "cycles",
	 .low = "1",
	 .high = "100",
	 .otherwise = "3",
	 .about = "cycles open at one time"},
	{.path = "risk_controls.stop_after_consecutive_losses",
	 .type = KEY_NUMBER,
	 .offset = AT(risk_controls.stop_after_consecutive_losses),
	 .unit = "cycles",
	 .low = "0",
	 .high = "1000",
	 .otherwise = "5",
	 .about = "no new cycle after so many losses in a row; 0: never"},
	{.path = "risk_controls.slippage_cooldown_seconds",
	 .type = KEY_NUMBER,
	 .offset = AT(risk_controls.slippage_cooldown_seconds),
	 .unit = "s",
	 .low = "0",
	 .high = "86400",
	 .otherwise = "300",
	 .about = "rest of a cycle after it ended further below its plan than max_slippage_bps"},
	{.path = "risk_controls.enable_latency_checks",
	 .type = KEY_BOOL,
	 .offset = AT(risk_controls.enable_latency_checks),
	 .otherwise = "true",
	 .about = "hold max_leg_latency_ms; false: 10 s"},
	{.path = "risk_controls.enable_slippage_checks",
	 .type = KEY_BOOL,
	 .offset = AT(risk_controls.enable_slippage_checks),
	 .otherwise = "true",
	 .about = "hold the cooldown after slippage"},
	{.path = "risk_controls.duplicate_suppression_window_seconds",
	 .type = KEY_NUMBER,
	 .offset = AT(risk_controls.duplicate_suppression_window_ms),
	 .places = 3,
	 .unit = "s",
	 .low = "0",
	 .high = "3600",
	 .otherwise = "2",
	 .about = "a cycle is not begun again within this time"},

	{.path = "fees", .type = KEY_MAP, .about = "fees to reckon with; when missing, those that the exchange states"},
	{.path = "fees.taker_bps",
	 .type = KEY_NUMBER,
	 .offset = AT(fees.taker_e9),
	 BPS,
	 .places = 5,
	 .about = "fee of an order that takes; default: the exchange's own"},
	{.path = "fees.maker_bps",
	 .type = KEY_NUMBER,
	 .offset = AT(fees.maker_e9),
	 BPS,
	 .places = 5,
	 .about = "fee of an order that rests; default: taker_bps"},

	{.path = "order", .type = KEY_MAP, .about = "how orders are sent"},
	{.path = "order.type",
	 .type = KEY_CHOICE,
	 .offset = AT(order.type),
	 .choices = "limit|market",
	 .refused = "stop",
	 .otherwise = "limit",
	 .about =
		 "both are sent as limit orders, immediate or cancel, at the worst price that its size was planned with"},
	{.path = "order.allow_partial_fills",
	 .type = KEY_BOOL,
	 .offset = AT(order.allow_partial_fills),
	 .otherwise = "true",
	 .about = "take part of what was ordered; false: orders are fill-or-kill, but for the way back"},
	{.path = "order.min_partial_fill_percentage",
	 .type = KEY_NUMBER,
	 .offset = AT(order.min_partial_fill_e9),
	 FRACTION,
	 .otherwise = "0.95",
	 .about = "least share of the last leg that makes a cycle completed"},
	{.path = "order.max_retries",
	 .type = KEY_NUMBER,
	 .offset = AT(order.max_retries),
	 .unit = "times",
	 .low = "0",
	 .high = "10",
	 .otherwise = "3",
	 .about = "new orders for what is left of a leg, each under an id of its own"},
	{.path = "order.retry_delay_ms",
	 .type = KEY_NUMBER,
	 .offset = AT(order.retry_delay_ms),
	 DELAY_MS,
	 .otherwise = "1000",
	 .about = "wait before such an order"},
	{.path = "order.monitoring", .type = KEY_MAP, .about = "how an order without news is asked for"},
	{.path = "order.monitoring.initial_delay_ms",
	 .type = KEY_NUMBER,
	 .offset = AT(order.monitoring.initial_delay_ms),
	 DELAY_MS,
	 .otherwise = "100",
	 .about = "wait before the first look-up; less than max_delay_ms"},
	{.path = "order.monitoring.max_delay_ms",
	 .type = KEY_NUMBER,
	 .offset = AT(order.monitoring.max_delay_ms),
	 DELAY_MS,
	 .otherwise = "5000",
	 .about = "longest wait between two look-ups"},
	{.path = "order.monitoring.backoff_multiplier",
	 .type = KEY_NUMBER,
	 .offset = AT(order.monitoring.backoff_multiplier_e3),
	 .places = 3,
	 .unit = "times",
	 .low = "1",
	 .high = "100",
	 .otherwise = "2",
	 .about = "each wait is this much longer than the one before"},
	{.path = "order.monitoring.jitter_factor",
	 .type = KEY_NUMBER,
	 .offset = AT(order.monitoring.jitter_factor_e9),
	 .places = 9,
	 .unit = "fraction",
	 .low = "0",
	 .high = "1",
	 .otherwise = "0.3",
	 .about = "waits vary by up to this share"},

	{.path = "execution", .type = KEY_MAP, .about = "what the orders meet"},
	{.path = "execution.mode",
	 .type = KEY_CHOICE,
	 .offset = AT(execution_mode),
	 .choices = "live|paper|backtest",
	 .otherwise = "live",
	 .about = "live: the exchange of the gateway file, whatever it is; paper and backtest have no effect yet"},

	/* Known, without effect yet. */
	LATER_NUMBER("volatility_window_size", "quotes", "2", "100000", 0, NULL,
		     "quotes over which volatility is measured"),
	LATER_NUMBER("sigma_multiplier", "times", "0", "100", 6, NULL, "volatility added to the threshold"),
	LATER_BOOL("use_bid_ask", "true", "reckon with bid and ask instead of the last price"),
	LATER_BPS("safety_margin_bps", NULL, "added to the threshold"),
	LATER_BPS("spread_buffer_bps", NULL, "added to the threshold for wide spreads"),
	LATER_BPS("wide_spread_threshold_bps", NULL, "spread that counts as wide"),

	LATER_BOOL("risk_controls.enable_kill_switch", "true", "stop by file"),
	LATER_AMOUNT("risk_controls.max_position_size", "start currency", NULL, "most that is bound in open cycles"),
	LATER_AMOUNT("risk_controls.daily_loss_limit", "start currency", NULL,
		     "no new cycle after such a loss in a day"),

	LATER_BOOL("order.revalidate_before_execution", "false", "look at the quote again before each leg"),
	LATER_MS("order.revalidation_timeout_ms", NULL, "longest time for that look"),
	LATER_MS("order.monitoring.rapid_check_threshold_ms", "2000", "age up to which an order is looked up rapidly"),
	LATER_MS("order.monitoring.rapid_check_interval_ms", "50", "wait between rapid look-ups"),
	LATER_FRACTION("order.monitoring.rate_limit_buffer", "0.8", "share of the exchange's rate limit to use"),
	LATER_MS("order.monitoring.min_request_interval_ms", "50", "least time between two requests"),
	LATER_MS("order.monitoring.cache_ttl_ms", "500", "how long an answer is good"),

	LATER_GROUP("panic_sell", "selling what a failed cycle holds"),
	LATER_BOOL("panic_sell.enabled", "true", "sell by the best way instead of the way it came"),
	LATER_CURRENCIES("panic_sell.base_currencies", "USDT, USDC", "currencies to end in"),
	LATER_BPS("panic_sell.max_slippage_bps", "100", "slippage of a direct sale"),
	LATER_BOOL("panic_sell.use_enhanced_routing", "true", "look for ways over several markets"),
	LATER_CURRENCIES("panic_sell.preferred_intermediaries", "BTC, ETH, BNB", "currencies to go through"),
	LATER_BPS("panic_sell.max_total_slippage_bps", "200", "slippage of a whole way"),
	LATER_BPS("panic_sell.max_single_hop_slippage_bps", "100", "slippage of one trade of it"),
	LATER_NUMBER("panic_sell.max_hops", "trades", "1", "10", 0, "4", "longest way"),
	LATER_AMOUNT("panic_sell.min_liquidity_usd", "USD", "1000", "least depth of a market on the way"),
	LATER_NUMBER("panic_sell.max_paths_to_evaluate", "ways", "1", "1000", 0, "10", "ways that are compared"),
	LATER_NUMBER("panic_sell.liquidity_weight", NULL, "0", "1", 9, "0.4", "weight of depth in the comparison"),
	LATER_NUMBER("panic_sell.slippage_weight", NULL, "0", "1", 9, "0.4", "weight of slippage in the comparison"),
	LATER_NUMBER("panic_sell.hop_penalty_weight", NULL, "0", "1", 9, "0.2", "weight of length in the comparison"),
	LATER_NUMBER("panic_sell.retry_attempts", "times", "0", "100", 0, "2", "further tries"),
	LATER_MS("panic_sell.retry_delay_ms", "500", "wait before a further try"),
	LATER_FRACTION("panic_sell.partial_fill_threshold", "0.95", "share that counts as sold"),
	LATER_MS("panic_sell.cache_ttl_ms", "10000", "how long a way found is good"),
	LATER_MS("panic_sell.path_timeout_ms", "5000", "longest time for a way"),
	LATER_BPS("panic_sell.volatility_threshold_bps", "500", "volatility above which less is sold at a time"),
	LATER_BPS("panic_sell.extreme_spread_bps", "200", "spread above which a market is avoided"),

	LATER_GROUP("recovery", "what is done with the cycles of an earlier run"),
	LATER_NUMBER("recovery.max_cycle_age_seconds", "s", "0", "31536000", 0, "3600",
		     "older cycles are closed, not continued"),
	LATER_NUMBER("recovery.max_order_age_seconds", "s", "0", "31536000", 0, "300", "older orders are cancelled"),

	LATER_GROUP("execution.paper", "orders against made-up fills"),
	LATER_BPS("execution.paper.fee_bps", "30", "fee"),
	LATER_FRACTION("execution.paper.fill_ratio", "0.95", "share of an order that fills"),
	LATER_BPS("execution.paper.spread_padding_bps", "5", "worsening of each price"),
	LATER_MS("execution.paper.latency_sim_ms", "50", "time an order takes"),
	LATER_NUMBER("execution.paper.random_seed", NULL, "0", NULL, 0, NULL, "seed of chance"),
	{.path = "execution.paper.initial_balances",
	 .type = KEY_AMOUNTS,
	 .flags = KEY_LATER,
	 .rule = rule_currency,
	 .low = "0",
	 .about = "balances to start with"},
	LATER_GROUP("execution.paper.slippage_model", "how prices slip"),
	LATER_BPS("execution.paper.slippage_model.base_slippage_bps", "2", "always"),
	LATER_NUMBER("execution.paper.slippage_model.volatility_multiplier", "times", "0", "1000", 6, "1.5",
		     "with volatility"),
	LATER_BPS("execution.paper.slippage_model.random_component_bps", "3", "by chance"),
	LATER_BPS("execution.paper.slippage_model.adverse_selection_bps", "1", "because others know more"),
	LATER_GROUP("execution.paper.market_impact", "how size moves the price"),
	LATER_BOOL("execution.paper.market_impact.enabled", NULL, "whether it does"),
	LATER_NUMBER("execution.paper.market_impact.impact_coefficient", "bps per 1,000 notional", "0", "10000", 6,
		     "0.1", "by how much"),
	LATER_BPS("execution.paper.market_impact.max_impact_bps", "50", "at most"),
	LATER_GROUP("execution.paper.partial_fill_model", "how orders fill in parts"),
	LATER_BOOL("execution.paper.partial_fill_model.enabled", NULL, "whether they do"),
	LATER_FRACTION("execution.paper.partial_fill_model.min_fill_ratio", "0.3", "least share"),
	LATER_MS("execution.paper.partial_fill_model.fill_time_spread_ms", "500", "over which time"),
	LATER_AMOUNT("execution.paper.partial_fill_model.large_order_threshold", "quote currency", "1000",
		     "orders from this size on"),

	LATER_GROUP("execution.backtest", "orders against recorded prices"),
	LATER_TEXT("execution.backtest.data_file", NULL, "CSV `timestamp,symbol,bid,ask,last,volume`"),
	{.path = "execution.backtest.start_time",
	 .type = KEY_MOMENT,
	 .flags = KEY_LATER,
	 .about = "first moment; before end_time"},
	{.path = "execution.backtest.end_time", .type = KEY_MOMENT, .flags = KEY_LATER, .about = "last moment"},
	LATER_NUMBER("execution.backtest.time_acceleration", "times", "0", "1000000", 6, "1",
		     "recorded seconds per second"),
	LATER_NUMBER("execution.backtest.random_seed", NULL, "0", NULL, 0, "42", "seed of chance"),
	{.path = "execution.backtest.initial_balances",
	 .type = KEY_AMOUNTS,
	 .flags = KEY_LATER,
	 .rule = rule_currency,
	 .low = "0",
	 .about = "balances to start with"},
	LATER_GROUP("execution.backtest.slippage_model", "how prices slip"),
	LATER_BPS("execution.backtest.slippage_model.base_slippage_bps", "3", "always"),
	LATER_NUMBER("execution.backtest.slippage_model.size_impact_coefficient", NULL, "0", "10000", 6, "0.05",
		     "with size"),
	LATER_BPS("execution.backtest.slippage_model.max_slippage_bps", "100", "at most"),
	LATER_BPS("execution.backtest.slippage_model.random_component_bps", "2", "by chance"),
	LATER_GROUP("execution.backtest.fill_model", "how orders fill"),
	LATER_FRACTION("execution.backtest.fill_model.fill_probability", "0.98", "chance that one fills"),
	LATER_AMOUNT("execution.backtest.fill_model.partial_fill_threshold", "quote currency", "1000",
		     "orders from this size on fill in parts"),
	LATER_FRACTION("execution.backtest.fill_model.min_fill_ratio", "0.3", "least share"),
	LATER_MS("execution.backtest.fill_model.max_fill_time_ms", "1000", "longest time"),

	LATER_GROUP("simulation", "an exchange made up in the process"),
	LATER_BOOL("simulation.enable", NULL, "whether to use it"),
	LATER_NUMBER("simulation.book_depth_levels", "levels", "1", "1000", 0, "5", "levels of its books"),
	LATER_MS("simulation.latency_ms", "0", "time its answers take"),

	LATER_GROUP("reconciliation", "what is done when books and balances differ"),
	LATER_GROUP("reconciliation.partial_fills", "the rest of a partly filled leg"),
	LATER_BOOL("reconciliation.partial_fills.enabled", NULL, "whether to act"),
	LATER_BPS("reconciliation.partial_fills.hedge_threshold_bps", NULL,
		  "hedge from this; less than cancel_threshold_bps"),
	LATER_BPS("reconciliation.partial_fills.cancel_threshold_bps", NULL, "cancel from this"),
	LATER_MS("reconciliation.partial_fills.max_wait_time_ms", NULL, "longest wait for the rest"),
	LATER_GROUP("reconciliation.position_tracking", "expected against real balances"),
	LATER_BOOL("reconciliation.position_tracking.enabled", NULL, "whether to compare"),
	LATER_BPS("reconciliation.position_tracking.tolerance_bps", NULL, "difference that is let pass"),
	LATER_BOOL("reconciliation.position_tracking.reconcile_on_cycle_end", NULL, "compare at each end of a cycle"),
	LATER_GROUP("reconciliation.slippage_decisions", "a leg that slipped"),
	LATER_BOOL("reconciliation.slippage_decisions.hedge_on_high_slippage", NULL, "hedge"),
	LATER_BOOL("reconciliation.slippage_decisions.cancel_on_extreme_slippage", NULL, "cancel"),
	LATER_BOOL("reconciliation.slippage_decisions.dynamic_thresholds", NULL, "thresholds by volatility"),

	LATER_GROUP("observability", "metrics and logs"),
	LATER_GROUP("observability.metrics", "figures for Prometheus"),
	LATER_BOOL("observability.metrics.enabled", NULL, "whether to serve them"),
	LATER_NUMBER("observability.metrics.port", "port", "1", "65535", 0, NULL, "where"),
	LATER_TEXT("observability.metrics.path", NULL, "under which path"),
	LATER_BOOL("observability.metrics.expose", NULL, "to other machines too"),
#define LOG_LEVELS "debug|info|warning|error|critical|DEBUG|INFO|WARNING|ERROR|CRITICAL"
#define LOGGING(group) \
	LATER_CHOICE(group ".level", LOG_LEVELS, NULL, "least level; the gateway file's log.level works"), \
		LATER_BOOL(group ".trade_csv", NULL, "trades as CSV"), \
		LATER_BOOL(group ".risk_json", NULL, "risk events as JSON"), \
		LATER_BOOL(group ".daily_rolling", NULL, "a new file each day"), \
		LATER_NUMBER(group ".max_log_files", "files", "1", "10000", 0, "30", "files that are kept"), \
		LATER_BOOL(group ".structured_format", NULL, "fields instead of text"), \
		LATER_BOOL(group ".include_metadata", NULL, "where a line comes from")
	LATER_GROUP("observability.logging", "log files"),
	LOGGING("observability.logging"),
	LATER_GROUP("logging", "the same as observability.logging"),
	LOGGING("logging"),
};

static const struct key_order orders[] = {
	{"min_profit_bps", "max_profit_bps", true},
	{"order.monitoring.initial_delay_ms", "order.monitoring.max_delay_ms", false},
	{"reconciliation.partial_fills.hedge_threshold_bps", "reconciliation.partial_fills.cancel_threshold_bps",
	 false},
	{"execution.backtest.start_time", "execution.backtest.end_time", false},
};

const struct key_table strategy_keys = {
	.what = "strategy",
	.key = keys,
	.count = sizeof keys / sizeof *keys,
	.order = orders,
	.order_count = sizeof orders / sizeof *orders,
};
