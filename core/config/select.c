#include "core/config/select.h"

#include <stdlib.h>
#include <string.h>

static const char separators[] = "-/_:.";

static char folded(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static int symbols_compare(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, separators);
		b += strspn(b, separators);
		if (folded(*a) != folded(*b))
			return folded(*a) < folded(*b) ? -1 : 1;
		if (*a == '\0')
			return 0;
	}
}

bool symbols_same(const char *a, const char *b)
{
	return symbols_compare(a, b) == 0;
}

static bool list_has(const struct string_list *list, const char *symbol)
{
	for (size_t i = 0; i < list->count; i++) {
		if (symbols_same(list->item[i], symbol))
			return true;
	}
	return false;
}

bool strategy_market_allowed(const struct strategy_config *strategy, const char *symbol)
{
	if (strategy->allowed_symbols.count > 0 && !list_has(&strategy->allowed_symbols, symbol))
		return false;
	return !list_has(&strategy->blacklisted_pairs, symbol);
}

/* Three symbols in their order. */
static void three_sort(const char *symbol[3])
{
	static const size_t pairs[3][2] = {{0, 1}, {1, 2}, {0, 1}};

	for (size_t i = 0; i < 3; i++) {
		const char **low = &symbol[pairs[i][0]], **high = &symbol[pairs[i][1]];

		if (symbols_compare(*low, *high) > 0) {
			const char *moved = *low;

			*low = *high;
			*high = moved;
		}
	}
}

int listed_cycle_compare(const struct listed_cycle *a, const struct listed_cycle *b)
{
	const char *left[3] = {a->market[0], a->market[1], a->market[2]};
	const char *right[3] = {b->market[0], b->market[1], b->market[2]};
	int order = 0;

	three_sort(left);
	three_sort(right);
	for (size_t i = 0; i < 3 && order == 0; i++)
		order = symbols_compare(left[i], right[i]);
	return order;
}

static int compare(const void *a, const void *b)
{
	return listed_cycle_compare(a, b);
}

static int compare_stable(const void *a, const void *b)
{
	const struct listed_cycle *left = a, *right = b;
	int order = listed_cycle_compare(left, right);

	return order ? order : left->line - right->line;
}

void cycle_list_sort(struct cycle_list *list)
{
	if (list->count > 0)
		qsort(list->cycle, list->count, sizeof *list->cycle, compare_stable);
}

bool strategy_cycle_allowed(const struct strategy_config *strategy, const char *const *markets, size_t count,
			    const struct listed_cycle **ret_line)
{
	struct listed_cycle wanted = {0};
	const struct listed_cycle *found;

	*ret_line = NULL;
	if (strategy->listed.count == 0)
		return true;
	if (count != 3)
		return false;
	for (size_t i = 0; i < 3; i++)
		wanted.market[i] = (char *)(uintptr_t)markets[i]; /* only read */
	found = bsearch(&wanted, strategy->listed.cycle, strategy->listed.count, sizeof wanted, compare);
	*ret_line = found;
	return found != NULL;
}
