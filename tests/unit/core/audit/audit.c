/* The audit: what its lines say and never say, files that are put aside, a disk that is full. */
#include "core/audit/audit.h"

#include <json-c/json.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/random.h"
#include "core/io/transport_text.h"
#include "tests/tap.h"
#include "tests/unit/core/state/world.h"

#define S INT64_C(1000000000)
#define START_NS (INT64_C(1767225600) * S)

static char dir[] = "/tmp/trigate-audit-XXXXXX";
static struct world_workers workers;
static struct loop *loop;

/* A disk with so many bytes left; what does not fit is written as far as it does. */
static struct disk_ops small_ops;
static const struct disk small_disk = {.ops = &small_ops};
static int64_t room = INT64_MAX;

static int64_t write_within(const struct disk *disk, int file, const void *bytes, size_t count)
{
	if (room == 0)
		return -ENOSPC;
	int64_t most = (int64_t)count < room ? (int64_t)count : room;
	int64_t done = disk_system.ops->write(disk, file, bytes, (size_t)most);
	room -= done > 0 ? done : 0;
	return done;
}

static uint32_t failed_told, resumed_told;

static void on_log(void *ctx, enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
	(void)ctx, (void)level, (void)fields, (void)count;
	failed_told += strcmp(event, "audit.failed") == 0;
	resumed_told += strcmp(event, "audit.resumed") == 0;
}

/* ------------------------------------------------------------ the file */

static const char *path_of(const char *suffix)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/audit.log%s", dir, suffix);
	return path;
}

static void files_remove(void)
{
	char suffix[16];
	unlink(path_of(""));
	for (int i = 1; i < 10; i++) {
		snprintf(suffix, sizeof suffix, ".%d", i);
		unlink(path_of(suffix));
	}
}

static int64_t file_size(const char *suffix)
{
	struct stat status;
	return stat(path_of(suffix), &status) == 0 ? status.st_size : -1;
}

/* The file's lines, each parsed: a JSON array. NULL: one is no object, or not ended. */
static struct json_object *lines_of(const char *suffix)
{
	struct json_object *lines = json_object_new_array();
	FILE *file = fopen(path_of(suffix), "r");
	char *line = NULL;
	size_t size = 0;
	bool whole = file;
	for (ssize_t len; file && (len = getline(&line, &size, file)) > 0;) {
		struct json_object *object = line[len - 1] == '\n' ? json_tokener_parse(line) : NULL;
		whole = whole && json_object_is_type(object, json_type_object);
		json_object_array_add(lines, object);
	}
	free(line);
	if (file)
		fclose(file);
	if (whole)
		return lines;
	json_object_put(lines);
	return NULL;
}

static const char *member(struct json_object *lines, size_t index, const char *key)
{
	struct json_object *line = lines ? json_object_array_get_idx(lines, index) : NULL, *value = NULL;
	return line && json_object_object_get_ex(line, key, &value) ? json_object_get_string(value) : "";
}

static size_t count_of(struct json_object *lines)
{
	return lines ? json_object_array_length(lines) : 0;
}

/* ------------------------------------------------------------ the world */

static struct audit *audit_start(uint64_t file_bytes, uint32_t files)
{
	static const struct loop_options options = {
		.driven = true, .start_mono_ns = S, .start_unix_ns = START_NS, .timers_max = 8};
	struct tg_error error = tg_error_init();
	struct audit *audit = NULL;
	workers = WORLD_WORKERS();
	if (loop_create(&options, &loop))
		abort();
	const struct audit_options how = {.disk = &small_disk,
					  .workers = &workers.workers,
					  .loop = loop,
					  .state_dir = dir,
					  .gateway_id = "00a1",
					  .epoch = 7,
					  .file_bytes = file_bytes,
					  .files = files};
	if (audit_open(&how, &audit, &error))
		abort();
	return audit;
}

static void audit_end(struct audit *audit)
{
	audit_close(audit);
	loop_destroy(loop);
}

