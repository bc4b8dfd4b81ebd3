/* The door: each fixture plugin is refused for its reason, sound ones load, folders become a registry. */
#include <plugins/host.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <abi/fixtures/fixture.h>
#include <tap.h>

#include <trigate/router.h>

static char fixtures[512];     /* the folder of the built fixtures */
static char scratch[64];       /* a folder of our own, for damaged copies */
static char path_buffer[1024]; /* of the last path asked for */

static const char *fixture(const char *name)
{
	snprintf(path_buffer, sizeof path_buffer, "%s/%s.so", fixtures, name);
	return path_buffer;
}

static const char *own(const char *name)
{
	snprintf(path_buffer, sizeof path_buffer, "%s/%s", scratch, name);
	return path_buffer;
}

static size_t file_read(const char *path, char **ret_bytes)
{
	FILE *file = fopen(path, "rb");
	struct stat stat_of;
	if (!file || fstat(fileno(file), &stat_of) < 0) {
		printf("Bail out! cannot read %s: build the fixtures first\n", path);
		exit(1);
	}
	size_t size = (size_t)stat_of.st_size;
	*ret_bytes = malloc(size + 1);
	size = fread(*ret_bytes, 1, size, file);
	fclose(file);
	return size;
}

static void file_write(const char *path, const char *bytes, size_t size, mode_t mode)
{
	FILE *file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, size, file) != size || fchmod(fileno(file), mode) < 0) {
		printf("Bail out! cannot write %s: %s\n", path, strerror(errno));
		exit(1);
	}
	fclose(file);
}

static void copy_fixture(const char *name, const char *to, mode_t mode)
{
	char *bytes;
	size_t size = file_read(fixture(name), &bytes);
	file_write(own(to), bytes, size, mode);
	free(bytes);
}

static void refused(const char *path, uint16_t kind, int code, const char *message, const char *what)
{
	struct tg_error error = tg_error_init();
	const struct plugin *plugin = NULL;
	is_int(plugin_load(path, kind, &plugin, &error), code, "%s is refused", what);
	ok(strstr(error.message, message) != NULL, "%s: %s", what, error.message);
	ok(plugin == NULL && error.code == code, "%s: no plugin, and the error has the code", what);
}

static const struct {
	const char *name;
	uint16_t kind;
	int code;
	const char *message;
} refusals[] = {
	{"no_entry", TG_KIND_ROUTER, TG_ERR_NOT_FOUND, "exports no entry symbol tg_plugin_entry; define it"},
	{"no_manifest", TG_KIND_ROUTER, TG_ERR_NOT_FOUND, "has no manifest, so it is not a trigate plugin; put one"},
	{"two_manifests", TG_KIND_ROUTER, TG_ERR_INVALID, "has 2 manifests; keep one"},
	{"not_json", TG_KIND_ROUTER, TG_ERR_INVALID, "its manifest is not JSON"},
	{"no_version", TG_KIND_ROUTER, TG_ERR_INVALID, "\"version\" is missing; correct TG_MANIFEST"},
	{"wrong_keyword", TG_KIND_ROUTER, TG_ERR_INVALID, "unknown keyword 'minLenght'; did you mean 'minLength'?"},
	{"wrong_default", TG_KIND_ROUTER, TG_ERR_INVALID,
	 "its own default is refused: 3 is not allowed; it must be at"},
	{"wrong_magic", TG_KIND_ROUTER, TG_ERR_INVALID, "wrong magic (0x12345678, TG_MAGIC is 0x31475454); define it"},
	{"short_entry", TG_KIND_ROUTER, TG_ERR_INVALID, "its entry says size 16, at least"},
	{"other_abi", TG_KIND_ROUTER, TG_ERR_VERSION, "needs plugin ABI 0.2, this trigate has 0.1; rebuild it"},
	{"surplus", TG_KIND_ROUTER, TG_ERR_INVALID,
	 "exports 1 symbol beside tg_plugin_entry (surplus_helper); link it"},
	{"unresolved", TG_KIND_ROUTER, TG_ERR_INVALID,
	 "undefined symbol: trigate_nobody_defines_this; link the library"},
	{"lying_id", TG_KIND_ROUTER, TG_ERR_INVALID, "lies: id is 'lying-id' there and 'honest-id' in the entry; make"},
	{"lying_kind", TG_KIND_ROUTER, TG_ERR_INVALID, "lies: kind is 'router' there and 'storage' in the entry"},
	{"lying_version", TG_KIND_ROUTER, TG_ERR_INVALID, "lies: version is '1.0.0' there and '2.0.0' in the entry"},
	{"lying_abi", TG_KIND_ROUTER, TG_ERR_INVALID, "lies: abi is '0.7' there and '0.1' in the entry"},
	{"missing_function", TG_KIND_ROUTER, TG_ERR_INVALID, "its vtable lacks paths; every function has to be there"},
	{"short_api", TG_KIND_ROUTER, TG_ERR_INVALID, "its vtable says size 16, at least"},
	{"sound", TG_KIND_STORAGE, TG_ERR_INVALID, "is of kind router, but storage is wanted; name a plugin"},
	{"absent", TG_KIND_ROUTER, TG_ERR_NOT_FOUND, "no such file; check the path"},
};

