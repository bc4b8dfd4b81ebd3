/* Counts the allocations of each thread, for tests of what must make none, and refuses one, for tests of what becomes
 * of that. Included by one file of a test program. A sanitizer owns malloc itself: then ALLOCATIONS_ARE_COUNTED is 0
 * and the test is skipped. glibc only. */
#ifndef TRIGATE_TESTS_ALLOCATIONS_H
#define TRIGATE_TESTS_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALLOCATIONS_ARE_COUNTED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ALLOCATIONS_ARE_COUNTED 0
#endif
#endif
#ifndef ALLOCATIONS_ARE_COUNTED
#define ALLOCATIONS_ARE_COUNTED 1

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);

static _Thread_local unsigned allocations;     /* of this thread, so far */
static _Thread_local unsigned allocations_max; /* more are not to be had; 0: they are */

static bool allocation_is_refused(void)
{
	return ++allocations > allocations_max && allocations_max != 0;
}

void *malloc(size_t size)
{
	return allocation_is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return allocation_is_refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return allocation_is_refused() ? NULL : __libc_realloc(memory, size);
}

#endif
#endif
