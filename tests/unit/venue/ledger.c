/* The ledger: what it holds explains the balances, and a venue opened on it goes on where the last one was, however
 * that one ended. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/venue/fixture.h"

#include "venue/ledger.h"

static const char markets[] = HEADER "A-USDT,A,USDT,10.00,50,10.10,50,0.01,0.1,1,10\n"
				     "B-USDT,B,USDT,2.00,100,2.01,100,0.01,0.1,0,7.5\n";

static struct venue *venue_make(const char *ledger, bool made_up, struct tg_error *error)
{
	static const struct venue_deposit deposit[] = {{{"USDT", 4}, 1000 * TG_AMOUNT_ONE},
						       {{"BTC", 3}, TG_AMOUNT_ONE}};
	struct venue_options options = venue_options_default();
	char csv[128] = "";
	if (!made_up)
		snprintf(csv, sizeof csv, "%s/markets.csv", fixture_folder);
	struct venue *venue = NULL;
	options.csv = (struct tg_str){csv, strlen(csv)};
	options.ledger = (struct tg_str){ledger, strlen(ledger)};
	options.markets = 20;
	options.deposit = deposit;
	options.deposit_count = 2;
	if (venue_open(&options, NOW, &venue, error) != TG_OK && !error)
		printf("# the venue does not open\n");
	return venue;
}

/* Sum of deposits and fills of a currency, by the file alone; -1 if a record cannot be read. */
static tg_amount explained(const char *path, const char *name)
{
	static const struct {
		const char *currency, *amount;
		int sign;
	} parts[] = {{"currency", "amount", 1},
		     {"spent_currency", "spent", -1},
		     {"received_currency", "received", 1},
		     {"fee_currency", "fee", -1}};
	struct ledger ledger;
	struct tg_str record, kind, text;
	tg_amount sum = 0, part;
	if (ledger_open(&ledger, path, NULL) != TG_OK)
		return -1;
	while (ledger_next(&ledger, &record, NULL) == 1)
		for (size_t i = 0; i < 4; i++)
			if (record_text(record, "kind", &kind) && (kind.ptr[0] == 'd' || kind.ptr[0] == 'f') &&
			    record_text(record, parts[i].currency, &text) && text.len == strlen(name) &&
			    memcmp(text.ptr, name, text.len) == 0 && record_text(record, parts[i].amount, &text) &&
			    tg_amount_parse(text, &part) == TG_OK)
				sum += parts[i].sign * part;
	ledger_close(&ledger);
	return sum;
}

static void check_explained(const char *path, const char *const *names)
{
	struct venue *venue = venue_make(path, names[2] == NULL, NULL);
	tg_amount held[4] = {0};
	for (int i = 0; names[i]; i++)
		held[i] = balance(venue, names[i]).free + balance(venue, names[i]).locked;
	venue_close(venue);
	for (int i = 0; names[i]; i++)
		ok(explained(path, names[i]) == held[i], "%s is the sum of deposits and fills", names[i]);
}

static void a_restart_goes_on(void)
{
	static const char *const names[] = {"USDT", "A", "B", NULL};
	const char *path = fixture_path("restart.ledger");
	struct venue *venue = venue_make(path, false, NULL);
	place(venue, 0, TG_SIDE_BUY, TG_TIF_IOC, "bought", "10.10", "7");
	uint32_t rests = place(venue, 0, TG_SIDE_BUY, TG_TIF_GTC, "rests", "9.90", "3");
	uint32_t gone = place(venue, 1, TG_SIDE_BUY, TG_TIF_GTC, "gone", "1.90", "3");
	place(venue, 1, TG_SIDE_BUY, TG_TIF_IOC, "refused", "1.905", "3");
	venue_cancel(venue, NOW + 5, gone);
	char before[TG_AMOUNT_TEXT_MAX * 2];
	snprintf(before, sizeof before, "%s", funds(venue, "USDT"));
	struct tg_error error = tg_error_init();
	ok(!venue_make(path, false, &error) && error.code == TG_ERR_EXISTS, "two venues never share a ledger");
	venue_close(venue);

	venue = venue_make(path, false, NULL);
	const struct orders *orders = venue_orders(venue);
	is_str(funds(venue, "USDT"), before, "balances persist, locks too");
	is_int((long long)venue_run(venue), 2, "it is the second run");
	is_int(orders->count, 4, "all orders are known");
	is_int(orders->open_count, 1, "one is open");
	is_int(orders->order[rests].state, TG_ORDER_OPEN, "the one that rested");
	is_int(orders->order[gone].state, TG_ORDER_CANCELLED, "the cancelled one stays cancelled");
	is_int(orders->order[venue_find(venue, TG_STR("refused"), TG_STR(""))].reason, REASON_PRICE_FILTER,
	       "the refused one keeps its reason");
	uint32_t bought = venue_find(venue, TG_STR("bought"), TG_STR(""));
	is_int(orders->order[bought].filled, 70, "fills persist");
	is_int(side_best(&venue_engine(venue)->market[0].asks)->qty, 430, "what was bought is no longer on offer");
	ok(venue_time_ns(venue, NOW - TG_E9) >= NOW + 5, "its time does not run backwards");
	uint32_t next = place(venue, 0, TG_SIDE_BUY, TG_TIF_IOC, "next", "10.10", "1");
	is_int((long long)orders->fill[orders->order[next].first_fill].trade_id, 2, "trade ids go on");
	is_int(venue_cancel(venue, NOW, rests), TG_OK, "the resting order can be cancelled");
	venue_close(venue);
	check_explained(path, names);
}

