/* exchanges/sim through its ABI, with a host of a few lines that owns time: what is asked is answered once, later, in
 * order, at the right time, and never after stop. One file, long because the host it brings along takes part in every
 * case. */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <trigate/error.h>
#include <trigate/exchange.h>

#include "tap.h"

#define START_UNIX (INT64_C(1700000000) * TG_E9)
#define MS INT64_C(1000000)
#define TIMERS_MAX 4096
#define LOG_MAX 8192
#define MARKETS_MAX 512

/* ------------------------------------------------------------------- host */

struct timer {
	uint64_t id; /* 0: free */
	int64_t due;
	void (*fn)(void *ctx);
	void *ctx;
};

struct entry {     /* what the connector told, in order */
	char kind; /* I L B b O D */
	int64_t at;
	int32_t code;
	uint64_t token;
	uint32_t market;
	char id[40];
	char text[48];
	char exchange_id[16];
};

static struct {
	int64_t now; /* mono */
	uint64_t last_id;
	struct timer timer[TIMERS_MAX];
	int timers_room;
	bool inside; /* a call of the host is under way */
	struct entry log[LOG_MAX];
	int log_count;
	int wrong; /* events at a forbidden moment */
	uint64_t hash;
	struct tg_instrument market[MARKETS_MAX];
	uint32_t market_count;
	struct tg_level bid[MARKETS_MAX], ask[MARKETS_MAX];
} host;

static int64_t mono_ns(const struct tg_host *unused)
{
	(void)unused;
	return host.now;
}

static int64_t unix_ns(const struct tg_host *unused)
{
	(void)unused;
	return START_UNIX + host.now;
}

static int32_t timer_start(const struct tg_host *unused, int64_t delay, void (*fn)(void *), void *ctx, uint64_t *ret_id)
{
	(void)unused;
	for (int i = 0; i < host.timers_room; i++)
		if (!host.timer[i].id) {
			host.timer[i] = (struct timer){++host.last_id, host.now + delay, fn, ctx};
			*ret_id = host.last_id;
			return TG_OK;
		}
	return TG_ERR_LIMIT;
}

static int32_t timer_stop(const struct tg_host *unused, uint64_t id)
{
	(void)unused;
	for (int i = 0; i < TIMERS_MAX; i++)
		if (id && host.timer[i].id == id) {
			host.timer[i].id = 0;
			return TG_OK;
		}
	return TG_ERR_NOT_FOUND;
}

static const struct tg_ext_clock clock_ext = {sizeof clock_ext, 0, mono_ns, unix_ns};
static const struct tg_ext_timer timer_ext = {sizeof timer_ext, 0, timer_start, timer_stop};

static const void *extension(const struct tg_host *unused, struct tg_str id)
{
	(void)unused;
	if (id.len == strlen(TG_EXT_CLOCK) && memcmp(id.ptr, TG_EXT_CLOCK, id.len) == 0)
		return &clock_ext;
	return id.len == strlen(TG_EXT_TIMER) && memcmp(id.ptr, TG_EXT_TIMER, id.len) == 0 ? &timer_ext : NULL;
}

static const struct tg_host tg_host = {sizeof tg_host, TG_ABI_MAJOR, TG_ABI_MINOR, NULL, extension};

static int timers_armed(void)
{
	int armed = 0;
	for (int i = 0; i < TIMERS_MAX; i++)
		armed += host.timer[i].id != 0;
	return armed;
}

static void run_until(int64_t until)
{
	for (;;) {
		struct timer *first = NULL;
		for (int i = 0; i < TIMERS_MAX; i++) {
			struct timer *t = &host.timer[i];
			if (t->id && (!first || t->due < first->due || (t->due == first->due && t->id < first->id)))
				first = t;
		}
		if (!first || first->due > until)
			break;
		struct timer fired = *first;
		first->id = 0;
		host.now = fired.due > host.now ? fired.due : host.now;
		fired.fn(fired.ctx);
	}
	host.now = until;
}

/* ----------------------------------------------------------------- events */

static void hash_add(const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		host.hash = (host.hash ^ ((const unsigned char *)data)[i]) * UINT64_C(1099511628211);
}

