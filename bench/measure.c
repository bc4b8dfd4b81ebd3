#include "bench/measure.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void bench_fail(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("bench_", stderr);
	fputs(bench_name, stderr);
	fputs(": ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t unix_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void cpu_pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof set, &set); /* a machine with one core has no second one: so be it */
}

void cpu_free(void)
{
	cpu_set_t set;
	memset(&set, 0xff, sizeof set);
	sched_setaffinity(0, sizeof set, &set);
}

pid_t process_start(int cpu, void (*fn)(const void *ctx), const void *ctx)
{
	pid_t parent = getpid(), process = fork();
	if (process < 0)
		bench_fail("fork: %s", strerror(errno));
	if (process > 0)
		return process;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	cpu_pin(cpu);
	fn(ctx);
	_exit(0);
}

void process_end(pid_t process)
{
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
}

struct measuring {
	measure_fn fn;
	const void *ctx;
	size_t count;
	int pipe;
};

static void measure_run(const void *ctx)
{
	const struct measuring *measuring = ctx;
	double results[ROUNDS_MAX];
	measuring->fn(measuring->ctx, results);
	size_t size = measuring->count * sizeof *results;
	if (write(measuring->pipe, results, size) != (ssize_t)size)
		_exit(1);
}

void measure(measure_fn fn, const void *ctx, double *ret_results, size_t count)
{
	int ends[2], status;
	if (count > ROUNDS_MAX || pipe(ends))
		bench_fail("no pipe");
	struct measuring measuring = {fn, ctx, count, ends[1]};
	pid_t process = process_start(CPU_OURS, measure_run, &measuring);
	close(ends[1]);
	size_t size = count * sizeof *ret_results;
	ssize_t got = read(ends[0], ret_results, size);
	close(ends[0]);
	waitpid(process, &status, 0);
	if (got != (ssize_t)size || status != 0)
		bench_fail("a measurement ended without a result");
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double quantile(double *values, size_t count, double share)
{
	qsort(values, count, sizeof *values, ascending);
	size_t at = (size_t)((double)count * share);
	return values[at < count ? at : count - 1];
}

double median(const double *values, size_t count)
{
	double sorted[ROUNDS_MAX];
	memcpy(sorted, values, count * sizeof *sorted);
	return quantile(sorted, count, 0.5);
}

static void number_print(const char *key, double value, int places)
{
	if (value > 0)
		printf(",\"%s\":%.*f", key, places, value);
	else
		printf(",\"%s\":null", key);
}

void figure_print(const struct figure *figure)
{
	int places = figure->ours >= 1000 ? 0 : figure->ours >= 10 ? 2 : 3;
	printf("{\"bench\":\"%s\",\"metric\":\"%s\",\"unit\":\"%s\",\"better\":\"%s\"", bench_name, figure->metric,
	       figure->unit, figure->better);
	number_print("ours", figure->ours, places);
	number_print("floor", figure->floor, places);
	number_print("peer", figure->peer, places);
	if (figure->peer_name)
		printf(",\"peer_name\":\"%s\"}\n", figure->peer_name);
	else
		printf(",\"peer_name\":null}\n");
	fflush(stdout);
}
