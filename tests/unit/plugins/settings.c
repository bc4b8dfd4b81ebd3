/* Settings against the fixture's schema: what passes comes back whole, what does not is told where and why. */
#include <plugins/host.h>

#include <tap.h>

static struct plugin_info info;

static const struct {
	const char *settings;
	const char *path; /* where it is wrong */
	const char *message;
} wrong[] = {
	{"{}", "name", "is missing; it must be a text"},
	{"{\"name\": \"ab\", \"nam\": 1}", "nam", "unknown key; did you mean 'name'? known: name, mode, depth"},
	{"{\"name\": \"ab\", \"xyzzy\": 1}", "xyzzy", "unknown key; known: name, mode"},
	{"{\"name\": null}", "name", "has no value; it must be a text"},
	{"{\"name\": 5}", "name", "5 is not allowed; it must be a text"},
	{"{\"name\": \"a\"}", "name", "it must be at least 2 characters long"},
	{"{\"name\": \"abcdefghi\"}", "name", "it must be at most 8 characters long"},
	{"{\"name\": \"ab\", \"mode\": \"slow\"}", "mode", "\"slow\" is not allowed; it must be one of fast, safe"},
	{"{\"name\": \"ab\", \"depth\": 0}", "depth", "0 is not allowed; it must be at least 1"},
	{"{\"name\": \"ab\", \"depth\": 11}", "depth", "11 is not allowed; it must be at most 10"},
	{"{\"name\": \"ab\", \"depth\": 5.5}", "depth", "5.5 is not allowed; it must be a whole number"},
	{"{\"name\": \"ab\", \"depth\": \"5\"}", "depth", "it must be a whole number"},
	{"{\"name\": \"ab\", \"depth\": 18446744073709551615}", "depth", "it must be a whole number"},
	{"{\"name\": \"ab\", \"rate\": 99.900000000000001}", "rate", "it must be at most 99.9"},
	{"{\"name\": \"ab\", \"rate\": 0.09999999999999999}", "rate", "it must be at least 0.1"},
	{"{\"name\": \"ab\", \"rate\": NaN}", "rate", "it must be a number"},
	{"{\"name\": \"ab\", \"on\": 1}", "on", "it must be true or false"},
	{"{\"name\": \"ab\", \"password\": \"abc\"}", "password", "(secret) is not allowed; it must be at least 6"},
	{"{\"name\": \"ab\", \"balances\": []}", "balances", "it must be an object"},
	{"{\"name\": \"ab\", \"balances\": {\"USDT\": -1}}", "balances/USDT", "it must be at least 0"},
	{"{\"name\": \"ab\", \"book\": {\"level\": 1}}", "book/level", "did you mean 'levels'?"},
	{"{\"name\": \"ab\", \"book\": {\"deep\": {\"more\": 1}}}", "book/deep/more", "it must be a text"},
	{"{\"name\": \"ab\", \"markets\": {}}", "markets", "it must be a list"},
	{"{\"name\": \"ab\", \"markets\": [{\"symbol\": \"A\"}, {}]}", "markets/1/symbol", "is missing"},
	{"{\"name\": \"ab\", \"markets\": [7]}", "markets/0", "it must be an object"},
	{"[]", "", "it must be an object"},
};

static void test_wrong(void)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct tg_error error = tg_error_init();
		struct json_object *settings = json_tokener_parse(wrong[i].settings), *filled = NULL;
		char path[256] = "?";
		is_int(plugin_settings_check(&info, settings, &filled, path, &error), TG_ERR_INVALID, "refused: %s",
		       wrong[i].settings);
		is_str(path, wrong[i].path, "the place");
		ok(strstr(error.message, wrong[i].message) && !filled, "%s", error.message);
		json_object_put(settings);
	}
}

/* The settings filled in, as text; the caller's. */
static struct json_object *fill(const char *text)
{
	struct tg_error error = tg_error_init();
	struct json_object *settings = json_tokener_parse(text), *filled = NULL;
	char path[256];
	is_int(plugin_settings_check(&info, settings, &filled, path, &error), 0, "accepted: %s %s", text,
	       error.message);
	json_object_put(settings);
	return filled;
}

static const struct {
	const char *given;
	const char *filled;
} right[] = {
	{"{\"name\": \"ab\"}", "{\"name\":\"ab\",\"mode\":\"safe\",\"depth\":5,\"on\":true,"
			       "\"book\":{\"levels\":20,\"deep\":{\"more\":\"yes\"}}}"},
	{"{\"on\": false, \"depth\": 7.0, \"name\": \"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\"}",
	 "{\"on\":false,\"depth\":7,\"name\":\"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\","
	 "\"mode\":\"safe\",\"book\":{\"levels\":20,\"deep\":{\"more\":\"yes\"}}}"},
	{"{\"name\": \"ab\", \"rate\": 99.9000, \"book\": {\"deep\": {\"other\": [1, null]}}, \"markets\": [{\"symbol\": \"X\"}]}",
	 "{\"name\":\"ab\",\"rate\":99.9000,\"book\":{\"deep\":{\"other\":[1,null],\"more\":\"yes\"},\"levels\":20},"
	 "\"markets\":[{\"symbol\":\"X\",\"lot\":0.00000001}],\"mode\":\"safe\",\"depth\":5,\"on\":true}"},
};

