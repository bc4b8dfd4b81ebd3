#include "simulation/disk.h"

#include <errno.h>

#include "simulation/disk_file.h"
#include "tests/unit/simulation/machine.h"

#define SEEDS 400

static struct machine machine;
static struct sim_disk *disk;
static const struct disk *face;

static void begin(uint64_t seed, const struct fault_event *events, uint32_t count)
{
	machine_create(&machine, seed, events, count);
	if (sim_disk_create(&machine.ground, 0, &disk) != TG_OK)
		abort();
	face = sim_disk_of_life(disk, &machine.life);
	face->ops->make_dir(face, "s");
	face->ops->sync_dir(face, ".");
}

static void end(void)
{
	sim_disk_destroy(disk);
	machine_destroy(&machine);
}

static void next_life(bool power_lost)
{
	sim_disk_life_ended(disk, power_lost);
	life_begin(&machine);
	face = sim_disk_of_life(disk, &machine.life);
}

static int append(const char *path, const char *text)
{
	int file = disk_open(face, path, DISK_WRITE | DISK_APPEND | DISK_CREATE);
	int failure = file < 0 ? file : disk_write_all(face, file, text, strlen(text));
	disk_close(face, file);
	return failure;
}

static int sync_file(const char *path)
{
	int file = disk_open(face, path, DISK_READ);
	int failure = file < 0 ? file : disk_sync(face, file, true);
	disk_close(face, file);
	return failure;
}

/* What a file holds, from outside; "(none)": no such file. */
static const char *holds(const char *path)
{
	static char text[65536];
	const struct disk *outside = sim_disk_outside(disk);
	int file = disk_open(outside, path, DISK_READ);
	if (file < 0)
		return "(none)";
	int64_t got = disk_read_all(outside, file, text, sizeof text - 1, 0);
	text[got] = '\0';
	disk_close(outside, file);
	return text;
}

static uint64_t size_of(const char *path)
{
	const struct disk *outside = sim_disk_outside(disk);
	uint64_t size = UINT64_MAX;
	int file = disk_open(outside, path, DISK_READ);
	outside->ops->size(outside, file, &size);
	disk_close(outside, file);
	return size;
}

/* -------------------------------------------------------------- one life */

static void opens(void)
{
	static const struct {
		const char *path;
		int flags;
		int want; /* 0: a handle */
	} cases[] = {
		{"s/none", DISK_READ, -ENOENT},
		{"s/none", DISK_WRITE, -ENOENT},
		{"nowhere/a", DISK_WRITE | DISK_CREATE, -ENOENT},
		{"s/a/b", DISK_WRITE | DISK_CREATE, -ENOENT},
		{"", DISK_READ, -ENOENT},
		{"s", DISK_READ, -EISDIR},
		{"s/a", DISK_READ, 0},
		{"./s//a", DISK_READ, 0},
		{"s/a/", DISK_READ, 0},
		{"s/a", DISK_WRITE | DISK_CREATE, 0},
		{"s/a", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, -EEXIST},
		{"s/new", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, 0},
	};
	begin(1, NULL, 0);
	append("s/a", "text");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int file = disk_open(face, cases[i].path, cases[i].flags);
		is_int(file < 0 ? file : 0, cases[i].want, "open '%s' with flags %d", cases[i].path, cases[i].flags);
		disk_close(face, file);
	}
	is_int(face->ops->make_dir(face, "s"), -EEXIST, "a directory is made once");
	is_int(face->ops->check_dir(face, "s/"), 0, "and is one");
	is_int(face->ops->check_dir(face, "s/a"), -ENOTDIR, "a file is none");
	is_int(face->ops->check_dir(face, "t"), -ENOENT, "nor is nothing");
	is_int(face->ops->exists(face, "s/a") * 10 + face->ops->exists(face, "s/b"), 10, "what is there exists");
	end();
}

