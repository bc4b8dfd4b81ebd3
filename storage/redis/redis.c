/* Redis: a server of its own that keeps an append-only file, for gateways on several machines.
 *
 * Settings: where the server is (`host` and `port`, or `socket`), `database`, `prefix` of all keys, `username` and
 * `password_file`, time-outs, and `appendfsync` where the user may not ask the server. A server that would lose what it
 * acknowledged is refused. docs/storage/redis.md says how to set one up, store.h what lies where. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/redis/row.h"
#include "storage/redis/store.h"

#define PASSWORD_MAX 1024

TG_MANIFEST({
	"id" : "redis",
	"kind" : "storage",
	"version" : "0.1.0",
	"abi" : "0.1",
	"description" : "A Redis server with an append-only file, shared by gateways on several machines",
	"licence" : "MIT",
	"capabilities" : {"durable" : true, "shared" : true, "online_backup" : false},
	"config" : {
		"type" : "object",
		"additionalProperties" : false,
		"properties" : {
			"host" : {
				"type" : "string",
				"minLength" : 1,
				"maxLength" : 100,
				"default" : "127.0.0.1",
				"description" :
					"Name or address of the server; without TLS, so keep it on a network of your own"
			},
			"port" : {
				"type" : "integer",
				"minimum" : 1,
				"maximum" : 65535,
				"default" : 6379,
				"description" : "Its TCP port"
			},
			"socket" : {
				"type" : "string",
				"maxLength" : 100,
				"default" : "",
				"description" : "Path of its Unix socket, in place of host and port"
			},
			"database" : {
				"type" : "integer",
				"minimum" : 0,
				"maximum" : 65535,
				"default" : 0,
				"description" : "Number of the database"
			},
			"username" : {
				"type" : "string",
				"maxLength" : 128,
				"default" : "",
				"description" : "ACL user; empty: the default user"
			},
			"password_file" : {
				"type" : "string",
				"maxLength" : 4096,
				"default" : "",
				"description" :
					"File that holds the password, readable by its owner alone (mode 0600); empty: none"
			},
			"prefix" : {
				"type" : "string",
				"minLength" : 1,
				"maxLength" : 64,
				"default" : "trigate",
				"description" :
					"All keys begin with it and a colon; gateways of one prefix share one store"
			},
			"connect_timeout_ms" : {
				"type" : "integer",
				"minimum" : 1,
				"maximum" : 600000,
				"default" : 2000,
				"description" : "How long connecting may take"
			},
			"command_timeout_ms" : {
				"type" : "integer",
				"minimum" : 1,
				"maximum" : 600000,
				"default" : 5000,
				"description" : "How long an answer may take"
			},
			"appendfsync" : {
				"type" : "string",
				"enum" : [ "ask", "everysec", "always" ],
				"default" : "ask",
				"description" :
					"How the server syncs; ask: by CONFIG GET; else it is believed, and that it syncs during rewrites"
			}
		}
	}
});

/* --------------------------------------------------------------- settings */

struct settings {
	char host[128], socket[128], username[160], path[4100], appendfsync[16];
	char password[PASSWORD_MAX + 1];
	int64_t port, database, connect_timeout_ms, command_timeout_ms;
};

static int32_t text_get(const struct tg_config *config, const char *key, const char *preset, char *buffer, size_t size,
			struct tg_error *ret_error)
{
	struct tg_str text = {preset, strlen(preset)};

	if (config && config->get_text(config, (struct tg_str){key, strlen(key)}, &text) == TG_ERR_INVALID)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: a text is needed", key);
	if (text.len >= size || (text.len > 0 && memchr(text.ptr, '\0', text.len)))
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: at most %zu bytes and no NUL are allowed", key,
				    size - 1);
	if (text.len > 0)
		memcpy(buffer, text.ptr, text.len);
	buffer[text.len] = '\0';
	return TG_OK;
}

