#include "core/cli/out.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/cli/cli.h"
#include "core/cli/text.h"

#define WIDTH_DEFAULT 80
#define WIDTH_LEAST 20
#define STATUS_MAX 512

static atomic_bool status_shown;
static bool terminal[2];  /* what stdout and stderr are, whatever stands between */
static int write_failure; /* errno of a write that another part made for us */

/* 0 for stdout, 1 for stderr. */
static size_t index_of(const FILE *stream)
{
	return stream == stderr;
}

/* A file that is opened while 0, 1 or 2 is closed takes its number, and what is printed would go into it: a journal,
 * say. What stands in for a closed stdout cannot be written to, so that the loss is noticed at the end. */
static void fill_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) != fd)
			abort();
}

void out_start(void)
{
	fill_standard_files();
	terminal[0] = isatty(STDOUT_FILENO);
	terminal[1] = isatty(STDERR_FILENO);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its allowed size is a failed write like any other */
}

int out_finish(int code)
{
	out_status_clear();
	errno = write_failure;
	bool failed = ferror(stdout) != 0 || write_failure != 0;
	if (fflush(stdout) != 0)
		failed = true;
	if (!failed)
		return code;
	fprintf(stderr, "trigate: not all output could be written%s%s\n", errno ? ": " : "",
		errno ? strerror(errno) : "");
	return code == EXIT_DONE ? EXIT_FAILED : code;
}

bool out_broken(void)
{
	return ferror(stdout) != 0;
}

void out_failed(int failure)
{
	write_failure = failure;
}

bool out_is_terminal(FILE *stream)
{
	const char *term = getenv("TERM");
	return term && term[0] && strcmp(term, "dumb") != 0 && terminal[index_of(stream)];
}

size_t out_width(FILE *stream)
{
	const char *columns = getenv("COLUMNS");
	int given = columns ? atoi(columns) : 0;
	if (given >= WIDTH_LEAST)
		return (size_t)given;
	struct winsize size;
	int fd = index_of(stream) == 0 ? STDOUT_FILENO : STDERR_FILENO;
	if (terminal[index_of(stream)] && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH_LEAST)
		return size.ws_col;
	return WIDTH_DEFAULT;
}

static bool colour_wanted(FILE *stream)
{
	const char *no_colour = getenv("NO_COLOR"); /* no-color.org: set and not empty */
	return !(no_colour && no_colour[0]) && out_is_terminal(stream);
}

const char *out_style(FILE *stream, enum style style)
{
	static const char *const sequence[] = {
		[STYLE_NONE] = "\033[0m",  [STYLE_BOLD] = "\033[1m", [STYLE_DIM] = "\033[2m",
		[STYLE_GOOD] = "\033[32m", [STYLE_BAD] = "\033[31m", [STYLE_WARN] = "\033[33m",
	};
	return colour_wanted(stream) ? sequence[style] : "";
}

void out_plain(FILE *stream, const char *text)
{
	while (*text) {
		size_t length = text_character(text);
		if (length)
			fwrite(text, 1, length, stream);
		else
			fputc('?', stream);
		text += length ? length : 1;
	}
}

void out_json(struct json_object *object)
{
	size_t length;
	const char *line = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	out_status_clear();
	flockfile(stdout); /* a worker's log may come in between */
	fwrite(line, 1, length, stdout);
	fputc('\n', stdout);
	funlockfile(stdout);
	json_object_put(object);
}

void out_status(const char *format, ...)
{
	if (!out_is_terminal(stderr))
		return;
	char text[STATUS_MAX];
	va_list values;
	va_start(values, format);
	vsnprintf(text, sizeof text, format, values);
	va_end(values);
	text_cut(text, out_width(stderr) - 1);
	fflush(stdout);
	flockfile(stderr);
	fputc('\r', stderr);
	out_plain(stderr, text);
	fprintf(stderr, "\033[K");
	fflush(stderr);
	status_shown = true;
	funlockfile(stderr);
}

void out_status_clear(void)
{
	if (!status_shown)
		return;
	flockfile(stderr);
	fprintf(stderr, "\r\033[K");
	fflush(stderr);
	status_shown = false;
	funlockfile(stderr);
}
