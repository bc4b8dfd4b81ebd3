/* Show "binance-frames", our half: exchanges/binance and core/market do what they are told and say what came of it, so
 * that tests/shows/binance-frames.py can judge. One command a line on stdin, a JSON list of its name and arguments, all
 * text; the answer is lines of JSON on stdout, the last one "end". The time is an argument, the wire is the other half.
 * Owner: the one thread. */
#ifndef TRIGATE_TESTS_FRAMES_H
#define TRIGATE_TESTS_FRAMES_H

#include <json-c/json.h>

#include <trigate/error.h>

#include "core/market/market.h"
#include "exchanges/binance/catalogue.h"
#include "exchanges/binance/credential.h"

#define ARGUMENTS_MAX 96
#define MS INT64_C(1000000)

/* ---- say.c: the command's words; what is said to it */
extern const char *argument[ARGUMENTS_MAX];
extern size_t argument_count;
extern struct json_object *said; /* between say_begin and say_end */
_Noreturn void misuse(const char *why);
const char *word(size_t i); /* "" behind the last */
int64_t number(size_t i);
struct tg_str text_of(const char *text);
void say_begin(const char *event);
void say_text(const char *key, struct tg_str value);
void say_number(const char *key, int64_t value);
void say_decimal(const char *key, struct tg_decimal value);
void say_amount(const char *key, struct tg_money value);
void say_end(void);
void say_status(const char *event, int32_t status, const struct tg_error *error);

/* ---- requests.c */
extern struct credential credential;
void key_command(void);
void sign_command(void);
void query_command(void);
void encode_command(void);
void request_command(void);
void requests_end(void);

/* ---- books.c */
extern struct catalogue *catalogue;
extern struct markets *markets;
extern int64_t mono_ns;
uint32_t market_of(const char *symbol);
void info_command(void);
void open_command(void);
void frame_command(void);
void snapshot_command(void);
void counts_command(void);
void books_end(void);

/* ---- trading.c */
void start_command(void);
void opened_command(void);
void closed_command(void);
void message_command(void);
void later_command(void);
void place_command(void);
void ref_command(void);
void balances_command(void);
void list_command(void);
void trading_end(void);

#endif
