/* Gateway files: defaults, choices of plugins with exact settings, and places inside them. */
#include <string.h>

#include <json-c/json.h>

#include "core/config/config.h"
#include "tests/tap.h"

static struct gateway_config *load(const char *text, struct config_report *report)
{
	struct gateway_config *config = NULL;

	*report = (struct config_report){0};
	gateway_config_parse("conf/gateway.yaml", text, strlen(text), true, report, &config);
	for (size_t i = 0; config == NULL && i < report->count; i++)
		printf("# said: %s\n", report->problem[i].text);
	return config;
}

static void test_defaults(void)
{
	struct config_report report;
	struct gateway_config *c = load("exchanges:\n  sim:\n", &report);

	ok(c && report.count == 0, "an exchange is enough");
	if (c == NULL)
		return;
	is_str(c->state_dir, "trigate-state", "state_dir");
	is_str(c->gateway_id, "0001", "gateway_id");
	is_int(c->plugin_path.count, 0, "no plugin_path");
	is_int(c->exchange_count, 1, "one exchange");
	is_str(c->exchange[0].name, "sim", "by its name");
	is_str(c->exchange[0].plugin, "sim", "which is the plugin's too");
	is_int(json_object_object_length(c->exchange[0].settings), 0, "settings are an empty object");
	is_str(c->storage.plugin, "sqlite", "storage");
	is_str(c->storage.name, "", "has no name");
	ok(c->storage.settings && c->router.settings, "all have settings");
	is_str(c->router.plugin, "igraph", "router");
	is_int(c->storage_batch_rows, 256, "batch_rows");
	is_int(c->storage_batch_ms, 50, "batch_ms");
	is_int(c->slot_ttl_ms, 30000, "slot_ttl_ms");
	ok(!c->virtual_clock, "real clock");
	is_int(c->clock_speed_e3, 1000, "at speed 1");
	is_str(c->log_level, "info", "log.level");
	is_int(c->stop_deadline_ms, 5000, "stop_deadline_ms");
	ok(c->strategy_file == NULL, "no strategy");
	is_int(c->key_count, 0, "no keys");
	ok(!c->network.ca_file && !c->network.proxy, "the system's authorities, no proxy");
	ok(!c->network.busy_poll && !c->network.allow_plain, "no spinning, nothing without TLS");
	is_str(c->audit.mode, "live", "audited where money is real");
	ok(c->audit.file_mib == 64 && c->audit.files == 8, "in at most half a gigabyte");
	gateway_config_free(c);
	config_report_clear(&report);
}

#define SETTINGS \
	"exchanges:\n" \
	"  one:\n" \
	"    plugin: sim\n" \
	"    settings:\n" \
	"      seed: 9223372036854775807\n" \
	"      big: 18446744073709551616\n" \
	"      rate: 0.10\n" \
	"      id: 0001\n" \
	"      text: \"7\"\n" \
	"      yes: true\n" \
	"      none: ~\n" \
	"      balances: {USDT: 100000.000000000000000001, BTC: 1e-8}\n" \
	"      list: [a, 2]\n" \
	"  two: {plugin: other}\n" \
	"clock: {mode: virtual, speed: 0.5}\n" \
	"plugin_path: [plugins, /opt/plugins]\n" \
	"strategy: s.yaml\n"

static void test_settings(void)
{
	struct config_report report;
	struct gateway_config *c = load(SETTINGS, &report);
	struct json_object *s;

	ok(c && report.count == 0, "settings of every type are read");
	if (c == NULL)
		return;
	s = c->exchange[0].settings;
	is_str(json_object_to_json_string_ext(s, JSON_C_TO_STRING_PLAIN),
	       "{\"seed\":9223372036854775807,\"big\":18446744073709551616,\"rate\":0.10,\"id\":\"0001\",\"text\":\"7\","
	       "\"yes\":true,\"none\":null,\"balances\":{\"USDT\":100000.000000000000000001,\"BTC\":1e-8},"
	       "\"list\":[\"a\",2]}",
	       "not a digit is lost on the way to JSON");
	is_str(c->exchange[1].plugin, "other", "two entries may differ in name and plugin");
	ok(c->virtual_clock && c->clock_speed_e3 == 500, "a slow virtual clock");
	is_str(c->plugin_path.item[0], "conf/plugins", "folders are seen from the file's folder");
	is_str(c->plugin_path.item[1], "/opt/plugins", "unless absolute");
	is_str(c->strategy_file, "conf/s.yaml", "so is the strategy");
	gateway_config_free(c);
	config_report_clear(&report);
}