static struct entry *entry_add(char kind, int32_t code)
{
	static struct entry scratch;
	struct entry *entry = host.log_count < LOG_MAX ? &host.log[host.log_count++] : &scratch;
	*entry = (struct entry){.kind = kind, .at = host.now, .code = code};
	hash_add(&kind, 1);
	hash_add(&code, sizeof code);
	hash_add(&host.now, sizeof host.now);
	return entry;
}

static void copy(char *to, size_t size, struct tg_str text)
{
	snprintf(to, size, "%.*s", (int)text.len, text.len ? text.ptr : "");
	hash_add(text.ptr, (size_t)text.len);
}

static void on_instruments(void *ctx, const struct tg_instrument *list, uint32_t count)
{
	(void)ctx;
	for (uint32_t i = 0; i < count && list[i].market < MARKETS_MAX; i++) {
		host.market[list[i].market] = list[i];
		if (list[i].market >= host.market_count)
			host.market_count = list[i].market + 1;
	}
	entry_add('I', (int32_t)count);
}

static void on_book(void *ctx, const struct tg_book_event *event)
{
	(void)ctx;
	host.wrong += host.inside;
	host.bid[event->market] = event->bid_count ? event->bids[0] : (struct tg_level){0};
	host.ask[event->market] = event->ask_count ? event->asks[0] : (struct tg_level){0};
	entry_add('B', (int32_t)event->sequence)->market = event->market;
	hash_add(event->bids, event->bid_count * sizeof *event->bids);
	hash_add(event->asks, event->ask_count * sizeof *event->asks);
}

static void on_order(void *ctx, const struct tg_order_event *event)
{
	(void)ctx;
	host.wrong += host.inside;
	struct entry *entry = entry_add('O', event->kind);
	copy(entry->id, sizeof entry->id, event->client_id);
	copy(entry->exchange_id, sizeof entry->exchange_id, event->exchange_id);
	tg_decimal_format(event->cum_qty, entry->text, sizeof entry->text);
}

static void on_balance(void *ctx, const struct tg_balance_event *event)
{
	(void)ctx;
	struct entry *entry = entry_add('b', 0);
	copy(entry->id, sizeof entry->id, event->currency);
	tg_amount_format(tg_amount_of(event->free), entry->text, sizeof entry->text);
}

static void on_link(void *ctx, int32_t state, const struct tg_error *reason)
{
	(void)ctx;
	(void)reason;
	entry_add('L', state);
}

static void on_done(void *ctx, uint64_t token, int32_t status, const struct tg_error *error)
{
	(void)ctx;
	host.wrong += host.inside;
	struct entry *entry = entry_add('D', status);
	entry->token = token;
	snprintf(entry->text, sizeof entry->text, "%.40s", error ? error->message : "");
}

static const struct tg_exchange_events events = {sizeof events, 0,          NULL,    on_instruments, on_book,
						 on_order,      on_balance, on_link, on_done};

/* ----------------------------------------------------------------- config */

static const struct setting {
	const char *key, *value;
} * settings; /* ends with NULL; a key under "balances" is written with its path */

static const char *setting_find(struct tg_str path)
{
	for (const struct setting *s = settings; s->key; s++)
		if (strlen(s->key) == path.len && memcmp(s->key, path.ptr, path.len) == 0)
			return s->value;
	return NULL;
}

static int32_t get_decimal(const struct tg_config *config, struct tg_str path, struct tg_decimal *ret_value)
{
	const char *text = setting_find(path);
	(void)config;
	return text ? tg_decimal_parse((struct tg_str){text, strlen(text)}, ret_value) : TG_ERR_NOT_FOUND;
}

static int32_t get_i64(const struct tg_config *config, struct tg_str path, int64_t *ret_value)
{
	struct tg_decimal value;
	int32_t status = get_decimal(config, path, &value);
	if (status == TG_OK)
		*ret_value = value.mantissa;
	return status;
}

static int32_t get_text(const struct tg_config *config, struct tg_str path, struct tg_str *ret_value)
{
	const char *text = setting_find(path);
	(void)config;
	if (!text)
		return TG_ERR_NOT_FOUND;
	*ret_value = (struct tg_str){text, strlen(text)};
	return TG_OK;
}

static const struct setting *balance_at(uint32_t index)
{
	for (const struct setting *s = settings; s->key; s++)
		if (strncmp(s->key, "balances/", 9) == 0 && index-- == 0)
			return s;
	return NULL;
}