static void contents(void)
{
	char text[8] = "";
	begin(1, NULL, 0);
	append("s/a", "one");
	append("s/a", "two");
	is_str(holds("s/a"), "onetwo", "appended, and seen from outside at once");
	int file = disk_open(face, "s/a", DISK_WRITE);
	disk_write_all(face, file, "O", 1);
	disk_write_all(face, file, "NE", 2);
	is_str(holds("s/a"), "ONEtwo", "written at the file's place");
	is_int(face->ops->truncate(face, file, 4), 0, "cut");
	is_int(face->ops->truncate(face, file, 6), 0, "and made longer");
	is_int(face->ops->read_at(face, file, text, 8, 2), 4, "a read ends at the end");
	ok(memcmp(text, "Et\0\0", 4) == 0, "what was cut off comes back as zeros");
	is_int(face->ops->read_at(face, file, text, 8, 6), 0, "and gets nothing behind it");
	disk_close(face, file);
	is_int(disk_close(face, file), -EBADF, "closed once");
	disk_close(face, disk_open(face, "s/a", DISK_WRITE | DISK_EMPTY));
	is_int(size_of("s/a"), 0, "emptied");
	append("s/b", "b");
	is_int(face->ops->rename(face, "s/b", "s/a"), 0, "renamed over another");
	is_str(holds("s/a"), "b", "it is the other now");
	is_str(holds("s/b"), "(none)", "and not itself any more");
	is_int(face->ops->rename(face, "s/b", "s/c"), -ENOENT, "what is not there cannot be renamed");
	end();
}

static void outside_changes_nothing(void)
{
	begin(1, NULL, 0);
	append("s/a", "text");
	const struct disk *outside = sim_disk_outside(disk);
	is_int(disk_open(outside, "s/a", DISK_WRITE), -EROFS, "from outside no file opens for writing");
	is_int(disk_open(outside, "s/b", DISK_WRITE | DISK_CREATE), -EROFS, "none is made");
	is_int(outside->ops->make_dir(outside, "t"), -EROFS, "no directory either");
	is_int(outside->ops->rename(outside, "s/a", "s/b"), -EROFS, "nothing is renamed");
	int file = disk_open(outside, "s/a", DISK_READ);
	ok(outside->ops->write(outside, file, "x", 1) < 0, "nothing written");
	is_int(disk_sync(outside, file, false), -EROFS, "nothing synced");
	is_int(machine.life.operations, 4, "and none of it counts for the life: make_dir, sync_dir, create, write do");
	disk_close(outside, file);
	end();
}

static void locks(void)
{
	begin(1, NULL, 0);
	const struct disk *outside = sim_disk_outside(disk);
	int first = disk_open(face, "s/lock", DISK_WRITE | DISK_CREATE);
	int second = disk_open(face, "s/lock", DISK_WRITE);
	int other = disk_open(outside, "s/lock", DISK_READ);
	is_int(outside->ops->locked(outside, other), 0, "nobody holds it");
	is_int(face->ops->lock(face, first), 0, "one takes it");
	is_int(face->ops->lock(face, second), -EAGAIN, "another cannot");
	is_int(outside->ops->locked(outside, other), 1, "it is seen from outside");
	next_life(false);
	is_int(outside->ops->locked(outside, other), 0, "it goes with the life");
	ok(face->ops->lock(face, first) < 0, "as do its handles");
	int third = disk_open(face, "s/lock", DISK_WRITE);
	is_int(face->ops->lock(face, third), 0, "the next life takes it");
	disk_close(face, third);
	is_int(outside->ops->locked(outside, other), 0, "and gives it back by closing");
	is_int(disk_process(face), 1002, "the second process has a number of its own");
	disk_close(outside, other);
	end();
}

/* ---------------------------------------------------------------- faults */

/* make_dir and sync_dir come first; the file is created by the first append. */
static void full_disk(void)
{
	static const struct fault_event events[] = {{FAULT_DISK_FULL, 0, 5 * MS, 0, 1000}};
	begin(3, events, 1);
	is_int(append("s/a", "before"), 0, "there is room");
	machine_at(&machine, 5 * MS);
	is_int(append("s/a", "0123456789012345678901234567890123456789"), -ENOSPC, "then there is none");
	uint64_t size = size_of("s/a");
	ok(size >= 6 && size < 46, "of that write a part at most was done: %llu", (unsigned long long)size);
	is_int(append("s/a", "x"), -ENOSPC, "nor for one byte");
	is_int(size_of("s/a"), (int64_t)size, "of which nothing is done");
	is_int(append("s/b", "x"), -ENOSPC, "nor for a file");
	is_int(sync_file("s/a"), 0, "a sync needs none");
	void *memory;
	int file = disk_open(face, "s/a", DISK_WRITE);
	is_int(face->ops->map(face, file, 4096, &memory), -ENOSPC, "a mapping does");
	is_int(face->ops->truncate(face, file, 4096), -ENOSPC, "so does growing");
	is_int(face->ops->truncate(face, file, 3), 0, "cutting does not");
	machine_at(&machine, 1005 * MS);
	is_int(append("s/a", "after"), 0, "after its time there is room again");
	is_str(holds("s/a"), "befafter", "and the rest was kept");
	end();
}