static void test_refusals(void)
{
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		refused(fixture(refusals[i].name), refusals[i].kind, refusals[i].code, refusals[i].message,
			refusals[i].name);
	/* what the loader has taken stays refused, for the same reason */
	refused(fixture("lying_id"), TG_KIND_ROUTER, TG_ERR_INVALID, "lies: id is", "lying_id again");
}

static void test_damaged_files(void)
{
	char *bytes;
	size_t size = file_read(fixture("sound"), &bytes);

	copy_fixture("sound", "everybody.so", 0646);
	refused(own("everybody.so"), 0, TG_ERR_AUTH, "everybody may write it (mode 0646); chmod go-w it",
		"world-writable");
	copy_fixture("sound", "group.so", 0664);
	refused(own("group.so"), 0, TG_ERR_AUTH, "its group may write it (mode 0664); chmod go-w it", "group-writable");
	file_write(own("text.so"), "#!/bin/sh\n", 10, 0644);
	refused(own("text.so"), 0, TG_ERR_INVALID, "is not an ELF file; a plugin is a shared object", "a script");
	file_write(own("empty.so"), "", 0, 0644);
	refused(own("empty.so"), 0, TG_ERR_INVALID, "is not an ELF file", "an empty file");
	bytes[18] ^= 0x40; /* e_machine */
	file_write(own("machine.so"), bytes, size, 0644);
	refused(own("machine.so"), 0, TG_ERR_INVALID, "is made for another machine; build it", "another machine");
	bytes[18] ^= 0x40;
	char target[sizeof path_buffer];
	snprintf(target, sizeof target, "%s", fixture("sound"));
	ok(symlink(target, own("link.so")) == 0, "a link is made");
	refused(own("link.so"), 0, TG_ERR_INVALID, "is a symbolic link; name the file", "a symbolic link");
	refused(scratch, 0, TG_ERR_INVALID, "is not a regular file", "a folder");
	ok(mkfifo(own("fifo.so"), 0600) == 0, "a FIFO is made");
	refused(own("fifo.so"), 0, TG_ERR_INVALID, "is not a regular file", "a FIFO, without waiting for its writer");
	free(bytes);
}

/* Wherever a file is cut, it is refused: never loaded, never a crash. */
static void test_truncation(void)
{
	char *bytes;
	size_t size = file_read(fixture("sound"), &bytes), wrong = 0, tried = 0;
	struct tg_error error = tg_error_init();
	for (size_t cut = 0; cut < size; cut += 1 + size / 300, tried++) {
		const struct plugin *plugin;
		file_write(own("cut.so"), bytes, cut, 0644);
		wrong += plugin_load(own("cut.so"), TG_KIND_ROUTER, &plugin, &error) == 0;
	}
	is_int(wrong, 0, "cut at %zu places of %zu bytes, it is never loaded", tried, size);
	file_write(own("cut.so"), bytes, size - 1, 0644);
	refused(own("cut.so"), TG_KIND_ROUTER, TG_ERR_CORRUPT, "is cut short or damaged", "one byte short");
	free(bytes);
}

