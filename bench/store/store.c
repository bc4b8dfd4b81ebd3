/* Benchmark "store": what is changed, until it stands in committed batches. README.md of bench/ says what each figure
 * means. Usage: bench_store [sqlite|postgres|redis...] */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/store/loop_cost.h"
#include "bench/store/ours.h"
#include "bench/store/peer.h"
#include "bench/store/servers.h"

#define ROUNDS 5
#define LOOP_ROUNDS 15
#define OPEN_CYCLES 100

const char *const bench_name = "store";

static char folder[256];
static struct peer peer;

/* ------------------------------------------------------------ one measurement */

static int entry_remove(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)stat, (void)kind, (void)at;
	return remove(path);
}

/* An empty folder for each, below ours. */
static const char *place_make(void)
{
	static char place[300];
	snprintf(place, sizeof place, "%s/run", folder);
	nftw(place, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
	if (mkdir(place, 0700))
		bench_fail("no folder for files");
	return place;
}

/* What both sides do. */
struct job {
	struct backend backend;
	struct task task;
	double (*floor)(const struct task *task);
};

static void measure_ours(const void *ctx, double *ret_results)
{
	const struct job *job = ctx;
	struct ours ours;
	ours_run(&job->backend, &job->task, &ours);
	ret_results[0] = ours.per_second;
	ret_results[1] = ours.journal_bytes;
	ret_results[2] = ours.bound_bytes;
}

static void measure_floor(const void *ctx, double *ret_results)
{
	const struct job *job = ctx;
	ret_results[0] = job->floor(&job->task);
}

/* In turn, each in an empty place. Medians; the floor's journal is as long as ours was. */
static struct ours job_run(struct job *job, double *ret_floor)
{
	double rate[ROUNDS], floor[ROUNDS], results[3];
	for (int i = 0; i < ROUNDS; i++) {
		job->task.folder = place_make();
		job->backend.settings = server_settings(job->backend.plugin);
		measure(measure_ours, job, results, 3);
		rate[i] = results[0];
		job->task.journal_bytes = (uint32_t)(results[1] + 0.5);
		job->task.folder = place_make();
		job->task.server = server_address(job->backend.plugin);
		measure(measure_floor, job, &floor[i], 1);
	}
	*ret_floor = median(floor, ROUNDS);
	return (struct ours){median(rate, ROUNDS), results[1], results[2]};
}

/* ------------------------------------------------------------ figures */

static double peer_of(const char *recipe)
{
	return recipe && peer.name[0] ? peer_figure(&peer, recipe) : 0;
}

static void rate_bench(const char *metric, struct job job, const char *recipe)
{
	struct figure figure = {.metric = metric, .unit = "per_second", .better = "higher"};
	figure.ours = job_run(&job, &figure.floor).per_second;
	figure.peer = peer_of(recipe);
	figure.peer_name = figure.peer > 0 ? peer.name : NULL;
	figure_print(&figure);
}

static void measure_commits(const void *ctx, double *ret_results)
{
	const struct job *job = ctx;
	ret_results[0] = ours_commits_per_cycle(&job->backend, job->task.folder, OPEN_CYCLES, 2000);
}

static void measure_loop(const void *ctx, double *ret_results)
{
	const struct job *job = ctx;
	struct loop_cost cost = loop_cost_measure(job->task.folder);
	ret_results[0] = cost.save_ns;
	ret_results[1] = cost.floor_ns;
}

static void loop_bench(void)
{
	struct figure figure = {.metric = "loop_cost", .unit = "ns", .better = "lower"};
	double results[2], ours[LOOP_ROUNDS], floor[LOOP_ROUNDS];
	for (int i = 0; i < LOOP_ROUNDS; i++) {
		struct job job = {.task = {.folder = place_make()}};
		measure(measure_loop, &job, results, 2);
		ours[i] = results[0];
		floor[i] = results[1];
	}
	figure.ours = median(ours, LOOP_ROUNDS);
	figure.floor = median(floor, LOOP_ROUNDS);
	figure_print(&figure);
}

static void sqlite_bench(void)
{
	const struct backend backend = {"sqlite", "{}"};
	struct job job = {.backend = backend, .floor = floor_sqlite, .task = {WORK_SAVE, 3, 40000}};
	rate_bench("save", job, "save_pooled");
	job.task = (struct task){WORK_SAVE_LIFECYCLE, 3, 90000};
	rate_bench("save_lifecycle", job, "save_lifecycle_cached");
	for (int i = 0; i < 3; i++) {
		static const struct {
			const char *metric, *recipe;
			uint32_t orders;
		} updates[] = {{"update_3", "update_blob_3", 3},
			       {"update_10", "update_blob_10", 10},
			       {"update_50", "update_blob_50", 50}};
		job.task = (struct task){WORK_UPDATE, updates[i].orders, 120000};
		rate_bench(updates[i].metric, job, updates[i].recipe);
	}
	job.task = (struct task){WORK_RESERVE_RELEASE, 3, 10000};
	rate_bench("reserve_release", job, "reserve_release");

	struct figure bytes = {.metric = "bytes_per_update_50", .unit = "bytes", .better = "lower"};
	double results[3];
	job.task = (struct task){WORK_UPDATE, 50, UPDATE_ORDERS, .folder = place_make(), .bound = true};
	measure(measure_ours, &job, results, 3);
	bytes.ours = results[2];
	bytes.peer = peer_of("bytes_blob");
	bytes.peer_name = bytes.peer > 0 ? peer.name : NULL;
	figure_print(&bytes);

	struct figure commits = {.metric = "commits_per_cycle", .unit = "commits", .better = "lower"};
	job.task.folder = place_make();
	measure(measure_commits, &job, &commits.ours, 1);
	figure_print(&commits);
	loop_bench();
}

static void server_bench(const char *plugin, double (*floor)(const struct task *task))
{
	struct job job = {.backend = {plugin, ""}, .floor = floor, .task = {WORK_SAVE, 3, 20000}};
	char metric[64];
	if (!server_start(plugin, folder))
		return;
	snprintf(metric, sizeof metric, "save_%s", plugin);
	rate_bench(metric, job, NULL);
	job.task = (struct task){WORK_RESERVE_RELEASE, 3, 3000};
	snprintf(metric, sizeof metric, "reserve_release_%s", plugin);
	rate_bench(metric, job, NULL);
	server_stop();
}

static void postgres_bench(void)
{
	server_bench("postgres", floor_postgres);
}

static void redis_bench(void)
{
	server_bench("redis", floor_redis);
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {{"sqlite", sqlite_bench}, {"postgres", postgres_bench}, {"redis", redis_bench}};

#define PARTS (sizeof parts / sizeof *parts)

static bool wanted(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	const char *base = getenv("TMPDIR");
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "sqlite") != 0 && strcmp(argv[i], "postgres") != 0 &&
		    strcmp(argv[i], "redis") != 0) {
			fprintf(stderr, "bench_store: no part '%s'; there are: sqlite postgres redis\n", argv[i]);
			return 2;
		}
	snprintf(folder, sizeof folder, "%s/trigate-bench-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder) || chmod(folder, 0755)) /* a server may run as another user */
		bench_fail("no folder for temporary files");
	if (wanted(argc, argv, "sqlite"))
		peer_run(&peer);
	for (size_t i = 0; i < PARTS; i++)
		if (wanted(argc, argv, parts[i].name))
			parts[i].run();
	nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}
