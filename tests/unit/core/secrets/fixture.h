/* Keys from text, for tests of what is done with them: each lies in a file of a folder of its own. One process. */
#ifndef TRIGATE_TESTS_UNIT_CORE_SECRETS_FIXTURE_H
#define TRIGATE_TESTS_UNIT_CORE_SECRETS_FIXTURE_H

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/secrets/keys.h"
#include "tests/tap.h"

/* RFC 8032, section 7.1, tests 1 and 2, as PKCS #8 (RFC 8410). */
#define ED25519_ONE \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" \
	"-----END PRIVATE KEY-----\n"
#define ED25519_TWO \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n" \
	"-----END PRIVATE KEY-----\n"

static char folder[] = "/tmp/trigate-keys-XXXXXX";

__attribute__((unused)) static void folder_make(void)
{
	if (mkdtemp(folder) == NULL)
		abort();
}

__attribute__((unused)) static const char *folder_path(const char *name)
{
	static char path[2][256];
	static int turn;

	turn ^= 1;
	snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
	return path[turn];
}

__attribute__((unused)) static void file_write(const char *name, const char *text, mode_t mode)
{
	const char *path = folder_path(name);
	FILE *file = fopen(path, "w");

	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, mode) != 0)
		abort();
}

/* Keys that are read from key files of this text; NULL for the last of the names ends. Aborts where they are not. */
struct key_given {
	const char *name;
	const char *encoding;
	const char *text;
};
__attribute__((unused)) static struct keys *keys_given(const struct key_given *given, size_t count)
{
	struct key_choice choice[16] = {0};
	struct tg_error error = {.size = sizeof error};
	struct keys *keys = NULL;

	for (size_t i = 0; i < count && i < 16; i++) {
		file_write(given[i].name, given[i].text, 0600);
		choice[i].name = (char *)given[i].name;
		choice[i].from = "file";
		choice[i].path = strdup(folder_path(given[i].name));
		choice[i].encoding = (char *)given[i].encoding;
	}
	if (keys_open(choice, count, &keys, &error) != 0)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct key_status status;

		keys_describe(keys, i, &status);
		if (status.problem)
			printf("# %s: %s\n", status.name, status.message);
		unlink(choice[i].path);
		free(choice[i].path);
	}
	return keys;
}

/* For the end: what looks for leaks has to look into this process. */
__attribute__((unused)) static int secrets_done(void)
{
	prctl(PR_SET_DUMPABLE, 1);
	rmdir(folder);
	return tap_done();
}

#endif
