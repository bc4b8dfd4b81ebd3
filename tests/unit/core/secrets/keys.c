/* Where keys come from: files, variables, credentials; who may read them; what is filled in; what is never told. */
#include "core/secrets/keys.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <trigate/error.h>
#include <trigate/net.h>

#include "core/secrets/signer.h"
#include "tests/unit/core/secrets/fixture.h"

#define SECRET "S3cr3tS3cr3tS3cr3t"
#define PASSPHRASE "open sesame"
#define GOOD "id = the-public-id\nsecret = " SECRET "\npassphrase = " PASSPHRASE "\n"

static char home_path[256];

static struct keys *keys_one(const char *from, const char *where, const char *encoding)
{
	struct key_choice choice = {.name = "main", .from = (char *)from, .encoding = (char *)encoding};
	struct tg_error error = tg_error_init();
	struct keys *keys = NULL;

	if (strcmp(from, "file") == 0)
		choice.path = (char *)where;
	else if (strcmp(from, "env") == 0)
		choice.prefix = (char *)where;
	else
		choice.credential = (char *)where;
	is_int(keys_open(&choice, 1, &keys, &error), 0, "keys are opened");
	is_int(keys_count(keys), 1, "one");
	return keys;
}

/* Nothing that can be said of a key holds its secret. */
static bool tells(const struct key_status *status)
{
	return strstr(status->message, SECRET) || strstr(status->message, PASSPHRASE) || strstr(status->source, SECRET);
}

static void is_refused(const char *from, const char *where, const char *encoding, int code, const char *expect)
{
	struct keys *keys = keys_one(from, where, encoding);
	uint8_t signature[64];
	struct tg_key_info info = {.size = sizeof info};
	struct tg_error error = tg_error_init();
	struct key_status status;

	keys_describe(keys, 0, &status);
	is_int(status.problem, code, "%s %s is refused", from, where);
	ok(strstr(status.message, expect), "%s: %s", where, status.message);
	ok(!tells(&status) && status.id.len == 0 && status.algorithms == 0, "and nothing of it is told");
	is_int(signer_key(keys, TG_STR("main"), &info, &error), code, "who asks for it is refused");
	ok(strstr(error.message, "key \"main\": ") && strstr(error.message, expect), "and told why");
	is_int(signer_sign(keys, TG_STR("main"), TG_SIGN_HMAC_SHA256, signature, 1, signature, 64), TG_ERR_NOT_FOUND,
	       "nothing is signed with it");
	keys_close(keys);
}

static void is_read(const char *from, const char *where, const char *source)
{
	struct keys *keys = keys_one(from, where, "text");
	struct key_status status;

	keys_describe(keys, 0, &status);
	is_int(status.problem, 0, "%s %s is read %s", from, where, status.message);
	is_str(status.source, source, "its source");
	is_str(status.name, "main", "its name");
	ok(status.id.len == 13 && memcmp(status.id.ptr, "the-public-id", 13) == 0, "its id");
	ok(status.has_passphrase, "its passphrase");
	is_int(status.algorithms, 1 << TG_SIGN_HMAC_SHA256 | 1 << TG_SIGN_HMAC_SHA512, "what it can");
	keys_close(keys);
}

/* ------------------------------------------------------------------ files */

static void test_modes(void)
{
	static const struct {
		mode_t mode;
		bool fine;
	} rows[] = {{0600, true},  {0400, true},  {0700, true},  {0640, false}, {0604, false},
		    {0620, false}, {0601, false}, {0644, false}, {0660, false}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char expect[64], source[300];

		file_write("mode", GOOD, rows[i].mode);
		snprintf(expect, sizeof expect, "others may use it (mode %04o); run chmod 600", rows[i].mode);
		snprintf(source, sizeof source, "file %s", folder_path("mode"));
		if (rows[i].fine)
			is_read("file", folder_path("mode"), source);
		else
			is_refused("file", folder_path("mode"), "text", TG_ERR_AUTH, expect);
		unlink(folder_path("mode"));
	}
}

/* A file of another user; only root can make one. */
static void test_owner(void)
{
	if (geteuid() != 0) {
		tap_skip("a file of another user", "only root can make one");
		return;
	}
	file_write("foreign", GOOD, 0600);
	if (chown(folder_path("foreign"), 12345, 12345) == 0)
		is_refused("file", folder_path("foreign"), "text", TG_ERR_AUTH,
			   "belongs to user 12345; it must be yours or root's: chown 0");
	unlink(folder_path("foreign"));
}

