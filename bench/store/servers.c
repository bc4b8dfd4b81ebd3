#include "bench/store/servers.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"

#define RUN SOURCE_ROOT "/tests/servers/run"

static struct {
	pid_t process;
	int hold; /* it runs as long as this is open */
	unsigned stores;
	char settings[2048];
} server;

/* The server's keeper prints what a store's settings are, then waits for its input to end. */
static void keeper_run(const char *plugin, const char *folder, int in, int out)
{
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	setenv("TMPDIR", folder, 1);
	execl(RUN, RUN, plugin, "--", "sh", "-c", "echo \"$TRIGATE_STORAGE_SETTINGS\"; exec cat >/dev/null",
	      (char *)NULL);
	_exit(127);
}

bool server_start(const char *plugin, const char *folder)
{
	int in[2], out[2];
	if (pipe(in) || pipe(out))
		bench_fail("no pipe");
	fflush(stdout);
	server.process = fork();
	if (server.process == 0) {
		close(in[1]);
		close(out[0]);
		keeper_run(plugin, folder, in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	server.hold = in[1];
	FILE *told = fdopen(out[0], "r");
	bool there = fgets(server.settings, sizeof server.settings, told) && server.settings[0] == '{';
	fclose(told);
	if (there)
		return true;
	fprintf(stderr, "bench_store: without %s: %s", plugin,
		server.settings[0] ? server.settings : "its server does not start\n");
	server_stop();
	return false;
}

void server_stop(void)
{
	int status;
	close(server.hold);
	waitpid(server.process, &status, 0);
	memset(&server, 0, sizeof server);
}

const char *server_settings(const char *plugin)
{
	static char text[2100];
	const char *at = strstr(server.settings, "@N@");
	if (strcmp(plugin, "sqlite") == 0)
		return "{}";
	if (!at)
		bench_fail("settings without a place for the store's number: %s", server.settings);
	snprintf(text, sizeof text, "%.*s%u%.*s", (int)(at - server.settings), server.settings, ++server.stores,
		 (int)strcspn(at + 3, "\n"), at + 3);
	return text;
}

const char *server_address(const char *plugin)
{
	static char text[512];
	if (strcmp(plugin, "sqlite") == 0)
		return NULL;
	struct json_object *settings = json_tokener_parse(server.settings), *value;
	const char *of[4] = {"", "", "", ""};
	static const char *const keys[] = {"host", "port", "database", "user"};
	for (int i = 0; i < 4; i++)
		if (json_object_object_get_ex(settings, keys[i], &value))
			of[i] = json_object_get_string(value);
	if (strcmp(plugin, "postgres") == 0)
		snprintf(text, sizeof text, "host=%s port=%s dbname=%s user=%s sslmode=disable", of[0], of[1], of[2],
			 of[3]);
	else
		snprintf(text, sizeof text, "%s:%s", of[0], of[1]);
	json_object_put(settings);
	return text;
}
