/* `trigate store check`, `migrate`, `backup`: what the backend does by itself. */
#include <stdio.h>
#include <string.h>

#include "core/cli/json.h"
#include "core/cli/out.h"
#include "core/cli/store_access.h"
#include "core/cli/whole_file.h"

static const struct option_spec plain_options[] = {STORE_OPTIONS};

/* A line for people, or a JSON line with it. */
static void line_tell(const struct store_access *access, const char *event, struct tg_str line)
{
	char text[4096];

	snprintf(text, sizeof text, "%.*s", (int)line.len, line.ptr);
	if (access->json) {
		struct json_object *object = json_line(event);
		json_put_text(object, "text", text);
		out_json(object);
		return;
	}
	out_status_clear();
	out_plain(stdout, text);
	fputc('\n', stdout);
}

/* ------------------------------------------------------------ check */

static void finding_tell(void *ctx, struct tg_str line)
{
	line_tell(ctx, "finding", line);
}

static int check_open(struct store_access *access)
{
	struct tg_error error = tg_error_init();
	out_status("checking");
	int32_t findings = access->api->check(access->self, finding_tell, access, &error);

	out_status_clear();
	if (findings < 0)
		return store_fail(access, &error);
	if (access->json) {
		struct json_object *line = json_line("check");
		json_put_number(line, "findings", findings);
		out_json(line);
	} else if (findings == 0) {
		printf("sound: nothing was found\n");
	}
	return findings == 0 ? EXIT_DONE
			     : cli_fail(access->args,
					"%d finding%s; stop the gateway and restore a backup, or ask for help "
					"with what stands above",
					findings, findings == 1 ? "" : "s");
}

static int check_run(const struct arguments *args)
{
	struct store_access access;
	int rc = store_access_open(args, STORE_CURRENT, &access);

	if (!rc)
		rc = check_open(&access);
	store_access_close(&access);
	return rc;
}

const struct command store_check = {
	.name = "check",
	.summary = "look for damage and for rows that belong to nothing",
	.details =
		"Reads all of the store beside a running gateway, and changes nothing. Exit code 1 if anything is found.",
	.options = plain_options,
	.examples = "trigate store check --config gateway.yaml",
	.run = check_run,
};

/* ------------------------------------------------------------ migrate */

static void step_tell(void *ctx, struct tg_str line)
{
	line_tell(ctx, "note", line);
}

static int migrate_open(struct store_access *access)
{
	struct tg_storage_status status = {.size = sizeof status};
	struct tg_error error = tg_error_init();
	int32_t steps = access->api->migrate(access->self, step_tell, access, &error);

	if (steps < 0 || access->api->status(access->self, &status, &error) < 0)
		return store_fail(access, &error);
	if (access->json) {
		struct json_object *line = json_line("migrate");
		json_put_number(line, "steps", steps);
		json_put_number(line, "schema", status.schema);
		out_json(line);
	} else {
		printf("schema version %u%s\n", status.schema, steps ? "" : ": nothing was to be done");
	}
	return EXIT_DONE;
}

static int migrate_run(const struct arguments *args)
{
	struct store_access access;
	int rc = store_access_open(args, STORE_ANY, &access);

	if (!rc)
		rc = migrate_open(&access);
	store_access_close(&access);
	return rc;
}

const struct command store_migrate = {
	.name = "migrate",
	.summary = "make a store, or bring an older one to this version",
	.details =
		"A gateway does the same by itself when it starts. An older store is copied aside first. Where a file of the "
		"Python system stands in place of the store, all of it is imported; the file is kept, byte for byte, beside "
		"it. A store that a newer trigate wrote is refused.",
	.options = plain_options,
	.examples = "trigate store migrate --config gateway.yaml",
	.run = migrate_run,
};

/* ------------------------------------------------------------ backup */

static int backup_unsupported(const struct store_access *access)
{
	if (strcmp(access->plugin, "postgres") == 0)
		return cli_fail(access->args,
				"PostgreSQL has its own tool: pg_dump --format=custom --file=FILE DATABASE, beside a "
				"running gateway; pg_restore brings it back");
	if (strcmp(access->plugin, "redis") == 0)
		return cli_fail(access->args, "Redis has its own way: redis-cli --rdb FILE, or a copy of its "
					      "append-only folder (appenddirname) after BGREWRITEAOF");
	return cli_fail(access->args, "storage plugin \"%s\" makes no copies of a store in use", access->plugin);
}

static int backup_open(struct store_access *access)
{
	const struct tg_storage_backup *backup = store_extension(access->api, access->self, TG_STORAGE_BACKUP);
	const char *path = arguments_get(access->args, 0);
	struct tg_error error = tg_error_init();
	struct whole_file file;

	if (!backup)
		return backup_unsupported(access);
	int rc = whole_file_begin(access->args, path, &file);
	if (rc)
		return rc;
	int32_t status = backup->backup(access->self, str_of(file.part), store_progress, access, &error);
	out_status_clear();
	rc = whole_file_end(access->args, &file, status < 0 ? store_fail(access, &error) : EXIT_DONE);
	if (rc)
		return rc;
	if (access->json) {
		struct json_object *line = json_line("backup");
		json_put_text(line, "path", path);
		out_json(line);
	} else {
		out_plain(stdout, path);
		printf(": written\n");
	}
	return EXIT_DONE;
}

static int backup_run(const struct arguments *args)
{
	struct store_access access;
	int rc = store_access_open(args, STORE_CURRENT, &access);

	if (!rc)
		rc = backup_open(&access);
	store_access_close(&access);
	return rc;
}

const struct command store_backup = {
	.name = "backup",
	.summary = "copy the store into a file while it is in use",
	.synopsis = "FILE",
	.least = 1,
	.most = 1,
	.details =
		"The file must not be there yet; it is there once it is whole. It is a store of its own: to go back to it, "
		"stop the gateway, remove the store's -wal and -shm, and put it in the store's place. For the servers "
		"(PostgreSQL, Redis) this names the tool to use instead.",
	.options = plain_options,
	.examples = "trigate store backup /var/backups/trigate-2026-11-22.db --config gateway.yaml",
	.run = backup_run,
};