static void test_foreign_owner(void)
{
	copy_fixture("sound", "foreign.so", 0644);
	if (geteuid() != 0 || chown(own("foreign.so"), 12345, (gid_t)-1) < 0) {
		tap_skip("a file of another user", "only root can make one");
		return;
	}
	refused(own("foreign.so"), 0, TG_ERR_AUTH, "belongs to user 12345; it must be root's or that of user",
		"foreign");
}

static void test_sound(void)
{
	struct tg_error error = tg_error_init();
	const struct plugin *plugin = NULL, *again = NULL;
	is_int(plugin_load(fixture("sound"), TG_KIND_ROUTER, &plugin, &error), 0, "a sound plugin loads %s",
	       error.message);
	is_str(plugin->info.id, "sound", "its id");
	ok(plugin->entry->magic == TG_MAGIC && plugin->api && fcntl(plugin->fd, F_GETFD) == FD_CLOEXEC,
	   "entry, api, and a descriptor that is kept");
	is_int(plugin_load(fixture("sound"), 0, &again, &error), 0, "it loads a second time");
	ok(again == plugin, "as the same");

	const struct tg_router_api *api = plugin->api;
	struct plugin_host host;
	static const int vtable;
	const struct plugin_extension extension = {"tg.test/1", &vtable};
	plugin_host_init(&host, plugin, &extension, 1, &error);
	struct tg_config config = plugin_config_view(NULL);
	void *self = NULL;
	is_int(api->create(&host.host, &config, &self, &error), TG_OK, "an instance is made");
	api->destroy(self);
	ok(host.host.extension(&host.host, TG_STR("tg.test/1")) == &vtable, "an extension is found by id");
	ok(host.host.extension(&host.host, TG_STR("tg.test/2")) == NULL, "an unknown one is not");
	ok(plugin_host_of(&host.host)->user == &error, "the host knows its user");
}

static void test_inspect(void)
{
	struct tg_error error = tg_error_init();
	struct plugin_info info = {0};
	is_int(plugin_inspect(fixture("aborting"), &info, &error), 0,
	       "a plugin whose constructor aborts can be inspected");
	is_str(info.id, "aborting", "its id");
	is_str(info.description, "aborts in its constructor", "its description");
	is_str(plugin_kind_name(info.kind), "router", "its kind");
	ok(json_object_object_get_ex(info.manifest, "version", NULL), "the whole manifest is there");
	plugin_info_clear(&info);
	is_int(plugin_inspect(fixture("surplus"), &info, &error), 0, "so can one that would not be loaded");
	plugin_info_clear(&info);
	is_int(plugin_kind_of("exchange"), TG_KIND_EXCHANGE, "a kind by name");
	is_int(plugin_kind_of("sugar"), 0, "no kind of that name");
}

/* --------------------------------------------------------------- registry */

static const struct registry_entry *find(const struct registry *registry, const char *file)
{
	for (size_t i = 0; i < registry_count(registry); i++)
		if (strstr(registry_get(registry, i)->info.path, file))
			return registry_get(registry, i);
	return NULL;
}