static int32_t count(const struct tg_config *config, struct tg_str path, uint32_t *ret_count)
{
	(void)config;
	(void)path;
	*ret_count = 0;
	while (balance_at(*ret_count))
		++*ret_count;
	return *ret_count ? TG_OK : TG_ERR_NOT_FOUND;
}

static int32_t key_at(const struct tg_config *config, struct tg_str path, uint32_t index, struct tg_str *ret_key)
{
	const struct setting *s = balance_at(index);
	(void)config;
	(void)path;
	if (!s)
		return TG_ERR_NOT_FOUND;
	*ret_key = (struct tg_str){s->key + 9, strlen(s->key + 9)};
	return TG_OK;
}

static const struct tg_config config = {
	.size = sizeof config,
	.get_i64 = get_i64,
	.get_decimal = get_decimal,
	.get_text = get_text,
	.count = count,
	.key_at = key_at,
};

/* ------------------------------------------------------------------ tests */

static const struct tg_exchange_api *api;
static char folder[] = "/tmp/trigate-sim-XXXXXX";
static char csv_path[64], ledger_path[64];

static void host_reset(void)
{
	memset(&host, 0, sizeof host);
	host.timers_room = TIMERS_MAX;
	host.hash = UINT64_C(14695981039346656037);
}

static void *sim_make(const struct setting *list)
{
	struct tg_error error = tg_error_init();
	void *sim = NULL;
	host_reset();
	settings = list;
	if (api->create(&tg_host, &config, &events, &sim, &error) != TG_OK || api->start(sim, &error) != TG_OK)
		printf("# %s\n", error.message);
	return sim;
}

static void sim_end(void *sim)
{
	api->stop(sim);
	is_int(timers_armed(), 0, "stop leaves no timer");
	api->destroy(sim);
}

static void subscribe_all(void *sim)
{
	uint32_t list[MARKETS_MAX];
	for (uint32_t i = 0; i < host.market_count; i++)
		list[i] = i;
	host.inside = true;
	is_int(api->subscribe(sim, list, host.market_count, NULL), TG_OK, "subscribe to all");
	host.inside = false;
}

static int32_t place_valid(void *sim, uint32_t market, int32_t side, int32_t tif, const char *id, const char *price,
			   const char *qty, uint64_t token, int64_t valid_ms)
{
	struct tg_order_request request = {.size = sizeof request,
					   .market = market,
					   .version = market < MARKETS_MAX ? host.market[market].version : 0,
					   .side = side,
					   .time_in_force = tif,
					   .client_id = {id, strlen(id)},
					   .valid_ms = valid_ms,
					   .token = token};
	tg_decimal_parse((struct tg_str){price, strlen(price)}, &request.price);
	tg_decimal_parse((struct tg_str){qty, strlen(qty)}, &request.qty);
	host.inside = true;
	int32_t status = api->order_place(sim, &request, NULL);
	host.inside = false;
	return status;
}

static int32_t place(void *sim, uint32_t market, int32_t side, int32_t tif, const char *id, const char *price,
		     const char *qty, uint64_t token)
{
	return place_valid(sim, market, side, tif, id, price, qty, token, 0);
}

/* The log from an index on as a line: "O1:id D0 O2 b:USDT=.. B" */
static const char *told(int from)
{
	static char line[2048];
	size_t used = 0;
	line[0] = '\0';
	for (int i = from; i < host.log_count && used < sizeof line - 128; i++) {
		const struct entry *e = &host.log[i];
		if (e->kind == 'b' || e->kind == 'O')
			used += (size_t)snprintf(line + used, sizeof line - used, "%c%d:%s=%s ", e->kind, e->code,
						 e->id, e->text);
		else if (e->kind == 'D')
			used += (size_t)snprintf(line + used, sizeof line - used, "D%d:%llu ", e->code,
						 (unsigned long long)e->token);
		else
			used += (size_t)snprintf(line + used, sizeof line - used, "%c%d ", e->kind,
						 e->kind == 'B' ? (int)e->market : e->code);
	}
	return line;
}

static const struct setting recorded[] = {{"csv", csv_path},         {"latency_ms", "5"},   {"jitter_ms", "0"},
					  {"balances/USDT", "1000"}, {"balances/A", "2.5"}, {NULL, NULL}};

