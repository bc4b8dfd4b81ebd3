/* Captures as lines of text: each sort of line, and what is none. */
#include "core/capture/text.h"

#include "tests/tap.h"
#include "tests/unit/core/capture/scratch.h"

static struct capture_text *text;
static struct tg_error failure;

static int take(const char *bytes)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/text", scratch);
	scratch_write(path, bytes, strlen(bytes));
	failure = tg_error_init();
	return capture_text_open(&disk_system, path, &text, &failure);
}

static bool is_text(struct tg_str got, const char *want)
{
	return got.len == strlen(want) && memcmp(got.ptr, want, got.len) == 0;
}

static void test_lines(void)
{
	struct capture_entry entry = {0};
	struct capture_http http = {0};
	is_int(take("wss://a.example/ws <-> 10.5\n"
		    "wss://a.example/ws <- 10.6: {\"op\":\"subscribe\"}\r\n"
		    "11.0633569: {\"s\":\"BTCUSDT\", \"x\": 1}\n"
		    "configuration: {\"a\":1}\n"
		    "\n"
		    "https://a.example/depth?symbol=BTCUSDT -> 12.25: {\"bids\":[]}\n"
		    "wss://b.example/ws <-> 13\n"
		    "14: second\n"
		    "wss://a.example/ws <- 15: x\n"
		    "16: third"),
	       TG_OK, "a text is opened %s", failure.message);
	is_int(capture_text_next(text, &entry), 1, "a connection is opened");
	ok(entry.kind == CAPTURE_OPENED && entry.id == 1 && is_text(entry.payload, "wss://a.example/ws"), "its URL");
	is_int(entry.mono_ns, INT64_C(10500000000), "its time");
	is_int(entry.unix_ns, entry.mono_ns, "on both clocks");
	capture_text_next(text, &entry);
	ok(entry.kind == CAPTURE_SENT && entry.id == 1 && is_text(entry.payload, "{\"op\":\"subscribe\"}"),
	   "what was sent, without the end of the line");
	capture_text_next(text, &entry);
	ok(entry.kind == CAPTURE_MESSAGE && entry.id == 1 && is_text(entry.payload, "{\"s\":\"BTCUSDT\", \"x\": 1}"),
	   "a frame, blanks and all");
	is_int(entry.mono_ns, INT64_C(11063356900), "to the nanosecond");
	capture_text_next(text, &entry);
	ok(entry.kind == CAPTURE_HTTP && entry.status == 200 && capture_http_read(entry.payload, &http) == TG_OK,
	   "an answer");
	ok(is_text(http.method, "GET") && is_text(http.url, "https://a.example/depth?symbol=BTCUSDT") &&
		   is_text(http.body, "{\"bids\":[]}"),
	   "to what, and what");
	capture_text_next(text, &entry);
	ok(entry.kind == CAPTURE_OPENED && entry.id == 2, "another connection");
	capture_text_next(text, &entry);
	ok(entry.kind == CAPTURE_MESSAGE && entry.id == 2, "whose frames follow");
	capture_text_next(text, &entry);
	capture_text_next(text, &entry);
	ok(entry.id == 1 && is_text(entry.payload, "third"), "a line with a URL says whose the next ones are");
	is_int(capture_text_next(text, &entry), 0, "the end, also without a line's end");
	is_int(capture_text_skipped(text), 1, "a line says nothing");
	capture_text_rewind(text);
	ok(capture_text_next(text, &entry) == 1 && entry.kind == CAPTURE_OPENED && entry.id == 1,
	   "once more from the start");
	ok(capture_text_mentions(text, "btcusdt") && !capture_text_mentions(text, "BTC") &&
		   !capture_text_mentions(text, "ETHUSDT"),
	   "it speaks of one market");
	capture_text_close(text);
	capture_text_close(NULL);
}

static void test_wrong(void)
{
	static const char *const wrong[] = {"",
					    "hello\n",
					    "12.5: a frame of no connection\n",
					    "wss://a <-> \n",
					    "wss://a <-> -1\n",
					    "wss://a <-> 1e400\n",
					    "wss://a <-> 99999999999999999999\n",
					    "wss://a <- 5 no colon\n",
					    "wss://a -> : x\n",
					    "wss://a ?? 5: x\n",
					    " \n \n"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ok(take(wrong[i]) == TG_ERR_CORRUPT && strstr(failure.message, "/text: neither"),
		   "no capture is in text %zu", i);
	ok(capture_text_open(&disk_system, "/nowhere/text", &text, &failure) == TG_ERR_IO, "no file: %s",
	   failure.message);
	ok(capture_text_open(&disk_system, "/tmp", &text, &failure) == TG_ERR_IO, "a folder: %s", failure.message);
}

/* More connections than are told apart: the others' frames are nobody's. */
static void test_many(void)
{
	static char bytes[64 * 400];
	struct capture_entry entry = {0};
	size_t at = 0;
	uint64_t opened = 0, largest = 0;
	for (int i = 0; i < 300; i++)
		at += (size_t)sprintf(bytes + at, "wss://host-%d/ <-> %d\n", i, i + 1);
	take(bytes);
	for (; capture_text_next(text, &entry); opened++)
		largest = entry.id > largest ? entry.id : largest;
	ok(opened == 256 && largest == 256, "256 connections: %llu", (unsigned long long)opened);
	capture_text_close(text);
}

int main(void)
{
	scratch_make();
	test_lines();
	test_wrong();
	test_many();
	scratch_clear();
	return tap_done();
}