static void test_right(void)
{
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		struct json_object *filled = fill(right[i].given);
		is_str(json_object_to_json_string_ext(filled, JSON_C_TO_STRING_PLAIN), right[i].filled,
		       "defaults filled in");
		json_object_put(filled);
	}
}

static void test_without_schema(void)
{
	struct plugin_info bare = {.manifest = json_object_new_object()};
	struct tg_error error = tg_error_init();
	struct json_object *filled = NULL, *settings = json_tokener_parse("{\"a\": 1}");
	char path[256];
	is_int(plugin_settings_check(&bare, NULL, &filled, path, &error), 0, "no schema, no settings");
	json_object_put(filled);
	is_int(plugin_settings_check(&bare, settings, &filled, path, &error), TG_ERR_INVALID, "no schema, a setting");
	is_str(error.message, "unknown key; known: (none)", "is one too many");
	json_object_put(settings);
	plugin_info_clear(&bare);
}

/* ------------------------------------------------------- as a plugin sees it */

static struct tg_str text_of(const char *text)
{
	return (struct tg_str){text, strlen(text)};
}

static const struct {
	const char *path;
	int32_t code;
	int64_t mantissa;
	int32_t scale;
} decimals[] = {
	{"depth", TG_OK, 5, 0},
	{"rate", TG_OK, 15000, 3},
	{"balances/USDT", TG_OK, 1000, 0},
	{"balances/BTC/USDT", TG_OK, 1565, 8},
	{"markets/1/lot", TG_OK, 1, 8},
	{"name", TG_OK, 250, 2},
	{"mode", TG_ERR_INVALID, 0, 0},
	{"on", TG_ERR_INVALID, 0, 0},
	{"balances/ETH", TG_ERR_NOT_FOUND, 0, 0},
	{"markets/2/lot", TG_ERR_NOT_FOUND, 0, 0},
	{"markets/x/lot", TG_ERR_NOT_FOUND, 0, 0},
	{"depth/deeper", TG_ERR_NOT_FOUND, 0, 0},
};

static void test_decimals(const struct tg_config *config)
{
	for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++) {
		struct tg_decimal value = {0};
		is_int(config->get_decimal(config, text_of(decimals[i].path), &value), decimals[i].code, "decimal %s",
		       decimals[i].path);
		ok(value.mantissa == decimals[i].mantissa && value.scale == decimals[i].scale, "is exact");
	}
}

static void test_view(void)
{
	struct json_object *settings =
		fill("{\"name\": \"2.50\", \"rate\": 15.000, \"balances\": {\"USDT\": 1000, "
		     "\"BTC/USDT\": 1.565e-05}, \"markets\": [{\"symbol\": \"A\"}, {\"symbol\": \"B\"}]}");
	struct tg_config config = plugin_config_view(settings);
	int64_t number = 0;
	int32_t flag = 0;
	uint32_t count = 0;
	struct tg_str text = {0};
	test_decimals(&config);
	is_int(config.get_i64(&config, TG_STR("book/levels"), &number), TG_OK, "a whole number");
	is_int(number, 20, "by default");
	is_int(config.get_i64(&config, TG_STR("balances/BTC/USDT"), &number), TG_ERR_INVALID, "a fraction is none");
	is_int(config.get_flag(&config, TG_STR("on"), &flag), TG_OK, "a flag");
	is_int(flag, 1, "by default");
	is_int(config.get_flag(&config, TG_STR("depth"), &flag), TG_ERR_INVALID, "a number is no flag");
	is_int(config.get_text(&config, TG_STR("markets/1/symbol"), &text), TG_OK, "a text in a list");
	ok(text.len == 1 && text.ptr[0] == 'B', "is the second one's");
	is_int(config.get_text(&config, TG_STR("depth"), &text), TG_ERR_INVALID, "a number is no text");
	is_int(config.count(&config, TG_STR("markets"), &count), TG_OK, "a list has a count");
	is_int(count, 2, "of two");
	is_int(config.count(&config, TG_STR(""), &count), TG_OK, "so has the whole");
	is_int(count, 8, "of given and default keys");
	is_int(config.count(&config, TG_STR("name"), &count), TG_ERR_INVALID, "a text has none");
	is_int(config.key_at(&config, TG_STR("balances"), 1, &text), TG_OK, "a key by its place");
	ok(text.len == 8 && memcmp(text.ptr, "BTC/USDT", 8) == 0, "in the order of the file");
	is_int(config.key_at(&config, TG_STR("balances"), 2, &text), TG_ERR_NOT_FOUND, "none behind the last");
	is_int(config.key_at(&config, TG_STR("markets"), 0, &text), TG_ERR_INVALID, "a list has no keys");
	json_object_put(settings);
}

int main(void)
{
	const char *root = getenv("TRIGATE_BUILD_ROOT");
	char path[1024];
	struct tg_error error = tg_error_init();
	snprintf(path, sizeof path, "%s/tests/abi/fixtures/settings.so", root ? root : ".");
	if (plugin_inspect(path, &info, &error) < 0) {
		printf("Bail out! %s: %s\n", path, error.message);
		return 1;
	}
	test_wrong();
	test_right();
	test_without_schema();
	test_view();
	plugin_info_clear(&info);
	return tap_done();
}
