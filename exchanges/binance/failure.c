#include "exchanges/binance/failure.h"

#include <string.h>

#include "exchanges/binance/scan.h"

#define E9 INT64_C(1000000000)

/* What a code means: for a request that places or cancels, and for one that only asks. An order that is refused for the
 * key's sake was not accepted, which is all that its owner needs to know: "all else is unknown" (exchange.h). */
#define MEANING_TABLE(X) \
	X(REFUSED, TG_ERR_REJECTED, TG_ERR_REJECTED) \
	X(ABSENT, TG_ERR_REJECTED, TG_ERR_NOT_FOUND) \
	X(KEY, TG_ERR_REJECTED, TG_ERR_AUTH) \
	X(LATER, TG_ERR_RETRYABLE, TG_ERR_RETRYABLE) \
	X(LIMITED, TG_ERR_RATE_LIMITED, TG_ERR_RATE_LIMITED) \
	X(UNKNOWN, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE)

#define MEANING_CONST(name, changes, asks) name,
enum meaning { MEANING_TABLE(MEANING_CONST) };
#define MEANING_ROW(name, changes, asks) {changes, asks},
static const int32_t MEANINGS[][2] = {MEANING_TABLE(MEANING_ROW)};

/* X(code, name, meaning, seconds to wait): "Error codes for Binance" of the spot API docs. */
#define CODE_TABLE(X) \
	X(-1000, UNKNOWN, UNKNOWN, 0) \
	X(-1001, DISCONNECTED, UNKNOWN, 0) \
	X(-1002, UNAUTHORIZED, KEY, 0) \
	X(-1003, TOO_MANY_REQUESTS, LIMITED, 60) \
	X(-1006, UNEXPECTED_RESP, UNKNOWN, 0) \
	X(-1007, TIMEOUT, UNKNOWN, 0) \
	X(-1008, SERVER_BUSY, LATER, 1) \
	X(-1010, ERROR_MSG_RECEIVED, REFUSED, 0) \
	X(-1013, INVALID_MESSAGE, REFUSED, 0) \
	X(-1014, UNKNOWN_ORDER_COMPOSITION, REFUSED, 0) \
	X(-1015, TOO_MANY_ORDERS, LIMITED, 10) \
	X(-1016, SERVICE_SHUTTING_DOWN, UNKNOWN, 0) \
	X(-1020, UNSUPPORTED_OPERATION, REFUSED, 0) \
	X(-1021, INVALID_TIMESTAMP, LATER, 0) \
	X(-1022, INVALID_SIGNATURE, KEY, 0) \
	X(-1033, COMP_ID_IN_USE, REFUSED, 0) \
	X(-1034, TOO_MANY_CONNECTIONS, LIMITED, 60) \
	X(-1035, LOGGED_OUT, LATER, 0) \
	X(-1100, ILLEGAL_CHARS, REFUSED, 0) \
	X(-1101, TOO_MANY_PARAMETERS, REFUSED, 0) \
	X(-1102, MANDATORY_PARAM_EMPTY_OR_MALFORMED, REFUSED, 0) \
	X(-1103, UNKNOWN_PARAM, REFUSED, 0) \
	X(-1104, UNREAD_PARAMETERS, REFUSED, 0) \
	X(-1105, PARAM_EMPTY, REFUSED, 0) \
	X(-1106, PARAM_NOT_REQUIRED, REFUSED, 0) \
	X(-1108, PARAM_OVERFLOW, REFUSED, 0) \
	X(-1111, BAD_PRECISION, REFUSED, 0) \
	X(-1112, NO_DEPTH, REFUSED, 0) \
	X(-1114, TIF_NOT_REQUIRED, REFUSED, 0) \
	X(-1115, INVALID_TIF, REFUSED, 0) \
	X(-1116, INVALID_ORDER_TYPE, REFUSED, 0) \
	X(-1117, INVALID_SIDE, REFUSED, 0) \
	X(-1118, EMPTY_NEW_CL_ORD_ID, REFUSED, 0) \
	X(-1119, EMPTY_ORG_CL_ORD_ID, REFUSED, 0) \
	X(-1120, BAD_INTERVAL, REFUSED, 0) \
	X(-1121, BAD_SYMBOL, REFUSED, 0) \
	X(-1122, INVALID_SYMBOLSTATUS, REFUSED, 0) \
	X(-1125, INVALID_LISTEN_KEY, REFUSED, 0) \
	X(-1127, MORE_THAN_XX_HOURS, REFUSED, 0) \
	X(-1128, OPTIONAL_PARAMS_BAD_COMBO, REFUSED, 0) \
	X(-1130, INVALID_PARAMETER, REFUSED, 0) \
	X(-1134, BAD_STRATEGY_TYPE, REFUSED, 0) \
	X(-1135, INVALID_JSON, REFUSED, 0) \
	X(-1139, INVALID_TICKER_TYPE, REFUSED, 0) \
	X(-1145, INVALID_CANCEL_RESTRICTIONS, REFUSED, 0) \
	X(-1151, DUPLICATE_SYMBOLS, REFUSED, 0) \
	X(-1152, INVALID_SBE_HEADER, REFUSED, 0) \
	X(-1153, UNSUPPORTED_SCHEMA_ID, REFUSED, 0) \
	X(-1155, SBE_DISABLED, REFUSED, 0) \
	X(-1158, OCO_ORDER_TYPE_REJECTED, REFUSED, 0) \
	X(-1160, OCO_ICEBERGQTY_TIMEINFORCE, REFUSED, 0) \
	X(-1161, DEPRECATED_SCHEMA, REFUSED, 0) \
	X(-1165, BUY_OCO_LIMIT_MUST_BE_BELOW, REFUSED, 0) \
	X(-1166, SELL_OCO_LIMIT_MUST_BE_ABOVE, REFUSED, 0) \
	X(-1168, BOTH_OCO_ORDERS_CANNOT_BE_LIMIT, REFUSED, 0) \
	X(-1169, INVALID_TAG_NUMBER, REFUSED, 0) \
	X(-1170, TAG_NOT_DEFINED_IN_MESSAGE, REFUSED, 0) \
	X(-1171, TAG_APPEARS_MORE_THAN_ONCE, REFUSED, 0) \
	X(-1172, TAG_OUT_OF_ORDER, REFUSED, 0) \
	X(-1173, GROUP_FIELDS_OUT_OF_ORDER, REFUSED, 0) \
	X(-1174, INVALID_COMPONENT, REFUSED, 0) \
	X(-1175, RESET_SEQ_NUM_SUPPORT, REFUSED, 0) \
	X(-1176, ALREADY_LOGGED_IN, REFUSED, 0) \
	X(-1177, GARBLED_MESSAGE, REFUSED, 0) \
	X(-1178, BAD_SENDER_COMPID, REFUSED, 0) \
	X(-1179, BAD_SEQ_NUM, REFUSED, 0) \
	X(-1180, EXPECTED_LOGON, REFUSED, 0) \
	X(-1181, TOO_MANY_MESSAGES, LIMITED, 1) \
	X(-1182, PARAMS_BAD_COMBO, REFUSED, 0) \
	X(-1183, NOT_ALLOWED_IN_DROP_COPY_SESSIONS, REFUSED, 0) \
	X(-1184, DROP_COPY_SESSION_NOT_ALLOWED, REFUSED, 0) \
	X(-1185, DROP_COPY_SESSION_REQUIRED, REFUSED, 0) \
	X(-1186, NOT_ALLOWED_IN_ORDER_ENTRY_SESSIONS, REFUSED, 0) \
	X(-1187, NOT_ALLOWED_IN_MARKET_DATA_SESSIONS, REFUSED, 0) \
	X(-1188, INCORRECT_NUM_IN_GROUP_COUNT, REFUSED, 0) \
	X(-1189, DUPLICATE_ENTRIES_IN_A_GROUP, REFUSED, 0) \
	X(-1190, INVALID_REQUEST_ID, REFUSED, 0) \
	X(-1191, TOO_MANY_SUBSCRIPTIONS, REFUSED, 0) \
	X(-1194, INVALID_TIME_UNIT, REFUSED, 0) \
	X(-1196, BUY_OCO_STOP_LOSS_MUST_BE_ABOVE, REFUSED, 0) \
	X(-1197, SELL_OCO_STOP_LOSS_MUST_BE_BELOW, REFUSED, 0) \
	X(-1198, BUY_OCO_TAKE_PROFIT_MUST_BE_BELOW, REFUSED, 0) \
	X(-1199, SELL_OCO_TAKE_PROFIT_MUST_BE_ABOVE, REFUSED, 0) \
	X(-1210, INVALID_PEG_PRICE_TYPE, REFUSED, 0) \
	X(-1211, INVALID_PEG_OFFSET_TYPE, REFUSED, 0) \
	X(-1220, SYMBOL_DOES_NOT_MATCH_STATUS, REFUSED, 0) \
	X(-1221, INVALID_SBE_MESSAGE_FIELD, REFUSED, 0) \
	X(-1222, OPO_WORKING_MUST_BE_BUY, REFUSED, 0) \
	X(-1223, OPO_PENDING_MUST_BE_SELL, REFUSED, 0) \
	X(-1224, WORKING_PARAM_REQUIRED, REFUSED, 0) \
	X(-1225, PENDING_PARAM_NOT_REQUIRED, REFUSED, 0) \
	X(-2010, NEW_ORDER_REJECTED, REFUSED, 0) \
	X(-2011, CANCEL_REJECTED, REFUSED, 0) \
	X(-2013, NO_SUCH_ORDER, ABSENT, 0) \
	X(-2014, BAD_API_KEY_FMT, KEY, 0) \
	X(-2015, REJECTED_MBX_KEY, KEY, 0) \
	X(-2016, NO_TRADING_WINDOW, REFUSED, 0) \
	X(-2021, CANCEL_REPLACE_PARTIALLY_FAILED, UNKNOWN, 0) \
	X(-2022, CANCEL_REPLACE_FAILED, REFUSED, 0) \
	X(-2026, ORDER_ARCHIVED, ABSENT, 0) \
	X(-2035, SUBSCRIPTION_ACTIVE, REFUSED, 0) \
	X(-2036, SUBSCRIPTION_INACTIVE, REFUSED, 0) \
	X(-2038, ORDER_AMEND_REJECTED, REFUSED, 0) \
	X(-2039, CLIENT_ORDER_ID_INVALID, REFUSED, 0) \
	X(-2042, MAXIMUM_SUBSCRIPTION_IDS, REFUSED, 0) \
	X(-4056, HMAC_SHA256_NOT_SUPPORTED, KEY, 0)

