/* Compares a state machine with rows written by hand from its diagram: "state: event>next event>next ...". What is not
 * named is illegal. Owner: the tests of the two machines. */
#ifndef TRIGATE_TESTS_TRADE_FSM_CHECK_H
#define TRIGATE_TESTS_TRADE_FSM_CHECK_H

#include "core/base/fsm.h"
#include "tests/tap.h"

static uint8_t fsm_named(const char *const *names, uint8_t count, const char *name)
{
	for (uint8_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	printf("# no such name: %s\n", name);
	abort();
}

/* Mark what the row says in `want`. */
static uint8_t fsm_row(const struct fsm *fsm, const char *row, uint8_t *want)
{
	char text[400], *rest = NULL;
	snprintf(text, sizeof text, "%s", row);
	uint8_t state = fsm_named(fsm->state, fsm->state_count, strtok_r(text, ":", &rest));
	for (char *pair = strtok_r(NULL, ",", &rest); pair; pair = strtok_r(NULL, ",", &rest)) {
		char *next = strchr(pair, '>');
		*next++ = '\0';
		while (*pair == ' ')
			pair++;
		want[state * fsm->event_count + fsm_named(fsm->event, fsm->event_count, pair)] =
			fsm_named(fsm->state, fsm->state_count, next);
	}
	return state;
}

static void fsm_compare(const struct fsm *fsm, const char *const *rows, const char *finals)
{
	uint8_t want[400];
	uint32_t wrong = 0, seen = 0;
	memset(want, FSM_ILLEGAL, sizeof want);
	for (uint8_t i = 0; rows[i]; i++)
		seen |= UINT32_C(1) << fsm_row(fsm, rows[i], want);
	is_int(seen, (UINT32_C(1) << fsm->state_count) - 1, "%s: the rows name every state", fsm->name);
	for (uint8_t s = 0; s < fsm->state_count; s++)
		for (uint8_t e = 0; e < fsm->event_count; e++)
			if (fsm_next(fsm, s, e) != want[s * fsm->event_count + e]) {
				printf("# %s: %s + %s\n", fsm->name, fsm->state[s], fsm->event[e]);
				wrong++;
			}
	is_int(wrong, 0, "%s: %d x %d moves are as written here", fsm->name, fsm->state_count, fsm->event_count);
	for (uint8_t s = 0; s < fsm->state_count; s++) {
		char name[40];
		snprintf(name, sizeof name, " %s ", fsm->state[s]);
		ok(fsm_is_final(fsm, s) == (strstr(finals, name) != NULL), "%s: %s is %sfinal", fsm->name,
		   fsm->state[s], fsm_is_final(fsm, s) ? "" : "not ");
	}
}

#endif
