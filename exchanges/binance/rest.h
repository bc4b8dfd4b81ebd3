/* Requests to the REST API: all are GETs that change nothing. The budget is asked before each, what the answer says of
 * limits goes back to it, and refusals become the SDK's classes. Owner: the connector; thread: the loop's. */
#ifndef TRIGATE_EXCHANGES_BINANCE_REST_H
#define TRIGATE_EXCHANGES_BINANCE_REST_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/net.h>

#include "exchanges/binance/bounds.h"
#include "exchanges/binance/budget.h"
#include "exchanges/binance/credential.h"
#include "exchanges/binance/server_time.h"

struct rest_answer {
	int32_t status; /* TG_OK, or what failure_classify makes of it; TG_ERR_IO: there was no answer */
	int32_t http_status;
	uint64_t tag;
	struct tg_str body;
	int64_t sent_ns; /* mono */
	int64_t received_ns;
	const struct tg_error *error; /* NULL with TG_OK; retry_after_ns while the exchange wants no requests */
};

typedef void (*rest_done_fn)(void *ctx, const struct rest_answer *answer);

struct rest_ask {
	const char *path;   /* "/api/v3/time" */
	const char *params; /* "a=b&c=d", percent-encoded; "": none */
	bool is_signed;
	int64_t weight;
	int64_t timeout_ms;
	uint64_t tag; /* comes back */
	rest_done_fn done;
	void *ctx;
};

struct rest;

/* One request on its way. */
struct rest_call {
	struct rest *rest;
	uint64_t id; /* the host's; 0: free */
	uint64_t tag;
	int64_t sent_ns;
	rest_done_fn done;
	void *ctx;
};

struct rest {
	const struct tg_host *host; /* all of these outlive it */
	const struct tg_ext_http *http;
	const struct tg_ext_clock *clock;
	const struct credential *credential; /* NULL: nothing can be signed */
	const struct server_time *time;
	struct budget *budget;
	const char *base_url;
	int64_t recv_window_ms;
	struct rest_call call[REST_CALLS_MAX];
};

/* Ask. TG_OK: done() comes once, later. TG_ERR_RATE_LIMITED (ret_error->retry_after_ns), TG_ERR_LIMIT (too many are
 * under way) or what the host says: nothing was sent. [io] */
int32_t rest_get(struct rest *rest, const struct rest_ask *ask, struct tg_error *ret_error);
/* No answer comes any more. [io] */
void rest_stop(struct rest *rest);

/* Percent-encode a value behind what is in text ("symbol="). False if there is no room. */
bool rest_encode(char *text, size_t room, struct tg_str value);

#endif
