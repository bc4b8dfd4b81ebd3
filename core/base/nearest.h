/* "Did you mean": the known word nearest to a mistyped one. Pure; any thread. */
#ifndef TRIGATE_CORE_BASE_NEAREST_H
#define TRIGATE_CORE_BASE_NEAREST_H

#include <stddef.h>

/* The entry of known[0..count) that `word` most likely means, the first of equals, or NULL if none is near: a third of
 * the letters (at least one) may be wrong, left out, too many or swapped with a neighbour; case does not count. An
 * entry that begins with `word` (three letters or more) is near too. NULL entries are passed over. */
const char *nearest_word(const char *word, const char *const *known, size_t count);

#endif
