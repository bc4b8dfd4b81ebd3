/* Every code of Binance's list as a class of the SDK's, and what a status makes of it. */
#include "exchanges/binance/failure.h"

#include <string.h>

#include "tests/tap.h"

static const struct {
	const char *what;
	int32_t status;
	int64_t code;
	int32_t changes, asks;
	int64_t wait_s;
} rows[] = {
	{"unknown, with an error of the server", 500, -1000, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE, 0},
	{"disconnected", 503, -1001, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE, 0},
	{"not allowed", 401, -1002, TG_ERR_REJECTED, TG_ERR_AUTH, 0},
	{"too much weight", 429, -1003, TG_ERR_RATE_LIMITED, TG_ERR_RATE_LIMITED, 60},
	{"banned", 418, -1003, TG_ERR_RATE_LIMITED, TG_ERR_RATE_LIMITED, 60},
	{"banned, without a code", 418, 0, TG_ERR_RATE_LIMITED, TG_ERR_RATE_LIMITED, 120},
	{"execution status unknown", 502, -1006, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE, 0},
	{"send status unknown", 504, -1007, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE, 0},
	{"the same, whatever the status", 400, -1007, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE, 0},
	{"busy", 503, -1008, TG_ERR_RETRYABLE, TG_ERR_RETRYABLE, 1},
	{"a filter", 400, -1013, TG_ERR_REJECTED, TG_ERR_REJECTED, 0},
	{"too many orders", 429, -1015, TG_ERR_RATE_LIMITED, TG_ERR_RATE_LIMITED, 10},
	{"the time", 400, -1021, TG_ERR_RETRYABLE, TG_ERR_RETRYABLE, 0},
	{"the signature", 400, -1022, TG_ERR_REJECTED, TG_ERR_AUTH, 0},
	{"a parameter", 400, -1102, TG_ERR_REJECTED, TG_ERR_REJECTED, 0},
	{"a symbol", 400, -1121, TG_ERR_REJECTED, TG_ERR_REJECTED, 0},
	{"a new order", 400, -2010, TG_ERR_REJECTED, TG_ERR_REJECTED, 0},
	{"a cancel", 400, -2011, TG_ERR_REJECTED, TG_ERR_REJECTED, 0},
	{"no such order", 400, -2013, TG_ERR_REJECTED, TG_ERR_NOT_FOUND, 0},
	{"the key's form", 401, -2014, TG_ERR_REJECTED, TG_ERR_AUTH, 0},
	{"the key", 401, -2015, TG_ERR_REJECTED, TG_ERR_AUTH, 0},
	{"archived", 400, -2026, TG_ERR_REJECTED, TG_ERR_NOT_FOUND, 0},
	{"half done", 409, -2021, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE, 0},
	{"half done, whatever the code", 409, -2010, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE, 0},
	{"a code that is not listed", 400, -9999, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE, 0},
	{"an error of the server, with a code that says more than it can know", 500, -2010, TG_ERR_UNKNOWN_OUTCOME,
	 TG_ERR_RETRYABLE, 0},
	{"the firewall", 403, 0, TG_ERR_RATE_LIMITED, TG_ERR_RATE_LIMITED, 60},
	{"nothing at all", 0, 0, TG_ERR_UNKNOWN_OUTCOME, TG_ERR_RETRYABLE, 0},
};

static void test_classes(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct tg_error error = tg_error_init();
		struct tg_str text = TG_STR("words");
		is_int(failure_classify(true, rows[i].status, rows[i].code, text, &error), rows[i].changes,
		       "%s: an order", rows[i].what);
		is_int(error.code, rows[i].changes, "%s: the same in the error", rows[i].what);
		is_int(error.exchange_code, rows[i].code, "%s: the code goes along", rows[i].what);
		is_int(error.retry_after_ns / 1000000000, rows[i].wait_s, "%s: how long to wait", rows[i].what);
		ok(strstr(error.message, "words") != NULL, "%s: the words: %s", rows[i].what, error.message);
		is_int(failure_classify(false, rows[i].status, rows[i].code, text, NULL), rows[i].asks, "%s: a look-up",
		       rows[i].what);
	}
}

/* "Error codes for Binance": none of them is left to the rule for those that are not listed. */
static void test_listed(void)
{
	static const int16_t codes[] = {
		-1000, -1001, -1002, -1003, -1006, -1007, -1008, -1010, -1013, -1014, -1015, -1016, -1020, -1021, -1022,
		-1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111, -1112, -1114, -1115, -1116, -1117, -1118,
		-1119, -1120, -1121, -1122, -1125, -1127, -1128, -1130, -1134, -1135, -1139, -1145, -1151, -1152, -1153,
		-1155, -1158, -1160, -1161, -1165, -1166, -1168, -1169, -1170, -1171, -1172, -1173, -1174, -1175, -1176,
		-1177, -1178, -1179, -1180, -1181, -1182, -1183, -1184, -1185, -1186, -1187, -1188, -1189, -1190, -1191,
		-1194, -1196, -1197, -1198, -1199, -2010, -2011, -2013, -2014, -2015, -2016, -2021, -2022, -2026};
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		struct tg_error error = tg_error_init();
		failure_classify(true, 400, codes[i], TG_STR(""), &error);
		if (strstr(error.message, "(code "))
			ok(false, "%d has no line", codes[i]);
	}
	ok(true, "every code has its line");
}

static void test_read(void)
{
	static const struct {
		const char *bytes;
		int64_t code;
		const char *text;
	} bodies[] = {
		{"{\"code\":-1121,\"msg\":\"Invalid symbol.\"}", -1121, "Invalid symbol."},
		{" { \"msg\" : \"m\" , \"data\" : [1,{}] , \"code\" : -1 } ", -1, "m"},
		{"{\"code\":-1}", -1, ""},
		{"{\"code\":-1,\"msg\":\"0123456789012345678901234567890123456789\"}", -1,
		 "012345678901234567890123456789\x30"},
		{"{\"code\":-1,\"msg\":\"012345678901234567890123456789\xe2\x82\xac\"}", -1,
		 "012345678901234567890123456789"},
		{"", 0, NULL},
		{"{}", 0, NULL},
		{"{\"code\":0}", 0, NULL},
		{"{\"code\":\"-1\"}", 0, NULL},
		{"{\"code\":-}", 0, NULL},
		{"{\"code\":- 1}", 0, NULL},
		{"{\"code\":-99999999999999999999}", 0, NULL},
		{"{\"code\":-1", 0, NULL},
		{"{\"code\":-1}}", 0, NULL},
		{"{\"msg\":\"x\"}", 0, NULL},
		{"<html>", 0, NULL},
		{"[1]", 0, NULL},
	};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		char text[32] = "";
		size_t count = strlen(bodies[i].bytes);
		uint8_t *exact = malloc(count + 1);
		memcpy(exact, bodies[i].bytes, count);
		is_int(failure_read(exact, count, text, sizeof text), bodies[i].code, "'%s'", bodies[i].bytes);
		if (bodies[i].text)
			is_str(text, bodies[i].text, "'%s': its text", bodies[i].bytes);
		free(exact);
	}
}

int main(void)
{
	test_classes();
	test_listed();
	test_read();
	return tap_done();
}
