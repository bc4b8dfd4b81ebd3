/* CRC32C (Castagnoli, reflected polynomial 0x82f63b78): the checksum of journal records. Pure; any thread. [hot] */
#ifndef TRIGATE_CORE_BASE_CRC32C_H
#define TRIGATE_CORE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `size` bytes. `crc` is 0 for the first piece, the result so far for the ones that follow:
 * crc32c(crc32c(0, a), b) is the checksum of a and b joined. Uses the processor's instruction where it has one. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The same by table, on any processor; for tests that compare the two. */
uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t size);

#endif