#define CODE_ROW(code, name, meaning, seconds) {code, #name, meaning, seconds},
static const struct {
	int64_t code;
	const char *name;
	enum meaning meaning;
	int64_t wait_s;
} CODES[] = {CODE_TABLE(CODE_ROW)};

#define UNLISTED (sizeof CODES / sizeof CODES[0])

static size_t row_of(int64_t code)
{
	size_t row = 0;
	while (row < UNLISTED && CODES[row].code != code)
		row++;
	return row;
}

/* The engine has an order by this client id already. Ids are used once, so it is this very one: something on the way
 * sent it twice, and what the other copy came to is not said here. */
static bool is_duplicate(size_t row, struct tg_str text)
{
	static const char SAID[] = "Duplicate order sent";
	bool of_engine = row < UNLISTED && (CODES[row].code == -2010 || CODES[row].code == -1010);
	return of_engine && text.len >= sizeof SAID - 1 && memcmp(text.ptr, SAID, sizeof SAID - 1) == 0;
}

/* The status says more than the code where they part: what a server in trouble says of an order is no proof. Busy and
 * too many are said before anything is done ("-1008 SERVER_BUSY", "429"). */
static enum meaning meaning_of(int32_t status, size_t row, struct tg_str text)
{
	if (status == 429 || status == 418)
		return LIMITED;
	if (status == 403) /* "you have been blocked by the Web Application Firewall" */
		return LIMITED;
	if (is_duplicate(row, text))
		return UNKNOWN;
	enum meaning meaning = row < UNLISTED ? CODES[row].meaning : UNKNOWN;
	bool busy = row < UNLISTED && meaning == LATER;
	bool doubtful = status >= 500 || status == 409; /* "partially failed but also partially succeeded" */
	return doubtful && !busy ? UNKNOWN : meaning;
}

