/* A host and a network in memory, for the tests of the connector as a plugin: tg.clock, tg.timer, tg.http, tg.ws,
 * tg.signer and tg.log on virtual time, the venue behind Binance's protocols at the other end, and books kept as the
 * gateway keeps them. Answers and messages take LATENCY_NS; rules break requests on their way. One instance a test. */
#ifndef TRIGATE_TESTS_BINANCE_RIG_H
#define TRIGATE_TESTS_BINANCE_RIG_H

#include "tests/unit/exchanges/binance/rig_host.h"

/* -------------------------------------------------------------------- events */

static void rig_note(void)
{
	rig.after_stop += rig.stopped;
}

static void on_instruments(void *ctx, const struct tg_instrument *list, uint32_t count)
{
	struct tg_error error = tg_error_init();
	(void)ctx;
	rig_note();
	for (uint32_t i = 0; i < count; i++)
		if (markets_update(rig.markets, &list[i], &error))
			printf("# %s\n", error.message);
	rig.instruments += count;
}

static void on_book(void *ctx, const struct tg_book_event *event)
{
	(void)ctx;
	rig_note();
	rig.events_inside += rig.calling;
	rig.books++;
	rig.books_refused += book_apply(&rig.markets->market[event->market], event) < 0;
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	(void)ctx;
	(void)event;
	rig_note();
	rig.events_inside += rig.calling;
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	(void)ctx;
	(void)event;
	rig_note();
	rig.balances++;
}

static void on_link(void *ctx, int32_t state, const struct tg_error *reason)
{
	(void)ctx;
	rig_note();
	rig.links++;
	rig.link = state;
	snprintf(rig.reason, sizeof rig.reason, "%s", reason ? reason->message : "");
	for (uint32_t i = 0; state == TG_LINK_DOWN && i < rig.markets->market_count; i++)
		book_clear(&rig.markets->market[i].book); /* as the gateway does */
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	(void)ctx;
	(void)error;
	rig_note();
	rig.events_inside += rig.calling;
	rig.done_token = token;
	rig.done_status = status;
	rig.dones++;
}

/* -------------------------------------------------------------- configuration */

static const char *rig_setting(struct tg_str path)
{
	for (uint32_t i = 0; i < 16 && rig.setting[i][0]; i++)
		if (str_is(path, rig.setting[i][0]))
			return rig.setting[i][1];
	return NULL;
}

static int32_t rig_get_text(const struct tg_config *config, struct tg_str path, struct tg_str *ret_value)
{
	const char *value = rig_setting(path);
	(void)config;
	if (value)
		*ret_value = str_of(value);
	return value ? TG_OK : TG_ERR_NOT_FOUND;
}

static int32_t rig_get_i64(const struct tg_config *config, struct tg_str path, int64_t *ret_value)
{
	const char *value = rig_setting(path);
	(void)config;
	if (value)
		*ret_value = atoll(value);
	return value ? TG_OK : TG_ERR_NOT_FOUND;
}

static int32_t rig_get_flag(const struct tg_config *config, struct tg_str path, int32_t *ret_value)
{
	const char *value = rig_setting(path);
	(void)config;
	if (value)
		*ret_value = strcmp(value, "true") == 0;
	return value ? TG_OK : TG_ERR_NOT_FOUND;
}

static int32_t rig_get_decimal(const struct tg_config *config, struct tg_str path, struct tg_decimal *ret_value)
{
	const char *value = rig_setting(path);
	(void)config;
	return value ? tg_decimal_parse(str_of(value), ret_value) : TG_ERR_NOT_FOUND;
}

__attribute__((unused)) static void rig_set(const char *key, const char *value)
{
	uint32_t at = 0;
	while (rig.setting[at][0] && strcmp(rig.setting[at][0], key) != 0)
		at++;
	rig.setting[at][0] = key;
	rig.setting[at][1] = value;
}

/* ----------------------------------------------------------------- the other side */

static void rig_push(void *ctx, uint64_t connection, const char *bytes, size_t size)
{
	struct rig_message *message = malloc(sizeof *message + size);
	(void)ctx;
	*message = (struct rig_message){.due_ns = rig.mono_ns + LATENCY_NS, .connection = connection, .size = size};
	memcpy(message->text, bytes, size);
	*rig.messages_end = message;
	rig.messages_end = &message->next;
}

