#include <core/base/nearest.h>

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 64  /* longer words are not typed by hand */
#define PREFIX_MIN 3 /* shorter beginnings say too little */

static unsigned min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edits (insert, delete, replace, swap of neighbours) that turn a into b: optimal string alignment, see e.g. Boytsov,
 * "Indexing methods for approximate dictionary searching", 2011, section 2. Three rows suffice. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];
	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
			row[j] = min2(min2(last[j], row[j - 1]) + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
				row[j] = min2(row[j], before[j - 2] + 1);
		}
		unsigned *free_row = before;
		before = last;
		last = row;
		row = free_row;
	}
	return last[b_len];
}

const char *nearest_word(const char *word, const char *const *known, size_t count)
{
	size_t len = strlen(word);
	if (len == 0 || len > WORD_MAX)
		return NULL;
	const char *best = NULL, *longer = NULL;
	unsigned best_distance = UINT_MAX;
	for (size_t i = 0; i < count; i++) {
		size_t known_len = known[i] ? strlen(known[i]) : 0;
		if (known_len == 0 || known_len > WORD_MAX)
			continue;
		unsigned distance = edit_distance(word, len, known[i], known_len);
		unsigned allowed = (unsigned)(len > known_len ? len : known_len) / 3;
		if (distance <= (allowed ? allowed : 1) && distance < best_distance) {
			best = known[i];
			best_distance = distance;
		}
		if (!longer && len >= PREFIX_MIN && strncasecmp(word, known[i], len) == 0)
			longer = known[i];
	}
	return best ? best : longer;
}