static int64_t wait_of(int32_t status, size_t row)
{
	if (row < UNLISTED && CODES[row].wait_s)
		return CODES[row].wait_s;
	switch (status) {
	case 418: return 120; /* "bans scale in duration from 2 minutes to 3 days" */
	case 429:
	case 403: return 60;
	default: return 0;
	}
}

int32_t failure_classify(bool changes, int32_t status, int64_t code, struct tg_str text, struct tg_error *ret_error)
{
	size_t row = row_of(code);
	const int32_t *meant = MEANINGS[meaning_of(status, row, text)];
	int32_t meaning = changes ? meant[0] : meant[1];
	tg_error_set(ret_error, meaning, "Binance: %.*s (%s%s%lld, status %d)", (int)(text.len < 160 ? text.len : 160),
		     text.ptr ? text.ptr : "", row < UNLISTED ? CODES[row].name : "", row < UNLISTED ? " " : "code ",
		     (long long)code, status);
	if (ret_error) {
		ret_error->exchange_code = code;
		ret_error->retry_after_ns = wait_of(status, row) * E9;
	}
	return meaning;
}

/* ---------------------------------------------------------------- reading */

static bool key_is(const struct scan_string *key, const char *name)
{
	return key->count == strlen(name) && memcmp(key->bytes, name, key->count) == 0;
}

static int member_read(struct scan *scan, int64_t *code, struct scan_string *text)
{
	struct scan_string key;
	int status = scan_string(scan, &key);
	if (!status && !scan_take(scan, ':'))
		status = scan_expected(scan);
	if (status)
		return status;
	if (key_is(&key, "code"))
		return scan_i64(scan, code);
	return key_is(&key, "msg") ? scan_string(scan, text) : scan_skip(scan);
}

/* As much as fits, NUL-terminated and not cut within a character. */
static void text_copy(const struct scan_string *text, char *to, size_t room)
{
	size_t count = text->count < room - 1 ? text->count : room - 1;
	while (count > 0 && count < text->count && (text->bytes[count] & 0xc0) == 0x80)
		count--;
	memcpy(to, text->count ? (const char *)text->bytes : "", count);
	to[count] = '\0';
}

int64_t failure_read(const uint8_t *bytes, size_t count, char *ret_text, size_t room)
{
	struct scan scan = {bytes, bytes + count};
	struct scan_string text = {(const uint8_t *)"", 0, false};
	int64_t code = 0;
	if (!scan_take(&scan, '{'))
		return 0;
	do {
		if (member_read(&scan, &code, &text))
			return 0;
	} while (scan_take(&scan, ','));
	if (!scan_take(&scan, '}') || scan_peek(&scan) != 0 || code == 0)
		return 0;
	text_copy(&text, ret_text, room);
	return code;
}
