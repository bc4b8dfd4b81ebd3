#include "core/cli/gateway_ask.h"

#include "core/cli/arguments.h"
#include "core/cli/out.h"
#include "core/cli/records.h"
#include "core/control/client.h"

#define TIMEOUT_MS 5000

int gateway_ask(const struct arguments *args, const char *state_dir, struct json_object *request,
		struct json_object **ret_reply)
{
	struct tg_error error = tg_error_init();
	struct json_object *reply = NULL;
	int rc = control_request(state_dir, request, TIMEOUT_MS, &reply, &error);
	json_object_put(request);
	if (rc)
		return cli_fail(args, "%s%s", error.message,
				rc == TG_ERR_NOT_FOUND && !state_dir_given(args)
					? "; name it with --state-dir DIR or --config FILE"
					: "");
	if (!json_object_get_boolean(json_object_object_get(reply, "ok"))) {
		const char *why = json_object_get_string(json_object_object_get(reply, "error"));
		rc = cli_fail(args, "the gateway refused: %s", why ? why : "it does not say why");
		json_object_put(reply);
		return rc;
	}
	*ret_reply = reply;
	return 0;
}