static long file_size(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 ? (long)status.st_size : -1;
}

/* Cut a ledger at every byte: it opens, and is explained, wherever it was cut. */
static void torn_tails_are_cut(void)
{
	const char *path = fixture_path("torn.ledger"), *cut = fixture_path("cut.ledger");
	static char text[65536];
	struct venue *venue = venue_make(path, false, NULL);
	place(venue, 0, TG_SIDE_BUY, TG_TIF_GTC, "a", "10.10", "60");
	place(venue, 1, TG_SIDE_BUY, TG_TIF_IOC, "b", "2.01", "20");
	venue_close(venue);
	long size = file_size(path);
	FILE *file = fopen(path, "r");
	ok(size < (long)sizeof text && fread(text, 1, sizeof text, file) == (size_t)size, "a ledger of %ld bytes",
	   size);
	fclose(file);
	int opened = 0, sound = 0, empty = 0;
	for (long at = 0; at <= size; at++) {
		file = fopen(cut, "w");
		fwrite(text, 1, (size_t)at, file);
		fclose(file);
		venue = venue_make(cut, false, NULL);
		if (!venue)
			continue;
		opened++;
		tg_amount held = balance(venue, "USDT").free + balance(venue, "USDT").locked;
		empty += held == 0;
		venue_close(venue);
		sound += explained(cut, "USDT") == held;
	}
	is_int(opened, size + 1, "cut at every byte it opens");
	is_int(sound, size + 1, "and explains its balance");
	is_int(empty, 0, "a start that was cut short still pays the deposits in, once");
}

static void damage_is_refused(void)
{
	const char *path = fixture_path("damaged.ledger");
	struct tg_error error = tg_error_init();
	struct venue *venue = venue_make(path, false, NULL);
	place(venue, 0, TG_SIDE_BUY, TG_TIF_IOC, "a", "10.10", "2");
	venue_close(venue);
	int fd = open(path, O_WRONLY);
	ok(pwrite(fd, "7", 1, 20) == 1, "a digit is changed");
	close(fd);
	ok(!venue_make(path, false, &error), "a damaged ledger is refused");
	is_int(error.code, TG_ERR_CORRUPT, "as damaged");
	ok(strstr(error.message, "damaged.ledger:1: checksum is wrong"), "with file and line");
	fixture_write("noise.ledger", "this is\nno ledger\nat all\n");
	ok(!venue_make(fixture_path("noise.ledger"), false, &error), "so is something else");
	ok(!venue_make(fixture_folder, false, &error), "and a folder");
}

static void full_disk_stops_the_venue(void)
{
	const char *path = fixture_path("full.ledger");
	struct venue *venue = venue_make(path, false, NULL);
	venue_close(venue);
	pid_t child = fork();
	if (child == 0) { /* no file may grow beyond what it has */
		signal(SIGXFSZ, SIG_IGN);
		venue = venue_make(path, false, NULL);
		struct rlimit limit = {(rlim_t)file_size(path) + 30, (rlim_t)file_size(path) + 30};
		setrlimit(RLIMIT_FSIZE, &limit);
		venue_events_clear(venue);
		uint32_t count, order = INDEX_NONE;
		struct venue_request request = {0, TG_SIDE_BUY, TG_TIF_IOC, TG_STR("x"), decimal("10.10"), decimal("1"),
						0};
		int32_t first = venue_place(venue, NOW, &request, &order);
		venue_events(venue, &count);
		int32_t second = venue_step(venue, NOW);
		_exit(first == TG_ERR_IO && second == TG_ERR_IO && count == 0 ? 0 : 1);
	}
	int status = 1;
	waitpid(child, &status, 0);
	is_int(status, 0, "a ledger that cannot be written stops the venue without an event");
	venue = venue_make(path, false, NULL);
	ok(venue && venue_orders(venue)->count == 0, "and what was half written is gone");
	venue_close(venue);
}