static void read_only_disk(void)
{
	static const struct fault_event events[] = {{FAULT_DISK_READ_ONLY, 0, 5 * MS, 0, 1000}};
	begin(3, events, 1);
	append("s/a", "before");
	int file = disk_open(face, "s/a", DISK_WRITE | DISK_APPEND);
	machine_at(&machine, 5 * MS);
	is_int(disk_write_all(face, file, "x", 1), -EROFS, "a disk turns read-only");
	is_int(disk_sync(face, file, true), -EROFS, "nothing is synced");
	is_int(disk_open(face, "s/a", DISK_WRITE), -EROFS, "nothing opens for writing");
	is_int(face->ops->rename(face, "s/a", "s/b"), -EROFS, "nothing is renamed");
	is_str(holds("s/a"), "before", "reading goes on");
	machine_at(&machine, 1005 * MS);
	is_int(disk_write_all(face, file, "x", 1), 0, "it ends");
	end();
}

static void failing_and_slow_disk(void)
{
	static const struct fault_event events[] = {{FAULT_DISK_FAILS, 0, 5 * MS, 0, 0},
						    {FAULT_DISK_SLOW, 0, 5 * MS, 2, 70},
						    {FAULT_DISK_SLOW, 0, 5 * MS, 3, 50}};
	begin(3, events, 3);
	append("s/a", "before");
	machine_at(&machine, 5 * MS);
	is_int(append("s/a", "x"), -EIO, "one write fails");
	is_int(append("s/a", "y"), 0, "the next does not");
	is_str(holds("s/a"), "beforey", "nothing of it was done");
	is_int(sim_disk_take_delay_ns(disk), 0, "nothing is slow yet");
	append("s/a", "z");
	append("s/a", "z");
	is_int(sim_disk_take_delay_ns(disk), 70 * MS, "the slowest counts");
	is_int(sim_disk_take_delay_ns(disk), 0, "once");
	end();
}

/* A kill at each operation in turn of a life that writes, syncs and renames; then nothing of it reaches the disk. */
static void kills(void)
{
	for (uint32_t at = 0; at < 5; at++) {
		static const char *const left[] = {"(none)", "0123", "0123456789", "0123456789", "0123456789"};
		struct fault_event events[] = {{FAULT_KILL, 0, 5 * MS, at, 499}};
		char text[4];
		begin(1, events, 1);
		machine_at(&machine, 5 * MS);
		int file = disk_open(face, "s/a", DISK_WRITE | DISK_CREATE);
		int64_t done = face->ops->write(face, file, "0123456789", 10);
		int synced = disk_sync(face, file, true);
		int renamed = face->ops->rename(face, "s/a", "s/b");
		int last = face->ops->sync_dir(face, "s");
		is_int(at == 0   ? file
		       : at == 1 ? done
		       : at == 2 ? synced
		       : at == 3 ? renamed
				 : last,
		       -EIO, "a kill strikes operation %u of a life", at);
		is_int(last, -EIO, "and after it nothing works");
		ok(face->ops->read_at(face, file, text, 1, 0) < 0 && disk_open(face, "s/a", DISK_READ) == -EIO &&
			   append("s/c", "x") == -EIO,
		   "reading neither");
		is_int(machine.life.operations, 3 + at, "nor is it counted");
		next_life(false);
		is_str(holds(at == 4 ? "s/b" : "s/a"), left[at], "what it did is there");
		is_str(holds("s/c"), "(none)", "what it did afterwards is not");
		end();
	}
}

/* An operation that cannot be done in part is done, or not. */
static void kill_around_rename(void)
{
	for (int64_t arg = 0; arg <= 1000; arg += 1000) {
		struct fault_event events[] = {{FAULT_KILL, 0, 5 * MS, 0, arg}};
		begin(1, events, 1);
		append("s/a", "text");
		machine_at(&machine, 5 * MS);
		is_int(face->ops->rename(face, "s/a", "s/b"), -EIO, "killed in a rename, %lld", (long long)arg);
		next_life(false);
		is_str(holds(arg ? "s/b" : "s/a"), "text", "it has the one name");
		is_str(holds(arg ? "s/a" : "s/b"), "(none)", "and not the other");
		end();
	}
}

/* ------------------------------------------------------------ power loss */

