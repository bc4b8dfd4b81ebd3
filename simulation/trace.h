/* The trace of a run: what happened, when, to whom, in lines that a person reads. Every line goes into a digest, so
 * that two runs can be compared; the text itself is kept only where it is asked for. Owner: one world. */
#ifndef TRIGATE_SIMULATION_TRACE_H
#define TRIGATE_SIMULATION_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct trace;

/* keep: the last so many bytes of text are kept (0: none, only the digest). */
int trace_create(const struct loop *time, size_t keep, struct trace **ret_trace);
void trace_destroy(struct trace *trace);
/* Bytes that a trace takes which keeps so much: what a witness (witness.h) has to have room for. */
size_t trace_size(size_t keep);

/* One line: "00:01:02.345678  g0     order 00a1… sent --accept--> live". who: "g0" a gateway, "v0" a venue, "world".
 * The time is the world's. */
__attribute__((format(printf, 3, 4))) void trace_add(struct trace *trace, const char *who, const char *format, ...);

uint64_t trace_digest(const struct trace *trace);
uint64_t trace_lines(const struct trace *trace);
/* The text that is kept, from the start of a line; borrowed. */
const char *trace_text(const struct trace *trace, size_t *ret_length);

#endif
