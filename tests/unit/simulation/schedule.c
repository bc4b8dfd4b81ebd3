#include "simulation/schedule.h"

#include <trigate/error.h>

#include "tests/tap.h"

static const char example[] =
	"{\"trigate_schedule\": 1, \"seed\": 18446744073709551615, \"duration_ms\": 20000, \"gateways\": 2, "
	"\"markets\": 8,\n"
	" \"check\": \"open_cycles\",\n"
	" \"text\": \"3 at \\\"once\\\", C:\\\\ \\u0007 zwölf\",\n"
	" \"events\": [\n"
	"  {\"at_ms\": 1234.567891, \"fault\": \"reply_lost\", \"target\": \"g0\", \"skip\": 0, \"arg\": 0},\n"
	"  {\"at_ms\": 0, \"fault\": \"clock_jump\", \"target\": \"g1\", \"skip\": 4294967295, \"arg\": -5000},\n"
	"  {\"at_ms\": 0.000001, \"fault\": \"order_partial\", \"target\": \"v1\", \"skip\": 7, \"arg\": 999}\n"
	" ]}\n";

static char *printed(const struct schedule *schedule)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	schedule_print(schedule, out);
	fclose(out);
	return text;
}

static int parse(const char *text, struct schedule *schedule, struct tg_error *error)
{
	*error = tg_error_init();
	return schedule_parse("s.json", text, strlen(text), schedule, error);
}

static void test_example(void)
{
	struct schedule schedule;
	struct tg_error error;
	if (!ok(parse(example, &schedule, &error) == TG_OK, "a schedule is read: %s", error.message))
		return;
	ok(schedule.seed == UINT64_MAX, "a seed has 64 bits");
	is_int(schedule.duration_ms, 20000, "duration");
	is_int(schedule.gateways, 2, "gateways");
	is_int(schedule.markets, 8, "markets");
	is_str(schedule.check, "open_cycles", "check");
	is_str(schedule.text, "3 at \"once\", C:\\ \a zwölf", "text");
	is_int(schedule.event_count, 3, "events");
	is_int(schedule.event[0].at_ns, 1234567891, "at_ms is exact to the nanosecond");
	is_int(schedule.event[0].kind, FAULT_REPLY_LOST, "fault");
	is_int(schedule.event[1].target, 1, "target");
	is_int(schedule.event[1].skip, UINT32_MAX, "skip");
	is_int(schedule.event[1].arg, -5000, "arg");
	is_int(schedule.event[2].at_ns, 1, "a nanosecond");
	char *text = printed(&schedule);
	is_str(text, example, "it is printed as it was");
	free(text);

	struct run_options options;
	schedule_options(&schedule, &options);
	ok(options.seed == UINT64_MAX && options.events == schedule.event && options.event_count == 3 &&
		   options.duration_ms == 20000 && options.gateways == 2 && options.markets == 8,
	   "options of a run follow it");
	schedule_clear(&schedule);
}

static void test_little(void)
{
	struct schedule schedule;
	struct tg_error error;
	struct run_options options;
	ok(parse("{\"trigate_schedule\": 1, \"seed\": 7, \"events\": []}", &schedule, &error) == TG_OK,
	   "what is left out is as the seed says");
	schedule_options(&schedule, &options);
	ok(options.events != NULL && options.event_count == 0, "no event is a schedule, too");
	ok(options.duration_ms == 0 && options.gateways == 0 && options.markets == 0, "and nothing else is set");
	char *text = printed(&schedule);
	struct schedule again;
	ok(parse(text, &again, &error) == TG_OK && again.seed == 7 && again.event_count == 0, "it survives printing");
	free(text);
	schedule_clear(&schedule);
	schedule_clear(&again);
	struct schedule foreign = {.seed = 1, .text = "bytes \xff\xc3 of a crash\n"};
	text = printed(&foreign);
	ok(parse(text, &again, &error) == TG_OK, "what is no text can be read again all the same: %s", error.message);
	is_str(again.text, "bytes ?? of a crash\n", "with a ? for each byte");
	free(text);
	schedule_clear(&again);
}

