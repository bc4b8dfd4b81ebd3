/* The configuration as the instance keeps it. The schema in sim.c states the same defaults and bounds. */
#include <stdio.h>
#include <string.h>

#include "exchanges/sim/sim.h"

static struct tg_str key_of(const char *key)
{
	return (struct tg_str){key, strlen(key)};
}

static int32_t wrong(struct tg_error *error, const char *key, const char *what)
{
	return tg_error_set(error, TG_ERR_INVALID, "%s: %s", key, what);
}

static int32_t integer_read(const struct tg_config *config, const char *key, int64_t *value, struct tg_error *error)
{
	int32_t status = config->get_i64(config, key_of(key), value);
	return status == TG_OK || status == TG_ERR_NOT_FOUND ? TG_OK : wrong(error, key, "must be a whole number");
}

static int32_t decimal_read(const struct tg_config *config, const char *key, struct tg_decimal *value,
			    struct tg_error *error)
{
	int32_t status = config->get_decimal(config, key_of(key), value);
	return status == TG_OK || status == TG_ERR_NOT_FOUND ? TG_OK : wrong(error, key, "must be a number");
}

static int32_t text_read(const struct tg_config *config, const char *key, char *buffer, size_t size,
			 struct tg_error *error)
{
	struct tg_str text = {0};
	int32_t status = config->get_text(config, key_of(key), &text);
	if (status == TG_ERR_NOT_FOUND)
		return TG_OK;
	if (status != TG_OK || text.len >= size || (text.len && memchr(text.ptr, '\0', (size_t)text.len)))
		return wrong(error, key, "must be a text that is not too long");
	if (text.len)
		memcpy(buffer, text.ptr, (size_t)text.len);
	buffer[text.len] = '\0';
	return TG_OK;
}

/* Milliseconds, with decimals if need be. */
static int32_t duration_read(const struct tg_config *config, const char *key, int64_t *ns, struct tg_error *error)
{
	struct tg_decimal ms = {*ns / 1000000, 0, 0};
	int64_t value;
	int32_t status = decimal_read(config, key, &ms, error);
	if (status != TG_OK)
		return status;
	if (tg_decimal_rescale(ms, 6, &value) != TG_OK || value < 0 || value > 60 * TG_E9)
		return wrong(error, key, "must be 0 to 60000 ms, no finer than a nanosecond");
	*ns = value;
	return TG_OK;
}

static int32_t deposit_read(const struct tg_config *config, struct settings *settings, uint32_t index,
			    struct tg_error *error)
{
	char path[VENUE_CURRENCY_MAX + 16];
	struct tg_str key;
	struct tg_decimal value;
	if (config->key_at(config, TG_STR("balances"), index, &key) != TG_OK || !key.len ||
	    key.len >= VENUE_CURRENCY_MAX)
		return wrong(error, "balances", "a currency's name has 1 to 23 characters");
	snprintf(path, sizeof path, "balances/%.*s", (int)key.len, key.ptr);
	if (config->get_decimal(config, key_of(path), &value) != TG_OK ||
	    tg_amount_from_decimal(value, &settings->deposit[index].amount) != TG_OK ||
	    settings->deposit[index].amount < 0)
		return wrong(error, path, "must be an amount, 0 or more");
	memcpy(settings->currency[index], key.ptr, (size_t)key.len);
	return TG_OK;
}

static int32_t deposits_read(const struct tg_config *config, struct settings *settings, struct tg_error *error)
{
	uint32_t count = 0;
	if (config->count(config, TG_STR("balances"), &count) != TG_OK) {
		snprintf(settings->currency[0], VENUE_CURRENCY_MAX, "USDT");
		settings->deposit[0].amount = 10000 * TG_AMOUNT_ONE;
		settings->venue.deposit_count = 1;
		return TG_OK;
	}
	if (count > SIM_DEPOSITS_MAX)
		return wrong(error, "balances", "at most 256 currencies");
	for (uint32_t i = 0; i < count; i++) {
		int32_t status = deposit_read(config, settings, i, error);
		if (status != TG_OK)
			return status;
	}
	settings->venue.deposit_count = count;
	return TG_OK;
}

static int32_t numbers_read(const struct tg_config *config, struct settings *settings, struct tg_error *error)
{
	int64_t seed = (int64_t)settings->venue.seed, scale = settings->venue.fee_scale;
	const struct {
		const char *key;
		int64_t *value;
	} integers[] = {
		{"seed", &seed},
		{"markets", &settings->venue.markets},
		{"step_ms", &settings->venue.step_ms},
		{"steps", &settings->steps},
		{"opportunities_per_minute", &settings->venue.opportunities_per_minute},
		{"lifetime_ms", &settings->venue.lifetime_ms},
		{"levels", &settings->venue.levels},
		{"halts_per_hour", &settings->venue.halts_per_hour},
		{"filter_changes_per_hour", &settings->venue.filter_changes_per_hour},
		{"fee_scale", &scale},
	};
	int32_t status = TG_OK;
	for (size_t i = 0; i < sizeof integers / sizeof integers[0] && status == TG_OK; i++)
		status = integer_read(config, integers[i].key, integers[i].value, error);
	if (status != TG_OK)
		return status;
	if (settings->steps < 0 || scale < 0 || scale > TG_AMOUNT_SCALE)
		return wrong(error, settings->steps < 0 ? "steps" : "fee_scale", "out of range");
	settings->venue.seed = (uint64_t)seed;
	settings->venue.fee_scale = (int32_t)scale;
	settings->step_ns = settings->venue.step_ms * 1000000;
	return TG_OK;
}

/* Let the texts of the venue's options point into the settings, which do not move any more. */
static void texts_point(struct settings *settings)
{
	settings->venue.ledger = key_of(settings->ledger);
	settings->venue.csv = key_of(settings->csv);
	settings->venue.fee_currency = key_of(settings->fee_currency);
	settings->venue.deposit = settings->deposit;
	for (uint32_t i = 0; i < settings->venue.deposit_count; i++)
		settings->deposit[i].currency = key_of(settings->currency[i]);
}

int32_t settings_read(const struct tg_config *config, struct settings *ret_settings, struct tg_error *ret_error)
{
	struct settings *settings = ret_settings;
	memset(settings, 0, sizeof *settings);
	settings->venue = venue_options_default();
	settings->latency_ns = 5000000;
	settings->jitter_ns = 2000000;
	int32_t status = numbers_read(config, settings, ret_error);
	if (status == TG_OK)
		status = decimal_read(config, "taker_bps", &settings->venue.taker_bps, ret_error);
	if (status == TG_OK)
		status = decimal_read(config, "maker_bps", &settings->venue.maker_bps, ret_error);
	if (status == TG_OK)
		status = duration_read(config, "latency_ms", &settings->latency_ns, ret_error);
	if (status == TG_OK)
		status = duration_read(config, "jitter_ms", &settings->jitter_ns, ret_error);
	if (status == TG_OK)
		status = text_read(config, "fee_currency", settings->fee_currency, sizeof settings->fee_currency,
				   ret_error);
	if (status == TG_OK)
		status = text_read(config, "ledger", settings->ledger, sizeof settings->ledger, ret_error);
	if (status == TG_OK)
		status = text_read(config, "csv", settings->csv, sizeof settings->csv, ret_error);
	if (status == TG_OK)
		status = deposits_read(config, settings, ret_error);
	texts_point(settings);
	return status;
}
