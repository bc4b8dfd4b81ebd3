/* The door, the market's steps, and how it begins and ends. */
#include "simulation/binance_server_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/ledger_line.h"

#define IDLE_NS (60 * TG_E9) /* one that is no WebSocket and says nothing for so long is dropped */
#define TICK_MS 100          /* as often as venue/binance wants it */
/* Shorter than Binance's, so that a gateway that was banned in a short world can still be seen to come back. */
#define BAN_MS 5000
#define BAN_MOST_MS 60000

void binance_server_fail(struct binance_server *server, const char *why)
{
	if (server->failed)
		return;
	server->failed = true;
	server_tell(server, "the world ends: %s", why);
	if (server->options.observer)
		observer_raise(server->options.observer, "world", "%s: %s", server->who, why);
}

void changes_note(struct binance_server *server)
{
	if (server->options.changed)
		server->options.changed(server->options.changed_ctx);
}

/* ------------------------------------------------------------------- peers */

struct peer *peer_find(const struct binance_server *server, uint64_t id)
{
	struct peer *peer = server->peers;
	while (peer && peer->id != id)
		peer = peer->next;
	return peer;
}

void peer_close(struct peer *peer)
{
	if (peer->stream)
		stream_close_venue(peer->stream);
	peer->stream = NULL;
	peer_leave(peer);
}

void peer_leave(struct peer *peer)
{
	bool is_known = peer->state == PEER_MARKET || peer->state == PEER_API;
	if (peer->stream || peer->late > 0 || peer->forgotten || !is_known)
		return;
	peer->forgotten = true;
	binance_disconnected(peer->server->binance, peer->id);
}

static void on_opened(void *ctx)
{
	(void)ctx; /* it is the client who speaks first */
}

static void on_data(void *ctx, const uint8_t *bytes, size_t count)
{
	struct peer *peer = ctx;
	struct binance_server *server = peer->server;
	struct net_frame frame;
	int got = 0;
	peer->heard_ns = ground_ns(server->options.ground);
	while (peer->stream && (got = net_reader_take(&peer->reader, &bytes, &count, &frame)) > 0)
		ask_arrive(peer, frame.kind, frame.bytes, frame.count);
	if (got < 0) {
		server_tell(server, "g%u talks nonsense: %s", peer->gateway, peer->reader.error);
		peer_close(peer);
	}
}

static void on_closed(void *ctx)
{
	struct peer *peer = ctx;
	peer->stream = NULL;
	peer_leave(peer);
}

static void on_accept(void *ctx, uint32_t gateway, struct stream *stream, struct stream_events *ret_events)
{
	struct binance_server *server = ctx;
	struct peer **place = &server->peers, *peer = calloc(1, sizeof *peer);
	assert(gateway < GATEWAYS_MAX);
	if (!peer)
		abort(); /* a stream without an owner: there is no way on */
	*peer = (struct peer){.server = server,
			      .id = ++server->peer_last,
			      .stream = stream,
			      .gateway = gateway,
			      .heard_ns = ground_ns(server->options.ground)};
	while (*place)
		place = &(*place)->next;
	*place = peer;
	*ret_events = (struct stream_events){peer, on_opened, on_data, on_closed};
}

static void peer_free(struct peer *peer)
{
	net_reader_finish(&peer->reader);
	free(peer);
}

/* Peers are taken away here alone, so that nobody loses one that he holds. */
static void peers_sweep(struct binance_server *server)
{
	int64_t now = ground_ns(server->options.ground);
	for (struct peer **at = &server->peers; *at;) {
		struct peer *peer = *at;
		bool is_socket = peer->state == PEER_MARKET || peer->state == PEER_API;
		if (peer->stream && !is_socket && now - peer->heard_ns >= IDLE_NS)
			peer_close(peer);
		if (peer->stream || peer->late > 0) {
			at = &peer->next;
			continue;
		}
		*at = peer->next;
		peer_free(peer);
	}
}

/* -------------------------------------------------------------------- time */

static void timer_arm(struct binance_server *server, uint64_t *id, int64_t delay_ms, loop_fn fn)
{
	*id = 0;
	if (loop_timer_start(server->options.ground->time, delay_ms * MS_NS, fn, server, id) != TG_OK)
		binance_server_fail(server, "no timer is left");
}

static void on_step(void *ctx)
{
	struct binance_server *server = ctx;
	timer_arm(server, &server->step_timer, server->options.options.step_ms, on_step);
	if (server->failed)
		return;
	if (binance_step(server->binance, server_unix_ns(server)) != TG_OK)
		binance_server_fail(server, "the venue is out of memory");
	changes_note(server);
}

static void on_tick(void *ctx)
{
	struct binance_server *server = ctx;
	timer_arm(server, &server->tick_timer, TICK_MS, on_tick);
	if (server->failed)
		return;
	peers_sweep(server);
	binance_tick(server->binance, server_unix_ns(server));
}

void binance_server_second(struct binance_server *server)
{
	if (!server->failed)
		market_faults_second(&server->market_faults);
}

static void on_market_changed(void *ctx)
{
	struct binance_server *server = ctx;
	binance_notice(server->binance, server_unix_ns(server));
	changes_note(server);
}

static void on_market_failure(void *ctx, const char *why)
{
	binance_server_fail(ctx, why);
}

/* ------------------------------------------------------------------ ledger */

