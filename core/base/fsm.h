/* State machines as data: a const table [state][event] of next states, printed by a command and tested for every pair.
 * Pure; any thread. */
#ifndef TRIGATE_CORE_BASE_FSM_H
#define TRIGATE_CORE_BASE_FSM_H

#include <stdbool.h>
#include <stdint.h>

#define FSM_ILLEGAL UINT8_MAX

struct fsm {
	const char *name;
	uint8_t state_count;
	uint8_t event_count;
	const char *const *state; /* names */
	const char *const *event;
	const uint8_t *next; /* [state * event_count + event], FSM_ILLEGAL where the event must not happen */
	uint64_t final;      /* bit per state */
};

static inline uint8_t fsm_next(const struct fsm *fsm, uint8_t state, uint8_t event)
{
	return fsm->next[state * fsm->event_count + event];
}

static inline bool fsm_is_final(const struct fsm *fsm, uint8_t state)
{
	return fsm->final >> state & 1;
}

#endif
