/* One run: a world from its beginning to its rest, and what came of it. */
#ifndef TRIGATE_SIMULATION_RUN_H
#define TRIGATE_SIMULATION_RUN_H

#include "simulation/coverage.h"
#include "simulation/fault.h"
#include "simulation/ground.h"
#include "simulation/observer.h"
#include "simulation/trace.h"

/* A user's own configuration; its exchange is replaced by a simulated venue, its storage by a simulated store. NULL
 * members: made up from the seed. */
struct run_config_files {
	const char *gateway;  /* path */
	const char *strategy; /* path; NULL: the one that the gateway file names */
};

/* What venues speak. X(NAME, text) */
#define RUN_PROTOCOL_TABLE(X) \
	X(OWN, "own")         /* a protocol of the simulator's own: wire.h, connector.h */ \
	X(BINANCE, "binance") /* Binance's: venue/binance and exchanges/binance */ \
	X(MIXED, "mixed")     /* one or the other, as the seed says */
#define RUN_PROTOCOL_CONST(name, text) RUN_##name,
enum run_protocol { RUN_PROTOCOL_TABLE(RUN_PROTOCOL_CONST) RUN_PROTOCOLS };
#undef RUN_PROTOCOL_CONST
const char *run_protocol_name(enum run_protocol protocol);
/* RUN_PROTOCOLS if there is none of that name. */
enum run_protocol run_protocol_find(const char *name);

struct run_options {
	uint64_t seed;
	struct fault_rates rates;         /* by chance */
	const struct fault_event *events; /* by schedule, if events is not NULL; borrowed */
	uint32_t event_count;
	int64_t duration_ms; /* 0: as the seed says */
	uint32_t gateways;   /* 0: as the seed says; 1..GATEWAYS_MAX */
	uint32_t markets;    /* 0: as the seed says */
	enum run_protocol protocol;
	struct run_config_files files;
	size_t trace_bytes; /* kept of the trace */
};

struct run_counts {
	uint64_t orders, rejected, fills, cycles, completed, failed;
	uint64_t starts, kills, power_losses;
	uint64_t books;                    /* that Binance's connector told, and that were held against the venue's */
	uint64_t operations[GATEWAYS_MAX]; /* writes, syncs and sends: points at which a kill can strike */
	uint64_t faults[FAULT_KINDS];
	int64_t virtual_ns;
};

struct run_result {
	struct violation violation; /* check empty: all is well */
	uint64_t digest;            /* of the trace */
	struct run_counts counts;
	struct coverage coverage;
	/* what struck; malloc'ed, the caller's to free */
	struct fault_event *struck;
	uint32_t struck_count;
	/* malloc'ed text of the trace, NULL if none was kept */
	char *trace;
};

/* 0, or an error that is not the gateway's fault (bad files, no memory) with a message. Loads plugins (the router's) on
 * the first call; after that no run makes a system call, memory aside. */
int run_world(const struct run_options *options, struct run_result *ret_result, struct tg_error *ret_error);
void run_result_clear(struct run_result *result);

/* Of all gateways together. */
static inline uint64_t run_operations(const struct run_counts *counts)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < GATEWAYS_MAX; i++)
		sum += counts->operations[i];
	return sum;
}

#endif