#define HEAD "{\"trigate_schedule\": 1, \"seed\": 7,\n \"events\": ["
#define EVENT(at, fault, target, skip, arg) \
	"\n {\"at_ms\": " at ", \"fault\": " fault ", \"target\": " target ", \"skip\": " skip ", \"arg\": " arg "}"
#define TAIL "]}"

static void test_json(void)
{
	static const struct {
		const char *text, *is, *says; /* text: of the member "text" */
	} table[] = {
		{"\"\"", "", NULL},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", NULL},
		{"\"\\u0041\\u00fC\\u20ac\\ud83d\\ude00\"", "Aü€😀", NULL},
		{"\n\t \"x\" ", "x", NULL},
		{"\"\\u0000\"", NULL, "uXXXX"},
		{"\"\\u12g4\"", NULL, "uXXXX"},
		{"\"\\ud83d\"", NULL, "uXXXX"},
		{"\"\\ud83d\\u0041\"", NULL, "uXXXX"},
		{"\"\\ude00\"", NULL, "uXXXX"},
		{"\"\\x\"", NULL, "uXXXX"},
		{"\"a\nb\"", NULL, "s.json:1: text: a text does not end in its line"},
		{"\"\xff\"", NULL, "a schedule is JSON"},
		{"\"x\" \"y\"", NULL, "\"y\" where a comma or } should stand"},
		{"\"x\",", NULL, "} where a key in quotes should stand"},
		{"\"x\", \"seed\"", NULL, "seed: } where a colon should stand"},
		{"", NULL, "text: } where a value should stand"},
		{"\"x\"}}", NULL, "} where the end of the file should stand"},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char text[256];
		struct schedule schedule;
		struct tg_error error;
		snprintf(text, sizeof text, "{\"trigate_schedule\": 1, \"seed\": 7, \"events\": [], \"text\": %s}",
			 table[i].text);
		int err = parse(text, &schedule, &error);
		if (table[i].is)
			is_str(err == TG_OK ? schedule.text : error.message, table[i].is, "%s is read", table[i].text);
		else
			ok(err == TG_ERR_INVALID && strstr(error.message, table[i].says), "refused: %s", error.message);
		if (err == TG_OK)
			schedule_clear(&schedule);
	}
	char wide[1000];
	struct schedule schedule;
	struct tg_error error;
	snprintf(wide, sizeof wide, "{\"trigate_schedule\": 1, \"seed\": 7, \"events\": [], \"text\": \"%0600d\"}", 0);
	ok(parse(wide, &schedule, &error) == TG_ERR_INVALID && strstr(error.message, "of more than 383 bytes"),
	   "refused: %s", error.message);
}

