#include "core/cli/venue_dir.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/secrets/key_text.h"
#include "venue/binance/certificate.h"
#include "venue/binance/made_keys.h"

#define PRIVATE 0600
#define PUBLIC 0644
#define FILE_MAX KEY_TEXT_MAX

/* ------------------------------------------------------------------ files */

static int fail(struct tg_error *ret_error, const char *what, const char *path)
{
	return tg_error_set(ret_error, TG_ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

const char *venue_dir_file(const struct venue_dir *dir, const char *name, char path[VENUE_PATH_MAX])
{
	snprintf(path, VENUE_PATH_MAX, "%s/%s", dir->path, name);
	return path;
}

int venue_dir_open(const char *path, struct venue_dir *ret_dir, struct tg_error *ret_error)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail(ret_error, "make the folder", path);
	char *absolute = realpath(path, NULL);
	if (!absolute)
		return fail(ret_error, "open the folder", path);
	bool fits = strlen(absolute) < sizeof ret_dir->path;
	if (fits)
		strcpy(ret_dir->path, absolute);
	free(absolute);
	if (!fits)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: this path is too long", path);
	struct stat info;
	if (stat(ret_dir->path, &info) != 0 || !S_ISDIR(info.st_mode))
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s is no folder; name one with --dir", path);
	return TG_OK;
}

static bool all_write(int fd, struct tg_str text)
{
	while (text.len) {
		ssize_t written = write(fd, text.ptr, text.len);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text.ptr += written;
		text.len -= (size_t)written;
	}
	return true;
}

/* Whole or not at all, also after a power loss. */
static int file_write(const struct venue_dir *dir, const char *name, mode_t mode, struct tg_str text,
		      struct tg_error *ret_error)
{
	char path[VENUE_PATH_MAX], fresh[VENUE_PATH_MAX + 8];
	venue_dir_file(dir, name, path);
	snprintf(fresh, sizeof fresh, "%s.new", path);
	unlink(fresh); /* of a start that was killed */
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return fail(ret_error, "make", fresh);
	bool good = fchmod(fd, mode) == 0 && all_write(fd, text) && fsync(fd) == 0;
	good = close(fd) == 0 && good;
	if (good && rename(fresh, path) == 0)
		return TG_OK;
	int status = fail(ret_error, "write", fresh);
	unlink(fresh);
	return status;
}

/* 0, TG_ERR_NOT_FOUND without a message, or TG_ERR_IO. */
static int file_read(const char *path, char buffer[FILE_MAX], struct tg_str *ret_text, struct tg_error *ret_error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size = 0;
	ssize_t got = 1;
	if (fd < 0)
		return errno == ENOENT ? TG_ERR_NOT_FOUND : fail(ret_error, "open", path);
	while (size < FILE_MAX && got > 0) {
		got = read(fd, buffer + size, FILE_MAX - size);
		size += got > 0 ? (size_t)got : 0;
	}
	int why = errno;
	close(fd);
	errno = why;
	if (got < 0)
		return fail(ret_error, "read", path);
	if (size == FILE_MAX)
		return tg_error_set(ret_error, TG_ERR_IO, "%s is too large to be what it should be; remove it", path);
	*ret_text = (struct tg_str){buffer, size};
	return TG_OK;
}

int venue_dir_sync(const struct venue_dir *dir, const char *name)
{
	char path[VENUE_PATH_MAX];
	int fd = open(venue_dir_file(dir, name, path), O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good ? TG_OK : TG_ERR_IO;
}

/* ------------------------------------------------------------ certificate */

static bool certificate_is_good(const struct venue_dir *dir, const char *host, int64_t unix_s)
{
	char path[VENUE_PATH_MAX], buffer[FILE_MAX];
	struct tg_str pem;
	return access(venue_dir_file(dir, VENUE_CA, path), R_OK) == 0 &&
	       access(venue_dir_file(dir, VENUE_CERTIFICATE_KEY, path), R_OK) == 0 &&
	       file_read(venue_dir_file(dir, VENUE_CERTIFICATE, path), buffer, &pem, NULL) == TG_OK &&
	       certificate_serves(pem, host, unix_s);
}

int venue_dir_certificate(const struct venue_dir *dir, const char *host, int64_t unix_s, struct tg_error *ret_error)
{
	struct certificate made = {0};
	if (certificate_is_good(dir, host, unix_s))
		return TG_OK;
	int status = certificate_make(host, unix_s, &made, ret_error);
	if (status == TG_OK)
		status = file_write(dir, VENUE_CA, PUBLIC, text_str(&made.authority), ret_error);
	if (status == TG_OK)
		status = file_write(dir, VENUE_CERTIFICATE_KEY, PRIVATE, text_str(&made.key), ret_error);
	if (status == TG_OK)
		status = file_write(dir, VENUE_CERTIFICATE, PUBLIC, text_str(&made.own), ret_error);
	certificate_finish(&made);
	return status;
}

/* ------------------------------------------------------------------- keys */

static int key_add(const char *path, enum key_kind kind, struct tg_str text, struct keys *keys,
		   struct tg_error *ret_error)
{
	struct text public = {0};
	struct key_text parts;
	int status = key_text_parse(path, text.ptr, text.len, &parts, ret_error);
	if (status)
		return status;
	if (!parts.id.ptr || !(kind == KEY_HMAC ? parts.secret.ptr : parts.pem.ptr))
		return tg_error_set(ret_error, TG_ERR_INVALID,
				    "%s: a line `id = ...` and %s are needed; remove the file and a new one is made",
				    path, kind == KEY_HMAC ? "one `secret = ...`" : "a private key in PEM");
	if (kind == KEY_HMAC)
		return keys_add(keys, parts.id, kind, parts.secret, ret_error);
	if (made_key_public(parts.pem, &public))
		status = keys_add(keys, parts.id, kind, text_str(&public), ret_error);
	else
		status = tg_error_set(ret_error, TG_ERR_INVALID,
				      "%s: this is no Ed25519 key; remove the file and a new one is made", path);
	text_finish(&public);
	return status;
}

static int key_take(const struct venue_dir *dir, const char *name, enum key_kind kind, struct keys *keys,
		    struct tg_error *ret_error)
{
	char path[VENUE_PATH_MAX], buffer[FILE_MAX];
	struct tg_str text = {0};
	int status = file_read(venue_dir_file(dir, name, path), buffer, &text, ret_error);
	if (status == TG_ERR_NOT_FOUND) {
		struct text made = {0};
		status = made_key_write(kind, &made)
				 ? file_write(dir, name, PRIVATE, text_str(&made), ret_error)
				 : tg_error_set(ret_error, TG_ERR_IO, "OpenSSL cannot make a key for %s", path);
		if (status == TG_OK)
			status = key_add(path, kind, text_str(&made), keys, ret_error);
		if (made.ptr)
			explicit_bzero(made.ptr, made.capacity);
		text_finish(&made);
	} else if (status == TG_OK) {
		status = key_add(path, kind, text, keys, ret_error);
	}
	explicit_bzero(buffer, sizeof buffer);
	return status;
}

int venue_dir_keys(const struct venue_dir *dir, struct keys *ret_keys, struct tg_error *ret_error)
{
	struct keys keys = {0};
	int status = key_take(dir, VENUE_KEY, KEY_HMAC, &keys, ret_error);
	if (status == TG_OK)
		status = key_take(dir, VENUE_KEY_ED25519, KEY_ED25519, &keys, ret_error);
	if (status != TG_OK)
		keys_finish(&keys);
	else
		*ret_keys = keys;
	return status;
}

/* --------------------------------------------------------------- announce */

static void put(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static void put_file(struct json_object *object, const char *key, const struct venue_dir *dir, const char *name)
{
	char path[VENUE_PATH_MAX];
	put(object, key, venue_dir_file(dir, name, path));
}

struct json_object *venue_dir_describe(const struct venue_dir *dir, const char *host, uint16_t port, bool tls,
				       bool control)
{
	struct json_object *object = json_object_new_object();
	bool six = strchr(host, ':');
	char url[512];
	if (!object)
		return NULL;
	snprintf(url, sizeof url, "http%s://%s%s%s:%u", tls ? "s" : "", six ? "[" : "", host, six ? "]" : "", port);
	put(object, "rest", url);
	snprintf(url, sizeof url, "ws%s://%s%s%s:%u", tls ? "s" : "", six ? "[" : "", host, six ? "]" : "", port);
	put(object, "stream", url);
	snprintf(url + strlen(url), sizeof url - strlen(url), "/ws-api/v3");
	put(object, "ws_api", url);
	if (tls)
		put_file(object, "ca_file", dir, VENUE_CA);
	else
		json_object_object_add(object, "ca_file", NULL);
	put_file(object, "key_file", dir, VENUE_KEY);
	put_file(object, "key_file_ed25519", dir, VENUE_KEY_ED25519);
	put_file(object, "ledger", dir, VENUE_LEDGER);
	put_file(object, "gateway", dir, VENUE_GATEWAY);
	json_object_object_add(object, "control", json_object_new_boolean(control));
	json_object_object_add(object, "pid", json_object_new_int64(getpid()));
	return object;
}

static const char *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	json_object_object_get_ex(object, key, &value);
	return value ? json_object_get_string(value) : NULL;
}

/* JSON is YAML: a path with whatever letters. */
static void yaml_quote(struct text *out, const char *value)
{
	struct json_object *text = json_object_new_string(value);
	text_put(out, json_object_to_json_string_ext(text, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(text);
}

static void gateway_write(const struct venue_dir *dir, struct json_object *description, struct text *out)
{
	char path[VENUE_PATH_MAX];
	text_put(out, "# Made by `trigate venue` at each of its starts; copy it to change it.\n"
		      "strategy: " VENUE_STRATEGY "\n"
		      "state_dir: ");
	yaml_quote(out, venue_dir_file(dir, "gateway-state", path));
	text_format(out,
		    "\nexchanges:\n"
		    "  binance:\n"
		    "    settings:\n"
		    "      rest_url: \"%s\"\n"
		    "      stream_url: \"%s\"\n"
		    "      api_url: \"%s\"\n"
		    "      key: venue\n"
		    "keys:\n"
		    "  venue: {from: file, path: " VENUE_KEY_ED25519 "}\n"
		    "network:\n",
		    member(description, "rest"), member(description, "stream"), member(description, "ws_api"));
	text_put(out, member(description, "ca_file") ? "  ca_file: " VENUE_CA "\n" : "  allow_plain: true\n");
}

/* What there is to gain on the venue's made-up markets, and no more at stake than its own money. */
static const char strategy[] = "# Made by `trigate venue` at each of its starts; copy it to change it.\n"
			       "name: venue\n"
			       "exchange: binance\n"
			       "min_profit_bps: 3\n"
			       "max_slippage_bps: 15\n"
			       "max_quote_age_ms: 0 # a quiet market says nothing\n"
			       "allowed_base_currencies: [USDT]\n"
			       "capital_allocation: {mode: fixed_fraction, fraction: 0.05, max_allocation: 2000}\n"
			       "risk_controls: {stop_after_consecutive_losses: 0, slippage_cooldown_seconds: 5}\n"
			       "order: {max_retries: 2, retry_delay_ms: 50}\n";

int venue_dir_announce(const struct venue_dir *dir, struct json_object *description, struct tg_error *ret_error)
{
	struct text text = {0};
	gateway_write(dir, description, &text);
	int status = file_write(dir, VENUE_STRATEGY, PUBLIC, (struct tg_str){strategy, strlen(strategy)}, ret_error);
	if (status == TG_OK)
		status = file_write(dir, VENUE_GATEWAY, PUBLIC, text_str(&text), ret_error);
	text_clear(&text);
	text_put(&text,
		 json_object_to_json_string_ext(description, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	text_put(&text, "\n");
	if (status == TG_OK)
		status = file_write(dir, VENUE_JSON, PUBLIC, text_str(&text), ret_error);
	text_finish(&text);
	return status;
}

void venue_dir_withdraw(const struct venue_dir *dir)
{
	char path[VENUE_PATH_MAX];
	unlink(venue_dir_file(dir, VENUE_JSON, path));
}
