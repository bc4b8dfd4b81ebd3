/* How long to wait before what failed is tried again: twice as long each time, within bounds. Pure; any thread. */
#ifndef TRIGATE_CORE_STATE_BACKOFF_H
#define TRIGATE_CORE_STATE_BACKOFF_H

#include <stdint.h>

/* After a wait of backoff_ns; 0: it has failed for the first time. */
static inline int64_t backoff_next(int64_t backoff_ns, int64_t first_ns, int64_t last_ns)
{
	int64_t next_ns = backoff_ns * 2 > first_ns ? backoff_ns * 2 : first_ns;
	return next_ns < last_ns ? next_ns : last_ns;
}

#endif