static void test_odd_files(void)
{
	static char huge[20000];

	file_write("good", GOOD, 0600);
	if (symlink(folder_path("good"), folder_path("link")) != 0 || mkfifo(folder_path("pipe"), 0600) != 0)
		abort();
	is_refused("file", folder_path("link"), "text", TG_ERR_INVALID, "is a symbolic link; name the file itself");
	is_refused("file", folder_path("pipe"), "text", TG_ERR_INVALID, "is not a regular file");
	is_refused("file", folder, "text", TG_ERR_INVALID, "is not a regular file");
	is_refused("file", folder_path("absent"), "text", TG_ERR_NOT_FOUND, "cannot be opened: No such file");
	memset(huge, '#', sizeof huge - 1);
	file_write("huge", huge, 0600);
	is_refused("file", folder_path("huge"), "text", TG_ERR_INVALID, "larger than 16384 bytes; not a key file");
	for (const char *const *name = (const char *const[]){"good", "link", "pipe", "huge", NULL}; *name; name++)
		unlink(folder_path(*name));
}

static void test_home(void)
{
	char source[300];

	snprintf(home_path, sizeof home_path, "%s", folder);
	setenv("HOME", home_path, 1);
	file_write("in-home", GOOD, 0600);
	snprintf(source, sizeof source, "file %s", folder_path("in-home"));
	is_read("file", "~/in-home", source);
	unsetenv("HOME");
	is_refused("file", "~/in-home", "text", TG_ERR_NOT_FOUND, "there is no $HOME to find it in");
	unlink(folder_path("in-home"));
}

/* ---------------------------------------------------------------- contents */

static void pem_of(EVP_PKEY *pkey, bool private, const char *passphrase, char *text, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len;

	if (private)
		PEM_write_bio_PKCS8PrivateKey(bio, pkey, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
					      passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
	else
		PEM_write_bio_PUBKEY(bio, pkey);
	len = snprintf(text, size, "id = a\n");
	len += BIO_read(bio, text + len, (int)size - len - 1);
	text[len] = '\0';
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void text_is_refused(const char *text, const char *encoding, const char *expect)
{
	file_write("content", text, 0600);
	is_refused("file", folder_path("content"), encoding, TG_ERR_INVALID, expect);
	unlink(folder_path("content"));
}

static void test_contents(void)
{
	char long_id[700];
	static const struct {
		const char *text, *encoding, *expect;
	} rows[] = {
		{"", "text", "there is no id"},
		{"secret = " SECRET "\n", "text", "there is no id"},
		{"id = a\n", "text", "there is no secret and no private key"},
		{"id = a\nsecret = " SECRET "\n" ED25519_ONE, "text", "there is a secret and a PEM block"},
		{"id = a b\nsecret = " SECRET "\n", "text", "the id is no key's"},
		{"id = \xc3\xa4\nsecret = " SECRET "\n", "text", "the id is no key's"},
		{"id = a\nsecret = " SECRET " x\n", "text", "the secret may have at most 512"},
		{"id = a\nsecret = " SECRET "\x01\n", "text", "the secret may have at most 512"},
		{"id = a\nsecret = " SECRET "\npassphrase = a\tb\n", "text", "the passphrase may have at most 256"},
		{"id = a\nsecret = " SECRET "!\n", "base64", "the secret is not base64, which `encoding`"},
		{"id = a\nsecret = " SECRET "\n", "hex", "the secret is not hex, which `encoding`"},
		{"id = a\n" SECRET "\n", "text", ":2: no = in it"},
		{"id = a\n-----BEGIN PRIVATE KEY-----\n" SECRET "\n-----END PRIVATE KEY-----\n", "text",
		 "cannot be read as a private key"},
		{"id = a\n-----BEGIN CERTIFICATE-----\n" SECRET "\n-----END CERTIFICATE-----\n", "text",
		 "the PEM block is no private key"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		text_is_refused(rows[i].text, rows[i].encoding, rows[i].expect);
	snprintf(long_id, sizeof long_id, "secret = x\nid = %0600d\n", 0);
	text_is_refused(long_id, "text", "the id is no key's: at most 512");
}

static void test_pem(void)
{
	char text[8192];

	pem_of(EVP_EC_gen("P-384"), true, NULL, text, sizeof text);
	text_is_refused(text, "text", "the EC key is on another curve; P-256 (prime256v1) is allowed");
	pem_of(EVP_RSA_gen(1024), true, NULL, text, sizeof text);
	text_is_refused(text, "text", "the RSA key has another size than 2048 to 4096 bits");
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), true, NULL, text, sizeof text);
	text_is_refused(text, "text", "a kind of key that is not known; Ed25519, EC P-256 or RSA");
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), true, "x", text, sizeof text);
	text_is_refused(text, "text", "the PEM block is encrypted; write it without: openssl pkey");
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), false, NULL, text, sizeof text);
	text_is_refused(text, "text", "the PEM block is a public key; the private one is needed");
}

