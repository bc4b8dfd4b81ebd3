/* A gateway's machine and the process on it: a disk and a clock that outlive the process, and the gateway itself, which
 * is started, driven, killed and started again as a supervisor would. Owner: one world. */
#ifndef TRIGATE_SIMULATION_PROCESS_H
#define TRIGATE_SIMULATION_PROCESS_H

#include "core/gateway.h"
#include "simulation/coverage.h"
#include "simulation/disk.h"
#include "simulation/life.h"
#include "simulation/net.h"
#include "simulation/network.h"
#include "simulation/observer.h"
#include "simulation/signing.h"
#include "simulation/store.h"
#include "simulation/watch.h"
#include "simulation/workers.h"

struct process_options {
	struct ground *ground;
	struct network *network;
	struct sim_store *store;
	struct observer *observer;
	struct coverage *coverage;
	struct registry *registry;
	const struct gateway_config *config; /* its exchange and storage are the simulated ones */
	const struct strategy_config *strategy;
	uint32_t gateway; /* index */
	uint32_t venue;   /* that it trades on */
	uint64_t seed;
	bool durable;                  /* it trades with durability: power */
	const struct made_key *key;    /* NULL: it has none */
	const struct net_tap *net_tap; /* NULL: nobody listens in on its wire */
	struct books *books;           /* NULL: what its connector tells is not judged */
	uint32_t streamed;             /* levels a side that its streams tell; 0: all */
};

struct process {
	struct process_options options;
	char who[8]; /* in the trace */
	struct outside outside;
	struct life life;
	struct sim_disk *disk;
	struct sim_workers *workers;
	struct keys *keys; /* NULL: none */
	struct net *net;   /* of this life */
	struct watched watched;
	struct gateway *gateway; /* NULL: not running */
	uint64_t began;          /* where its journal stood at this start */
	int64_t mono_skew_ns;    /* its clock minus the world's: another one after each boot */
	int64_t unix_skew_ns;    /* its clock minus the true one */
	uint64_t wake_timer;     /* of the world's time, for the loop's next deadline */
	int64_t wake_ns;         /* that deadline, by the machine's clock */
	uint64_t next_timer;     /* its start, or its being taken away */
	uint64_t deadline_timer; /* for the end that it was told to come to */
	bool booted;             /* its machine is up: the clocks are set */
	bool entered;            /* its code runs */
	bool leaving;            /* it has ended or died, and is taken away in a moment */
	bool ending;             /* told to end; stays down afterwards */
	bool resting;            /* ended as told */
	uint32_t failed_starts;  /* in a row */
	char failure[240];       /* the last one; empty: none yet */
	uint64_t kills, power_losses, operations;
};

/* What a lent extension's function is called for. */
static inline struct process *process_of(const struct tg_host *host)
{
	return extensions_outside(host);
}

int process_create(const struct process_options *options, struct process **ret_process);
void process_destroy(struct process *process);
/* Start the gateway now; a failure is tried again later, as a supervisor does. */
void process_start(struct process *process);
/* A pass of its loop now: fn(ctx) first, if not NULL. Nothing if it does not live. What ends in it is taken away before
 * time goes on, but not from inside this call. */
void process_enter(struct process *process, void (*fn)(void *ctx), void *ctx);
/* Tell it to end, as SIGTERM does; a process that dies before it has ended is started again. */
void process_end(struct process *process);
/* Each second of the world: the machine's faults. */
void process_second(struct process *process);

#endif
