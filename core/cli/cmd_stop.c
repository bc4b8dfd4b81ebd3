#include <stdio.h>
#include <time.h>

#include "core/cli/arguments.h"
#include "core/cli/gateway_ask.h"
#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/records.h"
#include "core/state/statedir.h"

#define POLL_MS 50

/* What a stop means, from least to most. */
static const struct {
	const char *option;
	const char *level; /* in the request */
	const char *said;  /* when the gateway agreed */
} levels[] = {
	{"resume", "none", "the gateway takes new cycles again"},
	{"cycles", "cycles", "the gateway takes no new cycles; open ones go on"},
	{"risk", "risk", "the gateway takes no new risk; it only goes back to where it came from"},
	{"freeze", "freeze", "the gateway is frozen: nothing leaves it any more"},
};
static const char level_end[] = "end";
static const char said_end[] = "the gateway is ending: no new cycles, then it stops";

static int level_read(const struct arguments *args, const char **ret_level, const char **ret_said)
{
	size_t given = 0;
	*ret_level = level_end;
	*ret_said = said_end;
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (!arguments_given(args, levels[i].option))
			continue;
		*ret_level = levels[i].level;
		*ret_said = levels[i].said;
		given++;
	}
	if (given > 1)
		return cli_misuse(args, "--cycles, --risk, --freeze and --resume exclude each other");
	if (given && arguments_given(args, "wait"))
		return cli_misuse(args, "--wait is for ending the gateway, without a level");
	return 0;
}

/* Wait until nobody holds the state directory. */
static int wait_end(const struct arguments *args, const char *state_dir)
{
	int64_t left_ms = arguments_number(args, "wait", 0) * 1000;
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	while (statedir_holder(&disk_system, state_dir) > 0) {
		if (left_ms <= 0)
			return cli_fail(args, "the gateway has not ended yet; it goes on ending");
		nanosleep(&pause, NULL);
		left_ms -= POLL_MS;
	}
	return EXIT_DONE;
}

static int reply_show(const struct arguments *args, struct json_object *reply, const char *said)
{
	struct json_object *message;
	if (arguments_given(args, "json")) {
		out_json(json_object_get(reply));
	} else {
		bool own = json_object_object_get_ex(reply, "message", &message);
		out_plain(stdout, own ? json_object_get_string(message) : said);
		fputc('\n', stdout);
	}
	return EXIT_DONE;
}

static int stop_run(const struct arguments *args)
{
	char state_dir[4096];
	const char *level, *said;
	struct json_object *reply;
	int rc = level_read(args, &level, &said);
	if (!rc)
		rc = state_dir_find(args, state_dir, sizeof state_dir);
	if (rc)
		return rc;
	struct json_object *request = json_object_new_object();
	json_put_text(request, "command", "stop");
	json_put_text(request, "level", level);
	rc = gateway_ask(args, state_dir, request, &reply);
	if (rc)
		return rc;
	rc = reply_show(args, reply, said);
	json_object_put(reply);
	return rc || !arguments_given(args, "wait") ? rc : wait_end(args, state_dir);
}

static const struct option_spec stop_options[] = {
	{.name = "cycles", .kind = OPTION_FLAG, .help = "take no new cycles; go on with the open ones and stay"},
	{.name = "risk", .kind = OPTION_FLAG, .help = "take no new risk: open cycles only go back the way they came"},
	{.name = "freeze", .kind = OPTION_FLAG, .help = "send nothing at all to the exchange"},
	{.name = "resume", .kind = OPTION_FLAG, .help = "lift --cycles, --risk and --freeze"},
	{.name = "wait",
	 .kind = OPTION_NUMBER,
	 .argument = "SECONDS",
	 .least = 1,
	 .most = 86400,
	 .help = "return when the gateway has ended, fail if it has not by then"},
	OPTION_STATE_DIR,
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_stop = {
	.name = "stop",
	.summary = "end a running gateway cleanly, or hold it back",
	.details =
		"Without a level the gateway takes no new cycles, brings the open ones to their end and stops, with its "
		"summary, as it does on SIGINT and SIGTERM.",
	.options = stop_options,
	.examples = "trigate stop --wait 30\ntrigate stop --risk -d /var/lib/trigate\ntrigate stop --resume",
	.run = stop_run,
};
