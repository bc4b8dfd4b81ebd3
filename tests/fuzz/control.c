/* Requests on control.sock: whatever the bytes, a request with a proper command or an error. */
#include <stdlib.h>
#include <string.h>

#include "core/control/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *request = NULL;
	struct tg_error error = tg_error_init();
	int rc = control_parse((const char *)data, size, &request, &error);
	if (rc != 0) {
		if (request || error.code != rc || !error.message[0])
			abort();
		return 0;
	}
	const char *command = control_command(request);
	if (!command[0] || strspn(command, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(command))
		abort();
	/* what was taken can be said again */
	const char *again = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	struct json_object *second = NULL;
	if (control_parse(again, strlen(again), &second, NULL) != 0)
		abort();
	json_object_put(second);
	json_object_put(request);
	return 0;
}
