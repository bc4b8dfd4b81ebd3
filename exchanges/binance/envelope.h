/* Messages of the WebSocket API by their parts: what an answer or an event is wrapped in, refusals, rate limits; and
 * how their values are read. Everything returns SCAN_OK or a SCAN_ code. Pure, no allocation. [hot] */
#ifndef TRIGATE_EXCHANGES_BINANCE_ENVELOPE_H
#define TRIGATE_EXCHANGES_BINANCE_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/amount.h>

#include "exchanges/binance/scan.h"

#define ENVELOPE_MS_MAX INT64_C(7258118400000) /* the year 2200: times beyond are nonsense, and would not fit in ns */

/* Walking through an object or a list: *begun is false before the first. 1: a key (or an element) is next and, for an
 * object, its colon is behind; 0: it is over; or a SCAN_ code. */
int object_next(struct scan *scan, bool *begun, struct scan_string *ret_key);
int list_next(struct scan *scan, bool *begun);
bool key_is(const struct scan_string *key, const char *name);

/* Values. Text points into the message, where escapes are undone in place: read it once. Numbers are not negative. */
int text_read(struct scan *scan, struct tg_str *ret_text);
int text_or_null_read(struct scan *scan, struct tg_str *ret_text); /* "" for all that is no text */
int decimal_read(struct scan *scan, struct tg_decimal *ret_value);
int amount_read(struct scan *scan, tg_amount *ret_value);
int time_read(struct scan *scan, int64_t *ret_ms);       /* unix time in milliseconds */
int span_read(struct scan *scan, struct scan *ret_span); /* where any value stands; it is skipped */
bool text_is(struct tg_str text, const char *name);

/* One message: an answer ("id", "status", and "result" or "error") or an event. Parts that it lacks have at == NULL. */
struct envelope {
	bool has_id;
	uint64_t id;
	int64_t status;
	struct scan result;
	struct scan error;
	struct scan limits;
	struct scan event;
};
int envelope_read(uint8_t *bytes, uint64_t count, struct envelope *ret_envelope);

/* {"code":..,"msg":..,"data":{"serverTime":..,"retryAfter":..}} */
struct refusal {
	int64_t code;
	struct tg_str text;
	int64_t retry_ms; /* 0: it does not say */
};
int refusal_read(struct scan scan, struct refusal *ret_refusal);

/* An element of rateLimits: RATE_ kind (0: another), its interval and what of it is used. */
struct limit_told {
	int32_t kind;
	int64_t interval_ns;
	int64_t used;
};
int limit_read(struct scan *scan, struct limit_told *ret_limit);

/* A time that is a member of an object; SCAN_MISSING. */
int time_member(struct scan scan, const char *name, int64_t *ret_ms);

#endif
