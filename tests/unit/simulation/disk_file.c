#include "simulation/disk_file.h"

#include <errno.h>

#include "core/base/random.h"
#include "tests/unit/simulation/machine.h"

#define SEEDS 1000
#define MODEL_SIZE 4000
#define VERSIONS_MAX 64 /* above the number of changes */

static struct machine machine;

/* What a file held since the last sync that succeeded: [0] then. */
struct version {
	uint8_t bytes[MODEL_SIZE];
	uint64_t size;
};
struct model {
	struct version version[VERSIONS_MAX];
	uint32_t count;
};

static struct version *model_change(struct model *model)
{
	struct version *next = &model->version[model->count];
	*next = model->version[model->count - 1];
	model->count++;
	return next;
}

static void version_resize(struct version *version, uint64_t size)
{
	if (size < version->size)
		memset(version->bytes + size, 0, version->size - size);
	version->size = size;
}

static void change_at_random(struct model *model, struct disk_file *file, uint64_t *random)
{
	struct version *version = model_change(model);
	uint64_t dice = random_next(random), count = 1 + (dice >> 8) % 700, at = version->size;
	uint8_t bytes[700];
	memset(bytes, (int)(1 + (dice >> 32) % 255), sizeof bytes);
	if (dice % 8 == 0) {
		version_resize(version, (dice >> 20) % MODEL_SIZE);
		disk_file_resize(file, version->size);
		return;
	}
	if (dice % 8 == 1)
		at = (dice >> 20) % MODEL_SIZE; /* over what is there, or behind a gap */
	if (at + count > MODEL_SIZE)
		return;
	if (at + count > version->size)
		version_resize(version, at + count);
	disk_file_write(file, at, bytes, count);
	memcpy(version->bytes + at, bytes, count);
}

/* Does the file hold what its versions allow? Every byte must be one that some version had there. */
static bool model_allows(const struct model *model, const uint8_t *bytes, uint64_t size, uint64_t sure)
{
	bool size_is_one = false;
	for (uint32_t i = 0; i < model->count; i++)
		size_is_one |= model->version[i].size == size;
	if (!size_is_one || size < sure)
		return false;
	for (uint64_t at = 0; at < size; at++) {
		bool found = false;
		for (uint32_t i = 0; i < model->count && !found; i++)
			found = bytes[at] == model->version[i].bytes[at];
		if (!found || (at < sure && bytes[at] != model->version[0].bytes[at]))
			return false;
	}
	return true;
}

static uint64_t digest_of(const void *bytes, uint64_t size)
{
	uint64_t digest = size;
	for (uint64_t i = 0; i < size; i++)
		digest = (digest ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
	return digest;
}

static bool is_version(const struct disk_file *file, const struct version *version)
{
	return disk_file_size(file) == version->size &&
	       (version->size == 0 || memcmp(disk_file_bytes(file), version->bytes, version->size) == 0);
}

struct tally {
	int wrong, all, nothing;
};

/* Changes and syncs at random, then the power goes. Returns a digest of what is left. */
static uint64_t lose_at_random(uint64_t seed, struct tally *tally)
{
	static struct model model;
	struct disk_file *file = disk_file_create(false);
	struct disk_loss loss;
	uint64_t random = seed;
	machine_create(&machine, seed, NULL, 0);
	model.version[0] = (struct version){.size = 0};
	model.count = 1;
	for (int i = 0; i < 40; i++) {
		change_at_random(&model, file, &random);
		tally->wrong += !is_version(file, &model.version[model.count - 1]);
		if (random_next(&random) % 6 != 0)
			continue;
		disk_file_sync(file);
		model.version[0] = model.version[model.count - 1];
		model.count = 1;
		tally->wrong += disk_file_synced(file) != model.version[0].size;
	}
	uint64_t sure = disk_file_synced(file);
	disk_file_lose_power(file, machine.ground.faults, &loss);
	uint64_t size = disk_file_size(file), digest = digest_of(disk_file_bytes(file), size);
	tally->wrong += !model_allows(&model, disk_file_bytes(file), size, sure);
	tally->wrong += disk_file_synced(file) != size || loss.size_after != size;
	tally->all += model.count > 1 && is_version(file, &model.version[model.count - 1]);
	tally->nothing += model.count > 1 && is_version(file, &model.version[0]);
	disk_file_drop(file);
	machine_destroy(&machine);
	return digest;
}

static void at_random(void)
{
	struct tally tally = {0}, again = {0};
	int other = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		other += lose_at_random(seed, &tally) != lose_at_random(seed, &again);
	is_int(tally.wrong, 0, "what was synced stays, and the rest is what was there at some time");
	ok(tally.all > SEEDS / 20, "sometimes all of it stays: %d of %d", tally.all, SEEDS);
	ok(tally.nothing > SEEDS / 20, "sometimes nothing does: %d", tally.nothing);
	ok(tally.all + tally.nothing < SEEDS * 3 / 4, "and often a part");
	is_int(other, 0, "the same seed loses the same");
}

/* What a power loss takes does not grow with what was written before the last sync, nor does the cost of appending. */
static void long_file(void)
{
	struct disk_file *file = disk_file_create(false);
	struct disk_loss loss;
	char record[300];
	memset(record, 'r', sizeof record);
	machine_create(&machine, 1, NULL, 0);
	for (uint64_t i = 0; i < 20000; i++) {
		disk_file_write(file, i * sizeof record, record, sizeof record);
		if (i % 20 == 0)
			disk_file_sync(file);
	}
	disk_file_sync(file);
	disk_file_write(file, disk_file_size(file), record, sizeof record);
	disk_file_lose_power(file, machine.ground.faults, &loss);
	ok(loss.unsure <= 2 && loss.size_before == 20001 * sizeof record, "of 6 MB one record is unsure");
	ok(loss.size_after >= 20000 * sizeof record, "and the rest is there");
	disk_file_drop(file);
	machine_destroy(&machine);
}

static void limits(void)
{
	struct disk_file *file = disk_file_create(false);
	is_int(disk_file_write(file, DISK_FILE_MAX, "x", 1), -EFBIG, "a write behind the largest file");
	is_int(disk_file_resize(file, DISK_FILE_MAX + 1), -EFBIG, "a file that would be too large");
	is_int(disk_file_size(file), 0, "neither changes it");
	is_int(disk_file_write(file, 5, NULL, 0), 0, "an empty write does nothing");
	is_int(disk_file_size(file), 0, "at all");
	disk_file_drop(file);
	disk_file_drop(NULL);
}

int main(void)
{
	at_random();
	long_file();
	limits();
	return tap_done();
}