static void recorded_market(void)
{
	void *sim = sim_make(recorded);
	is_int(host.log_count, 0, "nothing is told from inside start");
	run_until(10 * MS);
	is_str(told(0), "I2 b0:A=2.5 b0:USDT=1000 b0:B=0 L2 ", "instruments, balances, then UP");
	is_int(host.log[0].at, 5 * MS, "after the latency");
	int from = host.log_count;
	subscribe_all(sim);
	run_until(20 * MS);
	is_str(told(from), "B0 B1 L3 ", "the first books, then END_OF_DATA");

	from = host.log_count;
	is_int(place(sim, 0, TG_SIDE_BUY, TG_TIF_IOC, "one", "10.20", "7", 77), TG_PENDING, "an order is pending");
	run_until(50 * MS);
	is_str(told(from), "O1:one=0 D0:77 O2:one=5 O5:one=5 b0:USDT=949.5 b0:A=7.495 B0 ",
	       "accepted, done, its fill, the end, balances, the book");
	is_int(host.log[from].at, 30 * MS, "5 ms there and 5 ms back");

	from = host.log_count;
	place(sim, 0, TG_SIDE_BUY, TG_TIF_GTC, "two", "10.20", "0.05", 78);
	run_until(100 * MS);
	is_str(told(from), "O4:two=0 D-8:78 ", "a wrong lot is rejected");
	ok(strstr(host.log[from + 1].text, "LOT_SIZE"), "with the reason");

	from = host.log_count;
	place_valid(sim, 0, TG_SIDE_BUY, TG_TIF_GTC, "late", "9.00", "1", 79, 4);
	place_valid(sim, 0, TG_SIDE_BUY, TG_TIF_GTC, "soon", "9.00", "1", 80, 5);
	run_until(200 * MS);
	is_str(told(from), "O4:late=0 D-8:79 O1:soon=0 D0:80 b0:USDT=940.5 B0 ", "valid_ms is kept to the millisecond");

	from = host.log_count;
	struct tg_order_ref ref = {.size = sizeof ref, .client_id = TG_STR("soon"), .token = 81};
	is_int(api->order_cancel(sim, &ref, NULL), TG_PENDING, "a cancel is pending");
	ref.token = 82;
	api->order_cancel(sim, &ref, NULL);
	run_until(300 * MS);
	is_str(told(from), "O3:soon=0 D0:81 b0:USDT=949.5 B0 D-8:82 ", "one cancel is taken, the second finds nothing");

	from = host.log_count;
	ref.client_id = TG_STR("one");
	api->order_query(sim, &ref, NULL);
	ref.client_id = TG_STR("never");
	api->order_query(sim, &ref, NULL);
	ref.client_id = TG_STR("one");
	ref.market = 1;
	api->order_query(sim, &ref, NULL);
	run_until(400 * MS);
	is_str(told(from), "O2:one=5 O5:one=5 D0:82 O8:never=0 D0:82 O8:one=0 D0:82 ",
	       "a look-up tells fills and end; an order is known in its market only");
	ref.market = TG_MARKET_UNLISTED;
	ref.symbol = TG_STR("GONE-USDT");
	is_int(api->order_query(sim, &ref, NULL), TG_ERR_INVALID,
	       "in a market that is none it is not said to be absent");

	from = host.log_count;
	const uint32_t markets[] = {0, 1, 1000};
	is_int(api->orders_list(sim, markets, 3, 0, 89, NULL), TG_ERR_INVALID, "no listing of a market that is not");
	is_int(api->orders_list(sim, markets, 2, 0, 90, NULL), TG_PENDING, "a listing");
	is_int(api->orders_list(sim, markets + 1, 1, 0, 92, NULL), TG_PENDING, "and one of another market");
	is_int(api->balances(sim, 91, NULL), TG_PENDING, "and balances");
	run_until(500 * MS);
	is_str(told(from), "O2:one=5 O5:one=5 O3:soon=0 D0:90 D0:92 b0:A=7.495 b0:USDT=949.5 b0:B=0 D0:91 ",
	       "every accepted order of the market, and every balance");
	is_int(host.wrong, 0, "nothing came from inside a call");
	sim_end(sim);
}

