/* What a benchmark of several parts needs: the time, processes to measure in, medians, a figure's line. Owner: the one
 * thread of the benchmark. */
#ifndef TRIGATE_BENCH_MEASURE_H
#define TRIGATE_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ROUNDS_MAX 15

extern const char *const bench_name; /* "wire": each benchmark defines its own */

/* Who pushes and who is measured each have a core of their own, where there are two. */
enum { CPU_OTHER = 0, CPU_OURS = 1 };

__attribute__((noreturn, format(printf, 1, 2))) void bench_fail(const char *format, ...);
int64_t now_ns(void); /* CLOCK_MONOTONIC, the same in all processes */
int64_t unix_ns(void);
void cpu_pin(int cpu);
void cpu_free(void); /* any core again; threads begin where who made them may run */

/* A process of its own that runs fn; it ends with us. */
pid_t process_start(int cpu, void (*fn)(const void *ctx), const void *ctx);
void process_end(pid_t process);

/* Let a process of its own, on CPU_OURS, fill so many results. What one measurement leaves behind in memory is not the
 * next one's. */
typedef void (*measure_fn)(const void *ctx, double *ret_results);
void measure(measure_fn fn, const void *ctx, double *ret_results, size_t count);

double median(const double *values, size_t count);
double quantile(double *values, size_t count, double share); /* sorts them */

struct figure {
	const char *metric;
	const char *unit;
	const char *better;
	double ours;
	double floor; /* 0: none, and so the peer's */
	double peer;
	const char *peer_name;
};
void figure_print(const struct figure *figure);

#endif
