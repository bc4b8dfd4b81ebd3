#include "core/io/disk.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define SYSTEM (&disk_system)
#define OP(name, ...) (disk_system.ops->name(SYSTEM, __VA_ARGS__))
#define MAPPED (size_t)10000

static char dir[64];

/* The path of a name in the directory; valid for three more calls. */
static const char *at(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static int opened(const char *name, int flags)
{
	int file = disk_open(SYSTEM, at(name), flags);
	if (file < 0) {
		printf("Bail out! %s: %s\n", name, strerror(-file));
		exit(1);
	}
	return file;
}

static void file_make(const char *name, const char *text)
{
	int file = opened(name, DISK_WRITE | DISK_CREATE | DISK_EMPTY);
	if (disk_write_all(SYSTEM, file, text, strlen(text)) != 0)
		abort();
	disk_close(SYSTEM, file);
}

static const char *text_of(const char *name)
{
	static char text[256];
	int file = opened(name, DISK_READ);
	int64_t got = disk_read_all(SYSTEM, file, text, sizeof text - 1, 0);
	text[got < 0 ? 0 : got] = '\0';
	disk_close(SYSTEM, file);
	return text;
}

static unsigned mode_of(const char *name)
{
	struct stat info;
	return stat(at(name), &info) == 0 ? info.st_mode & 07777 : 0;
}

/* ----------------------------------------------------------------- tests */

static void writing(void)
{
	file_make("a", "one ");
	is_int(mode_of("a"), 0600, "a new file is for its owner alone");
	int file = opened("a", DISK_WRITE | DISK_APPEND);
	is_int(disk_write_all(SYSTEM, file, "two ", 4), 0, "appended");
	is_int(OP(truncate, file, 2), 0, "cut");
	is_int(disk_write_all(SYSTEM, file, "three", 5), 0, "appended behind the cut");
	is_int(disk_sync(SYSTEM, file, true), 0, "data synced");
	is_int(disk_sync(SYSTEM, file, false), 0, "all of it synced");
	uint64_t size = 0;
	ok(OP(size, file, &size) == 0 && size == 7, "its size");
	char text[8] = "";
	is_int(disk_read_all(SYSTEM, file, text, 5, 2), 5, "read from the middle");
	is_str(text, "three", "what was written");
	is_int(disk_read_all(SYSTEM, file, text, 5, 5), 2, "fewer at the end");
	is_int(disk_read_all(SYSTEM, file, text, 5, 100), 0, "none behind it");
	is_int(disk_close(SYSTEM, file), 0, "closed");
	file_make("a", "new");
	is_str(text_of("a"), "new", "what it held is dropped");
}

static int64_t short_write(const struct disk *disk, int file, const void *bytes, size_t count)
{
	return disk_system.ops->write(disk, file, bytes, count < 3 ? count : 3);
}

static int64_t short_read(const struct disk *disk, int file, void *bytes, size_t count, uint64_t offset)
{
	return disk_system.ops->read_at(disk, file, bytes, count < 4 ? count : 4, offset);
}

static void in_pieces(void)
{
	struct disk_ops ops = *disk_system.ops;
	const struct disk pieces = {&ops};
	char text[16] = "";
	ops.write = short_write;
	ops.read_at = short_read;
	int file = opened("a", DISK_WRITE | DISK_EMPTY);
	is_int(disk_write_all(&pieces, file, "0123456789", 10), 0, "written in pieces");
	is_int(disk_read_all(&pieces, file, text, sizeof text, 1), 9, "read in pieces");
	is_str(text, "123456789", "they fit together");
	disk_close(SYSTEM, file);
	ops.process = NULL;
	is_int(disk_process(&pieces), 1, "a disk without processes");
}

static void names(void)
{
	file_make("b.new", "b");
	is_int(OP(rename, at("b.new"), at("b")), 0, "renamed");
	ok(OP(exists, at("b")) == 1 && OP(exists, at("b.new")) == 0, "it has the new name only");
	is_int(OP(sync_dir, dir), 0, "the name synced");
	is_int(disk_open(SYSTEM, at("b"), DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE), -EEXIST, "created once");
	is_str(text_of("b"), "b", "and not touched");
	is_int(OP(make_dir, at("d")), 0, "a directory");
	is_int(mode_of("d"), 0700, "for its owner alone");
	is_int(OP(make_dir, at("d")), -EEXIST, "made once");
	is_int(OP(check_dir, at("d")), 0, "is one");
	is_int(OP(check_dir, at("b")), -ENOTDIR, "a file is none");
}

static void symbolic_links(void)
{
	file_make("target", "kept");
	if (symlink(at("target"), at("link")) != 0 || symlink(at("d"), at("dlink")) != 0 ||
	    symlink(at("nowhere"), at("dangling")) != 0)
		abort();
	is_int(disk_open(SYSTEM, at("link"), DISK_READ), -ELOOP, "a symbolic link is not read through");
	is_int(disk_open(SYSTEM, at("link"), DISK_WRITE | DISK_EMPTY), -ELOOP, "nor written");
	is_int(disk_open(SYSTEM, at("dangling"), DISK_WRITE | DISK_CREATE), -ELOOP, "nor does it create");
	is_str(text_of("target"), "kept", "what it points to stays as it is");
	is_int(OP(exists, at("dangling")), 1, "a link is a name that exists");
	is_int(OP(check_dir, at("dlink")), 0, "a directory may be one");
}

/* In a process of its own: is the file locked, and can it be taken? */
static int lock_seen(void)
{
	int file = opened("lock", DISK_WRITE);
	return OP(locked, file) == 1 && OP(lock, file) == -EAGAIN ? 0 : 1;
}

static int child_result(int (*fn)(void))
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(fn());
	int status = -1;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void locks(void)
{
	int file = opened("lock", DISK_WRITE | DISK_CREATE);
	int other = opened("lock", DISK_WRITE);
	int reader = opened("lock", DISK_READ);
	is_int(OP(locked, reader), 0, "a file that nobody locked");
	is_int(OP(lock, file), 0, "is locked");
	is_int(OP(lock, other), -EAGAIN, "another open of it is refused");
	is_int(OP(locked, reader), 1, "and one that may only read sees it");
	is_int(child_result(lock_seen), 0, "another process too");
	disk_close(SYSTEM, other);
	is_int(OP(locked, reader), 1, "closing the other changes nothing");
	disk_close(SYSTEM, file);
	is_int(OP(locked, reader), 0, "closing it ends it");
	disk_close(SYSTEM, reader);
	is_int(disk_process(SYSTEM), getpid(), "who would hold it");
}

/* In a process of its own, which is killed. */
static int map_and_die(void)
{
	void *memory = NULL;
	int file = opened("map", DISK_WRITE | DISK_CREATE);
	if (OP(map, file, MAPPED, &memory) != 0)
		return 1;
	disk_close(SYSTEM, file);
	memcpy((char *)memory + MAPPED - 6, "mapped", 6);
	raise(SIGKILL);
	return 2;
}

static void maps(void)
{
	is_int(child_result(map_and_die), 1000 + SIGKILL, "a process is killed after a store through a map");
	int file = opened("map", DISK_WRITE);
	char text[7] = "";
	uint64_t size = 0;
	ok(OP(size, file, &size) == 0 && size == MAPPED, "the file has the size of the map");
	disk_read_all(SYSTEM, file, text, 6, MAPPED - 6);
	is_str(text, "mapped", "the store is in it");
	char *memory = NULL;
	is_int(OP(map, file, MAPPED, (void **)&memory), 0, "mapped again");
	disk_close(SYSTEM, file);
	ok(memcmp(memory + MAPPED - 6, "mapped", 6) == 0, "the map outlives the close and shows the file");
	OP(unmap, memory, MAPPED);
}

static int refused_map(void)
{
	void *memory = NULL;
	struct rlimit limit = {4096, 4096};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	int file = opened("small", DISK_WRITE | DISK_CREATE);
	return OP(map, file, MAPPED, &memory) == -EFBIG && !memory ? 0 : 1;
}

/* The last write fits in part, the next does not at all. */
static int refused_write(void)
{
	static const char bytes[6000];
	struct rlimit limit = {4096, 4096};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	int file = opened("full", DISK_WRITE | DISK_CREATE | DISK_APPEND);
	return disk_write_all(SYSTEM, file, bytes, sizeof bytes) == -EFBIG ? 0 : 1;
}

static void errors(void)
{
	uint64_t size = 77;
	int pipe_ends[2];
	is_int(disk_open(SYSTEM, at("none"), DISK_READ), -ENOENT, "no such file");
	is_int(disk_open(SYSTEM, at("d"), DISK_WRITE), -EISDIR, "a directory is not written");
	is_int(disk_open(SYSTEM, at("none/x"), DISK_WRITE | DISK_CREATE), -ENOENT, "no such directory");
	is_int(OP(rename, at("none"), at("x")), -ENOENT, "nothing to rename");
	is_int(OP(make_dir, at("none/x")), -ENOENT, "no parent");
	is_int(OP(check_dir, at("none")), -ENOENT, "no directory to open");
	is_int(OP(sync_dir, at("none")), -ENOENT, "nor to sync");
	is_int(disk_close(SYSTEM, 9999), -EBADF, "a handle that is none: close");
	is_int(disk_sync(SYSTEM, 9999, true), -EBADF, "sync");
	is_int(disk_write_all(SYSTEM, 9999, "x", 1), -EBADF, "write");
	is_int(disk_read_all(SYSTEM, 9999, &(char){0}, 1, 0), -EBADF, "read");
	is_int(OP(truncate, 9999, 0), -EBADF, "truncate");
	is_int(OP(lock, 9999), -EBADF, "lock");
	is_int(OP(locked, 9999), -EBADF, "locked");
	ok(OP(size, 9999, &size) == -EBADF && size == 77, "size, and nothing is returned");
	if (pipe(pipe_ends) != 0)
		abort();
	ok(OP(size, pipe_ends[0], &size) == -EINVAL && size == 77, "what is no regular file has no size");
	if (mkfifo(at("fifo"), 0600) != 0)
		abort();
	int file = disk_open(SYSTEM, at("fifo"), DISK_READ);
	is_int(OP(size, file, &size), -EINVAL, "a pipe in a file's place does not block");
	disk_close(SYSTEM, file);
	is_int(child_result(refused_map), 0, "no room for a map is an error now");
	is_int(child_result(refused_write), 0, "a write that fits in part goes on until it fails");
}

int main(void)
{
	static const char *const made[] = {"a",    "b",   "target", "link", "dlink", "dangling",
					   "lock", "map", "small",  "full", "fifo"};
	umask(0);
	snprintf(dir, sizeof dir, "/tmp/trigate-disk-XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	writing();
	in_pieces();
	names();
	symbolic_links();
	locks();
	maps();
	errors();
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		unlink(at(made[i]));
	rmdir(at("d"));
	is_int(rmdir(dir), 0, "no other file was made");
	return tap_done();
}
