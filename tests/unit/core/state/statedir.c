#include "core/state/statedir.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/state/journal.h"
#include "core/trade/client_id.h"

#include "tap.h"

static char base[64], dir[128];

static void file_write(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static void file_remove(const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
}

static struct statedir *open_or_die(void)
{
	struct statedir *statedir = NULL;
	struct tg_error error = tg_error_init();
	if (statedir_open(&disk_system, dir, &statedir, &error) != 0) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return statedir;
}

static void creation(void)
{
	struct stat info;
	is_int(statedir_holder(&disk_system, dir), 0, "nobody holds what does not exist");
	struct statedir *statedir = open_or_die();
	is_int(stat(dir, &info) == 0 ? info.st_mode & 07777 : 0, 0700, "the directory is for its owner alone");
	is_str(statedir_path(statedir), dir, "path");
	is_int(statedir_holder(&disk_system, dir), getpid(), "the holder is this process");
	statedir_close(statedir);
	is_int(statedir_holder(&disk_system, dir), 0, "nobody, once closed");
	statedir_close(NULL);
}

static void second_gateway(void)
{
	struct tg_error error = tg_error_init();
	struct statedir *other = NULL;
	int ready[2], end[2];
	char byte = 0;
	if (pipe(ready) != 0 || pipe(end) != 0)
		abort();
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		open_or_die();
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		close(end[1]);
		_exit(read(end[0], &byte, 1) < 0);
	}
	ok(read(ready[0], &byte, 1) == 1, "another process holds the directory");
	is_int(statedir_open(&disk_system, dir, &other, &error), TG_ERR_EXISTS, "a second gateway is refused");
	char pid[32];
	snprintf(pid, sizeof pid, "pid %d", (int)child);
	ok(other == NULL && strstr(error.message, pid) != NULL, "the message names the holder: %s", error.message);
	is_int(statedir_holder(&disk_system, dir), child, "its pid can be asked for");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(end[1]);
	is_int(statedir_open(&disk_system, dir, &other, NULL), 0, "after its kill -9 the directory is free");
	statedir_close(other);
}

static void epochs(void)
{
	struct tg_error error = tg_error_init();
	struct statedir *statedir = open_or_die();
	is_int(statedir_epoch_next(statedir, &error), 1, "the first epoch");
	is_int(statedir_epoch_next(statedir, &error), 2, "the second");
	statedir_close(statedir);
	statedir = open_or_die();
	is_int(statedir_epoch_next(statedir, &error), 3, "the next start goes on");

	static const char *const bad[] = {"",    "\n",       "x",          "-1",
					  "1 2", "16777216", "4294967296", "99999999999999999999999999"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		error = tg_error_init();
		file_write("epoch", bad[i]);
		ok(statedir_epoch_next(statedir, &error) == 0 && error.code == TG_ERR_CORRUPT,
		   "damaged file %zu is refused", i);
	}
	ok(strstr(error.message, "16777214"), "the message says up to which number it may be: %s", error.message);
	file_write("epoch", "16777214\n");
	is_int(statedir_epoch_next(statedir, &error), EPOCH_MAX, "the last one that an order id can hold");
	error = tg_error_init();
	ok(statedir_epoch_next(statedir, &error) == 0 && error.code == TG_ERR_LIMIT, "none after it");

	file_remove("epoch");
	struct journal *journal = NULL;
	is_int(journal_open(&disk_system, &workers_threads, dir, "a1b2", 0, NULL, NULL, NULL, &journal, NULL), 0,
	       "a journal is there");
	journal_close(journal);
	ok(statedir_epoch_next(statedir, &error) == 0 && error.code == TG_ERR_CORRUPT,
	   "no epoch beside a journal is refused: a used one could come again");
	statedir_close(statedir);
}

static void bad_paths(void)
{
	struct statedir *statedir = NULL;
	char path[160], longest[5000];
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	file_write("plain", "x");
	snprintf(path, sizeof path, "%s/plain", dir);
	is_int(statedir_open(&disk_system, path, &statedir, NULL), TG_ERR_INVALID, "a file is no directory");
	is_int(statedir_open(&disk_system, "", &statedir, NULL), TG_ERR_INVALID, "no path");
	is_int(statedir_open(&disk_system, longest, &statedir, NULL), TG_ERR_INVALID, "too long a path");
	snprintf(path, sizeof path, "%s/no/such", dir);
	is_int(statedir_open(&disk_system, path, &statedir, NULL), TG_ERR_IO, "no parent");
	ok(statedir == NULL, "no error gave one");
}

int main(void)
{
	static const char *const names[] = {"lock", "epoch", "epoch.new", "plain", "journal-00000001.tgj"};
	snprintf(base, sizeof base, "/tmp/trigate-statedir-XXXXXX");
	if (!mkdtemp(base))
		return 99;
	snprintf(dir, sizeof dir, "%s/state", base);
	creation();
	second_gateway();
	epochs();
	bad_paths();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		file_remove(names[i]);
	rmdir(dir);
	rmdir(base);
	return tap_done();
}