static void tell_sent(struct audit *audit, uint64_t id, const char *body)
{
	const struct transport_audit sent = {.event = TRANSPORT_WS_SENT,
					     .owner = "binance",
					     .id = id,
					     .method = "TEXT",
					     .url = "wss://host/ws",
					     .body = {body, strlen(body)},
					     .left = true,
					     .sent_bytes = strlen(body)};
	audit_wire(audit, &sent);
}

/* ------------------------------------------------------------ tests */

static void tell_http(struct audit *audit)
{
	struct tg_error error = tg_error_init();
	tg_error_set(&error, TG_ERR_UNKNOWN_OUTCOME, "no answer");
	struct transport_audit http = {.event = TRANSPORT_HTTP,
				       .owner = "binance",
				       .id = 3,
				       .method = "GET",
				       .url = "https://host/api?symbol=A",
				       .headers = {"X-KEY: ***\r\n", 12},
				       .status = 429,
				       .left = true,
				       .received_bytes = 99,
				       .duration_ns = 12345678};
	audit_wire(audit, &http);
	http.status = 0;
	http.error = &error;
	audit_wire(audit, &http);
}

static void tell_order(struct audit *audit)
{
	struct order order = {.client_id = "0a1b2c",
			      .exchange_id = "77",
			      .market = "BTCUSDT",
			      .reason = "no \"luck\"\xff",
			      .state = ORDER_EXPIRED,
			      .side = TG_SIDE_SELL,
			      .price = {1234567, 2, 0},
			      .qty = {5, 3, 0},
			      .filled_base = TG_AMOUNT_ONE / 1000,
			      .updated_ns = START_NS + S};
	struct fill fill = {.fill_id = "9", .price = {1234500, 2, 0}, .qty = {1, 3, 0}, .fee = {1, 6, 0}};
	strcpy(fill.fee_currency, "USDT");
	audit_fill(audit, &order, &fill);
	audit_order(audit, &order);
}

static void test_lines(void)
{
	struct audit *audit = audit_start(1 << 20, 2);
	tell_http(audit);
	tell_sent(audit, 4, "{\"id\":1}");
	tell_order(audit);
	world_pass(&workers, 100);
	struct json_object *lines = lines_of("");
	is_int((int)count_of(lines), 6, "a line each, and one of the start");
	is_str(member(lines, 0, "event"), "start", "which begins");
	is_str(member(lines, 0, "gateway"), "00a1", "and says whose");
	is_str(member(lines, 0, "epoch"), "7", "and which");
	is_str(member(lines, 1, "time"), "2026-01-01T00:00:00.000000Z", "the time");
	is_str(member(lines, 1, "status"), "429", "an answer's status");
	is_str(member(lines, 1, "us"), "12345", "and how long it took");
	is_str(member(lines, 2, "code"), "ERR_UNKNOWN_OUTCOME", "no answer: its code");
	is_str(member(lines, 2, "error"), "no answer", "and why");
	is_str(member(lines, 3, "event"), "ws_sent", "a frame");
	is_str(member(lines, 3, "body"), "{\"id\":1}", "as it was sent");
	is_str(member(lines, 4, "fee"), "0.000001", "a fill and its fee");
	is_str(member(lines, 5, "state"), "expired", "an order's state");
	is_str(member(lines, 5, "price"), "12345.67", "its price");
	is_str(member(lines, 5, "filled"), "0.001", "what was filled");
	is_str(member(lines, 5, "reason"), "no \"luck\"?", "what the exchange said, made UTF-8");
	is_str(member(lines, 5, "time"), "2026-01-01T00:00:01.000000Z", "when that was");
	json_object_put(lines);
	audit_end(audit);
	files_remove();
}

/* Where a connector may put a secret; %s is it. */
static const char *const shapes[] = {
	"/api/v3/order?symbol=A&signature=%s",
	"/api/v3/order?apiKey=%s&symbol=A",
	"{\"id\":\"1\",\"params\":{\"apiKey\":\"%s\",\"symbol\":\"A\"}}",
	"{\"params\":{\"symbol\":\"A\",\"signature\" : \"%s\"}}",
	"{\"method\":\"userDataStream.ping\",\"params\":{\"listenKey\":\"%s\"}}",
	"{\"token\":\"%s\",\"x\":1}",
	"X-MBX-APIKEY: %s\r\nAccept: */*\r\n",
	"Authorization: Bearer %s\r\n",
	"passphrase=%s",
};

