/* Faults: what goes wrong in a simulated world, and when. Wherever something can go wrong the code asks
 * fault_strikes(); each call is one opportunity. By chance a fault strikes at the seed's whim, and what struck is kept
 * as a list of events; by schedule exactly the listed events strike, so that the list of a run by chance reproduces it.
 * Owner: one world. */
#ifndef TRIGATE_SIMULATION_FAULT_H
#define TRIGATE_SIMULATION_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/error.h>

/* X(NAME, text, target, rate, least, most, what). target: GATEWAY or VENUE, whose opportunities they are. rate: strikes
 * per million opportunities. least..most: range of the parameter. */
#define FAULT_TABLE(X) \
	/* a request, from a gateway to its venue; one opportunity each */ \
	X(REQUEST_LOST, "request_lost", GATEWAY, 3000, 0, 0, "a request never reaches the venue") \
	X(REQUEST_LATE, "request_late", GATEWAY, 6000, 10, 9000, \
	  "a request arrives so many ms late, behind later ones") \
	/* the answer to a request */ \
	X(REPLY_LOST, "reply_lost", GATEWAY, 5000, 0, 0, "the venue did it, its answer is lost") \
	X(REPLY_LATE, "reply_late", GATEWAY, 6000, 10, 20000, "an answer arrives so many ms late, behind later ones") \
	X(REPLY_TWICE, "reply_twice", GATEWAY, 3000, 0, 2000, "an answer comes again so many ms later") \
	X(ANSWER_429, "answer_429", GATEWAY, 2000, 100, 10000, "refused unread: ask again in so many ms") \
	X(ANSWER_418, "answer_418", GATEWAY, 300, 2000, 60000, "banned for so many ms") \
	X(ANSWER_500, "answer_500", GATEWAY, 3000, 0, 1, "an error that says nothing; 0: not done, 1: done") \
	X(ANSWER_CUT, "answer_cut", GATEWAY, 1000, 0, 1, \
	  "the venue cuts the connection instead of an answer; 0: not done, 1: done (Binance)") \
	X(FALSE_REJECT, "false_reject", GATEWAY, 2000, 1, 3000, \
	  "an order that was taken is answered as rejected, so many ms late; its events tell the truth in any order") \
	X(LOOKUP_MISSES, "lookup_misses", GATEWAY, 20000, 0, 0, \
	  "a look-up says that there is no such order, less than 2 s after it came") \
	/* an order or balance event that the venue sends by itself */ \
	X(EVENT_LOST, "event_lost", GATEWAY, 3000, 0, 0, "an event is lost") \
	X(EVENT_LATE, "event_late", GATEWAY, 6000, 10, 20000, "an event arrives so many ms late, behind later ones") \
	X(EVENT_TWICE, "event_twice", GATEWAY, 3000, 0, 2000, "an event comes again so many ms later") \
	X(FILL_AFTER_END, "fill_after_end", GATEWAY, 3000, 10, 5000, \
	  "the order's end comes first and knows nothing of its last fill, which follows n ms later; a filled order is " \
	  "called filled, cancelled or expired by n % 3") \
	X(END_AGAIN, "end_again", GATEWAY, 5000, 10, 20000, \
	  "the order's end comes again so many ms later, with all that is known by then") \
	X(FALSE_END, "false_end", GATEWAY, 5000, 0, 8999, \
	  "the order's end is first told as another, the n / 3000-th that may be; the true one n % 3000 ms later") \
	X(END_DENIED, "end_denied", GATEWAY, 5000, 0, 8999, \
	  "n % 3000 ms after the order's end another is told, the n / 3000-th that may be") \
	X(REFUSAL_DENIED, "refusal_denied", GATEWAY, 100000, 0, 3, \
	  "of an order that was refused the n-th end is told too: accepted before, filled, cancelled, expired after") \
	/* a book frame */ \
	X(BOOK_LOST, "book_lost", GATEWAY, 500, 0, 0, "a gap in a market's sequence") \
	X(BOOK_CORRUPT, "book_corrupt", GATEWAY, 300, 0, 0, "a book whose checksum is wrong") \
	/* what is written to a stream */ \
	X(FRAME_CUT, "frame_cut", GATEWAY, 3000, 1, 999, "delivered in two pieces, cut at so many thousandths") \
	X(FRAME_JOINED, "frame_joined", GATEWAY, 3000, 0, 0, "delivered together with the next one") \
	X(GARBAGE, "garbage", GATEWAY, 60, 1, 64, "so many bytes of nonsense in the stream") \
	/* an order that the venue has read */ \
	X(ORDER_REFUSED, "order_refused", VENUE, 4000, 0, 9, "refused, with the n-th reason that a venue has") \
	X(ORDER_PARTIAL, "order_partial", VENUE, 30000, 0, 999, "at most so many thousandths of it are filled") \
	X(ORDER_CANCELLED, "order_cancelled", VENUE, 250000, 0, 0, "what is left of it is cancelled, not expired") \
	/* each second of a link, of a venue, of a gateway's machine */ \
	X(LINK_CUT, "link_cut", GATEWAY, 1000, 0, 0, "the connection breaks, what is under way is lost") \
	X(LINK_HALF_OPEN, "link_half_open", GATEWAY, 300, 1000, 60000, \
	  "what the gateway sends vanishes for so many ms") \
	X(LINK_SILENT, "link_silent", GATEWAY, 300, 1000, 60000, "what the venue sends vanishes for so many ms") \
	X(LINK_REFUSED, "link_refused", GATEWAY, 50000, 0, 0, "a connection is refused; an opportunity each attempt") \
	X(MARKET_HALTED, "market_halted", VENUE, 3000, 1000, 60000, "a market is halted for so many ms") \
	X(MARKET_DELISTED, "market_delisted", VENUE, 20, 0, 0, "a market is gone for good") \
	X(FILTERS_CHANGED, "filters_changed", VENUE, 3000, 0, 2, "tick, lot or least notional of a market changes") \
	X(CLOCK_SKEW, "clock_skew", GATEWAY, 300000, -3000, 3000, \
	  "the unix clock begins off by so many ms; an opportunity each boot") \
	X(CLOCK_JUMP, "clock_jump", GATEWAY, 500, -5000, 5000, "the unix clock jumps by so many ms") \
	/* the disk of a gateway's machine: an opportunity each write and sync */ \
	X(DISK_FULL, "disk_full", GATEWAY, 20, 1000, 120000, "no space for so many ms") \
	X(DISK_FAILS, "disk_fails", GATEWAY, 20, 0, 0, "one operation fails: EIO") \
	X(DISK_WRITES_FAIL, "disk_writes_fail", GATEWAY, 10, 1000, 60000, "every write fails for so many ms: EIO") \
	X(DISK_READ_ONLY, "disk_read_only", GATEWAY, 5, 1000, 60000, "read-only for so many ms") \
	X(DISK_SLOW, "disk_slow", GATEWAY, 500, 10, 5000, "the next sync is so many ms late") \
	/* the store: an opportunity each call */ \
	X(STORE_FAILS, "store_fails", GATEWAY, 2000, 0, 0, "a call fails, nothing is done") \
	X(STORE_UNKNOWN, "store_unknown", GATEWAY, 2000, 0, 1, "the answer is lost; 0: nothing was done, 1: it was") \
	X(STORE_SLOW, "store_slow", GATEWAY, 1000, 10, 10000, "the next batch is so many ms late") \
	X(STORE_GONE, "store_gone", GATEWAY, 100, 1000, 120000, "no call succeeds for so many ms") \
	X(STORE_WENT_BACK, "store_went_back", GATEWAY, 50, 1, 60000, \
	  "the store loses what it took in the last so many ms, of all gateways; if odd, its connections, too") \
	/* the process: an opportunity before each write, sync and send of it */ \
	X(KILL, "kill", GATEWAY, 150, 0, 1000, "the process is killed; of a write so many thousandths are done") \
	X(POWER_LOSS, "power_loss", GATEWAY, 30, 0, 1000, "as kill, and what was not synced goes, in any subset")