/* ------------------------------------------------------------- environment */

static bool environment_has(const char *word)
{
	char bytes[65536];
	FILE *file = fopen("/proc/self/environ", "r");
	size_t len = file ? fread(bytes, 1, sizeof bytes, file) : 0;

	if (file)
		fclose(file);
	return memmem(bytes, len, word, strlen(word)) != NULL;
}

static void test_environment(void)
{
	setenv("T_KEY_ID", "the-public-id", 1);
	setenv("T_SECRET", SECRET, 1);
	setenv("T_PASSPHRASE", PASSPHRASE, 1);
	is_read("env", "T_", "environment T_*");
	ok(!getenv("T_KEY_ID") && !getenv("T_SECRET") && !getenv("T_PASSPHRASE"), "and erased");
	is_refused("env", "T_", "text", TG_ERR_NOT_FOUND, "environment T_*: the variable T_KEY_ID is not set");
	setenv("T_KEY_ID", "the-public-id", 1);
	is_refused("env", "T_", "text", TG_ERR_NOT_FOUND, "the variable T_SECRET is not set");
	ok(!getenv("T_KEY_ID"), "erased where something is missing too");
	setenv("T_KEY_ID", "a", 1);
	setenv("T_SECRET", SECRET " " SECRET, 1);
	is_refused("env", "T_", "text", TG_ERR_INVALID, "environment T_*: the secret may have at most");
}

/* A private key in a variable, with real line ends or with \n. */
static void test_environment_pem(void)
{
	static const char *const secrets[] = {
		ED25519_ONE,
		"-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\\n"
		"-----END PRIVATE KEY-----\\n"};

	for (size_t i = 0; i < 2; i++) {
		struct key_status status;
		struct keys *keys;

		setenv("T_KEY_ID", "a", 1);
		setenv("T_SECRET", secrets[i], 1);
		keys = keys_one("env", "T_", "text");
		keys_describe(keys, 0, &status);
		is_int(status.algorithms, 1 << TG_SIGN_ED25519, "PEM in a variable %s", status.message);
		keys_close(keys);
	}
}

/* What the process was started with is what /proc shows: so the test starts itself. */
static int environment_of_start(void)
{
	struct keys *keys;

	ok(environment_has(SECRET), "the secret is in /proc/self/environ before");
	keys = keys_one("env", "START_", "text");
	prctl(PR_SET_DUMPABLE, 1); /* else it could not be read */
	ok(!environment_has(SECRET) && environment_has("START_AFTER"), "and not behind");
	keys_close(keys);
	return secrets_done();
}

static void test_environment_of_start(const char *self)
{
	char command[600];

	snprintf(command, sizeof command,
		 "START_KEY_ID=a START_SECRET=" SECRET " START_AFTER=x exec '%s' environment >/dev/null", self);
	is_int(system(command), 0, "a secret is wiped from where the process was given it");
}

/* ------------------------------------------------------------- credentials */

static void test_credentials(void)
{
	unsetenv("CREDENTIALS_DIRECTORY");
	is_refused("credential", "binance", "text", TG_ERR_NOT_FOUND,
		   "credential binance: there is no $CREDENTIALS_DIRECTORY; add LoadCredential= to the unit");
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	is_refused("credential", "binance", "text", TG_ERR_NOT_FOUND, "cannot be opened: No such file");
	file_write("binance", GOOD, 0400);
	is_read("credential", "binance", "credential binance");
	chmod(folder_path("binance"), 0440); /* the mask of systemd's access list */
	is_read("credential", "binance", "credential binance");
	chmod(folder_path("binance"), 0444);
	is_refused("credential", "binance", "text", TG_ERR_AUTH, "others may use it (mode 0444)");
	chmod(folder_path("binance"), 0460);
	is_refused("credential", "binance", "text", TG_ERR_AUTH, "others may use it (mode 0460)");
	unlink(folder_path("binance"));
}

