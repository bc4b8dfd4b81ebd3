#include "core/secrets/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/io/disk.h"

#define PATH_LEN_MAX 4096
#define VARIABLE_MAX 96 /* rule_variable's 60 and the longest ending */

int source_guard(struct tg_error *ret_error)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "core dumps cannot be forbidden (PR_SET_DUMPABLE): %s",
				    strerror(errno));
	return 0;
}

static bool is_from(const struct key_choice *choice, const char *from)
{
	return strcmp(choice->from, from) == 0;
}

/* The path of a file or credential; false if the variable that begins it is missing. */
static bool path_of(const struct key_choice *choice, char *path, size_t size)
{
	const char *folder = NULL, *rest = choice->path;

	if (is_from(choice, "credential")) {
		folder = getenv("CREDENTIALS_DIRECTORY");
		rest = choice->credential;
	} else if (strncmp(choice->path, "~/", 2) == 0) {
		folder = getenv("HOME");
		rest = choice->path + 2;
	} else {
		folder = "";
	}
	if (folder == NULL)
		return false;
	snprintf(path, size, "%s%s%s", folder, folder[0] ? "/" : "", rest);
	return true;
}

void source_name(const struct key_choice *choice, char *name, size_t size)
{
	char path[PATH_LEN_MAX];

	if (is_from(choice, "env"))
		snprintf(name, size, "environment %s*", choice->prefix);
	else if (is_from(choice, "credential"))
		snprintf(name, size, "credential %s", choice->credential);
	else
		snprintf(name, size, "file %s", path_of(choice, path, sizeof path) ? path : choice->path);
}

/* ------------------------------------------------------------------ files */

/* Looked at once it is open, so that it is the file that is read. systemd gives a service its credentials by an access
 * list, whose mask shows as the group's right to read. */
static int file_judge(int fd, const char *where, bool credential, struct tg_error *ret_error)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot be looked at: %s", where, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: is not a regular file", where);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return tg_error_set(ret_error, TG_ERR_AUTH,
				    "%s: belongs to user %u; it must be yours or root's: chown %u", where,
				    (unsigned)status.st_uid, (unsigned)geteuid());
	if (status.st_mode & (credential ? 037 : 077))
		return tg_error_set(ret_error, TG_ERR_AUTH,
				    "%s: others may use it (mode %04o); run chmod 600, and make a new key if anyone "
				    "could have read this one",
				    where, (unsigned)status.st_mode & 07777);
	if (status.st_size > KEY_TEXT_MAX)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: larger than %d bytes; not a key file", where,
				    KEY_TEXT_MAX);
	return 0;
}

/* O_NONBLOCK: opening a pipe must not wait for its writer. */
static int file_open(const char *path, const char *where, bool credential, int *ret_fd, struct tg_error *ret_error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int status;

	if (fd < 0 && errno == ELOOP)
		return tg_error_set(ret_error, TG_ERR_INVALID, "%s: is a symbolic link; name the file itself", where);
	if (fd < 0)
		return tg_error_set(ret_error, errno == ENOENT ? TG_ERR_NOT_FOUND : TG_ERR_IO,
				    "%s: cannot be opened: %s", where, strerror(errno));
	status = file_judge(fd, where, credential, ret_error);
	if (status)
		close(fd);
	else
		*ret_fd = fd;
	return status;
}

static int file_read(const struct key_choice *choice, const char *where, char *buffer, struct key_text *ret_text,
		     struct tg_error *ret_error)
{
	bool credential = is_from(choice, "credential");
	char path[PATH_LEN_MAX];
	int fd = -1, status;
	int64_t len;

	if (!path_of(choice, path, sizeof path))
		return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "%s: %s", where,
				    credential ? "there is no $CREDENTIALS_DIRECTORY; add LoadCredential= to the unit, "
						 "or take the key from a file"
					       : "there is no $HOME to find it in; write the whole path");
	status = file_open(path, where, credential, &fd, ret_error);
	if (status)
		return status;
	len = disk_read_all(&disk_system, fd, buffer, KEY_TEXT_MAX, 0);
	close(fd);
	if (len < 0)
		return tg_error_set(ret_error, TG_ERR_IO, "%s: cannot be read: %s", where, strerror((int)-len));
	return key_text_parse(where, buffer, (size_t)len, ret_text, ret_error);
}

/* ------------------------------------------------------------ environment */

enum { VARIABLE_ID, VARIABLE_SECRET, VARIABLE_PASSPHRASE, VARIABLES };
static const char *const variable_ending[VARIABLES] = {"KEY_ID", "SECRET", "PASSPHRASE"};

static char *variable_get(const struct key_choice *choice, int which, char name[VARIABLE_MAX])
{
	snprintf(name, VARIABLE_MAX, "%s%s", choice->prefix, variable_ending[which]);
	return getenv(name);
}

/* PEM in a variable: line ends may be written as \n, for where a variable has one line only. */
static struct tg_str pem_unfold(const char *text, char *buffer)
{
	size_t len = 0;

	for (; *text && len < KEY_TEXT_MAX; text++) {
		bool folded = text[0] == '\\' && text[1] == 'n';

		buffer[len++] = folded ? '\n' : *text;
		text += folded;
	}
	return (struct tg_str){buffer, len};
}

static int environment_read(const struct key_choice *choice, const char *where, char *buffer, struct key_text *ret_text,
			    struct tg_error *ret_error)
{
	struct key_text text = {0};
	struct tg_str *place[VARIABLES] = {&text.id, &text.secret, &text.passphrase};
	char name[VARIABLE_MAX];

	for (int i = 0; i < VARIABLES; i++) {
		const char *value = variable_get(choice, i, name);

		if (value && value[0])
			*place[i] = (struct tg_str){value, strlen(value)};
		else if (i != VARIABLE_PASSPHRASE)
			return tg_error_set(ret_error, TG_ERR_NOT_FOUND, "%s: the variable %s is not set", where, name);
	}
	if (strncmp(text.secret.ptr, "-----BEGIN ", strlen("-----BEGIN ")) == 0) {
		text.pem = pem_unfold(text.secret.ptr, buffer);
		text.secret = (struct tg_str){0};
	}
	*ret_text = text;
	return 0;
}

/* unsetenv takes only the pointer away: the text would stay in the process's first page and in /proc/PID/environ. */
void source_erase(const struct key_choice *choice)
{
	char name[VARIABLE_MAX];

	if (!is_from(choice, "env"))
		return;
	for (int i = 0; i < VARIABLES; i++) {
		char *value = variable_get(choice, i, name);

		if (value) {
			sodium_memzero(value, strlen(value));
			unsetenv(name);
		}
	}
}

int source_read(const struct key_choice *choice, const char *where, char *buffer, struct key_text *ret_text,
		struct tg_error *ret_error)
{
	return is_from(choice, "env") ? environment_read(choice, where, buffer, ret_text, ret_error)
				      : file_read(choice, where, buffer, ret_text, ret_error);
}
