/* Counts this thread's allocations. A shared object to be preloaded (LD_PRELOAD) for the debug door: debug.c finds
 * trigate_allocation_count by name, and nothing of trigate is linked with it. glibc only. */
#include <stdint.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

uint64_t trigate_allocation_count(void);

/* initial-exec: the lazy kind of thread-local storage would itself call malloc */
static __thread uint64_t allocations __attribute__((tls_model("initial-exec")));

__attribute__((visibility("default"))) uint64_t trigate_allocation_count(void)
{
	return allocations;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
	allocations++;
	return __libc_realloc(memory, size);
}
