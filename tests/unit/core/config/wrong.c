/* Every file of tests/config/wrong is refused with the message that it expects. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"
#include "tests/tap.h"

#define MARK "# expect: "

/* The first line of a file without its end; false if there is none. */
static bool first_line(const char *path, char line[1024])
{
	FILE *file = fopen(path, "r");
	bool read = file && fgets(line, 1024, file);

	if (file)
		fclose(file);
	line[read ? strcspn(line, "\n") : 0] = '\0';
	return read;
}

/* What the file expects, from its own first line or the .expect file beside it. */
static const char *expectation(const char *path, char line[1024])
{
	char beside[512];

	snprintf(beside, sizeof beside, "%.*s.expect", (int)(strlen(path) - strlen(".yaml")), path);
	if (first_line(beside, line))
		return line;
	return first_line(path, line) && strncmp(line, MARK, strlen(MARK)) == 0 ? line + strlen(MARK) : NULL;
}

static bool report_has(const struct config_report *report, const char *expected)
{
	for (size_t i = 0; i < report->count; i++) {
		if (!report->problem[i].warning && strstr(report->problem[i].text, expected))
			return true;
	}
	for (size_t i = 0; i < report->count; i++)
		printf("# said: %s\n", report->problem[i].text);
	return false;
}

static void file_check(const char *path, const char *name)
{
	struct config_report report = {0};
	struct gateway_config *gateway = NULL;
	struct strategy_config *strategy = NULL;
	char line[1024];
	const char *expected = expectation(path, line);

	if (config_kind_of(path) == CONFIG_GATEWAY)
		gateway_config_load(path, false, &report, &gateway);
	else
		strategy_config_load(path, false, &report, &strategy);
	ok(!gateway && !strategy && report.errors > 0, "%s is refused", name);
	ok(expected && report_has(&report, expected), "%s says: %s", name, expected ? expected : "(no expectation)");
	gateway_config_free(gateway);
	strategy_config_free(strategy);
	config_report_clear(&report);
}

/* plugin-* need the plugins: the show "refused" runs the command on them. */
static int is_wrong_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".yaml") == 0 && strncmp(entry->d_name, "plugin-", 7) != 0;
}

int main(void)
{
	const char *root = getenv("TRIGATE_SOURCE_ROOT");
	char folder[256], path[512];
	struct dirent **list = NULL;
	int count;

	snprintf(folder, sizeof folder, "%s/tests/config/wrong", root ? root : ".");
	count = scandir(folder, &list, is_wrong_file, alphasort);
	ok(count >= 40, "there are at least 40 wrong files");
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
		file_check(path, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return tap_done();
}