static void refused_at_the_door(void)
{
	void *sim = sim_make(recorded);
	is_int(place(sim, 0, TG_SIDE_BUY, TG_TIF_IOC, "x", "10", "1", 1), TG_ERR_CLOSED,
	       "no order before the instruments are told");
	run_until(10 * MS);
	is_int(place(sim, 9, TG_SIDE_BUY, TG_TIF_IOC, "x", "10", "1", 1), TG_ERR_INVALID, "no such market");
	is_int(place(sim, 0, TG_SIDE_BUY, TG_TIF_IOC, "0123456789012345678901234567890123456", "10", "1", 1),
	       TG_ERR_INVALID, "an id that is too long");
	host.timers_room = 0;
	is_int(place(sim, 0, TG_SIDE_BUY, TG_TIF_IOC, "x", "10", "1", 1), TG_ERR_RATE_LIMITED, "no timer left");
	host.timers_room = TIMERS_MAX;
	int taken = 0;
	while (taken < 5000 && place(sim, 0, TG_SIDE_BUY, TG_TIF_IOC, "x", "9", "1", 1) == TG_PENDING)
		taken++;
	is_int(taken, 1024, "so many are under way at most");
	int from = host.log_count;
	run_until(100 * MS);
	int answers = 0;
	for (int i = from; i < host.log_count; i++)
		answers += host.log[i].kind == 'D';
	is_int(answers, taken, "each is answered, none that was refused");
	is_int(place(sim, 0, TG_SIDE_BUY, TG_TIF_IOC, "y", "9", "1", 2), TG_PENDING, "then there is room again");
	from = host.log_count;
	api->stop(sim);
	run_until(200 * MS);
	is_int(host.log_count, from, "nothing comes after stop");
	is_int(place(sim, 0, TG_SIDE_BUY, TG_TIF_IOC, "z", "9", "1", 3), TG_ERR_CLOSED, "nothing is sent after stop");
	api->destroy(sim);
	api->destroy(NULL);
}

static void ledger_outlives_the_instance(void)
{
	static const struct setting kept[] = {{"csv", csv_path},
					      {"ledger", ledger_path},
					      {"jitter_ms", "0"},
					      {"balances/USDT", "1000"},
					      {NULL, NULL}};
	void *sim = sim_make(kept);
	run_until(10 * MS);
	place(sim, 0, TG_SIDE_BUY, TG_TIF_IOC, "done", "10.10", "1", 1);
	run_until(16 * MS); /* it is executed; the answer is still on its way */
	place(sim, 0, TG_SIDE_BUY, TG_TIF_IOC, "under-way", "10.10", "1", 2);
	sim_end(sim);
	sim = sim_make(kept);
	run_until(10 * MS);
	int from = host.log_count;
	struct tg_order_ref ref = {.size = sizeof ref, .client_id = TG_STR("done"), .token = 3};
	api->order_query(sim, &ref, NULL);
	ref.client_id = TG_STR("under-way");
	api->order_query(sim, &ref, NULL);
	run_until(30 * MS);
	is_str(told(from), "O2:done=1 O6:done=1 D0:3 O8:under-way=0 D0:3 ",
	       "what reached the venue is known, what did not never was");
	sim_end(sim);
}

static uint64_t stream_hash(const char *seed)
{
	const struct setting list[] = {{"seed", seed},
				       {"markets", "60"},
				       {"halts_per_hour", "600"},
				       {"filter_changes_per_hour", "600"},
				       {NULL, NULL}};
	void *sim = sim_make(list);
	run_until(20 * MS);
	subscribe_all(sim);
	for (uint64_t i = 0; i < 200; i++) {
		char id[16], price[TG_DECIMAL_TEXT_MAX];
		snprintf(id, sizeof id, "i%llu", (unsigned long long)i);
		run_until(host.now + 20 * MS);
		uint32_t market = (uint32_t)(i % 6);
		struct tg_decimal ask = {host.ask[market].price, host.market[market].tick.scale, 0};
		struct tg_decimal lot = host.market[market].lot;
		char qty[TG_DECIMAL_TEXT_MAX];
		lot.mantissa *= 1000;
		tg_decimal_format(ask, price, sizeof price);
		tg_decimal_format(lot, qty, sizeof qty);
		place(sim, market, TG_SIDE_BUY, TG_TIF_IOC, id, price, qty, i);
	}
	run_until(10000 * MS);
	uint64_t hash = host.hash;
	is_int(host.wrong, 0, "seed %s: nothing came from inside a call", seed);
	sim_end(sim);
	return hash;
}

