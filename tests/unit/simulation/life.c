#include "simulation/life.h"

#include "core/base/random.h"
#include "core/state/journal.h"
#include "core/state/statedir.h"
#include "simulation/disk.h"
#include "simulation/store.h"
#include "simulation/workers.h"
#include "tests/unit/simulation/machine.h"

#define SEEDS 60
#define LIVES 25
#define FLUSHES 60
#define STATE_DIR "var/state"

static struct machine machine;

/* ------------------------------------------------------------ life_ends */

static void ends(void)
{
	static const struct fault_event events[] = {{FAULT_KILL, 0, 1 * MS, 2, 400},
						    {FAULT_POWER_LOSS, 0, 1 * MS, 2, 700}};
	int64_t done_e3 = 77;
	size_t length;
	machine_create(&machine, 1, events, 2);
	ok(!life_ends(&machine.life, "write", &done_e3), "nothing strikes yet");
	machine_at(&machine, 1 * MS);
	ok(!life_ends(&machine.life, "write", &done_e3) && !life_ends(&machine.life, "sync", &done_e3),
	   "nor skipped ones");
	is_int(done_e3, 77, "and nothing is said");
	ok(life_ends(&machine.life, "send", &done_e3), "the third is the last");
	is_int(done_e3, 400, "so much of it is done");
	ok(machine.life.dead && !machine.life.power_lost, "it was a kill");
	is_int(machine.life.operations, 4, "four were begun");
	ok(strstr(trace_text(machine.ground.trace, &length), "killed at send, operation 4 of life 1") != NULL,
	   "the trace tells");
	ok(life_ends(&machine.life, "write", &done_e3), "a dead process has no other");
	is_int(done_e3, 0, "nothing of it is done");
	is_int(machine.life.operations, 4, "nor is it counted");
	life_begin(&machine);
	ok(life_ends(&machine.life, "write", &done_e3), "the next life ends by the other fault");
	ok(machine.life.power_lost && done_e3 == 700, "which takes the power");
	machine_destroy(&machine);
}

/* ----------------------------------------- a journal over many lives */

/* What a process may rely on, and what it finds. */
struct story {
	struct sim_disk *disk;
	struct sim_store *store;
	uint64_t random;
	uint64_t flushed;  /* position that outlives a kill */
	uint64_t synced;   /* position that outlives a power loss */
	uint32_t epoch;    /* the last that was given out */
	int wrong;         /* found less than that, or an epoch again */
	int kills, losses; /* of power */
	uint64_t taken;    /* records that a power loss took */
	char failure[240]; /* of a start that nothing killed */
};

static int64_t clock_ns(void *process)
{
	(void)process;
	return loop_mono_ns(machine.ground.time);
}

static void enter(void *process, void (*fn)(void *ctx), void *ctx)
{
	(void)process;
	fn(ctx);
}

static int position_note(void *ctx, const struct journal_entry *entry)
{
	*(uint64_t *)ctx = entry->position;
	return 0;
}

/* Records of random length, flushed, now and then synced, until something fails. */
static void records_write(struct story *story, struct journal *journal)
{
	static const char payload[300] = "record";
	int status = TG_OK;
	for (int i = 0; i < FLUSHES && status == TG_OK; i++) {
		uint64_t dice = random_next(&story->random), position = 0;
		for (uint64_t n = 0; n <= dice % 3; n++)
			position = journal_append(journal, i, 1, 1, payload, (uint32_t)((dice >> 8) % sizeof payload));
		status = journal_flush(journal, NULL);
		if (status == TG_OK)
			story->flushed = position;
		machine_run_until(&machine, machine.now_ns + (int64_t)((dice >> 20) % (8 * MS)));
		if (status == TG_OK && (dice >> 40) % 10 == 0 && journal_sync(journal, NULL) == TG_OK &&
		    !machine.life.dead)
			story->synced = position;
	}
}

static bool epoch_take(struct story *story, struct statedir *statedir, struct tg_error *error)
{
	uint32_t epoch = statedir_epoch_next(statedir, error);
	if (epoch == 0)
		return false;
	story->wrong += epoch <= story->epoch;
	story->epoch = epoch;
	return true;
}

static void process_run(struct story *story, const struct disk *disk, const struct workers *workers)
{
	struct tg_error error = tg_error_init();
	struct statedir *statedir = NULL;
	struct journal *journal = NULL;
	uint64_t found = 0;
	if (statedir_open(disk, STATE_DIR, &statedir, &error) == TG_OK && epoch_take(story, statedir, &error) &&
	    journal_open(disk, workers, STATE_DIR, "a1b2", 0, position_note, &found, NULL, &journal, &error) == TG_OK) {
		story->wrong += found < story->flushed;
		story->flushed = found;
		records_write(story, journal);
		journal_close(journal);
	} else if (!machine.life.dead) {
		snprintf(story->failure, sizeof story->failure, "%s", error.message);
	}
	statedir_close(statedir);
}

static void live(struct story *story)
{
	struct sim_workers_options options = {
		.life = &machine.life, .enter = enter, .mono_ns = clock_ns, .disk = story->disk, .store = story->store};
	struct sim_workers *workers;
	if (sim_workers_create(&options, &workers) != TG_OK)
		abort();
	process_run(story, sim_disk_of_life(story->disk, &machine.life), sim_workers_face(workers));
	bool power_lost = machine.life.power_lost;
	story->kills += machine.life.dead && !power_lost;
	story->losses += power_lost;
	sim_disk_life_ended(story->disk, power_lost);
	sim_workers_destroy(workers);
	if (!power_lost)
		return;
	story->taken += story->flushed - story->synced;
	story->flushed = story->synced;
}

/* Returns the digest of the trace. */
static uint64_t story_tell(uint64_t seed, struct story *story)
{
	struct fault_rates rates = {
		.rate_e6 = {[FAULT_KILL] = 6000, [FAULT_POWER_LOSS] = 6000, [FAULT_DISK_SLOW] = 1000}};
	machine_create(&machine, seed, NULL, 0);
	faults_destroy(machine.ground.faults);
	if (faults_create(machine.ground.time, seed, &rates, NULL, 0, &machine.ground.faults) != TG_OK ||
	    sim_disk_create(&machine.ground, 0, &story->disk) != TG_OK ||
	    sim_store_create(&machine.ground, &story->store) != TG_OK)
		abort();
	story->random = seed;
	story->flushed = story->synced = story->epoch = 0;
	for (int i = 0; i < LIVES; i++, life_begin(&machine))
		live(story);
	uint64_t digest = trace_digest(machine.ground.trace);
	sim_disk_destroy(story->disk);
	sim_store_destroy(story->store);
	machine_destroy(&machine);
	return digest;
}

static void many_lives(void)
{
	struct story story = {0}, again = {0};
	int other = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		other += story_tell(seed, &story) != story_tell(seed, &again);
	is_int(story.wrong, 0, "what was flushed outlives kills, what was synced the power, and no epoch comes again");
	is_str(story.failure, "", "every start that nothing kills succeeds");
	ok(story.kills > SEEDS * LIVES / 10 && story.losses > SEEDS * LIVES / 10,
	   "over %d kills and %d losses of power", story.kills, story.losses);
	ok(story.taken > (uint64_t)story.losses, "that took %llu records", (unsigned long long)story.taken);
	is_int(other, 0, "the same seed tells the same story");
}

int main(void)
{
	ends();
	many_lives();
	return tap_done();
}