/* Many appends between two syncs: earlier versions of a sector are possible too. */
static void appended_records(void)
{
	int whole = 0, none = 0, holes = 0, wrong = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		char record[101];
		begin(seed, NULL, 0);
		append("s/a", "head");
		sync_file("s/a");
		face->ops->sync_dir(face, "s");
		for (int i = 0; i < 50; i++) {
			memset(record, 'a' + i % 26, 100);
			record[100] = '\0';
			append("s/a", record);
		}
		wrong += sim_disk_synced(disk, "s/a") != 4;
		next_life(true);
		uint64_t size = size_of("s/a");
		const char *text = holds("s/a");
		wrong += memcmp(text, "head", 4) != 0 || (size - 4) % 100 != 0;
		whole += size == 5004 && strlen(text) == 5004;
		none += size == 4;
		holes += strlen(text) < size;
		end();
	}
	is_int(wrong, 0, "a file ends where a record ended");
	ok(whole > 0 && none > 0 && holes > SEEDS / 10, "all, nothing, or with holes: %d, %d, %d", whole, none, holes);
}

static void unsynced_names(void)
{
	int created = 0, renamed = 0, wrong = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		begin(seed, NULL, 0);
		append("s/epoch", "1");
		append("s/kept", "k");
		sync_file("s/epoch");
		sync_file("s/kept");
		face->ops->sync_dir(face, "s");
		append("s/epoch.new", "2");
		sync_file("s/epoch.new");
		face->ops->rename(face, "s/epoch.new", "s/epoch");
		append("s/made", "m");
		sync_file("s/made");
		wrong += sim_disk_synced(disk, "s/made") != 0 || sim_disk_synced(disk, "s/kept") != 1;
		next_life(true);
		created += strcmp(holds("s/made"), "m") == 0;
		renamed += strcmp(holds("s/epoch"), "2") == 0;
		wrong += strcmp(holds("s/kept"), "k") != 0;
		wrong += strcmp(holds("s/epoch"), "2") != 0 && strcmp(holds("s/epoch"), "1") != 0;
		wrong += strcmp(holds("s/epoch"), "2") == 0 && strcmp(holds("s/epoch.new"), "(none)") != 0;
		end();
	}
	is_int(wrong, 0, "what was synced keeps its name, and a name never points to nothing");
	ok(created > SEEDS / 4 && created < SEEDS * 3 / 4, "a new file is there or not: %d of %d", created, SEEDS);
	ok(renamed > SEEDS / 4 && renamed < SEEDS * 3 / 4, "a rename is done or not: %d", renamed);
}

static void synced_names(void)
{
	int wrong = 0, without_parent = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		begin(seed, NULL, 0);
		append("s/epoch.new", "2");
		sync_file("s/epoch.new");
		face->ops->rename(face, "s/epoch.new", "s/epoch");
		face->ops->sync_dir(face, "s");
		face->ops->make_dir(face, "t");
		append("t/a", "a");
		sync_file("t/a");
		face->ops->sync_dir(face, "t");
		wrong += sim_disk_synced(disk, "s/epoch") != 1 || sim_disk_synced(disk, "t/a") != 0;
		next_life(true);
		wrong += strcmp(holds("s/epoch"), "2") != 0 || strcmp(holds("s/epoch.new"), "(none)") != 0;
		without_parent += strcmp(holds("t/a"), "(none)") == 0;
		end();
	}
	is_int(wrong, 0, "a synced rename is done");
	ok(without_parent > 0 && without_parent < SEEDS, "a directory's own name must be synced in the one above: %d",
	   without_parent);
}

static void append_sector(char letter)
{
	char sector[DISK_SECTOR + 1];
	memset(sector, letter, DISK_SECTOR);
	sector[DISK_SECTOR] = '\0';
	append("s/a", sector);
}

/* Linux: after a failed fsync the page counts as clean, and the next fsync says that all is well. */
static void failed_sync(void)
{
	static const struct fault_event events[] = {{FAULT_DISK_FAILS, 0, 5 * MS, 1, 0}};
	int lost = 0, wrong = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		begin(seed, events, 1);
		append_sector('a');
		face->ops->sync_dir(face, "s");
		wrong += sync_file("s/a") != 0 || sim_disk_synced(disk, "s/a") != DISK_SECTOR;
		machine_at(&machine, 5 * MS);
		append_sector('d');
		wrong += sync_file("s/a") != -EIO;
		append_sector('l');
		wrong += sync_file("s/a") != 0 || sim_disk_synced(disk, "s/a") != DISK_SECTOR;
		wrong += strlen(holds("s/a")) != 3 * DISK_SECTOR;
		next_life(true);
		const char *text = holds("s/a");
		wrong += size_of("s/a") != 3 * DISK_SECTOR || text[DISK_SECTOR - 1] != 'a' ||
			 text[3 * DISK_SECTOR - 1] != 'l';
		lost += text[DISK_SECTOR] == '\0' && text[2 * DISK_SECTOR - 1] == '\0';
		end();
	}
	is_int(wrong, 0, "what was synced before and after a failed sync stays");
	ok(lost > SEEDS / 4 && lost < SEEDS * 3 / 4, "what it should have synced goes or stays: %d of %d", lost, SEEDS);
}