/* What happens to orders is told by the ledger. */
static void line_tell(const struct binance_server *server, struct tg_str text)
{
	struct ledger_line line;
	if (!ledger_line_begin(text, &line) ||
	    !(ledger_text_is(line.kind, "order") || ledger_text_is(line.kind, "fill") ||
	      ledger_text_is(line.kind, "end") || ledger_text_is(line.kind, "market")))
		return;
	server_tell(server, "ledger: %.*s %.*s", (int)line.kind.len, line.kind.ptr, (int)(line.end - line.at - 1),
		    line.at + 1);
}

static void on_ledger(void *ctx, const char *lines, size_t size)
{
	const struct binance_server *server = ctx;
	for (size_t at = 0; at < size;) {
		const char *end = memchr(lines + at, '\n', size - at);
		size_t length = end ? (size_t)(end - lines) - at : size - at;
		line_tell(server, (struct tg_str){lines + at, length});
		at += length + 1;
	}
	if (server->options.observer)
		observer_ledger(server->options.observer, server->options.venue, lines, size);
}

/* ------------------------------------------------------------- begin, end */

static void on_order(void *ctx, struct venue_request *order)
{
	struct binance_server *server = ctx;
	server_tell(server, "order %.*s of g%u", (int)order->client_id.len, order->client_id.ptr, server->asking);
	order_whims_ask(&server->whims, order);
}

static int32_t keys_take(const struct binance_server_options *options, struct keys *keys, struct tg_error *ret_error)
{
	int32_t status = TG_OK;
	for (uint32_t i = 0; i < options->key_count && status == TG_OK; i++) {
		const struct made_key *key = &options->key[i];
		struct tg_str id = {key->id, strlen(key->id)}, known = {key->known, strlen(key->known)};
		status = keys_add(keys, id, key->ed25519 ? KEY_ED25519 : KEY_HMAC, known, ret_error);
	}
	return status;
}

static int32_t binance_begin(struct binance_server *server, struct tg_error *ret_error)
{
	struct binance_options options = binance_options_default();
	options.sink = replies_sink;
	options.sink.ctx = server;
	options.whim = (struct binance_whim){server, on_order};
	options.fee_currency = server->options.options.fee_currency;
	options.limits.ban_ms = BAN_MS;
	options.limits.ban_most_ms = BAN_MOST_MS;
	options.control = true;
	int32_t status = keys_take(&server->options, &options.keys, ret_error);
	if (status != TG_OK) {
		keys_finish(&options.keys);
		return status;
	}
	return binance_open(&options, server->venue, server_unix_ns(server), &server->binance, ret_error);
}

static int32_t venue_begin(struct binance_server *server, struct tg_error *ret_error)
{
	struct venue_options options = server->options.options;
	options.ledger_write = on_ledger;
	options.ledger_ctx = server;
	int32_t status = venue_open(&options, server_unix_ns(server), &server->venue, ret_error);
	if (status == TG_OK)
		status = binance_begin(server, ret_error);
	if (status != TG_OK)
		return status;
	server->whims = (struct order_whims){server->options.ground, server->who, server->options.venue, server->venue};
	const struct market_faults_options faults = {.ground = server->options.ground,
						     .who = server->who,
						     .index = server->options.venue,
						     .venue = server->venue,
						     .ctx = server,
						     .changed = on_market_changed,
						     .failed = on_market_failure};
	return market_faults_init(&server->market_faults, &faults)
		       ? TG_OK
		       : tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for a venue's markets");
}

int binance_server_create(const struct binance_server_options *options, struct binance_server **ret_server,
			  struct tg_error *ret_error)
{
	assert(options->venue < VENUES_MAX);
	struct binance_server *server = calloc(1, sizeof *server);
	if (!server)
		return tg_error_set(ret_error, TG_ERR_NO_MEMORY, "no memory for a venue");
	server->options = *options;
	server->random = options->options.seed;
	snprintf(server->who, sizeof server->who, "v%u", options->venue);
	int32_t status = venue_begin(server, ret_error);
	if (status != TG_OK) {
		binance_server_destroy(server);
		return status;
	}
	server->options.key = NULL;
	network_listen(options->network, options->venue, on_accept, server);
	timer_arm(server, &server->step_timer, options->options.step_ms, on_step);
	timer_arm(server, &server->tick_timer, TICK_MS, on_tick);
	*ret_server = server;
	return TG_OK;
}

void binance_server_destroy(struct binance_server *server)
{
	if (!server)
		return;
	if (server->step_timer)
		loop_timer_stop(server->options.ground->time, server->step_timer);
	if (server->tick_timer)
		loop_timer_stop(server->options.ground->time, server->tick_timer);
	lates_drop(server);
	for (struct peer *peer = server->peers, *next; peer; peer = next) {
		next = peer->next;
		if (peer->stream)
			stream_close_venue(peer->stream);
		peer_free(peer);
	}
	market_faults_finish(&server->market_faults);
	binance_close(server->binance);
	venue_close(server->venue);
	free(server);
}

uint32_t binance_server_open_orders(const struct binance_server *server)
{
	return venue_orders(server->venue)->open_count;
}

const struct engine *binance_server_engine(const struct binance_server *server)
{
	return venue_engine(server->venue);
}

uint64_t binance_server_update_id(const struct binance_server *server, uint32_t market)
{
	return binance_update_id(server->binance, market);
}
