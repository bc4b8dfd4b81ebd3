#include "core/settings.h"
#include "tests/tap.h"

static void check(const char *in, const char *want, const char *what)
{
	struct json_object *object = json_tokener_parse(in);
	struct json_object *expanded = settings_expand(object, "/var/lib/x");
	is_str(json_object_to_json_string_ext(expanded, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), want,
	       "%s", what);
	json_object_put(expanded);
	is_str(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), in,
	       "the original stays");
	json_object_put(object);
}

int main(void)
{
	check("{\"file\":\"${state_dir}/db\",\"n\":1.50,\"on\":true,\"none\":null}",
	      "{\"file\":\"/var/lib/x/db\",\"n\":1.50,\"on\":true,\"none\":null}", "in an object");
	check("[\"${state_dir}\",[{\"a\":\"-${state_dir}-${state_dir}-\"}]]",
	      "[\"/var/lib/x\",[{\"a\":\"-/var/lib/x-/var/lib/x-\"}]]", "everywhere, more than once");
	check("{\"a\":\"${STATE_DIR} ${state_dir $state_dir}\"}", "{\"a\":\"${STATE_DIR} ${state_dir $state_dir}\"}",
	      "nothing that only looks like it");
	check("{\"a\":\"x\\u0000${state_dir}\"}", "{\"a\":\"x\\u0000/var/lib/x\"}", "behind a NUL too");
	check("{}", "{}", "nothing");
	ok(settings_expand(NULL, "/x") == NULL, "no settings");
	return tap_done();
}
