/* The least that any program could do, a function each, at most 30 lines. Owner: the one thread of a process. */
#ifndef TRIGATE_BENCH_WIRE_FLOOR_H
#define TRIGATE_BENCH_WIRE_FLOOR_H

#include <stddef.h>
#include <stdint.h>

/* libwebsockets' client over TLS that counts: frames a second, after the first `warm` of them. */
double floor_ingest(uint16_t port, const char *ca_file, uint64_t warm, uint64_t frames);

/* Looks at every byte of a frame once: adds up the digits between quotes. */
uint64_t floor_decode(const uint8_t *bytes, size_t count);

/* What an order cannot do without: looks at a frame, signs so many bytes, appends so many to a file. */
void floor_order(int file, const uint8_t *frame, size_t count, size_t payload, size_t appended);

/* The same, and between the two what no order can do without that is decided by size and can be found again: rates of
 * ten cycles, one of them sized in so many whole lots by integers, four records with their checksums, the order's text.
 * Of plain C with nothing to be looked up, asked or checked. */
void floor_order_sized(int file, const uint8_t *frame, size_t count, size_t payload, size_t appended);

/* libwebsockets' client over TLS that answers each message at once with one of so many bytes, spinning; for ever. */
void floor_echo(uint16_t port, const char *ca_file, size_t count);

#endif
