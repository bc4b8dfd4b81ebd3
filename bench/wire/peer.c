#include "bench/wire/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"

#define PEERS BUILD_ROOT "/peers" /* where `make peers` installs them */
#define SCRIPT SOURCE_ROOT "/bench/peers/ccxt.mjs"

/* Let Node.js run the script on CPU_OURS and return the last line that it prints. */
static bool script_run(const char *const arguments[], const char *ca_file, char *ret_line, int room)
{
	int ends[2], status;
	const char *argv[8] = {"node", SCRIPT};
	for (int i = 0; arguments[i]; i++)
		argv[2 + i] = arguments[i];
	fflush(stdout);
	if (pipe(ends))
		bench_fail("no pipe");
	pid_t process = fork();
	if (process == 0) {
		cpu_pin(CPU_OURS);
		dup2(ends[1], STDOUT_FILENO);
		setenv("TRIGATE_PEERS", PEERS, 1);
		if (ca_file)
			setenv("NODE_EXTRA_CA_CERTS", ca_file, 1);
		execvp(argv[0], (char *const *)(const void *)argv);
		_exit(127);
	}
	close(ends[1]);
	FILE *from = fdopen(ends[0], "r");
	*ret_line = '\0';
	while (fgets(ret_line, room, from))
		;
	fclose(from);
	return process > 0 && waitpid(process, &status, 0) == process && status == 0;
}

bool peer_find(char ret_name[PEER_NAME_MAX])
{
	char line[PEER_NAME_MAX];
	if (access(PEERS "/node_modules/ccxt/package.json", R_OK)) {
		fprintf(stderr, "bench_wire: without the peer: `make peers` installs it (bench/peers)\n");
		return false;
	}
	if (!script_run((const char *const[]){"version", NULL}, NULL, line, sizeof line)) {
		fprintf(stderr, "bench_wire: without the peer: node cannot run it (bench/peers)\n");
		return false;
	}
	line[strcspn(line, "\n")] = '\0';
	memcpy(ret_name, line, PEER_NAME_MAX);
	return true;
}

static double rate_of(const char *const arguments[], const char *ca_file)
{
	char line[256];
	const char *rate;
	if (!script_run(arguments, ca_file, line, sizeof line) || !(rate = strstr(line, "\"per_second\":")))
		bench_fail("the peer failed: %s", line);
	return strtod(rate + strlen("\"per_second\":"), NULL);
}

double peer_decode(const char *info_file, const char *frames_file, uint64_t frames)
{
	char count[32];
	snprintf(count, sizeof count, "%llu", (unsigned long long)frames);
	return rate_of((const char *const[]){"decode", info_file, count, frames_file, NULL}, NULL);
}

double peer_ingest(const char *info_file, uint16_t port, const char *ca_file, uint64_t frames)
{
	char count[32], url[64];
	snprintf(count, sizeof count, "%llu", (unsigned long long)frames);
	snprintf(url, sizeof url, "wss://localhost:%u", port);
	return rate_of((const char *const[]){"ingest", info_file, count, url, NULL}, ca_file);
}
