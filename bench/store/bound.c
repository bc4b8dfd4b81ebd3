#include "bench/store/bound.h"

#include <dlfcn.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

static atomic_bool counting;
static _Atomic uint64_t bytes;

#define EXPORTED __attribute__((visibility("default")))
#define LIBRARY(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

void bound_begin(void)
{
	atomic_store(&bytes, 0);
	atomic_store(&counting, true);
}

uint64_t bound_end(void)
{
	atomic_store(&counting, false);
	return atomic_load(&bytes);
}

static void count(uint64_t more)
{
	if (atomic_load_explicit(&counting, memory_order_relaxed))
		atomic_fetch_add(&bytes, more);
}

EXPORTED int sqlite3_bind_text(sqlite3_stmt *statement, int at, const char *text, int length, void (*destroy)(void *))
{
	static __typeof__(&sqlite3_bind_text) library;
	if (!library)
		library = LIBRARY(sqlite3_bind_text);
	count((uint64_t)length);
	return library(statement, at, text, length, destroy);
}

EXPORTED int sqlite3_bind_int64(sqlite3_stmt *statement, int at, sqlite3_int64 number)
{
	static __typeof__(&sqlite3_bind_int64) library;
	if (!library)
		library = LIBRARY(sqlite3_bind_int64);
	if (atomic_load_explicit(&counting, memory_order_relaxed))
		count((uint64_t)snprintf(NULL, 0, "%lld", (long long)number));
	return library(statement, at, number);
}
