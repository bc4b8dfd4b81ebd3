/* The exchange's clock as seen from ours: offset, with what it may be off by, and drift between two readings. Pure but
 * for its own state. Owner: the connector; thread: the loop's. */
#ifndef TRIGATE_EXCHANGES_BINANCE_SERVER_TIME_H
#define TRIGATE_EXCHANGES_BINANCE_SERVER_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* One reading: the exchange's unix time minus our mono time, which is right to within error_ns, at mono_ns. */
struct server_reading {
	int64_t mono_ns;
	int64_t offset_ns;
	int64_t error_ns; /* half the round trip, and half the millisecond that is told */
};

struct server_time {
	bool known;
	struct server_reading last;  /* in use */
	struct server_reading first; /* that drift is counted from */
	int64_t drift_ppb;           /* how much faster theirs runs, from readings far enough apart; 0: unknown */
};

/* One reading: a request sent and its answer received at these mono times, in which the exchange said unix_ns, a whole
 * millisecond. A better (shorter) or a much later reading replaces what is known; a jump of theirs is taken over at
 * once. Returns whether it was one. [io] */
bool server_time_read(struct server_time *time, int64_t sent_mono_ns, int64_t received_mono_ns, int64_t unix_ns);
/* The exchange's unix time now: 0 unless known. [hot] */
int64_t server_time_unix_ns(const struct server_time *time, int64_t mono_ns);
/* What that may be off by, either way: grows with the reading's age. [hot] */
int64_t server_time_error_ns(const struct server_time *time, int64_t mono_ns);
/* -1021 came, or our own clocks jumped: nothing is known until the next reading. [io] */
void server_time_doubt(struct server_time *time);

#endif