/* Through every text of an item, and as long as one of them may be, so that some are cut. */
static void test_secrets(void)
{
	struct audit *audit = audit_start(1 << 30, 2);
	char(*secrets)[49] = calloc(500, sizeof *secrets);
	char *text = NULL;
	size_t size = 0, shown_secrets = 0;
	uint64_t state = 1;
	struct bytes shown = {0};
	for (uint32_t i = 0; i < 500; i++) {
		char said[600];
		for (uint32_t at = 0; at < 48; at++)
			secrets[i][at] = "abcdefghijklmnopqrstuvwxyzABCDEF0123456789+/"[random_next(&state) % 44];
		int len = snprintf(said, sizeof said, "%*s", (int)(random_next(&state) % 300), "");
		snprintf(said + len, sizeof said - (size_t)len, shapes[i % (sizeof shapes / sizeof *shapes)],
			 secrets[i]);
		shown.count = 0;
		transport_redact((struct tg_str){said, strlen(said)}, &shown);
		bytes_add(&shown, "", 1);
		const struct tg_str part = {(const char *)shown.at, shown.count - 1};
		const struct transport_audit told = {.event = (enum transport_event)(i % 4),
						     .owner = "binance",
						     .method = "POST",
						     .url = part.ptr,
						     .headers = part,
						     .body = part};
		audit_wire(audit, &told);
		world_pass(&workers, 100);
	}
	audit_end(audit);
	FILE *file = fopen(path_of(""), "r");
	if (!file || getdelim(&text, &size, '\0', file) <= 0)
		abort();
	fclose(file);
	for (uint32_t i = 0; i < 500; i++)
		shown_secrets += strstr(text, secrets[i]) != NULL;
	is_int((int)shown_secrets, 0, "no secret of 500 is in the file");
	ok(strstr(text, "***") != NULL, "they were taken out on the way");
	bytes_clear(&shown);
	free(secrets);
	free(text);
	files_remove();
}

static void test_long(void)
{
	static char body[5000];
	struct audit *audit = audit_start(1 << 20, 2);
	memset(body, 'x', sizeof body - 1);
	tell_sent(audit, 1, body);
	for (size_t i = 0; i + 2 < sizeof body - 1; i += 3)
		memcpy(body + i, "\xe5\xb8\x81", 3); /* cut within a character */
	tell_sent(audit, 2, body);
	world_pass(&workers, 100);
	struct json_object *lines = lines_of("");
	is_str(member(lines, 1, "cut"), "true", "a long frame is cut");
	is_str(member(lines, 1, "sent_bytes"), "4999", "but for how long it was");
	ok(strlen(member(lines, 1, "body")) > 1000, "to what fits");
	is_int((int)count_of(lines), 3, "one that is cut within a character is JSON too");
	json_object_put(lines);
	audit_end(audit);
	files_remove();
}

static void test_files(void)
{
	struct audit *audit = audit_start(4000, 3);
	uint64_t told = 0, kept = 0;
	for (; told < 200; told++) {
		tell_sent(audit, told, "{\"id\":\"a frame as long as some\"}");
		world_pass(&workers, 100);
	}
	audit_end(audit);
	static const char *const suffixes[] = {".2", ".1", ""};
	int64_t largest = 0, last = -1;
	bool in_order = true;
	for (size_t i = 0; i < 3; i++) {
		struct json_object *lines = lines_of(suffixes[i]);
		largest = file_size(suffixes[i]) > largest ? file_size(suffixes[i]) : largest;
		for (size_t line = 0; line < count_of(lines); line++, kept++) {
			int64_t id = strtoll(member(lines, line, "socket"), NULL, 10);
			in_order = in_order && (last < 0 || id == last + 1);
			last = id;
		}
		json_object_put(lines);
	}
	ok(largest <= 4000 && largest > 3500, "no file is larger than it may be (%lld)", (long long)largest);
	is_int(file_size(".3"), -1, "no more are kept than there may be");
	ok(in_order && last == 199 && kept < 200, "in order, up to the last line, the oldest gone (%llu kept)",
	   (unsigned long long)kept);
	files_remove();
}

