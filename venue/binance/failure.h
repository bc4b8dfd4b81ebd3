/* What the API answers when it refuses: codes and texts are Binance's ("Error codes for Binance", spot API docs,
 * 2026-07). Owner: the call that failed. */
#ifndef TRIGATE_VENUE_BINANCE_FAILURE_H
#define TRIGATE_VENUE_BINANCE_FAILURE_H

#include "venue/binance/text.h"

#define FAILURE_TEXT_MAX 256

/* X(NAME, HTTP status, code, text); the text is a format where the refusal names something. */
#define FAILURE_TABLE(X) \
	X(UNKNOWN, 500, -1000, "An unknown error occurred while processing the request.") \
	X(DISCONNECTED, 503, -1001, "Internal error; unable to process your request. Please try again.") \
	X(WEIGHT, 429, -1003, \
	  "Too much request weight used; current limit is %s request weight per %s. Please use " \
	  "WebSocket Streams for live updates to avoid polling the API.") \
	X(BANNED, 418, -1003, \
	  "Way too much request weight used; IP banned until %s. Please use WebSocket Streams for " \
	  "live updates to avoid bans.") \
	X(UNEXPECTED, 502, -1006, \
	  "An unexpected response was received from the message bus. Execution status unknown.") \
	X(TIMEOUT, 504, -1007, \
	  "Timeout waiting for response from backend server. Send status unknown; execution status " \
	  "unknown.") \
	X(BUSY, 503, -1008, "Server is currently overloaded with other requests. Please try again in a few minutes.") \
	X(TOO_MANY_ORDERS, 429, -1015, "Too many new orders; current limit is %s orders per %s.") \
	X(UNSUPPORTED, 400, -1020, "This operation is not supported.") \
	X(TIMESTAMP_LATE, 400, -1021, "Timestamp for this request is outside of the recvWindow.") \
	X(TIMESTAMP_EARLY, 400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.") \
	X(SIGNATURE, 400, -1022, "Signature for this request is not valid.") \
	X(ILLEGAL, 400, -1100, "Illegal characters found in parameter '%s'; legal range is '%s'.") \
	X(ILLEGAL_TEXT, 400, -1100, "Illegal characters found in a parameter.") \
	X(TOO_MANY, 400, -1101, "Too many parameters; expected '%s' and received '%s'.") \
	X(DUPLICATE, 400, -1101, "Duplicate values for a parameter detected.") \
	X(MANDATORY, 400, -1102, "Mandatory parameter '%s' was not sent, was empty/null, or malformed.") \
	X(EITHER, 400, -1102, "Param '%s' or '%s' must be sent, but both were empty/null!") \
	X(TOO_GREAT, 400, -1102, "'%s' contains unexpected value. Cannot be greater than '%s'.") \
	X(UNREAD, 400, -1104, "Not all sent parameters were read; read '%s' parameter(s) but was sent '%s'.") \
	X(EMPTY, 400, -1105, "Parameter '%s' was empty.") \
	X(NOT_REQUIRED, 400, -1106, "Parameter '%s' sent when not required.") \
	X(PRECISION, 400, -1111, "Parameter '%s' has too much precision.") \
	X(TIME_IN_FORCE, 400, -1115, "Invalid timeInForce.") \
	X(ORDER_TYPE, 400, -1116, "Invalid orderType.") \
	X(SIDE, 400, -1117, "Invalid side.") \
	X(SYMBOL, 400, -1121, "Invalid symbol.") \
	X(HOURS, 400, -1127, "More than %s hours between startTime and endTime.") \
	X(COMBINATION, 400, -1128, "Combination of optional parameters invalid.") \
	X(DATA, 400, -1130, "Data sent for parameter '%s' is not valid.") \
	X(JSON, 400, -1135, "Invalid JSON Request") \
	X(JSON_PARAMETER, 400, -1135, "JSON sent for parameter '%s' is not valid") \
	X(DUPLICATE_SYMBOLS, 400, -1151, "Symbol is present multiple times in the list.") \
	X(CANCEL_UNKNOWN, 400, -2011, "Unknown order sent.") \
	X(NO_ORDER, 400, -2013, "Order does not exist.") \
	X(KEY_FORMAT, 401, -2014, "API-key format invalid.") \
	X(KEY, 401, -2015, "Invalid API-key, IP, or permissions for action.") \
	X(HMAC_LOGON, 400, -4056, "HMAC_SHA256 API key is not supported.") \
	X(VENUE, 400, 0, "%s")

#define FAILURE_CONST(name, status, code, text) FAIL_##name,
enum failure_kind { FAIL_NONE, FAILURE_TABLE(FAILURE_CONST) FAIL_COUNT };
#undef FAILURE_CONST

struct failure {
	enum failure_kind kind;
	int32_t status; /* of HTTP, and of the WebSocket API's answer */
	int32_t code;
	char text[FAILURE_TEXT_MAX];
};

/* Fill it; a and b go where the text names something, and may be NULL where it does not. Returns false, so that a check
 * can `return failure_set(...)`. */
bool failure_set(struct failure *failure, enum failure_kind kind, const char *a, const char *b);

#endif
