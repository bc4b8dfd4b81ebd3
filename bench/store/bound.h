/* Counts what is bound to SQLite's statements, by whoever: this program's sqlite3_bind_* come before the library's. As
 * peers/store.py counts: the characters of each value's text. Owner: any thread. */
#ifndef TRIGATE_BENCH_STORE_BOUND_H
#define TRIGATE_BENCH_STORE_BOUND_H

#include <stdint.h>

void bound_begin(void);
uint64_t bound_end(void); /* bytes since bound_begin */

#endif
