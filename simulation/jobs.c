#include "simulation/jobs.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <trigate/error.h>

#include "simulation/witness.h"

#define LAST_WORDS_MAX 8192 /* of what a child said on stderr: the end of it */

/* What a child sends: this, then the events, then the trace. */
struct message {
	int status;
	struct tg_error error;
	struct run_result result; /* its pointers say nothing */
	uint64_t trace_length;    /* 0: none was kept */
};

struct child {
	uint64_t number;
	pid_t pid;   /* 0: a free place */
	int results; /* a pipe's end */
	int words;   /* what it says on stderr: a file in memory */
	int64_t deadline_ns;
	int64_t seen_ns; /* how far it had come when its deadline was last put off */
	bool too_late;
	char *bytes; /* received so far */
	size_t count, room;
	struct witness *witness;
	size_t witness_size;
};

struct pool {
	const struct jobs *jobs;
	struct child *child;
	struct pollfd *polled; /* as child */
	uint32_t places, running;
	struct tg_error *error;
};

static int64_t wall_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int system_error(struct tg_error *ret_error, const char *what)
{
	return tg_error_set(ret_error, TG_ERR_LIMIT, "cannot %s: %s", what, strerror(errno));
}

/* ------------------------------------------------------------------ the child */

static bool send_all(int fd, const void *bytes, size_t count)
{
	const char *at = bytes;
	while (count > 0) {
		ssize_t sent = write(fd, at, count);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		at += sent;
		count -= (size_t)sent;
	}
	return true;
}

/* Ends with exit, not _exit: so a leak checker has its say. */
__attribute__((noreturn)) static void child_run(const struct run_options *options, struct witness *shared, int results,
						int words)
{
	struct message message = {.error = tg_error_init()};
	dup2(words, STDERR_FILENO);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* a seed reproduces a crash, and there may be thousands */
	witness = shared;
	message.status = run_world(options, &message.result, &message.error);
	message.trace_length = message.result.trace ? strlen(message.result.trace) : 0;
	bool sent = send_all(results, &message, sizeof message);
	if (sent && message.status == TG_OK)
		sent = send_all(results, message.result.struck,
				message.result.struck_count * sizeof *message.result.struck) &&
		       send_all(results, message.result.trace, message.trace_length);
	run_result_clear(&message.result);
	exit(sent ? 0 : 1);
}

/* ------------------------------------------------------------------ starting */

/* Shared memory at one address in both processes; its pages cost nothing until they are written. */
static int witness_create(struct child *child, size_t trace_bytes)
{
	size_t room = trace_size(trace_bytes);
	child->witness_size = sizeof(struct witness) + room;
	child->witness = mmap(NULL, child->witness_size, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (child->witness == MAP_FAILED) {
		child->witness = NULL;
		return TG_ERR_NO_MEMORY;
	}
	child->witness->room_size = room;
	return TG_OK;
}

static int child_fork(struct child *child, const struct run_options *options, struct tg_error *ret_error)
{
	int ends[2];
	if (pipe(ends) < 0)
		return system_error(ret_error, "make a pipe");
	fflush(NULL); /* or the child says it again */
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		child_run(options, child->witness, ends[1], child->words);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return system_error(ret_error, "start a process");
	}
	child->pid = pid;
	child->results = ends[0];
	return TG_OK;
}

static void child_clear(struct child *child)
{
	if (child->words >= 0)
		close(child->words);
	if (child->witness)
		munmap(child->witness, child->witness_size);
	free(child->bytes);
	*child = (struct child){.words = -1};
}

static int child_start(struct pool *pool, struct child *child, uint64_t number)
{
	struct run_options options;
	pool->jobs->make(pool->jobs->ctx, number, &options);
	*child = (struct child){.number = number, .words = memfd_create("stderr", MFD_CLOEXEC)};
	child->deadline_ns = wall_ns() + pool->jobs->timeout_s * INT64_C(1000000000);
	int err = child->words < 0 ? system_error(pool->error, "make a file in memory")
				   : witness_create(child, options.trace_bytes);
	if (err == TG_ERR_NO_MEMORY)
		tg_error_set(pool->error, err, "out of memory");
	if (err == TG_OK)
		err = child_fork(child, &options, pool->error);
	if (err != TG_OK) {
		child_clear(child);
		return err;
	}
	pool->running++;
	return TG_OK;
}

/* ------------------------------------------------------------------ the end of one */

/* The lines that a person looks for first in what a dying process says. */
static bool is_telling(const char *line)
{
	return strstr(line, "Assertion") || strstr(line, "runtime error:") || strstr(line, "SUMMARY:") ||
	       strstr(line, "ERROR:");
}

