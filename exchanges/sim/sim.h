/* The connector to the venue that lives in the same process: private to this folder. Owner: one instance, on the host's
 * loop thread.
 *
 *   order_place -> inbox (latency) -> venue -> ledger -> outbox (latency) -> events of the host
 */
#ifndef TRIGATE_EXCHANGES_SIM_SIM_H
#define TRIGATE_EXCHANGES_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include <trigate/error.h>
#include <trigate/exchange.h>

#include "venue/random.h"
#include "venue/venue.h"

#define SIM_REQUESTS_MAX 1024  /* on their way to the venue at once; more is refused as a rate limit */
#define SIM_EXCHANGE_ID_MAX 24 /* with NUL; the venue's have at most 11 */
#define SIM_DEPOSITS_MAX 256   /* currencies in `balances` */

struct settings {
	struct venue_options venue; /* its texts point into the copies below */
	char ledger[4096];
	char csv[4096];
	char fee_currency[VENUE_CURRENCY_MAX];
	char currency[SIM_DEPOSITS_MAX][VENUE_CURRENCY_MAX];
	struct venue_deposit deposit[SIM_DEPOSITS_MAX];
	int64_t latency_ns; /* each way */
	int64_t jitter_ns;  /* 0 to this much more */
	int64_t step_ns;
	int64_t steps; /* 0: endless */
};

/* Read and check the configuration; a missing key has its default. */
int32_t settings_read(const struct tg_config *config, struct settings *ret_settings, struct tg_error *ret_error);

/* ------------------------------------------------------------------ inbox */

enum request_kind { REQUEST_PLACE, REQUEST_CANCEL, REQUEST_QUERY, REQUEST_LIST, REQUEST_BALANCES };

/* A call of the host on its way to the venue. */
struct request {
	struct sim *sim;
	struct request *next_free;
	uint64_t timer; /* 0: not in use */
	enum request_kind kind;
	uint32_t market;
	int32_t side;
	int32_t time_in_force;
	struct tg_decimal price;
	struct tg_decimal qty;
	uint64_t token;
	int64_t sent_ns; /* unix; since_ns for REQUEST_LIST */
	bool *listed;    /* by market, of REQUEST_LIST; else NULL */
	int64_t valid_ns;
	uint32_t client_id_len;
	uint32_t exchange_id_len;
	char client_id[VENUE_CLIENT_ID_MAX];
	char exchange_id[SIM_EXCHANGE_ID_MAX];
};

/* ----------------------------------------------------------------- outbox */

enum packet_kind {
	PACKET_LINK,
	PACKET_CATALOGUE,
	PACKET_INSTRUMENT,
	PACKET_ORDER,
	PACKET_ABSENT,
	PACKET_BALANCE,
	PACKET_BOOK,
	PACKET_DONE
};

/* A book as it was when it left the venue. */
struct snapshot {
	struct snapshot *next_free;
	uint32_t market;
	uint32_t version;
	uint64_t sequence;
	int64_t exchange_ns;
	uint32_t bid_count;
	uint32_t ask_count;
	struct tg_level bids[VENUE_LEVELS_MAX];
	struct tg_level asks[VENUE_LEVELS_MAX];
};

/* The filters of a market as they were when they left the venue. */
struct filters {
	uint32_t market;
	uint32_t version;
	int32_t status;
	int64_t tick;
	int64_t lot;
	tg_amount min_notional;
};

/* An event of the venue on its way to the host. */
struct packet {
	int64_t due_ns; /* mono */
	enum packet_kind kind;
	int32_t status; /* of DONE; TG_LINK_ of LINK */
	uint64_t token;
	enum reason reason; /* of DONE */
	union {
		struct venue_event event;  /* ORDER, BALANCE */
		struct filters filters;    /* INSTRUMENT */
		struct snapshot *snapshot; /* BOOK */
		struct {
			uint32_t market;
			char client_id[VENUE_CLIENT_ID_MAX];
			char exchange_id[SIM_EXCHANGE_ID_MAX];
		} absent;
	};
};

struct outbox {
	struct packet *packet; /* ring */
	uint32_t capacity;     /* a power of two */
	uint32_t head;
	uint32_t count;
	int64_t last_due_ns; /* what leaves later does not arrive sooner */
	uint64_t timer;      /* 0: none */
	struct snapshot *free_snapshot;
};

/* ---------------------------------------------------------------- instance */

enum sim_state { SIM_CREATED, SIM_RUNNING, SIM_DOWN, SIM_STOPPED };

struct sim {
	const struct tg_host *host;
	const struct tg_exchange_events *events;
	const struct tg_ext_clock *clock;
	const struct tg_ext_timer *timer;
	struct settings settings;
	struct venue *venue; /* from start on */
	enum sim_state state;
	struct request request[SIM_REQUESTS_MAX];
	struct request *free_request;
	struct outbox outbox;
	struct random inward; /* jitter of each way, a stream of its own */
	struct random outward;
	uint64_t step_timer;
	uint64_t flush_timer;
	int64_t next_step_ns; /* mono */
	int64_t steps_done;
	bool end_told; /* END_OF_DATA is on its way or there */
	uint32_t subscribed_count;
	bool *subscribed;                /* by market */
	bool *wanted;                    /* by market: subscribed now, its first book is still to be sent */
	uint32_t *told_version;          /* by market: what the host has heard of; 0: nothing */
	uint64_t *sequence;              /* by market: of the last book sent */
	uint32_t *changed;               /* scratch, one entry a market */
	struct tg_instrument *catalogue; /* scratch, one entry a market */
};

int64_t sim_mono_ns(const struct sim *sim);
int64_t sim_unix_ns(const struct sim *sim);
/* Take what the venue has raised and what changed in its books into the outbox. done (may be NULL) follows the first
 * event of an order, or comes last when there is none. */
void sim_collect(struct sim *sim, const struct packet *done);
/* The venue broke: nothing works any more, and the host is told. */
void sim_fail(struct sim *sim);
void books_flush(struct sim *sim);

void inbox_init(struct sim *sim);
void inbox_stop(struct sim *sim);
int32_t inbox_place(struct sim *sim, const struct tg_order_request *request, struct tg_error *ret_error);
int32_t inbox_ask(struct sim *sim, enum request_kind kind, const struct tg_order_ref *ref, struct tg_error *ret_error);
int32_t inbox_list(struct sim *sim, const uint32_t *markets, uint32_t market_count, int64_t since_ns, uint64_t token,
		   struct tg_error *ret_error);
int32_t inbox_balances(struct sim *sim, uint64_t token, struct tg_error *ret_error);

void outbox_push(struct sim *sim, const struct packet *packet);
void outbox_push_book(struct sim *sim, uint32_t market);
void outbox_stop(struct sim *sim);
void outbox_finish(struct sim *sim);

/* Hand one packet to the host (deliver.c). */
void packet_deliver(struct sim *sim, const struct packet *packet);

#endif