/* A child trades until it is killed and tells each order over a pipe after venue_place returned. */
static _Noreturn void trade_until_killed(const char *path, int pipe_out)
{
	struct venue *venue = venue_make(path, true, NULL);
	for (uint64_t i = 0;; i++) {
		char id[32];
		snprintf(id, sizeof id, "k%llu-%llu", (unsigned long long)venue_run(venue), (unsigned long long)i);
		const struct venue_market *market = &venue_engine(venue)->market[0];
		const struct price_level *ask = side_best(&market->asks);
		const struct venue_request request = {
			.market = 0,
			.side = i % 2 ? TG_SIDE_SELL : TG_SIDE_BUY,
			.time_in_force = i % 3 ? TG_TIF_IOC : TG_TIF_GTC,
			.client_id = {id, strlen(id)},
			.price = {ask ? ask->price : market->tick, market->price_scale, 0},
			.qty = {market->lot * 300, market->qty_scale, 0}};
		uint32_t order = INDEX_NONE;
		venue_place(venue, NOW + (int64_t)i, &request, &order);
		venue_step(venue, NOW + (int64_t)i);
		venue_events_clear(venue);
		if (write(pipe_out, &order, sizeof order) != sizeof order)
			_exit(0);
	}
}

static void kill_loses_nothing(void)
{
	static const char *const names[] = {"USDT", "BTC", NULL};
	const char *path = fixture_path("kill.ledger");
	int lost = 0;
	uint32_t told = 0, known = 0;
	for (int round = 0; round < 8; round++) {
		int ends[2];
		if (pipe(ends) != 0)
			abort();
		pid_t child = fork();
		if (child == 0) {
			close(ends[0]);
			trade_until_killed(path, ends[1]);
		}
		close(ends[1]);
		uint32_t order, last = INDEX_NONE;
		for (int i = 0; i < 40 + 61 * round && read(ends[0], &order, sizeof order) == sizeof order; i++)
			last = order;
		kill(child, SIGKILL);
		while (read(ends[0], &order, sizeof order) == sizeof order)
			last = order;
		close(ends[0]);
		waitpid(child, NULL, 0);
		struct venue *venue = venue_make(path, true, NULL);
		if (!venue)
			break;
		told = last + 1;
		known = venue_orders(venue)->count;
		lost += known < told;
		venue_close(venue);
	}
	is_int(lost, 0, "every order that was told of is known after kill -9");
	ok(told > 1000 && known >= told, "%u told, %u known", told, known);
	check_explained(path, names);
}

/* What was told to a function. */
struct told {
	char text[65536];
	size_t used;
	int calls;
	bool whole; /* every call brought whole lines */
};

static void tell(void *ctx, const char *lines, size_t size)
{
	struct told *told = ctx;
	told->calls++;
	told->whole &= size > 0 && lines[size - 1] == '\n' && told->used + size <= sizeof told->text;
	if (told->whole)
		memcpy(told->text + told->used, lines, size);
	told->used += told->whole ? size : 0;
}

static void a_function_hears_the_same(void)
{
	static struct told told;
	static char text[65536];
	const char *path = fixture_path("told.ledger"), *csv = fixture_path("markets.csv");
	const struct venue_deposit deposit = {TG_STR("USDT"), 1000 * TG_AMOUNT_ONE};
	struct venue_options options = venue_options_default();
	options.csv = (struct tg_str){csv, strlen(csv)};
	options.deposit = &deposit;
	options.deposit_count = 1;
	told.whole = true;
	for (int i = 0; i < 2; i++) {
		struct venue *venue = NULL;
		options.ledger = (struct tg_str){path, strlen(path)};
		options.ledger_write = i ? tell : NULL;
		options.ledger_ctx = &told;
		is_int(venue_open(&options, NOW, &venue, NULL), TG_OK, "a venue that tells its ledger to a %s",
		       i ? "function" : "file");
		int before = told.calls;
		place(venue, 0, TG_SIDE_BUY, TG_TIF_IOC, "bought", "10.10", "7");
		is_int(told.calls - before, i, "an operation is told %s", i ? "at once" : "to the file alone");
		venue_set_status(venue, NOW, 1, TG_MARKET_DELISTED);
		venue_close(venue);
	}
	FILE *file = fopen(path, "r");
	size_t size = fread(text, 1, sizeof text, file);
	fclose(file);
	ok(told.whole, "in whole lines");
	ok(size == told.used && memcmp(text, told.text, size) == 0, "and the %zu bytes are the same", size);
}

int main(void)
{
	fixture_begin();
	fixture_write("markets.csv", markets);
	a_restart_goes_on();
	torn_tails_are_cut();
	damage_is_refused();
	full_disk_stops_the_venue();
	kill_loses_nothing();
	a_function_hears_the_same();
	fixture_end();
	return tap_done();
}
