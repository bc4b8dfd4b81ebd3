/* A disk that fails when told to: preloaded into a program under test, it lets the calls that change files fail on
 * those whose path has a text in it. BAD_DISK names a file that says how, and is read at every such call, so that
 * faults come and go while the program runs. Its only line: ERRNO, the calls ("write", "sync", "make", or "all"), the
 * text. No line: all goes well. "ENOSPC write journal-" */
#undef _FILE_OFFSET_BITS /* each name is to be itself: with it open is open64 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct order {
	char code[16], calls[16], text[64];
};

/* By system calls of its own: what it looks at must not meet itself. */
static bool order_read(struct order *ret_order)
{
	const char *path = getenv("BAD_DISK");
	char line[128] = {0};
	int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
	if (file < 0)
		return false;
	long got = syscall(SYS_read, file, line, sizeof line - 1);
	syscall(SYS_close, file);
	return got > 0 && sscanf(line, "%15s %15s %63s", ret_order->code, ret_order->calls, ret_order->text) == 3;
}

static int errno_named(const char *name)
{
	static const struct {
		const char *name;
		int code;
	} names[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].code;
	return EIO;
}

/* Does this call on this path fail? Sets errno if so. */
static bool fails(const char *call, const char *path)
{
	struct order order;
	int before = errno;

	if (order_read(&order) && strstr(path, order.text) &&
	    (strcmp(order.calls, "all") == 0 || strcmp(order.calls, call) == 0)) {
		errno = errno_named(order.code);
		return true;
	}
	errno = before;
	return false;
}

static bool fails_on(const char *call, int file)
{
	char link[32], path[4096];

	snprintf(link, sizeof link, "/proc/self/fd/%d", file);
	long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
	if (length <= 0)
		return false;
	path[length] = '\0';
	return fails(call, path);
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t count)
{
	return fails_on("write", file) ? -1 : syscall(SYS_write, file, bytes, count);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
	return fails_on("write", file) ? -1 : syscall(SYS_writev, file, parts, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset)
{
	return fails_on("write", file) ? -1 : syscall(SYS_pwrite64, file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset)
{
	return fails_on("write", file) ? -1 : syscall(SYS_pwrite64, file, bytes, count, offset);
}

int fsync(int file)
{
	return fails_on("sync", file) ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
	return fails_on("sync", file) ? -1 : (int)syscall(SYS_fdatasync, file);
}

int fallocate(int file, int mode, off_t offset, off_t length)
{
	return fails_on("write", file) ? -1 : (int)syscall(SYS_fallocate, file, mode, offset, length);
}

int fallocate64(int file, int mode, off64_t offset, off64_t length)
{
	return fails_on("write", file) ? -1 : (int)syscall(SYS_fallocate, file, mode, offset, length);
}

int rename(const char *from, const char *to)
{
	return fails("make", to) ? -1 : NEXT(rename)(from, to);
}

/* Opening makes a file only with O_CREAT, and is refused for writing on a disk that may only be read. */
static bool open_fails(const char *path, int flags)
{
	return (flags & O_CREAT) != 0 && fails("make", path);
}

#define OPEN_BODY(at) \
	va_list rest; \
	va_start(rest, flags); \
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
	va_end(rest); \
	return open_fails(path, flags) ? -1 : (int)syscall(SYS_openat, (at), path, flags, mode)

int open(const char *path, int flags, ...)
{
	OPEN_BODY(AT_FDCWD);
}

int open64(const char *path, int flags, ...)
{
	OPEN_BODY(AT_FDCWD);
}

int openat(int at, const char *path, int flags, ...)
{
	OPEN_BODY(at);
}

int openat64(int at, const char *path, int flags, ...)
{
	OPEN_BODY(at);
}
