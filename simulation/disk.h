/* A simulated disk: files in memory behind core/io/disk.h, with a page cache that a power loss empties. What was
 * written is seen at once, what was synced is there for good; of the rest a power loss keeps any subset, of writes as
 * of names. Owner: one machine; it outlives the lives of the process. */
#ifndef TRIGATE_SIMULATION_DISK_H
#define TRIGATE_SIMULATION_DISK_H

#include "core/io/disk.h"
#include "simulation/life.h"

struct sim_disk;

int sim_disk_create(struct ground *ground, uint32_t gateway, struct sim_disk **ret_disk);
void sim_disk_destroy(struct sim_disk *disk);
/* The disk as a life of the process sees it; faults and kills strike here. Its handles and locks are the life's. */
const struct disk *sim_disk_of_life(struct sim_disk *disk, struct life *life);
/* The disk as an observer sees it: no fault strikes, nothing can be changed. */
const struct disk *sim_disk_outside(struct sim_disk *disk);
/* The process is gone: its handles and locks too; after a power loss also what was not synced. */
void sim_disk_life_ended(struct sim_disk *disk, bool power_lost);
/* Wait that the next sync should cause, and forget it: what DISK_SLOW asked for. */
int64_t sim_disk_take_delay_ns(struct sim_disk *disk);
/* How many bytes of a file are synced for good; 0: none, or no such file. */
uint64_t sim_disk_synced(struct sim_disk *disk, const char *path);

#endif