static void test_registry(void)
{
	char twins[1100];
	setenv("TRIGATE_PLUGIN_PATH", "/nonexistent/plugins", 1);
	snprintf(twins, sizeof twins, "%s/..", fixtures); /* one level above: the fixtures lie directly below */
	const char *folders[] = {fixtures, twins};
	struct registry *registry = NULL;
	is_int(registry_create(folders, 2, &registry), 0, "a registry of the fixtures");
	const struct registry_entry *entry = registry_get(registry, 0);
	ok(entry && entry->problem && strstr(entry->message, "No such file or directory; correct TRIGATE_PLUGIN_PATH"),
	   "a folder that is asked for and absent: %s", entry ? entry->message : "");
	size_t sound = 0, total = registry_count(registry);
	for (size_t i = 0; i < total; i++)
		sound += strstr(registry_get(registry, i)->info.path, "/sound.so") != NULL;
	is_int(sound, 1, "a file that two folders show is there once");
	entry = find(registry, "/twin_a.so");
	ok(entry && entry->problem == TG_ERR_EXISTS && strstr(entry->message, "twin_b.so; remove one of the two"),
	   "twins are refused, this one: %s", entry ? entry->message : "");
	entry = find(registry, "/twin_b.so");
	ok(entry && entry->problem == TG_ERR_EXISTS && strstr(entry->message, "twin_a.so"), "and that one");
	entry = find(registry, "/surplus.so");
	ok(entry && entry->problem == TG_ERR_INVALID && entry->info.manifest, "a refused file keeps its manifest");
	ok(registry_get(registry, total) == NULL, "behind the last there is none");

	struct tg_error error = tg_error_init();
	const struct plugin *plugin = NULL;
	is_int(registry_load(registry, TG_KIND_ROUTER, "sound", &plugin, &error), 0, "loading by id");
	is_int(registry_load(registry, TG_KIND_ROUTER, "sund", &plugin, &error), TG_ERR_NOT_FOUND, "an unknown id");
	ok(strstr(error.message, "no router plugin 'sund'; did you mean 'sound'? known: "), "%s", error.message);
	is_int(registry_load(registry, TG_KIND_EXCHANGE, "sound", &plugin, &error), TG_ERR_NOT_FOUND,
	       "of another kind");
	ok(strstr(error.message, "none was found at all, add its folder to TRIGATE_PLUGIN_PATH"), "%s", error.message);
	is_int(registry_load(registry, TG_KIND_ROUTER, "surplus", &plugin, &error), TG_ERR_INVALID, "a refused one");
	ok(strstr(error.message, "surplus.so exports 1 symbol"), "%s", error.message);
	is_int(registry_load(registry, TG_KIND_ROUTER, "twin", &plugin, &error), TG_ERR_EXISTS, "a twin");
	registry_destroy(registry);
	registry_destroy(NULL);
	unsetenv("TRIGATE_PLUGIN_PATH");
}

static void test_environment(void)
{
	struct registry *registry = NULL;
	setenv("TRIGATE_PLUGIN_PATH", scratch, 1);
	is_int(registry_create(NULL, 0, &registry), 0, "a registry by the environment alone");
	ok(find(registry, "/everybody.so") && find(registry, "/everybody.so")->problem == TG_ERR_AUTH,
	   "its folder was searched, and a world-writable file is refused unloaded");
	registry_destroy(registry);
	unsetenv("TRIGATE_PLUGIN_PATH");
}

/* --------------------------------------------------------------- built in */

#define BUILT_IN_MANIFEST(id) "{\"id\":\"" id "\",\"kind\":\"router\",\"version\":\"1.0.0\",\"abi\":\"0.1\"}"

static const struct tg_router_api whole_api = FIXTURE_API;
static const struct tg_router_api hollow_api = {.size = sizeof hollow_api};
static const struct tg_router_api short_api = {.size = 16};

static struct tg_entry built_in(const char *id, const struct tg_router_api *api)
{
	return (struct tg_entry){.magic = TG_MAGIC,
				 .size = sizeof(struct tg_entry),
				 .abi_major = TG_ABI_MAJOR,
				 .abi_minor_built = TG_ABI_MINOR,
				 .abi_minor_needed = TG_ABI_MINOR,
				 .kind = TG_KIND_ROUTER,
				 .id = {id, strlen(id)},
				 .version = TG_STR("1.0.0"),
				 .api = api};
}

static struct registry *fixtures_registry(void)
{
	const char *folders[] = {fixtures};
	struct registry *registry = NULL;
	is_int(registry_create(folders, 1, &registry), 0, "a registry of the fixtures");
	return registry;
}