static void test_full_disk(void)
{
	room = 700;
	failed_told = resumed_told = 0;
	struct audit *audit = audit_start(1 << 20, 2);
	for (uint32_t i = 0; i < 50; i++) {
		tell_sent(audit, i, "{\"id\":\"before\"}");
		world_pass(&workers, 100);
	}
	is_int(failed_told, 1, "a full disk is told once");
	struct json_object *lines = lines_of("");
	size_t before = count_of(lines);
	ok(before > 1 && before < 10, "what was written before is whole (%zu lines)", before);
	json_object_put(lines);
	room = INT64_MAX;
	world_pass(&workers, 10000);
	tell_sent(audit, 50, "{\"id\":\"after\"}");
	world_pass(&workers, 100);
	is_int(resumed_told, 1, "that it works again is told too");
	lines = lines_of("");
	is_str(member(lines, before, "event"), "lost", "the gap is told of in the file");
	is_int(atoi(member(lines, before, "lines")), (int)(51 - before), "with how many lines are missing");
	is_str(member(lines, before + 1, "body"), "{\"id\":\"after\"}", "and it goes on");
	tell_sent(audit, 51, "{}");
	world_pass(&workers, 100);
	json_object_put(lines);
	lines = lines_of("");
	is_int((int)count_of(lines), (int)before + 3, "once");
	json_object_put(lines);
	audit_end(audit);
	files_remove();
}

static void test_too_much(void)
{
	struct audit *audit = audit_start(1 << 30, 2);
	world_pass(&workers, 0);
	for (uint32_t i = 0; i < 3000; i++)
		tell_sent(audit, i, "{}");
	is_int((int)world_pass(&workers, 0), 1, "the worker is woken before its time when there is much");
	tell_sent(audit, 3000, "{}");
	world_pass(&workers, 100);
	struct json_object *lines = lines_of("");
	int lost = 0, frames = 0;
	for (size_t i = 0; i < count_of(lines); i++) {
		lost += strcmp(member(lines, i, "event"), "lost") == 0 ? atoi(member(lines, i, "lines")) : 0;
		frames += strcmp(member(lines, i, "event"), "ws_sent") == 0;
	}
	is_int(frames + lost, 3001, "what found no room is counted");
	ok(lost > 0, "and told (%d)", lost);
	json_object_put(lines);
	audit_end(audit);
	files_remove();
}

static void test_restart(void)
{
	struct audit *audit = audit_start(1 << 20, 2);
	world_pass(&workers, 100);
	audit_end(audit);
	FILE *file = fopen(path_of(""), "a");
	if (!file)
		abort();
	fputs("{\"half\":", file);
	fclose(file);
	audit = audit_start(1 << 20, 2);
	tell_sent(audit, 1, "{}");
	audit_end(audit); /* which writes what is left */
	file = fopen(path_of(""), "r");
	if (!file)
		abort();
	char line[2000];
	int count = 0;
	bool begins = true;
	while (fgets(line, sizeof line, file)) {
		begins = begins && line[0] == '{';
		count++;
	}
	fclose(file);
	ok(begins && count == 4, "what follows half a line begins a new one (%d lines)", count);
	is_int((int)(file_size("") > 0), 1, "one file goes on through starts");
	struct stat status;
	stat(path_of(""), &status);
	is_int(status.st_mode & 0777, 0600, "for its owner only");
	files_remove();
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	small_ops = *disk_system.ops;
	small_ops.write = write_within;
	log_set_sink(on_log, NULL);
	test_lines();
	test_secrets();
	test_long();
	test_files();
	test_full_disk();
	test_too_much();
	test_restart();
	rmdir(dir);
	return tap_done();
}