enum fault_target { FAULT_TARGET_GATEWAY, FAULT_TARGET_VENUE };
#define FAULT_CONST(name, text, target, rate, least, most, what) FAULT_##name,
enum fault_kind { FAULT_TABLE(FAULT_CONST) FAULT_KINDS };
#undef FAULT_CONST

struct fault_info {
	const char *name;
	enum fault_target target;
	int64_t rate_e6;
	int64_t least, most;
	const char *what;
};
extern const struct fault_info fault_info[FAULT_KINDS];
/* FAULT_KINDS if there is none of that name. */
enum fault_kind fault_find(const char *name);

/* Strikes per million opportunities, by kind. */
struct fault_rates {
	int64_t rate_e6[FAULT_KINDS];
};
/* The table's. */
void fault_rates_default(struct fault_rates *ret_rates);
/* Apply a text such as "none,kill=0.001,link_cut=x10": from left to right; "none" all zero, "all=x2" or NAME=x2 times
 * what it is, NAME=0.01 a probability per opportunity. TG_ERR_INVALID with what is wrong and what is allowed. */
int fault_rates_parse(const char *text, struct fault_rates *rates, struct tg_error *ret_error);

/* One fault that struck, or is to strike: the skip-th opportunity (from 0) of this kind and target at or after at_ns.
 */
struct fault_event {
	enum fault_kind kind;
	uint32_t target; /* index of the gateway or venue */
	int64_t at_ns;   /* since the world began */
	uint32_t skip;
	int64_t arg;
};

struct loop;
struct faults;
/* By chance: rates, events NULL. By schedule: events (borrowed, in any order), rates NULL. time: the world's. */
int faults_create(const struct loop *time, uint64_t seed, const struct fault_rates *rates,
		  const struct fault_event *events, uint32_t event_count, struct faults **ret_faults);
void faults_destroy(struct faults *faults);

/* Does it strike now? *ret_arg (may be NULL) is its parameter; untouched if not. */
bool fault_strikes(struct faults *faults, enum fault_kind kind, uint32_t target, int64_t *ret_arg);
/* From now on nothing strikes: the world comes to rest. By schedule alone kills and losses of power still do, for the
 * way to the end has writes, syncs and sends, too. */
void faults_calm(struct faults *faults);
/* What lasts for a while (a full disk, a store that is gone) ends then, too. */
bool faults_are_calm(const struct faults *faults);
/* A number of the world's own, for what is random but no fault (latencies, what survives a power loss). */
uint64_t faults_random(struct faults *faults);
/* What struck so far, in order. Borrowed until the next strike. */
const struct fault_event *faults_struck(const struct faults *faults, uint32_t *ret_count);

#endif