static void test_built_in(void)
{
	struct registry *registry = fixtures_registry();
	struct tg_error error = tg_error_init();
	const struct plugin *plugin = NULL, *again = NULL;
	const struct tg_entry sound = built_in("sound", &whole_api), twin = built_in("twin", &whole_api);
	size_t before = registry_count(registry);
	is_int(registry_add(registry, &sound, BUILT_IN_MANIFEST("sound"), &error), 0, "a plugin is built in: %s",
	       error.message);
	is_int(registry_count(registry), before, "it takes the place");
	ok(!find(registry, "/sound.so"), "of the file with its id");
	is_int(registry_load(registry, TG_KIND_ROUTER, "sound", &plugin, &error), 0, "it is found by id");
	if (!plugin)
		exit(1);
	ok(plugin->entry == &sound && plugin->api == &whole_api && plugin->fd == -1, "and is ours");
	is_str(plugin->info.path, "(built in)", "no file");
	ok(json_object_object_get_ex(plugin->info.manifest, "abi", NULL), "its manifest is there");
	is_int(registry_load(registry, TG_KIND_ROUTER, "sound", &again, &error), 0, "once more");
	ok(again == plugin, "it is the same");
	is_int(registry_load(registry, TG_KIND_EXCHANGE, "sound", &again, &error), TG_ERR_NOT_FOUND,
	       "of another kind it is not");
	is_int(registry_add(registry, &sound, BUILT_IN_MANIFEST("sound"), &error), TG_ERR_EXISTS, "added once only");
	ok(strstr(error.message, "'sound' is built in already"), "%s", error.message);
	is_int(registry_add(registry, &twin, BUILT_IN_MANIFEST("twin"), &error), 0, "one hides two files, twins");
	is_int(registry_load(registry, TG_KIND_ROUTER, "twin", &plugin, &error), 0, "and loads");
	is_int(registry_count(registry), before - 1, "both files are gone");
	registry_destroy(registry);
}

static void test_built_in_refused(void)
{
	struct tg_entry good = built_in("sound", &whole_api), magic = good, old = good, kind = good;
	struct tg_entry other = built_in("other", &whole_api), version = good;
	struct tg_entry hollow = built_in("sound", &hollow_api), cut = built_in("sound", &short_api);
	magic.magic++;
	old.abi_major = TG_ABI_MAJOR + 1;
	kind.kind = TG_KIND_STORAGE;
	version.version = TG_STR("2.0.0");
	const char *manifest = BUILT_IN_MANIFEST("sound"), *later = "{\"id\":\"sound\",\"kind\":\"router\","
								    "\"version\":\"1.0.0\",\"abi\":\"1.1\"}";
	const struct {
		const struct tg_entry *entry;
		const char *manifest;
		int code;
		const char *message;
	} wrong[] = {
		{&good, "{", TG_ERR_INVALID, "its manifest is not JSON"},
		{&good, "{\"id\":\"sound\"}", TG_ERR_INVALID, "\"kind\" is missing"},
		{&magic, manifest, TG_ERR_INVALID, "wrong magic"},
		{&kind, manifest, TG_ERR_INVALID, "lies: kind is 'router' there and 'storage' in the entry"},
		{&old, later, TG_ERR_VERSION, "needs plugin ABI 1.1, this trigate has 0.1"},
		{&other, manifest, TG_ERR_INVALID, "lies: id is 'sound' there and 'other' in the entry"},
		{&version, manifest, TG_ERR_INVALID, "lies: version is '1.0.0' there and '2.0.0' in the entry"},
		{&hollow, manifest, TG_ERR_INVALID, "its vtable lacks create"},
		{&cut, manifest, TG_ERR_INVALID, "its vtable says size 16"},
	};
	struct registry *registry = fixtures_registry();
	size_t before = registry_count(registry);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct tg_error error = tg_error_init();
		is_int(registry_add(registry, wrong[i].entry, wrong[i].manifest, &error), wrong[i].code,
		       "it is refused as a file is");
		ok(strstr(error.message, wrong[i].message), "%s", error.message);
	}
	is_int(registry_count(registry), before, "nothing was added");
	ok(find(registry, "/sound.so"), "and no file hidden");
	registry_destroy(registry);
}

static void scratch_remove(void)
{
	static const char *const names[] = {"everybody.so", "group.so", "text.so",    "empty.so", "machine.so",
					    "link.so",      "fifo.so",  "foreign.so", "cut.so"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(own(names[i]));
	rmdir(scratch);
}

int main(void)
{
	const char *root = getenv("TRIGATE_BUILD_ROOT");
	snprintf(fixtures, sizeof fixtures, "%s/tests/abi/fixtures", root ? root : ".");
	snprintf(scratch, sizeof scratch, "%s/trigate-host-XXXXXX", "/tmp");
	if (!mkdtemp(scratch)) {
		printf("Bail out! no folder for the test: %s\n", strerror(errno));
		return 1;
	}
	test_inspect();
	test_refusals();
	test_damaged_files();
	test_truncation();
	test_foreign_owner();
	test_sound();
	test_registry();
	test_environment();
	test_built_in();
	test_built_in_refused();
	scratch_remove();
	return tap_done();
}
