#include "core/cli/venue_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "venue/binance/listener.h"

#define DEFAULT_DIR "./trigate-venue"
#define DEFAULT_LISTEN "127.0.0.1:8443"
#define DAY_MS INT64_C(86400000)
#define INFO_MAX (128 << 20) /* Binance's own is 20 MB */

/* "HOST:PORT", "[::1]:PORT" */
static int listen_read(const struct arguments *args, struct venue_wishes *wishes)
{
	const char *text = arguments_text(args, "listen");
	text = text ? text : DEFAULT_LISTEN;
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	char *end = NULL;
	long port = colon && colon[1] >= '0' && colon[1] <= '9' ? strtol(colon + 1, &end, 10) : -1;
	if (port < 0 || port > UINT16_MAX || *end || !length || length >= sizeof wishes->host)
		return cli_misuse(
			args, "--listen: \"%s\" is not HOST:PORT, as in " DEFAULT_LISTEN "; port 0: a free one", text);
	bool bracketed = text[0] == '[' && text[length - 1] == ']';
	snprintf(wishes->host, sizeof wishes->host, "%.*s", (int)length - 2 * bracketed, text + bracketed);
	wishes->server.host = wishes->host;
	wishes->server.port = (uint16_t)port;
	if (!listener_is_local(wishes->host) && !arguments_given(args, "public"))
		return cli_misuse(
			args,
			"--listen: %s is not an address of this machine alone; with --public others may reach "
			"the venue, too",
			wishes->host);
	return 0;
}

static int deposits_read(const struct arguments *args, struct venue_wishes *wishes)
{
	uint32_t count = 0;
	const char *text;
	while ((text = arguments_nth(args, "balance", count))) {
		const char *equals = strchr(text, '=');
		if (count == DEPOSITS_MAX)
			return cli_misuse(args, "--balance: at most %d currencies", DEPOSITS_MAX);
		struct venue_deposit *deposit = &wishes->deposit[count++];
		if (!equals || equals == text ||
		    tg_amount_parse((struct tg_str){equals + 1, strlen(equals + 1)}, &deposit->amount) ||
		    deposit->amount < 0)
			return cli_misuse(args, "--balance: \"%s\" is not CURRENCY=AMOUNT, as in USDT=10000", text);
		deposit->currency = (struct tg_str){text, (size_t)(equals - text)};
	}
	if (!count)
		wishes->deposit[count++] = (struct venue_deposit){TG_STR("USDT"), 10000 * TG_AMOUNT_ONE};
	wishes->venue.deposit = wishes->deposit;
	wishes->venue.deposit_count = count;
	return 0;
}

static int rate_read(const struct arguments *args, const char *name, struct tg_decimal *rate)
{
	const char *text = arguments_text(args, name);
	if (text && tg_decimal_parse((struct tg_str){text, strlen(text)}, rate))
		return cli_misuse(args, "--%s: \"%s\" is no number, as in 7.5", name, text);
	return 0;
}

static char *file_read(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0, room = 1 << 20, got = 1;
	while (file && got > 0 && size < INFO_MAX) {
		char *grown = !text || size == room ? realloc(text, room *= 2) : text;
		if (!grown)
			break;
		text = grown;
		got = fread(text + size, 1, room - size, file);
		size += got;
	}
	bool whole = file && got == 0 && !ferror(file);
	if (file)
		fclose(file);
	if (whole) {
		*ret_size = size;
		return text;
	}
	free(text);
	return NULL;
}

static int info_read(const struct arguments *args, struct venue_wishes *wishes)
{
	const char *path = arguments_text(args, "exchange-info");
	struct tg_error error = tg_error_init();
	size_t size = 0;
	if (!path)
		return 0;
	if (arguments_given(args, "markets"))
		return cli_misuse(args, "--markets and --exchange-info exclude each other");
	char *text = file_read(path, &size);
	if (!text)
		return cli_misuse(args, "--exchange-info: cannot read %s: %s", path, strerror(errno));
	int status = binance_world_read(text, size, wishes->venue.deposit_count + 1, &wishes->world, &error);
	free(text);
	if (status)
		return cli_misuse(args, "--exchange-info: %s: %s", path, error.message);
	wishes->venue.world = &wishes->world;
	return 0;
}

