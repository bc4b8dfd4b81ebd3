#include "core/latency.h"

#include <stdlib.h>
#include <string.h>

void latency_add(struct latency *latency, int64_t ns)
{
	latency->ns[latency->count++ % LATENCY_WINDOW] = ns;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

int64_t latency_percentile(const struct latency *latency, uint32_t share_e3)
{
	size_t count = latency->count < LATENCY_WINDOW ? (size_t)latency->count : LATENCY_WINDOW;
	int64_t *sorted = count ? malloc(count * sizeof *sorted) : NULL;
	if (!sorted)
		return 0;
	memcpy(sorted, latency->ns, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare);
	size_t at = (count * share_e3 + 999) / 1000;
	int64_t value = sorted[at > 0 ? at - 1 : 0];
	free(sorted);
	return value;
}