static void test_keys(void)
{
	struct config_report report;
	struct gateway_config *c = load("exchanges: {sim: {}}\n"
					"keys:\n"
					"  one: {from: file, path: binance.key}\n"
					"  two: {from: file, path: ~/binance.key, encoding: base64}\n"
					"  three: {from: env, prefix: KRAKEN_}\n"
					"  four: {from: credential, name: okx}\n",
					&report);

	ok(c && report.count == 0 && c->key_count == 4, "keys of every source");
	if (c == NULL)
		return;
	is_str(c->key[0].name, "one", "a key by its name");
	is_str(c->key[0].from, "file", "from");
	is_str(c->key[0].path, "conf/binance.key", "a file is seen from the gateway file's folder");
	is_str(c->key[0].encoding, "text", "encoding by default");
	ok(!c->key[0].prefix && !c->key[0].credential, "what another source needs is not there");
	is_str(c->key[1].path, "~/binance.key", "the home directory is looked up when the key is read");
	is_str(c->key[1].encoding, "base64", "encoding");
	is_str(c->key[2].prefix, "KRAKEN_", "prefix");
	is_str(c->key[3].credential, "okx", "name of a credential");
	gateway_config_free(c);
	config_report_clear(&report);
}

static void test_places(void)
{
	static const struct {
		const char *path, *expect;
	} rows[] = {
		{"seed", "conf/gateway.yaml:5:13: exchanges.one.settings.seed: no good"},
		{"balances/BTC", "conf/gateway.yaml:12:56: exchanges.one.settings.balances.BTC: no good"},
		{"balances", "conf/gateway.yaml:12:7: exchanges.one.settings.balances: no good"},
		{"balances/ETH", "conf/gateway.yaml:12:7: exchanges.one.settings.balances.ETH: no good"},
		{"list/1", "conf/gateway.yaml:13:17: exchanges.one.settings.list.1: no good"},
		{"", "conf/gateway.yaml:5:7: exchanges.one.settings: no good"},
		{"missing", "conf/gateway.yaml:5:7: exchanges.one.settings.missing: no good"},
	};
	struct config_report report;
	struct gateway_config *c = load(SETTINGS, &report);

	for (size_t i = 0; c && i < sizeof rows / sizeof *rows; i++) {
		config_plugin_problem(&report, c, &c->exchange[0], rows[i].path, "no good");
		is_str(report.problem[report.count - 1].text, rows[i].expect, "the place of \"%s\"", rows[i].path);
	}
	if (c) {
		config_plugin_problem(&report, c, &c->storage, "path", "no good");
		is_str(report.problem[report.count - 1].text, "conf/gateway.yaml:1:1: storage.settings.path: no good",
		       "a setting of a plugin that the file does not name");
		is_int(report.errors, report.count, "all are errors");
	}
	gateway_config_free(c);
	config_report_clear(&report);
}

static void test_pair(void)
{
	static const struct {
		const char *exchange, *expect;
	} rows[] = {
		{"sim", NULL},
		{"binance", NULL},
		{"binanc",
		 "s.yaml:2:11: exchange: conf/gateway.yaml has no exchange \"binanc\"; did you mean binance?"},
		{"zzzzzz", "s.yaml:2:11: exchange: conf/gateway.yaml has no exchange \"zzzzzz\"; it has: sim, binance"},
	};
	struct config_report report;
	struct gateway_config *gateway = load("exchanges: {sim: {}, binance: {plugin: sim}}\n", &report);

	for (size_t i = 0; gateway && i < sizeof rows / sizeof *rows; i++) {
		struct strategy_config *strategy = NULL;
		char text[64];

		snprintf(text, sizeof text, "name: x\nexchange: %s\n", rows[i].exchange);
		strategy_config_parse("s.yaml", text, strlen(text), true, &report, &strategy);
		is_int(config_pair_check(gateway, strategy, &report) != 0, rows[i].expect != NULL, "exchange %s",
		       rows[i].exchange);
		if (rows[i].expect)
			is_str(report.count ? report.problem[report.count - 1].text : NULL, rows[i].expect, "says so");
		strategy_config_free(strategy);
	}
	gateway_config_free(gateway);
	config_report_clear(&report);
}

int main(void)
{
	test_defaults();
	test_settings();
	test_keys();
	test_places();
	test_pair();
	return tap_done();
}