static void numbers_read(const struct arguments *args, struct venue_wishes *wishes)
{
	struct venue_options *venue = &wishes->venue;
	struct binance_options *binance = &wishes->server.channels.binance;
	const struct {
		const char *name;
		int64_t *value;
	} numbers[] = {
		{"markets", &venue->markets},
		{"step-ms", &venue->step_ms},
		{"levels", &venue->levels},
		{"opportunities-per-minute", &venue->opportunities_per_minute},
		{"lifetime-ms", &venue->lifetime_ms},
		{"halts-per-hour", &venue->halts_per_hour},
		{"filter-changes-per-hour", &venue->filter_changes_per_hour},
		{"weight-limit", &binance->limits.weight_minute},
		{"order-limit", &binance->limits.orders_10s},
		{"ban-ms", &binance->limits.ban_ms},
		{"connection-limit", &binance->limits.connections_5m},
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		*numbers[i].value = arguments_number(args, numbers[i].name, *numbers[i].value);
	venue->seed = (uint64_t)arguments_number(args, "seed", (int64_t)venue->seed);
	binance->connection_life_ms = DAY_MS / arguments_number(args, "time-scale", 1);
	if (arguments_given(args, "life-s"))
		binance->connection_life_ms = arguments_number(args, "life-s", 0) * 1000;
	if (arguments_given(args, "ping-s"))
		binance->ping_ms = arguments_number(args, "ping-s", 0) * 1000;
	if (arguments_given(args, "order-limit"))
		binance->limits.orders_day = 2000 * binance->limits.orders_10s; /* Binance's proportion */
	wishes->server.channels.unsent_max = (size_t)arguments_number(args, "unread-mb", 32) << 20;
}

int venue_wishes_read(const struct arguments *args, struct venue_wishes *ret_wishes)
{
	struct venue_wishes *wishes = ret_wishes;
	const char *dir = arguments_text(args, "dir"), *fee_currency = arguments_text(args, "fee-currency");
	*wishes = (struct venue_wishes){.dir = dir ? dir : DEFAULT_DIR,
					.tls = !arguments_given(args, "plain"),
					.json = arguments_given(args, "json"),
					.venue = venue_options_default()};
	wishes->server.channels = channels_options_default();
	wishes->server.channels.binance.control = arguments_given(args, "control");
	wishes->server.spin = arguments_given(args, "spin");
	if (fee_currency)
		wishes->venue.fee_currency = wishes->server.channels.binance.fee_currency =
			(struct tg_str){fee_currency, strlen(fee_currency)};
	numbers_read(args, wishes);
	int code = listen_read(args, wishes);
	if (!code)
		code = deposits_read(args, wishes);
	if (!code)
		code = rate_read(args, "taker-bps", &wishes->venue.taker_bps);
	if (!code)
		code = rate_read(args, "maker-bps", &wishes->venue.maker_bps);
	if (!code)
		code = info_read(args, wishes);
	wishes->server.step_ms = wishes->venue.step_ms;
	return code;
}

#define NUMBER(option, what, low, high, text) \
	{ \
		.name = (option), .kind = OPTION_NUMBER, .argument = (what), .least = (low), .most = (high), \
		.help = (text) \
	}

const struct option_spec venue_options[] = {
	{.name = "dir",
	 .letter = 'd',
	 .kind = OPTION_TEXT,
	 .argument = "DIR",
	 .help = "folder of ledger, certificate and API keys, made if it is not there (default: " DEFAULT_DIR ")"},
	{.name = "listen",
	 .letter = 'l',
	 .kind = OPTION_TEXT,
	 .argument = "HOST:PORT",
	 .help = "where clients connect; port 0: a free one (default: " DEFAULT_LISTEN ")"},
	{.name = "public", .kind = OPTION_FLAG, .help = "let --listen name an address that other machines reach"},
	{.name = "plain", .kind = OPTION_FLAG, .help = "without TLS"},
	NUMBER("seed", "N", 0, INT64_MAX, "of the made-up prices (default: 1)"),
	NUMBER("markets", "N", WORLD_MARKETS_MIN, WORLD_MARKETS_MAX, "how many markets are made up (default: 250)"),
	{.name = "exchange-info",
	 .kind = OPTION_TEXT,
	 .argument = "FILE",
	 .help = "markets and filters of a recorded /api/v3/exchangeInfo, with made-up prices"},
	{.name = "balance",
	 .kind = OPTION_TEXT,
	 .argument = "CUR=AMOUNT",
	 .repeats = true,
	 .help = "what the account begins with; may be repeated; of no effect on a ledger that is there (default: "
		 "USDT=10000)"},
	{.name = "taker-bps", .kind = OPTION_TEXT, .argument = "N", .help = "fee in basis points (default: 7.5)"},
	{.name = "maker-bps", .kind = OPTION_TEXT, .argument = "N", .help = "fee in basis points (default: 7.5)"},
	{.name = "fee-currency",
	 .kind = OPTION_TEXT,
	 .argument = "CUR",
	 .help = "take fees in this currency, such as BNB (default: the received one)"},
	NUMBER("step-ms", "N", 1, 60000, "time between two moves of the markets (default: 10)"),
	NUMBER("levels", "N", 1, VENUE_LEVELS_MAX, "levels a side that are quoted (default: 10)"),
	NUMBER("opportunities-per-minute", "N", 0, 60000, "mispriced triangles that begin in a minute (default: 90)"),
	NUMBER("lifetime-ms", "N", 1, 60000,
	       "shortest life of a mispricing; the mean is four times as long (default: 200)"),
	NUMBER("halts-per-hour", "N", 0, 36000, "markets that stop for a while (default: 0)"),
	NUMBER("filter-changes-per-hour", "N", 0, 36000,
	       "changes of a market's tick, lot or least notional (default: 0)"),
	{.name = "control", .kind = OPTION_FLAG, .help = "let clients ask for faults under /control/"},
	NUMBER("time-scale", "N", 1, 1000000, "close WebSocket connections after 24 h / N (default: 1)"),
	NUMBER("life-s", "N", 1, 86400, "close WebSocket connections after so many seconds"),
	NUMBER("ping-s", "N", 1, 86400, "time between two pings of the venue (default: 20)"),
	NUMBER("weight-limit", "N", 1, 1000000000, "request weight of an address in a minute (default: 6000)"),
	NUMBER("order-limit", "N", 1, 1000000, "orders in ten seconds; 2000 times as many in a day (default: 100)"),
	NUMBER("ban-ms", "N", 1, 259200000,
	       "length of an address's first ban; each further one is twice as long (default: 120000)"),
	NUMBER("connection-limit", "N", 1, 1000000, "connections of an address in five minutes (default: 300)"),
	NUMBER("unread-mb", "N", 8, 1024, "MB that a client may leave unread before it is cut off (default: 32)"),
	{.name = "spin", .kind = OPTION_FLAG, .help = "never sleep: a whole core for some microseconds less"},
	{.name = "log-level",
	 .kind = OPTION_CHOICE,
	 .argument = "LEVEL",
	 .choices = "debug|info|warn|error",
	 .help = "debug: every request and message, on stderr (default: info)"},
	OPTION_JSON,
	OPTION_END,
};