/* Written once more and synced, it is safe. */
static void failed_sync_made_good(void)
{
	static const struct fault_event events[] = {{FAULT_DISK_FAILS, 0, 5 * MS, 1, 0}};
	int wrong = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		begin(seed, events, 1);
		append("s/a", "");
		face->ops->sync_dir(face, "s");
		machine_at(&machine, 5 * MS);
		append_sector('d');
		wrong += sync_file("s/a") != -EIO;
		disk_close(face, disk_open(face, "s/a", DISK_WRITE | DISK_EMPTY));
		append_sector('e');
		wrong += sync_file("s/a") != 0 || sim_disk_synced(disk, "s/a") != DISK_SECTOR;
		next_life(true);
		wrong += holds("s/a")[0] != 'e' || size_of("s/a") != DISK_SECTOR;
		end();
	}
	is_int(wrong, 0, "written again and synced, it is safe");
}

/* --------------------------------------------------------------- mapping */

static void mapping(void)
{
	void *memory = NULL;
	begin(1, NULL, 0);
	int file = disk_open(face, "s/m", DISK_WRITE | DISK_CREATE);
	is_int(face->ops->map(face, file, 10000, &memory), 0, "a file is mapped");
	is_int(size_of("s/m"), 10000, "and as long as that");
	disk_close(face, file);
	memcpy((char *)memory + 5000, "stored", 6);
	is_str(holds("s/m") + 5000, "stored", "a store is seen from outside");
	machine.life.dead = true;
	next_life(false);
	is_str(holds("s/m") + 5000, "stored", "and outlives the process");
	memcpy((char *)memory + 5000, "STORED", 6);
	is_str(holds("s/m") + 5000, "stored", "which no longer reaches it");
	face->ops->unmap(face, memory, 10000);
	file = disk_open(face, "s/m", DISK_WRITE);
	is_int(face->ops->map(face, file, 10000, &memory), 0, "the next life maps it");
	is_str((char *)memory + 5000, "stored", "and finds it");
	face->ops->unmap(face, memory, 10000);
	end();
}

static void mapping_loses_power(void)
{
	int first = 0, second = 0, wrong = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		void *memory = NULL;
		begin(seed, NULL, 0);
		int file = disk_open(face, "s/m", DISK_WRITE | DISK_CREATE);
		face->ops->sync_dir(face, "s");
		wrong += face->ops->map(face, file, 8192, &memory) != 0;
		memcpy(memory, "sure", 5);
		disk_sync(face, file, true);
		memcpy((char *)memory + 1000, "one", 3);
		memcpy((char *)memory + 5000, "two", 3);
		machine.life.dead = true;
		sim_disk_life_ended(disk, true);
		face->ops->unmap(face, memory, 8192);
		const char *text = holds("s/m");
		wrong += size_of("s/m") != 8192 || strcmp(text, "sure") != 0;
		first += memcmp(text + 1000, "one", 3) == 0;
		second += memcmp(text + 5000, "two", 3) == 0;
		end();
	}
	is_int(wrong, 0, "what was synced of a mapping stays");
	ok(first > SEEDS / 4 && first < SEEDS * 3 / 4, "a stored page stays or goes: %d of %d", first, SEEDS);
	ok(second > SEEDS / 4 && second < SEEDS * 3 / 4, "as does another: %d", second);
}

/* -------------------------------------------------------------- the trace */

static uint64_t trace_of_a_loss(uint64_t seed)
{
	struct fault_event events[] = {{FAULT_POWER_LOSS, 0, 5 * MS, 1, 700}};
	begin(seed, events, 1);
	machine_at(&machine, 5 * MS);
	append("s/a", "0123456789");
	ok(machine.life.dead && machine.life.power_lost, "the power goes in a write");
	next_life(true);
	uint64_t digest = trace_digest(machine.ground.trace);
	end();
	return digest;
}

int main(void)
{
	opens();
	contents();
	outside_changes_nothing();
	locks();
	full_disk();
	read_only_disk();
	failing_and_slow_disk();
	kills();
	kill_around_rename();
	appended_records();
	unsynced_names();
	synced_names();
	failed_sync();
	failed_sync_made_good();
	mapping();
	mapping_loses_power();
	ok(trace_of_a_loss(7) == trace_of_a_loss(7), "the same seed tells the same");
	return tap_done();
}