static int32_t number_get(const struct tg_config *config, const char *key, int64_t preset, int64_t min, int64_t max,
			  int64_t *ret_number, struct tg_error *ret_error)
{
	int64_t number = preset;

	if (config && config->get_i64(config, (struct tg_str){key, strlen(key)}, &number) == TG_ERR_INVALID)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: a whole number is needed", key);
	if (number < min || number > max)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: %lld to %lld are allowed", key, (long long)min,
				    (long long)max);
	*ret_number = number;
	return TG_OK;
}

static int32_t texts_get(struct settings *settings, const struct tg_config *config, char prefix[PREFIX_MAX + 1],
			 struct tg_error *ret_error)
{
	const struct {
		const char *key, *preset;
		char *buffer;
		size_t size;
	} texts[] = {
		{"host", "127.0.0.1", settings->host, sizeof settings->host},
		{"socket", "", settings->socket, sizeof settings->socket},
		{"username", "", settings->username, sizeof settings->username},
		{"password_file", "", settings->path, sizeof settings->path},
		{"appendfsync", "ask", settings->appendfsync, sizeof settings->appendfsync},
		{"prefix", "trigate", prefix, PREFIX_MAX + 1},
	};
	int32_t status = TG_OK;

	for (size_t i = 0; i < sizeof texts / sizeof *texts && status == TG_OK; i++)
		status = text_get(config, texts[i].key, texts[i].preset, texts[i].buffer, texts[i].size, ret_error);
	if (status == TG_OK && prefix[0] == '\0')
		status = tg_error_set(ret_error, TG_ERR_INVALID, "prefix: may not be empty");
	return status;
}

static int32_t numbers_get(struct settings *settings, const struct tg_config *config, struct tg_error *ret_error)
{
	const struct {
		const char *key;
		int64_t preset, min, max, *to;
	} numbers[] = {
		{"port", 6379, 1, 65535, &settings->port},
		{"database", 0, 0, 65535, &settings->database},
		{"connect_timeout_ms", 2000, 1, 600000, &settings->connect_timeout_ms},
		{"command_timeout_ms", 5000, 1, 600000, &settings->command_timeout_ms},
	};
	int32_t status = TG_OK;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == TG_OK; i++)
		status = number_get(config, numbers[i].key, numbers[i].preset, numbers[i].min, numbers[i].max,
				    numbers[i].to, ret_error);
	return status;
}

/* --------------------------------------------------------------- password */

/* Looked at once it is open, so that it is the file that is read. */
static int32_t file_judge(int fd, const char *path, struct tg_error *ret_error)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "password_file %s: cannot be looked at: %s", path,
				    strerror(errno));
	if (!S_ISREG(status.st_mode))
		return tg_error_set(ret_error, TG_ERR_INVALID, "password_file %s: is not a regular file", path);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return tg_error_set(ret_error, TG_ERR_AUTH, "password_file %s: belongs to user %u; chown %u", path,
				    (unsigned)status.st_uid, (unsigned)geteuid());
	if (status.st_mode & 077)
		return tg_error_set(ret_error, TG_ERR_AUTH,
				    "password_file %s: others may use it (mode %04o); run chmod 600, and change the "
				    "password if anyone could have read it",
				    path, (unsigned)status.st_mode & 07777);
	return TG_OK;
}

static int32_t file_read(int fd, const char *path, char password[PASSWORD_MAX + 1], struct tg_error *ret_error)
{
	ssize_t len = read(fd, password, PASSWORD_MAX + 1);

	if (len < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "password_file %s: cannot be read: %s", path,
				    strerror(errno));
	if (len > PASSWORD_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "password_file %s: larger than %d bytes", path,
				    PASSWORD_MAX);
	password[len] = '\0';
	password[strcspn(password, "\r\n")] = '\0';
	if (password[0] == '\0')
		return tg_error_set(ret_error, TG_ERR_INVALID, "password_file %s: its first line is empty", path);
	return TG_OK;
}