/* The first telling line, or the last one that is not empty; "" if there is none. */
static const char *last_words(int fd, char buffer[LAST_WORDS_MAX])
{
	off_t size = lseek(fd, 0, SEEK_END), from = size > LAST_WORDS_MAX - 1 ? size - (LAST_WORDS_MAX - 1) : 0;
	ssize_t got = pread(fd, buffer, LAST_WORDS_MAX - 1, from);
	const char *last = "";
	char *rest = NULL;
	buffer[got > 0 ? got : 0] = '\0';
	for (char *line = strtok_r(buffer, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		last = line;
		if (is_telling(line))
			break;
	}
	return last;
}

static char *trace_copy(const struct witness *seen)
{
	if (!seen->trace)
		return NULL;
	size_t length;
	const char *text = trace_text(seen->trace, &length);
	return length > 0 ? strndup(text, length) : NULL;
}

/* The result of a run that did not come to its end: what its witness saw. */
static void witness_result(const struct witness *seen, struct run_result *result)
{
	*result = (struct run_result){.counts.virtual_ns = seen->at_ns, .counts.starts = 1};
	result->violation.at_ns = seen->at_ns;
	result->digest = seen->trace ? trace_digest(seen->trace) : 0;
	result->trace = trace_copy(seen);
	result->struck = malloc((seen->struck_count + 1) * sizeof *result->struck);
	if (!result->struck)
		return;
	memcpy(result->struck, seen->struck, seen->struck_count * sizeof *result->struck);
	result->struck_count = seen->struck_count;
	for (uint32_t i = 0; i < result->struck_count; i++)
		result->counts.faults[result->struck[i].kind]++;
	result->counts.kills = result->counts.faults[FAULT_KILL];
	result->counts.power_losses = result->counts.faults[FAULT_POWER_LOSS];
}

static void crashed(const struct child *child, int status, int timeout_s, struct run_result *ret_result)
{
	char buffer[LAST_WORDS_MAX];
	const char *words = last_words(child->words, buffer);
	witness_result(child->witness, ret_result);
	struct violation *violation = &ret_result->violation;
	if (child->too_late) {
		strcpy(violation->check, "hang");
		snprintf(violation->text, sizeof violation->text, "no further in %d s", timeout_s);
		return;
	}
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it loses sight of what ret_result owns from here on */
	strcpy(violation->check, "crash");
	if (WIFSIGNALED(status))
		snprintf(violation->text, sizeof violation->text, "signal %d (%s)%s%.240s", WTERMSIG(status),
			 strsignal(WTERMSIG(status)), *words ? ": " : "", words);
	else
		snprintf(violation->text, sizeof violation->text, "the process ended with %d%s%.240s",
			 WEXITSTATUS(status), *words ? ": " : "", words);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}

static void *copy_of(const void *bytes, size_t count)
{
	void *copy = malloc(count + 1); /* a text gets its NUL */
	if (copy && count > 0)
		memcpy(copy, bytes, count);
	if (copy)
		((char *)copy)[count] = '\0';
	return copy;
}

/* The bytes that came are a whole message. *ret_error: what run_world said. */
static int unpack(const struct child *child, struct run_result *ret_result, struct tg_error *ret_error)
{
	struct message message;
	memcpy(&message, child->bytes, sizeof message);
	if (message.status != TG_OK) {
		if (ret_error)
			*ret_error = message.error;
		return message.status;
	}
	size_t events = message.result.struck_count * sizeof *message.result.struck;
	const char *at = child->bytes + sizeof message;
	message.result.struck = copy_of(at, events);
	message.result.trace = message.trace_length ? copy_of(at + events, message.trace_length) : NULL;
	*ret_result = message.result;
	return TG_OK;
}

static bool is_whole(const struct child *child)
{
	struct message message;
	if (child->count < sizeof message)
		return false;
	memcpy(&message, child->bytes, sizeof message);
	size_t more = message.status == TG_OK
			      ? message.result.struck_count * sizeof *message.result.struck + message.trace_length
			      : 0;
	return child->count == sizeof message + more;
}

static int reap(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* The child closed its pipe. */
static int child_ended(struct pool *pool, struct child *child, bool *ret_go_on)
{
	struct run_result result = {0};
	int status = reap(child->pid), err = TG_OK;
	pool->running--;
	close(child->results);
	if (!child->too_late && status == 0 && is_whole(child))
		err = unpack(child, &result, pool->error);
	else
		crashed(child, status, pool->jobs->timeout_s, &result);
	uint64_t number = child->number;
	child_clear(child);
	if (err == TG_OK)
		*ret_go_on = pool->jobs->done(pool->jobs->ctx, number, &result);
	run_result_clear(&result);
	return err;
}

/* ------------------------------------------------------------------ all of them */

/* More of what the child sends. False: it has ended, or must. */
static bool child_receive(struct child *child)
{
	if (child->room - child->count < 65536) {
		size_t room = child->room ? 2 * child->room : 262144;
		char *bytes = realloc(child->bytes, room);
		if (!bytes) {
			kill(child->pid, SIGKILL); /* what it has to say cannot be heard */
			return false;
		}
		child->bytes = bytes;
		child->room = room;
	}
	ssize_t got;
	do
		got = read(child->results, child->bytes + child->count, child->room - child->count);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		child->count += (size_t)got;
	return got > 0;
}

static void check_deadline(struct child *child, int64_t now_ns, int timeout_s)
{
	if (child->pid == 0 || child->too_late || now_ns < child->deadline_ns)
		return;
	assert(child->witness);                        /* who has a process has one */
	if (child->witness->at_ns != child->seen_ns) { /* slow, but on its way */
		child->seen_ns = child->witness->at_ns;
		child->deadline_ns = now_ns + timeout_s * INT64_C(1000000000);
		return;
	}
	child->too_late = true;
	kill(child->pid, SIGKILL); /* its pipe closes, and with that it ends */
}

static int wait_ms(const struct pool *pool)
{
	int64_t first_ns = INT64_MAX, now_ns = wall_ns();
	for (uint32_t i = 0; i < pool->places; i++)
		if (pool->child[i].pid && !pool->child[i].too_late && pool->child[i].deadline_ns < first_ns)
			first_ns = pool->child[i].deadline_ns;
	if (first_ns == INT64_MAX)
		return -1;
	return first_ns > now_ns ? (int)((first_ns - now_ns) / 1000000 + 1) : 0;
}

/* Wait until something comes from a child, and take it. */
static int pool_pass(struct pool *pool, bool *ret_go_on)
{
	struct pollfd *polled = pool->polled;
	int err = TG_OK;
	for (uint32_t i = 0; i < pool->places; i++)
		polled[i] = (struct pollfd){.fd = pool->child[i].pid ? pool->child[i].results : -1, .events = POLLIN};
	if (poll(polled, pool->places, wait_ms(pool)) < 0 && errno != EINTR)
		return system_error(pool->error, "wait for processes");
	for (uint32_t i = 0; i < pool->places && err == TG_OK && *ret_go_on; i++) {
		struct child *child = &pool->child[i];
		if (child->pid && polled[i].revents && !child_receive(child))
			err = child_ended(pool, child, ret_go_on);
		check_deadline(child, wall_ns(), pool->jobs->timeout_s);
	}
	return err;
}

static void pool_finish(struct pool *pool)
{
	for (uint32_t i = 0; i < pool->places; i++) {
		struct child *child = &pool->child[i];
		if (child->pid == 0)
			continue;
		kill(child->pid, SIGKILL);
		reap(child->pid);
		close(child->results);
		child_clear(child);
	}
	free(pool->child);
	free(pool->polled);
}

static int fill_places(struct pool *pool, uint64_t *next)
{
	int err = TG_OK;
	for (uint32_t i = 0; i < pool->places && *next < pool->jobs->count && err == TG_OK; i++)
		if (pool->child[i].pid == 0)
			err = child_start(pool, &pool->child[i], (*next)++);
	return err;
}

int jobs_run_all(const struct jobs *jobs, struct tg_error *ret_error)
{
	struct pool pool = {.jobs = jobs, .places = jobs->jobs, .error = ret_error};
	bool go_on = true;
	uint64_t next = 0;
	assert(jobs->jobs > 0);
	pool.child = calloc(jobs->jobs, sizeof *pool.child);
	pool.polled = calloc(jobs->jobs, sizeof *pool.polled);
	int err = pool.child && pool.polled ? fill_places(&pool, &next) : TG_ERR_NO_MEMORY;
	if (!pool.child || !pool.polled) {
		pool.places = 0;
		tg_error_set(ret_error, err, "out of memory");
	}
	while (err == TG_OK && go_on && pool.running > 0) {
		err = pool_pass(&pool, &go_on);
		if (err == TG_OK && go_on)
			err = fill_places(&pool, &next);
	}
	pool_finish(&pool);
	return err;
}

/* ------------------------------------------------------------------ one */

struct single {
	const struct run_options *options;
	struct run_result *ret_result;
};

static void single_make(void *ctx, uint64_t number, struct run_options *ret_options)
{
	const struct single *single = ctx;
	(void)number;
	*ret_options = *single->options;
}

static bool single_done(void *ctx, uint64_t number, struct run_result *result)
{
	struct single *single = ctx;
	(void)number;
	*single->ret_result = *result;
	result->struck = NULL;
	result->trace = NULL;
	return true;
}

int jobs_run(const struct run_options *options, int timeout_s, struct run_result *ret_result,
	     struct tg_error *ret_error)
{
	struct single single = {.options = options, .ret_result = ret_result};
	struct jobs jobs = {.count = 1,
			    .jobs = 1,
			    .timeout_s = timeout_s,
			    .ctx = &single,
			    .make = single_make,
			    .done = single_done};
	return jobs_run_all(&jobs, ret_error);
}
