#include "bench/store/peer.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define PYTHON "/usr/bin/python3" /* Debian's, which has Debian's modules */
#define SCRIPT SOURCE_ROOT "/bench/peers/store.py"
#define SECONDS "2"

static void line_read(const char *command, char *ret_line, int size)
{
	FILE *from = popen(command, "r");
	ret_line[0] = '\0';
	if (from && !fgets(ret_line, size, from))
		ret_line[0] = '\0';
	if (from)
		pclose(from);
	ret_line[strcspn(ret_line, "\n")] = '\0';
}

void peer_run(struct peer *ret_peer)
{
	char version[40];
	*ret_peer = (struct peer){0};
	line_read(PYTHON " -c 'import aiosqlite; print(aiosqlite.__version__)' 2>/dev/null", version, sizeof version);
	if (!version[0]) {
		fprintf(stderr, "bench_store: without the peer: python3-aiosqlite is not installed (bench/peers)\n");
		return;
	}
	line_read(PYTHON " " SCRIPT " " SECONDS, ret_peer->text, sizeof ret_peer->text);
	if (ret_peer->text[0] == '{')
		snprintf(ret_peer->name, sizeof ret_peer->name, "aiosqlite %s", version);
	else
		fprintf(stderr, "bench_store: without the peer: it failed\n");
}

double peer_figure(const struct peer *peer, const char *recipe)
{
	struct json_object *figures = json_tokener_parse(peer->text), *value;
	double figure = 0;
	if (figures && json_object_object_get_ex(figures, recipe, &value))
		figure = json_object_get_double(value);
	json_object_put(figures);
	return figure;
}
