/* Inside the observer: what its files share. observer.c the front and what is judged at once on the way out of a
 * gateway; account.c the ledgers; exposure.c how many cycles were open; conduct.c how they were gone about; evidence.c
 * journal against ledgers; figures.c cycles' sums; agree.c store against journal. Owner: one observer. */
#ifndef TRIGATE_SIMULATION_OBSERVER_STATE_H
#define TRIGATE_SIMULATION_OBSERVER_STATE_H

#include "core/trade/model.h"
#include "simulation/ledger_line.h"
#include "simulation/observer.h"
#include "simulation/seen.h"

/* What a venue's account has of a currency. */
struct account_currency {
	tg_amount due;     /* deposits - spent + received - fees */
	tg_amount balance; /* free + locked, as last told */
	tg_amount most;    /* the highest balance so far */
};

/* A venue's ledger, folded. */
struct account {
	uint64_t seq;                      /* of the last line */
	struct account_currency *currency; /* by name */
	uint32_t currency_room;
	uint32_t *order; /* by the venue's number - 1: what was seen of it; SEEN_NONE: not one of ours */
	uint32_t orders, order_room;
};

/* What fills say about a market. Base and quote are names; SEEN_NONE: not known yet. */
struct market_seen {
	uint32_t base, quote;
};

/* What a gateway was told of a market. */
struct told {
	bool is_market; /* of the names some are currencies */
	bool halted;
	int64_t since_ns;
	int64_t booked_ns; /* when its last book came, + 1; 0: none since the gateway connected */
};

/* A market on which a cycle must not have been opened. */
struct stale {
	uint32_t gateway;
	uint32_t market;   /* name */
	int64_t opened_ns; /* the cycle, + 1 */
	int64_t age_ns;    /* of its last book; < 0: there was none */
	bool withdrawn;    /* one came at that moment */
};

struct power_loss {
	uint64_t sent;   /* orders that had left by then */
	uint64_t synced; /* position in the journal */
	bool durable;    /* no order had left before its intent was synced */
};

struct store_loss {
	uint64_t stands, furthest; /* records in between are not in the store any more */
	uint64_t first;            /* of those that the gateway still had */
};

struct watched {
	uint16_t id; /* in its client ids */
	uint64_t sent;
	struct cycle_key opened; /* the last cycle whose first order left */
	bool has_opened;
	struct told *told; /* by name */
	uint32_t told_room;
	int64_t *request_ns; /* a ring of the last requests, as many as may leave in a second */
	uint64_t requests;
	struct power_loss *power_loss;
	uint32_t power_losses, power_loss_room;
	struct store_loss *store_loss;
	uint32_t store_losses, store_loss_room;
};

struct observer {
	struct observer_options options;
	struct violation violation;
	struct observer_counts counts;
	struct seen seen;
	struct account account[VENUES_MAX];
	struct watched gateway[GATEWAYS_MAX];
	struct market_seen *market; /* by name */
	uint32_t market_room;
	struct stale *stale; /* those of a cycle one after the other */
	uint32_t stales, stale_room;
};

/* Room in an array for item `index`; new items are zeroed. False: memory ran out, which is raised. */
bool observer_room(struct observer *observer, void **items, uint32_t *room, uint32_t index, size_t size);
/* The seen order of an id that gateways could make; SEEN_NONE: not one of ours, or not of this venue, which is raised.
 * gateway: whose it must be, or SEEN_NONE. */
uint32_t observer_order(struct observer *observer, uint32_t gateway, uint32_t venue, struct tg_str client_id);
/* What a gateway was told of a market; NULL: memory ran out, which is raised. */
struct told *told_at(struct observer *observer, uint32_t gateway, const char *symbol);
/* An order left its gateway; the first one of a cycle did; a ledger accepted one. */
void conduct_sent(struct observer *observer, struct seen_order *order);
void conduct_opening(struct observer *observer, uint32_t gateway, uint32_t cycle);
void conduct_accepted(struct observer *observer, struct seen_order *order);
/* At the end of the run. */
void account_end(struct observer *observer, uint32_t venue);
/* lease: an order leaves. */
void exposure_sent(struct observer *observer, uint32_t gateway);
/* open_cycles: after every gateway's rest, which tells what a power loss took. */
void exposure_check(struct observer *observer);

/* ---- at rest */

struct rest {
	struct observer *observer;
	uint32_t gateway;
	struct model *model;
	uint64_t position;        /* of the last record */
	struct violation conduct; /* the first one that the records show */
};
static inline const struct observed_gateway *rest_config(const struct rest *rest)
{
	return &rest->observer->options.gateway[rest->gateway];
}
/* What was seen of an order of the model; NULL: nothing. */
const struct seen_order *rest_seen(const struct rest *rest, const struct order *order);

/* What a cycle's fills in the ledger come to. */
#define FIGURES_MAX (CYCLE_CURRENCIES_MAX * 2) /* more than the model can hold */
struct figures {
	struct {
		const char *currency; /* of the seen names: until the next one is added */
		tg_amount amount;
	} sum[FIGURES_MAX];
	uint32_t sums;
	tg_amount in;                    /* spent by the first leg */
	bool leg_filled[CYCLE_LEGS_MAX]; /* forward */
};
void figures_make(const struct rest *rest, const struct cycle *cycle, struct figures *ret_figures);
tg_amount figures_of(const struct figures *figures, const char *currency);
/* profit: the model's cycle against the ledger. */
void figures_check(const struct rest *rest, const struct cycle *cycle);
/* gate, alone, holding: each record when the model has it; then what came of it. */
void conduct_note(struct rest *rest, const struct journal_entry *entry);
void conduct_end(const struct rest *rest);
/* agree, and profit of the rows; slots. */
void agree_check(const struct rest *rest, struct sim_store *store);

#define AMOUNT_TEXT(amount) amount_text((amount), (char[TG_AMOUNT_TEXT_MAX]){0})
static inline const char *amount_text(tg_amount amount, char text[TG_AMOUNT_TEXT_MAX])
{
	tg_amount_format(amount, text, TG_AMOUNT_TEXT_MAX);
	return text;
}
#define KEY_TEXT(key) key_text((key), (char[CYCLE_ID_MAX]){0})
static inline const char *key_text(struct cycle_key key, char text[CYCLE_ID_MAX])
{
	cycle_key_format(key, text);
	return text;
}
#define ID_TEXT(id) id_text((id), (char[TG_CLIENT_ID_LEN + 1]){0})
static inline const char *id_text(const struct client_id *id, char text[TG_CLIENT_ID_LEN + 1])
{
	client_id_format(id, text);
	return text;
}

#endif