static void rig_ping(void *ctx, uint64_t connection, const char *payload, size_t size)
{
	(void)ctx;
	binance_pong(api, now, connection, payload, size);
}

/* The venue has closed it: told in the next turn, as silence. */
static void rig_close(void *ctx, uint64_t connection, int32_t code, const char *reason)
{
	(void)ctx;
	(void)code;
	(void)reason;
	for (uint32_t i = 0; i < RIG_SOCKETS; i++)
		if (rig.socket[i].connection == connection)
			rig.socket[i].heard_ns = INT64_MIN / 2;
}

/* A venue of so many made-up markets; its binance options with it. */
static void rig_venue_open(uint32_t markets)
{
	const struct venue_deposit deposit[] = {{TG_STR("USDT"), amount("10000")}};
	struct venue_options venue_options = venue_options_default();
	struct binance_options options = binance_options_default();
	struct tg_error error = tg_error_init();
	venue_options.markets = markets;
	venue_options.deposit = deposit;
	venue_options.deposit_count = 1;
	venue_options.ledger_write = ledger_take;
	venue_options.ledger_ctx = &ledger;
	keys_make(&options.keys);
	options.sink = (struct binance_sink){NULL, rig_push, rig_ping, rig_close};
	now = NOW + rig.mono_ns;
	if (venue_open(&venue_options, now, &venue, &error) != TG_OK ||
	    binance_open(&options, venue, now, &api, &error) != TG_OK) {
		printf("# %s\n", error.message);
		abort();
	}
}

static struct rig_rule *rig_rule_of(const char *target)
{
	for (uint32_t i = 0; i < RIG_RULES; i++)
		if (rig.rule[i].times > 0 && strncmp(target, rig.rule[i].target, strlen(rig.rule[i].target)) == 0)
			return &rig.rule[i];
	return NULL;
}

__attribute__((unused)) static void rig_rule(struct rig_rule rule)
{
	uint32_t at = 0;
	while (rig.rule[at].times > 0)
		at++;
	rig.rule[at] = rule;
}