static void test_wrong(void)
{
	static const struct {
		const char *text, *says;
	} table[] = {
		{"",
		 "s.json:1: the file ends where a schedule, {\"trigate_schedule\": 1, \"seed\": ...}, should stand"},
		{"{\n", "s.json:2: the file ends where a key in quotes should stand"},
		{"[]", "s.json:1: a list begins where a schedule"},
		{"{\"seed\": 1}", "s.json:1: \"trigate_schedule\" is missing"},
		{"{\"trigate_schedule\": 2, \"seed\": 1, \"events\": []}", "from 1 to 1"},
		{"{\"trigate_schedule\": 1, \"events\": []}", "\"seed\" is missing"},
		{"{\"trigate_schedule\": 1, \"seed\": 1}", "\"events\" is missing"},
		{"{\"trigate_schedule\": 1, \"seed\": 1,\n\"event\": []}",
		 "s.json:2: there is no key \"event\"; did you "
		 "mean \"events\"?"},
		{"{\"trigate_schedule\": 1, \"seed\": -1, \"events\": []}", "seed: -1 is not a whole number from 0 to "
									    "18446744073709551615"},
		{"{\"trigate_schedule\": 1, \"seed\": 18446744073709551616, \"events\": []}", "seed: "},
		{"{\"trigate_schedule\": 1, \"seed\": \"1\", \"events\": []}", "seed: 1 is not"},
		{"{\"trigate_schedule\": 1, \"seed\": 1, \"seed\": 2, \"events\": []}", "seed: stands there twice"},
		{"{\"trigate_schedule\": 1, \"seed\": 1, \"gateways\": 5, \"events\": []}", "from 0 to 4"},
		{"{\"trigate_schedule\": 1, \"seed\": 1, \"markets\": -1, \"events\": []}", "markets: -1 is not"},
		{"{\"trigate_schedule\": 1, \"seed\": 1, \"duration_ms\": 1.5, \"events\": []}", "whole number"},
		{"{\"trigate_schedule\": 1, \"seed\": 1, \"check\": 5, \"events\": []}", "text in quotes"},
		{"{\"trigate_schedule\": 1, \"seed\": 1, \"check\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"events\": []}",
		 "at most 23 bytes"},
		{"{\"trigate_schedule\": 1, \"seed\": 1, \"events\": {}}",
		 "events: an object begins where a list of events should stand"},
		{HEAD "\n 5" TAIL, "s.json:3: events: 5 where an event"},
		{HEAD EVENT("1", "\"reply_lots\"", "\"g0\"", "0", "0") TAIL,
		 "s.json:3: fault: there is no fault \"reply_lots\"; did you mean \"reply_lost\"?"},
		{HEAD EVENT("1", "\"zzzz\"", "\"g0\"", "0", "0") TAIL, "--help"},
		{HEAD EVENT("1", "[]", "\"g0\"", "0", "0") TAIL, "fault: a list begins where a value should stand"},
		{HEAD EVENT("1", "\"kill\"", "\"g4\"", "0", "0") TAIL, "g4 is not a target of kill, which strikes a "
								       "gateway: g0 to g3"},
		{HEAD EVENT("1", "\"kill\"", "\"v0\"", "0", "0") TAIL, "strikes a gateway"},
		{HEAD EVENT("1", "\"market_halted\"", "\"g0\"", "0", "5000") TAIL, "strikes a venue: v0 to v1"},
		{HEAD EVENT("-1", "\"kill\"", "\"g0\"", "0", "0") TAIL, "at_ms: -1 is not a number from 0 to"},
		{HEAD EVENT("0.0000001", "\"kill\"", "\"g0\"", "0", "0") TAIL, "at_ms: 0.0000001 is not"},
		{HEAD EVENT("1", "\"kill\"", "\"g0\"", "4294967296", "0") TAIL, "skip: 4294967296 is not"},
		{HEAD EVENT("1", "\"kill\"", "\"g0\"", "0", "1001") TAIL,
		 "arg: 1001 is not a whole number from 0 to 1000"},
		{HEAD EVENT("1", "\"clock_jump\"", "\"g0\"", "0", "-5001") TAIL, "from -5000 to 5000"},
		{HEAD "\n {\"at_ms\": 1, \"fault\": \"kill\", \"target\": \"g0\", \"skip\": 0}" TAIL,
		 "\"arg\" is missing"},
		{HEAD "\n {\"at_ms\": 1, \"foult\": \"kill\"}" TAIL,
		 "there is no key \"foult\"; did you mean \"fault\"?"},
	};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct schedule schedule;
		struct tg_error error;
		int err = parse(table[i].text, &schedule, &error);
		ok(err == TG_ERR_INVALID && strstr(error.message, table[i].says), "refused: %s", error.message);
		if (err == TG_OK)
			schedule_clear(&schedule);
	}
	struct tg_error error = tg_error_init();
	struct schedule schedule;
	ok(schedule_read("/nonexistent/schedule.json", &schedule, &error) != TG_OK &&
		   strstr(error.message, "/nonexistent/schedule.json"),
	   "no file: %s", error.message);
}

int main(void)
{
	test_example();
	test_little();
	test_json();
	test_wrong();
	return tap_done();
}