/* ------------------------------------------------------------------ fill */

static void test_fill(void)
{
	static const struct key_given given[] = {
		{"main", "text", GOOD},
		{"bare", "text", "id = bare-id\nsecret = " SECRET "\n"},
	};
	static const struct {
		const char *text;
		size_t room;
		int code;
		const char *expect; /* what comes out, or a part of the message */
	} rows[] = {
		{"", 100, 0, ""},
		{"", 0, 0, ""},
		{"plain", 5, 0, "plain"},
		{"plain", 4, TG_ERR_LIMIT, "longer than 4 bytes"},
		{"${key:main:id}", 100, 0, "the-public-id"},
		{"${key:main:passphrase}", 100, 0, PASSPHRASE},
		{"a ${key:main:id} b ${key:bare:id}c", 100, 0, "a the-public-id b bare-idc"},
		{"${key:main:passphrase}", 11, 0, PASSPHRASE},
		{"${key:main:passphrase}", 10, TG_ERR_LIMIT, "longer than 10 bytes"},
		{"${key:main:passphrase}${key:main:passphrase}", 15, TG_ERR_LIMIT, "longer than 15 bytes"},
		{"${other} $ ${", 100, 0, "${other} $ ${"},
		{"${key:main:secret}", 100, TG_ERR_INVALID, "${key:main:…}: id or passphrase is allowed"},
		{"${key:main}", 100, TG_ERR_INVALID, "id or passphrase is allowed"},
		{"${key:main:id", 100, TG_ERR_INVALID, "\"${key:\" without a }"},
		{"${key:mai:id}", 100, TG_ERR_NOT_FOUND, "there is no key \"mai\"; the gateway file has: main, bare"},
		{"${key::id}", 100, TG_ERR_NOT_FOUND, "there is no key \"\""},
		{"${key:}", 100, TG_ERR_NOT_FOUND, "there is no key \"\""},
		{"${key:bare:passphrase}", 100, TG_ERR_NOT_FOUND, "key \"bare\" has no passphrase"},
		{"${key:a-name-that-is-longer-than-any-that-the-file-may-have:id}", 100, TG_ERR_NOT_FOUND,
		 "there is no key"},
	};
	struct keys *keys = keys_given(given, 2);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tg_str text = {rows[i].text, strlen(rows[i].text)};
		struct tg_error error = tg_error_init();
		char buffer[128] = "";
		size_t len = 0;
		int code = keys_fill(keys, text, buffer, rows[i].room, &len, &error);

		is_int(code, rows[i].code, "\"%s\" into %zu bytes", rows[i].text, rows[i].room);
		if (code == 0)
			ok(len == strlen(rows[i].expect) && memcmp(buffer, rows[i].expect, len) == 0, "%.*s", (int)len,
			   buffer);
		else
			ok(strstr(error.message, rows[i].expect) && !strstr(error.message, PASSPHRASE) &&
				   !memmem(buffer, sizeof buffer, "sesame", 6),
			   "%s", error.message);
	}
	keys_close(keys);
}

/* ---------------------------------------------------------------- process */

static void test_process(void)
{
	struct tg_error error = tg_error_init();
	struct keys *keys = NULL;

	prctl(PR_SET_DUMPABLE, 1);
	is_int(keys_open(NULL, 0, &keys, &error), 0, "no keys are fine");
	is_int(prctl(PR_GET_DUMPABLE), 1, "and change nothing");
	is_int(keys_count(keys), 0, "there are none");
	keys_close(keys);
	keys_close(NULL);
	keys = keys_given(&(struct key_given){"main", "text", GOOD}, 1);
	is_int(prctl(PR_GET_DUMPABLE), 0, "a process with keys dumps no core");
	keys_close(keys);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return environment_of_start();
	folder_make();
	test_process();
	test_modes();
	test_owner();
	test_odd_files();
	test_home();
	test_contents();
	test_pem();
	test_environment();
	test_environment_pem();
	test_environment_of_start(argv[0]);
	test_credentials();
	test_fill();
	return secrets_done();
}