/* Its parts point into bytes. */
static void rig_answer_parse(char *bytes, struct tg_net_header *header, struct tg_http_response *response)
{
	char *body = strstr(bytes, "\r\n\r\n"), *line = strstr(bytes, "\r\n");
	response->http_status = atoi(strchr(bytes, ' ') + 1);
	response->body = str_of(body + 4);
	while (line < body && response->header_count < 16) {
		char *name = line + 2, *colon = strchr(name, ':'), *end = strstr(name, "\r\n");
		for (char *c = name; c < colon; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		header[response->header_count++] = (struct tg_net_header){{name, (uint64_t)(colon - name)},
									  {colon + 2, (uint64_t)(end - colon - 2)}};
		line = end;
	}
	response->headers = header;
}

static const char *rig_change(const char *answer, const struct rig_rule *rule)
{
	static struct text changed;
	const char *at = strstr(answer, rule->change);
	text_clear(&changed);
	if (!at)
		abort();
	text_add(&changed, answer, (size_t)(at - answer));
	text_put(&changed, rule->into);
	text_put(&changed, at + strlen(rule->change));
	text_add(&changed, "", 1);
	return changed.ptr;
}

static const char *rig_answer(const struct rig_request *request, struct text *made)
{
	struct rig_rule *rule = rig_rule_of(request->target);
	if (rig.no_network)
		return NULL;
	if (rule)
		rule->times--;
	if (rule && !rule->change) {
		text_format(made, "HTTP/1.1 %d X\r\n%s%s\r\n%s", rule->status, rule->headers ? rule->headers : "",
			    rule->headers ? "\r\n" : "", rule->body);
		text_add(made, "", 1);
		return rule->status ? made->ptr : NULL;
	}
	const char *answer = ask("GET", request->target, "", request->key[0] ? request->key : NULL);
	return rule && answer ? rig_change(answer, rule) : answer;
}

static void rig_request_answer(struct rig_request *slot)
{
	struct rig_request request = *slot;
	struct tg_net_header header[16];
	struct tg_http_response response = {.size = sizeof response, .left = 1, .received_ns = rig.mono_ns};
	struct tg_error error = tg_error_init();
	struct text made = {0};
	slot->id = 0;
	now = NOW + rig.mono_ns;
	const char *answer = rig_answer(&request, &made);
	char *bytes = answer ? strdup(answer) : NULL;
	if (bytes)
		rig_answer_parse(bytes, header, &response);
	else
		tg_error_set(&error, TG_ERR_IO, "the network is down");
	response.error = bytes ? NULL : &error;
	request.done(request.ctx, request.id, &response);
	free(bytes);
	text_finish(&made);
}

/* --------------------------------------------------------------------- time */

static void rig_socket_turn(struct rig_socket *socket)
{
	if (socket->id && socket->connection && rig.mono_ns - socket->heard_ns > socket->silence_ns) {
		rig_socket_lose(socket, "nothing was heard for too long");
		return;
	}
	if (!socket->id || socket->connection || socket->open_ns > rig.mono_ns)
		return;
	uint64_t connection = ++rig.ids;
	now = NOW + rig.mono_ns;
	if (rig.no_network || connect_to(connection, socket->target) != 101) {
		rig_socket_lose(socket, "it cannot be opened");
		return;
	}
	socket->connection = connection;
	socket->heard_ns = rig.mono_ns;
	socket->events.opened(socket->events.ctx, socket->id);
}

static void rig_messages_turn(void)
{
	while (rig.messages && rig.messages->due_ns <= rig.mono_ns) {
		struct rig_message *message = rig.messages;
		rig.messages = message->next;
		if (!rig.messages)
			rig.messages_end = &rig.messages;
		for (uint32_t i = 0; i < RIG_SOCKETS; i++) {
			struct rig_socket *socket = &rig.socket[i];
			if (!socket->id || socket->connection != message->connection)
				continue;
			socket->heard_ns = rig.mono_ns;
			socket->events.message(socket->events.ctx, socket->id, TG_WS_TEXT, (uint8_t *)message->text,
					       message->size, rig.mono_ns);
		}
		free(message);
	}
}

static void rig_turn(void)
{
	rig.mono_ns += MS;
	now = NOW + rig.mono_ns;
	if (!rig.still && rig.mono_ns % (10 * MS) == 0)
		binance_step(api, now);
	if (rig.mono_ns % (50 * MS) == 0)
		binance_tick(api, now);
	for (uint32_t i = 0; i < RIG_TIMERS; i++)
		if (rig.timer[i].id && rig.timer[i].due_ns <= rig.mono_ns) {
			rig.timer[i].id = 0;
			rig.timer[i].fn(rig.timer[i].ctx);
		}
	for (uint32_t i = 0; i < RIG_REQUESTS; i++)
		if (rig.request[i].id && rig.request[i].due_ns <= rig.mono_ns)
			rig_request_answer(&rig.request[i]);
	for (uint32_t i = 0; i < RIG_SOCKETS; i++)
		rig_socket_turn(&rig.socket[i]);
	rig_messages_turn();
}

__attribute__((unused)) static void rig_run(int64_t duration_ns)
{
	for (int64_t end_ns = rig.mono_ns + duration_ns; rig.mono_ns < end_ns;)
		rig_turn();
}

/* Until the link is so, or for so long. */
__attribute__((unused)) static bool rig_run_until_link(int32_t link, int64_t longest_ns)
{
	for (int64_t end_ns = rig.mono_ns + longest_ns; rig.mono_ns < end_ns && rig.link != link;)
		rig_turn();
	return rig.link == link;
}

/* --------------------------------------------------------------------- life */

/* A venue, and a host without an instance; settings may be changed then. */
__attribute__((unused)) static void rig_begin(uint32_t markets)
{
	rig = (struct rig){.mono_ns = 100 * SECOND};
	rig.messages_end = &rig.messages;
	rig.host = (struct tg_host){.size = sizeof rig.host,
				    .abi_major = TG_ABI_MAJOR,
				    .abi_minor = TG_ABI_MINOR,
				    .extension = rig_extension};
	rig.events = (struct tg_exchange_events){.size = sizeof rig.events,
						 .instruments = on_instruments,
						 .book = on_book,
						 .order = on_order,
						 .balance = on_balance,
						 .link = on_link,
						 .done = on_done};
	rig_set("rest_url", "https://venue.test");
	rig_set("stream_url", "wss://venue.test");
	rig_set("api_url", "wss://venue.test/ws-api/v3");
	rig_set("key", "main");
	rig_venue_open(markets);
	if (markets_create(&rig.markets))
		abort();
}

static int32_t rig_create(struct tg_error *ret_error)
{
	const struct tg_config config = {.size = sizeof config,
					 .get_i64 = rig_get_i64,
					 .get_flag = rig_get_flag,
					 .get_decimal = rig_get_decimal,
					 .get_text = rig_get_text};
	return binance_api.create(&rig.host, &config, &rig.events, &rig.self, ret_error);
}

__attribute__((unused)) static void rig_start(void)
{
	struct tg_error error = tg_error_init();
	if (rig_create(&error) != TG_OK || binance_api.start(rig.self, &error) != TG_OK) {
		printf("# %s\n", error.message);
		abort();
	}
}

__attribute__((unused)) static void rig_stop(void)
{
	binance_api.stop(rig.self);
	rig.stopped = true;
}

__attribute__((unused)) static void rig_end(void)
{
	rig_stop();
	binance_api.destroy(rig.self);
	while (rig.messages) {
		struct rig_message *next = rig.messages->next;
		free(rig.messages);
		rig.messages = next;
	}
	markets_destroy(rig.markets);
	text_finish(&rig.asked);
	text_finish(&rig.logged);
	api_end();
	ledger = answer_bytes = (struct text){0};
}

__attribute__((unused)) static int32_t rig_subscribe(uint32_t count)
{
	uint32_t market[RIG_MARKETS];
	struct tg_error error = tg_error_init();
	for (uint32_t i = 0; i < count; i++)
		market[i] = i;
	rig.calling = true;
	int32_t status = binance_api.subscribe(rig.self, market, count, &error);
	rig.calling = false;
	return status;
}

/* ------------------------------------------------------------------ judging */

/* How many requests had this in their target. */
__attribute__((unused)) static uint32_t rig_asked(const char *part)
{
	uint32_t count = 0;
	text_add(&rig.asked, "", 1);
	rig.asked.used--;
	for (const char *at = rig.asked.ptr; (at = strstr(at, part)); at++)
		count++;
	return count;
}

__attribute__((unused)) static bool rig_logged(const char *part)
{
	text_add(&rig.logged, "", 1);
	rig.logged.used--;
	return has(rig.logged.ptr, part);
}

static bool rig_level_equal(const struct price_level *best, const struct level *level, uint32_t count,
			    const struct market *market, const struct venue_market *there)
{
	tg_amount price, qty, price_here, qty_here;
	if (!best || count == 0)
		return !best && count == 0;
	tg_amount_from_decimal((struct tg_decimal){best->price, there->price_scale, 0}, &price);
	tg_amount_from_decimal((struct tg_decimal){best->qty, there->qty_scale, 0}, &qty);
	tg_amount_from_decimal((struct tg_decimal){level->ticks * market->tick.mantissa, market->tick.scale, 0},
			       &price_here);
	tg_amount_from_decimal((struct tg_decimal){level->lots * market->lot.mantissa, market->lot.scale, 0},
			       &qty_here);
	return price == price_here && qty == qty_here;
}

/* Of the first markets, how many have the venue's best bid and ask in their books? Market ids are the venue's: both
 * count exchangeInfo's symbols. */
__attribute__((unused)) static uint32_t rig_books_equal(uint32_t count)
{
	uint32_t equal = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct market *market = &rig.markets->market[i];
		const struct venue_market *there = &venue_engine(venue)->market[i];
		equal += rig_level_equal(side_best(&there->bids), market->book.bids, market->book.bid_count, market,
					 there) &&
			 rig_level_equal(side_best(&there->asks), market->book.asks, market->book.ask_count, market,
					 there);
	}
	return equal;
}

__attribute__((unused)) static uint32_t rig_books_filled(uint32_t count)
{
	uint32_t filled = 0;
	for (uint32_t i = 0; i < count; i++)
		filled += rig.markets->market[i].book.bid_count > 0;
	return filled;
}

#endif
