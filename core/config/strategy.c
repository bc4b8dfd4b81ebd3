#include <stdlib.h>
#include <string.h>

#include <trigate/abi.h>

#include "core/base/nearest.h"
#include "core/config/check.h"
#include "core/config/memory.h"
#include "core/config/pairs.h"
#include "core/config/select.h"
#include "core/config/text.h"

#define EXCHANGES_NAMED 20 /* in a message */

static void allocation_check(const struct check *check, const struct strategy_config *config)
{
	bool fixed = config->capital_allocation.mode && strcmp(config->capital_allocation.mode, "fixed_amount") == 0;
	tg_amount amount = config->capital_allocation.amount, most = config->capital_allocation.max_allocation;

	if (fixed && !check_given(check, "capital_allocation.amount"))
		check_error(check, "capital_allocation.amount", "is missing; mode fixed_amount needs it");
	else if (fixed && amount == 0)
		check_error(check, "capital_allocation.amount", "is 0; mode fixed_amount could begin no cycle");
	if (amount > 0 && most > 0 && amount > most)
		check_error(check, "capital_allocation.amount", "is more than capital_allocation.max_allocation");
}

static void fees_check(const struct check *check, struct strategy_config *config)
{
	bool taker = check_given(check, "fees.taker_bps"), maker = check_given(check, "fees.maker_bps");

	config->fees.given = taker;
	if (maker && !taker)
		check_error(check, "fees.taker_bps", "is missing; every order takes, so maker_bps alone says nothing");
	if (taker && !maker)
		config->fees.maker_e9 = config->fees.taker_e9;
}

#define LISTS_COMPARED_MAX 2000 /* of each list; beyond, the pairwise look would take too long */

static void lists_check(const struct check *check, const struct strategy_config *config)
{
	for (size_t i = 0; i < config->blacklisted_pairs.count && i < LISTS_COMPARED_MAX; i++) {
		for (size_t k = 0; k < config->allowed_symbols.count && k < LISTS_COMPARED_MAX; k++) {
			char path[48];

			if (!symbols_same(config->blacklisted_pairs.item[i], config->allowed_symbols.item[k]))
				continue;
			snprintf(path, sizeof path, "blacklisted_pairs.%zu", i);
			check_error(check, path, "%s is also in allowed_symbols; a market is one or the other",
				    config->blacklisted_pairs.item[i]);
		}
	}
	if (check_given(check, "allowed_base_currencies") && config->base_currencies.count == 0)
		check_error(check, "allowed_base_currencies", "is empty; no cycle could start");
}

static void mode_check(const struct check *check, const struct strategy_config *config)
{
	const char *mode = config->execution_mode;

	if (mode && strcmp(mode, "live") != 0)
		check_warning(
			check, "execution.mode",
			"%s is known, but has no effect yet: orders go to the exchange that the gateway file names",
			mode);
}

static void listed_load(const struct check *check, struct strategy_config *config)
{
	char *path;

	if (config->trading_pairs_file == NULL)
		return;
	path = file_beside(config->file, config->trading_pairs_file);
	free(config->trading_pairs_file);
	config->trading_pairs_file = path;
	if (pairs_load(path, check->report, &config->listed) != 0)
		check_error(check, "trading_pairs_file", "the cycle list %s cannot be used", report_show(path).text);
}

int strategy_config_parse(const char *name, const char *text, size_t len, bool strict, struct config_report *report,
			  struct strategy_config **ret)
{
	struct strategy_config *config = memory_new(sizeof *config);
	size_t first = report->count;
	struct yaml_node *root = NULL;
	int rc;

	*ret = NULL;
	config->file = memory_copy(name);
	rc = yaml_parse(name, text, len, report, &root);
	config->document = root;
	if (rc == 0) {
		struct check check = {&strategy_keys, name, report, root};

		check_file(&check, config);
		allocation_check(&check, config);
		fees_check(&check, config);
		lists_check(&check, config);
		mode_check(&check, config);
		listed_load(&check, config);
		rc = report_close(report, first, strict);
	}
	if (rc != 0) {
		strategy_config_free(config);
		return rc;
	}
	*ret = config;
	return 0;
}

int strategy_config_load(const char *path, bool strict, struct config_report *report, struct strategy_config **ret)
{
	char *text;
	size_t len;
	int rc = file_read(path, YAML_BYTES_MAX, report, &text, &len);

	*ret = NULL;
	if (rc != 0)
		return rc;
	rc = strategy_config_parse(path, text, len, strict, report, ret);
	free(text);
	return rc;
}

void strategy_config_free(struct strategy_config *config)
{
	if (config == NULL)
		return;
	pairs_clear(&config->listed);
	string_list_clear(&config->base_currencies);
	string_list_clear(&config->allowed_symbols);
	string_list_clear(&config->blacklisted_pairs);
	free(config->file);
	free(config->name);
	free(config->exchange);
	free(config->trading_pairs_file);
	free(config->capital_allocation.mode);
	free(config->order.type);
	free(config->execution_mode);
	yaml_free(config->document);
	free(config);
}

static void stranger_report(const struct check *check, const struct gateway_config *gateway, const char *exchange,
			    const char *const *names)
{
	const char *near = nearest_word(exchange, names, gateway->exchange_count);
	char *all = memory_copy(names[0]);

	for (size_t i = 1; i < gateway->exchange_count && i < EXCHANGES_NAMED; i++) {
		char *longer = memory_format("%s, %s", all, names[i]);

		free(all);
		all = longer;
	}
	if (near)
		check_error(check, "exchange", "%s has no exchange \"%s\"; did you mean %s?", gateway->file, exchange,
			    near);
	else
		check_error(check, "exchange", "%s has no exchange \"%s\"; it has: %s", gateway->file, exchange, all);
	free(all);
}

int config_pair_check(const struct gateway_config *gateway, const struct strategy_config *strategy,
		      struct config_report *report)
{
	struct check check = {&strategy_keys, strategy->file, report, strategy->document};
	const char **names = memory_new((gateway->exchange_count + 1) * sizeof *names);
	int rc = TG_ERR_INVALID;

	for (size_t i = 0; i < gateway->exchange_count; i++) {
		names[i] = gateway->exchange[i].name;
		if (strcmp(names[i], strategy->exchange) == 0)
			rc = 0;
	}
	if (rc != 0)
		stranger_report(&check, gateway, strategy->exchange, names);
	free(names);
	return rc;
}