static void same_seed_same_stream(void)
{
	uint64_t first = stream_hash("5");
	ok(first == stream_hash("5"), "the same seed and calls give the same events at the same times");
	ok(first != stream_hash("6"), "another seed gives others");
}

static void old_filters_are_refused(void)
{
	static const struct setting list[] = {{"filter_changes_per_hour", "36000"}, {"markets", "6"}, {NULL, NULL}};
	void *sim = sim_make(list);
	uint32_t market = 0;
	run_until(2000 * MS);
	while (market < 5 && host.market[market].version == 1)
		market++;
	ok(host.market[market].version > 1, "a market's filters changed");
	host.market[market].version--;
	is_int(place(sim, market, TG_SIDE_BUY, TG_TIF_IOC, "old", "1", "1", 1), TG_ERR_VERSION,
	       "an order sized for the old ones is not sent");
	sim_end(sim);
}

static void steps_end(void)
{
	static const struct setting list[] = {{"steps", "50"}, {"markets", "20"}, {NULL, NULL}};
	void *sim = sim_make(list);
	run_until(20 * MS);
	subscribe_all(sim);
	run_until(2000 * MS);
	is_int(host.log[host.log_count - 1].kind, 'L', "after the last step");
	is_int(host.log[host.log_count - 1].code, TG_LINK_END_OF_DATA, "END_OF_DATA is told");
	is_int(timers_armed(), 0, "and nothing is armed any more");
	sim_end(sim);
}

static void wrong_configuration(void)
{
	static const struct setting wrongs[][2] = {{{"markets", "3"}, {NULL, NULL}},
						   {{"latency_ms", "-1"}, {NULL, NULL}},
						   {{"csv", "/nonexistent.csv"}, {NULL, NULL}},
						   {{"balances/USDT", "-5"}, {NULL, NULL}},
						   {{"taker_bps", "10000"}, {NULL, NULL}},
						   {{"fee_scale", "19"}, {NULL, NULL}},
						   {{"ledger", "/nonexistent/folder/file"}, {NULL, NULL}}};
	for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
		struct tg_error error = tg_error_init();
		void *sim = NULL;
		host_reset();
		settings = wrongs[i];
		int32_t status = api->create(&tg_host, &config, &events, &sim, &error);
		if (status == TG_OK)
			status = api->start(sim, &error);
		ok(status < 0 && error.message[0], "%s %s is refused: %s", wrongs[i][0].key, wrongs[i][0].value,
		   error.message);
		api->destroy(sim);
	}
}

static bool plugin_open(void)
{
	const char *root = getenv("TRIGATE_BUILD_ROOT");
	char path[4096];
	snprintf(path, sizeof path, "%s/exchanges/sim/sim.so", root ? root : ".");
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct tg_entry *entry = library ? dlsym(library, "tg_plugin_entry") : NULL;
	if (!ok(entry && entry->magic == TG_MAGIC, "sim.so has an entry"))
		printf("# %s\n", dlerror());
	if (entry)
		api = entry->api;
	return entry != NULL;
}

int main(void)
{
	if (!mkdtemp(folder) || !plugin_open())
		return tap_done();
	snprintf(csv_path, sizeof csv_path, "%s/markets.csv", folder);
	snprintf(ledger_path, sizeof ledger_path, "%s/ledger", folder);
	FILE *file = fopen(csv_path, "w");
	fputs("market,base,quote,bid,bid_qty,ask,ask_qty,tick,lot,min_notional,taker_bps\n"
	      "A-USDT,A,USDT,10.00,5,10.10,5,0.01,0.1,1,10\n"
	      "A-B,A,B,4.9,50,5.1,50,0.1,0.1,0,7.5\n",
	      file);
	fclose(file);
	recorded_market();
	refused_at_the_door();
	ledger_outlives_the_instance();
	same_seed_same_stream();
	old_filters_are_refused();
	steps_end();
	wrong_configuration();
	unlink(csv_path);
	unlink(ledger_path);
	rmdir(folder);
	return tap_done();
}
