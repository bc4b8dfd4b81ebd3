/* HMAC and Ed25519 make no system call: they are made where the kernel ends a process for one. No allocation: malloc is
 * counted. */
#include "core/secrets/signer.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/allocations.h"
#include "tests/unit/core/secrets/fixture.h"

#if !ALLOCATIONS_ARE_COUNTED
int main(void)
{
	tap_skip("signatures allocate nothing and call nothing", "the sanitizer does both");
	return tap_done();
}
#else

static const struct {
	const char *key;
	int32_t algorithm;
	bool hashed;
	const char *what;
} rows[] = {
	{"hmac", TG_SIGN_HMAC_SHA256, false, "HMAC-SHA256"},
	{"hmac", TG_SIGN_HMAC_SHA512, false, "HMAC-SHA512"},
	{"hmac", TG_SIGN_HMAC_SHA512, true, "HMAC-SHA512 of a hash"},
	{"ed25519", TG_SIGN_ED25519, false, "Ed25519"},
};

static int32_t row_sign(const struct keys *keys, size_t row)
{
	static const uint8_t bytes[300] = {1, 2, 3};
	struct tg_str name = {rows[row].key, strlen(rows[row].key)};
	uint8_t signature[64];

	if (rows[row].hashed)
		return signer_sign_hashed(keys, name, rows[row].algorithm, bytes, 20, bytes, sizeof bytes, signature,
					  sizeof signature);
	return signer_sign(keys, name, rows[row].algorithm, bytes, sizeof bytes, signature, sizeof signature);
}

/* The wait status of a process that signs and may call nothing but exit. `row` past the last: it calls something else.
 */
static int row_alone(const struct keys *keys, size_t row)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		if (row == sizeof rows / sizeof *rows)
			syscall(SYS_getpid);
		else if (row_sign(keys, row) < 0)
			syscall(SYS_exit, 1);
		syscall(SYS_exit, 0);
	}
	waitpid(child, &status, 0);
	return status;
}

int main(void)
{
	static const struct key_given given[] = {
		{"hmac", "text", "id = a\nsecret = b\n"},
		{"ed25519", "text", "id = a\n" ED25519_ONE},
	};
	struct keys *keys;

	folder_make();
	keys = keys_given(given, 2);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned before = allocations;
		int32_t len = row_sign(keys, i);
		unsigned after = allocations;

		ok(len > 0, "%s signs", rows[i].what);
		is_int(after - before, 0, "and allocates nothing");
		is_int(row_alone(keys, i), 0, "and makes no system call");
	}
	ok(allocations > 0, "allocations are counted");
	ok(WIFSIGNALED(row_alone(keys, sizeof rows / sizeof *rows)), "a system call would be the end");
	keys_close(keys);
	return secrets_done();
}

#endif
