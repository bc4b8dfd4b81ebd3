/* What goes to the person or program that called us: styles, JSON lines, one status line, and the care that a full disk
 * or a closed pipe is noticed. Owner: the main thread; the loop thread once the gateway runs (they are the same). */
#ifndef TRIGATE_CORE_CLI_OUT_H
#define TRIGATE_CORE_CLI_OUT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Before anything else: a closed pipe shall be an error to us, not the end of the process, and no file that is opened
 * later may become stdout. */
void out_start(void);

/* At the end, with the exit code so far: flush stdout. If not all could be written, say so on stderr and return
 * EXIT_FAILED in place of EXIT_DONE. */
int out_finish(int code);

/* stdout has failed (closed pipe, full disk): a long command should end. */
bool out_broken(void);

/* A write to stdout failed elsewhere (errno): out_finish is to tell. */
void out_failed(int failure);

/* A terminal that can move its cursor: isatty, and TERM is set and not "dumb". */
bool out_is_terminal(FILE *stream);

/* Columns of the terminal, from COLUMNS or the terminal itself; 80 if it is none. */
size_t out_width(FILE *stream);

enum style { STYLE_NONE, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_BAD, STYLE_WARN };
/* The escape sequence that starts a style (STYLE_NONE ends all), or "" where colour is not wanted: no terminal, or
 * NO_COLOR is set. */
const char *out_style(FILE *stream, enum style style);

/* Text of foreign origin: control characters and broken UTF-8 come out as '?', so that no file or exchange can steer
 * the reader's terminal. */
void out_plain(FILE *stream, const char *text);

/* One JSON line on stdout; takes `object`. Text that is not UTF-8 must not be in it. */
void out_json(struct json_object *object);

/* One line on stderr that is rewritten by the next call, on a terminal only; elsewhere nothing. Too long a text is cut
 * at the width. Clear it before other output. */
void out_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
void out_status_clear(void);

#endif