/* O_NONBLOCK: opening a pipe must not wait for its writer. */
static int32_t password_get(struct settings *settings, struct tg_error *ret_error)
{
	if (settings->path[0] == '\0')
		return settings->username[0] == '\0'
			       ? TG_OK
			       : tg_error_set(ret_error, TG_ERR_INVALID, "username: needs a password_file, too");
	int fd = open(settings->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return tg_error_set(ret_error, errno == ENOENT ? TG_ERR_NOT_FOUND : TG_ERR_IO,
				    "password_file %s: cannot be opened: %s", settings->path,
				    errno == ELOOP ? "it is a symbolic link; name the file itself" : strerror(errno));
	int32_t status = file_judge(fd, settings->path, ret_error);
	if (status == TG_OK)
		status = file_read(fd, settings->path, settings->password, ret_error);
	close(fd);
	return status;
}

/* --------------------------------------------------------- open and close */

static void store_close(void *self)
{
	struct store *store = self;

	if (!store)
		return;
	link_close(&store->link);
	batch_work_finish(&store->work);
	bytes_free(&store->request);
	free(store);
}

static int32_t store_connect(struct store *store, const struct settings *settings, struct tg_error *ret_error)
{
	const struct link_way way = {
		.host = settings->host,
		.socket = settings->socket,
		.port = (int)settings->port,
		.database = settings->database,
		.username = settings->username,
		.password = {settings->password, strlen(settings->password)},
		.connect_timeout_ms = settings->connect_timeout_ms,
		.command_timeout_ms = settings->command_timeout_ms,
	};

	store->sync_is_told = strcmp(settings->appendfsync, "ask") != 0;
	store->sync = strcmp(settings->appendfsync, "always") == 0 ? SYNC_ALWAYS : SYNC_EVERYSEC;
	int32_t status = link_open(&store->link, &way, ret_error);
	store->link.may_postpone = store->sync != SYNC_ALWAYS;
	return status == TG_OK ? server_check(store, ret_error) : status;
}

static int32_t store_open(const struct tg_host *host, const struct tg_config *config, struct tg_str state_dir,
			  void **ret_self, struct tg_error *ret_error)
{
	struct store *store = calloc(1, sizeof *store);
	struct settings settings = {.port = 0};

	(void)host;
	(void)state_dir;
	if (!store)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "out of memory");
	int32_t status = texts_get(&settings, config, store->prefix, ret_error);
	if (status == TG_OK)
		status = numbers_get(&settings, config, ret_error);
	if (status == TG_OK)
		status = password_get(&settings, ret_error);
	strcat(store->prefix, ":");
	if (status == TG_OK)
		status = store_connect(store, &settings, ret_error);
	explicit_bzero(settings.password, sizeof settings.password);
	if (status != TG_OK) {
		store_close(store);
		return status;
	}
	*ret_self = store;
	return TG_OK;
}

static int32_t store_ping(void *self, struct tg_error *ret_error)
{
	struct store *store = self;
	redisReply *reply = NULL;
	int32_t status = link_words(&store->link, "PING", "ping", &reply, ret_error);

	freeReplyObject(reply);
	return status;
}

static int32_t store_stored_position(void *self, struct tg_str journal, uint64_t *ret_position,
				     struct tg_error *ret_error)
{
	return store_position_get(self, journal, ret_position, ret_error);
}

static const void *store_extension(void *self, struct tg_str id)
{
	(void)self;
	(void)id;
	return NULL;
}

static const struct tg_storage_api api = {
	.size = sizeof api,
	.open = store_open,
	.close = store_close,
	.ping = store_ping,
	.migrate = store_migrate,
	.apply = store_apply,
	.load = store_load,
	.stored_position = store_stored_position,
	.durable_position = store_durable_position,
	.slot_reserve = store_slot_reserve,
	.slot_renew = store_slot_renew,
	.slot_release = store_slot_release,
	.slot_list = store_slot_list,
	.check = store_check,
	.cleanup = store_cleanup,
	.status = store_status,
	.extension = store_extension,
};

TG_PLUGIN(TG_KIND_STORAGE, "redis", "0.1.0", &api);
